//! A check and an approval as people and programs read them.

use crate::app::campaign::approve::Approved;
use crate::app::campaign::check::CheckReport;
use crate::command::out::talk;
use crate::command::print::{Printer, count};
use crate::command::table::{fitted, table};
use crate::guard::stream::TOKENS_MAX;
use crate::report::CalibrationReport;

impl Printer {
    /// A finished check.
    pub fn checked(&self, found: &CheckReport) {
        tell_of_approvals_and_tokens(found);
        self.show(found, || {
            let mut text = format!(
                "planned {}  cleared {}  held {}  suppressed {}   ({:.1} s{})\n",
                count(found.planned),
                count(found.cleared),
                count(found.held),
                count(found.suppressed),
                found.seconds,
                // Where every row was held already, none was judged.
                match found.messages_per_second as u64 {
                    0 => String::new(),
                    rate => format!(", {} messages/s", count(rate)),
                }
            );
            for (rule, n) in &found.findings_by_rule {
                text.push_str(&format!("  {rule:<12} {}\n", count(*n)));
            }
            let drill = &found.drill;
            text.push_str(&format!(
                "drill: {} swapped messages, {} held, {} showed nothing identifying",
                count(drill.swapped),
                count(drill.held),
                count(drill.vacuous)
            ));
            text.push_str(&calibration(found.calibration.as_ref()));
            if !found.first.is_empty() {
                let mut rows = table(&["account", "rule", "kind", "where", "shown", "owner"]);
                for (account, finding) in found.first.iter().take(10) {
                    rows.add_row([
                        account.to_string(),
                        finding.rule.as_str().into(),
                        finding.kind.map_or("", |kind| kind.as_str()).into(),
                        finding.place.clone(),
                        finding.shown.clone(),
                        finding.owner.as_ref().map_or(String::new(), ToString::to_string),
                    ]);
                }
                text.push_str(&format!(
                    "\n{}\nNothing was sent. Mend the template or the audience, freeze it again and check that.",
                    fitted(rows)
                ));
            } else {
                text.push_str(&format!(
                    "\nset of digests {}\nnow: kakitome campaign approve {} --by NAME",
                    &found.digest[..16],
                    found.campaign
                ));
            }
            text
        });
    }

    /// An approval.
    pub fn approved(&self, done: &Approved) {
        if !done.asking.is_empty() {
            let stages = done.asking.join(", ");
            talk(&format!("kakitome: the author approved; before stage {stages} somebody else must, too"));
        }
        self.show(done, || {
            format!(
                "campaign {} approved by {}: {} messages, digest {}{}\nnow: kakitome campaign send {}",
                done.campaign,
                done.by,
                count(done.messages),
                &done.digest[..16],
                calibration(done.calibration.as_ref()),
                done.campaign
            )
        });
    }
}

/// What is said beside a check's result: approvals that do not hold any more, and tokens that
/// were too many.
fn tell_of_approvals_and_tokens(found: &CheckReport) {
    if found.withdrawn > 0 {
        talk(&format!(
            "kakitome: {} withdrawn: they signed something else than this check found; approve campaign {} anew",
            if found.withdrawn == 1 { "1 approval".into() } else { format!("{} approvals", found.withdrawn) },
            found.campaign
        ));
    }
    if found.forgot_tokens {
        talk(&format!(
            "kakitome: the messages have more than {} opaque tokens (16 characters or more, in links and headers): of messages far apart it was not looked whether they share one",
            count(TOKENS_MAX as u64)
        ));
    }
}

/// A line on the calibration of the directory version that was checked against.
fn calibration(found: Option<&CalibrationReport>) -> String {
    let unknown = || "calibration: not known; import the directory again".to_owned();
    format!("\n{}", found.map_or_else(unknown, CalibrationReport::text))
}
