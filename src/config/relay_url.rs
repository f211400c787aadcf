//! The URL of a mail server: where it is, how the way to it is encrypted, who logs in.
//!
//! Input: `smtp.url`, and the file of a token beside it. Output: [`RelayUrl`]. Errors never tell
//! the URL itself: it may hold a password.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use crate::config::Smtp;

/// Why a relay's URL cannot be used. Never the URL itself: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayUrlError {
    /// Not a URL of ours.
    #[error(
        "it is none of smtp://host[:port], smtp://host?tls=required and smtps://user:password@host, with a port from 1 to 65535"
    )]
    Url,
    /// A password or a token would travel in clear.
    #[error("it has a user and no TLS: write smtps://, or add ?tls=required")]
    PlainPassword,
    /// A token needs a user's name beside it.
    #[error(
        "smtp.auth is \"xoauth2\": it names the user, without a password, as in smtps://user%40registrar.example@host"
    )]
    TokenUser,
    /// The name is none that EHLO can say.
    #[error("smtp.hello is no host name: write letters, digits, dots and hyphens")]
    Hello,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// STARTTLS, or no mail.
    Required,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// Who logs in, and what proves it.
#[derive(Clone, Debug)]
pub struct RelayUser {
    /// The user's name.
    pub name: String,
    /// What proves it.
    pub proof: Proof,
}

/// What proves a user.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A password.
    Password(SecretString),
    /// The file of an access token.
    Token(PathBuf),
}

/// A mail server's URL, read.
#[derive(Clone, Debug)]
pub struct RelayUrl {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the way to it is encrypted.
    pub tls: Tls,
    /// Who logs in.
    pub user: Option<RelayUser>,
}

impl Smtp {
    /// Reads its URL.
    ///
    /// # Errors
    /// The URL, or the name that EHLO says, cannot be used.
    pub fn relay_url(&self) -> Result<RelayUrl, RelayUrlError> {
        let (scheme, rest) = self.url.expose_secret().split_once("://").ok_or(RelayUrlError::Url)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.trim_end_matches('/');
        let tls = match (scheme, query) {
            ("smtp", "") => Tls::None,
            ("smtp", "tls=required") => Tls::Required,
            ("smtps", "") => Tls::Implicit,
            _ => return Err(RelayUrlError::Url),
        };
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let default_port = if tls == Tls::Implicit { 465 } else { 25 };
        let (host, port) = host_port(place, default_port).ok_or(RelayUrlError::Url)?;
        let user = user(login, self.token_file())?;
        if user.is_some() && tls == Tls::None {
            return Err(RelayUrlError::PlainPassword);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
        if self.hello.is_empty() || !self.hello.chars().all(plain) {
            return Err(RelayUrlError::Hello);
        }
        Ok(RelayUrl { host, port, tls, user })
    }
}

/// From a URL's `user:password`, or its `user` and a token's file.
fn user(text: Option<&str>, token: Option<&Path>) -> Result<Option<RelayUser>, RelayUrlError> {
    let decode =
        |text: &str| percent_decode_str(text).decode_utf8().map(|t| t.into_owned()).map_err(|_| RelayUrlError::Url);
    match (text, token) {
        (None, None) => Ok(None),
        (Some(user), Some(file)) if !user.is_empty() && !user.contains(':') => {
            Ok(Some(RelayUser { name: decode(user)?, proof: Proof::Token(file.into()) }))
        }
        (_, Some(_)) => Err(RelayUrlError::TokenUser),
        (Some(text), None) => {
            let (user, password) = text.split_once(':').ok_or(RelayUrlError::Url)?;
            Ok(Some(RelayUser { name: decode(user)?, proof: Proof::Password(decode(password)?.into()) }))
        }
    }
}

fn host_port(place: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port.map_or(Some(default), |port| port.parse().ok()).filter(|port| *port != 0)?;
    let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
    is_host.then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_needs_a_user_and_no_password() {
        let file = Some(Path::new("token"));
        let named = user(Some("us%40er"), file).unwrap().map(|user| user.name);
        assert_eq!(named.as_deref(), Some("us@er"));
        for bad in [None, Some(""), Some("user:password")] {
            assert_eq!(user(bad, file).unwrap_err(), RelayUrlError::TokenUser, "{bad:?}");
        }
        assert_eq!(user(Some("user"), None).unwrap_err(), RelayUrlError::Url);
    }
}
