//! A finished message for one recipient, made only by `render`, and what its digest says.
//!
//! Its digest is what `check` stores, approval signs and sending compares.
//! Every piece goes into the hash with its length before it, so that no two
//! messages can be cut up differently and hash alike.

mod digest;

use crate::account::AccountId;
use crate::address::Address;

/// Finished bytes, the envelope with its one recipient, and the account.
#[derive(Debug)]
pub struct Finished {
    account: AccountId,
    sender: Address,
    recipient: Address,
    bytes: Vec<u8>,
}

impl Finished {
    pub(crate) fn new(account: AccountId, sender: Address, recipient: Address, bytes: Vec<u8>) -> Self {
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
        digest::of(&self.sender, &self.recipient, &self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(to: &str, bytes: &str) -> Finished {
        let address = |a| Address::parse(a).unwrap();
        Finished::new(AccountId::new("1").unwrap(), address("news@r.example"), address(to), bytes.into())
    }

    const MESSAGE: &str =
        "From: a@r.example\r\nDate: Tue,\r\n 24 Nov 2026\r\nSubject: x\r\n y\r\n\r\nbody\r\n\r\nDate: kept\r\n";

    #[test]
    fn the_digest_covers_all_but_date_and_signature() {
        let digest = finished("b@c.example", MESSAGE).digest();
        let same = MESSAGE
            .replace("Tue,\r\n 24 Nov", "Wed,\r\n 25 Nov")
            .replace("\r\nSubject", "\r\nDKIM-Signature: a=1;\r\n b=2\r\nSubject");
        assert_eq!(finished("b@c.example", &same).digest(), digest);
        for (from, to) in
            [("a@r", "b@r"), ("body", "bodY"), (" y\r\n", " z\r\n"), ("Date: kept", "Date: lost"), ("x\r\n y", "x")]
        {
            assert!(MESSAGE.contains(from));
            assert_ne!(finished("b@c.example", &MESSAGE.replacen(from, to, 1)).digest(), digest, "{from:?}");
        }
        assert_ne!(finished("b@d.example", MESSAGE).digest(), digest);
    }

    #[test]
    fn a_header_cannot_be_moved_into_the_body_unseen() {
        let one = finished("b@c.example", "A: 1\r\nB: 2\r\n\r\nC: 3\r\n").digest();
        let other = finished("b@c.example", "A: 1\r\n\r\nB: 2\r\nC: 3\r\n").digest();
        assert_ne!(one, other);
    }
}
