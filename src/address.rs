//! A mailbox address: parsed and normalised once, local part and domain always
//! together. Sources: RFC 5321 §4.1.2 and §4.5.3.1 (lengths in octets), UTS 46.
//!
//! The local part is wider than RFC 5321's dot-string in one respect: dots may
//! stand anywhere (`a.@docomo.example`, `a..b@…`), because Japanese carriers
//! issued such addresses and they still receive mail. Quoted local parts,
//! address literals and non-ASCII local parts are refused.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One mailbox. Equality is on the whole address: the local part as written,
/// the domain as a lower-case A-label.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    whole: Box<str>,
    at: usize,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing on one side of it.
    #[error("it has no local part and domain around one @")]
    Shape,
    /// A character that may not stand in a local part.
    #[error("its local part has a character that is not allowed there")]
    Local,
    /// The domain is no host name of two labels or more.
    #[error("its domain is not a valid host name of two or more labels")]
    Domain,
    /// Over 64 octets before, or 254 in all (RFC 5321 §4.5.3.1).
    #[error("it is longer than 64 octets before the @, or 254 in all")]
    Length,
}

impl Address {
    /// Reads one address, without angle brackets or display name.
    ///
    /// ```
    /// use kakitome::address::Address;
    /// let address = Address::parse(" Taro@例え.テスト ").unwrap();
    /// assert_eq!(address.as_str(), "Taro@xn--r8jz45g.xn--zckzah");
    /// assert!(Address::parse("a.@carrier.example").is_ok());
    /// assert!(Address::parse("a@b@c.example").is_err());
    /// ```
    ///
    /// # Errors
    /// [`AddressError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Shape);
        }
        if !local.bytes().all(is_local) {
            return Err(AddressError::Local);
        }
        let domain = host(domain).ok_or(AddressError::Domain)?;
        if local.len() > 64 || local.len() + 1 + domain.len() > 254 {
            return Err(AddressError::Length);
        }
        Ok(Self { at: local.len(), whole: format!("{local}@{domain}").into() })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// What stands before the `@`, as written.
    pub fn local(&self) -> &str {
        &self.whole[..self.at]
    }

    /// The domain, as a lower-case A-label.
    pub fn domain(&self) -> &str {
        &self.whole[self.at + 1..]
    }

    /// The form in which two spellings of one mailbox compare equal: the local
    /// part in lower case too. Suppression compares this one, since almost no
    /// server tells `Taro@` from `taro@` and refusing too much is the safe side.
    pub fn folded(&self) -> String {
        self.whole.to_ascii_lowercase()
    }
}

/// `atext` of RFC 5322 §3.2.3, and the dot.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

/// A host name of two or more labels as a lower-case A-label.
fn host(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(domain).ok()?;
    let labels_fit = ascii.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    (labels_fit && ascii.contains('.') && ascii.len() <= 253).then_some(ascii)
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.whole.into()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", mask(&self.whole))
    }
}

/// Shows enough of a value to recognise it with the record at hand, and not
/// enough to learn it: the first and the last character, dots between.
///
/// ```
/// assert_eq!(kakitome::address::mask("10000001"), "1••••••1");
/// assert_eq!(kakitome::address::mask("ab"), "••");
/// ```
pub fn mask(value: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    match chars.as_slice() {
        [first, inner @ .., last] if !inner.is_empty() => {
            let dots = "•".repeat(inner.len().min(12));
            format!("{first}{dots}{last}")
        }
        _ => "•".repeat(chars.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_part_alone_never_makes_two_addresses_equal() {
        let a = Address::parse("info@a.example").unwrap();
        let b = Address::parse("info@b.example").unwrap();
        assert_ne!(a, b);
        assert_ne!(a.folded(), b.folded());
    }

    #[test]
    fn line_breaks_spaces_and_brackets_are_refused() {
        for bad in ["a\r\nRCPT@b.example", "a b@c.example", "<a@b.example>", "a@b", "a@.example", "a@-b.example"] {
            assert!(Address::parse(bad).is_err(), "{bad:?} was taken");
        }
    }
}
