//! Names in running text.
//!
//! A name in Japanese, Chinese or Korean script has no boundaries and may be
//! broken by spaces and lines: it is searched for in text without white space,
//! if it has four characters or more (measured: shorter ones give 73 hits a
//! clean message, longer ones none). Other names are searched for by whole
//! words, if they have two or more. Short names count only next to a cue, which
//! is the salutation's business.

use std::collections::HashMap;

use daachorse::CharwiseDoubleArrayAhoCorasick;

/// The shortest name without boundaries that is searched for, in characters.
pub const JOINED_MIN: usize = 4;

/// One name found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins and ends, in bytes of the text that was searched.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The keyed hash of the name.
    pub hash: u128,
}

/// Searches for every name of a directory at once.
#[derive(Default)]
pub struct Names {
    joined: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    worded: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    hashes: Vec<u128>,
}

impl Names {
    /// Builds the search from canonical names and their hashes.
    pub fn build(names: HashMap<String, u128>) -> Self {
        let mut hashes = Vec::new();
        let (mut joined, mut worded) = (Vec::new(), Vec::new());
        for (name, hash) in names {
            let list = match form(&name) {
                Form::Joined => &mut joined,
                Form::Worded => &mut worded,
                Form::Short => continue,
            };
            list.push((name, hashes.len() as u32));
            hashes.push(hash);
        }
        let build = |mut names: Vec<(String, u32)>| {
            names.sort_unstable();
            CharwiseDoubleArrayAhoCorasick::with_values(names).ok()
        };
        Self { joined: build(joined), worded: build(worded), hashes }
    }

    /// Whether any name is searched for by whole words.
    pub fn has_worded(&self) -> bool {
        self.worded.is_some()
    }

    /// Names in a text without white space.
    pub fn joined(&self, squeezed: &str) -> Vec<Hit> {
        self.joined.as_ref().map(|search| self.hits(search, squeezed)).unwrap_or_default()
    }

    /// Names in a text whose white space is single spaces, by whole words.
    pub fn worded(&self, spaced: &str) -> Vec<Hit> {
        let mut hits = self.worded.as_ref().map(|search| self.hits(search, spaced)).unwrap_or_default();
        hits.retain(|hit| {
            let before = spaced[..hit.start].chars().next_back();
            let after = spaced[hit.end..].chars().next();
            let within = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            !within(before) && !within(after)
        });
        hits
    }

    fn hits(&self, search: &CharwiseDoubleArrayAhoCorasick<u32>, text: &str) -> Vec<Hit> {
        let found = search.find_overlapping_iter(text);
        found.map(|m| Hit { start: m.start(), end: m.end(), hash: self.hashes[m.value() as usize] }).collect()
    }
}

/// How a canonical name is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In text without white space.
    Joined,
    /// By whole words.
    Worded,
    /// Only next to a cue.
    Short,
}

/// The form of a canonical name.
pub fn form(name: &str) -> Form {
    if name.is_ascii() || !name.chars().any(is_joined) {
        return if name.contains(' ') && name.chars().count() >= 6 { Form::Worded } else { Form::Short };
    }
    if name.chars().count() >= JOINED_MIN { Form::Joined } else { Form::Short }
}

/// Whether a character is of a script written without spaces.
pub fn is_joined(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A folded text without its white space, and with single spaces.
pub fn squeeze(folded: &str) -> (String, String) {
    let mut joined = String::with_capacity(folded.len());
    let mut spaced = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        joined.push_str(word);
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    (joined, spaced)
}
