//! Running text by passages: lines of plain text, and the segments of HTML.

use std::borrow::Cow;
use std::sync::Arc;

use super::Walk;
use super::seam::{Edges, Seams};
use crate::guard::normal;
use crate::guard::rules;
use crate::guard::view::part::has_uuencode;
use crate::guard::view::sink::Sink;
use crate::guard::view::{Place, Shape, View, plain};

/// Stands in a segment where an inline tag stood: no text has this control
/// character when it comes here.
pub const TAG: char = '\u{1}';

/// What was found of a text.
#[derive(Clone)]
pub struct Text {
    is_clean: bool,
    has_words: bool,
    /// Whether it ends with the label of an ID.
    is_label: bool,
    edges: Arc<Edges>,
}

impl Walk<'_, '_, '_> {
    /// Judges a plain text, line by line.
    pub(super) fn plain(&mut self, text: &str) -> Option<()> {
        if has_uuencode(text) {
            return None;
        }
        let mut seams = Seams::default();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1).chain([text.len()]) {
            if self.text(&text[start..end], end == text.len(), &mut seams)? {
                start = end;
            }
        }
        self.seams(&seams)
    }

    /// Judges a text; says whether it is done with, and not a label to be read
    /// together with what follows, if anything does.
    pub(super) fn text(&mut self, text: &str, is_last: bool, seams: &mut Seams) -> Option<bool> {
        if text.trim_ascii().is_empty() {
            return Some(true);
        }
        let known = self.memos.texts.get(text.as_bytes());
        if let Some(known) = known.filter(|known| known.is_clean) {
            let known = known.clone();
            return Some(self.add(&known, is_last, seams));
        }
        let again = if known.is_none() { self.memos.texts.note(text.as_bytes()) } else { None };
        let whole: Cow<'_, str> = if text.contains(TAG) { text.replace(TAG, "").into() } else { text.into() };
        let views = views(text, &whole)?;
        self.judge(&views)?;
        let folded = normal::fold(&whole);
        let names = self.judge.index().names();
        let found = Text {
            is_clean: again.is_some() && self.is_clean_for_anybody(&views),
            has_words: whole.chars().any(char::is_alphanumeric),
            is_label: self.judge.scanner().ends_in_label(&folded),
            edges: Arc::new(Edges::of(&folded, names)),
        };
        if let Some(hash) = again {
            self.memos.texts.keep(hash, text.as_bytes(), found.clone());
        }
        Some(self.add(&found, is_last, seams))
    }

    fn add(&mut self, found: &Text, is_last: bool, seams: &mut Seams) -> bool {
        self.has_words |= found.has_words;
        if found.is_label && !is_last {
            return false;
        }
        seams.push(found.edges.clone(), self.judge.index().names());
        true
    }

    /// Judges what stands across the seams of a view.
    pub(super) fn seams(&mut self, seams: &Seams) -> Option<()> {
        for window in seams.windows(self.judge.index().names()) {
            if self.memos.windows.get(window.as_bytes()) == Some(&true) {
                continue;
            }
            let view = view(Shape::Loose, Cow::Borrowed(&window));
            rules::names::judge(self.case, &view, &window);
            self.case.is_clean().then_some(())?;
            if let Some(hash) = self.memos.windows.note(window.as_bytes()) {
                let mut nobody = self.judge.nobodys_case()?;
                rules::names::judge(&mut nobody, &view, &window);
                self.memos.windows.keep(hash, window.as_bytes(), nobody.is_clean());
            }
        }
        Some(())
    }
}

fn view(shape: Shape, text: Cow<'_, str>) -> View<'_> {
    View { place: Place { part: "text".into(), view: "text", at: None }, shape, text }
}

/// The views of a text: itself, its URLs, and, where tags stood inside it, what
/// stands between them.
fn views<'t>(text: &str, whole: &'t str) -> Option<Vec<View<'t>>> {
    let mut views = Vec::new();
    let mut sink = Sink::unlimited(&mut views);
    plain::links(whole, "text", &mut sink);
    if !sink.finish().is_empty() {
        return None;
    }
    views.push(view(Shape::Visible, plain::unescape(whole)));
    if text.len() > whole.len() {
        let cut = text.replace(TAG, "\n");
        views.push(view(Shape::Loose, Cow::Owned(plain::unescape(&cut).into_owned())));
    }
    Some(views)
}
