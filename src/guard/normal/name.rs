//! Names of people and bodies: folded, as names are searched for ([`search`]), without
//! honorifics, spaces unified.
//!
//! Where a name has a script that is written without spaces ([`is_joined`]), the spaces in
//! it mean nothing (山田 太郎) and are dropped, and so is the dot of マイケル・ジョンソン;
//! elsewhere one space stays where there was any, and [`word`] says how a word is
//! spelled. Hiragana and katakana stay distinct: さとう and サトウ are two names.
//! `readings` gives the other ways in which a name is written. Infallible; a name of nothing
//! but an honorific stays as it is.

use super::fold::{fold, kanji_digit};
use super::search::search;
use crate::guard::lexicon::{self, Role};

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
/// assert_eq!(name("Jörg WEISSENFELS"), name("Jo\u{308}rg Weißenfels"));
/// assert_eq!(name("髙橋 花子"), name("高橋花子"));
/// ```
pub fn name(text: &str) -> String {
    let folded = fold(text);
    let searched = search(&folded);
    // Behind one, letters that have become ASCII make a host's dot of it.
    if searched.contains('。') {
        return name_of_searched(&search(&fold(&searched)));
    }
    name_of_searched(&searched)
}

/// The canonical form of a name that stands in a searched text.
pub fn name_of_searched(searched: &str) -> String {
    // Before the spaces go: Mr. 山田.
    let mut name = spaces(without_title(searched.trim()));
    loop {
        let shorter = without_title(without_honorific(&name));
        if shorter.len() == name.len() {
            return name;
        }
        name = spaces(&fold(shorter));
    }
}

fn spaces(text: &str) -> String {
    if !text.chars().any(is_joined) {
        return spelled(text);
    }
    let joined: String = text.chars().filter(|c| !is_between(*c) && *c != MIDDLE_DOT).collect();
    // What folding looks at together with its neighbours; most names have none of it.
    let is_of_context = |c: char| matches!(c, '。' | 'ー' | '(') || kanji_digit(c).is_some();
    if joined.len() == text.len() && !joined.chars().any(is_of_context) {
        return joined;
    }
    // Without the spaces a short corporate form may have come together.
    let folded = fold(&joined);
    search(&folded).into_owned()
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

/// Fewer characters before an honorific of one are a name that ends so: 鵜殿.
const BEFORE_HONORIFIC_MIN: usize = 2;

fn without_honorific(name: &str) -> &str {
    let Some(honorific) = lexicon::of(Role::Honorific).suffix(name) else { return name };
    let rest = &name[..name.len() - honorific.len()];
    let stands_apart = honorific.starts_with(is_joined) || honorific.starts_with('-') || rest.ends_with(' ');
    let is_long = rest.trim_end().chars().count() >= BEFORE_HONORIFIC_MIN;
    let needs_no_more = honorific == "様" || honorific.chars().count() > 1 && !honorific.starts_with('-');
    if stands_apart && (is_long || needs_no_more && !rest.trim().is_empty()) { rest.trim_end() } else { name }
}

fn without_title(name: &str) -> &str {
    let titles = lexicon::of(Role::SureTitle);
    if let Some((first, rest)) = name.split_once(' ') {
        let is_title = titles.has(first) || first.strip_suffix('.').is_some_and(|first| titles.has(first));
        return if is_title { rest.trim_start() } else { name };
    }
    // คุณสมชาย
    let glued = titles.prefix(name).filter(|title| title.ends_with(is_spaceless));
    let rest = glued.map_or(name, |title| &name[title.len()..]);
    if rest.chars().count() >= 2 { rest } else { name }
}

/// Whether a folded word is what stands before a name: `mrs`, `dr.`, `frau`.
pub fn is_title(word: &str) -> bool {
    let titles = lexicon::of(Role::Title);
    titles.has(word) || word.strip_suffix('.').is_some_and(|word| titles.has(word))
}

/// Whether a character is of a script written without spaces between words, or of hangul,
/// in which a name's spaces mean nothing.
pub fn is_joined(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{312f}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        || is_spaceless(c)
}

/// Whether a character is Thai, Lao, Myanmar or Khmer: letters, and no spaces between words.
pub fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e01}'..='\u{e4e}' | '\u{e81}'..='\u{ece}' | '\u{1000}'..='\u{103f}' | '\u{1780}'..='\u{17d3}')
}

/// Whether a character is a kanji.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a character is a syllable of hangul.
pub fn is_hangul(c: char) -> bool {
    ('\u{ac00}'..='\u{d7af}').contains(&c)
}

/// Whether a character goes on with a word of a script that has spaces.
pub fn is_within(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() && !is_joined(c) }
}
