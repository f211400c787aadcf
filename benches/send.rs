//! The sender alone: cleared newsletters, made before the clock starts, handed to
//! a mail server as fast as it takes them. Nothing is stored.
//!
//! `cargo bench --bench send -- URL [MESSAGES] [CONNECTIONS]`; the server is named,
//! because this sends to whatever it is given. One line of JSON comes out:
//! messages, seconds, messages a second, and the process's own processor time a
//! message. `-- files FOLDER ACCOUNTS` writes the same registrar's files there, to
//! be sent by the program itself; `ops/bench-smtp` does both, beside other senders.

#[path = "support/registrar.rs"]
mod registrar;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kakitome::config::Config;
use kakitome::demo::generate;
use kakitome::guard::{Cleared, Guard};
use kakitome::key::Keys;
use kakitome::ledger::{Claim, State};
use kakitome::send::{self, Ended, Pace, Permission, Relays, Ticket};
use tokio::sync::{mpsc, watch};

use registrar::{directory, recipient, renderer, terms};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let first = args.next();
    if first.as_deref() == Some("files") {
        let folder = args.next().expect("a folder");
        return files(Path::new(&folder), args.next().and_then(|count| count.parse().ok()).expect("a number"));
    }
    let url = first.expect("cargo bench --bench send -- smtp://127.0.0.1:PORT [MESSAGES] [CONNECTIONS]");
    let mut number = |otherwise| args.next().map_or(otherwise, |arg| arg.parse().expect("a number"));
    let (messages, connections) = (number(20_000), number(8));
    let config = Config::parse(&generate::config(&url), Path::new(""), std::iter::empty()).expect("a configuration");
    let cleared = cleared(&config, messages);
    let bytes: usize = cleared.iter().map(|message| message.bytes().len()).sum();
    let mut smtp = config.smtp;
    smtp.connections = connections as usize;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (started, used) = (Instant::now(), processor());
    let accepted = runtime.block_on(hand_over(Relays::new(&smtp).expect("a relay"), Pace::new(&smtp, &[]), cleared));
    let (seconds, used) = (started.elapsed().as_secs_f64(), processor() - used);
    assert_eq!(accepted, messages, "the server did not take all of them");
    println!(
        r#"{{"messages":{messages},"bytes":{},"seconds":{seconds:.3},"per_second":{:.0},"cpu_us":{:.1}}}"#,
        bytes as u64 / messages,
        messages as f64 / seconds,
        used * 1e6 / messages as f64
    );
}

/// Everything that an installation needs to import, check and send.
fn files(folder: &Path, accounts: u64) {
    std::fs::create_dir_all(folder).expect("a folder");
    generate::registrar(folder, accounts, 1).expect("the registrar's files");
    std::fs::write(folder.join("kakitome.toml"), generate::config("smtp://127.0.0.1:25")).expect("a file");
    kakitome::app::key::write(&folder.join("kakitome.key")).expect("a key file");
}

/// Sends them all; how many were accepted.
async fn hand_over(relays: Relays, pace: Pace, cleared: Vec<Cleared>) -> u64 {
    let (tickets, queue) = mpsc::channel(128);
    let (done, mut ended) = mpsc::channel(256);
    let (_stop, stopped) = watch::channel(false);
    let sending =
        tokio::spawn(send::run(relays, pace, queue, done, stopped.clone(), stopped, Permission::new(|| true)));
    tokio::spawn(async move {
        for cleared in cleared {
            let (account, digest) = (cleared.account().clone(), [0; 32]);
            let claim = Claim { campaign: 1, account, digest, attempt: 1 };
            if tickets.send(Ticket { cleared, claim, withdrawn: Arc::default() }).await.is_err() {
                return;
            }
        }
    });
    let mut accepted = 0;
    while let Some(ended) = ended.recv().await {
        accepted += u64::from(matches!(ended, Ended::Attempted(one) if one.outcome.state() == State::Accepted));
    }
    let summary = sending.await.expect("the sender");
    assert_eq!(summary.error, None);
    accepted
}

/// Newsletters of a made-up registrar, judged.
fn cleared(config: &Config, messages: u64) -> Vec<Cleared> {
    let keys = Keys::new(&[1; 32]);
    let (records, index) = directory(messages, &config.directory, &keys);
    let (renderer, literal) = renderer(keys.clone());
    let terms = terms(&literal);
    let guard = Guard::new(config.directory.clone(), keys, index).expect("a guard");
    let judge = guard.judge(&terms).expect("a judge");
    let clear = |record: kakitome::account::Record| {
        let rendered = renderer.render(recipient(record.clone()), 0).expect("a message");
        judge.clear(rendered, Some(&record)).expect("a cleared message")
    };
    records.into_iter().map(clear).collect()
}

/// Seconds that all threads of this process have run.
fn processor() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let spent = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    spent.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e9
}
