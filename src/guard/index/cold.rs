//! The cold part: sorted keyed hashes and whose they are, exact, in blocks that
//! prove themselves.
//!
//! A record is 20 bytes: the hash, big-endian, and a word, little-endian (see
//! [`crate::guard::index::build`]). A block is 4096 bytes: 204 records and the
//! first 16 bytes of a BLAKE3 over the block's number and its records. A page of
//! it is touched only when the lines say that a hash is there.
//!
//! Invariant: an answer, and above all a *no*, rests only on blocks whose sums
//! are right: the record itself, or the two neighbours between which it would
//! stand. Errors: [`Damaged`].

use std::cmp::Ordering;
use std::io::{self, Write};

use rayon::prelude::*;

/// Bytes of a block: one page.
pub const BLOCK: usize = 4096;
const RECORD: usize = 20;
const RECORDS: usize = 204;
const SUM: usize = 16;
/// Blocks that one thread takes at once.
const BLOCKS_MIN: usize = 256;

/// A block is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// The blocks that so many records need.
pub fn blocks(records: u64) -> u64 {
    records.div_ceil(RECORDS as u64)
}

fn sum(block: u64, records: &[u8]) -> [u8; SUM] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&block.to_le_bytes()).update(records);
    let mut sum = [0; SUM];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..SUM]);
    sum
}

/// Writes records in ascending order of their hashes.
pub struct Writer<W> {
    out: W,
    block: Vec<u8>,
    number: u64,
    /// Records written.
    pub records: u64,
}

impl<W: Write> Writer<W> {
    /// Begins.
    pub fn new(out: W) -> Self {
        Self { out, block: Vec::with_capacity(BLOCK), number: 0, records: 0 }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// The output fails.
    pub fn push(&mut self, hash: u128, word: u32) -> io::Result<()> {
        self.block.extend_from_slice(&hash.to_be_bytes());
        self.block.extend_from_slice(&word.to_le_bytes());
        self.records += 1;
        if self.block.len() == RECORDS * RECORD { self.close() } else { Ok(()) }
    }

    /// Writes what is left; returns the output.
    ///
    /// # Errors
    /// The output fails.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.close()?;
        }
        Ok(self.out)
    }

    fn close(&mut self) -> io::Result<()> {
        self.block.resize(RECORDS * RECORD, 0);
        let sum = sum(self.number, &self.block);
        self.block.extend_from_slice(&sum);
        self.out.write_all(&self.block)?;
        self.block.clear();
        self.number += 1;
        Ok(())
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Clone, Copy)]
pub struct Cold<'b> {
    blocks: &'b [[u8; BLOCK]],
    records: usize,
}

impl<'b> Cold<'b> {
    /// So many records of these bytes; no more than the bytes hold.
    pub fn new(bytes: &'b [u8], records: u64) -> Self {
        let (blocks, _) = bytes.as_chunks::<BLOCK>();
        Self { blocks, records: (records as usize).min(blocks.len() * RECORDS) }
    }

    fn record(&self, at: usize) -> (u128, u32) {
        let record = &self.blocks[at / RECORDS][at % RECORDS * RECORD..][..RECORD];
        let (mut hash, mut word) = ([0; 16], [0; 4]);
        hash.copy_from_slice(&record[..16]);
        word.copy_from_slice(&record[16..]);
        (u128::from_be_bytes(hash), u32::from_le_bytes(word))
    }

    /// A hash's word; `None` if the hash is not there.
    ///
    /// # Errors
    /// A block that the answer rests on is damaged.
    pub fn find(&self, hash: u128) -> Result<Option<u32>, Damaged> {
        let at = self.first_not_below(hash);
        let mut found = None;
        for neighbour in [at.checked_sub(1), Some(at)].into_iter().flatten().filter(|n| *n < self.records) {
            self.prove(neighbour / RECORDS)?;
            let (here, word) = self.record(neighbour);
            match (here.cmp(&hash), neighbour < at) {
                (Ordering::Equal, false) => found = Some(word),
                (Ordering::Less, true) | (Ordering::Greater, false) => {}
                // Misled by another block.
                _ => return Err(Damaged),
            }
        }
        Ok(found)
    }

    fn prove(&self, block: usize) -> Result<(), Damaged> {
        let (records, written) = self.blocks[block].split_at(RECORDS * RECORD);
        if sum(block as u64, records) == written { Ok(()) } else { Err(Damaged) }
    }

    /// Hashes are even, so a guess by proportion is near; what guesses leave is
    /// halved, so that damage costs time and no more.
    fn first_not_below(&self, hash: u128) -> usize {
        const GUESSES: usize = 6;
        let (mut low, mut high) = (0, self.records);
        let (mut below, mut above) = (0_u64, u64::MAX);
        let wanted = (hash >> 64) as u64;
        let mut guesses = 0;
        while low < high {
            let middle = if guesses < GUESSES && below < above && (below..=above).contains(&wanted) {
                let part = u128::from(wanted - below) * (high - low) as u128 / u128::from(above - below);
                low + (part as usize).min(high - low - 1)
            } else {
                low + (high - low) / 2
            };
            guesses += 1;
            let (here, _) = self.record(middle);
            if here < hash {
                (low, below) = (middle + 1, (here >> 64) as u64);
            } else {
                (high, above) = (middle, (here >> 64) as u64);
            }
        }
        low
    }

    /// Every record, on all threads; each block is proved first, and that the hashes
    /// ascend. Says how many there are.
    ///
    /// # Errors
    /// A block is damaged, or `each` says no.
    pub fn each(&self, each: impl Fn(u128, u32) -> bool + Sync) -> Result<u64, Damaged> {
        let blocks = (0..self.records.div_ceil(RECORDS)).into_par_iter().with_min_len(BLOCKS_MIN);
        blocks.try_for_each(|block| {
            self.prove(block)?;
            let first = block * RECORDS;
            let mut before = first.checked_sub(1).map(|last| self.record(last).0);
            for at in first..self.records.min(first + RECORDS) {
                let (hash, word) = self.record(at);
                if before.is_some_and(|before| before >= hash) || !each(hash, word) {
                    return Err(Damaged);
                }
                before = Some(hash);
            }
            Ok(())
        })?;
        Ok(self.records as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(count: usize) -> Vec<u128> {
        let mut random = fastrand::Rng::with_seed(3);
        let mut hashes: Vec<u128> = (0..count).map(|_| random.u128(..)).collect();
        hashes.sort_unstable();
        hashes
    }

    fn written(hashes: &[u128]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (n, hash) in hashes.iter().enumerate() {
            writer.push(*hash, n as u32).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn every_record_is_found_and_nothing_else() {
        for count in [0, 1, 203, 204, 205, 10_000] {
            let hashes = sorted(count);
            let bytes = written(&hashes);
            assert_eq!(bytes.len() as u64, blocks(count as u64) * BLOCK as u64);
            let cold = Cold::new(&bytes, count as u64);
            for (n, hash) in hashes.iter().enumerate() {
                assert_eq!(cold.find(*hash), Ok(Some(n as u32)));
                assert_eq!(cold.find(hash ^ 1), Ok(None));
            }
            assert_eq!(cold.find(0), Ok(None));
            assert_eq!(cold.find(u128::MAX), Ok(None));
        }
    }

    #[test]
    fn hashes_that_are_not_even_are_found_too() {
        let hashes: Vec<u128> = (0..5_000).collect();
        let bytes = written(&hashes);
        let cold = Cold::new(&bytes, 5_000);
        assert!(hashes.iter().all(|hash| cold.find(*hash) == Ok(Some(*hash as u32))));
    }

    #[test]
    fn damage_never_answers_no() {
        let hashes = sorted(3_000);
        let bytes = written(&hashes);
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..60 {
            let mut broken = bytes.clone();
            let at = random.usize(..broken.len());
            broken[at] ^= 1 << random.u8(..8);
            let cold = Cold::new(&broken, 3_000);
            for (n, hash) in hashes.iter().enumerate() {
                let found = cold.find(*hash);
                assert!(found == Ok(Some(n as u32)) || found == Err(Damaged), "{found:?}");
            }
            assert_eq!(cold.each(|_, _| true), Err(Damaged));
        }
        // More records told than there are bytes.
        assert_eq!(Cold::new(&bytes, u64::MAX).find(hashes[7]).ok().flatten(), Some(7));
    }
}
