//! What an operator decides about `unknown` messages, and the evidence that
//! decides for them: `campaign settle`, `reconcile`, `campaign report --accounts`.
//!
//! Nothing is settled that was not named: accounts by their keys, everything of
//! a campaign by its count. Each settlement is in the ledger, with who and when.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::account::AccountId;
use crate::address::Address;
use crate::campaign;
use crate::clock;
use crate::error::{Error, Result};
use crate::guard::{Finding, Rule};
use crate::ledger::State;
use crate::pipeline::App;
use crate::pipeline::maillog::{self, Fate, Log};
use crate::store::{Filter, Row};
use crate::telemetry::event;

/// Messages read together.
const PAGE: usize = 5_000;

/// Which unknown messages of a campaign.
#[derive(Clone, Debug)]
pub enum Which {
    /// Those of these accounts.
    Accounts(Vec<AccountId>),
    /// All, if they are so many: `None` asks how many there are.
    All(Option<u64>),
}

/// What was settled in one campaign.
#[derive(Debug, Serialize)]
pub struct Settled {
    /// The campaign.
    pub campaign: i64,
    /// Where it stands.
    pub state: campaign::State,
    /// Messages settled as accepted.
    pub accepted: u64,
    /// Messages settled as rejected.
    pub rejected: u64,
    /// Messages that did not arrive: they are sent again, or the campaign's rest.
    pub retry: u64,
    /// Messages that are unknown still.
    pub unknown: u64,
    /// Messages that are claimed: if their process has ended, unknown or due again.
    pub claimed: u64,
    /// Addresses that were suppressed, because they have no mailbox.
    pub suppressed: u64,
}

/// What a mail server's log said.
#[derive(Debug, Serialize)]
pub struct Reconciled {
    /// Lines read.
    pub lines: u64,
    /// The time on the log's first line that has one, as written.
    pub from: Option<String>,
    /// The time on its last line.
    pub to: Option<String>,
    /// Campaigns that had unknown messages.
    pub campaigns: Vec<Settled>,
    /// Messages of which the log does not say that the server took them over.
    pub unseen: u64,
}

/// One message as a list shows it.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The account.
    pub account: AccountId,
    /// Its Message-ID before the @, by which a mail server's log is searched.
    pub message_id: String,
    /// The stage's name.
    pub stage: String,
    /// Attempts begun.
    pub attempts: u32,
    /// The last reply, or what happened instead.
    pub reply: Option<String>,
    /// For a held message: what the guard found, without the values, each rule and place once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
    /// Since when it stands there.
    pub since_ms: i64,
}

/// Why a message is held.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The rule that it breaks.
    pub rule: Rule,
    /// Part, view, and where in it.
    #[serde(rename = "where")]
    pub place: String,
}

/// A message that a log is asked about.
struct Unknown {
    campaign: i64,
    account: AccountId,
    claimed_ms: i64,
    place: usize,
}

/// Settles unknown messages of one campaign as an operator knows them: accepted,
/// rejected, or (`checked`) to be sent again.
///
/// # Errors
/// An account's message is not unknown, the count is not theirs, or the store fails; nothing
/// is settled then.
pub async fn settle(app: &App, id: i64, which: Which, to: State, by: &str) -> Result<Settled> {
    let by = name(by)?;
    app.campaign(id).await?;
    let unknown: Vec<AccountId> = rows(app, id, State::Unknown).await?.into_iter().map(|row| row.account).collect();
    let named = match which {
        Which::Accounts(accounts) => {
            if let Some(other) = accounts.iter().find(|account| !unknown.contains(account)) {
                return Err(Error::usage(format!("nothing was settled in campaign {id}"))
                    .why(format!("account {other}'s message is not unknown"))
                    .now(format!("`kakitome campaign report {id} --accounts unknown` lists those that are")));
            }
            accounts
        }
        // Nothing is nobody's: that needs no count.
        Which::All(None) if unknown.is_empty() => unknown,
        Which::All(count) => {
            let what = format!("{} unknown messages of campaign {id}", unknown.len());
            confirmed("--confirm", count, unknown.len() as u64, &what)?;
            unknown
        }
    };
    let named: Vec<_> = named.into_iter().map(|account| (account, to)).collect();
    write(app, id, &named, &[], by).await
}

/// Settles unknown messages of every campaign by a mail server's log, what a dead
/// process had begun among them. An address whose server said that it has no mailbox
/// is suppressed, as in sending. Those that
/// it does not show as taken over stay unknown, unless `retry` is their count and
/// the log covers the time in which they were claimed: then they are sent again.
///
/// # Errors
/// A log cannot be read, or is not of that time, the count is not theirs, or the store fails.
pub async fn reconcile(app: &App, files: &[PathBuf], retry: Option<u64>, by: &str) -> Result<Reconciled> {
    let by = name(by)?;
    let mut log = Log::default();
    let mut unknown = Vec::new();
    for campaign in app.store.campaigns().await? {
        // An operator may ask the log before anybody sends again.
        app.recover(campaign.id).await?;
        for row in rows(app, campaign.id, State::Unknown).await? {
            let id = app.keys.message_id(campaign.id, campaign.revision, &row.account);
            let claimed_ms = row.claimed_ms.unwrap_or(row.changed_ms);
            unknown.push(Unknown { campaign: campaign.id, account: row.account, claimed_ms, place: log.look_for(id) });
        }
    }
    let files = files.to_vec();
    let read = tokio::task::spawn_blocking(move || maillog::read(log, &files));
    let log = read.await.map_err(|e| Error::unexpected("reading the log failed").cause(&e))??;
    let times = unknown.iter().filter(|one| log.fate(one.place).is_none()).map(|one| one.claimed_ms);
    let unseen = times.clone().count() as u64;
    if retry.is_some() {
        if let (Some(first), Some(last)) = (times.clone().min(), times.max()) {
            covers(&log, first, last, app.clock.now_ms())?;
        }
        let what = format!("{unseen} messages that the log does not show as taken over");
        confirmed("--retry-unseen", retry, unseen, &what)?;
    }
    let mut ids: Vec<i64> = unknown.iter().map(|one| one.campaign).collect();
    ids.dedup();
    let mut campaigns = Vec::new();
    for id in ids {
        let of = unknown.iter().filter(|one| one.campaign == id);
        let named = of.clone().filter_map(|Unknown { account, place, .. }| {
            let to = match (log.fate(*place), retry) {
                (Some(Fate::Taken | Fate::Sent), _) => State::Accepted,
                (Some(Fate::Bounced), _) => State::Rejected,
                (None, Some(_)) => State::Checked,
                (None, None) => return None,
            };
            Some((account.clone(), to))
        });
        let named = named.collect::<Vec<_>>();
        let gone = of.filter_map(|Unknown { account, place, .. }| Some((account, log.no_mailbox(*place)?)));
        let bounced = bounced(app, gone).await?;
        campaigns.push(write(app, id, &named, &bounced, by).await?);
    }
    Ok(Reconciled { lines: log.lines, from: log.from, to: log.to, campaigns, unseen })
}

/// Whether a log reaches over the time from the first to the last of those that it does not
/// show: of a message that came when it was not written it says nothing.
fn covers(log: &Log, first_ms: i64, last_ms: i64, now_ms: i64) -> Result<()> {
    let (from, to) = log.span(now_ms).unwrap_or((i64::MAX, i64::MIN));
    // Old logs tell whole seconds.
    if from <= first_ms && last_ms < to.saturating_add(1_000) {
        return Ok(());
    }
    let written = |time: &Option<String>| time.clone().unwrap_or_else(|| "nowhere".into());
    Err(Error::usage("nothing was settled")
        .why(format!(
            "the log goes from {} to {}; the messages that it does not show were claimed from {} to {}",
            written(&log.from),
            written(&log.to),
            clock::show(first_ms),
            clock::show(last_ms)
        ))
        .now("give it the log of that whole time, its files in the order of time (times without a zone are taken for this machine's, TZ); where there is none, `kakitome campaign settle` decides without it"))
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

/// The messages of a campaign in one state, in the audience's order.
///
/// # Errors
/// There is no such campaign, or the store fails.
pub async fn list(app: &App, id: i64, state: State) -> Result<Vec<Listed>> {
    let campaign = app.campaign(id).await?;
    let stages = &campaign.definition.stages;
    let rows = rows(app, id, state).await?;
    let mut findings = HashMap::new();
    if state == State::Held {
        for page in rows.chunks(PAGE) {
            let (first, last) = (page[0].ord, page[page.len() - 1].ord);
            findings.extend(app.store.findings_between(id, first, last).await?);
        }
    }
    let mut found = |account: &AccountId| {
        // Several values in one place are one line's worth of telling.
        let mut all: Vec<Found> = Vec::new();
        for Finding { rule, place, .. } in findings.remove(account).unwrap_or_default() {
            if !all.iter().any(|found| found.rule == rule && found.place == place) {
                all.push(Found { rule, place });
            }
        }
        all
    };
    let listed = rows.into_iter().map(|row| Listed {
        stage: stages.get(usize::from(row.stage)).map_or_else(String::new, |stage| stage.name.clone()),
        attempts: row.attempt,
        reply: row.reply.map(|reply| match reply.code {
            0 => reply.text,
            code => format!("{code} {}", reply.text),
        }),
        since_ms: row.changed_ms,
        findings: found(&row.account),
        message_id: app.keys.message_id(id, campaign.revision, &row.account),
        account: row.account,
    });
    Ok(listed.collect())
}

async fn rows(app: &App, id: i64, state: State) -> Result<Vec<Row>> {
    let filter = Filter { state: Some(state), stage: None };
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after = rows.last().map_or(-1, |row| row.ord);
        let page = app.store.messages(id, filter, after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

async fn write(app: &App, id: i64, named: &[(AccountId, State)], bounced: &[Address], by: &str) -> Result<Settled> {
    let of = |state| named.iter().filter(|(_, to)| *to == state).count() as u64;
    let suppressed = app.store.settle(id, named, bounced, by, app.clock.now_ms()).await?;
    if suppressed > 0 {
        event::bounces_suppressed(id, suppressed);
    }
    for state in [State::Accepted, State::Rejected, State::Checked] {
        if of(state) > 0 {
            event::unknown_settled(id, of(state), state.as_str());
        }
    }
    let counts = app.store.counts(id, None).await?;
    Ok(Settled {
        campaign: id,
        state: app.store.state(id).await?,
        accepted: of(State::Accepted),
        rejected: of(State::Rejected),
        retry: of(State::Checked),
        unknown: counts.unknown,
        claimed: counts.claimed,
        suppressed,
    })
}

fn name(by: &str) -> Result<&str> {
    match by.trim() {
        "" => Err(Error::usage("a settlement needs a name").now("say who decides with --by NAME")),
        by => Ok(by),
    }
}

/// What touches many is confirmed by how many they are, with this option.
fn confirmed(option: &str, count: Option<u64>, are: u64, what: &str) -> Result<()> {
    if count == Some(are) {
        return Ok(());
    }
    let why = match count {
        None => format!("this would touch {what}"),
        Some(count) => format!("{count} were confirmed, and there are {what}"),
    };
    Err(Error::usage("nothing was settled")
        .why(why)
        .now(format!("if all of them are meant, say so by their count: {option} {are}")))
}
