//! Proving the ledger: every link recomputed, every entry replayed, and what
//! follows from them compared with the tables.
//!
//! Found this way: an entry changed, left out or put in another order; a message
//! whose state was changed without the ledger; a snapshot whose accounts,
//! stages or extra columns were; a campaign moved on from outside. Not found:
//! the newest entries taken away together with what they say, which only a copy
//! of the newest link, kept elsewhere, can show ([`Store::ledger_head`]).
//!
//! Memory: 48 bytes a message.

use std::collections::HashMap;

use sqlx::Row;

use crate::campaign;
use crate::ledger::State;
use crate::store::error::{Doing, Result};
use crate::store::ledger::{Entry, Message, link};
use crate::store::message::Fingerprint;
use crate::store::{Store, with_pool};

/// The first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The entry's number. Where the entries hold and a table does not follow
    /// from them, the last entry that tells of the row; 0 when none does.
    pub seq: i64,
    /// What is wrong with it.
    pub why: String,
}

/// What the ledger says, in the end.
#[derive(Default)]
struct Told {
    messages: HashMap<u128, (State, i64)>,
    campaigns: HashMap<i64, ToldCampaign>,
}

/// A campaign's newest state with its entry, and what was frozen with its own.
struct ToldCampaign {
    state: campaign::State,
    seq: i64,
    snapshot: String,
    planned: u64,
    frozen_seq: i64,
}

/// A ledger row: number, time, campaign, kind, body, hash.
type Line = (i64, i64, Option<i64>, String, String, Vec<u8>);

impl Store {
    /// Recomputes every link, replays the entries, and compares what follows with
    /// the tables. The number of entries when all holds.
    ///
    /// # Errors
    /// The database fails. A broken ledger is no error of the store: it is the
    /// answer.
    pub async fn verify_ledger(&self) -> Result<Result<u64, Broken>> {
        const PAGE: &str =
            "select seq, at_ms, campaign, kind, body, hash from ledger where seq > $1 order by seq limit 50";
        let doing = "reading the ledger";
        let mut told = Told::default();
        let (mut seq, mut previous) = (0_i64, crate::ledger::GENESIS.to_vec());
        loop {
            let lines: Vec<Line> = with_pool!(self, |pool| {
                let rows = sqlx::query(PAGE).bind(seq).fetch_all(pool).await.doing(doing)?;
                rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4), r.get(5))).collect()
            });
            if lines.is_empty() {
                break;
            }
            for line in lines {
                match told.take(&line, seq, &previous)? {
                    None => (seq, previous) = (line.0, line.5),
                    Some(broken) => return Ok(Err(broken)),
                }
            }
        }
        if let Some(broken) = self.compare_campaigns(&told).await? {
            return Ok(Err(broken));
        }
        Ok(match self.compare_messages(&told).await? {
            None => Ok(seq.unsigned_abs()),
            Some(broken) => Err(broken),
        })
    }

    async fn compare_campaigns(&self, told: &Told) -> Result<Option<Broken>> {
        const ALL: &str = "select id, state from campaign order by id";
        let rows: Vec<(i64, String)> = with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("reading campaigns")?;
            rows.iter().map(|row| (row.get("id"), row.get("state"))).collect()
        });
        for (id, state) in &rows {
            let broken = match told.campaigns.get(id) {
                None => (0, format!("campaign {id} is in no entry")),
                Some(told) if told.state.as_str() == state => continue,
                Some(told) => {
                    (told.seq, format!("campaign {id} is {state}, but the ledger says {}", told.state.as_str()))
                }
            };
            return Ok(Some(Broken { seq: broken.0, why: broken.1 }));
        }
        let gone = told.campaigns.iter().find(|(id, _)| !rows.iter().any(|(there, _)| there == *id));
        Ok(gone.map(|(id, told)| Broken { seq: told.seq, why: format!("campaign {id} is not there any more") }))
    }

    /// Compares every message with what was told of it, and every snapshot with
    /// its fingerprint.
    async fn compare_messages(&self, told: &Told) -> Result<Option<Broken>> {
        const PAGE: &str = "
            select ord, account, stage, extra, state from message where campaign = $1 and ord > $2
            order by ord limit 5000";
        let mut ids: Vec<&i64> = told.campaigns.keys().collect();
        ids.sort();
        for id in ids {
            let campaign = &told.campaigns[id];
            let (mut after, mut count, mut fingerprint) = (i64::MIN, 0_u64, Fingerprint::default());
            loop {
                let rows: Vec<(i64, String, i64, String, String)> = with_pool!(self, |pool| {
                    let page = sqlx::query(PAGE).bind(id).bind(after);
                    let rows = page.fetch_all(pool).await.doing("reading messages")?;
                    rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4))).collect()
                });
                let Some(last) = rows.last() else { break };
                after = last.0;
                for (ord, account, stage, extra, state) in rows {
                    fingerprint.add(ord, &account, stage, &extra);
                    count += 1;
                    let unsaid = (State::Planned, campaign.frozen_seq);
                    let (said, seq) = told.messages.get(&key(*id, &account)).copied().unwrap_or(unsaid);
                    if said.as_str() != state {
                        let why = format!("campaign {id}, account {account} is {state}, but the ledger says {said}");
                        return Ok(Some(Broken { seq, why }));
                    }
                }
            }
            let why = if count != campaign.planned {
                format!("campaign {id} has {count} messages, but was frozen with {}", campaign.planned)
            } else if fingerprint.hex() != campaign.snapshot {
                format!(
                    "campaign {id}: the snapshot's accounts, stages or extra columns are not those that were frozen"
                )
            } else {
                continue;
            };
            return Ok(Some(Broken { seq: campaign.frozen_seq, why }));
        }
        Ok(None)
    }
}

impl Told {
    /// Replays one entry that follows `seq`, if it holds.
    fn take(&mut self, line: &Line, seq: i64, previous: &[u8]) -> Result<Option<Broken>> {
        let (number, at_ms, campaign, kind, body, hash) = line;
        let broken = |seq: i64, why: &str| Ok(Some(Broken { seq, why: why.to_owned() }));
        if *number != seq + 1 {
            return broken(seq + 1, "the entry is missing");
        }
        if link(previous, *number, *at_ms, body)? != *hash {
            return broken(*number, "its hash does not follow from the entry before it and its own text");
        }
        let Ok(entry) = serde_json::from_str::<Entry>(body) else {
            return broken(*number, "its text cannot be read");
        };
        if entry.campaign != *campaign || entry.kind != *kind {
            return broken(*number, "its columns are not those of its text");
        }
        let Some(id) = entry.campaign else { return Ok(None) };
        let settled = entry.kind == "settle";
        for Message { account, state } in &entry.is.messages {
            let was = self.messages.insert(key(id, account), (*state, *number));
            let from = was.map_or(State::Planned, |(state, _)| state);
            let legal = if settled { from.may_be_settled_as(*state) } else { from.may_become(*state) };
            if !legal {
                return broken(*number, &format!("account {account} cannot go from {from} to {state}"));
            }
        }
        let is = &entry.is.rest;
        let text = |name: &str| is.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        if entry.kind == "frozen" {
            let planned = is.get("planned").and_then(|value| value.as_u64()).unwrap_or_default();
            let (state, seq, snapshot) = (campaign::State::Frozen, *number, text("snapshot"));
            self.campaigns.insert(id, ToldCampaign { state, seq, snapshot, planned, frozen_seq: seq });
        }
        if entry.kind == "state"
            && let Some(campaign) = self.campaigns.get_mut(&id)
            && let Ok(state) = serde_json::from_value(serde_json::Value::String(text("state")))
        {
            (campaign.state, campaign.seq) = (state, *number);
        }
        Ok(None)
    }
}

/// A message's short name in the replay.
fn key(campaign: i64, account: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&campaign.to_be_bytes()).update(account.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_be_bytes(short)
}
