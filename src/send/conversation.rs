//! One connection's conversation. It knows its phase, because nothing else can
//! tell "could not begin" from "lost after the final dot".

use std::io;
use std::time::Duration;

use crate::address::Address;
use crate::ledger::{Outcome, Reply};
use crate::send::doubt::{EARLY, out_of_step, undotted, unexpected};
use crate::send::known::Known;
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
    /// A yes where none was due: one of the replies is another's than it was
    /// taken for. None of the body was written.
    Astray(Reply),
}

/// An open connection, greeted and, where asked for, encrypted and logged in.
pub(in crate::send) struct Conversation {
    link: Link,
    deadlines: Deadlines,
    pipelining: bool,
    eight_bit: bool,
    /// Whether MAIL may say how large the message is (RFC 1870).
    tells_size: bool,
    size_max: Option<usize>,
    /// Whether the next command may be written: false after anything unexpected.
    sound: bool,
    /// Whether a yes was said since the reply to the last dot.
    has_agreed: bool,
    /// Whether RSET was answered as it cannot be: by a reply to something before it.
    is_astray: bool,
    /// Whether the server waits for a body that does not come: nothing more is written.
    is_dropped: bool,
    /// What is written next; kept, so that its memory is.
    out: Vec<u8>,
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

impl Conversation {
    /// Over a link that has been greeted, with what the server then knew.
    pub fn new(link: Link, known: &Known, deadlines: Deadlines) -> Self {
        let size = known.parameters("SIZE").and_then(|mut words| words.next()?.parse().ok());
        Self {
            pipelining: known.has("PIPELINING"),
            eight_bit: known.has("8BITMIME"),
            tells_size: known.has("SIZE"),
            size_max: size.filter(|limit| *limit > 0),
            link,
            deadlines,
            sound: true,
            has_agreed: false,
            is_astray: false,
            is_dropped: false,
            out: Vec::new(),
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
        let _ = self.command(QUIT.into(), GOODBYE).await;
    }

    /// Sends a message's envelope and DATA.
    pub async fn begin(&mut self, envelope: &Envelope<'_>) -> Sent {
        if let Some(outcome) = self.unfit(envelope) {
            return Sent::Ended(outcome);
        }
        if !self.quiet().await {
            return Sent::Lost("the server closed the connection, or spoke out of turn".into());
        }
        if self.pipelining {
            let first = self.command(self.lines(envelope), self.deadlines.command).await;
            return match self.replies(first).await {
                Sent::Astray(reply) => Sent::Ended(unexpected(reply)),
                sent => sent,
            };
        }
        let mail = self.command(self.mail(envelope), self.deadlines.command).await;
        if mail.code() != 250 {
            return self.refused(mail, false).await;
        }
        let rcpt = self.command(wire::rcpt(envelope.recipient), self.deadlines.command).await;
        if !wire::is_taken(rcpt.code()) {
            return self.refused(rcpt, true).await;
        }
        let data = self.command("DATA\r\n".into(), self.deadlines.data).await;
        if data.code() == 354 { Sent::Go } else { self.refused(data, true).await }
    }

    /// Sends the body, then its final dot; the outcome is the reply to its dot. A
    /// server that says anything before the dot is written does not get it: its
    /// reply would be taken for the dot's.
    pub async fn finish(&mut self, envelope: &Envelope<'_>) -> Outcome {
        if !self.quiet().await {
            return undotted(EARLY);
        }
        self.stuff(envelope);
        let body = std::mem::take(&mut self.out);
        let written = self.write(&body, self.deadlines.block).await;
        self.out = body;
        if let Said::Nothing(why) = written {
            return undotted(&why);
        }
        if !self.quiet().await {
            return undotted("the server closed the connection, or spoke out of turn, before the final dot");
        }
        let said = match self.write(wire::DOT, self.deadlines.block).await {
            Said::Reply(_) => self.read(self.deadlines.dot).await,
            nothing => nothing,
        };
        let outcome = self.dotted(said);
        self.has_agreed = false;
        self.in_step(outcome).await
    }

    /// A refusal may have been on its way before the dot was, and the dot's own yes after
    /// it. QUIT is answered as nothing else is: a refusal is believed if that answer comes
    /// next, or nothing any more on a connection on which nobody said yes since. It costs
    /// the connection.
    async fn in_step(&mut self, outcome: Outcome) -> Outcome {
        if !matches!(outcome, Outcome::Deferred(_) | Outcome::Rejected(_)) {
            return outcome;
        }
        // Whatever comes of writing it, what was said before counts.
        let _ = self.write(QUIT.as_bytes(), self.deadlines.block).await;
        self.sound = false;
        let last = tokio::time::timeout(self.deadlines.connect, self.link.reply()).await;
        let is_answered = match last {
            Ok(Ok(said)) => said.code == 221,
            Ok(Err(error)) => link::is_closed(&error) && !self.has_agreed,
            Err(_) => false,
        };
        if is_answered { outcome } else { out_of_step(&outcome) }
    }

    /// The same, and `next`'s envelope, in one write; also how `next` began.
    ///
    /// A reply that the server gave before the dot may have come while all this
    /// was written, and shifts those after it: what stands in DATA's place is then
    /// RCPT's yes. So the outcome is known only when DATA's reply is one that DATA
    /// can have; if it is not, nobody knows which was the dot's. Where the next one is
    /// refused, the reply to its RSET shows the same.
    pub async fn finish_and_begin(&mut self, envelope: &Envelope<'_>, next: &Envelope<'_>) -> (Outcome, Sent) {
        let dropped = || Sent::Lost("the connection was dropped".into());
        if !self.quiet().await {
            return (undotted(EARLY), dropped());
        }
        self.stuff(envelope);
        let body = self.out.len();
        self.out.extend_from_slice(wire::DOT);
        let lines = self.lines(next);
        self.out.extend_from_slice(lines.as_bytes());
        let mut at = 0;
        let writing = self.link.write_unless_spoken_to(&self.out, body, &mut at);
        let written = tokio::time::timeout(self.deadlines.block, writing).await;
        let outcome = match self.said(written.map(|written| written.map(|()| Reply { code: 0, text: String::new() }))) {
            Said::Nothing(why) if at <= body => return (undotted(&why), dropped()),
            Said::Nothing(why) => self.dotted(Said::Nothing(why)),
            Said::Reply(_) => {
                let said = self.read(self.deadlines.dot).await;
                self.dotted(said)
            }
        };
        self.has_agreed = false;
        if !self.sound {
            return (self.in_step(outcome).await, dropped());
        }
        let first = self.read(self.deadlines.command).await;
        let sent = self.replies(first).await;
        if self.is_astray || matches!(sent, Sent::Astray(_)) {
            return (out_of_step(&outcome), dropped());
        }
        // DATA's 354 in its place shows that the replies are in step.
        if self.sound || self.is_dropped {
            return (outcome, sent);
        }
        match self.in_step(outcome).await {
            outcome @ Outcome::Unknown(_) => (outcome, dropped()),
            outcome => (outcome, sent),
        }
    }

    fn stuff(&mut self, envelope: &Envelope<'_>) {
        self.out.clear();
        wire::stuff(envelope.bytes, &mut self.out);
    }

    /// What it means for a message of whose dot at least some may have been written.
    fn dotted(&mut self, said: Said) -> Outcome {
        match said {
            Said::Reply(reply) => self.dot(reply),
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
        } else if !wire::is_taken(rcpt.code()) {
            Some(rcpt)
        } else {
            None
        };
        match (refused, data.code()) {
            (None, 354) => Sent::Go,
            (_, 200..354 | 355..400) => {
                self.sound = false;
                let Said::Reply(reply) = data else { return Sent::Lost("no answer".into()) };
                Sent::Astray(reply)
            }
            (None, _) => self.refused(data, true).await,
            (Some(why), 354) => {
                // It waits for a body that nobody is to get. A lone dot might be an empty
                // message to somebody; a connection that ends without one is none.
                self.sound = false;
                self.is_dropped = true;
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
                unexpected(reply)
            }
        };
        if reset && self.sound {
            let code = self.command("RSET\r\n".into(), self.deadlines.command).await.code();
            // What is said to a command that a server does not have cannot be DATA's.
            self.is_astray = !matches!(code, 0 | 250 | 421 | 500 | 502 | 504);
            self.sound = code == 250;
        }
        Sent::Ended(outcome)
    }

    /// The outcome of a message that this server cannot be sent as it is; asked
    /// before anything of it is written.
    pub fn unfit(&self, envelope: &Envelope<'_>) -> Option<Outcome> {
        let why = if self.size_max.is_some_and(|limit| envelope.bytes.len() > limit) {
            "the message is larger than the server takes"
        } else if !self.eight_bit && !envelope.bytes.is_ascii() {
            "the message is 8-bit and the server does not take such"
        } else {
            wire::unfit(envelope.bytes)?
        };
        Some(Outcome::Rejected(Reply { code: 0, text: why.into() }))
    }

    fn lines(&self, envelope: &Envelope<'_>) -> String {
        format!("{}{}DATA\r\n", self.mail(envelope), wire::rcpt(envelope.recipient))
    }

    fn mail(&self, envelope: &Envelope<'_>) -> String {
        let size = if self.tells_size { format!(" SIZE={}", envelope.bytes.len()) } else { String::new() };
        let body = if envelope.bytes.is_ascii() { "" } else { " BODY=8BITMIME" };
        format!("MAIL FROM:<{}>{size}{body}\r\n", envelope.sender)
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
        let said = self.said(said.map(|said| said.map(kept)));
        self.has_agreed |= said.code() == 250;
        said
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

const QUIT: &str = "QUIT\r\n";
/// How long the answer to QUIT is waited for.
const GOODBYE: Duration = Duration::from_secs(5);
