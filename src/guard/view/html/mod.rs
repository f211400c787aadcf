//! HTML → what a reader sees, and everything that stands in its source.
//!
//! The tokenizer is html5gum's, entities included; no tree is built, since no
//! style sheet is obeyed: hidden elements and preheaders are text like any
//! other. Comments that contain tags are read as HTML in turn, [`DEPTH_MAX`]
//! deep, and so is the content of `noscript`, `iframe` and the like.

mod attribute;
pub mod piece;
pub mod table;
pub mod text;

use std::borrow::Cow;
use std::collections::HashSet;

use html5gum::emitters::callback::CallbackEvent;

use super::Shape;
use super::escape;
use super::plain;
use super::sink::Sink;
use super::url::{self, Origin};
use table::Tables;
use text::Text;

/// HTML inside comments inside HTML is read this deep.
const DEPTH_MAX: usize = 3;

/// The view that says what stands over a table's cells.
pub const TABLE: &str = "text of a table";

/// How the tokenizer treats elements such as `style` and `title`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Their content is text.
    Html,
    /// Their content has tags, as everything in XML.
    Xml,
}

/// Adds every view of a piece of HTML but its source.
pub fn read(html: &str, part: &str, dialect: Dialect, sink: &mut Sink<'_, '_>) {
    nested(html, part, dialect, Shape::Visible, 0, sink);
}

fn nested(html: &str, part: &str, dialect: Dialect, shape: Shape, depth: usize, sink: &mut Sink<'_, '_>) {
    let mut reader = Reader {
        part,
        shape,
        depth,
        sink,
        text: Text::default(),
        tables: Tables::default(),
        half: None,
        field: (None, None),
        tag: Vec::new(),
        attribute: Vec::new(),
        inside: None,
        dialect,
        links: 0,
        resources: 0,
        comments: 0,
        seen: HashSet::new(),
    };
    if piece::quotes(html) > piece::QUOTES_MAX {
        return reader.sink.unreadable(part.to_owned(), "it has more attributes than can be read");
    }
    piece::tokens(html, dialect == Dialect::Html, |event| reader.event(event));
    reader.finish();
}

struct Reader<'r, 'o, 'a> {
    part: &'r str,
    shape: Shape,
    depth: usize,
    sink: &'r mut Sink<'o, 'a>,
    text: Text,
    tables: Tables,
    /// What an attribute of this tag says that may be a half of a name.
    half: Option<String>,
    /// What this tag's `name` and `value` are: the two halves of what a form sends.
    field: (Option<String>, Option<String>),
    tag: Vec<u8>,
    attribute: Vec<u8>,
    /// The element whose content is not markup: `style`, `script`, `title`, …
    inside: Option<&'static str>,
    dialect: Dialect,
    links: usize,
    resources: usize,
    comments: usize,
    /// Attributes that have been read: names and values.
    seen: HashSet<Box<[u8]>>,
}

/// Elements whose content the tokenizer gives as one string.
const OPAQUE: [&str; 9] = ["style", "script", "title", "textarea", "iframe", "xmp", "noembed", "noframe", "noscript"];

impl Reader<'_, '_, '_> {
    fn event(&mut self, event: CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.text.tag(name, true);
                self.tables.tag(name, true);
                self.half = None;
                self.field = (None, None);
                self.tag.clear();
                self.tag.extend_from_slice(name);
                self.attribute.clear();
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute.clear();
                self.attribute.extend_from_slice(name);
            }
            CallbackEvent::AttributeValue { value } => {
                let mut name = std::mem::take(&mut self.attribute);
                let length = name.len();
                name.push(b'=');
                name.extend_from_slice(value);
                self.attribute(&String::from_utf8_lossy(&name[..length]), &String::from_utf8_lossy(value), &name);
                name.clear();
                self.attribute = name;
            }
            CallbackEvent::CloseStartTag { .. } => {
                self.field();
                if self.dialect == Dialect::Html {
                    self.inside = OPAQUE.into_iter().find(|name| name.as_bytes() == self.tag);
                }
            }
            CallbackEvent::EndTag { name } => {
                self.inside = None;
                self.text.tag(name, false);
                self.tables.tag(name, false);
            }
            CallbackEvent::String { value } => self.string(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { value } => self.comment(&String::from_utf8_lossy(value)),
            // Both stand in the source, which is a view of its own.
            CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn string(&mut self, value: &str) {
        match self.inside {
            Some("style") => self.css(value, "style", format_args!("sheet")),
            Some("script") => {
                let text = escape::script(value);
                self.sink.push(self.part, "script", None, Shape::Hidden, unescaped(&text));
                let origin = Origin { part: self.part, view: "script", at: format_args!("") };
                plain::links_in(&text, origin, self.sink);
                url::hidden_in(&text, origin, self.sink);
                self.inner(&text, "script", Shape::Hidden);
            }
            Some(element) => {
                self.text.push(value);
                self.inner(value, element, self.shape);
            }
            None => {
                self.text.push(value);
                self.tables.push(value);
            }
        }
    }

    /// Reads as HTML what a program may take for HTML.
    fn inner(&mut self, content: &str, name: &str, shape: Shape) {
        if self.depth < DEPTH_MAX && content.contains('<') && content.contains('>') {
            let part = format!("{} {name}", self.part);
            nested(content, &part, self.dialect, shape, self.depth + 1, self.sink);
        }
    }

    fn comment(&mut self, value: &str) {
        self.comments += 1;
        let source = escape::source(value).into_owned();
        let number = self.comments;
        let origin = Origin { part: self.part, view: "comment", at: format_args!("{number}") };
        url::hidden_in(&source, origin, self.sink);
        self.sink.push(self.part, "comment", Some(number.to_string()), Shape::Hidden, Cow::Owned(source));
        // Outlook shows what stands in a conditional comment.
        let is_conditional = value.trim_start().starts_with("[if");
        let content = match value.split_once("]>") {
            Some((_, content)) if is_conditional => content.trim_end_matches("<![endif]"),
            _ => value,
        };
        let shape = if is_conditional { self.shape } else { Shape::Hidden };
        self.inner(content, &format!("comment {}", self.comments), shape);
    }

    /// A style sheet, or a style attribute.
    fn css(&mut self, value: &str, view: &'static str, at: std::fmt::Arguments<'_>) {
        let text = escape::css(value);
        self.sink.once(self.part, view, at, Shape::Hidden, &plain::unescape(&text));
        let mut rest = &*text;
        while let Some(start) = rest.find("url(") {
            rest = &rest[start + 4..];
            let end = rest.find(')').unwrap_or(rest.len());
            self.resource(rest[..end].trim().trim_matches(['"', '\'']));
            rest = &rest[end..];
        }
        plain::links_in(&text, Origin { part: self.part, view, at }, self.sink);
    }

    /// What a reader follows. `<link>` is for programs.
    fn link(&mut self, url: &str) {
        if self.tag == b"link" {
            return self.resource(url);
        }
        self.links += 1;
        let number = self.links;
        let origin = Origin { part: self.part, view: "link", at: format_args!("{number}") };
        url::read(url, origin, url::NESTING_MAX, self.sink);
    }

    fn resource(&mut self, url: &str) {
        self.resources += 1;
        let number = self.resources;
        let origin = Origin { part: self.part, view: "resource", at: format_args!("{number}") };
        url::read(url, origin, url::NESTING_MAX, self.sink);
    }

    fn finish(self) {
        let Reader { part, shape, text, tables, sink, .. } = self;
        let text = text.finish();
        plain::links(&text.text, part, sink);
        plain::hidden_in(&text.text, part, sink);
        let mut push =
            |view, shape, text| sink.push(part, view, None, shape, plain::change(Cow::Owned(text), plain::unescape));
        push("text", shape, text.text);
        if let Some((whole, notes)) = text.ruby {
            push("text with its ruby", Shape::Loose, whole);
            push("ruby", Shape::Hidden, notes);
        }
        let others = [("text without small kana", text.bare), ("text cut at tags", text.cut)];
        for (view, text) in others.into_iter().filter_map(|(view, text)| Some((view, text?))) {
            push(view, Shape::Loose, text);
        }
        for table in tables.finish() {
            push(TABLE, Shape::Loose, table);
        }
        if let Some(joined) = text.boxes {
            sink.push(part, "text of boxes", None, Shape::Loose, Cow::Owned(joined));
        }
    }
}

/// Text with the URLs in it percent-decoded.
fn unescaped<'s>(text: &str) -> Cow<'s, str> {
    Cow::Owned(plain::unescape(text).into_owned())
}
