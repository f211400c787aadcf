//! `unreadable`: parts that cannot be read. Input: what the views could not show, and why.
//! Infallible.

use crate::guard::finding::Rule;
use crate::guard::rules::Case;
use crate::guard::view::Unreadable;

/// Every part that could not be read.
pub fn judge(case: &mut Case<'_>, unreadable: &[Unreadable]) {
    for part in unreadable {
        case.find(Rule::Unreadable, None, &part.place, part.why.clone(), None);
    }
}
