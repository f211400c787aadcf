//! Which opaque tokens an account's own identifiers explain: a domain that looks like one, an ID
//! in base64, a company's name as a slug.
//!
//! Input: an account's record, its declared extra columns, and a token. A column of kind `text`
//! explains nothing: what stands there may be anybody's. Infallible.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};

use super::{TOKEN_MIN, is_opaque};
use crate::account::{Kind, Record};
use crate::guard::overlay::PREFIX;
use crate::guard::{Judge, normal};

/// The fewest letters and digits by which a piece of a token is a value.
const VALUE_MIN: usize = 4;

/// An account's identifiers, in the forms in which tokens have them.
pub struct OwnTokens<'a> {
    judge: &'a Judge<'a>,
    record: &'a Record,
    extra: &'a BTreeMap<String, String>,
    /// Made once a token asks.
    forms: OnceCell<Vec<String>>,
}

impl<'a> OwnTokens<'a> {
    /// Of an account's record and its row of the audience.
    pub fn of(judge: &'a Judge<'a>, record: &'a Record, extra: &'a BTreeMap<String, String>) -> Self {
        Self { judge, record, extra, forms: OnceCell::new() }
    }

    /// Whether a token is a piece of an own identifier, has one in it and no token beside that,
    /// or says one in base64, base32 or hex.
    pub fn explains(&self, token: &str) -> bool {
        let forms = self.forms.get_or_init(|| self.forms());
        let bare = bare(token);
        if forms.iter().any(|form| form.contains(&bare)) {
            return true;
        }
        let mut rest = bare;
        for form in forms {
            rest = rest.replace(form.as_str(), " ");
        }
        let is_left = rest.split(' ').any(|rest| rest.len() >= TOKEN_MIN && is_opaque(rest));
        (rest.contains(' ') && !is_left) || decoded(token).any(|text| self.says(&text, forms))
    }

    fn says(&self, text: &str, forms: &[String]) -> bool {
        let text = bare(&normal::fold(text));
        forms.iter().any(|form| text.contains(form.as_str()))
    }

    /// Letters and digits of every identifier, as written and in canonical form; the longest first.
    fn forms(&self) -> Vec<String> {
        let fields = self.record.fields.iter().flat_map(|(name, field)| {
            let kind = self.judge.kind_of(name);
            field.values().map(move |value| (kind, value))
        });
        let kind_of = |name: &str| self.judge.kind_of(&format!("{PREFIX}{name}"));
        let extra = self.extra.iter().map(|(name, cell)| (kind_of(name), cell.as_str()));
        let key = std::iter::once((Kind::Id, self.record.account.as_str()));
        let all = fields.chain(extra).chain(key).filter(|(kind, _)| kind.is_identifier());
        let forms = all.flat_map(|(kind, value)| {
            let canonical = normal::canonical(kind, value, self.judge.country()).ok();
            [Some(bare(&normal::fold(value))), canonical.as_deref().map(bare)]
        });
        let mut forms: Vec<String> = forms.flatten().filter(|form| form.chars().count() >= VALUE_MIN).collect();
        forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        forms
    }
}

/// Letters and digits in lower case.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a token says where it is an encoding of text.
fn decoded(token: &str) -> impl Iterator<Item = String> {
    let bytes = [
        URL_SAFE_NO_PAD.decode(token).ok(),
        STANDARD_NO_PAD.decode(token).ok(),
        BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes()).ok(),
        HEXLOWER_PERMISSIVE.decode(token.as_bytes()).ok(),
    ];
    bytes.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok())
}
