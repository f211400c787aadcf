//! Every failure a user meets says what, which, why, and what now; and every
//! way to end has an exit code that scripts may rely on.
//!
//! Rooms have their own `thiserror` enums; at the edge they become one
//! [`Error`], which prints the whole chain with `Display`, never `Debug`.
//! A message never carries an address, an identifier or a body.

use std::fmt;

/// Exit codes: a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: something unexpected failed.
    Unexpected,
    /// 2: usage, configuration or input that cannot be used.
    Usage,
    /// 3: the guard held something.
    Held,
    /// 4: stopped at a gate until somebody decides or acts: approval is missing, it is
    /// paused, halted or refused, or a limit is exceeded.
    Gate,
    /// 5: finished, with rejected, expired or unknown messages.
    Incomplete,
    /// 6: waits by itself: time alone lets the same command go on.
    Waits,
}

impl Exit {
    /// The process's exit status.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Unexpected => 1,
            Exit::Usage => 2,
            Exit::Held => 3,
            Exit::Gate => 4,
            Exit::Incomplete => 5,
            Exit::Waits => 6,
        }
    }
}

/// A failure on its way to the user.
#[derive(Debug)]
pub struct Error {
    exit: Exit,
    what: String,
    why: Option<String>,
    now: Option<String>,
}

/// The result of anything that may end in an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What could not be done, and the exit code that it means.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), why: None, now: None }
    }

    /// Usage, configuration or input that cannot be used (exit 2).
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Something that should not have failed (exit 1).
    pub fn unexpected(what: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, what)
    }

    /// A gate that is closed (exit 4).
    pub fn gate(what: impl Into<String>) -> Self {
        Self::new(Exit::Gate, what)
    }

    /// Adds why.
    #[must_use]
    pub fn why(mut self, why: impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// Adds the whole chain of a cause.
    #[must_use]
    pub fn cause(self, cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(inner) = next {
            let inner_text = inner.to_string();
            if !chain.contains(&inner_text) {
                chain.push_str(": ");
                chain.push_str(&inner_text);
            }
            next = inner.source();
        }
        self.why(chain)
    }

    /// Adds what the user can do now.
    #[must_use]
    pub fn now(mut self, now: impl Into<String>) -> Self {
        self.now = Some(now.into());
        self
    }

    /// What failed.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why, where that is known.
    pub fn reason(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// What the user can do now.
    pub fn advice(&self) -> Option<&str> {
        self.now.as_deref()
    }

    /// The exit code it ends the process with.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        if let Some(now) = &self.now {
            write!(f, "\n  now: {now}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
