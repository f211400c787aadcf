//! A text file → its numbered lines, and a CSV file → the cells of each line.
//!
//! "Line" has one meaning everywhere: the file's own line number, from 1, the
//! header's line included. One record is one line (RFC 4180 without its line
//! breaks in cells): a line break in a cell is refused at the line where its
//! quote opened, so a quote that is never closed can swallow nothing, and
//! memory holds one line of at most [`LINE_BYTES_MAX`].
//!
//! Lines end with LF or CRLF; a byte order mark and empty lines are passed
//! over. A file is UTF-8, or what the configuration says it is. Who reads people's lists (export, audience, suppressions, manifest)
//! reads them through here.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::directory::encoding::Encoding;
use crate::directory::line::OPEN;
pub use crate::directory::line::{split, split_at};

/// The longest line, in bytes: more is no record of one account.
pub const LINE_BYTES_MAX: u64 = 10_000_000;

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system says no.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// Not in the encoding that it is read in.
    #[error("line {line} is not {encoding} (byte {byte} of the file): {}", advice(*.likely))]
    Encoding {
        /// The line.
        line: u64,
        /// The byte's place in the file, from 0.
        byte: u64,
        /// What the file is read as.
        encoding: &'static str,
        /// What it probably is.
        likely: Option<&'static str>,
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
            Self::Encoding { encoding, likely, .. } => format!("it is not {encoding}: {}", advice(*likely)),
            Self::Long { .. } => "it is longer than 10,000,000 bytes, which no record is".into(),
            Self::Header { why, .. } => (*why).into(),
            Self::Io(error) => format!("the file cannot be read: {error}"),
            Self::Empty => self.to_string(),
        }
    }
}

/// What to do about a file in another encoding.
fn advice(likely: Option<&str>) -> String {
    match likely {
        Some(name) => format!(
            "it looks like {name}; convert it first with iconv -f {name} -t UTF-8 or, for an export, write encoding = \"{}\" under [directory]",
            name.to_ascii_lowercase()
        ),
        None => "convert it to UTF-8 first or, for an export, name its encoding under [directory], as in encoding = \"windows-1252\"".into(),
    }
}

/// A file's lines, one in memory at a time.
pub struct Lines<R> {
    input: R,
    encoding: Encoding,
    bytes: Vec<u8>,
    text: String,
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
        Self { input, encoding: Encoding::Utf8, bytes: Vec::new(), text: String::new(), line: 0, byte: 0 }
    }

    /// The same, in another encoding; a byte order mark has the last word.
    #[must_use]
    pub fn encoded(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
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
            self.bytes.clear();
            let mut mark = 0;
            if start == 0 {
                (self.encoding, mark) = self.encoding.settled(self.input.fill_buf()?);
            }
            let read = self.encoding.read_line(&mut self.input, &mut self.bytes, LINE_BYTES_MAX + 2)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.byte += read as u64;
            self.decode(start, mark)?;
            for end in ['\n', '\r'] {
                if self.text.ends_with(end) {
                    self.text.pop();
                }
            }
            if self.bytes.len() as u64 > LINE_BYTES_MAX && self.text.len() as u64 > LINE_BYTES_MAX {
                return Err(TableError::Long { line: self.line });
            }
            if !self.text.is_empty() {
                return Ok(Some((self.line, &self.text)));
            }
        }
    }

    /// Reads a line's bytes without a mark as text.
    fn decode(&mut self, start: u64, mark: usize) -> Result<(), TableError> {
        let bytes = self.bytes.get(mark..).unwrap_or_default();
        // A line that was cut off may end inside a character.
        let is_cut = !self.bytes.iter().rev().take(2).any(|b| *b == b'\n');
        if is_cut && self.bytes.len() as u64 > LINE_BYTES_MAX + 1 {
            return Err(TableError::Long { line: self.line });
        }
        let is_utf8 = matches!(self.encoding, Encoding::Utf8);
        let refused = |at: usize| TableError::Encoding {
            line: self.line,
            byte: start + (mark + at) as u64,
            encoding: if is_utf8 { "UTF-8" } else { "in the encoding that is set" },
            likely: Encoding::likely(bytes),
        };
        self.encoding.text(bytes, &mut self.text).map_err(refused)?;
        // Bytes of another encoding may be UTF-8 as well.
        let escape = memchr::memchr(0x1b, bytes).filter(|at| bytes.get(at + 1) == Some(&b'$'));
        let nul = if self.line == 1 { memchr::memchr(0, bytes) } else { None };
        match escape.or(nul).filter(|_| is_utf8) {
            Some(at) if Encoding::likely(bytes).is_some() => Err(refused(at)),
            _ => Ok(()),
        }
    }
}

/// One line below the header: its number, and its cells or why it has none.
pub type Row = (u64, Result<Vec<String>, String>);

/// A line that was read to see where a cell ends, and is still to be a row.
type Ahead = (u64, String);

/// The most lines that one record is looked for on.
const RECORD_LINES_MAX: usize = 50;

/// A CSV file: a header, and rows that have a cell for each of its names.
pub struct Table<R> {
    lines: Lines<R>,
    separator: char,
    names: Vec<String>,
    ahead: VecDeque<Ahead>,
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
    /// Reads the header of an open file whose cells stand between commas.
    ///
    /// # Errors
    /// The file cannot be read, or has no header.
    pub fn new(lines: Lines<R>) -> Result<Self, TableError> {
        Self::separated(lines, ',')
    }

    /// The same, with another separator.
    ///
    /// # Errors
    /// The file cannot be read, or has no header.
    pub fn separated(mut lines: Lines<R>, separator: char) -> Result<Self, TableError> {
        let (line, text) = lines.next_line()?.ok_or(TableError::Empty)?;
        let cells = split_at(text, separator).map_err(|why| TableError::Header { line, why })?;
        let names = cells.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { lines, separator, names, ahead: VecDeque::new() })
    }

    /// The header's names, trimmed.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What separates the names of the header, if it is not what was said: one of these
    /// must be known then.
    pub fn other_separator<'k>(&self, known: impl Iterator<Item = &'k str> + Clone) -> Option<char> {
        let [header] = &self.names[..] else { return None };
        let is_known = |separator: &char| {
            let cells = split_at(header, *separator).unwrap_or_default();
            cells.len() > 1 && cells.iter().any(|cell| named(cell, known.clone()).is_some())
        };
        [',', '\t', ';', '|'].into_iter().find(is_known)
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
        let (line, cells) = match self.ahead.pop_front() {
            Some((line, text)) => (line, self.cells(&text)),
            None => match self.lines.next_line()? {
                None => return Ok(None),
                Some((line, text)) if !is_open(text, self.separator) => {
                    (line, cells_of(text, self.separator, self.names.len()))
                }
                Some((line, text)) => {
                    let text = text.to_owned();
                    (line, Err(self.broken(text)?))
                }
            },
        };
        Ok(Some((line, cells)))
    }

    fn cells(&self, text: &str) -> Result<Vec<String>, String> {
        cells_of(text, self.separator, self.names.len())
    }

    /// Why a row is broken on whose line a quote opens and is not closed. If the lines
    /// below complete it, they are passed over: one fault is told once. A line that is a
    /// row by itself is one.
    fn broken(&mut self, mut record: String) -> Result<String, TableError> {
        let mut below: VecDeque<Ahead> = VecDeque::new();
        while below.len() < RECORD_LINES_MAX {
            let Some((line, text)) = self.lines.next_line()? else { break };
            let text = text.to_owned();
            let is_row = self.cells(&text).is_ok() && self.names.len() > 1;
            record.push('\n');
            record.push_str(&text);
            below.push_back((line, text));
            let is_whole = !is_open(&record, self.separator) && self.cells(&record).is_ok();
            if is_whole && !is_row {
                return Ok(format!(
                    "a quote opens on this line and is closed on line {line}: a cell may have no line break in it"
                ));
            }
            if is_row || !is_open(&record, self.separator) || record.len() as u64 > LINE_BYTES_MAX {
                break;
            }
        }
        self.ahead = below;
        Ok(OPEN.to_owned())
    }
}

/// One line's cells, as many as the header has.
fn cells_of(text: &str, separator: char, count: usize) -> Result<Vec<String>, String> {
    match split_at(text, separator) {
        Ok(cells) if cells.len() == count => Ok(cells),
        Ok(cells) => Err(format!("it has {} cells, the header {count}", cells.len())),
        Err(why) => Err(why.to_owned()),
    }
}

/// Whether a quote opens in a line and is not closed.
fn is_open(text: &str, separator: char) -> bool {
    memchr::memchr(b'"', text.as_bytes()).is_some() && split_at(text, separator) == Err(OPEN)
}

/// A separator as a message and a configuration show it.
pub fn shown(separator: char) -> &'static str {
    match separator {
        '\t' => "\\t",
        ';' => ";",
        '|' => "|",
        _ => ",",
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
        assert!(matches!(table.next_row(), Err(TableError::Encoding { line: 3, byte: 7, .. })));
    }

    #[test]
    fn one_line_break_in_a_cell_is_one_fault_at_its_quote() {
        let told = |text: &str| -> Vec<(u64, bool)> {
            rows(text.as_bytes()).iter().map(|(line, cells)| (*line, cells.is_ok())).collect()
        };
        assert_eq!(told("a,b\n1,\"x\ny\"\n2,z\n"), [(2, false), (4, true)]);
        assert_eq!(told("a,b,c\n\"1\",\"x\n\ny\nz\",\"w\"\n2,z,w\n"), [(2, false), (6, true)]);
        let open = format!("a,b\n1,\"x\n{}", "2,y\n".repeat(200));
        assert_eq!(told(&open).iter().filter(|(_, is_taken)| !is_taken).collect::<Vec<_>>(), [&(2, false)]);
        let quoted = format!("a,b\n\"1\",\"x\n{}", "\"2\",\"y\"\n".repeat(200));
        assert_eq!(told(&quoted).iter().filter(|(_, is_taken)| !is_taken).collect::<Vec<_>>(), [&(2, false)]);
        assert_eq!(told(&quoted).len(), 201);
    }

    #[test]
    fn other_separators_are_named() {
        let known = ["id", "email"];
        for (header, separator) in
            [("id\temail", Some('\t')), ("ID;Email", Some(';')), ("id|email", Some('|')), ("id", None), ("x;y", None)]
        {
            let table = Table::new(Lines::new(header.as_bytes())).unwrap();
            assert_eq!(table.other_separator(known.into_iter()), separator, "{header}");
        }
        let table = Table::separated(Lines::new(&b"id,email\n"[..]), ';').unwrap();
        assert_eq!(table.other_separator(known.into_iter()), Some(','));
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
