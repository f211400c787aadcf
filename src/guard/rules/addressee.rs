//! Whether it is this account that a text addresses: its names in whole and in part,
//! beside titles, departments and company.

use crate::account::Kind;
use crate::guard::find::names::salutation::{Salutation, is_generic};
use crate::guard::find::names::worded::{MIDDLES_MAX, is_middle};
use crate::guard::find::names::{JOINED_MIN, is_joined};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;
use crate::guard::rules::Case;

/// Whether a text addresses this account, or somebody whom the template does.
pub(super) fn is_explained(case: &Case<'_>, salutation: &Salutation) -> bool {
    is_own(case, salutation) || case.known.has_salutation(&salutation.name)
}

/// Whether it is this account that a text addresses.
fn is_own(case: &Case<'_>, salutation: &Salutation) -> bool {
    let name = &salutation.name;
    is_own_name(case, name)
        || own_with_readings(case, name)
        || own_with_middle(case, name)
        || own_words(case, &salutation.words)
        || salutation.is_called && own_called(case, &salutation.words)
        || is_tiled(case, name)
        || own_at_end(case, salutation)
        || own_half_at_end(case, name)
        || own_and_more(case, salutation)
        || own_address(case, name)
        || own_number(case, name)
}

/// Whether a name or a word of one is this account's, its halves included.
pub(super) fn is_own_name(case: &Case<'_>, name: &str) -> bool {
    case.own.has_name(name) || case.own.has_half(name)
}

/// `小林こばやし健一郎けんいちろう`: an own name in kanji with its readings, small or above it.
fn own_with_readings(case: &Case<'_>, name: &str) -> bool {
    let is_kana = |c: char| matches!(c, '\u{3041}'..='\u{30ff}');
    let kanji: String = name.chars().filter(|c| !is_kana(*c)).collect();
    kanji.len() < name.len() && kanji.chars().nth(1).is_some() && case.own.names().contains(&kanji)
}

/// `grace anne whitlock`: an own name with others between its halves.
fn own_with_middle(case: &Case<'_>, name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let [first, middles @ .., last] = &words[..] else { return false };
    let has_middle = (1..=MIDDLES_MAX).contains(&middles.len()) && middles.iter().all(|word| is_middle(word));
    has_middle && case.own.names().contains(&format!("{first} {last}"))
}

/// `会員12345678`, `お客様番号12345678`: an own ID behind what names nobody.
fn own_number(case: &Case<'_>, name: &str) -> bool {
    let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let before =
        name[..name.len() - number.len()].trim_end_matches("番号").trim_end_matches("id").trim_end_matches('様');
    is_generic(before) && own_address(case, number)
}

/// `taro@example.com 様`, `例え.テスト 様`, `AB-1234 様`: what identifies is judged
/// by itself.
fn own_address(case: &Case<'_>, name: &str) -> bool {
    let has = |kind| {
        let declared = |canonical: &str| case.extra().is_some_and(|extra| extra.has(kind, canonical));
        normal::canonical(kind, name, None).is_ok_and(|value| case.own.has(kind, &value) || declared(&value))
    };
    has(Kind::Email)
        || has(Kind::Id)
        || case.own.is_spelled(name)
        || normal::canonical(Kind::Domain, name, None).is_ok_and(|host| case.own.has_host(&host))
}

/// `dear ada ashgrove, …`, `hi ada and team`, `山田商店 担当 山田 様`, `dear customer 10000001`:
/// every word is one of the account's own, or nobody's.
fn own_words(case: &Case<'_>, words: &str) -> bool {
    let mut has_own = false;
    let is_explained = words
        .split(|c: char| c.is_whitespace() || "&/+".contains(c))
        .map(normal::name)
        .filter(|word| !word.is_empty())
        .all(|word| {
            let word = word.trim_end_matches(['.', ':']);
            let is_own =
                is_own_name(case, word) || own_address(case, word) || is_initials(case, word) || is_tiled(case, word);
            has_own |= is_own;
            is_own || is_generic(word) || normal::is_title(word) || stands_beside(word)
        });
    is_explained && (has_own || words.split_whitespace().all(is_generic))
}

/// The fewest letters that a name and the form by which its owner is called have in common, and
/// the most that differ.
const CALLED_MIN: usize = 3;
const CALLED_MAX: usize = 2;

/// `cześć jakubie`, `vážený pane dvořáku`: each word is one of the account's own, in the form by
/// which one is called in the language of the greeting.
fn own_called(case: &Case<'_>, words: &str) -> bool {
    let own: Vec<&str> = case.own.names().iter().flat_map(|name| name.split(' ')).collect();
    let mut has_own = false;
    let all = words.split_whitespace().map(normal::name).all(|word| {
        let word = word.trim_end_matches(['.', ':']);
        let is_own = is_own_name(case, word) || own.iter().any(|own| is_called(own, word));
        has_own |= is_own;
        is_own || normal::is_title(word) || stands_beside(word)
    });
    all && has_own
}

/// Whether a word is a name as its owner is called: `karle` of `karel`, `андрію` of `андрій`.
fn is_called(name: &str, word: &str) -> bool {
    let common = name.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
    let (length, called) = (name.chars().count(), word.chars().count());
    // `marek` and `marku`: the last vowel goes before the ending.
    common >= CALLED_MIN
        && length <= common + CALLED_MAX
        && called <= common + CALLED_MAX
        && lexicon::of(Role::CalledEnding).suffix(word).is_some()
}

/// Whether a word stands beside a name, and names nobody: `of`, `team`, `社長`.
fn stands_beside(word: &str) -> bool {
    const ROLES: [Role; 8] = [
        Role::Beside,
        Role::Office,
        Role::Family,
        Role::Department,
        Role::Honorific,
        Role::HonorificWeak,
        Role::Greeting,
        Role::Title,
    ];
    ROLES.into_iter().any(|role| lexicon::of(role).has(word))
}

/// The longest name that is taken to pieces, in characters.
const TILED_MAX: usize = 40;

/// `山田社長`, `佐藤家御一同`, `株式会社サンプル総務部山田`: one own name or more, and nothing else but what
/// stands beside names.
fn is_tiled(case: &Case<'_>, name: &str) -> bool {
    const ROLES: [Role; 6] =
        [Role::Beside, Role::Office, Role::Family, Role::Department, Role::Generic, Role::HonorificWeak];
    if name.is_ascii() || !name.contains(is_joined) || name.chars().count() > TILED_MAX {
        return false;
    }
    let cuts: Vec<usize> = name.char_indices().map(|(at, _)| at).chain([name.len()]).collect();
    // Whether the name is explained up to each cut: without an own name in it, and with one.
    let mut reached = vec![(false, false); cuts.len()];
    reached[0].0 = true;
    for from in 0..cuts.len() {
        let (bare, own) = reached[from];
        for to in (from + 1..cuts.len()).filter(|_| bare || own) {
            let piece = &name[cuts[from]..cuts[to]];
            if is_own_name(case, piece) {
                reached[to].1 = true;
            }
            if ROLES.into_iter().any(|role| lexicon::of(role).has(piece)) {
                reached[to].0 |= bare;
                reached[to].1 |= own;
            }
        }
    }
    reached.last().is_some_and(|(_, own)| *own)
}

/// `dear ms. a. ashgrove`, `dear j.r. hart`.
fn is_initials(case: &Case<'_>, word: &str) -> bool {
    let begins =
        |letter: &str| case.own.names().iter().any(|name| name.split(' ').any(|word| word.starts_with(letter)));
    word.split('.').all(|letter| letter.len() == 1 && begins(letter))
}

/// The longest name of a part of a body, in characters.
const DEPARTMENT_MAX: usize = 20;

/// `株式会社サンプル 総務部 御中`, `Dear Ada Sample Jr.`: a part of the account's own body, or
/// more of its own name. A name that stands there too is found by itself.
fn own_and_more(case: &Case<'_>, salutation: &Salutation) -> bool {
    let (name, words) = (&salutation.name, &salutation.words);
    // 山田 三部 is nobody's department.
    let is_long = |own: &str| own.chars().count() >= JOINED_MIN;
    let glued = case.own.names().iter().filter(|own| is_long(own)).filter_map(|own| name.strip_prefix(own.as_str()));
    let is_own = |at: &usize| {
        let own = normal::name(&words[..*at]);
        is_long(&own) && case.own.has_name(&own)
    };
    let gaps = words.match_indices(char::is_whitespace).map(|(at, _)| at);
    let mut parted = gaps.filter(is_own).map(|at| normal::name(&words[at..]));
    glued.into_iter().any(is_department)
        || parted.any(|more| is_department(&more) || lexicon::of(Role::Beside).has(more.trim_end_matches('.')))
}

fn is_department(part: &str) -> bool {
    part.chars().count() <= DEPARTMENT_MAX && lexicon::of(Role::Department).suffix(part).is_some()
}

/// `ご契約者は山田様`: a half of an own name in kanji, behind hiragana that no name goes on from.
fn own_half_at_end(case: &Case<'_>, name: &str) -> bool {
    let half = name.rfind(is_hiragana).map(|at| name[at..].trim_start_matches(is_hiragana));
    half.is_some_and(|half| half.starts_with(normal::is_han) && case.own.has_half(half))
}

fn is_hiragana(c: char) -> bool {
    ('\u{3040}'..='\u{309f}').contains(&c)
}

/// `営業部 山田 太郎 様`, `■山田 太郎 様`, `ご契約者山田太郎様`, `請求書_山田太郎様`: a whole name of the
/// account's own, behind words that do not reach into it, as 大 would into 森.
fn own_at_end(case: &Case<'_>, salutation: &Salutation) -> bool {
    let words = &salutation.words;
    let starts = words.char_indices().filter(|(at, _)| words[..*at].ends_with(normal::is_between));
    let tails: Vec<String> = starts.map(|(at, _)| normal::name(&words[at..])).collect();
    case.own.names().iter().any(|own| {
        let glued = || {
            let joined = own.replace(' ', "");
            let before = salutation.name.strip_suffix(joined.as_str())?;
            let hiragana = |c: Option<char>| c.is_some_and(is_hiragana);
            let ends = hiragana(before.chars().next_back()) && !hiragana(joined.chars().next());
            let sign = before.ends_with(|c: char| !c.is_alphanumeric());
            let title = [Role::Title, Role::Office].iter().any(|role| lexicon::of(*role).suffix(before).is_some());
            Some(ends || sign || title || case.own.has_name(before) || is_generic(before))
        };
        tails.contains(own) || glued().unwrap_or(false)
    })
}
