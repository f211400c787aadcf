//! One connection's conversation. It knows its phase, because nothing else can
//! tell "could not begin" from "lost after the final dot".

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use crate::address::Address;
use crate::ledger::{Outcome, Reply};
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
    connection: AsyncSmtpConnection,
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

/// Text that `command` writes as it is: lettre ends no line by itself.
struct Bytes(String);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Conversation {
    /// Asks once more what the server knows: lettre does not keep PIPELINING.
    pub async fn open(
        mut connection: AsyncSmtpConnection,
        hello: &ClientId,
        deadlines: Deadlines,
    ) -> Result<Self, String> {
        let said = connection.command(Ehlo::new(hello.clone())).await.map_err(|e| wire::reply_text(&e.to_string()))?;
        let has = |keyword: &str| said.message().any(|line| line.eq_ignore_ascii_case(keyword));
        let size = said.message().find_map(|line| {
            let (keyword, limit) = line.split_once(' ')?;
            keyword.eq_ignore_ascii_case("SIZE").then(|| limit.trim().parse().ok()).flatten()
        });
        Ok(Self {
            pipelining: has("PIPELINING"),
            eight_bit: has("8BITMIME"),
            size_max: size.filter(|limit| *limit > 0),
            connection,
            deadlines,
            sound: true,
        })
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
        let _ = tokio::time::timeout(Duration::from_secs(5), self.connection.quit()).await;
    }

    /// Sends a message's envelope and DATA.
    pub async fn begin(&mut self, envelope: &Envelope<'_>) -> Sent {
        if let Some(why) = self.unfit(envelope) {
            return Sent::Ended(Outcome::Rejected(Reply { code: 0, text: why.into() }));
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

    /// Sends the body and its final dot, and `next`'s envelope with it; the
    /// outcome of the message is the reply to its dot.
    pub async fn finish(&mut self, envelope: &Envelope<'_>, next: Option<&Envelope<'_>>) -> Outcome {
        let mut out = Vec::with_capacity(envelope.bytes.len() + 512);
        wire::stuff(envelope.bytes, &mut out);
        if let Some(next) = next {
            out.extend_from_slice(self.lines(next).as_bytes());
        }
        // `unfit` has seen to it that the bytes are UTF-8.
        let Ok(text) = String::from_utf8(out) else {
            self.sound = false;
            return Outcome::Deferred(Reply { code: 0, text: "the message is not UTF-8".into() });
        };
        match self.command(text, self.deadlines.block + self.deadlines.dot).await {
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

    /// Writes text in one write, and reads one reply.
    async fn command(&mut self, text: String, deadline: Duration) -> Said {
        let said = tokio::time::timeout(deadline, self.connection.command(Bytes(text))).await;
        self.said(said)
    }

    async fn read(&mut self, deadline: Duration) -> Said {
        let said = tokio::time::timeout(deadline, self.connection.read_response()).await;
        self.said(said)
    }

    fn said(
        &mut self,
        said: Result<Result<Response, lettre::transport::smtp::Error>, tokio::time::error::Elapsed>,
    ) -> Said {
        let reply = |code: u16, text: &str| Said::Reply(Reply { code, text: wire::reply_text(text) });
        match said {
            Ok(Ok(response)) => reply(response.code().into(), &response.message().collect::<Vec<_>>().join(" ")),
            Ok(Err(error)) => match error.status() {
                Some(code) => {
                    let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    reply(code.into(), &text)
                }
                None => {
                    self.sound = false;
                    Said::Nothing(wire::reply_text(&error.to_string()))
                }
            },
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
