//! One recipient's record → one finished message, and nothing else.
//!
//! Input: a loaded [`Template`], the campaign's [`Letterhead`] and one
//! [`Recipient`] by value. Output: [`Rendered`]. Equal inputs give equal bytes:
//! boundaries and Message-ID are derived, and only `Date` moves. Nothing here
//! can fetch a second recipient, and nothing changes the bytes afterwards.
//!
//! [`Recipient`]: crate::account::Recipient

mod context;
pub mod cover;
mod lint;
mod message;
mod rendered;
mod template;

pub use lint::Lint;
pub use message::{Letterhead, Mailbox};
pub use rendered::Rendered;
pub use template::{Template, TemplateError};

use crate::account::Recipient;
use crate::key::{Link, Purpose};
use context::{Context, Links};
use message::Bodies;

/// Why one message could not be rendered. Never a value.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template failed for this record.
    #[error("{file}, line {line}: {why}")]
    Template {
        /// The template's file.
        file: String,
        /// The line in it.
        line: usize,
        /// What failed.
        why: String,
    },
    /// The subject would end its header.
    #[error("the subject has a line break or a control character in it")]
    Subject,
    /// A line is longer than 998 octets (RFC 5322 §2.1.1).
    #[error("a line of the message is longer than 998 octets")]
    LongLine,
    /// The writer failed.
    #[error("the message could not be written")]
    Write,
}

/// A template bound to its letterhead: renders recipients one by one. Shared by
/// all threads.
#[derive(Debug)]
pub struct Renderer {
    template: Template,
    letterhead: Letterhead,
}

/// A message with its bodies beside it, to look at.
#[derive(Debug)]
pub struct Preview {
    /// The finished message.
    pub rendered: Rendered,
    /// Its subject.
    pub subject: String,
    /// Its HTML body, if the template has one.
    pub html: Option<String>,
    /// Its text body.
    pub text: String,
}

impl Renderer {
    /// Binds a template to a letterhead.
    pub fn new(template: Template, letterhead: Letterhead) -> Self {
        Self { template, letterhead }
    }

    /// Renders one recipient's message.
    ///
    /// # Errors
    /// The template fails for this record, or the result breaks RFC 5322.
    pub fn render(&self, recipient: Recipient, date_ms: i64) -> Result<Rendered, RenderError> {
        Ok(self.preview(recipient, date_ms)?.rendered)
    }

    /// The same, with the bodies beside it.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn preview(&self, recipient: Recipient, date_ms: i64) -> Result<Preview, RenderError> {
        let unsubscribe = self.link(&recipient, Purpose::Unsubscribe);
        let links = Links { unsubscribe, view: self.link(&recipient, Purpose::View) };
        let context = Context { account: &recipient.record.fields, extra: &recipient.extra, links: &links };
        let subject = self.template.subject(&context)?;
        let html = self.template.html(&context)?;
        let text = match self.template.text(&context)? {
            Some(text) => text,
            None => message::text_of(html.as_deref().unwrap_or_default()),
        };
        let bodies = Bodies { subject: &subject, text: &text, html: html.as_deref(), unsubscribe: &links.unsubscribe };
        let bytes = self.letterhead.write(&recipient.record, &bodies, date_ms)?;
        let record = recipient.record;
        let rendered = Rendered::new(record.account, self.letterhead.bounce.clone(), record.address, bytes);
        Ok(Preview { rendered, subject, html, text })
    }

    /// Which of the template's branches a recipient's message takes.
    pub(in crate::render) fn branches(&self, recipient: &Recipient) -> Vec<char> {
        let links = Links { unsubscribe: String::new(), view: String::new() };
        let context = Context { account: &recipient.record.fields, extra: &recipient.extra, links: &links };
        self.template.branches(&context)
    }

    fn link(&self, recipient: &Recipient, purpose: Purpose) -> String {
        let path = match purpose {
            Purpose::Unsubscribe => "u",
            Purpose::View => "v",
        };
        let account = recipient.record.account.clone();
        let token = self.letterhead.keys.link(&Link { purpose, campaign: self.letterhead.campaign, account });
        format!("{}/{path}/{token}", self.letterhead.links_base)
    }
}
