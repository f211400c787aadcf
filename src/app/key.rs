//! `key new`: makes a key file that only its owner may read. Nothing but the
//! configuration is read, and of that the key's place alone: a key can be made before
//! there is a store, and where the configuration cannot be used yet.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::private;
use crate::config;
use crate::error::{Error, Result};

/// The key file's name, unless the configuration gives it another.
pub(super) const FILE: &str = "kakitome.key";
/// The environment's variable over the configuration's `key`.
const VARIABLE: &str = "KAKITOME_KEY";

/// A key that was made.
#[derive(Debug, Serialize)]
pub struct NewKey {
    /// Its file.
    pub written: PathBuf,
}

/// Makes a key file: this one, or the one that the configuration names.
///
/// # Errors
/// It exists or cannot be written, or the configuration cannot be read.
pub fn make(file: Option<PathBuf>, config: &Path) -> Result<NewKey> {
    let file = match file {
        Some(file) => file,
        None => place(config, std::env::var(VARIABLE).ok())?,
    };
    // Not `exists`: a link that leads nowhere is something, too.
    if file.symlink_metadata().is_ok() {
        return Err(exists(&file));
    }
    write(&file)?;
    Ok(NewKey { written: file })
}

/// Where the key of a configuration is kept, or is to be where there is none yet.
fn place(config: &Path, variable: Option<String>) -> Result<PathBuf> {
    let table = table(config).map_err(|error| error.now("fix it, or name the key file: `kakitome key new FILE`"))?;
    let named = variable.map(PathBuf::from).or_else(|| named(table.as_ref()?));
    Ok(config.parent().unwrap_or(Path::new("")).join(named.unwrap_or_else(|| FILE.into())))
}

/// The key file that a configuration names, seen from the configuration's folder.
pub(super) fn named(table: &toml::Table) -> Option<PathBuf> {
    Some(table.get("key")?.as_str()?.into())
}

/// A configuration as it is written, whether or not it can be used; `None` where there
/// is none.
pub(super) fn table(config: &Path) -> Result<Option<toml::Table>> {
    let fail = |why: String| Error::usage(format!("cannot read the configuration {}", config.display())).why(why);
    match std::fs::read_to_string(config) {
        Ok(text) => toml::from_str(&text).map(Some).map_err(|error| fail(config::at_line(&text, &error))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(error.to_string())),
    }
}

fn exists(file: &Path) -> Error {
    Error::usage(format!("the key file {} exists, and was left as it is", file.display()))
        .why(
            "without the key in it, links in mail already sent are dead, and the hashes of the directory match nothing",
        )
        .now("keep it; to make a key elsewhere, name another file: `kakitome key new FILE`")
}

/// Makes a key file that only its owner may read, and its folder where there is none.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn write(path: &Path) -> Result<()> {
    let fail = |e: std::io::Error| {
        Error::usage(format!("cannot write {}", path.display())).why(e).now("name a folder that you may write to")
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    private::write_new(path, random()?.as_bytes())
}

/// 32 bytes from the operating system, in hex.
pub(super) fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::unexpected("the operating system gives no random bytes").why(e))?;
    Ok(format!("{}\n", blake3::Hash::from_bytes(bytes).to_hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_put_where_the_configuration_says() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let config = at("kakitome.toml");
        assert_eq!(place(&config, None).unwrap(), at("kakitome.key"));
        assert_eq!(place(&config, Some("env.key".into())).unwrap(), at("env.key"));
        // It cannot be used, and names a key all the same.
        std::fs::write(&config, "key = \"keys/own.key\"\nstore = 7\n").unwrap();
        assert_eq!(place(&config, None).unwrap(), at("keys/own.key"));
        assert_eq!(place(&config, Some("env.key".into())).unwrap(), at("env.key"));
        std::fs::write(&config, "store = \"x\"\n").unwrap();
        assert_eq!(place(&config, None).unwrap(), at("kakitome.key"));
        std::fs::write(&config, "url = \"hunter2\nkey").unwrap();
        let refused = place(&config, None).unwrap_err().to_string();
        assert!(refused.contains("line ") && refused.contains("\n  now: "), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn no_key_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.key"), folder.path().join("link.key"));
        let made = make(Some(file.clone()), Path::new("none.toml")).unwrap();
        assert_eq!(made.written, file);
        let key = std::fs::read_to_string(&file).unwrap();
        assert!(key.len() == 65 && key.trim().bytes().all(|digit| digit.is_ascii_hexdigit()), "{key}");
        std::os::unix::fs::symlink(folder.path().join("gone"), &link).unwrap();
        for there in [&file, &link] {
            let refused = make(Some(there.clone()), Path::new("none.toml")).unwrap_err();
            assert!(refused.to_string().contains("links in mail already sent are dead"), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
        assert!(write(&file).is_err(), "even where it comes between the look and the write");
    }
}
