//! What every message of one campaign has in common: the sender's header
//! values, the address under which links are answered, and the keys.
//!
//! Input: a campaign file's values. Output: values that are known to fit into
//! a header: ASCII where a header must be ASCII, no control characters, short
//! enough for a line. Sources: RFC 5322 §3.4 (mailbox), RFC 2919 (List-Id).

use crate::account::AccountId;
use crate::address::{Address, AddressError};
use crate::key::{Bounce, Keys, Link, Purpose};

use super::return_path::ReturnPath;
use super::sign::Signer;

/// A display name and an address: `Registrar News <news@registrar.example>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: String,
    address: Address,
}

/// Why a text is no mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The address is none.
    #[error("its address cannot be used: {0}")]
    Address(#[from] AddressError),
    /// A line break or another control character in the name.
    #[error("its display name contains a control character")]
    Control,
    /// Angle brackets that do not enclose the end of the text.
    #[error("write it as `Name <local@domain>`, or the address alone")]
    Shape,
}

impl Mailbox {
    /// The longest display name, in characters.
    pub const NAME_CHARS_MAX: usize = 200;

    /// Reads `Name <local@domain>`, `"Name" <local@domain>` or `local@domain`.
    ///
    /// ```
    /// let from = kakitome::render::Mailbox::parse("お名前ドットエックス <news@例え.テスト>").unwrap();
    /// assert_eq!(from.name(), "お名前ドットエックス");
    /// assert_eq!(from.address().as_str(), "news@xn--r8jz45g.xn--zckzah");
    /// ```
    ///
    /// # Errors
    /// [`MailboxError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let text = text.trim();
        if text.chars().any(is_break) {
            return Err(MailboxError::Control);
        }
        let Some(open) = text.rfind('<') else {
            return Ok(Self { name: String::new(), address: Address::parse(text)? });
        };
        let inner = text[open + 1..].strip_suffix('>').ok_or(MailboxError::Shape)?;
        let name = unquote(text[..open].trim());
        if name.contains(['<', '>']) || name.chars().count() > Self::NAME_CHARS_MAX {
            return Err(MailboxError::Shape);
        }
        Ok(Self { name, address: Address::parse(inner)? })
    }

    /// The display name; empty if there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// Whether a character may never stand in a header: a control character, or
/// one of the two that Unicode calls line breaks.
pub(super) fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn unquote(name: &str) -> String {
    match name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) {
        None => name.to_owned(),
        Some(quoted) => {
            let mut plain = String::with_capacity(quoted.len());
            let mut escaped = false;
            for c in quoted.chars() {
                escaped = c == '\\' && !escaped;
                if !escaped {
                    plain.push(c);
                }
            }
            plain
        }
    }
}

/// What every message of one campaign has in common.
#[derive(Clone, Debug)]
pub struct Letterhead {
    /// The campaign's number, in Message-ID, links and Feedback-ID.
    pub campaign: i64,
    /// Its revision, in Message-ID and Feedback-ID.
    pub revision: i64,
    /// The From header.
    pub from: Mailbox,
    /// The Reply-To header, where it is not From.
    pub reply_to: Option<Mailbox>,
    /// The envelope sender.
    pub bounce: ReturnPath,
    /// The list's name in List-Id: `news.registrar.example`.
    pub list_id: String,
    /// The HTTPS address under which links are answered, without a slash at
    /// its end; empty when there is none. Then no message has List-Unsubscribe,
    /// and a template that names `links.…` does not render.
    pub links_base: String,
    /// Who signs; nobody if empty.
    pub signers: Vec<Signer>,
    /// Message-IDs and link tokens are made with them.
    pub keys: Keys,
}

/// Why a letterhead cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterheadError {
    /// RFC 2919 §3: dot-separated atoms.
    #[error("the list id is no name like news.registrar.example (letters, digits, hyphens and dots; at most 200)")]
    ListId,
    /// RFC 8058 §3.1 asks for HTTPS.
    #[error(
        "the links' base is no https:// address of at most 300 letters, digits and - . _ ~ : / without a slash at its end"
    )]
    LinksBase,
}

impl Letterhead {
    /// Whether every value fits into its header.
    pub(super) fn check(&self) -> Result<(), LetterheadError> {
        let atom =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if self.list_id.len() > 200 || !self.list_id.contains('.') || !self.list_id.split('.').all(atom) {
            return Err(LetterheadError::ListId);
        }
        let base = &self.links_base;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/".contains(&b);
        let fits = base.len() <= 300 && base.starts_with("https://") && !base.ends_with('/') && base.bytes().all(plain);
        if !base.is_empty() && !fits {
            return Err(LetterheadError::LinksBase);
        }
        Ok(())
    }

    /// The left side of the Message-ID, and what the boundary is made from.
    pub(super) fn message_id(&self, account: &AccountId) -> String {
        self.keys.message_id(self.campaign, self.revision, account)
    }

    /// The envelope sender of one account's message.
    pub(super) fn sender(&self, account: &AccountId) -> Result<Address, AddressError> {
        self.bounce.with(|| self.keys.bounce(&Bounce { campaign: self.campaign, account: account.clone() }))
    }

    /// The link of one purpose for one account; `None` without a base.
    pub(super) fn link(&self, purpose: Purpose, account: &AccountId) -> Option<String> {
        if self.links_base.is_empty() {
            return None;
        }
        let path = match purpose {
            Purpose::Unsubscribe => "u",
            Purpose::View => "v",
        };
        let token = self.keys.link(&Link { purpose, campaign: self.campaign, account: account.clone() });
        Some(format!("{}/{path}/{token}", self.links_base))
    }

    /// The sender's own values, which stand in every message's headers and so
    /// explain themselves.
    pub fn values(&self) -> Vec<String> {
        let bounce = self.bounce.for_all().map_or(self.bounce.domain(), Address::as_str);
        let mut values = vec![self.list_id.clone(), bounce.to_owned()];
        for mailbox in std::iter::once(&self.from).chain(&self.reply_to) {
            values.push(mailbox.name.clone());
            values.push(mailbox.address.to_string());
        }
        values.push(self.links_base.clone());
        values
            .extend(self.signers.iter().flat_map(|signer| [signer.domain().to_owned(), signer.selector().to_owned()]));
        values.retain(|v| !v.is_empty());
        values.dedup();
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_read_in_all_three_forms() {
        let quoted = Mailbox::parse(r#""News, \"the\" list" <a@b.example>"#).unwrap();
        assert_eq!(quoted.name(), "News, \"the\" list");
        assert_eq!(Mailbox::parse("a@b.example").unwrap().name(), "");
        assert_eq!(Mailbox::parse("株式会社 例 <a@b.example>").unwrap().name(), "株式会社 例");
    }

    #[test]
    fn what_could_break_a_header_is_refused() {
        assert_eq!(Mailbox::parse("A\r\nBcc: x@y.example <a@b.example>"), Err(MailboxError::Control));
        assert_eq!(Mailbox::parse("A\u{2028}B <a@b.example>"), Err(MailboxError::Control));
        assert_eq!(Mailbox::parse("A <a@b.example> B"), Err(MailboxError::Shape));
        assert_eq!(Mailbox::parse("<x@y.example> <a@b.example>"), Err(MailboxError::Shape));
    }

    #[test]
    fn a_list_id_or_a_base_with_room_for_a_header_is_refused() {
        let good = super::super::tests::letterhead();
        assert_eq!(good.check(), Ok(()));
        for bad in ["news", "a..example", "a b.example", "a.example>\r\nX: y", ""] {
            assert_eq!(
                Letterhead { list_id: bad.into(), ..good.clone() }.check(),
                Err(LetterheadError::ListId),
                "{bad:?}"
            );
        }
        for bad in ["http://a.example", "https://a.example/", "https://a.example/\"", "https://a.example/\r\n"] {
            assert_eq!(
                Letterhead { links_base: bad.into(), ..good.clone() }.check(),
                Err(LetterheadError::LinksBase),
                "{bad:?}"
            );
        }
    }
}
