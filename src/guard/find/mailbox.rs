//! E-mail addresses that are broken up (`taro@` at the end of a line) or spelled out
//! (`taro [at] example [dot] com`, `taro★example.com`), and hosts whose dots are spelled out or
//! in brackets (`example[.]com`, `example dot com`): only a known one counts, but a host whose
//! dots are in brackets, which is nothing else.

use std::sync::LazyLock;

use regex::Regex;

use crate::guard::find::{Shape, Token, file, is_top_level};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// The most white space on either side of the sign, in characters.
const GAP_MAX: usize = 4;
/// The longest half of an address that is looked at, in bytes (RFC 5321 §4.5.3.1).
const HALF_MAX: usize = 255;
/// What is written in place of the sign, right between the halves.
const SIGNS: [&str; 9] = ["%40", "★", "☆", "●", "■", "◆", "#", "_at_", "="];
/// The word that stands for the sign of an address between blanks.
const AT: &str = " at ";
/// Words between blanks that stand for a sign.
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let dots = lexicon::of(Role::SpelledDot).list.iter().map(|word| format!(" {} ", regex::escape(word)));
    Regex::new(&dots.chain([AT.to_owned()]).collect::<Vec<_>>().join("|")).ok()
});
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
    for found in WORDS.iter().flat_map(|words| words.find_iter(text)) {
        let (at, right) = (found.start(), text[found.end()..].trim_start());
        if found.as_str() != AT {
            host_across(text, at, tokens);
            continue;
        }
        // A word of English, if no dot is spelled out behind it.
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
        if dot(&text[open..]).is_some() {
            host_across(text, open, tokens);
        }
        let Some(close) = inside.char_indices().take(8).find(|(_, c)| CLOSING.contains(c)) else { continue };
        let word = inside[..close.0].trim();
        if lexicon::of(Role::SpelledAt).has(word) || word == "@" {
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
        || lexicon::of(Role::SpelledAt).suffix(bare).is_some()
}

/// Whether an address may have begun before a text: `@example.com`, and not `@ IN SOA`.
pub fn is_behind(text: &str) -> bool {
    let host_of = |right: &str| host(right.trim_start_matches(is_blank)).0;
    text.trim_start_matches(is_blank).strip_prefix('@').is_some_and(|right| host_of(right).contains('.'))
}

/// The host whose first dot is spelled out at a place. A word between blanks is one only
/// where the label before it is not a common word: `the dot com boom`.
fn host_across<'t>(text: &'t str, at: usize, tokens: &mut Vec<Token<'t>>) {
    let left = text[..at].trim_end_matches(' ');
    let is_part = |c: &char| c.is_alphanumeric() || "-_.@+".contains(*c) || matches!(*c, '\u{300}'..='\u{36f}');
    let length = left.chars().rev().take(HALF_MAX).take_while(is_part).map(char::len_utf8).sum::<usize>();
    let first = &left[left.len() - length..];
    let trimmed = first.trim_start_matches(|c: char| !c.is_alphanumeric());
    let start = left.len() - trimmed.len();
    // A host's other dots are read from its first one on.
    if trimmed.is_empty() || trimmed.ends_with(['@', '.', '+']) || ends_with_dot(&left[..start]) {
        return;
    }
    let Some(length) = dot(&text[left.len()..]) else { return };
    let gap = &text[left.len()..left.len() + length];
    let (rest, after) = host(&text[left.len() + length..]);
    let rest = rest.trim_matches(['.', '-', '_']);
    let is_apart = gap.starts_with(' ');
    let label = trimmed.rsplit(['.', '@']).next().unwrap_or(trimmed);
    if rest.is_empty() || is_apart && lexicon::is_common(&normal::search(label)) {
        return;
    }
    let (value, end) = (format!("{trimmed}.{rest}"), left.len() + length + after);
    let last = rest.rsplit('.').next().unwrap_or(rest);
    let is_host =
        !is_apart && gap.contains('.') && is_top_level(last) && !file::is_ending(last) && !file::may_be_ending(last);
    let shape = match (trimmed.contains('@'), is_host) {
        (true, _) => Shape::BuriedEmail,
        (false, true) if value.is_ascii() => Shape::Host,
        (false, true) => Shape::Idn,
        (false, false) => Shape::BuriedHost,
    };
    tokens.push(Token { shape, text: &text[start..end], start, value: Some(value.into()) });
}

/// Whether a text ends with a dot that is spelled out in brackets or as a word.
fn ends_with_dot(text: &str) -> bool {
    let bare = text.trim_end_matches(' ');
    let before = |text: &'_ str| lexicon::of(Role::SpelledDot).suffix(text).map(|word| text.len() - word.len());
    match bare.strip_suffix(CLOSING).map(|inner| inner.trim_end_matches(' ')) {
        Some(inner) => {
            inner.ends_with('.') || before(inner).is_some_and(|at| inner[..at].trim_end().ends_with(OPENING))
        }
        None => bare.len() < text.len() && before(bare).is_some_and(|at| at > 1 && bare[..at].ends_with(' ')),
    }
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
    let word = match &rest[inner..] {
        rest if rest.starts_with('.') => ".",
        rest => lexicon::of(Role::SpelledDot).prefix(rest)?,
    };
    let end = inner + word.len();
    let after = end + blank(&rest[end..]);
    let close = rest[after..].chars().next().filter(|c| CLOSING.contains(c)).map_or(0, char::len_utf8);
    // `[.example`: half of the brackets is enough where nothing else stands in them.
    let is_half = |after: usize| word == "." && inner == open && rest[after..].starts_with(char::is_alphanumeric);
    let is_whole = if open > 0 { close > 0 || is_half(after) } else { start > 0 && after > end && word != "." };
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
            ("taro@mail2[.]example", Some("taro@mail2.example")),
            ("look at mail2.example now", None),
            ("taro@mail2.example", None),
            ("meet (at) noon", None),
            ("a @ b", None),
        ] {
            let mut tokens = Vec::new();
            broken(text, &mut tokens);
            spelled(text, &mut tokens);
            let found = tokens.iter().find(|token| token.shape == Shape::BuriedEmail);
            assert_eq!(found.and_then(|token| token.value.as_deref()), expected, "{text:?}");
        }
    }

    #[test]
    fn dots_of_hosts() {
        for (text, expected) in [
            ("see sample[.]example now", Some((Shape::Host, "sample.example"))),
            ("www[.]sample(.)example", Some((Shape::Host, "www.sample.example"))),
            ("www.sample[.example/x", Some((Shape::Host, "www.sample.example"))),
            ("möller[.]example", Some((Shape::Idn, "möller.example"))),
            ("aozora dot example", Some((Shape::BuriedHost, "aozora.example"))),
            ("aozora [dot] example", Some((Shape::BuriedHost, "aozora.example"))),
            ("brief dot aozora punkt example", Some((Shape::BuriedHost, "brief.aozora.example"))),
            ("the dot com boom", None),
            ("press (.) or [.]", None),
            ("aozora (.) example", Some((Shape::BuriedHost, "aozora.example"))),
            ("one[.]", None),
            ("sample. example", None),
            ("main[.]css", Some((Shape::BuriedHost, "main.css"))),
        ] {
            let mut tokens = Vec::new();
            spelled(text, &mut tokens);
            let found: Vec<_> = tokens.iter().map(|token| (token.shape, token.says())).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{text:?}");
        }
    }
}
