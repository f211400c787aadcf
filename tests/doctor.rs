//! `doctor`, asked as a user asks it, with a name server and a mail server of the
//! test's own. A good sender is found good; then one thing after the other is
//! wrong, and the line that says so is the only one that changes.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

#[expect(dead_code, reason = "doctor asks for no mail servers of a domain")]
#[path = "support/dns.rs"]
mod dns;
#[expect(dead_code, reason = "only a clock is asked for here")]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/relay.rs"]
mod relay;

use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use kakitome::render::Signer;
use relay::{Relay, Running};
use serde_json::Value;

const DOMAIN: &str = "registrar.example";
const SPF: &str = "v=spf1 ip4:192.0.2.10 include:_spf.registrar.example -all";
const DMARC: &str = "v=DMARC1; p=reject; adkim=s; aspf=s";
const OUTGOING: [&str; 2] = ["192.0.2.10", "2001:db8::10"];

/// A sender with everything as it should be.
struct World {
    folder: tempfile::TempDir,
    dns: dns::Server,
    relay: Running,
    /// Of each selector, the record that belongs to its key.
    records: Vec<(&'static str, String)>,
    config: String,
    campaign: String,
}

impl World {
    fn new() -> Self {
        Self::with(Relay::default())
    }

    fn with(relay: Relay) -> Self {
        let (implicit, relay) = (relay.implicit, relay.start());
        let url = match implicit {
            true => format!("smtps://us%40er:p%3Aw@127.0.0.1:{}", relay.port),
            false => format!("smtp://us%40er:p%3Aw@127.0.0.1:{}?tls=required", relay.port),
        };
        let dns = dns::Server::start();
        let outgoing = format!("outgoing = {OUTGOING:?}\n\n[links]");
        let mut config = kakitome::demo::generate::config(&url).replace("[links]", &outgoing);
        config = format!("resolver = \"{}\"\n{config}", dns.address());
        let campaign =
            format!("name = \"n\"\nfrom = \"News <news@{DOMAIN}>\"\ntemplate = \"t\"\naudience = \"a.csv\"\n");
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { folder, dns, relay, records: Vec::new(), config, campaign };
        for (selector, algorithm) in [("k1", "rsa"), ("k2", "ed25519")] {
            let (file, record) = world.key(selector, algorithm);
            world.dns.txt(&format!("{selector}._domainkey.{DOMAIN}"), &[&record]);
            world.records.push((selector, record));
            world.config +=
                &format!("\n[[dkim]]\ndomain = \"{DOMAIN}\"\nselector = \"{selector}\"\nkey = \"{file}\"\n");
        }
        world.dns.txt(DOMAIN, &["some-site-verification=1", SPF]);
        world.dns.txt("_spf.registrar.example", &["v=spf1 ip6:2001:db8::/32 -all"]);
        world.dns.txt("_dmarc.registrar.example", &[DMARC]);
        for address in OUTGOING.map(ip) {
            world.dns.ptr(address, &["mail.registrar.example"]);
        }
        world.dns.addresses("mail.registrar.example", &OUTGOING.map(ip));
        world
    }

    /// Makes a private key; its file's name, and the record that goes with it.
    fn key(&self, name: &str, algorithm: &str) -> (String, String) {
        let made = Command::new("openssl").args(["genpkey", "-algorithm", algorithm]).output().expect("openssl");
        let file = format!("{name}.pem");
        let mut options = std::fs::OpenOptions::new();
        let mut to = options.write(true).create(true).truncate(true).mode(0o600).open(self.path(&file)).unwrap();
        std::io::Write::write_all(&mut to, &made.stdout).unwrap();
        let signer = Signer::new(DOMAIN, name, &String::from_utf8(made.stdout).unwrap()).unwrap();
        (file, signer.record())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Output {
        for (name, text) in
            [("kakitome.toml", &self.config), ("campaign.toml", &self.campaign), ("ca.pem", &self.relay.pem)]
        {
            std::fs::write(self.path(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_kakitome"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KAKITOME")) {
            command.env_remove(name);
        }
        command.env("SSL_CERT_FILE", self.path("ca.pem")).current_dir(&self.folder);
        command.arg("doctor").args(args).output().unwrap()
    }

    fn examine(&self, args: &[&str]) -> Told {
        let ended = self.command(&[args, &["--json"]].concat());
        let out = String::from_utf8(ended.stdout).unwrap();
        let told =
            serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{}", String::from_utf8_lossy(&ended.stderr)));
        Told { told, code: ended.status.code().unwrap() }
    }

    /// Only these lines are not well: level, check, what is asked, what is found.
    fn finds(&self, wanted: &[[&str; 4]]) {
        self.examine(&[]).has(wanted);
    }
}

/// What `doctor --json` said.
struct Told {
    told: Value,
    code: i32,
}

impl Told {
    fn lines(&self) -> impl Iterator<Item = [&str; 5]> {
        let lines = self.told["lines"].as_array().unwrap();
        lines
            .iter()
            .map(|line| ["level", "check", "asked", "found", "now"].map(|key| line[key].as_str().unwrap_or_default()))
    }

    fn has(&self, wanted: &[[&str; 4]]) {
        // The clock has no other beside SQLite; its test is by itself.
        let lines: Vec<_> = self.lines().filter(|line| line[0] != "ok" && line[1] != "clock").collect();
        assert_eq!(lines.len(), wanted.len(), "wanted {wanted:#?}, found {lines:#?}");
        for ([level, check, asked, found], line) in wanted.iter().zip(&lines) {
            assert_eq!([*level, *check], line[..2], "{lines:#?}");
            assert!(line[2].contains(asked) && line[3].contains(found), "no {asked:?}, {found:?} in {line:?}");
            assert!(!line[4].is_empty(), "no advice: {line:?}");
        }
        let fails = wanted.iter().any(|line| line[0] == "fail");
        assert_eq!(self.code, if fails { 2 } else { 0 });
        for level in ["ok", "skip", "warn", "fail"] {
            assert_eq!(self.told[level], self.lines().filter(|line| line[0] == level).count(), "{}", self.told);
        }
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_good_sender_is_found_good() {
    let world = World::new();
    let told = world.examine(&[]);
    told.has(&[]);
    let lines: Vec<_> = told.lines().map(|line| format!("{} {}: {}", line[1], line[2], line[3])).collect();
    for wanted in [
        format!("spf TXT {DOMAIN}: {SPF}"),
        format!("spf whether {DOMAIN} lets 192.0.2.10 send: pass"),
        format!("spf whether {DOMAIN} lets 2001:db8::10 send: pass"),
        format!("dkim TXT k1._domainkey.{DOMAIN}: the public half of its rsa key"),
        format!("dkim TXT k2._domainkey.{DOMAIN}: the public half of its ed25519 key"),
        format!("dmarc TXT _dmarc.{DOMAIN}: p=reject at _dmarc.{DOMAIN}"),
        format!("dmarc whether the envelope sender's domain is aligned with {DOMAIN} (strict): {DOMAIN}"),
        format!("dmarc whether DKIM's d is aligned with {DOMAIN} (strict): {DOMAIN}"),
        "ptr the name of 192.0.2.10, and back: mail.registrar.example".into(),
        format!("relay 127.0.0.1:{}: TLS, logged in, its certificate good for 90 days", world.relay.port),
    ] {
        assert!(lines.contains(&wanted), "no {wanted:?} in {lines:#?}");
    }
    // SQLite has no clock of its own, and that is said.
    assert!(told.lines().any(|line| line[0] == "skip" && line[1] == "clock"));
    // Nothing is left behind, and nothing is needed but what is examined.
    assert!(!world.path("kakitome.db").exists());
    let text = String::from_utf8(world.command(&[]).stdout).unwrap();
    assert!(text.contains(&format!("\nok    dkim   TXT k2._domainkey.{DOMAIN}: the public half")), "{text}");
    assert!(text.trim_end().ends_with("11 ok, 1 skipped, 0 to look at, 0 failed"), "{text}");
}

#[test]
fn one_spf_record_lets_our_addresses_send_and_no_strangers() {
    let world = World::new();
    let with = |records: &[&str], wanted: &[[&str; 4]]| {
        world.dns.txt(DOMAIN, records);
        world.finds(wanted);
    };
    with(&["v=spf10 -all"], &[["fail", "spf", "TXT registrar.example", "no record"]]);
    with(&[SPF, "v=spf1 -all"], &[["fail", "spf", "TXT", "2 records"]]);
    with(&["v=spf1 +all"], &[["fail", "spf", "TXT", "lets anybody send"]]);
    with(&["v=spf1 ip4:0.0.0.0/0 ip6:::/0 -all"], &[["fail", "spf", "TXT", "lets anybody send"]]);
    with(&["v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 ?all"], &[["warn", "spf", "TXT", "says nothing about strangers"]]);
    with(&["v=spf1 ip4:192.0.2.10 ~all"], &[["fail", "spf", "lets 2001:db8::10 send", "softfail"]]);
    let broken = "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 include:gone.registrar.example -all";
    with(&[broken], &[["fail", "spf", "TXT", "permerror"]]);
    // An include that lets everybody pass is found where it is included.
    world.dns.txt("_spf.registrar.example", &["v=spf1 ip6:2001:db8::/32 all"]);
    with(&[SPF], &[["fail", "spf", "TXT", "lets anybody send"]]);
}

#[test]
fn each_key_that_signs_has_its_public_half_in_the_dns() {
    let mut world = World::new();
    let (name, good) = ("k2._domainkey.registrar.example", world.records[1].1.clone());
    let other = world.key("other", "ed25519").1;
    let short = good.replace("; p=", ";p=").replace("v=DKIM1; ", "");
    world.dns.txt(name, &[&short]);
    world.finds(&[]);
    for (records, level, found) in [
        (vec![], "fail", "no record"),
        (vec![good.as_str(), good.as_str()], "fail", "2 records"),
        (vec![other.as_str()], "fail", "not that of the private key"),
        (vec!["v=DKIM1; k=ed25519; p="], "fail", "revoked"),
        (vec!["v=DKIM1; k=ed25519"], "fail", "no public key"),
        (vec![world.records[0].1.as_str()], "fail", "kind rsa"),
        (vec![&format!("{good}; h=sha1")], "fail", "no sha256"),
        (vec![&format!("{good}; s=tlsrpt")], "fail", "not for e-mail"),
        (vec![&format!("{good}; t=y:s")], "warn", "t=y"),
    ] {
        world.dns.txt(name, &records);
        let told = world.examine(&[]);
        told.has(&[[level, "dkim", name, found]]);
        if level == "fail" {
            // What to publish is said whole.
            assert!(told.lines().any(|line| line[4].ends_with(&good)), "{}", told.told);
        }
    }
    world.dns.txt(name, &[&good]);
    let kept = world.config.clone();
    world.config = kept.replace("k2.pem", "none.pem");
    world.finds(&[["fail", "dkim", "key of registrar.example", "cannot use the key file"]]);
    world.config = kept;
    world.config = world.config[..world.config.find("\n[[dkim]]").unwrap()].to_owned();
    world.finds(&[["warn", "dkim", "who signs", "nobody"], ["warn", "dmarc", "DKIM's d", "nobody signs"]]);
}

#[test]
fn from_is_aligned_with_who_signs_and_with_the_envelope_sender() {
    let mut world = World::new();
    let dmarc = "_dmarc.registrar.example";
    for (records, found) in [
        (vec![], "no record"),
        (vec!["v=DMARC1; p=nonsense"], "no record that can be read"),
        (vec![DMARC, "v=DMARC1; p=none"], "2 records"),
    ] {
        world.dns.txt(dmarc, &records);
        world.finds(&[["fail", "dmarc", dmarc, found]]);
    }
    world.dns.txt(dmarc, &[DMARC]);
    // Mail that comes back goes to another host of the same organisation.
    world.campaign += "bounce = \"bounces+{token}@b.registrar.example\"\n";
    world.dns.txt("b.registrar.example", &[SPF]);
    world.finds(&[["warn", "dmarc", "envelope sender's", "b.registrar.example: not aligned"]]);
    world.dns.txt(dmarc, &["v=DMARC1; p=reject"]);
    world.finds(&[]);
    // So it is for the keys.
    let config = world.config.clone();
    world.config = config.replace("domain = \"registrar.example\"", "domain = \"k.registrar.example\"");
    for (selector, record) in &world.records {
        world.dns.txt(&format!("{selector}._domainkey.k.registrar.example"), &[record]);
        world.dns.txt(&format!("{selector}._domainkey.elsewhere.example"), &[record]);
    }
    world.finds(&[]);
    world.dns.txt(dmarc, &["v=DMARC1; p=reject; adkim=s"]);
    world.finds(&[["warn", "dmarc", "DKIM's d", "k.registrar.example: not aligned"]]);
    // Neither one nor the other.
    world.config = config.replace("domain = \"registrar.example\"", "domain = \"elsewhere.example\"");
    world.campaign = world.campaign.replace("b.registrar.example", "elsewhere.example");
    world.dns.txt("elsewhere.example", &[SPF]);
    world.finds(&[
        ["fail", "dmarc", "DKIM's d", "elsewhere.example: not aligned"],
        ["fail", "dmarc", "envelope sender's", "elsewhere.example: not aligned"],
    ]);
    // A From whose own domain has no SPF record matters less than its envelope's.
    world.dns.txt(DOMAIN, &[]);
    let told = world.examine(&[]);
    assert!(told.lines().any(|line| line[..3] == ["warn", "spf", "TXT registrar.example"]), "{}", told.told);
}

#[test]
fn each_outgoing_address_has_a_name_that_has_the_address() {
    let mut world = World::new();
    let [v4, _] = OUTGOING.map(ip);
    world.dns.ptr(v4, &[]);
    world.finds(&[["fail", "ptr", "192.0.2.10", "no name"]]);
    world.dns.ptr(v4, &["other.registrar.example"]);
    world.finds(&[["fail", "ptr", "192.0.2.10", "other.registrar.example does not have this address"]]);
    world.dns.addresses("other.registrar.example", &[ip("192.0.2.11")]);
    world.finds(&[["fail", "ptr", "192.0.2.10", "does not have this address"]]);
    world.dns.addresses("other.registrar.example", &[ip("192.0.2.11"), v4]);
    world.finds(&[]);
    world.config = world.config.replace(&format!("outgoing = {OUTGOING:?}"), "");
    world.finds(&[["skip", "spf", "our mail servers", "names no address"]]);
}

#[test]
fn a_mail_server_lets_us_in_under_a_certificate_that_is_good() {
    let finds =
        |relay: Relay, level: &str, found: &str| World::with(relay).finds(&[[level, "relay", "127.0.0.1:", found]]);
    World::with(Relay { implicit: true, ..Relay::default() }).finds(&[]);
    finds(Relay { days: -5, ..Relay::default() }, "fail", "certificate expired");
    finds(Relay { days: -5, implicit: true, ..Relay::default() }, "fail", "certificate expired");
    finds(Relay { name: "mail.example", ..Relay::default() }, "fail", "not valid for name");
    finds(Relay { days: 9, ..Relay::default() }, "warn", "ends in 9 days");
    finds(Relay { starttls: false, ..Relay::default() }, "fail", "no STARTTLS");
    finds(Relay { auth: "250 AUTH XOAUTH2\r\n", ..Relay::default() }, "fail", "neither AUTH PLAIN nor AUTH LOGIN");
    let mut world = World::new();
    let config = world.config.clone();
    world.config = config.replace("p%3Aw", "another");
    world.finds(&[["fail", "relay", "127.0.0.1:", "535"]]);
    assert!(!world.examine(&[]).told.to_string().contains("another"), "no password is shown");
    // Another authority than ours vouches for it: none does.
    world.config = config.clone();
    world.relay.pem = Relay::default().start().pem;
    world.finds(&[["fail", "relay", "127.0.0.1:", "TLS failed: invalid peer certificate"]]);
    let gone = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    world.config = config.replace(&format!(":{}?", world.relay.port), &format!(":{gone}?"));
    world.finds(&[["fail", "relay", "127.0.0.1:", "refused"]]);
}

#[test]
fn what_is_not_answered_is_not_taken_for_well() {
    let world = World::new();
    world.dns.fail("k1._domainkey.registrar.example");
    world.finds(&[["fail", "dkim", "k1._domainkey", "Server Failure"]]);
    world.dns.silence("k1._domainkey.registrar.example");
    let told = world.examine(&["--timeout", "1"]);
    told.has(&[["fail", "dkim", "k1._domainkey", "no answer from the resolver 127.0.0.1"]]);
    // The include of an SPF record that is not answered.
    let world = World::new();
    world.dns.fail("_spf.registrar.example");
    let told = world.examine(&[]);
    assert!(told.lines().any(|line| line[0] == "fail" && line[1] == "spf" && line[3].contains("temperror")));
    // A resolver that is not there, named in place of the configuration's.
    let gone = { std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string() };
    let told = world.examine(&["--resolver", &gone, "--timeout", "1"]);
    let asked =
        ["TXT registrar.example", "TXT k1._domainkey", "TXT k2._domainkey", "TXT _dmarc.", "192.0.2.10", "2001:"];
    let failed: Vec<_> = told.lines().filter(|line| line[0] == "fail").collect();
    assert_eq!(failed.len(), asked.len(), "{failed:#?}");
    for asked in asked {
        let line = failed.iter().find(|line| line[2].contains(asked)).unwrap();
        assert!(line[4].contains("see that the resolver answers"), "{line:?}");
    }
    assert_eq!(told.code, 2);
    let nonsense = world.command(&["--resolver", "dns.example"]);
    assert!(String::from_utf8_lossy(&nonsense.stderr).contains("is no resolver"));
}

#[test]
fn a_file_that_cannot_be_used_is_refused() {
    let world = World::new();
    let refused = world.command(&["other.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot read the campaign file other.toml"));
}

#[test]
fn the_clock_is_compared_with_the_databases() {
    let mut world = World::new();
    let gone = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let config = world.config.clone();
    world.config = config.replace("sqlite:kakitome.db", &format!("postgres://user:hush-hush@{gone}/x"));
    let told = world.examine(&[]);
    assert!(!told.told.to_string().contains("hush"), "{}", told.told);
    let clock = told.lines().find(|line| line[1] == "clock").unwrap();
    assert!(clock[0] == "fail" && clock[3].contains(&gone.to_string()), "{clock:?}");
    assert_eq!(told.code, 2);
    let Some(server) = postgres::server() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    world.config = config.replace("sqlite:kakitome.db", &runtime.block_on(server.database()));
    let told = world.examine(&[]);
    let clock = told.lines().find(|line| line[1] == "clock").unwrap();
    assert!(clock[0] == "ok" && clock[3].contains(", to within "), "{clock:?}");
    told.has(&[]);
}
