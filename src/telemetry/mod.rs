//! What the program says of itself while it runs: log lines on stderr, one
//! function per event ([`event`]), and metrics ([`Metrics`]).
//!
//! Invariant: account keys only. Neither a log line nor a metric carries an
//! address, an identifier, a name or a body; what a reason quotes from
//! elsewhere has everything around an `@` taken out before it is written.

pub mod event;
mod metrics;

pub use metrics::{Metrics, Row, Unsubscribe, View};

use std::io::{self, IsTerminal, Write};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::error::{Error, Result};

/// The environment variable that sets the level where no option does.
pub const LOG_VARIABLE: &str = "KAKITOME_LOG";

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Human,
    /// One JSON object a line, for collectors.
    Json,
}

/// Sends log lines to stderr from now on. `level` is one of off, error, warn,
/// info, debug and trace, or a list of `target=level`; without one the
/// environment's `KAKITOME_LOG` counts, and without that `info`.
///
/// # Errors
/// The level is none (exit 2), or logging was set up before (exit 1).
pub fn init(format: Format, level: Option<&str>) -> Result<()> {
    let from_environment = std::env::var(LOG_VARIABLE).ok();
    let filter = filter(level.or(from_environment.as_deref()).unwrap_or("info"))?;
    let is_terminal = io::stderr().is_terminal();
    let line = move || if is_terminal { over_a_bar() } else { io::stderr() };
    let set = match format {
        Format::Human => tracing::subscriber::set_global_default(human(filter, is_terminal, line)),
        Format::Json => tracing::subscriber::set_global_default(json(filter, io::stderr)),
    };
    set.map_err(|e| Error::unexpected("cannot set up logging").cause(&e))
}

/// A terminal, where a progress bar may stand in the line: it is drawn again below.
fn over_a_bar() -> io::Stderr {
    let mut stderr = io::stderr();
    // Nobody is left to be told that this failed.
    let _ = stderr.write_all(b"\r\x1b[2K");
    stderr
}

/// A bare level is ours; the libraries stay at warnings, and the databases at
/// errors: an import's statements take seconds, as they should.
fn filter(level: &str) -> Result<EnvFilter> {
    let level = level.trim();
    let directives = match level.to_ascii_lowercase().as_str() {
        "off" => "off".to_owned(),
        word @ ("error" | "warn" | "info" | "debug" | "trace") => format!("warn,sqlx=error,kakitome={word}"),
        _ if level.contains('=') => level.to_owned(),
        _ => return Err(no_level(level)),
    };
    EnvFilter::try_new(directives).map_err(|e| no_level(level).cause(&e))
}

fn no_level(level: &str) -> Error {
    Error::usage(format!("{level:?} is no log level"))
        .now(format!("write off, error, warn, info, debug or trace, with --log or {LOG_VARIABLE}"))
}

fn human<W>(filter: EnvFilter, ansi: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(ansi)
        .with_writer(writer)
        .compact()
        .finish()
}

fn json<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).json().flatten_event(true).finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    /// The log lines of one call, as JSON.
    pub(crate) fn logged(level: &str, call: impl FnOnce()) -> Vec<serde_json::Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = json(filter(level).unwrap(), move || writer.clone());
        tracing::subscriber::with_default(subscriber, call);
        lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_level_is_for_our_own_lines_and_libraries_stay_at_warnings() {
        let lines = logged("info", || {
            tracing::debug!("ours, too fine");
            tracing::info!("ours");
            tracing::info!(target: "rustls", "theirs");
            tracing::warn!(target: "rustls", "theirs, loud");
            tracing::warn!(target: "sqlx::query", "a slow statement");
        });
        let said: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(said, ["ours", "theirs, loud"]);
        assert!(logged("off", || tracing::error!("ours")).is_empty());
    }

    #[test]
    fn what_is_no_level_is_refused_with_what_would_be() {
        for bad in ["", "loud", "infoo"] {
            let error = filter(bad).unwrap_err();
            assert_eq!(error.exit(), crate::error::Exit::Usage);
            assert!(error.to_string().contains("debug or trace"), "{error}");
        }
        assert!(filter(" WARN ").is_ok());
        assert!(filter("kakitome=debug,sqlx=info").is_ok());
    }

    #[test]
    fn lines_for_people_are_without_colour_where_nobody_looks() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = human(filter("info").unwrap(), false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || event::campaign_finished(7));
        let text = lines.text();
        assert!(text.contains("campaign=7") && !text.contains('\u{1b}'), "{text}");
    }
}
