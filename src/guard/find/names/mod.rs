//! Names in running text.
//!
//! A name in Japanese, Chinese or Korean script has no boundaries and may be
//! broken by spaces and lines: it is searched for in text without white space,
//! if it has four characters or more (measured: shorter ones give 73 hits a
//! clean message, longer ones none). Other names are searched for by whole
//! words, if they have two or more. Short names count only next to a cue or by
//! themselves, which is the business of the salutations, of names behind captions and
//! of those that stand alone.
//!
//! No name is kept: where a gate of the index says that one may begin, every
//! length that a name has is hashed and looked up. What is found is found by the
//! index's lines, that is, but for chance, 16 in 2³²; [`Index::owner`] says
//! exactly whose it is. Infallible.

pub(in crate::guard) mod alone;
pub(in crate::guard) mod captioned;
pub(in crate::guard) mod greeting;
pub(in crate::guard) mod halves;
pub(in crate::guard) mod salutation;
pub(in crate::guard) mod standalone;
pub(in crate::guard) mod titled;
pub(in crate::guard) mod worded;

use crate::account::Kind;
use crate::guard::index::{Index, LONG, TELLING, is_common};
use crate::guard::normal;
use crate::guard::view::View;

/// The shortest name without boundaries that is searched for, in characters.
pub const JOINED_MIN: usize = 4;
/// The same of Thai and its like, which are written by letters.
const SPACELESS_MIN: usize = 8;

pub use normal::{is_joined, is_within};

/// One name found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins and ends, in bytes of the text that was searched.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The keyed hash of the name.
    pub hash: u128,
    /// How it is written there.
    pub how: How,
    /// The name, where the text has it otherwise.
    pub(in crate::guard) name: Option<Box<str>>,
}

impl Hit {
    /// The name, canonical, of a hit in this text.
    pub fn name<'t>(&'t self, text: &'t str) -> &'t str {
        self.name.as_deref().unwrap_or(&text[self.start..self.end])
    }
}

/// How a text has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// As the directory has it.
    Plain,
    /// With other words between its halves.
    Middle,
    /// With signs for its blanks.
    Signs,
    /// As one word.
    Glued,
}

/// Searches for every name of a directory at once.
#[derive(Clone, Copy)]
pub struct Names<'i> {
    index: &'i Index,
}

impl<'i> Names<'i> {
    pub(in crate::guard) fn new(index: &'i Index) -> Self {
        Self { index }
    }

    /// Whether any name is searched for by whole words.
    pub fn has_worded(&self) -> bool {
        self.index.reach().words > 0
    }

    /// The longest name without spaces, in characters; 0 if there is none.
    pub fn longest_joined(&self) -> usize {
        self.index.reach().joined as usize
    }

    /// The most words of a name that is searched for by whole words.
    pub fn longest_words(&self) -> usize {
        self.index.reach().words as usize
    }

    /// The longest first word of a name of words, in bytes.
    pub fn longest_first(&self) -> usize {
        self.index.reach().first as usize
    }

    /// Whether a name without spaces may begin with these characters.
    #[inline]
    pub fn may_begin(&self, four: [char; 4]) -> bool {
        self.index.gatehouse().has(self.index.gates().joined(four))
    }

    /// Whether a name of words may begin with these two. `first` goes from where
    /// the name would begin up to the space; of `second` only the letters and
    /// digits of ASCII at its beginning count.
    #[inline]
    pub fn may_begin_worded(&self, first: &str, second: &str) -> bool {
        let has = |second: &str| self.index.gatehouse().has(self.index.gates().worded(first, second));
        has(second) || worded::without_genitive(second).is_some_and(has)
    }

    /// Whether two texts are the halves of somebody's name, in either order.
    pub fn has_halves(&self, first: &str, second: &str) -> bool {
        let Some(keys) = self.index.keys() else { return true };
        let has = |name: String| self.index.has(keys.identifier(Kind::Person, &normal::name(&name)));
        has(format!("{first} {second}")) || has(format!("{second} {first}"))
    }

    /// Names in a text without white space, by where they end.
    pub fn joined(&self, squeezed: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let reach = self.index.reach();
        if reach.joined == 0 {
            return hits;
        }
        let (gates, house) = (self.index.gates(), self.index.gatehouse());
        // From the end, because a name may begin with letters of ASCII, and those
        // are looked at only where the script follows soon enough.
        let mut next = ['\0'; 3];
        let mut far = u32::MAX;
        let mut rest = squeezed;
        while let Some(c) = rest.chars().next_back() {
            if c.is_ascii() && far >= reach.lead {
                let (before, run) = rest.split_at(ascii_tail(rest.as_bytes()));
                let mut after = run.chars().take(3).chain(next);
                next = std::array::from_fn(|_| after.next().unwrap_or_default());
                rest = before;
                continue;
            }
            rest = &rest[..rest.len() - c.len_utf8()];
            far = if is_joined(c) { 0 } else { far.saturating_add(1) };
            let four = [c, next[0], next[1], next[2]];
            if far <= reach.lead && house.has(gates.joined(four)) {
                self.joined_at(squeezed, rest.len(), four, &mut hits);
            }
            next = [c, next[0], next[1]];
        }
        hits.sort_unstable_by_key(|hit| (hit.end, hit.start));
        hits
    }

    /// Every name that begins here.
    fn joined_at(&self, text: &str, start: usize, four: [char; 4], hits: &mut Vec<Hit>) {
        let rest = &text[start..];
        let goes_on = |most| self.index.gatehouse().has(self.index.gates().beginning(head(rest, most)));
        let longest = match self.longest_joined() {
            longest if longest >= TELLING && is_common(four) && !goes_on(TELLING) => TELLING - 1,
            longest if longest > LONG && !goes_on(LONG) => LONG,
            longest => longest,
        };
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
        for end in ends.take(longest).skip(JOINED_MIN - 1) {
            self.take(text, start, start + end, Form::Joined, hits);
        }
    }

    fn take(&self, text: &str, start: usize, end: usize, wanted: Form, hits: &mut Vec<Hit>) {
        let name = &text[start..end];
        let hash = match self.index.keys() {
            Some(keys) => {
                let hashes = [Kind::Person, Kind::Organisation].map(|kind| keys.identifier(kind, name));
                hashes.into_iter().find(|hash| self.index.has(*hash))
            }
            // Without keys the beginning alone must do: that only holds more.
            None => Some(0),
        };
        if let Some(hash) = hash
            && form(name) == wanted
        {
            hits.push(Hit { start, end, hash, how: How::Plain, name: None });
        }
    }
}

/// Where the characters of ASCII begin with which a text ends.
fn ascii_tail(text: &[u8]) -> usize {
    let (head, words) = text.as_rchunks::<8>();
    let whole = words.iter().rev().take_while(|word| u64::from_le_bytes(**word) & 0x8080_8080_8080_8080 == 0).count();
    let rest = head.len() + (words.len() - whole) * 8;
    text[..rest].iter().rposition(|byte| !byte.is_ascii()).map_or(0, |at| at + 1)
}

/// Whether a name may begin behind this beginning of a word: behind a sign, another script,
/// or what Arabic and Hebrew write together with the word that follows.
pub fn starts_word(before: &str) -> bool {
    const PREFIXES: [&str; 14] = ["و", "ل", "ب", "ف", "ك", "لل", "ו", "ל", "ב", "מ", "ה", "ש", "כ", "של"];
    !before.ends_with(is_within) || (!before.is_ascii() && PREFIXES.contains(&before))
}

/// The first characters of a text, so many at most.
pub fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
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
    let least = if name.chars().any(normal::is_spaceless) { SPACELESS_MIN } else { JOINED_MIN };
    if name.chars().nth(least - 1).is_some() { Form::Joined } else { Form::Short }
}

/// A folded text as names are searched for in it: without its white space, and with single
/// spaces and its words as names spell them.
pub fn squeeze(folded: &str) -> (String, String) {
    let folded = &*normal::search(folded);
    let mut joined = String::with_capacity(folded.len());
    joined.extend(folded.split(|c| normal::is_between(c) || c == normal::MIDDLE_DOT));
    (joined, normal::spelled(folded))
}

/// A path, a query's value or a file's name as words, if it has any: `ada-ashgrove`.
pub fn slug(view: &View<'_>, folded: &str) -> Option<String> {
    const SIGNS: [char; 3] = ['-', '.', '+'];
    (view.place.is_path() && folded.contains(SIGNS))
        .then(|| normal::spelled(&normal::search(folded).replace(SIGNS, " ")))
}

/// Whether a character of a text by single spaces is no part of a name without them.
pub fn is_gap(c: char) -> bool {
    c == ' ' || c == normal::MIDDLE_DOT
}
