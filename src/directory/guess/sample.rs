//! A file → the head of an export, column by column.
//!
//! Input: a file, of which nothing is known. Output: its encoding, its separator, its
//! columns and at most [`ROWS_MAX`] rows of values, trimmed, empty ones left out. The file
//! is read as an import reads it ([`Lines`], [`Table`]), so that what is guessed can be
//! imported. Memory: at most [`BYTES_MAX`] bytes of values, and one line. Errors: why it is
//! no export; they name lines and columns, never values.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::account::Kind;
use crate::address::Address;
use crate::directory::encoding::Encoding;
use crate::directory::guess::charset::Evidence;
use crate::directory::read::{cell, is_json, members};
use crate::directory::row::Cell;
use crate::directory::table::{Lines, Table, TableError, split_at};
use crate::guard::normal;

/// The most rows that are sampled.
pub const ROWS_MAX: u64 = 10_000;
/// The most bytes of values that are kept.
pub const BYTES_MAX: usize = 32 << 20;
/// Lines by which the separator is found.
const LINES_OF_SEPARATOR: usize = 50;

/// The head of an export.
#[derive(Debug, Default)]
pub struct Sample {
    /// Its encoding, where it is not UTF-8.
    pub encoding: Option<&'static str>,
    /// Its separator, where it is not a comma.
    pub separator: Option<char>,
    /// Its columns.
    pub columns: Vec<SampledColumn>,
    /// Rows that were read.
    pub rows: u64,
    /// Rows that an import would refuse, whatever their values.
    pub broken: u64,
    /// Whether the file goes on.
    pub has_more: bool,
    bytes: usize,
}

/// One column of it.
#[derive(Debug, Default)]
pub struct SampledColumn {
    /// Its name in the header.
    pub name: String,
    /// Its values that are not empty, with the rows that they stand in.
    pub values: Vec<(u64, String)>,
    /// Whether a value is a list of JSON.
    pub has_lists: bool,
}

/// Why a file is no export.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// It cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No encoding is likely.
    #[error("line {0} is not UTF-8, and no other encoding fits the file")]
    Encoding(u64),
    /// Its first line has values.
    #[error("its first line looks like data: a header with the names of the columns is missing")]
    NoHeader,
    /// A column without a name.
    #[error("column {0} of its header has no name")]
    Nameless(usize),
    /// Two columns of one name.
    #[error("its header has the column {0:?} twice")]
    Twice(String),
    /// Nothing below the header.
    #[error("it has no row with as many cells as its header")]
    NoRows,
    /// JSON lines under another name.
    #[error("it has JSON lines, which are read only from a file with a name that ends in .jsonl")]
    JsonName,
}

impl SampleError {
    /// What to do about it.
    pub fn now(&self) -> &'static str {
        match self {
            Self::Table(TableError::Io(_)) => "name a file that you may read",
            Self::Table(_) | Self::NoRows => "export it again as CSV with a header, one account a line",
            Self::Encoding(_) => "export it as UTF-8, or convert it with iconv",
            Self::NoHeader => "write a first line that names each column, or export it with one",
            Self::Nameless(_) => "give each column a name, or take out a separator at the end of each line",
            Self::Twice(_) => "give each column a name of its own",
            Self::JsonName => "rename the file",
        }
    }
}

impl Sample {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// It is no export.
    pub fn read(file: &Path) -> Result<Self, SampleError> {
        let mut input = BufReader::with_capacity(1 << 16, File::open(file).map_err(TableError::from)?);
        let evidence = Evidence::read(&mut input).map_err(TableError::from)?;
        let encoding = evidence.encoding().map_err(SampleError::Encoding)?;
        let sample = Self { encoding, ..Self::default() };
        let mut read = if is_json(file) { sample.json(file)? } else { sample.table(file)? };
        read.columns.iter_mut().for_each(|column| column.values.shrink_to_fit());
        if read.rows == 0 { Err(SampleError::NoRows) } else { Ok(read) }
    }

    fn lines(&self, file: &Path) -> Result<Lines<BufReader<File>>, TableError> {
        let encoding = self.encoding.and_then(Encoding::named).unwrap_or(Encoding::Utf8);
        Ok(Lines::open(file)?.encoded(encoding))
    }

    fn is_full(&self) -> bool {
        self.rows + self.broken >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    fn table(mut self, file: &Path) -> Result<Self, SampleError> {
        let mut first = Vec::new();
        let mut lines = self.lines(file)?;
        while first.len() < LINES_OF_SEPARATOR && first.iter().map(String::len).sum::<usize>() < BYTES_MAX {
            let Some((_, text)) = lines.next_line()? else { break };
            first.push(text.to_owned());
        }
        let separator = separator(&first);
        self.separator = Some(separator).filter(|separator| *separator != ',');
        if first.first().is_some_and(|text| matches!(members(text), Some(members) if !members.is_empty())) {
            return Err(SampleError::JsonName);
        }
        let mut table = Table::separated(self.lines(file)?, separator)?;
        self.columns = header(table.names())?;
        while let Some((_, cells)) = table.next_row()? {
            if self.is_full() {
                self.has_more = true;
                break;
            }
            match cells {
                Ok(cells) => {
                    let cells = cells.into_iter().map(Cell::Text).enumerate().collect();
                    self.take(cells);
                }
                Err(_) => self.broken += 1,
            }
        }
        Ok(self)
    }

    fn json(mut self, file: &Path) -> Result<Self, SampleError> {
        let mut lines = self.lines(file)?;
        let mut is_empty = true;
        while let Some((_, text)) = lines.next_line()? {
            if text.trim().is_empty() {
                continue;
            }
            if self.is_full() {
                self.has_more = true;
                break;
            }
            is_empty = false;
            match members(text).and_then(|members| self.cells(members)) {
                Some(cells) => self.take(cells),
                None => self.broken += 1,
            }
        }
        if is_empty { Err(TableError::Empty.into()) } else { Ok(self) }
    }

    /// The cells of a JSON object by their columns; new ones are added. `None` where an
    /// import would refuse it.
    fn cells(&mut self, members: Vec<(String, serde_json::Value)>) -> Option<Vec<(usize, Cell)>> {
        let mut cells: Vec<(usize, Cell)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            let cell = cell(value)?;
            let name = name.trim();
            let at = match self.columns.iter().position(|column| column.name == name) {
                Some(at) => at,
                None => {
                    self.columns.push(SampledColumn { name: name.to_owned(), ..SampledColumn::default() });
                    self.columns.len() - 1
                }
            };
            if cells.iter().any(|(other, _)| *other == at) {
                return None;
            }
            cells.push((at, cell));
        }
        Some(cells)
    }

    fn take(&mut self, cells: Vec<(usize, Cell)>) {
        let row = self.rows;
        self.rows += 1;
        for (at, cell) in cells {
            let Some(column) = self.columns.get_mut(at) else { continue };
            let values = match cell {
                Cell::Text(text) => vec![text],
                Cell::List(items) => {
                    column.has_lists = true;
                    items
                }
            };
            for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
                self.bytes += value.len() + size_of::<(u64, String)>();
                column.values.push((row, value.to_owned()));
            }
        }
    }
}

/// What separates the cells: that by which most lines have as many as the header.
fn separator(lines: &[String]) -> char {
    let Some((header, rows)) = lines.split_first() else { return ',' };
    let count = |text: &str, separator| split_at(text, separator).map_or(0, |cells| cells.len());
    let fits = |separator: &char| {
        let columns = count(header, *separator);
        let same = rows.iter().filter(|row| count(row, *separator) == columns).count();
        (columns > 1).then_some((same, columns))
    };
    let best = [',', ';', '\t', '|'].into_iter().filter_map(|separator| Some((fits(&separator)?, separator)));
    best.max_by_key(|(fits, _)| *fits).map_or(',', |(_, separator)| separator)
}

/// The columns that a header names.
fn header(names: &[String]) -> Result<Vec<SampledColumn>, SampleError> {
    if names.iter().any(|name| is_value(name)) {
        return Err(SampleError::NoHeader);
    }
    if let Some(at) = names.iter().position(String::is_empty) {
        return Err(SampleError::Nameless(at + 1));
    }
    if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(SampleError::Twice(twice.clone()));
    }
    Ok(names.iter().map(|name| SampledColumn { name: name.clone(), ..SampledColumn::default() }).collect())
}

/// Whether no column is called so: an address, a host, or a number.
fn is_value(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let is_number = digits >= 3 && !name.chars().any(char::is_alphabetic);
    let is_host = |name: &str| {
        let end = name.rsplit('.').next().unwrap_or_default();
        name.is_ascii() && end.len() >= 2 && normal::canonical(Kind::Domain, name, None).is_ok()
    };
    is_number || Address::parse(name).is_ok() || is_host(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<Sample, SampleError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        Sample::read(&file)
    }

    #[test]
    fn separators_are_found_even_where_cells_have_others() {
        for (text, separator) in [
            ("id,email,domains\n1,a@a.example,a.example;b.example;c.example\n", None),
            ("id;email;note\n1;a@a.example;one, two\n2;b@b.example;three, four, five\n", Some(';')),
            ("id\temail\n1\ta@a.example\n", Some('\t')),
            ("id|email\n1|a@a.example\n", Some('|')),
            ("email\na@a.example\n", None),
        ] {
            let sample = read("x.csv", text.as_bytes()).unwrap();
            assert_eq!((sample.separator, sample.broken), (separator, 0), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_export_is_told_with_what_to_do() {
        let told = |name: &str, bytes: &[u8]| read(name, bytes).unwrap_err().to_string();
        for (name, text, why) in [
            ("x.csv", &b""[..], "the file is empty"),
            ("x.csv", b"\n\n", "the file is empty"),
            ("x.jsonl", b"", "the file is empty"),
            ("x.csv", b"10000001,ada@a.example\n10000002,bob@b.example\n", "its first line looks like data"),
            ("x.csv", b"ada,a.example\n", "its first line looks like data"),
            ("x.csv", b"QX,03-5550-0000\n", "its first line looks like data"),
            ("x.csv", b"id,,email\n1,2,3\n", "column 2 of its header has no name"),
            ("x.csv", b"id,email, id\n1,2,3\n", "the column \"id\" twice"),
            ("x.csv", b"id,email\n", "no row"),
            ("x.csv", b"id,email\n1,x,y\n", "no row"),
            ("x.csv", b"id,email\n1,\x81\xff\xfe\x80\n", "line 2 is not UTF-8"),
            ("x.txt", b"{\"id\":1}\n", "ends in .jsonl"),
            ("x.csv", b"\"id\n", "line 1, the header"),
        ] {
            let error = told(name, text);
            assert!(error.contains(why) && !error.contains("ada"), "{error}");
        }
        assert!(Sample::read(Path::new("/nonexistent/x.csv")).unwrap_err().now().contains("may read"));
    }

    #[test]
    fn of_a_long_file_the_head_is_kept() {
        let text = format!("id,email\n{}", "1,a@a.example\n".repeat(ROWS_MAX as usize + 1));
        let sample = read("x.csv", text.as_bytes()).unwrap();
        assert_eq!((sample.rows, sample.has_more), (ROWS_MAX, true));
        let whole = read("x.csv", text.strip_suffix("1,a@a.example\n").unwrap().as_bytes()).unwrap();
        assert_eq!((whole.rows, whole.has_more), (ROWS_MAX, false));
    }

    #[test]
    fn json_lines_bring_their_columns() {
        let text = "{\"id\":1,\"domains\":[\"a.example\",\"b.example\"]}\n[1]\n{\"id\":2,\"id\":3}\n{\"id\":4,\"email\":null}\n";
        let sample = read("x.jsonl", text.as_bytes()).unwrap();
        let names: Vec<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names, sample.rows, sample.broken), (vec!["id", "domains", "email"], 2, 2));
        assert!(sample.columns[1].has_lists && sample.columns[1].values.len() == 2);
    }
}
