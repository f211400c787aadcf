//! What concerns the mail itself: `[smtp]`, `[[receiver]]`, `[links]` and `[[dkim]]`.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::address::Address;

use super::{Rate, SendingWindow, Span, WarmUp};

/// `[smtp]`: the relay, and how fast it is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtp://127.0.0.1:2525`, `smtps://user:pass@host`,
    /// `smtp://host?tls=required` (STARTTLS).
    pub url: SecretString,
    /// Connections held open at once.
    pub connections: usize,
    /// Messages handed over, in all.
    pub rate: Rate,
    /// Messages handed over for one recipient domain.
    pub rate_per_domain: Rate,
    /// The name given in EHLO.
    pub hello: String,
    /// The first wait after a deferral; each further one doubles, with jitter.
    pub retry_first: Span,
    /// The longest wait between two attempts.
    pub retry_max: Span,
    /// How long after its first attempt a deferred message is tried again; then it
    /// has expired.
    pub lifetime: Span,
    /// The hours in which messages are handed over; none: at all times.
    pub windows: Vec<SendingWindow>,
    /// How many messages a day while this sender is new to its receivers.
    pub warm_up: Option<WarmUp>,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            url: SecretString::from("smtp://127.0.0.1:25"),
            connections: 8,
            rate: Rate::per_second(100),
            rate_per_domain: Rate::per_second(50),
            hello: "localhost.localdomain".into(),
            retry_first: Span(Duration::from_secs(60)),
            retry_max: Span(Duration::from_secs(4 * 3600)),
            lifetime: Span(Duration::from_secs(3 * 24 * 3600)),
            windows: Vec::new(),
            warm_up: None,
        }
    }
}

impl Smtp {
    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=1000).contains(&self.connections) {
            return Err("smtp.connections is between 1 and 1000".into());
        }
        if self.lifetime.0.is_zero() {
            return Err(
                "smtp.lifetime is longer than nothing, as in \"3d\": how long a deferred message is tried again".into(),
            );
        }
        if self.retry_first.0.is_zero() || self.retry_max < self.retry_first {
            return Err("smtp.retry_first is longer than nothing, and smtp.retry_max no shorter than it".into());
        }
        // It is written into the conversation as it stands (RFC 5321 §4.1.1.1).
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        if self.hello.is_empty() || self.hello.len() > 255 || !self.hello.chars().all(is_name) {
            return Err("smtp.hello is this machine's host name: ASCII letters, digits, dots and hyphens, as in \"mail.registrar.example\"".into());
        }
        Ok(())
    }
}

/// `[[receiver]]`: the domains that one provider takes the mail of, counted
/// together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// What it is called; without a dot, so that no domain is called the same.
    pub name: String,
    /// Its domains.
    pub domains: Vec<String>,
    /// Messages handed over for all of them; by default `smtp.rate_per_domain`.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// Messages under way to them at once; by default as many as there are
    /// connections.
    #[serde(default)]
    pub connections: Option<NonZeroUsize>,
}

impl Receiver {
    /// Domains as addresses have them; refuses what cannot be told apart.
    pub(super) fn check(all: &mut [Receiver]) -> Result<(), String> {
        let (mut names, mut domains) = (BTreeSet::new(), BTreeSet::new());
        for Receiver { name, domains: list, .. } in all {
            if name.trim().is_empty() || name.contains('.') || !names.insert(name.clone()) {
                return Err(format!("receiver.name: {name:?} is empty, has a dot, or is another's too"));
            }
            if list.is_empty() {
                return Err(format!("receiver {name:?} has no domains"));
            }
            for domain in list {
                let address = Address::parse(&format!("x@{domain}"));
                let address = address.map_err(|_| format!("receiver {name:?}: {domain:?} is no domain"))?;
                *domain = address.domain().to_owned();
                if !domains.insert(domain.clone()) {
                    return Err(format!("receiver {name:?}: {domain:?} is listed twice"));
                }
            }
        }
        Ok(())
    }
}

/// `[links]`: where links in messages lead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// The HTTPS address under which links are answered:
    /// `https://mail.registrar.example/k`. RFC 8058 §3.1 asks for HTTPS.
    pub base: Option<String>,
}

/// `[[dkim]]`: a key that messages are signed with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The domain that signs: that of `from`, for DMARC's sake.
    pub domain: String,
    /// The name under which its public key stands: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The file of the private key, in PEM: RSA of 2048 bits or more, or Ed25519.
    pub key: PathBuf,
}
