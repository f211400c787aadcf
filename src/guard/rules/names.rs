//! `foreign`, for names: those of other accounts, wherever they stand. Whom the message
//! addresses is another rule's business ([`super::salutation`]).

use std::borrow::Cow;

use crate::account::{AccountId, Kind};
use crate::address::mask;
use crate::guard::find::file;
use crate::guard::find::names::salutation::{NAME_MAX, Salutation};
use crate::guard::find::names::standalone::{self, Standing};
use crate::guard::find::names::{Hit, How, Names, alone, captioned, halves, is_joined, slug, squeeze};
use crate::guard::finding::Rule;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;
use crate::guard::rules::addressee::is_explained;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::glued::{self, is_of_host};
use crate::guard::rules::within::Spans;
use crate::guard::rules::written::{has_middle, is_written_as_name};
use crate::guard::rules::{Case, Seen, is_read, titled};
use crate::guard::view::{Shape, View, second, strings};

/// A folded text as names are searched for in it.
pub struct Searched<'t> {
    /// All of it.
    pub text: Cow<'t, str>,
    /// Without its furigana, if it has any: 鈴木(すずき)花子 is 鈴木花子 to a reader.
    plain: Option<String>,
}

impl<'t> Searched<'t> {
    /// Reads a folded text.
    pub fn of(folded: &'t str) -> Self {
        let text = normal::search(folded);
        Self { plain: second::without_furigana(&text), text }
    }

    /// As a reader has it.
    pub fn plain(&self) -> &str {
        self.plain.as_deref().unwrap_or(&self.text)
    }
}

/// Judges every name of one view.
pub fn judge(case: &mut Case<'_>, seen: &Seen<'_>) {
    let Seen { view, folded, searched, .. } = seen;
    let names = case.guard.index().names();
    read(case, view, names, &searched.text);
    if let Some(plain) = &searched.plain {
        read(case, view, names, plain);
    }
    if view.place.view == "file name" {
        spelled_out(case, view, file::stem(&searched.text));
    }
    if let Some(words) = slug(view, folded) {
        // `/renew/john-smith.example` is its owner's, whoever John Smith is.
        let mut hits = names.worded(&words);
        hits.retain(|hit| !case.own.spells(&words[hit.start..hit.end]));
        foreign(case, view, &words, &hits, Reading::Cued);
    }
}

/// The most words of a file's name of which each may be a name.
const FILE_WORDS_MAX: usize = 8;

/// Names of one word in the name of a file: `2026-nexora-report`.
fn spelled_out(case: &mut Case<'_>, view: &View<'_>, stem: &str) {
    let words = stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words.take(FILE_WORDS_MAX).filter(|word| !is_common(word)) {
        let name = normal::name(word);
        if !case.known.has_searched_word(&name) {
            let place = word.as_ptr() as usize - stem.as_ptr() as usize;
            find_standing(case, view, stem, &Standing { place: place..place + word.len(), name });
        }
    }
}

/// Judges a searched text of a view.
fn read(case: &mut Case<'_>, view: &View<'_>, names: Names<'_>, searched: &str) {
    let (joined, spaced) = squeeze(searched);
    anywhere(case, view, names, &joined, &spaced);
    if let Some(declared) = case.extra().and_then(|extra| extra.names()) {
        anywhere(case, view, declared, &joined, &spaced);
    }
    foreign(case, view, searched, &glued::hits(view, searched, names), Reading::Cued);
    for (word, hit) in glued::humped_hits(view, names) {
        foreign(case, view, &word, &[hit], Reading::Cued);
    }
    captioned(case, view, searched);
    standing(case, view, searched);
    alone(case, view, searched);
    in_strings(case, view, names, searched);
    if view.shape == Shape::Visible && is_read(view) {
        let shown = |name: &&String| joined.contains(*name) || spaced.contains(*name);
        let own: Vec<String> = case.own.names().iter().filter(shown).cloned().collect();
        own.iter().for_each(|name| case.shown.insert(Kind::Person, name));
    }
}

/// Names in the strings that a script or a style sheet joins or shows.
fn in_strings(case: &mut Case<'_>, view: &View<'_>, names: Names<'_>, searched: &str) {
    let at = view.place.at.as_deref().unwrap_or_default();
    let is_style = view.place.view == "style" || (view.place.view == "attribute" && at == "style");
    let strings = if is_style { strings::shown(searched) } else { strings::joined(searched) };
    if let Some(strings) = strings {
        let (joined, spaced) = squeeze(&strings);
        anywhere(case, view, names, &joined, &spaced);
        standing(case, view, &strings);
        stand_alone(case, view, &strings);
    }
}

/// Judges a text around a seam between two passages: what other rules of this room look
/// at does not reach across one.
pub fn across(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let (joined, spaced) = squeeze(folded);
    anywhere(case, view, case.guard.index().names(), &joined, &spaced);
}

/// How a text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Running text, in which two common words are no name: `will price`.
    Running,
    /// A value of its own.
    Cued,
}

/// Names that are searched for anywhere, the directory's or the campaign's.
fn anywhere(case: &mut Case<'_>, view: &View<'_>, names: Names<'_>, joined: &str, spaced: &str) {
    if !joined.is_ascii() {
        foreign(case, view, joined, &names.joined(joined), Reading::Running);
    }
    if spaced.contains([' ', '-', '.']) {
        foreign(case, view, spaced, &names.worded(spaced), Reading::Running);
    }
}

fn foreign(case: &mut Case<'_>, view: &View<'_>, text: &str, hits: &[Hit], reading: Reading) {
    if hits.is_empty() {
        return;
    }
    let own = own_spans(case, text);
    for hit in hits {
        let name = hit.name(text);
        if reading == Reading::Running && is_common(name) && !is_written_as_name(view, name) {
            continue;
        }
        let is_otherwise = match hit.how {
            How::Plain => true,
            // `Thea Dunmore` goes on behind `Ravenscar Mill`, and is nobody called Thea Ravenscar.
            How::Middle => {
                let is_cut = own.reaches_over(hit.start) || own.reaches_over(hit.end);
                !is_cut && has_middle(view, &text[hit.start..hit.end])
            }
            // A host is judged by itself.
            How::Signs | How::Glued => {
                // `blueWater` of a style sheet's class.
                let is_word = hit.how == How::Glued && is_common(name) && !view.place.is_path();
                !is_word && !is_of_host(text, hit.start..hit.end) && !case.own.spells(name)
            }
        };
        if !is_otherwise {
            continue;
        }
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
        if kind == Kind::Organisation && reading == Reading::Running && (is_common(name) || !is_whole(text, hit, view))
        {
            continue;
        }
        case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), Some(&owner));
    }
}

/// Whether a name has nothing but common words.
pub(super) fn is_common(name: &str) -> bool {
    name.split(' ').all(lexicon::is_common)
}

/// What the view around a seam is called.
pub const WINDOW: &str = "seam";

/// Whether the name of a body without its legal form stands apart from a longer word: `東京商事`
/// in `大東京商事`.
fn is_whole(text: &str, hit: &Hit, view: &View<'_>) -> bool {
    let name = hit.name(text);
    if !name.contains(is_joined) || normal::company::has_form(name) || view.place.view == WINDOW {
        return true;
    }
    let stands = |text: &str, start: usize, end: usize| {
        let (before, after) = (&text[..start], &text[end..]);
        let goes_on = |a: Option<char>, b: Option<char>| {
            a.zip(b).is_some_and(|(a, b)| script(a).is_some() && script(a) == script(b))
        };
        let is_word = |role, text: &str, at_end: bool| {
            if at_end { lexicon::of(role).suffix(text).is_some() } else { lexicon::of(role).prefix(text).is_some() }
        };
        let begins = !goes_on(before.chars().next_back(), name.chars().next())
            || [Role::Form, Role::Caption, Role::Title, Role::Office].iter().any(|role| is_word(*role, before, true));
        let ends = !goes_on(name.chars().next_back(), after.chars().next())
            || [Role::Form, Role::Honorific, Role::Office, Role::Department, Role::Beside]
                .iter()
                .any(|role| is_word(*role, after, false));
        begins && ends
    };
    if stands(text, hit.start, hit.end) {
        return true;
    }
    let folded = normal::fold(&view.text);
    let searched = normal::search(&folded);
    // Chinese has no other script between its words.
    let is_chinese = |at: usize| {
        let (before, after) = (searched[..at].rsplit('\n').next(), searched[at..].split('\n').next());
        before.into_iter().chain(after).all(|part| !part.contains(|c: char| matches!(script(c), Some(0 | 1))))
    };
    searched.match_indices(name).any(|(at, name)| stands(&searched, at, at + name.len()) || is_chinese(at))
}

/// The script of a letter that is written without spaces.
fn script(c: char) -> Option<u8> {
    match c {
        '\u{3040}'..='\u{309f}' => Some(0),
        '\u{30a0}'..='\u{30ff}' => Some(1),
        '\u{ac00}'..='\u{d7af}' => Some(2),
        c if normal::is_han(c) => Some(3),
        _ => None,
    }
}

fn own_spans(case: &Case<'_>, text: &str) -> Spans {
    let spans = case.own.names().iter().flat_map(|name| text.match_indices(name.as_str()));
    Spans::new(spans.map(|(start, name)| (start, start + name.len())).collect())
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
        find_standing(case, view, folded, &standing);
    }
}

/// Names of one word that stand by themselves, and those in two fields. A source has its tags
/// around them.
fn alone(case: &mut Case<'_>, view: &View<'_>, searched: &str) {
    if view.place.view == "source" || view.place.view == "style" || !is_for_readers(view) {
        return;
    }
    stand_alone(case, view, searched);
    titled::judge(case, view, searched);
    // A word of an own name is another's beside a legal form: `Whitfield Ltd`.
    for body in alone::bodies(searched) {
        let is_own = case.own.names().contains(&body.name);
        if !is_own && !is_common(&body.name) && !case.known.has_searched_word(&body.name) {
            stand(case, view, searched, &body);
        }
    }
    for (one, other) in halves::pairs(searched) {
        for turned in [one, other].iter().filter(|turned| !is_common(&turned.name)) {
            if other_of(case, Kind::Person, &turned.name).is_some() {
                find_standing(case, view, searched, turned);
            }
        }
    }
}

/// Names of one word, and those that are written as one.
fn stand_alone(case: &mut Case<'_>, view: &View<'_>, searched: &str) {
    let names = case.guard.index().names();
    for standing in alone::names(searched) {
        if !is_common(&standing.name) && !case.known.has_searched_word(&standing.name) {
            find_standing(case, view, searched, &standing);
            let glued = names.glued(searched, standing.place);
            foreign(case, view, searched, glued.as_slice(), Reading::Cued);
        }
    }
}

/// Whether a value is one that somebody reads, or that a program made of somebody's: not a
/// class or the name of a font.
fn is_for_readers(view: &View<'_>) -> bool {
    const SHOWN: [&str; 9] =
        ["abbr", "alt", "aria-label", "content", "label", "placeholder", "summary", "title", "value"];
    let at = view.place.at.as_deref().unwrap_or_default();
    view.place.view != "attribute" || at.contains(',') || SHOWN.contains(&at) || at.starts_with("data-")
}

fn find_standing(case: &mut Case<'_>, view: &View<'_>, folded: &str, standing: &Standing) {
    if !case.own.has_name(&standing.name) {
        stand(case, view, folded, standing);
    }
}

/// Tells of a name that is not this account's, where somebody else has it.
fn stand(case: &mut Case<'_>, view: &View<'_>, folded: &str, standing: &Standing) {
    let name = &standing.name;
    if case.known.has_standing(name) {
        return;
    }
    if let Some((kind, owner)) = other(case, name).filter(|_| !is_in_own(case, folded, standing)) {
        case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(name), Some(&owner));
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

/// Who else has this name, whole or without its legal form.
pub(super) fn other(case: &Case<'_>, name: &str) -> Option<(Kind, AccountId)> {
    let whole = |name: &str| [Kind::Person, Kind::Organisation].into_iter().find_map(|kind| other_of(case, kind, name));
    whole(name).or_else(|| {
        // `Whitfield Ltd` is not a word of the own Whitfield Garden Supplies.
        let core = normal::company::core(name).filter(|core| !case.own.names().contains(core))?;
        other_of(case, Kind::Organisation, &core)
    })
}

pub(super) fn other_of(case: &Case<'_>, kind: Kind, name: &str) -> Option<(Kind, AccountId)> {
    match case.claim(kind, name) {
        Claim::Other(owner) => Some((kind, owner)),
        Claim::Own | Claim::Nobodys => None,
    }
}
