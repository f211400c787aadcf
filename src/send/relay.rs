//! The mail server that messages are handed to: where it is, how it is spoken
//! to, how long it is waited for. What can be known of it without a message is
//! asked by [`Relay::probe`].

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::config::{RelayUrl, RelayUrlError, Smtp, Tls};
use crate::send::conversation::Conversation;
use crate::send::known::Known;
use crate::send::link::{Link, Said};
use crate::send::login::Login;
use crate::send::wire::reply_text;
use crate::telemetry::event;

/// Why a connection came to nothing, by what is to be mended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be connected to, or says nothing.
    #[error("{0}")]
    Unreachable(String),
    /// It does not want us.
    #[error("{0}")]
    Refused(String),
    /// No encryption, or none that can be trusted.
    #[error("{0}")]
    Tls(String),
    /// The user was not let in.
    #[error("{0}")]
    Login(String),
}

/// How long each step is waited for (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// The connection, the greeting, EHLO, TLS, AUTH.
    pub connect: Duration,
    /// The greeting, before it is said that it has not come.
    pub patience: Duration,
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
            patience: Duration::from_secs(10),
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
    login: Option<Login>,
    hello: String,
    /// Read at the first connection that needs it.
    trust: Arc<OnceLock<Arc<ClientConfig>>>,
    /// Whether it was said that its greeting is late: once is enough.
    is_late: Arc<AtomicBool>,
    connections: usize,
    deadlines: Deadlines,
}

impl fmt::Display for Relay {
    /// Host and port; never the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Relay {
    /// Reads the configuration.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub fn new(smtp: &Smtp) -> Result<Self, RelayUrlError> {
        let RelayUrl { host, port, tls, user } = smtp.relay_url()?;
        Ok(Self {
            host,
            port,
            tls,
            login: user.map(Login::new),
            hello: smtp.hello.clone(),
            trust: Arc::default(),
            is_late: Arc::default(),
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

    /// The same, trusting one authority only.
    #[cfg(test)]
    pub(in crate::send) fn trusting(self, trust: ClientConfig) -> Self {
        self.trust.get_or_init(|| Arc::new(trust));
        self
    }

    /// How many connections are held open at once.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Connects, within the time that it may take.
    pub(in crate::send) async fn connect_in_time(&self) -> Result<Conversation, String> {
        let (link, known) = self.open_in_time().await.map_err(|fault| fault.to_string())?;
        Ok(Conversation::new(link, &known, self.deadlines))
    }

    /// The same, before it is used for messages.
    pub(in crate::send) async fn open_in_time(&self) -> Result<(Link, Known), Fault> {
        match tokio::time::timeout(self.deadlines.connect, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(Fault::Unreachable("it did not answer in time".into())),
        }
    }

    /// The host's name, as its certificate must have it.
    pub(in crate::send) fn host(&self) -> &str {
        &self.host
    }

    /// Whether a user is named.
    pub(in crate::send) fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// The first wait before it is connected to again.
    pub(in crate::send) fn first_wait(&self) -> Duration {
        self.deadlines.again
    }

    async fn open(&self) -> Result<(Link, Known), Fault> {
        let mut link = self.patiently(self.greeted()).await?;
        let mut known = self.hello(&mut link).await.map_err(Fault::Refused)?;
        if self.tls == Tls::Required {
            if !known.has("STARTTLS") {
                return Err(Fault::Tls("it offers no STARTTLS, and TLS is required".into()));
            }
            let said = ask(&mut link, "STARTTLS").await.map_err(Fault::Tls)?;
            expect(220, "STARTTLS", said).map_err(Fault::Tls)?;
            link = self.encrypt(link).await?;
            known = self.hello(&mut link).await.map_err(Fault::Refused)?;
        }
        if let Some(login) = &self.login {
            login.say(&mut link, &known).await.map_err(Fault::Login)?;
        }
        Ok((link, known))
    }

    /// Connects, and reads the greeting.
    async fn greeted(&self) -> Result<Link, Fault> {
        let silent = |error: std::io::Error| Fault::Unreachable(reply_text(&error.to_string()));
        let mut link = Link::connect(&self.host, self.port).await.map_err(silent)?;
        if self.tls == Tls::Implicit {
            link = self.encrypt(link).await?;
        }
        expect(220, "its greeting", link.reply().await.map_err(silent)?).map_err(Fault::Refused)?;
        Ok(link)
    }

    /// Waits for the greeting, and says that it waits when that takes long.
    async fn patiently<T>(&self, greeting: impl Future<Output = T>) -> T {
        let mut greeting = std::pin::pin!(greeting);
        let Deadlines { patience, connect, .. } = self.deadlines;
        if let Ok(greeted) = tokio::time::timeout(patience, &mut greeting).await {
            return greeted;
        }
        if !self.is_late.swap(true, Ordering::Relaxed) {
            event::greeting_late(&self.to_string(), patience, connect);
        }
        greeting.await
    }

    /// Says EHLO; and HELO to a server that does not know it (RFC 5321 §3.2).
    async fn hello(&self, link: &mut Link) -> Result<Known, String> {
        let said = ask(link, &format!("EHLO {}", self.hello)).await?;
        if !matches!(said.code, 500 | 502 | 504) {
            return Ok(Known::new(&expect(250, "EHLO", said)?));
        }
        expect(250, "HELO", ask(link, &format!("HELO {}", self.hello)).await?)?;
        Ok(Known::default())
    }

    async fn encrypt(&self, link: Link) -> Result<Link, Fault> {
        let connector = TlsConnector::from(match self.trust.get() {
            Some(trust) => trust.clone(),
            None => {
                let read = Arc::new(trust().map_err(Fault::Tls)?);
                self.trust.get_or_init(|| read).clone()
            }
        });
        let encrypted = link.encrypt(&self.host, &connector).await;
        encrypted.map_err(|e| Fault::Tls(reply_text(&format!("TLS failed: {e}"))))
    }
}

/// Writes one command, and reads its reply; unless the server has said something that it
/// was not asked, which would be taken for that reply.
pub(in crate::send) async fn ask(link: &mut Link, line: &str) -> Result<Said, String> {
    if !link.is_quiet().await {
        return Err("the server closed the connection, or spoke out of turn".into());
    }
    let failed = |error: std::io::Error| reply_text(&error.to_string());
    link.write(format!("{line}\r\n").as_bytes()).await.map_err(failed)?;
    link.reply().await.map_err(failed)
}

/// The reply, if it is the one that was to come.
pub(in crate::send) fn expect(code: u16, what: &str, said: Said) -> Result<Said, String> {
    if said.code == code {
        return Ok(said);
    }
    Err(format!("{what} got {} {}", said.code, reply_text(&said.text())))
}

/// Whom this machine trusts.
pub(in crate::send) fn roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    if roots.add_parsable_certificates(found.certs).0 == 0 {
        return Err("this machine has no root certificates to know it by: install ca-certificates".into());
    }
    Ok(roots)
}

fn trust() -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    Ok(config.with_root_certificates(roots()?).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn relay(url: &str) -> Result<Relay, RelayUrlError> {
        Relay::new(&Smtp { url: SecretString::from(url), ..Smtp::default() })
    }

    #[test]
    fn a_greeting_that_does_not_come_is_told_once_for_each_relay() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = silent.local_addr().unwrap();
        let short = Deadlines {
            patience: Duration::from_millis(10),
            connect: Duration::from_millis(200),
            ..Deadlines::default()
        };
        let relay = relay(&format!("smtp://{at}")).unwrap().with_deadlines(short);
        let other = relay.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lines = crate::telemetry::tests::logged("error", || {
            let twice = async { tokio::join!(relay.open_in_time(), other.open_in_time()) };
            let (one, other) = runtime.block_on(twice);
            assert!(matches!((one, other), (Err(Fault::Unreachable(_)), Err(Fault::Unreachable(_)))));
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((&lines[0]["event"], &lines[0]["relay"]), (&"greeting_late".into(), &at.to_string().into()));
    }

    #[test]
    fn urls_are_read_and_a_password_never_travels_in_clear() {
        let plain = relay("smtp://127.0.0.1:2525").unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.tls), ("127.0.0.1", 2525, Tls::None));
        let implicit = relay("smtps://us%40er:p%3Aw@mail.example").unwrap();
        assert_eq!((implicit.port, implicit.tls), (465, Tls::Implicit));
        assert_eq!(implicit.login.as_ref().unwrap().user(), "us@er");
        assert_eq!(relay("smtp://[::1]:25?tls=required").unwrap().host, "::1");
        assert_eq!(relay("smtp://user:pass@mail.example").unwrap_err(), RelayUrlError::PlainPassword);
        for bad in [
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://a:b",
            "smtp://a:0",
            "smtp://a/b",
            "smtp://a b",
            "smtp://a?tls=maybe",
        ] {
            assert_eq!(relay(bad).unwrap_err(), RelayUrlError::Url, "{bad}");
        }
    }
}
