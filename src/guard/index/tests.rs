//! The index as a whole: what is built in is found, and what is broken is refused.

use std::collections::HashMap;
use std::path::PathBuf;

use daachorse::CharwiseDoubleArrayAhoCorasick;
use proptest::prelude::*;

use super::*;
use crate::guard::find::names::{Form, Hit, How, form, squeeze};
use crate::guard::normal;

fn keys() -> Keys {
    Keys::new(&[7; 32])
}

fn account(n: usize) -> AccountId {
    AccountId::new(&format!("A{n:05}")).unwrap()
}

fn edition(identifiers: usize) -> Edition {
    Edition { version: 3, digest: [9; 32], identifiers: identifiers as u64 }
}

/// Four identifiers of each account; every tenth account shares its address, and
/// rows are far apart as after many imports.
fn rows(accounts: usize) -> Vec<(u128, Kind, i64)> {
    let keys = keys();
    let mut rows = Vec::new();
    for n in 0..accounts {
        let row = row(n);
        rows.push((keys.identifier(Kind::Id, &format!("{n:08}")), Kind::Id, row));
        rows.push((keys.identifier(Kind::Email, &format!("info@shared{}.example", n / 10)), Kind::Email, row));
        rows.push((keys.identifier(Kind::Domain, &format!("host{n}.example")), Kind::Domain, row));
        rows.push((keys.identifier(Kind::Person, &format!("山田太郎{n}")), Kind::Person, row));
    }
    rows.sort_unstable();
    rows
}

fn row(n: usize) -> i64 {
    5 + (n * 17 + n / 3) as i64
}

fn built(file: &Path, accounts: usize) -> Result<Index, IndexError> {
    let mut numbered = Accounts::default();
    for n in 0..accounts {
        numbered.push(row(n), &account(n))?;
    }
    let rows = rows(accounts);
    let mut building = Building::begin(file, &keys(), edition(rows.len()), numbered)?;
    for n in 0..accounts {
        building.name(&format!("山田太郎{n}"), row(n));
    }
    for (hash, kind, row) in rows {
        // A row of another version's account lies between.
        building.add(hash, kind, row + 1 - 1)?;
        building.add(hash, kind, i64::MAX)?;
    }
    building.finish()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kakitome.index");
    (folder, file)
}

fn files(folder: &tempfile::TempDir) -> usize {
    std::fs::read_dir(folder.path()).unwrap().count()
}

#[test]
fn a_file_answers_exactly_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, file) = folder();
    built(&file, 2_000).unwrap();
    assert_eq!(files(&folder), 1, "nothing is left beside it");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let index = Index::open(&file, &keys()).unwrap();
    index.verify().unwrap();
    index.check(&edition(8_000)).unwrap();
    assert_eq!((index.len(), index.row_last(), index.has_secrets()), (8_000, row(1_999), false));
    for n in 0..2_000 {
        assert_eq!(index.owner(keys().identifier(Kind::Id, &format!("{n:08}"))), Some(account(n)));
        let shared = keys().identifier(Kind::Email, &format!("info@shared{}.example", n / 10));
        assert_eq!(index.owner(shared), Some(account(n / 10 * 10)));
        assert_eq!(index.owners(shared), (n / 10 * 10..n / 10 * 10 + 10).map(account).collect::<Vec<_>>());
        assert_eq!(index.owner(keys().identifier(Kind::Domain, &format!("{n:08}"))), None);
    }
    let hits = index.names().joined("お客様山田太郎17様");
    let text: Vec<&str> = hits.iter().map(|hit| &"お客様山田太郎17様"[hit.start..hit.end]).collect();
    assert_eq!(text, ["山田太郎1", "山田太郎17"]);
    assert!(index.names().may_begin(['山', '田', '太', '郎']) && !index.names().may_begin(['田', '太', '郎', '1']));
}

#[test]
fn no_name_stands_in_the_file() {
    let (_folder, file) = folder();
    built(&file, 100).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("A00042"), "an account's key is no secret");
    for value in ["山田", "太郎", "shared", "host4", "00000042"] {
        assert!(!has(value), "{value}");
    }
}

#[test]
fn what_is_no_whole_index_of_ours_is_refused_with_the_reason() {
    let (_folder, file) = folder();
    assert!(matches!(Index::open(&file, &keys()), Err(IndexError::Missing(_))));
    std::fs::write(&file, b"").unwrap();
    assert!(matches!(Index::open(&file, &keys()), Err(IndexError::Empty)));
    built(&file, 300).unwrap();
    assert!(matches!(Index::open(&file, &Keys::new(&[8; 32])), Err(IndexError::Key)));
    let index = Index::open(&file, &keys()).unwrap();
    for other in
        [Edition { version: 4, ..edition(1_200) }, Edition { digest: [8; 32], ..edition(1_200) }, edition(1_201)]
    {
        assert!(matches!(index.check(&other), Err(IndexError::Version { is: 3, .. })), "{other:?}");
    }
    drop(index);
    let whole = std::fs::read(&file).unwrap();
    for length in [1, 7, 100, 4_095, 4_096, 5_000, whole.len() - 64, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert!(matches!(Index::open(&file, &keys()), Err(IndexError::Damaged(_))), "cut to {length}");
    }
    std::fs::write(&file, [whole.clone(), vec![0; 64]].concat()).unwrap();
    assert!(matches!(Index::open(&file, &keys()), Err(IndexError::Damaged(_))), "longer");
    for at in (0..4_096).step_by(5) {
        let mut broken = whole.clone();
        broken[at] ^= 0x10;
        std::fs::write(&file, broken).unwrap();
        assert!(Index::open(&file, &keys()).is_err(), "byte {at} of the header");
    }
}

#[test]
fn damage_behind_the_header_is_found_and_never_answers_nobody() {
    let (_folder, file) = folder();
    built(&file, 400).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let hashes: Vec<u128> = (0..400).map(|n| keys().identifier(Kind::Id, &format!("{n:08}"))).collect();
    let room = cold::blocks(1_600) as usize * cold::BLOCK;
    let used = cold::blocks(1_240) as usize * cold::BLOCK;
    let mut random = fastrand::Rng::with_seed(5);
    for round in 0..60 {
        let mut broken = whole.clone();
        let at = random.usize(4_096..whole.len());
        let is_hole = (4_096 + used..4_096 + room).contains(&at);
        broken[at] ^= 1 << random.u8(..8);
        std::fs::write(&file, &broken).unwrap();
        let index = Index::open(&file, &keys()).unwrap();
        let padding = whole.len() - at < 64 || is_hole;
        assert!(index.verify().is_err() || padding, "byte {at}");
        for (n, hash) in hashes.iter().enumerate() {
            // The lines are proved by `verify` alone.
            let owner = index.owner(*hash);
            let is_lines = at >= 4_096 + room;
            assert!(owner.is_some() || is_lines, "byte {at}, account {n}");
            if at < 4_096 + room {
                assert!([account(n).as_str(), DAMAGED].contains(&owner.unwrap().as_str()), "round {round}");
            }
        }
        let _ = index.names().joined("山田太郎17様");
    }
}

#[test]
fn numbers_that_point_outside_are_damage() {
    let (_folder, file) = folder();
    built(&file, 50).unwrap();
    let mut random = fastrand::Rng::with_seed(6);
    let whole = std::fs::read(&file).unwrap();
    // Whole regions of rubbish: whatever they say, nothing is read outside.
    for _ in 0..60 {
        let mut broken = whole.clone();
        let from = random.usize(4_096..whole.len());
        let to = random.usize(from..whole.len()).min(from + 3_000);
        random.fill(&mut broken[from..to]);
        std::fs::write(&file, &broken).unwrap();
        let index = Index::open(&file, &keys()).unwrap();
        for n in 0..50 {
            let _ = index.owners(keys().identifier(Kind::Id, &format!("{n:08}")));
            let _ = index.owners(keys().identifier(Kind::Email, &format!("info@shared{}.example", n / 10)));
        }
        let _ = index.verify();
    }
}

#[test]
fn a_build_that_fails_leaves_the_old_index_as_it_was() {
    let (folder, file) = folder();
    built(&file, 100).unwrap();
    let before = std::fs::read(&file).unwrap();
    let begin = |identifiers: usize| {
        let mut accounts = Accounts::default();
        accounts.push(1, &account(1)).unwrap();
        Building::begin(&file, &keys(), edition(identifiers), accounts).unwrap()
    };
    // Too few, too many, out of order, and one that is simply dropped.
    let mut few = begin(3);
    few.add(1, Kind::Id, 1).unwrap();
    assert!(matches!(few.finish(), Err(IndexError::Incomplete { is: 1, asked: 3 })));
    let mut many = begin(1);
    many.add(1, Kind::Id, 1).unwrap();
    assert!(matches!(many.add(2, Kind::Id, 1), Err(IndexError::Incomplete { is: 2, asked: 1 })));
    drop(many);
    let mut disorder = begin(2);
    disorder.add(2, Kind::Id, 1).unwrap();
    assert!(matches!(disorder.add(1, Kind::Id, 1), Err(IndexError::Rows(_))));
    drop(disorder);
    let half = begin(5);
    assert_eq!(files(&folder), 2, "it is made beside the old one");
    drop(half);
    assert_eq!(files(&folder), 1);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    Index::open(&file, &keys()).unwrap().verify().unwrap();
}

#[test]
fn a_reader_keeps_the_index_that_it_opened() {
    let (_folder, file) = folder();
    let old = built(&file, 100).unwrap();
    built(&file, 200).unwrap();
    let last = keys().identifier(Kind::Id, "00000199");
    assert_eq!(old.owner(last), None);
    old.verify().unwrap();
    assert_eq!(Index::open(&file, &keys()).unwrap().owner(last), Some(account(199)));
}

#[test]
fn a_delta_adds_owners_and_names_and_must_add_up() {
    let (_folder, file) = folder();
    built(&file, 100).unwrap();
    let entry = |kind, value: &str, name: bool| Entry {
        kind,
        hash: keys().identifier(kind, value),
        name: name.then(|| value.to_owned()),
        account: AccountId::new("NEW").unwrap(),
    };
    let entries = || {
        vec![
            entry(Kind::Domain, "new.example", false),
            entry(Kind::Email, "info@shared3.example", false),
            entry(Kind::Person, "高梨翔太郎", true),
            entry(Kind::Person, "ada ashgrove", true),
            entry(Kind::Secret, "x", false),
        ]
    };
    let next = Edition { version: 5, digest: [1; 32], identifiers: 401 };
    let open = || Index::open(&file, &keys()).unwrap();
    assert!(matches!(open().with_delta(entries(), 0, next), Err(IndexError::Incomplete { is: 405, asked: 401 })));
    let index = open().with_delta(entries(), 4, next).unwrap();
    index.check(&next).unwrap();
    assert!(index.check(&edition(400)).is_err());
    assert_eq!((index.len(), index.has_secrets()), (401, true));
    assert_eq!(index.owner(keys().identifier(Kind::Domain, "new.example")).unwrap().as_str(), "NEW");
    let shared = index.owners(keys().identifier(Kind::Email, "info@shared3.example"));
    assert_eq!((shared.len(), shared[10].as_str()), (11, "NEW"));
    assert_eq!(index.names().joined("拝啓高梨翔太郎様山田太郎7様").len(), 2);
    assert_eq!(index.names().worded("dear ada ashgrove, hello").len(), 1);
}

#[test]
fn an_index_without_anything_finds_nothing() {
    let index = Index::build([]);
    assert!(index.is_empty());
    assert_eq!(index.owner(7), None);
    assert_eq!(index.names().joined("株式会社ミドリ木材").len(), 0);
}

#[test]
fn what_stands_for_damage_is_an_account_key() {
    assert_eq!(AccountId::new(DAMAGED).unwrap().as_str(), DAMAGED);
}

// The search for names against an automaton over the names themselves.

fn automaton(names: &[String], wanted: Form, text: &str) -> Vec<Hit> {
    let mut names: Vec<&String> = names.iter().filter(|name| form(name) == wanted).collect();
    names.sort_unstable();
    names.dedup();
    let Ok(search) = CharwiseDoubleArrayAhoCorasick::<u32>::new(&names) else { return Vec::new() };
    let within = |c: Option<char>| c.is_some_and(normal::is_within);
    let found = search.find_overlapping_iter(text).map(|m| Hit {
        start: m.start(),
        end: m.end(),
        hash: keys().identifier(Kind::Person, names[m.value() as usize]),
        how: How::Plain,
        name: None,
    });
    let whole = |hit: &Hit| !within(text[..hit.start].chars().next_back()) && !within(text[hit.end..].chars().next());
    found.filter(|hit| wanted == Form::Joined || whole(hit)).collect()
}

fn same_as_automaton(names: &[String], text: &str) -> Result<(), TestCaseError> {
    let names: Vec<String> = names.iter().map(|name| normal::name(name)).filter(|name| !name.is_empty()).collect();
    let entries = names.iter().map(|name| Entry {
        kind: Kind::Person,
        hash: keys().identifier(Kind::Person, name),
        name: Some(name.clone()),
        account: account(1),
    });
    let index = Index::build(entries).bound(&keys());
    let (joined, spaced) = squeeze(&normal::fold(text));
    prop_assert_eq!(index.names().joined(&joined), automaton(&names, Form::Joined, &joined), "in {}", joined);
    // What is written otherwise, no automaton of these names finds.
    let plain: Vec<Hit> = index.names().worded(&spaced).into_iter().filter(|hit| hit.how == How::Plain).collect();
    prop_assert_eq!(plain, automaton(&names, Form::Worded, &spaced), "in {}", spaced);
    // Each gate opens for what begins there.
    for hit in index.names().worded(&spaced).into_iter().filter(|hit| hit.how == How::Plain) {
        let mut words = spaced[hit.start..].split(' ');
        prop_assert!(index.names().may_begin_worded(words.next().unwrap(), words.next().unwrap()));
    }
    Ok(())
}

/// Pieces of which names and texts are made, so that they meet often.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "山",
        "田",
        "太郎",
        "株式会社",
        "ミドリ",
        "abc",
        "ab",
        "a",
        "é",
        "o'",
        "inc.",
        "ashgrove",
        "ada",
        "иван",
        "、",
        ",",
        "の",
        " ",
        " ",
        " ",
        "-",
        "1",
        "長い",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn names_are_found_as_by_an_automaton(
        names in prop::collection::vec(pieces(), 1..12), text in prop::collection::vec(pieces(), 0..12), put in any::<[u8; 3]>()
    ) {
        let mut text = text;
        for at in put {
            text.insert(usize::from(at) % (text.len() + 1), names[usize::from(at) % names.len()].clone());
        }
        same_as_automaton(&names, &text.concat())?;
    }

    #[test]
    fn long_names_are_found_too(length in 28_usize..70, before in 0_usize..5, words in 2_usize..9) {
        let joined: String = "株式会社とても長い名前の組合連合会".chars().cycle().take(length).collect();
        let worded = vec!["very long"; words].join(" ");
        let near: String = joined.chars().take(length - 1).collect();
        let text = format!("{}{joined}と{near}。 {worded} and {worded}", "株".repeat(before));
        same_as_automaton(&[joined, worded], &text)?;
    }
}

#[test]
fn two_kinds_of_one_name_are_one_hit() {
    let names: HashMap<Kind, &str> = [(Kind::Person, "海辺カフェ"), (Kind::Organisation, "海辺カフェ")].into();
    let entries = names.iter().map(|(kind, name)| Entry {
        kind: *kind,
        hash: keys().identifier(*kind, name),
        name: Some((*name).to_owned()),
        account: account(1),
    });
    let index = Index::build(entries).bound(&keys());
    assert_eq!(index.names().joined("海辺カフェです").len(), 1);
}
