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
mod link;
mod login;
mod pace;
mod queue;
mod relay;
#[cfg(test)]
mod tests;
mod wire;

pub use pace::Pace;
pub use relay::{Deadlines, Relay, SendError};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::guard::Cleared;
use crate::ledger::{Claim, Outcome, Reply};
use conversation::{Conversation, Envelope, Sent};
use queue::Queue;

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

    pub(in crate::send) fn holds(&self) -> bool {
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

/// Sends every ticket of `tickets`, until the channel closes or `stop` turns
/// true; then what is under way ends and nothing new begins.
pub async fn run(
    relay: Relay,
    pace: Pace,
    tickets: mpsc::Receiver<Ticket>,
    done: mpsc::Sender<Ended>,
    stop: watch::Receiver<bool>,
    permission: Permission,
) -> Summary {
    run_parcels(relay, pace, tickets, done, stop, permission).await
}

async fn run_parcels<P: Parcel>(
    relay: Relay,
    pace: Pace,
    tickets: mpsc::Receiver<P>,
    done: mpsc::Sender<Ended>,
    stop: watch::Receiver<bool>,
    permission: Permission,
) -> Summary {
    let queue = Arc::new(Queue::new(tickets, pace, stop, permission));
    let mut workers = JoinSet::new();
    for _ in 0..relay.connections() {
        workers.spawn(work(relay.clone(), queue.clone(), done.clone()));
    }
    let mut error = None;
    while let Some(ended) = workers.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(why)) => error = Some(why),
            Err(panic) => error = Some(panic.to_string()),
        }
        if error.is_some() {
            queue.close();
        }
    }
    Summary { not_begun: queue.drain().await.into_iter().map(Parcel::into_claim).collect(), error }
}

/// One connection's owner: opens it when there is something to send, and again
/// when it was lost.
async fn work<P: Parcel>(relay: Relay, queue: Arc<Queue<P>>, done: mpsc::Sender<Ended>) -> Result<(), String> {
    let mut connection: Option<Conversation> = None;
    let mut lost_once = false;
    while let Some(parcel) = queue.next().await {
        let Some(parcel) = wanted(parcel, &done).await else { continue };
        let mut open = match connection.take() {
            Some(open) => open,
            None => match relay.connect_patiently(|| queue.is_stopped()).await {
                Ok(open) => open,
                Err(why) => {
                    queue.put_back(parcel);
                    return Err(why);
                }
            },
        };
        match open.begin(&parcel.envelope()).await {
            Sent::Go => {
                lost_once = false;
                connection = follow(open, parcel, &queue, &done).await;
            }
            Sent::Ended(outcome) => {
                lost_once = false;
                end(&done, parcel, outcome).await;
                connection = open.usable();
            }
            // A connection that was idle may have been closed by the server, or
            // closes after so many messages. Nothing of this one was written
            // that counts: once it goes back, the second time it is deferred.
            Sent::Lost(why) | Sent::Astray(Reply { text: why, .. }) if lost_once => {
                lost_once = false;
                end(&done, parcel, Outcome::Deferred(Reply { code: 0, text: why })).await;
            }
            Sent::Lost(_) | Sent::Astray(_) => {
                lost_once = true;
                queue.put_back(parcel);
            }
        }
    }
    if let Some(open) = connection {
        open.quit().await;
    }
    Ok(())
}

/// Sends the message whose DATA got its 354, and as many after it as follow in
/// the same writes; gives the connection back if it is still good.
async fn follow<P: Parcel>(
    mut open: Conversation,
    mut parcel: P,
    queue: &Queue<P>,
    done: &mpsc::Sender<Ended>,
) -> Option<Conversation> {
    loop {
        let Some(next) = riding(&mut open, queue, done).await else {
            let outcome = open.finish(&parcel.envelope()).await;
            end(done, parcel, outcome).await;
            return open.usable();
        };
        let (outcome, sent) = open.finish_and_begin(&parcel.envelope(), &next.envelope()).await;
        end(done, parcel, outcome).await;
        match sent {
            Sent::Go => parcel = next,
            Sent::Ended(outcome) => {
                end(done, next, outcome).await;
                return open.usable();
            }
            Sent::Lost(_) | Sent::Astray(_) => {
                // Its envelope may have been written, its body was not.
                queue.put_back(next);
                return None;
            }
        }
    }
}

/// The next message, if it is at hand and its envelope may ride with a body. One
/// that this server cannot be sent ends here.
async fn riding<P: Parcel>(open: &mut Conversation, queue: &Queue<P>, done: &mpsc::Sender<Ended>) -> Option<P> {
    if !open.pipelines() {
        return None;
    }
    let next = wanted(queue.next_now().await?, done).await?;
    match open.unfit(&next.envelope()) {
        None => Some(next),
        Some(outcome) => {
            end(done, next, outcome).await;
            None
        }
    }
}

/// The last moment at which a message can be kept back: none of it is written.
async fn wanted<P: Parcel>(parcel: P, done: &mpsc::Sender<Ended>) -> Option<P> {
    if !parcel.is_withdrawn() {
        return Some(parcel);
    }
    let _ = done.send(Ended::Withdrawn(parcel.into_claim())).await;
    None
}

async fn end<P: Parcel>(done: &mpsc::Sender<Ended>, parcel: P, outcome: Outcome) {
    // The recorder outlives the connections; if it failed, the claim stays on
    // disk and becomes unknown.
    let _ = done.send(Ended::Attempted(Attempt { claim: parcel.into_claim(), outcome })).await;
}
