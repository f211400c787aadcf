//! Parameters in RFC 2231's form: `filename*0*=iso-2022-jp'ja'%1B$B…; filename*1=…`.
//!
//! Input: a field's value, unfolded. Output: each such parameter put together, the
//! bytes of its pieces first and its charset after, since a character may stand in
//! two of them. Pieces are taken in the order of their numbers, whatever is missing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode;

use super::charset;
use super::transfer::{self, Read};

/// One parameter in pieces.
#[derive(Default)]
struct Pieces {
    charset: Option<String>,
    bytes: BTreeMap<u32, Vec<u8>>,
}

/// Every parameter of a field that has a `*` in its name: its name in lower case,
/// and its value.
pub fn extended(value: &[u8]) -> Vec<(String, Read<String>)> {
    let read = |bytes: Vec<u8>, charset: Option<&str>| {
        let (text, damage) = transfer::text(Cow::Owned(bytes), charset);
        (text.into_owned(), damage)
    };
    joined(value).map(|(name, bytes, charset)| (name, read(bytes, charset.as_deref()))).collect()
}

/// What those parameters say in other charsets than they claim, each with the charset.
pub fn others(value: &[u8]) -> Vec<(&'static str, String)> {
    joined(value).flat_map(|(_, bytes, charset)| charset::others(&bytes, charset.as_deref())).collect()
}

/// Each such parameter: its name, its bytes and its charset.
fn joined(value: &[u8]) -> impl Iterator<Item = (String, Vec<u8>, Option<String>)> {
    let mut all: BTreeMap<String, Pieces> = BTreeMap::new();
    for parameter in split(value).skip(1) {
        let Some(equals) = memchr::memchr(b'=', parameter) else { continue };
        let name = String::from_utf8_lossy(parameter[..equals].trim_ascii()).to_ascii_lowercase();
        let Some((name, section)) = name.split_once('*') else { continue };
        let is_percent = section.is_empty() || section.ends_with('*');
        let number: u32 = section.trim_end_matches('*').parse().unwrap_or(0);
        let written = unquoted(parameter[equals + 1..].trim_ascii());
        let pieces = all.entry(name.to_owned()).or_default();
        let mut text = &written[..];
        if is_percent
            && number == 0
            && let Some((charset, rest)) = charset_of(text)
        {
            pieces.charset = Some(charset);
            text = rest;
        }
        let bytes = if is_percent { percent_decode(text).collect() } else { text.to_vec() };
        pieces.bytes.entry(number).or_default().extend(bytes);
    }
    all.into_iter().map(|(name, pieces)| (name, pieces.bytes.into_values().flatten().collect(), pieces.charset))
}

/// `charset'language'` before a value.
fn charset_of(value: &[u8]) -> Option<(String, &[u8])> {
    let first = memchr::memchr(b'\'', value)?;
    let second = first + 1 + memchr::memchr(b'\'', &value[first + 1..])?;
    Some((String::from_utf8_lossy(&value[..first]).into_owned(), &value[second + 1..]))
}

/// The pieces between semicolons that stand in no quoted string.
fn split(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |byte| {
        let escaped = std::mem::take(&mut is_escaped);
        match byte {
            _ if escaped => false,
            b'\\' if is_quoted => {
                is_escaped = true;
                false
            }
            b'"' => {
                is_quoted = !is_quoted;
                false
            }
            byte => *byte == b';' && !is_quoted,
        }
    })
}

/// A quoted string's content; anything else as it stands.
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inside) = value.strip_prefix(b"\"").map(|rest| rest.strip_suffix(b"\"").unwrap_or(rest)) else {
        return Cow::Borrowed(value);
    };
    let mut escaped = false;
    let keep = |byte: &&u8| {
        escaped = **byte == b'\\' && !escaped;
        !escaped
    };
    Cow::Owned(inside.iter().filter(keep).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(value: &str) -> Vec<(String, String)> {
        extended(value.as_bytes()).into_iter().map(|(name, (text, _))| (name, text)).collect()
    }

    #[test]
    fn pieces_are_put_together_before_their_charset_is_read() {
        for (value, expected) in [
            ("a/b; name*=utf-8'ja'%E5%B1%B1", "山"),
            ("a/b; NAME*0*=shift_jis''%8E; name*1*=%52%93%63", "山田"),
            ("a/b; name*1*=%B3%C5%C4; name*0*=euc-jp''%BB", "山田"),
            ("a/b; name*0*=iso-2022-jp'ja'%1B$B%3B; name*1=3ED; name*2*=%1B%28B", "山田"),
            ("a/b; x=\"; name*=no\"; name*0=\"12;\\\"\"; name*1=\"34\"", "12;\"34"),
            ("a/b; name*0=12", "12"),
            ("a/b; name*=it's 12", "it's 12"),
        ] {
            assert_eq!(reads(value), [("name".to_owned(), expected.to_owned())], "{value}");
        }
        assert_eq!(reads("a/b; name=x"), []);
        assert_eq!(reads("name*=x"), [], "the value itself is no parameter");
    }

    #[test]
    fn what_its_charset_does_not_know_is_damage() {
        assert!(extended(b"a/b; name*=euc-jp''%BB")[0].1.1.is_some());
        assert!(extended(b"a/b; name*=klingon''x")[0].1.1.is_some());
    }
}
