//! Cleared messages → the mail server, and what became of each.
//!
//! Input: [`Ticket`]s, a cleared message with its claim. Output: [`Attempt`]s.
//! One task owns one connection; where the server knows PIPELINING, a message's
//! final dot and the next message's envelope leave in one write, but only when
//! that next message and its rate token are at hand. Nothing here can
//! make or fetch a message.
//!
//! Invariants: `Accepted` needs that very message's own 250 after its final dot;
//! a connection that says anything unexpected, or anything before it was asked,
//! is dropped; a message whose dot was
//! begun and not answered is `Unknown`, never tried again by itself; every ticket
//! ends as an attempt or among [`Summary::not_begun`].
//!
//! Sources: RFC 5321 (§4.5.2 transparency, §4.5.3.2 time limits), RFC 2920
//! (pipelining).

mod conversation;
mod doubt;
mod known;
mod link;
mod login;
mod pace;
mod probe;
mod queue;
mod relay;
mod relays;
pub mod replies;
#[cfg(test)]
mod tests;
mod wire;

pub use pace::{KEPT_BACK, Pace, Share};
pub use probe::Probe;
pub use relay::{Deadlines, Fault, Relay};
pub use relays::{Relays, Stands};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::guard::Cleared;
use crate::ledger::{Claim, Outcome, Reply};
use conversation::{Conversation, Envelope, Sent};
use queue::{ASK_AGAIN, Queue};

/// A cleared message and the claim that is on disk for it.
#[derive(Debug)]
pub struct Ticket {
    /// The message.
    pub cleared: Cleared,
    /// Its claim.
    pub claim: Claim,
    /// Turns true when the message must not be begun any more.
    pub withdrawn: Arc<AtomicBool>,
}

/// Whether this process may begin a message at all, asked before each one: the
/// right to send can be lost between two looks at anything slower.
#[derive(Clone)]
pub struct Permission(Arc<dyn Fn() -> bool + Send + Sync>);

impl Permission {
    /// One that holds as long as `holds` says so; it must not wait.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    /// Whether it does now.
    pub fn holds(&self) -> bool {
        (self.0)()
    }
}

/// What became of a ticket.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was attempted.
    Attempted(Attempt),
    /// It was withdrawn before any of it was written.
    Withdrawn(Claim),
}

/// How one attempt ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The claim, to be consumed by recording the outcome.
    pub claim: Claim,
    /// How it ended.
    pub outcome: Outcome,
}

/// What is left when sending ends.
#[derive(Debug, Default)]
pub struct Summary {
    /// Claims whose messages were not begun: no byte of them was written.
    pub not_begun: Vec<Claim>,
    /// Why sending ended early, if it did.
    pub error: Option<String>,
    /// How many messages under way were given up, where any were.
    pub given_up: Option<usize>,
}

/// What the connections need of a ticket; tests bring their own.
pub(in crate::send) trait Parcel: Send + 'static {
    /// The envelope and the bytes.
    fn envelope(&self) -> Envelope<'_>;
    /// Whether it must not be begun any more.
    fn is_withdrawn(&self) -> bool;
    /// The claim, when the message has ended.
    fn into_claim(self) -> Claim;
}

impl Parcel for Ticket {
    fn envelope(&self) -> Envelope<'_> {
        Envelope { sender: self.cleared.sender(), recipient: self.cleared.recipient(), bytes: self.cleared.bytes() }
    }

    fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::SeqCst)
    }

    fn into_claim(self) -> Claim {
        self.claim
    }
}

/// Sends every ticket of `tickets` by the relays, until the channel closes or `stop` turns
/// true; then what is under way ends and nothing new begins. When `cut` turns true, it is
/// waited for no longer: what may have arrived is unknown, and the rest not begun.
pub async fn run(
    relays: Relays,
    pace: Pace,
    tickets: mpsc::Receiver<Ticket>,
    done: mpsc::Sender<Ended>,
    stop: watch::Receiver<bool>,
    cut: watch::Receiver<bool>,
    permission: Permission,
) -> Summary {
    run_parcels(relays, pace, tickets, done, stop, cut, permission).await
}

async fn run_parcels<P: Parcel>(
    relays: impl Into<Relays>,
    pace: Pace,
    tickets: mpsc::Receiver<P>,
    done: mpsc::Sender<Ended>,
    stop: watch::Receiver<bool>,
    mut cut: watch::Receiver<bool>,
    permission: Permission,
) -> Summary {
    let relays = relays.into();
    let queue = Arc::new(Queue::new(tickets, pace, stop, permission));
    let mut workers = JoinSet::new();
    for at in relays.places() {
        let worker = Worker { at, relays: relays.clone(), queue: queue.clone(), done: done.clone(), cut: cut.clone() };
        workers.spawn(worker.work());
    }
    let (mut error, mut is_cut) = (None, false);
    while !workers.is_empty() {
        let ended = tokio::select! {
            ended = workers.join_next() => ended,
            true = cut_off(&mut cut), if !is_cut => {
                is_cut = true;
                queue.close();
                continue;
            }
            // Who has no message may be waiting for a server.
            () = tokio::time::sleep(GRACE), if is_cut => {
                workers.abort_all();
                continue;
            }
        };
        match ended {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(why))) => error = Some(why),
            Some(Err(aborted)) if aborted.is_cancelled() => {}
            Some(Err(panic)) => error = Some(panic.to_string()),
        }
        if error.is_some() {
            queue.close();
        }
    }
    let not_begun = queue.drain().await.into_iter().map(Parcel::into_claim).collect();
    Summary { not_begun, error, given_up: Some(queue.given_up()).filter(|count| *count > 0) }
}

/// How long a connection may take to end when it is waited for no longer.
const GRACE: Duration = Duration::from_secs(2);
/// What is said of a message that may have arrived and was given up.
const GIVEN_UP: &str = "not answered in the time that smtp.drain leaves when sending is told to stop";

/// True when it turns true; false when nobody can turn it any more.
async fn cut_off(cut: &mut watch::Receiver<bool>) -> bool {
    cut.wait_for(|cut| *cut).await.is_ok()
}

/// One connection's owner: opens it when there is something to send, and again
/// when it was lost.
struct Worker<P> {
    /// The place of its relay.
    at: usize,
    relays: Relays,
    queue: Arc<Queue<P>>,
    done: mpsc::Sender<Ended>,
    cut: watch::Receiver<bool>,
}

impl<P: Parcel> Worker<P> {
    async fn work(self) -> Result<(), String> {
        let (at, relays) = (self.at, &self.relays);
        let mut connection: Option<Conversation> = None;
        let mut lost_once = false;
        loop {
            if connection.is_none() {
                connection = match self.back().await? {
                    Back::Used(open) => open.map(|open| *open),
                    Back::Over => return Ok(()),
                };
            }
            let Some(parcel) = self.next().await else { break };
            if let Some(why) = self.queue.pace().refused() {
                self.queue.put_back(parcel);
                return Err(why);
            }
            let Some(parcel) = self.wanted(parcel).await else { continue };
            let was_open = connection.is_some();
            let mut open = match connection.take() {
                Some(open) => open,
                None => match self.connected().await {
                    Some(Ok(open)) => open,
                    Some(Err(why)) => {
                        self.queue.put_back(parcel);
                        relays.failed(at, why)?;
                        continue;
                    }
                    None => return self.not_begun(parcel),
                },
            };
            let Some(sent) = self.unless_cut(open.begin(&parcel.envelope())).await else {
                return self.not_begun(parcel);
            };
            match sent {
                Sent::Go => {
                    lost_once = false;
                    relays.works(at);
                    connection = self.follow(open, parcel).await;
                }
                Sent::Ended(outcome) => {
                    lost_once = false;
                    relays.works(at);
                    self.end(parcel, outcome).await;
                    connection = open.usable();
                }
                // A connection that was idle may have been closed by the server, or
                // closes after so many messages. Nothing of this one was written
                // that counts: once it goes back, the second time it is deferred.
                Sent::Lost(why) | Sent::Astray(Reply { text: why, .. }) => {
                    if lost_once {
                        self.end(parcel, Outcome::Deferred(Reply { code: 0, text: why.clone() })).await;
                    } else {
                        self.queue.put_back(parcel);
                    }
                    lost_once = !lost_once;
                    // Another can do better than one that drops what it has just let in.
                    if !was_open && relays.has_others() {
                        relays.failed(at, why)?;
                    }
                }
            }
        }
        if let Some(open) = connection {
            open.quit().await;
        }
        Ok(())
    }

    /// Waits until the relay may be used; a new connection, if this one tried it.
    async fn back(&self) -> Result<Back, String> {
        loop {
            match self.relays.now(self.at) {
                relays::Now::Use => return Ok(Back::Used(None)),
                _ if self.queue.is_over() => return Ok(Back::Over),
                relays::Now::Wait => tokio::time::sleep(ASK_AGAIN).await,
                relays::Now::Try => match self.connected().await {
                    Some(Ok(open)) => {
                        self.relays.is_back(self.at);
                        return Ok(Back::Used(Some(Box::new(open))));
                    }
                    Some(Err(why)) => self.relays.failed(self.at, why)?,
                    None => return Ok(Back::Over),
                },
            }
        }
    }

    /// The next message, when it is this relay's turn.
    async fn next(&self) -> Option<P> {
        self.relays.waits(self.at, true);
        while !self.relays.is_its_turn(self.at) && !self.queue.is_over() {
            tokio::time::sleep(ASK_AGAIN).await;
        }
        let next = self.queue.next().await;
        self.relays.waits(self.at, false);
        if next.is_some() {
            self.relays.took(self.at);
        }
        next
    }

    /// Sends the message whose DATA got its 354, and as many after it as follow in
    /// the same writes; gives the connection back if it is still good.
    async fn follow(&self, mut open: Conversation, mut parcel: P) -> Option<Conversation> {
        loop {
            // The server may have let it wait for long, and others may have taken it over.
            if !self.queue.is_permitted() {
                self.queue.put_back(parcel);
                return None;
            }
            let Some(next) = self.riding(&mut open).await else {
                let outcome = self.unless_cut(open.finish(&parcel.envelope())).await;
                let is_cut = outcome.is_none();
                self.end(parcel, outcome.unwrap_or_else(|| self.given_up())).await;
                return if is_cut { None } else { open.usable() };
            };
            let both = self.unless_cut(open.finish_and_begin(&parcel.envelope(), &next.envelope())).await;
            let Some((outcome, sent)) = both else {
                self.queue.put_back(next);
                self.end(parcel, self.given_up()).await;
                return None;
            };
            self.end(parcel, outcome).await;
            match sent {
                Sent::Go => parcel = next,
                Sent::Ended(outcome) => {
                    self.end(next, outcome).await;
                    return open.usable();
                }
                Sent::Lost(_) | Sent::Astray(_) => {
                    // Its envelope may have been written, its body was not.
                    self.queue.put_back(next);
                    return None;
                }
            }
        }
    }

    /// The next message, if it is at hand and its envelope may ride with a body. One
    /// that this server cannot be sent ends here.
    async fn riding(&self, open: &mut Conversation) -> Option<P> {
        if !open.pipelines() || !self.relays.is_its_turn(self.at) {
            return None;
        }
        let next = self.queue.next_now().await?;
        self.relays.took(self.at);
        let next = self.wanted(next).await?;
        match open.unfit(&next.envelope()) {
            None => Some(next),
            Some(outcome) => {
                self.end(next, outcome).await;
                None
            }
        }
    }

    /// A connection; `None` when sending is to stop before there is one: nothing was begun
    /// on it, so nobody waits for a server that does not let us in.
    async fn connected(&self) -> Option<Result<Conversation, String>> {
        let opened = self.unless_cut(self.relays.connect(self.at));
        tokio::select! {
            opened = opened => opened,
            () = self.queue.stopped() => None,
        }
    }

    /// What comes of waiting for a server; `None` when it is waited for no longer.
    async fn unless_cut<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        let mut cut = self.cut.clone();
        tokio::select! {
            done = wait => Some(done),
            true = cut_off(&mut cut) => None,
        }
    }

    /// Nothing of a message's body was written.
    fn not_begun(&self, parcel: P) -> Result<(), String> {
        self.queue.put_back(parcel);
        Ok(())
    }

    /// What becomes of a message of which some was written.
    fn given_up(&self) -> Outcome {
        self.queue.give_up();
        Outcome::Unknown(Reply { code: 0, text: GIVEN_UP.into() })
    }

    /// The last moment at which a message can be kept back: none of it is written.
    async fn wanted(&self, parcel: P) -> Option<P> {
        let pace = self.queue.pace();
        let domain = parcel.envelope().recipient.domain().to_owned();
        let withdrawn = parcel.is_withdrawn();
        let kept_back = if withdrawn { None } else { pace.kept_back(&domain) };
        if !withdrawn && kept_back.is_none() {
            return Some(parcel);
        }
        let claim = parcel.into_claim();
        let ended = match kept_back {
            Some(outcome) => Ended::Attempted(Attempt { claim, outcome }),
            None => Ended::Withdrawn(claim),
        };
        self.over(&domain, ended).await;
        None
    }

    async fn end(&self, parcel: P, outcome: Outcome) {
        let domain = parcel.envelope().recipient.domain().to_owned();
        let outcome = self.queue.pace().heed(&domain, outcome);
        self.over(&domain, Ended::Attempted(Attempt { claim: parcel.into_claim(), outcome })).await;
    }

    /// A message is not under way any more.
    async fn over(&self, domain: &str, ended: Ended) {
        self.queue.pace().end(domain);
        // The recorder outlives the connections; if it failed, the claim stays on
        // disk and becomes unknown.
        let _ = self.done.send(ended).await;
        self.queue.ended();
    }
}

/// Whether a relay can be used again.
enum Back {
    /// It can; with the connection that showed it.
    Used(Option<Box<Conversation>>),
    /// Nothing is left to be sent.
    Over,
}
