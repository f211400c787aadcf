//! Whose turn it is in the queue: what steps aside, and what is given back.

use std::num::NonZeroUsize;

use super::*;
use crate::config::{Receiver, Smtp};
use crate::send::tests::{always, letter_to, running};
use crate::units::Rate;

#[tokio::test]
async fn a_domain_without_tokens_does_not_hold_up_another() {
    let smtp = Smtp {
        rate_per_domain: Rate { count: 1.try_into().unwrap(), per: Duration::from_secs(3600) },
        ..Smtp::default()
    };
    let (tickets, incoming) = mpsc::channel(8);
    for domain in ["a.example", "a.example", "a.example", "b.example"] {
        let parcel = letter_to(&format!("x@{domain}"));
        assert!(tickets.send(parcel).await.is_ok());
    }
    let queue = Queue::new(incoming, Pace::new(&smtp, &[]), running(), always());
    let first = queue.next().await.unwrap();
    let second = queue.next().await.unwrap();
    assert_eq!((first.recipient.domain(), second.recipient.domain()), ("a.example", "b.example"));
    assert_eq!(queue.drain().await.len(), 2);
}

#[tokio::test]
async fn a_message_given_back_keeps_its_place_and_one_that_ended_does_not() {
    let smtp =
        Smtp { rate: Rate::per_second(1_000_000), rate_per_domain: Rate::per_second(1_000_000), ..Smtp::default() };
    let receiver = Receiver {
        name: "mail".into(),
        domains: vec!["a.example".into(), "b.example".into()],
        mx: Vec::new(),
        rate: None,
        connections: NonZeroUsize::new(1),
    };
    let (tickets, incoming) = mpsc::channel(8);
    for domain in ["a.example", "b.example"] {
        let parcel = letter_to(&format!("x@{domain}"));
        assert!(tickets.send(parcel).await.is_ok());
    }
    let queue = Queue::new(incoming, Pace::new(&smtp, &[receiver]), running(), always());
    let first = queue.next().await.unwrap();
    assert!(queue.next_now().await.is_none(), "one is under way");
    queue.put_back(first);
    let first = queue.next().await.unwrap();
    assert!(queue.next_now().await.is_none(), "it still is");
    queue.pace().end(first.recipient.domain());
    let second = queue.next_now().await.unwrap();
    assert_eq!(second.recipient.domain(), "b.example");
    queue.put_back(second);
    assert_eq!(queue.drain().await.len(), 1);
    assert!(queue.pace().domain_now("a.example"), "what is left is not under way");
}
