//! Names of one word: `Nexora`.
//!
//! One word is a piece of too many texts to be searched for anywhere. It is looked at where
//! it stands by itself: a whole line, cell or value, between quotes or brackets, before a
//! colon, in a line of short fields; with a genitive (`Nexora's`); and beside a legal form
//! (`Nexora Inc.`, `株式会社Nexora`). In running prose it is not.
//!
//! Input: searched text (`normal::search`). Output: what may be somebody's name, which only
//! the directory can say. Infallible, linear.

use crate::guard::find::names::standalone::{Standing, split_dashes, words};
use crate::guard::find::names::{is_joined, is_within};
use crate::guard::normal::{self, company};

/// The longest field that is looked at, in bytes.
const FIELD_MAX: usize = 80;
/// The most words of a field in a line of fields.
const WORDS_MAX: usize = 3;
/// The most words before or behind a legal form that may be a name.
const BESIDE_MAX: usize = 3;
/// The longest name without spaces beside a legal form, in characters.
const BESIDE_JOINED_MAX: usize = 7;
/// The longest ending behind an apostrophe, in characters: `Nexora'nın`.
const ENDING_MAX: usize = 5;

/// One field of a line.
#[derive(Clone, Copy)]
pub(in crate::guard) struct Field<'t> {
    /// Without the signs around it.
    pub text: &'t str,
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
pub(in crate::guard) fn fields(line: &str) -> Vec<Field<'_>> {
    let mut all = Vec::new();
    let (mut start, mut before) = (0, '\n');
    let mut push = |text: &'_ str, before, behind| {
        // A dash between spaces parts fields too.
        for text in split_dashes(text) {
            let text =
                text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '\'' | '~' | '+'));
            let text = unnumbered(text);
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

/// A field without the number before it, `1. Nexora`.
fn unnumbered(field: &str) -> &str {
    let rest = field.trim_start_matches(|c: char| c.is_ascii_digit());
    let point = rest.strip_prefix(". ").filter(|_| rest.len() < field.len());
    point.map_or(field, str::trim_start)
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
    crate::guard::find::names::form(name) == crate::guard::find::names::Form::Short && name.chars().nth(1).is_some()
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
        let is_record = fields.iter().all(|field| words(field.text) <= WORDS_MAX && field.text.len() <= FIELD_MAX);
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
    quoted(searched, &mut all);
    all
}

/// What stands before and behind the legal forms of a text: all of a body's name.
pub fn bodies(searched: &str) -> Vec<Standing> {
    let mut all = Vec::new();
    for form in company::forms(searched) {
        before_form(searched, form.start, &mut all);
        behind_form(searched, form.end, &mut all);
    }
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

/// What stands between single quotation marks, which are apostrophes elsewhere.
fn quoted(text: &str, all: &mut Vec<Standing>) {
    let is_apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut open = None;
    for at in memchr::memchr_iter(b'\'', text.as_bytes()) {
        let (before, after) = (text[..at].chars().next_back(), text[at + 1..].chars().next());
        if let Some(start) = open.take().filter(|_| is_apart(after) && !is_apart(before)) {
            let field: &str = &text[start..at];
            if field.len() <= FIELD_MAX && is_named(field) {
                push_beside(text, start..at, all);
            }
        } else if is_apart(before) && !is_apart(after) {
            open = Some(at + 1);
        }
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
            "1. Nexora",
            "We are with 'Nexora' in this matter again",
        ] {
            let searched = searched(text);
            let found: Vec<Standing> = names(&searched).into_iter().chain(bodies(&searched)).collect();
            assert!(found.iter().any(|standing| standing.name == "nexora"), "{text}: {found:?}");
        }
        for text in ["Thank you for trusting us with Nexora today.", "We like Nexora, as you and all of them do"] {
            let found = names(&searched(text));
            assert!(!found.iter().any(|standing| standing.name == "nexora"), "{text}: {found:?}");
        }
    }
}
