//! A Postfix of the test's own: its daemons from the distribution, a configuration
//! and a queue in a temporary folder, a free port of loopback, and its log in a
//! file. What it takes it hands on to the server that it is given.
//!
//! `reconcile` reads what this one really writes, for messages of a sender that was
//! killed before it knew what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::*;
use kakitome::app::evidence::reconcile;
use kakitome::ledger::State as Message;
use kakitome::store::Filter;

const DAEMONS: &str = "/usr/lib/postfix/sbin";

pub struct Postfix {
    master: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Postfix {
    /// Starts one; `None`, said on stderr, where that cannot be.
    fn start(next: SocketAddr, long_ids: bool) -> Option<Self> {
        let master = Path::new(DAEMONS).join("master");
        let left_out = |why: &str| {
            let _ = writeln!(std::io::stderr(), "Postfix's log left out: {why}");
        };
        if !master.exists() {
            let required = std::env::var("KAKITOME_TEST_REQUIRE").is_ok_and(|value| value.contains("postfix"));
            assert!(!required, "Postfix is required, and there is none in {DAEMONS}");
            left_out("there is no Postfix");
            return None;
        }
        if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
            left_out("only root starts Postfix");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("kt-mx-").tempdir_in("/tmp").unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        configure(folder.path(), port, next, long_ids);
        let mut command = Command::new(master);
        command.arg("-c").arg(folder.path().join("etc")).arg("-d").stdout(Stdio::null()).stderr(Stdio::null());
        let mut master = command.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let log = std::fs::read_to_string(folder.path().join("mail.log")).unwrap_or_default();
            assert!(master.try_wait().unwrap().is_none() && Instant::now() < deadline, "Postfix did not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { master, folder, port })
    }

    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Whoever connects is in its log, which tells whole seconds.
    fn is_spoken_to(&self) {
        std::thread::sleep(Duration::from_secs(1));
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        client.write_all(b"QUIT\r\n").unwrap();
        let _ = std::io::Read::read_to_end(&mut client, &mut Vec::new());
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("mail.log")
    }

    /// Waits until nobody talks to it, and it has tried everything that it took.
    async fn quiet(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut before = 0;
        loop {
            let log = std::fs::read_to_string(self.log()).unwrap();
            let count = |what: &str| log.matches(what).count();
            let ids = |what: &str| -> BTreeSet<&str> {
                let lines = log.lines().filter(|line| line.contains(what));
                lines.filter_map(|line| line.split("]: ").nth(1)?.split(':').next()).collect()
            };
            let talks = count(": connect from") > count(": disconnect from");
            let waits = ids("(queue active)").difference(&ids(", status=")).count();
            if !talks && waits == 0 && before == log.len() {
                return;
            }
            assert!(Instant::now() < deadline, "{waits} messages wait in Postfix");
            before = log.len();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // As `postfix stop`: the master ends its daemons.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}

const MAIN: &str = "
compatibility_level = 3.6
queue_directory = FOLDER/queue
data_directory = FOLDER/data
daemon_directory = DAEMONS
command_directory = /usr/sbin
maillog_file = FOLDER/mail.log
maillog_file_prefixes = FOLDER
enable_long_queue_ids = LONG
myhostname = mx.registrar.example
mydestination =
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_event_limit_exceptions = static:all
default_transport = smtp:NEXT
relay_transport = smtp:NEXT
smtp_dns_support_level = disabled
notify_classes =
alias_maps =
alias_database =
";

const MASTER: &str = "
127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
";

fn configure(folder: &Path, port: u16, next: SocketAddr, long_ids: bool) {
    let fill = |text: &str| {
        text.replace("FOLDER", &folder.display().to_string())
            .replace("DAEMONS", DAEMONS)
            .replace("LONG", if long_ids { "yes" } else { "no" })
            .replace("NEXT", &format!("[{}]:{}", next.ip(), next.port()))
            .replace("PORT", &port.to_string())
    };
    // Its daemons run as another user, and pass through here.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir_all(folder.join("etc")).unwrap();
    std::fs::write(folder.join("etc/main.cf"), fill(MAIN)).unwrap();
    std::fs::write(folder.join("etc/master.cf"), fill(MASTER)).unwrap();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find_map(|line| line.strip_prefix("postfix:x:")?.split(':').next()?.parse().ok());
    let make = |name: &str, mode: u32| {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    make("queue", 0o755);
    make("queue/pid", 0o755);
    make("data", 0o700);
    for name in
        ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"]
    {
        make(&format!("queue/{name}"), 0o700);
    }
    make("queue/public", 0o710);
    for entry in std::fs::read_dir(folder.join("queue")).unwrap().flatten() {
        let owner = if entry.file_name() == "pid" { Some(0) } else { user };
        chown(entry.path(), owner, None).unwrap();
    }
    chown(folder.join("data"), user, None).unwrap();
}

/// A next server that takes half, refuses a quarter and defers a quarter.
fn mixed(recipient: &str, _asked: usize) -> Option<&'static str> {
    match recipient.bytes().map(usize::from).sum::<usize>() % 4 {
        0 => Some("550 5.1.1 nobody here"),
        1 => Some("450 4.2.1 not now"),
        _ => None,
    }
}

/// What the log must say of a recipient, by what the next server was asked.
fn truth(asked: &BTreeMap<String, usize>, recipient: &str) -> Message {
    match mixed(recipient, 1) {
        _ if !asked.contains_key(recipient) => Message::Unknown,
        Some(refusal) if refusal.starts_with('5') => Message::Rejected,
        // What is deferred is in Postfix's queue, and Postfix's to deliver.
        _ => Message::Accepted,
    }
}

const MANY: u64 = 300;

async fn settled_by_its_log(base: &Base) {
    let next = server::Moody::in_mood(mixed);
    // PostgreSQL's run has the other form of queue IDs.
    let Some(mx) = Postfix::start(next.addr(), !base.is_sqlite()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (app, id) = approved(base, folder.path(), MANY, &mx.url(), "60/s").await;
    let mut sender = program(folder.path(), base, &["campaign", "send", "1", "--wait"]).spawn().unwrap();
    let arrived = || next.asked().len();
    until("the first messages", || arrived() >= 30).await;
    // What arrives from here on cannot be recorded.
    let held = base.hold().await;
    let few = arrived() + 30;
    until("the next messages", || arrived() >= few).await;
    sender.kill().unwrap();
    sender.wait().unwrap();
    drop(held);
    mx.quiet().await;

    let asked = next.asked();
    let address = |account: &AccountId| {
        let all = (0..MANY).map(|n| kakitome::demo::people::customer(n, MANY, 7));
        all.into_iter().find(|customer| customer.member_id == account.as_str()).unwrap().email
    };
    let logs = [mx.log()];
    let done = reconcile::reconcile(&app, &logs, None, None, "operator").await.unwrap();
    let settled = &done.campaigns[0];
    let mut is = BTreeMap::<Message, u64>::new();
    for state in [Message::Accepted, Message::Rejected, Message::Unknown] {
        for row in app.store.messages(id, Filter { state: Some(state), stage: None }, -1, 1_000).await.unwrap() {
            let said_ok = row.reply.as_ref().is_some_and(|reply| reply.code == 250);
            if !said_ok {
                *is.entry(state).or_default() += 1;
                assert_eq!(truth(&asked, &address(&row.account)), state, "account {}", row.account);
            }
        }
    }
    let told = [settled.accepted, settled.rejected, settled.unknown];
    assert_eq!(told, [is[&Message::Accepted], is[&Message::Rejected], is[&Message::Unknown]]);
    assert_eq!(settled.suppressed, settled.rejected, "each of those servers said that there is nobody");
    assert!(asked.keys().any(|to| mixed(to, 1).is_some_and(|refusal| refusal.starts_with('4'))), "none was deferred");
    assert_eq!(done.unseen, settled.unknown);

    // The log must reach beyond the moment at which they became unknown.
    let early = reconcile::reconcile(&app, &logs, None, Some(done.unseen), "operator").await.unwrap_err();
    assert!(early.to_string().contains("that it does not show may have come from"), "{early}");
    mx.is_spoken_to();
    mx.quiet().await;
    let retried = reconcile::reconcile(&app, &logs, None, Some(done.unseen), "operator").await.unwrap();
    assert_eq!((retried.campaigns[0].retry, retried.campaigns[0].unknown), (done.unseen, 0));
    let (_stop, stopped) = watch::channel(false);
    let sent = send::send(&app, id, true, stopped).await.unwrap();
    assert_eq!((sent.accepted + sent.rejected, sent.rejected), (MANY, settled.rejected), "{:?}", sent.why);
    mx.quiet().await;
    let asked: BTreeMap<String, usize> = next.asked().into_iter().filter(|(to, _)| !to.starts_with("news@")).collect();
    assert_eq!(asked.len() as u64, MANY, "somebody's message was lost");
    assert!(asked.values().all(|count| *count == 1), "somebody's message came twice");
    control::verify(&app).await.unwrap();
    eprintln!(
        "Postfix's log: {} delivered or queued, {} bounced, {} never came, all as it was",
        told[0], told[1], told[2]
    );
}

both! {
    async fn what_a_killed_sender_left_is_settled_by_the_log_of_a_real_postfix(base: &Base) {
        settled_by_its_log(base).await;
    }
}
