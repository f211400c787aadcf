//! Tokens: what in a folded text has the shape of an identifier.
//!
//! Hosts, e-mail addresses, IDs by the configured patterns (plain, grouped, or
//! behind a label inside a longer token), and telephone numbers. A token says
//! where it stands and how it looks; whose it is, is not its business.
//!
//! What is no token, although it has digits or dots: prices (`12,345,678`),
//! dates, decimal numbers, versions, file names by extension (but for a host that
//! one is named after), an ID inside a longer run of digits or letters without a
//! label.

mod host;
mod phone;

use regex::Regex;

use crate::account::Kind;
use crate::config::Mapping;
use crate::guard::figure::{
    ends_digest, in_list, is_advisory, is_amount, is_columns, is_compact_date, is_date, is_float, is_fraction,
    is_hash_piece, is_log, is_price, is_uuid_piece, is_years,
};
use crate::guard::label;
use crate::guard::pattern::Spans;

/// A token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// Its shape.
    pub shape: Shape,
    /// As it stands in the folded text.
    pub text: &'t str,
    /// Where it begins, in bytes.
    pub start: usize,
}

/// The shape of a token, and how much it asks to be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `host.example`, letters and digits of ASCII.
    Host,
    /// What a file is named after, `host.example.pdf`, `zone-host.example-2026`: only a known
    /// host counts.
    BuriedHost,
    /// A run with letters of other scripts before a dot: the host may begin
    /// anywhere in it, and, if its last label is such too, end anywhere.
    Idn,
    /// `local@host.example`.
    Email,
    /// A whole word that matches an ID column's pattern.
    Id,
    /// Digits in groups that together match one: only a known ID counts, unless
    /// they stand four and four.
    GroupedId,
    /// Part of a longer word that matches one: only a known ID counts.
    BuriedId,
    /// A telephone number.
    Phone,
    /// Digits among others, or behind a sign, that may be one: only a known
    /// number counts.
    BuriedPhone,
}

impl Shape {
    /// The kind of identifier that a token of this shape may be.
    pub fn kind(self) -> Kind {
        match self {
            Shape::Host | Shape::BuriedHost | Shape::Idn => Kind::Domain,
            Shape::Email => Kind::Email,
            Shape::Id | Shape::GroupedId | Shape::BuriedId => Kind::Id,
            Shape::Phone | Shape::BuriedPhone => Kind::Phone,
        }
    }
}

/// Finds tokens, by one mapping's patterns.
pub struct Scanner {
    patterns: Vec<Regex>,
    spans: Spans,
    phones: bool,
    email: Regex,
    host: Regex,
    /// Whether every pattern is of digits alone: words without any need no look.
    digits_only: bool,
    grouped: Regex,
    phone: Regex,
    label: Regex,
    phone_label: Regex,
    /// The most digits that an ID of digits alone has; 0 if there is none.
    id_digits: usize,
}

impl Scanner {
    /// Compiles a mapping's patterns.
    ///
    /// # Errors
    /// A pattern is no regular expression.
    pub fn new(mapping: &Mapping) -> Result<Self, String> {
        let whole = |pattern: &str| Regex::new(&format!("(?i)^(?:{pattern})$")).map_err(|e| e.to_string());
        let ids = mapping.columns.values().filter(|column| column.kind == Kind::Id);
        let fixed = |pattern: &str| Regex::new(pattern).map_err(|e| e.to_string());
        let patterns: Vec<&str> = ids.filter_map(|column| column.pattern.as_deref()).collect();
        let ids: Vec<Regex> = patterns.iter().map(|pattern| whole(pattern)).collect::<Result<_, _>>()?;
        let fits =
            |count: &usize| ids.iter().any(|id| id.is_match(&"1".repeat(*count)) || id.is_match(&"0".repeat(*count)));
        Ok(Self {
            id_digits: (1..=ID_DIGITS_MAX).rev().find(fits).unwrap_or(0),
            digits_only: patterns
                .iter()
                .all(|pattern| !pattern.contains(|c: char| c.is_ascii_alphabetic() || c == '.')),
            spans: Spans::new(patterns.iter().copied())?,
            patterns: ids,
            phones: mapping.columns.values().any(|column| column.kind == Kind::Phone),
            email: fixed(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[\p{Alphabetic}\p{M}0-9_.-]+")?,
            host: fixed(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")?,
            grouped: fixed(r"[0-9]+(?:[-, ][0-9]+)+")?,
            phone: fixed(r"[+(]*[0-9][0-9() .+-]{6,}[0-9]")?,
            label: fixed(&label::pattern())?,
            phone_label: fixed(&label::phones())?,
        })
    }

    /// Every token of a folded text, in no particular order.
    pub fn scan<'t>(&self, text: &'t str) -> Vec<Token<'t>> {
        let mut tokens = Vec::new();
        if memchr::memchr(b'@', text.as_bytes()).is_some() {
            tokens.extend(self.email.find_iter(text).filter_map(email));
        }
        if memchr::memchr(b'.', text.as_bytes()).is_some() {
            let addresses: Vec<(usize, usize)> = tokens.iter().map(|t| (t.start, t.start + t.text.len())).collect();
            let hosts = self.host.find_iter(text).filter(|m| {
                let before = addresses.partition_point(|(from, _)| *from < m.end());
                addresses[..before].last().is_none_or(|(_, to)| *to <= m.start())
            });
            for m in hosts {
                tokens.extend(host::host(text, m.start(), m.as_str()));
                tokens.extend(host::between_underscores(m.start(), m.as_str()));
            }
            if !text.is_ascii() {
                tokens.extend(host::idn_runs(text));
            }
        }
        if text.bytes().any(|b| b.is_ascii_digit()) {
            self.ids(text, &mut tokens);
            if self.phones {
                for run in self.phone.find_iter(text) {
                    phone::each(text, run.start(), run.as_str(), &mut tokens);
                }
                for label in self.phone_label.find_iter(text) {
                    let numbers = label::pieces(&text[label.end()..], *phone::DIGITS.end());
                    let whole = numbers.into_iter().filter(|(_, parts)| phone::DIGITS.contains(&digits(parts)));
                    tokens.extend(whole.map(|(number, _)| token(Shape::BuriedPhone, number, label.end())));
                }
            }
        }
        tokens
    }

    /// Whether a folded text may end with a label whose number is in what follows.
    pub fn ends_in_label(&self, folded: &str) -> bool {
        label::ends(folded, self.id_digits, *phone::DIGITS.start())
    }

    /// Whether an ID may have signs or spaces in it: it may reach beyond a word.
    pub fn has_signed(&self) -> bool {
        !self.spans.is_empty()
    }

    /// Whether an ID may reach beyond a line.
    pub fn crosses_lines(&self) -> bool {
        self.spans.crosses_lines()
    }

    /// Whether a part of a word looks like an ID.
    pub fn has_id_inside(&self, word: &str) -> bool {
        let is_part = |part: &str| part.len() < word.len() && self.is_id(part);
        alphanumeric_runs(word, 0).any(|(_, run)| is_part(run) || digit_runs(run).any(|(_, digits)| is_part(digits)))
    }

    fn is_id(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(text))
    }

    fn ids<'t>(&self, text: &'t str, tokens: &mut Vec<Token<'t>>) {
        if self.patterns.is_empty() {
            return;
        }
        self.spans.find(text, tokens);
        for (start, word) in alphanumeric_runs(text, 0) {
            let looks = !self.digits_only || word.bytes().all(|b| b.is_ascii_digit());
            let end = start + word.len();
            let other = || {
                is_fraction(text, start, end)
                    || is_uuid_piece(text, start, end)
                    || is_amount(text, start, end)
                    || ends_digest(text, start, end)
            };
            if looks && self.is_id(word) && !other() {
                let buried = is_hash_piece(text, start, end)
                    || in_list(text, start, end)
                    || is_compact_date(word)
                    || is_float(text, end);
                tokens.push(token(if buried { Shape::BuriedId } else { Shape::Id }, word, start));
            }
        }
        for run in self.grouped.find_iter(text) {
            // `1234-5678 1234-5679` is two; so is `1234 5678,1234 5679`.
            for (start, piece) in pieces(run.as_str()) {
                tokens.extend(self.group(text, run.start() + start, piece));
            }
        }
        for label in self.label.find_iter(text).filter(|label| !label::is_others(&text[..label.start()])) {
            tokens.extend(self.in_pieces(&text[label.end()..], label.end(), label::is_sure(label.as_str())));
            let next = alphanumeric_runs(text, label.end()).next().filter(|(at, _)| *at == label.end());
            let Some((start, word)) = next else { continue };
            for (at, run) in digit_runs(word) {
                // 0010000007, as a column of a fixed width has it.
                let zeros = run.bytes().take(ZEROS_MAX).take_while(|b| *b == b'0').count();
                let ids = (0..=zeros).map(|zeros| (at + zeros, &run[zeros..])).filter(|(_, id)| self.is_id(id));
                let whole = ids.filter(|(at, id)| !is_uuid_piece(text, start + at, start + at + id.len()));
                tokens.extend(whole.map(|(at, id)| token(Shape::BuriedId, id, start + at)));
            }
        }
    }

    /// IDs in pieces behind a label.
    fn in_pieces<'t>(&self, text: &'t str, start: usize, is_sure: bool) -> impl Iterator<Item = Token<'t>> {
        let numbers = label::pieces(text, self.id_digits).into_iter();
        let ids = numbers.filter(move |(whole, parts)| {
            let sign = whole[parts[0].len()..].chars().next().unwrap_or_default();
            let other = is_date(parts) || is_price(sign, parts) || is_years(parts) || is_columns(sign, parts);
            (!other || (is_sure && !whole.contains('\n'))) && self.is_id(&parts.concat())
        });
        ids.map(move |(whole, _)| token(Shape::BuriedId, whole, start))
    }

    /// Digits in groups, by one and the same separator.
    fn group<'t>(&self, text: &'t str, start: usize, group: &'t str) -> Option<Token<'t>> {
        let joined: String = group.chars().filter(char::is_ascii_digit).collect();
        let separator = group.chars().find(|c| !c.is_ascii_digit())?;
        let parts: Vec<&str> = group.split(separator).collect();
        let end = start + group.len();
        let one_separator = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let bounded = !is_fraction(text, start, end) && !is_uuid_piece(text, start, end);
        let other = is_price(separator, &parts) || is_date(&parts) || is_years(&parts) || is_columns(separator, &parts);
        if !one_separator
            || !bounded
            || other
            || !self.is_id(&joined)
            || is_advisory(&text[..start], &parts)
            || is_log(&text[..start], &parts)
        {
            return None;
        }
        let fours = parts.len() == 2 && parts.iter().all(|p| p.len() == 4) && separator != ',';
        // Of a credit card's number it is half.
        let before =
            text[..start].strip_suffix(separator).is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()));
        let after =
            text[end..].strip_prefix(separator).is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()));
        let is_plain = fours && !before && !after && !is_hash_piece(text, start, end);
        let shape = if is_plain { Shape::GroupedId } else { Shape::BuriedId };
        Some(token(shape, group, start))
    }
}

fn token(shape: Shape, text: &str, start: usize) -> Token<'_> {
    Token { shape, text, start }
}

/// Signs of an address that are more often those of a sentence or a URL:
/// `'taro@…'`, `/taro@…`, `=taro@…`.
pub const LOCAL_SIGNS: &[char] =
    &['\'', '/', '=', '?', '|', '&', '`', '{', '}', '*', '!', '#', '$', '%', '^', '+', '~'];

fn email(found: regex::Match<'_>) -> Option<Token<'_>> {
    let text = found.as_str().trim_end_matches(['.', '-', '_']);
    let lead = text.find(|c: char| !LOCAL_SIGNS.contains(&c))?;
    let text = &text[lead..];
    let (local, _) = text.rsplit_once('@')?;
    (!local.is_empty()).then(|| token(Shape::Email, text, found.start() + lead))
}

/// The most zeros before an ID that are looked past.
const ZEROS_MAX: usize = 8;

/// The most digits of an ID that is looked for in pieces.
const ID_DIGITS_MAX: usize = 32;

fn digits(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

/// The runs of digits groups that have one separator, the dash binding most.
fn pieces(run: &str) -> Vec<(usize, &str)> {
    let has = |c: char| run.contains(c);
    let cuts: &[&[char]] = match (has('-'), has(' '), has(',')) {
        (true, true, _) | (true, _, true) => &[&[' ', ',']],
        (false, true, true) => &[&[' '], &[',']],
        _ => &[&[]],
    };
    let place = |piece: &str| piece.as_ptr() as usize - run.as_ptr() as usize;
    let pieces = cuts.iter().flat_map(|cut| run.split(*cut)).filter(|piece| piece.contains(['-', ' ', ',']));
    pieces.flat_map(fours).map(|piece| (place(piece), piece)).collect()
}

/// `1234 5678 1234 5679` may be one number, and may be two.
fn fours(piece: &str) -> Vec<&str> {
    let is_fours = piece.len() >= 19 && piece.bytes().enumerate().all(|(at, b)| (at % 5 == 4) != b.is_ascii_digit());
    let mut all = vec![piece];
    if is_fours {
        all.extend((0..piece.len() - 8).step_by(5).map(|at| &piece[at..at + 9]));
    }
    all
}

/// Runs of ASCII letters and digits from a place on, each with where it begins.
fn alphanumeric_runs(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(u8::is_ascii_alphanumeric)?;
        let end = bytes[start..].iter().position(|b| !b.is_ascii_alphanumeric()).map_or(bytes.len(), |len| start + len);
        at = end;
        Some((start, &text[start..end]))
    })
}

fn digit_runs(word: &str) -> impl Iterator<Item = (usize, &str)> {
    word.split(|c: char| !c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .map(move |run| (run.as_ptr() as usize - word.as_ptr() as usize, run))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::Column;

    fn scanner() -> Scanner {
        let column = |kind, pattern: Option<&str>| Column {
            kind,
            list: None,
            pattern: pattern.map(str::to_owned),
            country: Some("JP".into()),
            exclusive: None,
        };
        let columns = BTreeMap::from([
            ("id".to_owned(), column(Kind::Id, Some("[0-9]{8}"))),
            ("phone".to_owned(), column(Kind::Phone, None)),
        ]);
        let mapping = Mapping { account: "id".into(), address: "email".into(), columns, drift_percent_max: 5.0 };
        Scanner::new(&mapping).unwrap()
    }

    /// Every token of a shape, as text.
    #[track_caller]
    fn finds(shape: Shape, text: &str, expected: &[&str]) {
        let scanner = scanner();
        let mut found: Vec<&str> =
            scanner.scan(text).into_iter().filter(|token| token.shape == shape).map(|token| token.text).collect();
        found.dedup();
        assert_eq!(found, expected, "{shape:?} in {text:?}");
    }

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("see www.example.com.", &["www.example.com"][..]),
            ("example.comへ", &["example.com"]),
            // Read as a whole, by `Shape::Idn`.
            ("詳細はexample.comへ", &[]),
            ("-example.com-", &["example.com"]),
            ("例え.example", &[]),
            ("mail.例え.example", &[]),
            ("node.js main.css v1.2.3 12.5", &[]),
            ("//cdn.js/x", &["cdn.js"]),
            ("e.g. i.e. u.s.a.", &[]),
            ("taro@example.com", &[]),
            ("xn--r8jz45g.xn--zckzah", &["xn--r8jz45g.xn--zckzah"]),
        ] {
            finds(Shape::Host, text, expected);
        }
        finds(Shape::BuriedHost, "example.com.pdf main.css", &["example.com"]);
        finds(Shape::BuriedHost, "www.example.com.tar.bz2 v1.2.txt", &["www.example.com"]);
        finds(Shape::BuriedHost, "example.com.p12 10.5.mp4 node.js.mp3", &["example.com"]);
        finds(Shape::BuriedHost, "example.com.access.log report-11.zip", &["example.com.access", "report-11.zip"]);
        finds(Shape::BuriedHost, "example.com.zip.001 v1.2.3 192.0.2.1", &["example.com.zip.001"]);
        finds(Shape::Idn, "・example.com タナカ・ケンセツ.example", &["タナカ・ケンセツ.example"]);
        finds(Shape::Host, "・example.com 雪国-sake.example ビール・bar.example", &["example.com"]);
        finds(Shape::BuriedHost, "invoice_example.com_2026.csv", &["example.com"]);
        finds(Shape::BuriedHost, "guide_2026.pdf v1_2.txt", &[]);
        finds(
            Shape::BuriedHost,
            "zone-example.com.txt example.com-zone.txt",
            &["zone-example.com", "example.com-zone"],
        );
        finds(Shape::BuriedHost, "example.com-2026 node.js-based 1.2-3", &["example.com-2026", "node.js-based"]);
    }

    #[test]
    fn ids() {
        for (text, expected) in [
            ("id 10000001, 10000002。", &["10000001", "10000002"][..]),
            ("100000011 x10000001y", &[]),
            ("1.10000001 10000001.5", &[]),
            ("20261231", &[]),
            ("12,345,678", &[]),
            ("12345678円 $12345678", &[]),
            ("49fd46e6c4b45c55d4ac69cbd3cd34ac1afe51de59fd46e6c4b45c55 15023298", &[]),
            ("49fd46e6 15023298", &["15023298"]),
        ] {
            finds(Shape::Id, text, expected);
        }
        finds(Shape::GroupedId, "1000-0001 1000-0002", &["1000-0001", "1000-0002"]);
        finds(Shape::GroupedId, "2025-2026, 03-1000-0001", &[]);
        finds(Shape::GroupedId, "4111 1111 1111 1111", &[]);
        for other in [
            "550e840a-1000-0001-a716-446655440000",
            "10000001-e29b-41d4-a716-446655440000",
            "id: 10000001-e29b-41d4-a716-446655440000",
            "12345 13 2",
            "1 100 250 1",
            "cve-2026-1234",
        ] {
            for shape in [Shape::Id, Shape::GroupedId, Shape::BuriedId] {
                finds(shape, other, &[]);
            }
        }
        // All but a UUID: only a known one counts.
        finds(Shape::BuriedId, "x550e840a-1000-0001-a716-446655440000", &["1000-0001"]);
        finds(Shape::BuriedId, "1 0 0 0 0 0 0 1", &["1 0 0 0 0 0 0 1"]);
        finds(Shape::BuriedId, "100 000 01", &["100 000 01"]);
        finds(Shape::GroupedId, "abc-2026-1234", &["2026-1234"]);
        finds(Shape::BuriedId, "10000001,10000002", &["10000001", "10000002"]);
        finds(Shape::BuriedId, "1,000,0001", &["1,000,0001"]);
        finds(Shape::BuriedId, "id:a10000001", &["10000001"]);
        finds(Shape::BuriedId, "会員番号a10000001", &["10000001"]);
        finds(Shape::BuriedId, "member id: a10000001", &["10000001"]);
        finds(Shape::BuriedId, "id10000001", &["10000001"]);
        finds(Shape::BuriedId, "android10000001", &[]);
        finds(Shape::BuriedId, "12,345,678 2026-12-31", &[]);
    }

    #[test]
    fn phones() {
        for (text, expected) in [
            ("tel:03-1234-5678", &["03-1234-5678"][..]),
            ("(03)1234-5678", &["(03)1234-5678"]),
            ("+81 3 1234 5678", &["+81 3 1234 5678"]),
            ("10000001 03-1234-5678", &["03-1234-5678"]),
            ("2026-01-01", &[]),
            ("03-11-2026 02:00", &[]),
            ("31.12.2026 03-1234-5678", &["03-1234-5678"]),
            ("0120-12-1999", &["0120-12-1999"]),
            ("02:00-2027-05-03 9:30", &[]),
            ("07:05(203.0.113.9) (203.0.113.200", &[]),
            ("044.123.45.67", &["044.123.45.67"]),
            ("/03-1234-5678/", &[]),
        ] {
            finds(Shape::Phone, text, expected);
        }
        finds(Shape::BuriedPhone, "/03-1234-5678/", &["03-1234-5678"]);
        finds(Shape::BuriedPhone, "t=81312345678", &["81312345678"]);
        finds(Shape::BuriedPhone, "tel0312345678", &["0312345678"]);
        for no_number in ["31-12-2026 9:30", "550e8400-0312-3456-78ab-446655440000"] {
            finds(Shape::BuriedPhone, no_number, &[]);
        }
        for hash in ["a0312345678b", "f312345678", "0312345678c", "1b9d6bcd-bbfd-4b2d-9b5d-031234567890"] {
            finds(Shape::BuriedPhone, hash, &[]);
            finds(Shape::Phone, hash, &[]);
        }
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("taro@example.com.", &["taro@example.com"][..]),
            ("'taro@example.com'", &["taro@example.com"]),
            ("mailto:taro@example.com?subject=x", &["taro@example.com"]),
            ("a@b@example.com", &["a@b"]),
        ] {
            finds(Shape::Email, text, expected);
        }
    }
}
