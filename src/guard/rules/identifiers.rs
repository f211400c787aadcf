//! `foreign` and `unexplained`: whose is each identifier-shaped token.
//!
//! Own comes first, then what the template says by itself or the campaign
//! allows, then the directory: somebody else's is foreign. What nobody is known
//! to own is unexplained, where its shape is plain enough to ask.

use crate::account::{AccountId, Kind, mask};
use crate::guard::file;
use crate::guard::finding::Rule;
use crate::guard::known::{canonicals, idn_readings};
use crate::guard::normal;
use crate::guard::own::suffixes;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::within::Spans;
use crate::guard::rules::{Case, is_read};
use crate::guard::token::{LOCAL_SIGNS, Shape, Token};
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
    let tokens = case.scanner().scan(folded);
    let phones = phones(case, &tokens);
    let visible = view.shape == view::Shape::Visible && is_read(view);
    let mut own = None;
    for token in &tokens {
        if !visible && case.explained.has(token.shape.kind(), token.text) {
            continue;
        }
        if matches!(token.shape, Shape::Idn | Shape::Email)
            && !token.text.is_ascii()
            && !case.may_read(token.text, &view.place)
        {
            continue;
        }
        let found = whose(case, token, visible);
        // The number is a part of the name.
        if !matches!(found, Whose::Own | Whose::Explained)
            && matches!(token.shape.kind(), Kind::Id | Kind::Phone)
            && own
                .get_or_insert_with(|| Spans::of_own(case, &tokens))
                .covers(token.start, token.start + token.text.len())
        {
            continue;
        }
        match found {
            Whose::Own | Whose::Explained => {
                case.explained.insert(token.shape.kind(), token.text);
            }
            Whose::Foreign(kind, owner) => {
                case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(token.text), Some(&owner));
            }
            // `www.webショップ.example`: an own domain goes on where the ASCII ends.
            Whose::Nobodys
                if token.shape == Shape::Host
                    && own
                        .get_or_insert_with(|| Spans::of_own(case, &tokens))
                        .reaches_over(token.start + token.text.len()) => {}
            Whose::Nobodys if asks(case, token, view, folded) && !is_within(token, &phones) => {
                case.find(Rule::Unexplained, Some(token.shape.kind()), &view.place.to_string(), mask(token.text), None);
            }
            Whose::Nobodys => {}
        }
    }
}

/// Where telephone numbers stand, if any group of digits may be a piece of one.
fn phones(case: &Case<'_>, tokens: &[Token<'_>]) -> Spans {
    let phones =
        tokens.iter().filter(|token| tokens.len() > 1 && token.shape == Shape::Phone && is_dialable(case, token));
    Spans::new(phones.map(|token| (token.start, token.start + token.text.len())).collect())
}

/// `(03)1234-5678`, `+81 (0)3 1234 5678`: the whole number is asked for, and
/// its pieces are not.
fn is_within(token: &Token<'_>, phones: &Spans) -> bool {
    matches!(token.shape.kind(), Kind::Id | Kind::Phone)
        && phones.has_more_than(token.start, token.start + token.text.len())
}

fn is_dialable(case: &Case<'_>, token: &Token<'_>) -> bool {
    normal::canonical(Kind::Phone, token.text, case.country()).is_ok_and(|e164| normal::is_dialable(&e164))
}

/// Whether a token that nobody owns must be explained where it stands.
fn asks(case: &Case<'_>, token: &Token<'_>, view: &View<'_>, folded: &str) -> bool {
    if view.shape == view::Shape::Loose {
        return false;
    }
    match token.shape {
        Shape::Host => true,
        // `宛先はtaro.yamada@example.jp`: the address is asked for, and its piece is not.
        Shape::Idn => {
            let after = folded[token.start + token.text.len()..].trim_start_matches(['.', '-', '_']);
            !after.starts_with('@')
        }
        // `b&@4` is what the digits of an ID are in hex.
        Shape::Email => normal::canonical(Kind::Email, token.text, None).is_ok(),
        // `#12345678` is a colour there.
        Shape::Id | Shape::GroupedId => view.place.view != "style" && view.place.at.as_deref() != Some("style"),
        Shape::BuriedHost | Shape::BuriedId | Shape::BuriedPhone => false,
        Shape::Phone => is_dialable(case, token),
    }
}

fn whose(case: &mut Case<'_>, token: &Token<'_>, visible: bool) -> Whose {
    let found = match token.shape {
        Shape::Host => host(case, token.text, visible),
        Shape::BuriedHost => {
            let mut found = within_dashes(token.text).into_iter().map(|part| host(case, part, visible));
            found.find(|found| !matches!(found, Whose::Nobodys)).unwrap_or(Whose::Nobodys)
        }
        Shape::Idn => idn(case, token.text, visible),
        Shape::Email => email(case, token.text, visible),
        Shape::Id | Shape::GroupedId | Shape::BuriedId | Shape::Phone | Shape::BuriedPhone => {
            value(case, token, visible)
        }
    };
    match found {
        Whose::Nobodys | Whose::Foreign(..) if case.known.has_run(token) => Whose::Explained,
        found => found,
    }
}

fn show(case: &mut Case<'_>, kind: Kind, canonical: &str, visible: bool) {
    if visible {
        case.shown.insert(kind, canonical);
    }
}

fn value(case: &mut Case<'_>, token: &Token<'_>, visible: bool) -> Whose {
    let kind = token.shape.kind();
    for canonical in canonicals(token, case.country()) {
        if case.own.has(kind, &canonical) {
            show(case, kind, &canonical, visible);
            return Whose::Own;
        }
        if case.known.has(kind, &canonical) {
            return Whose::Explained;
        }
        match case.claim(kind, &canonical) {
            Claim::Own => {
                show(case, kind, &canonical, visible);
                return Whose::Own;
            }
            Claim::Other(owner) => return Whose::Foreign(kind, owner),
            Claim::Nobodys => {}
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
    if let Some(owner) = before_own(case, host) {
        return Whose::Foreign(Kind::Domain, owner);
    }
    if !case.own.has_host(host) {
        if case.known.has(Kind::Domain, host) {
            return Whose::Explained;
        }
        match case.claim_host(host) {
            Claim::Own => {}
            Claim::Other(owner) => return Whose::Foreign(Kind::Domain, owner),
            Claim::Nobodys if case.has_provider(host) => return Whose::Own,
            Claim::Nobodys => return Whose::Nobodys,
        }
    }
    for suffix in suffixes(host) {
        show(case, Kind::Domain, suffix, visible);
    }
    Whose::Own
}

/// `sample.example.cdn.registrar.example`: whose the labels before an own or explained
/// domain are, if they are another domain.
fn before_own(case: &Case<'_>, host: &str) -> Option<AccountId> {
    // One domain before another has four labels at least, and most hosts have three.
    if host.matches('.').count() < 3 {
        return None;
    }
    let is_ours = |suffix: &&str| case.own.has_host(suffix) || case.known.has(Kind::Domain, suffix);
    let domain = suffixes(host).filter(is_ours).last()?;
    let before = host.strip_suffix(domain)?.strip_suffix('.')?;
    let ends = before.match_indices('.').map(|(at, _)| at).skip(1).chain([before.len()]);
    let mut domains = ends.flat_map(|end| suffixes(&before[..end])).filter(|domain| !is_ours(domain));
    domains.find_map(|domain| case.guard.owner(Kind::Domain, domain))
}

/// Hosts in running Japanese. At each place where one may end, the longest
/// reading that anybody owns counts, so that an own short domain at its end does
/// not hide a foreign longer one; and a foreign one anywhere counts for the run.
fn idn(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    let mut all = Whose::Explained;
    // What follows the last end that was found explained is done with.
    let mut open = text.len();
    for readings in idn_readings(text).iter().rev() {
        let place = |reading: &str| reading.as_ptr() as usize - text.as_ptr() as usize;
        if readings.iter().all(|reading| place(reading) + reading.len() > open) {
            continue;
        }
        let found = readings.iter().find_map(|reading| match host(case, reading, visible) {
            Whose::Nobodys => None,
            found => Some((found, place(reading))),
        });
        match found {
            Some((Whose::Foreign(kind, owner), _)) => return Whose::Foreign(kind, owner),
            Some((_, start)) => open = start,
            None if is_file(&text[place(readings[0])..], readings[0]) => {}
            None if readings.iter().any(|reading| is_plausible(reading)) => all = Whose::Nobodys,
            None => {}
        }
    }
    all
}

/// Whether a reading is what a file is named after, endings and all.
fn is_file(text: &str, reading: &str) -> bool {
    text.len() > reading.len() && file::stem(text) == reading
}

/// Whether a host that nobody owns ends as one: `です.次に` does not.
fn is_plausible(reading: &str) -> bool {
    let last = reading.rsplit('.').next().unwrap_or_default();
    let ascii = last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic()) && !file::is_ending(last);
    ascii || last.starts_with("xn--") || normal::TOP_LEVEL.contains(&last)
}

/// An address in running text: the longest reading that anybody owns counts.
fn email(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
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
        if case.own.has_host(&domain) || matches!(case.claim_host(&domain), Claim::Own) {
            return Whose::Own;
        }
        if let Whose::Foreign(kind, owner) = canonical_host(case, &domain, false) {
            return Whose::Foreign(kind, owner);
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
        for domain in within_dashes(whole) {
            let mut found = users.iter().map(|user| mailbox(case, &format!("{user}@{domain}"), false));
            match found.find(|found| !matches!(found, Whose::Nobodys)) {
                None => {}
                Some(found @ Whose::Foreign(..)) => return found,
                Some(_) => break,
            }
            if let found @ Whose::Foreign(..) = host(case, domain, false) {
                return found;
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

/// A name, and the domains that `zone-sample.example-2026` or `sample.example.2026` may be
/// named after, the longest first.
fn within_dashes(name: &str) -> Vec<&str> {
    let first = name.find('.').unwrap_or(0);
    let starts = name[..first].match_indices('-').map(|(at, _)| at + 1).take(DASHES_MAX);
    let numbered = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.');
    let last = name.rfind('.').map_or(0, |dot| dot + 1);
    let cut = name[last..].find(['-', '_']).filter(|_| !name[last..].starts_with("xn--"));
    let ends = [Some(name.len()), cut.map(|at| last + at), Some(numbered.len()).filter(|end| *end > first)];
    let starts: Vec<usize> = std::iter::once(0).chain(starts).collect();
    let spans = starts.iter().flat_map(|start| ends.into_iter().flatten().map(move |end| &name[*start..end]));
    let mut all: Vec<&str> = spans.collect();
    all.sort_by_key(|part| std::cmp::Reverse(part.len()));
    all.dedup();
    all
}

/// The most dashes before a domain that one is looked for behind.
const DASHES_MAX: usize = 8;

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
        Claim::Nobodys => Whose::Nobodys,
    }
}
