//! One URL → its host, path, query values, and what they hold in base64 or hex.
//!
//! Input: a URL as it stands in an attribute (entities decoded) or in text.
//! It is split as browsers split it: line breaks inside are dropped, `\` is
//! `/`. Each piece is percent-decoded. A URL inside a query value is read in
//! turn, [`NESTING_MAX`] deep. Escapes that are no UTF-8 are read in every charset
//! that they may be in. Sources: RFC 3986, RFC 6068, RFC 2397, the WHATWG URL
//! standard.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;

use super::escape::{self, BASE64};
use super::sink::Sink;
use super::{Place, Shape, charset, hidden as holding, mixed, picture, reread};

/// URLs inside URLs are read this deep.
pub const NESTING_MAX: usize = 2;

/// Where a URL was found.
#[derive(Clone, Copy)]
pub struct Origin<'l> {
    /// The part.
    pub part: &'l str,
    /// The view, `link` for most.
    pub view: &'static str,
    /// Its number, or the attribute's name.
    pub at: fmt::Arguments<'l>,
}

/// Adds the views of one URL.
pub fn read(url: &str, origin: Origin<'_>, nesting: usize, sink: &mut Sink<'_, '_>) {
    let url = strip(url);
    let (scheme, rest) = scheme(&url);
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "ftp" | "ws" | "wss" => {
            hierarchy(rest.trim_start_matches(['/', '\\']), origin, nesting, sink);
        }
        "data" => data(rest, origin, sink),
        "javascript" => {
            sink.once(origin.part, origin.view, origin.at, Shape::Hidden, &escape::script(&escape::percent(rest)));
        }
        "" if !rest.starts_with("//") => after_host(rest, origin, nesting, sink),
        _ if rest.starts_with("//") => hierarchy(&rest[2..], origin, nesting, sink),
        _ => {
            let (opaque, query) = rest.split_once('?').unwrap_or((rest, ""));
            sink.once(origin.part, origin.view, origin.at, Shape::Hidden, &escape::percent(opaque));
            other_charsets(opaque, origin, sink);
            values(query, origin, nesting, sink);
        }
    }
}

/// Browsers drop line breaks and tabs inside a URL.
fn strip(url: &str) -> Cow<'_, str> {
    let url = url.trim();
    if url.contains(['\t', '\r', '\n']) { Cow::Owned(url.replace(['\t', '\r', '\n'], "")) } else { Cow::Borrowed(url) }
}

fn scheme(url: &str) -> (&str, &str) {
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
        {
            (scheme, rest)
        }
        _ => ("", url),
    }
}

/// Reads `user@host:port/path?query#fragment`.
fn hierarchy(rest: &str, origin: Origin<'_>, nesting: usize, sink: &mut Sink<'_, '_>) {
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    let at = origin.at;
    sink.once(origin.part, origin.view, format_args!("{at}, user"), Shape::Hidden, &escape::percent(user));
    sink.once(origin.part, origin.view, format_args!("{at}, host"), Shape::Host, &escape::percent(host));
    after_host(rest, origin, nesting, sink);
}

/// Reads `/path?query#fragment`.
fn after_host(rest: &str, origin: Origin<'_>, nesting: usize, sink: &mut Sink<'_, '_>) {
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let at = origin.at;
    if path.len() > 1 {
        let decoded = escape::percent(path);
        sink.once(origin.part, origin.view, format_args!("{at}, path"), Shape::Hidden, &decoded);
        for segment in decoded.split(['/', '\\']) {
            hidden(segment, Origin { at: format_args!("{at}, path"), ..origin }, sink);
        }
        for segment in path.split('/').filter(|segment| segment.contains('%')) {
            other_charsets(segment, Origin { at: format_args!("{at}, path"), ..origin }, sink);
            // What base64 has for a sign may be the path's own.
            let whole = escape::percent(segment);
            if whole.contains('/') {
                hidden(&whole, Origin { at: format_args!("{at}, path"), ..origin }, sink);
            }
        }
    }
    values(query, origin, nesting, sink);
    values(fragment, origin, nesting, sink);
}

/// Reads `key=value&key=value`; a key without a value is one itself.
fn values(query: &str, origin: Origin<'_>, nesting: usize, sink: &mut Sink<'_, '_>) {
    let mut halves = Vec::new();
    for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
        let (key, raw) = pair.split_once('=').unwrap_or(("", pair));
        let at = origin.at;
        if key.contains('%') {
            other_charsets(key, origin, sink);
        }
        let key = escape::percent(key);
        let origin = Origin { at: format_args!("{at}, query {key}"), ..origin };
        // In a form `+` is a space; elsewhere it is itself.
        let spaced = if raw.contains('+') { Cow::Owned(raw.replace('+', " ")) } else { Cow::Borrowed(raw) };
        if let Cow::Owned(spaced) = &spaced {
            let at = format_args!("{}{FORM}", origin.at);
            sink.once(origin.part, origin.view, at, Shape::Hidden, &escape::percent(spaced));
        }
        let decoded = escape::percent(raw);
        let half = escape::percent(&spaced);
        if is_half(&half) {
            halves.push(format!("{key}={half}"));
        }
        sink.once(origin.part, origin.view, origin.at, Shape::Hidden, &decoded);
        hidden(&decoded, origin, sink);
        other_charsets(&spaced, origin, sink);
        if nesting > 0 && decoded.contains("://") {
            read(&decoded, origin, nesting - 1, sink);
        }
    }
    if halves.len() > 1 {
        let at = format_args!("{}, query", origin.at);
        sink.once(origin.part, origin.view, at, Shape::Loose, &halves.join("&"));
    }
}

/// Whether a value may be one half of a name: `last=van%20den%20Heuvel&first=Annelies`. Words of a
/// program are all written small.
pub fn is_half(value: &str) -> bool {
    const HALF_MAX: usize = 40;
    value.len() <= HALF_MAX
        && value.split(' ').any(|word| word.starts_with(|c: char| c.is_uppercase() || !c.is_ascii()))
        && value.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '.'))
}

/// What the place of a query's value ends with where its plus signs are read as spaces.
pub const FORM: &str = ", form";

/// Adds what percent escapes say that are no UTF-8, in each charset that has them.
pub fn other_charsets(raw: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    if !raw.contains('%') {
        return;
    }
    let bytes = escape::percent_bytes(raw);
    if !charset::may_differ(&bytes) && !mixed::is_ambiguous(&bytes) {
        return;
    }
    for (name, text) in charset::others(&bytes, None).into_iter().chain(charset::of_value(&bytes)) {
        sink.once(origin.part, origin.view, format_args!("{}, {name}", origin.at), Shape::Loose, &text);
    }
}

/// Adds what a value holds in base64 or hex.
pub fn hidden(value: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    holding::values(value, |how, text| held(how, &text, origin, sink));
}

/// Adds what stands in a longer text in base64 or hex.
pub fn hidden_in(text: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    holding::values_in_text(text, |how, text| held(how, &text, origin, sink));
}

fn held(how: &str, text: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    let text = escape::percent(text);
    // One host name in ten thousand is base64 of something readable by
    // chance (measured): what such a text says must be somebody's to count.
    sink.once(origin.part, origin.view, format_args!("{}, {how}", origin.at), Shape::Loose, &escape::script(&text));
}

/// Reads `data:text/plain;base64,…`. A picture in it cannot be read.
fn data(rest: &str, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    let (head, payload) = rest.split_once(',').unwrap_or(("", rest));
    let head = head.to_ascii_lowercase();
    let kind = head.split(';').next().unwrap_or("").trim();
    let is_text = kind.is_empty() || kind.starts_with("text/") || kind.ends_with("xml") || kind.ends_with("json");
    let text = if head.ends_with(";base64") {
        let payload: String = escape::percent(payload).split_ascii_whitespace().collect();
        let bytes = BASE64.decode(payload).ok();
        if bytes.as_ref().is_some_and(|bytes| sink.is_declared(bytes)) {
            return;
        }
        if let Some(bytes) = bytes.as_ref().filter(|bytes| !is_text && picture::is_blank(bytes)) {
            return sink.once(origin.part, origin.view, origin.at, Shape::Loose, &reread::letters(bytes));
        }
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Cow::Owned)
    } else {
        Some(escape::percent(payload))
    };
    match text {
        Some(text) if is_text => sink.once(origin.part, origin.view, origin.at, Shape::Hidden, &text),
        _ => {
            let place =
                Place { part: origin.part.to_owned(), view: origin.view, at: Some(origin.at.to_string()) }.to_string();
            sink.unreadable(place, "it embeds a file that is not text");
        }
    }
}
