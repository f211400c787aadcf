//! The sender against a scripted server: every phase, every fault, with and
//! without PIPELINING. Whatever the server does: never `Accepted` without that
//! message's own 250, never sent twice, never forgotten.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::conversation::Envelope;
use super::*;
use crate::account::AccountId;
use crate::address::Address;
use crate::config::{Rate, Smtp};

pub(super) const MESSAGES: usize = 6;
/// The message at which the server misbehaves.
pub(super) const AT: usize = 2;

pub(super) struct Letter {
    sender: Address,
    pub(super) recipient: Address,
    bytes: Vec<u8>,
    claim: Claim,
    withdrawn: Arc<AtomicBool>,
}

impl Parcel for Letter {
    fn envelope(&self) -> Envelope<'_> {
        Envelope { sender: &self.sender, recipient: &self.recipient, bytes: &self.bytes }
    }

    fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::SeqCst)
    }

    fn into_claim(self) -> Claim {
        self.claim
    }
}

pub(super) fn letter(n: usize) -> Letter {
    Letter {
        sender: Address::parse("news@registrar.example").unwrap(),
        recipient: Address::parse(&format!("{n}@customer.example")).unwrap(),
        bytes: format!("Subject: {n}\r\n\r\n.dot\r\n..\r\ntext {n}\r\n").into_bytes(),
        claim: Claim { campaign: 1, account: AccountId::new(&n.to_string()).unwrap(), digest: [0; 32], attempt: 1 },
        withdrawn: Arc::default(),
    }
}

pub(super) fn letter_to(address: &str) -> Letter {
    Letter { recipient: Address::parse(address).unwrap(), ..letter(0) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Mail,
    Rcpt,
    Data,
    /// After the body's first line.
    Body,
    Dot,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Drop,
    Stall,
    Say(&'static str),
    /// Says it, and closes.
    Last(&'static str),
    /// A line that does not end, until nobody reads it any more.
    Endless,
}

/// What the server does, and what it saw.
pub(super) struct Script {
    pipelining: bool,
    fault: Option<(Phase, Fault)>,
    /// Connections end after so many messages.
    messages_max: usize,
    pub(super) seen: Mutex<Seen>,
}

#[derive(Default)]
pub(super) struct Seen {
    /// Whether the fault has happened: it happens once.
    pub(super) done: bool,
    /// MAIL commands so far, so as to know which message this is.
    asked: BTreeMap<String, usize>,
    /// Messages that the server took and said so.
    confirmed: BTreeMap<String, usize>,
    /// Messages that it read to their dot, confirmed or not.
    pub(super) read: BTreeMap<String, usize>,
    bodies: BTreeMap<String, String>,
    /// Envelopes that came in the same packet as the dot before them.
    together: usize,
    /// Bytes of an endless line that somebody took.
    endless: usize,
}

impl Script {
    pub(super) fn new(pipelining: bool, fault: Option<(Phase, Fault)>) -> Arc<Self> {
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

pub(super) async fn listen(script: Arc<Script>) -> SocketAddr {
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

pub(super) async fn serve(stream: TcpStream, script: Arc<Script>, mails: Arc<Mutex<usize>>) -> Option<()> {
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
            Some(Fault::Last(reply)) => return stream.write_all(reply.as_bytes()).await.ok(),
            Some(Fault::Endless) => return endless(stream, &script).await,
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
            // What it said beyond its 354 is one yes, and there is no second.
            let early = reply.contains("\r\n250");
            body(&mut stream, &script, &recipient.take()?, count, early).await?;
            taken += 1;
        }
    }
}

/// Reads a body, and answers its dot.
async fn body(stream: &mut BufReader<TcpStream>, script: &Script, to: &str, mails: usize, early: bool) -> Option<()> {
    let (mut text, mut line) = (String::new(), String::new());
    let mut lied = false;
    while line != ".\r\n" {
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if let Some(Fault::Say(reply)) = script.due(Phase::Body, Some(to), mails) {
            stream.write_all(reply.as_bytes()).await.ok()?;
            lied = true;
        }
    }
    if lied {
        return stream.write_all(b"554 not taken\r\n").await.ok();
    }
    let together = !stream.buffer().is_empty();
    let fault = script.due(Phase::Dot, Some(to), mails);
    {
        let mut seen = script.seen.lock().unwrap();
        seen.together += usize::from(together);
        let refused = matches!(fault, Some(Fault::Say(reply) | Fault::Last(reply)) if !reply.starts_with('2'));
        if !refused {
            *seen.read.entry(to.to_owned()).or_default() += 1;
        }
        if (fault.is_none() && !early)
            || matches!(fault, Some(Fault::Say(reply) | Fault::Last(reply)) if reply.starts_with("250"))
        {
            *seen.confirmed.entry(to.to_owned()).or_default() += 1;
        }
        seen.bodies.insert(to.to_owned(), text);
        *seen.asked.entry(to.to_owned()).or_default() += 1;
    }
    match fault {
        None if early => Some(()),
        None => stream.write_all(b"250 taken\r\n").await.ok(),
        Some(Fault::Drop) => None,
        Some(Fault::Stall) => {
            let mut rest = String::new();
            while stream.read_line(&mut rest).await.ok()? > 0 {}
            None
        }
        Some(Fault::Last(reply)) => {
            stream.write_all(reply.as_bytes()).await.ok()?;
            None
        }
        Some(Fault::Endless) => endless_line(stream, script).await,
        Some(Fault::Say(reply)) => stream.write_all(reply.as_bytes()).await.ok(),
    }
}

async fn endless(mut stream: BufReader<TcpStream>, script: &Script) -> Option<()> {
    endless_line(&mut stream, script).await
}

/// Says one line without an end, as long as somebody takes it.
async fn endless_line(stream: &mut BufReader<TcpStream>, script: &Script) -> Option<()> {
    stream.write_all(b"250 ").await.ok()?;
    loop {
        stream.write_all(&[b'x'; 4096]).await.ok()?;
        script.seen.lock().unwrap().endless += 4096;
    }
}

/// Says nothing more, until the other side goes.
async fn stall(mut stream: BufReader<TcpStream>) -> Option<()> {
    let mut rest = String::new();
    while stream.read_line(&mut rest).await.ok()? > 0 {}
    None
}

pub(super) fn relay(addr: SocketAddr, connections: usize) -> Relay {
    let short = Duration::from_millis(300);
    let url = SecretString::from(format!("smtp://{addr}"));
    let deadlines = Deadlines {
        connect: short,
        patience: short,
        command: short,
        data: short,
        block: short,
        dot: short,
        again: Duration::from_millis(1),
    };
    Relay::new(&Smtp { url, connections, ..Smtp::default() }).unwrap().with_deadlines(deadlines)
}

pub(super) fn fast() -> Pace {
    let rate = Rate::per_second(1_000_000);
    Pace::new(&Smtp { rate, rate_per_domain: rate, ..Smtp::default() }, &[])
}

/// Sends letters; each one's outcome, and the summary.
pub(super) async fn send(
    relays: impl Into<Relays>,
    count: usize,
    stop: watch::Receiver<bool>,
) -> (BTreeMap<String, Outcome>, Summary) {
    send_at(relays, fast(), count, stop).await
}

pub(super) async fn send_at(
    relays: impl Into<Relays>,
    pace: Pace,
    count: usize,
    stop: watch::Receiver<bool>,
) -> (BTreeMap<String, Outcome>, Summary) {
    let (tickets, queue) = mpsc::channel(count.max(1));
    for n in 0..count {
        assert!(tickets.send(letter(n)).await.is_ok());
    }
    drop(tickets);
    let (done, mut attempts) = mpsc::channel(count.max(1));
    let summary = run_parcels(relays, pace, queue, done, stop, running(), always()).await;
    let mut outcomes = BTreeMap::new();
    while let Some(Ended::Attempted(Attempt { claim, outcome })) = attempts.recv().await {
        let first = outcomes.insert(claim.account.to_string(), outcome).is_none();
        assert!(first, "one claim, one outcome");
    }
    (outcomes, summary)
}

pub(super) fn always() -> Permission {
    Permission::new(|| true)
}

pub(super) fn running() -> watch::Receiver<bool> {
    watch::channel(false).1
}

const LATER: &str = "451 4.7.1 later\r\n";
const NEVER: &str = "550 5.1.1 never\r\n";
const BYE: &str = "421 4.3.2 bye\r\n";
const GARBAGE: &str = "what?\r\n";
/// RFC 5321 §4.2: the text, and the space before it, may be left out.
const BARE: &str = "250\r\n";

use State::{Accepted, Deferred, Rejected, Unknown};

/// Phase, fault, and the states that the message may have afterwards: more than
/// one where it is chance how much of it was written when the server went.
const TABLE: &[(Phase, Fault, &[State])] = &[
    // Lost before the body: begun again on a new connection.
    (Phase::Mail, Fault::Drop, &[Accepted]),
    (Phase::Mail, Fault::Stall, &[Accepted]),
    (Phase::Mail, Fault::Endless, &[Accepted]),
    (Phase::Mail, Fault::Say(LATER), &[Deferred]),
    (Phase::Mail, Fault::Say(NEVER), &[Rejected]),
    (Phase::Mail, Fault::Say(BYE), &[Deferred]),
    (Phase::Mail, Fault::Say(GARBAGE), &[Accepted]),
    (Phase::Mail, Fault::Say(BARE), &[Accepted]),
    (Phase::Rcpt, Fault::Drop, &[Accepted]),
    (Phase::Rcpt, Fault::Stall, &[Accepted]),
    (Phase::Rcpt, Fault::Endless, &[Accepted]),
    (Phase::Rcpt, Fault::Say(LATER), &[Deferred]),
    (Phase::Rcpt, Fault::Say(NEVER), &[Rejected]),
    (Phase::Rcpt, Fault::Say(BARE), &[Accepted]),
    (Phase::Rcpt, Fault::Say("250-and\r\n250 more\r\n"), &[Accepted]),
    (Phase::Data, Fault::Drop, &[Accepted]),
    (Phase::Data, Fault::Stall, &[Accepted]),
    (Phase::Data, Fault::Endless, &[Accepted]),
    (Phase::Data, Fault::Say(LATER), &[Deferred]),
    (Phase::Data, Fault::Say(NEVER), &[Rejected]),
    (Phase::Data, Fault::Say("354\r\n"), &[Accepted]),
    // A yes where none was due: the replies are out of step.
    (Phase::Data, Fault::Say("250 early\r\n"), &[Deferred, Accepted]),
    // A yes to a body that was not written yet is not that body's.
    (Phase::Data, Fault::Say("354 go\r\n250 premature\r\n"), &[Deferred]),
    (Phase::Data, Fault::Last("354 go\r\n250 premature\r\n"), &[Deferred]),
    (Phase::Data, Fault::Last("354 go\r\n"), &[Deferred, Unknown]),
    // After the dot only the server knows.
    (Phase::Dot, Fault::Drop, &[Unknown]),
    (Phase::Dot, Fault::Stall, &[Unknown]),
    (Phase::Dot, Fault::Endless, &[Unknown]),
    (Phase::Dot, Fault::Say(LATER), &[Deferred]),
    (Phase::Dot, Fault::Say(NEVER), &[Rejected]),
    (Phase::Dot, Fault::Say(BYE), &[Deferred]),
    (Phase::Dot, Fault::Say(GARBAGE), &[Unknown]),
    (Phase::Dot, Fault::Say("250-mixed\r\n550 codes\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say("354 go on\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say(BARE), &[Accepted]),
    (Phase::Dot, Fault::Last("250 taken\r\n"), &[Accepted]),
    // Which of the two was the dot's?
    (Phase::Dot, Fault::Say("250 taken\r\n250 twice\r\n"), &[Accepted, Unknown]),
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
            // What the kernel holds between the two is some megabytes.
            assert!(seen.endless < 24 << 20, "{name}: {} bytes of a line were read", seen.endless);
            let state = outcomes[&AT.to_string()].state();
            assert!(expected.contains(&state), "{name}: {outcomes:?}");
            assert_eq!(outcomes.len() + summary.not_begun.len(), MESSAGES, "{name}: none is forgotten");
            assert_eq!(summary.error, None, "{name}");
            for (account, outcome) in &outcomes {
                let to = format!("{account}@customer.example");
                let confirmed = seen.confirmed.get(&to).copied().unwrap_or(0);
                if outcome.state() == Accepted {
                    assert_eq!(confirmed, 1, "{name}: {to} was accepted without its own 250");
                }
                assert!(outcome.reply().text.len() <= 200, "{name}: no more is kept than that");
                assert!(seen.read.get(&to).copied().unwrap_or(0) <= 1, "{name}: {to} was sent twice");
            }
            let last = outcomes[&(MESSAGES - 1).to_string()].state();
            assert_eq!(last, Accepted, "{name}: those after it get through");
        }
    }
}

#[tokio::test]
async fn bodies_arrive_as_they_were_and_the_next_envelope_rides_along() {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let (outcomes, _) = send(relay(addr, 1), MESSAGES, running()).await;
    assert!(outcomes.values().all(|outcome| outcome.state() == Accepted));
    let seen = script.seen.lock().unwrap();
    for n in 0..MESSAGES {
        assert_eq!(seen.bodies[&format!("{n}@customer.example")].as_bytes(), letter(n).bytes);
    }
    assert_eq!(seen.together, MESSAGES - 1, "one write a message");
}

#[tokio::test]
async fn a_yes_before_the_dot_is_not_taken_for_the_dots() {
    // The body, its dot and the next envelope are one write: when the server says
    // yes after the first line, all of it is on its way.
    let script = Script::new(true, Some((Phase::Body, Fault::Say("250 premature\r\n"))));
    let addr = listen(script.clone()).await;
    let (outcomes, _) = send(relay(addr, 1), MESSAGES, running()).await;
    let seen = script.seen.lock().unwrap();
    assert!(seen.done);
    for (account, outcome) in &outcomes {
        let confirmed = seen.confirmed.contains_key(&format!("{account}@customer.example"));
        assert_eq!(outcome.state(), if confirmed { Accepted } else { Unknown }, "{account}: {outcome:?}");
    }
    assert_eq!((outcomes.len(), seen.confirmed.len()), (MESSAGES, MESSAGES - 1));
}

#[tokio::test]
async fn a_message_that_the_server_cannot_be_sent_does_not_ride_along() {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let (tickets, queue) = mpsc::channel(3);
    let large = Letter { bytes: vec![b'x'; 10_001], ..letter(1) };
    for parcel in [letter(0), large, letter(2)] {
        assert!(tickets.send(parcel).await.is_ok());
    }
    drop(tickets);
    let (done, mut attempts) = mpsc::channel(3);
    run_parcels(relay(addr, 1), fast(), queue, done, running(), running(), always()).await;
    let mut states = BTreeMap::new();
    while let Some(Ended::Attempted(attempt)) = attempts.recv().await {
        states.insert(attempt.claim.account.to_string(), attempt.outcome.state());
    }
    assert_eq!(states.into_values().collect::<Vec<_>>(), [Accepted, Rejected, Accepted]);
    assert!(!script.seen.lock().unwrap().read.contains_key("1@customer.example"));
}

#[tokio::test]
async fn a_server_that_closes_after_some_messages_gets_them_all() {
    let script = Arc::new(Script { pipelining: true, fault: None, messages_max: 7, seen: Mutex::default() });
    let addr = listen(script.clone()).await;
    let (outcomes, summary) = send(relay(addr, 4), 200, running()).await;
    assert_eq!(outcomes.len(), 200, "{summary:?}");
    assert!(outcomes.values().all(|outcome| outcome.state() == Accepted));
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
    run_parcels(relay(addr, 1), fast(), queue, done, running(), running(), always()).await;
    let Some(Ended::Attempted(attempt)) = attempts.recv().await else { panic!("no attempt") };
    assert_eq!(attempt.outcome.state(), Rejected);
    assert!(script.seen.lock().unwrap().read.is_empty());
}

/// Sends on two connections at a slow rate, and does `act` at the first body.
async fn stopped_when(
    rate: Rate,
    act: impl Fn() + Send + 'static,
    stop: watch::Receiver<bool>,
    may: Permission,
) -> (usize, Summary) {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let smtp = Smtp { rate, rate_per_domain: Rate::per_second(1_000_000), ..Smtp::default() };
    let (tickets, queue) = mpsc::channel(MESSAGES);
    for n in 0..MESSAGES {
        assert!(tickets.send(letter(n)).await.is_ok());
    }
    let (done, mut attempts) = mpsc::channel(MESSAGES);
    let sending = tokio::spawn(run_parcels(relay(addr, 2), Pace::new(&smtp, &[]), queue, done, stop, running(), may));
    let first = attempts.recv().await;
    assert!(matches!(first, Some(Ended::Attempted(_))), "{first:?}");
    let asked = Instant::now();
    act();
    let summary = sending.await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "it waited {:?} for a token", asked.elapsed());
    drop(tickets);
    let read = script.seen.lock().unwrap().read.len();
    (read, summary)
}

#[tokio::test]
async fn a_stop_while_it_waits_for_a_token_ends_at_once() {
    let (stop, stopped) = watch::channel(false);
    let slow = Rate { count: 1.try_into().unwrap(), per: Duration::from_secs(3600) };
    let (read, summary) = stopped_when(slow, move || stop.send(true).unwrap(), stopped, always()).await;
    assert_eq!((read, summary.not_begun.len(), summary.error), (1, MESSAGES - 1, None));
}

#[tokio::test]
async fn a_stop_while_messages_are_sent_begins_no_more() {
    let (stop, stopped) = watch::channel(false);
    let rate = Rate::per_second(20);
    let (read, summary) = stopped_when(rate, move || stop.send(true).unwrap(), stopped, always()).await;
    assert!(read < MESSAGES, "{read}");
    assert_eq!((read + summary.not_begun.len(), summary.error), (MESSAGES, None));
}

#[tokio::test]
async fn who_lost_the_right_to_send_begins_no_more() {
    // The permission ends with the first message, and nobody sends a stop.
    let asked = Arc::new(AtomicUsize::new(0));
    let lost = Arc::new(AtomicBool::new(false));
    let may = Permission::new({
        let (asked, lost) = (asked.clone(), lost.clone());
        move || {
            asked.fetch_add(1, Ordering::SeqCst);
            !lost.load(Ordering::SeqCst)
        }
    });
    let rate = Rate::per_second(20);
    let (read, summary) = stopped_when(rate, move || lost.store(true, Ordering::SeqCst), running(), may).await;
    assert!(read < MESSAGES && asked.load(Ordering::SeqCst) > 0, "{read}");
    assert_eq!(read + summary.not_begun.len(), MESSAGES);
}

#[tokio::test]
async fn a_withdrawn_message_is_not_begun_and_is_told_as_such() {
    let script = Script::new(true, None);
    let addr = listen(script.clone()).await;
    let (tickets, queue) = mpsc::channel(MESSAGES);
    for n in 0..MESSAGES {
        let parcel = letter(n);
        parcel.withdrawn.store(n % 2 == 0, Ordering::SeqCst);
        assert!(tickets.send(parcel).await.is_ok());
    }
    drop(tickets);
    let (done, mut attempts) = mpsc::channel(MESSAGES);
    run_parcels(relay(addr, 1), fast(), queue, done, running(), running(), always()).await;
    let (mut sent, mut withdrawn) = (0, 0);
    while let Some(ended) = attempts.recv().await {
        match ended {
            Ended::Attempted(_) => sent += 1,
            Ended::Withdrawn(_) => withdrawn += 1,
        }
    }
    assert_eq!((sent, withdrawn), (MESSAGES / 2, MESSAGES / 2));
    assert_eq!(script.seen.lock().unwrap().read.len(), MESSAGES / 2);
}

#[tokio::test]
async fn what_was_said_before_tls_is_not_taken_for_what_is_said_under_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let _ = stream.write_all(b"220 scripted\r\n").await;
            let mut line = String::new();
            let _ = stream.read_line(&mut line).await;
            let _ = stream.write_all(b"250-scripted\r\n250 STARTTLS\r\n").await;
            let _ = stream.read_line(&mut line).await;
            let _ = stream.write_all(b"220 go\r\n250-injected\r\n250 PIPELINING\r\n").await;
            let _ = stall(stream).await;
        }
    });
    let url = SecretString::from(format!("smtp://{addr}?tls=required"));
    let relay = Relay::new(&Smtp { url, connections: 1, ..Smtp::default() }).unwrap();
    let relay = relay.with_deadlines(Deadlines { again: Duration::from_millis(1), ..Deadlines::default() });
    let (_, summary) = send(relay, 1, running()).await;
    let why = summary.error.unwrap();
    assert!(why.contains("more before TLS") && why.contains(&addr.to_string()) && why.contains("[smtp] url"), "{why}");
}
