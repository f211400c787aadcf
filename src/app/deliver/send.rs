//! `campaign send`: opens the next stage through its gate, renders and judges
//! again by the directory as it is then, compares digests, claims small batches
//! on disk before the first byte, and records what became of each message.
//!
//! This file takes the right to send and tells how it ended; `super::climb` goes
//! up the ladder; `super::feed` runs one stage of it. What a crash leaves claimed
//! becomes `unknown` at the next start. A campaign is finished when every message
//! has a final state, `unknown` being none.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

use crate::app::App;
use crate::app::campaign::approve;
use crate::app::deliver::climb::{self, Crew, Line};
use crate::app::deliver::ending::{self, Standstill};
use crate::campaign::{Campaign, State};
use crate::error::{Error, Exit, Result};
use crate::send::Stands;
use crate::store::{Lock, Pulse};

/// How a send ended.
#[derive(Debug, Serialize)]
pub struct SendReport {
    /// The campaign.
    pub campaign: i64,
    /// Messages that the server took.
    pub accepted: u64,
    /// Messages to be tried again later.
    pub deferred: u64,
    /// Messages refused for good.
    pub rejected: u64,
    /// Messages deferred until their lifetime was over.
    pub expired: u64,
    /// Messages of which nobody knows.
    pub unknown: u64,
    /// Messages that the guard refused.
    pub held: u64,
    /// Messages whose address gets no mail.
    pub suppressed: u64,
    /// Messages not yet tried, or under way elsewhere.
    pub left: u64,
    /// The stage that was open last.
    pub stage: String,
    /// Where the campaign stands now.
    pub state: State,
    /// Why it stopped, when it is not finished.
    pub why: Option<String>,
    /// When it goes on by itself, where time alone is missing; `None` where somebody must
    /// decide or act first, or it is finished.
    pub waits_until_ms: Option<i64>,
    /// Addresses that this run put on the suppression list, as they have no mailbox.
    pub bounced: u64,
    /// Receivers that refused us as a sender and got nothing more in this run.
    pub halted: Vec<Halted>,
    /// Mail servers that could not be used at the end, while others could.
    pub left_out: Vec<LeftOut>,
    /// How long this run took.
    pub seconds: f64,
}

/// A receiver that refused us as a sender.
#[derive(Debug, Serialize)]
pub struct Halted {
    /// Its name.
    pub receiver: String,
    /// What it said.
    pub said: String,
}

/// A mail server that could not be used.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Its host and port.
    pub relay: String,
    /// What happened when it was connected to last.
    pub why: String,
}

impl SendReport {
    /// What the exit code is.
    pub fn exit(&self) -> Exit {
        match self.state {
            State::Finished | State::Halted if self.held > 0 => Exit::Held,
            State::Finished if self.rejected + self.expired + self.unknown + self.left > 0 => Exit::Incomplete,
            State::Finished => Exit::Done,
            // Only an operator can settle what is still open.
            State::Sending if self.left + self.deferred == 0 && self.unknown > 0 => Exit::Incomplete,
            State::Sending if self.waits_until_ms.is_some() => Exit::Waits,
            _ => Exit::Gate,
        }
    }
}

/// Sends until the campaign is finished, a gate is shut, or somebody stops it.
/// `stop` turning true drains: what is under way ends, nothing new begins.
///
/// # Errors
/// The campaign is not approved or is stopped, another process sends it, the
/// approval does not match, or the store fails.
pub async fn send(app: &App, id: i64, wait: bool, stop: watch::Receiver<bool>) -> Result<SendReport> {
    let started = Instant::now();
    let campaign = app.campaign(id).await?;
    let state = app.store.state(id).await?;
    may_send(id, state)?;
    if state == State::Finished {
        return report(app, &campaign, Run::default(), started).await;
    }
    if *stop.borrow() {
        let run = Run { stopped: Some(Standstill::for_person(ending::interrupted(id))), ..Run::default() };
        return report(app, &campaign, run, started).await;
    }
    let dns = climb::resolver(app)?;
    let place = app.store.join().await?;
    let crew = Crew::new(app, place.lease(), dns);
    let ended = match app.store.lock(id, &crew.lease, app.clock.now_ms()).await {
        Ok(lock) => lead(app, campaign, wait, stop, lock, &crew).await,
        Err(error) => Err(error.into()),
    };
    let left = place.leave().await;
    let report = ended?;
    left?;
    Ok(report)
}

/// Goes up a campaign's ladder by the right to send it, and gives that back.
pub(in crate::app) async fn lead(
    app: &App,
    campaign: Campaign,
    wait: bool,
    stop: watch::Receiver<bool>,
    lock: Lock,
    crew: &Crew,
) -> Result<SendReport> {
    let ended = locked(app, campaign, wait, stop, lock.pulse(), crew).await;
    let released = lock.release().await;
    // What failed first is the news; a right that is not given back ends by
    // itself.
    let report = ended?;
    released?;
    Ok(report)
}

fn may_send(id: i64, state: State) -> Result<()> {
    let refuse = |why: &str, now: String| Err(Error::gate(format!("campaign {id} is not sent")).why(why).now(now));
    match state {
        State::Approved | State::Sending | State::Finished => Ok(()),
        State::Frozen => refuse(
            "no check has cleared all of its messages",
            format!("run `kakitome campaign check {id}`, and mend what it holds"),
        ),
        State::Checked => refuse("it has not been approved", format!("run `kakitome campaign approve {id} --by NAME`")),
        State::Paused => refuse("it is paused", format!("run `kakitome campaign resume {id}`, then send")),
        State::Halted => refuse(
            "it was halted for good",
            format!("see `kakitome campaign report {id}`; mend the cause and freeze a new campaign"),
        ),
    }
}

async fn locked(
    app: &App,
    campaign: Campaign,
    wait: bool,
    stop: watch::Receiver<bool>,
    pulse: Pulse,
    crew: &Crew,
) -> Result<SendReport> {
    let started = Instant::now();
    approve::verify(app, &campaign).await?;
    app.store.set_state(campaign.id, &[State::Approved, State::Sending], State::Sending, app.clock.now_ms()).await?;
    let mut line = Line::new(app, campaign, wait, stop, pulse, crew).await?;
    app.recover(line.campaign.id).await?;
    let climbed = line.climb().await;
    line.bar.finish_and_clear();
    let stopped = climbed?;
    let halted = line.pace.halted().into_iter().map(|(receiver, said)| Halted { receiver, said }).collect();
    let bounced = line.bounced.load(Ordering::SeqCst);
    let left_out = left_out(line.relays.stand());
    report(app, &line.campaign, Run { stopped, bounced, halted, left_out }, started).await
}

/// Those that could not be used; where none could, that is why sending stopped.
fn left_out(stand: Vec<Stands>) -> Vec<LeftOut> {
    let could = stand.iter().any(|one| one.out.is_none());
    let out = stand.into_iter().filter_map(|Stands { relay, out }| Some(LeftOut { relay, why: out? }));
    out.filter(|_| could).collect()
}

/// What a run leaves that the store does not know.
#[derive(Default)]
struct Run {
    stopped: Option<Standstill>,
    bounced: u64,
    halted: Vec<Halted>,
    left_out: Vec<LeftOut>,
}

async fn report(app: &App, campaign: &Campaign, run: Run, started: Instant) -> Result<SendReport> {
    let counts = app.store.counts(campaign.id, None).await?;
    let stages = &campaign.definition.stages;
    let mut open = stages.last().map_or("", |stage| stage.name.as_str());
    for (n, stage) in stages.iter().enumerate() {
        if app.store.counts(campaign.id, Some(n as u16)).await?.left() > 0 {
            open = &stage.name;
            break;
        }
    }
    Ok(SendReport {
        campaign: campaign.id,
        accepted: counts.accepted,
        deferred: counts.deferred,
        rejected: counts.rejected,
        expired: counts.expired,
        unknown: counts.unknown,
        held: counts.held,
        suppressed: counts.suppressed,
        left: counts.left(),
        stage: open.to_owned(),
        state: app.store.state(campaign.id).await?,
        // Who refuses us goes on doing so until somebody looks, whatever else is waited for.
        waits_until_ms: run.stopped.as_ref().and_then(|stopped| stopped.until_ms).filter(|_| run.halted.is_empty()),
        why: run.stopped.map(|stopped| stopped.why),
        bounced: run.bounced,
        halted: run.halted,
        left_out: run.left_out,
        seconds: started.elapsed().as_secs_f64(),
    })
}
