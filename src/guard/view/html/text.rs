//! HTML's text with its tags elided, in several readings.
//!
//! - `text`: inline tags vanish (`12<b>34</b>5678` is 12345678), block tags
//!   are line breaks, and white space of the source is one space, but inside `pre` and
//!   `textarea`. This is what a reader sees.
//! - `cut`: every tag is a line break. Given only where an inline tag stands
//!   between two characters that a token could contain, because a margin may
//!   part what the source joins: `example.com<b>5</b>`.
//! - `ruby`: the text with what stands over its words (`rt`, `rp`, `rtc`), which `text`
//!   leaves out, and that alone.
//! - `bare`: the text without kana in a small element behind kanji, which is how
//!   readings are written by hand: `鈴木<sup>すずき</sup>`.
//! - `boxes`: the text of three or more neighbouring cells of one or two
//!   characters, joined: an ID printed in boxes.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::second;

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
    ruby: Option<Ruby>,
    bare: Option<String>,
    /// Whether the last tag began a small element.
    is_small: bool,
}

/// What stands over words, while it grows.
#[derive(Default)]
struct Ruby {
    /// The text with all of it.
    whole: String,
    notes: String,
    /// The element that the text is inside of.
    inside: Option<Over>,
    /// What the tags since the last text in `whole` amount to.
    seam: Seam,
}

/// An element whose content stands over words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    One,
    Container,
}

/// The readings.
pub struct Readings {
    /// What a reader sees.
    pub text: String,
    /// The same cut at tags, if it tells more.
    pub cut: Option<String>,
    /// The boxes, if there are any.
    pub boxes: Option<String>,
    /// The text with its ruby, and the ruby alone.
    pub ruby: Option<(String, String)>,
    /// The text without small kana.
    pub bare: Option<String>,
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
        self.is_small = is_start && is_small(name);
        if is_start && is_over(name) && self.ruby.is_none() {
            self.ruby = Some(Ruby { whole: self.text.clone(), ..Ruby::default() });
        }
        if let Some(ruby) = &mut self.ruby {
            ruby.tag(name, is_start, seam);
        }
    }

    /// Text between tags, entities decoded.
    pub fn push(&mut self, value: &str) {
        if let Some(ruby) = &mut self.ruby {
            ruby.push(value);
            if ruby.inside.is_some() {
                return;
            }
        }
        let is_reading = self.seam == Seam::Inline && self.is_small && is_small_kana(&self.text, value);
        if is_reading && self.bare.is_none() {
            self.bare = Some(self.text.clone());
        }
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
        let value = if self.keeps_lines { Cow::Borrowed(value) } else { in_one_line(&self.text, value) };
        if let Some(bare) = self.bare.as_mut().filter(|_| !is_reading) {
            bare.push_str(if self.seam >= Seam::Cell { "\n" } else { "" });
            bare.push_str(&value);
        }
        self.seam = Seam::None;
        self.text.push_str(&value);
        self.cut.push_str(&value);
        self.boxes.push(&value);
    }

    /// The readings.
    pub fn finish(self) -> Readings {
        Readings {
            text: self.text,
            cut: self.is_cut_needed.then_some(self.cut),
            boxes: self.boxes.finish(),
            ruby: self.ruby.map(|ruby| (ruby.whole, ruby.notes)),
            bare: self.bare,
        }
    }
}

impl Ruby {
    fn tag(&mut self, name: &[u8], is_start: bool, seam: Seam) {
        self.seam = self.seam.max(seam);
        let inside = match (name, is_start) {
            (b"rtc", true) => Some(Over::Container),
            (b"rt" | b"rp", true) if self.inside != Some(Over::Container) => Some(Over::One),
            (b"rt" | b"rp", false) if self.inside == Some(Over::One) => None,
            // What ends one without an end tag of its own.
            (b"rtc", false) | (b"ruby", _) | (b"rb" | b"rbc", true) => None,
            _ if seam >= Seam::Cell => None,
            _ => self.inside,
        };
        if self.inside.is_some() && inside.is_none() {
            self.notes.push('\n');
        }
        self.inside = inside;
    }

    fn push(&mut self, value: &str) {
        if self.seam >= Seam::Cell {
            self.whole.push('\n');
        }
        self.seam = Seam::None;
        let value = in_one_line(&self.whole, value);
        self.whole.push_str(&value);
        if self.inside.is_some() {
            self.notes.push_str(&value);
        }
    }
}

/// Whether an element's content stands over words, and not among them.
pub fn is_over(tag: &[u8]) -> bool {
    matches!(tag, b"rt" | b"rp" | b"rtc")
}

/// Elements in which readings are written small.
fn is_small(tag: &[u8]) -> bool {
    matches!(tag, b"sup" | b"sub" | b"small" | b"span" | b"font" | b"i")
}

/// Whether a tag, as it stands in the source, begins a small element.
pub fn begins_small(source: &str) -> bool {
    let name = source.strip_prefix('<').unwrap_or_default();
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    is_small(name[..length].to_ascii_lowercase().as_bytes())
}

/// Whether what stands in a small element behind a text is the reading of its kanji.
pub fn is_small_kana(text: &str, value: &str) -> bool {
    !value.is_ascii() && text.chars().next_back().is_some_and(second::is_kanji) && second::is_kana(value)
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
