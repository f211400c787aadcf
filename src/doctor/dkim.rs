//! DKIM (RFC 6376): for each key that signs, the record with its public half.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::dns::Dns;
use crate::render::Signer;

use super::{Level, Line};

const CHECK: &str = "dkim";

pub(super) async fn examine(dns: &Dns, signers: &[Signer], mut lines: Vec<Line>) -> Vec<Line> {
    if signers.is_empty() && lines.is_empty() {
        let now = "add a [[dkim]] table; if your mail server signs, see there that it does";
        return vec![Line::not(Level::Warn, CHECK, "who signs", "nobody: there is no [[dkim]] table", now)];
    }
    for signer in signers {
        lines.push(one(dns, signer).await);
    }
    lines
}

async fn one(dns: &Dns, signer: &Signer) -> Line {
    let name = signer.record_name();
    let asked = format!("TXT {name}");
    let records = match dns.txt(&name).await {
        Ok(records) => records,
        Err(why) => return Line::unanswered(CHECK, asked, &why),
    };
    match judge(&records, signer) {
        Ok(found) => Line::ok(CHECK, asked, found),
        Err((Level::Warn, found)) => {
            Line::not(Level::Warn, CHECK, asked, found, "take t=y out when you have seen that it verifies")
        }
        Err((level, found)) => Line::not(level, CHECK, asked, found, format!("publish there: {}", signer.record())),
    }
}

/// What is found in the records of a key's name, and how bad it is.
fn judge(records: &[String], signer: &Signer) -> Result<String, (Level, String)> {
    let fail = |found: String| Err((Level::Fail, found));
    let record = match records {
        [] => return fail("no record".into()),
        [record] => record,
        more => return fail(format!("{} records, where one is allowed", more.len())),
    };
    let tag = |wanted: &str| {
        let tags = record.split(';').filter_map(|tag| tag.split_once('='));
        tags.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    let lists = |value: &str, word: &str| value.split(':').any(|one| one.trim() == word);
    if tag("v").is_some_and(|version| version != "DKIM1") {
        return fail(format!("it is no record v=DKIM1: {record}"));
    }
    let public: String = match tag("p") {
        None => return fail(format!("it has no public key: {record}")),
        Some("") => return fail("the key is revoked (p= is empty)".into()),
        Some(public) => public.split_ascii_whitespace().collect(),
    };
    let kind = tag("k").unwrap_or("rsa");
    if kind != signer.key_type() {
        return fail(format!("it is for a key of kind {kind}, and this one is {}", signer.key_type()));
    }
    if !STANDARD.decode(public).is_ok_and(|public| signer.is_public_key(&public)) {
        return fail("its public key is not that of the private key".into());
    }
    if tag("h").is_some_and(|hashes| !lists(hashes, "sha256")) {
        return fail("it allows no sha256 (h=), which signatures here are made with".into());
    }
    if tag("s").is_some_and(|services| !lists(services, "*") && !lists(services, "email")) {
        return fail("it is not for e-mail (s=)".into());
    }
    if tag("t").is_some_and(|flags| lists(flags, "y")) {
        return Err((Level::Warn, "the key is said to be tried out (t=y): receivers may heed no signature".into()));
    }
    Ok(format!("the public half of its {kind} key"))
}
