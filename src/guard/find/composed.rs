//! Labels that are made of two words: one for whom (customer, member, contract) and one for
//! what (number, code, ID), in either order and written together: `kundennummer`, `codcliente`,
//! `clienteid`. Each language has both sorts of words, and few of their pairs are in a list.
//!
//! Input: folded text. The words are the lexicon's: whom a label names is one of
//! [`Role::IdLabel`] that is not sure by itself, what it names one of [`Role::NumberWord`], and
//! [`Role::LabelJoint`] may join them. Infallible.

use std::sync::LazyLock;

use hashbrown::HashSet;

use crate::guard::find::label::is_unspaced;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// The shortest and the longest such word, in bytes.
const SHORTEST: usize = 4;
const LONGEST: usize = 48;
/// The most words of a phrase that is a label.
const WORDS_MAX: usize = 7;

/// Words of both sorts, with their accents and without.
struct Words {
    whom: HashSet<String>,
    what: HashSet<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let all = |role, keeps: &dyn Fn(&str) -> bool| {
        let list = lexicon::of(role).list.iter().filter(|word| keeps(word));
        list.flat_map(|word| std::iter::once((*word).to_owned()).chain(bare(word))).collect()
    };
    let (sure, what) = (lexicon::of(Role::IdLabelSure), lexicon::of(Role::NumberWord));
    let whom = |word: &str| !sure.has(word) && !what.has(word);
    Words { whom: all(Role::IdLabel, &whom), what: all(Role::NumberWord, &|_| true) }
});

/// A word without its accents, if it has any: `codigo`. Of `č.` too little is left.
pub(super) fn bare(word: &str) -> Option<String> {
    const LETTERS_MIN: usize = 3;
    let bare = normal::search(word);
    (*bare != *word && bare.chars().nth(LETTERS_MIN - 1).is_some()).then(|| bare.into_owned())
}

/// The word of letters that a text ends with.
fn last_word(text: &str) -> &str {
    let start = text.char_indices().rev().take_while(|(_, c)| c.is_alphabetic()).last();
    start.map_or("", |(at, _)| &text[at..])
}

/// Whether a text ends with a word that is made of two, or with both: `kundennummer`,
/// `tagsági szám`.
pub(super) fn ends(text: &str) -> bool {
    let word = last_word(text);
    let bare = word.trim_start_matches(is_unspaced);
    let is_one = || (SHORTEST..=LONGEST).contains(&bare.len()) && is_pair(bare);
    let are_two = || {
        let before = text[..text.len() - word.len()].trim_end_matches([' ', '-', '_', '.']);
        before.len() < text.len() - word.len() && WORDS.whom.contains(last_word(before))
    };
    is_one() || WORDS.what.contains(word) && are_two()
}

fn is_pair(word: &str) -> bool {
    let cuts = word.char_indices().skip(2).map(|(at, _)| at);
    cuts.into_iter().any(|at| {
        let (first, second) = word.split_at(at);
        (WORDS.what.contains(second) && is_whom(first, str::strip_suffix))
            || (WORDS.what.contains(first) && is_whom(second, str::strip_prefix))
    })
}

/// Whether a word is one for whom, by itself or without what joins it to the word for what:
/// `mitglied-s-` before it, `-do-cliente` behind it.
fn is_whom(word: &str, without: for<'w> fn(&'w str, &'static str) -> Option<&'w str>) -> bool {
    let joints = &lexicon::of(Role::LabelJoint).list;
    WORDS.whom.contains(word)
        || joints.iter().any(|joint| without(word, joint).is_some_and(|word| WORDS.whom.contains(word)))
}

/// A text that ends with many of something, with one of it: `client` of `…/clients`.
pub(super) fn one_of_many(text: &str) -> Option<&str> {
    let joints = lexicon::of(Role::LabelJoint);
    let many = |length: usize| text.len().checked_sub(length).filter(|at| text.is_char_boundary(*at));
    [1, 2].into_iter().filter_map(many).find_map(|at| {
        let (one, end) = text.split_at(at);
        (joints.has(end) && WORDS.whom.contains(last_word(one))).then_some(one)
    })
}

/// Whether a phrase says both whom and what: `your customer number`, `お客様番号`, and not
/// `the largest number`.
pub(super) fn is_whole(phrase: &str) -> bool {
    let words: Vec<&str> = phrase.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let any = |is: &dyn Fn(&str) -> bool| words.iter().any(|word| is(word));
    let joined = || {
        lexicon::of(Role::NumberWord).suffix(phrase).is_some_and(|what| {
            let rest = phrase[..phrase.len() - what.len()].trim_end();
            WORDS.whom.iter().any(|whom| whom.starts_with(is_unspaced) && rest.ends_with(whom.as_str()))
        })
    };
    words.len() <= WORDS_MAX
        && (any(&is_pair)
            || any(&|word| lexicon::of(Role::IdLabelSure).has(word) && !WORDS.what.contains(word))
            || (any(&|word| is_whom(word, str::strip_suffix)) && any(&|word| WORDS.what.contains(word)))
            || joined())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_made_of_two() {
        for word in ["kundennummer", "mitgliedsnr", "codcliente", "clienteid", "idcliente", "?custno", "ihre kundenid"]
        {
            assert!(ends(word), "{word}");
        }
        for word in ["casino", "piano", "android", "postcode", "number", "no", "id", "", "domino", "barcode"] {
            assert!(!ends(word), "{word}");
        }
        assert!(ends("tagsági szám") && !ends("szép szám"));
        assert_eq!(one_of_many("/clientes"), Some("/cliente"));
        assert_eq!(one_of_many("/news"), None);
        assert!(is_whole("your customer number") && is_whole("お客様番号") && is_whole("ihre kundennummer"));
        assert!(!is_whole("the largest number") && !is_whole("the postcode"));
    }
}
