//! `kakitome.toml` and the environment → [`Config`]. Every limit has a unit and
//! a default that is safe; an unknown key is an error that names its line.
//!
//! Every key of a table can also be set as `KAKITOME_<TABLE>__<KEY>`, with two
//! underscores between: `KAKITOME_STORE=…`, `KAKITOME_SMTP__RATE=500/s`.
//! A secret may be `file:PATH`. Paths are relative to the file's own folder.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::account::Kind;
use crate::error::{Error, Result};
use crate::key::Keys;

/// The file that is looked for in the working directory.
pub const FILE: &str = "kakitome.toml";

/// The name of the guard's index, unless the configuration gives it another.
const INDEX: &str = "kakitome.index";

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept: `sqlite:FILE` or `postgres://…`.
    #[serde(default = "Config::default_store")]
    pub store: SecretString,
    /// A file with 32 random bytes in hex; `kakitome init` makes one.
    #[serde(default = "Config::default_key")]
    pub key: PathBuf,
    /// The file of the guard's index. By default `kakitome.index` beside the
    /// SQLite file, or beside the configuration.
    #[serde(default)]
    pub index: Option<PathBuf>,
    /// How directory exports are read.
    pub directory: Mapping,
    /// The mail server that messages are handed to.
    #[serde(default)]
    pub smtp: Smtp,
    /// The links that messages carry.
    #[serde(default)]
    pub links: Links,
    /// The folder that relative paths start from; not a key of the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// `[directory]`: which column is what. Stored with every directory version,
/// because a version can only be read with the mapping it was loaded by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The column that is the account's key.
    pub account: String,
    /// The column that mail goes to.
    pub address: String,
    /// Every column of the export, by name.
    pub columns: BTreeMap<String, Column>,
    /// The largest share of accounts, in percent, whose address, name or
    /// domains may differ from the version before.
    #[serde(default = "Mapping::default_drift")]
    pub drift_percent_max: f64,
}

impl Mapping {
    fn default_drift() -> f64 {
        5.0
    }

    /// The columns of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(move |(_, c)| c.kind == kind).map(|(name, _)| name.as_str())
    }
}

/// One column of a directory export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What sort of value it holds.
    pub kind: Kind,
    /// The separator, when a cell holds a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<char>,
    /// For `id`: the regular expression that the whole value matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// For `phone`: the region that national numbers belong to (`JP`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Whether one value may belong to one account only. Default: ids, yes;
    /// everything else, no (households share an address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
}

impl Column {
    /// Whether one value may belong to one account only.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive.unwrap_or(self.kind == Kind::Id)
    }
}

/// `[smtp]`: the relay, and how fast it is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtp://127.0.0.1:2525`, `smtps://user:pass@host`,
    /// `smtp://host?tls=required` (STARTTLS).
    pub url: SecretString,
    /// Connections held open at once.
    pub connections: usize,
    /// Messages handed over, in all.
    pub rate: Rate,
    /// Messages handed over for one recipient domain.
    pub rate_per_domain: Rate,
    /// The name given in EHLO.
    pub hello: String,
    /// The first wait after a deferral; each further one doubles, with jitter.
    pub retry_first: Span,
    /// The longest wait between two attempts.
    pub retry_max: Span,
    /// Attempts after which a deferred message counts as rejected.
    pub attempts_max: u32,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            url: SecretString::from("smtp://127.0.0.1:25"),
            connections: 8,
            rate: Rate::per_second(100),
            rate_per_domain: Rate::per_second(50),
            hello: "localhost.localdomain".into(),
            retry_first: Span(Duration::from_secs(60)),
            retry_max: Span(Duration::from_secs(4 * 3600)),
            attempts_max: 12,
        }
    }
}

/// `[links]`: where links in messages lead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// The HTTPS address under which links are answered:
    /// `https://mail.registrar.example/k`. RFC 8058 §3.1 asks for HTTPS.
    pub base: Option<String>,
}

/// So many in a time: `2000/s`, `300/m`, `10000/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

impl Rate {
    /// So many a second; none is read as one.
    pub fn per_second(count: u32) -> Self {
        Self { count: NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN), per: Duration::from_secs(1) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (count, per) = text.split_once('/')?;
        let per = match per.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => return None,
        };
        let count = count.trim().replace('_', "").parse().ok()?;
        Some(Self { count, per: Duration::from_secs(per) })
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Rate::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no rate: write a whole number above 0 and /s, /m, /h or /d, as in \"50/s\""
            ))
        })
    }
}

/// A length of time with its unit: `90s`, `10m`, `1h 30m`, `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span(pub Duration);

impl Span {
    /// Milliseconds.
    pub fn as_ms(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok()).map(Span).ok_or_else(
            || {
                de::Error::custom(format!(
                    "{text:?} is no length of time: write it with its unit, as in \"10m\" or \"1h 30m\""
                ))
            },
        )
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}ms", self.as_ms()))
    }
}

impl Config {
    fn default_store() -> SecretString {
        SecretString::from("sqlite:kakitome.db")
    }

    fn default_key() -> PathBuf {
        "kakitome.key".into()
    }

    /// Reads the file and lays the environment's `KAKITOME_…` over it.
    ///
    /// # Errors
    /// The file is missing or not TOML, a key is unknown, a value is out of its
    /// range, or a `file:` reference cannot be read.
    pub fn load(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|e| {
            Error::usage(format!("cannot read the configuration {}", file.display()))
                .why(e)
                .now("run `kakitome init`, or name the file with --config")
        })?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Self::parse(&text, &folder, std::env::vars()).map_err(|why| {
            Error::usage(format!("cannot use the configuration {}", file.display()))
                .why(why)
                .now("mend the file and try again")
        })
    }

    /// The same from text, for a folder and an environment.
    ///
    /// # Errors
    /// Why the text cannot be used, with the line where there is one.
    pub fn parse(
        text: &str,
        folder: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> std::result::Result<Self, String> {
        // The text is read once for itself, so that an error can name its line;
        // what the environment adds has no line.
        let mut config: Config = toml::from_str(text).map_err(|e| e.to_string())?;
        let mut table: toml::Table = toml::from_str(text).map_err(|e| e.to_string())?;
        if overlay(&mut table, env)? {
            config = table.try_into().map_err(|e| format!("with the environment's KAKITOME_ variables: {e}"))?;
        }
        config.folder = folder.to_owned();
        config.store = resolve(&config.store, folder)?;
        config.smtp.url = resolve(&config.smtp.url, folder)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> std::result::Result<(), String> {
        let mapping = &self.directory;
        for (what, name) in [("account", &mapping.account), ("address", &mapping.address)] {
            if !mapping.columns.contains_key(name) {
                return Err(format!(
                    "directory.{what} names the column {name:?}, which directory.columns does not have"
                ));
            }
        }
        if mapping.columns[&mapping.address].kind != Kind::Email || mapping.columns[&mapping.address].list.is_some() {
            return Err(format!(
                "directory.address: the column {:?} must be of kind \"email\" and no list",
                mapping.address
            ));
        }
        if mapping.columns[&mapping.account].list.is_some() || mapping.columns[&mapping.account].kind == Kind::Secret {
            return Err(format!(
                "directory.account: the column {:?} must be neither a list nor a secret",
                mapping.account
            ));
        }
        for (name, column) in &mapping.columns {
            if let Some(pattern) = &column.pattern {
                regex::Regex::new(pattern).map_err(|e| format!("directory.columns.{name}.pattern: {e}"))?;
            }
        }
        if !(0.0..=100.0).contains(&mapping.drift_percent_max) {
            return Err("directory.drift_percent_max is a percentage: 0 to 100".into());
        }
        if !(1..=1000).contains(&self.smtp.connections) {
            return Err("smtp.connections is between 1 and 1000".into());
        }
        if let Some(base) = &self.links.base
            && (!base.starts_with("https://") || base.ends_with('/') || base.contains(['?', '#', ' ']))
        {
            return Err("links.base is an https:// address without a slash at its end, a query or a fragment (RFC 8058 asks for HTTPS)".into());
        }
        Ok(())
    }

    /// A path of the configuration, from the file's own folder.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The store's URL, a SQLite file's path taken from the file's own folder.
    pub fn store_url(&self) -> String {
        let url = self.store.expose_secret();
        match url.strip_prefix("sqlite:") {
            Some(file) if file != ":memory:" => format!("sqlite:{}", self.path(Path::new(file)).display()),
            _ => url.to_owned(),
        }
    }

    /// The file of the guard's index.
    pub fn index_path(&self) -> PathBuf {
        let store = self.store.expose_secret().strip_prefix("sqlite:");
        let beside = store.map(|file| Path::new(file.strip_prefix("//").unwrap_or(file)).with_file_name(INDEX));
        self.path(self.index.as_deref().or(beside.as_deref()).unwrap_or(Path::new(INDEX)))
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// It is missing, readable by others, or not 64 hex digits.
    pub fn keys(&self) -> Result<Keys> {
        Keys::read(&self.path(&self.key))
    }
}

/// Lays `KAKITOME_A__B=value` over `[a] b`; says whether there was any.
fn overlay(table: &mut toml::Table, env: impl Iterator<Item = (String, String)>) -> std::result::Result<bool, String> {
    let mut any = false;
    for (name, value) in env {
        // These two are options of the command line, not keys of the file.
        let Some(path) = name.strip_prefix("KAKITOME_").filter(|p| !matches!(*p, "CONFIG" | "LOG")) else { continue };
        let path = path.to_ascii_lowercase();
        let mut parts: Vec<&str> = path.split("__").collect();
        let Some(key) = parts.pop() else { continue };
        let mut at = &mut *table;
        for part in parts {
            at = at
                .entry(part)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                .as_table_mut()
                .ok_or_else(|| format!("the environment's {name}: {part} is no table"))?;
        }
        let value = match value.parse::<i64>() {
            Ok(number) => toml::Value::Integer(number),
            Err(_) => toml::Value::String(value),
        };
        at.insert(key.to_owned(), value);
        any = true;
    }
    Ok(any)
}

/// Follows a `file:PATH` reference.
fn resolve(secret: &SecretString, folder: &Path) -> std::result::Result<SecretString, String> {
    match secret.expose_secret().strip_prefix("file:") {
        None => Ok(secret.clone()),
        Some(path) => std::fs::read_to_string(folder.join(path))
            .map(|text| SecretString::from(text.trim()))
            .map_err(|e| format!("cannot read the secret file {path}: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
[directory]
account = "member_id"
address = "email"
[directory.columns]
member_id = { kind = "id", pattern = "[0-9]{8}" }
email = { kind = "email" }
"#;

    fn parse(text: &str, env: &[(&str, &str)]) -> std::result::Result<Config, String> {
        let env: Vec<_> = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Config::parse(text, Path::new(""), env.into_iter())
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let config = parse(MINIMAL, &[("KAKITOME_SMTP__RATE", "7/m"), ("KAKITOME_SMTP__CONNECTIONS", "3")]).unwrap();
        assert_eq!(config.smtp.rate.count.get(), 7);
        assert_eq!(config.smtp.rate.per, Duration::from_secs(60));
        assert_eq!(config.smtp.connections, 3);
    }

    #[test]
    fn the_index_lies_beside_the_store() {
        let path =
            |text: &str, folder: &str| Config::parse(text, Path::new(folder), std::iter::empty()).unwrap().index_path();
        assert_eq!(path(MINIMAL, "/etc/k"), Path::new("/etc/k/kakitome.index"));
        let sqlite = format!("store = \"sqlite:/var/lib/k/mail.db\"\n{MINIMAL}");
        assert_eq!(path(&sqlite, "/etc/k"), Path::new("/var/lib/k/kakitome.index"));
        let postgres = format!("store = \"postgres://db/k\"\n{MINIMAL}");
        assert_eq!(path(&postgres, "/etc/k"), Path::new("/etc/k/kakitome.index"));
        assert_eq!(path(&format!("index = \"i/x\"\n{postgres}"), "/etc/k"), Path::new("/etc/k/i/x"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_line() {
        let unknown = parse(&format!("{MINIMAL}\n[smtp]\nspeed = 3\n"), &[]).unwrap_err();
        assert!(unknown.contains("speed") && unknown.contains("line 10"), "{unknown}");
        let rate = parse(&format!("{MINIMAL}\n[smtp]\nrate = \"0/s\"\n"), &[]).unwrap_err();
        assert!(rate.contains("no rate"), "{rate}");
        let column = parse(&MINIMAL.replace("address = \"email\"", "address = \"mail\""), &[]).unwrap_err();
        assert!(column.contains("\"mail\""), "{column}");
        let base = parse(&format!("{MINIMAL}\n[links]\nbase = \"http://a.example\"\n"), &[]).unwrap_err();
        assert!(base.contains("https"), "{base}");
    }
}
