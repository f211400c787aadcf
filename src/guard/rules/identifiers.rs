//! `foreign` and `unexplained`: whose is each identifier-shaped token.
//!
//! Own comes first, then what the template says by itself or the campaign
//! allows, then the directory: somebody else's is foreign. What nobody is known
//! to own is unexplained, where its shape is plain enough to ask.

use crate::account::{AccountId, Kind, mask};
use crate::guard::finding::Rule;
use crate::guard::known::{canonicals, idn_candidates};
use crate::guard::normal;
use crate::guard::own::suffixes;
use crate::guard::rules::Case;
use crate::guard::token::{FILES, Shape, Token};
use crate::guard::view::{self, View};

/// Whose a token is.
enum Whose {
    Own,
    Explained,
    Foreign(Kind, AccountId),
    Nobodys,
}

/// Judges every token of one view.
pub fn judge(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    for token in case.guard.scanner().scan(folded) {
        let visible = view.shape == view::Shape::Visible;
        if !visible && case.explained.contains(token.text) {
            continue;
        }
        match whose(case, &token, visible) {
            Whose::Own | Whose::Explained => {
                case.explained.insert(token.text.to_owned());
            }
            Whose::Foreign(kind, owner) => {
                case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(token.text), Some(&owner));
            }
            Whose::Nobodys if asks(case, &token, view) => {
                case.find(Rule::Unexplained, Some(token.shape.kind()), &view.place.to_string(), mask(token.text), None);
            }
            Whose::Nobodys => {}
        }
    }
}

/// Whether a token that nobody owns must be explained where it stands.
fn asks(case: &Case<'_>, token: &Token<'_>, view: &View<'_>) -> bool {
    if view.shape == view::Shape::Loose {
        return false;
    }
    match token.shape {
        Shape::Host | Shape::Idn | Shape::Email | Shape::Id | Shape::GroupedId => true,
        Shape::BuriedId => false,
        Shape::Phone => normal::canonical(Kind::Phone, token.text, case.guard.country())
            .is_ok_and(|e164| normal::is_dialable(&e164)),
    }
}

fn whose(case: &mut Case<'_>, token: &Token<'_>, visible: bool) -> Whose {
    let found = match token.shape {
        Shape::Host => host(case, token.text, visible),
        Shape::Idn => idn(case, token.text, visible),
        Shape::Email => email(case, token.text, visible),
        Shape::Id | Shape::GroupedId | Shape::BuriedId | Shape::Phone => value(case, token, visible),
    };
    match found {
        Whose::Nobodys | Whose::Foreign(..) if case.known.has_run(token.text) => Whose::Explained,
        found => found,
    }
}

fn show(case: &mut Case<'_>, kind: Kind, canonical: &str, visible: bool) {
    if visible {
        case.shown.insert((kind, canonical.to_owned()));
    }
}

fn value(case: &mut Case<'_>, token: &Token<'_>, visible: bool) -> Whose {
    let kind = token.shape.kind();
    for canonical in canonicals(token, case.guard.country()) {
        if case.own.has(kind, &canonical) {
            show(case, kind, &canonical, visible);
            return Whose::Own;
        }
        if case.known.has(kind, &canonical) {
            return Whose::Explained;
        }
        if let Some(owner) = case.guard.owner(kind, &canonical) {
            return Whose::Foreign(kind, owner.clone());
        }
    }
    Whose::Nobodys
}

fn host(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    match normal::canonical(Kind::Domain, text, None) {
        Ok(host) => canonical_host(case, &host, visible),
        Err(_) => Whose::Nobodys,
    }
}

fn canonical_host(case: &mut Case<'_>, host: &str, visible: bool) -> Whose {
    if case.own.has_host(host) {
        for suffix in suffixes(host) {
            show(case, Kind::Domain, suffix, visible);
        }
        return Whose::Own;
    }
    if case.known.has(Kind::Domain, host) {
        return Whose::Explained;
    }
    for suffix in suffixes(host) {
        if let Some(owner) = case.guard.owner(Kind::Domain, suffix) {
            return Whose::Foreign(Kind::Domain, owner.clone());
        }
    }
    if case.own.has_provider(host) { Whose::Own } else { Whose::Nobodys }
}

/// A host in running Japanese: the longest reading that anybody owns counts, so
/// that an own short domain at its end does not hide a foreign longer one.
fn idn(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    let mut readings: Vec<&str> = idn_candidates(text).collect();
    readings.sort_by_key(|reading| std::cmp::Reverse(reading.len()));
    let mut a_host = false;
    for reading in readings {
        a_host |= is_plain_host(reading);
        match host(case, reading, visible) {
            Whose::Nobodys => {}
            found => return found,
        }
    }
    // 約3.5インチ, です.次に: no reading of it is a host that anybody would see.
    if a_host { Whose::Nobodys } else { Whose::Explained }
}

fn is_plain_host(reading: &str) -> bool {
    let last = reading.rsplit('.').next().unwrap_or_default();
    let ascii = last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic()) && !FILES.contains(&last);
    (ascii || last.starts_with("xn--") || normal::TOP_LEVEL.contains(&last))
        && normal::canonical(Kind::Domain, reading, None).is_ok()
}

fn email(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    let Ok(address) = normal::canonical(Kind::Email, text, None) else { return Whose::Nobodys };
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
    if case.own.has(Kind::Email, &address) {
        show(case, Kind::Email, &address, visible);
        return Whose::Own;
    }
    if case.known.has(Kind::Email, &address) {
        return Whose::Explained;
    }
    if let Some(owner) = case.guard.owner(Kind::Email, &address) {
        return Whose::Foreign(Kind::Email, owner.clone());
    }
    // Another mailbox of an own domain is own; one at the same provider is not.
    if case.own.has_host(&domain) {
        return Whose::Own;
    }
    match canonical_host(case, &domain, false) {
        Whose::Foreign(kind, owner) => Whose::Foreign(kind, owner),
        Whose::Own | Whose::Explained | Whose::Nobodys => Whose::Nobodys,
    }
}
