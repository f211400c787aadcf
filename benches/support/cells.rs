//! Made-up rows.

use kakitome::demo::people;
use kakitome::directory::row::Cell;

/// A made-up customer as a row of an export.
pub fn cells(made: people::Customer) -> Vec<(String, Cell)> {
    people::COLUMNS.into_iter().zip(made.row()).map(|(name, value)| (name.to_owned(), Cell::Text(value))).collect()
}
