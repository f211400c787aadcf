//! An SMTP receiver inside the process, on a free loopback port: takes every
//! message, hands it to a callback, and keeps nothing. PIPELINING, SIZE and
//! 8BITMIME; enough of RFC 5321 for one well-behaved sender.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One message as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// MAIL FROM.
    pub sender: String,
    /// RCPT TO.
    pub recipient: String,
    /// The message, dots unstuffed.
    pub bytes: Vec<u8>,
}

/// A running receiver; it ends when dropped.
#[derive(Debug)]
pub struct Receiver {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

type Take = Arc<dyn Fn(Delivery) + Send + Sync>;

impl Receiver {
    /// Listens on a free loopback port and gives every message to `take`.
    ///
    /// # Errors
    /// No port can be opened.
    pub fn start(take: impl Fn(Delivery) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let addr = listener.local_addr()?;
        let take: Take = Arc::new(take);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, take.clone()));
            }
        });
        Ok(Self { addr, task })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends with the connection, whatever went wrong with it.
async fn serve(stream: TcpStream, take: Take) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::with_capacity(1 << 16, stream);
    say(&mut stream, "220 localhost receiver\r\n").await?;
    let (mut sender, mut recipient) = (None, None);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-localhost\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n",
            "MAIL" if sender.is_none() => {
                sender = Some(path(&line));
                "250 sender\r\n"
            }
            "RCPT" if sender.is_some() && recipient.is_none() => {
                recipient = Some(path(&line));
                "250 recipient\r\n"
            }
            "DATA" => match (sender.take(), recipient.take()) {
                (Some(sender), Some(recipient)) => {
                    say(&mut stream, "354 go on\r\n").await?;
                    let bytes = data(&mut stream).await?;
                    take(Delivery { sender, recipient, bytes });
                    "250 taken\r\n"
                }
                _ => "503 sender and recipient first\r\n",
            },
            "RSET" | "NOOP" => {
                (sender, recipient) = (None, None);
                "250 ok\r\n"
            }
            "QUIT" => {
                say(&mut stream, "221 bye\r\n").await?;
                return Some(());
            }
            _ => "503 bad sequence\r\n",
        };
        say(&mut stream, reply).await?;
    }
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    stream.get_mut().write_all(text.as_bytes()).await.ok()
}

fn path(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path).to_owned()
}

/// Lines up to the lone dot (RFC 5321 §4.5.2).
async fn data(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1 << 15);
    loop {
        let start = bytes.len();
        if stream.read_until(b'\n', &mut bytes).await.ok()? == 0 {
            return None;
        }
        if bytes[start..] == *b".\r\n" {
            bytes.truncate(start);
            return Some(bytes);
        }
        if bytes[start] == b'.' {
            bytes.remove(start);
        }
    }
}
