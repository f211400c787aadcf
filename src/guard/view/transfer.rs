//! Transfer encodings and charsets: the bytes of a body → its text.
//!
//! Anything damaged is read as far as it goes and reported, because one mail
//! program shows what another drops. Sources: RFC 2045 §6, RFC 2046 §4.1.2.
//! Charsets are the MIME parser's.

use std::borrow::Cow;

use base64::Engine;
use mail_parser::decoders::charsets::map::charset_decoder;

use super::escape::BASE64;
use super::{charset, utf7};

/// How a body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 7bit, 8bit, binary.
    Identity,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
    /// None that RFC 2045 knows.
    Unknown,
}

impl Encoding {
    /// Reads a Content-Transfer-Encoding.
    pub fn parse(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" | "binary" => Encoding::Identity,
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Unknown,
        }
    }
}

/// Lines of a quoted-printable body in which an escape was none, as it seems, their
/// soft line breaks joined: `?id=48201937`, written by somebody who encodes nothing.
/// No encoder escapes letters, digits or control characters, but for a letter at the
/// beginning of a line (`=46rom`).
pub fn unescaped_lines(body: &[u8]) -> String {
    let mut out = String::new();
    for line in joined_lines(body) {
        if memchr::memchr_iter(b'=', &line).any(|at| is_no_escape(&line, at)) {
            out.push_str(&String::from_utf8_lossy(&line));
            out.push('\n');
        }
    }
    out
}

/// Whether a quoted-printable body has any [`unescaped_lines`]. Nearly none has.
pub fn has_unescaped(body: &[u8]) -> bool {
    may_have_unescaped(body) && !unescaped_lines(body).is_empty()
}

/// Whether some escape could be none, whatever its line says.
fn may_have_unescaped(body: &[u8]) -> bool {
    let may_be_run = |b: Option<&u8>, soft: u8| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == soft);
    let escape = |at: usize| body.get(at..at + 3).and_then(escaped);
    let mut at = 0;
    while let Some(sign) = memchr::memchr(b'=', &body[at..]) {
        let start = at + sign;
        at = start + 1;
        let Some(byte) = escape(start) else { continue };
        at = start + 3;
        if byte >= 0x80 {
            // Letters of other scripts are escapes by the dozen, over line ends too.
            let first = at;
            while let Some(next) = [at, behind_soft_break(body, at)].into_iter().find(|at| escape(*at) >= Some(0x80)) {
                at = next + 3;
            }
            if at > first {
                continue;
            }
        } else if matches!(byte, b'=' | b'\r' | b'\n' | b'\t') {
            continue;
        } else if byte.is_ascii_alphanumeric() || byte < 0x20 || byte == 0x7f {
            return true;
        }
        if may_be_run(start.checked_sub(1).and_then(|at| body.get(at)), b'\n') && may_be_run(body.get(at), b'=') {
            return true;
        }
    }
    false
}

/// Where a body goes on behind a soft line break, if one stands there.
fn behind_soft_break(body: &[u8], at: usize) -> usize {
    let length = [&b"=\r\n"[..], b"=\n"].iter().find(|soft| body[at..].starts_with(soft)).map_or(0, |soft| soft.len());
    at + length
}

/// The lines of a quoted-printable body that soft line breaks part.
fn joined_lines(body: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut lines = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(lines.next()?);
        while line.ends_with(b"=") {
            let joined = line.to_mut();
            joined.pop();
            let Some(next) = lines.next() else { break };
            joined.extend_from_slice(next);
        }
        Some(line)
    })
}

/// Whether what looks like an escape, at an equals sign, is most likely none.
fn is_no_escape(line: &[u8], at: usize) -> bool {
    let Some(byte) = line.get(at..at + 3).and_then(escaped) else { return false };
    let is_run = |from: Option<usize>| from.and_then(|at| line.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let stands_inside = is_run(at.checked_sub(1)) && is_run(Some(at + 3));
    match byte {
        b'=' | b'\r' | b'\n' | b'\t' => false,
        0..0x20 | 0x7f => true,
        0x80.. => {
            let before = at.checked_sub(3).and_then(|at| line.get(at..at + 3)).and_then(escaped);
            let after = line.get(at + 3..at + 6).and_then(escaped);
            // A letter of another script is two escapes or more; in a charset of one byte, all may be.
            stands_inside && before.is_none_or(|b| b < 0x80) && after.is_none_or(|b| b < 0x80)
        }
        b'F' if line[at + 3..].starts_with(b"rom") => false,
        _ if byte.is_ascii_alphanumeric() => true,
        _ => stands_inside,
    }
}

/// Something read, and why it may not be all.
pub type Read<T> = (T, Option<&'static str>);

/// Undoes the transfer encoding.
pub fn decode(body: &[u8], encoding: Encoding) -> Read<Cow<'_, [u8]>> {
    match encoding {
        Encoding::Identity => (Cow::Borrowed(body), None),
        Encoding::Unknown => (Cow::Borrowed(body), Some("its transfer encoding is unknown")),
        Encoding::QuotedPrintable => {
            let (bytes, damage) = quoted_printable(body);
            (Cow::Owned(bytes), damage)
        }
        Encoding::Base64 => match base64(body) {
            Some(bytes) => (Cow::Owned(bytes), None),
            None => (Cow::Borrowed(body), Some("its base64 is damaged")),
        },
    }
}

/// Decodes base64: at once where it is as RFC 4648 has it, else as mail programs do.
fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let packed = joined(body);
    let strict = base64_simd::STANDARD.decode_to_vec(&packed).ok();
    strict.or_else(|| BASE64.decode(packed).or_else(|_| BASE64.decode(without_space(body))).ok())
}

/// The lines of base64 joined: what there is to do where no other white space is.
fn joined(body: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(body.len());
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', body) {
        let line = &body[start..end];
        packed.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        start = end + 1;
    }
    packed.extend_from_slice(&body[start..]);
    packed
}

fn without_space(body: &[u8]) -> Vec<u8> {
    body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect()
}

/// Decodes quoted-printable. What is no escape stays as it stands.
pub fn quoted_printable(body: &[u8]) -> Read<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut damage = None;
    let mut rest = body;
    while let Some(sign) = memchr::memchr(b'=', rest) {
        out.extend_from_slice(&rest[..sign]);
        rest = &rest[sign..];
        // Letters of other scripts are escapes by the dozen.
        let before = out.len();
        for three in rest.chunks_exact(3) {
            let Some(byte) = escaped(three) else { break };
            out.push(byte);
        }
        rest = &rest[3 * (out.len() - before)..];
        let [b'=', after @ ..] = rest else { continue };
        // A soft line break, with the padding that gateways add before it.
        let padding = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        rest = match &after[padding..] {
            [] => &[],
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => after,
            _ => {
                out.push(b'=');
                damage = Some("its quoted-printable is damaged");
                after
            }
        };
    }
    out.extend_from_slice(rest);
    (out, damage)
}

/// The byte of one escape.
fn escaped(three: &[u8]) -> Option<u8> {
    let digits = || Some((HEX[usize::from(three[1])]?, HEX[usize::from(three[2])]?));
    digits().filter(|_| three[0] == b'=').map(|(high, low)| high << 4 | low)
}

/// The value of each byte as a hexadecimal digit.
const HEX: [Option<u8>; 256] = {
    let mut table = [None; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = Some(digit);
        table[b"0123456789ABCDEF"[digit as usize] as usize] = Some(digit);
        digit += 1;
    }
    table
};

/// Decodes bytes as a charset says. Without one they are UTF-8, or ISO-2022-JP
/// if they have its escapes.
pub fn text<'a>(bytes: Cow<'a, [u8]>, charset: Option<&str>) -> Read<Cow<'a, str>> {
    let declared = charset.map(|c| c.trim().trim_matches('"').to_ascii_lowercase());
    // RFC 2231 lets a language follow: `utf-8*ja`.
    let declared = declared.as_deref().map(|c| c.split('*').next().unwrap_or(c));
    match declared {
        None => unlabelled(bytes),
        Some(charset) if charset::is_utf8(charset) => unlabelled(bytes),
        // A name that a program writes by habit: the bytes say that it is wrong.
        Some(charset) if is_of_units(charset) && has_no_units(&bytes) => unlabelled(bytes),
        Some(charset) => legacy(&bytes, charset),
    }
}

/// Whether a charset's name, in lower case, is of one whose letters are units of two bytes or four.
fn is_of_units(name: &str) -> bool {
    ["utf-16", "utf-32", "utf16", "utf32", "ucs-2", "ucs-4"].iter().any(|of| name.starts_with(of))
}

/// Whether bytes cannot be such units, whatever is declared of them: a text of those has NULs,
/// or is not UTF-8.
fn has_no_units(bytes: &[u8]) -> bool {
    !bytes.is_empty() && memchr::memchr(0, bytes).is_none() && simdutf8::basic::from_utf8(bytes).is_ok()
}

fn unlabelled(bytes: Cow<'_, [u8]>) -> Read<Cow<'_, str>> {
    if memchr::memmem::find(&bytes, b"\x1b$").is_some() {
        return legacy(&bytes, "iso-2022-jp");
    }
    match utf8(bytes) {
        Ok(text) => (text, None),
        Err(bytes) => (Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()), Some("it is not valid UTF-8")),
    }
}

fn utf8(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Cow<'_, [u8]>> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Cow::Borrowed(bytes)),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|e| Cow::Owned(e.into_bytes())),
    }
}

/// Leaves out an escape of ISO-2022-JP behind which another one stands at once, as
/// where two encoded-words were joined: the decoder takes it for an attack.
fn without_idle_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_escape =
        |bytes: &[u8]| matches!(bytes, [0x1b, b'(', b'B' | b'J' | b'I', ..] | [0x1b, b'$', b'@' | b'B', ..]);
    let is_idle = |at: &usize| is_escape(&bytes[*at..]) && is_escape(&bytes[*at + 3..]);
    let mut idle = memchr::memchr_iter(0x1b, bytes).filter(is_idle).peekable();
    if idle.peek().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for at in idle {
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 3;
    }
    out.extend_from_slice(&bytes[copied..]);
    Cow::Owned(out)
}

fn legacy<'a>(bytes: &[u8], charset: &str) -> Read<Cow<'a, str>> {
    if utf7::is_utf7(charset) {
        let (text, damage) = utf7::decode(bytes);
        return (Cow::Owned(text), damage);
    }
    let charset = charset::common_name(charset);
    if let Some(text) = charset::shifted(bytes, charset) {
        return (Cow::Owned(text), None);
    }
    let Some(decoder) = (!bytes.is_empty()).then(|| charset_decoder(charset.as_bytes())).flatten() else {
        let unknown = (!bytes.is_empty()).then_some("its charset is unknown");
        return (Cow::Owned(String::from_utf8_lossy(bytes).into_owned()), unknown);
    };
    let text = if charset.contains("2022") { decoder(&without_idle_escapes(bytes)) } else { decoder(bytes) };
    let damage = text.contains('\u{fffd}').then_some("it has characters that its charset does not know");
    (Cow::Owned(text), damage)
}
