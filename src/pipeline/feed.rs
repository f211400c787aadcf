//! One stage under way: claim → render → guard → queue, the sender's
//! connections, and the recorder of outcomes.
//!
//! Invariants: a claim is on disk before its message is queued; every claim
//! ends as an outcome, a release or a hold; the first held message, the first
//! digest that differs and the first failed write stop the line.

use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::account::{AccountId, Recipient};
use crate::campaign::State;
use crate::error::{Error, Result};
use crate::guard::{Cleared, Finding, Guard, Held, Rule};
use crate::ledger::{Claim, Outcome, Reply};
use crate::pipeline::bound::{self, Bound};
use crate::pipeline::send::{LOOK, Line};
use crate::pipeline::{App, check};
use crate::progress;
use crate::send::{self, Attempt, Ticket};
use crate::store::{Claimed, Settled};
use crate::telemetry::event;

/// Messages claimed together: large enough for bulk writes, small enough that
/// a crash leaves few `unknown`.
const BATCH: usize = 500;
/// Cleared messages that wait for a connection.
const QUEUE: usize = 256;
/// Outcomes written together, and how long the first of them may wait.
const OUTCOMES: usize = 500;
const OUTCOMES_WAIT: Duration = Duration::from_millis(50);

impl Line {
    /// Sends what is due of the stages up to `stage`; says why it stopped
    /// early, `None` when nothing is left that may be tried now.
    pub(super) async fn stage(&self, stage: u16) -> Result<Option<String>> {
        let (stop, stopped) = watch::channel(false);
        let stop = Arc::new(stop);
        let watcher = self.watch(stop.clone());
        let (tickets, queue) = mpsc::channel(QUEUE);
        let (done, attempts) = mpsc::channel(4 * OUTCOMES);
        let recorder = tokio::spawn(Recorder::new(self, stop.clone()).run(attempts));
        let sender = tokio::spawn(send::run(self.relay.clone(), self.pace.clone(), queue, done, stopped.clone()));

        let fed = self.feed(stage, tickets, &stop, &stopped).await;
        let summary = sender.await.map_err(|e| Error::unexpected("the sender failed").cause(&e))?;
        let recorded = recorder.await.map_err(|e| Error::unexpected("the recorder failed").cause(&e))?;
        watcher.abort();
        let now_ms = self.app.clock.now_ms();
        self.app.store.release(self.campaign.id, summary.not_begun, now_ms).await?;
        recorded?;
        if let Some(why) = fed? {
            return Ok(Some(why));
        }
        if let Some(error) = summary.error {
            return Ok(Some(format!(
                "the mail server cannot be used: {error}; `kakitome campaign send {}` goes on",
                self.campaign.id
            )));
        }
        self.why_stopped().await
    }

    /// Turns the stop on when somebody pauses, halts or interrupts.
    fn watch(&self, stop: Arc<watch::Sender<bool>>) -> JoinHandle<()> {
        let (store, id, mut interrupted) = (self.app.store.clone(), self.campaign.id, self.stop.clone());
        tokio::spawn(async move {
            loop {
                let look = tokio::time::sleep(LOOK);
                tokio::select! {
                    () = look => {}
                    changed = interrupted.changed() => if changed.is_err() { tokio::time::sleep(LOOK).await },
                }
                // A state that cannot be read is no permission to go on.
                let sending = matches!(store.state(id).await, Ok(State::Sending));
                if *interrupted.borrow() || !sending {
                    let _ = stop.send(true);
                    return;
                }
            }
        })
    }

    async fn why_stopped(&self) -> Result<Option<String>> {
        if *self.stop.borrow() {
            return Ok(Some(format!("interrupted; `kakitome campaign send {}` goes on", self.campaign.id)));
        }
        Ok(match self.app.store.state(self.campaign.id).await? {
            State::Sending => None,
            State::Paused => Some("paused by an operator".into()),
            State::Halted => Some("halted by an operator".into()),
            other => Some(format!("the campaign became {}", other.as_str())),
        })
    }

    /// Claims, prepares and queues until nothing is due or the line stops.
    async fn feed(
        &self,
        stage: u16,
        tickets: mpsc::Sender<Ticket>,
        stop: &watch::Sender<bool>,
        stopped: &watch::Receiver<bool>,
    ) -> Result<Option<String>> {
        let store = &self.app.store;
        while !*stopped.borrow() {
            let claimed = store.claim(self.campaign.id, stage, self.version, BATCH, self.app.clock.now_ms()).await?;
            if claimed.is_empty() {
                break;
            }
            let batch = self.prepare(claimed).await?;
            store.suppress_messages(self.campaign.id, &batch.suppressed, self.app.clock.now_ms()).await?;
            if let Some(held) = batch.held {
                let _ = stop.send(true);
                return self.held(held, batch.ready).await.map(Some);
            }
            self.queue(batch.ready, &tickets).await?;
            self.app.metrics.queue_depth(QUEUE - tickets.capacity());
        }
        Ok(None)
    }

    /// Hands over what is ready; what the sender no longer takes goes back.
    async fn queue(&self, ready: Vec<Ticket>, tickets: &mpsc::Sender<Ticket>) -> Result<()> {
        let mut back = Vec::new();
        for ticket in ready {
            if let Err(returned) = tickets.send(ticket).await {
                back.push(returned.0.claim);
            }
        }
        self.app.store.release(self.campaign.id, back, self.app.clock.now_ms()).await?;
        Ok(())
    }

    /// The guard refused a message at send time: everything stops here.
    async fn held(&self, held: Vec<Held>, ready: Vec<Ticket>) -> Result<String> {
        let now_ms = self.app.clock.now_ms();
        let back: Vec<Claim> = ready.into_iter().map(|ticket| ticket.claim).collect();
        self.app.store.release(self.campaign.id, back, now_ms).await?;
        let count = held.len();
        let mut first = String::new();
        for held in held {
            let mut rules: Vec<Rule> = held.findings.iter().map(|finding| finding.rule).collect();
            rules.dedup();
            event::message_held(self.campaign.id, &held.account, &rules);
            if first.is_empty() {
                let place = held.findings.first().map_or("", |finding| finding.place.as_str());
                first = format!(
                    "held: account {}'s message broke {} ({place})",
                    held.account,
                    rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(", ")
                );
            }
            self.app.store.hold(self.campaign.id, &held.account, &held.findings, now_ms).await?;
        }
        self.app.metrics.halted();
        let why = format!("{first}; {count} held in this batch, none of it was sent");
        self.halt(&why).await?;
        Ok(why)
    }

    /// Renders and judges a claimed batch against the directory as it is now.
    async fn prepare(&self, claimed: Vec<Claimed>) -> Result<Batch> {
        let accounts: Vec<AccountId> = claimed.iter().map(|c| c.claim.account.clone()).collect();
        let mut records = self.app.store.records(self.version, &accounts).await?;
        let addresses: Vec<_> = records.values().map(|record| record.address.clone()).collect();
        let refused = self.app.store.suppressed(&addresses).await?;
        let joined: Vec<(Claim, Option<Recipient>)> = claimed
            .into_iter()
            .map(|Claimed { claim, extra }| {
                let record = records.remove(&claim.account);
                (claim, record.map(|record| Recipient { record, extra }))
            })
            .collect();
        let (suppressed, joined): (Vec<_>, Vec<_>) = joined
            .into_iter()
            .partition(|(_, r)| r.as_ref().is_some_and(|r| refused.contains(&r.record.address.folded())));
        let (app, guard, bound) = (self.app.clone(), self.guard.clone(), self.bound.clone());
        let judged = tokio::task::spawn_blocking(move || judge_batch(&app, &guard, &bound, joined));
        let mut batch = judged.await.map_err(|e| Error::unexpected("judging a batch failed").cause(&e))??;
        batch.suppressed = suppressed.into_iter().map(|(claim, _)| claim.account).collect();
        Ok(batch)
    }
}

/// A claimed batch, judged.
#[derive(Default)]
struct Batch {
    ready: Vec<Ticket>,
    held: Option<Vec<Held>>,
    suppressed: Vec<AccountId>,
}

fn judge_batch(app: &App, guard: &Guard, bound: &Bound, joined: Vec<(Claim, Option<Recipient>)>) -> Result<Batch> {
    let judge = check::judge_of(guard, bound)?;
    let now_ms = app.clock.now_ms();
    let judged: Vec<Result<Ticket, Held>> = joined
        .into_par_iter()
        .map(|(claim, recipient)| {
            let Some(recipient) = recipient else {
                return Err(Held { account: claim.account, findings: vec![bound::no_account()] });
            };
            let cleared = bound.counted(&app.metrics, &judge, recipient, now_ms)?;
            same_digest(&claim, &cleared)?;
            Ok(Ticket { cleared, claim })
        })
        .collect();
    let mut batch = Batch::default();
    for message in judged {
        match message {
            Ok(ticket) => batch.ready.push(ticket),
            Err(held) => batch.held.get_or_insert_default().push(held),
        }
    }
    Ok(batch)
}

/// Bytes are approved, not intentions: what is sent is what was checked.
fn same_digest(claim: &Claim, cleared: &Cleared) -> Result<(), Held> {
    if claim.digest == cleared.digest() && claim.account == *cleared.account() {
        return Ok(());
    }
    Err(Held {
        account: claim.account.clone(),
        findings: vec![Finding {
            rule: Rule::Envelope,
            kind: None,
            place: "digest".into(),
            shown: "the message is not the one that was checked and approved".into(),
            owner: None,
        }],
    })
}

/// Writes outcomes in bulk, and stops the line when it cannot.
struct Recorder {
    app: App,
    campaign: i64,
    stop: Arc<watch::Sender<bool>>,
    bar: indicatif::ProgressBar,
}

impl Recorder {
    fn new(line: &Line, stop: Arc<watch::Sender<bool>>) -> Self {
        let bar = progress::bar("sending", "messages", line.campaign.accounts);
        Self { app: line.app.clone(), campaign: line.campaign.id, stop, bar }
    }

    async fn run(self, mut attempts: mpsc::Receiver<Attempt>) -> Result<()> {
        let mut failed = Ok(());
        let mut batch = Vec::with_capacity(OUTCOMES);
        while let Some(first) = attempts.recv().await {
            batch.push(first);
            let until = tokio::time::Instant::now() + OUTCOMES_WAIT;
            while batch.len() < OUTCOMES {
                match tokio::time::timeout_at(until, attempts.recv()).await {
                    Ok(Some(attempt)) => batch.push(attempt),
                    Ok(None) | Err(_) => break,
                }
            }
            if failed.is_ok() {
                failed = self.write(std::mem::take(&mut batch)).await;
                if failed.is_err() {
                    // What cannot be written stays claimed, and becomes unknown.
                    let _ = self.stop.send(true);
                }
            }
            batch.clear();
        }
        self.bar.finish_and_clear();
        failed
    }

    async fn write(&self, batch: Vec<Attempt>) -> Result<()> {
        let now_ms = self.app.clock.now_ms();
        self.bar.inc(batch.len() as u64);
        batch.iter().for_each(|attempt| self.app.metrics.attempt(&attempt.outcome));
        let settled: Vec<Settled> = batch.into_iter().map(|attempt| self.settle(attempt, now_ms)).collect();
        self.app.store.record_outcomes(self.campaign, settled, now_ms).await?;
        Ok(())
    }

    /// A deferral gets the time of its next attempt, or none if it had its last.
    fn settle(&self, Attempt { claim, outcome }: Attempt, now_ms: i64) -> Settled {
        let smtp = &self.app.config.smtp;
        match outcome {
            Outcome::Deferred(reply) if claim.attempt >= smtp.attempts_max => {
                let text = format!("gave up after {} attempts: {}", claim.attempt, reply.text);
                Settled { claim, outcome: Outcome::Rejected(Reply { code: reply.code, text }), not_before_ms: None }
            }
            Outcome::Deferred(reply) => {
                let wait_ms = backoff_ms(smtp.retry_first.as_ms(), smtp.retry_max.as_ms(), claim.attempt);
                Settled { claim, outcome: Outcome::Deferred(reply), not_before_ms: Some(now_ms + wait_ms) }
            }
            outcome => Settled { claim, outcome, not_before_ms: None },
        }
    }
}

/// Doubles with each attempt up to the longest, with a fifth of jitter either
/// way so that a deferred batch does not come back as one.
fn backoff_ms(first_ms: i64, max_ms: i64, attempt: u32) -> i64 {
    let doubled = first_ms.saturating_mul(1_i64 << attempt.saturating_sub(1).min(30)).min(max_ms);
    let jitter = doubled / 5;
    doubled - jitter + fastrand::i64(0..=2 * jitter)
}

#[cfg(test)]
mod tests {
    use super::backoff_ms;

    #[test]
    fn waits_double_and_stay_below_the_longest() {
        for attempt in 1..40 {
            let wait = backoff_ms(1_000, 60_000, attempt);
            let middle = (1_000_i64 << (attempt - 1).min(20)).min(60_000);
            assert!((middle * 4 / 5..=middle * 6 / 5).contains(&wait), "attempt {attempt}: {wait} ms");
        }
    }
}
