//! Metrics for Prometheus. The help of each says what a high value calls for.
//!
//! Input: what the pipeline counts. Output: the text exposition format
//! ([`Metrics::text`]). Units are in the names. Labels are outcome, rule and
//! result: words of ours, never accounts, domains or anything else that grows.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::error::{Error, Result};
use crate::guard::Rule;
use crate::ledger::Outcome;

/// Every metric of one process; clones share the same numbers.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    attempts: IntCounterVec,
    judged: IntCounter,
    held: IntCounterVec,
    judge_seconds: Histogram,
    drill_missed: IntCounter,
    queue_depth: IntGauge,
    rate_limit: IntGauge,
    relay_up: IntGaugeVec,
    import_rows: IntCounterVec,
    directory_version: IntGauge,
    halts: IntCounter,
    unsubscribes: IntCounterVec,
    views: IntCounterVec,
}

/// How a line of an import fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Read and taken.
    Taken,
    /// Refused by itself.
    Refused,
}

/// How a request to unsubscribe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsubscribe {
    /// The address gets no more mail.
    Taken,
    /// It got none already.
    Repeated,
    /// The link is none of ours; nothing was changed.
    Refused,
    /// The store failed; nothing was changed.
    Failed,
}

/// How a request to see a message in a browser ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// It was shown.
    Shown,
    /// It would be another message by now.
    Gone,
    /// The link is none of ours, or of no message that was cleared.
    Unknown,
    /// The store failed, or the message could not be made.
    Failed,
}

impl Metrics {
    /// All metrics at zero, every outcome and rule already listed.
    ///
    /// # Errors
    /// Two metrics have one name (exit 1): a defect.
    pub fn new() -> Result<Self> {
        Self::register().map_err(|e| Error::unexpected("cannot set up metrics").cause(&e))
    }

    fn register() -> std::result::Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let made = Self {
            attempts: add(&registry, IntCounterVec::new(Opts::new("kakitome_attempts_total", ATTEMPTS), &["outcome"]))?,
            judged: add(&registry, IntCounter::new("kakitome_judged_total", JUDGED))?,
            held: add(&registry, IntCounterVec::new(Opts::new("kakitome_held_total", HELD), &["rule"]))?,
            judge_seconds: add(&registry, seconds("kakitome_render_and_judge_seconds", JUDGE_SECONDS, &JUDGE_BUCKETS))?,
            drill_missed: add(&registry, IntCounter::new("kakitome_drill_missed_total", DRILL_MISSED))?,
            queue_depth: add(&registry, IntGauge::new("kakitome_queue_depth", QUEUE_DEPTH))?,
            rate_limit: add(&registry, IntGauge::new("kakitome_rate_limit_per_second", RATE_LIMIT))?,
            relay_up: add(&registry, IntGaugeVec::new(Opts::new("kakitome_relay_up", RELAY_UP), &["relay"]))?,
            import_rows: add(
                &registry,
                IntCounterVec::new(Opts::new("kakitome_import_rows_total", IMPORT_ROWS), &["result"]),
            )?,
            directory_version: add(&registry, IntGauge::new("kakitome_directory_version", DIRECTORY_VERSION))?,
            halts: add(&registry, IntCounter::new("kakitome_halts_total", HALTS))?,
            unsubscribes: add(
                &registry,
                IntCounterVec::new(Opts::new("kakitome_unsubscribes_total", UNSUBSCRIBES), &["result"]),
            )?,
            views: add(&registry, IntCounterVec::new(Opts::new("kakitome_views_total", VIEWS), &["result"]))?,
            registry,
        };
        // A series that appears only with its first event cannot be alerted on.
        for outcome in ["accepted", "deferred", "rejected", "unknown"] {
            made.attempts.with_label_values(&[outcome]);
        }
        for rule in Rule::ALL {
            made.held.with_label_values(&[rule.as_str()]);
        }
        for row in [Row::Taken, Row::Refused] {
            made.import_rows.with_label_values(&[row.as_str()]);
        }
        for ended in [Unsubscribe::Taken, Unsubscribe::Repeated, Unsubscribe::Refused, Unsubscribe::Failed] {
            made.unsubscribes.with_label_values(&[ended.as_str()]);
        }
        for ended in [View::Shown, View::Gone, View::Unknown, View::Failed] {
            made.views.with_label_values(&[ended.as_str()]);
        }
        Ok(made)
    }

    /// One attempt ended.
    pub fn attempt(&self, outcome: &Outcome) {
        self.attempts.with_label_values(&[outcome.state().as_str()]).inc();
    }

    /// One message was rendered and judged in so long, and broke these rules
    /// (none: it was cleared). A rule counts once a message.
    pub fn judged(&self, broken: impl IntoIterator<Item = Rule>, took: Duration) {
        self.judged.inc();
        self.judge_seconds.observe(took.as_secs_f64());
        let broken: std::collections::BTreeSet<Rule> = broken.into_iter().collect();
        for rule in broken {
            self.held.with_label_values(&[rule.as_str()]).inc();
        }
    }

    /// The drill found so many swaps that the guard cleared.
    pub fn drill_missed(&self, missed: u64) {
        self.drill_missed.inc_by(missed);
    }

    /// So many cleared messages wait for a connection.
    pub fn queue_depth(&self, messages: usize) {
        self.queue_depth.set(i64::try_from(messages).unwrap_or(i64::MAX));
    }

    /// The rate that sending is held to, in messages a second.
    pub fn rate_limit(&self, per_second: u32) {
        self.rate_limit.set(per_second.into());
    }

    /// Whether a mail server may be used, by its host and port.
    pub fn relay_up(&self, relay: &str, is_up: bool) {
        self.relay_up.with_label_values(&[relay]).set(is_up.into());
    }

    /// So many lines of an import were read.
    pub fn import_rows(&self, row: Row, count: u64) {
        self.import_rows.with_label_values(&[row.as_str()]).inc_by(count);
    }

    /// The directory version that messages are judged against.
    pub fn directory_version(&self, version: i64) {
        self.directory_version.set(version);
    }

    /// A campaign was halted.
    pub fn halted(&self) {
        self.halts.inc();
    }

    /// A request to unsubscribe ended.
    pub fn unsubscribe(&self, ended: Unsubscribe) {
        self.unsubscribes.with_label_values(&[ended.as_str()]).inc();
    }

    /// A request to see a message ended.
    pub fn view(&self, ended: View) {
        self.views.with_label_values(&[ended.as_str()]).inc();
    }

    /// Everything in the text exposition format, version 0.0.4.
    ///
    /// # Errors
    /// A metric cannot be written (exit 1): a defect.
    pub fn text(&self) -> Result<String> {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .map_err(|e| Error::unexpected("cannot write metrics").cause(&e))
    }
}

impl Row {
    fn as_str(self) -> &'static str {
        match self {
            Row::Taken => "taken",
            Row::Refused => "refused",
        }
    }
}

impl View {
    fn as_str(self) -> &'static str {
        match self {
            View::Shown => "shown",
            View::Gone => "gone",
            View::Unknown => "unknown",
            View::Failed => "failed",
        }
    }
}

impl Unsubscribe {
    fn as_str(self) -> &'static str {
        match self {
            Unsubscribe::Taken => "taken",
            Unsubscribe::Repeated => "repeated",
            Unsubscribe::Refused => "refused",
            Unsubscribe::Failed => "failed",
        }
    }
}

fn add<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: std::result::Result<C, prometheus::Error>,
) -> std::result::Result<C, prometheus::Error> {
    let collector = collector?;
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn seconds(name: &str, help: &str, buckets: &[f64]) -> std::result::Result<Histogram, prometheus::Error> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
}

/// A clean message takes well under a millisecond; a large attachment, tens.
const JUDGE_BUCKETS: [f64; 10] = [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

const ATTEMPTS: &str = "Attempts that ended, by outcome. Many deferred: the relay or a provider slows us down; \
    lower smtp.rate_per_domain. Many rejected: the list is old or our standing is poor; pause and read the replies in \
    the campaign report. Any unknown: look for their Message-IDs in the mail \
    server's log.";
const JUDGED: &str = "Messages rendered and judged by the guard, in checks and while sending. It stands still while a \
    check runs: look at the store's disk.";
const HELD: &str = "Messages that the guard held, by rule; one message may break several. Any value above zero calls \
    for a look at the check's report. Nothing of a held message was sent. foreign, link-token: stop, the audience or \
    the template mixes customers. unexplained: the directory may be stale, or the allow-list lacks a reason.";
const JUDGE_SECONDS: &str = "Time to render and judge one message. High values call for smaller attachments, or a \
    look at whether the directory's index fits into memory.";
const DRILL_MISSED: &str = "Swapped messages that the drill expected to be held and the guard cleared. Any value above \
    zero blocks the campaign: do not send, and report it as a defect of the guard.";
const QUEUE_DEPTH: &str = "Cleared messages that wait for a connection. Always full: the relay or the rate limit is \
    what holds sending up. Always empty while sending: rendering or the store is.";
const RATE_LIMIT: &str = "The rate that sending is held to. Compare it with rate(kakitome_attempts_total[1m]): far \
    below, something else holds sending up; at it, raise smtp.rate if the relay can bear it.";
const RELAY_UP: &str = "1 while messages may go by a mail server of [smtp], 0 while it is left out because it cannot be \
    connected to. At 0 the others carry its share: see the log's relay_left_out, and `kakitome doctor`.";
const IMPORT_ROWS: &str = "Lines of directory imports, by result. Any refused line refuses the whole import: mend the \
    export and import it again.";
const DIRECTORY_VERSION: &str = "The directory version that messages are judged against. Unchanged for longer than \
    your import's interval: the nightly import fails, and messages are judged against old data.";
const HALTS: &str = "Campaigns halted. Any increase calls for an operator: `kakitome campaign status` says why.";
const UNSUBSCRIBES: &str = "Requests to unsubscribe, by result. Many taken soon after a stage opened: pause the \
    campaign, and ask whether its audience wanted it. Many refused: somebody guesses, or the key file is not the one \
    that the mail was made with; put that one back. Any failed: the store takes no changes; mend it, mail providers \
    ask again.";
const VIEWS: &str = "Requests to see a message in a browser, by result. Many unknown: somebody guesses, or the key file \
    is not the one that the mail was made with; put that one back. Gone: the directory changed since; nothing is amiss. \
    Any failed: see the log's link_failed.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Reply;

    fn value(metrics: &Metrics, series: &str) -> f64 {
        let text = metrics.text().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
    }

    #[test]
    fn every_series_is_there_from_the_start() {
        let metrics = Metrics::new().unwrap();
        for rule in Rule::ALL {
            assert_eq!(value(&metrics, &format!("kakitome_held_total{{rule=\"{}\"}}", rule.as_str())), 0.0);
        }
        for outcome in ["accepted", "deferred", "rejected", "unknown"] {
            assert_eq!(value(&metrics, &format!("kakitome_attempts_total{{outcome=\"{outcome}\"}}")), 0.0);
        }
    }

    #[test]
    fn what_is_counted_is_what_is_read() {
        let metrics = Metrics::new().unwrap();
        let shared = metrics.clone();
        let reply = Reply { code: 451, text: String::new() };
        shared.attempt(&Outcome::Deferred(reply));
        shared.judged([Rule::Foreign, Rule::Foreign, Rule::Secret], Duration::from_micros(300));
        shared.judged([], Duration::from_micros(100));
        shared.drill_missed(2);
        shared.queue_depth(12);
        shared.rate_limit(2000);
        shared.relay_up("mx1.registrar.example:25", true);
        shared.relay_up("mx2.registrar.example:25", false);
        shared.import_rows(Row::Taken, 500);
        shared.import_rows(Row::Refused, 1);
        shared.directory_version(3);
        shared.halted();
        shared.unsubscribe(Unsubscribe::Taken);
        shared.view(View::Gone);
        for (series, expected) in [
            ("kakitome_attempts_total{outcome=\"deferred\"}", 1.0),
            ("kakitome_attempts_total{outcome=\"accepted\"}", 0.0),
            ("kakitome_judged_total", 2.0),
            ("kakitome_held_total{rule=\"foreign\"}", 1.0),
            ("kakitome_held_total{rule=\"secret\"}", 1.0),
            ("kakitome_render_and_judge_seconds_count", 2.0),
            ("kakitome_drill_missed_total", 2.0),
            ("kakitome_queue_depth", 12.0),
            ("kakitome_rate_limit_per_second", 2000.0),
            ("kakitome_relay_up{relay=\"mx1.registrar.example:25\"}", 1.0),
            ("kakitome_relay_up{relay=\"mx2.registrar.example:25\"}", 0.0),
            ("kakitome_import_rows_total{result=\"taken\"}", 500.0),
            ("kakitome_import_rows_total{result=\"refused\"}", 1.0),
            ("kakitome_directory_version", 3.0),
            ("kakitome_halts_total", 1.0),
            ("kakitome_unsubscribes_total{result=\"taken\"}", 1.0),
            ("kakitome_unsubscribes_total{result=\"failed\"}", 0.0),
            ("kakitome_views_total{result=\"gone\"}", 1.0),
            ("kakitome_views_total{result=\"shown\"}", 0.0),
        ] {
            assert_eq!(value(&metrics, series), expected, "{series}");
        }
    }

    #[test]
    fn every_help_gives_advice() {
        let text = Metrics::new().unwrap().text().unwrap();
        for help in text.lines().filter(|line| line.starts_with("# HELP")) {
            assert!(help.len() > 80 && help.contains(['.', ':']) && !help.contains("  "), "{help}");
        }
    }
}
