//! What can be known of a mail server without a message: it is connected to,
//! greeted, encrypted and logged in to as for sending, and left again.
//!
//! How long its certificates are good for is asked of the same verifier that
//! judges them now, with days to come in place of today. So an authority
//! between it and the root that ends earlier counts too.

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::send::link::Link;
use crate::send::relay::{Fault, ask, roots};
use crate::send::{Deadlines, Relay};

/// Days ahead that are looked at: no public certificate lasts longer.
const DAYS_MAX: u64 = 825;
const DAY_S: u64 = 24 * 60 * 60;

/// A mail server that let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whole days for which its certificates are good; `None` without TLS.
    pub days_left: Option<u64>,
    /// Whether a user logged in.
    pub logged_in: bool,
}

impl Relay {
    /// Whether it is this machine itself.
    pub fn is_local(&self) -> bool {
        let address = self.host().parse::<std::net::IpAddr>();
        self.host() == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Goes as far as a message could be begun, at a time in milliseconds since
    /// 1970, and waits for all of it no longer than this.
    ///
    /// # Errors
    /// No message could be begun, and why.
    pub async fn probe(self, wait: Duration, now_ms: i64) -> Result<Probe, Fault> {
        let relay = self.with_deadlines(Deadlines { connect: wait, ..Deadlines::default() });
        let (mut link, _) = relay.open_in_time().await?;
        let days_left = relay.days_left(&link, now_ms).map_err(Fault::Tls)?;
        // Whatever the answer, it was the last.
        let _ = tokio::time::timeout(wait, ask(&mut link, "QUIT")).await;
        Ok(Probe { days_left, logged_in: relay.has_login() })
    }

    fn days_left(&self, link: &Link, now_ms: i64) -> Result<Option<u64>, String> {
        let Some((own, between)) = link.certificates().split_first() else { return Ok(None) };
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots()?), provider).build();
        let verifier = verifier.map_err(|e| e.to_string())?;
        let name = ServerName::try_from(self.host()).map_err(|e| e.to_string())?;
        let now_s = u64::try_from(now_ms / 1000).unwrap_or_default();
        Ok(Some(days(|days| is_good(&verifier, own, between, &name, now_s + days * DAY_S))))
    }
}

fn is_good(
    verifier: &WebPkiServerVerifier,
    own: &CertificateDer<'_>,
    between: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    at_s: u64,
) -> bool {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at_s));
    verifier.verify_server_cert(own, between, name, &[], at).is_ok()
}

/// The last day ahead on which something that ends once still holds.
fn days(holds: impl Fn(u64) -> bool) -> u64 {
    let (mut good, mut bad) = (0, DAYS_MAX + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if holds(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_good_day_is_found() {
        for last in [0, 1, 20, 89, 90, 824, 825] {
            assert_eq!(days(|day| day <= last), last);
        }
        assert_eq!(days(|_| true), DAYS_MAX);
    }
}
