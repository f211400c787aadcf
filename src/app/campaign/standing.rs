//! Why nothing of a campaign moves, as far as the store and the configuration know:
//! who paused or halted it, what the gate before its next stage waits for, the hours,
//! and when what was deferred is due. What a sending process alone knows, as a
//! receiver that refuses us, it says itself.

use crate::app::App;
use crate::app::campaign::{gate, hours};
use crate::campaign::{Campaign, State};
use crate::clock;
use crate::error::Result;
use crate::report::counted;
use crate::stage::Gate;

/// Who or what paused or halted a campaign, and when; `None` in any other state.
///
/// # Errors
/// The store fails.
pub(in crate::app) async fn turned(app: &App, id: i64, state: State) -> Result<Option<(i64, String)>> {
    if !matches!(state, State::Paused | State::Halted) {
        return Ok(None);
    }
    let Some((at_ms, turn)) = app.store.turned(id).await? else { return Ok(None) };
    let said = match (turn.why, turn.by) {
        (Some(why), _) => why,
        (None, Some(by)) => format!("{} by {by}", state.as_str()),
        // Of an entry from before who and why were kept.
        (None, None) => state.as_str().to_owned(),
    };
    Ok(Some((at_ms, said)))
}

/// Everything that keeps a campaign from going on, a line each.
///
/// # Errors
/// The store fails.
pub(in crate::app) async fn waits(app: &App, campaign: &Campaign, state: State) -> Result<Vec<String>> {
    let id = campaign.id;
    if let Some((at_ms, said)) = turned(app, id, state).await? {
        return Ok(vec![format!("{said} ({})", clock::show(at_ms))]);
    }
    if !matches!(state, State::Approved | State::Sending) {
        return Ok(Vec::new());
    }
    let mut waits = Vec::new();
    // A stage that is open is through its gate.
    let shut = app.store.open_stage(id, app.clock.now_ms()).await?.is_none();
    for n in 0..campaign.definition.stages.len() as u16 {
        if shut && app.store.counts(id, Some(n)).await?.left() > 0 {
            match gate::ask(app, campaign, n, None).await?.gate {
                Gate::Open => {}
                Gate::Wait { why, .. } => waits.push(why),
                Gate::Stop { why } => waits.push(format!("its next gate will halt it: {why}")),
            }
            break;
        }
    }
    waits.extend(hours::shut(app).await?.map(|shut| shut.why));
    let deferred = app.store.counts(id, None).await?.deferred;
    if let Some(due_ms) = app.store.next_due(id, app.config.smtp.lifetime.as_ms(), None).await?.filter(|_| deferred > 0)
    {
        let first = clock::show(due_ms);
        waits.push(format!("{} deferred, tried again from {first}", counted(deferred, "message")));
    }
    Ok(waits)
}
