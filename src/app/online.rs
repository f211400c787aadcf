//! The link that shows a message in a browser: a token → the message's HTML, made
//! anew and judged anew.
//!
//! What is shown is what was sent or may be: of an account of the campaign's
//! audience, cleared by the check, and cleared again now with the digest that the
//! check stored. What comes out differently since, because the directory changed,
//! is shown no more. Nothing of a message is stored, so nothing of it can leak.

use std::sync::{Arc, Mutex, PoisonError};

use crate::account::Recipient;
use crate::app::App;
use crate::app::campaign::check;
use crate::app::campaign::loaded::{self, LoadedCampaign};
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::guard::Guard;
use crate::key::{Link, Purpose};
use crate::telemetry::{View, event};

/// Campaigns that are kept ready.
const CAMPAIGNS_MAX: usize = 8;

/// What a token shows.
pub enum Shown {
    /// The message's HTML.
    Html(String),
    /// The text of a message that has no HTML.
    Text(String),
    /// Nothing any more: the message would be another one now.
    Gone,
    /// Nothing: the token means nobody.
    Unknown,
}

/// A campaign's number and revision, and what makes its messages.
type Kept = ((i64, i64), Arc<LoadedCampaign>);

/// Shows messages, and keeps ready what it takes to make them.
pub struct Online {
    app: App,
    /// The guard of a version of the directory.
    guard: Mutex<Option<(i64, Arc<Guard>)>>,
    /// Campaigns by number and revision, the last one made first.
    bounds: Mutex<Vec<Kept>>,
}

impl Online {
    /// Shows what this installation sends.
    pub fn new(app: App) -> Self {
        Self { app, guard: Mutex::default(), bounds: Mutex::default() }
    }

    /// What a token shows, which is counted here; a failure is logged.
    ///
    /// # Errors
    /// The store fails, or the message cannot be judged.
    pub async fn show(&self, token: &str) -> Result<Shown> {
        let found = self.find(token).await.inspect_err(|error| event::link_failed(error));
        self.app.metrics.view(match &found {
            Ok(Shown::Html(_) | Shown::Text(_)) => View::Shown,
            Ok(Shown::Gone) => View::Gone,
            Ok(Shown::Unknown) => View::Unknown,
            Err(_) => View::Failed,
        });
        found
    }

    async fn find(&self, token: &str) -> Result<Shown> {
        let store = &self.app.store;
        let link = self.app.keys.read_link(token).filter(|link| link.purpose == Purpose::View);
        let Some(Link { campaign, account, .. }) = link else { return Ok(Shown::Unknown) };
        let Some(campaign) = store.campaign(campaign).await? else { return Ok(Shown::Unknown) };
        let Some((planned, digest)) = store.cleared(campaign.id, &account).await? else { return Ok(Shown::Unknown) };
        let version = self.app.version().await?.number;
        let Some(record) = store.record(version, &account).await? else { return Ok(Shown::Gone) };
        let recipient = Recipient { record, extra: planned.extra };
        let (guard, bound) = (self.guard(version).await?, self.bound(&campaign).await?);
        let now_ms = self.app.clock.now_ms();
        let made = tokio::task::spawn_blocking(move || make(&guard, &bound, recipient, digest, now_ms));
        made.await.map_err(|e| Error::unexpected("making a message failed").cause(&e))?
    }

    async fn guard(&self, version: i64) -> Result<Arc<Guard>> {
        let known = self.guard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, guard)) = known.filter(|(known, _)| *known == version) {
            return Ok(guard);
        }
        let guard = Arc::new(loaded::guard(&self.app).await?);
        *self.guard.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, guard.clone()));
        Ok(guard)
    }

    async fn bound(&self, campaign: &Campaign) -> Result<Arc<LoadedCampaign>> {
        let key = (campaign.id, campaign.revision);
        let bounds = || self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        let known = bounds().iter().find(|(known, _)| *known == key).map(|(_, bound)| bound.clone());
        if let Some(bound) = known {
            return Ok(bound);
        }
        let bound = Arc::new(LoadedCampaign::load(&self.app, campaign).await?);
        let mut bounds = bounds();
        bounds.truncate(CAMPAIGNS_MAX - 1);
        bounds.insert(0, (key, bound.clone()));
        Ok(bound)
    }
}

/// One message, if it is cleared and the one that was checked.
fn make(guard: &Guard, bound: &LoadedCampaign, recipient: Recipient, digest: [u8; 32], now_ms: i64) -> Result<Shown> {
    let judge = check::judge_of(guard, bound)?;
    // The guard's side of the record is a copy of its own.
    let record = recipient.record.clone();
    let Ok(made) = bound.renderer().preview(recipient, now_ms) else { return Ok(Shown::Gone) };
    let same = judge.clear(made.rendered, Some(&record)).is_ok_and(|cleared| cleared.digest() == digest);
    Ok(match made.html {
        _ if !same => Shown::Gone,
        Some(html) => Shown::Html(html),
        None => Shown::Text(made.text),
    })
}
