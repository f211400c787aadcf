//! `campaign approve`, what it signs, and the gate before each stage.
//!
//! Approval signs the set of digests: one keyed hash over campaign, revision,
//! count, the digest of digests and the drill. Sending proves the signature
//! and the set again before the first stage.

use serde::Serialize;

use crate::campaign::{Campaign, State};
use crate::error::{Error, Exit, Result};
use crate::guard::drill::Drill;
use crate::pipeline::{App, check};
use crate::stage::{self, Gate, Limits, StageCounts};
use crate::store::Approval;
use crate::telemetry::event;

/// What was approved.
#[derive(Debug, Serialize)]
pub struct Approved {
    /// The campaign.
    pub campaign: i64,
    /// Messages that may be sent.
    pub messages: u64,
    /// Who approved.
    pub by: String,
    /// The digest that was signed, in hex.
    pub digest: String,
}

/// Signs what was checked.
///
/// # Errors
/// The campaign has not passed its check.
pub async fn approve(app: &App, id: i64, by: &str) -> Result<Approved> {
    let by = by.trim();
    if by.is_empty() {
        return Err(Error::usage("an approval needs a name").now("say who approves with --by NAME"));
    }
    let campaign = app.campaign(id).await?;
    let state = app.store.state(id).await?;
    match state {
        // A second signature, by somebody else, opens stages that ask for one.
        State::Checked | State::Approved | State::Sending | State::Paused => {}
        State::Frozen => return Err(unchecked(app, id).await?),
        State::Halted | State::Finished => {
            return Err(Error::gate(format!("campaign {id} is not approved")).why(format!("it is {}", state.as_str())));
        }
    }
    let digest = app.store.digest_of_digests(id).await?;
    let drill = passed_drill(app, id).await?;
    let counts = app.store.counts(id, None).await?;
    let at_ms = app.clock.now_ms();
    let signature = app.keys.sign(&certificate(&campaign, &digest, &drill, by, at_ms));
    let approval = Approval { by: by.to_owned(), at_ms, digest, signature };
    app.store.approve(id, &approval).await?;
    if state == State::Checked {
        app.store.set_state(id, &[State::Checked], State::Approved, at_ms).await?;
    }
    event::campaign_approved(id);
    Ok(Approved { campaign: id, messages: counts.checked, by: by.to_owned(), digest: check::hex(&digest) })
}

/// The drill of the last check, without which nothing is signed.
async fn passed_drill(app: &App, id: i64) -> Result<Drill> {
    match app.store.drill::<Drill>(id).await? {
        Some(drill) if drill.passed() => Ok(drill),
        Some(drill) => Err(failed_drill(id, &drill)),
        None => Err(unproven(id)),
    }
}

fn failed_drill(id: i64, drill: &Drill) -> Error {
    let missed = drill.swapped.saturating_sub(drill.held + drill.vacuous).max(drill.missed.len() as u64);
    Error::new(Exit::Held, format!("campaign {id} is not approved"))
        .why(format!("in the drill the guard did not see {missed} of {} swapped messages", drill.swapped))
        .now("import the directory again and check again; if that does not help, the guard is broken: send nothing")
}

fn unproven(id: i64) -> Error {
    Error::gate(format!("campaign {id} is not approved"))
        .why("it has not passed its check")
        .now(format!("run `kakitome campaign check {id}`"))
}

async fn unchecked(app: &App, id: i64) -> Result<Error> {
    if let Some(drill) = app.store.drill::<Drill>(id).await?.filter(|drill| !drill.passed()) {
        return Ok(failed_drill(id, &drill));
    }
    let held = app.store.counts(id, None).await?.held;
    Ok(if held > 0 {
        Error::new(Exit::Held, format!("campaign {id} is not approved"))
            .why(format!("{held} messages are held"))
            .now("mend the template or the audience, freeze it again, and check that")
    } else {
        unproven(id)
    })
}

fn certificate(campaign: &Campaign, digest: &[u8; 32], drill: &Drill, by: &str, at_ms: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96 + by.len());
    for number in [campaign.id, campaign.revision, campaign.accounts as i64, at_ms] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(digest);
    // The same drill makes the same text: its fields have one order.
    let drill = serde_json::to_vec(drill).unwrap_or_default();
    bytes.extend(blake3::hash(&drill).as_bytes());
    bytes.extend(by.as_bytes());
    bytes
}

/// Proves that what would be sent is what was signed.
///
/// # Errors
/// There is no approval, a signature is not ours, or the set of digests changed.
pub async fn verify(app: &App, campaign: &Campaign) -> Result<()> {
    let id = campaign.id;
    let approvals = app.store.approvals(id).await?;
    let digest = app.store.digest_of_digests(id).await?;
    let wrong = |why: &str| {
        Error::gate(format!("campaign {id} is not sent")).why(why).now(format!(
            "find out what changed; `kakitome verify` proves the ledger, `kakitome campaign check {id}` judges again"
        ))
    };
    if approvals.is_empty() {
        return Err(wrong("nobody has approved it"));
    }
    let Some(drill) = app.store.drill::<Drill>(id).await?.filter(Drill::passed) else {
        return Err(wrong("there is no drill that its check passed"));
    };
    for approval in &approvals {
        if app.keys.sign(&certificate(campaign, &approval.digest, &drill, &approval.by, approval.at_ms))
            != approval.signature
        {
            return Err(wrong("an approval was not signed with this installation's key, or for another drill"));
        }
        if approval.digest != digest {
            return Err(wrong("the messages are not those that were approved"));
        }
    }
    Ok(())
}

/// Asks the gate before stage `n`.
///
/// # Errors
/// The store fails.
pub async fn gate(app: &App, campaign: &Campaign, n: u16, drill: &Drill) -> Result<Gate> {
    let stages = &campaign.definition.stages;
    let previous = match n.checked_sub(1) {
        None => None,
        Some(before) => {
            let counts = app.store.counts(campaign.id, Some(before)).await?;
            let finished_ms = app.store.stage_finished_ms(campaign.id, before).await?;
            Some((counts, finished_ms, &stages[usize::from(before)]))
        }
    };
    let approvals = app.store.approvals(campaign.id).await?;
    let by_another = approvals.iter().any(|approval| approval.by != campaign.author);
    let previous = previous.map(|(counts, finished_ms, stage)| StageCounts { stage, counts, finished_ms });
    let limits = Limits::of(campaign);
    let next = &stages[usize::from(n)];
    Ok(stage::gate(next, previous.as_ref(), &limits, check::drill_summary(drill), by_another, app.clock.now_ms()))
}
