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
//! ([`campaign::loaded::LoadedCampaign::message`]).

pub mod campaign;
pub mod deliver;
pub mod directory;
pub mod doctor;
pub mod evidence;
pub mod filter;
pub mod init;
pub mod key;
pub mod online;
pub mod private;

use std::sync::Arc;

use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::store::{Store, Version};
use crate::telemetry::{Metrics, event};

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

    /// [`App::open`], for what only reads: where there is no store yet, none is made.
    ///
    /// # Errors
    /// As there, or there is no store.
    pub async fn open_existing(config: Config, metrics: Metrics) -> Result<Self> {
        let url = config.store_url();
        if Store::is_missing(&url) {
            return Err(Error::usage("there is no store here")
                .why(format!("the configuration says {url}, and no such file exists"))
                .now("run it in the folder where you import and send, or name its configuration with --config"));
        }
        Self::open(config, metrics).await
    }

    /// Ends what dead processes had claimed of a campaign, and this one before it began.
    ///
    /// # Errors
    /// The store fails.
    async fn recover(&self, campaign: i64) -> Result<()> {
        let recovered = self.store.recover(campaign, self.clock.now_ms()).await?;
        if recovered.unknown > 0 {
            event::claims_recovered(campaign, recovered.unknown);
        }
        if recovered.free > 0 {
            event::claims_freed(campaign, recovered.free);
        }
        Ok(())
    }

    /// The current directory version; without one, or with one whose identifiers
    /// were hashed under another key, nothing can be judged: every look-up would
    /// miss.
    ///
    /// # Errors
    /// There is none, it is empty, or this installation's key is not its key.
    pub async fn version(&self) -> Result<Version> {
        match self.store.current_version().await? {
            Some(version) if version.accounts > 0 => self.same_key(version),
            _ => Err(Error::usage("there is no directory")
                .why("nothing can be judged before it is known who owns what")
                .now("run `kakitome directory import FILE`")),
        }
    }

    fn same_key(&self, version: Version) -> Result<Version> {
        let number = version.number;
        let refuse = |why: &str, now: &str| {
            Err(Error::usage(format!(
                "directory version {number} cannot be used with the key file {}",
                self.key_file()
            ))
            .why(why)
            .now(now))
        };
        match version.key_id {
            Some(id) if id == self.keys.id() => Ok(version),
            Some(_) => refuse(
                "the directory was imported under another key, so that no identifier in it would be found",
                "put the key file back, or import the directory again",
            ),
            None => refuse(
                "it was imported before a directory's key was kept, so that nobody can tell whether this is it",
                "import the directory again",
            ),
        }
    }

    fn key_file(&self) -> String {
        self.config.path(&self.config.key).display().to_string()
    }

    /// A campaign by its number, as it was frozen.
    ///
    /// # Errors
    /// There is none of this number, or it was changed since.
    pub async fn campaign(&self, id: i64) -> Result<Campaign> {
        self.store.campaign(id).await?.ok_or_else(|| {
            Error::usage(format!("there is no campaign {id}")).now("`kakitome campaign list` shows them")
        })
    }
}
