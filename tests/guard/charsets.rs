//! The Japanese charsets, in every place where a charset may be named, and, for
//! ISO-2022-JP, where it tells itself by its escapes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{EUC_JP, ISO_2022_JP, SHIFT_JIS};

use super::encodings::{ALL, Encoding};
use super::letter::{Letter, base64_lines};

type Charset = &'static encoding_rs::Encoding;

macro_rules! rows {
    ($family:expr, $($name:literal, $put:expr;)*) => {
        &[$(Encoding { family: $family, name: $name, kinds: ALL, put: $put }),*]
    };
}

/// The places, for one charset. A value that it does not have has no such form.
macro_rules! places {
    ($family:literal, $charset:ident) => {
        rows! { $family,
            "text as it is", |l, v| body(l, $charset, "text/plain", "8bit", &prose(v));
            "text in base64", |l, v| body(l, $charset, "text/plain", "base64", &prose(v));
            "text in QP", |l, v| body(l, $charset, "text/plain", "quoted-printable", &prose(v));
            "HTML as it is", |l, v| body(l, $charset, "text/html", "8bit", &markup(v));
            "HTML in base64", |l, v| body(l, $charset, "text/html", "base64", &markup(v));
            "HTML in QP", |l, v| body(l, $charset, "text/html", "quoted-printable", &markup(v));
            "HTML with tags inside", |l, v| body(l, $charset, "text/html", "base64", &tagged(v));
            "csv attachment", |l, v| body(l, $charset, "text/csv", "base64", &format!("月,値\r\n一月,{v}\r\n"));
            "inner message", |l, v| inner(l, $charset, v);
            "subject in B", |l, v| subject(l, &word(v, $charset, 'B')?);
            "subject in Q", |l, v| subject(l, &word(v, $charset, 'Q')?);
            "subject in two words", |l, v| subject(l, &words(v, $charset)?);
            "subject in a word for each character", |l, v| subject(l, &word_each(v, $charset)?);
            "subject, a character split between two words", |l, v| subject(l, &split_words(v, $charset)?);
            "subject in two charsets", |l, v| subject(l, &mixed_words(v, $charset)?);
            "From display name", |l, v| from(l, &word(v, $charset, 'B')?);
            "RFC 2047 file name", |l, v| file(l, &format!("filename=\"{}\"", word(&format!("{v}.txt"), $charset, 'B')?));
            "RFC 2231 file name", |l, v| file(l, &extended(v, $charset)?);
            "RFC 2231 file name in pieces", |l, v| file(l, &extended_pieces(v, $charset)?);
        }
    };
}

/// Every charset's rows.
pub const CHARSETS: [&[Encoding]; 4] = [
    places!("ISO-2022-JP", ISO_2022_JP),
    places!("Shift_JIS", SHIFT_JIS),
    places!("EUC-JP", EUC_JP),
    rows! { "ISO-2022-JP, not declared",
        "text without a charset", |l, v| undeclared(l, "text/plain", &prose(v));
        "text that claims ASCII", |l, v| undeclared(l, "text/plain; charset=us-ascii", &prose(v));
        "text that claims UTF-8", |l, v| undeclared(l, "text/plain; charset=utf-8", &prose(v));
        "HTML without a charset", |l, v| undeclared(l, "text/html", &markup(v));
    },
];

/// A text in a charset; `None` where the charset does not have all of it.
pub fn encode(text: &str, charset: Charset) -> Option<Vec<u8>> {
    let (bytes, _, is_damaged) = charset.encode(text);
    // Some characters are written as others: half-width kana, in ISO-2022-JP.
    (!is_damaged && charset.decode_without_bom_handling(&bytes).0 == text).then(|| bytes.into_owned())
}

/// Quoted-printable in lines of 75; line breaks stay.
pub fn quoted_printable(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut column = 0;
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        if let [b'\r', b'\n', after @ ..] = rest {
            out.push_str("\r\n");
            (rest, column) = (after, 0);
            continue;
        }
        let piece = match byte {
            b'!'..=b'<' | b'>'..=b'~' => char::from(*byte).to_string(),
            _ => format!("={byte:02X}"),
        };
        if column + piece.len() > 75 {
            out.push_str("=\r\n");
            column = 0;
        }
        column += piece.len();
        out.push_str(&piece);
        rest = after;
    }
    out
}

/// Bytes under a transfer encoding.
pub fn transfer(bytes: Vec<u8>, encoding: &str) -> Vec<u8> {
    match encoding {
        "base64" => base64_lines(bytes).into_bytes(),
        "quoted-printable" => quoted_printable(&bytes).into_bytes(),
        _ => bytes,
    }
}

/// One encoded-word.
pub fn word(text: &str, charset: Charset, encoding: char) -> Option<String> {
    Some(word_of(&encode(text, charset)?, charset, encoding))
}

fn word_of(bytes: &[u8], charset: Charset, encoding: char) -> String {
    let text = match encoding {
        'B' => STANDARD.encode(bytes),
        _ => bytes.iter().map(|b| format!("={b:02X}")).collect(),
    };
    format!("=?{}?{encoding}?{text}?=", charset.name())
}

fn prose(value: &str) -> String {
    format!("お知らせです。\r\n値は {value} です。\r\n")
}

fn markup(value: &str) -> String {
    format!("<p>お知らせです。</p><p>値は {value} です。</p>")
}

fn tagged(value: &str) -> String {
    let tagged: String = value.chars().map(|c| format!("<b>{c}</b>")).collect();
    format!("<p>お知らせです。</p><p>{tagged}</p>")
}

fn body(letter: &mut Letter, charset: Charset, kind: &str, encoding: &str, text: &str) -> Option<()> {
    let encoded = transfer(encode(text, charset)?, encoding);
    let name = charset.name();
    let head = format!("Content-Type: {kind}; charset={name}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
    letter.raw_parts.push([head.as_bytes(), &encoded].concat());
    Some(())
}

fn undeclared(letter: &mut Letter, kind: &str, text: &str) -> Option<()> {
    let head = format!("Content-Type: {kind}\r\n\r\n");
    letter.raw_parts.push([head.as_bytes(), &encode(text, ISO_2022_JP)?].concat());
    Some(())
}

fn inner(letter: &mut Letter, charset: Charset, value: &str) -> Option<()> {
    let head = format!(
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: text/plain; charset={}\r\n\r\n",
        charset.name()
    );
    letter.raw_parts.push([head.as_bytes(), &encode(&prose(value), charset)?].concat());
    Some(())
}

fn subject(letter: &mut Letter, value: &str) -> Option<()> {
    letter.header("Subject", value);
    Some(())
}

fn from(letter: &mut Letter, name: &str) -> Option<()> {
    letter.header("From", &format!("{name} <news@registrar.example>"));
    Some(())
}

fn file(letter: &mut Letter, parameter: &str) -> Option<()> {
    letter.parts.push(format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment;\r\n {parameter}\r\n\r\nx"
    ));
    Some(())
}

fn halves(value: &str) -> (&str, &str) {
    let middle = value.char_indices().nth(value.chars().count() / 2).map_or(0, |(at, _)| at);
    value.split_at(middle)
}

fn words(value: &str, charset: Charset) -> Option<String> {
    let (first, second) = halves(value);
    Some(format!("{}\r\n {}", word(first, charset, 'B')?, word(second, charset, 'B')?))
}

fn word_each(value: &str, charset: Charset) -> Option<String> {
    let words = value.chars().map(|c| word(c.encode_utf8(&mut [0; 4]), charset, 'B'));
    Some(words.collect::<Option<Vec<_>>>()?.join("\r\n "))
}

/// Senders that count bytes split a character, or leave a word in the other
/// character set.
fn split_words(value: &str, charset: Charset) -> Option<String> {
    let bytes = encode(&format!("値は{value}です"), charset)?;
    let (first, second) = bytes.split_at((bytes.len() / 2) | 1);
    Some(format!("{}\r\n {}", word_of(first, charset, 'B'), word_of(second, charset, 'B')))
}

fn mixed_words(value: &str, charset: Charset) -> Option<String> {
    let (first, second) = halves(value);
    Some(format!("{} {}", word(first, charset, 'Q')?, word(second, encoding_rs::UTF_8, 'B')?))
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("%{b:02X}")).collect()
}

fn extended(value: &str, charset: Charset) -> Option<String> {
    Some(format!("filename*={}'ja'{}.txt", charset.name(), percent(&encode(value, charset)?)))
}

fn extended_pieces(value: &str, charset: Charset) -> Option<String> {
    let bytes = encode(value, charset)?;
    let (first, second) = bytes.split_at((bytes.len() / 2) | 1);
    Some(format!("filename*0*={}''{};\r\n filename*1*={}%20x.txt", charset.name(), percent(first), percent(second)))
}
