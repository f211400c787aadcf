//! IDs whose case counts: `aB0012` and `Ab0012` are two accounts, where a directory's column
//! says `case = "exact"`.
//!
//! IDs are found in folded text, and looked up folded. Where that is an exact column's,
//! how it is written says whose it is:
//!
//! | written | is |
//! |---|---|
//! | exactly as the account's own | own |
//! | exactly as another's | that account's |
//! | as nobody's, and folded the own one | own: software folded it |
//! | as nobody's, and folded another's alone | that account's |
//!
//! Input: the text of a view, and its folded form. Where the two cannot be laid side by side,
//! or a number is put together of pieces, an own ID that another account shares but for its
//! case is that account's: it may be.

use std::cell::OnceCell;

use crate::account::{AccountId, Kind};
use crate::guard::find::Token;
use crate::guard::normal;
use crate::guard::rules::Case;

/// A text beside its folded form.
pub struct Written<'t> {
    /// `None`: how it was written is not known.
    text: Option<&'t str>,
    folded: &'t str,
    cased: OnceCell<Option<String>>,
}

/// Whose an ID is by its case.
pub enum Exactly {
    /// It is as the account writes it.
    Own,
    /// It is the account's, and another's but for its case: it may have meant either.
    Either,
    /// It is another's.
    Other(AccountId),
    /// Case does not say.
    Unsaid,
}

impl<'t> Written<'t> {
    /// A text that was folded.
    pub fn new(text: &'t str, folded: &'t str) -> Self {
        Self { text: Some(text), folded, cased: OnceCell::new() }
    }

    /// A folded text of which nobody knows how it was written.
    pub fn unknown(folded: &'t str) -> Self {
        Self { text: None, folded, cased: OnceCell::new() }
    }

    /// The letters and digits of a token as they are written, without what is not of its
    /// value.
    fn of(&self, token: &Token<'_>) -> Option<String> {
        let cased = self.cased.get_or_init(|| normal::cased(self.text?, self.folded)).as_deref()?;
        let written = cased.get(token.start..token.start + token.text.len())?;
        let bare: String = written.chars().filter(|c| c.is_alphanumeric()).collect();
        match token.value.as_deref() {
            // Zeros may be missing before it, or stand there; a check digit behind it.
            Some(value) if !bare.eq_ignore_ascii_case(value) => {
                let at = bare.to_ascii_lowercase().find(value);
                Some(at.map_or_else(|| value.to_owned(), |at| bare[at..at + value.len()].to_owned()))
            }
            _ => Some(bare),
        }
    }
}

/// Whose an ID is by its case; `folded` is its canonical form.
pub fn whose(case: &Case<'_>, token: &Token<'_>, written: &Written<'_>, folded: &str) -> Exactly {
    let is_own = case.own.has(Kind::Id, folded);
    if let Some(bare) = written.of(token) {
        let exact = normal::exact_of(&bare);
        if case.own.has(Kind::Id, &exact) {
            return Exactly::Own;
        }
        if let Some(other) = case.guard.owner(Kind::Id, &exact) {
            return Exactly::Other(other);
        }
    }
    let owners = || case.guard.index().owners(case.guard.keys().identifier(Kind::Id, folded));
    let other = || owners().into_iter().find(|owner| owner != case.account);
    match (is_own, written.text) {
        (false, _) => Exactly::Unsaid,
        (true, Some(_)) if written.of(token).is_some() => other().map_or(Exactly::Own, |_| Exactly::Either),
        (true, _) => other().map_or(Exactly::Own, Exactly::Other),
    }
}
