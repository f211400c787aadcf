//! IDs → the regular expression that all of them match.
//!
//! Input: values of one column. Output: a pattern by which the guard knows such an ID in a
//! text: letters that are always the same stand as they are, digits and other letters by
//! their class, and every length that was seen. A rare shape (under 1 %) is left out, for an
//! import to name its lines. `None` where the values have no common shape. Infallible.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

/// The most shapes of one column.
const SHAPES_MAX: usize = 4;
/// The least share of the values that a shape has, in percent.
const SHARE_MIN: usize = 1;
/// From so many values on, what none of them begins with is left out of a pattern.
const VALUES_MANY: usize = 30;
/// More changes between letters and digits than this are no shape.
const RUNS_MAX: usize = 3;

/// Dates as people and programs write them.
const DATES: [&str; 8] = ["20261201", "19840229", "2026-12-01", "1984/02/29", "2026.12.01", "2026", "1984", "2026-12"];

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The regular expression.
    pub pattern: String,
    /// Whether a date matches it too.
    pub has_dates: bool,
}

/// What stands at one place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Digit,
    Upper,
    Lower,
    Sign(char),
}

/// The class of a sign; `None` for letters beyond A to Z.
fn class(c: char) -> Option<Class> {
    match c {
        '0'..='9' => Some(Class::Digit),
        'A'..='Z' => Some(Class::Upper),
        'a'..='z' => Some(Class::Lower),
        c if c.is_alphanumeric() => None,
        c => Some(Class::Sign(c)),
    }
}

/// A value in runs of one class; signs stand alone.
fn runs(value: &str) -> Option<Vec<(Class, &str)>> {
    let mut runs: Vec<(Class, &str)> = Vec::new();
    let mut start = 0;
    for (at, c) in value.char_indices() {
        let (here, end) = (class(c)?, at + c.len_utf8());
        match runs.last_mut() {
            Some((last, text)) if *last == here && !matches!(here, Class::Sign(_)) => *text = &value[start..end],
            _ => {
                start = at;
                runs.push((here, &value[at..end]));
            }
        }
    }
    Some(runs)
}

/// The values without signs between, in parts: each part of letters and digits, or one sign.
fn parts(value: &str) -> Vec<&str> {
    let is_inner = |c: char| c.is_ascii_alphanumeric();
    let mut parts = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let end = if is_inner(first) { rest.find(|c| !is_inner(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (part, behind) = rest.split_at(end);
        parts.push(part);
        rest = behind;
    }
    parts
}

/// The pattern of a column's values.
pub fn generalise(values: &[&str]) -> Option<Shape> {
    let digits = values.iter().filter(|value| value.bytes().any(|b| b.is_ascii_digit())).count();
    // A pattern of letters alone would match every word.
    if values.is_empty() || digits * 2 < values.len() {
        return None;
    }
    let pattern = by_runs(values).or_else(|| by_parts(values))?;
    let is_date = |pattern: &str| {
        let whole = Regex::new(&format!("^(?:{pattern})$")).ok();
        whole.is_some_and(|whole| DATES.iter().any(|date| whole.is_match(date)))
    };
    let has_dates = is_date(&pattern);
    if has_dates && values.len() >= VALUES_MANY && !values.iter().any(|value| value.starts_with(['1', '2'])) {
        let narrow = without_years(&pattern);
        if let Some(pattern) = narrow.filter(|narrow| !is_date(narrow)) {
            return Some(Shape { pattern, has_dates: false });
        }
    }
    Some(Shape { pattern, has_dates })
}

/// A pattern that begins with so many digits, of which the first is neither 1 nor 2.
fn without_years(pattern: &str) -> Option<String> {
    let (count, rest) = pattern.strip_prefix("[0-9]{")?.split_once('}')?;
    let count: usize = count.parse().ok()?;
    match count.checked_sub(1)? {
        0 => Some(format!("[03-9]{rest}")),
        left => Some(format!("[03-9][0-9]{{{left}}}{rest}")),
    }
}

/// Groups of values, without those that have hardly any.
fn groups<'v, K: Ord>(values: &[&'v str], key: impl Fn(&'v str) -> Option<K>) -> Option<Vec<(K, Vec<&'v str>)>> {
    let mut groups: BTreeMap<K, Vec<&str>> = BTreeMap::new();
    let mut others = 0;
    for value in values {
        match key(value) {
            Some(key) => groups.entry(key).or_default().push(value),
            None => others += 1,
        }
    }
    let is_rare = |count: usize| count * 100 < values.len() * SHARE_MIN;
    let kept: Vec<(K, Vec<&str>)> = groups.into_iter().filter(|(_, group)| !is_rare(group.len())).collect();
    let left = values.len() - kept.iter().map(|(_, group)| group.len()).sum::<usize>();
    let is_shape =
        !kept.is_empty() && kept.len() <= SHAPES_MAX && left * 20 <= values.len() && others * 20 <= values.len();
    is_shape.then_some(kept)
}

/// By runs of digits, capitals and small letters, where these are few.
fn by_runs(values: &[&str]) -> Option<String> {
    let skeleton = |value: &str| runs(value).map(|runs| runs.iter().map(|(class, _)| *class).collect::<Vec<_>>());
    let groups = groups(values, skeleton)?;
    let longest = |classes: &[Class]| {
        let words = classes.split(|class| matches!(class, Class::Sign(_)));
        words.map(<[Class]>::len).max().unwrap_or(0)
    };
    if groups.len() > 1 && groups.iter().any(|(classes, _)| longest(classes) > RUNS_MAX) {
        return None;
    }
    let shape = |classes: &[Class], group: &[&str]| {
        let rows: Vec<Vec<(Class, &str)>> = group.iter().filter_map(|value| runs(value)).collect();
        let one = |(at, class): (usize, &Class)| {
            let seen: BTreeSet<&str> = rows.iter().filter_map(|row| row.get(at)).map(|(_, text)| *text).collect();
            match class {
                Class::Sign(sign) => literal(&sign.to_string()),
                Class::Digit => lengths("[0-9]", &seen),
                _ if seen.len() == 1 => literal(seen.first().copied().unwrap_or_default()),
                Class::Upper => lengths("[A-Z]", &seen),
                Class::Lower => lengths("[a-z]", &seen),
            }
        };
        classes.iter().enumerate().map(one).collect::<String>()
    };
    Some(alternatives(groups.iter().map(|(classes, group)| shape(classes, group)).collect()))
}

/// By the signs between parts alone; a part is of all the classes that it has anywhere.
fn by_parts(values: &[&str]) -> Option<String> {
    let key = |value: &str| {
        runs(value)?;
        let is_sign = |part: &&str| !part.starts_with(|c: char| c.is_ascii_alphanumeric());
        Some(
            parts(value)
                .into_iter()
                .map(|part| Some(part).filter(is_sign).unwrap_or("").to_owned())
                .collect::<Vec<_>>(),
        )
    };
    let groups = groups(values, key)?;
    let shape = |signs: &[String], group: &[&str]| {
        let rows: Vec<Vec<&str>> = group.iter().map(|value| parts(value)).collect();
        let one = |(at, sign): (usize, &String)| {
            let seen: BTreeSet<&str> = rows.iter().filter_map(|row| row.get(at)).copied().collect();
            let is_word = seen.iter().all(|part| !part.bytes().any(|b| b.is_ascii_digit()));
            match sign.as_str() {
                "" if seen.len() == 1 && is_word => literal(seen.first().copied().unwrap_or_default()),
                "" => lengths(&any_of(&seen), &seen),
                sign => literal(sign),
            }
        };
        signs.iter().enumerate().map(one).collect::<String>()
    };
    Some(alternatives(groups.iter().map(|(signs, group)| shape(signs, group)).collect()))
}

/// The class of every sign that some texts have.
fn any_of(seen: &BTreeSet<&str>) -> String {
    let has = |is: fn(&u8) -> bool| seen.iter().any(|text| text.as_bytes().iter().any(is));
    let classes =
        [(has(u8::is_ascii_uppercase), "A-Z"), (has(u8::is_ascii_lowercase), "a-z"), (has(u8::is_ascii_digit), "0-9")];
    format!("[{}]", classes.iter().filter(|(is_seen, _)| *is_seen).map(|(_, class)| *class).collect::<String>())
}

/// A class as often as it was seen: `{8}`, `{4,7}`, or a few lengths apart.
fn lengths(class: &str, seen: &BTreeSet<&str>) -> String {
    let lengths: BTreeSet<usize> = seen.iter().map(|text| text.len()).collect();
    let (Some(min), Some(max)) = (lengths.first(), lengths.last()) else { return String::new() };
    if min == max {
        return if *min == 1 { class.to_owned() } else { format!("{class}{{{min}}}") };
    }
    if lengths.len() <= max - min && lengths.len() <= 3 {
        return alternatives(lengths.iter().map(|length| format!("{class}{{{length}}}")).collect());
    }
    format!("{class}{{{min},{max}}}")
}

/// Any of several patterns.
fn alternatives(mut patterns: Vec<String>) -> String {
    if patterns.len() == 1 { patterns.remove(0) } else { format!("(?:{})", patterns.join("|")) }
}

/// A text as a pattern.
fn literal(text: &str) -> String {
    let sign = |c: char| if r".+*?()|[]{}^$\".contains(c) { format!("\\{c}") } else { c.to_string() };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(values: &[String]) -> Option<(String, bool)> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        generalise(&values).map(|shape| (shape.pattern, shape.has_dates))
    }

    fn many(one: impl Fn(u32) -> String) -> Vec<String> {
        (0..200).map(one).collect()
    }

    #[test]
    fn shapes_have_their_letters_classes_and_lengths() {
        let mixed = |n: u32| {
            let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
            (0..6).map(|at| letters[(n as usize * 7919 + at * n as usize * 31 + at * 13) % 62]).collect::<String>()
        };
        for (values, pattern, has_dates) in [
            (many(|n| format!("{}", 10_000_000 + n)), "[0-9]{8}", true),
            (many(|n| format!("{}", 40_000_000 + n)), "[03-9][0-9]{7}", false),
            (many(|n| format!("QX-{:06}", n * 37)), "QX-[0-9]{6}", false),
            (many(|n| format!("{}{:05}", if n % 2 == 0 { "AB" } else { "CD" }, n)), "[A-Z]{2}[0-9]{5}", false),
            (many(|n| (n + 950).to_string()), "[0-9]{3,4}", true),
            (many(|n| "7".repeat(if n % 2 == 0 { 6 } else { 10 })), "(?:[0-9]{6}|[0-9]{10})", false),
            (many(|n| format!("{}.{:04}", n % 10, n)), r"[0-9]\.[0-9]{4}", false),
            (many(mixed), "[A-Za-z0-9]{6}", false),
            (
                many(|n| format!("{:04}-{:02}-{:02}", 4000 + n, n % 90, n % 70)),
                "[03-9][0-9]{3}-[0-9]{2}-[0-9]{2}",
                false,
            ),
            (many(|n| format!("u-{:x}a9", n * 99_991 + 0x00a0_0000)), "u-[a-z0-9]{8,9}", false),
        ] {
            assert_eq!(shape(&values), Some((pattern.to_owned(), has_dates)), "{}", values[7]);
            let whole = Regex::new(&format!("^(?:{pattern})$")).unwrap();
            assert!(values.iter().all(|value| whole.is_match(value)), "{pattern}");
        }
    }

    #[test]
    fn a_rare_shape_is_left_out_and_words_have_none() {
        let mut values = many(|n| format!("QX-{n:06}"));
        values.push("TEST".into());
        assert_eq!(shape(&values), Some(("QX-[0-9]{6}".into(), false)));
        assert_eq!(shape(&many(|n| format!("name{}", "x".repeat(n as usize % 5)))), None);
        assert_eq!(shape(&many(|n| format!("会員{n}"))), None);
        assert_eq!(shape(&[]), None);
    }
}
