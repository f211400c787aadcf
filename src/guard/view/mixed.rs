//! Bytes that are UTF-8 and text in a charset of East Asia all the same: 毛小伟 in GBK is
//! `ëСΰ`. Input: bytes. Output: whether they may be that. Infallible, linear.

/// The longest value that may be in a charset of East Asia although it is UTF-8, in bytes.
const VALUE_MAX: usize = 64;

/// Whether a value that is UTF-8 may be in a charset of East Asia all the same: all its
/// letters beyond ASCII have two bytes, and two stand together. 毛小伟 in GBK is `ëСΰ`.
pub fn is_ambiguous(value: &[u8]) -> bool {
    let is_lead = |b: u8| (0xc2..0xe0).contains(&b);
    value.len() <= VALUE_MAX
        && value.windows(3).any(|three| is_lead(three[0]) && is_lead(three[2]))
        && value.iter().all(|b| *b < 0xe0)
        && simdutf8::basic::from_utf8(value).is_ok()
}

/// Whether letters of two scripts stand together in a text that is UTF-8, as in no word:
/// `ëСΰ`.
pub fn is_mixed(text: &[u8]) -> bool {
    // Most texts have no letter of two bytes, or none but accents.
    if !text.iter().fold(false, |any, b| any | (0xc4..0xe0).contains(b)) {
        return false;
    }
    let script = |lead: u8, next: u8| match (lead, next) {
        // Signs stand beside any letter.
        (0xc2, _) | (0xc3, 0x97 | 0xb7) | (0xcc, _) | (0xcd, ..0xb0) | (0xca, 0xb0..) | (0xcb, _) => None,
        (0xc3..=0xca, _) => Some(0),
        (0xcd..=0xcf, _) => Some(1),
        (0xd0..=0xd4, _) => Some(2),
        (0xd5..=0xdf, _) => Some(lead),
        _ => None,
    };
    text.windows(4).any(|four| {
        let (a, b) = (script(four[0], four[1]), script(four[2], four[3]));
        a.zip(b).is_some_and(|(a, b)| a != b && (a < 3 || b < 3))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_script_are_words() {
        assert!(is_mixed("ëСΰ".as_bytes()) && is_ambiguous("ëСΰ".as_bytes()));
        for text in
            ["Müller, Čapek", "слово\u{a0}слово «да»", "5 µm × 3 Ω", "Ελλάδα", "Nguyễn", "e\u{301}à", "山田太郎"]
        {
            assert!(!is_mixed(text.as_bytes()), "{text}");
        }
        assert!(!is_ambiguous("Müller".as_bytes()) && !is_ambiguous("山田".as_bytes()));
    }
}
