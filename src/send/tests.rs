//! The sender against a scripted server: every phase, every fault, with and
//! without PIPELINING. Whatever the server does: never `Accepted` without that
//! message's own 250, never sent twice, never forgotten.

pub(super) mod server;
pub(super) mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use server::{Fault, Phase, Script, listen, stall};

use super::conversation::Envelope;
use super::*;
use crate::account::AccountId;
use crate::address::Address;
use crate::config::Smtp;
use crate::units::Rate;

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

pub(super) fn relay(addr: SocketAddr, connections: usize) -> Relay {
    relay_at(&format!("smtp://{addr}"), connections)
}

fn relay_at(url: &str, connections: usize) -> Relay {
    let short = Duration::from_millis(300);
    let url = SecretString::from(url);
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

/// Between two bytes: so that a reply is whole in time, and so that it is not, though it
/// never stands still for as long as a reply is waited for.
const FAST: Duration = Duration::from_millis(2);
const SLOW: Duration = Duration::from_millis(60);

use State::{Accepted, Deferred, Rejected, Unknown};

/// Phase, fault, and the states that the message may have afterwards: more than
/// one where it is chance how much of it was written when the server went.
const TABLE: &[(Phase, Fault, &[State])] = &[
    // Lost before the first message: another connection is opened.
    (Phase::Greeting, Fault::Drop, &[Accepted]),
    (Phase::Greeting, Fault::Stall, &[Accepted]),
    (Phase::Greeting, Fault::HalfClose, &[Accepted]),
    (Phase::Greeting, Fault::Endless, &[Accepted]),
    (Phase::Greeting, Fault::Drip("220 scripted\r\n", FAST), &[Accepted]),
    (Phase::Greeting, Fault::Drip("220 scripted\r\n", SLOW), &[Accepted]),
    (Phase::Greeting, Fault::Say(BYE), &[Accepted]),
    (Phase::Greeting, Fault::Say("554 5.3.2 not today\r\n"), &[Accepted]),
    (Phase::Greeting, Fault::Say(GARBAGE), &[Accepted]),
    (Phase::Greeting, Fault::Say("220 scripted\r\n250 early\r\n"), &[Accepted]),
    (Phase::Hello, Fault::Drop, &[Accepted]),
    (Phase::Hello, Fault::Stall, &[Accepted]),
    (Phase::Hello, Fault::HalfClose, &[Accepted]),
    (Phase::Hello, Fault::Endless, &[Accepted]),
    (Phase::Hello, Fault::Drip("250 scripted\r\n", SLOW), &[Accepted]),
    (Phase::Hello, Fault::Say(LATER), &[Accepted]),
    (Phase::Hello, Fault::Say("550 5.7.1 go away\r\n"), &[Accepted]),
    (Phase::Hello, Fault::Say(GARBAGE), &[Accepted]),
    (Phase::Hello, Fault::Say("250 scripted\r\n250 twice\r\n"), &[Accepted]),
    (Phase::StartTls, Fault::Drop, &[Accepted]),
    (Phase::StartTls, Fault::Stall, &[Accepted]),
    (Phase::StartTls, Fault::HalfClose, &[Accepted]),
    (Phase::StartTls, Fault::Endless, &[Accepted]),
    (Phase::StartTls, Fault::Drip("220 go\r\n", SLOW), &[Accepted]),
    (Phase::StartTls, Fault::Say("454 4.7.0 not now\r\n"), &[Accepted]),
    (Phase::StartTls, Fault::Say("501 5.5.2 no\r\n"), &[Accepted]),
    (Phase::StartTls, Fault::Say(GARBAGE), &[Accepted]),
    // Before TLS, what is said as if under it.
    (Phase::StartTls, Fault::Say("220 go\r\n250-injected\r\n250 PIPELINING\r\n"), &[Accepted]),
    // No TLS follows, or nothing.
    (Phase::StartTls, Fault::Say("220 go\r\n"), &[Accepted]),
    (Phase::StartTls, Fault::Last("220 go\r\n"), &[Accepted]),
    // Lost before the body: begun again on a new connection.
    (Phase::Mail, Fault::Drop, &[Accepted]),
    (Phase::Mail, Fault::Stall, &[Accepted]),
    (Phase::Mail, Fault::HalfClose, &[Accepted]),
    (Phase::Mail, Fault::Endless, &[Accepted]),
    (Phase::Mail, Fault::Drip("250 sender\r\n", FAST), &[Accepted]),
    (Phase::Mail, Fault::Drip("250 sender\r\n", SLOW), &[Accepted]),
    (Phase::Mail, Fault::Say(LATER), &[Deferred]),
    (Phase::Mail, Fault::Say(NEVER), &[Rejected]),
    (Phase::Mail, Fault::Say(BYE), &[Deferred]),
    (Phase::Mail, Fault::Say(GARBAGE), &[Accepted]),
    (Phase::Mail, Fault::Say(BARE), &[Accepted]),
    (Phase::Rcpt, Fault::Drop, &[Accepted]),
    (Phase::Rcpt, Fault::Stall, &[Accepted]),
    (Phase::Rcpt, Fault::HalfClose, &[Accepted]),
    (Phase::Rcpt, Fault::Endless, &[Accepted]),
    (Phase::Rcpt, Fault::Drip("250 recipient\r\n", FAST), &[Accepted]),
    (Phase::Rcpt, Fault::Drip("250 recipient\r\n", SLOW), &[Accepted]),
    (Phase::Rcpt, Fault::Say(LATER), &[Deferred]),
    (Phase::Rcpt, Fault::Say(NEVER), &[Rejected]),
    (Phase::Rcpt, Fault::Say(BARE), &[Accepted]),
    (Phase::Rcpt, Fault::Say("250-and\r\n250 more\r\n"), &[Accepted]),
    (Phase::Data, Fault::Drop, &[Accepted]),
    (Phase::Data, Fault::Stall, &[Accepted]),
    (Phase::Data, Fault::HalfClose, &[Accepted]),
    (Phase::Data, Fault::Endless, &[Accepted]),
    (Phase::Data, Fault::Drip("354 go on\r\n", FAST), &[Accepted]),
    (Phase::Data, Fault::Drip("354 go on\r\n", SLOW), &[Accepted]),
    (Phase::Data, Fault::Say(LATER), &[Deferred]),
    (Phase::Data, Fault::Say(NEVER), &[Rejected]),
    (Phase::Data, Fault::Say("354\r\n"), &[Accepted]),
    // A yes where none was due: the replies are out of step.
    (Phase::Data, Fault::Say("250 early\r\n"), &[Deferred, Accepted]),
    // A yes to a body that was not written yet is not that body's.
    (Phase::Data, Fault::Say("354 go\r\n250 premature\r\n"), &[Deferred]),
    (Phase::Data, Fault::Last("354 go\r\n250 premature\r\n"), &[Deferred]),
    (Phase::Data, Fault::Last("354 go\r\n"), &[Deferred, Unknown]),
    // Body, dot and the next envelope are one write, and what is said to a part of it is
    // not said to its dot.
    (Phase::Body, Fault::Drop, &[Unknown]),
    (Phase::Body, Fault::Stall, &[Unknown]),
    (Phase::Body, Fault::HalfClose, &[Unknown]),
    (Phase::Body, Fault::Endless, &[Unknown]),
    (Phase::Body, Fault::Say(LATER), &[Deferred, Unknown]),
    (Phase::Body, Fault::Say(NEVER), &[Rejected, Unknown]),
    (Phase::Body, Fault::Say(GARBAGE), &[Unknown]),
    (Phase::Body, Fault::Last(BYE), &[Deferred, Unknown]),
    // After the dot only the server knows.
    (Phase::Dot, Fault::Drop, &[Unknown]),
    (Phase::Dot, Fault::Stall, &[Unknown]),
    (Phase::Dot, Fault::HalfClose, &[Unknown]),
    (Phase::Dot, Fault::Endless, &[Unknown]),
    (Phase::Dot, Fault::Drip("250 taken\r\n", FAST), &[Accepted]),
    (Phase::Dot, Fault::Drip("250 taken\r\n", SLOW), &[Unknown]),
    (Phase::Dot, Fault::Say(LATER), &[Deferred]),
    (Phase::Dot, Fault::Say(NEVER), &[Rejected]),
    // Who says goodbye and stays is not believed.
    (Phase::Dot, Fault::Say(BYE), &[Deferred, Unknown]),
    (Phase::Dot, Fault::Last(BYE), &[Deferred]),
    (Phase::Dot, Fault::Say(GARBAGE), &[Unknown]),
    (Phase::Dot, Fault::Say("250-mixed\r\n550 codes\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say("354 go on\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say(BARE), &[Accepted]),
    (Phase::Dot, Fault::Last("250 taken\r\n"), &[Accepted]),
    // Which of the two was the dot's?
    (Phase::Dot, Fault::Say("250 taken\r\n250 twice\r\n"), &[Accepted, Unknown]),
    (Phase::Dot, Fault::Say("451 not yet\r\n250 taken\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say("554 never\r\n250 taken\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say("421 busy\r\n250 taken\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Say("451 not yet\r\n451 nor now\r\n250 taken\r\n"), &[Unknown]),
    (Phase::Dot, Fault::Last("451 not yet\r\n250 taken\r\n"), &[Unknown]),
];

use crate::ledger::State;

#[tokio::test]
async fn every_fault_in_every_phase_with_pipelining() {
    faults(true, false).await;
}

#[tokio::test]
async fn every_fault_in_every_phase_without_pipelining() {
    faults(false, false).await;
}

#[tokio::test]
async fn every_fault_in_every_phase_under_tls() {
    faults(true, true).await;
}

/// Every row of the table, some at a time: most of them wait. Prints what came of each.
async fn faults(pipelining: bool, encrypted: bool) {
    let mut rows = JoinSet::new();
    for row in TABLE.iter().filter(|row| encrypted || row.0 != Phase::StartTls) {
        if rows.len() == 8 {
            rows.join_next().await.unwrap().unwrap();
        }
        rows.spawn(fault(pipelining, encrypted, row));
    }
    rows.join_all().await;
}

async fn fault(pipelining: bool, encrypted: bool, (phase, fault, expected): &(Phase, Fault, &[State])) {
    let name = format!("{phase:?} {fault:?}, pipelining {pipelining}, TLS {encrypted}");
    let script = Some((*phase, *fault));
    let (script, relay) = if encrypted {
        let (script, trust) = Script::encrypted(pipelining, script);
        let url = format!("smtp://{}?tls=required", listen(script.clone()).await);
        (script, relay_at(&url, 1).trusting(trust))
    } else {
        let script = Script::new(pipelining, script);
        (script.clone(), relay(listen(script).await, 1))
    };
    let (outcomes, summary) = send(relay, MESSAGES, running()).await;
    let seen = script.seen.lock().unwrap();
    assert!(seen.done, "{name}: the fault did not happen");
    // What the kernel holds between the two is some megabytes.
    assert!(seen.endless < 24 << 20, "{name}: {} bytes of a line were read", seen.endless);
    let state = outcomes[&AT.to_string()].state();
    assert!(expected.contains(&state), "{name}: {outcomes:?}");
    if !phase.is_of_a_message() {
        assert!(outcomes.values().all(|outcome| outcome.state() == Accepted), "{name}: {outcomes:?}");
    }
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
    println!("{name}: {state}");
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
    let script = Script::closing_after(7);
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
            let _ = stall(&mut stream).await;
        }
    });
    let url = SecretString::from(format!("smtp://{addr}?tls=required"));
    let relay = Relay::new(&Smtp { url, connections: 1, ..Smtp::default() }).unwrap();
    let relay = relay.with_deadlines(Deadlines { again: Duration::from_millis(1), ..Deadlines::default() });
    let (_, summary) = send(relay, 1, running()).await;
    let why = summary.error.unwrap();
    assert!(why.contains("more before TLS") && why.contains(&addr.to_string()) && why.contains("smtp.url"), "{why}");
}

/// A server that answers by a table of commands' first words, and notes every line; a 354
/// is followed by lines up to a dot. With a row `STRICT`, DATA is refused where RCPT was.
async fn answering(table: &'static [(&'static str, &'static str)]) -> (SocketAddr, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let notes = notes.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let _ = stream.write_all(b"220 scripted\r\n").await;
                let (mut line, mut is_body, mut is_refused) = (String::new(), false, false);
                let is_strict = table.iter().any(|(word, _)| *word == "STRICT");
                while matches!(stream.read_line(&mut line).await, Ok(count) if count > 0) {
                    let text = std::mem::take(&mut line).trim_end().to_owned();
                    let is_dot = is_body && text == ".";
                    notes.lock().unwrap().push(text.clone());
                    let reply = match table.iter().find(|(word, _)| text.starts_with(word)) {
                        _ if is_dot => "250 taken\r\n",
                        _ if is_body => continue,
                        Some((_, reply)) => reply,
                        None if text == "DATA" && is_strict && is_refused => "554 no valid recipients\r\n",
                        None if text == "DATA" => "354 go on\r\n",
                        None if text == "QUIT" => "221 bye\r\n",
                        None => "250 fine\r\n",
                    };
                    is_body = reply.starts_with("354");
                    if text.starts_with("RCPT") {
                        is_refused = !reply.starts_with("25");
                    }
                    let _ = stream.write_all(reply.as_bytes()).await;
                }
            });
        }
    });
    (addr, heard)
}

const PIPELINING: &str = "250-scripted\r\n250 PIPELINING\r\n";

/// How many messages without a line were ended by a dot.
fn empty_messages(heard: &[String]) -> usize {
    heard.windows(2).filter(|two| two[0] == "DATA" && two[1] == ".").count()
}

#[tokio::test]
async fn a_recipient_that_cannot_be_verified_is_sent_to() {
    for hello in [PIPELINING, "250 scripted\r\n"] {
        let table: &'static [_] = Box::leak(Box::new([("EHLO", hello), ("RCPT", "252 cannot verify, will try\r\n")]));
        let (addr, heard) = answering(table).await;
        let (outcomes, _) = send(relay(addr, 1), MESSAGES, running()).await;
        assert!(outcomes.values().all(|outcome| outcome.state() == Accepted), "{outcomes:?}");
        assert_eq!(outcomes.len(), MESSAGES);
        assert_eq!(empty_messages(&heard.lock().unwrap()), 0);
    }
}

#[tokio::test]
async fn no_empty_message_is_written_where_nobody_is_to_get_one() {
    for rcpt in ["550 5.1.1 unknown\r\n", "451 4.3.0 later\r\n", "299 odd\r\n"] {
        let table: &'static [_] =
            Box::leak(Box::new([("EHLO", PIPELINING), ("RCPT TO:<2@", rcpt), ("RCPT TO:<3@", rcpt)]));
        let (addr, heard) = answering(table).await;
        let (outcomes, _) = send(relay(addr, 1), MESSAGES, running()).await;
        assert_eq!(outcomes.len(), MESSAGES, "{rcpt}: {outcomes:?}");
        for (account, outcome) in &outcomes {
            let is_refused = matches!(account.as_str(), "2" | "3");
            assert_eq!(outcome.state() == Accepted, !is_refused, "{rcpt}: {account}: {outcome:?}");
        }
        let heard = heard.lock().unwrap();
        assert_eq!(empty_messages(&heard), 0, "{rcpt}");
        assert_eq!(heard.iter().filter(|line| *line == ".").count(), MESSAGES - 2, "{rcpt}: a dot for each message");
    }
}

#[tokio::test]
async fn a_server_without_ehlo_is_greeted_by_helo() {
    for refusal in ["500 what?\r\n", "502 5.5.1 not implemented\r\n", "504 no\r\n"] {
        let table: &'static [_] = Box::leak(Box::new([("EHLO", refusal)]));
        let (addr, heard) = answering(table).await;
        let (outcomes, _) = send(relay(addr, 1), 1, running()).await;
        assert_eq!(outcomes["0"].state(), Accepted, "{refusal}");
        assert!(heard.lock().unwrap()[1].starts_with("HELO "), "{refusal}");
    }
}

#[tokio::test]
async fn a_message_that_was_taken_is_taken_though_rset_is_not_known() {
    for reset in ["500 what?\r\n", "502 5.5.1 not implemented\r\n"] {
        let table: &'static [_] = Box::leak(Box::new([
            ("EHLO", PIPELINING),
            ("RSET", reset),
            ("RCPT TO:<2@", "550 5.1.1 unknown\r\n"),
            ("STRICT", ""),
        ]));
        let (addr, _) = answering(table).await;
        let (outcomes, _) = send(relay(addr, 1), MESSAGES, running()).await;
        assert_eq!(outcomes.values().filter(|outcome| outcome.state() == Accepted).count(), MESSAGES - 1);
        assert_eq!(outcomes["2"].state(), Rejected);
    }
}
