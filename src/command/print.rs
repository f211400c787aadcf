//! Results as people and programs read them. No values of records: account
//! keys, counts and masked findings only.

use std::path::Path;

use serde::Serialize;

use crate::app::campaign::freeze::Frozen;
use crate::app::campaign::preview::Previews;
use crate::app::deliver::send::{Halted, LeftOut, SendReport};
use crate::app::directory::suppress::Added;
use crate::app::init::{Initialised, Skipped};
use crate::app::key::NewKey;
use crate::campaign::State;
use crate::clock;
use crate::command::out::{Out, talk};
use crate::command::settled::unknown_hint;
use crate::command::table::{fitted, table};
use crate::demo::Story;
use crate::error::Result;
use crate::guard::check::Judged;
use crate::report::counted;
pub use crate::report::number as count;
use crate::report::{CampaignReport, Moment};
use crate::store::{Proof, Removed, Suppression};
use crate::units::Rate;

/// What is said beside a new key.
const NEW_KEY: &str = "the key is new: keep a copy of it. A directory that was imported with another key must be imported again, and links in mail already sent are dead";

/// Lines of what happened to a campaign that are shown where a page can have all.
const MOMENTS_MAX: usize = 20;

/// Prints results to stdout, as text or as one JSON object.
pub struct Printer {
    json: bool,
    out: Out,
}

impl Printer {
    /// Text, or JSON.
    pub fn new(json: bool) -> Self {
        Self { json, out: Out::default() }
    }

    /// Whether everything could be written; asked when the work has ended.
    ///
    /// # Errors
    /// stdout cannot be written (exit 1).
    pub fn finish(&self) -> Result<()> {
        self.out.finish()
    }

    pub(super) fn show<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) {
        if self.json {
            self.object(value);
        } else {
            self.out.line(&text());
        }
    }

    /// One JSON object on a line of its own.
    pub fn object<T: Serialize>(&self, value: &T) {
        match serde_json::to_string(value) {
            Ok(line) => self.out.line(&line),
            Err(error) => talk(&format!("kakitome: the result cannot be written as JSON: {error}")),
        }
    }

    /// A line of a story: a part of the result as text, mere talk beside JSON.
    pub fn say(&self, text: &str) {
        if self.json {
            talk(text);
        } else {
            self.out.line(text);
        }
    }

    /// How the demo ended; what it did on the way was said.
    pub fn story(&self, story: &Story, out: &Path) {
        self.show(story, || story.text(out));
    }

    /// Files that were written, and those that were there already.
    pub fn initialised(&self, done: &Initialised) {
        self.show(done, || {
            let wrote = done.written.iter().map(|file| format!("wrote {}", file.display()));
            let left = done.left.iter().map(|file| format!("left {} as it is", file.display()));
            let skipped = done.skipped.iter().map(|Skipped { file, why }| format!("did not write {}: {why}", file.display()));
            let mut text: Vec<String> = wrote.chain(left).chain(skipped).collect();
            if done.new_key {
                text.push(NEW_KEY.into());
            }
            text.push(
                "now: name your columns in kakitome.toml, then `kakitome directory import FILE`; put the accounts a campaign goes to into audience.csv"
                    .into(),
            );
            text.join("\n")
        });
    }

    /// A key that was made.
    pub fn key_made(&self, done: &NewKey) {
        self.show(done, || format!("wrote {}\n{NEW_KEY}", done.written.display()));
    }

    /// A frozen campaign.
    pub fn frozen(&self, done: &Frozen) {
        self.show(done, || {
            let mut text = format!(
                "campaign {} (revision {}): {}, {} of them suppressed, {} held\n",
                done.campaign,
                done.revision,
                counted(done.planned, "account"),
                count(done.suppressed),
                count(done.held)
            );
            for row in &done.first {
                let finding = &row.finding;
                text.push_str(&format!("  account {}: {}, {}\n", row.account, finding.place, finding.shown));
            }
            let stages: Vec<String> = done.stages.iter().map(|(name, n)| format!("{name} {}", count(*n))).collect();
            text.push_str(&format!("stages: {}\n", stages.join(" → ")));
            text.push_str(&format!(
                "template {}  audience {}\n",
                &done.template_digest[..16],
                &done.audience_digest[..16]
            ));
            if !done.not_sent.is_empty() {
                let names = done.not_sent.join(", ");
                text.push_str(&format!("note: not sent, because a message carries nothing but its texts: {names}\n"));
            }
            text.push_str(&format!(
                "now: kakitome campaign preview {0}, then kakitome campaign check {0}",
                done.campaign
            ));
            text
        });
    }

    /// Previews on disk.
    pub fn previews(&self, done: &Previews) {
        self.show(done, || {
            let mut rows = table(&["account", "chosen for", "verdict", "file"]);
            for message in &done.messages {
                let verdict = match message.verdict.findings.first() {
                    None => "cleared".to_owned(),
                    Some(first) => format!("held: {} ({})", first.rule.as_str(), first.place),
                };
                let file = message.eml.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                rows.add_row([message.account.to_string(), message.why.clone(), verdict, file]);
            }
            format!("{}\nlook at {}", fitted(rows), done.index.display())
        });
    }

    /// The end of a send.
    pub fn sent(&self, done: &SendReport) {
        self.show(done, || {
            let mut text = format!(
                "campaign {} is {} at stage {}\naccepted {}  deferred {}  rejected {}  expired {}  unknown {}  held {}  suppressed {}  left {}   ({:.1} s)",
                done.campaign,
                if done.state == State::Sending { "not finished" } else { done.state.as_str() },
                done.stage,
                count(done.accepted),
                count(done.deferred),
                count(done.rejected),
                count(done.expired),
                count(done.unknown),
                count(done.held),
                count(done.suppressed),
                count(done.left),
                done.seconds
            );
            if let Some(why) = &done.why {
                text.push_str(&format!("\nstopped: {why}"));
            }
            if let Some(until_ms) = done.waits_until_ms {
                text.push_str(&format!(
                    "\nnow: it waits by itself; run `kakitome campaign send {}` again from {}, or with --wait",
                    done.campaign,
                    clock::show(until_ms)
                ));
            }
            if done.bounced > 0 {
                text.push_str(&format!(
                    "\nsuppressed {} that have no mailbox, by their servers' word: they get no mail of any campaign; `kakitome suppress list` shows them (\"hard bounce\"), `kakitome suppress remove ADDRESS…` takes off whom a server was wrong about",
                    counted(done.bounced, "address")
                ));
            }
            for Halted { receiver, said } in &done.halted {
                text.push_str(&format!(
                    "\nhalted: {receiver} refuses us as a sender ({said}). It got nothing more, and no address was suppressed for it. Mend what it names, then `kakitome campaign send {}` tries again.",
                    done.campaign
                ));
            }
            for LeftOut { relay, why } in &done.left_out {
                text.push_str(&format!(
                    "\nleft out: {relay} could not be used ({why}); the others had its share. `kakitome doctor` looks at each."
                ));
            }
            text.push_str(&unknown_hint(done.campaign, done.unknown));
            text
        });
    }

    /// A campaign's new rate.
    pub fn rate(&self, id: i64, rate: Rate) {
        let rate = rate.to_string();
        self.show(&serde_json::json!({ "campaign": id, "rate": rate }), || format!("campaign {id} is sent at {rate}"));
    }

    /// What happened to a campaign; `page`: where all of it was written to be looked at.
    pub fn report(&self, told: &CampaignReport, page: Option<&Path>) {
        self.show(told, || {
            let mut text = if page.is_some() { String::new() } else { moments(&told.moments) };
            let counts = told.totals();
            text.push_str(&format!(
                "planned {}  accepted {}  deferred {}  rejected {}  expired {}  unknown {}  held {}  suppressed {}\n",
                count(told.head.accounts),
                count(counts.accepted),
                count(counts.deferred),
                count(counts.rejected),
                count(counts.expired),
                count(counts.unknown),
                count(counts.held),
                count(counts.suppressed)
            ));
            if let Some(why) = &told.why {
                let state = told.state.as_str();
                let state = if why.starts_with(state) { String::new() } else { format!("{state}: ") };
                text.push_str(&format!("{state}{why}\n"));
            }
            if let Some(calibration) = &told.calibration {
                text.push_str(&format!("{}\n", calibration.text()));
            }
            text.push_str(&format!("ledger: {} entries, every link proven", count(told.ledger.entries)));
            if let Some(page) = page {
                text.push_str(&format!("\nlook at {}", page.display()));
            }
            text.push_str(&unknown_hint(told.head.campaign, counts.unknown));
            text
        });
    }

    /// A proven ledger.
    pub fn verified(&self, proof: &Proof) {
        let mut value = serde_json::json!(proof);
        value["verified"] = true.into();
        self.show(&value, || {
            let mut text = format!(
                "ledger: {} entries, every link proven\nproven from them: {} campaigns, {} approvals, {} messages, {} directory versions with {} accounts' rows and {} identifiers, {} suppressed addresses\nnot proven: that the newest entries are all there, or that nobody wrote the whole chain anew: keep the newest link (`campaign report` shows it) elsewhere",
                count(proof.entries),
                count(proof.campaigns),
                count(proof.approvals),
                count(proof.messages),
                count(proof.versions),
                count(proof.accounts),
                count(proof.identifiers),
                count(proof.suppressed)
            );
            if proof.versions_unproven > 0 {
                text.push_str(&format!(
                    "\nnot proven: {} directory versions imported before their key was kept; import the directory again",
                    count(proof.versions_unproven)
                ));
            }
            text
        });
    }

    /// Addresses that get no mail any more.
    pub fn added(&self, done: &Added) {
        self.show(done, || match (done.added, done.already) {
            (0, 0) => "added 0: no address is in it".to_owned(),
            (added, 0) => format!("added {}", count(added)),
            (added, already) => {
                format!("added {}; on the list before, or named twice: {}", count(added), count(already))
            }
        });
    }

    /// Addresses that may get mail again.
    pub fn removed(&self, done: &Removed) {
        self.show(done, || {
            let mut text = format!("removed {}", count(done.removed));
            if done.unsubscribed > 0 {
                text.push_str(&format!(
                    "\nnote: {} of them had unsubscribed: write to them only where they asked for it again; if not, put them back with kakitome suppress add",
                    count(done.unsubscribed)
                ));
            }
            text
        });
    }

    /// The suppression list: the operator's own, so in clear.
    pub fn suppressions(&self, list: &[Suppression]) {
        self.show(&list, || {
            let mut rows = table(&["address", "reason", "since"]);
            for entry in list {
                rows.add_row([entry.address.clone(), entry.reason.clone(), clock::show(entry.at_ms)]);
            }
            fitted(rows)
        });
    }

    /// One file's verdict: with `--json` the contract's line.
    pub fn judged(&self, judged: &Judged) {
        self.show(judged, || {
            let mut text = format!("{}: {}", judged.file, if judged.is_cleared() { "cleared" } else { "held" });
            for finding in &judged.findings {
                let kind = finding.kind.map_or("", |kind| kind.as_str());
                let owner = finding.owner.as_ref().map_or(String::new(), |owner| format!(", of account {owner}"));
                text.push_str(&format!(
                    "\n  {:<12} {kind:<12} {} {}{owner}",
                    finding.rule.as_str(),
                    finding.place,
                    finding.shown
                ));
            }
            text
        });
    }
}

/// What happened last, and how much more there is.
fn moments(all: &[Moment]) -> String {
    let (before, last) = all.split_at(all.len().saturating_sub(MOMENTS_MAX));
    let mut text = match before.len() as u64 {
        0 => String::new(),
        n => format!("{} before these: --json and --out FILE.html have all\n", counted(n, "line")),
    };
    for moment in last {
        text.push_str(&format!("{}  {}\n", clock::show(moment.at_ms), moment.what));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_story_the_end_is_told() {
        let all: Vec<Moment> = (0..23).map(|n| Moment { at_ms: n, what: format!("thing {n}") }).collect();
        let text = moments(&all);
        assert!(text.starts_with("3 lines before these") && text.lines().count() == MOMENTS_MAX + 1, "{text}");
        assert!(text.contains("thing 3\n") && !text.contains("thing 2\n"), "{text}");
        assert_eq!(moments(&all[..20]).lines().count(), 20);
    }
}
