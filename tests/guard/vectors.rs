//! Every encoding × every kind: another account's value is held, one's own is
//! cleared. The guide's table (ops/guide/guard-vectors.md) is this one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kakitome::account::Kind;
use kakitome::guard::{Rule, Verdict};
use rayon::prelude::*;

use super::encodings;
use super::letter::Letter;
use super::world::World;
use super::worlds::DIRECTORIES;

/// The Japanese accounts and the English ones see each other's values.
const PAIRS: [(usize, usize); 5] = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5)];

/// The columns of the guide's table.
const COLUMNS: [(Kind, &str); 6] = [
    (Kind::Id, "ID"),
    (Kind::Email, "e-mail"),
    (Kind::Domain, "domain"),
    (Kind::Phone, "phone"),
    (Kind::Person, "person"),
    (Kind::Organisation, "organisation"),
];

/// The longest line of the guide, in characters.
const LINE_MAX: usize = 118;

/// What judging every vector said.
#[derive(Default)]
struct Tally {
    /// Vectors, by family and kind.
    judged: BTreeMap<(&'static str, Kind), usize>,
    /// Those that were not held, by family.
    missed: BTreeMap<&'static str, usize>,
    /// Encodings that no value has.
    unused: Vec<&'static str>,
    faults: Vec<String>,
}

static TALLY: LazyLock<Tally> = LazyLock::new(Tally::take);

impl Tally {
    fn take() -> Self {
        let world = World::new();
        let mut tally = Self::default();
        for encoding in encodings::all() {
            let before: usize = tally.judged.values().sum();
            for (own, other) in PAIRS {
                let of_kind = |(kind, _): &(Kind, String)| encoding.kinds.contains(kind);
                for (kind, value) in world.identifiers(other).into_iter().filter(of_kind) {
                    tally.vector(&world, encoding, (own, other), kind, &value);
                }
            }
            if tally.judged.values().sum::<usize>() == before {
                tally.unused.push(encoding.name);
            }
        }
        tally
    }

    fn vector(
        &mut self,
        world: &World,
        encoding: &'static encodings::Encoding,
        (own, other): (usize, usize),
        kind: Kind,
        value: &str,
    ) {
        let name = format!("{}, {}", encoding.family, encoding.name);
        let mut letter = Letter::new(world, own);
        if (encoding.put)(&mut letter, value).is_none() {
            return;
        }
        *self.judged.entry((encoding.family, kind)).or_default() += 1;
        let verdict = world.judge(own, &letter.bytes());
        if !holds(&verdict, kind, &world.records[other].account) {
            *self.missed.entry(encoding.family).or_default() += 1;
            let rules: Vec<_> = verdict.findings.iter().map(|f| (f.rule.as_str(), f.kind, &f.place)).collect();
            self.faults.push(format!("LEAK   {name} × {kind}: {value} for {own}: {rules:?}"));
        }
        let mut letter = Letter::new(world, other);
        let _ = (encoding.put)(&mut letter, value);
        let verdict = world.judge(other, &letter.bytes());
        if !verdict.is_cleared() {
            self.faults.push(format!("ALARM  {name} × {kind}: {value}: {:?}", verdict.findings));
        }
    }

    /// The table of the guide, and the encodings of each family by name.
    fn markdown(&self) -> String {
        let mut families: Vec<(&str, Vec<&str>)> = Vec::new();
        for encoding in encodings::all() {
            match families.last_mut() {
                Some((family, names)) if *family == encoding.family => names.push(encoding.name),
                _ => families.push((encoding.family, vec![encoding.name])),
            }
        }
        let head = COLUMNS.map(|(_, name)| format!(" {name} |")).concat();
        let mut table =
            format!("| encodings | number |{head} vectors | missed |\n|---{}|\n", "|---:".repeat(COLUMNS.len() + 3));
        let mut row = |name: &str, number: usize, of: &dyn Fn(Kind) -> usize, missed: usize| {
            let counts = COLUMNS.map(|(kind, _)| of(kind));
            let cells = counts.map(|count| if count == 0 { " |".to_owned() } else { format!(" {count} |") }).concat();
            table.push_str(&format!("| {name} | {number} |{cells} {} | {missed} |\n", counts.iter().sum::<usize>()));
        };
        for (family, names) in &families {
            let of = |kind| self.judged.get(&(*family, kind)).copied().unwrap_or(0);
            row(family, names.len(), &of, self.missed.get(family).copied().unwrap_or(0));
        }
        let all = |kind| self.judged.iter().filter(|((_, of), _)| *of == kind).map(|(_, count)| count).sum();
        let number = families.iter().map(|(_, names)| names.len()).sum();
        row("all", number, &all, self.missed.values().sum());
        table.push('\n');
        let mut families = families.into_iter().peekable();
        while let Some((family, names)) = families.next() {
            let mut title = family.to_owned();
            while let Some((next, _)) = families.next_if(|(_, next)| *next == names) {
                title.push_str(&format!(" · {next}"));
            }
            table.push_str(&wrapped(&format!("* **{title}**: {}", list(&names))));
        }
        table
    }
}

/// Names as text: a tag or an entity in one is no markup.
fn list(names: &[&str]) -> String {
    let text = |name: &&str| if name.contains(['<', '&']) { format!("`{name}`") } else { (*name).to_owned() };
    names.iter().map(text).collect::<Vec<_>>().join(" · ")
}

/// A list item in lines of the guide's length.
fn wrapped(item: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in item.split(' ') {
        let length = word.chars().count();
        if column + 1 + length > LINE_MAX {
            out.push_str("\n ");
            column = 1;
        }
        if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out + "\n"
}

fn holds(verdict: &Verdict, kind: Kind, owner: &kakitome::account::AccountId) -> bool {
    verdict.findings.iter().any(|f| f.rule == Rule::Foreign && f.kind == Some(kind) && f.owner.as_ref() == Some(owner))
}

#[test]
fn a_proper_letter_is_cleared() {
    let world = World::new();
    for account in 0..world.records.len() {
        let verdict = world.judge(account, &Letter::new(&world, account).bytes());
        assert!(verdict.is_cleared(), "account {account}: {:#?}", verdict.findings);
    }
}

#[test]
fn every_encoding_of_every_kind() {
    let Tally { judged, faults, unused, .. } = &*TALLY;
    let judged: usize = judged.values().sum();
    assert!(judged > 3000, "only {judged} letters were judged");
    assert!(unused.is_empty(), "no value has these forms: {unused:?}");
    assert!(faults.is_empty(), "{} faults in {judged} letters:\n{}", faults.len(), faults.join("\n"));
}

/// What is true of one directory is true of each: country, script and pattern of IDs are
/// nothing special.
#[test]
fn every_encoding_in_every_directory() {
    // These are written for eight digits, the numbers and the scripts of Japan.
    let fits = |encoding: &encodings::Encoding, kind: Kind, value: &str| {
        let is_joined = value.chars().any(|c| ('\u{3040}'..='\u{d7af}').contains(&c));
        match kind {
            Kind::Id => !encoding.name.starts_with("ID "),
            Kind::Phone => encoding.family != "Telephone numbers",
            Kind::Domain => encoding.name != "upper case" || !value.contains(['ß', 'ς']),
            Kind::Person | Kind::Organisation => encoding.family != "Names and companies" || is_joined,
            _ => true,
        }
    };
    let faults: Vec<String> = DIRECTORIES
        .par_iter()
        .flat_map_iter(|directory| {
            let world = directory.world();
            let mut tally = Tally::default();
            for encoding in encodings::all() {
                for (own, other) in [(0, 1)] {
                    for (kind, value) in world.identifiers(other) {
                        if encoding.kinds.contains(&kind) && fits(encoding, kind, &value) {
                            tally.vector(&world, encoding, (own, other), kind, &value);
                        }
                    }
                }
            }
            let judged: usize = tally.judged.values().sum();
            assert!(judged > 500, "{}: only {judged} letters were judged", directory.name);
            tally.faults.into_iter().map(|fault| format!("{}: {fault}", directory.name)).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_table_of_the_guide_is_this_one() {
    let guide = include_str!("../../ops/guide/guard-vectors.md");
    let table = TALLY.markdown();
    assert!(guide.contains(&table), "the guide's table of vectors is another; it should be\n\n{table}");
}
