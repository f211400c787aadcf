//! What a directory has gained since its index was built: exact, in memory.
//!
//! A small table beside the file, so that a night's changes need no new file.
//! What the directory has lost stays in the file until it is built again: that
//! only holds more, and an account's own values come first. Infallible.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::account::{AccountId, Kind};
use crate::guard::index::Entry;
use crate::guard::index::gate::{Gates, Gathered, Reach};

/// Identifiers of accounts that the file does not have.
#[derive(Default)]
pub struct Delta {
    accounts: Vec<AccountId>,
    owners: HashMap<u128, Vec<u32>, BuildHasherDefault<Keyed>>,
    gates: HashSet<u128, BuildHasherDefault<Keyed>>,
    /// How far the search for its names looks.
    pub reach: Reach,
    /// Whether any secret is in it.
    pub secrets: bool,
    /// Identifiers in it, each account's counted once.
    pub identifiers: u64,
}

/// The key is a keyed hash already.
#[derive(Default)]
pub struct Keyed(u64);

impl Hasher for Keyed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
    fn write_u128(&mut self, hash: u128) {
        self.0 = (hash ^ (hash >> 64)) as u64;
    }
}

impl Delta {
    /// Builds it; entries of one account come together.
    pub fn build(gates: &Gates, entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut delta = Self::default();
        let mut gathered = Gathered::default();
        for Entry { kind, hash, name, account } in entries {
            if delta.accounts.last() != Some(&account) {
                delta.accounts.push(account);
            }
            delta.owners.entry(hash).or_default().push(delta.accounts.len() as u32 - 1);
            delta.secrets |= kind == Kind::Secret;
            delta.identifiers += 1;
            if let Some(name) = name {
                gathered.add(gates, &name);
            }
        }
        delta.reach = gathered.reach;
        delta.gates = gathered.sorted().iter().copied().collect();
        delta
    }

    /// Whether a hash is there.
    pub fn has(&self, hash: u128) -> bool {
        self.owners.contains_key(&hash)
    }

    /// Whether a gate is there.
    pub fn gate(&self, gate: u128) -> bool {
        self.gates.contains(&gate)
    }

    /// Every account that owns a hash.
    pub fn owners(&self, hash: u128) -> impl Iterator<Item = &AccountId> {
        let owners = self.owners.get(&hash).into_iter().flatten();
        owners.filter_map(|number| self.accounts.get(*number as usize))
    }
}
