//! `kakitome.toml` and the environment → [`Config`]. Every limit has a unit and
//! a default that is safe; an unknown key is an error that names its line.
//!
//! Every key can also be set as `KAKITOME_<TABLE>__<KEY>` (`environment`).
//! A secret may be `file:PATH`. Paths are relative to the file's own folder.
//! What is said about a file that cannot be used never quotes a line of it:
//! the line may hold a password.

mod environment;
mod mail;
mod place;
mod relay_url;
mod secret;
mod written;

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::account::Kind;
use crate::directory::encoding::Encoding;
use crate::directory::read::UNKNOWN_ENCODING;
use crate::dns::Resolver;
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::mapping::{Mapping, NO_PATTERN, is_region};

use place::Unusable;

pub use mail::{Auth, Dkim, Links, Receiver, Relay, Smtp};
pub(crate) use place::line as line_of;
pub use relay_url::{Proof, RelayUrl, RelayUrlError, RelayUser, Tls};
pub(crate) use secret::at_line;

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
    /// A file with 32 random bytes in hex; `kakitome key new` makes one.
    #[serde(default = "Config::default_key")]
    pub key: PathBuf,
    /// The file of the guard's index. By default `kakitome.index` beside the
    /// SQLite file, or beside the configuration.
    #[serde(default)]
    pub index: Option<PathBuf>,
    /// Whom the DNS is asked; without one, `doctor` asks the system's.
    #[serde(default)]
    pub resolver: Option<Resolver>,
    /// How directory exports are read.
    pub directory: Mapping,
    /// The mail server that messages are handed to.
    #[serde(default)]
    pub smtp: Smtp,
    /// `[[receiver]]`: providers whose domains are counted together.
    #[serde(default)]
    pub receiver: Vec<Receiver>,
    /// The links that messages carry.
    #[serde(default)]
    pub links: Links,
    /// `[[dkim]]`: who signs every message. Several are several signatures.
    #[serde(default)]
    pub dkim: Vec<Dkim>,
    /// The folder that relative paths start from; not a key of the file.
    #[serde(skip)]
    pub folder: PathBuf,
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
        // A variable that is not UTF-8 is none of ours.
        let env = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self::read(&text, &folder, env.collect()).map_err(|unusable| unusable.told(file))
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
        Self::read(text, folder, env.collect()).map_err(String::from)
    }

    fn read(text: &str, folder: &Path, env: Vec<(String, String)>) -> std::result::Result<Self, Unusable> {
        // The text is read once for itself, so that an error can name its line;
        // what the environment adds has no line.
        let config: Config = toml::from_str(text).map_err(|e| secret::at_line(text, &e))?;
        let table: toml::Table = toml::from_str(text).map_err(|e| secret::at_line(text, &e))?;
        let mut config = environment::overlay(config, table, env.iter().cloned())?;
        config.folder = folder.to_owned();
        config.settle(folder).map_err(|why| Unusable::at(text, &env, why))?;
        Ok(config)
    }

    /// Follows references, and checks what only shows when all is there.
    fn settle(&mut self, folder: &Path) -> std::result::Result<(), String> {
        self.store = secret::resolve("store", &self.store, folder)?;
        self.smtp.place(folder)?;
        Receiver::check(&mut self.receiver)?;
        self.check()
    }

    fn check(&self) -> std::result::Result<(), String> {
        if let Some(n) = self.receiver.iter().position(|receiver| !receiver.mx.is_empty() && self.resolver.is_none()) {
            return Err(format!("receiver[{}].mx needs a resolver: write resolver = \"system\"", n + 1));
        }
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
            } else if column.kind == Kind::Id {
                return Err(format!("directory.columns.{name} {NO_PATTERN}"));
            }
        }
        if let Some((name, _)) = mapping.columns.iter().find(|(_, column)| column.is_exact() && column.kind != Kind::Id)
        {
            return Err(format!("directory.columns.{name}.case: only a column of kind \"id\" can be exact"));
        }
        for (name, column) in &mapping.columns {
            let Some(country) = &column.country else { continue };
            if !is_region(country) {
                return Err(format!(
                    "directory.columns.{name}.country: {country:?} is no region; write its two letters, as in \"JP\""
                ));
            }
        }
        if mapping.encoding.as_deref().is_some_and(|name| Encoding::named(name).is_none()) {
            return Err(UNKNOWN_ENCODING.into());
        }
        if mapping.separator.is_some_and(|separator| !matches!(separator, ',' | ';' | '|' | '\t')) {
            return Err("directory.separator must be \",\", \";\", \"|\" or \"\\t\"".into());
        }
        if !(0.0..=100.0).contains(&mapping.drift_percent_max) {
            return Err("directory.drift_percent_max is a percentage: 0 to 100".into());
        }
        self.smtp.check()?;
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

    /// The path of `links.base`, without a slash at its end: `/k`; empty for a bare
    /// host. `None` without a base.
    pub fn links_path(&self) -> Option<&str> {
        let rest = self.links.base.as_deref()?.strip_prefix("https://")?;
        Some(rest.find('/').map_or("", |at| &rest[at..]))
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
        secret::read_key(&self.path(&self.key))
    }

    /// Reads the private key of a signer.
    ///
    /// # Errors
    /// It is missing, or readable by others.
    pub fn dkim_key(&self, dkim: &Dkim) -> Result<SecretString> {
        secret::read_private(&self.path(&dkim.key), "put the file there, or take its [[dkim]] table out")
            .map(Into::into)
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
    fn links_are_answered_at_the_path_of_their_base() {
        for (base, path) in
            [("https://a.example/k", "/k"), ("https://a.example/k/mail", "/k/mail"), ("https://a.example", "")]
        {
            let config = parse(&format!("{MINIMAL}\n[links]\nbase = \"{base}\"\n"), &[]).unwrap();
            assert_eq!(config.links_path(), Some(path), "{base}");
        }
        assert_eq!(parse(MINIMAL, &[]).unwrap().links_path(), None);
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let config = parse(MINIMAL, &[("KAKITOME_SMTP__RATE", "7/m"), ("KAKITOME_SMTP__CONNECTIONS", "3")]).unwrap();
        assert_eq!(config.smtp.rate.count.get(), 7);
        assert_eq!(config.smtp.rate.per, std::time::Duration::from_secs(60));
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
    fn a_variable_is_read_by_the_type_that_its_key_wants() {
        let text = format!("{MINIMAL}\nPlan = {{ kind = \"text\" }}\n");
        let config = parse(
            &text,
            &[
                ("KAKITOME_SMTP__HELLO", "12345"),
                ("KAKITOME_DIRECTORY__DRIFT_PERCENT_MAX", "7.5"),
                ("KAKITOME_DIRECTORY__COLUMNS__EMAIL__EXCLUSIVE", "true"),
                ("KAKITOME_DIRECTORY__COLUMNS__PLAN__LIST", ";"),
                ("KAKITOME_DIRECTORY__COLUMNS__PHONE__COUNTRY", "JP"),
                ("KAKITOME_DIRECTORY__COLUMNS__PHONE__KIND", "phone"),
                ("KAKITOME_STORE", "true"),
            ],
        )
        .unwrap();
        assert_eq!((config.smtp.hello.as_str(), config.directory.drift_percent_max), ("12345", 7.5));
        assert_eq!(config.directory.columns["email"].exclusive, Some(true));
        assert_eq!(config.directory.columns["Plan"].list, Some(';'));
        assert_eq!(config.directory.columns["phone"].country.as_deref(), Some("JP"));
        assert_eq!(config.store.expose_secret(), "true");
    }

    #[test]
    fn variables_that_say_nothing_without_each_other_are_read_together() {
        let named = |keys: &[(&str, &str)]| -> Vec<(String, String)> {
            let named = keys.iter().map(|(key, value)| (format!("KAKITOME_SMTP__WARM_UP__{key}"), value.to_string()));
            named.collect()
        };
        let read = |keys: &[(&str, &str)]| {
            Config::parse(MINIMAL, Path::new(""), named(keys).into_iter()).map(|config| config.smtp.warm_up)
        };
        let grows = [("START", "2026-12-01"), ("FIRST_DAY", "500"), ("FACTOR", "1.5"), ("ZONE", "Asia/Tokyo")];
        let as_file = "[smtp.warm_up]\nstart = \"2026-12-01\"\nfirst_day = 500\nfactor = 1.5\nzone = \"Asia/Tokyo\"\n";
        assert_eq!(read(&grows).unwrap(), parse(&format!("{MINIMAL}{as_file}"), &[]).unwrap().smtp.warm_up);
        for these in [&grows[..2], &grows[..3], &[("START", "2026-12-01"), ("DAYS", "[5, 10]")]] {
            assert!(read(these).unwrap().is_some(), "{these:?}");
        }
        for (keys, why) in [
            (&grows[..1], "START: write first_day (1 or more)"),
            (&grows[1..2], "FIRST_DAY: missing field `start`"),
            (&[("START", "soon"), ("FIRST_DAY", "5")], "START: start is a date"),
            (&[grows[0], grows[1], ("SPEED", "1")], "SPEED: unknown field `speed`"),
            (&[grows[0], grows[1], ("FACTOR", "0.5")], "START: factor is between 1.01 and 100"),
        ] {
            let refused = read(keys).unwrap_err();
            assert!(refused.contains(&format!("WARM_UP__{why}")), "{keys:?}: {refused}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone_and_what_is_wrong_names_its_variable() {
        parse(MINIMAL, &[("KAKITOME_LOG_FORMAT", "json"), ("KAKITOME_METRICS", "x"), ("KAKITOME_PORT", "tcp://x")])
            .unwrap();
        for (name, value) in [
            ("KAKITOME_SMTP__SPEED", "1"),
            ("KAKITOME_SMTP__CONNECTIONS", "hunter2"),
            ("KAKITOME_SMPT__RATE", "1/s"),
            ("KAKITOME_STORE__X", "1"),
            ("KAKITOME_SMTP_RATE", "1/s"),
            ("KAKITOME_SMTP__LIFETIME", "0s"),
            ("KAKITOME_SMTP__URL", "http://u:hunter2@a.example"),
        ] {
            let refused = parse(MINIMAL, &[(name, value)]).unwrap_err();
            assert!(
                refused.starts_with(&format!("the environment's {name}: ")) && !refused.contains("hunter2"),
                "{name}: {refused}"
            );
        }
    }

    #[test]
    fn an_id_without_a_pattern_is_refused_with_what_to_write() {
        let refused = parse(&format!("{MINIMAL}contract_no = {{ kind = \"id\" }}\n"), &[]).unwrap_err();
        assert!(refused.contains("directory.columns.contract_no is an id without a pattern"), "{refused}");
        assert!(refused.contains("pattern = \"[0-9]{8}\""), "{refused}");
        parse(&format!("{MINIMAL}contract_no = {{ kind = \"id\", pattern = \"C[0-9]{{6}}\" }}\n"), &[]).unwrap();
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_line() {
        let unknown = parse(&format!("{MINIMAL}\n[smtp]\nspeed = 3\n"), &[]).unwrap_err();
        assert!(unknown.contains("speed") && unknown.contains("line 10"), "{unknown}");
        let advice = ", and keys of the file itself stand above its first table";
        assert!(unknown.ends_with(&format!("; it stands within [smtp]{advice}")), "{unknown}");
        for (text, table) in [
            ("[[receiver]]\nname = \"a\"\nresolver = \"system\"\n", "[[receiver]]"),
            ("[smtp.warm_up]\nstore = \"x\"\n", "[smtp.warm_up]"),
            ("store = \"x\"\n", "[directory.columns]"),
        ] {
            let refused = parse(&format!("{MINIMAL}{text}"), &[]).unwrap_err();
            assert!(refused.ends_with(&format!("; it stands within {table}{advice}")), "{refused}");
        }
        let top = parse(&format!("speed = 3\n{MINIMAL}"), &[]).unwrap_err();
        assert!(top.starts_with("line 1, ") && !top.contains("within"), "{top}");
        let rate = parse(&format!("{MINIMAL}\n[smtp]\nrate = \"0/s\"\n"), &[]).unwrap_err();
        assert!(rate.contains("no rate"), "{rate}");
        let column = parse(&MINIMAL.replace("address = \"email\"", "address = \"mail\""), &[]).unwrap_err();
        assert!(column.contains("\"mail\""), "{column}");
        let base = parse(&format!("{MINIMAL}\n[links]\nbase = \"http://a.example\"\n"), &[]).unwrap_err();
        assert!(base.contains("https"), "{base}");
    }

    #[test]
    fn a_receiver_has_a_name_and_domains_of_its_own() {
        let with = |tables: &str| parse(&format!("{MINIMAL}\n{tables}"), &[]);
        let good = "[[receiver]]\nname = \"big\"\ndomains = [\"Webmail.Example\", \"日本.test\"]\nrate = \"5/s\"\nconnections = 2\n";
        let config = with(good).unwrap();
        assert_eq!(config.receiver[0].domains, ["webmail.example", "xn--wgv71a.test"]);
        for (bad, why) in [
            (
                "[[receiver]]\nname = \"a.example\"\ndomains = [\"b.example\"]",
                "line 10: receiver[1].name: \"a.example\" has a dot",
            ),
            ("[[receiver]]\nname = \" \"\ndomains = [\"b.example\"]", "receiver[1].name is empty"),
            ("[[receiver]]\nname = \"a\"\ndomains = []", "line 9: receiver[1] has no domains"),
            ("[[receiver]]\nname = \"a\"\ndomains = [\"b c\"]", "is no domain"),
            ("[[receiver]]\nname = \"a\"\nmx = [\"b.example\", \"B.example\"]", "listed twice"),
            ("[[receiver]]\nname = \"a\"\nmx = [\"b.example\"]", "needs a resolver"),
            (
                "[[receiver]]\nname = \"a\"\nmx = [\"mx.b.example\", \"Co.JP\"]",
                "line 11: receiver[1].mx names \"co.jp\"",
            ),
            ("[[receiver]]\nname = \"a\"\nmx = [\"chiyoda.tokyo.jp\"]", "as in \"mail.provider.chiyoda.tokyo.jp\""),
            ("[[receiver]]\nname = \"a\"\ndomains = [\"b.example\", \"B.example\"]", "listed twice"),
            (&format!("{good}{good}"), "line 15: receiver[2].name: two tables are called \"big\""),
            ("[[receiver]]\nname = \"a\"\ndomains = [\"b.example\"]\nconnections = 0", "a whole number above 0"),
        ] {
            let refused = with(bad).unwrap_err();
            assert!(refused.contains(why), "{bad}: {refused}");
        }
    }

    #[test]
    fn no_error_quotes_the_line_or_the_value_that_it_is_about() {
        for smtp in [
            "url = smtp://u:hunter2@h",
            "url = \"smtp://u:hunter2@h",
            "url = \"smtp://u:hunter2@h\" x",
            "connections = \"smtp://u:hunter2@h\"",
            "url = [\"smtp://u:hunter2@h\"]",
        ] {
            let refused = parse(&format!("{MINIMAL}\n[smtp]\n{smtp}\n"), &[]).unwrap_err();
            assert!(!refused.contains("hunter2"), "{refused}");
            assert!(refused.starts_with("line 10, column "), "{refused}");
        }
    }

    #[test]
    fn a_value_of_another_sort_is_refused_with_what_to_write() {
        for (line, why) in [
            (
                "rate = 5",
                "line 10, column 8, rate: this number cannot stand here; write a number and its unit in quotes, as in \"50/s\"",
            ),
            (
                "lifetime = 3",
                "lifetime: this number cannot stand here; write a length of time with its unit in quotes, as in \"10m\" or \"3d\"",
            ),
            ("windows = []", "line 10, column 11, windows: no hours stand in this list; leave windows out"),
            ("windows = [\"09:00-20:00 Asia/Tokio\"]", "windows: \"Asia/Tokio\" is no time zone; write one"),
            ("[[smtp.relay]]\nweight = 1", "line 10, column 1: missing field `url` in [[smtp.relay]]"),
            ("warm_up = { start = \"2026-12-01\", first_day = 0 }", "first_day is 1 or more"),
            ("windows = [9]", "windows: this number cannot stand here; write two times"),
            ("hello = 7", "hello: this number cannot stand here; write a text in quotes"),
            ("connections = \"8\"", "connections: this text cannot stand here; write a whole number"),
            ("connections = -1", "connections: this number cannot stand here; write a whole number"),
            ("connections = 2.5", "connections: this number cannot stand here; write a whole number"),
            ("windows = true", "windows: true or false cannot stand here; write a list in brackets"),
            ("warm_up = 5", "warm_up: this number cannot stand here; write a table"),
            ("warm_up = { start = 2026-12-01 }", "a date cannot stand here; write a text in quotes"),
        ] {
            let refused = parse(&format!("{MINIMAL}\n[smtp]\n{line}\n"), &[]).unwrap_err();
            assert!(refused.contains(why), "{line}: {refused}");
        }
    }

    #[test]
    fn a_value_that_would_only_fail_later_is_refused_now() {
        for (smtp, key) in [
            ("hello = \"mail.example\\r\\nMAIL FROM:<x@y.example>\"", "smtp.hello"),
            ("hello = \"\"", "smtp.hello"),
            ("lifetime = \"0s\"", "smtp.lifetime"),
            ("retry_first = \"0s\"", "smtp.retry_first"),
            ("retry_max = \"1s\"", "smtp.retry_max"),
            ("connections = 0", "smtp.connections"),
            ("url = \"http://u:hunter2@mail.example\"", "smtp.url: it is none of smtp://"),
            ("url = \"mail.example\"", "smtp.url: it is none of smtp://"),
            ("url = \"smtp://\"", "smtp.url: it is none of smtp://"),
            ("url = \"smtp://mail.example:66000\"", "smtp.url: it is none of smtp://"),
            ("url = \"smtp://mail.example:0\"", "smtp.url: it is none of smtp://"),
            ("url = \"smtp://mail.example/in\"", "smtp.url: it is none of smtp://"),
            ("url = \"smtp://u:hunter2@mail.example\"", "smtp.url: it has a user and no TLS"),
        ] {
            let refused = parse(&format!("{MINIMAL}\n[smtp]\n{smtp}\n"), &[]).unwrap_err();
            assert!(refused.starts_with(&format!("line 10: {key}")), "{smtp}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        for (relay, why) in [
            ("url = \"b.example\"", "line 13: smtp.relay[2].url: it is none of"),
            ("url = \"file:none\"", "line 13: smtp.relay[2].url: cannot read the secret file none: "),
            ("url = \"smtp://b.example\"\nweight = 0", "line 14: smtp.relay[2].weight is between"),
            ("url = \"smtp://b.example\"\nconnections = 0", "line 14: smtp.relay[2].connections is between"),
            ("url = \"smtp://b.example\"\nauth = \"xoauth2\"", "line 11: smtp.relay[2].token goes with"),
            ("url = \"smtp://b.example\"\ntoken = \"hunter2\"", "line 14: smtp.relay[2].token goes with"),
        ] {
            let two = format!("[[smtp.relay]]\nurl = \"smtp://a.example\"\n\n[[smtp.relay]]\n# the other\n{relay}\n");
            let refused = parse(&format!("{MINIMAL}{two}"), &[]).unwrap_err();
            assert!(refused.starts_with(why), "{relay}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        let inline = "[smtp]\nrelay = [\n  { url = \"smtp://a.example\" },\n  { url = \"b.example\" },\n]\n";
        let refused = parse(&format!("{MINIMAL}{inline}"), &[]).unwrap_err();
        assert!(refused.starts_with("line 11: smtp.relay[2].url: "), "{refused}");
        for (country, good) in [("JP", true), ("jp", true), ("XX", false), ("Japan", false), ("", false)] {
            let text = format!("{MINIMAL}\nphone = {{ kind = \"phone\", country = \"{country}\" }}\n");
            assert_eq!(parse(&text, &[]).is_ok(), good, "{country}");
        }
    }
}
