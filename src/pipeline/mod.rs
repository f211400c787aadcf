//! The only place that knows the whole order:
//!
//! ```text
//! directory import → audience → render → guard → (check → approve)
//!                  → stage → claim → render → guard → send → ledger → report
//! ```
//!
//! Each step is one file here. A step reads what it needs from the store, calls
//! the rooms, and writes what happened; it decides nothing that a room decides.
//! The second `render → guard` is the same call as the first
//! ([`bound::Bound::message`]).

pub mod approve;
pub mod bound;
pub mod check;
pub mod control;
mod drill;
mod feed;
pub mod filter;
pub mod freeze;
pub mod import;
pub mod init;
pub mod preview;
pub mod private;
mod sample;
pub mod send;
pub mod suppress;

use std::sync::Arc;

use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::store::{Store, Version};
use crate::telemetry::Metrics;

/// One installation, opened: configuration, keys, store, clock and metrics.
#[derive(Clone)]
pub struct App {
    /// The configuration.
    pub config: Arc<Config>,
    /// The keys.
    pub keys: Keys,
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
}

impl App {
    /// Opens the store and reads the key.
    ///
    /// # Errors
    /// The key file or the store cannot be used.
    pub async fn open(config: Config, metrics: Metrics) -> Result<Self> {
        let keys = config.keys()?;
        let store = Store::open(&config.store_url()).await?;
        Ok(Self { config: Arc::new(config), keys, store, clock: Clock::system(), metrics })
    }

    /// The current directory version; without one nothing can be judged.
    ///
    /// # Errors
    /// There is none, or it is empty.
    pub async fn version(&self) -> Result<Version> {
        match self.store.current_version().await? {
            Some(version) if version.accounts > 0 => Ok(version),
            _ => Err(Error::usage("there is no directory")
                .why("nothing can be judged before it is known who owns what")
                .now("run `kakitome directory import FILE`")),
        }
    }

    /// A campaign by its number.
    ///
    /// # Errors
    /// There is none of this number.
    pub async fn campaign(&self, id: i64) -> Result<Campaign> {
        self.store.campaign(id).await?.ok_or_else(|| {
            Error::usage(format!("there is no campaign {id}")).now("`kakitome campaign list` shows them")
        })
    }
}
