//! A judge with a part switched off, for the tests which prove that the part is
//! needed: with the rule or the view gone, the same message is no longer found.
//!
//! Such a judge examines and clears nothing: [`Judge::clear`] refuses whatever
//! it is given, so that no message can be sent on its word. Outside tests nobody
//! names [`Judge::weakened_for_a_test`], which `tests/tidy.rs` keeps.

use crate::guard::view::{View, Views};
use crate::guard::{Finding, Judge, Rule};

/// What is switched off.
#[doc(hidden)]
pub struct Weakness {
    rules: Vec<Rule>,
    blind: Box<dyn Fn(&View<'_>) -> bool + Send + Sync>,
}

impl Weakness {
    /// These rules say nothing.
    pub fn without_rules(rules: &[Rule]) -> Self {
        Self { rules: rules.to_vec(), blind: Box::new(|_| false) }
    }

    /// Views of which this is true are not seen.
    pub fn without_views(blind: impl Fn(&View<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self { rules: Vec::new(), blind: Box::new(blind) }
    }

    pub(in crate::guard) fn blind(&self, views: &mut Views<'_>) {
        views.views.retain(|view| !(self.blind)(view));
    }

    pub(in crate::guard) fn silence(&self, findings: &mut Vec<Finding>) {
        findings.retain(|finding| !self.rules.contains(&finding.rule));
    }
}

impl Judge<'_> {
    /// The same judge with a part switched off; it clears nothing.
    #[doc(hidden)]
    #[must_use]
    pub fn weakened_for_a_test(mut self, weakness: Weakness) -> Self {
        self.weakness = Some(weakness);
        self
    }
}
