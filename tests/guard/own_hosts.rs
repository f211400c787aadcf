//! A customer may own a domain that looks like an ID, and even like another
//! customer's: it is not held for its own name, and is for the number elsewhere.

use kakitome::account::Kind;
use kakitome::guard::Rule;

use super::letter::Letter;
use super::world::World;

/// The first account's domains and address have the second's ID in them, and its
/// telephone number, and a number that is nobody's.
fn world() -> World {
    let rows = [
        [
            "40817263",
            "40817299@55512345.example",
            "55512346@mailbox.test",
            "55512345.example;40817299.test;shop-40817299.example;0332345678.example;木材40817299.example",
            "",
            "",
            "",
            "",
        ],
        ["40817299", "hanako@aozora-print.example", "", "aozora-print.example", "03-3234-5678", "", "", ""],
    ];
    World::of(&rows.map(|row| row.map(str::to_owned)))
}

/// Places for what the account owns.
const OWN: [&str; 14] = [
    "ドメイン 55512345.example と 40817299.test の更新",
    "契約中の40817299.testと木材40817299.exampleについて",
    "SHOP-４０８１７２９９．example",
    "www.40817299.test. mail.55512345.example:8080",
    "https://40817299.test/",
    "https://www.shop-40817299.example/index.html?page=2",
    "https://registrar.example/whois?q=40817299.test",
    "https://registrar.example/domains/40817299.test/renew",
    "40817299@55512345.example",
    "<40817299@55512345.example>, postmaster@40817299.test",
    "宛先は55512346@mailbox.test です",
    "mailto:40817299@55512345.example?subject=40817299.test",
    "0332345678.example",
    "report for 40817299.test.pdf",
];

/// Places in which the number is not a part of an own name.
const ELSEWHERE: [&str; 12] = [
    "40817299",
    "40817299.test 40817299",
    "https://40817299.test/u/40817299",
    "https://55512345.example/?id=40817299",
    "https://55512345.example/#40817299",
    "https://40817299@55512345.example/",
    "https://40817299.www.55512345.example/",
    "40817299.shop-40817299.example",
    "40817299.www.55512345.example",
    "https://registrar.example/55512345.example/40817299",
    "https://55512345.example/?q=NDA4MTcyOTk",
    "40817299-55512345.example.com 40817299",
];

fn put(letter: &mut Letter, place: &str) {
    letter.text.push_str(&format!("\r\n{place}\r\n"));
    let text = place.replace('&', "&amp;").replace('<', "&lt;");
    letter.html.push_str(&format!("<p title=\"{text}\">{text}</p>"));
    if place.is_ascii() && !place.contains(' ') {
        letter.html.push_str(&format!("<a href=\"{text}\">x</a>"));
    }
}

#[test]
fn an_own_domain_that_looks_like_an_id_is_cleared() {
    let world = world();
    world.clears_all(OWN.iter().map(|place| (0, *place)), put);
}

#[test]
fn the_same_number_elsewhere_is_held() {
    let world = world();
    for place in ELSEWHERE {
        let mut letter = Letter::new(&world, 0);
        put(&mut letter, place);
        let verdict = world.judge(0, &letter.bytes());
        let owner = Some(&world.records[1].account);
        let is_id = |f: &kakitome::guard::Finding| {
            f.rule == Rule::Foreign && f.kind == Some(Kind::Id) && f.owner.as_ref() == owner
        };
        assert!(verdict.findings.iter().any(is_id), "{place}: {:?}", verdict.findings);
    }
}

/// To anybody else the domain is the first account's.
#[test]
fn another_accounts_domain_that_looks_like_ones_own_id_is_held() {
    let world = world();
    let mut letter = Letter::new(&world, 1);
    put(&mut letter, "40817299.test");
    let verdict = world.judge(1, &letter.bytes());
    let found = |f: &kakitome::guard::Finding| f.rule == Rule::Foreign && f.kind == Some(Kind::Domain);
    assert!(verdict.findings.iter().any(found), "{:?}", verdict.findings);
}
