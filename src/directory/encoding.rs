//! How a text file's bytes are read: UTF-8, UTF-16 or another charset.
//!
//! Input: bytes, and the encoding that the configuration names. Output: lines of text, one
//! in memory at a time. Nothing is guessed: where the bytes are not what is configured, a
//! guess is only ever advice, and a byte order mark is a guess too.

use std::io::{self, BufRead, Read};

use crate::guard::charset::{self, Decoder};

/// How bytes are text.
#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// UTF-16; the first bytes tell which.
    Utf16,
    /// A charset in which a line end is one byte.
    Charset(Decoder),
}

impl Encoding {
    /// By its name, in any case; `None` if it is unknown.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16" | "utf16" => Some(Self::Utf16),
            "utf-16le" | "utf16le" => Some(Self::Utf16Le),
            "utf-16be" | "utf16be" => Some(Self::Utf16Be),
            other => charset::decoder(other).map(Self::Charset),
        }
    }

    /// What the file's first bytes make of it, and how many of them are a mark.
    pub fn settled(self, head: &[u8]) -> (Self, usize) {
        let is_utf16 = matches!(self, Self::Utf16 | Self::Utf16Le | Self::Utf16Be);
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Self::Utf8, 3),
            [0xff, 0xfe, ..] if is_utf16 => (Self::Utf16Le, 2),
            [0xfe, 0xff, ..] if is_utf16 => (Self::Utf16Be, 2),
            [0, ..] if matches!(self, Self::Utf16) => (Self::Utf16Be, 0),
            _ if matches!(self, Self::Utf16) => (Self::Utf16Le, 0),
            _ => (self, 0),
        }
    }

    /// Appends a line's bytes with its line end, at most `max` of them.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn read_line(self, input: &mut impl BufRead, line: &mut Vec<u8>, max: u64) -> io::Result<usize> {
        let mut input = input.by_ref().take(max);
        let before = line.len();
        loop {
            if input.read_until(b'\n', line)? == 0 {
                break;
            }
            let read = line.len() - before;
            let is_end = match self {
                // The low byte is followed by the high one.
                Self::Utf16Le | Self::Utf16 if read % 2 == 1 => {
                    input.by_ref().take(1).read_to_end(line)?;
                    line.ends_with(b"\n\0")
                }
                Self::Utf16Le | Self::Utf16 => false,
                Self::Utf16Be => read.is_multiple_of(2) && line.ends_with(b"\0\n"),
                Self::Utf8 | Self::Charset(_) => true,
            };
            if is_end {
                break;
            }
        }
        Ok(line.len() - before)
    }

    /// The text of a line's bytes.
    ///
    /// # Errors
    /// Where the first byte stands that is none of this encoding's.
    pub fn text(self, bytes: &[u8], out: &mut String) -> Result<(), usize> {
        out.clear();
        let unit: fn([u8; 2]) -> u16 = match self {
            Self::Utf8 => {
                out.push_str(std::str::from_utf8(bytes).map_err(|e| e.valid_up_to())?);
                return Ok(());
            }
            Self::Charset(decoder) => {
                let text = decoder(bytes);
                if text.contains('\u{fffd}') {
                    return Err(0);
                }
                out.push_str(&text);
                return Ok(());
            }
            Self::Utf16Be => u16::from_be_bytes,
            Self::Utf16Le | Self::Utf16 => u16::from_le_bytes,
        };
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(bytes.len() - 1);
        }
        for (at, c) in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).enumerate() {
            out.push(c.map_err(|_| at * 2)?);
        }
        Ok(())
    }

    /// What bytes that are not UTF-8 probably are, as a name that is taken here and by
    /// iconv. `None` if nothing is likely.
    pub fn likely(bytes: &[u8]) -> Option<&'static str> {
        let nuls = memchr::memchr_iter(0, bytes).count();
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || (nuls > 0 && nuls * 3 >= bytes.len()) {
            return (!bytes.starts_with(b"PK")).then_some("UTF-16");
        }
        if memchr::memmem::find(bytes, b"\x1b$").is_some() {
            return Some("ISO-2022-JP");
        }
        let faults = |name: &'static str| {
            let text = charset::decoder(name)?(bytes);
            let others = text.chars().filter(|c| !c.is_ascii() && !is_japanese(*c)).count();
            // Half-width katakana are what other charsets look like in CP932.
            let narrow = text.chars().filter(|c| ('\u{ff61}'..='\u{ff9f}').contains(c)).count();
            let all = text.chars().filter(|c| !c.is_ascii()).count();
            (others == 0 && narrow * 2 <= all).then_some((narrow, name))
        };
        ["CP932", "EUC-JP"].into_iter().filter_map(faults).min_by_key(|(narrow, _)| *narrow).map(|(_, name)| name)
    }
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3220}'..='\u{33ff}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
        || matches!(c, '\u{ff01}'..='\u{ff9f}' | '\u{2010}'..='\u{2266}' | '\u{2460}'..='\u{2473}' | '×' | '÷' | '°' | '±')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_utf_16_end_where_the_character_does() {
        // U+0A0A and U+0A00 have the byte of a line end in them.
        let text = "a\u{0a0a}\u{0a00}\u{000a}b\u{010a}\n";
        for (encoding, bytes) in [
            (Encoding::Utf16Le, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            (Encoding::Utf16Be, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            let (mut input, mut lines) = (&bytes[..], Vec::new());
            loop {
                let (mut line, mut out) = (Vec::new(), String::new());
                if encoding.read_line(&mut input, &mut line, 1000).unwrap() == 0 {
                    break;
                }
                encoding.text(&line, &mut out).unwrap();
                lines.push(out);
            }
            assert_eq!(lines, ["a\u{0a0a}\u{0a00}\n", "b\u{010a}\n"], "{encoding:?}");
        }
    }

    #[test]
    fn what_bytes_probably_are() {
        for (bytes, likely) in [
            (&b"\x8e\x52\x93\x63"[..], Some("CP932")),
            (b"1,\x87\x8a\x82\xdd", Some("CP932")),
            (b"\xbb\xb3\xc5\xc4", Some("EUC-JP")),
            (b"\xff\xfei\0d\0", Some("UTF-16")),
            (b"i\0d\0", Some("UTF-16")),
            (b"\x1b$B;3\x1b(B", Some("ISO-2022-JP")),
            (b"M\xfcller", None),
            (b"caf\xe9", None),
        ] {
            assert_eq!(Encoding::likely(bytes), likely, "{bytes:?}");
        }
    }
}
