//! The plain-text side of a message: made from the HTML where the template has
//! no body.txt, and brought to CRLF lines in any case.
//!
//! Links are written out behind the text and never wrapped, so that they can
//! be clicked and so that the guard sees them whole.

/// Columns at which text made from HTML is wrapped.
pub const WIDTH_COLUMNS: usize = 76;

/// Text of an HTML body. `None` when it nests too deeply to be laid out.
pub(super) fn from_html(html: &str) -> Option<String> {
    let (html, longest) = breakable(html);
    html2text::config::plain()
        .no_link_wrapping()
        .no_table_borders()
        .allow_width_overflow()
        // A cell is as wide as what it holds, or the cells stand below each other:
        // a host cut in two is another host.
        .min_wrap_width(WIDTH_COLUMNS)
        .link_footnotes(true)
        .string_from_read(html.as_bytes(), longest.max(WIDTH_COLUMNS))
        .ok()
        .map(|text| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// What a line does not begin with, and what it does not end with.
const CLOSING: &str =
    "、。，．・：；？！ー々）］｝」』】〉》〕…‥ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ％～";
const OPENING: &str = "（［｛「『【〈《〔￥＃";

/// HTML with a zero-width space wherever a script without spaces lets a line end,
/// and how many columns the longest piece has that cannot be broken. Without these
/// a Japanese sentence is one long word, which is cut at the margin wherever that
/// falls, in the middle of a host or a number too. None of them is left in the
/// text.
fn breakable(html: &str) -> (String, usize) {
    let mut out = String::with_capacity(html.len() + html.len() / 2);
    let (mut before, mut columns, mut longest) = (None, 0, 0);
    let (mut is_shown, mut is_pre) = (true, false);
    let mut rest = html;
    while !rest.is_empty() {
        let (text, markup) = rest.split_at(memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len()));
        let hosts = if is_shown { hosts(text) } else { Vec::new() };
        for (at, c) in text.char_indices().filter(|_| is_shown) {
            let in_host = hosts.iter().any(|(start, end)| *start < at && at < *end);
            if !is_pre && !in_host && before.is_some_and(|before| may_break(before, c)) {
                out.push('\u{200b}');
                columns = 0;
            }
            columns = if c == '\n' || (c.is_whitespace() && !is_pre) {
                0
            } else {
                columns + if c.is_ascii() { 1 } else { 2 }
            };
            longest = longest.max(columns);
            out.push(c);
            before = Some(c);
        }
        let (tag, after) = markup.split_at(tag_end(markup));
        let names = |name: &str| tag.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        is_shown = !names("style") && !names("script");
        is_pre = (is_pre || names("pre")) && !names("/pre");
        out.push_str(tag);
        rest = after;
    }
    (out, longest)
}

/// Characters of a host in another script, on either side of its dot, at most.
const LABEL_MAX: usize = 20;

/// Where hosts and addresses stand, as far as they may reach in a script without
/// spaces.
fn hosts(text: &str) -> Vec<(usize, usize)> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '\u{3099}' | '\u{309a}');
    let signs = memchr::memchr2_iter(b'.', b'@', text.as_bytes());
    let around = signs.map(|at| {
        let mut wide = 0;
        let within = |(_, c): &(usize, char)| {
            wide += usize::from(!c.is_ascii());
            part(*c) && wide <= LABEL_MAX
        };
        let start = text[..at].char_indices().rev().take_while(within).last().map_or(at, |(start, _)| start);
        let ends = text[at + 1..].char_indices().take_while(|(_, c)| c.is_ascii() && part(*c));
        (start, ends.last().map_or(at + 1, |(end, _)| at + 2 + end))
    });
    around.collect()
}

/// Where a tag or a comment ends that a text begins with: behind a `>` outside of
/// quotes.
fn tag_end(markup: &str) -> usize {
    if markup.starts_with("<!--") {
        return markup.find("-->").map_or(markup.len(), |at| at + 3);
    }
    let mut quote = None;
    for (at, byte) in markup.bytes().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'>' => return at + 1,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => {}
        }
    }
    markup.len()
}

/// Whether a line may end between two characters: where either is of a script
/// without spaces, and the second does not cling to the first.
fn may_break(before: char, after: char) -> bool {
    let wide = |c: char| matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}');
    (wide(before) || wide(after))
        && !OPENING.contains(before)
        && !CLOSING.contains(after)
        && !after.is_ascii_punctuation()
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
    fn words_are_kept_whole_in_japanese_and_in_narrow_cells() {
        let host = "lantern-orchid-abcdef.registrar.example";
        let number = "202615004711";
        let prose = "対象のドメインは".repeat(3);
        for before in 0..40 {
            let lead = "あ".repeat(before);
            let html = format!("<p title=\"a>b\">{lead}{prose}{host}、番号は{number}です。</p>");
            let text = from_html(&html).unwrap();
            assert!(text.contains(host) && text.contains(number), "{text}");
            assert!(!text.contains('\u{200b}'), "{text}");
            assert!(text.lines().all(|line| !line.starts_with(['、', '。'])), "{text}");
        }
        for domain in ["喫茶みどりabcd.example", "info@lantern.example", "手作り工房.example"] {
            let list = format!("<p>対象：{domain}、{}</p>", format!("{domain}、").repeat(12));
            let text = from_html(&list).unwrap();
            assert_eq!(text.matches(domain).count(), 13, "{text}");
        }
        let long = "0123456789abcdef".repeat(6);
        for html in [format!("<p>{prose}、{long}</p>"), format!("<pre>git checkout {long} 12345678</pre>")] {
            let text = from_html(&format!("<style>{}</style>{html}", "x".repeat(300))).unwrap();
            assert!(text.contains(&long) && text.lines().all(|line| line.len() < 300), "{text}");
        }
        let row = format!("<tr><td>{prose}</td><td>{host}</td><td>{number}</td><td>{host}</td></tr>");
        let text = from_html(&format!("<table>{row}{row}</table>")).unwrap();
        assert_eq!((text.matches(host).count(), text.matches(number).count()), (4, 2), "{text}");
    }

    #[test]
    fn links_are_kept_whole() {
        let url = format!("https://registrar.example/u/{}", "t".repeat(150));
        let text = from_html(&format!("<p>やめるときは<a href=\"{url}\">こちら</a></p><script>no()</script>")).unwrap();
        assert!(text.contains(&url), "{text}");
        assert!(text.contains("やめるときは") && !text.contains("no()"), "{text}");
    }
}
