//! Whom a campaign goes to: a CSV file with the account column, columns that
//! repeat the directory's, and extra columns for the template.
//!
//! The audience never says where mail goes or who owns what. Where a row
//! repeats a directory column, it must agree with the directory.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::Path;

use crate::account::{AccountId, Field, Record};
use crate::config::{Column, Mapping};
use crate::directory::read::BadLine;
use crate::guard::normal;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line, from 1.
    pub line: u64,
    /// The account.
    pub account: AccountId,
    /// Columns that the directory does not have: `extra.*` in templates.
    pub extra: BTreeMap<String, String>,
    /// Columns that the directory has as well.
    pub repeats: BTreeMap<String, String>,
}

/// Why a file is no audience.
#[derive(Debug, thiserror::Error)]
pub enum AudienceError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Csv(#[from] csv::Error),
    /// It does not say which accounts.
    #[error("it has no column {0:?}, which is the account's key")]
    NoAccount(String),
    /// A column's name cannot stand in a template.
    #[error("its column {0:?} cannot be named in a template: use letters, digits and _, not beginning with a digit")]
    Name(String),
    /// Two columns of one name.
    #[error("it has the column {0:?} twice")]
    Twice(String),
}

/// Reads rows one by one.
pub struct Reader {
    rows: csv::StringRecordsIntoIter<File>,
    names: Vec<String>,
    account: usize,
    shared: HashSet<String>,
    extra: Vec<String>,
    seen: HashSet<AccountId>,
}

impl Reader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file is no audience.
    pub fn open(file: &Path, mapping: &Mapping) -> Result<Self, AudienceError> {
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
        let names: Vec<String> =
            csv.headers()?.iter().map(|n| n.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        if let Some((_, twice)) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
            return Err(AudienceError::Twice(twice.clone()));
        }
        let account = names.iter().position(|name| *name == mapping.account);
        let account = account.ok_or_else(|| AudienceError::NoAccount(mapping.account.clone()))?;
        let shared: HashSet<String> =
            names.iter().filter(|name| mapping.columns.contains_key(*name)).cloned().collect();
        let extra: Vec<String> = names.iter().filter(|name| !shared.contains(*name)).cloned().collect();
        if let Some(name) = extra.iter().find(|name| !is_name(name)) {
            return Err(AudienceError::Name(name.clone()));
        }
        Ok(Self { rows: csv.into_records(), names, account, shared, extra, seen: HashSet::new() })
    }

    /// The names of the extra columns.
    pub fn extra_columns(&self) -> &[String] {
        &self.extra
    }

    fn row(&mut self, record: &csv::StringRecord) -> Result<Row, BadLine> {
        let line = record.position().map_or(0, csv::Position::line);
        let bad = |column: Option<&str>, why: String| BadLine { line, column: column.map(str::to_owned), why };
        if record.len() != self.names.len() {
            return Err(bad(None, format!("it has {} cells, the header {}", record.len(), self.names.len())));
        }
        let key = &self.names[self.account];
        let account = AccountId::new(&record[self.account]).map_err(|why| bad(Some(key), why.into()))?;
        if !self.seen.insert(account.clone()) {
            return Err(bad(Some(key), format!("account {account} is there twice")));
        }
        let (mut extra, mut repeats) = (BTreeMap::new(), BTreeMap::new());
        for (name, cell) in self.names.iter().zip(record.iter()) {
            if cell.len() > crate::directory::row::CELL_BYTES_MAX {
                return Err(bad(Some(name), "the cell is longer than 10,000 bytes".into()));
            }
            let columns = if self.shared.contains(name) { &mut repeats } else { &mut extra };
            columns.insert(name.clone(), cell.trim().to_owned());
        }
        Ok(Row { line, account, extra, repeats })
    }
}

impl Iterator for Reader {
    type Item = Result<Row, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.next()? {
            Ok(record) => Some(self.row(&record)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                Some(Err(BadLine { line, column: None, why: "it is not UTF-8, or its quotes are not closed".into() }))
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A column in which a row and the directory differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The column.
    pub column: String,
}

/// Whether a row says what the directory says, in canonical form.
///
/// # Errors
/// The first column that differs.
pub fn agrees(row: &Row, record: &Record, mapping: &Mapping) -> Result<(), Disagreement> {
    for (name, cell) in &row.repeats {
        // A secret is not kept in the record; the guard sees to it.
        let (Some(column), Some(field)) = (mapping.columns.get(name), record.fields.get(name)) else { continue };
        if canonical_row(cell, column) != canonical_field(field, column) {
            return Err(Disagreement { column: name.clone() });
        }
    }
    Ok(())
}

fn canonical_row(cell: &str, column: &Column) -> Vec<String> {
    let values: Vec<&str> = match column.list {
        Some(separator) => cell.split(separator).collect(),
        None => vec![cell],
    };
    canonical(values.into_iter(), column)
}

fn canonical_field(field: &Field, column: &Column) -> Vec<String> {
    canonical(field.values(), column)
}

fn canonical<'a>(values: impl Iterator<Item = &'a str>, column: &Column) -> Vec<String> {
    let form = |value: &str| {
        normal::canonical(column.kind, value, column.country.as_deref()).unwrap_or_else(|_| value.to_owned())
    };
    let mut values: Vec<String> = values.map(str::trim).filter(|value| !value.is_empty()).map(form).collect();
    values.sort_unstable();
    values.dedup();
    values
}
