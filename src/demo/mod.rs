//! The whole story on one machine: a made-up registrar, its newsletter from
//! export to delivery, and then the accident of 2014, held.
//!
//! Everything lies in one folder; mail goes to a receiver inside the process
//! (or, with `--smtp`, to a server on loopback). What was delivered is counted
//! by the receiver, and each message is matched to its account by a reader that
//! shares no code with the renderer or the guard ([`reader`]).

pub mod generate;
pub mod people;
pub mod reader;
pub mod receiver;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

use crate::app::campaign::preview::Choice;
use crate::app::campaign::{approve, check, control, freeze, preview};
use crate::app::deliver::send;
use crate::app::directory::import;
use crate::app::{App, key, private};
use crate::campaign::State;
use crate::cli::Demo;
use crate::config::Config;
use crate::error::{Error, Exit, Result};
use crate::guard::drill::Drill;
use crate::report::number as count;
use crate::telemetry::Metrics;
use reader::Ownership;
use receiver::Receiver;

/// Marks a folder as one that a demo made, and so may be made anew.
const MARK: &str = ".kakitome-demo";

/// What the demo prints at its end with `--json`.
#[derive(Debug, Serialize)]
pub struct Story {
    accounts: u64,
    cleared: u64,
    delivered: u64,
    distinct_recipients: u64,
    mismatched: u64,
    /// Whether our own receiver counted; otherwise the server's 250s did.
    counted_by_receiver: bool,
    drill: Drill,
    accident: Accident,
    export_refused: bool,
    ledger_entries: u64,
    seconds: Seconds,
}

#[derive(Debug, Serialize)]
struct Accident {
    planned: u64,
    held: u64,
    delivered: u64,
}

#[derive(Debug, Default, Serialize)]
struct Seconds {
    generate: f64,
    import: f64,
    check: f64,
    send: f64,
    accident: f64,
    total: f64,
}

impl Story {
    /// Anything but the promised end is a failure of the program.
    pub fn exit(&self) -> Exit {
        let kept = self.delivered == self.cleared
            && self.distinct_recipients == self.delivered
            && self.mismatched == 0
            && self.accident.delivered == 0
            && self.accident.held == self.accident.planned
            && self.export_refused;
        if kept { Exit::Done } else { Exit::Unexpected }
    }

    /// As people read it; `out` is the folder that it is left in.
    pub fn text(&self, out: &Path) -> String {
        let arrived = if self.counted_by_receiver {
            format!(
                "{} of {} cleared newsletters arrived, each at its own account ({} mismatched).",
                count(self.delivered),
                count(self.cleared),
                self.mismatched
            )
        } else {
            format!(
                "{} of {} cleared newsletters were accepted by the server; count there what arrived.",
                count(self.delivered),
                count(self.cleared)
            )
        };
        let accident = format!(
            "The accident: {} planned, {} held, {} delivered. The shifted export: {}.",
            count(self.accident.planned),
            count(self.accident.held),
            count(self.accident.delivered),
            if self.export_refused { "refused" } else { "TAKEN" }
        );
        let drill = format!(
            "Drill: {} swapped messages, {} held, {} showed nothing identifying.",
            self.drill.swapped, self.drill.held, self.drill.vacuous
        );
        let at = |name: &str| out.join(name).display().to_string();
        let ends = [
            ("Previews", at("preview/index.html")),
            ("Check", at("check.html")),
            ("Report", at("report.html")),
            ("Accident", at("accident.html")),
            ("Ledger", format!("{} ({} entries, proven)", at("kakitome.db"), self.ledger_entries)),
            ("Go on there", format!("cd {} && kakitome campaign list", out.display())),
            ("Took", format!("{:.1} s", self.seconds.total)),
        ];
        let ends = ends.map(|(name, value)| format!("{name:<12} {value}")).join("\n");
        format!("\n{arrived}\n{accident}\n{drill}\n{ends}")
    }
}

/// Who is told, line by line, how far the story is.
pub type Say<'a> = &'a dyn Fn(&str);

/// Plays the story.
///
/// # Errors
/// The folder cannot be used, or a step of the story fails.
pub async fn run(args: &Demo, metrics: Metrics, say: Say<'_>) -> Result<Story> {
    let started = Instant::now();
    make_folder(&args.out)?;
    let mut seconds = Seconds::default();
    say(&format!("a registrar with {} accounts (seed {}) in {}/", count(args.accounts), args.seed, args.out.display()));
    let clock = Instant::now();
    let files = generate::registrar(&args.out, args.accounts, args.seed)?;
    seconds.generate = clock.elapsed().as_secs_f64();

    let mail = Mail::start(args, &files.directory)?;
    let config = configure(&args.out, &mail.url)?;
    let app = App::open(config, metrics).await?;
    let newsletter = newsletter(&app, args, &files, &mail, &mut seconds, say).await?;
    let seen = mail.take(newsletter.accepted);

    let clock = Instant::now();
    let accident = accident(&app, args, &files, &mail, say).await?;
    let export_refused = shifted_export(&app, &files, say).await?;
    seconds.accident = clock.elapsed().as_secs_f64();
    let ledger_entries = control::verify(&app).await?.entries;
    seconds.total = started.elapsed().as_secs_f64();

    Ok(Story {
        accounts: args.accounts,
        cleared: newsletter.cleared,
        delivered: seen.delivered,
        distinct_recipients: if args.smtp.is_some() { seen.delivered } else { seen.recipients.len() as u64 },
        mismatched: seen.mismatched,
        counted_by_receiver: args.smtp.is_none(),
        drill: newsletter.drill,
        accident,
        export_refused,
        ledger_entries,
        seconds,
    })
}

fn make_folder(out: &Path) -> Result<()> {
    let fail = |e: std::io::Error| Error::usage(format!("cannot use the folder {}", out.display())).why(e);
    if out.exists() {
        if !out.join(MARK).exists() {
            return Err(Error::usage(format!("{} exists and was not made by a demo", out.display()))
                .now("name another folder with --out"));
        }
        std::fs::remove_dir_all(out).map_err(fail)?;
    }
    std::fs::create_dir_all(out).and_then(|()| std::fs::write(out.join(MARK), "")).map_err(fail)
}

fn configure(out: &Path, url: &str) -> Result<Config> {
    let path = out.join(crate::config::FILE);
    std::fs::write(&path, generate::config(url))
        .map_err(|e| Error::usage("cannot write the demo's configuration").why(e))?;
    key::write(&out.join("kakitome.key"))?;
    Config::load(&path)
}

/// Where the demo's mail goes, and what arrived there.
struct Mail {
    url: String,
    seen: Option<(Receiver, Arc<Mutex<Seen>>)>,
}

/// What the receiver counted.
#[derive(Default)]
struct Seen {
    delivered: u64,
    recipients: HashSet<String>,
    mismatched: u64,
}

impl Mail {
    fn start(args: &Demo, export: &Path) -> Result<Self> {
        if let Some(url) = &args.smtp {
            if !is_loopback(url) {
                return Err(
                    Error::usage("--smtp must name a server on loopback").why("the demo's addresses are made up")
                );
            }
            return Ok(Self { url: url.clone(), seen: None });
        }
        let owned = Ownership::read(export)?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let count = seen.clone();
        let receiver = Receiver::start(move |delivery| {
            let mismatched = owned.mismatch(&delivery).is_some();
            let mut seen = count.lock().unwrap_or_else(PoisonError::into_inner);
            seen.delivered += 1;
            seen.mismatched += u64::from(mismatched);
            seen.recipients.insert(delivery.recipient);
        })
        .map_err(|e| Error::unexpected("cannot open a loopback port").cause(&e))?;
        Ok(Self { url: format!("smtp://{}", receiver.addr()), seen: Some((receiver, seen)) })
    }

    /// What arrived since the last time this was asked. Without a receiver of
    /// our own: what the server accepted.
    fn take(&self, accepted: u64) -> Seen {
        match &self.seen {
            Some((_, seen)) => std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Seen { delivered: accepted, ..Seen::default() },
        }
    }
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

/// What became of the newsletter.
struct Newsletter {
    cleared: u64,
    accepted: u64,
    drill: Drill,
}

async fn newsletter(
    app: &App,
    args: &Demo,
    files: &generate::Files,
    mail: &Mail,
    seconds: &mut Seconds,
    say: Say<'_>,
) -> Result<Newsletter> {
    let imported = import::import(app, &files.directory, &import::Accepted::default()).await?;
    seconds.import = imported.seconds;
    say(&format!(
        "imported {} accounts with {} identifiers in {:.1} s",
        count(imported.accounts),
        count(imported.identifiers),
        imported.seconds
    ));
    let frozen = freeze::freeze(app, &files.campaign, "demo author").await?;
    let previews = preview::preview(app, frozen.campaign, Choice::Edge(12), &args.out.join("preview")).await?;
    say(&format!("froze campaign {}, wrote {} previews", frozen.campaign, previews.messages.len()));
    let found = check::check(app, frozen.campaign).await?;
    seconds.check = found.seconds;
    private::write(&args.out.join("check.html"), check::page(app, &found).await?.as_bytes())?;
    say(&format!(
        "checked: {} cleared, {} held, {} messages/s; drill {} of {} held, {} showed nothing identifying",
        count(found.cleared),
        count(found.held),
        count(found.messages_per_second as u64),
        found.drill.held,
        found.drill.swapped,
        found.drill.vacuous
    ));
    approve::approve(app, frozen.campaign, "demo reviewer").await?;
    let sent = send_all(app, frozen.campaign).await?;
    seconds.send = sent.seconds;
    say(&format!(
        "sent through {}: {} accepted, {:.0} messages/s",
        stages(&frozen),
        count(sent.accepted),
        sent.accepted as f64 / sent.seconds.max(1e-9)
    ));
    let told = control::report(app, frozen.campaign).await?;
    private::write(&args.out.join("report.html"), told.page().as_bytes())?;
    if sent.state != State::Finished {
        return Err(Error::unexpected("the demo's newsletter did not finish")
            .why(sent.why.unwrap_or_default())
            .now(format!("is {} reachable?", mail.url)));
    }
    Ok(Newsletter { cleared: found.cleared, accepted: sent.accepted, drill: found.drill })
}

fn stages(frozen: &freeze::Frozen) -> String {
    frozen.stages.iter().map(|(name, n)| format!("{name} {}", count(*n))).collect::<Vec<_>>().join(" → ")
}

/// Sends to the end; the demo is not interrupted from within.
async fn send_all(app: &App, id: i64) -> Result<send::SendReport> {
    let (_stop, stopped) = watch::channel(false);
    send::send(app, id, true, stopped).await
}

/// The newsletter of 2014: the template takes ID, name and domains from the
/// audience file, whose join is one row off. Every gate but the guard's is open.
async fn accident(app: &App, args: &Demo, files: &generate::Files, mail: &Mail, say: Say<'_>) -> Result<Accident> {
    let frozen = freeze::freeze(app, &files.accident, "demo author").await?;
    let found = check::check(app, frozen.campaign).await?;
    private::write(&args.out.join("accident.html"), check::page(app, &found).await?.as_bytes())?;
    say(&format!(
        "the accident of 2014, {} messages: {} held, {} cleared",
        count(found.planned),
        count(found.held),
        count(found.cleared)
    ));
    // The operator sends it all the same: each step is tried, none may lead out.
    if let Err(refused) = approve::approve(app, frozen.campaign, "demo reviewer").await {
        say(&format!("its approval is refused: {}", first_line(&refused)));
    }
    let mut accepted = 0;
    match send_all(app, frozen.campaign).await {
        Ok(sent) => {
            accepted = sent.accepted;
            say(&format!(
                "its campaign ends ({}) with {} of {} held and {} accepted by the server",
                sent.state.as_str(),
                count(sent.held),
                count(found.planned),
                sent.accepted
            ));
        }
        Err(refused) => say(&format!("its sending is refused: {}", first_line(&refused))),
    }
    Ok(Accident { planned: found.planned, held: found.held, delivered: mail.take(accepted).delivered })
}

fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// The same shift in a new export of the whole directory.
async fn shifted_export(app: &App, files: &generate::Files, say: Say<'_>) -> Result<bool> {
    match import::import(app, &files.shifted_directory, &import::Accepted::default()).await {
        Ok(_) => Ok(false),
        Err(refused) => {
            say(&format!("a shifted export is refused: {}", first_line(&refused)));
            Ok(true)
        }
    }
}
