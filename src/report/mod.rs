//! Reports as self-contained HTML pages: the check, the preview, the campaign.
//! Read-only.
//!
//! Input: plain data ([`CheckReport`], [`PreviewIndex`], [`CampaignReport`]),
//! which also serialises for `--json`. Output: one page as a `String`, without
//! scripts or anything fetched from elsewhere. All text goes through
//! `html::escape`; what a page shows of an identifier was masked before it
//! came here. Counts are messages, times `_ms` since the Unix epoch, in UTC.

mod calibration;
mod campaign;
mod check;
mod html;
mod preview;

pub use calibration::{AcceptedGap, CalibratedKind, CalibrationReport};
pub use campaign::{CampaignReport, LedgerProof, Moment, Passage, ReplyCount, StageReport};
pub use check::{CheckReport, DrillReport, DrillWay, FOUND_MAX, FoundRow, LINK_WAY, RuleCount};
pub use preview::{PreviewIndex, PreviewMember};

use serde::Serialize;

use crate::campaign::Campaign;
use crate::clock;
use html::escape;
pub use html::{counted, number};

/// What every page says of its campaign.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// The campaign's number.
    pub campaign: i64,
    /// Its revision.
    pub revision: i64,
    /// What people call it.
    pub name: String,
    /// Who froze it.
    pub author: String,
    /// When it was frozen.
    pub created_ms: i64,
    /// The directory version it was frozen against.
    pub directory_version: i64,
    /// Accounts in the snapshot.
    pub accounts: u64,
    /// BLAKE3 of template and definition, in hex.
    pub template_digest: String,
    /// BLAKE3 of the snapshot, in hex.
    pub audience_digest: String,
    /// BLAKE3 over the messages' digests, in hex; what approval signs.
    pub messages_digest: Option<String>,
    /// When the report was made.
    pub made_ms: i64,
}

impl Head {
    /// The head of a frozen campaign's report.
    pub fn of(campaign: &Campaign, messages_digest: Option<String>, made_ms: i64) -> Self {
        Self {
            campaign: campaign.id,
            revision: campaign.revision,
            name: campaign.definition.name.clone(),
            author: campaign.author.clone(),
            created_ms: campaign.created_ms,
            directory_version: campaign.directory_version,
            accounts: campaign.accounts,
            template_digest: campaign.template_digest.clone(),
            audience_digest: campaign.audience_digest.clone(),
            messages_digest,
            made_ms,
        }
    }

    /// The page's heading; `mark` is the verdict as a word, with its class.
    fn header(&self, what: &str, mark: (&str, &str), says: &str) -> String {
        format!(
            "<header><p class=\"what\">{what} · campaign {number}, revision {revision}</p>\
             <h1>{name}</h1><p class=\"verdict\"><span class=\"mark {class}\">{word}</span> {says}</p></header>",
            number = self.campaign,
            revision = self.revision,
            name = escape(&self.name),
            class = mark.0,
            word = escape(mark.1),
            says = escape(says),
        )
    }

    /// What the messages depend on, at the end of the page.
    fn facts(&self) -> String {
        let mut rows = String::new();
        let mut row = |name: &str, value: &str| {
            rows.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(value)));
        };
        row("Frozen", &format!("{} by {}", clock::show(self.created_ms), self.author));
        row("Directory version", &html::number(self.directory_version.unsigned_abs()));
        row("Accounts", &html::number(self.accounts));
        row("Report made", &clock::show(self.made_ms));
        let mut digest = |name: &str, value: &str| {
            rows.push_str(&format!("<div><dt>{name}</dt><dd><code>{}</code></dd></div>", escape(value)));
        };
        digest("Template digest", &self.template_digest);
        digest("Audience digest", &self.audience_digest);
        digest(
            "Messages digest",
            self.messages_digest.as_deref().unwrap_or("none yet: the check makes it, once every message is cleared"),
        );
        format!("<section><h2>What these messages depend on</h2><dl class=\"facts\">{rows}</dl></section>")
    }

    fn page(&self, what: &str, body: &str) -> String {
        html::page(&format!("{what} · {}", self.name), body)
    }

    #[cfg(test)]
    fn made_up(name: &str) -> Self {
        Self {
            campaign: 12,
            revision: 2,
            name: name.into(),
            author: "hanako".into(),
            created_ms: 1_795_510_000_000,
            directory_version: 41,
            accounts: 164_650,
            template_digest: blake3::hash(b"template").to_hex().to_string(),
            audience_digest: blake3::hash(b"audience").to_hex().to_string(),
            messages_digest: Some(blake3::hash(b"messages").to_hex().to_string()),
            made_ms: 1_795_515_420_000,
        }
    }
}
