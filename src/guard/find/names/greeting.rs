//! Whoever is greeted at the beginning of a line: `Dear Ada Ashgrove,`, `Уважаемый Иван!`; not
//! what ends a letter (`Liebe Grüße,`), nor the name of a song. Input: a line of searched
//! text. Infallible.

use crate::guard::find::names::is_joined;
use crate::guard::find::names::salutation::{NAME_MAX, STOPS, Salutation, bare, is_generic};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// The most words of a name behind a comma.
const WORDS_MAX: usize = 2;

/// Adds whoever a line greets.
pub(super) fn greeted(line: &str, found: &mut Vec<Salutation>) {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "\"'「『(>*¡".contains(c));
    let Some((greeting, is_welcome)) = greeting(line) else { return };
    let rest = &line[greeting.len()..];
    let rest = rest.strip_prefix('.').filter(|rest| rest.starts_with(' ')).unwrap_or(rest);
    let after_comma = rest.strip_prefix(',').map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
    let rest = match after_comma {
        // 您好，王小明先生: more than one word is a sentence, where no title stands before it.
        Some(rest) if lexicon::of(Role::Welcome).prefix(rest).is_some() => return,
        Some(rest) if words_of(addressee(rest)) <= WORDS_MAX || starts_with_title(rest) => rest,
        None if !is_welcome && (rest.starts_with(' ') || stands_together(greeting, rest)) => rest,
        _ => return,
    };
    if is_famous(line) {
        return;
    }
    let whole = addressee(rest);
    let words = untitled(bare(whole));
    let name = normal::name_of_searched(words);
    let first = words.split([' ', '/']).next().unwrap_or_default();
    let count = name.split(' ').count();
    if name.is_empty() || count > 6 || name.chars().count() > NAME_MAX || !name.chars().any(char::is_alphabetic) {
        return;
    }
    if is_nobody(&name) || is_closing(&name) || lexicon::of(Role::Away).has(first) {
        return;
    }
    let is_plain = name.split(' ').all(|word| lexicon::is_common(word) || is_generic(word));
    let behind = &rest[whole.as_ptr() as usize - rest.as_ptr() as usize + whole.len()..];
    let is_loud = behind.trim_start().starts_with('!');
    let is_name_word = || name.split(' ').any(|word| lexicon::of(Role::NameWord).has(word)) && !is_loud;
    let is_sure = !is_plain || is_name_word();
    found.push(Salutation { is_sure, ..Salutation::of(words) });
}

/// Whether a line begins with the name of a song, a film or a book, and is not the head of a letter.
fn is_famous(line: &str) -> bool {
    let Some(famous) = lexicon::of(Role::Famous).prefix(line) else { return false };
    let after = &line[famous.len()..];
    let goes_on = after.starts_with(|c: char| c.is_alphanumeric());
    !goes_on && !matches!(after.trim(), "," | ":" | "!")
}

/// Whether what is greeted ends a letter: `grüße`, `& liebe grüße`.
fn is_closing(name: &str) -> bool {
    let is_before =
        |word: &&str| *word == "&" || [Role::And, Role::Greeting].iter().any(|role| lexicon::of(*role).has(word));
    let closing = lexicon::of(Role::Closing);
    name.split(' ').find(|word| !is_before(word)).is_some_and(|word| closing.has(word)) || closing.has(name)
}

/// Whether an addressee is nobody in particular, by its words.
fn is_nobody(name: &str) -> bool {
    let nobody =
        |word: &str| is_generic(word) || [Role::Beside, Role::Title].iter().any(|role| lexicon::of(*role).has(word));
    lexicon::of(Role::Generic).has(name)
        || is_generic(name)
        || lexicon::of(Role::Famous).has(name)
        || name.split([' ', '/']).filter(|word| !word.is_empty()).all(nobody) && name.split(' ').any(is_generic)
}

fn words_of(text: &str) -> usize {
    text.split(' ').count()
}

/// The greeting that a line begins with, and whether a comma must stand behind it.
fn greeting(line: &str) -> Option<(&'static str, bool)> {
    let ends = |word: &&'static str| {
        word.ends_with(is_joined) || !line[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '\'')
    };
    let named = lexicon::of(Role::Greeting).prefix(line).filter(ends).map(|word| (word, false));
    let welcomed = lexicon::of(Role::Welcome).prefix(line).filter(ends).map(|word| (word, true));
    match (named, welcomed) {
        (Some(named), Some(welcomed)) => Some(if welcomed.0.len() > named.0.len() { welcomed } else { named }),
        (named, welcomed) => named.or(welcomed),
    }
}

/// Whether a name goes on behind a greeting without a space: 尊敬的王小明, สวัสดีคุณสมชาย.
fn stands_together(greeting: &str, rest: &str) -> bool {
    let is_han = greeting.ends_with(normal::is_han) && rest.starts_with(normal::is_han);
    is_han || (greeting.ends_with("คุณ") && rest.starts_with(normal::is_spaceless))
}

fn starts_with_title(rest: &str) -> bool {
    rest.split(' ').next().is_some_and(normal::is_title)
}

/// An addressee without the titles and further greetings before it: `herr dr. müller`.
fn untitled(mut words: &str) -> &str {
    loop {
        let Some((first, rest)) = words.split_once(' ') else { return words };
        let is_more =
            normal::is_title(first) || lexicon::of(Role::Greeting).has(first) || lexicon::of(Role::Family).has(first);
        if !is_more || rest.trim().is_empty() {
            return words;
        }
        words = rest.trim_start();
    }
}

/// Whether a text ends with a title or an initial, whose full stop ends no sentence.
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(' ').next().unwrap_or_default();
    word.chars().count() == 1 || normal::is_title(word) || word == "st"
}

/// Whoever stands behind a greeting, up to the next stop.
fn addressee(rest: &str) -> &str {
    let sentence = || rest.match_indices(". ").find(|(at, _)| !is_abbreviation(&rest[..*at]));
    let stop = rest.find(STOPS).or_else(|| sentence().map(|(at, _)| at));
    let end = stop.into_iter().chain(rest.find(" - ")).min().unwrap_or(rest.len());
    rest[..end].trim().trim_end_matches('.')
}
