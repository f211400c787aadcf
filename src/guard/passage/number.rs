//! Numbers across passages: `1000<br>1001` is one, and so are its lines.
//!
//! Input: a passage's folded text. Output: the pieces of a number that it begins and ends
//! with, and so much of what stands beside them as may say what they are. Infallible.

use crate::guard::find::Scanner;
use crate::guard::find::atoms::GAP_MAX;

/// So much text beside a piece is kept, in bytes: its bracket, its label.
const BESIDE_MAX: usize = 48;

/// The pieces of a number at the ends of a passage.
#[derive(Debug)]
pub struct Number {
    /// The first piece or pieces; empty where something else stands there.
    pub head: Box<str>,
    /// The last, likewise.
    pub tail: Box<str>,
    /// Whether it is nothing else.
    pub is_whole: bool,
    /// Whether there are digits in the first pieces, and in the last.
    has_digits: [bool; 2],
}

impl Number {
    /// Reads a passage's folded text; `None` where it has no piece of a number.
    pub fn of(folded: &str, scanner: &Scanner) -> Option<Self> {
        let is_near = |gap: &str| gap.chars().count() <= GAP_MAX;
        // The sign between two pieces may have a cell of its own.
        if is_near(folded.trim()) && !folded.contains(char::is_alphanumeric) {
            return Some(Self { head: folded.into(), tail: folded.into(), is_whole: true, has_digits: [false; 2] });
        }
        if scanner.are_digits() && !folded.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let atoms = scanner.atoms(folded);
        let (first, last) = (atoms.first()?, atoms.last()?);
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
        let tail_start = atoms[atoms.len() - back].start;
        let (begins, ends) = (is_near(&folded[..first.start]), is_near(&folded[last.end..]));
        let beside = |at: usize| folded.ceil_char_boundary(folded.len().min(atoms[at].end + BESIDE_MAX));
        let head = if begins { &folded[..beside(head_end - 1)] } else { "" };
        let from = folded.floor_char_boundary(tail_start.saturating_sub(BESIDE_MAX));
        let tail = if ends { &folded[from..] } else { "" };
        let has_digits =
            [0..head_end, atoms.len() - back..atoms.len()].map(|run| atoms[run].iter().any(|a| a.is_digits));
        let is_whole = head_end == atoms.len() && back == atoms.len() && begins && ends;
        Some(Self { head: head.into(), tail: tail.into(), is_whole, has_digits })
    }

    /// Whether a number may go on in the passage after it.
    pub fn joins(&self, after: &Self) -> bool {
        !self.tail.is_empty() && !after.head.is_empty() && (self.has_digits[1] || after.has_digits[0])
    }

    /// Its first pieces, and whether they are all of it.
    pub fn first(&self) -> (&str, bool) {
        (&self.head, self.is_whole)
    }

    /// Its last, likewise.
    pub fn last(&self) -> (&str, bool) {
        (&self.tail, self.is_whole)
    }
}
