//! `secret`: values of secret columns, one's own included, and lines shaped like a raw record.
//! Input: views as they are written, case and all. Infallible, linear.

use std::sync::LazyLock;

use regex::Regex;

use crate::account::Kind;
use crate::address::mask;
use crate::guard::find::figure;
use crate::guard::finding::Rule;
use crate::guard::normal;
use crate::guard::own::known::words;
use crate::guard::rules::{Case, Seen};
use crate::guard::view::{Shape, View};

/// The shortest secret that is looked for, in characters: shorter ones are words.
const SECRET_MIN: usize = 6;
/// The longest.
const SECRET_MAX: usize = 200;

/// Judges one view.
pub fn judge(case: &mut Case<'_>, seen: &Seen<'_>) {
    secrets(case, seen.view);
    dumps(case, seen.view);
}

/// Judges words that may be anybody's secret, one's own included.
fn secrets(case: &mut Case<'_>, view: &View<'_>) {
    if !case.guard.index().has_secrets() {
        return;
    }
    for word in words(&view.text).filter(|word| word.len() >= SECRET_MIN) {
        let trimmed = word.trim_matches([':', '.', '!', '?', '=', '：', '，']);
        let tail = word.rfind([':', '=', '：']).map_or("", |at| word[at..].trim_start_matches([':', '=', '：']));
        for (n, candidate) in [word, trimmed, tail].into_iter().enumerate() {
            let again = n > 0 && candidate == word;
            if again || !(SECRET_MIN..=SECRET_MAX).contains(&candidate.len()) || case.known.has_word(candidate) {
                continue;
            }
            if let Some(owner) = case.guard.owner(Kind::Secret, candidate) {
                case.find(Rule::Secret, Some(Kind::Secret), &view.place.to_string(), mask(candidate), Some(&owner));
                break;
            }
        }
    }
}

static DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,4})$").ok());
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[0-9]{5,12}$").ok());

/// Judges lines that are shaped like a raw record: separated fields, among them
/// at least two that are a number of a key's length, an address or a date. One that names
/// the account itself is its invoice's, and what it says of others is found by itself.
fn dumps(case: &mut Case<'_>, view: &View<'_>) {
    if view.shape == Shape::Loose {
        return;
    }
    for line in view.text.lines().filter(|line| line.len() < 2_000 && line.bytes().any(|b| b.is_ascii_digit())) {
        let counted = |sign: u8| line.bytes().filter(|b| *b == sign).count() >= 3;
        let Some(separator) = [b',', b'\t', b';', b'|'].into_iter().find(|sign| counted(*sign)) else { continue };
        let fields: Vec<&str> = line.split(char::from(separator)).map(|field| field.trim().trim_matches('"')).collect();
        // Prose has long pieces between its commas, and spaces in them.
        let short = fields.iter().all(|field| field.len() <= 64 && field.split_whitespace().count() <= 3);
        let matches =
            |pattern: &LazyLock<Option<Regex>>, field: &str| pattern.as_ref().is_some_and(|p| p.is_match(field));
        let is_date = |field: &str| matches(&DATE, field) || figure::is_compact_date(field);
        let emails = fields.iter().filter(|field| field.contains('@') && field.contains('.')).count();
        let dates = fields.iter().filter(|field| is_date(field)).count();
        // Several dates are a plan: figures beside them count if they look like IDs.
        let counts = |field: &str| dates < 2 || emails > 0 || case.scanner().is_id(field);
        let is_number = |field: &&&str| matches(&NUMBER, field) && !is_date(field) && counts(field);
        let numbers = fields.iter().filter(is_number).count();
        let kinds = [numbers, emails, dates].into_iter().filter(|count| *count > 0).count();
        let is_own = || fields.iter().any(|field| is_own(case, field));
        if short && kinds >= 2 && !case.known.has_text(line.trim()) && !is_own() {
            case.find(Rule::Secret, None, &view.place.to_string(), "a line shaped like a raw record".into(), None);
        }
    }
}

/// Whether a field is an own ID, address or domain.
fn is_own(case: &Case<'_>, field: &str) -> bool {
    let kinds = [Kind::Id, Kind::Email, Kind::Domain];
    kinds.into_iter().any(|kind| normal::canonical(kind, field, None).is_ok_and(|value| case.own.has(kind, &value)))
}
