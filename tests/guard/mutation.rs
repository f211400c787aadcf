//! Every rule and every view, each with a message that is held because of it
//! alone: the message is found by that rule, at that place, and with the rule or
//! the view switched off it is cleared. So no row can pass by another's merit.

use std::collections::BTreeSet;

use kakitome::address::Address;
use kakitome::guard::{Ablation, Candidate, Judge, Rule, Terms};
use kakitome::key::{Link, Purpose};

use super::letter::{Letter, base64_lines, part, word};
use super::world::{World, terms};

type Change = fn(&World, &mut Letter);

/// What is nobody's: found where a value must be explained.
const NOBODYS: &str = "55512345";

fn text(letter: &mut Letter, line: &str) {
    letter.text.push_str(&format!("\r\n{line}\r\n"));
}

fn push(letter: &mut Letter, kind: &str, body: &str) {
    letter.parts.push(part(kind, "8bit", body));
}

fn href(letter: &mut Letter, url: &str) {
    letter.html.push_str(&format!("<a href=\"{url}\">x</a>"));
}

fn nested(letter: &mut Letter, preamble: &str, epilogue: &str) {
    letter.parts.push(format!(
        "Content-Type: multipart/related; boundary=\"=in=\"\r\n\r\n{preamble}\r\n--=in=\r\n{}\r\n--=in=--\r\n{epilogue}",
        part("text/plain", "8bit", "x")
    ));
}

/// Each rule, and a message that it alone holds.
const RULES: [(Rule, Change); 9] = [
    (Rule::Envelope, |_, l| l.header("Cc", "x@registrar.example")),
    (Rule::Foreign, |_, l| text(l, "海辺カフェ合同会社のお知らせ")),
    (Rule::Unexplained, |_, l| text(l, NOBODYS)),
    (Rule::Salutation, |_, l| text(l, "Dear Mr. Somebody Else,")),
    (Rule::Missing, |_, l| l.text = "お客様\r\n\r\nお知らせです。\r\n".into()),
    (Rule::LinkToken, |w, l| {
        let account = w.records[1].account.clone();
        text(l, &w.keys.link(&Link { purpose: Purpose::View, campaign: 7, account }));
    }),
    (Rule::Secret, |_, l| text(l, "ログイン用: Xk4-Plumtree9")),
    (Rule::Unreadable, |_, l| push(l, "application/pkcs7-mime", "x")),
    (Rule::Empty, |_, l| text(l, "{{ name }} を更新")),
];

/// One view: its name, every place where the value is found (most have one), and
/// the message.
struct Row {
    view: &'static str,
    rule: Rule,
    places: &'static [&'static str],
    put: Change,
}

macro_rules! rows {
    ($($view:literal, $rule:ident, [$($place:literal),+], $put:expr;)*) => {
        &[$(Row { view: $view, rule: Rule::$rule, places: &[$($place),+], put: $put }),*]
    };
}

/// Values of nobody (`55512345`, `nobodys-customer.test`) where a value must be
/// explained; account 1's (`40817299`) in views that only another account's count
/// in.
const VIEWS: &[Row] = rows! {
    "subject", Unexplained, ["header Subject"], |_, l| l.header("Subject", &word(NOBODYS));
    "display name", Unexplained, ["header From display name"], |_, l| l.header("From", "\"555\\12345\" <news@registrar.example>");
    "display name of a reply", Unexplained, ["header Reply-To display name"], |_, l| l.header("Reply-To", "\"555\\12345\" <news@registrar.example>");
    "known field", Unexplained, ["header Feedback-ID"], |_, l| l.header("Feedback-ID", NOBODYS);
    "any other field", Unexplained, ["header field X-Customer"], |_, l| l.header("X-Customer", NOBODYS);
    "URL in a field", Foreign, ["header List-Help, link 1, query q, base64"], |_, l| l.header("List-Help", "<https://registrar.example/?q=NDA4MTcyOTk>");
    "Message-ID", Unexplained, ["header Message-ID"], |_, l| l.header("Message-ID", "<55512345@registrar.example>");
    "part's field", Unexplained, ["text/plain header Content-ID"], |_, l| l.parts.push(format!("Content-ID: <55512345@registrar.example>\r\n{}", part("text/plain", "8bit", "x")));
    "file name", Unexplained, ["text/plain header file name in Content-Type"], |_, l| push(l, "text/plain; name*0=\"5551\"; name*1=\"2345.txt\"", "x");
    "file name of a disposition", Unexplained, ["text/plain header file name in Content-Disposition"], |_, l| l.parts.push(format!("Content-Disposition: attachment; filename*0=\"5551\"; filename*1=\"2345.txt\"\r\n{}", part("text/plain", "8bit", "x")));
    "parameter", Unexplained, ["text/plain header Content-Type parameter x-ref"], |_, l| push(l, "text/plain; x-ref*0=\"5551\"; x-ref*1=\"2345\"", "x");
    "boundary", Unexplained, ["multipart/related header Content-Type", "multipart/related header Content-Type parameter boundary"], |_, l| l.parts.push(format!("Content-Type: multipart/related; boundary=\"55512345\"\r\n\r\n--55512345\r\n{}\r\n--55512345--", part("text/plain", "8bit", "x")));
    "preamble", Unexplained, ["multipart/related, preamble"], |_, l| nested(l, NOBODYS, "");
    "epilogue", Unexplained, ["multipart/related, epilogue"], |_, l| nested(l, "", NOBODYS);
    "plain text", Unexplained, ["text/plain, text"], |_, l| text(l, NOBODYS);
    "plain text in base64", Unexplained, ["text/plain (2), text"], |_, l| l.parts.push(part("text/plain", "base64", &base64_lines(NOBODYS)));
    "URL in plain text", Foreign, ["text/plain, link 2, query q, base64"], |_, l| text(l, "https://registrar.example/?q=NDA4MTcyOTk");
    "HTML text", Unexplained, ["text/html, text"], |_, l| l.html.push_str("<p>55512345</p>");
    "hidden element", Unexplained, ["text/html, text"], |_, l| l.html.push_str("<div style=\"display:none\">55512345</div>");
    "HTML text cut at tags", Foreign, ["text/html, text cut at tags"], |_, l| l.html.push_str("<p>12<b>4081<!-- x -->7299</b>34</p>");
    "HTML text of boxes", Foreign, ["text/html, text of boxes"], |_, l| l.html.push_str(&boxes("aozora-print.example"));
    "HTML source", Foreign, ["text/html, source"], |_, l| l.html.push_str("<!DOCTYPE html SYSTEM \"aozora-print.example\">");
    "comment", Unexplained, ["text/html, comment 1"], |_, l| l.html.push_str("<!-- 55512345 -->");
    "conditional comment", Salutation, ["text/html comment 1, text"], |_, l| l.html.push_str("<!--[if mso]><p>Dear Mr. Somebody Else,</p><![endif]-->");
    "style sheet", Unexplained, ["text/html, style sheet"], |_, l| l.html.push_str("<style>p:after{content:\"nobodys-customer.test\"}</style>");
    "style attribute", Unexplained, ["text/html, attribute style"], |_, l| l.html.push_str("<p style=\"font-family:'nobodys-customer.test'\">x</p>");
    "script", Unexplained, ["text/html, script"], |_, l| l.html.push_str("<script type=\"application/ld+json\">{\"id\":\"55512345\"}</script>");
    "noscript", Unexplained, ["text/html noscript, attribute title"], |_, l| l.html.push_str("<noscript><p title=\"5551&ZeroWidthSpace;2345\">x</p></noscript>");
    "attribute that is shown", Unexplained, ["text/html, attribute alt"], |_, l| l.html.push_str("<img alt=\"55512345\">");
    "attribute", Unexplained, ["text/html, attribute data-id"], |_, l| l.html.push_str("<p data-id=\"55512345\">x</p>");
    "attribute in base64", Foreign, ["text/html, attribute data-id, base64"], |_, l| l.html.push_str("<p data-id=\"NDA4MTcyOTk=\">x</p>");
    "refresh", Unexplained, ["text/html, attribute content, path"], |_, l| l.html.push_str("<meta http-equiv=refresh content=\"0; url=/c/5551%32345\">");
    "URL user", Unexplained, ["text/html, link 2, user"], |_, l| href(l, "https://55512345@registrar.example/");
    "URL host", Unexplained, ["text/html, link 2, host"], |_, l| href(l, "https://nobodys-customer.test/");
    "URL path", Unexplained, ["text/html, link 2, path"], |_, l| href(l, "https://registrar.example/c/55512345/x");
    "URL query", Unexplained, ["text/html, link 2, query q"], |_, l| href(l, "https://registrar.example/?q=55512345");
    "URL query, percent-encoded", Unexplained, ["text/html, link 2, query q"], |_, l| href(l, "https://registrar.example/?q=5551%2532345");
    "URL fragment", Unexplained, ["text/html, link 2, query "], |_, l| href(l, "https://registrar.example/#55512345");
    "URL inside a URL", Unexplained, ["text/html, link 2, query u", "text/html, link 2, query u, query q"], |_, l| href(l, "https://registrar.example/?u=https%3A%2F%2Fregistrar.example%2F%3Fq%3D5551%252532345");
    "base64 in a path", Foreign, ["text/html, link 2, path, base64"], |_, l| href(l, "https://registrar.example/c/NDA4MTcyOTk/x");
    "base64 in a query", Foreign, ["text/html, link 2, query q, base64"], |_, l| href(l, "https://registrar.example/?q=NDA4MTcyOTk");
    "hex in a query", Foreign, ["text/html, link 2, query q, hex"], |_, l| href(l, "https://registrar.example/?q=3430383137323939");
    "data: URL", Unexplained, ["text/html, link 2"], |_, l| href(l, "data:text/plain;base64,NTU1MTIzNDU=");
    "javascript: URL", Unexplained, ["text/html, link 2"], |_, l| href(l, "javascript:open('55512345')");
    "mailto: URL", Unexplained, ["text/html, link 2, query subject"], |_, l| href(l, "mailto:help@registrar.example?subject=55512345");
    "image", Unexplained, ["text/html, resource 1, path"], |_, l| l.html.push_str("<img src=\"https://registrar.example/i/55512345.png\">");
    "image of a style", Unexplained, ["text/html, resource 1, path"], |_, l| l.html.push_str("<p style=\"background:url(/i/5551%32345.png)\">x</p>");
    "csv attachment", Unexplained, ["text/csv, text"], |_, l| push(l, "text/csv", "a,b\r\nx,55512345");
    "ics attachment", Unexplained, ["text/calendar, text"], |_, l| push(l, "text/calendar", "BEGIN:VCALENDAR\r\nSUMMARY:5551\r\n 2345\r\nEND:VCALENDAR");
    "vcf attachment", Unexplained, ["text/vcard, text"], |_, l| push(l, "text/vcard", "BEGIN:VCARD\r\nNOTE:5551\r\n 2345\r\nEND:VCARD");
    "json attachment", Unexplained, ["application/json, text"], |_, l| push(l, "application/json", "{\"id\":\"\\u00355512345\"}");
    "xml attachment", Unexplained, ["text/xml, text"], |_, l| push(l, "text/xml", "<a><id>55512345</id></a>");
    "inner message's text", Unexplained, ["message/rfc822 > text/plain, text"], |_, l| l.parts.push("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n55512345".into());
    "inner message's header", Unexplained, ["message/rfc822 header Subject"], |_, l| l.parts.push("Content-Type: message/rfc822\r\n\r\nSubject: 55512345\r\n\r\nx".into());
};

fn found(judge: &Judge<'_>, world: &World, letter: &Letter) -> BTreeSet<(Rule, String)> {
    let record = &world.records[0];
    let sender = Address::parse("bounce@registrar.example").unwrap();
    let recipients = std::slice::from_ref(&record.address);
    let bytes = letter.bytes();
    let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes: &bytes };
    let findings = judge.examine_whole(candidate, Some(record)).findings;
    findings.into_iter().map(|finding| (finding.rule, finding.place)).collect()
}

fn letter(world: &World, change: Change) -> Letter {
    let mut letter = Letter::new(world, 0);
    change(world, &mut letter);
    letter
}

#[test]
fn every_rule_is_needed() {
    let world = World::new();
    let terms = Terms { must_show: vec!["id".into()], ..terms() };
    let mut rules = BTreeSet::new();
    for (rule, change) in RULES {
        rules.insert(rule);
        let letter = letter(&world, change);
        let judge = world.guard.judge(&terms).unwrap();
        let said = found(&judge, &world, &letter);
        assert!(!said.is_empty() && said.iter().all(|(said, _)| *said == rule), "{rule:?}: {said:?}");
        let judge = judge.without(Ablation::without_rules(&[rule]));
        assert_eq!(found(&judge, &world, &letter), BTreeSet::new(), "{rule:?} switched off");
    }
    assert_eq!(rules, BTreeSet::from(Rule::ALL), "each rule has its message");
}

#[test]
fn every_view_is_needed() {
    let world = World::new();
    let mut faults = Vec::new();
    for Row { view, rule, places, put } in VIEWS {
        let letter = letter(&world, *put);
        let judge = || world.guard.judge(&terms()).unwrap();
        let said = found(&judge(), &world, &letter);
        let expected: BTreeSet<(Rule, String)> = places.iter().map(|place| (*rule, (*place).to_owned())).collect();
        if said != expected {
            faults.push(format!("{view}: {said:?} instead of {expected:?}"));
            continue;
        }
        // Each place sees it by itself, and without them all nothing does.
        for alone in places.iter() {
            let others: Vec<&str> = places.iter().filter(|place| *place != alone).copied().collect();
            let blind = Ablation::without_views(move |view| others.contains(&view.place.to_string().as_str()));
            let said = found(&judge().without(blind), &world, &letter);
            if said != BTreeSet::from([(*rule, (*alone).to_owned())]) {
                faults.push(format!("{view}: {alone} alone says {said:?}"));
            }
        }
        let blind = Ablation::without_views(|view| places.contains(&view.place.to_string().as_str()));
        let said = found(&judge().without(blind), &world, &letter);
        if !said.is_empty() {
            faults.push(format!("{view}: without {places:?} there is {said:?}"));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// A letter with nothing added is cleared, so that each row's change is what is held.
#[test]
fn a_letter_as_it_is_holds_nothing() {
    let world = World::new();
    let judge = world.guard.judge(&Terms { must_show: vec!["id".into()], ..terms() }).unwrap();
    assert_eq!(found(&judge, &world, &Letter::new(&world, 0)), BTreeSet::new());
}

/// A cell for each character.
fn boxes(text: &str) -> String {
    let cells: String = text.chars().map(|c| format!("<td>{c}</td>")).collect();
    format!("<table><tr>{cells}</tr></table>")
}
