//! A set of canonical values by kind, looked up without a copy.

use hashbrown::HashSet;

use crate::account::Kind;

/// Canonical values, each under its kind.
#[derive(Debug, Default)]
pub struct Values {
    kinds: [HashSet<Box<str>>; Kind::ALL.len()],
}

impl Values {
    /// Adds a value.
    pub fn insert(&mut self, kind: Kind, value: &str) {
        let values = &mut self.kinds[kind as usize];
        if !values.contains(value) {
            values.insert(value.into());
        }
    }

    /// Whether a value is in it under this kind.
    pub fn has(&self, kind: Kind, value: &str) -> bool {
        self.kinds[kind as usize].contains(value)
    }

    /// Every value.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str)> {
        Kind::ALL.into_iter().flat_map(|kind| self.kinds[kind as usize].iter().map(move |value| (kind, &**value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_of_its_kind_only() {
        let mut values = Values::default();
        values.insert(Kind::Id, "1");
        values.insert(Kind::Id, "1");
        values.insert(Kind::Text, "2");
        assert!(values.has(Kind::Id, "1") && !values.has(Kind::Text, "1") && !values.has(Kind::Id, "2"));
        assert_eq!(values.iter().collect::<Vec<_>>(), [(Kind::Id, "1"), (Kind::Text, "2")]);
    }
}
