//! The store's disk full: while messages are on their way, while a campaign is
//! made ready, while the guard's index is written. A small disk of its own is
//! mounted for each test, which only root may do; others are told that these tests
//! were left out.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use super::*;

/// Room for a store of some hundred accounts, and not for much more.
const SIZE: &str = "24m";
/// Messages a second: slow enough to count what comes after the disk was full.
const RATE: u64 = 60;
const MANY: u64 = 900;

/// A disk in memory, gone with its value.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// `None`, said on stderr, where nothing may be mounted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"]).arg(folder.path());
        if mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Some(Self { folder });
        }
        let required = std::env::var("KAKITOME_TEST_REQUIRE").is_ok_and(|value| value.contains("disk"));
        assert!(!required, "a full disk is required, and this user may mount none");
        let _ = writeln!(std::io::stderr(), "full disk suite left out: this user may mount no tmpfs");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Leaves so many bytes free.
    fn fill(&self, free: u64) {
        let path = self.path("ballast");
        let mut ballast = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        let page = [0; 4096];
        while ballast.write_all(&page).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.saturating_sub(free)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Files may be open still: it goes when they are closed.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

/// Says what, where and what now.
fn tells(error: &str, disk: &Disk) {
    assert!(error.contains("disk is full"), "{error}");
    assert!(error.contains(&disk.path("kakitome.db").display().to_string()), "no place: {error}");
    assert!(error.contains("\n  now: make room"), "no advice: {error}");
    assert!(!error.contains("backup"), "the store is whole: {error}");
}

/// Fills the disk under a sending process again and again, makes room, and goes on.
async fn filled(disk: Disk, fills: usize) {
    let mail = Arc::new(Mutex::new(Vec::new()));
    let seen = mail.clone();
    let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery.recipient)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let base = Base::file_at(&disk.path("kakitome.db"));
    let url = format!("smtp://{}", receiver.addr());
    let (app, id) = approved(&base, folder.path(), MANY, &url, &format!("{RATE}/s")).await;
    // No log is left to be written over: whatever is written now needs room.
    app.store.close().await;

    let arrived = || mail.lock().unwrap().len() as u64;
    let send = || sending(folder.path(), &base);
    for _ in 0..fills {
        let few = arrived() + fastrand::u64(1..10);
        let process = send();
        until("the next messages", || arrived() >= few).await;
        disk.fill(0);
        let full = arrived();
        refused(ended(process).await, &disk);
        // A write is due each 20 ms, and messages go each 17.
        assert!(arrived() <= full + 6, "{} messages went on a full disk", arrived() - full);
        // Its log, written back and gone, may have left room.
        disk.fill(0);
        let stopped = arrived();
        refused(ended(send()).await, &disk);
        assert_eq!(arrived(), stopped, "a process that cannot write sent something");
        disk.make_room();
    }
    let last = ended(send()).await;
    let told = String::from_utf8_lossy(&last.stderr);
    assert_eq!(last.status.code(), Some(i32::from(Exit::Incomplete.code())), "{told}");
    let app = open(&base, folder.path(), &generate::config(&url)).await;
    let counts = app.store.counts(id, None).await.unwrap();
    assert_eq!(counts.accepted + counts.unknown, MANY, "{counts:?}");
    let each: BTreeSet<String> = mail.lock().unwrap().iter().cloned().collect();
    assert_eq!(each.len() as u64, arrived(), "somebody got it twice");
    assert!(counts.accepted <= arrived() && arrived() <= MANY);
    control::verify(&app).await.unwrap();
    eprintln!(
        "disk full {fills} times: {MANY} planned, {} accepted, {} unknown, 0 twice",
        counts.accepted, counts.unknown
    );
}

fn sending(folder: &Path, base: &Base) -> Child {
    let mut send = program(folder, base, &["campaign", "send", "1", "--wait"]);
    send.stderr(Stdio::piped()).spawn().unwrap()
}

fn refused(ended: Output, disk: &Disk) {
    let error = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{error}");
    tells(&error, disk);
}

async fn ended(process: Child) -> Output {
    tokio::task::spawn_blocking(move || process.wait_with_output().unwrap()).await.unwrap()
}

#[test]
fn a_full_disk_stops_sending_before_the_next_message_and_loses_nothing() {
    let Some(disk) = Disk::mount() else { return };
    let fills = std::env::var("KAKITOME_TEST_FILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(4);
    support::runtime().block_on(filled(disk, fills));
}

/// With so little room, and then a little more, until it goes: what fails leaves
/// nothing half done, and says so.
#[test]
fn what_a_full_disk_refuses_is_not_there_and_can_be_repeated() {
    let Some(disk) = Disk::mount() else { return };
    support::runtime().block_on(async {
        let base = Base::file_at(&disk.path("kakitome.db"));
        let world = World::new(&base).await;
        let campaign = world.edit("campaign.toml", |text| one_stage(&text));
        let index = world.app.config.index_path();
        let whole = std::fs::read(&index).unwrap();
        let mut refused = BTreeMap::<&str, u64>::new();
        let rooms = |n: u64| n * 16 * 1024;

        let mut id = None;
        for n in 0.. {
            disk.fill(rooms(n));
            match freeze::freeze(&world.app, &campaign, "author").await {
                Ok(frozen) => {
                    id = Some(frozen.campaign);
                    break;
                }
                Err(error) => tells(&error.to_string(), &disk),
            }
            assert!(world.app.store.campaigns().await.unwrap().is_empty());
            *refused.entry("frozen").or_default() += 1;
        }
        let id = id.unwrap();
        for n in 0.. {
            disk.fill(rooms(n));
            match check::check(&world.app, id).await {
                Ok(found) => {
                    assert_eq!(found.cleared, ACCOUNTS);
                    break;
                }
                Err(error) => tells(&error.to_string(), &disk),
            }
            assert_eq!(world.app.store.state(id).await.unwrap(), State::Frozen);
            *refused.entry("checked").or_default() += 1;
        }
        for n in 0.. {
            disk.fill(rooms(n));
            match import::import(&world.app, &world.files.directory, &import::Accepted::default()).await {
                Ok(_) => break,
                Err(error) => tells(&error.to_string(), &disk),
            }
            assert_eq!(world.app.version().await.unwrap().number, 1);
            *refused.entry("imported").or_default() += 1;
        }
        disk.make_room();
        assert_eq!(refused.len(), 3, "{refused:?}");
        control::verify(&world.app).await.unwrap();

        // The import of the same rows made version 2; its index replaces the old one
        // when it is whole, and not before.
        std::fs::write(&index, &whole).unwrap();
        let version = world.app.version().await.unwrap();
        assert_eq!(version.number, 2);
        let mut tries = 0;
        for n in 0.. {
            disk.fill(rooms(n));
            match index::renew(&world.app, &version).await {
                Ok(()) => break,
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains("index cannot be built") && error.contains("make room"), "{error}");
                    assert!(error.contains("kakitome.index"), "no place: {error}");
                }
            }
            assert!(std::fs::read(&index).unwrap() == whole, "the old index was touched");
            let left = std::fs::read_dir(disk.folder.path()).unwrap().flatten();
            assert!(
                left.into_iter().all(|file| !file.file_name().to_string_lossy().ends_with(".new")),
                "half an index"
            );
            tries += 1;
        }
        assert!(tries > 0, "it was never refused");
        eprintln!("refused on a full disk: {refused:?}, the index {tries} times");
    });
}
