//! `campaign preview`: finished messages to look at, .eml and .html side by
//! side with the guard's verdict, and an index page.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::account::{AccountId, Recipient};
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::guard::{Candidate, Guard, Verdict};
use crate::pipeline::bound::{self, Bound};
use crate::pipeline::{App, check};
use crate::render::cover;
use crate::report::{Head, PreviewIndex, PreviewMember};

/// Accounts among which the edge members are chosen.
const CANDIDATES: usize = 4_000;

/// One message on disk.
#[derive(Debug, Serialize)]
pub struct Previewed {
    /// The account.
    pub account: AccountId,
    /// Why it was chosen.
    pub why: String,
    /// The message's file.
    pub eml: PathBuf,
    /// Its HTML body's file, if it has one.
    pub html: Option<PathBuf>,
    /// What the guard says of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What was written.
#[derive(Debug, Serialize)]
pub struct Previews {
    /// The index page.
    pub index: PathBuf,
    /// Each message.
    pub messages: Vec<Previewed>,
}

impl Previews {
    /// How many of them the guard held.
    pub fn held(&self) -> usize {
        self.messages.iter().filter(|message| !message.verdict.is_cleared()).count()
    }
}

/// Which members to look at.
#[derive(Debug, Clone)]
pub enum Choice {
    /// This one.
    Account(AccountId),
    /// The so many that cover the template best.
    Edge(usize),
}

/// Writes previews into a folder.
///
/// # Errors
/// The account is not in the audience, or a file cannot be written.
pub async fn preview(app: &App, id: i64, choice: Choice, out: &Path) -> Result<Previews> {
    let campaign = app.campaign(id).await?;
    let guard = Arc::new(bound::guard(app).await?);
    let bound = Arc::new(Bound::load(app, &campaign).await?);
    let chosen = choose(app, &campaign, &bound, choice).await?;
    std::fs::create_dir_all(out).map_err(|e| unwritable(out, &e))?;
    let (out, now_ms) = (out.to_owned(), app.clock.now_ms());
    tokio::task::spawn_blocking(move || write_all(&campaign, &guard, &bound, chosen, &out, now_ms))
        .await
        .map_err(|e| Error::unexpected("writing previews failed").cause(&e))?
}

async fn choose(app: &App, campaign: &Campaign, bound: &Bound, choice: Choice) -> Result<Vec<(Recipient, String)>> {
    let version = app.version().await?.number;
    let (planned, edge) = match choice {
        Choice::Account(account) => {
            let planned = app.store.planned_of(campaign.id, &account).await?.ok_or_else(|| {
                Error::usage(format!("account {account} is not in the audience of campaign {}", campaign.id))
            })?;
            (vec![planned], None)
        }
        Choice::Edge(n) => (app.store.pairs(campaign.id, CANDIDATES, campaign.definition.seed).await?, Some(n)),
    };
    let joined = check::recipients(app, version, planned).await?;
    let recipients: Vec<Recipient> = joined.into_iter().filter_map(|(_, recipient)| recipient).collect();
    let Some(n) = edge else {
        return Ok(recipients.into_iter().map(|recipient| (recipient, "asked for".to_owned())).collect());
    };
    let chosen = cover::choose(bound.renderer().template(), &recipients, n, campaign.definition.seed);
    Ok(chosen.into_iter().map(|choice| (recipients[choice.index].clone(), choice.why.join(", "))).collect())
}

fn write_all(
    campaign: &Campaign,
    guard: &Guard,
    bound: &Bound,
    chosen: Vec<(Recipient, String)>,
    out: &Path,
    now_ms: i64,
) -> Result<Previews> {
    let judge = check::judge_of(guard, bound)?;
    let (mut messages, mut members) = (Vec::new(), Vec::new());
    for (n, (recipient, why)) in chosen.into_iter().enumerate() {
        let record = recipient.record.clone();
        let account = record.account.clone();
        let preview = bound.renderer().preview(recipient, now_ms).map_err(|e| {
            Error::usage(format!("account {account}'s message cannot be rendered"))
                .cause(&e)
                .now("mend the template and freeze it again")
        })?;
        let message = &preview.rendered;
        let verdict = judge.examine(
            Candidate {
                sender: message.sender(),
                recipients: std::slice::from_ref(message.recipient()),
                account: &account,
                bytes: message.bytes(),
            },
            Some(&record),
        );
        let stem = format!("{:02}-{}", n + 1, file_name(&account));
        members.push(PreviewMember {
            account: account.clone(),
            why: vec![why.clone()],
            subject: preview.subject.clone(),
            findings: verdict.findings.clone(),
            eml: format!("{stem}.eml"),
            html: preview.html.as_ref().map(|_| format!("{stem}.html")),
            text: Some(format!("{stem}.txt")),
        });
        let eml = write(out, &format!("{stem}.eml"), message.bytes())?;
        let html = preview.html.map(|html| write(out, &format!("{stem}.html"), html.as_bytes())).transpose()?;
        write(out, &format!("{stem}.txt"), preview.text.as_bytes())?;
        messages.push(Previewed { account, why, eml, html, verdict });
    }
    let page = PreviewIndex { head: Head::of(campaign, None, now_ms), members }.page();
    let index = write(out, "index.html", page.as_bytes())?;
    Ok(Previews { index, messages })
}

/// An account key as a file name: anything but letters, digits and `-` becomes `_`.
fn file_name(account: &AccountId) -> String {
    account.as_str().chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(60).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).map_err(|e| unwritable(&path, &e))?;
    Ok(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::usage(format!("cannot write {}", path.display())).why(error)
}
