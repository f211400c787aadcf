//! The property: for any two accounts with distinct identifiers, a message
//! rendered for one and enveloped to the other is never cleared, whatever the
//! template shows; and a message rendered properly always is.

use proptest::prelude::*;

use super::letter::{FOOTER, Letter, part, word};
use super::world::{COLUMNS, World};

const SURNAMES: [&str; 8] = ["佐々木", "山之内", "長谷川", "五十嵐", "Ashgrove", "Longfellow", "Fairweather", "渡部"];
const GIVEN: [&str; 8] = ["花子", "太郎丸", "健太郎", "美咲", "Ada", "Beatrice", "Cornelius", "ひかり"];
const TRADES: [&str; 6] = ["木材", "印刷", "カフェ", "書店", "Foundry", "Printing"];
const TLDS: [&str; 4] = ["example", "test", "みんな", "co.example"];

/// An account made of a seed. The number makes its identifiers its own.
fn account(seed: u64, number: u64) -> [String; 8] {
    let pick = |list: &[&'static str], shift: u64| list[(seed >> shift) as usize % list.len()];
    let (surname, given) = (pick(&SURNAMES, 0), pick(&GIVEN, 8));
    let mark = char::from(b'a' + (number % 26) as u8);
    // Distinct names: a syllable that only this account has.
    let syllable = ["ア", "イ", "ウ", "エ", "オ", "カ"][number as usize % 6];
    let name =
        format!("{surname}{} {given}{}", syllable_of(surname, syllable, mark), syllable_of(given, syllable, mark));
    let trade = pick(&TRADES, 16);
    let company = match (seed >> 24) % 4 {
        0 => format!("株式会社{syllable}{syllable}{trade}"),
        1 => format!("{syllable}{syllable}{trade}有限会社"),
        2 => format!("{trade} & {mark}{mark} Partners Ltd"),
        _ => String::new(),
    };
    let host = match (seed >> 32) % 3 {
        0 => format!("shop-{mark}{}", seed % 1000),
        1 => format!("{syllable}{trade}{mark}").replace(' ', ""),
        _ => format!("{mark}{mark}{mark}"),
    };
    let tld = pick(&TLDS, 40);
    let phone = match (seed >> 48) % 3 {
        0 => format!("090-{:04}-{:04}", 1000 + number, seed % 10_000),
        1 => format!("03-{:04}-{:04}", 3000 + number, seed % 10_000),
        _ => String::new(),
    };
    let id = 40_000_000 + (seed % 1_000_000) * 6 + number;
    let email = format!("mail.{mark}{}@mailbox.test", seed % 100_000);
    [id.to_string(), email, String::new(), format!("{host}.{tld}"), phone, name, company, String::new()]
}

fn syllable_of(word: &str, syllable: &str, mark: char) -> String {
    if word.is_ascii() { mark.to_string() } else { syllable.to_owned() }
}

/// A template: what it puts into a letter, of the columns it is given.
type Template = fn(&mut Letter, &[String; 8]);

/// Each shows at least the ID; the fields come from whichever row it is given.
const TEMPLATES: [Template; 5] = [
    |l, r| l.text = format!("{} 様\r\n\r\n会員番号: {}\r\nドメイン: {}\r\n\r\n{FOOTER}", r[5], r[0], r[3]),
    |l, r| {
        l.html = format!(
            "<p><b>{}</b> {} 様</p><table><tr><td>ID</td><td>{}</td></tr><tr><td>{}</td><td>{}</td></tr></table>",
            r[6], r[5], r[0], r[3], r[4]
        );
    },
    |l, r| l.html = format!("<p>お客様</p><a href=\"https://registrar.example/renew/{}?d={}\">更新</a>", r[0], r[3]),
    |l, r| {
        let body = format!("ご契約の{}の更新（会員番号{}、{}）", r[3], r[0], r[1]);
        l.text = "お客様\r\n\r\n明細を添付します。\r\n".into();
        l.parts = vec![part("text/plain; name=\"meisai.txt\"", "base64", &super::letter::base64_lines(&body))];
    },
    |l, r| {
        l.text = format!("Dear customer,\r\n\r\nYour account {} ({}) has the domain {}.\r\n", r[0], r[1], r[3]);
        l.header("Subject", &word(&format!("Renewal of {}", r[3])));
    },
];

/// A proper letter of a template for an account; `shown` is whose row it shows.
fn letter(world: &World, account: usize, template: Template, shown: &[String; 8]) -> Letter {
    let mut letter = Letter::new(world, account);
    letter.html = String::new();
    template(&mut letter, shown);
    letter
}

fn worlds() -> impl Strategy<Value = ([[String; 8]; 2], Template)> {
    (any::<u64>(), any::<u64>(), 0..TEMPLATES.len())
        .prop_map(|(a, b, template)| ([account(a, 0), account(b, 1)], TEMPLATES[template]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_proper_message_is_cleared((rows, template) in worlds()) {
        let world = World::of(&rows);
        for (account, row) in rows.iter().enumerate() {
            let verdict = world.judge(account, &letter(&world, account, template, row).bytes());
            prop_assert!(verdict.is_cleared(), "{row:?}: {:?}", verdict.findings);
        }
    }

    #[test]
    fn a_swapped_body_is_held((rows, template) in worlds()) {
        let world = World::of(&rows);
        let verdict = world.judge(0, &letter(&world, 0, template, &rows[1]).bytes());
        prop_assert!(!verdict.is_cleared(), "{:?} to {:?}", rows[1], rows[0]);
    }

    #[test]
    fn one_swapped_field_is_held((rows, template) in worlds(), column in 0..COLUMNS.len()) {
        let world = World::of(&rows);
        let mut mixed = rows[0].clone();
        mixed[column] = rows[1][column].clone();
        let proper = letter(&world, 0, template, &rows[0]).bytes();
        let swapped = letter(&world, 0, template, &mixed).bytes();
        // What the template does not show, or the other has not, changes nothing.
        let shows = swapped != proper && !rows[1][column].is_empty();
        let verdict = world.judge(0, &swapped);
        prop_assert_eq!(verdict.is_cleared(), !shows, "{}: {:?}: {:?}", COLUMNS[column].0, mixed, verdict.findings);
    }

    #[test]
    fn a_swapped_subject_is_held((rows, template) in worlds(), column in 3..6_usize) {
        let world = World::of(&rows);
        let mut letter = letter(&world, 0, template, &rows[0]);
        letter.header("Subject", &word(&format!("{} 更新のお知らせ", rows[1][column])));
        let verdict = world.judge(0, &letter.bytes());
        prop_assert_eq!(verdict.is_cleared(), rows[1][column].is_empty(), "{:?}: {:?}", rows[1], verdict.findings);
    }

    #[test]
    fn a_swapped_link_is_held((rows, template) in worlds(), in_header in any::<bool>()) {
        let world = World::of(&rows);
        let mut letter = letter(&world, 0, template, &rows[0]);
        let link = world.link(&world.records[1].account);
        if in_header {
            letter.header("List-Unsubscribe", &format!("<{link}>"));
        } else {
            letter.text.push_str(&link);
        }
        prop_assert!(!world.judge(0, &letter.bytes()).is_cleared());
    }

    #[test]
    fn a_swapped_envelope_is_held((rows, template) in worlds()) {
        let world = World::of(&rows);
        prop_assert!(!world.judge(1, &letter(&world, 0, template, &rows[0]).bytes()).is_cleared());
    }
}
