//! `whose`: an envelope sender with a token, as it stands in what came back → the
//! campaign and the account whose message it was.

use serde::Serialize;

use crate::account::AccountId;
use crate::app::App;
use crate::error::{Error, Result};
use crate::key::Bounce;

/// Whose message it was.
#[derive(Debug, Serialize)]
pub struct Whose {
    /// The campaign's number.
    pub campaign: i64,
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: i64,
    /// The account.
    pub account: AccountId,
}

/// Reads addresses, or tokens by themselves, in their order; beside those that were found, what
/// is wrong with the others.
///
/// # Errors
/// A campaign is not in this store, or the store fails.
pub async fn lookup(app: &App, addresses: &[String]) -> Result<(Vec<Whose>, Option<Error>)> {
    let (mut found, mut wrong) = (Vec::with_capacity(addresses.len()), Vec::new());
    for (n, address) in addresses.iter().enumerate() {
        let local = address.rsplit_once('@').map_or(address.as_str(), |(local, _)| local);
        let mut tokens = Bounce::tokens_in(local).into_iter();
        let Some(bounce) = tokens.find_map(|token| app.keys.read_bounce(&token)) else {
            wrong.push((n + 1).to_string());
            continue;
        };
        let campaign = app.campaign(bounce.campaign).await?;
        let (name, revision) = (campaign.definition.name, campaign.revision);
        found.push(Whose { campaign: bounce.campaign, name, revision, account: bounce.account });
    }
    let wrong = (!wrong.is_empty()).then(|| {
        let which = if wrong.len() == 1 { "address" } else { "addresses" };
        let has = if wrong.len() == 1 { "has" } else { "have" };
        // An address may be anybody's: it is counted, not repeated.
        let (which_ones, all) = (wrong.join(", "), addresses.len());
        Error::usage(format!("{which} {which_ones} of {all} {has} no token that was made here"))
            .why("the key file signs the token of each message, and no token in it is signed by this one")
            .now("give the envelope sender whole, as the message that came back was sent to")
    });
    Ok((found, wrong))
}
