//! Where everything is kept: one [`Store`] over SQLite (a file) or PostgreSQL.
//!
//! Two typed pools behind one enum; SQL is a `const` beside its one caller, and
//! where the dialects differ both texts stand side by side. Times are `_ms`
//! since the Unix epoch. Every change of a message or a campaign appends one
//! entry to the ledger in the same transaction. No database future is ever
//! cancelled: a cancelled one can give an open transaction back to its pool.

mod campaign;
mod directory;
mod error;
mod ledger;
mod lock;
mod message;
mod migrate;
mod outcome;
mod suppression;

pub use campaign::Approval;
pub use directory::{Import, Version};
pub use error::StoreError;
pub use ledger::Broken;
pub use lock::Lock;
pub use message::{Checked, Planned, Verdict};
pub use outcome::{Claimed, Settled};
pub use suppression::Suppression;

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use error::{Doing, Result};

/// An open store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs one body over either pool: `$pool` is the pool, `$sqlite` a bool for
/// the few texts that differ.
macro_rules! with_pool {
    ($store:expr, |$pool:ident| $body:expr) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite($pool) => $body,
            $crate::store::Pool::Postgres($pool) => $body,
        }
    };
}

/// Runs one body in one transaction over either pool. A SQLite transaction
/// takes the write lock at its beginning: one that reads first and writes later
/// fails under contention.
macro_rules! in_transaction {
    ($store:expr, $doing:expr, |$tx:ident| $body:expr) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite(pool) => {
                let mut $tx = pool.begin_with("begin immediate").await.doing($doing)?;
                let value = $body;
                $tx.commit().await.doing($doing)?;
                value
            }
            $crate::store::Pool::Postgres(pool) => {
                let mut $tx = pool.begin().await.doing($doing)?;
                let value = $body;
                $tx.commit().await.doing($doing)?;
                value
            }
        }
    };
}

pub(in crate::store) use {in_transaction, with_pool};

impl Store {
    /// Opens a store, creates it where it does not exist, and brings its
    /// tables up to date. `sqlite:FILE` or `postgres://…`.
    ///
    /// # Errors
    /// The URL names neither, or the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self> {
        let pool = if let Some(file) = url.strip_prefix("sqlite:") {
            Pool::Sqlite(open_sqlite(file).await?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(30));
            Pool::Postgres(pool.connect(url).await.doing("connecting to PostgreSQL")?)
        } else {
            return Err(StoreError::Url);
        };
        let store = Self { pool };
        store.migrate().await?;
        Ok(store)
    }

    /// Whether this is SQLite, for the few texts that differ.
    fn is_sqlite(&self) -> bool {
        matches!(self.pool, Pool::Sqlite(_))
    }

    /// The text for this store's dialect.
    fn sql(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        if self.is_sqlite() { sqlite } else { postgres }
    }
}

async fn open_sqlite(file: &str) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{file}"))
        .doing("reading the store's URL")?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(30))
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory");
    SqlitePoolOptions::new()
        .max_connections(6)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with(options)
        .await
        .doing("opening the SQLite file")
}
