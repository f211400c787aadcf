//! Messages made to cost: larger, deeper and more repetitive than any mailer's.
//! Each is judged in bounded time and memory, and held where it is beyond the
//! limits. None ends in a crash.

use std::time::Duration;

use kakitome::address::Address;
use kakitome::guard::{Candidate, Rule, Verdict};

use super::world::{World, terms};

/// What one message may take of a processor, whatever else the machine does.
const TIME_MAX: Duration = Duration::from_secs(20);
/// What all of them may add to the most memory that the process ever had.
const MEMORY_KB_MAX: u64 = 3_000_000;

const MEGABYTE: usize = 1 << 20;

/// How long this thread was on a processor: proc(5), `schedstat`, in nanoseconds.
fn on_processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn judge(world: &World, name: &str, bytes: &[u8]) -> Verdict {
    let record = &world.records[0];
    let terms = terms();
    let judge = world.guard.judge(&terms).unwrap();
    let sender = Address::parse("bounce@registrar.example").unwrap();
    let recipients = std::slice::from_ref(&record.address);
    let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes };
    let started = on_processor();
    let verdict = judge.examine(candidate, Some(record));
    let took = on_processor() - started;
    assert!(took < TIME_MAX, "{name}: {took:?} for {} bytes", bytes.len());
    assert!(verdict.findings.len() <= 201, "{name}: {} findings", verdict.findings.len());
    println!("{name}: {} bytes, {took:?}, {} findings", bytes.len(), verdict.findings.len());
    verdict
}

/// A message of the first account whose header goes on, and a body.
fn message(world: &World, head: &str, body: &str) -> Vec<u8> {
    let to = world.records[0].address.as_str();
    format!(
        "From: News <news@registrar.example>\r\nTo: <{to}>\r\nSubject: x\r\n\
         Date: Thu, 01 Jan 2026 09:00:00 +0900\r\nMessage-ID: <k1@registrar.example>\r\n{head}\r\n{body}"
    )
    .into_bytes()
}

fn typed(kind: &str, encoding: &str) -> String {
    format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n")
}

/// The most memory that this process ever had.
fn memory_kb_max() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn nested(kind: &str, depth: usize) -> (String, String) {
    let head = |n: usize| match kind {
        "message/rfc822" => "Content-Type: message/rfc822\r\n".to_owned(),
        _ => format!("Content-Type: {kind}; boundary=b{n}z\r\n"),
    };
    let mut body = String::new();
    for n in 1..depth {
        let open = if kind == "message/rfc822" { String::new() } else { format!("--b{}z\r\n", n - 1) };
        body.push_str(&format!("{open}{}\r\n", head(n)));
    }
    (head(0), body + "40817299\r\n")
}

/// What is beyond the limits is not cleared, whatever it says.
#[test]
fn what_is_beyond_the_limits_is_unreadable() {
    let world = World::new();
    let before = memory_kb_max();
    let plain = typed("text/plain", "8bit");
    let parts = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n".repeat(10_000);
    let (multipart, multiparts) = nested("multipart/mixed", 1_000);
    let (inner, inners) = nested("message/rfc822", 1_000);
    for (name, head, body) in [
        ("50 MB of text", plain.as_str(), "いつもありがとうございます。\r\n".repeat(50 * MEGABYTE / 44)),
        (
            "50 MB in base64",
            &typed("text/plain", "base64"),
            format!("{}\r\n", "QUJD".repeat(19)).repeat(50 * MEGABYTE / 78),
        ),
        (
            "50 MB in QP",
            &typed("text/plain", "quoted-printable"),
            format!("{}\r\n", "=E3=81=82".repeat(8)).repeat(50 * MEGABYTE / 74),
        ),
        ("10,000 parts", "Content-Type: multipart/mixed; boundary=b\r\n", format!("{parts}--b--\r\n")),
        ("1,000 multiparts in one another", &multipart, multiparts),
        ("1,000 messages in one another", &inner, inners),
        ("1,000,000 header lines", &format!("{plain}{}", "X-A: b\r\n".repeat(1_000_000)), "x".to_owned()),
    ] {
        let verdict = judge(&world, name, &message(&world, head, &body));
        let unreadable = verdict.findings.iter().any(|finding| finding.rule == Rule::Unreadable);
        assert!(unreadable, "{name}: {:?}", verdict.findings.first());
    }
    if let (Some(before), Some(after)) = (before, memory_kb_max()) {
        println!("{} kB more", after - before);
        assert!(after - before < MEMORY_KB_MAX, "{} kB more", after - before);
    }
}

/// What is within the limits is read to its end: the value that stands there is found.
#[test]
fn what_is_within_the_limits_is_read_to_its_end() {
    let world = World::new();
    let end = "\r\n 40817299 \r\n";
    for (name, kind, encoding, unit, size) in [
        ("9 MB of text", "text/plain", "8bit", "いつもありがとうございます。\r\n", 9 * MEGABYTE),
        ("9 MB in QP", "text/plain", "quoted-printable", "=E3=81=82=\r\n", 9 * MEGABYTE),
        ("1,000,000 tags", "text/html", "8bit", "<b>", 3_000_000),
        ("1,000,000 tags with text", "text/html", "8bit", "<i>x", 4_000_000),
        ("100,000 links", "text/html", "8bit", "<a href='https://registrar.example/?a=b&c=d'>x</a>\r\n", 5_000_000),
        ("&", "text/html", "8bit", "&", MEGABYTE),
        ("&#", "text/html", "8bit", "&#", MEGABYTE),
        ("%", "text/html", "8bit", "%", MEGABYTE),
        ("%25", "text/plain", "8bit", "%25", MEGABYTE),
        ("=?", "text/plain", "8bit", "=?", MEGABYTE),
        ("=", "text/plain", "8bit", "=", MEGABYTE),
        ("IDs of nobody", "text/plain", "8bit", "55512345 ", 3 * MEGABYTE),
        ("IDs joined by dashes", "text/plain", "8bit", "55512345-", 3 * MEGABYTE),
        ("telephone numbers", "text/plain", "8bit", "03-5234-5678 ", 3 * MEGABYTE),
        ("addresses and hosts", "text/plain", "8bit", "a@b.test c.test ", 3 * MEGABYTE),
        ("one host", "text/plain", "8bit", "a.", 3 * MEGABYTE),
        ("honorifics", "text/plain", "8bit", "山様", 3 * MEGABYTE),
        ("honorifics alone", "text/plain", "8bit", "様", MEGABYTE),
        ("labels and pieces", "text/plain", "8bit", "No.\r\n12\r\n34\r\n", MEGABYTE / 2),
        ("labels and cells", "text/html", "8bit", "<td>ID</td><td>20</td><td>00</td>", MEGABYTE / 2),
        ("names", "text/plain", "8bit", "山田太郎丸佐々木花子", 3 * MEGABYTE),
        ("greetings", "text/plain", "8bit", "Dear Somebody Else,\r\n", 3 * MEGABYTE),
        ("placeholders", "text/plain", "8bit", "{{", 3 * MEGABYTE),
        ("zero-width spaces", "text/plain", "8bit", "\u{200b}", 3 * MEGABYTE),
        ("comments", "text/html", "8bit", "<!--<b>-->", 2 * MEGABYTE),
        ("open comments", "text/html", "8bit", "<!--", MEGABYTE),
        ("nested tables", "text/html", "8bit", "<table><tr><td>", 3 * MEGABYTE),
    ] {
        let body = format!("{}{end}", unit.repeat(size / unit.len()));
        let verdict = judge(&world, name, &message(&world, &typed(kind, encoding), &body));
        let found = |finding: &kakitome::guard::Finding| {
            finding.rule == Rule::Foreign && finding.owner.as_ref() == Some(&world.records[1].account)
                || matches!(finding.rule, Rule::Unreadable)
        };
        assert!(verdict.findings.iter().any(found), "{name}: {:?}", verdict.findings.last());
    }
}

/// The tokenizer goes deeper with each quoted attribute of one tag.
#[test]
fn a_tag_with_many_attributes_is_read_or_unreadable() {
    let world = World::new();
    for (name, tag, count) in
        [("attributes of a start tag", "<a ", 30_000), ("of an end tag", "</a ", 200_000), ("too many", "<a ", 600_000)]
    {
        let body = format!("{tag}{}title=\"40817299\">x<p title=\"40817299\">y</p>", "a=\"x\" ".repeat(count));
        let verdict = judge(&world, name, &message(&world, &typed("text/html", "8bit"), &body));
        let expected = if count > 500_000 { Rule::Unreadable } else { Rule::Foreign };
        assert!(verdict.findings.iter().any(|f| f.rule == expected), "{name}: {:?}", verdict.findings.first());
    }
}

/// In a header too.
#[test]
fn a_header_field_as_long_as_a_message_is_read() {
    let world = World::new();
    let lines = format!("X-A: b\r\n{} 40817299\r\n{}", " c\r\n".repeat(1_000_000), typed("text/plain", "8bit"));
    let verdict = judge(&world, "1,000,000 lines of one field", &message(&world, &lines, "x"));
    assert!(verdict.findings.iter().any(|f| f.rule == Rule::Foreign), "{:?}", verdict.findings.first());
    for unit in ["&", "%", "=?", "=?utf-8?Q?=41?= ", "=?utf-8?B?", "あ.", "\"", "(", "<", "a@b.test, "] {
        let field = format!("X-A: {} 40817299\r\n{}", unit.repeat(MEGABYTE / unit.len()), typed("text/plain", "8bit"));
        let verdict = judge(&world, unit, &message(&world, &field, "x"));
        assert!(verdict.findings.iter().any(|f| matches!(f.rule, Rule::Foreign | Rule::Unreadable)), "{unit}");
    }
}

/// A host may begin and end anywhere in a run of Japanese with dots: there is no
/// trying all of a megabyte of it.
#[test]
fn more_hosts_than_can_be_told_apart_are_unreadable() {
    let world = World::new();
    for unit in ["あ.", "あいうえお．", "a@あ.", "例え.テスト."] {
        let body = unit.repeat(3 * MEGABYTE / unit.len());
        let verdict = judge(&world, unit, &message(&world, &typed("text/plain", "8bit"), &body));
        assert!(verdict.findings.iter().any(|f| f.rule == Rule::Unreadable), "{unit}: {:?}", verdict.findings.first());
    }
    // A customer's thousand domains are no such run.
    let domains = "みどり木材.example、mail.みどり木材.example\r\n".repeat(1_000);
    let verdict =
        judge(&world, "domains", &message(&world, &typed("text/plain", "8bit"), &format!("お客様\r\n{domains}")));
    assert!(verdict.is_cleared(), "{:?}", verdict.findings);
}
