//! Encoded-words (RFC 2047) in a header field's value.
//!
//! Adjacent words join without the white space between them, and words of one
//! charset and encoding join as bytes, since senders split characters. Words
//! are decoded wherever they stand, in quoted strings and inside other words
//! too: some mail program does. A damaged word stays as written.

use std::borrow::Cow;

use super::transfer::{self, Encoding};

/// The longest encoded-word that is read, in bytes.
const WORD_BYTES_MAX: usize = 2048;

/// One encoded-word's three fields.
struct Word<'t> {
    charset: &'t str,
    encoding: Encoding,
    text: &'t str,
    length: usize,
}

/// The value with its encoded-words decoded, and whether any was damaged.
pub fn decode(value: &str) -> transfer::Read<Cow<'_, str>> {
    if memchr::memmem::find(value.as_bytes(), b"=?").is_none() {
        return (Cow::Borrowed(value), None);
    }
    let mut out = String::with_capacity(value.len());
    let mut damage = None;
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let gap = &rest[..at];
        let Some(word) = parse(&rest[at..]) else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            after_word = false;
            continue;
        };
        if !(after_word && gap.trim().is_empty()) {
            out.push_str(gap);
        }
        rest = &rest[at + word.length..];
        let mut bytes = bytes_of(&word, &mut damage);
        let charset = word.charset;
        // Further words of the same kind, nothing but white space between.
        while let Some(next) = parse(rest.trim_start())
            .filter(|next| next.encoding == word.encoding && next.charset.eq_ignore_ascii_case(charset))
        {
            bytes.extend(bytes_of(&next, &mut damage));
            rest = &rest.trim_start()[next.length..];
        }
        let (text, wrong) = transfer::text(Cow::Owned(bytes), Some(charset));
        damage = damage.or(wrong);
        out.push_str(&text);
        after_word = true;
    }
    out.push_str(rest);
    (Cow::Owned(out), damage)
}

/// Reads `=?charset?encoding?text?=` at the start of a text.
fn parse(text: &str) -> Option<Word<'_>> {
    // A word is 75 bytes by RFC 2047 §2; the bound keeps damaged headers linear.
    let text = &text[..text.floor_char_boundary(WORD_BYTES_MAX)];
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let encoding = match encoding {
        "b" | "B" => Encoding::Base64,
        "q" | "Q" => Encoding::QuotedPrintable,
        _ => return None,
    };
    let end = rest.find("?=")?;
    if charset.is_empty() || charset.len() > 64 || charset.contains(char::is_whitespace) {
        return None;
    }
    let length = text.len() - rest.len() + end + 2;
    Some(Word { charset, encoding, text: &rest[..end], length })
}

fn bytes_of(word: &Word<'_>, damage: &mut Option<&'static str>) -> Vec<u8> {
    let spaced;
    let text = if word.encoding == Encoding::QuotedPrintable {
        spaced = word.text.replace('_', " ");
        spaced.as_str()
    } else {
        word.text
    };
    let (bytes, wrong) = transfer::decode(text.as_bytes(), word.encoding);
    if wrong.is_some() {
        *damage = Some("it has a damaged encoded-word");
    }
    bytes.into_owned()
}
