//! SPF (RFC 7208): one record, that lets our addresses send and nobody else's.
//!
//! The domain that receivers ask is the envelope sender's. Where From has
//! another, its record matters to some filters only: what is wrong there warns.
//! Whether a record lets strangers send is asked of the record itself, with an
//! address that is nobody's: so includes, redirects and the ten look-ups that a
//! record may cost are followed to their end.

use std::net::{IpAddr, Ipv4Addr};

use crate::address::Address;
use crate::dns::Dns;

use super::{Level, Line};

const CHECK: &str = "spf";
/// Reserved (RFC 1112 §4), and no host's.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(240, 0, 0, 1));

pub(super) async fn examine(
    dns: &Dns,
    from: &Address,
    return_path: &Address,
    outgoing: &[IpAddr],
    hello: &str,
) -> Vec<Line> {
    let mut lines = domain(dns, return_path, outgoing, hello).await;
    if from.domain() != return_path.domain() {
        let softer = domain(dns, from, &[], hello).await.into_iter().map(|line| match line.level {
            Level::Fail => Line { level: Level::Warn, ..line },
            _ => line,
        });
        lines.extend(softer);
    }
    if outgoing.is_empty() {
        let asked = "whether the record lets our mail servers send";
        let now = "write the addresses from which your mail servers send into smtp.outgoing";
        lines.push(Line::not(Level::Skip, CHECK, asked, "smtp.outgoing names no address", now));
    }
    lines
}

async fn domain(dns: &Dns, sender: &Address, outgoing: &[IpAddr], hello: &str) -> Vec<Line> {
    let domain = sender.domain();
    let asked = format!("TXT {domain}");
    let fail = |found: String, now: &str| vec![Line::not(Level::Fail, CHECK, asked.clone(), found, now)];
    let records = match dns.txt(domain).await {
        Ok(records) => records.into_iter().filter(|text| is_spf(text)).collect::<Vec<_>>(),
        Err(why) => return vec![Line::unanswered(CHECK, asked, &why)],
    };
    let record = match &records[..] {
        [] => {
            return fail(
                "no record v=spf1".into(),
                "publish one that names your mail servers, as in v=spf1 ip4:ADDRESS -all",
            );
        }
        [record] => record,
        more => {
            let found = format!("{} records v=spf1, where one is allowed: receivers take none", more.len());
            return fail(found, "put their mechanisms into one record, and take the others away");
        }
    };
    let stranger = dns.spf(STRANGER, hello, sender.as_str()).await;
    let mut lines = vec![match stranger {
        "pass" => Line::not(
            Level::Fail,
            CHECK,
            asked,
            format!("it lets anybody send ({STRANGER} passes): {record}"),
            "end it in -all or ~all, and see that nothing before that or included in it lets everybody pass",
        ),
        "fail" | "softfail" => Line::ok(CHECK, asked, record.as_str()),
        "neutral" => Line::not(
            Level::Warn,
            CHECK,
            asked,
            format!("it says nothing about strangers: {record}"),
            "end it in -all or ~all",
        ),
        other => {
            let now = "look for a misspelt mechanism, an include without a record, or more than ten look-ups";
            Line::not(Level::Fail, CHECK, asked, format!("it cannot be followed to its end ({other}): {record}"), now)
        }
    }];
    for address in outgoing {
        let asked = format!("whether {domain} lets {address} send");
        lines.push(match dns.spf(*address, hello, sender.as_str()).await {
            "pass" => Line::ok(CHECK, asked, "pass"),
            other => {
                let now = format!(
                    "add it to the record, or take it out of smtp.outgoing if no mail leaves from it: {record}"
                );
                Line::not(Level::Fail, CHECK, asked, other, now)
            }
        });
    }
    lines
}

/// RFC 7208 §4.5: the version by itself, or a space after it.
fn is_spf(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text == "v=spf1" || text.starts_with("v=spf1 ")
}
