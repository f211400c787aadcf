//! What a part is read as, by its type, its file's name and its content.
//!
//! Input: type, file name, text. Output: [`Leaf`]; and what else a program may take it
//! for: a mail program goes by the type, a desktop by the name, a browser by the
//! content. Infallible; linear.

use super::html::Dialect;
use super::plain::Sort;

/// What is done with a leaf of the structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Text as it stands.
    Text(Sort),
    /// Markup.
    Html(Dialect),
    /// vCard, iCalendar, LDIF.
    Card,
    /// A whole message.
    Message,
    /// A signature of the parts beside it: what can be seen in it.
    Signature,
    /// Not read, and why.
    Refused(&'static str),
}

const NOT_TEXT: Leaf = Leaf::Refused("it is an attachment that is not text");
const NOT_READ: &str = "its text is in a format that is not read";
const ENCRYPTED: &str = "it is encrypted";

/// What a leaf's type, and the ending of its file name, make of it.
pub fn leaf(kind: &str, file: Option<&str>) -> Leaf {
    match kind {
        // Headers alone are a message without a body.
        "message/rfc822" | "message/global" | "message/news" | "text/rfc822-headers" | "message/global-headers" => {
            Leaf::Message
        }
        "message/partial" | "message/external-body" => Leaf::Refused("its content is elsewhere"),
        "text/rtf" | "text/richtext" => Leaf::Refused(NOT_READ),
        "text/calendar"
        | "text/vcard"
        | "text/x-vcard"
        | "text/directory"
        | "application/ics"
        | "text/x-vcalendar"
        | "text/x-icalendar"
        | "text/x-ldif"
        | "text/ldif"
        | "application/vcard"
        | "application/calendar" => Leaf::Card,
        "application/json" | "application/ld+json" | "text/json" | "text/javascript" | "application/javascript" => {
            Leaf::Text(Sort::Script)
        }
        "text/xml" | "application/xml" | "text/vnd.wap.wml" => Leaf::Html(Dialect::Xml),
        "text/enriched" => Leaf::Html(Dialect::Html),
        "application/csv" => Leaf::Text(Sort::Prose),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" | "application/pgp-encrypted" => Leaf::Refused(ENCRYPTED),
        "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
            Leaf::Signature
        }
        "application/octet-stream" | "application/x-unknown" => file.and_then(by_name).unwrap_or(NOT_TEXT),
        // `text/x-amp-html`, `text/watch-html`, `application/vnd.wap.xhtml+xml`.
        _ if kind.ends_with("html") || kind.ends_with("xhtml+xml") => Leaf::Html(Dialect::Html),
        _ if kind.starts_with("text/") || kind.starts_with("message/") => Leaf::Text(Sort::Prose),
        _ if kind.ends_with("+xml") => Leaf::Html(Dialect::Xml),
        _ if kind.ends_with("+json") => Leaf::Text(Sort::Script),
        _ => NOT_TEXT,
    }
}

/// What the ending of a file's name makes of it; `None` if it says nothing.
fn by_name(file: &str) -> Option<Leaf> {
    let (_, ending) = file.trim().rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "txt" | "csv" | "tsv" | "log" | "md" | "text" | "asc" => Leaf::Text(Sort::Prose),
        "ics" | "vcf" | "vcs" | "ifb" | "vcard" | "ical" | "ldif" | "ldi" => Leaf::Card,
        "json" | "js" | "jsonl" | "ndjson" => Leaf::Text(Sort::Script),
        "xml" | "svg" | "rss" | "atom" | "wml" => Leaf::Html(Dialect::Xml),
        "htm" | "html" | "xhtml" | "shtml" | "xht" => Leaf::Html(Dialect::Html),
        "eml" | "mht" | "mhtml" => Leaf::Message,
        "rtf" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "odt" | "ods" | "pdf" | "ps" => {
            Leaf::Refused(NOT_READ)
        }
        "zip" | "gz" | "tgz" | "bz2" | "xz" | "7z" | "rar" | "lzh" | "msg" | "png" | "jpg" | "jpeg" | "gif"
        | "webp" | "heic" | "tif" | "tiff" | "bmp" | "exe" => NOT_TEXT,
        _ => return None,
    })
}

/// What else a program may take a text for, by its file's name and its content.
pub fn others(text: &str, leaf: Leaf, file: Option<&str>) -> Vec<Leaf> {
    let mut out = Vec::new();
    let named =
        file.and_then(by_name).filter(|named| !matches!(leaf, Leaf::Message | Leaf::Signature) && *named != leaf);
    out.extend(named);
    let is_text = matches!(leaf, Leaf::Text(_));
    if is_text && looks_like_html(text) {
        out.push(Leaf::Html(Dialect::Html));
    }
    if leaf != Leaf::Card && looks_like_card(text) {
        out.push(Leaf::Card);
    }
    if is_text && looks_like_message(text).is_some() {
        out.push(Leaf::Message);
    }
    out.dedup();
    out
}

/// Why a text cannot be read by itself: it has a file of another format in it.
pub fn refused(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let has = |sign: &str| memchr::memmem::find(bytes, sign.as_bytes()).is_some();
    let begins_line = |sign: &str| {
        memchr::memmem::find_iter(bytes, sign.as_bytes()).any(|at| at == 0 || matches!(bytes[at - 1], b'\n' | b'\r'))
    };
    if has_uuencode(text) {
        Some("it has a uuencoded file in it")
    } else if begins_line("=ybegin ") {
        Some("it has a file in yEnc in it")
    } else if has("must be converted with BinHex") {
        Some("it has a file in BinHex in it")
    } else if begins_line("-----BEGIN PGP MESSAGE-----") || begins_line("-----BEGIN PKCS7-----") {
        Some(ENCRYPTED)
    } else if text.trim_ascii_start().trim_start_matches('\u{feff}').starts_with("{\\rtf")
        || bytes[..bytes.len().min(1024)].windows(5).any(|five| five == b"%PDF-")
    {
        Some(NOT_READ)
    } else {
        None
    }
}

/// Whether a line begins a uuencoded file: `begin 644 name`.
fn has_uuencode(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), b"begin ").any(|at| {
        let line_start = at == 0 || text.as_bytes()[at - 1] == b'\n';
        let rest = &text.as_bytes()[at + 6..];
        line_start && rest.len() > 4 && rest[..3].iter().all(|b| (b'0'..=b'7').contains(b)) && rest[3] == b' '
    })
}

/// Elements that stand in HTML and nowhere else.
const ELEMENTS: [&str; 38] = [
    "a", "b", "i", "u", "p", "br", "hr", "li", "ul", "ol", "em", "td", "th", "tr", "h1", "h2", "h3", "div", "img",
    "wbr", "sub", "sup", "pre", "rt", "html", "body", "font", "span", "code", "ruby", "table", "small", "strong",
    "center", "bold", "italic", "script", "style",
];

/// Whether a text has markup in it: a tag of HTML, or a comment.
pub fn looks_like_html(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).any(|at| {
        let rest = &bytes[at + 1..];
        if rest.starts_with(b"!--") {
            return true;
        }
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        let length = rest.iter().take(8).take_while(|b| b.is_ascii_alphanumeric()).count();
        let ends = rest.get(length).is_some_and(|b| matches!(b, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'));
        ends && ELEMENTS.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(&rest[..length]))
    })
}

/// Whether a text has a card or a calendar in it, or entries of LDIF.
pub fn looks_like_card(text: &str) -> bool {
    let has = |sign: &[u8]| {
        memchr::memchr2_iter(sign[0], sign[0].to_ascii_lowercase(), text.as_bytes())
            .any(|at| text.as_bytes().get(at..at + sign.len()).is_some_and(|found| found.eq_ignore_ascii_case(sign)))
    };
    let is_card = memchr::memmem::find_iter(text.as_bytes(), b":V").any(|at| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
        before.ends_with(b"BEGIN") && [&b"VCARD"[..], b"VCAL", b"VEVENT"].iter().any(|kind| after.starts_with(kind))
    });
    let is_lower =
        || memchr::memmem::find(text.as_bytes(), b":v").is_some() && (has(b"BEGIN:VCARD") || has(b"BEGIN:VCAL"));
    is_card || is_lower() || is_ldif(text)
}

/// Whether a text is LDIF: it begins with an entry's name, and a value in it is base64.
fn is_ldif(text: &str) -> bool {
    let start = text.trim_ascii_start().trim_start_matches('\u{feff}');
    ["dn:", "version:"].iter().any(|sign| start.get(..sign.len()).is_some_and(|s| s.eq_ignore_ascii_case(sign)))
        && start.contains(":: ")
}

/// Where in a text a message begins that somebody pasted or attached as text: at the
/// first line of the block of lines that says how its body is encoded.
pub fn looks_like_message(text: &str) -> Option<usize> {
    const GAPS: [&[u8]; 2] = [b"\n\r\n", b"\n\n"];
    const SIGNS: [&[u8]; 3] = [b"content-transfer-encoding:", b"content-type:", b"mime-version:"];
    let bytes = text.as_bytes();
    let sign = memchr::memchr_iter(b'-', bytes).find_map(|hyphen| {
        SIGNS.iter().find_map(|sign| {
            let at = hyphen.checked_sub(sign.iter().position(|b| *b == b'-')?)?;
            let is_sign = bytes.get(at..at + sign.len())?.eq_ignore_ascii_case(sign);
            (is_sign && (at == 0 || bytes[at - 1] == b'\n')).then_some(at)
        })
    })?;
    let before = &bytes[..sign];
    let block = GAPS.iter().filter_map(|gap| Some(memchr::memmem::rfind(before, gap)? + gap.len()));
    let start = block.max().unwrap_or(0);
    // A delimiter stands before the header of a part.
    let line = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |n| start + n + 1);
    Some(if bytes[start..].starts_with(b"--") && line <= sign { line } else { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_looks_like_something_else() {
        for html in ["4820<b>1937</b>", "a<br>b", "<WBR/>", "x<!-- -->y", "<p class=a>", "</span >"] {
            assert!(looks_like_html(html), "{html}");
        }
        for text in ["<https://a.example/>", "a < b > c", "<taro@a.example>", "<3", "1 <bz", "<name>"] {
            assert!(!looks_like_html(text), "{text}");
        }
        assert!(looks_like_card("x\r\nBEGIN:VCARD\r\n"));
        assert!(looks_like_card("begin:vcalendar\r\n"));
        assert!(looks_like_card("dn: uid=1\nmail:: aGE=\n"));
        assert!(!looks_like_card("BEGIN: VCARD"));
        assert_eq!(looks_like_message("Hi\r\n\r\nFrom: a\r\nMIME-Version: 1.0\r\n\r\nx"), Some(6));
        assert_eq!(looks_like_message("--b\r\ncontent-type: text/html\r\n\r\nx"), Some(5));
        assert_eq!(looks_like_message("the content-type: is"), None);
        for text in ["{\\rtf1 x}", "%PDF-1.4", "a\n=ybegin line=1\n", "(This file must be converted with BinHex 4.0)"] {
            assert!(refused(text).is_some(), "{text}");
        }
        assert_eq!(refused("begin with 644 files"), None);
    }
}
