//! One message, one verdict: views, own set, rules.

pub(in crate::guard) mod ablation;
mod cell;

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::account::{AccountId, Kind, Record};
use crate::address::Address;
use crate::address::mask;
use crate::guard::find::Scanner;
use crate::guard::judge::ablation::Ablation;
use crate::guard::overlay::extras::Extras;
use crate::guard::overlay::{Overlay, PREFIX};
use crate::guard::passage;
use crate::guard::rules::names::Searched;
use crate::guard::rules::{self, Case, Seen};
use crate::guard::view::{self, Limits, Shape, View, Views};
use crate::guard::{Cleared, Held, Index, Known, Own, Terms, Verdict, normal};
use crate::key::Keys;
use crate::mapping::Mapping;
use crate::message::Finished;

/// A finished message that claims to be for an account.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// The envelope sender.
    pub sender: &'a Address,
    /// The envelope's recipients; anything but one is held.
    pub recipients: &'a [Address],
    /// The account that it claims to be for.
    pub account: &'a AccountId,
    /// The finished bytes.
    pub bytes: &'a [u8],
}

/// The directory's side of the guard, shared by every campaign and thread.
pub struct Guard {
    mapping: Mapping,
    keys: Keys,
    index: Index,
    scanner: Scanner,
    country: Option<String>,
}

/// An identifier of an account that stands in a campaign's literal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literally {
    /// What sort of value it is.
    pub kind: Kind,
    /// The value, masked.
    pub shown: String,
    /// Whose it is.
    pub owner: AccountId,
}

impl std::fmt::Display for Literally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} belongs to account {}", self.kind, self.shown, self.owner)
    }
}

impl Guard {
    /// Binds the directory's mapping, keys and index.
    ///
    /// # Errors
    /// A pattern of the mapping is no regular expression.
    pub fn new(mapping: Mapping, keys: Keys, index: Index) -> Result<Self, String> {
        let accounts = index.accounts();
        Self::of_size(mapping, keys, index, accounts)
    }

    /// The same for a directory of so many accounts, of which the index may hold a few.
    ///
    /// # Errors
    /// As [`Guard::new`].
    pub(in crate::guard) fn of_size(mapping: Mapping, keys: Keys, index: Index, accounts: u64) -> Result<Self, String> {
        let country = mapping.columns.values().find_map(|column| column.country.clone());
        Ok(Self { scanner: Scanner::new(&mapping, accounts)?, mapping, index: index.bound(&keys), keys, country })
    }

    /// A judge for one campaign: reads the terms once.
    ///
    /// # Errors
    /// A term that cannot be read: an allow-list entry, an unknown column.
    pub fn judge(&self, terms: &Terms) -> Result<Judge<'_>, String> {
        self.bind(terms, None)
    }

    /// A judge for a campaign that declares identifiers of its own.
    ///
    /// # Errors
    /// As [`Guard::judge`].
    pub fn judge_with<'a>(&'a self, terms: &Terms, overlay: &'a Overlay) -> Result<Judge<'a>, String> {
        self.bind(terms, Extras::new(&self.mapping, self.index.accounts(), overlay)?)
    }

    fn bind<'a>(&'a self, terms: &Terms, extras: Option<Extras<'a>>) -> Result<Judge<'a>, String> {
        for column in &terms.must_show {
            let declared = extras.as_ref().and_then(|extras| extras.overlay().column(column));
            match self.mapping.columns.get(column).or(declared) {
                None if column.starts_with(PREFIX) => {
                    return Err(format!(
                        "must_show names {column}, which the campaign does not declare as an identifier"
                    ));
                }
                None => {
                    return Err(format!("must_show names the column {column:?}, which the directory does not have"));
                }
                Some(found) if found.kind == Kind::Secret => {
                    return Err(format!("must_show names the column {column:?}, which is secret"));
                }
                Some(_) => {}
            }
        }
        let scanner = extras.as_ref().map_or(&self.scanner, |extras| extras.scanner());
        let country = self.country().or_else(|| extras.as_ref()?.country());
        let known = Known::new(terms, scanner, &self.index, country)?;
        let must_show = terms.must_show.clone();
        Ok(Judge {
            guard: self,
            known,
            extras,
            campaign: terms.campaign,
            revision: terms.revision,
            must_show,
            declared: view::Declared::new(&terms.attachments)?,
            memos: passage::Pool::default(),
            ablation: Ablation::nothing(),
        })
    }

    /// The directory's and the campaign's own identifiers that occur in the literal
    /// text and are on no allow-list: what freezing a campaign asks a reason for.
    ///
    /// # Errors
    /// A term that cannot be read.
    pub fn lint(&self, terms: &Terms, overlay: &Overlay) -> Result<Vec<Literally>, String> {
        let extras = Extras::new(&self.mapping, self.index.accounts(), overlay)?;
        let scanner = extras.as_ref().map_or(&self.scanner, |extras| extras.scanner());
        let known = Known::new(terms, scanner, &self.index, self.country())?;
        let owner = |kind, value: &str| {
            let hash = self.keys.identifier(kind, value);
            self.index.owner(hash).or_else(|| overlay.owner(hash))
        };
        let found = |kind, canonical: &str| {
            let owner = match kind {
                Kind::Domain => crate::guard::own::suffixes(canonical).find_map(|host| owner(kind, host)),
                _ => owner(kind, canonical),
            };
            owner.map(|owner| Literally { kind, shown: mask(canonical), owner })
        };
        let mut all: Vec<Literally> =
            known.unexplained().filter_map(|token| found(token.kind, &token.canonical)).collect();
        all.extend(known.names().filter_map(|(hash, name)| {
            let owner = self.index.owner(hash)?;
            Some(Literally { kind: self.name_kind(name, hash), shown: mask(name), owner })
        }));
        let kinds = [Kind::Person, Kind::Organisation];
        // A name in two fields is read in both orders, and told once.
        let mut told = HashSet::new();
        all.extend(known.cued().filter_map(|name| {
            let found = kinds.into_iter().find_map(|kind| found(kind, name))?;
            let mut letters: Vec<char> = name.chars().collect();
            letters.sort_unstable();
            told.insert(letters).then_some(found)
        }));
        all.sort_by(|a, b| (a.kind, &a.owner).cmp(&(b.kind, &b.owner)));
        all.dedup();
        Ok(all)
    }

    pub(in crate::guard) fn index(&self) -> &Index {
        &self.index
    }

    pub(in crate::guard) fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    pub(in crate::guard) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The region that national phone numbers belong to.
    pub(in crate::guard) fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    pub(in crate::guard) fn owner(&self, kind: Kind, canonical: &str) -> Option<AccountId> {
        self.index.owner(self.keys.identifier(kind, canonical))
    }

    /// Whether a known name is a person's or an organisation's.
    pub(in crate::guard) fn name_kind(&self, name: &str, hash: u128) -> Kind {
        if self.keys.identifier(Kind::Organisation, name) == hash { Kind::Organisation } else { Kind::Person }
    }
}

/// Judges the messages of one campaign. `Sync`: one for all threads.
pub struct Judge<'a> {
    guard: &'a Guard,
    known: Known,
    extras: Option<Extras<'a>>,
    campaign: Option<i64>,
    revision: i64,
    must_show: Vec<String>,
    /// The files that need not be read.
    declared: view::Declared,
    memos: passage::Pool<passage::Memos>,
    /// What a test has switched off.
    pub(in crate::guard) ablation: Ablation,
}

/// The account of a case that nobody owns anything in.
static NOBODY: LazyLock<Option<AccountId>> = LazyLock::new(|| AccountId::new("nobody").ok());

impl Judge<'_> {
    /// Judges a message. `record` is the directory's record of
    /// `candidate.account`, `None` if the directory has no such account.
    ///
    /// It is read by passages, and as a whole only where those do not tell all.
    pub fn examine(&self, candidate: Candidate<'_>, record: Option<&Record>) -> Verdict {
        let mut case = self.open(&candidate, record);
        if self.has_passages() && self.memos.with(|memos| passage::tell_all(self, &mut case, memos, candidate.bytes)) {
            rules::missing::judge(&mut case, &self.must_show, &Views::default());
            if case.is_settled() {
                return Verdict { findings: case.close() };
            }
        }
        self.examine_whole(candidate, record)
    }

    /// Whether passages tell all: not where a campaign's own names may reach across
    /// them, and not where a part is switched off.
    fn has_passages(&self) -> bool {
        let declared = self.extras.as_ref().is_none_or(|extras| !extras.overlay().has_names());
        !self.ablation.is_on() && declared
    }

    /// Judges a message by reading all of it, whatever is known of its passages.
    pub fn examine_whole(&self, candidate: Candidate<'_>, record: Option<&Record>) -> Verdict {
        let mut case = self.open(&candidate, record);
        let mut views = view::views_but(candidate.bytes, &Limits::default(), &self.declared);
        self.ablation.blind(&mut views);
        let mut seen = HashSet::new();
        for view in &views.views {
            // Parts of one message repeat their links and attributes; what a
            // reader sees is judged wherever it stands.
            let is_style = view.place.at.as_deref() == Some("style");
            if view.shape == Shape::Visible || seen.insert((view.shape, view.place.view, is_style, &*view.text)) {
                self.view(&mut case, view);
            }
        }
        rules::missing::judge(&mut case, &self.must_show, &views);
        rules::empty::judge(&mut case, &views);
        rules::unreadable::judge(&mut case, &views.unreadable);
        let mut findings = case.close();
        self.ablation.silence(&mut findings);
        Verdict { findings }
    }

    /// Opens a message's case, by its envelope.
    fn open<'c>(&'c self, candidate: &Candidate<'c>, record: Option<&Record>) -> Case<'c> {
        let own = record.map(|record| self.own(record)).unwrap_or_default();
        let mut case = self.case(own, candidate.account);
        case.message_id =
            self.campaign.map(|campaign| self.guard.keys.message_id(campaign, self.revision, candidate.account));
        rules::envelope::judge(&mut case, candidate, record);
        case
    }

    /// Opens a case of one account.
    pub(in crate::guard) fn case<'c>(&'c self, own: Own, account: &'c AccountId) -> Case<'c> {
        Case::new(self.guard, &self.known, own, account, self.campaign).with(self.extras.as_ref())
    }

    /// The account's own set, from its record.
    pub(in crate::guard) fn own(&self, record: &Record) -> Own {
        Own::of(record, &self.guard.mapping)
    }

    /// What a column holds, of the directory or (`extra.…`) of the campaign.
    pub(in crate::guard) fn kind_of(&self, column: &str) -> Kind {
        let declared = || self.extras.as_ref()?.overlay().column(column);
        self.guard.mapping.columns.get(column).or_else(declared).map_or(Kind::Text, |column| column.kind)
    }

    /// Whether values of a directory's column that differ by case alone are two.
    pub(in crate::guard) fn is_exact(&self, column: &str) -> bool {
        self.guard.mapping.columns.get(column).is_some_and(crate::mapping::Column::is_exact)
    }

    /// The columns of which a value must be shown.
    pub(in crate::guard) fn must_show(&self) -> &[String] {
        &self.must_show
    }

    /// Whether the campaign's terms explain a value, whoever owns it.
    pub(in crate::guard) fn explains(&self, kind: Kind, value: &str) -> bool {
        match normal::canonical(kind, value, self.guard.country()) {
            Ok(canonical) if matches!(kind, Kind::Person | Kind::Organisation) => {
                self.known.has_name(self.guard.keys.identifier(kind, &canonical), &canonical)
            }
            Ok(canonical) => self.known.has(kind, &canonical),
            Err(_) => true,
        }
    }

    pub(in crate::guard) fn index(&self) -> &Index {
        &self.guard.index
    }

    /// The region that national phone numbers belong to.
    pub(in crate::guard) fn country(&self) -> Option<&str> {
        self.guard.country()
    }

    /// Finds tokens, by the directory's patterns and the campaign's.
    pub(in crate::guard) fn scanner(&self) -> &Scanner {
        self.extras.as_ref().map_or(&self.guard.scanner, |extras| extras.scanner())
    }

    /// A case in which nothing is anybody's own.
    pub(in crate::guard) fn nobodys_case(&self) -> Option<Case<'_>> {
        let mut case = self.case(Own::default(), NOBODY.as_ref()?);
        case.is_nobodys = true;
        case.is_pieces = true;
        Some(case)
    }

    pub(in crate::guard) fn view(&self, case: &mut Case<'_>, view: &View<'_>) {
        // One token in a million has an ID between two dashes by chance.
        let mut neutral = case.without_own_tokens(&view.text, rules::is_header(view), None);
        if view.place.at.as_deref().is_some_and(|at| at.ends_with(view::url::FORM)) {
            neutral = case.own.with_signs(neutral.as_deref().unwrap_or(&view.text)).or(neutral);
        }
        let text = neutral.as_deref().unwrap_or(&view.text);
        let folded = normal::fold(text);
        let seen = Seen { view, text, folded: &folded, searched: Searched::of(&folded) };
        rules::OF_VIEWS.iter().for_each(|judge| judge(case, &seen));
    }

    /// Judges a rendered message and, if nothing is found, clears it.
    ///
    /// # Errors
    /// [`Held`] with every finding.
    pub fn clear(&self, rendered: Finished, record: Option<&Record>) -> Result<Cleared, Held> {
        let verdict = self.examine(
            Candidate {
                sender: rendered.sender(),
                recipients: std::slice::from_ref(rendered.recipient()),
                account: rendered.account(),
                bytes: rendered.bytes(),
            },
            record,
        );
        if verdict.is_cleared() && !self.ablation.is_on() {
            Ok(Cleared::new(rendered))
        } else {
            Err(Held { account: rendered.account().clone(), findings: verdict.findings })
        }
    }
}
