//! The plain-text side of a message: made from the HTML where the template has
//! no body.txt, and brought to CRLF lines in any case.
//!
//! Links are written out behind the text and never wrapped, so that they can
//! be clicked and so that the guard sees them whole.

/// Columns at which text made from HTML is wrapped.
pub const WIDTH_COLUMNS: usize = 76;

/// Text of an HTML body. `None` when it nests too deeply to be laid out.
pub(super) fn from_html(html: &str) -> Option<String> {
    html2text::config::plain()
        .no_link_wrapping()
        .no_table_borders()
        .allow_width_overflow()
        .link_footnotes(true)
        .string_from_read(html.as_bytes(), WIDTH_COLUMNS)
        .ok()
        .map(|text| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// Every line break as CRLF, and one at the end.
pub(super) fn crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push_str("\r\n");
        let both = rest[at..].starts_with("\r\n");
        rest = &rest[at + 1 + usize::from(both)..];
    }
    out.push_str(rest);
    if !rest.is_empty() || out.is_empty() {
        out.push_str("\r\n");
    }
    out
}

/// Whether text holds a control character that has no place in a body.
pub(super) fn has_control(text: &str) -> bool {
    text.bytes().any(|b| (b < b' ' && !matches!(b, b'\t' | b'\r' | b'\n')) || b == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_becomes_crlf() {
        assert_eq!(crlf("a\nb\r\nc\rd\n\r\n"), "a\r\nb\r\nc\r\nd\r\n\r\n");
        assert_eq!(crlf("a"), "a\r\n");
        assert_eq!(crlf(""), "\r\n");
    }

    #[test]
    fn links_are_kept_whole() {
        let url = format!("https://registrar.example/u/{}", "t".repeat(150));
        let text = from_html(&format!("<p>やめるときは<a href=\"{url}\">こちら</a></p><script>no()</script>")).unwrap();
        assert!(text.contains(&url), "{text}");
        assert!(text.contains("やめるときは") && !text.contains("no()"), "{text}");
    }
}
