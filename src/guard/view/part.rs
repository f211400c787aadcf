//! The walk through a message's MIME structure.
//!
//! Every byte of a message ends up in a view or in a decoded part: header,
//! preamble, parts, epilogue. Delimiters are looked for at line starts only
//! (RFC 2046 §5.1.1), the outer ones first. A structure that cannot be followed
//! is reported and its bytes are read as text. Nesting and parts are counted
//! before anything is decoded.

use std::borrow::Cow;
use std::collections::HashMap;

use super::entity::Entity;
use super::format::{self, Leaf};
use super::reread::{self, Again};
use super::sink::Sink;
use super::transfer::{self, Encoding};
use super::{Limits, Shape, Unreadable, card, escape, header, html, picture, plain};

/// Counts parts and gathers what could not be read.
pub struct Walk {
    parts_left: usize,
    depth_max: usize,
    names: Names,
    /// What could not be read so far.
    pub unreadable: Vec<Unreadable>,
}

impl Walk {
    pub fn new(limits: &Limits) -> Self {
        Self {
            parts_left: limits.parts_max,
            depth_max: limits.depth_max,
            names: Names::default(),
            unreadable: Vec::new(),
        }
    }

    /// Reads a whole message. `path` ends in ` > ` unless it is the outermost.
    pub fn message<'a>(&mut self, bytes: &'a [u8], path: &str, depth: usize, sink: &mut Sink<'_, 'a>) {
        let entity = Entity::read(bytes);
        header::read(&entity, path.trim_end_matches(" > "), sink, &mut self.unreadable);
        self.entity(&entity, path, depth, sink);
    }

    fn fail(&mut self, place: &str, why: impl Into<String>) {
        self.unreadable.push(Unreadable { place: place.to_owned(), why: why.into() });
    }

    /// Reads an entity's body; its header has been read.
    fn entity<'a>(&mut self, entity: &Entity<'a>, path: &str, depth: usize, sink: &mut Sink<'_, 'a>) {
        let kind = entity.kind();
        let part = self.names.next(format!("{path}{kind}"));
        if depth > self.depth_max {
            return self.fail(&part, format!("it is nested deeper than {} parts", self.depth_max));
        }
        if self.parts_left == 0 {
            return self.fail(&part, "the message has more parts than the limit");
        }
        self.parts_left -= 1;
        if let Some(field) = entity.contradiction() {
            self.fail(&part, format!("it has two different {field} fields"));
        }
        if let Some(parameter) = entity.two_values() {
            self.fail(&part, format!("it has two different {parameter} parameters"));
        }
        if kind.starts_with("multipart/") {
            self.multipart(entity, &kind, &part, path, depth, sink);
        } else {
            self.leaf(entity, &kind, &part, depth, sink);
        }
    }

    fn multipart<'a>(
        &mut self,
        entity: &Entity<'a>,
        kind: &str,
        part: &str,
        path: &str,
        depth: usize,
        sink: &mut Sink<'_, 'a>,
    ) {
        if kind == "multipart/encrypted" {
            self.fail(part, "it is encrypted");
        }
        if entity.encoding() != Encoding::Identity {
            self.fail(part, "a multipart may not have a transfer encoding");
        }
        let boundary = entity.parameter("boundary").unwrap_or("");
        let split = Split::read(entity.body, boundary.as_bytes(), self.parts_left);
        if split.parts.is_empty() {
            self.fail(part, "its parts cannot be told apart");
        }
        self.between(split.preamble, "preamble", part, sink);
        for bytes in split.parts {
            let inner = Entity::read(bytes);
            if kind == "multipart/digest" && inner.content_type().is_none() {
                self.message(inner.body, &format!("{path}message/rfc822 > "), depth + 1, sink);
                continue;
            }
            let name = format!("{path}{}", inner.kind());
            header::read(&inner, &name, sink, &mut self.unreadable);
            self.entity(&inner, path, depth + 1, sink);
        }
        self.between(split.epilogue, "epilogue", part, sink);
    }

    /// What stands before the first delimiter, or after the last.
    fn between<'a>(&mut self, bytes: &'a [u8], view: &'static str, part: &str, sink: &mut Sink<'_, 'a>) {
        let (text, damage) = transfer::text(Cow::Borrowed(bytes), None);
        if let Some(why) = damage {
            self.fail(&format!("{part}, {view}"), why);
        }
        plain::links(&text, part, sink);
        sink.push(part, view, None, Shape::Hidden, plain::change(text, plain::unescape));
    }

    fn leaf<'a>(&mut self, entity: &Entity<'a>, kind: &str, part: &str, depth: usize, sink: &mut Sink<'_, 'a>) {
        let leaf = format::leaf(kind, entity.file_name());
        sink.begin();
        let (bytes, damage) = transfer::decode(entity.body, entity.encoding());
        let is_declared = sink.is_declared(&bytes);
        if let Leaf::Refused(why) = leaf {
            if !is_declared {
                self.refused(&bytes, why, part, sink);
            }
            return;
        }
        if let Some(why) = damage {
            self.fail(part, why);
        }
        if leaf == Leaf::Message {
            let path = format!("{part} > ");
            return match bytes {
                Cow::Borrowed(bytes) => self.message(bytes, &path, depth + 1, sink),
                Cow::Owned(bytes) => sink.apart(|sink| self.message(&bytes, &path, depth + 1, sink)),
            };
        }
        if leaf == Leaf::Signature {
            return match reread::signature(kind, &bytes) {
                Some(text) => sink.push(part, "signature", None, Shape::Loose, text.into()),
                None => self.fail(part, "it is not a signature"),
            };
        }
        let charset = entity.parameter("charset");
        let raw = (entity.body, entity.encoding());
        let (text, damage) = match &bytes {
            Cow::Borrowed(bytes) => transfer::text(Cow::Borrowed(*bytes), charset),
            Cow::Owned(bytes) => {
                let (text, damage) = transfer::text(Cow::Borrowed(bytes), charset);
                (Cow::Owned(text.into_owned()), damage)
            }
        };
        // A card's properties say themselves how they are written.
        let damage = if leaf == Leaf::Card { card::read(&bytes, charset, part, sink) } else { damage };
        if let Some(why) = damage.or_else(|| format::refused(&text)).filter(|_| !is_declared) {
            self.fail(part, why);
        }
        // One level of them keeps the work linear, however parts are nested.
        let others = if sink.is_loose() || is_declared {
            Vec::new()
        } else {
            reread::texts(raw, &bytes, charset, &text, leaf, entity.file_name())
        };
        for other in others {
            // Bytes are hardly ever valid UTF-8 by accident.
            if other.how == "utf-8" {
                let text = escape::source(&other.text).into_owned();
                sink.push(part, "text read as UTF-8", None, Shape::Hidden, text.into());
            }
            let part = format!("{part}, {}", other.how);
            self.again(other, &part, depth, sink);
        }
        let is_joined = entity.parameter("delsp").is_some_and(|v| v.eq_ignore_ascii_case("yes"));
        let text = if is_joined { Cow::Owned(unflow(&text)) } else { text };
        self.text(text, leaf, part, sink);
    }

    /// A file that cannot be read: only what a picture of one pixel has in letters is.
    fn refused(&mut self, bytes: &[u8], why: &str, part: &str, sink: &mut Sink<'_, '_>) {
        if picture::is_blank(bytes) {
            sink.push(part, "picture", None, Shape::Loose, reread::letters(bytes).into());
        } else {
            self.fail(part, why);
        }
    }

    /// Reads a text as what it is.
    fn text<'a>(&mut self, text: Cow<'a, str>, leaf: Leaf, part: &str, sink: &mut Sink<'_, 'a>) {
        match leaf {
            Leaf::Html(dialect) => {
                if memchr::memmem::find(text.as_bytes(), b"<!ENTITY").is_some() {
                    self.fail(part, "it defines characters of its own");
                }
                html::read(&text, part, dialect, sink);
                sink.push(part, "source", None, Shape::Loose, plain::change(text, escape::source));
            }
            Leaf::Text(sort) => plain::read(text, sort, part, sink),
            Leaf::Card | Leaf::Message | Leaf::Signature | Leaf::Refused(_) => {}
        }
    }

    /// Reads a part's text once more, as something that some program may take it for.
    fn again(&mut self, other: Again, part: &str, depth: usize, sink: &mut Sink<'_, '_>) {
        let Again { leaf, text, .. } = other;
        if let Leaf::Refused(why) = leaf {
            return self.fail(part, why);
        }
        let told = self.unreadable.len();
        sink.again(|sink| match leaf {
            Leaf::Card => {
                card::read(text.as_bytes(), None, part, sink);
            }
            Leaf::Message if depth < self.depth_max => {
                let start = format::looks_like_message(&text).unwrap_or(0);
                self.message(&text.as_bytes()[start..], &format!("{part} > "), depth + 1, sink);
            }
            _ => self.text(Cow::Borrowed(&text), leaf, part, sink),
        });
        self.unreadable.truncate(told);
    }
}

/// Joins flowed lines whose space is deleted (RFC 3676, `DelSp=yes`).
fn unflow(text: &str) -> String {
    text.replace(" \r\n", "").replace(" \n", "")
}

/// What parts are called: `text/plain` the first of its type, then `text/plain (2)`.
#[derive(Default)]
pub struct Names(HashMap<String, usize>);

impl Names {
    /// The name of the next part of this path and type.
    pub fn next(&mut self, name: String) -> String {
        let count = self.0.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { name } else { format!("{name} ({count})") }
    }
}

/// A multipart's body, taken apart.
pub struct Split<'a> {
    /// What stands before the first delimiter.
    pub preamble: &'a [u8],
    /// The parts.
    pub parts: Vec<&'a [u8]>,
    /// What stands after the last delimiter.
    pub epilogue: &'a [u8],
}

impl<'a> Split<'a> {
    /// Splits at delimiter lines; one part more than `parts_max` at most. A
    /// missing last delimiter ends with the body, as mail programs take it.
    pub fn read(body: &'a [u8], boundary: &[u8], parts_max: usize) -> Self {
        let mut split = Split { preamble: body, parts: Vec::new(), epilogue: &[] };
        if boundary.is_empty() {
            return split;
        }
        let mut start = None;
        let delimiter = [b"--", boundary].concat();
        let finder = memchr::memmem::Finder::new(&delimiter);
        for at in finder.find_iter(body).filter(|at| *at == 0 || body[at - 1] == b'\n') {
            let end = memchr::memchr(b'\n', &body[at..]).map_or(body.len(), |n| at + n + 1);
            let is_last = match body[at + delimiter.len()..end].trim_ascii_end() {
                [] => false,
                b"--" => true,
                _ => continue,
            };
            let before = without_line_end(&body[start.unwrap_or(0)..at]);
            match start {
                None => split.preamble = before,
                Some(_) => split.parts.push(before),
            }
            start = Some(end);
            if is_last {
                split.epilogue = &body[end..];
                return split;
            }
            if split.parts.len() > parts_max {
                return split;
            }
        }
        if let Some(start) = start {
            split.parts.push(&body[start..]);
        }
        split
    }
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n")).unwrap_or(bytes)
}
