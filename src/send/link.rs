//! One connection's bytes, plain or under TLS, and the replies read from them.
//!
//! The read buffer is our own, so that it can be known whether anything waits in
//! it: a reply that came before it was due must never be taken for the answer to
//! what is written next. A line is at most [`LINE_MAX`] octets and a reply at
//! most [`REPLY_MAX`], whatever the server does (RFC 5321 §4.5.3.1.5 allows 512
//! a line). A reply may have no text, nor the space before it (§4.2).

use std::io;
use std::net::TcpStream as Plain;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

/// The longest line of a reply, in octets.
const LINE_MAX: usize = 4 << 10;
/// The longest reply, in octets.
const REPLY_MAX: usize = 64 << 10;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A reply as it was read: its code, and its lines' texts.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::send) struct Said {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Said {
    /// The texts in one line.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }
}

/// An open connection.
pub(in crate::send) struct Link {
    stream: Box<dyn Duplex>,
    /// The same socket, to ask the kernel itself what has arrived: the runtime
    /// learns of it only later. Under TLS its bytes mean nothing.
    socket: Option<Plain>,
    /// Read, and not yet taken.
    buffer: Vec<u8>,
    /// The server's certificate and those that lead to a root; none without TLS.
    certificates: Vec<CertificateDer<'static>>,
}

impl Link {
    /// Connects; nothing is said yet.
    pub async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((host, port)).await?;
        // The final dot must not wait for the acknowledgement of the body.
        stream.set_nodelay(true)?;
        let socket = stream.into_std()?;
        let stream = TcpStream::from_std(socket.try_clone()?)?;
        Ok(Self { stream: Box::new(stream), socket: Some(socket), buffer: Vec::new(), certificates: Vec::new() })
    }

    /// The same connection under TLS. What was said in clear before it is no
    /// part of it, and a server that said more than it was asked is not trusted.
    pub async fn encrypt(mut self, host: &str, tls: &TlsConnector) -> io::Result<Self> {
        if !self.is_quiet().await {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it said more before TLS than it was asked"));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = tls.connect(name, self.stream).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        Ok(Self { stream: Box::new(stream), socket: None, buffer: Vec::new(), certificates })
    }

    /// The certificates that the server showed, its own first; none without TLS.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Writes all of it.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Writes all of it, unless the server says something before its byte `last`
    /// could be written. `at` tells how much of it may be on its way by now, also
    /// when this fails or is cut off.
    pub async fn write_unless_spoken_to(&mut self, bytes: &[u8], last: usize, at: &mut usize) -> io::Result<()> {
        while *at < bytes.len() {
            if *at > 0 && *at <= last && !self.is_quiet().await {
                return Err(invalid("the server closed the connection, or spoke out of turn, before the final dot"));
            }
            match self.stream.write(&bytes[*at..]).await {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => *at += count,
                Err(error) => {
                    // A socket that fails has taken nothing of it. TLS may have
                    // sent some before it failed.
                    if self.socket.is_none() {
                        *at = bytes.len();
                    }
                    return Err(error);
                }
            }
        }
        self.stream.flush().await
    }

    /// Reads one reply.
    pub async fn reply(&mut self) -> io::Result<Said> {
        let (mut lines, mut size, mut code) = (Vec::new(), 0, None);
        loop {
            let line = self.line().await?;
            size += line.len();
            if size > REPLY_MAX {
                return Err(invalid("its reply is longer than any may be"));
            }
            let (this, last, text) = parse(&line).ok_or_else(|| invalid("what it said is no reply"))?;
            if *code.get_or_insert(this) != this {
                return Err(invalid("the lines of its reply have different codes"));
            }
            lines.push(text);
            if last {
                return Ok(Said { code: this, lines });
            }
        }
    }

    /// One line without its end.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[seen..]) {
                let mut line: Vec<u8> = self.buffer.drain(..=seen + at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            seen = self.buffer.len();
            if seen > LINE_MAX {
                return Err(invalid("a line of its reply is longer than any may be"));
            }
            let mut chunk = [0; 1024];
            let count = self.stream.read(&mut chunk).await?;
            if count == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }

    /// Whether nothing waits to be read: no byte, no end, no failure. Does not
    /// wait itself.
    pub async fn is_quiet(&mut self) -> bool {
        if !self.buffer.is_empty() {
            return false;
        }
        if let Some(socket) = &self.socket
            && !matches!(socket.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
        {
            return false;
        }
        let stream = &mut self.stream;
        // Not under the runtime's budget: a poll that it puts off would look
        // like silence.
        tokio::task::unconstrained(std::future::poll_fn(|cx| {
            let mut byte = [0];
            Poll::Ready(Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending())
        }))
        .await
    }
}

/// Whether a connection ended, and nothing was said that is no reply.
pub fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Code, whether it is the last line, text.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    if !code.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&code[0]) {
        return None;
    }
    let last = match rest.first() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    Some((code, last, String::from_utf8_lossy(rest.get(1..).unwrap_or_default()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_line_may_be_bare_and_nothing_else_is_one() {
        assert_eq!(parse(b"250"), Some((250, true, String::new())));
        assert_eq!(parse(b"250 "), Some((250, true, String::new())));
        assert_eq!(parse(b"250-more"), Some((250, false, "more".into())));
        assert_eq!(parse(b"354 go on"), Some((354, true, "go on".into())));
        for bad in [&b""[..], b"25", b"2500", b"250x", b"150 early", b"650 late", b"what?", b" 250 a"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
