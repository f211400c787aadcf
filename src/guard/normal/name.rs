//! Names of people and bodies: folded, without honorifics, spaces unified.
//!
//! Where a name has Japanese, Chinese or Korean script, the spaces in it mean
//! nothing (山田 太郎) and are dropped, and so is the dot of マイケル・ジョンソン;
//! elsewhere one space stays where there was any, and [`word`] says how a word is
//! spelled. Japanese corporate forms are [`fold`]'s business. Hiragana and katakana
//! stay distinct: さとう and サトウ are two names. Infallible; a name of nothing but
//! an honorific stays as it is.

use super::fold::fold;

/// A word after a name that says that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Honorific {
    /// The word, folded.
    pub word: &'static str,
    /// The shortest name, in characters, that it is taken off: 鵜殿 is a name.
    pub name_min: usize,
}

/// The honorifics that [`name`] takes off.
pub const HONORIFICS: &[Honorific] = &[
    Honorific { word: "様", name_min: 1 },
    Honorific { word: "さま", name_min: 1 },
    Honorific { word: "さん", name_min: 1 },
    Honorific { word: "御中", name_min: 1 },
    Honorific { word: "殿", name_min: 2 },
    Honorific { word: "-sama", name_min: 2 },
    Honorific { word: "-san", name_min: 2 },
];

/// What stands before an English name, with a full stop or without.
const TITLES: [&str; 5] = ["mr", "mrs", "ms", "miss", "dr"];

/// The corporate forms that stand before or behind a body's name, folded.
const FORMS: &[&str] = &[
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "合名会社",
    "一般社団法人",
    "一般財団法人",
    "公益社団法人",
    "公益財団法人",
    "医療法人",
    "学校法人",
    "社会福祉法人",
    "特定非営利活動法人",
    "npo法人",
];

/// The canonical form of a name.
///
/// ```
/// use kakitome::guard::normal::name;
/// assert_eq!(name("山田　太郎 様"), "山田太郎");
/// assert_eq!(name("㈱ｻﾝﾌﾟﾙ"), name("株式会社 サンプル 御中"));
/// assert_eq!(name("Ms. Anna  Example"), "anna example");
/// assert_eq!(name("Mr. 山田"), "山田");
/// assert_eq!(name("O’Example, Limited"), name("O'Example Ltd."));
/// assert_eq!(name("マイケル・サンプル"), name("ﾏｲｹﾙ ｻﾝﾌﾟﾙ"));
/// ```
pub fn name(text: &str) -> String {
    // Before the spaces go: Mr. 山田.
    let mut name = spaces(without_title(fold(text).trim_start()));
    loop {
        let shorter = without_title(without_honorific(&name));
        if shorter.len() == name.len() {
            return name;
        }
        name = spaces(&fold(shorter));
    }
}

fn spaces(text: &str) -> String {
    if !text.chars().any(is_cjk) {
        return spelled(text);
    }
    let joined: String = text.chars().filter(|c| !is_between(*c) && *c != MIDDLE_DOT).collect();
    // Without the spaces a short corporate form may have come together.
    fold(&joined).into_owned()
}

/// Parts the words of a name in katakana, where it is written at all.
pub const MIDDLE_DOT: char = '・';

/// Whether a character parts words: white space, and what stands for it in the
/// names of files.
pub fn is_between(c: char) -> bool {
    c.is_whitespace() || c == '_'
}

/// A text by single spaces, each of its words as names spell it.
pub fn spelled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let words = text.split(is_between).filter(|word| !word.is_empty());
    for next in words.map(word) {
        // `Example, Inc.` is `Example Inc.` too.
        if next.is_form && out.ends_with(',') {
            out.pop();
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(next.form);
        out.push_str(next.rest);
    }
    out
}

/// A word of folded text as a name has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'t> {
    /// The word itself.
    pub form: &'t str,
    /// What touches it.
    pub rest: &'t str,
    /// Whether it is the corporate form that stands behind a body's name.
    pub is_form: bool,
}

/// How a word of a name is spelled: `limited.` is `ltd`, `and` is `&`, and neither a
/// corporate form nor an initial has a full stop. A host's label is none of these.
pub fn word(word: &str) -> Word<'_> {
    let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
    let (lead, rest) = word.split_at(letters);
    let behind = Some(rest.trim_start_matches('.')).filter(|behind| behind.len() < rest.len());
    let stop = behind.filter(|behind| !behind.starts_with(|c: char| c.is_ascii_alphanumeric()));
    if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_@'".contains(c))
        || (rest.starts_with('.') && stop.is_none())
    {
        return Word { form: word, rest: "", is_form: false };
    }
    let (form, is_form) = match lead {
        "limited" | "ltd" => ("ltd", true),
        "incorporated" | "inc" => ("inc", true),
        "corporation" | "corp" => ("corp", true),
        "company" | "co" => ("co", true),
        "llc" | "llp" | "plc" | "gmbh" => (lead, true),
        "and" => ("&", false),
        _ => (lead, false),
    };
    let rest = stop.filter(|_| is_form || letters == 1).unwrap_or(rest);
    Word { form, rest, is_form }
}

/// A canonical name of a body without its corporate form, if it has one.
pub fn without_form(name: &str) -> Option<&str> {
    let cut = || FORMS.iter().find_map(|form| name.strip_prefix(form).or_else(|| name.strip_suffix(form)));
    let words = || name.rsplit_once(' ').filter(|(_, last)| word(last).is_form).map(|(rest, _)| rest);
    cut().or_else(words).filter(|rest| !rest.is_empty())
}

/// A canonical name in Japanese script with each corporate form before it and behind it.
pub fn with_forms(name: &str) -> impl Iterator<Item = String> {
    let is_bare = name.chars().any(is_cjk) && without_form(name).is_none();
    FORMS.iter().filter(move |_| is_bare).flat_map(move |form| [format!("{form}{name}"), format!("{name}{form}")])
}

/// A canonical name without the accents of its Latin letters, if it has any: many
/// programs write `jose nunez`.
pub fn without_accents(name: &str) -> Option<String> {
    if name.is_ascii() || name.chars().any(is_cjk) {
        return None;
    }
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let parted = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(name).into_owned();
    parted.contains(|c| is_accent(&c)).then(|| parted.chars().filter(|c| !is_accent(c)).collect())
}

fn without_honorific(name: &str) -> &str {
    for Honorific { word, name_min } in HONORIFICS {
        if let Some(rest) = name.strip_suffix(word)
            && rest.trim_end().chars().count() >= *name_min
        {
            return rest.trim_end();
        }
    }
    name
}

fn without_title(name: &str) -> &str {
    name.split_once(' ').filter(|(first, _)| is_title(first)).map_or(name, |(_, rest)| rest.trim_start())
}

/// Whether a folded word is what stands before an English name: `mrs`, `dr.`.
pub fn is_title(word: &str) -> bool {
    TITLES.contains(&word.strip_suffix('.').unwrap_or(word))
}

/// Han, kana, bopomofo, hangul, and the signs of the CJK block that stand in
/// names (々, 〆, ー).
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{312f}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
