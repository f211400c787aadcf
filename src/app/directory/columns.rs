//! `directory columns`: an export → a configuration to begin with. It needs no
//! configuration, no key and no store, and changes nothing.

use std::path::Path;

use serde::Serialize;

use crate::directory::guess::sample::Sample;
use crate::directory::guess::{self, Guess};
use crate::error::{Error, Result};

/// What was guessed of an export.
#[derive(Debug, Serialize)]
pub struct GuessedColumns {
    /// The configuration.
    #[serde(flatten)]
    pub guess: Guess,
}

impl GuessedColumns {
    /// As text for kakitome.toml.
    pub fn toml(&self) -> String {
        guess::toml(&self.guess)
    }
}

/// Guesses how an export is to be read.
///
/// # Errors
/// The file cannot be read, or is no export.
pub fn columns(file: &Path) -> Result<GuessedColumns> {
    let cannot = || Error::usage(format!("cannot guess the columns of {}", file.display()));
    let sample = Sample::read(file).map_err(|error| cannot().cause(&error).now(error.now()))?;
    let guess = guess::guess(&sample).map_err(|error| {
        cannot().cause(&error).now("export it with the column of the address that mail goes to, one address a cell")
    })?;
    Ok(GuessedColumns { guess })
}
