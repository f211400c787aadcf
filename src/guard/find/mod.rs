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

mod amount;
pub mod atoms;
mod composed;
mod escaped;
pub mod figure;
pub(in crate::guard) mod file;
mod heads;
mod host;
mod iban;
pub mod ids;
pub mod label;
mod mailbox;
pub mod names;
pub mod pattern;
pub mod phone;
mod tails;

pub(in crate::guard) use host::named as is_top_level;

use regex::Regex;

use crate::account::Kind;
use crate::guard::normal;
use crate::guard::view::{self, View};
use crate::mapping::Mapping;
use atoms::Atoms;
use heads::Heads;
use ids::Ids;
use label::Labels;
use phone::Phones;

/// A token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// Its shape.
    pub shape: Shape,
    /// As it stands in the folded text.
    pub text: &'t str,
    /// Where it begins, in bytes.
    pub start: usize,
    /// What it says, where that is not what stands there: `0010001001`.
    pub value: Option<Box<str>>,
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
    /// An address that is broken up or spelled out: only a known one counts.
    BuriedEmail,
    /// A whole word that matches an ID column's pattern.
    Id,
    /// Digits in groups that together match one: only a known ID counts, unless
    /// they stand four and four.
    GroupedId,
    /// Part of a longer word that matches one: only a known ID counts.
    BuriedId,
    /// Digits behind a label that are an ID without the letters that it begins with.
    TailId,
    /// A telephone number.
    Phone,
    /// Digits among others, or behind a sign, that may be one: only a known
    /// number counts.
    BuriedPhone,
}

impl Token<'_> {
    /// What it says.
    pub fn says(&self) -> &str {
        self.value.as_deref().unwrap_or(self.text)
    }
}

impl Shape {
    /// The kind of identifier that a token of this shape may be.
    pub fn kind(self) -> Kind {
        match self {
            Shape::Host | Shape::BuriedHost | Shape::Idn => Kind::Domain,
            Shape::Email | Shape::BuriedEmail => Kind::Email,
            Shape::Id | Shape::GroupedId | Shape::BuriedId | Shape::TailId => Kind::Id,
            Shape::Phone | Shape::BuriedPhone => Kind::Phone,
        }
    }
}

/// Where a text stands, and so what its numbers may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Prose: prices, dates and fractions are among its numbers.
    Prose,
    /// Prose as it may not be shown: source, text cut at tags.
    Loose,
    /// A URL, a header, an attribute, a file's name, what was decoded: a number that stands
    /// by itself there is one.
    Token,
    /// The same, in a field or an attribute that is called as IDs are: `X-Customer-Id`,
    /// `data-member-no`.
    Named,
}

impl Setting {
    fn is_prose(self) -> bool {
        matches!(self, Setting::Prose | Setting::Loose)
    }

    fn of(view: &View<'_>) -> Self {
        let at = view.place.at.as_deref().unwrap_or_default();
        let is_decoded = [", base64", ", base32", ", hex"].iter().any(|how| at.ends_with(how));
        match (view.shape, view.place.view) {
            (view::Shape::Loose, _) if !is_decoded => Setting::Loose,
            (view::Shape::Visible, _) | (_, "style" | "script" | "comment" | "text" | "Date" | "Received") => {
                Setting::Prose
            }
            _ if at == "style" => Setting::Prose,
            _ => Setting::Token,
        }
    }
}

/// Finds tokens, by one mapping's patterns.
pub struct Scanner {
    ids: Ids,
    phones: Option<Phones>,
    labels: Labels,
    /// Whether the case of an ID's letters may say whose it is.
    has_exact: bool,
    email: Regex,
}

impl Scanner {
    /// Compiles a mapping's patterns, for a directory of so many accounts.
    ///
    /// # Errors
    /// A pattern is not a regular expression.
    pub fn new(mapping: &Mapping, accounts: u64) -> Result<Self, String> {
        let ids = || mapping.columns.iter().filter(|(_, column)| column.kind == Kind::Id);
        let fixed = |pattern: &str| Regex::new(pattern).map_err(|e| e.to_string());
        let has_phones = mapping.columns.values().any(|column| column.kind == Kind::Phone);
        let countries = mapping.columns.values().filter_map(|column| column.country.as_deref());
        let name = |name: &str| name.strip_prefix("extra.").unwrap_or(name).to_owned();
        let names: Vec<String> = ids().map(|(column, _)| name(column)).collect();
        Ok(Self {
            ids: Ids::new(ids().filter_map(|(_, column)| column.pattern.as_deref()), accounts)?,
            phones: has_phones.then(|| Phones::new(countries, accounts)),
            has_exact: ids().any(|(_, column)| column.is_exact()),
            labels: Labels::new(names.iter().map(String::as_str)),
            email: fixed(r"[a-z0-9\x{307}!#$%&'*+/=?^_`{|}~.-]+@[\p{Alphabetic}\p{M}0-9_.-]+")?,
        })
    }

    /// The setting of a view.
    pub fn setting(&self, view: &View<'_>) -> Setting {
        let named = || view.place.at.as_deref().filter(|_| matches!(view.place.view, "field" | "attribute"));
        let is_label = |name: &str| self.ends_in_label(&normal::fold(name.split(',').next().unwrap_or_default()));
        match Setting::of(view) {
            Setting::Token if named().is_some_and(is_label) => Setting::Named,
            setting => setting,
        }
    }

    /// Whether a folded word is an ID by its shape.
    pub fn is_id(&self, word: &str) -> bool {
        self.ids_of(word).iter().any(|token| token.shape == Shape::Id && token.text == word)
    }

    fn ids_of<'t>(&self, word: &'t str) -> Vec<Token<'t>> {
        let mut tokens = Vec::new();
        self.ids.find(word, Setting::Token, (&self.labels, None), &mut tokens);
        tokens
    }

    /// Every token of a folded text, in no particular order.
    pub fn scan<'t>(&self, text: &'t str, setting: Setting) -> Vec<Token<'t>> {
        let heads = setting.is_prose().then(|| Heads::of(text, &self.labels)).flatten();
        self.scan_below(text, setting, heads.as_ref())
    }

    /// The same of a piece of a text: its first line is not the one of that.
    pub fn scan_piece<'t>(&self, text: &'t str, setting: Setting) -> Vec<Token<'t>> {
        self.scan_below(text, setting, None)
    }

    fn scan_below<'t>(&self, text: &'t str, setting: Setting, heads: Option<&Heads>) -> Vec<Token<'t>> {
        let mut tokens = Vec::new();
        if memchr::memchr(b'@', text.as_bytes()).is_some() {
            for found in self.email.find_iter(text) {
                match host::escaped(text, found.start(), found.as_str()) {
                    Some(found) => add_once(&mut tokens, found),
                    None => tokens.extend(email(found)),
                }
            }
            mailbox::broken(text, &mut tokens);
        }
        mailbox::spelled(text, &mut tokens);
        if memchr::memchr(b'.', text.as_bytes()).is_some() {
            let whole = tokens.iter().filter(|token| token.shape == Shape::Email);
            let addresses: Vec<(usize, usize)> = whole.map(|t| (t.start, t.start + t.text.len())).collect();
            let hosts = host::runs(text).filter(|(start, run)| {
                let before = addresses.partition_point(|(from, _)| *from < start + run.len());
                addresses[..before].last().is_none_or(|(_, to)| to <= start)
            });
            for (start, run) in hosts {
                match host::escaped(text, start, run) {
                    Some(found) => add_once(&mut tokens, found),
                    None => tokens.extend(host::host(text, start, run)),
                }
                tokens.extend(host::between_underscores(start, run));
            }
            if !text.is_ascii() {
                for run in host::idn_runs(text) {
                    match host::escaped(text, run.start, run.text) {
                        Some(found) => add_once(&mut tokens, found),
                        None => tokens.push(run),
                    }
                }
            }
        }
        self.ids.find(text, setting, (&self.labels, heads), &mut tokens);
        if let Some(phones) = &self.phones {
            phones.find(text, setting, &self.labels, &mut tokens);
        }
        tokens
    }

    /// The E.164 numbers that a telephone number's digits may be, whichever way they are
    /// written; and the digits themselves.
    pub fn phone_forms(&self, written: &str) -> Vec<String> {
        self.phones.as_ref().map(|phones| phones.forms(written)).unwrap_or_default()
    }

    /// The IDs that digits may be the end of, whose letters are left out.
    pub fn id_forms(&self, digits: &str) -> Vec<String> {
        self.ids.with_leads(digits)
    }

    /// Whether a folded text ends with the label of an ID.
    pub fn ends_in_label(&self, folded: &str) -> bool {
        self.labels.before(folded).is_some()
    }

    /// Whether a folded text may end with a label whose number is in what follows, or with
    /// the half of an address.
    pub fn ends_open(&self, folded: &str) -> bool {
        self.labels.ends(folded, self.reach()) || folded.trim_end().ends_with('@')
    }

    /// The most letters and digits of an ID or a telephone number.
    pub fn reach(&self) -> usize {
        let phones = if self.phones.is_some() { *phone::DIGITS.end() } else { 0 };
        self.ids.length_max().max(phones)
    }

    /// Whether a cell of a table's first row, folded, is the label of an ID and nothing else.
    pub fn is_head(&self, cell: &str) -> bool {
        self.labels.is_head(cell)
    }

    /// Whether the labels of IDs stand at the head of a folded text's columns: what they say
    /// of its last line is far from it.
    pub fn has_heads(&self, text: &str) -> bool {
        Heads::of(text, &self.labels).is_some()
    }

    /// Whether an address may go on behind a folded text: `taro@`, `taro [at]`.
    pub fn is_half_address(&self, text: &str) -> bool {
        mailbox::goes_on(text)
    }

    /// Whether an address may have begun before a folded text: `@example.com`.
    pub fn is_rest_of_address(&self, text: &str) -> bool {
        mailbox::is_behind(text)
    }

    /// Whether an ID cannot be told from the numbers of ordinary prose, and counts behind a
    /// label only.
    pub fn is_ordinary(&self, id: &str) -> bool {
        self.ids.is_ordinary(id)
    }

    /// Whether the case of an ID's letters may say whose it is.
    pub fn has_exact(&self) -> bool {
        self.has_exact
    }

    /// The pieces of numbers in a text.
    pub fn atoms(&self, text: &str) -> Atoms {
        self.ids.atoms(text)
    }

    /// Whether IDs are digits alone: words without any are no pieces of one.
    pub fn are_digits(&self) -> bool {
        self.ids.are_digits()
    }

    /// Whether a part of a word looks like an ID.
    pub fn has_id_inside(&self, word: &str) -> bool {
        self.ids_of(word).iter().any(|token| token.text.len() < word.len() || token.value.is_some())
    }
}

/// Adds tokens, unless they are the last ones again: two pieces of one name.
fn add_once<'t>(tokens: &mut Vec<Token<'t>>, found: Vec<Token<'t>>) {
    if found.is_empty() || !tokens.ends_with(&found) {
        tokens.extend(found);
    }
}

fn token(shape: Shape, text: &str, start: usize) -> Token<'_> {
    Token { shape, text, start, value: None }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::mapping::Column;

    fn scanner() -> Scanner {
        let column = |kind, pattern: Option<&str>| Column {
            kind,
            list: None,
            pattern: pattern.map(str::to_owned),
            country: Some("JP".into()),
            exclusive: None,
            case: Default::default(),
        };
        let columns = BTreeMap::from([
            ("id".to_owned(), column(Kind::Id, Some("[0-9]{8}"))),
            ("phone".to_owned(), column(Kind::Phone, None)),
        ]);
        let mapping = Mapping {
            account: "id".into(),
            address: "email".into(),
            columns,
            drift_percent_max: 5.0,
            encoding: None,
            separator: None,
        };
        // As many accounts as make a hit by chance likely.
        Scanner::new(&mapping, 10_000_000).unwrap()
    }

    /// Every token of a shape, as text.
    #[track_caller]
    fn finds(shape: Shape, text: &str, expected: &[&str]) {
        let scanner = scanner();
        let mut found: Vec<&str> = scanner
            .scan(text, Setting::Prose)
            .into_iter()
            .filter(|token| token.shape == shape)
            .map(|token| token.text)
            .collect();
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
        finds(Shape::GroupedId, "abc-4081-1234 inv-2026-0042", &["4081-1234"]);
        finds(Shape::BuriedId, "inv-2026-0042", &["2026-0042"]);
        finds(Shape::BuriedId, "10000001,10000002", &["10000001", "10000002"]);
        finds(Shape::BuriedId, "1,000,0001", &["1,000,0001"]);
        finds(Shape::BuriedId, "id:a10000001", &["10000001"]);
        finds(Shape::BuriedId, "会員番号a10000001", &["10000001"]);
        finds(Shape::BuriedId, "member id: a10000001", &["10000001"]);
        finds(Shape::BuriedId, "id10000001", &["10000001"]);
        finds(Shape::BuriedId, "android10000001", &["10000001"]);
        finds(Shape::BuriedId, "9f10000001ab 10000001x9", &[]);
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
