//! One line's cells → one [`NewAccount`]: every value checked against its kind
//! and brought into canonical form.

use std::collections::{BTreeMap, HashSet};

use regex::Regex;

use crate::account::{AccountId, Field, Kind, Record};
use crate::address::Address;
use crate::directory::read::BadLine;
use crate::directory::{Drift, NewAccount, NewEntry};
use crate::guard::normal;
use crate::key::Keys;
use crate::mapping::{Column, Mapping};

/// The longest cell, in bytes.
pub const CELL_BYTES_MAX: usize = 10_000;

/// A cell as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text; a list column's is split at its separator.
    Text(String),
    /// A list, where the format has such.
    List(Vec<String>),
}

/// Reads lines by one mapping.
pub struct Reader<'a> {
    mapping: &'a Mapping,
    keys: &'a Keys,
    patterns: BTreeMap<&'a str, Regex>,
}

impl<'a> Reader<'a> {
    /// Prepares a mapping.
    ///
    /// # Errors
    /// A pattern is no regular expression.
    pub fn new(mapping: &'a Mapping, keys: &'a Keys) -> Result<Self, String> {
        let patterns = mapping.columns.iter().filter_map(|(name, column)| {
            let pattern = column.pattern.as_deref()?;
            let whole =
                Regex::new(&format!("^(?:{pattern})$")).map_err(|e| format!("directory.columns.{name}.pattern: {e}"));
            Some(whole.map(|regex| (name.as_str(), regex)))
        });
        Ok(Self { mapping, keys, patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// One line's account.
    ///
    /// # Errors
    /// What is wrong with it, and in which column.
    pub fn account(&self, line: u64, cells: &[(String, Cell)]) -> Result<NewAccount, BadLine> {
        let mut fields = BTreeMap::new();
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        let mut drift = Drifting::default();
        for (name, cell) in cells {
            let bad = |why: &str| BadLine { line, column: Some(name.clone()), why: why.to_owned() };
            let joined = |why| BadLine { line, column: Some(name.clone()), why };
            let column = &self.mapping.columns[name];
            let values = values(cell, column).map_err(bad)?;
            for value in &values {
                single(value, column).map_err(joined)?;
                let forms = self.forms(name, column, value).map_err(bad)?;
                drift.add(name == &self.mapping.address, column.kind, &forms[0]);
                let readings: Vec<String> = normal::indexed(column.kind, value, &forms[0]).collect();
                let cued = normal::cued(column.kind, value, &forms[0]);
                for form in forms.into_iter().filter(|_| column.kind.is_identifier()) {
                    let hash = self.keys.identifier(column.kind, &form);
                    if seen.insert((column.kind, hash)) {
                        let named = matches!(column.kind, Kind::Person | Kind::Organisation);
                        // Which of several accounts have a folded form, its exact one says.
                        let is_told = !column.is_exact() || form.starts_with(normal::EXACT);
                        // Capitals may leave the same of two names.
                        let is_told = is_told && !normal::is_capital_form(&form);
                        let (name, exclusive) = (named.then_some(form), column.is_exclusive() && is_told);
                        entries.push(NewEntry { kind: column.kind, hash, name, exclusive });
                    }
                }
                // A half of a name is looked up behind a title, and not searched for.
                let readings =
                    readings.into_iter().map(|name| (name, true)).chain(cued.into_iter().map(|half| (half, false)));
                for (name, is_searched) in readings {
                    let hash = self.keys.identifier(column.kind, &name);
                    if seen.insert((column.kind, hash)) {
                        let name = is_searched.then_some(name);
                        entries.push(NewEntry { kind: column.kind, hash, name, exclusive: false });
                    }
                }
            }
            if column.kind != Kind::Secret {
                fields.insert(name.clone(), field(values, column));
            }
        }
        let record = self.record(line, fields)?;
        Ok(NewAccount { line, record, entries, drift: drift.finish() })
    }

    /// Every form that a value is known by, the canonical one first.
    fn forms(&self, name: &str, column: &Column, value: &str) -> Result<Vec<String>, &'static str> {
        if self.patterns.get(name).is_some_and(|pattern| !pattern.is_match(value)) {
            return Err("the value does not match the column's pattern");
        }
        let mut forms = normal::forms(column.kind, value, column.country.as_deref())?;
        forms.extend(column.is_exact().then(|| normal::exact(value)).flatten());
        Ok(forms)
    }

    fn record(&self, line: u64, fields: BTreeMap<String, Field>) -> Result<Record, BadLine> {
        let one = |column: &str| fields.get(column).and_then(|field| field.values().next()).unwrap_or_default();
        let bad = |column: &str, why: String| BadLine { line, column: Some(column.to_owned()), why };
        let account =
            AccountId::new(one(&self.mapping.account)).map_err(|why| bad(&self.mapping.account, why.into()))?;
        let address = Address::parse(one(&self.mapping.address))
            .map_err(|why| bad(&self.mapping.address, format!("the address cannot be used: {why}")))?;
        Ok(Record { account, address, fields })
    }
}

/// A cell's values, trimmed, empty ones left out.
fn values(cell: &Cell, column: &Column) -> Result<Vec<String>, &'static str> {
    let parts: Vec<&str> = match (cell, column.list) {
        (Cell::Text(text), Some(separator)) => text.split(separator).collect(),
        (Cell::Text(text), None) => vec![text],
        (Cell::List(items), Some(_)) => items.iter().map(String::as_str).collect(),
        (Cell::List(_), None) => return Err("it is a list, and the column is none"),
    };
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    if bytes > CELL_BYTES_MAX {
        return Err("the cell is longer than 10,000 bytes");
    }
    if parts.iter().any(|part| part.chars().any(|c| c.is_control() && c != '\t')) {
        return Err("the value has a control character or a line break in it");
    }
    Ok(parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
}

/// Signs that people write between the names of a list.
const SEPARATORS: &[char] = &[',', ';', '、', '，', '；', '､', '・', '･', '|', '｜', '&', '＆'];

/// Refuses two hosts or two addresses in one value: it would be neither of them.
fn single(value: &str, column: &Column) -> Result<(), String> {
    let (what, sign) = match column.kind {
        Kind::Domain => ("hosts", '.'),
        Kind::Email => ("addresses", '@'),
        _ => return Ok(()),
    };
    let is_separator = |c: char| c.is_whitespace() || SEPARATORS.contains(&c);
    let Some(between) = value.chars().find(|c| is_separator(*c)).filter(|_| !value.contains("://")) else {
        return Ok(());
    };
    let parts: Vec<&str> = value.split(is_separator).filter(|part| !part.is_empty()).collect();
    let is_one = |part: &&str| part.trim_matches(sign).contains(sign);
    if parts.len() < 2 || !parts.iter().all(is_one) {
        return Ok(());
    }
    let between = if between.is_whitespace() { "a space".to_owned() } else { format!("\"{between}\"") };
    Err(match column.list {
        Some(list) => format!(
            "a value has {} {what} with {between} between them, and list is \"{list}\": write \"{list}\" between them, or set list to what the export has",
            parts.len()
        ),
        None => format!("the value has {} {what} with {between} between them: set list for this column", parts.len()),
    })
}

fn field(mut values: Vec<String>, column: &Column) -> Field {
    match column.list {
        Some(_) => Field::Many(values),
        None => Field::One(values.pop().unwrap_or_default()),
    }
}

/// Collects what drift compares; the order of values does not count.
#[derive(Default)]
struct Drifting {
    address: Vec<String>,
    name: Vec<String>,
    domains: Vec<String>,
}

impl Drifting {
    fn add(&mut self, is_address: bool, kind: Kind, canonical: &str) {
        if is_address {
            self.address.push(canonical.to_owned());
        }
        match kind {
            Kind::Person | Kind::Organisation => self.name.push(canonical.to_owned()),
            Kind::Domain => self.domains.push(canonical.to_owned()),
            Kind::Id | Kind::Email | Kind::Phone | Kind::Secret | Kind::Text => {}
        }
    }

    fn finish(self) -> Drift {
        let hash = |mut values: Vec<String>| {
            values.sort_unstable();
            let hash = blake3::hash(values.join("\n").as_bytes());
            let mut head = [0; 8];
            head.copy_from_slice(&hash.as_bytes()[..8]);
            i64::from_be_bytes(head)
        };
        Drift { address: hash(self.address), name: hash(self.name), domains: hash(self.domains) }
    }
}
