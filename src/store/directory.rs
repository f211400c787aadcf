//! Directory versions: staging an import, accepting it in one step, reading
//! records and identifiers of a version.

use std::collections::HashMap;

use sqlx::Row;

use crate::account::{AccountId, Kind, Record};
use crate::config::Mapping;
use crate::directory::NewAccount;
use crate::directory::accept::{Conflict, Found};
use crate::guard::index::Entry;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, in_transaction, ledger, with_pool};

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
    /// Why drift was accepted, where it was.
    pub reason: Option<String>,
    /// When it was imported.
    pub imported_ms: i64,
}

/// An import under way. Nothing of it can be seen before [`Import::commit`];
/// what a killed one leaves behind is cleared by the next.
#[derive(Debug)]
#[must_use = "an import is committed or abandoned"]
pub struct Import {
    store: Store,
    mapping: Mapping,
}

const CLEAR_STAGED: [&str; 2] = ["delete from staged_identifier", "delete from staged_account"];
const DROP_INDEX: [&str; 2] =
    ["drop index if exists staged_account_key", "drop index if exists staged_identifier_line"];

const STAGE_ACCOUNTS_SQLITE: &str = "
    insert into staged_account (line, account, record, digest, drift_address, drift_name, drift_domains)
    select value->>0, value->>1, value->>2, unhex(value->>3), value->>4, value->>5, value->>6 from json_each($1)";
const STAGE_ACCOUNTS_POSTGRES: &str = "
    insert into staged_account (line, account, record, digest, drift_address, drift_name, drift_domains)
    select (v->>0)::bigint, v->>1, v->>2, decode(v->>3, 'hex'), (v->>4)::bigint, (v->>5)::bigint, (v->>6)::bigint
    from jsonb_array_elements($1::jsonb) as v";
const STAGE_IDENTIFIERS_SQLITE: &str = "
    insert into staged_identifier (line, hash, kind, exclusive, name)
    select value->>0, unhex(value->>1), value->>2, value->>3, value->>4 from json_each($1)";
const STAGE_IDENTIFIERS_POSTGRES: &str = "
    insert into staged_identifier (line, hash, kind, exclusive, name)
    select (v->>0)::bigint, decode(v->>1, 'hex'), (v->>2)::bigint, (v->>3)::bigint, v->>4
    from jsonb_array_elements($1::jsonb) as v";

const INDEX_STAGED: [&str; 1] = ["create index staged_account_key on staged_account (account)"];
const DUPLICATES: &str = "
    select account, min(line) as first, max(line) as again from staged_account
    group by account having count(*) > 1 order by again limit 1000";
const CONFLICTS: &str = "
    select kind, min(line) as first, max(line) as again from staged_identifier
    where exclusive = 1 group by hash, kind having count(distinct line) > 1 order by again limit 1000";
const DRIFT: &str = "
    select (select count(*) from account where last_version is null) as before,
           (select count(*) from staged_account) as after,
           count(*) as both,
           coalesce(sum(case when a.drift_address <> s.drift_address then 1 else 0 end), 0) as address,
           coalesce(sum(case when a.drift_name <> s.drift_name then 1 else 0 end), 0) as name,
           coalesce(sum(case when a.drift_domains <> s.drift_domains then 1 else 0 end), 0) as domains
    from staged_account s join account a on a.account = s.account and a.last_version is null";

const NEXT: &str = "select coalesce(max(number), 0) + 1 as number from directory_version";
const END: &str = "
    update account set last_version = $1 where last_version is null and not exists (
        select 1 from staged_account s where s.account = account.account and s.digest = account.digest)";
const BEGIN: &str = "
    insert into account (account, record, digest, drift_address, drift_name, drift_domains, first_version)
    select s.account, s.record, s.digest, s.drift_address, s.drift_name, s.drift_domains, $1
    from staged_account s where not exists (
        select 1 from account a where a.account = s.account and a.last_version is null) order by s.line";
const BEGIN_IDENTIFIERS: &str = "
    insert into identifier (hash, kind, n, name)
    select i.hash, i.kind, a.n, i.name
    from staged_identifier i join staged_account s on s.line = i.line
    join account a on a.account = s.account and a.last_version is null
    where a.first_version = $1 order by a.n, i.kind, i.hash";
const COUNT: &str = "
    select (select count(*) from account where last_version is null) as accounts,
           (select count(*) from identifier i join account a on a.n = i.n where a.last_version is null) as identifiers";
const ADD_VERSION: &str = "
    insert into directory_version (number, mapping, accounts, identifiers, reason, imported_ms)
    values ($1, $2, $3, $4, $5, $6)";

impl Store {
    /// The current version, if there is one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn current_version(&self) -> Result<Option<Version>> {
        const CURRENT: &str = "
            select number, mapping, accounts, identifiers, reason, imported_ms
            from directory_version order by number desc limit 1";
        with_pool!(self, |pool| {
            let row = sqlx::query(CURRENT).fetch_optional(pool).await.doing("reading the directory's version")?;
            row.map(|row| {
                let mapping: String = row.get("mapping");
                Ok(Version {
                    number: row.get("number"),
                    mapping: serde_json::from_str(&mapping).map_err(|_| StoreError::Unreadable { what: "mapping" })?,
                    accounts: row.get::<i64, _>("accounts").unsigned_abs(),
                    identifiers: row.get::<i64, _>("identifiers").unsigned_abs(),
                    reason: row.get("reason"),
                    imported_ms: row.get("imported_ms"),
                })
            })
            .transpose()
        })
    }

    /// Begins an import, clearing what a killed one left.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin_import(&self, mapping: &Mapping) -> Result<Import> {
        let session = Import { store: self.clone(), mapping: mapping.clone() };
        session.clear().await?;
        Ok(session)
    }

    /// The records of these accounts in a version; accounts that the version
    /// does not have are left out.
    ///
    /// # Errors
    /// The database fails.
    pub async fn records(&self, version: i64, accounts: &[AccountId]) -> Result<HashMap<AccountId, Record>> {
        const SQLITE: &str = "
            select a.record from json_each($1) j join account a on a.account = j.value
            where a.first_version <= $2 and (a.last_version is null or a.last_version >= $2)";
        const POSTGRES: &str = "
            select a.record from jsonb_array_elements_text($1::jsonb) j join account a on a.account = j
            where a.first_version <= $2 and (a.last_version is null or a.last_version >= $2)";
        let keys = json(&accounts);
        let sql = self.sql(SQLITE, POSTGRES);
        with_pool!(self, |pool| {
            let rows = sqlx::query(sql).bind(keys).bind(version).fetch_all(pool).await.doing("reading records")?;
            rows.iter()
                .map(|row| {
                    let text: String = row.get("record");
                    let record: Record =
                        serde_json::from_str(&text).map_err(|_| StoreError::Unreadable { what: "record" })?;
                    Ok((record.account.clone(), record))
                })
                .collect()
        })
    }

    /// Every identifier of a version, one by one, in bounded memory.
    ///
    /// # Errors
    /// The database fails, or a row cannot be read.
    pub async fn entries(&self, version: i64, mut each: impl FnMut(Entry)) -> Result<()> {
        const ENTRIES: &str = "
            select i.hash, i.kind, i.name, i.n, a.account from account a join identifier i on i.n = a.n
            where a.first_version <= $1 and (a.last_version is null or a.last_version >= $1)
              and a.n > $2 and a.n <= $3";
        const LAST: &str = "select coalesce(max(n), 0) as n from account";
        const STRIDE: i64 = 5_000;
        with_pool!(self, |pool| {
            let last: i64 = sqlx::query(LAST).fetch_one(pool).await.doing("reading identifiers")?.get("n");
            let mut after = 0;
            while after < last {
                let page = sqlx::query(ENTRIES).bind(version).bind(after).bind(after + STRIDE);
                for row in page.fetch_all(pool).await.doing("reading identifiers")? {
                    let hash: Vec<u8> = row.get("hash");
                    let kind = u8::try_from(row.get::<i64, _>("kind")).ok().and_then(Kind::from_code);
                    let account: String = row.get("account");
                    match (<[u8; 16]>::try_from(hash), kind, AccountId::new(&account)) {
                        (Ok(hash), Some(kind), Ok(account)) => {
                            each(Entry { kind, hash: u128::from_be_bytes(hash), name: row.get("name"), account });
                        }
                        _ => return Err(StoreError::Unreadable { what: "identifier" }),
                    }
                }
                after += STRIDE;
            }
            Ok(())
        })
    }
}

impl Import {
    async fn clear(&self) -> Result<()> {
        let doing = "clearing an import";
        in_transaction!(self.store, doing, |tx| {
            for sql in CLEAR_STAGED.into_iter().chain(DROP_INDEX) {
                sqlx::query(sql).execute(&mut *tx).await.doing(doing)?;
            }
        });
        Ok(())
    }

    /// Stages accounts, in one transaction.
    ///
    /// # Errors
    /// The database fails.
    pub async fn add(&mut self, accounts: Vec<NewAccount>) -> Result<()> {
        let doing = "staging accounts";
        let (accounts, identifiers) = staged_rows(&accounts);
        let add_accounts = self.store.sql(STAGE_ACCOUNTS_SQLITE, STAGE_ACCOUNTS_POSTGRES);
        let add_identifiers = self.store.sql(STAGE_IDENTIFIERS_SQLITE, STAGE_IDENTIFIERS_POSTGRES);
        in_transaction!(self.store, doing, |tx| {
            sqlx::query(add_accounts).bind(accounts).execute(&mut *tx).await.doing(doing)?;
            sqlx::query(add_identifiers).bind(identifiers).execute(&mut *tx).await.doing(doing)?;
        });
        Ok(())
    }

    /// What acceptance judges: duplicates, conflicts, and drift against the
    /// current version.
    ///
    /// # Errors
    /// The database fails.
    pub async fn found(&self) -> Result<Found> {
        let doing = "comparing an import with the current version";
        with_pool!(self.store, |pool| {
            for sql in INDEX_STAGED {
                sqlx::query(sql).execute(pool).await.doing(doing)?;
            }
            let mut conflicts = Vec::new();
            for row in sqlx::query(DUPLICATES).fetch_all(pool).await.doing(doing)? {
                conflicts.push(Conflict {
                    kind: None,
                    account: AccountId::new(&row.get::<String, _>("account")).ok(),
                    first: line(row.get("first")),
                    again: line(row.get("again")),
                });
            }
            for row in sqlx::query(CONFLICTS).fetch_all(pool).await.doing(doing)? {
                let kind = u8::try_from(row.get::<i64, _>("kind")).ok().and_then(Kind::from_code);
                conflicts.push(Conflict {
                    kind,
                    account: None,
                    first: line(row.get("first")),
                    again: line(row.get("again")),
                });
            }
            let row = sqlx::query(DRIFT).fetch_one(pool).await.doing(doing)?;
            let number = |name: &str| line(row.try_get::<i64, _>(name).unwrap_or(0));
            let (before, after, both) = (number("before"), number("after"), number("both"));
            Ok(Found {
                conflicts,
                before,
                after,
                new: after.saturating_sub(both),
                gone: before.saturating_sub(both),
                changed_address: number("address"),
                changed_name: number("name"),
                changed_domains: number("domains"),
                ..Found::default()
            })
        })
    }

    /// Makes the staged accounts the current version, in one step.
    ///
    /// # Errors
    /// The database fails; the version before then stays current.
    pub async fn commit(self, reason: Option<&str>, now_ms: i64) -> Result<Version> {
        let doing = "making a directory version current";
        let mapping = json(&self.mapping);
        let (number, accounts, identifiers) = in_transaction!(self.store, doing, |tx| {
            let number: i64 = sqlx::query(NEXT).fetch_one(&mut *tx).await.doing(doing)?.get("number");
            sqlx::query(END).bind(number - 1).execute(&mut *tx).await.doing(doing)?;
            sqlx::query(BEGIN).bind(number).execute(&mut *tx).await.doing(doing)?;
            sqlx::query(BEGIN_IDENTIFIERS).bind(number).execute(&mut *tx).await.doing(doing)?;
            let row = sqlx::query(COUNT).fetch_one(&mut *tx).await.doing(doing)?;
            let (accounts, identifiers): (i64, i64) = (row.get("accounts"), row.get("identifiers"));
            let add = sqlx::query(ADD_VERSION).bind(number).bind(&mapping).bind(accounts).bind(identifiers);
            add.bind(reason).bind(now_ms).execute(&mut *tx).await.doing(doing)?;
            let body = serde_json::json!({ "version": number, "accounts": accounts, "identifiers": identifiers, "reason": reason });
            ledger::append!(tx, None::<i64>, "import", &body, now_ms, doing);
            for sql in CLEAR_STAGED.into_iter().chain(DROP_INDEX) {
                sqlx::query(sql).execute(&mut *tx).await.doing(doing)?;
            }
            (number, accounts, identifiers)
        });
        Ok(Version {
            number,
            mapping: self.mapping,
            accounts: line(accounts),
            identifiers: line(identifiers),
            reason: reason.map(str::to_owned),
            imported_ms: now_ms,
        })
    }

    /// Forgets what was staged.
    ///
    /// # Errors
    /// The database fails; the next import then clears it.
    pub async fn abandon(self) -> Result<()> {
        self.clear().await
    }
}

fn line(number: i64) -> u64 {
    number.unsigned_abs()
}

pub(in crate::store) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The JSON texts from which a batch's rows are made.
fn staged_rows(accounts: &[NewAccount]) -> (String, String) {
    let mut rows = Vec::with_capacity(accounts.len());
    let mut identifiers = Vec::new();
    for account in accounts {
        let record = json(&account.record);
        let mut hasher = blake3::Hasher::new();
        hasher.update(record.as_bytes());
        for entry in &account.entries {
            hasher.update(&[entry.kind.code()]).update(&entry.hash.to_be_bytes());
            identifiers.push((
                account.line,
                format!("{:032x}", entry.hash),
                entry.kind.code(),
                u8::from(entry.exclusive),
                entry.name.as_deref(),
            ));
        }
        let digest = hasher.finalize().to_hex();
        let drift = account.drift;
        rows.push((
            account.line,
            account.record.account.clone(),
            record,
            digest[..32].to_owned(),
            drift.address,
            drift.name,
            drift.domains,
        ));
    }
    (json(&rows), json(&identifiers))
}
