//! Bytes → everything a reader or a mail program could show.
//!
//! Input: a finished message, and [`Limits`]. Output: [`Views`]: every text in
//! it, decoded but not normalised, each with its [`Place`]; and whatever could
//! not be read, which holds the message. Infallible: what cannot be read is
//! said in [`Views::unreadable`], never passed over. Time and memory are linear
//! in the message's size, times small constants.
//!
//! ```text
//! bytes ─► part      MIME structure, transfer encodings, charsets
//!            ├─► header   encoded-words, RFC 2231, display names
//!            ├─► html     text, comments, attributes, style, script
//!            ├─► card     vCard, iCalendar, LDIF
//!            ├─► plain    text bodies and text attachments
//!            │     └─► url   host, path, query; base64 and hex in them
//!            └─► reread   the same again, in another charset or format
//! ```
//!
//! Escapes are undone in place: a view never shows `%40example.com`, whose
//! tokens nobody wrote. Where one text would be given twice, it is given once.

mod card;
mod charset;
pub(in crate::guard) mod entity;
pub(in crate::guard) mod escape;
mod format;
pub(in crate::guard) mod header;
mod hidden;
pub(in crate::guard) mod html;
mod mixed;
mod parameter;
pub(in crate::guard) mod part;
mod picture;
pub(in crate::guard) mod plain;
pub(in crate::guard) mod reread;
pub(in crate::guard) mod second;
pub(in crate::guard) mod sink;
pub(in crate::guard) mod strings;
pub(in crate::guard) mod transfer;
pub(in crate::guard) mod url;
mod utf7;
pub mod word;

use std::borrow::Cow;
use std::fmt;

use sink::Sink;

pub(in crate::guard) use charset::{common_name as common_charset, in_charsets};
pub use sink::Declared;

/// One thing that could be read, decoded, not yet normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// Which part, which view, and where in it: `header Subject`, `text/html, link 3`.
    pub place: Place,
    /// How the text is to be read.
    pub shape: Shape,
    /// The decoded text.
    pub text: Cow<'a, str>,
}

impl View<'_> {
    fn into_owned(self) -> View<'static> {
        View { place: self.place, shape: self.shape, text: Cow::Owned(self.text.into_owned()) }
    }
}

/// Where a view comes from. `Display` is the `where` of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The part's path and type (`text/html`, `message/rfc822 > text/plain`), or `header`.
    pub part: String,
    /// The view: `Subject`, `text`, `source`, `link`, `attribute`, `comment`, `style`, `file name`, …
    pub view: &'static str,
    /// The name or number in it, if there is one.
    pub at: Option<String>,
}

impl Place {
    /// The same without the number of a link, a picture or a comment: in a piece of a part each is
    /// the first.
    pub(in crate::guard) fn unnumber(&mut self) {
        if let (Some(at), "link" | "resource" | "comment") = (&mut self.at, self.view) {
            *at = at.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
        }
        if let Some(part) = self.part.strip_suffix(" comment 1") {
            self.part = format!("{part} comment");
        }
    }

    /// Whether it is the name of a file, a path or a query's value.
    pub fn is_path(&self) -> bool {
        let at = self.at.as_deref().unwrap_or_default();
        self.view == "file name" || at.ends_with(", path") || at.contains(", query ")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A header's field reads as one phrase; a part is named before its view.
        let comma = if self.part.ends_with("header") { " " } else { ", " };
        write!(f, "{}{comma}{}", self.part, self.view)?;
        match self.at.as_deref() {
            Some("") | None => Ok(()),
            Some(at) if at.starts_with(',') => f.write_str(at),
            Some(at) => write!(f, " {at}"),
        }
    }
}

/// How a view's text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Prose that a person reads: every rule applies.
    Visible,
    /// Source, attributes, decoded values: identifiers count, salutations do not.
    Hidden,
    /// A URL's host alone.
    Host,
    /// HTML text cut at every tag, or joined across narrow boxes; source, where a
    /// tag cuts `exam<b>ple.com</b>` in two; what a value holds if it is base64 or
    /// hex; and every second reading (`second`, `reread`). A reader may see it so, or may not: an identifier of
    /// another account counts, but nothing here is asked to explain itself.
    Loose,
}

/// Why a message could not be read to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which part.
    pub place: String,
    /// Why.
    pub why: String,
}

/// All views of a message, and every part that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views<'a> {
    /// The views, in the order of the message.
    pub views: Vec<View<'a>>,
    /// What could not be read; any entry holds the message.
    pub unreadable: Vec<Unreadable>,
}

/// How much of a message is read. What lies beyond is unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole message, in bytes as sent.
    pub message_bytes_max: usize,
    /// The text of all views together, in bytes of UTF-8.
    pub view_bytes_max: usize,
    /// Views in all.
    pub views_max: usize,
    /// MIME parts in all, multiparts and inner messages counted.
    pub parts_max: usize,
    /// MIME parts inside one another, the message itself being the first.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 10_000_000,
            view_bytes_max: 100_000_000,
            views_max: 200_000,
            parts_max: 200,
            depth_max: 10,
        }
    }
}

/// Every view of a message.
///
/// Measured, optimised, on two virtual processors shared with other work: 0.54 ms
/// for 54 KB (a table of 110 links in base64, and its text part); folding what
/// it shows takes another 0.17 ms.
pub fn views<'a>(bytes: &'a [u8], limits: &Limits) -> Views<'a> {
    views_but(bytes, limits, &Declared::default())
}

/// The same, where some files are declared and need not be read.
pub fn views_but<'a>(bytes: &'a [u8], limits: &Limits, declared: &Declared) -> Views<'a> {
    let mut views = Views::default();
    if bytes.len() > limits.message_bytes_max {
        views.unreadable.push(Unreadable {
            place: "message".into(),
            why: format!("it is larger than {} bytes", limits.message_bytes_max),
        });
        return views;
    }
    let mut sink = Sink::new(&mut views.views, limits, declared.clone());
    let mut walk = part::Walk::new(limits);
    walk.message(bytes, "", 1, &mut sink);
    views.unreadable = sink.finish();
    views.unreadable.append(&mut walk.unreadable);
    views
}

/// Every view of a piece of HTML, its source included. `part` is what their
/// places name. Expressions of a template may stand in it as U+FFFC.
pub fn html_views(html: &str, part: &str, out: &mut Vec<View<'_>>) {
    let mut sink = Sink::unlimited(out);
    sink.push(part, "source", None, Shape::Loose, Cow::Owned(escape::source(html).into_owned()));
    html::read(html, part, html::Dialect::Html, &mut sink);
}

/// Every view of a piece of plain text: the text, and the URLs in it.
pub fn text_views<'a>(text: &'a str, part: &str, out: &mut Vec<View<'a>>) {
    let mut sink = Sink::unlimited(out);
    sink.push(part, "text", None, Shape::Visible, Cow::Borrowed(text));
    plain::links(text, part, &mut sink);
}

#[cfg(test)]
mod tests;
