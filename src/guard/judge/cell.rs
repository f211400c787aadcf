//! A cell of an audience, before it is frozen: does it name another account of
//! the directory? It is read as the guard reads a message, so that what passes
//! here and is shown would pass there.

use crate::account::Record;
use crate::guard::rules::Seen;
use crate::guard::rules::names::Searched;
use crate::guard::view::{Place, Shape, View};
use crate::guard::{Finding, Judge, Rule, normal, rules};

/// The longest cell that is read, in bytes. Identifiers and lists of them are
/// shorter; running text beyond it is judged in the message.
pub const CELL_BYTES_MAX: usize = 2_000;

impl Judge<'_> {
    /// What in an account's cells is another account's. `place` begins the place
    /// of each finding; names too short to be searched for are left to the
    /// message, where they have a cue.
    pub fn foreign_cells<'c>(
        &self,
        record: &Record,
        place: &str,
        cells: impl Iterator<Item = (&'c str, &'c str)>,
    ) -> Vec<Finding> {
        let mut cells = cells.filter(|(_, cell)| !cell.is_empty() && cell.len() <= CELL_BYTES_MAX).peekable();
        if cells.peek().is_none() {
            return Vec::new();
        }
        let mut case = self.case(self.own(record), &record.account);
        for (column, cell) in cells {
            let place = Place { part: place.to_owned(), view: "column", at: Some(column.to_owned()) };
            let view = View { place, shape: Shape::Hidden, text: cell.into() };
            let folded = normal::fold(cell);
            let seen = Seen { view: &view, text: cell, folded: &folded, searched: Searched::of(&folded) };
            rules::identifiers::judge(&mut case, &seen);
            rules::names::judge(&mut case, &seen);
        }
        let mut findings = case.close();
        findings.retain(|finding| finding.rule == Rule::Foreign);
        findings
    }
}
