//! Which messages are due, and the claim: on disk before the first byte.
//!
//! Reading what is due changes nothing, so that messages can be rendered and
//! judged ahead without being claimed: what a crash leaves `claimed` becomes
//! `unknown`, and should be few. A claim takes only what is still free, so that
//! several workers may read the same and none gets what another has.

use std::collections::{BTreeMap, HashMap};

use crate::account::AccountId;
use crate::address::Address;
use crate::ledger::Claim;
use crate::store::cell::Cell;
use crate::store::directory::{account, json};
use crate::store::error::{Doing, Result, StoreError};
use crate::store::ledger::Messages;
use crate::store::lock::worker;
use crate::store::{Store, in_transaction, ledger, with_pool};

/// What a row is called that cannot be read.
const WHAT: &str = "message";

/// A message that is due, and what it is rendered from besides the directory.
#[derive(Clone, Debug)]
pub struct Due {
    /// The account.
    pub account: AccountId,
    /// The digest that the check stored.
    pub digest: [u8; 32],
    /// Attempts so far.
    pub attempts: u32,
    /// The audience's extra columns.
    pub extra: BTreeMap<String, String>,
}

/// A message to claim, and where it will go.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The account.
    pub account: AccountId,
    /// The digest that the check stored.
    pub digest: [u8; 32],
    /// Attempts so far.
    pub attempts: u32,
    /// The envelope's recipient, for the ledger.
    pub to: Address,
}

/// How far a reader of due messages has come. A deferral that comes later is due
/// later, so nothing that is behind it comes back.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    /// The last place in the audience.
    ord: i64,
    /// The last deferral: its time and place.
    deferred: (i64, i64),
}

impl Default for Cursor {
    fn default() -> Self {
        Self { ord: -1, deferred: (i64::MIN, -1) }
    }
}

/// ($1 campaign, $2 stage, $3 limit, $4 and $5 the last deferral's time and place, $6 now)
const DEFERRED: &str = "
    select account, digest, attempt, extra, ord, not_before_ms from message
    where campaign = $1 and state = 'deferred' and stage <= $2 and not_before_ms <= $6
      and (not_before_ms, ord) > ($4, $5) order by not_before_ms, ord limit $3";
/// ($1 campaign, $2 stage, $3 limit, $4 the last place)
const CHECKED: &str = "
    select account, digest, attempt, extra, ord, not_before_ms from message
    where campaign = $1 and state = 'checked' and stage = $2 and ord > $4 order by ord limit $3";

impl Store {
    /// The next messages of a stage that are due, deferred ones of this and
    /// earlier stages first: they have waited. The cursor moves past them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn due(
        &self,
        campaign: i64,
        stage: u16,
        cursor: &mut Cursor,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Due>> {
        let doing = "reading what is due";
        let stage = i64::from(stage);
        let rows: Vec<(String, Vec<u8>, i64, String)> = with_pool!(self, |pool| {
            let deferred = sqlx::query(DEFERRED).bind(campaign).bind(stage).bind(limit as i64);
            let deferred = deferred.bind(cursor.deferred.0).bind(cursor.deferred.1).bind(now_ms);
            let mut rows = deferred.fetch_all(pool).await.doing(doing)?;
            if let Some(last) = rows.last() {
                cursor.deferred = (last.cell(WHAT, "not_before_ms")?, last.cell(WHAT, "ord")?);
            }
            let left = limit.saturating_sub(rows.len()) as i64;
            let checked = sqlx::query(CHECKED).bind(campaign).bind(stage).bind(left).bind(cursor.ord);
            let checked = checked.fetch_all(pool).await.doing(doing)?;
            if let Some(last) = checked.last() {
                cursor.ord = last.cell(WHAT, "ord")?;
            }
            rows.extend(checked);
            let cells = rows
                .iter()
                .map(|row| Ok((row.cell(WHAT, 0)?, row.cell(WHAT, 1)?, row.cell(WHAT, 2)?, row.cell(WHAT, 3)?)));
            cells.collect::<Result<_>>()?
        });
        let unreadable = || StoreError::Unreadable { what: "message" };
        let due = rows.into_iter().map(|(key, digest, attempts, extra)| {
            Ok(Due {
                account: account(&key)?,
                digest: digest.try_into().map_err(|_| unreadable())?,
                attempts: u32::try_from(attempts).map_err(|_| unreadable())?,
                extra: serde_json::from_str(&extra).map_err(|_| unreadable())?,
            })
        });
        due.collect()
    }

    /// Claims messages, in their order: those that are still free. On disk
    /// before it returns; the entry names the address that each will go to.
    ///
    /// # Errors
    /// The database fails; nothing is claimed then.
    pub async fn claim(&self, campaign: i64, wanted: Vec<Wanted>, now_ms: i64) -> Result<Vec<Claim>> {
        const SQLITE: &str = "
            update message set state = 'claimed', attempt = attempt + 1, worker = $3, changed_ms = $4,
                   first_ms = coalesce(first_ms, $4)
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0
              and attempt = v.value->>1 and state in ('checked', 'deferred') returning account, first_ms";
        const POSTGRES: &str = "
            with free as (
                select m.account from jsonb_array_elements($2::jsonb) as v
                join message m on m.campaign = $1 and m.account = v->>0
                where m.attempt = (v->>1)::bigint and m.state in ('checked', 'deferred') for update of m skip locked)
            update message set state = 'claimed', attempt = attempt + 1, worker = $3, changed_ms = $4,
                   first_ms = coalesce(first_ms, $4)
            from free where message.campaign = $1 and message.account = free.account returning message.account, message.first_ms";
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (doing, worker, sql) = ("claiming messages", worker(), self.sql(SQLITE, POSTGRES));
        let text = json(&wanted.iter().map(|wanted| (&wanted.account, wanted.attempts)).collect::<Vec<_>>())?;
        let got: HashMap<String, i64> = in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(&worker).bind(now_ms);
            let rows = update.fetch_all(&mut *tx).await.doing(doing)?;
            let read = |row| Ok((Cell::cell(row, WHAT, "account")?, Cell::cell(row, WHAT, "first_ms")?));
            let got: HashMap<String, i64> = rows.iter().map(read).collect::<Result<_>>()?;
            let ours = wanted.iter().filter_map(|wanted| Some((wanted, got.get(wanted.account.as_str())?)));
            let messages: Vec<_> = ours
                .map(|(one, first_ms)| (&one.account, "claimed", one.attempts + 1, one.to.to_string(), *first_ms))
                .collect();
            if !messages.is_empty() {
                ledger::append!(tx, Some(campaign), "claim", &Messages { messages }, now_ms, doing);
            }
            got
        });
        let ours = wanted.into_iter().filter(|wanted| got.contains_key(wanted.account.as_str()));
        Ok(ours
            .map(|Wanted { account, digest, attempts, .. }| Claim { campaign, account, digest, attempt: attempts + 1 })
            .collect())
    }
}
