//! Names: those of other accounts anywhere (`foreign`), and whom the message
//! addresses (`salutation`).

use std::collections::HashMap;

use crate::account::{AccountId, Kind, mask};
use crate::guard::captioned;
use crate::guard::finding::Rule;
use crate::guard::names::{Hit, JOINED_MIN, Names, slug, squeeze};
use crate::guard::normal;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::within::Spans;
use crate::guard::rules::{Case, is_header, is_read};
use crate::guard::salutation::{NAME_MAX, Salutation, broken, is_generic, salutations};
use crate::guard::standalone::{self, Standing};
use crate::guard::view::{Shape, View};

/// Judges every name of one view.
pub fn judge(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let guard = case.guard;
    let names = guard.index().names();
    // Names without spaces are of other scripts: most attributes have none.
    if folded.is_ascii() && !names.has_worded() && view.shape != Shape::Visible && case.extra().is_none() {
        return;
    }
    let (joined, spaced) = squeeze(folded);
    anywhere(case, view, names, &joined, &spaced);
    if let Some(words) = slug(view, folded) {
        // `/renew/john-smith.example` is its owner's, whoever John Smith is.
        let mut hits = names.worded(&words);
        hits.retain(|hit| !case.own.spells(&words[hit.start..hit.end]));
        foreign(case, view, &words, &hits);
    }
    if let Some(declared) = case.extra().and_then(|extra| extra.names()) {
        anywhere(case, view, declared, &joined, &spaced);
    }
    captioned(case, view, folded);
    standing(case, view, folded);
    if view.shape == Shape::Visible {
        if is_read(view) {
            let shown = |name: &&String| joined.contains(*name) || spaced.contains(*name);
            let own: Vec<String> = case.own.names().iter().filter(shown).cloned().collect();
            own.iter().for_each(|name| case.shown.insert(Kind::Person, name));
        }
        addressed(case, view, folded);
        if is_header(view) && view.place.view == "To" {
            written_to(case, view, folded);
        }
    }
}

/// Judges a text around a seam between two passages: what other rules of this room look
/// at does not reach across one.
pub fn across(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let (joined, spaced) = squeeze(folded);
    anywhere(case, view, case.guard.index().names(), &joined, &spaced);
}

/// Whoever stands before the address in `To` is addressed, honorific or not.
fn written_to(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let words = folded.split('<').next().unwrap_or_default().trim_matches(|c: char| c.is_whitespace() || c == '"');
    let salutation = Salutation::of(words);
    let is_name = !words.contains('@') && words.chars().any(char::is_alphabetic);
    if is_name && !is_generic(&salutation.name) && !is_explained(case, &salutation) {
        case.find(Rule::Salutation, Some(Kind::Person), &view.place.to_string(), mask(&salutation.name), None);
    }
}

/// Names that are searched for anywhere, the directory's or the campaign's.
fn anywhere(case: &mut Case<'_>, view: &View<'_>, names: Names<'_>, joined: &str, spaced: &str) {
    if !joined.is_ascii() {
        foreign(case, view, joined, &names.joined(joined));
    }
    if spaced.contains(' ') {
        foreign(case, view, spaced, &names.worded(spaced));
    }
}

fn foreign(case: &mut Case<'_>, view: &View<'_>, text: &str, hits: &[Hit]) {
    if hits.is_empty() {
        return;
    }
    let own = own_spans(case, text);
    for hit in hits {
        let name = &text[hit.start..hit.end];
        // A piece of one's own name is one's own.
        if own.covers(hit.start, hit.end) || case.own.has_name(name) || case.known.has_name(hit.hash, name) {
            continue;
        }
        if case.is_nobodys {
            case.find(Rule::Foreign, None, "text", mask(name), None);
            return;
        }
        // The search finds by chance too, once in a very long while.
        let directory = case.guard.index().owner(hit.hash);
        let Some(owner) = directory.or_else(|| case.extra()?.owner(hit.hash)) else { continue };
        let kind = case.guard.name_kind(name, hit.hash);
        case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), Some(&owner));
    }
}

fn own_spans(case: &Case<'_>, text: &str) -> Spans {
    let spans = case.own.names().iter().flat_map(|name| text.match_indices(name.as_str()));
    Spans::new(spans.map(|(start, name)| (start, start + name.len())).collect())
}

/// Salutations of one view that are told of: the message is held at the first.
const TOLD_MAX: usize = 32;

fn addressed(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    // A list of names may be as long as a message.
    let mut met = HashMap::new();
    let mut told = 0;
    for (salutation, above) in salutations(folded) {
        let name = &salutation.name;
        if *met.entry(salutation.words.clone()).or_insert_with(|| is_explained(case, &salutation)) {
            continue;
        }
        let place = view.place.to_string();
        if !salutation.is_sure {
            if let Some((kind, owner)) = other_body(case, name) {
                case.find(Rule::Foreign, Some(kind), &place, mask(name), Some(&owner));
            }
            continue;
        }
        // A text without spaces is broken anywhere, in the middle of a name too.
        let whole_is = |whole: &Salutation| is_generic(&whole.name) || is_explained(case, whole);
        if broken(above, &salutation).iter().any(whole_is) {
            continue;
        }
        if let Some((kind, owner)) = other(case, name) {
            case.find(Rule::Foreign, Some(kind), &place, mask(name), Some(&owner));
        }
        case.find(Rule::Salutation, Some(Kind::Person), &place, mask(name), None);
        told += 1;
        if told == TOLD_MAX {
            return;
        }
    }
}

/// Names behind a caption: another account's only, since a caption may have anything
/// behind it.
fn captioned(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    for named in captioned::names(folded) {
        for named in behind_own(case, &named.words).into_iter().chain([named]) {
            if let Some((kind, owner)) = other(case, &named.name).filter(|_| !is_explained(case, &named)) {
                case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(&named.name), Some(&owner));
            }
        }
    }
}

/// `株式会社サンプル 林愛`: who stands behind an own name.
fn behind_own(case: &Case<'_>, words: &str) -> Option<Salutation> {
    let gaps = words.match_indices(char::is_whitespace);
    let (at, _) = gaps.filter(|(at, _)| case.own.has_name(&normal::name(&words[..*at]))).last()?;
    let words = words[at..].trim();
    Some(Salutation::of(words))
}

/// Short names that stand by themselves.
fn standing(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let names = case.guard.index().names();
    let has_more = case.extra().is_some_and(|extra| extra.names().is_some());
    for standing in standalone::names(folded, |first, second| has_more || names.may_begin_worded(first, second)) {
        let name = &standing.name;
        let is_explained = case.known.has_standing(name) || case.own.has_name(name);
        if let Some((kind, owner)) = other(case, name).filter(|_| !is_explained && !is_in_own(case, folded, &standing))
        {
            case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), Some(&owner));
        }
    }
}

/// Whether a name is a piece of an own one: `喫茶 林 愛`.
fn is_in_own(case: &Case<'_>, folded: &str, standing: &Standing) -> bool {
    let is_letter = |c: &char| !normal::is_between(*c);
    let (before, after) = (&folded[..standing.place.start], &folded[standing.place.end..]);
    let before = before.chars().rev().take(2 * NAME_MAX).filter(is_letter);
    let after = after.chars().take(2 * NAME_MAX).filter(is_letter);
    case.own.names().iter().any(|own| {
        own.match_indices(&*standing.name).any(|(at, name)| {
            let head = own[..at].chars().rev().filter(is_letter);
            let tail = own[at + name.len()..].chars().filter(is_letter);
            starts_with(before.clone(), head) && starts_with(after.clone(), tail)
        })
    })
}

fn starts_with(mut text: impl Iterator<Item = char>, mut head: impl Iterator<Item = char>) -> bool {
    head.all(|c| text.next() == Some(c))
}

/// Who else has this whole name.
fn other(case: &Case<'_>, name: &str) -> Option<(Kind, AccountId)> {
    [Kind::Person, Kind::Organisation].into_iter().find_map(|kind| other_of(case, kind, name))
}

fn other_of(case: &Case<'_>, kind: Kind, name: &str) -> Option<(Kind, AccountId)> {
    match case.claim(kind, name) {
        Claim::Other(owner) => Some((kind, owner)),
        Claim::Own | Claim::Nobodys => None,
    }
}

/// The same, and whose name is that of a body without its corporate form.
fn other_body(case: &Case<'_>, name: &str) -> Option<(Kind, AccountId)> {
    let body = |whole: String| other_of(case, Kind::Organisation, &whole);
    other(case, name).or_else(|| normal::with_forms(name).find_map(body))
}

/// Whether a text addresses this account, or somebody whom the template does.
fn is_explained(case: &Case<'_>, salutation: &Salutation) -> bool {
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
                || is_initial(case, word)
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

/// `dear ms. a. ashgrove`.
fn is_initial(case: &Case<'_>, word: &str) -> bool {
    word.len() == 1 && case.own.names().iter().any(|name| name.starts_with(word))
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
const COMPANY: [&str; 6] = [" and team", " & team", " and family", " & family", " and colleagues", " & colleagues"];

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
