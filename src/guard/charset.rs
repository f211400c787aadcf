//! A charset's name → what decodes it.
//!
//! The MIME parser knows the charsets that mail is written in, and this room alone uses
//! it; exports of spreadsheets are written in the same ones.

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::guard::view;

/// Decodes bytes; U+FFFD stands for those that the charset does not have.
pub type Decoder = fn(&[u8]) -> String;

/// The decoder of a charset by one of its names, in any case. `None` for UTF-8, for UTF-16
/// and UTF-32, whose line ends are not bytes, and for an unknown name.
pub fn decoder(name: &str) -> Option<Decoder> {
    let name = name.to_ascii_lowercase();
    let name = view::common_charset(&name);
    if name.starts_with("utf") {
        return None;
    }
    charset_decoder(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_by_their_names() {
        for name in [
            "cp932",
            "CP932",
            "shift_jis",
            "Shift-JIS",
            "euc-jp",
            "iso-2022-jp",
            "gb18030",
            "big5",
            "euc-kr",
            "windows-1251",
        ] {
            assert!(decoder(name).is_some(), "{name}");
        }
        for name in ["utf-8", "utf-16", "UTF-16LE", "klingon", ""] {
            assert!(decoder(name).is_none(), "{name}");
        }
        let read = decoder("cp932").unwrap();
        assert_eq!(read(b"\xfb\xfc\xed\x95\x87\x8a\\~"), "髙﨑㈱\\~");
        assert!(read(b"\xff").contains('\u{fffd}'));
    }
}
