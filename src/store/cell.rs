//! Reading a row's cells. What was changed from outside may be of any type, as
//! SQLite allows, or no UTF-8: a cell that is not what it should be is an answer
//! ([`StoreError::Unreadable`]), never a panic.

use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::store::error::{Result, StoreError};

/// A row whose cells are read with care.
pub(in crate::store) trait Cell: Row {
    /// The cell of a column, by name or place; `what` names what the row is.
    fn cell<'r, T, I>(&'r self, what: &'static str, column: I) -> Result<T>
    where
        T: Decode<'r, Self::Database> + Type<Self::Database>,
        I: ColumnIndex<Self>,
    {
        // The cause may quote the value, and the value may be anybody's.
        self.try_get(column).map_err(|_| StoreError::Unreadable { what })
    }
}

impl<R: Row> Cell for R {}
