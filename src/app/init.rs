//! `init`: a commented configuration, a key, a template, a campaign file and its
//! audience, to begin with, or whatever of these is missing. Nothing that exists is
//! written over, and nothing is put beside what is somebody's own: a template's texts
//! belong together, and so do a campaign file and its audience. First it is decided
//! what is written, then that is done.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::{key, private};
use crate::error::{Error, Result};

const CONFIG: &str = include_str!("../../templates/kakitome.toml");
const CAMPAIGN: &str = include_str!("../../templates/campaign.toml");
const TEMPLATE: [(&str, &str); 3] = [
    ("subject.txt", include_str!("../../templates/newsletter/subject.txt")),
    ("body.html", include_str!("../../templates/newsletter/body.html")),
    ("body.txt", include_str!("../../templates/newsletter/body.txt")),
];
/// The sample's template folder, and its account column.
const FOLDER: &str = "newsletter";
const ACCOUNT: &str = "member_id";

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Initialised {
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// Files and folders that were there, and stay as they are.
    pub left: Vec<PathBuf>,
    /// Files of the sample that are missing, and were not written.
    pub skipped: Vec<Skipped>,
    /// Whether the key is one of those that were written.
    pub new_key: bool,
}

/// A file that is missing and was not written.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The file.
    pub file: PathBuf,
    /// Why it was not written.
    pub why: String,
}

/// Writes what is missing into a folder.
///
/// # Errors
/// There is nothing to write, a configuration that is there cannot be read, or a file
/// cannot be written.
pub fn init(folder: &Path) -> Result<Initialised> {
    let config = folder.join(crate::config::FILE);
    let table = key::table(&config).map_err(|error| error.now("fix it, then run `kakitome init` again"))?;
    let key = folder.join(table.as_ref().and_then(key::named).unwrap_or_else(|| key::FILE.into()));
    let account = table.as_ref().and_then(account_of).unwrap_or(ACCOUNT);
    let mut plan = Plan::default();
    plan.file(config, || Ok(CONFIG.to_owned()))?;
    plan.file(key.clone(), key::random)?;
    plan.sample(folder, account)?;
    let Plan { write, mut done } = plan;
    if write.is_empty() {
        return Err(nothing(folder, &done));
    }
    for (path, text) in &write {
        write_new(path, text)?;
    }
    done.new_key = write.iter().any(|(path, _)| *path == key);
    done.written = write.into_iter().map(|(path, _)| path).collect();
    Ok(done)
}

/// What is to be written, and what is said of the rest.
#[derive(Default)]
struct Plan {
    write: Vec<(PathBuf, String)>,
    done: Initialised,
}

impl Plan {
    /// A file, unless it is there.
    fn file(&mut self, path: PathBuf, text: impl FnOnce() -> Result<String>) -> Result<()> {
        if path.symlink_metadata().is_ok() {
            self.done.left.push(path);
        } else {
            self.write.push((path, text()?));
        }
        Ok(())
    }

    /// The sample campaign, its audience and its template, as far as none of them is
    /// somebody's own.
    fn sample(&mut self, folder: &Path, account: &str) -> Result<()> {
        let (campaign, audience) = (folder.join("campaign.toml"), folder.join("audience.csv"));
        let own = campaign.symlink_metadata().is_ok();
        let other = if own { other_template(folder, &campaign) } else { None };
        self.file(campaign, || Ok(campaign_for(account)))?;
        if own && audience.symlink_metadata().is_err() {
            self.skip(
                audience,
                "campaign.toml was there before, and the sample audience belongs to the sample campaign",
            );
        } else {
            self.file(audience, || Ok(audience_for(account)))?;
        }
        let template = folder.join(FOLDER);
        let why = match other {
            _ if template.symlink_metadata().is_ok() => {
                self.done.left.push(template.clone());
                Some("the folder was there before, and the texts of a template belong together".to_owned())
            }
            other => other,
        };
        for (name, text) in TEMPLATE {
            let file = template.join(name);
            match &why {
                None => self.file(file, || Ok(template_for(text, account)))?,
                Some(why) if file.symlink_metadata().is_err() => self.skip(file, why),
                // It is named by its folder.
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn skip(&mut self, file: PathBuf, why: &str) {
        self.done.skipped.push(Skipped { file, why: why.to_owned() });
    }
}

/// Why the sample's template is not for a campaign file that is there; `None` where it
/// names that folder.
fn other_template(folder: &Path, campaign: &Path) -> Option<String> {
    let text = std::fs::read_to_string(campaign).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    match table.get("template").and_then(toml::Value::as_str) {
        Some(named) if folder.join(named) == folder.join(FOLDER) => None,
        Some(named) => Some(format!("campaign.toml names another template folder, {named:?}")),
        None => Some("campaign.toml was there before, and it cannot be read which template folder it names".into()),
    }
}

/// The column that is the account's key.
fn account_of(config: &toml::Table) -> Option<&str> {
    config.get("directory")?.get("account")?.as_str()
}

/// The sample campaign for a directory with this account column.
fn campaign_for(account: &str) -> String {
    let quoted = serde_json::Value::from(account).to_string();
    let shown = if is_plain(account) { account } else { &quoted };
    CAMPAIGN
        .replace(&format!("[{ACCOUNT:?}]"), &format!("[{quoted}]"))
        .replace(&format!(": {ACCOUNT},"), &format!(": {shown},"))
}

/// The sample audience: its header, and one account.
fn audience_for(account: &str) -> String {
    let header = match account.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", account.replace('"', "\"\"")),
        false => account.to_owned(),
    };
    format!("{header}\n10000001\n")
}

/// A text of the sample's template.
fn template_for(text: &str, account: &str) -> String {
    let value = match is_plain(account) {
        true => format!("account.{account}"),
        false => format!("account[{}]", serde_json::Value::from(account)),
    };
    text.replace(&format!("account.{ACCOUNT}"), &value)
}

/// Whether a name can stand in a template and in TOML as it is.
fn is_plain(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn nothing(folder: &Path, done: &Initialised) -> Error {
    let error = match done.skipped.first() {
        None => Error::usage(format!("everything is there already in {}", folder.display())),
        Some(Skipped { file, why }) => Error::usage(format!("there is nothing to write in {}", folder.display()))
            .why(format!("{} is missing and was not written, because {why}", file.display())),
    };
    error.now("name another folder, or take away what is to be made anew")
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let fail = |e: std::io::Error| {
        Error::usage(format!("cannot write {}", path.display())).why(e).now("name a folder that you may write to")
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    private::write_new(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_written_and_what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let first = init(folder.path()).unwrap();
        assert!(first.new_key && first.left.is_empty() && first.skipped.is_empty() && at("audience.csv").exists());
        assert!(init(folder.path()).unwrap_err().to_string().contains("everything is there already"));
        std::fs::write(at("kakitome.toml"), "key = \"other.key\"").unwrap();
        let key = std::fs::read(at("kakitome.key")).unwrap();
        let again = init(folder.path()).unwrap();
        assert_eq!((again.written, again.new_key), (vec![at("other.key")], true));
        assert_eq!(again.left, ["kakitome.toml", "campaign.toml", "audience.csv", "newsletter"].map(at));
        assert_eq!(std::fs::read(at("kakitome.key")).unwrap(), key);
        std::fs::write(at("kakitome.toml"), "key = ").unwrap();
        assert!(init(folder.path()).unwrap_err().to_string().contains("line 1"), "what it names cannot be read");
    }

    #[test]
    fn nothing_is_put_into_a_template_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("newsletter")).unwrap();
        std::fs::write(at("newsletter/body.html"), "own").unwrap();
        let done = init(folder.path()).unwrap();
        assert_eq!(done.written, ["kakitome.toml", "kakitome.key", "campaign.toml", "audience.csv"].map(at));
        assert_eq!(done.left, [at("newsletter")]);
        let skipped: Vec<_> = done.skipped.iter().map(|skipped| skipped.file.clone()).collect();
        assert_eq!(skipped, ["newsletter/subject.txt", "newsletter/body.txt"].map(at));
        assert!(done.skipped.iter().all(|skipped| skipped.why.contains("belong together")));
        assert_eq!(std::fs::read_dir(at("newsletter")).unwrap().count(), 1);
        let again = init(folder.path()).unwrap_err().to_string();
        assert!(again.contains("nothing to write") && again.contains("subject.txt is missing"), "{again}");
    }

    #[test]
    fn a_campaign_that_is_there_gets_no_audience_and_no_template_but_its_own() {
        for (campaign, written, why) in [
            ("template = \"letter\"", false, "names another template folder, \"letter\""),
            ("template = ", false, "it cannot be read which"),
            ("name = \"x\"", false, "it cannot be read which"),
            ("template = \"newsletter\"", true, ""),
            ("template = \"./newsletter/\"", true, ""),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            std::fs::write(at("campaign.toml"), campaign).unwrap();
            let done = init(folder.path()).unwrap();
            assert_eq!((at("newsletter").exists(), at("audience.csv").exists()), (written, false), "{campaign}");
            let said = |file: &str| done.skipped.iter().find(|skipped| skipped.file == at(file)).map(|s| s.why.clone());
            assert!(said("audience.csv").unwrap().contains("belongs to the sample campaign"), "{campaign}");
            assert_eq!(said("newsletter/body.txt").is_none(), written, "{campaign}");
            assert!(said("newsletter/body.txt").unwrap_or_default().contains(why), "{campaign}: {:?}", done.skipped);
        }
    }

    #[test]
    fn what_is_written_names_the_account_column_of_the_configuration() {
        for (account, value) in [("kunde_nr", "account.kunde_nr"), ("会員 \"ID\", 番号", "account[\"会員")] {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            let quoted = serde_json::Value::from(account).to_string();
            let config = CONFIG
                .replace("account = \"member_id\"", &format!("account = {quoted}"))
                .replace("\nmember_id =", &format!("\n{quoted} ="));
            std::fs::write(at("kakitome.toml"), &config).unwrap();
            let done = init(folder.path()).unwrap();
            for file in done.written.iter().filter(|file| !file.ends_with("kakitome.key")) {
                assert!(!std::fs::read_to_string(file).unwrap().contains(ACCOUNT), "{}", file.display());
            }
            let campaign = std::fs::read_to_string(at("campaign.toml")).unwrap();
            let definition: crate::campaign::Definition = toml::from_str(&campaign).unwrap();
            assert_eq!(definition.must_show, [account]);
            let config = crate::config::Config::load(&at("kakitome.toml")).unwrap();
            let rows = crate::audience::Reader::open(&at("audience.csv"), &config.directory).unwrap();
            assert_eq!(rows.filter(Result::is_ok).count(), 1);
            for (name, _) in &TEMPLATE[1..] {
                assert!(std::fs::read_to_string(at("newsletter").join(name)).unwrap().contains(value), "{name}");
            }
            let columns: Vec<&str> = config.directory.columns.keys().map(String::as_str).collect();
            let template = crate::render::Template::load(&at("newsletter")).unwrap();
            assert!(template.lint(&columns, &[]).is_empty(), "a column that the directory does not have");
        }
    }

    #[test]
    fn what_is_written_can_be_used() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path()).unwrap();
        let config = crate::config::Config::load(&folder.path().join("kakitome.toml")).unwrap();
        config.keys().unwrap();
        let definition: crate::campaign::Definition = toml::from_str(CAMPAIGN).unwrap();
        let rows = crate::audience::Reader::open(&folder.path().join(definition.audience), &config.directory).unwrap();
        assert_eq!(rows.filter(Result::is_ok).count(), 1);
    }
}
