//! Telephone numbers in a folded text, of any country and in any grouping.
//!
//! A window of neighbouring runs of digits is a number if it has as many digits as one
//! has. What is written as a number is, with a trunk zero, a plus or a bracket
//! ([`Shape::Phone`]), asks to be explained; any other window counts only where the number
//! is known ([`Shape::BuriedPhone`]). Whether it is known is asked by its digits: as they
//! stand, and as E.164 by the countries of the directory, with and without trunk and
//! international prefix. The library is asked only what a number means, never whether it
//! is valid: a directory's number that no plan knows must be found too.
//!
//! Sources: E.164 (15 digits at most); trunk prefixes by libphonenumber's examples.

use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use crate::guard::find::atoms::{Atom, Atoms};
use crate::guard::find::figure::{is_amount, is_fraction, is_hash_piece, is_uuid_piece, no_numbers};
use crate::guard::find::label::Labels;
use crate::guard::find::pattern::Letters;
use crate::guard::find::{Setting, Shape, Token};
use crate::guard::find::{amount, iban};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// The fewest and the most digits of a telephone number that is looked for.
pub const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// The fewest digits of one that asks to be explained.
const ASKED_MIN: usize = 9;
/// The most groups of digits in one number: `1 2 3 4 5 6 7 8`.
const GROUPS_MAX: usize = 12;
/// A hit is evidence by itself where fewer of all possible numbers than this are somebody's.
const CHANCE_MAX: f64 = 1e-3;
/// What is dialled before a country's code.
const INTERNATIONAL: [&str; 6] = ["00", "010", "011", "0011", "810", "009"];

/// Finds telephone numbers.
pub struct Phones {
    plans: Vec<Plan>,
    accounts: f64,
}

/// A country's numbering plan.
struct Plan {
    code: String,
    trunk: String,
}

impl Phones {
    /// For these countries, by their two letters.
    pub fn new<'c>(countries: impl Iterator<Item = &'c str>, accounts: u64) -> Self {
        let mut plans: Vec<Plan> = countries.filter_map(Plan::of).collect();
        plans.sort_by(|a, b| a.code.cmp(&b.code));
        plans.dedup_by(|a, b| a.code == b.code);
        Self { plans, accounts: accounts.max(1) as f64 }
    }

    /// The forms that a number may be known by.
    pub fn forms(&self, written: &str) -> Vec<String> {
        let digits: String = written.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
        let mut forms = Vec::with_capacity(6);
        forms.push(normal::phone_digits(&digits));
        forms.push(format!("+{digits}"));
        if written.contains('+') {
            return forms;
        }
        forms.extend(
            INTERNATIONAL.iter().filter_map(|prefix| digits.strip_prefix(prefix)).map(|rest| format!("+{rest}")),
        );
        for plan in &self.plans {
            forms.push(format!("+{}{digits}", plan.code));
            let national = digits.strip_prefix(plan.trunk.as_str()).filter(|_| !plan.trunk.is_empty());
            forms.extend(national.map(|rest| format!("+{}{rest}", plan.code)));
        }
        forms
    }

    /// Every number of a text.
    pub fn find<'t>(&self, text: &'t str, setting: Setting, labels: &Labels, tokens: &mut Vec<Token<'t>>) {
        let atoms = Atoms::of(text, Letters::None, &['(', ')']);
        let mut from = 0;
        while from < atoms.len() {
            let mut to = from + 1;
            while to < atoms.len() && atoms.joins(to - 1) {
                to += 1;
            }
            self.run(text, &atoms[from..to], setting, labels, tokens);
            from = to;
        }
    }

    /// The numbers of a run of digits and their signs, which may be several:
    /// `id 10000001 03-1234-5678`. Each begins and ends with a group of digits.
    fn run<'t>(&self, text: &'t str, atoms: &[Atom], setting: Setting, labels: &Labels, tokens: &mut Vec<Token<'t>>) {
        if atoms.iter().map(|atom| atom.length).sum::<usize>() < *DIGITS.start() {
            return;
        }
        let (begin, end) = (atoms[0].start, atoms[atoms.len() - 1].end);
        let run = &text[begin..end];
        let groups: Vec<(usize, usize)> = atoms.iter().map(|atom| (atom.start - begin, atom.end - begin)).collect();
        let others = no_numbers(run, &groups);
        for (n, first) in atoms.iter().enumerate() {
            let lead = text[..first.start].trim_end_matches(['+', '(']).len();
            let mut label = None;
            let mut digits = 0;
            for last in atoms[n..].iter().take(GROUPS_MAX) {
                digits += last.length;
                if digits > *DIGITS.end() {
                    break;
                }
                let is_other = others.iter().any(|(a, b)| first.start < begin + b && begin + a < last.end);
                if !DIGITS.contains(&digits) || is_other {
                    continue;
                }
                let number = Number { text, start: lead, first: first.start, end: last.end, digits };
                let is_labelled = || *label.get_or_insert_with(|| labels.is_phone(&text[..lead]));
                let is_evidence = self.accounts / 10f64.powi(digits as i32 - 1) <= CHANCE_MAX;
                let shape = number.shape(setting, is_evidence, is_labelled);
                tokens.extend(shape.map(|shape| Token {
                    shape,
                    text: &text[lead..last.end],
                    start: lead,
                    value: None,
                }));
            }
        }
    }
}

impl Plan {
    fn of(country: &str) -> Option<Self> {
        let region = Region::from_str(&country.to_ascii_uppercase()).ok()?;
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?.to_string();
        Some(Self { code, trunk: trunk(region) })
    }
}

/// What is dialled before a national number: told by how the library writes its example of
/// one, `03-1234-5678`.
fn trunk(region: Region) -> String {
    let Ok(example) = PHONE_NUMBER_UTIL.get_example_number(region) else { return String::new() };
    let significant = example.get_national_significant_number();
    let written = example.format_as(PhoneNumberFormat::National);
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    digits.strip_suffix(significant.as_str()).unwrap_or_default().to_owned()
}

/// What may be a number.
struct Number<'t> {
    text: &'t str,
    /// Where it begins, its plus or bracket included.
    start: usize,
    /// Where its first digit stands.
    first: usize,
    end: usize,
    digits: usize,
}

impl Number<'_> {
    fn shape(&self, setting: Setting, is_evidence: bool, mut is_labelled: impl FnMut() -> bool) -> Option<Shape> {
        let Self { text, start, end, .. } = *self;
        let is_piece = || amount::is_among(text, self.first, end) || iban::has(text, self.first, end);
        if is_uuid_piece(text, self.first, end) || self.is_of_a_hash() || self.begins_in_a_hash() || is_piece() {
            return None;
        }
        // National, international, or international by digits alone.
        let leads = text[start..].starts_with(['+', '0', '(']);
        let is_sign = |c: char| c.is_ascii_digit() || "() .+-".contains(c);
        if leads && self.digits >= ASKED_MIN && self.stands_alone() && text[start..end].chars().all(is_sign) {
            return Some(Shape::Phone);
        }
        let is_one = text[self.first..end].bytes().all(|b| b.is_ascii_digit());
        if setting.is_prose() && is_one && (is_fraction(text, self.first, end) || is_amount(text, self.first, end)) {
            return None;
        }
        if amount::is_whole(&text[self.first..end]) && !is_labelled() {
            return None;
        }
        let is_grouped = || !is_one && !text[self.first..end].contains([',', '\n']);
        let is_likely = is_evidence || (leads && self.digits >= ASKED_MIN) || (is_grouped() && self.digits > 9);
        (is_likely || (is_one && self.digits > 9) || is_labelled()).then_some(Shape::BuriedPhone)
    }

    /// Whether its first digits are the end of a hash, with other numbers behind that:
    /// `…912d7d7167f03169813`, and `26` in the next cell.
    fn begins_in_a_hash(&self) -> bool {
        let Self { text, first, .. } = *self;
        let group = text[first..].bytes().take_while(u8::is_ascii_digit).count();
        text[..first].ends_with(|c: char| c.is_ascii_alphabetic()) && is_hash_piece(text, first, first + group)
    }

    /// Whether neither side goes on as part of a date, a path or a longer word.
    fn stands_alone(&self) -> bool {
        let word = |c: char| c.is_ascii_alphanumeric();
        let before = self.text[..self.start].chars().next_back().is_some_and(|c| word(c) || "-./_%=#&+".contains(c));
        let after = self.text[self.end..].chars().next().is_some_and(|c| word(c) || "-_".contains(c));
        !before && !after
    }

    /// Digits alone that touch letters, as a tracking hash has them: one clean message in
    /// 164,650 had somebody's number in its Message-ID by chance.
    fn is_of_a_hash(&self) -> bool {
        let is_letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphabetic);
        // `tel5550187`
        let has_label = |before: &str| {
            let label = lexicon::of(Role::PhoneLabel).suffix(before);
            label.is_some_and(|label| !before[..before.len() - label.len()].ends_with(char::is_alphanumeric))
        };
        let (before, number) = (&self.text[..self.start], &self.text.as_bytes()[self.start..self.end]);
        let touches_before = is_letter(before.as_bytes().last()) && !has_label(before);
        let touches = touches_before || is_letter(self.text.as_bytes().get(self.end));
        number.iter().all(u8::is_ascii_digit) && (touches || is_hash_piece(self.text, self.start, self.end))
    }
}
