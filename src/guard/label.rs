//! Words that say that an ID follows: `ID: A12345678`, `【会員番号】12345678`.

/// Words of ASCII, which stand by themselves; a longer one before those that it begins with.
const WORDS: [&str; 11] =
    ["memberid", "customerid", "accountid", "userid", "id", "no", "nr", "number", "member", "account", "customer"];
/// Words that may be the end of a longer one.
const ENDINGS: [&str; 7] = ["番号", "会員コード", "顧客コード", "お客様コード", "会員", "顧客", "お客様"];
/// Those of both that nothing but a number follows.
const SURE: [&str; 6] = ["id", "no", "nr", "number", "番号", "コード"];
/// Words that a telephone number follows.
const PHONES: [&str; 8] = ["tel", "fax", "phone", "mobile", "電話", "携帯", "ファックス", "ファクス"];

/// The regular expression of a label and what stands between it and its ID, in
/// folded text. What stands before it is left to another label: `member ID:`.
pub fn pattern() -> String {
    format!(r"(?:(?:(?-u:\b)|_)(?:{})|{})\s*[\])】」』]?\s*[.:#=は]?\s*", WORDS.join("|"), ENDINGS.join("|"))
}

/// The same for telephone numbers.
pub fn phones() -> String {
    format!(r"(?:{})(?:番号| ?number| ?no)?\s*[.:#=は]?\s*", PHONES.join("|"))
}

/// Whether what follows a label is its number, even if it looks like a date or a
/// price: `会員番号 2024-11-25`, but not `お客様 2024-11-25`.
pub fn is_sure(label: &str) -> bool {
    // What stands in another cell or line may be of another column.
    if label.contains(['\n', '\t']) {
        return false;
    }
    let word = label.trim_end_matches(is_after);
    SURE.iter().any(|sure| word.ends_with(sure))
}

/// Whether a label is the end of one for another number: 電話番号, 郵便番号.
pub fn is_others(before: &str) -> bool {
    before.ends_with("郵便") || PHONES.iter().any(|word| before.ends_with(word))
}

/// Whether a folded text may end with a label, and less than its number behind it:
/// what follows, in the next line too, is read with other eyes. An ID has so many
/// digits at most, a telephone number so many at least.
pub fn ends(folded: &str, id_digits: usize, phone_digits: usize) -> bool {
    let (mut text, mut digits) = (folded, 0);
    while let Some((before, piece)) = without_piece(text).filter(|_| digits < id_digits.max(phone_digits)) {
        text = before;
        digits += piece;
    }
    let label = text.trim_end_matches(is_after);
    let stands_apart = |before: &str| !before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let has_word = || WORDS.iter().any(|word| label.strip_suffix(word).is_some_and(stands_apart));
    let of_id = digits < id_digits && (ENDINGS.iter().any(|word| label.ends_with(word)) || has_word());
    of_id || (digits < phone_digits && PHONES.iter().any(|word| label.ends_with(word)))
}

fn is_after(c: char) -> bool {
    c.is_whitespace() || ".:#=は])】」』".contains(c)
}

/// The most characters that part two pieces of one number.
const GAP_MAX: usize = 4;

/// A text without the run of digits that it ends with, and the gap behind that; and
/// how many digits there are.
fn without_piece(text: &str) -> Option<(&str, usize)> {
    let end = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let before = end.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_near = text[end.len()..].chars().count() <= GAP_MAX;
    (before.len() < end.len() && is_near).then_some((before, end.len() - before.len()))
}

/// A number in pieces behind a label, up to so many digits: each beginning of it that
/// ends with a piece, from the second on, and its pieces. One and the same gap parts
/// them all: `3847・2915`, or white space of any kind.
pub fn pieces(text: &str, digits_max: usize) -> Vec<(&str, Vec<&str>)> {
    let (mut all, mut parts, mut digits) = (Vec::new(), Vec::new(), 0);
    let (mut at, mut gap) = (0, None);
    loop {
        let rest = &text[at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits += length;
        if length == 0 || digits > digits_max {
            return all;
        }
        parts.push(&rest[..length]);
        if parts.len() > 1 {
            all.push((&text[..at + length], parts.clone()));
        }
        let after = &rest[length..];
        let signs = || after.chars().take_while(|c| !c.is_alphanumeric()).take(GAP_MAX + 1);
        let next: usize = signs().map(char::len_utf8).sum();
        let blank = |gap: &str| gap.trim().is_empty();
        let is_same = gap.is_none_or(|gap: &str| gap == &after[..next] || blank(gap) && blank(&after[..next]));
        if next == 0 || signs().count() > GAP_MAX || !is_same {
            return all;
        }
        gap = Some(&after[..next]);
        at += length + next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_the_pattern_reaches_the_end_of_ends_in_a_label() {
        let pattern = regex::Regex::new(&pattern()).unwrap();
        for text in [
            "id",
            "user_id=",
            "会員id:",
            "member id: ",
            "会員番号は\n",
            "【会員番号】",
            "memberid=",
            "お客様コード: ",
            "no.",
            "お客様",
            "android",
            "x",
            "番号 12345678",
            "id: x",
            "",
        ] {
            let reaches = pattern.find_iter(text).any(|label| label.end() == text.len());
            assert_eq!(ends(text, 8, 9), reaches, "{text:?}");
        }
    }

    #[test]
    fn a_label_with_a_piece_of_its_number_is_one() {
        for text in ["会員番号 1234", "id: 1234-\n", "no. 1 2 3 ", "電話", "tel: 03・1234", "id 1234\t"] {
            assert!(ends(text, 8, 9), "{text:?}");
        }
        for text in ["会員番号 12345678", "id: 1234 x", "tel: 03-1234-5678", "no. 1 -----  2", "1234"] {
            assert!(!ends(text, 8, 9), "{text:?}");
        }
    }

    #[test]
    fn a_number_in_pieces() {
        let found = |text| pieces(text, 8).into_iter().map(|(whole, parts)| (whole, parts.len())).collect::<Vec<_>>();
        assert_eq!(found("1234・5678。"), [("1234・5678", 2)]);
        assert_eq!(found("1234  56\t78 9"), [("1234  56", 2), ("1234  56\t78", 3)]);
        assert_eq!(found("123-4567 1"), [("123-4567", 2)]);
        assert_eq!(found("1234年5678"), []);
        assert_eq!(found("1234-----5678"), []);
        assert_eq!(found("x1234 5678"), []);
    }
}
