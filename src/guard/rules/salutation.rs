//! `salutation`: whom the message addresses is this account, or nobody in particular. Input:
//! what a reader sees, searched text. Infallible, linear.

use std::collections::HashMap;

use crate::account::Kind;
use crate::address::mask;
use crate::guard::find::names::salutation::{Salutation, broken, is_generic, salutations};
use crate::guard::finding::Rule;
use crate::guard::normal;
use crate::guard::rules::addressee::is_explained;
use crate::guard::rules::names::other;
use crate::guard::rules::titled::other_half;
use crate::guard::rules::written::is_written;
use crate::guard::rules::{Case, Seen, is_header};
use crate::guard::view::{Shape, View, second};

/// Judges one view.
pub fn judge(case: &mut Case<'_>, seen: &Seen<'_>) {
    let Seen { view, searched, .. } = seen;
    if view.shape != Shape::Visible {
        return;
    }
    let shown = searched.plain();
    // What a program leaves out parts no name from its honorific.
    let clean = second::without_controls(shown);
    addressed(case, view, clean.as_deref().unwrap_or(shown));
    if is_header(view) && view.place.view == "To" {
        written_to(case, view, &searched.text);
    }
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

/// Salutations of one view that are told of: the message is held at the first.
const TOLD_MAX: usize = 32;
/// Salutations of one view whose writing is looked at: each goes through all of the text.
const ASKED_MAX: usize = 64;

fn addressed(case: &mut Case<'_>, view: &View<'_>, folded: &str) {
    // A list of names may be as long as a message.
    let mut met = HashMap::new();
    let (mut told, mut asked) = (0, 0);
    for (salutation, above) in salutations(folded) {
        let name = &salutation.name;
        if *met
            .entry((salutation.words.clone(), salutation.is_called))
            .or_insert_with(|| is_explained(case, &salutation))
        {
            continue;
        }
        let place = view.place.to_string();
        let may_be_sure = salutation.is_sure && {
            asked += 1;
            asked > ASKED_MAX || is_written(view, &salutation)
        };
        if !may_be_sure {
            if let Some((kind, owner)) = other(case, name).or_else(|| other_half(case, name)) {
                case.find(Rule::Foreign, Some(kind), &place, mask(name), Some(&owner));
            }
            continue;
        }
        // A text without spaces is broken anywhere, in the middle of a name too.
        let whole_is = |whole: &Salutation| is_generic(&whole.name) || is_explained(case, whole);
        let is_broken = |above: &str| broken(above, &salutation).iter().any(whole_is);
        if is_broken(above) {
            continue;
        }
        if salutation.at_start && !case.above.text.is_empty() {
            let folded = normal::fold(&case.above.text);
            if is_broken(&format!("{}{above}", normal::search(&folded))) {
                case.above.is_asked = true;
                continue;
            }
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
