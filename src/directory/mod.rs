//! Who owns what: reading a registrar's export into a new directory version.
//!
//! An export line becomes a [`NewAccount`]: the record as written, and its
//! identifiers as keyed hashes of their canonical forms. A version becomes
//! current in one step, or not at all.

pub mod accept;
pub mod encoding;
pub mod guess;
mod line;
pub mod read;
pub mod row;
pub mod table;

use crate::account::{Kind, Record};

/// One line of an export, read and checked by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its line in the file, from 1.
    pub line: u64,
    /// What messages are made from.
    pub record: Record,
    /// Its identifiers, each once.
    pub entries: Vec<NewEntry>,
    /// Hashes of the canonical address, names and domains: what drift compares.
    pub drift: Drift,
}

/// One identifier of a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What sort of value it is.
    pub kind: Kind,
    /// [`crate::key::Keys::identifier`] of its canonical form.
    pub hash: u128,
    /// The canonical form, for persons and organisations only: names are searched for.
    pub name: Option<String>,
    /// Whether no other account of the version may have it.
    pub exclusive: bool,
}

/// What one account's drift is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drift {
    /// Hash of the canonical address.
    pub address: i64,
    /// Hash of all person and organisation columns.
    pub name: i64,
    /// Hash of all domain columns.
    pub domains: i64,
}
