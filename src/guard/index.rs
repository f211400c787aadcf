//! Who owns an identifier: keyed hash → owners, exact, in memory.
//!
//! A hash of 128 bits takes the kind in, so that one table serves all kinds.
//! Most identifiers have one owner, who stands in the table itself; those with
//! several (names, shared addresses) point into a list. Names are also kept in
//! clear, because they are searched for in running text.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::account::{AccountId, Kind};
use crate::guard::names::Names;

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

/// Every identifier of one directory version.
pub struct Index {
    accounts: Vec<AccountId>,
    owners: HashMap<u128, Owner, BuildHasherDefault<Keyed>>,
    shared: Vec<Vec<u32>>,
    names: Names,
    secrets: bool,
    len: usize,
}

#[derive(Clone, Copy)]
enum Owner {
    One(u32),
    Several(u32),
}

/// The key is a keyed hash already.
#[derive(Default)]
struct Keyed(u64);

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

impl Index {
    /// Builds the index; entries of one account come together.
    pub fn build(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut index = Self {
            accounts: Vec::new(),
            owners: HashMap::default(),
            shared: Vec::new(),
            names: Names::default(),
            secrets: false,
            len: 0,
        };
        let mut numbers: HashMap<AccountId, u32> = HashMap::new();
        let mut names = HashMap::new();
        for Entry { kind, hash, name, account } in entries {
            let number = match index.accounts.last() {
                Some(last) if *last == account => index.accounts.len() as u32 - 1,
                _ => *numbers.entry(account.clone()).or_insert_with(|| {
                    index.accounts.push(account);
                    index.accounts.len() as u32 - 1
                }),
            };
            index.secrets |= kind == Kind::Secret;
            if let Some(name) = name {
                names.insert(name, hash);
            }
            index.add(hash, number);
            index.len += 1;
        }
        index.names = Names::build(names);
        index
    }

    fn add(&mut self, hash: u128, number: u32) {
        let shared = &mut self.shared;
        self.owners
            .entry(hash)
            .and_modify(|owner| match *owner {
                Owner::One(first) => {
                    shared.push(vec![first, number]);
                    *owner = Owner::Several(shared.len() as u32 - 1);
                }
                Owner::Several(list) => shared[list as usize].push(number),
            })
            .or_insert(Owner::One(number));
    }

    /// How many identifiers it holds, each account's counted once.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none: no campaign may be judged with such a one.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first account that owns this hash; `None` when nobody does.
    pub fn owner(&self, hash: u128) -> Option<&AccountId> {
        let number = match *self.owners.get(&hash)? {
            Owner::One(number) => number,
            Owner::Several(list) => *self.shared[list as usize].first()?,
        };
        self.accounts.get(number as usize)
    }

    /// The names that are searched for in running text.
    pub(in crate::guard) fn names(&self) -> &Names {
        &self.names
    }

    /// Whether any secret is known at all.
    pub(in crate::guard) fn has_secrets(&self) -> bool {
        self.secrets
    }
}
