//! Gates: how a name that may begin here is noticed, without keeping any name.
//!
//! A gate is a keyed hash of a name's beginning: its first four characters, or
//! its first two words, or, of a name without spaces that is longer than
//! [`LONG`] characters, its first [`LONG`]; and where the first four are those of
//! thousands of companies, the first [`TELLING`]. All gates of a directory stand in
//! lines of their own, which stay in the cache. A gate that opens says only that
//! a name may begin; whether one does, its own keyed hash says.
//!
//! The hash is asked for at every character of a text, so it is two secret-keyed
//! multiplications, not SipHash: somebody who has the file and not the key sees
//! 32-bit fingerprints of it. Infallible.

use crate::guard::find::names::{self, Form, is_joined, is_within};

/// Names without spaces up to so many characters are told from longer ones by
/// their first four alone.
pub const LONG: usize = 32;

/// Of a name that begins as thousands do, so many characters make a gate too.
pub const TELLING: usize = 6;

/// How the names of bodies begin, canonical: these four characters tell nothing.
const COMMON: [[char; 4]; 12] = [
    ['株', '式', '会', '社'],
    ['有', '限', '会', '社'],
    ['合', '同', '会', '社'],
    ['合', '資', '会', '社'],
    ['一', '般', '社', '団'],
    ['一', '般', '財', '団'],
    ['公', '益', '社', '団'],
    ['公', '益', '財', '団'],
    ['医', '療', '法', '人'],
    ['学', '校', '法', '人'],
    ['社', '会', '福', '祉'],
    ['特', '定', '非', '営'],
];

/// Whether a name that begins so has a gate of [`TELLING`] characters too, if it
/// is as long.
pub fn is_common(four: [char; 4]) -> bool {
    COMMON.contains(&four)
}

/// The secret of the gates.
#[derive(Clone)]
pub struct Gates([u64; 4]);

impl Gates {
    /// From a key's bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        let (words, _) = key.as_chunks::<8>();
        Self([0, 1, 2, 3].map(|n| u64::from_le_bytes(words[n])))
    }

    /// Of the first four characters of a name without spaces.
    #[inline]
    pub fn joined(&self, four: [char; 4]) -> u128 {
        let pair = |a: char, b: char| u64::from(u32::from(a)) << 32 | u64::from(u32::from(b));
        self.close(mix(pair(four[0], four[1]) ^ self.0[0], pair(four[2], four[3]) ^ self.0[1]))
    }

    /// Of the first [`TELLING`] or [`LONG`] characters of a name without spaces.
    pub fn beginning(&self, beginning: &str) -> u128 {
        self.close(self.bytes(self.0[2], beginning.as_bytes()))
    }

    /// Of the first two words of a name of words; of the second only what the
    /// end of the name, in a text, leaves of it for sure: its first letters and
    /// digits of a script with spaces.
    #[inline]
    pub fn worded(&self, first: &str, second: &str) -> u128 {
        let bytes = second.as_bytes();
        let ascii = bytes.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(bytes.len());
        let sure = match bytes.get(ascii) {
            Some(byte) if !byte.is_ascii() => second.find(|c| !is_within(c)).unwrap_or(bytes.len()),
            _ => ascii,
        };
        self.close(self.bytes(self.bytes(self.0[3], first.as_bytes()), &bytes[..sure]))
    }

    /// Of the first word of a name of words alone.
    #[inline]
    pub fn first(&self, first: &str) -> u128 {
        self.close(self.bytes(!self.0[3], first.as_bytes()))
    }

    fn bytes(&self, start: u64, bytes: &[u8]) -> u64 {
        let mut state = start ^ bytes.len() as u64;
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            state = mix(state ^ u64::from_le_bytes(word), self.0[1]);
        }
        let last = chunks.remainder().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        mix(state ^ last, self.0[0])
    }

    #[inline]
    fn close(&self, state: u64) -> u128 {
        let hash = mix(state ^ self.0[2], self.0[3] | 1);
        u128::from(hash) << 64 | u128::from(hash as u32)
    }
}

/// Both halves of the product of two words.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

/// What the search must know of all names together: how far it has to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The longest name without spaces, in characters.
    pub joined: u32,
    /// The most characters that stand before the first one of a script without
    /// spaces, in any name without spaces.
    pub lead: u32,
    /// The most words of a name of words.
    pub words: u32,
    /// The longest first word of one, in bytes.
    pub first: u32,
}

impl Reach {
    /// The further of two.
    pub fn max(self, other: Self) -> Self {
        Self {
            joined: self.joined.max(other.joined),
            lead: self.lead.max(other.lead),
            words: self.words.max(other.words),
            first: self.first.max(other.first),
        }
    }
}

/// Gates gathered while a directory is read; memory is that of the distinct ones.
#[derive(Default)]
pub struct Gathered {
    hashes: Vec<u128>,
    /// How many there were when doubles were last thrown out.
    distinct: usize,
    /// How far the search has to look.
    pub reach: Reach,
}

impl Gathered {
    /// Takes a canonical name in.
    pub fn add(&mut self, gates: &Gates, name: &str) {
        match names::form(name) {
            Form::Short => return,
            Form::Worded => {
                let mut words = name.split(' ');
                let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                self.hashes.push(gates.worded(first, second));
                self.hashes.push(gates.first(first));
                self.reach.first = self.reach.first.max(first.len() as u32);
                self.reach.words = self.reach.words.max(2 + words.count() as u32);
            }
            Form::Joined => {
                let length = name.chars().count();
                let mut four = ['\0'; 4];
                four.iter_mut().zip(name.chars()).for_each(|(place, c)| *place = c);
                self.hashes.push(gates.joined(four));
                if length >= TELLING && is_common(four) {
                    self.hashes.push(gates.beginning(names::head(name, TELLING)));
                }
                if length > LONG {
                    self.hashes.push(gates.beginning(names::head(name, LONG)));
                }
                let lead = name.chars().take_while(|c| !is_joined(*c)).count();
                self.reach.joined = self.reach.joined.max(length as u32);
                self.reach.lead = self.reach.lead.max(lead as u32);
            }
        }
        if self.hashes.len() > 2 * self.distinct + 100_000 {
            self.thin();
        }
    }

    fn thin(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.distinct = self.hashes.len();
    }

    /// Every gate once, in ascending order.
    pub fn sorted(&mut self) -> &[u128] {
        self.thin();
        &self.hashes
    }
}
