//! Escapes undone: percent, JSON, CSS, numeric character references, and the
//! base64 and hex in which values travel through links.
//!
//! Input and output: text. An escape that makes no text stays as written.
//! Sources: RFC 3986 §2.1, RFC 8259 §7, CSS Syntax 3 §4.3.7, RFC 4648.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How often a value is percent-decoded, at most.
const PERCENT_ROUNDS_MAX: usize = 3;

/// The fewest bytes that are looked at as text in a decoded value.
const HIDDEN_BYTES_MIN: usize = 4;

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
fn reference(text: &str) -> Option<(char, usize)> {
    let (digits, radix, lead) = match text.strip_prefix(['x', 'X']) {
        Some(rest) => (rest, 16, 1),
        None => (text, 10, 0),
    };
    let length = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    let code = u32::from_str_radix(digits[..length].trim_start_matches('0'), radix).ok()?;
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((char::from_u32(code)?, lead + length + semicolon))
}

/// JSON and script escapes undone: `\u0040`, `\x40`, `\/`. Others, and halves
/// of surrogate pairs, stay.
pub fn script(text: &str) -> Cow<'_, str> {
    unescape(text, |rest| match rest.as_bytes() {
        [b'/' | b'"' | b'\'', ..] => Some((char::from(rest.as_bytes()[0]), 1)),
        [b'n' | b'r' | b't', ..] => Some((' ', 1)),
        [b'x', high, low, ..] => Some((char::from(hex(*high)? << 4 | hex(*low)?), 3)),
        [b'u', ..] => {
            let first = unit(&rest[1..])?;
            if let Some(c) = char::from_u32(first) {
                return Some((c, 5));
            }
            let second = unit(rest.get(5..)?.strip_prefix("\\u")?)?;
            let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
            char::decode_utf16(pair).next()?.ok().map(|c| (c, 11))
        }
        _ => None,
    })
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

/// Gives every text that a value, or a piece of it between signs outside the
/// alphabet, holds in base64, base64url or hex.
pub fn hidden(value: &str, mut found: impl FnMut(&'static str, String)) {
    let is_alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    for piece in value.split(|c| !is_alphabet(c)) {
        if let Some(text) = from_hex(piece) {
            found("hex", text);
        }
        if let Some(text) = from_base64(piece) {
            found("base64", text);
        }
    }
}

fn from_hex(piece: &str) -> Option<String> {
    let digits = piece.strip_prefix("0x").unwrap_or(piece).as_bytes();
    if digits.len() < 2 * HIDDEN_BYTES_MIN || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits.chunks_exact(2).map(|pair| Some(hex(pair[0])? << 4 | hex(pair[1])?));
    readable(bytes.collect::<Option<Vec<u8>>>()?)
}

fn from_base64(piece: &str) -> Option<String> {
    if piece.len() * 3 / 4 < HIDDEN_BYTES_MIN || piece.len() % 4 == 1 {
        return None;
    }
    let bytes = if piece.contains(['-', '_']) {
        BASE64.decode(piece.replace('-', "+").replace('_', "/"))
    } else {
        BASE64.decode(piece)
    };
    readable(bytes.ok()?)
}

/// UTF-8 in which at least three characters of four can be seen.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let (mut all, mut unseen) = (0, 0);
    for c in text.chars() {
        all += 1;
        unseen += usize::from(c.is_control() && !matches!(c, '\t' | '\r' | '\n'));
    }
    (text.len() >= HIDDEN_BYTES_MIN && unseen * 4 <= all).then_some(text)
}
