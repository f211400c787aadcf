//! What concerns the mail itself: `[smtp]`, `[links]` and `[[dkim]]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Rate, Span};

/// `[smtp]`: the relay, and how fast it is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtp://127.0.0.1:2525`, `smtps://user:pass@host`,
    /// `smtp://host?tls=required` (STARTTLS).
    pub url: SecretString,
    /// Connections held open at once.
    pub connections: usize,
    /// Messages handed over, in all.
    pub rate: Rate,
    /// Messages handed over for one recipient domain.
    pub rate_per_domain: Rate,
    /// The name given in EHLO.
    pub hello: String,
    /// The first wait after a deferral; each further one doubles, with jitter.
    pub retry_first: Span,
    /// The longest wait between two attempts.
    pub retry_max: Span,
    /// Attempts after which a deferred message counts as rejected.
    pub attempts_max: u32,
    /// How the user that `url` names is proven.
    pub auth: Auth,
    /// For [`Auth::Xoauth2`]: `file:PATH` of an access token. Tokens expire, so the
    /// file is read again for each connection.
    pub token: Option<SecretString>,
}

/// `smtp.auth`: how a user is proven to the relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// By the password in `url`: AUTH PLAIN, or LOGIN where that is all there is.
    #[default]
    Password,
    /// By an OAuth 2.0 access token.
    Xoauth2,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            url: SecretString::from("smtp://127.0.0.1:25"),
            connections: 8,
            rate: Rate::per_second(100),
            rate_per_domain: Rate::per_second(50),
            hello: "localhost.localdomain".into(),
            retry_first: Span(Duration::from_secs(60)),
            retry_max: Span(Duration::from_secs(4 * 3600)),
            attempts_max: 12,
            auth: Auth::Password,
            token: None,
        }
    }
}

impl Smtp {
    /// The file of the access token, if there is one.
    pub fn token_file(&self) -> Option<&Path> {
        self.token.as_ref()?.expose_secret().strip_prefix("file:").map(Path::new)
    }

    /// Takes the token's path from the configuration's folder.
    pub(super) fn place(&mut self, folder: &Path) {
        if let Some(file) = self.token_file() {
            self.token = Some(format!("file:{}", folder.join(file).display()).into());
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=1000).contains(&self.connections) {
            return Err("smtp.connections is between 1 and 1000".into());
        }
        if self.attempts_max == 0 {
            return Err("smtp.attempts_max is 1 or more: with 0, no message is ever tried".into());
        }
        if self.retry_first.0.is_zero() || self.retry_max < self.retry_first {
            return Err("smtp.retry_first is longer than nothing, and smtp.retry_max no shorter than it".into());
        }
        if self.token.is_some() != (self.auth == Auth::Xoauth2) {
            return Err("smtp.token goes with smtp.auth = \"xoauth2\", and neither without the other".into());
        }
        if self.token.is_some() && self.token_file().is_none() {
            return Err("smtp.token is \"file:PATH\": tokens expire, and the file is read for each connection".into());
        }
        // It is written into the conversation as it stands (RFC 5321 §4.1.1.1).
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        if self.hello.is_empty() || self.hello.len() > 255 || !self.hello.chars().all(is_name) {
            return Err("smtp.hello is this machine's host name: ASCII letters, digits, dots and hyphens, as in \"mail.registrar.example\"".into());
        }
        Ok(())
    }
}

/// `[links]`: where links in messages lead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// The HTTPS address under which links are answered:
    /// `https://mail.registrar.example/k`. RFC 8058 §3.1 asks for HTTPS.
    pub base: Option<String>,
}

/// `[[dkim]]`: a key that messages are signed with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The domain that signs: that of `from`, for DMARC's sake.
    pub domain: String,
    /// The name under which its public key stands: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The file of the private key, in PEM: RSA of 2048 bits or more, or Ed25519.
    pub key: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_file_and_goes_with_xoauth2() {
        let read = |text: &str| {
            let mut smtp: Smtp = toml::from_str(text).unwrap();
            smtp.place(Path::new("/etc/kakitome"));
            smtp.check().map(|()| smtp.token_file().map(Path::to_owned))
        };
        let token = read("auth = \"xoauth2\"\ntoken = \"file:smtp-token\"");
        assert_eq!(token.unwrap().unwrap(), Path::new("/etc/kakitome/smtp-token"));
        assert_eq!(read("").unwrap(), None);
        for (text, why) in [
            ("auth = \"xoauth2\"", "neither without the other"),
            ("token = \"file:smtp-token\"", "neither without the other"),
            ("auth = \"xoauth2\"\ntoken = \"ya29.secret\"", "file:PATH"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("ya29"), "{refused}");
        }
    }
}
