//! `init`: a commented configuration, a key, a template, a campaign file and its
//! audience, to begin with, or whatever of these is missing. Nothing that exists
//! is written over.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::{key, private};
use crate::error::{Error, Result};

const CONFIG: &str = include_str!("../../templates/kakitome.toml");
const CAMPAIGN: &str = include_str!("../../templates/campaign.toml");
const AUDIENCE: &str = "member_id\n10000001\n";
const TEMPLATE: [(&str, &str); 3] = [
    ("subject.txt", include_str!("../../templates/newsletter/subject.txt")),
    ("body.html", include_str!("../../templates/newsletter/body.html")),
    ("body.txt", include_str!("../../templates/newsletter/body.txt")),
];

/// What was done.
#[derive(Debug, Serialize)]
pub struct Initialised {
    /// Files that were written.
    pub written: Vec<PathBuf>,
    /// Files that were there, and stay as they are.
    pub left: Vec<PathBuf>,
    /// Whether the key is one of those that were written.
    pub new_key: bool,
}

/// Writes what is missing into a folder.
///
/// # Errors
/// Nothing is missing, or a file cannot be written.
pub fn init(folder: &Path) -> Result<Initialised> {
    let config = folder.join(crate::config::FILE);
    let key = folder.join(key_of(&config).unwrap_or_else(|| "kakitome.key".into()));
    let mut files = vec![
        (config, CONFIG.to_owned()),
        (key.clone(), key::random()?),
        (folder.join("campaign.toml"), CAMPAIGN.to_owned()),
        (folder.join("audience.csv"), AUDIENCE.to_owned()),
    ];
    files.extend(TEMPLATE.map(|(name, text)| (folder.join("newsletter").join(name), text.to_owned())));
    let (left, missing): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| path.exists());
    if missing.is_empty() {
        return Err(Error::usage(format!("everything is there already in {}", folder.display()))
            .now("nothing was written; name another folder, or take away what is to be made anew"));
    }
    for (path, text) in &missing {
        write_new(path, text)?;
    }
    let names = |files: Vec<(PathBuf, String)>| files.into_iter().map(|(path, _)| path).collect();
    Ok(Initialised {
        new_key: missing.iter().any(|(path, _)| *path == key),
        written: names(missing),
        left: names(left),
    })
}

/// The key file that a configuration names, if there is one that does.
fn key_of(config: &Path) -> Option<PathBuf> {
    let table: toml::Table = toml::from_str(&std::fs::read_to_string(config).ok()?).ok()?;
    Some(table.get("key")?.as_str()?.into())
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
        assert!(first.new_key && first.left.is_empty() && at("audience.csv").exists());
        assert!(init(folder.path()).unwrap_err().to_string().contains("everything is there already"));
        std::fs::write(at("kakitome.toml"), "key = \"other.key\"").unwrap();
        let key = std::fs::read(at("kakitome.key")).unwrap();
        let again = init(folder.path()).unwrap();
        assert_eq!((again.written, again.new_key), (vec![at("other.key")], true));
        assert_eq!(again.left.len(), 6);
        assert_eq!(std::fs::read(at("kakitome.key")).unwrap(), key);
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
