//! Numbers across passages: `1000<br>1001` is one, and so are its lines.
//!
//! Input: a passage's folded text. Output: the pieces of a number that it begins and ends
//! with. Infallible.

use crate::guard::find::Scanner;
use crate::guard::find::atoms::GAP_MAX;

/// The pieces of a number at the ends of a passage.
#[derive(Debug)]
pub struct Number {
    /// The first piece or pieces; empty where something else stands there.
    pub head: Box<str>,
    /// The last, likewise.
    pub tail: Box<str>,
    /// Whether it is nothing else.
    pub is_whole: bool,
}

impl Number {
    /// Reads a passage's folded text; `None` where it has no piece of a number.
    pub fn of(folded: &str, scanner: &Scanner) -> Option<Self> {
        if scanner.are_digits() && !folded.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let atoms = scanner.atoms(folded);
        let (first, last) = (atoms.first()?, atoms.last()?);
        let is_near = |gap: &str| gap.chars().count() <= GAP_MAX;
        let reach = scanner.reach();
        // As many atoms as join, up to the longest number.
        let run = |joins: &dyn Fn(usize) -> bool, length: &dyn Fn(usize) -> usize| {
            let (mut count, mut sum) = (1, length(0));
            while count < atoms.len() && joins(count) && sum < reach {
                sum += length(count);
                count += 1;
            }
            count
        };
        let end = atoms.len() - 1;
        let head_end = run(&|n| atoms.joins(n - 1), &|n| atoms[n].length);
        let back = run(&|n| atoms.joins(end - n), &|n| atoms[end - n].length);
        let head = if is_near(&folded[..first.start]) { &folded[..atoms[head_end - 1].end] } else { "" };
        let tail = if is_near(&folded[last.end..]) { &folded[atoms[atoms.len() - back].start..] } else { "" };
        let is_whole = head_end == atoms.len() && back == atoms.len() && !head.is_empty() && !tail.is_empty();
        Some(Self { head: head.into(), tail: tail.into(), is_whole })
    }

    /// Whether a number may go on in the passage after it.
    pub fn joins(&self, after: &Self) -> bool {
        let has_digit = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
        !self.tail.is_empty() && !after.head.is_empty() && (has_digit(&self.tail) || has_digit(&after.head))
    }
}

/// Pieces of a number, up to the first that has more than that beside it, or as far as a
/// number reaches.
pub fn pieces(texts: impl Iterator<Item = (Box<str>, bool)>, reach: usize) -> Vec<Box<str>> {
    let (mut parts, mut length) = (Vec::new(), 0);
    for (text, is_whole) in texts {
        length += text.len();
        parts.push(text);
        if !is_whole || length >= reach {
            break;
        }
    }
    parts
}
