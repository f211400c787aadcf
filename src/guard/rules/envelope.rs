//! `envelope`: exactly one recipient, everywhere the same, and headers that are
//! what RFC 5322 allows. Read from the bytes by its own few lines, so that a
//! parser's leniency cannot hide a second recipient.

use crate::account::Record;
use crate::address::Address;
use crate::guard::finding::Rule;
use crate::guard::judge::Candidate;
use crate::guard::rules::{Case, link_token};

/// Headers that must stand exactly once (RFC 5322 §3.6; From of one author).
const ONCE: [&str; 5] = ["from", "to", "subject", "date", "message-id"];
/// Headers that carry further recipients, or those of another message.
const NEVER: [&str; 2] = ["cc", "bcc"];

/// Judges envelope and address headers.
pub fn judge(case: &mut Case<'_>, candidate: &Candidate<'_>, record: Option<&Record>) {
    link_token::sender(case, candidate.sender);
    let mut wrong = |place: &str, what: &str| case.find(Rule::Envelope, None, place, what.to_owned(), None);
    let [recipient] = candidate.recipients else {
        wrong("envelope", &format!("{} recipients instead of one", candidate.recipients.len()));
        return;
    };
    match record {
        None => wrong("directory", "the directory has no such account"),
        Some(record) if record.account != *candidate.account => wrong("directory", "the record is another account's"),
        Some(record) if record.address != *recipient => wrong("envelope", "the recipient is not the account's address"),
        Some(_) => {}
    }
    let head = head(candidate.bytes);
    for (line, what) in head_faults(head) {
        wrong(&format!("header line {line}"), what);
    }
    let headers = unfold(head);
    for (name, _) in &headers {
        if NEVER.contains(&name.as_str()) || name.starts_with("resent-") {
            wrong(&format!("header {name}"), "no message has further recipients");
        }
    }
    for name in ONCE {
        let count = headers.iter().filter(|(header, _)| header == name).count();
        if count != 1 {
            wrong(&format!("header {name}"), &format!("it stands {count} times instead of once"));
        }
    }
    for (_, value) in headers.iter().filter(|(name, _)| name == "to") {
        if to_address(value).as_ref() != Some(recipient) {
            wrong("header to", "it is not exactly the recipient");
        }
    }
}

fn head(bytes: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 2);
    &bytes[..end]
}

/// Bare CR or LF, and control characters but the tab.
fn head_faults(head: &[u8]) -> Vec<(usize, &'static str)> {
    let mut faults = Vec::new();
    let is_control = |b: &u8| (*b < 0x20 && *b != b'\t') || *b == 0x7f;
    // Mostly there are none but those of the line ends.
    if head.iter().filter(|b| is_control(b)).count() == 2 * memchr::memmem::find_iter(head, b"\r\n").count() {
        return faults;
    }
    for (n, line) in head.split_inclusive(|b| *b == b'\n').enumerate() {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        if text.iter().any(|b| matches!(b, b'\r' | b'\n')) {
            faults.push((n + 1, "a bare CR or LF"));
        } else if text.iter().any(is_control) {
            faults.push((n + 1, "a control character"));
        }
    }
    faults
}

/// Names in lower case, and values in one line.
fn unfold(head: &[u8]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(head).lines() {
        match (line.starts_with([' ', '\t']), headers.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => value.push_str(line),
            (_, _, Some((name, value))) => headers.push((name.trim().to_ascii_lowercase(), value.to_owned())),
            _ => {}
        }
    }
    headers
}

/// The one address of a To header; `None` when there is none, or more.
fn to_address(value: &str) -> Option<Address> {
    let value = value.trim();
    let (name, address) = match value.strip_suffix('>').and_then(|value| value.rsplit_once('<')) {
        Some((name, address)) => (name, address),
        None => ("", value),
    };
    // A second address before the angle bracket, in whatever form.
    if name.contains(['@', '<', '>', ',', ';', ':']) {
        return None;
    }
    Address::parse(address).ok()
}
