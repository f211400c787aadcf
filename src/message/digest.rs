//! The digest of a finished message: BLAKE3 over envelope, headers and body,
//! each piece with its length before it. Headers that differ each time a
//! message is made (`Date`, `DKIM-Signature`) are left out.

use crate::address::Address;

/// What `check` stores, approval signs and sending compares.
pub(super) fn of(sender: &Address, recipient: &Address, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kakitome 2026 message digest");
    let mut piece = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    piece(sender.as_str().as_bytes());
    piece(recipient.as_str().as_bytes());
    let (headers, body) = split(bytes);
    for header in Headers(headers) {
        if !moves(header) {
            piece(header);
        }
    }
    // The body is always the last piece.
    piece(body);
    *hasher.finalize().as_bytes()
}

/// Headers with their last line break, and what follows the empty line.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memmem::find(bytes, b"\r\n\r\n") {
        Some(at) => (&bytes[..at + 2], &bytes[at + 4..]),
        None => (bytes, b""),
    }
}

/// Whether a header differs from one rendering to the next.
fn moves(header: &[u8]) -> bool {
    let name = header.split(|b| *b == b':').next().unwrap_or(header).trim_ascii();
    name.eq_ignore_ascii_case(b"Date") || name.eq_ignore_ascii_case(b"DKIM-Signature")
}

/// One header after another, with its folded lines.
struct Headers<'a>(&'a [u8]);

impl<'a> Iterator for Headers<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let mut end = 0;
        loop {
            end += memchr::memchr(b'\n', &self.0[end..]).map_or(self.0.len() - end, |at| at + 1);
            if !matches!(self.0.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (header, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(header)
    }
}
