//! When mail goes out: sending windows and the warm-up's ceilings, by a clock
//! that the test moves.

use super::*;
use crate::both;
use kakitome::clock::Clock;
use kakitome::units::Rate;

const HOUR_MS: i64 = 3_600_000;

/// A registrar whose `[smtp]` has these lines too, at this moment.
async fn world(base: &Base, rate: &str, more: &str, now: &str) -> (World, Clock) {
    let mail = Arc::new(Mutex::new(Vec::new()));
    let seen = mail.clone();
    let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery)).unwrap();
    let url = format!("smtp://{}", receiver.addr());
    let mut world = World::with_server(base, &url, rate, mail, receiver).await;
    let text = generate::config(&url)
        .replace("[links]", &format!("{more}\n[links]"))
        .replace("100000/s\"\nrate_", &format!("{rate}\"\nrate_"));
    world.app = open(base, world.folder.path(), &text).await;
    let clock = Clock::fixed(now.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    world.app.clock = clock.clone();
    (world, clock)
}

async fn once(world: &World, id: i64) -> SendReport {
    let (_stop, stopped) = watch::channel(false);
    send::send(&world.app, id, false, stopped).await.unwrap()
}

both! {
    async fn outside_its_windows_nothing_is_sent_and_the_hour_is_named(base: &Base) {
        let windows = "windows = [\"09:00–20:00 Asia/Tokyo\"]";
        let (world, clock) = world(base, "100000/s", windows, "2026-12-01T12:00:00Z").await;
        let id = world.approved().await;
        let sent = once(&world, id).await;
        assert_eq!((sent.accepted, sent.left, sent.exit()), (0, ACCOUNTS, Exit::Waits));
        let why = sent.why.unwrap();
        assert!(why.contains("09:00–20:00 Asia/Tokyo") && why.contains("until 2026-12-02 00:00:00Z"), "{why}");
        assert_eq!(control::status(&world.app, id).await.unwrap().waits, [why]);
        // Who waits is let in when it opens.
        let opens = async {
            for _ in 0..12 {
                assert!(world.delivered().is_empty());
                // A look at the store gives the sender time for one of its own.
                while world.app.store.state(id).await.unwrap() != State::Sending {}
                clock.advance(HOUR_MS);
            }
        };
        let (sent, ()) = tokio::join!(world.send(id), opens);
        assert_eq!((sent.accepted, sent.state), (ACCOUNTS, State::Finished));
    }

    async fn a_window_that_shuts_stops_what_was_not_begun(base: &Base) {
        let windows = "windows = [\"09:00-20:00 UTC\"]";
        let (world, clock) = world(base, "40/s", windows, "2026-12-01T19:59:59Z").await;
        let id = world.approved().await;
        let mail = world.mail.clone();
        let shuts = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            clock.advance(1_000);
        };
        let (sent, ()) = tokio::join!(once(&world, id), shuts);
        assert!(sent.accepted > 0 && sent.accepted < ACCOUNTS, "{}", sent.accepted);
        assert_eq!((sent.unknown, sent.accepted + sent.left, sent.exit()), (0, ACCOUNTS, Exit::Waits));
        assert!(sent.why.as_ref().is_some_and(|why| why.contains("until 2026-12-02 09:00:00Z")), "{:?}", sent.why);
    }

    async fn a_running_send_follows_another_rate(base: &Base) {
        let (world, _) = world(base, "6/m", "", "2026-12-01T12:00:00Z").await;
        let id = world.approved().await;
        let mail = world.mail.clone();
        let operator = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            let refused = control::pace(&world.app, 99, None).await;
            assert!(refused.is_err(), "there is no such campaign");
            control::pace(&world.app, id, Some(Rate::per_second(1_000))).await.unwrap();
        };
        let started = Instant::now();
        let (sent, ()) = tokio::join!(world.send(id), operator);
        // At six a minute it takes twenty minutes.
        assert_eq!((sent.accepted, sent.state), (ACCOUNTS, State::Finished));
        assert!(started.elapsed() < Duration::from_secs(300), "{:?}", started.elapsed());
        assert!(world.delivered().values().all(|count| *count == 1));
        assert_eq!(control::status(&world.app, id).await.unwrap().rate.as_deref(), Some("1000/s"));
        assert_eq!(control::pace(&world.app, id, None).await.unwrap_err().exit(), Exit::Gate, "it has ended");
        control::verify(&world.app).await.unwrap();
        base.tamper("update campaign set rate = '9/s'").await;
        assert!(control::verify(&world.app).await.is_err(), "a rate that no entry tells");
    }

    async fn a_warm_up_sends_no_more_than_the_day_allows_whoever_asks_again(base: &Base) {
        let plan = "[smtp.warm_up]\nstart = \"2026-12-02\"\nfirst_day = 20\nfactor = 4";
        let (world, clock) = world(base, "100000/s", plan, "2026-12-01T12:00:00Z").await;
        let id = world.approved().await;
        for (accepted, why) in [
            (0, "the warm-up has not begun: shut until 2026-12-02 00:00:00Z"),
            (20, "the ceiling of day 1 of the warm-up, 20 messages, is reached: shut until 2026-12-03 00:00:00Z"),
            (100, "the ceiling of day 2 of the warm-up, 80 messages, is reached: shut until 2026-12-04 00:00:00Z"),
        ] {
            for _ in 0..2 {
                let sent = once(&world, id).await;
                assert_eq!((sent.accepted, sent.exit(), sent.why.as_deref()), (accepted, Exit::Waits, Some(why)));
                assert_eq!(world.delivered().len() as u64, accepted);
            }
            clock.advance(24 * HOUR_MS);
        }
        let sent = once(&world, id).await;
        assert_eq!((sent.accepted, sent.state), (ACCOUNTS, State::Finished));
    }
}
