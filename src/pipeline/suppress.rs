//! `suppress add|remove|list|import`: addresses that get no mail, compared whole.

use std::path::Path;

use crate::address::Address;
use crate::error::{Error, Result};
use crate::pipeline::App;
use crate::store::{Removed, Suppression};
use crate::suppression::{self, ListError};

/// Adds addresses; how many were new.
///
/// # Errors
/// A text is no address (none is added then), or the store fails.
pub async fn add(app: &App, addresses: &[String], reason: &str) -> Result<u64> {
    Ok(app.store.suppress(&parse(addresses)?, reason, app.clock.now_ms()).await?)
}

/// Takes addresses off the list.
///
/// # Errors
/// A text is no address (none is removed then), or the store fails.
pub async fn remove(app: &App, addresses: &[String]) -> Result<Removed> {
    Ok(app.store.unsuppress(&parse(addresses)?, app.clock.now_ms()).await?)
}

/// The whole list.
///
/// # Errors
/// The store fails.
pub async fn list(app: &App) -> Result<Vec<Suppression>> {
    Ok(app.store.suppressions().await?)
}

/// Adds every address of a file; how many were new.
///
/// # Errors
/// A line is no address: none of the file is added.
pub async fn import(app: &App, file: &Path, reason: &str) -> Result<u64> {
    let addresses = suppression::read(file).map_err(|e| {
        let now = match e {
            ListError::Header { .. } => {
                "call the column with the addresses email, and import it again; nothing was added"
            }
            _ => "mend the lines and import it again; nothing was added",
        };
        Error::usage(format!("cannot use the list {}", file.display())).cause(&e).now(now)
    })?;
    Ok(app.store.suppress(&addresses, reason, app.clock.now_ms()).await?)
}

fn parse(addresses: &[String]) -> Result<Vec<Address>> {
    addresses
        .iter()
        .enumerate()
        .map(|(n, text)| {
            Address::parse(text).map_err(|e| {
                Error::usage(format!("address {} cannot be used", n + 1))
                    .why(e)
                    .now("write whole addresses, as in taro@customer.example; nothing was changed")
            })
        })
        .collect()
}
