//! Where everything is kept: one [`Store`] over SQLite (a file) or PostgreSQL.
//!
//! Input: plain data from the rooms around it. Output: the same data back, or a
//! [`StoreError`] that says what was being done. SQL is a `const` beside its one
//! caller, and where the dialects differ both texts stand side by side. Times
//! are `_ms` since the Unix epoch.
//!
//! Invariants: a change of a message or a campaign and the ledger entry that
//! tells it are one transaction. A move is made only from the states that
//! [`crate::ledger::State`] allows, and the rows that made it are counted. On
//! SQLite there is one writing connection, whose transactions take the write
//! lock at their beginning, and a few that can only read. No database future is
//! ever cancelled: a cancelled one can give an open transaction back to its pool.

mod approval;
mod batch;
mod campaign;
mod cell;
mod claim;
mod directory;
mod error;
mod import;
mod index;
mod ledger;
mod lock;
mod message;
mod migrate;
mod open;
mod outcome;
mod proof;
mod set;
mod suppression;
mod tally;
mod worker;

pub use approval::Approval;
pub use campaign::Turn;
pub use claim::{Cursor, Due, Seat, Wanted};
pub use directory::Version;
pub use error::StoreError;
pub use import::Import;
pub use lock::{Lock, Look, Pulse};
pub use message::{Checked, Filter, Planned, Row, Verdict};
pub use outcome::Settled;
pub use proof::{Broken, Proof};
pub use suppression::{Removed, Suppression};
pub use tally::Taken;
pub use worker::{Lease, Place, Recovered, WHOLE};

use std::sync::Arc;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

/// An open store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    /// Where it is, for who must mend it: never a user or a password.
    place: Arc<str>,
}

#[derive(Clone, Debug)]
enum Pool {
    /// One connection that writes, a few that read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// Runs a body that only reads, over either database.
macro_rules! with_pool {
    ($store:expr, |$pool:ident| $body:expr) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite { readers: $pool, .. } => $body,
            $crate::store::Pool::Postgres($pool) => $body,
        }
    };
}

/// Runs a body in one transaction, over either database: committed when the body
/// ends well, rolled back when it returns an error. A SQLite transaction takes
/// the write lock at its beginning: one that reads first and writes later fails
/// under contention.
///
/// A connection of which it is not certain that its transaction has ended is
/// closed, not given back: SQLite ends one by itself when its disk is full, which
/// the pool's count of open transactions does not see.
macro_rules! in_transaction {
    ($store:expr, $doing:expr, |$tx:ident| $body:expr) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await.doing($doing)?;
                let begun = sqlx::Connection::begin_with(&mut *connection, "begin immediate").await;
                $crate::store::in_transaction!(run, $store, connection, begun, $tx, $doing, $body)
            }
            $crate::store::Pool::Postgres(pool) => {
                let mut connection = pool.acquire().await.doing($doing)?;
                let begun = sqlx::Connection::begin(&mut *connection).await;
                $crate::store::in_transaction!(run, $store, connection, begun, $tx, $doing, $body)
            }
        }
    };
    (run, $store:expr, $connection:ident, $begun:ident, $tx:ident, $doing:expr, $body:expr) => {{
        let ended = match $begun.doing($doing) {
            Err(error) => Err((error, false)),
            Ok(mut $tx) => {
                let done = async { Ok::<_, $crate::store::StoreError>($body) }.await;
                match done {
                    Ok(value) => match $tx.commit().await.doing($doing) {
                        Ok(()) => Ok(value),
                        Err(error) => Err((error, false)),
                    },
                    // What failed first is the news.
                    Err(error) => Err((error, $tx.rollback().await.is_ok())),
                }
            }
        };
        match ended {
            Ok(value) => value,
            Err((error, is_clean)) => {
                if !is_clean {
                    let _ = $connection.close().await;
                }
                return Err(error.at(&$store.place));
            }
        }
    }};
}

pub(in crate::store) use {in_transaction, with_pool};

impl Store {
    /// Whether this is SQLite, for the few texts that differ.
    fn is_sqlite(&self) -> bool {
        matches!(self.pool, Pool::Sqlite { .. })
    }

    /// Has PostgreSQL look at tables that many rows were just written to: it plans by
    /// statistics, which it otherwise has a minute later. Failing only costs time.
    async fn analyze(&self, analyze: &'static str) {
        if let Pool::Postgres(pool) = &self.pool
            && let Err(error) = sqlx::query(analyze).execute(pool).await
        {
            tracing::warn!(%error, "the database's statistics could not be renewed");
        }
    }

    /// The text for this store's dialect.
    fn sql(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        if self.is_sqlite() { sqlite } else { postgres }
    }
}
