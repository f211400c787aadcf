//! A private PostgreSQL for one test binary: the distribution's own programs,
//! a fresh cluster in a temporary folder, a Unix socket and no TCP port.
//!
//! A guard process owns the server. It waits for the end of its standard input,
//! which comes when the tests end, however they end; then it stops the server
//! and removes the folder. Without PostgreSQL's programs the tests that need it
//! say so on stderr and pass, unless `KAKITOME_TEST_REQUIRE=postgres` is set.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection};

/// PostgreSQL refuses to run as root: `nobody` and `nogroup` then run it.
const NOBODY: u32 = 65534;

/// Everything is thrown away afterwards, so nothing waits for the disk; and what
/// need not be written at once is written as late as can be, so that a crash forgets
/// all that it may. What is measured waits for the disk.
const GUARD: &str = r#"
set -e
cd "$2"
fsync=${KAKITOME_TEST_MEASURE:+on}
"$1/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1
"$1/pg_ctl" -D data -w -l log -o "-k '$2' -c listen_addresses='' -c fsync=${fsync:=off} -c full_page_writes=$fsync \
  -c synchronous_commit=off -c wal_writer_delay=10s -c wal_writer_flush_after=1GB -c max_connections=300" start >>log 2>&1 </dev/null
echo ready
read -r end || true
"$1/pg_ctl" -D data -m immediate stop >/dev/null 2>&1
cd /
rm -rf "$2"
"#;

/// A running server.
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    next: AtomicU32,
    // Its standard input stays open as long as this process lives.
    _guard: Child,
}

/// This binary's server, started by the first test that asks; `None`, said on
/// stderr, when there is no PostgreSQL on this machine.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(of_ones_own).as_ref()
}

/// A server for one test alone, which may restart it.
pub fn of_ones_own() -> Option<Server> {
    let Some(programs) = programs() else {
        let why = "no initdb under /usr/lib/postgresql or on the PATH";
        let required = std::env::var("KAKITOME_TEST_REQUIRE").is_ok_and(|value| value.contains("postgres"));
        assert!(!required, "PostgreSQL is required: {why}");
        // Past the capture of the test harness: nobody may overlook it.
        let _ = writeln!(std::io::stderr(), "PostgreSQL suite left out: {why}");
        return None;
    };
    Some(start(&programs))
}

impl Server {
    /// Makes a database of its own for one test; its URL.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.next.fetch_add(1, Ordering::Relaxed));
        let mut admin = sqlx::PgConnection::connect(&self.url("postgres")).await.unwrap();
        let create = AssertSqlSafe(format!("create database {name}"));
        sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        self.url(&name)
    }

    /// Kills every process of it without a word to anybody, as a crash does, and
    /// starts it again.
    pub fn crash(&self) {
        let mut restart = as_its_user(&self.programs.join("pg_ctl"));
        restart.current_dir(&self.folder).args(["-D", "data", "-m", "immediate", "-w", "-l", "log", "restart"]);
        assert!(restart.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    }

    /// Cuts every connection but the one that asks.
    pub async fn cut(&self) {
        const CUT: &str = "
            select pg_terminate_backend(pid) from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid()";
        let mut admin = sqlx::PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::raw_sql(CUT).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }
}

/// The folder of the newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

fn start(programs: &Path) -> Server {
    // Short, because a socket's path may have 107 bytes at most.
    let folder = tempfile::Builder::new().prefix("kt-pg-").tempdir_in("/tmp").unwrap().keep();
    if is_root() {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut command = as_its_user(Path::new("sh"));
    let mut guard = command
        .args(["-c", GUARD, "guard"])
        .arg(programs)
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // An interrupt from the terminal is for the tests; the guard follows.
        .process_group(0)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(guard.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line != "ready\n" {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start from {}: {log}", programs.display());
    }
    Server { programs: programs.to_owned(), folder, next: AtomicU32::new(1), _guard: guard }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A program, run by the user whom the server runs as.
fn as_its_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]).arg(program);
    command
}
