//! The configuration's secrets: the key file, and values that are kept in files
//! of their own. What is in them is never quoted.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::config::place::within;
use crate::config::written::in_words;
use crate::error::{Error, Result};
use crate::key::Keys;

const RESTORE: &str = "restore it from its copy; without one, take away what is there, let `kakitome key new` make another and import the directory again (links in mail already sent are dead then)";

/// Reads a key file.
///
/// # Errors
/// It is missing, readable by others, or not 64 hexadecimal digits.
pub(super) fn read_key(path: &Path) -> Result<Keys> {
    let fail = |why: String| Error::usage(format!("cannot use the key file {}", path.display())).why(why).now(RESTORE);
    let text = read_private(path, RESTORE)?;
    let digits = text.trim();
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(fail("it is not 64 hexadecimal digits".into()));
    }
    let hash = blake3::Hash::from_hex(digits).map_err(|_| fail("it is not 64 hexadecimal digits".into()))?;
    Ok(Keys::new(hash.as_bytes()))
}

/// Reads a file that only its owner may read. `now` says what to do without it.
///
/// # Errors
/// It is missing, or others may read it.
pub(super) fn read_private(path: &Path, now: &str) -> Result<String> {
    let fail = |why: String| Error::usage(format!("cannot use the key file {}", path.display())).why(why);
    let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()).now(now))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(|e| fail(e.to_string()).now(now))?.permissions().mode();
        if mode & 0o077 != 0 {
            let why = format!("others may read it (mode {:o})", mode & 0o777);
            return Err(fail(why).now(format!("chmod 600 {}", path.display())));
        }
    }
    Ok(text)
}

/// Follows a `file:PATH` reference, which stands at this key.
///
/// # Errors
/// The file cannot be read.
pub(super) fn resolve(key: &str, secret: &SecretString, folder: &Path) -> std::result::Result<SecretString, String> {
    match secret.expose_secret().strip_prefix("file:") {
        None => Ok(secret.clone()),
        Some(path) => std::fs::read_to_string(folder.join(path))
            .map(|text| SecretString::from(text.trim()))
            .map_err(|e| format!("{key}: cannot read the secret file {path}: {e}")),
    }
}

/// What is wrong, where, and at which key, without the line itself.
pub(crate) fn at_line(text: &str, error: &toml::de::Error) -> String {
    let mut message = in_words(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    // Whatever stands below a table's header is the table's, meant for it or not.
    if (message.starts_with("unknown field") || message.ends_with("write a table"))
        && let Some(table) = within(text, before.len())
    {
        message
            .push_str(&format!("; it stands within {table}, and keys of the file itself stand above its first table"));
    }
    // What a table lacks is said at its header.
    let header = text[before.len()..].lines().next().unwrap_or_default().trim();
    if message.starts_with("missing field") && header.starts_with('[') && header.ends_with(']') {
        message.push_str(&format!(" in {header}"));
    }
    let line = before.matches('\n').count() + 1;
    let start = before.rsplit('\n').next().unwrap_or_default();
    let column = start.chars().count() + 1;
    let is_key = |key: &&str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match start.split_once('=').map(|(key, _)| key.trim()).filter(is_key) {
        Some(key) => format!("line {line}, column {column}, {key}: {message}"),
        None => format!("line {line}, column {column}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_key_is_64_hexadecimal_digits_that_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str, mode| {
            std::fs::write(file.path(), text).unwrap();
            std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
            read_key(file.path()).map_err(|e| e.to_string())
        };
        assert!(read(&format!("{}\n", "0a".repeat(32)), 0o600).is_ok());
        assert!(read(&"0a".repeat(32), 0o644).unwrap_err().contains("chmod 600"));
        for wrong in ["+a".repeat(32), "0a".repeat(31), "zz".repeat(32), String::new()] {
            assert!(read(&wrong, 0o600).unwrap_err().contains("64 hexadecimal digits"), "{wrong}");
        }
    }
}
