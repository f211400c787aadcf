//! What receivers will see of a sender before they see a message: its records in
//! the DNS, the names of its addresses, its mail servers and its clock.
//!
//! Input: a [`Subject`], which is what the configuration and one campaign file
//! say, and whom to ask. Output: one [`Line`] for each thing that was asked, in
//! the order of the questions, with what to do where it is not well. Nothing is
//! changed and no message is sent. What could not be answered fails: it is not
//! known to be well. Sources: RFC 7208 (SPF), RFC 6376 (DKIM), RFC 9989 (DMARC),
//! RFC 8601 §2.7.3 (an address's name, and back).

mod clock;
mod dkim;
mod dmarc;
mod outgoing;
mod relay;
mod spf;

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::address::Address;
use crate::dns::{Dns, Unanswered};
use crate::render::Signer;
use crate::send::Relay;

pub use clock::{alone, beside};

/// Who is examined.
pub struct Subject {
    /// The address in From.
    pub from: Address,
    /// The envelope sender.
    pub return_path: Address,
    /// Who signs.
    pub signers: Vec<Signer>,
    /// What is said of those who cannot: [`no_signer`].
    pub no_signers: Vec<Line>,
    /// The addresses from which mail leaves for its receivers.
    pub outgoing: Vec<IpAddr>,
    /// The name given in EHLO.
    pub hello: String,
    /// The mail servers.
    pub relays: Vec<Relay>,
}

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Well.
    Ok,
    /// It could not be asked here, and why.
    Skip,
    /// Mail goes out, and some of it may not arrive.
    Warn,
    /// To be mended before mail goes out.
    Fail,
}

impl Level {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Skip => "skip",
            Level::Warn => "warn",
            Level::Fail => "fail",
        }
    }
}

/// One thing that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it stands.
    pub level: Level,
    /// What it concerns: `spf`, `dkim`, `dmarc`, `ptr`, `relay`, `clock`.
    pub check: &'static str,
    /// What was asked.
    pub asked: String,
    /// What was found.
    pub found: String,
    /// What to do now.
    pub now: Option<String>,
}

impl Line {
    fn ok(check: &'static str, asked: impl Into<String>, found: impl Into<String>) -> Self {
        Self { level: Level::Ok, check, asked: asked.into(), found: found.into(), now: None }
    }

    fn not(
        level: Level,
        check: &'static str,
        asked: impl Into<String>,
        found: impl Into<String>,
        now: impl Into<String>,
    ) -> Self {
        Self { level, check, asked: asked.into(), found: found.into(), now: Some(now.into()) }
    }

    /// A question that has no answer.
    fn unanswered(check: &'static str, asked: impl Into<String>, why: &Unanswered) -> Self {
        let now = "see that the resolver answers (`resolver` in kakitome.toml, or --resolver) and that the name servers of the domain do; then ask again";
        Self::not(Level::Fail, check, asked, why.to_string(), now)
    }
}

/// A key that cannot sign: its file, why, and what to do.
pub fn no_signer(asked: String, why: String, now: String) -> Line {
    Line::not(Level::Fail, "dkim", asked, why, now)
}

/// Asks everything, at a time in milliseconds since 1970; each answer is waited
/// for no longer than `wait`.
pub async fn examine(subject: Subject, dns: &Dns, wait: Duration, now_ms: i64) -> Vec<Line> {
    let Subject { from, return_path, signers, no_signers, outgoing, hello, relays } = subject;
    let (spf, dkim, dmarc, names, relays) = tokio::join!(
        spf::examine(dns, &from, &return_path, &outgoing, &hello),
        dkim::examine(dns, &signers, no_signers),
        dmarc::examine(dns, from.domain(), return_path.domain(), &signers),
        outgoing::examine(dns, &outgoing),
        relay::examine(relays, wait, now_ms),
    );
    [spf, dkim, dmarc, names, relays].concat()
}
