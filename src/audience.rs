//! Whom a campaign goes to: a CSV file with the account column, columns that
//! repeat the directory's, and extra columns for the template.
//!
//! The audience never says where mail goes or who owns what. Where a row
//! repeats a directory column, it must agree with the directory.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::account::{AccountId, Field, Record};
use crate::directory::read::BadLine;
use crate::directory::table::{self, Table, TableError};
use crate::guard::normal;
use crate::mapping::{Column, Mapping};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file, from 1, the header's line included.
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
    #[error(transparent)]
    Table(#[from] TableError),
    /// It does not say which accounts.
    #[error("it has no column {0:?}, which is the account's key")]
    NoAccount(String),
    /// Its columns are separated by something else.
    #[error("the columns of its header are separated by \"{0}\": export it with commas")]
    Separator(&'static str),
    /// A column's name cannot stand in a template.
    #[error("its column {0:?} cannot be named in a template: use letters, digits and _, not beginning with a digit")]
    Name(String),
    /// A column's name is nearly one of the directory's.
    #[error("its column {0:?} looks like the directory's {1:?}; did you mean that? If not, name it otherwise")]
    Near(String, String),
    /// Two columns of one name.
    #[error("it has the column {0:?} twice")]
    Twice(String),
}

/// Reads rows one by one.
pub struct Reader {
    rows: Table<BufReader<File>>,
    names: Vec<String>,
    account: usize,
    shared: HashSet<String>,
    extra: Vec<String>,
    seen: HashSet<AccountId>,
    /// Whether the rest cannot be read.
    failed: bool,
}

impl Reader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file is no audience.
    pub fn open(file: &Path, mapping: &Mapping) -> Result<Self, AudienceError> {
        let rows = Table::open(file)?;
        let known = || mapping.columns.keys().map(String::as_str);
        if let Some(other) = rows.other_separator(known()) {
            return Err(AudienceError::Separator(table::shown(other)));
        }
        // A column that the directory has is the directory's, however it is
        // spelt here: as an extra it would escape being compared.
        let names: Vec<String> =
            rows.names().iter().map(|n| table::named(n, known()).unwrap_or(n).to_owned()).collect();
        if let Some((_, twice)) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
            return Err(AudienceError::Twice(twice.clone()));
        }
        let account = names.iter().position(|name| *name == mapping.account);
        let account = account.ok_or_else(|| AudienceError::NoAccount(mapping.account.clone()))?;
        let shared: HashSet<String> =
            names.iter().filter(|name| mapping.columns.contains_key(*name)).cloned().collect();
        let extra: Vec<String> = names.iter().filter(|name| !shared.contains(*name)).cloned().collect();
        if let Some((name, near)) = extra.iter().find_map(|n| Some((n, table::resembles(n, known())?))) {
            return Err(AudienceError::Near(name.clone(), near.to_owned()));
        }
        if let Some(name) = extra.iter().find(|name| !is_name(name)) {
            return Err(AudienceError::Name(name.clone()));
        }
        Ok(Self { rows, names, account, shared, extra, seen: HashSet::new(), failed: false })
    }

    /// The names of the extra columns.
    pub fn extra_columns(&self) -> &[String] {
        &self.extra
    }

    fn row(&mut self, line: u64, cells: &[String]) -> Result<Row, BadLine> {
        let bad = |column: Option<&str>, why: String| BadLine { line, column: column.map(str::to_owned), why };
        let key = &self.names[self.account];
        let account = AccountId::new(&cells[self.account]).map_err(|why| bad(Some(key), why.into()))?;
        if !self.seen.insert(account.clone()) {
            return Err(bad(Some(key), format!("account {account} is there twice")));
        }
        let (mut extra, mut repeats) = (BTreeMap::new(), BTreeMap::new());
        for (name, cell) in self.names.iter().zip(cells) {
            if cell.len() > crate::directory::row::CELL_BYTES_MAX {
                return Err(bad(Some(name), "the cell is longer than 10,000 bytes".into()));
            }
            if cell.chars().any(|c| c.is_control() && c != '\t') {
                return Err(bad(Some(name), "the value has a control character in it".into()));
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
        if self.failed {
            return None;
        }
        let row = match self.rows.next_row() {
            Ok(None) => return None,
            Ok(Some((line, Ok(cells)))) => self.row(line, &cells),
            Ok(Some((line, Err(why)))) => Err(BadLine { line, column: None, why }),
            Err(error) => {
                self.failed = true;
                Err(BadLine { line: self.rows.line(), column: None, why: error.why() })
            }
        };
        Some(row)
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
        let exact = column.is_exact().then(|| normal::exact(value)).flatten();
        exact
            .or_else(|| normal::canonical(column.kind, value, column.country.as_deref()).ok())
            .unwrap_or_else(|| value.to_owned())
    };
    let mut values: Vec<String> = values.map(str::trim).filter(|value| !value.is_empty()).map(form).collect();
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        toml::from_str(
            "account = \"id\"\naddress = \"email\"\n[columns]\nid = { kind = \"id\" }\nemail = { kind = \"email\" }\n\
             order = { kind = \"text\" }\n",
        )
        .unwrap()
    }

    fn read(text: &str) -> Result<Vec<Result<Row, BadLine>>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Ok(Reader::open(file.path(), &mapping()).map_err(|e| e.to_string())?.collect())
    }

    /// The first line that cannot be taken, and why.
    fn bad(text: &str) -> String {
        read(text).unwrap().into_iter().find_map(Result::err).map_or_else(String::new, |bad| bad.to_string())
    }

    #[test]
    fn an_open_quote_is_refused_on_its_line_and_no_row_is_lost() {
        let text = "id,note\n1,n1\n2,\"n2\n3,n3\n4,n4\n";
        let rows = read(text).unwrap();
        assert_eq!(rows.len(), 4);
        assert!(bad(text).starts_with("line 3: a quote opens on this line"), "{}", bad(text));
        assert!(bad("id,note\n1,\"n1").starts_with("line 2: a quote opens"));
    }

    #[test]
    fn a_row_has_the_files_line() {
        let rows = read("\u{feff}id,note\r\n\r\n1,n1\r\n2,n2\r\n").unwrap();
        let lines: Vec<u64> = rows.iter().map(|row| row.as_ref().unwrap().line).collect();
        assert_eq!(lines, [3, 4]);
        assert_eq!(bad("id\r\n1\r\n2\r\n1\r\n"), "line 4, column id: account 1 is there twice");
        assert!(bad("id,note\n1\n").starts_with("line 2: it has 1 cells"));
        assert!(bad("id,note\n1,a\0b\n").starts_with("line 2, column note: "));
    }

    #[test]
    fn a_column_of_the_directory_is_compared_however_it_is_spelt() {
        for header in ["email", "Email", " EMAIL "] {
            let rows = read(&format!("ID,{header}\n1,a@a.example\n")).unwrap();
            let row = rows[0].as_ref().unwrap();
            assert_eq!(row.repeats.get("email").map(String::as_str), Some("a@a.example"), "{header}");
            assert!(row.extra.is_empty());
        }
    }

    #[test]
    fn a_header_that_is_not_clear_is_refused() {
        for (header, why) in [
            ("id,e_mail", "did you mean that?"),
            ("id,email,Email", "twice"),
            ("id,or-der", "did you mean that?"),
            ("email", "no column \"id\""),
            ("id,my note", "cannot be named in a template"),
            ("id\r1\r2", "CR alone"),
            ("", "empty"),
        ] {
            let refused = read(header).err().unwrap_or_default();
            assert!(refused.contains(why), "{header:?}: {refused}");
        }
    }

    #[test]
    fn what_a_row_repeats_agrees_in_canonical_form_only() {
        let record = Record {
            account: AccountId::new("1").unwrap(),
            address: crate::address::Address::parse("a@a.example").unwrap(),
            fields: [("email".to_owned(), Field::One("a@a.example".into()))].into(),
        };
        let agrees = |email: &str| {
            let rows = read(&format!("id,email\n1,{email}\n")).unwrap();
            super::agrees(rows[0].as_ref().unwrap(), &record, &mapping()).is_ok()
        };
        assert!(agrees("A@A.EXAMPLE") && !agrees("b@a.example") && !agrees(""));
    }
}
