//! `directory import`: an export → a new directory version, in one step.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::app::App;
use crate::app::directory::calibrate::{self, Calibrated, Gap};
use crate::app::directory::index;
use crate::campaign::State;
use crate::directory::NewAccount;
use crate::directory::accept::{self, Decision, Found, Refusal};
use crate::directory::read::{self, BadLines, ReadError};
use crate::directory::table::TableError;
use crate::error::{Error, Result};
use crate::guard::calibrate::Sample;
use crate::key::Keys;
use crate::mapping::{Column, Mapping};
use crate::progress;
use crate::store::{Import, Version};
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
    /// Accounts of which only other columns differ.
    pub changed_other: u64,
    /// Columns beside those of the version before.
    pub columns: Columns,
    /// What calibration found.
    pub calibration: Calibrated,
    /// Campaigns that were checked by a version before, where this one differs.
    pub under_way: Vec<UnderWay>,
    /// How long it took.
    pub seconds: f64,
}

/// The configuration's columns beside those of the version before.
#[derive(Debug, Default, Serialize)]
pub struct Columns {
    /// Only in this one.
    pub added: Vec<String>,
    /// Only in the version before.
    pub removed: Vec<String>,
    /// In both, read otherwise: of another kind, pattern or list.
    pub changed: Vec<String>,
}

impl Columns {
    /// Whether they are the same.
    pub fn are_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    fn between(before: Option<&Mapping>, now: &Mapping) -> Self {
        let Some(before) = before else { return Self::default() };
        let (was, is) = (&before.columns, &now.columns);
        let lacking = |from: &BTreeMap<String, Column>, of: &BTreeMap<String, Column>| {
            of.keys().filter(|name| !from.contains_key(*name)).cloned().collect()
        };
        let otherwise = is.iter().filter(|(name, column)| was.get(*name).is_some_and(|was| was != *column));
        let changed = otherwise.map(|(name, _)| name.clone()).collect();
        Self { added: lacking(was, is), removed: lacking(is, was), changed }
    }
}

/// A campaign that is not at its end.
#[derive(Debug, Serialize)]
pub struct UnderWay {
    /// The campaign.
    pub campaign: i64,
    /// Where it stands.
    pub state: State,
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

/// What somebody accepts of a version that would be refused.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// Why it may differ more from the version before than `drift_percent_max`.
    pub drift: Option<String>,
    /// Why the guard need not find all of its values, and who says so.
    pub gap: Option<Gap>,
}

impl Accepted {
    /// Drift, for this reason.
    pub fn drift(reason: &str) -> Self {
        Self { drift: Some(reason.to_owned()), ..Self::default() }
    }
}

/// Loads an export as the new current version.
///
/// # Errors
/// The file cannot be read, has bad lines, conflicts with itself, differs too much
/// from the version before, or has values that the guard would not find, and no reason
/// is given. The version before then stays current.
pub async fn import(app: &App, file: &Path, accepted: &Accepted) -> Result<Imported> {
    let reason = accepted.drift.as_deref();
    let started = Instant::now();
    let before = app.store.current_version().await?.map(|version| version.mapping);
    let mut session = app.store.begin_import(&app.config.directory, app.keys.id()).await?;
    let mut sample = Sample::new(&app.config.directory);
    let bad = match stage(app, file, &mut session, &mut sample).await {
        Ok(Ok(bad)) => bad,
        Ok(Err(error)) => {
            session.abandon().await?;
            return Err(unreadable(file, &error, before.is_some()));
        }
        Err(error) => {
            // What failed first is the news; what stays staged the next import clears.
            let _ = session.abandon().await;
            return Err(error);
        }
    };
    app.metrics.import_rows(Row::Refused, bad.count);
    let found = Found { bad, ..session.found().await? };
    if let Decision::Refuse(refusal) = accept::decide(&found, &app.config.directory, reason) {
        session.abandon().await?;
        return Err(refused(file, refusal));
    }
    let calibration = match calibrate::new_version(app, sample.finish(), found.after, accepted).await {
        Ok(calibration) => calibration,
        Err(refused) => {
            session.abandon().await?;
            return Err(refused);
        }
    };
    session.calibrated(calibration.to_json()?);
    let spinner = progress::spinner("making the new version current");
    let version = session.commit(reason, app.clock.now_ms()).await?;
    spinner.finish_and_clear();
    renew_index(app, &version).await;
    let columns = Columns::between(before.as_ref(), &version.mapping);
    let under_way = if found.is_same() && columns.are_same() { Vec::new() } else { under_way(app).await };
    Ok(Imported {
        version: version.number,
        accounts: version.accounts,
        identifiers: version.identifiers,
        new: found.new,
        gone: found.gone,
        changed_address: found.changed_address,
        changed_name: found.changed_name,
        changed_domains: found.changed_domains,
        changed_other: found.changed_other,
        columns,
        calibration,
        under_way,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Stages every account of an export, and shows each to the sample.
async fn stage(
    app: &App,
    file: &Path,
    session: &mut Import,
    sample: &mut Sample,
) -> Result<std::result::Result<BadLines, ReadError>> {
    let (feed, mut batches) = mpsc::channel::<Vec<NewAccount>>(4);
    let reading = {
        let (file, mapping, keys) = (file.to_owned(), app.config.directory.clone(), app.keys.clone());
        tokio::task::spawn_blocking(move || read_all(&file, &mapping, &keys, &feed))
    };
    let mut failed = None;
    while let Some(batch) = batches.recv().await {
        batch.iter().for_each(|account| calibrate::offer(sample, account));
        app.metrics.import_rows(Row::Taken, batch.len() as u64);
        if let Err(error) = session.add(batch).await {
            failed = Some(error);
            break;
        }
    }
    drop(batches);
    let bad = reading.await.map_err(|e| Error::unexpected("reading the export failed").cause(&e))?;
    failed.map_or(Ok(bad), |error| Err(error.into()))
}

fn unreadable(file: &Path, error: &ReadError, has_before: bool) -> Error {
    let now = match has_before {
        true => "nothing was loaded; the version before is still current",
        false => "nothing was loaded, and there is no directory yet; mend it and import again",
    };
    Error::usage(format!("cannot import {}", file.display())).cause(error).now(now)
}

fn refused(file: &Path, refusal: Refusal) -> Error {
    event::import_refused(&refusal.summary);
    Error::usage(format!("{} was not imported", file.display())).why(refusal.text).now(refusal.now)
}

/// The version is current with or without its index: what fails here is said, and
/// the next command that needs the index builds it.
async fn renew_index(app: &App, version: &Version) {
    if let Err(error) = index::renew(app, version).await {
        event::index_not_built(&error);
    }
}

/// Campaigns whose messages were checked by a version before. The version is
/// current: what cannot be read here, the command that needs it says.
async fn under_way(app: &App) -> Vec<UnderWay> {
    let mut open = Vec::new();
    for campaign in app.store.campaigns().await.unwrap_or_default() {
        match app.store.state(campaign.id).await {
            Ok(state @ (State::Checked | State::Approved | State::Sending | State::Paused)) => {
                open.push(UnderWay { campaign: campaign.id, state });
            }
            Ok(State::Frozen | State::Halted | State::Finished) | Err(_) => {}
        }
    }
    open
}
