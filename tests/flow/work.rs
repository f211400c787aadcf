//! Several processes that send one campaign together, on PostgreSQL: killed and
//! joined at any moment, nothing twice, nothing lost, and never faster together
//! than the rate.

use std::process::Child;

use super::*;

/// Messages a second, by all processes together.
const RATE: u64 = 250;
const MANY: u64 = 3_000;
/// How far claims of one process may run ahead of what became of them.
const AHEAD_MAX: u64 = 128;

/// Ends a process as a service manager does; its exit code.
async fn terminate(mut process: Child) -> Option<i32> {
    Command::new("kill").arg(process.id().to_string()).status().unwrap();
    tokio::task::spawn_blocking(move || process.wait().unwrap().code()).await.unwrap()
}

/// The most of these that lie within so many seconds.
fn most_within(times: &[Instant], seconds: f64) -> usize {
    let mut from = 0;
    let counts = times.iter().enumerate().map(|(to, time)| {
        while time.duration_since(times[from]).as_secs_f64() > seconds {
            from += 1;
        }
        to + 1 - from
    });
    counts.max().unwrap_or(0)
}

async fn together(base: &Base) {
    let mail = Arc::new(Mutex::new(Vec::new()));
    let seen = mail.clone();
    let receiver =
        Receiver::start(move |delivery| seen.lock().unwrap().push((Instant::now(), delivery.recipient))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // After a kill some are unknown, and a second gate waits until they are settled.
    let url = format!("smtp://{}", receiver.addr());
    let (app, id) = approved(base, folder.path(), MANY, &url, &format!("{RATE}/s")).await;
    let start = |args: &[&str]| program(folder.path(), base, args).spawn().unwrap();

    let worker = || start(&["work"]);
    let mut holder = start(&["campaign", "send", "1", "--wait"]);
    let (mut first, second) = (worker(), worker());
    let reached = |count: u64| mail.lock().unwrap().len() as u64 >= count;
    until("a third of the messages", || reached(MANY / 3)).await;
    first.kill().unwrap();
    first.wait().unwrap();
    let third = worker();
    until("two thirds of the messages", || reached(2 * MANY / 3)).await;
    holder.kill().unwrap();
    holder.wait().unwrap();
    let settled = async || {
        let counts = app.store.counts(id, None).await.unwrap();
        (counts.accepted + counts.unknown == MANY).then_some(counts)
    };
    let started = Instant::now();
    let counts = loop {
        if let Some(counts) = settled().await {
            break counts;
        }
        assert!(started.elapsed() < Duration::from_secs(90), "{:?}", app.store.counts(id, None).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((terminate(second).await, terminate(third).await), (Some(0), Some(0)));

    let (times, recipients): (Vec<Instant>, Vec<String>) = mail.lock().unwrap().iter().cloned().unzip();
    let each: BTreeSet<&String> = recipients.iter().collect();
    assert_eq!(each.len(), recipients.len(), "somebody got it twice");
    assert!(counts.unknown <= 2 * AHEAD_MAX, "{} unknown after two kills", counts.unknown);
    let delivered = recipients.len() as u64;
    assert!(counts.accepted <= delivered && delivered <= MANY, "{counts:?}, {delivered} delivered");
    for seconds in [10.0, 2.0] {
        // A burst is 10 ms worth, of each process.
        let most = 1.02 * RATE as f64 * seconds + 4.0 * (RATE as f64 / 100.0 + 1.0);
        let is = most_within(&times, seconds);
        assert!(is as f64 <= most, "{is} messages in {seconds} s");
    }
    control::verify(&app).await.unwrap();
    let took = times.last().unwrap().duration_since(times[0]);
    eprintln!(
        "{MANY} planned, {} accepted, {} unknown, 0 twice in {took:.1?}; at most {} in 10 s of {}",
        counts.accepted,
        counts.unknown,
        most_within(&times, 10.0),
        10 * RATE
    );
}

#[test]
fn workers_that_die_and_join_send_nothing_twice_and_keep_the_rate() {
    support::on_postgres(together);
}

#[test]
fn a_worker_needs_postgresql() {
    support::on_sqlite(async |base| {
        let world = World::new(base).await;
        let (_stop, stopped) = watch::channel(false);
        let refused = kakitome::app::deliver::work::work(&world.app, stopped).await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
    });
}
