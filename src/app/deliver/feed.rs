//! One stage under way: what was judged ahead → [`Hand`] → the sender's
//! connections → the recorder of outcomes.
//!
//! Invariants: every claim ends as an outcome, a release or a suppression; no more than
//! [`Window::claimed`] are without one at any moment; the first held message, the first
//! digest that differs, the first failed write and the loss of the right to send stop the
//! line before the next message; a new directory version stops it too, to judge
//! again by that one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::account::AccountId;
use crate::address::Address;
use crate::app::campaign::hours;
use crate::app::deliver::climb::Line;
use crate::app::deliver::ending::Standstill;
use crate::app::deliver::hand::Hand;
use crate::app::deliver::prepare::{DIGEST, Page, Preparer, Ready};
use crate::app::deliver::record::Recorder;
use crate::app::deliver::watch::Watcher;
use crate::error::{Error, Result};
use crate::guard::{Held, Rule};
use crate::ledger::Claim;
use crate::send::{self, Permission, Ticket};
use crate::telemetry::event;
use crate::units::Rate;

/// Claims for each connection: enough for one bulk write while the one before is
/// sent. Twice as many send 4 % faster, and leave twice as many unknown.
const PER_CONNECTION: usize = 16;
/// Messages claimed by one write.
const BATCH_MAX: usize = 250;

/// How far claims may run ahead of outcomes. A crash leaves at most `claimed`
/// messages `unknown`: those of them that may have been begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) struct Window {
    /// Messages claimed and without an outcome.
    pub claimed: usize,
    /// Messages claimed by one write.
    pub batch: usize,
    /// Messages claimed that wait for a connection.
    pub queue: usize,
}

impl Window {
    /// 16 a connection, but no more than the rate lets go in two seconds, and one
    /// a connection at least, so that a slow server does not idle the others.
    pub fn new(rate: Rate, connections: usize) -> Self {
        let two_seconds = 2.0 * rate.each_second();
        let two_seconds = (two_seconds as usize).max(1);
        let claimed = (PER_CONNECTION * connections).min(two_seconds).max(connections).max(1);
        let batch = (claimed / 4).min(two_seconds).clamp(1, BATCH_MAX);
        Self { claimed, batch, queue: (2 * batch).min(two_seconds) }
    }
}

/// By account: where its message goes, and what keeps it back.
pub(in crate::app) type UnderWay = HashMap<AccountId, (Address, Arc<AtomicBool>)>;

/// What the parts of a stage under way share.
#[derive(Clone)]
pub(in crate::app) struct Flow {
    pub(in crate::app) stop: Arc<watch::Sender<bool>>,
    /// Claims that may still be made.
    pub(in crate::app) window: Arc<Semaphore>,
    /// Claims without an outcome.
    under_way: Arc<Mutex<UnderWay>>,
    /// Whether as much was claimed as this run may claim.
    is_used_up: Arc<AtomicBool>,
}

impl Flow {
    fn new(window: Window) -> Self {
        Self {
            stop: Arc::new(watch::channel(false).0),
            window: Arc::new(Semaphore::new(window.claimed)),
            under_way: Arc::default(),
            is_used_up: Arc::default(),
        }
    }

    /// Begins nothing new.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// These claims have ended; as many may follow.
    pub fn end(&self, accounts: &[AccountId]) {
        let mut under_way = self.under_way();
        accounts.iter().for_each(|account| drop(under_way.remove(account)));
        self.window.add_permits(accounts.len());
    }

    /// The list is whole even if its lock is poisoned: nothing under it panics.
    pub(in crate::app) fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a stage's run ended.
enum Ran {
    /// Nothing is left that may be tried now.
    Through,
    /// It stopped, and why.
    Stopped(Standstill),
    /// It stopped to look again: another directory version, or a store that
    /// could not be read for a moment.
    Again,
}

impl Line {
    /// Sends what is due of the stages up to `stage`; says why it stopped
    /// early, `None` when nothing is left that may be tried now.
    pub(in crate::app) async fn stage(&mut self, stage: u16) -> Result<Option<Standstill>> {
        loop {
            self.refresh().await?;
            self.expire().await?;
            if let Some(shut) = self.hours().await? {
                return Ok(Some(shut));
            }
            match self.run(stage).await? {
                Ran::Through => return Ok(None),
                Ran::Stopped(stopped) => return Ok(Some(stopped)),
                Ran::Again => {}
            }
        }
    }

    async fn run(&self, stage: u16) -> Result<Ran> {
        let (flow, budget) = (Flow::new(self.window), hours::budget(&self.app).await?);
        let stopped = flow.stop.subscribe();
        let told = self.pulse.look().await?.told;
        let (over, ended) = oneshot::channel();
        let watcher = tokio::spawn(Watcher::new(self, flow.clone(), told).run(ended));
        let (tickets, queue) = mpsc::channel(self.window.queue);
        let (done, outcomes) = mpsc::channel(self.window.claimed);
        let recorder = Recorder {
            app: self.app.clone(),
            campaign: self.campaign.id,
            flow: flow.clone(),
            batch: self.window.batch,
            bar: self.bar.clone(),
            bounced: self.bounced.clone(),
        };
        let recorder = tokio::spawn(recorder.run(outcomes));
        let permission = Permission::new(self.pulse.unbroken());
        let (cut, is_cut) = watch::channel(false);
        let sending =
            send::run(self.relays.clone(), self.pace.clone(), queue, done, stopped, is_cut, permission.clone());
        let sender = tokio::spawn(sending);

        let (fed, left) = self.feed(stage, tickets, budget, &flow).await;
        if fed.is_err() {
            flow.stop();
        }
        let summary = self.ended(sender, &cut).await?;
        let recorded = recorder.await.map_err(|e| Error::unexpected("the recorder failed").cause(&e))?;
        drop(over);
        watcher.await.map_err(|e| Error::unexpected("the watcher failed").cause(&e))?;
        if self.pulse.is_taken() {
            return Err(self.lost());
        }
        let now_ms = self.app.clock.now_ms();
        let not_begun = summary.not_begun.into_iter().chain(left).collect();
        let released = self.app.store.release(self.campaign.id, not_begun, now_ms).await;
        // The first failure is the news; those after it may be its echoes.
        let held = fed?;
        recorded?;
        released?;
        if !self.pulse.is_held() {
            return Err(self.lost());
        }
        if let Some(count) = summary.given_up {
            return Ok(Ran::Stopped(Standstill::for_person(self.given_up(count))));
        }
        match (held, summary.error) {
            (Some(why), _) => Ok(Ran::Stopped(Standstill::for_person(why))),
            (None, Some(error)) => Ok(Ran::Stopped(Standstill::for_person(format!(
                "the mail server cannot be used: {error}; `kakitome campaign send {}` goes on",
                self.campaign.id
            )))),
            (None, None) => self.how_it_ended(&flow, permission.holds()).await,
        }
    }

    async fn how_it_ended(&self, flow: &Flow, was_permitted: bool) -> Result<Ran> {
        if let Some(stopped) = self.why_stopped().await? {
            return Ok(Ran::Stopped(stopped));
        }
        let again = !was_permitted || flow.is_stopped() || flow.is_used_up.load(Ordering::SeqCst);
        Ok(if again { Ran::Again } else { Ran::Through })
    }

    /// Claims and queues what was judged, until nothing is due or the line stops; and what
    /// it had claimed then and not queued.
    async fn feed(
        &self,
        stage: u16,
        tickets: mpsc::Sender<Ticket>,
        budget: Option<u64>,
        flow: &Flow,
    ) -> (Result<Option<String>>, Vec<Claim>) {
        let preparer = Preparer {
            app: self.app.clone(),
            campaign: self.campaign.id,
            stage,
            version: self.version,
            seat: self.crew.lease.seat(),
            guard: self.guard.clone(),
            bound: self.bound.clone(),
        };
        let (pages, mut judged) = mpsc::channel(1);
        let preparer = tokio::spawn(preparer.run(pages));
        let mut hand = Hand::new(self, flow, tickets);
        let fed = self.feed_pages(&mut judged, &mut hand, budget, flow).await;
        // The preparer ends by itself when nobody takes its pages.
        drop(judged);
        let prepared = preparer.await.map_err(|e| Error::unexpected("preparing messages failed").cause(&e));
        (prepared.and(fed), hand.left())
    }

    async fn feed_pages(
        &self,
        judged: &mut mpsc::Receiver<Result<Page>>,
        hand: &mut Hand<'_>,
        budget: Option<u64>,
        flow: &Flow,
    ) -> Result<Option<String>> {
        let mut left = budget.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        loop {
            let page = match judged.try_recv() {
                Ok(page) => page,
                // The connections are not to wait for the judge.
                Err(_) => {
                    if !hand.queue_all().await? {
                        return Ok(None);
                    }
                    let Some(page) = judged.recv().await else { return Ok(None) };
                    page
                }
            };
            let Page { ready, held, suppressed } = page?;
            if flow.is_stopped() {
                return Ok(None);
            }
            if !held.is_empty() {
                flow.stop();
                return self.held(held).await.map(Some);
            }
            self.suppress(&suppressed).await?;
            let mut ready = ready.into_iter().peekable();
            while ready.peek().is_some() {
                if left == 0 {
                    // What is claimed is sent; then it is asked again for more.
                    flow.is_used_up.store(true, Ordering::SeqCst);
                    hand.queue_all().await?;
                    return Ok(None);
                }
                let batch: Vec<Ready> = ready.by_ref().take(self.window.batch.min(left)).collect();
                left -= batch.len();
                if !hand.take(batch).await? {
                    return Ok(None);
                }
            }
        }
    }

    /// Marks messages whose address gets no mail.
    pub(in crate::app) async fn suppress(&self, accounts: &[AccountId]) -> Result<()> {
        let count = self.app.store.suppress_messages(self.campaign.id, accounts, self.app.clock.now_ms()).await?;
        self.bar.inc(count);
        Ok(())
    }

    /// The guard refused messages at send time: everything stops here, on disk
    /// before anything else is done.
    async fn held(&self, held: Vec<Held>) -> Result<String> {
        let mut first = String::new();
        for held in &held {
            let mut rules: Vec<Rule> = held.findings.iter().map(|finding| finding.rule).collect();
            rules.dedup();
            event::message_held(self.campaign.id, &held.account, &rules);
            if first.is_empty() {
                let place = held.findings.first().map_or("", |finding| finding.place.as_str());
                let rules = rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(", ");
                let what = match place {
                    DIGEST => {
                        "is not the one that was checked and approved; has the directory changed since?".to_owned()
                    }
                    _ => format!("broke {rules} ({place})"),
                };
                first = format!("held: account {}'s message {what}", held.account);
            }
        }
        let why = |count: usize| match held.len() - count {
            0 => format!("{first}; {count} held at once, none of it was sent"),
            others => format!("{first}; {count} held at once; {others} another process has claimed or sent"),
        };
        let why = self.app.store.hold_and_halt(self.campaign.id, &held, why, self.app.clock.now_ms()).await?;
        self.app.metrics.halted();
        event::campaign_halted(self.campaign.id, &why);
        Ok(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_run_ahead_by_connections_and_by_two_seconds_at_most() {
        let full = Window::new(Rate::per_second(100_000), 8);
        assert_eq!(full, Window { claimed: 128, batch: 32, queue: 64 });
        let paced = Window::new(Rate::per_second(60), 8);
        assert_eq!(paced, Window { claimed: 120, batch: 30, queue: 60 });
        let slow = Window::new(Rate { count: 2.try_into().unwrap(), per: std::time::Duration::from_secs(60) }, 8);
        assert_eq!(slow, Window { claimed: 8, batch: 1, queue: 1 });
        assert_eq!(Window::new(Rate::per_second(100_000), 1).claimed, 16);
    }
}
