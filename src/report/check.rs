//! The check's report: what the dry run of a whole campaign found.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::account::AccountId;
use crate::guard::{Finding, Rule};
use crate::report::html::{bar, counted, escape, figure, figures, number, share};
use crate::report::{CalibrationReport, Head};

/// Findings that a check's page shows, one a row.
pub const FOUND_MAX: usize = 50;

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// The campaign.
    pub head: Head,
    /// Messages that were cleared.
    pub cleared: u64,
    /// Messages that were held.
    pub held: u64,
    /// Accounts that are suppressed, for which no message was made.
    pub suppressed: u64,
    /// Messages by rule; rules that nothing broke may be left out.
    pub rules: Vec<RuleCount>,
    /// The drill.
    pub drill: DrillReport,
    /// The calibration of the directory version, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// The first [`FOUND_MAX`] findings, one a row.
    pub found: Vec<FoundRow>,
    /// How long rendering and judging took.
    pub seconds: f64,
}

/// How often one rule was broken.
#[derive(Clone, Debug, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: Rule,
    /// Messages that broke it, however often.
    pub messages: u64,
}

/// One finding and the message it is in.
#[derive(Clone, Debug, Serialize)]
pub struct FoundRow {
    /// The account that the message was for.
    pub account: AccountId,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// The way that swaps links alone: it shows nothing of what a template says.
pub const LINK_WAY: &str = "one link token only";

/// What the drill found, each swapped message counted once.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DrillReport {
    /// Each way of swapping.
    pub ways: Vec<DrillWay>,
}

/// One way of swapping, and how the guard fared.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DrillWay {
    /// `whole body`, `subject only`, `row below`, …
    pub way: String,
    /// Swapped messages that were judged.
    pub swapped: u64,
    /// Those that were held.
    pub held: u64,
    /// Those that were not held and showed nothing identifying.
    pub vacuous: u64,
}

impl DrillWay {
    /// Those that showed something identifying and were cleared.
    pub fn missed(&self) -> u64 {
        self.swapped.saturating_sub(self.held).saturating_sub(self.vacuous)
    }
}

impl DrillReport {
    fn sum(&self, of: impl Fn(&DrillWay) -> u64) -> u64 {
        self.ways.iter().map(of).sum()
    }

    /// Swapped messages that were cleared although they showed something.
    pub fn missed(&self) -> u64 {
        self.sum(DrillWay::missed)
    }

    /// Whether nothing was shown that the other account could be known by.
    fn is_vacuous(&self) -> bool {
        self.ways.iter().filter(|way| way.way != LINK_WAY).all(|way| way.swapped == way.vacuous)
    }

    fn section(&self) -> String {
        let (swapped, held, vacuous) = (self.sum(|w| w.swapped), self.sum(|w| w.held), self.sum(|w| w.vacuous));
        let says = match (swapped, self.missed()) {
            (0, _) => "No message was swapped: nothing is proven.".to_owned(),
            (_, 0) if vacuous == swapped => "Nothing identifying is shown, so no swap could be seen: nothing is \
                proven. If the template should show something, name it in must_show."
                .to_owned(),
            (_, 0) if self.is_vacuous() => "Nothing identifying is shown but links, which are right: nothing else is \
                proven. If the template should show something, name it in must_show."
                .to_owned(),
            (_, 0) => format!(
                "The guard held {} of the {} that showed something of somebody else. It saw every one.",
                number(held),
                counted(swapped - vacuous, "swapped message")
            ),
            (_, missed) => format!(
                "The guard cleared {} that showed something of somebody else. The campaign is blocked.",
                counted(missed, "swapped message")
            ),
        };
        let rows: String = self
            .ways
            .iter()
            .map(|way| {
                let class = if way.missed() > 0 { "bad" } else { "" };
                format!(
                    "<tr class=\"{class}\"><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                     <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                    escape(&way.way),
                    number(way.swapped),
                    number(way.held),
                    number(way.vacuous),
                    number(way.missed())
                )
            })
            .collect();
        let table = if rows.is_empty() {
            String::new()
        } else {
            format!(
                "<div class=\"scroll\"><table><thead><tr><th>Swapped</th><th class=\"n\">judged</th>\
                 <th class=\"n\">held</th><th class=\"n\">showed nothing identifying</th><th class=\"n\">missed</th></tr></thead>\
                 <tbody>{rows}</tbody></table></div>"
            )
        };
        format!("<section><h2>Drill</h2><p>{}</p>{table}</section>", escape(&says))
    }
}

impl CheckReport {
    /// All accounts of the snapshot that were gone through.
    pub fn planned(&self) -> u64 {
        self.cleared + self.held + self.suppressed
    }

    /// Messages rendered and judged a second.
    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 { (self.cleared + self.held) as f64 / self.seconds } else { 0.0 }
    }

    /// The page.
    pub fn page(&self) -> String {
        let (mark, says) = if self.held > 0 {
            (
                ("held", "held"),
                format!("{} would have shown something wrong. Nothing was sent.", counted(self.held, "message")),
            )
        } else if self.drill.missed() > 0 {
            (("held", "blocked"), "The drill failed. Nothing was sent.".to_owned())
        } else {
            (
                ("accepted", "cleared"),
                format!(
                    "{}, each read again and bound to its recipient. Nothing was sent yet.",
                    counted(self.cleared, "message")
                ),
            )
        };
        let body = [
            self.head.header("Check", mark, &says),
            self.numbers(),
            self.by_rule(),
            self.drill.section(),
            self.calibration.as_ref().map(CalibrationReport::section).unwrap_or_default(),
            self.table(),
            self.head.facts(),
        ];
        self.head.page("Check", &body.join("\n"))
    }

    fn numbers(&self) -> String {
        let parts = [
            figure("accepted", "cleared", self.cleared),
            figure("held", "held", self.held),
            figure("suppressed", "suppressed", self.suppressed),
        ];
        let planned = self.planned();
        let mut all = vec![figure("planned", "planned", planned)];
        all.extend(parts);
        let [_, parts @ ..] = all.as_slice() else { return String::new() };
        format!(
            "<section>{}{}<p class=\"quiet\">Finished and judged in {:.1} s: {} a second.</p></section>",
            figures(&all, planned),
            bar(parts, planned),
            self.seconds,
            counted(self.per_second() as u64, "message")
        )
    }

    fn by_rule(&self) -> String {
        let most = self.rules.iter().map(|count| count.messages).max().unwrap_or(0);
        if most == 0 {
            return "<section><h2>Messages by rule</h2><p>No rule was broken.</p></section>".into();
        }
        let judged = self.cleared + self.held;
        let rows: String = self
            .rules
            .iter()
            .filter(|count| count.messages > 0)
            .map(|count| {
                format!(
                    "<div class=\"row\"><span class=\"rule\">{}</span><span class=\"track\"><i style=\"width:{:.2}%\"></i></span>\
                     <span class=\"much\">{} <small>{}</small></span></div>",
                    count.rule.as_str(),
                    count.messages as f64 / most as f64 * 100.0,
                    counted(count.messages, "message"),
                    share(count.messages, judged)
                )
            })
            .collect();
        format!(
            "<section><h2>Messages by rule</h2><p class=\"quiet\">A message that breaks several rules counts for each.</p><div class=\"chart\">{rows}</div></section>"
        )
    }

    fn table(&self) -> String {
        if self.found.is_empty() {
            return String::new();
        }
        let rows: String = self.found.iter().map(row).collect();
        let messages = self.found.iter().map(|row| &row.account).collect::<BTreeSet<_>>().len() as u64;
        let found = counted(self.found.len() as u64, "finding");
        // One message may have many findings: those that are not shown are told
        // by the messages that they are in.
        let said = if self.found.len() < FOUND_MAX && messages == self.held {
            format!("{found} in {}.", counted(messages, "held message"))
        } else {
            format!("The first {found}, in {} of {}.", number(messages), counted(self.held, "held message"))
        };
        format!(
            "<section><h2>Findings</h2><p class=\"quiet\">{said} Values are masked. Owner: the account that the \
             value belongs to.</p><div class=\"scroll\"><table class=\"findings\"><thead><tr><th>Account</th><th>Rule</th>\
             <th>Kind</th><th>Where</th><th>Shown</th><th>Owner</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
        )
    }
}

fn row(found: &FoundRow) -> String {
    let finding = &found.finding;
    format!(
        "<tr><td><code>{}</code></td><td><span class=\"rule\">{}</span></td><td>{}</td><td>{}</td><td class=\"shown\">{}</td><td>{}</td></tr>",
        escape(found.account.as_str()),
        finding.rule.as_str(),
        finding.kind.map_or("–", |kind| kind.as_str()),
        escape(&finding.place),
        escape(&finding.shown),
        finding.owner.as_ref().map_or("–".into(), |owner| format!("<code>{}</code>", escape(owner.as_str())))
    )
}

#[cfg(test)]
pub(in crate::report) mod tests {
    use super::*;
    use crate::account::Kind;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    fn way(way: &str, swapped: u64, held: u64, vacuous: u64) -> DrillWay {
        DrillWay { way: way.into(), swapped, held, vacuous }
    }

    fn clean() -> CheckReport {
        CheckReport {
            head: Head::made_up("2026-12 newsletter"),
            cleared: 164_512,
            held: 0,
            suppressed: 138,
            rules: Vec::new(),
            drill: DrillReport {
                ways: vec![
                    way("whole body", 200, 200, 0),
                    way("subject only", 200, 171, 29),
                    way("row below", 200, 200, 0),
                ],
            },
            calibration: Some(crate::report::calibration::tests::made_up(2_300, None)),
            found: Vec::new(),
            seconds: 41.7,
        }
    }

    pub(in crate::report) fn finding(
        rule: Rule,
        kind: Option<Kind>,
        place: &str,
        shown: &str,
        owner: Option<&str>,
    ) -> Finding {
        let owner = owner.map(|key| AccountId::new(key).unwrap());
        Finding { rule, kind, place: place.into(), shown: shown.into(), owner }
    }

    fn held() -> CheckReport {
        let row = |account: &str, finding| FoundRow { account: AccountId::new(account).unwrap(), finding };
        let place = "text/html, link 3";
        CheckReport {
            cleared: 163_301,
            held: 1_211,
            rules: vec![
                RuleCount { rule: Rule::Foreign, messages: 1_180 },
                RuleCount { rule: Rule::Unexplained, messages: 1 },
                RuleCount { rule: Rule::Salutation, messages: 402 },
                RuleCount { rule: Rule::Empty, messages: 0 },
            ],
            found: vec![
                row("10000001", finding(Rule::Foreign, Some(Kind::Id), "header Subject", "1••••••7", Some("10000007"))),
                row("10000001", finding(Rule::Foreign, Some(Kind::Domain), place, "h••••••••••e", Some("10000007"))),
                row("10000044", finding(Rule::Salutation, Some(Kind::Person), "text/plain, line 1", "山•••郎", None)),
                row("10000090", finding(Rule::Empty, None, "text/html", HOSTILE, None)),
            ],
            ..clean()
        }
    }

    #[test]
    fn a_clean_check_says_so_with_its_numbers() {
        let page = clean().page();
        assert!(page.contains("<span class=\"mark accepted\">cleared</span> 164,512 messages, each read again"));
        assert!(page.contains("<b>164,650</b><span>planned</span>"));
        assert!(page.contains("Finished and judged in 41.7 s: 3,945 messages a second."));
        assert!(page.contains("No rule was broken."));
        assert!(page.contains("571 of the 571 swapped messages that showed something of somebody else"), "{page}");
        assert!(!page.contains("<h2>Findings</h2>"));
        assert!(page.contains(
            "Of 2,300 values of directory version 41, planted in messages to others, the guard found 2,300."
        ));
        assert!(!CheckReport { calibration: None, ..clean() }.page().contains("Calibration"));
    }

    #[test]
    fn a_check_that_held_shows_what_where_and_whose() {
        let page = held().page();
        assert!(
            page.contains("<span class=\"mark held\">held</span> 1,211 messages would have shown something wrong.")
        );
        assert!(page.contains("1,180 messages <small>0.7 %</small>"));
        assert!(page.contains("The first 4 findings, in 3 of 1,211 held messages."));
        let all = CheckReport { held: 3, ..held() }.page();
        assert!(all.contains("4 findings in 3 held messages.") && !all.contains("The first"));
        let one = CheckReport { held: 1, found: vec![held().found[0].clone(); FOUND_MAX], ..held() }.page();
        assert!(one.contains("The first 50 findings, in 1 of 1 held message."));
        assert!(
            page.contains("<td><code>10000001</code></td><td><span class=\"rule\">foreign</span></td><td>domain</td>")
        );
        assert!(!page.contains("<span class=\"rule\">empty</span><span class=\"track\">"), "a rule nothing broke");
    }

    #[test]
    fn no_text_of_a_finding_or_a_campaign_becomes_markup() {
        let mut report = held();
        report.head.name = HOSTILE.into();
        report.head.author = HOSTILE.into();
        report.drill.ways[0].way = HOSTILE.into();
        let page = report.page();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)"));
    }

    #[test]
    fn a_drill_is_never_passed_off_as_proof_that_it_is_not() {
        let says = |ways| DrillReport { ways }.section();
        assert!(says(vec![]).contains("No message was swapped: nothing is proven."));
        assert!(says(vec![way("whole body", 9, 0, 9)]).contains("nothing is proven"));
        assert!(says(vec![way("whole body", 9, 8, 0)]).contains("cleared 1 swapped message that showed"));
        let report = CheckReport { drill: DrillReport { ways: vec![way("whole body", 9, 8, 0)] }, ..clean() };
        assert!(report.page().contains("<span class=\"mark held\">blocked</span>"));
    }

    #[test]
    fn the_same_data_serialises() {
        let json = serde_json::to_value(held()).unwrap();
        assert_eq!(json["rules"][0]["rule"], "foreign");
        assert_eq!(json["found"][1]["where"], "text/html, link 3");
        assert_eq!(json["found"][1]["account"], "10000001");
    }
}
