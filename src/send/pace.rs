//! How fast: so many messages in all, and so many to one recipient domain.
//!
//! Each limit is a leaky bucket (GCRA, by governor) whose burst is a few
//! milliseconds' worth, so that the mean is the rate that was asked for
//! (measured: with a burst of one, 2,000/s delivers 1,629/s) and a second never
//! sees much more than the rate.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::{Rate, Smtp};
use crate::send::share::{Share, Shared};

/// How long a pause the burst makes good for.
const BURST: Duration = Duration::from_millis(10);

/// Both limits; clones share them.
#[derive(Clone, Debug)]
pub struct Pace {
    total: Arc<Shared>,
    domain: Arc<DefaultKeyedRateLimiter<String>>,
}

impl Pace {
    /// The limits of a configuration.
    pub fn new(smtp: &Smtp) -> Self {
        Self::shared(smtp, Share::default())
    }

    /// This process's share of them.
    pub fn shared(smtp: &Smtp, share: Share) -> Self {
        Self {
            total: Arc::new(Shared::new(smtp.rate, share)),
            domain: Arc::new(RateLimiter::keyed(quota(smtp.rate_per_domain))),
        }
    }

    /// Takes a token for a domain, if there is one now.
    pub(in crate::send) fn domain_now(&self, domain: &str) -> bool {
        self.domain.check_key(&domain.to_owned()).is_ok()
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

pub(in crate::send) fn quota(rate: Rate) -> Quota {
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
        let pace = Pace::new(&smtp);
        assert!(pace.domain_now("a.example"));
        assert!(!pace.domain_now("a.example"));
        assert!(pace.domain_now("b.example"));
    }
}
