//! `empty`: what a template leaves behind: a merge field that nobody filled (`{{ name }}`,
//! `%%FIRSTNAME%%`, `*|FNAME|*`, `##氏名##`), what a program writes for no value (`Dear None`,
//! `NaN円`), and an address to nobody (`Dear ,`, a line that begins with 様).
//!
//! Input: one view. Brackets that are punctuation as well (`[NEWS]`, `<<お知らせ>>`) are a
//! field's only around a word of `lexicon/placeholder.txt`. What stands in the template's
//! literal text is none. Each line is judged by itself, and cells as lines. Linear.

use std::sync::LazyLock;

use regex::Regex;

use crate::guard::finding::Rule;
use crate::guard::lexicon::table::Table;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;
use crate::guard::rules::field::{Fit, fit};
use crate::guard::rules::{Case, Seen, is_header};
use crate::guard::view::{Shape, View};

/// `word | role | example`, a line a word.
const FILE: &str = include_str!("../lexicon/placeholder.txt");

/// The words, by their roles.
static WORDS: LazyLock<Table> = LazyLock::new(|| Table::of(FILE));

pub(super) fn has(role: &str, word: &str) -> bool {
    WORDS.has(role, word)
}

fn all(role: &str) -> impl Iterator<Item = &'static str> {
    WORDS.all(role)
}

/// What nobody writes but for a field.
static MARKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\{\{[^{}\r\n]{0,80}\}\}|\{\{|\{%|\[% ?[A-Za-z]|<%[-=@]? ?[A-Za-z]|<\?(?:php\b|=)|\*\|[^|*\s]{1,60}\|\*",
        r"|\|\*[^|*\s]{1,60}\*\||[$#]\{[^{}\r\n]{1,80}\}|\{[!$][A-Za-z][^{}\s]{0,60}\}|%%=?[A-Za-z@][^%\r\n]{0,80}%%",
        r"|@@[A-Za-z_][^@\s]{0,40}@@|@Model\.[A-Z]|#REF!|#NAME\?|#VALUE!|#DIV/0!|\[object Object\]",
    ))
    .ok()
});

/// What may be a field, by what stands in it.
static FIELDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\[\[[^\[\]\r\n]{1,40}\]\]|<<[^<>\r\n]{1,40}>>|##[^#\s]{1,40}##|__[^\s]{1,40}?__|%[^%\s]{1,40}%",
        r#"|-[A-Za-z_]{4,20}-|\{[^{}\s"':;,]{1,40}\}|\[[^\[\]\r\n]{1,40}\]|«[^«»\r\n]{1,40}»|<[^<>\r\n]{1,40}>|\$[A-Za-z_]\w{1,39}\$?"#,
    ))
    .ok()
});

/// What a program writes for a value that is not there.
static NOTHING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words: Vec<String> = all("sure").chain(all("weak")).map(regex::escape).collect();
    Regex::new(&words.join("|")).ok()
});

/// A greeting with nobody behind it.
static NOBODY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let join = |role| lexicon::of(role).list.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
    let (greetings, titles) = (join(Role::Greeting), join(Role::Title));
    Regex::new(&format!(
        r"(?im)^[ \t]*(?:(?:{greetings})(?: (?:{titles})\.?)?[ \t]+[,，、]|(?:dear|hi|hello|hey|hallo)[ \t]+[!！])"
    ))
    .ok()
});

/// Stand behind a name.
const HONORIFICS: [&str; 5] = ["様", "さま", "殿", "御中", "님"];

/// Follow 様 in words that begin with it.
const WORDS_OF_SAMA: [char; 5] = ['々', '式', '子', '変', '相'];

/// Judges one view.
pub fn judge(case: &mut Case<'_>, seen: &Seen<'_>) {
    let view = seen.view;
    if view.shape == Shape::Loose || matches!(view.place.view, "style" | "script" | "source") {
        return;
    }
    let text = &*view.text;
    if find(view, text, |piece| case.known.has_text(piece)) {
        case.find(Rule::Empty, None, &view.place.to_string(), "a placeholder survived".into(), None);
    }
}

/// Whether a text has a placeholder that is not explained.
fn find(view: &View<'_>, text: &str, is_explained: impl Fn(&str) -> bool) -> bool {
    has_mark(view, text, &is_explained)
        || has_nothing(view, text, &is_explained)
        || has_nobody(text, &is_explained)
        || (!text.is_ascii() && has_hole(view, text, &is_explained))
}

fn has_mark(view: &View<'_>, text: &str, is_explained: &impl Fn(&str) -> bool) -> bool {
    let is_sign = |b: u8| matches!(b, b'-' | b'{' | b'%' | b'[' | b'*' | b'$' | b'<' | b'#' | b'@' | b'_' | 0xc2);
    if !text.bytes().any(is_sign) {
        return false;
    }
    let has_mark = |regex: &Regex| regex.find_iter(text).any(|found| !is_explained(found.as_str()));
    MARKS.as_ref().is_some_and(has_mark)
        || FIELDS.as_ref().is_some_and(|regex| {
            regex.find_iter(text).any(|found| {
                let (before, after) = (text[..found.start()].chars().next_back(), &text[found.end()..]);
                // A program's header says what its fields are called.
                let is_told = view.shape != Shape::Visible && found.as_str().starts_with('-');
                !is_told && is_field(found.as_str(), before, after) && !is_explained(found.as_str())
            })
        })
}

/// Whether what stands in signs is a merge field.
fn is_field(found: &str, before: Option<char>, after: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric();
    let content = found.trim_matches(|c: char| "[]<>#_%{}«»$-".contains(c));
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    if found.starts_with("[[") || found.starts_with("<<") || found.starts_with('#') || found.starts_with("__") {
        return fit(content) >= Fit::Part;
    }
    match found.as_bytes()[0] {
        b'%' => {
            let is_upper = content.len() >= 3 && content.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            fit(content) >= Fit::Part || is_upper && !before.is_some_and(joins)
        }
        b'{' => {
            let is_alone = !before.is_some_and(|c| joins(c) || "\\)]}".contains(c));
            let is_number = content.len() == 1 && content.as_bytes()[0].is_ascii_digit();
            let begins = content.starts_with(|c: char| c.is_alphabetic() || c == '_');
            (is_alone && (is_number || begins && content.chars().all(is_name)) || fit(content) >= Fit::Part)
                && before != Some('\\')
                && !has("clean", content)
        }
        b'-' => {
            let goes_on = |c: char| joins(c) || c == '-';
            fit(content) == Fit::Field && !before.is_some_and(goes_on) && !after.starts_with(goes_on)
        }
        b'$' if found.ends_with('$') => fit(content) >= Fit::Part,
        b'$' => fit(content) == Fit::Field && !before.is_some_and(joins),
        b'<' => {
            let is_upper = content.chars().all(|c| c.is_uppercase() || c == '_');
            (is_upper || content.contains('_')) && fit(content) == Fit::Field
        }
        // A caption in brackets is what a reader fills in: [氏名] 山田, but [姓名]，您好.
        _ => {
            let is_greeted = || after.starts_with(['，', '、', ',', '!', '！']);
            fit(content) == Fit::Field
                && (!content.chars().any(normal::is_han) || is_greeted())
                && !after.starts_with([':', '：', '('])
                && !is_kana(content)
        }
    }
}

fn is_kana(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3041}'..='\u{30ff}'))
}

/// Where a value stands by itself, and is read or followed.
fn is_value(view: &View<'_>) -> bool {
    const READ: [&str; 7] = ["abbr", "alt", "aria-label", "label", "title", "value", "content"];
    match view.place.view {
        "attribute" => view.place.at.as_deref().is_some_and(|at| READ.contains(&at)),
        _ if is_header(view) => view.shape == Shape::Visible,
        place => place == "link",
    }
}

fn has_nothing(view: &View<'_>, text: &str, is_explained: &impl Fn(&str) -> bool) -> bool {
    let may_begin = |b: u8| matches!(b, b'N' | b'u' | b'n' | b'(' | b'[' | b'I' | b'#');
    if !text.bytes().any(may_begin) || view.place.view == "attribute" && !is_value(view) {
        return false;
    }
    NOTHING.as_ref().is_some_and(|regex| {
        regex.find_iter(text).any(|found| {
            let start = text[..found.start()].rfind(['\n', '\r', '\t']).map_or(0, |at| at + 1);
            let end = text[found.end()..].find(['\n', '\r', '\t']).map_or(text.len(), |at| found.end() + at);
            let (before, after) = (&text[start..found.start()], &text[found.end()..end]);
            // `Open cases:` may have no more than that below it.
            let above = text[..start].trim_end();
            let is_figure = before.trim().is_empty()
                && after.trim().is_empty()
                && has("figure", found.as_str())
                && is_among_figures(above, text[end..].trim_start());
            !is_figure
                && is_nothing(view, [above, before], found.as_str(), after)
                && !is_explained(text[start..end].trim())
        })
    })
}

/// Whether what a program writes for no number is one of a column of numbers, or stands in
/// prose by itself: behind `Total:`, or below that in a table, a value belongs.
fn is_among_figures(above: &str, below: &str) -> bool {
    let above = above.rsplit(['\n', '\t']).next().unwrap_or_default().trim();
    let below = below.split(['\n', '\r', '\t']).next().unwrap_or_default().trim();
    let is_figure = |text: &str| {
        let bare = text.trim_start_matches(['+', '-']);
        has("figure", text) || bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains(char::is_alphabetic)
    };
    let is_label =
        above.ends_with([':', '：', '=']) || (above.split_whitespace().count() == 1 && !above.ends_with('.'));
    is_figure(above) || is_figure(below) || !above.is_empty() && !is_label
}

/// Whether a word stands in its line where a value belongs.
fn is_nothing(view: &View<'_>, [above, before]: [&str; 2], word: &str, after: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_word = word.ends_with(joins);
    if is_word && (before.ends_with(joins) || after.starts_with(joins)) {
        return false;
    }
    let is_sure = has("sure", word);
    let blank = [' ', '\u{3000}', '\u{a0}'];
    let (left, right) = (before.trim_end_matches(blank), after.trim_start_matches(blank));
    if HONORIFICS.iter().chain(&["さん"]).any(|honorific| right.starts_with(honorific))
        || all("unit").any(|unit| right.starts_with(unit))
        || left.ends_with(['¥', '￥', '€', '£']) && is_word
        || before.ends_with('$') && is_sure
    {
        return true;
    }
    if view.place.view == "link" && before.ends_with('/') && (after.is_empty() || after.starts_with(['/', '?', '#'])) {
        return true;
    }
    if before.ends_with('=') && before.contains(['?', '&']) && after.starts_with(|c: char| "&#\"'<>) ".contains(c))
        || before.ends_with('=') && before.contains("://") && after.is_empty()
    {
        return true;
    }
    if left.is_empty() && right.is_empty() {
        let is_read = view.shape == Shape::Visible && view.place.view == "text";
        return is_sure || is_value(view) || is_read && !above.ends_with([':', '：']);
    }
    let greeting = normal::fold(left.trim().trim_end_matches([',', '，', '、'])).into_owned();
    if !greeting.is_empty() && lexicon::of(Role::Greeting).has(&normal::search(&greeting)) {
        return true;
    }
    let ends = right.is_empty() || right.starts_with([',', '，', '、', '。', '!', '！', '|']);
    ends && left.ends_with([':', '：', '=']) && is_captioned(left, is_sure)
}

/// Whether a value belongs behind this: `名前:`; while `Open cases: None` is a sentence.
fn is_captioned(left: &str, is_sure: bool) -> bool {
    let label = left[..left.len() - left.chars().next_back().map_or(0, char::len_utf8)].trim();
    if label.ends_with(['"', '\'', '`', '?']) {
        return false;
    }
    if is_sure {
        return true;
    }
    let label = label.rsplit([',', '、', '。', ';', '|', '(', '（']).next().unwrap_or(label).trim();
    let is_latin = |c: char| c.is_ascii() || matches!(c, '\u{c0}'..='\u{24f}');
    let folded = normal::fold(label);
    let roles = [Role::IdLabel, Role::PhoneLabel];
    !left.ends_with('=')
        && (label.chars().any(|c| c.is_alphabetic() && !is_latin(c))
            || fit(label) == Fit::Field
            || roles.iter().any(|role| ends_with(&folded, *role)))
}

/// Whether a label ends with a word of this role: `your member id`.
fn ends_with(label: &str, role: Role) -> bool {
    lexicon::of(role)
        .suffix(label)
        .is_some_and(|word| !label[..label.len() - word.len()].ends_with(char::is_alphanumeric))
}

fn has_nobody(text: &str, is_explained: &impl Fn(&str) -> bool) -> bool {
    let signs = [" ,", " !", " ，", " 、", " ！"];
    signs.iter().any(|sign| memchr::memmem::find(text.as_bytes(), sign.as_bytes()).is_some())
        && NOBODY.as_ref().is_some_and(|regex| regex.find_iter(text).any(|found| !is_explained(found.as_str().trim())))
}

/// Whether an honorific has nothing before it, or what is written for a name.
fn has_hole(view: &View<'_>, text: &str, is_explained: &impl Fn(&str) -> bool) -> bool {
    let found = |honorific: &'static str| {
        memchr::memmem::find_iter(text.as_bytes(), honorific).any(|at| {
            let (before, after) = (&text[..at], &text[at + honorific.len()..]);
            match hole(before) {
                // ☆☆様々な商品☆☆
                Some(start) => !after.starts_with(WORDS_OF_SAMA) && !is_explained(&text[start..at + honorific.len()]),
                None => is_to_nobody(view, before, honorific, after),
            }
        })
    };
    HONORIFICS.iter().chain(&["さん"]).any(|honorific| found(honorific))
        || text.lines().any(|line| greets_hole(line) && !is_explained(line.trim()))
}

/// `亲爱的XX，您好`: a greeting before what is written for a name.
fn greets_hole(line: &str) -> bool {
    let mut two = line.chars().zip(line.chars().skip(1));
    if !two.any(|(a, b)| a == b && has("hole", a.encode_utf8(&mut [0; 4]))) {
        return false;
    }
    let line = normal::search(&normal::fold(line.trim())).into_owned();
    let greeting = lexicon::of(Role::Greeting).prefix(&line).filter(|word| word.ends_with(normal::is_han));
    let rest = greeting.map_or("", |greeting| &line[greeting.len()..]);
    rest.find([',', ':', '!']).is_some_and(|end| hole(&rest[..end]) == Some(0))
}

/// Where what is written for a name begins, if a text ends with it: `〇〇`, `【氏名】`.
fn hole(before: &str) -> Option<usize> {
    const BRACKETS: [(char, char); 9] = [
        ('[', ']'),
        ('［', '］'),
        ('【', '】'),
        ('(', ')'),
        ('（', '）'),
        ('≪', '≫'),
        ('《', '》'),
        ('「', '」'),
        ('<', '>'),
    ];
    const REACH: usize = 60;
    let name = before.trim_end_matches([' ', '\u{3000}']);
    let last = name.chars().next_back()?;
    if let Some((open, close)) = BRACKETS.iter().find(|(_, close)| *close == last) {
        let inner = &name[..name.len() - close.len_utf8()];
        let start = inner.rfind(*open).filter(|start| inner.len() - start < REACH)?;
        return (fit(&inner[start + open.len_utf8()..]) == Fit::Field).then_some(start);
    }
    let mut letter = [0; 4];
    if !has("hole", last.encode_utf8(&mut letter)) {
        return None;
    }
    let rest = name.trim_end_matches(last);
    let is_name = rest.chars().next_back().is_some_and(char::is_alphanumeric);
    (name.len() - rest.len() >= 2 * last.len_utf8() && !is_name).then_some(rest.len())
}

/// Whether an honorific addresses nobody: at a subject's beginning, or at that of a line
/// without another right above it.
fn is_to_nobody(view: &View<'_>, before: &str, honorific: &str, after: &str) -> bool {
    if honorific == "さん" {
        return false;
    }
    if before.ends_with('【') && after.starts_with('】') {
        return true;
    }
    let is_subject = view.place.view == "Subject";
    let blank = [' ', '\u{3000}', '\u{a0}', '\t'];
    let next = after.chars().next();
    let ends = next.is_none_or(|c| c.is_whitespace() || "、，,。！!：:".contains(c));
    let goes_on = is_subject && (after.starts_with("への") || after.starts_with("へ "));
    if !ends && !goes_on {
        return false;
    }
    let line = before.trim_end_matches(blank);
    if is_subject {
        return line.is_empty() || line.len() < before.len() && line.ends_with(['】', ']', '］', ':', '：']);
    }
    if !matches!(view.place.view, "text") {
        return false;
    }
    let Some(above) = line.strip_suffix('\n') else { return line.is_empty() };
    let above = above.trim_end_matches('\r').trim_end_matches(blank);
    above.is_empty() || above.ends_with('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_word_its_role_and_an_example_of_it() {
        const ROLES: [&str; 9] = ["field", "part", "glue", "sure", "weak", "unit", "hole", "clean", "figure"];
        for line in lexicon::table::lines(FILE) {
            let cells: Vec<&str> = line.split(" | ").collect();
            assert!(cells.len() == 3 && ROLES.contains(&cells[1]), "{line}");
            let letters = |text: &str| text.to_lowercase().replace(['_', ' '], "");
            assert!(letters(cells[2]).contains(&letters(cells[0])), "{line}");
        }
        assert!([&MARKS, &FIELDS, &NOTHING, &NOBODY].iter().all(|regex| regex.is_some()));
    }
}
