//! Escapes undone: percent, JSON, CSS, numeric character references.
//!
//! Input and output: text. An escape that makes no text stays as written.
//! Sources: RFC 3986 §2.1, RFC 8259 §7, CSS Syntax 3 §4.3.7, RFC 4648.

use std::borrow::Cow;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How often a value is percent-decoded, at most.
const PERCENT_ROUNDS_MAX: usize = 3;

/// Base64 as mail programs read it: padding or none, loose last bits.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Percent-decodes until nothing changes, three times at most. A run of
/// escapes that is not UTF-8 stays as it is.
pub fn percent(text: &str) -> Cow<'_, str> {
    let mut out = match percent_once(text) {
        Some(out) => out,
        None => return Cow::Borrowed(text),
    };
    for _ in 1..PERCENT_ROUNDS_MAX {
        match percent_once(&out) {
            Some(next) => out = next,
            None => break,
        }
    }
    Cow::Owned(out)
}

fn percent_once(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    let mut run = Vec::new();
    while let Some(found) = memchr::memchr(b'%', &bytes[at..]) {
        let start = at + found;
        at = start;
        run.clear();
        while let Some(byte) = percent_byte(&bytes[at..]) {
            run.push(byte);
            at += 3;
        }
        if at == start {
            at += 1;
        } else if let Ok(decoded) = std::str::from_utf8(&run) {
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..start]);
            out.push_str(decoded);
            copied = at;
        }
    }
    let mut out = out?;
    out.push_str(&text[copied..]);
    Some(out)
}

fn percent_byte(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

/// The value of a hexadecimal digit.
pub fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|v| u8::try_from(v).ok())
}

/// HTML source with percent escapes and numeric character references undone,
/// so that `%40example.com` and `&#12345;` make no tokens of their own. Tags
/// and everything else stay as they are.
pub fn source(html: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memmem::find(html.as_bytes(), b"&#") else { return percent(html) };
    let mut out = String::with_capacity(html.len());
    out.push_str(&html[..first]);
    let mut rest = &html[first..];
    while let Some(at) = rest.find("&#") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(&rest[2..]) {
            Some((c, used)) => {
                out.push(c);
                rest = &rest[2 + used..];
            }
            None => {
                out.push_str("&#");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    match percent(&out) {
        Cow::Borrowed(_) => Cow::Owned(out),
        Cow::Owned(out) => Cow::Owned(out),
    }
}

/// A numeric character reference after its `&#`, and how many bytes it takes.
pub fn reference(text: &str) -> Option<(char, usize)> {
    let (digits, radix, lead) = match text.strip_prefix(['x', 'X']) {
        Some(rest) => (rest, 16, 1),
        None => (text, 10, 0),
    };
    let length = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    let significant = digits[..length].trim_start_matches('0');
    let code = match significant {
        "" if length > 0 => 0,
        _ => u32::from_str_radix(significant, radix).ok()?,
    };
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((char::from_u32(code)?, lead + length + semicolon))
}

/// JSON and script escapes undone: `\u0040`, `\x40`, `\/`. Others, and halves
/// of surrogate pairs, stay.
pub fn script(text: &str) -> Cow<'_, str> {
    unescape(text, |rest| match rest.as_bytes() {
        [b'/' | b'"' | b'\'' | b'\\', ..] => Some((char::from(rest.as_bytes()[0]), 1)),
        [b'n' | b'r' | b't', ..] => Some((' ', 1)),
        [b'x', high, low, ..] => {
            let narrow = || Some((char::from(hex(*high)? << 4 | hex(*low)?), 3));
            utf8_escape(rest).or_else(narrow)
        }
        [b'u', ..] => utf16_escape(&rest[1..]).map(|(c, used)| (c, used + 1)),
        _ => None,
    })
}

/// The character that several escaped bytes are in UTF-8, the first of which a text begins
/// with behind its backslash: `xc3\xbc`.
fn utf8_escape(text: &str) -> Option<(char, usize)> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [b'x', high, low, after @ ..] = rest
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        && bytes.len() < 4
    {
        bytes.push(high << 4 | low);
        rest = after.strip_prefix(b"\\").unwrap_or_default();
    }
    let c = bytes.utf8_chunks().next()?.valid().chars().next().filter(|c| !c.is_ascii())?;
    Some((c, 4 * c.len_utf8() - 1))
}

/// The character that four hexadecimal digits stand for, or a pair of such escapes.
fn utf16_escape(rest: &str) -> Option<(char, usize)> {
    let first = unit(rest)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 4));
    }
    let second = unit(rest.get(4..)?.strip_prefix("\\u")?)?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    char::decode_utf16(pair).next()?.ok().map(|c| (c, 10))
}

fn unit(digits: &str) -> Option<u32> {
    let digits = digits.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// CSS escapes undone: `\65 xample`.
pub fn css(text: &str) -> Cow<'_, str> {
    unescape(text, |rest| {
        let length = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        if length == 0 {
            let c = rest.chars().next().filter(|c| !c.is_ascii_alphanumeric())?;
            return Some((c, c.len_utf8()));
        }
        let c = char::from_u32(u32::from_str_radix(&rest[..length], 16).ok()?)?;
        let space = rest[length..].starts_with(|c: char| c.is_ascii_whitespace());
        Some((c, length + usize::from(space)))
    })
}

/// Undoes backslash escapes: `read` gets what follows the backslash and says
/// what character it stands for and how many bytes it takes.
fn unescape(text: &str, read: impl Fn(&str) -> Option<(char, usize)>) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match read(rest) {
            Some((c, used)) => {
                out.push(c);
                rest = &rest[used..];
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether what follows a backslash makes an escape that stands for a letter by its
/// number: `u9234`, `u{9234}`, `U00009234`, `xe9`, `351`, and CSS's `9234 `.
pub fn is_escape(after: &[u8]) -> bool {
    let are = |from: usize, count: usize| {
        after.get(from..from + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match after.first() {
        Some(b'u') => are(1, 4) || (after.get(1) == Some(&b'{') && are(2, 2)),
        Some(b'U') => are(1, 8),
        Some(b'x') => are(1, 2),
        Some(b'1'..=b'3') if octal(after, false).is_some() => true,
        Some(_) => are(0, 4),
        None => false,
    }
}

/// The byte that three octal digits after a backslash stand for; where another such byte
/// stands before them, any letter may follow.
pub fn octal(after: &[u8], is_behind: bool) -> Option<u8> {
    let digits = after.get(..3)?;
    let ends = is_behind || !after.get(3).is_some_and(u8::is_ascii_hexdigit);
    let is_octal = ends && digits.iter().all(|b| (b'0'..=b'7').contains(b));
    is_octal.then(|| u8::try_from(digits.iter().fold(0u32, |sum, b| sum * 8 + u32::from(b - b'0'))).ok())?
}

/// Every escape undone that stands for a letter by its number, whatever wrote it.
/// Bytes (`\xe9\x88\xb4`) are UTF-8 where they can be, else Latin-1.
pub fn any(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (bytes, used) = escaped_bytes(rest.as_bytes());
        if used > 0 {
            match std::str::from_utf8(&bytes) {
                Ok(read) => out.push_str(read),
                Err(_) => out.extend(bytes.into_iter().map(char::from)),
            }
            rest = &rest[used..];
            continue;
        }
        match one(&rest[1..]) {
            Some((c, used)) => {
                out.push(c);
                rest = &rest[1 + used..];
            }
            None => {
                // `\\u9234` is escaped twice.
                let signs = rest.len() - rest.trim_start_matches('\\').len();
                let is_twice = signs > 1 && is_escape(&rest.as_bytes()[signs..]);
                out.push_str(if is_twice { "" } else { &rest[..signs] });
                rest = &rest[if is_twice { signs - 1 } else { signs }..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// A run of escaped bytes, and how much of the text it takes.
fn escaped_bytes(text: &[u8]) -> (Vec<u8>, usize) {
    let (mut bytes, mut at) = (Vec::new(), 0);
    loop {
        match &text[at..] {
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.extend(hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low));
            }
            [b'\\', after @ ..] if octal(after, at > 0).is_some() => bytes.extend(octal(after, at > 0)),
            _ => return (bytes, at),
        }
        at += 4;
    }
}

/// One escape of a letter after its backslash, and how long it is.
pub fn one(rest: &str) -> Option<(char, usize)> {
    match rest.as_bytes() {
        [b'u', b'{', ..] => {
            let end = rest.find('}').filter(|end| *end <= 10)?;
            Some((char::from_u32(u32::from_str_radix(&rest[2..end], 16).ok()?)?, end + 1))
        }
        [b'u', ..] => utf16_escape(&rest[1..]).map(|(c, used)| (c, used + 1)),
        [b'U', ..] => {
            let digits = rest.get(1..9)?;
            Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, 9))
        }
        [first, ..] if first.is_ascii_hexdigit() => {
            let length = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
            let c = (length >= 4).then(|| char::from_u32(u32::from_str_radix(&rest[..length], 16).ok()?))??;
            let space = rest[length..].starts_with(|c: char| c.is_ascii_whitespace());
            Some((c, length + usize::from(space)))
        }
        _ => None,
    }
}

/// Bytes with their percent escapes undone, until nothing changes, three times at
/// most; the first time that they are no UTF-8 is the last.
pub fn percent_bytes(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..PERCENT_ROUNDS_MAX {
        let next: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if next == bytes {
            break;
        }
        bytes = next;
        if simdutf8::basic::from_utf8(&bytes).is_err() {
            break;
        }
    }
    bytes
}
