//! Opening and closing a store: SQLite's file with its one writing connection
//! and a few that read, or PostgreSQL's connections.
//!
//! A PostgreSQL server is asked once before the pool is made, and must answer
//! within [`ANSWER`]: a pool tries again for as long as a connection may be
//! waited for, which for a server that is not there is only silence.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Pool, Store};

/// How long a writer waits for another process's transaction; accepting a large
/// import is the longest.
const WAIT: Duration = Duration::from_secs(120);
/// How long before a busy file is tried again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long PostgreSQL's first answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Connections that read a SQLite file at once.
const READERS: u32 = 4;
/// KiB of the file that a connection remembers, negative as SQLite wants it: the
/// writer, and each that reads. All else is in the system's page cache, at no cost
/// to this process; an import asks for more.
const CACHE: &str = "-16384";
const READ_CACHE: &str = "-4096";
/// Connections to PostgreSQL.
const CONNECTIONS: u32 = 8;

impl Store {
    /// Opens a store, creates it where it does not exist, and brings its
    /// tables up to date. `sqlite:FILE` or `postgres://…`. A new SQLite file can
    /// be read by its owner only.
    ///
    /// # Errors
    /// The URL names neither, or the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self> {
        let (place, pool) = if let Some(file) = sqlite_file(url) {
            let place = file.display().to_string();
            let pool = open_sqlite(&file).await.map_err(|error| error.at(&place))?;
            (place, pool)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url, ANSWER).await?
        } else {
            return Err(StoreError::Url);
        };
        let store = Self { pool, place: place.into() };
        store.migrate().await.map_err(|error| error.at(&store.place))?;
        Ok(store)
    }

    /// Whether a URL names a SQLite file that is not there: opening would make it.
    pub fn is_missing(url: &str) -> bool {
        sqlite_file(url).is_some_and(|file| !file.exists())
    }

    /// Closes every connection; a SQLite file is then one file again.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

fn sqlite_file(url: &str) -> Option<PathBuf> {
    let file = url.strip_prefix("sqlite:")?;
    Some(file.strip_prefix("//").unwrap_or(file).into())
}

impl Store {
    /// What the clock of a PostgreSQL server says, when it was asked, and how long
    /// that took; `None` for SQLite, which has none. No table is needed or made.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn server_now_ms(url: &str) -> Result<Option<(i64, Instant, Duration)>> {
        if sqlite_file(url).is_some() {
            return Ok(None);
        }
        let (_, _, mut server) = connect_postgres(url, ANSWER).await?;
        let begun = Instant::now();
        let now_ms = sqlx::query_scalar(NOW_MS).fetch_one(&mut server).await.doing("asking PostgreSQL's clock")?;
        let took = begun.elapsed();
        server.close().await.doing("leaving PostgreSQL")?;
        Ok(Some((now_ms, begun, took)))
    }
}

// Rounded down, as ours is: half a millisecond is not time to come.
const NOW_MS: &str = "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint";

/// The server and its pool.
async fn open_postgres(url: &str, answer: Duration) -> Result<(String, Pool)> {
    let (server, options, first) = connect_postgres(url, answer).await?;
    first.close().await.doing("connecting to PostgreSQL")?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(WAIT);
    let pool = pool.after_connect(|connection, _| Box::pin(kept(connection)));
    Ok((server, Pool::Postgres(pool.connect_lazy_with(options))))
}

/// The server, what its connections are made by, and one of them.
async fn connect_postgres(url: &str, answer: Duration) -> Result<(String, PgConnectOptions, PgConnection)> {
    let options = PgConnectOptions::from_str(url).doing("reading the store's URL")?;
    let server = match options.get_socket() {
        Some(socket) => format!("PostgreSQL at {}", socket.display()),
        None => format!("PostgreSQL at {}:{}", options.get_host(), options.get_port()),
    };
    // Nothing is under way on a connection that is not there yet: this future
    // may be dropped.
    match tokio::time::timeout(answer, options.connect()).await {
        Ok(Ok(first)) => Ok((server, options, first)),
        Ok(Err(source)) => Err(StoreError::Unreachable { server, source }),
        Err(_) => Err(StoreError::Silent { server, seconds: answer.as_secs() }),
    }
}

/// A claim that is forgotten when the server dies would be sent a second time: a
/// commit is on the disk before it is told, whatever the server's default is. What
/// waits for standbys too, or for them alone, stays as it is.
///
/// A process that stands still, or whose machine is cut off, in the middle of a transaction
/// would hold up whoever waits for the same lock, and all leases with it: its transaction
/// ends before they do.
async fn kept(connection: &mut PgConnection) -> sqlx::Result<()> {
    const KEPT: &str = "
        select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";
    const ENDS: &str = "
        select set_config('idle_in_transaction_session_timeout', '5s', false),
               set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
               set_config('tcp_keepalives_count', '3', false)";
    sqlx::query(KEPT).execute(&mut *connection).await?;
    sqlx::query(ENDS).execute(connection).await.map(drop)
}

/// The one connection that writes, which lives as long as the store. A file that others
/// are just making is busy for a moment, and is not waited for by SQLite itself: what
/// makes it a WAL file asks once.
async fn writer(options: SqliteConnectOptions) -> sqlx::Result<SqlitePool> {
    const BUSY: &str = "5";
    let started = Instant::now();
    loop {
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(WAIT)
            .connect_with(options.clone())
            .await;
        let is_busy = |e: &sqlx::Error| e.as_database_error().is_some_and(|e| e.code().as_deref() == Some(BUSY));
        match pool {
            Err(error) if is_busy(&error) && started.elapsed() < WAIT => tokio::time::sleep(AGAIN).await,
            done => return done,
        }
    }
}

async fn open_sqlite(file: &Path) -> Result<Pool> {
    // Two pools on a memory store would be two stores.
    if file.as_os_str().is_empty() || file == Path::new(":memory:") {
        return Err(StoreError::Url);
    }
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    if let Err(error) = made
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error).doing("making the SQLite file");
    }
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        .pragma("cache_size", CACHE);
    let writer = writer(options.clone()).await.doing("opening the SQLite file")?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT)
        .connect_with(options.pragma("query_only", "on").pragma("cache_size", READ_CACHE))
        .await
        .doing("opening the SQLite file")?;
    Ok(Pool::Sqlite { writer, readers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_says_nothing_is_named_without_the_password() {
        // It takes connections and never answers.
        let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = silent.local_addr().unwrap().port();
        let url = format!("postgres://user:hush-hush@127.0.0.1:{port}/kakitome");
        let refused = open_postgres(&url, Duration::from_millis(50)).await.unwrap_err();
        let text = crate::error::Error::from(refused).to_string();
        assert!(text.contains(&format!("127.0.0.1:{port} did not answer")), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_refused_at_once() {
        let port = {
            let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            gone.local_addr().unwrap().port()
        };
        let url = format!("postgres://user:hush-hush@127.0.0.1:{port}/kakitome");
        let refused = tokio::time::timeout(ANSWER, Store::open(&url)).await.unwrap().unwrap_err();
        let text = crate::error::Error::from(refused).to_string();
        assert!(text.contains(&format!("127.0.0.1:{port} cannot be used")), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
}
