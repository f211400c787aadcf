//! How words of a folded text are written in its view: with capitals or without. Input: a
//! view, and canonical words. Infallible; words that the view does not have are asked of it
//! only where a name was found.

use crate::guard::find::names::salutation::{Asks, Salutation};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;
use crate::guard::rules::names::WINDOW;
use crate::guard::view::View;

fn is_capital(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    word.starts_with(char::is_uppercase) && word.chars().any(char::is_lowercase)
}

fn begins_small(word: &str) -> bool {
    word.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_lowercase)
}

fn letters(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    normal::search(&normal::fold(bare)).into_owned()
}

fn is_link(word: &str) -> bool {
    lexicon::of(Role::NameLink).has(&letters(word))
}

/// Whether words of a view are written with capitals, and stand between words that are not:
/// `Grace Young`, not `April May June` or `will price`.
pub fn is_written_as_name(view: &View<'_>, name: &str) -> bool {
    // Around a seam only the folded text is known; the whole message is then read.
    if view.place.view == WINDOW {
        return true;
    }
    // Of a source the text is a view of its own.
    if view.place.view == "source" {
        return false;
    }
    let wanted: Vec<&str> = name.split(' ').collect();
    let words: Vec<&str> = view.text.split_whitespace().collect();
    words.windows(wanted.len()).enumerate().any(|(at, window)| {
        let inner = &window[..window.len() - 1];
        let is_unbroken = inner.iter().all(|word| word.ends_with(char::is_alphanumeric));
        let is_apart = |word: Option<&&str>| word.is_none_or(|word| !is_capital(word));
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let ends_before = before.is_some_and(|word| word.ends_with(|c: char| !c.is_alphanumeric()));
        let ends = window.last().is_some_and(|word| word.ends_with(|c: char| !c.is_alphanumeric()));
        is_unbroken
            && window.iter().all(|word| is_capital(word))
            && (ends_before || is_apart(before))
            && (ends || is_apart(words.get(at + window.len())))
            && window.iter().zip(&wanted).all(|(word, wanted)| letters(word) == *wanted)
    })
}

/// Whether the words between the halves of a name are names as well: not where the halves
/// have capitals and they have none, `Daniel met Okafor`.
pub fn has_middle(view: &View<'_>, name: &str) -> bool {
    if view.place.view == WINDOW {
        return true;
    }
    let wanted: Vec<String> = name.split(' ').map(letters).collect();
    let words: Vec<&str> = view.text.split(normal::is_between).filter(|word| !word.is_empty()).collect();
    let is_same = |window: &&[&str]| window.iter().zip(&wanted).all(|(word, wanted)| letters(word) == *wanted);
    let mut found = words.windows(wanted.len()).filter(is_same).peekable();
    // Signs part the words, or an escape: the view has them otherwise.
    found.peek().is_none()
        || found.any(|window| {
            let [first, middles @ .., last] = window else { return true };
            let are_capital = !begins_small(first) && !begins_small(last);
            !are_capital || middles.iter().all(|word| !begins_small(word) || is_link(word))
        })
}

/// Whether the words of a salutation are written as it asks, somewhere in a view.
pub fn is_written(view: &View<'_>, salutation: &Salutation) -> bool {
    let wanted: Vec<String> = salutation.words.split_whitespace().map(letters).collect();
    if salutation.asks == Asks::Nothing || wanted.is_empty() {
        return true;
    }
    let mut is_any = false;
    for line in view.text.lines() {
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == '/').collect();
        let has_capital = line.chars().any(char::is_uppercase);
        let same = |window: &&[&str]| window.iter().zip(&wanted).all(|(word, wanted)| letters(word) == *wanted);
        for window in words.windows(wanted.len()).filter(same) {
            is_any = true;
            let fits = match salutation.asks {
                Asks::Capitals => window.iter().all(|word| is_capital(word) || is_link(word)),
                _ => !has_capital || !window.iter().all(|word| begins_small(word)),
            };
            if fits {
                return true;
            }
        }
    }
    // Signs or escapes part its words: nothing is known of them.
    !is_any && salutation.asks == Asks::NotSmall
}

/// Whether a word is written as a name somewhere in a view: not small.
pub fn is_not_small(view: &View<'_>, name: &str) -> bool {
    let wanted = letters(name.split(' ').next_back().unwrap_or_default());
    let words = view.text.split(|c: char| normal::is_between(c) || "/,;()".contains(c)).filter(|word| !word.is_empty());
    let mut found = words.filter(|word| {
        let letters = letters(word);
        letters.strip_prefix(&wanted).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    let Some(first) = found.next() else { return true };
    std::iter::once(first).chain(found).any(|word| !begins_small(word))
}
