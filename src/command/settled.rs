//! What is open, and what an operator can do about it: the texts that end in
//! `now:`.

use crate::app::campaign::control::{Status, Turned};
use crate::app::campaign::unreached::Rest;
use crate::app::evidence::reconcile::{Reconciled, WHOLE};
use crate::app::evidence::resolve::{Listed, Settled};
use crate::campaign::State;
use crate::clock;
use crate::command::print::{Printer, count};
use crate::command::table::{fitted, table};
use crate::ledger::Counts;

/// What to do about unknown messages; nothing where there are none.
pub(super) fn unknown_hint(campaign: i64, unknown: u64) -> String {
    if unknown == 0 {
        return String::new();
    }
    format!(
        "\n{} unknown: nobody knows whether they arrived, and they are not sent again by themselves\nnow: kakitome reconcile LOG (the mail server's), or kakitome campaign report {campaign} --accounts unknown and kakitome campaign settle {campaign}",
        count(unknown)
    )
}

/// What claimed messages are while nobody sends; nothing where there are none, or somebody does.
fn claimed_hint(campaign: i64, claimed: u64, sender: Option<&str>) -> String {
    if claimed == 0 || sender.is_some() {
        return String::new();
    }
    format!(
        "\n{} claimed by a process that ended before it recorded what became of them: those that may have been begun become unknown, and are not sent again by themselves; the rest is due again\nnow: kakitome reconcile LOG (the mail server's) settles them; then kakitome campaign send {campaign} goes on",
        count(claimed)
    )
}

/// What the check found, of a campaign that is not sent yet, and what to do about it.
fn check_hint(status: &Status) -> String {
    let (id, counts) = (status.campaign, &status.counts);
    let shown = format!(
        "kakitome campaign report {id} --accounts held says by which rule and where, kakitome campaign preview {id} --account KEY shows one"
    );
    let held = count(counts.held);
    match status.state {
        State::Frozen if counts.planned > 0 => format!("\nnot checked yet\nnow: kakitome campaign check {id}"),
        State::Frozen if counts.held == 0 => format!(
            "\nthe check did not come to its end, or its drill did not pass; nothing was sent\nnow: kakitome campaign check {id}"
        ),
        State::Frozen => format!(
            "\nthe check held {held}: the campaign cannot be approved, and nothing was sent\nnow: {shown}; mend the template, the audience or the directory, freeze it again with kakitome campaign new, and check that"
        ),
        State::Checked | State::Approved if counts.held > 0 => {
            format!("\nthe check held {held}: they are not sent; held_max lets the others go\nnow: {shown}")
        }
        State::Checked | State::Approved | State::Sending | State::Paused | State::Halted | State::Finished => {
            String::new()
        }
    }
}

/// Where a campaign stands, in words: a state that says "sending" while nobody
/// sends says so.
pub(super) fn standing(campaign: i64, state: State, sender: Option<&str>) -> String {
    match (state, sender) {
        (State::Sending, None) => {
            format!("open for sending, and no process sends it\nnow: kakitome campaign send {campaign}")
        }
        (State::Sending, Some(sender)) => format!("sending, by {sender}"),
        (_, Some(sender)) => format!("{}; {sender} is ending what it sent", state.as_str()),
        (_, None) => state.as_str().to_owned(),
    }
}

impl Printer {
    /// Where a campaign stands.
    pub fn status(&self, status: &Status) {
        self.show(status, || {
            let mut rows = table(&[
                "stage",
                "waiting",
                "claimed",
                "accepted",
                "deferred",
                "rejected",
                "expired",
                "unknown",
                "held",
                "suppressed",
            ]);
            for (name, counts) in &status.stages {
                rows.add_row(row(name, counts));
            }
            rows.add_row(row("all", &status.counts));
            let (id, sender) = (status.campaign, status.sender.as_deref());
            let (standing, claimed) =
                (standing(id, status.state, sender), claimed_hint(id, status.counts.claimed, sender));
            // What is claimed comes before what is to be sent.
            let standing = if claimed.is_empty() { &standing } else { standing.lines().next().unwrap_or_default() };
            format!(
                "campaign {id} {:?} (revision {}) is {standing}\n{}{}{claimed}{}{}",
                status.name,
                status.revision,
                fitted(rows),
                status.waits.iter().map(|why| format!("\nwhy: {why}")).collect::<String>(),
                check_hint(status),
                unknown_hint(status.campaign, status.counts.unknown)
            )
        });
    }

    /// A campaign's state, and whether it was so already.
    pub fn turned(&self, turned: &Turned) {
        self.show(turned, || {
            let Turned { campaign, state, already } = turned;
            let already = match (already, state) {
                (false, _) => "",
                (true, State::Sending) => "nothing to do: it is not paused\n",
                (true, _) => "nothing to do: it was so already\n",
            };
            format!("{already}campaign {campaign} is {}", standing(*campaign, *state, None))
        });
    }

    /// Every campaign.
    pub fn list(&self, list: &[Status]) {
        self.show(&list, || {
            let mut rows = table(&["campaign", "name", "revision", "state", "planned", "accepted", "held"]);
            for status in list {
                rows.add_row([
                    status.campaign.to_string(),
                    status.name.clone(),
                    status.revision.to_string(),
                    match (status.state, &status.sender) {
                        (State::Sending, None) => "open, sent by nobody".into(),
                        (state, _) => state.as_str().into(),
                    },
                    count(status.planned),
                    count(status.counts.accepted),
                    count(status.counts.held),
                ]);
            }
            fitted(rows)
        });
    }

    /// What was settled.
    pub fn settled(&self, done: &Settled) {
        self.show(done, || line(done));
    }

    /// What a log settled.
    pub fn reconciled(&self, done: &Reconciled) {
        self.show(done, || {
            let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "?".into());
            let mut text = format!("{} lines, from {} to {}", count(done.lines), time(&done.from), time(&done.to));
            for settled in &done.campaigns {
                text.push_str(&format!("\n{}", line(settled)));
            }
            if done.campaigns.is_empty() {
                text.push_str("\nno message of any campaign is unknown");
            }
            if done.unseen > 0 {
                text.push_str(&format!("\n{} of them the log does not show as taken over\n", count(done.unseen)));
                text.push_str(&match &done.gap {
                    Some(why) => format!("that does not prove that they never came: {why}\nnow: {WHOLE}"),
                    None => format!("now: --retry-unseen {} sends them again", done.unseen),
                });
            }
            text
        });
    }

    /// An audience of those whom a campaign did not reach.
    pub fn rest(&self, done: &Rest) {
        self.show(done, || {
            let Rest { campaign, accounts, file, counts } = done;
            let file = file.display();
            let mut text = format!(
                "{file}: {} accounts that campaign {campaign} did not reach\nnot among them: accepted {}, rejected {}, expired {}, suppressed {}",
                count(*accounts),
                count(counts.accepted),
                count(counts.rejected),
                count(counts.expired),
                count(counts.suppressed)
            );
            let open = counts.unknown + counts.claimed;
            if open > 0 {
                text.push_str(&format!(", and {} of which nobody knows whether they arrived", count(open)));
            }
            text.push_str(&format!(
                "\nnow: name {file} as the audience in a campaign file with another name, and freeze that with kakitome campaign new"
            ));
            text
        });
    }

    /// Messages in one state: their accounts and Message-IDs, a line each, and why they are held.
    pub fn listed(&self, list: &[Listed]) {
        self.show(&list, || {
            let lines = list.iter().map(|one| {
                let reply = one.reply.as_deref().unwrap_or_default();
                let found: Vec<String> =
                    one.findings.iter().map(|found| format!("{} ({})", found.rule.as_str(), found.place)).collect();
                let since = clock::show(one.since_ms);
                format!("{}  {}  {}  {since}  {reply}{}", one.account, one.message_id, one.stage, found.join(", "))
            });
            if list.is_empty() { "none".into() } else { lines.collect::<Vec<_>>().join("\n") }
        });
    }
}

fn line(done: &Settled) -> String {
    let is_halted = done.state == State::Halted;
    if done.accepted + done.rejected + done.retry + done.unknown == 0 {
        let claimed = match done.claimed {
            0 => String::new(),
            n => format!(
                "; {} are claimed; those that may have been begun are unknown once their process has ended and kakitome reconcile LOG, or campaign send, has looked at them",
                count(n)
            ),
        };
        return format!("campaign {}: nothing was settled: none of its messages is unknown{claimed}", done.campaign);
    }
    let mut text = format!(
        "campaign {}: {} settled as accepted, {} as rejected, {} {}; {} unknown",
        done.campaign,
        count(done.accepted),
        count(done.rejected),
        count(done.retry),
        if is_halted { "as not arrived" } else { "to be sent again" },
        count(done.unknown)
    );
    if done.suppressed > 0 {
        text.push_str(&format!("; suppressed {} that have no mailbox", count(done.suppressed)));
    }
    if done.unknown == 0 && done.accepted + done.rejected + done.retry > 0 {
        text.push_str(&match is_halted {
            true => {
                format!("\nnow: kakitome campaign rest {} --out FILE.csv writes whom it did not reach", done.campaign)
            }
            false => format!("\nnow: kakitome campaign send {}", done.campaign),
        });
    }
    text
}

fn row(name: &str, counts: &Counts) -> Vec<String> {
    let numbers = [
        counts.planned + counts.checked,
        counts.claimed,
        counts.accepted,
        counts.deferred,
        counts.rejected,
        counts.expired,
        counts.unknown,
        counts.held,
        counts.suppressed,
    ];
    std::iter::once(name.to_owned()).chain(numbers.into_iter().map(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_of_nothing_says_why() {
        let told = |unknown, claimed| {
            let state = State::Sending;
            line(&Settled { campaign: 7, state, accepted: 0, rejected: 0, retry: 0, unknown, claimed, suppressed: 0 })
        };
        assert_eq!(told(0, 0), "campaign 7: nothing was settled: none of its messages is unknown");
        assert!(told(0, 3).contains("; 3 are claimed") && told(2, 0).ends_with("; 2 unknown"));
    }

    #[test]
    fn claims_of_nobody_are_explained_and_those_of_a_sender_are_not() {
        let told = claimed_hint(7, 1_200, None);
        assert!(told.contains("1,200 claimed by a process that ended"), "{told}");
        assert!(told.contains("now: kakitome reconcile LOG") && told.ends_with("campaign send 7 goes on"), "{told}");
        assert_eq!(claimed_hint(7, 1_200, Some("host 12")), "");
        assert_eq!(claimed_hint(7, 0, None), "");
    }
}
