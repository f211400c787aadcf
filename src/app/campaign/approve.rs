//! `campaign approve`, and what it signs.
//!
//! Approval signs a certificate: one keyed hash over campaign, revision, the
//! digest of the frozen definition, the number of accounts, the digest of
//! digests, the drill's numbers, a gap in the directory's calibration
//! ([`Proven`]), who and when. Sending proves every signature again before the
//! first stage; a check that finds anything else takes all approvals back.

use serde::Serialize;

use crate::app::App;
use crate::app::campaign::check;
use crate::app::campaign::proven::Proven;
use crate::campaign::{self, Campaign, State};
use crate::error::{Error, Exit, Result};
use crate::guard::drill::Drill;
use crate::report::CalibrationReport;
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
    /// The calibration of the directory version that was checked against, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// Where the author approved: stages that open only when somebody else does.
    pub asking: Vec<String>,
}

/// Signs what was checked.
///
/// # Errors
/// The campaign has not passed its check, or the next stage asks for somebody
/// other than its author, who is the one to approve.
pub async fn approve(app: &App, id: i64, by: &str) -> Result<Approved> {
    let by = campaign::person(by)
        .map_err(|why| Error::usage("an approval needs a name").why(why).now("say who approves with --by NAME"))?;
    let campaign = app.campaign(id).await?;
    // Under another key nothing else that is wrong would be understood.
    app.version().await?;
    let state = app.store.state(id).await?;
    match state {
        // A second signature, by somebody else, opens stages that ask for one.
        State::Checked | State::Approved | State::Sending | State::Paused => {}
        State::Frozen => return Err(unchecked(app, id).await?),
        State::Halted | State::Finished => {
            return Err(Error::gate(format!("campaign {id} is not approved"))
                .why(format!("it is {}", state.as_str()))
                .now("freeze it anew and check that"));
        }
    }
    let asking = asking(app, &campaign, by).await?;
    let Some(checked) = Certificate::of(app, &campaign).await? else { return Err(unchecked(app, id).await?) };
    // The same person's approval replaces the one before, however the name is spelt.
    let earlier = app.store.approvals(id).await?;
    let by = earlier.iter().find(|earlier| campaign::is_same_person(&earlier.by, by)).map_or(by, |earlier| &earlier.by);
    let calibration = passed_drill(app, id).await?.calibration;
    let counts = app.store.counts(id, None).await?;
    let at_ms = app.clock.now_ms();
    let signature = app.keys.sign(&checked.bytes(by, at_ms));
    let approval = Approval { by: by.to_owned(), at_ms, digest: checked.set, signature };
    app.store.approve(id, &approval).await?;
    if state == State::Checked {
        app.store.set_state(id, &[State::Checked], State::Approved, at_ms).await?;
    }
    event::campaign_approved(id);
    let digest = check::hex(&checked.set);
    Ok(Approved { campaign: id, messages: counts.checked, by: by.to_owned(), digest, calibration, asking })
}

/// For an approval by the author: the stages that somebody else must approve.
///
/// # Errors
/// The very next stage is one of them, so that this approval would open nothing.
async fn asking(app: &App, campaign: &Campaign, by: &str) -> Result<Vec<String>> {
    let mut asking = Vec::new();
    if !campaign::is_same_person(by, &campaign.author) {
        return Ok(asking);
    }
    let mut is_next = true;
    for (n, stage) in campaign.definition.stages.iter().enumerate() {
        if app.store.counts(campaign.id, Some(n as u16)).await?.left() == 0 {
            continue;
        }
        if stage.approval && is_next {
            return Err(Error::gate(format!("campaign {} is not approved", campaign.id))
                .why(format!(
                    "{by:?} froze it, and its next stage, {:?}, opens only when somebody other than the author approves",
                    stage.name
                ))
                .now(format!("let somebody else run `kakitome campaign approve {} --by NAME`", campaign.id)));
        }
        is_next = false;
        if stage.approval {
            asking.push(stage.name.clone());
        }
    }
    Ok(asking)
}

/// The drill of the last check, without which nothing is signed.
async fn passed_drill(app: &App, id: i64) -> Result<Proven> {
    match Proven::of(app, id).await? {
        Some(proven) if proven.drill.passed() => Ok(proven),
        Some(proven) => Err(failed_drill(id, &proven.drill)),
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
    if let Some(proven) = Proven::of(app, id).await?.filter(|proven| !proven.drill.passed()) {
        return Ok(failed_drill(id, &proven.drill));
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

/// What an approval signs, besides who and when.
struct Certificate {
    campaign: i64,
    revision: i64,
    accounts: u64,
    /// Of the whole frozen revision: template, definition, limits, ladder, author.
    definition: [u8; 32],
    /// Of every message's digest.
    set: [u8; 32],
    proven: Proven,
}

impl Certificate {
    /// Of what is there now; `None` where no check was passed.
    async fn of(app: &App, campaign: &Campaign) -> Result<Option<Self>> {
        let proven = Proven::of(app, campaign.id).await?.filter(|proven| proven.drill.passed());
        let (Some(proven), Some(definition)) = (proven, campaign.digest()) else { return Ok(None) };
        Ok(Some(Self {
            campaign: campaign.id,
            revision: campaign.revision,
            accounts: campaign.accounts,
            definition,
            set: app.store.digest_of_digests(campaign.id).await?,
            proven,
        }))
    }

    /// Every field has one length but the last: no two certificates share bytes.
    fn bytes(&self, by: &str, at_ms: i64) -> Vec<u8> {
        let mut bytes = b"kakitome certificate 2\n".to_vec();
        for number in [self.campaign, self.revision, at_ms] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.accounts.to_be_bytes());
        // The same drill makes the same text: its fields have one order.
        bytes.extend(blake3::hash(&self.proven.signed()).as_bytes());
        bytes.extend(self.definition);
        bytes.extend(self.set);
        bytes.extend(by.as_bytes());
        bytes
    }

    /// Why an approval is not one of this; `None` when it is.
    fn refuses(&self, app: &App, approval: &Approval) -> Option<&'static str> {
        if approval.digest != self.set {
            return Some("the messages are not those that were approved");
        }
        if app.keys.sign(&self.bytes(&approval.by, approval.at_ms)) != approval.signature {
            return Some(
                "an approval signs another definition, snapshot or drill than these, or was not signed with this installation's key",
            );
        }
        None
    }
}

/// Whether there are approvals, and each signs exactly what is there now.
///
/// # Errors
/// The store fails.
pub async fn still_hold(app: &App, campaign: &Campaign) -> Result<bool> {
    let approvals = app.store.approvals(campaign.id).await?;
    let Some(checked) = Certificate::of(app, campaign).await? else { return Ok(false) };
    Ok(!approvals.is_empty() && approvals.iter().all(|approval| checked.refuses(app, approval).is_none()))
}

/// Proves that what would be sent is what was signed.
///
/// # Errors
/// There is no approval, one signs something else than what is there now, or
/// the directory cannot be used with this key.
pub async fn verify(app: &App, campaign: &Campaign) -> Result<()> {
    let id = campaign.id;
    let wrong = |why: &str| {
        Err(Error::gate(format!("campaign {id} is not sent")).why(why).now(format!(
            "find out what changed; `kakitome verify` proves the store, `kakitome campaign check {id}` judges again"
        )))
    };
    // Under another key every signature differs: the key is the news then.
    app.version().await?;
    let approvals = app.store.approvals(id).await?;
    let Some(checked) = Certificate::of(app, campaign).await? else {
        return wrong("it has not passed its check with a drill in which nothing was missed");
    };
    if approvals.is_empty() {
        return wrong("nobody has approved it");
    }
    match approvals.iter().find_map(|approval| checked.refuses(app, approval)) {
        Some(why) => wrong(why),
        None => Ok(()),
    }
}
