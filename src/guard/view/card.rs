//! vCard, vCalendar, iCalendar and LDIF, property by property.
//!
//! Input: the bytes of a part and its charset. Output: views of its text, in which each
//! property stands on a line of its own: unfolded, its value decoded as its own
//! parameters say (`ENCODING`, `CHARSET`), backslash and caret escapes undone. URLs in
//! it are read, HTML in it is read as HTML, and a card in a card as a card. Errors: an
//! attached file that is not text, a charset that is unknown, damage. Sources: RFC 2426,
//! RFC 6350, RFC 5545, RFC 6868, RFC 2849, vCard 2.1 and vCalendar 1.0 (IMC, 1996).
//!
//! Telephones write vCard 2.1, in which the blank at a folded line may be a part of the
//! value; what it says with that blank is a second reading.

use std::borrow::Cow;

use base64::Engine;

use super::escape::BASE64;
use super::html::{self, Dialect};
use super::plain;
use super::sink::Sink;
use super::transfer;
use super::{Shape, charset, format};

/// Cards in cards are read this deep.
const DEPTH_MAX: usize = 2;
/// Lines in which the head of a property may be folded.
const HEAD_LINES_MAX: usize = 32;
/// Properties that hold a picture, a sound or a key: no text, and nobody's name.
const PICTURES: [&str; 5] = ["PHOTO", "LOGO", "SOUND", "KEY", "USERCERTIFICATE"];
/// Properties whose parts are one thing: a name, a body, an address.
const STRUCTURED: [&str; 3] = ["N", "ORG", "ADR"];

/// Adds the views of a card; says what could not be read.
pub fn read(bytes: &[u8], charset: Option<&str>, part: &str, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
    nested(bytes, charset, part, 0, sink)
}

fn nested(
    bytes: &[u8],
    charset: Option<&str>,
    part: &str,
    depth: usize,
    sink: &mut Sink<'_, '_>,
) -> Option<&'static str> {
    let mut card = Card::default();
    for property in properties(bytes, b"") {
        card.add(&property, charset);
    }
    let mut spaced = Card::default();
    for property in properties(bytes, b" ") {
        spaced.add(&property, charset);
    }
    plain::links(&card.text, part, sink);
    sink.push(part, "text", None, Shape::Visible, Cow::Owned(plain::unescape(&card.text).into_owned()));
    if spaced.text != card.text {
        sink.again(|sink| {
            let text = plain::unescape(&spaced.text).into_owned();
            sink.push(part, "text", Some(", folded lines parted".into()), Shape::Loose, text.into());
        });
    }
    if !card.others.is_empty() {
        let text = plain::unescape(&card.others).into_owned();
        sink.push(part, "text", Some(", other readings".into()), Shape::Loose, text.into());
    }
    for (name, value) in &card.html {
        html::read(value, &format!("{part} {name}"), Dialect::Html, sink);
    }
    if depth < DEPTH_MAX {
        for value in &card.cards {
            nested(value.as_bytes(), None, &format!("{part} card"), depth + 1, sink);
        }
    }
    card.damage
}

/// What the properties of a card say.
#[derive(Default)]
struct Card {
    text: String,
    /// Lines that are second readings.
    others: String,
    html: Vec<(String, String)>,
    cards: Vec<String>,
    damage: Option<&'static str>,
}

/// One property as it stands, its lines joined.
struct Property<'b> {
    head: Cow<'b, [u8]>,
    value: Vec<u8>,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Plain,
    QuotedPrintable,
    Base64,
}

impl Card {
    fn add(&mut self, property: &Property<'_>, charset: Option<&str>) {
        let head = transfer::text(Cow::Borrowed(&property.head), charset).0;
        let (written, own) = parameters(&head);
        let name = head.split(';').next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
        let name = name.trim().to_ascii_uppercase();
        let bytes = match written {
            Written::Plain => Cow::Borrowed(&property.value[..]),
            Written::QuotedPrintable => Cow::Owned(transfer::quoted_printable(&property.value).0),
            Written::Base64 => {
                let packed: Vec<u8> = property.value.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
                match BASE64.decode(&packed) {
                    Ok(bytes) => Cow::Owned(bytes),
                    Err(_) => Cow::Borrowed(&property.value[..]),
                }
            }
        };
        let said = own.as_deref().or(charset);
        let is_picture = PICTURES.contains(&&*name);
        let (text, damage) = transfer::text(Cow::Borrowed(&bytes), said);
        if damage.is_some() && written == Written::Base64 {
            if !is_picture {
                self.damage = self.damage.or(Some("it embeds a file that is not text"));
            }
        } else {
            self.damage = self.damage.or(damage);
        }
        if !(is_picture && damage.is_some()) {
            self.line(&name, &head, &text, written);
        }
        if charset::may_differ(&bytes) || said.is_some_and(|said| !charset::is_utf8(&said.to_ascii_lowercase())) {
            for (_, text) in charset::others(&bytes, said) {
                self.others.push_str(&unescaped(&text));
                self.others.push('\n');
            }
        }
    }

    /// A property's line, its value decoded.
    fn line(&mut self, name: &str, head: &str, text: &str, written: Written) {
        let value = if written == Written::Base64 { Cow::Borrowed(text) } else { Cow::Owned(unescaped(text)) };
        if !head.is_empty() {
            self.text.push_str(&shown_head(head));
            self.text.push(':');
        }
        self.text.push_str(&value);
        self.text.push('\n');
        if STRUCTURED.contains(&name) && text.contains(';') {
            let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
            let turned = parts.iter().rev().copied().collect::<Vec<_>>().join(" ");
            for joined in [parts.join(" "), turned] {
                self.others.push_str(&unescaped(&joined));
                self.others.push('\n');
            }
        }
        if format::looks_like_html(&value) {
            self.html.push((name.to_owned(), value.to_string()));
        }
        if format::looks_like_card(&value) && !name.is_empty() {
            self.cards.push(value.into_owned());
        }
    }
}

/// How a property's value is written, and in which charset, by its parameters.
fn parameters(head: &str) -> (Written, Option<String>) {
    let (mut written, mut charset) = (Written::Plain, None);
    // LDIF: `mail:: aGFuYWtv`.
    if head.ends_with(':') {
        written = Written::Base64;
    }
    for parameter in head.split(';').skip(1) {
        let (name, value) = parameter.split_once('=').unwrap_or(("ENCODING", parameter));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_uppercase().as_str() {
            "ENCODING" => match value.trim_end_matches(':').to_ascii_uppercase().as_str() {
                "QUOTED-PRINTABLE" | "QP" | "Q" => written = Written::QuotedPrintable,
                "BASE64" | "B" => written = Written::Base64,
                _ => {}
            },
            "CHARSET" => charset = Some(value.trim_end_matches(':').to_owned()),
            _ => {}
        }
    }
    (written, charset)
}

/// What stands before a value, without what says how it is written; carets undone
/// (RFC 6868).
fn shown_head(head: &str) -> String {
    let says_how = |parameter: &&str| {
        let name = parameter.split_once('=').map_or("", |(name, _)| name.trim());
        !name.eq_ignore_ascii_case("CHARSET") && !name.eq_ignore_ascii_case("ENCODING")
    };
    let head = head.split(';').filter(says_how).collect::<Vec<_>>().join(";");
    // `item1.FN` is a property in a group, and no host.
    let name = head.split(';').next().unwrap_or_default().len();
    let head = format!("{}{}", head[..name].replace('.', " "), &head[name..]);
    if !head.contains('^') {
        return head;
    }
    let mut out = String::with_capacity(head.len());
    let mut chars = head.chars().peekable();
    while let Some(c) = chars.next() {
        let undone = match (c, chars.peek()) {
            ('^', Some('n' | 'N')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push(undone);
        chars.next();
    }
    out
}

/// Backslash escapes undone: `\n` is a line end, and anything else itself, but for
/// escapes of a letter by its number.
fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if rest.starts_with(['n', 'N']) {
            out.push('\n');
            rest = &rest[1..];
        } else if rest.starts_with('\\') {
            out.push('\\');
            rest = &rest[1..];
        } else if super::escape::is_escape(rest.as_bytes()) {
            out.push('\\');
        }
    }
    out.push_str(rest);
    out
}

/// The properties of a card, in order; `fold` stands for the blank at a folded line.
fn properties<'b>(bytes: &'b [u8], fold: &'static [u8]) -> impl Iterator<Item = Property<'b>> {
    let mut lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end).peekable();
    std::iter::from_fn(move || {
        let line = lines.next()?;
        let mut whole = Cow::Borrowed(line);
        let mut written = None;
        // What goes on in the next line: a folded one, and of quoted-printable what
        // ends with `=`, of base64 what is nothing else.
        for count in 0.. {
            let Some(next) = lines.peek().copied() else { break };
            if written.is_none() && count < HEAD_LINES_MAX {
                written = colon(&whole).map(|at| parameters(&String::from_utf8_lossy(&whole[..at])).0);
            }
            let is_soft = written == Some(Written::QuotedPrintable) && whole.ends_with(b"=");
            let is_folded = next.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
            let is_base64 = written == Some(Written::Base64)
                && !next.is_empty()
                && next.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b));
            if is_soft {
                let joined = whole.to_mut();
                joined.pop();
                let folded = next.trim_ascii_start();
                if folded.len() < next.len() {
                    joined.extend_from_slice(fold);
                }
                joined.extend_from_slice(folded);
            } else if is_folded && !whole.is_empty() {
                let joined = whole.to_mut();
                joined.extend_from_slice(fold);
                joined.extend_from_slice(&next[1..]);
            } else if is_base64 {
                whole.to_mut().extend_from_slice(next);
            } else {
                break;
            }
            lines.next();
        }
        Some(split(whole))
    })
}

/// Where a property's value begins: behind the first colon that stands in no quotes.
fn colon(line: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    line.iter().position(|b| {
        is_quoted ^= *b == b'"';
        *b == b':' && !is_quoted
    })
}

fn split(line: Cow<'_, [u8]>) -> Property<'_> {
    match colon(&line) {
        Some(at) => {
            // A second colon of LDIF belongs to the head, and says that base64 follows.
            let is_double = line.get(at + 1) == Some(&b':');
            let value = line[at + 1 + usize::from(is_double)..].to_vec();
            let value = if is_double { value.trim_ascii().to_vec() } else { value };
            Property { head: Cow::Owned(line[..at + usize::from(is_double)].to_vec()), value }
        }
        None => Property { head: Cow::Borrowed(&[]), value: line.into_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(card: &[u8], charset: Option<&str>, text: &str) {
        let mut views = Vec::new();
        let mut sink = Sink::unlimited(&mut views);
        read(card, charset, "card", &mut sink);
        assert!(views.iter().any(|view| view.text.contains(text)), "{text} is not in {views:#?}");
    }

    #[test]
    fn each_property_is_read_as_it_says() {
        let both = b"FN;ENCODING=QUOTED-PRINTABLE:=E9=88=B4=E6=9C=A8\r\nURL:https://a.example/?id=48201937\r\n";
        shows(both, None, "FN:鈴木");
        shows(both, None, "id=48201937");
        for (card, text) in [
            (&b"FN;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:=97=E9=96=D8\r\n"[..], "鈴木"),
            (b"FN;QUOTED-PRINTABLE:=E9=88=\r\n =B4=E6=9C=A8\r\n", "FN;QUOTED-PRINTABLE:鈴木"),
            (b"ORG;CHARSET=SHIFT_JIS:\x97\xe9\x96\xd8\r\n", "ORG:鈴木"),
            (b"ORG;ENCODING=QUOTED-PRINTABLE:=97=E9=96=D8\r\n", "鈴木"),
            (b"item1.EMAIL;ENCODING=b:aGFu\r\n YWtv\r\n", "item1 EMAIL:hanako"),
            (b"NOTE;BASE64:\r\n aGFu\r\n YWtv\r\n\r\n", "NOTE;BASE64:hanako"),
            (b"mail:: aGFuYWtv\r\n", "mail::hanako"),
            (b"N:Whitfield;Jonathan;;;\r\n", "Jonathan Whitfield"),
            (b"NOTE:Jonathan\r\n Whitfield\r\n", "Jonathan Whitfield"),
            (b"NOTE:hanako@ao\r\n\tzora.example\r\n", "hanako@aozora.example"),
            (b"ATTENDEE;CN=\"Jonathan^nWhit: ^'x^^\":mailto:x\r\n", "Jonathan\nWhit: \"x^"),
            (b"NOTE:a\\, b\\; c\\nd\\\\e\r\n", "a, b; c\nd\\e"),
            (b"X-ALT-DESC;FMTTYPE=text/html:<p>4820<b>1937</b>\\, x</p>\r\n", "48201937, x"),
            (b"AGENT:BEGIN:VCARD\\nFN;ENCODING=QUOTED-PRINTABLE:=E9=88=B4\\nEND:VCARD\r\n", "FN:鈴"),
        ] {
            shows(card, None, text);
        }
        shows(b"ORG:\x97\xe9\x96\xd8\r\n", Some("shift_jis"), "ORG:鈴木");
    }

    #[test]
    fn files_in_it_are_told_but_for_pictures() {
        let damage = |card: &[u8]| read(card, None, "card", &mut Sink::unlimited(&mut Vec::new()));
        assert_eq!(damage(b"PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQ==\r\n"), None);
        assert_eq!(damage(b"ATTACH;ENCODING=BASE64;VALUE=BINARY:aGFuYWtv\r\n"), None);
        assert!(damage(b"ATTACH;ENCODING=BASE64;VALUE=BINARY:/9j/4AAQSkZJRgABAQ==\r\n").is_some());
        assert!(damage(b"FN:\x97\xe9\r\n").is_some());
    }
}
