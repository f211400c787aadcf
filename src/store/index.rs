//! What the guard's index is built from: a version's accounts by row, every
//! identifier by its hash, every name; and what a version has gained and lost
//! since an earlier one.
//!
//! Invariants: memory holds one page. A version's rows never change once it is
//! current, so pages read one after another are one version, whatever is
//! imported meanwhile. Rows are numbered upwards: what a version has gained lies
//! behind every row of the versions before. Errors: [`StoreError`].

use sqlx::Row;

use crate::account::{AccountId, Kind};
use crate::store::directory::{account, read_kind};
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, with_pool};

/// Rows read at once.
const PAGE: i64 = 20_000;

const ACCOUNTS: &str = "
    select n, account from account where n > $2
      and first_version <= $1 and (last_version is null or last_version >= $1)
    order by n limit $3";
/// The index holds all three columns in SQLite; PostgreSQL fetches `n`.
const BY_HASH: &str = "
    select hash, kind, n from identifier where (hash, kind, n) > ($1, $2, $3) order by hash, kind, n limit $4";
const NAMES: &str = "
    select n, kind, hash, name from identifier where (n, kind, hash) > ($1, $2, $3) and name is not null
    order by n, kind, hash limit $4";
const GAINED: &str = "
    select count(*) from account a join identifier i on i.n = a.n
    where a.n > $1 and a.first_version <= $2 and (a.last_version is null or a.last_version >= $2)";
const LOST: &str = "
    select count(*) from account a join identifier i on i.n = a.n
    where a.last_version >= $1 and a.last_version < $2 and a.first_version <= $1";

impl Store {
    /// Every account of a version and its row, in the rows' order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn account_rows(&self, version: i64, mut each: impl FnMut(i64, AccountId)) -> Result<()> {
        let mut after = i64::MIN;
        loop {
            let mut read = 0;
            with_pool!(self, |pool| {
                let page = sqlx::query(ACCOUNTS).bind(version).bind(after).bind(PAGE);
                for row in page.fetch_all(pool).await.doing("reading accounts")? {
                    (after, read) = (row.get("n"), read + 1);
                    each(after, account(row.get("account"))?);
                }
            });
            if read < PAGE {
                return Ok(());
            }
        }
    }

    /// Every identifier of every version, in ascending order of its hash, then
    /// its kind and row: those of a version are those of its rows.
    ///
    /// # Errors
    /// The database fails.
    pub async fn identifiers_by_hash(&self, mut each: impl FnMut(u128, Kind, i64)) -> Result<()> {
        let mut after: (Vec<u8>, i64, i64) = (Vec::new(), 0, 0);
        loop {
            let read = with_pool!(self, |pool| {
                let page = sqlx::query(BY_HASH).bind(&after.0).bind(after.1).bind(after.2).bind(PAGE);
                let rows = page.fetch_all(pool).await.doing("reading identifiers")?;
                for row in &rows {
                    each(hash(row.get("hash"))?, kind(row.get("kind"))?, row.get("n"));
                }
                if let Some(row) = rows.last() {
                    after = (row.get("hash"), row.get("kind"), row.get("n"));
                }
                rows.len() as i64
            });
            if read < PAGE {
                return Ok(());
            }
        }
    }

    /// Every name of every version, with its row.
    ///
    /// # Errors
    /// The database fails.
    pub async fn names(&self, mut each: impl FnMut(i64, String)) -> Result<()> {
        let mut after: (i64, i64, Vec<u8>) = (i64::MIN, 0, Vec::new());
        loop {
            let read = with_pool!(self, |pool| {
                let page = sqlx::query(NAMES).bind(after.0).bind(after.1).bind(&after.2).bind(PAGE);
                let rows = page.fetch_all(pool).await.doing("reading names")?;
                for row in &rows {
                    each(row.get("n"), row.get("name"));
                }
                if let Some(row) = rows.last() {
                    after = (row.get("n"), row.get("kind"), row.get("hash"));
                }
                rows.len() as i64
            });
            if read < PAGE {
                return Ok(());
            }
        }
    }

    /// How many identifiers a version has in rows behind `row`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn identifiers_behind(&self, version: i64, row: i64) -> Result<u64> {
        let gained: i64 = with_pool!(self, |pool| {
            let count = sqlx::query_scalar(GAINED).bind(row).bind(version);
            count.fetch_one(pool).await.doing("counting what the directory gained")?
        });
        Ok(gained.unsigned_abs())
    }

    /// How many identifiers of one version a later one has no more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn identifiers_lost(&self, earlier: i64, later: i64) -> Result<u64> {
        let lost: i64 = with_pool!(self, |pool| {
            let count = sqlx::query_scalar(LOST).bind(earlier).bind(later);
            count.fetch_one(pool).await.doing("counting what the directory lost")?
        });
        Ok(lost.unsigned_abs())
    }
}

fn hash(bytes: &[u8]) -> Result<u128> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Unreadable { what: "identifier" })?;
    Ok(u128::from_be_bytes(bytes))
}

fn kind(code: i64) -> Result<Kind> {
    read_kind(code).ok_or(StoreError::Unreadable { what: "identifier" })
}
