//! `missing`: what the campaign says must be shown, and is not. Input: its columns, and what
//! the other rules saw of the account's own. Infallible.

use crate::account::Kind;
use crate::guard::finding::Rule;
use crate::guard::normal;
use crate::guard::own::suffixes;
use crate::guard::rules::Case;
use crate::guard::view::{Shape, Views};

/// What the campaign says must be shown.
pub fn judge(case: &mut Case<'_>, columns: &[String], views: &Views<'_>) {
    for column in columns {
        declared(case, column);
        let values = case.own.column(column).to_vec();
        // An empty cell has nothing to show.
        if !values.is_empty() && !values.iter().any(|(kind, value)| is_shown(case, *kind, value, views)) {
            let kind = values.first().map(|(kind, _)| *kind);
            case.find(Rule::Missing, kind, "message", format!("no value of {column}"), None);
        }
    }
}

/// A column that the campaign declares; its names stand in the own set.
fn declared(case: &mut Case<'_>, column: &str) {
    let Some(extra) = case.extra().filter(|extra| extra.fills(column)) else { return };
    let is_shown = case.shown.iter().any(|(kind, value)| extra.has_in(column, kind, value));
    if case.own.column(column).is_empty() && !is_shown {
        case.find(Rule::Missing, None, "message", format!("no value of {column}"), None);
    }
}

fn is_shown(case: &Case<'_>, kind: Kind, value: &str, views: &Views<'_>) -> bool {
    match kind {
        Kind::Person | Kind::Organisation => case.shown.has(Kind::Person, value),
        Kind::Domain => suffixes(value).any(|host| case.shown.has(Kind::Domain, host)),
        Kind::Id | Kind::Email | Kind::Phone => case.shown.has(kind, value),
        Kind::Secret | Kind::Text => {
            let visible = views.views.iter().filter(|view| view.shape == Shape::Visible);
            visible.into_iter().any(|view| normal::fold(&view.text).contains(value))
        }
    }
}
