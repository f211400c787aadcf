//! A mail server that does what a script says, once, and goes on as a good one: in each
//! phase, everything that goes wrong on a wire. It counts what it read and what it took.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ClientConfig;

use super::AT;
use super::tls::{Duplex, certified};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::send) enum Phase {
    Greeting,
    Hello,
    StartTls,
    Mail,
    Rcpt,
    Data,
    /// After the body's first line.
    Body,
    Dot,
}

impl Phase {
    /// Whether it is a message's, and not a connection's.
    pub fn is_of_a_message(self) -> bool {
        !matches!(self, Self::Greeting | Self::Hello | Self::StartTls)
    }
}

#[derive(Clone, Copy, Debug)]
pub(in crate::send) enum Fault {
    Drop,
    Stall,
    /// Says nothing more, and tells so, but reads on.
    HalfClose,
    Say(&'static str),
    /// Says it, and closes.
    Last(&'static str),
    /// Says it a byte at a time, with so much between two.
    Drip(&'static str, Duration),
    /// A line that does not end, until nobody reads it any more.
    Endless,
}

impl Fault {
    /// The reply in place of the right one, if it is one.
    fn reply(self) -> Option<&'static str> {
        match self {
            Self::Say(reply) | Self::Last(reply) | Self::Drip(reply, _) => Some(reply),
            Self::Drop | Self::Stall | Self::HalfClose | Self::Endless => None,
        }
    }
}

/// What the server does, and what it saw.
pub(in crate::send) struct Script {
    pipelining: bool,
    fault: Option<(Phase, Fault)>,
    /// Connections end after so many messages.
    messages_max: usize,
    /// Where everything but the greeting needs STARTTLS.
    acceptor: Option<TlsAcceptor>,
    pub seen: Mutex<Seen>,
}

#[derive(Default)]
pub(in crate::send) struct Seen {
    /// Whether the fault has happened: it happens once.
    pub done: bool,
    /// Messages that the server took and said so.
    pub confirmed: BTreeMap<String, usize>,
    /// Messages that it read to their dot, confirmed or not.
    pub read: BTreeMap<String, usize>,
    pub bodies: BTreeMap<String, String>,
    /// Envelopes that came in the same packet as the dot before them.
    pub together: usize,
    /// Bytes of an endless line that somebody took.
    pub endless: usize,
}

impl Script {
    pub fn new(pipelining: bool, fault: Option<(Phase, Fault)>) -> Arc<Self> {
        Arc::new(Self::plain(pipelining, fault))
    }

    /// Of a good server whose connections end after so many messages.
    pub fn closing_after(messages_max: usize) -> Arc<Self> {
        Arc::new(Self { messages_max, ..Self::plain(true, None) })
    }

    fn plain(pipelining: bool, fault: Option<(Phase, Fault)>) -> Self {
        Self { pipelining, fault, messages_max: usize::MAX, acceptor: None, seen: Mutex::default() }
    }

    /// The same under TLS, and whom to trust for it.
    pub fn encrypted(pipelining: bool, fault: Option<(Phase, Fault)>) -> (Arc<Self>, ClientConfig) {
        let (acceptor, trust) = certified();
        (Arc::new(Self { acceptor: Some(acceptor), ..Self::plain(pipelining, fault) }), trust)
    }

    /// The fault, if it is due for this recipient in this phase.
    fn due(&self, phase: Phase, recipient: Option<&str>, mails: usize) -> Option<Fault> {
        let (at, fault) = self.fault?;
        let mine = match phase {
            Phase::Mail => mails == AT + 1,
            phase => !phase.is_of_a_message() || recipient == Some(&format!("{AT}@customer.example")),
        };
        let mut seen = self.seen.lock().unwrap();
        if at != phase || !mine || seen.done {
            return None;
        }
        seen.done = true;
        Some(fault)
    }
}

type Stream = BufReader<Box<dyn Duplex>>;

pub(in crate::send) async fn listen(script: Arc<Script>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mails = Arc::new(Mutex::new(0));
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script.clone(), mails.clone()));
        }
    });
    addr
}

pub(in crate::send) async fn serve(stream: TcpStream, script: Arc<Script>, mails: Arc<Mutex<usize>>) -> Option<()> {
    let mut stream: Stream = BufReader::new(Box::new(stream));
    say(&mut stream, &script, script.due(Phase::Greeting, None, 0), "220 scripted\r\n").await?;
    let (mut recipient, mut taken, mut is_clear): (Option<String>, usize, bool) = (None, 0, script.acceptor.is_some());
    while taken < script.messages_max {
        let line = line(&mut stream).await?;
        let (phase, reply) = match line.get(..4).unwrap_or_default() {
            "EHLO" if is_clear => (Some(Phase::Hello), "250-scripted\r\n250 STARTTLS\r\n"),
            "EHLO" if script.pipelining => (Some(Phase::Hello), "250-scripted\r\n250-PIPELINING\r\n250 SIZE 10000\r\n"),
            "EHLO" => (Some(Phase::Hello), "250 scripted\r\n"),
            "STAR" => (Some(Phase::StartTls), "220 go\r\n"),
            _ if is_clear => (None, "530 5.7.0 must issue a STARTTLS command first\r\n"),
            "MAIL" => {
                *mails.lock().unwrap() += 1;
                recipient = None;
                (Some(Phase::Mail), "250 sender\r\n")
            }
            "RCPT" => {
                recipient = Some(line[line.find('<')? + 1..line.find('>')?].to_owned());
                (Some(Phase::Rcpt), "250 recipient\r\n")
            }
            "DATA" => (Some(Phase::Data), "354 go on\r\n"),
            "RSET" => (None, "250 reset\r\n"),
            _ => (None, "221 bye\r\n"),
        };
        let count = *mails.lock().unwrap();
        let fault = phase.and_then(|phase| script.due(phase, recipient.as_deref(), count));
        let refused = fault.and_then(Fault::reply).is_some_and(|reply| !reply.starts_with('2'));
        if phase == Some(Phase::Rcpt) && refused {
            recipient = None;
        }
        let reply = match phase {
            Some(Phase::Data) if recipient.is_none() => "554 no valid recipients\r\n",
            _ => reply,
        };
        say(&mut stream, &script, fault, reply).await?;
        let said = fault.and_then(Fault::reply).unwrap_or(reply);
        match (phase, fault, &script.acceptor) {
            (Some(Phase::StartTls), None, Some(acceptor)) => {
                stream = BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await.ok()?));
                is_clear = false;
            }
            (Some(Phase::Data), ..) if said.starts_with("354") => {
                // What it said beyond its 354 is one yes, and there is no second.
                let early = said.contains("\r\n250");
                body(&mut stream, &script, &recipient.take()?, count, early).await?;
                taken += 1;
            }
            _ => {}
        }
    }
    None
}

/// Reads a body, and answers its dot.
async fn body(stream: &mut Stream, script: &Script, to: &str, mails: usize, early: bool) -> Option<()> {
    let (mut text, mut lied) = (String::new(), false);
    loop {
        let line = line(stream).await?;
        if let Some(fault) = script.due(Phase::Body, Some(to), mails) {
            say(stream, script, Some(fault), "").await?;
            lied = true;
        }
        if line == ".\r\n" {
            break;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
    if lied {
        return say(stream, script, None, "554 not taken\r\n").await;
    }
    let together = !stream.buffer().is_empty();
    let fault = script.due(Phase::Dot, Some(to), mails);
    let said = fault.map_or(Some("250 taken\r\n"), Fault::reply);
    {
        let mut seen = script.seen.lock().unwrap();
        seen.together += usize::from(together);
        if said.is_none_or(|said| said.starts_with('2') || said.contains("\r\n250")) {
            *seen.read.entry(to.to_owned()).or_default() += 1;
        }
        if !early && said.is_some_and(|said| said.starts_with("250")) {
            *seen.confirmed.entry(to.to_owned()).or_default() += 1;
        }
        seen.bodies.insert(to.to_owned(), text);
    }
    if early { Some(()) } else { say(stream, script, fault, "250 taken\r\n").await }
}

async fn line(stream: &mut Stream) -> Option<String> {
    let mut line = Vec::new();
    let count = stream.read_until(b'\n', &mut line).await.ok()?;
    (count > 0).then(|| String::from_utf8_lossy(&line).into_owned())
}

/// Says what is right, or does what is wrong; `None` where the connection ends by it.
async fn say(stream: &mut Stream, script: &Script, fault: Option<Fault>, right: &str) -> Option<()> {
    match fault {
        None => stream.write_all(right.as_bytes()).await.ok()?,
        Some(Fault::Drop) => return None,
        Some(Fault::Stall) => return stall(stream).await,
        Some(Fault::HalfClose) => {
            stream.shutdown().await.ok()?;
            return stall(stream).await;
        }
        Some(Fault::Say(other)) => stream.write_all(other.as_bytes()).await.ok()?,
        Some(Fault::Last(other)) => {
            stream.write_all(other.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
            return None;
        }
        Some(Fault::Drip(other, pause)) => {
            for byte in other.bytes() {
                stream.write_all(&[byte]).await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(pause).await;
            }
        }
        Some(Fault::Endless) => {
            stream.write_all(b"250 ").await.ok()?;
            loop {
                stream.write_all(&[b'x'; 4096]).await.ok()?;
                script.seen.lock().unwrap().endless += 4096;
            }
        }
    }
    stream.flush().await.ok()
}

/// Says nothing more, until the other side goes.
pub(in crate::send) async fn stall(stream: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Option<()> {
    let mut rest = Vec::new();
    while stream.read_until(b'\n', &mut rest).await.ok()? > 0 {
        rest.clear();
    }
    None
}
