//! Attribute values → views: URLs taken apart, style and script unescaped, and
//! everything else as it stands, entities decoded.

use std::borrow::Cow;

use super::super::Shape;
use super::super::charset;
use super::super::escape;
use super::super::plain;
use super::super::url::{self, Origin};
use super::{Dialect, Reader};

/// Attributes that hold one URL.
const URLS: &[&str] = &[
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "dynsrc",
    "formaction",
    "icon",
    "longdesc",
    "lowsrc",
    "manifest",
    "ping",
    "poster",
    "profile",
    "src",
    "usemap",
    "xlink:href",
    "xmlns",
];

/// Attributes that a program shows or reads out.
const SHOWN: &[&str] = &["abbr", "alt", "aria-label", "label", "placeholder", "summary", "title", "value"];

impl Reader<'_, '_, '_> {
    /// Reads one attribute. `whole` is both name and value: what has been read
    /// once is only counted, since style and links repeat by the hundred.
    pub(super) fn attribute(&mut self, name: &str, value: &str, whole: &[u8]) {
        match name {
            "name" | "property" | "itemprop" => self.field.0 = Some(value.to_owned()),
            "value" | "content" => self.field.1 = Some(value.to_owned()),
            _ => {}
        }
        if self.seen.contains(whole) {
            self.links += usize::from(name == "href");
            return;
        }
        self.seen.insert(whole.into());
        match name {
            "href" => self.link(value),
            "style" => self.css(value, "attribute", format_args!("style")),
            "srcset" | "imagesrcset" => {
                for candidate in value.split(',') {
                    self.resource(candidate.split_ascii_whitespace().next().unwrap_or(""));
                }
            }
            _ if URLS.contains(&name) => self.resource(value),
            _ => self.other(name, value),
        }
    }

    /// Shows what a form would send, `<input name=customer_id value=1200>`, as one: the name
    /// says what the value is.
    pub(super) fn field(&mut self) {
        if let (Some(name), Some(value)) = std::mem::take(&mut self.field) {
            let text = format!("{name}: {}", plain::unescape(&value));
            self.sink.once(self.part, "attribute", format_args!("name and value"), Shape::Hidden, &text);
        }
    }

    fn other(&mut self, name: &str, value: &str) {
        let shape = if SHOWN.contains(&name) { self.shape } else { Shape::Hidden };
        let is_data = name.starts_with("data-");
        let text =
            if is_data || name.starts_with("on") || name == "content" { escape::script(value) } else { value.into() };
        let origin = Origin { part: self.part, view: "attribute", at: format_args!("{name}") };
        let shown = if is_data { escape::percent(&text) } else { plain::unescape(&text) };
        let shown = without_charset(name, shown);
        if (is_data || SHOWN.contains(&name) || self.dialect == Dialect::Xml) && url::is_half(&shown) {
            let half = format!("{name}={shown}");
            if let Some(before) = self.half.replace(half.clone()) {
                let at = format_args!("{name}, and the one before");
                self.sink.once(self.part, "attribute", at, Shape::Loose, &format!("{before}&{half}"));
            }
        }
        self.sink.once(self.part, "attribute", origin.at, shape, &shown);
        if is_data {
            url::hidden(&shown, origin, self.sink);
            url::other_charsets(value, origin, self.sink);
        } else {
            url::hidden_in(&shown, origin, self.sink);
        }
        if let Some((_, target)) = text.split_once("url=").filter(|_| name == "content") {
            // <meta http-equiv=refresh content="0; url=…">
            url::read(target, origin, url::NESTING_MAX, self.sink);
        }
        plain::links_in(&text, origin, self.sink);
    }
}

/// The value of `charset` or `content` without the name of a charset, which looks like
/// an identifier and is none: `ks_c_5601-1987`.
fn without_charset<'v>(name: &str, value: Cow<'v, str>) -> Cow<'v, str> {
    let named = match name {
        "charset" => Some(&*value),
        "content" => value.split_once("charset=").map(|(_, named)| named.trim_matches(['"', '\'', ' '])),
        _ => None,
    };
    match named {
        Some(named) if charset::is_name(&named.to_ascii_lowercase()) => Cow::Owned(value.replace(named, "")),
        _ => value,
    }
}
