//! What becomes of claims ([`crate::store::claim`] makes them). Every change is a legal move of
//! [`crate::ledger::State`]: the statement names the states it may come from,
//! the rows that made it are counted, and one row too few rolls the whole batch
//! back. The ledger's entry is in the same transaction. A claim is ended by the process
//! that made it only: what one that was taken for dead had not begun may be another's by
//! now, for the same attempt.
//!
//! Measured: batches of 500 on SQLite with `synchronous=FULL`, see
//! `tests/store.rs`.

use std::collections::HashSet;

use crate::account::AccountId;
use crate::address::Address;
use crate::campaign::State as CampaignState;
use crate::guard::Held;
use crate::ledger::{Claim, Outcome, State};
use crate::store::cell::Cell;
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::ledger::Messages;
use crate::store::lock::worker;
use crate::store::message::exactly;
use crate::store::{Store, campaign, in_transaction, ledger, suppression};

/// The end of one attempt.
#[derive(Debug)]
pub struct Settled {
    /// The claim, consumed.
    pub claim: Claim,
    /// How it ended.
    pub outcome: Outcome,
    /// For a deferral: when it may be tried again.
    pub not_before_ms: Option<i64>,
    /// The address, if there is no mailbox behind it: it gets no more mail.
    pub bounced: Option<Address>,
}

/// What a row is called that cannot be read.
const WHAT: &str = "message";
/// What is said of a message that a process had begun which ended.
pub(in crate::store) const LOST_REPLY: &str = "the sending process ended before the outcome was recorded";

/// A claim that was not begun is taken back ($2 now): it counts as no attempt. One that had
/// others before is deferred and due at once: only so is it looked for while a later stage
/// is open, and does it expire.
macro_rules! given_back {
    () => {
        "state = case when attempt > 1 then 'deferred' else 'checked' end, attempt = attempt - 1,
         not_before_ms = case when attempt > 1 then $2 end, first_ms = case when attempt > 1 then first_ms end,
         begun = true, worker = null, changed_ms = $2"
    };
}
pub(in crate::store) use given_back;

impl Store {
    /// Records how attempts ended, and suppresses the addresses that have no
    /// mailbox; how many of these were not suppressed before.
    ///
    /// # Errors
    /// A message is not claimed by this process any more, or by a later attempt, or the
    /// database fails; none is recorded then.
    pub async fn record_outcomes(&self, campaign: i64, settled: Vec<Settled>, now_ms: i64) -> Result<u64> {
        const SQLITE: &str = "
            update message set state = v.value->>1, code = v.value->>2, reply = v.value->>3,
                   not_before_ms = v.value->>4, worker = null, changed_ms = $3
            from json_each($2) as v
            where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed' and attempt = v.value->>5
              and worker = $4";
        const POSTGRES: &str = "
            update message set state = v->>1, code = (v->>2)::bigint, reply = v->>3,
                   not_before_ms = (v->>4)::bigint, worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and (state = 'claimed') is true and attempt = (v->>5)::bigint
              and worker = $4";
        if settled.is_empty() {
            return Ok(0);
        }
        let doing = "recording outcomes";
        let bounced: Vec<Address> = settled.iter().filter_map(|one| one.bounced.clone()).collect();
        let rows = settled.iter().map(|Settled { claim, outcome, not_before_ms, .. }| {
            let reply = outcome.reply();
            (&claim.account, outcome.state(), reply.code, &reply.text, not_before_ms, claim.attempt)
        });
        let told = Messages { messages: rows.collect() };
        let (text, sql) = (json(&told.messages)?, self.sql(SQLITE, POSTGRES));
        let suppress = suppression::insert_text(self);
        Ok(in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms).bind(worker());
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), settled.len())?;
            ledger::append!(tx, Some(campaign), "outcome", &told, now_ms, doing);
            // After the entry: whoever appends is alone, so that no two wait for
            // each other's addresses.
            suppression::add!(tx, suppress, &bounced, suppression::BOUNCED, Some(campaign), now_ms, doing)
        }))
    }

    /// Takes claims back that were not begun.
    ///
    /// # Errors
    /// A message is not claimed by this process any more, or the database fails.
    pub async fn release(&self, campaign: i64, claims: Vec<Claim>, now_ms: i64) -> Result<()> {
        const SQLITE: &str = concat!(
            "update message set ",
            given_back!(),
            " from json_each($3) as v
            where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed' and attempt = v.value->>2
              and worker = $4"
        );
        const POSTGRES: &str = concat!(
            "update message set ",
            given_back!(),
            " from jsonb_array_elements($3::jsonb) as v
            where campaign = $1 and account = v->>0 and (state = 'claimed') is true and attempt = (v->>2)::bigint
              and worker = $4"
        );
        let messages = claims.iter().map(|claim| match claim.attempt {
            attempt @ 2.. => (&claim.account, "deferred", attempt, Some(now_ms)),
            attempt => (&claim.account, "checked", attempt, None),
        });
        let messages = messages.collect::<Vec<_>>();
        self.make_move(campaign, "release", "taking claims back", self.sql(SQLITE, POSTGRES), messages, now_ms).await
    }

    /// Ends deferred messages whose first attempt was `first_ms_max` or before;
    /// how many.
    ///
    /// # Errors
    /// The database fails.
    pub async fn expire(&self, campaign: i64, first_ms_max: i64, now_ms: i64) -> Result<u64> {
        const EXPIRE: &str = "
            update message set state = 'expired', changed_ms = $3 where campaign = $1 and state = 'deferred'
            and account in (select account from message where campaign = $1 and state = 'deferred'
                            and first_ms <= $2 limit 5000) returning account";
        let doing = "ending messages whose lifetime is over";
        let mut expired = 0;
        loop {
            let some: u64 = in_transaction!(self, doing, |tx| {
                let update = sqlx::query(EXPIRE).bind(campaign).bind(first_ms_max).bind(now_ms);
                ledger::append_moved!(tx, update, campaign, "expire", "expired", now_ms, doing)
            });
            if some == 0 {
                return Ok(expired);
            }
            expired += some;
        }
    }

    /// Holds messages that the guard refused at send time, and halts their
    /// campaign, in one step: a held message with a campaign that goes on is
    /// nothing that a crash or a pause can leave behind. One that another process has
    /// claimed or sent meanwhile stays as it is, and the campaign halts all the same.
    /// `why` is asked with how many are held, and given back.
    ///
    /// # Errors
    /// The database fails; nothing is changed then.
    pub async fn hold_and_halt(
        &self,
        campaign: i64,
        held: &[Held],
        why: impl Fn(usize) -> String,
        now_ms: i64,
    ) -> Result<String> {
        const SQLITE: &str = "
            update message set state = 'held', findings = v.value->>2, worker = null, changed_ms = $3
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0
              and (state in ('checked', 'deferred') or state = 'claimed' and worker = $4) returning account";
        const POSTGRES: &str = "
            update message set state = 'held', findings = v->>2, worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v where campaign = $1 and account = v->>0
              and (state in ('checked', 'deferred') or state = 'claimed' and worker = $4) is true returning account";
        const HALT: &str = "update campaign set state = 'halted' where id = $1";
        let doing = "holding messages and halting their campaign";
        let rows = held.iter().map(|held| Ok((&held.account, "held", json(&held.findings)?)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let (text, sql) = (json(&rows)?, self.sql(SQLITE, POSTGRES));
        let state = campaign::state_for_update(self);
        Ok(in_transaction!(self, doing, |tx| {
            // The campaign first, as everywhere: two that wait for each other
            // would wait for ever.
            let row = sqlx::query(state).bind(campaign).fetch_optional(&mut *tx).await.doing(doing)?;
            let is = campaign::read_state(row.ok_or(StoreError::NoCampaign { id: campaign })?.cell(WHAT, "state")?)?;
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms).bind(worker());
            let moved = update.fetch_all(&mut *tx).await.doing(doing)?;
            let moved: HashSet<String> = moved.iter().map(|row| row.cell(WHAT, "account")).collect::<Result<_>>()?;
            let messages: Vec<_> = rows.iter().filter(|(account, ..)| moved.contains(account.as_str())).collect();
            let why = why(messages.len());
            if !messages.is_empty() {
                ledger::append!(tx, Some(campaign), "hold", &Messages { messages }, now_ms, doing);
            }
            if is.may_become(CampaignState::Halted) {
                sqlx::query(HALT).bind(campaign).execute(&mut *tx).await.doing(doing)?;
                let told = serde_json::json!({ "from": is, "state": CampaignState::Halted, "why": why });
                ledger::append!(tx, Some(campaign), "state", &told, now_ms, doing);
            }
            why
        }))
    }

    /// Marks messages that are still free, whose address is on the suppression list; how
    /// many. What another process has claimed or marked meanwhile is left to it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn suppress_messages(&self, campaign: i64, accounts: &[AccountId], now_ms: i64) -> Result<u64> {
        const SQLITE: &str = "
            update message set state = 'suppressed', changed_ms = $3
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value
            and state in ('planned', 'checked', 'deferred') returning account";
        const POSTGRES: &str = "
            update message set state = 'suppressed', changed_ms = $3
            from jsonb_array_elements_text($2::jsonb) as v where campaign = $1 and account = v
            and (state in ('planned', 'checked', 'deferred')) is true returning account";
        if accounts.is_empty() {
            return Ok(0);
        }
        let (doing, text, sql) = ("suppressing messages", json(&accounts)?, self.sql(SQLITE, POSTGRES));
        Ok(in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            ledger::append_moved!(tx, update, campaign, "suppress", "suppressed", now_ms, doing)
        }))
    }

    /// Ends claims that were not begun, because their address was suppressed meanwhile.
    ///
    /// # Errors
    /// A message is not claimed by this process any more, or the database fails; nothing is changed then.
    pub async fn withdraw(&self, campaign: i64, accounts: &[AccountId], now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = 'suppressed', worker = null, changed_ms = $2
            from json_each($3) as v where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'claimed'
              and worker = $4";
        const POSTGRES: &str = "
            update message set state = 'suppressed', worker = null, changed_ms = $2
            from jsonb_array_elements($3::jsonb) as v where campaign = $1 and account = v->>0
              and (state = 'claimed') is true and worker = $4";
        let messages = accounts.iter().map(|account| (account, "suppressed")).collect::<Vec<_>>();
        self.make_move(campaign, "suppress", "withdrawing messages", self.sql(SQLITE, POSTGRES), messages, now_ms).await
    }

    /// Settles `unknown` messages by evidence that an operator brings about this attempt:
    /// `accepted`, because the server has them, `rejected`, because it gave them
    /// up, or `checked`, to be sent again. `by` says who or what knows. Suppresses the
    /// addresses that have no mailbox; how many of these were not suppressed before.
    ///
    /// # Errors
    /// A message is not `unknown`, or after another attempt, or the database fails; none is
    /// settled then.
    /// Any other state that is asked for is refused.
    pub async fn settle(
        &self,
        campaign: i64,
        messages: &[(AccountId, u32, State)],
        bounced: &[Address],
        by: &str,
        now_ms: i64,
    ) -> Result<u64> {
        const SQLITE: &str = "
            update message set state = v.value->>1, changed_ms = $3,
                   first_ms = case when v.value->>1 = 'checked' then null else first_ms end
            from json_each($2) as v where campaign = $1 + 0 * v.key and account = v.value->>0 and state = 'unknown'
              and attempt = v.value->>2";
        const POSTGRES: &str = "
            update message set state = v->>1, changed_ms = $3,
                   first_ms = case when v->>1 = 'checked' then null else first_ms end
            from jsonb_array_elements($2::jsonb) as v where campaign = $1 and account = v->>0
              and (state = 'unknown') is true and attempt = (v->>2)::bigint";
        let doing = "settling unknown messages";
        let legal = messages.iter().filter(|(.., to)| State::Unknown.may_be_settled_as(*to)).count();
        exactly(doing, legal as u64, messages.len())?;
        if messages.is_empty() {
            return Ok(0);
        }
        let told = Messages { messages: messages.iter().map(|(account, _, to)| (account, *to, by)).collect() };
        let rows = messages.iter().map(|(account, attempt, to)| (account, *to, *attempt)).collect::<Vec<_>>();
        let (text, sql) = (json(&rows)?, self.sql(SQLITE, POSTGRES));
        let suppress = suppression::insert_text(self);
        Ok(in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), messages.len())?;
            ledger::append!(tx, Some(campaign), "settle", &told, now_ms, doing);
            // After the entry, as with outcomes.
            suppression::add!(tx, suppress, bounced, suppression::BOUNCED, Some(campaign), now_ms, doing)
        }))
    }

    /// Makes one move for messages that this process has claimed, whose statement takes
    /// ($1 campaign, $2 now, $3 the list that the ledger is told, $4 the process).
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
            let update = sqlx::query(sql).bind(campaign).bind(now_ms).bind(&text).bind(worker());
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), told.messages.len())?;
            ledger::append!(tx, Some(campaign), kind, &told, now_ms, doing);
        });
        Ok(())
    }
}
