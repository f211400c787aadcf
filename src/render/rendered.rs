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
        let mut hasher = blake3::Hasher::new();
        let mut piece = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_be_bytes()).update(bytes);
        };
        piece(self.sender.as_str().as_bytes());
        piece(self.recipient.as_str().as_bytes());
        let (head, body) = split(&self.bytes);
        let mut skipped = false;
        for line in head.split_inclusive(|b| *b == b'\n') {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                skipped = MOVING.iter().any(|name| starts_with(line, name));
            }
            if !skipped {
                piece(line);
            }
        }
        piece(body);
        hasher.finalize().into()
    }
}

/// Headers that differ each time a message is made.
const MOVING: [&str; 2] = ["date:", "dkim-signature:"];

fn starts_with(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
}

/// Head and body, the empty line between them belonging to the body.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 2);
    bytes.split_at(end)
}
