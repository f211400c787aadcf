//! The first page of an index file: what it covers, where everything lies, and
//! sums over both.
//!
//! 4096 bytes, numbers little-endian, in the order of [`Header::write`]; the last
//! 32 are a BLAKE3 over all before them. No value of the directory stands in it.
//! Errors: [`IndexError`], each with why the file is refused.

use std::path::PathBuf;

use crate::guard::index::gate::Reach;
use crate::guard::index::{cold, lines};

const MAGIC: &[u8; 8] = b"kakiidx\n";
const FORMAT: u32 = 3;
/// Bytes of the header.
pub const HEADER: usize = 4096;
const SUM: usize = 32;
/// Every part begins at a whole cache line.
pub const ALIGN: u64 = 64;

/// Why an index cannot be built, opened or used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is none yet.
    #[error("there is no index {}", .0.display())]
    Missing(PathBuf),
    /// The system refuses.
    #[error("the index cannot be {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It is not what was written.
    #[error("the index is damaged: {0}")]
    Damaged(&'static str),
    /// It was written by another version of this program.
    #[error("the index has the format {0}; this program reads {FORMAT}")]
    Format(u32),
    /// It was made with another installation's key.
    #[error("the index was made with another key")]
    Key,
    /// It covers another version of the directory.
    #[error("the index covers version {is} of the directory, or another directory; version {asked} was asked for")]
    Version {
        /// The version that it covers.
        is: i64,
        /// The version that was asked for.
        asked: i64,
    },
    /// It holds nothing, and nothing could be held by it.
    #[error("the index is empty")]
    Empty,
    /// What was read for it is not what the directory has.
    #[error("{is} identifiers were read for the index; the directory has {asked}")]
    Incomplete {
        /// How many were read.
        is: u64,
        /// How many the directory has.
        asked: u64,
    },
    /// Its rows are not what a builder can take.
    #[error("the index cannot be built: {0}")]
    Rows(&'static str),
}

/// Says what was being done when the system refused.
pub(in crate::guard::index) fn doing(doing: &'static str) -> impl Fn(std::io::Error) -> IndexError {
    move |source| IndexError::Io { doing, source }
}

/// Which directory an index covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// The version's number; 0 of an index that no store knows.
    pub version: i64,
    /// The version's digest.
    pub digest: [u8; 32],
    /// Identifiers in it, each account's counted once.
    pub identifiers: u64,
}

/// A part of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Where it begins, in bytes.
    pub start: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// BLAKE3 of its bytes.
    pub sum: [u8; 32],
}

/// The header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The key it was made with: [`crate::key::Keys::id`].
    pub key: [u8; 16],
    /// What it covers.
    pub edition: Edition,
    /// The last row of the store that it covers.
    pub row_last: i64,
    /// Whether any secret is in it.
    pub secrets: bool,
    /// How far the search for names looks.
    pub reach: Reach,
    /// Distinct hashes: records of the cold part.
    pub records: u64,
    /// Accounts.
    pub accounts: u64,
    /// Home lines of the hashes.
    pub homes: u64,
    /// Home lines of the gates.
    pub gate_homes: u64,
    /// Cold records, lines, lists of owners, gates, accounts.
    pub sections: [Section; 5],
}

/// The places in [`Header::sections`].
pub const COLD: usize = 0;
pub const LINES: usize = 1;
pub const LISTS: usize = 2;
pub const GATES: usize = 3;
pub const ACCOUNTS: usize = 4;

impl Header {
    /// The header's bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&u32::from(self.secrets).to_le_bytes());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.edition.version.to_le_bytes());
        out.extend_from_slice(&self.edition.digest);
        for number in [self.edition.identifiers, self.row_last.unsigned_abs()] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.reach.joined, self.reach.lead, self.reach.words, self.reach.first] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.records, self.accounts, self.homes, self.gate_homes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for section in self.sections {
            out.extend_from_slice(&section.start.to_le_bytes());
            out.extend_from_slice(&section.length.to_le_bytes());
            out.extend_from_slice(&section.sum);
        }
        out.resize(HEADER - SUM, 0);
        let sum = blake3::hash(&out);
        out.extend_from_slice(sum.as_bytes());
        out
    }

    /// Reads a file's header and checks that all it tells of lies in the file.
    ///
    /// # Errors
    /// It is no header of this program, or damaged, or the file is cut.
    pub fn read(file: &[u8]) -> Result<Self, IndexError> {
        let header = file.get(..HEADER).ok_or(IndexError::Damaged("it is cut"))?;
        let mut from = Fields(header);
        if from.take() != *MAGIC {
            return Err(IndexError::Damaged("it does not begin as one"));
        }
        let format = from.u32();
        if format != FORMAT {
            return Err(IndexError::Format(format));
        }
        let (body, sum) = header.split_at(HEADER - SUM);
        if blake3::hash(body).as_bytes() != sum {
            return Err(IndexError::Damaged("its header does not match its sum"));
        }
        let secrets = from.u32() == 1;
        let key = from.take();
        let version = from.u64() as i64;
        let digest = from.take();
        let edition = Edition { version, digest, identifiers: from.u64() };
        let row_last = from.u64() as i64;
        let reach = Reach { joined: from.u32(), lead: from.u32(), words: from.u32(), first: from.u32() };
        let (records, accounts, homes, gate_homes) = (from.u64(), from.u64(), from.u64(), from.u64());
        let mut sections = [Section::default(); 5];
        for section in &mut sections {
            *section = Section { start: from.u64(), length: from.u64(), sum: from.take() };
        }
        let header = Self { key, edition, row_last, secrets, reach, records, accounts, homes, gate_homes, sections };
        header.check(file.len() as u64)?;
        Ok(header)
    }

    /// Whether the parts lie in the file and are as long as their contents ask.
    fn check(&self, length: u64) -> Result<(), IndexError> {
        let ends = self.sections.iter().map(|section| section.start.checked_add(section.length));
        let long = |section: usize, items: u64, each: usize| {
            items.checked_mul(each as u64).is_some_and(|bytes| bytes <= self.sections[section].length)
        };
        let end = ends.max().flatten().and_then(|end| end.checked_next_multiple_of(ALIGN));
        if end != Some(length) || ends_are_missing(&self.sections) {
            return Err(IndexError::Damaged("it is cut, or longer than it was"));
        }
        let fits = long(COLD, cold::blocks(self.records), cold::BLOCK)
            && long(LINES, self.homes, lines::LINE)
            && long(GATES, self.gate_homes, lines::LINE)
            && long(ACCOUNTS, self.accounts, 8);
        if !fits {
            return Err(IndexError::Damaged("its parts are shorter than what they hold"));
        }
        Ok(())
    }
}

/// Whether the end of any part cannot be told.
fn ends_are_missing(sections: &[Section]) -> bool {
    sections.iter().any(|section| section.start.checked_add(section.length).is_none())
}

/// Takes fields off the front of a header; they all lie in it.
struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        let (head, tail) = self.0.split_at(N.min(self.0.len()));
        field[..head.len()].copy_from_slice(head);
        self.0 = tail;
        field
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}
