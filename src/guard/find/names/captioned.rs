//! Names behind a word that says that one follows: `氏名: 林 愛`, `"name": "林 愛"`,
//! `FN:林 愛`. Short names are searched for here, in salutations and where they stand by
//! themselves (`standalone`), nowhere else.

use std::sync::LazyLock;

use regex::Regex;

use crate::guard::find::names::is_joined;
use crate::guard::find::names::salutation::{NAME_MAX, Salutation};
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// A caption and what stands between it and its name, in folded text: `氏名:`, `【氏 名】`,
/// `Name.....:`, `customerName=`. Parameters are those of a vCard: `FN;CHARSET=UTF-8:`.
static CAPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let (joined, worded): (Vec<&str>, Vec<&str>) =
        lexicon::of(Role::Caption).list.iter().partition(|caption| caption.ends_with(is_joined));
    let (latin, others): (Vec<&str>, Vec<&str>) = worded.into_iter().partition(|caption| caption.is_ascii());
    let joined = joined.into_iter().map(spaced).collect::<Vec<_>>().join("|");
    let any = |words: &[&str]| words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
    let (latin, others) = (any(&latin), any(&others));
    Regex::new(&format!(
        r#"(?:(?:{joined})(?:様|さま)?名?(?:\s?[(\[][^()\[\]\n]{{1,10}}[)\]])?(?:["']?[\s.]*[:=|/→⇒▶■◆●※*は「『(【<>]\s*|[\])】」』]\s*[:=|]?\s*|\s+(?:[-–] )?)|(?:(?:(?-u:\b)|_)(?:{latin}|[a-z]*name)|{others})(?:;[a-z]+=[^:;\n]{{1,20}})*(?:["']?[ .]*[:=|]\s*|[\])]\s*[:=|]?\s*|\s*[:=|→>]\s*| [-–] |\t|\n))["'「『(\[]*"#
    ))
    .ok()
});

/// A caption of two characters may be set to the width of longer ones: `氏　名`.
fn spaced(caption: &str) -> String {
    let characters: Vec<String> = caption.chars().map(String::from).collect();
    if characters.len() == 2 { characters.join("[ \\t]{0,2}") } else { regex::escape(caption) }
}

/// The longest caption with all that belongs to it, in characters.
const CAPTION_MAX: usize = 100;

/// What parts the names of one field: `林;愛`, `Young, Grace`, `山田 太郎、林 愛`.
const PARTS: [char; 8] = [';', ',', '\t', '・', '、', '/', '(', ')'];
/// The most names of one field.
const PARTS_MAX: usize = 4;
/// What a name does not reach across, besides those.
const STOPS: &[char] = &[
    '。', '!', '?', '「', '」', '『', '』', '【', '】', '[', ']', ':', '|', '<', '>', '"', '…', '\n', '\r', '=', '{',
    '}',
];
/// Whoever may be named behind a caption of a folded text: each reading of each name.
pub fn names(folded: &str) -> Vec<Salutation> {
    let Some(caption) = CAPTION.as_ref() else { return Vec::new() };
    let mut all = Vec::new();
    for found in caption.find_iter(folded) {
        // A line may be as long as a message.
        let rest = &folded[found.end()..];
        let rest = rest.char_indices().nth(2 * NAME_MAX).map_or(rest, |(at, _)| &rest[..at]).trim_start();
        let field = &rest[..rest.find(STOPS).unwrap_or(rest.len())];
        let parts: Vec<&str> =
            field.split(PARTS).map(str::trim).filter(|part| !part.is_empty()).take(PARTS_MAX).collect();
        parts.iter().for_each(|part| whole_and_beginnings(part, &mut all));
        if let [first, second, ..] = parts[..] {
            push(&format!("{first} {second}"), &mut all);
            push(&format!("{second} {first}"), &mut all);
        }
    }
    all
}

/// A field, and its first words: what stands behind may say more of them.
fn whole_and_beginnings(field: &str, all: &mut Vec<Salutation>) {
    push(field, all);
    let field = lexicon::of(Role::Tail).suffix(field).map_or(field, |tail| &field[..field.len() - tail.len()]);
    push(field, all);
    field.match_indices(char::is_whitespace).take(2).for_each(|(at, _)| push(&field[..at], all));
}

fn push(words: &str, all: &mut Vec<Salutation>) {
    let name = normal::name_of_searched(words);
    if name.chars().any(char::is_alphabetic) && name.chars().count() <= NAME_MAX {
        all.push(Salutation::of(words));
    }
}

/// Whether a folded text may end with a caption: the name is in what follows.
pub fn ends(folded: &str) -> bool {
    let Some(caption) = CAPTION.as_ref() else { return true };
    let tail = folded.char_indices().rev().nth(CAPTION_MAX).map_or(folded, |(at, _)| &folded[at..]);
    let reaches = |text: &str| caption.find_iter(text).any(|caption| caption.end() == text.len());
    reaches(tail) || reaches(&format!("{}:", tail.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_named_behind_a_caption() {
        for (text, expected) in [
            ("登録者名: 林 愛", &["林愛"][..]),
            ("ご契約者氏名（漢字）：林　愛 様", &["林愛"]),
            ("氏名は林愛です。", &["林愛"]),
            ("お名前 林 愛\n", &["林愛"]),
            ("お名前\n林 愛\n", &["林愛"]),
            ("{\"name\": \"林 愛\"}", &["林愛"]),
            ("FN;CHARSET=UTF-8:林 愛", &["林愛"]),
            ("N:林;愛;;;", &["林愛"]),
            ("Registrant Name: Young, Grace", &["grace young"]),
            ("contact_name=Ada Young", &["ada young"]),
            ("Name\tAda Young\tMember", &["ada young"]),
            ("【お名前】林愛", &["林愛"]),
            ("a. [登録者名] 林愛", &["林愛"]),
            ("氏　名：林愛", &["林愛"]),
            ("Name.....: Ada Young", &["ada young"]),
            ("Bill to: Ada Young", &["ada young"]),
            ("customerName=Ada Young", &["ada young"]),
            ("ご担当者様：林愛、森健", &["林愛", "森健"]),
            ("氏名[必須]／林愛", &["林愛"]),
            ("お客様名：林愛", &["林愛"]),
            ("氏名「林愛」", &["林愛"]),
            ("氏名（林愛）", &["林愛"]),
            ("氏名 (新)：林愛", &["林愛"]),
            ("変更前：森 健（林愛）", &["森健", "林愛"]),
            ("<name>林愛</name>", &["林愛"]),
            ("ORGANIZER;CN=林愛:mailto:x", &["林愛"]),
            ("[Registrant] Ada Young", &["ada young"]),
            ("名刺: 林 愛、お名前をどうぞ", &[]),
            ("surname game: x", &[]),
        ] {
            let found: Vec<String> = names(&normal::fold(text)).into_iter().map(|found| found.name).collect();
            assert!(expected.iter().all(|name| found.iter().any(|found| found == name)), "{text}: {found:?}");
            assert!(!expected.is_empty() || found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_text_that_ends_in_a_caption() {
        for text in
            ["氏名: ", "お名前(漢字) ", "\"name\": \"", "登録者名\n", "company=", "氏名", "【氏　名】", "name ..."]
        {
            assert!(ends(&normal::fold(text)), "{text:?}");
        }
        for text in ["住所: ", "renames:", "x", "氏名: 林", "name: x", ""] {
            assert!(!ends(&normal::fold(text)), "{text:?}");
        }
    }
}
