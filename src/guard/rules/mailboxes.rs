//! E-mail addresses: whose each is, and which others its local part names.

use crate::account::Kind;
use crate::guard::find::file;
use crate::guard::find::{LOCAL_SIGNS, Token};
use crate::guard::normal;
use crate::guard::own::known::idn_readings;
use crate::guard::own::suffixes;
use crate::guard::rules::Case;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::hosts::{canonical_host, host, named_after};
use crate::guard::rules::identifiers::{Whose, show};

/// An address in running text: the longest reading that anybody owns counts.
pub(super) fn email(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    if let found @ Whose::Foreign(..) = returned(case, text)
        && !matches!(mailbox(case, text, visible), Whose::Own)
    {
        return found;
    }
    for address in addresses(text) {
        match mailbox(case, address, visible) {
            Whose::Nobodys => {}
            found => return found,
        }
    }
    for domain in domains(text) {
        let Ok(domain) = normal::canonical(Kind::Domain, domain, None) else { continue };
        // Another mailbox of an own domain is own; one at the same provider is not.
        if case.own.has_host(&domain) || matches!(case.claim_host(&domain), Claim::Own) || is_capital(case, &domain) {
            return Whose::Own;
        }
        if let Whose::Foreign(kind, owner) = canonical_host(case, &domain, false) {
            return Whose::Foreign(kind, owner);
        }
    }
    Whose::Nobodys
}

/// Whether an own domain is written in capitals, and nobody has one that is written so.
fn is_capital(case: &Case<'_>, domain: &str) -> bool {
    let is_own = |suffix| case.own.has_capital(Kind::Domain, suffix);
    matches!(case.claim_host(domain), Claim::Nobodys) && suffixes(&normal::capital(domain)).any(is_own)
}

/// An address that is broken up or spelled out: a mailbox that is known.
pub(super) fn buried_email(case: &mut Case<'_>, token: &Token<'_>, visible: bool) -> Whose {
    let text = token.says();
    for address in addresses(text) {
        match mailbox(case, address, visible) {
            Whose::Nobodys => {}
            found => return found,
        }
    }
    Whose::Nobodys
}

/// `bounces+7-hanako=sample.example@registrar.example`, `srs0=x=tt=sample.example=hanako@…`:
/// an address, or a host, in the local part of another.
fn returned(case: &mut Case<'_>, text: &str) -> Whose {
    let local = text.rsplit_once('@').map_or("", |(local, _)| local);
    // Longer than a local part may be: RFC 5321 §4.5.3.1.1 says 64.
    let local = local.char_indices().rev().nth(LOCAL_MAX).map_or(local, |(at, _)| &local[at..]);
    let pieces: Vec<&str> = local.split(LOCAL_SIGNS).collect();
    for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.contains('.')) {
        let before = at.checked_sub(1).and_then(|at| pieces.get(at)).into_iter().flat_map(|user| {
            let signs = user.match_indices(|c: char| !c.is_ascii_alphanumeric()).map(|(at, sign)| at + sign.len());
            std::iter::once(0).chain(signs).map(|start| &user[start..])
        });
        let (glued, whole) = without_user(piece);
        let users: Vec<&str> = before.chain(pieces.get(at + 1).copied()).chain(glued).collect();
        for domain in named_after(whole) {
            let mut found = users.iter().map(|user| mailbox(case, &format!("{user}@{domain}"), false));
            match found.find(|found| !matches!(found, Whose::Nobodys)) {
                None => {}
                Some(found @ Whose::Foreign(..)) => return found,
                Some(_) => break,
            }
            match host(case, domain, false) {
                Whose::Nobodys => {}
                found @ Whose::Foreign(..) => return found,
                // What is shorter is a piece of it.
                Whose::Own | Whose::Explained => break,
            }
        }
    }
    Whose::Nobodys
}

/// `hanako_sample.example`: the mailbox and the domain, which has no underscore.
fn without_user(piece: &str) -> (Option<&str>, &str) {
    let sign = piece.rfind('.').and_then(|dot| piece[..dot].rfind('_'));
    sign.map_or((None, piece), |sign| (Some(&piece[..sign]), &piece[sign + 1..]))
}

/// How much of a local part is looked into for an address, in characters.
const LOCAL_MAX: usize = 256;

/// The domains that an address may be meant to have, the longest first: Japanese
/// may follow, and what a file is named besides.
pub fn domains(text: &str) -> Vec<&str> {
    let domain = text.rsplit_once('@').map_or("", |(_, domain)| domain);
    if domain.is_ascii() {
        let stem = file::stem(domain);
        // No domain has an underscore in it.
        let cut = stem.split('_').next().unwrap_or(stem);
        let mut domains = vec![domain, stem, cut];
        domains.dedup();
        return domains;
    }
    let begins = |reading: &&str| reading.as_ptr() == domain.as_ptr();
    let mut readings: Vec<&str> = idn_readings(domain).into_iter().flatten().filter(begins).collect();
    readings.sort_by_key(|reading| std::cmp::Reverse(reading.len()));
    readings
}

/// The addresses that a text may be meant to be, the longest first: a sign that may
/// stand in the local part may also stand before it.
pub fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let at = text.rfind('@').unwrap_or(0);
    let cuts: Vec<usize> = text[..at].match_indices(LOCAL_SIGNS).map(|(at, sign)| at + sign.len()).collect();
    let starts = move || std::iter::once(0).chain(cuts.clone()).filter(move |start| *start < at);
    domains(text).into_iter().flat_map(move |domain| {
        let end = at + 1 + domain.len();
        starts().map(move |start| &text[start..end])
    })
}

fn mailbox(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    let Ok(address) = normal::canonical(Kind::Email, text, None) else { return Whose::Nobodys };
    if case.own.has(Kind::Email, &address) {
        show(case, Kind::Email, &address, visible);
        return Whose::Own;
    }
    if case.known.has(Kind::Email, &address) {
        return Whose::Explained;
    }
    match case.claim(Kind::Email, &address) {
        Claim::Own => {
            show(case, Kind::Email, &address, visible);
            Whose::Own
        }
        Claim::Other(owner) => Whose::Foreign(Kind::Email, owner),
        Claim::Nobodys => match case.claim_capital(Kind::Email, &address) {
            Claim::Own => Whose::Own,
            Claim::Other(owner) => Whose::Foreign(Kind::Email, owner),
            Claim::Nobodys => Whose::Nobodys,
        },
    }
}
