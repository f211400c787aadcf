//! Processes that send beside one another: a lease each, with a share of every
//! rate, renewed every second.
//!
//! A lease is given in one transaction that no other runs beside, by the
//! database's clock: an equal part for each process with a lease, and never more
//! than the others' leases leave. So the shares never add up to more than the
//! whole, whoever joins or dies: who joins waits until the others have come down
//! to their parts, and what a dead one had is free when its lease is over. A
//! process takes its own lease for lapsed [`MARGIN`] before the database does. With
//! its share a process is told its [`Seat`]: its place by name among them all.
//!
//! SQLite has one sending process, which has the whole of every rate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::store::cell::Cell;
use crate::store::claim::Seat;
use crate::store::error::{Doing, Result};
use crate::store::ledger::{self, Messages};
use crate::store::lock::{HOLDER, is_dead, lives, process, worker};
use crate::store::outcome::{LOST_REPLY, given_back};
use crate::store::{Store, in_transaction, with_pool};

/// All of every rate, in millionths.
pub const WHOLE: u32 = 1_000_000;

/// How long a lease is.
const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
const BEAT: Duration = Duration::from_secs(1);
/// How much earlier than the database a process takes its lease for lapsed.
const MARGIN: Duration = Duration::from_secs(1);

/// What a row is called that cannot be read.
const WHAT: &str = "worker";
/// The name of the lock under which leases are given.
const ALONE: &str = "select pg_advisory_xact_lock(7164380915)";

/// The claims of a campaign ($1) that are neither this process's ($3) nor another's that has
/// a lease now ($4).
macro_rules! lost {
    () => {
        "campaign = $1 and state = 'claimed' and not exists (
            select 1 from worker where worker.name = message.worker and worker.name <> $3 and worker.until_ms > $4)"
    };
}

/// A lease; clones tell the same.
#[derive(Clone, Debug)]
pub struct Lease(Arc<Mutex<Terms>>);

#[derive(Clone, Copy, Debug)]
struct Terms {
    share: u32,
    seat: Seat,
    /// `None`: for ever.
    until: Option<Until>,
    /// How often it had lapsed when it was renewed.
    lapses: u64,
}

/// The end of a lease by two clocks, whichever comes first: the one stands still while the
/// machine sleeps, the other may be set back.
#[derive(Clone, Copy, Debug)]
struct Until {
    at: Instant,
    at_ms: i64,
}

impl Until {
    fn after(time: Duration) -> Self {
        Self { at: Instant::now() + time, at_ms: Clock::system().now_ms() + time.as_millis() as i64 }
    }

    fn is_to_come(self) -> bool {
        Instant::now() < self.at && Clock::system().now_ms() < self.at_ms
    }
}

impl Terms {
    const WHOLE: Self = Self { share: WHOLE, seat: Seat::ALONE, until: None, lapses: 0 };

    fn hold(&self) -> bool {
        self.until.is_none_or(Until::is_to_come)
    }
}

impl Lease {
    /// All of every rate, for ever: what one process has that sends alone.
    pub fn whole() -> Self {
        Self::new(Terms::WHOLE)
    }

    fn new(terms: Terms) -> Self {
        Self(Arc::new(Mutex::new(terms)))
    }

    fn renew(&self, terms: Terms) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Terms { lapses: own.lapses + u64::from(!own.hold()), ..terms };
    }

    fn terms(&self) -> Terms {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has not lapsed.
    pub fn is_held(&self) -> bool {
        self.terms().hold()
    }

    /// How often it lapsed and was renewed: others may have taken over what was claimed
    /// before.
    pub(in crate::store) fn lapses(&self) -> u64 {
        self.terms().lapses
    }

    /// The share of every rate, in millionths: 0 when the lease has lapsed.
    pub fn share(&self) -> u32 {
        if self.is_held() { self.terms().share } else { 0 }
    }

    /// Its place among the workers when it was last renewed.
    pub fn seat(&self) -> Seat {
        self.terms().seat
    }
}

/// What became of the claims of dead processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Those that may have been begun: nobody knows whether they were sent.
    pub unknown: u64,
    /// Those that were not, and are due again.
    pub free: u64,
}

/// A place among the workers, until it is left.
#[derive(Debug)]
#[must_use = "a place that is not left stays taken until its lease is over"]
pub struct Place {
    store: Store,
    lease: Lease,
    heart: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Place {
    /// Its lease.
    pub fn lease(&self) -> Lease {
        self.lease.clone()
    }

    /// Leaves: its share is free at once.
    ///
    /// # Errors
    /// The database fails; the place then ends with its lease.
    pub async fn leave(self) -> Result<()> {
        const LEAVE: &str = "delete from worker where name = $1 and process = $2";
        let Some((stop, heart)) = self.heart else { return Ok(()) };
        // The heart ends by itself, between two beats.
        drop(stop);
        let _ = heart.await;
        let (store, doing) = (self.store, "leaving the workers");
        in_transaction!(store, doing, |tx| {
            sqlx::query(LEAVE).bind(worker()).bind(process()).execute(&mut *tx).await.doing(doing)?;
        });
        Ok(())
    }
}

impl Store {
    /// Whether several processes may send one campaign together.
    pub fn is_shared(&self) -> bool {
        !self.is_sqlite()
    }

    /// The campaigns that are being sent, by whoever.
    ///
    /// # Errors
    /// The database fails.
    pub async fn being_sent(&self) -> Result<Vec<i64>> {
        const SENT: &str = "select id from campaign where state = 'sending' order by id";
        with_pool!(self, |pool| {
            let rows = sqlx::query(SENT).fetch_all(pool).await.doing("looking for campaigns that are sent")?;
            rows.iter().map(|row| row.cell("campaign", "id")).collect()
        })
    }

    /// Joins the workers.
    ///
    /// # Errors
    /// The database fails.
    pub async fn join(&self) -> Result<Place> {
        // A lease that is over says nothing, and every process has a name of its own.
        const FORGET: &str = "
            delete from worker where until_ms <= (extract(epoch from clock_timestamp()) * 1000)::bigint";
        if self.is_sqlite() {
            return Ok(Place { store: self.clone(), lease: Lease::whole(), heart: None });
        }
        let doing = "joining the workers";
        in_transaction!(self, doing, |tx| {
            sqlx::query(FORGET).execute(&mut *tx).await.doing(doing)?;
        });
        let lease = Lease::new(self.renew().await?);
        let (stop, stopped) = oneshot::channel();
        let heart = tokio::spawn(self.clone().beat(lease.clone(), stopped));
        Ok(Place { store: self.clone(), lease, heart: Some((stop, heart)) })
    }

    async fn beat(self, lease: Lease, mut stopped: oneshot::Receiver<()>) {
        while tokio::time::timeout(BEAT, &mut stopped).await.is_err() {
            match self.renew().await {
                Ok(terms) => lease.renew(terms),
                Err(error) => tracing::warn!(%error, "the lease of this worker could not be renewed"),
            }
        }
    }

    /// Takes or renews this process's lease.
    async fn renew(&self) -> Result<Terms> {
        const OTHERS: &str = "
            with clock as (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms)
            select count(worker.name) as others, count(worker.name) filter (where worker.name < $1) as before,
                   coalesce(sum(worker.share), 0)::bigint as taken, clock.now_ms
            from clock left join worker on worker.name <> $1 and worker.until_ms > clock.now_ms group by clock.now_ms";
        const TAKE: &str = "
            insert into worker (name, process, share, until_ms) values ($1, $2, $3, $4)
            on conflict (name) do update set share = $3, until_ms = $4";
        let (doing, name) = ("renewing a worker's lease", worker());
        let until = Some(Until::after(LEASE - MARGIN));
        Ok(in_transaction!(self, doing, |tx| {
            sqlx::query(ALONE).execute(&mut *tx).await.doing(doing)?;
            let row = sqlx::query(OTHERS).bind(name).fetch_one(&mut *tx).await.doing(doing)?;
            let (others, taken, now_ms): (i64, i64, i64) =
                (row.cell(WHAT, "others")?, row.cell(WHAT, "taken")?, row.cell(WHAT, "now_ms")?);
            let before: i64 = row.cell(WHAT, "before")?;
            let share = part(others, taken);
            let until_ms = now_ms + LEASE.as_millis() as i64;
            let take = sqlx::query(TAKE).bind(name).bind(process()).bind(i64::from(share));
            take.bind(until_ms).execute(&mut *tx).await.doing(doing)?;
            let count = |n: i64| u32::try_from(n).unwrap_or(0);
            Terms { share, seat: Seat { number: count(before), of: count(others + 1) }, until, lapses: 0 }
        }))
    }

    /// Ends what dead workers left claimed of a campaign, and this process before it
    /// began. Claims of others with a lease are theirs, and on SQLite those of the
    /// process that sends the campaign.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recover(&self, campaign: i64, now_ms: i64) -> Result<Recovered> {
        const BEGUN: &str = concat!(
            "update message set state = 'unknown', code = 0, reply = $5, worker = null, changed_ms = $2
             where begun and ",
            lost!(),
            " returning account"
        );
        const NOT_BEGUN: &str = concat!(
            "update message set ",
            given_back!(),
            " where not begun and ",
            lost!(),
            " returning account, state, attempt, not_before_ms"
        );
        // Of SQLite none has a lease, and any clock will do.
        const CLOCK_SQLITE: &str = "select 0 as now_ms";
        const CLOCK_POSTGRES: &str = "select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms";
        let (doing, ours, clock) = ("recovering lost claims", worker(), self.sql(CLOCK_SQLITE, CLOCK_POSTGRES));
        self.bury().await?;
        Ok(in_transaction!(self, doing, |tx| {
            // In the same transaction: one that takes the campaign now waits, and claims then.
            let row = sqlx::query(HOLDER).bind(campaign).fetch_optional(&mut *tx).await.doing(doing)?;
            let holder: Option<(String, String, i64)> = match row.filter(|_| self.is_sqlite()) {
                Some(row) => Some((row.cell(WHAT, "holder")?, row.cell(WHAT, "process")?, row.cell(WHAT, "beat_ms")?)),
                None => None,
            };
            let is_sent =
                holder.is_some_and(|(name, process, beat_ms)| name != ours && lives(&process, beat_ms, now_ms));
            if is_sent {
                Recovered { unknown: 0, free: 0 }
            } else {
                let row = sqlx::query(clock).fetch_one(&mut *tx).await.doing(doing)?;
                let clock_ms: i64 = row.cell(WHAT, "now_ms")?;
                let begun = sqlx::query(BEGUN).bind(campaign).bind(now_ms).bind(ours).bind(clock_ms).bind(LOST_REPLY);
                let unknown = ledger::append_moved!(tx, begun, campaign, "recover", "unknown", now_ms, doing);
                let free = sqlx::query(NOT_BEGUN).bind(campaign).bind(now_ms).bind(ours).bind(clock_ms);
                let rows = free.fetch_all(&mut *tx).await.doing(doing)?;
                // As a release says it: the attempt that was none, and when the message is due.
                let read = |row| -> Result<(String, String, i64, Option<i64>)> {
                    let (account, state) = (Cell::cell(row, WHAT, "account")?, Cell::cell(row, WHAT, "state")?);
                    let attempt: i64 = Cell::cell(row, WHAT, "attempt")?;
                    Ok((account, state, attempt + 1, Cell::cell(row, WHAT, "not_before_ms")?))
                };
                let messages: Vec<_> = rows.iter().map(read).collect::<Result<_>>()?;
                let free = messages.len() as u64;
                if free > 0 {
                    ledger::append!(tx, Some(campaign), "release", &Messages { messages }, now_ms, doing);
                }
                Recovered { unknown, free }
            }
        }))
    }
}

impl Store {
    /// Ends the leases of processes that are gone for certain.
    async fn bury(&self) -> Result<()> {
        const ALL: &str = "select name, process from worker";
        const END: &str = "delete from worker where name = $1 and process = $2";
        let (doing, ours) = ("looking for dead workers", process());
        let all: Vec<(String, String)> = with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing(doing)?;
            rows.iter().map(|row| Ok((row.cell(WHAT, "name")?, row.cell(WHAT, "process")?))).collect::<Result<_>>()?
        });
        for (name, theirs) in all.into_iter().filter(|(_, theirs)| is_dead(theirs, &ours)) {
            in_transaction!(self, doing, |tx| {
                sqlx::query(END).bind(&name).bind(&theirs).execute(&mut *tx).await.doing(doing)?;
            });
        }
        Ok(())
    }
}

/// An equal part for this process and the others, and no more than they leave.
fn part(others: i64, taken: i64) -> u32 {
    let whole = i64::from(WHOLE);
    let part = (whole / (others + 1)).min(whole - taken);
    u32::try_from(part).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_add_up_to_more_than_the_whole() {
        assert_eq!(part(0, 0), WHOLE);
        assert_eq!(part(1, i64::from(WHOLE)), 0, "who joins waits");
        assert_eq!(part(1, 500_000), 500_000);
        assert_eq!(part(2, 900_000), 100_000);
        assert_eq!(part(2, 1_000_001), 0);
        // Whatever the order in which they renew, and whoever dies.
        let mut random = fastrand::Rng::with_seed(5);
        let mut shares: Vec<Option<u32>> = vec![None; 7];
        for _ in 0..2_000 {
            let me = random.usize(..shares.len());
            let others: Vec<u32> = shares.iter().enumerate().filter_map(|(n, s)| s.filter(|_| n != me)).collect();
            let taken = others.iter().map(|share| i64::from(*share)).sum();
            shares[me] = random.u8(..10).ne(&0).then(|| part(others.len() as i64, taken));
            assert!(shares.iter().flatten().sum::<u32>() <= WHOLE);
        }
    }

    #[test]
    fn a_lease_that_has_lapsed_has_no_share() {
        let until = |seconds| Some(Until::after(Duration::from_secs(seconds)));
        let lease = Lease::new(Terms { share: 400_000, until: until(60), ..Terms::WHOLE });
        assert_eq!(lease.share(), 400_000);
        lease.renew(Terms { share: 300_000, until: until(0), ..Terms::WHOLE });
        assert_eq!((lease.share(), lease.lapses()), (0, 0));
        lease.renew(Terms { until: until(60), ..Terms::WHOLE });
        lease.renew(Terms { until: until(60), ..Terms::WHOLE });
        assert_eq!((lease.share(), lease.lapses()), (WHOLE, 1), "it lapsed once");
        // After a machine has slept, or with a clock that was set back.
        let Until { at, at_ms } = Until::after(Duration::from_secs(60));
        assert!(Until { at, at_ms }.is_to_come());
        assert!(!Until { at, at_ms: at_ms - 60_000 }.is_to_come());
        assert!(!Until { at: at - Duration::from_secs(60), at_ms }.is_to_come());
        assert_eq!(Lease::whole().share(), WHOLE);
    }
}
