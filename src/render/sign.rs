//! DKIM signatures (RFC 6376; Ed25519: RFC 8463), made as the last step of a
//! message, before the guard reads it.
//!
//! Input: a finished message, the signers of its letterhead. Output: the message
//! with one DKIM-Signature of each before it. Canonicalization is
//! relaxed/relaxed. The headers that a reader or a mailbox provider acts on are
//! *oversigned*: named once more than they stand there, so that a second one,
//! added on the way, breaks the signature. There is no expiry (`x=`), because a
//! relay may hold a message for days.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

/// Headers that are signed, each named twice: as it stands, and as one too many.
const OVERSIGNED: [&str; 8] =
    ["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"];

/// Headers that are signed as they stand.
const SIGNED: [&str; 4] = ["MIME-Version", "Content-Type", "List-Id", "Feedback-ID"];

/// One domain's signature under one selector.
#[derive(Clone)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Arc<Key>,
    /// As the record's `p=` has it, before base64: of RSA its SubjectPublicKeyInfo
    /// in DER, of Ed25519 its 32 bytes.
    public: Vec<u8>,
}

enum Key {
    Rsa(DkimSigner<RsaKey<Sha256>, Done>),
    Ed25519(DkimSigner<Ed25519Key, Done>),
}

/// Why a signer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// RFC 6376 §3.1, §3.5.
    #[error("the {0} is no name of letters, digits, hyphens and dots")]
    Name(&'static str),
    /// Not PEM, or of another kind, or an RSA key that RFC 8301 §3.2 advises against.
    #[error(
        "it is no private key in PEM, RSA of 2048 to 8192 bits or Ed25519; make one with `openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048` or `openssl genpkey -algorithm ed25519`"
    )]
    Key,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({} of {})", self.selector, self.domain)
    }
}

impl Signer {
    /// Reads a private key in PEM: RSA (PKCS #1 or #8) or Ed25519 (PKCS #8).
    ///
    /// # Errors
    /// [`SignerError`]; nothing of the key is in it.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, SignerError> {
        for (what, name) in [("domain", domain), ("selector", selector)] {
            let label =
                |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if name.len() > 253 || !name.split('.').all(label) {
                return Err(SignerError::Name(what));
            }
        }
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| SignerError::Key)?;
        let key = match &der {
            PrivateKeyDer::Pkcs8(pkcs8) => Ed25519Key::from_pkcs8_maybe_unchecked_der(pkcs8.secret_pkcs8_der()).ok(),
            _ => None,
        };
        let headers = OVERSIGNED.into_iter().flat_map(|name| [name, name]).chain(SIGNED);
        let (key, public) = match key {
            Some(key) => {
                let public = key.public_key();
                (Key::Ed25519(DkimSigner::from_key(key).domain(domain).selector(selector).headers(headers)), public)
            }
            None => {
                let key = RsaKey::<Sha256>::from_key_der(der).map_err(|_| SignerError::Key)?;
                let public = subject_public_key_info(&key.public_key());
                (Key::Rsa(DkimSigner::from_key(key).domain(domain).selector(selector).headers(headers)), public)
            }
        };
        Ok(Self { domain: domain.to_ascii_lowercase(), selector: selector.to_owned(), key: Arc::new(key), public })
    }

    /// The domain that signs.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The name under which its key stands in the DNS.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// Under which name its record stands in the DNS.
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The kind of its key, as the record's `k=` names it.
    pub fn key_type(&self) -> &'static str {
        match &*self.key {
            Key::Rsa(_) => "rsa",
            Key::Ed25519(_) => "ed25519",
        }
    }

    /// Whether a record's `p=`, out of base64, is the public half of its key. Of RSA
    /// the bare key is one too, as RFC 6376 §3.6.1 has it.
    pub fn is_public_key(&self, public: &[u8]) -> bool {
        let bare = matches!(&*self.key, Key::Rsa(_)) && subject_public_key_info(public) == self.public;
        public == self.public || bare
    }

    /// The record to publish (RFC 6376 §3.6.1).
    pub fn record(&self) -> String {
        format!("v=DKIM1; k={}; p={}", self.key_type(), STANDARD.encode(&self.public))
    }

    /// The field of a message, its line end included.
    fn field(&self, message: &[u8]) -> Result<String, SignerError> {
        let signature = match &*self.key {
            Key::Rsa(signer) => signer.sign(message),
            Key::Ed25519(signer) => signer.sign(message),
        };
        signature.map(|signature| signature.to_header()).map_err(|_| SignerError::Key)
    }
}

/// A bare RSA key with what says that it is one before it (RFC 5280 §4.1.2.7).
fn subject_public_key_info(bare: &[u8]) -> Vec<u8> {
    const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = der(0x03, &[&[0], bare].concat());
    der(0x30, &[&RSA[..], &bits].concat())
}

/// One value in DER; lengths below 65,536, as all keys here have.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let [.., high, low] = value.len().to_be_bytes();
    let head: &[u8] = match value.len() {
        0..128 => &[tag, low],
        128..256 => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, value].concat()
}

/// Puts the signatures of a message before it. Each signs what stands without
/// the others.
pub(super) fn sign(signers: &[Signer], message: Vec<u8>) -> Result<Vec<u8>, SignerError> {
    if signers.is_empty() {
        return Ok(message);
    }
    let mut out = Vec::with_capacity(message.len() + signers.len() * 1024);
    for signer in signers {
        out.extend_from_slice(signer.field(&message)?.as_bytes());
    }
    out.extend_from_slice(&message);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::render::tests::{DATE_MS, recipient, renderer};

    /// A new private key in PEM.
    fn pem(kind: &str) -> String {
        let kind: &[&str] = match kind {
            "rsa:1024" => &["rsa", "-pkeyopt", "rsa_keygen_bits:1024"],
            "rsa:2048" => &["rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
            "rsa:4096" => &["rsa", "-pkeyopt", "rsa_keygen_bits:4096"],
            "ec" => &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            other => &[other],
        };
        let made = Command::new("openssl").args(["genpkey", "-algorithm"]).args(kind).output().expect("openssl");
        String::from_utf8(made.stdout).unwrap()
    }

    /// A key's record, as the guide says to make it (`ops/guide/sending.md`).
    fn record(kind: &str, pem: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("KEY"), pem).unwrap();
        let (k, encode) = match kind {
            "ed25519" => ("ed25519", "tail -c 32 | base64"),
            _ => ("rsa", "base64 -w0"),
        };
        let script = format!("openssl pkey -in KEY -pubout -outform der | {encode}");
        let made = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        format!("v=DKIM1; k={k}; p={}", String::from_utf8(made.stdout).unwrap().trim())
    }

    #[test]
    fn a_key_of_either_kind_signs_and_nothing_else_is_taken() {
        let message = b"From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n";
        for (kind, name) in [("rsa:2048", "rsa-sha256"), ("ed25519", "ed25519-sha256")] {
            let signer = Signer::new("B.example", "s1", &pem(kind)).unwrap();
            let signed = sign(&[signer.clone(), signer], message.to_vec()).unwrap();
            let text = String::from_utf8(signed).unwrap();
            assert!(text.ends_with(std::str::from_utf8(message).unwrap()), "{text}");
            assert_eq!(text.matches("DKIM-Signature: v=1;").count(), 2, "{text}");
            assert!(text.contains(&format!("a={name}; s=s1;")), "{text}");
            let fields = text.replace("\r\n\t", "").replace([' ', '\t'], "").to_lowercase();
            assert_eq!(fields.matches("list-unsubscribe:").count(), 2 * 2, "oversigned: {fields}");
            assert!(!fields.contains(";x="), "{fields}");
            assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        }
        assert_eq!(Signer::new("b.example", "s1", &pem("rsa:1024")).unwrap_err(), SignerError::Key);
        assert_eq!(Signer::new("b.example", "s1", &pem("ec")).unwrap_err(), SignerError::Key);
        assert_eq!(Signer::new("b.example", "s1", "no key").unwrap_err(), SignerError::Key);
        assert_eq!(Signer::new("b..example", "s1", &pem("ed25519")).unwrap_err(), SignerError::Name("domain"));
        assert_eq!(Signer::new("b.example", "s 1", &pem("ed25519")).unwrap_err(), SignerError::Name("selector"));
    }

    /// Two verifiers that share nothing with what signs here, each with the keys'
    /// records in place of the DNS: dkimpy and opendkim. How many signatures pass.
    fn verifiers(records: &[String], message: &[u8]) -> Option<[usize; 2]> {
        const DKIMPY: &str = "
import sys, dkim
message = open(sys.argv[1], 'rb').read()
names = dict(line.strip().split(' ', 1) for line in open(sys.argv[2]))
record = lambda name, timeout=5: names[name.decode().rstrip('.')].encode()
verifier = dkim.DKIM(message)
def passes(n):
    try: return verifier.verify(idx=n, dnsfunc=record)
    except dkim.DKIMException: return False
print(sum(map(passes, range(int(sys.argv[3])))))
";
        let folder = tempfile::tempdir().ok()?;
        let file = |name: &str, text: &[u8]| {
            std::fs::write(folder.path().join(name), text).ok()?;
            Some(folder.path().join(name).display().to_string())
        };
        let count = records.len().to_string();
        let records = file("records", records.join("\n").as_bytes())?;
        let message = file("message", message)?;
        let conf = format!("TestDNSData file:{records}\nMode v\nSyslog no\n");
        let conf = file("conf", conf.as_bytes())?;
        let said = |program: &str, args: &[&str]| {
            let said = Command::new(program).args(args).output().ok()?;
            String::from_utf8(said.stdout).ok()
        };
        let dkimpy = said("/usr/bin/python3", &["-c", DKIMPY, &message, &records, &count])?;
        let opendkim = said("/usr/sbin/opendkim", &["-x", &conf, "-t", &message, "-v", "-v"])?;
        Some([dkimpy.trim().parse().ok()?, opendkim.matches("dkim=pass").count()])
    }

    #[test]
    fn the_record_is_the_one_that_openssl_makes() {
        for kind in ["rsa:2048", "rsa:4096", "ed25519"] {
            let pem = pem(kind);
            let signer = Signer::new("registrar.example", "k1", &pem).unwrap();
            assert_eq!(signer.record(), record(kind, &pem));
            let public = STANDARD.decode(signer.record().rsplit_once("p=").unwrap().1).unwrap();
            assert!(signer.is_public_key(&public));
            // RSA's bare key begins behind 24 bytes that name it.
            let bare = public.get(24..).unwrap_or_default();
            assert_eq!(signer.is_public_key(bare), kind.starts_with("rsa"));
            let other = Signer::new("registrar.example", "k1", &self::pem(kind)).unwrap();
            assert!(!other.is_public_key(&public) && !other.is_public_key(b""));
        }
    }

    #[test]
    fn two_other_verifiers_agree() {
        let (signers, records): (Vec<Signer>, Vec<String>) =
            [("r1", "rsa:2048"), ("e1", "ed25519"), ("r2", "rsa:4096")]
                .map(|(selector, kind)| {
                    let pem = pem(kind);
                    let signer = Signer::new("registrar.example", selector, &pem).unwrap();
                    (signer, format!("{selector}._domainkey.registrar.example {}", record(kind, &pem)))
                })
                .into_iter()
                .unzip();
        let mut renderer = renderer(&[
            ("subject.txt", "お知らせ {{ account.id }}"),
            ("body.html", "<p>{{ account.id }} 様</p>\n<p>.</p> \n\n"),
        ]);
        renderer.head.signers = signers;
        let required = std::env::var("KAKITOME_TEST_REQUIRE").is_ok_and(|value| value.contains("dkim"));
        for id in ["10000001", "10000002"] {
            let recipient = recipient(id, &[("id", id)], &[]);
            let rendered = renderer.render(recipient, DATE_MS).unwrap();
            let Some(passed) = verifiers(&records, rendered.bytes()) else {
                assert!(!required, "dkimpy and opendkim are required, and are not there");
                return eprintln!("left out: dkimpy or opendkim is not there");
            };
            assert_eq!(passed, [3, 3]);
            // A second From, another body, a header that was not there.
            let text = String::from_utf8(rendered.bytes().to_vec()).unwrap();
            let added = |field: &str| text.replacen("\r\nTo: ", &format!("\r\n{field}\r\nTo: "), 1);
            let changed = text.replacen("=E6=A7=98", "=E6=AE=BF", 1);
            for other in [added("From: x@y.example"), added("Subject: x"), changed] {
                assert_ne!(text, other);
                assert_eq!(verifiers(&records, other.as_bytes()).unwrap(), [0, 0]);
            }
        }
    }
}
