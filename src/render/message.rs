//! Bodies → RFC 5322 bytes: headers, MIME structure, encodings.
//!
//! Written by mail-builder: encoded words of at most 75 characters that never
//! split a character, quoted-printable or base64 bodies, CRLF throughout. The
//! boundary comes from the Message-ID. Sources: RFC 5322, 2045–2047, 2369, 2919
//! (List-Id), 8058 (one-click unsubscribe).

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Header;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use crate::account::Record;
use crate::address::Address;
use crate::clock;
use crate::key::Keys;
use crate::render::RenderError;

/// The longest line, in octets without CRLF (RFC 5322 §2.1.1).
const LINE_MAX: usize = 998;

/// A display name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; empty for none.
    pub name: String,
    /// The address.
    pub address: Address,
}

/// The sender's side of every message of one campaign.
#[derive(Clone, Debug)]
pub struct Letterhead {
    /// The campaign's number.
    pub campaign: i64,
    /// The revision.
    pub revision: i64,
    /// The campaign's name, for Feedback-ID.
    pub name: String,
    /// From.
    pub from: Mailbox,
    /// Reply-To, where it is another.
    pub reply_to: Option<Mailbox>,
    /// The envelope sender.
    pub bounce: Address,
    /// List-Id, without angle brackets.
    pub list_id: String,
    /// Where links lead.
    pub links_base: String,
    /// Makes tokens and Message-IDs.
    pub keys: Keys,
}

/// One message's bodies.
pub(in crate::render) struct Bodies<'a> {
    pub subject: &'a str,
    pub text: &'a str,
    pub html: Option<&'a str>,
    pub unsubscribe: &'a str,
}

impl Letterhead {
    pub(in crate::render) fn write(
        &self,
        record: &Record,
        bodies: &Bodies<'_>,
        date_ms: i64,
    ) -> Result<Vec<u8>, RenderError> {
        if bodies.subject.chars().any(char::is_control) {
            return Err(RenderError::Subject);
        }
        let id = self.keys.message_id(self.campaign, self.revision, &record.account);
        let mut builder = MessageBuilder::new()
            .from(mailbox(&self.from))
            .to(Header::new_address(None::<&str>, record.address.as_str()))
            .subject(bodies.subject)
            .header("Date", Raw::new(clock::rfc5322(date_ms)))
            .header("Message-ID", MessageId::new(format!("{id}@{}", self.from.address.domain())));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(mailbox(reply_to));
        }
        let builder = builder
            .header("List-Id", Raw::new(format!("<{}>", self.list_id)))
            .header("List-Unsubscribe", Raw::new(format!("<{}>", bodies.unsubscribe)))
            .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"))
            .header("Feedback-ID", Raw::new(self.feedback_id()))
            .header("Precedence", Raw::new("bulk"))
            .header("MIME-Version", Raw::new("1.0"))
            .body(body(bodies, &id));
        let bytes = builder.write_to_vec().map_err(|_| RenderError::Write)?;
        if bytes.split(|b| *b == b'\n').any(|line| line.len() > LINE_MAX + 1) {
            return Err(RenderError::LongLine);
        }
        Ok(bytes)
    }

    /// `campaign:revision:kakitome:domain`, as mailbox providers read it.
    fn feedback_id(&self) -> String {
        format!("c{}:r{}:kakitome:{}", self.campaign, self.revision, self.from.address.domain())
    }
}

fn mailbox(mailbox: &Mailbox) -> Header<'_> {
    let name = Some(mailbox.name.as_str()).filter(|name| !name.is_empty());
    Header::new_address(name, mailbox.address.as_str())
}

fn body<'a>(bodies: &Bodies<'a>, id: &str) -> MimePart<'a> {
    let part = |kind: &'static str, text: &'a str| {
        MimePart::new(ContentType::new(kind).attribute("charset", "utf-8"), BodyPart::from(text))
    };
    let text = part("text/plain", bodies.text);
    match bodies.html {
        None => text,
        Some(html) => MimePart::new(
            ContentType::new("multipart/alternative").attribute("boundary", format!("={id}=")),
            vec![text, part("text/html", html)],
        ),
    }
}

/// A text alternative for an HTML body that has none.
pub(in crate::render) fn text_of(html: &str) -> String {
    html2text::config::plain()
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), 76)
        .unwrap_or_else(|_| "This message can only be shown as HTML.\n".into())
}
