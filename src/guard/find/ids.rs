//! IDs in a folded text, by any pattern: one way to find them.
//!
//! A text is cut into *atoms*, runs of digits and runs of letters. Neighbouring atoms with
//! nothing or up to [`GAP_MAX`](super::atoms::GAP_MAX) signs between them make a *window*; a window whose letters
//! and digits, joined, match a pattern may be an ID. What asks to be explained is a window
//! that is written as an ID is ([`Shape::Id`]); any other one counts only where the ID is
//! known ([`Shape::BuriedId`]).
//!
//! A number that is known may still be there by chance. So it is asked what else it could
//! be (a price, a date, a fraction, a piece of a hash), where it stands (prose, or a URL, a
//! header, an attribute), whether a label stands before it, and how likely a hit by chance
//! is: among 100 accounts with eight digits it is one in a million, among ten million
//! accounts one in ten, and then only a label tells.
//!
//! Input: folded text. Output: tokens. Linear in the text, times the longest ID.

use std::cell::OnceCell;

use crate::guard::find::atoms::{Atom, Atoms};
use crate::guard::find::figure::{self, Beside};
use crate::guard::find::heads::Heads;
use crate::guard::find::label::{Label, Labels};
use crate::guard::find::pattern::{IdPattern, LENGTH_MAX, Letters, ORDINARY_MAX};
use crate::guard::find::{Setting, Shape, Token, tails};

/// A hit is evidence by itself where fewer of all possible IDs than this are somebody's.
const CHANCE_MAX: f64 = 1e-4;
/// The longest word that an ID may be glued to: `user10001001`, `inv10001001`.
const GLUED_MAX: usize = 16;
/// The most zeros that may be missing before an ID, or stand there without being of it.
pub(super) const ZEROS_MAX: usize = 12;

/// Finds IDs by the patterns of a directory and a campaign.
pub struct Ids {
    pub(super) patterns: Vec<IdPattern>,
    accounts: f64,
    letters: Letters,
    needs_digit: bool,
    length_max: usize,
    signs: Vec<char>,
}

/// The search for IDs that begin with one atom of a text.
pub(super) struct Search<'s, 't> {
    pub(super) ids: &'s Ids,
    pub(super) text: &'t str,
    pub(super) setting: Setting,
    pub(super) atoms: &'s Atoms,
    pub(super) first: usize,
    labels: &'s Labels,
    heads: Option<&'s Heads>,
    /// The label before it, once it is asked for.
    label: OnceCell<Option<Label>>,
}

/// Atoms that together may be an ID.
struct Window<'w, 't> {
    text: &'t str,
    atoms: &'w [Atom],
    start: usize,
    end: usize,
    pattern: &'w IdPattern,
    /// How many letters and digits it has.
    length: usize,
    setting: Setting,
    label: Option<Label>,
}

impl Ids {
    /// For a directory of so many accounts.
    ///
    /// # Errors
    /// A pattern is not a regular expression.
    pub fn new<'p>(patterns: impl Iterator<Item = &'p str>, accounts: u64) -> Result<Self, String> {
        let patterns = patterns.map(IdPattern::new).collect::<Result<Vec<_>, _>>()?;
        let mut signs: Vec<char> = patterns.iter().flat_map(IdPattern::signs).copied().collect();
        signs.retain(|sign| !sign.is_control());
        Ok(Self {
            accounts: accounts.max(1) as f64,
            letters: patterns.iter().map(IdPattern::letters).max().unwrap_or(Letters::None),
            needs_digit: patterns.iter().all(IdPattern::needs_digit),
            length_max: patterns.iter().map(|pattern| pattern.lengths().1).max().unwrap_or(0).min(LENGTH_MAX),
            signs,
            patterns,
        })
    }

    /// The most letters and digits of an ID; 0 without a pattern.
    pub fn length_max(&self) -> usize {
        self.length_max
    }

    /// The atoms of a text that IDs are made of.
    pub fn atoms(&self, text: &str) -> Atoms {
        Atoms::of(text, self.letters, &self.signs)
    }

    /// Whether IDs are digits alone.
    pub fn are_digits(&self) -> bool {
        self.letters == Letters::None
    }

    /// Whether an ID cannot be told from the numbers of ordinary prose.
    pub fn is_ordinary(&self, id: &str) -> bool {
        let bare: String = id.chars().filter(|c| c.is_alphanumeric()).collect();
        let fits = |pattern: &&IdPattern| pattern.is_bare(&bare);
        self.patterns.iter().filter(fits).all(|pattern| pattern.count(bare.chars().count()) <= ORDINARY_MAX)
    }

    /// Every ID of a text, by the labels of its directory and the heads of its own columns.
    pub fn find<'t>(
        &self,
        text: &'t str,
        setting: Setting,
        (labels, heads): (&Labels, Option<&Heads>),
        tokens: &mut Vec<Token<'t>>,
    ) {
        if self.patterns.is_empty() || (self.needs_digit && !text.bytes().any(|b| b.is_ascii_digit())) {
            return;
        }
        let atoms = self.atoms(text);
        for first in 0..atoms.len() {
            let atoms = &atoms;
            let search = Search { ids: self, text, setting, atoms, first, labels, heads, label: OnceCell::new() };
            search.windows(tokens);
            search.other_forms(tokens);
            tails::find(&search, tokens);
        }
    }

    /// Where in its first atom a window may begin: of `idqx408199` also `qx408199`.
    fn starts(&self, text: &str, first: Atom, goes_on: bool) -> impl Iterator<Item = (usize, usize)> {
        let most = if first.is_digits || !goes_on || self.are_digits() { 0 } else { first.length.saturating_sub(1) };
        let ascii = text[first.start..first.end].is_ascii();
        let most = if ascii { most.min(GLUED_MAX) } else { 0 };
        (0..=most).map(move |skip| (skip, first.start + skip))
    }

    /// Whether an ID of this length is nobody's by chance.
    pub(super) fn is_evidence(&self, pattern: &IdPattern, length: usize) -> bool {
        self.is_rare(pattern.count(length))
    }

    /// Whether one of so many is nobody's by chance.
    pub(super) fn is_rare(&self, count: f64) -> bool {
        self.accounts / count <= CHANCE_MAX
    }

    /// What a window asks, if it may be an ID at all.
    fn shape(&self, window: &Window<'_, '_>, is_inside: bool) -> Option<Shape> {
        if !window.is_one() && window.label.is_none() && window.are_weights() {
            return None;
        }
        let is_piece = || figure::is_uuid_piece(window.text, window.start, window.end);
        if window.end - window.start < figure::UUID_LENGTH && is_piece() {
            return None;
        }
        let is_labelled = window.label.is_some();
        if window.pattern.count(window.length) <= ORDINARY_MAX && !is_labelled {
            return None;
        }
        if is_inside || window.is_glued() {
            return window.is_word_beside().then_some(Shape::BuriedId);
        }
        if window.is_one() {
            return single(window);
        }
        grouped(window, self.is_evidence(window.pattern, window.length))
    }
}

/// A window without signs inside.
fn single(window: &Window<'_, '_>) -> Option<Shape> {
    let Window { text, start, end, .. } = *window;
    if window.label.is_none() {
        let is_other = figure::ends_digest(text, start, end) || figure::is_amount(text, start, end);
        let is_part = figure::is_fraction(text, start, end);
        if window.setting.is_prose() && (is_other || is_part) {
            return None;
        }
        if is_part {
            return Some(Shape::BuriedId);
        }
    }
    let word = &text[start..end];
    let is_buried = window.setting == Setting::Loose
        || window.pattern.count(window.length) <= ORDINARY_MAX
        || word.bytes().all(|b| b.is_ascii_alphabetic())
        || figure::is_hash_piece(text, start, end)
        || figure::in_list(text, start, end)
        || figure::is_compact_date(word)
        || figure::is_fraction(text, start, end)
        || figure::is_float(text, end);
    Some(if is_buried { Shape::BuriedId } else { Shape::Id })
}

/// A window with signs inside.
fn grouped(window: &Window<'_, '_>, evidence: bool) -> Option<Shape> {
    let parts = window.parts();
    if window.pattern.is_whole(&window.text[window.start..window.end]) && !window.pattern.signs().is_empty() {
        return Some(Shape::Id);
    }
    if parts.is_octets() {
        return None;
    }
    let is_sure = window.label.is_some_and(|label| label.is_sure || (label.is_above && window.fills_its_line()));
    let beside = Beside { text: window.text, start: window.start, end: window.end };
    if !is_sure && (parts.is_date() || beside.is_in_date() || (parts.is_price() && beside.is_counted())) {
        return None;
    }
    // The dash binds most: `1000-0001 1000-0002` is two.
    let goes_on = beside.goes_on(parts.sign()) || beside.goes_on('-');
    let is_asked = window.setting == Setting::Prose && parts.is_plain() && parts.is_fours() && !goes_on;
    if is_asked && !beside.is_other_number(&parts) && !figure::is_hash_piece(window.text, window.start, window.end) {
        return Some(Shape::GroupedId);
    }
    if is_sure || (window.label.is_some() && !parts.is_price() && !parts.is_columns()) {
        return Some(Shape::BuriedId);
    }
    if !window.setting.is_prose() {
        return (evidence || parts.is_plain()).then_some(Shape::BuriedId);
    }
    if parts.is_columns() || parts.is_decimal() || beside.is_other_number(&parts) {
        return None;
    }
    (evidence || (parts.is_plain() && !parts.is_price())).then_some(Shape::BuriedId)
}

impl<'t> Search<'_, 't> {
    /// The label before the first atom.
    pub(super) fn label(&self) -> Option<Label> {
        let start = self.atoms[self.first].start;
        let is_named = || {
            let is_first = !self.text[..start].contains(char::is_alphanumeric);
            (self.setting == Setting::Named && is_first).then_some(Label { is_sure: true, is_above: false })
        };
        *self.label.get_or_init(|| labelled(self.text, start, self.labels, self.heads).or_else(is_named))
    }

    /// Whether an ID may begin inside a word, behind so many letters of it: behind a label, as in
    /// `idqx408199`, or where its digits belong to that word, `invqx408199`. `ISO 9001` is not SO9001.
    fn may_begin_inside(&self, start: usize, skip: usize, last: usize) -> bool {
        let is_long = skip > 1 || !self.setting.is_prose();
        is_long && are_one(&self.atoms[self.first..=last]) || self.labels.before(&self.text[..start]).is_some()
    }

    /// The label behind a number that ends there.
    fn label_behind(&self, end: usize) -> Option<Label> {
        self.labels.is_behind(&self.text[end..]).then_some(Label { is_sure: true, is_above: false })
    }

    /// The windows that begin with an atom.
    fn windows(&self, tokens: &mut Vec<Token<'t>>) {
        let Search { ids, text, setting, atoms, first, .. } = *self;
        let (mut length, mut has_digit) = (0, false);
        for last in first..atoms.len() {
            if last > first && !atoms.joins(last - 1) {
                return;
            }
            let atom = atoms[last];
            length += atom.length;
            has_digit |= atom.is_digits;
            let skipped = atoms[first].length.saturating_sub(1);
            if length > ids.length_max + if atoms[first].is_digits { 0 } else { skipped.min(GLUED_MAX) } {
                return;
            }
            if ids.needs_digit && !has_digit {
                continue;
            }
            for (skip, start) in ids.starts(text, atoms[first], last > first) {
                let length = length - skip;
                let fitting = || ids.patterns.iter().filter(|pattern| pattern.count(length) > 0.0);
                if fitting().next().is_none() {
                    continue;
                }
                let joined = joined(text, &atoms[first..=last], start);
                let Some(pattern) = fitting().find(|pattern| pattern.is_bare(&joined)) else { continue };
                if skip > 0 && !self.may_begin_inside(start, skip, last) {
                    continue;
                }
                let window = Window {
                    text,
                    atoms: &atoms[first..=last],
                    start,
                    end: atom.end,
                    pattern,
                    length,
                    setting,
                    label: self.label().or_else(|| self.label_behind(atom.end)),
                };
                if let Some(shape) = ids.shape(&window, skip > 0) {
                    let value = (!window.is_one()).then(|| joined.into());
                    tokens.push(Token { shape, text: &text[start..atom.end], start, value });
                }
            }
        }
    }

    /// What an ID becomes in a column of a fixed width, in a spreadsheet, with a check digit or
    /// behind its label: `0010001001`, `4.8201937e7`, `100010014`; or without its own zeros.
    fn other_forms(&self, tokens: &mut Vec<Token<'t>>) {
        let Search { ids, text, setting, atoms, first, .. } = *self;
        let atom = atoms[first];
        let run = &text[atom.start..atom.end];
        let before = text[..atom.start].chars().next_back();
        let is_id = |value: &str, fewest: f64| ids.pattern_of(value, fewest);
        if !atom.is_digits || is_id(run, ORDINARY_MAX).is_some() || figure::is_uuid_piece(text, atom.start, atom.end) {
            return;
        }
        let is_labelled = self.label().is_some();
        let mut add = |value: &str, end: usize| {
            let Some(pattern) = is_id(value, if is_labelled { 0.0 } else { ORDINARY_MAX }) else { return };
            if is_labelled || (ids.is_evidence(pattern, value.len()) && !setting.is_prose()) {
                let text = &text[atom.start..end];
                tokens.push(Token { shape: Shape::BuriedId, text, start: atom.start, value: Some(value.into()) });
            }
        };
        let is_apart = before.is_none_or(|c| !c.is_ascii_alphanumeric())
            && !text[atom.end..].starts_with(|c: char| c.is_ascii_alphanumeric());
        if is_apart {
            let zeros = run.bytes().take(ZEROS_MAX).take_while(|b| *b == b'0').count();
            (1..=zeros).for_each(|zeros| add(&run[zeros..], atom.end));
            if is_labelled {
                // A year and one digit more is not a year with a check digit.
                let checked = &run[..run.len() - 1];
                is_id(checked, ORDINARY_MAX).into_iter().for_each(|_| add(checked, atom.end));
                (1..=ZEROS_MAX).for_each(|zeros| add(&format!("{}{run}", "0".repeat(zeros)), atom.end));
            }
        }
        if let Some((value, end)) = figure::scientific(text, atom.start) {
            add(&value, end);
        }
    }
}

/// The label of what begins at a place: right before it, before the letters that it is
/// glued to, or at the head of its column.
fn labelled(text: &str, start: usize, labels: &Labels, heads: Option<&Heads>) -> Option<Label> {
    let bare = text[..start].trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_short = start - bare.len() <= 3;
    let by_word = labels.before(&text[..start]);
    let by_head = || heads.filter(|heads| heads.has(text, start)).map(|_| Label { is_sure: true, is_above: true });
    let glued = || labels.before(bare).filter(|_| is_short && bare.len() < start);
    by_word.or_else(glued).or_else(by_head)
}

/// Whether no sign stands between atoms.
fn are_one(atoms: &[Atom]) -> bool {
    atoms.windows(2).all(|two| two[0].end == two[1].start)
}

fn joined(text: &str, atoms: &[Atom], start: usize) -> String {
    atoms.iter().map(|atom| &text[atom.start.max(start)..atom.end]).collect()
}

impl<'t> Window<'_, 't> {
    /// Whether no sign stands inside.
    fn is_one(&self) -> bool {
        are_one(self.atoms)
    }

    /// Whether it touches a longer word.
    fn is_glued(&self) -> bool {
        let goes_on = |c: char| c.is_ascii_alphanumeric();
        self.text[..self.start].ends_with(goes_on) || self.text[self.end..].starts_with(goes_on)
    }

    /// Whether what it touches is a word, and no piece of a hash.
    fn is_word_beside(&self) -> bool {
        let bytes = self.text.as_bytes();
        let before = bytes[..self.start].iter().rev().take_while(|b| b.is_ascii_alphanumeric());
        let after = bytes[self.end..].iter().take_while(|b| b.is_ascii_alphanumeric());
        let (mut length, mut letters) = (0, true);
        for b in before.chain(after) {
            length += 1;
            letters &= b.is_ascii_alphabetic();
            if length > GLUED_MAX {
                return false;
            }
        }
        letters
    }

    /// Whether nothing else stands in its line.
    fn fills_its_line(&self) -> bool {
        let before = self.text[..self.start].rsplit('\n').next().unwrap_or_default();
        let after = self.text[self.end..].split('\n').next().unwrap_or_default();
        !before.chars().chain(after.chars()).any(char::is_alphanumeric)
    }

    /// `400,400i,700`: how thick a font's letters are.
    fn are_weights(&self) -> bool {
        Beside { text: self.text, start: self.start, end: self.end }.are_weights(&self.parts())
    }

    /// Its pieces between signs.
    fn parts(&self) -> figure::Parts<'t> {
        figure::Parts::of(self.text, self.start, self.atoms)
    }
}
