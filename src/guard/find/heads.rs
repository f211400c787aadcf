//! The heads of columns, as a list of comma- or tab-separated values has them.
//!
//! Input: folded text. Output: which of its columns hold IDs, by their labels. A first line is one
//! of heads if the next one has as many cells, and no greeting begins it: `Dear customer,` is none.
//! Infallible.

use crate::guard::find::label::Labels;
use crate::guard::lexicon::{self, Role};

/// The longest line of heads, in bytes.
const LINE_MAX: usize = 2_000;

/// The heads of a text's columns, as a list of comma- or tab-separated values has them.
pub struct Heads {
    separator: char,
    /// Which columns are labelled.
    columns: Vec<bool>,
    /// Where the lines below it begin.
    from: usize,
}

impl Heads {
    /// Reads the first line of a folded text.
    pub fn of(text: &str, labels: &Labels) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let line = lines.next().filter(|line| line.len() <= LINE_MAX)?;
        let separator = ['\t', ';', ',', '|'].into_iter().find(|separator| cells(line, *separator).len() > 1)?;
        let heads = cells(line, separator);
        let columns: Vec<bool> = heads.iter().map(|cell| labels.is_head(cell)).collect();
        let filled = heads.iter().filter(|cell| !cell.trim().is_empty()).count();
        let greets = || lexicon::of(Role::Greeting).prefix(line.trim_start()).is_some();
        // A table's column of its own has a tab behind each cell.
        let is_table = |row: &str| (filled > 1 || separator == '\t') && cells(row, separator).len() == columns.len();
        if !columns.contains(&true) || !lines.next().is_some_and(is_table) || greets() {
            return None;
        }
        let from = line.as_ptr() as usize - text.as_ptr() as usize + line.len();
        Some(Self { separator, columns, from })
    }

    /// Whether a place stands below a labelled head.
    pub fn has(&self, text: &str, place: usize) -> bool {
        if place < self.from {
            return false;
        }
        let line = text[..place].rfind('\n').map_or(0, |at| at + 1);
        let row = text[line..].lines().next().unwrap_or_default();
        let cells = cells(row, self.separator);
        let column = cells.iter().rposition(|cell| cell.as_ptr() <= text[place..].as_ptr());
        cells.len() == self.columns.len() && column.is_some_and(|column| self.columns[column])
    }
}

/// The cells of a line; a separator between the quotation marks around a cell parts none
/// (RFC 4180 §2). `27" monitor` has none around it.
fn cells(line: &str, separator: char) -> Vec<&str> {
    let (mut cells, mut rest) = (Vec::new(), line);
    loop {
        let from = quoted(rest, separator).unwrap_or_default();
        let Some(at) = rest[from..].find(separator) else {
            cells.push(rest);
            return cells;
        };
        cells.push(&rest[..from + at]);
        rest = &rest[from + at + separator.len_utf8()..];
    }
}

/// The length of the cell in quotation marks that a text begins with.
fn quoted(text: &str, separator: char) -> Option<usize> {
    let inner = text.trim_start_matches(' ').strip_prefix('"')?;
    let mut from = 0;
    loop {
        let end = from + inner[from..].find('"')? + 1;
        let after = &inner[end..];
        match after.strip_prefix('"') {
            // A mark inside it is written twice.
            Some(_) => from = end + 1,
            None => {
                let is_end = after.is_empty() || after.trim_start_matches(' ').starts_with(separator);
                return is_end.then(|| text.len() - after.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_cell_is_one() {
        for (line, expected) in [
            ("a,b", vec!["a", "b"]),
            ("\"name, first\",id", vec!["\"name, first\"", "id"]),
            ("x, \"a \"\"b\"\", c\" ,1", vec!["x", " \"a \"\"b\"\", c\" ", "1"]),
            ("27\" monitor,12345678", vec!["27\" monitor", "12345678"]),
            ("\"best\" monitor,12345678", vec!["\"best\" monitor", "12345678"]),
            ("\"open,1", vec!["\"open", "1"]),
            ("", vec![""]),
        ] {
            assert_eq!(cells(line, ','), expected, "{line}");
        }
    }
}
