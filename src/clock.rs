//! The only source of time. Milliseconds since the Unix epoch, as the store
//! keeps them; a test may hold a fixed or hand-moved clock instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now_ms` until [`Clock::advance`] moves it.
    pub fn fixed(now_ms: i64) -> Self {
        Self { fixed_ms: Some(Arc::new(AtomicI64::new(now_ms))) }
    }

    /// Moves a fixed clock on by `by_ms`; the machine's clock is not moved.
    pub fn advance(&self, by_ms: i64) {
        if let Some(fixed) = &self.fixed_ms {
            fixed.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        match &self.fixed_ms {
            Some(fixed) => fixed.load(Ordering::SeqCst),
            None => jiff::Timestamp::now().as_millisecond(),
        }
    }
}

/// `2026-11-24 10:17:00Z`, for people.
pub fn show(at_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => format!("{at_ms} ms"),
    }
}

/// A `Date` header's value (RFC 5322 §3.3), in UTC.
pub fn rfc5322(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_date_header_has_the_form_of_rfc_5322() {
        assert_eq!(super::rfc5322(1_795_515_420_000), "Tue, 24 Nov 2026 10:17:00 +0000");
    }
}
