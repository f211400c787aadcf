//! The name of a column → what it says of its values.
//!
//! Input: a name as the header has it. Output: a role and its language, by the words of
//! `headers.txt`. Words of one script stand alone or between others (`customer_no`,
//! `CustomerNo`, `Customer No.`); Chinese, Japanese and Korean words also stand inside one.
//! The word that ends last decides, and of these the longest. Infallible.

use std::sync::LazyLock;

use crate::account::Kind;
use crate::guard::normal;

/// `word | role | language`, a line a word.
const FILE: &str = include_str!("headers.txt");

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The account's own key.
    Account,
    /// A value of this kind.
    Kind(Kind),
}

impl Role {
    /// The kind of the values.
    pub fn kind(self) -> Kind {
        match self {
            Role::Account => Kind::Id,
            Role::Kind(kind) => kind,
        }
    }
}

/// A word of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// What it says.
    pub role: Role,
    /// The language, by its two letters.
    pub language: &'static str,
}

struct Word {
    text: String,
    is_inner: bool,
    hint: Hint,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| lines().filter_map(parse).collect());

fn lines() -> impl Iterator<Item = &'static str> {
    FILE.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

fn parse(line: &'static str) -> Option<Word> {
    let mut parts = line.split('|').map(str::trim);
    let (word, role, language) = (parts.next()?, parts.next()?, parts.next()?);
    let role = match role {
        "account" => Role::Account,
        name => Role::Kind(Kind::ALL.into_iter().find(|kind| kind.as_str() == name)?),
    };
    let is_inner = word.chars().any(normal::is_joined) || word.chars().any(normal::is_hangul);
    Some(Word { text: worded(word), is_inner, hint: Hint { role, language } })
}

/// What a column's name says; `None` where no word of it is known.
pub fn hint(name: &str) -> Option<Hint> {
    let name = worded(name);
    let found = WORDS.iter().filter_map(|word| {
        let end = if word.is_inner {
            let bare = word.text.trim();
            name.rfind(bare).map(|at| at + bare.len())
        } else {
            name.rfind(&word.text).map(|at| at + word.text.len() - 1)
        };
        end.map(|end| (end, word.text.len(), word.hint))
    });
    found.max_by_key(|(end, length, _)| (*end, *length)).map(|(_, _, hint)| hint)
}

/// A name in small letters, a space around each of its words.
fn worded(name: &str) -> String {
    let mut out = String::from(" ");
    let mut was_small = false;
    for c in name.chars() {
        if c.is_uppercase() && was_small {
            out.push(' ');
        }
        was_small = c.is_lowercase();
        out.push(if c.is_alphanumeric() || c == '々' || c == 'ー' { c } else { ' ' });
    }
    let folded = normal::fold(&out).to_lowercase();
    let words: Vec<&str> = folded.split_whitespace().collect();
    format!(" {} ", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_a_word_that_is_found_by_itself() {
        assert_eq!(WORDS.len(), lines().count());
        for (line, word) in lines().zip(WORDS.iter()) {
            let name = line.split('|').next().unwrap().trim();
            assert_eq!(hint(name).map(|hint| hint.role), Some(word.hint.role), "{line}");
            assert_eq!(word.hint.language.len(), 2, "{line}");
        }
        for (n, word) in WORDS.iter().enumerate() {
            assert!(WORDS[..n].iter().all(|other| other.text != word.text), "{:?} is there twice", word.text);
        }
    }

    #[test]
    fn names_are_read_however_their_words_are_joined() {
        for (name, kind) in [
            ("customer_no", Kind::Id),
            ("CustomerNo", Kind::Id),
            ("Customer No.", Kind::Id),
            ("E-Mail-Adresse", Kind::Email),
            ("company name", Kind::Organisation),
            ("contact_phone", Kind::Phone),
            ("会社名", Kind::Organisation),
            ("会社電話番号", Kind::Phone),
            ("ご契約者氏名", Kind::Person),
            ("登録ドメイン名", Kind::Domain),
            ("Telefonnummer", Kind::Phone),
            ("auth_code", Kind::Secret),
            ("이메일", Kind::Email),
        ] {
            assert_eq!(hint(name).map(|hint| hint.role.kind()), Some(kind), "{name}");
        }
        assert_eq!(hint("会員番号").unwrap(), Hint { role: Role::Account, language: "ja" });
        assert_eq!(hint("xyz"), None);
        assert_eq!(hint("hidden"), None, "no word inside another");
    }
}
