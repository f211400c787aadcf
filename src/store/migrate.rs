//! Brings a store's tables up to date. The files in `migrations/` carry the same
//! numbers for both databases and are never edited once applied.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::store::error::{Doing, Result};
use crate::store::{Store, with_pool};

type Script = (i64, &'static str, &'static str);

const SQLITE: &[Script] = &[(1, "start", include_str!("../../migrations/sqlite/0001_start.sql"))];
const POSTGRES: &[Script] = &[(1, "start", include_str!("../../migrations/postgres/0001_start.sql"))];

impl Store {
    pub(in crate::store) async fn migrate(&self) -> Result<()> {
        let scripts = if self.is_sqlite() { SQLITE } else { POSTGRES };
        let migrations: Vec<Migration> = scripts
            .iter()
            .map(|(version, name, sql)| {
                Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
            })
            .collect();
        let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
        with_pool!(self, |pool| migrator.run(pool).await).doing("bringing the store's tables up to date")
    }
}
