//! How a line ends: what is waited for, and why nothing new may begin.

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::campaign::standing;
use crate::app::deliver::climb::Line;
use crate::campaign::State;
use crate::error::{Error, Result};
use crate::send::Summary;

/// Why a line ended before all was done.
pub(in crate::app) struct Standstill {
    /// Why, in words.
    pub why: String,
    /// When it goes on by itself, if time alone is missing; `None` where somebody must
    /// decide or act first.
    pub until_ms: Option<i64>,
}

impl Standstill {
    /// One that ends at this time.
    pub fn until(until_ms: i64, why: String) -> Self {
        Self { why, until_ms: Some(until_ms) }
    }

    /// One that ends when somebody decides or acts.
    pub fn for_person(why: impl Into<String>) -> Self {
        Self { why: why.into(), until_ms: None }
    }
}

/// Why nothing new begins after Ctrl-C or SIGTERM.
pub(in crate::app) fn interrupted(id: i64) -> String {
    format!("interrupted; `kakitome campaign send {id}` goes on")
}

impl Line {
    /// What the sender leaves, which is told to wait no longer when patience ends.
    pub(in crate::app) async fn ended(
        &self,
        mut sender: JoinHandle<Summary>,
        cut: &watch::Sender<bool>,
    ) -> Result<Summary> {
        let sent = tokio::select! {
            sent = &mut sender => sent,
            () = self.patience() => {
                let _ = cut.send(true);
                sender.await
            }
        };
        sent.map_err(|e| Error::unexpected("the sender failed").cause(&e))
    }

    /// Until what is under way must not be waited for any more.
    async fn patience(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            return std::future::pending().await;
        }
        tokio::time::sleep(self.app.config.smtp.drain.0).await;
    }

    /// Why sending ended when it was told to, and the mail server did not answer.
    pub(in crate::app) fn given_up(&self, count: usize) -> String {
        let (id, drain) = (self.campaign.id, self.app.config.smtp.drain.0);
        format!(
            "interrupted; unknown, because the mail server did not answer within {drain:?}: {count}; `kakitome campaign send {id}` goes on"
        )
    }

    /// Why nothing new may begin, if an operator or another process says so.
    pub(in crate::app) async fn why_stopped(&self) -> Result<Option<Standstill>> {
        if *self.stop.borrow() {
            return Ok(Some(Standstill::for_person(interrupted(self.campaign.id))));
        }
        let look = self.pulse.look().await?;
        if !look.is_held && !self.pulse.is_beside() {
            return Err(self.lost());
        }
        let why = match look.state {
            State::Sending if !look.is_held => Some("the stage is closed".into()),
            State::Sending => None,
            State::Paused | State::Halted => {
                standing::turned(&self.app, self.campaign.id, look.state).await?.map(|(_, why)| why)
            }
            other => Some(format!("the campaign became {}", other.as_str())),
        };
        Ok(why.map(Standstill::for_person))
    }

    /// The right to send is another's by now, or may be.
    pub(in crate::app) fn lost(&self) -> Error {
        Error::gate(format!("campaign {} is not sent any more by this process", self.campaign.id))
            .why("its right to send was not renewed in time, and another process may have it")
            .now(format!(
                "`kakitome campaign status {0}` tells who sends; if nobody does, `kakitome campaign send {0}` goes on",
                self.campaign.id
            ))
    }
}
