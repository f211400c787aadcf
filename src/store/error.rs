//! What went wrong in the store, what was being done, and what to do now. No
//! message carries an address, an identifier or a body: a database names
//! columns and constraints, not values.

use std::borrow::Cow;

use sqlx::migrate::MigrateError;

use crate::campaign::State;
use crate::error::Error;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no store.
    #[error("the store's URL names neither a file, as in sqlite:FILE, nor a postgres:// server")]
    Url,
    /// The database failed.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// There is no room for what was to be written.
    #[error("{doing} failed: no room for {place}")]
    Full {
        /// The SQLite file, or PostgreSQL's host and port or socket.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A row cannot be read: it was not written by this program.
    #[error("a stored {what} cannot be read")]
    Unreadable {
        /// What it should be.
        what: &'static str,
    },
    /// PostgreSQL does not answer.
    #[error("{server} cannot be used")]
    Unreachable {
        /// Host and port, or the socket's folder; never the user or the password.
        server: String,
        /// What the database's library said.
        #[source]
        source: sqlx::Error,
    },
    /// PostgreSQL does not answer in time.
    #[error("{server} did not answer within {seconds} s")]
    Silent {
        /// Host and port, or the socket's folder.
        server: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A campaign that is not what was frozen.
    #[error("campaign {id} is not what the ledger says was frozen: its definition, name or revision was changed")]
    Changed {
        /// The campaign.
        id: i64,
    },
    /// A number or revision that another process took first.
    #[error("another campaign took number {id}, or its name's revision, meanwhile")]
    Taken {
        /// The number.
        id: i64,
    },
    /// A revision whose accounts another revision has reached, or is reaching.
    #[error(
        "campaign {other} (revision {revision} of the same name, {}) has been sent, or is being sent, to {accounts} of the accounts that campaign {id} would go to",
        is.as_str()
    )]
    SentTwice {
        /// The campaign.
        id: i64,
        /// The other revision's number.
        other: i64,
        /// Its revision.
        revision: i64,
        /// Where it stands.
        is: State,
        /// Accounts that would get both.
        accounts: u64,
    },
    /// There is no such campaign.
    #[error("there is no campaign {id}")]
    NoCampaign {
        /// The number asked for.
        id: i64,
    },
    /// Messages that cannot make the move that was asked of them.
    #[error("{what}: {changed} of {asked} messages could make that move, so none did")]
    IllegalMove {
        /// What was asked.
        what: &'static str,
        /// Rows that could.
        changed: u64,
        /// Rows that were asked.
        asked: u64,
    },
    /// A campaign that cannot make the move that was asked of it.
    #[error("campaign {id} is {} and cannot become {}", is.as_str(), asked.as_str())]
    IllegalState {
        /// The campaign.
        id: i64,
        /// Where it stands.
        is: State,
        /// What was asked.
        asked: State,
    },
    /// Another process sends this campaign.
    #[error("{holder} is sending this campaign")]
    Locked {
        /// Host and process.
        holder: String,
    },
    /// An import that is not alone, or not whole.
    #[error("another import began meanwhile, or staged rows are missing")]
    ImportLost,
}

/// The result of a call to the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Says what was being done when the database failed.
pub(in crate::store) trait Doing<T> {
    /// Adds what was being done.
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T, E: Into<sqlx::Error>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Database { doing, source: source.into() })
    }
}

impl StoreError {
    /// Names the store, where its disk is full: an operator has several disks.
    pub(in crate::store) fn at(self, place: &str) -> Self {
        match self {
            Self::Database { doing, source } if is_full(&source) => {
                Self::Full { place: place.to_owned(), doing, source }
            }
            other => other,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (base, now) = match &error {
            StoreError::Url => {
                (Error::usage("the store cannot be opened"), "set store = \"sqlite:kakitome.db\" or \"postgres://…\"")
            }
            StoreError::Database { source, .. } => (Error::unexpected("the store failed"), advice(source)),
            StoreError::Full { .. } => (Error::unexpected("the store's disk is full"), FULL),
            StoreError::Unreadable { .. } => (
                Error::unexpected("the store cannot be read"),
                "`kakitome verify` tells what was changed; restore the store from its backup",
            ),
            StoreError::Unreachable { .. } | StoreError::Silent { .. } => (
                Error::usage("the store cannot be opened"),
                "see that PostgreSQL runs there and may be reached from here, and that host, port, user and password of the store's URL are right",
            ),
            StoreError::Changed { .. } => (
                Error::gate("the campaign cannot be used"),
                "`kakitome verify` names what was changed; restore the store from its backup, or freeze the campaign again",
            ),
            StoreError::Taken { .. } => {
                (Error::gate("the campaign was not frozen"), "run `kakitome campaign new` again")
            }
            StoreError::SentTwice { is: State::Sending | State::Paused, .. } => (
                Error::gate("the campaign is not sent: somebody would get the same newsletter twice"),
                "let that one go on, or halt it, and freeze those that it has not reached (`kakitome campaign rest`) under another name",
            ),
            StoreError::SentTwice { .. } => (
                Error::gate("the campaign is not sent: somebody would get the same newsletter twice"),
                "leave those accounts out of the audience and freeze it under another name",
            ),
            StoreError::NoCampaign { .. } => {
                (Error::usage("no such campaign"), "`kakitome campaign list` names those there are")
            }
            StoreError::IllegalMove { .. } => (
                Error::unexpected("the store refused a change"),
                "another process has the messages: one that stands still for longer than its lease is taken for dead, and what it had begun becomes unknown; `kakitome reconcile LOG` settles that, and `kakitome verify` tells whether the store was changed from outside",
            ),
            StoreError::IllegalState { .. } => {
                (Error::gate("the campaign cannot make this move"), "`kakitome campaign status` tells where it stands")
            }
            StoreError::Locked { .. } => (
                Error::gate("the campaign is not sent"),
                "wait for that process, or stop it; its right ends 30 s after its last sign of life",
            ),
            StoreError::ImportLost => (
                Error::gate("the import was not accepted"),
                "the version before is still current; let one import run at a time, and repeat this one",
            ),
        };
        base.cause(&error).now(now)
    }
}

/// What sorts too much for memory needs room where the system keeps temporary files.
const FULL: &str = "make room on the store's disk, and in the folder for temporary files if that is on another; nothing recorded was lost, and the command can be repeated";

/// Whether the database had no room to write.
fn is_full(source: &sqlx::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    match source {
        sqlx::Error::Io(error) => matches!(error.kind(), StorageFull | QuotaExceeded),
        sqlx::Error::Migrate(error) => match &**error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => is_full(source),
            _ => false,
        },
        // PostgreSQL's disk_full; SQLite's FULL, and IOERR_SHMSIZE: the log's index
        // could not be made as large as it must be.
        source => matches!(code(source).as_deref(), Some("53100" | "13" | "4874")),
    }
}

fn code(source: &sqlx::Error) -> Option<Cow<'_, str>> {
    source.as_database_error().and_then(|e| e.code())
}

/// What an operator can do about a failure of the database.
fn advice(source: &sqlx::Error) -> &'static str {
    const BUSY: &str = "another process writes to the store for long; try again when it has ended";
    const AWAY: &str =
        "see that the database runs, and that the store's URL, user and password are right; then repeat the command";
    const DENIED: &str =
        "see that the store's file and folder exist and may be written by this user; then repeat the command";
    const NEWER: &str = "the store belongs to another version of kakitome; use that one, or restore a backup";
    const DAMAGED: &str = "restore the store from its backup; the damaged file is evidence, so keep it";
    const OTHER: &str = "see that the database is there and may be written; the command can be repeated";
    const DISK: &str = "see what the system's log says of the disk; when it can be written again, repeat the command, and `kakitome verify` tells whether the store is whole";
    let code = code(source).unwrap_or_default();
    match source {
        source if is_full(source) => FULL,
        sqlx::Error::Migrate(_) => NEWER,
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => DENIED,
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => DENIED,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => AWAY,
        sqlx::Error::PoolTimedOut => BUSY,
        // PostgreSQL's classes, Appendix A of its manual.
        _ if code.len() == 5 && ["08", "28", "3D", "57"].contains(&&code[..2]) => AWAY,
        _ if code == "55P03" || code == "40P01" => BUSY,
        // SQLite's primary result codes are the low byte of the extended ones.
        _ => match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => BUSY,
            Ok(3 | 8 | 14) => DENIED,
            Ok(10) => DISK,
            Ok(11 | 26) => DAMAGED,
            _ => OTHER,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_prints_what_was_being_done_where_and_the_whole_chain() {
        let source = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::StorageFull));
        let full = StoreError::Database { doing: "recording outcomes", source }.at("/var/lib/k/mail.db");
        let text = Error::from(full).to_string();
        for part in ["recording outcomes", "/var/lib/k/mail.db", "no storage space", "make room"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        let source = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
        let other = StoreError::Database { doing: "recording outcomes", source }.at("/var/lib/k/mail.db");
        assert!(!Error::from(other).to_string().contains("room"));
    }
}
