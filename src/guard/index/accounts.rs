//! The accounts of an index: the store's rows → small numbers → keys.
//!
//! An index numbers its accounts from 0, in the order of the store's rows. While
//! it is built, a row's number is found by the row's share of the range, or, as
//! after a first import, by subtraction. In the file the keys stand in a table:
//! for each account where its key ends (8 bytes, little-endian), then the keys'
//! text. Errors: rows out of order, more accounts than an index can number.

use crate::account::AccountId;
use crate::guard::index::header::IndexError;

/// The most accounts: their numbers share a word with a mark.
const ACCOUNTS_MAX: usize = 1 << 31;

/// Accounts being numbered.
#[derive(Default)]
pub struct Accounts {
    rows: Vec<i64>,
    lengths: Vec<u8>,
    text: Vec<u8>,
    /// For each share of the range, the first place in `rows` that is in it.
    shares: Vec<u32>,
    shift: u32,
}

impl Accounts {
    /// Adds the account of a row, above the one before it.
    ///
    /// # Errors
    /// It is not above, or there are too many.
    pub fn push(&mut self, row: i64, account: &AccountId) -> Result<(), IndexError> {
        if self.rows.last().is_some_and(|last| *last >= row) {
            return Err(IndexError::Rows("accounts came out of order"));
        }
        if self.rows.len() >= ACCOUNTS_MAX {
            return Err(IndexError::Rows("there are more than 2,147,483,648 accounts"));
        }
        self.rows.push(row);
        // A key has 128 bytes at most.
        self.lengths.push(account.as_str().len() as u8);
        self.text.extend_from_slice(account.as_str().as_bytes());
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The last row; 0 if there is none.
    pub fn row_last(&self) -> i64 {
        self.rows.last().copied().unwrap_or_default()
    }

    /// Makes numbers ready to be found; nothing is added after that.
    pub fn close(&mut self) {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else { return };
        let range = last.abs_diff(*first);
        if range + 1 == self.rows.len() as u64 {
            return;
        }
        while range >> self.shift > self.rows.len() as u64 {
            self.shift += 1;
        }
        self.shares = Vec::with_capacity((range >> self.shift) as usize + 2);
        for (place, row) in self.rows.iter().enumerate() {
            let share = (row.abs_diff(*first) >> self.shift) as usize;
            while self.shares.len() <= share {
                self.shares.push(place as u32);
            }
        }
        self.shares.push(self.rows.len() as u32);
    }

    /// The number of a row's account; `None` if the row is of none of them.
    pub fn number(&self, row: i64) -> Option<u32> {
        let (first, last) = (*self.rows.first()?, *self.rows.last()?);
        if row < first || row > last {
            return None;
        }
        if self.shares.is_empty() {
            return Some(row.abs_diff(first) as u32);
        }
        let share = (row.abs_diff(first) >> self.shift) as usize;
        let (from, to) = (*self.shares.get(share)? as usize, *self.shares.get(share + 1)? as usize);
        let place = self.rows[from..to].binary_search(&row).ok()?;
        Some((from + place) as u32)
    }

    /// The table, written out piece by piece.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write(&self, mut out: impl FnMut(&[u8]) -> Result<(), IndexError>) -> Result<(), IndexError> {
        let mut end = 0_u64;
        let mut page = Vec::with_capacity(64 << 10);
        for lengths in self.lengths.chunks(8 << 10) {
            page.clear();
            for length in lengths {
                end += u64::from(*length);
                page.extend_from_slice(&end.to_le_bytes());
            }
            out(&page)?;
        }
        out(&self.text)
    }
}

/// The key of an account in a written table; `None` if the table is damaged.
pub fn read(table: &[u8], accounts: u64, number: u32) -> Option<AccountId> {
    let number = number as usize;
    if number as u64 >= accounts {
        return None;
    }
    let (ends, text) = table.split_at_checked(accounts as usize * 8)?;
    let (ends, _) = ends.as_chunks::<8>();
    let end = |at: usize| ends.get(at).map(|end| u64::from_le_bytes(*end) as usize);
    let start = if number == 0 { 0 } else { end(number - 1)? };
    AccountId::new(std::str::from_utf8(text.get(start..end(number)?)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_and_keys_read_back() {
        for step in [1, 7, 1_000_003] {
            let mut accounts = Accounts::default();
            let mut random = fastrand::Rng::with_seed(9);
            let mut row = 5;
            let mut rows = Vec::new();
            for n in 0..3_000_u32 {
                row += random.i64(1..=step);
                accounts.push(row, &AccountId::new(&format!("A{n}")).unwrap()).unwrap();
                rows.push(row);
            }
            accounts.close();
            for (n, row) in rows.iter().enumerate() {
                assert_eq!(accounts.number(*row), Some(n as u32), "step {step}");
                if rows.binary_search(&(row + 1)).is_err() {
                    assert_eq!(accounts.number(row + 1), None);
                }
            }
            assert_eq!((accounts.number(0), accounts.number(i64::MAX)), (None, None));
            assert!(accounts.push(row, &AccountId::new("B").unwrap()).is_err());
            let mut table = Vec::new();
            accounts
                .write(|piece| {
                    table.extend_from_slice(piece);
                    Ok(())
                })
                .unwrap();
            assert_eq!(read(&table, 3_000, 2_999).unwrap().as_str(), "A2999");
            assert_eq!(read(&table, 3_000, 0).unwrap().as_str(), "A0");
            assert_eq!(read(&table, 3_000, 3_000), None);
            assert_eq!(read(&table[..40], 3_000, 2), None);
        }
    }
}
