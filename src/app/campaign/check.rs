//! `campaign check`: render and judge everybody on all cores, run the drill,
//! store a digest per message, send nothing. Opaque tokens that two messages share
//! are told at the end, and hold both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;

use crate::account::{AccountId, Recipient};
use crate::app::App;
use crate::app::campaign::loaded::{self, LoadedCampaign};
use crate::app::campaign::proven::Proven;
use crate::app::campaign::tokens::SharedTokens;
use crate::app::campaign::{approve, drill};
use crate::app::directory::calibrate;
use crate::campaign::{Campaign, State};
use crate::error::{Error, Result};
use crate::guard::drill::{Drill, Tally, Way};
use crate::guard::{Finding, Guard, Judge, Rule};
use crate::progress;
use crate::report::{self, CalibrationReport, DrillReport, DrillWay, FoundRow, Head, RuleCount};
use crate::stage::DrillSummary;
use crate::store::{Checked, Planned, Verdict};
use crate::telemetry::event;

/// Messages fetched, judged and recorded together.
const PAGE: usize = 2_000;
/// Findings kept for the table and the page.
const FIRST: usize = report::FOUND_MAX;

/// What a check found.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// The campaign.
    pub campaign: i64,
    /// Accounts in the snapshot.
    pub planned: u64,
    /// Messages cleared.
    pub cleared: u64,
    /// Messages held.
    pub held: u64,
    /// Accounts that get no mail.
    pub suppressed: u64,
    /// Messages with at least one finding of the rule.
    pub findings_by_rule: BTreeMap<String, u64>,
    /// The drill.
    pub drill: Drill,
    /// The calibration of the directory version that it checked against, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// The digest over every message's digest, in hex: what approval signs.
    pub digest: String,
    /// Approvals that were taken back, because they signed something else.
    pub withdrawn: u64,
    /// Whether there were more opaque tokens than are remembered, so that messages far
    /// apart were not compared by them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forgot_tokens: bool,
    /// How long it took.
    pub seconds: f64,
    /// Finished and judged, in this run.
    pub messages_per_second: f64,
    /// The first findings.
    #[serde(skip)]
    pub first: Vec<(AccountId, Finding)>,
}

impl CheckReport {
    /// Whether the campaign may be approved as it is.
    pub fn passed(&self, held_max: u64) -> bool {
        self.held <= held_max && self.drill.passed()
    }
}

/// Runs the check and records what it found.
///
/// # Errors
/// The campaign is already being sent, the directory cannot be used, or the
/// store fails.
pub async fn check(app: &App, id: i64) -> Result<CheckReport> {
    let campaign = app.campaign(id).await?;
    let state = app.store.state(id).await?;
    if !state.may_become(State::Checked) {
        return Err(Error::gate(format!("campaign {id} cannot be checked")).why(format!("it is {}", state.as_str())));
    }
    // A directory that cannot be used is no reason to take an approval back.
    let calibration = calibrate::report(&app.version().await?);
    let started = Instant::now();
    // A check that is not finished leaves the campaign unapproved.
    app.store.set_state(id, &[state], State::Frozen, app.clock.now_ms()).await?;
    let guard = Arc::new(loaded::guard(app).await?);
    let bound = Arc::new(LoadedCampaign::load(app, &campaign).await?);
    judge_of(&guard, &bound)?;
    let tokens = Arc::new(SharedTokens::new(bound.terms()));
    let judged = everybody(app, &campaign, &guard, &bound, &tokens).await?;
    tokens.hold(app, id).await?;
    let drill = drill::run(app, &campaign, &guard, &bound).await?;
    let proven = Proven { drill, calibration };
    app.store.record_drill(id, &proven, app.clock.now_ms()).await?;
    let mut report = summary(app, &campaign, proven, judged, started).await?;
    report.forgot_tokens = tokens.has_forgotten();
    let passed = report.passed(campaign.definition.held_max);
    // An approval of anything else than what is there now is none.
    let approved = passed && approve::still_hold(app, &campaign).await?;
    if !approved {
        report.withdrawn = app.store.withdraw_approvals(id, app.clock.now_ms()).await?;
    }
    if report.withdrawn > 0 {
        event::approvals_withdrawn(id, report.withdrawn);
    }
    if passed {
        app.store.set_state(id, &[State::Frozen], State::Checked, app.clock.now_ms()).await?;
    }
    if approved {
        app.store.set_state(id, &[State::Checked], State::Approved, app.clock.now_ms()).await?;
    }
    event::check_finished(id, report.cleared, report.held, report.suppressed, started.elapsed());
    event::drill_finished(id, self::drill_summary(&report.drill));
    Ok(report)
}

/// A judge of the bound campaign's terms.
///
/// # Errors
/// A term that cannot be used.
pub fn judge_of<'a>(guard: &'a Guard, bound: &'a LoadedCampaign) -> Result<Judge<'a>> {
    guard.judge_with(bound.terms(), bound.overlay()).map_err(|why| {
        Error::usage("the campaign's terms cannot be used").why(why).now("mend the campaign file and freeze it again")
    })
}

/// Renders and judges every planned message, a page at a time: while one page
/// is judged, the one before is written and the one after is read.
async fn everybody(
    app: &App,
    campaign: &Campaign,
    guard: &Arc<Guard>,
    bound: &Arc<LoadedCampaign>,
    tokens: &Arc<SharedTokens>,
) -> Result<u64> {
    let version = app.version().await?.number;
    let bar = progress::bar("checking", "messages", campaign.accounts);
    let mut total = 0;
    let mut write: Vec<Checked> = Vec::new();
    let mut page = next_page(app, campaign.id, version, -1).await?;
    while let Some(last) = page.last().map(|(planned, _)| planned.ord) {
        let count = page.len() as u64;
        let judging = {
            let (app, guard, bound, tokens) = (app.clone(), guard.clone(), bound.clone(), tokens.clone());
            tokio::task::spawn_blocking(move || judge_page(&app, &guard, &bound, &tokens, page))
        };
        let (judged, following, written) = tokio::join!(
            judging,
            next_page(app, campaign.id, version, last),
            app.store.record_checks(campaign.id, std::mem::take(&mut write), app.clock.now_ms()),
        );
        written?;
        write = judged.map_err(|e| Error::unexpected("judging a page of messages failed").cause(&e))??;
        page = following?;
        total += count;
        bar.inc(count);
    }
    app.store.record_checks(campaign.id, write, app.clock.now_ms()).await?;
    bar.finish_and_clear();
    Ok(total)
}

async fn next_page(app: &App, id: i64, version: i64, after: i64) -> Result<Vec<(Planned, Option<Recipient>)>> {
    let planned = app.store.planned(id, after, PAGE).await?;
    recipients(app, version, planned).await
}

/// Joins snapshot rows with the directory's records of the same accounts.
///
/// # Errors
/// The store fails.
pub async fn recipients(app: &App, version: i64, planned: Vec<Planned>) -> Result<Vec<(Planned, Option<Recipient>)>> {
    let accounts: Vec<AccountId> = planned.iter().map(|p| p.account.clone()).collect();
    let mut records = app.store.records(version, &accounts).await?;
    Ok(planned
        .into_iter()
        .map(|planned| {
            let record = records.remove(&planned.account);
            let recipient = record.map(|record| Recipient { record, extra: planned.extra.clone() });
            (planned, recipient)
        })
        .collect())
}

fn judge_page(
    app: &App,
    guard: &Guard,
    bound: &LoadedCampaign,
    tokens: &SharedTokens,
    page: Vec<(Planned, Option<Recipient>)>,
) -> Result<Vec<Checked>> {
    let judge = judge_of(guard, bound)?;
    let now_ms = app.clock.now_ms();
    Ok(page
        .into_par_iter()
        .map(|(planned, recipient)| {
            let verdict = match recipient {
                None => Verdict::Held(vec![loaded::no_account()]),
                Some(recipient) => match bound.counted(&app.metrics, &judge, recipient.clone(), now_ms) {
                    Ok(cleared) => {
                        tokens.add(&judge, planned.ord, &recipient, &cleared);
                        Verdict::Cleared(cleared.digest())
                    }
                    Err(held) => Verdict::Held(held.findings),
                },
            };
            Checked { account: planned.account, verdict }
        })
        .collect())
}

async fn summary(app: &App, campaign: &Campaign, proven: Proven, judged: u64, started: Instant) -> Result<CheckReport> {
    let counts = app.store.counts(campaign.id, None).await?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(CheckReport {
        campaign: campaign.id,
        planned: campaign.accounts,
        cleared: counts.checked,
        held: counts.held,
        suppressed: counts.suppressed,
        findings_by_rule: app.store.findings_by_rule(campaign.id).await?,
        drill: proven.drill,
        calibration: proven.calibration,
        digest: hex(&app.store.digest_of_digests(campaign.id).await?),
        withdrawn: 0,
        forgot_tokens: false,
        seconds,
        messages_per_second: judged as f64 / seconds.max(1e-9),
        first: app.store.findings(campaign.id, FIRST).await?,
    })
}

/// The check's page.
///
/// # Errors
/// The store fails.
pub async fn page(app: &App, found: &CheckReport) -> Result<String> {
    let campaign = app.campaign(found.campaign).await?;
    let rules = Rule::ALL.into_iter().filter_map(|rule| {
        let messages = found.findings_by_rule.get(rule.as_str()).copied()?;
        Some(RuleCount { rule, messages })
    });
    let report = report::CheckReport {
        head: Head::of(&campaign, Some(found.digest.clone()), app.clock.now_ms()),
        cleared: found.cleared,
        held: found.held,
        suppressed: found.suppressed,
        rules: rules.collect(),
        drill: DrillReport { ways: found.drill.ways.iter().map(way).collect() },
        calibration: found.calibration.clone(),
        found: found
            .first
            .iter()
            .map(|(account, finding)| FoundRow { account: account.clone(), finding: finding.clone() })
            .collect(),
        seconds: found.seconds,
    };
    Ok(report.page())
}

fn way(tally: &Tally) -> DrillWay {
    let name = match tally.way {
        Way::WholeBody => "whole body",
        Way::RowBelow => "row below",
        Way::Subject => "subject only",
        Way::Field => "one field only",
        Way::Link => report::LINK_WAY,
        Way::Rule => "one rule alone",
    };
    DrillWay { way: name.into(), swapped: tally.swapped, held: tally.held, vacuous: tally.vacuous }
}

/// The drill as the gate asks for it.
pub fn drill_summary(drill: &Drill) -> DrillSummary {
    DrillSummary { swapped: drill.swapped, held: drill.held, vacuous: drill.vacuous }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
