//! `suppress add|remove|list|import`: addresses that get no mail, compared whole.

use std::path::Path;

use serde::Serialize;

use crate::address::Address;
use crate::app::App;
use crate::directory::table::TableError;
use crate::error::{Error, Result};
use crate::store::{Removed, Suppression};
use crate::suppression::{self, ListError};

/// What was put on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Added {
    /// Addresses that are new on it.
    pub added: u64,
    /// Those that were on it, or named before.
    pub already: u64,
}

/// Adds addresses.
///
/// # Errors
/// A text is no address (none is added then), or the store fails.
pub async fn add(app: &App, addresses: &[String], reason: &str) -> Result<Added> {
    put(app, &parse(addresses)?, reason).await
}

async fn put(app: &App, addresses: &[Address], reason: &str) -> Result<Added> {
    let added = app.store.suppress(addresses, reason, app.clock.now_ms()).await?;
    Ok(Added { added, already: (addresses.len() as u64).saturating_sub(added) })
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

/// Adds every address of a file.
///
/// # Errors
/// A line is no address: none of the file is added.
pub async fn import(app: &App, file: &Path, reason: &str) -> Result<Added> {
    let addresses = suppression::read(file).map_err(|e| {
        let now = match e {
            ListError::Header { .. } => {
                "call the column with the addresses email, and import it again; nothing was added"
            }
            ListError::Table(TableError::Io(_)) => "name a file that can be read; nothing was added",
            _ => "mend the lines and import it again; nothing was added",
        };
        Error::usage(format!("cannot use the list {}", file.display())).cause(&e).now(now)
    })?;
    put(app, &addresses, reason).await
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
