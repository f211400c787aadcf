//! Amounts in the columns of a table, whose digits would make a telephone number together with
//! those beside or below them.
//!
//! Input: folded text, and where in it a candidate stands. Output: whether it has a piece of an
//! amount in it. Infallible.

/// Whether a run of digits and their signs has a piece of an amount in it.
pub fn is_among(text: &str, start: usize, end: usize) -> bool {
    has_cents(text, start, end)
        || has_column(text, start, end)
        || starts_inside(text, start)
        || ends_inside(text, end)
        || has_millions(&text[start..end])
}

/// Whether a run of digits is one whole amount of millions or more: `81,312,176,544`. Telephone
/// numbers are written so only by a program that took them for amounts, behind their label.
pub fn is_whole(number: &str) -> bool {
    is_grouped(number, ',') && number.matches(',').nth(1).is_some()
}

/// Whether an amount ends inside a run of digits and their signs: `031.20` of `90,756,031.20`,
/// `0 3,151,358.76`.
fn has_cents(text: &str, start: usize, end: usize) -> bool {
    let ends = |comma: usize| {
        let group = text[comma + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let cents = text[comma + 1 + group..].strip_prefix('.').unwrap_or_default();
        let count = cents.bytes().take_while(u8::is_ascii_digit).count();
        group == 3 && (1..=2).contains(&count) && !cents[count..].starts_with('.')
    };
    let from = start - usize::from(text[..start].ends_with(','));
    text[from..end]
        .match_indices(',')
        .any(|(at, _)| text[..from + at].ends_with(|c: char| c.is_ascii_digit()) && ends(from + at))
}

/// Whether a place is inside an amount that ends its line or has three groups and more:
/// `813,138` of `87,813,138`. `1,090-1234-5678` is none.
fn starts_inside(text: &str, start: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(',') else { return false };
    let first = before.len() - before.bytes().rev().take_while(|b| is_sign(char::from(*b))).count();
    let after = text[start..].trim_start_matches(is_sign);
    let number = &text[first..text.len() - after.len()];
    is_grouped(number, ',') && (number.matches(',').nth(1).is_some() || after.is_empty() || after.starts_with('\n'))
}

/// Whether a place is inside an amount of millions or more: `16,506` of `16,506,568.03`.
fn ends_inside(text: &str, end: usize) -> bool {
    let Some(sign) = text[end..].chars().next().filter(|c| matches!(c, ',' | '.')) else { return false };
    let in_group = |c: char| c.is_ascii_digit() || c == sign;
    let first = text[..end].trim_end_matches(in_group).len();
    let last = text.len() - text[end..].trim_start_matches(in_group).len();
    let number = &text[first..last];
    is_grouped(number, sign) && number.matches(sign).nth(1).is_some()
}

/// Whether a run of digits has two amounts in it, a line each: `931,813` and `17,640`.
fn has_column(text: &str, start: usize, end: usize) -> bool {
    text[start..end].match_indices('\n').any(|(at, _)| {
        let (before, after) = (text[..start + at].trim_end(), text[start + at..].trim_start());
        let first = &before[before.trim_end_matches(is_sign).len()..];
        let second = &after[..after.len() - after.trim_start_matches(is_sign).len()];
        [',', '.'].into_iter().any(|sign| is_grouped(first, sign) && is_grouped(second, sign))
    })
}

/// Whether one of several numbers is an amount of millions: `813,194,833` above `+8.4%`.
fn has_millions(run: &str) -> bool {
    run.split_whitespace().any(|number| number.len() < run.len() && is_whole(number))
}

/// Whether a number is written in groups of three: `62,649,375`.
fn is_grouped(number: &str, sign: char) -> bool {
    let Some((first, rest)) = number.split_once(sign) else { return false };
    let is_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let is_first = (1..=3).contains(&first.len()) && is_digits(first);
    is_first && rest.split(sign).all(|group| group.len() == 3 && is_digits(group))
}

/// Whether a character is a digit or parts the groups of a number.
fn is_sign(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ',' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_millions_is_whole() {
        assert!(is_whole("81,312,176,544") && is_whole("312,176,544"));
        for other in ["176,544", "81,312,176,54", "8131,217,654", "81,312 176,544", "03,1234,5678"] {
            assert!(!is_whole(other), "{other}");
        }
    }

    #[test]
    fn pieces_of_amounts_are_told_from_telephone_numbers() {
        for (text, candidate, expected) in [
            ("0   3,151,358.76", "0   3,151,358", true),
            ("931,813\n17,640\n+20.4%", "813\n17,640\n+20", true),
            ("62,649,375,031\n50,537\n+90.4%", "031\n50,537\n+90", true),
            ("62.649.375.031\n50.537", "031\n50.537", true),
            ("87,813,138\n81\n+25.4%", "813,138\n81\n+25", true),
            ("6,031,803,774   0", "031,803,774   0", true),
            ("813,194,833\n+8.4%", "813,194,833\n+8.4", true),
            ("01\n14,268,672,883.03", "01\n14,268,672", true),
            ("01\n14.268.672.883,03", "01\n14.268.672", true),
            ("212.555.0187, 212", "212.555.0187", false),
            ("212 555 0187.", "212 555 0187", false),
            ("1,090-1234-5678", "090-1234-5678", false),
            ("1,090 1234 5678", "090 1234 5678", false),
            ("415.555\n.2671", "415.555\n.2671", false),
            ("212.555\n0199", "212.555\n0199", false),
            ("03,1234,5678", "03,1234,5678", false),
            ("12,03-1234-5678", "03-1234-5678", false),
        ] {
            let start = text.find(candidate).expect("it is in there");
            assert_eq!(is_among(text, start, start + candidate.len()), expected, "{text}");
        }
    }
}
