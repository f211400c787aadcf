//! `campaign preview`: finished messages to look at, .eml and .html side by
//! side with the guard's verdict, and an index page.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::account::{AccountId, Recipient};
use crate::app::campaign::check;
use crate::app::campaign::loaded::{self, LoadedCampaign};
use crate::app::{App, private};
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::guard::{Candidate, Guard, Verdict};
use crate::render::cover;
use crate::report::{Head, PreviewIndex, PreviewMember};

/// Accounts among which the edge members are chosen.
const CANDIDATES: usize = 4_000;

/// One message on disk.
#[derive(Debug, Serialize)]
pub struct Previewed {
    /// The account.
    pub account: AccountId,
    /// Why it was chosen, in a few words: `longest · 30 domains`.
    pub why: String,
    /// Every reason in full.
    pub reasons: Vec<String>,
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

/// A member and why it was chosen: in short, and in full.
struct Member {
    recipient: Recipient,
    short: Vec<String>,
    reasons: Vec<String>,
}

/// Reasons that a label names; the rest are counted.
const LABELS: usize = 2;

/// Why a member was chosen, short enough for a table.
fn label(short: &[String], reasons: &[String]) -> Vec<String> {
    let mut label: Vec<String> = short.iter().take(LABELS).cloned().collect();
    let more = reasons.len().saturating_sub(label.len());
    match (more, label.is_empty()) {
        (0, _) => {}
        // What is left then are ways through the template.
        (n, true) => label.push(if n == 1 { "1 branch".into() } else { format!("{n} branches") }),
        (n, false) => label.push(format!("{n} more")),
    }
    label
}

/// Writes previews into a folder that only its owner may look into.
///
/// # Errors
/// The account is not in the audience, or a file cannot be written.
pub async fn preview(app: &App, id: i64, choice: Choice, out: &Path) -> Result<Previews> {
    let campaign = app.campaign(id).await?;
    let guard = Arc::new(loaded::guard(app).await?);
    let bound = Arc::new(LoadedCampaign::load(app, &campaign).await?);
    let chosen = choose(app, &campaign, &bound, choice).await?;
    private::folder(out)?;
    let (out, now_ms) = (out.to_owned(), app.clock.now_ms());
    tokio::task::spawn_blocking(move || write_all(&campaign, &guard, &bound, chosen, &out, now_ms))
        .await
        .map_err(|e| Error::unexpected("writing previews failed").cause(&e))?
}

async fn choose(app: &App, campaign: &Campaign, bound: &LoadedCampaign, choice: Choice) -> Result<Vec<Member>> {
    let version = app.version().await?.number;
    let (planned, edge) = match choice {
        Choice::Account(account) => {
            let planned = app.store.planned_of(campaign.id, &account).await?.ok_or_else(|| {
                Error::usage(format!("account {account} is not in the audience of campaign {}", campaign.id))
                    .now("name an account of its audience file, or let --edge N choose")
            })?;
            (vec![planned], None)
        }
        Choice::Edge(n) => (app.store.pairs(campaign.id, CANDIDATES, campaign.definition.seed).await?, Some(n)),
    };
    let joined = check::recipients(app, version, planned).await?;
    let recipients: Vec<Recipient> = joined.into_iter().filter_map(|(_, recipient)| recipient).collect();
    let Some(n) = edge else {
        let asked = || vec!["asked for".to_owned()];
        return Ok(recipients
            .into_iter()
            .map(|recipient| Member { recipient, short: asked(), reasons: asked() })
            .collect());
    };
    let chosen = cover::choose(bound.renderer().template(), &recipients, n, campaign.definition.seed);
    let member = |choice: cover::Chosen| Member {
        recipient: recipients[choice.index].clone(),
        short: choice.short,
        reasons: choice.why,
    };
    Ok(chosen.into_iter().map(member).collect())
}

fn write_all(
    campaign: &Campaign,
    guard: &Guard,
    bound: &LoadedCampaign,
    chosen: Vec<Member>,
    out: &Path,
    now_ms: i64,
) -> Result<Previews> {
    let judge = check::judge_of(guard, bound)?;
    let (mut messages, mut members) = (Vec::new(), Vec::new());
    for (n, Member { recipient, short, reasons }) in chosen.into_iter().enumerate() {
        let label = label(&short, &reasons);
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
            label: label.clone(),
            why: reasons.clone(),
            subject: preview.subject.clone(),
            findings: verdict.findings.clone(),
            eml: format!("{stem}.eml"),
            html: preview.html.as_ref().map(|_| format!("{stem}.html")),
            text: Some(format!("{stem}.txt")),
        });
        let eml = write(out, &format!("{stem}.eml"), message.bytes())?;
        let html = preview.html.map(|html| write(out, &format!("{stem}.html"), html.as_bytes())).transpose()?;
        write(out, &format!("{stem}.txt"), preview.text.as_bytes())?;
        messages.push(Previewed { account, why: label.join(" · "), reasons, eml, html, verdict });
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
    private::write(&path, bytes)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_short_however_many_reasons_there_are() {
        let texts = |n: usize| (0..n).map(|n| format!("r{n}")).collect::<Vec<_>>();
        assert_eq!(label(&texts(2), &texts(2)), ["r0", "r1"]);
        assert_eq!(label(&texts(9), &texts(40)), ["r0", "r1", "38 more"]);
        assert_eq!(label(&[], &texts(1)), ["1 branch"]);
        assert_eq!(label(&[], &texts(14)), ["14 branches"]);
    }
}
