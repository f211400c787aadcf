//! One sending process per campaign: a row with the holder's name and a heart
//! that beats.
//!
//! A holder counts as dead [`DEAD_MS`] after its last beat, or at once when this
//! machine's process table proves it: same boot, same process table, and no
//! process of that number and start time. A process that was only stopped for
//! longer loses the lock. It knows so at once, before it begins another message,
//! because its own last beat is too long ago ([`Pulse::is_held`] asks no database);
//! what it had claimed is `unknown` by then, so it can record nothing twice.
//!
//! The holder alone asks gates, and says which stage is open; workers beside it
//! send that stage as long as the holder lives ([`Pulse::beside`]).

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::campaign::State;
use crate::clock::Clock;
use crate::store::campaign::{read_rate, read_state};
use crate::store::cell::Cell;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Lease, Store, in_transaction, with_pool};
use crate::units::Rate;

/// How often the holder says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// After this long without a beat the holder counts as dead.
const DEAD_MS: i64 = 30_000;

/// What a row is called that cannot be read.
const WHAT: &str = "right to send";
/// Who holds a campaign ($1).
pub(in crate::store) const HOLDER: &str = "select holder, process, beat_ms from sending where campaign = $1";
/// After this long without a beat the holder takes itself for dead, a little
/// before others do.
const LOST_MS: i64 = 25_000;

/// The right to send one campaign, until it is released.
#[derive(Debug)]
#[must_use = "a lock that is not kept is released by nobody"]
pub struct Lock {
    pulse: Pulse,
    stop: oneshot::Sender<()>,
    heart: JoinHandle<()>,
}

/// Whether the right to send is still there; clones tell the same.
#[derive(Clone, Debug)]
pub struct Pulse {
    store: Store,
    campaign: i64,
    right: Right,
    lost: Arc<AtomicBool>,
    /// How often its holder was silent for so long that others may have taken it for dead.
    silences: Arc<AtomicU64>,
    lease: Lease,
    clock: Clock,
}

/// By what right a process sends.
#[derive(Clone, Debug)]
enum Right {
    /// It holds the campaign.
    Holder { holder: Arc<str>, process: Arc<str>, beat_ms: Arc<AtomicI64> },
    /// Another does, and has opened this stage.
    Beside { stage: u16 },
}

/// What may have changed while a campaign is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where the campaign stands.
    pub state: State,
    /// The directory's current version, 0 without one.
    pub version: i64,
    /// The last entry about no campaign: any change of the suppression list is
    /// told by one.
    pub told: i64,
    /// The rate that the campaign was given, if it was given one.
    pub rate: Option<Rate>,
    /// Whether the right to send is still this process's.
    pub is_held: bool,
}

impl Store {
    /// Takes the right to send a campaign.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that has it.
    pub async fn lock(&self, campaign: i64, lease: &Lease, now_ms: i64) -> Result<Lock> {
        const HOLDER_POSTGRES: &str = "select holder, process, beat_ms from sending where campaign = $1 for update";
        const TAKE: &str = "
            insert into sending (campaign, holder, process, beat_ms) values ($1, $2, $3, $4)
            on conflict (campaign) do nothing";
        const STEAL: &str = "
            update sending set holder = $2, process = $3, beat_ms = $4, stage = null where campaign = $1";
        let (doing, holder, process) = ("taking the right to send", worker(), process());
        let read = self.sql(HOLDER, HOLDER_POSTGRES);
        in_transaction!(self, doing, |tx| {
            let take = sqlx::query(TAKE).bind(campaign).bind(holder).bind(&process).bind(now_ms);
            if take.execute(&mut *tx).await.doing(doing)?.rows_affected() == 0 {
                let row = sqlx::query(read).bind(campaign).fetch_one(&mut *tx).await.doing(doing)?;
                let (other, beat_ms): (String, i64) = (row.cell(WHAT, "holder")?, row.cell(WHAT, "beat_ms")?);
                if lives(row.cell(WHAT, "process")?, beat_ms, now_ms) {
                    return Err(StoreError::Locked { holder: other });
                }
                let steal = sqlx::query(STEAL).bind(campaign).bind(holder).bind(&process).bind(now_ms);
                steal.execute(&mut *tx).await.doing(doing)?;
            }
        });
        let (stop, stopped) = oneshot::channel();
        let beat_ms = Arc::new(AtomicI64::new(Clock::system().now_ms()));
        let right = Right::Holder { holder: holder.into(), process: process.into(), beat_ms };
        let pulse = Pulse::new(self, campaign, right, lease.clone());
        let heart = tokio::spawn(pulse.clone().beat(stopped));
        Ok(Lock { pulse, stop, heart })
    }

    /// Who sends a campaign now: host and process of a holder that lives.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sender(&self, campaign: i64, now_ms: i64) -> Result<Option<String>> {
        let row: Option<(String, String, i64)> = with_pool!(self, |pool| {
            let row = sqlx::query(HOLDER).bind(campaign).fetch_optional(pool).await.doing("reading who sends")?;
            match row {
                Some(row) => Some((row.cell(WHAT, "holder")?, row.cell(WHAT, "process")?, row.cell(WHAT, "beat_ms")?)),
                None => None,
            }
        });
        Ok(row.filter(|(_, theirs, beat_ms)| lives(theirs, *beat_ms, now_ms)).map(|(holder, ..)| holder))
    }
}

impl Lock {
    /// What tells whether the right is still there.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Gives the right back.
    ///
    /// # Errors
    /// The database fails; the lock then ends by itself after 30 s.
    pub async fn release(self) -> Result<()> {
        const GIVE: &str = "delete from sending where campaign = $1 and holder = $2 and process = $3";
        // The heart ends by itself, between two beats: no database future is
        // cut off.
        drop(self.stop);
        let _ = self.heart.await;
        let Pulse { store, campaign, right, .. } = self.pulse;
        let Right::Holder { holder, process, .. } = right else { return Ok(()) };
        let doing = "giving the right to send back";
        in_transaction!(store, doing, |tx| {
            let give = sqlx::query(GIVE).bind(campaign).bind(&*holder).bind(&*process);
            give.execute(&mut *tx).await.doing(doing)?;
        });
        Ok(())
    }
}

impl Store {
    /// The stage of a campaign that its living holder has open for workers beside
    /// it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_stage(&self, campaign: i64, now_ms: i64) -> Result<Option<u16>> {
        const OPEN: &str = "select stage from sending where campaign = $1 and beat_ms > $2 and stage is not null";
        let stage: Option<i64> = with_pool!(self, |pool| {
            let open = sqlx::query(OPEN).bind(campaign).bind(now_ms - DEAD_MS);
            let row = open.fetch_optional(pool).await.doing("looking for an open stage")?;
            row.map(|row| row.cell(WHAT, "stage")).transpose()?
        });
        Ok(stage.and_then(|stage| u16::try_from(stage).ok()))
    }
}

impl Pulse {
    /// The right of a worker beside the holder, who has opened a stage.
    pub fn beside(store: &Store, campaign: i64, stage: u16, lease: Lease) -> Self {
        Self::new(store, campaign, Right::Beside { stage }, lease)
    }

    fn new(store: &Store, campaign: i64, right: Right, lease: Lease) -> Self {
        let (lost, silences) = Default::default();
        Self { store: store.clone(), campaign, right, lost, silences, lease, clock: Clock::system() }
    }

    /// Lets workers beside this holder send a stage; or none any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open(&self, stage: Option<u16>) -> Result<()> {
        const OPEN: &str = "update sending set stage = $4 where campaign = $1 and holder = $2 and process = $3";
        let Right::Holder { holder, process, .. } = &self.right else { return Ok(()) };
        let doing = "opening a stage";
        in_transaction!(self.store, doing, |tx| {
            let open = sqlx::query(OPEN).bind(self.campaign).bind(&**holder).bind(&**process);
            open.bind(stage.map(i64::from)).execute(&mut *tx).await.doing(doing)?;
        });
        Ok(())
    }

    /// Whether the right is this process's for certain: nobody was found to have
    /// taken it, and the last beat is not so long ago that somebody may have.
    pub fn is_held(&self) -> bool {
        let beats = match &self.right {
            Right::Holder { beat_ms, .. } => self.clock.now_ms() - beat_ms.load(Ordering::SeqCst) < LOST_MS,
            Right::Beside { .. } => true,
        };
        !self.lost.load(Ordering::SeqCst) && beats && self.lease.is_held()
    }

    /// The same from now on, without a break: once the right has lapsed, what was claimed
    /// under it may be another's, even if it came back before anybody asked.
    pub fn unbroken(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let pulse = self.clone();
        let breaks = pulse.breaks();
        move || pulse.is_held() && pulse.breaks() == breaks
    }

    fn breaks(&self) -> u64 {
        self.silences.load(Ordering::SeqCst) + self.lease.lapses()
    }

    /// Whether another process holds the campaign, and this one works beside it.
    pub fn is_beside(&self) -> bool {
        matches!(self.right, Right::Beside { .. })
    }

    /// Whether another process was found to have it.
    pub fn is_taken(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Looks at everything that may have changed.
    ///
    /// # Errors
    /// The database fails, or there is no such campaign.
    pub async fn look(&self) -> Result<Look> {
        const HOLDER: &str = "
            select state, rate, (select max(number) from directory_version) as version,
                   (select max(seq) from ledger where campaign is null) as told,
                   (select count(*) from sending where campaign = $1 and holder = $2 and process = $3) as held
            from campaign where id = $1";
        const BESIDE: &str = "
            select state, rate, (select max(number) from directory_version) as version,
                   (select max(seq) from ledger where campaign is null) as told,
                   (select count(*) from sending where campaign = $1 and stage = $2 and beat_ms > $3) as held
            from campaign where id = $1";
        let id = self.campaign;
        with_pool!(self.store, |pool| {
            let look = match &self.right {
                Right::Holder { holder, process, .. } => sqlx::query(HOLDER).bind(id).bind(&**holder).bind(&**process),
                Right::Beside { stage } => {
                    sqlx::query(BESIDE).bind(id).bind(i64::from(*stage)).bind(self.clock.now_ms() - DEAD_MS)
                }
            };
            let row = look.fetch_optional(pool).await.doing("looking at a campaign")?;
            let row = row.ok_or(StoreError::NoCampaign { id })?;
            let is_held = row.cell::<i64, _>(WHAT, "held")? == 1;
            // Who works beside the holder keeps what it claimed, whoever holds.
            self.lost.fetch_or(!is_held && !self.is_beside(), Ordering::SeqCst);
            Ok(Look {
                state: read_state(row.cell(WHAT, "state")?)?,
                version: row.cell::<Option<i64>, _>(WHAT, "version")?.unwrap_or(0),
                told: row.cell::<Option<i64>, _>(WHAT, "told")?.unwrap_or(0),
                rate: read_rate(row.cell(WHAT, "rate")?)?,
                is_held: is_held && self.is_held(),
            })
        })
    }

    async fn beat(self, mut stopped: oneshot::Receiver<()>) {
        while tokio::time::timeout(BEAT, &mut stopped).await.is_err() {
            let now_ms = self.clock.now_ms();
            match self.beat_once(now_ms).await {
                Ok(true) => {}
                Ok(false) => {
                    self.lost.store(true, Ordering::SeqCst);
                    tracing::warn!(campaign = self.campaign, "another process took the right to send this campaign");
                }
                Err(error) => {
                    tracing::warn!(campaign = self.campaign, %error, "the right to send could not be renewed");
                }
            }
        }
    }

    /// Whether the lock was still there to be renewed.
    async fn beat_once(&self, now_ms: i64) -> Result<bool> {
        const BEAT_NOW: &str = "update sending set beat_ms = $4 where campaign = $1 and holder = $2 and process = $3";
        let Right::Holder { holder, process, beat_ms } = &self.right else { return Ok(false) };
        let doing = "renewing the right to send";
        let changed = in_transaction!(self.store, doing, |tx| {
            let beat = sqlx::query(BEAT_NOW).bind(self.campaign).bind(&**holder).bind(&**process).bind(now_ms);
            beat.execute(&mut *tx).await.doing(doing)?.rows_affected()
        });
        if changed == 1 {
            let last_ms = beat_ms.load(Ordering::SeqCst);
            self.silences.fetch_add(u64::from(now_ms - last_ms >= LOST_MS), Ordering::SeqCst);
            beat_ms.store(now_ms, Ordering::SeqCst);
        }
        Ok(changed == 1)
    }
}

/// This process, for people: host and number, and a word of its own. Each container may be
/// number 1 of the same host's name, and a later process may have an earlier one's number:
/// none of them may end what the other claimed.
pub(in crate::store) fn worker() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let host = read("/proc/sys/kernel/hostname");
        let host = if host.is_empty() { "localhost" } else { &host };
        // Seeded by the system's randomness, once for each process.
        format!("{host}:{}-{:06x}", std::process::id(), RandomState::new().hash_one(host) & 0xff_ffff)
    })
}

/// This process, so that a later one is not taken for it: `boot table number
/// start`, empty where the system does not say.
pub(in crate::store) fn process() -> String {
    let table = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let number = std::process::id();
    match start(number) {
        Some(start) => format!("{} {} {number} {start}", read("/proc/sys/kernel/random/boot_id"), table.display()),
        None => String::new(),
    }
}

/// Whether a holder counts as living: its process, and when it said so last.
pub(in crate::store) fn lives(theirs: &str, beat_ms: i64, now_ms: i64) -> bool {
    now_ms - beat_ms < DEAD_MS && !is_dead(theirs, &process())
}

/// Whether the process that wrote `theirs` is gone for certain. Of another boot
/// of who knows which machine, or of another process table, nothing is certain.
pub(in crate::store) fn is_dead(theirs: &str, ours: &str) -> bool {
    let (Some((place, number, started)), Some((here, ..))) = (parts(theirs), parts(ours)) else { return false };
    // A system may hide others' processes (proc(5), `hidepid`), the first of all among them.
    let shows_all = || start(1).is_some();
    place == here && number.parse().is_ok_and(|number| start(number).map_or_else(shows_all, |start| start != started))
}

/// Boot and table, number, start.
fn parts(process: &str) -> Option<(&str, &str, &str)> {
    let (rest, start) = process.rsplit_once(' ')?;
    let (place, number) = rest.rsplit_once(' ')?;
    Some((place, number, start))
}

/// When a process was started that has not ended, in clock ticks since the boot
/// (proc(5), field 22 of `stat`; the name in field 2 may contain anything up to its last
/// bracket). One that nobody has asked how it ended (state `Z`) is in the table still.
fn start(number: u32) -> Option<String> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(number.to_string()).join("stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_ascii_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X");
    fields.nth(18).filter(|_| !has_ended).map(str::to_owned)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_is_gone_for_certain_is_dead() {
        let ours = process();
        let (place, number, start) = parts(&ours).unwrap();
        assert!(!is_dead(&ours, &ours), "it lives");
        assert!(is_dead(&format!("{place} {number} 1"), &ours), "its number belongs to a later process");
        assert!(is_dead(&format!("{place} 4194305 {start}"), &ours), "no process has a number that high");
        assert!(!is_dead(&format!("elsewhere 4194305 {start}"), &ours), "nothing is known of another machine");
        assert!(!is_dead("", &ours), "nothing is known");
    }

    #[test]
    fn a_process_that_has_ended_is_dead_before_anybody_asks_how() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let ours = process();
        let (place, ..) = parts(&ours).unwrap();
        let theirs = format!("{place} {} {}", child.id(), start(child.id()).unwrap());
        assert!(!is_dead(&theirs, &ours), "it lives");
        child.kill().unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while !is_dead(&theirs, &ours) && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(is_dead(&theirs, &ours), "it has ended, and is in the table");
        child.wait().unwrap();
        assert!(is_dead(&theirs, &ours), "it is gone");
    }
}
