//! One piece of HTML by itself: what the tokenizer makes of it.
//!
//! Input: text that begins with `<`. Output: whether it is exactly one tag,
//! comment or the like, and what that does to the text around it. Whoever cuts
//! HTML into pieces asks here whether the cuts are the tokenizer's own.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::OPAQUE;
use super::text::{Seam, is_over, keeps_lines};

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A start or end tag.
    Tag(Seam),
    /// The start tag of `style` or `script`: what follows is no markup.
    Raw(&'static str),
    /// The start tag of `pre`, or an end tag of its kind: whether lines are kept from here on.
    Lines(bool),
    /// The start tag of `title`: what follows is text alone.
    Text(&'static str),
    /// A comment, or what is taken for one.
    Comment,
    /// A document type.
    Doctype,
    /// A tag that is not closed yet.
    Open,
    /// None of these, or more than one.
    Odd,
}

/// What a piece is.
pub fn piece(html: &str) -> Piece {
    let mut found = Found::default();
    tokens(html, false, |event| found.event(&event));
    found.piece()
}

/// Whether a piece is one element and nothing else: start tag, content, end tag.
pub fn is_element(html: &str) -> bool {
    let (mut starts, mut ends, mut after) = (0, 0, false);
    tokens(html, true, |event| match event {
        CallbackEvent::OpenStartTag { .. } => starts += 1,
        CallbackEvent::EndTag { .. } => ends += 1,
        CallbackEvent::String { .. } | CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } => {
            after |= ends > 0;
        }
        _ => {}
    });
    starts == 1 && ends == 1 && !after && html.ends_with('>')
}

/// Text between tags, its character references decoded.
pub fn text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    tokens(html, false, |event| {
        if let CallbackEvent::String { value } = event {
            out.push_str(&String::from_utf8_lossy(value));
        }
    });
    out
}

/// What the tokenizer finds. It goes one call deeper with each quoted attribute of a tag,
/// and gets a stack for as many as there may be.
pub fn tokens(html: &str, switches: bool, mut each: impl FnMut(CallbackEvent<'_>)) {
    let stack = STACK_MIN + quotes(html) * STACK_PER_QUOTE;
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        each(event);
        None
    });
    emitter.naively_switch_states(switches);
    stacker::maybe_grow(stack, stack, || match Tokenizer::new_with_emitter(html, emitter).finish() {
        Ok(()) => {}
    });
}

/// How many quotes there may be in a piece of HTML that is read: a stack of 256 MB.
pub const QUOTES_MAX: usize = 1_000_000;
/// What the tokenizer needs besides, in bytes.
const STACK_MIN: usize = 256 << 10;
/// What it needs of the stack for each quote, in bytes (measured: 160, two to an attribute).
const STACK_PER_QUOTE: usize = 256;

/// How many quotes there are in a text.
pub fn quotes(html: &str) -> usize {
    memchr::memchr_iter(b'"', html.as_bytes()).count()
}

#[derive(Default)]
struct Found {
    start: Option<Vec<u8>>,
    is_closed: bool,
    end: Option<Piece>,
    comments: usize,
    doctypes: usize,
    others: usize,
}

impl Found {
    fn event(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.others += usize::from(self.start.is_some());
                self.start = Some(name.to_vec());
            }
            CallbackEvent::CloseStartTag { .. } => self.is_closed = true,
            CallbackEvent::EndTag { name } => {
                self.others += usize::from(self.end.is_some());
                self.end = Some(if keeps_lines(name) { Piece::Lines(false) } else { Piece::Tag(Seam::of(name)) });
            }
            CallbackEvent::Comment { .. } => self.comments += 1,
            CallbackEvent::Doctype { .. } => self.doctypes += 1,
            CallbackEvent::String { .. } => self.others += 1,
            CallbackEvent::AttributeName { .. } | CallbackEvent::AttributeValue { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn piece(self) -> Piece {
        match (self.start, self.end, self.comments, self.doctypes, self.others) {
            (Some(name), None, 0, 0, 0) if self.is_closed => start(&name),
            (None, Some(end), 0, 0, 0) => end,
            (None, None, 1, 0, 0) => Piece::Comment,
            (None, None, 0, 1, 0) => Piece::Doctype,
            // A tag that ends with the text leaves nothing, or its beginning.
            (_, None, 0, 0, 0) => Piece::Open,
            _ => Piece::Odd,
        }
    }
}

fn start(name: &[u8]) -> Piece {
    match name {
        b"style" => Piece::Raw("style"),
        b"script" => Piece::Raw("script"),
        b"title" => Piece::Text("title"),
        b"plaintext" => Piece::Odd,
        b"pre" => Piece::Lines(true),
        _ if keeps_lines(name) => Piece::Odd,
        // What stands in it does not belong to the text around it.
        _ if is_over(name) => Piece::Odd,
        _ if OPAQUE.iter().any(|opaque| opaque.as_bytes() == name) => Piece::Odd,
        _ => Piece::Tag(Seam::of(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_what_the_tokenizer_takes_it_for() {
        for (html, expected) in [
            ("<b>", Piece::Tag(Seam::Inline)),
            ("</td>", Piece::Tag(Seam::Cell)),
            ("<br/>", Piece::Tag(Seam::Block)),
            ("<a href=\"x>y\">", Piece::Tag(Seam::Inline)),
            ("<a href=\"x>", Piece::Open),
            ("<a href=x", Piece::Open),
            ("<style type=a>", Piece::Raw("style")),
            ("<TITLE>", Piece::Text("title")),
            ("<pre class=\"a\">", Piece::Lines(true)),
            ("</pre>", Piece::Lines(false)),
            ("<textarea>", Piece::Odd),
            ("<rt>", Piece::Odd),
            ("<iframe>", Piece::Odd),
            ("<plaintext>", Piece::Odd),
            ("<!-- a > b -->", Piece::Comment),
            ("<!DOCTYPE html>", Piece::Doctype),
            ("<b><i>", Piece::Odd),
            ("<b>x", Piece::Odd),
            ("<b><!-- -->", Piece::Odd),
            ("< b>", Piece::Odd),
            ("<?xml?>", Piece::Comment),
        ] {
            assert_eq!(piece(html), expected, "{html}");
        }
    }

    #[test]
    fn an_element_ends_where_the_tokenizer_says() {
        assert!(is_element("<style>a { b: c }</style>"));
        assert!(is_element("<script>if (a < b) {}</script>"));
        assert!(!is_element("<script><!--<script></script>"), "it goes on");
        assert!(!is_element("<style>a</style>x"));
        assert!(!is_element("<style>a</style"));
        assert!(!is_element("<style>a</style><b>"));
    }

    #[test]
    fn references_are_decoded() {
        assert_eq!(text("a &amp; b &#65;&nbsp;"), "a & b A\u{a0}");
    }
}
