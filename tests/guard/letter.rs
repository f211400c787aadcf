//! One message in the making: proper until a test changes something.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::world::World;

/// What every letter ends with.
pub const FOOTER: &str = "Example Registrar\r\n〒100-0001 東京都千代田区\r\n※このメールは送信専用です。\r\n";

/// A message in pieces.
#[derive(Clone)]
pub struct Letter {
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
    /// Whole further MIME parts: headers, blank line, body.
    pub parts: Vec<String>,
    /// The same, of bytes that are no UTF-8.
    pub raw_parts: Vec<Vec<u8>>,
}

impl Letter {
    /// A proper letter for an account, which shows everything of its own.
    pub fn new(world: &World, account: usize) -> Self {
        let record = &world.records[account];
        let link = world.link(&record.account);
        let mut lines = String::new();
        for (kind, value) in world.identifiers(account) {
            lines.push_str(&format!("{kind}: {value}\r\n"));
        }
        let headers = [
            ("From", "Example Registrar <news@registrar.example>".to_owned()),
            ("To", format!("<{}>", record.address.as_str())),
            ("Subject", "=?utf-8?B?44GK55+l44KJ44Gb?=".to_owned()),
            ("Date", "Thu, 01 Jan 2026 09:00:00 +0900".to_owned()),
            ("Message-ID", format!("<k{account}abcdef@registrar.example>")),
            ("List-Unsubscribe", format!("<{link}>")),
            ("MIME-Version", "1.0".to_owned()),
        ];
        Self {
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            text: format!("お客様\r\n\r\nいつもありがとうございます。\r\n{lines}{link}\r\n\r\n{FOOTER}"),
            html: format!("<p>お客様</p><p>いつもありがとうございます。</p><p><a href=\"{link}\">配信停止</a></p>"),
            parts: Vec::new(),
            raw_parts: Vec::new(),
        }
    }

    /// Replaces a header, or adds it.
    pub fn header(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|(header, _)| header == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The finished bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = String::new();
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("Content-Type: multipart/mixed; boundary=\"=outer=\"\r\n\r\n");
        let part = |kind: &str, text: &str| {
            let head = format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
            format!("--=outer=\r\n{head}\r\n{text}\r\n")
        };
        out.push_str(&part("text/plain", &self.text));
        if !self.html.is_empty() {
            out.push_str(&part("text/html", &self.html));
        }
        for part in &self.parts {
            out.push_str(&format!("--=outer=\r\n{part}\r\n"));
        }
        let mut out = out.into_bytes();
        for part in &self.raw_parts {
            out.extend([b"--=outer=\r\n", &part[..], b"\r\n"].concat());
        }
        out.extend(b"--=outer=--\r\n");
        out
    }
}

/// A part of a type in an encoding.
pub fn part(kind: &str, encoding: &str, body: &str) -> String {
    format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
}

/// Base64 in lines of 76.
pub fn base64_lines(text: impl AsRef<[u8]>) -> String {
    let encoded = STANDARD.encode(text);
    encoded.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
}

/// One encoded-word.
pub fn word(text: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(text))
}
