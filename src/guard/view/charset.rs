//! Bytes → what they say in another charset than the declared one.
//!
//! Input: bytes without their transfer encoding, and the charset that they claim.
//! Output: each other reading that makes text of them. Programs that guess show one
//! of these, so all are read, and none of them has to explain itself. Bytes are taken
//! line by line, since a line of another charset may stand in a text. Infallible;
//! linear in the bytes, for each of a fixed list of charsets.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use super::{mixed, transfer, utf7};

/// Charsets in which a letter takes two bytes or more.
const WIDE: [&str; 5] = ["shift_jis", "euc-jp", "gb18030", "big5", "euc-kr"];
/// Charsets of Latin letters in one byte.
const LATIN: [&str; 6] = ["windows-1252", "windows-1254", "windows-1250", "windows-1257", "windows-1258", "ibm850"];
/// Charsets of other scripts in one byte.
const OTHERS: [&str; 10] = [
    "windows-1251",
    "koi8-u",
    "iso-8859-5",
    "ibm866",
    "windows-1253",
    "windows-1255",
    "windows-1256",
    "iso-8859-6",
    "windows-874",
    "macintosh",
];

/// Makes a unit of UTF-16 of two bytes.
type Unit = fn([u8; 2]) -> u16;

/// A reading and the charset that it is in.
pub type Reading = (&'static str, String);

/// Whether a name is one that a charset has.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.is_ascii()
        && (is_utf8(name) || utf7::is_utf7(name) || charset_decoder(common_name(name).as_bytes()).is_some())
}

/// Whether a charset has one byte for each letter.
pub fn is_narrow(name: &str) -> bool {
    LATIN.contains(&name) || OTHERS.contains(&name)
}

/// Whether a charset's name, in lower case, stands for UTF-8 or for less.
pub fn is_utf8(name: &str) -> bool {
    matches!(
        name,
        "" | "utf-8"
            | "utf8"
            | "utf_8"
            | "utf-8n"
            | "utf8mb4"
            | "unicode-1-1-utf-8"
            | "us-ascii"
            | "ascii"
            | "ansi_x3.4-1968"
            | "iso646-us"
            | "iso_646.irv:1991"
            | "646"
            | "unknown-8bit"
            | "x-unknown"
            | "binary"
    )
}

/// Names that senders give a charset, and the MIME parser does not know.
pub fn common_name(charset: &str) -> &str {
    match charset {
        "iso-2022-jp-ms" | "iso-2022-jp-1" | "iso-2022-jp-2" | "cp50220" | "cp50221" | "cp50222" => "iso-2022-jp",
        "cp932" | "ms932" | "sjis-win" | "x-ms-cp932" => "shift_jis",
        "eucjp" | "eucjp-ms" | "eucjp-win" | "cp51932" => "euc-jp",
        "cp949" | "ms949" | "uhc" | "x-windows-949" | "ks_c_5601" | "ksc_5601" => "euc-kr",
        "ms936" | "x-gbk" | "euc-cn" | "eucgb2312_cn" => "gbk",
        "cp950" | "ms950" | "x-x-big5" => "big5",
        "latin-1" | "iso8859" | "iso-8859" | "8859_1" | "iso_8859-1" => "iso-8859-1",
        "cp874" | "x-windows-874" => "windows-874",
        "mac" | "x-mac-roman" => "macintosh",
        other => other,
    }
}

/// Decodes the charsets whose letters stand between shifts, and which the MIME parser
/// does not read: ISO-2022-KR (RFC 1557) and HZ (RFC 1843).
pub fn shifted(bytes: &[u8], charset: &str) -> Option<String> {
    match charset {
        "iso-2022-kr" | "csiso2022kr" => lifted(bytes, b"\x0e", b"\x0f", "euc-kr"),
        "hz-gb-2312" => lifted(bytes, b"~{", b"~}", "gbk"),
        _ => None,
    }
}

/// Bytes between two signs with their highest bit set, in the charset that this makes.
fn lifted(bytes: &[u8], start: &[u8], end: &[u8], charset: &str) -> Option<String> {
    memchr::memmem::find(bytes, start)?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, start) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + start.len()..];
        let stop = memchr::memmem::find(rest, end).unwrap_or(rest.len());
        let line = memchr::memchr(b'\n', &rest[..stop]).unwrap_or(stop);
        out.extend(rest[..line].iter().map(|b| if b.is_ascii_graphic() { b | 0x80 } else { *b }));
        rest = &rest[line..];
        rest = rest.strip_prefix(end).unwrap_or(rest);
    }
    out.extend_from_slice(rest);
    // The escape that says which letters are meant.
    let out = without(&out, b"\x1b$)C");
    charset_decoder(charset.as_bytes()).map(|decoder| decoder(&out))
}

fn without(bytes: &[u8], sign: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for at in memchr::memmem::find_iter(bytes, sign) {
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + sign.len();
    }
    out.extend_from_slice(&bytes[copied..]);
    out
}

/// Whether bytes could have another reading than UTF-8: what [`others`] looks at.
pub fn may_differ(bytes: &[u8]) -> bool {
    memchr::memchr3(0, 0x1b, 0x0e, bytes).is_some()
        || memchr::memmem::find(bytes, b"~{").is_some()
        || (!bytes.is_ascii()
            && simdutf8::basic::from_utf8(bytes)
                .map_or(true, |text| is_mojibake(text) || mixed::is_mixed(text.as_bytes())))
        || utf7::is_in(bytes)
}

/// What bytes say in other charsets than the declared one.
pub fn others(bytes: &[u8], declared: Option<&str>) -> Vec<Reading> {
    let declared = declared.map(|c| c.trim().trim_matches('"').to_ascii_lowercase()).unwrap_or_default();
    let declared = common_name(declared.split('*').next().unwrap_or_default()).to_owned();
    let mut out = Vec::new();
    let (first, _) = transfer::text(Cow::Borrowed(bytes), (!declared.is_empty()).then_some(&declared));
    let mut add = |name: &'static str, text: String| {
        let is_new = *text != *first && !out.iter().any(|(_, known): &Reading| *known == text);
        if is_new && !text.is_empty() {
            out.push((name, text));
        }
    };
    if let Some((name, text)) = utf16_or_32(bytes) {
        add(name, text);
    }
    if memchr::memchr(0x1b, bytes).is_some() && declared != "iso-2022-jp" {
        add("iso-2022-jp", transfer::text(Cow::Borrowed(bytes), Some("iso-2022-jp")).0.into_owned());
    }
    for name in ["iso-2022-kr", "hz-gb-2312"] {
        if let Some(text) = shifted(bytes, name) {
            add(name, text);
        }
    }
    if bytes.is_ascii() {
        if utf7::is_in(bytes) && !utf7::is_utf7(&declared) {
            add("utf-7", utf7::decode(bytes).0);
        }
        return out;
    }
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        if is_mojibake(text)
            && let Some(text) = without_mojibake(text)
        {
            add("utf-8 taken for windows-1252", text);
        }
        add("utf-8", text.to_owned());
        if mixed::is_mixed(bytes) {
            for name in WIDE {
                by_line(bytes, name, mixed::is_mixed).into_iter().for_each(|text| add(name, text));
            }
        }
        return out;
    }
    if WIDE.contains(&&*declared) && is_convincing(&first) {
        return out;
    }
    for name in candidates(bytes) {
        if let Some(text) = by_line(bytes, name, |line| simdutf8::basic::from_utf8(line).is_err()) {
            add(name, text);
        }
    }
    out
}

/// The same of a value, whose bytes may be letters of East Asia although they are UTF-8.
pub fn others_of_value(bytes: &[u8], declared: &str) -> Vec<Reading> {
    let mut all = others(bytes, Some(declared));
    if mixed::is_ambiguous(bytes) {
        all.extend(of_value(bytes));
    }
    all
}

/// What bytes that are not UTF-8 say, in each charset that has them.
pub fn in_charsets(bytes: &[u8]) -> Vec<Reading> {
    others(bytes, None).into_iter().chain(of_value(bytes)).collect()
}

/// The charsets that bytes may be in.
fn candidates(bytes: &[u8]) -> impl Iterator<Item = &'static str> {
    // A word of another script is letters beyond ASCII alone.
    let is_high = |three: &[u8]| three.iter().all(|b| *b >= 0x80);
    let others = if bytes.windows(3).any(is_high) { &OTHERS[..] } else { &[] };
    WIDE.iter().chain(&LATIN).chain(others).copied()
}

/// Whether a Japanese or Korean text reads so well that no other charset is likely.
fn is_convincing(text: &str) -> bool {
    let (mut all, mut sure) = (0, 0);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        all += 1;
        sure += usize::from(matches!(c, '\u{3041}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}'));
    }
    !text.contains('\u{fffd}') && sure * 5 >= all
}

/// The lines in question that a charset has, decoded; the others as UTF-8. `None` if it has
/// none.
fn by_line(bytes: &[u8], charset: &str, is_other: impl Fn(&[u8]) -> bool) -> Option<String> {
    let decoder = charset_decoder(charset.as_bytes())?;
    let is_wide = WIDE.contains(&charset);
    let mut out = String::with_capacity(bytes.len());
    let mut is_any = false;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if is_other(line) {
            let text = decoder(line);
            if is_plausible(&text, is_wide) {
                is_any = true;
                out.push_str(&text);
                continue;
            }
        }
        out.push_str(&String::from_utf8_lossy(line));
    }
    is_any.then_some(out)
}

/// Whether a line reads as text of somebody: of a charset of one byte, which has a
/// character for nearly every byte, most must be letters.
fn is_plausible(text: &str, is_wide: bool) -> bool {
    let is_damage = |c: &char| *c == '\u{fffd}' || ('\u{80}'..='\u{9f}').contains(c);
    let signs =
        |c: &char| matches!(c, '\u{a0}' | '«' | '»' | '\u{2010}'..='\u{2026}' | '€' | '№' | '°' | '©' | '®' | '™');
    let beyond = text.chars().filter(|c| !c.is_ascii() && !signs(c));
    let (mut all, mut damage, mut letters) = (0, 0, 0);
    for c in beyond {
        all += 1;
        damage += usize::from(is_damage(&c));
        // Marks of Thai, Hebrew and Arabic are letters too.
        letters += usize::from(
            c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c) || ('\u{591}'..='\u{e7f}').contains(&c),
        );
    }
    if is_wide { damage * 8 <= all } else { all > 0 && damage == 0 && letters * 4 >= all * 3 }
}

/// What bytes say in the charsets of East Asia, without a fault: what a short value
/// may be.
pub fn of_value(bytes: &[u8]) -> impl Iterator<Item = Reading> {
    let escaped = memchr::memmem::find(bytes, b"\x1b$").map(|_| "iso-2022-jp");
    let wide = if bytes.is_ascii() { &[][..] } else { &WIDE[..] };
    let read = move |name: &'static str| Some((name, charset_decoder(name.as_bytes())?(bytes)));
    let is_word = |c: char| match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric() || " .,:;@_-/=&?".contains(c),
        _ => {
            matches!(c, '\u{3001}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff5e}')
        }
    };
    let is_whole = move |(_, text): &Reading| text.chars().all(is_word);
    escaped.into_iter().chain(wide.iter().copied()).filter_map(read).filter(is_whole).chain(utf16_of_value(bytes))
}

/// UTF-16 or UTF-32 that has no mark, told by where its NULs stand, or by the mark.
pub fn utf16_or_32(bytes: &[u8]) -> Option<Reading> {
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => return Some(("utf-32le", utf32(rest, u32::from_le_bytes))),
        [0, 0, 0xfe, 0xff, rest @ ..] => return Some(("utf-32be", utf32(rest, u32::from_be_bytes))),
        [0xff, 0xfe, rest @ ..] => return Some(("utf-16le", utf16(rest, u16::from_le_bytes))),
        [0xfe, 0xff, rest @ ..] => return Some(("utf-16be", utf16(rest, u16::from_be_bytes))),
        _ => {}
    }
    memchr::memchr(0, bytes)?;
    let mut nuls = [0usize; 4];
    for at in memchr::memchr_iter(0, bytes) {
        nuls[at % 4] += 1;
    }
    let words = bytes.len() / 4;
    let (even, odd) = (nuls[0] + nuls[2], nuls[1] + nuls[3]);
    if words > 0 && nuls[3] >= words && nuls[2] * 2 > words {
        Some(("utf-32le", utf32(bytes, u32::from_le_bytes)))
    } else if words > 0 && nuls[0] >= words && nuls[1] * 2 > words {
        Some(("utf-32be", utf32(bytes, u32::from_be_bytes)))
    } else if odd >= 2 && odd >= even * 8 {
        Some(("utf-16le", utf16(bytes, u16::from_le_bytes)))
    } else if even >= 2 && even >= odd * 8 {
        Some(("utf-16be", utf16(bytes, u16::from_be_bytes)))
    } else {
        None
    }
}

fn utf16(bytes: &[u8], unit: Unit) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> String {
    let units = bytes.chunks_exact(4).map(|four| unit([four[0], four[1], four[2], four[3]]));
    units.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// UTF-16 without a NUL in it: letters of East Asia alone. What a short value, no
/// text, may be.
pub fn utf16_of_value(bytes: &[u8]) -> impl Iterator<Item = Reading> {
    let is_value = bytes.len() >= 4 && bytes.len().is_multiple_of(2) && !bytes.is_ascii();
    let both: [(&'static str, Unit); 2] = [("utf-16le", u16::from_le_bytes), ("utf-16be", u16::from_be_bytes)];
    let plausible = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{6ff}' | '\u{e00}'..='\u{e7f}' | '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffef}');
    let read = move |(name, unit)| Some((name, utf16(bytes, unit))).filter(|(_, text)| text.chars().all(plausible));
    both.into_iter().filter(move |_| is_value).filter_map(read)
}

/// Whether a text looks like UTF-8 that somebody took for windows-1252 and encoded
/// again: `éˆ´æœ¨`.
fn is_mojibake(text: &str) -> bool {
    // Such a letter begins with one of U+00C2 to U+00F4: C3 82 to C3 B4.
    memchr::memchr_iter(0xc3, text.as_bytes()).any(|at| {
        let mut chars = text[at..].chars();
        let is_lead = chars.next().is_some_and(|c| ('\u{c2}'..='\u{f4}').contains(&c));
        is_lead && chars.next().and_then(byte_of).is_some_and(|b| (0x80..0xc0).contains(&b))
    })
}

/// The byte that a character is in windows-1252, C1 controls being themselves.
fn byte_of(c: char) -> Option<u8> {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match u32::from(c) {
        code @ 0..=0xff => u8::try_from(code).ok(),
        _ => HIGH.chars().position(|known| known == c).and_then(|at| u8::try_from(0x80 + at).ok()),
    }
}

/// The runs of a text that are UTF-8 taken for windows-1252, put right.
fn without_mojibake(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut run = Vec::new();
    let mut written = String::new();
    let mut is_any = false;
    let mut end = |run: &mut Vec<u8>, written: &mut String, out: &mut String| {
        match std::str::from_utf8(run) {
            Ok(read) if !run.is_empty() => {
                is_any = true;
                out.push_str(read);
            }
            _ => out.push_str(written),
        }
        run.clear();
        written.clear();
    };
    for c in text.chars() {
        match byte_of(c).filter(|b| *b >= 0x80) {
            Some(byte) => {
                run.push(byte);
                written.push(c);
            }
            None => {
                end(&mut run, &mut written, &mut out);
                out.push(c);
            }
        }
    }
    end(&mut run, &mut written, &mut out);
    is_any.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(bytes: &[u8], declared: Option<&str>, text: &str) -> bool {
        others(bytes, declared).iter().any(|(_, other)| other.contains(text))
    }

    #[test]
    fn other_charsets_than_the_declared_one_are_read() {
        let name = b"\x97\xe9\x96\xd8\x89\xd4\x8eq";
        for declared in [None, Some("utf-8"), Some("iso-8859-1"), Some("windows-1252"), Some("euc-jp"), Some("x-none")]
        {
            assert!(says(name, declared, "鈴木花子"), "{declared:?}");
        }
        assert!(says(b"\x1b$BNkLZ2V;R\x1b(B", Some("iso-8859-1"), "鈴木花子"));
        assert!(says(b"\x1b$BNkLZ2V;R\x1b(B", Some("shift_jis"), "鈴木花子"));
        assert!(says(b"a\r\n\xce\xeb\xcc\xda\xb2\xd6\xbb\xd2\r\n", None, "鈴木花子"));
        assert!(says(
            "山田\r\n".as_bytes().iter().chain(name).copied().collect::<Vec<_>>().as_slice(),
            None,
            "山田\r\n鈴木花子"
        ));
        assert!(says(b"\xc8\xe2\xe0\xed", Some("koi8-r"), "Иван"));
        assert!(says(b"~{VPND~}", Some("us-ascii"), "中文"));
        assert!(says(b"\x1b$)C\x0e1h<v\x0f", None, "김수"));
        assert!(says("é\u{2c6}´æ\u{153}¨".as_bytes(), Some("utf-8"), "鈴木"));
    }

    #[test]
    fn what_is_read_well_is_read_once() {
        assert!(others("お知らせ 2026".as_bytes(), Some("utf-8")).is_empty());
        assert!(others(b"plain + text-", None).is_empty());
        assert!(others(b"\x82\xa8\x92m\x82\xe7\x82\xb9", Some("shift_jis")).is_empty());
        assert!(!may_differ("Ça va, café – naïve".as_bytes()));
    }

    #[test]
    fn utf_16_and_32_need_no_mark() {
        let le: Vec<u8> = "id 48201937".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "id 48201937".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let wide: Vec<u8> = "id 48201937".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        for bytes in [le, be, wide] {
            assert!(says(&bytes, Some("us-ascii"), "id 48201937"));
        }
        assert!(utf16_of_value(b"\x92\x34\x67\x28").any(|(_, text)| text == "鈴木"));
    }

    #[test]
    fn names_of_charsets_are_known() {
        for name in
            ["ks_c_5601-1987", "iso_8859-7:1987", "csksc56011987", "cp949", "utf-8", "windows-31j", "gb_2312-80"]
        {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "48201937", "klingon", "ks_c_5601-1988"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
