//! Words of a view that may be a whole name, its parts written together: `DanielOkafor`
//! anywhere, `danielokafor` where words are written so (paths, file names, attributes, header
//! fields, behind `@` and `#`). Of running text a long word is mostly one word.
//!
//! Input: a view and its searched text. Output: hits in that text. Infallible.

use std::ops::Range;

use crate::guard::find::file;
use crate::guard::find::names::{Hit, Names};
use crate::guard::normal;
use crate::guard::rules::is_header;
use crate::guard::view::View;

/// The most words of a view that are looked at: some milliseconds.
const WORDS_MAX: usize = 20_000;

/// The longest host, in characters: what goes on is none.
const HOST_MAX: usize = 253;

/// Every name of a view that is written as one word.
pub fn hits(view: &View<'_>, searched: &str, names: Names<'_>) -> Vec<Hit> {
    if !names.has_worded() || matches!(view.place.view, "source" | "style") {
        return Vec::new();
    }
    let mut all: Vec<Hit> = Vec::new();
    if is_token(view) {
        all.extend(words(searched).take(WORDS_MAX).filter_map(|word| names.glued(searched, word)));
        return all;
    }
    for sign in memchr::memchr2_iter(b'@', b'#', searched.as_bytes()).take(WORDS_MAX) {
        let start = sign + 1;
        let length = searched[start..].find(|c: char| !c.is_alphabetic()).unwrap_or(searched.len() - start);
        if length > 0 && !searched[..sign].ends_with(char::is_alphanumeric) {
            all.extend(names.glued(searched, start..start + length));
        }
    }
    all
}

/// The same of words with a small letter before a capital, each with its word, folded.
pub fn humped_hits(view: &View<'_>, names: Names<'_>) -> Vec<(String, Hit)> {
    let is_source = matches!(view.place.view, "source" | "style");
    if is_source || !names.has_worded() || !has_humps(&view.text) {
        return Vec::new();
    }
    let words = humped(&view.text).take(WORDS_MAX).filter(|place| !is_of_host(&view.text, place.clone()));
    words
        .filter_map(|place| {
            let word = normal::search(&normal::fold(&view.text[place])).into_owned();
            let hit = names.glued(&word, 0..word.len())?;
            Some((word, hit))
        })
        .collect()
}

/// Whether a piece of a text is one of a host or an address: `ada-ashgrove.example`.
pub fn is_of_host(text: &str, piece: Range<usize>) -> bool {
    let (before, after) = (&text[..piece.start], &text[piece.end..]);
    let is_within = |c: &char| c.is_alphanumeric() || ".-_@".contains(*c);
    let length: usize = after.chars().take(HOST_MAX).take_while(is_within).map(char::len_utf8).sum();
    let tail = &after[..length];
    let is_host = tail.contains('@')
        || file::stem(tail).rsplit_once('.').is_some_and(|(_, last)| last.starts_with(char::is_alphabetic));
    let within = before.chars().rev().take(HOST_MAX).take_while(|c| *c != '@' && is_within(c));
    let lead = &before[..before.len() - within.map(char::len_utf8).sum::<usize>()];
    let is_address = lead.strip_suffix('@').is_some_and(|local| local.ends_with(char::is_alphanumeric));
    is_host || is_address || lead.ends_with("://")
}

/// Whether a view's words are names of things, and not running text.
fn is_token(view: &View<'_>) -> bool {
    let at = view.place.at.as_deref().unwrap_or_default();
    view.place.is_path()
        || (view.place.view == "attribute" && !at.starts_with("style"))
        || (is_header(view) && view.place.view != "Subject")
}

/// Runs of letters.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        start..start + word.len()
    })
}

/// Whether a small letter stands before a capital somewhere. Nearly no line has one.
fn has_humps(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Without a way out in the middle this is done sixteen bytes at a time.
    let is_any = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .fold(false, |any, (a, b)| any | (a.is_ascii_lowercase() & b.is_ascii_uppercase()));
    is_any || !text.is_ascii() && humped(text).next().is_some()
}

/// Words with a small letter before a capital.
fn humped(text: &str) -> impl Iterator<Item = Range<usize>> {
    let has_hump =
        |word: &str| word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    words(text).filter(move |word| has_hump(&text[word.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_humps() {
        assert!(has_humps("a DanielOkafor b") && has_humps("АлексейСоловьёв"));
        assert!(!has_humps("Daniel Okafor, DANIEL, д Б") && !has_humps("") && !has_humps("山田Abc"));
        let text = "x-DanielOkafor JavaScript";
        assert_eq!(humped(text).map(|word| &text[word]).collect::<Vec<_>>(), ["DanielOkafor", "JavaScript"]);
    }

    #[test]
    fn pieces_of_hosts() {
        for (text, is_one) in [
            ("ada-ashgrove.example", true),
            ("https://ada-ashgrove/", true),
            ("ada-ashgrove@mail.example", true),
            ("news@ada-ashgrove", true),
            ("ada-ashgrove.jpg", false),
            ("see ada-ashgrove.", false),
            ("@ada-ashgrove", false),
        ] {
            let at = text.find("ada").unwrap();
            assert_eq!(is_of_host(text, at..at + "ada-ashgrove".len()), is_one, "{text}");
        }
    }
}
