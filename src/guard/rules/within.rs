//! Pieces of a text that others may lie within, and in particular the hosts and
//! addresses of the account's own: a number inside one is a part of that name,
//! whoever has it for an ID.
//!
//! Only what is owned counts. Of a host below an own domain that is the domain,
//! and of another mailbox of one likewise: `40817299.own.example` and
//! `40817299@own.example` still say a number that may be somebody's.

use crate::account::Kind;
use crate::guard::find::{Shape, Token};
use crate::guard::normal;
use crate::guard::own::known::{idn_readings, readings_max};
use crate::guard::own::suffixes;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::mailboxes::{addresses, domains};
use crate::guard::rules::{Case, READINGS_MAX};

/// Pieces of one text, in bytes; asked in logarithmic time.
pub struct Spans {
    /// Where each begins and ends, in order.
    spans: Vec<(usize, usize)>,
    /// The furthest end of each and all before it.
    furthest: Vec<usize>,
}

impl Spans {
    /// Puts pieces in order.
    pub fn new(mut spans: Vec<(usize, usize)>) -> Self {
        spans.sort_unstable();
        let mut far = 0;
        let furthest = spans.iter().map(|(_, end)| {
            far = far.max(*end);
            far
        });
        Self { furthest: furthest.collect(), spans }
    }

    /// The own hosts and addresses among a text's tokens.
    pub fn of_own(case: &Case<'_>, tokens: &[Token<'_>]) -> Self {
        let mut spans = Vec::new();
        let mut readings = 0;
        for token in tokens {
            readings += if token.says().is_ascii() { 0 } else { readings_max(token.says()) };
            if readings > READINGS_MAX {
                break;
            }
            if let (Some(value), Kind::Domain | Kind::Email) = (&token.value, token.shape.kind()) {
                spans.extend(own_end(case, token, value));
                continue;
            }
            let mut add = |own: &str| {
                let start = token.start + (own.as_ptr() as usize - token.text.as_ptr() as usize);
                spans.push((start, start + own.len()));
            };
            match token.shape {
                Shape::Host | Shape::BuriedHost => own_part(case, token.text).into_iter().for_each(add),
                Shape::Idn => {
                    let readings = idn_readings(token.text).into_iter().flatten();
                    readings.filter_map(|reading| own_part(case, reading)).for_each(add);
                }
                Shape::Email => match addresses(token.text).find(|address| is_own(case, Kind::Email, address)) {
                    Some(address) => add(address),
                    None => domains(token.text).into_iter().filter_map(|domain| own_part(case, domain)).for_each(add),
                },
                Shape::BuriedEmail
                | Shape::Id
                | Shape::GroupedId
                | Shape::BuriedId
                | Shape::TailId
                | Shape::Phone
                | Shape::BuriedPhone => {}
            }
        }
        Self::new(spans)
    }

    /// Whether a piece lies in one of them.
    pub fn covers(&self, start: usize, end: usize) -> bool {
        self.reach(|from| from <= start) >= Some(end)
    }

    /// Whether a piece lies in one of them that is longer.
    pub fn has_more_than(&self, start: usize, end: usize) -> bool {
        let longer = self.spans[..self.spans.partition_point(|span| span.0 <= start)].last();
        self.reach(|from| from < start) >= Some(end) || longer.is_some_and(|span| span.0 == start && span.1 > end)
    }

    /// Whether one begins before a place and ends behind it.
    pub fn reaches_over(&self, place: usize) -> bool {
        self.reach(|from| from < place) > Some(place)
    }

    /// The furthest end of those whose beginning passes.
    fn reach(&self, begins: impl Fn(usize) -> bool) -> Option<usize> {
        let count = self.spans.partition_point(|span| begins(span.0));
        self.furthest[..count].last().copied()
    }
}

/// Where the own host stands in what is written with escapes: as many labels from its end,
/// none of which has an escaped dot.
fn own_end(case: &Case<'_>, token: &Token<'_>, value: &str) -> Option<(usize, usize)> {
    let end = token.start + token.text.len();
    if is_own(case, token.shape.kind(), value) {
        return Some((token.start, end));
    }
    let host = value.rsplit_once('@').map_or(value, |(_, host)| host);
    let labels = own_part(case, host)?.split('.').count();
    let start = token.text.rmatch_indices(['.', '@']).nth(labels - 1).map_or(0, |(dot, _)| dot + 1);
    Some((token.start + start, end))
}

/// The part of a host that is an own domain, or the domain of an own address.
fn own_part<'t>(case: &Case<'_>, host: &'t str) -> Option<&'t str> {
    let canonical = normal::canonical(Kind::Domain, host, None).ok()?;
    let own =
        suffixes(&canonical).find(|suffix| case.own.has(Kind::Domain, suffix) || claims(case, Kind::Domain, suffix));
    if own.is_none() && case.has_provider(&canonical) {
        return Some(host);
    }
    let labels = own?.split('.').count();
    Some(host.rmatch_indices('.').nth(labels - 1).map_or(host, |(dot, _)| &host[dot + 1..]))
}

fn is_own(case: &Case<'_>, kind: Kind, value: &str) -> bool {
    let Ok(canonical) = normal::canonical(kind, value, None) else { return false };
    case.own.has(kind, &canonical) || claims(case, kind, &canonical)
}

fn claims(case: &Case<'_>, kind: Kind, canonical: &str) -> bool {
    matches!(case.claim(kind, canonical), Claim::Own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_lies_in_one_that_is_as_long_or_longer() {
        let spans = Spans::new(vec![(20, 25), (0, 10), (2, 4), (20, 22)]);
        for (start, end, within, more) in [
            (0, 10, true, false),
            (2, 4, true, true),
            (5, 8, true, true),
            (9, 11, false, false),
            (20, 25, true, false),
            (20, 22, true, true),
            (24, 26, false, false),
            (30, 31, false, false),
        ] {
            assert_eq!(spans.covers(start, end), within, "{start}..{end}");
            assert_eq!(spans.has_more_than(start, end), more, "{start}..{end}");
        }
        assert!(!Spans::new(Vec::new()).covers(0, 1));
    }
}
