//! The envelope sender: where a message that cannot be delivered comes back to
//! (RFC 5321 §4.4). One address for all messages, or, with `{token}` in its local
//! part, one for each, by which it is known whose message came back.

use crate::address::{Address, AddressError};

/// What stands for the token.
const TOKEN: &str = "{token}";

/// An envelope sender as a campaign names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath {
    /// With a letter in the token's place.
    sample: Address,
    /// The local part before and after the token.
    around: Option<(String, String)>,
}

/// Why a text is no envelope sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnPathError {
    /// It is no address, apart from the token.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The token stands twice, or in the domain.
    #[error(
        "braces are for {{token}}, which stands once, before the @, as in bounces+{{token}}@mail.registrar.example"
    )]
    Token,
}

impl ReturnPath {
    /// Reads `bounces@mail.example` or `bounces+{token}@mail.example`.
    ///
    /// # Errors
    /// [`ReturnPathError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, ReturnPathError> {
        if text.replace(TOKEN, "").contains(['{', '}']) {
            return Err(ReturnPathError::Token);
        }
        let Some((before, rest)) = text.trim().split_once(TOKEN) else { return Ok(Address::parse(text)?.into()) };
        let (after, domain) = rest.rsplit_once('@').ok_or(ReturnPathError::Token)?;
        if [before, after].iter().any(|part| part.contains('@')) || rest.contains(TOKEN) {
            return Err(ReturnPathError::Token);
        }
        let sample = Address::parse(&format!("{before}x{after}@{domain}"))?;
        Ok(Self { sample, around: Some((before.to_owned(), after.to_owned())) })
    }

    /// Its domain.
    pub fn domain(&self) -> &str {
        self.sample.domain()
    }

    /// An address of its kind: the one for all, or one whose token is no token.
    pub fn sample(&self) -> &Address {
        &self.sample
    }

    /// The address that all messages have, if they have one.
    pub(super) fn for_all(&self) -> Option<&Address> {
        self.around.is_none().then_some(&self.sample)
    }

    /// The address of one message.
    ///
    /// # Errors
    /// With its token, it is longer than an address may be.
    pub(super) fn with(&self, token: impl FnOnce() -> String) -> Result<Address, AddressError> {
        match &self.around {
            None => Ok(self.sample.clone()),
            Some((before, after)) => Address::parse(&format!("{before}{}{after}@{}", token(), self.domain())),
        }
    }
}

/// One address for all messages.
impl From<Address> for ReturnPath {
    fn from(address: Address) -> Self {
        Self { sample: address, around: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_once_in_the_local_part() {
        let one = ReturnPath::parse(" bounces@mail.example ").unwrap();
        assert_eq!(one.with(|| panic!("no token is asked for")).unwrap().as_str(), "bounces@mail.example");
        let each = ReturnPath::parse("b+{token}-r@mail.example").unwrap();
        assert_eq!(each.with(|| "kb1abc".into()).unwrap().as_str(), "b+kb1abc-r@mail.example");
        assert_eq!((each.domain(), each.for_all()), ("mail.example", None));
        assert_eq!(each.with(|| "a".repeat(61)), Err(AddressError::Length));
        for bad in [
            "b@{token}.example",
            "{token}{token}@a.example",
            "a@b{token}@c.example",
            "{token}",
            "b+{TOKEN}@a.example",
            "b+{tok}@a.example",
        ] {
            assert_eq!(ReturnPath::parse(bad), Err(ReturnPathError::Token), "{bad}");
        }
        assert_eq!(ReturnPath::parse("b {token}@a.example"), Err(ReturnPathError::Address(AddressError::Local)));
    }
}
