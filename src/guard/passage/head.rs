//! Header fields and MIME structure, as far as passages go: text and HTML in
//! UTF-8, in multiparts of the common kinds, CRLF everywhere.

use std::borrow::Cow;

use super::{BEHIND, Memos, Walk};
use crate::guard::view::entity::Entity;
use crate::guard::view::header;
use crate::guard::view::part::Split;
use crate::guard::view::reread;
use crate::guard::view::sink::Sink;
use crate::guard::view::transfer::{self, Encoding};

/// Multiparts inside one another, and parts in each, at most.
const DEPTH_MAX: usize = 3;
const PARTS_MAX: usize = 10;

/// What the header of a part without a boundary says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// `text/plain`.
    Plain(Encoding),
    /// `text/html`.
    Html(Encoding),
}

/// Splits an entity into its header, line ends included, and its body.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(body) = bytes.strip_prefix(b"\r\n") {
        return Some((b"", body));
    }
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    Some((&bytes[..end + 2], &bytes[end + 4..]))
}

/// The header fields, folded lines and line ends included. `None` where a line
/// ends otherwise.
fn fields(head: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Vec::with_capacity(16);
    let (mut start, mut at) = (0, 0);
    while at < head.len() {
        let end = at + memchr::memchr(b'\n', &head[at..])?;
        if memchr::memchr(b'\r', &head[at..end]) != Some((end - at).checked_sub(1)?) {
            return None;
        }
        at = end + 1;
        if !head.get(at).is_some_and(|b| matches!(b, b' ' | b'\t')) {
            fields.push(&head[start..at]);
            start = at;
        }
    }
    Some(fields)
}

fn is_named(field: &[u8], name: &str) -> bool {
    field.len() > name.len() && field[name.len()] == b':' && field[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

impl Walk<'_, '_, '_> {
    /// Judges an entity: header and body.
    pub(super) fn entity(&mut self, bytes: &[u8], depth: usize) -> Option<()> {
        let (head, body) = split(bytes)?;
        let mut content = Vec::new();
        let (mut types, mut encodings) = (0, 0);
        for field in fields(head)? {
            if field[0].eq_ignore_ascii_case(&b'c') && field.len() > 8 && field[..8].eq_ignore_ascii_case(b"content-") {
                types += usize::from(is_named(field, "content-type"));
                encodings += usize::from(is_named(field, "content-transfer-encoding"));
                // Attachments are read as a whole.
                if is_named(field, "content-disposition") || types > 1 || encodings > 1 {
                    return None;
                }
                content.extend_from_slice(field);
            }
            if self.is_own_to(field) {
                continue;
            }
            let unsigned = header::unsigned(field);
            if unsigned.is_some() && depth > 0 {
                return None;
            }
            let own = |field| self.case.without_own_tokens(std::str::from_utf8(field).ok()?, true, Some(BEHIND));
            let neutral = unsigned.or_else(|| own(field));
            let field = neutral.as_deref().map_or(field, str::as_bytes);
            let count = self.case.count();
            self.passage(
                |memos: &mut Memos| &mut memos.fields,
                field,
                |views, _| {
                    let entity = Entity::read(field);
                    let (mut sink, mut unreadable) = (Sink::unlimited(views), Vec::new());
                    header::read(&entity, "", &mut sink, &mut unreadable);
                    (entity.stray.is_empty() && unreadable.is_empty() && sink.finish().is_empty()).then_some(())
                },
            )?;
            // Which part's it is is known when its header is read.
            if depth > 0 && self.case.count() > count {
                return None;
            }
        }
        if let Some(head) = self.memos.heads.get(&content).copied() {
            return self.leaf(head, body);
        }
        self.structure(&content, body, depth)
    }

    /// Whether a field is `To` with an own address and nothing else.
    fn is_own_to(&self, field: &[u8]) -> bool {
        let address = field.strip_prefix(b"To: ").and_then(|rest| rest.strip_suffix(b"\r\n"));
        address.and_then(|address| std::str::from_utf8(address).ok()).is_some_and(|word| self.case.is_own_word(word))
    }

    /// Reads what the header says of the body.
    fn structure(&mut self, content: &[u8], body: &[u8], depth: usize) -> Option<()> {
        let entity = Entity::read(content);
        let kind = entity.kind();
        let encoding = entity.encoding();
        if entity.two_values().is_some() {
            return None;
        }
        if let "multipart/alternative" | "multipart/mixed" | "multipart/related" = kind.as_str() {
            let boundary = entity.parameter("boundary")?;
            let split = Split::read(body, boundary.as_bytes(), PARTS_MAX);
            let blank = split.preamble.trim_ascii().is_empty() && split.epilogue.trim_ascii().is_empty();
            let common = encoding == Encoding::Identity && blank && !split.parts.is_empty();
            if !common || split.parts.len() > PARTS_MAX || depth >= DEPTH_MAX {
                return None;
            }
            return split.parts.into_iter().try_for_each(|part| self.entity(part, depth + 1));
        }
        let charset = entity.parameter("charset").unwrap_or("utf-8");
        let utf8 = ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
        if !utf8 || entity.parameter("delsp").is_some() || entity.file_name().is_some() {
            return None;
        }
        let head = match kind.as_str() {
            "text/plain" => Head::Plain(encoding),
            "text/html" => Head::Html(encoding),
            _ => return None,
        };
        if let Some(hash) = self.memos.heads.note(content) {
            self.memos.heads.keep(hash, content, head);
        }
        self.leaf(head, body)
    }

    fn leaf(&mut self, head: Head, body: &[u8]) -> Option<()> {
        let (Head::Plain(encoding) | Head::Html(encoding)) = head;
        let (bytes, damage) = transfer::decode(body, encoding);
        if damage.is_some() {
            return None;
        }
        let text = unix(simdutf8::basic::from_utf8(&bytes).ok()?)?;
        // What reads in two ways is read as a whole: names may look across the cuts.
        if reread::may_differ((body, encoding), &text, matches!(head, Head::Html(_))) {
            return None;
        }
        let kind = if matches!(head, Head::Plain(_)) { "text/plain" } else { "text/html" };
        self.part = self.names.next(kind.to_owned());
        match head {
            Head::Plain(_) => self.plain(&text),
            Head::Html(_) => self.html(&text),
        }
    }
}

/// The text with CRLF as LF; `None` if a CR stands elsewhere. To every rule the
/// two are the same.
fn unix(text: &str) -> Option<Cow<'_, str>> {
    let Some(first) = memchr::memchr(b'\r', text.as_bytes()) else { return Some(Cow::Borrowed(text)) };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(after) = rest.strip_prefix('\r') {
        let end = memchr::memchr(b'\r', after.as_bytes()).unwrap_or(after.len());
        if !after.starts_with('\n') {
            return None;
        }
        out.push_str(&after[..end]);
        rest = &after[end..];
    }
    Some(Cow::Owned(out))
}
