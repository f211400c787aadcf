//! Candidates for the canary and for previews, without the whole audience in
//! memory.

use std::collections::{BTreeMap, HashMap};

use crate::account::{Recipient, Record};
use crate::audience::Row;

/// Accounts that are kept, besides the extremes.
const CANDIDATES: usize = 4_000;

/// A seeded reservoir of recipients, and the extremes beside it, so that the
/// canary can be chosen without the whole audience in memory.
pub(in crate::app) struct Sample {
    random: fastrand::Rng,
    seen: usize,
    reservoir: Vec<(usize, Recipient)>,
    extremes: HashMap<&'static str, (u64, usize, Recipient)>,
}

impl Sample {
    pub fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), seen: 0, reservoir: Vec::new(), extremes: HashMap::new() }
    }

    pub fn offer(&mut self, at: usize, record: &Record, row: &Row) {
        let recipient = || Recipient { record: record.clone(), extra: row.extra.clone() };
        let values: Vec<usize> = record.fields.values().map(|field| field.values().count()).collect();
        let bytes: u64 = record.fields.values().flat_map(|f| f.values()).map(|v| v.len() as u64).sum();
        let most = values.iter().copied().max().unwrap_or(0) as u64;
        let filled = values.iter().filter(|n| **n > 0).count() as u64;
        let name = record.address.as_str().len() as u64;
        for (what, score) in [
            ("longest", bytes),
            ("emptiest", u64::MAX - filled),
            ("most", most),
            ("shortest", u64::MAX - bytes),
            ("address", name),
        ] {
            if self.extremes.get(what).is_none_or(|(best, ..)| score > *best) {
                self.extremes.insert(what, (score, at, recipient()));
            }
        }
        if self.reservoir.len() < CANDIDATES {
            self.reservoir.push((at, recipient()));
        } else {
            let place = self.random.usize(..=self.seen);
            if place < CANDIDATES {
                self.reservoir[place] = (at, recipient());
            }
        }
        self.seen += 1;
    }

    pub fn take(self) -> Vec<(usize, Recipient)> {
        let mut all: BTreeMap<usize, Recipient> = self.reservoir.into_iter().collect();
        all.extend(self.extremes.into_values().map(|(_, at, recipient)| (at, recipient)));
        all.into_iter().collect()
    }
}
