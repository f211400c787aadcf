//! Numbers of bank accounts: `DE89 3704 0044 0532 0130 00` has no telephone number in it.
//!
//! Input: folded text, and where in it a candidate stands. Output: whether that is a piece of an
//! IBAN (ISO 13616), which proves itself by its two check digits (ISO 7064). Infallible.

/// The lengths of an IBAN, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 15..=34;
/// The characters of a group, where it is written in groups.
const GROUP: usize = 4;
/// How far one reaches back in a text, blanks included, in bytes.
const REACH: usize = 42;

/// Whether a candidate stands inside an IBAN.
pub fn has(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b' ';
    let back = bytes[..start].iter().rev().take(REACH).take_while(|b| is_part(b)).count();
    (start - back..start).any(|at| {
        let begins = matches!(bytes[at..], [a, b, c, d, ..]
            if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit());
        let is_apart = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        begins && is_apart && length(&bytes[at..]).is_some_and(|length| at + length >= end)
    })
}

/// How long the IBAN is that a text begins with, blanks included.
fn length(text: &[u8]) -> Option<usize> {
    let (mut compact, mut at) = (Vec::new(), 0);
    for group in text.split(|b| *b == b' ') {
        let word = group.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        compact.extend_from_slice(&group[..word]);
        at += word;
        if compact.len() > *LENGTHS.end() {
            return None;
        }
        if LENGTHS.contains(&compact.len()) && is_right(&compact) {
            return Some(at);
        }
        // A shorter group is the last one.
        if word != GROUP || word < group.len() {
            return None;
        }
        at += 1;
    }
    None
}

/// Whether the check digits are right: the first four characters moved to the end, letters from
/// 10 on, it is 1 modulo 97.
fn is_right(compact: &[u8]) -> bool {
    let (first, rest) = compact.split_at(4);
    let value = rest.iter().chain(first).fold(0, |sum, b| match b {
        b'0'..=b'9' => (sum * 10 + u32::from(b - b'0')) % 97,
        _ => (sum * 100 + u32::from(b.to_ascii_lowercase() - b'a') + 10) % 97,
    });
    value == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_iban_is_no_number_of_its_own() {
        for (text, candidate, expected) in [
            ("iban de89 3704 0044 0532 0130 00", "0044 0532 0130", true),
            ("iban: de89370400440532013000.", "0440532013", true),
            ("gb82 west 1234 5698 7654 32", "1234 5698 76", true),
            ("fr14 2004 1010 0505 0001 3m02 606", "0505 0001", true),
            ("de88 3704 0044 0532 0130 00", "0044 0532 0130", false),
            ("kd40812 0312 3456 78", "0312 3456 78", false),
            ("de89 3704 0044 0532 0130 00 0312345678", "0312345678", false),
            ("de", "de", false),
        ] {
            let start = text.find(candidate).expect("it is in there");
            assert_eq!(has(text, start, start + candidate.len()), expected, "{text}");
        }
    }
}
