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
use crate::guard::Allow;
use crate::guard::normal::fold;
use crate::mapping::Column;
use crate::units::Span;

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
    /// The envelope sender; the From address unless given. With `{token}` before its
    /// @, one for each message.
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
    /// Files that may be in every message although the guard cannot read them.
    #[serde(default, rename = "attachment", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Seeds every choice: canary members, drill pairs.
    #[serde(default)]
    pub seed: u64,
    /// Held messages at which a gate stays shut; more than this halts.
    #[serde(default)]
    pub held_max: u64,
    /// The largest share of rejected and expired messages, in percent of those sent.
    #[serde(default = "Definition::default_rejected")]
    pub rejected_percent_max: f64,
    /// The largest share of deferred messages, in percent of those sent.
    #[serde(default = "Definition::default_deferred")]
    pub deferred_percent_max: f64,
    /// The ladder.
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
}

/// A file that is the same in everybody's message (`[[attachment]]`): a logo in a `data:` URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its path, relative to the campaign file.
    pub file: PathBuf,
    /// The BLAKE3 digest of its bytes in hex, taken when the campaign is frozen.
    #[serde(default)]
    pub digest: String,
}

impl Definition {
    /// Whether its name and its limits can be used: a limit that is no share, or
    /// no number, is one that no gate can keep.
    ///
    /// # Errors
    /// Which value, and what it must be.
    pub fn validate(&self) -> Result<(), String> {
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            return Err("name must not be empty or have control characters in it".into());
        }
        let limits =
            [("rejected_percent_max", self.rejected_percent_max), ("deferred_percent_max", self.deferred_percent_max)];
        match limits.into_iter().find(|(_, percent)| !(0.0..=100.0).contains(percent)) {
            Some((name, percent)) => Err(format!("{name} is a percentage from 0 to 100, and {percent} is none")),
            None => Ok(()),
        }
    }

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

impl Campaign {
    /// BLAKE3 of the whole frozen revision, as an approval signs it.
    pub fn digest(&self) -> Option<[u8; 32]> {
        serde_json::to_vec(self).ok().map(|text| blake3::hash(&text).into())
    }
}

/// A person's name as it is kept: without the white space around it.
///
/// # Errors
/// It names nobody: nothing visible is in it, or something unprintable is.
pub fn person(name: &str) -> Result<&str, &'static str> {
    let name = name.trim();
    if comparable(name).is_empty() {
        return Err("the name is empty");
    }
    if name.chars().any(char::is_control) {
        return Err("the name has a control character in it");
    }
    Ok(name)
}

/// Whether two names are one person's: width, case, invisible characters and the
/// amount of white space do not count.
pub fn is_same_person(one: &str, other: &str) -> bool {
    comparable(one) == comparable(other)
}

/// [`fold`] keeps ß and ς; by way of upper case they become ss and σ.
fn comparable(name: &str) -> String {
    let upper: String = fold(name).chars().flat_map(char::to_uppercase).collect();
    let lower: String = upper.chars().flat_map(char::to_lowercase).collect();
    fold(&lower).split_whitespace().collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_is_one_however_the_name_is_spelt() {
        for spelt in ["alice", " Alice ", "ＡＬＩＣＥ", "al\u{200b}ice", "ALICE\t"] {
            assert!(is_same_person("Alice", spelt), "{spelt:?}");
        }
        assert!(is_same_person("Ruß  Ο΄ΔΗΣ", "RUSS ο΄δης"));
        for other in ["alicia", "a lice", "alice b", "bob"] {
            assert!(!is_same_person("alice", other), "{other:?}");
        }
        assert_eq!(person("  山田 花子 "), Ok("山田 花子"));
        for nobody in ["", "  ", "\u{200b}", "a\nb", "\u{7}"] {
            assert!(person(nobody).is_err(), "{nobody:?}");
        }
    }

    #[test]
    fn limits_that_no_gate_can_keep_are_refused() {
        let define = |line: &str| {
            let text =
                format!("name = \"news\"\nfrom = \"a@b.example\"\ntemplate = \"t\"\naudience = \"a.csv\"\n{line}");
            toml::from_str::<Definition>(&text).map_err(|e| e.to_string()).and_then(|d| d.validate())
        };
        assert_eq!(define("rejected_percent_max = 100.0\ndeferred_percent_max = 0.0"), Ok(()));
        for bad in ["-1.0", "100.1", "nan", "inf"] {
            for limit in ["rejected_percent_max", "deferred_percent_max"] {
                assert!(define(&format!("{limit} = {bad}")).unwrap_err().contains(limit), "{limit} = {bad}");
            }
        }
        assert!(define("held_max = -1").unwrap_err().contains("held_max"));
        let mut named: Definition =
            toml::from_str("name = \"\"\nfrom = \"a\"\ntemplate = \"t\"\naudience = \"a\"").unwrap();
        for bad in ["", " ", "a\nb", "\u{1b}[2J"] {
            named.name = bad.into();
            assert!(named.validate().is_err(), "{bad:?}");
        }
    }
}
