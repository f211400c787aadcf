//! One message, one verdict: views, own set, rules.

use crate::account::{AccountId, Record};
use crate::address::Address;
use crate::guard::{Cleared, Held, Index, Terms, Verdict};
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
pub struct Guard {/* mapping, keys, index */}

impl Guard {
    /// Binds the directory's mapping, keys and index.
    pub fn new(_mapping: crate::config::Mapping, _keys: crate::key::Keys, _index: Index) -> Self {
        unimplemented!()
    }

    /// A judge for one campaign: reads the terms once.
    ///
    /// # Errors
    /// A term that cannot be read (an empty allow value, an unknown must_show column).
    pub fn judge(&self, _terms: &Terms) -> Result<Judge<'_>, String> {
        unimplemented!()
    }

    /// The directory's identifiers that occur in the literal text and are on
    /// no allow-list: what `campaign new` asks a reason for. (kind, masked value,
    /// index into `terms.literal`, owner)
    pub fn lint(&self, _terms: &Terms) -> Vec<(crate::account::Kind, String, usize, AccountId)> {
        unimplemented!()
    }
}

/// Judges the messages of one campaign. `Sync`: one for all threads.
pub struct Judge<'a> {
    _guard: &'a Guard,
}

impl Judge<'_> {
    /// Judges a message. `record` is the directory's record of
    /// `candidate.account`, `None` if the directory has no such account.
    pub fn examine(&self, _candidate: Candidate<'_>, _record: Option<&Record>) -> Verdict {
        unimplemented!()
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
