//! `directory import`: an export → a new directory version, in one step.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::config::Mapping;
use crate::directory::NewAccount;
use crate::directory::accept::{self, Decision, Found};
use crate::directory::read::{self, BadLines, ReadError};
use crate::directory::table::TableError;
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::pipeline::{App, index};
use crate::progress;
use crate::store::Version;
use crate::telemetry::{Row, event};

/// What an import did.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// The new version's number.
    pub version: i64,
    /// Accounts in it.
    pub accounts: u64,
    /// Identifiers in it.
    pub identifiers: u64,
    /// Accounts that the version before did not have.
    pub new: u64,
    /// Accounts that only the version before had.
    pub gone: u64,
    /// Accounts whose address differs from the version before; names, domains likewise.
    pub changed_address: u64,
    /// Accounts with another name.
    pub changed_name: u64,
    /// Accounts with other domains.
    pub changed_domains: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Reads the export on a blocking thread, batch by batch.
fn read_all(
    file: &Path,
    mapping: &Mapping,
    keys: &Keys,
    feed: &mpsc::Sender<Vec<NewAccount>>,
) -> std::result::Result<BadLines, ReadError> {
    let bar = progress::bytes("importing", std::fs::metadata(file).map_err(TableError::Io)?.len());
    let read =
        read::read(file, mapping, keys, |batch| feed.blocking_send(batch).is_ok(), |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    read
}

/// Loads an export as the new current version.
///
/// # Errors
/// The file cannot be read, has bad lines, conflicts with itself, or differs
/// too much from the version before and no reason is given. The version before
/// then stays current.
pub async fn import(app: &App, file: &Path, reason: Option<&str>) -> Result<Imported> {
    let started = Instant::now();
    let mut session = app.store.begin_import(&app.config.directory, app.keys.id()).await?;
    let (feed, mut batches) = mpsc::channel::<Vec<NewAccount>>(4);
    let reading = {
        let (file, mapping, keys) = (file.to_owned(), app.config.directory.clone(), app.keys.clone());
        tokio::task::spawn_blocking(move || read_all(&file, &mapping, &keys, &feed))
    };
    let mut failed = None;
    while let Some(batch) = batches.recv().await {
        app.metrics.import_rows(Row::Taken, batch.len() as u64);
        if let Err(error) = session.add(batch).await {
            failed = Some(error);
            break;
        }
    }
    drop(batches);
    let bad = reading.await.map_err(|e| Error::unexpected("reading the export failed").cause(&e))?;
    if let Some(error) = failed {
        // What failed first is the news; what stays staged the next import clears.
        let _ = session.abandon().await;
        return Err(error.into());
    }
    let bad = match bad {
        Ok(bad) => bad,
        Err(error) => {
            session.abandon().await?;
            return Err(Error::usage(format!("cannot import {}", file.display()))
                .cause(&error)
                .now("nothing was loaded; the version before is still current"));
        }
    };
    app.metrics.import_rows(Row::Refused, bad.count);
    let found = Found { bad, ..session.found().await? };
    match accept::decide(&found, &app.config.directory, reason) {
        Decision::Accept => {}
        Decision::Refuse(refusal) => {
            session.abandon().await?;
            event::import_refused(&refusal.summary);
            return Err(Error::usage(format!("{} was not imported", file.display()))
                .why(refusal.text)
                .now(refusal.now));
        }
    }
    let spinner = progress::spinner("making the new version current");
    let version = session.commit(reason, app.clock.now_ms()).await?;
    spinner.finish_and_clear();
    renew_index(app, &version).await;
    Ok(Imported {
        version: version.number,
        accounts: version.accounts,
        identifiers: version.identifiers,
        new: found.new,
        gone: found.gone,
        changed_address: found.changed_address,
        changed_name: found.changed_name,
        changed_domains: found.changed_domains,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// The version is current with or without its index: what fails here is said, and
/// the next command that needs the index builds it.
async fn renew_index(app: &App, version: &Version) {
    if let Err(error) = index::renew(app, version).await {
        event::index_not_built(&error);
    }
}
