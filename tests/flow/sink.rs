//! Postfix's `smtp-sink` as a receiver: a mail server by other hands, which
//! keeps every transaction as a file of its own.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kakitome::demo::receiver::Delivery;

pub struct Sink {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Sink {
    /// Starts one; `None`, said on stderr, when there is no Postfix here.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            let required = std::env::var("KAKITOME_TEST_REQUIRE").is_ok_and(|value| value.contains("postfix"));
            assert!(!required, "Postfix is required, and there is no smtp-sink");
            let _ = writeln!(std::io::stderr(), "Postfix suite left out: no smtp-sink on the PATH or in /usr/sbin");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            chown(folder.path(), Some(65534), None).unwrap();
            command.args(["-u", "nobody"]);
        }
        let process = command
            .arg("-d")
            .arg(folder.path().join("mail."))
            .args([&format!("127.0.0.1:{port}"), "64"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sink = Self { process, folder, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "smtp-sink did not start");
            std::thread::yield_now();
        }
        Some(sink)
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What it kept. Its files begin with lines of its own, up to `Received:`
    /// and that header's folded lines, and end their lines with a bare LF.
    pub fn mail(&self) -> Vec<Delivery> {
        std::fs::read_dir(self.folder.path()).unwrap().map(|file| read(&file.unwrap().path())).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join("smtp-sink")).find(|program| program.exists())
}

fn read(path: &Path) -> Delivery {
    let kept = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let (own, rest) = kept.split_once("\nReceived:").unwrap();
    let argument = |name: &str| {
        let line = own.lines().filter_map(|line| line.strip_prefix(name)).collect::<Vec<_>>();
        assert_eq!(line.len(), 1, "one {name} a message");
        line[0].trim_start_matches('<').split('>').next().unwrap().to_owned()
    };
    let message = rest.lines().skip(1).skip_while(|line| line.starts_with('\t'));
    Delivery {
        sender: argument("X-Mail-Args: "),
        recipient: argument("X-Rcpt-Args: "),
        bytes: message.flat_map(|line| [line.trim_end_matches('\r'), "\r\n"]).collect::<String>().into_bytes(),
    }
}
