//! Names of words: `Ada Ashgrove`, also with others between their halves (`Ada J. Ashgrove`),
//! with signs for the blanks (`ada-ashgrove`, `ashgrove.ada`), and without (`adaashgrove`).
//!
//! Input: searched text by single spaces. Output: hits. The first word's gate is asked at
//! each word, and all else only where a name begins with it. Infallible.

use crate::account::Kind;
use crate::guard::find::names::{Form, Hit, How, Names, form, is_joined, is_within, starts_word};
use crate::guard::lexicon::{self, Role};

/// The most words between the halves of a name, which the directory has without them.
pub const MIDDLES_MAX: usize = 2;
/// The longest of them, in bytes.
const MIDDLE_MAX: usize = 24;
/// The shortest name that may have the ending of a genitive, in bytes.
const GENITIVE_MIN: usize = 3;
/// The letters of a name that is written without any sign: shorter ones are pieces of words.
const GLUED: std::ops::RangeInclusive<usize> = 8..=40;
/// The fewest letters of its first word.
const GLUED_FIRST_MIN: usize = 2;

/// Whether a word may stand between the halves of a name: an initial, or no common word.
pub fn is_middle(word: &str) -> bool {
    let is_initials = || word.split('.').all(|letter| letter.chars().nth(1).is_none());
    let is_name = |word: &str| word.chars().all(|c| is_within(c) && !c.is_numeric() || c == '-' || c == '\'');
    word.len() <= MIDDLE_MAX
        && word.starts_with(is_within)
        && !word.starts_with(|c: char| c.is_numeric())
        && !lexicon::of(Role::Form).has(word)
        && (is_initials() || is_name(word) && !lexicon::is_common(word))
}

/// A text up to the genitive's ending of its first word, if that may have one: `tiedemann` of
/// `tiedemanns domains`. Names in s have none.
pub fn without_genitive(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_within(c)).unwrap_or(text.len());
    let name = text[..end].strip_suffix('s')?;
    (name.len() >= GENITIVE_MIN && !name.ends_with(['s', 'x', 'z', '\'', '’'])).then_some(name)
}

/// Whether a sign joins the two words around it: `ada-ashgrove`.
fn joins(bytes: &[u8], at: usize) -> bool {
    let is_letter = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphabetic() || !b.is_ascii());
    at > 0 && is_letter(bytes.get(at - 1)) && is_letter(bytes.get(at + 1))
}

impl Names<'_> {
    /// Whether a name of words begins with this one.
    #[inline]
    pub fn is_first(&self, word: &str) -> bool {
        self.index.gatehouse().has(self.index.gates().first(word))
    }

    /// The most words of a text from a name's first to its last.
    pub fn longest_span(&self) -> usize {
        self.longest_words() + MIDDLES_MAX
    }

    /// Names in a text whose white space is single spaces, by whole words.
    pub fn worded(&self, spaced: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        if !self.has_worded() {
            return hits;
        }
        let first_max = self.longest_first();
        let bytes = spaced.as_bytes();
        let mut from = 0;
        for to in memchr::memchr3_iter(b' ', b'-', b'.', bytes) {
            let is_space = bytes[to] == b' ';
            if !is_space && !joins(bytes, to) {
                continue;
            }
            // From the end of the word: a name's first word is no longer than the
            // longest, and has no character of a script without spaces.
            for at in (from.max(to.saturating_sub(first_max))..to).rev() {
                let is_letter = || spaced.get(at..).and_then(|rest| rest.chars().next()).is_some_and(is_joined);
                if !bytes[at].is_ascii() && is_letter() {
                    break;
                }
                if !spaced.is_char_boundary(at) || !starts_word(&spaced[from..at]) {
                    continue;
                }
                if self.is_first(&spaced[at..to]) {
                    self.worded_at(spaced, at, to, &mut hits);
                }
                if !is_space {
                    break;
                }
            }
            if is_space {
                from = to + 1;
            }
        }
        hits.sort_unstable_by_key(|hit| (hit.end, hit.start, hit.how, hit.hash));
        // A hyphen and the blank behind it may both begin to tell of one.
        hits.dedup();
        hits
    }

    /// Every name whose first word stands here.
    fn worded_at(&self, text: &str, start: usize, to: usize, hits: &mut Vec<Hit>) {
        let (first, rest) = (&text[start..to], &text[to + 1..]);
        let (gates, house) = (self.index.gates(), self.index.gatehouse());
        if self.may_begin_worded(first, rest) {
            self.whole_at(text, start, hits);
        }
        let sign = char::from(text.as_bytes()[to]);
        let mut after = rest;
        for _ in 0..MIDDLES_MAX {
            let Some((_, behind)) = after.split_once(sign).filter(|(middle, _)| is_middle(middle)) else { return };
            if house.has(gates.worded(first, behind)) {
                self.around_at(text, start..to, text.len() - behind.len(), hits);
            }
            after = behind;
        }
    }

    /// Where each word of a text ends, from a place on; so many words at most.
    fn ends(text: &str, from: usize, most: usize) -> impl Iterator<Item = usize> {
        let mut words = 0;
        let within = text[from..].char_indices().take_while(move |(at, c)| {
            words += usize::from(*c == ' ' || joins(text.as_bytes(), from + at) && matches!(c, '-' | '.'));
            !is_joined(*c) && words < most
        });
        within.map(move |(at, c)| from + at + c.len_utf8()).filter(|end| !text[*end..].starts_with(is_within))
    }

    /// Every name that begins here, its words one behind the other.
    fn whole_at(&self, text: &str, start: usize, hits: &mut Vec<Hit>) {
        // `van-der-berg ada` has more pieces than the longest name has words.
        for end in Self::ends(text, start, 2 * self.longest_words()) {
            let name = &text[start..end];
            if name.contains(' ') {
                self.take(text, start, end, Form::Worded, hits);
                let last = name.rfind(' ').map_or(start, |at| start + at + 1);
                if let Some(name) = without_genitive(&text[last..end]) {
                    self.take(text, start, last + name.len(), Form::Worded, hits);
                }
            }
            if name.contains(['-', '.']) {
                let name = name.replace(['-', '.'], " ");
                if name.split(' ').count() <= self.longest_words() {
                    self.take_as(start..end, name, How::Signs, hits);
                }
            }
        }
    }

    /// Every name of a first word and, behind others, more.
    fn around_at(&self, text: &str, first: std::ops::Range<usize>, from: usize, hits: &mut Vec<Hit>) {
        for end in Self::ends(text, from, self.longest_words().saturating_sub(1)) {
            let name = format!("{} {}", &text[first.clone()], text[from..end].replace(['-', '.'], " "));
            self.take_as(first.start..end, name, How::Middle, hits);
            if text[from..end].contains('-') {
                let name = format!("{} {}", &text[first.clone()], &text[from..end]);
                self.take_as(first.start..end, name, How::Middle, hits);
            }
        }
    }

    /// Takes a name that is written otherwise.
    fn take_as(&self, place: std::ops::Range<usize>, name: String, how: How, hits: &mut Vec<Hit>) {
        let mut found = Vec::new();
        self.take(&name, 0, name.len(), Form::Worded, &mut found);
        // Without keys, or by a body's name, nobody has others in the middle of a name.
        let is_person = |hash| self.index.keys().is_none_or(|keys| keys.identifier(Kind::Person, &name) == hash);
        if let Some(hit) = found.pop().filter(|hit| how != How::Middle || is_person(hit.hash)) {
            hits.push(Hit { start: place.start, end: place.end, hash: hit.hash, how, name: Some(name.into()) });
        }
    }

    /// The name that a word is, if its parts are written together: `adaashgrove`.
    pub fn glued(&self, text: &str, place: std::ops::Range<usize>) -> Option<Hit> {
        let word = &text[place.clone()];
        let count = word.chars().count();
        if !self.has_worded() || !GLUED.contains(&count) || word.contains(is_joined) || lexicon::is_common(word) {
            return None;
        }
        let (gates, house) = (self.index.gates(), self.index.gatehouse());
        let mut hits = Vec::new();
        let cuts = |from: usize| word[from..].char_indices().map(move |(at, _)| from + at);
        for cut in cuts(0).skip(GLUED_FIRST_MIN).filter(|cut| self.is_first(&word[..*cut])) {
            let (first, rest) = word.split_at(cut);
            if house.has(gates.worded(first, rest)) {
                self.take_as(place.clone(), format!("{first} {rest}"), How::Glued, &mut hits);
            }
            for second in cuts(cut).skip(1).filter(|second| house.has(gates.worded(first, &word[cut..*second]))) {
                let name = format!("{first} {} {}", &word[cut..second], &word[second..]);
                self.take_as(place.clone(), name, How::Glued, &mut hits);
            }
        }
        hits.pop().filter(|_| form(word) != Form::Joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_stand_between_two_halves() {
        for word in ["j", "j.", "j.m.", "james", "иванович", "ann-marie"] {
            assert!(is_middle(word), "{word}");
        }
        for word in ["and", "&", "", "went", "james,", "12", "(j", "山田", "a1", "ltd", "gmbh"] {
            assert!(!is_middle(word), "{word}");
        }
    }
}
