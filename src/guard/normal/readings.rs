//! The other ways in which a name is written: its surname first or last, without its middle
//! names, without its apostrophes and hyphens, umlauts written out, a body without its legal
//! form; and the halves by which people are called behind a title ([`cued`]).
//!
//! Input: a value and its canonical form. Output: canonical forms by which the account is
//! found as well. The directory has them all: a text is searched once. Infallible.

use super::company;
use super::fold::fold;
use super::name::{MIDDLE_DOT, is_between, is_han, is_hangul, is_joined, is_spaceless, name, spelled};
use super::search::respelled;
use crate::account::Kind;
use crate::guard::find::names::{Form, form};
use crate::guard::lexicon::{self, Role};

/// Stands before a half of a name that is one behind a title or before an honorific only: no
/// canonical form begins with it.
pub const CUED: char = '~';

/// Every other canonical form of a name that its account may be found by.
pub fn readings(kind: Kind, value: &str, canonical: &str) -> Vec<String> {
    let mut all = Vec::new();
    if !matches!(kind, Kind::Person | Kind::Organisation) {
        return all;
    }
    if canonical.chars().any(is_joined) {
        match kind {
            Kind::Person => all.extend(turned_joined(value, canonical)),
            _ => all.extend(company::core(canonical)),
        }
    } else {
        let mut spellings = vec![canonical.to_owned()];
        spellings.extend(respelled(&fold(value)).map(|spelling| name(&spelling)));
        let unsigned: Vec<String> = spellings.iter().flat_map(|spelling| unsigned(spelling)).collect();
        spellings.extend(unsigned);
        if kind == Kind::Organisation {
            spellings = spellings.iter().flat_map(|spelling| conjoined(spelling)).collect();
        }
        for spelling in spellings {
            match kind {
                Kind::Person => all.extend(orders(&spelling)),
                _ => all.extend(company::core(&spelling)),
            }
            all.push(spelling);
        }
    }
    all.retain(|name| name != canonical && name.chars().any(char::is_alphabetic));
    all.sort_unstable();
    all.dedup();
    all
}

/// The readings that the directory's index has: a short name that is turned is told by its two
/// fields, as it stands, and one without its middle is nobody's.
pub fn indexed(kind: Kind, value: &str, canonical: &str) -> impl Iterator<Item = String> {
    let letters = |name: &str| {
        let mut letters: Vec<char> = name.chars().filter(|c| c.is_alphanumeric()).collect();
        letters.sort_unstable();
        letters
    };
    let own = letters(canonical);
    let is_weak = move |name: &String| {
        let own = || letters(name) == own || letters(name).len() < own.len();
        kind == Kind::Person && name.contains(' ') | name.contains(is_joined) && form(name) == Form::Short && own()
    };
    readings(kind, value, canonical).into_iter().filter(move |name| !is_weak(name))
}

/// A name without its apostrophes and hyphens, each of them dropped or a blank: `omalley`,
/// `anne marie`.
fn unsigned(name: &str) -> Vec<String> {
    const WAYS: [Option<&str>; 3] = [None, Some(""), Some(" ")];
    let ways = |sign| if name.contains(sign) { &WAYS[..] } else { &WAYS[..1] };
    let with = |name: &str, sign: char, way: Option<&str>| way.map_or(name.to_owned(), |way| name.replace(sign, way));
    let mut all = Vec::new();
    for apostrophe in ways('\'') {
        let name = with(name, '\'', *apostrophe);
        all.extend(ways('-').iter().map(|hyphen| spelled(&with(&name, '-', *hyphen))));
    }
    all.retain(|other| other != name);
    all
}

/// The name of a body with every word for `&` that people write: `faldner und sohne`.
fn conjoined(name: &str) -> Vec<String> {
    let ands = lexicon::of(Role::And);
    let mut words: Vec<&str> = name.split(' ').collect();
    let inner = words.len().saturating_sub(1);
    let and = (1..inner).find(|at| words[*at] == "&" || ands.has(words[*at]));
    let Some(at) = and else { return vec![name.to_owned()] };
    let is_ascii = name.is_ascii() || name.contains(|c: char| c.is_ascii_lowercase());
    let others = ands.list.iter().copied().filter(|and| and.is_ascii() == is_ascii).chain(["&"]);
    others
        .map(|and| {
            words[at] = and;
            words.join(" ")
        })
        .collect()
}

/// The most words of a name that is read with its surname at the other end too.
const TURNED_MAX: usize = 3;
/// The most words of a name that is read without those in its middle.
const MIDDLED_MAX: usize = 4;

/// A person's name of words in other orders, and without its middle.
fn orders(canonical: &str) -> Vec<String> {
    let words: Vec<&str> = canonical.split(' ').collect();
    let count = words.len();
    if !(2..=MIDDLED_MAX).contains(&count) {
        return Vec::new();
    }
    let of = |order: &[usize]| order.iter().map(|at| words[*at]).collect::<Vec<_>>().join(" ");
    let mut all = Vec::new();
    match count {
        2 => all.push(of(&[1, 0])),
        TURNED_MAX => {
            all.extend([&[2, 0, 1][..], &[1, 2, 0], &[2, 1, 0]].map(of));
            // `Jean Luc` is written `Jeanluc` too.
            let is_double = |at: usize| words[at].len() > 2 && !lexicon::of(Role::NameLink).has(words[at]);
            if (0..count).all(is_double) {
                all.push(format!("{}{} {}", words[0], words[1], words[2]));
                all.push(format!("{} {}{}", words[2], words[0], words[1]));
            }
        }
        _ => {}
    }
    if count > 2 {
        all.extend([of(&[0, count - 1]), of(&[count - 1, 0])]);
    }
    all
}

/// A name without spaces with its surname at the other end.
fn turned_joined(value: &str, canonical: &str) -> Vec<String> {
    let parts = parts(value);
    // Four characters are mostly two and two.
    let half = canonical.char_indices().nth(2).map(|(at, _)| at);
    let is_halved = || {
        let count = canonical.chars().count();
        (count == 4 && canonical.chars().all(is_han)) || ((4..=5).contains(&count) && canonical.chars().all(is_hangul))
    };
    match (&parts[..], half) {
        ([first, second], _) => vec![format!("{second}{first}")],
        ([one], Some(half)) if one == canonical && is_halved() => {
            vec![format!("{}{}", &canonical[half..], &canonical[..half])]
        }
        _ => Vec::new(),
    }
}

/// The parts of a name that its spaces and dots part, canonical.
fn parts(value: &str) -> Vec<String> {
    let folded = fold(value);
    folded.split(|c| is_between(c) || c == MIDDLE_DOT).map(name).filter(|part| !part.is_empty()).collect()
}

/// The halves of a person's name by which somebody is called behind a title or before an
/// honorific: `okafor` of `Daniel Okafor`, 鈴木 and 花子 of 鈴木花子; each with `~` before it.
pub fn cued(kind: Kind, value: &str, canonical: &str) -> Vec<String> {
    if kind != Kind::Person {
        return Vec::new();
    }
    let mut all: Vec<String> = if canonical.chars().any(is_joined) {
        let parts = parts(value);
        match &parts[..] {
            [first, ..] if canonical.contains(is_spaceless) => vec![first.clone()],
            [_, _] => parts,
            _ => halves(canonical).map(str::to_owned).collect(),
        }
    } else {
        let folded = fold(value);
        let spellings = respelled(&folded).map(|spelling| name(&spelling));
        std::iter::once(canonical.to_owned()).chain(spellings).flat_map(|name| surnames(value, &name)).collect()
    };
    all.retain(|half| half.chars().any(char::is_alphabetic));
    all.iter_mut().for_each(|half| *half = cue(half));
    all.sort_unstable();
    all.dedup();
    all
}

/// A half of a name as the directory has it: its letters alone, behind `~`.
pub fn cue(half: &str) -> String {
    std::iter::once(CUED).chain(half.chars().filter(|c| c.is_alphanumeric())).collect()
}

/// What may be the surname in a name of words: each but the first, and the first one where
/// it is written so, `OKAFOR Daniel` or `Okafor, Daniel`.
fn surnames(value: &str, canonical: &str) -> Vec<String> {
    let words: Vec<&str> = canonical.split(' ').collect();
    let first = value.split_whitespace().next().unwrap_or_default();
    let is_loud = |word: &str| word.chars().nth(1).is_some() && !word.chars().any(char::is_lowercase);
    let has_first =
        first.ends_with(',') || (is_loud(first) && !is_loud(value) && first.chars().any(char::is_uppercase));
    let from = if has_first || words.len() < 2 { 0 } else { 1 };
    let is_surname = |word: &&&str| word.chars().nth(1).is_some() && !lexicon::of(Role::NameLink).has(word);
    let mut all: Vec<String> = words[from..].iter().filter(is_surname).map(|word| (*word).to_owned()).collect();
    if words.len() < 2 {
        all.clear();
    }
    all
}

/// What a name without spaces may begin with: surnames of two or three characters, and one
/// of a single character before a given name of two at most; and what each leaves.
pub fn halves(name: &str) -> impl Iterator<Item = &str> {
    let count = name.chars().count();
    let lengths = match count {
        2 => 1..2,
        3 => 1..3,
        4..=6 => 2..4,
        _ => 0..0,
    };
    let is_one = name.chars().all(|c| is_joined(c) && !is_spaceless(c));
    let cut = move |length| name.char_indices().nth(length).map_or(name.len(), |(at, _)| at);
    let both = move |length| {
        let given = Some(&name[cut(length)..]).filter(|given| given.chars().nth(1).is_some());
        std::iter::once(&name[..cut(length)]).chain(given)
    };
    lengths.filter(move |_| is_one).flat_map(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, value: &str) -> Vec<String> {
        readings(kind, value, &name(value))
    }

    #[test]
    fn signs_are_left_out() {
        for (value, reading) in [
            ("Sean O'Malley", "sean omalley"),
            ("Sean O’Malley", "sean o malley"),
            ("Sean O'Malley", "omalley sean"),
            ("Anne-Marie Lindqvist", "anne marie lindqvist"),
            ("Anne-Marie Lindqvist", "lindqvist annemarie"),
            ("Jürgen Groß-Bär", "juergen gross baer"),
            ("Jean Luc Mercadier", "jeanluc mercadier"),
            ("Daniel James Okafor", "daniel okafor"),
            ("Nguyễn Văn Đức", "duc nguyen"),
            ("Nguyễn Văn Đức", "duc van nguyen"),
            ("남궁서연", "서연남궁"),
        ] {
            assert!(of(Kind::Person, value).contains(&reading.to_owned()), "{value}: {:?}", of(Kind::Person, value));
        }
        for (value, reading) in [
            ("Faldner und Söhne OHG", "faldner & sohne"),
            ("Faldner & Söhne OHG", "faldner und soehne"),
            ("Garrick and Partners LLP", "garrick + partners llp"),
            ("Северный и Ветер", "северный & ветер"),
        ] {
            let found = of(Kind::Organisation, value);
            assert!(found.contains(&reading.to_owned()), "{value}: {found:?}");
        }
        assert_eq!(of(Kind::Person, "Ada"), [""; 0]);
    }

    #[test]
    fn halves_behind_a_title() {
        for (value, expected) in [
            ("Daniel Okafor", &["~okafor"][..]),
            ("Sean O'Malley", &["~omalley"]),
            ("OKAFOR Daniel", &["~daniel", "~okafor"]),
            ("Okafor, Daniel", &["~daniel", "~okafor"]),
            ("Maria de la Cruz", &["~cruz"]),
            ("Jürgen Müller", &["~mueller", "~muller"]),
            ("鈴木 花子", &["~花子", "~鈴木"]),
            ("林愛", &["~林"]),
            ("김민수", &["~김", "~김민", "~민수"]),
            ("สมชาย ใจดีมาก", &["~สมชาย"]),
            ("Ada", &[]),
        ] {
            assert_eq!(cued(Kind::Person, value, &name(value)), expected, "{value}");
        }
        assert!(cued(Kind::Person, "鈴木花子", "鈴木花子").contains(&"~鈴木".to_owned()));
    }
}
