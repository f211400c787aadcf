//! Cases as data: every message of `tests/guard/cases/*.txt` has the verdict that stands
//! there. The format is described in `tests/guard/cases/README.md`.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use kakitome::address::Address;
use kakitome::guard::{Candidate, Finding, Judge, Terms, Verdict};

use super::world::{Shape, World, terms, told};
use super::worlds::DIRECTORIES;

/// So many messages there are at least: a reader that skips files is noticed.
const MESSAGES_MIN: usize = 2_400;

/// One `key: value` of a file, with the lines that continue it.
struct Entry {
    line: usize,
    key: String,
    value: String,
}

/// One alternative of what is expected of a message.
#[derive(Clone, Debug)]
struct Held {
    rule: String,
    kind: Option<String>,
    owner: Option<String>,
    place: Option<String>,
}

/// One message, and the verdict that it must have. No alternative: it must be cleared.
struct Case {
    line: usize,
    account: Option<String>,
    held: Vec<Held>,
    /// The account that the same may be written to.
    cleared_for: Option<String>,
    form: Form,
}

/// What is put into the carrier, or the whole message.
#[derive(Clone, Default)]
struct Form {
    raw: Option<Vec<u8>>,
    headers: Vec<Vec<u8>>,
    text: Vec<u8>,
    html: Vec<u8>,
    parts: Vec<Vec<u8>>,
}

/// A directory, and the messages that are judged by it.
struct Section {
    world: World,
    cases: Vec<Case>,
}

#[test]
fn every_case_has_its_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guard/cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(!files.is_empty());
    let (mut count, mut faults) = (0, String::new());
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let sections = match read(&std::fs::read_to_string(&path).unwrap()) {
            Ok(sections) => sections,
            Err(why) => {
                writeln!(faults, "{name}:{why}").unwrap();
                continue;
            }
        };
        for section in &sections {
            count += section.cases.len();
            section.judge(&name, &mut faults);
        }
    }
    let wrong = faults.lines().count();
    assert!(faults.is_empty(), "{wrong} of {count} messages are wrong:\n{faults}");
    assert!(count >= MESSAGES_MIN, "only {count} messages were judged");
}

#[test]
fn a_file_that_says_nothing_is_refused() {
    let directory = "directory: a Thai registrar\n---\n";
    for (text, why) in [
        ("", "it has no cases"),
        (directory, "it has no cases"),
        ("expect: cleared\ntext: x\n", "1: no directory stands before it"),
        ("directory: nowhere\n---\nexpect: cleared\ntext: x\n", "1: unknown directory"),
        (&format!("{directory}expect: cleared\ntxet: x\n"), "4: unknown key \"txet\""),
        (&format!("{directory}text: x\n"), "3: no verdict stands before it"),
        (&format!("{directory}expect: clear\ntext: x\n"), "3: unknown verdict"),
        (&format!("{directory}expect: held foreigner\ntext: x\n"), "3: unknown rule"),
        (&format!("{directory}expect: cleared\n"), "3: no message follows it"),
        (&format!("{directory}expect: cleared\nfor: 7\ntext: x\n"), "4: unknown account"),
        (&format!("{directory}expect: cleared\ntext: $(rot13 x)\n"), "4: unknown function"),
        (&format!("{directory}expect: cleared\nwords\n"), "4: neither a key nor a continued line"),
    ] {
        let found = read(text).err().unwrap_or_default();
        assert!(found.contains(why), "{text:?}: {found:?}");
    }
}

impl Section {
    /// Judges every message by one judge whose memory fills: as a whole, and by passages
    /// that are new, known and remembered.
    fn judge(&self, file: &str, faults: &mut String) {
        let terms = Terms { literal: Vec::new(), ..terms() };
        let judge = self.world.guard.judge(&terms).unwrap();
        for is_again in [false, true] {
            for case in &self.cases {
                let mut tell = |account: Option<&String>, held: &[Held]| {
                    let fault = self.fault(&judge, case, account, held, is_again);
                    fault.into_iter().for_each(|why| writeln!(faults, "{file}:{}: {why}", case.line).unwrap());
                };
                tell(case.account.as_ref(), &case.held);
                if case.cleared_for.is_some() {
                    tell(case.cleared_for.as_ref(), &[]);
                }
            }
        }
    }

    fn fault(
        &self,
        judge: &Judge<'_>,
        case: &Case,
        account: Option<&String>,
        held: &[Held],
        is_again: bool,
    ) -> Option<String> {
        let account = account.map_or(0, |id| self.account(id).unwrap());
        let record = &self.world.records[account];
        let bytes = case.form.bytes(record.account.as_str(), record.address.as_str());
        let sender = Address::parse("bounce@registrar.example").unwrap();
        let recipients = std::slice::from_ref(&record.address);
        let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes: &bytes };
        let whole = judge.examine_whole(candidate, Some(record));
        let differs = (0..2).any(|_| told(&judge.examine(candidate, Some(record))) != told(&whole));
        let wrong = (!is_again).then(|| wrong(held, &whole)).flatten();
        let why = wrong.or_else(|| differs.then(|| format!("by passages it is not {:?}", whole.findings)));
        why.map(|why| format!("for {}, {why}", record.account))
    }

    fn account(&self, id: &str) -> Option<usize> {
        self.world.records.iter().position(|record| record.account.as_str() == id)
    }
}

/// How a verdict differs from what is expected.
fn wrong(held: &[Held], verdict: &Verdict) -> Option<String> {
    let found: Vec<String> = verdict.findings.iter().map(shown).collect();
    let is_right = match held {
        [] => verdict.is_cleared(),
        held => verdict.findings.iter().any(|finding| held.iter().any(|held| held.is(finding))),
    };
    let found = if found.is_empty() { "cleared".to_owned() } else { found.join("; ") };
    (!is_right).then(|| match held.first() {
        Some(held) => format!("expected {} {}, is {found}", held.rule, held.owner.as_deref().unwrap_or("")),
        None => format!("expected cleared, is {found}"),
    })
}

fn shown(finding: &Finding) -> String {
    let kind = finding.kind.map(|kind| kind.to_string()).unwrap_or_default();
    let owner = finding.owner.as_ref().map(|owner| owner.as_str()).unwrap_or("-");
    format!("{} {kind} {owner} in {}: {}", finding.rule.as_str(), finding.place, finding.shown)
}

impl Held {
    fn is(&self, finding: &Finding) -> bool {
        let same = |wanted: &Option<String>, found: Option<String>| {
            wanted.as_ref().is_none_or(|wanted| *wanted == found.unwrap_or_else(|| "-".into()))
        };
        self.rule == finding.rule.as_str()
            && same(&self.kind, finding.kind.map(|kind| kind.to_string()))
            && same(&self.owner, finding.owner.as_ref().map(|owner| owner.as_str().to_owned()))
            && self.place.as_ref().is_none_or(|place| finding.place.contains(place.as_str()))
    }
}

impl Form {
    /// The finished message for an account.
    fn bytes(&self, id: &str, address: &str) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut out = Vec::new();
        let to = format!("To: <{address}>");
        let carrier = [
            "From: Example Registrar <news@registrar.example>",
            &to,
            "Subject: News of the month",
            "Date: Thu, 01 Jan 2026 09:00:00 +0900",
            "Message-ID: <case.1@registrar.example>",
            "MIME-Version: 1.0",
        ];
        let name = |field: &[u8]| field.split(|b| *b == b':').next().unwrap_or_default().to_ascii_lowercase();
        let is_replaced = |field: &str| self.headers.iter().any(|header| name(header) == name(field.as_bytes()));
        let kept = carrier.iter().filter(|field| !is_replaced(field)).map(|field| field.as_bytes());
        for field in kept.chain(self.headers.iter().map(Vec::as_slice)) {
            out.extend([field, b"\r\n"].concat());
        }
        out.extend(b"Content-Type: multipart/mixed; boundary=\"=_case\"\r\n\r\n");
        let head = |kind: &str| format!("text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        let own = format!("{}Your ID: {id}\r\n{address}\r\n\r\n", head("plain"));
        let mut parts = vec![[own.as_bytes(), &self.text, b"\r\n"].concat()];
        if !self.html.is_empty() {
            parts.push([head("html").as_bytes(), b"<html><body>", &self.html, b"</body></html>\r\n"].concat());
        }
        for part in parts.iter().chain(&self.parts) {
            out.extend([b"--=_case\r\nContent-Type: ".as_slice(), part, b"\r\n"].concat());
        }
        out.extend(b"--=_case--\r\n");
        out
    }

    /// Adds what a key says. `None` for an unknown key.
    fn add(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let bytes = undone(value)?;
        match key {
            "raw" => self.raw = Some(bytes),
            "header" => self.headers.push(bytes),
            "subject" => {
                let text = String::from_utf8_lossy(&bytes);
                let word = format!("=?utf-8?B?{}?=", STANDARD.encode(&bytes));
                self.headers.push(format!("Subject: {}", if text.is_ascii() { &text } else { &*word }).into_bytes());
            }
            "text" => self.text = bytes,
            "html" => self.html = bytes,
            "part" => self.parts.push(bytes),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Undoes `\xHH`, and calls functions: `$(base64 48201937)`.
fn undone(value: &str) -> Result<Vec<u8>, String> {
    let (mut out, mut rest) = (Vec::new(), value);
    while let Some(at) = rest.find(['\\', '$']) {
        out.extend(rest[..at].bytes());
        rest = &rest[at..];
        let byte = rest.strip_prefix("\\x").and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        if let Some(byte) = byte {
            out.push(byte);
            rest = &rest[4..];
        } else if let Some(call) = rest.strip_prefix("$(") {
            let mut depth = 1;
            let end = call.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let end = end.ok_or("a function does not end")?;
            let (name, argument) = call[..end].split_once(' ').ok_or("a function without an argument")?;
            out.extend(called(name, argument)?);
            rest = &call[end + 1..];
        } else {
            out.extend(rest[..1].bytes());
            rest = &rest[1..];
        }
    }
    out.extend(rest.bytes());
    Ok(out)
}

fn called(name: &str, argument: &str) -> Result<Vec<u8>, String> {
    if let "bytes" | "word" = name {
        let (charset, text) = argument.split_once(' ').ok_or("a function without a text")?;
        let bytes = encoded(charset, &String::from_utf8_lossy(&undone(text)?))?;
        let word = || format!("=?{charset}?B?{}?=", STANDARD.encode(&bytes)).into_bytes();
        return Ok(if name == "word" { word() } else { bytes });
    }
    let bytes = undone(argument)?;
    let each = |write: fn(u8) -> String| bytes.iter().map(|b| write(*b)).collect::<String>().into_bytes();
    Ok(match name {
        "base64" => STANDARD.encode(&bytes).into_bytes(),
        "base64-bare" => STANDARD_NO_PAD.encode(&bytes).into_bytes(),
        "base64url" => URL_SAFE_NO_PAD.encode(&bytes).into_bytes(),
        "base32" => data_encoding::BASE32.encode(&bytes).into_bytes(),
        "hex" => each(|b| format!("{b:02x}")),
        "percent" => each(|b| format!("%{b:02X}")),
        "qp" => each(|b| format!("={b:02X}")),
        "gzip" => {
            let mut gzip = flate2::read::GzEncoder::new(bytes.as_slice(), flate2::Compression::best());
            let mut out = Vec::new();
            std::io::Read::read_to_end(&mut gzip, &mut out).map_err(|e| e.to_string())?;
            out
        }
        _ => return Err(format!("unknown function {name:?}")),
    })
}

fn encoded(charset: &str, text: &str) -> Result<Vec<u8>, String> {
    match charset {
        "utf-16le" => return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf-16be" => return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        _ => {}
    }
    let encoding =
        encoding_rs::Encoding::for_label(charset.as_bytes()).ok_or_else(|| format!("unknown charset {charset:?}"))?;
    let (bytes, _, is_lost) = encoding.encode(text);
    if is_lost { Err(format!("{charset} does not have all of {text:?}")) } else { Ok(bytes.into_owned()) }
}

/// Reads a file. An error begins with the line's number.
fn read(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for block in blocks(text)? {
        let Some(first) = block.first() else { continue };
        if matches!(first.key.as_str(), "directory" | "pattern") {
            sections.push(Section { world: directory(&block)?, cases: Vec::new() });
            continue;
        }
        let section = sections.last_mut().ok_or_else(|| format!("{}: no directory stands before it", first.line))?;
        let cases = cases(&block, section)?;
        section.cases.extend(cases);
    }
    let is_empty = sections.iter().any(|section| section.cases.is_empty()) || sections.is_empty();
    if is_empty { Err(" it has no cases, or a directory in it has none".into()) } else { Ok(sections) }
}

/// The entries between `---` lines.
fn blocks(text: &str) -> Result<Vec<Vec<Entry>>, String> {
    let mut blocks: Vec<Vec<Entry>> = vec![Vec::new()];
    for (n, line) in text.lines().enumerate() {
        let block = blocks.last_mut().ok_or("0: nothing")?;
        if line.starts_with("---") {
            blocks.push(Vec::new());
        } else if let Some(more) = line.strip_prefix('|') {
            let entry = block.last_mut().ok_or_else(|| format!("{}: it continues nothing", n + 1))?;
            if !entry.value.is_empty() {
                entry.value.push_str("\r\n");
            }
            entry.value.push_str(more.strip_prefix(' ').unwrap_or(more));
        } else if !line.is_empty() && !line.starts_with('#') {
            let (key, value) =
                line.split_once(':').ok_or_else(|| format!("{}: neither a key nor a continued line", n + 1))?;
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            block.push(Entry { line: n + 1, key: key.to_owned(), value });
        }
    }
    Ok(blocks)
}

fn directory(block: &[Entry]) -> Result<World, String> {
    let (mut pattern, mut country) = (None, "US".to_owned());
    let mut rows: Vec<[String; 8]> = Vec::new();
    for entry in block {
        let fail = |why: &str| format!("{}: {why}", entry.line);
        match entry.key.as_str() {
            "directory" => {
                let named = DIRECTORIES.iter().find(|directory| directory.name == entry.value);
                return Ok(named.ok_or_else(|| fail("unknown directory"))?.world());
            }
            "pattern" => pattern = Some(entry.value.clone()),
            "country" => country.clone_from(&entry.value),
            "account" => {
                let cells: Vec<String> = entry.value.split('|').map(|cell| cell.trim().to_owned()).collect();
                let [id, address, name, company, domains, phone] =
                    <[String; 6]>::try_from(cells).map_err(|_| fail("an account has six cells"))?;
                rows.push([id, address, String::new(), domains, phone, name, company, String::new()]);
            }
            "range" => {
                let range = entry.value.split_once(" x ").and_then(|(first, count)| {
                    let letters = first.trim_end_matches(|c: char| c.is_ascii_digit()).len();
                    let (head, number) = first.split_at(letters);
                    Some((head, number.len(), number.parse::<u64>().ok()?, count.parse::<u64>().ok()?))
                });
                let (head, width, first, count) = range.ok_or_else(|| fail("expected FIRST x COUNT"))?;
                for id in (first..first + count).map(|number| format!("{head}{number:0width$}")) {
                    let host = format!("filler-{}.example", id.to_lowercase());
                    let mut row: [String; 8] = std::array::from_fn(|_| String::new());
                    (row[1], row[3], row[0]) = (format!("x@{host}"), host, id);
                    rows.push(row);
                }
            }
            key => return Err(fail(&format!("unknown key {key:?}"))),
        }
    }
    let pattern = pattern.ok_or_else(|| format!("{}: no pattern", block[0].line))?;
    let shape = Shape { pattern: pattern.leak(), country: country.leak() };
    Ok(World::of_shape(&shape, &rows))
}

/// The messages of a block.
fn cases(block: &[Entry], section: &Section) -> Result<Vec<Case>, String> {
    let (mut cases, mut account, mut cleared_for, mut held) = (Vec::<Case>::new(), None, None, None);
    let mut last = 0;
    for entry in block {
        let fail = |why: String| format!("{}: {why}", entry.line);
        match entry.key.as_str() {
            key @ ("for" | "cleared for") => {
                section.account(&entry.value).ok_or_else(|| fail("unknown account".into()))?;
                *if key == "for" { &mut account } else { &mut cleared_for } = Some(entry.value.clone());
            }
            "expect" => {
                held = Some(expected(&entry.value).map_err(fail)?);
                last = entry.line;
            }
            key => {
                let held = held.clone().ok_or_else(|| fail("no verdict stands before it".into()))?;
                let mut form = Form::default();
                let with = key.strip_prefix("with ");
                let form = match (with, cases.last_mut()) {
                    (Some(_), Some(case)) => &mut case.form,
                    (Some(_), None) => return Err(fail("no message stands before it".into())),
                    (None, _) => &mut form,
                };
                if !form.add(with.unwrap_or(key), &entry.value).map_err(fail)? {
                    return Err(fail(format!("unknown key {key:?}")));
                }
                if with.is_none() {
                    let (account, cleared_for, form) = (account.clone(), cleared_for.clone(), form.clone());
                    cases.push(Case { line: entry.line, account, held, cleared_for, form });
                }
                last = 0;
            }
        }
    }
    if last > 0 { Err(format!("{last}: no message follows it")) } else { Ok(cases) }
}

fn expected(value: &str) -> Result<Vec<Held>, String> {
    if value == "cleared" {
        return Ok(Vec::new());
    }
    let held = |one: &str| {
        let words = one.trim().strip_prefix("held ").ok_or("unknown verdict")?;
        let (words, place) = words.split_once(" in ").map_or((words, None), |(a, b)| (a, Some(b.to_owned())));
        let mut words = words.split(' ').map(str::to_owned);
        let rule = words.next().unwrap_or_default();
        let known = ["envelope", "foreign", "unexplained", "salutation", "missing", "link-token", "secret"];
        if !known.contains(&&*rule) && !["unreadable", "empty"].contains(&&*rule) {
            return Err(format!("unknown rule {rule:?}"));
        }
        Ok(Held { rule, kind: words.next(), owner: words.next(), place })
    };
    value.split(" or ").map(held).collect()
}
