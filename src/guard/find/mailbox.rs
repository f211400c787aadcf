//! E-mail addresses that are broken up (`taro@` at the end of a line) or spelled out
//! (`taro [at] example [dot] com`, `taro★example.com`): only a known one counts.

use crate::guard::find::{Shape, Token};

/// The most white space on either side of the sign, in characters.
const GAP_MAX: usize = 4;
/// The longest half of an address that is looked at, in bytes (RFC 5321 §4.5.3.1).
const HALF_MAX: usize = 255;
/// What stands for the sign, brackets and blanks around it left out.
const SPELLED: [&str; 7] = ["at", "a t", "arroba", "アット", "ät", "собака", "골뱅이"];
/// What stands for a dot, likewise.
const DOTS: [&str; 7] = ["dot", "punkt", "point", "punto", "ponto", "ドット", "точка"];
/// What is written in place of the sign, right between the halves.
const SIGNS: [&str; 9] = ["%40", "★", "☆", "●", "■", "◆", "#", "_at_", "="];
const OPENING: [char; 5] = ['[', '(', '{', '<', '【'];
const CLOSING: [char; 5] = [']', ')', '}', '>', '】'];

/// Addresses with white space beside their sign.
pub fn broken<'t>(text: &'t str, tokens: &mut Vec<Token<'t>>) {
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let (left, right) = (before.trim_end_matches(is_blank), after.trim_start_matches(is_blank));
        if left.len() < before.len() || right.len() < after.len() {
            address(text, left, right, tokens);
        }
    }
}

/// Addresses whose sign is a word in brackets or by itself, or another sign.
pub fn spelled<'t>(text: &'t str, tokens: &mut Vec<Token<'t>>) {
    for at in memchr::memmem::find_iter(text.as_bytes(), " at ") {
        // A word of English, if no dot is spelled out behind it.
        let right = text[at + 4..].trim_start();
        let label = right.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(right.len());
        if dot(&right[label..]).is_some_and(|length| length > 1) {
            address(text, text[..at].trim_end(), right, tokens);
        }
    }
    for sign in SIGNS {
        for (at, _) in text.match_indices(sign) {
            let right = &text[at + sign.len()..];
            let is_between = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
                && right.starts_with(|c: char| c.is_ascii_alphanumeric());
            if is_between {
                address(text, &text[..at], right, tokens);
            }
        }
    }
    for (open, bracket) in text.match_indices(OPENING) {
        let inside = &text[open + bracket.len()..];
        let Some(close) = inside.char_indices().take(8).find(|(_, c)| CLOSING.contains(c)) else { continue };
        let word = inside[..close.0].trim();
        if SPELLED.contains(&word) || word == "@" {
            let right = &inside[close.0 + close.1.len_utf8()..];
            address(text, text[..open].trim_end_matches(is_blank), right.trim_start_matches(is_blank), tokens);
        }
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '>' | '|' | '"' | ',')
}

/// The address whose halves a text ends and another begins with.
fn address<'t>(text: &'t str, left: &'t str, right: &'t str, tokens: &mut Vec<Token<'t>>) {
    let gap = &text[left.len()..text.len() - right.len()];
    let local = left.bytes().rev().take(HALF_MAX).take_while(|b| b.is_ascii_alphanumeric() || b"._+-'".contains(b));
    let start = left.len() - local.count();
    let (host, length) = host(right);
    let local = left[start..].trim_matches(['.', '-', '\'', '_']);
    let host = host.trim_matches(['.', '-', '_']);
    let is_spelled = !gap.contains('@');
    if local.is_empty()
        || !host.contains('.')
        || is_spelled && gap.contains('\n')
        || gap.chars().filter(|c| is_blank(*c)).count() > 2 * GAP_MAX
    {
        return;
    }
    let end = text.len() - right.len() + length;
    let value = Some(format!("{local}@{host}").into());
    tokens.push(Token { shape: Shape::BuriedEmail, text: &text[start..end], start, value });
}

/// Whether an address may go on behind a text.
pub fn goes_on(text: &str) -> bool {
    let text = text.trim_end();
    let bare = text.strip_suffix(CLOSING).unwrap_or(text).trim_end();
    text.ends_with('@')
        || SIGNS.iter().any(|sign| text.ends_with(sign))
        || SPELLED.iter().any(|word| bare.ends_with(word))
}

/// The host that a text begins with, its dots spelled out or not, and its length.
fn host(text: &str) -> (String, usize) {
    let part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let (mut host, mut at) = (String::new(), 0);
    loop {
        let rest = &text[at..];
        let length = rest.find(|c: char| !part(c)).unwrap_or(rest.len());
        let length = rest.floor_char_boundary(length.min(HALF_MAX));
        host.push_str(&rest[..length]);
        at += length;
        match dot(&text[at..]) {
            Some(dot) if host.len() < HALF_MAX && text[at + dot..].starts_with(|c: char| c.is_ascii_alphanumeric()) => {
                host.push('.');
                at += dot;
            }
            _ => return (host, at),
        }
    }
}

/// The length of a dot that a text begins with, spelled out or with blanks on both sides.
fn dot(text: &str) -> Option<usize> {
    let blank = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let start = blank(text);
    let rest = &text[start..];
    let open = rest.chars().next().filter(|c| OPENING.contains(c)).map_or(0, char::len_utf8);
    let inner = open + blank(&rest[open..]);
    if start > 0 && open == 0 && rest.starts_with(". ") {
        return Some(start + 2);
    }
    let word = DOTS.iter().chain(&["."]).find(|word| rest[inner..].starts_with(**word))?;
    let end = inner + word.len();
    let after = end + blank(&rest[end..]);
    let close = rest[after..].chars().next().filter(|c| CLOSING.contains(c)).map_or(0, char::len_utf8);
    let is_whole = if open > 0 { close > 0 } else { start > 0 && after > end && *word != "." };
    let last = after + if open > 0 { close } else { 0 };
    is_whole.then(|| start + last + blank(&rest[last..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_an_address() {
        for (text, expected) in [
            ("taro@\nmail2.example", Some("taro@mail2.example")),
            ("taro @ mail2.example.", Some("taro@mail2.example")),
            ("write to taro\n@mail2.example", Some("taro@mail2.example")),
            ("taro [at] mail2.example", Some("taro@mail2.example")),
            ("taro(at)mail2.example", Some("taro@mail2.example")),
            ("taro [at] mail2 [dot] example", Some("taro@mail2.example")),
            ("taro(at)mail2(dot)example です", Some("taro@mail2.example")),
            ("taro at mail2 dot example", Some("taro@mail2.example")),
            ("taro @ mail2 . example", Some("taro@mail2.example")),
            ("taro★mail2.example", Some("taro@mail2.example")),
            ("taro_at_mail2.example", Some("taro@mail2.example")),
            ("look at mail2.example now", None),
            ("taro@mail2.example", None),
            ("meet (at) noon", None),
            ("a @ b", None),
        ] {
            let mut tokens = Vec::new();
            broken(text, &mut tokens);
            spelled(text, &mut tokens);
            assert_eq!(tokens.first().and_then(|token| token.value.as_deref()), expected, "{text:?}");
        }
    }
}
