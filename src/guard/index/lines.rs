//! Lines: which keyed hashes are there, at one cache line a question.
//!
//! A line is 64 bytes: 16 fingerprints of 32 bits, little-endian, filled from the
//! front; zero is an empty place. The upper 64 bits of a hash choose its home
//! line by multiplication, so that any number of lines will do and sorted hashes
//! fill the lines in order; the lower 32 bits are the fingerprint, a zero written
//! as one. Lines are filled to 12 of 16 on average: 5.33 bytes a hash.
//!
//! Invariant: a fingerprint that finds its home line full stands in the first
//! line after it with a place, and every line between is full. So a reader goes
//! on as long as lines are full, and nothing that was written is ever missed,
//! however the hashes fall. Lines behind the last home line take what is left.
//!
//! A hit may be by chance, at 16 in 2³² a question. Errors: the writer's.

use std::collections::VecDeque;
use std::io::{self, Write};

/// Bytes of a line.
pub const LINE: usize = 64;
const SLOTS: usize = 16;
/// Fingerprints that a line has room for when hashes fall evenly.
const FILL: u64 = 12;

/// The home lines that so many hashes need.
pub fn homes(hashes: u64) -> u64 {
    hashes.div_ceil(FILL)
}

fn home(homes: u64, hash: u128) -> u64 {
    (((hash >> 64) * u128::from(homes)) >> 64) as u64
}

fn fingerprint(hash: u128) -> u32 {
    (hash as u32).max(1)
}

/// Whether a hash is there; `lines` is what [`Writer`] wrote with as many homes.
#[inline]
pub fn has(lines: &[u8], homes: u64, hash: u128) -> bool {
    let wanted = fingerprint(hash);
    let (lines, _) = lines.as_chunks::<LINE>();
    let mut at = home(homes, hash) as usize;
    while let Some(line) = lines.get(at) {
        let (slots, _) = line.as_chunks::<4>();
        let mut found = false;
        for slot in slots {
            found |= u32::from_le_bytes(*slot) == wanted;
        }
        if found {
            return true;
        }
        if slots[SLOTS - 1] == [0; 4] {
            return false;
        }
        at += 1;
    }
    false
}

/// Writes lines from hashes in ascending order, in one pass.
pub struct Writer<W> {
    out: W,
    homes: u64,
    /// Lines written.
    line: u64,
    slots: [u8; LINE],
    filled: usize,
    /// What found its line full; it goes first into the next.
    spill: VecDeque<u32>,
}

impl<W: Write> Writer<W> {
    /// Begins lines with so many homes.
    pub fn new(out: W, homes: u64) -> Self {
        Self { out, homes, line: 0, slots: [0; LINE], filled: 0, spill: VecDeque::new() }
    }

    /// Adds a hash, not below the one before it.
    ///
    /// # Errors
    /// It is below the one before, or the output fails.
    pub fn push(&mut self, hash: u128) -> io::Result<()> {
        let home = home(self.homes, hash);
        while self.line < home {
            self.write_line()?;
        }
        if self.line > home {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "hashes came out of order"));
        }
        if self.filled < SLOTS {
            self.place(fingerprint(hash));
        } else {
            self.spill.push_back(fingerprint(hash));
        }
        Ok(())
    }

    /// Writes what is left; returns the output.
    ///
    /// # Errors
    /// The output fails.
    pub fn finish(mut self) -> io::Result<W> {
        while self.line < self.homes || self.filled > 0 {
            self.write_line()?;
        }
        Ok(self.out)
    }

    fn place(&mut self, fingerprint: u32) {
        self.slots[self.filled * 4..][..4].copy_from_slice(&fingerprint.to_le_bytes());
        self.filled += 1;
    }

    fn write_line(&mut self) -> io::Result<()> {
        self.out.write_all(&self.slots)?;
        self.line += 1;
        (self.slots, self.filled) = ([0; LINE], 0);
        while self.filled < SLOTS
            && let Some(fingerprint) = self.spill.pop_front()
        {
            self.place(fingerprint);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(mut hashes: Vec<u128>, homes: u64) -> Vec<u8> {
        hashes.sort_unstable();
        let mut writer = Writer::new(Vec::new(), homes);
        for hash in hashes {
            writer.push(hash).unwrap();
        }
        writer.finish().unwrap()
    }

    fn random(count: usize, seed: u64) -> Vec<u128> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..count).map(|_| random.u128(..)).collect()
    }

    #[test]
    fn nothing_is_missed_and_chance_hits_are_rare() {
        let hashes = random(200_000, 1);
        let homes = homes(200_000);
        let lines = written(hashes.clone(), homes);
        assert!(hashes.iter().all(|hash| has(&lines, homes, *hash)));
        assert!(lines.len() as f64 / 200_000.0 < 5.4, "{} bytes", lines.len());
        let chance = random(1_000_000, 2).into_iter().filter(|hash| has(&lines, homes, *hash)).count();
        assert!(chance <= 2, "{chance} of a million");
    }

    #[test]
    fn everything_in_one_line_is_found() {
        // All in the last home, all in the first, and fingerprints of zero.
        for upper in [u64::MAX, 0, 1 << 63] {
            let hashes: Vec<u128> = (0..1_000).map(|n| u128::from(upper) << 64 | u128::from(n as u32)).collect();
            let lines = written(hashes.clone(), 84);
            assert!(hashes.iter().all(|hash| has(&lines, 84, *hash)));
            assert!(!has(&lines, 84, u128::from(upper) << 64 | 0xffff));
        }
    }

    #[test]
    fn no_lines_hold_nothing() {
        assert!(!has(&[], 0, 7));
        assert!(!has(&written(Vec::new(), 0), 0, 7));
        assert!(!has(&written(Vec::new(), 3), 3, 7));
    }

    #[test]
    fn hashes_out_of_order_are_refused() {
        let mut writer = Writer::new(Vec::new(), 4);
        writer.push(u128::MAX).unwrap();
        assert!(writer.push(1).is_err());
    }

    proptest! {
        #[test]
        fn what_was_written_is_found_however_it_falls(
            uppers in proptest::collection::vec(0_u64..8, 0..400), homes in 1_u64..40, shift in 0_u32..62
        ) {
            // A few uppers only: lines overflow into each other all the time.
            let hashes: Vec<u128> =
                uppers.iter().enumerate().map(|(n, upper)| u128::from(upper << shift) << 64 | (n as u128 / 3)).collect();
            let lines = written(hashes.clone(), homes);
            for hash in hashes {
                prop_assert!(has(&lines, homes, hash));
            }
        }
    }
}
