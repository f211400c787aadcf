//! One message, one verdict: views, own set, rules.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::account::{AccountId, Kind, Record, mask};
use crate::address::Address;
use crate::config::Mapping;
use crate::guard::passage;
use crate::guard::rules::{self, Case};
use crate::guard::token::Scanner;
use crate::guard::view::{self, Limits, Shape, View, Views};
use crate::guard::{Cleared, Held, Index, Known, Own, Terms, Verdict, normal};
use crate::key::Keys;
use crate::render::Rendered;

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
        let country = mapping.columns.values().find_map(|column| column.country.clone());
        Ok(Self { scanner: Scanner::new(&mapping)?, mapping, index: index.bound(&keys), keys, country })
    }

    /// A judge for one campaign: reads the terms once.
    ///
    /// # Errors
    /// A term that cannot be read: an allow-list entry, an unknown column.
    pub fn judge(&self, terms: &Terms) -> Result<Judge<'_>, String> {
        if let Some(column) = terms.must_show.iter().find(|column| !self.mapping.columns.contains_key(*column)) {
            return Err(format!("must_show names the column {column:?}, which the directory does not have"));
        }
        if let Some(column) = terms.must_show.iter().find(|c| self.mapping.columns[*c].kind == Kind::Secret) {
            return Err(format!("must_show names the column {column:?}, which is secret"));
        }
        let known = Known::new(terms, &self.scanner, &self.index, self.country())?;
        Ok(Judge {
            guard: self,
            known,
            campaign: terms.campaign,
            must_show: terms.must_show.clone(),
            memos: passage::Pool::default(),
        })
    }

    /// The directory's identifiers that occur in the literal text and are on no
    /// allow-list: what freezing a campaign asks a reason for.
    ///
    /// # Errors
    /// A term that cannot be read.
    pub fn lint(&self, terms: &Terms) -> Result<Vec<Literally>, String> {
        let known = Known::new(terms, &self.scanner, &self.index, self.country())?;
        let found = |kind, canonical: &str| {
            let owner = match kind {
                Kind::Domain => crate::guard::own::suffixes(canonical).find_map(|host| self.owner(kind, host)),
                _ => self.owner(kind, canonical),
            };
            owner.map(|owner| Literally { kind, shown: mask(canonical), owner })
        };
        let mut all: Vec<Literally> =
            known.unexplained().filter_map(|token| found(token.kind, &token.canonical)).collect();
        all.extend(known.names().filter_map(|(hash, name)| {
            let owner = self.index.owner(hash)?;
            Some(Literally { kind: self.name_kind(name, hash), shown: mask(name), owner })
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
    campaign: Option<i64>,
    must_show: Vec<String>,
    memos: passage::Pool<passage::Memos>,
}

/// The account of a case that nobody owns anything in.
static NOBODY: LazyLock<Option<AccountId>> = LazyLock::new(|| AccountId::new("nobody").ok());

impl Judge<'_> {
    /// Judges a message. `record` is the directory's record of
    /// `candidate.account`, `None` if the directory has no such account.
    ///
    /// A message that is plainly clear by its passages is cleared; everything
    /// else is read as a whole.
    pub fn examine(&self, candidate: Candidate<'_>, record: Option<&Record>) -> Verdict {
        let own = record.map(|record| Own::of(record, &self.guard.mapping)).unwrap_or_default();
        let mut case = Case::new(self.guard, &self.known, own, candidate.account, self.campaign);
        rules::envelope::judge(&mut case, &candidate, record);
        if case.is_clean()
            && self.memos.with(|memos| passage::is_plainly_clear(self, &mut case, memos, candidate.bytes))
        {
            rules::content::missing(&mut case, &self.must_show, &Views::default());
            if case.is_clean() {
                return Verdict { findings: Vec::new() };
            }
        }
        self.examine_whole(candidate, record)
    }

    /// Judges a message by reading all of it, whatever is known of its passages.
    pub fn examine_whole(&self, candidate: Candidate<'_>, record: Option<&Record>) -> Verdict {
        let own = record.map(|record| Own::of(record, &self.guard.mapping)).unwrap_or_default();
        let mut case = Case::new(self.guard, &self.known, own, candidate.account, self.campaign);
        rules::envelope::judge(&mut case, &candidate, record);
        let views = view::views(candidate.bytes, &Limits::default());
        let mut seen = HashSet::new();
        for view in &views.views {
            // Parts of one message repeat their links and attributes; what a
            // reader sees is judged wherever it stands.
            let is_style = view.place.at.as_deref() == Some("style");
            if view.shape == Shape::Visible || seen.insert((view.shape, view.place.view, is_style, &*view.text)) {
                self.view(&mut case, view);
            }
        }
        rules::content::missing(&mut case, &self.must_show, &views);
        rules::content::empty(&mut case, &views);
        rules::content::unreadable(&mut case, &views.unreadable);
        Verdict { findings: case.close() }
    }

    /// What a directory column holds.
    pub(in crate::guard) fn kind_of(&self, column: &str) -> Kind {
        self.guard.mapping.columns.get(column).map_or(Kind::Text, |column| column.kind)
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

    pub(in crate::guard) fn scanner(&self) -> &Scanner {
        &self.guard.scanner
    }

    /// A case in which nothing is anybody's own.
    pub(in crate::guard) fn nobodys_case(&self) -> Option<Case<'_>> {
        let account = NOBODY.as_ref()?;
        Some(Case::new(self.guard, &self.known, Own::default(), account, self.campaign))
    }

    pub(in crate::guard) fn view(&self, case: &mut Case<'_>, view: &View<'_>) {
        let folded = normal::fold(&view.text);
        rules::identifiers::judge(case, view, &folded);
        rules::names::judge(case, view, &folded);
        rules::tokens::links(case, view);
        rules::tokens::secrets(case, view);
        rules::tokens::dumps(case, view);
        rules::content::placeholders(case, view);
    }

    /// Judges a rendered message and, if nothing is found, clears it.
    ///
    /// # Errors
    /// [`Held`] with every finding.
    pub fn clear(&self, rendered: Rendered, record: Option<&Record>) -> Result<Cleared, Held> {
        let verdict = self.examine(
            Candidate {
                sender: rendered.sender(),
                recipients: std::slice::from_ref(rendered.recipient()),
                account: rendered.account(),
                bytes: rendered.bytes(),
            },
            record,
        );
        if verdict.is_cleared() {
            Ok(Cleared::new(rendered))
        } else {
            Err(Held { account: rendered.account().clone(), findings: verdict.findings })
        }
    }
}
