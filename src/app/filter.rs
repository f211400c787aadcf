//! `guard check`: judges stored messages against the current directory. Its
//! flags, JSON lines and exit codes are a contract.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::account::AccountId;
use crate::address::Address;
use crate::app::App;
use crate::app::campaign::loaded;
use crate::cli::GuardCheck;
use crate::directory::table::{self, Table};
use crate::error::{Error, Exit, Result};
use crate::guard::check::{Judged, judge_file};
use crate::guard::stream::Stream;
use crate::guard::{Allow, Finding, Literal, Rule, Terms};
use crate::render::Template;

/// Judges every file, in the manifest's order; `each` is given each result as
/// it is there. The exit code is [`Exit::Held`] when any was held.
///
/// # Errors
/// The manifest, a file, the template or an account key cannot be used.
pub async fn check(app: &App, args: &GuardCheck, mut each: impl FnMut(&Judged)) -> Result<Exit> {
    let rows = rows(args)?;
    let terms = terms(app, args).await?;
    let guard = loaded::guard(app).await?;
    let version = app.version().await?.number;
    let judge = guard
        .judge(&terms)
        .map_err(|why| Error::usage("the options cannot be used").why(why).now("look at --allow and --must-show"))?;
    let mut run = args.manifest.is_some().then(|| Run::new(&terms));
    let mut exit = Exit::Done;
    for row in rows {
        let bytes = read(&row.path).map_err(|e| {
            Error::usage(format!("cannot read {}", row.path.display())).why(e).now("name a message file that exists")
        })?;
        let records = app.store.records(version, std::slice::from_ref(&row.account)).await?;
        let judged = judge_file(&judge, &row.name, &row.to, &row.account, &bytes, records.get(&row.account));
        match &mut run {
            Some(run) => run.add(row.account, judged, &bytes),
            None => {
                exit = if judged.is_cleared() { exit } else { Exit::Held };
                each(&judged);
            }
        }
    }
    for judged in run.map(Run::finish).unwrap_or_default() {
        exit = if judged.is_cleared() { exit } else { Exit::Held };
        each(&judged);
    }
    Ok(exit)
}

/// A manifest's messages: what they show of one another is told when all are judged.
struct Run {
    stream: Stream,
    judged: Vec<Judged>,
    /// Each message's account, by its number.
    numbers: Vec<u32>,
    accounts: Vec<AccountId>,
    known: HashMap<AccountId, u32>,
}

impl Run {
    fn new(terms: &Terms) -> Self {
        let (judged, numbers, accounts, known) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        Self { stream: Stream::new(terms), judged, numbers, accounts, known }
    }

    fn add(&mut self, account: AccountId, judged: Judged, bytes: &[u8]) {
        let number = *self.known.entry(account).or_insert_with_key(|account| {
            self.accounts.push(account.clone());
            self.accounts.len() as u32 - 1
        });
        self.stream.add(number, bytes);
        self.numbers.push(number);
        self.judged.push(judged);
    }

    fn finish(mut self) -> Vec<Judged> {
        for shared in self.stream.shared(self.accounts.len()) {
            for (one, other) in [(shared.first, shared.second), (shared.second, shared.first)] {
                let finding = shared.finding(&self.accounts[other as usize]);
                let messages = self.judged.iter_mut().zip(&self.numbers).filter(|(_, number)| **number == one);
                messages.for_each(|(judged, _)| judged.hold(finding.clone()));
            }
        }
        self.repeated();
        self.judged
    }

    /// Holds an account's second message, where a manifest has one for each account and not
    /// many for the same few.
    fn repeated(&mut self) {
        let mut first: Vec<Option<usize>> = vec![None; self.accounts.len()];
        let repeats = self.numbers.len() - self.accounts.len();
        if 2 * repeats > self.accounts.len() {
            return;
        }
        for (n, number) in self.numbers.iter().enumerate() {
            let Some(before) = first[*number as usize].replace(n) else { continue };
            if self.judged[before].file == self.judged[n].file {
                continue;
            }
            let shown = format!("the account has another message in this manifest: {}", self.judged[before].file);
            self.judged[n].hold(Finding {
                rule: Rule::Envelope,
                kind: None,
                place: "manifest".into(),
                shown,
                owner: None,
            });
        }
    }
}

struct Stored {
    name: String,
    path: PathBuf,
    to: Address,
    account: AccountId,
}

/// How `guard check` is asked.
const USAGE: &str = "kakitome guard check --to ADDR --account KEY FILE.eml…, or kakitome guard check --manifest FILE.csv with the columns file,to,account";

fn rows(args: &GuardCheck) -> Result<Vec<Stored>> {
    if let Some(manifest) = &args.manifest {
        return manifest_rows(manifest);
    }
    let missing = [
        (args.files.is_empty(), "a file or a manifest"),
        (args.to.is_none(), "the recipient (--to)"),
        (args.account.is_none(), "the account (--account)"),
    ];
    let missing: Vec<&str> = missing.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, what)| what).collect();
    let (Some(to), Some(account), true) = (&args.to, &args.account, missing.is_empty()) else {
        return Err(Error::usage("there is nothing to judge")
            .why(format!("it lacks {}", missing.join(", ")))
            .now(USAGE));
    };
    args.files.iter().map(|file| stored("--to", file, file.clone(), to, account.as_str())).collect()
}

/// A message file; `-` is standard input, as filters have it.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The manifest's rows. A manifest that names no file judges nothing, and so is
/// refused: a filter whose input got lost must not say that all is well.
fn manifest_rows(manifest: &Path) -> Result<Vec<Stored>> {
    const COLUMNS: [&str; 3] = ["file", "to", "account"];
    let fail = |why: &dyn std::fmt::Display| {
        Error::usage(format!("cannot use the manifest {}", manifest.display()))
            .why(why)
            .now("it is a CSV file with the columns file,to,account and a row for each message")
    };
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut table = Table::open(manifest).map_err(|e| fail(&"").cause(&e))?;
    let names: Vec<Option<&str>> = table.names().iter().map(|n| table::named(n, COLUMNS.into_iter())).collect();
    let place = |column: &str| {
        let mut found = names.iter().enumerate().filter(|(_, name)| **name == Some(column)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (None, _) => Err(fail(&format!("it has no column {column}{}", other_separator(table.names())))),
            (Some(_), Some(_)) => Err(fail(&format!("it has the column {column} twice"))),
        }
    };
    let (file, to, account) = (place("file")?, place("to")?, place("account")?);
    let mut rows = Vec::new();
    while let Some((line, cells)) = table.next_row().map_err(|e| fail(&"").cause(&e))? {
        let cells = cells.map_err(|why| fail(&format!("line {line}: {why}")))?;
        let name = Path::new(cells[file].trim());
        if name.as_os_str().is_empty() {
            return Err(fail(&format!("line {line}, column file: it is empty")));
        }
        rows.push(stored(
            &format!("line {line} of the manifest"),
            name,
            folder.join(name),
            &cells[to],
            &cells[account],
        )?);
    }
    if rows.is_empty() {
        return Err(fail(&"it names no file: nothing was judged"));
    }
    Ok(rows)
}

/// What else may part the columns of a table that has one by commas.
fn other_separator(names: &[String]) -> String {
    let sign = match names {
        [name] => {
            [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")].into_iter().find(|(sign, _)| name.contains(*sign))
        }
        _ => None,
    };
    sign.map_or(String::new(), |(_, signs)| format!(": its columns are parted by {signs}, not by commas"))
}

fn stored(place: &str, name: &Path, path: PathBuf, to: &str, account: &str) -> Result<Stored> {
    let to = Address::parse(to)
        .map_err(|e| Error::usage(format!("{place}: the recipient is no address")).why(e).now(USAGE))?;
    let account = AccountId::new(account)
        .map_err(|e| Error::usage(format!("{place}: the account key cannot be used")).why(e).now(USAGE))?;
    Ok(Stored { name: name.display().to_string(), path, to, account })
}

/// A declared file's digest: as it is given, or of the file that is named.
fn digest(given: &str) -> Result<String> {
    if let Ok(hash) = blake3::Hash::from_hex(given) {
        return Ok(hash.to_hex().to_string());
    }
    match std::fs::read(given) {
        Ok(bytes) => Ok(blake3::hash(&bytes).to_hex().to_string()),
        Err(e) => Err(Error::usage(format!("--attach {given}: it is neither a BLAKE3 digest nor a file"))
            .why(e)
            .now("give 64 hexadecimal digits, or a file's path")),
    }
}

async fn terms(app: &App, args: &GuardCheck) -> Result<Terms> {
    let literal = match &args.template {
        None => Vec::new(),
        Some(folder) => Template::load(folder)
            .map_err(|e| {
                Error::usage(format!("the template {} cannot be used", folder.display()))
                    .cause(&e)
                    .now("--template names a folder with subject.txt, and body.html, body.txt or both")
            })?
            .literals()
            .into_iter()
            .map(|l| Literal { html: l.html, text: l.text })
            .collect(),
    };
    let columns = app.version().await?.mapping.columns;
    if let Some(unknown) = args.must_show.iter().find(|column| !columns.contains_key(*column)) {
        return Err(Error::usage(format!("--must-show {unknown}: the directory has no such column"))
            .now("name one of the columns of [directory.columns]"));
    }
    let allow = args.allow.iter().map(|value| Allow { value: value.clone(), reason: "--allow".into() }).collect();
    let attachments = args.attach.iter().map(|given| digest(given)).collect::<Result<Vec<String>>>()?;
    Ok(Terms { campaign: None, revision: 0, literal, allow, must_show: args.must_show.clone(), attachments })
}
