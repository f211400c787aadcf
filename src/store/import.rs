//! An import under way: staged in tables that nobody reads, compared with the
//! current version, made current in one transaction or not at all.
//!
//! Invariants: memory holds one batch, whatever the export's size. The rows of
//! a batch are written together. Only one session stages at a time: a later one
//! clears what an earlier left, and the earlier can then neither add nor commit.
//! An account whose record and identifiers are unchanged costs no row.
//!
//! Measured: 164,650 accounts with 14 identifiers each on SQLite, see
//! `tests/store.rs`.

use serde::Serialize;

use crate::account::{Kind, Record};
use crate::directory::NewAccount;
use crate::directory::accept::{self, Conflict, Found};
use crate::mapping::Mapping;
use crate::store::batch::Batch;
use crate::store::cell::Cell;
use crate::store::directory::{account, hex, json, read_kind};
use crate::store::error::{Doing, Result, StoreError};
use crate::store::set::SetDigest;
use crate::store::{Store, Version, in_transaction, ledger, with_pool};

/// An import under way. Nothing of it can be seen before [`Import::commit`];
/// what a killed one leaves behind is cleared by the next.
#[derive(Debug)]
#[must_use = "an import is committed or abandoned"]
pub struct Import {
    store: Store,
    mapping: Mapping,
    key_id: [u8; 16],
    session: i64,
    accounts: u64,
    identifiers: u64,
    digest: SetDigest,
    calibration: Option<String>,
}

/// Conflicts that are named; a real export has none.
const CONFLICTS_MAX: i64 = 100_000;

/// Conflicts whose records are compared: as many as are told.
const COMPARED_MAX: usize = 20;

/// What a row is called that cannot be read.
const STAGED_ROW: &str = "staged row";

const NEXT_SESSION: &str = "update staging set session = session + 1 returning session";
const SAME_SESSION_SQLITE: &str = "select count(*) from staging where session = $1";
/// Locked, so that no other session clears the rows before this transaction ends.
const SAME_SESSION_POSTGRES: &str =
    "select count(*) from (select session from staging for update) s where session = $1";

const CLEAR_SQLITE: [&str; 5] = [
    // Ten million hashes are put in order, and every page of an index is met again.
    "pragma cache_size = -65536",
    "drop index if exists staged_account_key",
    "delete from staged_new",
    "delete from staged_identifier",
    "delete from staged_account",
];
const CLEAR_POSTGRES: [&str; 2] =
    ["drop index if exists staged_account_key", "truncate staged_new, staged_identifier, staged_account"];

const STAGE_ACCOUNTS_SQLITE: &str = "
    insert into staged_account (line, account, address, record, digest, drift_address, drift_name, drift_domains)
    select value->>0, value->>1, value->>2, value->>3, unhex(value->>4), value->>5, value->>6, value->>7
    from json_each($1)";
const STAGE_ACCOUNTS_POSTGRES: &str = "
    insert into staged_account (line, account, address, record, digest, drift_address, drift_name, drift_domains)
    select (v->>0)::bigint, v->>1, v->>2, v->>3, decode(v->>4, 'hex'), (v->>5)::bigint, (v->>6)::bigint, (v->>7)::bigint
    from jsonb_array_elements($1::jsonb) as v";
const STAGE_IDENTIFIERS_SQLITE: &str = "
    insert into staged_identifier (line, kind, hash, exclusive, name)
    select value->>0, value->>1, unhex(value->>2), value->>3, value->>4 from json_each($1)";
const STAGE_IDENTIFIERS_POSTGRES: &str = "
    insert into staged_identifier (line, kind, hash, exclusive, name)
    select (v->>0)::bigint, (v->>1)::bigint, decode(v->>2, 'hex'), (v->>3)::bigint, v->>4
    from jsonb_array_elements($1::jsonb) as v";

const INDEX_SQLITE: [&str; 1] = ["create index if not exists staged_account_key on staged_account (account)"];
/// PostgreSQL plans by statistics, which rows just written do not have yet.
const INDEX_POSTGRES: [&str; 3] = [
    "create index if not exists staged_account_key on staged_account (account)",
    "analyze staged_account",
    "analyze staged_identifier",
];

const DUPLICATES: &str = "
    select account, min(line) as first, max(line) as again from staged_account
    group by account having count(*) > 1 order by again limit $1";
/// One exclusive claim is enough: nobody else may have the value then. An
/// account that is there twice is told as that, not as a conflict with itself.
const CONFLICTS: &str = "
    select c.kind, c.first, c.again from (
        select kind, min(line) as first, max(line) as again from staged_identifier
        group by hash, kind having max(exclusive) = 1 and min(line) <> max(line)) c
    join staged_account a on a.line = c.first join staged_account b on b.line = c.again
    where a.account <> b.account order by c.again, c.first limit $1";
const RECORDS: &str = "select record from staged_account where line in ($1, $2) order by line";
const DRIFT: &str = "
    select (select count(*) from account where last_version is null) as before,
           (select count(*) from staged_account) as after,
           count(*) as both,
           coalesce(sum(case when a.drift_address <> s.drift_address then 1 else 0 end), 0) as address,
           coalesce(sum(case when a.drift_name <> s.drift_name then 1 else 0 end), 0) as name,
           coalesce(sum(case when a.drift_domains <> s.drift_domains then 1 else 0 end), 0) as domains,
           coalesce(sum(case when a.digest <> s.digest and a.drift_address = s.drift_address
               and a.drift_name = s.drift_name and a.drift_domains = s.drift_domains then 1 else 0 end), 0) as other
    from staged_account s join account a on a.account = s.account and a.last_version is null";

const STAGED: &str = "
    select (select count(*) from staged_account) as accounts, (select count(*) from staged_identifier) as identifiers";
const NEXT: &str = "
    select coalesce((select max(number) from directory_version), 0) + 1 as number,
           coalesce((select max(n) from account), 0) as base,
           (select count(*) from account) as rows";
const ADD_VERSION: &str = "
    insert into directory_version
        (number, mapping, accounts, identifiers, digest, reason, imported_ms, key_id, calibration)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const END: &str = "
    update account set last_version = $1 where last_version is null and not exists (
        select 1 from staged_account s where s.account = account.account and s.digest = account.digest)";
const FIND_NEW: &str = "
    insert into staged_new (line) select s.line from staged_account s where not exists (
        select 1 from account a where a.account = s.account and a.last_version is null)";
/// A new row's number is its line above the last number there was, so that its
/// identifiers need no look-up.
const BEGIN: &str = "
    insert into account (n, account, address, record, digest, drift_address, drift_name, drift_domains, first_version)
    select $1 + line, account, address, record, digest, drift_address, drift_name, drift_domains, $2
    from staged_account where line in (select line from staged_new) order by line";
/// In the order in which they were staged: by line, kind and hash.
const BEGIN_IDENTIFIERS: &str = "
    insert into identifier (n, kind, hash, name)
    select $1 + line, kind, hash, name from staged_identifier where line in (select line from staged_new)";
const DROP_INDEX: &str = "drop index identifier_hash";
const MAKE_INDEX: &str = "create index identifier_hash on identifier (hash, kind)";

impl Store {
    /// Begins an import, clearing what a killed one left. `key_id` names the key
    /// that the identifiers are hashed under.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin_import(&self, mapping: &Mapping, key_id: [u8; 16]) -> Result<Import> {
        let doing = "beginning an import";
        let clear: &[&'static str] = if self.is_sqlite() { &CLEAR_SQLITE } else { &CLEAR_POSTGRES };
        let session = in_transaction!(self, doing, |tx| {
            let session: i64 =
                sqlx::query(NEXT_SESSION).fetch_one(&mut *tx).await.doing(doing)?.cell("staging session", "session")?;
            for sql in clear {
                sqlx::query(*sql).execute(&mut *tx).await.doing(doing)?;
            }
            session
        });
        let (store, mapping) = (self.clone(), mapping.clone());
        Ok(Import {
            store,
            mapping,
            key_id,
            session,
            accounts: 0,
            identifiers: 0,
            digest: SetDigest::default(),
            calibration: None,
        })
    }
}

/// Runs a body in a transaction of this session alone.
macro_rules! in_session {
    ($import:expr, $doing:expr, |$tx:ident| $body:expr) => {
        in_transaction!($import.store, $doing, |$tx| {
            let same = $import.store.sql(SAME_SESSION_SQLITE, SAME_SESSION_POSTGRES);
            let same: i64 = sqlx::query_scalar(same).bind($import.session).fetch_one(&mut *$tx).await.doing($doing)?;
            if same != 1 {
                return Err(StoreError::ImportLost);
            }
            $body
        })
    };
}

impl Import {
    /// Stages accounts, in one transaction. Their lines only grow.
    ///
    /// # Errors
    /// Another import began meanwhile, or the database fails.
    pub async fn add(&mut self, accounts: Vec<NewAccount>) -> Result<()> {
        let doing = "staging accounts";
        if accounts.is_empty() {
            return Ok(());
        }
        let batch = tokio::task::spawn_blocking(move || Batch::new(accounts)).await;
        let batch = batch.map_err(|_| StoreError::Unreadable { what: "batch" })??;
        let add_accounts = self.store.sql(STAGE_ACCOUNTS_SQLITE, STAGE_ACCOUNTS_POSTGRES);
        let add_identifiers = self.store.sql(STAGE_IDENTIFIERS_SQLITE, STAGE_IDENTIFIERS_POSTGRES);
        in_session!(self, doing, |tx| {
            sqlx::query(add_accounts).bind(&batch.accounts).execute(&mut *tx).await.doing(doing)?;
            sqlx::query(add_identifiers).bind(&batch.identifiers).execute(&mut *tx).await.doing(doing)?;
        });
        self.accounts += batch.account_count;
        self.identifiers += batch.identifier_count;
        self.digest.add(&batch.digest);
        Ok(())
    }

    /// What acceptance judges: duplicates, conflicts, and drift against the
    /// current version. No value is in it, only kinds and lines.
    ///
    /// # Errors
    /// Another import began meanwhile, or the database fails.
    pub async fn found(&self) -> Result<Found> {
        let doing = "comparing an import with the current version";
        self.index().await?;
        with_pool!(self.store, |pool| {
            let mut conflicts = Vec::new();
            for row in sqlx::query(DUPLICATES).bind(CONFLICTS_MAX).fetch_all(pool).await.doing(doing)? {
                let (first, again) = (number(row.cell(STAGED_ROW, "first")?), number(row.cell(STAGED_ROW, "again")?));
                conflicts.push(Conflict {
                    kind: None,
                    account: Some(account(row.cell(STAGED_ROW, "account")?)?),
                    first,
                    again,
                    by_case: None,
                });
            }
            for row in sqlx::query(CONFLICTS).bind(CONFLICTS_MAX).fetch_all(pool).await.doing(doing)? {
                let (first, again): (i64, i64) = (row.cell(STAGED_ROW, "first")?, row.cell(STAGED_ROW, "again")?);
                let kind = read_kind(row.cell(STAGED_ROW, "kind")?);
                let by_case = if kind == Some(Kind::Id) && conflicts.len() < COMPARED_MAX {
                    let records = sqlx::query(RECORDS).bind(first).bind(again).fetch_all(pool).await.doing(doing)?;
                    let read = |row| {
                        let text: String = Cell::cell(row, STAGED_ROW, "record")?;
                        serde_json::from_str(&text).map_err(|_| StoreError::Unreadable { what: STAGED_ROW })
                    };
                    accept::by_case(&self.mapping, &records.iter().map(read).collect::<Result<Vec<Record>>>()?)
                } else {
                    None
                };
                conflicts.push(Conflict { kind, account: None, first: number(first), again: number(again), by_case });
            }
            let row = sqlx::query(DRIFT).fetch_one(pool).await.doing(doing)?;
            let count = |name: &str| row.cell(STAGED_ROW, name).map(number);
            let (before, after, both) = (count("before")?, count("after")?, count("both")?);
            Ok(Found {
                conflicts,
                before,
                after,
                new: after.saturating_sub(both),
                gone: before.saturating_sub(both),
                changed_address: count("address")?,
                changed_name: count("name")?,
                changed_domains: count("domains")?,
                changed_other: count("other")?,
                ..Found::default()
            })
        })
    }

    /// Makes ready what comparing and committing look rows up by.
    async fn index(&self) -> Result<()> {
        let doing = "indexing an import";
        let index: &[&'static str] = if self.store.is_sqlite() { &INDEX_SQLITE } else { &INDEX_POSTGRES };
        in_session!(self, doing, |tx| {
            for sql in index {
                sqlx::query(*sql).execute(&mut *tx).await.doing(doing)?;
            }
        });
        Ok(())
    }

    /// Keeps what calibration found of it, as JSON, with the version.
    pub fn calibrated(&mut self, told: String) {
        self.calibration = Some(told);
    }

    /// Makes the staged accounts the current version, in one step.
    ///
    /// # Errors
    /// Another import began meanwhile, staged rows are missing, an account is
    /// there twice, or the database fails; the version before then stays current.
    pub async fn commit(self, reason: Option<&str>, now_ms: i64) -> Result<Version> {
        let doing = "making a directory version current";
        self.index().await?;
        let (mapping, digest) = (json(&self.mapping)?, self.digest.finish());
        let clear: &[&'static str] = if self.store.is_sqlite() { &CLEAR_SQLITE } else { &CLEAR_POSTGRES };
        let number = in_session!(self, doing, |tx| {
            let row = sqlx::query(STAGED).fetch_one(&mut *tx).await.doing(doing)?;
            self.is_whole(row.cell(STAGED_ROW, "accounts")?, row.cell(STAGED_ROW, "identifiers")?)?;
            let row = sqlx::query(NEXT).fetch_one(&mut *tx).await.doing(doing)?;
            let (next, base, rows): (i64, i64, i64) =
                (row.cell(STAGED_ROW, "number")?, row.cell(STAGED_ROW, "base")?, row.cell(STAGED_ROW, "rows")?);
            let add = sqlx::query(ADD_VERSION).bind(next).bind(&mapping).bind(self.accounts as i64);
            let add = add.bind(self.identifiers as i64).bind(digest.to_vec()).bind(reason).bind(now_ms);
            let add = add.bind(self.key_id.to_vec()).bind(self.calibration.as_deref());
            add.execute(&mut *tx).await.doing(doing)?;
            let ended = sqlx::query(END).bind(next - 1).execute(&mut *tx).await.doing(doing)?.rows_affected();
            let new = sqlx::query(FIND_NEW).execute(&mut *tx).await.doing(doing)?.rows_affected();
            sqlx::query(BEGIN).bind(base).bind(next).execute(&mut *tx).await.doing(doing)?;
            // When most rows are new, one sort is cheaper than many insertions.
            let rebuild = new > number(rows);
            if rebuild {
                sqlx::query(DROP_INDEX).execute(&mut *tx).await.doing(doing)?;
            }
            sqlx::query(BEGIN_IDENTIFIERS).bind(base).execute(&mut *tx).await.doing(doing)?;
            if rebuild {
                sqlx::query(MAKE_INDEX).execute(&mut *tx).await.doing(doing)?;
            }
            for sql in clear {
                sqlx::query(*sql).execute(&mut *tx).await.doing(doing)?;
            }
            let told = Told {
                version: next,
                accounts: self.accounts,
                identifiers: self.identifiers,
                began: new,
                ended,
                digest: hex(&digest),
                reason,
                mapping: hex(blake3::hash(mapping.as_bytes()).as_bytes()),
                key: hex(&self.key_id),
                calibration: self.calibration.as_deref().map(|told| hex(blake3::hash(told.as_bytes()).as_bytes())),
            };
            ledger::append!(tx, None::<i64>, "import", &told, now_ms, doing);
            next
        });
        self.store.analyze("analyze account, identifier").await;
        Ok(Version {
            number,
            mapping: self.mapping,
            accounts: self.accounts,
            identifiers: self.identifiers,
            digest,
            reason: reason.map(str::to_owned),
            imported_ms: now_ms,
            key_id: Some(self.key_id),
            calibration: self.calibration,
        })
    }

    /// Refuses to go on where not all that was staged is there.
    fn is_whole(&self, accounts: i64, identifiers: i64) -> Result<()> {
        let is_whole = (number(accounts), number(identifiers)) == (self.accounts, self.identifiers);
        if is_whole { Ok(()) } else { Err(StoreError::ImportLost) }
    }

    /// Forgets what was staged.
    ///
    /// # Errors
    /// The database fails; the next import then clears it.
    pub async fn abandon(self) -> Result<()> {
        match self.clear().await {
            // Another import cleared it already.
            Ok(()) | Err(StoreError::ImportLost) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn clear(&self) -> Result<()> {
        let doing = "clearing an import";
        let clear: &[&'static str] = if self.store.is_sqlite() { &CLEAR_SQLITE } else { &CLEAR_POSTGRES };
        in_session!(self, doing, |tx| {
            for sql in clear {
                sqlx::query(*sql).execute(&mut *tx).await.doing(doing)?;
            }
        });
        Ok(())
    }
}

/// What the ledger says of an import.
#[derive(Serialize)]
struct Told<'a> {
    version: i64,
    accounts: u64,
    identifiers: u64,
    began: u64,
    ended: u64,
    digest: String,
    reason: Option<&'a str>,
    mapping: String,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<String>,
}

fn number(number: i64) -> u64 {
    number.unsigned_abs()
}
