//! The environment's `KAKITOME_<TABLE>__<KEY>` over the file's keys, with two
//! underscores between: `KAKITOME_STORE=…`, `KAKITOME_SMTP__RATE=500/s`,
//! `KAKITOME_DIRECTORY__COLUMNS__PHONE__COUNTRY=JP`.
//!
//! Names are matched to the file's in any case. A value is what its key wants: a
//! string where that is a string, otherwise a number or a truth value as TOML
//! writes it. A variable without two underscores is a key of the top, or none of
//! ours: the command line has some of its own, and so may others. An error names
//! the variable, never its value.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::config::place::Unusable;
use crate::config::written::{in_words, is_of_sort};

/// The keys of the file's top that are values, and those that are tables.
const VALUES: [&str; 4] = ["store", "key", "index", "resolver"];
const TABLES: [&str; 3] = ["directory", "smtp", "links"];

/// One variable: its name, the keys that it is for, its value.
struct Variable {
    name: String,
    path: Vec<String>,
    value: String,
}

/// Variables of one table that are read together, at most: each may be a text or not.
const TOGETHER_MAX: usize = 8;

/// Lays the environment over what the file says.
///
/// # Errors
/// A variable names no key, or its value is none for it.
pub(super) fn overlay(
    mut config: Config,
    mut table: toml::Table,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Config, Unusable> {
    let mut left = env.filter_map(variable).collect::<Result<Vec<_>, _>>()?;
    left.sort_by(|a, b| a.name.cmp(&b.name));
    // One may need another: a new column is none before its kind is set.
    while !left.is_empty() {
        let (mut failed, before) = (Vec::new(), left.len());
        for variable in left {
            match laid(&table, &[&variable]) {
                Ok((with, read)) => (table, config) = (with, read),
                Err(why) => failed.push((variable, why)),
            }
        }
        if failed.len() == before {
            (table, config) = together(&table, &mut failed)?;
        }
        left = failed.into_iter().map(|(variable, _)| variable).collect();
    }
    Ok(config)
}

/// Lays those of one table over it at once, where none can be laid by itself: a warm-up's
/// start says nothing without its first day, nor that without the start. They are no longer
/// among the failed then.
fn together(table: &toml::Table, failed: &mut Vec<(Variable, String)>) -> Result<(toml::Table, Config), Unusable> {
    let mut first = None;
    let tables: BTreeSet<Vec<String>> = failed.iter().map(|(variable, _)| variable.table().to_vec()).collect();
    for of in tables {
        let group: Vec<_> = failed.iter().filter(|(variable, _)| variable.table() == of).collect();
        let variables: Vec<_> = group.iter().map(|(variable, _)| variable).collect();
        let read = if variables.len() > TOGETHER_MAX { Err(group[0].1.clone()) } else { laid(table, &variables) };
        match read {
            Ok(read) => {
                failed.retain(|(variable, _)| variable.table() != of);
                return Ok(read);
            }
            Err(why) => {
                // One that is wrong by itself is the one to blame.
                let to_blame: Vec<_> = match group.iter().find(|(_, alone)| *alone == why) {
                    Some((variable, _)) => vec![variable.name.as_str()],
                    None => variables.iter().map(|variable| variable.name.as_str()).collect(),
                };
                first.get_or_insert(Unusable { variable: Some(to_blame.join(" and ")), why });
            }
        }
    }
    // There is one: nothing failed otherwise.
    Err(first.unwrap_or_else(|| String::from("the environment cannot be read").into()))
}

impl Variable {
    /// The table that its key stands in.
    fn table(&self) -> &[String] {
        self.path.split_last().map_or(&[], |(_, table)| table)
    }

    /// What it may mean: a text, or else what TOML reads in it.
    fn values(&self) -> Vec<toml::Value> {
        let text = toml::Value::String(self.value.clone());
        let other = toml::from_str::<toml::Table>(&format!("value = {}", self.value)).ok();
        let other = other.and_then(|mut table| table.remove("value")).filter(|value| !value.is_str());
        std::iter::once(text).chain(other).collect()
    }
}

fn variable((name, value): (String, String)) -> Option<Result<Variable, Unusable>> {
    let path: Vec<String> = name.strip_prefix("KAKITOME_")?.split("__").map(str::to_lowercase).collect();
    let top = path.first()?.as_str();
    match path.len() {
        1 if !VALUES.contains(&top) => misspelt(&name, top).map(Err),
        1 => Some(Ok(Variable { name, path, value })),
        _ if TABLES.contains(&top) => Some(Ok(Variable { name, path, value })),
        _ => {
            let why = format!("there is no table {top}; there are {}", TABLES.join(", "));
            Some(Err(Unusable { variable: Some(name), why }))
        }
    }
}

/// A table's name and something behind it looks like one of its keys.
fn misspelt(name: &str, top: &str) -> Option<Unusable> {
    let table = TABLES.into_iter().find(|table| top.strip_prefix(table).is_some_and(|rest| rest.starts_with('_')))?;
    let key = top[table.len() + 1..].to_uppercase();
    let why = format!("two underscores stand between a table and its key: KAKITOME_{}__{key}", table.to_uppercase());
    Some(Unusable { variable: Some(name.to_owned()), why })
}

/// The table with these variables over it, and what it then says.
fn laid(table: &toml::Table, variables: &[&Variable]) -> Result<(toml::Table, Config), String> {
    let values: Vec<Vec<toml::Value>> = variables.iter().map(|variable| variable.values()).collect();
    let mut why: Option<String> = None;
    for choice in 0..1_usize << variables.len() {
        let chosen = values.iter().enumerate().map(|(n, values)| values.get(choice >> n & 1));
        let Some(chosen) = chosen.collect::<Option<Vec<_>>>() else { continue };
        let mut over = variables.iter().zip(chosen);
        let with = over.try_fold(table.clone(), |table, (variable, value)| set(table, variable, value.clone()));
        let read = with.and_then(|with| {
            let config = with.clone().try_into().map_err(|e: toml::de::Error| in_words(e.message()))?;
            Ok((with, config))
        });
        match read {
            Ok(read) => return Ok(read),
            // What is said of a text that is to be a number says the least.
            Err(new) if why.as_deref().is_none_or(is_of_sort) => why = Some(new),
            Err(_) => {}
        }
    }
    Err(why.unwrap_or_default())
}

fn set(mut table: toml::Table, variable: &Variable, value: toml::Value) -> Result<toml::Table, String> {
    let mut at = &mut table;
    let Some((last, parts)) = variable.path.split_last() else { return Ok(table) };
    for part in parts {
        let key = key(at, part);
        let next = at.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = next.as_table_mut().ok_or_else(|| format!("{part} is no table"))?;
    }
    at.insert(key(at, last), value);
    Ok(table)
}

/// The key of a table that a part of a variable's name means.
fn key(table: &toml::Table, part: &str) -> String {
    table.keys().find(|key| key.to_lowercase() == part).cloned().unwrap_or_else(|| part.to_owned())
}
