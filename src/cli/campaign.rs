//! `kakitome campaign …` as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::account::AccountId;
use crate::ledger::State as MessageState;
use crate::units::Rate;

/// A campaign's number.
fn number(text: &str) -> Result<i64, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("a campaign is named by its number: `kakitome campaign list` shows them".into()),
    }
}

/// `kakitome campaign …`
#[derive(Debug, Subcommand)]
pub enum Campaign {
    /// Freeze template, audience, ladder and sender into a revision.
    New {
        /// The campaign file (campaign.toml).
        file: PathBuf,
        /// Who freezes it: "operator" where nobody is named.
        #[arg(long, env = "USER")]
        by: Option<String>,
    },
    /// Every campaign, a line each.
    List,
    /// Write finished messages to look at: .eml and .html side by side, with the verdict, and an index page.
    Preview {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// This account's message.
        #[arg(long, conflicts_with = "edge")]
        account: Option<AccountId>,
        /// The N members that cover the template best.
        #[arg(long, value_name = "N", default_value_t = 12)]
        edge: usize,
        /// Where to write (default: preview-ID).
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// The dry run: render and judge everybody, run the drill, send nothing.
    Check {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Write a page to look at.
        #[arg(long, value_name = "FILE.html")]
        report: Option<PathBuf>,
    },
    /// Sign what was checked.
    Approve {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Who approves.
        #[arg(long)]
        by: String,
    },
    /// Open the next stages and send; goes on where it stopped.
    Send {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Stay and wait where a gate or a deferral asks for time, instead of ending with exit code 6.
        #[arg(long)]
        wait: bool,
    },
    /// Stop sending for a while.
    Pause {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Who pauses it; recorded. "operator" where nobody is named.
        #[arg(long, env = "USER")]
        by: Option<String>,
    },
    /// Take a pause back; `campaign send` then goes on.
    Resume {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Who resumes it; recorded. "operator" where nobody is named.
        #[arg(long, env = "USER")]
        by: Option<String>,
    },
    /// Give it a rate of its own; a running send follows at once.
    #[command(group = clap::ArgGroup::new("pace").required(true).args(["rate", "configured"]))]
    Pace {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Messages in all, as in 500/s, 300/m or 10000/h.
        #[arg(long)]
        rate: Option<Rate>,
        /// The rate of the configuration again.
        #[arg(long)]
        configured: bool,
    },
    /// Stop sending for good.
    Halt {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Who halts it; recorded. "operator" where nobody is named.
        #[arg(long, env = "USER")]
        by: Option<String>,
    },
    /// Where it stands, by stage and state.
    Status {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
    },
    /// What happened, with the ledger's proof.
    Report {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Write a page to look at.
        #[arg(long, value_name = "FILE.html")]
        out: Option<PathBuf>,
        /// List the accounts whose messages are in this state instead: unknown, held, rejected, ….
        #[arg(long, value_name = "STATE", conflicts_with = "out")]
        accounts: Option<MessageState>,
    },
    /// Write whom a halted campaign did not reach, as the audience of another one.
    Rest {
        /// The campaign's number.
        #[arg(value_name = "NUMBER", value_parser = number)]
        id: i64,
        /// Where to write it.
        #[arg(long, value_name = "FILE.csv")]
        out: PathBuf,
    },
    /// Decide about messages of which nobody knows whether they arrived.
    Settle(Settle),
}

/// `kakitome campaign settle`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["account", "all"]))]
pub struct Settle {
    /// The campaign's number.
    pub id: i64,
    /// The unknown messages of these accounts.
    #[arg(long, num_args = 1.., value_name = "KEY")]
    pub account: Vec<AccountId>,
    /// All unknown messages of the campaign; --confirm says how many they are.
    #[arg(long)]
    pub all: bool,
    /// How many messages --all means.
    #[arg(long, value_name = "COUNT", conflicts_with = "account")]
    pub confirm: Option<u64>,
    /// What became of them: the server took them, it gave them up, or they are to be sent again.
    #[arg(long = "as", value_enum)]
    pub verdict: SettleAs,
    /// Who decides; recorded.
    #[arg(long)]
    pub by: String,
}

/// What an unknown message is settled as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettleAs {
    /// The server took it.
    Accepted,
    /// The server gave it up.
    Rejected,
    /// It did not arrive: send it again.
    Retry,
}
