//! Figures that are no identifiers, although their digits would make one: prices,
//! dates, decimal numbers, columns, hashes and the like.
//!
//! Input: folded text and where in it a candidate stands, or the candidate's groups
//! of digits. Output: whether it is one of these. Infallible.

use crate::guard::find::atoms::Atom;
use crate::guard::lexicon::{self, Role};

/// `1234567.89`, `0.12345678`, `v1.12345678`: part of a decimal number. A file's
/// name (`2026.12345678.png`) and a mailbox (`12345678.1@…`) go on behind theirs.
pub fn is_fraction(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (&text.as_bytes()[..start], &text.as_bytes()[end..]);
    let among = matches!(before, [.., b'0'..=b'9', b'.']) || matches!(after, [b'.', b'0'..=b'9', ..]);
    let of_number = |b: &&u8| b.is_ascii_digit() || **b == b'.';
    let tail = after.iter().take(NUMBER_MAX).take_while(of_number).count();
    let goes_on = match (after[..tail].last(), after.get(tail)) {
        (_, Some(b'@')) => true,
        (Some(b'.'), Some(b)) => b.is_ascii_alphabetic(),
        _ => false,
    };
    among && !goes_on && !is_float(text, end)
}

/// `12345678.0`, `12345678.00`: a whole number as programs write it that took it for another.
pub fn is_float(text: &str, end: usize) -> bool {
    let rest = text[end..].strip_prefix(".0");
    let rest = rest.map(|rest| rest.strip_prefix('0').unwrap_or(rest));
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.'))
}

/// How far a number is looked at behind a piece of it, in bytes.
const NUMBER_MAX: usize = 64;

/// `…,12345678`, `12345678,…`: one of a list, or of a decimal number.
pub fn in_list(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (&text.as_bytes()[..start], &text.as_bytes()[end..]);
    matches!(before, [.., b'0'..=b'9', b',']) || matches!(after, [b',', b'0'..=b'9', ..])
}

/// `12345678円`, `$12345678`, `USD 12345678`.
pub fn is_amount(text: &str, start: usize, end: usize) -> bool {
    let after = text[end..].strip_prefix(' ').unwrap_or(&text[end..]);
    let before = text[..start].strip_suffix(' ').unwrap_or(&text[..start]);
    lexicon::of(Role::Currency).list.iter().any(|word| begins_with(after, word) || ends_with(before, word))
}

/// Whether a text begins with a word, and with no longer one.
fn begins_with(text: &str, word: &str) -> bool {
    let goes_on = |rest: &str| word.is_ascii() && word.ends_with(char::is_alphabetic) && rest.starts_with(is_letter);
    text.strip_prefix(word).is_some_and(|rest| !goes_on(rest))
}

/// Whether a text ends with a word, and with no longer one.
fn ends_with(text: &str, word: &str) -> bool {
    let goes_on = |rest: &str| word.is_ascii() && word.starts_with(char::is_alphabetic) && rest.ends_with(is_letter);
    text.strip_suffix(word).is_some_and(|rest| !goes_on(rest))
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
}

/// The value of a number as spreadsheets write large ones, `4.8201937e7`, and where it ends.
pub fn scientific(text: &str, start: usize) -> Option<(String, usize)> {
    const EXPONENT_MAX: usize = 30;
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let before = text[..start].trim_end_matches([',', '.']);
    let is_inside = before.len() < start && before.ends_with(|c: char| c.is_ascii_digit());
    if is_inside || text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.') {
        return None;
    }
    let whole = start + digits(start);
    let point = text[whole..].starts_with(['.', ',']).then_some(whole + 1)?;
    let end = point + digits(point);
    let mantissa = end;
    let exponent = text[mantissa..].strip_prefix('e')?;
    let signed = exponent.len() - exponent.strip_prefix('+').unwrap_or(exponent).len();
    let from = mantissa + 1 + signed;
    let count = digits(from).min(3);
    let exponent: usize = text[from..from + count].parse().ok()?;
    let after = &text[from + count..];
    let zeros = exponent.checked_sub(end - point).filter(|_| exponent <= EXPONENT_MAX)?;
    let value = format!("{}{}{}", &text[start..whole], &text[point..end], "0".repeat(zeros));
    (!after.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some((value, from + count))
}

/// The pieces of a number between its signs.
pub struct Parts<'t> {
    parts: Vec<&'t str>,
    signs: Vec<&'t str>,
}

impl<'t> Parts<'t> {
    /// Of atoms, the first of which counts from `start` on only.
    pub fn of(text: &'t str, start: usize, atoms: &[Atom]) -> Self {
        let (mut parts, mut signs) = (Vec::new(), Vec::new());
        let mut from = start;
        for two in atoms.windows(2).filter(|two| two[0].end < two[1].start) {
            parts.push(&text[from..two[0].end]);
            signs.push(&text[two[0].end..two[1].start]);
            from = two[1].start;
        }
        parts.push(&text[from..atoms.last().map_or(from, |atom| atom.end)]);
        Self { parts, signs }
    }

    /// The first sign.
    pub fn sign(&self) -> char {
        self.signs.first().and_then(|sign| sign.chars().next()).unwrap_or_default()
    }

    fn are_digits(&self) -> bool {
        self.parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
    }

    /// Whether all signs are this one.
    fn are_all(&self, is: impl Fn(&str) -> bool) -> bool {
        self.signs.iter().all(|sign| is(sign))
    }

    /// Whether one and the same sign parts all pieces, as people write a number in groups.
    pub fn is_plain(&self) -> bool {
        let signs: &[char] = if self.are_digits() { &['-', ' ', ','] } else { &['-', '_', '/', '.'] };
        let first = self.signs.first().copied().unwrap_or_default();
        first.chars().count() == 1 && first.contains(signs) && self.are_all(|sign| sign == first)
    }

    /// `1234-5678`: two pieces of four digits, the first of which is not a year: `INV-2026-0042` is
    /// the number of an invoice.
    pub fn is_fours(&self) -> bool {
        self.are_digits()
            && self.parts.len() == 2
            && self.parts.iter().all(|part| part.len() == 4)
            && !self.parts.first().is_some_and(|part| is_year(part))
            && self.sign() != ','
    }

    /// `12,345,678`, `4,82,01,937`: as a locale groups a number.
    pub fn is_price(&self) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else { return false };
        self.are_digits()
            && !self.are_all(|sign| sign == "-")
            && first.len() <= 3
            && last.len() == 3
            && middle.iter().all(|part| matches!(part.len(), 2 | 3))
    }

    /// An address of the Internet, `203.0.113.8`: nobody groups an ID so.
    pub fn is_octets(&self) -> bool {
        let octet = |part: &&str| part.parse::<u8>().is_ok();
        self.parts.len() == 4 && self.are_all(|sign| sign == ".") && self.parts.iter().all(octet)
    }

    /// A date, a month of a year, years beside one another.
    pub fn is_date(&self) -> bool {
        let number =
            |part: &str, high: u32| part.len() <= 2 && part.parse().is_ok_and(|n: u32| (1..=high).contains(&n));
        let day = |part: &str| part.len() == 4 && number(&part[..2], 12) && number(&part[2..], 31);
        let short = |[a, b, c]: [&str; 3]| {
            [a, b, c].iter().all(|part| part.len() == 2) && (number(b, 12) && (number(a, 31) || number(c, 31)))
        };
        let parts = self.parts.as_slice();
        if !self.are_digits() || parts.len() < 2 {
            return false;
        }
        let two = match parts {
            [a, b] => (is_year(a) && (number(b, 12) || day(b))) || (is_year(b) && (number(a, 12) || day(a))),
            [a, b, c] => short([a, b, c]),
            _ => false,
        };
        two || is_years(parts) || parts.windows(3).any(is_date)
    }

    /// `12345 13 2`: figures beside one another. Who writes one number in three groups
    /// or more makes them about as long.
    pub fn is_columns(&self) -> bool {
        let lengths = || self.parts.iter().map(|part| part.len());
        let (Some(least), Some(most)) = (lengths().min(), lengths().max()) else { return false };
        let blank = self.are_digits() && self.are_all(|sign| sign.trim().is_empty());
        blank && self.parts.len() > 2 && least != most && (least < 2 || most - least > 2)
    }

    /// `1234.5678`, `1.2.345`: a decimal number or a version, and not `12.345.678`.
    pub fn is_decimal(&self) -> bool {
        self.are_digits() && self.signs.contains(&".") && !(self.is_price() && self.parts.len() > 2)
    }
}

/// What stands on either side of a number.
pub struct Beside<'t> {
    /// The text.
    pub text: &'t str,
    /// Where the number begins in it.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Beside<'_> {
    fn before(&self) -> &str {
        &self.text[..self.start]
    }

    fn after(&self) -> &str {
        &self.text[self.end..]
    }

    /// Whether it is a piece of a date or a time: `2026-`11-30, 2026 `10`:30.
    pub fn is_in_date(&self) -> bool {
        const SIGNS: [char; 3] = ['-', '/', '.'];
        let digits = |c: char| c.is_ascii_digit();
        let before = self.before();
        let year = before.strip_suffix(SIGNS).map(|before| {
            let start = before.trim_end_matches(digits).len();
            is_year(&before[start..])
        });
        let after = self.after().strip_prefix(SIGNS).map(|after| {
            let end = after.find(|c| !digits(c)).unwrap_or(after.len());
            is_year(&after[..end])
        });
        let time = self.after().strip_prefix(':').is_some_and(|rest| rest.starts_with(digits))
            || before.strip_suffix(':').is_some_and(|rest| rest.ends_with(digits));
        time || year == Some(true) || after == Some(true)
    }

    /// `roboto:400,400i,700`, `wght@400;700`: how thick a font's letters are.
    pub fn are_weights(&self, parts: &Parts<'_>) -> bool {
        let is_weight = |part: &&str| part.len() == 3 && part.ends_with("00");
        let font = || {
            let before = self.before().trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | ';' | 'i'));
            let name = before.strip_suffix([':', '@']).unwrap_or_default();
            name.ends_with(|c: char| c.is_alphabetic())
        };
        parts.parts.iter().all(is_weight) && parts.are_all(|sign| matches!(sign, "," | ";")) && font()
    }

    /// Whether it is an amount of money, or counts something.
    pub fn is_counted(&self) -> bool {
        let after = self.after().strip_prefix(' ').unwrap_or(self.after());
        is_amount(self.text, self.start, self.end)
            || lexicon::of(Role::Unit).list.iter().any(|word| begins_with(after, word))
    }

    /// Whether the same sign and more digits stand beside it: half of a longer number.
    pub fn goes_on(&self, sign: char) -> bool {
        let digits = |c: char| c.is_ascii_digit();
        self.before().strip_suffix(sign).is_some_and(|text| text.ends_with(digits))
            || self.after().strip_prefix(sign).is_some_and(|text| text.starts_with(digits))
    }

    /// Whether it is of a fraction, a weakness' number or a log.
    pub fn is_other_number(&self, parts: &Parts<'_>) -> bool {
        is_fraction(self.text, self.start, self.end)
            || is_advisory(self.before(), &parts.parts)
            || is_log(self.before(), &parts.parts)
    }
}

/// The end of a digest that whois and dig print in two pieces.
pub fn ends_digest(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].trim_end_matches(' ');
    let hex = before.bytes().rev().take_while(u8::is_ascii_hexdigit).take(DIGESTS[3]).count();
    before.len() < start && DIGESTS.contains(&(hex + end - start))
}

/// How many hex digits digests have: SHA-1, SHA-256, SHA-384 and SHA-512.
const DIGESTS: [usize; 4] = [40, 64, 96, 128];

/// `20261231`.
pub fn is_compact_date(word: &str) -> bool {
    word.len() == 8 && word.is_ascii() && is_date(&[&word[..4], &word[4..6], &word[6..]])
}

/// How far a hash is looked at on either side of a number, in bytes.
const HASH_MAX: usize = 256;

/// The token of letters, digits, dashes and underscores that a number stands in.
fn token_around(text: &str, start: usize, end: usize) -> &[u8] {
    let part_of = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let bytes = text.as_bytes();
    let before = bytes[..start].iter().rev().take(HASH_MAX).take_while(|b| part_of(b)).count();
    let after = bytes[end..].iter().take(HASH_MAX).take_while(|b| part_of(b)).count();
    &bytes[start - before..end + after]
}

/// A piece of a token of hex digits and dashes, as tracking hashes and UUIDs
/// are: its neighbour across the dash has letters, and the whole is long.
pub fn is_hash_piece(text: &str, start: usize, end: usize) -> bool {
    let whole = token_around(text, start, end);
    whole.len() >= 24 && whole.iter().any(u8::is_ascii_alphabetic)
}

/// How long a UUID is, its dashes included.
pub const UUID_LENGTH: usize = 36;

/// A piece of `550e8400-e29b-41d4-a716-446655440000`: nobody reads a number out
/// of the middle of one, and one in twenty has eight digits together somewhere.
pub fn is_uuid_piece(text: &str, start: usize, end: usize) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let whole = token_around(text, start, end);
    let fits = |(at, b): (usize, &u8)| if DASHES.contains(&at) { *b == b'-' } else { b.is_ascii_hexdigit() };
    let is_nil = || whole.iter().all(|b| matches!(b, b'0' | b'-'));
    whole.len() == UUID_LENGTH
        && whole.iter().enumerate().all(fits)
        && (whole.iter().any(u8::is_ascii_alphabetic) || is_nil())
}

/// `"GET / HTTP/1.1" 200 12345`: status and size, as web servers log them.
pub fn is_log(before: &str, parts: &[&str]) -> bool {
    before.ends_with("\" ") && parts.len() == 2 && parts[0].len() == 3
}

/// `cve-2026-1234`: the number of a weakness, by year.
pub fn is_advisory(before: &str, parts: &[&str]) -> bool {
    before.ends_with("cve-") && parts.len() == 2 && begins_as_year(parts[0])
}

fn begins_as_year(part: &str) -> bool {
    part.starts_with("19") || part.starts_with("20")
}

/// A year of this century or the last.
fn is_year(part: &str) -> bool {
    part.len() == 4 && begins_as_year(part)
}

/// `2001-2026`: years beside one another.
pub fn is_years(parts: &[&str]) -> bool {
    parts.iter().all(|part| is_year(part))
}

/// `2026-12-31`, `31-12-2026`.
pub fn is_date(parts: &[&str]) -> bool {
    let [a, b, c] = parts else { return false };
    let number =
        |part: &str, low: u32, high: u32| part.len() <= 2 && part.parse().is_ok_and(|n: u32| (low..=high).contains(&n));
    (is_year(a) && number(b, 1, 12) && number(c, 1, 31))
        || (is_year(c) && ((number(a, 1, 31) && number(b, 1, 12)) || (number(a, 1, 12) && number(b, 1, 31))))
}

/// The dates and IPv4 addresses in a run of digits and their signs, `03-11-2026 02`
/// and `05 (203.0.113.9`: what is made of their digits is no telephone number.
pub fn no_numbers(run: &str, groups: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let part = |n: usize| groups.get(n).map(|(from, to)| &run[*from..*to]);
    let sign = |n: usize| run.get(groups.get(n)?.1..groups.get(n + 1)?.0);
    let mut found = Vec::new();
    for n in 0..groups.len() {
        let separator = sign(n).filter(|sign| matches!(*sign, "-" | "." | "/"));
        let same = |n: usize| separator.is_some() && sign(n) == separator;
        // `+81-3-12-1999` is a number all the same.
        if same(n + 1)
            && let (Some(a), Some(b), Some(c)) = (part(n), part(n + 1), part(n + 2))
            && is_date(&[a, b, c])
            && !run[..groups[n].0].contains('+')
        {
            found.push((groups[n].0, groups[n + 2].1));
        }
        let alone = (n == 0 || sign(n - 1) != Some(".")) && sign(n + 3) != Some(".");
        let is_octet = |n: usize| part(n).is_some_and(|part| part.parse::<u8>().is_ok_and(|o| o.to_string() == part));
        if separator == Some(".") && same(n + 1) && same(n + 2) && alone && (n..n + 4).all(is_octet) {
            found.push((groups[n].0, groups[n + 3].1));
        }
    }
    found
}
