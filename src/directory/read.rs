//! An export file → [`NewAccount`]s, streaming: CSV or JSON lines, in UTF-8, or in
//! what `directory.encoding` says.
//!
//! Each line is checked by itself: its columns, its account key, its address,
//! and every value against its kind. What is wrong is named by line, column and
//! reason, never by value. Lines are canonicalised in parallel, a chunk at a
//! time, in the file's order.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rayon::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::directory::NewAccount;
use crate::directory::encoding::Encoding;
use crate::directory::row::{Cell, Reader};
use crate::directory::table::{self, Lines, Table, TableError};
use crate::key::Keys;
use crate::mapping::Mapping;

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
    /// It cannot be read, line by line.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The first line is no header; it may be a customer's, and is not told.
    #[error("its first line is no header: it has none of the columns that directory.columns names, {0}")]
    NoHeader(String),
    /// The header's names are separated by something else.
    #[error(
        "the columns of its header are separated by \"{0}\": write separator = \"{0}\" under [directory], or export it with the separator that is set (the default is a comma)"
    )]
    Separator(&'static str),
    /// The header has columns that the configuration does not name.
    #[error(
        "the export has columns that directory.columns does not name: {unknown}; name each with its kind (kind = \"text\" if it names nobody){}",
        if missing.is_empty() { String::new() } else { format!("; and it lacks {missing}") }
    )]
    Unknown {
        /// Those.
        unknown: String,
        /// The columns that it lacks, which may be the same under other names.
        missing: String,
    },
    /// The configuration names columns that the header does not have.
    #[error("the export lacks columns that directory.columns names: {missing}; its header has {header}")]
    Missing {
        /// Those.
        missing: String,
        /// What it has: nothing but columns of the configuration.
        header: String,
    },
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
    if is_json(file) {
        read_json(file, mapping, &mut take)?;
    } else {
        read_csv(file, mapping, &mut take)?;
    }
    Ok(bad)
}

/// Whether a file has JSON lines, by its name.
pub(super) fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|e| e.eq_ignore_ascii_case("jsonl"))
}

/// A line's number and cells, or why it has none.
type Raw = Result<(u64, Vec<(String, Cell)>), BadLine>;

fn read_csv(
    file: &Path,
    mapping: &Mapping,
    take: &mut impl FnMut(Vec<Raw>, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut table = Table::separated(lines(file, mapping)?, mapping.separator.unwrap_or(','))?;
    if let Some(other) = table.other_separator(mapping.columns.keys().map(String::as_str)) {
        return Err(ReadError::Separator(table::shown(other)));
    }
    let names = columns(table.names(), mapping)?;
    let mut chunk: Vec<Raw> = Vec::with_capacity(CHUNK);
    while let Some((line, cells)) = table.next_row()? {
        chunk.push(match cells {
            Ok(cells) => Ok((line, names.iter().cloned().zip(cells.into_iter().map(Cell::Text)).collect())),
            Err(why) => Err(BadLine { line, column: None, why }),
        });
        if chunk.len() == CHUNK {
            take(std::mem::take(&mut chunk), table.bytes())?;
        }
    }
    take(chunk, table.bytes())
}

/// An export's lines, in the encoding that the mapping names.
fn lines(file: &Path, mapping: &Mapping) -> Result<Lines<BufReader<File>>, ReadError> {
    let encoding = match &mapping.encoding {
        Some(name) => Encoding::named(name).ok_or_else(|| ReadError::Mapping(UNKNOWN_ENCODING.into()))?,
        None => Encoding::Utf8,
    };
    Ok(Lines::open(file)?.encoded(encoding))
}

/// What is said of an encoding that is unknown.
pub const UNKNOWN_ENCODING: &str = "directory.encoding is unknown: write utf-8, utf-16, cp932, euc-jp, or another charset of mail, such as windows-1252";

/// The mapping's column that a name means.
fn column(name: &str, mapping: &Mapping) -> Option<String> {
    table::named(name, mapping.columns.keys().map(String::as_str)).map(str::to_owned)
}

/// The mapping's columns in the header's order: each once.
fn columns(names: &[String], mapping: &Mapping) -> Result<Vec<String>, ReadError> {
    let known = || mapping.columns.keys().map(String::as_str);
    let unknown: Vec<String> = names
        .iter()
        .filter(|name| column(name, mapping).is_none())
        .map(|name| match table::resembles(name, known()) {
            Some(near) => format!("{name} (did you mean {near}?)"),
            None => name.clone(),
        })
        .collect();
    let columns: Vec<String> = names.iter().filter_map(|name| column(name, mapping)).collect();
    if let Some(twice) = columns.iter().enumerate().find(|(n, name)| columns[..*n].contains(name)) {
        return Err(ReadError::Twice(twice.1.clone()));
    }
    if columns.is_empty() {
        return Err(ReadError::NoHeader(known().collect::<Vec<_>>().join(", ")));
    }
    let missing: Vec<&str> = known().filter(|name| !columns.iter().any(|column| column == name)).collect();
    let missing = missing.join(", ");
    if !unknown.is_empty() {
        return Err(ReadError::Unknown { unknown: unknown.join(", "), missing });
    }
    if missing.is_empty() { Ok(columns) } else { Err(ReadError::Missing { missing, header: names.join(", ") }) }
}

fn read_json(
    file: &Path,
    mapping: &Mapping,
    take: &mut impl FnMut(Vec<Raw>, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut lines = lines(file, mapping)?;
    let mut chunk: Vec<Raw> = Vec::with_capacity(CHUNK);
    while let Some((line, text)) = lines.next_line()? {
        if text.trim().is_empty() {
            continue;
        }
        chunk.push(json_line(line, text, mapping)?);
        if chunk.len() == CHUNK {
            take(std::mem::take(&mut chunk), lines.bytes())?;
        }
    }
    take(chunk, lines.bytes())
}

/// A JSON object's members as they stand there: a name that is there twice is
/// there twice, where a map would keep the last and say nothing.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Collect)
    }
}

/// One JSON object. A column that is not mapped ends the reading as in CSV: a
/// column that nobody classified may name people.
fn json_line(line: u64, text: &str, mapping: &Mapping) -> Result<Raw, ReadError> {
    let bad = |column: Option<String>, why: &str| Ok(Err(BadLine { line, column, why: why.to_owned() }));
    let Some(members) = members(text) else {
        return bad(None, "it is no JSON object");
    };
    let mut cells: Vec<(String, Cell)> = Vec::with_capacity(members.len());
    for (written, value) in members {
        let Some(name) = column(&written, mapping) else {
            return Err(ReadError::Unknown { unknown: format!("{written} (line {line})"), missing: String::new() });
        };
        if cells.iter().any(|(cell, _)| *cell == name) {
            return bad(Some(name), "the line has it twice");
        }
        let Some(cell) = cell(value) else {
            return bad(Some(name), "it is neither text, a number, nor a list of texts");
        };
        cells.push((name, cell));
    }
    if let Some(missing) = mapping.columns.keys().find(|name| !cells.iter().any(|(cell, _)| cell == *name)) {
        return bad(Some(missing.clone()), "the line does not have it (write null where there is no value)");
    }
    Ok(Ok((line, cells)))
}

/// A line's members in their order; `None` where it is no JSON object.
pub(super) fn members(text: &str) -> Option<Vec<(String, serde_json::Value)>> {
    serde_json::from_str(text).ok().map(|Members(members)| members)
}

/// The cell that a JSON value is; `None` where it can be none.
pub(super) fn cell(value: serde_json::Value) -> Option<Cell> {
    match value {
        serde_json::Value::Null => Some(Cell::Text(String::new())),
        serde_json::Value::String(text) => Some(Cell::Text(text)),
        serde_json::Value::Number(number) => Some(Cell::Text(number.to_string())),
        serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_string) => {
            Some(Cell::List(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        toml::from_str(
            "account = \"id\"\naddress = \"email\"\n[columns]\nid = { kind = \"id\" }\nemail = { kind = \"email\" }\n\
             domains = { kind = \"domain\", list = \";\" }\n",
        )
        .unwrap()
    }

    /// The lines that were taken and the bad ones, of a file of this name.
    fn read_file(name: &str, text: &str) -> Result<(Vec<u64>, Vec<String>), ReadError> {
        read_bytes(name, text.as_bytes(), &mapping())
    }

    fn read_bytes(name: &str, text: &[u8], mapping: &Mapping) -> Result<(Vec<u64>, Vec<String>), ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let mut taken = Vec::new();
        let batch = |accounts: Vec<NewAccount>| {
            taken.extend(accounts.iter().map(|account| account.line));
            true
        };
        let bad = read(&file, mapping, &Keys::new(&[7; 32]), batch, |_| {})?;
        Ok((taken, bad.first.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn every_line_is_taken_or_named_by_its_number_in_the_file() {
        let text = "id,email,domains\r\n1,a@a.example,a.example;b.example\r\n2,nobody,\r\n\r\n3,c@c.example\r\n4,d@d.example,\r\n";
        let (taken, bad) = read_file("x.csv", text).unwrap();
        assert_eq!(taken, [2, 6]);
        assert!(bad[0].starts_with("line 3, column email: "), "{bad:?}");
        assert_eq!(bad[1], "line 5: it has 2 cells, the header 3");
    }

    #[test]
    fn a_quote_left_open_is_a_bad_line_wherever_it_stands() {
        let (taken, bad) =
            read_file("x.csv", "id,email,domains\n1,a@a.example,\"a.example\n2,b@b.example,\n3,c@c.example,\"c.ex")
                .unwrap();
        assert_eq!(taken, [3]);
        assert_eq!(bad.len(), 2);
        assert!(bad[0].starts_with("line 2: a quote opens") && bad[1].starts_with("line 4: a quote opens"), "{bad:?}");
    }

    #[test]
    fn a_header_is_read_in_any_case_and_a_near_one_is_asked_about() {
        assert_eq!(read_file("x.csv", "ID, Email ,DOMAINS\n1,a@a.example,\n").unwrap().0, [2]);
        let refused = |header: &str| read_file("x.csv", &format!("{header}\n")).unwrap_err().to_string();
        assert!(refused("id,e-mail,domains").contains("e-mail (did you mean email?)"));
        assert!(refused("id,email,EMAIL").contains("\"email\" twice"));
        assert!(refused("id,e-mail,domains").ends_with("; and it lacks email"));
        assert!(refused("id,email,domains,nick").ends_with("if it names nobody)"));
        let lacks = refused("id, EMAIL");
        assert!(
            lacks.ends_with("lacks columns that directory.columns names: domains; its header has id, EMAIL"),
            "{lacks}"
        );
        let headless = refused("10000001,ada@a.example,a.example");
        assert!(headless.contains("no header") && !headless.contains("ada@") && !headless.contains("10000001"));
        assert!(refused("id,email,domains\r1,a@a.example,\r2,b@b.example,").contains("never with CR alone"));
    }

    #[test]
    fn exports_in_other_encodings_are_taken_by_setting_and_named_without() {
        let text = "id,email,domains\r\n1,a@a.example,テスト.example\r\n2,b@b.example,みどり園.example\r\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let cp932 = b"id,email,domains\r\n1,a@a.example,\x83e\x83X\x83g.example\r\n";
        let euc = b"id,email,domains\r\n1,a@a.example,\xa5\xc6\xa5\xb9\xa5\xc8.example\r\n";
        let latin = b"id,email,domains\r\n1,a@a.example,b\xfccher.example\r\n";
        let set = |encoding: &str| Mapping { encoding: Some(encoding.into()), ..mapping() };
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for (bytes, mapping, taken) in [
            (marked(b"\xff\xfe", &le), set("utf-16"), 2),
            (marked(b"\xfe\xff", &be), set("utf-16"), 2),
            (le.clone(), set("utf-16"), 2),
            (be.clone(), set("UTF-16"), 2),
            (le.clone(), set("utf-16le"), 2),
            (cp932.to_vec(), set("cp932"), 1),
            (cp932.to_vec(), set("Shift_JIS"), 1),
            (euc.to_vec(), set("euc-jp"), 1),
            (latin.to_vec(), set("windows-1252"), 1),
        ] {
            let (lines, bad) = read_bytes("x.csv", &bytes, &mapping).unwrap();
            assert_eq!((lines.len(), bad), (taken, vec![]), "{:?}", mapping.encoding);
        }
        for (bytes, words) in [
            (cp932.to_vec(), ["line 2 is not UTF-8", "iconv -f CP932 -t UTF-8", "encoding = \"cp932\""]),
            (euc.to_vec(), ["line 2 is not UTF-8", "iconv -f EUC-JP -t UTF-8", "encoding = \"euc-jp\""]),
            (marked(b"\xff\xfe", &le), ["line 1 is not UTF-8", "iconv -f UTF-16 -t UTF-8", "encoding = \"utf-16\""]),
            (le.clone(), ["line 1 is not UTF-8", "iconv -f UTF-16 -t UTF-8", "encoding = \"utf-16\""]),
            (latin.to_vec(), ["line 2 is not UTF-8", "encoding", "windows-1252"]),
        ] {
            let error = read_bytes("x.csv", &bytes, &mapping()).unwrap_err().to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
        let wrong = read_bytes("x.csv", &latin[..], &set("cp932")).unwrap_err().to_string();
        assert!(wrong.contains("line 2"), "{wrong}");
    }

    #[test]
    fn exports_with_other_separators_are_taken_by_setting_and_named_without() {
        for (separator, shown) in [('\t', "\"\\t\""), (';', "\";\""), ('|', "\"|\"")] {
            let text = "id,email,domains\n1,a@a.example,a.example\n".replace(',', &separator.to_string());
            let error = read_file("x.csv", &text).unwrap_err().to_string();
            assert!(error.contains(&format!("separator = {shown}")), "{error}");
            let mapping = Mapping { separator: Some(separator), ..mapping() };
            assert_eq!(read_bytes("x.csv", text.as_bytes(), &mapping).unwrap(), (vec![2], vec![]));
        }
    }

    #[test]
    fn two_hosts_in_one_value_are_refused_with_what_stands_between() {
        for (value, between) in [
            ("a.example、b.example", "\"、\""),
            ("a.example・b.example", "\"・\""),
            ("a.example，b.example", "\"，\""),
            ("a.example b.example", "a space"),
            ("a.example　b.example", "a space"),
            ("\"a.example,b.example\"", "\",\""),
            ("\"c.example;a.example, b.example\"", "\",\""),
            ("a.example|b.example", "\"|\""),
            ("例え.テスト、bücher.example", "\"、\""),
        ] {
            let (taken, bad) = read_file("x.csv", &format!("id,email,domains\n1,a@a.example,{value}\n")).unwrap();
            assert!(taken.is_empty() && bad.len() == 1, "{value}: {bad:?}");
            assert!(
                bad[0].starts_with("line 2, column domains: ") && bad[0].contains(&format!("2 hosts with {between}")),
                "{bad:?}"
            );
        }
        for value in ["a.example; b.example", "a.example;b.example;", "テスト・ケース.example", ""] {
            let (taken, bad) = read_file("x.csv", &format!("id,email,domains\n1,a@a.example,{value}\n")).unwrap();
            assert_eq!((taken, bad), (vec![2], vec![]), "{value}");
        }
    }

    #[test]
    fn a_json_object_says_each_column_once() {
        let line = |members: &str| format!("{{{members}}}\n");
        let good = line("\"id\":1,\"Email\":\"a@a.example\",\"domains\":[\"a.example\"]");
        let twice = line("\"id\":2,\"email\":\"a@a.example\",\"email\":\"b@b.example\",\"domains\":null");
        let (taken, bad) = read_file("x.jsonl", &format!("\u{feff}{good}\n{twice}[1]\n{good}")).unwrap();
        assert_eq!(taken, [1, 5]);
        assert_eq!(bad, ["line 3, column email: the line has it twice", "line 4: it is no JSON object"]);
        assert!(read_file("x.jsonl", &line("\"nick\":1")).unwrap_err().to_string().contains("nick (line 1)"));
    }
}
