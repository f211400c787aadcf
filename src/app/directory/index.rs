//! The guard's index of the directory's current version: opened where it lies,
//! extended by what the directory has gained since, or built from the store.
//!
//! Input: a version and the index file that the configuration names. Output: an
//! index that covers exactly this version. Invariant: a file that is missing,
//! damaged, of another key, or of a version that is too far away is never used;
//! why is said on stderr, and a new one is made beside it and then takes its
//! name, so that commands at the same time do not disturb each other.
//!
//! Errors: the store fails, or the file cannot be written.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use crate::account::Kind;
use crate::app::App;
use crate::error::{Error, Result};
use crate::guard::Index;
use crate::guard::index::{Accounts, Building, Edition, IndexError};
use crate::progress;
use crate::store::Version;
use crate::telemetry::event;

/// The share of a version's identifiers that may be held beside the file, in
/// percent; beyond it a new file is made.
const GAINED_PERCENT_MAX: u64 = 5;
/// Rows that go to the builder at once.
const BATCH: usize = 4096;

/// The index of a version.
///
/// # Errors
/// The store fails, or the index cannot be built.
pub async fn of(app: &App, version: &Version) -> Result<Index> {
    let file = app.config.index_path();
    let refused = match Index::open(&file, &app.keys) {
        Ok(index) => match index.check(&edition(version)) {
            Ok(()) => return Ok(index),
            Err(refused) => match extended(app, index, version).await? {
                Some(index) => return Ok(index),
                None => refused,
            },
        },
        Err(refused) => refused,
    };
    rebuilt(app, version, &file, &refused).await
}

/// Makes sure that the file itself covers a version: so the next command opens it
/// in milliseconds.
///
/// # Errors
/// The store fails, or the index cannot be built.
pub async fn renew(app: &App, version: &Version) -> Result<()> {
    let file = app.config.index_path();
    let opened = Index::open(&file, &app.keys).and_then(|index| index.check(&edition(version)));
    match opened {
        Ok(()) => Ok(()),
        Err(refused) => rebuilt(app, version, &file, &refused).await.map(drop),
    }
}

async fn rebuilt(app: &App, version: &Version, file: &Path, refused: &IndexError) -> Result<Index> {
    event::index_refused(refused, matches!(refused, IndexError::Missing(_) | IndexError::Version { .. }));
    build(app, version, file).await
}

fn edition(version: &Version) -> Edition {
    Edition { version: version.number, digest: version.digest, identifiers: version.identifiers }
}

/// The index of an earlier version with what came since; `None` if it is not of
/// this directory, or too much came.
async fn extended(app: &App, index: Index, version: &Version) -> Result<Option<Index>> {
    let (from, row) = (index.edition().version, index.row_last());
    if from >= version.number {
        return Ok(None);
    }
    match app.store.version(from).await? {
        Some(earlier) if edition(&earlier) == *index.edition() => {}
        _ => return Ok(None),
    }
    let gained = app.store.identifiers_behind(version.number, row).await?;
    if gained > version.identifiers * GAINED_PERCENT_MAX / 100 {
        return Ok(None);
    }
    let lost = app.store.identifiers_lost(from, version.number).await?;
    let mut entries = Vec::new();
    app.store.entries_behind(version.number, row, |entry| entries.push(entry)).await?;
    let extended = tokio::task::spawn_blocking({
        let edition = edition(version);
        move || index.with_delta(entries, lost, edition)
    });
    match extended.await.map_err(|e| Error::unexpected("extending the guard's index failed").cause(&e))? {
        Ok(index) => {
            event::index_extended(from, version.number, gained);
            Ok(Some(index))
        }
        Err(refused) => {
            event::index_refused(&refused, false);
            Ok(None)
        }
    }
}

/// What goes to the builder.
enum Fed {
    Name(String, i64),
    Identifier(u128, Kind, i64),
}

async fn build(app: &App, version: &Version, file: &Path) -> Result<Index> {
    let started = Instant::now();
    let (mut accounts, mut numbered) = (Accounts::default(), Ok(()));
    app.store
        .account_rows(version.number, |row, account| {
            if numbered.is_ok() {
                numbered = accounts.push(row, &account);
            }
        })
        .await?;
    numbered.map_err(|e| not_built(file, &e))?;
    let building = Building::begin(file, &app.keys, edition(version), accounts).map_err(|e| not_built(file, &e))?;
    let (feed, rows) = sync_channel(8);
    let built = tokio::task::spawn_blocking(move || take(building, rows));
    let fed = feed_all(app, version, feed).await;
    let built = built.await.map_err(|e| Error::unexpected("building the guard's index failed").cause(&e))?;
    // What the store says comes first: a builder that is fed too little fails too.
    fed?;
    let index = built.map_err(|e| not_built(file, &e))?;
    event::index_built(version.number, version.identifiers, started.elapsed());
    Ok(index)
}

fn take(mut building: Building, rows: Receiver<Vec<Fed>>) -> Result<Index, IndexError> {
    for fed in rows.into_iter().flatten() {
        match fed {
            Fed::Name(name, row) => building.name(&name, row),
            Fed::Identifier(hash, kind, row) => building.add(hash, kind, row)?,
        }
    }
    building.finish()
}

async fn feed_all(app: &App, version: &Version, feed: SyncSender<Vec<Fed>>) -> Result<()> {
    let bar = progress::bar("indexing", "identifiers", version.identifiers);
    let mut batch = Vec::with_capacity(BATCH);
    let mut send = |fed: Option<Fed>| {
        let is_last = fed.is_none();
        batch.extend(fed);
        if batch.len() == BATCH || is_last {
            // A builder that is gone has failed, and says so itself.
            let _ = feed.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
        }
    };
    app.store.names(|row, name| send(Some(Fed::Name(name, row)))).await?;
    let mut read = 0;
    app.store
        .identifiers_by_hash(|hash, kind, row| {
            send(Some(Fed::Identifier(hash, kind, row)));
            read += 1;
            if read % BATCH as u64 == 0 {
                bar.set_position(read);
            }
        })
        .await?;
    send(None);
    bar.finish_and_clear();
    Ok(())
}

fn not_built(file: &Path, why: &IndexError) -> Error {
    let error = Error::usage(format!("the guard's index cannot be built: {}", file.display())).cause(why);
    match why {
        IndexError::Io { .. } => error.now("make room, or name a file that can be written: index = \"PATH\""),
        _ => error.now("import the directory again"),
    }
}
