//! A file as bytes: memory-mapped, read-only. The only unsafe code of the house.
//!
//! Input: an open file. Output: its bytes, as long as the map lives. Errors:
//! what the system says.
//!
//! Why it is sound: a map is undefined behaviour only if what it shows changes
//! under a reader. The index file is readable and writable by its owner alone,
//! is written under another name, and gets its own name by a rename when it is
//! finished; nothing of this program writes to it or cuts it after that. Only
//! bytes are read out of it, for which every value is valid, and through slices
//! that know their length. If somebody cuts the file all the same, the process
//! ends with a bus error: nothing is sent.

#![expect(unsafe_code, reason = "a file can be mapped in no other way; the argument stands above")]

use std::fs::File;

use memmap2::Mmap;

/// Maps a whole file.
///
/// # Errors
/// The file cannot be mapped: it is empty, or the system refuses.
pub fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: see above; the file does not change once it has its name.
    unsafe { Mmap::map(file) }
}
