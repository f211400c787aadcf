//! The relays that messages go by: whose turn it is, and which of them is left out
//! for a while.
//!
//! While several can be used, each gets its share of the messages by its weight,
//! within as many as it has connections; one whose connections are all busy for
//! longer than [`BUSY`] holds up nobody. One that cannot be reached, or drops new
//! connections, is left out for a while that doubles each time; then one
//! connection tries it, with no message in hand, and the others go on meanwhile.
//! When each has failed [`TRIES`] times in a row, sending ends.
//!
//! Nothing here moves a message: one that was begun at a relay goes back to the
//! queue only before any of its body was written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{RelayUrlError, Smtp};
use crate::send::Relay;
use crate::send::conversation::Conversation;
use crate::telemetry::event;

/// Failures in a row after which a relay is taken for gone, if all are.
const TRIES: u32 = 6;
/// The longest that a relay is left out, in first waits: five minutes of 200 ms.
const OUT_MAX: u32 = 1_500;
/// How long a relay behind its share may have no free connection before others
/// take what would be its.
const BUSY: Duration = Duration::from_secs(1);

/// How long it is not said again of one relay that it is left out.
const SILENCE: Duration = Duration::from_secs(60);

/// Every relay of a configuration; clones share how they stand.
#[derive(Clone, Debug)]
pub struct Relays {
    each: Arc<[Relay]>,
    standing: Arc<Mutex<Vec<Standing>>>,
}

/// How one relay stands.
#[derive(Debug)]
struct Standing {
    weight: f64,
    /// How far it may be ahead of the others: a message for each connection.
    ahead_max: f64,
    /// Messages taken, by weight.
    taken: f64,
    last: Instant,
    /// Connections that wait for a message.
    waiting: usize,
    /// Failures since it last took or refused a message.
    failures: u32,
    out_until: Option<Instant>,
    is_tried: bool,
    why: String,
    /// When it was said last that it is left out.
    said: Option<Instant>,
    /// Whether it was not said since that it is back.
    is_said_out: bool,
}

/// A relay, and why it is left out, if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Host and port.
    pub relay: String,
    /// What happened when it was connected to last.
    pub out: Option<String>,
}

/// What a connection's owner does about a relay.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::send) enum Now {
    /// It may be used.
    Use,
    /// It is left out.
    Wait,
    /// Its time is over: whoever gets this tries it.
    Try,
}

impl Relays {
    /// Reads the configuration.
    ///
    /// # Errors
    /// A URL cannot be used.
    pub fn new(smtp: &Smtp) -> Result<Self, RelayUrlError> {
        let read = |(smtp, weight): (Smtp, u32)| Ok((Relay::new(&smtp)?, weight));
        Ok(Self::of(smtp.each().into_iter().map(read).collect::<Result<_, _>>()?))
    }

    pub(in crate::send) fn of(relays: Vec<(Relay, u32)>) -> Self {
        let standing = |(relay, weight): &(Relay, u32)| Standing {
            weight: f64::from((*weight).max(1)),
            ahead_max: relay.connections() as f64 / f64::from((*weight).max(1)),
            taken: 0.0,
            last: Instant::now(),
            waiting: 0,
            failures: 0,
            out_until: None,
            is_tried: false,
            why: String::new(),
            said: None,
            is_said_out: false,
        };
        let standing = relays.iter().map(standing).collect();
        Self { each: relays.into_iter().map(|(relay, _)| relay).collect(), standing: Arc::new(Mutex::new(standing)) }
    }

    /// How many connections are held open at once, to all of them.
    pub fn connections(&self) -> usize {
        self.each.iter().map(Relay::connections).sum()
    }

    /// How each stands now.
    pub fn stand(&self) -> Vec<Stands> {
        let standing = self.standing();
        let each = self
            .each
            .iter()
            .zip(standing.iter())
            .map(|(relay, one)| Stands { relay: relay.to_string(), out: one.out_until.map(|_| one.why.clone()) });
        each.collect()
    }

    /// The place of a relay for each connection.
    pub(in crate::send) fn places(&self) -> impl Iterator<Item = usize> {
        self.each.iter().enumerate().flat_map(|(at, relay)| std::iter::repeat_n(at, relay.connections()))
    }

    /// Connects to one.
    pub(in crate::send) async fn connect(&self, at: usize) -> Result<Conversation, String> {
        self.each[at].connect_in_time().await
    }

    /// Whether a connection to it may take a message now. A relay is ahead when
    /// another that could take one has had less of its share.
    pub(in crate::send) fn is_its_turn(&self, at: usize) -> bool {
        let standing = self.standing();
        let could = |other: &&Standing| other.out_until.is_none() && (other.waiting > 0 || other.last.elapsed() < BUSY);
        let mine = &standing[at];
        standing.iter().filter(could).all(|other| mine.taken < other.taken + mine.ahead_max)
    }

    /// One more connection waits for a message, or one less.
    pub(in crate::send) fn waits(&self, at: usize, waits: bool) {
        let waiting = &mut self.standing()[at].waiting;
        *waiting = if waits { *waiting + 1 } else { waiting.saturating_sub(1) };
    }

    /// A connection to it took a message.
    pub(in crate::send) fn took(&self, at: usize) {
        let one = &mut self.standing()[at];
        one.taken += 1.0 / one.weight;
        one.last = Instant::now();
    }

    /// It answered for a message: taken or refused, it works.
    pub(in crate::send) fn works(&self, at: usize) {
        self.standing()[at].failures = 0;
    }

    /// It can be connected to: it gets its share from now on, and makes up for
    /// nothing.
    pub(in crate::send) fn is_back(&self, at: usize) {
        let mut standing = self.standing();
        let others = standing.iter().enumerate().filter(|(n, other)| *n != at && other.out_until.is_none());
        let least = others.map(|(_, other)| other.taken).reduce(f64::min);
        let one = &mut standing[at];
        one.taken = least.map_or(one.taken, |least| least.max(one.taken));
        (one.out_until, one.is_tried, one.last) = (None, false, Instant::now());
        if std::mem::take(&mut one.is_said_out) {
            event::relay_back(&self.each[at].to_string());
        }
    }

    /// It could not be reached, or dropped a new connection. Several connections
    /// that fail together are one failure.
    ///
    /// # Errors
    /// No relay is left: why each failed.
    pub(in crate::send) fn failed(&self, at: usize, why: String) -> Result<(), String> {
        let mut standing = self.standing();
        let one = &mut standing[at];
        if one.out_until.is_none() || one.is_tried {
            let doubled = 2_u32.saturating_pow(one.failures).min(OUT_MAX);
            one.out_until = Some(Instant::now() + doubled * self.each[at].first_wait());
            (one.failures, one.is_tried, one.why) = (one.failures + 1, false, why);
            // One that drops every other connection would fill the log.
            if one.said.is_none_or(|said| said.elapsed() > SILENCE) {
                (one.said, one.is_said_out) = (Some(Instant::now()), true);
                event::relay_left_out(&self.each[at].to_string(), &one.why);
            }
        }
        if standing.iter().any(|one| one.failures < TRIES) {
            return Ok(());
        }
        let told = self.each.iter().zip(standing.iter()).map(|(relay, one)| format!("{relay}: {}", one.why));
        let told = told.collect::<Vec<_>>().join("; ");
        Err(format!("{told}; see that it runs, and that smtp.url or [[smtp.relay]] in kakitome.toml names it"))
    }

    /// Whether there is another relay besides this one.
    pub(in crate::send) fn has_others(&self) -> bool {
        self.each.len() > 1
    }

    /// Whether it may be used.
    pub(in crate::send) fn now(&self, at: usize) -> Now {
        let one = &mut self.standing()[at];
        match one.out_until {
            None => Now::Use,
            Some(until) if one.is_tried || Instant::now() < until => Now::Wait,
            Some(_) => {
                one.is_tried = true;
                Now::Try
            }
        }
    }

    /// What is under it is whole even if it was poisoned: nothing there panics.
    fn standing(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One relay by itself.
impl From<Relay> for Relays {
    fn from(relay: Relay) -> Self {
        Self::of(vec![(relay, 1)])
    }
}

#[cfg(test)]
mod tests;
