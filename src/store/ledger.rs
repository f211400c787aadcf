//! The ledger's table: appending within a caller's transaction, and telling a
//! campaign's story from it. [`crate::store::proof`] proves it.
//!
//! An entry's body is `{"campaign": …, "kind": …, "is": {…}}` in JSON. Where it
//! tells of messages, `is.messages` is a list of `[account, state, …]`: a claim
//! adds the attempt's number, the envelope's recipient and the time of the first
//! attempt, a check the digest and a hash of the findings, an outcome the reply. Replayed in order, they yield every message's state.
//! Entries about suppressions carry BLAKE3 digests of folded addresses.

use serde::Serialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::ledger::{self, State};
use crate::report::{counted, number};
use crate::store::cell::Cell;
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, Turn, with_pool};

/// What a row is called that cannot be read.
const ENTRY: &str = "ledger entry";

pub(in crate::store) const LAST: &str = "select seq, hash from ledger order by seq desc limit 1";
pub(in crate::store) const ADD: &str =
    "insert into ledger (seq, at_ms, campaign, kind, body, hash) values ($1, $2, $3, $4, $5, $6)";
/// PostgreSQL lets several transactions read the same last entry: only one may
/// append at a time. The number is this lock's name.
const ALONE: &str = "select pg_advisory_xact_lock(7164380914)";

/// Appends one entry in an open transaction, as the last thing in it. A macro,
/// because the transaction's type differs with the database.
macro_rules! append {
    ($tx:expr, $campaign:expr, $kind:expr, $is:expr, $now_ms:expr, $doing:expr) => {{
        $crate::store::ledger::Alone::alone(&mut $tx).await.doing($doing)?;
        let last = sqlx::query($crate::store::ledger::LAST).fetch_optional(&mut *$tx).await.doing($doing)?;
        let (seq, previous) = match last {
            Some(row) => (
                $crate::store::cell::Cell::cell::<i64, _>(&row, "ledger entry", "seq")? + 1,
                $crate::store::cell::Cell::cell::<Vec<u8>, _>(&row, "ledger entry", "hash")?,
            ),
            None => (1, $crate::ledger::GENESIS.to_vec()),
        };
        let text = $crate::store::ledger::body($campaign, $kind, $is)?;
        let hash = $crate::store::ledger::link(&previous, seq, $now_ms, &text)?;
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

/// Runs an update that returns the `account`s that it moved to one state, and appends
/// the entry about them, if there are any; how many. A macro, as [`append`].
macro_rules! append_moved {
    ($tx:expr, $update:expr, $campaign:expr, $kind:expr, $state:expr, $now_ms:expr, $doing:expr) => {{
        let rows = $update.fetch_all(&mut *$tx).await.doing($doing)?;
        let moved = |row| Ok(($crate::store::cell::Cell::cell(row, "message", "account")?, $state));
        let messages: Vec<(String, &str)> = rows.iter().map(moved).collect::<Result<_>>()?;
        let count = messages.len() as u64;
        if count > 0 {
            let told = $crate::store::ledger::Messages { messages };
            $crate::store::ledger::append!($tx, Some($campaign), $kind, &told, $now_ms, $doing);
        }
        count
    }};
}
pub(in crate::store) use append_moved;

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

/// What an entry tells of messages.
#[derive(Serialize)]
pub(in crate::store) struct Messages<T> {
    pub messages: Vec<T>,
}

/// An entry's text.
pub(in crate::store) fn body<T: Serialize>(campaign: Option<i64>, kind: &str, is: &T) -> Result<String> {
    #[derive(Serialize)]
    struct Body<'a, T> {
        campaign: Option<i64>,
        kind: &'a str,
        is: &'a T,
    }
    json(&Body { campaign, kind, is })
}

/// The link of an entry to the one before it.
pub(in crate::store) fn link(previous: &[u8], seq: i64, at_ms: i64, body: &str) -> Result<Vec<u8>> {
    let previous = previous.try_into().map_err(|_| StoreError::Unreadable { what: "ledger entry" })?;
    Ok(ledger::link(previous, seq, at_ms, body.as_bytes()).to_vec())
}

/// An entry read back, as far as it is replayed or told.
#[derive(serde::Deserialize)]
pub(in crate::store) struct Entry {
    pub campaign: Option<i64>,
    pub kind: String,
    pub is: Is,
}

#[derive(serde::Deserialize)]
pub(in crate::store) struct Is {
    #[serde(default)]
    pub messages: Vec<Message>,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// An account and its new state, the first two of a list, and what follows.
pub(in crate::store) struct Message {
    pub account: String,
    pub state: State,
    pub more: Vec<serde_json::Value>,
}

impl<'de> serde::Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Message;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of an account, a state and more")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Message, A::Error> {
                let short = || serde::de::Error::invalid_length(2, &self);
                let account = list.next_element()?.ok_or_else(short)?;
                let state = list.next_element()?.ok_or_else(short)?;
                let mut more = Vec::new();
                while let Some(value) = list.next_element()? {
                    more.push(value);
                }
                Ok(Message { account, state, more })
            }
        }
        from.deserialize_seq(List)
    }
}

impl Store {
    /// The newest link; 32 zero bytes before the first entry.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_head(&self) -> Result<Vec<u8>> {
        with_pool!(self, |pool| {
            let row = sqlx::query(LAST).fetch_optional(pool).await.doing("reading the ledger")?;
            row.map_or_else(|| Ok(ledger::GENESIS.to_vec()), |row| row.cell(ENTRY, "hash"))
        })
    }

    /// When a campaign came to be in the state that it is in, and what was said of who
    /// moved it there and why.
    ///
    /// # Errors
    /// The database fails.
    pub async fn turned(&self, campaign: i64) -> Result<Option<(i64, Turn)>> {
        const LAST: &str =
            "select at_ms, body from ledger where campaign = $1 and kind = 'state' order by seq desc limit 1";
        let last: Option<(i64, String)> = with_pool!(self, |pool| {
            let row = sqlx::query(LAST).bind(campaign).fetch_optional(pool).await.doing("reading the ledger")?;
            row.map(|row| Ok::<_, StoreError>((row.cell(ENTRY, "at_ms")?, row.cell(ENTRY, "body")?))).transpose()?
        });
        let Some((at_ms, body)) = last else { return Ok(None) };
        let entry: Entry = serde_json::from_str(&body).map_err(|_| StoreError::Unreadable { what: ENTRY })?;
        let text = |name| Some(entry.is.rest.get(name)?.as_str()?.to_owned());
        Ok(Some((at_ms, Turn { by: text("by"), why: text("why") })))
    }

    /// When what happened to a campaign, in a few words each; batches of one
    /// kind that follow each other are told as one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn timeline(&self, campaign: i64) -> Result<Vec<(i64, String)>> {
        const PAGE: &str = "
            select seq, at_ms, body from ledger where campaign = $1 and seq > $2 order by seq limit 50";
        let mut lines: Vec<(i64, String)> = Vec::new();
        let mut run: Option<(String, i64, usize)> = None;
        let tell = |(kind, at_ms, messages): (String, i64, usize)| {
            (at_ms, format!("{kind}: {}", counted(messages as u64, "message")))
        };
        let mut after = 0_i64;
        loop {
            let rows: Vec<(i64, i64, String)> = with_pool!(self, |pool| {
                let page = sqlx::query(PAGE).bind(campaign).bind(after);
                let rows = page.fetch_all(pool).await.doing("reading the ledger")?;
                let read = |row| {
                    Ok((
                        Cell::cell(row, ENTRY, "seq")?,
                        Cell::cell(row, ENTRY, "at_ms")?,
                        Cell::cell(row, ENTRY, "body")?,
                    ))
                };
                rows.iter().map(read).collect::<Result<_>>()?
            });
            let Some(last) = rows.last() else { break };
            after = last.0;
            for (_, at_ms, body) in rows {
                let Ok(Entry { kind, is, .. }) = serde_json::from_str::<Entry>(&body) else { continue };
                if is.messages.is_empty() {
                    lines.extend(run.take().map(tell));
                    lines.push((at_ms, words(&kind, &is.rest)));
                    continue;
                }
                // A settlement is somebody's.
                let by = is.messages[0].more.first().and_then(|by| by.as_str()).filter(|_| kind == "settle");
                let kind = by.map_or(kind.clone(), |by| format!("settled by {by}"));
                match &mut run {
                    Some((same, _, count)) if *same == kind => *count += is.messages.len(),
                    _ => lines.extend(run.replace((kind, at_ms, is.messages.len())).map(tell)),
                }
            }
        }
        lines.extend(run.map(tell));
        Ok(lines)
    }
}

/// An entry that is not about messages, in a few words.
fn words(kind: &str, is: &serde_json::Map<String, serde_json::Value>) -> String {
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = |name: &str| is.get(name).map(plain).unwrap_or_default();
    let number_of = |name: &str| is.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    match kind {
        "frozen" => format!("frozen by {}: {}", text("by"), counted(number_of("planned"), "account")),
        "state" => {
            let by = is.get("by").map_or_else(String::new, |by| format!(" by {}", plain(by)));
            let why = is.get("why").map_or_else(String::new, |why| format!(": {}", plain(why)));
            format!("became {}{by}{why}", text("state"))
        }
        "approved" => format!("approved by {}, digest {:.16}", text("by"), text("digest")),
        "withdrawn" => format!("{} withdrawn", counted(number_of("approvals"), "approval")),
        "drill" => {
            let count = |name: &str| number(is.get("drill").and_then(|drill| drill[name].as_u64()).unwrap_or(0));
            format!("drill: {} swapped, {} held, {} vacuous", count("swapped"), count("held"), count("vacuous"))
        }
        "pace" if is.get("rate").is_some_and(|rate| !rate.is_null()) => format!("pace: {}", text("rate")),
        "pace" => "pace: as configured".to_owned(),
        _ => kind.to_owned(),
    }
}
