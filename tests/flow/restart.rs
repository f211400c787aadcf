//! PostgreSQL that crashes and starts again, or cuts every connection, while
//! messages are on their way: nothing twice, nothing lost, and who cannot go on says
//! what to do.

use std::process::{Child, Stdio};

use super::*;
use sqlx::Connection;
use support::postgres::{self, Server};

/// Messages a second.
const RATE: u64 = 150;
const MANY: u64 = 1_200;

/// What is done to the server, in turn.
async fn disturb(server: &Server, n: usize) {
    if n.is_multiple_of(2) { server.cut().await } else { server.crash() }
}

struct Place {
    folder: tempfile::TempDir,
    base: Base,
    mail: Arc<Mutex<Vec<String>>>,
    url: String,
    id: i64,
    _receiver: Receiver,
}

impl Place {
    async fn new(server: &Server) -> Self {
        let mail = Arc::new(Mutex::new(Vec::new()));
        let seen = mail.clone();
        let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery.recipient)).unwrap();
        let url = format!("smtp://{}", receiver.addr());
        let folder = tempfile::tempdir().unwrap();
        let base = Base::server_at(server.database().await);
        let (app, id) = approved(&base, folder.path(), MANY, &url, &format!("{RATE}/s")).await;
        app.store.close().await;
        Self { folder, base, mail, url, id, _receiver: receiver }
    }

    fn start(&self, args: &[&str]) -> Child {
        program(self.folder.path(), &self.base, args).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn arrived(&self) -> usize {
        self.mail.lock().unwrap().len()
    }

    async fn app(&self) -> App {
        open(&self.base, self.folder.path(), &generate::config(&self.url)).await
    }

    /// Counts at both sides.
    async fn add_up(&self, what: &str) {
        let app = self.app().await;
        let counts = app.store.counts(self.id, None).await.unwrap();
        assert_eq!(counts.accepted + counts.unknown, MANY, "{counts:?}");
        let each: BTreeSet<String> = self.mail.lock().unwrap().iter().cloned().collect();
        assert_eq!(each.len(), self.arrived(), "somebody got it twice");
        let delivered = each.len() as u64;
        assert!(counts.accepted <= delivered && delivered <= MANY, "{counts:?}, {delivered} delivered");
        control::verify(&app).await.unwrap();
        app.store.close().await;
        eprintln!("{what}: {MANY} planned, {} accepted, {} unknown, 0 twice", counts.accepted, counts.unknown);
    }
}

/// One process, begun again whenever it ended.
async fn sent_by_one(server: &Server) {
    let place = Place::new(server).await;
    let send = || place.start(&["campaign", "send", "1", "--wait"]);
    let (mut process, mut ends) = (send(), 0);
    for n in 0..6 {
        let few = place.arrived() + fastrand::usize(1..60);
        loop {
            if place.arrived() >= few {
                break;
            }
            if let Some(status) = process.try_wait().unwrap() {
                let told = std::io::read_to_string(process.stderr.take().unwrap()).unwrap();
                assert_eq!(status.code(), Some(1), "{told}");
                assert!(told.contains("\n  now: "), "no advice: {told}");
                (process, ends) = (send(), ends + 1);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        disturb(server, n).await;
    }
    let last = loop {
        let ended = tokio::task::spawn_blocking(move || process.wait_with_output().unwrap()).await.unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        match ended.status.code() {
            Some(1) => assert!(told.contains("\n  now: "), "no advice: {told}"),
            code => break (code, told),
        }
        (process, ends) = (send(), ends + 1);
    };
    assert!([Exit::Done, Exit::Incomplete].map(|exit| Some(i32::from(exit.code()))).contains(&last.0), "{last:?}");
    place.add_up(&format!("the server disturbed 6 times, begun again {ends} times")).await;
}

/// Workers go on by themselves.
async fn sent_by_workers(server: &Server) {
    let place = Place::new(server).await;
    let mut workers =
        vec![place.start(&["campaign", "send", "1", "--wait"]), place.start(&["work"]), place.start(&["work"])];
    for n in 0..3 {
        let few = place.arrived() + fastrand::usize(20..120);
        let started = Instant::now();
        while place.arrived() < few {
            assert!(started.elapsed() < Duration::from_secs(90), "nobody went on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        disturb(server, n).await;
    }
    let app = place.app().await;
    let started = Instant::now();
    loop {
        let counts = app.store.counts(place.id, None).await.unwrap();
        if counts.accepted + counts.unknown == MANY {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{counts:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    app.store.close().await;
    for worker in &mut workers[1..] {
        assert!(worker.try_wait().unwrap().is_none(), "a worker gave up");
    }
    for mut worker in workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    place.add_up("the server disturbed 3 times under three processes").await;
}

#[test]
fn a_server_that_crashes_or_hangs_up_costs_no_message_and_sends_none_twice() {
    let Some(server) = postgres::of_ones_own() else { return };
    support::runtime().block_on(sent_by_one(&server));
}

#[test]
fn workers_go_on_when_their_server_is_back() {
    let Some(server) = postgres::of_ones_own() else { return };
    support::runtime().block_on(sent_by_workers(&server));
}

/// The server's default is `synchronous_commit = off`: what it has told would be
/// written some time later, and a claim among it be forgotten by a crash.
#[test]
fn what_is_told_is_on_the_servers_disk_whatever_its_default_says() {
    const WRITTEN: &str = "select pg_current_wal_flush_lsn() = pg_current_wal_insert_lsn()";
    let Some(server) = postgres::of_ones_own() else { return };
    support::runtime().block_on(async {
        let base = Base::server_at(server.database().await);
        let world = World::new(&base).await;
        let mut outside = sqlx::PgConnection::connect(&base.url).await.unwrap();
        for n in 0..5 {
            suppress::add(&world.app, &[format!("user{n}@customer.example")], "asked").await.unwrap();
            assert!(
                sqlx::query_scalar::<_, bool>(WRITTEN).fetch_one(&mut outside).await.unwrap(),
                "it may be forgotten"
            );
        }
    });
}
