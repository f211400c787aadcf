//! Which accounts calibration tries: some by a seed, and of each column those with its
//! own extremes: its shortest and longest values, and its oddest ([`extremes`]).
//!
//! Input: accounts, as they come. Output: at most [`ACCOUNTS_MAX`], and for each column
//! [`KEPT`] for each measure. Memory is bounded by that; the same accounts in the same order
//! give the same sample.

use std::collections::BTreeMap;

use crate::account::Record;
use crate::guard::index::Entry;
use crate::mapping::Mapping;

/// How many accounts are chosen by the seed.
const ACCOUNTS_MAX: usize = 100;
/// How many values of a column are kept for each measure. The shortest ones may be too short
/// to be tried at all.
const KEPT: usize = 3;
/// How extreme a value is measured: how short, how long, how many of its characters are
/// neither letters nor digits, and of how many sorts its characters are.
const MEASURES: usize = 4;

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
    /// The extremes of each identifier column, by measure.
    extremes: BTreeMap<String, [Vec<Extreme>; MEASURES]>,
}

/// A value that is among the first of its column by one measure.
struct Extreme {
    rank: usize,
    value: String,
    sampled: Sampled,
}

impl Sample {
    /// An empty sample of a mapping's identifier columns.
    pub fn new(mapping: &Mapping) -> Self {
        let columns = mapping.columns.iter().filter(|(_, column)| column.kind.is_identifier());
        Self {
            random: fastrand::Rng::with_seed(0x6b61_6b69_746f_6d65),
            seen: 0,
            chosen: Vec::new(),
            extremes: columns.map(|(name, _)| (name.clone(), Default::default())).collect(),
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
                for (rank, kept) in ranks(value).into_iter().zip(extremes.iter_mut()) {
                    keep(kept, rank, value, sampled);
                }
            }
        }
    }

    /// The accounts, each once.
    pub fn finish(self) -> Vec<Sampled> {
        let extremes = self.extremes.into_values().flatten().flatten().map(|extreme| extreme.sampled);
        let mut all: Vec<Sampled> = Vec::new();
        for sampled in extremes.chain(self.chosen) {
            if !all.iter().any(|known| known.record.account == sampled.record.account) {
                all.push(sampled);
            }
        }
        all
    }
}

/// Keeps a value if it is among the first [`KEPT`] by its rank; of equals the one that came
/// first.
fn keep(kept: &mut Vec<Extreme>, rank: usize, value: &str, sampled: impl Fn() -> Sampled) {
    let place = kept.partition_point(|other| other.rank >= rank);
    if place < KEPT && kept.iter().all(|other| other.value != value) {
        kept.insert(place, Extreme { rank, value: value.to_owned(), sampled: sampled() });
        kept.truncate(KEPT);
    }
}

/// The extremes among the values of one column: the first one by each measure, each once.
pub fn extremes<'v, T: Copy>(values: &[(T, &'v str)]) -> Vec<(T, &'v str)> {
    let mut all: Vec<(T, &str)> = Vec::new();
    for measure in 0..MEASURES {
        // `max_by_key` takes the last of equals.
        let ranked = values.iter().map(|found| (ranks(found.1)[measure], *found));
        let first = ranked.reduce(|first, other| if other.0 > first.0 { other } else { first });
        all.extend(first.map(|(_, found)| found).filter(|found| all.iter().all(|known| known.1 != found.1)));
    }
    all
}

/// How extreme a value is, by each measure; more is more.
fn ranks(value: &str) -> [usize; MEASURES] {
    let length = value.chars().count();
    let signs = value.chars().filter(|c| !c.is_alphanumeric()).count();
    [usize::MAX - length, length, signs * 1024 / length.max(1), sorts(value)]
}

/// Of how many sorts a value's characters are, [`SORTS_MAX`] at most: letters by their script,
/// roughly, and each sign of ASCII by itself.
fn sorts(value: &str) -> usize {
    const SORTS_MAX: usize = 16;
    let (mut sorts, mut count) = ([0_u32; SORTS_MAX], 0);
    for c in value.chars() {
        let sort = match u32::from(c) {
            _ if c.is_ascii_lowercase() => 1,
            _ if c.is_ascii_uppercase() => 2,
            _ if c.is_ascii_digit() => 3,
            code @ ..0x80 => 0x100 + code,
            code @ ..0x2000 => 0x200 + (code >> 8),
            code => 0x300 + (code >> 13),
        };
        if count < SORTS_MAX && !sorts[..count].contains(&sort) {
            sorts[count] = sort;
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountId, Field};
    use crate::address::Address;

    fn record(n: usize, domains: &[&str]) -> Record {
        let domains = Field::Many(domains.iter().map(|domain| (*domain).to_owned()).collect());
        Record {
            account: AccountId::new(&format!("{n:08}")).unwrap(),
            address: Address::parse(&format!("a{n}@mail.example")).unwrap(),
            fields: BTreeMap::from([("domains".to_owned(), domains), ("id".to_owned(), Field::One(format!("{n:08}")))]),
        }
    }

    fn mapping() -> Mapping {
        let columns = "[id]\nkind = \"id\"\npattern = \"[0-9]{8}\"\n[domains]\nkind = \"domain\"\nlist = \";\"\n";
        let columns = toml::from_str(columns).unwrap();
        let (account, address) = ("id".to_owned(), "email".to_owned());
        Mapping { account, address, columns, drift_percent_max: 5.0, encoding: None, separator: None }
    }

    #[test]
    fn each_columns_own_extremes_are_in_the_sample_wherever_they_stand() {
        let mut sample = Sample::new(&mapping());
        let long = format!("{}.example", "long".repeat(12));
        let odd = ["a.jp", "a-b-c-d-e-f-g.example", "Aé日-1.example", &*long];
        for n in 0..20_000 {
            let plain = format!("host{n}.example");
            // The thirtieth value of an account counts as the first does.
            let mut domains = vec![&*plain; 30];
            domains.extend(odd.iter().enumerate().filter(|(at, _)| n == 15_000 + 100 * at).map(|(_, value)| *value));
            sample.offer(&record(n, &domains), Vec::new);
        }
        let sampled = sample.finish();
        assert!(sampled.len() <= ACCOUNTS_MAX + 2 * KEPT * MEASURES, "{}", sampled.len());
        let fields = sampled.iter().map(|sampled| &sampled.record.fields["domains"]);
        let values: Vec<_> = fields.flat_map(|field| field.values()).map(|value| ((), value)).collect();
        let mut found: Vec<&str> = extremes(&values).into_iter().map(|(_, value)| value).collect();
        found.sort_unstable();
        let mut expected = odd.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_same_accounts_give_the_same_sample() {
        let sampled = || {
            let mut sample = Sample::new(&mapping());
            (0..5_000).for_each(|n| sample.offer(&record(n, &["a.example"]), Vec::new));
            sample.finish().into_iter().map(|sampled| sampled.record.account).collect::<Vec<_>>()
        };
        assert_eq!(sampled(), sampled());
    }
}
