//! Members that cover a template best: every branch, the longest and the
//! emptiest, none and the most of each list, non-ASCII, IDN, every recipient
//! domain, then a seeded shuffle. The same for the same candidates and seed.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Field, Recipient};
use crate::render::Renderer;

/// One chosen candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its place among the candidates.
    pub at: usize,
    /// Why it was chosen, in a few words.
    pub why: String,
}

/// Chooses up to `count` of the candidates.
pub fn choose(renderer: &Renderer, candidates: &[Recipient], count: usize, seed: u64) -> Vec<Choice> {
    let mut chosen = Chosen { count: count.min(candidates.len()), at: BTreeMap::new(), order: Vec::new() };
    branches(renderer, candidates, &mut chosen);
    extremes(candidates, &mut chosen);
    providers(candidates, &mut chosen);
    let mut rest: Vec<usize> = (0..candidates.len()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut rest);
    for at in rest {
        chosen.take(at, "by the seed");
    }
    chosen.finish()
}

struct Chosen {
    count: usize,
    at: BTreeMap<usize, usize>,
    order: Vec<Choice>,
}

impl Chosen {
    fn take(&mut self, at: usize, why: &str) {
        if let Some(place) = self.at.get(&at) {
            let choice = &mut self.order[*place];
            if why != "by the seed" && !choice.why.contains(why) {
                choice.why = format!("{}, {why}", choice.why);
            }
        } else if self.order.len() < self.count {
            self.at.insert(at, self.order.len());
            self.order.push(Choice { at, why: why.to_owned() });
        }
    }

    fn finish(self) -> Vec<Choice> {
        self.order
    }
}

/// Greedy cover: always the candidate that takes the most branches not yet
/// covered.
fn branches(renderer: &Renderer, candidates: &[Recipient], chosen: &mut Chosen) {
    let taken: Vec<Vec<char>> = candidates.iter().map(|candidate| renderer.branches(candidate)).collect();
    let mut left: BTreeSet<char> = taken.iter().flatten().copied().collect();
    while !left.is_empty() {
        let new = |at: &usize| taken[*at].iter().filter(|branch| left.contains(branch)).count();
        // `max_by_key` takes the last of equals: reversed, the first.
        let Some(best) = (0..candidates.len()).rev().max_by_key(new) else { break };
        let before = left.len();
        for branch in &taken[best] {
            left.remove(branch);
        }
        if left.len() == before {
            break;
        }
        chosen.take(best, "covers a branch");
    }
}

fn extremes(candidates: &[Recipient], chosen: &mut Chosen) {
    let fields = |r: &Recipient| r.record.fields.values().flat_map(Field::values).map(str::len).sum::<usize>();
    let filled = |r: &Recipient| r.record.fields.values().filter(|f| f.values().next().is_some()).count();
    let most = |r: &Recipient| list_lengths(r).max().unwrap_or(0);
    let address = |r: &Recipient| r.record.address.as_str().len();
    let mut pick = |why: &str, score: &dyn Fn(&Recipient) -> usize| {
        if let Some(at) = (0..candidates.len()).rev().max_by_key(|at| score(&candidates[*at])) {
            chosen.take(at, why);
        }
    };
    pick("the longest values", &fields);
    pick("the emptiest record", &|r| usize::MAX - filled(r));
    pick("the longest list", &most);
    pick("an empty list", &|r| usize::from(list_lengths(r).any(|n| n == 0)));
    pick("the longest address", &address);
    pick("not ASCII", &|r| usize::from(values(r).any(|v| !v.is_ascii())));
    pick("all ASCII", &|r| usize::from(values(r).all(str::is_ascii)));
    pick("an IDN", &|r| usize::from(values(r).any(|v| v.contains("xn--") || (v.contains('.') && !v.is_ascii()))));
}

fn values(recipient: &Recipient) -> impl Iterator<Item = &str> {
    recipient.record.fields.values().flat_map(Field::values)
}

fn list_lengths(recipient: &Recipient) -> impl Iterator<Item = usize> {
    recipient.record.fields.values().filter_map(|field| match field {
        Field::Many(values) => Some(values.len()),
        Field::One(_) => None,
    })
}

/// One member of each recipient domain, the largest domains first.
fn providers(candidates: &[Recipient], chosen: &mut Chosen) {
    let mut domains: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let (count, _) = domains.entry(candidate.record.address.domain()).or_insert((0, at));
        *count += 1;
    }
    let mut largest: Vec<(usize, usize)> = domains.into_values().collect();
    largest.sort_unstable_by_key(|(count, at)| (usize::MAX - count, *at));
    for (_, at) in largest.into_iter().take(chosen.count / 4) {
        chosen.take(at, "a recipient domain of its own");
    }
}
