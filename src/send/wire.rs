//! Bytes as they go over the wire: transparency (RFC 5321 §4.5.2), and what of
//! a reply may be kept.

use memchr::memmem;

use crate::address::Address;

/// Why a message cannot go over the wire as it is.
pub(in crate::send) fn unfit(bytes: &[u8]) -> Option<&'static str> {
    if std::str::from_utf8(bytes).is_err() {
        return Some("the message is neither 7-bit nor UTF-8");
    }
    let bare = memchr::memchr2_iter(b'\r', b'\n', bytes).any(|at| match bytes[at] {
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => at == 0 || bytes[at - 1] != b'\r',
    });
    bare.then_some("the message has a bare CR or LF")
}

/// What ends a message.
pub(in crate::send) const DOT: &[u8] = b".\r\n";

/// Appends the message, dots doubled at the beginning of lines, whole lines
/// only; the final dot is not part of it.
pub(in crate::send) fn stuff(message: &[u8], out: &mut Vec<u8>) {
    out.reserve(message.len() + 16);
    if message.first() == Some(&b'.') {
        out.push(b'.');
    }
    let mut done = 0;
    for at in memmem::find_iter(message, b"\r\n.") {
        out.extend_from_slice(&message[done..at + 3]);
        out.push(b'.');
        done = at + 3;
    }
    out.extend_from_slice(&message[done..]);
    if !message.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
}

/// The longest reply text that is kept, in characters.
const REPLY_MAX: usize = 200;

/// A reply's text: printable ASCII and other letters, words with an `@` masked, cut.
pub(in crate::send) fn reply_text(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "<address>" } else { word });
    let joined = words.collect::<Vec<_>>().join(" ");
    joined
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() { c } else { '?' })
        .take(REPLY_MAX)
        .collect()
}

/// RCPT for a recipient.
pub(in crate::send) fn rcpt(recipient: &Address) -> String {
    format!("RCPT TO:<{recipient}>\r\n")
}

/// Whether a reply to RCPT takes the recipient (RFC 5321 §3.3, §3.5.3): here, to be
/// forwarded, or without being able to say that the mailbox is there.
pub(in crate::send) fn is_taken(code: u16) -> bool {
    matches!(code, 250..=252)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a server makes of it (RFC 5321 §4.5.2), written from the text.
    fn unstuff(wire: &[u8]) -> Vec<u8> {
        let end = wire.len() - 3;
        let mut message = Vec::new();
        for line in wire[..end].split_inclusive(|b| *b == b'\n') {
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        message
    }

    proptest! {
        #[test]
        fn a_server_reads_what_was_meant(lines in proptest::collection::vec("[.a]{0,4}", 1..12)) {
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let mut wire = Vec::new();
            stuff(message.as_bytes(), &mut wire);
            wire.extend_from_slice(DOT);
            prop_assert!(wire.ends_with(b".\r\n"));
            // No line but the last is a lone dot.
            let early = wire[..wire.len() - 3].split(|b| *b == b'\n').any(|line| line == b".\r");
            prop_assert!(!early);
            prop_assert_eq!(unstuff(&wire), message.as_bytes());
        }
    }

    #[test]
    fn bare_line_ends_and_other_bytes_are_unfit() {
        assert_eq!(unfit(b"a\r\nb\r\n"), None);
        for bad in [&b"a\nb"[..], b"a\rb", b"\n", b"a\r", b"\xff\r\n"] {
            assert!(unfit(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_reply_keeps_no_address() {
        assert_eq!(reply_text("5.1.1 <taro@a.example>: unknown\u{7}\r\nuser"), "5.1.1 <address> unknown? user");
    }
}
