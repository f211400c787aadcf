//! The heads of columns, as a list of comma- or tab-separated values has them.
//!
//! Input: folded text. Output: which of its columns hold IDs, by their labels. Infallible.

use crate::guard::find::label::Labels;

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
        let line = text.lines().find(|line| !line.trim().is_empty())?;
        if line.len() > 2_000 {
            return None;
        }
        let separator = ['\t', ';', ',', '|'].into_iter().find(|separator| line.contains(*separator))?;
        let columns: Vec<bool> = line.split(separator).map(|cell| labels.is_head(cell)).collect();
        let from = line.as_ptr() as usize - text.as_ptr() as usize + line.len();
        columns.contains(&true).then_some(Self { separator, columns, from })
    }

    /// Whether a place stands below a labelled head.
    pub fn has(&self, text: &str, place: usize) -> bool {
        if place < self.from {
            return false;
        }
        let line = text[..place].rfind('\n').map_or(0, |at| at + 1);
        let mut is_quoted = false;
        let cells = text[line..place].chars().filter(|c| {
            is_quoted ^= *c == '"';
            *c == self.separator && !is_quoted
        });
        self.columns.get(cells.count()).copied().unwrap_or(false)
    }
}
