//! The drill's live part: picks pairs of recipients from the snapshot, renders
//! them, and hands them to the guard's drill.

use std::sync::Arc;

use crate::account::Recipient;
use crate::app::App;
use crate::app::campaign::check;
use crate::app::campaign::loaded::LoadedCampaign;
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::guard::Guard;
use crate::guard::drill::{self, Drill, Sample};
use crate::message::Finished;
use crate::progress;

/// Pairs of messages that are swapped.
const PAIRS: usize = 200;

/// Swaps messages of the campaign in memory and judges them.
///
/// # Errors
/// The store fails, or the template renders for nobody.
pub async fn run(app: &App, campaign: &Campaign, guard: &Arc<Guard>, bound: &Arc<LoadedCampaign>) -> Result<Drill> {
    let _shown = progress::working("drilling the guard: messages are swapped, and each must be held");
    let version = app.version().await?.number;
    let picked = app.store.pairs(campaign.id, PAIRS, campaign.definition.seed).await?;
    let joined = check::recipients(app, version, picked).await?;
    let recipients: Vec<Recipient> = joined.into_iter().filter_map(|(_, recipient)| recipient).collect();
    let (guard, bound, now_ms) = (guard.clone(), bound.clone(), app.clock.now_ms());
    let drill = tokio::task::spawn_blocking(move || swap(&guard, &bound, recipients, now_ms))
        .await
        .map_err(|e| Error::unexpected("the drill failed").cause(&e))??;
    app.metrics.drill_missed(drill.missed.len() as u64);
    Ok(drill)
}

/// Neighbours in the list are one another's partners, so that "the row below"
/// is among the swaps.
fn swap(guard: &Guard, bound: &LoadedCampaign, recipients: Vec<Recipient>, now_ms: i64) -> Result<Drill> {
    let judge = check::judge_of(guard, bound)?;
    let rendered: Vec<(Recipient, Finished)> = recipients
        .into_iter()
        .filter_map(|recipient| {
            let message = bound.renderer().render(recipient.clone(), now_ms).ok()?;
            Some((recipient, message))
        })
        .collect();
    let samples: Vec<Sample<'_>> = rendered
        .iter()
        .map(|(recipient, message)| Sample { record: &recipient.record, extra: &recipient.extra, message })
        .collect();
    Ok(drill::run(&judge, &samples))
}
