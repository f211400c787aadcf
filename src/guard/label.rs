//! Words that say that an ID follows: `ID: A12345678`, `会員番号 12345678`.

/// Words of ASCII, which stand by themselves.
const WORDS: [&str; 7] = ["id", "no", "nr", "number", "member", "account", "customer"];
/// Words that may be the end of a longer one.
const ENDINGS: [&str; 4] = ["番号", "会員", "顧客", "お客様"];

/// The regular expression of a label and what stands between it and its ID, in
/// folded text. What stands before it is left to another label: `member ID:`.
pub fn pattern() -> String {
    format!(r"(?:(?:(?-u:\b)|_)(?:{})|{})\s*[.:#=は]?\s*", WORDS.join("|"), ENDINGS.join("|"))
}

/// Whether a folded text may end with a label: what follows it, in the next line
/// too, is read with other eyes.
pub fn ends(folded: &str) -> bool {
    let label = folded.trim_end_matches(|c: char| c.is_whitespace() || ".:#=は".contains(c));
    let stands_apart = |before: &str| !before.ends_with(|c: char| c.is_ascii_alphanumeric());
    ENDINGS.iter().any(|word| label.ends_with(word))
        || WORDS.iter().any(|word| label.strip_suffix(word).is_some_and(stands_apart))
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
            "no.",
            "お客様",
            "android",
            "x",
            "番号 12",
            "id: x",
            "",
        ] {
            let reaches = pattern.find_iter(text).any(|label| label.end() == text.len());
            assert!(ends(text) || !reaches, "{text:?}");
            assert_eq!(ends(text), reaches, "{text:?}");
        }
    }
}
