//! Every encoding × every kind: another account's value is held, one's own is
//! cleared.

use kakitome::account::Kind;
use kakitome::guard::{Rule, Verdict};

use super::encodings::ENCODINGS;
use super::letter::Letter;
use super::world::World;

/// The Japanese accounts and the English ones see each other's values.
const PAIRS: [(usize, usize); 4] = [(0, 1), (1, 2), (2, 3), (3, 0)];

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
    let world = World::new();
    let mut faults = Vec::new();
    let mut judged = 0;
    for encoding in ENCODINGS {
        for (own, other) in PAIRS {
            let of_kind = |(kind, _): &(Kind, String)| encoding.kinds.contains(kind);
            for (kind, value) in world.identifiers(other).into_iter().filter(of_kind) {
                let mut letter = Letter::new(&world, own);
                if (encoding.put)(&mut letter, &value).is_none() {
                    continue;
                }
                judged += 1;
                let verdict = world.judge(own, &letter.bytes());
                if !holds(&verdict, kind, &world.records[other].account) {
                    let rules: Vec<_> = verdict.findings.iter().map(|f| (f.rule.as_str(), f.kind, &f.place)).collect();
                    faults.push(format!("LEAK   {} × {kind}: {value} for {own}: {rules:?}", encoding.name));
                }
                let mut letter = Letter::new(&world, other);
                let _ = (encoding.put)(&mut letter, &value);
                let verdict = world.judge(other, &letter.bytes());
                if !verdict.is_cleared() {
                    faults.push(format!("ALARM  {} × {kind}: {value}: {:?}", encoding.name, verdict.findings));
                }
            }
        }
    }
    assert!(judged > 1000, "only {judged} letters were judged");
    assert!(faults.is_empty(), "{} faults in {judged} letters:\n{}", faults.len(), faults.join("\n"));
}
