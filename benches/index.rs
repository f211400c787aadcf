//! What the guard's index costs beside general automata, in one run, on one
//! thread: scanning distinct bodies of about 28 KB, half of it Japanese; memory;
//! building; opening.
//!
//! `cargo bench --bench index [-- MILLIONS… [noac]]`, for example `-- 1 5 60`.
//! Up to 5 million identifiers all are made-up customers', and daachorse
//! (bytewise) is built over the same; at 1 million aho-corasick (contiguous NFA)
//! too, unless `noac` is given. Above 5 million the rest are random hashes, which
//! is what keyed hashes are. Times are the thread's, medians of five rounds;
//! ratios within one run are what to compare.

#[path = "support/cells.rs"]
mod cells;
mod support;

use std::collections::BTreeMap;
use std::time::Instant;

use kakitome::account::{AccountId, Kind};
use kakitome::config::Config;
use kakitome::demo::{generate, people};
use kakitome::directory::row::Reader;
use kakitome::guard::Index;
use kakitome::guard::find::names::squeeze;
use kakitome::guard::find::{Scanner, Setting, Token};
use kakitome::guard::index::{Accounts, Building, Edition};
use kakitome::guard::normal;
use kakitome::key::Keys;
use kakitome::mapping::Mapping;

use cells::cells;
use support::{median, processor, verdict};

const BODIES: usize = 2_000;
const MILLION: usize = 1_000_000;
/// Beyond so many identifiers the rest are random hashes.
const MADE_MAX: usize = 5 * MILLION;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut sizes: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.push(1);
    }
    let with_nfa = !args.iter().any(|arg| arg == "noac");
    let config = Config::parse(&generate::config("smtp://127.0.0.1:25"), std::path::Path::new(""), std::iter::empty())
        .expect("the demo's configuration");
    let (mapping, keys) = (config.directory, Keys::new(&[1; 32]));
    let folder = tempfile::tempdir().expect("a folder");
    let mut scans = BTreeMap::new();
    for size in sizes {
        let bench = Bench { mapping: &mapping, keys: &keys, folder: folder.path(), size: size * MILLION };
        scans.insert(size, bench.run(with_nfa && size == 1));
    }
    if let (Some(small), Some(large)) = (scans.get(&1), scans.get(&60)) {
        verdict("60 M beside 1 M, whole scan (×, at most)", large / small, 1.5, false);
    }
}

/// One size.
struct Bench<'a> {
    mapping: &'a Mapping,
    keys: &'a Keys,
    folder: &'a std::path::Path,
    size: usize,
}

/// A made-up directory: the values themselves, and their rows by hash.
struct Made {
    values: Vec<String>,
    names: Vec<(String, u32)>,
    rows: Vec<(u128, u32, Kind)>,
    customers: u32,
}

/// A body, and what a guard that has cut it up looks for.
struct Body {
    text: String,
    folded: String,
    squeezed: String,
    spaced: String,
    candidates: Candidates,
}

/// Values one after another in one text, as they are in a scanner's buffer.
#[derive(Default)]
struct Candidates {
    text: String,
    ends: Vec<(Kind, usize)>,
}

impl Candidates {
    fn of(values: impl Iterator<Item = (Kind, String)>) -> Self {
        let mut all = Self::default();
        for (kind, value) in values {
            all.text.push_str(&value);
            all.ends.push((kind, all.text.len()));
        }
        all
    }

    fn each(&self) -> impl Iterator<Item = (Kind, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        self.ends.iter().zip(starts).map(|((kind, end), start)| (*kind, &self.text[start..*end]))
    }
}

impl Bench<'_> {
    fn run(&self, with_nfa: bool) -> f64 {
        println!("\n{} M identifiers", self.size / MILLION);
        let made = self.made(self.size.min(MADE_MAX));
        let index = self.build(&made);
        let scanner = Scanner::new(self.mapping, MILLION as u64).expect("patterns");
        let bodies: Vec<Body> = (0..BODIES).map(|n| body(n, made.customers, &scanner)).collect();
        let bytes: usize = bodies.iter().map(|body| body.text.len()).sum();
        let foreign: usize = bodies.iter().map(|body| body.text.chars().filter(|c| !c.is_ascii()).count()).sum();
        let candidates: usize = bodies.iter().map(|body| body.candidates.ends.len()).sum();
        println!(
            "{BODIES} bodies of {:.1} KB, {} Japanese characters and {} candidates each",
            bytes as f64 / BODIES as f64 / 1e3,
            foreign / BODIES,
            candidates / BODIES
        );
        let tokens = row("the guard's present tokeniser alone", || {
            bodies.iter().map(|body| scanner.scan(&body.folded, Setting::Prose).len()).sum()
        });
        let lookups = row("candidates: hash, look up", || {
            let found = |body: &Body| {
                let hashes = body.candidates.each().map(|(kind, value)| self.keys.identifier(kind, value));
                hashes.filter(|hash| index.has(*hash)).count()
            };
            bodies.iter().map(found).sum()
        });
        let joined =
            row("names without spaces", || bodies.iter().map(|body| index.names().joined(&body.squeezed).len()).sum());
        let worded = row("names of words", || bodies.iter().map(|body| index.names().worded(&body.spaced).len()).sum());
        let core = lookups + joined + worded;
        println!("  {:<44}{core:>9.1} µs/message", "look-up core (candidates + names)");
        println!("  {:<44}{:>9.1} µs/message", "the same with the present tokeniser", core + tokens);
        if self.size <= MADE_MAX {
            self.automata(&made, &bodies, core, with_nfa);
        }
        core
    }

    fn automata(&self, made: &Made, bodies: &[Body], core: f64, with_nfa: bool) {
        let started = Instant::now();
        let search = daachorse::DoubleArrayAhoCorasick::<u32>::new(&made.values).expect("distinct values");
        println!("  daachorse bytewise built in {:.1} s", started.elapsed().as_secs_f64());
        let each = row("daachorse bytewise", || {
            bodies.iter().map(|body| search.find_overlapping_iter(&body.text).count()).sum()
        });
        drop(search);
        let target = if self.size > MILLION { 5.0 } else { 3.0 };
        verdict("× faster than daachorse bytewise (at least)", each / core, target, true);
        if with_nfa {
            let started = Instant::now();
            let build = aho_corasick::AhoCorasickBuilder::new()
                .kind(Some(aho_corasick::AhoCorasickKind::ContiguousNFA))
                .build(&made.values);
            let search = build.expect("an automaton");
            println!("  aho-corasick contiguous NFA built in {:.1} s", started.elapsed().as_secs_f64());
            let each = row("aho-corasick contiguous NFA", || {
                bodies.iter().map(|body| search.find_overlapping_iter(&body.text).count()).sum()
            });
            verdict("× faster than aho-corasick (at least)", each / core, 10.0, true);
        }
    }

    /// Customers' identifiers until there are so many.
    fn made(&self, size: usize) -> Made {
        let reader = Reader::new(self.mapping, self.keys).expect("a mapping");
        let expected = (size / 10) as u64;
        let mut made = Made { values: Vec::new(), names: Vec::new(), rows: Vec::with_capacity(size), customers: 0 };
        while made.rows.len() < size {
            let row = made.customers;
            let customer = people::customer(u64::from(row), expected, 1);
            made.values.extend([customer.member_id.clone(), customer.email.clone()]);
            made.values.extend(customer.domains.iter().cloned());
            let account = reader.account(u64::from(row), &cells(customer)).expect("an account");
            for entry in account.entries {
                made.rows.push((entry.hash, row, entry.kind));
                if let Some(name) = entry.name {
                    made.values.push(name.clone());
                    made.names.push((name, row));
                }
            }
            made.customers += 1;
        }
        made.rows.sort_unstable();
        made.rows.dedup();
        made.values.sort_unstable();
        made.values.dedup();
        made
    }

    /// Builds the file from a stream in the order of hashes, as the store gives it.
    fn build(&self, made: &Made) -> Index {
        let file = self.folder.join(format!("{}.index", self.size));
        let random = self.size.saturating_sub(made.rows.len());
        let random = if self.size > MADE_MAX { random } else { 0 };
        let accounts = u64::from(made.customers) + random as u64 / 12;
        let identifiers = (made.rows.len() + random) as u64;
        let total = Spread::new(random).total();
        // Resets the high-water mark, so that only the build counts.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let (before, own_before) = (memory("VmRSS:"), memory("RssAnon:"));
        let (started, worked) = (Instant::now(), processor());
        let mut numbered = Accounts::default();
        for row in 0..accounts {
            let account = AccountId::new(&format!("{:08}", row + 10_000_000)).expect("a key");
            numbered.push(row as i64, &account).expect("rows grow");
        }
        let edition = Edition { version: 1, digest: [0; 32], identifiers };
        let mut building = Building::begin(&file, self.keys, edition, numbered).expect("a file");
        for (name, row) in &made.names {
            building.name(name, i64::from(*row));
        }
        let mut rows = made.rows.iter().peekable();
        for hash in Spread::new(random).hashes(total) {
            while let Some((own, row, kind)) = rows.next_if(|(own, ..)| *own <= hash) {
                building.add(*own, *kind, i64::from(*row)).expect("in order");
            }
            building.add(hash, Kind::Domain, (hash as u64 % accounts) as i64).expect("in order");
        }
        for (own, row, kind) in rows {
            building.add(*own, *kind, i64::from(*row)).expect("in order");
        }
        // Everything that the builder gathers is gathered here; what follows
        // goes out piece by piece.
        let own = memory("RssAnon:").saturating_sub(own_before);
        drop(building.finish().expect("an index"));
        let worked = processor() - worked;
        let (seconds, peak) = (started.elapsed().as_secs_f64(), memory("VmHWM:").saturating_sub(before));
        let each = |bytes: u64| bytes as f64 / identifiers as f64;
        println!("  built from a sorted stream, proved and on the disk in {seconds:.1} s, {worked:.1} s of work");
        if self.size == 60 * MILLION {
            verdict("build at 60 M (s, at most)", seconds, 15.0, false);
        }
        verdict("bytes/identifier while building, own memory", each(own), 16.0, false);
        // Pages of the file being proved can be given back at any time.
        println!("  {:<44}{:>9.2}", "the same with the mapped file's pages", each(peak));
        let started = Instant::now();
        let index = Index::open(&file, self.keys).expect("an index");
        verdict("opening (ms, at most)", started.elapsed().as_secs_f64() * 1e3, 50.0, false);
        let hot = index.hot_bytes();
        verdict("bytes/identifier resident: lines and gates", each(hot), 6.0, false);
        println!(
            "  {:<44}{:>9.2}",
            "bytes/identifier on the disk",
            each(std::fs::metadata(&file).map_or(0, |m| m.len()))
        );
        index
    }
}

/// Random hashes in ascending order without keeping them: gaps of a Poisson
/// process, made twice from one seed, the first time for their sum.
struct Spread {
    count: usize,
    random: fastrand::Rng,
}

impl Spread {
    fn new(count: usize) -> Self {
        Self { count, random: fastrand::Rng::with_seed(count as u64) }
    }

    fn gap(&mut self) -> f64 {
        -(1.0 - self.random.f64()).ln()
    }

    fn total(mut self) -> f64 {
        (0..=self.count).map(|_| self.gap()).sum()
    }

    fn hashes(mut self, total: f64) -> impl Iterator<Item = u128> {
        let (mut sum, mut low) = (0.0, fastrand::Rng::with_seed(7));
        (0..self.count).map(move |_| {
            sum += self.gap();
            let upper = (sum / total * 2_f64.powi(64)) as u64;
            u128::from(upper) << 64 | u128::from(low.u64(..))
        })
    }
}

const PROSE: [&str; 8] = [
    "いつも当社のサービスをご利用いただき、誠にありがとうございます。",
    "ドメイン名の更新手続きは、有効期限の前日までにお済ませください。",
    "年末年始のお問い合わせ窓口の営業時間についてお知らせいたします。",
    "新しいレンタルサーバーの料金プランが、来月から始まります。",
    "メールアドレスを変更された場合は、会員ページで登録をお直しください。",
    "セキュリティ向上のため、二段階認証の設定をお勧めしております。",
    "このたびの障害により、ご迷惑をおかけしましたことをお詫びいたします。",
    "株式会社レジストラ例は、今後も安定した運用に努めてまいります。",
];

/// A newsletter to one customer: links, tables, prose, its own values.
fn body(number: usize, customers: u32, scanner: &Scanner) -> Body {
    let mut random = fastrand::Rng::with_seed(number as u64);
    let customer = people::customer(random.u64(0..u64::from(customers)), u64::from(customers), 1);
    let mut text = format!("<p>{} 様 会員番号 {} {}</p>\n", customer.name, customer.member_id, customer.email);
    let mut line = 0;
    while text.len() < 28_000 {
        let host = match customer.domains.get(line) {
            Some(domain) => domain.clone(),
            None => format!("www{}.registrar.example", random.u32(0..30)),
        };
        text.push_str(&format!(
            "<tr class=\"row r{line}\" style=\"padding:4px 8px;color:#334455\"><td><a href=\"https://{host}/news/{}?from=mail&amp;n={line}\">{host}</a></td><td>",
            random.u32(100..999),
        ));
        for _ in 0..2 {
            text.push_str(PROSE[random.usize(..PROSE.len())]);
        }
        text.push_str("</td><td>until the end of the month, see the terms of service</td></tr>\n");
        line += 1;
    }
    let folded = normal::fold(&text).into_owned();
    let (squeezed, spaced) = squeeze(&folded);
    let candidates = Candidates::of(scanner.scan(&folded, Setting::Prose).iter().flat_map(candidates));
    Body { folded, squeezed, spaced, candidates, text }
}

/// What is looked up of a token: every suffix of a host, an address and its host.
fn candidates(token: &Token<'_>) -> Vec<(Kind, String)> {
    let kind = token.shape.kind();
    let Ok(canonical) = normal::canonical(kind, token.text, Some("JP")) else { return Vec::new() };
    let host = match kind {
        Kind::Domain => Some(canonical.clone()),
        Kind::Email => canonical.rsplit_once('@').map(|(_, host)| host.to_owned()),
        _ => None,
    };
    let mut all = Vec::new();
    if kind != Kind::Domain {
        all.push((kind, canonical));
    }
    if let Some(host) = host {
        let mut rest = &*host;
        while let Some((_, shorter)) = rest.split_once('.') {
            all.push((Kind::Domain, rest.to_owned()));
            rest = shorter;
        }
    }
    all
}

/// Processor time is counted in steps of 4 ms, and the fastest round takes 16.
const PASSES: usize = 10;

/// Times rounds of [`PASSES`] over all bodies; prints and returns µs a message.
fn row(what: &str, mut pass: impl FnMut() -> usize) -> f64 {
    let mut found = 0;
    let round = || (0..PASSES).for_each(|_| found = std::hint::black_box(pass()));
    let each = median(round) * 1e6 / (BODIES * PASSES) as f64;
    println!("  {what:<44}{each:>9.1} µs/message, {:.1} found", found as f64 / BODIES as f64);
    each
}

/// A line of /proc/self/status, in bytes.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let kilobytes = found.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
