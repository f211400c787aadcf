//! `foreign` and `unexplained`: whose is each identifier-shaped token.
//!
//! Own comes first, then what the template says by itself or the campaign
//! allows, then the directory: somebody else's is foreign. What nobody is known
//! to own is unexplained, where its shape is plain enough to ask.

use crate::account::{AccountId, Kind};
use crate::address::mask;
use crate::guard::find::{Shape, Token, file, is_top_level};
use crate::guard::finding::Rule;
use crate::guard::normal;
use crate::guard::own::known::canonicals;
use crate::guard::rules::claims::Claim;
use crate::guard::rules::exact::{self, Exactly, Written};
use crate::guard::rules::hosts::{Stops, host, idn, named_after};
use crate::guard::rules::lookalikes;
use crate::guard::rules::mailboxes::{buried_email, email};
use crate::guard::rules::within::Spans;
use crate::guard::rules::{Case, Seen, is_read};
use crate::guard::view::{self, View};

/// Whose a token is.
pub(super) enum Whose {
    Own,
    Explained,
    Foreign(Kind, AccountId),
    Nobodys,
}

/// Judges every token of one view; `text` is what was folded of it.
pub fn judge(case: &mut Case<'_>, seen: &Seen<'_>) {
    let Seen { view, text, folded, .. } = *seen;
    let written = Written::new(text, folded);
    let (scanner, setting) = (case.scanner(), case.scanner().setting(view));
    let mut tokens = if case.is_pieces { scanner.scan_piece(folded, setting) } else { scanner.scan(folded, setting) };
    tokens.retain(|token| !lookalikes::is_colour(token, view, folded));
    let wholes = wholes(case, &tokens);
    let visible = view.shape == view::Shape::Visible && is_read(view);
    let stops = Stops::new(&view.text);
    let mut own = None;
    let (numbers, names): (Vec<&Token<'_>>, Vec<&Token<'_>>) = tokens.iter().partition(|token| is_number(token));
    let (numbers, own_numbers) = judged(case, numbers, visible, &stops, &written);
    // What explains an ID once does not where its case is another.
    let is_exact = case.scanner().has_exact();
    for (token, found) in names.into_iter().map(|token| (token, None)).chain(numbers) {
        let may_differ = is_exact && token.shape.kind() == Kind::Id;
        if !visible && !may_differ && case.explained.has(token.shape.kind(), token.text) {
            continue;
        }
        if has_readings(token) && !case.may_read(token.says(), &view.place) {
            continue;
        }
        // A piece of an own number is one's own, whoever else has it for a number.
        if is_number(token) && own_numbers.covers(token.start, token.start + token.text.len()) {
            continue;
        }
        let found = found.unwrap_or_else(|| whose(case, token, visible, &stops, &written));
        // The number is a part of the name.
        if !matches!(found, Whose::Own | Whose::Explained)
            && is_number(token)
            && own
                .get_or_insert_with(|| Spans::of_own(case, &tokens))
                .covers(token.start, token.start + token.text.len())
        {
            continue;
        }
        match found {
            Whose::Own | Whose::Explained => {
                case.explained.insert(token.shape.kind(), token.text);
            }
            Whose::Foreign(kind, owner) => {
                case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(token.says()), Some(&owner));
            }
            Whose::Nobodys if !asks(case, token, view, folded, &stops) || is_within(token, &wholes) => {}
            Whose::Nobodys
                if !is_number(token)
                    && is_own_otherwise(token, own.get_or_insert_with(|| Spans::of_own(case, &tokens))) => {}
            Whose::Nobodys => {
                let kind = Some(token.shape.kind());
                case.find(Rule::Unexplained, kind, &view.place.to_string(), mask(token.says()), None);
            }
        }
    }
}

/// Judges a text around a seam between two passages, for the numbers that cross it.
pub fn across(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    let tokens = case.scanner().scan_piece(folded, case.scanner().setting(view));
    let numbers: Vec<&Token<'_>> = tokens.iter().filter(|token| is_number(token)).collect();
    let stops = Stops::new(&view.text);
    let written = Written::unknown(folded);
    let (numbers, own) = judged(case, numbers, false, &stops, &written);
    // What stands in one of them was judged with it.
    for (token, found) in numbers.into_iter().filter(|(token, _)| token.text.contains('\n')) {
        let is_own = own.covers(token.start, token.start + token.text.len());
        let found = found.unwrap_or_else(|| whose(case, token, false, &stops, &written));
        if let (false, Whose::Foreign(kind, owner)) = (is_own, found) {
            case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(token.text), Some(&owner));
        }
    }
}

/// Whether a token may be read in many ways: what it costs is counted.
fn has_readings(token: &Token<'_>) -> bool {
    matches!(token.shape, Shape::Idn | Shape::Email | Shape::BuriedHost) && !token.says().is_ascii()
}

/// Whether another way to read a host or an address is one's own, or an own domain goes on
/// where its ASCII ends: `www.webショップ.example`.
fn is_own_otherwise(token: &Token<'_>, own: &Spans) -> bool {
    let end = token.start + token.text.len();
    own.covers(ending(token), end) || token.shape == Shape::Host && own.reaches_over(end)
}

/// Where the end of a host begins, behind which nothing of it follows: of one with escapes the
/// last byte.
fn ending(token: &Token<'_>) -> usize {
    if token.value.is_some() && token.shape.kind() == Kind::Domain {
        token.start + token.text.len() - 1
    } else {
        token.start
    }
}

fn is_number(token: &Token<'_>) -> bool {
    matches!(token.shape.kind(), Kind::Id | Kind::Phone)
}

/// A number, and whose it is where that was asked already.
type Judged<'n, 't> = (&'n Token<'t>, Option<Whose>);

/// Where the account's own numbers stand, if any other number may be a piece of one: each
/// is then judged, once.
fn judged<'n, 't>(
    case: &mut Case<'_>,
    numbers: Vec<&'n Token<'t>>,
    visible: bool,
    stops: &Stops<'_>,
    written: &Written<'_>,
) -> (Vec<Judged<'n, 't>>, Spans) {
    if numbers.len() < 2 {
        return (numbers.into_iter().map(|token| (token, None)).collect(), Spans::new(Vec::new()));
    }
    let found: Vec<Judged<'n, 't>> =
        numbers.into_iter().map(|token| (token, Some(whose(case, token, visible, stops, written)))).collect();
    let own = found.iter().filter(|(_, found)| matches!(found, Some(Whose::Own)));
    let own = Spans::new(own.map(|(token, _)| (token.start, token.start + token.text.len())).collect());
    (found, own)
}

/// Where telephone numbers and files stand, if any group of digits may be a piece of one.
fn wholes(case: &Case<'_>, tokens: &[Token<'_>]) -> Spans {
    let is_whole = |token: &&Token<'_>| match token.shape {
        Shape::Phone => is_dialable(case, token),
        Shape::Email => is_file(token),
        _ => false,
    };
    let wholes = tokens.iter().filter(|token| tokens.len() > 1 && is_whole(token));
    Spans::new(wholes.map(|token| (token.start, token.start + token.text.len())).collect())
}

/// `(03)1234-5678`, `+81 (0)3 1234 5678`: the whole number is asked for, and
/// its pieces are not.
fn is_within(token: &Token<'_>, wholes: &Spans) -> bool {
    matches!(token.shape.kind(), Kind::Id | Kind::Phone)
        && wholes.has_more_than(token.start, token.start + token.text.len())
}

/// `logo@2x.png`, `image001.png@01db4a7c.3f2e1a90`: no address ends so.
fn is_file(token: &Token<'_>) -> bool {
    let last = token.says().rsplit(['.', '@']).next().unwrap_or_default();
    last.is_ascii() && (file::is_ending(last) || !is_top_level(last))
}

fn is_dialable(case: &Case<'_>, token: &Token<'_>) -> bool {
    normal::canonical(Kind::Phone, token.text, case.country()).is_ok_and(|e164| normal::is_dialable(&e164))
}

/// Whether a token that nobody owns must be explained where it stands.
fn asks(case: &Case<'_>, token: &Token<'_>, view: &View<'_>, folded: &str, stops: &Stops<'_>) -> bool {
    if view.shape == view::Shape::Loose {
        return false;
    }
    match token.shape {
        // `jonathan.whitfield` is an own name.
        Shape::Host => {
            !lookalikes::is_no_host(token, view, folded)
                && !stops.has(token.says())
                && !case.own.has_name(&normal::name(&token.says().replace('.', " ")))
        }
        // `宛先はtaro.yamada@example.jp`: the address is asked for, and its piece is not.
        Shape::Idn => {
            let after = folded[token.start + token.text.len()..].trim_start_matches(['.', '-', '_']);
            !after.starts_with('@')
        }
        // `b&@4` is what the digits of an ID are in hex.
        Shape::Email => !is_file(token) && normal::canonical(Kind::Email, token.says(), None).is_ok(),
        // `#12345678` is a colour there.
        Shape::Id | Shape::GroupedId => {
            view.place.view != "style"
                && view.place.at.as_deref() != Some("style")
                && !lookalikes::is_made_by_program(token, view, folded)
        }
        Shape::BuriedHost | Shape::BuriedEmail | Shape::BuriedId | Shape::TailId | Shape::BuriedPhone => false,
        Shape::Phone => is_dialable(case, token),
    }
}

fn whose(case: &mut Case<'_>, token: &Token<'_>, visible: bool, stops: &Stops<'_>, written: &Written<'_>) -> Whose {
    let found = match token.shape {
        Shape::Host => host(case, token.says(), visible),
        Shape::BuriedHost if !token.says().is_ascii() => idn(case, token.says(), visible, stops),
        Shape::BuriedHost => {
            let mut found = named_after(token.says()).into_iter().map(|part| host(case, part, visible));
            found.find(|found| !matches!(found, Whose::Nobodys)).unwrap_or(Whose::Nobodys)
        }
        Shape::Idn => idn(case, token.says(), visible, stops),
        Shape::Email => email(case, token.says(), visible),
        Shape::BuriedEmail => buried_email(case, token, visible),
        Shape::Id | Shape::GroupedId | Shape::BuriedId | Shape::TailId | Shape::Phone | Shape::BuriedPhone => {
            value(case, token, visible, written)
        }
    };
    match found {
        Whose::Nobodys | Whose::Foreign(..) if case.known.has_run(token) => Whose::Explained,
        found => found,
    }
}

pub(super) fn show(case: &mut Case<'_>, kind: Kind, canonical: &str, visible: bool) {
    if visible {
        case.shown.insert(kind, canonical);
    }
}

fn value(case: &mut Case<'_>, token: &Token<'_>, visible: bool, written: &Written<'_>) -> Whose {
    let kind = token.shape.kind();
    let forms = canonicals(token, case.scanner(), case.country());
    if let (Kind::Id, true, [folded]) = (kind, case.scanner().has_exact(), &*forms) {
        match exact::whose(case, token, written, folded) {
            Exactly::Other(_) if case.known.has(kind, folded) => return Whose::Explained,
            Exactly::Other(owner) => return Whose::Foreign(kind, owner),
            // Whoever reads it cannot tell whose it is: nothing that must be shown is.
            Exactly::Either => return Whose::Own,
            Exactly::Own | Exactly::Unsaid => {}
        }
    }
    // Own first, in whichever form it is written.
    if let Some(own) = forms.iter().find(|form| case.own.has(kind, form)) {
        show(case, kind, own, visible);
        return Whose::Own;
    }
    if forms.iter().any(|form| case.known.has(kind, form)) {
        return Whose::Explained;
    }
    for canonical in forms {
        match case.claim(kind, &canonical) {
            Claim::Own => {
                show(case, kind, &canonical, visible);
                return Whose::Own;
            }
            Claim::Other(owner) => return Whose::Foreign(kind, owner),
            Claim::Nobodys => {}
        }
    }
    Whose::Nobodys
}
