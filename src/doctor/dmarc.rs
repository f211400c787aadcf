//! DMARC (RFC 9989): one record for From, and a domain that signs or an envelope
//! sender that is aligned with it.
//!
//! A receiver lets a message pass when either is aligned and verified. One alone
//! is weak: a forwarder breaks SPF, a footer breaks DKIM. So what is not aligned
//! warns while the other is, and fails when neither is.

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::dmarc::{Alignment, Dmarc, Policy, Psd};

use crate::dns::{Dns, Unanswered};
use crate::render::Signer;

use super::{Level, Line};

const CHECK: &str = "dmarc";
/// Labels at which a walk goes on below a long name (§4.10).
const LABELS_MAX: usize = 7;

pub(super) async fn examine(dns: &Dns, from: &str, return_path: &str, signers: &[Signer]) -> Vec<Line> {
    let asked = format!("TXT _dmarc.{from}");
    let found = match Found::of(dns, from).await {
        Ok(found) => found,
        Err(why) => return vec![Line::unanswered(CHECK, asked, &why)],
    };
    if let Some((name, count)) = found.several {
        let found = format!("{count} records v=DMARC1 at _dmarc.{name}, where one is allowed: receivers take none");
        return vec![Line::not(Level::Fail, CHECK, asked, found, "take all but one away")];
    }
    let Some((at, dmarc)) = found.policy(from) else {
        let now = format!("publish one at _dmarc.{from}, to begin with: v=DMARC1; p=none; rua=mailto:ADDRESS");
        return vec![Line::not(Level::Fail, CHECK, asked, "no record that can be read, there or above", now)];
    };
    let (policy, adkim, aspf) = (word(dmarc.p), dmarc.adkim, dmarc.aspf);
    let mut lines = vec![Line::ok(CHECK, asked, format!("p={policy} at _dmarc.{at}"))];
    let mut signing: Vec<&str> = signers.iter().map(Signer::domain).collect();
    signing.dedup();
    let aligned = async {
        let dkim = any_aligned(dns, from, &found, &signing, adkim).await?;
        Ok((dkim, any_aligned(dns, from, &found, &[return_path], aspf).await?))
    };
    match aligned.await {
        Ok((dkim, spf)) => {
            lines.push(alignment(from, "DKIM's d", &signing.join(", "), adkim, dkim, spf));
            lines.push(alignment(from, "the envelope sender's domain", return_path, aspf, spf, dkim));
        }
        Err(why) => lines.push(Line::unanswered(CHECK, format!("what is aligned with {from}"), &why)),
    }
    lines
}

fn alignment(from: &str, what: &str, domain: &str, mode: Alignment, is_aligned: bool, is_other: bool) -> Line {
    let mode = if mode == Alignment::Strict { "strict" } else { "relaxed" };
    let asked = format!("whether {what} is aligned with {from} ({mode})");
    let domain = if domain.is_empty() { "nobody signs" } else { domain };
    if is_aligned {
        return Line::ok(CHECK, asked, domain);
    }
    let level = if is_other { Level::Warn } else { Level::Fail };
    let now = if what.starts_with("DKIM") {
        format!("sign with a key of {from}: a [[dkim]] table with domain = \"{from}\"")
    } else {
        format!("let the campaign's bounce address, by default that of from, be one of {from}")
    };
    Line::not(level, CHECK, asked, format!("{domain}: not aligned"), now)
}

async fn any_aligned(
    dns: &Dns,
    from: &str,
    found: &Found,
    domains: &[&str],
    mode: Alignment,
) -> Result<bool, Unanswered> {
    for domain in domains {
        let is_aligned = *domain == from
            || mode == Alignment::Relaxed
                && Found::of(dns, domain).await?.organisation(domain) == found.organisation(from);
        if is_aligned {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The records from a domain upwards (the tree walk of §4.10).
struct Found {
    /// Each with its domain, the longest first.
    records: Vec<(String, Dmarc)>,
    /// Where there is more than one, and how many.
    several: Option<(String, usize)>,
}

impl Found {
    async fn of(dns: &Dns, domain: &str) -> Result<Self, Unanswered> {
        let mut found = Self { records: Vec::new(), several: None };
        for at in walk(domain) {
            let records = dns.txt(&format!("_dmarc.{at}")).await?;
            let records: Vec<_> = records.into_iter().filter(|text| is_dmarc(text)).collect();
            match &records[..] {
                [] => {}
                [record] => {
                    let Ok(dmarc) = Dmarc::parse(record.as_bytes()) else { continue };
                    let is_end = dmarc.psd != Psd::Default;
                    found.records.push((at.to_owned(), dmarc));
                    if is_end {
                        break;
                    }
                }
                more => found.several = found.several.or(Some((at.to_owned(), more.len()))),
            }
        }
        Ok(found)
    }

    /// The domain that a domain's owner registered (§4.10.2).
    fn organisation<'a>(&'a self, domain: &'a str) -> &'a str {
        let Some((at, dmarc)) = self.records.last() else { return domain };
        if dmarc.psd != Psd::Yes || at == domain {
            return at;
        }
        // One label below a registry's own record.
        let below = domain.len() - at.len() - 1;
        domain[..below].rfind('.').map_or(domain, |dot| &domain[dot + 1..])
    }

    /// The record that holds for a domain, and where it stands.
    fn policy(&self, domain: &str) -> Option<(&str, &Dmarc)> {
        let at = |wanted: &str| self.records.iter().find(|(at, _)| at == wanted);
        let found = at(domain).or_else(|| at(self.organisation(domain))).or(self.records.last());
        found.map(|(at, dmarc)| (at.as_str(), dmarc))
    }
}

/// A domain and those above it.
fn walk(domain: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = std::iter::once(0).chain(domain.match_indices('.').map(|(dot, _)| dot + 1)).collect();
    let labels = starts.len();
    let far = labels.saturating_sub(LABELS_MAX).max(1);
    std::iter::once(domain).chain(starts.into_iter().skip(far).map(|start| &domain[start..]))
}

fn is_dmarc(text: &str) -> bool {
    let tag = text.split(';').next().unwrap_or_default();
    tag.split_once('=').is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
}

fn word(policy: Policy) -> &'static str {
    match policy {
        Policy::Quarantine => "quarantine",
        Policy::Reject => "reject",
        Policy::None | Policy::Unspecified => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_up_and_skips_the_middle_of_a_long_name() {
        assert_eq!(walk("a.b.example").collect::<Vec<_>>(), ["a.b.example", "b.example", "example"]);
        assert_eq!(walk("example").collect::<Vec<_>>(), ["example"]);
        let long: Vec<_> = walk("1.2.3.4.5.6.7.8.9.example").collect();
        assert_eq!(long[..2], ["1.2.3.4.5.6.7.8.9.example", "4.5.6.7.8.9.example"]);
        assert_eq!(long.len(), 8);
        assert_eq!(walk("1.2.3.4.5.6.7.example").nth(1), Some("2.3.4.5.6.7.example"));
    }

    #[test]
    fn the_organisation_is_where_the_walk_ends() {
        let found = |records: &[(&str, &str)]| Found {
            records: records
                .iter()
                .map(|(at, text)| (at.to_string(), Dmarc::parse(text.as_bytes()).unwrap()))
                .collect(),
            several: None,
        };
        let domain = "a.b.registrar.example";
        assert_eq!(found(&[]).organisation(domain), domain);
        let both = found(&[(domain, "v=DMARC1; p=none"), ("registrar.example", "v=DMARC1; p=reject")]);
        assert_eq!(both.organisation(domain), "registrar.example");
        assert_eq!(both.policy(domain).unwrap().0, domain);
        assert_eq!(both.policy("c.registrar.example").unwrap().0, "registrar.example");
        let registry = found(&[("example", "v=DMARC1; p=none; psd=y")]);
        assert_eq!(registry.organisation(domain), "registrar.example");
        assert_eq!(found(&[("b.registrar.example", "v=DMARC1; psd=n")]).organisation(domain), "b.registrar.example");
    }
}
