//! What the tests share: one suite over both databases. Each test gets a store
//! of its own, a SQLite file or a PostgreSQL database, and the means to open it
//! again and to change it from outside, as an intruder would.

pub mod postgres;

use std::path::PathBuf;

use kakitome::store::Store;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// One test's database.
pub struct Base {
    /// Where it is, as `store` in the configuration says it.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Base {
    /// Opens it, as a process of its own would.
    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// A SQLite file in somebody else's folder.
    pub fn file_at(file: &std::path::Path) -> Self {
        Self { url: format!("sqlite:{}", file.display()), _folder: None }
    }

    /// A database of somebody else's server.
    pub fn server_at(url: String) -> Self {
        Self { url, _folder: None }
    }

    /// Keeps everybody from writing to messages, until it is dropped.
    pub async fn hold(&self) -> Box<dyn Send> {
        if self.is_sqlite() {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
            let mut outside = options.connect().await.unwrap();
            sqlx::raw_sql("begin immediate").execute(&mut outside).await.unwrap();
            Box::new(outside)
        } else {
            let mut outside = sqlx::PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql("begin; lock table message in exclusive mode").execute(&mut outside).await.unwrap();
            Box::new(outside)
        }
    }

    /// Whether it is a SQLite file.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        self.url.strip_prefix("sqlite:").unwrap().into()
    }

    /// Changes it behind the program's back.
    pub async fn tamper(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        if self.is_sqlite() {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
            let mut outside = options.connect().await.unwrap();
            sql.execute(&mut outside).await.unwrap();
            outside.close().await.unwrap();
        } else {
            let mut outside = sqlx::PgConnection::connect(&self.url).await.unwrap();
            sql.execute(&mut outside).await.unwrap();
            outside.close().await.unwrap();
        }
    }
}

/// Runs a test on a SQLite file of its own.
pub fn on_sqlite(test: impl AsyncFnOnce(&Base)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let base = Base { url, _folder: Some(folder) };
    runtime().block_on(test(&base));
}

/// Runs a test on a PostgreSQL database of its own, if there is a PostgreSQL.
pub fn on_postgres(test: impl AsyncFnOnce(&Base)) {
    let Some(server) = postgres::server() else { return };
    runtime().block_on(async {
        let base = Base { url: server.database().await, _folder: None };
        test(&base).await;
    });
}

/// A runtime as the program has it.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes of each `async fn name(base: &Base)` a test `name::sqlite` and a test
/// `name::postgres`.
#[macro_export]
macro_rules! both {
    ($($(#[$note:meta])* async fn $name:ident($base:ident: &Base) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$note])*
            async fn run($base: &Base) $body

            #[test]
            fn sqlite() {
                support::on_sqlite(run);
            }

            #[test]
            fn postgres() {
                support::on_postgres(run);
            }
        }
    )*};
}
