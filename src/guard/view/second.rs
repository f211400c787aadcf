//! Second readings of a text: what it says without signs that a program leaves out,
//! and with escapes undone that a person or a program may undo.
//!
//! Input: any text that is shown. Output: its other readings, few or none:
//!
//! - without control characters, whole escape sequences of terminals, and characters
//!   that stand for damage: `4820<NUL>1937`, `鈴木<ESC>[1m花子`;
//! - with `\u9234`, `\u{9234}`, `\xe9`, `\351`, `%u9234`, `U+9234` and CSS's `\9234` undone;
//! - with encoded-words of RFC 2047 decoded, where they stand in no header, and with
//!   what was left in quoted-printable;
//! - without readings in brackets behind kanji: `鈴木（すずき）花子`.
//!
//! None of them is shown by every program, so that they count for what they say of
//! another account and need not explain themselves. Infallible, linear.

use super::{charset, escape, transfer, word};

/// So often one reading may give the next something to do.
const ROUNDS_MAX: usize = 3;

/// The second readings of a text, each with its name.
pub fn readings(text: &str) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    if !is_needed(text) {
        return out;
    }
    if let Some(text) = without_sequences(text) {
        out.push(("without escape sequences", text));
    }
    let mut now = text.to_owned();
    for _ in 0..ROUNDS_MAX {
        let before = out.len();
        for (name, step) in STEPS {
            if let Some(next) = step(&now) {
                out.push((name, next.clone()));
                now = next;
            }
        }
        if out.len() == before {
            break;
        }
    }
    out
}

type Step = fn(&str) -> Option<String>;

const STEPS: [(&str, Step); 5] = [
    ("without control characters", without_controls),
    ("escapes undone", unescaped),
    ("encoded-words decoded", decoded),
    ("quoted-printable decoded", unquoted),
    ("without furigana", without_furigana),
];

/// Whether a text may have a second reading. Cheap: nearly every text has none.
pub fn is_needed(text: &str) -> bool {
    has_controls(text.as_bytes()) || has_escapes(text) || word::has_any(text) || has_quoted(text) || has_furigana(text)
}

/// Whether bytes have a character that is left out: a control but for tabs and line
/// ends, a CR that ends no line, or one that stands for damage.
pub fn has_controls(bytes: &[u8]) -> bool {
    let is_odd = |b: u8| (b < 0x20 && b != b'\t' && b != b'\n' && b != b'\r') || b == 0x7f;
    // Without a way out in the middle this is done sixteen bytes at a time.
    if bytes.iter().fold(false, |any, b| any | is_odd(*b)) {
        return true;
    }
    has_lone_cr(bytes)
        || memchr::memchr_iter(0xc2, bytes).any(|at| bytes.get(at + 1).is_some_and(|b| (0x80..0xa0).contains(b)))
        || memchr::memmem::find(bytes, "\u{fffd}".as_bytes()).is_some()
}

fn has_lone_cr(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1).is_some_and(|b| *b != b'\n'))
}

/// Whether a text has characters that are written as HTML's references and are controls.
pub fn has_control_references(html: &str) -> bool {
    memchr::memmem::find_iter(html.as_bytes(), b"&#").any(|at| control_reference(&html[at..]).is_some())
}

/// How long the reference of a control character is that a text begins with.
fn control_reference(text: &str) -> Option<usize> {
    let (c, used) = escape::reference(text.strip_prefix("&#")?)?;
    is_left_out(c).then_some(2 + used)
}

fn is_left_out(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || c == '\u{fffd}'
}

/// HTML's source without control characters, written as such or as references.
pub fn without_control_references(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut copied = 0;
    for at in memchr::memmem::find_iter(html.as_bytes(), b"&#") {
        if let Some(length) = control_reference(&html[at..]).filter(|_| at >= copied) {
            out.push_str(&html[copied..at]);
            copied = at + length;
        }
    }
    out.push_str(&html[copied..]);
    without_controls(&out).unwrap_or(out)
}

/// A text without control characters.
pub fn without_controls(text: &str) -> Option<String> {
    if !has_controls(text.as_bytes()) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_no_line = c == '\r' && chars.peek().is_some_and(|next| *next != '\n');
        if !is_left_out(c) && !ends_no_line {
            out.push(c);
        }
    }
    Some(out)
}

/// A text without the escape sequences of terminals (ECMA-48), whole, and without the
/// other control characters; `None` if there are none.
pub fn without_sequences(text: &str) -> Option<String> {
    if memchr::memchr(0x1b, text.as_bytes()).is_none() && !text.contains('\u{9b}') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\u{1b}', '\u{9b}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at + sequence(&rest[at..])..];
    }
    out.push_str(rest);
    Some(without_controls(&out).unwrap_or(out))
}

/// How long the sequence is that a text begins with; the sign alone if it is none.
fn sequence(text: &str) -> usize {
    let bytes = text.as_bytes();
    let sign = if bytes[0] == 0x1b { 1 } else { 2 };
    let kind = if sign == 2 { Some(&b'[') } else { bytes.get(1) };
    let from = if sign == 2 { 2 } else { 2.min(bytes.len()) };
    match kind {
        Some(b'[') => {
            let within = bytes[from..].iter().take(64).take_while(|b| (0x20..0x40).contains(*b)).count();
            match bytes.get(from + within) {
                Some(0x40..=0x7e) => from + within + 1,
                _ => sign,
            }
        }
        // Which letters are meant: `ESC ( B`.
        Some(0x20..=0x2f) => {
            let within = bytes[1..].iter().take(4).take_while(|b| (0x20..0x30).contains(*b)).count();
            match bytes.get(1 + within) {
                Some(0x30..=0x7e) => 2 + within,
                _ => sign,
            }
        }
        // A command that ends with a bell: a link's address, a title.
        Some(b']') => match memchr::memchr2(0x07, 0x1b, &bytes[2..]) {
            Some(end) if bytes[2 + end] == 0x07 => 2 + end + 1,
            Some(end) if bytes.get(2 + end + 1) == Some(&b'\\') => 2 + end + 2,
            _ => sign,
        },
        _ => sign,
    }
}

/// Whether a text has an escape of a script, of JSON, of CSS or of `escape()`.
pub fn has_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\\', bytes).any(|at| escape::is_escape(&bytes[at + 1..]))
        || NUMBERED.iter().any(|sign| memchr::memmem::find_iter(bytes, sign).any(|at| is_hex(bytes, at + 2, 4)))
}

/// Stand before the number of a letter.
const NUMBERED: [&str; 2] = ["%u", "U+"];

fn is_hex(bytes: &[u8], from: usize, count: usize) -> bool {
    bytes.get(from..from + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

fn unescaped(text: &str) -> Option<String> {
    if !has_escapes(text) {
        return None;
    }
    let mut plain = text.to_owned();
    for sign in NUMBERED.iter().filter(|sign| text.contains(**sign)) {
        plain = plain.replace(sign, "\\u");
    }
    Some(escape::any(&plain)).filter(|undone| undone != text)
}

fn decoded(text: &str) -> Option<String> {
    if !word::has_any(text) {
        return None;
    }
    Some(word::decode(text).0.into_owned()).filter(|decoded| decoded != text)
}

/// Whether a text has two escapes of quoted-printable side by side: `=E9=88=B4`.
fn has_quoted(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_one = |at: usize| bytes.get(at) == Some(&b'=') && is_hex(bytes, at + 1, 2);
    memchr::memchr_iter(b'=', bytes).any(|at| is_one(at) && is_one(at + 3))
}

fn unquoted(text: &str) -> Option<String> {
    if !has_quoted(text) {
        return None;
    }
    let (bytes, _) = transfer::quoted_printable(text.as_bytes());
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let bytes = error.into_bytes();
            let other = charset::others(&bytes, None).into_iter().next().map(|(_, text)| text);
            other.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    Some(text)
}

/// Brackets of readings, as they are written and folded. Corner brackets are none: `雑誌「さくら」`
/// names what stands in them.
const OPENING: [char; 12] = ['（', '(', '《', '〔', '[', '【', '〈', '［', '｛', '{', '＜', '<'];
const CLOSING: [char; 12] = ['）', ')', '》', '〕', ']', '】', '〉', '］', '｝', '}', '＞', '>'];
/// Says where the kanji of a reading begin: `｜鈴木《すずき》`.
const BARS: [char; 2] = ['｜', '|'];
/// The longest reading of a word, in characters.
const FURIGANA_MAX: usize = 20;

/// Whether a character is a kanji.
pub fn is_kanji(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '々' | '〆' | 'ヶ')
}

/// Whether a text is kana alone, blanks and brackets around it aside.
pub fn is_kana(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.chars().all(|c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' | ' ' | '\u{3000}'))
}

/// The next reading in brackets behind a kanji, from a place on: where its brackets
/// begin and end.
fn furigana(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let open = at + text[at..].find(OPENING)?;
        let sign = text[open..].chars().next()?;
        let inside = open + sign.len_utf8();
        at = inside;
        if !text[..open].chars().next_back().is_some_and(is_kanji) {
            continue;
        }
        let closing = CLOSING[OPENING.iter().position(|known| *known == sign)?];
        let mut chars = text[inside..].char_indices().take(FURIGANA_MAX + 1);
        let Some((length, _)) = chars.find(|(_, c)| *c == closing) else { continue };
        if is_kana(&text[inside..inside + length]) {
            return Some((open, inside + length + closing.len_utf8()));
        }
    }
}

/// Whether a text has readings in brackets behind kanji.
pub fn has_furigana(text: &str) -> bool {
    !text.is_ascii() && furigana(text, 0).is_some()
}

/// Whether a text ends inside of brackets behind kanji that hold nothing but kana: 鈴木(すず.
pub fn ends_in_furigana(text: &str) -> bool {
    let Some(at) = text.rfind(OPENING) else { return false };
    let inner = text[at..].trim_start_matches(OPENING).trim();
    text[..at].ends_with(is_kanji) && (inner.is_empty() || is_kana(inner))
}

/// A text without the readings behind its kanji; `None` if there are none.
pub fn without_furigana(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let (mut out, mut copied) = (None::<String>, 0);
    while let Some((start, end)) = furigana(text, copied) {
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        let before = &text[copied..start];
        let head = before.trim_end_matches(is_kanji);
        out.push_str(head.strip_suffix(BARS).unwrap_or(head));
        out.push_str(&before[head.len()..]);
        copied = end;
    }
    out.map(|out| out + &text[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str, expected: &str) {
        let all = readings(text);
        assert!(all.iter().any(|(_, reading)| reading == expected), "{text:?}: {all:?}");
    }

    #[test]
    fn signs_that_programs_leave_out() {
        for text in [
            "4820\u{0}1937",
            "4820\u{8}1937",
            "4820\u{7f}1937",
            "4820\u{1b}1937",
            "4820\u{85}1937",
            "4820\u{9b}1937",
            "4820\r1937",
            "4820\u{b}1937",
            "4820\u{c}1937",
            "4820\u{1b}[1m1937",
            "4820\u{1b}(B1937",
            "\u{1b}[38;5;12m4820\u{1b}[0m1937",
            "4820\u{9b}1m1937",
            "4820\u{1b}]0;x\u{7}1937",
            "4820\u{fffd}1937",
            "\u{1b}4820\u{1b}1937",
        ] {
            reads(text, "48201937");
        }
    }

    #[test]
    fn escapes_are_undone() {
        for text in [
            r"\u9234\u6728\u82b1\u5b50",
            r"\u{9234}\u{6728}\u{82B1}\u{5b50}",
            r"\xe9\x88\xb4\xe6\x9c\xa8\xe8\x8a\xb1\xe5\xad\x90",
            r"\351\210\264\346\234\250\350\212\261\345\255\220",
            r"\\u9234\\u6728\\u82b1\\u5b50",
            r"\9234 \6728 \82b1 \5b50",
            r"\U00009234\U00006728\U000082b1\U00005b50",
            "%u9234%u6728%u82B1%u5B50",
            "=?utf-8?B?6Yi05pyo6Iqx5a2Q?=",
            "=E9=88=B4=E6=9C=A8=E8=8A=B1=E5=AD=90",
            "鈴木（すずき）花子（はなこ）",
            "鈴木(スズキ)花子",
            "鈴木《すずき》花子《はなこ》",
            "｜鈴木《すずき》花子〈はなこ〉",
            "鈴木｛すずき｝花子[ハナコ]",
            "U+9234U+6728U+82b1U+5B50",
        ] {
            reads(text, "鈴木花子");
        }
    }

    #[test]
    fn common_texts_have_no_second_reading() {
        for text in [
            "お知らせ（2026年）\r\n",
            "C:\\users\\name",
            "a\\nb",
            "x=?y=?z",
            "100%up",
            "会社（かぶしき会社）",
            "(かな)",
            "mso-font-alt: \\\"Arial\\\"",
            "\t\r\n",
        ] {
            assert_eq!(readings(text), [], "{text}");
        }
    }

    #[test]
    fn readings_in_brackets() {
        for (text, expected) in [
            ("鈴木（すずき）花子（はなこ）です", Some("鈴木花子です")),
            ("鈴木《すずき》花子《はなこ》", Some("鈴木花子")),
            ("｜鈴木《すずき》花子", Some("鈴木花子")),
            ("山田（ヤマダ）太郎", Some("山田太郎")),
            ("山田（担当）太郎", None),
            ("メール（すずき）", None),
        ] {
            assert_eq!(without_furigana(text).as_deref(), expected, "{text}");
        }
    }
}
