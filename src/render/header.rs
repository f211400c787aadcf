//! Header lines: text, mailboxes and plain values, folded and encoded.
//!
//! Input: values without control characters (their types or the renderer saw
//! to that). Output: `Name: value` with CRLF; lines of at most 76 octets
//! wherever an encoded word stands (RFC 2047 §2), of at most 998 always.
//! Non-ASCII text becomes `B` encoded words of at most 75 octets, each a whole
//! number of characters (RFC 2047 §5), so that every reader can decode each
//! word alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::letterhead::Mailbox;

/// The longest line that holds an encoded word.
const LINE_MAX: usize = 76;
const OPEN: &str = "=?UTF-8?B?";
const CLOSE: &str = "?=";
/// The longest encoded word.
const WORD_MAX: usize = 75;

/// A structured value that is ASCII already and needs no folding.
pub(super) fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Free text: as it is where that can be read back, in encoded words otherwise.
pub(super) fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut line = format!("{name}:");
    if stands_alone(value) {
        // Every blank is single and inside, so folding before one loses nothing.
        for word in value.split(' ') {
            if line.len() + 1 + word.len() > LINE_MAX && !line.ends_with(':') {
                out.extend_from_slice(line.as_bytes());
                out.extend_from_slice(b"\r\n");
                line.clear();
            }
            line.push(' ');
            line.push_str(word);
        }
        out.extend_from_slice(line.as_bytes());
    } else {
        line.push(' ');
        out.extend_from_slice(line.as_bytes());
        words(out, line.len(), value);
    }
    out.extend_from_slice(b"\r\n");
}

/// A mailbox: `Name <address>`, the name quoted or in encoded words.
pub(super) fn mailbox(out: &mut Vec<u8>, name: &str, mailbox: &Mailbox) {
    let (display, address) = (mailbox.name(), mailbox.address().as_str());
    out.extend_from_slice(format!("{name}: ").as_bytes());
    if display.is_empty() {
        out.extend_from_slice(address.as_bytes());
    } else {
        if stands_alone(display) && display.len() <= 60 {
            let quoted = display.replace('\\', "\\\\").replace('"', "\\\"");
            out.extend_from_slice(format!("\"{quoted}\"").as_bytes());
        } else {
            words(out, name.len() + 2, display);
        }
        out.extend_from_slice(format!("\r\n <{address}>").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether text may stand unencoded: printable ASCII that is not taken for an
/// encoded word, with single blanks inside only and no word that cannot fold.
fn stands_alone(value: &str) -> bool {
    value.bytes().all(|b| (b' '..=b'~').contains(&b))
        && !value.contains("=?")
        && value.split(' ').all(|word| (1..=LINE_MAX - 16).contains(&word.len()))
}

/// Encoded words, one a line, the first behind `column` octets.
fn words(out: &mut Vec<u8>, column: usize, value: &str) {
    let mut room = bytes_in(LINE_MAX.saturating_sub(column));
    let mut rest = value;
    loop {
        let mut end = rest.len().min(room);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        out.extend_from_slice(OPEN.as_bytes());
        out.extend_from_slice(STANDARD.encode(&rest[..end]).as_bytes());
        out.extend_from_slice(CLOSE.as_bytes());
        rest = &rest[end..];
        if rest.is_empty() {
            return;
        }
        out.extend_from_slice(b"\r\n ");
        room = bytes_in(LINE_MAX - 1);
    }
}

/// How many octets of text fit into an encoded word of at most `octets`; never
/// fewer than one character has.
fn bytes_in(octets: usize) -> usize {
    (octets.min(WORD_MAX).saturating_sub(OPEN.len() + CLOSE.len()) / 4 * 3).max(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(value: &str) -> String {
        let mut out = Vec::new();
        text(&mut out, "Subject", value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn japanese_is_cut_between_characters_only() {
        let header = subject(&"ドメイン名更新のお知らせ🎌".repeat(12));
        assert!(header.lines().count() > 8);
        for line in header.lines() {
            assert!(line.len() <= LINE_MAX, "{} octets", line.len());
            let word = line.trim_start_matches("Subject:").trim();
            assert!(word.len() <= WORD_MAX);
            let inner = word.strip_prefix(OPEN).unwrap().strip_suffix(CLOSE).unwrap();
            assert!(String::from_utf8(STANDARD.decode(inner).unwrap()).is_ok(), "a character was split");
        }
    }

    #[test]
    fn ascii_stays_readable_unless_it_would_be_misread() {
        assert_eq!(subject("Your domains"), "Subject: Your domains\r\n");
        let long = "renewal notice ".repeat(9);
        let folded = subject(long.trim_end());
        assert!(folded.lines().count() == 2 && folded.lines().all(|line| line.len() <= LINE_MAX), "{folded}");
        assert_eq!(folded.replace("\r\n ", " ").trim_end(), format!("Subject: {}", long.trim_end()));
        for tricky in ["=?utf-8?B?5LuW5Lq6?=", "two  blanks", &"x".repeat(1200)] {
            assert!(subject(tricky).starts_with("Subject: =?UTF-8?B?"), "{tricky:?}");
        }
    }
}
