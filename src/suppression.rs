//! A suppression list's file → whole addresses: one address a line, or a CSV
//! with a column `email` or `address`.

use std::path::Path;

use crate::address::Address;

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(String),
    /// Lines that are no addresses: the first few by number, and how many.
    #[error("{count} lines are no addresses: {first}")]
    Lines {
        /// `line 3 (why), line 9 (why)`.
        first: String,
        /// How many.
        count: usize,
    },
}

/// Every address of the file.
///
/// # Errors
/// The file cannot be read, or a line is no address; nothing is taken then.
pub fn read(file: &Path) -> Result<Vec<Address>, ListError> {
    let text = std::fs::read_to_string(file).map_err(|e| ListError::Io(e.to_string()))?;
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let (mut column, mut addresses, mut bad) = (0, Vec::new(), Vec::new());
    for (n, row) in rows.records().enumerate() {
        let row = row.map_err(|e| ListError::Io(e.to_string()))?;
        let header = row.iter().position(|cell| ["email", "address"].contains(&cell.to_ascii_lowercase().as_str()));
        if let (0, Some(named)) = (n, header) {
            column = named;
            continue;
        }
        match Address::parse(row.get(column).unwrap_or_default()) {
            Ok(address) => addresses.push(address),
            Err(why) => bad.push(format!("line {} ({why})", row.position().map_or(n as u64 + 1, csv::Position::line))),
        }
    }
    if bad.is_empty() {
        return Ok(addresses);
    }
    let count = bad.len();
    bad.truncate(10);
    Err(ListError::Lines { first: bad.join(", "), count })
}
