//! An ID column's pattern: what the letters and digits of its IDs look like, however
//! their signs are written.
//!
//! Input: the regular expression of the mapping. Output: whether a text's letters and
//! digits, joined, are such an ID; how long one is; how many words of each length look like
//! one, by which a chance hit is told from evidence; and what all of them begin with.
//! Everything is read off the parsed expression (`regex_syntax`), never off its text.
//! Errors: what `regex` says of it.

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

/// The longest ID that is looked for, in letters and digits.
pub const LENGTH_MAX: usize = 64;

/// A pattern that fewer words of a length look like cannot be told from what stands in
/// ordinary prose (years, times, quantities, `A4`): there an ID counts behind a label only.
pub(super) const ORDINARY_MAX: f64 = 1e5;
/// The most beginnings of letters that IDs are looked for with, where a text leaves them out:
/// two letters.
const LEADS_MAX: usize = 26 * 26;

/// One pattern.
pub struct IdPattern {
    /// Matches an ID's letters and digits, joined.
    bare: Regex,
    /// Matches an ID as the pattern writes it.
    whole: Regex,
    /// How many words of each length, in letters and digits, look like an ID.
    counts: Vec<f64>,
    /// The letters that IDs begin with, folded.
    leads: Vec<String>,
    /// The signs that the pattern writes between its letters and digits.
    signs: Vec<char>,
    letters: Letters,
    needs_digit: bool,
}

/// Which letters an ID may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letters {
    /// None: digits alone.
    None,
    /// Those of ASCII.
    Ascii,
    /// Others too.
    Any,
}

impl IdPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is not a regular expression.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let hir = ParserBuilder::new().case_insensitive(true).build().parse(pattern).map_err(|e| e.to_string())?;
        let bare = bare(&hir);
        let compile = |pattern: String| {
            RegexBuilder::new(&pattern).case_insensitive(true).build().map_err(|e: regex::Error| e.to_string())
        };
        let mut found = Found::default();
        found.read(&hir);
        let without_digits = counts(&bare, &|class| characters(class, &|c| !c.is_ascii_digit()));
        Ok(Self {
            bare: compile(format!("^(?:{bare})$"))?,
            whole: compile(format!("^(?:{pattern})$"))?,
            counts: counts(&bare, &alike),
            leads: {
                let mut all = vec![String::new()];
                leads(&bare, &mut all);
                all.retain(|lead| !lead.is_empty());
                all
            },
            letters: found.letters,
            needs_digit: without_digits.iter().all(|count| *count == 0.0),
            signs: found.signs,
        })
    }

    /// Whether letters and digits, joined, are an ID.
    pub fn is_bare(&self, joined: &str) -> bool {
        self.bare.is_match(joined)
    }

    /// Whether a text is an ID as the pattern writes it.
    pub fn is_whole(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// How many words of a length look like an ID: any letter stands for every letter, since
    /// what a text has by chance is a word of that shape. So `M-[0-9]{5}` is as telling as
    /// `[A-Z]-[0-9]{5}` is.
    pub fn count(&self, length: usize) -> f64 {
        self.counts.get(length).copied().unwrap_or(0.0)
    }

    /// The letters that IDs begin with, folded: `m` of `M-[0-9]{5}`, 26 of `[A-Z]-[0-9]{5}`. None
    /// where they would be more than two letters make.
    pub fn leads(&self) -> &[String] {
        &self.leads
    }

    /// The shortest and the longest ID, in letters and digits.
    pub fn lengths(&self) -> (usize, usize) {
        let has = |(length, count): (usize, &f64)| (length > 0 && *count > 0.0).then_some(length);
        let mut all = self.counts.iter().enumerate().filter_map(has);
        let first = all.next().unwrap_or(0);
        (first, all.next_back().unwrap_or(first))
    }

    /// Which letters an ID may have.
    pub fn letters(&self) -> Letters {
        self.letters
    }

    /// Whether every ID has a digit.
    pub fn needs_digit(&self) -> bool {
        self.needs_digit
    }

    /// The signs that the pattern writes.
    pub fn signs(&self) -> &[char] {
        &self.signs
    }
}

/// What case folding adds (the Kelvin sign is a k), and no pattern means.
const STRAY: [char; 2] = ['\u{17f}', '\u{212a}'];
/// The most signs of a class that are kept: a class that excludes something has thousands.
const SIGNS_MAX: usize = 16;

/// The characters of a pattern.
struct Found {
    letters: Letters,
    signs: Vec<char>,
}

impl Default for Found {
    fn default() -> Self {
        Self { letters: Letters::None, signs: Vec::new() }
    }
}

impl Found {
    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Literal(literal) => {
                String::from_utf8_lossy(&literal.0).chars().for_each(|c| self.range(c, c));
            }
            HirKind::Class(class) => unicode(class).iter().for_each(|range| self.range(range.start(), range.end())),
            _ => hir.kind().subs().iter().for_each(|sub| self.read(sub)),
        }
    }

    fn range(&mut self, start: char, end: char) {
        let stray = STRAY.contains(&start) && start == end;
        let most = u32::from(end).min(u32::from(start) + 0x3000);
        for c in (u32::from(start)..=most).filter_map(char::from_u32).filter(|_| !stray) {
            if c.is_alphanumeric() && !c.is_ascii_digit() {
                self.letters = self.letters.max(if c.is_ascii() { Letters::Ascii } else { Letters::Any });
            } else if !c.is_alphanumeric() && self.signs.len() < SIGNS_MAX && !self.signs.contains(&c) {
                self.signs.push(c);
            }
        }
    }
}

fn unicode(class: &Class) -> ClassUnicode {
    match class {
        Class::Unicode(class) => class.clone(),
        Class::Bytes(bytes) => {
            let ranges = bytes.iter().map(|range| ClassUnicodeRange::new(range.start().into(), range.end().into()));
            ClassUnicode::new(ranges)
        }
    }
}

/// The letters and digits of a class, and whether it has a sign too.
fn split(class: &Class) -> (ClassUnicode, bool) {
    let mut letters = ClassUnicode::empty();
    let mut has_sign = false;
    for range in unicode(class).iter() {
        let mut start = None;
        for c in range.start()..=range.end() {
            match (c.is_alphanumeric(), start) {
                (true, None) => start = Some(c),
                (true, Some(_)) => {}
                (false, _) => {
                    has_sign = true;
                    if let Some(first) = start.take() {
                        let last = char::from_u32(u32::from(c) - 1).unwrap_or(first);
                        letters.push(ClassUnicodeRange::new(first, last));
                    }
                }
            }
        }
        if let Some(first) = start {
            letters.push(ClassUnicodeRange::new(first, range.end()));
        }
    }
    (letters, has_sign)
}

/// A pattern without its signs and looks: what its IDs' letters and digits match.
fn bare(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            if letters.is_empty() { Hir::empty() } else { Hir::literal(letters.into_bytes()) }
        }
        HirKind::Class(class) => {
            let (letters, has_sign) = split(class);
            if letters.ranges().is_empty() {
                return Hir::empty();
            }
            let letters = Hir::class(Class::Unicode(letters));
            if has_sign {
                return Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(letters) });
            }
            letters
        }
        HirKind::Repetition(repetition) => Hir::repetition(repetition.with(bare(&repetition.sub))),
        HirKind::Capture(capture) => bare(&capture.sub),
        HirKind::Concat(subs) => Hir::concat(subs.iter().map(bare).collect()),
        HirKind::Alternation(subs) => Hir::alternation(subs.iter().map(bare).collect()),
    }
}

/// How many texts of each length a bare pattern matches, where each class of characters
/// has so many.
fn counts(hir: &Hir, count: &dyn Fn(&ClassUnicode) -> f64) -> Vec<f64> {
    let one = |length: usize, count: f64| {
        let mut all = vec![0.0; length.min(LENGTH_MAX) + 1];
        all[length.min(LENGTH_MAX)] = count;
        all
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => one(0, 1.0),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            let class = |c| ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            one(text.chars().count(), text.chars().map(|c| count(&class(c))).product())
        }
        HirKind::Class(class) => one(1, count(&unicode(class))),
        HirKind::Capture(capture) => counts(&capture.sub, count),
        HirKind::Concat(subs) => subs.iter().fold(one(0, 1.0), |all, sub| convolve(&all, &counts(sub, count))),
        HirKind::Alternation(subs) => subs.iter().fold(Vec::new(), |all, sub| add(all, &counts(sub, count))),
        HirKind::Repetition(repetition) => {
            let sub = counts(&repetition.sub, count);
            let most = repetition.max.unwrap_or(u32::MAX).min(LENGTH_MAX as u32);
            let mut power = one(0, 1.0);
            let mut all = Vec::new();
            for times in 0..=most {
                if times >= repetition.min {
                    all = add(all, &power);
                }
                power = convolve(&power, &sub);
            }
            all
        }
    }
}

/// How many characters of a class are counted in, those that differ in case alone being one.
fn characters(class: &ClassUnicode, counts_in: &dyn Fn(char) -> bool) -> f64 {
    const EXACT_MAX: u32 = 0x3000;
    let all = class.iter().map(|range| {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        let is_one = |c: &char| counts_in(*c) && !c.is_uppercase() && !STRAY.contains(c);
        let exact = (start..=end.min(start + EXACT_MAX)).filter_map(char::from_u32).filter(is_one).count();
        exact as f64 + f64::from(end.saturating_sub(start + EXACT_MAX))
    });
    all.sum()
}

/// How many characters look like those of a class: its digits, and every letter of ASCII if
/// it has one.
fn alike(class: &ClassUnicode) -> f64 {
    const LETTERS: f64 = 26.0;
    let letters = characters(class, &|c| c.is_ascii_alphabetic());
    characters(class, &|c| !c.is_ascii_alphabetic()) + if letters > 0.0 { LETTERS } else { 0.0 }
}

/// Whether a pattern has IDs that cannot be told from the numbers of ordinary prose.
pub fn is_ordinary(pattern: &str) -> bool {
    IdPattern::new(pattern).is_ok_and(|pattern| pattern.count(pattern.lengths().0) <= ORDINARY_MAX)
}

/// Writes out the letters before the first digit of everything that a bare pattern matches,
/// folded; whether that is all of it.
fn leads(hir: &Hir, all: &mut Vec<String>) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).chars().all(|c| {
            let is_letter = c.is_alphabetic();
            all.iter_mut().filter(|_| is_letter).for_each(|lead| lead.push(c));
            is_letter
        }),
        HirKind::Class(class) => {
            let class = unicode(class);
            let folded = |c: &char| !c.is_uppercase() && !STRAY.contains(c);
            let letters = class.iter().flat_map(|range| range.start()..=range.end()).filter(folded);
            let letters: Vec<char> = letters.take(LEADS_MAX + 1).collect();
            let are_letters = letters.iter().all(|c| c.is_alphabetic());
            if are_letters && all.len() * letters.len() <= LEADS_MAX {
                let longer = |lead: &String| letters.iter().map(|c| format!("{lead}{c}")).collect::<Vec<_>>();
                *all = all.iter().flat_map(longer).collect();
            } else if are_letters {
                all.clear();
            }
            are_letters
        }
        HirKind::Capture(capture) => leads(&capture.sub, all),
        HirKind::Concat(subs) => subs.iter().all(|sub| leads(sub, all)),
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            (0..(*min).min(LENGTH_MAX as u32)).all(|_| leads(sub, all)) && *max == Some(*min)
        }
        HirKind::Alternation(_) => false,
    }
}

fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; (a.len() + b.len()).saturating_sub(1).min(LENGTH_MAX + 1)];
    for (n, a) in a.iter().enumerate().filter(|(_, a)| **a > 0.0) {
        for (m, b) in b.iter().enumerate() {
            if let Some(sum) = out.get_mut(n + m) {
                *sum += a * b;
            }
        }
    }
    out
}

fn add(mut all: Vec<f64>, more: &[f64]) -> Vec<f64> {
    all.resize(all.len().max(more.len()), 0.0);
    all.iter_mut().zip(more).for_each(|(all, more)| *all += more);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_by_its_letters_and_digits() {
        for (pattern, ids, others) in [
            ("[0-9]{8}", &["40817299"][..], &["4081729", "408172990", "4081729a"][..]),
            ("4[0-9]{7}", &["40817299"], &["50817299"]),
            ("[A-Z]{2}-?[0-9]{6}", &["qx408199", "QX408199"], &["q408199"]),
            ("ORD-[0-9]{4}-[0-9]{6}", &["ord2026000123"], &["ord-2026-000123", "2026000123"]),
            (r"\d{4}\.\d{4}", &["12345678"], &["1234567"]),
            ("[0-9-]{9}", &["12345678", "123456789"], &["1234567890"]),
            ("(?:A|BC)[0-9]+", &["a1", "bc99"], &["b1"]),
            (r"^C\b[0-9]{3}$", &["c123"], &["123"]),
            ("[А-Я]{2}[0-9]{4}", &["аб1234", "АБ1234"], &["ab1234"]),
        ] {
            let read = IdPattern::new(pattern).unwrap();
            assert!(ids.iter().all(|id| read.is_bare(id)), "{pattern}");
            assert!(!others.iter().any(|id| read.is_bare(id)), "{pattern}");
        }
        assert!(IdPattern::new("[0-9").is_err());
    }

    #[test]
    fn how_many_ids_there_may_be() {
        for (pattern, length, count) in [
            ("[0-9]{8}", 8, 1e8),
            ("4[0-9]{7}", 8, 1e7),
            ("[A-Z]{2}[0-9]{2}", 4, 67_600.0),
            ("[A-Za-z0-9]{3}", 3, 46_656.0),
            ("[0-9]{1,9}", 4, 1e4),
            ("[0-9]{8}", 7, 0.0),
            ("(?:A|B)-[0-9]", 2, 260.0),
            ("M-[0-9]{5}", 6, 2_600_000.0),
            ("CUST[0-9]{2}", 6, 45_697_600.0),
            ("K[0-4]{3}", 4, 3_250.0),
            ("[АБ][0-9]", 2, 20.0),
        ] {
            assert_eq!(IdPattern::new(pattern).unwrap().count(length), count, "{pattern}");
        }
        assert_eq!(IdPattern::new("[0-9]{6,8}").unwrap().lengths(), (6, 8));
        assert_eq!(IdPattern::new("[0-9]+").unwrap().lengths(), (1, LENGTH_MAX));
        assert_eq!(IdPattern::new("ORD-[0-9]{4}").unwrap().lengths(), (7, 7));
    }

    #[test]
    fn the_letters_that_ids_begin_with() {
        for (pattern, leads) in [
            ("M-[0-9]{5}", &["m"][..]),
            ("^(KUNDE)[0-9]{5}$", &["kunde"]),
            ("K{2}A?[0-9]", &["kk"]),
            ("К20[0-9]{4}", &["к"]),
            ("20[0-9]{4}", &[]),
            ("[AB]C[0-9]{5}", &["ac", "bc"]),
            ("[A-Z]{3}[0-9]{5}", &[]),
            ("[A-Z0-9][0-9]{5}", &[]),
            ("(?:A|BC)[0-9]", &[]),
        ] {
            assert_eq!(IdPattern::new(pattern).unwrap().leads(), leads, "{pattern}");
        }
        assert_eq!(IdPattern::new("[A-Z]{2}-[0-9]{7}").unwrap().leads().len(), LEADS_MAX);
    }

    #[test]
    fn what_an_id_is_made_of() {
        for (pattern, letters, needs_digit, signs) in [
            ("[0-9]{8}", Letters::None, true, ""),
            ("[A-Z]{2}-[0-9]{6}", Letters::Ascii, true, "-"),
            ("[A-Z0-9]{6}", Letters::Ascii, false, ""),
            ("[А-Я]{2}/[0-9]{4}", Letters::Any, true, "/"),
            ("[a-z]{6}", Letters::Ascii, false, ""),
        ] {
            let read = IdPattern::new(pattern).unwrap();
            assert_eq!((read.letters(), read.needs_digit()), (letters, needs_digit), "{pattern}");
            assert_eq!(read.signs().iter().collect::<String>(), signs, "{pattern}");
        }
    }
}
