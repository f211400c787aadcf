//! Directory versions: which there are, and whose records and identifiers are in
//! one. Only whole versions can be read; [`crate::store::import`] writes them.

use std::collections::HashMap;

use crate::account::{AccountId, Kind, Record};
use crate::guard::index::Entry;
use crate::mapping::Mapping;
use crate::store::cell::Cell;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, with_pool};

/// A directory version.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its number, from 1.
    pub number: i64,
    /// How its export was read.
    pub mapping: Mapping,
    /// Accounts in it.
    pub accounts: u64,
    /// Identifiers in it, each account's counted once.
    pub identifiers: u64,
    /// The digest of the set of its accounts' digests.
    pub digest: [u8; 32],
    /// Why drift was accepted, where it was.
    pub reason: Option<String>,
    /// When it was imported.
    pub imported_ms: i64,
    /// Which key its identifiers were hashed under; `None` where that was not kept yet.
    pub key_id: Option<[u8; 16]>,
    /// What calibration found before it became current, as JSON; `None` where that was not
    /// kept yet.
    pub calibration: Option<String>,
}

impl Store {
    /// The current version, if there is one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn current_version(&self) -> Result<Option<Version>> {
        self.newest_version(i64::MAX).await
    }

    /// The version of this number, if there is one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn version(&self, number: i64) -> Result<Option<Version>> {
        Ok(self.newest_version(number).await?.filter(|version| version.number == number))
    }

    /// The newest version up to this number.
    async fn newest_version(&self, up_to: i64) -> Result<Option<Version>> {
        const NEWEST: &str = "
            select number, mapping, accounts, identifiers, digest, reason, imported_ms, key_id, calibration
            from directory_version where number <= $1 order by number desc limit 1";
        const WHAT: &str = "directory version";
        let unreadable = || StoreError::Unreadable { what: WHAT };
        with_pool!(self, |pool| {
            let newest = sqlx::query(NEWEST).bind(up_to).fetch_optional(pool);
            let Some(row) = newest.await.doing("reading the directory's version")? else { return Ok(None) };
            let mapping: String = row.cell(WHAT, "mapping")?;
            let key_id: Option<Vec<u8>> = row.cell(WHAT, "key_id")?;
            Ok(Some(Version {
                number: row.cell(WHAT, "number")?,
                mapping: serde_json::from_str(&mapping).map_err(|_| unreadable())?,
                accounts: row.cell::<i64, _>(WHAT, "accounts")?.unsigned_abs(),
                identifiers: row.cell::<i64, _>(WHAT, "identifiers")?.unsigned_abs(),
                digest: row.cell::<Vec<u8>, _>(WHAT, "digest")?.try_into().map_err(|_| unreadable())?,
                reason: row.cell(WHAT, "reason")?,
                imported_ms: row.cell(WHAT, "imported_ms")?,
                key_id: key_id.map(TryInto::try_into).transpose().map_err(|_| unreadable())?,
                calibration: row.cell(WHAT, "calibration")?,
            }))
        })
    }

    /// The records of these accounts in a version; accounts that the version
    /// does not have are left out.
    ///
    /// # Errors
    /// The database fails.
    pub async fn records(&self, version: i64, accounts: &[AccountId]) -> Result<HashMap<AccountId, Record>> {
        // The order of the join is ours: a few keys, each looked up.
        const SQLITE: &str = "
            select a.record from json_each($1) k cross join account a
            where a.account = k.value and a.first_version <= $2 and (a.last_version is null or a.last_version >= $2)";
        const POSTGRES: &str = "
            select a.record from jsonb_array_elements_text($1::jsonb) k join account a on a.account = k
            where a.first_version <= $2 and (a.last_version is null or a.last_version >= $2)";
        if accounts.is_empty() {
            return Ok(HashMap::new());
        }
        let (keys, sql) = (json(accounts)?, self.sql(SQLITE, POSTGRES));
        with_pool!(self, |pool| {
            let rows = sqlx::query(sql).bind(keys).bind(version).fetch_all(pool).await.doing("reading records")?;
            let records = rows.iter().map(|row| {
                let record = serde_json::from_str(row.cell::<&str, _>("record", "record")?);
                let record: Record = record.map_err(|_| StoreError::Unreadable { what: "record" })?;
                Ok((record.account.clone(), record))
            });
            records.collect()
        })
    }

    /// The record of one account in a version, if the version has it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn record(&self, version: i64, account: &AccountId) -> Result<Option<Record>> {
        Ok(self.records(version, std::slice::from_ref(account)).await?.remove(account))
    }

    /// The accounts that own an identifier in a version, in the order of their keys.
    ///
    /// # Errors
    /// The database fails.
    pub async fn owners(&self, version: i64, kind: Kind, hash: u128) -> Result<Vec<AccountId>> {
        const OWNERS: &str = "
            select a.account from identifier i join account a on a.n = i.n
            where i.hash = $1 and i.kind = $2
              and a.first_version <= $3 and (a.last_version is null or a.last_version >= $3)
            order by a.account";
        with_pool!(self, |pool| {
            let owners =
                sqlx::query(OWNERS).bind(hash.to_be_bytes().to_vec()).bind(i64::from(kind.code())).bind(version);
            let rows = owners.fetch_all(pool).await.doing("looking up an identifier")?;
            rows.iter().map(|row| account(row.cell("account", "account")?)).collect()
        })
    }

    /// Every identifier of a version, one by one, in the order in which accounts
    /// were first imported, in bounded memory.
    ///
    /// # Errors
    /// The database fails, or a row cannot be read.
    pub async fn entries(&self, version: i64, each: impl FnMut(Entry)) -> Result<()> {
        self.entries_behind(version, 0, each).await
    }

    /// The same of the accounts behind a row.
    ///
    /// # Errors
    /// As there.
    pub async fn entries_behind(&self, version: i64, row: i64, mut each: impl FnMut(Entry)) -> Result<()> {
        const ACCOUNTS: &str = "
            select n, account from account where n > $2
              and first_version <= $1 and (last_version is null or last_version >= $1)
            order by n limit 5000";
        const ENTRIES: &str =
            "select n, kind, hash, name from identifier where n between $1 and $2 order by n, kind, hash";
        const WHAT: &str = "identifier";
        let doing = "reading identifiers";
        let mut after = row;
        loop {
            let mut left = false;
            with_pool!(self, |pool| {
                let rows = sqlx::query(ACCOUNTS).bind(version).bind(after).fetch_all(pool).await.doing(doing)?;
                let pair = |row| Ok((Cell::cell(row, "account", "n")?, Cell::cell(row, "account", "account")?));
                let accounts: HashMap<i64, String> = rows.iter().map(pair).collect::<Result<_>>()?;
                if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
                    let (first, last): (i64, i64) = (first.cell("account", "n")?, last.cell("account", "n")?);
                    let page = sqlx::query(ENTRIES).bind(first).bind(last);
                    for row in page.fetch_all(pool).await.doing(doing)? {
                        // Rows between may belong to other versions' accounts.
                        let Some(owner) = accounts.get(&row.cell::<i64, _>(WHAT, "n")?) else { continue };
                        each(entry(row.cell(WHAT, "kind")?, row.cell(WHAT, "hash")?, row.cell(WHAT, "name")?, owner)?);
                    }
                    (after, left) = (last, true);
                }
            });
            if !left {
                return Ok(());
            }
        }
    }
}

fn entry(kind: i64, hash: &[u8], name: Option<String>, owner: &str) -> Result<Entry> {
    let unreadable = || StoreError::Unreadable { what: "identifier" };
    Ok(Entry {
        kind: read_kind(kind).ok_or_else(unreadable)?,
        hash: u128::from_be_bytes(hash.try_into().map_err(|_| unreadable())?),
        name,
        account: account(owner)?,
    })
}

pub(in crate::store) fn read_kind(code: i64) -> Option<Kind> {
    u8::try_from(code).ok().and_then(Kind::from_code)
}

pub(in crate::store) fn account(text: &str) -> Result<AccountId> {
    AccountId::new(text).map_err(|_| StoreError::Unreadable { what: "account" })
}

/// The JSON text of plain data.
pub(in crate::store) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Unreadable { what: "value" })
}

/// Lower-case hexadecimal.
pub(in crate::store) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
