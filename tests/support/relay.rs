//! A mail server on loopback with a certificate that is made for it, that can be
//! greeted, encrypted, logged in to and left.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What there is to say of one.
pub struct Relay {
    /// The name in its certificate.
    pub name: &'static str,
    /// Days until the certificate ends.
    pub days: i64,
    /// TLS from the first byte, not by STARTTLS.
    pub implicit: bool,
    /// Whether it knows STARTTLS, if that is needed.
    pub starttls: bool,
    /// What it says of AUTH.
    pub auth: &'static str,
}

impl Default for Relay {
    fn default() -> Self {
        Self { name: "127.0.0.1", days: 90, implicit: false, starttls: true, auth: "250 AUTH PLAIN LOGIN\r\n" }
    }
}

/// One that runs until it is dropped.
pub struct Running {
    pub port: u16,
    /// Its certificate, for `SSL_CERT_FILE`.
    pub pem: String,
    _runtime: tokio::runtime::Runtime,
}

impl Relay {
    pub fn start(self) -> Running {
        let mut params = CertificateParams::new(vec![self.name.to_owned()]).unwrap();
        let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
        let day = |days: i64| {
            let day = today.checked_add(jiff::Span::new().days(days)).unwrap();
            rcgen::date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
        };
        (params.not_before, params.not_after) = (day(self.days.min(0) - 10), day(self.days + 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let pem = pem("CERTIFICATE", &certificate);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key).unwrap()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = Arc::new(self);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Box::new(stream), relay.clone(), acceptor.clone()));
            }
        });
        Running { port, pem, _runtime: runtime }
    }
}

/// DER in PEM.
pub fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}

/// Takes the user `us@er` with the password `p:w`.
async fn serve(plain: Box<dyn Duplex>, relay: Arc<Relay>, acceptor: TlsAcceptor) -> Option<()> {
    let mut encrypted = relay.implicit;
    let mut stream: BufReader<Box<dyn Duplex>> = BufReader::new(match encrypted {
        true => Box::new(acceptor.accept(plain).await.ok()?),
        false => plain,
    });
    stream.write_all(b"220 server\r\n").await.ok()?;
    loop {
        stream.flush().await.ok()?;
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let reply = match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
            ("EHLO", _) if encrypted => format!("250-server\r\n{}", relay.auth),
            ("EHLO", _) if relay.starttls => "250-server\r\n250 STARTTLS\r\n".into(),
            ("EHLO", _) => "250 server\r\n".into(),
            ("STARTTLS", _) => {
                stream.write_all(b"220 go\r\n").await.ok()?;
                stream.flush().await.ok()?;
                stream = BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await.ok()?));
                encrypted = true;
                continue;
            }
            ("AUTH", proof) if proof == format!("PLAIN {}", STANDARD.encode("\0us@er\0p:w")) => {
                "235 2.7.0 welcome\r\n".into()
            }
            ("AUTH", _) => "535 5.7.8 no\r\n".into(),
            ("QUIT", _) => "221 bye\r\n".into(),
            _ => "502 5.5.1 no\r\n".into(),
        };
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}
