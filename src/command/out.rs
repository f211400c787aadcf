//! Everything that is written for people and programs passes through here:
//! results to stdout, talk to stderr.
//!
//! A reader that went away (`| head`) is no failure: what it would have read is
//! dropped, and the exit code stays what the work says. A stdout that cannot be
//! written (a full disk) is one, remembered until the work has ended. Talk that
//! nobody can read is dropped.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Write};

use crate::error::{Error, Result};

/// Where results go.
#[derive(Default)]
pub(super) struct Out {
    failed: RefCell<Option<io::Error>>,
}

impl Out {
    /// One result, and a line end.
    pub(super) fn line(&self, text: &str) {
        self.write(&mut io::stdout().lock(), text);
    }

    fn write(&self, to: &mut impl Write, text: &str) {
        if self.failed.borrow().is_some() {
            return;
        }
        let written = to.write_all(text.as_bytes()).and_then(|()| to.write_all(b"\n")).and_then(|()| to.flush());
        if let Err(error) = written {
            *self.failed.borrow_mut() = Some(error);
        }
    }

    /// Whether every result could be written, as far as somebody read it.
    pub(super) fn finish(&self) -> Result<()> {
        match self.failed.borrow().as_ref() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::unexpected("the result cannot be written to stdout")
                    .why(error)
                    .now("the work itself is done; make room where stdout goes, and ask for the result again"))
            }
            _ => Ok(()),
        }
    }
}

/// One line of talk.
pub fn talk(text: &str) {
    // Nobody is left to be told that this failed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind, usize);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_a_full_disk_is_one() {
        for (kind, fails) in [(ErrorKind::BrokenPipe, false), (ErrorKind::StorageFull, true)] {
            let (out, mut to) = (Out::default(), Broken(kind, 0));
            out.write(&mut to, "one");
            out.write(&mut to, "two");
            assert_eq!((out.finish().is_err(), to.1), (fails, 1), "{kind}");
        }
    }
}
