//! An export's bytes → the encoding to write under `[directory]`.
//!
//! Input: the first bytes of a file, and its lines that are not ASCII. Output: a name that
//! [`crate::directory::encoding::Encoding::named`] takes, or `None` for UTF-8. A byte order
//! mark decides; then strict UTF-8; then the charset that reads every line without control
//! and private-use characters and gives the likeliest text. Where none does, it is an error.

use std::io::{self, BufRead, Read};

use crate::guard::charset;

/// The most lines that are kept, and the most bytes of them.
const LINES_MAX: usize = 2_000;
const BYTES_MAX: usize = 1 << 20;
/// The most bytes that are looked at together where no line ends.
const PIECE_MAX: u64 = 1 << 20;
/// The least share of signs that must be likely in a charset.
const LIKELY_MIN: f64 = 0.5;

/// What of a file tells its encoding.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Its first bytes.
    head: Vec<u8>,
    /// Lines with a byte that is not ASCII, and those that ISO-2022-JP escapes in.
    lines: Vec<u8>,
    /// The number of the first line that is not UTF-8.
    broken: Option<u64>,
}

impl Evidence {
    /// Reads a file until enough lines are seen that are not ASCII.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(input: &mut impl BufRead) -> io::Result<Self> {
        let mut seen = Self { head: input.fill_buf()?.iter().take(512).copied().collect(), ..Self::default() };
        if seen.is_utf16() {
            return Ok(seen);
        }
        let (mut piece, mut line, mut kept) = (Vec::new(), 0, 0);
        while kept < LINES_MAX && seen.lines.len() < BYTES_MAX {
            piece.clear();
            if input.by_ref().take(PIECE_MAX).read_until(b'\n', &mut piece)? == 0 {
                break;
            }
            line += 1;
            if piece.is_ascii() && memchr::memmem::find(&piece, b"\x1b$").is_none() {
                continue;
            }
            if std::str::from_utf8(&piece).is_err() {
                seen.broken.get_or_insert(line);
            }
            seen.lines.extend_from_slice(&piece);
            kept += 1;
        }
        Ok(seen)
    }

    fn is_utf16(&self) -> bool {
        let nuls = self.head.iter().filter(|byte| **byte == 0).count();
        let is_marked = self.head.starts_with(b"\xff\xfe") || self.head.starts_with(b"\xfe\xff");
        is_marked || (nuls > 0 && nuls * 3 >= self.head.len())
    }

    /// The encoding; `None` for UTF-8.
    ///
    /// # Errors
    /// The first line that is not UTF-8, where no encoding is likely.
    pub fn encoding(&self) -> Result<Option<&'static str>, u64> {
        if self.is_utf16() {
            return Ok(Some("utf-16"));
        }
        if self.lines.is_ascii() && !self.lines.is_empty() {
            return Ok(Some("iso-2022-jp"));
        }
        let Some(broken) = self.broken else { return Ok(None) };
        let scored = CHARSETS.iter().filter(|(name, _)| self.is_clean(name)).map(|(name, score)| {
            let (likely, all) = score(&self.lines);
            (likely as f64 / all.max(1) as f64, *name)
        });
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|(share, _)| *share >= LIKELY_MIN).map(|(_, name)| Some(name)).ok_or(broken)
    }

    /// Whether a charset reads every line, and has signs of text there alone.
    fn is_clean(&self, name: &str) -> bool {
        let is_text = |c: char| match c {
            '\t' | '\r' | '\n' => true,
            '\u{fffd}' | '\u{e000}'..='\u{f8ff}' => false,
            c => !c.is_control(),
        };
        charset::decoder(name).is_some_and(|decoder| decoder(&self.lines).chars().all(is_text))
    }
}

/// How many signs are likely in a charset, and how many there are.
type Score = fn(&[u8]) -> (usize, usize);

/// The charsets that are tried, and what is likely in them.
const CHARSETS: [(&str, Score); 5] =
    [("cp932", shift_jis), ("euc-jp", euc_jp), ("euc-kr", euc_kr), ("windows-1251", cyrillic), ("windows-1252", latin)];

/// Kana, signs and the kanji of level 1; a half-width kana among others counts half.
fn shift_jis(bytes: &[u8]) -> (usize, usize) {
    let (mut halves, mut all, mut at) = (0, 0, 0);
    while let Some(byte) = bytes.get(at) {
        let is_narrow = |byte: Option<&u8>| byte.is_some_and(|byte| (0xa1..=0xdf).contains(byte));
        match byte {
            0x81..=0x9f | 0xe0..=0xfc => {
                halves += if *byte <= 0x98 { 2 } else { 0 };
                (all, at) = (all + 1, at + 1);
            }
            0xa1..=0xdf => {
                let has_company = is_narrow(bytes.get(at + 1)) || (at > 0 && is_narrow(bytes.get(at - 1)));
                halves += usize::from(has_company);
                all += 1;
            }
            _ => {}
        }
        at += 1;
    }
    (halves / 2, all)
}

/// Pairs of bytes, the likely ones by their first.
fn pairs(bytes: &[u8], is_likely: fn(u8) -> bool) -> (usize, usize) {
    let (mut likely, mut all, mut at) = (0, 0, 0);
    while let Some(byte) = bytes.get(at) {
        if !byte.is_ascii() {
            likely += usize::from(is_likely(*byte));
            all += 1;
            at += 1;
        }
        at += 1;
    }
    (likely, all)
}

/// Signs, kana and the kanji of level 1.
fn euc_jp(bytes: &[u8]) -> (usize, usize) {
    pairs(bytes, |byte| matches!(byte, 0x8e | 0xa1..=0xa5 | 0xb0..=0xcf))
}

/// Hangul. Japanese has kanji beyond them, so the share of others counts twice.
fn euc_kr(bytes: &[u8]) -> (usize, usize) {
    let (likely, all) = pairs(bytes, |byte| matches!(byte, 0xb0..=0xc8));
    (likely.saturating_sub(all - likely) + usize::from(likely == all && all > 0), all)
}

/// Letters beside letters, most of them small.
fn cyrillic(bytes: &[u8]) -> (usize, usize) {
    let runs = bytes.split(u8::is_ascii).filter(|run| !run.is_empty());
    runs.fold((0, 0), |(likely, all), run| {
        let small = run.iter().filter(|byte| **byte >= 0xe0).count();
        let is_word = run.len() > 2 && small * 2 > run.len() && run.iter().all(|byte| *byte >= 0xc0);
        (likely + if is_word { run.len() } else { 0 }, all + run.len())
    })
}

/// Letters that stand alone among those of ASCII.
fn latin(bytes: &[u8]) -> (usize, usize) {
    let runs = bytes.split(u8::is_ascii).filter(|run| !run.is_empty());
    let is_letter = |byte: &u8| *byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7);
    runs.fold((0, 0), |(likely, all), run| {
        let letters = if run.len() <= 2 { run.iter().filter(|byte| is_letter(byte)).count() } else { 0 };
        (likely + letters, all + run.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(bytes: &[u8]) -> Result<Option<&'static str>, u64> {
        Evidence::read(&mut &bytes[..]).unwrap().encoding()
    }

    #[test]
    fn each_charset_is_known_by_what_it_writes() {
        let japanese = "会員番号,氏名\n1,山田　太郎\n2,みどり園\n3,ﾔﾏﾀﾞ ﾊﾅｺ\n";
        let korean = "회원번호,이름\n1,보기 하나\n2,시험 둘\n";
        let german = "Kundennummer,Straße\n1,Müller\n2,Jörg Größe\n3,Frédéric Ærø\n";
        let russian = "номер,имя\n1,Пример Образцов\n2,Тест Примеров\n";
        for (text, charset, name) in [
            (japanese, encoding_rs::SHIFT_JIS, "cp932"),
            (japanese, encoding_rs::EUC_JP, "euc-jp"),
            (japanese, encoding_rs::ISO_2022_JP, "iso-2022-jp"),
            (korean, encoding_rs::EUC_KR, "euc-kr"),
            (german, encoding_rs::WINDOWS_1252, "windows-1252"),
            (russian, encoding_rs::WINDOWS_1251, "windows-1251"),
        ] {
            let (bytes, _, has_lost) = charset.encode(text);
            assert_eq!((guessed(&bytes), has_lost && name != "iso-2022-jp"), (Ok(Some(name)), false), "{name}");
        }
    }

    #[test]
    fn marks_and_utf_8_decide_and_late_lines_count() {
        for text in ["", "id,email\n1,a@a.example\n", "\u{feff}会員番号\n1\n", "氏名\n山田\n"] {
            assert_eq!(guessed(text.as_bytes()), Ok(None), "{text:?}");
        }
        let le: Vec<u8> = "\u{feff}id,이름\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "\u{feff}id,이름\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((guessed(&le), guessed(&be)), (Ok(Some("utf-16")), Ok(Some("utf-16"))));
        let late = [&b"id,name\n"[..], &b"1,x\n".repeat(50_000), b"2,M\xfcller\n"].concat();
        assert_eq!(guessed(&late), Ok(Some("windows-1252")));
    }

    #[test]
    fn what_no_charset_has_is_told_by_its_line() {
        assert_eq!(guessed(b"id,name\n1,x\n2,\x81\xff\xfe\x80\x81\n"), Err(3));
        assert_eq!(guessed("id,name\n1,山田\n2,\u{7530}".as_bytes().split_last().unwrap().1), Err(3));
    }
}
