//! One sending process per campaign: a row with the holder's name and a heart
//! that beats.
//!
//! A holder counts as dead [`DEAD_MS`] after its last beat, or at once when this
//! machine's process table proves it: same boot, same process table, and no
//! process of that number and start time. A process that was only stopped for
//! longer loses the lock and finds out by [`Lock::is_held`]; what it had
//! claimed is `unknown` by then, so it can record nothing twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::store::cell::Cell;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, in_transaction};

/// How often the holder says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// After this long without a beat the holder counts as dead.
const DEAD_MS: i64 = 30_000;

/// What a row is called that cannot be read.
const WHAT: &str = "right to send";

/// The right to send one campaign, until it is released.
#[derive(Debug)]
#[must_use = "a lock that is not kept is released by nobody"]
pub struct Lock {
    store: Store,
    campaign: i64,
    holder: String,
    held: Arc<AtomicBool>,
    stop: oneshot::Sender<()>,
    heart: JoinHandle<()>,
}

impl Store {
    /// Takes the right to send a campaign.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that has it.
    pub async fn lock(&self, campaign: i64, now_ms: i64) -> Result<Lock> {
        const HOLDER: &str = "select holder, process, beat_ms from sending where campaign = $1";
        const HOLDER_POSTGRES: &str = "select holder, process, beat_ms from sending where campaign = $1 for update";
        const TAKE: &str = "
            insert into sending (campaign, holder, process, beat_ms) values ($1, $2, $3, $4)
            on conflict (campaign) do nothing";
        const STEAL: &str = "
            update sending set holder = $2, process = $3, beat_ms = $4 where campaign = $1";
        let (doing, holder, process) = ("taking the right to send", worker(), process());
        let read = self.sql(HOLDER, HOLDER_POSTGRES);
        in_transaction!(self, doing, |tx| {
            let take = sqlx::query(TAKE).bind(campaign).bind(&holder).bind(&process).bind(now_ms);
            if take.execute(&mut *tx).await.doing(doing)?.rows_affected() == 0 {
                let row = sqlx::query(read).bind(campaign).fetch_one(&mut *tx).await.doing(doing)?;
                let (other, beat_ms): (String, i64) = (row.cell(WHAT, "holder")?, row.cell(WHAT, "beat_ms")?);
                if now_ms - beat_ms < DEAD_MS && !is_dead(row.cell(WHAT, "process")?, &process) {
                    return Err(StoreError::Locked { holder: other });
                }
                let steal = sqlx::query(STEAL).bind(campaign).bind(&holder).bind(&process).bind(now_ms);
                steal.execute(&mut *tx).await.doing(doing)?;
            }
        });
        let (stop, stopped) = oneshot::channel();
        let held = Arc::new(AtomicBool::new(true));
        let heart = tokio::spawn(beat(self.clone(), campaign, holder.clone(), held.clone(), stopped));
        Ok(Lock { store: self.clone(), campaign, holder, held, stop, heart })
    }
}

impl Lock {
    /// Whether the last beat still found the lock with this process.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Gives the right back.
    ///
    /// # Errors
    /// The database fails; the lock then ends by itself after 30 s.
    pub async fn release(self) -> Result<()> {
        const GIVE: &str = "delete from sending where campaign = $1 and holder = $2";
        // The heart ends by itself, between two beats: no database future is
        // cut off.
        drop(self.stop);
        let _ = self.heart.await;
        let doing = "giving the right to send back";
        in_transaction!(self.store, doing, |tx| {
            let give = sqlx::query(GIVE).bind(self.campaign).bind(&self.holder);
            give.execute(&mut *tx).await.doing(doing)?;
        });
        Ok(())
    }
}

async fn beat(store: Store, campaign: i64, holder: String, held: Arc<AtomicBool>, mut stopped: oneshot::Receiver<()>) {
    let clock = Clock::system();
    while tokio::time::timeout(BEAT, &mut stopped).await.is_err() {
        match beat_once(&store, campaign, &holder, clock.now_ms()).await {
            Ok(true) => {}
            Ok(false) => {
                held.store(false, Ordering::Relaxed);
                tracing::warn!(campaign, "another process took the right to send this campaign");
            }
            Err(error) => tracing::warn!(campaign, %error, "the right to send could not be renewed"),
        }
    }
}

/// Whether the lock was still there to be renewed.
async fn beat_once(store: &Store, campaign: i64, holder: &str, now_ms: i64) -> Result<bool> {
    const BEAT_NOW: &str = "update sending set beat_ms = $3 where campaign = $1 and holder = $2";
    let doing = "renewing the right to send";
    let changed = in_transaction!(store, doing, |tx| {
        let beat = sqlx::query(BEAT_NOW).bind(campaign).bind(holder).bind(now_ms);
        beat.execute(&mut *tx).await.doing(doing)?.rows_affected()
    });
    Ok(changed == 1)
}

/// This process, for people: host and number.
pub(in crate::store) fn worker() -> String {
    let host = read("/proc/sys/kernel/hostname");
    format!("{}:{}", if host.is_empty() { "localhost" } else { &host }, std::process::id())
}

/// This process, so that a later one is not taken for it: `boot table number
/// start`, empty where the system does not say.
fn process() -> String {
    let table = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let number = std::process::id();
    match start(number) {
        Some(start) => format!("{} {} {number} {start}", read("/proc/sys/kernel/random/boot_id"), table.display()),
        None => String::new(),
    }
}

/// Whether the process that wrote `theirs` is gone for certain. Of another boot
/// of who knows which machine, or of another process table, nothing is certain.
fn is_dead(theirs: &str, ours: &str) -> bool {
    let (Some((place, number, started)), Some((here, ..))) = (parts(theirs), parts(ours)) else { return false };
    place == here && number.parse().is_ok_and(|number| start(number).is_none_or(|start| start != started))
}

/// Boot and table, number, start.
fn parts(process: &str) -> Option<(&str, &str, &str)> {
    let (rest, start) = process.rsplit_once(' ')?;
    let (place, number) = rest.rsplit_once(' ')?;
    Some((place, number, start))
}

/// When a process was started, in clock ticks since the boot (proc(5), field 22
/// of `stat`; the name in field 2 may contain anything up to its last bracket).
fn start(number: u32) -> Option<String> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(number.to_string()).join("stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    after.split_ascii_whitespace().nth(19).map(str::to_owned)
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
}
