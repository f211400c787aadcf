//! Messages that are due, rendered and judged ahead, before anything is claimed:
//! what a crash finds here was never begun, and is sent by the next process.

use std::sync::Arc;

use rayon::prelude::*;
use tokio::sync::{mpsc, oneshot};

use crate::account::{AccountId, Recipient, Record};
use crate::app::App;
use crate::app::campaign::check;
use crate::app::campaign::loaded::{self, LoadedCampaign};
use crate::error::{Error, Result};
use crate::guard::{Cleared, Finding, Guard, Held, Rule};
use crate::store::{Cursor, Due, Seat, Wanted};

/// Messages read and judged together.
const PAGE: usize = 250;

/// A message that was cleared again, and is what was approved.
pub(in crate::app) struct Ready {
    pub cleared: Cleared,
    digest: [u8; 32],
    attempts: u32,
}

impl Ready {
    /// What there is to claim.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            account: self.cleared.account().clone(),
            digest: self.digest,
            attempts: self.attempts,
            to: self.cleared.recipient().clone(),
        }
    }
}

/// Some messages, judged.
#[derive(Default)]
pub(in crate::app) struct Page {
    pub ready: Vec<Ready>,
    pub held: Vec<Held>,
    pub suppressed: Vec<AccountId>,
}

/// Reads and judges by one version of the directory.
pub(in crate::app) struct Preparer {
    pub app: App,
    pub campaign: i64,
    pub stage: u16,
    pub version: i64,
    pub seat: Seat,
    pub guard: Arc<Guard>,
    pub bound: Arc<LoadedCampaign>,
}

impl Preparer {
    /// Page after page, until nothing is due, a page fails, or nobody takes them.
    pub async fn run(self, pages: mpsc::Sender<Result<Page>>) {
        let (app, guard, bound) = (self.app.clone(), self.guard.clone(), self.bound.clone());
        let (jobs, queue) = std::sync::mpsc::channel();
        let judging = tokio::task::spawn_blocking(move || judge(&app, &guard, &bound, queue));
        let ended = self.pages(&jobs, &pages).await;
        drop(jobs);
        if let Err(error) = ended {
            // Why nobody judges any more says more than that nobody does.
            let why = judging.await.map_err(|e| not_judged().cause(&e));
            let _ = pages.send(Err(why.and_then(|judged| judged).err().unwrap_or(error))).await;
        }
    }

    /// Reads each page while the one before is judged.
    async fn pages(&self, jobs: &std::sync::mpsc::Sender<Job>, pages: &mpsc::Sender<Result<Page>>) -> Result<()> {
        let mut cursor = self.app.store.cursor(self.campaign, self.stage, self.seat).await?;
        let mut before: Option<Reading> = None;
        loop {
            let read = self.read(&mut cursor, jobs).await;
            if let Some(before) = before.take()
                && pages.send(Ok(before.judged().await?)).await.is_err()
            {
                return Ok(());
            }
            before = read?;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    /// The next page, given to be judged.
    async fn read(&self, cursor: &mut Cursor, jobs: &std::sync::mpsc::Sender<Job>) -> Result<Option<Reading>> {
        let store = &self.app.store;
        let due = store.due(self.campaign, self.stage, cursor, PAGE, self.app.clock.now_ms()).await?;
        if due.is_empty() {
            return Ok(None);
        }
        let accounts: Vec<AccountId> = due.iter().map(|due| due.account.clone()).collect();
        let mut records = store.records(self.version, &accounts).await?;
        let addresses: Vec<_> = records.values().map(|record| record.address.clone()).collect();
        let refused = store.suppressed(&addresses).await?;
        let mut suppressed = Vec::new();
        let mut joined = Vec::with_capacity(due.len());
        for due in due {
            match records.remove(&due.account) {
                Some(record) if refused.contains(&record.address.folded()) => suppressed.push(due.account),
                record => joined.push((due, record)),
            }
        }
        let (reply, judged) = oneshot::channel();
        jobs.send(Job { joined, reply }).map_err(|_| not_judged())?;
        Ok(Some(Reading { suppressed, judged }))
    }
}

fn not_judged() -> Error {
    Error::unexpected("judging a page failed")
}

/// A page that is being judged.
struct Reading {
    suppressed: Vec<AccountId>,
    judged: oneshot::Receiver<Vec<Result<Ready, Held>>>,
}

impl Reading {
    async fn judged(self) -> Result<Page> {
        let mut page = Page { suppressed: self.suppressed, ..Page::default() };
        for message in self.judged.await.map_err(|_| not_judged())? {
            match message {
                Ok(ready) => page.ready.push(ready),
                Err(held) => page.held.push(held),
            }
        }
        Ok(page)
    }
}

/// One page to judge.
struct Job {
    joined: Vec<(Due, Option<Record>)>,
    reply: oneshot::Sender<Vec<Result<Ready, Held>>>,
}

/// Judges page after page with one judge: what it learns of the campaign's
/// passages serves all of them.
fn judge(app: &App, guard: &Guard, bound: &LoadedCampaign, jobs: std::sync::mpsc::Receiver<Job>) -> Result<()> {
    let judge = check::judge_of(guard, bound)?;
    for Job { joined, reply } in jobs {
        let now_ms = app.clock.now_ms();
        let judged = joined.into_par_iter().map(|(due, record)| {
            let Some(record) = record else {
                return Err(Held { account: due.account, findings: vec![loaded::no_account()] });
            };
            let recipient = Recipient { record, extra: due.extra.clone() };
            same(due, bound.counted(&app.metrics, &judge, recipient, now_ms)?)
        });
        // Whoever asked and is gone wants no answer.
        let _ = reply.send(judged.collect());
    }
    Ok(())
}

/// Where a message is found to be another than the one that was checked.
pub(in crate::app) const DIGEST: &str = "digest";

/// Bytes are approved, not intentions: what is sent is what was checked.
fn same(due: Due, cleared: Cleared) -> Result<Ready, Held> {
    if due.digest == cleared.digest() && due.account == *cleared.account() {
        return Ok(Ready { cleared, digest: due.digest, attempts: due.attempts });
    }
    Err(Held {
        account: due.account,
        findings: vec![Finding {
            rule: Rule::Envelope,
            kind: None,
            place: DIGEST.into(),
            shown: "the message is not the one that was checked and approved".into(),
            owner: None,
        }],
    })
}
