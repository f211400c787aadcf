//! `foreign`, for surnames and short names behind a title or before an honorific, anywhere:
//! `Mr. Okafor`. Input: searched text of a view that is read. What the directory does not
//! have is nobody's; a surname that is this account's is its own. Infallible, linear.

use crate::account::{AccountId, Kind};
use crate::address::mask;
use crate::guard::find::names::standalone::Standing;
use crate::guard::find::names::titled::{self, Titled};
use crate::guard::finding::Rule;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;
use crate::guard::rules::Case;
use crate::guard::rules::addressee::is_own_name;
use crate::guard::rules::names::{is_common, other_of};
use crate::guard::rules::written::is_not_small;
use crate::guard::view::View;

/// The longest piece of a surname before a blank, in bytes: `O Malley`, `Mac Lean`.
const PREFIX_MAX: usize = 3;

/// Surnames and short names behind a title or before an honorific.
pub fn judge(case: &mut Case<'_>, view: &View<'_>, searched: &str) {
    let mut own_until = 0;
    for Titled { standing: Standing { place, name }, title } in titled::names(searched) {
        if is_own_name(case, &name) || case.known.has_salutation(&name) {
            own_until = place.end;
        }
        // `Mr. Hugh Tarnside`, of whom the first is own.
        if place.start < own_until {
            continue;
        }
        let is_sure = lexicon::of(Role::SureTitle).has(title) && !is_common(&name);
        // `O Malley` is one surname; of `Price and` the second is none.
        let is_half = name.find(' ').is_none_or(|first| first <= PREFIX_MAX);
        let half = || if is_half { other_half(case, &name) } else { None };
        let Some((kind, owner)) = other_of(case, Kind::Person, &name).or_else(half) else { continue };
        if is_sure && view.text.chars().all(|c| !c.is_uppercase()) || is_not_small(view, &name) {
            case.find(Rule::Foreign, Some(kind), &view.place.to_string(), mask(&name), Some(&owner));
        }
    }
}

/// Who else is called so behind a title or before an honorific.
pub(super) fn other_half(case: &Case<'_>, name: &str) -> Option<(Kind, AccountId)> {
    let is_own = is_own_name(case, name) || case.known.has_salutation(name);
    if is_own { None } else { other_of(case, Kind::Person, &normal::cue(name)) }
}
