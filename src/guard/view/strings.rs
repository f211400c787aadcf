//! Strings that a program joins: `"Daniel "+"Okafor"` of a script, `content:"a" "b"` of a
//! style sheet.
//!
//! Input: folded text. Output: it with such strings as one; `None` where there are none.
//! Infallible, linear.

/// Whether a character begins or ends a string.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// A text in which strings that `+` or `.` joins are one.
pub fn joined(text: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let mut copied = 0;
    for at in memchr::memchr2_iter(b'+', b'.', text.as_bytes()) {
        let (before, after) = (text[..at].trim_end(), text[at + 1..].trim_start());
        if at < copied || !before.ends_with(is_quote) || !after.starts_with(is_quote) || before.len() <= copied {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..before.len() - 1]);
        copied = text.len() - after.len() + 1;
    }
    out.map(|out| out + &text[copied..])
}

/// The strings that a style sheet shows, a line each: those of `content`.
pub fn shown(css: &str) -> Option<String> {
    let mut out = String::new();
    for (at, _) in css.match_indices("content") {
        let rest = css[at + "content".len()..].trim_start();
        let Some(rest) = rest.strip_prefix(':') else { continue };
        let mut rest = rest.trim_start();
        while let Some(quote) = rest.chars().next().filter(|c| is_quote(*c)) {
            let Some((string, after)) = rest[1..].split_once(quote) else { break };
            out.push_str(string);
            rest = after.trim_start();
        }
        out.push('\n');
    }
    out.chars().any(char::is_alphanumeric).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_joined() {
        for (text, expected) in [
            (r#"n="daniel "+"okafor";"#, Some(r#"n="daniel okafor";"#)),
            ("n='daniel' + ' ' + 'okafor'", Some("n='daniel okafor'")),
            ("n='a' . 'b'", Some("n='ab'")),
            ("a+b, 'a'+b, 1.5", None),
            ("''+''+''", Some("''")),
            ("+", None),
        ] {
            assert_eq!(joined(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn strings_of_a_style_sheet() {
        assert_eq!(shown(r#"a:before{content:"林" '愛'} b{content : "x"}"#).as_deref(), Some("林愛\nx\n"));
        assert_eq!(shown("a{font-family:\"x\"} .content{a:b}"), None);
        assert_eq!(shown("a{content:\"x"), None);
    }
}
