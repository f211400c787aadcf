//! The states of a message, the moves that are legal, and the hash chain over
//! everything that happened. Pure: no store, no clock.
//!
//! ```text
//! planned ─► checked ─► claimed ─► accepted | rejected        (final)
//!    │           ▲          ├────► deferred ─► checked, not before T
//!    │           │          └────► unknown
//!    └─► held                                  suppressed (final)
//! ```

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
    /// Nobody knows: the connection or the process died after the final dot.
    Unknown,
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

/// What the server said, or what happened instead. `code` 0: no reply.
/// `text` is printable ASCII, at most 200 characters, with addresses masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The reply code (RFC 5321 §4.2), 0 without one.
    pub code: u16,
    /// Its text, or what happened.
    pub text: String,
}
