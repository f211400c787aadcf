//! A text file → its numbered lines, and a CSV file → the cells of each line.
//!
//! "Line" has one meaning everywhere: the file's own line number, from 1, the
//! header's line included. One record is one line (RFC 4180 without its line
//! breaks in cells): a line break in a cell is refused at the line where its
//! quote opened, so a quote that is never closed can swallow nothing, and
//! memory holds one line of at most [`LINE_BYTES_MAX`].
//!
//! Lines end with LF or CRLF; a byte order mark and empty lines are passed
//! over. Who reads people's lists (export, audience, suppressions, manifest)
//! reads them through here.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The longest line, in bytes: more is no record of one account.
pub const LINE_BYTES_MAX: u64 = 10_000_000;

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system says no.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// Not UTF-8.
    #[error(
        "line {line} is not UTF-8 (byte {byte} of the file): convert the file first, for instance with iconv -f SHIFT_JIS -t UTF-8"
    )]
    Encoding {
        /// The line.
        line: u64,
        /// The byte's place in the file, from 0.
        byte: u64,
    },
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("line {line} is longer than 10,000,000 bytes, which no record is: lines end with LF or CRLF")]
    Long {
        /// The line.
        line: u64,
    },
    /// A CSV file's header cannot be split into names.
    #[error("line {line}, the header: {why}")]
    Header {
        /// The line.
        line: u64,
        /// Why.
        why: &'static str,
    },
    /// Nothing is in it, not even a header.
    #[error("the file is empty: its first line names the columns")]
    Empty,
}

impl TableError {
    /// What is wrong, for whoever names the line.
    pub fn why(&self) -> String {
        match self {
            Self::Encoding { .. } => "it is not UTF-8: convert the file first".into(),
            Self::Long { .. } => "it is longer than 10,000,000 bytes, which no record is".into(),
            Self::Header { why, .. } => (*why).into(),
            Self::Io(error) => format!("the file cannot be read: {error}"),
            Self::Empty => self.to_string(),
        }
    }
}

/// A file's lines, one in memory at a time.
pub struct Lines<R> {
    input: R,
    text: Vec<u8>,
    line: u64,
    byte: u64,
}

impl Lines<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(file: &Path) -> Result<Self, TableError> {
        Ok(Self::new(BufReader::with_capacity(1 << 16, File::open(file)?)))
    }
}

impl<R: BufRead> Lines<R> {
    /// Reads from an open file.
    pub fn new(input: R) -> Self {
        Self { input, text: Vec::new(), line: 0, byte: 0 }
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.byte
    }

    /// The next line that is not empty, and its number, without its line end.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_line(&mut self) -> Result<Option<(u64, &str)>, TableError> {
        loop {
            let start = self.byte;
            self.text.clear();
            let read = self.input.by_ref().take(LINE_BYTES_MAX + 2).read_until(b'\n', &mut self.text)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.byte += read as u64;
            for end in [b'\n', b'\r'] {
                self.text.pop_if(|last| *last == end);
            }
            if self.text.len() as u64 > LINE_BYTES_MAX {
                return Err(TableError::Long { line: self.line });
            }
            let mark = if start == 0 && self.text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            if self.text.len() > mark {
                break self.utf8(start, mark);
            }
        }
    }

    fn utf8(&self, start: u64, mark: usize) -> Result<Option<(u64, &str)>, TableError> {
        let line = self.line;
        let text = std::str::from_utf8(&self.text)
            .map_err(|e| TableError::Encoding { line, byte: start + e.valid_up_to() as u64 })?;
        Ok(Some((line, &text[mark..])))
    }
}

/// One line below the header: its number, and its cells or why it has none.
pub type Row = (u64, Result<Vec<String>, String>);

/// A CSV file: a header, and rows that have a cell for each of its names.
pub struct Table<R> {
    lines: Lines<R>,
    names: Vec<String>,
}

impl Table<BufReader<File>> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, or has no header.
    pub fn open(file: &Path) -> Result<Self, TableError> {
        Self::new(Lines::open(file)?)
    }
}

impl<R: BufRead> Table<R> {
    /// Reads the header of an open file.
    ///
    /// # Errors
    /// The file cannot be read, or has no header.
    pub fn new(mut lines: Lines<R>) -> Result<Self, TableError> {
        let (line, text) = lines.next_line()?.ok_or(TableError::Empty)?;
        let cells = split(text).map_err(|why| TableError::Header { line, why })?;
        let names = cells.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { lines, names })
    }

    /// The header's names, trimmed.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The line that was read last.
    pub fn line(&self) -> u64 {
        self.lines.line
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// The next row; one that cannot be taken is an answer, not an error.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_row(&mut self) -> Result<Option<Row>, TableError> {
        let Some((line, text)) = self.lines.next_line()? else { return Ok(None) };
        let cells = match split(text) {
            Ok(cells) if cells.len() == self.names.len() => Ok(cells),
            Ok(cells) => Err(format!("it has {} cells, the header {}", cells.len(), self.names.len())),
            Err(why) => Err(why.to_owned()),
        };
        Ok(Some((line, cells)))
    }
}

/// One line's cells.
///
/// # Errors
/// A quote that is not closed on the line, text around a quoted cell, or a
/// carriage return inside the line.
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    if line.contains('\r') {
        return Err("it has a carriage return in it: lines end with LF or CRLF, never with CR alone");
    }
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => plain_cell(rest)?,
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err("text follows a closing quote: a quote inside a quoted cell is written twice"),
        }
    }
}

fn plain_cell(text: &str) -> Result<(String, &str), &'static str> {
    let (cell, after) = text.split_at(text.find(',').unwrap_or(text.len()));
    if cell.contains('"') {
        return Err("a quote stands inside a cell that does not begin with one: quote the whole cell");
    }
    Ok((cell.to_owned(), after))
}

/// What follows an opening quote: the cell, and what stands behind it.
fn quoted_cell(mut rest: &str) -> Result<(String, &str), &'static str> {
    let mut cell = String::new();
    loop {
        let (text, after) = rest.split_once('"').ok_or(
            "a quote opens on this line and is not closed on it: close it; a cell may have no line break in it",
        )?;
        cell.push_str(text);
        match after.strip_prefix('"') {
            Some(next) => {
                cell.push('"');
                rest = next;
            }
            None => return Ok((cell, after)),
        }
    }
}

/// The one of `known` that a header's name means: as written, or else in any
/// case and with any space around it.
pub fn named<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> Option<&'k str> {
    let name = name.trim();
    let same = |other: &&str| other.trim().to_lowercase() == name.to_lowercase();
    known.clone().find(|other| *other == name).or_else(|| known.clone().find(same))
}

/// The one of `known` that a name looks like, where it means none of them:
/// they differ in nothing but what joins their words.
pub fn resembles<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let bare =
        |name: &str| -> String { name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase() };
    let mut known = known.filter(|other| bare(other) == bare(name));
    known.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<Row> {
        let mut table = Table::new(Lines::new(text)).unwrap();
        std::iter::from_fn(|| table.next_row().unwrap()).collect()
    }

    fn lines_taken(text: &str) -> Vec<u64> {
        rows(text.as_bytes()).into_iter().filter(|(_, cells)| cells.is_ok()).map(|(line, _)| line).collect()
    }

    #[test]
    fn a_line_is_the_files_own_whatever_ends_it_and_whatever_is_empty() {
        for text in ["a,b\n1,2\n3,4\n5,6\n", "a,b\r\n1,2\r\n3,4\r\n5,6", "\u{feff}a,b\r\n1,2\r\n3,4\r\n5,6\r\n"] {
            assert_eq!(lines_taken(text), [2, 3, 4], "{text:?}");
        }
        assert_eq!(lines_taken("\n\na,b\r\n\r\n1,2\n\n3,4"), [5, 7]);
    }

    #[test]
    fn an_open_quote_is_refused_on_its_line_and_swallows_no_other() {
        let rows = rows(b"id,note\n1,\"n1\n2,n2\n3,\"last");
        assert_eq!(
            rows.iter().map(|(line, cells)| (*line, cells.is_ok())).collect::<Vec<_>>(),
            [(2, false), (3, true), (4, false)]
        );
        assert!(rows[0].1.as_ref().unwrap_err().contains("not closed"));
    }

    #[test]
    fn cells_are_split_as_rfc_4180_says() {
        for (line, cells) in [
            ("", &[""] as &[&str]),
            ("a,,c,", &["a", "", "c", ""]),
            ("\"a,b\",\"\",\"say \"\"hi\"\"\"", &["a,b", "", "say \"hi\""]),
        ] {
            assert_eq!(split(line).unwrap(), cells, "{line}");
        }
        for line in ["\"a", "a\"b", " \"a\"", "\"a\"b", "\"a\" ,c", "a,\"", "a\rb"] {
            assert!(split(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_file_with_cr_alone_or_without_a_header_is_refused() {
        let refused = |text: &[u8]| Table::new(Lines::new(text)).err().unwrap().to_string();
        assert!(refused(b"id,email\r1,a@b.example\r").contains("never with CR alone"));
        assert!(refused(b"").contains("empty"));
        assert!(refused(b"\xef\xbb\xbf\n").contains("empty"));
        assert!(refused(b"\n\"id").starts_with("line 2, the header: "));
    }

    #[test]
    fn a_line_is_bounded_and_utf8() {
        let long = format!("a\n{}", "x".repeat(LINE_BYTES_MAX as usize + 1));
        let mut table = Table::new(Lines::new(long.as_bytes())).unwrap();
        assert!(matches!(table.next_row(), Err(TableError::Long { line: 2 })));
        let mut table = Table::new(Lines::new(&b"a\nok\nab\xff\n"[..])).unwrap();
        assert_eq!(table.next_row().unwrap().unwrap().0, 2);
        assert!(matches!(table.next_row(), Err(TableError::Encoding { line: 3, byte: 7 })));
    }

    #[test]
    fn names_are_compared_without_case_and_near_ones_are_found() {
        let known = ["email", "member_id", "Email "];
        assert_eq!(named(" EMAIL", known.into_iter()), Some("email"));
        assert_eq!(named("e-mail", known.into_iter()), None);
        assert_eq!(resembles("e-mail", known.into_iter()), Some("email"));
        assert_eq!(resembles("Member ID", known.into_iter()), Some("member_id"));
        assert_eq!(resembles("mail", known.into_iter()), None);
    }
}
