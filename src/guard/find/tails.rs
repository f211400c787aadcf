//! IDs of letters and digits of which the letters stand elsewhere, or nowhere: `PL-0003120457`,
//! `3120457 PL`, `Nr klienta: 3.120.457`.
//!
//! Input: a search that stands at a run of digits. Output: tokens that count where they are
//! known. Infallible.

use crate::guard::find::ids::{Ids, Search, ZEROS_MAX};
use crate::guard::find::pattern::{IdPattern, ORDINARY_MAX};
use crate::guard::find::{Shape, Token};

impl Ids {
    /// The pattern that letters and digits, joined, match, where more than so many words look
    /// like it.
    pub(super) fn pattern_of(&self, joined: &str, fewest: f64) -> Option<&IdPattern> {
        let length = joined.chars().count();
        self.patterns.iter().find(|pattern| pattern.count(length) > fewest && pattern.is_bare(joined))
    }

    /// Whether IDs begin with letters that may be left out.
    fn has_leads(&self) -> bool {
        self.patterns.iter().any(|pattern| !pattern.leads().is_empty())
    }

    /// Whether so many digits may be an ID without its letters.
    fn is_tail(&self, digits: usize) -> bool {
        self.patterns.iter().any(|pattern| Self::has_tail(pattern, digits))
    }

    /// Whether they are somebody's by more than chance: of many beginnings each may be meant.
    fn may_lead(&self, digits: usize) -> bool {
        let is_rare = self.is_rare(10f64.powi(digits as i32));
        self.patterns.iter().any(|pattern| Self::has_tail(pattern, digits) && (pattern.leads().len() == 1 || is_rare))
    }

    fn has_tail(pattern: &IdPattern, digits: usize) -> bool {
        pattern.leads().iter().any(|lead| pattern.count(lead.chars().count() + digits) > 0.0)
    }

    /// The IDs that digits may be the end of, whose letters are left out: `m48201937` of
    /// `48201937`.
    pub fn with_leads(&self, digits: &str) -> Vec<String> {
        let longer = |pattern: &IdPattern| {
            let all = pattern.leads().iter().map(|lead| format!("{lead}{digits}"));
            all.filter(|id| pattern.is_bare(id)).collect::<Vec<_>>()
        };
        self.patterns.iter().flat_map(longer).collect()
    }
}

/// Adds what the digits of an atom are the end of.
pub(super) fn find<'t>(search: &Search<'_, 't>, tokens: &mut Vec<Token<'t>>) {
    if search.ids.are_digits() || !search.atoms[search.first].is_digits {
        return;
    }
    padded(search, tokens);
    turned(search, tokens);
    without_letters(search, tokens);
}

/// Whether letters or digits of a longer word stand at a place.
fn is_apart(text: &str, start: usize, end: usize) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric();
    !text[..start].ends_with(goes_on) && !text[end..].starts_with(goes_on)
}

/// `PL-0003120457`: zeros that a column of a fixed width has between letters and digits.
fn padded<'t>(search: &Search<'_, 't>, tokens: &mut Vec<Token<'t>>) {
    let Search { text, atoms, first, .. } = *search;
    let Some(letters) = first.checked_sub(1).map(|before| atoms[before]) else { return };
    let (atom, digits) = (atoms[first], &text[atoms[first].start..atoms[first].end]);
    if letters.is_digits || !digits.starts_with('0') || !atoms.joins(first - 1) {
        return;
    }
    if is_apart(text, letters.start, atom.end) {
        let most = digits.bytes().take(ZEROS_MAX).take_while(|b| *b == b'0').count();
        for zeros in 1..=most {
            let value = format!("{}{}", &text[letters.start..letters.end], &digits[zeros..]);
            push(search, letters.start, atom.end, value, tokens);
        }
    }
}

/// `3120457 PL`: the letters stand behind the digits.
fn turned<'t>(search: &Search<'_, 't>, tokens: &mut Vec<Token<'t>>) {
    let Search { text, atoms, first, .. } = *search;
    let (atom, Some(letters)) = (atoms[first], atoms.get(first + 1)) else { return };
    // Of `width="3120457">PL` the two are not written together.
    let is_near = text[atom.end..letters.start].chars().nth(1).is_none();
    if !letters.is_digits && is_near && atoms.joins(first) && is_apart(text, atom.start, letters.end) {
        let value = format!("{}{}", &text[letters.start..letters.end], &text[atom.start..atom.end]);
        push(search, atom.start, letters.end, value, tokens);
    }
}

fn push<'t>(search: &Search<'_, 't>, start: usize, end: usize, value: String, tokens: &mut Vec<Token<'t>>) {
    let Some(pattern) = search.ids.pattern_of(&value, ORDINARY_MAX) else { return };
    if search.ids.is_evidence(pattern, value.chars().count()) {
        let text = &search.text[start..end];
        tokens.push(Token { shape: Shape::BuriedId, text, start, value: Some(value.into()) });
    }
}

/// `Nr klienta: 3.120.457`: behind a label, in groups or not.
fn without_letters<'t>(search: &Search<'_, 't>, tokens: &mut Vec<Token<'t>>) {
    let Search { ids, text, atoms, first, .. } = *search;
    if !ids.has_leads() {
        return;
    }
    let start = atoms[first].start;
    let mut digits = String::new();
    for last in first..atoms.len() {
        let goes_on = last == first || atoms[last].is_digits && atoms.joins(last - 1);
        if !goes_on || digits.len() > ids.length_max() {
            return;
        }
        let (from, end) = (atoms[last].start, atoms[last].end);
        digits.push_str(&text[from..end]);
        if !ids.is_tail(digits.len()) || !is_apart(text, start, end) {
            continue;
        }
        let Some(label) = search.label() else { return };
        if (last == first || label.is_sure) && ids.may_lead(digits.len()) {
            let text = &text[start..end];
            tokens.push(Token { shape: Shape::TailId, text, start, value: Some(digits.as_str().into()) });
        }
    }
}
