//! A suppression list's file → whole addresses: one address a line, or a CSV
//! whose header says which column, `email` or `address`.
//!
//! Anything else is refused by line: an address that is not taken is somebody
//! who gets mail after asking for none.

use std::io::BufRead;
use std::path::Path;

use crate::address::Address;
use crate::directory::read::BadLine;
use crate::directory::table::{Lines, TableError, split};

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The first line is a header, and the wrong one.
    #[error("line {line}, the header: it names no column email or address; column {column}{name} has addresses")]
    Header {
        /// The line.
        line: u64,
        /// The column with addresses, from 1.
        column: usize,
        /// What it is called, where that is surely no customer's.
        name: String,
    },
    /// Lines that cannot be taken: the first few by number, and how many.
    #[error("{count} of its lines cannot be taken{first}")]
    Lines {
        /// Each on a line of its own.
        first: String,
        /// How many.
        count: usize,
    },
}

/// Bad lines that are named; the rest are counted.
const NAMED: usize = 20;

/// Every address of the file.
///
/// # Errors
/// The file cannot be read, or a line is no address; nothing is taken then.
pub fn read(file: &Path) -> Result<Vec<Address>, ListError> {
    read_lines(Lines::open(file)?)
}

fn read_lines(mut lines: Lines<impl BufRead>) -> Result<Vec<Address>, ListError> {
    let (mut layout, mut addresses, mut bad) = (None, Vec::new(), Vec::new());
    // The first line, where no address is in it, until it is seen what is below it.
    let mut above: Option<(u64, Vec<String>)> = None;
    while let Some((line, text)) = lines.next_line()? {
        let taken = match (split(text), &layout) {
            (Err(why), _) => Err(why.to_owned()),
            (Ok(cells), None) => match Layout::of(&cells) {
                Ok(Some(header)) => {
                    layout = Some(header);
                    continue;
                }
                Ok(None) => {
                    let taken = Layout::PLAIN.address(&cells);
                    above = address_among(&cells).is_none().then_some((line, cells));
                    taken
                }
                Err(why) => Err(why.to_owned()),
            },
            (Ok(cells), Some(layout)) => {
                if let Some((line, header)) = above.take() {
                    not_header(line, &header, &cells)?;
                }
                layout.address(&cells)
            }
        };
        // Only the first line can be a header.
        layout.get_or_insert(Layout::PLAIN);
        match taken {
            Ok(address) => addresses.push(address),
            Err(why) => bad.push(BadLine { line, column: None, why }),
        }
    }
    if bad.is_empty() {
        return Ok(addresses);
    }
    let count = bad.len();
    let mut first: String = bad.iter().take(NAMED).map(|bad| format!("\n  {bad}")).collect();
    if count > NAMED {
        first.push_str(&format!("\n  and {} more", count - NAMED));
    }
    Err(ListError::Lines { first, count })
}

/// The first of these cells that is an address.
fn address_among(cells: &[String]) -> Option<usize> {
    cells.iter().position(|cell| Address::parse(cell).is_ok())
}

/// A first line without an address is a header, if an address stands below it.
fn not_header(line: u64, header: &[String], below: &[String]) -> Result<(), ListError> {
    let Some(column) = address_among(below).filter(|_| below.len() == header.len()) else { return Ok(()) };
    let name = header[column].trim();
    let is_told =
        !name.is_empty() && name.chars().count() <= 30 && !name.contains(|c: char| c == '@' || c.is_numeric());
    let name = if is_told { format!(", {name:?},") } else { String::new() };
    Err(ListError::Header { line, column: column + 1, name })
}

/// Where a line has its address.
struct Layout {
    cells: usize,
    column: usize,
}

impl Layout {
    const PLAIN: Layout = Layout { cells: 1, column: 0 };

    /// The layout that a header tells; `None` when the line is none.
    fn of(cells: &[String]) -> Result<Option<Self>, &'static str> {
        let is_named = |cell: &String| ["email", "address"].contains(&cell.trim().to_lowercase().as_str());
        let mut named = cells.iter().enumerate().filter(|(_, cell)| is_named(cell));
        match (named.next(), named.next()) {
            (Some(_), Some(_)) => Err("the header has both an email and an address column: leave one"),
            (Some((column, _)), None) => Ok(Some(Self { cells: cells.len(), column })),
            (None, _) => Ok(None),
        }
    }

    fn address(&self, cells: &[String]) -> Result<Address, String> {
        if cells.len() != self.cells {
            return Err(match self.cells {
                1 => "write one address a line, or a header that names the column email or address".into(),
                n => format!("it has {} cells, the header {n}", cells.len()),
            });
        }
        let cell = &cells[self.column];
        Address::parse(cell).map_err(|why| match cell.contains(';') {
            true => "no address: write commas, not semicolons, between cells, and one address a line".into(),
            false => format!("no address: {why}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<String>, String> {
        let read = read_lines(Lines::new(text.as_bytes())).map_err(|e| e.to_string())?;
        Ok(read.iter().map(|address| address.as_str().to_owned()).collect())
    }

    #[test]
    fn one_address_a_line_or_a_header_that_names_the_column() {
        let both = || Ok(vec!["a@x.example".to_owned(), "b@y.example".to_owned()]);
        for text in [
            "a@x.example\nb@y.example\n",
            "\u{feff}a@x.example\r\n\r\n\"b@y.example\"",
            "Email\na@x.example\nb@y.example",
            "id, Address ,why\n1,a@x.example,\"moved, twice\"\n2,b@y.example,\n",
        ] {
            assert_eq!(list(text), both(), "{text:?}");
        }
        assert_eq!(list(""), Ok(vec![]));
    }

    #[test]
    fn anything_else_is_refused_by_line_and_nothing_is_taken() {
        for (text, line) in [
            ("a@x.example,b@y.example\n", "line 1: write one address a line"),
            ("a@x.example\n\"b@y.example\nc@z.example\n", "line 2: a quote opens"),
            ("a@x.example\nb@y.example;c@z.example", "line 2: no address: write commas, not semicolons"),
            (
                "id,E-Mail-Adresse\n1,a@x.example",
                "line 1, the header: it names no column email or address; column 2, \"E-Mail-Adresse\", has addresses",
            ),
            ("\nmail\n\na@x.example\nb@x.example", "line 2, the header: "),
            ("1,1\n1,a@x.example", "line 1, the header: it names no column email or address; column 2 has addresses"),
            ("id,mail\na@x.example", "1 of its lines cannot be taken\n  line 1: write one"),
            ("E-Mail-Adresse\nnobody", "line 1: no address"),
            ("id,email\n1,a@x.example,b@y.example", "line 2: it has 3 cells, the header 2"),
            ("email,address\na@x.example,b@y.example", "line 1: the header has both"),
            ("a@x.example\nemail\n", "line 2: no address"),
            ("a@x.example\rb@y.example\r", "line 1: it has a carriage return"),
        ] {
            let refused = list(text).unwrap_err();
            assert!(refused.contains(line), "{text:?}: {refused}");
        }
    }

    #[test]
    fn many_bad_lines_are_counted() {
        let refused = list(&"x\n".repeat(25)).unwrap_err();
        assert!(refused.starts_with("25 of its lines cannot be taken\n  line 1: ") && refused.ends_with("and 5 more"));
    }
}
