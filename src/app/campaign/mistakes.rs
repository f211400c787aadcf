//! What cannot be taken of an audience: the first lines, and how many there are,
//! told together, so that a file is mended in one round.

use crate::directory::read::BadLine;
use crate::error::{Error, Result};

/// Lines that are named.
const NAMED: usize = 10;

/// Lines that cannot be taken.
#[derive(Default)]
pub(in crate::app) struct Mistakes {
    /// By line.
    first: Vec<BadLine>,
    count: usize,
    /// Whether an account is missing from the directory.
    is_missing: bool,
}

impl Mistakes {
    /// One more.
    pub fn add(&mut self, bad: BadLine) {
        self.count += 1;
        self.first.push(bad);
        // Those of a page come one check after another, not by line.
        self.first.sort_by_key(|bad| bad.line);
        self.first.truncate(NAMED);
    }

    /// A row whose account the directory does not have.
    pub fn add_missing(&mut self, line: u64, account: impl std::fmt::Display, column: &str) {
        self.is_missing = true;
        let why = format!("the directory has no account {account}");
        self.add(BadLine { line, column: Some(column.to_owned()), why });
    }

    /// Nothing, if there are none.
    ///
    /// # Errors
    /// The first of them, and how many more.
    pub fn told(self) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let mut why: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        if self.count > self.first.len() {
            why.push(format!("and {} more", self.count - self.first.len()));
        }
        let what = match self.count {
            1 => "the audience cannot be used".to_owned(),
            count => format!("the audience cannot be used: {count} of its lines cannot be taken"),
        };
        let why = if why.len() == 1 { why.concat() } else { why.iter().map(|line| format!("\n  {line}")).collect() };
        Err(Error::usage(what).why(why).now(match self.is_missing {
            false => "mend what is named and freeze again",
            true => {
                "mend what is named and freeze again; where the directory has no such account, take the row out, or import a directory that has it"
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ten_lines_are_named_and_the_others_counted() {
        let mut mistakes = Mistakes::default();
        assert!(Mistakes::default().told().is_ok());
        for line in (2..=13).rev() {
            mistakes.add_missing(line, line, "id");
        }
        let told = mistakes.told().unwrap_err().to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[1], "  line 2, column id: the directory has no account 2");
        assert_eq!(
            (lines[10], lines[11], lines.len()),
            ("  line 11, column id: the directory has no account 11", "  and 2 more", 13)
        );
    }
}
