//! HTML by passages. The cuts are the tokenizer's own: each piece of markup is
//! shown to it once, and what it does not take for exactly one tag, comment or
//! element sends the message to be read as a whole.

use std::borrow::Cow;

use super::block::Sort;
use super::seam::Seams;
use super::text::GLUED_MAX;
use super::text::TAG;
use super::{BEHIND, Memos, Walk};
use crate::guard::view::html::piece::{self, Piece};
use crate::guard::view::html::table;
use crate::guard::view::html::text::{self, Boxes, Seam, in_one_line};
use crate::guard::view::html::{self, Dialect};
use crate::guard::view::sink::Sink;
use crate::guard::view::{Place, Shape, View, escape};

/// A document on its way.
#[derive(Default)]
struct Document {
    /// The text since the last tag that a reader sees as a line break.
    segment: String,
    /// Whether an inline tag stands after it.
    is_tagged: bool,
    /// Whether a comment does.
    is_commented: bool,
    seams: Seams,
    boxes: Boxes,
    /// Whether it is inside of `pre`, whose lines are lines.
    keeps_lines: bool,
}

impl Document {
    /// Whether nothing is under way: what follows could stand at the beginning.
    fn is_idle(&self) -> bool {
        self.segment.is_empty() && !self.is_tagged && !self.is_commented && !self.keeps_lines && self.boxes.is_idle()
    }
}

impl Walk<'_, '_, '_> {
    /// Judges a document.
    pub(super) fn html(&mut self, html: &str) -> Option<()> {
        let mut document = Document::default();
        self.walk(html, &mut document)?;
        self.segment(&mut document, true)?;
        // What stands at the head of a column is far from its cells.
        if table::has_heads(html, |cell| self.case.scanner().is_head(cell)) {
            self.tables(html)?;
        }
        if let Some(joined) = std::mem::take(&mut document.boxes).finish() {
            let place = Place { part: self.part.clone(), view: "text of boxes", at: None };
            self.judge(&[View { place, shape: Shape::Loose, text: joined.into() }])?;
        }
        self.seams(&document.seams)
    }

    /// Judges a document's tables, each as a whole.
    fn tables(&mut self, html: &str) -> Option<()> {
        let mut views = Vec::new();
        let mut sink = Sink::unlimited(&mut views);
        html::read(html, &self.part, Dialect::Html, &mut sink);
        sink.finish().is_empty().then_some(())?;
        views.retain(|view| view.place.view == html::TABLE);
        self.case.is_pieces = false;
        let judged = self.judge(&views);
        self.case.is_pieces = true;
        judged
    }

    /// Walks through a block of a document.
    pub(super) fn html_block(&mut self, html: &str) -> Option<Seams> {
        let mut document = Document::default();
        self.walk(html, &mut document)?;
        let is_idle = document.is_idle();
        self.seams(&document.seams)?;
        (is_idle && document.boxes.finish().is_none()).then_some(document.seams)
    }

    fn walk(&mut self, html: &str, document: &mut Document) -> Option<()> {
        let (mut at, mut run) = (0, 0..0);
        while at < html.len() {
            if document.is_idle() {
                at = self.past(Sort::Pieces, html, at, &mut run, &mut document.seams);
            }
            let tag = memchr::memchr(b'<', &html.as_bytes()[at..]).map_or(html.len(), |n| at + n);
            if tag > at {
                self.run(&html[at..tag], is_small(&html[..at]), document)?;
            }
            at = if tag < html.len() { self.markup(html, tag, document)? } else { tag };
        }
        Some(())
    }

    /// Text between two tags, the first of which may begin a small element.
    fn run(&mut self, run: &str, is_small: bool, document: &mut Document) -> Option<()> {
        let text = if memchr::memchr(b'&', run.as_bytes()).is_some() { self.decoded(run) } else { Cow::Borrowed(run) };
        // `&#1;` is no tag.
        if memchr::memchr(TAG as u8, text.as_bytes()).is_some() {
            return None;
        }
        if is_small && text::is_small_kana(&document.segment, &text) {
            return None;
        }
        let is_blank = text.trim_ascii().is_empty();
        let before = document.segment.trim_end_matches(TAG);
        let shown = if document.keeps_lines { Cow::Borrowed(&*text) } else { in_one_line(before, &text) };
        // Its source differs from what it says, and is read as well.
        if matches!(text, Cow::Owned(_))
            || memchr::memchr(b'%', run.as_bytes()).is_some()
            || (matches!(shown, Cow::Owned(_)) && shown.trim_ascii() != text.trim_ascii())
        {
            self.passage(
                |memos: &mut Memos| &mut memos.sources,
                run.as_bytes(),
                |views, part| {
                    let mut sink = Sink::unlimited(views);
                    sink.push(part, "source", None, Shape::Loose, escape::source(run));
                    sink.finish().is_empty().then_some(())
                },
            )?;
        }
        // The text joins across a comment, and the source does not.
        if std::mem::take(&mut document.is_commented) && !is_blank && !document.segment.trim_ascii().is_empty() {
            return None;
        }
        document.boxes.push(&shown);
        if std::mem::take(&mut document.is_tagged) && !document.segment.is_empty() {
            document.segment.push(TAG);
        }
        let mut lines = shown.split('\n');
        document.segment.push_str(lines.next().unwrap_or_default());
        lines.try_for_each(|line| {
            self.segment(document, false)?;
            document.segment.push_str(line);
            Some(())
        })
    }

    fn decoded<'t>(&mut self, run: &'t str) -> Cow<'t, str> {
        if let Some(text) = self.memos.runs.get(run.as_bytes()) {
            return Cow::Owned(text.to_string());
        }
        let text = piece::text(run);
        if let Some(hash) = self.memos.runs.note(run.as_bytes()) {
            self.memos.runs.keep(hash, run.as_bytes(), text.as_str().into());
        }
        Cow::Owned(text)
    }

    /// The text up to here is a passage.
    fn segment(&mut self, document: &mut Document, is_end: bool) -> Option<()> {
        (document.is_tagged, document.is_commented) = (false, false);
        if document.segment.is_empty() {
            return Some(());
        }
        if self.text(&document.segment, "", is_end, &mut document.seams)? {
            document.segment.clear();
        } else if document.segment.len() > GLUED_MAX {
            return None;
        } else if !document.segment.ends_with('\n') {
            document.segment.push('\n');
        }
        Some(())
    }

    /// A piece of markup that begins at `at`; says where it ends.
    fn markup(&mut self, html: &str, at: usize, document: &mut Document) -> Option<usize> {
        let rest = &html[at..];
        let mut end =
            if rest.starts_with("<!--") { comment_end(rest)? } else { memchr::memchr(b'>', rest.as_bytes())? + 1 };
        loop {
            match self.piece(&rest[..end])? {
                Piece::Tag(Seam::Inline | Seam::None) => document.is_tagged = true,
                Piece::Tag(seam) => {
                    document.boxes.tag(seam);
                    self.segment(document, false)?;
                }
                Piece::Lines(keeps) => {
                    document.boxes.tag(Seam::Block);
                    self.segment(document, false)?;
                    document.keeps_lines = keeps;
                }
                Piece::Comment | Piece::Doctype => document.is_commented = true,
                Piece::Raw(name) => {
                    document.is_tagged = true;
                    end = self.element(rest, end, name)?;
                }
                Piece::Text(name) => {
                    document.boxes.tag(Seam::Block);
                    self.segment(document, false)?;
                    // Markup that is text in there is read as a whole.
                    let next = end + memchr::memchr(b'<', &rest.as_bytes()[end..])?;
                    is_end_tag(&rest[next..], name).then_some(())?;
                }
                // A `>` inside an attribute.
                Piece::Open => {
                    end += memchr::memchr(b'>', &rest.as_bytes()[end..])? + 1;
                    continue;
                }
                Piece::Odd => return None,
            }
            return Some(at + end);
        }
    }

    fn piece(&mut self, html: &str) -> Option<Piece> {
        let known = self.memos.tags.get(html.as_bytes()).copied();
        if let Some((piece, true)) = known {
            return Some(piece);
        }
        self.is_personal = true;
        if let Some(neutral) = self.case.without_own_tokens(html, false, Some(BEHIND)) {
            return self.piece(&neutral);
        }
        let again = if known.is_none() { self.memos.tags.note(html.as_bytes()) } else { None };
        let piece = known.map_or_else(|| piece::piece(html), |(piece, _)| piece);
        if let Piece::Open | Piece::Odd = piece {
            return Some(piece);
        }
        let mut views = Vec::new();
        views_of(html, &self.part, &mut views)?;
        self.judge(&views)?;
        if let Some(hash) = again {
            let clean = self.is_clean_for_anybody(&views);
            self.memos.tags.keep(hash, html.as_bytes(), (piece, clean));
        }
        Some(piece)
    }

    /// `style` or `script`, whose start tag ends at `from`; says where it ends.
    fn element(&mut self, html: &str, from: usize, name: &str) -> Option<usize> {
        let mut at = from;
        loop {
            at += memchr::memmem::find(&html.as_bytes()[at..], b"</")?;
            if is_end_tag(&html[at..], name) {
                break;
            }
            at += 2;
        }
        let end = at + memchr::memchr(b'>', &html.as_bytes()[at..])? + 1;
        let element = &html[..end];
        self.passage(
            |memos: &mut Memos| &mut memos.sources,
            element.as_bytes(),
            |views, part| {
                piece::is_element(element).then_some(())?;
                views_of(element, part, views)
            },
        )?;
        Some(end)
    }
}

/// The views of a piece of markup, its source included.
fn views_of(html: &str, part: &str, views: &mut Vec<View<'_>>) -> Option<()> {
    let mut sink = Sink::unlimited(views);
    sink.push(part, "source", None, Shape::Loose, escape::source(html).into_owned().into());
    html::read(html, part, Dialect::Html, &mut sink);
    let is_read = sink.finish().is_empty();
    views.iter_mut().for_each(|view| view.place.unnumber());
    is_read.then_some(())
}

/// Whether the last tag of a source begins a small element.
fn is_small(before: &str) -> bool {
    memchr::memrchr(b'<', before.as_bytes()).is_some_and(|at| text::begins_small(&before[at..]))
}

/// Where a comment ends, unless it ends in a way of its own.
fn comment_end(html: &str) -> Option<usize> {
    let inner = &html[4..];
    let end = memchr::memmem::find(inner.as_bytes(), b"-->")?;
    let odd = inner.starts_with('>') || inner.starts_with("->") || inner[..end].contains("--!>");
    (!odd).then_some(4 + end + 3)
}

fn is_end_tag(html: &str, name: &str) -> bool {
    let rest = html.strip_prefix("</").unwrap_or_default().as_bytes();
    rest.len() > name.len()
        && rest[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        && matches!(rest[name.len()], b'>' | b'/' | b' ' | b'\t' | b'\n' | 0x0c)
}
