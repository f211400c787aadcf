//! Words that say that an ID or a telephone number follows: `ID: A12345678`,
//! `【会員番号】12345678`, `Kundennummer 12345678`.
//!
//! The words are the lexicon's, and what the directory's own ID columns are called. Input:
//! the folded text that stands before a number. Output: whether it ends with a label.
//! Infallible.

use std::borrow::Cow;

use crate::guard::find::composed;
use crate::guard::find::names::{head, is_joined};
use crate::guard::lexicon::{self, Role};

/// The labels of one directory.
pub struct Labels {
    ids: Endings,
    phones: Endings,
    others: Endings,
    links: Endings,
}

/// Labels by their last byte: each number of a message asks whether one stands before it,
/// and a text ends with few of them.
struct Endings(Box<[Vec<Word>]>);

/// One label.
struct Word {
    word: Box<str>,
    /// Whether nothing but a number follows it.
    is_sure: bool,
    /// Whether it must stand by itself, as words of scripts with spaces do.
    is_apart: bool,
}

/// The label of an ID before a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Whether what follows is its number even if it looks like a date or a price:
    /// `会員番号 2024-11-25`, but not `お客様 2024-11-25`.
    pub is_sure: bool,
    /// Whether it stands in the line or cell above.
    pub is_above: bool,
}

/// The most characters between a label and its number.
const BETWEEN_MAX: usize = 12;
/// The most words between a label and its number.
const LINKS_MAX: usize = 2;
/// The most characters that are looked at behind a number.
const BEHIND_MAX: usize = 64;
/// The longest cell that may be a label, in characters.
const HEAD_MAX: usize = 64;
/// The most characters that part two pieces of one number.
const GAP_MAX: usize = 4;

impl Labels {
    /// The lexicon's labels, and these columns' names: `member_id` is `member id` and
    /// `memberid` too.
    pub fn new<'c>(columns: impl Iterator<Item = &'c str>) -> Self {
        let sure = lexicon::of(Role::IdLabelSure);
        let mut ids = Vec::new();
        for word in &lexicon::of(Role::IdLabel).list {
            let spellings = std::iter::once(Cow::Borrowed(*word)).chain(composed::bare(word).map(Cow::Owned));
            ids.extend(spellings.map(|spelling| Word::new(&spelling, sure.has(word))));
        }
        for name in columns {
            let name = crate::guard::normal::fold(name);
            for joint in ["_", " ", "-", ""] {
                ids.push(Word::new(&name.replace(['_', '-', ' ', '.'], joint), true));
            }
        }
        let words = |role| Endings::of(lexicon::of(role).list.iter().map(|word| Word::new(word, true)).collect());
        Self {
            ids: Endings::of(ids),
            phones: words(Role::PhoneLabel),
            others: words(Role::OtherLabel),
            links: words(Role::LabelLink),
        }
    }

    /// The label that a text before a number ends with.
    pub fn before(&self, text: &str) -> Option<Label> {
        let (mut before, between) = parted(text)?;
        let is_above = between.contains(['\n', '\t']);
        // `class="num">` says how a text looks, and not what it is.
        if between.contains('>') && (between.contains(['"', '\'']) || ends_tag(before)) {
            return None;
        }
        // `/clients/12345678`: what a path calls its things.
        let one = if between == "/" { composed::one_of_many(before) } else { None };
        if let Some(is_sure) = one.and_then(|one| self.ids_label(one)) {
            return Some(Label { is_sure, is_above });
        }
        for _ in 0..=LINKS_MAX {
            if let Some(is_sure) = self.ids_label(before) {
                return Some(Label { is_sure: is_sure && !is_above, is_above });
            }
            // `Kundennummer lautet 12345678`
            before = parted(self.links.before(before).iter().find_map(|link| link.strip(before))?)?.0;
        }
        None
    }

    /// Whether a text ends with the label of an ID, and whether that is a sure one.
    fn ids_label(&self, text: &str) -> Option<bool> {
        let listed = self.ids.before(text).iter().find_map(|label| {
            let rest = label.strip(text)?;
            // 電話番号 and 郵便番号 are of other numbers.
            let rest = rest.trim_end_matches(|c: char| c.is_whitespace() || c == '_' || c == '-');
            (!self.phones.ends(rest) && !self.others.ends(rest)).then_some(label.is_sure)
        });
        listed.or_else(|| composed::ends(text).then_some(true))
    }

    /// Whether what stands behind a number calls it an ID: `20713 is your customer number`,
    /// `20713（会員番号）`.
    pub fn is_behind(&self, after: &str) -> bool {
        // A line may be as long as a message.
        let line = head(after, BEHIND_MAX).split('\n').next().unwrap_or_default().trim_start();
        let (phrase, stops): (&str, &[char]) = match line.strip_prefix('(') {
            Some(inner) => (inner, &[')', '\t']),
            None => {
                let dash = line.strip_prefix(['-', '–', '—']).filter(|rest| rest.starts_with(' '));
                let Some(rest) = dash.or_else(|| link_before(line)) else { return false };
                (rest, &['.', ',', ';', '!', '?', ':', '(', '。', '、', '\t'])
            }
        };
        let phrase = phrase.split(stops).next().unwrap_or_default().trim();
        let tail = lexicon::of(Role::Tail).suffix(phrase).unwrap_or_default();
        let phrase = phrase.strip_suffix(tail).unwrap_or(phrase).trim_end();
        self.ids_label(phrase).is_some() && composed::is_whole(phrase)
    }

    /// Whether a text before a number ends with the label of a telephone number.
    pub fn is_phone(&self, text: &str) -> bool {
        let Some((before, _)) = parted(text) else { return false };
        let number = lexicon::of(Role::NumberWord).suffix(before).unwrap_or_default();
        let bare = before.strip_suffix(number).unwrap_or(before).trim_end_matches([' ', '.', '-', '_']);
        // `telefono` ends like `phone no`.
        self.phones.ends(before) || self.phones.ends(bare)
    }

    /// Whether a folded text may end with a label, and less than its number behind it:
    /// what follows, in the next line too, is read with other eyes. A number has so many
    /// digits at most.
    pub fn ends(&self, folded: &str, digits_max: usize) -> bool {
        let (mut text, mut digits) = (folded, 0);
        loop {
            if (digits == 0 || digits < digits_max) && (self.before(text).is_some() || self.is_phone(text)) {
                return true;
            }
            let Some((before, piece)) = without_piece(text).filter(|_| digits < digits_max) else { return false };
            text = before;
            digits += piece;
        }
    }

    /// Whether a cell is a label and nothing else.
    pub fn is_head(&self, cell: &str) -> bool {
        let cell = cell.trim_matches(|c: char| !c.is_alphanumeric());
        !cell.is_empty() && cell.chars().count() <= HEAD_MAX && self.before(cell).is_some()
    }
}

impl Endings {
    fn of(words: Vec<Word>) -> Self {
        let mut by_last: Vec<Vec<Word>> = (0..=u8::MAX).map(|_| Vec::new()).collect();
        for word in words {
            if let Some(last) = word.word.bytes().last() {
                by_last[usize::from(last)].push(word);
            }
        }
        Self(by_last.into())
    }

    /// Those that a text may end with, in the order in which they were given.
    fn before(&self, text: &str) -> &[Word] {
        text.bytes().last().map_or(&[], |last| &self.0[usize::from(last)])
    }

    /// Whether a text ends with one.
    fn ends(&self, text: &str) -> bool {
        self.before(text).iter().any(|word| word.strip(text).is_some())
    }
}

impl Word {
    fn new(word: &str, is_sure: bool) -> Self {
        let is_apart = !word.starts_with(is_unspaced);
        Self { word: word.into(), is_sure, is_apart }
    }

    /// What stands before it in a text that ends with it.
    fn strip<'t>(&self, text: &'t str) -> Option<&'t str> {
        let rest = text.strip_suffix(&*self.word)?;
        let goes_on = |c: char| c.is_alphanumeric() && !is_unspaced(c);
        (!self.is_apart || !rest.ends_with(goes_on)).then_some(rest)
    }
}

/// What stands behind the word that joins a number to its label: `is` of `is your number`.
fn link_before(line: &str) -> Option<&str> {
    let link = lexicon::of(Role::LabelLink).prefix(line)?;
    let rest = &line[link.len()..];
    (link.ends_with(is_unspaced) || rest.starts_with(' ')).then_some(rest)
}

/// Whether a character is of a script that parts its words by nothing.
pub(super) fn is_unspaced(c: char) -> bool {
    is_joined(c) || ('\u{e00}'..='\u{e7f}').contains(&c)
}

/// A text, and what stands between the label that it may end with and the number.
fn parted(text: &str) -> Option<(&str, &str)> {
    let mut signs = text.char_indices().rev().take_while(|(_, c)| is_between(*c)).map(|(at, _)| at);
    let start = signs.by_ref().take(BETWEEN_MAX).last().unwrap_or(text.len());
    signs.next().is_none().then(|| text.split_at(start))
}

/// Whether a text ends with the name of an end tag: what follows does not belong to it.
fn ends_tag(text: &str) -> bool {
    text.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':')).ends_with("</")
}

/// A sign between a label and its number; a column of IDs that was taken for one of money has
/// that of a currency before each.
fn is_between(c: char) -> bool {
    match c {
        ' ' | '\t' | '\n' | '\r' | '.' | ':' | ';' | '#' | '=' | ']' | ')' | '\'' | '"' | '(' | '[' | '<' | '>'
        | '|' | '/' | '*' | '-' | '_' => true,
        c if c.is_ascii() => is_currency(c),
        'は' | '는' | '은' | '、' | '，' | '】' | '」' | '』' | '「' | '『' | '【' | '→' | '–' | '—' | '°' | 'º' => {
            true
        }
        c => c.is_whitespace() || is_currency(c),
    }
}

/// A sign of a currency (Unicode, general category Sc), as they stand in a folded text.
fn is_currency(c: char) -> bool {
    matches!(c, '$' | '¢' | '£' | '¤' | '¥' | '₠'..='₿' | '฿' | '﷼')
}

/// A text without the run of digits that it ends with, and the gap behind that; and
/// how many digits there are.
fn without_piece(text: &str) -> Option<(&str, usize)> {
    let end = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let before = end.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_near = text[end.len()..].chars().count() <= GAP_MAX;
    (before.len() < end.len() && is_near).then_some((before, end.len() - before.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        Labels::new(["member_id", "契約コード"].into_iter())
    }

    #[test]
    fn what_a_number_stands_behind() {
        let labels = labels();
        for (text, sure) in [
            ("id: ", true),
            ("user_id=", true),
            ("会員番号は", true),
            ("【会員番号】", true),
            ("member id - ", true),
            ("memberid\":\"", true),
            ("契約コード: ", true),
            ("お客様コード: ", true),
            ("no.", true),
            ("お客様 ", false),
            ("会員番号\n", false),
        ] {
            assert_eq!(labels.before(text).map(|label| label.is_sure), Some(sure), "{text:?}");
        }
        for text in
            ["android", "x", "電話番号 ", "郵便番号: ", "phone number ", "id: x", "", "会員番号 , , , , , , , ,"]
        {
            assert_eq!(labels.before(text), None, "{text:?}");
        }
        assert!(labels.is_phone("telefono: ") && labels.is_phone("phone no. ") && labels.is_phone("전화 번호 "));
        assert!(labels.is_phone("電話番号: ") && labels.is_phone("tel ") && !labels.is_phone("hotel "));
    }

    #[test]
    fn a_label_with_a_piece_of_its_number_is_one() {
        let labels = labels();
        for text in ["会員番号 1234", "id: 1234-\n", "no. 1 2 3 ", "電話", "tel: 03・1234", "id 1234\t", "id"] {
            assert!(labels.ends(text, 8), "{text:?}");
        }
        for text in ["会員番号 12345678", "id: 1234 x", "no. 1 -----  2", "1234", "番号 12345678"] {
            assert!(!labels.ends(text, 8), "{text:?}");
        }
    }
}
