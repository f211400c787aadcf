//! One sending process per campaign: a row with the holder's name and a heart
//! that beats.

use std::time::Duration;

use sqlx::Row;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::outcome::worker;
use crate::store::{Store, in_transaction, with_pool};

/// How often the holder says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// After this long without a beat the holder counts as dead.
const DEAD_MS: i64 = 30_000;

/// The right to send one campaign, until it is released.
#[derive(Debug)]
#[must_use = "a lock that is not kept is released by nobody"]
pub struct Lock {
    store: Store,
    campaign: i64,
    holder: String,
    stop: oneshot::Sender<()>,
    heart: JoinHandle<()>,
}

impl Store {
    /// Takes the right to send a campaign.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that has it.
    pub async fn lock(&self, campaign: i64, now_ms: i64) -> Result<Lock> {
        const HOLDER: &str = "select holder, beat_ms from sending where campaign = $1";
        const TAKE: &str = "
            insert into sending (campaign, holder, beat_ms) values ($1, $2, $3)
            on conflict (campaign) do update set holder = $2, beat_ms = $3";
        let (doing, holder) = ("taking the right to send", worker());
        in_transaction!(self, doing, |tx| {
            let row = sqlx::query(HOLDER).bind(campaign).fetch_optional(&mut *tx).await.doing(doing)?;
            if let Some(row) = row {
                let (other, beat_ms): (String, i64) = (row.get("holder"), row.get("beat_ms"));
                if now_ms - beat_ms < DEAD_MS && lives(&other) {
                    return Err(StoreError::Locked { holder: other });
                }
            }
            sqlx::query(TAKE).bind(campaign).bind(&holder).bind(now_ms).execute(&mut *tx).await.doing(doing)?;
        });
        let (stop, stopped) = oneshot::channel();
        let heart = tokio::spawn(beat(self.clone(), campaign, holder.clone(), stopped));
        Ok(Lock { store: self.clone(), campaign, holder, stop, heart })
    }
}

impl Lock {
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
        with_pool!(self.store, |pool| {
            let give = sqlx::query(GIVE).bind(self.campaign).bind(&self.holder);
            give.execute(pool).await.doing("giving the right to send back")?;
        });
        Ok(())
    }
}

async fn beat(store: Store, campaign: i64, holder: String, mut stopped: oneshot::Receiver<()>) {
    const BEAT_NOW: &str = "update sending set beat_ms = $3 where campaign = $1 and holder = $2";
    let clock = Clock::system();
    while tokio::time::timeout(BEAT, &mut stopped).await.is_err() {
        with_pool!(store, |pool| {
            let beat = sqlx::query(BEAT_NOW).bind(campaign).bind(&holder).bind(clock.now_ms());
            if let Err(error) = beat.execute(pool).await {
                tracing::warn!(campaign, %error, "the sending lock could not be renewed");
            }
        });
    }
}

/// Whether a holder may still live: of another machine nothing is known, of
/// this one the process table says.
fn lives(holder: &str) -> bool {
    let Some((host, process)) = holder.rsplit_once(':') else { return true };
    let here = worker();
    let Some((this_host, this_process)) = here.rsplit_once(':') else { return true };
    if host != this_host {
        return true;
    }
    process == this_process
        || !std::path::Path::new("/proc/self").exists()
        || std::path::Path::new("/proc").join(process).exists()
}
