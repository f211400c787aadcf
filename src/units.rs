//! Values with a unit, as people write them: rates and lengths of time.
//!
//! Input: text, from the configuration, a campaign file or the command line. Output: a value
//! that knows its unit. Errors say what to write.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use jiff::SpanRelativeTo;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// So many in a time: `2000/s`, `300/m`, `10000/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

impl Rate {
    /// So many a second; none is read as one.
    pub fn per_second(count: u32) -> Self {
        Self { count: NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN), per: Duration::from_secs(1) }
    }

    /// Messages a second.
    pub fn each_second(self) -> f64 {
        f64::from(self.count.get()) / self.per.as_secs_f64()
    }

    fn parse(text: &str) -> Option<Self> {
        let (count, per) = text.split_once('/')?;
        let per = match per.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => return None,
        };
        let count = count.trim().replace('_', "").parse().ok()?;
        Some(Self { count, per: Duration::from_secs(per) })
    }
}

/// Why a text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate: write a whole number above 0 and /s, /m, /h or /d, as in \"50/s\"")]
pub struct NoRate(String);

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        Rate::parse(text).ok_or_else(|| NoRate(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per.as_secs() {
            60 => "m",
            3_600 => "h",
            86_400 => "d",
            _ => "s",
        };
        write!(f, "{}/{per}", self.count)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wanted = "a number and its unit in quotes, as in \"50/s\"";
        quoted(from, wanted, |text| text.parse().map_err(|no: NoRate| no.to_string()))
    }
}

/// A length of time with its unit: `90s`, `10m`, `1h 30m`, `250ms`, `3d` (days of
/// 24 hours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub Duration);

impl Span {
    /// Milliseconds.
    pub fn as_ms(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wanted = "a length of time with its unit in quotes, as in \"10m\" or \"3d\"";
        quoted(from, wanted, |text| {
            let span =
                text.parse::<jiff::Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
            span.ok().and_then(|span| Duration::try_from(span).ok()).map(Span).ok_or_else(|| {
                format!("{text:?} is no length of time: write it with its unit, as in \"10m\", \"1h 30m\" or \"3d\"")
            })
        })
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}ms", self.as_ms()))
    }
}

/// Reads a text by `read`, which says why it cannot; `wanted` is what to write, for whoever
/// wrote something else than a text.
pub(crate) fn quoted<'de, T, D: Deserializer<'de>>(
    from: D,
    wanted: &'static str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    struct Text<R>(&'static str, R);

    impl<T, R: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Text<R> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).map_err(E::custom)
        }
    }

    from.deserialize_str(Text(wanted, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_back_as_it_is_written() {
        for text in ["500/s", "7/m", "10000/h", "1/d"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for bad in ["", "5", "0/s", "-1/s", "5/w", "many/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
