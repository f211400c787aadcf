//! A directory's configuration, guessed from the head of its export.
//!
//! ```text
//! file → sample (encoding, separator, rows) → each column's kind (value, header)
//!      → its pattern, list or country → account and address → text (written)
//! ```
//!
//! Input: a [`Sample`]. Output: a [`Guess`], which holds names of columns, counts and shapes,
//! and no value. A guess is advice to a person: wherever it may be wrong, a note says so.
//! All but the reading of the sample is pure.

mod charset;
mod header;
mod pattern;
mod phone;
pub mod sample;
mod value;
mod written;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::account::{AccountId, Kind};
use crate::address::Address;
use crate::directory::guess::header::{Hint, Role};
use crate::directory::guess::phone::Found;
use crate::directory::guess::sample::{Sample, SampledColumn};
use crate::directory::guess::value::{By, Guessed};
use crate::guard::normal;
use crate::mapping::LetterCase;
use crate::report::number;

pub use written::toml;

/// A guessed configuration.
#[derive(Debug, Serialize)]
pub struct Guess {
    /// Its encoding, where it is not UTF-8.
    pub encoding: Option<&'static str>,
    /// Its separator, where it is not a comma.
    pub separator: Option<char>,
    /// The column that is the account's key.
    pub account: String,
    /// The column that mail goes to.
    pub address: String,
    /// Every column, in the order of the file.
    pub columns: Vec<GuessedColumn>,
    /// Rows that were sampled.
    pub rows: u64,
    /// What a person should look at, of the whole.
    pub notes: Vec<String>,
    /// The same of the account, and of the address.
    #[serde(skip)]
    account_note: Option<&'static str>,
    #[serde(skip)]
    address_note: Option<&'static str>,
}

/// One column of it.
#[derive(Debug, Serialize)]
pub struct GuessedColumn {
    /// Its name.
    pub column: String,
    /// Its kind.
    pub kind: Kind,
    /// The regular expression of an ID.
    pub pattern: Option<String>,
    /// What separates several values in a cell.
    pub list: Option<char>,
    /// The region of national telephone numbers.
    pub country: Option<&'static str>,
    /// `exact` where values differ by the case of their letters alone.
    pub case: Option<LetterCase>,
    /// `false` where accounts share a value of an ID.
    pub exclusive: Option<bool>,
    /// Values that were sampled.
    pub sampled: u64,
    /// Of these, those that an import takes.
    pub matched: u64,
    /// What a person should look at.
    pub notes: Vec<String>,
}

/// No column can be that of the addresses.
#[derive(Debug, thiserror::Error)]
#[error("no column has one e-mail address in each of its cells")]
pub struct NoAddress;

/// Guesses a configuration.
///
/// # Errors
/// No column has addresses.
pub fn guess(sample: &Sample) -> Result<Guess, NoAddress> {
    let hints: Vec<Option<Hint>> = sample.columns.iter().map(|column| header::hint(&column.name)).collect();
    let language = language(&hints, sample);
    let columns: Vec<GuessedColumn> =
        sample.columns.iter().zip(&hints).map(|(column, hint)| one(column, *hint, language, sample.has_more)).collect();
    let (address, address_note) = address(sample, &columns).ok_or(NoAddress)?;
    let (account, account_note) = account(sample, &columns, &hints)
        .unwrap_or((address, Some("no column has another value in each row, as an account's key must")));
    let name = |at: usize| columns.get(at).map(|column| column.column.clone()).unwrap_or_default();
    let mut guess = Guess {
        encoding: sample.encoding,
        separator: sample.separator,
        account: name(account),
        address: name(address),
        rows: sample.rows,
        notes: notes(sample),
        columns,
        account_note,
        address_note,
    };
    share_references(sample, &mut guess, account);
    Ok(guess)
}

/// What is said of the whole file.
fn notes(sample: &Sample) -> Vec<String> {
    let mut notes = Vec::new();
    if sample.has_more {
        notes.push(format!("guessed from the first {} rows; the file has more", number(sample.rows)));
    }
    if sample.broken > 0 {
        let all = number(sample.rows + sample.broken);
        notes
            .push(format!("{} of {all} rows have not the header's cells; an import names them", number(sample.broken)));
    }
    notes
}

/// The language of most names that are not English; else that of the values' script.
fn language(hints: &[Option<Hint>], sample: &Sample) -> Option<&'static str> {
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    hints.iter().flatten().for_each(|hint| *counts.entry(hint.language).or_default() += 1);
    let foreign = counts.iter().filter(|(language, _)| **language != "en").max_by_key(|(name, n)| (**n, **name));
    let of_script = || script(sample).or_else(|| counts.contains_key("en").then_some("en"));
    foreign.map(|(language, _)| *language).or_else(of_script)
}

/// The language of which a tenth of some column's values have the script. Kanji are Japanese
/// where kana stand anywhere.
fn script(sample: &Sample) -> Option<&'static str> {
    let count = |column: &SampledColumn, is: fn(char) -> bool| {
        column.values.iter().filter(|(_, value)| value.chars().any(is)).count()
    };
    let has = |is: fn(char) -> bool| {
        sample.columns.iter().any(|column| count(column, is) > 0 && count(column, is) * 10 >= column.values.len())
    };
    let is_kana = |c: char| matches!(c, '\u{3041}'..='\u{30fa}');
    let is_cyrillic = |c: char| matches!(c, '\u{0410}'..='\u{044f}');
    let has_kana = || sample.columns.iter().any(|column| count(column, is_kana) > 0);
    match () {
        () if has(normal::is_hangul) => Some("ko"),
        () if has(normal::is_joined) && has_kana() => Some("ja"),
        () if has(is_cyrillic) => Some("ru"),
        () => None,
    }
}

/// One column by itself.
fn one(sampled: &SampledColumn, hint: Option<Hint>, language: Option<&'static str>, has_more: bool) -> GuessedColumn {
    let values: Vec<&str> = sampled.values.iter().map(|(_, value)| value.as_str()).collect();
    let Guessed { kind, list, by } = value::kind(&values, hint);
    let list = list.or(sampled.has_lists.then_some(';'));
    let mut column = GuessedColumn {
        column: sampled.name.clone(),
        kind,
        pattern: None,
        list,
        country: None,
        case: None,
        exclusive: None,
        sampled: 0,
        matched: 0,
        notes: Vec::new(),
    };
    let parts: Vec<&str> = match list {
        Some(list) => values.iter().flat_map(|v| v.split(list)).map(str::trim).filter(|v| !v.is_empty()).collect(),
        None => values,
    };
    match kind {
        Kind::Phone => phone(&mut column, &parts, language),
        Kind::Id => id(&mut column, &parts, sampled),
        _ => {}
    }
    count(&mut column, &parts);
    let said = said(&column, by, hint);
    column.notes.splice(0..0, said);
    if kind == Kind::Id && has_more {
        column.notes.push("later rows may have other lengths".into());
    }
    column
}

/// How many values an import takes.
fn count(column: &mut GuessedColumn, parts: &[&str]) {
    let whole = column.pattern.as_ref().and_then(|pattern| regex::Regex::new(&format!("^(?:{pattern})$")).ok());
    let is_taken = |value: &&&str| {
        whole.as_ref().is_none_or(|whole| whole.is_match(value))
            && normal::canonical(column.kind, value, column.country).is_ok()
    };
    column.matched = parts.iter().filter(is_taken).count() as u64;
    column.sampled = parts.len() as u64;
}

/// What is said of a column's kind.
fn said(column: &GuessedColumn, by: By, hint: Option<Hint>) -> Option<String> {
    let (matched, sampled) = (number(column.matched), number(column.sampled));
    let is_id_by_name = hint.is_some_and(|hint| hint.role.kind() == Kind::Id);
    match (column.kind, by) {
        (Kind::Text, _) if is_id_by_name => {
            Some("guessed: an ID by its name, but its values have no shape of one".into())
        }
        (_, By::Name) if column.sampled == 0 => Some("guessed: from its name; every cell is empty".into()),
        (Kind::Text, By::Nothing) => Some("guessed: text only if it names nobody".into()),
        (Kind::Id, By::Form) => {
            Some(format!("guessed: {matched} of {sampled} values look like this; text if it names nobody"))
        }
        (Kind::Id, _) => Some(format!("guessed: {matched} of {sampled} values look like this")),
        (_, By::Form) => Some(format!("guessed: from the form of {matched} of {sampled} values")),
        (Kind::Person | Kind::Secret, By::Name) => Some("guessed: from its name".into()),
        _ if column.matched < column.sampled => {
            Some(format!("guessed: {matched} of {sampled} values look like this; an import refuses the others"))
        }
        _ => None,
    }
}

fn phone(column: &mut GuessedColumn, parts: &[&str], language: Option<&'static str>) {
    let Some((country, found)) = phone::country(parts, language) else { return };
    column.country = Some(country);
    column.notes.push(match found {
        Found::Code(count) => {
            format!("{} of {} numbers have its calling code", number(count as u64), number(parts.len() as u64))
        }
        Found::Language => "guessed: the country, from the language of the header".into(),
        Found::Plan => "guessed: the country, from the form of the numbers".into(),
    });
}

fn id(column: &mut GuessedColumn, parts: &[&str], sampled: &SampledColumn) {
    let Some(shape) = pattern::generalise(parts) else { return };
    column.pattern = Some(shape.pattern);
    if shape.has_dates {
        column.notes.push("dates and years may match it too".into());
    }
    let has = |is: fn(&u8) -> bool| parts.iter().filter(|value| value.as_bytes().iter().any(is)).count();
    let (upper, lower) = (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase));
    let mut folded: HashMap<String, (&str, u64)> = HashMap::new();
    let (mut is_shared, mut differ_by_case) = (false, false);
    for (row, value) in &sampled.values {
        let Ok(form) = normal::canonical(Kind::Id, value, None) else { continue };
        let (first, owner) = *folded.entry(form).or_insert((value, *row));
        let is_twin = normal::exact(first) != normal::exact(value);
        differ_by_case |= owner != *row && is_twin;
        is_shared |= owner != *row && !is_twin;
    }
    // Values of both cases that do not yet meet in a sample meet in a whole export.
    if differ_by_case || (upper * 4 > parts.len() && lower * 4 > parts.len() && has_both(parts)) {
        column.case = Some(LetterCase::Exact);
        column.notes.push("guessed: capitals and small letters are told apart".into());
    }
    if is_shared {
        column.exclusive = Some(false);
        column.notes.push("several rows share a value".into());
    }
}

/// Whether one place of the values has capitals in some and small letters in others.
fn has_both(parts: &[&str]) -> bool {
    let at_least = parts.len() / 10 + 1;
    let longest = parts.iter().map(|value| value.len()).max().unwrap_or(0);
    (0..longest).any(|at| {
        let has = |is: fn(&u8) -> bool| parts.iter().filter(|value| value.as_bytes().get(at).is_some_and(is)).count();
        has(u8::is_ascii_uppercase) >= at_least && has(u8::is_ascii_lowercase) >= at_least
    })
}

/// The column that mail goes to: the fullest of addresses that is no list.
fn address(sample: &Sample, columns: &[GuessedColumn]) -> Option<(usize, Option<&'static str>)> {
    let can_be =
        |(at, column): &(usize, &GuessedColumn)| (column.kind == Kind::Email && column.list.is_none()).then_some(*at);
    let found: Vec<usize> = columns.iter().enumerate().filter_map(|pair| can_be(&pair)).collect();
    let taken = |at: &usize| {
        sample
            .columns
            .get(*at)
            .map_or(0, |column| column.values.iter().filter(|(_, value)| Address::parse(value).is_ok()).count() as u64)
    };
    let best = *found.iter().max_by_key(|at| (taken(at), std::cmp::Reverse(**at)))?;
    let note = match (found.len(), taken(&best) < sample.rows) {
        (_, true) => Some("not every row has an address; an import refuses the others"),
        (1, _) => None,
        _ => Some("other columns have addresses too"),
    };
    Some((best, note))
}

/// The column that has another key in each row, and in every row: an ID before an address.
fn account(
    sample: &Sample,
    columns: &[GuessedColumn],
    hints: &[Option<Hint>],
) -> Option<(usize, Option<&'static str>)> {
    let rank = |(at, column): (usize, &GuessedColumn)| {
        let values = &sample.columns.get(at)?.values;
        let is_key = |value: &str| AccountId::new(value).is_ok();
        let different = values.iter().map(|(_, value)| value.trim()).collect::<HashSet<_>>().len() as u64;
        let is_whole = values.len() as u64 == sample.rows && values.iter().all(|(_, value)| is_key(value));
        let is_one = different == sample.rows;
        let kind = matches!(column.kind, Kind::Id) as u8 * 2 + matches!(column.kind, Kind::Email) as u8;
        let is_named = hints.get(at).copied().flatten().is_some_and(|hint| hint.role == Role::Account);
        let can_be = column.list.is_none()
            && is_whole
            && kind > 0
            && (is_one || (is_named && different * 100 >= sample.rows * 95));
        can_be.then_some(((is_one, kind, is_named, column.exclusive.is_none(), std::cmp::Reverse(at)), at))
    };
    let ranked: Vec<_> = columns.iter().enumerate().filter_map(rank).collect();
    let ((is_one, kind, is_named, ..), at) = *ranked.iter().max()?;
    let others = ranked.iter().filter(|((one, k, ..), _)| *one && *k == kind).count() > 1;
    let note = match (is_one, kind, is_named) {
        (false, ..) => Some("some rows have the same key; an import refuses them"),
        (_, 1, _) => Some("no column has IDs, so the address is the key"),
        (_, _, false) if others => Some("other columns have another value in each row too"),
        (_, _, false) => Some("it has another value in each row"),
        _ => None,
    };
    Some((at, note))
}

/// IDs that name another row's account, as a parent's do, belong to several: neither column
/// can be exclusive.
fn share_references(sample: &Sample, guess: &mut Guess, account: usize) {
    let form = |value: &str| normal::canonical(Kind::Id, value, None).unwrap_or_default();
    let Some(keys) = sample.columns.get(account) else { return };
    if guess.columns.get(account).is_none_or(|column| column.kind != Kind::Id) {
        return;
    }
    let owners: HashMap<String, u64> = keys.values.iter().map(|(row, value)| (form(value), *row)).collect();
    let mut is_shared = false;
    for (at, (sampled, column)) in sample.columns.iter().zip(&mut guess.columns).enumerate() {
        let refers = |(row, value): &(u64, String)| owners.get(&form(value)).is_some_and(|owner| owner != row);
        if at != account && column.kind == Kind::Id && sampled.values.iter().any(refers) {
            is_shared = true;
            column.exclusive = Some(false);
            column.notes.push("it names other rows' accounts".into());
        }
    }
    if let Some(column) = guess.columns.get_mut(account).filter(|_| is_shared) {
        column.exclusive = Some(false);
        column.notes.push("another column names accounts too".into());
    }
}

#[cfg(test)]
mod tests;
