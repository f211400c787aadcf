//! Names: those of other accounts anywhere (`foreign`), and whom the message
//! addresses (`salutation`).

use crate::account::{Kind, mask};
use crate::guard::finding::Rule;
use crate::guard::names::{Hit, squeeze};
use crate::guard::normal;
use crate::guard::rules::Case;
use crate::guard::salutation::salutations;
use crate::guard::view::{Shape, View};

/// Judges every name of one view.
pub fn judge(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let (joined, spaced) = squeeze(folded);
    let guard = case.guard;
    let hits = guard.index().names().joined(&joined);
    foreign(case, view, &joined, &hits);
    let hits = guard.index().names().worded(&spaced);
    foreign(case, view, &spaced, &hits);
    if view.shape == Shape::Visible {
        for name in case.own.names().to_vec() {
            if joined.contains(&name) || spaced.contains(&name) {
                case.shown.insert((Kind::Person, name));
            }
        }
        addressed(case, view);
    }
}

fn foreign(case: &mut Case<'_>, view: &View<'_>, text: &str, hits: &[Hit]) {
    if hits.is_empty() {
        return;
    }
    let own: Vec<(usize, usize)> = own_spans(case, text);
    for hit in hits {
        let name = &text[hit.start..hit.end];
        // A piece of one's own name is one's own.
        let within = own.iter().any(|(start, end)| *start <= hit.start && hit.end <= *end);
        if within || case.own.has_name(name) || case.known.has_name(hit.hash, name) {
            continue;
        }
        let owner = case.guard.index().owner(hit.hash).cloned();
        let kind = case.guard.name_kind(name, hit.hash);
        case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), owner.as_ref());
    }
}

fn own_spans(case: &Case<'_>, text: &str) -> Vec<(usize, usize)> {
    let spans = case.own.names().iter().flat_map(|name| text.match_indices(name.as_str()));
    spans.map(|(start, name)| (start, start + name.len())).collect()
}

fn addressed(case: &mut Case<'_>, view: &View<'_>) {
    for salutation in salutations(&view.text) {
        let name = &salutation.name;
        let own = case.own.has_name(name)
            // `Example Inc.` has lost its full stop to the sentence.
            || case.own.has_name(&format!("{name}."))
            || case.own.names().iter().any(|own| name.ends_with(own.as_str()))
            || own_words(case, name)
            || own_address(case, name);
        if own || case.known.has_salutation(name) {
            continue;
        }
        let place = view.place.to_string();
        let owner = [Kind::Person, Kind::Organisation]
            .into_iter()
            .find_map(|kind| Some((kind, case.guard.owner(kind, name)?.clone())));
        if let Some((kind, owner)) = owner {
            case.find(Rule::Foreign, Some(kind), &place, mask(name), Some(&owner));
        }
        case.find(Rule::Salutation, Some(Kind::Person), &place, mask(name), None);
    }
}

/// `taro@example.com 様`, `例え.テスト 様`: what identifies is judged by itself.
fn own_address(case: &Case<'_>, name: &str) -> bool {
    let has = |kind| normal::canonical(kind, name, None).is_ok_and(|canonical| case.own.has(kind, &canonical));
    has(Kind::Email) || normal::canonical(Kind::Domain, name, None).is_ok_and(|host| case.own.has_host(&host))
}

/// `dear ada ashgrove, …`: every word is one of the account's own.
fn own_words(case: &Case<'_>, name: &str) -> bool {
    name.split([' ', '&']).filter(|word| !word.is_empty()).all(|word| case.own.has_name(word))
}
