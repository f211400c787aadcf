//! Receivers: who takes the mail of a domain, how fast it may go there now, and
//! whether it may at all.
//!
//! A receiver that says that we are too fast gets half of its rate: at most one
//! halving in [`HOLD`], because what is under way says the same again, and down
//! to 1/64. Each [`HOLD`] without such a word doubles it, up to what was asked
//! for. One that refuses us as a sender is halted for the rest of the run.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, RateLimiter};

use super::quota;
use crate::config::Rate;

/// Halvings at most: 1/64 of the rate.
const HALVINGS_MAX: u32 = 6;
/// How long a rate is kept before it is halved again, or doubled.
const HOLD: Duration = Duration::from_secs(30);

/// Whether a message may go to a receiver at this moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum May {
    Now,
    Later,
    /// Not in this run, and why.
    Never(String),
}

/// Every receiver seen so far.
#[derive(Debug)]
pub(super) struct Receivers {
    rate: Rate,
    seen: Mutex<HashMap<String, Receiver>>,
}

#[derive(Debug)]
struct Receiver {
    rate: Rate,
    limiter: DefaultDirectRateLimiter,
    halvings: u32,
    /// When the rate was last changed.
    turned: Instant,
    halted: Option<String>,
}

impl Receivers {
    pub fn new(rate: Rate) -> Self {
        Self { rate, seen: Mutex::default() }
    }

    /// Takes a token, if there is one now.
    pub fn may(&self, domain: &str, now: Instant) -> May {
        self.with(domain, now, |receiver| {
            if let Some(why) = &receiver.halted {
                return May::Never(why.clone());
            }
            receiver.recover(now);
            if receiver.limiter.check().is_ok() { May::Now } else { May::Later }
        })
    }

    /// Why a receiver gets nothing more in this run, if so.
    pub fn halted(&self, domain: &str) -> Option<String> {
        self.seen().get(domain).and_then(|receiver| receiver.halted.clone())
    }

    /// Halves a rate; whether it did.
    pub fn slow(&self, domain: &str, now: Instant) -> bool {
        self.with(domain, now, |receiver| receiver.slow(now))
    }

    /// Ends mail to a receiver for this run; whether it was not ended before.
    pub fn halt(&self, domain: &str, why: &str, now: Instant) -> bool {
        self.with(domain, now, |receiver| {
            let first = receiver.halted.is_none();
            receiver.halted.get_or_insert_with(|| why.to_owned());
            first
        })
    }

    /// Those that are halted, by name, each with why.
    pub fn all_halted(&self) -> Vec<(String, String)> {
        let seen = self.seen();
        let mut halted: Vec<_> =
            seen.iter().filter_map(|(name, is)| Some((name.clone(), is.halted.clone()?))).collect();
        halted.sort();
        halted
    }

    fn with<T>(&self, domain: &str, now: Instant, act: impl FnOnce(&mut Receiver) -> T) -> T {
        let mut seen = self.seen();
        if let Some(receiver) = seen.get_mut(domain) {
            return act(receiver);
        }
        act(seen.entry(domain.to_owned()).or_insert(Receiver::new(self.rate, now)))
    }

    /// A poisoned lock's list is whole: nothing is done under it that can panic.
    fn seen(&self) -> MutexGuard<'_, HashMap<String, Receiver>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver {
    fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, limiter: RateLimiter::direct(quota(rate)), halvings: 0, turned: now, halted: None }
    }

    fn slow(&mut self, now: Instant) -> bool {
        let held = self.halvings > 0 && now.duration_since(self.turned) < HOLD;
        if held || self.halvings == HALVINGS_MAX {
            // It asked again: what it has is kept for that long from now.
            self.turned = now;
            return false;
        }
        self.turn(self.halvings + 1, now);
        true
    }

    fn recover(&mut self, now: Instant) {
        if self.halvings > 0 && now.duration_since(self.turned) >= HOLD {
            self.turn(self.halvings - 1, now);
        }
    }

    fn turn(&mut self, halvings: u32, now: Instant) {
        (self.halvings, self.turned) = (halvings, now);
        let per = self.rate.per.saturating_mul(1 << halvings);
        self.limiter = RateLimiter::direct(quota(Rate { per, ..self.rate }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens to be had at once: the burst, 10 ms worth of the rate.
    fn tokens(receivers: &Receivers, now: Instant) -> usize {
        (0..1_000).take_while(|_| receivers.may("a.example", now) == May::Now).count()
    }

    #[test]
    fn a_slowed_receiver_gets_half_and_comes_back_step_by_step() {
        let (receivers, start) = (Receivers::new(Rate::per_second(6_400)), Instant::now());
        assert_eq!(tokens(&receivers, start), 64);
        assert!(receivers.slow("a.example", start));
        assert!(!receivers.slow("a.example", start + HOLD / 2), "what is under way says the same again");
        let mut at = start + HOLD / 2;
        assert_eq!(tokens(&receivers, at), 32);
        at += HOLD;
        assert!(receivers.slow("a.example", at));
        assert_eq!(tokens(&receivers, at), 16);
        for expected in [32, 64] {
            assert_eq!(tokens(&receivers, at + HOLD - Duration::from_millis(1)), 0, "not before");
            at += HOLD;
            assert_eq!(tokens(&receivers, at), expected);
        }
        at += HOLD;
        assert_eq!(tokens(&receivers, at), 0, "never more than was asked for");
    }

    #[test]
    fn it_is_never_slowed_to_nothing_nor_for_another() {
        let (receivers, mut at) = (Receivers::new(Rate::per_second(6_400)), Instant::now());
        for n in 0..20 {
            assert_eq!(receivers.slow("a.example", at), n < HALVINGS_MAX, "{n}");
            at += HOLD;
        }
        receivers.slow("a.example", at);
        assert_eq!(tokens(&receivers, at), 1);
        assert!((0..64).all(|_| receivers.may("b.example", at) == May::Now));
    }

    #[test]
    fn a_halted_receiver_says_why_and_others_go_on() {
        let (receivers, now) = (Receivers::new(Rate::per_second(1)), Instant::now());
        assert!(receivers.halt("a.example", "550 5.7.26", now));
        assert!(!receivers.halt("a.example", "another", now));
        assert_eq!(receivers.may("a.example", now), May::Never("550 5.7.26".into()));
        assert_eq!(receivers.may("b.example", now), May::Now);
        assert_eq!(receivers.all_halted(), [("a.example".to_owned(), "550 5.7.26".to_owned())]);
    }
}
