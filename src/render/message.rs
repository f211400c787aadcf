//! Subject and bodies → the finished bytes.
//!
//! Input: rendered texts, the campaign's letterhead, the recipient's address
//! and account, the time. Output: RFC 5322 bytes with CRLF line ends and lines
//! of at most 998 octets (76 in bodies). HTML and text stand in a
//! `multipart/alternative`; a template without HTML makes one `text/plain`.
//! Bodies go out in 7bit where they may, otherwise in quoted-printable or
//! base64, whichever is shorter. Boundary and Message-ID are derived from
//! campaign, revision and account, so equal inputs give equal bytes.
//!
//! Headers: RFC 5322 §3.6; List-Id RFC 2919; List-Unsubscribe RFC 2369 and
//! RFC 8058; Precedence so that no vacation notice comes back (RFC 3834 §2).

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;

use super::letterhead::Letterhead;
use super::{header, text};
use crate::account::AccountId;
use crate::address::Address;
use crate::clock;

/// What a reader sees.
pub(super) struct Parts {
    pub subject: String,
    pub html: Option<String>,
    pub text: String,
}

/// Writes one message.
pub(super) fn build(
    head: &Letterhead,
    account: &AccountId,
    to: &Address,
    unsubscribe: Option<&str>,
    parts: &Parts,
    date_ms: i64,
) -> Vec<u8> {
    let size = parts.html.as_ref().map_or(0, String::len) + parts.text.len();
    let mut out = Vec::with_capacity(2048 + size + size / 2);
    let id = head.message_id(account);
    let from_domain = head.from.address().domain();
    header::plain(&mut out, "Date", &clock::rfc5322(date_ms));
    header::mailbox(&mut out, "From", &head.from);
    if let Some(reply_to) = &head.reply_to {
        header::mailbox(&mut out, "Reply-To", reply_to);
    }
    header::plain(&mut out, "To", to.as_str());
    header::text(&mut out, "Subject", &parts.subject);
    header::plain(&mut out, "Message-ID", &format!("<{id}@{from_domain}>"));
    header::plain(&mut out, "List-Id", &format!("<{}>", head.list_id));
    if let Some(url) = unsubscribe {
        header::plain(&mut out, "List-Unsubscribe", &format!("<{url}>"));
        header::plain(&mut out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
    }
    let feedback = format!("c{}r{}:{}:bulk:kakitome", head.campaign, head.revision, head.list_id);
    header::plain(&mut out, "Feedback-ID", &feedback);
    header::plain(&mut out, "Precedence", "bulk");
    header::plain(&mut out, "MIME-Version", "1.0");
    body(&mut out, &id, parts);
    out
}

fn body(out: &mut Vec<u8>, id: &str, parts: &Parts) {
    let text = MimePart::new("text/plain", text::crlf(&parts.text));
    match &parts.html {
        None => text.write_part(out),
        Some(html) => {
            let html = MimePart::new("text/html", text::crlf(html));
            // `=_` occurs in no quoted-printable line (RFC 2045 §6.7), and a
            // Message-ID is a keyed hash, so no body can hold the boundary.
            let kind = ContentType::new("multipart/alternative").attribute("boundary", format!("=_{id}"));
            MimePart::new(kind, vec![text, html]).write_part(out);
        }
    }
}
