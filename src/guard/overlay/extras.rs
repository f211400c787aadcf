//! A campaign's own identifiers, bound to a directory: the overlay, and a
//! scanner that knows the patterns of both.

use crate::account::AccountId;
use crate::guard::find::Scanner;
use crate::guard::overlay::{Overlay, OwnExtra};
use crate::key::Keys;
use crate::mapping::Mapping;

/// What a judge needs of a campaign that declares identifiers.
pub struct Extras<'o> {
    overlay: &'o Overlay,
    scanner: Scanner,
    country: Option<String>,
}

impl<'o> Extras<'o> {
    /// Binds an overlay; `None` when it declares no column.
    ///
    /// # Errors
    /// A pattern is no regular expression.
    pub fn new(mapping: &Mapping, accounts: u64, overlay: &'o Overlay) -> Result<Option<Self>, String> {
        if overlay.columns().is_empty() {
            return Ok(None);
        }
        let mut both = mapping.clone();
        both.columns.extend(overlay.declared().map(|(name, column)| (name, column.clone())));
        let country = overlay.declared().find_map(|(_, column)| column.country.clone());
        Ok(Some(Self { overlay, scanner: Scanner::new(&both, accounts.max(overlay.accounts()))?, country }))
    }

    /// The overlay.
    pub fn overlay(&self) -> &'o Overlay {
        self.overlay
    }

    /// The patterns of both.
    pub fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// The region of the declared telephone numbers.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// One account's side.
    pub fn of_account<'e>(&'e self, account: &AccountId, keys: &'e Keys) -> OwnExtra<'e> {
        self.overlay.of_account(account, keys)
    }
}
