//! A part's text read again: in other charsets, without control characters, as
//! another format, and as it stood before its transfer encoding was undone.
//!
//! Input: a part's bytes and its first reading. Output: [`Again`]: each other text, and
//! what it is read as. All of them are second readings. [`may_differ`] says cheaply
//! whether there is any: where not, a text may be read piece by piece.

use std::borrow::Cow;

use base64::Engine;

use super::escape::BASE64;
use super::format::{self, Leaf};
use super::plain::{self, Sort};
use super::transfer::{self, Encoding};
use super::{charset, second};

/// The shortest line that is taken for base64 by itself, in bytes.
const LINE_MIN: usize = 40;

/// One other reading.
pub struct Again {
    /// What is different, for the part's name.
    pub how: &'static str,
    /// What it is read as.
    pub leaf: Leaf,
    /// The text.
    pub text: String,
}

/// Every other reading of a part.
pub fn texts(
    raw: (&[u8], Encoding),
    bytes: &[u8],
    charset: Option<&str>,
    text: &str,
    leaf: Leaf,
    file: Option<&str>,
) -> Vec<Again> {
    let mut first: Vec<(&'static str, Cow<'_, str>)> = vec![("", Cow::Borrowed(text))];
    let is_declared = charset.is_some_and(|c| !charset::is_utf8(&c.trim().to_ascii_lowercase()));
    if charset::may_differ(bytes) || (is_declared && !bytes.is_ascii()) {
        first.extend(charset::others(bytes, charset).into_iter().map(|(name, text)| (name, Cow::Owned(text))));
    }
    if raw.1 == Encoding::QuotedPrintable {
        let lines = transfer::unescaped_lines(raw.0);
        if !lines.is_empty() {
            first.push(("not decoded", Cow::Owned(lines)));
        }
    }
    if matches!(leaf, Leaf::Text(_)) {
        first.extend(base64_blocks(text).map(|text| ("base64", Cow::Owned(text))));
    }
    let mut out = Vec::new();
    for (how, text) in first {
        let is_first = how.is_empty();
        // What letters of one byte make of it, nobody takes for another format.
        if is_first || !charset::is_narrow(how) {
            for leaf in format::others(&text, leaf, file) {
                let how = if is_first { "another format" } else { how };
                out.push(Again { how, leaf, text: text.to_string() });
            }
        }
        let is_html = matches!(leaf, Leaf::Html(_));
        if is_first && (second::has_controls(text.as_bytes()) || (is_html && second::has_control_references(&text))) {
            let how = "without control characters";
            let clean =
                if is_html { Some(second::without_control_references(&text)) } else { second::without_controls(&text) };
            out.extend(clean.into_iter().chain(second::without_sequences(&text)).map(|text| Again { how, leaf, text }));
        }
        if !is_first {
            out.push(Again { how, leaf, text: text.into_owned() });
        }
    }
    out
}

/// Whether a text, of a part in UTF-8, has another reading that looks across the lines and
/// tags between which it is cut into passages. Each passage looks for escapes, encoded-words
/// and furigana itself: none of them reaches over a cut.
pub fn may_differ(raw: (&[u8], Encoding), text: &str, is_html: bool) -> bool {
    charset::may_differ(text.as_bytes())
        || second::has_controls(text.as_bytes())
        || (raw.1 == Encoding::QuotedPrintable && transfer::has_unescaped(raw.0))
        || if is_html {
            second::has_control_references(text) || format::looks_like_card(text)
        } else {
            format::refused(text).is_some()
                || plain::without_quotes(text).is_some()
                || !format::others(text, Leaf::Text(Sort::Prose), None).is_empty()
                || base64_blocks(text).next().is_some()
        }
}

/// What blocks of base64 in a text hold, where it is text.
fn base64_blocks(text: &str) -> impl Iterator<Item = String> {
    let mut lines = text.lines().map(|line| line.trim_ascii().trim_start_matches(['>', ' '])).peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            if line.len() < LINE_MIN || !is_base64(line) {
                continue;
            }
            let mut block = line.to_owned();
            let mut last = line.len();
            // Lines of one length, and a shorter one.
            while let Some(next) =
                lines.peek().filter(|next| last == line.len() && next.len() <= last && is_base64(next))
            {
                block.push_str(next);
                last = next.len();
                lines.next();
            }
            let Ok(bytes) = BASE64.decode(block.trim_end_matches('=')) else { continue };
            if let Ok(text) = String::from_utf8(bytes)
                && !second::has_controls(text.as_bytes())
            {
                return Some(text);
            }
        }
    })
}

fn is_base64(line: &str) -> bool {
    let body = line.trim_end_matches('=');
    !body.is_empty()
        && line.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// What can be seen in a signature: the runs of letters in it, a line each; `None` if it
/// is none.
pub fn signature(kind: &str, bytes: &[u8]) -> Option<String> {
    if kind.contains("pgp") {
        let text = std::str::from_utf8(bytes).ok()?;
        return text.trim_ascii_start().starts_with("-----BEGIN PGP SIGNATURE-----").then(|| text.to_owned());
    }
    // DER or BER of a sequence, whose length is said in more than one byte.
    let is_sequence = matches!(bytes, [0x30, 0x80..=0x84, ..]);
    is_sequence.then(|| letters(bytes))
}

/// The runs of letters in a file that is not text, a line each.
pub fn letters(bytes: &[u8]) -> String {
    let (mut out, mut run) = (String::new(), String::new());
    for c in String::from_utf8_lossy(bytes).chars().chain(['\0']) {
        if c.is_control() || c == '\u{fffd}' {
            if run.chars().count() >= 4 {
                out.push_str(&run);
                out.push('\n');
            }
            run.clear();
        } else {
            run.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_base64_are_text() {
        let encoded = base64::engine::general_purpose::STANDARD
            .encode("会員番号 48201937, hanako@aozora-boeki.example, 鈴木花子 様");
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(60).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let text = format!("x\r\n\r\n{}\r\n", lines.join("\r\n"));
        assert!(base64_blocks(&text).any(|text| text.contains("48201937") && text.contains("鈴木花子 様")));
        assert_eq!(base64_blocks("da39a3ee5e6b4b0d3255bfef95601890afd80709\n").count(), 0);
    }

    #[test]
    fn a_common_text_is_read_once() {
        let text = "お知らせ\r\nhttps://a.example/?id=1&t=abcdef\r\n2026年（令和8年）\r\n";
        assert!(!may_differ((text.as_bytes(), Encoding::Identity), text, false));
        let html = "<p>a&#8203;b &#847; c&nbsp;</p><p style=\"a: 'b\\'c'\">会社（東京）</p>";
        assert!(!may_differ((html.as_bytes(), Encoding::Identity), html, true));
        let encoded = b"<a href=3D\"https://a.example/?x=3D1\">caf=C3=A9=2E</a>=\r\n=46rom";
        assert_eq!(transfer::unescaped_lines(encoded), "");
        assert!(!transfer::has_unescaped(encoded));
        for body in [
            &b"a=4820=\r\n1937"[..],
            b"x=82y",
            b"x=82=\r\ny",
            b"a=\r\n=41b",
            b"x=00",
            b"x=2Ey",
            b"x=2E=\r\ny",
            b"=46rom",
            b"",
        ] {
            let all = transfer::unescaped_lines(body);
            assert_eq!(transfer::has_unescaped(body), !all.is_empty(), "{}", String::from_utf8_lossy(body));
        }
        let long = format!("{}=\r\n{}x", "=E3=81=82".repeat(8), "=E3=81=82".repeat(8));
        assert!(!transfer::has_unescaped(long.as_bytes()));
        assert_eq!(
            transfer::unescaped_lines(b"a\r\nhttps://a.example/?u=4820=\r\n1937 b\r\n"),
            "https://a.example/?u=48201937 b\n"
        );
    }
}
