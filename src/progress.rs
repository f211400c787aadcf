//! What long work shows on stderr: a bar with rate and remaining time when a
//! person watches, nothing when stderr is a file or a pipe.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over a known number of things.
pub fn bar(verb: &'static str, unit: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(verb);
    let template =
        format!("{{msg:>9}} {{bar:32.cyan/dim}} {{human_pos}} of {{human_len}} {unit}  {{per_sec:.dim}}  {{eta}} left");
    bar.set_style(style(&template));
    bar
}

/// A bar over a file's bytes.
pub fn bytes(verb: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(verb);
    bar.set_style(style(
        "{msg:>9} {bar:32.cyan/dim} {bytes} of {total_bytes}  {binary_bytes_per_sec:.dim}  {eta} left",
    ));
    bar
}

/// Something without a known length.
pub fn spinner(text: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(text);
    spinner.set_style(style("{spinner:>9} {msg} {elapsed:.dim}"));
    spinner.enable_steady_tick(std::time::Duration::from_millis(120));
    spinner
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
