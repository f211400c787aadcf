//! The bodies of the fuzz targets over their seeds and seeded mutations of them:
//! a short run of what `cargo fuzz` does for hours (ops/guide/development.md).

use std::path::Path;

use kakitome::account::Kind;
use rayon::prelude::*;

use super::bodies;
use super::encodings::ENCODINGS;
use super::letter::Letter;
use super::world::World;

type Body = fn(&[u8]);

/// Each target, its body, its seeds, and how many mutations of them are tried.
fn targets() -> [(&'static str, Body, Vec<Vec<u8>>, usize); 3] {
    [
        ("views", bodies::views, messages(), 1_500),
        ("canonical", bodies::canonical, values(), 30_000),
        ("index", bodies::index, indexes(), 3_000),
    ]
}

/// Every encoding of every kind, as a whole message and as a letter's bodies: own
/// values and those of others.
fn messages() -> Vec<Vec<u8>> {
    let world = World::new();
    let mut seeds = Vec::new();
    for encoding in ENCODINGS {
        for (own, other) in [(0, 1), (2, 2)] {
            let of_kind = |(kind, _): &(Kind, String)| encoding.kinds.contains(kind);
            for (_, value) in world.identifiers(other).into_iter().filter(of_kind) {
                let mut letter = Letter::new(&world, own);
                let proper = letter.clone();
                if (encoding.put)(&mut letter, &value).is_none() {
                    continue;
                }
                let mode = own as u8 * 3;
                seeds.push([&[mode][..], &letter.bytes()].concat());
                // What was added to the letter, behind the proper headers.
                let (text, html) = (&letter.text[proper.text.len()..], &letter.html[proper.html.len()..]);
                match letter.parts.first() {
                    Some(part) => seeds.push([&[mode + 1][..], part.as_bytes()].concat()),
                    None => seeds.push([&[mode + 2][..], text.as_bytes(), b"\0", html.as_bytes()].concat()),
                }
            }
        }
    }
    seeds
}

/// Every value of the directory, in every encoding that is text.
fn values() -> Vec<Vec<u8>> {
    let world = World::new();
    let mut seeds = Vec::new();
    for (kind, value) in (0..world.records.len()).flat_map(|account| world.identifiers(account)) {
        seeds.push([b"\x01", value.as_bytes()].concat());
        for encoding in ENCODINGS.iter().filter(|encoding| encoding.kinds.contains(&kind)) {
            let mut letter = Letter::new(&world, 0);
            letter.text.clear();
            if (encoding.put)(&mut letter, &value).is_some() && !letter.text.is_empty() {
                seeds.push([b"\x01", letter.text.trim().as_bytes()].concat());
            }
        }
    }
    // Found once: of two full stops behind a corporate form, one was taken off at a time.
    seeds.push("\x01Longfellow & Daughters Inc..".into());
    // Found once: a telephone number with one zero more than was taken off.
    seeds.push(b"\x090\x000\t0\x0003636\x013636\x01".to_vec());
    seeds
}

/// A good file, as it is and cut, and no changes to one.
fn indexes() -> Vec<Vec<u8>> {
    let good = bodies::good_index();
    let cuts = [0, 8, 4_095, 4_096, good.len() - 1, good.len()].map(|end| [&[0][..], &good[..end]].concat());
    let summed = [&[2][..], &good].concat();
    // Found once: of a value that several share, a later owner is damaged.
    let shared = vec![3, 0x77, 0x30, 0x9f, 9, 0, 0, 0];
    let changes = (0..160_u16).map(|place| [&[3][..], &place.to_be_bytes(), &[0xff]].concat());
    cuts.into_iter().chain([summed, vec![1], vec![3], shared]).chain(changes).collect()
}

/// Changes an input as a fuzzer does: bytes set, turned, doubled and left out, and
/// pieces of other inputs put in.
fn mutated(random: &mut fastrand::Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=input.len());
        let end = (at + random.usize(..24)).min(input.len());
        match random.u8(..6) {
            0 => drop(input.splice(at..end, [])),
            1 => input.insert(at, random.u8(..)),
            2 => input[at..end].iter_mut().take(1).for_each(|byte| *byte ^= 1 << random.u8(..8)),
            3 => input[at..end].iter_mut().take(1).for_each(|byte| *byte = random.u8(..)),
            4 => drop(input.splice(at..at, input[at..end].to_vec())),
            _ => {
                let other = &seeds[random.usize(..seeds.len())];
                let from = random.usize(..=other.len());
                let piece = other[from..(from + random.usize(..64)).min(other.len())].to_vec();
                drop(input.splice(at..end, piece));
            }
        }
    }
    input
}

/// `KAKITOME_FUZZ_ROUNDS=N` tries so many times as many mutations.
#[test]
fn bodies_hold_on_their_seeds_and_on_mutations_of_them() {
    let rounds = std::env::var("KAKITOME_FUZZ_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for (name, body, seeds, mutations) in targets() {
        assert!(seeds.len() > 100, "{name} has {} seeds", seeds.len());
        seeds.par_iter().for_each(|seed| body(seed));
        for round in 0..rounds {
            let mut random = fastrand::Rng::with_seed(20_261_231 + round);
            let mutations: Vec<_> = (0..mutations).map(|_| mutated(&mut random, &seeds)).collect();
            mutations.par_iter().for_each(|input| body(input));
        }
    }
}

/// Writes the corpora that `cargo fuzz` begins with, a folder a target.
#[test]
#[ignore = "it writes files: cargo test --release --test guard -- --ignored seeds_are_written"]
fn seeds_are_written() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, _, seeds, _) in targets() {
        let folder = corpus.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:05}")), seed).unwrap();
        }
    }
}
