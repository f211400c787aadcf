//! The program as other programs call it: flags, JSON lines, exit codes, what is
//! said when something cannot be used. Each is a contract (ops/guide/operating.md).

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const ACCOUNTS: u64 = 100;

/// A folder that the program works in.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// With a configuration, a campaign and a template, and no directory yet.
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let files = kakitome::demo::generate::registrar(place.folder.path(), ACCOUNTS, 7).unwrap();
        assert!(files.directory.exists());
        place.write("kakitome.toml", &kakitome::demo::generate::config("smtp://127.0.0.1:9"));
        kakitome::app::key::write(&place.path("kakitome.key")).unwrap();
        place
    }

    /// With the directory imported.
    fn imported() -> Self {
        let place = Self::new();
        let imported = place.run(&["directory", "import", "directory.csv"]);
        assert_eq!(imported.code(), 0, "{}", imported.err());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kakitome"));
        command.args(args).current_dir(&self.folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KAKITOME")) {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended(self.command(args).output().unwrap())
    }

    /// One member of the audience: key and address.
    fn member(&self, number: usize) -> (String, String) {
        let customer = kakitome::demo::people::customer(number as u64, ACCOUNTS, 7);
        (customer.member_id, customer.email)
    }
}

struct Ended(Output);

impl Ended {
    fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The one JSON object on stdout.
    fn json(&self) -> Value {
        let out = self.out();
        assert_eq!(out.lines().count(), 1, "{out}\n{}", self.err());
        serde_json::from_str(&out).unwrap()
    }

    /// Refused as input that cannot be used, saying why and what now.
    fn refused(&self, why: &str) {
        let err = self.err();
        assert_eq!(self.code(), 2, "{err}");
        assert!(err.contains(why), "no {why:?} in: {err}");
        assert!(err.contains("\n  now: "), "no advice: {err}");
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn has_keys(value: &Value, wanted: &[&str]) {
    for key in wanted {
        assert!(!value[key].is_null(), "no {key} in {value}");
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_export_is_read_in_every_form_that_is_promised() {
    let place = Place::new();
    let csv = place.read("directory.csv");
    let versions = [
        ("bom.csv", format!("\u{feff}{csv}")),
        ("crlf.csv", csv.replace('\n', "\r\n")),
        ("case.csv", csv.replacen("member_id,email", " Member_ID , EMAIL ", 1)),
    ];
    for (name, text) in versions {
        place.write(name, &text);
        let imported = place.run(&["directory", "import", name, "--json"]);
        assert_eq!(imported.code(), 0, "{name}: {}", imported.err());
        has_keys(&imported.json(), &["version", "accounts", "identifiers", "new", "gone", "seconds"]);
        assert_eq!(imported.json()["accounts"], ACCOUNTS);
    }
    place.write("newsletter/logo.png", "");
    let new = place.run(&["campaign", "new", "campaign.toml"]);
    assert!(new.code() == 0 && new.out().contains("its texts: logo.png\n"), "{}", new.out());
    assert_eq!(place.run(&["campaign", "check", "1"]).code(), 0);
    let same = place.run(&["directory", "import", "directory.csv"]).out();
    assert!(!same.contains("note: ") && !same.contains("columns: "), "{same}");
    let config = place.read("kakitome.toml");
    place.write("kakitome.toml", &config.replacen("\nplan ", "\ntier ", 1));
    place.write("tier.csv", &csv.replacen(",plan", ",tier", 1));
    let other = place.run(&["directory", "import", "tier.csv"]).out();
    for told in [
        "0 addresses, 0 names, 0 sets of domains, 100 accounts in other columns alone\n",
        "\ncolumns: added tier; removed plan\n",
        "\nnote: checked by a version before: 1; run",
    ] {
        assert!(other.contains(told), "no {told:?} in {other}");
    }
    place.write("kakitome.toml", &config);
    let line = |member_id: &str| {
        format!(
            "{{\"member_id\":\"{member_id}\",\"email\":\"a@a.example\",\"name\":null,\"company\":null,\"phone\":null,\"domains\":[\"a.example\"],\"auth_code\":null,\"plan\":\"x\"}}\n"
        )
    };
    place.write("x.jsonl", &line("10000001"));
    let imported = place.run(&["directory", "import", "x.jsonl", "--accept-drift", "a test"]);
    assert_eq!(imported.code(), 0, "{}", imported.err());
    place.write("twice.jsonl", &line("10000001").replacen('{', "{\"plan\":\"y\",", 1));
    place.run(&["directory", "import", "twice.jsonl"]).refused("line 1, column plan: the line has it twice");
}

#[test]
fn an_export_that_cannot_be_taken_is_refused_by_line_in_one_round() {
    let place = Place::new();
    let csv = place.read("directory.csv");
    let rows: Vec<&str> = csv.lines().collect();
    let import = |text: &str| {
        place.write("bad.csv", text);
        place.run(&["directory", "import", "bad.csv"])
    };
    // Lines 2 and 4 are one account; line 3 lacks cells.
    let mixed = import(&format!("{}\r\n{}\r\n1,2\r\n{}\r\n", rows[0], rows[1], rows[1]));
    mixed.refused("line 3: it has 2 cells, the header 8");
    mixed.refused("lines 2 and 4: account");
    import(&format!("{}\n{}\n{},\"left open", rows[0], rows[1], rows[2])).refused("line 3: a quote opens on this line");
    import(&csv.replace('\n', "\r")).refused("never with CR alone");
    import(&csv.replacen("email", "e-mail", 1)).refused("did you mean email?");
    import(&csv.replacen(",plan", ",plan,nick", 1)).refused("nick");
    let first = import("");
    first.refused("the file is empty");
    assert!(!first.err().contains("version before") && first.err().contains("there is no directory yet"));
    import(&csv.replacen("email", "mail", 1)).refused("; and it lacks email");
    place.run(&["directory", "import", "none.csv"]).refused("none.csv");
    place.run(&["directory", "status"]).refused("there is no directory");
}

/// Rows of a made-up registrar, by a seed.
fn guessable_rows(seed: u64, join: &str) -> Vec<Vec<String>> {
    let customers = (0..ACCOUNTS).map(|n| kakitome::demo::people::customer(n, ACCOUNTS, seed));
    let row = |c: kakitome::demo::people::Customer| {
        vec![c.member_id, c.email, c.name, c.company, c.phone, c.domains.join(join), c.auth_code, c.plan.to_owned()]
    };
    customers.map(row).collect()
}

#[test]
fn a_guessed_configuration_imports_the_export_that_it_was_guessed_from() {
    let english = ["member_id", "email", "name", "company", "phone", "domains", "auth_code", "plan"];
    let japanese =
        ["会員番号", "メールアドレス", "氏名", "会社名", "電話番号", "ドメイン名", "認証コード", "料金プラン"];
    let utf16 = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let cp932 = |text: &str| encoding_rs::SHIFT_JIS.encode(text).0.into_owned();
    type Encode<'a> = &'a dyn Fn(&str) -> Vec<u8>;
    let utf8 = |text: &str| text.as_bytes().to_vec();
    for (name, header, separator, list, encode) in [
        ("a.csv", english, ",", ";", &utf8 as Encode<'_>),
        ("b.csv", japanese, ",", ";", &cp932),
        ("c.tsv", english, "\t", ",", &utf8),
        ("d.csv", japanese, ";", "|", &utf16),
    ] {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let rows = guessable_rows(11, list).into_iter().map(|row| row.join(separator));
        let text: String = std::iter::once(header.join(separator)).chain(rows).map(|line| line + "\r\n").collect();
        std::fs::write(place.path(name), encode(&text)).unwrap();
        // Neither a configuration nor a key is there yet.
        let guessed = place.run(&["directory", "columns", name]);
        assert_eq!(guessed.code(), 0, "{name}: {}", guessed.err());
        assert_eq!(std::fs::read_dir(&place.folder).unwrap().count(), 1, "nothing is written");
        let json = place.run(&["directory", "columns", name, "--json"]).json();
        has_keys(&json, &["account", "address", "columns"]);
        assert!(keys(&json).contains(&"encoding") && keys(&json).contains(&"separator"), "{json}");
        for key in ["column", "kind", "pattern", "list", "country", "sampled", "matched"] {
            assert!(keys(&json["columns"][0]).contains(&key), "no {key} in {json}");
        }
        place.write("kakitome.toml", &guessed.out());
        kakitome::app::key::write(&place.path("kakitome.key")).unwrap();
        let imported = place.run(&["directory", "import", name, "--json"]);
        assert_eq!(imported.code(), 0, "{name}: {}\n{}", imported.err(), guessed.out());
        assert_eq!(imported.json()["accounts"], ACCOUNTS);
    }
}

#[test]
fn columns_that_cannot_be_guessed_are_refused_without_a_value() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    for (bytes, why) in [
        (&b""[..], "the file is empty"),
        (b"10000001,ada@a.example\n10000002,bob@b.example\n", "its first line looks like data"),
        (b"id,email,id\n1,ada@a.example,1\n", "its header has the column \"id\" twice"),
        (b"id,email\n1,\x81\xff\xfe\x80\n", "line 2 is not UTF-8"),
        (b"id,name\n1,ada\n", "no column has one e-mail address"),
    ] {
        std::fs::write(place.path("x.csv"), bytes).unwrap();
        let refused = place.run(&["directory", "columns", "x.csv"]);
        refused.refused(why);
        assert!(!refused.err().contains("ada") && refused.out().is_empty(), "{}", refused.err());
    }
    place.run(&["directory", "columns", "none.csv"]).refused("the file cannot be read");
}

#[test]
fn a_suppression_list_is_taken_whole_or_not_at_all() {
    let place = Place::new();
    for (text, why) in [
        ("a@x.example\n\"b@x.example\nc@x.example\n", "line 2: a quote opens on this line"),
        ("a@x.example,b@x.example\n", "line 1: write one address a line"),
        (
            "id,mail\n1,a@x.example\n",
            "line 1, the header: it names no column email or address; column 2, \"mail\", has addresses\n  now: call",
        ),
        ("email\na@x.example\nnobody\n", "line 3: no address"),
    ] {
        place.write("list.csv", text);
        place.run(&["suppress", "import", "list.csv"]).refused(why);
        assert_eq!(place.run(&["suppress", "list", "--json"]).json(), Value::Array(vec![]), "{text:?}");
    }
    place.write("list.csv", "id,Email\n1,a@x.example\n2,b@x.example\n");
    assert_eq!(place.run(&["suppress", "import", "list.csv", "--json"]).json()["added"], 2);
    place.run(&["suppress", "add", "nobody"]).refused("address 1");
    place.run(&["suppress", "import", "none.csv"]).refused("now: name a file that can be read");
    let again = place.run(&["suppress", "add", "a@x.example", "c@x.example"]);
    assert_eq!(again.out(), "added 1; on the list before, or named twice: 1\n");
    place.write("list.csv", "");
    assert_eq!(place.run(&["suppress", "import", "list.csv"]).out(), "added 0: no address is in it\n");
}

#[test]
fn a_demo_says_how_small_it_may_be() {
    let place = Place::new();
    let few = place.run(&["demo", "--accounts", "1"]);
    assert_eq!(few.code(), 2);
    assert!(few.err().contains("1 is not in 100..=10000000"), "{}", few.err());
    assert!(place.run(&["demo", "--help"]).out().contains("100 at least"));
}

#[test]
fn a_campaign_tells_its_story_in_json_and_exit_codes() {
    let place = Place::imported();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let receiver = kakitome::demo::receiver::Receiver::start(|_| {}).unwrap();
    place.write("kakitome.toml", &kakitome::demo::generate::config(&format!("smtp://{}", receiver.addr())));
    let frozen = place.run(&["campaign", "new", "campaign.toml", "--by", "author", "--json"]);
    assert_eq!(frozen.code(), 0, "{}", frozen.err());
    has_keys(&frozen.json(), &["campaign", "revision", "planned", "suppressed", "held", "stages"]);

    let seen = place.run(&["campaign", "preview", "1", "--edge", "3"]);
    assert_eq!(seen.code(), 0, "{}", seen.err());
    assert!(seen.out().lines().all(|line| line.chars().count() <= 100), "a table that fits: {}", seen.out());
    let seen = place.run(&["campaign", "preview", "1", "--edge", "3", "--json"]).json();
    assert_eq!(seen["messages"].as_array().unwrap().len(), 3);
    has_keys(&seen["messages"][0], &["account", "why", "reasons", "eml", "findings"]);
    assert_eq!((mode(&place.path("preview-1")), mode(&place.path("preview-1/index.html"))), (0o700, 0o600));
    assert!(place.read("preview-1/index.html").contains("reasons in full</summary>"));

    assert_eq!(place.run(&["suppress", "add", &place.member(0).1]).code(), 0);
    let early = place.run(&["campaign", "send", "1", "--json"]);
    assert_eq!((early.code(), early.json()["exit"].as_i64()), (4, Some(4)), "not approved yet");
    let logged = place.run(&["campaign", "check", "1", "--log", "info", "--log-format", "json"]).err();
    let is_event = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|event| event["event"].is_string());
    assert!(
        !logged.is_empty() && logged.lines().all(is_event),
        "what a program reads is nothing but the log: {logged}"
    );
    let found = place.run(&["campaign", "check", "1", "--report", "check.html", "--json"]);
    assert_eq!(found.code(), 0, "{}", found.err());
    has_keys(
        &found.json(),
        &["campaign", "planned", "cleared", "held", "suppressed", "findings_by_rule", "drill", "digest", "seconds"],
    );
    let calibration = &found.json()["calibration"];
    has_keys(calibration, &["version", "tried", "found", "own_held", "kinds"]);
    assert!(calibration["tried"].as_u64() > Some(100) && calibration["tried"] == calibration["found"], "{calibration}");
    assert!(place.read("check.html").contains("<h2>Calibration</h2>"));
    has_keys(&found.json()["drill"], &["swapped", "held", "vacuous"]);
    assert_eq!(mode(&place.path("check.html")), 0o600);
    assert_eq!(place.run(&["campaign", "approve", "1", "--by", "reviewer"]).code(), 0);
    let config = place.read("kakitome.toml");
    let warm_up = "[smtp.warm_up]\nstart = \"2099-01-01\"\nfirst_day = 9\n";
    place.write("later.toml", &format!("{config}\n{warm_up}"));
    let mut waits = place.command(&["campaign", "send", "1", "--wait", "--config", "later.toml"]);
    let mut waits = waits.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(waits.stderr.take().unwrap()).read_line(&mut line).unwrap();
    Command::new("kill").arg(waits.id().to_string()).status().unwrap();
    assert_eq!(waits.wait().unwrap().code(), Some(4));
    assert_eq!(line, "campaign 1 waits: the warm-up has not begun: shut until 2099-01-01 00:00:00Z\n");
    let later = place.run(&["campaign", "send", "1", "--config", "later.toml"]);
    assert_eq!(later.code(), 6, "{}", later.err());
    assert!(later.out().ends_with("send 1` again from 2099-01-01 00:00:00Z, or with --wait\n"), "{}", later.out());
    let later = place.run(&["campaign", "send", "1", "--config", "later.toml", "--json"]);
    assert_eq!((later.code(), later.json()["waits_until_ms"].as_i64()), (6, Some(4_070_908_800_000)));
    let sent = place.run(&["campaign", "send", "1", "--wait", "--json"]);
    assert!(sent.json()["waits_until_ms"].is_null());
    assert_eq!(sent.code(), 0, "{}", sent.err());
    place
        .run(&["campaign", "settle", "1", "--account", "55", "--as", "retry", "--by", "x"])
        .refused("not in its audience");
    has_keys(
        &sent.json(),
        &["campaign", "state", "stage", "accepted", "deferred", "rejected", "unknown", "held", "suppressed", "left"],
    );
    assert_eq!((&sent.json()["accepted"], &sent.json()["suppressed"]), (&(ACCOUNTS - 1).into(), &1.into()));
    let again = place.run(&["campaign", "send", "1"]);
    assert!(again.out().contains("held 0  suppressed 1  left 0"), "{}", again.out());
    assert_eq!(place.run(&["suppress", "remove", &place.member(0).1]).code(), 0);
    let report = place.run(&["campaign", "report", "1", "--out", "report.html"]);
    assert_eq!(report.code(), 0);
    assert!(report.out().contains("look at report.html") && !report.out().contains("frozen by"), "{}", report.out());
    assert_eq!(mode(&place.path("report.html")), 0o600);
    assert_eq!(place.run(&["verify", "--json"]).json()["verified"], true);

    let held = place.run(&["campaign", "new", "accident.toml"]);
    assert_eq!(held.code(), 0, "{}", held.err());
    let held = place.run(&["campaign", "check", "2", "--report", "accident.html"]);
    assert_eq!(held.code(), 3, "{}", held.err());
    assert!(place.read("accident.html").contains(&format!("of {ACCOUNTS} held messages.")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_told_to_end_before_its_store_is_open_ends_in_order() {
    let place = Place::imported();
    for args in
        [&["new", "campaign.toml", "--by", "author"] as &[&str], &["check", "1"], &["approve", "1", "--by", "x"]]
    {
        assert_eq!(place.run(&[&["campaign"], args].concat()).code(), 0, "{args:?}");
    }
    // The key is read before the store is opened, and here nothing comes until we write it.
    let key = place.read("kakitome.key");
    std::fs::remove_file(place.path("kakitome.key")).unwrap();
    assert!(
        Command::new("mkfifo")
            .args(["-m", "600", "kakitome.key"])
            .current_dir(&place.folder)
            .status()
            .unwrap()
            .success()
    );
    for (args, code, told) in [
        (&["campaign", "send", "1"] as &[&str], 4, "interrupted; `kakitome campaign send 1` goes on"),
        (&["serve", "--listen", "127.0.0.1:0"], 0, "stopping: requests"),
    ] {
        let mut child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = std::fs::OpenOptions::new().write(true).open(place.path("kakitome.key")).unwrap();
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert!(said.starts_with("stopping: "), "{args:?}: {said:?}");
        let _ = pipe.write_all(key.as_bytes());
        drop(pipe);
        let ended = Ended(child.wait_with_output().unwrap());
        assert_eq!(ended.code(), code, "{}", ended.err());
        assert!(format!("{said}{}{}", ended.out(), ended.err()).contains(told), "{}{}", ended.out(), ended.err());
    }
}

#[test]
fn a_pause_and_its_end_may_be_asked_for_twice() {
    let place = Place::imported();
    for args in
        [&["new", "campaign.toml", "--by", "author"] as &[&str], &["check", "1"], &["approve", "1", "--by", "x"]]
    {
        assert_eq!(place.run(&[&["campaign"], args].concat()).code(), 0, "{args:?}");
    }
    let turned = |verb: &str, state: &str, already: bool| {
        let turned = place.run(&["campaign", verb, "1", "--by", "hanako", "--json"]);
        assert_eq!((turned.code(), keys(&turned.json())), (0, vec!["already", "campaign", "state"]), "{verb}");
        assert_eq!((&turned.json()["state"], &turned.json()["already"]), (&state.into(), &already.into()), "{verb}");
    };
    turned("pause", "paused", false);
    turned("pause", "paused", true);
    assert!(
        place.run(&["campaign", "pause", "1"]).out().starts_with("nothing to do: it was so already\ncampaign 1 is")
    );
    let told = place.run(&["campaign", "status", "1"]).out();
    assert!(told.contains("\nwhy: paused by hanako (20"), "{told}");
    assert_eq!(place.run(&["campaign", "pace", "1", "--rate", "7/s"]).code(), 0);
    turned("resume", "sending", false);
    turned("resume", "sending", true);
    assert!(
        place.run(&["campaign", "resume", "1"]).out().starts_with("nothing to do: it is not paused\ncampaign 1 is")
    );
    assert_eq!(place.run(&["campaign", "pace", "1", "--configured"]).code(), 0);
    let report = place.run(&["campaign", "report", "1"]).out();
    assert!(report.contains("  pace: 7/s\n") && report.contains("  pace: as configured\n"), "{report}");
    turned("pause", "paused", false);
    turned("halt", "halted", false);
    let report = place.run(&["campaign", "report", "1", "--json"]).json();
    assert_eq!(report["why"], "halted by hanako");
    assert!(report["moments"].to_string().contains("became paused by hanako"), "{report}");
    for verb in ["pause", "resume"] {
        let refused = place.run(&["campaign", verb, "1"]);
        assert_eq!(refused.code(), 4, "{verb}: {}", refused.out());
        assert!(refused.err().contains("it was halted for good"), "{}", refused.err());
    }
}

#[test]
fn an_author_whom_nobody_names_is_told() {
    let place = Place::imported();
    let new = |user: Option<&str>, by: &[&str]| {
        let mut command = place.command(&[&["campaign", "new", "campaign.toml"], by].concat());
        match user {
            Some(user) => command.env("USER", user),
            None => command.env_remove("USER"),
        };
        let new = Ended(command.output().unwrap());
        assert_eq!(new.code(), 0, "{}", new.err());
        new.err()
    };
    let told = new(None, &[]);
    assert!(told.contains("the author of campaign 1 is \"operator\"") && told.contains("--by NAME"), "{told}");
    assert_eq!(new(Some("sato"), &[]), "");
    let halted = place.command(&["campaign", "halt", "1"]).env_remove("USER").output().unwrap();
    assert!(Ended(halted).err().contains("recorded as decided by \"operator\""));
    assert_eq!(new(None, &["--by", "sato"]), "");
}

#[test]
fn a_campaign_that_the_check_held_says_how_many_why_and_what_now() {
    let place = Place::imported();
    let accident = place.read("accident.toml");
    for (id, file) in [("1", accident.replacen("held_max", "# ", 1)), ("2", accident)] {
        place.write("accident.toml", &file);
        assert_eq!(place.run(&["campaign", "new", "accident.toml"]).code(), 0);
        assert!(
            place.run(&["campaign", "status", id]).out().ends_with(&format!("now: kakitome campaign check {id}\n"))
        );
        assert_eq!(place.run(&["campaign", "check", id]).code(), 3);
        let status = place.run(&["campaign", "status", id]).out();
        assert!(status.contains("the check held 100: ") && status.contains("--accounts held"), "{status}");
        assert_eq!(status.contains("cannot be approved"), id == "1", "{status}");
    }
    let list = place.run(&["campaign", "report", "1", "--accounts", "held"]).out();
    let (own, value) = place.member(0);
    let line = list.lines().find(|line| line.starts_with(&own)).unwrap();
    assert!(line.ends_with("  foreign (text/plain, text), salutation (text/plain, text)"), "{line}");
    assert!(!list.contains('@') && !list.contains(&value), "{list}");
    let list = place.run(&["campaign", "report", "1", "--accounts", "held", "--json"]).json();
    assert_eq!(keys(&list[0]["findings"][0]), ["rule", "where"]);
}

#[test]
fn guard_check_keeps_its_contract() {
    let place = Place::imported();
    assert_eq!(place.run(&["campaign", "new", "campaign.toml"]).code(), 0);
    let (own, address) = place.member(3);
    let (other, _) = place.member(8);
    let seen = place.run(&["campaign", "preview", "1", "--account", &own, "--out", "own", "--json"]).json();
    let eml = seen["messages"][0]["eml"].as_str().unwrap().to_owned();
    let check = |args: &[&str]| place.run(&[&["guard", "check", "--json", "--template", "newsletter"], args].concat());
    let allowed = ["--allow", "registrar.example", "--allow", "mail.registrar.example"];

    let cleared = check(&[&allowed[..], &["--to", &address, "--account", &own, &eml]].concat());
    assert_eq!(cleared.code(), 0, "{}{}", cleared.out(), cleared.err());
    assert_eq!(keys(&cleared.json()), ["file", "findings", "verdict"]);
    assert_eq!((&cleared.json()["file"], &cleared.json()["verdict"]), (&eml.clone().into(), &"cleared".into()));

    for (allow, why) in [("https://a.example/x", "allow its host, \"a.example\""), ("*.a.example", "has a `*`")] {
        check(&["--allow", allow, "--to", &address, "--account", &own, &eml]).refused(why);
    }
    let held = check(&["--to", &address, "--account", &other, &eml]);
    assert!(held.err().contains("--allow VALUE"), "{}", held.err());
    assert_eq!((held.code(), &held.json()["verdict"]), (3, &"held".into()));
    for finding in held.json()["findings"].as_array().unwrap() {
        assert_eq!(keys(finding), ["kind", "owner", "rule", "shown", "where"]);
    }

    place.write("m.csv", &format!("account, TO ,file\n{own},{address},{eml}\n{other},{address},{eml}\n"));
    let both = check(&[&allowed[..], &["--manifest", "m.csv"]].concat());
    let verdicts: Vec<Value> = both.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((both.code(), verdicts.len()), (3, 2), "{}", both.err());
    assert_eq!((&verdicts[0]["verdict"], &verdicts[1]["verdict"]), (&"cleared".into(), &"held".into()));

    for (manifest, why) in [
        ("", "empty"),
        ("file,to,account\n", "it names no file"),
        ("file,to\n", "no column account"),
        ("file;to;account\nx.eml;a@x.example;1\n", "its columns are parted by semicolons, not by commas"),
        ("file,to,account\nx.eml,nobody,1\n", "line 2 of the manifest: the recipient is no address"),
        ("file,to,account\nx.eml,\"a@x.example,1\n", "line 2: a quote opens"),
        ("file,to,account\nnone.eml,a@x.example,1\n", "none.eml"),
    ] {
        place.write("m.csv", manifest);
        let refused = place.run(&["guard", "check", "--manifest", "m.csv"]);
        refused.refused(why);
        assert_eq!(refused.out(), "", "{manifest:?}");
    }
    let bare = place.run(&["guard", "check"]);
    bare.refused("--account");
    bare.refused("--to");
    place.run(&["guard", "check", &eml]).refused("it lacks the recipient (--to), the account (--account)");
}

#[test]
fn a_directory_of_another_key_judges_nothing() {
    let place = Place::imported();
    std::fs::remove_file(place.path("kakitome.key")).unwrap();
    place.run(&["directory", "status"]).refused("kakitome.key");
    assert!(place.run(&["directory", "status"]).err().contains("kakitome key new"));
    let again = place.run(&["init"]);
    assert!(again.out().contains("wrote ./kakitome.key") && again.out().contains("left ./kakitome.toml as it is"));
    place.run(&["campaign", "new", "campaign.toml"]).refused("imported under another key");
    assert_eq!(place.run(&["directory", "import", "directory.csv"]).code(), 0);
    assert_eq!(place.run(&["campaign", "new", "campaign.toml"]).code(), 0);
}

#[test]
fn init_run_again_says_what_it_left_and_why() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    std::fs::create_dir(place.path("newsletter")).unwrap();
    place.write("newsletter/body.html", "<p>own</p>");
    let done = place.run(&["init"]);
    assert_eq!(done.code(), 0, "{}", done.err());
    for line in [
        "left ./newsletter as it is\n",
        "did not write ./newsletter/body.txt: the folder was there before, and the texts of a template belong together\n",
    ] {
        assert!(done.out().contains(line), "no {line:?} in {}", done.out());
    }
    assert_eq!(std::fs::read_dir(place.path("newsletter")).unwrap().count(), 1);
    std::fs::remove_file(place.path("kakitome.key")).unwrap();
    std::fs::remove_file(place.path("audience.csv")).unwrap();
    place.write("campaign.toml", "template = \"letter\"\n");
    std::fs::remove_dir_all(place.path("newsletter")).unwrap();
    let again = place.run(&["init", "--json"]).json();
    assert_eq!(keys(&again), ["left", "new_key", "skipped", "written"]);
    assert_eq!(again["written"], serde_json::json!(["./kakitome.key"]));
    assert_eq!(again["skipped"].as_array().unwrap().len(), 4, "{again}");
    assert!(!place.path("newsletter").exists() && !place.path("audience.csv").exists());
    let nothing = place.run(&["init"]);
    nothing.refused("there is nothing to write in .: ./audience.csv is missing and was not written, because");
}

#[test]
fn a_key_is_made_where_the_configuration_names_it_and_never_written_over() {
    let place = Place::new();
    let new = |args: &[&str]| place.run(&[&["key", "new"], args].concat());
    let refused = new(&[]);
    refused.refused("the key file kakitome.key exists, and was left as it is");
    refused.refused("links in mail already sent are dead");
    refused.refused("hashes of the directory");
    let old = place.read("kakitome.key");
    // A store that cannot be opened, and no file for its password, keep nobody from it.
    let config = place.read("kakitome.toml");
    let config = config.replacen("store = \"sqlite:kakitome.db\"", "store = \"file:none\"\nkey = \"own.key\"", 1);
    place.write("kakitome.toml", &config);
    place.run(&["directory", "status"]).refused("the secret file none");
    let made = new(&[]);
    assert_eq!(made.code(), 0, "{}", made.err());
    assert!(made.out().starts_with("wrote own.key\nthe key is new: keep a copy"), "{}", made.out());
    let elsewhere = new(&["else.key", "--json"]);
    assert_eq!(elsewhere.json()["written"], "else.key");
    for key in ["own.key", "else.key"] {
        assert_eq!(mode(&place.path(key)), 0o600);
        assert_ne!(place.read(key), old, "{key}");
    }
    new(&["else.key"]).refused("else.key exists");
    assert_eq!(new(&["else.key", "--json"]).json()["exit"], 2);
    assert_eq!(place.read("kakitome.key"), old);
    let bare = Place { folder: tempfile::tempdir().unwrap() };
    assert_eq!(bare.run(&["key", "new"]).out().lines().next(), Some("wrote kakitome.key"));
}

#[test]
fn what_cannot_be_used_says_why_and_what_now() {
    let place = Place::imported();
    place.run(&["campaign", "new", "none.toml"]).refused("none.toml");
    place.write("wrong.toml", &place.read("campaign.toml").replacen("name = ", "name = 12 # ", 1));
    place
        .run(&["campaign", "new", "wrong.toml"])
        .refused(", name: this number cannot stand here; write a text in quotes");
    place.run(&["campaign", "check", "7"]).refused("there is no campaign 7");
    let (own, _) = place.member(0);
    for (audience, why) in [
        (format!("member_id\r\n{own}\r\n99999999\r\n"), "line 3, column member_id: the directory has no account"),
        (
            format!("member_id,note\n{own},n1\n{own},n1\n99999999,x\n2\n"),
            "3 of its lines cannot be taken: \n  line 3, column member_id: account 10000001 is there twice\n  line 4, column member_id: the directory has no account 99999999\n  line 5: it has 1 cells",
        ),
        (format!("member_id,note\n{own},\"n1\n"), "line 2: a quote opens on this line"),
        (format!("member_id,e_mail\n{own},x@x.example\n"), "did you mean that?"),
    ] {
        place.write("audience.csv", &audience);
        place.run(&["campaign", "new", "campaign.toml"]).refused(why);
    }
    std::fs::remove_file(place.path("audience.csv")).unwrap();
    place.run(&["campaign", "new", "campaign.toml"]).refused("audience.csv");
    let subject = place.read("newsletter/subject.txt");
    place.write("newsletter/subject.txt", " \n");
    place
        .run(&["campaign", "new", "campaign.toml"])
        .refused("the template newsletter cannot be used: subject.txt: nothing is in it; write the subject there");
    place.write("newsletter/subject.txt", &subject);
    place.write("newsletter/body.txt", "{{ account.nickname }}");
    place.write("audience.csv", "member_id\n");
    place.run(&["campaign", "new", "campaign.toml"]).refused("account.nickname");
    place.write("newsletter/body.txt", "{% if false %}\n{{ account.name|uper }}{% endif %}");
    place.run(&["campaign", "new", "campaign.toml"]).refused("body.txt line 2: there is no filter uper");

    place.write(
        "newsletter/body.txt",
        &format!("{{% if false %}}\n{{% endif %}}\n\nas {own}\n{{{{ \"as {own} is\" }}}}\n"),
    );
    let literal = place.run(&["campaign", "new", "campaign.toml"]);
    assert_eq!(literal.code(), 3, "{}", literal.err());
    let place_of = format!("belongs to account {own}: body.txt line 4, body.txt line 5\n");
    assert!(literal.err().contains(&place_of), "{}", literal.err());

    let failed = place.run(&["campaign", "check", "7", "--json"]);
    assert_eq!(keys(&failed.json()), ["error", "exit", "now", "why"]);
    assert_eq!((&failed.json()["error"], &failed.json()["exit"]), (&"there is no campaign 7".into(), &2.into()));
    assert!(failed.err().starts_with("kakitome: there is no campaign 7"));
}

#[test]
fn wrong_commands_end_with_2_and_help_with_0() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    for args in [&["fly"] as &[&str], &["campaign", "send"], &["campaign", "preview", "1", "--edge", "x"], &[]] {
        assert_eq!(place.run(args).code(), 2, "{args:?}");
    }
    for id in ["x", "0", "-1", "1.5"] {
        let refused = place.run(&["campaign", "send", id]);
        assert_eq!(refused.code(), 2, "{id}");
        assert!(id == "-1" || refused.err().contains("a campaign is named by its number"), "{}", refused.err());
    }
    let refused = place.run(&["campaign", "send", "x", "--json"]);
    assert_eq!(refused.json()["exit"], 2);
    assert!(refused.json()["error"].as_str().unwrap().starts_with("invalid value"));
    let help = place.run(&["--help"]);
    assert_eq!(help.code(), 0);
    for code in
        ["0 done", "1 unexpected", "2 usage", "3 held", "4 stopped at a gate", "5 finished", "6 waits by itself"]
    {
        let text = help.out().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(code), "{code}");
    }
    let build = if cfg!(debug_assertions) { " (debug build)" } else { "" };
    let version = place.run(&["--version"]);
    assert_eq!((version.code(), version.out()), (0, format!("kakitome {}{build}\n", env!("CARGO_PKG_VERSION"))));
    place.run(&["campaign", "list"]).refused("kakitome.toml");
}

#[test]
fn help_prints_commands_pages_and_what_may_have_been_meant() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let said = |args: &[&str]| {
        let said = place.run(args);
        assert_eq!((said.code(), said.err().as_str()), (0, ""), "{args:?}");
        said.out()
    };
    let all = said(&["help"]);
    assert!(all.starts_with(said(&["--help"]).trim_end()), "{all}");
    for line in ["  sending         DKIM, ", "  guide-doctor    what it looks at", "  guide-guard     how a "] {
        assert!(all.contains(line), "no {line:?} in {all}");
    }
    assert_eq!(said(&["help", "sending"]), include_str!("../ops/guide/sending.md"));
    assert_eq!(said(&["help", "guide-doctor"]), include_str!("../ops/guide/doctor.md"));
    assert_eq!(said(&["help", "campaign", "send"]), said(&["campaign", "send", "--help"]));
    assert_eq!(said(&["campaign", "help", "send"]), said(&["help", "campaign", "send"]));
    assert_eq!(said(&["help", "campaign"]), said(&["campaign", "--help"]));
    let doctor = said(&["help", "doctor"]);
    assert!(doctor.starts_with(said(&["doctor", "--help"]).trim_end()) && doctor.contains("help guide-doctor\n"));
    // No configuration and no log is asked for.
    let broken = place.command(&["help", "links"]).env("KAKITOME_LOG", "a=b=c").output().unwrap();
    assert_eq!(Ended(broken).code(), 0);
    let unknown = place.run(&["help", "sendin"]);
    unknown.refused("unknown help topic \"sendin\"");
    unknown.refused("try `kakitome help sending`");
    assert_eq!(unknown.out(), "");
    place.run(&["help", "campaign", "sned"]).refused("try `kakitome help campaign send`");
    place.run(&["help", "xylophone"]).refused("now: `kakitome help` lists");
}

#[test]
fn the_configuration_is_refused_without_its_secrets() {
    let place = Place::new();
    let good = place.read("kakitome.toml");
    place.write("kakitome.toml", &good.replace("url = \"smtp://127.0.0.1:9\"", "url = smtp://u:hunter2@h"));
    let refused = place.run(&["campaign", "list", "--json"]);
    refused.refused("line 18, column 7");
    assert!(!refused.err().contains("hunter2") && !refused.out().contains("hunter2"));
    place.write("kakitome.toml", &good);
    let with = |name: &str, value: &str| Ended(place.command(&["campaign", "list"]).env(name, value).output().unwrap());
    for (name, value) in
        [("KAKITOME_LOG_FORMAT", "json"), ("KAKITOME_SERVICE_HOST", "x"), ("KAKITOME_SMTP__HELLO", "12345")]
    {
        let listed = with(name, value);
        assert_eq!(listed.code(), 0, "{name}: {}", listed.err());
    }
    for (name, value) in [("KAKITOME_SMTP__LIFETIME", "0s"), ("KAKITOME_SMTP__RATE", "x"), ("KAKITOME_SMTP__URL", "x")]
    {
        let refused = with(name, value);
        refused.refused(&format!("cannot use the environment's {name}: "));
        assert!(!refused.err().contains("kakitome.toml"), "{}", refused.err());
    }
}

#[test]
fn whose_message_came_back_is_said_of_what_was_made_here_only() {
    let place = Place::imported();
    let refused = place.run(&["whose", "bounces+kb1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@mail.example"]);
    refused.refused("address 1 of 1 has no token that was made here");
    assert!(!refused.err().contains("aaaa"), "{}", refused.err());
    // One of a campaign that this store does not have.
    let config = kakitome::config::Config::load(&place.path("kakitome.toml")).unwrap();
    let account = kakitome::account::AccountId::new(&place.member(1).0).unwrap();
    let token = config.keys().unwrap().bounce(&kakitome::key::Bounce { campaign: 1, account: account.clone() });
    place.run(&["whose", &token]).refused("there is no campaign 1");
    assert_eq!(place.run(&["campaign", "new", "campaign.toml"]).code(), 0);
    let found = place.run(&["whose", &format!("bounces+{token}@mail.example"), &token]);
    assert_eq!(found.code(), 0, "{}", found.err());
    let line = format!("account {account}, campaign 1 (December newsletter, revision 1)\n");
    assert_eq!(found.out(), line.repeat(2));
    let found = place.run(&["whose", "--json", &token]).json();
    has_keys(&found[0], &["campaign", "name", "revision", "account"]);
    let mixed = place.run(&["whose", "kb1none", &token]);
    mixed.refused("address 1 of 2 has no token that was made here");
    assert_eq!(mixed.out(), line, "the good one is answered for");
}

#[test]
fn a_reader_that_leaves_is_no_failure_and_a_full_stdout_is_one() {
    let place = Place::imported();
    let gone = |args: &[&str]| {
        let mut child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        Ended(child.wait_with_output().unwrap())
    };
    let list = gone(&["campaign", "list"]);
    assert_eq!((list.code(), list.err().as_str()), (0, ""));
    let (own, address) = place.member(3);
    place.write("x.eml", "Subject: x\n\nx\n");
    let held = gone(&["guard", "check", "--to", &address, "--account", &own, "x.eml", "x.eml", "x.eml"]);
    assert_eq!((held.code(), held.err().as_str()), (3, ""));
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let full = Ended(place.command(&["campaign", "list"]).stdout(full).output().unwrap());
        assert_eq!(full.code(), 1);
        assert!(full.err().contains("cannot be written to stdout"), "{}", full.err());
    }
}

#[test]
fn the_demo_ends_as_promised() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let told = place.run(&["demo", "--accounts", "100", "--json"]);
    assert_eq!(told.code(), 0, "{}", told.err());
    let story = told.json();
    has_keys(
        &story,
        &["cleared", "delivered", "distinct_recipients", "mismatched", "drill", "seconds", "ledger_entries"],
    );
    assert_eq!((&story["delivered"], &story["mismatched"]), (&100.into(), &0.into()));
    assert_eq!(story["accident"], serde_json::json!({ "planned": 100, "held": 100, "delivered": 0 }));
    assert_eq!(story["export_refused"], true);
    assert!(told.err().contains("100 of 100 held and 0 accepted"), "{}", told.err());
    assert_eq!(told.err().contains("this is a debug build"), cfg!(debug_assertions), "{}", told.err());
}

#[test]
fn metrics_are_answered_while_a_command_works() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let mut child = place
        .command(&["demo", "--accounts", "3000", "--metrics", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    talk.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("metrics: http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("# HELP kakitome_"), "{answer}");
    // It was answered while the command worked; its end is another test's.
    child.kill().unwrap();
    child.wait().unwrap();
}
