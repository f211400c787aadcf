//! That a clean newsletter is never held, at a registrar's scale: proper messages
//! of twelve templates, each to another account, judged against a directory in
//! which every number of the member IDs' range is somebody's.
//!
//! `cargo bench --bench clean [-- MESSAGES ACCOUNTS [INDEX] [FOLDER/]]`, for example
//! `-- 1000000 10000000`; what is held is written to FOLDER, with what was found in it. Prints
//! for each template how many messages were judged and held, what rendering and judging one
//! took, and of what was found the rule, the kind, the place and the masked value; on the way,
//! how far it is. Ends with 1 if any message was held, or if a template could not have been frozen because its literal text names an account.
//!
//! The index is a file, built from rows that are sorted in files: memory does not
//! grow with the accounts, but for their keys. One that stands at the path INDEX
//! already is used as it is; its name ends in
//! `.index`, and it must be of as many accounts.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kakitome::account::{AccountId, Kind};
use kakitome::directory::NewEntry;
use kakitome::guard::index::{Accounts, Building, Edition};
use kakitome::guard::{Finding, Guard, Index};
use rayon::prelude::*;

use newsletters::{FIRST_ID, Newsletter, Registrar, extra, newsletters};

#[path = "../tests/support/newsletters.rs"]
mod newsletters;

/// Accounts whose rows are made at once.
const BATCH: u64 = 5_000;
/// Files that rows are sorted in, by the first byte of their hashes.
const FILES: usize = 256;
/// Messages after which it is said how far it is.
const SLICE: usize = 20_000;
/// Findings that are printed of one template.
const PRINTED: usize = 20;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let messages = numbers.first().copied().unwrap_or(24_000);
    let accounts = numbers.get(1).copied().unwrap_or(20_000);
    let registrar = Registrar::new(accounts);
    let folder = tempfile::tempdir().expect("a folder");
    let started = Instant::now();
    let is_path = |arg: &String| arg.ends_with(".index");
    let file = std::env::args().find(is_path).map_or_else(|| folder.path().join("clean.index"), PathBuf::from);
    let index = if file.exists() {
        Index::open(&file, &registrar.keys).expect("an index of this benchmark")
    } else {
        build(&registrar, folder.path(), &file)
    };
    println!(
        "{accounts} accounts from {FIRST_ID}, {} identifiers, the index ready after {:.0} s",
        index.len(),
        started.elapsed().as_secs_f64()
    );
    let guard = Guard::new(registrar.mapping.clone(), registrar.keys.clone(), index).expect("a guard");
    let campaigns = newsletters(&registrar.keys);
    let started = Instant::now();
    let folder = std::env::args().find(|arg| arg.ends_with('/')).map(PathBuf::from);
    let tallies = judge(&registrar, &guard, &campaigns, (messages, folder.as_deref()));
    let seconds = started.elapsed().as_secs_f64();
    let mut faults = 0;
    println!("{:<18}{:>10}{:>8}{:>8}{:>8}", "template", "messages", "KB", "µs", "held");
    for (campaign, tally) in campaigns.iter().zip(tallies) {
        faults += tally.held;
        println!(
            "{:<18}{:>10}{:>8.1}{:>8}{:>8}",
            campaign.name,
            tally.messages,
            tally.bytes as f64 / tally.messages.max(1) as f64 / 1e3,
            tally.nanoseconds / tally.messages.max(1) / 1_000,
            tally.held
        );
        for (found, count) in tally.found.iter().take(PRINTED) {
            println!("    {count} × {found}");
        }
        for named in campaign.lint(&guard) {
            faults += 1;
            println!("    could not be frozen: {named}");
        }
    }
    println!(
        "{messages} messages in {seconds:.0} s, {:.0} messages/s: {faults} false alarms",
        messages as f64 / seconds
    );
    if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was judged of one template.
#[derive(Default)]
struct Tally {
    messages: u64,
    bytes: u64,
    held: u64,
    nanoseconds: u64,
    found: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, bytes: usize, findings: &[Finding], took: Duration) {
        self.nanoseconds += took.as_nanos() as u64;
        self.messages += 1;
        self.bytes += bytes as u64;
        self.held += u64::from(!findings.is_empty());
        for finding in findings {
            *self.found.entry(told(finding)).or_default() += 1;
        }
    }
}

/// A finding in a line, its value masked.
fn told(finding: &Finding) -> String {
    let kind = finding.kind.map_or("", Kind::as_str);
    format!("{} {kind} at {}: {}", finding.rule.as_str(), finding.place, finding.shown)
}

/// Renders and judges messages, the templates in turn, each to the next account
/// of a walk that visits all before it comes back.
fn judge(
    registrar: &Registrar,
    guard: &Guard,
    campaigns: &[Newsletter],
    (messages, folder): (u64, Option<&Path>),
) -> Vec<Tally> {
    let reader = registrar.reader();
    let judges: Vec<_> = campaigns.iter().map(|c| guard.judge(&c.terms).expect("the terms are good")).collect();
    let tallies: Vec<_> = campaigns.iter().map(|_| Mutex::new(Tally::default())).collect();
    let started = Instant::now();
    let one = |message: u64| {
        let which = message as usize % campaigns.len();
        // A prime step.
        let number = message * 7_919 % registrar.accounts;
        let record = registrar.account(&reader, number).record;
        let begun = Instant::now();
        let (bytes, findings) = campaigns[which].judge(&judges[which], &record, extra(number));
        let took = begun.elapsed();
        if let Some(folder) = folder.filter(|_| !findings.is_empty()) {
            let message = campaigns[which].render(record, extra(number));
            let path = folder.join(format!("{}-{number}.eml", campaigns[which].name));
            std::fs::write(&path, message.bytes()).expect("a held message");
            let found: Vec<String> = findings.iter().map(told).collect();
            std::fs::write(path.with_extension("txt"), found.join("\n")).expect("what was found in it");
        }
        tallies[which].lock().expect("a tally").add(bytes, &findings, took);
    };
    for from in (0..messages).step_by(SLICE) {
        let to = messages.min(from + SLICE as u64);
        (from..to).into_par_iter().for_each(one);
        let held: u64 = tallies.iter().map(|tally| tally.lock().expect("a tally").held).sum();
        eprintln!("{to} messages in {:.0} s, {held} held", started.elapsed().as_secs_f64());
    }
    tallies.into_iter().map(|tally| tally.into_inner().expect("a tally")).collect()
}

/// Builds the directory's index.
fn build(registrar: &Registrar, folder: &Path, file: &Path) -> Index {
    let rows = Rows::new(folder);
    let names = Mutex::new(HashSet::new());
    let reader = registrar.reader();
    (0..registrar.accounts.div_ceil(BATCH)).into_par_iter().for_each(|batch| {
        let numbers = batch * BATCH..registrar.accounts.min((batch + 1) * BATCH);
        let mut made: Vec<Vec<u8>> = vec![Vec::new(); FILES];
        let mut own = HashSet::new();
        for number in numbers {
            for NewEntry { kind, hash, name, .. } in registrar.account(&reader, number).entries {
                own.extend(name);
                let row = &mut made[(hash >> 120) as usize];
                row.extend_from_slice(&hash.to_be_bytes());
                row.extend_from_slice(&(number as u32).to_be_bytes());
                row.push(kind.code());
            }
        }
        rows.add(&made);
        names.lock().expect("the names").extend(own);
    });
    let mut accounts = Accounts::default();
    for number in 0..registrar.accounts {
        let account = AccountId::new(&format!("{:08}", FIRST_ID + number)).expect("a key");
        accounts.push(number as i64, &account).expect("rows grow");
    }
    let edition = Edition { version: 1, digest: [0; 32], identifiers: rows.count.load(Ordering::Relaxed) };
    let mut building = Building::begin(file, &registrar.keys, edition, accounts).expect("a file");
    // Of a name its beginning alone is noted, whoever has it.
    names.into_inner().expect("the names").iter().for_each(|name| building.name(name, 0));
    rows.each(|hash, kind, row| building.add(hash, kind, row).expect("in order"));
    building.finish().expect("the index proves itself")
}

/// Rows in files by the first byte of their hashes: hash, account, kind.
struct Rows {
    files: Vec<(PathBuf, Mutex<File>)>,
    count: AtomicU64,
}

/// Bytes of a row.
const ROW: usize = 21;

impl Rows {
    fn new(folder: &Path) -> Self {
        let file = |n: usize| {
            let path = folder.join(format!("{n}.rows"));
            (path.clone(), Mutex::new(File::create(path).expect("a file")))
        };
        Self { files: (0..FILES).map(file).collect(), count: AtomicU64::new(0) }
    }

    fn add(&self, made: &[Vec<u8>]) {
        for ((_, file), rows) in self.files.iter().zip(made) {
            self.count.fetch_add((rows.len() / ROW) as u64, Ordering::Relaxed);
            file.lock().expect("a file").write_all(rows).expect("room on the disk");
        }
    }

    /// Every row in the order of its hash.
    fn each(self, mut take: impl FnMut(u128, Kind, i64)) {
        for (path, _) in self.files {
            let bytes = std::fs::read(&path).expect("the rows");
            std::fs::remove_file(path).expect("the rows");
            let mut rows = bytes.as_chunks::<ROW>().0.to_vec();
            rows.par_sort_unstable();
            for [row @ .., code] in rows {
                let (hash, number) = row.split_at(16);
                let hash = u128::from_be_bytes(hash.try_into().expect("16 bytes"));
                let number = u32::from_be_bytes(number.try_into().expect("4 bytes"));
                take(hash, Kind::from_code(code).expect("a kind"), i64::from(number));
            }
        }
    }
}
