//! One function per log event, so that every line of one kind has the same
//! name and fields. `event` is the name that collectors filter on; it is a
//! contract. Levels: `info` for the course of things, `warn` for what somebody
//! should look at, `error` for what stopped.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::account::AccountId;
use crate::dns::Unanswered;
use crate::guard::Rule;
use crate::ledger::{Counts, Outcome};
use crate::stage::DrillSummary;
use crate::units::Rate;

/// A directory version became current.
pub fn directory_imported(version: i64, accounts: u64, identifiers: u64) {
    info!(event = "directory_imported", version, accounts, identifiers, "the directory has a new version");
}

/// An import was refused; the version before stays current.
pub fn import_refused(why: &str) {
    warn!(event = "import_refused", why = %clean(why), "the import was refused; the directory is as it was");
}

/// The guard's index cannot be used as it is and is built; `usual` when it is only
/// missing or old.
pub fn index_refused(why: &dyn std::error::Error, usual: bool) {
    let why = why.to_string();
    if usual {
        info!(event = "index_refused", why = %clean(&why), "the guard's index is built from the store");
    } else {
        warn!(event = "index_refused", why = %clean(&why), "the guard's index is built again from the store");
    }
}

/// The guard's index was built.
pub fn index_built(version: i64, identifiers: u64, took: Duration) {
    let took_ms = took.as_millis() as u64;
    info!(event = "index_built", version, identifiers, took_ms, "the guard's index is built");
}

/// The guard's index was brought up to date by what the directory has gained.
pub fn index_extended(from: i64, version: i64, gained: u64) {
    info!(event = "index_extended", from, version, gained, "the guard's index is extended in memory");
}

/// The guard's index could not be built; the next command tries again.
pub fn index_not_built(why: &dyn std::error::Error) {
    warn!(event = "index_not_built", why = %clean(&why.to_string()), "the guard's index was not built");
}

/// An import was taken although it failed acceptance.
pub fn import_overridden(version: i64, reason: &str) {
    warn!(event = "import_overridden", version, reason = %clean(reason), "an operator overrode the import's refusal");
}

/// This process began to send a campaign: as its holder, who asks the gates, or
/// beside one.
pub fn work_begun(campaign: i64, is_holder: bool) {
    info!(event = "work_begun", campaign, holder = is_holder, "this worker sends a campaign");
}

/// This process's part of a campaign is over.
pub fn work_ended(campaign: i64, why: &str) {
    info!(event = "work_ended", campaign, why = %clean(why), "this worker's part of a campaign is over");
}

/// This process's part of a campaign failed; it tries again.
pub fn work_failed(campaign: i64, why: &dyn std::error::Error) {
    warn!(event = "work_failed", campaign, why = %clean(&why.to_string()), "this worker's part of a campaign failed");
}

/// A revision was frozen.
pub fn campaign_frozen(campaign: i64, revision: i64, accounts: u64) {
    info!(event = "campaign_frozen", campaign, revision, accounts, "the campaign is frozen");
}

/// The dry run is over.
pub fn check_finished(campaign: i64, cleared: u64, held: u64, suppressed: u64, took: Duration) {
    let took_ms = took.as_millis() as u64;
    if held == 0 {
        info!(event = "check_finished", campaign, cleared, held, suppressed, took_ms, "the check found nothing");
    } else {
        warn!(event = "check_finished", campaign, cleared, held, suppressed, took_ms, "the check held messages");
    }
}

/// The drill is over.
pub fn drill_finished(campaign: i64, drill: DrillSummary) {
    let DrillSummary { swapped, held, vacuous } = drill;
    let missed = drill.missed();
    if missed > 0 {
        error!(event = "drill_finished", campaign, swapped, held, vacuous, missed, "the drill failed");
    } else {
        info!(event = "drill_finished", campaign, swapped, held, vacuous, missed, "the drill passed");
    }
}

/// Somebody signed the campaign.
pub fn campaign_approved(campaign: i64) {
    info!(event = "campaign_approved", campaign, "the campaign is approved");
}

/// A check found something else than what was approved.
pub fn approvals_withdrawn(campaign: i64, approvals: u64) {
    warn!(
        event = "approvals_withdrawn",
        campaign, approvals, "what was approved has changed; nobody has approved this"
    );
}

/// A stage opened.
pub fn stage_opened(campaign: i64, stage: &str, messages: u64) {
    info!(event = "stage_opened", campaign, stage, messages, "the stage is open");
}

/// A stage's messages all have an outcome, or a time to be tried again.
pub fn stage_finished(campaign: i64, stage: &str, counts: &Counts) {
    let Counts { accepted, deferred, rejected, expired, unknown, held, suppressed, .. } = *counts;
    info!(
        event = "stage_finished",
        campaign, stage, accepted, deferred, rejected, expired, unknown, held, suppressed, "the stage is through"
    );
}

/// A gate did not open yet.
pub fn gate_waits(campaign: i64, stage: &str, why: &str) {
    info!(event = "gate_waits", campaign, stage, why = %clean(why), "the gate waits");
}

/// The guard refused a message. What it found is in the report, not here.
pub fn message_held(campaign: i64, account: &AccountId, rules: &[Rule]) {
    let rules: BTreeSet<Rule> = rules.iter().copied().collect();
    let rules: Vec<_> = rules.into_iter().map(Rule::as_str).collect();
    warn!(event = "message_held", campaign, %account, rules = rules.join(","), "the guard held a message");
}

/// One attempt ended. The server's words are in the ledger, not here.
pub fn attempt_ended(campaign: i64, account: &AccountId, outcome: &Outcome) {
    let (state, code) = (outcome.state().as_str(), outcome.reply().code);
    match outcome {
        Outcome::Accepted(_) => debug!(event = "attempt_ended", campaign, %account, state, code, "accepted"),
        Outcome::Deferred(_) => info!(event = "attempt_ended", campaign, %account, state, code, "deferred"),
        Outcome::Rejected(_) => warn!(event = "attempt_ended", campaign, %account, state, code, "rejected"),
        Outcome::Unknown(_) => warn!(event = "attempt_ended", campaign, %account, state, code, "unknown"),
    }
}

/// An operator gave the campaign another rate.
pub fn rate_asked(campaign: i64, rate: Rate) {
    info!(event = "rate_asked", campaign, %rate, "the campaign has another rate");
}

/// A process that sends goes on at another rate.
pub fn rate_changed(campaign: i64, rate: Rate) {
    info!(event = "rate_changed", campaign, %rate, "what follows is sent at another rate");
}

/// Nothing is sent until the hour, the day, a soak or a deferral allows it.
pub fn sending_waits(campaign: i64, why: &str) {
    info!(event = "sending_waits", campaign, why = %clean(why), "nothing is sent for now");
}

/// The DNS does not say who takes domains' mail: for a while each is a receiver by itself,
/// and limits that were set for several together do not hold.
pub fn dns_rests(why: &Unanswered, rest: Duration) {
    error!(
        event = "dns_rests",
        %why,
        rest_s = rest.as_secs(),
        "the resolver does not answer: domains are counted each by itself, and the limits of receivers by mx do not hold"
    );
}

/// A mail server lets nobody in so far: it refuses nothing, and says nothing.
pub fn greeting_late(relay: &str, waited: Duration, wait: Duration) {
    error!(
        event = "greeting_late",
        relay,
        waited_s = waited.as_secs(),
        wait_s_max = wait.as_secs(),
        "the mail server has not greeted for {} s: each connection waits for that, up to {} s, and then tries again",
        waited.as_secs(),
        wait.as_secs()
    );
}

/// A mail server could not be connected to, or dropped a new connection.
pub fn relay_left_out(relay: &str, why: &str) {
    warn!(
        event = "relay_left_out",
        relay,
        why = %clean(why),
        "a mail server cannot be used: it is left out for a while that doubles each time, and tried again"
    );
}

/// It can be connected to again.
pub fn relay_back(relay: &str) {
    info!(event = "relay_back", relay, "a mail server that was left out can be used again");
}

/// A receiver said that we are too fast. One that no table names may be a
/// customer's own domain, and is not named here either.
pub fn receiver_slowed(receiver: &str, code: u16) {
    warn!(
        event = "receiver_slowed",
        receiver, code, "a receiver asked for less: it gets half of its rate, and more again by and by"
    );
}

/// A receiver refuses us as a sender, and gets nothing more in this run. What
/// `campaign send` prints says which it is.
pub fn receiver_halted(receiver: &str, said: &str) {
    error!(event = "receiver_halted", receiver, said = %clean(said), "a receiver refuses us as a sender: it gets nothing more in this run");
}

/// So many messages were deferred until their lifetime was over.
pub fn messages_expired(campaign: i64, messages: u64) {
    warn!(event = "messages_expired", campaign, messages, "messages were deferred until their lifetime was over");
}

/// So many addresses bounced, and get no more mail.
pub fn bounces_suppressed(campaign: i64, addresses: u64) {
    warn!(event = "bounces_suppressed", campaign, addresses, "addresses without a mailbox get no more mail");
}

/// So many claims of a process that died had not been begun.
pub fn claims_freed(campaign: i64, messages: u64) {
    info!(
        event = "claims_freed",
        campaign, messages, "messages that a dead process had claimed and not begun are due again"
    );
}

/// So many claims of a process that died are now unknown.
pub fn claims_recovered(campaign: i64, unknown: u64) {
    warn!(
        event = "claims_recovered",
        campaign,
        unknown,
        "messages of a process that died are unknown: look for their Message-IDs in the mail server's log"
    );
}

/// A new directory version came while the campaign was being sent.
pub fn directory_renewed(campaign: i64, version: i64) {
    info!(event = "directory_renewed", campaign, version, "what follows is judged by the new directory version");
}

/// An operator paused the campaign.
pub fn campaign_paused(campaign: i64) {
    info!(event = "campaign_paused", campaign, "the campaign is paused");
}

/// An operator let the campaign go on.
pub fn campaign_resumed(campaign: i64) {
    info!(event = "campaign_resumed", campaign, "the campaign goes on");
}

/// The campaign stopped for good.
pub fn campaign_halted(campaign: i64, why: &str) {
    error!(event = "campaign_halted", campaign, why = %clean(why), "the campaign is halted");
}

/// An operator stopped the campaign for good: what was asked for, no failure.
pub fn campaign_halted_by_operator(campaign: i64) {
    info!(event = "campaign_halted", campaign, why = "by an operator", "the campaign is halted");
}

/// So many unknown messages were settled.
pub fn unknown_settled(campaign: i64, messages: u64, state: &str) {
    info!(event = "unknown_settled", campaign, messages, state, "unknown messages were settled");
}

/// Every message has a final state.
pub fn campaign_finished(campaign: i64) {
    info!(event = "campaign_finished", campaign, "the campaign is finished");
}

/// Addresses were added to the suppression list, or taken from it.
pub fn suppression_changed(added: u64, removed: u64) {
    info!(event = "suppression_changed", added, removed, "the suppression list has changed");
}

/// Somebody used the link in a message to get no more mail.
pub fn unsubscribed(campaign: i64, account: &AccountId) {
    info!(event = "unsubscribed", campaign, %account, "the account unsubscribed");
}

/// A link could not be answered, because the store failed.
pub fn link_failed(why: &dyn std::error::Error) {
    error!(event = "link_failed", why = %clean(&why.to_string()), "a link in a message was not answered; nothing was changed");
}

/// Another process is sending this campaign.
pub fn send_refused(campaign: i64, holder: &str) {
    warn!(event = "send_refused", campaign, holder = %clean(holder), "another process is sending this campaign");
}

/// The ledger could not be written: sending stops.
pub fn ledger_failed(campaign: i64, why: &str) {
    error!(event = "ledger_failed", campaign, why = %clean(why), "the ledger cannot be written; sending stops");
}

/// The ledger was proven.
pub fn ledger_verified(entries: u64) {
    info!(event = "ledger_verified", entries, "the ledger is whole");
}

/// The ledger's chain is broken.
pub fn ledger_broken(seq: i64, why: &str) {
    error!(event = "ledger_broken", seq, why = %clean(why), "the ledger is broken");
}

/// Metrics and health are being served.
pub fn serving(address: SocketAddr) {
    info!(event = "serving", %address, "serving /metrics and /healthz");
}

/// The links in messages are being answered.
pub fn serving_links(address: SocketAddr) {
    info!(event = "serving_links", %address, "answering the links in messages");
}

/// A reason in one line, without what may be an address: every word with an
/// `@` in it is taken out.
fn clean(text: &str) -> Cow<'_, str> {
    let is_at = |c: char| matches!(c, '@' | '\u{ff20}' | '\u{fe6b}');
    if !text.contains(|c: char| is_at(c) || c.is_control()) {
        return Cow::Borrowed(text);
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(|word| if word.contains(is_at) { "[address]" } else { word }).collect();
    Cow::Owned(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Reply;
    use crate::telemetry::tests::logged;

    fn account() -> AccountId {
        AccountId::new("10000001").unwrap()
    }

    #[test]
    fn a_held_message_is_logged_with_its_account_and_rules_each_once() {
        let rules = [Rule::LinkToken, Rule::Foreign, Rule::LinkToken];
        let line = &logged("info", || message_held(7, &account(), &rules))[0];
        assert_eq!(line["event"], "message_held");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["account"], "10000001");
        assert_eq!(line["rules"], "foreign,link-token");
        assert_eq!(line["campaign"], 7);
    }

    #[test]
    fn what_a_server_said_is_not_logged() {
        let reply = Reply { code: 550, text: "no such user taro@mail.example".into() };
        let line = logged("info", || attempt_ended(7, &account(), &Outcome::Rejected(reply)))[0].to_string();
        assert!(line.contains("550") && line.contains("rejected"), "{line}");
        assert!(!line.contains("taro") && !line.contains("such user"), "{line}");
    }

    #[test]
    fn accepted_messages_are_too_many_for_the_usual_level() {
        let accepted = || attempt_ended(7, &account(), &Outcome::Accepted(Reply { code: 250, text: String::new() }));
        assert!(logged("info", accepted).is_empty());
        assert_eq!(logged("debug", accepted).len(), 1);
    }

    #[test]
    fn reasons_lose_addresses_and_line_breaks() {
        let why = "line 3: <taro@mail.example> stands twice,\r\nand 花子＠mail.example too\u{1b}[31m";
        let line = &logged("info", || import_refused(why))[0];
        assert_eq!(line["why"], "line 3: [address] stands twice, and [address] too [31m");
        assert_eq!(clean("5 accounts are missing"), "5 accounts are missing");
    }

    #[test]
    fn a_drill_that_missed_is_an_error_and_held_messages_are_a_warning() {
        let level = |call: &dyn Fn()| logged("info", call)[0]["level"].clone();
        assert_eq!(level(&|| drill_finished(1, DrillSummary { swapped: 2, held: 2, vacuous: 0 })), "INFO");
        assert_eq!(level(&|| drill_finished(1, DrillSummary { swapped: 2, held: 1, vacuous: 0 })), "ERROR");
        assert_eq!(level(&|| check_finished(1, 5, 0, 0, Duration::ZERO)), "INFO");
        assert_eq!(level(&|| check_finished(1, 4, 1, 0, Duration::ZERO)), "WARN");
    }
}
