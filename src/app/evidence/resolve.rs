//! What an operator decides about `unknown` messages: `campaign settle`, `campaign report
//! --accounts`. What a log decides is [`crate::app::evidence::reconcile`]'s.
//!
//! Nothing is settled that was not named: accounts by their keys, everything of
//! a campaign by its count. Each settlement is in the ledger, with who and when.

use std::collections::HashMap;

use serde::Serialize;

use crate::account::AccountId;
use crate::address::Address;
use crate::app::App;
use crate::campaign;
use crate::error::{Error, Result};
use crate::guard::{Finding, Rule};
use crate::ledger::State;
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

/// Settles unknown messages of one campaign as an operator knows them: accepted,
/// rejected, or (`checked`) to be sent again.
///
/// # Errors
/// An account's message is not unknown, the count is not theirs, or the store fails; nothing
/// is settled then.
pub async fn resolve(app: &App, id: i64, which: Which, to: State, by: &str) -> Result<Settled> {
    let by = name(by)?;
    app.campaign(id).await?;
    let mut unknown = rows(app, id, State::Unknown).await?;
    match which {
        Which::Accounts(accounts) => {
            let is_other = |account: &&AccountId| !unknown.iter().any(|row| row.account == **account);
            let others: Vec<&AccountId> = accounts.iter().filter(is_other).collect();
            let refused = |why: String, lists: &str| {
                Error::usage(format!("nothing was settled in campaign {id}"))
                    .why(why)
                    .now(format!("`kakitome campaign report {id} --accounts unknown` lists {lists}"))
            };
            // One that was mistyped is the first thing to know.
            for other in &others {
                if app.store.planned_of(id, other).await?.is_none() {
                    let why = format!("account {other} is not in its audience");
                    return Err(refused(why, "the accounts to choose from"));
                }
            }
            if let Some(other) = others.first() {
                return Err(refused(format!("account {other}'s message is not unknown"), "those that are"));
            }
            unknown.retain(|row| accounts.contains(&row.account));
        }
        // Nothing is nobody's: that needs no count.
        Which::All(None) if unknown.is_empty() => {}
        Which::All(count) => {
            let what = format!("{} unknown messages of campaign {id}", unknown.len());
            confirmed("--confirm", count, unknown.len() as u64, &what)?;
        }
    }
    let named: Vec<_> = unknown.into_iter().map(|row| (row.account, row.attempt, to)).collect();
    write(app, id, &named, &[], by).await
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

pub(in crate::app) async fn rows(app: &App, id: i64, state: State) -> Result<Vec<Row>> {
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

/// Settles what was said of these attempts.
pub(in crate::app) async fn write(
    app: &App,
    id: i64,
    named: &[(AccountId, u32, State)],
    bounced: &[Address],
    by: &str,
) -> Result<Settled> {
    let of = |state| named.iter().filter(|(.., to)| *to == state).count() as u64;
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

pub(in crate::app) fn name(by: &str) -> Result<&str> {
    match by.trim() {
        "" => Err(Error::usage("a settlement needs a name").now("say who decides with --by NAME")),
        by => Ok(by),
    }
}

/// What touches many is confirmed by how many they are, with this option.
pub(in crate::app) fn confirmed(option: &str, count: Option<u64>, are: u64, what: &str) -> Result<()> {
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
