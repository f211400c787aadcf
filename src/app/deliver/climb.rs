//! One process on a campaign's ladder: the gate before each stage, the stage
//! itself (`super::feed`) beside whoever helps, and at the end what was deferred.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::watch;

use crate::app::App;
use crate::app::campaign::loaded::{self, LoadedCampaign};
use crate::app::campaign::{drill, gate};
use crate::app::deliver::ending::Standstill;
use crate::app::deliver::feed::Window;
use crate::campaign::{Campaign, State};
use crate::dns::Dns;
use crate::error::{Error, Result};
use crate::guard::Guard;
use crate::guard::drill::Drill;
use crate::ledger::Counts;
use crate::progress;
use crate::report::counted;
use crate::send::{KEPT_BACK, Pace, Relays, Share};
use crate::stage::Gate;
use crate::store::{Lease, Pulse, Turn, WHOLE};
use crate::telemetry::event;
use crate::units::Rate;

/// How often a running send looks whether it was paused or halted.
pub(in crate::app) const LOOK: Duration = Duration::from_millis(250);

/// What the campaigns have in common that one process sends.
#[derive(Clone)]
pub(in crate::app) struct Crew {
    /// The process's lease.
    pub lease: Lease,
    /// Its share of the rates.
    pub pace: Pace,
}

/// How long the DNS is waited for before a domain counts by itself.
const DNS_WAIT: Duration = Duration::from_secs(5);

/// Whom to ask who takes the mail of a domain, if anybody.
///
/// # Errors
/// The resolver cannot be used.
pub(in crate::app) fn resolver(app: &App) -> Result<Option<Dns>> {
    let dns = app.config.resolver.map(|resolver| Dns::new(resolver, DNS_WAIT)).transpose();
    dns.map_err(|why| {
        Error::usage("the resolver cannot be used").why(why).now("mend `resolver` in kakitome.toml, or leave it out")
    })
}

impl Crew {
    pub fn new(app: &App, lease: Lease, dns: Option<Dns>) -> Self {
        let ours = lease.clone();
        let share = Share::new(move || f64::from(ours.share()) / f64::from(WHOLE));
        Self { lease, pace: Pace::shared(&app.config.smtp, &app.config.receiver, &share, dns) }
    }

    /// The limits for a campaign: those of all campaigns together, unless it was
    /// given a rate of its own.
    fn pace(&self, rate: Option<Rate>) -> Pace {
        rate.map_or_else(|| self.pace.clone(), |rate| self.pace.at(rate))
    }
}

/// Everything one sending process needs for one campaign.
pub(in crate::app) struct Line {
    pub(in crate::app) app: App,
    pub(in crate::app) campaign: Campaign,
    pub(in crate::app) version: i64,
    pub(in crate::app) guard: Arc<Guard>,
    pub(in crate::app) bound: Arc<LoadedCampaign>,
    pub(in crate::app) relays: Relays,
    pub(in crate::app) crew: Crew,
    pub(in crate::app) pace: Pace,
    /// What the campaign was given; `None`: the configuration's.
    pub(in crate::app) rate: Option<Rate>,
    pub(in crate::app) window: Window,
    /// Whether to stay where something asks for time.
    pub(in crate::app) wait: bool,
    pub(in crate::app) stop: watch::Receiver<bool>,
    pub(in crate::app) pulse: Pulse,
    pub(in crate::app) bar: ProgressBar,
    /// Addresses that this run suppressed, as they have no mailbox.
    pub(in crate::app) bounced: Arc<AtomicU64>,
    /// What it waited for last.
    waits_for: String,
}

impl Line {
    pub(in crate::app) async fn new(
        app: &App,
        campaign: Campaign,
        wait: bool,
        stop: watch::Receiver<bool>,
        pulse: Pulse,
        crew: &Crew,
    ) -> Result<Self> {
        let smtp = &app.config.smtp;
        let rate = app.store.rate(campaign.id).await?;
        let total = rate.unwrap_or(smtp.rate);
        let per_second = total.each_second();
        app.metrics.rate_limit(per_second.ceil() as u32);
        let relays = Relays::new(smtp).map_err(|e| Error::usage("smtp.url cannot be used").cause(&e))?;
        let counts = app.store.counts(campaign.id, None).await?;
        let done = counts.total() - counts.left() - counts.deferred;
        // The version first: if another comes meanwhile, the guard is read again.
        let version = app.version().await?.number;
        Ok(Self {
            app: app.clone(),
            version,
            guard: Arc::new(loaded::guard(app).await?),
            bound: Arc::new(LoadedCampaign::load(app, &campaign).await?),
            window: Window::new(total, relays.connections()),
            relays,
            pace: crew.pace(rate),
            crew: crew.clone(),
            rate,
            bar: progress::sending(counts.total(), done, per_second),
            campaign,
            wait,
            stop,
            pulse,
            bounced: Arc::default(),
            waits_for: String::new(),
        })
    }

    /// Judges by the directory as it is now: a message that differs by it from
    /// what was approved is held. Sends at the rate that is asked for now.
    pub(in crate::app) async fn refresh(&mut self) -> Result<()> {
        let rate = self.app.store.rate(self.campaign.id).await?;
        if rate != self.rate {
            let total = rate.unwrap_or(self.app.config.smtp.rate);
            (self.rate, self.pace) = (rate, self.crew.pace(rate));
            self.window = Window::new(total, self.relays.connections());
            self.app.metrics.rate_limit(total.each_second().ceil() as u32);
            event::rate_changed(self.campaign.id, total);
        }
        let number = self.app.version().await?.number;
        if number != self.version {
            self.guard = Arc::new(loaded::guard(&self.app).await?);
            self.version = number;
            event::directory_renewed(self.campaign.id, number);
        }
        Ok(())
    }

    /// Goes up the ladder; says why it stopped, `None` when all is done.
    pub(in crate::app) async fn climb(&mut self) -> Result<Option<Standstill>> {
        for n in 0..self.campaign.definition.stages.len() as u16 {
            if self.counts(Some(n)).await?.left() == 0 {
                continue;
            }
            if let Some(stopped) = self.open(n).await? {
                return Ok(Some(stopped));
            }
            let left = self.counts(Some(n)).await?.left();
            event::stage_opened(self.campaign.id, &self.campaign.definition.stages[usize::from(n)].name, left);
            if let Some(stopped) = self.together(n).await? {
                return Ok(Some(stopped));
            }
        }
        self.settle().await
    }

    /// Sends what is due of the stages up to `n`, beside whoever helps, until nobody
    /// has anything of it under way.
    async fn together(&mut self, n: u16) -> Result<Option<Standstill>> {
        self.pulse.open(Some(n)).await?;
        let sent = self.stage(n).await;
        let closed = self.pulse.open(None).await;
        // What failed first is the news.
        if let Some(stopped) = sent? {
            return Ok(Some(stopped));
        }
        closed?;
        if self.crew.lease.share() < WHOLE {
            // Who looked just before may still claim.
            tokio::time::sleep(LOOK).await;
        }
        let mut left = u64::MAX;
        loop {
            let claimed = self.counts(None).await?.claimed;
            let now_left = self.counts(Some(n)).await?.left();
            if claimed > 0 {
                self.app.recover(self.campaign.id).await?;
                tokio::time::sleep(LOOK).await;
            } else if now_left == 0 || now_left >= left {
                return Ok(None);
            } else {
                // Given back by a worker that left.
                left = now_left;
                if let Some(stopped) = self.stage(n).await? {
                    return Ok(Some(stopped));
                }
            }
            if let Some(stopped) = self.why_stopped().await? {
                return Ok(Some(stopped));
            }
        }
    }

    async fn counts(&self, stage: Option<u16>) -> Result<Counts> {
        Ok(self.app.store.counts(self.campaign.id, stage).await?)
    }

    fn lifetime_ms(&self) -> i64 {
        self.app.config.smtp.lifetime.as_ms()
    }

    /// Ends what was deferred for as long as a message lives.
    pub(in crate::app) async fn expire(&self) -> Result<()> {
        let now_ms = self.app.clock.now_ms();
        let first_ms_max = now_ms.saturating_sub(self.lifetime_ms());
        let expired = self.app.store.expire(self.campaign.id, first_ms_max, now_ms).await?;
        if expired > 0 {
            event::messages_expired(self.campaign.id, expired);
            self.bar.inc(expired);
        }
        Ok(())
    }

    /// Asks the gate of stage `n`, and waits for it where that was asked for.
    async fn open(&mut self, n: u16) -> Result<Option<Standstill>> {
        loop {
            self.refresh().await?;
            self.expire().await?;
            let mut asked = gate::ask(&self.app, &self.campaign, n, None).await?;
            if asked.gate == Gate::Open {
                // What time shuts comes before the drill, which is work.
                if let Some(stopped) = self.hours().await? {
                    return Ok(Some(stopped));
                }
                let drill = self.drill().await?;
                // A drill with records of a version that the guard does not know proves
                // nothing, and would halt the campaign.
                if self.app.version().await?.number != self.version {
                    continue;
                }
                asked = gate::ask(&self.app, &self.campaign, n, Some(&drill)).await?;
            }
            match asked.gate {
                Gate::Open => return Ok(None),
                Gate::Stop { why } => {
                    self.halt(&why).await?;
                    return Ok(Some(Standstill::for_person(why)));
                }
                Gate::Wait { until_ms: Some(until_ms), why, .. } if self.wait => {
                    if let Some(stopped) = self.wait_until(until_ms, &why, "").await? {
                        return Ok(Some(stopped));
                    }
                }
                // Deferred messages of a stage that is open need no gate of their own.
                Gate::Wait { until_ms: None, asks_person, why } if asked.mends => {
                    if let Some(stopped) = self.mend(n, why, asks_person).await? {
                        return Ok(Some(stopped));
                    }
                }
                Gate::Wait { until_ms, why, .. } => {
                    event::gate_waits(self.campaign.id, &self.campaign.definition.stages[usize::from(n)].name, &why);
                    return Ok(Some(Standstill { why, until_ms }));
                }
            }
        }
    }

    /// Tries deferred messages of the stages before `n` again once they are due; says
    /// why it did not. `why` is what the gate waits for, somebody's decision beside the
    /// rest where it `asks_person`.
    async fn mend(&mut self, n: u16, why: String, asks_person: bool) -> Result<Option<Standstill>> {
        let Some(due_ms) = self.next_due().await? else { return Ok(Some(Standstill::for_person(why))) };
        if due_ms > self.app.clock.now_ms() {
            let until = format!("; deferred messages are tried again from {}", crate::clock::show(due_ms));
            if !self.wait {
                return Ok(Some(Standstill { why: why + &until, until_ms: Some(due_ms).filter(|_| !asks_person) }));
            }
            if let Some(stopped) = self.wait_until(due_ms, &why, &until).await? {
                return Ok(Some(stopped));
            }
        }
        self.together(n - 1).await
    }

    /// When what was deferred may be tried again. Waiting mends nothing with a receiver that
    /// refuses us: somebody must look first.
    async fn next_due(&self) -> Result<Option<i64>> {
        let but = Some(KEPT_BACK).filter(|_| !self.pace.halted().is_empty());
        Ok(self.app.store.next_due(self.campaign.id, self.lifetime_ms(), but).await?)
    }

    async fn drill(&self) -> Result<Drill> {
        self.bar.disable_steady_tick();
        let drill = drill::run(&self.app, &self.campaign, &self.guard, &self.bound).await;
        self.bar.enable_steady_tick(progress::TICK);
        drill
    }

    /// Waits, looking at the campaign's state meanwhile; says why it was stopped, if it
    /// was. `until` follows what it waits for; what was said last is not said again.
    pub(in crate::app) async fn wait_until(
        &mut self,
        until_ms: i64,
        why: &str,
        until: &str,
    ) -> Result<Option<Standstill>> {
        let is_new = self.waits_for != why;
        if is_new {
            event::sending_waits(self.campaign.id, &format!("{why}{until}"));
        }
        self.waits_for = why.to_owned();
        // In the line of the bar, which is drawn again by what follows.
        self.bar.disable_steady_tick();
        let spinner = progress::waiting(self.campaign.id, format!("{why}{until}"), is_new);
        let stopped = self.stopped_by(until_ms).await;
        drop(spinner);
        self.bar.enable_steady_tick(progress::TICK);
        Ok(stopped?.map(|Standstill { why: stopped, until_ms }| Standstill {
            why: format!("{stopped}; it waited: {why}{until}"),
            until_ms,
        }))
    }

    /// What stops this line before that time, if anything does.
    async fn stopped_by(&self, until_ms: i64) -> Result<Option<Standstill>> {
        while self.app.clock.now_ms() < until_ms {
            let left_ms = u64::try_from(until_ms - self.app.clock.now_ms()).unwrap_or(0);
            tokio::time::sleep(LOOK.min(Duration::from_millis(left_ms.max(1)))).await;
            let stopped = self.why_stopped().await?;
            if stopped.is_some() {
                return Ok(stopped);
            }
        }
        Ok(None)
    }

    pub(in crate::app) async fn halt(&self, why: &str) -> Result<()> {
        event::campaign_halted(self.campaign.id, why);
        let (id, turn) = (self.campaign.id, Turn { by: None, why: Some(why.to_owned()) });
        self.app.store.turn(id, &[State::Sending], State::Halted, turn, self.app.clock.now_ms()).await?;
        Ok(())
    }

    /// The end of the ladder: waits for deferred messages, then finishes if
    /// nothing at all is open any more.
    async fn settle(&mut self) -> Result<Option<Standstill>> {
        let (id, last) = (self.campaign.id, self.campaign.definition.stages.len() as u16 - 1);
        loop {
            if let Some(stopped) = self.why_stopped().await? {
                return Ok(Some(stopped));
            }
            self.expire().await?;
            let counts = self.counts(None).await?;
            if counts.left() > 0 {
                let why = format!("{} messages are left; `kakitome campaign send {id}` goes on", counts.left());
                return Ok(Some(Standstill::for_person(why)));
            }
            if counts.deferred == 0 && counts.unknown > 0 {
                let why = format!("of {} messages nobody knows whether they arrived", counts.unknown);
                return Ok(Some(Standstill::for_person(why)));
            }
            if counts.deferred == 0 {
                let now_ms = self.app.clock.now_ms();
                self.app.store.set_state(id, &[State::Sending], State::Finished, now_ms).await?;
                event::campaign_finished(id);
                return Ok(None);
            }
            let Some(due_ms) = self.next_due().await? else {
                return Ok(Some(Standstill::for_person(format!(
                    "{} deferred, and a receiver refuses us as a sender; mend the cause, then `kakitome campaign send {id}` goes on",
                    counted(counts.deferred, "message")
                ))));
            };
            let why = format!("{} deferred", counted(counts.deferred, "message"));
            let until = format!(", tried again from {}", crate::clock::show(due_ms));
            if !self.wait && due_ms > self.app.clock.now_ms() {
                return Ok(Some(Standstill::until(due_ms, why + &until)));
            }
            if let Some(stopped) = self.wait_until(due_ms, &why, &until).await? {
                return Ok(Some(stopped));
            }
            if let Some(stopped) = self.together(last).await? {
                return Ok(Some(stopped));
            }
        }
    }
}
