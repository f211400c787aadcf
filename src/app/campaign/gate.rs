//! The gate before a stage: what the store knows of it and of all before it,
//! put to [`crate::stage::gate`]. It is asked first without the drill, which is work:
//! only where nothing else is in the way does that run, and the gate opens by it alone.

use crate::app::App;
use crate::app::campaign::check;
use crate::campaign::{self, Campaign, Stage};
use crate::error::Result;
use crate::guard::drill::Drill;
use crate::stage::{self, DrillSummary, Gate, Limits, StageCounts};

/// What the gate said.
pub(in crate::app) struct Asked {
    /// Its answer.
    pub gate: Gate,
    /// Whether deferred messages of earlier stages may change it when they are
    /// tried again: they are there, and nothing waits for a person.
    pub mends: bool,
}

/// What the gate is asked with before the drill has run: whether anything else is in
/// its way.
const PASSED: DrillSummary = DrillSummary { swapped: 1, held: 1, vacuous: 0 };

/// Asks the gate before stage `n`; without a drill, what else is in its way. Nobody may
/// go through one that was opened without.
///
/// # Errors
/// The store fails.
pub(in crate::app) async fn ask(app: &App, campaign: &Campaign, n: u16, drill: Option<&Drill>) -> Result<Asked> {
    let stages = &campaign.definition.stages;
    let mut earlier = Vec::new();
    for (before, stage) in (0..n).zip(stages) {
        earlier.push(stands(app, campaign, before, stage).await?);
    }
    let next = stands(app, campaign, n, &stages[usize::from(n)]).await?;
    let approvals = app.store.approvals(campaign.id).await?;
    let approved = approvals.iter().any(|approval| !campaign::is_same_person(&approval.by, &campaign.author));
    let limits = Limits::of(campaign);
    let drill = drill.map_or(PASSED, check::drill_summary);
    let gate = stage::gate(&next, &earlier, &limits, drill, approved, app.clock.now_ms());
    let asks = earlier.iter().chain([&next]).any(|stage| stage.stage.approval);
    let mends = earlier.iter().any(|stage| stage.counts.deferred > 0) && (approved || !asks);
    Ok(Asked { gate, mends })
}

async fn stands<'a>(app: &App, campaign: &Campaign, n: u16, stage: &'a Stage) -> Result<StageCounts<'a>> {
    let counts = app.store.counts(campaign.id, Some(n)).await?;
    let finished_ms = app.store.stage_finished_ms(campaign.id, n).await?;
    Ok(StageCounts { stage, counts, finished_ms })
}
