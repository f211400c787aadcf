//! How fast: so many messages in all, and so many to one receiver (a domain, or
//! those of one provider); and what servers' replies ([`super::replies`]) change about it.
//!
//! Each limit is a leaky bucket (GCRA, by governor) whose burst is a few
//! milliseconds' worth, so that the mean is the rate that was asked for
//! (measured: with a burst of one, 2,000/s delivers 1,629/s) and a second never
//! sees much more than the rate.

mod receiver;
mod share;
mod sites;

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use governor::Quota;

use crate::config::{Receiver, Smtp};
use crate::dns::Dns;
use crate::ledger::{Outcome, Reply};
use crate::send::replies::{Meaning, meaning};
use crate::send::wire::reply_text;
use crate::telemetry::event;
use crate::units::Rate;
use receiver::{May, Receivers};
pub use share::Share;
use share::Shared;

/// How long a pause the burst makes good for.
const BURST: Duration = Duration::from_millis(10);

/// Both limits; clones share them.
#[derive(Clone, Debug)]
pub struct Pace {
    total: Arc<Shared>,
    receivers: Arc<Receivers>,
    /// Why our own mail server takes nothing from us.
    refused: Arc<OnceLock<String>>,
}

impl Pace {
    /// The limits of a configuration, with the receivers that it names.
    pub fn new(smtp: &Smtp, receivers: &[Receiver]) -> Self {
        Self::shared(smtp, receivers, &Share::default(), None)
    }

    /// This process's share of them; with a resolver, domains of one MX site are counted
    /// together.
    pub fn shared(smtp: &Smtp, receivers: &[Receiver], share: &Share, dns: Option<Dns>) -> Self {
        Self {
            total: Arc::new(Shared::new(smtp.rate, share.clone())),
            receivers: Arc::new(Receivers::new(smtp.rate_per_domain, receivers, share.clone(), dns)),
            refused: Arc::default(),
        }
    }

    /// The same, but for so many messages in all.
    pub fn at(&self, rate: Rate) -> Self {
        Self { total: Arc::new(self.total.at(rate)), ..self.clone() }
    }

    /// The receivers that get nothing more in this run, each with why.
    pub fn halted(&self) -> Vec<(String, String)> {
        self.receivers.all_halted()
    }

    /// Whether a message to this domain may leave the queue: it has its token, or
    /// is not to be sent at all.
    pub(in crate::send) fn domain_now(&self, domain: &str) -> bool {
        self.receivers.may(domain, Instant::now()) != May::Later
    }

    /// A message to this domain is not under way any more.
    pub(in crate::send) fn end(&self, domain: &str) {
        self.receivers.end(domain, Instant::now());
    }

    /// What becomes of a message that is not to be sent, if so.
    pub(in crate::send) fn kept_back(&self, domain: &str) -> Option<Outcome> {
        let why = self.receivers.halted(domain)?;
        let text = reply_text(&format!("{KEPT_BACK}: {why}"));
        Some(Outcome::Deferred(Reply { code: 0, text }))
    }

    /// Why our own mail server takes nothing from us, if so.
    pub(in crate::send) fn refused(&self) -> Option<String> {
        self.refused.get().cloned()
    }

    /// Heeds what a server said. Where it refused us and not the message, the
    /// message is to be tried again when the cause is mended.
    pub(in crate::send) fn heed(&self, domain: &str, outcome: Outcome) -> Outcome {
        let reply = match &outcome {
            Outcome::Deferred(reply) | Outcome::Rejected(reply) => reply.clone(),
            Outcome::Accepted(_) | Outcome::Unknown(_) => return outcome,
        };
        let said = format!("{} {}", reply.code, reply.text);
        match meaning(&reply) {
            Meaning::Slow => {
                if self.receivers.slow(domain, Instant::now()) {
                    event::receiver_slowed(&self.receivers.label(domain), reply.code);
                }
                outcome
            }
            Meaning::Halt => {
                if self.receivers.halt(domain, &said, Instant::now()) {
                    event::receiver_halted(&self.receivers.label(domain), &said);
                }
                Outcome::Deferred(reply)
            }
            Meaning::Stop => {
                self.refused.get_or_init(|| format!("it refuses us: {said}"));
                Outcome::Deferred(reply)
            }
            Meaning::Defer | Meaning::Bounce | Meaning::Full | Meaning::Refuse => outcome,
        }
    }

    /// Takes a token of the total, if there is one now.
    pub(in crate::send) fn total_now(&self) -> bool {
        self.total.now()
    }

    /// Waits for a token of the total.
    pub(in crate::send) async fn total(&self) {
        self.total.wait().await;
    }
}

/// How it begins what is said of a message that was not tried, because its receiver refuses us.
pub const KEPT_BACK: &str = "not tried, its receiver refuses us as a sender";

fn quota(rate: Rate) -> Quota {
    let each = rate.per / rate.count.get();
    let burst = u32::try_from(BURST.as_nanos() / each.as_nanos().max(1)).unwrap_or(u32::MAX);
    let quota = Quota::with_period(each).unwrap_or(Quota::per_second(NonZeroU32::MAX));
    quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_ten_milliseconds_worth_and_one_at_least() {
        assert_eq!(quota(Rate::per_second(2_000)).burst_size().get(), 20);
        assert_eq!(quota(Rate::per_second(1)).burst_size().get(), 1);
    }

    #[test]
    fn one_domain_does_not_use_up_anothers() {
        let smtp = Smtp { rate_per_domain: Rate::per_second(1), ..Smtp::default() };
        let pace = Pace::new(&smtp, &[]);
        assert!(pace.domain_now("a.example"));
        assert!(!pace.domain_now("a.example"));
        assert!(pace.domain_now("b.example"));
    }
}
