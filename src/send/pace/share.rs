//! A rate of which this process has a share, because others send beside it.
//!
//! The share is asked for at every token; where it has changed, the limit begins
//! anew, with a burst of a few milliseconds' worth.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, RateLimiter};

use super::quota;
use crate::units::Rate;

/// How long it is waited before a share of nothing is asked for again.
const NOTHING: Duration = Duration::from_millis(50);

/// How much of every rate is this process's now: 1 is all of it, 0 nothing.
#[derive(Clone)]
pub struct Share(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Share {
    /// What `share` says; it must not wait.
    pub fn new(share: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(share))
    }

    /// The share now.
    pub(in crate::send) fn now(&self) -> f64 {
        (self.0)().clamp(0.0, 1.0)
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::new(|| 1.0)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({})", self.now())
    }
}

/// A part of a rate; `None` for nothing.
pub(in crate::send) fn part(rate: Rate, share: f64) -> Option<Rate> {
    let per = Duration::try_from_secs_f64(rate.per.as_secs_f64() / share).ok()?;
    Some(Rate { per, ..rate })
}

/// A limit on this process's share of a rate.
#[derive(Debug)]
pub(in crate::send) struct Shared {
    rate: Rate,
    share: Share,
    /// For which share, and the limit then.
    limiter: Mutex<(f64, Option<Arc<DefaultDirectRateLimiter>>)>,
}

impl Shared {
    pub fn new(rate: Rate, share: Share) -> Self {
        Self { rate, share, limiter: Mutex::new((0.0, None)) }
    }

    /// The same share of another rate.
    pub fn at(&self, rate: Rate) -> Self {
        Self::new(rate, self.share.clone())
    }

    fn limiter(&self) -> Option<Arc<DefaultDirectRateLimiter>> {
        let share = self.share.now();
        let mut last = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != share {
            *last = (share, part(self.rate, share).map(|rate| Arc::new(RateLimiter::direct(quota(rate)))));
        }
        last.1.clone()
    }

    /// Takes a token, if there is one now.
    pub fn now(&self) -> bool {
        self.limiter().is_some_and(|limiter| limiter.check().is_ok())
    }

    /// Waits for a token.
    pub async fn wait(&self) {
        loop {
            match self.limiter() {
                Some(limiter) => return limiter.until_ready().await,
                None => tokio::time::sleep(NOTHING).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn tokens(shared: &Shared) -> usize {
        (0..1_000).take_while(|_| shared.now()).count()
    }

    #[test]
    fn a_limit_follows_its_share() {
        let percent = Arc::new(AtomicU32::new(100));
        let asked = percent.clone();
        let share = Share::new(move || f64::from(asked.load(Ordering::SeqCst)) / 100.0);
        // The burst is 10 ms worth of the rate.
        let shared = Shared::new(Rate::per_second(6_400), share);
        assert!((64..80).contains(&tokens(&shared)));
        percent.store(25, Ordering::SeqCst);
        assert!((16..24).contains(&tokens(&shared)));
        percent.store(0, Ordering::SeqCst);
        assert_eq!(tokens(&shared), 0);
    }
}
