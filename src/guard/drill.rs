//! The drill: messages are swapped between recipients in memory, and every swap
//! that shows anything of somebody else must be held.
//!
//! A swap keeps what is right for the receiving account (envelope, To,
//! Message-ID, links) and puts only the content wrong, so that no rule but those
//! about content can save it. Not held and showing nothing identifying is
//! *vacuous*: it proves nothing, and is reported as that. Not held although it
//! shows something is *missed*, and blocks the campaign.

use mail_parser::MessageParser;
use rayon::prelude::*;
use serde::Serialize;

use crate::account::{AccountId, Kind, Record};
use crate::guard::{Candidate, Judge, normal};
use crate::key::Link;
use crate::render::Rendered;

/// One rendered message and its account's record.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    /// The directory's record.
    pub record: &'a Record,
    /// The message that was rendered for it.
    pub message: &'a Rendered,
}

/// A way of swapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The whole content of somebody else's message.
    WholeBody,
    /// The content of the next row's message: a join that is one off.
    RowBelow,
    /// The subject alone.
    Subject,
    /// One value of one column.
    Field,
    /// One link.
    Link,
}

/// How one way fared.
#[derive(Clone, Debug, Serialize)]
pub struct Tally {
    /// The way.
    pub way: Way,
    /// Swapped messages that were judged.
    pub swapped: u64,
    /// Those that were held.
    pub held: u64,
    /// Those that were not held and showed nothing identifying.
    pub vacuous: u64,
}

/// A swap that showed something and was cleared.
#[derive(Clone, Debug, Serialize)]
pub struct Missed {
    /// The way.
    pub way: Way,
    /// Whose message it was.
    pub account: AccountId,
    /// Whose data it showed.
    pub other: AccountId,
}

/// What the drill found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drill {
    /// Swapped messages that were judged.
    pub swapped: u64,
    /// Those that were held.
    pub held: u64,
    /// Those that were not held and showed nothing identifying.
    pub vacuous: u64,
    /// The same by way.
    pub ways: Vec<Tally>,
    /// The first swaps that were missed.
    pub missed: Vec<Missed>,
}

/// Missed swaps that are named.
const MISSED_MAX: usize = 20;

impl Drill {
    /// Whether no swap was missed.
    pub fn passed(&self) -> bool {
        self.missed.is_empty() && self.held + self.vacuous == self.swapped
    }

    /// Whether no swap showed anything: nothing is proven.
    pub fn is_vacuous(&self) -> bool {
        self.swapped == self.vacuous
    }
}

/// What came of one swap.
enum Result {
    Held,
    Vacuous,
    Missed,
}

/// Swaps the samples' messages and judges them. Neighbours in the list are rows
/// below one another; others are half the list apart.
pub fn run(judge: &Judge<'_>, samples: &[Sample<'_>]) -> Drill {
    let contents: Vec<Content> = samples.iter().map(|sample| Content::of(sample.message.bytes())).collect();
    let half = samples.len() / 2;
    let jobs: Vec<(Way, usize, usize)> = (0..samples.len())
        .flat_map(|at| {
            let (below, far) = ((at + 1) % samples.len(), (at + half) % samples.len());
            [(Way::RowBelow, below), (Way::WholeBody, far), (Way::Subject, far), (Way::Field, far), (Way::Link, far)]
                .map(|(way, other)| (way, at, other))
        })
        .filter(|(_, at, other)| samples[*at].record.account != samples[*other].record.account)
        .collect();
    let results: Vec<(Way, usize, usize, Result)> = jobs
        .into_par_iter()
        .map(|(way, at, other)| {
            let swap = Swap {
                judge,
                own: samples[at],
                content: &contents[at],
                other: samples[other],
                others: &contents[other],
            };
            (way, at, other, swap.try_way(way, at))
        })
        .collect();
    let mut drill = Drill::default();
    for way in [Way::WholeBody, Way::RowBelow, Way::Subject, Way::Field, Way::Link] {
        drill.ways.push(Tally { way, swapped: 0, held: 0, vacuous: 0 });
    }
    for (way, at, other, result) in results {
        drill.count(way, &samples[at].record.account, &samples[other].record.account, &result);
    }
    drill
}

impl Drill {
    fn count(&mut self, way: Way, account: &AccountId, other: &AccountId, result: &Result) {
        let tally = self.ways.iter_mut().find(|tally| tally.way == way);
        let (held, vacuous) = match result {
            Result::Held => (1, 0),
            Result::Vacuous => (0, 1),
            Result::Missed => (0, 0),
        };
        if let Some(tally) = tally {
            tally.swapped += 1;
            tally.held += held;
            tally.vacuous += vacuous;
        }
        self.swapped += 1;
        self.held += held;
        self.vacuous += vacuous;
        if matches!(result, Result::Missed) && self.missed.len() < MISSED_MAX {
            self.missed.push(Missed { way, account: account.clone(), other: other.clone() });
        }
    }
}

/// A message taken apart: its headers, and its text parts decoded.
struct Content {
    head: Vec<String>,
    parts: Vec<(&'static str, String)>,
}

impl Content {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let head = text.split_once("\r\n\r\n").map_or(&*text, |(head, _)| head);
        let mut lines: Vec<String> = Vec::new();
        for line in head.split("\r\n") {
            match (line.starts_with([' ', '\t']), lines.last_mut()) {
                (true, Some(last)) => {
                    last.push_str("\r\n");
                    last.push_str(line);
                }
                _ => lines.push(line.to_owned()),
            }
        }
        let mut parts = Vec::new();
        if let Some(message) = MessageParser::default().parse(bytes) {
            for part in message.parts.iter() {
                match &part.body {
                    mail_parser::PartType::Text(text) => parts.push(("text/plain", text.to_string())),
                    mail_parser::PartType::Html(html) => parts.push(("text/html", html.to_string())),
                    _ => {}
                }
            }
        }
        Self { head: lines, parts }
    }

    fn header(&self, name: &str) -> Option<&String> {
        self.head.iter().find(|line| is_named(line, name))
    }

    fn tokens(&self) -> Option<String> {
        self.parts.iter().find_map(|(_, text)| text.find(Link::PREFIX).map(|at| token_at(text, at).to_owned()))
    }

    /// Headers and parts as one message again.
    fn write(&self) -> Vec<u8> {
        use base64::Engine;
        let mut out = String::new();
        for line in self.head.iter().filter(|line| !line.to_ascii_lowercase().starts_with("content-")) {
            out.push_str(line);
            out.push_str("\r\n");
        }
        out.push_str("Content-Type: multipart/alternative; boundary=\"=drill=\"\r\n");
        for (kind, text) in &self.parts {
            out.push_str(&format!(
                "\r\n--=drill=\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            ));
            let encoded = base64::engine::general_purpose::STANDARD.encode(text);
            for line in encoded.as_bytes().chunks(76) {
                out.push_str(&String::from_utf8_lossy(line));
                out.push_str("\r\n");
            }
        }
        out.push_str("--=drill=--\r\n");
        out.into_bytes()
    }
}

fn is_named(line: &str, name: &str) -> bool {
    line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) && line[name.len()..].starts_with(':')
}

fn token_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())]
}

/// Every link token of a text replaced by one.
fn relink(text: &str, token: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(Link::PREFIX) {
        out.push_str(&rest[..at]);
        out.push_str(token);
        rest = &rest[at + token_at(rest, at).len()..];
    }
    out.push_str(rest);
    out
}

/// One pair under one way.
struct Swap<'a, 'j> {
    judge: &'a Judge<'j>,
    own: Sample<'a>,
    content: &'a Content,
    other: Sample<'a>,
    others: &'a Content,
}

impl Swap<'_, '_> {
    fn try_way(&self, way: Way, turn: usize) -> Result {
        let own_parts = || self.content.parts.clone();
        let content = match way {
            Way::WholeBody | Way::RowBelow => {
                let token = self.content.tokens().unwrap_or_default();
                let parts = self.others.parts.iter().map(|(kind, text)| (*kind, relink(text, &token))).collect();
                Content { head: self.content.head.clone(), parts }
            }
            Way::Subject => Content { head: self.with_subject(), parts: own_parts() },
            Way::Field => match self.with_field(turn) {
                Some(parts) => Content { head: self.content.head.clone(), parts },
                None => return Result::Vacuous,
            },
            Way::Link => match self.others.tokens() {
                Some(token) if self.content.tokens().is_some() => {
                    let parts = own_parts().into_iter().map(|(kind, text)| (kind, relink(&text, &token))).collect();
                    let held = self.is_held(&Content { head: self.content.head.clone(), parts });
                    return if held { Result::Held } else { Result::Missed };
                }
                _ => return Result::Vacuous,
            },
        };
        match (self.is_held(&content), self.shows(&content)) {
            (true, _) => Result::Held,
            (false, false) => Result::Vacuous,
            (false, true) => Result::Missed,
        }
    }

    fn with_subject(&self) -> Vec<String> {
        let theirs = self.others.header("Subject").cloned().unwrap_or_default();
        let swap = |line: &String| if is_named(line, "Subject") { theirs.clone() } else { line.clone() };
        self.content.head.iter().map(swap).collect()
    }

    /// One value of the account's own, which its message shows, replaced by the
    /// other's of the same column; the columns take turns.
    fn with_field(&self, turn: usize) -> Option<Vec<(&'static str, String)>> {
        let columns: Vec<(&str, &str)> = self
            .own
            .record
            .fields
            .iter()
            .filter_map(|(name, field)| {
                let theirs = self.other.record.fields.get(name)?.values().next()?;
                let own = field
                    .values()
                    .find(|own| *own != theirs && self.content.parts.iter().any(|(_, text)| text.contains(*own)))?;
                Some((own, theirs))
            })
            .collect();
        let (own, theirs) = columns.get(turn % columns.len().max(1))?;
        Some(self.content.parts.iter().map(|(kind, text)| (*kind, text.replace(own, theirs))).collect())
    }

    fn is_held(&self, content: &Content) -> bool {
        let bytes = content.write();
        let recipients = std::slice::from_ref(self.own.message.recipient());
        let candidate = Candidate {
            sender: self.own.message.sender(),
            recipients,
            account: &self.own.record.account,
            bytes: &bytes,
        };
        !self.judge.examine(candidate, Some(self.own.record)).is_cleared()
    }

    /// Whether a swapped content shows an identifier of the other account that
    /// is neither this account's own nor explained by the campaign.
    fn shows(&self, content: &Content) -> bool {
        let subject = MessageParser::default().parse(&content.write()).and_then(|m| m.subject().map(str::to_owned));
        let mut text: String = content.parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
        text.push_str(subject.as_deref().unwrap_or_default());
        let text = normal::fold(&text);
        let own: Vec<String> = values(self.judge, self.own.record).map(|(_, value)| value).collect();
        values(self.judge, self.other.record).any(|(kind, value)| {
            !own.iter().any(|own| own.contains(&value))
                && stands_in(&text, &value)
                && !self.judge.explains(kind, &value)
        })
    }
}

/// A record's identifiers, folded.
fn values(judge: &Judge<'_>, record: &Record) -> impl Iterator<Item = (Kind, String)> {
    record.fields.iter().flat_map(move |(name, field)| {
        let kind = judge.kind_of(name);
        let identifies = kind.is_identifier() && kind != Kind::Secret;
        field.values().filter(move |_| identifies).map(move |value| (kind, normal::fold(value).into_owned()))
    })
}

/// Whether a value stands in a text by itself, and not as a piece of a longer word.
fn stands_in(text: &str, value: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
    value.chars().count() >= 2
        && text.match_indices(value).any(|(at, found)| {
            let ascii = value.is_ascii();
            let (before, after) = (text[..at].chars().next_back(), text[at + found.len()..].chars().next());
            !ascii || (!part(before) && !part(after))
        })
}
