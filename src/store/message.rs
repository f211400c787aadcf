//! Messages: the snapshot, the verdicts of a check, and counts.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::account::AccountId;
use crate::guard::Finding;
use crate::ledger::{Counts, State};
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, in_transaction, ledger, with_pool};

/// One row of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its place in the audience, from 0.
    pub ord: i64,
    /// The account.
    pub account: AccountId,
    /// The stage it belongs to, from 0.
    pub stage: u16,
    /// The audience's extra columns.
    pub extra: BTreeMap<String, String>,
}

/// What a check says of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The account.
    pub account: AccountId,
    /// The verdict.
    pub verdict: Verdict,
}

/// Cleared with its digest, or held with its findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The digest of the message that was cleared.
    Cleared([u8; 32]),
    /// Why it is held.
    Held(Vec<Finding>),
}

/// Inserts a snapshot's rows: ($1 campaign, $2 rows, $3 now).
pub(in crate::store) fn insert_text(store: &Store) -> &'static str {
    const SQLITE: &str = "
        insert into message (campaign, account, ord, stage, extra, state, changed_ms)
        select $1, value->>0, value->>1, value->>2, value->>3, 'planned', $3 from json_each($2)";
    const POSTGRES: &str = "
        insert into message (campaign, account, ord, stage, extra, state, changed_ms)
        select $1, v->>0, (v->>1)::bigint, (v->>2)::bigint, v->>3, 'planned', $3 from jsonb_array_elements($2::jsonb) as v";
    store.sql(SQLITE, POSTGRES)
}

pub(in crate::store) fn snapshot_rows(rows: impl Iterator<Item = Planned>) -> String {
    let rows: Vec<_> = rows.map(|row| (row.account, row.ord, row.stage, json(&row.extra))).collect();
    json(&rows)
}

/// A snapshot row read back.
macro_rules! planned {
    ($row:expr) => {
        planned($row.get("ord"), $row.get("account"), $row.get("stage"), $row.get("extra"))
    };
}

fn planned(ord: i64, account: String, stage: i64, extra: String) -> Result<Planned> {
    let unreadable = || StoreError::Unreadable { what: "message" };
    Ok(Planned {
        ord,
        account: AccountId::new(&account).map_err(|_| unreadable())?,
        stage: u16::try_from(stage).map_err(|_| unreadable())?,
        extra: serde_json::from_str(&extra).map_err(|_| unreadable())?,
    })
}

impl Store {
    /// Messages that a check has to judge, in the audience's order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn planned(&self, campaign: i64, after: i64, limit: usize) -> Result<Vec<Planned>> {
        const PAGE: &str = "
            select ord, account, stage, extra from message
            where campaign = $1 and ord > $2 and state in ('planned', 'checked') order by ord limit $3";
        with_pool!(self, |pool| {
            let page = sqlx::query(PAGE).bind(campaign).bind(after).bind(limit as i64);
            let rows = page.fetch_all(pool).await.doing("reading the snapshot")?;
            rows.iter().map(|row| planned!(row)).collect()
        })
    }

    /// One account's row of the snapshot.
    ///
    /// # Errors
    /// The database fails.
    pub async fn planned_of(&self, campaign: i64, account: &AccountId) -> Result<Option<Planned>> {
        const ONE: &str = "select ord, account, stage, extra from message where campaign = $1 and account = $2";
        with_pool!(self, |pool| {
            let one = sqlx::query(ONE).bind(campaign).bind(account.as_str());
            one.fetch_optional(pool).await.doing("reading the snapshot")?.map(|row| planned!(row)).transpose()
        })
    }

    /// About `count` rows spread over the snapshot, each with the row below it,
    /// so that neighbours are among them; the same for the same seed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pairs(&self, campaign: i64, count: usize, seed: u64) -> Result<Vec<Planned>> {
        const SQLITE: &str = "
            select ord, account, stage, extra from message
            where campaign = $1 and ord in (select value from json_each($2)) and state <> 'suppressed' order by ord";
        const POSTGRES: &str = "
            select ord, account, stage, extra from message where campaign = $1
            and ord in (select v::bigint from jsonb_array_elements_text($2::jsonb) as v) and state <> 'suppressed' order by ord";
        const SIZE: &str = "select coalesce(max(ord), -1) + 1 as size from message where campaign = $1";
        let sql = self.sql(SQLITE, POSTGRES);
        with_pool!(self, |pool| {
            let size = sqlx::query(SIZE).bind(campaign).fetch_one(pool).await.doing("sampling the snapshot")?;
            let picked = json(&pick(size.get("size"), count, seed));
            let rows =
                sqlx::query(sql).bind(campaign).bind(picked).fetch_all(pool).await.doing("sampling the snapshot")?;
            rows.iter().map(|row| planned!(row)).collect()
        })
    }

    /// Records the verdicts of a check, and the entry that says so.
    ///
    /// # Errors
    /// A message has gone beyond `checked` by now, or the database fails.
    pub async fn record_checks(&self, campaign: i64, checks: Vec<Checked>, now_ms: i64) -> Result<()> {
        const SQLITE: &str = "
            with v as materialized (
                select value->>0 as account, value->>1 as state, unhex(value->>2) as digest, value->>3 as findings
                from json_each($2))
            update message set state = v.state, digest = v.digest, findings = v.findings, changed_ms = $3 from v
            where campaign = $1 and message.account = v.account and +message.state in ('planned', 'checked')";
        const POSTGRES: &str = "
            update message set state = v->>1, digest = decode(v->>2, 'hex'), findings = v->>3, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and state in ('planned', 'checked')";
        if checks.is_empty() {
            return Ok(());
        }
        let doing = "recording a check";
        let rows: Vec<_> = checks.iter().map(check_row).collect();
        let told: Vec<_> = rows.iter().map(|(account, state, digest, _)| (account, state, digest)).collect();
        let (body, text, sql) = (serde_json::json!({ "messages": told }), json(&rows), self.sql(SQLITE, POSTGRES));
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            let changed = update.execute(&mut *tx).await.doing(doing)?.rows_affected();
            if changed != rows.len() as u64 {
                return Err(StoreError::IllegalMove { what: doing, changed, asked: rows.len() as u64 });
            }
            ledger::append!(tx, Some(campaign), "check", &body, now_ms, doing);
        });
        Ok(())
    }

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

    /// The digest over every message's digest, in the audience's order: what an
    /// approval signs.
    ///
    /// # Errors
    /// The database fails.
    pub async fn digest_of_digests(&self, campaign: i64) -> Result<[u8; 32]> {
        const PAGE: &str = "
            select ord, account, digest from message
            where campaign = $1 and ord > $2 and digest is not null order by ord limit 10000";
        let mut hasher = blake3::Hasher::new();
        let mut after = -1_i64;
        loop {
            let rows: Vec<(i64, String, Vec<u8>)> = with_pool!(self, |pool| {
                let page =
                    sqlx::query(PAGE).bind(campaign).bind(after).fetch_all(pool).await.doing("reading digests")?;
                page.iter().map(|row| (row.get("ord"), row.get("account"), row.get("digest"))).collect()
            });
            let Some(last) = rows.last() else { return Ok(hasher.finalize().into()) };
            after = last.0;
            for (_, account, digest) in rows {
                hasher.update(&(account.len() as u64).to_be_bytes()).update(account.as_bytes()).update(&digest);
            }
        }
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
                let found: std::collections::BTreeSet<_> = findings(&text)?.into_iter().map(|f| f.rule).collect();
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
        for (account, text) in rows {
            let account = AccountId::new(&account).map_err(|_| StoreError::Unreadable { what: "message" })?;
            first.extend(findings(&text)?.into_iter().map(|finding| (account.clone(), finding)));
            if first.len() >= limit {
                break;
            }
        }
        first.truncate(limit);
        Ok(first)
    }
}

fn findings(text: &str) -> Result<Vec<Finding>> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what: "finding" })
}

/// Places that are each other's neighbours two by two.
fn pick(size: i64, count: usize, seed: u64) -> Vec<i64> {
    if size <= count as i64 {
        return (0..size).collect();
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut picked = std::collections::BTreeSet::new();
    while picked.len() < count {
        let place = random.i64(0..size - 1);
        picked.extend([place, place + 1]);
    }
    picked.into_iter().collect()
}

type CheckRow<'a> = (&'a AccountId, &'static str, Option<String>, Option<String>);

fn check_row(check: &Checked) -> CheckRow<'_> {
    match &check.verdict {
        Verdict::Cleared(digest) => {
            (&check.account, "checked", Some(blake3::Hash::from_bytes(*digest).to_hex().to_string()), None)
        }
        Verdict::Held(findings) => (&check.account, "held", None, Some(json(findings))),
    }
}
