//! What long work shows on stderr: a bar with rate and remaining time when a
//! person watches. When stderr is a file or a pipe, a line each half minute in
//! which something moved, and that a campaign waits, and until when.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

/// How often a bar is drawn while nothing moves, so that it is seen from the beginning and the
/// time goes on.
pub const TICK: Duration = Duration::from_secs(1);
/// How often it is said how far a bar is that nobody sees.
const TOLD: Duration = Duration::from_secs(30);

/// A bar over a known number of things.
pub fn bar(verb: &'static str, unit: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(verb);
    told(&bar, move |bar| line(verb, bar, unit));
    let template =
        format!("{{msg:>9}} {{bar:32.cyan/dim}} {{human_pos}} of {{human_len}} {unit}  {{per_sec:.dim}}  {{eta}} left");
    drawn(bar, style(&template))
}

/// A bar over a whole campaign, of which `done` messages are final already. The
/// time left is never less than the configured rate takes, and unknown before the first.
pub fn sending(total: u64, done: u64, per_second_max: f64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_position(done).with_message("sending");
    // In one line of any terminal: what is logged meanwhile takes the place of one.
    let template =
        "{msg:>9} {wide_bar:.cyan/dim} {human_pos} of {human_len} messages  {rate:.dim}  {left} left, {elapsed} so far";
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{:.0}/s", state.per_sec());
    };
    let left = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // Nothing is known yet of how long one takes.
        if state.pos() == done {
            let _ = write!(out, "?");
            return;
        }
        let messages = state.len().unwrap_or(0).saturating_sub(state.pos());
        let paced = Duration::try_from_secs_f64(messages as f64 / per_second_max).unwrap_or(Duration::MAX);
        let _ = write!(out, "{:#}", HumanDuration(state.eta().max(paced)));
    };
    told(&bar, |bar| line("sending", bar, "messages"));
    // The messages that were final before are no work of this process.
    bar.reset_eta();
    drawn(bar, style(template).with_key("rate", rate).with_key("left", left))
}

/// A bar over a file's bytes.
pub fn bytes(verb: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(verb);
    told(&bar, move |bar| {
        format!("{verb}: {} of {}", HumanBytes(bar.position()), HumanBytes(bar.length().unwrap_or(0)))
    });
    drawn(bar, style("{msg:>9} {bar:32.cyan/dim} {bytes} of {total_bytes}  {binary_bytes_per_sec:.dim}  {eta} left"))
}

/// Something without a known length.
pub fn spinner(text: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(text);
    spinner.set_style(style("{spinner:>9} {msg} {elapsed:.dim}"));
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// A campaign that waits, with why and until when; said once, where it is new and nobody sees
/// a spinner.
pub fn waiting(campaign: i64, why: String, is_new: bool) -> ProgressBar {
    let spinner = spinner("");
    if spinner.is_hidden() && is_new {
        say(&format!("campaign {campaign} waits: {why}"));
    }
    spinner.set_message(why);
    spinner
}

/// Work that is no count of anything; said at its beginning where nobody sees a spinner.
pub fn working(text: &'static str) -> ProgressBar {
    let spinner = spinner(text);
    if spinner.is_hidden() {
        say(text);
    }
    spinner
}

fn line(verb: &str, bar: &ProgressBar, unit: &str) -> String {
    let (position, length) = (HumanCount(bar.position()), HumanCount(bar.length().unwrap_or(0)));
    format!("{verb}: {position} of {length} {unit}, {:.0}/s", bar.per_sec())
}

/// Leaves stderr to the log alone, whose lines a program reads.
pub fn leave_to_log() {
    IS_LEFT.store(true, Ordering::Relaxed);
}

static IS_LEFT: AtomicBool = AtomicBool::new(false);

fn say(line: &str) {
    if IS_LEFT.load(Ordering::Relaxed) {
        return;
    }
    // Nobody is left to be told that this failed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Says how far a bar is that nobody sees, a line each [`TOLD`] in which it moved, until
/// it is gone or finished.
fn told(bar: &ProgressBar, tell: impl Fn(&ProgressBar) -> String + Send + 'static) {
    if !bar.is_hidden() {
        return;
    }
    let (mut before, bar) = (bar.position(), bar.downgrade());
    // It ends with the process, or at its next look.
    let _ = std::thread::Builder::new().name("progress".into()).spawn(move || {
        loop {
            std::thread::sleep(TOLD);
            match bar.upgrade().filter(|bar| !bar.is_finished()) {
                Some(bar) if bar.position() == before => {}
                Some(bar) => {
                    before = bar.position();
                    say(&tell(&bar));
                }
                None => return,
            }
        }
    });
}

fn drawn(bar: ProgressBar, style: ProgressStyle) -> ProgressBar {
    bar.set_style(style);
    bar.enable_steady_tick(TICK);
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
