//! Addresses that get no mail: whole addresses, folded to lower case, so that two
//! domains never share an entry. The ledger is told of their digests only.

use std::collections::HashSet;

use serde::Serialize;

use crate::address::Address;
use crate::store::cell::Cell;
use crate::store::directory::json;
use crate::store::error::{Doing, Result};
use crate::store::{Store, in_transaction, ledger, with_pool};

/// One address that gets no mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// The whole address, in lower case.
    pub address: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at_ms: i64,
}

/// What was taken off the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Addresses that were on it.
    pub removed: u64,
    /// Of these, who had unsubscribed by the link in a message.
    pub unsubscribed: u64,
}

/// What a row is called that cannot be read.
const WHAT: &str = "suppressed address";
/// The reason of those who used the link in a message.
const UNSUBSCRIBED: &str = "unsubscribed";
/// The reason of those that have no mailbox, by a server's word.
pub(in crate::store) const BOUNCED: &str = "hard bounce";
/// Addresses told by one entry.
pub(in crate::store) const CHUNK: usize = 4_000;

/// Adds addresses: ($1 list, $2 reason, $3 now).
pub(in crate::store) fn insert_text(store: &Store) -> &'static str {
    const SQLITE: &str = "
        insert into suppression (address, reason, at_ms) select value, $2, $3 from json_each($1) where true
        on conflict (address) do nothing";
    const POSTGRES: &str = "
        insert into suppression (address, reason, at_ms)
        select distinct v, $2, $3::bigint from jsonb_array_elements_text($1::jsonb) as v
        on conflict (address) do nothing";
    store.sql(SQLITE, POSTGRES)
}

/// Adds addresses in an open transaction; how many were new. `from`: the campaign
/// in which they came up. The entry is of no campaign: every process that sends
/// looks at those. A macro, because the transaction's type differs.
macro_rules! add {
    ($tx:expr, $sql:expr, $addresses:expr, $reason:expr, $from:expr, $now_ms:expr, $doing:expr) => {{
        let (addresses, from): (&[$crate::address::Address], Option<i64>) = ($addresses, $from);
        let mut added = 0;
        for chunk in addresses.chunks($crate::store::suppression::CHUNK) {
            let folded = $crate::store::suppression::folded(chunk);
            let text = $crate::store::directory::json(&folded)?;
            let add = sqlx::query($sql).bind(text).bind($reason).bind($now_ms);
            let new = add.execute(&mut *$tx).await.doing($doing)?.rows_affected();
            let told = $crate::store::suppression::told(new, $reason, from, &folded);
            $crate::store::ledger::append!($tx, None::<i64>, "suppressed", &told, $now_ms, $doing);
            added += new;
        }
        added
    }};
}
pub(in crate::store) use add;

impl Store {
    /// Adds addresses; how many were new.
    ///
    /// # Errors
    /// The database fails; none is added then.
    pub async fn suppress(&self, addresses: &[Address], reason: &str, now_ms: i64) -> Result<u64> {
        let (doing, sql) = ("adding to the suppression list", insert_text(self));
        Ok(in_transaction!(self, doing, |tx| { add!(tx, sql, addresses, reason, None, now_ms, doing) }))
    }

    /// Adds the address of who unsubscribed from a campaign; whether it was new. An
    /// address that is on the list already is left alone, and nothing is written.
    ///
    /// # Errors
    /// The database fails; it is not added then.
    pub async fn unsubscribe(&self, address: &Address, campaign: i64, now_ms: i64) -> Result<bool> {
        const ADD: &str = "
            insert into suppression (address, reason, at_ms) values ($1, $2, $3) on conflict (address) do nothing";
        let doing = "unsubscribing";
        let folded = [address.folded()];
        Ok(in_transaction!(self, doing, |tx| {
            let add = sqlx::query(ADD).bind(&folded[0]).bind(UNSUBSCRIBED).bind(now_ms);
            let new = add.execute(&mut *tx).await.doing(doing)?.rows_affected();
            if new > 0 {
                let told = told(new, UNSUBSCRIBED, Some(campaign), &folded);
                ledger::append!(tx, None::<i64>, "suppressed", &told, now_ms, doing);
            }
            new > 0
        }))
    }

    /// Takes addresses off the list; how many were on it, and why.
    ///
    /// # Errors
    /// The database fails; none is removed then.
    pub async fn unsuppress(&self, addresses: &[Address], now_ms: i64) -> Result<Removed> {
        const SQLITE: &str =
            "delete from suppression where address in (select value from json_each($1)) returning reason";
        const POSTGRES: &str = "
            delete from suppression where address in (select jsonb_array_elements_text($1::jsonb)) returning reason";
        let (doing, sql) = ("removing from the suppression list", self.sql(SQLITE, POSTGRES));
        Ok(in_transaction!(self, doing, |tx| {
            let mut all = Removed::default();
            for chunk in addresses.chunks(CHUNK) {
                let folded = folded(chunk);
                let gone = sqlx::query(sql).bind(json(&folded)?).fetch_all(&mut *tx).await.doing(doing)?;
                let reasons: Vec<String> =
                    gone.iter().map(|row| Cell::cell(row, WHAT, "reason")).collect::<Result<_>>()?;
                let told = serde_json::json!({ "removed": reasons.len(), "digests": digests(&folded) });
                ledger::append!(tx, None::<i64>, "unsuppressed", &told, now_ms, doing);
                all.removed += reasons.len() as u64;
                all.unsubscribed += reasons.iter().filter(|reason| *reason == UNSUBSCRIBED).count() as u64;
            }
            all
        }))
    }

    /// The whole list, in the order of addresses.
    ///
    /// # Errors
    /// The database fails.
    pub async fn suppressions(&self) -> Result<Vec<Suppression>> {
        const ALL: &str = "select address, reason, at_ms from suppression order by address";
        with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("reading the suppression list")?;
            let read = |row| {
                Ok(Suppression {
                    address: Cell::cell(row, WHAT, "address")?,
                    reason: Cell::cell(row, WHAT, "reason")?,
                    at_ms: Cell::cell(row, WHAT, "at_ms")?,
                })
            };
            rows.iter().map(read).collect()
        })
    }

    /// Which of these addresses are on the list, folded.
    ///
    /// # Errors
    /// The database fails.
    pub async fn suppressed(&self, addresses: &[Address]) -> Result<HashSet<String>> {
        const SQLITE: &str = "select address from suppression where address in (select value from json_each($1))";
        const POSTGRES: &str =
            "select address from suppression where address in (select jsonb_array_elements_text($1::jsonb))";
        let (text, sql) = (json(&folded(addresses))?, self.sql(SQLITE, POSTGRES));
        with_pool!(self, |pool| {
            let rows = sqlx::query(sql).bind(text).fetch_all(pool).await.doing("reading the suppression list")?;
            rows.iter().map(|row| row.cell(WHAT, "address")).collect()
        })
    }
}

pub(in crate::store) fn folded(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(Address::folded).collect()
}

/// What the ledger is told of addresses that were added.
pub(in crate::store) fn told(added: u64, reason: &str, from: Option<i64>, folded: &[String]) -> serde_json::Value {
    let mut told = serde_json::json!({ "added": added, "reason": reason, "digests": digests(folded) });
    if let Some(campaign) = from {
        told["from"] = campaign.into();
    }
    told
}

/// The ledger is kept for long and shown to many: it says which addresses only
/// to who has them.
fn digests(folded: &[String]) -> Vec<String> {
    folded.iter().map(|address| blake3::hash(address.as_bytes()).to_hex().to_string()).collect()
}
