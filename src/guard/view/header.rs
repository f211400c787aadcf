//! Header fields → views: each value decoded, display names, parameters, URLs.
//!
//! A value without encoded-words is its own raw form; one with them is shown
//! decoded only, because `=82example.com` in the raw form is no host that
//! anybody wrote. Hashes and time stamps of signatures are left out: they say
//! nothing, and look like identifiers.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Address, HeaderValue, MimeHeaders};

use super::entity::{Entity, Field};
use super::escape;
use super::parameter;
use super::plain;
use super::sink::Sink;
use super::transfer::{self, Encoding};
use super::url::Origin;
use super::word;
use super::{Shape, Unreadable, charset, mixed, url};

/// Fields that a mail program shows to its reader.
const SHOWN: &[&str] = &[
    "Subject",
    "From",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Sender",
    "Comments",
    "Keywords",
    "Organization",
    "Content-Description",
    "Resent-From",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
];

/// Other fields with a place of their own.
const KNOWN: &[&str] = &[
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Return-Path",
    "Received",
    "List-Id",
    "List-Help",
    "List-Owner",
    "List-Post",
    "List-Archive",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "Precedence",
    "Auto-Submitted",
    "MIME-Version",
    "X-Mailer",
    "Content-Type",
    "Content-Disposition",
    "Content-Transfer-Encoding",
    "Content-ID",
    "Content-Location",
    "Content-Language",
    "DKIM-Signature",
];

/// What the message's own header is called.
const OUTERMOST: &str = "header";

/// Adds the views of an entity's header. `part` is the entity's own name, empty
/// for the message itself.
pub fn read<'a>(entity: &Entity<'a>, part: &str, sink: &mut Sink<'_, 'a>, unreadable: &mut Vec<Unreadable>) {
    let part = if part.is_empty() { OUTERMOST.to_owned() } else { format!("{part} header") };
    for field in &entity.fields {
        self::field(field, &part, sink, unreadable);
    }
    for line in &entity.stray {
        let text = Cow::Owned(String::from_utf8_lossy(line).into_owned());
        sink.push(&part, "stray line", None, Shape::Hidden, text);
    }
    if !entity.stray.is_empty() {
        unreadable.push(Unreadable { place: part.clone(), why: "it has a line that is no header field".into() });
    }
    addresses(entity, &part, sink);
    parameters(entity, &part, sink, unreadable);
}

/// The static name of a field, and whether it is shown.
fn known(name: &str) -> (Option<&'static str>, Shape) {
    let find = |list: &'static [&'static str]| list.iter().copied().find(|known| known.eq_ignore_ascii_case(name));
    match find(SHOWN) {
        Some(known) => (Some(known), Shape::Visible),
        None => (find(KNOWN), Shape::Hidden),
    }
}

fn field(field: &Field<'_>, part: &str, sink: &mut Sink<'_, '_>, unreadable: &mut Vec<Unreadable>) {
    let (static_name, shape) = known(&field.name);
    let view = static_name.unwrap_or("field");
    let at = static_name.is_none().then(|| field.name.to_string());
    let mut fail = |why: &str| {
        unreadable.push(Unreadable { place: format!("{part} {}", field.name), why: why.to_owned() });
    };
    let (value, damage) = transfer::text(Cow::Borrowed(&field.value), None);
    if let Some(why) = damage {
        fail(why);
    }
    // `base64` is a word of letters and digits, as an ID may be.
    if view == "Content-Transfer-Encoding" && Encoding::parse(&value) != Encoding::Unknown {
        return;
    }
    // A part that is signed by itself is something that no mailer makes.
    let signs = part == OUTERMOST && is_signature(&field.name);
    let value = if signs { Cow::Owned(without_hashes(&value)) } else { value };
    let value = if view == "Content-Type" { without_charset(value) } else { value };
    // Extended parameters (RFC 2231) are percent-encoded, and may be in pieces:
    // `parameters` shows them put together.
    let extended = matches!(view, "Content-Type" | "Content-Disposition") && value.contains('*');
    let value = if extended { escape::percent(&value) } else { Cow::Borrowed(&*value) };
    let shape = if extended { Shape::Loose } else { shape };
    let (value, damage) = word::decode(&value);
    if let Some(why) = damage {
        fail(why);
    }
    let name = field.name.as_ref();
    let origin = Origin { part, view, at: format_args!("{}", if static_name.is_some() { "" } else { name }) };
    plain::links_in(&value, origin, sink);
    url::hidden_in(&value, origin, sink);
    if let Some(joined) = in_lines(&value) {
        url::hidden(&joined, origin, sink);
    }
    others(field, origin, sink);
    let text = plain::change(Cow::Owned(value.into_owned()), plain::unescape);
    sink.push(part, view, at, shape, text);
}

/// What a field says in other charsets than its own: its bytes, and its encoded-words.
fn others(field: &Field<'_>, origin: Origin<'_>, sink: &mut Sink<'_, '_>) {
    let Origin { part, view, at } = origin;
    if charset::may_differ(&field.value) {
        for (name, text) in charset::others(&field.value, None) {
            let text = word::decode(&text).0;
            sink.once(part, view, format_args!("{at}, {name}"), Shape::Loose, &plain::unescape(&text));
        }
    }
    if mixed::is_ambiguous(&field.value) {
        for (name, text) in charset::of_value(&field.value) {
            sink.once(part, view, format_args!("{at}, {name}"), Shape::Loose, &text);
        }
    }
    if memchr::memchr(b'%', &field.value).is_some() {
        let value = String::from_utf8_lossy(&field.value);
        let decoded = escape::percent(&value);
        if matches!(decoded, Cow::Owned(_)) {
            sink.once(part, view, format_args!("{at}, percent-decoded"), Shape::Loose, &decoded);
        }
    }
    if memchr::memmem::find(&field.value, b"=?").is_some() {
        for (name, text) in word::others(&String::from_utf8_lossy(&field.value)) {
            sink.once(part, view, format_args!("{at}, {name}"), Shape::Loose, &plain::unescape(&text));
        }
    }
    if matches!(view, "Content-Type" | "Content-Disposition") && memchr::memchr(b'*', &field.value).is_some() {
        for (name, text) in parameter::others(&field.value) {
            sink.once(part, view, format_args!("{at}, {name}"), Shape::Loose, &text);
        }
    }
}

/// Base64 that a field's lines were folded in, joined.
fn in_lines(value: &str) -> Option<String> {
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b);
    let value = value.trim();
    let is_folded = value.contains([' ', '\t']) && value.bytes().all(|b| is_base64(b) || matches!(b, b' ' | b'\t'));
    is_folded.then(|| value.split_ascii_whitespace().collect())
}

/// A content type without the name of its charset, which looks like an identifier and
/// is none: `ks_c_5601-1987`.
fn without_charset(value: Cow<'_, str>) -> Cow<'_, str> {
    const SIGN: &str = "charset=";
    let Some(start) = value.to_ascii_lowercase().find(SIGN).map(|at| at + SIGN.len()) else { return value };
    let named = value[start..].split([';', ' ', '\t', ',']).next().unwrap_or_default();
    if !charset::is_name(&named.trim_matches('"').to_ascii_lowercase()) {
        return value;
    }
    Cow::Owned([&value[..start], &value[start + named.len()..]].concat())
}

fn is_signature(name: &str) -> bool {
    ["DKIM-Signature", "ARC-Seal", "ARC-Message-Signature"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A signature's field as it is read, if it is one: the same for every message
/// that one key signed.
pub fn unsigned(field: &[u8]) -> Option<String> {
    let (name, value) = std::str::from_utf8(field).ok()?.split_once(':')?;
    is_signature(name).then(|| format!("{name}:{}\r\n", without_hashes(value.trim_end())))
}

/// A signature's tags without hashes (`b`, `bh`) and times (`t`, `x`), if they are
/// that, and each is there once.
fn without_hashes(value: &str) -> String {
    let name = |tag: &str| tag.split_once('=').map_or("", |(name, _)| name.trim()).to_owned();
    let names: Vec<String> = value.split(';').map(name).collect();
    let says_nothing = |(tag, name): (&str, &String)| {
        let Some((_, value)) = tag.split_once('=').filter(|_| names.iter().filter(|n| *n == name).count() == 1) else {
            return false;
        };
        match name.as_str() {
            "b" => is_hash(value, &SIGNATURES),
            "bh" => is_hash(value, &HASHES),
            // Ten digits until the year 2286.
            "t" | "x" => value.trim().len() == 10 && value.trim().bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        }
    };
    value.split(';').zip(&names).filter(|tag| !says_nothing(*tag)).map(|(tag, _)| tag).collect::<Vec<_>>().join(";")
}

/// How long signatures are: Ed25519, and RSA of 1,024 to 4,096 bits, in bytes.
const SIGNATURES: [usize; 5] = [64, 128, 256, 384, 512];
/// How long hashes are: SHA-1 and SHA-256, in bytes.
const HASHES: [usize; 2] = [20, 32];

/// Whether a value is base64 of so many bytes that are no text, and no line of it is
/// a number.
fn is_hash(value: &str, lengths: &[usize]) -> bool {
    let is_number = |line: &str| line.len() > 3 && line.bytes().all(|b| b.is_ascii_digit());
    if value.split_ascii_whitespace().any(is_number) {
        return false;
    }
    let joined: String = value.split_ascii_whitespace().collect();
    STANDARD.decode(joined).is_ok_and(|bytes| lengths.contains(&bytes.len()) && std::str::from_utf8(&bytes).is_err())
}

/// Display names and addresses as the MIME parser reads them, where quoting or
/// comments make them differ from the field's value.
fn addresses(entity: &Entity<'_>, part: &str, sink: &mut Sink<'_, '_>) {
    let headers = entity.parsed.as_ref().and_then(|m| m.parts.first()).map_or(&[][..], |p| &p.headers);
    for header in headers {
        let HeaderValue::Address(address) = &header.value else { continue };
        let view = known(header.name.as_str()).0.unwrap_or("field");
        let groups: Vec<_> = match address {
            Address::List(list) => list.iter().collect(),
            Address::Group(groups) => {
                for name in groups.iter().filter_map(|g| g.name.as_deref()) {
                    sink.once(part, view, format_args!("display name"), Shape::Visible, &word::decode(name).0);
                }
                groups.iter().flat_map(|g| &g.addresses).collect()
            }
        };
        for one in groups {
            if let Some(name) = &one.name {
                sink.once(part, view, format_args!("display name"), Shape::Visible, &word::decode(name).0);
            }
            if let Some(address) = one.address.as_deref().filter(|a| !a.contains(':')) {
                sink.once(part, view, format_args!("address"), Shape::Hidden, address);
            }
        }
    }
}

/// Parameters of Content-Type and Content-Disposition: file names, boundaries.
fn parameters(entity: &Entity<'_>, part: &str, sink: &mut Sink<'_, '_>, unreadable: &mut Vec<Unreadable>) {
    let Some(parsed) = &entity.parsed else { return };
    for (view, value) in
        [("Content-Type", parsed.content_type()), ("Content-Disposition", parsed.content_disposition())]
    {
        let fields = entity.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(view));
        let extended: Vec<_> = fields.flat_map(|field| parameter::extended(&field.value)).collect();
        for (name, (text, damage)) in &extended {
            parameter(part, view, name, &escape::percent(text), sink);
            if let Some(why) = damage {
                unreadable.push(Unreadable { place: format!("{part} {view}"), why: (*why).to_owned() });
            }
        }
        // The parser reads each piece of an extended one by itself.
        let attributes = value.and_then(|v| v.attributes()).unwrap_or_default();
        let plain = attributes.iter().filter(|a| !extended.iter().any(|(name, _)| a.name.eq_ignore_ascii_case(name)));
        for attribute in plain {
            let (text, _) = word::decode(&attribute.value);
            let text = escape::percent(&text);
            parameter(part, view, &attribute.name, &text, sink);
        }
    }
}

fn parameter(part: &str, view: &'static str, name: &str, text: &str, sink: &mut Sink<'_, '_>) {
    match name {
        "name" | "filename" => sink.once(part, "file name", format_args!("in {view}"), Shape::Visible, text),
        "charset" => {}
        name => sink.once(part, view, format_args!("parameter {name}"), Shape::Hidden, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_and_times_of_a_signature_are_left_out() {
        let field = |tags: &str| unsigned(format!("DKIM-Signature: v=1; {tags}\r\n").as_bytes()).unwrap();
        let base64 = |length: usize| STANDARD.encode(vec![0xe3; length]);
        let (hash, signature) = (base64(32), base64(256).replacen("4+Pj4+Pj", "4+Pj\r\n\t4+Pj", 1));
        assert_eq!(
            field(&format!("t=1795652262; s=k1; bh={hash};\r\n\tb={signature}")),
            "DKIM-Signature: v=1; s=k1\r\n"
        );
        let (text, short) = (STANDARD.encode("taro@b.example 10000001 abcdefgh"), base64(31));
        for kept in [
            "b=AbC\r\n\texample.com",
            "bh=taro@b.example",
            "t=10000001",
            "x=03-1234-5678",
            "b 10000001",
            "b=10000007",
            &format!("bh={text}"),
            &format!("bh={short}"),
            &format!("bh={hash};bh={hash}"),
            &format!("b={}", base64(256).replacen("4+Pj4+Pj", "4+Pj\r\n 10000007\r\n ", 1)),
        ] {
            assert_eq!(field(kept), format!("DKIM-Signature: v=1; {kept}\r\n"));
        }
        assert_eq!(unsigned(b"Subject: b=AbC\r\n"), None);
    }
}
