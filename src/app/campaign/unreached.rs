//! `campaign rest`: whom a campaign did not reach, as the audience of another one.
//!
//! A campaign that was halted is not sent again, and its name has no next revision. Who
//! is missing is known to the store alone; a list that somebody made by hand would be one
//! mistake away from the same newsletter twice.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::account::AccountId;
use crate::app::evidence::resolve::rows;
use crate::app::{App, private};
use crate::campaign::{self, Campaign};
use crate::error::{Error, Result};
use crate::ledger::{Counts, State};
use crate::store::Filter;

/// Messages read together.
const PAGE: usize = 5_000;

/// An audience that was written.
#[derive(Debug, Serialize)]
pub struct Rest {
    /// The campaign.
    pub campaign: i64,
    /// Accounts that neither it nor another revision of its name reached: not tried yet, held,
    /// or deferred.
    pub accounts: u64,
    /// Where they are.
    pub file: PathBuf,
    /// All of its messages by state.
    pub counts: Counts,
}

/// Whether no server has taken over a message that stands so, or ever will. One that was
/// refused, expired or suppressed ended for a reason; of a claimed or unknown one nobody knows.
fn was_not_reached(state: State) -> bool {
    match state {
        State::Planned | State::Checked | State::Held | State::Deferred => true,
        State::Claimed | State::Accepted | State::Rejected | State::Expired | State::Unknown | State::Suppressed => {
            false
        }
    }
}

/// Whom other revisions of its name reached, or may have reached.
async fn others(app: &App, campaign: &Campaign) -> Result<HashSet<AccountId>> {
    let is_other = |one: &Campaign| one.definition.name == campaign.definition.name && one.id != campaign.id;
    let mut reached = HashSet::new();
    for other in app.store.campaigns().await?.into_iter().filter(is_other) {
        if matches!(app.store.state(other.id).await?, campaign::State::Sending | campaign::State::Paused) {
            return Err(Error::gate(format!("campaign {} has no rest yet", campaign.id))
                .why(format!("campaign {}, another revision of its name, is being sent", other.id))
                .now(format!("let that one end, or stop it for good with `kakitome campaign halt {}`", other.id)));
        }
        for state in State::ALL.into_iter().filter(|state| !was_not_reached(*state)) {
            let rows = rows(app, other.id, state).await?;
            reached.extend(rows.into_iter().filter(|row| row.attempt > 0).map(|row| row.account));
        }
    }
    Ok(reached)
}

/// Writes the accounts that a campaign did not reach, with their extra columns.
///
/// # Errors
/// The campaign or another revision of its name may still reach them, the file is there
/// already or cannot be written, or the store fails.
pub async fn unreached(app: &App, id: i64, file: &Path) -> Result<Rest> {
    let campaign = app.campaign(id).await?;
    if file.is_file() {
        return Err(Error::usage(format!("{} is there already", file.display())).now("name a file that is not"));
    }
    let state = app.store.state(id).await?;
    if !matches!(state, campaign::State::Halted | campaign::State::Finished) {
        return Err(Error::gate(format!("campaign {id} has no rest yet"))
            .why(format!("it is {}, and may go to everybody", state.as_str()))
            .now(format!("let it go on, or stop it for good with `kakitome campaign halt {id}`")));
    }
    app.recover(id).await?;
    // What is deferred may be under way again until the last process has seen the halt.
    let claimed = app.store.counts(id, None).await?.claimed;
    if claimed > 0 || app.store.sender(id, app.clock.now_ms()).await?.is_some() {
        return Err(Error::gate(format!("campaign {id} has no rest yet"))
            .why(format!("a process is still ending it, with {claimed} messages under way"))
            .now("wait until it has ended, some seconds as a rule, and run this again"));
    }
    let others = others(app, &campaign).await?;
    let key = app.version().await?.mapping.account;
    let mut csv = csv::Writer::from_writer(Vec::new());
    let (mut after, mut accounts, mut names) = (-1, 0, Vec::new());
    let failed = |e: &csv::Error| Error::unexpected("cannot write a line of the audience").cause(e);
    loop {
        let rows = app.store.messages(id, Filter { state: None, stage: None }, after, PAGE).await?;
        // The same accounts in the same order.
        let snapshot = app.store.snapshot(id, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.ord;
        for (row, one) in
            rows.iter().zip(snapshot).filter(|(row, _)| was_not_reached(row.state) && !others.contains(&row.account))
        {
            if accounts == 0 {
                names = one.extra.keys().cloned().collect();
                let header = std::iter::once(&key).chain(&names);
                csv.write_record(header).map_err(|e| failed(&e))?;
            }
            let extra = names.iter().map(|name| one.extra.get(name).map_or("", String::as_str));
            csv.write_record(std::iter::once(row.account.as_str()).chain(extra)).map_err(|e| failed(&e))?;
            accounts += 1;
        }
    }
    let counts = app.store.counts(id, None).await?;
    if accounts == 0 {
        return Err(Error::gate(format!("campaign {id} has no rest"))
            .why("there is nobody whom it did not reach, or was not to reach")
            .now(format!("`kakitome campaign status {id}` tells what became of its messages")));
    }
    let bytes = csv.into_inner().map_err(|e| Error::unexpected("cannot write the audience").cause(e.error()))?;
    private::write(file, &bytes)?;
    Ok(Rest { campaign: id, accounts, file: file.to_owned(), counts })
}
