//! What others change while messages are on their way: the campaign's state, the
//! directory's version, the suppression list, the right to send, the rate, the hours, and
//! Ctrl-C.

use std::sync::atomic::Ordering;

use tokio::sync::{oneshot, watch};

use crate::address::Address;
use crate::app::App;
use crate::app::deliver::climb::{LOOK, Line};
use crate::app::deliver::feed::Flow;
use crate::campaign::State;
use crate::error::Result;
use crate::schedule;
use crate::send::{Relays, Stands};
use crate::store::{Look, Pulse};
use crate::units::Rate;

/// Whether messages may still be begun that were judged by this version, at this
/// rate.
pub(in crate::app) fn goes_on(look: Look, version: i64, rate: Option<Rate>) -> bool {
    look.rate == rate && look.is_held && look.state == State::Sending && look.version == version
}

/// Looks at what others change while messages are on their way.
pub(in crate::app) struct Watcher {
    app: App,
    pulse: Pulse,
    version: i64,
    rate: Option<Rate>,
    interrupted: watch::Receiver<bool>,
    flow: Flow,
    relays: Relays,
    told: i64,
}

impl Watcher {
    pub fn new(line: &Line, flow: Flow, told: i64) -> Self {
        Self {
            app: line.app.clone(),
            pulse: line.pulse.clone(),
            version: line.version,
            rate: line.rate,
            interrupted: line.stop.clone(),
            flow,
            relays: line.relays.clone(),
            told,
        }
    }

    /// Until the stage's run is over, or something says that nothing new may
    /// begin. What it reads it reads to its end.
    pub async fn run(mut self, mut over: oneshot::Receiver<()>) {
        loop {
            let interrupted = tokio::select! {
                () = tokio::time::sleep(LOOK) => false,
                _ = &mut over => return,
                Ok(_) = self.interrupted.wait_for(|stop| *stop) => true,
            };
            // What cannot be read is no permission to go on.
            if interrupted || !self.look().await.unwrap_or(false) {
                self.flow.stop();
                return;
            }
        }
    }

    async fn look(&mut self) -> Result<bool> {
        for Stands { relay, out } in self.relays.stand() {
            self.app.metrics.relay_up(&relay, out.is_none());
        }
        let look = self.pulse.look().await?;
        if look.told != self.told {
            self.withdraw().await?;
            self.told = look.told;
        }
        let is_open = schedule::shut_until_ms(&self.app.config.smtp.windows, self.app.clock.now_ms()).is_none();
        Ok(is_open && goes_on(look, self.version, self.rate))
    }

    /// Keeps back what is claimed and whose address gets no mail by now.
    async fn withdraw(&self) -> Result<()> {
        let under_way: Vec<_> = self.flow.under_way().values().cloned().collect();
        let addresses: Vec<Address> = under_way.iter().map(|(address, _)| address.clone()).collect();
        let refused = self.app.store.suppressed(&addresses).await?;
        for (address, withdrawn) in under_way {
            withdrawn.fetch_or(refused.contains(&address.folded()), Ordering::SeqCst);
        }
        Ok(())
    }
}
