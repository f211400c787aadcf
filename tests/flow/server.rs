//! A server in a mood: what it says to a recipient is the mood's word. The first
//! one defers every recipient once and rejects some for good.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct Seen {
    asked: BTreeMap<String, usize>,
    accepted: BTreeMap<String, usize>,
    deferrals: usize,
}

/// What is said to a recipient who is asked for the n-th time, from 1: a refusal,
/// or nothing.
pub type Mood = fn(&str, usize) -> Option<&'static str>;

fn first(recipient: &str, asked: usize) -> Option<&'static str> {
    match (rejects(recipient), asked) {
        (true, _) => Some("550 5.1.1 nobody here"),
        (false, 1) => Some("451 4.7.1 later"),
        (false, _) => None,
    }
}

pub struct Moody {
    addr: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// Whether this recipient is rejected for good.
pub fn rejects(recipient: &str) -> bool {
    recipient.ends_with("webmail.test")
}

impl Moody {
    pub fn start() -> Self {
        Self::in_mood(first)
    }

    pub fn in_mood(mood: Mood) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), mood));
            }
        });
        Self { addr, seen }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn deferrals(&self) -> usize {
        self.seen.lock().unwrap().deferrals
    }

    /// How often a recipient was asked for.
    pub fn asked(&self) -> BTreeMap<String, usize> {
        self.seen.lock().unwrap().asked.clone()
    }

    pub fn accepted(&self) -> BTreeMap<String, usize> {
        self.seen.lock().unwrap().accepted.clone()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Seen>>, mood: Mood) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 moody\r\n").await.ok()?;
    let (mut recipient, mut line) = (None, String::new());
    while stream
        .read_line({
            line.clear();
            &mut line
        })
        .await
        .ok()?
        > 0
    {
        let said;
        let reply = match line.get(..4).unwrap_or_default() {
            "EHLO" => "250-moody\r\n250 PIPELINING\r\n",
            "RCPT" => {
                let to = line[line.find('<')? + 1..line.find('>')?].to_owned();
                let mut seen = seen.lock().unwrap();
                let asked = seen.asked.entry(to.clone()).or_default();
                *asked += 1;
                match mood(&to, *asked) {
                    Some(refusal) => {
                        seen.deferrals += usize::from(refusal.starts_with('4'));
                        said = format!("{refusal}\r\n");
                        &said
                    }
                    None => {
                        recipient = Some(to);
                        "250 ok\r\n"
                    }
                }
            }
            "DATA" => match recipient.take() {
                None => "554 no valid recipients\r\n",
                Some(to) => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    while line != ".\r\n" {
                        line.clear();
                        stream.read_line(&mut line).await.ok()?;
                    }
                    *seen.lock().unwrap().accepted.entry(to).or_default() += 1;
                    "250 taken\r\n"
                }
            },
            "RSET" => {
                recipient = None;
                "250 ok\r\n"
            }
            _ => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
    Some(())
}
