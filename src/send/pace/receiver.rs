//! Receivers: who takes the mail of a domain, how fast it may go there now, how
//! many messages may be under way to it, and whether it may have any at all. A
//! `[[receiver]]` table counts domains together; a domain of none is one itself.
//!
//! A receiver that says that we are too fast gets half of its rate: at most one
//! halving in [`HOLD`], because what is under way says the same again, and down
//! to 1/64. Each [`HOLD`] without such a word doubles it, up to what was asked
//! for. One that refuses us as a sender is halted for the rest of the run.
//!
//! A campaign meets as many domains as it has customers. One of which there is
//! nothing to remember, because it would be made anew as it is, is forgotten.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, RateLimiter};

use super::quota;
use super::share::{Share, part};
use super::sites::{Sites, Taker};
use crate::config;
use crate::dns::{self, Dns};
use crate::units::Rate;

/// Halvings at most: 1/64 of the rate.
const HALVINGS_MAX: u32 = 6;
/// How long a rate is kept before it is halved again, or doubled.
const HOLD: Duration = Duration::from_secs(30);
/// Receivers seen before the first is forgotten.
const SEEN_MIN: usize = 4_096;

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
    table: Vec<config::Receiver>,
    /// By domain: its place in the table.
    placed: HashMap<String, usize>,
    sites: Sites,
    share: Share,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// By the table's name, or by domain; the table's names have no dot.
    by_name: HashMap<String, Receiver>,
    /// How many there are when it is looked which can be forgotten.
    most: usize,
}

#[derive(Debug)]
struct Receiver {
    rate: Rate,
    /// This process's share, and what it may do with that.
    share: f64,
    limiter: Option<DefaultDirectRateLimiter>,
    halvings: u32,
    /// When the rate was last changed.
    turned: Instant,
    halted: Option<String>,
    /// Messages at once, and how many there are now.
    most: usize,
    under_way: usize,
    /// When it last got a message.
    used: Instant,
}

impl Receivers {
    pub fn new(rate: Rate, table: &[config::Receiver], share: Share, dns: Option<Dns>) -> Self {
        let placed = table.iter().enumerate();
        let placed = placed.flat_map(|(n, one)| one.domains.iter().map(move |domain| (domain.clone(), n))).collect();
        let seen = Mutex::new(Seen { by_name: HashMap::new(), most: SEEN_MIN });
        Self { rate, table: table.to_vec(), placed, sites: Sites::new(table, dns), share, seen }
    }

    /// What logs call it: a domain of no table, and the site that it has for itself,
    /// may be a customer's own.
    pub fn label(&self, domain: &str) -> String {
        match self.taker(domain) {
            Taker::Site(site) if *site != *dns::site(domain) => site.to_string(),
            Taker::Row(row) => self.table[row].name.clone(),
            Taker::Site(_) | Taker::Itself => "a domain".to_owned(),
        }
    }

    /// Who takes a domain's mail, as far as it is known.
    fn taker(&self, domain: &str) -> Taker {
        self.placed.get(domain).map_or_else(|| self.sites.known(domain), |row| Taker::Row(*row))
    }

    /// What a receiver is remembered by: the name of its table, `mx SITE`, or the domain.
    fn name<'n>(&'n self, taker: &Taker, domain: &'n str) -> Cow<'n, str> {
        match taker {
            Taker::Row(row) => self.table[*row].name.as_str().into(),
            Taker::Site(site) => format!("mx {site}").into(),
            Taker::Itself => domain.into(),
        }
    }

    /// Takes a token and a place, if there are now; [`Receivers::end`] gives the
    /// place back.
    pub fn may(&self, domain: &str, now: Instant) -> May {
        if !self.placed.contains_key(domain) && self.sites.taker(domain, now).is_none() {
            return May::Later;
        }
        let may = self.with(domain, now, |receiver| {
            if let Some(why) = &receiver.halted {
                return May::Never(why.clone());
            }
            receiver.recover(now);
            receiver.fit(self.share.now());
            let is_full = receiver.under_way >= receiver.places();
            if is_full || receiver.limiter.as_ref().is_none_or(|limiter| limiter.check().is_err()) {
                return May::Later;
            }
            receiver.under_way += 1;
            receiver.used = now;
            May::Now
        });
        if may == May::Now {
            self.sites.begin(domain);
        }
        may
    }

    /// A message to this domain is not under way any more.
    pub fn end(&self, domain: &str, now: Instant) {
        self.with(domain, now, |receiver| receiver.under_way = receiver.under_way.saturating_sub(1));
        self.sites.end(domain);
    }

    /// Why a receiver gets nothing more in this run, if so.
    pub fn halted(&self, domain: &str) -> Option<String> {
        let name = self.name(&self.taker(domain), domain).into_owned();
        self.seen().by_name.get(&name).and_then(|receiver| receiver.halted.clone())
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
            seen.by_name.iter().filter_map(|(name, is)| Some((name.clone(), is.halted.clone()?))).collect();
        halted.sort();
        halted
    }

    fn with<T>(&self, domain: &str, now: Instant, act: impl FnOnce(&mut Receiver) -> T) -> T {
        let taker = self.taker(domain);
        let name = self.name(&taker, domain);
        let mut seen = self.seen();
        if let Some(receiver) = seen.by_name.get_mut(&*name) {
            return act(receiver);
        }
        let row = if let Taker::Row(row) = taker { self.table.get(row) } else { None };
        let rate = row.and_then(|row| row.rate).unwrap_or(self.rate);
        let most = row.and_then(|row| row.connections).map_or(usize::MAX, NonZeroUsize::get);
        seen.forget(now);
        act(seen.by_name.entry(name.into_owned()).or_insert(Receiver::new(rate, most, now)))
    }

    /// A poisoned lock's list is whole: nothing is done under it that can panic.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Forgets what need not be remembered, when there is twice as much as the last
    /// time was kept.
    fn forget(&mut self, now: Instant) {
        if self.by_name.len() >= self.most {
            self.by_name.retain(|_, receiver| receiver.is_remembered(now));
            self.most = SEEN_MIN.max(2 * self.by_name.len());
        }
    }
}

impl Receiver {
    fn new(rate: Rate, most: usize, now: Instant) -> Self {
        Self { rate, share: 0.0, limiter: None, halvings: 0, turned: now, halted: None, most, under_way: 0, used: now }
    }

    /// Whether one made anew would be another: with more tokens, too.
    fn is_remembered(&self, now: Instant) -> bool {
        let unused = now.duration_since(self.used);
        // The tokens of a whole period are more than it can hold.
        let is_filled = unused.as_secs_f64() * self.share >= self.rate.per.as_secs_f64();
        let has_none = self.limiter.is_none();
        self.under_way > 0 || self.halvings > 0 || self.halted.is_some() || !(is_filled || has_none)
    }

    /// Takes the share that this process has now.
    fn fit(&mut self, share: f64) {
        if share != self.share {
            self.share = share;
            self.limit();
        }
    }

    /// This process's share of the messages at once, rounded up.
    fn places(&self) -> usize {
        if self.most == usize::MAX { self.most } else { (self.most as f64 * self.share).ceil() as usize }
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
        self.limit();
    }

    fn limit(&mut self) {
        let per = self.rate.per.saturating_mul(1 << self.halvings);
        self.limiter = part(Rate { per, ..self.rate }, self.share).map(|rate| RateLimiter::direct(quota(rate)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_by_one(rate: u32) -> Receivers {
        Receivers::new(Rate::per_second(rate), &[], Share::default(), None)
    }

    fn mail_example(rate: Option<Rate>, connections: Option<usize>) -> Receivers {
        let domains = vec!["a.example".to_owned(), "b.example".to_owned()];
        let connections = connections.and_then(NonZeroUsize::new);
        let row = config::Receiver { name: "mail".into(), domains, mx: Vec::new(), rate, connections };
        Receivers::new(Rate::per_second(1), &[row], Share::default(), None)
    }

    #[test]
    fn domains_of_one_provider_share_its_rate_and_its_fate() {
        let (receivers, now) = (mail_example(Some(Rate::per_second(200)), None), Instant::now());
        let may = |domain| receivers.may(domain, now) == May::Now;
        assert_eq!([may("a.example"), may("b.example"), may("a.example")], [true, true, false]);
        assert_eq!([may("c.example"), may("c.example"), may("d.example")], [true, false, true]);
        assert!(receivers.halt("a.example", "550", now));
        assert_eq!(receivers.halted("b.example").as_deref(), Some("550"));
        assert_eq!(receivers.halted("c.example"), None);
        assert_eq!(receivers.all_halted()[0].0, "mail");
        assert_eq!((receivers.label("b.example"), receivers.label("c.example")), ("mail".into(), "a domain".into()));
    }

    #[test]
    fn no_more_messages_are_under_way_than_a_receiver_takes() {
        let (receivers, now) = (mail_example(Some(Rate::per_second(100_000)), Some(2)), Instant::now());
        let may = |domain| receivers.may(domain, now) == May::Now;
        assert_eq!([may("a.example"), may("b.example"), may("b.example")], [true, true, false]);
        receivers.end("a.example", now);
        assert_eq!([may("b.example"), may("a.example")], [true, false]);
    }

    /// Tokens to be had at once: the burst, 10 ms worth of the rate.
    fn tokens(receivers: &Receivers, now: Instant) -> usize {
        (0..1_000).take_while(|_| receivers.may("a.example", now) == May::Now).count()
    }

    #[test]
    fn a_slowed_receiver_gets_half_and_comes_back_step_by_step() {
        let (receivers, start) = (one_by_one(6_400), Instant::now());
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
        let (receivers, mut at) = (one_by_one(6_400), Instant::now());
        for n in 0..20 {
            assert_eq!(receivers.slow("a.example", at), n < HALVINGS_MAX, "{n}");
            at += HOLD;
        }
        receivers.slow("a.example", at);
        assert_eq!(tokens(&receivers, at), 1);
        assert!((0..64).all(|_| receivers.may("b.example", at) == May::Now));
    }

    #[test]
    fn of_a_receivers_limits_a_process_has_its_share() {
        let row = config::Receiver {
            name: "mail".into(),
            domains: vec!["a.example".into()],
            mx: Vec::new(),
            rate: Some(Rate::per_second(6_400)),
            connections: NonZeroUsize::new(40),
        };
        let (quarter, now) = (Share::new(|| 0.25), Instant::now());
        assert_eq!(tokens(&Receivers::new(Rate::per_second(1), std::slice::from_ref(&row), quarter, None), now), 10);
        let row = config::Receiver { connections: None, ..row };
        let of = |share: f64| {
            Receivers::new(Rate::per_second(1), std::slice::from_ref(&row), Share::new(move || share), None)
        };
        assert!((16..20).contains(&tokens(&of(0.25), now)));
        assert_eq!(tokens(&of(0.0), now), 0);
    }

    #[test]
    fn what_would_be_made_anew_as_it_is_is_forgotten_and_nothing_else() {
        let (receivers, start) = (one_by_one(1), Instant::now());
        assert!(receivers.halt("halted.example", "550", start));
        assert!(receivers.slow("slowed.example", start));
        assert_eq!(receivers.may("under-way.example", start), May::Now);
        let later = start + Duration::from_millis(2_500);
        let mut at = start;
        for n in 0..100_000 {
            at = start + Duration::from_micros(25 * n);
            let domain = format!("d{n}.example");
            assert_eq!(receivers.may(&domain, at), May::Now);
            receivers.end(&domain, at);
        }
        assert_eq!(receivers.may("d99999.example", later), May::Later, "its token was forgotten");
        // In a second, 40,000 are met whose token is gone.
        let seen = receivers.seen().by_name.len();
        assert!(seen < 85_000, "{seen} domains are remembered");
        for domain in ["halted.example", "slowed.example", "under-way.example"] {
            assert!(receivers.seen().by_name.contains_key(domain), "{domain} was forgotten");
        }
        assert!(at < later);
        let much_later = later + Duration::from_secs(60);
        (0..2 * seen).for_each(|n| drop(receivers.may(&format!("e{n}.example"), much_later)));
        assert!(!receivers.seen().by_name.contains_key("d5.example"));
    }

    #[test]
    fn a_halted_receiver_says_why_and_others_go_on() {
        let (receivers, now) = (one_by_one(1), Instant::now());
        assert!(receivers.halt("a.example", "550 5.7.26", now));
        assert!(!receivers.halt("a.example", "another", now));
        assert_eq!(receivers.may("a.example", now), May::Never("550 5.7.26".into()));
        assert_eq!(receivers.may("b.example", now), May::Now);
        assert_eq!(receivers.all_halted(), [("a.example".to_owned(), "550 5.7.26".to_owned())]);
    }
}
