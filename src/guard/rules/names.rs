//! Names: those of other accounts anywhere (`foreign`), and whom the message
//! addresses (`salutation`).

use std::collections::HashMap;

use crate::account::{AccountId, Kind, mask};
use crate::guard::captioned;
use crate::guard::finding::Rule;
use crate::guard::names::{Hit, Names, slug, squeeze};
use crate::guard::normal;
use crate::guard::rules::addressee::is_explained;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::within::Spans;
use crate::guard::rules::{Case, is_header, is_read};
use crate::guard::salutation::{NAME_MAX, Salutation, broken, is_generic, salutations};
use crate::guard::standalone::{self, Standing};
use crate::guard::view::{Shape, View};

/// Judges every name of one view.
pub fn judge(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let guard = case.guard;
    let names = guard.index().names();
    // Names without spaces are of other scripts: most attributes have none.
    if folded.is_ascii() && !names.has_worded() && view.shape != Shape::Visible && case.extra().is_none() {
        return;
    }
    let (joined, spaced) = squeeze(folded);
    anywhere(case, view, names, &joined, &spaced);
    if let Some(words) = slug(view, folded) {
        // `/renew/john-smith.example` is its owner's, whoever John Smith is.
        let mut hits = names.worded(&words);
        hits.retain(|hit| !case.own.spells(&words[hit.start..hit.end]));
        foreign(case, view, &words, &hits);
    }
    if let Some(declared) = case.extra().and_then(|extra| extra.names()) {
        anywhere(case, view, declared, &joined, &spaced);
    }
    captioned(case, view, folded);
    standing(case, view, folded);
    if view.shape == Shape::Visible {
        if is_read(view) {
            let shown = |name: &&String| joined.contains(*name) || spaced.contains(*name);
            let own: Vec<String> = case.own.names().iter().filter(shown).cloned().collect();
            own.iter().for_each(|name| case.shown.insert(Kind::Person, name));
        }
        addressed(case, view, folded);
        if is_header(view) && view.place.view == "To" {
            written_to(case, view, folded);
        }
    }
}

/// Judges a text around a seam between two passages: what other rules of this room look
/// at does not reach across one.
pub fn across(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let (joined, spaced) = squeeze(folded);
    anywhere(case, view, case.guard.index().names(), &joined, &spaced);
}

/// Whoever stands before the address in `To` is addressed, honorific or not.
fn written_to(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let words = folded.split('<').next().unwrap_or_default().trim_matches(|c: char| c.is_whitespace() || c == '"');
    let salutation = Salutation::of(words);
    let is_name = !words.contains('@') && words.chars().any(char::is_alphabetic);
    if is_name && !is_generic(&salutation.name) && !is_explained(case, &salutation) {
        case.find(Rule::Salutation, Some(Kind::Person), &view.place.to_string(), mask(&salutation.name), None);
    }
}

/// Names that are searched for anywhere, the directory's or the campaign's.
fn anywhere(case: &mut Case<'_>, view: &View<'_>, names: Names<'_>, joined: &str, spaced: &str) {
    if !joined.is_ascii() {
        foreign(case, view, joined, &names.joined(joined));
    }
    if spaced.contains(' ') {
        foreign(case, view, spaced, &names.worded(spaced));
    }
}

fn foreign(case: &mut Case<'_>, view: &View<'_>, text: &str, hits: &[Hit]) {
    if hits.is_empty() {
        return;
    }
    let own = own_spans(case, text);
    for hit in hits {
        let name = &text[hit.start..hit.end];
        // A piece of one's own name is one's own.
        if own.covers(hit.start, hit.end) || case.own.has_name(name) || case.known.has_name(hit.hash, name) {
            continue;
        }
        if case.is_nobodys {
            case.find(Rule::Foreign, None, "text", mask(name), None);
            return;
        }
        // The search finds by chance too, once in a very long while.
        let directory = case.guard.index().owner(hit.hash);
        let Some(owner) = directory.or_else(|| case.extra()?.owner(hit.hash)) else { continue };
        let kind = case.guard.name_kind(name, hit.hash);
        case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), Some(&owner));
    }
}

fn own_spans(case: &Case<'_>, text: &str) -> Spans {
    let spans = case.own.names().iter().flat_map(|name| text.match_indices(name.as_str()));
    Spans::new(spans.map(|(start, name)| (start, start + name.len())).collect())
}

/// Salutations of one view that are told of: the message is held at the first.
const TOLD_MAX: usize = 32;

fn addressed(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    // A list of names may be as long as a message.
    let mut met = HashMap::new();
    let mut told = 0;
    for (salutation, above) in salutations(folded) {
        let name = &salutation.name;
        if *met.entry(salutation.words.clone()).or_insert_with(|| is_explained(case, &salutation)) {
            continue;
        }
        let place = view.place.to_string();
        if !salutation.is_sure {
            if let Some((kind, owner)) = other_body(case, name) {
                case.find(Rule::Foreign, Some(kind), &place, mask(name), Some(&owner));
            }
            continue;
        }
        // A text without spaces is broken anywhere, in the middle of a name too.
        let whole_is = |whole: &Salutation| is_generic(&whole.name) || is_explained(case, whole);
        if broken(above, &salutation).iter().any(whole_is) {
            continue;
        }
        if let Some((kind, owner)) = other(case, name) {
            case.find(Rule::Foreign, Some(kind), &place, mask(name), Some(&owner));
        }
        case.find(Rule::Salutation, Some(Kind::Person), &place, mask(name), None);
        told += 1;
        if told == TOLD_MAX {
            return;
        }
    }
}

/// Names behind a caption: another account's only, since a caption may have anything
/// behind it.
fn captioned(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    for named in captioned::names(folded) {
        for named in behind_own(case, &named.words).into_iter().chain([named]) {
            if let Some((kind, owner)) = other(case, &named.name).filter(|_| !is_explained(case, &named)) {
                case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(&named.name), Some(&owner));
            }
        }
    }
}

/// `株式会社サンプル 林愛`: who stands behind an own name.
fn behind_own(case: &Case<'_>, words: &str) -> Option<Salutation> {
    let gaps = words.match_indices(char::is_whitespace);
    let (at, _) = gaps.filter(|(at, _)| case.own.has_name(&normal::name(&words[..*at]))).last()?;
    let words = words[at..].trim();
    Some(Salutation::of(words))
}

/// Short names that stand by themselves.
fn standing(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let names = case.guard.index().names();
    let has_more = case.extra().is_some_and(|extra| extra.names().is_some());
    for standing in standalone::names(folded, |first, second| has_more || names.may_begin_worded(first, second)) {
        let name = &standing.name;
        let is_explained = case.known.has_standing(name) || case.own.has_name(name);
        if let Some((kind, owner)) = other(case, name).filter(|_| !is_explained && !is_in_own(case, folded, &standing))
        {
            case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), Some(&owner));
        }
    }
}

/// Whether a name is a piece of an own one: `喫茶 林 愛`.
fn is_in_own(case: &Case<'_>, folded: &str, standing: &Standing) -> bool {
    let is_letter = |c: &char| !normal::is_between(*c);
    let (before, after) = (&folded[..standing.place.start], &folded[standing.place.end..]);
    let before = before.chars().rev().take(2 * NAME_MAX).filter(is_letter);
    let after = after.chars().take(2 * NAME_MAX).filter(is_letter);
    case.own.names().iter().any(|own| {
        own.match_indices(&*standing.name).any(|(at, name)| {
            let head = own[..at].chars().rev().filter(is_letter);
            let tail = own[at + name.len()..].chars().filter(is_letter);
            starts_with(before.clone(), head) && starts_with(after.clone(), tail)
        })
    })
}

fn starts_with(mut text: impl Iterator<Item = char>, mut head: impl Iterator<Item = char>) -> bool {
    head.all(|c| text.next() == Some(c))
}

/// Who else has this whole name.
fn other(case: &Case<'_>, name: &str) -> Option<(Kind, AccountId)> {
    [Kind::Person, Kind::Organisation].into_iter().find_map(|kind| other_of(case, kind, name))
}

fn other_of(case: &Case<'_>, kind: Kind, name: &str) -> Option<(Kind, AccountId)> {
    match case.claim(kind, name) {
        Claim::Other(owner) => Some((kind, owner)),
        Claim::Own | Claim::Nobodys => None,
    }
}

/// The same, and whose name is that of a body without its corporate form.
fn other_body(case: &Case<'_>, name: &str) -> Option<(Kind, AccountId)> {
    let body = |whole: String| other_of(case, Kind::Organisation, &whole);
    other(case, name).or_else(|| normal::with_forms(name).find_map(body))
}
