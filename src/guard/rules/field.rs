//! How well words fit the name of a merge field: `FNAME`, `first_name`, `お客様名`. Input: what
//! stands in a field's signs. Which words those are is said by `lexicon/placeholder.txt`.
//! Infallible, linear.

use crate::guard::rules::placeholders::has;

/// How well a word fits a merge field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Not,
    /// It may be a caption as well.
    Part,
    Field,
}

pub(super) fn fit(content: &str) -> Fit {
    let content = content.trim();
    let whole: String = content.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if has("field", &whole) {
        return Fit::Field;
    }
    if has("part", &whole) {
        return Fit::Part;
    }
    let (words, is_identifier) = split(content);
    if words.len() < 2 {
        return Fit::Not;
    }
    let known = |word: &String| ["field", "part", "glue"].iter().any(|role| has(role, word));
    let (is_field, is_part) = (words.iter().any(|w| has("field", w)), words.iter().any(|w| has("part", w)));
    match (is_field, is_part, words.iter().all(known)) {
        (true, _, all) if all || is_identifier => Fit::Field,
        (_, true, true) if is_identifier => Fit::Field,
        (_, true, true) => Fit::Part,
        (_, true, _) if is_identifier => Fit::Part,
        _ => Fit::Not,
    }
}

/// The words of a name in lower case, and whether it is written as programs do.
fn split(content: &str) -> (Vec<String>, bool) {
    let mut words = vec![String::new()];
    let (mut is_identifier, mut before) = (false, ' ');
    for c in content.chars() {
        let cuts = matches!(c, '_' | '.' | '-' | ' ' | ':' | '|');
        is_identifier |= matches!(c, '_' | '.');
        if cuts || c.is_uppercase() && before.is_lowercase() {
            is_identifier |= !cuts;
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| !cuts) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    (words, is_identifier)
}
