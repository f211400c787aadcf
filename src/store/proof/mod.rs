//! Proving the ledger: every link recomputed, every entry replayed ([`told`]),
//! and what follows from them compared with the tables ([`tables`],
//! [`directory`]).
//!
//! Found this way: an entry changed, left out, added or put in another order; a
//! message whose state, digest, attempts, reply, findings or times were changed
//! without the ledger; a snapshot whose accounts, stages or extra columns were; a
//! campaign's definition, name, drill or state; an approval; a suppressed
//! address; a directory version, and any account's record or identifier in it.
//!
//! Not found: the newest entries taken away together with what they say, and a
//! chain written anew from some entry on together with every row: only a copy of
//! the newest link, kept elsewhere, can show these ([`Store::ledger_head`]).
//! Which process holds a claim or the right to send is not told to the ledger. A
//! directory version imported before its key was kept is not compared; nothing
//! can be frozen, checked or sent with one.
//!
//! A cell that cannot be read is a broken link like any other, and names its
//! entry. Memory: about 130 bytes a message, 70 a suppressed address, 2 KB a
//! directory version.

mod directory;
mod tables;
mod told;

use serde::Serialize;

use crate::store::cell::Cell;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::proof::told::{Line, Told};
use crate::store::{Store, with_pool};

/// The first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The entry's number. Where the entries hold and a table does not follow
    /// from them, the last entry that tells of the row; 0 when none does.
    pub seq: i64,
    /// What is wrong with it.
    pub why: String,
}

/// What was proven: how many rows of each sort follow from how many entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Entries, each linked to the one before.
    pub entries: u64,
    /// Campaigns: definition, name, drill and state.
    pub campaigns: u64,
    /// Messages: everything but which process holds a claim.
    pub messages: u64,
    /// Approvals.
    pub approvals: u64,
    /// Directory versions.
    pub versions: u64,
    /// Accounts' rows: record, address and what drift is measured by.
    pub accounts: u64,
    /// Identifiers' rows.
    pub identifiers: u64,
    /// Suppressed addresses.
    pub suppressed: u64,
    /// Directory versions imported before their key was kept: not compared.
    pub versions_unproven: u64,
}

/// What a comparison finds: nothing, or the first row that does not follow.
type Found = Result<Option<Broken>>;

impl Broken {
    fn new(seq: i64, why: impl Into<String>) -> Self {
        Self { seq, why: why.into() }
    }
}

/// Takes a row that cannot be read for a broken link of that entry.
fn unreadable<T>(seq: i64, which: &str, read: Result<T>) -> Result<Result<T, Broken>> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(StoreError::Unreadable { .. }) => {
            Ok(Err(Broken::new(seq, format!("{which} cannot be read: a value of it is not of its type"))))
        }
        Err(error) => Err(error),
    }
}

/// Returns the broken link out of the comparison.
macro_rules! whole {
    ($read:expr) => {
        match $read? {
            Ok(value) => value,
            Err(broken) => return Ok(Some(broken)),
        }
    };
}
use whole;

/// A ledger row read back, but its number.
macro_rules! ledger_line {
    ($row:expr) => {
        (|| {
            let what = "ledger entry";
            Ok(Line {
                at_ms: Cell::cell($row, what, "at_ms")?,
                campaign: Cell::cell($row, what, "campaign")?,
                kind: Cell::cell($row, what, "kind")?,
                body: Cell::cell($row, what, "body")?,
                hash: Cell::cell($row, what, "hash")?,
            })
        })()
    };
}

impl Store {
    /// Recomputes every link, replays the entries, and compares what follows with
    /// the tables. What was proven, when all holds.
    ///
    /// # Errors
    /// The database fails. A broken ledger is no error of the store: it is the
    /// answer.
    pub async fn verify_ledger(&self) -> Result<Result<Proof, Broken>> {
        let (mut told, mut proof) = (Told::default(), Proof::default());
        let broken = match self.replay(&mut told, &mut proof).await? {
            None => self.compare(&told, &mut proof).await?,
            broken => broken,
        };
        Ok(match broken {
            None => Ok(proof),
            Some(broken) => Err(broken),
        })
    }

    async fn compare(&self, told: &Told, proof: &mut Proof) -> Found {
        macro_rules! go {
            ($($comparison:ident),*) => {$(
                if let Some(broken) = self.$comparison(told, proof).await? {
                    return Ok(Some(broken));
                }
            )*};
        }
        go!(compare_campaigns, compare_approvals, compare_messages, compare_suppressions);
        go!(compare_versions, compare_accounts);
        Ok(None)
    }

    async fn replay(&self, told: &mut Told, proof: &mut Proof) -> Found {
        const EARLY: &str = "select seq from ledger where seq < 1 order by seq limit 1";
        const PAGE: &str =
            "select seq, at_ms, campaign, kind, body, hash from ledger where seq > $1 order by seq limit 50";
        let doing = "reading the ledger";
        let early: Option<i64> = with_pool!(self, |pool| {
            let row = sqlx::query(EARLY).fetch_optional(pool).await.doing(doing)?;
            row.map(|row| row.cell("ledger entry", "seq")).transpose()?
        });
        if let Some(seq) = early {
            return Ok(Some(Broken::new(seq, "no entry stands before the first")));
        }
        let (mut seq, mut previous) = (0_i64, crate::ledger::GENESIS.to_vec());
        loop {
            let lines: Vec<(i64, Result<Line>)> = with_pool!(self, |pool| {
                let rows = sqlx::query(PAGE).bind(seq).fetch_all(pool).await.doing(doing)?;
                let read = |row| Ok((Cell::cell(row, "ledger entry", "seq")?, ledger_line!(row)));
                rows.iter().map(read).collect::<Result<_>>()?
            });
            if lines.is_empty() {
                proof.entries = seq.unsigned_abs();
                return Ok(None);
            }
            for (number, line) in lines {
                let line = whole!(unreadable(number, "its row", line));
                match told.take(number, &line, seq, &previous)? {
                    None => (seq, previous) = (number, line.hash),
                    broken => return Ok(broken),
                }
            }
        }
    }
}
