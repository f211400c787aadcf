//! What servers' replies lead to: who is suppressed, who is halted, what is tried
//! again.

use std::collections::BTreeSet;

use super::*;
use crate::{both, dns};
use kakitome::clock::Clock;
use server::Moody;

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn world(base: &Base, server: &Moody) -> World {
    let receiver = Receiver::start(|_| {}).unwrap();
    let url = format!("smtp://{}", server.addr());
    World::with_server(base, &url, "100000/s", Arc::default(), receiver).await
}

/// The addresses at one domain, and the rest.
fn at(domain: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    (0..ACCOUNTS).map(|n| customer(n).email).partition(|email| email.ends_with(domain))
}

async fn suppressed(world: &World) -> BTreeSet<String> {
    suppress::list(&world.app).await.unwrap().into_iter().map(|one| one.address).collect()
}

/// Whose mail the provider takes: about half of the domains.
fn is_hosted(address: &str) -> bool {
    address.rsplit('@').next().is_some_and(|domain| domain.len() % 2 == 0)
}

/// A server that refuses us for every domain of a provider; with these lines in the
/// configuration, what has this name is halted, and nothing else.
async fn one_is_halted(base: &Base, more: &str, name: &str) {
    let names = dns::Server::start();
    let (hosted, others): (Vec<String>, Vec<String>) =
        (0..ACCOUNTS).map(|n| customer(n).email).partition(|to| is_hosted(to));
    for (n, domain) in hosted.iter().filter_map(|to| to.rsplit('@').next()).enumerate() {
        let first = format!("mx{}.mail.provider.test", n % 3);
        names.exchanges(domain, &[(20, "backup.elsewhere.test"), (10, &first)]);
    }
    let server = Moody::in_mood(|to, _| is_hosted(to).then_some("550 5.7.26 unauthenticated"));
    let mut world = world(base, &server).await;
    let config = generate::config(&format!("smtp://{}", server.addr()));
    world.app = open(base, world.folder.path(), &format!("resolver = \"{}\"\n{config}\n{more}", names.address())).await;
    let id = world.approved().await;
    let sent = world.send(id).await;
    assert_eq!((sent.accepted, sent.deferred), (others.len() as u64, hosted.len() as u64));
    let halted: Vec<&str> = sent.halted.iter().map(|halted| &*halted.receiver).collect();
    assert_eq!(halted, [name]);
    let asked = server.asked().keys().filter(|to| is_hosted(to)).count();
    assert!((1..=2 * world.app.config.smtp.connections).contains(&asked), "{asked} of {}", hosted.len());
}

both! {
    async fn domains_of_one_mx_site_are_one_receiver(base: &Base) {
        one_is_halted(base, "", "mx provider.test").await;
    }

    async fn a_table_names_its_mail_servers(base: &Base) {
        one_is_halted(base, "[[receiver]]\nname = \"big\"\nmx = [\"mail.provider.test\"]", "big").await;
    }

    async fn a_hard_bounce_suppresses_its_address_and_a_full_mailbox_does_not(base: &Base) {
        let server = Moody::in_mood(|to, _| match to {
            to if to.ends_with("@webmail.test") && to.len() % 2 == 0 => Some("550 5.1.1 nobody here"),
            to if to.ends_with("@webmail.test") => Some("552 5.2.2 mailbox full"),
            _ => None,
        });
        let world = world(base, &server).await;
        let id = world.approved().await;
        let sent = world.send(id).await;
        let (webmail, others) = at("@webmail.test");
        let gone: BTreeSet<String> = webmail.iter().filter(|to| to.len() % 2 == 0).cloned().collect();
        assert!(!gone.is_empty() && gone.len() < webmail.len());
        assert_eq!((sent.rejected, sent.accepted), (webmail.len() as u64, others.len() as u64));
        assert_eq!(suppressed(&world).await, gone);
        assert_eq!(sent.bounced, gone.len() as u64);
        assert_eq!(suppress::list(&world.app).await.unwrap()[0].reason, "hard bounce");
        control::verify(&world.app).await.unwrap();
    }

    async fn a_refusal_of_the_sender_halts_its_receiver_alone_and_suppresses_nobody(base: &Base) {
        let server = Moody::in_mood(|to, _| {
            to.ends_with("@webmail.test").then_some("550 5.7.26 this mail has been blocked because the sender is unauthenticated")
        });
        let world = world(base, &server).await;
        let id = world.approved().await;
        let sent = world.send(id).await;
        let (webmail, others) = at("@webmail.test");
        assert_eq!((sent.accepted, sent.deferred, sent.rejected), (others.len() as u64, webmail.len() as u64, 0));
        assert_eq!((sent.state, sent.exit()), (State::Sending, Exit::Gate));
        assert_eq!(sent.halted.len(), 1);
        assert_eq!(sent.halted[0].receiver, "webmail.test");
        assert!(sent.halted[0].said.starts_with("550 5.7.26"), "{:?}", sent.halted);
        assert!(suppressed(&world).await.is_empty());
        // What was under way when the first refusal came, and no more.
        let asked = server.asked().keys().filter(|to| webmail.contains(*to)).count();
        assert!((1..=2 * world.app.config.smtp.connections).contains(&asked), "{asked} of {}", webmail.len());
        control::verify(&world.app).await.unwrap();
    }

    async fn who_refuses_us_keeps_no_other_receiver_from_being_tried_again(base: &Base) {
        let server = Moody::in_mood(|to, attempt| match to {
            to if to.ends_with("@webmail.test") => Some("550 5.7.26 this mail has been blocked because the sender is unauthenticated"),
            _ => (attempt == 1).then_some("450 4.2.0 later"),
        });
        let world = world(base, &server).await;
        let id = world.approved().await;
        let sent = world.send(id).await;
        let (webmail, others) = at("@webmail.test");
        assert_eq!((sent.accepted, sent.deferred), (others.len() as u64, webmail.len() as u64), "{:?}", sent.why);
        assert_eq!((sent.state, sent.exit(), sent.halted.len()), (State::Sending, Exit::Gate, 1));
    }

    async fn what_is_not_due_yet_waits_by_itself(base: &Base) {
        let server = Moody::in_mood(|_, _| Some("450 4.2.0 later"));
        let mut world = world(base, &server).await;
        let clock = Clock::fixed(1_795_515_420_000);
        world.app.clock = clock.clone();
        let id = world.approved().await;
        let (_stop, stopped) = watch::channel(false);
        let sent = send::send(&world.app, id, false, stopped).await.unwrap();
        assert_eq!((sent.deferred, sent.halted.len(), sent.exit()), (ACCOUNTS, 0, Exit::Waits));
        assert!(sent.waits_until_ms > Some(clock.now_ms()));
    }

    async fn a_gate_that_too_many_deferred_shut_waits_by_itself(base: &Base) {
        let server = Moody::in_mood(|_, _| Some("450 4.2.0 later"));
        let mut world = world(base, &server).await;
        let clock = Clock::fixed(1_795_515_420_000);
        world.app.clock = clock.clone();
        let stages = format!("[[stage]]\nname = \"first\"\naccounts = [{:?}]\n", customer(1).member_id);
        let campaign = world.edit("campaign.toml", |text| {
            format!("{}\n{stages}[[stage]]\nname = \"rest\"\npercent = 100\n", text.split("[[stage]]").next().unwrap())
        });
        let id = freeze::freeze(&world.app, &campaign, "author").await.unwrap().campaign;
        check::check(&world.app, id).await.unwrap();
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        let sent = send::send(&world.app, id, false, stopped).await.unwrap();
        assert_eq!((sent.deferred, sent.left, sent.exit()), (1, ACCOUNTS - 1, Exit::Waits), "{:?}", sent.why);
        assert!(sent.why.unwrap().contains("100.0 % of stage \"first\" is deferred"));
        assert!(sent.waits_until_ms > Some(clock.now_ms()));
    }

    async fn what_stays_deferred_expires_when_its_lifetime_is_over_and_is_final(base: &Base) {
        let server = Moody::in_mood(|to, _| to.ends_with("@webmail.test").then_some("450 4.2.0 later"));
        let mut world = world(base, &server).await;
        let clock = Clock::fixed(1_795_515_420_000);
        world.app.clock = clock.clone();
        let id = world.approved().await;
        let once = |world: World| async move {
            let (_stop, stopped) = watch::channel(false);
            let sent = send::send(&world.app, id, false, stopped).await.unwrap();
            (sent, world)
        };
        let (webmail, others) = at("@webmail.test");
        let (webmail, others) = (webmail.len() as u64, others.len() as u64);
        let (sent, world) = once(world).await;
        assert_eq!((sent.accepted, sent.deferred, sent.expired, sent.exit()), (others, webmail, 0, Exit::Waits));
        // A later attempt does not lengthen a life.
        clock.advance(2 * DAY_MS);
        let (sent, world) = once(world).await;
        assert_eq!((sent.deferred, sent.expired), (webmail, 0));
        clock.advance(DAY_MS - 1);
        let (sent, world) = once(world).await;
        assert_eq!((sent.deferred, sent.expired), (webmail, 0), "one millisecond is left");
        clock.advance(1);
        let asked = server.asked();
        let (sent, world) = once(world).await;
        assert_eq!((sent.expired, sent.deferred, sent.state), (webmail, 0, State::Finished));
        assert_eq!(sent.exit(), Exit::Incomplete);
        assert_eq!(server.asked(), asked, "what has expired is not tried");
        control::verify(&world.app).await.unwrap();
    }

    async fn a_relay_that_does_not_know_us_stops_the_run_and_loses_nothing(base: &Base) {
        let server = Moody::in_mood(|_, _| Some("554 5.7.1 Relay access denied"));
        let world = world(base, &server).await;
        let id = world.approved().await;
        let sent = world.send(id).await;
        assert_eq!((sent.accepted, sent.rejected, sent.unknown), (0, 0, 0));
        assert_eq!((sent.left + sent.deferred, sent.exit()), (ACCOUNTS, Exit::Gate));
        assert!(sent.why.as_ref().is_some_and(|why| why.contains("Relay access denied")), "{:?}", sent.why);
        assert!(suppressed(&world).await.is_empty());
        let asked = server.asked().len();
        assert!(asked <= 2 * world.app.config.smtp.connections, "{asked}");
    }
}
