//! How a user is proven to the relay: a password by AUTH PLAIN (RFC 4616) or LOGIN,
//! an OAuth 2.0 access token by XOAUTH2. Never outside TLS: [`Relay`] sees to that.
//!
//! A password is read once, with the configuration. A token expires, so its file is
//! read for each connection; whoever renews it writes the new one beside it and
//! renames it. What a server says of a login that it refuses is kept, what was said
//! to it is not.
//!
//! [`Relay`]: crate::send::Relay

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{Proof, RelayUser};
use crate::send::known::Known;
use crate::send::link::{Link, Said};
use crate::send::relay::{ask, expect};

/// A user, and what proves it.
#[derive(Clone, Debug)]
pub(in crate::send) struct Login {
    user: String,
    proof: Proof,
}

impl Login {
    pub fn new(RelayUser { name, proof }: RelayUser) -> Self {
        Self { user: name, proof }
    }

    #[cfg(test)]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Logs in, over a link that is encrypted and greeted.
    pub async fn say(&self, link: &mut Link, known: &Known) -> Result<(), String> {
        let offered: Vec<&str> = known.parameters("AUTH").into_iter().flatten().collect();
        let said = match &self.proof {
            Proof::Password(password) => self.password(link, &offered, password.expose_secret()).await?,
            Proof::Token(file) => self.token(link, &offered, file).await?,
        };
        expect(235, "the login", said).map(|_| ())
    }

    async fn password(&self, link: &mut Link, offered: &[&str], password: &str) -> Result<Said, String> {
        let user = &self.user;
        if offered.contains(&"PLAIN") {
            let proof = STANDARD.encode(format!("\0{user}\0{password}"));
            return ask(link, &format!("AUTH PLAIN {proof}")).await;
        }
        if !offered.contains(&"LOGIN") {
            return Err("it offers neither AUTH PLAIN nor AUTH LOGIN, and a password is set".into());
        }
        expect(334, "AUTH LOGIN", ask(link, "AUTH LOGIN").await?)?;
        expect(334, "the user's name", ask(link, &STANDARD.encode(user)).await?)?;
        ask(link, &STANDARD.encode(password)).await
    }

    async fn token(&self, link: &mut Link, offered: &[&str], file: &Path) -> Result<Said, String> {
        if !offered.contains(&"XOAUTH2") {
            return Err("it offers no AUTH XOAUTH2, and smtp.auth asks for it".into());
        }
        let unusable = |why: String| format!("the token file {} cannot be used: {why}", file.display());
        let token = std::fs::read_to_string(file).map(SecretString::from).map_err(|e| unusable(e.to_string()))?;
        let token = token.expose_secret().trim();
        // RFC 6750 §2.1: a token is made of these; anything else would be read as
        // another field of what is sent.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("it holds no access token".into()));
        }
        let proof = STANDARD.encode(format!("user={}\x01auth=Bearer {token}\x01\x01", self.user));
        let said = ask(link, &format!("AUTH XOAUTH2 {proof}")).await?;
        // A refusal is told in two steps: why, and after an empty line the 5xx.
        if said.code == 334 { ask(link, "").await } else { Ok(said) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ClientConfig;

    use super::*;
    use crate::address::Address;
    use crate::config::{Auth, Smtp};
    use crate::ledger::State;
    use crate::send::conversation::{Conversation, Envelope, Sent};
    use crate::send::tests::tls::{Duplex, certified};
    use crate::send::{Deadlines, Relay};

    /// A mail server with a certificate of its own, and what it heard under TLS.
    struct Server {
        implicit: bool,
        offers: &'static str,
        /// The only token that it takes.
        token: Mutex<String>,
        heard: Mutex<Vec<String>>,
    }

    struct Running {
        server: Arc<Server>,
        port: u16,
        trust: ClientConfig,
    }

    async fn start(implicit: bool, offers: &'static str) -> Running {
        let (acceptor, trust) = certified();
        let server = Arc::new(Server { implicit, offers, token: Mutex::default(), heard: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let running = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Box::new(stream), running.clone(), acceptor.clone()));
            }
        });
        Running { server, port, trust }
    }

    async fn serve(plain: Box<dyn Duplex>, server: Arc<Server>, acceptor: TlsAcceptor) -> Option<()> {
        let mut encrypted = server.implicit;
        let mut stream: BufReader<Box<dyn Duplex>> = BufReader::new(match encrypted {
            true => Box::new(acceptor.accept(plain).await.ok()?),
            false => plain,
        });
        stream.write_all(b"220 server\r\n").await.ok()?;
        loop {
            stream.flush().await.ok()?;
            let line = line(&mut stream).await?;
            if encrypted {
                server.heard.lock().unwrap().push(line.clone());
            }
            let reply = match line.split(' ').next().unwrap_or_default() {
                "EHLO" if encrypted => server.offers,
                "EHLO" => "250-server\r\n250 STARTTLS\r\n",
                "STARTTLS" => {
                    stream.write_all(b"220 go\r\n").await.ok()?;
                    stream = BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await.ok()?));
                    encrypted = true;
                    continue;
                }
                _ if !encrypted => "530 5.7.0 must issue a STARTTLS command first\r\n",
                "AUTH" if line == "AUTH LOGIN" => "334 VXNlcm5hbWU6\r\n",
                "AUTH" if line.starts_with("AUTH XOAUTH2") => {
                    let proof = format!("user=us@er\x01auth=Bearer {}\x01\x01", server.token.lock().unwrap());
                    match line.strip_prefix("AUTH XOAUTH2 ") == Some(&STANDARD.encode(proof)) {
                        true => "235 2.7.0 welcome\r\n",
                        false => "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n",
                    }
                }
                "" => "535 5.7.8 no\r\n",
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    stream.flush().await.ok()?;
                    while self::line(&mut stream).await? != "." {}
                    "250 taken\r\n"
                }
                "MAIL" | "RCPT" => "250 well\r\n",
                // The two answers of AUTH LOGIN.
                word if word == STANDARD.encode("us@er") => "334 UGFzc3dvcmQ6\r\n",
                _ => "235 2.7.0 welcome\r\n",
            };
            stream.write_all(reply.as_bytes()).await.ok()?;
        }
    }

    async fn line(stream: &mut BufReader<Box<dyn Duplex>>) -> Option<String> {
        let mut line = Vec::new();
        let count = stream.read_until(b'\n', &mut line).await.ok()?;
        (count > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn relay(url: String, token: Option<&Path>) -> Relay {
        let (auth, token) = match token {
            Some(file) => (Auth::Xoauth2, Some(format!("file:{}", file.display()).into())),
            None => (Auth::Password, None),
        };
        let relay = Relay::new(&Smtp { url: url.into(), auth, token, ..Smtp::default() }).unwrap();
        relay.with_deadlines(Deadlines { again: std::time::Duration::from_millis(1), ..Deadlines::default() })
    }

    async fn connect(relay: &Relay) -> Result<Conversation, String> {
        relay.connect_in_time().await
    }

    /// Sends one message over an open connection.
    async fn send(mut open: Conversation, bytes: &[u8]) -> State {
        let (sender, recipient) = ("news@registrar.example", "taro@customer.example");
        let (sender, recipient) = (Address::parse(sender).unwrap(), Address::parse(recipient).unwrap());
        let envelope = Envelope { sender: &sender, recipient: &recipient, bytes };
        match open.begin(&envelope).await {
            Sent::Go => open.finish(&envelope).await.state(),
            Sent::Ended(outcome) => outcome.state(),
            other => panic!("{other:?}"),
        }
    }

    const MESSAGE: &str = "Subject: x\r\n\r\nお知らせ\r\n";

    #[tokio::test]
    async fn a_password_is_said_under_tls_from_the_first_byte() {
        let Running { server, port, trust } =
            start(true, "250-server\r\n250-8BITMIME\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN\r\n").await;
        let relay = relay(format!("smtps://us%40er:p%3Aw@127.0.0.1:{port}"), None).trusting(trust);
        let open = connect(&relay).await.unwrap();
        assert_eq!(send(open, MESSAGE.as_bytes()).await, State::Accepted);
        let heard = server.heard.lock().unwrap();
        assert_eq!(heard[1], format!("AUTH PLAIN {}", STANDARD.encode("\0us@er\0p:w")));
        assert_eq!(heard[2], format!("MAIL FROM:<news@registrar.example> SIZE={} BODY=8BITMIME", MESSAGE.len()));
    }

    #[tokio::test]
    async fn after_starttls_a_server_that_knows_only_login_gets_that() {
        let Running { server, port, trust } = start(false, "250-server\r\n250 AUTH LOGIN\r\n").await;
        let relay = relay(format!("smtp://us%40er:p%3Aw@127.0.0.1:{port}?tls=required"), None).trusting(trust);
        let open = connect(&relay).await.unwrap();
        // It knows no 8BITMIME: what is 8-bit is not begun, what is not goes out.
        assert_eq!(send(open, MESSAGE.as_bytes()).await, State::Rejected);
        let open = connect(&relay).await.unwrap();
        assert_eq!(send(open, b"Subject: x\r\n\r\nplain\r\n").await, State::Accepted);
        let heard = server.heard.lock().unwrap();
        assert_eq!(heard[1..4], ["AUTH LOGIN".to_owned(), STANDARD.encode("us@er"), STANDARD.encode("p:w")]);
        assert_eq!(heard.iter().filter(|line| line.starts_with("MAIL")).count(), 1, "{heard:?}");
        assert!(heard.iter().all(|line| !line.contains("8BITMIME") && !line.contains("SIZE")), "{heard:?}");
    }

    #[tokio::test]
    async fn a_token_is_read_again_for_each_connection() {
        let Running { server, port, trust } = start(false, "250-server\r\n250 AUTH PLAIN XOAUTH2\r\n").await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = format!("smtp://us%40er@127.0.0.1:{port}?tls=required");
        let relay = relay(url, Some(file.path())).trusting(trust);
        for token in ["ya29.first", "ya29.second"] {
            server.token.lock().unwrap().replace_range(.., token);
            std::fs::write(file.path(), format!("{token}\n")).unwrap();
            let open = connect(&relay).await.unwrap();
            assert_eq!(send(open, b"Subject: x\r\n\r\nplain\r\n").await, State::Accepted);
        }
        // It has expired, and nobody has renewed it.
        server.token.lock().unwrap().replace_range(.., "ya29.third");
        let why = connect(&relay).await.err().unwrap();
        assert!(why.contains("535") && !why.contains("ya29"), "{why}");
        for bad in ["", "two words", "a\x01auth=Bearer b"] {
            std::fs::write(file.path(), bad).unwrap();
            let why = connect(&relay).await.err().unwrap();
            assert!(why.contains("holds no access token"), "{why}");
        }
        let heard = server.heard.lock().unwrap();
        assert!(heard.iter().all(|line| !line.starts_with("AUTH PLAIN")), "{heard:?}");
    }

    #[tokio::test]
    async fn a_server_that_nobody_vouches_for_hears_nothing() {
        for (implicit, url) in [
            (true, "smtps://us%40er:p%3Aw@127.0.0.1:PORT"),
            (false, "smtp://us%40er:p%3Aw@127.0.0.1:PORT?tls=required"),
        ] {
            let Running { server, port, .. } = start(implicit, "250-server\r\n250 AUTH PLAIN\r\n").await;
            // Another server's certificate is no proof of this one.
            let other = start(true, "").await.trust;
            let relay = relay(url.replace("PORT", &port.to_string()), None).trusting(other);
            let why = connect(&relay).await.err().unwrap();
            assert!(why.contains("TLS failed"), "{why}");
            assert!(server.heard.lock().unwrap().is_empty());
        }
    }
}
