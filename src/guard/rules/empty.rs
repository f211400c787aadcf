//! `empty`, of the whole message: nothing is left for a reader to see. What a template left
//! behind in a text is found by [`super::placeholders`]. Infallible.

use crate::guard::finding::Rule;
use crate::guard::rules::{Case, is_header};
use crate::guard::view::{Shape, Views};

/// Whether anything is left to see.
pub fn judge(case: &mut Case<'_>, views: &Views<'_>) {
    let body = views.views.iter().filter(|view| view.shape == Shape::Visible && !is_header(view));
    let mut seen = body.map(|view| view.text.chars().any(char::is_alphanumeric));
    if !seen.any(|seen| seen) && views.unreadable.is_empty() {
        case.find(Rule::Empty, None, "message", "nothing visible is left".into(), None);
    }
}
