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
        let separator = ['\t', ';', ',', '|'].into_iter().find(|separator| line.contains(*separator))?;
        let columns: Vec<bool> = line.split(separator).map(|cell| labels.is_head(cell)).collect();
        let filled = line.split(separator).filter(|cell| !cell.trim().is_empty()).count();
        let greets = || lexicon::of(Role::Greeting).prefix(line.trim_start()).is_some();
        // A table's column of its own has a tab behind each cell.
        let is_table = |row: &str| (filled > 1 || separator == '\t') && cells(row, separator) == columns.len();
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
        let column = cells(&text[line..place], self.separator) - 1;
        self.columns.get(column).copied().unwrap_or(false) && cells(row, self.separator) == self.columns.len()
    }
}

/// How many cells a line has; a separator between quotation marks parts none.
fn cells(line: &str, separator: char) -> usize {
    let mut is_quoted = false;
    let parts = line.chars().filter(|c| {
        is_quoted ^= *c == '"';
        *c == separator && !is_quoted
    });
    1 + parts.count()
}
