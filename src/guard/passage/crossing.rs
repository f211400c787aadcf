//! Names of words across passages: whether one could begin in the end of a text and reach over
//! it. Two words tell, or three and four with others between its halves
//! ([`MIDDLES_MAX`]).

use crate::guard::find::names::worded::{MIDDLES_MAX, is_middle};
use crate::guard::find::names::{Names, is_joined, starts_word};
use crate::guard::normal;

/// Whether a name of words could begin so near the end of a text that it reaches over it.
pub(super) fn is_open(tail: &str, names: Names<'_>) -> bool {
    // A name of two words that stand both here does not reach over.
    if names.longest_words() <= 2 {
        return false;
    }
    let words: Vec<&str> = tail.split(' ').collect();
    let begins = |at: usize| {
        let begins_around = |second: usize| {
            words.get(second).is_some_and(|word| names.may_begin_worded(lead(words[at]), word))
                && words[at + 1..second].iter().all(|word| is_middle(word))
        };
        words.get(at + 1).is_some_and(|next| may_begin(words[at], next, names))
            || (names.is_first(lead(words[at])) && (2..=1 + MIDDLES_MAX).any(|far| begins_around(at + far)))
    };
    // `anne-marie` goes on as `Anne Marie Lindqvist` does.
    let mut pieces = tail.split([' ', '-', '.']).zip(tail.split([' ', '-', '.']).skip(1));
    let is_joint = tail.contains(['-', '.']);
    (0..words.len()).any(begins) || is_joint && pieces.any(|(a, b)| names.may_begin_worded(lead(a), b))
}

/// A word without the signs before it.
fn lead(word: &str) -> &str {
    word.trim_start_matches(|c| !normal::is_within(c))
}

/// Whether a name by words could begin with the end of one and go on with the
/// other: `(ada` `ashgrove,`.
fn may_begin(first: &str, second: &str, names: Names<'_>) -> bool {
    let is_apart = first.ends_with(',') && normal::word(second).is_form;
    let first = if is_apart { first.trim_end_matches(',') } else { first };
    let starts = |at: usize| starts_word(&first[..at]);
    // No such name has a character that is written without spaces.
    let near =
        first.char_indices().rev().take_while(|(at, c)| !is_joined(*c) && first.len() - at <= names.longest_first());
    let begins = near.filter(|(at, _)| starts(*at));
    !second.starts_with(is_joined) && begins.into_iter().any(|(at, _)| names.may_begin_worded(&first[at..], second))
}

/// Whether a name of words could begin in the end of one text and go on in the beginning of
/// the next, which may be all of that.
pub(super) fn may_cross(tail: &str, (head, is_whole): (&str, bool), names: Names<'_>) -> bool {
    let last = || tail.rsplit(' ').next().unwrap_or_default();
    let first = || head.split(' ').next().unwrap_or_default();
    names.has_worded() && (may_begin(last(), first(), names) || may_cross_around(tail, (head, is_whole), names))
}

/// Whether a name could cross whose halves have others between them: `ada` `j. ashgrove`.
fn may_cross_around(tail: &str, (head, is_whole): (&str, bool), names: Names<'_>) -> bool {
    for (back, word) in tail.rsplit(' ').take(1 + MIDDLES_MAX).enumerate() {
        let first = lead(word);
        if names.is_first(first) {
            let mut head = head.split(' ');
            for _ in back..=MIDDLES_MAX {
                match head.next() {
                    Some(second) if names.may_begin_worded(first, second) => return true,
                    Some(second) if is_middle(second) => {}
                    Some(_) => break,
                    // The next passage may have it.
                    None if is_whole => return true,
                    None => break,
                }
            }
        }
        if !is_middle(word) {
            return false;
        }
    }
    false
}
