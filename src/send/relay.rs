//! The mail server that messages are handed to: where it is, how it is spoken
//! to, how long it is waited for.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;

use crate::config::Smtp;
use crate::send::conversation::Conversation;
use crate::send::wire::reply_text;

/// Connecting is tried so often in a row before sending ends.
const TRIES: u32 = 6;

/// Why a relay's URL cannot be used. Never the URL itself: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not a URL of ours.
    #[error("it is none of smtp://host[:port], smtp://host?tls=required and smtps://user:password@host")]
    Url,
    /// A password would travel in clear.
    #[error("it has a password and no TLS: write smtps://, or add ?tls=required")]
    PlainPassword,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    None,
    /// STARTTLS, or no mail.
    Required,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// How long each step is waited for (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// The connection, the greeting, EHLO, TLS, AUTH.
    pub connect: Duration,
    /// MAIL and RCPT: 5 minutes.
    pub command: Duration,
    /// The reply to DATA: 2 minutes.
    pub data: Duration,
    /// Writing the body: 3 minutes.
    pub block: Duration,
    /// The reply to the final dot: 10 minutes.
    pub dot: Duration,
    /// The first wait before connecting again; it doubles.
    pub again: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(60),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
            again: Duration::from_millis(200),
        }
    }
}

/// A mail server, ready to be connected to.
#[derive(Clone, Debug)]
pub struct Relay {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<(String, SecretString)>,
    hello: ClientId,
    connections: usize,
    deadlines: Deadlines,
}

impl Relay {
    /// Reads the configuration.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub fn new(smtp: &Smtp) -> Result<Self, SendError> {
        let url = smtp.url.expose_secret();
        let (scheme, rest) = url.split_once("://").ok_or(SendError::Url)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.trim_end_matches('/');
        let tls = match (scheme, query) {
            ("smtp", "") => Tls::None,
            ("smtp", "tls=required") => Tls::Required,
            ("smtps", "") => Tls::Implicit,
            _ => return Err(SendError::Url),
        };
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let default_port = if tls == Tls::Implicit { 465 } else { 25 };
        let (host, port) = host_port(place, default_port).ok_or(SendError::Url)?;
        let credentials = login.map(credentials).transpose()?;
        if credentials.is_some() && tls == Tls::None {
            return Err(SendError::PlainPassword);
        }
        Ok(Self {
            host,
            port,
            tls,
            credentials,
            hello: ClientId::Domain(smtp.hello.clone()),
            connections: smtp.connections,
            deadlines: Deadlines::default(),
        })
    }

    /// The same with other deadlines.
    #[must_use]
    pub fn with_deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    pub(in crate::send) fn connections(&self) -> usize {
        self.connections
    }

    /// Connects, trying again for a while when the server cannot be reached.
    pub(in crate::send) async fn connect_patiently(&self, stopped: impl Fn() -> bool) -> Result<Conversation, String> {
        let mut wait = self.deadlines.again;
        let mut why = String::new();
        for tried in 0..TRIES {
            if tried > 0 {
                tokio::time::sleep(wait).await;
                wait = (2 * wait).min(25 * self.deadlines.again);
            }
            if tried > 0 && stopped() {
                break;
            }
            match tokio::time::timeout(self.deadlines.connect, self.connect()).await {
                Ok(Ok(open)) => return Ok(open),
                Ok(Err(error)) => why = error,
                Err(_) => why = "it did not answer in time".into(),
            }
        }
        Err(why)
    }

    async fn connect(&self) -> Result<Conversation, String> {
        let said = |e: lettre::transport::smtp::Error| reply_text(&chain(&e));
        let mut connection = if self.tls == Tls::Implicit {
            let tls = TlsParameters::new(self.host.clone()).map_err(said)?;
            let place = (self.host.as_str(), self.port);
            AsyncSmtpConnection::connect_tokio1(place, Some(self.deadlines.connect), &self.hello, Some(tls), None)
                .await
                .map_err(said)?
        } else {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|e| e.to_string())?;
            // The final dot must not wait for the acknowledgement of the body.
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await.map_err(said)?
        };
        if self.tls == Tls::Required {
            let tls = TlsParameters::new(self.host.clone()).map_err(said)?;
            connection.starttls(tls, &self.hello).await.map_err(said)?;
        }
        if let Some((user, password)) = &self.credentials {
            let login = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &login).await.map_err(said)?;
        }
        Conversation::open(connection, &self.hello, self.deadlines).await
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
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

fn credentials(login: &str) -> Result<(String, SecretString), SendError> {
    let (user, password) = login.split_once(':').ok_or(SendError::Url)?;
    let decode =
        |text: &str| percent_decode_str(text).decode_utf8().map(|t| t.into_owned()).map_err(|_| SendError::Url);
    Ok((decode(user)?, SecretString::from(decode(password)?)))
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(url: &str) -> Result<Relay, SendError> {
        Relay::new(&Smtp { url: SecretString::from(url), ..Smtp::default() })
    }

    #[test]
    fn urls_are_read_and_a_password_never_travels_in_clear() {
        let plain = relay("smtp://127.0.0.1:2525").unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.tls), ("127.0.0.1", 2525, Tls::None));
        let implicit = relay("smtps://us%40er:p%3Aw@mail.example").unwrap();
        assert_eq!((implicit.port, implicit.tls), (465, Tls::Implicit));
        assert_eq!(implicit.credentials.as_ref().unwrap().0, "us@er");
        assert_eq!(relay("smtp://[::1]:25?tls=required").unwrap().host, "::1");
        assert_eq!(relay("smtp://user:pass@mail.example").unwrap_err(), SendError::PlainPassword);
        for bad in ["mail.example", "http://mail.example", "smtp://", "smtp://a:b", "smtp://a?tls=maybe"] {
            assert_eq!(relay(bad).unwrap_err(), SendError::Url, "{bad}");
        }
    }
}
