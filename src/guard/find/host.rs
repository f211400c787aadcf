//! Hosts, where the text says where they begin and end, and where it does not.

use crate::guard::find::file;
use crate::guard::find::{Shape, Token, token};

/// What may be a host: labels of ASCII letters, digits, dashes and underscores with single dots
/// between them, as many as stand there; and where each begins.
pub(super) fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let dot = from + memchr::memchr(b'.', &bytes[from..])?;
            let start = dot - bytes[from..dot].iter().rev().take_while(|b| is_part(b)).count();
            let mut end = dot;
            while start < dot && bytes.get(end) == Some(&b'.') {
                match bytes[end + 1..].iter().take_while(|b| is_part(b)).count() {
                    0 => break,
                    length => end += 1 + length,
                }
            }
            from = end.max(dot + 1);
            if end > dot {
                return Some((start, &text[start..end]));
            }
        }
    })
}

/// A host, or what a file with dots in its name may be named after.
pub(super) fn host<'t>(text: &'t str, start: usize, found: &'t str) -> Option<Token<'t>> {
    let (start, found) = (start + escape(&text[..start], found), &found[escape(&text[..start], found)..]);
    let trimmed = found.trim_matches(['-', '_']);
    let start = start + (found.len() - found.trim_start_matches(['-', '_']).len());
    let last = trimmed.rsplit('.').next()?;
    // The end of a host that begins in another script: read as a whole there.
    let before = text[..start].trim_end_matches(|c| c == '-' || is_dot_inside(c));
    let in_idn = before.chars().next_back().is_some_and(|c| !c.is_ascii() && c.is_alphanumeric());
    // Its beginning, likewise; trimming has left the dot behind.
    let rest = text[start + trimmed.len()..].strip_prefix('.').and_then(|rest| rest.chars().next());
    let in_idn = in_idn || rest.is_some_and(|c| !c.is_ascii() && c.is_alphanumeric());
    if in_idn {
        return None;
    }
    let is_link = text[..start].ends_with("//");
    // `.co.jp` is what hosts end in.
    if text[..start].ends_with('.') && !text[..start - 1].ends_with(|c: char| c.is_alphanumeric()) {
        return Some(token(Shape::BuriedHost, trimmed, start));
    }
    if named(last) && (is_link || !(file::is_ending(last) || file::may_be_ending(last))) {
        return Some(token(Shape::Host, trimmed, start));
    }
    buried_host(if is_link { trimmed } else { file::stem(trimmed) }, start)
}

/// How much of what looks like a host's beginning is of an escape before it: the `40` of
/// `%40host.example`, the `u0040` of `\\u0040host.example`.
fn escape(before: &str, found: &str) -> usize {
    let are_hex = |from: usize, to: usize| {
        found.as_bytes().get(from..to).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match (before.as_bytes().last(), found.as_bytes().first()) {
        (Some(b'%'), _) if are_hex(0, 2) => 2,
        (Some(b'\\'), Some(b'u')) if are_hex(1, 5) => 5,
        (Some(b'\\'), Some(b'x')) if are_hex(1, 3) => 3,
        _ => 0,
    }
}

/// A host that a name may have at its beginning: `host.example-2026`, `host.example.access`.
fn buried_host(name: &str, start: usize) -> Option<Token<'_>> {
    name.split('.').skip(1).any(named_before_dash).then(|| token(Shape::BuriedHost, name, start))
}

/// Hosts between underscores, which stand in no domain: `example.com_2026.csv`.
pub(super) fn between_underscores<'t>(start: usize, found: &'t str) -> impl Iterator<Item = Token<'t>> {
    found.split('_').filter(|piece| piece.len() < found.len()).filter_map(move |piece| {
        let name = piece.trim_matches(['-', '.']);
        buried_host(file::stem(name), start + (name.as_ptr() as usize - found.as_ptr() as usize))
    })
}

/// Whether a host may end in this label.
fn named(last: &str) -> bool {
    last.starts_with("xn--") || (last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// The same of what stands before a dash: `example-2026`.
fn named_before_dash(last: &str) -> bool {
    last.split('-').next().is_some_and(named)
}

/// The dots that a label may have inside it: `タナカ・ケンセツ`, `l·l`.
fn is_dot_inside(c: char) -> bool {
    matches!(c, '・' | '·')
}

/// Runs of letters, digits, dashes and dots that have a dot and a letter of
/// another script: a host may be in them, and where it begins nobody tells.
pub(super) fn idn_runs(text: &str) -> impl Iterator<Item = Token<'_>> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '\u{3099}' | '\u{309a}') || is_dot_inside(c);
    let mut done = 0;
    memchr::memchr_iter(b'.', text.as_bytes()).filter_map(move |dot| {
        if dot < done {
            return None;
        }
        let start = text[done..dot]
            .rfind(|c| !part(c))
            .map_or(done, |at| done + at + text[done + at..].chars().next().map_or(1, char::len_utf8));
        let end = text[dot..].find(|c| !part(c)).map_or(text.len(), |at| dot + at);
        done = end;
        let is_edge = |c| matches!(c, '.' | '-') || is_dot_inside(c);
        let run = text[start..end].trim_matches(is_edge);
        let lead = start + (text[start..end].len() - text[start..end].trim_start_matches(is_edge).len());
        (run.contains('.') && !run.is_ascii()).then(|| token(Shape::Idn, run, lead))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_single_dots_between_them() {
        for (text, expected) in [
            ("see www.a.example.", &["www.a.example"][..]),
            ("a..b.example..c", &["b.example"]),
            (".a.b", &["a.b"]),
            ("a.b.c/d.e f", &["a.b.c", "d.e"]),
            ("x. y .z ...", &[]),
            ("例え.example 例a.b", &["a.b"]),
            ("a_b-c.d", &["a_b-c.d"]),
            ("A.b.c", &["b.c"]),
            ("", &[]),
        ] {
            let found: Vec<(usize, &str)> = runs(text).collect();
            assert_eq!(found.iter().map(|(_, run)| *run).collect::<Vec<_>>(), expected, "{text}");
            assert!(found.iter().all(|(start, run)| text[*start..].starts_with(run)), "{text}");
        }
    }
}
