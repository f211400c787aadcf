//! Tables in the terminal: as wide as they need to be, broken between words where they
//! are wider than it, and a line for each row where even that has no room.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width};
use terminal_size::terminal_size_of;

pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(head.iter().copied());
    table
}

/// A table as this terminal can show it; elsewhere as it is.
pub(super) fn fitted(table: Table) -> String {
    match terminal_size_of(std::io::stdout()) {
        Some((width, _)) => within(table, width.0),
        None => table.to_string(),
    }
}

fn within(mut table: Table, width: u16) -> String {
    let longest = |text: String| text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
    let rows = || table.header().into_iter().chain(table.row_iter());
    let mut words = vec![0; rows().map(Row::cell_count).max().unwrap_or(0)];
    for row in rows() {
        for (word, cell) in words.iter_mut().zip(row.cell_iter()) {
            *word = (*word).max(longest(cell.content()));
        }
    }
    // A space on either side of each, and one between two.
    if words.iter().map(|word| word + 3).sum::<usize>() > usize::from(width) + 1 {
        return lines(&table);
    }
    for (column, word) in table.column_iter_mut().zip(words) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(word as u16 + 2)));
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width).to_string()
}

/// Each row as `first: name value, name value`, without what is nothing.
fn lines(table: &Table) -> String {
    let cells = |row: &Row| row.cell_iter().map(|cell| cell.content()).collect::<Vec<_>>();
    let head = table.header().map(cells).unwrap_or_default();
    let line = |row: &Row| {
        let cells = cells(row);
        let named = head.iter().zip(&cells).skip(1).filter(|(_, cell)| !matches!(cell.as_str(), "" | "0"));
        let named: Vec<String> = named.map(|(name, cell)| format!("{name} {cell}")).collect();
        format!("{}: {}", cells.first().map_or("", String::as_str), named.join(", "))
    };
    table.row_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_broken_between_words_or_told_in_lines() {
        let made = || {
            let mut table = table(&["stage", "accepted", "suppressed", "why"]);
            table.add_row(["canary", "1,200", "0", "because it is said in many words"]);
            table
        };
        for width in [200, 60, 42] {
            let text = within(made(), width);
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{text}");
            assert!(text.contains("suppressed") && text.contains("canary"), "{width}:\n{text}");
        }
        assert_eq!(within(made(), 41), "canary: accepted 1,200, why because it is said in many words");
    }
}
