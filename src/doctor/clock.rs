//! The clock, which the Date header, retries, windows and gates go by. It can only
//! be compared with another: that of the PostgreSQL server. Beside SQLite there
//! is none to ask, and that is what is said. A mail server's certificate that is
//! "not valid yet" or "expired" may be this clock's fault too.

use super::{Level, Line};
use crate::clock::show;

const CHECK: &str = "clock";
/// Leases last seconds, so machines that send together agree to the second.
const WARN_MS: u64 = 1_000;
/// Beyond this a lease is over when its holder takes it for held.
const FAIL_MS: u64 = 10_000;

/// Nothing to compare it with.
pub fn alone(now_ms: i64) -> Line {
    let now = "see that the machine keeps its time by NTP, as `timedatectl` shows";
    let found = format!("{} here, and no other clock to compare it with", show(now_ms));
    Line::not(Level::Skip, CHECK, "the clock", found, now)
}

/// Beside the database's: how far it is ahead of it, known to within `within_ms`;
/// or why it could not be asked.
pub fn beside(asked: Result<(i64, u64), String>) -> Line {
    let what = "this machine's clock beside PostgreSQL's";
    let (ahead_ms, within_ms) = match asked {
        Ok(told) => told,
        Err(why) => {
            return Line::not(
                Level::Fail,
                CHECK,
                what,
                why,
                "see that `store` in kakitome.toml names a running server",
            );
        }
    };
    let way = if ahead_ms < 0 { "behind" } else { "ahead" };
    let found = format!("{} ms {way}, to within {within_ms} ms", ahead_ms.unsigned_abs());
    // What the way to the server may account for is no fault of a clock.
    let level = match ahead_ms.unsigned_abs().saturating_sub(within_ms) {
        ..WARN_MS => return Line::ok(CHECK, what, found),
        WARN_MS..FAIL_MS => Level::Warn,
        FAIL_MS.. => Level::Fail,
    };
    Line::not(level, CHECK, what, found, "keep the time of both machines by NTP, as `timedatectl` shows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_a_second_off_and_no_ten() {
        let level = |ahead_ms, within_ms| beside(Ok((ahead_ms, within_ms))).level;
        assert_eq!([level(999, 0), level(-1_000, 0), level(1_000, 1)], [Level::Ok, Level::Warn, Level::Ok]);
        assert_eq!([level(9_999, 0), level(-10_000, 0)], [Level::Warn, Level::Fail]);
        assert!(beside(Ok((-1_500, 2))).found.starts_with("1500 ms behind, to within 2 ms"));
        assert_eq!(beside(Err("it did not answer".into())).level, Level::Fail);
        assert_eq!(alone(0).level, Level::Skip);
    }
}
