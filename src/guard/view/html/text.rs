//! HTML's text with its tags elided, in three readings.
//!
//! - `text`: inline tags vanish (`12<b>34</b>5678` is 12345678), block tags
//!   are line breaks, and white space of the source is one space, but inside `pre` and
//!   `textarea`. This is what a reader sees.
//! - `cut`: every tag is a line break. Given only where an inline tag stands
//!   between two characters that a token could contain, because a margin may
//!   part what the source joins: `example.com<b>5</b>`.
//! - `boxes`: the text of three or more neighbouring cells of one or two
//!   characters, joined: an ID printed in boxes.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The most characters in a cell that counts as a box.
const BOX_CHARS_MAX: usize = 2;

/// The fewest boxes in a row that are joined.
const BOXES_MIN: usize = 3;

/// What the tags since the last text amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seam {
    /// Nothing.
    #[default]
    None,
    /// Nothing that a reader sees.
    Inline,
    /// A line break, beside which another cell may stand.
    Cell,
    /// A line break.
    Block,
}

/// The readings, while they grow.
#[derive(Default)]
pub struct Text {
    keeps_lines: bool,
    text: String,
    cut: String,
    is_cut_needed: bool,
    seam: Seam,
    boxes: Boxes,
}

/// Neighbouring cells of one or two characters, as they are found.
#[derive(Default)]
pub struct Boxes {
    found: Vec<String>,
    row: Vec<String>,
    cell: String,
}

impl Seam {
    /// What a tag of this name amounts to.
    pub fn of(tag: &[u8]) -> Self {
        match tag {
            // These begin and end a cell, which may stand beside another.
            b"dd" | b"div" | b"dt" | b"td" | b"th" => Seam::Cell,
            b"address" | b"article" | b"aside" | b"blockquote" | b"body" | b"br" | b"caption" | b"center" | b"dl"
            | b"fieldset" | b"figcaption" | b"figure" | b"footer" | b"form" | b"frameset" | b"h1" | b"h2" | b"h3"
            | b"h4" | b"h5" | b"h6" | b"head" | b"header" | b"hr" | b"html" | b"legend" | b"li" | b"main" | b"menu"
            | b"nav" | b"ol" | b"optgroup" | b"option" | b"p" | b"pre" | b"section" | b"select" | b"summary"
            | b"table" | b"tbody" | b"textarea" | b"tfoot" | b"thead" | b"title" | b"tr" | b"ul" => Seam::Block,
            _ => Seam::Inline,
        }
    }
}

impl Text {
    /// A start or end tag.
    pub fn tag(&mut self, name: &[u8], is_start: bool) {
        if keeps_lines(name) {
            self.keeps_lines = is_start;
        }
        let seam = Seam::of(name);
        self.boxes.tag(seam);
        self.seam = self.seam.max(seam);
    }

    /// Text between tags, entities decoded.
    pub fn push(&mut self, value: &str) {
        match self.seam {
            Seam::None => {}
            Seam::Inline => {
                self.is_cut_needed |= self.text.ends_with(is_token) && value.starts_with(is_token);
                self.cut.push('\n');
            }
            Seam::Cell | Seam::Block => {
                self.text.push('\n');
                self.cut.push('\n');
            }
        }
        self.seam = Seam::None;
        let value = if self.keeps_lines { Cow::Borrowed(value) } else { in_one_line(&self.text, value) };
        self.text.push_str(&value);
        self.cut.push_str(&value);
        self.boxes.push(&value);
    }

    /// The text, the cut text if it tells more, and the boxes if there are any.
    pub fn finish(self) -> (String, Option<String>, Option<String>) {
        (self.text, self.is_cut_needed.then_some(self.cut), self.boxes.finish())
    }
}

impl Boxes {
    /// A start or end tag.
    pub fn tag(&mut self, seam: Seam) {
        if seam >= Seam::Cell {
            self.end_cell();
        }
        if seam == Seam::Block {
            self.end_row();
        }
    }

    /// Text between tags, entities decoded.
    pub fn push(&mut self, value: &str) {
        // A cell that is no box any more need not be kept, nor its text.
        if self.cell.len() <= 4 * BOX_CHARS_MAX {
            let value = value.trim();
            self.cell.push_str(&value[..value.floor_char_boundary(4 * (BOX_CHARS_MAX + 1))]);
        }
    }

    /// Whether no row is under way.
    pub fn is_idle(&self) -> bool {
        self.cell.is_empty() && self.row.is_empty()
    }

    fn end_cell(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        if cell.is_empty() {
            return;
        }
        if cell.chars().count() > BOX_CHARS_MAX {
            self.end_row();
        } else {
            self.row.push(cell);
        }
    }

    fn end_row(&mut self) {
        if self.row.len() >= BOXES_MIN {
            self.found.push(self.row.concat());
        }
        self.row.clear();
    }

    /// The boxes, joined row by row; `None` when there are none.
    pub fn finish(mut self) -> Option<String> {
        self.end_cell();
        self.end_row();
        (!self.found.is_empty()).then(|| self.found.join("\n"))
    }
}

/// Whether a line end in the source of an element is one to the reader.
pub fn keeps_lines(tag: &[u8]) -> bool {
    matches!(tag, b"pre" | b"textarea" | b"listing" | b"xmp")
}

static SPACES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("  "));

/// A text of HTML as its reader sees it: one space for each run of white space. What stands
/// `before` it may have that already.
pub fn in_one_line<'t>(before: &str, text: &'t str) -> Cow<'t, str> {
    let text = if before.ends_with(' ') { text.trim_start_matches(is_blank) } else { text };
    if memchr::memchr3(b'\n', b'\r', b'\t', text.as_bytes()).is_none() && SPACES.find(text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_blank) {
        let word = piece.trim_end_matches(is_blank);
        out.push_str(word);
        if word.len() < piece.len() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.into()
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// What a host, an address or an ID is made of, in either width.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._@".contains(c) || ('\u{ff0d}'..='\u{ff5a}').contains(&c)
}
