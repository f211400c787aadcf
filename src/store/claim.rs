//! Which messages are due, and the claim: on disk before the first byte.
//!
//! Reading what is due changes nothing, so that messages can be rendered and
//! judged ahead without being claimed: what a crash leaves claimed and begun becomes
//! `unknown`, and should be few. A claim takes only what is still free, so that
//! several workers may read the same and none gets what another has. So that they do
//! not render the same either, each begins with a part of the audience of its own.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::account::AccountId;
use crate::address::Address;
use crate::ledger::Claim;
use crate::store::cell::Cell;
use crate::store::directory::{account, json};
use crate::store::error::{Doing, Result, StoreError};
use crate::store::ledger::Messages;
use crate::store::lock::worker;
use crate::store::message::exactly;
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

/// A worker's place among those that send beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its number, from 0.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Seat {
    /// Of one that sends alone.
    pub const ALONE: Self = Self { number: 0, of: 1 };
}

/// How far a reader of due messages has come. A deferral that comes later is due
/// later, so nothing that is behind it comes back.
///
/// Of several readers each goes through its own part of the audience forwards, and then
/// through those of the others backwards: it meets whoever is slow there once, and what
/// a dead one left is read too.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// The audience's parts, as places in it, that are still to be read: the one that is
    /// under way last.
    parts: Vec<Range<i64>>,
    /// What is left of that one, of messages that were never tried.
    left: Range<i64>,
    is_backwards: bool,
    /// The last deferral of it: its time and place. Its next may be anywhere in the part.
    deferred: (i64, i64),
}

const NO_DEFERRAL: (i64, i64) = (i64::MIN, -1);

impl Cursor {
    /// Over an audience whose places go from `first` to `last`.
    fn new(first: i64, last: i64, seat: Seat) -> Self {
        let of = i64::from(seat.of.max(1));
        let cut = |n: i64| match n {
            0 => i64::MIN,
            n if n == of => i64::MAX,
            n => first + (last + 1 - first) * n / of,
        };
        let part = |n: i64| cut(n)..cut(n + 1);
        let own = i64::from(seat.number) % of;
        let parts = (0..of).rev().map(|n| part((own + n) % of)).collect();
        Self { parts, left: part(own), is_backwards: false, deferred: NO_DEFERRAL }
    }

    /// Goes on to the next part; false if there is none.
    fn next_part(&mut self) -> bool {
        self.parts.pop();
        let Some(part) = self.parts.last() else { return false };
        (self.left, self.is_backwards, self.deferred) = (part.clone(), true, NO_DEFERRAL);
        true
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::new(0, 0, Seat::ALONE)
    }
}

/// ($1 campaign, $2 stage, $3 limit, $4 and $5 the part, $6 and $7 the last deferral's
/// time and place, $8 now)
const DEFERRED: &str = "
    select account, digest, attempt, extra, ord, not_before_ms from message
    where campaign = $1 and state = 'deferred' and stage <= $2 and not_before_ms <= $8 and ord >= $4 and ord < $5
      and (not_before_ms, ord) > ($6, $7) order by not_before_ms, ord limit $3";
/// ($1 campaign, $2 stage, $3 limit, $4 and $5 what is left of the part)
const FORWARDS: &str = "
    select account, digest, attempt, extra, ord, not_before_ms from message
    where campaign = $1 and state = 'checked' and stage = $2 and ord >= $4 and ord < $5 order by ord limit $3";
const BACKWARDS: &str = "
    select account, digest, attempt, extra, ord, not_before_ms from message
    where campaign = $1 and state = 'checked' and stage = $2 and ord >= $4 and ord < $5 order by ord desc limit $3";

impl Store {
    /// Where to begin with what is due of a stage.
    ///
    /// # Errors
    /// The database fails.
    pub async fn cursor(&self, campaign: i64, stage: u16, seat: Seat) -> Result<Cursor> {
        const CHECKED: &str = "
            select min(ord) as first, max(ord) as last from message
            where campaign = $1 and state = 'checked' and stage = $2";
        const ALL: &str = "select max(ord) as last from message where campaign = $1";
        if seat == Seat::ALONE {
            return Ok(Cursor::default());
        }
        let doing = "dividing what is due";
        let (first, last) = with_pool!(self, |pool| {
            let stage = i64::from(stage);
            let row = sqlx::query(CHECKED).bind(campaign).bind(stage).fetch_one(pool).await.doing(doing)?;
            let ends: (Option<i64>, Option<i64>) = (row.cell(WHAT, "first")?, row.cell(WHAT, "last")?);
            if let (Some(first), Some(last)) = ends {
                (first, last)
            } else {
                // All that is left are deferred ones, wherever they are.
                let row = sqlx::query(ALL).bind(campaign).fetch_one(pool).await.doing(doing)?;
                (0, row.cell::<Option<i64>, _>(WHAT, "last")?.unwrap_or(0))
            }
        });
        Ok(Cursor::new(first, last, seat))
    }

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
        loop {
            let due = self.due_of_part(campaign, stage, cursor, limit, now_ms).await?;
            if !due.is_empty() || !cursor.next_part() {
                return Ok(due);
            }
        }
    }

    async fn due_of_part(
        &self,
        campaign: i64,
        stage: u16,
        cursor: &mut Cursor,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Due>> {
        let Cursor { parts, left: rest, is_backwards, deferred } = cursor;
        let Some(part) = parts.last() else { return Ok(Vec::new()) };
        let (doing, stage) = ("reading what is due", i64::from(stage));
        let rows: Vec<(String, Vec<u8>, i64, String)> = with_pool!(self, |pool| {
            let query = sqlx::query(DEFERRED).bind(campaign).bind(stage).bind(limit as i64);
            let query = query.bind(part.start).bind(part.end).bind(deferred.0).bind(deferred.1).bind(now_ms);
            let mut rows = query.fetch_all(pool).await.doing(doing)?;
            if let Some(last) = rows.last() {
                *deferred = (last.cell(WHAT, "not_before_ms")?, last.cell(WHAT, "ord")?);
            }
            let left = limit.saturating_sub(rows.len()) as i64;
            let checked = sqlx::query(if *is_backwards { BACKWARDS } else { FORWARDS }).bind(campaign).bind(stage);
            let checked = checked.bind(left).bind(rest.start).bind(rest.end).fetch_all(pool).await.doing(doing)?;
            match checked.last() {
                Some(last) if *is_backwards => rest.end = last.cell(WHAT, "ord")?,
                Some(last) => rest.start = last.cell::<i64, _>(WHAT, "ord")? + 1,
                None => {}
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
    /// before it returns; the entry names the address that each will go to. The
    /// claims of `begun`, made before, may be begun from then on and no sooner: what a
    /// dead process had not begun is free again.
    ///
    /// # Errors
    /// One of `begun` is this process's no more, or the database fails; nothing is
    /// claimed then, and nothing may be begun.
    pub async fn claim(&self, campaign: i64, begun: &[&Claim], wanted: Vec<Wanted>, now_ms: i64) -> Result<Vec<Claim>> {
        const BEGIN_SQLITE: &str = "
            update message set begun = true from json_each($2) as v
            where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed' and attempt = v.value->>1
              and worker = $3";
        const BEGIN_POSTGRES: &str = "
            update message set begun = true from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and (state = 'claimed') is true and attempt = (v->>1)::bigint
              and worker = $3";
        const SQLITE: &str = "
            update message set state = 'claimed', begun = false, attempt = attempt + 1, worker = $3, changed_ms = $4, claimed_ms = $4,
                   first_ms = coalesce(first_ms, $4)
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0
              and attempt = v.value->>1 and state in ('checked', 'deferred') returning account, first_ms";
        const POSTGRES: &str = "
            with free as (
                select m.account from jsonb_array_elements($2::jsonb) as v
                join message m on m.campaign = $1 and m.account = v->>0
                where m.attempt = (v->>1)::bigint and (m.state in ('checked', 'deferred')) is true for update of m skip locked)
            update message set state = 'claimed', begun = false, attempt = attempt + 1, worker = $3, changed_ms = $4, claimed_ms = $4,
                   first_ms = coalesce(first_ms, $4)
            from free where message.campaign = $1 and message.account = free.account returning message.account, message.first_ms";
        if wanted.is_empty() && begun.is_empty() {
            return Ok(Vec::new());
        }
        let (doing, worker) = ("claiming messages", worker());
        let (begin, sql) = (self.sql(BEGIN_SQLITE, BEGIN_POSTGRES), self.sql(SQLITE, POSTGRES));
        let before = json(&begun.iter().map(|claim| (&claim.account, claim.attempt)).collect::<Vec<_>>())?;
        let text = json(&wanted.iter().map(|wanted| (&wanted.account, wanted.attempts)).collect::<Vec<_>>())?;
        let got: HashMap<String, i64> = in_transaction!(self, doing, |tx| {
            if !begun.is_empty() {
                let update = sqlx::query(begin).bind(campaign).bind(&before).bind(worker);
                exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), begun.len())?;
            }
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(worker).bind(now_ms);
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
