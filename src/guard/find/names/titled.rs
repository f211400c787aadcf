//! Who stands behind a title or before an honorific, anywhere in a text: `Mr. Okafor`,
//! `г-н Соловьёв`, คุณสมชาย, `Işıkoğlu Bey`. A surname alone is a word of too many texts to be
//! searched for; here it is told by what stands beside it.
//!
//! Input: searched text. Output: what may be somebody's surname or short name, which only the
//! directory can say. A line may end between the two, and no more. Infallible, linear.

use std::ops::Range;
use std::sync::LazyLock;

use crate::guard::find::names::is_within;
use crate::guard::find::names::standalone::Standing;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal::{self, is_spaceless};

/// The most words behind a title, further titles, initials and links aside.
const WORDS_MAX: usize = 2;
/// The most words that are looked at behind a title.
const LOOKED_AT_MAX: usize = 7;
/// The longest name behind a title that is written together with it, in characters.
const GLUED_MAX: usize = 12;

/// Somebody behind a title or before an honorific.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Titled {
    /// What may be the name, canonical, and where it stands.
    pub standing: Standing,
    /// The word beside it.
    pub title: &'static str,
}

/// Words that stand beside names, and by which lengths and ends most others are told apart.
struct Beside {
    likely: [u64; 1 << 6],
}

static BESIDE: LazyLock<Beside> = LazyLock::new(|| {
    let mut likely = [0; 1 << 6];
    for word in [Role::Title, Role::Honorific].into_iter().flat_map(|role| &lexicon::of(role).list) {
        let bit = bit(word.trim_end_matches('.').trim_start_matches('-').as_bytes());
        likely[bit >> 6] |= 1 << (bit & 63);
    }
    Beside { likely }
});

/// A few bits of a word.
fn bit(word: &[u8]) -> usize {
    let (first, last) = (word.first().copied().unwrap_or(0), word.last().copied().unwrap_or(0));
    (word.len().min(15) << 8 | usize::from(first ^ last.rotate_left(3))) & 0xfff
}

fn is_likely(word: &str) -> bool {
    let bit = bit(word.as_bytes());
    BESIDE.likely[bit >> 6] >> (bit & 63) & 1 == 1
}

/// The title that a word is, with a full stop or without.
fn title(word: &str) -> Option<&'static str> {
    let bare = word.trim_end_matches('.');
    is_likely(bare).then_some(())?;
    let titles = lexicon::of(Role::Title);
    titles.get(word).or_else(|| titles.get(bare))
}

/// The word that ends at a place, without the signs before it.
fn word_before(text: &str) -> &str {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    text.get(start..).unwrap_or_default().trim_start_matches(|c: char| !c.is_alphanumeric())
}

/// Everybody who is named so.
pub fn names(searched: &str) -> Vec<Titled> {
    let mut all = Vec::new();
    let mut from = 0;
    for at in memchr::memchr2_iter(b' ', b'\n', searched.as_bytes()) {
        let word = searched.get(from..at).unwrap_or_default();
        let word = word.trim_end().trim_start_matches(|c: char| !c.is_alphanumeric());
        from = at + 1;
        if let Some(title) = title(word) {
            behind(searched, at, title, &mut all);
        }
    }
    honored(searched, &mut all);
    if searched.contains(is_thai) {
        glued(searched, &mut all);
    }
    all
}

/// The names behind a title, which ends at a place.
fn behind(text: &str, end: usize, beside: &'static str, all: &mut Vec<Titled>) {
    let rest = &text[end..];
    let gap = rest.len() - rest.trim_start().len();
    if rest[..gap].matches('\n').count() > 1 {
        return;
    }
    let mut at = end + gap;
    let mut count = 0;
    for _ in 0..LOOKED_AT_MAX {
        let length = text[at..].find(|c: char| !is_of_name(c)).unwrap_or(text.len() - at);
        let word = text[at..at + length].trim_end_matches(['.', '\'', '-']);
        let (stop, next) = (at + word.len(), at + length);
        if word.is_empty() {
            return;
        }
        let word = word.strip_suffix("'s").unwrap_or(word);
        let is_before = title(word).is_some()
            || word.chars().nth(1).is_none()
            || lexicon::of(Role::NameLink).has(word)
            || word.split('.').all(|initial| initial.chars().nth(1).is_none());
        if !is_before {
            push(text, at..at + word.len(), beside, all);
            count += 1;
        }
        // `O Malley`, and short names of two words: `Li Na`.
        let goes_on = text[next..].starts_with(' ') && (stop == next || is_before);
        if !goes_on || count == WORDS_MAX {
            return;
        }
        let second = next + 1;
        let length = text[second..].find(|c: char| !is_of_name(c)).unwrap_or(text.len() - second);
        let both = text[at..second + length].trim_end_matches(['.', '\'', '-']).len();
        if title(word).is_none() {
            push(text, at..at + both, beside, all);
        }
        if !is_before {
            return;
        }
        at = second;
    }
}

fn is_of_name(c: char) -> bool {
    is_within(c) || matches!(c, '.' | '\'' | '-') || is_spaceless(c)
}

fn push(text: &str, place: Range<usize>, title: &'static str, all: &mut Vec<Titled>) {
    let name = normal::name_of_searched(&text[place.clone()]);
    if name.chars().any(char::is_alphabetic) {
        all.push(Titled { standing: Standing { place, name }, title });
    }
}

/// The words before an honorific of a script with spaces: `Işıkoğlu Bey`, `Okafor-san`.
fn honored(text: &str, all: &mut Vec<Titled>) {
    let honorifics = lexicon::of(Role::Honorific);
    for at in memchr::memchr2_iter(b' ', b'-', text.as_bytes()) {
        let length = text[at + 1..].find(|c: char| !is_within(c) && c != '\'').unwrap_or(text.len() - at - 1);
        let end = at + 1 + length;
        if length == 0 || !is_likely(&text[at + 1..end]) {
            continue;
        }
        let from = if text.as_bytes()[at] == b'-' { at } else { at + 1 };
        let Some(honorific) = honorifics.get(&text[from..end]) else { continue };
        let word = word_before(&text[..at]);
        if word.chars().nth(1).is_some() && word.ends_with(is_within) {
            push(text, at - word.len()..at, honorific, all);
        }
    }
}

fn is_thai(c: char) -> bool {
    ('\u{e01}'..='\u{e4e}').contains(&c)
}

/// Names that are written together with their title, where nothing of their script stands
/// before it.
fn glued(text: &str, all: &mut Vec<Titled>) {
    let titles = lexicon::of(Role::SureTitle).list.iter().filter(|title| title.ends_with(is_thai));
    for title in titles {
        for (at, found) in text.match_indices(title) {
            let start = at + found.len();
            let is_apart = !text[..at].ends_with(is_thai);
            let rest = text[start..].trim_start_matches(' ');
            let start = text.len() - rest.len();
            for (length, c) in rest.char_indices().take(GLUED_MAX).take_while(|(_, c)| is_thai(*c)) {
                let end = start + length + c.len_utf8();
                if is_apart && length > 0 {
                    push(text, start..end, title, all);
                }
            }
        }
    }
}

/// Whether a text ends with a title: the name is in what follows.
pub fn ends(searched: &str) -> bool {
    title(word_before(searched.trim_end())).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_beside_a_title() {
        for (text, name) in [
            ("please ask Mr. Okafor today", "okafor"),
            ("please ask Mr Okafor's team", "okafor"),
            ("please ask Prof. Dr. D. J. Okafor", "okafor"),
            ("please ask Mr.\nOkafor", "okafor"),
            ("(Mme de la Cruz)", "cruz"),
            ("ask Mr. O Malley", "o malley"),
            ("ask Ms. Li Na about it", "li na"),
            ("спросите г-на Соловьёв", "соловьев"),
            ("dün Işıkoğlu Bey imzaladı", "isikoglu"),
            ("ask Okafor-san, please", "okafor"),
            ("ได้คุยกับ คุณสมชาย เรื่อง", "สมชาย"),
        ] {
            let searched = normal::search(&normal::fold(text)).into_owned();
            let found = names(&searched);
            assert!(found.iter().any(|titled| titled.standing.name == name), "{text}: {found:?}");
        }
        for text in ["mr", "the mr.\n\nokafor", "mr. , okafor", "a mister (okafor)"] {
            assert_eq!(names(text), [], "{text}");
        }
        assert!(ends("ask Mr. ".to_lowercase().as_str()) && ends("г-н") && !ends("okafor") && !ends(""));
    }
}
