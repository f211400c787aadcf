//! Who owns an identifier: keyed hash → owners, for registrars of any size.
//!
//! ```text
//! text → hash → lines (is it there? one cache line) → cold records (whose?)
//! ```
//!
//! A hash of 128 bits takes the kind in, so that one index serves all kinds. The
//! index is one file, mapped into memory and read where it lies: `lines` answer
//! whether a hash is there, and only if it is, the `cold` records say exactly
//! whose. Beside it a `delta` holds what the directory has gained since. Names
//! are searched for in running text; the file keeps of them no more than keyed
//! hashes, of the whole and of the beginning (`gate`), so that it is no list of
//! customers. The accounts' keys, which are not secret, stand in it.
//!
//! Invariants: what was built in is found, always; a file that is cut, damaged at
//! its head, of another key or of another directory version is refused with the
//! reason; damage behind the head never answers "nobody's" where an exact answer
//! is asked, but [`DAMAGED`]. The lines themselves are proved when they are built
//! and by [`Index::verify`]. Errors: [`IndexError`].

mod accounts;
mod base;
mod build;
mod cold;
mod delta;
mod gate;
mod header;
mod lines;
mod map;

use std::collections::HashMap;
use std::path::Path;

pub use accounts::Accounts;
pub use gate::{LONG, Reach, TELLING, is_common};
pub use header::{Edition, IndexError};

use crate::account::{AccountId, Kind};
use crate::guard::find::names::Names;
use crate::key::Keys;

use base::Base;
use build::Builder;
use delta::Delta;
use gate::Gates;

/// Where one stored identifier comes from: a row of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What sort of value it is.
    pub kind: Kind,
    /// [`crate::key::Keys::identifier`] of its canonical form.
    pub hash: u128,
    /// The canonical form, for names only: they are searched for, not looked up.
    pub name: Option<String>,
    /// The account that owns it.
    pub account: AccountId,
}

/// The owner that stands for all when the file is damaged where it should say
/// whose a value is.
pub const DAMAGED: &str = "(not known: the index is damaged)";

/// Every identifier of one directory version.
pub struct Index {
    base: Base,
    delta: Delta,
    gates: Gates,
    keys: Option<Keys>,
    edition: Edition,
}

impl Index {
    /// Builds an index in memory, of a directory that no store knows.
    ///
    /// # Panics
    /// Never: what is sorted here is in order, and memory does not fail.
    pub fn build(entries: impl IntoIterator<Item = Entry>) -> Self {
        // It never leaves this process: the gates need no secret.
        let gates = Gates::new(blake3::hash(b"kakitome: an index in memory").as_bytes());
        let mut accounts = Accounts::default();
        let mut numbers: HashMap<AccountId, u32> = HashMap::new();
        let mut rows: Vec<(u128, u32, Kind)> = Vec::new();
        let mut names = Vec::new();
        for Entry { kind, hash, name, account } in entries {
            let next = numbers.len() as u32;
            let number = *numbers.entry(account).or_insert_with_key(|account| {
                accounts.push(i64::from(next), account).expect("numbers only grow");
                next
            });
            rows.push((hash, number, kind));
            names.extend(name.map(|name| (name, number)));
        }
        rows.sort_unstable();
        let edition = Edition { identifiers: rows.len() as u64, ..Edition::default() };
        let built = || {
            let mut build = Builder::new(None, [0; 16], gates.clone(), edition, accounts)?;
            names.iter().for_each(|(name, number)| build.name(name, i64::from(*number)));
            rows.iter().try_for_each(|(hash, number, kind)| build.push(*hash, *kind, i64::from(*number)))?;
            build.finish()
        };
        let base = built().expect("sorted rows build");
        Self { edition: base.header().edition, base, delta: Delta::default(), gates, keys: None }
    }

    /// Opens the file of this installation's index.
    ///
    /// # Errors
    /// There is none, or it is damaged, cut, empty, or of another key or format.
    pub fn open(file: &Path, keys: &Keys) -> Result<Self, IndexError> {
        let base = Base::open(file)?;
        if base.header().key != keys.id() { Err(IndexError::Key) } else { Ok(Self::new(base, keys)) }
    }

    fn new(base: Base, keys: &Keys) -> Self {
        let edition = base.header().edition;
        Self { base, delta: Delta::default(), gates: Gates::new(keys.gates()), keys: Some(keys.clone()), edition }
    }

    /// Binds an index built in memory to the keys with which its identifiers were
    /// hashed: names are found exactly from here on.
    #[must_use]
    pub(in crate::guard) fn bound(self, keys: &Keys) -> Self {
        Self { keys: Some(keys.clone()), ..self }
    }

    /// Refuses to stand for another version of the directory.
    ///
    /// # Errors
    /// It covers another one.
    pub fn check(&self, edition: &Edition) -> Result<(), IndexError> {
        if self.edition == *edition {
            return Ok(());
        }
        Err(IndexError::Version { is: self.edition.version, asked: edition.version })
    }

    /// Which version of the directory it covers.
    pub fn edition(&self) -> &Edition {
        &self.edition
    }

    /// The last row of the store that the file covers.
    pub fn row_last(&self) -> i64 {
        self.base.header().row_last
    }

    /// Adds what the directory has gained since, and covers this version from
    /// here on. `lost` is how many identifiers it has lost.
    ///
    /// # Errors
    /// The numbers do not add up to the version's.
    pub fn with_delta(
        mut self,
        entries: impl IntoIterator<Item = Entry>,
        lost: u64,
        edition: Edition,
    ) -> Result<Self, IndexError> {
        self.delta = Delta::build(&self.gates, entries);
        let is = (self.base.header().edition.identifiers + self.delta.identifiers).saturating_sub(lost);
        if is != edition.identifiers {
            return Err(IndexError::Incomplete { is, asked: edition.identifiers });
        }
        self.edition = edition;
        Ok(self)
    }

    /// Reads the whole file once and proves every part of it.
    ///
    /// # Errors
    /// The first part that is not as it was written.
    pub fn verify(&self) -> Result<(), IndexError> {
        self.base.verify()
    }

    /// Bytes of the file that questions touch before anything is found: the lines
    /// of the identifiers and of the gates.
    pub fn hot_bytes(&self) -> u64 {
        self.base.hot_bytes()
    }

    /// How many identifiers it holds, each account's counted once.
    pub fn len(&self) -> usize {
        self.edition.identifiers as usize
    }

    /// How many accounts it holds, as far as its file knows.
    pub(in crate::guard) fn accounts(&self) -> u64 {
        self.base.header().accounts
    }

    /// Whether it holds none: no campaign may be judged with such a one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether anybody owns this hash, but for chance: 16 in 2³².
    #[inline]
    pub fn has(&self, hash: u128) -> bool {
        self.base.has(hash) || (self.delta.identifiers > 0 && self.delta.has(hash))
    }

    /// The first account that owns this hash; `None` when nobody does, and
    /// [`DAMAGED`] when the file cannot say whose it is.
    pub fn owner(&self, hash: u128) -> Option<AccountId> {
        self.owners_up_to(hash, 1).into_iter().next()
    }

    /// Every account that owns this hash.
    pub fn owners(&self, hash: u128) -> Vec<AccountId> {
        self.owners_up_to(hash, usize::MAX)
    }

    fn owners_up_to(&self, hash: u128, most: usize) -> Vec<AccountId> {
        let mut owners = Vec::new();
        if self.base.has(hash) {
            match self.base.owners(hash, most) {
                Ok(found) => owners = found,
                Err(cold::Damaged) => owners.extend(AccountId::new(DAMAGED)),
            }
        }
        if self.delta.identifiers > 0 {
            let more = self.delta.owners(hash).take(most.saturating_sub(owners.len()));
            owners.extend(more.cloned());
        }
        owners
    }

    /// The search for names in running text.
    pub fn names(&self) -> Names<'_> {
        Names::new(self)
    }

    /// Whether any secret is known at all.
    pub(in crate::guard) fn has_secrets(&self) -> bool {
        self.base.header().secrets || self.delta.secrets
    }

    /// How far the search for names looks.
    pub(in crate::guard) fn reach(&self) -> Reach {
        self.base.header().reach.max(self.delta.reach)
    }

    pub(in crate::guard) fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(in crate::guard) fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    /// Which gates there are.
    #[inline]
    pub(in crate::guard) fn gatehouse(&self) -> Gatehouse<'_> {
        let (lines, homes) = self.base.gates();
        Gatehouse { lines, homes, delta: Some(&self.delta).filter(|delta| delta.identifiers > 0) }
    }
}

/// The gates of an index, made ready to be asked for at every character.
#[derive(Clone, Copy)]
pub(in crate::guard) struct Gatehouse<'i> {
    lines: &'i [u8],
    homes: u64,
    delta: Option<&'i Delta>,
}

impl Gatehouse<'_> {
    /// Whether a name begins with what this gate was made of, but for chance.
    #[inline]
    pub fn has(&self, gate: u128) -> bool {
        lines::has(self.lines, self.homes, gate) || self.delta.is_some_and(|delta| delta.gate(gate))
    }
}

/// Builds the index of a directory version beside the one there is, from the
/// store's rows: accounts first, then every identifier by its hash.
pub struct Building {
    build: Builder,
    keys: Keys,
}

impl Building {
    /// Begins; the file is made under a name of its own.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(file: &Path, keys: &Keys, edition: Edition, accounts: Accounts) -> Result<Self, IndexError> {
        let build = Builder::new(Some(file), keys.id(), Gates::new(keys.gates()), edition, accounts)?;
        Ok(Self { build, keys: keys.clone() })
    }

    /// Adds an identifier; hashes come in ascending order, and those of rows that
    /// are not the version's are passed over.
    ///
    /// # Errors
    /// They are out of order or too many, or the file cannot be written.
    pub fn add(&mut self, hash: u128, kind: Kind, row: i64) -> Result<(), IndexError> {
        self.build.push(hash, kind, row)
    }

    /// Adds a canonical name that will be searched for, in any order.
    pub fn name(&mut self, name: &str, row: i64) {
        self.build.name(name, row);
    }

    /// Proves the file and gives it its name.
    ///
    /// # Errors
    /// Identifiers are missing, or the file does not read back.
    pub fn finish(self) -> Result<Index, IndexError> {
        Ok(Index::new(self.build.finish()?, &self.keys))
    }
}

#[cfg(test)]
mod tests;
