//! What an audience says in its extra columns, beside the directory.
//!
//! A declared column's values join the guard's index for this campaign, each
//! owned by one account of the snapshot. Whatever else a row says is looked up in
//! the directory: a value of another account means that the rows are shifted, and
//! the row is held. Values that identify nobody are left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::account::{AccountId, Kind, Record};
use crate::address::mask;
use crate::app::App;
use crate::app::campaign::loaded::LoadedCampaign;
use crate::app::campaign::mistakes::Mistakes;
use crate::app::campaign::{check, definition, freeze};
use crate::audience::Row;
use crate::campaign::{Campaign, Definition};
use crate::directory::read::BadLine;
use crate::error::{Error, Exit, Result};
use crate::guard::overlay::{BadCell, Builder, Columns, Conflict};
use crate::guard::{Finding, Guard, Overlay};
use crate::mapping::Mapping;

/// Snapshot rows read together.
const PAGE: usize = 10_000;
/// Findings of one row that are kept.
const FINDINGS_MAX: usize = 3;
/// Values that are named when several accounts have them.
const CONFLICTS_MAX: usize = 10;

/// The columns that a campaign file declares.
///
/// # Errors
/// One of them cannot be used.
pub fn columns(definition: &Definition) -> Result<Columns> {
    Columns::new(&definition.extra).map_err(|why| {
        Error::usage("the campaign's extra columns cannot be used").why(why).now("mend [extra.…] in the campaign file")
    })
}

/// Whether the audience has what the campaign file declares.
///
/// # Errors
/// A declared column is not there, or is the directory's.
pub fn lint(definition: &Definition, mapping: &Mapping, extra: &[String]) -> Result<()> {
    columns(definition)?;
    let Some(name) = definition.extra.keys().find(|name| !extra.contains(name)) else { return Ok(()) };
    let is_directorys = mapping.columns.contains_key(name);
    let why = if is_directorys { "it is a column of the directory" } else { "the audience has no such column" };
    Err(Error::usage(format!("extra.{name} cannot be declared")).why(why).now("mend [extra.…] in the campaign file"))
}

/// The declared identifiers of a frozen campaign, whole.
///
/// # Errors
/// The snapshot is not complete or says what it could not have when it was
/// frozen, or the store fails.
pub async fn snapshot(app: &App, campaign: &Campaign) -> Result<Overlay> {
    let broken = |why: String| {
        Error::unexpected(format!("the snapshot of campaign {} cannot be used", campaign.id))
            .why(why)
            .now("freeze the campaign again")
    };
    let mut builder = Builder::new(columns(&campaign.definition)?);
    let (mut after, mut rows) = (-1, 0);
    loop {
        let page = app.store.snapshot(campaign.id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.ord;
        rows += page.len() as u64;
        for row in &page {
            let bad = |bad: BadCell| broken(format!("account {}, {}: {}", row.account, bad.column, bad.why));
            builder.add(&app.keys, &row.account, &row.extra).map_err(bad)?;
        }
    }
    if rows != campaign.accounts {
        return Err(broken(format!("it has {rows} rows of {}", campaign.accounts)));
    }
    let overlay = builder.finish();
    match overlay.conflicts(0) {
        (0, _) => Ok(overlay),
        (count, _) => Err(broken(format!("{count} values belong to more than one account"))),
    }
}

/// Reads rows while a campaign is frozen.
pub(in crate::app) struct Extras {
    guard: Arc<Guard>,
    bound: Arc<LoadedCampaign>,
    /// Columns that are declared to identify nobody.
    texts: Arc<BTreeSet<String>>,
    builder: Builder,
}

impl Extras {
    pub fn new(definition: &Definition, guard: Arc<Guard>, bound: Arc<LoadedCampaign>) -> Result<Self> {
        let texts = definition.extra.iter().filter(|(_, column)| column.kind == Kind::Text);
        let texts = Arc::new(texts.map(|(name, _)| name.clone()).collect());
        Ok(Self { guard, bound, texts, builder: Builder::new(columns(definition)?) })
    }

    /// Takes in rows with their records, and gives them back with what in each is
    /// another account's.
    pub async fn take(
        &mut self,
        app: &App,
        rows: Vec<(Row, Record)>,
        mistakes: &mut Mistakes,
    ) -> Result<Vec<(Row, Record, Vec<Finding>)>> {
        for (row, _) in &rows {
            if let Err(BadCell { column, why }) = self.builder.add(&app.keys, &row.account, &row.extra) {
                mistakes.add(BadLine { line: row.line, column: Some(column), why: why.to_owned() });
            }
        }
        let (guard, bound, texts) = (self.guard.clone(), self.bound.clone(), self.texts.clone());
        let read = move || {
            let judge = check::judge_of(&guard, &bound)?;
            let look = |(row, record): (Row, Record)| {
                let cells = row.extra.iter().filter(|(name, _)| !texts.contains(*name));
                let cells = cells.map(|(name, cell)| (name.as_str(), cell.as_str()));
                let mut found = judge.foreign_cells(&record, &format!("audience line {}", row.line), cells);
                found.truncate(FINDINGS_MAX);
                (row, record, found)
            };
            Ok(rows.into_par_iter().map(look).collect())
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|e| Error::unexpected("reading the audience failed").cause(&e))?
    }

    /// Everything declared, each value with one account; the literal text looked
    /// up in it.
    pub fn finish(self, app: &App, audience: &Path, definition: &Definition, mapping: &Mapping) -> Result<()> {
        let overlay = self.builder.finish();
        let (count, conflicts) = overlay.conflicts(CONFLICTS_MAX);
        if count > 0 {
            return Err(conflicting(app, audience, definition, mapping, count, &conflicts)?);
        }
        definition::lint_literal(&self.guard, &self.bound, &overlay)
    }
}

/// The error that names the lines of values which several accounts have: the
/// file is read again, since lines are not kept for a whole audience.
fn conflicting(
    app: &App,
    audience: &Path,
    definition: &Definition,
    mapping: &Mapping,
    count: u64,
    conflicts: &[Conflict],
) -> Result<Error> {
    let columns = columns(definition)?;
    let accounts: BTreeSet<&AccountId> = conflicts.iter().flat_map(|conflict| &conflict.accounts).collect();
    let mut lines: BTreeMap<u128, Vec<String>> = BTreeMap::new();
    for row in freeze::read_audience(audience, mapping)?.flatten().filter(|row| accounts.contains(&row.account)) {
        for (hash, column, value) in columns.hashes(&app.keys, &row.extra).unwrap_or_default() {
            if conflicts.iter().any(|conflict| conflict.hash == hash) {
                let line = format!("line {}, column {column}: {}", row.line, mask(&value));
                lines.entry(hash).or_default().push(line);
            }
        }
    }
    let named: Vec<String> = lines.into_values().map(|lines| format!("\n  {}", lines.join(" and "))).collect();
    Ok(Error::new(Exit::Held, format!("{count} values of the audience belong to more than one account"))
        .why(named.concat())
        .now("give each value to one account; where it is shared on purpose, say exclusive = false for its column"))
}
