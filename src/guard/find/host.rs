//! Hosts, where the text says where they begin and end, and where it does not.

use crate::guard::find::{Shape, Token, escaped, file, token};

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
    let trimmed = found.trim_matches(['-', '_']);
    let start = start + (found.len() - found.trim_start_matches(['-', '_']).len());
    let last = trimmed.rsplit('.').next()?;
    // The end of a host that begins in another script: read as a whole there.
    let before = text[..start].trim_end_matches(|c| c == '-' || is_dot_inside(c));
    let in_idn = before.chars().next_back().is_some_and(is_letter);
    // Its beginning, likewise; trimming has left the dot behind.
    let rest = text[start + trimmed.len()..].strip_prefix('.').and_then(|rest| rest.chars().next());
    let in_idn = in_idn || rest.is_some_and(is_letter);
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
pub fn named(last: &str) -> bool {
    last.starts_with("xn--") || (last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// The same of what stands before a dash: `example-2026`.
fn named_before_dash(last: &str) -> bool {
    last.split('-').next().is_some_and(named)
}

/// A letter of another script, or a mark on one: `i\u{307}` is what İ folds to.
fn is_letter(c: char) -> bool {
    !c.is_ascii() && (c.is_alphanumeric() || is_mark(c))
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}')
}

/// The dots that a label may have inside it: `タナカ・ケンセツ`, `l·l`.
fn is_dot_inside(c: char) -> bool {
    matches!(c, '・' | '·')
}

/// What a piece of a text is that looks like a host or an address and has escapes in it or
/// beside it; `None` if it is what it seems to be.
pub(super) fn escaped<'t>(text: &'t str, start: usize, found: &'t str) -> Option<Vec<Token<'t>>> {
    let end = start + found.len();
    if !escaped::is_beside(text, start, end) && !found.contains('%') {
        return None;
    }
    let whole = escaped::whole(text, start, end)?;
    let (from, written) = (whole.range.start, &text[whole.range]);
    if whole.values.is_empty() {
        let is_same = from == start && written.len() == found.len();
        return (!is_same).then(|| {
            // A line may end there, or a folder: `\news.example`.
            let is_line = from == start + 1 && text[..start].ends_with('\\');
            let seems = is_line.then(|| token(Shape::BuriedHost, found.trim_matches(['-', '_', '.']), start));
            host(text, from, written).into_iter().chain(seems).collect()
        });
    }
    let values = whole.values.into_iter().enumerate();
    let token = |(n, value): (usize, String)| {
        let shape = shape_of(&value, n == 0 && whole.is_sure)?;
        Some(Token { shape, text: written, start: from, value: Some(value.into()) })
    };
    Some(values.filter_map(token).collect())
}

/// The shape of what was escaped. What is one guess of many counts only if it is known.
fn shape_of(value: &str, is_sure: bool) -> Option<Shape> {
    let (local, host) = value.rsplit_once('@').unwrap_or(("", value));
    let last = host.rsplit_once('.')?.1;
    let is_file = file::is_ending(last) || file::may_be_ending(last);
    Some(match (value.len() > host.len() && !local.is_empty(), is_sure && !is_file) {
        (true, true) => Shape::Email,
        (true, false) => Shape::BuriedEmail,
        (false, true) if !host.is_ascii() => Shape::Idn,
        (false, true) if named(last) => Shape::Host,
        (false, _) => Shape::BuriedHost,
    })
}

/// Runs of letters, digits, dashes and dots that have a dot and a letter of
/// another script: a host may be in them, and where it begins nobody tells.
pub(super) fn idn_runs(text: &str) -> impl Iterator<Item = Token<'_>> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.') || is_mark(c) || is_dot_inside(c);
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
