//! Normal form: one function for both sides. It makes the directory's keys and
//! reads the message's tokens, so that two spellings of one value are equal.
//!
//! [`fold`] is the common ground, for values and for whole texts; [`canonical`]
//! adds what a kind needs. Both are idempotent, and `canonical` begins with
//! `fold`: what a scanner finds in folded text has the same canonical form as
//! what stood there before.
//!
//! | kind | canonical form |
//! |---|---|
//! | id | folded, letters and digits only |
//! | email | folded local part, `@`, host |
//! | domain | A-labels, at least two, no dot at the end |
//! | phone | E.164 |
//! | person, organisation | [`name`] |
//! | secret | as written, without the white space around it |
//! | text | folded, without the white space around it |
//!
//! Errors: a few words on why the value is none of its kind.
//! Sources: UAX 15 (NFKC), UTS 46 (hosts), E.164, RFC 5322 (atoms).

mod capital;
mod cased;
pub mod company;
mod fold;
mod host;
mod id;
mod name;
mod phone;
mod readings;
mod search;

pub use capital::{as_form, capital, capital_form, is_capital_form, may_be_capital};
pub use cased::{EXACT, cased, exact, exact_of};
pub use fold::{TOP_LEVEL, fold};
pub use name::{
    MIDDLE_DOT, is_between, is_han, is_hangul, is_joined, is_spaceless, is_title, is_within, name, name_of_searched,
    spelled, word,
};
pub use phone::{digits as phone_digits, is_dialable};
pub use readings::{cue, cued, halves, indexed, readings};
pub use search::search;

use crate::account::Kind;

/// The canonical form of a value, or why it has none.
///
/// `country` is the two-letter region that national phone numbers belong to.
///
/// # Errors
/// A few words on why the value is none of its kind ("no host name").
pub fn canonical(kind: Kind, value: &str, country: Option<&str>) -> Result<String, &'static str> {
    match kind {
        Kind::Id => id::canonical(value),
        Kind::Email => host::email(value),
        Kind::Domain => host::canonical(value),
        Kind::Phone => phone::canonical(value, country),
        Kind::Person | Kind::Organisation => Some(name(value)).filter(|n| !n.is_empty()).ok_or("no name"),
        Kind::Secret => Some(value.trim().to_owned()).filter(|v| !v.is_empty()).ok_or("no value"),
        Kind::Text => Ok(fold(value).trim().to_owned()),
    }
}

/// Every form that a value is known by: its canonical form, of a telephone number its digits
/// as well, and of a host or an address what capitals leave of it.
///
/// # Errors
/// As [`canonical`].
pub fn forms(kind: Kind, value: &str, country: Option<&str>) -> Result<Vec<String>, &'static str> {
    let canonical = canonical(kind, value, country)?;
    if matches!(kind, Kind::Domain | Kind::Email) {
        let plain = capital_form(&canonical);
        return Ok(std::iter::once(canonical).chain(plain).collect());
    }
    if kind != Kind::Phone {
        return Ok(vec![canonical]);
    }
    let written = fold(value);
    let end = written.find(|c: char| c.is_alphabetic() || c == ';').filter(|end| *end > 0).unwrap_or(written.len());
    let digits = phone::digits(&written[..end]);
    Ok(if digits == canonical || digits.len() < PHONE_DIGITS_MIN { vec![canonical] } else { vec![canonical, digits] })
}

/// The fewest digits by which a telephone number is known, and the sign before them.
const PHONE_DIGITS_MIN: usize = 7;

#[cfg(test)]
mod tests;
