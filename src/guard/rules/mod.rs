//! The rules: each looks at views and says what it finds.

pub mod claims;
pub mod content;
pub mod envelope;
pub mod identifiers;
pub mod names;
pub mod tokens;

use std::collections::HashSet;

use crate::account::{AccountId, Kind};
use crate::guard::extras::Extras;
use crate::guard::finding::{Finding, Rule};
use crate::guard::overlay::OwnExtra;
use crate::guard::view::View;
use crate::guard::{Guard, Known, Own};

/// Findings of one message that are kept; one more says how many there were.
const FINDINGS_MAX: usize = 200;

/// One message under judgement: what is its own, and what was found.
pub struct Case<'a> {
    /// The directory's side.
    pub guard: &'a Guard,
    /// The campaign's side.
    pub known: &'a Known,
    /// The account's side.
    pub own: Own,
    /// The campaign's own identifiers, if it declares any.
    extras: Option<&'a Extras<'a>>,
    /// What they are to this account.
    extra: Option<OwnExtra<'a>>,
    /// The account.
    pub account: &'a AccountId,
    /// The campaign whose link tokens are right.
    pub campaign: Option<i64>,
    /// Tokens that were looked at and found explained, so that a value repeated
    /// a hundred times is looked up once.
    pub explained: HashSet<(Kind, String)>,
    /// Own values that were seen where a reader sees them.
    pub shown: HashSet<(Kind, String)>,
    findings: Vec<Finding>,
    seen: HashSet<(Rule, Option<Kind>, String, String)>,
}

impl<'a> Case<'a> {
    /// Opens a case.
    pub fn new(guard: &'a Guard, known: &'a Known, own: Own, account: &'a AccountId, campaign: Option<i64>) -> Self {
        Self {
            guard,
            known,
            own,
            extras: None,
            extra: None,
            account,
            campaign,
            explained: HashSet::new(),
            shown: HashSet::new(),
            findings: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// Takes in the campaign's own identifiers.
    pub fn with(mut self, extras: Option<&'a Extras<'a>>) -> Self {
        self.extras = extras;
        self.extra = extras.map(|extras| extras.of_account(self.account, self.guard.keys()));
        if let Some(extra) = self.extra {
            extra.name(&mut self.own);
        }
        self
    }

    /// Adds a finding, once.
    pub fn find(&mut self, rule: Rule, kind: Option<Kind>, place: &str, shown: String, owner: Option<&AccountId>) {
        let owner = owner.filter(|owner| *owner != self.account).cloned();
        if self.seen.insert((rule, kind, place.to_owned(), shown.clone())) {
            self.findings.push(Finding { rule, kind, place: place.to_owned(), shown, owner });
        }
    }

    /// Every finding, in the order of the rules.
    pub fn close(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| finding.rule);
        if self.findings.len() > FINDINGS_MAX {
            let more = self.findings.len() - FINDINGS_MAX;
            self.findings.truncate(FINDINGS_MAX);
            let rule = self.findings[0].rule;
            self.findings.push(Finding {
                rule,
                kind: None,
                place: "message".into(),
                shown: format!("and {more} more"),
                owner: None,
            });
        }
        self.findings
    }
}

/// Whether a view is a header's.
pub fn is_header(view: &View<'_>) -> bool {
    view.place.part.ends_with("header")
}

/// Whether what stands there counts as shown to a reader: the address in `To`
/// is in every message.
pub fn is_read(view: &View<'_>) -> bool {
    !is_header(view) || view.place.view == "Subject"
}
