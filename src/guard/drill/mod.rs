//! The drill: messages are swapped between recipients in memory, and every swap
//! that shows anything of somebody else must be held.
//!
//! A swap keeps what is right for the receiving account (envelope, To,
//! Message-ID, links) and puts only the content wrong, so that no rule but those
//! about content can save it. Held is a swap only when the guard says whose data
//! it shows: held by the shape of a value alone, the index lacks it. Besides, each
//! rule is tried by something that it alone finds.
//! Not held and showing nothing identifying is
//! *vacuous*: it proves nothing, and is reported as that. Not held although it
//! shows something is *missed*, and blocks the campaign.

mod content;
mod probe;
mod swap;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::account::{AccountId, Record};
use crate::guard::{Judge, Rule};
use crate::message::Finished;
use content::Content;
use swap::{Outcome, Swap};

/// One rendered message, and what it was rendered from.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    /// The directory's record.
    pub record: &'a Record,
    /// The audience's extra columns.
    pub extra: &'a BTreeMap<String, String>,
    /// The message that was rendered for it.
    pub message: &'a Finished,
}

/// A way of swapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The whole content of somebody else's message.
    WholeBody,
    /// The content of the next row's message: a join that is one off.
    RowBelow,
    /// The subject alone.
    Subject,
    /// One value of one column.
    Field,
    /// One link token.
    Link,
    /// No swap, but something that one rule alone must find. Counted only when
    /// the rule is silent.
    Rule,
}

/// How one way fared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// The way.
    pub way: Way,
    /// Swapped messages that were judged.
    pub swapped: u64,
    /// Those that were held.
    pub held: u64,
    /// Those that were not held and showed nothing identifying.
    pub vacuous: u64,
}

/// A swap that showed something and was cleared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Missed {
    /// The way.
    pub way: Way,
    /// Whose message it was.
    pub account: AccountId,
    /// Whose data it showed.
    pub other: AccountId,
    /// The rule that was silent, where one was tried.
    pub rule: Option<Rule>,
}

/// What the drill found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Drill {
    /// Swapped messages that were judged.
    pub swapped: u64,
    /// Those that were held.
    pub held: u64,
    /// Those that were not held and showed nothing identifying.
    pub vacuous: u64,
    /// The same by way.
    pub ways: Vec<Tally>,
    /// Rules that were tried by themselves, and spoke.
    pub rules: Vec<Rule>,
    /// The first swaps that were missed.
    pub missed: Vec<Missed>,
}

/// Missed swaps that are named.
const MISSED_MAX: usize = 20;

impl Drill {
    /// Whether no swap was missed.
    pub fn passed(&self) -> bool {
        self.missed.is_empty() && self.held + self.vacuous == self.swapped
    }

    /// Whether no swap of content showed anything: nothing is proven but that
    /// links are right.
    pub fn is_vacuous(&self) -> bool {
        let mut content = self.ways.iter().filter(|tally| !matches!(tally.way, Way::Link | Way::Rule));
        content.all(|tally| tally.swapped == tally.vacuous)
    }
}

/// Swaps the samples' messages and judges them. Neighbours in the list are rows
/// below one another; others are half the list apart.
pub fn run(judge: &Judge<'_>, samples: &[Sample<'_>]) -> Drill {
    let contents: Vec<Content> = samples.iter().map(|sample| Content::of(sample.message.bytes())).collect();
    let half = samples.len() / 2;
    let jobs: Vec<(Way, usize, usize)> = (0..samples.len())
        .flat_map(|at| {
            let (below, far) = ((at + 1) % samples.len(), (at + half) % samples.len());
            [(Way::RowBelow, below), (Way::WholeBody, far), (Way::Subject, far), (Way::Field, far), (Way::Link, far)]
                .map(|(way, other)| (way, at, other))
        })
        .filter(|(_, at, other)| samples[*at].record.account != samples[*other].record.account)
        .collect();
    let results: Vec<(Way, usize, usize, Outcome)> = jobs
        .into_par_iter()
        .map(|(way, at, other)| {
            let swap = Swap {
                judge,
                own: samples[at],
                content: &contents[at],
                other: samples[other],
                others: &contents[other],
            };
            (way, at, other, swap.try_way(way, at))
        })
        .collect();
    let mut drill = Drill::default();
    for way in [Way::WholeBody, Way::RowBelow, Way::Subject, Way::Field, Way::Link] {
        drill.ways.push(Tally { way, swapped: 0, held: 0, vacuous: 0 });
    }
    for (way, at, other, result) in results {
        drill.count(way, &samples[at].record.account, &samples[other].record.account, &result);
    }
    for (rule, at) in probe::silent(judge, samples, &contents, &mut drill.rules) {
        drill.silent(rule, &samples[at].record.account);
    }
    drill
}

impl Drill {
    fn count(&mut self, way: Way, account: &AccountId, other: &AccountId, result: &Outcome) {
        let tally = self.ways.iter_mut().find(|tally| tally.way == way);
        let (held, vacuous) = match result {
            Outcome::Held => (1, 0),
            Outcome::Vacuous => (0, 1),
            Outcome::Missed => (0, 0),
        };
        if let Some(tally) = tally {
            tally.swapped += 1;
            tally.held += held;
            tally.vacuous += vacuous;
        }
        self.swapped += 1;
        self.held += held;
        self.vacuous += vacuous;
        if matches!(result, Outcome::Missed) && self.missed.len() < MISSED_MAX {
            self.missed.push(Missed { way, account: account.clone(), other: other.clone(), rule: None });
        }
    }

    /// A rule that said nothing of what it alone finds: a miss, before all others.
    fn silent(&mut self, rule: Rule, account: &AccountId) {
        match self.ways.iter_mut().find(|tally| tally.way == Way::Rule) {
            Some(tally) => tally.swapped += 1,
            None => self.ways.push(Tally { way: Way::Rule, swapped: 1, held: 0, vacuous: 0 }),
        }
        self.swapped += 1;
        let (account, other) = (account.clone(), account.clone());
        self.missed.insert(0, Missed { way: Way::Rule, account, other, rule: Some(rule) });
    }
}
