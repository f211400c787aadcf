//! What a check proves besides the messages' digests, as the store keeps it: the drill, and
//! the calibration of the directory version that was checked against.
//!
//! What was kept before calibration was a part of it reads as a drill without one, and is
//! written again in the same bytes, so that approvals of that time still hold.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Result;
use crate::guard::drill::Drill;
use crate::report::CalibrationReport;

/// The drill and the calibration behind a check.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Proven {
    /// The drill.
    #[serde(flatten)]
    pub drill: Drill,
    /// What calibration found of the directory; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
}

impl Proven {
    /// What the last check of a campaign proved, if there was one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn of(app: &App, campaign: i64) -> Result<Option<Self>> {
        Ok(app.store.drill::<Self>(campaign).await?)
    }

    /// What approval signs of it: the drill, and a gap in the calibration. That nothing was
    /// missed needs no signature, and stays true when the directory is imported again.
    pub fn signed(&self) -> Vec<u8> {
        let gap = self.calibration.as_ref().filter(|calibration| !calibration.is_complete());
        let signed = Self { drill: self.drill.clone(), calibration: gap.cloned() };
        serde_json::to_vec(&signed).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Rule;
    use crate::guard::drill::{Tally, Way};
    use crate::report::{AcceptedGap, CalibrationReport};

    fn drill() -> Drill {
        let ways = vec![Tally { way: Way::WholeBody, swapped: 9, held: 8, vacuous: 1 }];
        Drill { swapped: 9, held: 8, vacuous: 1, ways, rules: vec![Rule::Foreign, Rule::Secret], missed: Vec::new() }
    }

    fn calibration(found: u64, by: Option<&str>) -> CalibrationReport {
        let accepted = by.map(|by| AcceptedGap { by: by.into(), reason: "closed list".into() });
        CalibrationReport { version: 3, tried: 40, found, own_held: 0, kinds: Vec::new(), accepted }
    }

    #[test]
    fn what_was_kept_without_a_calibration_is_signed_as_it_was() {
        let old = serde_json::to_string(&drill()).unwrap();
        let read: Proven = serde_json::from_str(&old).unwrap();
        assert!(read.calibration.is_none() && read.drill.passed());
        assert_eq!(String::from_utf8(read.signed()).unwrap(), old);
        let complete = Proven { calibration: Some(calibration(40, None)), ..read };
        assert_eq!(String::from_utf8(complete.signed()).unwrap(), old);
    }

    #[test]
    fn a_gap_is_signed_and_whoever_accepted_it() {
        let of = |by| Proven { drill: drill(), calibration: Some(calibration(39, Some(by))) };
        let text = serde_json::to_string(&of("ada")).unwrap();
        let read: Proven = serde_json::from_str(&text).unwrap();
        assert_eq!(read.signed(), text.as_bytes());
        assert_ne!(of("ada").signed(), of("bob").signed());
    }
}
