//! One line of separated values → its cells.
//!
//! Input: a line without its end, and the separator. Output: the cells, quotes undone
//! (RFC 4180 §2). Errors: a few words on what cannot be read.

/// What is said of a quote that is not closed on its line.
pub(super) const OPEN: &str =
    "a quote opens on this line and is not closed on it: close it; a cell may have no line break in it";

/// One line's cells.
///
/// # Errors
/// A quote that is not closed on the line, text around a quoted cell, or a
/// carriage return inside the line.
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    split_at(line, ',')
}

/// The same, with another separator.
///
/// # Errors
/// As [`split`].
pub fn split_at(line: &str, separator: char) -> Result<Vec<String>, &'static str> {
    if line.contains('\r') {
        return Err("it has a carriage return in it: lines end with LF or CRLF, never with CR alone");
    }
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => plain_cell(rest, separator)?,
        };
        cells.push(cell);
        match after.strip_prefix(separator) {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err("text follows a closing quote: a quote inside a quoted cell is written twice"),
        }
    }
}

fn plain_cell(text: &str, separator: char) -> Result<(String, &str), &'static str> {
    let (cell, after) = text.split_at(text.find(separator).unwrap_or(text.len()));
    if cell.contains('"') {
        return Err("a quote stands inside a cell that does not begin with one: quote the whole cell");
    }
    Ok((cell.to_owned(), after))
}

/// What follows an opening quote: the cell, and what stands behind it.
fn quoted_cell(mut rest: &str) -> Result<(String, &str), &'static str> {
    let mut cell = String::new();
    loop {
        let (text, after) = rest.split_once('"').ok_or(OPEN)?;
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
