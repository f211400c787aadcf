//! Names across passages: a name may begin in one passage and end in the next,
//! since white space between its characters counts for nothing.
//!
//! Each passage of a view leaves its [`Edges`]; [`Seams::push`] asks of each
//! seam, by the first four characters or first two words alone, whether a name
//! could stand across it. Where one could, [`Seams::windows`] gives the text
//! around the seam to be searched for whole names. What lies inside one passage
//! is not asked here.

use std::sync::Arc;

use crate::guard::names::{Names, is_joined, squeeze};

/// What of a passage can be part of a name that crosses its ends.
#[derive(Debug, Default)]
pub struct Edges {
    /// Its beginning, folded, white space as single spaces: at least the longest
    /// name less one, or all of it.
    head: Box<str>,
    /// Its end, likewise.
    tail: Box<str>,
    /// Whether head and tail are all of it.
    is_whole: bool,
    /// Whether a name could begin so near its end that it reaches over it.
    is_open: bool,
}

/// How many characters of a name there are to its fourth.
const GATE: usize = 4;

impl Edges {
    /// Reads a passage's folded text.
    pub fn of(folded: &str, names: &Names) -> Self {
        let (joined, spaced) = squeeze(folded);
        let longest = names.longest_chars();
        // A seam needs what is before it and after it, white space not counted.
        let head_end = cut_after(&spaced, longest);
        let tail_start = cut_before(&spaced, longest);
        let is_whole = tail_start == 0;
        let is_open = is_open_joined(&joined, names) || is_open_worded(&spaced[tail_start..], names);
        Self { head: spaced[..head_end].into(), tail: spaced[tail_start..].into(), is_whole, is_open }
    }
}

/// Where the first `count` characters that are no spaces end.
fn cut_after(spaced: &str, count: usize) -> usize {
    spaced.char_indices().filter(|(_, c)| *c != ' ').nth(count).map_or(spaced.len(), |(at, _)| at)
}

/// Where the last `count` characters that are no spaces begin, a word at least
/// not being cut.
fn cut_before(spaced: &str, count: usize) -> usize {
    let Some((at, _)) = spaced.char_indices().rev().filter(|(_, c)| *c != ' ').nth(count) else { return 0 };
    spaced[..at].rfind(' ').map_or(0, |space| space + 1)
}

fn is_open_joined(joined: &str, names: &Names) -> bool {
    let longest = names.longest_joined();
    let from = joined.char_indices().rev().nth(longest.saturating_sub(2)).map_or(0, |(at, _)| at);
    if joined.is_ascii() || longest == 0 {
        return false;
    }
    let tail: Vec<char> = joined[from..].chars().collect();
    tail.windows(GATE).any(|four| names.may_begin([four[0], four[1], four[2], four[3]]))
}

fn is_open_worded(tail: &str, names: &Names) -> bool {
    let words: Vec<&str> = tail.split(' ').collect();
    // A name of two words that stand both here does not reach over.
    names.longest_words() > 2 && words.windows(2).any(|pair| may_begin(pair[0], pair[1], names))
}

/// Whether a name by words could begin with the end of one and go on with the
/// other: `(ada` `ashgrove,`.
fn may_begin(first: &str, second: &str, names: &Names) -> bool {
    // No such name has a character that is written without spaces.
    if first.ends_with(is_joined) || second.starts_with(is_joined) {
        return false;
    }
    let word = |b: u8| b.is_ascii_alphanumeric();
    let begins = (0..first.len()).filter(|at| {
        first.is_char_boundary(*at) && (*at == 0 || !word(first.as_bytes()[*at - 1])) && first.as_bytes()[*at] != b' '
    });
    let ends: Vec<usize> = (1..=second.len())
        .filter(|at| second.is_char_boundary(*at) && (*at == second.len() || !word(second.as_bytes()[*at])))
        .collect();
    begins.into_iter().any(|at| ends.iter().any(|end| names.may_begin_worded(&first[at..], &second[..*end])))
}

/// The seams of one view.
#[derive(Default)]
pub struct Seams {
    edges: Vec<Arc<Edges>>,
    /// The last characters so far, white space left out; the newest last.
    last: [char; GATE - 1],
    /// Seams, by the number of the passage after them, that a name may cross.
    open: Vec<usize>,
}

impl Seams {
    /// The next passage.
    pub fn push(&mut self, edges: Arc<Edges>, names: &Names) {
        if edges.head.is_empty() {
            return;
        }
        if let Some(before) = self.edges.last()
            && (before.is_open || self.may_cross(&edges, names))
        {
            self.open.push(self.edges.len());
        }
        for c in edges.tail.chars().rev().filter(|c| *c != ' ').take(GATE - 1).collect::<Vec<_>>().into_iter().rev() {
            self.last = [self.last[1], self.last[2], c];
        }
        self.edges.push(edges);
    }

    fn may_cross(&self, after: &Edges, names: &Names) -> bool {
        self.may_cross_joined(after, names) || self.may_cross_worded(after, names)
    }

    fn may_cross_joined(&self, after: &Edges, names: &Names) -> bool {
        let mut window = ['\0'; 2 * (GATE - 1)];
        window[..GATE - 1].copy_from_slice(&self.last);
        let mut count = GATE - 1;
        for c in after.head.chars().filter(|c| *c != ' ').take(GATE - 1) {
            window[count] = c;
            count += 1;
        }
        if window[..count].iter().all(char::is_ascii) {
            return false;
        }
        window[..count].windows(GATE).any(|four| names.may_begin([four[0], four[1], four[2], four[3]]))
    }

    fn may_cross_worded(&self, after: &Edges, names: &Names) -> bool {
        let Some(before) = self.edges.last() else { return false };
        if !names.has_worded() {
            return false;
        }
        let last = before.tail.rsplit(' ').next().unwrap_or_default();
        let first = after.head.split(' ').next().unwrap_or_default();
        may_begin(last, first, names)
    }

    /// The text around each seam that a name may cross, folded and spaced.
    pub fn windows(&self, names: &Names) -> Vec<String> {
        let longest = names.longest_chars();
        self.open.iter().map(|seam| self.window(*seam, longest)).collect()
    }

    fn window(&self, seam: usize, longest: usize) -> String {
        let size = |text: &str| text.chars().filter(|c| *c != ' ').count();
        let (mut parts, mut count) = (Vec::new(), 0);
        for edges in self.edges[..seam].iter().rev() {
            parts.push(&*edges.tail);
            count += size(&edges.tail);
            if count >= longest || !edges.is_whole {
                break;
            }
        }
        parts.reverse();
        count = 0;
        for edges in &self.edges[seam..] {
            parts.push(&*edges.head);
            count += size(&edges.head);
            if count >= longest || !edges.is_whole {
                break;
            }
        }
        parts.join(" ")
    }
}
