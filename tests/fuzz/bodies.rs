//! What each fuzz target does with the bytes it is given. A body panics where a
//! property does not hold, and depends on its bytes alone: whatever is found is
//! found again by the same bytes.
//!
//! The first byte of each input says how the rest is to be taken.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kakitome::account::{AccountId, Kind};
use kakitome::address::Address;
use kakitome::guard::index::{Accounts, Building, DAMAGED, Edition};
use kakitome::guard::view::{self, Limits};
use kakitome::guard::{Candidate, Index, normal};
use kakitome::key::Keys;

use super::letter::Letter;
use super::world::{World, terms, told};

/// Limits that small messages reach.
const TIGHT: Limits =
    Limits { message_bytes_max: 8_000, view_bytes_max: 4_000, views_max: 60, parts_max: 6, depth_max: 3 };

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Bytes as a message: reading them does not panic and keeps to the limits, and
/// what is judged by passages is what is judged of the whole, whatever the judge
/// remembers, of another account's message with the same text too.
pub fn views(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    for limits in [Limits::default(), TIGHT] {
        bounded(rest, &limits);
    }
    let world = &*WORLD;
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    let sender = Address::parse("bounce@registrar.example").expect("an address");
    let count = world.records.len();
    let own = usize::from(mode / 3) % count;
    for account in [own, (own + 1) % count] {
        let record = &world.records[account];
        let bytes = message(world, account, mode % 3, rest);
        let recipients = std::slice::from_ref(&record.address);
        let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes: &bytes };
        let whole = judge.examine_whole(candidate, Some(record));
        // New, seen again, and remembered.
        for _ in 0..3 {
            let verdict = judge.examine(candidate, Some(record));
            assert_eq!(told(&verdict), told(&whole), "account {account}:\n{}", String::from_utf8_lossy(&bytes));
        }
    }
}

fn bounded(bytes: &[u8], limits: &Limits) {
    let views = view::views(bytes, limits);
    let shown: usize = views.views.iter().map(|view| view.text.len()).sum();
    assert!(shown <= limits.view_bytes_max, "{shown} bytes are shown");
    assert!(views.views.len() <= limits.views_max, "there are {} views", views.views.len());
    assert!(views.unreadable.len() <= 200 + 2 * limits.parts_max, "{} parts are unreadable", views.unreadable.len());
    assert!(bytes.len() <= limits.message_bytes_max || !views.unreadable.is_empty(), "it is too large, and read");
}

/// The bytes as a whole message; behind proper headers; or as the bodies of a
/// proper letter, HTML behind the first NUL.
fn message(world: &World, account: usize, mode: u8, rest: &[u8]) -> Vec<u8> {
    if mode == 0 {
        return rest.to_vec();
    }
    let mut letter = Letter::new(world, account);
    if mode == 1 {
        let mut bytes = Vec::new();
        for (name, value) in letter.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(rest);
        return bytes;
    }
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    letter.text.push_str(&String::from_utf8_lossy(&rest[..end]));
    letter.html.push_str(&String::from_utf8_lossy(rest.get(end + 1..).unwrap_or_default()));
    letter.bytes()
}

/// Bytes as a value of each kind: its canonical form is its own, and that of the
/// folded value.
pub fn canonical(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let country = [None, Some("JP"), Some("GB"), Some("US")][usize::from(*mode) % 4];
    let text = String::from_utf8_lossy(rest);
    let folded = normal::fold(&text);
    assert_eq!(normal::fold(&folded), folded, "folding {text:?} twice");
    for kind in Kind::ALL {
        let canonical = normal::canonical(kind, &text, country);
        if let Ok(canonical) = &canonical {
            assert_eq!(normal::canonical(kind, canonical, country).as_ref(), Ok(canonical), "{kind} {text:?} twice");
        }
        // A secret is taken as it is written.
        if kind != Kind::Secret {
            assert_eq!(normal::canonical(kind, &folded, country), canonical, "{kind} {text:?} folded");
        }
    }
}

/// Bytes as an index file, or as changes to a good one: it is opened or refused,
/// every question to it has an answer, and one that proves itself answers as it
/// was built.
pub fn index(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let built = &*BUILT;
    let mut bytes = if mode % 2 == 0 { rest.to_vec() } else { changed(&built.bytes, rest) };
    // A header that vouches for itself is read to its end.
    let summed = mode / 2 % 2 == 1 && bytes.len() >= HEADER;
    if summed {
        let sum = blake3::hash(&bytes[..HEADER - SUM]);
        bytes[HEADER - SUM..HEADER].copy_from_slice(sum.as_bytes());
    }
    let file = built.folder.path().join(format!("{:?}.index", std::thread::current().id()));
    std::fs::write(&file, &bytes).expect("the file can be written");
    let Ok(index) = Index::open(&file, &built.keys) else { return };
    let proved = index.verify().is_ok();
    let _ = (index.len(), index.is_empty(), index.hot_bytes(), index.row_last(), index.check(index.edition()));
    for (hash, account) in &built.owners {
        let (there, owner, owners) = (index.has(*hash), index.owner(*hash), index.owners(*hash));
        // One of several may be damaged and the first not.
        let damaged = owners.iter().any(|owner| owner.as_str() == DAMAGED);
        assert!(damaged || owner.as_ref() == owners.first(), "the first owner is another");
        assert!(there || owner.is_none(), "it has an owner and is not there");
        if proved && !summed {
            assert_eq!(owner.as_ref(), Some(account), "what proves itself is as it was built");
        }
    }
    for hash in [0, 1, u128::MAX, 1 << 127] {
        let _ = (index.has(hash), index.owners(hash));
    }
    let _ = (index.names().joined(NAMES), index.names().worded(NAMES));
}

/// Bytes of an index's header, and of the sum at its end.
const HEADER: usize = 4096;
const SUM: usize = 32;

const NAMES: &str = "山田太郎1株式会社サンプル印刷10株式会社 ada ashgrove 3 and longfellow books 4 inc.";

/// A good index file and what it holds.
struct Built {
    folder: tempfile::TempDir,
    keys: Keys,
    bytes: Vec<u8>,
    owners: Vec<(u128, AccountId)>,
}

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    // In memory where there is a place for that: each input is a file.
    let place = Path::new("/dev/shm");
    let folder = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() }.expect("a folder");
    let keys = Keys::new(&[7; 32]);
    let (bytes, owners) = built(&folder.path().join("built.index"), &keys);
    Built { folder, keys, bytes, owners }
});

/// The bytes of a good index file, from which a corpus begins.
pub fn good_index() -> Vec<u8> {
    BUILT.bytes.clone()
}

fn built(file: &PathBuf, keys: &Keys) -> (Vec<u8>, Vec<(u128, AccountId)>) {
    let account = |n: i64| AccountId::new(&format!("{:08}", 10_000_000 + n)).expect("a key");
    let names = |n: i64| {
        [
            (Kind::Person, format!("山田太郎{n}")),
            (Kind::Organisation, format!("株式会社サンプル印刷{n}")),
            (Kind::Person, format!("ada ashgrove {n}")),
        ]
    };
    let mut accounts = Accounts::default();
    let mut rows = Vec::new();
    for n in 0..40 {
        accounts.push(n * 3, &account(n)).expect("rows grow");
        rows.push((keys.identifier(Kind::Id, account(n).as_str()), Kind::Id, n));
        // Eight share an address: their owners are a list.
        rows.push((keys.identifier(Kind::Email, &format!("info@shared{}.example", n / 8)), Kind::Email, n));
        rows.extend(names(n).map(|(kind, name)| (keys.identifier(kind, &name), kind, n)));
    }
    rows.sort_unstable();
    let edition = Edition { version: 3, digest: [9; 32], identifiers: rows.len() as u64 };
    let mut building = Building::begin(file, keys, edition, accounts).expect("a file can be made");
    for n in 0..40 {
        names(n).iter().for_each(|(_, name)| building.name(name, n * 3));
    }
    for (hash, kind, n) in &rows {
        building.add(*hash, *kind, n * 3).expect("rows are in order");
    }
    let index = building.finish().expect("the index proves itself");
    let owners = rows.iter().map(|(hash, _, _)| (*hash, index.owner(*hash).expect("it was built in"))).collect();
    assert!(index.owner(1).is_none_or(|owner| owner.as_str() != DAMAGED));
    (std::fs::read(file).expect("the file can be read"), owners)
}

/// A good file with bytes set (place in two bytes, value in one), and, by what is
/// left over, cut or made longer.
fn changed(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let (sets, rest) = changes.as_chunks::<3>();
    for [high, low, value] in sets {
        let place = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
        bytes[place] = *value;
    }
    match rest {
        [] => {}
        [by] => bytes.truncate(bytes.len() - usize::from(*by)),
        [high, low, ..] => bytes.resize(usize::from(u16::from_be_bytes([*high, *low])), 0),
    }
    bytes
}
