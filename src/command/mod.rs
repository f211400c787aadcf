//! Runs one parsed command: opens what it needs, calls the pipeline, prints the
//! result to stdout (text, or one JSON object), and says how it ended.

mod checked;
mod examined;
mod help;
mod imported;
mod out;
mod print;
mod settled;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::campaign::preview::Choice;
use crate::app::campaign::{approve, check, control, freeze, preview, unreached};
use crate::app::deliver::{send, work};
use crate::app::directory::{calibrate, columns, import, suppress};
use crate::app::evidence::resolve::Which;
use crate::app::evidence::{lookup, reconcile, resolve};
use crate::app::{App, doctor, filter, init, key, private};
use crate::cli::{
    Campaign, Cli, Command, Demo, Directory, Guard, GuardCheck, Key, LogFormat, Settle, SettleAs, Suppress,
};
use crate::config::Config;
use crate::error::{Error, Exit, Result};
use crate::guard::Rule;
use crate::ledger::State;
use crate::telemetry::{self, Format, Metrics};
use crate::{console, demo, progress};
use out::talk;
use print::Printer;

/// Who freezes a campaign, or decides about one, where neither the environment nor the command
/// names somebody.
const OPERATOR: &str = "operator";
/// What is said when sending is interrupted.
const DRAINING: &str = "stopping: messages under way are finished, nothing new begins (again to stop at once; what is begun then becomes unknown)";
/// What is said when they do not come to an end.
const CUT_OFF: &str =
    "stopped: messages that were begun and not recorded become unknown with the next `kakitome campaign send`";
/// How long the store may take to write down what became of messages under way.
const RECORDED: Duration = Duration::from_secs(10);
/// How long requests under way may take to be answered.
const ANSWERED: Duration = Duration::from_secs(60);

/// Runs a command to its end.
///
/// # Errors
/// Whatever the command met, ready to be shown.
pub fn run(cli: Cli) -> Result<Exit> {
    // Help needs nothing that may be missing.
    if let Command::Help { topic } = &cli.command {
        return help::print(topic);
    }
    let format = match cli.common.log_format {
        LogFormat::Human => Format::Human,
        LogFormat::Json => {
            progress::leave_to_log();
            Format::Json
        }
    };
    telemetry::init(format, Some(&cli.common.log))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::unexpected("cannot start").cause(&e))?;
    runtime.block_on(dispatch(cli))
}

/// Prints a failure: text to stderr, and with `--json` an object to stdout too.
pub fn print_error(error: &Error, json: bool) {
    talk(&format!("kakitome: {error}"));
    if json {
        print_error_object(error);
    }
}

/// Prints a failure as one JSON object to stdout.
pub fn print_error_object(error: &Error) {
    let object = serde_json::json!({
        "error": error.what(),
        "why": error.reason(),
        "now": error.advice(),
        "exit": error.exit().code(),
    });
    // It has failed already, and says so on stderr.
    Printer::new(true).object(&object);
}

async fn dispatch(cli: Cli) -> Result<Exit> {
    let metrics = Metrics::new()?;
    if let Some(address) = &cli.common.metrics {
        let bound = console::serve_metrics(address, metrics.clone()).await?;
        talk(&format!("metrics: http://{}/metrics", bound.address()));
    }
    let print = Printer::new(cli.common.json);
    let exit = match cli.command {
        Command::Init { folder } => {
            print.initialised(&init::init(&folder)?);
            Ok(Exit::Done)
        }
        Command::Key(Key::New { file }) => {
            print.key_made(&key::make(file, &cli.common.config)?);
            Ok(Exit::Done)
        }
        Command::Directory(Directory::Columns { file }) => {
            print.columns(&columns::columns(&file)?);
            Ok(Exit::Done)
        }
        Command::Demo(args) => demonstrate(&args, metrics, &print).await,
        Command::Doctor(args) => {
            let done = doctor::doctor(&Config::load(&cli.common.config)?, &args).await?;
            print.examined(&done);
            Ok(done.exit())
        }
        command => {
            let config = Config::load(&cli.common.config)?;
            let stop = listened(&command, config.smtp.drain.0);
            let app = match command {
                Command::Verify | Command::Serve(_) | Command::Work | Command::Whose { .. } => {
                    App::open_existing(config, metrics).await?
                }
                _ => App::open(config, metrics).await?,
            };
            with_app(&app, command, stop, &print).await
        }
    }?;
    print.finish()?;
    Ok(exit)
}

async fn demonstrate(args: &Demo, metrics: Metrics, print: &Printer) -> Result<Exit> {
    if cfg!(debug_assertions) {
        talk("note: this is a debug build, many times slower than a release build: cargo run --release -- demo");
    }
    let story = demo::run(args, metrics, &|line| print.say(line)).await?;
    print.story(&story, &args.out);
    Ok(story.exit())
}

async fn with_app(app: &App, command: Command, stop: watch::Receiver<bool>, print: &Printer) -> Result<Exit> {
    match command {
        Command::Directory(command) => directory(app, command, print).await,
        Command::Campaign(command) => campaign(app, command, stop, print).await,
        Command::Suppress(command) => suppression(app, command, print).await,
        Command::Guard(Guard::Check(args)) => guard_check(app, &args, print).await,
        Command::Reconcile(args) => {
            let by = decider(args.by);
            let done = reconcile::reconcile(app, &args.logs, args.campaign, args.retry_unseen, &by).await?;
            print.reconciled(&done);
            let left = done.campaigns.iter().any(|campaign| campaign.unknown > 0);
            Ok(if left { Exit::Incomplete } else { Exit::Done })
        }
        Command::Serve(args) => serve(app, &args.listen, stop).await,
        Command::Work => {
            work::work(app, stop).await?;
            Ok(Exit::Done)
        }
        Command::Whose { addresses } => {
            let (found, wrong) = lookup::lookup(app, &addresses).await?;
            if !found.is_empty() {
                print.whose(&found);
            }
            wrong.map_or(Ok(Exit::Done), Err)
        }
        Command::Verify => {
            print.verified(&control::verify(app).await?);
            Ok(Exit::Done)
        }
        Command::Init { .. } | Command::Key(_) | Command::Demo(_) | Command::Doctor(_) | Command::Help { .. } => {
            Err(Error::unexpected("this command opens no store"))
        }
    }
}

async fn guard_check(app: &App, args: &GuardCheck, print: &Printer) -> Result<Exit> {
    let mut is_unexplained = false;
    let exit = filter::check(app, args, |judged| {
        is_unexplained |= judged.findings.iter().any(|finding| finding.rule == Rule::Unexplained);
        print.judged(judged);
    })
    .await?;
    if is_unexplained {
        talk(
            "kakitome: what is unexplained belongs to nobody in the directory; if it is your own, name the template that \
             has it (--template DIR) or allow it (--allow VALUE)",
        );
    }
    Ok(exit)
}

async fn directory(app: &App, command: Directory, print: &Printer) -> Result<Exit> {
    match command {
        Directory::Import { file, accept_drift, accept_gap, by } => {
            // Nobody decides anything where nothing is to be accepted.
            let gap = accept_gap.map(|reason| calibrate::Gap { by: decider(by), reason });
            let accepted = import::Accepted { drift: accept_drift, gap };
            print.imported(&import::import(app, &file, &accepted).await?);
        }
        Directory::Calibrate => {
            let done = calibrate::current_version(app).await?;
            print.calibrated(&done.found);
            return Ok(if done.found.is_complete() { Exit::Done } else { Exit::Held });
        }
        Directory::Columns { file } => print.columns(&columns::columns(&file)?),
        Directory::Status => print.version(&app.version().await?),
    }
    Ok(Exit::Done)
}

async fn campaign(app: &App, command: Campaign, stop: watch::Receiver<bool>, print: &Printer) -> Result<Exit> {
    match command {
        Campaign::New { file, by } => {
            let frozen = freeze::freeze(app, &file, by.as_deref().unwrap_or(OPERATOR)).await?;
            print.frozen(&frozen);
            if by.is_none() {
                talk(&format!(
                    "note: $USER is not set, so the author of campaign {} is {OPERATOR:?}, and anybody who approves it by another name counts as somebody else; to name yourself, freeze it again with --by NAME",
                    frozen.campaign
                ));
            }
        }
        Campaign::List => print.list(&control::list(app).await?),
        Campaign::Preview { id, account, edge, out } => {
            let out = out.unwrap_or_else(|| PathBuf::from(format!("preview-{id}")));
            let previews = preview::preview(app, id, account.map_or(Choice::Edge(edge), Choice::Account), &out).await?;
            print.previews(&previews);
            return Ok(if previews.held() > 0 { Exit::Held } else { Exit::Done });
        }
        Campaign::Check { id, report } => return checked(app, id, report, print).await,
        Campaign::Approve { id, by } => print.approved(&approve::approve(app, id, &by).await?),
        Campaign::Send { id, wait } => {
            let sent = send::send(app, id, wait, stop).await?;
            print.sent(&sent);
            return Ok(sent.exit());
        }
        Campaign::Pause { id, by } => print.turned(&control::pause(app, id, &decider(by)).await?),
        Campaign::Resume { id, by } => print.turned(&control::resume(app, id, &decider(by)).await?),
        Campaign::Pace { id, rate, .. } => print.rate(id, control::pace(app, id, rate).await?),
        Campaign::Halt { id, by } => print.turned(&control::halt(app, id, &decider(by)).await?),
        Campaign::Status { id } => print.status(&control::status(app, id).await?),
        Campaign::Rest { id, out } => print.rest(&unreached::unreached(app, id, &out).await?),
        Campaign::Settle(args) => print.settled(&settle_as(app, args).await?),
        Campaign::Report { id, accounts: Some(state), .. } => print.listed(&resolve::list(app, id, state).await?),
        Campaign::Report { id, out, accounts: None } => {
            let told = control::report(app, id).await?;
            if let Some(out) = &out {
                private::write(out, told.page().as_bytes())?;
            }
            print.report(&told, out.as_deref());
        }
    }
    Ok(Exit::Done)
}

/// Who decides; says so where nobody is named, as the ledger keeps it.
fn decider(by: Option<String>) -> String {
    by.unwrap_or_else(|| {
        talk(&format!(
            "note: $USER is not set, so this is recorded as decided by {OPERATOR:?}; name yourself with --by NAME"
        ));
        OPERATOR.to_owned()
    })
}

async fn serve(app: &App, listen: &str, mut stop: watch::Receiver<bool>) -> Result<Exit> {
    let bound = console::serve_links(listen, app.clone()).await?;
    talk(&format!("answering links on http://{}{}", bound.address(), app.config.links_path().unwrap_or_default()));
    // It ends with a sender that is gone, too.
    let _ = stop.wait_for(|stop| *stop).await;
    bound.stop().await?;
    app.store.close().await;
    Ok(Exit::Done)
}

async fn settle_as(app: &App, args: Settle) -> Result<resolve::Settled> {
    let which = if args.all { Which::All(args.confirm) } else { Which::Accounts(args.account) };
    let to = match args.verdict {
        SettleAs::Accepted => State::Accepted,
        SettleAs::Rejected => State::Rejected,
        SettleAs::Retry => State::Checked,
    };
    resolve::resolve(app, args.id, which, to, &args.by).await
}

async fn checked(app: &App, id: i64, page: Option<PathBuf>, print: &Printer) -> Result<Exit> {
    let found = check::check(app, id).await?;
    if let Some(page) = page {
        private::write(&page, check::page(app, &found).await?.as_bytes())?;
    }
    print.checked(&found);
    Ok(if found.held > 0 || !found.drill.passed() { Exit::Held } else { Exit::Done })
}

async fn suppression(app: &App, command: Suppress, print: &Printer) -> Result<Exit> {
    match command {
        Suppress::Add { addresses, reason } => print.added(&suppress::add(app, &addresses, &reason).await?),
        Suppress::Remove { addresses } => print.removed(&suppress::remove(app, &addresses).await?),
        Suppress::Import { file, reason } => print.added(&suppress::import(app, &file, &reason).await?),
        Suppress::List => print.suppressions(&suppress::list(app).await?),
    }
    Ok(Exit::Done)
}

/// Where a command ends in order at Ctrl-C or SIGTERM, it is listened for from here
/// on, before anything is opened; the others they end at once.
fn listened(command: &Command, drain: Duration) -> watch::Receiver<bool> {
    match command {
        Command::Campaign(Campaign::Send { .. }) | Command::Work => interrupts(DRAINING, drain + RECORDED, CUT_OFF),
        Command::Serve(_) => interrupts(
            "stopping: requests under way are answered (again to stop at once)",
            ANSWERED,
            "stopped: some requests were not answered",
        ),
        _ => watch::channel(false).1,
    }
}

/// Signals within this time are one.
const SAME: Duration = Duration::from_millis(500);

/// Turns true at the first Ctrl-C or SIGTERM, so that work drains; the second
/// ends the process at once, and so does the end of the time for that.
fn interrupts(said: &'static str, drain: Duration, cut_off: &'static str) -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    let mut signals = Signals::caught();
    tokio::spawn(async move {
        signals.next().await;
        talk(said);
        let _ = stop.send(true);
        // Some send it to the process and then to its group, as timeout(1) does.
        let same = tokio::time::Instant::now() + SAME;
        while tokio::time::timeout_at(same, signals.next()).await.is_ok() {}
        let _ = tokio::time::timeout(drain, signals.next()).await;
        talk(cut_off);
        std::process::exit(i32::from(Exit::Gate.code()));
    });
    stopped
}

/// Ctrl-C and SIGTERM, which end nothing by themselves any more.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    /// One that cannot be caught ends the process, as ever.
    fn caught() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].into_iter().flat_map(signal).collect())
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| match self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn caught() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
