//! The ledger's table: appending within a caller's transaction, and proving it.

use std::collections::HashMap;

use sqlx::Row;

use crate::ledger;
use crate::store::error::{Doing, Result};
use crate::store::{Store, with_pool};

/// The first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The entry's number; one past the last when the entries hold and the
    /// messages' states do not follow from them.
    pub seq: i64,
    /// What is wrong with it.
    pub why: String,
}

pub(in crate::store) const LAST: &str = "select seq, hash from ledger order by seq desc limit 1";
pub(in crate::store) const ADD: &str =
    "insert into ledger (seq, at_ms, campaign, kind, body, hash) values ($1, $2, $3, $4, $5, $6)";
/// PostgreSQL lets several transactions read the same last entry: only one may.
pub(in crate::store) const ALONE: &str = "lock table ledger in exclusive mode";

/// Appends one entry in an open transaction. A macro, because the transaction's
/// type differs with the database.
macro_rules! append {
    ($tx:expr, $campaign:expr, $kind:expr, $body:expr, $now_ms:expr, $doing:expr) => {{
        $crate::store::ledger::Alone::alone(&mut $tx).await.doing($doing)?;
        let last = sqlx::query($crate::store::ledger::LAST).fetch_optional(&mut *$tx).await.doing($doing)?;
        let (seq, previous) = match last {
            Some(row) => (sqlx::Row::get::<i64, _>(&row, "seq") + 1, sqlx::Row::get::<Vec<u8>, _>(&row, "hash")),
            None => (1, vec![0; 32]),
        };
        let text = $crate::store::ledger::body($campaign, $kind, $body);
        let hash = $crate::store::ledger::link(&previous, seq, $now_ms, &text);
        sqlx::query($crate::store::ledger::ADD)
            .bind(seq)
            .bind($now_ms)
            .bind($campaign)
            .bind($kind)
            .bind(text)
            .bind(hash)
            .execute(&mut *$tx)
            .await
            .doing($doing)?;
    }};
}
pub(in crate::store) use append;

/// Makes a transaction the only one that appends.
pub(in crate::store) trait Alone {
    async fn alone(&mut self) -> Result<(), sqlx::Error>;
}

impl Alone for sqlx::Transaction<'_, sqlx::Sqlite> {
    /// `begin immediate` made it so already.
    async fn alone(&mut self) -> Result<(), sqlx::Error> {
        Ok(())
    }
}

impl Alone for sqlx::Transaction<'_, sqlx::Postgres> {
    async fn alone(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(ALONE).execute(&mut **self).await.map(|_| ())
    }
}

pub(in crate::store) fn body(campaign: Option<i64>, kind: &str, body: &serde_json::Value) -> String {
    serde_json::json!({ "campaign": campaign, "kind": kind, "is": body }).to_string()
}

pub(in crate::store) fn link(previous: &[u8], seq: i64, at_ms: i64, body: &str) -> Vec<u8> {
    let previous: [u8; 32] = previous.try_into().unwrap_or([0; 32]);
    ledger::link(&previous, seq, at_ms, body.as_bytes()).to_vec()
}

/// What an entry says of messages: account and new state, first in each row.
#[derive(serde::Deserialize)]
struct Entry {
    campaign: Option<i64>,
    kind: String,
    is: serde_json::Value,
}

/// An entry's columns: number, time, campaign, kind, text, link.
type Stored = (i64, i64, Option<i64>, String, String, Vec<u8>);

type States = HashMap<(i64, String), String>;

impl Store {
    /// Recomputes every link, replays the entries, and compares the states that
    /// follow with the messages' table. The number of entries when all holds.
    ///
    /// # Errors
    /// The database fails. A broken ledger is no error of the store: it is the
    /// answer.
    pub async fn verify_ledger(&self) -> Result<Result<u64, Broken>> {
        const PAGE: &str =
            "select seq, at_ms, campaign, kind, body, hash from ledger where seq > $1 order by seq limit 200";
        let doing = "reading the ledger";
        let mut states = States::new();
        let (mut seq, mut previous) = (0_i64, vec![0_u8; 32]);
        loop {
            let rows: Vec<Stored> = with_pool!(self, |pool| {
                let rows = sqlx::query(PAGE).bind(seq).fetch_all(pool).await.doing(doing)?;
                rows.iter()
                    .map(|r| {
                        (r.get("seq"), r.get("at_ms"), r.get("campaign"), r.get("kind"), r.get("body"), r.get("hash"))
                    })
                    .collect()
            });
            if rows.is_empty() {
                break;
            }
            for (number, at_ms, campaign, kind, body, hash) in rows {
                let broken = |why: &str| Ok(Err(Broken { seq: number, why: why.to_owned() }));
                if number != seq + 1 {
                    return Ok(Err(Broken { seq: seq + 1, why: "the entry is missing".into() }));
                }
                if link(&previous, number, at_ms, &body) != hash {
                    return broken("its hash does not follow from the entry before it and its own text");
                }
                match serde_json::from_str::<Entry>(&body) {
                    Ok(entry) if entry.campaign == campaign && entry.kind == kind => replay(entry, &mut states),
                    _ => return broken("its columns are not those of its text"),
                }
                (seq, previous) = (number, hash);
            }
        }
        Ok(self.compare(states).await?.map_or(Ok(seq.unsigned_abs()), |why| Err(Broken { seq: seq + 1, why })))
    }

    /// Compares the states that follow from the ledger with the table.
    async fn compare(&self, mut states: States) -> Result<Option<String>> {
        const PAGE: &str = "
            select campaign, account, state from message where (campaign, account) > ($1, $2)
            order by campaign, account limit 5000";
        let mut after = (i64::MIN, String::new());
        loop {
            let rows: Vec<(i64, String, String)> = with_pool!(self, |pool| {
                let page = sqlx::query(PAGE).bind(after.0).bind(&after.1);
                let rows = page.fetch_all(pool).await.doing("reading messages")?;
                rows.iter().map(|row| (row.get("campaign"), row.get("account"), row.get("state"))).collect()
            });
            let Some(last) = rows.last() else { break };
            after = (last.0, last.1.clone());
            for (campaign, account, state) in rows {
                let told = states.remove(&(campaign, account.clone())).unwrap_or_else(|| "planned".into());
                if told != state {
                    return Ok(Some(format!(
                        "campaign {campaign}, account {account} is {state}, but the ledger says {told}"
                    )));
                }
            }
        }
        Ok(states
            .into_keys()
            .next()
            .map(|(campaign, account)| format!("campaign {campaign}, account {account} has no message any more")))
    }

    /// The newest link; 32 zero bytes before the first entry.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_head(&self) -> Result<Vec<u8>> {
        with_pool!(self, |pool| {
            let row = sqlx::query(LAST).fetch_optional(pool).await.doing("reading the ledger")?;
            Ok(row.map_or_else(|| vec![0; 32], |row| row.get("hash")))
        })
    }

    /// When what happened to a campaign, in a few words each; batches of one
    /// kind that follow each other are told as one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn timeline(&self, campaign: i64) -> Result<Vec<(i64, String)>> {
        const LINES: &str = "select at_ms, kind, body from ledger where campaign = $1 order by seq";
        let mut lines: Vec<(i64, String)> = Vec::new();
        let mut run: Option<(String, i64, u64)> = None;
        let rows: Vec<(i64, String, String)> = with_pool!(self, |pool| {
            let rows = sqlx::query(LINES).bind(campaign).fetch_all(pool).await.doing("reading the ledger")?;
            rows.iter().map(|row| (row.get("at_ms"), row.get("kind"), row.get("body"))).collect()
        });
        let tell = |(kind, at_ms, messages): (String, i64, u64)| (at_ms, format!("{kind}: {messages} messages"));
        for (at_ms, kind, body) in rows {
            let Ok(entry) = serde_json::from_str::<Entry>(&body) else { continue };
            if let Some(messages) = entry.is.get("messages").and_then(|m| m.as_array()) {
                match &mut run {
                    Some((same, _, count)) if *same == kind => *count += messages.len() as u64,
                    _ => lines.extend(run.replace((kind, at_ms, messages.len() as u64)).map(tell)),
                }
                continue;
            }
            lines.extend(run.take().map(tell));
            lines.push((at_ms, words(&kind, &entry.is)));
        }
        lines.extend(run.map(tell));
        Ok(lines)
    }
}

fn replay(entry: Entry, states: &mut States) {
    let Some(campaign) = entry.campaign else { return };
    let Some(messages) = entry.is.get("messages").and_then(|m| m.as_array()) else { return };
    for message in messages {
        if let (Some(account), Some(state)) = (message[0].as_str(), message[1].as_str()) {
            states.insert((campaign, account.to_owned()), state.to_owned());
        }
    }
}

/// An entry that is not about messages, in a few words.
fn words(kind: &str, is: &serde_json::Value) -> String {
    let text = |name: &str| {
        is.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    };
    match kind {
        "frozen" => format!("frozen by {}: {} accounts", text("by"), text("accounts")),
        "state" => format!("became {}", text("state")),
        "approved" => format!("approved by {}, digest {:.16}", text("by"), text("digest")),
        "drill" => format!("drill: {} swapped, {} held, {} vacuous", text("swapped"), text("held"), text("vacuous")),
        _ => kind.to_owned(),
    }
}
