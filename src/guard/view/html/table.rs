//! Tables of HTML as a spreadsheet has them: a line a row, and a tab behind each cell. The
//! text of a document has a line a cell, so that only this says what stands over a cell.
//!
//! Input: the tokenizer's tags and texts. Output: each table whose first row has no digit
//! in it, as the heads of columns have none, and that has another row. A table inside
//! another is read by itself, and the one around it is not read. Linear.
//!
//! [`has_heads`] says cheaply whether a document has such a table whose heads are labels.

use super::piece;
use crate::guard::normal;

/// The longest head, in characters.
const HEAD_MAX: usize = 64;
/// The longest first row that is looked at, in bytes of source.
const ROW_MAX: usize = 16 << 10;

/// The tables of a document, as they grow.
#[derive(Default)]
pub struct Tables {
    open: Vec<Table>,
    done: Vec<String>,
}

#[derive(Default)]
struct Table {
    text: String,
    rows: usize,
    cells: usize,
    /// Whether it is one of another table's cells, or no heads stand over it.
    is_other: bool,
}

impl Tables {
    /// A start or end tag.
    pub fn tag(&mut self, name: &[u8], is_start: bool) {
        match (name, is_start) {
            (b"table", true) => {
                self.open.iter_mut().for_each(|table| table.is_other = true);
                self.open.push(Table::default());
            }
            (b"table", false) => self.close(),
            _ => {
                if let Some(table) = self.open.last_mut().filter(|table| !table.is_other) {
                    table.tag(name, is_start);
                }
            }
        }
    }

    /// Text between tags, entities decoded.
    pub fn push(&mut self, value: &str) {
        if let Some(table) = self.open.last_mut().filter(|table| !table.is_other && table.cells > 0) {
            table.text.extend(value.chars().map(|c| if c.is_whitespace() { ' ' } else { c }));
        }
    }

    fn close(&mut self) {
        if let Some(table) = self.open.pop().filter(|table| !table.is_other && table.rows > 1) {
            self.done.push(table.text + "\t\n");
        }
    }

    /// The tables.
    pub fn finish(mut self) -> Vec<String> {
        while !self.open.is_empty() {
            self.close();
        }
        self.done
    }
}

impl Table {
    fn tag(&mut self, name: &[u8], is_start: bool) {
        match (name, is_start) {
            (b"tr", true) => {
                if self.rows > 0 {
                    self.text.push_str("\t\n");
                }
                if self.rows == 1 {
                    self.is_other = !are_heads(self.text.trim_end_matches('\n').split('\t'));
                }
                self.rows += 1;
                self.cells = 0;
            }
            (b"td" | b"th", true) if self.rows > 0 => {
                if self.cells > 0 {
                    self.text.push('\t');
                }
                self.cells += 1;
            }
            // A line end in a cell is a blank there.
            (b"br" | b"p" | b"div", _) if self.cells > 0 => self.text.push(' '),
            _ => {}
        }
    }
}

/// Whether cells may be the heads of columns.
fn are_heads<'c>(cells: impl Iterator<Item = &'c str>) -> bool {
    let mut is_any = false;
    for cell in cells {
        if cell.trim().chars().nth(HEAD_MAX).is_some() || normal::fold(cell).bytes().any(|b| b.is_ascii_digit()) {
            return false;
        }
        is_any |= cell.contains(char::is_alphabetic);
    }
    is_any
}

/// Whether a document may have a table with such a head, by a cheap look at the source: what
/// is odd counts as one.
pub fn has_heads(html: &str, is_head: impl Fn(&str) -> bool) -> bool {
    let mut rest = html;
    while let Some(at) = find(rest, "<table") {
        rest = &rest[at + "<table".len()..];
        let row = find(rest, "<tr").map_or("", |at| &rest[at + "<tr".len()..]);
        let next = find(row, "<tr").unwrap_or(row.len());
        let row = &row[..next];
        // One inside it is looked at by itself.
        if row.len() > ROW_MAX || next == 0 || find(row, "<table").is_some() || find(row, "</table").is_some() {
            continue;
        }
        let cells = cells(row);
        if are_heads(cells.iter().map(String::as_str)) && cells.iter().any(|cell| is_head(&normal::fold(cell))) {
            return true;
        }
    }
    false
}

/// Where a tag begins, in any case of its letters.
fn find(html: &str, tag: &str) -> Option<usize> {
    let bytes = html.as_bytes();
    memchr::memchr_iter(b'<', bytes)
        .find(|at| bytes.get(*at..at + tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag.as_bytes())))
}

/// The cells of a row's source, without their tags and comments.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    // The rest of the row's own tag.
    let mut rest = row.find('>').map_or("", |at| &row[at + 1..]);
    loop {
        let (text, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if let Some(cell) = cells.last_mut() {
            cell.push_str(&piece::text(text));
        }
        let is_cell = |name: &str| tag.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if is_cell("<td") || is_cell("<th") {
            cells.push(String::new());
        }
        let end = if tag.starts_with("<!--") { "-->" } else { ">" };
        let Some(at) = tag.find(end) else { return cells };
        rest = &tag[at + end.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_columns() {
        let is_head = |cell: &str| cell.trim() == "id";
        for (html, expected) in [
            ("<table><tr><th>Plan</th><th>ID</th></tr><tr><td>a</td><td>1</td></tr></table>", true),
            ("<TABLE><TR><TD><b>I</b>D</TD></TR><TR><TD>1</TD></TR></TABLE>", true),
            ("<table><tr><th>I&#68;</th></tr><tr><td>1</td></tr></table>", true),
            ("<table><tr><th>ID<!-- > --></th></tr><tr><td>1</td></tr></table>", true),
            ("<table><tr><td><table><tr><th>ID</th></tr><tr><td>1</td></tr></table></td></tr></table>", true),
            ("<table><tr><th>ID</th><td>12</td></tr><tr><th>x</th><td>1</td></tr></table>", false),
            ("<table><tr><th>ID</th></tr></table>", false),
            ("<table><tr><th>Plan</th></tr><tr><td>1</td></tr></table>", false),
            ("<p>ID</p>", false),
        ] {
            assert_eq!(has_heads(html, is_head), expected, "{html}");
        }
    }
}
