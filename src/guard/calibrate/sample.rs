//! Which accounts calibration tries: some by a seed, and of each column those with its
//! shortest, longest and oddest values.
//!
//! Input: accounts, as they come. Output: at most [`ACCOUNTS_MAX`] and three a column.
//! Memory is bounded; the same accounts in the same order give the same sample.

use std::collections::BTreeMap;

use crate::account::Record;
use crate::config::Mapping;
use crate::guard::index::Entry;

/// How many accounts are chosen by the seed.
const ACCOUNTS_MAX: usize = 100;

/// An account of the sample.
#[derive(Clone)]
pub struct Sampled {
    /// Its record.
    pub record: Record,
    /// Its identifiers, as an index holds them.
    pub entries: Vec<Entry>,
}

/// A sample in the making.
pub struct Sample {
    random: fastrand::Rng,
    seen: usize,
    chosen: Vec<Sampled>,
    /// The extremes of each identifier column: shortest, longest, oddest.
    extremes: BTreeMap<String, [Option<(usize, Sampled)>; 3]>,
}

impl Sample {
    /// An empty sample of a mapping's identifier columns.
    pub fn new(mapping: &Mapping) -> Self {
        let columns = mapping.columns.iter().filter(|(_, column)| column.kind.is_identifier());
        Self {
            random: fastrand::Rng::with_seed(0x6b61_6b69_746f_6d65),
            seen: 0,
            chosen: Vec::new(),
            extremes: columns.map(|(name, _)| (name.clone(), [None, None, None])).collect(),
        }
    }

    /// Shows it an account, and how its identifiers are made when it is taken.
    pub fn offer(&mut self, record: &Record, entries: impl Fn() -> Vec<Entry>) {
        let sampled = || Sampled { record: record.clone(), entries: entries() };
        self.seen += 1;
        if self.chosen.len() < ACCOUNTS_MAX {
            self.chosen.push(sampled());
        } else {
            let place = self.random.usize(0..self.seen);
            if place < ACCOUNTS_MAX {
                self.chosen[place] = sampled();
            }
        }
        for (name, extremes) in &mut self.extremes {
            let Some(field) = record.fields.get(name) else { continue };
            for value in field.values() {
                let length = value.chars().count();
                let odd = value.chars().filter(|c| !c.is_alphanumeric()).count();
                for (rank, place) in
                    [usize::MAX - length, length, odd * 64 / (length + 1)].into_iter().zip(extremes.iter_mut())
                {
                    if place.as_ref().is_none_or(|(best, _)| rank > *best) {
                        *place = Some((rank, sampled()));
                    }
                }
            }
        }
    }

    /// The accounts, each once.
    pub fn finish(self) -> Vec<Sampled> {
        let extremes = self.extremes.into_values().flatten().flatten().map(|(_, sampled)| sampled);
        let mut all: Vec<Sampled> = Vec::new();
        for sampled in extremes.chain(self.chosen) {
            if !all.iter().any(|known| known.record.account == sampled.record.account) {
                all.push(sampled);
            }
        }
        all
    }
}
