//! Names across passages: a name may begin in one passage and end in the next,
//! since white space between its characters counts for nothing.
//!
//! Each passage of a view leaves its [`Edges`]; [`Seams::push`] asks of each
//! seam, by the first four characters or first two words alone, whether a name
//! could stand across it. Where one could, [`Seams::windows`] gives the text
//! around the seam, in each of its readings, to be searched for whole names. What lies inside one passage
//! is not asked here.
//!
//! A number may be broken likewise: `1000<br>1001`. Where one passage ends and the next
//! begins with a piece of one, [`Seams::number_windows`] gives both.

use std::sync::Arc;

use super::crossing;
use super::number::Number;
use crate::guard::find::Scanner;
use crate::guard::find::names::halves;
use crate::guard::find::names::{Names, is_gap, squeeze};
use crate::guard::normal;
use crate::guard::view::second;

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
    /// Its first and last characters that are no spaces, as many as there are.
    first: Few,
    last: Few,
    /// Its first and last lines as halves of a name, if they are nothing else: 太郎 in a cell of
    /// its own.
    halves: [Option<Box<str>>; 2],
    /// The same of it as it reads where tags part its words: `Kaki<b>tome</b>`, or without the
    /// readings of its kanji: 鈴木(すずき).
    cut: Option<Box<Edges>>,
    /// The pieces of a number that it begins and ends with.
    number: Option<Number>,
}

/// Up to three characters.
#[derive(Clone, Copy, Debug, Default)]
struct Few {
    chars: [char; GATE - 1],
    count: usize,
}

impl Few {
    fn of(chars: impl Iterator<Item = char>) -> Self {
        let mut few = Self::default();
        for c in chars.filter(|c| *c != ' ').take(GATE - 1) {
            few.chars[few.count] = c;
            few.count += 1;
        }
        few
    }

    fn as_slice(&self) -> &[char] {
        &self.chars[..self.count]
    }
}

/// The beginning of a passage, or its end.
type Side = for<'e> fn(&'e Edges) -> &'e str;

/// In so many readings at most the texts on one side of a seam are asked for names.
const RUNS_MAX: usize = 8;
/// How many characters of a name there are to its fourth.
const GATE: usize = 4;

impl Edges {
    /// Reads a passage's folded text.
    pub fn of(folded: &str, names: Names<'_>, scanner: &Scanner) -> Self {
        let searched = normal::search(folded);
        let plain = second::without_furigana(&searched);
        let mut lines = plain.as_deref().unwrap_or(&searched).lines().filter(|line| !line.trim().is_empty());
        let first = lines.next();
        let halves = [first, lines.next_back().or(first)].map(|line| halves::half(line?).map(Into::into));
        let cut = plain.map(|plain| Box::new(Self::of_squeezed(squeeze(&plain), names)));
        let number = Number::of(folded, scanner);
        Self { cut, halves, number, ..Self::of_squeezed(squeeze(&searched), names) }
    }

    /// Reads one that has another text where tags part its words.
    pub fn of_both(folded: &str, cut: &str, names: Names<'_>, scanner: &Scanner) -> Self {
        let whole = Self::of(folded, names, scanner);
        if squeeze(folded).1 == squeeze(cut).1 {
            return whole;
        }
        let other = Self::of(cut, names, scanner);
        whole.and(other)
    }

    fn of_squeezed((joined, spaced): (String, String), names: Names<'_>) -> Self {
        let head_end = cut_after(&spaced, names);
        let tail_start = cut_before(&spaced, names);
        let is_open = is_open_joined(&joined, names) || crossing::is_open(&spaced[tail_start..], names);
        Self {
            head: spaced[..head_end].into(),
            tail: spaced[tail_start..].into(),
            is_whole: tail_start == 0,
            is_open,
            first: Few::of(joined.chars()),
            last: Few::of(joined.chars().rev()),
            halves: [None, None],
            cut: None,
            number: None,
        }
    }

    fn is_number(&self) -> bool {
        self.numbers().any(|number| number.is_whole)
    }

    /// The pieces of numbers at its ends, as its words are parted.
    fn numbers(&self) -> impl Iterator<Item = &Number> {
        self.readings().filter_map(|edges| edges.number.as_ref())
    }

    fn head(&self) -> &str {
        &self.head
    }

    fn tail(&self) -> &str {
        &self.tail
    }

    /// Its last characters, in their order.
    fn last_chars(&self) -> [char; GATE - 1] {
        let mut last = self.last.chars;
        last.reverse();
        last
    }

    /// It, and another reading of it behind those that it has.
    fn and(mut self, other: Self) -> Self {
        self.cut = Some(Box::new(match self.cut.take() {
            Some(cut) => cut.and(other),
            None => other,
        }));
        self
    }

    /// It, and as its words are parted.
    fn readings(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |edges| edges.cut.as_deref())
    }
}

/// Where the beginning ends that holds as many characters as the longest name
/// without spaces, and as many words as the longest by words.
fn cut_after(spaced: &str, names: Names<'_>) -> usize {
    let letters = spaced.char_indices().filter(|(_, c)| !is_gap(*c)).nth(names.longest_joined());
    let words = spaced.match_indices(' ').nth(names.longest_span());
    let end = spaced.len();
    letters.map_or(end, |(at, _)| at).max(words.map_or(end, |(at, _)| at))
}

/// Where the end begins that holds as much; no word is cut.
fn cut_before(spaced: &str, names: Names<'_>) -> usize {
    let letters = spaced.char_indices().rev().filter(|(_, c)| !is_gap(*c)).nth(names.longest_joined());
    let words = spaced.rmatch_indices(' ').nth(names.longest_span());
    let start = letters.map_or(0, |(at, _)| at).min(words.map_or(0, |(at, _)| at));
    spaced[..start].rfind(' ').map_or(0, |space| space + 1)
}

fn is_open_joined(joined: &str, names: Names<'_>) -> bool {
    let longest = names.longest_joined();
    if joined.is_ascii() || longest <= GATE {
        return false;
    }
    let mut last = ['\0'; GATE];
    joined.chars().rev().take(longest - 1).enumerate().any(|(count, c)| {
        last = [c, last[0], last[1], last[2]];
        count + 1 >= GATE && names.may_begin(last)
    })
}

/// What a block leaves to the seams of a view that goes on behind it.
pub struct Crossed {
    edges: Box<[Arc<Edges>]>,
    /// Seams, by the number of the passage after them, that a name may cross to
    /// beyond the block's end.
    open: Box<[usize]>,
    /// Seams that a number may cross to beyond it, likewise.
    numbers: Box<[usize]>,
}

/// The seams of one view.
#[derive(Default)]
pub struct Seams {
    edges: Vec<Arc<Edges>>,
    /// The last characters so far, white space left out; the newest last.
    last: [char; GATE - 1],
    /// Seams, by the number of the passage after them, that a name may cross.
    open: Vec<usize>,
    /// The same of numbers.
    numbers: Vec<usize>,
    /// Whether two passages are the halves of one name.
    has_halves: bool,
}

impl Seams {
    /// The next passage.
    pub fn push(&mut self, edges: Arc<Edges>, names: Names<'_>) {
        if edges.head.is_empty() {
            return;
        }
        if let Some(before) = self.edges.last() {
            if let (Some(first), Some(second)) = (&before.halves[1], &edges.halves[0]) {
                self.has_halves |= names.has_halves(first, second);
            }
            let may_cross = |before: &Edges| edges.readings().any(|edges| self.may_cross(before, edges, names));
            if before.readings().any(|before| before.is_open || may_cross(before)) {
                self.open.push(self.edges.len());
            }
            if before.numbers().any(|tail| edges.numbers().any(|head| tail.joins(head))) {
                self.numbers.push(self.edges.len());
            }
        }
        self.note_last(&edges);
        self.edges.push(edges);
    }

    fn may_cross(&self, before: &Edges, after: &Edges, names: Names<'_>) -> bool {
        let may_cross = |last| Self::may_cross_joined(last, after, names);
        may_cross(self.last)
            || may_cross(before.last_chars())
            || crossing::may_cross(&before.tail, (&after.head, after.is_whole), names)
    }

    fn may_cross_joined(last: [char; GATE - 1], after: &Edges, names: Names<'_>) -> bool {
        let mut window = ['\0'; 2 * (GATE - 1)];
        window[..GATE - 1].copy_from_slice(&last);
        let count = GATE - 1 + after.first.count;
        window[GATE - 1..count].copy_from_slice(after.first.as_slice());
        if window[..count].iter().all(char::is_ascii) {
            return false;
        }
        window[..count].windows(GATE).any(|four| names.may_begin([four[0], four[1], four[2], four[3]]))
    }

    /// The passages of a block, one after the other.
    pub fn cross(&mut self, crossed: &Crossed, names: Names<'_>) {
        let Some((first, others)) = crossed.edges.split_first() else { return };
        self.push(first.clone(), names);
        let start = self.edges.len() - 1;
        self.edges.extend_from_slice(others);
        self.open.extend(crossed.open.iter().map(|seam| start + seam));
        self.numbers.extend(crossed.numbers.iter().map(|seam| start + seam));
        others.iter().for_each(|edges| self.note_last(edges));
    }

    fn note_last(&mut self, edges: &Edges) {
        for c in edges.last.as_slice().iter().rev() {
            self.last = [self.last[1], self.last[2], *c];
        }
    }

    /// What a block is to the seams around it: its passages, and those of its own
    /// seams that a name may cross to beyond its end. The others were judged.
    pub fn into_crossed(self, names: Names<'_>) -> Crossed {
        let reaches_over = |seam: &usize| !enough(self.edges[*seam..].iter(), Edges::head, names).1;
        let mut open: Vec<usize> = self.open.iter().copied().filter(reaches_over).collect();
        // No window around a seam that is still asked for reaches into the middle.
        let head = enough(self.edges.iter(), Edges::head, names).0;
        let reach = |seam: usize| seam - enough(self.edges[..seam].iter().rev(), Edges::tail, names).0;
        let tail = open.iter().copied().chain([self.edges.len()]).map(reach).min().unwrap_or_default();
        // A number of several passages reaches as far as they are nothing else.
        let is_number = |edges: &&Arc<Edges>| edges.is_number();
        let leading = self.edges.iter().take_while(is_number).count() + 1;
        let trailing = self.edges.iter().rev().take_while(is_number).count() + 1;
        let (head, tail) = (head.max(leading), tail.min(self.edges.len().saturating_sub(trailing)));
        let over = |seam: &usize| self.edges[*seam..].iter().all(|edges| edges.is_number());
        let mut numbers: Vec<usize> = self.numbers.iter().copied().filter(over).collect();
        let mut edges = self.edges;
        if head < tail {
            edges.drain(head..tail);
            open.iter_mut().chain(&mut numbers).for_each(|seam| *seam -= tail - head);
        }
        Crossed { open: open.into(), numbers: numbers.into(), edges: edges.into() }
    }

    /// The pieces of a number around each seam that one may cross, a line each, in each reading;
    /// `None` where there are too many.
    pub fn number_windows(&self, reach: usize) -> Option<Vec<String>> {
        let is_enough = |run: &[&str]| run.iter().map(|text| text.len()).sum::<usize>() >= reach;
        let mut windows = Vec::new();
        for seam in &self.numbers {
            let (ahead, behind) = self.edges.split_at(*seam);
            let before = runs(ahead.iter().rev(), |edges| edges.number.as_ref().map(Number::last), is_enough)?;
            let after = runs(behind.iter(), |edges| edges.number.as_ref().map(Number::first), is_enough)?;
            join(&before, &after, "\n", &mut windows);
        }
        Some(windows)
    }

    /// The texts around each seam that a name may cross, folded and spaced, in each reading;
    /// `None` where there are too many.
    pub fn windows(&self, names: Names<'_>) -> Option<Vec<String>> {
        if self.has_halves {
            return None;
        }
        let mut windows = Vec::new();
        self.open.iter().try_for_each(|seam| self.windows_around(*seam, names, &mut windows))?;
        Some(windows)
    }

    fn windows_around(&self, seam: usize, names: Names<'_>, windows: &mut Vec<String>) -> Option<()> {
        let (ahead, behind) = self.edges.split_at(seam);
        let side = |passages: &mut dyn Iterator<Item = &'_ Arc<Edges>>, side: Side| enough(passages, side, names).0;
        let (back, on) = (side(&mut ahead.iter().rev(), Edges::tail), side(&mut behind.iter(), Edges::head));
        let before = runs(ahead.iter().rev().take(back), |edges| Some((edges.tail(), edges.is_whole)), |_| false)?;
        let after = runs(behind.iter().take(on), |edges| Some((edges.head(), edges.is_whole)), |_| false)?;
        join(&before, &after, " ", windows);
        Some(())
    }
}

/// The texts around a seam: what stands before it, the nearest first, and what stands behind it.
fn join(before: &[Vec<&str>], after: &[Vec<&str>], sign: &str, windows: &mut Vec<String>) {
    for before in before {
        let before = || before.iter().rev();
        windows.extend(after.iter().map(|after| before().chain(after).copied().collect::<Vec<_>>().join(sign)));
    }
}

/// How many passages, from one on, hold the longest name in whatever reading; and whether they do.
fn enough<'e>(passages: impl Iterator<Item = &'e Arc<Edges>>, side: Side, names: Names<'_>) -> (usize, bool) {
    let (mut count, mut letters, mut words) = (0, 0, 0);
    for edges in passages {
        count += 1;
        let texts = || edges.readings().map(side);
        letters += texts().map(|text| text.chars().filter(|c| !is_gap(*c)).count()).min().unwrap_or_default();
        words += texts().map(|text| text.split(' ').count()).min().unwrap_or_default();
        let is_long = letters >= names.longest_joined() && words >= names.longest_span();
        if is_long || edges.readings().all(|edges| !edges.is_whole) {
            return (count, true);
        }
    }
    (count, false)
}

/// The texts of passages from a seam on, the nearest first, in every reading: each up to the first
/// that is not whole or has no such text, or as far as is enough. `None` where there are too many.
fn runs<'e>(
    passages: impl Iterator<Item = &'e Arc<Edges>>,
    text: impl Fn(&'e Edges) -> Option<(&'e str, bool)>,
    is_enough: impl Fn(&[&str]) -> bool,
) -> Option<Vec<Vec<&'e str>>> {
    let (mut open, mut done) = (vec![Vec::new()], Vec::new());
    for edges in passages {
        if open.is_empty() {
            break;
        }
        for run in std::mem::take(&mut open) {
            let texts: Vec<_> = edges.readings().filter_map(&text).collect();
            if texts.is_empty() || is_enough(&run) {
                done.push(run);
                continue;
            }
            for (text, is_whole) in texts {
                let mut run = run.clone();
                run.push(text);
                if is_whole { &mut open } else { &mut done }.push(run);
            }
        }
        if open.len() + done.len() > RUNS_MAX {
            return None;
        }
    }
    done.append(&mut open);
    Some(done)
}
