//! Text that is not HTML: bodies, text attachments, header and attribute
//! values. URLs in it are percent-decoded in place, and read.
//!
//! A URL in running text is everything from its scheme to white space, a
//! bracket, a quotation mark or a Japanese full stop. Its host is given apart
//! only if it is ASCII, since in Japanese prose nothing says where it ends;
//! the text itself shows the rest.

use std::borrow::Cow;
use std::ops::Range;

use super::Shape;
use super::escape;
use super::html::piece;
use super::sink::Sink;
use super::url::{self, Origin};

/// What sort of text a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Prose and tables: `text/plain`, `text/csv`.
    Prose,
    /// JSON and script.
    Script,
}

/// Adds the views of a text part.
pub fn read<'a>(text: Cow<'a, str>, sort: Sort, part: &str, sink: &mut Sink<'_, 'a>) {
    let text = match sort {
        Sort::Prose => text,
        Sort::Script => change(text, escape::script),
    };
    links(&text, part, sink);
    hidden_in(&text, part, sink);
    let shape = if sort == Sort::Script { Shape::Hidden } else { Shape::Visible };
    if let Some(text) = without_quotes(&text).filter(|_| sort == Sort::Prose && !sink.is_loose()) {
        sink.push(
            part,
            "text",
            Some(", without quotation marks".into()),
            Shape::Loose,
            Cow::Owned(unescape(&text).into_owned()),
        );
    }
    sink.push(part, "text", None, shape, change(text, unescape));
}

/// A text without the marks of quotation before its lines, `> > `; `None` where no two lines
/// one after the other have them.
pub fn without_quotes(text: &str) -> Option<String> {
    let is_quoted = |line: &str| line.trim_start_matches(' ').starts_with('>');
    let mut before = false;
    let is_any = text.lines().any(|line| std::mem::replace(&mut before, is_quoted(line)) && before);
    is_any.then(|| {
        let bare = |line: &'_ str| if is_quoted(line) { line.trim_start_matches(['>', ' ']).len() } else { line.len() };
        let lines = text.lines().map(|line| &line[line.len() - bare(line)..]);
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// Adds what stands in a text in base64 or hex.
pub fn hidden_in(text: &str, part: &str, sink: &mut Sink<'_, '_>) {
    url::hidden_in(text, Origin { part, view: "text", at: format_args!("") }, sink);
}

/// Applies a change that borrows where it changes nothing, without a copy.
pub fn change<'a>(text: Cow<'a, str>, with: impl for<'t> Fn(&'t str) -> Cow<'t, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => with(text),
        Cow::Owned(text) => match with(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(changed) => Cow::Owned(changed),
        },
    }
}

/// Adds the URLs that stand in a text, numbered.
pub fn links(text: &str, part: &str, sink: &mut Sink<'_, '_>) {
    for (number, run) in Runs::of(text).enumerate() {
        let number = number + 1;
        read_run(&text[run], Origin { part, view: "link", at: format_args!("{number}") }, sink);
    }
}

/// Adds the URLs that stand in an attribute's or a header field's value.
pub fn links_in(text: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    let at = origin.at;
    for (number, run) in Runs::of(text).enumerate() {
        let number = number + 1;
        read_run(&text[run], Origin { at: format_args!("{at}, link {number}"), ..origin }, sink);
    }
}

fn read_run(run: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    let ascii = run.find(|c: char| !c.is_ascii()).unwrap_or(run.len());
    let in_host = run[..ascii].split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
    if ascii < run.len() && in_host || is_escaped_in_host(run) {
        return;
    }
    let url = run[..ascii].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'']);
    url::read(url, origin, url::NESTING_MAX, sink);
}

/// Whether a URL's host ends where an escape of a script or of HTML stands: the text itself shows the
/// rest of it.
fn is_escaped_in_host(run: &str) -> bool {
    let Some((_, rest)) = run.split_once("://") else { return false };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    rest[end..].starts_with('#') && rest[..end].ends_with('&')
        || rest[end..].starts_with('\\') && escape::is_escape(rest[end..].trim_start_matches('\\').as_bytes())
}

/// The text with its URLs percent-decoded, and without the entities that a template
/// leaves where it escapes once too often: `Bell &amp; Sons`, `O&#39;Connor`.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return without_percents(text);
    }
    let mut plain = Cow::Borrowed(text);
    for _ in 0..ESCAPED_MAX {
        match without_entities(&plain) {
            Some(next) => plain = Cow::Owned(next),
            None => break,
        }
    }
    match plain {
        Cow::Borrowed(text) => without_percents(text),
        Cow::Owned(text) => Cow::Owned(without_percents(&text).into_owned()),
    }
}

/// So many times a text may have been escaped.
const ESCAPED_MAX: usize = 3;

/// The text with its entities decoded, those that escaping makes; `None` if there
/// are none.
fn without_entities(text: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let (mut copied, mut from) = (0, 0);
    while let Some(at) = memchr::memchr(b'&', &text.as_bytes()[from..]).map(|at| from + at) {
        from = at + 1;
        if let Some((c, length)) = entity(&text[at..]) {
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..at]);
            out.push(c);
            copied = at + length;
            from = copied;
        }
    }
    out.map(|out| out + &text[copied..])
}

/// The entity that a text begins with, as the HTML reader has it, and its length.
/// One that it leaves as it is has two characters or more.
pub fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(ENTITY_MAX).position(|b| b == b';')? + 1;
    let read = piece::text(&text[..end]);
    let mut chars = read.chars();
    let c = chars.next().filter(|c| !c.is_control() || c.is_whitespace())?;
    chars.next().is_none().then_some((c, end))
}

/// The longest entity that is decoded, in bytes.
const ENTITY_MAX: usize = 12;

/// The text with its URLs percent-decoded.
fn without_percents(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out: Option<String> = None;
    let mut copied = 0;
    for run in Runs::of(text) {
        if let Cow::Owned(decoded) = escape::percent(&text[run.clone()]) {
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..run.start]);
            out.push_str(&decoded);
            copied = run.end;
        }
    }
    match out {
        Some(mut out) => {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(text),
    }
}

/// Where the URLs of a text stand, one after the other.
struct Runs<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Runs<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Runs<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let colon = self.at + memchr::memchr(b':', self.text.as_bytes().get(self.at..)?)?;
            let before = &self.text[self.at..colon];
            let scheme =
                before.bytes().rev().take(20).take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
            let name = &before[before.len() - scheme..];
            let is_url = scheme > 0 && self.text[colon..].starts_with("://")
                || ["mailto", "tel", "sms"].iter().any(|known| name.eq_ignore_ascii_case(known));
            self.at = colon + 1;
            if is_url {
                let start = colon - scheme;
                let length = self.text[start..].find(is_end).unwrap_or(self.text.len() - start);
                self.at = (start + length).max(self.at);
                return Some(start..self.at);
            }
        }
    }
}

/// Whether a URL in running text ends before this character.
fn is_end(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '、' | '。' | '「' | '」' | '『' | '』' | '（' | '）' | '【' | '】')
}
