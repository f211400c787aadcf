//! What looks like a host and is none: the namespace of a language of mark-up, the name of a
//! technology, a version, a selector of a style sheet, a name in a script. None of it must be
//! explained; what the directory gives to an account is that account's all the same, since
//! that is asked before. And what looks like an ID and is a colour, `bgcolor="#333333"`, which is
//! nobody's: of six digits that are an account's somewhere every message would have some.
//!
//! Input: a token, and where it stands. The words are in `lexicon/lookalikes.txt`. Infallible.

use std::sync::LazyLock;

use crate::account::Kind;
use crate::guard::find::Token;
use crate::guard::lexicon::table::Table;
use crate::guard::rules::is_header;
use crate::guard::view::{Shape, View};

/// `word | role | example`, a line a word.
const FILE: &str = include_str!("../lexicon/lookalikes.txt");

static WORDS: LazyLock<Table> = LazyLock::new(|| Table::of(FILE));

fn has(role: &str, word: &str) -> bool {
    WORDS.has(role, word)
}

/// Whether a host that nobody owns is none where it stands.
pub(super) fn is_no_host(token: &Token<'_>, view: &View<'_>, folded: &str) -> bool {
    let host = token.says();
    is_version(host)
        || is_namespace(host, view)
        || is_technology(token, view, folded)
        || match view.place.view {
            "style" | "comment" => is_selector(token, folded),
            "script" => is_code(token, folded),
            _ => false,
        }
}

/// The same of a reading in running text: a technology, or a version.
pub(super) fn is_no_word(reading: &str, visible: bool) -> bool {
    is_version(reading) || visible && has("technology", reading)
}

/// Whether a token is a colour of three, four or six digits, by the property or the attribute
/// that it is the value of. No reader sees what its number is.
pub(super) fn is_colour(token: &Token<'_>, view: &View<'_>, folded: &str) -> bool {
    if view.shape == Shape::Visible || token.shape.kind() != Kind::Id || !matches!(token.text.len(), 3 | 4 | 6) {
        return false;
    }
    let Some(before) = folded[..token.start].strip_suffix('#') else { return false };
    let before = &before[before.floor_char_boundary(before.len().saturating_sub(VALUE_MAX))..];
    if before.trim_ascii().is_empty() {
        return view.place.view == "attribute" && view.place.at.as_deref().is_some_and(is_coloured);
    }
    let value = before.trim_end_matches(['"', '\'', ' ']);
    if let Some(attribute) = value.strip_suffix('=') {
        return is_coloured(attribute.trim_end());
    }
    let declaration = before.rsplit([';', '{', '"', '\'', '<', '>']).next().unwrap_or(before);
    declaration.split_once(':').is_some_and(|(property, _)| is_coloured(property.trim_end()))
}

/// Whether a number stands in what a mail program makes of times and chance, an ID of a message
/// or the boundary of its parts: nearly each has six digits somewhere, and nobody's ID they are.
/// What is known to be somebody's is found there all the same.
pub(super) fn is_made_by_program(token: &Token<'_>, view: &View<'_>, folded: &str) -> bool {
    const DIGITS_MAX: usize = 6;
    if token.text.len() > DIGITS_MAX || !token.text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let is_boundary = || {
        let before = &folded[..token.start];
        let parameter = before.rsplit(';').next().unwrap_or(before);
        parameter.trim_start().strip_prefix("boundary").is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let is_its_own = view.place.at.as_deref().is_some_and(|at| at.split(", ").any(|of| of == "parameter boundary"));
    is_its_own
        || is_header(view)
            && match view.place.view {
                "Message-ID" | "References" | "In-Reply-To" => true,
                "Content-Type" => is_boundary(),
                _ => false,
            }
}

/// How far before a colour its property stands, at most, in bytes.
const VALUE_MAX: usize = 200;

/// Whether a text ends with a property or an attribute that may be a colour: `border-color`.
fn is_coloured(text: &str) -> bool {
    let name = text.rsplit(|c: char| !c.is_ascii_alphabetic() && c != '-').next().unwrap_or(text);
    has("colour", name) || name.rsplit_once('-').is_some_and(|(_, end)| has("colour", end))
}

/// `a.buy {`: what a style sheet speaks of, and not what it says.
fn is_selector(token: &Token<'_>, folded: &str) -> bool {
    let (before, after) = (&folded[..token.start], &folded[token.start + token.text.len()..]);
    let end = after.find(['{', '}', ';', '<']).filter(|end| after[*end..].starts_with('{'));
    !before.ends_with(['/', '@', '"', '\'', '(']) && end.is_some_and(|end| !after[..end].contains("*/"))
}

/// `document.body`: a name of a script's, outside of what stands in quotes in its line.
fn is_code(token: &Token<'_>, folded: &str) -> bool {
    let before = &folded[..token.start];
    let line = before.rsplit('\n').next().unwrap_or(before);
    let is_odd = |quote: u8| line.bytes().filter(|b| *b == quote).count() % 2 == 1;
    !before.ends_with(['/', '@']) && !b"\"'`".iter().any(|quote| is_odd(*quote))
}

/// `2.0.0.release`: two numbers at least, and what releases are called.
fn is_version(host: &str) -> bool {
    let Some((numbers, last)) = host.rsplit_once('.') else { return false };
    let is_number = |label: &str| label.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    numbers.contains('.')
        && numbers.split('.').all(is_number)
        && has("version", last.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Where a program reads it, and nobody can follow it.
fn is_namespace(host: &str, view: &View<'_>) -> bool {
    let is_followed = view.shape == Shape::Visible || view.place.view == "link" || is_header(view);
    !is_followed && has("namespace", host)
}

/// By itself among words: behind `https://`, before `/order` or in an address it is a host.
fn is_technology(token: &Token<'_>, view: &View<'_>, folded: &str) -> bool {
    let (before, after) = (&folded[..token.start], &folded[token.start + token.text.len()..]);
    let is_word = !before.ends_with(['/', '@', '.', ':', '=', '-']) && !after.starts_with(['/', '@', ':', '-']);
    view.shape == Shape::Visible && is_word && has("technology", token.says())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::lexicon::table;

    #[test]
    fn every_line_has_a_word_its_role_and_an_example_of_it() {
        for line in table::lines(FILE) {
            let cells: Vec<&str> = line.split(" | ").collect();
            assert!(cells.len() == 3 && ["namespace", "technology", "version", "colour"].contains(&cells[1]), "{line}");
            assert!(cells[2].to_lowercase().contains(cells[0]), "{line}");
        }
    }

    #[test]
    fn versions() {
        for version in ["2.0.0.release", "v1.2.beta2", "6.1.0-alpha.beta", "4.1.9.final"] {
            assert!(is_version(version), "{version}");
        }
        for host in ["163.com", "1.2.3.example", "v2.release", "release.final", "4.a.beta"] {
            assert!(!is_version(host), "{host}");
        }
    }
}
