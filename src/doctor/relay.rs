//! The mail servers: each lets us in as for sending, under a certificate that
//! stays good for a while.

use std::time::Duration;

use crate::send::{Fault, Probe, Relay};

use super::{Level, Line};

const CHECK: &str = "relay";
/// Days before a certificate's end at which its renewal is overdue: authorities
/// ask for it 30 days before.
const DAYS_MIN: u64 = 21;

pub(super) async fn examine(relays: Vec<Relay>, wait: Duration, now_ms: i64) -> Vec<Line> {
    let mut lines = Vec::with_capacity(relays.len());
    for relay in relays {
        let (asked, is_local) = (format!("{relay}"), relay.is_local());
        lines.push(judge(asked, is_local, relay.probe(wait, now_ms).await));
    }
    lines
}

fn judge(asked: String, is_local: bool, probed: Result<Probe, Fault>) -> Line {
    let Probe { days_left, logged_in } = match probed {
        Ok(probe) => probe,
        Err(fault) => {
            let now = match &fault {
                Fault::Unreachable(_) => "see that it runs, and that smtp.url or [[smtp.relay]] names it",
                Fault::Refused(_) => "ask its operator why; smtp.hello is the name that it was told",
                Fault::Tls(_) => {
                    "smtps:// is for a port that speaks TLS from the first byte (465), smtp://…?tls=required for one with STARTTLS (587, 25); url names the host as its certificate has it; this machine's clock and root certificates judge it"
                }
                Fault::Login(_) => "mend the user and password in url, or the token's file",
            };
            return Line::not(Level::Fail, CHECK, asked, fault.to_string(), now);
        }
    };
    let login = if logged_in { ", logged in" } else { "" };
    match days_left {
        Some(days) if days < DAYS_MIN => {
            let found = format!("TLS{login}, and its certificate ends in {days} days");
            Line::not(Level::Warn, CHECK, asked, found, "let its operator renew it")
        }
        Some(days) => Line::ok(CHECK, asked, format!("TLS{login}, its certificate good for {days} days")),
        None if is_local => Line::ok(CHECK, asked, "no TLS, on this machine"),
        None => {
            let now = "write smtps://, or add ?tls=required";
            Line::not(Level::Warn, CHECK, asked, "no TLS: messages travel there in clear", now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_near_its_end_and_mail_in_clear_warn() {
        let level = |days_left, is_local| {
            judge("mail.example:25".into(), is_local, Ok(Probe { days_left, logged_in: false })).level
        };
        assert_eq!([level(Some(20), false), level(Some(21), false)], [Level::Warn, Level::Ok]);
        assert_eq!([level(None, false), level(None, true)], [Level::Warn, Level::Ok]);
    }
}
