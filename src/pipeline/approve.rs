//! `campaign approve`, and what it signs.
//!
//! Approval signs the set of digests: one keyed hash over campaign, revision,
//! count, the digest of digests and the drill. Sending proves the signature
//! and the set again before the first stage.

use serde::Serialize;

use crate::campaign::{Campaign, State};
use crate::error::{Error, Exit, Result};
use crate::pipeline::{App, check};
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
    let counts = app.store.counts(id, None).await?;
    let at_ms = app.clock.now_ms();
    let signature = app.keys.sign(&certificate(&campaign, &digest, by, at_ms));
    let approval = Approval { by: by.to_owned(), at_ms, digest, signature };
    app.store.approve(id, &approval).await?;
    if state == State::Checked {
        app.store.set_state(id, &[State::Checked], State::Approved, at_ms).await?;
    }
    event::campaign_approved(id);
    Ok(Approved { campaign: id, messages: counts.checked, by: by.to_owned(), digest: check::hex(&digest) })
}

async fn unchecked(app: &App, id: i64) -> Result<Error> {
    let held = app.store.counts(id, None).await?.held;
    Ok(if held > 0 {
        Error::new(Exit::Held, format!("campaign {id} is not approved"))
            .why(format!("{held} messages are held"))
            .now("mend the template or the audience, freeze it again, and check that")
    } else {
        Error::gate(format!("campaign {id} is not approved"))
            .why("it has not passed its check")
            .now(format!("run `kakitome campaign check {id}`"))
    })
}

fn certificate(campaign: &Campaign, digest: &[u8; 32], by: &str, at_ms: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 + by.len());
    for number in [campaign.id, campaign.revision, campaign.accounts as i64, at_ms] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(digest);
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
    for approval in &approvals {
        if app.keys.sign(&certificate(campaign, &approval.digest, &approval.by, approval.at_ms)) != approval.signature {
            return Err(wrong("an approval was not signed with this installation's key"));
        }
        if approval.digest != digest {
            return Err(wrong("the messages are not those that were approved"));
        }
    }
    Ok(())
}
