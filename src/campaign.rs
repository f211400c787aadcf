//! A campaign: template + audience + sender + stages, one immutable revision at
//! a time, and the states it passes through.
//!
//! [`Definition`] is `campaign.toml` as typed. [`Campaign`] is what was frozen
//! from it, with digests: nothing that a message depends on is read from disk
//! again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::config::{Column, Span};
use crate::guard::Allow;

/// `campaign.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it; one name, one audience, however many revisions.
    pub name: String,
    /// The From header: `Registrar News <news@registrar.example>`.
    pub from: String,
    /// The Reply-To header, where it is not From.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The envelope sender; the From address unless given.
    #[serde(default)]
    pub bounce: Option<String>,
    /// The list's name in List-Id (RFC 2919): `news.registrar.example`.
    /// Default: `kakitome.` and the From domain.
    #[serde(default)]
    pub list_id: Option<String>,
    /// A folder with subject.txt, and body.html, body.txt or both.
    pub template: PathBuf,
    /// A CSV file with the account column, and any extra columns.
    pub audience: PathBuf,
    /// The audience's extra columns that identify an account (`[extra.order_no]`),
    /// as the directory's columns are described; `text` says that one does not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Column>,
    /// Columns of which a value must be shown in every message: the directory's,
    /// and as `extra.…` those declared here.
    #[serde(default)]
    pub must_show: Vec<String>,
    /// Values that may appear although they are nobody's own.
    #[serde(default)]
    pub allow: Vec<Allow>,
    /// Seeds every choice: canary members, drill pairs.
    #[serde(default)]
    pub seed: u64,
    /// Held messages at which a gate stays shut; more than this halts.
    #[serde(default)]
    pub held_max: u64,
    /// The largest share of rejected messages, in percent of those sent.
    #[serde(default = "Definition::default_rejected")]
    pub rejected_percent_max: f64,
    /// The largest share of deferred messages, in percent of those sent.
    #[serde(default = "Definition::default_deferred")]
    pub deferred_percent_max: f64,
    /// The ladder.
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
}

impl Definition {
    fn default_rejected() -> f64 {
        5.0
    }
    fn default_deferred() -> f64 {
        20.0
    }
}

/// One step of the ladder. Exactly one of `accounts`, `count` and `percent`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// `staff`, `canary`, `wave`, `rest`.
    pub name: String,
    /// These accounts.
    #[serde(default)]
    pub accounts: Option<Vec<AccountId>>,
    /// So many, chosen to cover the template.
    #[serde(default)]
    pub count: Option<usize>,
    /// So many percent of the whole audience; 100 is everybody left.
    #[serde(default)]
    pub percent: Option<f64>,
    /// How long to wait after this stage's last message before the next opens.
    #[serde(default)]
    pub soak: Span,
    /// Whether somebody other than the author must approve before it opens.
    #[serde(default)]
    pub approval: bool,
}

/// A frozen revision: everything that its messages depend on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Campaign {
    /// Its number in this store.
    pub id: i64,
    /// The revision of this name, from 1.
    pub revision: i64,
    /// The definition it was frozen from.
    pub definition: Definition,
    /// The template's files, by name (`subject.txt`, `body.html`, …).
    pub template: BTreeMap<String, String>,
    /// The address under which links are answered.
    pub links_base: String,
    /// The directory version it was frozen against.
    pub directory_version: i64,
    /// BLAKE3 of template and definition, in hex.
    pub template_digest: String,
    /// BLAKE3 of the snapshot, in hex.
    pub audience_digest: String,
    /// Accounts in the snapshot.
    pub accounts: u64,
    /// Who froze it.
    pub author: String,
    /// When.
    pub created_ms: i64,
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Frozen, not yet checked.
    Frozen,
    /// Every message judged and none held; waits for approval.
    Checked,
    /// Signed; may be sent.
    Approved,
    /// A stage is under way, or waits for its gate.
    Sending,
    /// Stopped by an operator; `resume` goes on.
    Paused,
    /// Stopped for good: something was held, or an operator said so.
    Halted,
    /// Every message has a final state.
    Finished,
}

impl State {
    /// The word in the store and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Frozen => "frozen",
            State::Checked => "checked",
            State::Approved => "approved",
            State::Sending => "sending",
            State::Paused => "paused",
            State::Halted => "halted",
            State::Finished => "finished",
        }
    }

    /// Whether a campaign may go from this state to that one.
    pub fn may_become(self, next: State) -> bool {
        use State::*;
        matches!(
            (self, next),
            (Frozen | Checked | Approved, Frozen | Checked | Halted)
                | (Checked, Approved)
                | (Approved | Paused, Sending)
                | (Sending | Approved, Paused)
                | (Sending, Sending | Finished | Halted)
                | (Paused, Halted | Finished)
        )
    }
}
