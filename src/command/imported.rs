//! A directory version as people read it: what is in it, what is another than
//! before, and which campaigns that concerns.

use crate::campaign::State;
use crate::clock;
use crate::command::print::{Printer, count};
use crate::pipeline::import::{Columns, Imported, UnderWay};
use crate::store::Version;

impl Printer {
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
            text.push_str(&columns(&done.columns));
            text.extend(done.under_way.iter().map(under_way));
            text
        });
    }

    /// The current directory version.
    pub fn version(&self, version: &Version) {
        let value = serde_json::json!({ "version": version.number, "accounts": version.accounts, "identifiers": version.identifiers, "imported_ms": version.imported_ms });
        self.show(&value, || {
            format!(
                "directory version {} of {}: {} accounts, {} identifiers",
                version.number,
                clock::show(version.imported_ms),
                count(version.accounts),
                count(version.identifiers)
            )
        });
    }
}

/// A line about columns; nothing where they are the same.
fn columns(columns: &Columns) -> String {
    let told = [("added", &columns.added), ("removed", &columns.removed), ("read otherwise", &columns.changed)];
    let told = told.iter().filter(|(_, names)| !names.is_empty());
    let told: Vec<String> = told.map(|(what, names)| format!("{what} {}", names.join(", "))).collect();
    if told.is_empty() { String::new() } else { format!("\ncolumns: {}", told.join("; ")) }
}

fn under_way(UnderWay { campaign, state }: &UnderWay) -> String {
    match state {
        State::Checked | State::Approved => format!(
            "\nnote: campaign {campaign} was checked by a version before; run `kakitome campaign check {campaign}` again: a message that is another now is held when it is to be sent, and halts the campaign"
        ),
        State::Frozen | State::Sending | State::Paused | State::Halted | State::Finished => format!(
            "\nnote: campaign {campaign} is {}, checked by a version before: what it has still to send is judged by this one, and a message that is another now is held and halts the campaign",
            state.as_str()
        ),
    }
}
