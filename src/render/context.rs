//! What a template sees: one account's columns, its extra columns, its links.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::Field;

/// The whole of it; there is nothing else to name.
#[derive(Serialize)]
pub struct Context<'a> {
    /// The directory's columns.
    pub account: &'a BTreeMap<String, Field>,
    /// The audience's extra columns.
    pub extra: &'a BTreeMap<String, String>,
    /// Made for this message.
    pub links: &'a Links,
}

/// The links of one message.
#[derive(Serialize)]
pub struct Links {
    /// Ends the mail with one click (RFC 8058).
    pub unsubscribe: String,
    /// Shows the message in a browser.
    pub view: String,
}
