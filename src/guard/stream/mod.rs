//! A stream's memory: opaque tokens that stand in the messages of two accounts.
//!
//! Input: each message of a run, with its account's number. Output: what two accounts share,
//! at the end. A token is 16 characters or more of letters, digits, `-` and `_` that no words
//! make up, in a link's path, query or fragment or in a header field. What all messages share
//! is the campaign's: so is a token of three accounts or more, one of the literal text, and one
//! in the path of a picture or style sheet. Where there are but two accounts, a token counts
//! only in an unsubscribe link that is the same for both. In a campaign's own messages, what an
//! account's identifiers explain ([`OwnTokens`]) is not asked either.
//!
//! Kept are keyed 64-bit hashes, [`TOKENS_MAX`] at most, 24 bytes each in tables of 105 MB
//! together; beyond that the older half is forgotten, and [`Stream::has_forgotten`] says so: two
//! messages far apart are then not compared. Up to there the order of the messages does not
//! count. `Sync`; linear in the messages' size.

mod own;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use hashbrown::{HashMap, HashSet};

use crate::account::AccountId;
use crate::guard::lexicon::{self, Role};
use crate::guard::view::entity::Entity;
use crate::guard::view::part::Split;
use crate::guard::view::{transfer, word};
use crate::guard::{Finding, Rule, Terms};
use crate::key::{Bounce, Link};

pub use own::OwnTokens;

/// Tokens that are remembered: two tables of 2²¹ places, an eighth of each left empty.
pub const TOKENS_MAX: usize = 3_600_000;
/// Stands for an account where there is none.
const NOBODY: u32 = u32::MAX;
/// The shortest token, in characters.
const TOKEN_MIN: usize = 16;
/// Parts and depth of a message that are looked at.
const PARTS_MAX: usize = 100;
const DEPTH_MAX: usize = 8;
/// The longest link that is looked at, in bytes.
const LINK_MAX: usize = 4096;

/// Ends the path of what every reader is shown the same.
const STATIC: [&str; 12] =
    [".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".css", ".woff", ".woff2", ".ico", ".js", ".mp4"];
/// Header fields that have tokens of their own kind, or the reader's values.
const SKIPPED: [&str; 13] = [
    "message-id",
    "references",
    "in-reply-to",
    "date",
    "to",
    "from",
    "mime-version",
    "dkim-signature",
    "received",
    "authentication-results",
    "domainkey-signature",
    "return-path",
    "x-google-dkim-signature",
];

/// What is known of a token.
#[derive(Clone, Copy)]
struct Seen {
    first: u32,
    /// [`NOBODY`] until there is one.
    second: u32,
    /// Of all that is beside it where it was seen first.
    context: u32,
    is_many: bool,
    is_same: bool,
    is_unsubscribe: bool,
    is_header: bool,
}

/// What a stream has seen: this generation, and the one before.
#[derive(Default)]
struct Memory {
    now: HashMap<u64, Seen>,
    before: HashMap<u64, Seen>,
    /// Whether a generation was forgotten.
    has_forgotten: bool,
}

/// A token that two accounts' messages share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// The lower of the two accounts' numbers.
    pub first: u32,
    /// The higher.
    pub second: u32,
    /// Whether it stands in a header.
    pub is_header: bool,
}

impl Shared {
    /// What is found in the message of one of the two; `other` is whose it may be.
    pub fn finding(&self, other: &AccountId) -> Finding {
        Finding {
            rule: Rule::LinkToken,
            kind: None,
            place: if self.is_header { "header" } else { "link" }.into(),
            shown: "a token that stands in another account's message too".into(),
            owner: Some(other.clone()),
        }
    }
}

/// The memory of one run.
pub struct Stream {
    hasher: RandomState,
    explained: HashSet<u64>,
    memory: Mutex<Memory>,
    tokens_max: usize,
}

/// A token with what stands beside it.
struct Token<'t> {
    text: &'t str,
    context: u32,
    is_unsubscribe: bool,
    is_header: bool,
}

impl Stream {
    /// Begins a run under a campaign's terms.
    pub fn new(terms: &Terms) -> Self {
        Self::of_size(terms, TOKENS_MAX)
    }

    fn of_size(terms: &Terms, tokens_max: usize) -> Self {
        let hasher = RandomState::new();
        let literal = terms.literal.iter().map(|literal| literal.text.as_str());
        let texts = literal.chain(terms.allow.iter().map(|allow| allow.value.as_str()));
        let explained = texts.flat_map(runs).map(|run| hasher.hash_one(run)).collect();
        Self { hasher, explained, memory: Mutex::default(), tokens_max }
    }

    /// Takes in a message of an account.
    pub fn add(&self, account: u32, bytes: &[u8]) {
        self.take(account, bytes, |_| false);
    }

    /// Takes in a campaign's message of an account, whose identifiers explain themselves.
    pub fn add_own(&self, account: u32, bytes: &[u8], own: &OwnTokens<'_>) {
        self.take(account, bytes, |token| own.explains(token));
    }

    fn take(&self, account: u32, bytes: &[u8], is_own: impl Fn(&str) -> bool) {
        let (mut found, mut parts_left) = (HashMap::new(), PARTS_MAX);
        self.entity(bytes, 0, &mut parts_left, &mut |token: Token<'_>| {
            let hash = self.hasher.hash_one(token.text);
            if !self.explained.contains(&hash) && !is_own(token.text) {
                let seen = found.entry(hash).or_insert(Seen {
                    first: account,
                    second: NOBODY,
                    context: token.context,
                    is_many: false,
                    is_same: false,
                    is_unsubscribe: token.is_unsubscribe,
                    is_header: token.is_header,
                });
                if token.is_unsubscribe && !seen.is_unsubscribe {
                    (seen.is_unsubscribe, seen.context) = (true, token.context);
                }
            }
        });
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        for (hash, new) in found {
            memory.note(hash, new, self.tokens_max);
        }
    }

    /// What exactly two of so many accounts share.
    pub fn shared(&self, accounts: usize) -> Vec<Shared> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let all = memory.now.iter().chain(memory.before.iter().filter(|(hash, _)| !memory.now.contains_key(*hash)));
        let mut shared: Vec<Shared> = all
            .filter(|(_, seen)| !seen.is_many && (accounts > 2 || seen.is_unsubscribe && seen.is_same))
            .filter(|(_, seen)| seen.second != NOBODY)
            .map(|(_, seen)| Shared {
                first: seen.first.min(seen.second),
                second: seen.first.max(seen.second),
                is_header: seen.is_header,
            })
            .collect();
        shared.sort_unstable();
        shared.dedup();
        shared
    }

    /// Whether there were more tokens than are remembered.
    pub fn has_forgotten(&self) -> bool {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).has_forgotten
    }

    fn entity(&self, bytes: &[u8], depth: usize, parts_left: &mut usize, found: &mut impl FnMut(Token<'_>)) {
        if depth > DEPTH_MAX || *parts_left == 0 {
            return;
        }
        *parts_left -= 1;
        let entity = Entity::read(bytes);
        for field in &entity.fields {
            let name = field.name.to_ascii_lowercase();
            if SKIPPED.contains(&&*name) || name.starts_with("content-") || name.starts_with("arc-") {
                continue;
            }
            let value = String::from_utf8_lossy(&field.value);
            // An encoded-word looks like a token itself: what it says is looked at.
            let (value, _) = word::decode(&value);
            self.tokens(&value, &value, name == "list-unsubscribe", true, found);
        }
        let kind = entity.kind();
        if kind.starts_with("multipart/") {
            let boundary = entity.parameter("boundary").unwrap_or_default();
            for part in Split::read(entity.body, boundary.as_bytes(), *parts_left).parts {
                self.entity(part, depth + 1, parts_left, found);
            }
        } else if kind.starts_with("text/") {
            let (body, _) = transfer::decode(entity.body, entity.encoding());
            self.links(&String::from_utf8_lossy(&body), found);
        }
    }

    /// Every token of the links in a text.
    fn links(&self, text: &str, found: &mut impl FnMut(Token<'_>)) {
        let mut end = 0;
        for at in memchr::memmem::find_iter(text.as_bytes(), b"://") {
            if at < end {
                continue;
            }
            let rest = &text[at + 3..];
            let is_end = |b: &u8| !b.is_ascii_graphic() || b"\"'<>()[]{}`".contains(b);
            let length = rest.as_bytes().iter().take(LINK_MAX).position(is_end).unwrap_or(rest.len().min(LINK_MAX));
            let Some(link) = rest.get(..length) else { continue };
            end = at + 3 + length;
            let Some(host) = link.find(['/', '?', '#']) else { continue };
            let path_end = link[host..].find(['?', '#']).map_or(link.len(), |n| host + n);
            let path = link[host..path_end].to_ascii_lowercase();
            let from = if STATIC.iter().any(|ending| path.ends_with(ending)) { path_end } else { host };
            let lower = link.to_ascii_lowercase();
            let is_unsubscribe = lexicon::of(Role::Unsubscribe).list.iter().any(|word| lower.contains(word));
            self.tokens(&link[from..], link, is_unsubscribe, false, found);
        }
    }

    fn tokens(
        &self,
        text: &str,
        whole: &str,
        is_unsubscribe: bool,
        is_header: bool,
        found: &mut impl FnMut(Token<'_>),
    ) {
        let text: Cow<'_, str> =
            if text.contains('%') { Cow::Owned(text.replace("%2D", "-").replace("%5F", "_")) } else { text.into() };
        for run in runs(&text) {
            let context = self.hasher.hash_one(whole.replacen(run, "", 1)) as u32;
            found(Token { text: run, context, is_unsubscribe, is_header });
        }
    }
}

impl Memory {
    fn note(&mut self, hash: u64, new: Seen, tokens_max: usize) {
        let known = self.now.get(&hash).or_else(|| self.before.get(&hash)).copied();
        let seen = match known {
            None => new,
            Some(seen) if seen.is_many || seen.first == new.first || seen.second == new.first => seen,
            Some(seen) if seen.second != NOBODY => Seen { is_many: true, ..seen },
            Some(seen) => Seen {
                second: new.first,
                is_same: seen.context == new.context,
                is_unsubscribe: seen.is_unsubscribe && new.is_unsubscribe,
                is_header: seen.is_header && new.is_header,
                ..seen
            },
        };
        if self.now.len() >= tokens_max / 2 && !self.now.contains_key(&hash) {
            self.has_forgotten |= !self.before.is_empty();
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert(hash, seen);
    }
}

/// Every run of a text that is an opaque token, and none of ours.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let all = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    all.filter(|run| {
        let is_host = run.starts_with("xn--");
        is_opaque(run) && !is_host && !run.contains(Link::PREFIX) && !run.starts_with(Bounce::PREFIX)
    })
}

/// Whether a run is not words and numbers: letters, digits and cases change too often in it.
fn is_opaque(run: &str) -> bool {
    const CHANGE: usize = 8;
    let bytes = run.as_bytes();
    if bytes.len() < TOKEN_MIN || !bytes.iter().any(u8::is_ascii_alphabetic) || !bytes.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let (mut changes, mut lower) = (0, 0);
    for pair in bytes.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        lower = if a.is_ascii_lowercase() { lower + 1 } else { 0 };
        let turns = a.is_ascii_alphabetic() && b.is_ascii_digit() || a.is_ascii_digit() && b.is_ascii_alphabetic();
        // A new word begins behind a longer one: WinterSale.
        let rises = (1..3).contains(&lower) && b.is_ascii_uppercase();
        changes += usize::from(turns || rises);
    }
    changes >= 3 && changes * CHANGE >= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Literal;

    fn message(link: &str) -> Vec<u8> {
        format!("List-Unsubscribe: <{link}>\r\nContent-Type: text/plain\r\n\r\nHello {link} there\r\n").into_bytes()
    }

    fn pairs(messages: &[(u32, &str)], terms: &Terms, accounts: usize) -> Vec<(u32, u32)> {
        let stream = Stream::new(terms);
        messages.iter().for_each(|(account, link)| stream.add(*account, &message(link)));
        let mut pairs: Vec<(u32, u32)> = stream.shared(accounts).iter().map(|s| (s.first, s.second)).collect();
        pairs.dedup();
        pairs
    }

    #[test]
    fn opaque_tokens_and_slugs() {
        for token in [
            "9f86d081884c7d65",
            "Zk3vQ8xT1mW9rB5yL2pH",
            "550e8400-e29b-41d4-a716-446655440000",
            "tok_a1b2c3d4e5f6a7b8",
            "k3j2h4g5f6d7s8a9",
        ] {
            assert!(is_opaque(token), "{token}");
        }
        for slug in [
            "2026-winter-newsletter",
            "WinterSale2026Newsletter",
            "sony-wh1000xm5-headphones-2026",
            "abcdefghijklmnop",
            "1234567890123456",
            "short1a2b3c",
        ] {
            assert!(!is_opaque(slug), "{slug}");
        }
    }

    #[test]
    fn what_two_accounts_share() {
        let terms = Terms::default();
        let (a, b, c) = (
            "https://x.example/u/9f86d081884c7d65",
            "https://x.example/u/a1b2c3d4e5f6a7b8",
            "https://x.example/u/k3j2h4g5f6d7s8a9",
        );
        assert!(pairs(&[(0, a), (1, b), (2, c)], &terms, 3).is_empty());
        assert_eq!(pairs(&[(0, a), (1, b), (2, a)], &terms, 3), [(0, 2)]);
        assert!(pairs(&[(0, a), (1, a), (2, a)], &terms, 3).is_empty(), "it is the campaign's");
        assert!(pairs(&[(0, a), (0, a), (1, b)], &terms, 2).is_empty(), "one account's own");
        assert_eq!(pairs(&[(0, a), (1, a)], &terms, 2), [(0, 1)], "an unsubscribe link that is the same");
        let literal = Terms { literal: vec![Literal { html: false, text: a.into() }], ..Terms::default() };
        assert!(pairs(&[(0, a), (1, b), (2, a)], &literal, 3).is_empty());
    }

    #[test]
    fn pictures_and_a_pair_with_a_campaigns_token_are_clean() {
        let terms = Terms::default();
        let shared = |messages: &[(u32, &str)], accounts| {
            let stream = Stream::new(&terms);
            for (account, link) in messages {
                stream.add(*account, format!("Content-Type: text/html\r\n\r\n<a href=\"{link}\">").as_bytes());
            }
            stream.shared(accounts).len()
        };
        let picture = "https://x.example/i/9f86d081884c7d65.png?w=5";
        assert_eq!(shared(&[(0, picture), (1, picture), (2, "https://x.example/")], 3), 0);
        let click = |user: &str| format!("https://x.example/c/9f86d081884c7d65?u={user}");
        assert_eq!(shared(&[(0, &click("1")), (1, &click("2"))], 2), 0);
    }

    #[test]
    fn the_order_of_the_messages_does_not_count() {
        let link = |n: u32| format!("https://x.example/u/9f86d0a1{:04}b8c7d65", n % 40);
        let all: Vec<(u32, Vec<u8>)> = (0..60).map(|n| (n, message(&link(n)))).collect();
        let shared = |order: &mut dyn Iterator<Item = &(u32, Vec<u8>)>| {
            let stream = Stream::new(&Terms::default());
            order.for_each(|(account, bytes)| stream.add(*account, bytes));
            stream.shared(60)
        };
        let expected: Vec<(u32, u32)> = (0..20).map(|n| (n, n + 40)).collect();
        let found = shared(&mut all.iter());
        assert_eq!(found.iter().map(|shared| (shared.first, shared.second)).collect::<Vec<_>>(), expected);
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..5 {
            let mut mixed: Vec<&(u32, Vec<u8>)> = all.iter().collect();
            random.shuffle(&mut mixed);
            assert_eq!(shared(&mut mixed.into_iter()), found);
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let stream = Stream::of_size(&Terms::default(), 100);
        for n in 0..1000u32 {
            stream.add(n, &message(&format!("https://x.example/u/9f86d0a1{n:04}b8c7d65")));
        }
        let memory = stream.memory.lock().unwrap();
        assert!(memory.now.len() + memory.before.len() <= 100 && memory.has_forgotten);
        assert_eq!(size_of::<(u64, Seen)>(), 24);
    }
}
