//! Several relays, each a scripted server: their shares, and what becomes of messages when one
//! of them cannot be used.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::ledger::State::{Accepted, Unknown};
use crate::send::Pace;
use crate::send::tests::server::{Fault, Phase, Script, listen, serve};
use crate::send::tests::{AT, MESSAGES, relay, running, send, send_at};
use crate::units::Rate;

/// Where nothing listens.
async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn relays_get_their_shares() {
    let (three, one) = (Script::new(true, None), Script::new(true, None));
    let relays = Relays::of(vec![(relay(listen(three.clone()).await, 2), 3), (relay(listen(one.clone()).await, 2), 1)]);
    let (outcomes, summary) = send(relays, 400, running()).await;
    assert!(outcomes.len() == 400 && outcomes.values().all(|outcome| outcome.state() == Accepted), "{summary:?}");
    let (three, one) = (three.seen.lock().unwrap().read.len(), one.seen.lock().unwrap().read.len());
    assert_eq!(three + one, 400);
    // Either may be ahead by its two connections, and by what the other has not begun yet.
    assert!((280..=320).contains(&three), "{three} and {one}");
}

#[tokio::test]
async fn messages_go_by_the_relay_that_can_be_reached() {
    let script = Script::new(true, None);
    let relays = Relays::of(vec![(relay(nowhere().await, 2), 9), (relay(listen(script.clone()).await, 2), 1)]);
    let (outcomes, summary) = send(relays, 200, running()).await;
    assert!(outcomes.len() == 200 && outcomes.values().all(|outcome| outcome.state() == Accepted), "{summary:?}");
    assert_eq!(summary.error, None);
    assert!(script.seen.lock().unwrap().read.values().all(|count| *count == 1));
}

#[test]
fn a_relay_that_is_left_out_and_comes_back_is_told_and_not_each_time() {
    let relays = Relays::of([1, 2].map(|port| (relay(([127, 0, 0, 1], port).into(), 1), 1)).to_vec());
    let lines = crate::telemetry::tests::logged("info", || {
        for _ in 0..3 {
            relays.failed(1, "connection refused".into()).unwrap();
            let out = relays.stand().into_iter().map(|one| one.out).collect::<Vec<_>>();
            assert_eq!(out, [None, Some("connection refused".into())]);
            relays.is_back(1);
            assert!(relays.stand().iter().all(|one| one.out.is_none()));
        }
    });
    let told: Vec<_> = lines.iter().map(|line| (line["event"].as_str(), line["relay"].as_str())).collect();
    let relay = Some("127.0.0.1:2");
    assert_eq!(told, [(Some("relay_left_out"), relay), (Some("relay_back"), relay)]);
    assert_eq!(lines[0]["why"], "connection refused");
}

#[tokio::test]
async fn a_relay_that_drops_new_connections_is_left_out_and_comes_back() {
    let (good, late) = (Script::new(true, None), Script::new(true, None));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (dropped, serving) = (Arc::new(AtomicUsize::new(0)), late.clone());
    let count = dropped.clone();
    tokio::spawn(async move {
        let mails = Arc::new(Mutex::new(0));
        while let Ok((mut stream, _)) = listener.accept().await {
            if count.fetch_add(1, Ordering::SeqCst) < 4 {
                let _ = stream.write_all(b"220 but\r\n").await;
                continue;
            }
            tokio::spawn(serve(stream, serving.clone(), mails.clone()));
        }
    });
    let relays = Relays::of(vec![(relay(addr, 1), 1), (relay(listen(good.clone()).await, 1), 1)]);
    let rate = Rate::per_second(1_000);
    let pace = Pace::new(&Smtp { rate, rate_per_domain: rate, ..Smtp::default() }, &[]);
    let (outcomes, summary) = send_at(relays, pace, 600, running()).await;
    assert!(outcomes.len() == 600 && outcomes.values().all(|outcome| outcome.state() == Accepted), "{summary:?}");
    let (good, late) = (good.seen.lock().unwrap().read.len(), late.seen.lock().unwrap().read.len());
    assert!(dropped.load(Ordering::SeqCst) > 4 && good + late == 600 && late > 100, "{good} and {late}");
}

#[tokio::test]
async fn a_message_whose_dot_was_not_answered_goes_by_no_other_relay() {
    let faulty = Script::new(true, Some((Phase::Dot, Fault::Drop)));
    let good = Script::new(true, None);
    let relays =
        Relays::of(vec![(relay(listen(faulty.clone()).await, 1), 1), (relay(listen(good.clone()).await, 1), 1)]);
    let (outcomes, _) = send(relays, 60, running()).await;
    let (faulty, good) = (faulty.seen.lock().unwrap(), good.seen.lock().unwrap());
    let to = format!("{AT}@customer.example");
    let unknown = usize::from(faulty.done);
    assert_eq!(outcomes.values().filter(|outcome| outcome.state() == Unknown).count(), unknown, "{outcomes:?}");
    assert_eq!(outcomes.len(), 60);
    for account in outcomes.keys() {
        let to = format!("{account}@customer.example");
        let times = [&faulty.read, &good.read].into_iter().filter_map(|read| read.get(&to)).sum::<usize>();
        assert_eq!(times, 1, "{to}");
    }
    assert!(!(faulty.done && good.read.contains_key(&to)));
}

#[tokio::test]
async fn when_no_relay_is_left_each_is_named() {
    let (one, other) = (nowhere().await, nowhere().await);
    let relays = Relays::of(vec![(relay(one, 2), 1), (relay(other, 2), 1)]);
    let (outcomes, summary) = send(relays, MESSAGES, running()).await;
    let why = summary.error.unwrap();
    assert!(why.contains(&one.to_string()) && why.contains(&other.to_string()), "{why}");
    assert_eq!((outcomes.len(), summary.not_begun.len()), (0, MESSAGES));
}
