//! When a campaign may send: inside the sending windows, and below the warm-up's
//! ceiling for the day.
//!
//! What was sent today is asked of the store, of every campaign: a process that
//! was stopped, or another beside this one, counts as well. A run may claim half
//! of what is left, then asks again, so that several of them share a day.

use crate::app::App;
use crate::clock;
use crate::error::Result;
use crate::schedule;
use crate::schedule::{Day, SendingWindow};

/// Below this, a run may claim all that is left of a day.
const FEW: u64 = 100;

/// Why nothing may be sent now, and until when.
pub(in crate::app) struct Shut {
    pub(in crate::app) until_ms: i64,
    pub(in crate::app) why: String,
}

/// A day of the warm-up.
struct Today {
    day: Day,
    /// Messages at most, and how many of them are left.
    ceiling: u64,
    left: u64,
}

/// Why nothing may be sent now, and until when, if that is so.
pub(in crate::app) async fn shut(app: &App) -> Result<Option<Shut>> {
    let (smtp, now_ms) = (&app.config.smtp, app.clock.now_ms());
    if let Some(until_ms) = schedule::shut_until_ms(&smtp.windows, now_ms) {
        let windows: Vec<&str> = smtp.windows.iter().map(SendingWindow::as_str).collect();
        let until = clock::show(until_ms);
        let why = format!("outside the sending windows ({}): shut until {until}", windows.join(", "));
        return Ok(Some(Shut { until_ms, why }));
    }
    let Some(Today { day, ceiling, left: 0 }) = today(app, now_ms).await? else { return Ok(None) };
    let until = clock::show(day.next_ms);
    let why = match day.number {
        ..1 => format!("the warm-up has not begun: shut until {until}"),
        n => format!("the ceiling of day {n} of the warm-up, {ceiling} messages, is reached: shut until {until}"),
    };
    Ok(Some(Shut { until_ms: day.next_ms, why }))
}

/// Where the warm-up stands; `None` without one, or after it.
async fn today(app: &App, now_ms: i64) -> Result<Option<Today>> {
    let plan = app.config.smtp.warm_up.as_ref();
    let Some(day) = plan.and_then(|plan| plan.day(now_ms)) else { return Ok(None) };
    let Some(ceiling) = day.ceiling else { return Ok(None) };
    let left = ceiling.saturating_sub(app.store.sent_since(day.from_ms).await?);
    Ok(Some(Today { day, ceiling, left }))
}

/// How many messages one run may claim; `None`: as many as there are.
pub(in crate::app) async fn budget(app: &App) -> Result<Option<u64>> {
    let today = today(app, app.clock.now_ms()).await?;
    Ok(today.map(|Today { left, .. }| if left > FEW { left.div_ceil(2) } else { left }))
}
