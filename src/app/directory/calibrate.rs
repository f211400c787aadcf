//! Calibration of a directory: before a version becomes current, and again by
//! `directory calibrate`.
//!
//! Input: a sample of accounts. Output: what the guard found of their values, which is
//! kept with the version. Below 100 % a version is refused unless somebody accepts the
//! gap by name and reason.

use serde::{Deserialize, Serialize};

use crate::account::{AccountId, Field, Kind, Record};
use crate::app::App;
use crate::app::directory::import::Accepted;
use crate::directory::NewAccount;
use crate::directory::row::{Cell, Reader};
use crate::error::{Error, Exit, Result};
use crate::guard::calibrate::{Calibration, Sample, Sampled, calibrate};
use crate::guard::find;
use crate::guard::index::Entry;
use crate::key::Keys;
use crate::mapping::Mapping;
use crate::progress;
use crate::report::{AcceptedGap, CalibratedKind, CalibrationReport};
use crate::store::Version;

/// What calibration found of a version, and what was accepted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibrated {
    /// What it found.
    #[serde(flatten)]
    pub found: Calibration,
    /// Who accepted what was not found, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Gap>,
    /// What an operator should know of the columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The accounts that were tried: the same are tried again.
    #[serde(default)]
    pub sample: Vec<AccountId>,
}

/// A gap that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Calibrated {
    /// As the store keeps it.
    ///
    /// # Errors
    /// Never, but for a bug.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::unexpected("the calibration cannot be written").cause(&e))
    }

    /// What the store kept; `None` where it cannot be read.
    pub fn from_json(told: &str) -> Option<Self> {
        serde_json::from_str(told).ok()
    }
}

/// Shows a sample an account of an import.
pub fn offer(sample: &mut Sample, account: &NewAccount) {
    sample.offer(&account.record, || entries(account));
}

fn entries(account: &NewAccount) -> Vec<Entry> {
    let entry = |entry: &crate::directory::NewEntry| Entry {
        kind: entry.kind,
        hash: entry.hash,
        name: entry.name.clone(),
        account: account.record.account.clone(),
    };
    account.entries.iter().map(entry).collect()
}

/// Calibrates a version that is about to become current.
///
/// # Errors
/// Something is not found, and nobody accepts that (exit 3).
pub async fn new_version(app: &App, sample: Vec<Sampled>, accounts: u64, accepted: &Accepted) -> Result<Calibrated> {
    let mut done = run(app.config.directory.clone(), app.keys.clone(), sample, accounts).await?;
    if done.found.is_complete() {
        return Ok(done);
    }
    let Some(gap) = &accepted.gap else {
        let why = format!("the guard would not find all of its values\n  {}", done.found.gaps().join("\n  "));
        return Err(Error::new(Exit::Held, "the directory was not imported").why(why).now(
            "correct the column's kind, pattern or country in [directory.columns], or accept the gap: --accept-gap REASON --by NAME; the version before is still current",
        ));
    };
    done.accepted = Some(gap.clone());
    Ok(done)
}

/// The calibration of a version in numbers, as checks and campaigns' reports tell it; `None`
/// where the version was imported without one.
pub fn report(version: &Version) -> Option<CalibrationReport> {
    let done = version.calibration.as_deref().and_then(Calibrated::from_json)?;
    let (tried, found, own_held) = done.found.totals();
    let kind = |kind: Kind| {
        let columns = done.found.columns.iter().filter(|column| column.kind == kind);
        let none = CalibratedKind { kind, tried: 0, found: 0, own_held: 0 };
        columns.fold(none, |sum, column| CalibratedKind {
            kind,
            tried: sum.tried + column.tried,
            found: sum.found + column.found,
            own_held: sum.own_held + column.own_held,
        })
    };
    let mut kinds: Vec<Kind> = done.found.columns.iter().map(|column| column.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Some(CalibrationReport {
        version: version.number,
        tried,
        found,
        own_held,
        kinds: kinds.into_iter().map(kind).collect(),
        accepted: done.accepted.map(|Gap { by, reason }| AcceptedGap { by, reason }),
    })
}

/// Calibrates the current version once more.
///
/// # Errors
/// There is none, or the store fails.
pub async fn current_version(app: &App) -> Result<Calibrated> {
    let version = app.version().await?;
    let sample = sample_of(app, &version).await?;
    run(version.mapping.clone(), app.keys.clone(), sample, version.accounts).await
}

async fn run(mapping: Mapping, keys: Keys, sample: Vec<Sampled>, accounts: u64) -> Result<Calibrated> {
    let spinner = progress::spinner("calibrating the guard");
    let tried = sample.iter().map(|sampled| sampled.record.account.clone()).collect();
    let notes = notes(&mapping);
    let done = tokio::task::spawn_blocking(move || calibrate(&mapping, &keys, &sample, accounts));
    let found = done.await.map_err(|e| Error::unexpected("calibrating the guard failed").cause(&e))?;
    spinner.finish_and_clear();
    let found = found.map_err(|why| Error::usage("the guard cannot be calibrated").why(why))?;
    Ok(Calibrated { found, accepted: None, notes, sample: tried })
}

/// What an operator should know of the columns of a mapping.
fn notes(mapping: &Mapping) -> Vec<String> {
    let is_ordinary = |pattern: &String| find::pattern::is_ordinary(pattern);
    let ordinary = mapping.columns.iter().filter(|(_, column)| column.pattern.as_ref().is_some_and(is_ordinary));
    let note = |(name, _): (&String, _)| {
        format!(
            "IDs of column {name} cannot be told from years, times and quantities; they are looked for behind a label only (\"ID\", \"No.\", \"{name}\", and their like in other languages)"
        )
    };
    ordinary.map(note).collect()
}

/// The accounts that were tried when a version was imported; where that is not known, its
/// first ones.
async fn sample_of(app: &App, version: &Version) -> Result<Vec<Sampled>> {
    const ACCOUNTS: usize = 200;
    let kept = version.calibration.as_deref().and_then(Calibrated::from_json);
    let mut keys = kept.map(|kept| kept.sample).unwrap_or_default();
    if keys.is_empty() {
        app.store
            .account_rows(version.number, |_, account| {
                if keys.len() < ACCOUNTS {
                    keys.push(account);
                }
            })
            .await?;
    }
    let mut records = app.store.records(version.number, &keys).await?;
    let reader =
        Reader::new(&version.mapping, &app.keys).map_err(|why| Error::usage("a pattern is invalid").why(why))?;
    let sampled = |record: Record| {
        let cells: Vec<(String, Cell)> =
            record.fields.iter().map(|(name, field)| (name.clone(), cell(field))).collect();
        let account = reader.account(1, &cells).ok()?;
        Some(Sampled { entries: entries(&account), record: account.record })
    };
    Ok(keys.iter().filter_map(|key| records.remove(key)).filter_map(sampled).collect())
}

fn cell(field: &Field) -> Cell {
    match field {
        Field::One(value) => Cell::Text(value.clone()),
        Field::Many(values) => Cell::List(values.clone()),
    }
}
