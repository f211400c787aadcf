//! A column's values → their kind.
//!
//! Input: values, trimmed and none empty, and what the column's name says. Output: the kind,
//! the separator of lists, and how the kind was found. Values decide where their form does
//! (addresses, hosts, numbers, dates, companies); the name decides the rest, and how many of
//! the values must have the form. Infallible.

use std::collections::HashSet;

use crate::account::Kind;
use crate::address::Address;
use crate::directory::guess::header::Hint;
use crate::directory::guess::pattern;
use crate::guard::normal;

/// The least share of values of one form, in percent: by themselves, and where the name says so.
const ALONE_MIN: usize = 90;
const NAMED_MIN: usize = 50;
/// The least share of companies with a legal form, in percent.
const FORMS_MIN: usize = 30;
/// The least share of different values of IDs, in percent.
const IDS_MIN: usize = 95;

/// What may stand between the values of a list, the likeliest first.
const LISTS: [char; 8] = [';', '|', ',', '、', '；', '，', '/', ' '];

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guessed {
    /// The kind of its values.
    pub kind: Kind,
    /// What separates several in a cell.
    pub list: Option<char>,
    /// How the kind was found.
    pub by: By,
}

/// How a kind was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By values and name, or by values that can be nothing else.
    Values,
    /// By values that may be something else.
    Form,
    /// By the name alone.
    Name,
    /// By nothing: neither says anything.
    Nothing,
}

/// The kind of a column.
pub fn kind(values: &[&str], hint: Option<Hint>) -> Guessed {
    let named = hint.map(|hint| hint.role.kind());
    let is = |kind| named == Some(kind);
    let one = |kind, by| Guessed { kind, list: None, by };
    if values.is_empty() {
        // An ID needs a pattern, and nothing shows one.
        let kind = named.filter(|kind| *kind != Kind::Id).unwrap_or(Kind::Text);
        return one(kind, if named.is_some() { By::Name } else { By::Nothing });
    }
    if let Some(list) = listed(values, is(Kind::Email), is_email) {
        return Guessed { list, ..one(Kind::Email, By::Values) };
    }
    if is(Kind::Secret) {
        return one(Kind::Secret, By::Name);
    }
    if share(values, is_date) >= ALONE_MIN && !is(Kind::Id) {
        return one(Kind::Text, By::Values);
    }
    if let Some(list) = listed(values, is(Kind::Domain), is_host) {
        return Guessed { list, ..one(Kind::Domain, By::Values) };
    }
    if let Some(list) = phones(values, named) {
        return Guessed { list, ..one(Kind::Phone, if is(Kind::Phone) { By::Values } else { By::Form }) };
    }
    if let Some(by) = ids(values, named) {
        return one(Kind::Id, by);
    }
    let has_form = |value: &str| normal::company::has_form(&normal::name(value));
    if is(Kind::Organisation) || (!is(Kind::Text) && share(values, has_form) >= FORMS_MIN) {
        return one(Kind::Organisation, if is(Kind::Organisation) { By::Values } else { By::Form });
    }
    if is(Kind::Person) {
        return one(Kind::Person, if share(values, is_name) >= ALONE_MIN { By::Values } else { By::Name });
    }
    if named.is_none() && share(values, is_whole_name) >= ALONE_MIN && different(values) >= NAMED_MIN {
        return one(Kind::Person, By::Form);
    }
    match named {
        Some(Kind::Text) => one(Kind::Text, By::Name),
        _ => one(Kind::Text, By::Nothing),
    }
}

/// How many in a hundred.
fn share(values: &[&str], is: impl Fn(&str) -> bool) -> usize {
    values.iter().filter(|value| is(value)).count() * 100 / values.len().max(1)
}

fn different(values: &[&str]) -> usize {
    values.iter().collect::<HashSet<_>>().len() * 100 / values.len().max(1)
}

/// Whether enough values have a form, by themselves or as lists, and what separates these.
/// `Some(None)`: they are no lists.
fn listed(values: &[&str], is_named: bool, is: fn(&str) -> bool) -> Option<Option<char>> {
    let min = if is_named { NAMED_MIN } else { ALONE_MIN };
    let single = values.iter().filter(|value| is(value)).count();
    let of_list = |list: &char| {
        let has_all = |value: &str| {
            let mut parts = value.split(*list).map(str::trim).filter(|part| !part.is_empty()).peekable();
            parts.peek().is_some() && parts.all(is)
        };
        values.iter().filter(|value| has_all(value)).count()
    };
    let best =
        LISTS.iter().map(|list| (of_list(list), *list)).reduce(|best, next| if next.0 > best.0 { next } else { best });
    let (count, list) =
        best.filter(|(count, _)| *count > single).map_or((single, None), |(count, list)| (count, Some(list)));
    (count * 100 >= values.len() * min).then_some(list)
}

fn is_email(value: &str) -> bool {
    Address::parse(value).is_ok()
}

/// Whether a value is a host, and no number or abbreviation.
fn is_host(value: &str) -> bool {
    let end = value.trim_end_matches('.').rsplit(['.', '。', '．', '｡']).next().unwrap_or_default();
    let is_end = end.chars().count() >= 2 && end.chars().any(char::is_alphabetic);
    is_end && !value.contains(char::is_whitespace) && normal::canonical(Kind::Domain, value, None).is_ok()
}

/// `2026-12-01`, `01.12.2026`, `2026/12/1 09:00`, `20261201`, `2026年12月1日`.
fn is_date(value: &str) -> bool {
    let folded = normal::fold(value);
    let day = folded.split([' ', 't']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).collect();
    let numbers: Vec<u32> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let year = |n: u32| (1900..=2099).contains(&n);
    let month_day = |a: u32, b: u32| (1..=31).contains(&a) && (1..=31).contains(&b) && a.min(b) <= 12;
    match numbers[..] {
        _ if numbers.len() != parts.len() => false,
        [whole] if day.len() == 8 => year(whole / 10_000) && month_day(whole / 100 % 100, whole % 100),
        [a, b, c] => (year(a) && month_day(b, c)) || (year(c) && month_day(a, b)),
        _ => false,
    }
}

/// Whether enough values are telephone numbers, as in [`listed`].
fn phones(values: &[&str], named: Option<Kind>) -> Option<Option<char>> {
    match named {
        Some(Kind::Phone) => listed(values, true, |value| is_number(value, 6)),
        Some(_) => None,
        None => {
            let is_written_so = |value: &str| {
                let folded = normal::fold(value);
                is_number(value, 9) && folded.starts_with(['+', '0', '('])
            };
            (share(values, is_written_so) >= ALONE_MIN).then_some(None)
        }
    }
}

fn is_number(value: &str, digits_min: usize) -> bool {
    let folded = normal::fold(value);
    let digits = folded.chars().filter(char::is_ascii_digit).count();
    (digits_min..=16).contains(&digits) && folded.chars().all(|c| c.is_ascii_digit() || "+-()./ ".contains(c))
}

/// Whether values are IDs: of one shape, and by their name or by being all different.
fn ids(values: &[&str], named: Option<Kind>) -> Option<By> {
    pattern::generalise(values)?;
    let is_decimal = |value: &str| value.contains(['.', ',']) && value.replace(',', ".").parse::<f64>().is_ok();
    match named {
        Some(Kind::Id) => Some(By::Values),
        None if different(values) < IDS_MIN || share(values, is_decimal) >= NAMED_MIN => None,
        None if !values.iter().any(|value| value.contains(' ')) => Some(By::Form),
        _ => None,
    }
}

/// Whether a value may be part of a name.
fn is_name(value: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || c.is_whitespace() || "'’.-‐・ーﾞﾟ,".contains(c);
    value.chars().count() <= 60 && value.chars().all(is_letter)
}

/// Whether a value is a name of two words or more, each with a capital, or in a script that
/// has none.
fn is_whole_name(value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    let is_word = |word: &&str| word.chars().next().is_some_and(|c| !c.is_lowercase());
    let is_short = |value: &str| (2..=5).contains(&value.chars().count()) && value.chars().all(normal::is_joined);
    is_name(value) && (((2..=4).contains(&words.len()) && words.iter().all(is_word)) || is_short(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::guess::header;

    fn told(name: &str, values: &[&str]) -> (Kind, Option<char>, By) {
        let Guessed { kind: found, list, by } = kind(values, header::hint(name));
        (found, list, by)
    }

    #[test]
    fn values_decide_first_and_the_name_second() {
        for (name, values, kind, list, by) in [
            ("x", &["a@a.example", "b@b.example"][..], Kind::Email, None, By::Values),
            ("x", &["a@a.example, b@b.example", "c@c.example"], Kind::Email, Some(','), By::Values),
            ("domain", &["a@a.example"], Kind::Email, None, By::Values),
            ("x", &["a.example", "b.example;c.example"], Kind::Domain, Some(';'), By::Values),
            ("x", &["a.example b.example", "例え.テスト"], Kind::Domain, Some(' '), By::Values),
            ("x", &["1.5", "2.75"], Kind::Text, None, By::Nothing),
            ("created", &["2026-12-01", "2026-12-02"], Kind::Text, None, By::Values),
            ("x", &["20261201", "20261130"], Kind::Text, None, By::Values),
            ("member id", &["20261201", "20261130"], Kind::Id, None, By::Values),
            ("tel", &["03-5550-0001", "5550-0002"], Kind::Phone, None, By::Values),
            ("x", &["+49 30 5550001", "030 5550002"], Kind::Phone, None, By::Form),
            ("zip", &["012-345-6789"], Kind::Text, None, By::Name),
            ("x", &["QX-000001", "QX-000002"], Kind::Id, None, By::Form),
            ("plan", &["P1", "P2"], Kind::Text, None, By::Name),
            ("x", &["basic", "premium", "basic"], Kind::Text, None, By::Nothing),
            ("x", &["Nexora GmbH", "Velmora AG", "Tarn"], Kind::Organisation, None, By::Form),
            ("x", &["株式会社アオバ", "みどり園"], Kind::Organisation, None, By::Form),
            ("氏名", &["青葉 太郎"], Kind::Person, None, By::Values),
            ("x", &["Ada Byrne", "Olu Marsh"], Kind::Person, None, By::Form),
            ("x", &["青葉 太郎", "久遠花子"], Kind::Person, None, By::Form),
            ("auth_code", &["aB3xK9", "Zz81kQ"], Kind::Secret, None, By::Name),
            ("phone", &[], Kind::Phone, None, By::Name),
            ("id", &[], Kind::Text, None, By::Name),
        ] {
            assert_eq!(told(name, values), (kind, list, by), "{name}: {values:?}");
        }
    }
}
