//! Short names that stand by themselves: `林 愛` in a table's cell, `Li Na` between
//! commas; and names whose surname comes first: `Young, Grace`.
//!
//! A name of three characters is a piece of too many words to be searched for anywhere
//! (`山林 愛知`), and so are two short words of English. What tells one is how it is
//! written: with the space between surname and given name, and with nothing of its own
//! script touching it but a title; or with the English 's behind it. Without that space it
//! is told by a caption or an honorific only.
//! Infallible; what is found is a name only if somebody has it.

use std::ops::Range;

use crate::guard::find::names::{Form, JOINED_MIN, form, is_joined};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// The most white space between surname and given name, in characters: a line end in the
/// source of HTML is one with the indentation behind it.
const GAP_MAX: usize = 40;
/// The most words of a name whose surname comes first: where a blank parts it, and where a comma does.
const WORDS_MAX: usize = 3;
const PARTED_WORDS_MAX: usize = 6;
/// The longest title before a name, in bytes.
const TITLE_MAX: usize = 4;
/// The longest field that may be two short words, with a title, in bytes.
const SHORT_MAX: usize = 16;
/// The longest field that may be such a name, in bytes.
const FIELD_MAX: usize = 60;

/// What may be somebody's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands, in bytes of the text.
    pub place: Range<usize>,
    /// The name, canonical.
    pub name: String,
}

/// Everything in a folded text that is written as such a name. `may_begin` says whether a
/// name of words may begin with these two.
pub fn names(folded: &str, may_begin: impl Fn(&str, &str) -> bool) -> Vec<Standing> {
    let mut all = Vec::new();
    if !folded.is_ascii() {
        joined(folded, &mut all);
    }
    let mut parts = Vec::new();
    for whole in fields(folded) {
        parts.clear();
        parts.extend(whole.split(',').flat_map(split_dashes).map(bare));
        for part in &parts {
            worded(folded, part, &mut all);
            let two = part.split_once(' ').filter(|_| words(part) <= WORDS_MAX);
            turned(folded, two, part, &may_begin, &mut all);
        }
        for (part, next) in parts.iter().zip(parts.iter().skip(1)) {
            turned(folded, Some((part, next)), part, &may_begin, &mut all);
        }
    }
    possessives(folded, &mut all);
    all
}

/// The pieces of a field between dashes that have spaces around them.
pub fn split_dashes(field: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(field);
    std::iter::from_fn(move || {
        let text = rest?;
        let dash = memchr::memchr_iter(b'-', text.as_bytes())
            .find(|at| text[..*at].ends_with(' ') && text[at + 1..].starts_with(' '));
        rest = dash.map(|at| &text[at + 2..]);
        Some(dash.map_or(text, |at| &text[..at - 1]))
    })
}

/// A field without the signs around it, and without the number before it: `1. Li Na`.
fn bare(mut field: &str) -> &str {
    // A field may be as long as a message, and all of it numbers.
    loop {
        field = field.trim_matches([' ', '-', '.', '\'']);
        match field.split_once(' ') {
            Some((number, rest)) if !number.chars().any(char::is_alphabetic) => field = rest,
            _ => return field,
        }
    }
}

/// Names of a script without spaces, by the space in them.
fn joined(folded: &str, all: &mut Vec<Standing>) {
    let mut done = 0;
    for gap in memchr::memchr2_iter(b' ', b'\t', folded.as_bytes()) {
        if gap < done {
            continue;
        }
        done = gap + folded[gap..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
        // Mostly there is a word of ASCII on one side.
        let is_among = |at: Option<&u8>| at.is_some_and(|b| !b.is_ascii());
        let bytes = folded.as_bytes();
        if done - gap > GAP_MAX || !is_among(bytes.get(done)) || !is_among(bytes[..gap].last()) {
            continue;
        }
        let (before, after) = (&folded[..gap], &folded[done..]);
        let surnames = apart(before.chars().rev(), |surname| {
            let before = &before[..gap - surname];
            lexicon::of(Role::Office).suffix(before).or_else(|| lexicon::of(Role::Title).suffix(before)).is_some()
        });
        let given_names = apart(after.chars(), |given| {
            let after = &after[given..];
            lexicon::of(Role::Office).prefix(after).or_else(|| lexicon::of(Role::Beside).prefix(after)).is_some()
        });
        for (surname, start) in &surnames {
            for (_, end) in given_names.iter().filter(|(given, _)| surname + given < JOINED_MIN) {
                let place = gap - start..done + end;
                let after = &folded[place.end..];
                let goes_on = after.chars().next().is_some_and(|c| script(c) == Script::Hiragana);
                if goes_on && lexicon::of(Role::Particle).prefix(after).is_none() {
                    continue;
                }
                // `민수 김`: the surname may stand behind.
                let turned = format!("{}{}", &folded[done..done + end], &folded[gap - start..gap]);
                all.push(Standing { name: normal::name_of_searched(&turned), place: place.clone() });
                all.push(Standing { name: normal::name_of_searched(&folded[place.clone()]), place });
            }
        }
    }
}

/// How many characters from the first on may be one half of a name, and their bytes:
/// what follows them is of another script, as a particle behind a name in kanji is, or a
/// title, which `is_before_title` is asked for so many bytes.
fn apart(characters: impl Iterator<Item = char>, is_before_title: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut halves = Vec::new();
    let mut bytes = 0;
    let mut characters = characters.take(JOINED_MIN).peekable();
    let mut count = 0;
    while let Some(c) = characters.next().filter(|c| is_joined(*c)) {
        count += 1;
        bytes += c.len_utf8();
        let ends = characters.peek().is_none_or(|next| script(*next) != script(c)) || is_before_title(bytes);
        if count < JOINED_MIN - 1 && ends {
            halves.push((count, bytes));
        }
    }
    halves
}

#[derive(PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Hangul,
    Han,
    Other,
}

fn script(c: char) -> Script {
    match c {
        '\u{3040}'..='\u{309f}' => Script::Hiragana,
        '\u{30a0}'..='\u{30ff}' => Script::Katakana,
        '\u{ac00}'..='\u{d7af}' => Script::Hangul,
        c if is_joined(c) => Script::Han,
        _ => Script::Other,
    }
}

/// Whether a character may stand in a field of words.
fn is_within(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, ' ' | '\'' | '-' | '.' | ',');
    }
    !is_joined(c) && c.is_alphanumeric()
}

/// The pieces of a text between other signs that have a space or a comma.
fn fields(text: &str) -> Vec<&str> {
    let (mut all, mut done) = (Vec::new(), 0);
    for at in memchr::memchr2_iter(b' ', b',', text.as_bytes()) {
        if at < done {
            continue;
        }
        let before = text[done..at].chars().rev().take_while(|c| is_within(*c)).map(char::len_utf8).sum::<usize>();
        let after = text[at..].chars().take_while(|c| is_within(*c)).map(char::len_utf8).sum::<usize>();
        done = at + after;
        all.push(&text[at - before..done]);
    }
    all
}

/// Two words too short to be searched for anywhere.
fn worded(folded: &str, field: &str, all: &mut Vec<Standing>) {
    if field.len() <= SHORT_MAX && field.contains(' ') && is_latin(field) {
        let name = normal::name_of_searched(field);
        if name.contains(' ') && form(&name) == Form::Short {
            all.push(Standing { place: place(folded, field), name });
        }
    }
}

/// Two short words with the English genitive: `Li Na's account`.
fn possessives(folded: &str, all: &mut Vec<Standing>) {
    for at in memchr::memmem::find_iter(folded.as_bytes(), "'s") {
        let mut words = folded[..at].rmatch_indices(|c: char| !c.is_alphanumeric());
        let goes_on = folded[at + 2..].starts_with(|c: char| c.is_alphanumeric());
        if let (false, Some((_, " "))) = (goes_on, words.next()) {
            let start = words.next().map_or(0, |(before, sign)| before + sign.len());
            worded(folded, &folded[start..at], all);
        }
    }
}

/// How many words a text by blanks has.
pub(super) fn words(text: &str) -> usize {
    text.split(' ').filter(|word| !word.is_empty()).count()
}

/// A field whose surname comes first: surname and given names.
fn turned(
    folded: &str,
    names: Option<(&str, &str)>,
    field: &str,
    may_begin: impl Fn(&str, &str) -> bool,
    all: &mut Vec<Standing>,
) {
    let Some((surname, given)) = names.map(|(surname, given)| (surname.trim(), given.trim())) else { return };
    let count = words(surname) + words(given);
    let length = surname.len() + given.len();
    if surname.is_empty()
        || given.is_empty()
        || count > PARTED_WORDS_MAX
        || length > FIELD_MAX
        || !is_latin(surname)
        || !is_latin(given)
    {
        return;
    }
    let (first, second) = given.split_once(' ').unwrap_or((given, surname));
    // `Okafor, Daniel J.`, who is Daniel Okafor.
    if !field.contains(given) && given.contains(' ') && may_begin(first, surname) {
        let name = normal::name_of_searched(&format!("{first} {surname}"));
        all.push(Standing { place: place(folded, field), name });
    }
    // A title or an initial is written otherwise in a name, and a short name has no gate.
    let is_plain = !given.contains('.') && length >= SHORT_MAX && first.len() > TITLE_MAX;
    if !is_plain || may_begin(first, second.trim_start()) {
        all.push(Standing {
            place: place(folded, field),
            name: normal::name_of_searched(&format!("{given} {surname}")),
        });
    }
}

/// Where a piece of a text stands in it.
fn place(text: &str, piece: &str) -> Range<usize> {
    let start = piece.as_ptr() as usize - text.as_ptr() as usize;
    start..start + piece.len()
}

fn is_latin(field: &str) -> bool {
    field.chars().all(|c| !c.is_numeric() && !is_joined(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_part_fields() {
        for text in ["", "a", "a - b", "a -b - c", " - ", " - - ", "a - - b", "x- y -z", "\u{fc} - \u{fc}", "-", " -"] {
            assert_eq!(split_dashes(text).collect::<Vec<_>>(), text.split(" - ").collect::<Vec<_>>(), "{text:?}");
        }
    }

    fn found(text: &str) -> Vec<String> {
        names(&normal::fold(text), |_, _| true).into_iter().map(|standing| standing.name).collect()
    }

    #[test]
    fn a_short_name_is_told_by_its_space() {
        for text in [
            "林 愛",
            "林　愛",
            "、林 愛。",
            "今後は林 愛まで",
            "山田 太郎 → 林 愛",
            "氏名\t林\t愛\n",
            "ドメイン林 愛",
            "課長林   愛先生",
        ] {
            assert!(found(text).contains(&"林愛".to_owned()), "{text}: {:?}", found(text));
        }
        assert!(found("佐藤 愛").contains(&"佐藤愛".to_owned()));
        assert!(found("森 りの\n").contains(&"森りの".to_owned()));
        for text in ["林愛", "山林 愛知", "山の森 健やかに", "小林 愛子さん", "林\n愛", "佐藤 花子"]
        {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn words_are_names_in_fields_of_their_own() {
        for (text, name) in [
            ("1,Li Na,Tokyo", "li na"),
            ("→ Li Na", "li na"),
            ("- Li Na", "li na"),
            ("1. Ms. Li Na, Tokyo", "li na"),
            ("2026-11-25 Li Na - Tokyo", "li na"),
            ("Thanks, Li Na.", "li na"),
            ("see Li Na's account", "li na"),
            ("Tokyo, YOUNG Grace", "grace young"),
            ("1. Young, Grace, CEO", "grace young"),
            ("Young, Grace", "grace young"),
            ("name=\"YOUNG Grace\"", "grace young"),
            ("Van-Dyke, Grace Anne;", "grace anne van-dyke"),
        ] {
            assert!(found(text).contains(&name.to_owned()), "{text}: {:?}", found(text));
        }
        for text in [
            "we do it now or later",
            "be a very dear guest of ours",
            "May 21",
            "Young",
            "1, 2",
            "it is as good as\nit's the best of them all",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
