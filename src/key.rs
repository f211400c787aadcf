//! Everything keyed: one master key, and from it the identifier hashes, the
//! tokens of links and envelope senders, and the Message-IDs.
//!
//! The key is a file of 32 random bytes in hex, readable by its owner only.
//! Without it the stored identifier hashes are no list of customers, and
//! nobody can make a link that unsubscribes somebody else. Losing it means a
//! new import and dead links in mail already sent. Sub-keys come from BLAKE3's
//! `derive_key`, one context string each.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::BASE32_NOPAD;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

use crate::account::{AccountId, Kind};

/// The keys of one installation.
#[derive(Clone)]
pub struct Keys {
    index: [u8; 16],
    link: [u8; 32],
    bounce: [u8; 32],
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
            bounce: derive("kakitome 2026 bounce token"),
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
        if !is_same(&expected.as_bytes()[..16], &mac) {
            return None;
        }
        Link::from_payload(std::str::from_utf8(&payload).ok()?)
    }
}

impl Keys {
    /// Makes the token of the envelope sender of one message: lower-case letters
    /// and digits only, because what comes back may have lost its case.
    pub fn bounce(&self, bounce: &Bounce) -> String {
        let payload = format!("{}:{}", bounce.campaign, bounce.account);
        let mac = blake3::keyed_hash(&self.bounce, payload.as_bytes());
        let whole = [&mac.as_bytes()[..Bounce::MAC], payload.as_bytes()].concat();
        format!("{}{}", Bounce::PREFIX, base32(&whole))
    }

    /// Reads a token back, in whatever case. `None` means that we did not make it.
    pub fn read_bounce(&self, token: &str) -> Option<Bounce> {
        let token = token.to_ascii_lowercase();
        let whole = token.strip_prefix(Bounce::PREFIX)?.to_ascii_uppercase();
        let whole = BASE32_NOPAD.decode(whole.as_bytes()).ok()?;
        let (_, payload) = whole.split_at_checked(Bounce::MAC)?;
        let (campaign, account) = std::str::from_utf8(payload).ok()?.split_once(':')?;
        let bounce = Bounce { campaign: campaign.parse().ok()?, account: AccountId::new(account).ok()? };
        is_same(self.bounce(&bounce).as_bytes(), token.as_bytes()).then_some(bounce)
    }
}

/// What the token of an envelope sender says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// The campaign whose message it was.
    pub campaign: i64,
    /// The account that it was for.
    pub account: AccountId,
}

impl Bounce {
    /// What every token begins with.
    pub const PREFIX: &'static str = "kb1";
    /// Octets of the keyed hash.
    const MAC: usize = 10;
    /// The fewest characters that can be a token behind the prefix: the hash, a
    /// campaign of one digit and an account of one character.
    const LENGTH_MIN: usize = ((Self::MAC + 3) * 8).div_ceil(5);

    /// The tokens that a local part may have in it, whoever made them.
    pub fn tokens_in(local: &str) -> Vec<String> {
        let local = local.to_ascii_lowercase();
        let starts = local.match_indices(Self::PREFIX).map(|(at, _)| at);
        let token = |at: usize| {
            let rest = &local[at + Self::PREFIX.len()..];
            let length = rest.bytes().take_while(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')).count();
            (length >= Self::LENGTH_MIN).then(|| local[at..at + Self::PREFIX.len() + length].to_owned())
        };
        starts.filter_map(token).collect()
    }
}

/// Whether two are the same, in a time that does not tell where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// RFC 4648 §6, in lower case and without padding.
fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
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
    fn a_bounce_token_reads_back_in_any_case_and_a_changed_one_does_not() {
        // RFC 4648 §10.
        assert_eq!(["", "f", "foobar"].map(|text| base32(text.as_bytes())), ["", "my", "mzxw6ytboi"]);
        let keys = Keys::new(&[7; 32]);
        for account in ["1", "10000001", "K-12 34.5"] {
            let bounce = Bounce { campaign: 3, account: AccountId::new(account).unwrap() };
            let token = keys.bounce(&bounce);
            assert!(token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{token}");
            assert_eq!(keys.read_bounce(&token), Some(bounce.clone()));
            assert_eq!(keys.read_bounce(&token.to_uppercase()), Some(bounce));
            for written in [token.clone(), token.to_uppercase()] {
                assert_eq!(Bounce::tokens_in(&format!("kb1+{written}-x")), std::slice::from_ref(&token));
            }
            assert_eq!(Keys::new(&[8; 32]).read_bounce(&token), None);
            for at in Bounce::PREFIX.len()..token.len() {
                let changed = if &token[at..=at] == "a" { "b" } else { "a" };
                let changed = format!("{}{changed}{}", &token[..at], &token[at + 1..]);
                assert_eq!(keys.read_bounce(&changed), None, "byte {at} of {token}");
            }
            for cut in 0..token.len() {
                assert_eq!(keys.read_bounce(&token[..cut]), None);
            }
        }
        assert!(Bounce::tokens_in("bounces+kb12").is_empty());
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
