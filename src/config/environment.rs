//! The environment's `KAKITOME_<TABLE>__<KEY>` over the file's keys, with two
//! underscores between: `KAKITOME_STORE=…`, `KAKITOME_SMTP__RATE=500/s`,
//! `KAKITOME_DIRECTORY__COLUMNS__PHONE__COUNTRY=JP`.
//!
//! Names are matched to the file's in any case. A value is what its key wants: a
//! string where that is a string, otherwise a number or a truth value as TOML
//! writes it. A variable without two underscores is a key of the top, or none of
//! ours: the command line has some of its own, and so may others. An error names
//! the variable, never its value.

use crate::config::Config;
use crate::config::place::Unusable;
use crate::config::written::in_words;

/// The keys of the file's top that are values, and those that are tables.
const VALUES: [&str; 4] = ["store", "key", "index", "resolver"];
const TABLES: [&str; 3] = ["directory", "smtp", "links"];

/// One variable: its name, the keys that it is for, its value.
struct Variable {
    name: String,
    path: Vec<String>,
    value: String,
}

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
        let (mut failed, mut first, before) = (Vec::new(), None, left.len());
        for variable in left {
            match laid(&table, &variable) {
                Ok((with, read)) => (table, config) = (with, read),
                Err(why) => {
                    first.get_or_insert_with(|| Unusable { variable: Some(variable.name.clone()), why });
                    failed.push(variable);
                }
            }
        }
        if let (true, Some(why)) = (failed.len() == before, first) {
            return Err(why);
        }
        left = failed;
    }
    Ok(config)
}

fn variable((name, value): (String, String)) -> Option<Result<Variable, Unusable>> {
    let path: Vec<String> = name.strip_prefix("KAKITOME_")?.split("__").map(str::to_lowercase).collect();
    let top = path.first()?.as_str();
    match path.len() {
        1 if !VALUES.contains(&top) => None,
        1 => Some(Ok(Variable { name, path, value })),
        _ if TABLES.contains(&top) => Some(Ok(Variable { name, path, value })),
        _ => {
            let why = format!("there is no table {top}; there are {}", TABLES.join(", "));
            Some(Err(Unusable { variable: Some(name), why }))
        }
    }
}

/// The table with one variable over it, and what it then says.
fn laid(table: &toml::Table, variable: &Variable) -> Result<(toml::Table, Config), String> {
    let text = toml::Value::String(variable.value.clone());
    let read = |value: toml::Value| -> Result<(toml::Table, Config), String> {
        let with = set(table.clone(), variable, value)?;
        let config = with.clone().try_into().map_err(|e: toml::de::Error| in_words(e.message()))?;
        Ok((with, config))
    };
    read(text).or_else(|why| {
        let other = toml::from_str::<toml::Table>(&format!("value = {}", variable.value)).ok();
        let other = other.and_then(|mut table| table.remove("value")).filter(|value| !value.is_str());
        other.map_or(Err(why.clone()), |value| read(value).map_err(|_| why))
    })
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
