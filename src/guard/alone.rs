//! Names of one word, and names in two fields: `Nexora` in a cell, `山田,太郎`,
//! `Last name: Whitfield / First name: Jonathan`.
//!
//! One word is a piece of too many texts to be searched for anywhere. It is looked at where
//! it stands by itself: a whole line, cell or value, between quotes or brackets, before a
//! colon, in a line of short fields; with a genitive (`Nexora's`); and beside a legal form
//! (`Nexora Inc.`, `株式会社Nexora`). In running prose it is not.
//!
//! Input: searched text (`normal::search`). Output: what may be somebody's name, which only
//! the directory can say. Infallible, linear.

use crate::guard::lexicon::{self, Role};
use crate::guard::names::{is_joined, is_within};
use crate::guard::normal::{self, company};
use crate::guard::standalone::{Standing, split_dashes};

/// The longest field that is looked at, in bytes.
const FIELD_MAX: usize = 80;
/// The most words of a field in a line of fields.
const WORDS_MAX: usize = 3;
/// The most words before or behind a legal form that may be a name.
const BESIDE_MAX: usize = 3;
/// The longest name without spaces beside a legal form, in characters.
const BESIDE_JOINED_MAX: usize = 6;
/// The longest ending behind an apostrophe, in characters: `Nexora'nın`.
const ENDING_MAX: usize = 5;

/// One field of a line.
#[derive(Clone, Copy)]
struct Field<'t> {
    /// Without the signs around it.
    text: &'t str,
    /// The signs before and behind it.
    before: char,
    behind: char,
}

/// Signs that part fields.
fn is_sign(c: char) -> bool {
    matches!(
        c,
        '\t' | ','
            | ';'
            | '|'
            | ':'
            | '='
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '"'
            | '!'
            | '?'
            | '/'
            | '\\'
            | '&'
            | '*'
            | '#'
            | '「'
            | '」'
            | '『'
            | '』'
            | '【'
            | '】'
            | '〈'
            | '〉'
            | '《'
            | '》'
            | '«'
            | '»'
            | '、'
            | '。'
            | '→'
            | '⇒'
            | '・'
            | '●'
            | '■'
            | '◆'
            | '▶'
            | '※'
            | '…'
    )
}

/// Whether signs enclose what stands between them.
fn encloses(before: char, behind: char) -> bool {
    matches!(
        (before, behind),
        ('"', '"')
            | ('(', ')')
            | ('[', ']')
            | ('{', '}')
            | ('<', '>')
            | ('「', '」')
            | ('『', '』')
            | ('【', '】')
            | ('〈', '〉')
            | ('《', '》')
            | ('«', '»')
            | ('*', '*')
    )
}

/// The fields of a line; `\n` stands for a missing sign.
fn fields(line: &str) -> Vec<Field<'_>> {
    let mut all = Vec::new();
    let (mut start, mut before) = (0, '\n');
    let mut push = |text: &'_ str, before, behind| {
        // A dash between spaces parts fields too.
        for text in split_dashes(text) {
            let text =
                text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '\'' | '~' | '+'));
            if text.chars().any(char::is_alphabetic) {
                all.push((text.as_ptr() as usize - line.as_ptr() as usize, text.len(), before, behind));
            }
        }
    };
    for (at, c) in line.char_indices().filter(|(_, c)| is_sign(*c)) {
        push(&line[start..at], before, c);
        (start, before) = (at + c.len_utf8(), c);
    }
    push(&line[start..], before, '\n');
    all.into_iter().map(|(at, length, before, behind)| Field { text: &line[at..at + length], before, behind }).collect()
}

/// Whether a field may be somebody's name, or a half of one.
fn is_named(text: &str) -> bool {
    text.len() <= FIELD_MAX
        && text.chars().filter(|c| c.is_alphabetic()).nth(1).is_some()
        && !text.contains(['@', '%', '\\'])
        && text.chars().all(|c| is_within(c) || is_joined(c) || " '-.&+!".contains(c) || !c.is_ascii())
}

/// Whether a name is one that is searched for here: one word, or too short for elsewhere.
fn is_short(name: &str) -> bool {
    crate::guard::names::form(name) == crate::guard::names::Form::Short && name.chars().nth(1).is_some()
}

/// Everything in a searched text that stands as a name of one word does. `is_whole` says that
/// the text is a value of its own, not running text.
pub fn names(searched: &str) -> Vec<Standing> {
    let mut all = Vec::new();
    let place = |piece: &str| {
        let start = piece.as_ptr() as usize - searched.as_ptr() as usize;
        start..start + piece.len()
    };
    for line in searched.lines() {
        let fields = fields(line);
        let words = |field: &Field<'_>| field.text.split(' ').filter(|word| !word.is_empty()).count();
        let is_record = fields.iter().all(|field| words(field) <= WORDS_MAX && field.text.len() <= FIELD_MAX);
        for (n, field) in fields.iter().enumerate() {
            let is_first = n == 0 && field.behind == ':';
            let is_last = n + 1 == fields.len() && n > 0 && matches!(field.before, ':' | '|' | '→');
            let stands = is_record || is_first || is_last || encloses(field.before, field.behind);
            if !stands || !is_named(field.text) {
                continue;
            }
            let name = normal::name_of_searched(field.text);
            if is_short(&name) {
                all.push(Standing { place: place(field.text), name });
            }
        }
    }
    genitives(searched, &mut all);
    beside_forms(searched, &mut all);
    all
}

/// Words with a genitive or another ending behind an apostrophe, and Latin ones before 社.
fn genitives(text: &str, all: &mut Vec<Standing>) {
    let mut push = |end: usize| {
        let start =
            text[..end].char_indices().rev().take_while(|(_, c)| is_within(*c)).last().map_or(end, |(at, _)| at);
        let name = &text[start..end];
        if name.chars().nth(1).is_some() {
            all.push(Standing { place: start..end, name: name.to_owned() });
        }
    };
    for at in memchr::memchr_iter(b'\'', text.as_bytes()) {
        let ending = text[at + 1..].chars().take_while(|c| is_within(*c)).take(ENDING_MAX + 1).count();
        if (1..=ENDING_MAX).contains(&ending) {
            push(at);
        }
    }
    if !text.is_ascii() {
        let company = memchr::memmem::find_iter(text.as_bytes(), "社".as_bytes());
        company.filter(|at| text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric())).for_each(push);
    }
}

/// What stands before and behind the legal forms of a text.
fn beside_forms(text: &str, all: &mut Vec<Standing>) {
    for form in company::forms(text) {
        before_form(text, form.start, all);
        behind_form(text, form.end, all);
    }
}

fn before_form(text: &str, end: usize, all: &mut Vec<Standing>) {
    let before = text[..end].trim_end_matches([' ', ',', '"', '»', '」']);
    let mut start = before.len();
    if before.ends_with(is_joined) {
        for (at, _) in before.char_indices().rev().take(BESIDE_JOINED_MAX).take_while(|(_, c)| is_joined(*c)) {
            push_beside(text, at..before.len(), all);
        }
        return;
    }
    for _ in 0..BESIDE_MAX {
        let word = before[..start].trim_end_matches(' ');
        let begin = word.char_indices().rev().take_while(|(_, c)| is_of_word(*c)).last().map(|(at, _)| at);
        let Some(begin) = begin else { return };
        start = begin;
        push_beside(text, start..before.len(), all);
        if !before[..start].ends_with(' ') {
            return;
        }
    }
}

fn behind_form(text: &str, start: usize, all: &mut Vec<Standing>) {
    let rest = text[start..].trim_start_matches([' ', '"', '«', '「', '・']);
    let start = text.len() - rest.len();
    if rest.starts_with(is_joined) {
        let ends = rest.char_indices().take_while(|(_, c)| is_joined(*c)).map(|(at, c)| at + c.len_utf8());
        ends.take(BESIDE_JOINED_MAX).for_each(|end| push_beside(text, start..start + end, all));
        return;
    }
    let mut end = 0;
    for _ in 0..BESIDE_MAX {
        let gap = rest[end..].len() - rest[end..].trim_start_matches(' ').len();
        let length: usize = rest[end + gap..].chars().take_while(|c| is_of_word(*c)).map(char::len_utf8).sum();
        if length == 0 {
            return;
        }
        end += gap + length;
        push_beside(text, start..start + end, all);
    }
}

fn is_of_word(c: char) -> bool {
    is_within(c) || matches!(c, '-' | '\'' | '&')
}

fn push_beside(text: &str, place: std::ops::Range<usize>, all: &mut Vec<Standing>) {
    let name = normal::name_of_searched(&text[place.clone()]);
    if is_short(&name) {
        all.push(Standing { place, name });
    }
}

/// One half of a name, as a cell has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell<'t> {
    /// Letters of a name.
    Half(&'t str),
    /// Says that a half follows: `姓`, `First name`.
    Caption,
    Other,
}

/// The longest half of a name, in bytes.
const HALF_MAX: usize = 40;

fn cell(text: &str) -> Cell<'_> {
    if lexicon::of(Role::Part).has(text) {
        return Cell::Caption;
    }
    let is_name =
        |c: char| is_within(c) && !c.is_numeric() || is_joined(c) || c == '-' || c == '\'' || c == ' ' || c == '・';
    let is_half = text.len() <= HALF_MAX && text.chars().all(is_name) && text.split(' ').count() <= 2;
    if is_half && text.chars().any(char::is_alphabetic) { Cell::Half(text) } else { Cell::Other }
}

/// The cells of a line: its fields, or its words where a caption is one of them: 姓 山田 名 太郎.
fn cells(line: &str) -> Vec<Cell<'_>> {
    const WORDS: std::ops::RangeInclusive<usize> = 2..=6;
    let fields = fields(line);
    if let [one] = &fields[..] {
        let words: Vec<Cell<'_>> =
            one.text.split(' ').filter(|word| !word.is_empty()).take(WORDS.end() + 1).map(cell).collect();
        if WORDS.contains(&words.len()) && words.contains(&Cell::Caption) && cell(one.text) != Cell::Caption {
            return words;
        }
    }
    fields.iter().map(|field| cell(field.text)).collect()
}

/// Each two fields that may be the halves of one name, in both orders: those beside each
/// other in a line or in two lines that are nothing else, and those with a caption between
/// them.
pub fn pairs(searched: &str) -> Vec<(Standing, Standing)> {
    let mut all = Vec::new();
    let mut before: Vec<Cell<'_>> = Vec::new();
    for line in searched.lines().filter(|line| !line.trim().is_empty()) {
        let cells = cells(line);
        let is_half_alone =
            |cells: &[Cell<'_>]| matches!(cells, [Cell::Half(_)] | [Cell::Caption] | [Cell::Caption, Cell::Half(_)]);
        let joins = is_half_alone(&cells) && !before.is_empty();
        let from = if joins { before.len() } else { 0 };
        let chain: Vec<Cell<'_>> = if joins { before.iter().chain(&cells).copied().collect() } else { cells.clone() };
        for (n, cell) in chain.iter().enumerate().skip(from) {
            let Cell::Half(second) = *cell else { continue };
            let mut push = |first: &Cell<'_>| {
                if let Cell::Half(first) = *first {
                    all.push(pair(searched, first, second));
                }
            };
            if n >= 1 {
                push(&chain[n - 1]);
            }
            // In a record a value follows each key, whatever that is called; elsewhere a caption does.
            if n >= 2 && (chain[n - 1] == Cell::Caption || n >= from + 2 && !joins) {
                push(&chain[n - 2]);
            }
        }
        before = if is_half_alone(&cells) {
            let keep = chain.len().saturating_sub(3);
            chain[keep..].to_vec()
        } else {
            Vec::new()
        };
    }
    all
}

fn pair(text: &str, first: &str, second: &str) -> (Standing, Standing) {
    let start = first.as_ptr() as usize - text.as_ptr() as usize;
    let end = second.as_ptr() as usize - text.as_ptr() as usize + second.len();
    let of = |name: String| Standing { place: start..end, name: normal::name_of_searched(&name) };
    (of(format!("{first} {second}")), of(format!("{second} {first}")))
}

/// Whether a text ends with a half of a name behind its caption, or with the caption: what
/// follows may have the other half.
pub fn ends_in_half(searched: &str) -> bool {
    let last = searched.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match &cells(last)[..] {
        [.., Cell::Caption] | [.., Cell::Caption, Cell::Half(_)] => true,
        // 姓⏎山田
        [Cell::Half(half)] => {
            let above = searched[..half.as_ptr() as usize - searched.as_ptr() as usize].trim_end();
            let above = above.lines().next_back().unwrap_or_default();
            cells(above).last() == Some(&Cell::Caption)
        }
        _ => false,
    }
}

/// A text that is a half of a name and nothing else, as a cell is: with its neighbour it may
/// be a whole one.
pub fn half(searched: &str) -> Option<&str> {
    let mut lines = searched.lines().filter(|line| !line.trim().is_empty());
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    match cells(line)[..] {
        [Cell::Half(half)] => Some(half),
        _ => None,
    }
}

/// A searched text without the readings in brackets behind its kanji, `鈴木(すずき)花子`, if it has
/// any.
pub fn without_readings(searched: &str) -> Option<String> {
    const READING_MAX: usize = 24;
    if searched.is_ascii() || !searched.contains(['(', '《', '〈', '[', '｜', '|']) {
        return None;
    }
    let mut out: Option<String> = None;
    let mut copied = 0;
    for (at, open) in searched.match_indices(['(', '《', '〈', '[']) {
        if at < copied || !searched[..at].ends_with(normal::is_han) {
            continue;
        }
        let inner = &searched[at + open.len()..];
        let kana = |c: &char| matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fc}' | ' ');
        let length: usize = inner.chars().take_while(kana).map(char::len_utf8).sum();
        let close = inner[length..].chars().next().filter(|c| matches!(c, ')' | '》' | '〉' | ']'));
        let (Some(close), true) = (close, length > 0 && inner[..length].chars().count() <= READING_MAX) else {
            continue;
        };
        let out = out.get_or_insert_default();
        out.push_str(searched[copied..at].trim_end_matches(['|', '｜']));
        copied = at + open.len() + length + close.len_utf8();
    }
    let out = out? + &searched[copied..];
    Some(out.replace(['|', '｜'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(text: &str) -> String {
        normal::search(&normal::fold(text)).into_owned()
    }

    #[test]
    fn where_one_word_stands_by_itself() {
        for text in [
            "Nexora",
            "- Nexora",
            "x\n  Nexora\ny",
            "a\tNexora\tb",
            "Nexora,basic,2026",
            "{\"company\":\"Nexora\",\"x\":1}",
            "Nexora: your domains are due soon, all of them",
            "Your partner (Nexora) is with us again today",
            "We hope to see 「Nexora」 here again",
            "These are Nexora's domains.",
            "Nexora'nın alan adları yenilendi",
            "We met Nexora Inc. today in the big city",
            "We met Nexora, Inc. today",
            "次は株式会社Nexoraが担当します",
            "次はNexora株式会社が担当します",
            "次はNexora社が担当します",
            "Nexora <news@registrar.example>",
            "company=Nexora",
        ] {
            let found = names(&searched(text));
            assert!(found.iter().any(|standing| standing.name == "nexora"), "{text}: {found:?}");
        }
        for text in ["Thank you for trusting us with Nexora today.", "We like Nexora, as you and all of them do"] {
            let found = names(&searched(text));
            assert!(!found.iter().any(|standing| standing.name == "nexora"), "{text}: {found:?}");
        }
    }

    #[test]
    fn two_fields_are_one_name() {
        for (text, name) in [
            ("山田,太郎", "山田太郎"),
            ("太郎\n山田", "山田太郎"),
            ("太郎 \t山田", "山田太郎"),
            ("姓: 山田\n名: 太郎", "山田太郎"),
            ("姓\n山田\n名\n太郎", "山田太郎"),
            ("{\"last\":\"山田\",\"first\":\"太郎\"}", "山田太郎"),
            ("Last name: Whitfield / First name: Jonathan", "jonathan whitfield"),
            ("WHITFIELD, Jonathan", "jonathan whitfield"),
            ("id,x,Whitfield,Jonathan", "jonathan whitfield"),
            ("姓 山田 名 太郎", "山田太郎"),
        ] {
            let searched = searched(text);
            let found = pairs(&searched);
            assert!(found.iter().any(|(a, b)| a.name == name || b.name == name), "{text}: {found:?}");
        }
        assert!(
            ends_in_half(&searched("姓: 山田"))
                && ends_in_half(&searched("First name"))
                && ends_in_half(&searched("姓\n山田"))
        );
        assert!(!ends_in_half(&searched("会社: 山田")) && !ends_in_half(&searched("山田")));
        assert_eq!((half("山田"), half("山田、太郎"), half("12")), (Some("山田"), None, None));
    }

    #[test]
    fn readings_in_brackets() {
        for (text, expected) in [
            ("鈴木（すずき）花子（はなこ）です", Some("鈴木花子です")),
            ("鈴木《すずき》花子《はなこ》", Some("鈴木花子")),
            ("｜鈴木《すずき》花子", Some("鈴木花子")),
            ("山田（ヤマダ）太郎", Some("山田太郎")),
            ("山田（担当）太郎", None),
            ("メール（すずき）", None),
        ] {
            assert_eq!(without_readings(&searched(text)).as_deref(), expected, "{text}");
        }
    }
}
