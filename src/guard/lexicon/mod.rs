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

pub mod table;

use std::sync::LazyLock;

use hashbrown::HashSet;

use crate::guard::normal;

/// What a word says of what stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An ID may follow, or stand in the cell below it: `Kundennummer`.
    IdLabel,
    /// The same; nothing but a number follows it, whatever that looks like: `No.`.
    IdLabelSure,
    /// A telephone number follows: `Tel.`.
    PhoneLabel,
    /// What follows is another number, and no ID: `郵便`, `fax`.
    OtherLabel,
    /// A number beside it is an amount of money: `円`, `USD`.
    Currency,
    /// A number before it counts something: `件`, `people`.
    Unit,
    /// A name follows: `氏名`, `Bill to`.
    Caption,
    /// Stands behind a name, and says that it is one: `様`, `님`.
    Honorific,
    /// Stands before a name, and does not belong to it: `Frau`, `Mr`.
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
    /// One half of a name follows: `姓`, `First name`.
    Part,
    /// An honorific only where its line is addressed: `先生`, `社長`.
    HonorificWeak,
    /// No addressee begins with it: `Hello from …`.
    Away,
    /// Who is addressed together with somebody: `ご夫妻`, `and family`.
    Family,
    /// Stands behind a name that goes on without a space: `は`, `から`.
    Particle,
    /// Stands behind a name in its field, and does not belong to it: `です`.
    Tail,
    /// A common word that is a given name as well: `April`, `Will`.
    NameWord,
    /// A title that is taken off a name wherever one stands: `Mr`, `Frau`.
    SureTitle,
    /// The legal form that stands before a body's name, although it is one word of Latin: `PT`.
    FormBefore,
    /// As `Generic`, but no longer word that ends so: `王`.
    GenericWhole,
    /// As `Word`, where nothing of its script stands before it: `神様`, but `石神様`.
    WordAlone,
    /// Counts people behind a number: `100名様`.
    Counter,
    /// Is written in place of an address's sign: `at`, `arroba`.
    SpelledAt,
    /// Is written in place of a dot: `dot`, `punkt`.
    SpelledDot,
    /// A common surname, which is one before an office in mid-sentence too: `田中部長`.
    Surname,
    /// May stand between a label and its number: `is`, `lautet`.
    LabelLink,
    /// Calls what stands before it a number: `電話番号`, `phone number`.
    NumberWord,
    /// Stands in the links by which a reader unsubscribes: `optout`.
    Unsubscribe,
    /// Stands for `&` in the name of a body: `und`.
    And,
    /// Stands in a surname, and is none by itself: `de`, `van`.
    NameLink,
    /// Ends a letter, and is greeted by nobody: `Grüße`.
    Closing,
    /// An honorific by which people are spoken of as well as addressed: `さん`.
    Mention,
    /// Addresses somebody by a form of the name that the language has for it: `Cześć`, `pane`.
    Calling,
    /// Such a form ends so: `ie` of `Jakubie`.
    CalledEnding,
    /// Joins the words of which a label is made: `s` of `Mitgliedsnummer`.
    LabelJoint,
}

impl Role {
    /// Every role by its name, in their order.
    const ALL: [(&'static str, Role); 43] = [
        ("id-label", Role::IdLabel),
        ("id-label-sure", Role::IdLabelSure),
        ("phone-label", Role::PhoneLabel),
        ("other-label", Role::OtherLabel),
        ("currency", Role::Currency),
        ("unit", Role::Unit),
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
        ("part", Role::Part),
        ("honorific-weak", Role::HonorificWeak),
        ("away", Role::Away),
        ("family", Role::Family),
        ("particle", Role::Particle),
        ("tail", Role::Tail),
        ("name-word", Role::NameWord),
        ("sure-title", Role::SureTitle),
        ("form-before", Role::FormBefore),
        ("generic-whole", Role::GenericWhole),
        ("word-alone", Role::WordAlone),
        ("counter", Role::Counter),
        ("spelled-at", Role::SpelledAt),
        ("spelled-dot", Role::SpelledDot),
        ("surname", Role::Surname),
        ("label-link", Role::LabelLink),
        ("number-word", Role::NumberWord),
        ("unsubscribe", Role::Unsubscribe),
        ("and", Role::And),
        ("name-link", Role::NameLink),
        ("closing", Role::Closing),
        ("mention", Role::Mention),
        ("calling", Role::Calling),
        ("called-ending", Role::CalledEnding),
        ("label-joint", Role::LabelJoint),
    ];

    /// Whether its words are compared in the form in which names are searched for.
    fn is_of_names(self) -> bool {
        !matches!(
            self,
            Role::IdLabel
                | Role::IdLabelSure
                | Role::PhoneLabel
                | Role::OtherLabel
                | Role::Currency
                | Role::Unit
                | Role::LabelLink
                | Role::NumberWord
                | Role::Unsubscribe
                | Role::SpelledAt
                | Role::LabelJoint
                | Role::SpelledDot
        )
    }

    fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, role)| role)
    }
}

/// The files, each with its language.
const FILES: [(&str, &str); 26] = [
    ("ar", include_str!("ar.txt")),
    ("cs", include_str!("cs.txt")),
    ("da", include_str!("da.txt")),
    ("de", include_str!("de.txt")),
    ("el", include_str!("el.txt")),
    ("en", include_str!("en.txt")),
    ("es", include_str!("es.txt")),
    ("fi", include_str!("fi.txt")),
    ("fr", include_str!("fr.txt")),
    ("he", include_str!("he.txt")),
    ("hu", include_str!("hu.txt")),
    ("id", include_str!("id.txt")),
    ("it", include_str!("it.txt")),
    ("ja", include_str!("ja.txt")),
    ("ko", include_str!("ko.txt")),
    ("nl", include_str!("nl.txt")),
    ("pl", include_str!("pl.txt")),
    ("pt", include_str!("pt.txt")),
    ("ro", include_str!("ro.txt")),
    ("ru", include_str!("ru.txt")),
    ("sv", include_str!("sv.txt")),
    ("th", include_str!("th.txt")),
    ("tr", include_str!("tr.txt")),
    ("uk", include_str!("uk.txt")),
    ("vi", include_str!("vi.txt")),
    ("zh", include_str!("zh.txt")),
];

/// Words that are nobody's name where they stand in running text, of all languages:
/// separated by white space, without roles.
const COMMON: &str = include_str!("common.txt");

/// One line of a file.
struct Line {
    word: String,
    /// The same as names are searched for.
    searched: String,
    roles: Vec<Role>,
    #[cfg(test)]
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
        let word = normal::fold(word).into_owned();
        #[cfg(not(test))]
        let _ = example;
        Ok(Line {
            searched: normal::search(&word).into_owned(),
            word,
            roles,
            #[cfg(test)]
            example,
        })
    })
}

/// The words of one role.
pub struct Words {
    /// Folded (those about names as names are searched for), the longest first.
    pub list: Vec<&'static str>,
    set: HashSet<&'static str>,
    /// How they begin and end.
    firsts: HashSet<char>,
    lasts: HashSet<char>,
    /// How long they are, in bytes, the longest first.
    lengths: Vec<usize>,
}

impl Words {
    fn of(role: Role) -> Self {
        let lines = LINES.iter().filter(|line| line.roles.contains(&role));
        let word = |line: &'static Line| if role.is_of_names() { &*line.searched } else { &*line.word };
        Self::new(lines.map(word).collect())
    }

    fn new(mut list: Vec<&'static str>) -> Self {
        list.sort_by_key(|word| (std::cmp::Reverse(word.len()), *word));
        list.dedup();
        let firsts = list.iter().filter_map(|word| word.chars().next()).collect();
        let lasts = list.iter().filter_map(|word| word.chars().next_back()).collect();
        let mut lengths: Vec<usize> = list.iter().map(|word| word.len()).collect();
        lengths.dedup();
        Self { set: list.iter().copied().collect(), firsts, lasts, lengths, list }
    }

    /// Whether a whole word is one of them.
    pub fn has(&self, word: &str) -> bool {
        self.set.contains(word)
    }

    /// The one of them that a whole word is.
    pub fn get(&self, word: &str) -> Option<&'static str> {
        self.set.get(word).copied()
    }

    /// The longest of them that a text begins with.
    pub fn prefix(&self, text: &str) -> Option<&'static str> {
        text.chars().next().filter(|first| self.firsts.contains(first))?;
        self.lengths.iter().find_map(|length| self.set.get(text.get(..*length)?)).copied()
    }

    /// The longest of them that a text ends with.
    pub fn suffix(&self, text: &str) -> Option<&'static str> {
        text.chars().next_back().filter(|last| self.lasts.contains(last))?;
        let start = |length: &usize| text.len().checked_sub(*length);
        self.lengths.iter().find_map(|length| self.set.get(text.get(start(length)?..)?)).copied()
    }
}

/// The words of each role, in the order of [`Role::ALL`].
static BY_ROLE: LazyLock<Vec<Words>> =
    LazyLock::new(|| Role::ALL.into_iter().map(|(_, role)| Words::of(role)).collect());

static NONE: LazyLock<Words> = LazyLock::new(|| Words::new(Vec::new()));

static COMMON_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = COMMON.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_ascii_whitespace).map(|word| normal::search(&normal::fold(word)).into_owned()).collect()
});

/// The words of a role.
pub fn of(role: Role) -> &'static Words {
    BY_ROLE.get(role as usize).unwrap_or(&NONE)
}

/// Whether a word, as names are searched for, is nobody's name in running text.
pub fn is_common(word: &str) -> bool {
    COMMON_WORDS.contains(word)
        || [Role::Away, Role::Beside, Role::Generic, Role::Caption, Role::Title].iter().any(|role| of(*role).has(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_its_own_words() {
        for (n, (name, role)) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, n, "{name}");
            assert_eq!(of(role).list, Words::of(role).list, "{name}");
        }
        let words = Words::new(vec!["co", "company", "会社"]);
        for (text, prefix, suffix) in [
            ("company", Some("company"), Some("company")),
            ("compan", Some("co"), None),
            ("co会社", Some("co"), Some("会社")),
            ("会", None, None),
            ("", None, None),
        ] {
            assert_eq!((words.prefix(text), words.suffix(text)), (prefix, suffix), "{text}");
        }
    }

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
