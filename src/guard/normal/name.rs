//! Names of people and bodies: folded, without honorifics, spaces unified.
//!
//! Where a name has Japanese, Chinese or Korean script, the spaces in it mean
//! nothing (山田 太郎) and are dropped; elsewhere one space stays where there
//! was any. Corporate forms are [`fold`]'s business. Hiragana and katakana stay
//! distinct: さとう and サトウ are two names. Infallible; a name of nothing but
//! an honorific stays as it is.

use super::fold::fold;

/// A word after a name that says that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Honorific {
    /// The word, folded.
    pub word: &'static str,
    /// The shortest name, in characters, that it is taken off: 鵜殿 is a name.
    pub name_min: usize,
}

/// The honorifics that [`name`] takes off.
pub const HONORIFICS: &[Honorific] = &[
    Honorific { word: "様", name_min: 1 },
    Honorific { word: "さま", name_min: 1 },
    Honorific { word: "さん", name_min: 1 },
    Honorific { word: "御中", name_min: 1 },
    Honorific { word: "殿", name_min: 2 },
    Honorific { word: "-sama", name_min: 2 },
    Honorific { word: "-san", name_min: 2 },
];

/// What stands before an English name.
const TITLES: &[&str] = &["mr ", "mr. ", "mrs ", "mrs. ", "ms ", "ms. ", "miss ", "dr ", "dr. "];

/// The canonical form of a name.
///
/// ```
/// use kakitome::guard::normal::name;
/// assert_eq!(name("山田　太郎 様"), "山田太郎");
/// assert_eq!(name("㈱ｻﾝﾌﾟﾙ"), name("株式会社 サンプル 御中"));
/// assert_eq!(name("Ms. Anna  Example"), "anna example");
/// ```
pub fn name(text: &str) -> String {
    let mut name = spaces(&fold(text));
    loop {
        let shorter = without_title(without_honorific(&name));
        if shorter.len() == name.len() {
            return name;
        }
        name = spaces(&fold(shorter));
    }
}

fn spaces(text: &str) -> String {
    let joint = if text.chars().any(is_cjk) { "" } else { " " };
    let joined = text.split_whitespace().collect::<Vec<_>>().join(joint);
    // Without the spaces a short corporate form may have come together.
    fold(&joined).into_owned()
}

fn without_honorific(name: &str) -> &str {
    for Honorific { word, name_min } in HONORIFICS {
        if let Some(rest) = name.strip_suffix(word)
            && rest.trim_end().chars().count() >= *name_min
        {
            return rest.trim_end();
        }
    }
    name
}

fn without_title(name: &str) -> &str {
    TITLES.iter().find_map(|title| name.strip_prefix(title)).map_or(name, str::trim_start)
}

/// Han, kana, bopomofo, hangul, and the signs of the CJK block that stand in
/// names (々, 〆, ー).
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{312f}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
