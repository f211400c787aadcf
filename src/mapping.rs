//! Which column of a directory's export is what: what it holds, and how it is read.
//!
//! A value of the configuration, stored with every directory version; the guard reads by it
//! what identifies an account. Names no room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::Kind;

/// `[directory]`: which column is what. Stored with every directory version,
/// because a version can only be read with the mapping it was loaded by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The column that is the account's key.
    pub account: String,
    /// The column that mail goes to.
    pub address: String,
    /// What the export is encoded in, where it is neither UTF-8 nor has a byte order
    /// mark: `cp932`, `utf-16`, `windows-1252`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What separates the export's cells. Default: a comma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    /// Every column of the export, by name.
    pub columns: BTreeMap<String, Column>,
    /// The largest share of accounts, in percent, whose address, name or
    /// domains may differ from the version before.
    #[serde(default = "Mapping::default_drift")]
    pub drift_percent_max: f64,
}

impl Mapping {
    fn default_drift() -> f64 {
        5.0
    }

    /// The columns of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(move |(_, c)| c.kind == kind).map(|(name, _)| name.as_str())
    }
}

/// One column of a directory export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What sort of value it holds.
    pub kind: Kind,
    /// The separator, when a cell holds a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<char>,
    /// The regular expression that the whole value matches. An `id` needs one: by
    /// it the guard knows an ID in a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// For `phone`: the region that national numbers belong to (`JP`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Whether one value may belong to one account only. Default: ids, yes;
    /// everything else, no (households share an address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// For `id`: whether values that differ by the case of their letters alone are one.
    #[serde(default, skip_serializing_if = "LetterCase::is_folded")]
    pub case: LetterCase,
}

/// What the case of a value's letters says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterCase {
    /// Nothing: `AB0012` and `ab0012` are one.
    #[default]
    Folded,
    /// `aB0012` and `Ab0012` are two. This is asked of the letters A to Z; others fold.
    Exact,
}

impl LetterCase {
    fn is_folded(&self) -> bool {
        *self == LetterCase::Folded
    }
}

/// What is said of a column of kind `id` that has no pattern.
pub const NO_PATTERN: &str = "is an id without a pattern, and could not be recognised in a message; \
    write what its whole value looks like, as in pattern = \"[0-9]{8}\"";

impl Column {
    /// Whether values that differ by case alone are two.
    pub fn is_exact(&self) -> bool {
        self.case == LetterCase::Exact
    }

    /// Whether one value may belong to one account only.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive.unwrap_or(self.kind == Kind::Id)
    }
}

/// Whether telephone numbers can be read by this region's plan.
pub fn is_region(country: &str) -> bool {
    use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};
    let region = country.to_ascii_uppercase().parse::<Region>().ok();
    region.and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region)).is_some()
}
