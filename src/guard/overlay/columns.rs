//! The declared columns of an audience, and the values of its cells.
//!
//! Input: declarations as the campaign file has them; cells as plain text.
//! Output: canonical values by the guard's own normal form. Errors: what is
//! wrong with a declaration, or which cell is no value of its column.

use std::collections::BTreeMap;

use regex::Regex;

use crate::account::Kind;
use crate::guard::normal;
use crate::key::Keys;
use crate::mapping::{Column, NO_PATTERN};

/// The most columns that may be declared: a bit stands for each.
const COLUMNS_MAX: usize = 32;

/// The declared columns, ready to read cells.
pub struct Columns(pub(super) Vec<Declared>);

/// One of them.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) column: Column,
    pattern: Option<Regex>,
}

/// A cell that is no value of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// The column.
    pub column: String,
    /// Why.
    pub why: &'static str,
}

/// One value of a cell.
pub(super) struct Value<'v> {
    pub(super) column: u8,
    pub(super) kind: Kind,
    pub(super) written: &'v str,
    pub(super) canonical: String,
}

impl Columns {
    /// Reads declarations. A column of kind `text` is declared to name nobody,
    /// and is none of these.
    ///
    /// # Errors
    /// What is wrong with one: a secret, an ID without a pattern, a pattern that
    /// is no regular expression, too many.
    pub fn new(declared: &BTreeMap<String, Column>) -> Result<Self, String> {
        let mut columns = Vec::new();
        for (name, column) in declared {
            let key = format!("extra.{name}");
            match (column.kind, &column.pattern) {
                (Kind::Secret, _) => return Err(format!("{key} is a secret, and a secret is never sent")),
                (Kind::Id, None) => {
                    return Err(format!("{key} {NO_PATTERN}"));
                }
                _ if column.is_exact() => {
                    return Err(format!("{key}.case: only a column of the directory can be exact"));
                }
                (Kind::Text, Some(_)) => return Err(format!("{key} is text, which names nobody, and has a pattern")),
                _ => {}
            }
            let whole = |pattern: &String| Regex::new(&format!("^(?:{pattern})$"));
            let pattern = column.pattern.as_ref().map(whole).transpose().map_err(|e| format!("{key}.pattern: {e}"))?;
            if pattern.as_ref().is_some_and(|pattern| pattern.is_match("")) {
                return Err(format!("{key}.pattern matches nothing at all"));
            }
            if column.kind.is_identifier() {
                columns.push(Declared { name: name.clone(), column: column.clone(), pattern });
            }
        }
        if columns.len() > COLUMNS_MAX {
            return Err(format!("{} extra columns are declared, {COLUMNS_MAX} are the most", columns.len()));
        }
        Ok(Self(columns))
    }

    /// Whether none is declared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, as the audience has them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|declared| declared.name.as_str())
    }

    /// The values of one account's cells; empty cells have none.
    pub(super) fn values<'v>(&self, cells: &'v BTreeMap<String, String>) -> Result<Vec<Value<'v>>, BadCell> {
        let mut values = Vec::new();
        for (number, declared) in self.0.iter().enumerate() {
            let bad = |why| BadCell { column: declared.name.clone(), why };
            let cell = cells.get(&declared.name).map_or("", String::as_str);
            let parts = match declared.column.list {
                Some(separator) => cell.split(separator).collect(),
                None => vec![cell],
            };
            for written in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
                if declared.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(written)) {
                    return Err(bad("the value does not match the column's pattern"));
                }
                let kind = declared.column.kind;
                let canonical = normal::canonical(kind, written, declared.column.country.as_deref()).map_err(bad)?;
                values.push(Value { column: number as u8, kind, written, canonical });
            }
        }
        Ok(values)
    }

    /// The keyed hashes of one account's values, each with its column and the
    /// value as written: how a conflict is found again in the audience.
    ///
    /// # Errors
    /// A cell that is no value of its column.
    pub fn hashes(
        &self,
        keys: &Keys,
        cells: &BTreeMap<String, String>,
    ) -> Result<Vec<(u128, String, String)>, BadCell> {
        let values = self.values(cells)?;
        let hash = |value: Value<'_>| {
            let name = self.0[usize::from(value.column)].name.clone();
            (keys.identifier(value.kind, &value.canonical), name, value.written.to_owned())
        };
        Ok(values.into_iter().map(hash).collect())
    }

    /// Whether one value may belong to one account only: all but names, of which
    /// there are namesakes, unless the declaration says otherwise.
    pub(super) fn is_exclusive(&self, number: u8) -> bool {
        let Some(declared) = self.0.get(usize::from(number)) else { return false };
        let is_name = matches!(declared.column.kind, Kind::Person | Kind::Organisation);
        declared.column.exclusive.unwrap_or(!is_name)
    }
}
