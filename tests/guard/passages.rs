//! Judging by passages clears nothing that reading the whole message holds: the
//! two are compared on messages made of own and foreign values, cut wherever a
//! message can be cut, with one judge whose memory fills as it goes.

use std::cell::Cell;

use kakitome::address::Address;
use kakitome::guard::{Candidate, Judge};
use proptest::prelude::*;

use super::letter::Letter;
use super::world::{CAMPAIGN, World, terms, told};

/// What may stand between two pieces of a text.
const CUTS: [&str; 25] = [
    "",
    " ",
    "\r\n",
    "\r\n\r\n",
    "　",
    "<br>",
    "</td><td>",
    "</td>\r\n  <td class=\"a\">",
    "</tr><tr>",
    "<b>",
    "</b>",
    "</p>\r\n<p>",
    "&nbsp;",
    "<style>a{}</style>",
    "<wbr>",
    "<!-- -->",
    "<pre>",
    "</pre>\r\n",
    "<table><tr><th>会員番号</th><th>氏名</th></tr>\r\n<tr><td>",
    "<!-- a > b -->",
    "&shy;",
    "\u{200b}",
    "<title>",
    "</title>",
    "<i title=\"",
];
/// So many of the first are in every newsletter.
const PLAIN_CUTS: usize = 19;

/// Text around the values.
const PROSE: [&str; 31] = [
    "会員番号:",
    "氏名:",
    "【お名前】",
    "name=",
    "、",
    "お客様ID",
    "member no.",
    "いつもご利用いただき、ありがとうございます。",
    "Thank you for being with us.",
    "御中",
    "Dear ",
    "2026-12-31",
    "1,200円",
    "node.js",
    "https://registrar.example/a?b=",
    "（さとう）",
    "@ IN SOA ns1.registrar.example.",
    "様",
    "さん",
    "先着10,000名",
    "当主の例屋",
    "\">",
    "\\u9234",
    "（すずき）",
    "(さとう",
    "=?UTF-8?B?6Yi05pyo?=",
    "=E9=88=B4",
    "%u9234",
    "%20",
    "&amp;",
    "a < b",
];
/// Likewise.
const PLAIN_PROSE: usize = 21;

/// A text: pieces of prose and of values, and what stands between.
fn text(world: &World, account: usize, other: usize, seeds: &[(u8, u8, u8)], is_odd: bool) -> String {
    let mut out = String::new();
    // What is odd once is read as a whole: most messages are not.
    let (cuts, prose) = if is_odd { (&CUTS[..], &PROSE[..]) } else { (&CUTS[..PLAIN_CUTS], &PROSE[..PLAIN_PROSE]) };
    for (what, which, cut) in seeds {
        let owner = if what % 4 == 3 { other } else { account };
        let values = world.identifiers(owner);
        match what % 4 {
            0 | 1 => out.push_str(prose[*which as usize % prose.len()]),
            _ => {
                // A value, whole or in two.
                let value = &values[*which as usize % values.len()].1;
                let count = value.chars().count();
                let at = *which as usize / values.len() % (count + 1);
                let (first, second): (String, String) =
                    (value.chars().take(at).collect(), value.chars().skip(at).collect());
                out.push_str(&first);
                out.push_str(cuts[(*cut as usize / cuts.len()) % cuts.len()]);
                out.push_str(&second);
            }
        }
        out.push_str(cuts[*cut as usize % cuts.len()]);
    }
    out
}

fn agree(judge: &Judge<'_>, world: &World, account: usize, bytes: &[u8]) -> Result<bool, TestCaseError> {
    let record = &world.records[account];
    let sender = Address::parse("bounce@registrar.example").expect("an address");
    let recipients = std::slice::from_ref(&record.address);
    let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes };
    let whole = judge.examine_whole(candidate, Some(record));
    // New, seen again, and remembered.
    for _ in 0..3 {
        let verdict = judge.examine(candidate, Some(record));
        prop_assert_eq!(told(&verdict), told(&whole), "{:?}\n{}", verdict.findings, String::from_utf8_lossy(bytes));
    }
    Ok(whole.is_cleared())
}

/// `KAKITOME_FUZZ_ROUNDS=N` tries N times as many.
#[test]
fn passages_and_the_whole_message_agree() {
    let rounds = std::env::var("KAKITOME_FUZZ_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    compare(&World::new(), 3_000 * rounds);
}

#[test]
fn they_agree_where_the_case_of_an_id_counts() {
    super::exact::worlds().for_each(|(world, _)| compare(&world, 2_000));
}

/// Judges random messages both ways.
fn compare(world: &World, cases: u32) {
    let terms = terms();
    let judge = world.guard.judge(&terms).expect("the terms are good");
    let seeds = || proptest::collection::vec(any::<(u8, u8, u8)>(), 1..12);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases, ..Default::default() });
    let (cleared, held) = (Cell::new(0), Cell::new(0));
    let accounts = world.records.len();
    let strategy = (0..accounts, 0..accounts, seeds(), seeds(), any::<bool>(), 0..4);
    let all = runner.run(&strategy, |(account, other, plain, html, foreign, odd)| {
        let other = if foreign { other } else { account };
        let mut letter = Letter::new(world, account);
        letter.text = format!("{}\r\n{}", text(world, account, other, &plain, odd == 0), letter.text);
        letter.html = format!("<p>{}</p>{}", text(world, account, other, &html, odd == 0), letter.html);
        let sort = if agree(&judge, world, account, &letter.bytes())? { &cleared } else { &held };
        sort.set(sort.get() + 1);
        Ok(())
    });
    all.unwrap_or_else(|e| panic!("{e}"));
    let (cleared, held) = (cleared.get(), held.get());
    assert!(cleared > 100 && held > 100, "{cleared} cleared, {held} held: too few of one sort prove nothing");
}

/// Found once by changing bytes: what the passages took for another thing than a reader.
#[test]
fn passages_and_the_whole_message_agree_on_odd_sources() {
    let world = World::new();
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    let link = world.link(&world.records[0].account);
    let odd = [
        // A control character is no tag.
        "<p>midori.as&#1;grove</p>".to_owned(),
        "<p>aozora-print.example&#1;x</p>".to_owned(),
        // A token goes on behind a line end in a URL, and behind an entity.
        format!("<a href=\"{link}\r\n40817299\">x</a>"),
        format!("<a href=\"{link}&#97;\">x</a>"),
        "<p>いつもの花子<br>&shy;様</p>".to_owned(),
        // Digits in two groups, and a line end that is a space to the reader only.
        "<p>408 17299\r\n2026-12-31</title></p>".to_owned(),
        "<p>408 17299\r\n2026-12-31</p>".to_owned(),
    ];
    for html in odd {
        let mut letter = Letter::new(&world, 0);
        letter.html.push_str(&html);
        let is_cleared = agree(&judge, &world, 0, &letter.bytes()).unwrap_or_else(|e| panic!("{html}: {e}"));
        assert!(!is_cleared, "{html}");
    }
}

/// Found once by chance: a piece of one's own number is nobody's.
#[test]
fn a_piece_of_ones_own_number_is_explained_by_the_line_above() {
    let world = World::new();
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    let mut letter = Letter::new(&world, 4);
    letter.html = format!("<p>06<br>-6234-5678</p>{}", letter.html);
    assert!(agree(&judge, &world, 4, &letter.bytes()).unwrap_or_else(|e| panic!("{e}")));
}

/// A message's own Message-ID is one random word for everybody; what stands beside it is not.
#[test]
fn an_own_message_id_hides_nothing() {
    let world = World::new();
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    let id = |account: usize| world.keys.message_id(CAMPAIGN, 1, &world.records[account].account);
    for (value, clean) in [
        (format!("<{}@registrar.example>", id(0)), true),
        (format!("<{}.40817299@registrar.example>", id(0)), false),
        (format!("<40817299-{}@registrar.example>", id(0)), false),
        (format!("<{}@aozora-print.example>", id(0)), false),
        (format!("<{}@registrar.example> 佐々木 花子", id(0)), false),
    ] {
        let mut letter = Letter::new(&world, 0);
        letter.header("Message-ID", &value);
        let is_cleared = agree(&judge, &world, 0, &letter.bytes()).unwrap_or_else(|e| panic!("{value}: {e}"));
        assert_eq!(is_cleared, clean, "{value}");
    }
}

/// An own telephone number is judged once, and not again with each label before it: what
/// its neighbours make of it is seen all the same.
#[test]
fn an_own_telephone_number_hides_nothing() {
    let world = World::new();
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    for (text, clean) in [
        ("電話: 090-1234-5678\r\n", true),
        ("電話: 090-1234-5678\r\nお変わりがあるときは\r\n", true),
        ("電話: 090-1234-5678\r\n03-3234-5678\r\n", false),
        ("電話: 090-1234-5678\r\n会員番号: 40817299\r\n", false),
        ("会員番号 4081 090-1234-5678\r\n", true),
        ("担当: 佐々木花子 090-1234-5678\r\n", false),
        ("電話: 090-1234-5678\r\n4081\r\n7299\r\n", false),
    ] {
        let mut letter = Letter::new(&world, 0);
        letter.text = format!("{text}{}", letter.text);
        let is_cleared = agree(&judge, &world, 0, &letter.bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(is_cleared, clean, "{text}");
    }
}
