//! `reconcile`: what a mail server's log says of `unknown` messages.
//!
//! That a message came, one line of a log proves. That it did not come, only a log proves
//! that is whole: one that reaches from before the message was claimed to after the moment
//! at which it became unknown (until then it may have been handed over), and that shows
//! whatever the server is known to have taken in between. So a forgotten file, another
//! relay's log and times of another zone are seen before anything is sent again.

use std::path::PathBuf;

use serde::Serialize;

use crate::account::AccountId;
use crate::address::Address;
use crate::app::App;
use crate::app::evidence::maillog::{self, Fate, Log};
use crate::app::evidence::resolve::{Settled, confirmed, name, rows, write};
use crate::clock;
use crate::error::{Error, Result};
use crate::ledger::State;
use crate::store::Taken;

/// How long before and after the messages that are looked for others are looked for, of which
/// it is known that they were taken.
const AROUND_MS: i64 = 3_600_000;
/// How many of a campaign.
const KNOWN_MAX: usize = 20_000;
/// How long a server may take to write what it did.
const LAG_MS: i64 = 1_000;
/// How far a log may be ahead of this machine's clock.
const AHEAD_MS: i64 = 600_000;

/// What a mail server's log said.
#[derive(Debug, Serialize)]
pub struct Reconciled {
    /// Lines read.
    pub lines: u64,
    /// The time on the log's first line of the mail server, as written.
    pub from: Option<String>,
    /// The time on its last line.
    pub to: Option<String>,
    /// Campaigns that had unknown messages.
    pub campaigns: Vec<Settled>,
    /// Messages of which the log does not say that the server took them over.
    pub unseen: u64,
    /// Why that does not prove that they never came.
    pub gap: Option<String>,
}

/// A message that the log is asked about.
struct Asked {
    campaign: i64,
    account: AccountId,
    attempt: u32,
    /// Not known of attempts that an older version made.
    claimed_ms: Option<i64>,
    changed_ms: i64,
    place: usize,
}

/// Settles unknown messages of every campaign, or of one, by a mail server's log, what a dead
/// process had begun among them. An address whose server said that it has no mailbox is
/// suppressed, as in sending. Those that it does not show as taken over stay unknown, unless
/// `retry` is their count and the log is whole: then they are sent again.
///
/// # Errors
/// A log cannot be read, or is not whole, the count is not theirs, or the store fails.
pub async fn reconcile(
    app: &App,
    files: &[PathBuf],
    campaign: Option<i64>,
    retry: Option<u64>,
    by: &str,
) -> Result<Reconciled> {
    let by = name(by)?;
    let (mut log, mut asked, mut known) = (Log::default(), Vec::new(), Vec::new());
    if let Some(id) = campaign {
        app.campaign(id).await?;
    }
    for one in app.store.campaigns().await?.into_iter().filter(|one| campaign.is_none_or(|id| id == one.id)) {
        // An operator may ask the log before anybody sends again.
        app.recover(one.id).await?;
        let begun = asked.len();
        let message_id = |account: &AccountId| app.keys.message_id(one.id, one.revision, account);
        for row in rows(app, one.id, State::Unknown).await? {
            let place = log.look_for(message_id(&row.account));
            let (attempt, claimed_ms, changed_ms) = (row.attempt, row.claimed_ms, row.changed_ms);
            asked.push(Asked { campaign: one.id, account: row.account, attempt, claimed_ms, changed_ms, place });
        }
        let of = &asked[begun..];
        let first = of.iter().map(|one| one.claimed_ms.unwrap_or(one.changed_ms)).min();
        let last = of.iter().map(|one| one.changed_ms).max();
        let (Some(first), Some(last)) = (first, last) else { continue };
        let (first, last) = (first.saturating_sub(AROUND_MS), last.saturating_add(AROUND_MS));
        for taken in app.store.taken_between(one.id, first, last, KNOWN_MAX).await? {
            let place = log.look_for(message_id(&taken.account));
            known.push((taken, place));
        }
    }
    let files = files.to_vec();
    let read = tokio::task::spawn_blocking(move || maillog::read(log, &files));
    let log = read.await.map_err(|e| Error::unexpected("reading the log failed").cause(&e))??;
    let unseen: Vec<&Asked> = asked.iter().filter(|one| log.fate(one.place).is_none()).collect();
    let gap = if unseen.is_empty() { None } else { gap(&log, &unseen, &known, app.clock.now_ms()) };
    let count = unseen.len() as u64;
    if retry.is_some() {
        if let Some(why) = gap {
            return Err(Error::usage("nothing was settled").why(why).now(WHOLE));
        }
        confirmed(
            "--retry-unseen",
            retry,
            count,
            &format!("{count} messages that the log does not show as taken over"),
        )?;
    }
    let campaigns = settled(app, &asked, &log, retry.is_some(), by).await?;
    Ok(Reconciled { lines: log.lines, from: log.from, to: log.to, campaigns, unseen: count, gap })
}

/// What to do about a log that is not whole.
pub const WHOLE: &str = "give it the logs of every relay over that whole time and a little longer, each file in the order of time; times without a zone are taken for this machine's (TZ); where there is no such log, `kakitome campaign settle` decides without one";

/// Writes what the log says, campaign by campaign.
async fn settled(app: &App, asked: &[Asked], log: &Log, retry: bool, by: &str) -> Result<Vec<Settled>> {
    let mut campaigns = Vec::new();
    for of in asked.chunk_by(|one, next| one.campaign == next.campaign) {
        let id = of[0].campaign;
        let named = of.iter().filter_map(|one| {
            let to = match log.fate(one.place) {
                Some(Fate::Taken | Fate::Sent) => State::Accepted,
                Some(Fate::Bounced) => State::Rejected,
                None if retry => State::Checked,
                Some(Fate::Kept) | None => return None,
            };
            Some((one.account.clone(), one.attempt, to))
        });
        let named: Vec<_> = named.collect();
        let gone = of.iter().filter_map(|one| Some((&one.account, log.no_mailbox(one.place)?)));
        let bounced = bounced(app, gone).await?;
        campaigns.push(write(app, id, &named, &bounced, by).await?);
    }
    Ok(campaigns)
}

/// Why a log does not prove that what it does not show never came, if it does not.
fn gap(log: &Log, unseen: &[&Asked], known: &[(Taken, usize)], now_ms: i64) -> Option<String> {
    let Some((from, to)) = log.span(now_ms) else { return Some("the times of the log cannot be read".into()) };
    let written = |time: &Option<String>| time.clone().unwrap_or_default();
    let (log_from, log_to) = (written(&log.from), written(&log.to));
    if to > now_ms + AHEAD_MS {
        return Some(format!("the log ends at {log_to}, which is to come: its times may be of another zone"));
    }
    let Some(first) = unseen.iter().map(|one| one.claimed_ms).min().flatten() else {
        return Some("an older version did not keep when some of them were claimed".into());
    };
    let last = unseen.iter().map(|one| one.changed_ms).max().unwrap_or(first);
    if from > first || to < last {
        let mut campaigns: Vec<String> = unseen.iter().map(|one| one.campaign.to_string()).collect();
        campaigns.dedup();
        return Some(format!(
            "the log goes from {log_from} to {log_to}; messages of campaign {} that it does not show may have come from {} to {}",
            campaigns.join(", "),
            clock::show(first),
            clock::show(last)
        ));
    }
    let within: Vec<_> =
        known.iter().filter(|(taken, _)| from <= taken.claimed_ms && taken.changed_ms + LAG_MS <= to).collect();
    let missing = within.iter().filter(|(_, place)| log.fate(*place).is_none()).count();
    match (within.len(), missing) {
        (0, _) => {
            Some("no message was accepted in its time by which to tell that it is that server's, and whole".into())
        }
        (_, 0) => None,
        (all, missing) => Some(format!(
            "of {all} messages that were accepted in its time the log does not show {missing}: a part of it, or the log of another relay, is missing, or the server has not caught up"
        )),
    }
}

/// Of the addresses that a log says have no mailbox, those that are their accounts' own now: a
/// message may have been passed on to another under its Message-ID.
async fn bounced(app: &App, gone: impl Iterator<Item = (&AccountId, &Address)>) -> Result<Vec<Address>> {
    let gone: Vec<_> = gone.collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let accounts: Vec<_> = gone.iter().map(|(account, _)| (*account).clone()).collect();
    let records = app.store.records(app.version().await?.number, &accounts).await?;
    let own = gone.into_iter().filter_map(|(account, address)| {
        let own = &records.get(account)?.address;
        (own.folded() == address.folded()).then(|| own.clone())
    });
    Ok(own.collect())
}
