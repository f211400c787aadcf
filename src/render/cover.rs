//! Which members of an audience show what a template can do: the ones that a
//! canary stage goes to first, and that an author looks at.
//!
//! Input: a template and recipients. Output: indexes into them, in order of
//! what they add, each with why. Nothing random but the seed: equal inputs
//! give the equal choice.
//!
//! In order: every branch (each condition both true and false, each loop over
//! none, one and several), found by rendering a seeded sample of at most
//! [`SAMPLE_MAX`] recipients and the extremes with probes around conditions;
//! the longest and the shortest record; each list column at its emptiest and
//! fullest; each column empty and non-ASCII; an internationalised domain name;
//! every recipient domain, the most frequent first; then a seeded shuffle.
//! No message is built here: links are stand-ins, nothing leaves this file.

mod probe;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::account::{Field, Recipient};

use super::Template;

/// Recipients that are rendered to find out which branches they take, besides
/// the extremes: about 0.1 ms each.
pub const SAMPLE_MAX: usize = 5_000;

/// One member that was chosen, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The index into the recipients.
    pub index: usize,
    /// What it adds, in a few words, without any value but the name of a
    /// column and a recipient domain.
    pub why: Vec<String>,
    /// The same in a word or two each, branches left out: `longest`.
    pub short: Vec<String>,
}

/// Chooses `n` members (all, if there are no more) that cover the template.
pub fn choose(template: &Template, recipients: &[Recipient], n: usize, seed: u64) -> Vec<Chosen> {
    let mut order: Vec<usize> = (0..recipients.len()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    let features = features(recipients, &order);
    let mut choice = Choice { n: n.min(recipients.len()), chosen: Vec::new(), places: HashMap::new() };
    branches(template, recipients, &order, &features, &mut choice);
    for feature in features {
        // A member that is in already may show this as well.
        let shown = choice.chosen.iter().find(|c| feature.shown_by(c.index, &recipients[c.index])).map(|c| c.index);
        choice.add(shown.unwrap_or(feature.index), feature.why, Some(feature.short));
    }
    for index in order {
        if choice.is_full() {
            break;
        }
        if !choice.places.contains_key(&index) {
            choice.add(index, "by lot".into(), Some("by lot".into()));
        }
    }
    choice.chosen
}

struct Choice {
    n: usize,
    chosen: Vec<Chosen>,
    places: HashMap<usize, usize>,
}

impl Choice {
    fn is_full(&self) -> bool {
        self.chosen.len() >= self.n
    }

    /// Takes a member in, or notes one more reason for one that is in.
    fn add(&mut self, index: usize, why: String, short: Option<String>) {
        if let Some(place) = self.places.get(&index) {
            let chosen = &mut self.chosen[*place];
            chosen.why.push(why);
            chosen.short.extend(short);
        } else if !self.is_full() {
            self.places.insert(index, self.chosen.len());
            self.chosen.push(Chosen { index, why: vec![why], short: short.into_iter().collect() });
        }
    }
}

/// Takes in, one after another, whoever takes most branches not yet taken.
fn branches(template: &Template, recipients: &[Recipient], order: &[usize], features: &[Feature], choice: &mut Choice) {
    let Some(probe) = probe::Probe::new(template) else { return };
    let mut tried = HashSet::new();
    let sample = features.iter().map(|f| f.index).chain(order.iter().copied().take(SAMPLE_MAX));
    let mut paths: Vec<(usize, Vec<probe::Branch>)> = sample
        .filter(|index| tried.insert(*index))
        .map(|index| (index, probe.branches(recipients[index].clone())))
        .collect();
    while !choice.is_full() {
        // The first of the best, so that the order decides between equals.
        let best = paths.iter().rev().max_by_key(|(_, left)| left.len());
        let Some((index, new)) = best.filter(|(_, left)| !left.is_empty()).cloned() else { return };
        for branch in &new {
            choice.add(index, branch.to_string(), None);
        }
        for (_, left) in &mut paths {
            left.retain(|branch| !new.contains(branch));
        }
    }
}

/// Something that a member can show about the data.
struct Feature {
    why: String,
    short: String,
    /// The member that shows it best, or first in the seeded order.
    index: usize,
    shows: Shows,
}

/// Which other members show the same.
enum Shows {
    /// None: an extreme has one place.
    Only,
    /// Those whose list has as many members.
    Count(String, usize),
    /// Those whose column is empty.
    Empty(String),
    /// Those whose column is not ASCII.
    Wide(String),
    /// Those that have an internationalised domain name.
    Idn,
    /// Those who get their mail there.
    Domain(String),
}

impl Feature {
    fn shown_by(&self, index: usize, recipient: &Recipient) -> bool {
        let field = |name: &String| recipient.record.fields.get(name);
        index == self.index
            || match &self.shows {
                Shows::Only => false,
                Shows::Count(name, count) => field(name).is_some_and(|f| f.values().count() == *count),
                Shows::Empty(name) => field(name).is_some_and(|f| f.values().next().is_none()),
                Shows::Wide(name) => field(name).is_some_and(is_wide),
                Shows::Idn => has_idn(recipient),
                Shows::Domain(domain) => recipient.record.address.domain() == domain,
            }
    }
}

/// Every feature that this audience has, the most telling first; one pass.
fn features(recipients: &[Recipient], order: &[usize]) -> Vec<Feature> {
    let mut sizes = Range::default();
    let mut counts: BTreeMap<&str, Range> = BTreeMap::new();
    let mut empty: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wide: BTreeMap<&str, usize> = BTreeMap::new();
    let mut idn = None;
    let mut domains: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for &index in order {
        let recipient = &recipients[index];
        sizes.see(size(recipient), index);
        for (name, field) in &recipient.record.fields {
            if let Field::Many(values) = field {
                counts.entry(name).or_default().see(values.len(), index);
            } else if field.values().next().is_none() {
                empty.entry(name).or_insert(index);
            }
            if is_wide(field) {
                wide.entry(name).or_insert(index);
            }
        }
        if idn.is_none() && has_idn(recipient) {
            idn = Some(index);
        }
        domains.entry(recipient.record.address.domain()).or_insert((0, index)).0 += 1;
    }
    let mut found = Vec::new();
    let mut add = |index, why: String, short: String, shows| found.push(Feature { why, short, index, shows });
    for (what, end) in [("longest", sizes.most), ("shortest", sizes.least)] {
        if let Some((_, index)) = end {
            add(index, format!("the {what} record"), what.into(), Shows::Only);
        }
    }
    for (name, range) in counts {
        for (what, end) in [("fewest", range.least), ("most", range.most)] {
            if let Some((count, index)) = end {
                add(
                    index,
                    format!("{what} {name} ({count})"),
                    format!("{count} {name}"),
                    Shows::Count(name.into(), count),
                );
            }
        }
    }
    for (name, index) in empty {
        add(index, format!("no {name}"), format!("no {name}"), Shows::Empty(name.into()));
    }
    for (name, index) in wide {
        add(index, format!("non-ASCII {name}"), format!("non-ASCII {name}"), Shows::Wide(name.into()));
    }
    if let Some(index) = idn {
        add(index, "an internationalised domain name".into(), "IDN".into(), Shows::Idn);
    }
    let mut domains: Vec<_> = domains.into_iter().collect();
    domains.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    for (domain, (_, index)) in domains {
        add(index, format!("mail at {domain}"), format!("at {domain}"), Shows::Domain(domain.into()));
    }
    found
}

/// The least and the most of something, each with the first who had it.
#[derive(Default)]
struct Range {
    least: Option<(usize, usize)>,
    most: Option<(usize, usize)>,
}

impl Range {
    fn see(&mut self, amount: usize, index: usize) {
        if self.least.is_none_or(|(least, _)| amount < least) {
            self.least = Some((amount, index));
        }
        if self.most.is_none_or(|(most, _)| amount > most) {
            self.most = Some((amount, index));
        }
    }
}

/// The bytes of everything that a message may show.
fn size(recipient: &Recipient) -> usize {
    let fields = recipient.record.fields.values().flat_map(Field::values).map(str::len);
    fields.chain(recipient.extra.values().map(String::len)).sum()
}

fn is_wide(field: &Field) -> bool {
    field.values().any(|value| !value.is_ascii())
}

/// Whether a value is a host or an address with an internationalised label.
fn has_idn(recipient: &Recipient) -> bool {
    recipient.record.fields.values().flat_map(Field::values).any(|value| {
        let host = value.rsplit('@').next().unwrap_or(value);
        host.contains('.')
            && !host.contains(char::is_whitespace)
            && (!host.is_ascii() || host.split('.').any(|label| label.to_ascii_lowercase().starts_with("xn--")))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{recipient, template};
    use super::*;

    /// 400 plain members; a few have what no other has.
    fn audience() -> Vec<Recipient> {
        (0..400)
            .map(|i| {
                let email = format!("m{i}@{}", if i % 2 == 0 { "big.example" } else { "mid.example" });
                let (mut name, mut plan, mut phone, mut domains) =
                    ("Taro", "free", "03", vec!["a.example", "b.example"]);
                let mut email = email.as_str();
                match i {
                    17 => plan = "premium",
                    59 => domains = vec![],
                    101 => domains = vec!["a.example"; 30],
                    150 => name = "山田",
                    203 => phone = "",
                    250 => domains = vec!["xn--r8jz45g.example", "b.example"],
                    301 => email = "x@tiny.example",
                    399 => domains = vec!["c.example"],
                    _ => {}
                }
                recipient(
                    &i.to_string(),
                    &[("name", name), ("plan", plan), ("phone", phone), ("email", email)],
                    &domains,
                )
            })
            .collect()
    }

    fn newsletter() -> Template {
        template(&[
            ("subject.txt", "{{ 'P' if account.plan == 'premium' else 'F' }}"),
            ("body.txt", "{% for d in account.domains if d != 'c.example' %}{{ d }}{% else %}none{% endfor %}{% include 'x.txt' %}"),
            ("x.txt", "{% if account.domains|length > 20 %}{{ account.nothing }}{% elif account.phone %}p{% endif %}"),
        ])
        .unwrap()
    }

    #[test]
    fn every_branch_and_every_extreme_is_among_the_chosen() {
        let (template, audience) = (newsletter(), audience());
        for seed in 0..5 {
            let chosen = choose(&template, &audience, 20, seed);
            assert_eq!(chosen.len(), 20);
            let distinct: HashSet<usize> = chosen.iter().map(|c| c.index).collect();
            assert_eq!(distinct.len(), 20);
            for needed in [17, 59, 101, 150, 203, 250, 301, 399] {
                assert!(distinct.contains(&needed), "seed {seed}: {needed} is missing from {chosen:#?}");
            }
            let short: Vec<&str> = chosen.iter().flat_map(|c| c.short.iter().map(String::as_str)).collect();
            for label in ["longest", "30 domains", "no phone", "IDN", "at tiny.example"] {
                assert!(short.contains(&label), "seed {seed}: no {label:?} in {short:?}");
            }
            let why: Vec<&str> = chosen.iter().flat_map(|c| c.why.iter().map(String::as_str)).collect();
            for reason in [
                "subject.txt line 1: condition true",
                "body.txt line 1: loop over none",
                "body.txt line 1: loop over one",
                "body.txt line 1: loop over several",
                "body.txt line 1: condition false",
                "x.txt line 1: condition true",
                "fewest domains (0)",
                "most domains (30)",
                "no phone",
                "non-ASCII name",
                "an internationalised domain name",
                "mail at tiny.example",
                "by lot",
            ] {
                assert!(why.contains(&reason), "seed {seed}: no {reason:?} in {why:?}");
            }
        }
    }

    #[test]
    fn the_choice_is_the_seeds_and_never_larger_than_the_audience() {
        let (template, audience) = (newsletter(), audience());
        assert_eq!(choose(&template, &audience, 50, 3), choose(&template, &audience, 50, 3));
        assert_ne!(choose(&template, &audience, 50, 3), choose(&template, &audience, 50, 4));
        assert_eq!(choose(&template, &audience, 3, 3).len(), 3);
        assert_eq!(choose(&template, &audience[..3], 50, 3).len(), 3);
        assert_eq!(choose(&template, &[], 50, 3), []);
    }
}
