//! Claims and what becomes of them. Every change is a legal move of
//! [`crate::ledger::State`]: the statement names the states it may come from,
//! the rows that made it are counted, and one row too few rolls the whole batch
//! back. The ledger's entry is in the same transaction.
//!
//! Measured: batches of 500 on SQLite with `synchronous=FULL`, see
//! `tests/store.rs`.

use std::collections::BTreeMap;

use crate::account::AccountId;
use crate::guard::Finding;
use crate::ledger::{Claim, Outcome, State};
use crate::store::cell::Cell;
use crate::store::directory::{account, json};
use crate::store::error::{Doing, Result, StoreError};
use crate::store::ledger::Messages;
use crate::store::lock::worker;
use crate::store::message::exactly;
use crate::store::{Store, in_transaction, ledger};

/// A claimed message, and what it is rendered from besides the directory.
#[derive(Debug)]
pub struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// The audience's extra columns.
    pub extra: BTreeMap<String, String>,
}

/// The end of one attempt.
#[derive(Debug)]
pub struct Settled {
    /// The claim, consumed.
    pub claim: Claim,
    /// How it ended.
    pub outcome: Outcome,
    /// For a deferral: when it may be tried again.
    pub not_before_ms: Option<i64>,
}

/// Messages that may be claimed, with the address that the directory version
/// has: ($1 campaign, $2 stage, $3 limit, $4 now, $5 version).
macro_rules! due {
    ($which:literal, $tail:literal) => {
        concat!(
            "select m.account, m.digest, m.attempt, m.extra, a.address from message m ",
            "left join account a on a.account = m.account and a.first_version <= $5 ",
            "and (a.last_version is null or a.last_version >= $5) where m.campaign = $1 and ",
            $which,
            " limit $3",
            $tail
        )
    };
}
/// Deferred ones first: they have waited.
const DUE_SQLITE: [&str; 2] = [
    due!("m.state = 'deferred' and m.stage <= $2 and m.not_before_ms <= $4 order by m.not_before_ms", ""),
    due!("m.state = 'checked' and m.stage = $2 and $4 = $4 order by m.ord", ""),
];
/// Several workers may claim at once: each skips the rows that another is just
/// taking.
const DUE_POSTGRES: [&str; 2] = [
    due!(
        "m.state = 'deferred' and m.stage <= $2 and m.not_before_ms <= $4 order by m.not_before_ms",
        " for update of m skip locked"
    ),
    due!(
        "m.state = 'checked' and m.stage = $2 and $4::bigint is not null order by m.ord",
        " for update of m skip locked"
    ),
];

/// What a row is called that cannot be read.
const WHAT: &str = "message";
/// What is said of a message whose process ended; also in [`Store::recover`]'s statement.
pub(in crate::store) const LOST_REPLY: &str = "the sending process ended before the outcome was recorded";

/// A message that is due: account, digest, attempts so far, extra columns, address.
type Due = (String, Vec<u8>, i64, String, Option<String>);

impl Store {
    /// Claims up to `limit` messages of a stage, and deferred ones of this and
    /// earlier stages whose time has come. On disk before it returns; the entry
    /// names the address that `version` of the directory has for each.
    ///
    /// # Errors
    /// The database fails; nothing is claimed then.
    pub async fn claim(
        &self,
        campaign: i64,
        stage: u16,
        version: i64,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Claimed>> {
        const SQLITE: &str = "
            update message set state = 'claimed', attempt = attempt + 1, worker = $3, changed_ms = $4
            where campaign = $1 and +state in ('checked', 'deferred') and account in (select value from json_each($2))";
        const POSTGRES: &str = "
            update message set state = 'claimed', attempt = attempt + 1, worker = $3, changed_ms = $4
            where campaign = $1 and state in ('checked', 'deferred')
              and account in (select jsonb_array_elements_text($2::jsonb))";
        let doing = "claiming messages";
        let worker = worker();
        let texts = if self.is_sqlite() { DUE_SQLITE } else { DUE_POSTGRES };
        let take = self.sql(SQLITE, POSTGRES);
        let rows: Vec<Due> = in_transaction!(self, doing, |tx| {
            let mut rows: Vec<Due> = Vec::new();
            for sql in texts {
                let left = limit.saturating_sub(rows.len()) as i64;
                let due = sqlx::query(sql).bind(campaign).bind(i64::from(stage)).bind(left).bind(now_ms).bind(version);
                let found = due.fetch_all(&mut *tx).await.doing(doing)?;
                for row in &found {
                    let (account, digest) = (row.cell(WHAT, 0)?, row.cell(WHAT, 1)?);
                    rows.push((account, digest, row.cell(WHAT, 2)?, row.cell(WHAT, 3)?, row.cell(WHAT, 4)?));
                }
            }
            if !rows.is_empty() {
                let accounts: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
                let update = sqlx::query(take).bind(campaign).bind(json(&accounts)?).bind(&worker).bind(now_ms);
                exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), rows.len())?;
                let messages =
                    rows.iter().map(|(account, _, done, _, to)| (account, "claimed", done + 1, to)).collect();
                ledger::append!(tx, Some(campaign), "claim", &Messages { messages }, now_ms, doing);
            }
            rows
        });
        rows.into_iter().map(|row| claimed(campaign, row)).collect()
    }

    /// Records how attempts ended.
    ///
    /// # Errors
    /// A message is not claimed any more, or by a later attempt, or the database
    /// fails; none is recorded then.
    pub async fn record_outcomes(&self, campaign: i64, settled: Vec<Settled>, now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = v.value->>1, code = v.value->>2, reply = v.value->>3,
                   not_before_ms = v.value->>4, worker = null, changed_ms = $3
            from json_each($2) as v
            where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed' and attempt = v.value->>5";
        const POSTGRES: &str = "
            update message set state = v->>1, code = (v->>2)::bigint, reply = v->>3,
                   not_before_ms = (v->>4)::bigint, worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and state = 'claimed' and attempt = (v->>5)::bigint";
        if settled.is_empty() {
            return Ok(());
        }
        let doing = "recording outcomes";
        let rows = settled.iter().map(|Settled { claim, outcome, not_before_ms }| {
            let reply = outcome.reply();
            (&claim.account, outcome.state(), reply.code, &reply.text, not_before_ms, claim.attempt)
        });
        let told = Messages { messages: rows.collect() };
        let (text, sql) = (json(&told.messages)?, self.sql(SQLITE, POSTGRES));
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), settled.len())?;
            ledger::append!(tx, Some(campaign), "outcome", &told, now_ms, doing);
        });
        Ok(())
    }

    /// Takes claims back that were not begun: they count as no attempt.
    ///
    /// # Errors
    /// A message is not claimed any more, or the database fails.
    pub async fn release(&self, campaign: i64, claims: Vec<Claim>, now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = 'checked', attempt = attempt - 1, not_before_ms = null, worker = null, changed_ms = $3
            from json_each($2) as v
            where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed' and attempt = v.value->>2";
        const POSTGRES: &str = "
            update message set state = 'checked', attempt = attempt - 1, not_before_ms = null, worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and state = 'claimed' and attempt = (v->>2)::bigint";
        let messages = claims.iter().map(|claim| (&claim.account, "checked", claim.attempt)).collect::<Vec<_>>();
        self.make_move(campaign, "release", "taking claims back", self.sql(SQLITE, POSTGRES), messages, now_ms).await
    }

    /// What a dead process left claimed: nobody knows whether it was sent.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recover(&self, campaign: i64, now_ms: i64) -> Result<u64> {
        const LOST: &str = "
            update message set state = 'unknown', code = 0, reply = 'the sending process ended before the outcome was recorded',
                   worker = null, changed_ms = $2
            where campaign = $1 and state = 'claimed' returning account";
        let doing = "recovering lost claims";
        Ok(in_transaction!(self, doing, |tx| {
            let rows = sqlx::query(LOST).bind(campaign).bind(now_ms).fetch_all(&mut *tx).await.doing(doing)?;
            let read = |row| Ok((Cell::cell(row, WHAT, "account")?, "unknown"));
            let messages: Vec<(String, &str)> = rows.iter().map(read).collect::<Result<_>>()?;
            let lost = messages.len() as u64;
            if lost > 0 {
                ledger::append!(tx, Some(campaign), "recover", &Messages { messages }, now_ms, doing);
            }
            lost
        }))
    }

    /// Holds a claimed message: the guard refused it at send time.
    ///
    /// # Errors
    /// The message is not claimed any more, or the database fails.
    pub async fn hold(&self, campaign: i64, account: &AccountId, findings: &[Finding], now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = 'held', findings = v.value->>2, worker = null, changed_ms = $3
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed'";
        const POSTGRES: &str = "
            update message set state = 'held', findings = v->>2, worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v where campaign = $1 and account = v->>0 and state = 'claimed'";
        let messages = vec![(account, "held", json(findings)?)];
        self.make_move(campaign, "hold", "holding a message", self.sql(SQLITE, POSTGRES), messages, now_ms).await
    }

    /// Marks messages whose address is on the suppression list.
    ///
    /// # Errors
    /// A message has been sent already, or the database fails.
    pub async fn suppress_messages(&self, campaign: i64, accounts: &[AccountId], now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = 'suppressed', worker = null, changed_ms = $3
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0
            and state in ('planned', 'checked', 'claimed', 'deferred')";
        const POSTGRES: &str = "
            update message set state = 'suppressed', worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v where campaign = $1 and account = v->>0
            and state in ('planned', 'checked', 'claimed', 'deferred')";
        let messages = accounts.iter().map(|account| (account, "suppressed")).collect::<Vec<_>>();
        self.make_move(campaign, "suppress", "suppressing messages", self.sql(SQLITE, POSTGRES), messages, now_ms).await
    }

    /// Settles `unknown` messages by evidence that an operator brings:
    /// `accepted`, because they arrived, or `checked`, to be sent again. `by`
    /// says who or what knows.
    ///
    /// # Errors
    /// A message is not `unknown`, or the database fails; none is settled then.
    /// Any other state that is asked for is refused.
    pub async fn settle(&self, campaign: i64, messages: &[(AccountId, State)], by: &str, now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = v.value->>1, changed_ms = $3
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'unknown'";
        const POSTGRES: &str = "
            update message set state = v->>1, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v where campaign = $1 and account = v->>0 and state = 'unknown'";
        let doing = "settling unknown messages";
        let legal = messages.iter().filter(|(_, to)| State::Unknown.may_be_settled_as(*to)).count();
        exactly(doing, legal as u64, messages.len())?;
        let messages = messages.iter().map(|(account, to)| (account, *to, by)).collect::<Vec<_>>();
        self.make_move(campaign, "settle", doing, self.sql(SQLITE, POSTGRES), messages, now_ms).await
    }

    /// Makes one move for messages, whose statement takes ($1 campaign, $2 the
    /// list that the ledger is told, $3 now).
    async fn make_move<T: serde::Serialize>(
        &self,
        campaign: i64,
        kind: &str,
        doing: &'static str,
        sql: &'static str,
        messages: Vec<T>,
        now_ms: i64,
    ) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let (text, told) = (json(&messages)?, Messages { messages });
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), told.messages.len())?;
            ledger::append!(tx, Some(campaign), kind, &told, now_ms, doing);
        });
        Ok(())
    }
}

fn claimed(campaign: i64, (key, digest, attempt, extra, _): Due) -> Result<Claimed> {
    let unreadable = || StoreError::Unreadable { what: "message" };
    Ok(Claimed {
        claim: Claim {
            campaign,
            account: account(&key)?,
            digest: digest.try_into().map_err(|_| unreadable())?,
            attempt: u32::try_from(attempt + 1).map_err(|_| unreadable())?,
        },
        extra: serde_json::from_str(&extra).map_err(|_| unreadable())?,
    })
}
