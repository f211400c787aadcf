//! Brings a store's tables up to date. The files in `migrations/` carry the same
//! numbers for both databases and are never edited once applied; a store that
//! was changed by a newer program is refused.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::store::error::{Doing, Result};
use crate::store::{Pool, Store};

type Script = (i64, &'static str, &'static str);

const SQLITE: &[Script] = &[
    (1, "start", include_str!("../../migrations/sqlite/0001_start.sql")),
    (2, "key id", include_str!("../../migrations/sqlite/0002_key_id.sql")),
    (3, "ended", include_str!("../../migrations/sqlite/0003_ended.sql")),
    (4, "expired", include_str!("../../migrations/sqlite/0004_expired.sql")),
    (5, "pace", include_str!("../../migrations/sqlite/0005_pace.sql")),
    (6, "worker", include_str!("../../migrations/sqlite/0006_worker.sql")),
    (7, "begun", include_str!("../../migrations/sqlite/0007_begun.sql")),
    (8, "claimed_ms", include_str!("../../migrations/sqlite/0008_claimed_ms.sql")),
    (9, "calibration", include_str!("../../migrations/sqlite/0009_calibration.sql")),
];
const POSTGRES: &[Script] = &[
    (1, "start", include_str!("../../migrations/postgres/0001_start.sql")),
    (2, "key id", include_str!("../../migrations/postgres/0002_key_id.sql")),
    (3, "ended", include_str!("../../migrations/postgres/0003_ended.sql")),
    (4, "expired", include_str!("../../migrations/postgres/0004_expired.sql")),
    (5, "pace", include_str!("../../migrations/postgres/0005_pace.sql")),
    (6, "worker", include_str!("../../migrations/postgres/0006_worker.sql")),
    (7, "begun", include_str!("../../migrations/postgres/0007_begun.sql")),
    (8, "claimed_ms", include_str!("../../migrations/postgres/0008_claimed_ms.sql")),
    (9, "calibration", include_str!("../../migrations/postgres/0009_calibration.sql")),
];

impl Store {
    pub(in crate::store) async fn migrate(&self) -> Result<()> {
        const DONE: &str = "select count(*) from _sqlx_migrations where success";
        let doing = "bringing the store's tables up to date";
        // `run_direct` is `run` without its generic connection, which would make
        // this future impossible to spawn.
        match &self.pool {
            // PostgreSQL lets one process migrate at a time by itself.
            Pool::Postgres(pool) => {
                let mut connection = pool.acquire().await.doing(doing)?;
                migrator(POSTGRES).run_direct(None, &mut *connection, false).await.doing(doing)
            }
            Pool::Sqlite { writer, readers } => {
                // Without the table this fails, and nothing is done yet.
                let done: i64 = sqlx::query_scalar(DONE).fetch_one(readers).await.unwrap_or(0);
                if done >= SQLITE.len() as i64 {
                    let mut connection = writer.acquire().await.doing(doing)?;
                    return migrator(SQLITE).run_direct(None, &mut *connection, false).await.doing(doing);
                }
                let mut tx = writer.begin_with("begin immediate").await.doing(doing)?;
                migrator(SQLITE).run_direct(None, &mut *tx, false).await.doing(doing)?;
                tx.commit().await.doing(doing)
            }
        }
    }
}

fn migrator(scripts: &[Script]) -> Migrator {
    let migrations = scripts.iter().map(|(number, name, sql)| {
        Migration::new(*number, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
