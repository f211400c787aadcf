//! Proper newsletters of a made-up registrar, to see that none is held: twelve
//! templates in two languages (`newsletters/`), and for each account what a
//! registrar fills in besides the directory's columns: amounts, dates, order
//! numbers, addresses of machines, hashes, coupons, all from the account's number.
//!
//! The member IDs are dense: eight digits, one after another from
//! [`FIRST_ID`], so that whatever eight digits of that range a message shows are
//! somebody's.

use std::collections::BTreeMap;
use std::path::Path;

use kakitome::account::{Recipient, Record};
use kakitome::address::Address;
use kakitome::config::Config;
use kakitome::demo::{generate, people};
use kakitome::directory::NewAccount;
use kakitome::directory::row::{Cell, Reader};
use kakitome::guard::overlay::Columns;
use kakitome::guard::{Allow, Candidate, Finding, Guard, Judge, Literal, Overlay, Terms};
use kakitome::key::Keys;
use kakitome::mapping::Mapping;
use kakitome::message::Finished;
use kakitome::render::{Letterhead, Mailbox, Renderer, Template};

/// The first member ID: today's dates, written as `20261231`, are IDs too.
pub const FIRST_ID: u64 = 15_000_000;

/// The templates, each a folder.
pub const NAMES: [&str; 12] = [
    "renewal-ja",
    "renewal-en",
    "receipt-ja",
    "invoice-en",
    "maintenance-ja",
    "maintenance-en",
    "tech-ja",
    "tech-en",
    "portfolio-ja",
    "coupon-ja",
    "plain-en",
    "editorial-ja",
];

/// What a registrar's own campaigns allow, and why.
const ALLOWED: [(&str, &str); 6] = [
    ("registrar.example", "our own site"),
    ("03-5555-0123", "our support desk"),
    ("0120-555-012", "our support desk, free of charge"),
    ("20261231", "the end of the winter campaign, in links"),
    ("20100101", "a browser's build, in a line of a log"),
    ("2026-0173", "a credit note in an example"),
];

/// A made-up registrar.
pub struct Registrar {
    pub mapping: Mapping,
    pub keys: Keys,
    pub accounts: u64,
}

impl Registrar {
    pub fn new(accounts: u64) -> Self {
        let config = generate::config("smtp://127.0.0.1:25");
        let config = Config::parse(&config, Path::new(""), std::iter::empty()).expect("the demo's configuration");
        Self { mapping: config.directory, keys: Keys::new(&[1; 32]), accounts }
    }

    /// Reads customers as the directory does.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.mapping, &self.keys).expect("a mapping")
    }

    /// The account with this number, from 0.
    pub fn account(&self, reader: &Reader<'_>, number: u64) -> NewAccount {
        let member_id = format!("{:08}", FIRST_ID + number);
        let made = people::Customer { member_id, ..people::customer(number, self.accounts, 1) };
        let cells = people::COLUMNS.into_iter().zip(made.row());
        let cells: Vec<_> = cells.map(|(name, value)| (name.to_owned(), Cell::Text(value))).collect();
        reader.account(number + 1, &cells).unwrap_or_else(|e| panic!("customer {number}: {}", e.why))
    }
}

/// One campaign: a template, ready to be rendered and judged.
pub struct Newsletter {
    pub name: &'static str,
    renderer: Renderer,
    pub terms: Terms,
}

/// Every campaign.
pub fn newsletters(keys: &Keys) -> Vec<Newsletter> {
    (1..).zip(NAMES).map(|(campaign, name)| Newsletter::new(campaign, name, keys)).collect()
}

impl Newsletter {
    fn new(campaign: i64, name: &'static str, keys: &Keys) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/newsletters");
        let mut files = BTreeMap::new();
        for folder in [folder.join("shared"), folder.join(name)] {
            for entry in std::fs::read_dir(folder).expect("the template's folder") {
                let path = entry.expect("the template's folder").path();
                let file = path.file_name().expect("a file").to_string_lossy().into_owned();
                files.insert(file, std::fs::read_to_string(path).expect("the template's file"));
            }
        }
        let template = Template::from_files(files).unwrap_or_else(|e| panic!("{name}: {e}"));
        let letterhead = Letterhead {
            campaign,
            revision: 1,
            from: Mailbox::parse("Registrar News <news@registrar.example>").expect("a mailbox"),
            reply_to: None,
            bounce: Address::parse("bounce@registrar.example").expect("an address").into(),
            list_id: "news.registrar.example".into(),
            links_base: "https://mail.registrar.example/k".into(),
            signers: Vec::new(),
            keys: keys.clone(),
        };
        let mut literal: Vec<Literal> =
            template.literals().into_iter().map(|l| Literal { html: l.html, text: l.text }).collect();
        literal.extend(letterhead.values().into_iter().map(|text| Literal { html: false, text }));
        let allow = ALLOWED.map(|(value, reason)| Allow { value: value.into(), reason: reason.into() }).to_vec();
        let must_show = if name == "editorial-ja" { Vec::new() } else { vec!["member_id".into()] };
        let terms = Terms { campaign: Some(campaign), revision: 1, literal, allow, must_show, attachments: Vec::new() };
        Self { name, renderer: Renderer::new(template, letterhead).expect("a letterhead"), terms }
    }

    /// What `campaign new` would ask a reason for: identifiers of accounts in the
    /// literal text that nothing allows.
    pub fn lint(&self, guard: &Guard) -> Vec<String> {
        let none = Overlay::empty(Columns::new(&BTreeMap::new()).expect("no columns"));
        let found = guard.lint(&self.terms, &none).expect("the terms are good");
        found.iter().map(ToString::to_string).collect()
    }

    /// Renders an account's message.
    pub fn render(&self, record: Record, extra: BTreeMap<String, String>) -> Finished {
        let recipient = Recipient { record, extra };
        self.renderer.render(recipient, DATE_MS).unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Renders an account's message and judges it: its length, and what was found.
    pub fn judge(&self, judge: &Judge<'_>, record: &Record, extra: BTreeMap<String, String>) -> (usize, Vec<Finding>) {
        let message = self.render(record.clone(), extra);
        let candidate = Candidate {
            sender: message.sender(),
            recipients: std::slice::from_ref(message.recipient()),
            account: message.account(),
            bytes: message.bytes(),
        };
        (message.bytes().len(), judge.examine(candidate, Some(record)).findings)
    }
}

/// Tue, 8 December 2026, 10:00 in Tokyo.
const DATE_MS: i64 = 1_796_691_600_000;

/// What a registrar's own system fills in for an account, besides the directory.
pub fn extra(number: u64) -> BTreeMap<String, String> {
    let mut made = Made(fastrand::Rng::with_seed(number ^ 0x5eed));
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
    for name in ["amount", "tax", "total", "balance"] {
        put(name, made.grouped());
    }
    put("price_usd", format!("{}.{:02}", made.grouped(), made.0.u32(0..100)));
    put("points", made.0.u32(0..100_000).to_string());
    for name in ["date", "expires", "due"] {
        let (year, month, day) = made.date();
        put(name, format!("{year}-{month:02}-{day:02}"));
        put(&format!("{name}_slash"), format!("{year}/{month:02}/{day:02}"));
        put(&format!("{name}_dots"), format!("{day:02}.{month:02}.{year}"));
        put(&format!("{name}_dmy"), format!("{day:02}-{month:02}-{year}"));
        put(&format!("{name}_ja"), format!("{year}年{month}月{day}日"));
        put(&format!("{name}_en"), format!("{day} {} {year}", MONTHS[month as usize - 1]));
        put(&format!("{name}_us"), format!("{month}/{day}/{year}"));
    }
    put("time", made.time());
    put("time_short", format!("{}:{:02}", made.0.u32(0..10), made.0.u32(0..60)));
    put("times", format!("{}-{}", made.time(), made.time()));
    put("stamp", format!("2026-12-{:02}T{}:{:02}+09:00", made.0.u32(1..32), made.time(), made.0.u32(0..60)));
    // Somebody's member ID inside a longer number, before, behind and between digits.
    let id = FIRST_ID + made.0.u64(0..10_000_000);
    put("order_no", format!("2026{id}"));
    put("invoice_no", format!("{id}{:04}", made.0.u32(0..10_000)));
    put("payment_no", format!("{}{id}{}", made.0.u32(10..100), made.0.u32(10..100)));
    put("reference", format!("INV-2026-{:06}", made.0.u32(0..1_000_000)));
    put("ticket", made.0.u32(10_000..1_000_000).to_string());
    put("card", format!("{:04}", made.0.u32(0..10_000)));
    put("serial", format!("202612{:02}{:02}", made.0.u32(1..32), made.0.u32(0..100)));
    put("ttl", [300, 3_600, 14_400, 86_400][made.0.usize(..4)].to_string());
    put("key_tag", made.0.u32(1..65_536).to_string());
    put("ip", format!("203.0.113.{}", made.0.u8(..)));
    put("ip_other", format!("198.51.100.{}", made.0.u8(..)));
    put("ip6", format!("2001:db8:{:x}:{:x}::{:x}", made.0.u16(..), made.0.u16(..), made.0.u16(..)));
    put("server", format!("web{}.registrar.example", made.0.u32(1..400)));
    put("hash", made.hex(32));
    put("digest", made.hex(64).to_uppercase());
    put("uuid", made.uuid());
    put("token", (0..22).map(|_| made.0.alphanumeric()).collect());
    put("colour", format!("#{}", made.hex(6)));
    put("coupon", format!("WINTER26-{}-{}", made.code(4), made.code(4)));
    put("percent", made.0.u32(5..95).to_string());
    put("rate", format!("{}.{:02}", made.0.u32(90..100), made.0.u32(0..100)));
    put("version", format!("{}.{}.{}", made.0.u32(1..20), made.0.u32(0..20), made.0.u32(0..40)));
    put("size", format!("{}.{} GB", made.0.u32(1..900), made.0.u32(0..10)));
    put("visits", made.grouped());
    put("postcode", format!("{:03}-{:04}", made.0.u32(1..1_000), made.0.u32(0..10_000)));
    put("count", made.0.u32(2..30).to_string());
    all
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

struct Made(fastrand::Rng);

impl Made {
    /// A number in groups of three: of two to eleven digits, all lengths alike.
    fn grouped(&mut self) -> String {
        let digits = self.0.u32(2..=11);
        let number = self.0.u64(10_u64.pow(digits - 1)..10_u64.pow(digits)).to_string();
        let groups = number.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join(",")
    }

    fn date(&mut self) -> (u32, u32, u32) {
        let month = self.0.u32(1..13);
        let last = if matches!(month, 1 | 3 | 5 | 7 | 8 | 10 | 12) { 31 } else { 28 };
        (self.0.u32(2024..2031), month, self.0.u32(1..=last))
    }

    fn time(&mut self) -> String {
        format!("{:02}:{:02}", self.0.u32(0..24), self.0.u32(0..60))
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| self.0.digit(16)).collect()
    }

    fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|digits| self.hex(digits)).join("-")
    }

    /// Capitals and digits without those that look alike.
    fn code(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[self.0.usize(..32)])).collect()
    }
}
