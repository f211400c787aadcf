//! Who owns an identifier: keyed hash → owners. Exact.

use crate::account::{AccountId, Kind};

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
pub struct Index {}

impl Index {
    /// Builds the index, in any order of entries.
    pub fn build(_entries: impl IntoIterator<Item = Entry>) -> Self {
        unimplemented!()
    }

    /// How many identifiers it holds.
    pub fn len(&self) -> usize {
        unimplemented!()
    }

    /// Whether it holds none: no campaign may be judged with such a one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The accounts that own this hash; empty when nobody does.
    pub fn owners(&self, _kind: Kind, _hash: u128) -> Vec<&AccountId> {
        unimplemented!()
    }
}
