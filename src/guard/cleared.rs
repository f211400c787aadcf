//! The proof that a message was judged. `Cleared` contains the very bytes that
//! were judged, has no other constructor than the guard's, is neither `Clone`
//! nor `Deserialize`, and is the only thing that the sender takes.

use crate::account::AccountId;
use crate::address::Address;
use crate::guard::finding::Finding;
use crate::message::Finished;

/// A message that the guard cleared for exactly its one recipient.
///
/// Nobody else can make one:
/// ```compile_fail,E0451
/// fn forge(message: kakitome::message::Finished) -> kakitome::guard::Cleared {
///     kakitome::guard::Cleared { message }
/// }
/// ```
/// and nobody can copy one:
/// ```compile_fail
/// fn twice(message: &kakitome::guard::Cleared) -> kakitome::guard::Cleared { message.clone() }
/// ```
#[derive(Debug)]
#[must_use = "a cleared message is there to be sent"]
pub struct Cleared {
    message: Finished,
}

impl Cleared {
    pub(in crate::guard) fn new(message: Finished) -> Self {
        Self { message }
    }

    /// The account that the message is for.
    pub fn account(&self) -> &AccountId {
        self.message.account()
    }

    /// The envelope sender (MAIL FROM).
    pub fn sender(&self) -> &Address {
        self.message.sender()
    }

    /// The envelope's one recipient (RCPT TO).
    pub fn recipient(&self) -> &Address {
        self.message.recipient()
    }

    /// The finished message: CRLF line ends, not dot-stuffed.
    pub fn bytes(&self) -> &[u8] {
        self.message.bytes()
    }

    /// The digest that `check` stored and approval signed.
    pub fn digest(&self) -> [u8; 32] {
        self.message.digest()
    }
}

/// A message that the guard refused: a verdict, not an error.
#[derive(Debug)]
pub struct Held {
    /// The account that the message was for.
    pub account: AccountId,
    /// Every reason.
    pub findings: Vec<Finding>,
}
