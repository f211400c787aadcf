//! Whose a value is, asked in one order everywhere: the directory first, then
//! the campaign's own identifiers. What the directory gives to another account
//! stays that account's, whatever an audience claims.

use crate::account::{AccountId, Kind};
use crate::guard::find::Scanner;
use crate::guard::normal;
use crate::guard::overlay::OwnExtra;
use crate::guard::own::suffixes;
use crate::guard::rules::Case;

/// What is known of a value that the account's record does not have.
pub enum Claim {
    /// The campaign declares it this account's.
    Own,
    /// It is another account's.
    Other(AccountId),
    /// Nobody is known to have it.
    Nobodys,
}

impl<'a> Case<'a> {
    /// Finds tokens, by the directory's patterns and the campaign's.
    pub fn scanner(&self) -> &'a Scanner {
        self.extras.map_or(self.guard.scanner(), |extras| extras.scanner())
    }

    /// The region that national phone numbers belong to.
    pub fn country(&self) -> Option<&'a str> {
        self.guard.country().or_else(|| self.extras?.country())
    }

    /// What the campaign's own identifiers are to this account.
    pub fn extra(&self) -> Option<OwnExtra<'a>> {
        self.extra
    }

    /// Whose a canonical value is.
    pub fn claim(&self, kind: Kind, canonical: &str) -> Claim {
        if let Some(owner) = self.guard.owner(kind, canonical) {
            return Claim::Other(owner.clone());
        }
        let Some(extra) = self.extra else { return Claim::Nobodys };
        if extra.has(kind, canonical) {
            return Claim::Own;
        }
        extra.other(kind, canonical).map_or(Claim::Nobodys, Claim::Other)
    }

    /// Whose a host is: that of the longest domain above it that anybody has,
    /// but for a directory's, which goes before.
    pub fn claim_host(&self, host: &str) -> Claim {
        let by_directory = suffixes(host).find_map(|suffix| self.guard.owner(Kind::Domain, suffix));
        if let Some(owner) = by_directory {
            return Claim::Other(owner.clone());
        }
        let Some(extra) = self.extra else { return Claim::Nobodys };
        if suffixes(host).any(|suffix| extra.has(Kind::Domain, suffix)) {
            return Claim::Own;
        }
        suffixes(host).find_map(|suffix| extra.other(Kind::Domain, suffix)).map_or(Claim::Nobodys, Claim::Other)
    }

    /// Whose a host or an address is that capitals may have changed, and that nobody is known
    /// to have as it stands: `strasse.example` is left of `straße.example`.
    pub fn claim_capital(&self, kind: Kind, canonical: &str) -> Claim {
        let plain = normal::capital(canonical);
        let all = || suffixes(&plain).take(if kind == Kind::Domain { usize::MAX } else { 1 });
        let is_provider = kind == Kind::Domain && self.own.has_capital_provider(&plain);
        if is_provider || all().any(|plain| self.own.has_capital(kind, plain)) {
            return Claim::Own;
        }
        for plain in all() {
            let form = normal::as_form(plain);
            let written = (*plain != *canonical).then_some(plain);
            for value in written.into_iter().chain([form.as_str()]) {
                match self.claim(kind, value) {
                    Claim::Nobodys => {}
                    found => return found,
                }
            }
        }
        Claim::Nobodys
    }

    /// Whether a host is the domain of one of the account's addresses.
    pub fn has_provider(&self, host: &str) -> bool {
        self.own.has_provider(host) || self.extra.is_some_and(|extra| extra.has_provider(host))
    }
}
