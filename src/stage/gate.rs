//! Whether the next stage may open.
//!
//! Input: the next stage and its own counts, those of every stage before it, the
//! campaign's limits, the drill, approval and the time. Output: [`Gate`], with
//! every reason. A gate that cannot tell (a rate that is no number, a drill that
//! was not run) does not open.
//!
//! Every earlier stage is judged, not the last alone: one of which nobody was
//! left to be mailed proves nothing, and hides nothing of those before it. What
//! it asked for itself, its approval and its soak, is still asked for.
//!
//! Rates are percentages of the messages *attempted*: those whose last attempt
//! has ended (accepted + deferred + rejected + expired + unknown). Messages that were
//! held, suppressed or not yet tried count neither above nor below the line, so
//! a stage of which most is still waiting cannot look healthier than it is.
//! Unknown ones count with the deferred: neither is known to have arrived. Expired
//! ones count with the rejected: neither will.

use crate::campaign::{Campaign, Stage};
use crate::clock;
use crate::ledger::Counts;
use crate::report::counted;

/// What a campaign allows before its gates close.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Accounts in the snapshot: with one alone there is nothing to swap.
    pub accounts: u64,
    /// Held messages up to which a gate still opens.
    pub held_max: u64,
    /// Rejected and expired messages, in percent of those attempted.
    pub rejected_percent_max: f64,
    /// Deferred and unknown messages, in percent of those attempted.
    pub deferred_percent_max: f64,
}

impl Limits {
    /// The limits of a frozen campaign.
    pub fn of(campaign: &Campaign) -> Self {
        let definition = &campaign.definition;
        Self {
            accounts: campaign.accounts,
            held_max: definition.held_max,
            rejected_percent_max: definition.rejected_percent_max,
            deferred_percent_max: definition.deferred_percent_max,
        }
    }
}

/// How a stage at the gate stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageCounts<'a> {
    /// The stage.
    pub stage: &'a Stage,
    /// Its messages by state.
    pub counts: Counts,
    /// When the last attempt so far ended; `None` if there was none.
    pub finished_ms: Option<i64>,
}

impl StageCounts<'_> {
    /// Rejected and expired messages in percent of those attempted; 0 when there
    /// were none.
    pub fn rejected_percent(&self) -> f64 {
        percent(self.counts.rejected + self.counts.expired, self.counts.attempted())
    }

    /// Deferred and unknown messages in percent of those attempted; 0 when
    /// there were none.
    pub fn deferred_percent(&self) -> f64 {
        percent(self.counts.deferred + self.counts.unknown, self.counts.attempted())
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// What the guard's drill found before this gate. Each swapped message is
/// counted once: as held, as vacuous, or as missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct DrillSummary {
    /// Swapped messages that were judged.
    pub swapped: u64,
    /// Those of them that were held.
    pub held: u64,
    /// Those of them that were not held and showed nothing identifying, and so
    /// prove nothing.
    pub vacuous: u64,
}

impl DrillSummary {
    /// Swapped messages that showed somebody else's data and were cleared.
    pub fn missed(&self) -> u64 {
        self.swapped.saturating_sub(self.held).saturating_sub(self.vacuous)
    }
}

/// Whether the next stage may open, and if not, everything that is in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Go.
    Open,
    /// Not yet.
    Wait {
        /// When it opens by itself, if time alone is missing.
        until_ms: Option<i64>,
        /// Whether somebody must decide or act before it opens; where that is not so, and
        /// no time is named, deferred messages are to be tried again.
        asks_person: bool,
        /// What is missing.
        why: String,
    },
    /// The campaign halts.
    Stop {
        /// What went wrong.
        why: String,
    },
}

/// Decides whether `next` may open after all the stages before it.
///
/// It stops when the drill missed a swap, more messages were held than the
/// campaign allows (in `next` too, where it was open before), or too large a
/// share was rejected: none of these mends by waiting. It waits for messages
/// without an outcome, for the deferral rate to come down (deferred messages are
/// tried again, unknown ones settled), for a drill that was not run, for
/// approval, and for the soak. A limit that is reached exactly is kept.
pub fn gate(
    next: &StageCounts<'_>,
    earlier: &[StageCounts<'_>],
    limits: &Limits,
    drill: DrillSummary,
    approved: bool,
    now_ms: i64,
) -> Gate {
    let stops = reasons_to_stop(next, earlier, limits, drill);
    if !stops.is_empty() {
        return Gate::Stop { why: stops.join("; ") };
    }
    let mut waits: Vec<Missing> = earlier.iter().flat_map(|before| reasons_to_wait(before, limits)).collect();
    if drill.swapped == 0 && limits.accounts > 1 {
        waits.push(Missing::person("the drill has not been run".into()));
    }
    // A stage that was sent had its approval; one that was passed over had none.
    let passed_over = earlier.iter().filter(|before| before.counts.attempted() == 0);
    let asks = [next].into_iter().chain(passed_over).find(|stage| stage.stage.approval);
    if let (Some(asks), false) = (asks, approved) {
        waits.push(Missing::person(format!(
            "stage {:?} asks for the approval of somebody other than the author (`campaign approve`)",
            asks.stage.name
        )));
    }
    let soak = soak(earlier, now_ms);
    // Only when time alone is missing can a moment be named.
    let until_ms = if waits.is_empty() { soak.map(|(until_ms, _)| until_ms) } else { None };
    if let Some((until_ms, stage)) = soak {
        waits.push(Missing::time(format!("stage {:?} soaks until {}", stage.name, clock::show(until_ms))));
    }
    if waits.is_empty() {
        return Gate::Open;
    }
    let asks_person = waits.iter().any(|missing| missing.asks_person);
    let why: Vec<String> = waits.into_iter().map(|missing| missing.what).collect();
    Gate::Wait { until_ms, asks_person, why: why.join("; ") }
}

/// Something that a gate waits for.
struct Missing {
    what: String,
    /// Whether somebody must decide or act; otherwise time brings it.
    asks_person: bool,
}

impl Missing {
    fn person(what: String) -> Self {
        Self { what, asks_person: true }
    }

    fn time(what: String) -> Self {
        Self { what, asks_person: false }
    }
}

fn reasons_to_stop(
    next: &StageCounts<'_>,
    earlier: &[StageCounts<'_>],
    limits: &Limits,
    drill: DrillSummary,
) -> Vec<String> {
    let mut why = Vec::new();
    if drill.missed() > 0 || drill.held + drill.vacuous > drill.swapped {
        why.push(format!(
            "the drill failed: of {} swapped messages the guard held {} and cleared {}",
            drill.swapped,
            drill.held,
            drill.missed()
        ));
    }
    for stage in earlier.iter().chain([next]).filter(|stage| stage.counts.held > limits.held_max) {
        why.push(format!(
            "the guard held {} of stage {:?}; the limit is {}",
            messages(stage.counts.held),
            stage.stage.name,
            limits.held_max
        ));
    }
    for before in earlier.iter().filter(|before| !within(before.rejected_percent(), limits.rejected_percent_max)) {
        why.push(format!(
            "{:.1} % of stage {:?} was rejected{} ({} of {} attempted); the limit is {} %",
            before.rejected_percent(),
            before.stage.name,
            if before.counts.expired > 0 { " or has expired" } else { "" },
            before.counts.rejected + before.counts.expired,
            before.counts.attempted(),
            limits.rejected_percent_max
        ));
    }
    why
}

fn reasons_to_wait(before: &StageCounts<'_>, limits: &Limits) -> Vec<Missing> {
    let mut why = Vec::new();
    let open = before.counts.left();
    if open > 0 {
        let what = format!("{} of stage {:?} without an outcome yet", messages(open), before.stage.name);
        why.push(Missing::person(what));
    }
    if !within(before.deferred_percent(), limits.deferred_percent_max) {
        let settle = match before.counts.unknown {
            0 => "",
            _ => "; settle the unknown ones with `kakitome reconcile LOG` or `kakitome campaign settle`",
        };
        let what = format!(
            "{:.1} % of stage {:?} is deferred or unknown ({} and {} of {} attempted); the limit is {} %{settle}",
            before.deferred_percent(),
            before.stage.name,
            before.counts.deferred,
            before.counts.unknown,
            before.counts.attempted(),
            limits.deferred_percent_max
        );
        // Time tries the deferred ones again, and settles no unknown one.
        let unknown_percent = percent(before.counts.unknown, before.counts.attempted());
        why.push(Missing { what, asks_person: !within(unknown_percent, limits.deferred_percent_max) });
    }
    if before.counts.attempted() > 0 && before.finished_ms.is_none() {
        why.push(Missing::person(format!("it is not known when stage {:?} ended", before.stage.name)));
    }
    why
}

/// When the last soak ends, if it has not, and whose it is. A stage of which
/// nobody was mailed soaks from the end of the one before it.
fn soak<'a>(earlier: &[StageCounts<'a>], now_ms: i64) -> Option<(i64, &'a Stage)> {
    let mut ended_ms = None;
    let mut last: Option<(i64, &Stage)> = None;
    for before in earlier {
        ended_ms = ended_ms.max(before.finished_ms);
        let Some(ended_ms) = ended_ms else { continue };
        let until_ms = ended_ms.saturating_add(before.stage.soak.as_ms());
        if until_ms > now_ms && last.is_none_or(|(latest_ms, _)| until_ms >= latest_ms) {
            last = Some((until_ms, before.stage));
        }
    }
    last
}

/// False, too, when either is no number: a gate that cannot tell stays shut.
fn within(rate: f64, max: f64) -> bool {
    rate <= max
}

fn messages(count: u64) -> String {
    counted(count, "message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::default_ladder;

    const LIMITS: Limits =
        Limits { accounts: 1000, held_max: 0, rejected_percent_max: 5.0, deferred_percent_max: 20.0 };
    const PASSED: DrillSummary = DrillSummary { swapped: 200, held: 200, vacuous: 0 };
    const ENDED_MS: i64 = 1_795_515_420_000;
    const SOAK_MS: i64 = 600_000;

    fn sent(accepted: u64) -> Counts {
        Counts { accepted, ..Counts::default() }
    }

    fn fresh(stage: &Stage) -> StageCounts<'_> {
        StageCounts { stage, counts: Counts::default(), finished_ms: None }
    }

    /// Canary (soak 10 m) before, wave next.
    fn judge(change: impl FnOnce(&mut Counts), drill: DrillSummary, now_ms: i64) -> Gate {
        let ladder = default_ladder();
        let mut before = StageCounts { stage: &ladder[0], counts: sent(100), finished_ms: Some(ENDED_MS) };
        change(&mut before.counts);
        gate(&fresh(&ladder[1]), &[before], &LIMITS, drill, false, now_ms)
    }

    fn after_soak(change: impl FnOnce(&mut Counts)) -> Gate {
        judge(change, PASSED, ENDED_MS + SOAK_MS)
    }

    fn stops(gate: &Gate, part: &str) -> bool {
        matches!(gate, Gate::Stop { why } if why.contains(part))
    }

    fn waits(gate: &Gate, part: &str) -> bool {
        matches!(gate, Gate::Wait { until_ms: None, why, .. } if why.contains(part))
    }

    #[test]
    fn a_gate_opens_when_the_soak_is_over_and_not_a_millisecond_before() {
        assert_eq!(after_soak(|_| ()), Gate::Open);
        let early = judge(|_| (), PASSED, ENDED_MS + SOAK_MS - 1);
        let Gate::Wait { until_ms, why, asks_person: false } = early else { panic!("{early:?}") };
        assert_eq!(until_ms, Some(ENDED_MS + SOAK_MS));
        assert!(why.contains("\"canary\" soaks until 2026-11-24 10:27:00Z"), "{why}");
    }

    #[test]
    fn the_first_stage_needs_the_drill_and_its_approval() {
        let ladder = default_ladder();
        let first = |drill, approved| gate(&fresh(&ladder[0]), &[], &LIMITS, drill, approved, 0);
        assert_eq!(first(PASSED, true), Gate::Open);
        assert!(waits(&first(PASSED, false), "approval of somebody other"));
        assert!(waits(&first(DrillSummary::default(), true), "drill has not been run"));
        let both = first(DrillSummary::default(), false);
        assert!(waits(&both, "drill") && waits(&both, "approval"), "{both:?}");
    }

    #[test]
    fn a_missed_swap_stops_and_vacuous_swaps_alone_do_not() {
        assert!(stops(&judge(|_| (), DrillSummary { held: 199, ..PASSED }, i64::MAX), "held 199 and cleared 1"));
        let vacuous = DrillSummary { swapped: 200, held: 150, vacuous: 50 };
        assert_eq!(judge(|_| (), vacuous, i64::MAX), Gate::Open);
        let too_many = DrillSummary { swapped: 200, held: 200, vacuous: 1 };
        assert!(stops(&judge(|_| (), too_many, i64::MAX), "drill failed"));
    }

    #[test]
    fn with_one_account_alone_there_is_nothing_to_swap() {
        let ladder = default_ladder();
        let limits = Limits { accounts: 1, ..LIMITS };
        assert_eq!(gate(&fresh(&ladder[0]), &[], &limits, DrillSummary::default(), true, 0), Gate::Open);
    }

    #[test]
    fn one_held_message_stops_the_line() {
        let held = after_soak(|counts| counts.held = 1);
        assert!(stops(&held, "the guard held 1 message of stage \"canary\"; the limit is 0"), "{held:?}");
        // A stop is told even while other things are still to be waited for.
        assert!(stops(&after_soak(|counts| (counts.held, counts.checked) = (1, 9)), "held 1 message"));
    }

    #[test]
    fn held_messages_up_to_the_limit_pass() {
        let ladder = default_ladder();
        let limits = Limits { held_max: 2, ..LIMITS };
        let open = |held| {
            let before = StageCounts { stage: &ladder[0], counts: Counts { held, ..sent(9) }, finished_ms: Some(0) };
            gate(&fresh(&ladder[1]), &[before], &limits, PASSED, false, SOAK_MS) == Gate::Open
        };
        assert!(open(2));
        assert!(!open(3));
    }

    #[test]
    fn rejects_at_their_limit_pass_and_above_it_stop() {
        assert_eq!(after_soak(|counts| (counts.accepted, counts.rejected) = (95, 5)), Gate::Open);
        let expired = after_soak(|counts| (counts.accepted, counts.rejected, counts.expired) = (94, 3, 3));
        assert!(stops(&expired, "6.0 % of stage \"canary\" was rejected or has expired (6 of 100 attempted)"));
        let above = after_soak(|counts| (counts.accepted, counts.rejected) = (94, 6));
        assert!(
            stops(&above, "6.0 % of stage \"canary\" was rejected (6 of 100 attempted); the limit is 5 %"),
            "{above:?}"
        );
    }

    #[test]
    fn rates_are_of_attempted_messages_only() {
        let above = after_soak(|counts| (counts.accepted, counts.rejected, counts.suppressed) = (9, 1, 990));
        assert!(stops(&above, "10.0 %"), "{above:?}");
        let ladder = default_ladder();
        let counts = Counts { suppressed: 50, ..Counts::default() };
        let nobody = StageCounts { stage: &ladder[0], counts, finished_ms: None };
        let next = gate(&fresh(&ladder[1]), &[nobody], &LIMITS, PASSED, true, 0);
        assert_eq!(next, Gate::Open, "a stage of which nobody was left is no obstacle");
    }

    #[test]
    fn deferred_and_unknown_messages_are_waited_for() {
        assert_eq!(after_soak(|counts| (counts.accepted, counts.deferred, counts.unknown) = (80, 19, 1)), Gate::Open);
        let above = after_soak(|counts| (counts.accepted, counts.deferred, counts.unknown) = (79, 0, 21));
        assert!(waits(&above, "21.0 % of stage \"canary\" is deferred or unknown"), "{above:?}");
    }

    #[test]
    fn messages_without_an_outcome_are_waited_for_without_a_time() {
        for change in [|c: &mut Counts| c.checked = 3, |c: &mut Counts| c.claimed = 3] {
            assert!(waits(&after_soak(change), "3 messages of stage \"canary\" without an outcome"));
            // The soak alone would name a time; with something else missing too, none can be named.
            assert!(waits(&judge(change, PASSED, ENDED_MS), "soaks until"));
        }
    }

    #[test]
    fn a_gate_that_cannot_tell_stays_shut() {
        let ladder = default_ladder();
        let before = StageCounts { stage: &ladder[0], counts: sent(1), finished_ms: Some(0) };
        let with = |limits| gate(&fresh(&ladder[1]), &[before], &limits, PASSED, false, i64::MAX);
        assert_eq!(with(LIMITS), Gate::Open);
        assert!(stops(&with(Limits { rejected_percent_max: f64::NAN, ..LIMITS }), "rejected"));
        assert!(waits(&with(Limits { deferred_percent_max: f64::NAN, ..LIMITS }), "deferred"));
        let endless = StageCounts { finished_ms: None, ..before };
        assert!(waits(&gate(&fresh(&ladder[1]), &[endless], &LIMITS, PASSED, false, i64::MAX), "not known when"));
    }

    #[test]
    fn approval_is_asked_only_where_the_stage_asks() {
        let mut ladder = default_ladder();
        ladder[2].approval = true;
        let before = StageCounts { stage: &ladder[1], counts: sent(1), finished_ms: Some(0) };
        let third = |approved| gate(&fresh(&ladder[2]), &[before], &LIMITS, PASSED, approved, 0);
        assert!(waits(&third(false), "stage \"rest\" asks for the approval"));
        assert_eq!(third(true), Gate::Open);
    }

    #[test]
    fn a_soak_beyond_all_time_waits() {
        let mut ladder = default_ladder();
        ladder[0].soak = crate::units::Span(std::time::Duration::MAX);
        let before = StageCounts { stage: &ladder[0], counts: sent(1), finished_ms: Some(ENDED_MS) };
        let waiting = gate(&fresh(&ladder[1]), &[before], &LIMITS, PASSED, false, ENDED_MS);
        assert!(matches!(waiting, Gate::Wait { until_ms: Some(i64::MAX), .. }), "{waiting:?}");
    }

    #[test]
    fn a_stage_of_which_nobody_was_left_hides_none_before_it() {
        let ladder = default_ladder();
        let nobody = Counts { suppressed: 50, ..Counts::default() };
        let rest = |canary: Counts, now_ms| {
            let before = StageCounts { stage: &ladder[0], counts: canary, finished_ms: Some(ENDED_MS) };
            let empty = StageCounts { stage: &ladder[1], counts: nobody, finished_ms: None };
            gate(&fresh(&ladder[2]), &[before, empty], &LIMITS, PASSED, true, now_ms)
        };
        let later = ENDED_MS + SOAK_MS;
        assert_eq!(rest(sent(100), later), Gate::Open);
        assert!(matches!(rest(sent(100), later - 1), Gate::Wait { until_ms: Some(until), .. } if until == later));
        assert!(stops(&rest(Counts { rejected: 100, ..Counts::default() }, later), "of stage \"canary\" was rejected"));
        assert!(stops(&rest(Counts { held: 1, ..sent(99) }, later), "the guard held 1 message of stage \"canary\""));
        assert!(waits(&rest(Counts { checked: 1, ..sent(99) }, later), "without an outcome"));
    }

    #[test]
    fn a_stage_of_which_nobody_was_left_keeps_its_own_soak_and_approval() {
        let mut ladder = default_ladder();
        (ladder[0].soak, ladder[1].soak) = (ladder[1].soak, ladder[0].soak);
        ladder[1].approval = true;
        let before = StageCounts { stage: &ladder[0], counts: sent(1), finished_ms: Some(ENDED_MS) };
        let empty = fresh(&ladder[1]);
        let rest = |approved, now_ms| gate(&fresh(&ladder[2]), &[before, empty], &LIMITS, PASSED, approved, now_ms);
        assert_eq!(rest(true, ENDED_MS + SOAK_MS), Gate::Open);
        assert!(waits(&rest(false, ENDED_MS + SOAK_MS), "asks for the approval"));
        assert!(
            matches!(rest(true, ENDED_MS), Gate::Wait { until_ms: Some(until), .. } if until == ENDED_MS + SOAK_MS)
        );
    }

    #[test]
    fn what_was_held_of_the_open_stage_itself_stops_it() {
        let ladder = default_ladder();
        let open = StageCounts { counts: Counts { held: 1, checked: 9, ..Counts::default() }, ..fresh(&ladder[0]) };
        let again = gate(&open, &[], &LIMITS, PASSED, true, i64::MAX);
        assert!(stops(&again, "the guard held 1 message of stage \"canary\""), "{again:?}");
    }

    #[test]
    fn a_person_is_asked_for_where_time_alone_does_not_help() {
        let asks_person = |gate: Gate| match gate {
            Gate::Wait { asks_person, .. } => asks_person,
            other => panic!("{other:?}"),
        };
        assert!(!asks_person(judge(|_| (), PASSED, ENDED_MS)), "the soak");
        assert!(!asks_person(after_soak(|counts| (counts.accepted, counts.deferred) = (79, 21))), "tried again");
        assert!(!asks_person(judge(|counts| (counts.accepted, counts.deferred) = (79, 21), PASSED, ENDED_MS)));
        assert!(!asks_person(after_soak(|c| (c.accepted, c.deferred, c.unknown) = (79, 20, 1))), "time may be enough");
        assert!(asks_person(after_soak(|counts| (counts.accepted, counts.unknown) = (79, 21))), "to be settled");
        assert!(asks_person(after_soak(|counts| counts.checked = 3)));
        assert!(asks_person(judge(|_| (), DrillSummary::default(), ENDED_MS)), "a soak beside it changes nothing");
        let mut ladder = default_ladder();
        ladder[1].approval = true;
        let before = StageCounts { stage: &ladder[0], counts: sent(100), finished_ms: Some(ENDED_MS) };
        let next = |approved| gate(&fresh(&ladder[1]), &[before], &LIMITS, PASSED, approved, ENDED_MS);
        assert!(asks_person(next(false)) && !asks_person(next(true)), "approval, and a soak beside it");
    }

    #[test]
    fn unknown_messages_are_named_with_what_to_do() {
        let small = after_soak(|counts| (counts.accepted, counts.unknown) = (2, 3));
        assert!(waits(&small, "kakitome reconcile LOG"), "{small:?}");
        assert!(!waits(&after_soak(|counts| (counts.accepted, counts.deferred) = (2, 3)), "reconcile"));
    }
}
