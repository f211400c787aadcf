//! One connection's conversation. It knows its phase, because nothing else can
//! tell "could not begin" from "lost after the final dot".

use std::io;
use std::time::Duration;

use crate::address::Address;
use crate::ledger::{Outcome, Reply};
use crate::send::link::{self, Link};
use crate::send::relay::Deadlines;
use crate::send::wire;

/// What one message is to the conversation.
#[derive(Clone, Copy)]
pub(in crate::send) struct Envelope<'a> {
    pub sender: &'a Address,
    pub recipient: &'a Address,
    pub bytes: &'a [u8],
}

/// How the beginning of a message went.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::send) enum Sent {
    /// DATA got its 354: the body may follow.
    Go,
    /// The server refused the message, for now or for good.
    Ended(Outcome),
    /// The connection is lost, before any of the body was written.
    Lost(String),
}

/// An open connection, greeted and, where asked for, encrypted and logged in.
pub(in crate::send) struct Conversation {
    link: Link,
    deadlines: Deadlines,
    pipelining: bool,
    eight_bit: bool,
    size_max: Option<usize>,
    /// Whether the next command may be written: false after anything unexpected.
    sound: bool,
}

/// What the server said, or why it said nothing.
enum Said {
    Reply(Reply),
    Nothing(String),
}

impl Said {
    fn code(&self) -> u16 {
        match self {
            Said::Reply(reply) => reply.code,
            Said::Nothing(_) => 0,
        }
    }
}

/// What the server said to EHLO.
#[derive(Debug, Default)]
pub(in crate::send) struct Known {
    keywords: Vec<String>,
}

impl Known {
    /// From EHLO's reply.
    pub fn new(said: &link::Said) -> Self {
        Self { keywords: said.lines.iter().map(|line| line.trim().to_ascii_uppercase()).collect() }
    }

    /// Whether it knows a keyword.
    pub fn has(&self, keyword: &str) -> bool {
        self.parameters(keyword).is_some()
    }

    /// The words after a keyword.
    pub fn parameters(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        self.keywords.iter().find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some(keyword)).then_some(words)
        })
    }
}

impl Conversation {
    /// Over a link that has been greeted, with what the server then knew.
    pub fn new(link: Link, known: &Known, deadlines: Deadlines) -> Self {
        let size = known.parameters("SIZE").and_then(|mut words| words.next()?.parse().ok());
        Self {
            pipelining: known.has("PIPELINING"),
            eight_bit: known.has("8BITMIME"),
            size_max: size.filter(|limit| *limit > 0),
            link,
            deadlines,
            sound: true,
        }
    }

    /// Whether the next envelope may ride with a body.
    pub fn pipelines(&self) -> bool {
        self.pipelining
    }

    /// The connection, if it may be used for another message.
    pub fn usable(self) -> Option<Self> {
        self.sound.then_some(self)
    }

    /// Says goodbye; whatever the answer, it was the last.
    pub async fn quit(mut self) {
        let _ = self.command("QUIT\r\n".into(), Duration::from_secs(5)).await;
    }

    /// Sends a message's envelope and DATA.
    pub async fn begin(&mut self, envelope: &Envelope<'_>) -> Sent {
        if let Some(why) = self.unfit(envelope) {
            return Sent::Ended(Outcome::Rejected(Reply { code: 0, text: why.into() }));
        }
        if !self.quiet().await {
            return Sent::Lost("the server closed the connection, or spoke out of turn".into());
        }
        if self.pipelining {
            let first = self.command(self.lines(envelope), self.deadlines.command).await;
            return self.replies(first).await;
        }
        let mail = self.command(mail(envelope), self.deadlines.command).await;
        if mail.code() != 250 {
            return self.refused(mail, false).await;
        }
        let rcpt = self.command(rcpt(envelope), self.deadlines.command).await;
        if !matches!(rcpt.code(), 250 | 251) {
            return self.refused(rcpt, true).await;
        }
        let data = self.command("DATA\r\n".into(), self.deadlines.data).await;
        if data.code() == 354 { Sent::Go } else { self.refused(data, true).await }
    }

    /// Sends the body, then its final dot with `next`'s envelope; the outcome of
    /// the message is the reply to its dot. A server that says anything before
    /// the dot is written does not get it: its reply would be taken for the dot's.
    pub async fn finish(&mut self, envelope: &Envelope<'_>, next: Option<&Envelope<'_>>) -> Outcome {
        let mut body = Vec::with_capacity(envelope.bytes.len() + 512);
        wire::stuff(envelope.bytes, &mut body);
        let mut end = wire::DOT.to_vec();
        end.extend(next.map(|next| self.lines(next)).unwrap_or_default().into_bytes());
        // Without its dot the server must not deliver it (RFC 5321 §3.8).
        let undotted = |why: &str| Outcome::Deferred(Reply { code: 0, text: why.into() });
        if !self.quiet().await {
            return undotted("the server closed the connection, or spoke out of turn, before the body");
        }
        if let Said::Nothing(why) = self.write(&body, self.deadlines.block).await {
            return undotted(&why);
        }
        if !self.quiet().await {
            return undotted("the server closed the connection, or spoke out of turn, before the final dot");
        }
        let said = match self.write(&end, self.deadlines.block).await {
            Said::Reply(_) => self.read(self.deadlines.dot).await,
            nothing => nothing,
        };
        match said {
            Said::Reply(reply) => self.dot(reply),
            // Some of the dot may have been written: nobody knows.
            Said::Nothing(why) => Outcome::Unknown(Reply { code: 0, text: why }),
        }
    }

    fn dot(&mut self, reply: Reply) -> Outcome {
        match reply.code {
            250 => Outcome::Accepted(reply),
            421 => {
                self.sound = false;
                Outcome::Deferred(reply)
            }
            400..500 => Outcome::Deferred(reply),
            500..600 => Outcome::Rejected(reply),
            // Neither yes nor no: what follows cannot be told apart.
            _ => {
                self.sound = false;
                Outcome::Unknown(reply)
            }
        }
    }

    /// Reads the replies to the envelope that was written with the last body.
    pub async fn begun(&mut self) -> Sent {
        if !self.sound {
            return Sent::Lost("the connection was dropped".into());
        }
        let first = self.read(self.deadlines.command).await;
        self.replies(first).await
    }

    /// The three replies to a pipelined MAIL, RCPT and DATA, the first of them
    /// read already. All three are read, whatever they say.
    async fn replies(&mut self, mail: Said) -> Sent {
        if mail.code() == 0 || mail.code() == 421 {
            return self.refused(mail, false).await;
        }
        let rcpt = self.read(self.deadlines.command).await;
        if rcpt.code() == 0 || rcpt.code() == 421 {
            return self.refused(rcpt, false).await;
        }
        let data = self.read(self.deadlines.data).await;
        let refused = if mail.code() != 250 {
            Some(mail)
        } else if !matches!(rcpt.code(), 250 | 251) {
            Some(rcpt)
        } else {
            None
        };
        match (refused, data.code()) {
            (None, 354) => Sent::Go,
            (None, _) => self.refused(data, true).await,
            (Some(why), 354) => {
                // It waits for a body that it has no recipient for.
                let end = self.command(".\r\n".into(), self.deadlines.dot).await;
                if !(400..600).contains(&end.code()) {
                    self.sound = false;
                }
                self.refused(why, false).await
            }
            (Some(why), 400..600) => self.refused(why, true).await,
            (Some(why), _) => {
                self.sound = false;
                self.refused(why, false).await
            }
        }
    }

    /// What a refusal before the body means; `reset` clears the transaction.
    async fn refused(&mut self, said: Said, reset: bool) -> Sent {
        let reply = match said {
            Said::Nothing(why) => return Sent::Lost(why),
            Said::Reply(reply) => reply,
        };
        let outcome = match reply.code {
            421 => {
                self.sound = false;
                Outcome::Deferred(reply)
            }
            400..500 => Outcome::Deferred(reply),
            500..600 => Outcome::Rejected(reply),
            // A yes where there was none to give: the replies are out of step.
            _ => {
                self.sound = false;
                let text = format!("unexpected reply: {}", reply.text);
                Outcome::Deferred(Reply { code: reply.code, text })
            }
        };
        if reset && self.sound && self.command("RSET\r\n".into(), self.deadlines.command).await.code() != 250 {
            self.sound = false;
        }
        Sent::Ended(outcome)
    }

    fn unfit(&self, envelope: &Envelope<'_>) -> Option<&'static str> {
        if self.size_max.is_some_and(|limit| envelope.bytes.len() > limit) {
            return Some("the message is larger than the server takes");
        }
        if !self.eight_bit && !envelope.bytes.is_ascii() {
            return Some("the message is 8-bit and the server does not take such");
        }
        wire::unfit(envelope.bytes)
    }

    fn lines(&self, envelope: &Envelope<'_>) -> String {
        format!("{}{}DATA\r\n", mail(envelope), rcpt(envelope))
    }

    /// Whether the server says nothing that it was not asked; if it does, this
    /// was the connection's last use.
    async fn quiet(&mut self) -> bool {
        self.sound = self.sound && self.link.is_quiet().await;
        self.sound
    }

    /// Writes text in one write, and reads one reply.
    async fn command(&mut self, text: String, deadline: Duration) -> Said {
        match self.write(text.as_bytes(), deadline).await {
            Said::Reply(_) => self.read(deadline).await,
            nothing => nothing,
        }
    }

    /// Writes; an empty reply says that all was written.
    async fn write(&mut self, bytes: &[u8], deadline: Duration) -> Said {
        let written = tokio::time::timeout(deadline, self.link.write(bytes)).await;
        self.said(written.map(|written| written.map(|()| Reply { code: 0, text: String::new() })))
    }

    async fn read(&mut self, deadline: Duration) -> Said {
        let said = tokio::time::timeout(deadline, self.link.reply()).await;
        let kept = |said: link::Said| Reply { code: said.code, text: wire::reply_text(&said.text()) };
        self.said(said.map(|said| said.map(kept)))
    }

    fn said(&mut self, said: Result<io::Result<Reply>, tokio::time::error::Elapsed>) -> Said {
        match said {
            Ok(Ok(reply)) => Said::Reply(reply),
            Ok(Err(error)) => {
                self.sound = false;
                Said::Nothing(wire::reply_text(&error.to_string()))
            }
            Err(_) => {
                // What it still says would be taken for the next message's.
                self.sound = false;
                Said::Nothing("no answer in time".into())
            }
        }
    }
}

fn mail(envelope: &Envelope<'_>) -> String {
    let body = if envelope.bytes.is_ascii() { "" } else { " BODY=8BITMIME" };
    format!("MAIL FROM:<{}>{body}\r\n", envelope.sender)
}

fn rcpt(envelope: &Envelope<'_>) -> String {
    format!("RCPT TO:<{}>\r\n", envelope.recipient)
}
