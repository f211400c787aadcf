//! The replay: what the entries say in the end of every message, campaign,
//! approval, suppressed address and directory version.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::campaign;
use crate::ledger::State;
use crate::store::error::Result;
use crate::store::ledger::{Entry, Message, link};
use crate::store::message::short;
use crate::store::outcome::LOST_REPLY;
use crate::store::proof::Broken;

/// What the ledger says, in the end.
#[derive(Default)]
pub(super) struct Told {
    pub messages: HashMap<u128, ToldMessage>,
    pub campaigns: BTreeMap<i64, ToldCampaign>,
    pub versions: BTreeMap<i64, ToldVersion>,
    /// By the digest of the address.
    pub suppressed: HashMap<u128, ToldSuppression>,
}

/// A message's newest state with its entry, and what its row must hold.
#[derive(Clone, Copy)]
pub(super) struct ToldMessage {
    pub state: State,
    pub seq: i64,
    pub at_ms: i64,
    /// Of the message that was cleared; 0: none.
    pub digest: u128,
    pub attempt: i64,
    pub first_ms: Option<i64>,
    pub not_before_ms: Option<i64>,
    /// Of code and text; 0: none.
    pub reply: u64,
    /// Of the findings; 0: none. `None` where the entry did not say.
    pub findings: Option<u64>,
}

/// A campaign's newest state with its entry, and what was frozen with its own.
pub(super) struct ToldCampaign {
    pub state: campaign::State,
    pub rate: Option<String>,
    pub seq: i64,
    pub frozen_seq: i64,
    pub at_ms: i64,
    pub snapshot: String,
    pub planned: u64,
    pub body: String,
    pub name: String,
    pub revision: i64,
    pub drill: Option<(i64, Value)>,
    /// By who approved.
    pub approvals: BTreeMap<String, ToldApproval>,
    /// The newest entry about approvals.
    pub approvals_seq: i64,
}

pub(super) struct ToldApproval {
    pub seq: i64,
    pub at_ms: i64,
    pub digest: String,
    pub signature: String,
}

pub(super) struct ToldVersion {
    pub seq: i64,
    pub at_ms: i64,
    pub accounts: u64,
    pub identifiers: u64,
    pub digest: String,
    pub reason: Option<String>,
    pub mapping: String,
    /// `None`: imported before it was kept.
    pub key: Option<String>,
    /// The digest of what calibration found, likewise.
    pub calibration: Option<String>,
}

pub(super) struct ToldSuppression {
    pub seq: i64,
    pub at_ms: i64,
    pub reason: u64,
}

/// A ledger row, but its number.
pub(super) struct Line {
    pub at_ms: i64,
    pub campaign: Option<i64>,
    pub kind: String,
    pub body: String,
    pub hash: Vec<u8>,
}

/// Where an entry stands.
#[derive(Clone, Copy)]
struct At {
    seq: i64,
    at_ms: i64,
}

impl Told {
    /// Replays the entry of a number that follows `seq`, if it holds.
    pub fn take(&mut self, number: i64, line: &Line, seq: i64, previous: &[u8]) -> Result<Option<Broken>> {
        let broken = |why: &str| Ok(Some(Broken::new(number, why)));
        if number != seq + 1 {
            return Ok(Some(Broken::new(seq + 1, "the entry is missing")));
        }
        if link(previous, number, line.at_ms, &line.body)? != line.hash {
            return broken("its hash does not follow from the entry before it and its own text");
        }
        let Ok(entry) = serde_json::from_str::<Entry>(&line.body) else {
            return broken("its text cannot be read");
        };
        if entry.campaign != line.campaign || entry.kind != line.kind {
            return broken("its columns are not those of its text");
        }
        let at = At { seq: number, at_ms: line.at_ms };
        match entry.campaign {
            None => {
                self.tell(&entry.kind, &entry.is.rest, at);
                Ok(None)
            }
            Some(id) => {
                for message in &entry.is.messages {
                    if let Err(why) = self.message(id, &entry.kind, message, at) {
                        return broken(&why);
                    }
                }
                Ok(self.campaign(id, &entry.kind, &entry.is.rest, at).err().map(|why| Broken::new(number, why)))
            }
        }
    }

    /// An entry that is about no campaign.
    fn tell(&mut self, kind: &str, is: &Map<String, Value>, at: At) {
        let digests = is.get("digests").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        match kind {
            "suppressed" => {
                let reason = short(&text(is, "reason"));
                for digest in digests {
                    // An address that is on the list already stays as it is.
                    let told = ToldSuppression { seq: at.seq, at_ms: at.at_ms, reason };
                    self.suppressed.entry(head(digest)).or_insert(told);
                }
            }
            "unsuppressed" => digests.for_each(|digest| {
                self.suppressed.remove(&head(digest));
            }),
            "import" => {
                let told = ToldVersion {
                    seq: at.seq,
                    at_ms: at.at_ms,
                    accounts: number(is, "accounts"),
                    identifiers: number(is, "identifiers"),
                    digest: text(is, "digest"),
                    reason: is.get("reason").and_then(Value::as_str).map(str::to_owned),
                    mapping: text(is, "mapping"),
                    key: is.get("key").and_then(Value::as_str).map(str::to_owned),
                    calibration: is.get("calibration").and_then(Value::as_str).map(str::to_owned),
                };
                self.versions.insert(number(is, "version") as i64, told);
            }
            _ => {}
        }
    }

    /// A message's move; why it is none that could be made.
    fn message(&mut self, id: i64, kind: &str, message: &Message, at: At) -> std::result::Result<(), String> {
        let Message { account, state, more } = message;
        let place = key(id, account);
        let mut told = self.messages.get(&place).copied().unwrap_or_else(|| ToldMessage::planned(at));
        let from = told.state;
        let legal = if kind == "settle" { from.may_be_settled_as(*state) } else { from.may_become(*state) };
        if !legal {
            return Err(format!("account {account} cannot go from {from} to {state}"));
        }
        let word = |n: usize| more.get(n).and_then(Value::as_str);
        let count = |n: usize| more.get(n).and_then(Value::as_i64);
        match kind {
            "check" => {
                told.digest = word(0).map_or(0, head);
                told.findings = more.get(1).map(|said| said.as_str().map_or(0, |hex| head(hex) as u64));
            }
            "claim" if count(0) != Some(told.attempt + 1) => {
                return Err(format!("account {account} cannot be claimed for attempt {:?} now", count(0)));
            }
            // Claims made before the first attempt was kept do not tell it.
            "claim" => (told.attempt, told.first_ms) = (told.attempt + 1, count(2)),
            "outcome" => {
                told.reply = reply(count(0), word(1));
                told.not_before_ms = count(2);
            }
            "release" => {
                (told.attempt, told.not_before_ms) = (told.attempt - 1, count(1));
                told.first_ms = told.first_ms.filter(|_| told.attempt > 0);
            }
            // Whoever has it sent again gives it another life.
            "settle" => told.first_ms = told.first_ms.filter(|_| *state != State::Checked),
            "recover" => told.reply = reply(Some(0), Some(LOST_REPLY)),
            "hold" => told.findings = Some(word(0).map_or(0, short)),
            _ => {}
        }
        (told.state, told.seq, told.at_ms) = (*state, at.seq, at.at_ms);
        self.messages.insert(place, told);
        Ok(())
    }

    /// What an entry says of its campaign; why it cannot be so.
    fn campaign(&mut self, id: i64, kind: &str, is: &Map<String, Value>, at: At) -> std::result::Result<(), String> {
        if kind == "frozen" {
            let told = ToldCampaign {
                state: campaign::State::Frozen,
                rate: None,
                seq: at.seq,
                frozen_seq: at.seq,
                at_ms: at.at_ms,
                snapshot: text(is, "snapshot"),
                planned: number(is, "planned"),
                body: text(is, "body"),
                name: text(is, "name"),
                revision: number(is, "revision") as i64,
                drill: None,
                approvals: BTreeMap::new(),
                approvals_seq: at.seq,
            };
            let again = self.campaigns.insert(id, told).is_some();
            return if again { Err(format!("campaign {id} was frozen before")) } else { Ok(()) };
        }
        let Some(told) = self.campaigns.get_mut(&id) else {
            return Err(format!("campaign {id} was not frozen before"));
        };
        match kind {
            "state" => {
                let state = serde_json::from_value(Value::String(text(is, "state")));
                let state: campaign::State = state.map_err(|_| "it names no state".to_owned())?;
                if !told.state.may_become(state) {
                    return Err(format!("campaign {id} cannot become {} now", state.as_str()));
                }
                (told.state, told.seq) = (state, at.seq);
            }
            "pace" => {
                (told.rate, told.seq) = (is.get("rate").and_then(Value::as_str).map(str::to_owned), at.seq);
            }
            "drill" => told.drill = Some((at.seq, is.get("drill").cloned().unwrap_or_default())),
            "approved" => {
                let (digest, signature) = (text(is, "digest"), text(is, "signature"));
                let approval = ToldApproval { seq: at.seq, at_ms: at.at_ms, digest, signature };
                told.approvals.insert(text(is, "by"), approval);
                told.approvals_seq = at.seq;
            }
            "withdrawn" => {
                told.approvals.clear();
                told.approvals_seq = at.seq;
            }
            _ => {}
        }
        Ok(())
    }
}

impl ToldMessage {
    /// As it was frozen.
    fn planned(at: At) -> Self {
        Self::frozen(at.seq, at.at_ms)
    }

    /// Of which no entry tells but its campaign's.
    pub fn frozen(seq: i64, at_ms: i64) -> Self {
        Self {
            state: State::Planned,
            seq,
            at_ms,
            digest: 0,
            attempt: 0,
            first_ms: None,
            not_before_ms: None,
            reply: 0,
            findings: Some(0),
        }
    }
}

/// A message's short name in the replay.
pub(super) fn key(campaign: i64, account: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&campaign.to_be_bytes()).update(account.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_be_bytes(short)
}

/// The first 128 bits of a hash in hexadecimal; 0 where it is none.
pub(super) fn head(hex: &str) -> u128 {
    u128::from_str_radix(hex.get(..32).unwrap_or(hex), 16).unwrap_or(0)
}

/// A reply's short name; 0: there was none.
pub(super) fn reply(code: Option<i64>, text: Option<&str>) -> u64 {
    match (code, text) {
        (None, None) => 0,
        _ => short(&format!("{code:?} {text:?}")),
    }
}

fn text(is: &Map<String, Value>, name: &str) -> String {
    is.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(is: &Map<String, Value>, name: &str) -> u64 {
    is.get(name).and_then(Value::as_u64).unwrap_or_default()
}
