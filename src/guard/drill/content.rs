//! A message taken apart and written again, so that pieces can be swapped. It is
//! read by a parser of its own, and not by the guard's views.

use mail_parser::MessageParser;

use crate::key::Link;

/// A message taken apart: its headers, and its text parts decoded.
pub struct Content {
    /// Header fields as they stand, folds and all.
    pub head: Vec<String>,
    /// Each part's type and text.
    pub parts: Vec<(&'static str, String)>,
}

impl Content {
    /// Takes a message apart.
    pub fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let head = text.split_once("\r\n\r\n").map_or(&*text, |(head, _)| head);
        let mut lines: Vec<String> = Vec::new();
        for line in head.split("\r\n") {
            match (line.starts_with([' ', '\t']), lines.last_mut()) {
                (true, Some(last)) => {
                    last.push_str("\r\n");
                    last.push_str(line);
                }
                _ => lines.push(line.to_owned()),
            }
        }
        let mut parts = Vec::new();
        if let Some(message) = MessageParser::default().parse(bytes) {
            for part in message.parts.iter() {
                match &part.body {
                    mail_parser::PartType::Text(text) => parts.push(("text/plain", text.to_string())),
                    mail_parser::PartType::Html(html) => parts.push(("text/html", html.to_string())),
                    _ => {}
                }
            }
        }
        Self { head: lines, parts }
    }

    /// A header field by its name.
    pub fn header(&self, name: &str) -> Option<&String> {
        self.head.iter().find(|line| is_named(line, name))
    }

    /// The first link token.
    pub fn token(&self) -> Option<String> {
        self.parts.iter().find_map(|(_, text)| text.find(Link::PREFIX).map(|at| token_at(text, at).to_owned()))
    }

    /// Headers and parts as one message again.
    pub fn write(&self) -> Vec<u8> {
        use base64::Engine;
        let mut out = String::new();
        for line in self.head.iter().filter(|line| !line.to_ascii_lowercase().starts_with("content-")) {
            out.push_str(line);
            out.push_str("\r\n");
        }
        out.push_str("Content-Type: multipart/alternative; boundary=\"=drill=\"\r\n");
        for (kind, text) in &self.parts {
            out.push_str(&format!(
                "\r\n--=drill=\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            ));
            let encoded = base64::engine::general_purpose::STANDARD.encode(text);
            for line in encoded.as_bytes().chunks(76) {
                out.push_str(&String::from_utf8_lossy(line));
                out.push_str("\r\n");
            }
        }
        out.push_str("--=drill=--\r\n");
        out.into_bytes()
    }
}

/// Whether a header line is this field.
pub fn is_named(line: &str, name: &str) -> bool {
    line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) && line[name.len()..].starts_with(':')
}

fn token_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())]
}

/// Every link token of a text replaced by one.
pub fn relink(text: &str, token: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(Link::PREFIX) {
        out.push_str(&rest[..at]);
        out.push_str(token);
        rest = &rest[at + token_at(rest, at).len()..];
    }
    out.push_str(rest);
    out
}
