//! What reports and gates count of a campaign's messages. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;

use crate::account::AccountId;
use crate::guard::Finding;
use crate::ledger::{Counts, State};
use crate::report::ReplyCount;
use crate::store::directory::account;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, with_pool};

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
                    let state = row.get::<String, _>("state").parse::<State>();
                    let state = state.map_err(|_| StoreError::Unreadable { what: "message state" })?;
                    Ok((state, row.get::<i64, _>("count").unsigned_abs()))
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
                page.iter().map(|row| (row.get("ord"), row.get("findings"))).collect()
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
            rows.iter().map(|row| (row.get("account"), row.get("findings"))).collect()
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

fn findings(text: &str) -> Result<Vec<Finding>> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what: "finding" })
}
