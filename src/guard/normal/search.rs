//! `search`: the form in which names are compared. Input: folded text. Output: the same
//! text with what names are spelled differently by gone, borrowed where nothing changes.
//! Infallible, linear, idempotent.
//!
//! What it does: ß is ss and ς is σ (full case folding); ı and i̇ are i, so that `İstanbul`,
//! `ISTANBUL` and `istanbul` are one; Latin and Greek letters lose their accents, ё is е; of
//! Arabic the harakat and the tatweel are dropped and the alefs are one, of Hebrew the points
//! and the final forms; and kanji that are variants of one another are one, by
//! `lexicon/variants.txt`. Apostrophes between letters lose what escapes them.
//!
//! It is for names alone. A host found in such a text would be another host: IDNA keeps ß and
//! ς, and every accent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Groups of kanji, a line each; the first one stands for all.
const VARIANTS: &str = include_str!("../lexicon/variants.txt");

/// Letters without a decomposition, or with one that is not wanted.
const LETTERS: [(char, &str); 57] = [
    ('ß', "ss"),
    ('ς', "σ"),
    ('ı', "i"),
    ('ł', "l"),
    ('đ', "d"),
    ('ð', "d"),
    ('ø', "o"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('þ', "th"),
    ('ħ', "h"),
    ('ŧ', "t"),
    ('ŋ', "n"),
    ('ĸ', "k"),
    ('ə', "e"),
    ('ſ', "s"),
    ('ё', "е"),
    ('ѐ', "е"),
    ('ѝ', "и"),
    ('أ', "ا"),
    ('إ', "ا"),
    ('آ', "ا"),
    ('ٱ', "ا"),
    ('ى', "ي"),
    ('ی', "ي"),
    ('ئ', "ي"),
    ('ؤ', "و"),
    ('ة', "ه"),
    ('ک', "ك"),
    ('ہ', "ه"),
    ('ھ', "ه"),
    ('ـ', ""),
    ('ٰ', ""),
    ('ך', "כ"),
    ('ם', "מ"),
    ('ן', "נ"),
    ('ף', "פ"),
    ('ץ', "צ"),
    ('׳', "'"),
    ('״', "\""),
    ('־', "-"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('ヵ', "ケ"),
    ('ヶ', "ケ"),
    ('ヱ', "エ"),
    ('ヰ', "イ"),
    ('ヴ', "ブ"),
    ('ゐ', "い"),
    ('ゑ', "え"),
    ('ヲ', "オ"),
    ('〻', "々"),
    ('ㇵ', "ハ"),
    ('،', ","),
    ('«', ""),
    ('»', ""),
];

/// Blocks of which the letters lose their marks.
const ACCENTED: [std::ops::RangeInclusive<u32>; 4] = [0xc0..=0x24f, 0x370..=0x3ff, 0x1e00..=0x1eff, 0x1f00..=0x1fff];

/// Marks that are dropped wherever they stand: combining accents, Hebrew points, harakat.
const MARKS: [std::ops::RangeInclusive<u32>; 4] = [0x300..=0x36f, 0x591..=0x5bd, 0x5bf..=0x5c7, 0x64b..=0x65f];

/// What every character becomes that changes, and which of the first 65,536 do.
struct Table {
    map: HashMap<char, Box<str>>,
    changes: Vec<u64>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut map: HashMap<char, Box<str>> = HashMap::new();
    let nfd = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd();
    let is_mark = |c: char| MARKS.iter().any(|marks| marks.contains(&u32::from(c)));
    for c in ACCENTED.into_iter().flatten().filter_map(char::from_u32) {
        let own = c.to_string();
        let parted = nfd.normalize(&own);
        let letter = |c: char| {
            LETTERS.iter().find(|(letter, _)| *letter == c).map_or_else(|| c.into(), |(_, to)| (*to).to_owned())
        };
        let base: String = parted.chars().filter(|c| !is_mark(*c)).map(letter).collect();
        if base != c.to_string() {
            map.insert(c, base.into());
        }
    }
    map.extend(MARKS.into_iter().flatten().filter_map(char::from_u32).map(|c| (c, "".into())));
    map.extend(LETTERS.into_iter().map(|(c, to)| (c, to.into())));
    for group in VARIANTS.lines().filter(|line| !line.starts_with('#')) {
        let mut all = group.chars().filter(|c| !c.is_whitespace());
        let Some(first) = all.next() else { continue };
        // A group may name one that another group has named before.
        let stands = map.get(&first).cloned().unwrap_or_else(|| first.to_string().into());
        all.filter(|c| *c != first && *stands != *c.to_string()).for_each(|c| {
            map.entry(c).or_insert_with(|| stands.clone());
        });
    }
    let mut changes = vec![0; 0x10000 / 64];
    map.keys().map(|c| u32::from(*c) as usize).filter(|c| *c < 0x10000).for_each(|c| changes[c / 64] |= 1 << (c % 64));
    Table { map, changes }
});

impl Table {
    fn get(&self, c: char) -> Option<&str> {
        let code = u32::from(c) as usize;
        let may = self.changes.get(code / 64).is_none_or(|bits| bits >> (code % 64) & 1 == 1);
        if may { self.map.get(&c).map(|to| &**to) } else { None }
    }
}

/// The form of a folded text in which names are searched for.
pub fn search(folded: &str) -> Cow<'_, str> {
    // A mark that is dropped may stand between an escape and its apostrophe.
    let letters = letters(folded);
    without_escapes(&letters).map_or(letters, Cow::Owned)
}

/// A text in which no apostrophe between letters is escaped or doubled: `o\'malley`,
/// `o''malley`; `None` where none is.
fn without_escapes(text: &str) -> Option<String> {
    let (mut out, mut copied) = (None::<String>, 0);
    for at in memchr::memchr_iter(b'\'', text.as_bytes()) {
        let before = text[..at].trim_end_matches('\\');
        let after = text[at + 1..].strip_prefix('\'').unwrap_or(&text[at + 1..]);
        let is_escaped = before.len() < at || after.len() < text.len() - at - 1;
        if at < copied
            || !is_escaped
            || !before.ends_with(char::is_alphabetic)
            || !after.starts_with(char::is_alphabetic)
        {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..before.len()]);
        out.push('\'');
        copied = text.len() - after.len();
    }
    out.map(|out| out + &text[copied..])
}

/// The letters of a text as names are searched for.
fn letters(folded: &str) -> Cow<'_, str> {
    if folded.is_ascii() {
        return Cow::Borrowed(folded);
    }
    let table = &*TABLE;
    let mut out: Option<String> = None;
    let mut copied = 0;
    for (at, c) in folded.char_indices() {
        if c.is_ascii() {
            continue;
        }
        if let Some(to) = table.get(c) {
            let out = out.get_or_insert_with(|| String::with_capacity(folded.len()));
            out.push_str(&folded[copied..at]);
            out.push_str(to);
            copied = at + c.len_utf8();
        }
    }
    match out {
        Some(out) => Cow::Owned(out + &folded[copied..]),
        None => Cow::Borrowed(folded),
    }
}

/// How a folded name is written where its umlauts are not at hand, and where two letters
/// stand for one: `mueller` for `müller`, and the other way round.
pub fn respelled(folded: &str) -> impl Iterator<Item = String> {
    const PAIRS: [(&str, &str); 6] = [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ø", "oe"), ("å", "aa"), ("æ", "ae")];
    let longer = || PAIRS.iter().fold(folded.to_owned(), |name, (short, long)| name.replace(short, long));
    let shorter = || PAIRS[..3].iter().fold(folded.to_owned(), |name, (_, long)| name.replace(long, &long[..1]));
    let has =
        |side: fn(&(&'static str, &'static str)) -> &'static str| PAIRS.iter().any(|pair| folded.contains(side(pair)));
    let longer = has(|pair| pair.0).then(longer);
    let shorter = has(|pair| pair.1).then(shorter);
    longer.into_iter().chain(shorter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::normal::fold;

    #[test]
    fn spellings_of_one_name_are_one() {
        for group in [
            &["Weißenfels", "WEISSENFELS", "WEIẞENFELS", "weissenfels"][..],
            &["İstanbul", "ISTANBUL", "istanbul", "ıstanbul"],
            &["ΑΘΗΝΆΣ", "Αθηνάς", "αθηνασ", "ΑΘΗΝΑΣ"],
            &["José Núñez", "JOSE NUNEZ", "Jose\u{301} Nu\u{301}n\u{303}ez"],
            &["Łukasz Øre Đorđe", "lukasz ore dorde"],
            &["Nguyễn Văn Đức", "NGUYEN VAN DUC"],
            &["Семён", "СЕМЕН"],
            &["أَحْمَد", "احمد", "أحـمد"],
            &["כֹּהֵן", "כהן"],
            &["髙橋", "高橋"],
            &["渡邉", "渡邊", "渡辺"],
            &["𠮷野", "吉野"],
            &["斎藤", "齋藤", "斉藤", "齊藤"],
            &["黃國華", "黄国华"],
            &["Sean O'Malley", "Sean O\\'Malley", "Sean O\\\\'Malley", "Sean O''Malley", "Sean O\\\u{591}'Malley"],
        ] {
            let first = search(&fold(group[0])).into_owned();
            for other in group {
                assert_eq!(search(&fold(other)), first, "{other}");
                assert_eq!(search(&first), first, "{other}: not idempotent");
            }
        }
        assert!(matches!(search("山田 abc"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_stands_for_a_variant_is_none_itself() {
        for to in TABLE.map.values() {
            assert_eq!(search(to), **to, "{to}");
        }
        let groups = VARIANTS.lines().filter(|line| line.chars().filter(|c| !c.is_whitespace()).count() > 1);
        assert!(groups.count() >= 150);
    }

    #[test]
    fn umlauts_are_written_out_and_drawn_together() {
        assert_eq!(respelled("jörg müller").collect::<Vec<_>>(), ["joerg mueller"]);
        assert_eq!(respelled("mueller").collect::<Vec<_>>(), ["muller"]);
        assert_eq!(respelled("anna").count(), 0);
    }
}
