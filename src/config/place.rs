//! Where what cannot be used stands: at a line of the file, or in a variable of
//! the environment. What is said begins with its key, as in `smtp.hello is …`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::error::Error;

/// Why a configuration cannot be used.
#[derive(Debug)]
pub(super) struct Unusable {
    /// The environment's variable that is to blame; otherwise it is the file.
    pub variable: Option<String>,
    /// Why, with the line where there is one.
    pub why: String,
}

impl Unusable {
    /// Something about a key, wherever that was set.
    pub(super) fn at(text: &str, env: &[(String, String)], why: String) -> Self {
        let key = why.split([' ', ',', ':']).next().unwrap_or_default();
        if let Some((name, _)) = env.iter().find(|(name, _)| is_for(name, key)) {
            return Self { variable: Some(name.clone()), why };
        }
        match line(text, key) {
            Some(line) => format!("line {line}: {why}").into(),
            None => why.into(),
        }
    }

    /// For the user, who named this file.
    pub(super) fn told(self, file: &Path) -> Error {
        match self.variable {
            Some(name) => Error::usage(format!("cannot use the environment's {name}"))
                .why(self.why)
                .now("mend the variable, or unset it, and try again"),
            None => Error::usage(format!("cannot use the configuration {}", file.display()))
                .why(self.why)
                .now("mend the file and try again"),
        }
    }
}

impl From<String> for Unusable {
    fn from(why: String) -> Self {
        Self { variable: None, why }
    }
}

impl From<Unusable> for String {
    fn from(unusable: Unusable) -> Self {
        match unusable.variable {
            Some(name) => format!("the environment's {name}: {}", unusable.why),
            None => unusable.why,
        }
    }
}

fn is_for(variable: &str, key: &str) -> bool {
    let path = variable.strip_prefix("KAKITOME_").map(|path| path.replace("__", "."));
    path.is_some_and(|path| path.eq_ignore_ascii_case(key))
}

/// The line, from 1, at which a key stands; `relay[2]` is the second of several tables, at
/// which it stands where the key is not in it.
pub(crate) fn line(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut at = None;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        let (part, number) = numbered(part);
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == part) else { break };
        let value = match (number, value.get_ref()) {
            (Some(number), DeValue::Array(several)) => several.get(number.checked_sub(1)?)?,
            (Some(_), _) => return None,
            (None, _) => value,
        };
        match (parts.peek(), value.get_ref()) {
            (None, _) => at = Some(if number.is_some() { value.span().start } else { name.span().start }),
            (Some(_), DeValue::Table(inner)) => {
                table = inner;
                at = number.map(|_| value.span().start);
            }
            (Some(_), _) => return None,
        }
    }
    text.get(..at?).map(|before| before.matches('\n').count() + 1)
}

/// The table below the file's top in which a key stands, or its value, that begins at this
/// byte: `[extra.order_no]`, `[[stage]]`.
pub(super) fn within(text: &str, start: usize) -> Option<String> {
    fn find(table: &DeTable<'_>, path: &[&str], is_several: bool, start: usize) -> Option<String> {
        table.iter().find_map(|(name, value)| {
            if (name.span().start == start || value.span().start == start) && !path.is_empty() {
                let path = path.join(".");
                return Some(if is_several { format!("[[{path}]]") } else { format!("[{path}]") });
            }
            let below = [path, &[name.get_ref()]].concat();
            match value.get_ref() {
                DeValue::Table(inner) => find(inner, &below, false, start),
                DeValue::Array(several) => several.iter().find_map(|one| match one.get_ref() {
                    DeValue::Table(inner) => find(inner, &below, true, start),
                    _ => None,
                }),
                _ => None,
            }
        })
    }
    find(DeTable::parse(text).ok()?.get_ref(), &[], false, start)
}

/// A key's name, and which of several it is.
fn numbered(part: &str) -> (&str, Option<usize>) {
    let split = part.strip_suffix(']').and_then(|part| part.split_once('['));
    let split = split.and_then(|(name, number)| Some((name, number.parse().ok()?)));
    split.map_or((part, None), |(name, number)| (name, Some(number)))
}
