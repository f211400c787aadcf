//! Phone numbers: E.164, whichever way they are written.
//!
//! Any number of a possible length is taken, in service or not: a directory's
//! number that no plan knows must still be found in a message. Whether a
//! number is one that can be called is asked apart, by [`is_dialable`].
//! Extensions are dropped. Source: libphonenumber's metadata.

use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::fold::{fold, kanji_digit};

/// The fewest and the most digits of a number that no plan has.
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 20;
const NO_PHONE: &str = "no phone number";

/// A number by its digits alone, whatever they mean.
pub fn digits(written: &str) -> String {
    std::iter::once('#').chain(written.chars().filter(char::is_ascii_digit)).collect()
}

/// The number in E.164; by its digits alone where no plan has such a number. A national
/// number needs its country.
pub fn canonical(value: &str, country: Option<&str>) -> Result<String, &'static str> {
    let folded = fold(value);
    // It says so already.
    if folded.trim_start().starts_with('#') {
        let digits = self::digits(&folded);
        return if (DIGITS_MIN..=DIGITS_MAX).contains(&(digits.len() - 1)) { Ok(digits) } else { Err(NO_PHONE) };
    }
    // Any sign may part the groups: `03・1234・5678`.
    let plain = |c: char| if c.is_alphanumeric() || "+-().;:".contains(c) { c } else { ' ' };
    let written: String = folded.trim().chars().map(|c| kanji_digit(c).unwrap_or(plain(c))).collect();
    // The library reads letters as a telephone's keys (0120-FLOWER); a value
    // with letters is no number to a reader of mail.
    let digits = written.strip_prefix("tel:").unwrap_or(&written);
    let digits = digits.find(|c: char| c.is_alphabetic() || c == ';').map_or(digits, |end| &digits[..end]);
    if digits.len() > 64 || digits.bytes().filter(u8::is_ascii_digit).count() < 6 {
        return Err(NO_PHONE);
    }
    let region = match country {
        Some(country) => Some(Region::from_str(&country.to_ascii_uppercase()).map_err(|_| "no country of that name")?),
        None => None,
    };
    let Ok((mut e164, mut has_zero)) = parse(digits, region) else {
        let count = digits.bytes().filter(u8::is_ascii_digit).count();
        let is_known = region.is_some() || digits.trim_start().starts_with('+');
        return if is_known && (DIGITS_MIN..=DIGITS_MAX).contains(&count) {
            Ok(self::digits(digits))
        } else {
            Err(NO_PHONE)
        };
    };
    // Of several zeros before a number one is taken off at a time; in Italy the
    // one that is left belongs to it.
    while has_zero {
        let (next, again) = parse(&e164, None)?;
        has_zero = again && next != e164;
        e164 = next;
    }
    Ok(e164)
}

/// The number in E.164, and whether a zero leads its national part.
fn parse(digits: &str, region: Option<Region>) -> Result<(String, bool), &'static str> {
    let number = PHONE_NUMBER_UTIL.parse(digits, region).map_err(|_| NO_PHONE)?;
    number.is_possible_with_reason().map_err(|_| NO_PHONE)?;
    Ok((number.format_as(PhoneNumberFormat::E164).into_owned(), number.italian_leading_zero()))
}

/// Whether a canonical number belongs to a numbering plan, and so can be told
/// from an order number of the same length.
pub fn is_dialable(canonical: &str) -> bool {
    PhoneNumber::parse(canonical, None).is_ok_and(|number| number.is_valid())
}
