//! What is remembered of passages: exact text → what was found of it.
//!
//! A passage is looked up by its whole text, so that no collision can lend one
//! the verdict of another. It is taken in at its second appearance only: what
//! one recipient's message alone contains is not kept. Bounded in entries and
//! bytes; when a memo is full it begins anew, which costs time and changes no
//! verdict.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Entries in one memo, at most.
const ENTRIES_MAX: usize = 4_096;
/// Bytes of text in one memo, at most.
const BYTES_MAX: usize = 1 << 20;
/// Passages whose first appearance is remembered, a power of two.
const NOTED: usize = 16_384;

/// Exact text → `T`.
pub struct Memo<T> {
    entries: HashTable<Entry<T>>,
    bytes: usize,
    noted: Box<[u32]>,
    hasher: DefaultHashBuilder,
}

struct Entry<T> {
    hash: u64,
    text: Box<[u8]>,
    what: T,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            entries: HashTable::new(),
            bytes: 0,
            noted: vec![0; NOTED].into_boxed_slice(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T> Memo<T> {
    /// What was found of a text, if it is remembered.
    pub fn get(&self, text: &[u8]) -> Option<&T> {
        let hash = self.hasher.hash_one(text);
        self.entries.find(hash, |entry| *entry.text == *text).map(|entry| &entry.what)
    }

    /// As [`Memo::get`], to add to it.
    pub fn get_mut(&mut self, text: &[u8]) -> Option<&mut T> {
        let hash = self.hasher.hash_one(text);
        self.entries.find_mut(hash, |entry| *entry.text == *text).map(|entry| &mut entry.what)
    }

    /// Notes that a text was seen, and says under which hash to remember it if
    /// it was seen before.
    pub fn note(&mut self, text: &[u8]) -> Option<u64> {
        let hash = self.hasher.hash_one(text);
        let mark = (hash >> 32) as u32;
        // Two places: of two texts of each message that share one, neither would be known.
        // Both are read before they are written: they may be the same.
        let places = [hash, hash >> NOTED.ilog2()].map(|bits| bits as usize & (NOTED - 1));
        let again = places.iter().any(|place| self.noted[*place] == mark);
        places.iter().for_each(|place| self.noted[*place] = mark);
        again.then_some(hash)
    }

    /// Remembers something of a text that is not noted before.
    pub fn keep_new(&mut self, text: &[u8], what: T) {
        self.keep(self.hasher.hash_one(text), text, what);
    }

    /// Remembers what was found of a text. `hash` is what [`Memo::note`] gave.
    pub fn keep(&mut self, hash: u64, text: &[u8], what: T) {
        if self.entries.len() >= ENTRIES_MAX || self.bytes + text.len() > BYTES_MAX {
            self.entries.clear();
            self.bytes = 0;
        }
        self.bytes += text.len();
        self.entries.insert_unique(hash, Entry { hash, text: text.into(), what }, |entry| entry.hash);
    }
}

/// Memos that are not in use: each judgement takes one set and gives it back,
/// so that threads share nothing while they judge.
#[derive(Default)]
pub struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

impl<T: Default> Pool<T> {
    /// Runs `work` with a set of its own.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let mut one = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let done = work(&mut one);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_from_its_second_appearance() {
        let mut memo = Memo::default();
        assert_eq!(memo.note(b"one"), None);
        let hash = memo.note(b"one").expect("it was seen before");
        assert_eq!(memo.get(b"one"), None);
        memo.keep(hash, b"one", 1);
        assert_eq!(memo.get(b"one"), Some(&1));
    }

    #[test]
    fn texts_that_share_a_place_are_known_all_the_same() {
        let mut memo: Memo<()> = Memo::default();
        let texts: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        // Hashes are other ones in each process: two marks may be the same, once in 10,000 runs.
        let early = texts.iter().filter(|text| memo.note(text.as_bytes()).is_some()).count();
        assert!(early < 2, "{early} known before they were seen");
        let known = texts.iter().filter(|text| memo.note(text.as_bytes()).is_some()).count();
        // One place each would leave out some 60 of them.
        assert!(known > 965, "{known}");
    }

    #[test]
    fn a_text_is_not_taken_for_another_of_the_same_hash() {
        let mut memo = Memo::default();
        memo.note(b"one");
        let hash = memo.note(b"one").expect("it was seen before");
        memo.keep(hash, b"two", 2);
        assert_eq!(memo.get(b"one"), None);
    }

    #[test]
    fn a_full_memo_begins_anew() {
        let mut memo = Memo::default();
        for n in 0..=ENTRIES_MAX {
            let text = n.to_string();
            let hash = memo.hasher.hash_one(text.as_bytes());
            memo.keep(hash, text.as_bytes(), n);
        }
        assert_eq!(memo.entries.len(), 1);
        let long = vec![b'x'; BYTES_MAX];
        memo.keep(7, &long, 0);
        assert_eq!(memo.entries.len(), 1);
    }
}
