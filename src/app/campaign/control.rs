//! `campaign pause|resume|halt|status|report|list` and `verify`: what an
//! operator asks of a campaign, from any shell, while another one sends.

use serde::Serialize;

use crate::app::App;
use crate::app::campaign::proven::Proven;
use crate::app::campaign::{check, standing};
use crate::campaign::{Campaign, Stage, State};
use crate::error::{Error, Result};
use crate::ledger::Counts;
use crate::report::{CampaignReport, Head, LedgerProof, Moment, Passage, StageReport, number};
use crate::store::{Proof, Turn};
use crate::telemetry::event;
use crate::units::Rate;

/// One campaign and where it stands.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The campaign.
    pub campaign: i64,
    /// Its name.
    pub name: String,
    /// The revision of the name.
    pub revision: i64,
    /// Where it stands.
    pub state: State,
    /// The process that sends it now, if one does: host and number.
    pub sender: Option<String>,
    /// The rate that it was given, if it was given one.
    pub rate: Option<String>,
    /// Accounts in the snapshot.
    pub planned: u64,
    /// Messages by state.
    pub counts: Counts,
    /// Each stage's name and messages by state, in order.
    pub stages: Vec<(String, Counts)>,
    /// Who approved.
    pub approved_by: Vec<String>,
    /// What keeps it from going on now, as far as the store knows.
    pub waits: Vec<String>,
}

/// What became of a campaign that was told to pause, to go on, or to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Turned {
    /// The campaign.
    pub campaign: i64,
    /// Where it stands now.
    pub state: State,
    /// Whether it stood there before, so that nothing was to be done.
    pub already: bool,
}

/// Stops sending for a while.
///
/// # Errors
/// The campaign is not being sent.
pub async fn pause(app: &App, id: i64, by: &str) -> Result<Turned> {
    let turned = turn(app, id, &[State::Sending, State::Approved], State::Paused, by).await?;
    if !turned.already {
        event::campaign_paused(id);
    }
    Ok(turned)
}

/// Takes a pause back.
///
/// # Errors
/// The campaign is not being sent.
pub async fn resume(app: &App, id: i64, by: &str) -> Result<Turned> {
    let turned = turn(app, id, &[State::Paused], State::Sending, by).await?;
    if !turned.already {
        event::campaign_resumed(id);
    }
    Ok(turned)
}

/// Gives a campaign a rate of its own in place of the configuration's, or takes
/// it back; a process that sends it follows at once.
///
/// # Errors
/// The campaign has ended.
pub async fn pace(app: &App, id: i64, rate: Option<Rate>) -> Result<Rate> {
    let state = app.store.state(id).await?;
    if matches!(state, State::Halted | State::Finished) {
        return Err(
            Error::gate(format!("the rate of campaign {id} is not changed")).why(format!("it is {}", state.as_str()))
        );
    }
    app.store.set_rate(id, rate, app.clock.now_ms()).await?;
    let rate = rate.unwrap_or(app.config.smtp.rate);
    event::rate_asked(id, rate);
    Ok(rate)
}

/// Stops sending for good.
///
/// # Errors
/// The campaign has ended already.
pub async fn halt(app: &App, id: i64, by: &str) -> Result<Turned> {
    let from = [State::Frozen, State::Checked, State::Approved, State::Sending, State::Paused];
    let turned = turn(app, id, &from, State::Halted, by).await?;
    if !turned.already {
        event::campaign_halted_by_operator(id);
    }
    Ok(turned)
}

async fn turn(app: &App, id: i64, from: &[State], to: State, by: &str) -> Result<Turned> {
    // Whatever was changed in it, a campaign can be stopped.
    let state = app.store.state(id).await?;
    let turned = Turned { campaign: id, state: to, already: state == to };
    if turned.already {
        return Ok(turned);
    }
    if !from.contains(&state) {
        return Err(not_turned(id, state, to));
    }
    let by = Turn { by: Some(by.to_owned()), why: None };
    app.store.turn(id, from, to, by, app.clock.now_ms()).await?;
    Ok(turned)
}

/// Why a campaign is not stopped, or does not go on, as it is.
fn not_turned(id: i64, state: State, to: State) -> Error {
    let asked = if to == State::Sending { "resumed" } else { to.as_str() };
    let report = format!("`kakitome campaign report {id}` tells what happened");
    let (why, now) = match state {
        State::Finished => ("it is finished: every message has a final state".to_owned(), report),
        State::Halted => ("it was halted for good".to_owned(), report),
        State::Frozen | State::Checked | State::Approved | State::Sending | State::Paused => (
            format!("it is {}, and nothing of it is sent", state.as_str()),
            format!("`kakitome campaign status {id}` tells where it stands"),
        ),
    };
    Error::gate(format!("campaign {id} is not {asked}")).why(why).now(now)
}

/// Where a campaign stands.
///
/// # Errors
/// There is no such campaign, or the store fails.
pub async fn status(app: &App, id: i64) -> Result<Status> {
    let campaign = app.campaign(id).await?;
    status_of(app, &campaign).await
}

async fn status_of(app: &App, campaign: &Campaign) -> Result<Status> {
    let mut stages = Vec::new();
    for (n, stage) in campaign.definition.stages.iter().enumerate() {
        stages.push((stage.name.clone(), app.store.counts(campaign.id, Some(n as u16)).await?));
    }
    let state = app.store.state(campaign.id).await?;
    Ok(Status {
        campaign: campaign.id,
        name: campaign.definition.name.clone(),
        revision: campaign.revision,
        state,
        sender: app.store.sender(campaign.id, app.clock.now_ms()).await?,
        rate: app.store.rate(campaign.id).await?.map(|rate| rate.to_string()),
        planned: campaign.accounts,
        counts: app.store.counts(campaign.id, None).await?,
        stages,
        approved_by: app.store.approvals(campaign.id).await?.into_iter().map(|approval| approval.by).collect(),
        waits: standing::waits(app, campaign, state).await?,
    })
}

/// Every campaign, the newest first.
///
/// # Errors
/// The store fails.
pub async fn list(app: &App) -> Result<Vec<Status>> {
    let mut list = Vec::new();
    for campaign in app.store.campaigns().await? {
        list.push(status_of(app, &campaign).await?);
    }
    Ok(list)
}

/// Proves the ledger, and every table that follows from it.
///
/// # Errors
/// The first broken link, by number and reason; or there is nothing to prove.
pub async fn verify(app: &App) -> Result<Proof> {
    let proof = app.store.verify_ledger().await?;
    if proof.as_ref().is_ok_and(|proof| proof.entries == 0) {
        return Err(Error::usage("there is nothing to prove")
            .why("the ledger of this store has no entry: nothing was ever imported, frozen or sent with it")
            .now("see that the configuration's `store` is the one you mean"));
    }
    proof.map_err(|broken| {
        Error::new(crate::error::Exit::Held, format!("the ledger is broken at entry {}", broken.seq))
            .why(broken.why)
            .now("nothing before that entry is in doubt; keep the store as it is and compare it with a backup")
    })
}

/// Tells what happened, with the ledger's proof.
///
/// # Errors
/// There is no such campaign, or the ledger is broken.
pub async fn report(app: &App, id: i64) -> Result<CampaignReport> {
    let campaign = app.campaign(id).await?;
    let entries = verify(app).await?.entries;
    let state = app.store.state(id).await?;
    let mut stages = Vec::new();
    for (n, stage) in campaign.definition.stages.iter().enumerate() {
        let counts = app.store.counts(id, Some(n as u16)).await?;
        stages.push(StageReport {
            name: stage.name.clone(),
            size: size(stage),
            passage: passage(&counts, state),
            counts,
            opened_ms: None,
            finished_ms: app.store.stage_finished_ms(id, n as u16).await?,
            why: None,
        });
    }
    let moments: Vec<Moment> =
        app.store.timeline(id).await?.into_iter().map(|(at_ms, what)| Moment { at_ms, what }).collect();
    let why = standing::turned(app, id, state).await?.map(|(_, why)| why);
    Ok(CampaignReport {
        head: Head::of(&campaign, Some(check::hex(&app.store.digest_of_digests(id).await?)), app.clock.now_ms()),
        state,
        why,
        stages,
        calibration: Proven::of(app, id).await?.and_then(|proven| proven.calibration),
        moments,
        replies: app.store.replies(id).await?,
        ledger: LedgerProof { entries, head: check::hex(&app.store.ledger_head().await?), broken: None },
    })
}

fn size(stage: &Stage) -> String {
    match (&stage.accounts, stage.count, stage.percent) {
        (Some(accounts), _, _) => format!("{} named", number(accounts.len() as u64)),
        (_, Some(count), _) => format!("{}, chosen to cover the template", number(count as u64)),
        (_, _, Some(100.0)) => "everybody left".into(),
        (_, _, Some(percent)) => format!("{percent} %"),
        (None, None, None) => String::new(),
    }
}

fn passage(counts: &Counts, state: State) -> Passage {
    // What is unknown or deferred is not through: somebody has still to act.
    match (counts.left() + counts.unknown + counts.deferred, counts.attempted(), state) {
        _ if counts.held > 0 => Passage::Stopped,
        (0, _, _) => Passage::Through,
        (_, _, State::Halted) => Passage::Stopped,
        (_, 0, _) => Passage::Closed,
        _ => Passage::Open,
    }
}
