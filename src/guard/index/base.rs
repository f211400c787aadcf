//! A finished index, read where it lies: in a mapped file or in memory.
//!
//! Input: the bytes that [`crate::guard::index::build`] made. Output: whether a
//! hash is there, and whose it is. Nothing is read ahead: the header alone is
//! looked at when it is opened, so that opening costs the same at any size.
//!
//! Errors: [`IndexError`] when it is opened or verified; [`Damaged`] when a
//! question meets bytes that are not what was written. No byte of the file can
//! make it read outside of it.

use std::fs::File;
use std::path::Path;

use rayon::prelude::*;

use memmap2::Mmap;

use crate::account::AccountId;
use crate::guard::index::build::{Out, SHARED};
use crate::guard::index::cold::{Cold, Damaged};
use crate::guard::index::header::{ACCOUNTS, COLD, GATES, Header, IndexError, LINES, LISTS, doing};
use crate::guard::index::{accounts, lines, map};

/// The bytes of an index.
pub(in crate::guard::index) enum Bytes {
    Map(Mmap),
    /// Begins at the first whole cache line of the buffer.
    Heap {
        buffer: Vec<u8>,
        start: usize,
    },
}

impl Bytes {
    /// Maps a file.
    pub fn map(file: &File) -> std::io::Result<Self> {
        Ok(Self::Map(map::map(file)?))
    }

    /// Puts parts together in memory, as they would lie in a file.
    pub fn heap(header: &Header, length: u64, cold: Out, rest: Out) -> Self {
        let mut buffer = vec![0; length as usize + lines::LINE];
        let start = buffer.as_ptr().align_offset(lines::LINE).min(lines::LINE);
        let mut put = |at: usize, bytes: &[u8]| buffer[start + at..][..bytes.len()].copy_from_slice(bytes);
        put(0, &header.write());
        for (section, part) in [(COLD, cold), (LINES, rest)] {
            if let Out::Memory(bytes) = part {
                put(header.sections[section].start as usize, &bytes);
            }
        }
        buffer.truncate(start + length as usize);
        Self::Heap { buffer, start }
    }

    fn get(&self) -> &[u8] {
        match self {
            Self::Map(map) => map,
            Self::Heap { buffer, start } => &buffer[*start..],
        }
    }
}

/// A finished index.
pub struct Base {
    bytes: Bytes,
    header: Header,
}

impl Base {
    /// Reads the header of an index's bytes.
    ///
    /// # Errors
    /// They are no index, or damaged, or cut.
    pub(in crate::guard::index) fn new(bytes: Bytes) -> Result<Self, IndexError> {
        let header = Header::read(bytes.get())?;
        Ok(Self { bytes, header })
    }

    /// Opens a file.
    ///
    /// # Errors
    /// There is none, it cannot be mapped, or it is no whole index.
    pub fn open(file: &Path) -> Result<Self, IndexError> {
        let opened = File::open(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => IndexError::Missing(file.to_owned()),
            _ => doing("opened")(error),
        })?;
        if opened.metadata().map_err(doing("opened"))?.len() == 0 {
            return Err(IndexError::Empty);
        }
        let base = Self::new(Bytes::map(&opened).map_err(doing("mapped"))?)?;
        if base.header.edition.identifiers == 0 { Err(IndexError::Empty) } else { Ok(base) }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of the lines, of the identifiers and of the gates.
    pub fn hot_bytes(&self) -> u64 {
        self.header.sections[LINES].length + self.header.sections[GATES].length
    }

    /// A part's bytes; the header was checked against their length.
    fn part(&self, section: usize) -> &[u8] {
        let section = &self.header.sections[section];
        let part = self.bytes.get().get(section.start as usize..).unwrap_or_default();
        part.get(..section.length as usize).unwrap_or_default()
    }

    fn cold(&self) -> Cold<'_> {
        Cold::new(self.part(COLD), self.header.records)
    }

    /// Whether a hash is there, but for chance: 16 in 2³².
    #[inline]
    pub fn has(&self, hash: u128) -> bool {
        lines::has(self.part(LINES), self.header.homes, hash)
    }

    /// The gates' lines, and how many of them are homes.
    pub fn gates(&self) -> (&[u8], u64) {
        (self.part(GATES), self.header.gate_homes)
    }

    /// Every account that owns a hash, up to `most`; none when nobody does.
    ///
    /// # Errors
    /// What the answer rests on is damaged.
    pub fn owners(&self, hash: u128, most: usize) -> Result<Vec<AccountId>, Damaged> {
        let Some(word) = self.cold().find(hash)? else { return Ok(Vec::new()) };
        let account = |number| accounts::read(self.part(ACCOUNTS), self.header.accounts, number).ok_or(Damaged);
        if word & SHARED == 0 {
            return Ok(vec![account(word)?]);
        }
        let (lists, _) = self.part(LISTS).as_chunks::<4>();
        let place = (word & !SHARED) as usize;
        let length = u32::from_le_bytes(*lists.get(place).ok_or(Damaged)?) as usize;
        let list = lists.get(place + 1..).and_then(|list| list.get(..length)).filter(|list| !list.is_empty());
        list.ok_or(Damaged)?.iter().take(most).map(|number| account(u32::from_le_bytes(*number))).collect()
    }

    /// Reads everything once: every part's sum, every block's, and every hash
    /// looked up in the lines.
    ///
    /// # Errors
    /// The first thing that is not as it was written.
    pub fn verify(&self) -> Result<(), IndexError> {
        let (lines, homes) = (self.part(LINES), self.header.homes);
        let right = |section: &usize| blake3::hash(self.part(*section)) == self.header.sections[*section].sum;
        let (sums, looked) = rayon::join(
            || [LINES, LISTS, GATES, ACCOUNTS].par_iter().all(right),
            || self.cold().each(|hash, _| lines::has(lines, homes, hash)),
        );
        match (sums, looked) {
            (false, _) => Err(IndexError::Damaged("a part of it does not match its sum")),
            (true, Ok(records)) if records == self.header.records => Ok(()),
            _ => Err(IndexError::Damaged("a hash of it is not found again")),
        }
    }
}
