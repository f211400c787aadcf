//! An export file → [`NewAccount`]s, streaming: CSV (UTF-8, with or without a
//! byte order mark) or JSON lines.
//!
//! Each line is checked by itself: its columns, its account key, its address,
//! and every value against its kind. What is wrong is named by line, column and
//! reason, never by value. Lines are canonicalised in parallel, a chunk at a
//! time, in the file's order.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use rayon::prelude::*;

use crate::config::Mapping;
use crate::directory::NewAccount;
use crate::directory::row::{Cell, Reader};
use crate::key::Keys;

/// Lines canonicalised together.
const CHUNK: usize = 4_000;
/// Bad lines that are kept; the rest are counted.
pub const BAD_LINES_MAX: usize = 1_000;

/// One line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1, the header's line included.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// Why; never the value.
    pub why: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {}, column {column}: {}", self.line, self.why),
            None => write!(f, "line {}: {}", self.line, self.why),
        }
    }
}

/// Bad lines: the first ones, and how many in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadLines {
    /// The first [`BAD_LINES_MAX`].
    pub first: Vec<BadLine>,
    /// How many in all.
    pub count: u64,
}

impl BadLines {
    fn push(&mut self, bad: BadLine) {
        self.count += 1;
        if self.first.len() < BAD_LINES_MAX {
            self.first.push(bad);
        }
    }
}

/// Why a file cannot be read as an export at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system says no.
    #[error("the file cannot be read")]
    Io(#[from] std::io::Error),
    /// Not UTF-8.
    #[error(
        "line {line} is not UTF-8 (byte {byte} of the file): convert the export first, for instance with iconv -f SHIFT_JIS -t UTF-8"
    )]
    Encoding {
        /// The line.
        line: u64,
        /// The byte's place in the file.
        byte: u64,
    },
    /// The header has columns that the configuration does not name.
    #[error(
        "the export has columns that directory.columns does not name: {0}; name each with its kind (kind = \"text\" if it names nobody)"
    )]
    Unknown(String),
    /// The configuration names columns that the header does not have.
    #[error("the export lacks columns that directory.columns names: {0}")]
    Missing(String),
    /// Two columns of one name.
    #[error("the export has the column {0:?} twice")]
    Twice(String),
    /// The mapping cannot be used.
    #[error("{0}")]
    Mapping(String),
    /// The importing side has ended.
    #[error("the import was stopped")]
    Stopped,
}

/// Reads an export to its end. `batch` is given accounts, a few thousand at a
/// time, and says whether to go on; `progress` is given the bytes read so far.
///
/// # Errors
/// The file is no export; bad lines are not an error but the answer.
pub fn read(
    file: &Path,
    mapping: &Mapping,
    keys: &Keys,
    mut batch: impl FnMut(Vec<NewAccount>) -> bool,
    mut progress: impl FnMut(u64),
) -> Result<BadLines, ReadError> {
    let reader = Reader::new(mapping, keys).map_err(ReadError::Mapping)?;
    let mut bad = BadLines::default();
    let mut take = |chunk: Vec<Raw>, bytes: u64| {
        let read: Vec<Result<NewAccount, BadLine>> =
            chunk.into_par_iter().map(|raw| raw.and_then(|(line, cells)| reader.account(line, &cells))).collect();
        let mut accounts = Vec::with_capacity(read.len());
        for account in read {
            match account {
                Ok(account) => accounts.push(account),
                Err(line) => bad.push(line),
            }
        }
        progress(bytes);
        if accounts.is_empty() || batch(accounts) { Ok(()) } else { Err(ReadError::Stopped) }
    };
    let opened = File::open(file)?;
    if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("jsonl")) {
        read_json(BufReader::new(opened), mapping, &mut take)?;
    } else {
        read_csv(opened, mapping, &mut take)?;
    }
    Ok(bad)
}

/// A line's number and cells, or why it has none.
type Raw = Result<(u64, Vec<(String, Cell)>), BadLine>;

fn read_csv(
    file: File,
    mapping: &Mapping,
    take: &mut impl FnMut(Vec<Raw>, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut input = BufReader::with_capacity(1 << 16, file);
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let names: Vec<String> = csv.headers().map_err(unreadable)?.iter().map(|name| name.trim().to_owned()).collect();
    check_columns(&names, mapping)?;
    let mut chunk: Vec<Raw> = Vec::with_capacity(CHUNK);
    let mut record = csv::StringRecord::new();
    while csv.read_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, csv::Position::line);
        chunk.push(if record.len() == names.len() {
            Ok((line, names.iter().cloned().zip(record.iter().map(|cell| Cell::Text(cell.to_owned()))).collect()))
        } else {
            let why = format!("it has {} cells, the header {}", record.len(), names.len());
            Err(BadLine { line, column: None, why })
        });
        if chunk.len() == CHUNK {
            take(std::mem::take(&mut chunk), csv.position().byte())?;
        }
    }
    take(chunk, csv.position().byte())
}

fn unreadable(error: csv::Error) -> ReadError {
    let position = error.position().cloned().unwrap_or_else(csv::Position::new);
    match error.into_kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            let position = pos.unwrap_or(position);
            ReadError::Encoding { line: position.line(), byte: position.byte() }
        }
        csv::ErrorKind::Io(error) => ReadError::Io(error),
        _ => ReadError::Encoding { line: position.line(), byte: position.byte() },
    }
}

fn check_columns(names: &[String], mapping: &Mapping) -> Result<(), ReadError> {
    let list = |names: Vec<&str>| names.join(", ");
    if let Some(twice) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
        return Err(ReadError::Twice(twice.1.clone()));
    }
    let unknown: Vec<&str> = names.iter().map(String::as_str).filter(|n| !mapping.columns.contains_key(*n)).collect();
    if !unknown.is_empty() {
        return Err(ReadError::Unknown(list(unknown)));
    }
    let missing: Vec<&str> =
        mapping.columns.keys().map(String::as_str).filter(|n| !names.iter().any(|c| c == n)).collect();
    if missing.is_empty() { Ok(()) } else { Err(ReadError::Missing(list(missing))) }
}

fn read_json(
    mut input: impl BufRead,
    mapping: &Mapping,
    take: &mut impl FnMut(Vec<Raw>, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    /// A line longer than this is no record of one account.
    const LINE_BYTES_MAX: u64 = 10_000_000;
    let mut chunk: Vec<Raw> = Vec::with_capacity(CHUNK);
    let (mut line, mut byte) = (0_u64, 0_u64);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text)? as u64;
        if read == 0 {
            return take(chunk, byte);
        }
        line += 1;
        let text = std::str::from_utf8(&text).map_err(|_| ReadError::Encoding { line, byte })?;
        byte += read;
        let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
        if text.trim().is_empty() {
            continue;
        }
        chunk.push(json_line(line, text, mapping)?);
        if chunk.len() == CHUNK {
            take(std::mem::take(&mut chunk), byte)?;
        }
    }
}

/// One JSON object. A column that is not mapped ends the reading as in CSV: a
/// column that nobody classified may name people.
fn json_line(line: u64, text: &str, mapping: &Mapping) -> Result<Raw, ReadError> {
    let bad = |column: Option<String>, why: &str| Ok(Err(BadLine { line, column, why: why.to_owned() }));
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(text) else {
        return bad(None, "it is no JSON object");
    };
    let mut cells = Vec::with_capacity(object.len());
    for (name, value) in object {
        if !mapping.columns.contains_key(&name) {
            return Err(ReadError::Unknown(format!("{name} (line {line})")));
        }
        let cell = match value {
            serde_json::Value::Null => Cell::Text(String::new()),
            serde_json::Value::String(text) => Cell::Text(text),
            serde_json::Value::Number(number) => Cell::Text(number.to_string()),
            serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_string) => {
                Cell::List(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
            }
            _ => return bad(Some(name), "it is neither text, a number, nor a list of texts"),
        };
        cells.push((name, cell));
    }
    if let Some(missing) = mapping.columns.keys().find(|name| !cells.iter().any(|(cell, _)| cell == *name)) {
        return bad(Some(missing.clone()), "the line does not have it (write null where there is no value)");
    }
    Ok(Ok((line, cells)))
}
