//! The unsubscribe link: a token → the account's address on the suppression list.
//!
//! Only a token of this installation, made for this purpose, for a campaign and
//! an account that exist, means anybody; every other one is refused alike and
//! touches nothing. Who is on the list already stays as they are. A campaign on
//! its way reads the list by itself ([`crate::app::deliver::send`]).

use crate::address::Address;
use crate::app::App;
use crate::error::Result;
use crate::key::{Link, Purpose};
use crate::store::StoreError;
use crate::telemetry::{Unsubscribe, event};

/// Ends the mail to the account of a token, and says how that ended. A failure is
/// logged here.
pub async fn unsubscribe(app: &App, token: &str) -> Unsubscribe {
    let ended = record(app, token).await.unwrap_or_else(|error| {
        event::link_failed(&error);
        Unsubscribe::Failed
    });
    app.metrics.unsubscribe(ended);
    ended
}

/// Whether a token could unsubscribe somebody; changes nothing. A failure is
/// logged here.
///
/// # Errors
/// The store fails.
pub async fn is_known(app: &App, token: &str) -> Result<bool> {
    let found = subscriber(app, token).await.inspect_err(|error| event::link_failed(error))?;
    Ok(found.is_some())
}

async fn record(app: &App, token: &str) -> Result<Unsubscribe> {
    let Some((link, address)) = subscriber(app, token).await? else { return Ok(Unsubscribe::Refused) };
    if !app.store.unsubscribe(&address, link.campaign, app.clock.now_ms()).await? {
        return Ok(Unsubscribe::Repeated);
    }
    event::unsubscribed(link.campaign, &link.account);
    Ok(Unsubscribe::Taken)
}

/// What a token says and where that account's mail goes now; `None` when it means
/// nobody. The store is asked only about what this installation signed.
async fn subscriber(app: &App, token: &str) -> Result<Option<(Link, Address)>> {
    let Some(link) = app.keys.read_link(token).filter(|link| link.purpose == Purpose::Unsubscribe) else {
        return Ok(None);
    };
    match app.store.state(link.campaign).await {
        Err(StoreError::NoCampaign { .. }) => return Ok(None),
        state => state?,
    };
    let Some(version) = app.store.current_version().await? else { return Ok(None) };
    let record = app.store.record(version.number, &link.account).await?;
    Ok(record.map(|record| (link, record.address)))
}
