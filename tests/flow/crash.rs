//! The built program, killed while it sends: nothing twice, nothing lost, and
//! few of which nobody knows. `ops/crash-test N` kills it N times.

use super::*;

/// How far claims may run ahead with 8 connections and no slow rate.
const AHEAD_MAX: u64 = 128;

/// Kills a sending process `kills` times at random moments, restarts it to the
/// end, and counts at the other side.
async fn killed(kills: u64) {
    let mail = Arc::new(Mutex::new(Vec::new()));
    let seen = mail.clone();
    let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery.recipient)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let accounts = 300 + 220 * kills;
    let base = Base::file_at(&folder.path().join("kakitome.db"));
    let url = format!("smtp://{}", receiver.addr());
    let (app, id) = approved(&base, folder.path(), accounts, &url, "100000/s").await;
    let send = || program(folder.path(), &base, &["campaign", "send", "1", "--wait"]).spawn().unwrap();
    // What the process before had claimed when it was killed, and what became of it.
    let (mut claimed, mut unknown, mut most, mut free) = (0, 0, 0, 0);
    let mut recovered = |counts: Counts| {
        let lost = counts.unknown - unknown;
        assert!(lost <= claimed, "{lost} unknown of {claimed} claimed");
        (unknown, most, free) = (counts.unknown, most.max(lost), free + claimed - lost);
        claimed = counts.claimed;
        (most, free)
    };
    let mut under_fire = 0;
    for _ in 0..kills {
        let before = mail.lock().unwrap().len();
        let mut process = send();
        // At its first messages or when outcomes are being recorded, or at its end: then
        // there is nothing to kill.
        let few = before + fastrand::usize(1..200);
        until("the next messages", || mail.lock().unwrap().len() >= few || process.try_wait().unwrap().is_some()).await;
        process.kill().unwrap();
        process.wait().unwrap();
        let counts = app.store.counts(id, None).await.unwrap();
        assert!(counts.claimed <= AHEAD_MAX, "{} claimed", counts.claimed);
        under_fire += u64::from(counts.claimed > 0);
        recovered(counts);
    }
    assert!(under_fire > 0, "no kill met a message on its way");
    let last = send().wait().unwrap();
    assert_eq!(last.code(), Some(i32::from(Exit::Incomplete.code())));
    let counts = app.store.counts(id, None).await.unwrap();
    assert_eq!(counts.accepted + counts.unknown, accounts);
    let (most, free) = recovered(counts);
    let mut delivered: BTreeMap<String, usize> = BTreeMap::new();
    for recipient in mail.lock().unwrap().iter() {
        *delivered.entry(recipient.clone()).or_default() += 1;
    }
    assert!(delivered.values().all(|count| *count == 1), "somebody got it twice");
    let delivered = delivered.len() as u64;
    assert!(counts.accepted <= delivered && delivered <= counts.accepted + counts.unknown);
    control::verify(&app).await.unwrap();
    eprintln!(
        "{kills} kills, {under_fire} of them with messages on their way: {accounts} planned, {} accepted, {} unknown \
         ({most} at most of one kill), {free} claimed and not begun, 0 twice",
        counts.accepted, counts.unknown
    );
}

#[test]
fn a_killed_process_sends_nothing_twice_and_loses_nothing() {
    let kills = std::env::var("KAKITOME_TEST_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(5);
    support::runtime().block_on(killed(kills));
}
