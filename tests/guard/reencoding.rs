//! However a message travels, it says the same: re-encoded at random, a proper
//! message stays cleared, and a swapped one is held for the same identifiers.

use std::collections::BTreeSet;

use encoding_rs::{EUC_JP, ISO_2022_JP, SHIFT_JIS, UTF_8};
use fastrand::Rng;
use kakitome::account::{AccountId, Kind};
use kakitome::guard::{Rule, Verdict};

use super::charsets::{encode, word};
use super::letter::Letter;
use super::world::World;

const CHARSETS: [&encoding_rs::Encoding; 4] = [UTF_8, ISO_2022_JP, SHIFT_JIS, EUC_JP];

/// What a verdict says of whom, wherever it stands.
type Said = BTreeSet<(Rule, Option<Kind>, Option<AccountId>)>;

fn said(verdict: Verdict) -> Said {
    verdict.findings.into_iter().map(|finding| (finding.rule, finding.kind, finding.owner)).collect()
}

/// A message before it is encoded.
struct Plain {
    letter: Letter,
    subject: String,
    sender: String,
}

impl Plain {
    /// What is written for `author`, under the address of `account`.
    fn new(world: &World, account: usize, author: usize, random: &mut Rng) -> Self {
        let mut letter = Letter::new(world, author);
        letter.header("To", &format!("<{}>", world.records[account].address.as_str()));
        let values = world.identifiers(author);
        let mut value = || values[random.usize(..values.len())].1.clone();
        let subject = format!("【お知らせ】 {} について", value());
        let sender = format!("Example Registrar {} 担当", value());
        for _ in 0..3 {
            letter.html.push_str(&format!("<p title=\"{}\">ご契約: <b>{}</b></p>\r\n", value(), value()));
        }
        Self { letter, subject, sender }
    }

    /// Everything in UTF-8, 8bit, and one encoded-word a field.
    fn plainly(&self) -> Vec<u8> {
        let mut letter = self.letter.clone();
        letter.header("Subject", &super::letter::word(&self.subject));
        letter.header("From", &format!("{} <news@registrar.example>", super::letter::word(&self.sender)));
        letter.bytes()
    }

    /// The same at random.
    fn at_random(&self, random: &mut Rng) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.letter.headers {
            let value = match name.as_str() {
                "Subject" => words(&self.subject, random),
                "From" => format!("{}{}<news@registrar.example>", words(&self.sender, random), gap(random)),
                _ => value.split(' ').collect::<Vec<_>>().join(gap(random)),
            };
            let after = ["", " ", "\r\n "][random.usize(..3)];
            out.extend(format!("{}:{after}{value}\r\n", cased(name, random)).into_bytes());
        }
        let boundary = format!("={:016x}=", random.u64(..));
        out.extend(
            format!("Content-Type: multipart/mixed;{}boundary=\"{boundary}\"\r\n\r\n", gap(random)).into_bytes(),
        );
        for (kind, text) in [("text/plain", &self.letter.text), ("text/html", &self.letter.html)] {
            out.extend(format!("--{boundary}\r\n").into_bytes());
            out.extend(part(kind, text, random));
            out.extend(b"\r\n");
        }
        out.extend(format!("--{boundary}--\r\n").into_bytes());
        out
    }
}

/// White space at which a header may be folded.
fn gap(random: &mut Rng) -> &'static str {
    [" ", "\r\n ", "\r\n\t"][random.usize(..3)]
}

fn cased(name: &str, random: &mut Rng) -> String {
    match random.u8(..3) {
        0 => name.to_ascii_lowercase(),
        1 => name.to_ascii_uppercase(),
        _ => name.to_owned(),
    }
}

/// A text in encoded-words, each of a length, a charset and an encoding of its own.
fn words(text: &str, random: &mut Rng) -> String {
    let mut words = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut rest = &chars[..];
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.usize(1..=7).min(rest.len()));
        let piece: String = piece.iter().collect();
        let encoding = if random.bool() { 'B' } else { 'Q' };
        let charset = CHARSETS[random.usize(..CHARSETS.len())];
        words.extend(word(&piece, charset, encoding).or_else(|| word(&piece, UTF_8, encoding)));
        rest = after;
    }
    words.join(gap(random))
}

/// A part in a charset that has all of it, under a transfer encoding that fits.
fn part(kind: &str, text: &str, random: &mut Rng) -> Vec<u8> {
    let charset = CHARSETS[random.usize(..CHARSETS.len())];
    let (charset, bytes) = match encode(text, charset) {
        Some(bytes) => (charset, bytes),
        None => (UTF_8, text.as_bytes().to_vec()),
    };
    let (encoding, body) = match random.u8(..3) {
        0 => ("base64", base64(&bytes, random)),
        1 => ("quoted-printable", quoted_printable(&bytes, random)),
        _ if bytes.is_ascii() => ("7bit", bytes),
        _ => ("8bit", bytes),
    };
    let head = format!(
        "Content-Type: {kind};{}charset={}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
        gap(random),
        charset.name()
    );
    [head.into_bytes(), body].concat()
}

/// Base64 in lines of any length.
fn base64(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    use base64::Engine;
    let packed = base64::engine::general_purpose::STANDARD.encode(bytes);
    let length = random.usize(1..=76);
    packed.as_bytes().chunks(length).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

/// Quoted-printable with escapes and soft line breaks anywhere.
fn quoted_printable(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        if rest.starts_with(b"\r\n") {
            out.extend(b"\r\n");
            rest = &rest[2..];
            continue;
        }
        if random.u8(..20) == 0 {
            out.extend(b"=\r\n");
        }
        if (b'!'..=b'~').contains(byte) && *byte != b'=' && random.u8(..4) > 0 {
            out.push(*byte);
        } else {
            out.extend(format!("={byte:02X}").into_bytes());
        }
        rest = after;
    }
    out
}

#[test]
fn a_message_says_the_same_however_it_travels() {
    let world = World::new();
    let accounts = world.records.len();
    let (mut cleared, mut held) = (0, 0);
    for seed in 0..1_500 {
        let mut random = Rng::with_seed(seed);
        let account = random.usize(..accounts);
        let author = if random.bool() { account } else { random.usize(..accounts) };
        let plain = Plain::new(&world, account, author, &mut random);
        let expected = said(world.judge(account, &plain.plainly()));
        assert_eq!(expected.is_empty(), account == author, "seed {seed}: {expected:?}");
        let bytes = plain.at_random(&mut random);
        let found = said(world.judge(account, &bytes));
        assert_eq!(found, expected, "seed {seed}, {account} and {author}:\n{}", String::from_utf8_lossy(&bytes));
        *(if found.is_empty() { &mut cleared } else { &mut held }) += 1;
    }
    assert!(cleared > 300 && held > 300, "{cleared} cleared, {held} held");
}
