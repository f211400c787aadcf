//! `guard check`: judges stored messages against the current directory. Its
//! flags, JSON lines and exit codes are a contract.

use std::path::{Path, PathBuf};

use crate::account::AccountId;
use crate::address::Address;
use crate::cli::GuardCheck;
use crate::error::{Error, Exit, Result};
use crate::guard::check::{Judged, judge_file};
use crate::guard::{Allow, Literal, Terms};
use crate::pipeline::{App, bound};
use crate::render::Template;

/// One file to judge.
#[derive(Debug, serde::Deserialize)]
struct Row {
    file: PathBuf,
    to: String,
    account: String,
}

/// Judges every file, in the manifest's order; `each` is given each result as
/// it is there. The exit code is [`Exit::Held`] when any was held.
///
/// # Errors
/// The manifest, a file, the template or an account key cannot be used.
pub async fn check(app: &App, args: &GuardCheck, mut each: impl FnMut(&Judged)) -> Result<Exit> {
    let rows = rows(args)?;
    let terms = terms(app, args).await?;
    let guard = bound::guard(app).await?;
    let version = app.version().await?.number;
    let judge = guard.judge(&terms).map_err(|why| Error::usage("the options cannot be used").why(why))?;
    let mut exit = Exit::Done;
    for row in rows {
        let bytes =
            std::fs::read(&row.path).map_err(|e| Error::usage(format!("cannot read {}", row.path.display())).why(e))?;
        let records = app.store.records(version, std::slice::from_ref(&row.account)).await?;
        let judged = judge_file(&judge, &row.name, &row.to, &row.account, &bytes, records.get(&row.account));
        if !judged.is_cleared() {
            exit = Exit::Held;
        }
        each(&judged);
    }
    Ok(exit)
}

struct Stored {
    name: String,
    path: PathBuf,
    to: Address,
    account: AccountId,
}

fn rows(args: &GuardCheck) -> Result<Vec<Stored>> {
    let Some(manifest) = &args.manifest else {
        let to = args.to.as_deref().unwrap_or_default();
        let account = args.account.as_ref().map_or("", AccountId::as_str);
        return args.files.iter().map(|file| stored("--to", file, file.clone(), to, account)).collect();
    };
    let fail = |why: &dyn std::fmt::Display| {
        Error::usage(format!("cannot use the manifest {}", manifest.display()))
            .why(why)
            .now("it is a CSV file with the columns file,to,account")
    };
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(manifest).map_err(|e| fail(&e))?;
    let mut rows = Vec::new();
    for (n, row) in reader.deserialize().enumerate() {
        let row: Row = row.map_err(|e| fail(&e))?;
        rows.push(stored(
            &format!("row {} of the manifest", n + 1),
            &row.file,
            folder.join(&row.file),
            &row.to,
            &row.account,
        )?);
    }
    Ok(rows)
}

fn stored(place: &str, name: &Path, path: PathBuf, to: &str, account: &str) -> Result<Stored> {
    let to = Address::parse(to).map_err(|e| Error::usage(format!("{place}: the recipient is no address")).why(e))?;
    let account =
        AccountId::new(account).map_err(|e| Error::usage(format!("{place}: the account key cannot be used")).why(e))?;
    Ok(Stored { name: name.display().to_string(), path, to, account })
}

async fn terms(app: &App, args: &GuardCheck) -> Result<Terms> {
    let literal = match &args.template {
        None => Vec::new(),
        Some(folder) => Template::load(folder)
            .map_err(|e| Error::usage(format!("the template {} cannot be used", folder.display())).cause(&e))?
            .literals()
            .into_iter()
            .map(|l| Literal { html: l.html, text: l.text })
            .collect(),
    };
    let columns = app.version().await?.mapping.columns;
    if let Some(unknown) = args.must_show.iter().find(|column| !columns.contains_key(*column)) {
        return Err(Error::usage(format!("--must-show {unknown}: the directory has no such column")));
    }
    let allow = args.allow.iter().map(|value| Allow { value: value.clone(), reason: "--allow".into() }).collect();
    Ok(Terms { campaign: None, literal, allow, must_show: args.must_show.clone() })
}
