//! The rules: each looks at a message, or at every view of it, and says what it finds.
//!
//! | rule | looks at | module |
//! |---|---|---|
//! | `envelope` | envelope and address headers | [`envelope`] |
//! | `foreign`, `unexplained` | each view, for what has the shape of an identifier | [`identifiers`] |
//! | `foreign` | each view, for names | [`names`] |
//! | `salutation` | each view that a reader sees | [`salutation`] |
//! | `missing` | what was shown of the account's own | [`missing`] |
//! | `link-token` | each view, and the envelope's sender | [`link_token`] |
//! | `secret` | each view | [`secret`] |
//! | `unreadable` | what could not be read | [`unreadable`] |
//! | `empty` | the whole message; each view, for what a template left behind | [`empty`], [`placeholders`] |
//!
//! The other modules say what several rules ask: whose a value is (`claims`, `hosts`,
//! `mailboxes`, `exact`), what looks like a value and is none (`lookalikes`), what is a piece
//! of an own one (`within`), who is addressed (`addressee`), how a name is written (`glued`,
//! `titled`, `written`), and what a merge field is called (`field`).

mod addressee;
mod claims;
pub mod empty;
pub mod envelope;
mod exact;
mod field;
mod glued;
mod hosts;
pub mod identifiers;
pub mod link_token;
mod lookalikes;
mod mailboxes;
pub mod missing;
pub mod names;
pub mod placeholders;
pub mod salutation;
pub mod secret;
mod titled;
pub mod unreadable;
mod within;
mod written;

use std::collections::HashMap;

use hashbrown::HashSet;

use crate::account::{AccountId, Kind};
use crate::guard::finding::{Finding, Rule};
use crate::guard::overlay::OwnExtra;
use crate::guard::overlay::extras::Extras;
use crate::guard::own::known::readings_max;
use crate::guard::own::values::Values;
use crate::guard::rules::names::Searched;
use crate::guard::view::{Place, View};
use crate::guard::{Guard, Known, Own, own};
use crate::key::Link;

/// Findings of one message that are kept, of each rule while it is judged and of
/// all in the end; one more says how many there were.
const FINDINGS_MAX: usize = 200;

/// Readings of hosts without boundaries that are tried in one message: some hundred
/// thousand such hosts, and some seconds.
pub const READINGS_MAX: usize = 2_000_000;

/// What tells one finding from another: rule, kind, place, masked value, owner.
type Told = (Rule, Option<Kind>, String, String, Option<AccountId>);

/// One view, as the rules read it.
pub struct Seen<'t> {
    /// The view, as it is written.
    pub view: &'t View<'t>,
    /// Its text without the tokens that were made here for the account.
    pub text: &'t str,
    /// The same, folded.
    pub folded: &'t str,
    /// The same, as names are searched for.
    pub searched: Searched<'t>,
}

/// Every rule that reads views, in their order.
pub const OF_VIEWS: [fn(&mut Case<'_>, &Seen<'_>); 6] =
    [link_token::judge, identifiers::judge, names::judge, salutation::judge, secret::judge, placeholders::judge];

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
    /// Whether it is an account that owns nothing, of whose case only whether it is
    /// clean is asked: whose a value is need not be looked up.
    pub is_nobodys: bool,
    /// Whether pieces of a message are judged, and not the whole.
    pub is_pieces: bool,
    /// What stands above the piece that is judged, as far as a name may be broken there.
    pub above: Above,
    /// The campaign whose link tokens are right.
    pub campaign: Option<i64>,
    /// The left side of its Message-ID, if Kakitome made this message.
    pub message_id: Option<String>,
    /// Tokens that were looked at and found explained, so that a value repeated
    /// a hundred times is looked up once.
    pub explained: Values,
    /// Own values that were seen where a reader sees them.
    pub shown: Values,
    findings: Vec<Finding>,
    /// How many of each rule are kept, and how many more there were.
    kept: HashMap<Rule, usize>,
    more: usize,
    /// Readings of hosts without boundaries that may still be tried.
    readings_left: usize,
    seen: HashSet<Told>,
}

/// The end of the text above a piece.
#[derive(Default)]
pub struct Above {
    /// It, as it is written.
    pub text: String,
    /// Whether it explained something in the piece.
    pub is_asked: bool,
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
            is_nobodys: false,
            is_pieces: false,
            above: Above::default(),
            campaign,
            message_id: None,
            explained: Values::default(),
            shown: Values::default(),
            findings: Vec::new(),
            kept: HashMap::new(),
            more: 0,
            readings_left: READINGS_MAX,
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
        let kept = self.kept.entry(rule).or_default();
        if *kept == FINDINGS_MAX {
            self.more += 1;
            return;
        }
        let owner = owner.filter(|owner| *owner != self.account).cloned();
        // Two accounts' values may look alike when they are masked.
        if self.seen.insert((rule, kind, place.to_owned(), shown.clone(), owner.clone())) {
            *kept += 1;
            self.findings.push(Finding { rule, kind, place: place.to_owned(), shown, owner });
        }
    }

    /// Takes a host without boundaries from what may be read; the rest of the
    /// message is unreadable when that is used up.
    pub fn may_read(&mut self, host: &str, place: &Place) -> bool {
        let count = readings_max(host);
        let may = count <= self.readings_left;
        self.readings_left = self.readings_left.saturating_sub(count);
        if !may {
            let why = "it has more words joined by dots than can be told from hosts";
            self.find(Rule::Unreadable, None, &place.to_string(), why.into(), None);
        }
        may
    }

    /// Judges something of which it is only asked whether it tells anything new: a finding of
    /// another place, or none. What it finds is not kept.
    pub fn tells_nothing_new(&mut self, judge: impl FnOnce(&mut Self)) -> bool {
        let (count, more) = (self.findings.len(), self.more);
        judge(self);
        let found = self.findings.split_off(count);
        let what = |finding: &Finding| (finding.rule, finding.kind, finding.shown.clone(), finding.owner.clone());
        let is_known = |finding: &Finding| self.findings.iter().any(|known| what(known) == what(finding));
        self.more == more && found.iter().all(is_known)
    }

    /// How much was found so far.
    pub fn count(&self) -> usize {
        self.findings.len() + self.more
    }

    /// Whether nothing was found, or something that stands ([`Finding::stands`]).
    pub fn is_settled(&self) -> bool {
        // A text that must be shown may go on in the next line.
        let is_text = |finding: &Finding| matches!(finding.kind, Some(Kind::Text | Kind::Secret));
        let is_open = |finding: &Finding| finding.rule == Rule::Missing && is_text(finding);
        self.is_clean() || (self.findings.iter().any(Finding::stands) && !self.findings.iter().any(is_open))
    }

    /// Whether nothing was found so far.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Every finding, in the order of the rules.
    pub fn close(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| finding.rule);
        if self.findings.len() + self.more > FINDINGS_MAX {
            let more = (self.findings.len() + self.more).saturating_sub(FINDINGS_MAX);
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

impl Case<'_> {
    /// Whether a word that stands by itself is an own value, in which no rule
    /// can find anything: an ID, or a host or address without one in it. What
    /// a secret, a link's token or a telephone number could be is none.
    pub fn is_own_word(&self, word: &str) -> bool {
        let Some((kind, _)) = self.own.word(word) else { return false };
        let number = kind == Kind::Id && word.bytes().all(|b| b.is_ascii_digit());
        longest_number(word) < PHONE_DIGITS_MIN
            && (number || !self.scanner().has_id_inside(word))
            && !word.contains(Link::PREFIX)
            && self.guard.owner(Kind::Secret, word).is_none()
    }

    /// Notes that an own word was seen where a reader sees it.
    pub fn show_own_word(&mut self, word: &str) {
        match self.own.word(word) {
            Some((Kind::Domain, host)) => own::suffixes(host).for_each(|host| self.shown.insert(Kind::Domain, host)),
            Some((kind, canonical)) => self.shown.insert(kind, canonical),
            None => {}
        }
    }
}

/// Fewer digits than this are no telephone number.
const PHONE_DIGITS_MIN: usize = 9;

/// How many digits the longest run of a word has, signs of telephone numbers
/// counted in.
fn longest_number(word: &str) -> usize {
    word.split(|c: char| !c.is_ascii_digit() && !"-.".contains(c)).map(str::len).max().unwrap_or(0)
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
