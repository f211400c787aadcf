//! Whether it is this account that a text addresses: its names in whole and in part,
//! beside titles, departments and company.

use crate::account::Kind;
use crate::guard::names::JOINED_MIN;
use crate::guard::normal;
use crate::guard::rules::Case;
use crate::guard::salutation::{Salutation, is_generic};

/// Whether a text addresses this account, or somebody whom the template does.
pub(super) fn is_explained(case: &Case<'_>, salutation: &Salutation) -> bool {
    is_own(case, salutation) || case.known.has_salutation(&salutation.name)
}

/// Whether it is this account that a text addresses.
fn is_own(case: &Case<'_>, salutation: &Salutation) -> bool {
    let name = &salutation.name;
    case.own.has_name(name)
        || own_words(case, &salutation.words)
        || own_at_end(case, salutation)
        || own_and_more(case, salutation)
        || own_address(case, name)
        || own_number(case, name)
}

/// `会員12345678`, `お客様番号12345678`: an own ID behind what names nobody.
fn own_number(case: &Case<'_>, name: &str) -> bool {
    let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let before =
        name[..name.len() - number.len()].trim_end_matches("番号").trim_end_matches("id").trim_end_matches('様');
    is_generic(before) && own_address(case, number)
}

/// `taro@example.com 様`, `例え.テスト 様`, `AB-1234 様`: what identifies is judged
/// by itself.
fn own_address(case: &Case<'_>, name: &str) -> bool {
    let has = |kind| {
        let declared = |canonical: &str| case.extra().is_some_and(|extra| extra.has(kind, canonical));
        normal::canonical(kind, name, None).is_ok_and(|value| case.own.has(kind, &value) || declared(&value))
    };
    has(Kind::Email)
        || has(Kind::Id)
        || normal::canonical(Kind::Domain, name, None).is_ok_and(|host| case.own.has_host(&host))
}

/// `dear ada ashgrove, …`, `hi ada and team`, `山田商店 担当 山田 様`, `dear customer 10000001`:
/// every word is one of the account's own, or nobody's.
fn own_words(case: &Case<'_>, words: &str) -> bool {
    let words = COMPANY.iter().find_map(|company| words.trim_end().strip_suffix(company)).unwrap_or(words);
    words
        .split(|c: char| c.is_whitespace() || c == '&')
        .map(normal::name)
        .filter(|word| !word.is_empty() && !TITLES.contains(&word.as_str()))
        .all(|word| {
            let word = word.trim_end_matches(['.', ':']);
            case.own.has_name(word)
                || is_generic(word)
                || normal::is_title(word)
                || BESIDE.contains(&word)
                || own_address(case, word)
                || is_initials(case, word)
                || normal::HONORIFICS.iter().any(|honorific| honorific.word == word)
        })
}

/// What stands beside what names the account, folded: `dear owner of sample.example`.
const BESIDE: [&str; 14] = [
    "prof",
    "of",
    "the",
    "and",
    "id",
    "no",
    "number",
    "account",
    "owner",
    "owners",
    "holder",
    "admin",
    "contact",
    "department",
];

/// `dear ms. a. ashgrove`, `dear j.r. hart`.
fn is_initials(case: &Case<'_>, word: &str) -> bool {
    let begins =
        |letter: &str| case.own.names().iter().any(|name| name.split(' ').any(|word| word.starts_with(letter)));
    word.split('.').all(|letter| letter.len() == 1 && begins(letter))
}

/// How the parts of a body are called, folded.
const DEPARTMENTS: &[&str] = &[
    "部",
    "課",
    "室",
    "係",
    "局",
    "科",
    "本社",
    "支社",
    "支店",
    "本店",
    "営業所",
    "事業所",
    "工場",
    "研究所",
    "センター",
    "チーム",
    "グループ",
    "事務局",
    "総務",
    "経理",
    "部門",
    "サポート",
    "窓口",
    "デスク",
    "マーケティング",
    "広報",
    "人事",
    "営業",
    "法務",
    "情シス",
    "サクセス",
    "マスター",
    "運営",
    "support",
    "sales",
    "center",
    "department",
    "team",
];

/// The longest name of a part of a body, in characters.
const DEPARTMENT_MAX: usize = 20;

/// What may stand behind a person's name, folded.
const SUFFIXES: [&str; 9] = ["jr", "sr", "ii", "iii", "iv", "phd", "md", "esq", "mba"];

/// Who may be greeted together with somebody, folded.
const COMPANY: [&str; 8] = [
    " and welcome",
    " & welcome",
    " and team",
    " & team",
    " and family",
    " & family",
    " and colleagues",
    " & colleagues",
];

/// `株式会社サンプル 総務部 御中`, `Dear Ada Sample Jr.`: a part of the account's own body, or
/// more of its own name. A name that stands there too is found by itself.
fn own_and_more(case: &Case<'_>, salutation: &Salutation) -> bool {
    let (name, words) = (&salutation.name, &salutation.words);
    // 山田 三部 is nobody's department.
    let is_long = |own: &str| own.chars().count() >= JOINED_MIN;
    let glued = case.own.names().iter().filter(|own| is_long(own)).filter_map(|own| name.strip_prefix(own.as_str()));
    let is_own = |at: &usize| {
        let own = normal::name(&words[..*at]);
        is_long(&own) && case.own.has_name(&own)
    };
    let gaps = words.match_indices(char::is_whitespace).map(|(at, _)| at);
    let mut parted = gaps.filter(is_own).map(|at| normal::name(&words[at..]));
    glued.into_iter().any(is_department)
        || parted.any(|more| is_department(&more) || SUFFIXES.contains(&more.trim_end_matches('.')))
}

fn is_department(part: &str) -> bool {
    part.chars().count() <= DEPARTMENT_MAX && DEPARTMENTS.iter().any(|department| part.ends_with(department))
}

/// What stands right before a name, folded.
const TITLES: &[&str] =
    &["代表", "代表取締役", "社長", "会長", "店長", "部長", "課長", "担当", "氏名", "名前", "件名", "重要"];

/// `営業部 山田 太郎 様`, `■山田 太郎 様`, `ご契約者山田太郎様`, `請求書_山田太郎様`: a whole name of the
/// account's own, behind words that do not reach into it, as 大 would into 森.
fn own_at_end(case: &Case<'_>, salutation: &Salutation) -> bool {
    let words = &salutation.words;
    let starts = words.char_indices().filter(|(at, _)| words[..*at].ends_with(normal::is_between));
    let tails: Vec<String> = starts.map(|(at, _)| normal::name(&words[at..])).collect();
    case.own.names().iter().any(|own| {
        let glued = || {
            let joined = own.replace(' ', "");
            let before = salutation.name.strip_suffix(joined.as_str())?;
            let hiragana = |c: Option<char>| c.is_some_and(|c| ('\u{3040}'..='\u{309f}').contains(&c));
            let ends = hiragana(before.chars().next_back()) && !hiragana(joined.chars().next());
            let sign = before.ends_with(|c: char| !c.is_alphanumeric());
            let title = TITLES.iter().any(|title| before.ends_with(title));
            Some(ends || sign || title || case.own.has_name(before) || is_generic(before))
        };
        tails.contains(own) || glued().unwrap_or(false)
    })
}
