//! Telephone numbers → the region that their national ones belong to.
//!
//! Input: values of one column and the language of its name. Output: a region, and how it
//! was found. International numbers (`+81 …`) decide; else the region of the language, or
//! that by whose plan most numbers can be dialled. Source: `countries.txt` and
//! libphonenumber's metadata. Infallible.

use std::sync::LazyLock;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use crate::account::Kind;
use crate::guard::normal;

/// `region | language`, a line a region.
const FILE: &str = include_str!("countries.txt");
/// The most values that are tried with each region.
const TRIED_MAX: usize = 200;

static COUNTRIES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = FILE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('|')).map(|(region, language)| (region.trim(), language.trim())).collect()
});

/// How a region was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// By so many numbers with its calling code.
    Code(usize),
    /// By the language of the column's name, or the script of other columns.
    Language,
    /// By the numbers that can be dialled there.
    Plan,
}

/// The region of a column's numbers.
pub fn country(values: &[&str], language: Option<&str>) -> Option<(&'static str, Found)> {
    let is_international = |value: &&&str| normal::fold(value).trim_start().starts_with('+');
    let (abroad, national): (Vec<&str>, Vec<&str>) = values.iter().partition(|value| is_international(value));
    let coded = COUNTRIES.iter().enumerate().filter_map(|(at, (region, _))| {
        let prefix = format!("+{}", code(region)?);
        let count =
            abroad.iter().filter(|value| e164(value, None).is_some_and(|number| number.starts_with(&prefix))).count();
        (count > 0).then_some(((count, std::cmp::Reverse(at)), *region))
    });
    if let Some(((count, _), region)) = coded.max_by_key(|(rank, _)| *rank) {
        return Some((region, Found::Code(count)));
    }
    let tried = &national[..national.len().min(TRIED_MAX)];
    let dialable = |region: &str| {
        tried
            .iter()
            .filter(|value| e164(value, Some(region)).is_some_and(|number| normal::is_dialable(&number)))
            .count()
    };
    let of_language = COUNTRIES.iter().find(|(_, other)| Some(*other) == language).map(|(region, _)| *region);
    // English names are written everywhere.
    if let Some(region) = of_language.filter(|region| language != Some("en") || dialable(region) * 2 > tried.len()) {
        return Some((region, Found::Language));
    }
    let ranked =
        COUNTRIES.iter().enumerate().map(|(at, (region, _))| ((dialable(region), std::cmp::Reverse(at)), *region));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, region)| (region, Found::Plan))
}

fn e164(value: &str, region: Option<&str>) -> Option<String> {
    normal::canonical(Kind::Phone, value, region).ok()
}

/// A region's calling code.
fn code(region: &str) -> Option<i32> {
    PHONE_NUMBER_UTIL.get_country_code_for_region(region.parse::<Region>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_of_the_file_has_a_calling_code() {
        let lines = FILE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(COUNTRIES.len(), lines);
        for (n, (region, language)) in COUNTRIES.iter().enumerate() {
            assert!(code(region).is_some() && language.len() == 2, "{region}");
            assert!(COUNTRIES[..n].iter().all(|(other, _)| other != region), "{region} is there twice");
        }
    }

    #[test]
    fn calling_codes_decide_then_the_language_then_the_plan() {
        for (values, language, found) in [
            (&["+81 3-5550-0001", "03-5550-0002"][..], Some("de"), ("JP", Found::Code(1))),
            (&["+1 212 555 0101"], None, ("US", Found::Code(1))),
            (&["+82-2-555-0101", "+81 3-5550-0001", "+82-2-555-0102"], None, ("KR", Found::Code(2))),
            (&["03-5550-0002"], Some("ja"), ("JP", Found::Language)),
            (&["030 5550002"], Some("de"), ("DE", Found::Language)),
            (&["(212) 555-0101"], Some("en"), ("US", Found::Language)),
            (&["090-1234-5678", "03-1234-5678"], None, ("JP", Found::Plan)),
        ] {
            assert_eq!(country(values, language), Some(found), "{values:?}");
        }
    }
}
