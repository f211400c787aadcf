//! Judged messages → claims → the sender's queue.
//!
//! Invariants: a claim is on disk before its message is queued, and so is that it may
//! have been begun. The batch that was claimed last is not queued yet: the write that
//! claims the next one says that this one is begun. So a process that dies leaves what it
//! had not queued to be sent by others, and only the rest is unknown. One that others
//! took for dead finds here that its claims are not its own any more, before it begins
//! them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc;

use crate::account::AccountId;
use crate::address::Address;
use crate::app::deliver::climb::Line;
use crate::app::deliver::feed::Flow;
use crate::app::deliver::prepare::Ready;
use crate::app::deliver::watch::goes_on;
use crate::error::Result;
use crate::ledger::Claim;
use crate::send::Ticket;

/// What takes judged messages and gives them to the sender.
pub(in crate::app) struct Hand<'a> {
    line: &'a Line,
    flow: &'a Flow,
    queue: mpsc::Sender<Ticket>,
    /// Claimed and not queued.
    ahead: Vec<Ticket>,
}

impl<'a> Hand<'a> {
    pub fn new(line: &'a Line, flow: &'a Flow, queue: mpsc::Sender<Ticket>) -> Self {
        Self { line, flow, queue, ahead: Vec::new() }
    }

    /// Claims a batch as soon as there is room for it, and queues what was claimed
    /// before; false when nothing new may begin.
    pub async fn take(&mut self, batch: Vec<Ready>) -> Result<bool> {
        // What waits may be what takes the room.
        if self.flow.window.available_permits() < batch.len() && !self.queue_all().await? {
            return Ok(false);
        }
        self.step(batch).await
    }

    /// Queues what is claimed; false when nothing new may begin.
    pub async fn queue_all(&mut self) -> Result<bool> {
        if self.ahead.is_empty() { Ok(true) } else { self.step(Vec::new()).await }
    }

    /// Nothing more is queued; the claims of what was not.
    pub fn left(self) -> Vec<Claim> {
        self.ahead.into_iter().map(|ticket| ticket.claim).collect()
    }

    async fn step(&mut self, batch: Vec<Ready>) -> Result<bool> {
        let mut stop = self.flow.stop.subscribe();
        // Nothing is written yet, so these waits may be cut off.
        let room = tokio::select! {
            room = self.flow.window.acquire_many(batch.len() as u32) => room.ok(),
            _ = stop.wait_for(|stop| *stop) => None,
            () = self.queue.closed() => None,
        };
        let Some(room) = room else { return Ok(false) };
        let places = tokio::select! {
            places = self.queue.reserve_many(self.ahead.len()) => places.ok(),
            _ = stop.wait_for(|stop| *stop) => None,
        };
        let Some(places) = places else { return Ok(false) };
        if !goes_on(self.line.pulse.look().await?, self.line.version, self.line.rate) {
            self.flow.stop();
            return Ok(false);
        }
        // From here on, each ends as an outcome and gives its place back there.
        room.forget();
        let claimed = self.claim(batch).await?;
        for (place, ticket) in places.zip(std::mem::replace(&mut self.ahead, claimed)) {
            place.send(ticket);
        }
        let without_outcome = self.line.window.claimed.saturating_sub(self.flow.window.available_permits());
        self.line.app.metrics.queue_depth(without_outcome);
        Ok(true)
    }

    /// Claims what is still wanted of a batch, and says that what was claimed before is
    /// begun; both on disk.
    async fn claim(&self, batch: Vec<Ready>) -> Result<Vec<Ticket>> {
        let mut ready: HashMap<AccountId, (Ready, Arc<AtomicBool>)> = HashMap::new();
        let mut wanted = Vec::with_capacity(batch.len());
        for one in batch {
            // Under watch before the list is read: what is added to it from now
            // on is seen by one of the two.
            let withdrawn = Arc::new(AtomicBool::new(false));
            let account = one.cleared.account().clone();
            self.flow.under_way().insert(account.clone(), (one.cleared.recipient().clone(), withdrawn.clone()));
            wanted.push(one.wanted());
            ready.insert(account, (one, withdrawn));
        }
        let (store, campaign) = (&self.line.app.store, self.line.campaign.id);
        let addresses: Vec<Address> = wanted.iter().map(|wanted| wanted.to.clone()).collect();
        let refused = store.suppressed(&addresses).await?;
        let (suppressed, wanted): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|wanted| refused.contains(&wanted.to.folded()));
        let suppressed: Vec<AccountId> = suppressed.into_iter().map(|wanted| wanted.account).collect();
        self.line.suppress(&suppressed).await?;
        let begun: Vec<&Claim> = self.ahead.iter().map(|ticket| &ticket.claim).collect();
        let claims = store.claim(campaign, &begun, wanted, self.line.app.clock.now_ms()).await?;
        let tickets: Vec<Ticket> = claims
            .into_iter()
            .filter_map(|claim| {
                let (Ready { cleared, .. }, withdrawn) = ready.remove(&claim.account)?;
                Some(Ticket { cleared, claim, withdrawn })
            })
            .collect();
        // Suppressed, or claimed by somebody else meanwhile.
        self.flow.end(&ready.into_keys().collect::<Vec<_>>());
        Ok(tickets)
    }
}
