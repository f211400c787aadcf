//! Directory versions compared with what was imported: each version's row with
//! its entry, each account's digest made again from its record and identifiers,
//! and the set of digests that a version has with the one that was told.
//!
//! One pass over the rows proves every version: a row's digest is added to the
//! sums of the version it begins in, and taken away after the one it ends in.

use std::collections::BTreeMap;

use crate::account::Record;
use crate::store::batch::AccountDigest;
use crate::store::cell::Cell;
use crate::store::directory::hex;
use crate::store::error::{Doing, Result};
use crate::store::proof::told::Told;
use crate::store::proof::{Broken, Found, Proof, unreadable, whole};
use crate::store::set::SetDigest;
use crate::store::{Store, with_pool};

/// Accounts read together.
const PAGE: i64 = 2_000;

struct VersionRow {
    mapping: String,
    accounts: i64,
    identifiers: i64,
    digest: Vec<u8>,
    reason: Option<String>,
    imported_ms: i64,
    key_id: Option<Vec<u8>>,
    calibration: Option<String>,
}

struct AccountRow {
    n: i64,
    account: String,
    address: String,
    record: String,
    digest: Vec<u8>,
    drift: [i64; 3],
    first: i64,
    last: Option<i64>,
}

struct IdentifierRow {
    n: i64,
    kind: i64,
    hash: Vec<u8>,
    name: Option<String>,
}

impl Store {
    pub(super) async fn compare_versions(&self, told: &Told, proof: &mut Proof) -> Found {
        let rows = self.version_rows().await;
        let newest = told.versions.values().map(|told| told.seq).max().unwrap_or(0);
        let rows = whole!(unreadable(newest, "a directory version", rows));
        for (number, row) in &rows {
            let Some(said) = told.versions.get(number) else {
                return Ok(Some(Broken::new(0, format!("directory version {number} is in no entry"))));
            };
            let counts = (row.accounts.unsigned_abs(), row.identifiers.unsigned_abs(), row.imported_ms);
            let mut same = counts == (said.accounts, said.identifiers, said.at_ms)
                && hex(&row.digest) == said.digest
                && row.reason == said.reason
                && row.key_id.as_deref().map(hex) == said.key
                && row.calibration.as_deref().map(|told| hex(blake3::hash(told.as_bytes()).as_bytes()))
                    == said.calibration;
            if said.key.is_some() {
                same &= blake3::hash(row.mapping.as_bytes()).to_hex().as_str() == said.mapping;
                proof.versions += 1;
            } else {
                proof.versions_unproven += 1;
            }
            if !same {
                let why = format!("directory version {number} is not what was imported");
                return Ok(Some(Broken::new(said.seq, why)));
            }
        }
        let gone = told.versions.iter().find(|(number, _)| !rows.contains_key(number));
        Ok(gone.map(|(n, said)| Broken::new(said.seq, format!("directory version {n} is not there any more"))))
    }

    async fn version_rows(&self) -> Result<BTreeMap<i64, VersionRow>> {
        const ALL: &str = "
            select number, mapping, accounts, identifiers, digest, reason, imported_ms, key_id, calibration
            from directory_version";
        const WHAT: &str = "directory version";
        with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("reading the directory's versions")?;
            let read = |row| {
                let version = VersionRow {
                    mapping: Cell::cell(row, WHAT, "mapping")?,
                    accounts: Cell::cell(row, WHAT, "accounts")?,
                    identifiers: Cell::cell(row, WHAT, "identifiers")?,
                    digest: Cell::cell(row, WHAT, "digest")?,
                    reason: Cell::cell(row, WHAT, "reason")?,
                    imported_ms: Cell::cell(row, WHAT, "imported_ms")?,
                    key_id: Cell::cell(row, WHAT, "key_id")?,
                    calibration: Cell::cell(row, WHAT, "calibration")?,
                };
                Ok((Cell::cell(row, WHAT, "number")?, version))
            };
            rows.iter().map(read).collect()
        })
    }

    pub(super) async fn compare_accounts(&self, told: &Told, proof: &mut Proof) -> Found {
        let keyed = told.versions.iter().find(|(_, said)| said.key.is_some());
        let Some((first_keyed, _)) = keyed else { return Ok(None) };
        let newest = told.versions.values().map(|said| said.seq).max().unwrap_or(0);
        let mut sums: BTreeMap<i64, (SetDigest, SetDigest)> = BTreeMap::new();
        let mut after = i64::MIN;
        loop {
            let page = self.account_page(after).await;
            let (accounts, identifiers) = whole!(unreadable(newest, "an account or identifier", page));
            let is_last = accounts.is_empty();
            after = accounts.last().map_or(after, |last| last.n);
            let mut left = identifiers.into_iter().peekable();
            for account in accounts {
                let mut own = Vec::new();
                while let Some(identifier) = left.next_if(|identifier| identifier.n == account.n) {
                    own.push(identifier);
                }
                // Of rows that ended before keys were kept, nothing is known.
                if account.last.is_some_and(|last| last < *first_keyed) {
                    continue;
                }
                let seq = told.versions.get(&account.first).map_or(0, |said| said.seq);
                if let Some(why) = differs(&account, &own) {
                    return Ok(Some(Broken::new(seq, format!("account {}: {why}", account.account))));
                }
                let member = SetDigest::of(&account.digest);
                sums.entry(account.first).or_default().0.add(&member);
                if let Some(last) = account.last {
                    sums.entry(last + 1).or_default().1.add(&member);
                }
                proof.accounts += 1;
                proof.identifiers += own.len() as u64;
            }
            // What is left belongs to no account, or to none of this page.
            if let Some(stray) = left.next() {
                return Ok(Some(Broken::new(newest, format!("an identifier is of no account (row {})", stray.n))));
            }
            if is_last {
                return Ok(versions(told, sums));
            }
        }
    }

    /// A page of accounts and the identifiers up to its last; after the last
    /// account, any identifiers that are left.
    async fn account_page(&self, after: i64) -> Result<(Vec<AccountRow>, Vec<IdentifierRow>)> {
        const ACCOUNTS: &str = "
            select n, account, address, record, digest, drift_address, drift_name, drift_domains, first_version, last_version
            from account where n > $1 order by n limit $2";
        const IDENTIFIERS: &str = "
            select n, kind, hash, name from identifier where n > $1 and n <= $2 order by n, kind, hash";
        let doing = "reading the directory";
        with_pool!(self, |pool| {
            let rows = sqlx::query(ACCOUNTS).bind(after).bind(PAGE).fetch_all(pool).await.doing(doing)?;
            let read = |row| {
                let cell = |name| Cell::cell(row, "account", name);
                Ok(AccountRow {
                    n: cell("n")?,
                    account: Cell::cell(row, "account", "account")?,
                    address: Cell::cell(row, "account", "address")?,
                    record: Cell::cell(row, "account", "record")?,
                    digest: Cell::cell(row, "account", "digest")?,
                    drift: [cell("drift_address")?, cell("drift_name")?, cell("drift_domains")?],
                    first: cell("first_version")?,
                    last: Cell::cell(row, "account", "last_version")?,
                })
            };
            let accounts: Vec<AccountRow> = rows.iter().map(read).collect::<Result<_>>()?;
            let up_to = accounts.last().map_or(i64::MAX, |last| last.n);
            let rows = sqlx::query(IDENTIFIERS).bind(after).bind(up_to).fetch_all(pool).await.doing(doing)?;
            let read = |row| {
                Ok(IdentifierRow {
                    n: Cell::cell(row, "identifier", "n")?,
                    kind: Cell::cell(row, "identifier", "kind")?,
                    hash: Cell::cell(row, "identifier", "hash")?,
                    name: Cell::cell(row, "identifier", "name")?,
                })
            };
            let identifiers = rows.iter().map(read).collect::<Result<_>>()?;
            Ok((accounts, identifiers))
        })
    }
}

/// What of an account's row does not follow from its digest.
fn differs(account: &AccountRow, own: &[IdentifierRow]) -> Option<&'static str> {
    let mut digest = AccountDigest::new(&account.record, account.drift);
    own.iter().for_each(|identifier| digest.add(identifier.kind, &identifier.hash, identifier.name.as_deref()));
    if digest.finish()[..] != account.digest[..] {
        return Some("its record or its identifiers are not those that were imported");
    }
    let record: Option<Record> = serde_json::from_str(&account.record).ok();
    let same = record
        .is_some_and(|record| record.account.as_str() == account.account && record.address.as_str() == account.address);
    if same { None } else { Some("its key or address is not the one in its record") }
}

/// Compares each version's set of digests with the one that was told.
fn versions(told: &Told, mut sums: BTreeMap<i64, (SetDigest, SetDigest)>) -> Option<Broken> {
    let mut set = SetDigest::default();
    for (number, said) in &told.versions {
        for (_, (begun, ended)) in sums.extract_if(..=*number, |_, _| true) {
            set.add(&begun);
            set.remove(&ended);
        }
        if said.key.is_some() && hex(&set.finish()) != said.digest {
            let why = format!("directory version {number}: its accounts are not those that were imported");
            return Some(Broken::new(said.seq, why));
        }
    }
    let stray = sums.first_key_value();
    stray.map(|(number, _)| {
        Broken::new(0, format!("accounts are of directory version {number}, which no entry tells of"))
    })
}
