//! Running text by passages: lines of plain text, and the segments of HTML.

use std::borrow::Cow;
use std::sync::Arc;

use super::block::Sort;
use super::memo::Memo;
use super::seam::{Edges, Seams};
use super::{Memos, Walk};
use crate::guard::find::names::{captioned, greeting, halves, salutation, titled};
use crate::guard::normal;
use crate::guard::rules::{self, Above, Case};
use crate::guard::view::sink::Sink;
use crate::guard::view::{Place, Shape, View, plain, second};

/// Stands in a segment where an inline tag stood: no text has this control
/// character when it comes here.
pub const TAG: char = '\u{1}';

/// What may stand behind an own link's token in a text, for sure no part of it.
const BEHIND_IN_TEXT: &str = "\"<> \r\n";

/// The longest text that is read together with what follows, in bytes: labels and
/// pieces without end would each be read again with the next.
pub const GLUED_MAX: usize = 1_000;

/// So much of what stands above a text is asked for the beginning of a name, in bytes.
const ABOVE_MAX: usize = 1_000;

/// What was found of a text.
#[derive(Clone)]
pub struct Text {
    is_clean: bool,
    has_words: bool,
    /// Whether it ends with the label of an ID, or the caption of a name.
    is_label: bool,
    /// Whether it begins with an honorific, or the rest of an address.
    is_led: bool,
    edges: Arc<Edges>,
}

impl Walk<'_, '_, '_> {
    /// Judges a plain text, line by line.
    pub(super) fn plain(&mut self, text: &str) -> Option<()> {
        if text.contains(TAG) {
            return None;
        }
        // What stands at the head of a column is far from its cells.
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let (head, row) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        if self.case.scanner().has_heads(&normal::fold(&format!("{head}\n{row}"))) {
            return None;
        }
        let mut seams = Seams::default();
        let start = self.lines(text, true, &mut seams)?;
        debug_assert_eq!(start, text.len());
        self.seams(&seams)
    }

    /// Walks through a block of lines.
    pub(super) fn lines_block(&mut self, text: &str) -> Option<Seams> {
        let mut seams = Seams::default();
        let start = self.lines(text, false, &mut seams)?;
        self.seams(&seams)?;
        (start == text.len()).then_some(seams)
    }

    /// Walks through lines; says up to where they are done with.
    fn lines(&mut self, text: &str, is_all: bool, seams: &mut Seams) -> Option<usize> {
        let (mut start, mut end, mut run) = (0, 0, 0..0);
        while end < text.len() {
            if start == end {
                start = self.past(Sort::Lines, text, start, &mut run, seams);
                end = start;
            }
            let rest = &text.as_bytes()[end..];
            end = memchr::memchr(b'\n', rest).map_or(text.len(), |n| end + n + 1);
            if self.text(&text[start..end], &text[..start], is_all && end == text.len(), seams)? {
                start = end;
            } else if end - start > GLUED_MAX {
                return None;
            }
        }
        Some(start)
    }

    /// Judges a text, below another of which only a name's beginning is asked; says whether it is
    /// done with, and not a label to be read together with what follows, if anything does.
    pub(super) fn text(&mut self, text: &str, above: &str, is_last: bool, seams: &mut Seams) -> Option<bool> {
        // Tabs may part the fields of a record, and stay.
        let text = text.trim_matches([' ', '\n']);
        if text.trim_ascii().is_empty() {
            return Some(true);
        }
        let known = self.memos.texts.get(text.as_bytes());
        if let Some(known) = known.filter(|known| known.is_clean) {
            let known = known.clone();
            return self.add(&known, is_last, seams);
        }
        let is_new = known.is_none();
        self.is_personal = true;
        if let Some(met) = self.met.get(text).cloned() {
            return self.add(&met, is_last, seams);
        }
        if is_new && self.ends_in_own(text, seams) {
            return Some(true);
        }
        if let Some(neutral) = self.case.without_own_tokens(text, false, Some(BEHIND_IN_TEXT)) {
            return self.text(&neutral, above, is_last, seams);
        }
        let again = if is_new { self.memos.texts.note(text.as_bytes()) } else { None };
        let (whole, views) = read(text, &self.part)?;
        let above = above[above.floor_char_boundary(above.len().saturating_sub(ABOVE_MAX))..].to_owned();
        self.case.above = Above { text: above, is_asked: false };
        self.judge(&views)?;
        let is_asked = std::mem::take(&mut self.case.above).is_asked;
        let is_clean = again.is_some() && self.is_clean_for_anybody(&views);
        let found = self.found(text, &whole, is_clean);
        if let Some(hash) = again {
            self.memos.texts.keep(hash, text.as_bytes(), found.clone());
        }
        // Elsewhere something else may stand above it.
        if !is_asked {
            self.met.insert(text.into(), found.clone());
        }
        self.add(&found, is_last, seams)
    }

    /// `text` has the marks of its tags, `whole` is without them.
    fn found(&self, text: &str, whole: &str, is_clean: bool) -> Text {
        let (names, scanner) = (self.judge.index().names(), self.case.scanner());
        let plain = plain::unescape(whole);
        let folded = normal::fold(&plain);
        let searched = normal::search(&folded);
        let edges = if text.len() > whole.len() {
            Edges::of_both(&folded, &normal::fold(&plain::unescape(&text.replace(TAG, "\n"))), names, scanner)
        } else {
            Edges::of(&folded, names, scanner)
        };
        Text {
            is_clean,
            has_words: whole.chars().any(char::is_alphanumeric),
            is_led: salutation::leading_honorific(&searched).is_some() || scanner.is_rest_of_address(&folded),
            is_label: scanner.ends_open(&folded)
                || captioned::ends(&searched)
                || halves::ends_in_half(&searched)
                || titled::ends(&searched)
                || greeting::ends(&searched)
                || second::ends_in_furigana(&searched),
            edges: Arc::new(edges),
        }
    }

    /// Remembers a text that stands before own values, if it is clean for anybody.
    fn learn(&mut self, text: &str) {
        if let Some(hash) = self.memos.texts.note(text.as_bytes())
            && let Some((whole, views)) = read(text, &self.part)
            && self.is_clean_for_anybody(&views)
        {
            let found = self.found(text, &whole, true);
            self.memos.texts.keep(hash, text.as_bytes(), found);
        }
    }

    /// Whether a text is one that is clean for anybody and, after white space, an
    /// own value as its last word: `12. example.com`, `ID: 12345678`. No token
    /// reaches from the one into the other; what could look across, a record's
    /// line and a number in groups, is told by its signs and left to be read.
    fn ends_in_own(&mut self, text: &str, seams: &mut Seams) -> bool {
        let end = text.trim_end_matches(is_blank).len();
        let start = text[..end].rfind(is_blank).map_or(0, |at| at + 1);
        let (before, word) = (&text[..start], &text[start..end]);
        let stop = before.trim_end_matches(TAG).chars().next_back();
        let apart = stop.is_none_or(|c| c.is_ascii_whitespace());
        if !apart || !word.is_ascii() {
            return false;
        }
        let blank = before.trim_matches(is_blank).is_empty();
        let lead = if blank {
            None
        } else {
            self.memos.texts.get(before.as_bytes()).filter(|lead| lead.is_clean && !lead.is_led).cloned()
        };
        let signs = |sign: &u8| before.bytes().filter(|b| b == sign).count() > 1;
        let number = |c: char| c.is_ascii_digit() || (!self.case.scanner().are_digits() && c.is_ascii_alphanumeric());
        let numbers = word.trim_start_matches(['+', '(']).starts_with(number)
            && before.trim_end_matches(is_blank).ends_with(|c: char| number(c) || "+-.,()/_'@".contains(c));
        // `info@` and an own domain are somebody's address; the label of an ID makes more of a
        // number than a telephone's.
        let goes_on = || {
            let (scanner, folded) = (self.case.scanner(), normal::fold(before));
            scanner.is_half_address(&folded)
                || (self.case.own.has_written_phone(word) && scanner.ends_in_label(&folded))
        };
        if (!blank && lead.is_none())
            || b",\t;|".iter().any(signs)
            || numbers
            || goes_on()
            || self.own_word(word).is_none()
        {
            if !blank && lead.is_none() {
                self.learn(before);
            }
            return false;
        }
        let names = self.judge.index().names();
        if let Some(lead) = lead {
            seams.push(lead.edges, names);
        }
        if let Some(edges) = self.own_word(word) {
            seams.push(edges, names);
        }
        self.has_words = true;
        true
    }

    /// The edges of an own word, which is then shown; `None` if it is none.
    fn own_word(&mut self, word: &str) -> Option<Arc<Edges>> {
        if let Some(edges) = self.own_words.get(word) {
            return Some(edges.clone());
        }
        if self.case.own.has_written_phone(word) {
            // Its pieces may be others' numbers: it is judged, once.
            let (judge, view) = (self.judge, view(Shape::Visible, &self.part, Cow::Borrowed(word)));
            self.case.tells_nothing_new(|case| judge.view(case, &view)).then_some(())?;
        } else {
            self.case.is_own_word(word).then_some(())?;
            self.case.show_own_word(word);
        }
        let edges = Arc::new(Edges::of(word, self.judge.index().names(), self.case.scanner()));
        self.own_words.insert(word.into(), edges.clone());
        Some(edges)
    }

    /// Takes in a text that is judged; `None` where what stands before it may be its honorific's
    /// name, or its address's beginning.
    fn add(&mut self, found: &Text, is_last: bool, seams: &mut Seams) -> Option<bool> {
        if found.is_led {
            return None;
        }
        self.has_words |= found.has_words;
        if found.is_label && !is_last {
            return Some(false);
        }
        seams.push(found.edges.clone(), self.judge.index().names());
        Some(true)
    }

    /// Judges what stands across the seams of a view: names, then numbers.
    pub(super) fn seams(&mut self, seams: &Seams) -> Option<()> {
        let names = seams.windows(self.judge.index().names())?;
        self.windows(names, rules::names::WINDOW, |memos| &mut memos.windows, rules::names::across)?;
        let numbers = seams.number_windows(self.case.scanner().reach())?;
        self.windows(numbers, "text", |memos| &mut memos.numbers, rules::identifiers::across)
    }

    /// Judges the texts around seams by one rule, unless they are known to be clean for
    /// anybody.
    fn windows(
        &mut self,
        windows: Vec<String>,
        name: &'static str,
        memo: fn(&mut Memos) -> &mut Memo<bool>,
        across: fn(&mut Case<'_>, &View<'_>, &str),
    ) -> Option<()> {
        for window in windows {
            if memo(self.memos).get(window.as_bytes()) == Some(&true) {
                continue;
            }
            let place = Place { part: self.part.clone(), view: name, at: None };
            let view = View { place, shape: Shape::Loose, text: Cow::Borrowed(&window) };
            // What stands around it may explain it: what is found here alone does not hold a message.
            self.case.tells_nothing_new(|case| across(case, &view, &window)).then_some(())?;
            if let Some(hash) = memo(self.memos).note(window.as_bytes()) {
                let mut nobody = self.judge.nobodys_case()?;
                across(&mut nobody, &view, &window);
                memo(self.memos).keep(hash, window.as_bytes(), nobody.is_clean());
            }
        }
        Some(())
    }
}

/// White space of ASCII, or where a tag stood.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == TAG
}

fn view<'t>(shape: Shape, part: &str, text: Cow<'t, str>) -> View<'t> {
    View { place: Place { part: part.into(), view: "text", at: None }, shape, text }
}

/// A text without the marks of its tags, and its views: itself, its URLs, what it holds
/// in base64, and, where tags stood inside it, what stands between them. `None` where it
/// has a second reading, which could reach over its ends.
fn read<'t>(text: &'t str, part: &str) -> Option<(Cow<'t, str>, Vec<View<'static>>)> {
    let whole: Cow<'_, str> = if text.contains(TAG) { text.replace(TAG, "").into() } else { text.into() };
    let mut views = Vec::new();
    let mut sink = Sink::unlimited(&mut views);
    plain::links(&whole, part, &mut sink);
    plain::hidden_in(&whole, part, &mut sink);
    if !sink.finish().is_empty() {
        return None;
    }
    views.iter_mut().for_each(|view: &mut View<'_>| view.place.unnumber());
    let own = |text: &str| Cow::Owned(plain::unescape(text).into_owned());
    let shown: Cow<'static, str> = own(&whole);
    if second::is_needed(&shown) {
        return None;
    }
    views.push(view(Shape::Visible, part, shown));
    if text.len() > whole.len() {
        views.push(view(Shape::Loose, part, own(&text.replace(TAG, "\n"))));
    }
    Some((whole, views))
}
