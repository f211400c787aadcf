//! An independent reader of delivered mail: it knows the made-up registrar's
//! export and RFC 5322, and shares no code with the renderer or the guard. It
//! says whether a message shows its own recipient's member ID and nobody
//! else's.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::demo::receiver::Delivery;
use crate::error::{Error, Result};

/// Who owns which member ID, from the export itself.
pub struct Ownership {
    /// Address → member IDs that mail to it may show.
    by_address: HashMap<String, Vec<u32>>,
    /// Every member ID.
    known: std::collections::HashSet<u32>,
}

impl Ownership {
    /// Reads the columns `member_id` and `email` of an export.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(export: &Path) -> Result<Self> {
        let fail = |e: csv::Error| Error::unexpected("cannot read the demo's export again").cause(&e);
        let mut reader = csv::Reader::from_path(export).map_err(fail)?;
        let headers = reader.headers().map_err(fail)?.clone();
        let column = |name: &str| headers.iter().position(|header| header == name);
        let (Some(id), Some(email)) = (column("member_id"), column("email")) else {
            return Err(Error::unexpected("the demo's export has no member_id and email"));
        };
        let mut owned = Self { by_address: HashMap::new(), known: std::collections::HashSet::new() };
        for row in reader.records() {
            let row = row.map_err(fail)?;
            if let Ok(number) = row[id].parse() {
                owned.known.insert(number);
                owned.by_address.entry(row[email].to_ascii_lowercase()).or_default().push(number);
            }
        }
        Ok(owned)
    }

    /// Why a delivered message is not its recipient's own, if it is not.
    pub fn mismatch(&self, delivery: &Delivery) -> Option<&'static str> {
        let Some(own) = self.by_address.get(&delivery.recipient.to_ascii_lowercase()) else {
            return Some("the recipient is nobody's address");
        };
        let mut shows_own = false;
        for text in texts(&delivery.bytes) {
            for number in eight_digits(&text) {
                if own.contains(&number) {
                    shows_own = true;
                } else if self.known.contains(&number) {
                    return Some("it shows another account's member ID");
                }
            }
        }
        (!shows_own).then_some("it does not show its recipient's member ID")
    }
}

/// Every run of exactly eight digits that is not part of a longer word.
fn eight_digits(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit()))
        .filter_map(|word| word.parse().ok())
}

/// The decoded bodies of a message's leaf parts.
fn texts(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Vec::new() };
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let kind = header("Content-Type").unwrap_or_default();
    if let Some((_, boundary)) = kind.split_once("boundary=") {
        let boundary = boundary.trim_matches('"').split(['"', ';']).next().unwrap_or_default();
        return body
            .split(&format!("--{boundary}"))
            .skip(1)
            .flat_map(|part| texts(part.trim_start_matches("\r\n").as_bytes()))
            .collect();
    }
    let decoded = match header("Content-Transfer-Encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
        "base64" => {
            let compact: String = body.split_whitespace().collect();
            STANDARD.decode(compact).unwrap_or_default()
        }
        "quoted-printable" => quoted_printable(body),
        _ => body.as_bytes().to_vec(),
    };
    vec![String::from_utf8_lossy(&decoded).into_owned()]
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut decoded = Vec::with_capacity(joined.len());
    let mut bytes = joined.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            decoded.push(byte);
            continue;
        }
        let pair: Vec<u8> = bytes.by_ref().take(2).collect();
        let value = std::str::from_utf8(&pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.extend(value);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned() -> Ownership {
        Ownership {
            by_address: [("a@a.example".to_owned(), vec![10_000_001])].into(),
            known: [10_000_001, 10_000_002].into(),
        }
    }

    fn delivery(body: &str) -> Delivery {
        Delivery {
            sender: "news@registrar.example".into(),
            recipient: "A@a.example".into(),
            bytes: format!("Content-Type: multipart/alternative;\r\n boundary=\"b\"\r\n\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}\r\n--b--\r\n").into_bytes(),
        }
    }

    #[test]
    fn it_tells_own_from_others_and_from_nothing() {
        assert_eq!(owned().mismatch(&delivery("ID 1000=\r\n0001")), None);
        assert!(owned().mismatch(&delivery("ID 10000001, not 1=30000002")).is_some());
        assert!(owned().mismatch(&delivery("no ID")).is_some());
    }
}
