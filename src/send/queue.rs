//! What waits to be sent: tickets in order, of which one whose domain has no
//! token now steps aside so that it does not hold up the others.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex as Shared, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};

use crate::send::{Pace, Parcel, Permission};

/// Tickets that may step aside at once: the look-ahead.
const ASIDE_MAX: usize = 512;
/// How often what cannot be had now is asked for again: those aside, a relay, its turn.
pub(in crate::send) const ASK_AGAIN: Duration = Duration::from_millis(5);

pub(in crate::send) struct Queue<P> {
    inner: Mutex<Inner<P>>,
    /// Given back with both tokens: they go first. Apart from the rest, so that
    /// nobody who gives one back waits for somebody who waits for a token.
    returned: Shared<VecDeque<P>>,
    pace: Pace,
    stop: watch::Receiver<bool>,
    permission: Permission,
    closed: AtomicBool,
    /// Taken, and neither ended nor given back: each may come back.
    out: AtomicUsize,
    given_up: AtomicUsize,
}

struct Inner<P> {
    incoming: mpsc::Receiver<P>,
    /// Have their domain's token, and wait for one of the total.
    granted: VecDeque<P>,
    /// Wait for their domain.
    aside: VecDeque<P>,
}

/// What the queue has at this moment.
enum Now<P> {
    Granted(P),
    Wait,
    Empty,
    Over,
}

impl<P: Parcel> Queue<P> {
    pub fn new(incoming: mpsc::Receiver<P>, pace: Pace, stop: watch::Receiver<bool>, permission: Permission) -> Self {
        let inner = Inner { incoming, granted: VecDeque::new(), aside: VecDeque::new() };
        Self {
            inner: Mutex::new(inner),
            returned: Shared::default(),
            pace,
            stop,
            permission,
            closed: AtomicBool::new(false),
            out: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
        }
    }

    /// The next ticket with both its tokens; `None` when there is no more and none
    /// can come back, or sending stops. One at a time waits here, the others for the
    /// lock.
    pub async fn next(&self) -> Option<P> {
        let next = self.take().await;
        self.out.fetch_add(usize::from(next.is_some()), Ordering::SeqCst);
        next
    }

    async fn take(&self) -> Option<P> {
        let mut stop = self.stop.clone();
        loop {
            if self.is_stopped() {
                return None;
            }
            if let Some(parcel) = lock(&self.returned).pop_front() {
                return Some(parcel);
            }
            let mut inner = self.inner.lock().await;
            match inner.now(&self.pace) {
                Now::Granted(parcel) => {
                    // Nothing is lost with a wait for a token that is cut off.
                    tokio::select! {
                        () = self.pace.total() => {}
                        () = stopped(&mut stop) => {}
                    }
                    if self.is_stopped() {
                        inner.granted.push_front(parcel);
                        return None;
                    }
                    return Some(parcel);
                }
                Now::Wait => tokio::time::sleep(ASK_AGAIN).await,
                Now::Over => {
                    // Asked first: what comes back in between is seen below.
                    let all_ended = self.out.load(Ordering::SeqCst) == 0;
                    if let Some(parcel) = lock(&self.returned).pop_front() {
                        return Some(parcel);
                    }
                    if all_ended {
                        return None;
                    }
                    drop(inner);
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Now::Empty => tokio::select! {
                    parcel = inner.incoming.recv() => inner.aside.extend(parcel),
                    () = stopped(&mut stop) => {}
                    () = tokio::time::sleep(10 * ASK_AGAIN) => {}
                },
            }
        }
    }

    /// The next ticket, if one and both its tokens are at hand.
    pub async fn next_now(&self) -> Option<P> {
        if self.is_stopped() {
            return None;
        }
        let mut inner = self.inner.try_lock().ok()?;
        match inner.now(&self.pace) {
            Now::Granted(parcel) if self.pace.total_now() => {
                self.out.fetch_add(1, Ordering::SeqCst);
                Some(parcel)
            }
            Now::Granted(parcel) => {
                inner.granted.push_front(parcel);
                None
            }
            Now::Wait | Now::Empty | Now::Over => None,
        }
    }

    /// Gives back a ticket that was taken and not begun; it goes first.
    pub fn put_back(&self, parcel: P) {
        lock(&self.returned).push_front(parcel);
        self.ended();
    }

    /// One that was taken has ended.
    pub fn ended(&self) {
        self.out.fetch_sub(1, Ordering::SeqCst);
    }

    /// One that may have arrived is waited for no longer.
    pub fn give_up(&self) {
        self.given_up.fetch_add(1, Ordering::SeqCst);
    }

    /// How many those are.
    pub fn given_up(&self) -> usize {
        self.given_up.load(Ordering::SeqCst)
    }

    /// Whether nobody will get another: sending stops, or all have ended.
    pub fn is_over(&self) -> bool {
        let none_is_left = || {
            let out = self.out.load(Ordering::SeqCst) > 0 || !lock(&self.returned).is_empty();
            !out && self.inner.try_lock().is_ok_and(|inner| inner.is_empty())
        };
        self.is_stopped() || none_is_left()
    }

    /// How fast it goes, and what servers said about that.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Ends sending for every connection.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether nothing new may begin.
    pub fn is_stopped(&self) -> bool {
        self.closed.load(Ordering::SeqCst) || *self.stop.borrow() || !self.permission.holds()
    }

    /// Whether this process may send at all.
    pub fn is_permitted(&self) -> bool {
        self.permission.holds()
    }

    /// Resolves when somebody says that sending is to stop.
    pub async fn stopped(&self) {
        stopped(&mut self.stop.clone()).await;
    }

    /// Everything that is left, when nobody takes any more.
    pub async fn drain(&self) -> Vec<P> {
        let mut inner = self.inner.lock().await;
        let Inner { incoming, granted, aside } = &mut *inner;
        incoming.close();
        let mut left: Vec<P> = lock(&self.returned).drain(..).collect();
        left.extend(granted.drain(..));
        left.iter().for_each(|parcel| self.pace.end(parcel.envelope().recipient.domain()));
        left.extend(aside.drain(..));
        while let Some(parcel) = incoming.recv().await {
            left.push(parcel);
        }
        left
    }
}

impl<P: Parcel> Inner<P> {
    fn is_empty(&self) -> bool {
        let none_comes = self.incoming.is_closed() && self.incoming.is_empty();
        none_comes && self.granted.is_empty() && self.aside.is_empty()
    }

    fn now(&mut self, pace: &Pace) -> Now<P> {
        if let Some(parcel) = self.granted.pop_front() {
            return Now::Granted(parcel);
        }
        let granted = |parcel: &P| pace.domain_now(parcel.envelope().recipient.domain());
        if let Some(at) = self.aside.iter().position(granted) {
            return self.aside.remove(at).map_or(Now::Wait, Now::Granted);
        }
        let mut over = false;
        while self.aside.len() < ASIDE_MAX {
            match self.incoming.try_recv() {
                Ok(parcel) if granted(&parcel) => return Now::Granted(parcel),
                Ok(parcel) => self.aside.push_back(parcel),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    over = true;
                    break;
                }
            }
        }
        match (self.aside.is_empty(), over) {
            (false, _) => Now::Wait,
            (true, true) => Now::Over,
            (true, false) => Now::Empty,
        }
    }
}

/// Resolves when sending is to stop; never if nobody can stop it any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

/// A poisoned lock's list is whole: nothing is done under it that can panic.
fn lock<T>(list: &Shared<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
