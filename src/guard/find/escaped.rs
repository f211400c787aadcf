//! Hosts and addresses that have escapes in them, where nobody undoes the escapes:
//! `m\u00fcnchen.example`, `m%c3%bcnchen.example`, `m&uuml;nchen.example`.
//!
//! Input: a folded text, and where in it a host or an address seems to stand. Output: what
//! it is a piece of, with its escapes undone, whoever wrote them: percent, JSON and scripts,
//! HTML, octal bytes, quoted-printable; escaped three times at most. Without that the rest of
//! the name behind an escape would be a host of its own, which nobody wrote.
//!
//! Bytes that are not UTF-8 are read in every charset that has them. Infallible; a name is
//! looked for [`RUN_MAX`] bytes around.

use std::ops::Range;

use crate::guard::normal;
use crate::guard::view;
use crate::guard::view::escape;

/// The longest run that a name with its escapes is looked for in, on either side, in bytes:
/// 63 letters of twelve bytes each.
const RUN_MAX: usize = 800;
/// So often a name may have been escaped.
const ROUNDS_MAX: usize = 3;
/// Bytes that are not UTF-8, while the rest is read: private characters that no text has.
const BYTES: u32 = 0xf_1000;

/// What a piece of a text belongs to.
pub(super) struct Whole {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it says; none where it stands there as it is.
    pub values: Vec<String>,
    /// Whether the first of them is what was meant, and not one guess of many.
    pub is_sure: bool,
}

/// A character, and where in the text it is written.
#[derive(Clone)]
struct Unit {
    c: char,
    from: usize,
    to: usize,
}

/// Whether an escape may stand right beside a piece of a text. Cheap.
pub(super) fn is_beside(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).map(|at| bytes[at]);
    matches!(before, Some(b'\\' | b'%' | b';' | b'}' | b'='))
        || matches!(bytes.get(end), Some(b'\\' | b'%' | b'&' | b'='))
}

/// What a piece of a text belongs to; `None` if that is the piece itself.
pub(super) fn whole(text: &str, start: usize, end: usize) -> Option<Whole> {
    let run = run(text, start, end);
    let units = undone(&text[run.clone()])?;
    let (start, end) = (start - run.start, end - run.start);
    let pieces = units.split(|unit| !is_part(unit.c));
    let touches = |piece: &&[Unit]| piece.iter().any(|unit| unit.from < end && unit.to > start);
    let piece = pieces.filter(touches).max_by_key(|piece| piece.len())?;
    let is_edge = |unit: &&Unit| !unit.c.is_alphanumeric() && byte(unit.c).is_none();
    let lead = piece.iter().take_while(is_edge).count();
    let tail = piece.iter().rev().take_while(is_edge).count();
    let piece = piece.get(lead..piece.len() - tail).filter(|piece| !piece.is_empty())?;
    let range = run.start + piece[0].from..run.start + piece[piece.len() - 1].to;
    if piece.iter().all(|unit| unit.to - unit.from == unit.c.len_utf8()) {
        return Some(Whole { range, values: Vec::new(), is_sure: true });
    }
    let (values, is_sure) = values(piece);
    let values = values.into_iter().map(|value| normal::fold(&value).into_owned()).collect();
    Some(Whole { range, values, is_sure })
}

/// The letters and signs around a piece of a text that an escape may be made of.
fn run(text: &str, start: usize, end: usize) -> Range<usize> {
    let is_in = |c: char| is_part(c) || "%\\&#;{}=".contains(c);
    let floor = text.ceil_char_boundary(start.saturating_sub(RUN_MAX));
    let ceiling = text.floor_char_boundary((end + RUN_MAX).min(text.len()));
    let from = text[floor..start].rfind(|c| !is_in(c));
    let from = from.map_or(floor, |at| floor + at + text[floor + at..].chars().next().map_or(1, char::len_utf8));
    let to = text[end..ceiling].find(|c| !is_in(c)).map_or(ceiling, |at| end + at);
    from..to
}

/// What hosts and addresses are made of.
fn is_part(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '-' | '_' | '.' | '@' | '+' | '。' | '．' | '｡' | '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}'
        )
        || byte(c).is_some()
}

fn byte(c: char) -> Option<u8> {
    u32::from(c).checked_sub(BYTES).and_then(|code| u8::try_from(code).ok())
}

/// A text without its escapes; `None` if it has none.
fn undone(text: &str) -> Option<Vec<Unit>> {
    let unit = |(at, c): (usize, char)| Unit { c, from: at, to: at + c.len_utf8() };
    let mut units = once(&text.char_indices().map(unit).collect::<Vec<_>>(), text)?;
    for _ in 1..ROUNDS_MAX {
        let now: String = units.iter().map(|unit| unit.c).collect();
        match once(&units, &now) {
            Some(next) => units = next,
            None => break,
        }
    }
    Some(units)
}

/// Undoes one layer of escapes. `text` is what the units say.
fn once(units: &[Unit], text: &str) -> Option<Vec<Unit>> {
    let mut out: Vec<Unit> = Vec::with_capacity(units.len());
    let (mut n, mut at, mut is_any) = (0, 0, false);
    while let Some(unit) = units.get(n) {
        let is_behind = out.last().is_some_and(|unit| byte(unit.c).is_some());
        let Some((c, length)) = escape(&text[at..], is_behind) else {
            out.push(unit.clone());
            (n, at) = (n + 1, at + unit.c.len_utf8());
            continue;
        };
        is_any = true;
        let count = text[at..at + length].chars().count();
        out.push(Unit { c, from: unit.from, to: units[n + count - 1].to });
        (n, at) = (n + count, at + length);
    }
    is_any.then(|| joined(out))
}

/// The escape that a text begins with, behind a byte that was escaped or not: what it stands
/// for, and its length.
fn escape(text: &str, is_behind: bool) -> Option<(char, usize)> {
    let hex = |from: usize| {
        let digits = text.get(from..from + 2)?.as_bytes();
        Some(escape::hex(digits[0])? << 4 | escape::hex(digits[1])?)
    };
    let byte = |b: u8| if b.is_ascii() { Some(char::from(b)) } else { char::from_u32(BYTES + u32::from(b)) };
    match text.as_bytes().first()? {
        b'%' if text[1..].starts_with('u') => escape::one(&text[1..]).map(|(c, used)| (c, used + 1)),
        b'%' => byte(hex(1)?).map(|c| (c, 3)),
        b'=' => quoted(text),
        b'&' => view::plain::entity(text),
        b'\\' => {
            let rest = text.trim_start_matches('\\');
            let signs = text.len() - rest.len();
            let (c, used) = match rest.as_bytes() {
                [b'x', ..] => (byte(hex(signs + 1)?)?, 3),
                [b'n' | b'r' | b't', ..] => ('\n', 1),
                bytes => match escape::octal(bytes, is_behind) {
                    Some(octal) => (byte(octal)?, 3),
                    None => escape::one(rest)?,
                },
            };
            Some((c, signs + used))
        }
        _ => None,
    }
}

/// The character that a text begins with in quoted-printable, of two bytes at least: one is
/// a key and its value.
fn quoted(text: &str) -> Option<(char, usize)> {
    let three = text.as_bytes().chunks_exact(3).take(4).map_while(|three| match three {
        [b'=', high, low] => Some(escape::hex(*high)? << 4 | escape::hex(*low)?),
        _ => None,
    });
    let bytes: Vec<u8> = three.collect();
    let first = bytes.utf8_chunks().next()?.valid().chars().next().filter(|c| !c.is_ascii())?;
    Some((first, 3 * first.len_utf8()))
}

/// Bytes side by side that are UTF-8 become its characters.
fn joined(units: Vec<Unit>) -> Vec<Unit> {
    let mut out: Vec<Unit> = Vec::with_capacity(units.len());
    for run in units.chunk_by(|a, b| byte(a.c).is_some() == byte(b.c).is_some()) {
        let bytes: Option<Vec<u8>> = run.iter().map(|unit| byte(unit.c)).collect();
        let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            out.extend_from_slice(run);
            continue;
        };
        out.extend(text.char_indices().map(|(at, c)| Unit {
            c,
            from: run[at].from,
            to: run[at + c.len_utf8() - 1].to,
        }));
    }
    out
}

/// What a piece says, and whether that is sure: one byte among letters is a letter of Latin.
fn values(piece: &[Unit]) -> (Vec<String>, bool) {
    if !piece.iter().any(|unit| byte(unit.c).is_some()) {
        return (vec![piece.iter().map(|unit| unit.c).collect()], true);
    }
    let is_lone = |three: &[Unit]| three.iter().filter(|unit| byte(unit.c).is_some()).count() < 2;
    let is_sure = piece.windows(2).all(is_lone);
    let mut bytes = Vec::new();
    for unit in piece {
        match byte(unit.c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(unit.c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    let mut values = view::in_charsets(&bytes);
    // The most common charset of Latin letters first.
    values.sort_by_key(|(name, _)| *name != "windows-1252");
    (values.into_iter().map(|(_, text)| text).collect(), is_sure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str, seen: &str) -> Option<(String, Vec<String>)> {
        let start = text.find(seen).unwrap();
        let end = start + seen.len();
        assert!(is_beside(text, start, end), "{text}");
        whole(text, start, end).map(|whole| (text[whole.range].to_owned(), whole.values))
    }

    #[test]
    fn what_an_escape_cuts_off_is_put_together() {
        for (text, seen) in [
            (r"see m\u00fcnchen.example now", "u00fcnchen.example"),
            (r"m\\u00fcnchen.example", "u00fcnchen.example"),
            (r"m\u{fc}nchen.example", "nchen.example"),
            (r"m\xc3\xbcnchen.example", "xbcnchen.example"),
            (r"m\303\274nchen.example", "274nchen.example"),
            ("m%c3%bcnchen.example", "bcnchen.example"),
            ("m%25c3%25bcnchen.example", "25bcnchen.example"),
            ("m%u00fcnchen.example", "u00fcnchen.example"),
            ("m&uuml;nchen.example", "nchen.example"),
            ("m&#252;nchen.example", "nchen.example"),
            ("m&#xfc;nchen.example", "nchen.example"),
            ("m&amp;uuml;nchen.example", "nchen.example"),
            ("m=c3=bcnchen.example", "bcnchen.example"),
            ("a?h=m%c3%bcnchen.example&x=1", "bcnchen.example"),
        ] {
            let (written, values) = says(text, seen).unwrap();
            assert_eq!(values, ["münchen.example"], "{text}");
            assert!(written.starts_with('m') && written.ends_with("example"), "{written}");
        }
        assert_eq!(says(r"www.gar\u00e7on.example", "www.gar").unwrap().1, ["www.garçon.example"]);
        assert_eq!(says("j%c3%bcrgen@post.example", "bcrgen@post.example").unwrap().1, ["jürgen@post.example"]);
        assert_eq!(says("m%fcnchen.example", "fcnchen.example").unwrap().1[0], "münchen.example");
    }

    #[test]
    fn what_is_no_letter_parts_words() {
        for (text, seen, whole) in [
            ("%40host.example", "40host.example", "host.example"),
            (r"\u0020host.example", "u0020host.example", "host.example"),
            ("a&amp;host.example", "host.example", "host.example"),
            (r"one\nhost.example", "nhost.example", "host.example"),
        ] {
            assert_eq!(says(text, seen).unwrap(), (whole.to_owned(), Vec::new()), "{text}");
        }
        assert_eq!(says("taro%40host.example", "40host.example").unwrap().1, ["taro@host.example"]);
        for (text, seen) in [("id=bcnchen.example", "bcnchen.example"), ("x;host.example", "host.example")] {
            assert!(says(text, seen).is_none(), "{text}");
        }
    }
}
