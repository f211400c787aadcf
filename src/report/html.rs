//! The few pieces that all pages are made of.
//!
//! Whatever did not come from this file's callers as literal text must pass
//! through [`escape`], in element content and in double-quoted attributes.

/// The pages' one style sheet; light and dark, and for paper.
const CSS: &str = include_str!("page.css");

/// Text as HTML shows it, in content and in double-quoted attributes. Control
/// characters other than line breaks and tabs become `�`, and bidirectional
/// overrides too: a value must not turn the line around it.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A relative link's target: a file's name as it stands in a folder. Each part
/// is percent-encoded, so that a name is never read as a scheme or a host.
pub fn href(path: &str) -> String {
    let mut out = String::from("./");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A whole page.
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n\
         <footer>Kakitome · every message is bound to its recipient</footer>\n</body>\n</html>\n",
        escape(title)
    )
}

/// `164,650`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 message`, `3 messages`, `1 entry`, `3 entries`, `3 addresses`.
pub fn counted(value: u64, noun: &str) -> String {
    match (value, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{} {stem}ies", number(value)),
        (_, None) if noun.ends_with('s') => format!("{} {noun}es", number(value)),
        (_, None) => format!("{} {noun}s", number(value)),
    }
}

/// A reason as a sentence: a capital first, a full stop last.
pub fn sentence(why: &str) -> String {
    let why = why.trim();
    let mut chars = why.chars();
    let Some(first) = chars.next() else { return String::new() };
    let stop = if why.ends_with(['.', '!', '?', '。']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), chars.as_str())
}

/// A share in percent with one decimal; never `100.0` or `0.0` unless exactly.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    match part {
        0 => "0 %".into(),
        part if part == whole => "100 %".into(),
        _ if percent < 0.1 => "< 0.1 %".into(),
        _ if percent > 99.9 => "> 99.9 %".into(),
        _ => format!("{percent:.1} %"),
    }
}

/// One number of a page: its class (and so its colour), name, value.
pub struct Figure {
    /// A class of page.css: `accepted`, `held`, …
    pub class: &'static str,
    /// What is counted.
    pub name: &'static str,
    /// How many.
    pub value: u64,
}

/// Shorthand for a [`Figure`].
pub fn figure(class: &'static str, name: &'static str, value: u64) -> Figure {
    Figure { class, name, value }
}

/// Numbers side by side, each with its share of the whole.
pub fn figures(figures: &[Figure], whole: u64) -> String {
    let cells: String = figures
        .iter()
        .map(|Figure { class, name, value }| {
            let zero = if *value == 0 { " zero" } else { "" };
            format!(
                "<div class=\"figure {class}{zero}\"><b>{}</b><span>{name}</span><small>{}</small></div>",
                number(*value),
                share(*value, whole)
            )
        })
        .collect();
    format!("<div class=\"figures\">{cells}</div>")
}

/// The same as one bar. What is there shows, however little it is: a segment
/// has at least three pixels (page.css).
pub fn bar(figures: &[Figure], whole: u64) -> String {
    let said: Vec<_> = figures.iter().filter(|f| f.value > 0).map(|f| format!("{} {}", f.value, f.name)).collect();
    let parts: String = figures
        .iter()
        .filter(|f| f.value > 0)
        .map(|Figure { class, name, value }| {
            format!("<i class=\"{class}\" style=\"flex-grow:{value}\" title=\"{} {name}\"></i>", number(*value))
        })
        .collect();
    let label = if whole == 0 { "nothing".to_owned() } else { said.join(", ") };
    format!("<div class=\"bar\" role=\"img\" aria-label=\"{}\">{parts}</div>", escape(&label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_content_or_attribute() {
        assert_eq!(escape("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
        assert_eq!(escape("a\u{202e}b\u{2066}c\0d\u{1b}e\nf"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\nf");
        assert_eq!(escape("株式会社 例"), "株式会社 例");
    }

    #[test]
    fn a_file_name_is_never_a_scheme_or_a_host() {
        assert_eq!(href("10000001.html"), "./10000001.html");
        assert_eq!(href("javascript:alert(1)"), "./javascript%3Aalert%281%29");
        assert_eq!(href("//evil.example/\"><x"), ".///evil.example/%22%3E%3Cx");
        assert_eq!(href("顧客 1.eml"), "./%E9%A1%A7%E5%AE%A2%201.eml");
    }

    #[test]
    fn numbers_are_grouped() {
        for (value, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (164_650, "164,650"), (1_234_567, "1,234,567")]
        {
            assert_eq!(number(value), shown);
        }
        assert_eq!(counted(1, "message"), "1 message");
        assert_eq!(counted(0, "message"), "0 messages");
        assert_eq!(counted(2_000, "entry"), "2,000 entries");
        assert_eq!(counted(2, "address"), "2 addresses");
    }

    #[test]
    fn a_reason_becomes_one_sentence() {
        assert_eq!(sentence("stage \"a\" waits"), "Stage \"a\" waits.");
        assert_eq!(sentence("élan. "), "Élan.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        for (part, whole, shown) in [
            (0, 0, "–"),
            (0, 5, "0 %"),
            (5, 5, "100 %"),
            (1, 164_650, "< 0.1 %"),
            (164_649, 164_650, "> 99.9 %"),
            (1, 3, "33.3 %"),
        ] {
            assert_eq!(share(part, whole), shown, "{part} of {whole}");
        }
    }

    #[test]
    fn the_page_fetches_nothing_from_elsewhere() {
        let page = page("a <title>", "<p>body</p>");
        assert!(page.contains("<title>a &lt;title&gt;</title>"));
        for outside in ["http:", "https:", "src=", "@import", "url(", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
