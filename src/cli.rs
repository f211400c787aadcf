//! The commands as typed; no behaviour. What they mean is in [`crate::command`].
//!
//! Results go to stdout (`--json` for programs), talk and progress bars to
//! stderr. Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 held by
//! the guard, 4 stopped at a gate, 5 finished with rejected, expired or unknown,
//! 6 waits by itself.

mod campaign;
pub mod guide;
pub mod help;

use std::path::PathBuf;

pub use campaign::{Campaign, Settle, SettleAs};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::account::AccountId;
use crate::dns::Resolver;

/// Bulk mail in which every message is bound to its recipient.
#[derive(Debug, Parser)]
#[command(name = "kakitome", version = VERSION, about, after_help = EXITS, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const VERSION: &str = if cfg!(debug_assertions) {
    concat!(env!("CARGO_PKG_VERSION"), " (debug build)")
} else {
    env!("CARGO_PKG_VERSION")
};
const EXITS: &str = "Exit codes: 0 done · 1 unexpected · 2 usage or configuration · 3 held by the guard · 4 stopped at a gate, until somebody decides or acts · 5 finished with rejected, expired or unknown · 6 waits by itself: run it again later";

/// Variables of the environment that are options of the command line, and no
/// keys of the configuration.
pub const VARIABLES: [&str; 5] =
    ["KAKITOME_CONFIG", "KAKITOME_LOG", "KAKITOME_LOG_FORMAT", "KAKITOME_METRICS", "KAKITOME_LISTEN"];

/// Reads the command line; a wrong one ends the process with exit code 2. Where
/// `--json` was asked for, `wrong` is given what is wrong with it first.
pub fn parse(wrong: impl FnOnce(&str)) -> Cli {
    Cli::try_parse_from(help::in_order(std::env::args_os().collect())).unwrap_or_else(|error| {
        // Help and version are no errors, and go to stdout by themselves.
        if error.use_stderr() && std::env::args_os().any(|arg| arg == "--json") {
            let text = error.render().to_string();
            wrong(text.trim_end().trim_start_matches("error: "));
        }
        error.exit()
    })
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "KAKITOME_CONFIG", default_value = crate::config::FILE)]
    pub config: PathBuf,
    /// Print one JSON value instead of text: an object, or a list of them.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to log to stderr: error, warn, info, debug, or a tracing filter.
    #[arg(long, global = true, value_name = "FILTER", env = "KAKITOME_LOG", default_value = "error")]
    pub log: String,
    /// How to log it.
    #[arg(long, global = true, value_enum, env = "KAKITOME_LOG_FORMAT", default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,
    /// Serve Prometheus metrics on this address while the command runs.
    #[arg(long, global = true, value_name = "ADDR", env = "KAKITOME_METRICS")]
    pub metrics: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The commands, in the order of the flow.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write what is missing of: a commented kakitome.toml, a key, a template, a campaign file and its audience; a template folder and a campaign that are there stay as they are.
    Init {
        /// The folder to write into.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// The key file: it signs links and hashes the directory.
    #[command(subcommand)]
    Key(Key),
    /// Look at the sender before mailing: SPF, DKIM, DMARC, names of addresses, mail servers, clock; exit 2 when anything fails.
    Doctor(Doctor),
    /// Who owns what.
    #[command(subcommand)]
    Directory(Directory),
    /// A newsletter, from frozen to finished.
    #[command(subcommand)]
    Campaign(Campaign),
    /// Addresses that get no mail.
    #[command(subcommand)]
    Suppress(Suppress),
    /// The judge of finished messages.
    #[command(subcommand)]
    Guard(Guard),
    /// Settle unknown messages by the mail server's log (Postfix), found by their Message-IDs.
    Reconcile(Reconcile),
    /// Answer the links in messages (unsubscribe, view in a browser), until Ctrl-C or SIGTERM.
    Serve(Serve),
    /// Send beside other workers on one PostgreSQL, whatever campaigns are being sent, until Ctrl-C or SIGTERM.
    Work,
    /// Say whose message came back, by the token in its envelope sender.
    Whose {
        /// Envelope senders, or their tokens.
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// Prove the ledger: every link of its chain, every state from its entries.
    Verify,
    /// The whole story on this machine in under a minute.
    Demo(Demo),
    /// Print the help of a command or a page of the guide; without a topic, list both.
    Help {
        /// A command (campaign send), or a page (sending; guide-doctor where a command has the page's name).
        topic: Vec<String>,
    },
}

/// `kakitome doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// The campaign file whose sender it is (default: campaign.toml beside the configuration).
    pub file: Option<PathBuf>,
    /// Whom to ask the DNS: an address, or "system"; by default the configuration's resolver, or the system's.
    #[arg(long, value_name = "ADDR")]
    pub resolver: Option<Resolver>,
    /// How long each answer is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub timeout: u64,
}

/// `kakitome key …`
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key file that only you may read; one that exists is never written over.
    New {
        /// Where to write it (default: the file that the configuration names, else kakitome.key beside it).
        file: Option<PathBuf>,
    },
}

/// `kakitome reconcile`
#[derive(Debug, Args)]
pub struct Reconcile {
    /// The log; several in the order of time.
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Only the unknown messages of this campaign.
    #[arg(long, value_name = "NUMBER")]
    pub campaign: Option<i64>,
    /// Send those again that the log of the whole time does not show as taken over, so many.
    #[arg(long, value_name = "COUNT")]
    pub retry_unseen: Option<u64>,
    /// Who decides; recorded. "operator" where nobody is named.
    #[arg(long, env = "USER")]
    pub by: Option<String>,
}

/// `kakitome serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen, in plain HTTP: a proxy in front of it speaks TLS.
    #[arg(long, value_name = "ADDR", env = "KAKITOME_LISTEN", default_value = "127.0.0.1:8025")]
    pub listen: String,
}

/// `kakitome directory …`
#[derive(Debug, Subcommand)]
pub enum Directory {
    /// Guess the configuration of an export from its header and first rows, to be pasted into kakitome.toml.
    Columns {
        /// The registrar's export: CSV, or JSON lines in a .jsonl file.
        file: PathBuf,
    },
    /// Load a new directory version from FILE.csv or FILE.jsonl.
    Import {
        /// The registrar's export.
        file: PathBuf,
        /// Accept a version that differs more than drift_percent_max from the one before; the reason is recorded.
        #[arg(long, value_name = "REASON")]
        accept_drift: Option<String>,
        /// Accept a version of which the guard would not find every value; the reason is recorded, and stands in the certificate of each campaign.
        #[arg(long, value_name = "REASON")]
        accept_gap: Option<String>,
        /// Who accepts it; recorded. "operator" where nobody is named.
        #[arg(long, value_name = "NAME", env = "USER")]
        by: Option<String>,
    },
    /// Try whether the guard finds the current version's values in every spelling and place: exit 0 when all are found, 3 when any is missed.
    Calibrate,
    /// Show the current version.
    Status,
}

/// `kakitome suppress …`
#[derive(Debug, Subcommand)]
pub enum Suppress {
    /// Add whole addresses.
    Add {
        /// The addresses.
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Why; recorded.
        #[arg(long, default_value = "asked")]
        reason: String,
    },
    /// Take whole addresses off the list.
    Remove {
        /// The addresses.
        #[arg(required = true)]
        addresses: Vec<String>,
    },
    /// Show the list.
    List,
    /// Add every address of a file: one a line, or a CSV whose header names the column email or address.
    Import {
        /// The file.
        file: PathBuf,
        /// Why; recorded.
        #[arg(long, default_value = "imported")]
        reason: String,
    },
}

/// `kakitome guard …`
#[derive(Debug, Subcommand)]
pub enum Guard {
    /// Judge stored messages, as they are before any Received header, against the current directory: exit 0 when all are cleared, 3 when any is held, 2 when the input cannot be used.
    Check(GuardCheck),
}

/// `kakitome guard check`: a contract that other mailers use as a filter.
#[derive(Debug, Args)]
pub struct GuardCheck {
    /// Rows of file,to,account; paths relative to the manifest.
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["files", "to", "account"])]
    pub manifest: Option<PathBuf>,
    /// Messages to judge.
    #[arg(value_name = "FILE.eml")]
    pub files: Vec<PathBuf>,
    /// The envelope's recipient.
    #[arg(long, value_name = "ADDR")]
    pub to: Option<String>,
    /// The account the messages are for.
    #[arg(long, value_name = "KEY")]
    pub account: Option<AccountId>,
    /// The template whose literal text explains itself.
    #[arg(long, value_name = "DIR")]
    pub template: Option<PathBuf>,
    /// A value that may appear although it is nobody's own.
    #[arg(long, value_name = "VALUE")]
    pub allow: Vec<String>,
    /// A directory column of which a value must be shown.
    #[arg(long, value_name = "COLUMN")]
    pub must_show: Vec<String>,
    /// A file that may be in the messages unread (a logo, a PDF): its path, or the BLAKE3 digest of its bytes in hex.
    #[arg(long, value_name = "DIGEST_OR_FILE")]
    pub attach: Vec<String>,
}

/// `kakitome demo`
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// How many accounts the made-up registrar has: 100 at least, 10,000,000 at most.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    pub accounts: u64,
    /// Seeds everything that is made up.
    #[arg(long, default_value_t = 2014)]
    pub seed: u64,
    /// Send to this server instead of the receiver inside the process; loopback only.
    #[arg(long, value_name = "URL")]
    pub smtp: Option<String>,
    /// Where to leave previews, reports and the store.
    #[arg(long, value_name = "DIR", default_value = "kakitome-demo")]
    pub out: PathBuf,
}
