//! What went wrong in the store, and what was being done.

use crate::error::Error;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no store.
    #[error("the store's URL begins neither with sqlite: nor with postgres://")]
    Url,
    /// The database failed.
    #[error("{doing}")]
    Database {
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
    /// A change that the table of legal moves does not have.
    #[error("{what}: {changed} of {asked} rows could make that move, so none did")]
    IllegalMove {
        /// What was asked.
        what: &'static str,
        /// Rows that could.
        changed: u64,
        /// Rows that were asked.
        asked: u64,
    },
    /// Another process sends this campaign.
    #[error("{holder} is sending this campaign")]
    Locked {
        /// Host and process.
        holder: String,
    },
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

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Url => Error::usage("the store cannot be opened")
                .cause(&error)
                .now("set store = \"sqlite:kakitome.db\" or \"postgres://…\""),
            StoreError::Locked { .. } => Error::gate("the campaign is not sent")
                .cause(&error)
                .now("wait for it, or stop that process; it lets go within 30 s"),
            StoreError::IllegalMove { .. } => Error::unexpected("the store refused a change")
                .cause(&error)
                .now("`kakitome verify` tells whether the store was changed from outside"),
            StoreError::Unreadable { .. } => Error::unexpected("the store cannot be read")
                .cause(&error)
                .now("`kakitome verify` tells what was changed; restore the store from its backup"),
            StoreError::Database { source, .. } => {
                let advice = advice(source);
                Error::unexpected("the store failed").cause(&error).now(advice)
            }
        }
    }
}

fn advice(source: &sqlx::Error) -> &'static str {
    let text = source.to_string();
    if text.contains("disk is full") || text.contains("No space left") || text.contains("disk I/O") {
        "make room on the store's disk; nothing acknowledged was lost, and the command can be repeated"
    } else if text.contains("locked") || text.contains("busy") {
        "another process writes to the store for long; try again when it has ended"
    } else {
        "see that the database is there and may be written; the command can be repeated"
    }
}
