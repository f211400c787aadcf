//! Hosts: whose each is, also where one stands in a longer word, and which full stops
//! are no host's.

use std::cell::OnceCell;

use hashbrown::HashSet;

use crate::account::{AccountId, Kind};
use crate::guard::find::file;
use crate::guard::find::names::head;
use crate::guard::normal;
use crate::guard::own::known::idn_readings;
use crate::guard::own::suffixes;
use crate::guard::rules::Case;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::identifiers::{Whose, show};
use crate::guard::rules::lookalikes;

pub(super) fn host(case: &mut Case<'_>, text: &str, visible: bool) -> Whose {
    match normal::canonical(Kind::Domain, text, None) {
        Ok(host) if normal::may_be_capital(text) => canonical_host(case, &host, visible),
        Ok(host) => plain_host(case, &host, visible),
        Err(_) => Whose::Nobodys,
    }
}

pub(super) fn canonical_host(case: &mut Case<'_>, host: &str, visible: bool) -> Whose {
    match plain_host(case, host, visible) {
        Whose::Nobodys => match case.claim_capital(Kind::Domain, host) {
            Claim::Own => Whose::Own,
            Claim::Other(owner) => Whose::Foreign(Kind::Domain, owner),
            Claim::Nobodys => Whose::Nobodys,
        },
        found => found,
    }
}

/// The same of a host whose letters have no capitals.
fn plain_host(case: &mut Case<'_>, host: &str, visible: bool) -> Whose {
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
pub(super) fn idn(case: &mut Case<'_>, text: &str, visible: bool, stops: &Stops<'_>) -> Whose {
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
            None if readings.iter().any(|reading| {
                is_plausible(reading) && !stops.has(reading) && !lookalikes::is_no_word(reading, visible)
            }) =>
            {
                all = Whose::Nobodys;
            }
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
    let ascii = last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic());
    let ascii = ascii && !file::is_ending(last) && !file::may_be_ending(last);
    ascii || last.starts_with("xn--") || normal::TOP_LEVEL.contains(&last)
}

/// A name, and the domains that `zone-sample.example-2026`, `sample.example.2026` or
/// `sample.example.access.log` may be named after, the longest first.
pub(super) fn named_after(name: &str) -> Vec<&str> {
    let first = name.find('.').unwrap_or(0);
    let dashes = name[..first].match_indices('-').map(|(at, _)| at + 1).take(CUTS_MAX);
    let starts: Vec<usize> = std::iter::once(0).chain(dashes).collect();
    let numbered = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.').len();
    let is_cut = |(at, sign): &(usize, &str)| {
        let label = name[..*at].rfind('.').map_or(0, |dot| dot + 1);
        *at > first && (*sign == "." || !name[label..].starts_with("xn--"))
    };
    let cuts = name.match_indices(['.', '-', '_']).filter(is_cut).map(|(at, _)| at).take(CUTS_MAX);
    let ends = cuts.chain([numbered, name.len()]).filter(|end| *end > first);
    let mut all: Vec<&str> = ends.flat_map(|end| starts.iter().map(move |start| &name[*start..end])).collect();
    all.sort_by_key(|part| std::cmp::Reverse(part.len()));
    all.dedup();
    all
}

/// The most signs of a name that a domain is looked for behind, and before.
const CUTS_MAX: usize = 8;

/// Where in a view a Japanese sentence ends right before a word: of `です。Web`, folded, only
/// the view itself says that it is no host.
pub(super) struct Stops<'v> {
    text: &'v str,
    /// What stands on either side of each, folded.
    met: OnceCell<HashSet<(char, String)>>,
}

impl<'v> Stops<'v> {
    pub fn new(text: &'v str) -> Self {
        Self { text, met: OnceCell::new() }
    }

    /// Whether a host's last dot is such a stop.
    pub fn has(&self, host: &str) -> bool {
        let Some((before, last)) = host.rsplit_once('.') else { return false };
        let met =
            self.met.get_or_init(|| self.text.match_indices(['。', '｡']).filter_map(|(at, _)| self.stop(at)).collect());
        before.chars().next_back().is_some_and(|c| met.contains(&(c, last.to_owned())))
    }

    fn stop(&self, at: usize) -> Option<(char, String)> {
        let (before, after) = self.text.split_at(at);
        let before = before.chars().next_back()?;
        let before = normal::fold(before.encode_utf8(&mut [0; 4])).chars().next_back()?;
        let after = &after['。'.len_utf8()..];
        let length = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
        let word = normal::fold(head(&after[..length], LABEL_MAX)).into_owned();
        let latin = word.find(|c: char| !c.is_ascii()).filter(|at| *at > 0).unwrap_or(word.len());
        Some((before, word[..latin].to_owned()))
    }
}

/// The longest label of a host, in characters.
const LABEL_MAX: usize = 63;
