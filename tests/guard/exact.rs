//! IDs whose case counts: an ID written as another's is that account's, one's own is one's
//! own, and what software folded is told by who may be meant.

use kakitome::account::Kind;
use kakitome::guard::calibrate::{Sample, calibrate};
use kakitome::guard::{Rule, Terms};

use super::letter::{Letter, base64_lines, part, word};
use super::world::{Shape, World, terms};

/// What [`WORLDS`] says of one directory: its IDs' pattern and country, two IDs that differ by
/// case alone, and a third.
type Twins = (&'static str, &'static str, [&'static str; 3]);

const WORLDS: [Twins; 2] = [
    ("[A-Za-z]{2}[0-9]{4}", "JP", ["aB0012", "Ab0012", "qX7731"]),
    ("[A-Za-z][A-Za-z0-9]{6}", "US", ["kT4mQ9z", "KT4mq9Z", "pL2nV8c"]),
];

fn rows(ids: &[&str; 3]) -> Vec<[String; 8]> {
    let row = |(n, id): (usize, &&str)| {
        let domain = ["harbour-lights.example", "pinewood-tools.example", "maple-street.example"][n];
        let name = ["Harriet Lighthouse", "Peter Pinewood", "Mabel Maplestreet"][n];
        [*id, &format!("office@{domain}"), "", domain, "", name, "", ""].map(str::to_owned)
    };
    ids.iter().enumerate().map(row).collect()
}

/// Each directory, with its IDs.
pub fn worlds() -> impl Iterator<Item = (World, [&'static str; 3])> {
    WORLDS.iter().map(|(pattern, country, ids)| (World::of_exact(&Shape { pattern, country }, &rows(ids)), *ids))
}

type Put = fn(&mut Letter, &str);

/// Places that show a value as it is written.
const PLACES: [(&str, Put); 14] = [
    ("text", |l, v| l.text.insert_str(0, &format!("About {v} we write.\r\n"))),
    ("text in Japanese", |l, v| l.text.insert_str(0, &format!("会員番号は{v}です。Thank you\r\n"))),
    ("text, behind a label", |l, v| l.text.insert_str(0, &format!("ID: {v}\r\n"))),
    ("text, grouped", |l, v| l.text.insert_str(0, &format!("ID: {}-{}\r\n", &v[..2], &v[2..]))),
    ("HTML", |l, v| l.html.push_str(&format!("<p>Ünal, {v}</p>"))),
    ("HTML, cut by tags", |l, v| l.html.push_str(&format!("<p>ID: {}<b>{}</b></p>", &v[..3], &v[3..]))),
    ("HTML, two cells", |l, v| l.html.push_str(&format!("<td>ID</td><td>{}</td><td>{}</td>", &v[..2], &v[2..]))),
    ("full-width", |l, v| {
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
        l.text.insert_str(0, &format!("ID: {}\r\n", v.chars().map(wide).collect::<String>()));
    }),
    ("URL path", |l, v| l.html.push_str(&format!("<a href=\"https://registrar.example/m/{v}/view\">x</a>"))),
    ("URL query", |l, v| l.text.insert_str(0, &format!("https://registrar.example/m?u={v}&x=1\r\n"))),
    ("subject", |l, v| l.header("Subject", &word(&format!("News for {v}")))),
    ("header", |l, v| l.header("X-Reference", v)),
    ("CSV", |l, v| l.parts.push(part("text/csv", "base64", &base64_lines(format!("id,x\r\n{v},1\r\n"))))),
    ("comment", |l, v| l.html.push_str(&format!("<!-- {v} -->"))),
];

/// What is found of a value in a place, in a message to an account: whose it is.
fn found(world: &World, account: usize, put: Put, value: &str) -> Option<String> {
    let mut letter = Letter::new(world, account);
    put(&mut letter, value);
    let verdict = world.judge(account, &letter.bytes());
    let foreign = verdict.findings.iter().find(|finding| finding.rule == Rule::Foreign);
    assert_eq!(verdict.is_cleared(), foreign.is_none(), "{value}: {:?}", verdict.findings);
    foreign.map(|finding| finding.owner.as_ref().map_or_else(String::new, ToString::to_string))
}

/// A value with the case of each letter changed.
fn swapped(value: &str) -> String {
    let swap = |c: char| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
    value.chars().map(swap).collect()
}

#[test]
fn an_id_is_whose_it_is_written_as() {
    for (world, ids) in worlds() {
        for (name, put) in PLACES {
            for (account, own) in ids.iter().enumerate() {
                for (owner, id) in ids.iter().enumerate() {
                    let expected = (owner != account).then(|| (*id).to_owned());
                    assert_eq!(found(&world, account, put, id), expected, "{id} to {own}, {name}");
                }
            }
        }
    }
}

#[test]
fn what_software_folded_is_told_by_who_may_be_meant() {
    for (world, [one, twin, third]) in worlds() {
        let folded = [one.to_ascii_lowercase(), one.to_ascii_uppercase()];
        for (name, put) in PLACES {
            for folded in folded.iter().filter(|folded| *folded != one && *folded != twin) {
                // Nobody's exactly: one's own for either of the two, and another's for the third.
                assert_eq!(found(&world, 0, put, folded), None, "{folded} to {one}, {name}");
                assert_eq!(found(&world, 1, put, folded), None, "{folded} to {twin}, {name}");
                assert!(found(&world, 2, put, folded).is_some(), "{folded} to {third}, {name}");
            }
            let other = swapped(third);
            assert_eq!(found(&world, 0, put, &other).as_deref(), Some(third), "{other}, {name}");
            assert_eq!(found(&world, 2, put, &other), None, "{other}, {name}");
        }
        let host: Put = |l, v| l.text.insert_str(0, &format!("https://{}.registrar.example/\r\n", v.to_lowercase()));
        assert_eq!(found(&world, 0, host, one), None);
        assert_eq!(found(&world, 0, host, third).as_deref(), Some(third));
        assert_eq!(found(&world, 2, host, third), None);
    }
}

#[test]
fn an_own_id_does_not_explain_its_twin() {
    for (world, [one, twin, _]) in worlds() {
        // A header has one value.
        for (name, put) in PLACES.into_iter().filter(|(name, _)| !["subject", "header"].contains(name)) {
            let both = |order: [&str; 2]| {
                let mut letter = Letter::new(&world, 0);
                order.iter().for_each(|id| put(&mut letter, id));
                world.judge(0, &letter.bytes())
            };
            for order in [[one, twin], [twin, one]] {
                assert!(!both(order).is_cleared(), "{order:?}, {name}");
            }
        }
    }
}

#[test]
fn what_must_be_shown_is_shown_exactly_where_it_could_be_anothers() {
    let terms = Terms { must_show: vec!["id".into()], ..terms() };
    for (world, [one, _, third]) in worlds() {
        let judged = |account: usize, shown: &str| {
            let mut letter = Letter::new(&world, account);
            letter.text = format!("ID: {shown}\r\n");
            world.judge_with(account, &letter.bytes(), &terms)
        };
        assert!(judged(0, one).is_cleared() && judged(2, third).is_cleared());
        assert!(judged(2, &swapped(third)).is_cleared(), "nobody else has it in any case");
        let upper = one.to_ascii_uppercase();
        let rules: Vec<Rule> = judged(0, &upper).findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [Rule::Missing], "{upper}");
    }
}

#[test]
fn calibration_tells_twins_apart() {
    for (world, _) in worlds() {
        let mut sample = Sample::new(&world.mapping);
        for record in &world.records {
            let own = world.entries.iter().filter(|entry| entry.account == record.account);
            sample.offer(record, || own.clone().cloned().collect());
        }
        let found = calibrate(&world.mapping, &world.keys, &sample.finish(), 3).unwrap();
        assert!(found.is_complete(), "{:?}", found.gaps());
        let ids = found.columns.iter().find(|column| column.kind == Kind::Id).unwrap();
        assert!(ids.tried > 100, "{ids:?}");
    }
}
