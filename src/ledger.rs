//! The states of a message, the moves that are legal, and the hash chain over
//! everything that happened. Pure: no store, no clock.
//!
//! ```text
//! planned ─► checked ─► claimed ─► accepted | rejected        (final)
//!    │        │  ▲          ├────► deferred ─► checked, not before T, or expired (final)
//!    │        │  │          ├────► unknown ─► accepted | rejected | checked, by an operator
//!    │        │  └──────────┤ (not begun)
//!    └────────┴─────────────┴────► held | suppressed          (final)
//! ```
//!
//! Beside the arrows drawn: a message may be checked again before approval
//! (`checked → checked`), and one that is due may be claimed straight from
//! `deferred`, or held there: every message is judged again before its claim.
//! Every other move is refused, whoever asks.
//!
//! Times are `_ms` since the Unix epoch. A chain entry binds the entry before
//! it, so that whoever holds the newest link can tell whether anything older
//! was changed, left out or put in another order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::AccountId;

/// Where one message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the snapshot, not yet judged.
    Planned,
    /// Cleared by `check`, its digest stored.
    Checked,
    /// Refused by the guard; final for this revision.
    Held,
    /// Not to be mailed; final.
    Suppressed,
    /// An attempt is on disk and has no outcome yet.
    Claimed,
    /// The server took it: 250 after the final dot; final.
    Accepted,
    /// To be tried again, not before a time.
    Deferred,
    /// The server refused it for good; final.
    Rejected,
    /// Deferred until its lifetime was over; final.
    Expired,
    /// Nobody knows: the connection or the process died after the final dot.
    Unknown,
}

/// Who may make a move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The program, as it goes along.
    Program,
    /// An operator, or evidence that an operator brings.
    Operator,
}

impl State {
    /// Every state, in the order reports list them.
    pub const ALL: [State; 10] = [
        State::Planned,
        State::Checked,
        State::Held,
        State::Suppressed,
        State::Claimed,
        State::Accepted,
        State::Deferred,
        State::Rejected,
        State::Expired,
        State::Unknown,
    ];

    /// The one table of legal moves.
    fn moves(self) -> &'static [(State, By)] {
        use By::{Operator, Program};
        use State::*;
        match self {
            Planned => &[(Checked, Program), (Held, Program), (Suppressed, Program)],
            Checked => &[(Checked, Program), (Claimed, Program), (Held, Program), (Suppressed, Program)],
            Claimed => &[
                (Accepted, Program),
                (Deferred, Program),
                (Rejected, Program),
                (Unknown, Program),
                (Checked, Program),
                (Held, Program),
                (Suppressed, Program),
            ],
            Deferred => {
                &[(Checked, Program), (Claimed, Program), (Held, Program), (Suppressed, Program), (Expired, Program)]
            }
            Unknown => &[(Accepted, Operator), (Rejected, Operator), (Checked, Operator)],
            Held | Suppressed | Accepted | Rejected | Expired => &[],
        }
    }

    /// Whether the program may move a message from this state to that one.
    /// Nothing leaves `unknown` this way: see [`State::may_be_settled_as`].
    pub fn may_become(self, next: State) -> bool {
        self.moves().contains(&(next, By::Program))
    }

    /// Whether an operator, or evidence that an operator brings, may move a
    /// message from this state to that one: `unknown` to `accepted`, because the
    /// server has it, to `rejected`, because it gave it up, or to `checked`, to
    /// be sent again.
    pub fn may_be_settled_as(self, next: State) -> bool {
        self.moves().contains(&(next, By::Operator))
    }

    /// Whether no move leads out of this state.
    pub fn is_final(self) -> bool {
        self.moves().is_empty()
    }

    /// The word in the store and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Checked => "checked",
            State::Held => "held",
            State::Suppressed => "suppressed",
            State::Claimed => "claimed",
            State::Accepted => "accepted",
            State::Deferred => "deferred",
            State::Rejected => "rejected",
            State::Expired => "expired",
            State::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is none of planned, checked, held, suppressed, claimed, accepted, deferred, rejected, expired, unknown")]
pub struct NoState;

impl FromStr for State {
    type Err = NoState;

    fn from_str(word: &str) -> Result<Self, NoState> {
        State::ALL.into_iter().find(|state| state.as_str() == word).ok_or(NoState)
    }
}

/// How many messages stand in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the state of its name")]
pub struct Counts {
    pub planned: u64,
    pub checked: u64,
    pub held: u64,
    pub suppressed: u64,
    pub claimed: u64,
    pub accepted: u64,
    pub deferred: u64,
    pub rejected: u64,
    pub expired: u64,
    pub unknown: u64,
}

impl Counts {
    /// The number in one state.
    pub fn of(&self, state: State) -> u64 {
        let mut copy = *self;
        *copy.slot(state)
    }

    /// Adds so many in one state.
    pub fn add(&mut self, state: State, count: u64) {
        *self.slot(state) += count;
    }

    /// All messages.
    pub fn total(&self) -> u64 {
        State::ALL.into_iter().map(|state| self.of(state)).sum()
    }

    /// Messages whose last attempt has ended.
    pub fn attempted(&self) -> u64 {
        self.accepted + self.deferred + self.rejected + self.expired + self.unknown
    }

    /// Messages that wait for their first attempt, or are under way.
    pub fn left(&self) -> u64 {
        self.planned + self.checked + self.claimed
    }

    fn slot(&mut self, state: State) -> &mut u64 {
        match state {
            State::Planned => &mut self.planned,
            State::Checked => &mut self.checked,
            State::Held => &mut self.held,
            State::Suppressed => &mut self.suppressed,
            State::Claimed => &mut self.claimed,
            State::Accepted => &mut self.accepted,
            State::Deferred => &mut self.deferred,
            State::Rejected => &mut self.rejected,
            State::Expired => &mut self.expired,
            State::Unknown => &mut self.unknown,
        }
    }
}

impl FromIterator<(State, u64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (State, u64)>>(from: I) -> Self {
        let mut counts = Counts::default();
        for (state, count) in from {
            counts.add(state, count);
        }
        counts
    }
}

/// The durable record that one worker is about to attempt one message. It is
/// on disk before the first byte, and consumed by recording its outcome.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a claim without an outcome becomes unknown"]
pub struct Claim {
    /// The campaign.
    pub campaign: i64,
    /// The account.
    pub account: AccountId,
    /// The digest that approval signed.
    pub digest: [u8; 32],
    /// The attempt's number, from 1.
    pub attempt: u32,
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// 250 after the final dot.
    Accepted(Reply),
    /// 4xx, or the connection failed before the final dot: try again later.
    Deferred(Reply),
    /// 5xx.
    Rejected(Reply),
    /// Lost after the final dot was begun: it may or may not have arrived.
    Unknown(Reply),
}

impl Outcome {
    /// The state that a claimed message takes with this outcome.
    pub fn state(&self) -> State {
        match self {
            Outcome::Accepted(_) => State::Accepted,
            Outcome::Deferred(_) => State::Deferred,
            Outcome::Rejected(_) => State::Rejected,
            Outcome::Unknown(_) => State::Unknown,
        }
    }

    /// What the server said.
    pub fn reply(&self) -> &Reply {
        match self {
            Outcome::Accepted(reply)
            | Outcome::Deferred(reply)
            | Outcome::Rejected(reply)
            | Outcome::Unknown(reply) => reply,
        }
    }
}

/// What the server said, or what happened instead. `code` 0: no reply.
/// `text` is printable ASCII, at most 200 characters, with addresses masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The reply code (RFC 5321 §4.2), 0 without one.
    pub code: u16,
    /// Its text, or what happened.
    pub text: String,
}

/// What the first entry of a ledger is chained to.
pub const GENESIS: [u8; 32] = [0; 32];

/// The link of one entry: BLAKE3 over the link before it, its number and its
/// time (each eight bytes, big-endian) and its body. The three first parts have
/// fixed lengths, so no two entries run into the same bytes.
pub fn link(prev: &[u8; 32], seq: i64, at_ms: i64, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prev);
    hasher.update(&seq.to_be_bytes());
    hasher.update(&at_ms.to_be_bytes());
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as a picture: rows from, columns to, in the order of
    /// `State::ALL`. `x`: the program may; `o`: an operator may.
    const PICTURE: [(State, &str); 10] = [
        //                  pl ch he su cl ac de re ex un
        (State::Planned, /*  */ ".xxx......"),
        (State::Checked, /*  */ ".xxxx....."),
        (State::Held, /*     */ ".........."),
        (State::Suppressed, /**/ ".........."),
        (State::Claimed, /*  */ ".xxx.xxx.x"),
        (State::Accepted, /* */ ".........."),
        (State::Deferred, /* */ ".xxxx...x."),
        (State::Rejected, /* */ ".........."),
        (State::Expired, /*  */ ".........."),
        (State::Unknown, /*  */ ".o...o.o.."),
    ];

    #[test]
    fn every_pair_of_states_is_legal_or_refused_as_drawn() {
        for ((from, row), expected) in PICTURE.into_iter().zip(State::ALL) {
            assert_eq!(from, expected, "the picture's rows are in order");
            assert_eq!(row.len(), State::ALL.len());
            for (next, mark) in State::ALL.into_iter().zip(row.chars()) {
                assert_eq!(from.may_become(next), mark == 'x', "{from} → {next}");
                assert_eq!(from.may_be_settled_as(next), mark == 'o', "{from} → {next} by an operator");
            }
        }
    }

    #[test]
    fn final_states_are_those_without_a_way_out() {
        for state in State::ALL {
            let expected = match state {
                State::Held | State::Suppressed | State::Accepted | State::Rejected | State::Expired => true,
                State::Planned | State::Checked | State::Claimed | State::Deferred | State::Unknown => false,
            };
            assert_eq!(state.is_final(), expected, "{state}");
        }
    }

    #[test]
    fn nothing_is_sent_that_was_not_checked_and_claimed() {
        let sent = [State::Accepted, State::Deferred, State::Rejected, State::Unknown];
        for from in State::ALL {
            for next in sent {
                assert!(!from.may_become(next) || from == State::Claimed, "{from} → {next}");
            }
            assert!(!from.may_become(State::Claimed) || matches!(from, State::Checked | State::Deferred), "{from}");
        }
    }

    #[test]
    fn every_state_reads_back_and_no_other_word_does() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        for word in ["", "Planned", " held", "sent"] {
            assert_eq!(word.parse::<State>(), Err(NoState), "{word:?}");
        }
    }

    #[test]
    fn counts_keep_every_state_apart() {
        let counts: Counts = State::ALL.into_iter().zip(1..).collect();
        for (state, expected) in State::ALL.into_iter().zip(1..) {
            assert_eq!(counts.of(state), expected, "{state}");
        }
        assert_eq!(counts.total(), 55);
        assert_eq!(counts.attempted(), 6 + 7 + 8 + 9 + 10);
        assert_eq!(serde_json::to_value(counts).unwrap()["unknown"], 10);
    }

    #[test]
    fn every_outcome_is_a_legal_end_of_a_claim_with_its_reply() {
        let reply = Reply { code: 250, text: "queued".into() };
        let outcomes = [
            (Outcome::Accepted(reply.clone()), State::Accepted),
            (Outcome::Deferred(reply.clone()), State::Deferred),
            (Outcome::Rejected(reply.clone()), State::Rejected),
            (Outcome::Unknown(reply.clone()), State::Unknown),
        ];
        for (outcome, state) in outcomes {
            assert_eq!(outcome.state(), state);
            assert_eq!(outcome.reply(), &reply);
            assert!(State::Claimed.may_become(state));
        }
    }

    #[test]
    fn a_link_depends_on_every_part_and_on_nothing_else() {
        let link_0 = link(&GENESIS, 1, 1_000, b"{}");
        assert_eq!(link_0, link(&GENESIS, 1, 1_000, b"{}"));
        for changed in [
            link(&[1; 32], 1, 1_000, b"{}"),
            link(&GENESIS, 2, 1_000, b"{}"),
            link(&GENESIS, 1, 1_001, b"{}"),
            link(&GENESIS, 1, 1_000, b"{ }"),
        ] {
            assert_ne!(link_0, changed);
        }
        // The chain's form is a contract: ledgers already written must verify.
        let by_hand = [&[0u8; 32][..], &1i64.to_be_bytes(), &1_000i64.to_be_bytes(), b"{}"].concat();
        assert_eq!(link_0, *blake3::hash(&by_hand).as_bytes());
    }
}
