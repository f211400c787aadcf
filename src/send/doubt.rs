//! What becomes of a message whose server breaks off, or says what it was not asked:
//! sent again only where it cannot have it, and unknown where it may.

use crate::ledger::{Outcome, Reply};

/// Said of a message whose server spoke while it should have waited for the body.
pub(in crate::send) const EARLY: &str = "the server closed the connection, or spoke out of turn, before the body";

/// Nobody knows which reply was the dot's.
pub(in crate::send) fn out_of_step(outcome: &Outcome) -> Outcome {
    let Reply { code, text } = outcome.reply();
    Outcome::Unknown(Reply { code: *code, text: format!("the server's replies are out of step: {text}") })
}

/// Without its dot the server must not deliver it (RFC 5321 §3.8).
pub(in crate::send) fn undotted(why: &str) -> Outcome {
    Outcome::Deferred(Reply { code: 0, text: why.into() })
}

/// A reply that none asked for: nothing of the body was written.
pub(in crate::send) fn unexpected(reply: Reply) -> Outcome {
    Outcome::Deferred(Reply { code: reply.code, text: format!("unexpected reply: {}", reply.text) })
}
