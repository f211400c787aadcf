//! The case of letters beside folded text: which of A to Z were upper case.
//!
//! [`cased`] gives a text as [`fold`] does, byte for byte in the same places, but with the
//! upper case of A to Z (full-width ones too). [`exact`] is an ID's form where a directory
//! tells `aB0012` from `Ab0012`. Infallible, linear.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::fold::fold;
use super::id;

/// Stands before an exact form: no folded form begins with it.
pub const EXACT: char = '=';
/// `A` while a text is folded, and the other letters behind it: a private character that no
/// step changes.
const PRIVATE_A: u32 = 0xf_0041;

/// A folded text with its upper case; `None` where the letters of the two do not stand in
/// the same places.
///
/// ```
/// use kakitome::guard::normal::{cased, fold};
/// let text = "ID:\u{200b}ＡＢ0012。Thanks";
/// assert_eq!(fold(text), "id:ab0012.thanks");
/// assert_eq!(cased(text, &fold(text)).as_deref(), Some("ID:AB0012.Thanks"));
/// ```
pub fn cased(text: &str, folded: &str) -> Option<String> {
    if text.is_ascii() {
        let aligned = text.len() == folded.len() && text.bytes().zip(folded.bytes()).all(is_aligned);
        return aligned.then(|| text.bytes().zip(folded.bytes()).map(|(c, f)| char::from(kept(c, f))).collect());
    }
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let marked: String = composed.chars().map(mark).collect();
    let marked = fold(&marked);
    let (mut all, mut folds) = (String::with_capacity(folded.len()), folded.chars());
    for c in marked.chars().map(unmark) {
        let f = folds.next()?;
        if c.to_ascii_lowercase() == f {
            all.push(c);
        } else if !f.is_alphanumeric() && !c.is_alphanumeric() {
            // A sign may be read otherwise beside a letter: `。` before Thanks is a dot.
            all.push(f);
        } else {
            return None;
        }
    }
    folds.next().is_none().then_some(all)
}

/// The form of an ID whose case counts: its letters and digits, as they are written.
pub fn exact(value: &str) -> Option<String> {
    let canonical = id::canonical(value).ok()?;
    let folded = fold(value);
    let bare: Option<String> =
        cased(value, &folded).map(|cased| cased.chars().filter(|c| c.is_alphanumeric()).collect());
    Some(exact_of(&bare.filter(|bare| bare.to_ascii_lowercase() == canonical).unwrap_or(canonical)))
}

/// The exact form of what is letters and digits already.
pub fn exact_of(bare: &str) -> String {
    format!("{EXACT}{bare}")
}

fn is_aligned((c, f): (u8, u8)) -> bool {
    c.to_ascii_lowercase() == f || !(c.is_ascii_alphanumeric() || f.is_ascii_alphanumeric())
}

fn kept(c: u8, f: u8) -> u8 {
    if c.is_ascii_alphanumeric() { c } else { f }
}

fn mark(c: char) -> char {
    let letter = match c {
        'A'..='Z' => u32::from(c) - u32::from('A'),
        'Ａ'..='Ｚ' => u32::from(c) - u32::from('Ａ'),
        _ => return c,
    };
    char::from_u32(PRIVATE_A + letter).unwrap_or(c)
}

fn unmark(c: char) -> char {
    match u32::from(c).checked_sub(PRIVATE_A) {
        Some(letter @ 0..26) => char::from(b'A' + letter as u8),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_stands_where_the_folded_letters_do() {
        for text in [
            "plain aB0012",
            "O`Example aB0012",
            "会員番号はaB0012です。Thank you",
            "Ünal, NFD A\u{308}rger, ＡＢ００１２ ﾃｽﾄ aB0012",
            "①aB0012② Straße ΣΑΣ İstanbul",
            "ー03ー1234 aB\u{ad}00\u{200b}12",
            "例え。JP と例え。テスト",
        ] {
            let folded = fold(text);
            let cased = cased(text, &folded).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(cased.len(), folded.len(), "{text}");
            for id in ["aB0012", "ＡＢ００１２"].iter().filter(|id| text.contains(*id)) {
                let id = if id.is_ascii() { id } else { "AB0012" };
                let at = folded.find("ab0012").unwrap();
                assert!(cased.match_indices(id).any(|(found, _)| found >= at), "{cased}");
            }
        }
        assert_eq!(cased("aB0012", "other text"), None);
    }

    #[test]
    fn exact_forms_keep_case_and_nothing_else() {
        for (value, form) in [("aB0012", "=aB0012"), ("ａＢ-00 12", "=aB0012"), ("12-34", "=1234"), ("é1", "=é1")] {
            assert_eq!(exact(value).as_deref(), Some(form), "{value}");
        }
        assert_eq!(exact("--"), None);
        assert_ne!(exact("aB0012"), exact("Ab0012"));
    }
}
