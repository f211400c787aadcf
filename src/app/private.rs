//! Files that hold customers' data: previews, reports, a key. Only their owner
//! may read them, whatever the umask says and whoever made the file before.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file that only its owner may read, over an older one if there is one.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = options().write(true).create(true).truncate(true).open(path).and_then(|file| put(file, bytes));
    written.map_err(|e| unwritable(path, &e))
}

/// The same for a file that must not be there yet.
///
/// # Errors
/// It exists, or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = options().write(true).create_new(true).open(path).and_then(|file| put(file, bytes));
    written.map_err(|e| unwritable(path, &e))
}

/// Makes a folder that only its owner may look into; one that is there already
/// stays as it is.
///
/// # Errors
/// It cannot be made.
pub fn folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| unwritable(path, &e))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn put(mut file: File, bytes: &[u8]) -> std::io::Result<()> {
    // A file that was there keeps its mode, so it is set before the first byte;
    // a pipe or a device (/dev/stdout) has none of its own to set.
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    file.write_all(bytes)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::usage(format!("cannot write {}", path.display()))
        .why(error)
        .now("name a place that exists and that you may write to")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_may_read_even_what_was_open_before() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        super::folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);
        let file = inner.join("page.html");
        std::fs::write(&file, "a longer text").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        write(&file, b"short").unwrap();
        assert_eq!((mode(&file), std::fs::read(&file).unwrap().as_slice()), (0o600, &b"short"[..]));
        assert!(write_new(&file, b"").is_err());
        assert!(write(&folder.path().join("none/x"), b"").unwrap_err().advice().is_some());
    }
}
