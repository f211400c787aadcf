//! The sender against a scripted server: every phase, every fault, with and
//! without PIPELINING. Whatever the server does: never `Accepted` without that
//! message's own 250, never sent twice, never forgotten.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::conversation::Envelope;
use super::*;
use crate::account::AccountId;
use crate::address::Address;
use crate::config::{Rate, Smtp};

const MESSAGES: usize = 6;
/// The message at which the server misbehaves.
const AT: usize = 2;

struct Letter {
    sender: Address,
    recipient: Address,
    bytes: Vec<u8>,
    claim: Claim,
}

impl Parcel for Letter {
    fn envelope(&self) -> Envelope<'_> {
        Envelope { sender: &self.sender, recipient: &self.recipient, bytes: &self.bytes }
    }

    fn into_claim(self) -> Claim {
        self.claim
    }
}

fn letter(n: usize) -> Letter {
    Letter {
        sender: Address::parse("news@registrar.example").unwrap(),
        recipient: Address::parse(&format!("{n}@customer.example")).unwrap(),
        bytes: format!("Subject: {n}\r\n\r\n.dot\r\n..\r\ntext {n}\r\n").into_bytes(),
        claim: Claim { campaign: 1, account: AccountId::new(&n.to_string()).unwrap(), digest: [0; 32], attempt: 1 },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Mail,
    Rcpt,
    Data,
    Dot,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Drop,
    Stall,
    Say(&'static str),
}

/// What the server does, and what it saw.
struct Script {
    pipelining: bool,
    fault: Option<(Phase, Fault)>,
    /// Connections end after so many messages.
    messages_max: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Whether the fault has happened: it happens once.
    done: bool,
    /// MAIL commands so far, so as to know which message this is.
    asked: BTreeMap<String, usize>,
    /// Messages that the server took and said so.
    confirmed: BTreeMap<String, usize>,
    /// Messages that it read to their dot, confirmed or not.
    read: BTreeMap<String, usize>,
    bodies: BTreeMap<String, String>,
    /// Envelopes that came in the same packet as the dot before them.
    together: usize,
}

impl Script {
    fn new(pipelining: bool, fault: Option<(Phase, Fault)>) -> Arc<Self> {
        Arc::new(Self { pipelining, fault, messages_max: usize::MAX, seen: Mutex::default() })
    }

    /// The fault, if it is due for this recipient in this phase.
    fn due(&self, phase: Phase, recipient: Option<&str>, mails: usize) -> Option<Fault> {
        let (at, fault) = self.fault?;
        let mine = match phase {
            Phase::Mail => mails == AT + 1,
            _ => recipient == Some(&format!("{AT}@customer.example")),
        };
        let mut seen = self.seen.lock().unwrap();
        if at != phase || !mine || seen.done {
            return None;
        }
        seen.done = true;
        Some(fault)
    }
}

async fn listen(script: Arc<Script>) -> SocketAddr {
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

async fn serve(stream: TcpStream, script: Arc<Script>, mails: Arc<Mutex<usize>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 scripted\r\n").await.ok()?;
    let (mut recipient, mut line, mut taken): (Option<String>, String, usize) = (None, String::new(), 0);
    loop {
        line.clear();
        if taken == script.messages_max || stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let (phase, reply) = match line.get(..4).unwrap_or_default() {
            "EHLO" => (
                None,
                if script.pipelining {
                    "250-scripted\r\n250-PIPELINING\r\n250 SIZE 10000\r\n"
                } else {
                    "250 scripted\r\n"
                },
            ),
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
        let reply = match fault {
            None => reply,
            Some(Fault::Drop) => return None,
            Some(Fault::Stall) => return stall(stream).await,
            Some(Fault::Say(other)) => {
                if phase == Some(Phase::Rcpt) && !other.starts_with('2') {
                    recipient = None;
                }
                other
            }
        };
        let data = phase == Some(Phase::Data);
        let reply = if data && recipient.is_none() { "554 no valid recipients\r\n" } else { reply };
        stream.write_all(reply.as_bytes()).await.ok()?;
        if data && reply.starts_with("354") {
            body(&mut stream, &script, &recipient.take()?, count).await?;
            taken += 1;
        }
    }
}

/// Reads a body, and answers its dot.
async fn body(stream: &mut BufReader<TcpStream>, script: &Script, to: &str, mails: usize) -> Option<()> {
    let (mut text, mut line) = (String::new(), String::new());
    while line != ".\r\n" {
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
    }
    let together = !stream.buffer().is_empty();
    let fault = script.due(Phase::Dot, Some(to), mails);
    {
        let mut seen = script.seen.lock().unwrap();
        seen.together += usize::from(together);
        let refused = matches!(fault, Some(Fault::Say(reply)) if !reply.starts_with('2'));
        if !refused {
            *seen.read.entry(to.to_owned()).or_default() += 1;
        }
        if fault.is_none() || matches!(fault, Some(Fault::Say(reply)) if reply.starts_with("250")) {
            *seen.confirmed.entry(to.to_owned()).or_default() += 1;
        }
        seen.bodies.insert(to.to_owned(), text);
        *seen.asked.entry(to.to_owned()).or_default() += 1;
    }
    match fault {
        None => stream.write_all(b"250 taken\r\n").await.ok(),
        Some(Fault::Drop) => None,
        Some(Fault::Stall) => {
            let mut rest = String::new();
            while stream.read_line(&mut rest).await.ok()? > 0 {}
            None
        }
        Some(Fault::Say(reply)) => stream.write_all(reply.as_bytes()).await.ok(),
    }
}

/// Says nothing more, until the other side goes.
async fn stall(mut stream: BufReader<TcpStream>) -> Option<()> {
    let mut rest = String::new();
    while stream.read_line(&mut rest).await.ok()? > 0 {}
    None
}

fn relay(addr: SocketAddr, connections: usize) -> Relay {
    let short = Duration::from_millis(300);
    let url = SecretString::from(format!("smtp://{addr}"));
    let deadlines = Deadlines {
        connect: short,
        command: short,
        data: short,
        block: short,
        dot: short,
        again: Duration::from_millis(1),
    };
    Relay::new(&Smtp { url, connections, ..Smtp::default() }).unwrap().with_deadlines(deadlines)
}

fn fast() -> Pace {
    let rate = Rate::per_second(1_000_000);
    Pace::new(&Smtp { rate, rate_per_domain: rate, ..Smtp::default() })
}

/// Sends letters; each one's outcome, and the summary.
async fn send(relay: Relay, count: usize, stop: watch::Receiver<bool>) -> (BTreeMap<String, Outcome>, Summary) {
    let (tickets, queue) = mpsc::channel(count.max(1));
    for n in 0..count {
        assert!(tickets.send(letter(n)).await.is_ok());
    }
    drop(tickets);
    let (done, mut attempts) = mpsc::channel(count.max(1));
    let summary = run_parcels(relay, fast(), queue, done, stop).await;
    let mut outcomes = BTreeMap::new();
    while let Some(Attempt { claim, outcome }) = attempts.recv().await {
        let first = outcomes.insert(claim.account.to_string(), outcome).is_none();
        assert!(first, "one claim, one outcome");
    }
    (outcomes, summary)
}

fn running() -> watch::Receiver<bool> {
    watch::channel(false).1
}

const LATER: &str = "451 4.7.1 later\r\n";
const NEVER: &str = "550 5.1.1 never\r\n";
const BYE: &str = "421 4.3.2 bye\r\n";
const GARBAGE: &str = "what?\r\n";

/// Phase, fault, and the state that the message must have afterwards.
const TABLE: &[(Phase, Fault, State)] = &[
    // Lost before the body: begun again on a new connection.
    (Phase::Mail, Fault::Drop, State::Accepted),
    (Phase::Mail, Fault::Stall, State::Accepted),
    (Phase::Mail, Fault::Say(LATER), State::Deferred),
    (Phase::Mail, Fault::Say(NEVER), State::Rejected),
    (Phase::Mail, Fault::Say(BYE), State::Deferred),
    (Phase::Mail, Fault::Say(GARBAGE), State::Accepted),
    (Phase::Rcpt, Fault::Drop, State::Accepted),
    (Phase::Rcpt, Fault::Stall, State::Accepted),
    (Phase::Rcpt, Fault::Say(LATER), State::Deferred),
    (Phase::Rcpt, Fault::Say(NEVER), State::Rejected),
    (Phase::Rcpt, Fault::Say("250-and\r\n250 more\r\n"), State::Accepted),
    (Phase::Data, Fault::Drop, State::Accepted),
    (Phase::Data, Fault::Stall, State::Accepted),
    (Phase::Data, Fault::Say(LATER), State::Deferred),
    (Phase::Data, Fault::Say(NEVER), State::Rejected),
    // A yes where none was due: the replies are out of step.
    (Phase::Data, Fault::Say("250 early\r\n"), State::Deferred),
    // After the dot only the server knows.
    (Phase::Dot, Fault::Drop, State::Unknown),
    (Phase::Dot, Fault::Stall, State::Unknown),
    (Phase::Dot, Fault::Say(LATER), State::Deferred),
    (Phase::Dot, Fault::Say(NEVER), State::Rejected),
    (Phase::Dot, Fault::Say(BYE), State::Deferred),
    (Phase::Dot, Fault::Say(GARBAGE), State::Unknown),
    (Phase::Dot, Fault::Say("354 go on\r\n"), State::Unknown),
    (Phase::Dot, Fault::Say("250 taken\r\n250 twice\r\n"), State::Accepted),
];

use crate::ledger::State;

#[tokio::test]
async fn every_fault_in_every_phase() {
    for pipelining in [true, false] {
        for (phase, fault, expected) in TABLE {
            let name = format!("{phase:?} {fault:?}, pipelining {pipelining}");
            let script = Script::new(pipelining, Some((*phase, *fault)));
            let addr = listen(script.clone()).await;
            let (outcomes, summary) = send(relay(addr, 1), MESSAGES, running()).await;
            let seen = script.seen.lock().unwrap();
            assert!(seen.done, "{name}: the fault did not happen");
            assert_eq!(outcomes[&AT.to_string()].state(), *expected, "{name}: {outcomes:?}");
            assert_eq!(outcomes.len() + summary.not_begun.len(), MESSAGES, "{name}: none is forgotten");
            assert_eq!(summary.error, None, "{name}");
            for (account, outcome) in &outcomes {
                let to = format!("{account}@customer.example");
                let confirmed = seen.confirmed.get(&to).copied().unwrap_or(0);
                if outcome.state() == State::Accepted {
                    assert_eq!(confirmed, 1, "{name}: {to} was accepted without its own 250");
                }
                assert!(seen.read.get(&to).copied().unwrap_or(0) <= 1, "{name}: {to} was sent twice");
            }
            let last = outcomes[&(MESSAGES - 1).to_string()].state();
            assert_eq!(last, State::Accepted, "{name}: those after it get through");
        }
    }
}

#[tokio::test]
async fn bodies_arrive_as_they_were_and_the_next_envelope_rides_along() {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let (outcomes, _) = send(relay(addr, 1), MESSAGES, running()).await;
    assert!(outcomes.values().all(|outcome| outcome.state() == State::Accepted));
    let seen = script.seen.lock().unwrap();
    for n in 0..MESSAGES {
        assert_eq!(seen.bodies[&format!("{n}@customer.example")].as_bytes(), letter(n).bytes);
    }
    assert_eq!(seen.together, MESSAGES - 1, "one write a message");
}

#[tokio::test]
async fn a_server_that_closes_after_some_messages_gets_them_all() {
    let script = Arc::new(Script { pipelining: true, fault: None, messages_max: 7, seen: Mutex::default() });
    let addr = listen(script.clone()).await;
    let (outcomes, summary) = send(relay(addr, 4), 200, running()).await;
    assert_eq!(outcomes.len(), 200, "{summary:?}");
    assert!(outcomes.values().all(|outcome| outcome.state() == State::Accepted));
    assert!(script.seen.lock().unwrap().read.values().all(|count| *count == 1));
}

#[tokio::test]
async fn nothing_is_lost_when_there_is_no_server() {
    let addr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (outcomes, summary) = send(relay(addr, 2), MESSAGES, running()).await;
    assert!(outcomes.is_empty() && summary.error.is_some());
    assert_eq!(summary.not_begun.len(), MESSAGES);
}

#[tokio::test]
async fn a_stop_begins_nothing_new_and_gives_the_rest_back() {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let (stop, stopped) = watch::channel(false);
    stop.send(true).unwrap();
    let (outcomes, summary) = send(relay(addr, 2), MESSAGES, stopped).await;
    assert_eq!((outcomes.len(), summary.not_begun.len(), summary.error), (0, MESSAGES, None));
    assert!(script.seen.lock().unwrap().read.is_empty());
}

#[tokio::test]
async fn a_message_larger_than_the_server_takes_is_rejected_unsent() {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let (tickets, queue) = mpsc::channel(1);
    let large = Letter { bytes: vec![b'x'; 10_001], ..letter(0) };
    assert!(tickets.send(large).await.is_ok());
    drop(tickets);
    let (done, mut attempts) = mpsc::channel(1);
    run_parcels(relay(addr, 1), fast(), queue, done, running()).await;
    assert_eq!(attempts.recv().await.unwrap().outcome.state(), State::Rejected);
    assert!(script.seen.lock().unwrap().read.is_empty());
}

#[tokio::test]
async fn a_domain_without_tokens_does_not_hold_up_another() {
    let smtp = Smtp {
        rate_per_domain: Rate { count: 1.try_into().unwrap(), per: Duration::from_secs(3600) },
        ..Smtp::default()
    };
    let (tickets, incoming) = mpsc::channel(8);
    for domain in ["a.example", "a.example", "a.example", "b.example"] {
        let parcel = Letter { recipient: Address::parse(&format!("x@{domain}")).unwrap(), ..letter(0) };
        assert!(tickets.send(parcel).await.is_ok());
    }
    let queue = queue::Queue::new(incoming, Pace::new(&smtp), running());
    let first = queue.next().await.unwrap();
    let second = queue.next().await.unwrap();
    assert_eq!((first.recipient.domain(), second.recipient.domain()), ("a.example", "b.example"));
    assert_eq!(queue.drain().await.len(), 2);
}
