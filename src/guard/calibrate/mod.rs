//! Calibration: does the guard find what this directory's values look like?
//!
//! Input: a sample of accounts, as they were imported, and how many there are in all.
//! Their values are planted in a message to another account of the sample, in every
//! spelling and place of `spelling`, and must be found as their owner's: a finding that
//! names another account does not count, unless both have the value. Planted in a
//! message to their own account as mailers write them they must be cleared. Output:
//! [`Calibration`], column by column. Nothing is sent or stored; what is missed is masked.
//!
//! The index holds the sample alone, which answers as the whole would: a value is found by
//! itself. How likely a hit by chance is goes by the number of all accounts. It takes
//! seconds, whatever the size of the directory: the sample is bounded.

mod sample;
mod spelling;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::account::{AccountId, Field, Kind, Record};
use crate::address::Address;
use crate::address::mask;
use crate::guard::{Allow, Candidate, Finding, Guard, Index, Judge, Rule, Terms, normal};
use crate::key::Keys;
use crate::mapping::Mapping;

pub use sample::{Sample, Sampled};
use spelling::{Place, Spelling, Strength};

/// What calibration found, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// Every identifier column, by name.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub column: String,
    /// What it holds.
    pub kind: Kind,
    /// How many messages showed a value of it to somebody else.
    pub tried: u64,
    /// How many of them were held for it.
    pub found: u64,
    /// How many messages that showed a value to its own account were held.
    pub own_held: u64,
    /// How many of its values are too short or too common a word to be told from prose, and
    /// were not tried.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ordinary: u64,
    /// The first of those that were not found, and of one's own that were held.
    pub missed: Vec<Missed>,
}

/// One value that was not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// How it was written.
    pub spelling: String,
    /// Where it stood.
    pub view: String,
    /// The value, masked.
    pub shown: String,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The most examples of one column.
const MISSED_MAX: usize = 20;

impl Calibration {
    /// Whether everything was found, and nothing of one's own was held.
    pub fn is_complete(&self) -> bool {
        self.columns.iter().all(|column| column.found == column.tried && column.own_held == 0)
    }

    /// How many values were tried, found and held from their own accounts.
    pub fn totals(&self) -> (u64, u64, u64) {
        self.columns.iter().fold((0, 0, 0), |(tried, found, held), column| {
            (tried + column.tried, found + column.found, held + column.own_held)
        })
    }

    /// What was missed, a line a column, each with an example.
    pub fn gaps(&self) -> Vec<String> {
        let gap = |column: &&Column| column.found < column.tried || column.own_held > 0;
        let line = |column: &Column| {
            let example = column.missed.first().map_or(String::new(), |missed| {
                format!("; for example {} ({}, {})", missed.shown, missed.spelling, missed.view)
            });
            let Column { column, kind, tried, found, own_held, .. } = column;
            let held = if *own_held > 0 { format!(", {own_held} held from their own account") } else { String::new() };
            format!("column {column} ({kind}): {found} of {tried} found{held}{example}")
        };
        self.columns.iter().filter(gap).map(line).collect()
    }
}

/// Calibrates the guard for a sample of a directory of so many accounts.
///
/// # Errors
/// A pattern of the mapping is not a regular expression.
pub fn calibrate(mapping: &Mapping, keys: &Keys, sample: &[Sampled], accounts: u64) -> Result<Calibration, String> {
    let entries = sample.iter().flat_map(|sampled| sampled.entries.iter().cloned());
    let guard = Guard::of_size(mapping.clone(), keys.clone(), Index::build(entries), accounts)?;
    let allow = vec![Allow { value: spelling::HOST.to_owned(), reason: "the carrier's own host".to_owned() }];
    let judge = guard.judge(&Terms { allow, ..Terms::default() })?;
    let identifiers = mapping.columns.iter().filter(|(_, column)| column.kind.is_identifier());
    let columns = identifiers.filter(|(_, column)| column.kind != Kind::Secret).map(|(name, column)| {
        let trial = Trial {
            judge: &judge,
            keys,
            guard: &guard,
            mapping,
            name,
            kind: column.kind,
            sample,
            accounts: accounts as usize,
        };
        trial.run(column.country.as_deref())
    });
    Ok(Calibration { columns: columns.collect() })
}

/// One column under trial.
struct Trial<'a> {
    judge: &'a Judge<'a>,
    guard: &'a Guard,
    keys: &'a Keys,
    mapping: &'a Mapping,
    name: &'a str,
    kind: Kind,
    sample: &'a [Sampled],
    /// How many accounts the directory has.
    accounts: usize,
}

/// What came of one value in one spelling and place.
enum Outcome {
    Found,
    Missed,
    OwnHeld,
}

impl Trial<'_> {
    fn run(&self, country: Option<&str>) -> Column {
        let (values, whole) = self.values();
        let ordinary = self.all_values(VALUES_MAX).take(self.values_max()).filter(|(_, value)| self.is_ordinary(value));
        let outcomes: Vec<(Missed, Vec<Outcome>)> = values
            .par_iter()
            .enumerate()
            .flat_map_iter(|(n, (record, value))| self.value(n, n < whole, record, value, country))
            .collect();
        let count = |is: fn(&Outcome) -> bool| {
            outcomes.iter().flat_map(|(_, outcomes)| outcomes).filter(|outcome| is(outcome)).count() as u64
        };
        let found = count(|outcome| matches!(outcome, Outcome::Found));
        let failed = |is: fn(&Outcome) -> bool| outcomes.iter().filter(move |(_, all)| all.iter().any(is));
        let missed = failed(|outcome| matches!(outcome, Outcome::Missed));
        let missed = missed.chain(failed(|outcome| matches!(outcome, Outcome::OwnHeld))).take(MISSED_MAX);
        Column {
            column: self.name.to_owned(),
            kind: self.kind,
            tried: found + count(|outcome| matches!(outcome, Outcome::Missed)),
            found,
            ordinary: ordinary.count() as u64,
            own_held: count(|outcome| matches!(outcome, Outcome::OwnHeld)),
            missed: missed.map(|(missed, _)| missed.clone()).collect(),
        }
    }

    /// What is tried: the column's extremes, and how many these are; then a few values of
    /// each account.
    fn values(&self) -> (Vec<(&Record, &str)>, usize) {
        let told = |(_, value): &(&Record, &str)| !self.is_ordinary(value);
        let all: Vec<(&Record, &str)> = self.all_values(usize::MAX).filter(told).collect();
        let mut values = sample::extremes(&all);
        let whole = values.len();
        let others = self.all_values(VALUES_MAX).take(self.values_max()).filter(told);
        let others: Vec<_> = others.filter(|(_, value)| values.iter().all(|(_, extreme)| extreme != value)).collect();
        values.extend(others);
        (values, whole)
    }

    /// How many values are tried besides the extremes.
    fn values_max(&self) -> usize {
        (self.accounts / ACCOUNTS_EACH).clamp(COLUMN_MIN, COLUMN_MAX)
    }

    /// The column's values, so many of each account.
    fn all_values(&self, each: usize) -> impl Iterator<Item = (&Record, &str)> {
        self.sample.iter().flat_map(move |sampled| {
            let values = sampled.record.fields.get(self.name).into_iter().flat_map(Field::values);
            values.take(each).map(|value| (&sampled.record, value))
        })
    }

    fn is_ordinary(&self, value: &str) -> bool {
        spelling::strength(self.kind, value, self.judge) == Strength::None
    }

    /// One value: whole, in every spelling and place; otherwise in every spelling, the
    /// places taking turns.
    fn value(
        &self,
        n: usize,
        whole: bool,
        owner: &Record,
        value: &str,
        country: Option<&str>,
    ) -> Vec<(Missed, Vec<Outcome>)> {
        let Some(other) = self.another(owner, value, country) else { return Vec::new() };
        let strength = spelling::strength(self.kind, value, self.judge);
        let mut all = Vec::new();
        for spelling in Spelling::all().filter(|spelling| spelling.fits(self.kind, strength)) {
            let Some(written) = spelling.write(value) else { continue };
            let places: Vec<&Place> = Place::all().filter(|place| place.fits(self.kind, strength, spelling)).collect();
            let turn = places.len().max(1);
            let is_tried = |at: usize| whole || at % turn == (n + all.len()) % turn;
            let places: Vec<&Place> =
                places.into_iter().enumerate().filter(|(at, _)| is_tried(*at)).map(|(_, place)| place).collect();
            for place in places {
                let missed =
                    || Missed { spelling: spelling.name.to_owned(), view: place.name.to_owned(), shown: mask(value) };
                let mut outcomes =
                    vec![self.foreign(owner, value, self.findings(other, &place.message(other, &written)))];
                if spelling.is_natural() && !self.is_cleared(owner, place, &written) {
                    outcomes.push(Outcome::OwnHeld);
                }
                all.push((missed(), outcomes));
            }
        }
        all
    }

    /// An account of the sample that does not have this value.
    fn another(&self, owner: &Record, value: &str, country: Option<&str>) -> Option<&Record> {
        let canonical = normal::canonical(self.kind, value, country).ok()?;
        let exact = self.is_exact().then(|| normal::exact(value)).flatten();
        let owners = self.guard.index().owners(self.keys.identifier(self.kind, exact.as_ref().unwrap_or(&canonical)));
        let start = self.sample.iter().position(|sampled| sampled.record.account == owner.account)?;
        let others = self.sample[start + 1..].iter().chain(&self.sample[..start]);
        let mut strangers = others.map(|sampled| &sampled.record).filter(|record| !owners.contains(&record.account));
        // Whose value is this one but for its case is the hardest to tell apart.
        if let Some(twin) = exact.and_then(|exact| strangers.clone().find(|record| self.is_twin(record, value, &exact)))
        {
            return Some(twin);
        }
        strangers.find(|record| !self.shares(record, value))
    }

    /// Whether the column's values that differ by case alone are two.
    fn is_exact(&self) -> bool {
        self.mapping.columns.get(self.name).is_some_and(crate::mapping::Column::is_exact)
    }

    /// Whether an account has a value of the column but for its case, and not itself.
    fn is_twin(&self, record: &Record, value: &str, exact: &str) -> bool {
        let own = || record.fields.get(self.name).into_iter().flat_map(Field::values);
        let folded = normal::fold(value);
        own().any(|own| normal::fold(own) == folded) && own().all(|own| normal::exact(own).as_deref() != Some(exact))
    }

    /// Whether an account's own values contain this one, as an address does its domain, and
    /// `José García López` does `José López`.
    fn shares(&self, record: &Record, value: &str) -> bool {
        if self.is_called(record, value) {
            return true;
        }
        let is_host = matches!(self.kind, Kind::Domain | Kind::Email);
        let plain = |value: &str| {
            let canonical = if is_host { normal::canonical(self.kind, value, None).ok() } else { None };
            canonical.map_or_else(|| normal::fold(value).into_owned(), |value| normal::capital(&value).into_owned())
        };
        let value = (normal::fold(value).into_owned(), plain(value));
        let fields = record.fields.values().flat_map(Field::values);
        fields.into_iter().any(|own| {
            let own = (normal::fold(own), plain(own));
            own.0.contains(&*value.0) || value.0.contains(&*own.0) || own.1 == value.1
        })
    }

    /// Whether what is found in a message to somebody else is this value, as its owner's.
    fn foreign(&self, owner: &Record, value: &str, findings: Vec<Finding>) -> Outcome {
        let names = |kind: Option<Kind>| matches!(kind, Some(Kind::Person | Kind::Organisation));
        let is_it = findings.iter().filter(|finding| finding.rule == Rule::Foreign).any(|finding| {
            let Finding { kind, owner: Some(found), .. } = finding else { return false };
            let is_same = *kind == Some(self.kind) || (names(*kind) && names(Some(self.kind)));
            // An address may be told by its domain.
            let is_told = is_same || self.kind == Kind::Email;
            is_told && (*found == owner.account || (is_same && self.is_shared(found, value)))
        });
        if is_it { Outcome::Found } else { Outcome::Missed }
    }

    /// Whether a name is one of an account's, or a short form of one.
    fn is_called(&self, record: &Record, name: &str) -> bool {
        let is_name = matches!(self.kind, Kind::Person | Kind::Organisation);
        is_name && self.judge.own(record).names().contains(&normal::name(name))
    }

    /// Whether an account of the sample has a value too, however it writes it.
    fn is_shared(&self, account: &AccountId, value: &str) -> bool {
        let Some(other) = self.sample.iter().find(|sampled| sampled.record.account == *account) else { return false };
        if self.is_called(&other.record, value) {
            return true;
        }
        let names = |kind: Kind| matches!(kind, Kind::Person | Kind::Organisation);
        let country = self.mapping.columns.get(self.name).and_then(|column| column.country.as_deref());
        let exact = |value: &str| if self.is_exact() { normal::exact(value).map(|exact| vec![exact]) } else { None };
        // What capitals leave of one value may be another.
        let forms_of = |kind: Kind, value: &str, country: Option<&str>| {
            let forms = normal::forms(kind, value, country).ok()?;
            Some(forms.into_iter().map(|form| normal::capital(form.trim_start_matches('^')).into_owned()).collect())
        };
        let forms: Vec<String> = exact(value).or_else(|| forms_of(self.kind, value, country)).unwrap_or_default();
        let has = |(name, field): (&String, &Field)| {
            let Some(column) = self.mapping.columns.get(name) else { return false };
            let fits = column.kind == self.kind || (names(column.kind) && names(self.kind));
            let country = column.country.as_deref();
            let mut own =
                field.values().filter_map(|own| exact(own).or_else(|| forms_of(column.kind, own, country))).flatten();
            fits && own.any(|own| forms.contains(&own))
        };
        other.record.fields.iter().any(has)
    }

    fn is_cleared(&self, owner: &Record, place: &Place, written: &str) -> bool {
        self.findings(owner, &place.message(owner, written)).is_empty()
    }

    fn findings(&self, reader: &Record, bytes: &[u8]) -> Vec<Finding> {
        let sender: &Address = &reader.address;
        let recipients = std::slice::from_ref(&reader.address);
        let candidate = Candidate { sender, recipients, account: &reader.account, bytes };
        self.judge.examine_whole(candidate, Some(reader)).findings
    }
}

/// The most values of one account that are tried in a column.
const VALUES_MAX: usize = 2;
/// The most values of one column that are tried besides its extremes.
const COLUMN_MAX: usize = 120;
/// The fewest that are tried, where there are so many.
const COLUMN_MIN: usize = 8;
/// One value is tried for so many accounts of the directory.
const ACCOUNTS_EACH: usize = 20;
