//! The main job from export to delivery, and every way it must stop: a made-up
//! registrar, a real store, a receiver on loopback. Each test runs on SQLite and
//! on PostgreSQL.

mod bounces;
mod crash;
mod disk;
mod extra;
mod hours;
mod links;
mod postfix;
mod replies;
mod restart;
mod server;
mod settle;
mod sink;
mod stop;
mod trust;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kakitome::account::AccountId;
use kakitome::address::Address;
use kakitome::app::campaign::{approve, check, control, freeze};
use kakitome::app::deliver::send;
use kakitome::app::deliver::send::SendReport;
use kakitome::app::directory::{import, index, suppress};
use kakitome::app::{App, key};
use kakitome::campaign::State;
use kakitome::config::Config;
use kakitome::demo::generate::{self, Files};
use kakitome::demo::reader::Ownership;
use kakitome::demo::receiver::{Delivery, Receiver};
use kakitome::error::Exit;
use kakitome::ledger::Counts;
use kakitome::report::Passage;
use kakitome::store::{Cursor, Due, Wanted};
use kakitome::telemetry::Metrics;
use tokio::sync::watch;

use super::support::{self, Base};
use crate::both;

const ACCOUNTS: u64 = 120;

/// A registrar in a folder of its own, with a receiver for its mail.
struct World {
    folder: tempfile::TempDir,
    files: Files,
    app: App,
    mail: Arc<Mutex<Vec<Delivery>>>,
    _receiver: Receiver,
}

impl World {
    async fn new(base: &Base) -> Self {
        let mail = Arc::new(Mutex::new(Vec::new()));
        let seen = mail.clone();
        let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery)).unwrap();
        let url = format!("smtp://{}", receiver.addr());
        Self::with_server(base, &url, "100000/s", mail, receiver).await
    }

    async fn with_server(
        base: &Base,
        url: &str,
        rate: &str,
        mail: Arc<Mutex<Vec<Delivery>>>,
        receiver: Receiver,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = generate::registrar(folder.path(), ACCOUNTS, 7).unwrap();
        key::write(&folder.path().join("kakitome.key")).unwrap();
        let text = generate::config(url).replace("rate = \"100000/s\"", &format!("rate = \"{rate}\""));
        let app = open(base, folder.path(), &text.replace("500ms", "1ms")).await;
        import::import(&app, &files.directory, &import::Accepted::default()).await.unwrap();
        Self { folder, files, app, mail, _receiver: receiver }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes a file of the folder.
    fn edit(&self, name: &str, change: impl FnOnce(String) -> String) -> PathBuf {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(text)).unwrap();
        path
    }

    /// Freezes the newsletter with one stage for everybody.
    async fn frozen(&self) -> i64 {
        let campaign = self.edit("campaign.toml", |text| one_stage(&text));
        freeze::freeze(&self.app, &campaign, "author").await.unwrap().campaign
    }

    async fn approved(&self) -> i64 {
        let id = self.frozen().await;
        let found = check::check(&self.app, id).await.unwrap();
        assert_eq!((found.held, found.cleared), (0, ACCOUNTS), "{:?}", found.first);
        approve::approve(&self.app, id, "reviewer").await.unwrap();
        id
    }

    async fn send(&self, id: i64) -> SendReport {
        let (_stop, stopped) = watch::channel(false);
        send::send(&self.app, id, true, stopped).await.unwrap()
    }

    /// What was delivered, by recipient.
    fn delivered(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for delivery in self.mail.lock().unwrap().iter() {
            *counts.entry(delivery.recipient.clone()).or_default() += 1;
        }
        counts
    }
}

async fn open(base: &Base, folder: &Path, text: &str) -> App {
    let env = [("KAKITOME_STORE".to_owned(), base.url.clone())];
    let config = Config::parse(text, folder, env.into_iter()).unwrap();
    App::open(config, Metrics::new().unwrap()).await.unwrap()
}

/// An approved campaign of one stage to so many accounts, in a folder in which
/// the program can be run.
async fn approved(base: &Base, folder: &Path, accounts: u64, url: &str, rate: &str) -> (App, i64) {
    let files = generate::registrar(folder, accounts, 7).unwrap();
    key::write(&folder.join("kakitome.key")).unwrap();
    let text = generate::config(url).replace("rate = \"100000/s\"", &format!("rate = \"{rate}\""));
    std::fs::write(folder.join("kakitome.toml"), &text).unwrap();
    let app = open(base, folder, &text).await;
    import::import(&app, &files.directory, &import::Accepted::default()).await.unwrap();
    let campaign = std::fs::read_to_string(&files.campaign).unwrap();
    std::fs::write(&files.campaign, one_stage(&campaign)).unwrap();
    let id = freeze::freeze(&app, &files.campaign, "author").await.unwrap().campaign;
    check::check(&app, id).await.unwrap();
    approve::approve(&app, id, "reviewer").await.unwrap();
    (app, id)
}

/// A campaign file with one stage for everybody.
fn one_stage(campaign: &str) -> String {
    let head = campaign.split("[[stage]]").next().unwrap();
    format!("{head}\n[[stage]]\nname = \"everybody\"\npercent = 100\n")
}

/// The built program in a folder, silent.
fn program(folder: &Path, base: &Base, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kakitome"));
    command.args(args).current_dir(folder).env("KAKITOME_STORE", &base.url);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Claims and begins so many messages, as a process does that dies while it sends them.
async fn claim(app: &App, id: i64, count: usize) -> Vec<AccountId> {
    let now_ms = app.clock.now_ms();
    let due = app.store.due(id, 0, &mut Cursor::default(), count, now_ms).await.unwrap();
    let to = Address::parse("somebody@customer.example").unwrap();
    let wanted = |due: Due| Wanted { account: due.account, digest: due.digest, attempts: due.attempts, to: to.clone() };
    let claims = app.store.claim(id, &[], due.into_iter().map(wanted).collect(), now_ms).await.unwrap();
    app.store.claim(id, &claims.iter().collect::<Vec<_>>(), Vec::new(), now_ms).await.unwrap();
    claims.into_iter().map(|claim| claim.account).collect()
}

/// The customer of this number as the export has it.
fn customer(number: u64) -> kakitome::demo::people::Customer {
    kakitome::demo::people::customer(number, ACCOUNTS, 7)
}

/// Waits for a condition, not for a time.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        // Whoever only yields takes a processor from what is waited for.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

both! {
    async fn the_index_is_opened_extended_or_built_and_never_stands_for_another_version(base: &Base) {
        use std::os::unix::fs::PermissionsExt;
        let world = World::new(base).await;
        let file = world.app.config.index_path();
        let made = || std::fs::metadata(&file).unwrap().modified().unwrap();
        let version = world.app.version().await.unwrap();
        let first = made();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let index = index::of(&world.app, &version).await.unwrap();
        assert_eq!((index.len() as u64, index.edition().version, made()), (version.identifiers, 1, first));
        let mut entries = Vec::new();
        world.app.store.entries(1, |entry| entries.push(entry)).await.unwrap();
        assert!(entries.iter().all(|entry| index.owners(entry.hash).contains(&entry.account)));

        // Missing, cut, or of another key: built again.
        std::fs::remove_file(&file).unwrap();
        index::of(&world.app, &version).await.unwrap().verify().unwrap();
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        index::of(&world.app, &version).await.unwrap().verify().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), whole, "the same rows make the same file");
        let other = App { keys: kakitome::key::Keys::new(&[3; 32]), ..world.app.clone() };
        index::of(&other, &version).await.unwrap();
        assert_ne!(std::fs::read(&file).unwrap(), whole);
        std::fs::write(&file, &whole).unwrap();

        // A version that another machine imported: what it gained comes from the store.
        let text = std::fs::read_to_string(&world.files.directory).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let next = world.path("next.csv");
        std::fs::write(&next, [&lines[..3], &lines[5..]].concat().join("\n")).unwrap();
        import::import(&world.app, &next, &import::Accepted::drift("two left")).await.unwrap();
        std::fs::write(&next, [&lines[..4], &lines[5..]].concat().join("\n")).unwrap();
        import::import(&world.app, &next, &import::Accepted::drift("one came back")).await.unwrap();
        let version = world.app.version().await.unwrap();
        assert_eq!(index::of(&world.app, &version).await.unwrap().edition().version, 3);
        std::fs::write(&file, &whole).unwrap();
        let extended = index::of(&world.app, &version).await.unwrap();
        assert_eq!((extended.len() as u64, std::fs::read(&file).unwrap() == whole), (version.identifiers, true));
        let mut entries = Vec::new();
        world.app.store.entries(3, |entry| entries.push(entry)).await.unwrap();
        assert!(entries.iter().all(|entry| extended.owners(entry.hash).contains(&entry.account)));

        // A file of a later version than the store's current one is refused.
        let first = world.app.store.version(1).await.unwrap().unwrap();
        assert_eq!(index::of(&world.app, &first).await.unwrap().edition().version, 1);
        index::of(&world.app, &version).await.unwrap();
    }
}

both! {
    async fn everybody_gets_their_own_message_once(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        let sent = world.send(id).await;
        assert_eq!((sent.accepted, sent.state, sent.exit()), (ACCOUNTS, State::Finished, Exit::Done));
        let again = world.send(id).await;
        assert_eq!(again.accepted, ACCOUNTS);
        let delivered = world.delivered();
        assert_eq!(delivered.len() as u64, ACCOUNTS);
        assert!(delivered.values().all(|count| *count == 1));
        let owned = Ownership::read(&world.files.directory).unwrap();
        for delivery in world.mail.lock().unwrap().iter() {
            assert_eq!(owned.mismatch(delivery), None, "{}", delivery.recipient);
        }
        assert!(control::verify(&world.app).await.unwrap().entries > 0);
    }

    async fn postfix_takes_each_message_as_it_was_made(base: &Base) {
        let Some(sink) = sink::Sink::start() else { return };
        let receiver = Receiver::start(|_| {}).unwrap();
        let world = World::with_server(base, &sink.url(), "100000/s", Arc::default(), receiver).await;
        let id = world.approved().await;
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
        let owned = Ownership::read(&world.files.directory).unwrap();
        let mail = sink.mail();
        let recipients: BTreeSet<&str> = mail.iter().map(|delivery| delivery.recipient.as_str()).collect();
        assert_eq!((mail.len() as u64, recipients.len() as u64), (ACCOUNTS, ACCOUNTS));
        for delivery in &mail {
            assert_eq!(owned.mismatch(delivery), None, "{}", delivery.recipient);
            assert!(delivery.sender.contains('@'), "an envelope sender");
        }
    }

    async fn a_shifted_join_delivers_nothing_with_every_other_gate_open(base: &Base) {
        let world = World::new(base).await;
        let id = freeze::freeze(&world.app, &world.files.accident, "author").await.unwrap().campaign;
        let found = check::check(&world.app, id).await.unwrap();
        assert_eq!((found.held, found.cleared), (ACCOUNTS, 0));
        let held = kakitome::app::evidence::resolve::list(&world.app, id, kakitome::ledger::State::Held).await.unwrap();
        assert_eq!(held.len() as u64, ACCOUNTS);
        assert!(held.iter().all(|one| one.findings.iter().any(|found| found.rule == kakitome::guard::Rule::Foreign)));
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        let sent = world.send(id).await;
        assert_eq!((sent.accepted, sent.exit()), (0, Exit::Held));
        assert!(world.delivered().is_empty());
    }

    async fn a_shifted_export_is_refused_and_a_reason_is_recorded(base: &Base) {
        let world = World::new(base).await;
        let refused = import::import(&world.app, &world.files.shifted_directory, &import::Accepted::default()).await.unwrap_err();
        assert!(refused.to_string().contains("differs too much"), "{refused}");
        assert_eq!(world.app.version().await.unwrap().number, 1);
        import::import(&world.app, &world.files.shifted_directory, &import::Accepted::drift("a test")).await.unwrap();
        let version = world.app.version().await.unwrap();
        assert_eq!((version.number, version.reason.as_deref()), (2, Some("a test")));
    }

    async fn a_message_that_is_not_what_was_approved_halts_the_campaign(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        let name = customer(5).name;
        let export = world.edit("directory.csv", |text| text.replacen(&name, "改姓 済子", 1));
        import::import(&world.app, &export, &import::Accepted::default()).await.unwrap();
        let sent = world.send(id).await;
        assert_eq!((sent.state, sent.held > 0, sent.exit()), (State::Halted, true, Exit::Held), "{:?}", sent.why);
        assert_eq!((sent.accepted, world.delivered().len()), (0, 0));
        let why = sent.why.unwrap();
        assert!(why.contains("account") && why.contains("not the one that was checked"), "{why}");
        control::resume(&world.app, id, "x").await.unwrap_err();
        let report = control::report(&world.app, id).await.unwrap();
        assert_eq!(report.why, Some(why));
        assert!(report.stages.iter().any(|stage| stage.passage == Passage::Stopped), "{:?}", report.stages);
    }

    async fn an_address_suppressed_after_the_check_gets_nothing_and_its_namesake_does(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        let infos: Vec<String> =
            (0..ACCOUNTS).map(|n| customer(n).email).filter(|email| email.starts_with("info@")).collect();
        assert!(infos.len() > 1, "the registrar has namesakes");
        suppress::add(&world.app, &[infos[0].to_uppercase()], "asked").await.unwrap();
        let sent = world.send(id).await;
        assert_eq!(sent.accepted, ACCOUNTS - 1);
        let delivered = world.delivered();
        assert!(!delivered.contains_key(&infos[0]) && delivered.contains_key(&infos[1]));
    }

    async fn an_audience_row_that_disagrees_with_the_directory_is_held(base: &Base) {
        let world = World::new(base).await;
        let (wrong, right) = (customer(3), customer(4));
        let other = customer(9).email;
        let rows = format!("member_id,email\n{},{other}\n{},{}\n", wrong.member_id, right.member_id, right.email.to_uppercase());
        std::fs::write(world.path("audience.csv"), rows).unwrap();
        let campaign = world.edit("campaign.toml", |text| {
            format!("{}\n[[stage]]\nname = \"all\"\npercent = 100\n", text.split("[[stage]]").next().unwrap())
        });
        let frozen = freeze::freeze(&world.app, &campaign, "author").await.unwrap();
        assert_eq!((frozen.planned, frozen.held), (2, 1));
        let found = check::check(&world.app, frozen.campaign).await.unwrap();
        assert_eq!((found.cleared, found.held), (1, 1));
        let refused = approve::approve(&world.app, frozen.campaign, "reviewer").await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Held);
    }

    async fn an_accounts_identifier_in_the_template_needs_a_reason(base: &Base) {
        let world = World::new(base).await;
        let domain = (0..ACCOUNTS).find_map(|n| customer(n).domains.first().filter(|d| d.is_ascii()).cloned()).unwrap();
        world.edit("newsletter/body.txt", |text| format!("{text}\nSee https://{domain}/ too.\n"));
        let refused = freeze::freeze(&world.app, &world.files.campaign, "author").await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Held);
        assert!(!refused.to_string().contains(&domain), "the value is masked: {refused}");
        let campaign = world.edit("campaign.toml", |text| {
            text.replace("allow = [", &format!("allow = [{{ value = \"{domain}\", reason = \"a customer's story\" }}, "))
        });
        freeze::freeze(&world.app, &campaign, "author").await.unwrap();
    }

    async fn a_name_that_there_is_not_is_refused_with_file_and_line(base: &Base) {
        let world = World::new(base).await;
        world.edit("newsletter/body.txt", |text| format!("first\n{{{{ account.nickname }}}}\n{text}"));
        let refused = freeze::freeze(&world.app, &world.files.campaign, "author").await.unwrap_err().to_string();
        assert!(refused.contains("body.txt line 2") && refused.contains("account.nickname"), "{refused}");
    }

    async fn equal_inputs_give_equal_digests(base: &Base) {
        let world = World::new(base).await;
        let id = world.frozen().await;
        let first = check::check(&world.app, id).await.unwrap().digest;
        assert_eq!(check::check(&world.app, id).await.unwrap().digest, first);
    }

    async fn the_authors_own_approval_opens_no_gate_that_asks_for_another(base: &Base) {
        let world = World::new(base).await;
        let campaign = world.edit("campaign.toml", |text| text.replace("soak = \"200ms\"", "soak = \"1ms\""));
        let id = freeze::freeze(&world.app, &campaign, "author").await.unwrap().campaign;
        check::check(&world.app, id).await.unwrap();
        approve::approve(&world.app, id, "author").await.unwrap();
        let sent = world.send(id).await;
        assert_eq!((sent.accepted, sent.stage.as_str(), sent.exit()), (2, "canary", Exit::Gate));
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
    }

    async fn a_stage_soaks_before_the_next_opens(base: &Base) {
        let world = World::new(base).await;
        let campaign = world.edit("campaign.toml", |text| text.replace("soak = \"200ms\"", "soak = \"1h\""));
        let id = freeze::freeze(&world.app, &campaign, "author").await.unwrap().campaign;
        check::check(&world.app, id).await.unwrap();
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        let sent = send::send(&world.app, id, false, stopped).await.unwrap();
        assert_eq!((sent.accepted, sent.exit()), (2, Exit::Waits));
        assert!(sent.waits_until_ms > Some(world.app.clock.now_ms()));
        let why = sent.why.unwrap();
        assert!(why.contains("soaks until"));
        assert_eq!(control::status(&world.app, id).await.unwrap().waits, [why]);
    }

    async fn an_approval_that_is_missing_wins_over_the_soak(base: &Base) {
        let world = World::new(base).await;
        let campaign = world.edit("campaign.toml", |text| text.replace("soak = \"200ms\"", "soak = \"1h\""));
        let id = freeze::freeze(&world.app, &campaign, "author").await.unwrap().campaign;
        check::check(&world.app, id).await.unwrap();
        approve::approve(&world.app, id, "author").await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        let sent = send::send(&world.app, id, false, stopped).await.unwrap();
        assert_eq!((sent.accepted, sent.exit(), sent.waits_until_ms), (2, Exit::Gate, None));
        let why = sent.why.unwrap();
        assert!(why.contains("soaks until") && why.contains("asks for the approval"), "{why}");
    }

    async fn an_approval_does_not_cover_another_set_of_digests(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        let account = customer(1).member_id;
        let other = customer(2).member_id;
        base.tamper(&format!(
            "update message set digest = (select m.digest from message m where m.account = '{other}') where account = '{account}'"
        ))
        .await;
        let (_stop, stopped) = watch::channel(false);
        let refused = send::send(&world.app, id, true, stopped).await.unwrap_err();
        assert!(refused.to_string().contains("not those that were approved"), "{refused}");
        assert!(world.delivered().is_empty());
    }

    async fn what_a_dead_process_had_claimed_is_unknown_and_not_sent_again(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        let now_ms = world.app.clock.now_ms();
        world.app.store.set_state(id, &[State::Approved], State::Sending, now_ms).await.unwrap();
        let claimed = claim(&world.app, id, 7).await;
        assert_eq!(claimed.len(), 7);
        let sent = world.send(id).await;
        assert_eq!((sent.unknown, sent.accepted, sent.exit()), (7, ACCOUNTS - 7, Exit::Incomplete));
        assert_eq!(sent.state, State::Sending, "what nobody knows is not finished");
        assert_eq!(world.delivered().len() as u64, ACCOUNTS - 7);
        control::verify(&world.app).await.unwrap();
    }

    async fn a_pause_from_another_shell_stops_and_a_resume_goes_on(base: &Base) {
        let mail = Arc::new(Mutex::new(Vec::new()));
        let seen = mail.clone();
        let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery)).unwrap();
        let url = format!("smtp://{}", receiver.addr());
        let world = World::with_server(base, &url, "60/s", mail, receiver).await;
        let id = world.approved().await;
        let config = std::fs::read_to_string(world.path("kakitome.toml")).unwrap_or_else(|_| generate::config(&url));
        let shell = open(base, world.folder.path(), &config).await;
        let mail = world.mail.clone();
        let operator = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            let (_stop, stopped) = watch::channel(false);
            let refused = send::send(&shell, id, true, stopped).await.unwrap_err();
            assert!(refused.to_string().contains("is sending this campaign"), "{refused}");
            control::pause(&shell, id, "x").await.unwrap();
        };
        let (sent, ()) = tokio::join!(world.send(id), operator);
        assert_eq!((sent.state, sent.exit()), (State::Paused, Exit::Gate));
        assert!(sent.accepted > 0 && sent.accepted < ACCOUNTS, "{}", sent.accepted);
        assert_eq!(sent.unknown, 0);
        control::resume(&shell, id, "x").await.unwrap();
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
        assert!(world.delivered().values().all(|count| *count == 1));
        assert_eq!(world.delivered().len() as u64, ACCOUNTS);
    }

    async fn a_deferral_is_tried_again_and_a_rejection_is_final(base: &Base) {
        let server = server::Moody::start();
        let receiver = Receiver::start(|_| {}).unwrap();
        let url = format!("smtp://{}", server.addr());
        let world = World::with_server(base, &url, "100000/s", Arc::default(), receiver).await;
        let id = world.approved().await;
        let sent = world.send(id).await;
        let rejected = (0..ACCOUNTS).filter(|n| server::rejects(&customer(*n).email)).count() as u64;
        assert!(rejected > 0 && server.deferrals() > 0);
        assert_eq!((sent.rejected, sent.accepted, sent.deferred), (rejected, ACCOUNTS - rejected, 0));
        assert_eq!(sent.exit(), Exit::Incomplete);
        assert!(server.accepted().values().all(|count| *count == 1));
    }
}
