//! Names in two fields: `山田,太郎`, `Last name: Whitfield / First name: Jonathan`.
//!
//! Input: searched text (`normal::search`). Output: each two fields that may be the halves of
//! one name, which only the directory can say. In a line, halves with captions of their own
//! may have other fields between them; across lines they may not. Infallible, linear.

use crate::guard::find::names::alone::fields;
use crate::guard::find::names::standalone::Standing;
use crate::guard::find::names::{is_joined, is_within};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// One half of a name, as a cell has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell<'t> {
    /// Letters of a name.
    Half(&'t str),
    /// Says that a half follows: `姓`, `First name`.
    Caption,
    Other,
}

/// The longest half of a name, in bytes and in words: `van den Heuvel`, `de la Cruz Ortega`.
const HALF_MAX: usize = 40;
const HALF_WORDS_MAX: usize = 4;

fn cell(text: &str) -> Cell<'_> {
    if lexicon::of(Role::Part).has(text) {
        return Cell::Caption;
    }
    let is_name =
        |c: char| is_within(c) && !c.is_numeric() || is_joined(c) || c == '-' || c == '\'' || c == ' ' || c == '・';
    let is_half = text.len() <= HALF_MAX && text.chars().all(is_name) && text.split(' ').count() <= HALF_WORDS_MAX;
    if is_half && text.chars().any(char::is_alphabetic) { Cell::Half(text) } else { Cell::Other }
}

/// The cells of a line: its fields, or its words where a caption is one of them: 姓 山田 名 太郎.
fn cells(line: &str) -> Vec<Cell<'_>> {
    const WORDS: std::ops::RangeInclusive<usize> = 2..=6;
    let fields = fields(line);
    if let [one] = &fields[..] {
        let words: Vec<Cell<'_>> =
            one.text.split(' ').filter(|word| !word.is_empty()).take(WORDS.end() + 1).map(cell).collect();
        if WORDS.contains(&words.len()) && words.contains(&Cell::Caption) && cell(one.text) != Cell::Caption {
            return words;
        }
    }
    fields.iter().flat_map(|field| halves(field.text)).collect()
}

/// A field as cells: of `山田 名`, which a colon follows, the last word is the next caption.
fn halves(field: &str) -> Vec<Cell<'_>> {
    match field.rsplit_once(' ') {
        Some((half, caption)) if cell(caption) == Cell::Caption && cell(field) != Cell::Caption => {
            vec![cell(half.trim()), Cell::Caption]
        }
        _ => vec![cell(field)],
    }
}

/// Each two fields that may be the halves of one name, in both orders: those beside each
/// other in a line or in two lines that are nothing else, and those with a caption between
/// them.
pub fn pairs(searched: &str) -> Vec<(Standing, Standing)> {
    let mut all = Vec::new();
    let mut before: Vec<Cell<'_>> = Vec::new();
    for line in searched.lines().filter(|line| !line.trim().is_empty()) {
        let cells = cells(line);
        let is_half_alone = |cells: &[Cell<'_>]| {
            cells.len() <= 3 && matches!(cells, [Cell::Half(_)] | [Cell::Caption] | [.., Cell::Caption, Cell::Half(_)])
        };
        let joins = is_half_alone(&cells) && !before.is_empty();
        let from = if joins { before.len() } else { 0 };
        let chain: Vec<Cell<'_>> = if joins { before.iter().chain(&cells).copied().collect() } else { cells.clone() };
        for n in from..chain.len() {
            let Cell::Half(second) = chain[n] else { continue };
            let firsts = firsts(&chain[..n], n >= from + 2 && !joins);
            all.extend(firsts.map(|first| pair(searched, first, second)));
        }
        before = if is_half_alone(&cells) {
            let keep = chain.len().saturating_sub(5);
            chain[keep..].to_vec()
        } else {
            Vec::new()
        };
    }
    all
}

/// The halves that the one behind these cells may belong to.
fn firsts<'t>(before: &[Cell<'t>], is_record: bool) -> impl Iterator<Item = &'t str> {
    let at = |back: usize| before.len().checked_sub(back).and_then(|at| before.get(at)).copied();
    let is_captioned = at(1) == Some(Cell::Caption);
    // Captions without a value are gone over.
    let captions = before.iter().rev().take_while(|cell| **cell == Cell::Caption).count();
    // Each half that has its caption is paired with the one before that has.
    let captioned = || before.windows(2).rev().find(|two| two[0] == Cell::Caption && matches!(two[1], Cell::Half(_)));
    let all = [
        at(1),
        // In a record a value follows each key, whatever that is called; elsewhere a caption does.
        at(2).filter(|_| is_captioned || is_record),
        at(captions + 1).filter(|_| captions > 1),
        captioned().map(|two| two[1]).filter(|_| is_captioned),
    ];
    all.into_iter().flatten().filter_map(|cell| if let Cell::Half(half) = cell { Some(half) } else { None })
}

fn pair(text: &str, first: &str, second: &str) -> (Standing, Standing) {
    let start = first.as_ptr() as usize - text.as_ptr() as usize;
    let end = second.as_ptr() as usize - text.as_ptr() as usize + second.len();
    let of = |name: String| Standing { place: start..end, name: normal::name_of_searched(&name) };
    (of(format!("{first} {second}")), of(format!("{second} {first}")))
}

/// Whether a text ends with a half of a name behind its caption, or with the caption: what
/// follows may have the other half.
pub fn ends_in_half(searched: &str) -> bool {
    let last = searched.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match &cells(last)[..] {
        [.., Cell::Caption] | [.., Cell::Caption, Cell::Half(_)] => true,
        // 姓⏎山田
        [Cell::Half(half)] => {
            let above = searched[..half.as_ptr() as usize - searched.as_ptr() as usize].trim_end();
            let above = above.lines().next_back().unwrap_or_default();
            cells(above).last() == Some(&Cell::Caption)
        }
        _ => false,
    }
}

/// A text that is a half of a name and nothing else, as a cell is: with its neighbour it may
/// be a whole one.
pub fn half(searched: &str) -> Option<&str> {
    let mut lines = searched.lines().filter(|line| !line.trim().is_empty());
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    match cells(line)[..] {
        [Cell::Half(half)] => Some(half),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(text: &str) -> String {
        normal::search(&normal::fold(text)).into_owned()
    }

    #[test]
    fn two_fields_are_one_name() {
        for (text, name) in [
            ("山田,太郎", "山田太郎"),
            ("太郎\n山田", "山田太郎"),
            ("太郎 \t山田", "山田太郎"),
            ("姓: 山田\n名: 太郎", "山田太郎"),
            ("姓\n山田\n名\n太郎", "山田太郎"),
            ("{\"last\":\"山田\",\"first\":\"太郎\"}", "山田太郎"),
            ("Last name: Whitfield / First name: Jonathan", "jonathan whitfield"),
            ("WHITFIELD, Jonathan", "jonathan whitfield"),
            ("id,x,Whitfield,Jonathan", "jonathan whitfield"),
            ("姓 山田 名 太郎", "山田太郎"),
            ("姓：山田　名：太郎", "山田太郎"),
            ("お名前（姓）山田\nお名前（名）太郎", "山田太郎"),
            ("First name: Jonathan\nMiddle name: -\nLast name: Whitfield", "jonathan whitfield"),
            ("{\"first_name\":\"Jonathan\",\"plan\":\"x\",\"last_name\":\"Whitfield\"}", "jonathan whitfield"),
        ] {
            let searched = searched(text);
            let found = pairs(&searched);
            assert!(found.iter().any(|(a, b)| a.name == name || b.name == name), "{text}: {found:?}");
        }
        assert!(
            ends_in_half(&searched("姓: 山田"))
                && ends_in_half(&searched("First name"))
                && ends_in_half(&searched("姓\n山田"))
        );
        assert!(!ends_in_half(&searched("会社: 山田")) && !ends_in_half(&searched("山田")));
        assert_eq!((half("山田"), half("山田、太郎"), half("12")), (Some("山田"), None, None));
    }
}
