//! A made-up registrar: its export, a campaign's audience, and the files of the
//! accident. Seeded: the same count and seed give the same bytes.
//!
//! Who they are is [`crate::demo::people`]'s.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::demo::people::{COLUMNS, Customer, customer, member_id};
use crate::error::{Error, Result};

/// The files that a demo works with.
#[derive(Debug)]
pub struct Files {
    /// The registrar's export.
    pub directory: PathBuf,
    /// The same export with names and domains one row off.
    pub shifted_directory: PathBuf,
    /// The newsletter's campaign file.
    pub campaign: PathBuf,
    /// The accident's campaign file.
    pub accident: PathBuf,
}

/// Writes an export of the whole directory.
///
/// # Errors
/// The file cannot be written.
pub fn write_directory(path: &Path, accounts: u64, seed: u64) -> Result<()> {
    write_export(path, accounts, seed, 0)
}

/// Writes an export in which names, companies and domains come from the row
/// below: the join is one off, the addresses are right.
///
/// # Errors
/// The file cannot be written.
pub fn write_shifted_directory(path: &Path, accounts: u64, seed: u64) -> Result<()> {
    write_export(path, accounts, seed, 1)
}

fn write_export(path: &Path, accounts: u64, seed: u64, shift: u64) -> Result<()> {
    write_csv(path, &COLUMNS, accounts, |number| {
        let own = customer(number, accounts, seed);
        let shown = customer((number + shift) % accounts, accounts, seed);
        let Customer { name, company, domains, .. } = shown;
        Customer { name, company, domains, ..own }.row().into()
    })
}

/// Writes a campaign's audience.
///
/// # Errors
/// The file cannot be written.
pub fn write_audience(path: &Path, accounts: u64, seed: u64) -> Result<()> {
    write_csv(path, &["member_id"], accounts, |number| vec![member_id(number, accounts, seed)])
}

/// Writes the accident's audience: what is shown comes from the row below.
///
/// # Errors
/// The file cannot be written.
pub fn write_shifted_audience(path: &Path, accounts: u64, seed: u64) -> Result<()> {
    write_csv(path, &["member_id", "shown_id", "shown_name", "shown_domains"], accounts, |number| {
        let shown = customer((number + 1) % accounts, accounts, seed);
        vec![member_id(number, accounts, seed), shown.member_id, shown.name, shown.domains.join(";")]
    })
}

fn write_csv(path: &Path, head: &[&str], rows: u64, row: impl Fn(u64) -> Vec<String>) -> Result<()> {
    let fail = |e: csv::Error| Error::usage(format!("cannot write {}", path.display())).cause(&e);
    let mut csv = csv::Writer::from_path(path).map_err(fail)?;
    csv.write_record(head).map_err(fail)?;
    for number in 0..rows {
        csv.write_record(row(number)).map_err(fail)?;
    }
    csv.flush().map_err(|e| fail(e.into()))
}

const NEWSLETTER: [(&str, &str); 3] = [
    ("subject.txt", include_str!("../../templates/newsletter/subject.txt")),
    ("body.html", include_str!("../../templates/newsletter/body.html")),
    ("body.txt", include_str!("../../templates/newsletter/body.txt")),
];
const ACCIDENT: [(&str, &str); 2] = [
    ("subject.txt", include_str!("../../templates/accident/subject.txt")),
    ("body.txt", include_str!("../../templates/accident/body.txt")),
];

/// Writes every file of the demo but its configuration.
///
/// # Errors
/// A file cannot be written.
pub fn registrar(folder: &Path, accounts: u64, seed: u64) -> Result<Files> {
    let files = Files {
        directory: folder.join("directory.csv"),
        shifted_directory: folder.join("directory-shifted.csv"),
        campaign: folder.join("campaign.toml"),
        accident: folder.join("accident.toml"),
    };
    write_directory(&files.directory, accounts, seed)?;
    write_shifted_directory(&files.shifted_directory, accounts, seed)?;
    write_audience(&folder.join("audience.csv"), accounts, seed)?;
    write_shifted_audience(&folder.join("accident.csv"), accounts, seed)?;
    write_template(&folder.join("newsletter"), &NEWSLETTER)?;
    write_template(&folder.join("accident"), &ACCIDENT)?;
    let staff: Vec<String> = (0..2).map(|number| format!("{:?}", member_id(number, accounts, seed))).collect();
    write(&files.campaign, &CAMPAIGN.replace("STAFF", &staff.join(", ")))?;
    write(&files.accident, ACCIDENT_CAMPAIGN)?;
    Ok(files)
}

fn write_template(folder: &Path, files: &[(&str, &str)]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::usage(format!("cannot write {}", folder.display())).why(e))?;
    files.iter().try_for_each(|(name, text)| write(&folder.join(name), text))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| Error::usage(format!("cannot write {}", path.display())).why(e))
}

/// The demo's configuration.
pub fn config(smtp_url: &str) -> String {
    CONFIG.replace("SMTP_URL", smtp_url)
}

const CONFIG: &str = r#"store = "sqlite:kakitome.db"

[directory]
account = "member_id"
address = "email"

[directory.columns]
member_id = { kind = "id", pattern = "[0-9]{8}" }
email     = { kind = "email" }
name      = { kind = "person" }
company   = { kind = "organisation" }
phone     = { kind = "phone", country = "JP" }
domains   = { kind = "domain", list = ";" }
auth_code = { kind = "secret" }
plan      = { kind = "text" }

[smtp]
url = "SMTP_URL"
connections = 8
rate = "100000/s"
rate_per_domain = "100000/s"
hello = "demo.registrar.example"
retry_first = "500ms"

[links]
base = "https://mail.registrar.example/k"
"#;

const CAMPAIGN: &str = r#"name = "December newsletter"
from = "Registrar News <news@registrar.example>"
template = "newsletter"
audience = "audience.csv"
must_show = ["member_id", "name"]
seed = 1
allow = [{ value = "registrar.example", reason = "our own site" }]

[[stage]]
name = "staff"
accounts = [STAFF]
soak = "200ms"
[[stage]]
name = "canary"
count = 50
soak = "200ms"
approval = true
[[stage]]
name = "wave"
percent = 10
soak = "200ms"
[[stage]]
name = "rest"
percent = 100
"#;

/// As that registrar would have set it up: everybody at once, nothing that must
/// be shown, every gate open, and what the columns show passed off as text, so
/// that the guard alone stands in the way.
const ACCIDENT_CAMPAIGN: &str = r#"name = "About your domains"
from = "Registrar News <news@registrar.example>"
template = "accident"
audience = "accident.csv"
held_max = 1000000000
rejected_percent_max = 100.0
deferred_percent_max = 100.0
allow = [{ value = "registrar.example", reason = "our own site" }]

[[stage]]
name = "everybody"
percent = 100

[extra]
shown_id = { kind = "text" }
shown_name = { kind = "text" }
shown_domains = { kind = "text" }
"#;
