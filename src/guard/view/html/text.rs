//! HTML's text with its tags elided, in three readings.
//!
//! - `text`: inline tags vanish (`12<b>34</b>5678` is 12345678), block tags
//!   are line breaks. This is what a reader sees.
//! - `cut`: every tag is a line break. Given only where an inline tag stands
//!   between two characters that a token could contain, because a margin may
//!   part what the source joins: `example.com<b>5</b>`.
//! - `boxes`: the text of three or more neighbouring cells of one or two
//!   characters, joined: an ID printed in boxes.

/// The most characters in a cell that counts as a box.
const BOX_CHARS_MAX: usize = 2;

/// The fewest boxes in a row that are joined.
const BOXES_MIN: usize = 3;

/// What the tags since the last text amount to.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Seam {
    #[default]
    None,
    Inline,
    Cell,
    Block,
}

/// The readings, while they grow.
#[derive(Default)]
pub struct Text {
    text: String,
    cut: String,
    is_cut_needed: bool,
    seam: Seam,
    boxes: Vec<String>,
    row: Vec<String>,
    cell: String,
}

impl Seam {
    fn of(tag: &[u8]) -> Self {
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
    pub fn tag(&mut self, name: &[u8]) {
        let seam = Seam::of(name);
        if seam >= Seam::Cell {
            self.end_cell();
        }
        if seam == Seam::Block {
            self.end_row();
        }
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
        self.text.push_str(value);
        self.cut.push_str(value);
        // A cell that is no box any more need not be kept.
        if self.cell.len() <= 4 * BOX_CHARS_MAX {
            self.cell.push_str(value.trim());
        }
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
            self.boxes.push(self.row.concat());
        }
        self.row.clear();
    }

    /// The text, the cut text if it tells more, and the boxes if there are any.
    pub fn finish(mut self) -> (String, Option<String>, Option<String>) {
        self.end_cell();
        self.end_row();
        let boxes = (!self.boxes.is_empty()).then(|| self.boxes.join("\n"));
        (self.text, self.is_cut_needed.then_some(self.cut), boxes)
    }
}

/// What a host, an address or an ID is made of, in either width.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._@".contains(c) || ('\u{ff0d}'..='\u{ff5a}').contains(&c)
}
