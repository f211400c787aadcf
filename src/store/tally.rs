//! What reports and gates count of a campaign's messages. Reads only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::account::AccountId;
use crate::guard::Finding;
use crate::ledger::{Counts, State};
use crate::report::ReplyCount;
use crate::store::cell::Cell;
use crate::store::directory::account;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, with_pool};

/// What a row is called that cannot be read.
const MESSAGE: &str = "message";

/// A message that a server took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The account.
    pub account: AccountId,
    /// When it was claimed.
    pub claimed_ms: i64,
    /// When that was recorded.
    pub changed_ms: i64,
}

impl Store {
    /// Messages by state, of one stage or of all.
    ///
    /// # Errors
    /// The database fails.
    pub async fn counts(&self, campaign: i64, stage: Option<u16>) -> Result<Counts> {
        const COUNTS: &str = "
            select state, count(*) as count from message
            where campaign = $1 and stage between $2 and $3 group by state";
        let (low, high) = stage.map_or((0, i64::from(u16::MAX)), |stage| (i64::from(stage), i64::from(stage)));
        with_pool!(self, |pool| {
            let rows = sqlx::query(COUNTS)
                .bind(campaign)
                .bind(low)
                .bind(high)
                .fetch_all(pool)
                .await
                .doing("counting messages")?;
            rows.iter()
                .map(|row| {
                    let state = row.cell::<String, _>(MESSAGE, "state")?.parse::<State>();
                    let state = state.map_err(|_| StoreError::Unreadable { what: "message state" })?;
                    Ok((state, row.cell::<i64, _>(MESSAGE, "count")?.unsigned_abs()))
                })
                .collect()
        })
    }

    /// Messages with at least one finding, by rule.
    ///
    /// # Errors
    /// The database fails.
    pub async fn findings_by_rule(&self, campaign: i64) -> Result<BTreeMap<String, u64>> {
        const PAGE: &str = "
            select ord, findings from message
            where campaign = $1 and ord > $2 and findings is not null order by ord limit 5000";
        let mut rules: BTreeMap<String, u64> = BTreeMap::new();
        let mut after = -1_i64;
        loop {
            let rows: Vec<(i64, String)> = with_pool!(self, |pool| {
                let page =
                    sqlx::query(PAGE).bind(campaign).bind(after).fetch_all(pool).await.doing("reading findings")?;
                let pair = |row| Ok((Cell::cell(row, MESSAGE, "ord")?, Cell::cell(row, MESSAGE, "findings")?));
                page.iter().map(pair).collect::<Result<_>>()?
            });
            let Some(last) = rows.last() else { return Ok(rules) };
            after = last.0;
            for (_, text) in rows {
                let found: BTreeSet<_> = findings(&text)?.into_iter().map(|f| f.rule).collect();
                for rule in found {
                    *rules.entry(rule.as_str().to_owned()).or_default() += 1;
                }
            }
        }
    }

    /// The first findings, in the audience's order, each with its message's account.
    ///
    /// # Errors
    /// The database fails.
    pub async fn findings(&self, campaign: i64, limit: usize) -> Result<Vec<(AccountId, Finding)>> {
        const FIRST: &str = "
            select account, findings from message
            where campaign = $1 and findings is not null order by ord limit $2";
        let rows: Vec<(String, String)> = with_pool!(self, |pool| {
            let page = sqlx::query(FIRST).bind(campaign).bind(limit as i64);
            let rows = page.fetch_all(pool).await.doing("reading findings")?;
            let pair = |row| Ok((Cell::cell(row, MESSAGE, "account")?, Cell::cell(row, MESSAGE, "findings")?));
            rows.iter().map(pair).collect::<Result<_>>()?
        });
        let mut first = Vec::new();
        for (key, text) in rows {
            let held = account(&key)?;
            first.extend(findings(&text)?.into_iter().map(|finding| (held.clone(), finding)));
            if first.len() >= limit {
                break;
            }
        }
        first.truncate(limit);
        Ok(first)
    }

    /// The findings of held messages whose places in the audience lie between two.
    ///
    /// # Errors
    /// The database fails.
    pub async fn findings_between(
        &self,
        campaign: i64,
        first: i64,
        last: i64,
    ) -> Result<HashMap<AccountId, Vec<Finding>>> {
        const BETWEEN: &str = "
            select account, findings from message
            where campaign = $1 and ord between $2 and $3 and findings is not null and state = 'held'";
        with_pool!(self, |pool| {
            let rows = sqlx::query(BETWEEN).bind(campaign).bind(first).bind(last).fetch_all(pool).await;
            let read = |row| {
                let text: String = Cell::cell(row, MESSAGE, "findings")?;
                Ok((account(Cell::cell(row, MESSAGE, "account")?)?, findings(&text)?))
            };
            rows.doing("reading findings")?.iter().map(read).collect()
        })
    }

    /// What servers replied other than accepting, the most frequent first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn replies(&self, campaign: i64) -> Result<Vec<ReplyCount>> {
        const REPLIES: &str = "
            select code, reply, count(*) as count from message
            where campaign = $1 and reply is not null and state in ('deferred', 'rejected', 'expired', 'unknown')
            group by code, reply order by count desc, reply limit 20";
        with_pool!(self, |pool| {
            let rows = sqlx::query(REPLIES).bind(campaign).fetch_all(pool).await.doing("counting replies")?;
            let read = |row| {
                Ok(ReplyCount {
                    code: u16::try_from(Cell::cell::<i64, _>(row, MESSAGE, "code")?).unwrap_or(0),
                    text: Cell::cell(row, MESSAGE, "reply")?,
                    count: Cell::cell::<i64, _>(row, MESSAGE, "count")?.unsigned_abs(),
                })
            };
            rows.iter().map(read).collect()
        })
    }

    /// Messages that a server took, by its own word, and that were claimed between two times;
    /// no more than `limit`, from wherever in that time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn taken_between(&self, campaign: i64, from_ms: i64, to_ms: i64, limit: usize) -> Result<Vec<Taken>> {
        const TAKEN: &str = "
            select account, claimed_ms, changed_ms from message
            where campaign = $1 and state = 'accepted' and code = 250 and claimed_ms between $2 and $3
            order by account limit $4";
        with_pool!(self, |pool| {
            let taken = sqlx::query(TAKEN).bind(campaign).bind(from_ms).bind(to_ms).bind(limit as i64);
            let rows = taken.fetch_all(pool).await.doing("reading what was accepted")?;
            let read = |row| {
                let key: String = Cell::cell(row, MESSAGE, "account")?;
                let (claimed_ms, changed_ms) =
                    (Cell::cell(row, MESSAGE, "claimed_ms")?, Cell::cell(row, MESSAGE, "changed_ms")?);
                Ok(Taken { account: account(&key)?, claimed_ms, changed_ms })
            };
            rows.iter().map(read).collect()
        })
    }

    /// When the first deferred message may be tried again, or has lived for
    /// `lifetime_ms`; none of those of which what was said last begins with `but`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_due(&self, campaign: i64, lifetime_ms: i64, but: Option<&str>) -> Result<Option<i64>> {
        const DUE: &str = "
            select min(case when first_ms + $2 < not_before_ms then first_ms + $2 else not_before_ms end) as due
            from message where campaign = $1 and state = 'deferred'
              and ($3 = '' or reply is null or substr(reply, 1, length($3)) <> $3)";
        with_pool!(self, |pool| {
            let due = sqlx::query(DUE).bind(campaign).bind(lifetime_ms).bind(but.unwrap_or_default());
            due.fetch_one(pool).await.doing("reading deferrals")?.cell(MESSAGE, "due")
        })
    }

    /// Messages of all campaigns that are under way, or whose last attempt ended
    /// at `since_ms` or later.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sent_since(&self, since_ms: i64) -> Result<u64> {
        const SENT: &str = "
            select count(*) as sent from message where state = 'claimed' or changed_ms >= $1
            and state in ('accepted', 'deferred', 'rejected', 'expired', 'unknown')";
        with_pool!(self, |pool| {
            let sent = sqlx::query(SENT).bind(since_ms).fetch_one(pool).await.doing("counting what was sent")?;
            Ok(sent.cell::<i64, _>(MESSAGE, "sent")?.unsigned_abs())
        })
    }

    /// When the last attempt of a stage ended.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stage_finished_ms(&self, campaign: i64, stage: u16) -> Result<Option<i64>> {
        const LAST: &str = "
            select max(changed_ms) as last from message where campaign = $1 and stage = $2
            and state in ('accepted', 'deferred', 'rejected', 'expired', 'unknown')";
        with_pool!(self, |pool| {
            let last = sqlx::query(LAST).bind(campaign).bind(i64::from(stage));
            last.fetch_one(pool).await.doing("reading a stage's end")?.cell(MESSAGE, "last")
        })
    }
}

fn findings(text: &str) -> Result<Vec<Finding>> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what: "finding" })
}
