//! One stored file, one line of the `guard check` contract.

use serde::Serialize;

use crate::account::{AccountId, Record};
use crate::address::Address;
use crate::guard::{Candidate, Finding, Judge};

/// What `guard check` says of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The file, as it was named.
    pub file: String,
    /// `cleared` or `held`.
    pub verdict: &'static str,
    /// Every finding.
    pub findings: Vec<Finding>,
}

impl Judged {
    /// Whether the file is cleared.
    pub fn is_cleared(&self) -> bool {
        self.findings.is_empty()
    }

    /// Adds what is found beside other messages.
    pub fn hold(&mut self, finding: Finding) {
        self.verdict = "held";
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Judges one stored message. A file with bare LF throughout, as mail stores
/// keep them, is read as the message that it was on the wire.
pub fn judge_file(
    judge: &Judge<'_>,
    file: &str,
    to: &Address,
    account: &AccountId,
    bytes: &[u8],
    record: Option<&Record>,
) -> Judged {
    let wire;
    let bytes = if bytes.contains(&b'\r') {
        bytes
    } else {
        wire = bytes.split(|b| *b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        &wire
    };
    let recipients = std::slice::from_ref(to);
    let verdict = judge.examine(Candidate { sender: to, recipients, account, bytes }, record);
    let word = if verdict.is_cleared() { "cleared" } else { "held" };
    Judged { file: file.to_owned(), verdict: word, findings: verdict.findings }
}
