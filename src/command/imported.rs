//! A directory version as people read it: what is in it, what is another than
//! before, and which campaigns that concerns.

use crate::app::directory::calibrate::Calibrated;
use crate::app::directory::columns::GuessedColumns;
use crate::app::directory::import::{Columns, Imported, UnderWay};
use crate::campaign::State;
use crate::clock;
use crate::command::print::{Printer, count};
use crate::guard::calibrate::{Calibration, Column};
use crate::store::Version;

impl Printer {
    /// A guessed configuration: text for kakitome.toml.
    pub fn columns(&self, guessed: &GuessedColumns) {
        self.show(guessed, || guessed.toml());
    }

    /// A new directory version.
    pub fn imported(&self, done: &Imported) {
        self.show(done, || {
            let mut text = format!(
                "directory version {}: {} accounts, {} identifiers, in {:.1} s\n{} new, {} gone; changed: {} addresses, {} names, {} sets of domains, {} accounts in other columns alone",
                done.version,
                count(done.accounts),
                count(done.identifiers),
                done.seconds,
                count(done.new),
                count(done.gone),
                count(done.changed_address),
                count(done.changed_name),
                count(done.changed_domains),
                count(done.changed_other),
            );
            text.push_str(&calibration(&done.calibration));
            text.push_str(&columns(&done.columns));
            text.push_str(&under_way(&done.under_way));
            text
        });
    }

    /// The current directory version.
    pub fn version(&self, version: &Version) {
        let calibrated = version.calibration.as_deref().and_then(Calibrated::from_json);
        let value = serde_json::json!({ "version": version.number, "accounts": version.accounts, "identifiers": version.identifiers, "imported_ms": version.imported_ms, "calibration": calibrated });
        self.show(&value, || {
            let said = calibrated
                .as_ref()
                .map_or_else(|| "\ncalibration: not known; run `kakitome directory calibrate`".to_owned(), calibration);
            format!(
                "directory version {} of {}: {} accounts, {} identifiers{said}",
                version.number,
                clock::show(version.imported_ms),
                count(version.accounts),
                count(version.identifiers)
            )
        });
    }

    /// What calibration found, column by column.
    pub fn calibrated(&self, found: &Calibration) {
        self.show(found, || {
            let line = |column: &Column| {
                let Column { column, kind, tried, found, own_held, ordinary, missed } = column;
                let examples = missed
                    .iter()
                    .take(EXAMPLES_MAX)
                    .map(|missed| format!("\n    {} as {:?}, in {:?}", missed.shown, missed.spelling, missed.view));
                let held =
                    if *own_held > 0 { format!(", {} of its own held", count(*own_held)) } else { String::new() };
                let held = match ordinary {
                    0 => held,
                    some => format!("{held}; {} too short or too common to be told from prose", count(*some)),
                };
                let told = format!("{column} ({kind}): {} of {} found{held}", count(*found), count(*tried));
                told + &examples.collect::<String>()
            };
            found.columns.iter().map(line).collect::<Vec<_>>().join("\n")
        });
    }
}

/// Missed values of one column that are shown.
const EXAMPLES_MAX: usize = 5;

/// A line about the calibration of a version.
fn calibration(calibrated: &Calibrated) -> String {
    let (tried, found, held) = calibrated.found.totals();
    let mut text = format!("\ncalibration: {} of {} planted values found", count(found), count(tried));
    if held > 0 {
        text.push_str(&format!(", {} held from their own account", count(held)));
    }
    for gap in calibrated.found.gaps() {
        text.push_str(&format!("\n  {gap}"));
    }
    if let Some(accepted) = &calibrated.accepted {
        text.push_str(&format!("\n  accepted by {}: {}", accepted.by, accepted.reason));
    }
    for note in &calibrated.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    text
}

/// A line about columns; nothing where they are the same.
fn columns(columns: &Columns) -> String {
    let told = [("added", &columns.added), ("removed", &columns.removed), ("read otherwise", &columns.changed)];
    let told = told.iter().filter(|(_, names)| !names.is_empty());
    let told: Vec<String> = told.map(|(what, names)| format!("{what} {}", names.join(", "))).collect();
    if told.is_empty() { String::new() } else { format!("\ncolumns: {}", told.join("; ")) }
}

/// A line about campaigns that are still to be sent, and one about those that are on their
/// way; nothing where there are none.
fn under_way(open: &[UnderWay]) -> String {
    let numbers = |of: &[State]| {
        let of = open.iter().filter(|one| of.contains(&one.state));
        of.map(|one| one.campaign.to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    let checked = numbers(&[State::Checked, State::Approved]);
    if !checked.is_empty() {
        text.push_str(&format!("\nnote: checked by a version before: {checked}; run `kakitome campaign check` for each again before it is sent: a message that is another now would be held, and halt it"));
    }
    let sent = numbers(&[State::Sending, State::Paused]);
    if !sent.is_empty() {
        text.push_str(&format!("\nnote: on their way, checked by a version before: {sent}; what they have still to send is judged by this one, and a message that is another now is held and halts its campaign"));
    }
    text
}
