//! What calibration found of the directory version that a campaign was checked against:
//! how many planted values the guard found, by kind, and the gap that somebody accepted.
//!
//! It is kept with the check's drill, so it has one form: what was written once is read
//! again, and makes the same text.

use serde::{Deserialize, Serialize};

use crate::account::Kind;
use crate::report::html::{escape, number, sentence};

/// The calibration of one directory version, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// The directory version.
    pub version: i64,
    /// Messages that showed a planted value to somebody else.
    pub tried: u64,
    /// Those in which the value was found as its owner's.
    pub found: u64,
    /// Messages that showed a value to its own account, and were held.
    pub own_held: u64,
    /// The same by kind.
    pub kinds: Vec<CalibratedKind>,
    /// Who accepted what was not found, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedGap>,
}

/// What calibration found of one kind's columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibratedKind {
    /// The kind.
    pub kind: Kind,
    /// As in [`CalibrationReport`].
    pub tried: u64,
    /// As there.
    pub found: u64,
    /// As there.
    pub own_held: u64,
}

/// A gap that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedGap {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl CalibrationReport {
    /// Whether everything was found, nothing of one's own was held, and nothing had to be
    /// accepted.
    pub fn is_complete(&self) -> bool {
        self.found == self.tried && self.own_held == 0 && self.accepted.is_none()
    }

    /// One line, and one more about a gap that was accepted.
    pub fn text(&self) -> String {
        let kinds = self.kinds.iter().filter(|kind| kind.tried > 0);
        let kinds: Vec<String> = kinds
            .map(|kind| format!("{} {} of {}", kind.kind.as_str(), number(kind.found), number(kind.tried)))
            .collect();
        let by_kind = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let held = match self.own_held {
            0 => String::new(),
            held => format!(", {} held from their own account", number(held)),
        };
        let accepted = self.accepted.as_ref().map(|gap| format!("\n  gap accepted by {}: {}", gap.by, gap.reason));
        format!(
            "calibration of directory version {}: {} of {} planted values found{by_kind}{held}{}",
            number(self.version.unsigned_abs()),
            number(self.found),
            number(self.tried),
            accepted.unwrap_or_default()
        )
    }

    /// The page's section.
    pub(in crate::report) fn section(&self) -> String {
        let (class, word) = if self.is_complete() { ("accepted", "complete") } else { ("deferred", "gap") };
        let row = |kind: &CalibratedKind| {
            let cells = [kind.tried, kind.found, kind.tried.saturating_sub(kind.found), kind.own_held];
            let cells = cells.map(|cell| format!("<td class=\"n\">{}</td>", number(cell))).concat();
            format!("<tr><td>{}</td>{cells}</tr>", kind.kind.as_str())
        };
        let accepted = self.accepted.as_ref().map(|gap| {
            let said = format!("Accepted by {}: {}", escape(&gap.by), escape(&sentence(&gap.reason)));
            format!("<p class=\"why\">{said}</p>")
        });
        format!(
            "<section><h2>Calibration</h2><p><span class=\"mark {class}\">{word}</span> Of {} values of directory \
             version {}, planted in messages to others, the guard found {}.</p>{}<div class=\"scroll\"><table><thead>\
             <tr><th>Kind</th><th class=\"n\">planted</th><th class=\"n\">found</th><th class=\"n\">missed</th>\
             <th class=\"n\">held from their own</th></tr></thead><tbody>{}</tbody></table></div></section>",
            number(self.tried),
            number(self.version.unsigned_abs()),
            number(self.found),
            accepted.unwrap_or_default(),
            self.kinds.iter().map(row).collect::<String>()
        )
    }
}

#[cfg(test)]
pub(in crate::report) mod tests {
    use super::*;

    pub(in crate::report) fn made_up(found: u64, accepted: Option<(&str, &str)>) -> CalibrationReport {
        let kind = |kind, tried, found| CalibratedKind { kind, tried, found, own_held: 0 };
        CalibrationReport {
            version: 41,
            tried: 2_300,
            found,
            own_held: 0,
            kinds: vec![kind(Kind::Id, 1_300, found - 1_000), kind(Kind::Email, 1_000, 1_000)],
            accepted: accepted.map(|(by, reason)| AcceptedGap { by: by.into(), reason: reason.into() }),
        }
    }

    #[test]
    fn the_text_has_the_numbers_and_who_accepted_a_gap() {
        assert_eq!(
            made_up(2_300, None).text(),
            "calibration of directory version 41: 2,300 of 2,300 planted values found (id 1,300 of 1,300, email 1,000 of 1,000)"
        );
        assert_eq!(
            made_up(2_298, Some(("ada", "closed list"))).text(),
            "calibration of directory version 41: 2,298 of 2,300 planted values found (id 1,298 of 1,300, email 1,000 of 1,000)\n  gap accepted by ada: closed list"
        );
    }

    #[test]
    fn the_section_has_them_too_and_no_markup_of_a_reason() {
        let page = made_up(2_300, None).section();
        assert!(page.contains("<span class=\"mark accepted\">complete</span> Of 2,300 values"), "{page}");
        let page = made_up(2_298, Some(("<b>ada</b>", "closed <script>"))).section();
        assert!(page.contains("<span class=\"mark deferred\">gap</span>"), "{page}");
        assert!(page.contains("Accepted by &lt;b&gt;ada&lt;/b&gt;: Closed &lt;script&gt;."), "{page}");
        assert!(page.contains("<td>id</td><td class=\"n\">1,300</td><td class=\"n\">1,298</td><td class=\"n\">2</td>"));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let gap = made_up(2_298, Some(("ada", "closed list")));
        let text = serde_json::to_string(&gap).unwrap();
        let read: CalibrationReport = serde_json::from_str(&text).unwrap();
        assert_eq!((serde_json::to_string(&read).unwrap(), read), (text, gap));
    }
}
