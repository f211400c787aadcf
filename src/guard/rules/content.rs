//! `missing`, `empty` and `unreadable`: what must be there and is not, and what
//! must not be left over.

use std::sync::LazyLock;

use regex::Regex;

use crate::account::Kind;
use crate::guard::finding::Rule;
use crate::guard::normal;
use crate::guard::own::suffixes;
use crate::guard::rules::{Case, is_header};
use crate::guard::view::{Shape, Unreadable, View, Views};

/// Every part that could not be read.
pub fn unreadable(case: &mut Case<'_>, unreadable: &[Unreadable]) {
    for part in unreadable {
        case.find(Rule::Unreadable, None, &part.place, part.why.clone(), None);
    }
}

/// What the campaign says must be shown.
pub fn missing(case: &mut Case<'_>, columns: &[String], views: &Views<'_>) {
    for column in columns {
        declared(case, column);
        let values = case.own.column(column).to_vec();
        // An empty cell has nothing to show.
        if !values.is_empty() && !values.iter().any(|(kind, value)| is_shown(case, *kind, value, views)) {
            let kind = values.first().map(|(kind, _)| *kind);
            case.find(Rule::Missing, kind, "message", format!("no value of {column}"), None);
        }
    }
}

/// A column that the campaign declares; its names stand in the own set.
fn declared(case: &mut Case<'_>, column: &str) {
    let Some(extra) = case.extra().filter(|extra| extra.fills(column)) else { return };
    let is_shown = case.shown.iter().any(|(kind, value)| extra.has_in(column, kind, value));
    if case.own.column(column).is_empty() && !is_shown {
        case.find(Rule::Missing, None, "message", format!("no value of {column}"), None);
    }
}

fn is_shown(case: &Case<'_>, kind: Kind, value: &str, views: &Views<'_>) -> bool {
    match kind {
        Kind::Person | Kind::Organisation => case.shown.has(Kind::Person, value),
        Kind::Domain => suffixes(value).any(|host| case.shown.has(Kind::Domain, host)),
        Kind::Id | Kind::Email | Kind::Phone => case.shown.has(kind, value),
        Kind::Secret | Kind::Text => {
            let visible = views.views.iter().filter(|view| view.shape == Shape::Visible);
            visible.into_iter().any(|view| normal::fold(&view.text).contains(value))
        }
    }
}

/// Whether anything is left to see.
pub fn empty(case: &mut Case<'_>, views: &Views<'_>) {
    let body = views.views.iter().filter(|view| view.shape == Shape::Visible && !is_header(view));
    let mut seen = body.map(|view| view.text.chars().any(char::is_alphanumeric));
    if !seen.any(|seen| seen) && views.unreadable.is_empty() {
        case.find(Rule::Empty, None, "message", "nothing visible is left".into(), None);
    }
}

/// `{{ x }}`, `%NAME%`, `[FNAME]`, `*|FNAME|*`, `${name}`, `<<name>>`.
static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\{\{|\}\}|\{%|%\}|%[A-Z][A-Z_]{2,}%|\[[A-Z][A-Z_]{3,}\]|\*\|[A-Z_]+\|\*|\$\{[A-Za-z_.]+\}|<<[A-Za-z_]+>>",
    )
    .ok()
});
/// `None` and its like where a value belongs: alone, after a colon, before 様,
/// or as a path's piece or query's value.
static NOTHING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?mR)(?:^|[:：=])[ \t　]*(?:None|undefined|NaN|null|NULL|nil|\(null\)|\[object Object\])[ \t　]*(?:$|様|さま|殿|御中|[,，、!！])|(?:Dear|Hi|Hello) (?:None|undefined|NaN|null|NULL|nil)(?-u:\b)").ok()
});

/// Whether a text has a sign that every placeholder begins with.
fn has_sign(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, b'{' | b'}' | b'%' | b'[' | b'*' | b'$' | b'<'))
}

/// Whether a text has one of [`NOTHING`]'s words.
fn has_nothing(text: &str) -> bool {
    const WORDS: [&[u8]; 8] = [b"None", b"undefined", b"NaN", b"null", b"NULL", b"nil", b"(null)", b"[object Object]"];
    let bytes = text.as_bytes();
    let may_begin = |b: &u8| matches!(b, b'N' | b'u' | b'n' | b'(' | b'[');
    let starts = bytes.iter().enumerate().filter(|(_, b)| may_begin(b)).map(|(at, _)| &bytes[at..]);
    starts.into_iter().any(|rest| WORDS.iter().any(|word| rest.starts_with(word)))
}

/// Placeholders that survived rendering.
pub fn placeholders(case: &mut Case<'_>, view: &View<'_>) {
    if view.shape == Shape::Loose || matches!(view.place.view, "style" | "script" | "source") {
        return;
    }
    for (pattern, may_be) in [(&PLACEHOLDER, has_sign(&view.text)), (&NOTHING, has_nothing(&view.text))] {
        let Some(pattern) = pattern.as_ref().filter(|_| may_be) else { continue };
        for found in pattern.find_iter(&view.text) {
            if !case.known.has_text(found.as_str()) {
                case.find(Rule::Empty, None, &view.place.to_string(), "a placeholder survived".into(), None);
            }
        }
    }
}
