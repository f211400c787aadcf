//! Words that say something of what stands beside them: labels of IDs and telephone
//! numbers, captions, honorifics, greetings, legal forms and the like, of many languages.
//!
//! Input: the `*.txt` files of this folder, one for each language, a line a word:
//!
//! ```text
//! # a comment
//! 会員番号 | id-label | 会員番号 12345678
//! Ltd. Şti. | form | Örnek Ltd. Şti.
//! ```
//!
//! word, roles (separated by spaces), and an example that has the word in it. A reader of
//! the language can correct a file without knowing Rust. Output: the folded words of each
//! [`Role`]. Whether a word must stand by itself follows from its script: those of scripts
//! that are written without spaces may be the end of a longer word.
//!
//! Infallible at run time: a test reads every line of every file.

use std::sync::LazyLock;

use crate::guard::normal;

/// What a word says of what stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// An ID may follow, or stand in the cell below it: `Kundennummer`.
    IdLabel,
    /// The same; nothing but a number follows it, whatever that looks like: `No.`.
    IdLabelSure,
    /// A telephone number follows: `Tel.`.
    PhoneLabel,
    /// What follows is another number, and no ID: `郵便`, `fax`.
    OtherLabel,
    /// A name follows: `氏名`, `Bill to`.
    Caption,
    /// Stands behind a name, and says that it is one: `様`, `님`.
    Honorific,
    /// Stands before a name, and is no part of it: `Frau`, `Mr`.
    Title,
    /// An office, before or behind a name: `社長`, `Prof.`.
    Office,
    /// A line that begins so addresses somebody: `Dear`, `Sehr geehrte`.
    Greeting,
    /// The same, where a comma stands behind it: `Welcome,`.
    Welcome,
    /// Addresses nobody in particular: `customer`, `お客`.
    Generic,
    /// Stands beside a name that is addressed, and names nobody: `and team`.
    Beside,
    /// A part of a body: `総務部`, `Support`.
    Department,
    /// The legal form of a body: `GmbH`, `株式会社`, `ООО`.
    Form,
    /// A word that ends like a name with its honorific, and is none: `神様`, `仕様`.
    Word,
    /// A famous name that is nobody's in a directory by this word alone: `Hello Kitty`.
    Famous,
}

impl Role {
    const ALL: [(&'static str, Role); 16] = [
        ("id-label", Role::IdLabel),
        ("id-label-sure", Role::IdLabelSure),
        ("phone-label", Role::PhoneLabel),
        ("other-label", Role::OtherLabel),
        ("caption", Role::Caption),
        ("honorific", Role::Honorific),
        ("title", Role::Title),
        ("office", Role::Office),
        ("greeting", Role::Greeting),
        ("welcome", Role::Welcome),
        ("generic", Role::Generic),
        ("beside", Role::Beside),
        ("department", Role::Department),
        ("form", Role::Form),
        ("word", Role::Word),
        ("famous", Role::Famous),
    ];

    fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, role)| role)
    }
}

/// The files, each with its language.
const FILES: [(&str, &str); 2] = [("en", include_str!("en.txt")), ("ja", include_str!("ja.txt"))];

/// One line of a file.
struct Line {
    word: String,
    roles: Vec<Role>,
    example: &'static str,
}

static LINES: LazyLock<Vec<Line>> =
    LazyLock::new(|| FILES.iter().flat_map(|(_, file)| lines(file)).flatten().collect());

/// Every line that says something; `Err` with what is wrong with one.
fn lines(file: &'static str) -> impl Iterator<Item = Result<Line, String>> {
    file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut cells = line.splitn(3, " | ").map(str::trim);
        let (Some(word), Some(roles), Some(example)) = (cells.next(), cells.next(), cells.next()) else {
            return Err(format!("{line:?} is not `word | roles | example`"));
        };
        let role = |name| Role::of(name).ok_or_else(|| format!("{line:?}: unknown role {name:?}"));
        let roles = roles.split_ascii_whitespace().map(role).collect::<Result<Vec<_>, _>>()?;
        Ok(Line { word: normal::fold(word).into_owned(), roles, example })
    })
}

/// Every word of a role, folded, the longest first.
pub fn words(role: Role) -> Vec<&'static str> {
    let mut words: Vec<&str> =
        LINES.iter().filter(|line| line.roles.contains(&role)).map(|line| line.word.as_str()).collect();
    words.sort_by_key(|word| (std::cmp::Reverse(word.len()), *word));
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_word_its_roles_and_an_example_of_it() {
        for (language, file) in FILES {
            for line in lines(file) {
                let line = line.unwrap_or_else(|wrong| panic!("{language}: {wrong}"));
                assert!(!line.roles.is_empty(), "{language}: {} has no role", line.word);
                let example = normal::fold(line.example);
                assert!(example.contains(&line.word), "{language}: {} is not in {example:?}", line.word);
            }
        }
    }
}
