//! Values in base64, base64url, base32 and hex → the texts that they hold, packed or not.
//!
//! Input: a value from a URL, an attribute, a header field, a script or a text.
//! Output: every text that it, or a piece of it between signs, holds; what is encoded
//! twice is decoded twice, [`DEPTH_MAX`] deep. A piece may stand beside others that
//! are joined to it by signs of the alphabet itself (`17-aGFuYWtv`, `u_68616e…`), so
//! ranges between such signs are tried as well, up to [`CUTS_MAX`] signs. What is packed
//! (gzip, zlib or deflate; RFC 1950 to 1952) is unpacked, up to [`UNPACKED_MAX`] bytes.
//! Infallible; linear in the value's size times that bound.

use std::cell::RefCell;
use std::io::{Cursor, Read};

use base64::Engine;
use data_encoding::BASE32_NOPAD;

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::charset;
use super::escape::{BASE64, hex};

/// The fewest bytes that are looked at as text in a decoded value.
const BYTES_MIN: usize = 4;
/// The shortest run in a text, where words stand, that is taken for base64.
const RUN_MIN_IN_TEXT: usize = 8;
/// So often a value may have been encoded.
const DEPTH_MAX: usize = 3;
/// Signs of the alphabet inside one run, between which pieces are tried.
const CUTS_MAX: usize = 6;
/// The longest run whose pieces are tried, in bytes.
const CUT_RUN_MAX: usize = 4096;
/// The most that a packed value may hold, in bytes.
const UNPACKED_MAX: u64 = 64 << 10;
/// The shortest packed value, in bytes.
const PACKED_MIN: usize = 8;
/// The shortest run that is taken for base32: a word in capitals is one too.
const BASE32_MIN: usize = 8;

/// Gives every text that a value holds in base64, base64url or hex.
pub fn values(value: &str, mut found: impl FnMut(&'static str, String)) {
    runs(value, BYTES_MIN, DEPTH_MAX, &mut found);
}

/// The same of a longer text, where short words are words.
pub fn values_in_text(text: &str, mut found: impl FnMut(&'static str, String)) {
    runs(text, RUN_MIN_IN_TEXT, DEPTH_MAX, &mut found);
}

fn runs(text: &str, min: usize, depth: usize, found: &mut dyn FnMut(&'static str, String)) {
    let mut last = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !IS_ALPHABET[usize::from(bytes[at])] {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && IS_ALPHABET[usize::from(bytes[at])] {
            at += 1;
        }
        if at - start >= min {
            run(&text[start..at], depth, &mut last, found);
        }
    }
}

const IS_ALPHABET: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

fn is_sign(b: u8) -> bool {
    matches!(b, b'+' | b'/' | b'-' | b'_')
}

/// One run of the alphabet: as a whole, and between its signs.
fn run(run: &str, depth: usize, last: &mut Option<String>, found: &mut dyn FnMut(&'static str, String)) {
    let mut tell = |how, text: String| {
        if last.as_deref() == Some(&*text) {
            return;
        }
        if depth > 1 {
            runs(&text, BYTES_MIN, depth - 1, found);
        }
        *last = Some(text.clone());
        found(how, text);
    };
    hex_in(run, &mut tell);
    base64(run, &mut tell);
    base32(run, &mut tell);
    if run.len() > CUT_RUN_MAX {
        return;
    }
    let mut edges = vec![0];
    let signs = run.bytes().enumerate().filter(|(_, b)| is_sign(*b)).map(|(at, _)| at);
    let count = signs.clone().count();
    if count == 0 {
        return;
    }
    // Of very many signs, the first and the last may part something.
    edges.extend(signs.enumerate().filter(|(n, _)| *n < CUTS_MAX || n + CUTS_MAX >= count).map(|(_, at)| at + 1));
    edges.push(run.len() + 1);
    for (n, start) in edges.iter().enumerate() {
        for end in &edges[n + 1..] {
            let whole = *start == 0 && *end > run.len();
            let piece = &run[*start..end - 1];
            if !whole && piece.len() * 3 / 4 >= BYTES_MIN {
                base64(piece, &mut tell);
                base32(piece, &mut tell);
            }
        }
    }
}

/// Runs of hexadecimal digits inside a run, `0x` before them or not.
fn hex_in(run: &str, found: &mut dyn FnMut(&'static str, String)) {
    for digits in run.split(|c: char| !c.is_ascii_hexdigit()).filter(|digits| digits.len() >= 2 * BYTES_MIN) {
        let odd = digits.len() % 2;
        // The digit too many may be the end of the word before it, or something behind.
        let ways = [&digits[odd..], &digits[..digits.len() - odd]];
        for digits in &ways[..1 + odd] {
            let bytes = digits.as_bytes().chunks_exact(2).map(|pair| Some(hex(pair[0])? << 4 | hex(pair[1])?));
            if let Some(bytes) = bytes.collect::<Option<Vec<u8>>>() {
                readable(bytes, "hex", found);
            }
        }
    }
}

fn base64(piece: &str, found: &mut dyn FnMut(&'static str, String)) {
    if piece.len() * 3 / 4 < BYTES_MIN || piece.len() % 4 == 1 {
        return;
    }
    let bytes = if piece.contains(['-', '_']) {
        BASE64.decode(piece.replace('-', "+").replace('_', "/"))
    } else {
        BASE64.decode(piece)
    };
    if let Ok(bytes) = bytes {
        readable(bytes, "base64", found);
    }
}

/// Base32 (RFC 4648) in letters of one case. Small letters are words unless digits are among
/// them.
fn base32(piece: &str, found: &mut dyn FnMut(&'static str, String)) {
    let is_digit = |b: &u8| (b'2'..=b'7').contains(b);
    let is_large = piece.bytes().all(|b| b.is_ascii_uppercase() || is_digit(&b));
    let is_small =
        || piece.bytes().all(|b| b.is_ascii_lowercase() || is_digit(&b)) && piece.bytes().any(|b| is_digit(&b));
    if piece.len() < BASE32_MIN || matches!(piece.len() % 8, 1 | 3 | 6) || !(is_large || is_small()) {
        return;
    }
    if let Ok(bytes) = BASE32_NOPAD.decode(piece.to_ascii_uppercase().as_bytes()) {
        readable(bytes, "base32", found);
    }
}

/// What packed bytes hold, if they are that.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let all = |reader: &mut dyn Read| {
        let mut out = Vec::new();
        reader.take(UNPACKED_MAX).read_to_end(&mut out).ok().map(|_| out)
    };
    let is_zlib = |a: u8, b: u8| a & 0x0f == 8 && (u16::from(a) << 8 | u16::from(b)).is_multiple_of(31);
    match bytes {
        _ if bytes.len() < PACKED_MIN => None,
        [0x1f, 0x8b, ..] => all(&mut GzDecoder::new(bytes)),
        [a, b, ..] if is_zlib(*a, *b) => all(&mut ZlibDecoder::new(bytes)),
        // It has no sign of its own: any bytes may be.
        _ => DEFLATE.with_borrow_mut(|decoder| {
            decoder.reset(Cursor::new(bytes.to_vec()));
            all(decoder)
        }),
    }
}

thread_local! {
    /// Kept, because its tables are larger than most messages.
    static DEFLATE: RefCell<DeflateDecoder<Cursor<Vec<u8>>>> = RefCell::new(DeflateDecoder::new(Cursor::default()));
}

/// Text in which at least three characters of four can be seen: UTF-8, UTF-16, or a
/// charset of East Asia.
fn readable(bytes: Vec<u8>, how: &'static str, found: &mut dyn FnMut(&'static str, String)) {
    if bytes.len() < BYTES_MIN {
        return;
    }
    if let Some((_, text)) = charset::utf16_or_32(&bytes).filter(|(_, text)| is_seen(text)) {
        found(how, text);
    }
    if memchr::memmem::find(&bytes, b"\x1b$").is_some() {
        charset::of_value(&bytes).for_each(|(_, text)| found(how, text));
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => {
            if is_seen(&text) {
                found(how, text);
            }
            return;
        }
        Err(error) => error.into_bytes(),
    };
    if let Some(text) = unpacked(&bytes).and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| is_seen(text)) {
        found(how, text);
        return;
    }
    // Of random bytes one in a hundred is so.
    let is_text = |b: &u8| *b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n' | 0x1b);
    if bytes.len() >= 6 && bytes.iter().all(is_text) {
        charset::of_value(&bytes).for_each(|(_, text)| found(how, text));
    }
}

fn is_seen(text: &str) -> bool {
    let (mut all, mut unseen) = (0, 0);
    for c in text.chars() {
        all += 1;
        unseen += usize::from((c.is_control() && !matches!(c, '\t' | '\r' | '\n')) || c == '\u{fffd}');
    }
    text.len() >= BYTES_MIN && unseen * 4 <= all
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    fn holds(value: &str, text: &str) -> bool {
        let mut is_found = false;
        values(value, |_, found| is_found |= found.contains(text));
        is_found
    }

    #[test]
    fn values_are_found_beside_signs() {
        let email = "hanako.suzuki@aozora-boeki.example";
        let (plain, url) = (STANDARD.encode(email), URL_SAFE_NO_PAD.encode(email));
        let bare = plain.trim_end_matches('=');
        let hex: String = email.bytes().map(|b| format!("{b:02x}")).collect();
        let wide: Vec<u8> = email.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for value in [
            format!("17-{url}"),
            format!("17_{url}_9"),
            format!("u_{hex}"),
            format!("uid{hex}"),
            format!("0x{}", hex.to_uppercase()),
            format!("a-b-{url}"),
            format!("{plain}--da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            format!("{bare}--da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            format!("eyJhbGciOiJIUzI1NiJ9.{url}.abcDEF-_12"),
            format!("v1:{url}~x"),
            STANDARD.encode(&plain),
            STANDARD.encode(STANDARD.encode(&hex)),
            STANDARD.encode(&wide),
            URL_SAFE_NO_PAD.encode(format!("7/{email}/9")),
        ] {
            assert!(holds(&value, email), "{value}");
        }
        assert!(holds(&STANDARD.encode(b"\x97\xe9\x96\xd8\x89\xd4\x8eq"), "鈴木花子"));
        assert!(holds("NDgyMDE5Mzc", "48201937"));
    }

    #[test]
    fn words_are_words() {
        let mut count = 0;
        let words = "available-registration/newsletter_settings da39a3ee5e6b4b0d3255bfef95601890afd80709 \
                     unsubscribe preferences 2026-11-30T10:00:00 GTM-ABC123 utm_campaign winter_sale";
        values(words, |_, _| count += 1);
        // By chance, one in some dozens is text of East Asia.
        assert!(count < 24, "{count}");
    }
}
