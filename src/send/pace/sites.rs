//! Who takes the mail of a domain, by its MX records: customers' own domains are
//! mostly hosted by few providers, and each of those counts what it gets of all.
//!
//! A domain is asked for when its first message is next; the message waits aside for
//! the answer. What is known is kept while messages of the domain are under way, so that
//! a message's place goes back to the receiver that it was taken from. Without an answer
//! a domain is a receiver by itself for [`REST`], and after [`FAILURES_MAX`] questions in
//! a row without one nobody is asked for as long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::config;
use crate::dns::{Dns, Unanswered, site};
use crate::telemetry::event;

/// Questions put to the DNS at once.
const AT_ONCE: usize = 64;
/// Domains of which nothing is under way, before they are forgotten.
const KNOWN_MAX: usize = 65_536;
/// Questions in a row without an answer, before it is rested.
const FAILURES_MAX: u32 = 8;
/// How long nobody is asked then.
const REST: Duration = Duration::from_secs(30);

/// Who takes the mail of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taker {
    /// A `[[receiver]]` table, by its place.
    Row(usize),
    /// An MX site: the provider's domain.
    Site(Arc<str>),
    /// The domain is one by itself.
    Itself,
}

/// The takers that the DNS tells.
#[derive(Clone, Debug)]
pub(super) struct Sites {
    /// By mail server, or a domain above it: the place of its table.
    rows: Arc<HashMap<String, usize>>,
    dns: Option<Dns>,
    at_once: Arc<Semaphore>,
    met: Arc<Mutex<Met>>,
}

#[derive(Debug, Default)]
struct Met {
    domains: HashMap<String, Domain>,
    /// Questions in a row without an answer.
    failures: u32,
    /// Until when nobody is asked.
    rests: Option<Instant>,
}

#[derive(Debug, Default)]
struct Domain {
    /// `None` while it is asked for.
    taker: Option<Taker>,
    under_way: usize,
    /// When it is asked for again, if it had no answer.
    again: Option<Instant>,
}

impl Domain {
    /// Whether it is to be asked for: not while its messages have a place elsewhere.
    fn is_open(&self, now: Instant) -> bool {
        self.under_way == 0 && self.again.is_some_and(|again| now >= again)
    }
}

impl Sites {
    pub fn new(table: &[config::Receiver], dns: Option<Dns>) -> Self {
        let rows = table.iter().enumerate();
        let rows = rows.flat_map(|(n, row)| row.mx.iter().map(move |host| (host.clone(), n))).collect();
        Self { rows: Arc::new(rows), dns, at_once: Arc::new(Semaphore::new(AT_ONCE)), met: Arc::default() }
    }

    /// Who takes a domain's mail; `None` while the DNS is asked.
    pub fn taker(&self, domain: &str, now: Instant) -> Option<Taker> {
        let Some(dns) = &self.dns else { return Some(Taker::Itself) };
        let mut met = self.met();
        if let Some(known) = met.domains.get(domain).filter(|known| !known.is_open(now)) {
            return known.taker.clone();
        }
        met.forget();
        if met.rests_at(now) {
            let again = met.rests;
            met.domains.insert(domain.to_owned(), Domain { taker: Some(Taker::Itself), under_way: 0, again });
            return Some(Taker::Itself);
        }
        met.domains.insert(domain.to_owned(), Domain::default());
        drop(met);
        let (sites, dns, domain) = (self.clone(), dns.clone(), domain.to_owned());
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _permit = sites.at_once.acquire().await;
            let found = dns.exchange(&domain).await;
            sites.answer(&domain, found, Instant::now());
        });
        None
    }

    /// Who was found to take a domain's mail; itself where that is not known.
    pub fn known(&self, domain: &str) -> Taker {
        if self.dns.is_none() {
            return Taker::Itself;
        }
        self.met().domains.get(domain).and_then(|known| known.taker.clone()).unwrap_or(Taker::Itself)
    }

    /// A message of a domain is under way.
    pub fn begin(&self, domain: &str) {
        if let Some(known) = self.met().domains.get_mut(domain) {
            known.under_way += 1;
        }
    }

    /// It is not any more.
    pub fn end(&self, domain: &str) {
        if let Some(known) = self.met().domains.get_mut(domain) {
            known.under_way = known.under_way.saturating_sub(1);
        }
    }

    /// Notes what the DNS said: the mail server of a domain that goes first, if it has one.
    fn answer(&self, domain: &str, found: Result<Option<String>, Unanswered>, now: Instant) {
        let mut met = self.met();
        let (taker, again) = match found {
            Ok(host) => {
                met.failures = 0;
                (host.map_or(Taker::Itself, |host| self.of(&host)), None)
            }
            Err(why) => {
                met.failures += 1;
                // What was asked before the rest began ends in it.
                if met.failures >= FAILURES_MAX && !met.rests_at(now) {
                    (met.failures, met.rests) = (0, Some(now + REST));
                    event::dns_rests(&why, REST);
                }
                (Taker::Itself, Some(now + REST))
            }
        };
        if let Some(domain) = met.domains.get_mut(domain) {
            (domain.taker, domain.again) = (Some(taker), again);
        }
    }

    /// Whose a mail server is.
    fn of(&self, host: &str) -> Taker {
        let above = host.match_indices('.').map(|(at, dot)| &host[at + dot.len()..]);
        let row = std::iter::once(host).chain(above).find_map(|host| self.rows.get(host));
        row.map_or_else(|| Taker::Site(site(host).into()), |row| Taker::Row(*row))
    }

    /// A poisoned lock's list is whole: nothing is done under it that can panic.
    fn met(&self) -> MutexGuard<'_, Met> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    fn rests_at(&self, now: Instant) -> bool {
        self.rests.is_some_and(|until| now < until)
    }

    fn forget(&mut self) {
        if self.domains.len() >= KNOWN_MAX {
            self.domains.retain(|_, domain| domain.under_way > 0 || domain.taker.is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Resolver;

    /// Nobody is asked: answers are given by hand.
    fn sites(mx: &[&str]) -> Sites {
        let row = config::Receiver {
            name: "big".into(),
            domains: Vec::new(),
            mx: mx.iter().map(|host| (*host).to_owned()).collect(),
            rate: None,
            connections: None,
        };
        let nobody = Resolver::At("127.0.0.1:9".parse().unwrap());
        Sites::new(&[row], Some(Dns::new(nobody, Duration::from_secs(1)).unwrap()))
    }

    fn met(sites: &Sites, domain: &str, found: Result<Option<&str>, Unanswered>) -> Taker {
        sites.met().domains.entry(domain.into()).or_default();
        sites.answer(domain, found.map(|host| host.map(str::to_owned)), Instant::now());
        sites.known(domain)
    }

    #[test]
    fn domains_of_one_provider_have_one_taker() {
        let sites = sites(&["mail.protection.big.example", "mx.small.co.jp"]);
        let site = |domain: &str| Taker::Site(domain.into());
        for (host, expected) in [
            ("aspmx.l.provider.test", site("provider.test")),
            ("alt1.aspmx.l.provider.test", site("provider.test")),
            ("mx.hoster.co.jp", site("hoster.co.jp")),
            ("hoster.co.jp", site("hoster.co.jp")),
            ("a-example.mail.protection.big.example", Taker::Row(0)),
            ("mail.protection.big.example", Taker::Row(0)),
            ("xmail.protection.big.example", site("big.example")),
            ("mx.small.co.jp", Taker::Row(0)),
            ("mx2.small.co.jp", site("small.co.jp")),
        ] {
            assert_eq!(met(&sites, host, Ok(Some(host))), expected, "{host}");
        }
        assert_eq!(met(&sites, "none.example", Ok(None)), Taker::Itself);
        assert_eq!(sites.known("never-asked.example"), Taker::Itself);
    }

    #[tokio::test]
    async fn without_answers_nobody_is_asked_for_a_while() {
        let (sites, now) = (sites(&[]), Instant::now());
        let late = || Err(Unanswered::default());
        for n in 0..FAILURES_MAX - 1 {
            assert_eq!(met(&sites, &format!("d{n}.example"), late()), Taker::Itself);
        }
        assert_eq!(sites.taker("a.example", now), None, "one more is asked for");
        met(&sites, "a.example", late());
        assert_eq!(sites.taker("b.example", now), Some(Taker::Itself), "it rests");
        let later = now + REST + Duration::from_secs(1);
        assert_eq!(sites.taker("c.example", later), None);
        sites.begin("b.example");
        assert_eq!(sites.taker("b.example", later), Some(Taker::Itself), "its messages have a place");
        sites.end("b.example");
        assert_eq!([sites.taker("b.example", later), sites.taker("d0.example", later)], [None, None]);
        assert_eq!(met(&sites, "b.example", Ok(Some("mx.a.test"))), Taker::Site("a.test".into()));
    }

    #[test]
    fn what_is_under_way_is_not_forgotten() {
        let sites = sites(&[]);
        met(&sites, "under-way.example", Ok(Some("mx.a.test")));
        sites.begin("under-way.example");
        for n in 0..KNOWN_MAX {
            met(&sites, &format!("d{n}.example"), Ok(Some("mx.b.test")));
        }
        sites.met().forget();
        assert_eq!(sites.met().domains.len(), 1);
        assert_eq!(sites.known("under-way.example"), Taker::Site("a.test".into()));
        sites.end("under-way.example");
        assert_eq!(sites.met().domains["under-way.example"].under_way, 0);
    }
}
