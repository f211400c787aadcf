//! E-mail addresses that are broken up (`taro@` at the end of a line) or spelled out
//! (`taro [at] example.com`): only a known one counts.

use crate::guard::find::{Shape, Token};

/// The most white space on either side of the sign, in characters.
const GAP_MAX: usize = 4;
/// The longest half of an address that is looked at, in bytes (RFC 5321 §4.5.3.1).
const HALF_MAX: usize = 255;
/// What stands for the sign, brackets and blanks around it left out.
const SPELLED: [&str; 4] = ["at", "a t", "arroba", "アット"];

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

/// Addresses whose sign is a word in brackets.
pub fn spelled<'t>(text: &'t str, tokens: &mut Vec<Token<'t>>) {
    for (open, bracket) in text.match_indices(['[', '(', '{', '<', '【']) {
        let inside = &text[open + bracket.len()..];
        let Some(close) = inside.char_indices().take(8).find(|(_, c)| "])}>】".contains(*c)) else { continue };
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
    let part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let length = right.find(|c: char| !part(c)).unwrap_or(right.len());
    let length = right.floor_char_boundary(length.min(HALF_MAX));
    let local = left[start..].trim_matches(['.', '-', '\'', '_']);
    let host = right[..length].trim_matches(['.', '-', '_']);
    if local.is_empty() || !host.contains('.') || gap.chars().filter(|c| is_blank(*c)).count() > 2 * GAP_MAX {
        return;
    }
    let end = text.len() - right.len() + length;
    let value = Some(format!("{local}@{host}").into());
    tokens.push(Token { shape: Shape::BuriedEmail, text: &text[start..end], start, value });
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
