//! Claims and what became of them: every change is a legal move, checked by the
//! count of rows that could make it, and told to the ledger in the same
//! transaction.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::account::AccountId;
use crate::guard::Finding;
use crate::ledger::{Claim, Outcome};
use crate::report::ReplyCount;
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, in_transaction, ledger, with_pool};

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

/// Changes the state of the accounts in $2 from any of the states in the text
/// to $3; ($1 campaign, $4 now).
const MOVE_CLAIMED_SQLITE: &str = "
    update message set state = $3, worker = null, changed_ms = $4
    where campaign = $1 and state = 'claimed' and account in (select value from json_each($2))";
const MOVE_CLAIMED_POSTGRES: &str = "
    update message set state = $3, worker = null, changed_ms = $4
    where campaign = $1 and state = 'claimed' and account in (select jsonb_array_elements_text($2::jsonb))";

const DUE_CHECKED: &str = "
    select account, digest, attempt, extra from message
    where campaign = $1 and state = 'checked' and stage = $2 order by ord limit $3";
const DUE_DEFERRED: &str = "
    select account, digest, attempt, extra from message
    where campaign = $1 and state = 'deferred' and stage <= $2 and not_before_ms <= $4 order by not_before_ms limit $3";
const CLAIM_SQLITE: &str = "
    update message set state = 'claimed', attempt = attempt + 1, worker = $3, changed_ms = $4
    where campaign = $1 and state in ('checked', 'deferred') and account in (select value from json_each($2))";
const CLAIM_POSTGRES: &str = "
    update message set state = 'claimed', attempt = attempt + 1, worker = $3, changed_ms = $4
    where campaign = $1 and state in ('checked', 'deferred')
      and account in (select jsonb_array_elements_text($2::jsonb))";

type Due = (String, Vec<u8>, i64, String);

impl Store {
    /// Claims up to `limit` messages of a stage, and deferred ones of this and
    /// earlier stages whose time has come. On disk before it returns.
    ///
    /// # Errors
    /// The database fails; nothing is claimed then.
    pub async fn claim(&self, campaign: i64, stage: u16, limit: usize, now_ms: i64) -> Result<Vec<Claimed>> {
        let doing = "claiming messages";
        // Several workers may claim at once on PostgreSQL: each skips the rows
        // that another is just taking.
        let due = |sqlite: &'static str| -> String {
            if self.is_sqlite() { sqlite.to_owned() } else { format!("{sqlite} for update skip locked") }
        };
        let (checked, deferred) = (due(DUE_CHECKED), due(DUE_DEFERRED));
        let take = self.sql(CLAIM_SQLITE, CLAIM_POSTGRES);
        let rows: Vec<Due> = in_transaction!(self, doing, |tx| {
            let mut rows: Vec<Due> = Vec::new();
            for sql in [deferred, checked] {
                let text = sqlx::AssertSqlSafe(sql);
                let query = sqlx::query(text)
                    .bind(campaign)
                    .bind(i64::from(stage))
                    .bind((limit - rows.len()) as i64)
                    .bind(now_ms);
                let found = query.fetch_all(&mut *tx).await.doing(doing)?;
                rows.extend(
                    found.iter().map(|r| (r.get("account"), r.get("digest"), r.get("attempt"), r.get("extra"))),
                );
            }
            if !rows.is_empty() {
                let accounts: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
                let update = sqlx::query(take).bind(campaign).bind(json(&accounts)).bind(worker()).bind(now_ms);
                let changed = update.execute(&mut *tx).await.doing(doing)?.rows_affected();
                exactly(doing, changed, rows.len())?;
                let told: Vec<_> = rows.iter().map(|row| (&row.0, "claimed", row.2 + 1)).collect();
                let body = serde_json::json!({ "worker": worker(), "messages": told });
                ledger::append!(tx, Some(campaign), "claim", &body, now_ms, doing);
            }
            rows
        });
        rows.into_iter().map(|row| claimed(campaign, row)).collect()
    }

    /// Records how attempts ended.
    ///
    /// # Errors
    /// A message is not claimed any more, or the database fails; none is
    /// recorded then.
    pub async fn record_outcomes(&self, campaign: i64, settled: Vec<Settled>, now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            with v as materialized (
                select value->>0 as account, value->>1 as state, value->>2 as code, value->>3 as reply, value->>4 as due
                from json_each($2))
            update message set state = v.state, code = v.code, reply = v.reply, not_before_ms = v.due,
                   worker = null, changed_ms = $3
            from v where campaign = $1 and message.account = v.account and +message.state = 'claimed'";
        const POSTGRES: &str = "
            update message set state = v->>1, code = (v->>2)::bigint, reply = v->>3,
                   not_before_ms = (v->>4)::bigint, worker = null, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and state = 'claimed'";
        if settled.is_empty() {
            return Ok(());
        }
        let doing = "recording outcomes";
        let rows: Vec<_> = settled
            .iter()
            .map(|Settled { claim, outcome, not_before_ms }| {
                let reply = outcome.reply();
                (&claim.account, outcome.state(), reply.code, &reply.text, not_before_ms)
            })
            .collect();
        let (body, text, sql) = (serde_json::json!({ "messages": rows }), json(&rows), self.sql(SQLITE, POSTGRES));
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), settled.len())?;
            ledger::append!(tx, Some(campaign), "outcome", &body, now_ms, doing);
        });
        Ok(())
    }

    /// Takes claims back that were not begun.
    ///
    /// # Errors
    /// A message is not claimed any more, or the database fails.
    pub async fn release(&self, campaign: i64, claims: Vec<Claim>, now_ms: i64) -> Result<()> {
        let accounts: Vec<AccountId> = claims.into_iter().map(|claim| claim.account).collect();
        self.move_claimed(campaign, &accounts, "checked", "release", now_ms).await
    }

    /// What a dead process left claimed: nobody knows whether it was sent.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recover(&self, campaign: i64, now_ms: i64) -> Result<u64> {
        const LEFT: &str = "select account from message where campaign = $1 and state = 'claimed' order by ord";
        let rows: Vec<String> = with_pool!(self, |pool| {
            let rows = sqlx::query(LEFT).bind(campaign).fetch_all(pool).await.doing("looking for lost claims")?;
            rows.iter().map(|row| row.get("account")).collect()
        });
        let accounts: Vec<AccountId> = rows.iter().filter_map(|account| AccountId::new(account).ok()).collect();
        self.move_claimed(campaign, &accounts, "unknown", "recover", now_ms).await?;
        Ok(accounts.len() as u64)
    }

    async fn move_claimed(
        &self,
        campaign: i64,
        accounts: &[AccountId],
        to: &'static str,
        kind: &str,
        now_ms: i64,
    ) -> Result<()> {
        if accounts.is_empty() {
            return Ok(());
        }
        let doing = "moving claimed messages";
        let told: Vec<_> = accounts.iter().map(|account| (account, to)).collect();
        let (body, text) = (serde_json::json!({ "messages": told }), json(accounts));
        let sql = self.sql(MOVE_CLAIMED_SQLITE, MOVE_CLAIMED_POSTGRES);
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(to).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), accounts.len())?;
            ledger::append!(tx, Some(campaign), kind, &body, now_ms, doing);
        });
        Ok(())
    }

    /// Holds a claimed message: the guard refused it at send time.
    ///
    /// # Errors
    /// The message is not claimed any more, or the database fails.
    pub async fn hold(&self, campaign: i64, account: &AccountId, findings: &[Finding], now_ms: i64) -> Result<()> {
        const HOLD: &str = "
            update message set state = 'held', findings = $3, worker = null, changed_ms = $4
            where campaign = $1 and account = $2 and state = 'claimed'";
        let doing = "holding a message";
        let text = json(findings);
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(HOLD).bind(campaign).bind(account.as_str()).bind(&text).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), 1)?;
            let body = serde_json::json!({ "messages": [(account, "held", findings)] });
            ledger::append!(tx, Some(campaign), "hold", &body, now_ms, doing);
        });
        Ok(())
    }

    /// Marks messages whose address is on the suppression list.
    ///
    /// # Errors
    /// A message has been sent already, or the database fails.
    pub async fn suppress_messages(&self, campaign: i64, accounts: &[AccountId], now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            update message set state = 'suppressed', worker = null, changed_ms = $3 where campaign = $1
            and state in ('planned', 'checked', 'claimed') and account in (select value from json_each($2))";
        const POSTGRES: &str = "
            update message set state = 'suppressed', worker = null, changed_ms = $3 where campaign = $1
            and state in ('planned', 'checked', 'claimed') and account in (select jsonb_array_elements_text($2::jsonb))";
        if accounts.is_empty() {
            return Ok(());
        }
        let doing = "suppressing messages";
        let told: Vec<_> = accounts.iter().map(|account| (account, "suppressed")).collect();
        let (body, text, sql) = (serde_json::json!({ "messages": told }), json(accounts), self.sql(SQLITE, POSTGRES));
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            exactly(doing, update.execute(&mut *tx).await.doing(doing)?.rows_affected(), accounts.len())?;
            ledger::append!(tx, Some(campaign), "suppress", &body, now_ms, doing);
        });
        Ok(())
    }

    /// What servers replied other than accepting, the most frequent first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn replies(&self, campaign: i64) -> Result<Vec<ReplyCount>> {
        const REPLIES: &str = "
            select code, reply, count(*) as count from message
            where campaign = $1 and reply is not null and state in ('deferred', 'rejected', 'unknown')
            group by code, reply order by count desc, reply limit 20";
        with_pool!(self, |pool| {
            let rows = sqlx::query(REPLIES).bind(campaign).fetch_all(pool).await.doing("counting replies")?;
            Ok(rows
                .iter()
                .map(|row| ReplyCount {
                    code: u16::try_from(row.get::<i64, _>("code")).unwrap_or(0),
                    text: row.get("reply"),
                    count: row.get::<i64, _>("count").unsigned_abs(),
                })
                .collect())
        })
    }

    /// When the first deferred message may be tried again.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_due(&self, campaign: i64) -> Result<Option<i64>> {
        const DUE: &str = "select min(not_before_ms) as due from message where campaign = $1 and state = 'deferred'";
        with_pool!(self, |pool| Ok(sqlx::query(DUE)
            .bind(campaign)
            .fetch_one(pool)
            .await
            .doing("reading deferrals")?
            .get("due")))
    }

    /// When the last attempt of a stage ended.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stage_finished_ms(&self, campaign: i64, stage: u16) -> Result<Option<i64>> {
        const LAST: &str = "
            select max(changed_ms) as last from message where campaign = $1 and stage = $2
            and state in ('accepted', 'deferred', 'rejected', 'unknown')";
        with_pool!(self, |pool| {
            let last = sqlx::query(LAST).bind(campaign).bind(i64::from(stage));
            Ok(last.fetch_one(pool).await.doing("reading a stage's end")?.get("last"))
        })
    }
}

/// Every row that was asked for made the move, or none does.
fn exactly(what: &'static str, changed: u64, asked: usize) -> Result<()> {
    if changed == asked as u64 { Ok(()) } else { Err(StoreError::IllegalMove { what, changed, asked: asked as u64 }) }
}

fn claimed(campaign: i64, (account, digest, attempt, extra): Due) -> Result<Claimed> {
    let unreadable = || StoreError::Unreadable { what: "message" };
    Ok(Claimed {
        claim: Claim {
            campaign,
            account: AccountId::new(&account).map_err(|_| unreadable())?,
            digest: digest.try_into().map_err(|_| unreadable())?,
            attempt: u32::try_from(attempt + 1).map_err(|_| unreadable())?,
        },
        extra: serde_json::from_str(&extra).map_err(|_| unreadable())?,
    })
}

/// This process, by host and number.
pub(in crate::store) fn worker() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}:{}", if host.is_empty() { "localhost" } else { host }, std::process::id())
}
