//! A finished message for one recipient, made only by `render`.

use crate::account::AccountId;
use crate::address::Address;

/// Finished bytes, the envelope with its one recipient, and the account.
#[derive(Debug)]
pub struct Rendered {
    account: AccountId,
    sender: Address,
    recipient: Address,
    bytes: Vec<u8>,
}

impl Rendered {
    pub(in crate::render) fn new(account: AccountId, sender: Address, recipient: Address, bytes: Vec<u8>) -> Self {
        Self { account, sender, recipient, bytes }
    }

    /// The account that it is for.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The envelope sender (MAIL FROM).
    pub fn sender(&self) -> &Address {
        &self.sender
    }

    /// The envelope's one recipient (RCPT TO).
    pub fn recipient(&self) -> &Address {
        &self.recipient
    }

    /// The finished message: RFC 5322, CRLF, lines of at most 998 octets.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// BLAKE3 over envelope, every header but `Date` and `DKIM-Signature`, and
    /// the body: what `check` stores, approval signs and sending compares.
    pub fn digest(&self) -> [u8; 32] {
        unimplemented!()
    }
}
