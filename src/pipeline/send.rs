//! `campaign send`: opens the next stage through its gate, renders and judges
//! again by the directory as it is then, compares digests, claims small batches
//! on disk before the first byte, and records what became of each message.
//!
//! This file climbs the ladder; `super::feed` runs one stage of it. What a
//! crash leaves claimed becomes `unknown` at the next start. A campaign is
//! finished when every message has a final state, `unknown` being none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::watch;

use crate::campaign::{Campaign, State};
use crate::error::{Error, Exit, Result};
use crate::guard::Guard;
use crate::ledger::Counts;
use crate::pipeline::bound::{self, Bound};
use crate::pipeline::feed::Window;
use crate::pipeline::{App, approve, drill, gate};
use crate::progress;
use crate::send::{Pace, Relays};
use crate::stage::Gate;
use crate::store::Pulse;
use crate::telemetry::event;

/// How often a running send looks whether it was paused or halted.
pub(super) const LOOK: Duration = Duration::from_millis(250);

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
    /// Messages of which nobody knows.
    pub unknown: u64,
    /// Messages that the guard refused.
    pub held: u64,
    /// Messages not yet tried, or under way elsewhere.
    pub left: u64,
    /// The stage that was open last.
    pub stage: String,
    /// Where the campaign stands now.
    pub state: State,
    /// Why it stopped, when it is not finished.
    pub why: Option<String>,
    /// How long this run took.
    pub seconds: f64,
}

impl SendReport {
    /// What the exit code is.
    pub fn exit(&self) -> Exit {
        match self.state {
            State::Finished | State::Halted if self.held > 0 => Exit::Held,
            State::Finished if self.rejected + self.unknown + self.left > 0 => Exit::Incomplete,
            State::Finished => Exit::Done,
            // Only an operator can settle what is still open.
            State::Sending if self.left + self.deferred == 0 => Exit::Incomplete,
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
        return report(app, &campaign, None, started).await;
    }
    let lock = app.store.lock(id, app.clock.now_ms()).await?;
    let ended = locked(app, campaign, wait, stop, lock.pulse(), started).await;
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
        State::Frozen => refuse("it has not been checked", format!("run `kakitome campaign check {id}`")),
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
    started: Instant,
) -> Result<SendReport> {
    approve::verify(app, &campaign).await?;
    let lost = app.store.recover(campaign.id, app.clock.now_ms()).await?;
    if lost > 0 {
        event::claims_recovered(campaign.id, lost);
    }
    app.store.set_state(campaign.id, &[State::Approved, State::Sending], State::Sending, app.clock.now_ms()).await?;
    let mut line = Line::new(app, campaign, stop, pulse).await?;
    let climbed = line.climb(wait).await;
    line.bar.finish_and_clear();
    let why = climbed?;
    report(app, &line.campaign, why, started).await
}

async fn report(app: &App, campaign: &Campaign, why: Option<String>, started: Instant) -> Result<SendReport> {
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
        unknown: counts.unknown,
        held: counts.held,
        left: counts.left(),
        stage: open.to_owned(),
        state: app.store.state(campaign.id).await?,
        why,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Everything one sending process needs for one campaign.
pub(super) struct Line {
    pub(super) app: App,
    pub(super) campaign: Campaign,
    pub(super) version: i64,
    pub(super) guard: Arc<Guard>,
    pub(super) bound: Arc<Bound>,
    pub(super) relays: Relays,
    pub(super) pace: Pace,
    pub(super) window: Window,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) pulse: Pulse,
    pub(super) bar: ProgressBar,
}

impl Line {
    async fn new(app: &App, campaign: Campaign, stop: watch::Receiver<bool>, pulse: Pulse) -> Result<Self> {
        let smtp = &app.config.smtp;
        let per_second = f64::from(smtp.rate.count.get()) / smtp.rate.per.as_secs_f64();
        app.metrics.rate_limit(per_second.ceil() as u32);
        let relays = Relays::new(smtp).map_err(|e| Error::usage("smtp.url cannot be used").cause(&e))?;
        let counts = app.store.counts(campaign.id, None).await?;
        let done = counts.total() - counts.left() - counts.deferred;
        // The version first: if another comes meanwhile, the guard is read again.
        let version = app.version().await?.number;
        Ok(Self {
            app: app.clone(),
            version,
            guard: Arc::new(bound::guard(app).await?),
            bound: Arc::new(Bound::load(app, &campaign).await?),
            window: Window::new(smtp, relays.connections()),
            relays,
            pace: Pace::new(smtp),
            bar: progress::sending(counts.total(), done, per_second),
            campaign,
            stop,
            pulse,
        })
    }

    /// Judges by the directory as it is now: a message that differs by it from
    /// what was approved is held.
    pub(super) async fn refresh(&mut self) -> Result<()> {
        let number = self.app.version().await?.number;
        if number != self.version {
            self.guard = Arc::new(bound::guard(&self.app).await?);
            self.version = number;
            event::directory_renewed(self.campaign.id, number);
        }
        Ok(())
    }

    /// Goes up the ladder; says why it stopped, `None` when all is done.
    async fn climb(&mut self, wait: bool) -> Result<Option<String>> {
        for n in 0..self.campaign.definition.stages.len() as u16 {
            if self.counts(Some(n)).await?.left() == 0 {
                continue;
            }
            if let Some(why) = self.open(n, wait).await? {
                return Ok(Some(why));
            }
            let left = self.counts(Some(n)).await?.left();
            event::stage_opened(self.campaign.id, &self.campaign.definition.stages[usize::from(n)].name, left);
            if let Some(why) = self.stage(n).await? {
                return Ok(Some(why));
            }
        }
        self.settle(wait).await
    }

    async fn counts(&self, stage: Option<u16>) -> Result<Counts> {
        Ok(self.app.store.counts(self.campaign.id, stage).await?)
    }

    /// Asks the gate of stage `n`, and waits for it where that was asked for.
    async fn open(&mut self, n: u16, wait: bool) -> Result<Option<String>> {
        loop {
            self.refresh().await?;
            let drill = drill::run(&self.app, &self.campaign, &self.guard, &self.bound).await?;
            let gate::Asked { gate, mends } = gate::ask(&self.app, &self.campaign, n, &drill).await?;
            match gate {
                Gate::Open => return Ok(None),
                Gate::Stop { why } => {
                    self.halt(&why).await?;
                    return Ok(Some(why));
                }
                Gate::Wait { until_ms: Some(until_ms), why } if wait => {
                    if !self.wait_until(until_ms, why.clone()).await? {
                        return Ok(Some(why));
                    }
                }
                // Deferred messages of a stage that is open need no gate of their own.
                Gate::Wait { until_ms: None, why } if mends => {
                    let due_ms = self.app.store.next_due(self.campaign.id).await?.unwrap_or(i64::MAX);
                    let is_due = due_ms <= self.app.clock.now_ms();
                    let waited = is_due || wait && self.wait_until(due_ms, why.clone()).await?;
                    if !waited {
                        return Ok(Some(why));
                    }
                    if let Some(why) = self.stage(n - 1).await? {
                        return Ok(Some(why));
                    }
                }
                Gate::Wait { why, .. } => {
                    event::gate_waits(self.campaign.id, &self.campaign.definition.stages[usize::from(n)].name, &why);
                    return Ok(Some(why));
                }
            }
        }
    }

    /// Waits, looking at the campaign's state meanwhile; false when stopped.
    async fn wait_until(&self, until_ms: i64, why: String) -> Result<bool> {
        let spinner = progress::spinner("");
        spinner.set_message(why);
        while self.app.clock.now_ms() < until_ms {
            let left_ms = u64::try_from(until_ms - self.app.clock.now_ms()).unwrap_or(0);
            tokio::time::sleep(LOOK.min(Duration::from_millis(left_ms.max(1)))).await;
            if self.why_stopped().await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) async fn halt(&self, why: &str) -> Result<()> {
        event::campaign_halted(self.campaign.id, why);
        self.app.store.set_state(self.campaign.id, &[State::Sending], State::Halted, self.app.clock.now_ms()).await?;
        Ok(())
    }

    /// The end of the ladder: waits for deferred messages, then finishes if
    /// nothing at all is open any more.
    async fn settle(&mut self, wait: bool) -> Result<Option<String>> {
        let (id, last) = (self.campaign.id, self.campaign.definition.stages.len() as u16 - 1);
        loop {
            if let Some(why) = self.why_stopped().await? {
                return Ok(Some(why));
            }
            let counts = self.counts(None).await?;
            if counts.left() > 0 {
                return Ok(Some(format!("{} messages are left; `kakitome campaign send {id}` goes on", counts.left())));
            }
            if counts.deferred == 0 && counts.unknown > 0 {
                return Ok(Some(format!("of {} messages nobody knows whether they arrived", counts.unknown)));
            }
            if counts.deferred == 0 {
                let now_ms = self.app.clock.now_ms();
                self.app.store.set_state(id, &[State::Sending], State::Finished, now_ms).await?;
                event::campaign_finished(id);
                return Ok(None);
            }
            let due_ms = self.app.store.next_due(id).await?.unwrap_or(0);
            let why =
                format!("{} deferred messages are tried again from {}", counts.deferred, crate::clock::show(due_ms));
            if !wait && due_ms > self.app.clock.now_ms() || !self.wait_until(due_ms, why.clone()).await? {
                return Ok(Some(why));
            }
            if let Some(why) = self.stage(last).await? {
                return Ok(Some(why));
            }
        }
    }
}
