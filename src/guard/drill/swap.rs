//! One pair of messages under one way of swapping, and what the guard makes of it.

use mail_parser::MessageParser;

use crate::account::Kind;
use crate::guard::drill::content::{Content, is_named, relink};
use crate::guard::drill::{Sample, Way};
use crate::guard::find::names::{self, Form};
use crate::guard::lexicon;
use crate::guard::overlay::PREFIX;
use crate::guard::{Candidate, Finding, Judge, Rule, normal};

/// What came of one swap.
pub enum Outcome {
    /// It was held, and the guard said whose data it was.
    Held,
    /// It was not held, and showed nothing of the other account.
    Vacuous,
    /// It showed something, and was cleared or held for another reason alone.
    Missed,
}

/// One pair under one way.
pub struct Swap<'a, 'j> {
    /// The judge that is tried.
    pub judge: &'a Judge<'j>,
    /// Who would get the message.
    pub own: Sample<'a>,
    /// The message that is right for them.
    pub content: &'a Content,
    /// Somebody else.
    pub other: Sample<'a>,
    /// Somebody else's message.
    pub others: &'a Content,
}

impl<'a> Swap<'a, '_> {
    /// Makes the swap and judges it.
    pub fn try_way(&self, way: Way, turn: usize) -> Outcome {
        let own_parts = || self.content.parts.clone();
        let content = match way {
            Way::WholeBody | Way::RowBelow => {
                let token = self.content.token().unwrap_or_default();
                let parts = self.others.parts.iter().map(|(kind, text)| (*kind, relink(text, &token))).collect();
                Content { head: self.content.head.clone(), parts }
            }
            Way::Subject => Content { head: self.with_subject(), parts: own_parts() },
            Way::Field => match self.with_field(turn) {
                Some(parts) => Content { head: self.content.head.clone(), parts },
                None => return Outcome::Vacuous,
            },
            Way::Link => match self.others.token() {
                Some(token) if self.content.token().is_some() => {
                    let parts = own_parts().into_iter().map(|(kind, text)| (kind, relink(&text, &token))).collect();
                    let findings = self.judged(&Content { head: self.content.head.clone(), parts });
                    let told = findings.iter().any(|finding| finding.rule == Rule::LinkToken);
                    return if told { Outcome::Held } else { Outcome::Missed };
                }
                _ => return Outcome::Vacuous,
            },
            // Tried apart: nothing of another account is in it.
            Way::Rule => return Outcome::Vacuous,
        };
        let findings = self.judged(&content);
        let mut shown = self.shows(&content);
        if findings.is_empty() {
            // In running text a short name is none.
            shown.retain(|(kind, value)| !self.needs_cue(*kind, value));
        }
        match (findings.is_empty(), shown.is_empty()) {
            (true, true) => Outcome::Vacuous,
            (true, false) => Outcome::Missed,
            // A value that is nobody's to the guard is held by its shape alone:
            // the index lacks it.
            (false, _) if shown.iter().all(|shown| self.is_told(shown, &findings)) => Outcome::Held,
            (false, _) => Outcome::Missed,
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
        let is_shown = |own: &&str| self.content.parts.iter().any(|(_, text)| text.contains(*own));
        let fields = self.own.record.fields.iter().filter_map(|(name, field)| {
            let theirs = self.other.record.fields.get(name)?.values().next()?;
            Some((field.values().find(|own| *own != theirs && is_shown(own))?, theirs))
        });
        let extra = self.own.extra.iter().filter_map(|(name, own)| {
            let (own, theirs) = (own.as_str(), self.other.extra.get(name)?.as_str());
            (own != theirs && !own.is_empty() && !theirs.is_empty() && is_shown(&own)).then_some((own, theirs))
        });
        let columns: Vec<(&str, &str)> = fields.chain(extra).collect();
        let (own, theirs) = columns.get(turn % columns.len().max(1))?;
        Some(self.content.parts.iter().map(|(kind, text)| (*kind, text.replace(own, theirs))).collect())
    }

    fn judged(&self, content: &Content) -> Vec<Finding> {
        judged(self.judge, self.own, &content.write())
    }

    /// The identifiers of the other account that a swapped content shows, and
    /// that are neither this account's own nor explained by the campaign. Found
    /// by the records alone: the index is what is tried here.
    fn shows(&self, content: &Content) -> Vec<(Kind, String)> {
        let subject = MessageParser::default().parse(&content.write()).and_then(|m| m.subject().map(str::to_owned));
        let mut text: String = content.parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
        text.push('\n');
        text.push_str(subject.as_deref().unwrap_or_default());
        let twins = self.twins(&text);
        let text = normal::fold(&text);
        let own: Vec<String> = values(self.judge, self.own).into_iter().map(|(_, value)| value).collect();
        let is_own = |value: &str| own.iter().any(|own| own.contains(value) || value.ends_with(&format!(".{own}")));
        let mut theirs = values(self.judge, self.other);
        theirs.retain(|(kind, value)| {
            !is_own(value)
                && stands_in(&text, value)
                && !self.judge.explains(*kind, value)
                && !self.shares(*kind, value)
        });
        theirs.extend(twins);
        theirs
    }

    /// The other's values that this account has in another case, where that tells them apart.
    fn twins(&self, text: &str) -> Vec<(Kind, String)> {
        let exact = |sample: &Sample<'a>| {
            let fields = sample.record.fields.iter().filter(|(name, _)| self.judge.is_exact(name));
            let values = fields.flat_map(|(_, field)| field.values()).map(str::to_owned);
            values.collect::<Vec<String>>()
        };
        let own = exact(&self.own);
        let is_twin = |value: &String| {
            let differs = |own: &String| own != value && own.eq_ignore_ascii_case(value);
            !own.contains(value) && own.iter().any(differs) && stands_in(text, value)
        };
        exact(&self.other).into_iter().filter(is_twin).map(|value| (Kind::Id, value)).collect()
    }

    /// Whether the guard said of a shown value that it is another account's. What is too
    /// short or too ordinary to be told by itself is told by its cue alone.
    fn is_told(&self, (kind, value): &(Kind, String), findings: &[Finding]) -> bool {
        match kind {
            _ if self.needs_cue(*kind, value) => true,
            Kind::Person | Kind::Organisation => findings.iter().any(|finding| {
                finding.rule == Rule::Foreign && matches!(finding.kind, Some(Kind::Person | Kind::Organisation))
            }),
            kind => findings.iter().any(|finding| finding.rule == Rule::Foreign && finding.kind == Some(*kind)),
        }
    }

    /// Whether a value is found by its cue alone.
    fn needs_cue(&self, kind: Kind, value: &str) -> bool {
        let is_common = |name: &str| name.split(' ').all(lexicon::is_common);
        match kind {
            Kind::Person | Kind::Organisation => {
                let name = normal::name(value);
                names::form(&name) == Form::Short || is_common(&name)
            }
            Kind::Id => self.judge.scanner().is_ordinary(value),
            _ => false,
        }
    }

    /// Whether a value is this account's too, however it is spelled: a telephone number of
    /// two accounts, a domain as its A-label.
    fn shares(&self, kind: Kind, value: &str) -> bool {
        let own = self.judge.own(self.own.record);
        let has = |form: &String| match kind {
            Kind::Domain => own.has_host(form),
            Kind::Person | Kind::Organisation => own.has_name(form),
            _ => own.has(kind, form),
        };
        let forms = normal::forms(kind, value, self.judge.country()).unwrap_or_default();
        let readings = forms.first().map(|form| normal::readings(kind, value, form)).unwrap_or_default();
        forms.iter().chain(&readings).any(has)
    }
}

/// Judges bytes as a message to a sample's account.
pub fn judged(judge: &Judge<'_>, own: Sample<'_>, bytes: &[u8]) -> Vec<Finding> {
    let recipients = std::slice::from_ref(own.message.recipient());
    let sender = own.message.sender();
    let candidate = Candidate { sender, recipients, account: &own.record.account, bytes };
    judge.examine(candidate, Some(own.record)).findings
}

/// A sample's identifiers, folded: the record's, and the declared ones of the
/// audience.
fn values(judge: &Judge<'_>, sample: Sample<'_>) -> Vec<(Kind, String)> {
    let fields = sample.record.fields.iter().flat_map(|(name, field)| {
        let kind = judge.kind_of(name);
        field.values().map(move |value| (kind, value))
    });
    let extra = sample.extra.iter().map(|(name, cell)| (judge.kind_of(&format!("{PREFIX}{name}")), cell.as_str()));
    let all = fields.chain(extra).filter(|(kind, _)| kind.is_identifier() && *kind != Kind::Secret);
    all.map(|(kind, value)| (kind, normal::fold(value).into_owned())).collect()
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
