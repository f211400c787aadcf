//! `work`: a process that sends beside others, on one PostgreSQL.
//!
//! Every worker is the same. Of each campaign that is being sent, one process is
//! the holder: it asks the gates, opens the stages and sends; that is the one
//! that ran `campaign send`, or, where that has ended or died, a worker. The
//! others send the open stage beside it. All claim from one list, and none gets
//! what another has; rates are shared through leases ([`crate::store::Lease`]).
//! Pausing or halting a campaign stops all of them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::app::campaign::approve;
use crate::app::deliver::climb::{self, Crew, Line};
use crate::app::deliver::send::lead;
use crate::error::{Error, Result};
use crate::store::{Pulse, StoreError};
use crate::telemetry::event;

/// How often a worker looks for campaigns to work on.
const SEEK: Duration = Duration::from_secs(1);
/// How long a campaign is left alone that waits for a person, or failed.
const REST: Duration = Duration::from_secs(15);

/// Works until `stop` turns true; then what is under way ends.
///
/// # Errors
/// The store is SQLite, or fails at the beginning or the end.
pub async fn work(app: &App, stop: watch::Receiver<bool>) -> Result<()> {
    if !app.store.is_shared() {
        return Err(Error::usage("a worker needs PostgreSQL")
            .why("an SQLite campaign has one sending process")
            .now("set store = \"postgres://…\", or run `kakitome campaign send NUMBER` here"));
    }
    // It is read once before anything is promised: a worker that cannot judge
    // would only hold others up.
    app.version().await?;
    let dns = climb::resolver(app)?;
    let place = app.store.join().await?;
    let worked = Worker { app: app.clone(), crew: Crew::new(app, place.lease(), dns), stop }.run().await;
    let left = place.leave().await;
    worked?;
    Ok(left?)
}

#[derive(Clone)]
struct Worker {
    app: App,
    crew: Crew,
    stop: watch::Receiver<bool>,
}

impl Worker {
    async fn run(&self) -> Result<()> {
        let mut stop = self.stop.clone();
        let mut parts = JoinSet::new();
        // Campaigns that are worked on, or left alone until then.
        let mut rests: HashMap<i64, Option<Instant>> = HashMap::new();
        loop {
            match self.app.store.being_sent().await {
                Ok(campaigns) => {
                    let free = |rest: Option<&Option<Instant>>| match rest {
                        None => true,
                        Some(until) => until.is_some_and(|until| Instant::now() >= until),
                    };
                    for id in campaigns {
                        if free(rests.get(&id)) {
                            rests.insert(id, None);
                            let worker = self.clone();
                            parts.spawn(async move { (id, worker.part(id).await) });
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "the store cannot be read; it is tried again"),
            }
            // No database is asked here, so that the waits may be cut off.
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(SEEK) => {}
            }
            while let Some(ended) = parts.try_join_next() {
                let (id, rest) = ended.map_err(|e| Error::unexpected("a worker's part failed").cause(&e))?;
                rests.insert(id, Some(Instant::now() + rest));
            }
        }
        while parts.join_next().await.is_some() {}
        Ok(())
    }

    /// This worker's part of one campaign, as long as there is one; and how long it
    /// is to be left alone then.
    async fn part(&self, id: i64) -> Duration {
        match self.hold_or_help(id).await {
            Ok(rest) => rest,
            Err(error) => {
                event::work_failed(id, &error);
                REST
            }
        }
    }

    async fn hold_or_help(&self, id: i64) -> Result<Duration> {
        let (app, now_ms) = (&self.app, self.app.clock.now_ms());
        if let Some(stage) = app.store.open_stage(id, now_ms).await? {
            let why = self.help(id, stage).await?;
            event::work_ended(id, &why);
            return Ok(SEEK);
        }
        let lock = match app.store.lock(id, &self.crew.lease, now_ms).await {
            Ok(lock) => lock,
            // Its holder has no stage open, and may wait for what a part of ours had
            // claimed when the store failed.
            Err(StoreError::Locked { .. }) => {
                app.recover(id).await?;
                return Ok(SEEK);
            }
            Err(error) => return Err(error.into()),
        };
        event::work_begun(id, true);
        let campaign = match app.campaign(id).await {
            Ok(campaign) => campaign,
            Err(error) => {
                // A right that is not given back ends by itself.
                let _ = lock.release().await;
                return Err(error);
            }
        };
        let report = lead(app, campaign, true, self.stop.clone(), lock, &self.crew).await?;
        event::work_ended(id, report.why.as_deref().unwrap_or(report.state.as_str()));
        Ok(REST)
    }

    /// Sends the open stage beside the holder, until it is closed; says why it ended.
    async fn help(&self, id: i64, stage: u16) -> Result<String> {
        let campaign = self.app.campaign(id).await?;
        approve::verify(&self.app, &campaign).await?;
        let pulse = Pulse::beside(&self.app.store, id, stage, self.crew.lease.clone());
        let mut line = Line::new(&self.app, campaign, true, self.stop.clone(), pulse, &self.crew).await?;
        event::work_begun(id, false);
        self.app.recover(id).await?;
        while line.pulse.look().await?.is_held {
            if let Some(stopped) = line.stage(stage).await? {
                return Ok(stopped.why);
            }
            tokio::time::sleep(SEEK).await;
        }
        Ok("the stage is closed".into())
    }
}
