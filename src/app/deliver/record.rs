//! Outcomes → the store, in bulk, and with them the addresses that have no
//! mailbox ([`crate::send::replies`]) → the suppression list. An outcome that cannot be written stops the
//! line: what was sent and not recorded stays claimed, and becomes `unknown`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::mpsc;

use crate::account::AccountId;
use crate::app::App;
use crate::app::deliver::feed::Flow;
use crate::error::Result;
use crate::ledger::{Claim, Outcome};
use crate::send::replies::{Meaning, meaning};
use crate::send::{Attempt, Ended};
use crate::store::Settled;
use crate::telemetry::event;

/// Outcomes written together at most, and how long the first of them may wait.
const OUTCOMES: usize = 500;
const WAIT: Duration = Duration::from_millis(20);

/// Writes what became of tickets, and then lets as many follow.
pub(in crate::app) struct Recorder {
    pub app: App,
    pub campaign: i64,
    pub flow: Flow,
    /// Outcomes that are worth a write.
    pub batch: usize,
    pub bar: ProgressBar,
    /// Addresses that were suppressed.
    pub bounced: Arc<AtomicU64>,
}

impl Recorder {
    pub async fn run(self, mut ended: mpsc::Receiver<Ended>) -> Result<()> {
        let mut failed = Ok(());
        let mut batch = Vec::with_capacity(OUTCOMES);
        while let Some(first) = ended.recv().await {
            batch.push(first);
            let until = tokio::time::Instant::now() + WAIT;
            while batch.len() < OUTCOMES {
                let next = match ended.try_recv() {
                    Ok(next) => Some(next),
                    Err(_) if batch.len() >= self.batch => None,
                    Err(_) => tokio::time::timeout_at(until, ended.recv()).await.unwrap_or_default(),
                };
                let Some(next) = next else { break };
                batch.push(next);
            }
            if failed.is_ok() {
                failed = self.write(std::mem::take(&mut batch)).await;
                if failed.is_err() {
                    self.flow.stop();
                }
            }
            batch.clear();
        }
        failed
    }

    async fn write(&self, batch: Vec<Ended>) -> Result<()> {
        let now_ms = self.app.clock.now_ms();
        let mut settled: Vec<Settled> = Vec::new();
        let mut withdrawn: Vec<AccountId> = Vec::new();
        for ended in batch {
            match ended {
                Ended::Attempted(attempt) => {
                    self.app.metrics.attempt(&attempt.outcome);
                    settled.push(self.settle(attempt, now_ms));
                }
                // A message is withdrawn for one reason only.
                Ended::Withdrawn(claim) => withdrawn.push(claim.account),
            }
        }
        let accounts: Vec<AccountId> =
            settled.iter().map(|one| one.claim.account.clone()).chain(withdrawn.iter().cloned()).collect();
        let again = settled.iter().filter(|one| one.not_before_ms.is_some()).count();
        let bounced = self.app.store.record_outcomes(self.campaign, settled, now_ms).await?;
        if bounced > 0 {
            self.bounced.fetch_add(bounced, Ordering::SeqCst);
            event::bounces_suppressed(self.campaign, bounced);
        }
        self.app.store.withdraw(self.campaign, &withdrawn, now_ms).await?;
        self.flow.end(&accounts);
        self.bar.inc((accounts.len() - again) as u64);
        Ok(())
    }

    /// A deferral gets the time of its next attempt, and the address of a message
    /// whose server says that there is no such mailbox is told.
    fn settle(&self, Attempt { claim, outcome }: Attempt, now_ms: i64) -> Settled {
        let smtp = &self.app.config.smtp;
        let wait = || backoff_ms(smtp.retry_first.as_ms(), smtp.retry_max.as_ms(), claim.attempt, seed(&claim));
        let not_before_ms = matches!(outcome, Outcome::Deferred(_)).then(|| now_ms + wait());
        let is_bounce = matches!(&outcome, Outcome::Rejected(reply) if meaning(reply) == Meaning::Bounce);
        let address = || self.flow.under_way().get(&claim.account).map(|(address, _)| address.clone());
        let bounced = if is_bounce { address() } else { None };
        Settled { claim, outcome, not_before_ms, bounced }
    }
}

/// Of a message's attempt, so that the same has the same jitter.
fn seed(claim: &Claim) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&claim.campaign.to_be_bytes()).update(&claim.attempt.to_be_bytes());
    hasher.update(claim.account.as_str().as_bytes());
    let mut head = [0; 8];
    hasher.finalize_xof().fill(&mut head);
    u64::from_be_bytes(head)
}

/// Doubles with each attempt up to the longest, with a fifth of jitter either
/// way so that a deferred batch does not come back as one.
fn backoff_ms(first_ms: i64, max_ms: i64, attempt: u32, seed: u64) -> i64 {
    let doubled = first_ms.saturating_mul(1_i64 << attempt.saturating_sub(1).min(30)).min(max_ms);
    let jitter = doubled / 5;
    doubled - jitter + fastrand::Rng::with_seed(seed).i64(0..=2 * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(attempt: u32, account: &str) -> i64 {
        let claim = Claim { campaign: 1, account: AccountId::new(account).unwrap(), digest: [0; 32], attempt };
        backoff_ms(1_000, 60_000, attempt, seed(&claim))
    }

    #[test]
    fn waits_double_and_stay_below_the_longest() {
        for attempt in 1..40 {
            let wait = wait(attempt, "10000001");
            let middle = (1_000_i64 << (attempt - 1).min(20)).min(60_000);
            assert!((middle * 4 / 5..=middle * 6 / 5).contains(&wait), "attempt {attempt}: {wait} ms");
        }
    }

    #[test]
    fn messages_deferred_together_come_back_apart_and_the_same_each_time() {
        let waits: Vec<i64> = (0..100).map(|n| wait(3, &n.to_string())).collect();
        let apart: std::collections::BTreeSet<_> = waits.iter().collect();
        assert!(apart.len() > 90, "{waits:?}");
        assert!((0..100).zip(&waits).all(|(n, before)| wait(3, &n.to_string()) == *before));
    }
}
