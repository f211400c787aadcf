//! The campaign's report: the ladder, what came of every message, and the proof
//! that the ledger behind it is whole.

use serde::Serialize;

use crate::campaign::State;
use crate::clock;
use crate::ledger::Counts;
use crate::report::html::{Figure, bar, counted, escape, figure, figures, number, sentence};
use crate::report::{CalibrationReport, Head};

/// How a campaign stands.
#[derive(Clone, Debug, Serialize)]
pub struct CampaignReport {
    /// The campaign.
    pub head: Head,
    /// Its state.
    pub state: State,
    /// What it waits for or why it stopped, if it does or did.
    pub why: Option<String>,
    /// The ladder, from its first step.
    pub stages: Vec<StageReport>,
    /// The calibration of the directory version that it was checked against, where that is
    /// known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// What happened when, the oldest first.
    pub moments: Vec<Moment>,
    /// What servers replied, other than accepting; the most frequent first.
    pub replies: Vec<ReplyCount>,
    /// The ledger's proof.
    pub ledger: LedgerProof,
}

/// One step of the ladder.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// Who is in it, in words: `50, chosen to cover the template`.
    pub size: String,
    /// How far it is.
    pub passage: Passage,
    /// Its messages by state.
    pub counts: Counts,
    /// When it opened.
    pub opened_ms: Option<i64>,
    /// When its last attempt ended.
    pub finished_ms: Option<i64>,
    /// What its gate waits for, or why it stopped.
    pub why: Option<String>,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Passage {
    /// Its gate is shut.
    Closed,
    /// Its messages are being sent.
    Open,
    /// Every message has an outcome.
    Through,
    /// The campaign stopped here.
    Stopped,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// When.
    pub at_ms: i64,
    /// What, in a few words: `approved by jiro`.
    pub what: String,
}

/// How often a server said the same.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyCount {
    /// The reply code; 0: no reply.
    pub code: u16,
    /// Its text, with addresses masked.
    pub text: String,
    /// How often.
    pub count: u64,
}

/// What verifying the ledger gave.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerProof {
    /// Entries in the chain.
    pub entries: u64,
    /// The newest link, in hex: keep it elsewhere, and nobody can rewrite what
    /// is older.
    pub head: String,
    /// Where the chain is broken, if it is.
    pub broken: Option<String>,
}

impl Passage {
    fn mark(self) -> (&'static str, &'static str) {
        match self {
            Passage::Closed => ("planned", "closed"),
            Passage::Open => ("deferred", "open"),
            Passage::Through => ("accepted", "through"),
            Passage::Stopped => ("held", "stopped"),
        }
    }
}

impl CampaignReport {
    /// All messages by state.
    pub fn totals(&self) -> Counts {
        let states = crate::ledger::State::ALL.into_iter();
        states.map(|state| (state, self.stages.iter().map(|stage| stage.counts.of(state)).sum())).collect()
    }

    /// The page.
    pub fn page(&self) -> String {
        let totals = self.totals();
        let body = [
            self.head.header("Campaign", (mark(self.state), self.state.as_str()), &self.says(&totals)),
            format!(
                "<section>{}{}</section>",
                figures(&parts(&totals), totals.total()),
                bar(&parts(&totals), totals.total())
            ),
            format!(
                "<section><h2>Stages</h2><ol class=\"ladder\">{}</ol></section>",
                self.stages.iter().map(step).collect::<String>()
            ),
            self.replies(),
            self.timeline(),
            self.calibration.as_ref().map(CalibrationReport::section).unwrap_or_default(),
            self.ledger.section(),
            self.head.facts(),
        ];
        self.head.page("Campaign", &body.join("\n"))
    }

    fn says(&self, totals: &Counts) -> String {
        let sent = format!("{} of {} accepted.", number(totals.accepted), counted(totals.total(), "message"));
        match &self.why {
            Some(why) => format!("{sent} {}", sentence(why)),
            None => sent,
        }
    }

    fn replies(&self) -> String {
        if self.replies.is_empty() {
            return String::new();
        }
        let row = |reply: &ReplyCount| {
            let code = if reply.code == 0 { "–".to_owned() } else { reply.code.to_string() };
            let (text, count) = (escape(&reply.text), number(reply.count));
            format!("<tr><td class=\"n\">{count}</td><td><code>{code}</code></td><td class=\"shown\">{text}</td></tr>")
        };
        format!(
            "<section><h2>What servers said</h2><div class=\"scroll\"><table><thead><tr><th class=\"n\">Times</th>\
             <th>Code</th><th>Reply</th></tr></thead><tbody>{}</tbody></table></div></section>",
            self.replies.iter().map(row).collect::<String>()
        )
    }

    fn timeline(&self) -> String {
        if self.moments.is_empty() {
            return String::new();
        }
        let row = |moment: &Moment| {
            format!("<li><time>{}</time><span>{}</span></li>", clock::show(moment.at_ms), escape(&moment.what))
        };
        let rows = self.moments.iter().map(row).collect::<String>();
        format!("<section><h2>What happened</h2><ol class=\"timeline\">{rows}</ol></section>")
    }
}

impl LedgerProof {
    fn section(&self) -> String {
        let said = match &self.broken {
            None => format!(
                "<p><span class=\"mark accepted\">whole</span> {} chained; every state follows from them.</p>",
                counted(self.entries, "entry")
            ),
            Some(why) => format!(
                "<p><span class=\"mark held\">broken</span> {} Restore a backup, and trust no count above.</p>",
                escape(&sentence(why))
            ),
        };
        format!(
            "<section><h2>Ledger</h2>{said}<p class=\"quiet\">Newest link <code>{}</code></p></section>",
            escape(&self.head)
        )
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Frozen | State::Checked => "planned",
        State::Approved | State::Sending | State::Paused => "deferred",
        State::Halted => "held",
        State::Finished => "accepted",
    }
}

/// A stage's messages, in the order of the bar.
fn parts(counts: &Counts) -> [Figure; 8] {
    [
        figure("accepted", "accepted", counts.accepted),
        figure("deferred", "deferred", counts.deferred),
        figure("rejected", "rejected", counts.rejected),
        figure("expired", "expired", counts.expired),
        figure("unknown", "unknown", counts.unknown),
        figure("held", "held", counts.held),
        figure("suppressed", "suppressed", counts.suppressed),
        figure("planned", "waiting", counts.planned + counts.checked + counts.claimed),
    ]
}

fn step(stage: &StageReport) -> String {
    let (class, word) = stage.passage.mark();
    let parts = parts(&stage.counts);
    let said: Vec<_> = parts
        .iter()
        .filter(|part| part.value > 0)
        .map(|part| format!("<span class=\"key {}\">{} {}</span>", part.class, number(part.value), part.name))
        .collect();
    let times = match (stage.opened_ms, stage.finished_ms) {
        (Some(opened), Some(finished)) => format!("{} – {}", clock::show(opened), clock::show(finished)),
        (Some(opened), None) => format!("since {}", clock::show(opened)),
        (None, _) => String::new(),
    };
    let why =
        stage.why.as_ref().map(|why| format!("<p class=\"why\">{}</p>", escape(&sentence(why)))).unwrap_or_default();
    format!(
        "<li class=\"{class}\"><h3>{}<span class=\"mark {class}\">{word}</span></h3>\
         <p class=\"quiet\">{} · {}{}{times}</p>{}<p class=\"keys\">{}</p>{why}</li>",
        escape(&stage.name),
        escape(&stage.size),
        counted(stage.counts.total(), "message"),
        if times.is_empty() { "" } else { " · " },
        bar(&parts, stage.counts.total()),
        said.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 1_795_500_000_000;

    fn stage(name: &str, size: &str, passage: Passage, counts: Counts) -> StageReport {
        let opened_ms = (passage != Passage::Closed).then_some(DAY_MS);
        let finished_ms = (passage == Passage::Through).then_some(DAY_MS + 61_000);
        StageReport { name: name.into(), size: size.into(), passage, counts, opened_ms, finished_ms, why: None }
    }

    fn sending() -> CampaignReport {
        let sent = |accepted, deferred, rejected| Counts { accepted, deferred, rejected, ..Counts::default() };
        let moment = |after_ms, what: &str| Moment { at_ms: DAY_MS + after_ms, what: what.into() };
        let reply = |code, text: &str, count| ReplyCount { code, text: text.into(), count };
        let wave = Counts { unknown: 3, suppressed: 9, checked: 2_000, claimed: 8, ..sent(14_180, 212, 53) };
        let mut stages = vec![
            stage("staff", "2 named accounts", Passage::Through, sent(2, 0, 0)),
            stage("canary", "50, chosen to cover the template", Passage::Through, sent(50, 0, 0)),
            stage("wave", "10 % of the audience", Passage::Open, wave),
            stage("rest", "everybody left", Passage::Closed, Counts { checked: 148_133, ..Counts::default() }),
        ];
        stages[3].why = Some("stage \"wave\" soaks until 2026-11-24 10:27:00Z".into());
        CampaignReport {
            head: Head::made_up("2026-12 newsletter"),
            state: State::Sending,
            why: None,
            stages,
            calibration: Some(crate::report::calibration::tests::made_up(2_298, Some(("ada", "closed list")))),
            moments: vec![
                moment(-9_000_000, "frozen by hanako: 164,650 accounts"),
                moment(-8_100_000, "checked: 164,650 cleared, 0 held; the drill passed"),
                moment(-3_600_000, "approved by jiro"),
                moment(0, "stage staff opened"),
                moment(61_000, "stage canary opened"),
            ],
            replies: vec![
                reply(450, "4.2.0 •••@••• greylisted, try again later", 212),
                reply(550, "5.1.1 no such user", 53),
                reply(0, "the connection was lost after the final dot", 3),
            ],
            ledger: LedgerProof { entries: 1_733, head: blake3::hash(b"link").to_hex().to_string(), broken: None },
        }
    }

    fn halted() -> CampaignReport {
        let mut report = sending();
        report.state = State::Halted;
        report.why = Some("the guard held 1 message of stage \"wave\"; the limit is 0".into());
        report.stages[2].passage = Passage::Stopped;
        report.stages[2].counts.held = 1;
        report.stages[2].why = report.why.clone();
        report.stages[3].why = None;
        report.ledger.broken = Some("entry 1,204 does not follow from the one before".into());
        report
    }

    #[test]
    fn every_stage_shows_its_counts_and_what_it_waits_for() {
        let page = sending().page();
        assert!(page.contains("14,232 of 164,650 messages accepted."), "{page}");
        assert!(page.contains("<span class=\"key rejected\">53 rejected</span>"));
        assert!(page.contains("<span class=\"key planned\">2,008 waiting</span>"));
        assert!(page.contains("<p class=\"why\">Stage &quot;wave&quot; soaks until 2026-11-24 10:27:00Z.</p>"));
        assert!(page.contains("<span class=\"mark accepted\">whole</span> 1,733 entries chained"));
    }

    #[test]
    fn the_totals_are_the_sums_of_the_stages() {
        let totals = sending().totals();
        assert_eq!(totals.total(), 164_650);
        assert_eq!((totals.accepted, totals.unknown, totals.claimed), (14_232, 3, 8));
    }

    #[test]
    fn a_halt_and_a_broken_ledger_are_said_plainly() {
        let page = halted().page();
        assert!(
            page.contains(
                "<span class=\"mark held\">halted</span> 14,232 of 164,651 messages accepted. The guard held"
            )
        );
        assert!(
            page.contains("<span class=\"mark held\">broken</span> Entry 1,204 does not follow from the one before.")
        );
        assert!(!page.contains(">whole</span>"));
    }

    #[test]
    fn no_name_reason_or_reply_becomes_markup() {
        let mut report = halted();
        let hostile = || "<script>".to_owned();
        report.why = Some(hostile());
        report.stages[0].name = hostile();
        report.stages[0].size = hostile();
        report.stages[0].why = Some(hostile());
        report.moments[0].what = hostile();
        report.replies[0].text = hostile();
        report.ledger.head = hostile();
        report.ledger.broken = Some(hostile());
        let page = report.page();
        assert!(!page.contains("<script"));
        assert_eq!(page.matches("&lt;script&gt;").count(), 8, "each is still shown");
    }

    #[test]
    fn a_campaign_without_anybody_is_a_page_too() {
        let report = CampaignReport { stages: vec![], moments: vec![], replies: vec![], ..sending() };
        assert!(report.page().contains("0 of 0 messages accepted."));
    }
}
