//! Figures that are no identifiers, although their digits would make one: prices,
//! dates, decimal numbers, columns, hashes and the like.
//!
//! Input: folded text and where in it a candidate stands, or the candidate's groups
//! of digits. Output: whether it is one of these. Infallible.

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

/// `12345678.0`: a whole number as spreadsheets write it that took it for another.
pub fn is_float(text: &str, end: usize) -> bool {
    let rest = text[end..].strip_prefix(".0");
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.'))
}

/// How far a number is looked at behind a piece of it, in bytes.
const NUMBER_MAX: usize = 64;

/// `…,12345678`, `12345678,…`: one of a list, or of a decimal number.
pub fn in_list(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (&text.as_bytes()[..start], &text.as_bytes()[end..]);
    matches!(before, [.., b'0'..=b'9', b',']) || matches!(after, [b',', b'0'..=b'9', ..])
}

/// `12345678円`, `$12345678`.
pub fn is_amount(text: &str, start: usize, end: usize) -> bool {
    text[end..].starts_with('円') || text[..start].ends_with(['¥', '$', '€', '£'])
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

/// A piece of `550e8400-e29b-41d4-a716-446655440000`: nobody reads a number out
/// of the middle of one, and one in twenty has eight digits together somewhere.
pub fn is_uuid_piece(text: &str, start: usize, end: usize) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let whole = token_around(text, start, end);
    let fits = |(at, b): (usize, &u8)| if DASHES.contains(&at) { *b == b'-' } else { b.is_ascii_hexdigit() };
    whole.len() == 36 && whole.iter().enumerate().all(fits) && whole.iter().any(u8::is_ascii_alphabetic)
}

/// `"GET / HTTP/1.1" 200 12345`: status and size, as web servers log them.
pub fn is_log(before: &str, parts: &[&str]) -> bool {
    before.ends_with("\" ") && parts.len() == 2 && parts[0].len() == 3
}

/// `12345 13 2`: figures beside one another. Who writes one number in three groups
/// or more makes them about as long.
pub fn is_columns(separator: char, parts: &[&str]) -> bool {
    let lengths = || parts.iter().map(|part| part.len());
    let (Some(least), Some(most)) = (lengths().min(), lengths().max()) else { return false };
    separator == ' ' && parts.len() > 2 && least != most && (least < 2 || most - least > 2)
}

/// `cve-2026-1234`: the number of a weakness, by year.
pub fn is_advisory(before: &str, parts: &[&str]) -> bool {
    before.ends_with("cve-") && parts.len() == 2 && begins_as_year(parts[0])
}

/// `12,345,678`: groups of three after the first.
pub fn is_price(separator: char, parts: &[&str]) -> bool {
    separator != '-' && parts[0].len() <= 3 && parts[1..].iter().all(|part| part.len() == 3)
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
        let separator = sign(n).filter(|sign| matches!(*sign, "-" | "."));
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
