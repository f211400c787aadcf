//! Member IDs and the like: folded, without separators.
//!
//! `1234-5678`, `1234 5678`, `1,234,5678` and `ＡＢ１２` are how people write
//! one key. So letters and digits are all that is left; two keys that differ in
//! nothing but separators are taken for one, which holds too much, never too
//! little.

use super::fold::{fold, kanji_digit};

/// The canonical form of an ID.
pub fn canonical(value: &str) -> Result<String, &'static str> {
    let bare = |text: &str| fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    // Without what stood between them, jamo and numerals may come together.
    let id = bare(&bare(value));
    if id.is_empty() {
        return Err("no letter or digit");
    }
    // A value that is nothing but kanji numerals is a number at any length:
    // here, unlike in prose, it cannot be a word.
    match id.chars().map(kanji_digit).collect() {
        Some(digits) => Ok(digits),
        None => Ok(id),
    }
}
