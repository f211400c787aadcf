//! A batch of an import as the JSON texts that its rows are made from, and the
//! digest of an account: equal means unchanged, and `verify` makes it again from
//! the rows.

use crate::account::AccountId;
use crate::directory::NewAccount;
use crate::store::directory::json;
use crate::store::error::Result;
use crate::store::set::SetDigest;

/// A staged account's columns: line, key, address, record, digest, and the three
/// that drift compares.
type Staged<'a> = (u64, &'a AccountId, &'a str, String, String, i64, i64, i64);

/// The JSON texts from which a batch's rows are made.
pub(in crate::store) struct Batch {
    pub accounts: String,
    pub identifiers: String,
    pub account_count: u64,
    pub identifier_count: u64,
    pub digest: SetDigest,
}

impl Batch {
    pub fn new(accounts: Vec<NewAccount>) -> Result<Self> {
        let mut rows: Vec<Staged<'_>> = Vec::with_capacity(accounts.len());
        let mut identifiers = Vec::new();
        let mut set = SetDigest::default();
        for new in &accounts {
            let (line, drift, record) = (new.line, new.drift, json(&new.record)?);
            let mut entries: Vec<_> = new.entries.iter().collect();
            // An exclusive entry comes first of its equals, and stays.
            entries.sort_by_key(|entry| (entry.kind.code(), entry.hash, !entry.exclusive));
            entries.dedup_by_key(|entry| (entry.kind, entry.hash));
            let mut digest = AccountDigest::new(&record, [drift.address, drift.name, drift.domains]);
            for entry in entries {
                let (kind, hash, name) = (entry.kind.code(), entry.hash, entry.name.as_deref());
                digest.add(i64::from(kind), &hash.to_be_bytes(), name);
                identifiers.push((line, kind, format!("{hash:032x}"), u8::from(entry.exclusive), name));
            }
            let digest = digest.finish();
            set.add(&SetDigest::of(&digest));
            let hex = format!("{:032x}", u128::from_be_bytes(digest));
            let address = new.record.address.as_str();
            rows.push((line, &new.record.account, address, record, hex, drift.address, drift.name, drift.domains));
        }
        Ok(Self {
            accounts: json(&rows)?,
            identifiers: json(&identifiers)?,
            account_count: accounts.len() as u64,
            identifier_count: identifiers.len() as u64,
            digest: set,
        })
    }
}

/// BLAKE3 over an account's record, what its drift is measured by, and its
/// identifiers in the order of kind and hash, cut to 128 bits.
pub(in crate::store) struct AccountDigest(blake3::Hasher);

impl AccountDigest {
    pub fn new(record: &str, drift: [i64; 3]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(record.len() as u64).to_be_bytes()).update(record.as_bytes());
        drift.iter().for_each(|value| {
            hasher.update(&value.to_be_bytes());
        });
        Self(hasher)
    }

    pub fn add(&mut self, kind: i64, hash: &[u8], name: Option<&str>) {
        // No name and an empty one are told apart.
        let length = name.map_or(u64::MAX, |name| name.len() as u64);
        self.0.update(&kind.to_be_bytes()).update(hash).update(&length.to_be_bytes());
        self.0.update(name.unwrap_or_default().as_bytes());
    }

    pub fn finish(self) -> [u8; 16] {
        let mut digest = [0; 16];
        digest.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        digest
    }
}
