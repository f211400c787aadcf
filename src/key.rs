//! Everything keyed: one master key, and from it the identifier hashes, the
//! link tokens and the Message-IDs.
//!
//! The key is a file of 32 random bytes in hex, readable by its owner only.
//! Without it the stored identifier hashes are no list of customers, and
//! nobody can make a link that unsubscribes somebody else. Losing it means a
//! new import and dead links in mail already sent. Sub-keys come from BLAKE3's
//! `derive_key`, one context string each.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

use crate::account::{AccountId, Kind};

/// The keys of one installation.
#[derive(Clone)]
pub struct Keys {
    index: [u8; 16],
    link: [u8; 32],
    message: [u8; 32],
    approval: [u8; 32],
    gates: [u8; 32],
    id: [u8; 16],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(redacted)")
    }
}

impl Keys {
    /// Derives every sub-key from the master key.
    pub fn new(master: &[u8; 32]) -> Self {
        let derive = |context| blake3::derive_key(context, master);
        let half = |context| {
            let mut half = [0; 16];
            half.copy_from_slice(&derive(context)[..16]);
            half
        };
        Self {
            index: half("kakitome 2026 identifier index"),
            link: derive("kakitome 2026 link token"),
            message: derive("kakitome 2026 message id"),
            approval: derive("kakitome 2026 approval"),
            gates: derive("kakitome 2026 name gates"),
            id: half("kakitome 2026 key id"),
        }
    }

    /// Names the master key without revealing it: the same for the same key only.
    /// What was hashed under another key can be told by it.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// The keyed 128-bit hash under which a canonical identifier is stored and
    /// looked up (SipHash-1-3).
    pub fn identifier(&self, kind: Kind, canonical: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.index);
        hasher.write_u8(kind.code());
        hasher.write(canonical.as_bytes());
        hasher.finish128().as_u128()
    }

    /// The key of the hashes under which the beginnings of names are stored.
    pub fn gates(&self) -> &[u8; 32] {
        &self.gates
    }

    /// The left side of a Message-ID: the same for the same campaign, revision
    /// and account, so that a second copy of a message can be recognised. 26
    /// letters and digits, beginning with a letter.
    pub fn message_id(&self, campaign: i64, revision: i64, account: &AccountId) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.message);
        hasher.update(&campaign.to_be_bytes());
        hasher.update(&revision.to_be_bytes());
        hasher.update(account.as_str().as_bytes());
        let hex = hasher.finalize().to_hex();
        format!("k{}", &hex[..31])
    }

    /// Signs a certificate: a keyed hash that only this installation can make.
    pub fn sign(&self, certificate: &[u8]) -> [u8; 32] {
        blake3::keyed_hash(&self.approval, certificate).into()
    }

    /// Makes the token of one link for one account of one campaign.
    pub fn link(&self, link: &Link) -> String {
        let payload = link.payload();
        let mac = blake3::keyed_hash(&self.link, payload.as_bytes());
        format!("{}{}{}", Link::PREFIX, URL_SAFE_NO_PAD.encode(&mac.as_bytes()[..16]), URL_SAFE_NO_PAD.encode(payload))
    }

    /// Reads a token back. `None` means that we did not make it.
    pub fn read_link(&self, token: &str) -> Option<Link> {
        // No separator: a dot in it would make it look like a host.
        let (mac, payload) = token.strip_prefix(Link::PREFIX)?.split_at_checked(22)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let mac: [u8; 16] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
        let expected = blake3::keyed_hash(&self.link, &payload);
        let same = expected.as_bytes()[..16].iter().zip(mac).fold(0, |d, (a, b)| d | (a ^ b)) == 0;
        if !same {
            return None;
        }
        Link::from_payload(std::str::from_utf8(&payload).ok()?)
    }
}

/// What a link token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What the link does.
    pub purpose: Purpose,
    /// The campaign whose message carries it.
    pub campaign: i64,
    /// The account it is for.
    pub account: AccountId,
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Ends the mail (RFC 8058).
    Unsubscribe,
    /// Shows this message in a browser.
    View,
}

impl Link {
    /// What every token begins with, so that the guard knows one when it sees it.
    pub const PREFIX: &'static str = "kt1-";

    fn payload(&self) -> String {
        let purpose = match self.purpose {
            Purpose::Unsubscribe => 'u',
            Purpose::View => 'v',
        };
        format!("{purpose}:{}:{}", self.campaign, self.account)
    }

    fn from_payload(payload: &str) -> Option<Self> {
        let (purpose, rest) = payload.split_once(':')?;
        let (campaign, account) = rest.split_once(':')?;
        let purpose = match purpose {
            "u" => Purpose::Unsubscribe,
            "v" => Purpose::View,
            _ => return None,
        };
        Some(Self { purpose, campaign: campaign.parse().ok()?, account: AccountId::new(account).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_id_that_shows_nothing_of_it() {
        let keys = Keys::new(&[7; 32]);
        assert_eq!(keys.id(), Keys::new(&[7; 32]).id());
        assert_ne!(keys.id(), Keys::new(&[8; 32]).id());
        assert_ne!(keys.id(), keys.index, "no other sub-key's bytes");
    }

    #[test]
    fn a_token_reads_back_and_a_changed_one_does_not() {
        let keys = Keys::new(&[7; 32]);
        let link = Link { purpose: Purpose::Unsubscribe, campaign: 3, account: AccountId::new("10000001").unwrap() };
        let token = keys.link(&link);
        assert_eq!(keys.read_link(&token), Some(link));
        assert_eq!(Keys::new(&[8; 32]).read_link(&token), None);
        for at in Link::PREFIX.len()..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            if changed != token {
                assert_eq!(keys.read_link(&changed), None, "byte {at}");
            }
        }
    }
}
