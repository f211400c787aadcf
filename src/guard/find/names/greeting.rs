//! Whoever is greeted at the beginning of a line: `Dear Ada Ashgrove,`, `Уважаемый Иван!`; not
//! what ends a letter (`Liebe Grüße,`), nor the name of a song. Input: a line of searched
//! text. Infallible.

use crate::guard::find::names::is_joined;
use crate::guard::find::names::salutation::{Asks, NAME_MAX, STOPS, Salutation, bare, is_generic};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// The most words of a name behind a comma.
const WORDS_MAX: usize = 2;
/// The most words of any name.
const LONGEST: usize = 6;
/// The most words of a wish before the comma behind which a name stands.
const WISH_MAX: usize = 6;

/// Adds whoever a line greets.
pub(super) fn greeted(line: &str, found: &mut Vec<Salutation>) {
    let line = without_signs(line);
    let Some((greeting, is_welcome)) = greeting(line) else { return };
    let rest = &line[greeting.len()..];
    let rest = rest.strip_prefix('.').filter(|rest| rest.starts_with(' ')).unwrap_or(rest);
    if is_famous(line) {
        return;
    }
    let is_called = lexicon::of(Role::Calling).has(greeting);
    let wished = behind_comma(rest).filter(|_| is_welcome);
    let wished = wished.and_then(|name| addressed(name, Asks::Capitals, WORDS_MAX));
    let after_comma = rest.strip_prefix(',').map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
    let salutation = match after_comma {
        // 您好，王小明先生: more than one word is a sentence, where no title stands before it.
        Some(rest) if lexicon::of(Role::Welcome).prefix(rest).is_some() => None,
        Some(rest) if words_of(addressee(rest)) <= WORDS_MAX || starts_with_title(rest) => {
            addressed(rest, Asks::NotSmall, LONGEST)
        }
        None if is_welcome && rest.starts_with(' ') => addressed(rest, Asks::Capitals, WORDS_MAX),
        None if !is_welcome && (rest.starts_with(' ') || stands_together(greeting, rest)) => {
            addressed(rest, Asks::NotSmall, LONGEST)
        }
        _ => None,
    };
    let all = wished.into_iter().chain(salutation);
    found.extend(all.map(|salutation| Salutation { is_called, ..salutation }));
}

/// A line without what stands before its words.
fn without_signs(line: &str) -> &str {
    line.trim_start_matches(|c: char| c.is_whitespace() || "\"'「『(>*¡".contains(c))
}

/// What stands behind the last comma of a sentence of thanks or wishes:
/// `Thank you for your order, Ada!`.
fn behind_comma(rest: &str) -> Option<&str> {
    let sentence = &rest[..rest.find(['.', '!', '?', '\n']).unwrap_or(rest.len())];
    let (before, name) = sentence.trim_end_matches(',').rsplit_once(',')?;
    let is_short = (1..=WISH_MAX).contains(&before.split_whitespace().count());
    (is_short && words_of(name.trim()) <= WORDS_MAX).then_some(&rest[before.len() + 1..])
}

/// Whoever a text begins with, if that may be anybody's name of so many words.
fn addressed(rest: &str, asks: Asks, words_max: usize) -> Option<Salutation> {
    let rest = past_choice(rest.trim_start());
    let whole = addressee(rest);
    let words = untitled(bare(whole));
    let name = normal::name_of_searched(words);
    let first = words.split([' ', '/']).next().unwrap_or_default();
    let count = name.split(' ').count();
    if name.is_empty() || count > words_max || name.chars().count() > NAME_MAX || !name.chars().any(char::is_alphabetic)
    {
        return None;
    }
    // `de Araújo` begins as `de nieuwe catalogus` does.
    let is_away = lexicon::of(Role::Away).has(first);
    let is_link = count > 1 && lexicon::of(Role::NameLink).has(first);
    if is_nobody(&name) || is_closing(&name) || is_away && !is_link {
        return None;
    }
    let words = if is_away { behind_links(words) } else { words };
    let behind = rest[whole.as_ptr() as usize - rest.as_ptr() as usize + whole.len()..].trim_start();
    if asks == Asks::Capitals && !(behind.is_empty() || behind.starts_with(['!', ',', '.', ')', '\n'])) {
        return None;
    }
    let is_plain = name.split(' ').all(|word| lexicon::is_common(word) || is_generic(word));
    let is_loud = behind.starts_with('!') && asks != Asks::Capitals;
    let is_name_word = || name.split(' ').any(|word| lexicon::of(Role::NameWord).has(word)) && !is_loud;
    let is_sure = (!is_plain || is_name_word()) && !is_away;
    // `Hola, ¿qué tal?`, and of a Greek question the sign is a semicolon.
    let is_asked = behind.starts_with(['?', '؟']) || behind.starts_with(';') && is_greek(&name);
    let asks = if is_asked { Asks::Capitals } else { asks };
    Some(Salutation { is_sure, asks, ..Salutation::of(words) })
}

/// A surname behind the words that it begins with: `araújo` of `de araújo`.
fn behind_links(words: &str) -> &str {
    let rest = words.split_once(' ').filter(|(first, _)| lexicon::of(Role::NameLink).has(first));
    rest.map_or(words, |(_, rest)| behind_links(rest.trim_start()))
}

fn is_greek(name: &str) -> bool {
    name.ends_with(|c: char| ('\u{370}'..='\u{3ff}').contains(&c))
}

/// A text behind the choice of titles that it begins with: `heer/mevrouw`, `heer of mevrouw`.
fn past_choice(rest: &str) -> &str {
    let mut words = rest.match_indices([' ', '/']).map(|(at, _)| at);
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return rest };
    let is_slash = rest[first..].starts_with('/');
    let is_choice = is_slash && normal::is_title(&rest[..first]) && normal::is_title(&rest[first + 1..second]);
    if is_choice { rest[second + 1..].trim_start() } else { rest }
}

/// Adds whoever stands alone in the line below a greeting: `לכבוד` over כהן.
pub(super) fn greeted_above(above: &str, line: &str, found: &mut Vec<Salutation>) {
    if is_alone(above) && !line.trim().is_empty() && words_of(line.trim()) <= WORDS_MAX + 1 {
        let salutation = addressed(line, Asks::Nothing, WORDS_MAX + 1);
        found.extend(salutation.map(|salutation| Salutation { is_sure: false, ..salutation }));
    }
}

/// Whether a line is a greeting that goes on in the next one, and not the end of a letter.
fn is_alone(line: &str) -> bool {
    let line = line.trim().trim_end_matches(':');
    lexicon::of(Role::Greeting).has(line) && !lexicon::of(Role::Closing).has(line)
}

/// Whether the last line of a text is such a greeting.
pub(in crate::guard) fn ends(searched: &str) -> bool {
    searched.trim_end().rsplit('\n').next().is_some_and(is_alone)
}

/// Adds whoever a line addresses by an honorific behind the name: `Mehmet Bey,`, `דוד היקר,`.
pub(super) fn honored(line: &str, found: &mut Vec<Salutation>) {
    let line = without_signs(line);
    let Some(stop) = line.find([',', '!']) else { return };
    let Some((name, honorific)) = line[..stop].trim_end().rsplit_once(' ') else { return };
    let is_honorific = lexicon::of(Role::Honorific).has(honorific) && !honorific.ends_with(is_joined);
    if is_honorific && greeting(line).is_none() {
        found.extend(addressed(name, Asks::NotSmall, WORDS_MAX));
    }
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
