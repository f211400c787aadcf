//! When mail may go out: `smtp.windows`, the hours of a day, and `smtp.warm_up`,
//! how many messages a day while a sender is new. Pure: it is given the time, in
//! `_ms` since the Unix epoch.
//!
//! Hours are those of the clock on the wall of their zone (IANA names), also on
//! the days on which it is put forward or back.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::units::quoted;

/// `09:00–20:00 Asia/Tokyo`; `22:00-06:00 Europe/Berlin` goes over midnight.
#[derive(Clone, Debug, PartialEq)]
pub struct SendingWindow {
    text: String,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl SendingWindow {
    fn parse(text: &str) -> Option<Self> {
        let (hours, zone) = text.trim().rsplit_once(' ')?;
        let (from, to) = hours.split_once(['–', '-'])?;
        let (from, to) = (time(from.trim())?, time(to.trim())?);
        let zone = TimeZone::get(zone).ok()?;
        (from != to).then(|| Self { text: text.trim().to_owned(), from, to, zone })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its openings around a moment, each with its end.
    fn around(&self, now: Timestamp) -> impl Iterator<Item = (i64, i64)> {
        let today = now.to_zoned_datetime(self.zone.clone()).date();
        (-1..=2).filter_map(move |n: i64| {
            let day = today.checked_add(n.days()).ok()?;
            let last = if self.to <= self.from { day.tomorrow().ok()? } else { day };
            Some((self.ms(day, self.from)?, self.ms(last, self.to)?))
        })
    }

    fn ms(&self, day: Date, at: Time) -> Option<i64> {
        day.to_datetime(at).to_zoned_datetime(self.zone.clone()).ok().map(|at| at.timestamp().as_millisecond())
    }
}

/// `24:00` is the midnight at the end of the day.
fn time(text: &str) -> Option<Time> {
    if text == "24:00" {
        return Some(Time::midnight());
    }
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

impl<'de> Deserialize<'de> for SendingWindow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wanted = "two times and a time zone in quotes, as in \"09:00–20:00 Asia/Tokyo\"";
        quoted(from, wanted, |text| {
            SendingWindow::parse(text).ok_or_else(|| {
                let zone = text.trim().rsplit_once(' ').map(|(_, zone)| zone).filter(|zone| !zone.contains(':'));
                match zone.filter(|zone| TimeZone::get(zone).is_err()) {
                    Some(zone) => format!("{zone:?} is no time zone; write one as in \"09:00–20:00 Asia/Tokyo\""),
                    None => format!(
                        "{text:?} is no sending window: write two different times and a time zone, as in \"09:00–20:00 Asia/Tokyo\""
                    ),
                }
            })
        })
    }
}

/// Some windows: a list of none would mean all times, or no time.
pub(crate) fn windows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SendingWindow>, D::Error> {
    let windows = Vec::deserialize(from)?;
    if windows.is_empty() {
        return Err(D::Error::custom("no hours stand in this list; leave windows out to send at all times"));
    }
    Ok(windows)
}

/// When the first of these windows opens, if none is open now. Without any, mail
/// may go out at all times.
pub fn shut_until_ms(windows: &[SendingWindow], now_ms: i64) -> Option<i64> {
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    let openings: Vec<(i64, i64)> = windows.iter().flat_map(|window| window.around(now)).collect();
    if openings.iter().any(|(from, to)| (*from..*to).contains(&now_ms)) {
        return None;
    }
    openings.into_iter().map(|(from, _)| from).filter(|from| *from > now_ms).min()
}

/// `[smtp.warm_up]`: a ceiling of messages for each day, from a first day on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct WarmUp {
    start: Date,
    zone: TimeZone,
    plan: Plan,
}

#[derive(Clone, Debug, PartialEq)]
enum Plan {
    Grows { first_day: u64, factor: f64 },
    Days(Vec<u64>),
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    start: String,
    zone: Option<String>,
    first_day: Option<u64>,
    factor: Option<f64>,
    days: Option<Vec<u64>>,
}

/// A day of a warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its number, from 1; 0 or less: before the start.
    pub number: i64,
    /// When it began.
    pub from_ms: i64,
    /// When the next day that may have mail begins.
    pub next_ms: i64,
    /// Messages at most; `None`: the warm-up is over.
    pub ceiling: Option<u64>,
}

impl TryFrom<Written> for WarmUp {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let start = written.start.parse().map_err(|_| "start is a date, as in \"2026-12-01\"")?;
        let zone = TimeZone::get(written.zone.as_deref().unwrap_or("UTC"));
        let zone = zone.map_err(|_| "its zone is no time zone; write one as in \"Asia/Tokyo\"")?;
        if written.first_day == Some(0) {
            return Err("first_day is 1 or more: how many messages may go on the first day".into());
        }
        let plan = match (written.first_day, written.factor, written.days) {
            (Some(first_day), factor, None) => {
                let factor = factor.unwrap_or(2.0);
                if !(1.01..=100.0).contains(&factor) {
                    return Err("factor is between 1.01 and 100: what each day's ceiling is multiplied by".into());
                }
                Plan::Grows { first_day, factor }
            }
            (None, None, Some(days)) if !days.is_empty() && !days.contains(&0) => Plan::Days(days),
            _ => return Err("write first_day (1 or more) with factor, or days = [5000, 10000, 20000]".into()),
        };
        Ok(Self { start, zone, plan })
    }
}

impl WarmUp {
    /// The day that a moment is in.
    pub fn day(&self, now_ms: i64) -> Option<Day> {
        let today = Timestamp::from_millisecond(now_ms).ok()?.to_zoned_datetime(self.zone.clone()).date();
        let since = i64::from(self.start.until(today).ok()?.get_days());
        let begins =
            |day: Date| day.to_zoned_datetime(self.zone.clone()).ok().map(|at| at.timestamp().as_millisecond());
        let next = if since < 0 { self.start } else { today.tomorrow().ok()? };
        let ceiling = match (&self.plan, usize::try_from(since)) {
            (_, Err(_)) => Some(0),
            // A float beyond the largest number becomes that.
            (Plan::Grows { first_day, factor }, Ok(since)) => {
                Some((*first_day as f64 * factor.powi(i32::try_from(since).unwrap_or(i32::MAX))) as u64)
            }
            (Plan::Days(days), Ok(since)) => days.get(since).copied(),
        };
        Some(Day { number: since + 1, from_ms: begins(today)?, next_ms: begins(next)?, ceiling })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn shut(windows: &[&str], now: &str) -> Option<String> {
        let windows: Vec<_> = windows.iter().map(|text| SendingWindow::parse(text).unwrap()).collect();
        shut_until_ms(&windows, ms(now)).map(|at| Timestamp::from_millisecond(at).unwrap().to_string())
    }

    #[test]
    fn a_window_opens_and_shuts_by_the_clock_on_its_wall() {
        for dash in ["–", "-", " – "] {
            let day = [&*format!("09:00{dash}20:00 Asia/Tokyo")];
            assert_eq!(shut(&day, "2026-12-01T00:00:00Z"), None);
            assert_eq!(shut(&day, "2026-12-01T10:59:59.999Z"), None);
            assert_eq!(shut(&day, "2026-12-01T11:00:00Z").as_deref(), Some("2026-12-02T00:00:00Z"));
            assert_eq!(shut(&day, "2026-11-30T23:59:59.999Z").as_deref(), Some("2026-12-01T00:00:00Z"));
        }
        assert_eq!(shut(&[], "2026-12-01T11:00:00Z"), None);
    }

    #[test]
    fn a_window_may_go_over_midnight_and_over_a_change_of_the_clock() {
        let night = ["22:00-06:00 Europe/Berlin"];
        assert_eq!(shut(&night, "2026-12-01T00:30:00Z"), None);
        assert_eq!(shut(&night, "2026-12-01T05:00:00Z").as_deref(), Some("2026-12-01T21:00:00Z"));
        let evening = ["18:00-24:00 Europe/Berlin"];
        assert_eq!(shut(&evening, "2026-12-01T22:59:00Z"), None);
        assert!(shut(&evening, "2026-12-01T23:00:00Z").is_some());
        // Summer time ends on the 25th of October: nine o'clock comes an hour later.
        let day = ["09:00-20:00 Europe/Berlin"];
        assert_eq!(shut(&day, "2026-10-24T20:00:00Z").as_deref(), Some("2026-10-25T08:00:00Z"));
        assert_eq!(shut(&day, "2026-10-23T20:00:00Z").as_deref(), Some("2026-10-24T07:00:00Z"));
    }

    #[test]
    fn of_several_windows_the_first_to_open_counts() {
        let two = ["09:00-11:00 UTC", "13:00-15:00 UTC"];
        assert_eq!(shut(&two, "2026-12-01T11:30:00Z").as_deref(), Some("2026-12-01T13:00:00Z"));
        assert_eq!(shut(&two, "2026-12-01T13:30:00Z"), None);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "",
            "09:00-20:00",
            "9-20 UTC",
            "09:00-09:00 UTC",
            "09:00-25:00 UTC",
            "09:00 20:00 UTC",
            "09:00-20:00 Mars/Base",
        ] {
            assert_eq!(SendingWindow::parse(bad), None, "{bad}");
        }
    }

    fn plan(text: &str) -> Result<WarmUp, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_ceiling_grows_each_day_of_its_zone() {
        let grows = plan("start = \"2026-12-01\"\nfirst_day = 5000\nfactor = 2\nzone = \"Asia/Tokyo\"").unwrap();
        let day = |now| grows.day(ms(now)).unwrap();
        let before = day("2026-11-29T00:00:00Z");
        assert_eq!((before.number, before.ceiling, before.next_ms), (-1, Some(0), ms("2026-11-30T15:00:00Z")));
        let first = day("2026-11-30T15:00:00Z");
        assert_eq!((first.number, first.ceiling), (1, Some(5_000)));
        assert_eq!((first.from_ms, first.next_ms), (ms("2026-11-30T15:00:00Z"), ms("2026-12-01T15:00:00Z")));
        assert_eq!(day("2026-12-04T14:59:59Z").ceiling, Some(40_000));
        assert_eq!(day("2036-12-04T14:59:59Z").ceiling, Some(u64::MAX));
    }

    #[test]
    fn a_list_ends_and_nothing_unclear_is_taken() {
        let list = plan("start = \"2026-12-01\"\ndays = [10, 30]").unwrap();
        let ceiling = |now| list.day(ms(now)).unwrap().ceiling;
        assert_eq!(ceiling("2026-12-02T12:00:00Z"), Some(30));
        assert_eq!(ceiling("2026-12-03T00:00:00Z"), None);
        for bad in [
            "start = \"December\"\nfirst_day = 1",
            "start = \"2026-12-01\"",
            "start = \"2026-12-01\"\nfirst_day = 0",
            "start = \"2026-12-01\"\nfirst_day = 5\nfactor = 1.0",
            "start = \"2026-12-01\"\nfirst_day = 5\ndays = [5]",
            "start = \"2026-12-01\"\ndays = []",
            "start = \"2026-12-01\"\ndays = [5]\nzone = \"Mars/Base\"",
        ] {
            assert!(plan(bad).is_err(), "{bad}");
        }
    }
}
