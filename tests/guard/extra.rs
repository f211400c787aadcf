//! Identifiers that a campaign declares for its audience's extra columns: one's
//! own is cleared, another row's is held, and so is what nobody has.

use std::collections::BTreeMap;

use kakitome::account::{AccountId, Kind};
use kakitome::address::Address;
use kakitome::guard::overlay::{Builder, Columns};
use kakitome::guard::{Candidate, Overlay, Rule, Terms, Verdict};
use kakitome::mapping::Column;
use proptest::prelude::*;

use super::encodings::ENCODINGS;
use super::letter::{FOOTER, Letter};
use super::world::{World, terms};

fn column(kind: Kind, pattern: Option<&str>) -> Column {
    let country = (kind == Kind::Phone).then(|| "JP".to_owned());
    Column { kind, list: None, pattern: pattern.map(str::to_owned), country, exclusive: None, case: Default::default() }
}

fn declared(kind: Kind, pattern: Option<&str>) -> BTreeMap<String, Column> {
    BTreeMap::from([("order_no".to_owned(), column(kind, pattern))])
}

/// Each account's cell of `order_no`.
fn overlay(world: &World, columns: &BTreeMap<String, Column>, cells: &[String]) -> Overlay {
    let mut builder = Builder::new(Columns::new(columns).unwrap());
    for (record, cell) in world.records.iter().zip(cells) {
        let cells = BTreeMap::from([("order_no".to_owned(), cell.clone())]);
        builder.add(&world.keys, &record.account, &cells).unwrap();
    }
    builder.finish()
}

fn judge(world: &World, overlay: &Overlay, account: usize, terms: &Terms, letter: &Letter) -> Verdict {
    let record = &world.records[account];
    let judge = world.guard.judge_with(terms, overlay).unwrap();
    let sender = Address::parse("bounce@registrar.example").unwrap();
    let recipients = std::slice::from_ref(&record.address);
    let bytes = letter.bytes();
    judge.examine(Candidate { sender: &sender, recipients, account: &record.account, bytes: &bytes }, Some(record))
}

fn says(world: &World, account: usize, line: &str) -> Letter {
    let mut letter = Letter::new(world, account);
    letter.text.push_str(&format!("\r\n{line}\r\n"));
    letter
}

fn is_foreign(verdict: &Verdict, kind: Kind, owner: &AccountId) -> bool {
    let mut findings = verdict.findings.iter();
    findings.any(|f| f.rule == Rule::Foreign && f.kind == Some(kind) && f.owner.as_ref() == Some(owner))
}

fn orders() -> Vec<String> {
    (0..6).map(|n| format!("ORD-2026-{:06}", 104_729 + n * 7_919)).collect()
}

const ORDER: &str = "ORD-[0-9]{4}-[0-9]{6}";

#[test]
fn an_order_number_in_every_encoding() {
    let world = World::new();
    let (orders, twelve): (Vec<String>, Vec<String>) =
        (orders(), (0..6_u64).map(|n| (730_001_104_729 + n * 7_919_003).to_string()).collect());
    let mut faults = Vec::new();
    let mut judged = 0;
    for (pattern, values) in [(ORDER, &orders), ("[0-9]{12}", &twelve)] {
        let overlay = overlay(&world, &declared(Kind::Id, Some(pattern)), values);
        // Groups and labels are those of the directory's eight digits; kanji
        // digits are numbers only where nothing else is.
        let fits = |name: &str| !name.starts_with("ID ") && name != "ID in kanji digits";
        for encoding in ENCODINGS.iter().filter(|e| e.kinds.contains(&Kind::Id) && fits(e.name)) {
            for (own, other) in [(0, 1), (3, 2)] {
                let mut letter = Letter::new(&world, own);
                if (encoding.put)(&mut letter, &values[other]).is_none() {
                    continue;
                }
                judged += 1;
                let verdict = judge(&world, &overlay, own, &terms(), &letter);
                if !is_foreign(&verdict, Kind::Id, &world.records[other].account) {
                    faults.push(format!("LEAK  {} × {}: {:?}", encoding.name, values[other], verdict.findings));
                }
                let mut letter = Letter::new(&world, other);
                let _ = (encoding.put)(&mut letter, &values[other]);
                let verdict = judge(&world, &overlay, other, &terms(), &letter);
                if !verdict.is_cleared() {
                    faults.push(format!("ALARM {} × {}: {:?}", encoding.name, values[other], verdict.findings));
                }
            }
        }
    }
    assert!(judged > 100, "only {judged} letters were judged");
    assert!(faults.is_empty(), "{} faults in {judged} letters:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn an_order_number_in_other_signs_is_the_same() {
    let world = World::new();
    let overlay = overlay(&world, &declared(Kind::Id, Some(ORDER)), &orders());
    for form in [
        |v: &str| v.replace('-', ""),
        |v: &str| v.replace('-', " "),
        |v: &str| v.replace('-', "/"),
        |v: &str| v.to_lowercase(),
    ] {
        let line = form(&orders()[1]);
        let verdict = judge(&world, &overlay, 0, &terms(), &says(&world, 0, &format!("ご注文 {line} です")));
        assert!(is_foreign(&verdict, Kind::Id, &world.records[1].account), "{line}: {:?}", verdict.findings);
        let verdict = judge(&world, &overlay, 1, &terms(), &says(&world, 1, &format!("ご注文 {line} です")));
        assert!(verdict.is_cleared(), "{line}: {:?}", verdict.findings);
    }
}

#[test]
fn what_nobody_has_is_unexplained() {
    let world = World::new();
    let overlay = overlay(&world, &declared(Kind::Id, Some(ORDER)), &orders());
    let verdict = judge(&world, &overlay, 0, &terms(), &says(&world, 0, "ORD-2026-999999"));
    let [finding] = verdict.findings.as_slice() else { panic!("{:?}", verdict.findings) };
    assert_eq!((finding.rule, finding.place.as_str()), (Rule::Unexplained, "text/plain, text"));
    // Where nothing is declared it has no shape.
    assert!(world.judge(0, &says(&world, 0, "ORD-2026-999999").bytes()).is_cleared());
    // A judge that is not given the snapshot's values holds even one's own.
    let empty = Overlay::empty(Columns::new(&declared(Kind::Id, Some(ORDER))).unwrap());
    assert!(!judge(&world, &empty, 0, &terms(), &says(&world, 0, &orders()[0])).is_cleared());
}

#[test]
fn every_kind_may_be_declared() {
    let world = World::new();
    for (kind, own, other) in [
        (Kind::Email, "kaikei@taiyaki-ya.test", "shomu@dorayaki-ya.test"),
        (Kind::Domain, "taiyaki-ya.test", "dorayaki-ya.test"),
        (Kind::Phone, "03-5222-1111", "03-5222-2222"),
        (Kind::Person, "長谷川 鯛子", "五十嵐 銅鑼夫"),
        (Kind::Organisation, "株式会社タイヤキ屋", "株式会社ドラヤキ屋"),
        (Kind::Person, "Tamsin Taiyaki", "Dora Yakimoto"),
    ] {
        let cells = [own.to_owned(), other.to_owned()];
        let overlay = overlay(&world, &declared(kind, None), &cells);
        for (account, says_it) in [(0, own), (1, other)] {
            let mut letter = says(&world, account, &format!("ご連絡先: {says_it}"));
            if matches!(kind, Kind::Person | Kind::Organisation) {
                let greeting = if says_it.is_ascii() { format!("Dear {says_it},") } else { format!("{says_it} 様") };
                letter.text.push_str(&format!("\r\n{greeting}\r\n"));
            }
            let verdict = judge(&world, &overlay, account, &terms(), &letter);
            assert!(verdict.is_cleared(), "own {says_it}: {:?}", verdict.findings);
        }
        let verdict = judge(&world, &overlay, 0, &terms(), &says(&world, 0, &format!("ご連絡先: {other}")));
        assert!(is_foreign(&verdict, kind, &world.records[1].account), "{kind} {other}: {:?}", verdict.findings);
        // Nobody else declares either, so to a third account both are foreign.
        assert!(!judge(&world, &overlay, 2, &terms(), &says(&world, 2, own)).is_cleared(), "{kind} {own}");
    }
}

#[test]
fn the_directory_goes_before_what_an_audience_claims() {
    let world = World::new();
    // A shifted audience claims the next account's member ID for each.
    let cells: Vec<String> = (0..6).map(|n| world.values((n + 1) % 6, "id").remove(0)).collect();
    let overlay = overlay(&world, &declared(Kind::Id, Some("[0-9]{8}")), &cells);
    for (account, cell) in cells.iter().enumerate() {
        let verdict = judge(&world, &overlay, account, &terms(), &says(&world, account, cell));
        let owner = &world.records[(account + 1) % 6].account;
        assert!(is_foreign(&verdict, Kind::Id, owner), "{account}: {:?}", verdict.findings);
    }
}

#[test]
fn a_declared_column_may_have_to_be_shown() {
    let world = World::new();
    let mut cells = orders();
    cells[2] = String::new();
    let overlay = overlay(&world, &declared(Kind::Id, Some(ORDER)), &cells);
    let terms = Terms { must_show: vec!["extra.order_no".into()], ..terms() };
    let verdict = judge(&world, &overlay, 0, &terms, &Letter::new(&world, 0));
    assert!(verdict.findings.iter().all(|f| f.rule == Rule::Missing) && !verdict.is_cleared(), "{verdict:?}");
    assert!(judge(&world, &overlay, 0, &terms, &says(&world, 0, &cells[0])).is_cleared());
    assert!(judge(&world, &overlay, 2, &terms, &Letter::new(&world, 2)).is_cleared(), "an empty cell has nothing");
    let why = world.guard.judge(&terms).err().unwrap();
    assert!(why.contains("extra.order_no"), "{why}");
}

#[test]
fn declarations_that_cannot_be_used() {
    for (columns, why) in [
        (declared(Kind::Secret, None), "is a secret"),
        (declared(Kind::Id, None), "without a pattern"),
        (declared(Kind::Text, Some("x")), "names nobody"),
        (declared(Kind::Id, Some("[")), "extra.order_no.pattern"),
        (declared(Kind::Id, Some("[0-9]*")), "matches nothing"),
    ] {
        let told = Columns::new(&columns).err().unwrap();
        assert!(told.contains(why), "{told}");
    }
    assert!(Columns::new(&declared(Kind::Text, None)).unwrap().is_empty());
}

#[test]
fn a_value_of_two_accounts_is_a_conflict_unless_it_is_shared_on_purpose() {
    let world = World::new();
    let mut cells = orders();
    cells[4] = cells[1].to_lowercase().replace('-', "");
    let loose = "(?i)ORD-?[0-9]{4}-?[0-9]{6}";
    let (count, conflicts) = overlay(&world, &declared(Kind::Id, Some(loose)), &cells).conflicts(10);
    assert_eq!((count, conflicts.len(), conflicts[0].accounts.len()), (1, 1, 2));
    let mut columns = declared(Kind::Id, Some(loose));
    columns.get_mut("order_no").unwrap().exclusive = Some(false);
    let shared = overlay(&world, &columns, &cells);
    assert_eq!(shared.conflicts(10).0, 0);
    for account in [1, 4] {
        assert!(judge(&world, &shared, account, &terms(), &says(&world, account, &cells[1])).is_cleared());
    }
    assert!(!judge(&world, &shared, 0, &terms(), &says(&world, 0, &cells[1])).is_cleared());
}

#[test]
fn a_cell_that_names_another_account_is_told() {
    let world = World::new();
    let judge = world.guard.judge(&terms()).unwrap();
    let of = |account: usize, cell: &str| {
        let cells = [("note", cell)].into_iter();
        judge.foreign_cells(&world.records[account], "audience line 7", cells)
    };
    for cell in ["40817299", "aozora-print.example;x", "hanako.s@mailbox.test", "03-3234-5678", "佐々木　花子"] {
        let found = of(0, cell);
        assert_eq!(found.len(), 1, "{cell}: {found:?}");
        assert_eq!(found[0].place, "audience line 7, column note");
        assert_eq!(found[0].owner.as_ref(), Some(&world.records[1].account), "{cell}");
        assert!(!found[0].shown.contains(cell), "the value is masked");
        assert_eq!(of(1, cell), [], "{cell} is this account's own");
    }
    for cell in ["", "gold", "東京都千代田区", "2026-12-31", "森健さんご紹介", "12,345,678", "unknown.test", "40817264"]
    {
        assert_eq!(of(0, cell), [], "{cell}");
    }
}

/// A pattern, and how a number makes a value of it.
type Form = (&'static str, fn(u64) -> String);

/// A value for each of two accounts, by one of several patterns.
fn values() -> impl Strategy<Value = (&'static str, [String; 2])> {
    let forms: [Form; 5] = [
        (ORDER, |n| format!("ORD-{:04}-{:06}", 2000 + n % 90, n % 1_000_000)),
        ("[0-9]{12}", |n| format!("{:012}", 500_000_000_000 + n % 400_000_000_000)),
        ("[A-Z]{2}[0-9]{7}", |n| format!("{}{}{:07}", letter(n), letter(n / 7), n % 10_000_000)),
        ("INV/[0-9]{2}/[0-9]{5}", |n| format!("INV/{:02}/{:05}", n % 100, (n / 100) % 100_000)),
        ("#[0-9]{6}[a-z]", |n| format!("#{:06}{}", n % 1_000_000, letter(n).to_ascii_lowercase())),
    ];
    (0..forms.len(), any::<u64>(), any::<u64>())
        .prop_map(move |(form, a, b)| (forms[form].0, [forms[form].1(a), forms[form].1(b)]))
        .prop_filter("two values", |(_, [a, b])| a != b)
}

fn letter(n: u64) -> char {
    char::from(b'A' + (n % 26) as u8)
}

/// Templates that show an order number.
const SHOWN: [fn(&mut Letter, &str); 4] = [
    |l, v| l.text = format!("お客様\r\n\r\nご注文番号: {v}\r\n\r\n{FOOTER}"),
    |l, v| l.html = format!("<p>お客様</p><table><tr><td>注文</td><td><b>{v}</b></td></tr></table>"),
    |l, v| l.html = format!("<p>お客様</p><img alt=\"{v}\">"),
    |l, v| l.text = format!("Dear customer,\r\n\r\nyour order {v}, thank you.\r\n"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_declared_value_is_cleared_for_its_own_account_alone((pattern, cells) in values(), shown in 0..SHOWN.len()) {
        let world = World::new();
        let overlay = overlay(&world, &declared(Kind::Id, Some(pattern)), &cells);
        for account in 0..2 {
            let mut letter = Letter::new(&world, account);
            SHOWN[shown](&mut letter, &cells[account]);
            let verdict = judge(&world, &overlay, account, &terms(), &letter);
            prop_assert!(verdict.is_cleared(), "{:?}: {:?}", cells[account], verdict.findings);
            let mut letter = Letter::new(&world, account);
            SHOWN[shown](&mut letter, &cells[1 - account]);
            let verdict = judge(&world, &overlay, account, &terms(), &letter);
            prop_assert!(!verdict.is_cleared(), "{:?} to {:?}", cells[1 - account], cells[account]);
        }
    }
}
