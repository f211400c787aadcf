//! `init`: a commented configuration, a key, a template and a campaign file,
//! to begin with. Nothing that exists is written over.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const CONFIG: &str = include_str!("../../templates/kakitome.toml");
const CAMPAIGN: &str = include_str!("../../templates/campaign.toml");
const TEMPLATE: [(&str, &str); 3] = [
    ("subject.txt", include_str!("../../templates/newsletter/subject.txt")),
    ("body.html", include_str!("../../templates/newsletter/body.html")),
    ("body.txt", include_str!("../../templates/newsletter/body.txt")),
];

/// Writes the files into a folder; which were written.
///
/// # Errors
/// One of them exists already (nothing is written then), or cannot be written.
pub fn init(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![
        (folder.join(crate::config::FILE), CONFIG.to_owned()),
        (folder.join("kakitome.key"), new_key()?),
        (folder.join("campaign.toml"), CAMPAIGN.to_owned()),
    ];
    files.extend(TEMPLATE.map(|(name, text)| (folder.join("newsletter").join(name), text.to_owned())));
    if let Some((exists, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Error::usage(format!("{} exists already", exists.display()))
            .now("nothing was written; name an empty folder"));
    }
    for (path, text) in &files {
        write_new(path, text)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Makes a key file that only its owner may read.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn write_key(path: &Path) -> Result<()> {
    write_new(path, &new_key()?)
}

/// 32 bytes from the operating system, in hex.
fn new_key() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::unexpected("the operating system gives no random bytes").why(e))?;
    Ok(format!("{}\n", blake3::Hash::from_bytes(bytes).to_hex()))
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let fail = |e: std::io::Error| Error::usage(format!("cannot write {}", path.display())).why(e);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if path.extension().is_some_and(|e| e == "key") {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(fail)
}
