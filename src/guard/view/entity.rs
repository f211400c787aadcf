//! One MIME entity: its header fields, and what they say of its body.
//!
//! Fields are split here, so that every byte of the header block is seen; the
//! MIME parser reads the structured ones (parameters, RFC 2231). Where a field
//! that says how to read the body stands twice with two values, mail programs
//! disagree, and the entity is not readable. Sources: RFC 5322 §2.2, RFC 2045.

use std::borrow::Cow;

use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};

use super::transfer::Encoding;

/// One header field, unfolded.
pub struct Field<'a> {
    /// Its name, as written.
    pub name: Cow<'a, str>,
    /// What follows the colon, without line breaks.
    pub value: Cow<'a, [u8]>,
}

/// An entity: fields and body.
pub struct Entity<'a> {
    /// Its fields in order.
    pub fields: Vec<Field<'a>>,
    /// Lines of the header block that are no fields.
    pub stray: Vec<&'a [u8]>,
    /// What follows the empty line.
    pub body: &'a [u8],
    /// The MIME parser's reading of the header block.
    pub parsed: Option<Message<'a>>,
}

/// The fields that say how to read a body.
const ONCE: [&str; 3] = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"];

impl<'a> Entity<'a> {
    /// Splits an entity into fields and body.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut entity = Entity { fields: Vec::new(), stray: Vec::new(), body: &[], parsed: None };
        let mut at = 0;
        while at < bytes.len() {
            let end = line_end(bytes, at);
            let line = bytes[at..end].trim_ascii_end();
            if line.is_empty() && !is_fold(bytes[at]) {
                entity.body = &bytes[end..];
                break;
            }
            let colon = memchr::memchr(b':', line).filter(|colon| is_name(line[..*colon].trim_ascii_end()));
            let Some(colon) = colon else {
                entity.stray.push(line);
                at = end;
                continue;
            };
            let mut value_end = end;
            while bytes.get(value_end).copied().is_some_and(is_fold) {
                value_end = line_end(bytes, value_end);
            }
            let name = String::from_utf8_lossy(line[..colon].trim_ascii_end());
            entity.fields.push(Field { name, value: unfold(&bytes[at + colon + 1..value_end]) });
            at = value_end;
        }
        let head = &bytes[..bytes.len() - entity.body.len()];
        entity.parsed = MessageParser::default().parse_headers(head);
        entity
    }

    /// The type in lower case, `text/plain` when there is none.
    pub fn kind(&self) -> String {
        match self.content_type() {
            Some(ct) => {
                let subtype = ct.subtype().unwrap_or("plain");
                format!("{}/{subtype}", ct.ctype()).to_ascii_lowercase()
            }
            None => "text/plain".into(),
        }
    }

    /// A parameter of Content-Type.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.content_type()?.attribute(name)
    }

    /// Whether it has a Content-Type at all.
    pub fn content_type(&self) -> Option<&ContentType<'_>> {
        self.parsed.as_ref()?.content_type()
    }

    /// How the body travels.
    pub fn encoding(&self) -> Encoding {
        self.parsed.as_ref().and_then(|m| m.content_transfer_encoding()).map_or(Encoding::Identity, Encoding::parse)
    }

    /// The file name, from either field.
    pub fn file_name(&self) -> Option<&str> {
        self.parsed.as_ref()?.attachment_name()
    }

    /// A parameter of Content-Type that says how to read the body, and stands twice
    /// with two values.
    pub fn two_values(&self) -> Option<&'static str> {
        let attributes = self.content_type()?.attributes()?;
        ["boundary", "charset"].into_iter().find(|once| {
            let mut values = attributes.iter().filter(|a| a.name.eq_ignore_ascii_case(once)).map(|a| &a.value);
            let first = values.next();
            values.any(|value| Some(value) != first)
        })
    }

    /// A field that stands twice with two values, although it may stand once.
    pub fn contradiction(&self) -> Option<&'static str> {
        ONCE.into_iter().find(|once| {
            let mut values = self.fields.iter().filter(|f| f.name.eq_ignore_ascii_case(once)).map(|f| &f.value);
            let first = values.next();
            values.any(|value| Some(value) != first)
        })
    }
}

/// Where the line that begins at `at` ends, its line end included.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n + 1)
}

fn is_fold(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `field-name` of RFC 5322 §2.2: printable ASCII but the colon.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Drops the line breaks of a folded value, and the white space around it.
fn unfold(raw: &[u8]) -> Cow<'_, [u8]> {
    let raw = raw.trim_ascii();
    if memchr::memchr2(b'\r', b'\n', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect())
}
