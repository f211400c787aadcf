//! One recipient → the values that a template sees: `account.*` (the
//! directory's columns; a list column is a list), `extra.*` (the audience's
//! columns), `links.unsubscribe` and `links.view`.
//!
//! Takes the recipient by value: nothing of another recipient can be in it.
//! Secret columns are not in a record, so they are undefined here as well.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::account::{Field, Recipient};

/// The names that a context has at its top.
pub(super) const ROOTS: [&str; 3] = ["account", "extra", "links"];

/// The links that a message may carry.
pub(super) const LINKS: [&str; 2] = ["unsubscribe", "view"];

/// The links made for one message; `None` where there is no address for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pub unsubscribe: Option<String>,
    pub view: Option<String>,
}

/// Builds the context of one message.
pub(super) fn context(recipient: Recipient, links: &Links) -> Value {
    let account: BTreeMap<String, Value> = recipient
        .record
        .fields
        .into_iter()
        .map(|(name, field)| {
            let value = match field {
                Field::One(value) => Value::from(value),
                Field::Many(values) => Value::from(values),
            };
            (name, value)
        })
        .collect();
    let extra: BTreeMap<String, Value> = recipient.extra.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
    // A link consists of characters that need no escaping (the letterhead and
    // the token's alphabet see to that); escaped slashes would only break link
    // detection in some mail programs.
    let links: BTreeMap<&str, Value> = [(LINKS[0], &links.unsubscribe), (LINKS[1], &links.view)]
        .into_iter()
        .filter_map(|(name, link)| Some((name, Value::from_safe_string(link.clone()?))))
        .collect();
    let roots = ROOTS.into_iter().zip([Value::from(account), Value::from(extra), Value::from(links)]);
    Value::from(roots.collect::<BTreeMap<&str, Value>>())
}
