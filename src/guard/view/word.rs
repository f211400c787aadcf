//! Encoded-words (RFC 2047) in a header field's value.
//!
//! Adjacent words join without the white space between them, and words of one
//! charset join as bytes, since senders split characters. Words are decoded
//! wherever they stand, in quoted strings and inside other words too: some mail
//! program does. A damaged word stays as written.

use std::borrow::Cow;

use super::charset;
use super::transfer::{self, Encoding};

/// The longest name of a charset in a word, in bytes.
const CHARSET_MAX: usize = 64;

/// One encoded-word's three fields.
struct Word<'t> {
    charset: &'t str,
    encoding: Encoding,
    text: &'t str,
    length: usize,
}

/// The value with its encoded-words decoded, and whether any was damaged.
pub fn decode(value: &str) -> transfer::Read<Cow<'_, str>> {
    let (mut damage, mut wrong) = (None, None);
    let text = replace(value, &mut damage, |bytes, charset| {
        let (text, why) = transfer::text(Cow::Owned(bytes), Some(charset));
        wrong = wrong.or(why);
        text.into_owned()
    });
    (text, damage.or(wrong))
}

/// The value with its encoded-words decoded in other charsets than they claim, once
/// for each that one of them may be in.
pub fn others(value: &str) -> Vec<(&'static str, String)> {
    let mut names: Vec<&'static str> = Vec::new();
    replace(value, &mut None, |bytes, charset| {
        let found = charset::others_of_value(&bytes, charset).into_iter().map(|(name, _)| name);
        found.for_each(|name| names.extend((!names.contains(&name)).then_some(name)));
        String::new()
    });
    let as_charset = |name: &'static str| {
        let text = replace(value, &mut None, |bytes, charset| {
            let mut found = charset::others_of_value(&bytes, charset).into_iter();
            match found.find(|(found, _)| *found == name) {
                Some((_, text)) => text,
                None => transfer::text(Cow::Owned(bytes), Some(charset)).0.into_owned(),
            }
        });
        (name, text.into_owned())
    };
    names.into_iter().map(as_charset).collect()
}

/// Whether there is an encoded-word in a text.
pub fn has_any(text: &str) -> bool {
    let Some(last) = memchr::memmem::rfind(text.as_bytes(), b"?=") else { return false };
    memchr::memmem::find_iter(&text.as_bytes()[..last], b"=?").any(|at| parse(&text[at..]).is_some())
}

/// The value with its encoded-words replaced by what `read` makes of their bytes.
fn replace<'t>(
    value: &'t str,
    damage: &mut Option<&'static str>,
    mut read: impl FnMut(Vec<u8>, &str) -> String,
) -> Cow<'t, str> {
    if memchr::memmem::find(value.as_bytes(), b"=?").is_none() {
        return Cow::Borrowed(value);
    }
    // No word begins behind the last sign that could end one.
    let Some(last) = memchr::memmem::rfind(value.as_bytes(), b"?=") else { return Cow::Borrowed(value) };
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"=?") {
        if value.len() - rest.len() + at > last {
            break;
        }
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
        let mut bytes = bytes_of(&word, damage);
        // Further words of the same charset, nothing but white space between.
        while let Some(next) = parse(rest.trim_start()).filter(|next| next.charset.eq_ignore_ascii_case(word.charset)) {
            bytes.extend(bytes_of(&next, damage));
            rest = &rest.trim_start()[next.length..];
        }
        out.push_str(&read(bytes, word.charset));
        after_word = true;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads `=?charset?encoding?text?=` at the start of a text. Its end is looked for
/// last, and who asks knows that there is one: texts of any length stay linear.
fn parse(text: &str) -> Option<Word<'_>> {
    let after = text.strip_prefix("=?")?;
    let name = after.bytes().take(CHARSET_MAX + 1).position(|b| b == b'?')?;
    let charset = &after[..name];
    if charset.is_empty() || !charset.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let rest = &after[name + 1..];
    let encoding = match rest.as_bytes() {
        [b'b' | b'B', b'?', ..] => Encoding::Base64,
        [b'q' | b'Q', b'?', ..] => Encoding::QuotedPrintable,
        _ => return None,
    };
    let rest = &rest[2..];
    let end = memchr::memmem::find(rest.as_bytes(), b"?=")?;
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
