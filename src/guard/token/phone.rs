//! Telephone numbers among a text's runs of digits.

use super::{Shape, Token, digit_runs, token};
use crate::guard::figure::{is_hash_piece, is_uuid_piece, no_numbers};

/// The fewest and the most digits of a telephone number that is looked for.
pub const DIGITS: std::ops::RangeInclusive<usize> = 9..=15;

/// Telephone numbers in a run of digits and their signs, which may be several:
/// `id 10000001 03-1234-5678`. Each begins and ends with a group of digits.
pub fn each<'t>(text: &'t str, start: usize, run: &'t str, tokens: &mut Vec<Token<'t>>) {
    let groups: Vec<(usize, usize)> = digit_runs(run).map(|(at, digits)| (at, at + digits.len())).collect();
    let others = no_numbers(run, &groups);
    for (n, (first, _)) in groups.iter().enumerate() {
        let lead = run[..*first].trim_end_matches(['+', '(']).len();
        // National, international, or international by digits alone.
        let leads = run[lead..].starts_with(['+', '0', '(']);
        let mut digits = 0;
        for (from, to) in &groups[n..] {
            digits += to - from;
            if digits > *DIGITS.end() {
                break;
            }
            if !DIGITS.contains(&digits) || (!leads && from != first) {
                continue;
            }
            if others.iter().any(|(begin, end)| *first < *end && begin < to) {
                continue;
            }
            let (from, to) = (start + lead, start + to);
            if is_of_a_hash(text, from, to) || is_uuid_piece(text, from, to) {
                continue;
            }
            let shape = if leads && stands_alone(text, from, to) { Shape::Phone } else { Shape::BuriedPhone };
            tokens.push(token(shape, &text[from..to], from));
        }
    }
}

/// Whether neither side goes on as part of a date, a path or a longer word.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric();
    let before = text[..start].chars().next_back().is_some_and(|c| word(c) || "-./_%=#&+".contains(c));
    let after = text[end..].chars().next().is_some_and(|c| word(c) || "-_".contains(c));
    !before && !after
}

/// Words that may touch a telephone number.
const LABELS: [&str; 4] = ["tel", "fax", "phone", "mobile"];

/// Digits alone that touch letters, as a tracking hash has them: one clean
/// message in 164,650 had somebody's number in its Message-ID by chance.
fn is_of_a_hash(text: &str, start: usize, end: usize) -> bool {
    let is_letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphabetic);
    let (before, number) = (&text[..start], &text.as_bytes()[start..end]);
    let touches_before = is_letter(before.as_bytes().last()) && !LABELS.iter().any(|l| before.ends_with(l));
    let touches = touches_before || is_letter(text.as_bytes().get(end));
    number.iter().all(u8::is_ascii_digit) && (touches || is_hash_piece(text, start, end))
}
