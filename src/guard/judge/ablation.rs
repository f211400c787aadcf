//! A judge with a part switched off, for the tests that prove that the part is needed: with
//! the rule or the view gone, the same message is no longer found.
//!
//! It exists in the crate's own tests alone: everywhere else [`Ablation`] is empty, and
//! nothing can make another. A judge with a part switched off clears nothing:
//! [`Judge::clear`](crate::guard::Judge::clear) refuses whatever it is given.

#[cfg(test)]
pub use on::Ablation;

#[cfg(not(test))]
pub use off::Ablation;

#[cfg(test)]
mod on {
    use crate::guard::view::{View, Views};
    use crate::guard::{Finding, Judge, Rule};

    /// Whether a view is hidden from the judge.
    type Blind = Box<dyn Fn(&View<'_>) -> bool + Send + Sync>;

    /// What is switched off.
    pub struct Ablation {
        rules: Vec<Rule>,
        blind: Option<Blind>,
        is_on: bool,
    }

    impl Ablation {
        /// Nothing.
        pub(in crate::guard) fn nothing() -> Self {
            Self { rules: Vec::new(), blind: None, is_on: false }
        }

        /// These rules say nothing.
        pub fn without_rules(rules: &[Rule]) -> Self {
            Self { rules: rules.to_vec(), blind: None, is_on: true }
        }

        /// Views for which this is true are not seen.
        pub fn without_views(blind: impl Fn(&View<'_>) -> bool + Send + Sync + 'static) -> Self {
            Self { rules: Vec::new(), blind: Some(Box::new(blind)), is_on: true }
        }

        pub(in crate::guard) fn is_on(&self) -> bool {
            self.is_on
        }

        pub(in crate::guard) fn blind(&self, views: &mut Views<'_>) {
            if let Some(blind) = &self.blind {
                views.views.retain(|view| !blind(view));
            }
        }

        pub(in crate::guard) fn silence(&self, findings: &mut Vec<Finding>) {
            findings.retain(|finding| !self.rules.contains(&finding.rule));
        }
    }

    impl Judge<'_> {
        /// The same judge with a part switched off; it clears nothing.
        #[must_use]
        pub fn without(mut self, ablation: Ablation) -> Self {
            self.ablation = ablation;
            self
        }
    }
}

#[cfg(not(test))]
mod off {
    use crate::guard::Finding;
    use crate::guard::view::Views;

    /// Nothing is switched off.
    pub struct Ablation;

    impl Ablation {
        pub fn nothing() -> Self {
            Self
        }

        pub fn is_on(&self) -> bool {
            false
        }

        pub fn blind(&self, _: &mut Views<'_>) {}

        pub fn silence(&self, _: &mut Vec<Finding>) {}
    }
}
