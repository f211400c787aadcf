//! Who a message is for: the account's key, the identifiers that name it, and
//! the one record from which its message is made.
//!
//! Input: values as the registrar wrote them. Output: types whose `Debug`
//! shows no personal data. Canonical forms are the guard's business
//! ([`crate::guard::normal`]); here a value is only carried.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// The registrar's own key for one customer, as it stands in the directory.
///
/// At most [`AccountId::BYTES_MAX`] bytes, no control characters, no white
/// space at either end. It is not secret and may stand in logs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(Box<str>);

impl AccountId {
    /// The longest key, in bytes.
    pub const BYTES_MAX: usize = 128;

    /// Takes a key as written, without the white space around it.
    ///
    /// # Errors
    /// Says why the value cannot be a key: empty, too long, or not printable.
    pub fn new(value: &str) -> Result<Self, &'static str> {
        let value = value.trim();
        if value.is_empty() {
            return Err("the account key is empty");
        }
        if value.len() > Self::BYTES_MAX {
            return Err("the account key is longer than 128 bytes");
        }
        if value.chars().any(char::is_control) {
            return Err("the account key contains a control character");
        }
        Ok(Self(value.into()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for AccountId {
    type Err = &'static str;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Self::new(value)
    }
}

impl TryFrom<String> for AccountId {
    type Error = &'static str;
    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::new(&value)
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({})", self.0)
    }
}

/// What sort of value a column holds, and so how it is read and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A member ID, or any other key of a fixed shape.
    Id,
    /// An e-mail address.
    Email,
    /// A host or domain name.
    Domain,
    /// A telephone number.
    Phone,
    /// A person's name.
    Person,
    /// A company's or other body's name.
    Organisation,
    /// A password, auth code or the like: kept as a keyed hash, never rendered.
    Secret,
    /// Anything that names nobody.
    Text,
}

impl Kind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Kind; 8] =
        [Kind::Id, Kind::Email, Kind::Domain, Kind::Phone, Kind::Person, Kind::Organisation, Kind::Secret, Kind::Text];

    /// The word users write and the guard's contract prints.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Id => "id",
            Kind::Email => "email",
            Kind::Domain => "domain",
            Kind::Phone => "phone",
            Kind::Person => "person",
            Kind::Organisation => "organisation",
            Kind::Secret => "secret",
            Kind::Text => "text",
        }
    }

    /// A stable small number, for the store and for hashing.
    pub fn code(self) -> u8 {
        match self {
            Kind::Id => 1,
            Kind::Email => 2,
            Kind::Domain => 3,
            Kind::Phone => 4,
            Kind::Person => 5,
            Kind::Organisation => 6,
            Kind::Secret => 7,
            Kind::Text => 8,
        }
    }

    /// The kind with this [`Kind::code`].
    pub fn from_code(code: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether a value of this kind names an account (`Text` does not).
    pub fn is_identifier(self) -> bool {
        self != Kind::Text
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One value that names an account, in canonical form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// What sort of value it is.
    pub kind: Kind,
    /// Its canonical form, as [`crate::guard::normal::canonical`] makes it.
    pub value: String,
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, crate::address::mask(&self.value))
    }
}

/// One column's value in a directory record: one value, or a list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// A single value; empty when the cell was empty.
    One(String),
    /// The members of a list column; empty when the cell was empty.
    Many(Vec<String>),
}

impl Field {
    /// The values it holds, empty ones left out.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let slice = match self {
            Field::One(value) => std::slice::from_ref(value),
            Field::Many(values) => values.as_slice(),
        };
        slice.iter().map(String::as_str).filter(|v| !v.is_empty())
    }
}

/// What the directory says of one account: where its mail goes, and its columns
/// as the registrar wrote them. Columns of kind `secret` are not in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The account.
    pub account: AccountId,
    /// Where its mail goes.
    pub address: Address,
    /// Every column of the mapping but the secret ones, by name.
    pub fields: BTreeMap<String, Field>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({}, {} columns)", self.account, self.fields.len())
    }
}

/// Everything one message is made from: one directory record, and the extra
/// columns of that same account's audience row.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The directory's record.
    pub record: Record,
    /// The audience's extra columns, by name.
    pub extra: BTreeMap<String, String>,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.record.account)
    }
}
