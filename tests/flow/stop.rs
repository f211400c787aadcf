//! Everything that must stop a message that is on its way already: another
//! directory, a gate, a suppression, a lost right to send, an operator who does
//! not want to wait.

use super::*;
use kakitome::ledger::State as Message;
use kakitome::store::Filter;

/// A world that sends slowly, so that something can happen meanwhile.
pub(super) async fn slow(base: &Base, rate: &str) -> World {
    let mail = Arc::new(Mutex::new(Vec::new()));
    let seen = mail.clone();
    let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery)).unwrap();
    let url = format!("smtp://{}", receiver.addr());
    World::with_server(base, &url, rate, mail, receiver).await
}

/// Freezes, checks and approves with this ladder.
async fn with_ladder(world: &World, ladder: &str) -> i64 {
    let campaign = world.edit("campaign.toml", |text| format!("{}\n{ladder}", text.split("[[stage]]").next().unwrap()));
    let id = freeze::freeze(&world.app, &campaign, "author").await.unwrap().campaign;
    check::check(&world.app, id).await.unwrap();
    approve::approve(&world.app, id, "reviewer").await.unwrap();
    id
}

/// The same installation, as another process opens it.
pub(super) async fn shell(base: &Base, world: &World) -> App {
    open(base, world.folder.path(), &generate::config("smtp://127.0.0.1:1")).await
}

/// A new export in which one customer has another address.
async fn moves(world: &World, shell: &App, number: u64) {
    let old = customer(number).email;
    let export = world.edit("directory.csv", |text| text.replacen(&old, "moved@elsewhere.test", 1));
    import::import(shell, &export, &import::Accepted::drift("somebody moved")).await.unwrap();
}

/// What is in a state, in the audience's order.
pub(super) async fn in_state(app: &App, id: i64, state: Message) -> Vec<AccountId> {
    let filter = Filter { state: Some(state), stage: None };
    let rows = app.store.messages(id, filter, -1, 1_000).await.unwrap();
    rows.into_iter().map(|row| row.account).collect()
}

pub(super) fn number_of(account: &AccountId) -> u64 {
    (0..ACCOUNTS).find(|n| customer(*n).member_id == account.as_str()).unwrap()
}

both! {
    async fn a_directory_that_comes_during_a_soak_is_the_one_that_is_sent_by(base: &Base) {
        let world = slow(base, "100000/s").await;
        let id = with_ladder(&world, "[[stage]]\nname = \"first\"\ncount = 3\nsoak = \"3s\"\n[[stage]]\nname = \"rest\"\npercent = 100\n").await;
        let shell = shell(base, &world).await;
        let mail = world.mail.clone();
        let operator = async {
            until("the first stage", || mail.lock().unwrap().len() == 3).await;
            let waiting = in_state(&shell, id, Message::Checked).await;
            let moved = number_of(&waiting[60]);
            moves(&world, &shell, moved).await;
            moved
        };
        let (sent, moved) = tokio::join!(world.send(id), operator);
        assert_eq!((sent.state, sent.exit()), (State::Halted, Exit::Held), "{:?}", sent.why);
        assert_eq!((sent.accepted, sent.held), (3, 1));
        assert!(!world.delivered().contains_key(&customer(moved).email), "the old address got mail");
    }

    async fn a_directory_that_comes_while_a_stage_is_sent_is_the_one_that_is_sent_by(base: &Base) {
        let world = slow(base, "30/s").await;
        let id = world.approved().await;
        let shell = shell(base, &world).await;
        let mail = world.mail.clone();
        let operator = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            let moved = number_of(in_state(&shell, id, Message::Checked).await.last().unwrap());
            moves(&world, &shell, moved).await;
            moved
        };
        let (sent, moved) = tokio::join!(world.send(id), operator);
        assert_eq!((sent.state, sent.held), (State::Halted, 1), "{:?}", sent.why);
        assert!(sent.accepted < ACCOUNTS && sent.unknown == 0);
        assert_eq!(sent.accepted, world.delivered().len() as u64);
        assert!(!world.delivered().contains_key(&customer(moved).email), "the old address got mail");
        control::verify(&world.app).await.unwrap();
    }

    async fn an_empty_stage_does_not_open_the_next_ones_gate(base: &Base) {
        let world = World::new(base).await;
        let (staff, canary) = (customer(1), customer(2));
        suppress::add(&world.app, &[canary.email], "asked").await.unwrap();
        let ladder = format!(
            "[[stage]]\nname = \"staff\"\naccounts = [{:?}]\nsoak = \"1h\"\n[[stage]]\nname = \"canary\"\naccounts = [{:?}]\n[[stage]]\nname = \"rest\"\npercent = 100\n",
            staff.member_id, canary.member_id
        );
        let id = with_ladder(&world, &ladder).await;
        for _ in 0..2 {
            let (_stop, stopped) = watch::channel(false);
            let sent = send::send(&world.app, id, false, stopped).await.unwrap();
            assert_eq!((sent.accepted, sent.exit()), (1, Exit::Waits), "{:?}", sent.why);
            assert!(sent.why.unwrap().contains("\"staff\" soaks until"));
        }
    }

    async fn an_address_suppressed_after_its_message_was_claimed_gets_nothing(base: &Base) {
        let world = slow(base, "20/s").await;
        let id = world.approved().await;
        let shell = shell(base, &world).await;
        let mail = world.mail.clone();
        let operator = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            let account = in_state(&shell, id, Message::Claimed).await.pop().unwrap();
            let email = customer(number_of(&account)).email;
            assert!(!mail.lock().unwrap().iter().any(|delivery| delivery.recipient == email));
            suppress::add(&shell, std::slice::from_ref(&email), "asked").await.unwrap();
            email
        };
        let (sent, email) = tokio::join!(world.send(id), operator);
        assert!(!world.delivered().contains_key(&email), "it was claimed already, and sent");
        assert_eq!((sent.accepted, sent.state, sent.left), (ACCOUNTS - 1, State::Finished, 0));
        control::verify(&world.app).await.unwrap();
    }

    async fn who_lost_the_right_to_send_sends_no_more_and_finishes_nothing(base: &Base) {
        let world = slow(base, "30/s").await;
        let id = world.approved().await;
        let (_stop, stopped) = watch::channel(false);
        let mail = world.mail.clone();
        let thief = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            base.tamper("update sending set holder = 'elsewhere:1', process = 'elsewhere pid 1 1'").await;
        };
        let (lost, ()) = tokio::join!(send::send(&world.app, id, true, stopped), thief);
        let lost = lost.unwrap_err();
        assert!(lost.to_string().contains("another process may have it"), "{lost}");
        let delivered = world.delivered().len() as u64;
        assert!(delivered < ACCOUNTS, "it went on to the end");
        assert_eq!(world.app.store.state(id).await.unwrap(), State::Sending);
        base.tamper("delete from sending").await;
        let sent = world.send(id).await;
        assert_eq!(sent.accepted + sent.unknown, ACCOUNTS);
        assert!(sent.unknown <= 60, "{} unknown, and claims run two seconds ahead at most", sent.unknown);
        assert!(world.delivered().values().all(|count| *count == 1));
        control::verify(&world.app).await.unwrap();
    }

    async fn a_pause_does_not_wait_for_the_rate(base: &Base) {
        let world = slow(base, "2/m").await;
        let id = world.approved().await;
        let shell = shell(base, &world).await;
        let mail = world.mail.clone();
        let operator = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            control::pause(&shell, id, "x").await.unwrap();
            Instant::now()
        };
        let (sent, asked) = tokio::join!(world.send(id), operator);
        assert!(asked.elapsed() < Duration::from_secs(10), "it waited {:?} for a token", asked.elapsed());
        assert_eq!((sent.state, sent.accepted, sent.unknown), (State::Paused, 1, 0));
        let twice = control::pause(&shell, id, "x").await.unwrap();
        assert_eq!((twice.state, twice.already), (State::Paused, true));
        control::resume(&shell, id, "x").await.unwrap();
        let status = control::status(&shell, id).await.unwrap();
        assert_eq!((status.state, status.sender), (State::Sending, None), "nobody sends it now");
        let twice = control::resume(&shell, id, "x").await.unwrap();
        assert_eq!((twice.state, twice.already), (State::Sending, true));
    }
}

/// A server that takes messages and says nothing of them any more; how many it has.
fn silent_from(count: usize) -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, taken) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let all = taken.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let all = all.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let say = |text: &str| { &stream }.write_all(text.as_bytes()).is_ok();
                let (mut line, mut to) = (String::new(), String::new());
                let mut open = say("220 silent\r\n");
                while open && reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    open = match line.get(..4).unwrap_or_default() {
                        "RCPT" => {
                            to = line.clone();
                            say("250 ok\r\n")
                        }
                        "DATA" => {
                            say("354 go on\r\n") && {
                                while line != ".\r\n"
                                    && reader
                                        .read_line({
                                            line.clear();
                                            &mut line
                                        })
                                        .is_ok_and(|read| read > 0)
                                {}
                                let mut all = all.lock().unwrap();
                                all.push(std::mem::take(&mut to));
                                // It keeps the connection, and its peace.
                                all.len() > count || say("250 taken\r\n")
                            }
                        }
                        _ => say("250 ok\r\n"),
                    };
                    line.clear();
                }
            });
        }
    });
    (address, taken)
}

/// Ends a process as a service manager does; its exit code and what it said.
async fn terminated(process: std::process::Child) -> (Option<i32>, String) {
    Command::new("kill").arg(process.id().to_string()).status().unwrap();
    let ended = tokio::task::spawn_blocking(move || process.wait_with_output().unwrap()).await.unwrap();
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout))
}

fn sending(folder: &Path, base: &Base) -> std::process::Child {
    let mut send = program(folder, base, &["campaign", "send", "1", "--wait"]);
    send.env("KAKITOME_SMTP__DRAIN", "2s").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

both! {
    async fn a_process_that_is_told_to_end_finishes_what_is_under_way_and_says_what_is_left(base: &Base) {
        let mail = Arc::new(Mutex::new(Vec::new()));
        let seen = mail.clone();
        let receiver = Receiver::start(move |delivery| seen.lock().unwrap().push(delivery.recipient)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("smtp://{}", receiver.addr());
        let (app, id) = approved(base, folder.path(), ACCOUNTS, &url, "30/s").await;
        let process = sending(folder.path(), base);
        until("the first messages", || mail.lock().unwrap().len() >= 5).await;
        let other = sending(folder.path(), base).wait_with_output().unwrap();
        let refused = String::from_utf8_lossy(&other.stderr).into_owned();
        assert_eq!(other.status.code(), Some(i32::from(Exit::Gate.code())), "{refused}");
        assert!(refused.contains(&format!(":{}-", process.id())) && refused.contains("is sending this"), "{refused}");
        let (code, told) = terminated(process).await;
        let counts = app.store.counts(id, None).await.unwrap();
        assert_eq!(code, Some(i32::from(Exit::Gate.code())), "{told}");
        assert_eq!((counts.unknown, counts.claimed, counts.deferred), (0, 0, 0), "something was not finished");
        assert_eq!(counts.accepted, mail.lock().unwrap().len() as u64);
        let left = counts.left();
        assert!(left > 0 && told.contains(&left.to_string()) && told.contains("goes on"), "{left} are left: {told}");
        assert_eq!(app.store.sender(id, app.clock.now_ms()).await.unwrap(), None, "the right was not given back");
        let sent = send::send(&app, id, true, watch::channel(false).1).await.unwrap();
        assert_eq!(sent.accepted, ACCOUNTS);
    }

    async fn a_server_that_says_nothing_does_not_keep_a_process_that_is_told_to_end(base: &Base) {
        let (address, taken) = silent_from(10);
        let folder = tempfile::tempdir().unwrap();
        let (app, id) = approved(base, folder.path(), ACCOUNTS, &format!("smtp://{address}"), "60/s").await;
        let process = sending(folder.path(), base);
        until("the silence", || taken.lock().unwrap().len() > 10).await;
        let started = Instant::now();
        let (code, told) = terminated(process).await;
        assert!(started.elapsed() < Duration::from_secs(20), "it waited {:?}", started.elapsed());
        assert_eq!(code, Some(i32::from(Exit::Gate.code())), "{told}");
        // On the eight connections, and in no queue.
        let counts = app.store.counts(id, None).await.unwrap();
        assert!((1..=8).contains(&counts.unknown), "{counts:?}");
        assert_eq!((counts.claimed, counts.deferred), (0, 0));
        let left = counts.left();
        assert!(left > 0 && told.contains(&format!("within 2s: {}", counts.unknown)) && told.contains(&left.to_string()), "{told}");
        assert_eq!(app.store.sender(id, app.clock.now_ms()).await.unwrap(), None, "the right was not given back");
    }

    async fn what_no_server_has_asked_for_is_free_again_when_a_process_is_told_to_end(base: &Base) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (app, id) = approved(base, folder.path(), ACCOUNTS, &format!("smtp://{}", listener.local_addr().unwrap()), "60/s").await;
        let process = sending(folder.path(), base);
        // It is connected to, and never greets.
        let connected = listener.accept().unwrap();
        let (code, told) = terminated(process).await;
        drop(connected);
        assert!(told.contains("interrupted; `kakitome campaign send 1` goes on") && !told.contains("unknown, because"), "{told}");
        let counts = app.store.counts(id, None).await.unwrap();
        assert_eq!((code, counts.left()), (Some(i32::from(Exit::Gate.code())), ACCOUNTS), "{told}");
        assert_eq!((counts.claimed, counts.unknown, counts.checked), (0, 0, ACCOUNTS));
    }
}
