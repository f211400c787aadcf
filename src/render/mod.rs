//! One recipient's record → one finished message, and nothing else.
//!
//! Input: a loaded [`Template`], the campaign's [`Letterhead`] and one
//! [`Recipient`] by value. Output: [`Finished`]. Equal inputs give equal bytes:
//! boundaries and Message-ID are derived, and only `Date` moves. Nothing here
//! can fetch a second recipient, and nothing changes the bytes afterwards.
//!
//! ```text
//! Recipient ─► context ─► template (subject, html, text) ─► message ─► Finished
//! ```

pub mod cover;

mod context;
mod header;
mod letterhead;
mod lint;
mod literal;
mod message;
mod return_path;
mod sign;
mod template;
mod text;
mod walk;

pub use letterhead::{Letterhead, LetterheadError, Mailbox, MailboxError};
pub use lint::Lint;
pub use literal::Literal;
pub use return_path::{ReturnPath, ReturnPathError};
pub use sign::{Signer, SignerError};
pub use template::{RunError, Template, TemplateError};

use crate::account::{AccountId, Recipient};
use crate::address::AddressError;
use crate::key::Purpose;
use crate::message::Finished;

use context::Links;
use message::Parts;

/// Makes the messages of one campaign revision. One for all threads.
#[derive(Debug)]
pub struct Renderer {
    template: Template,
    head: Letterhead,
}

/// A message, and what its reader sees.
#[derive(Debug)]
pub struct Preview {
    /// The finished message.
    pub rendered: Finished,
    /// The subject.
    pub subject: String,
    /// The HTML body, if the template has one.
    pub html: Option<String>,
    /// The text body, from body.txt or made from the HTML.
    pub text: String,
}

/// Why a message could not be made. Names the place and never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The template failed for this recipient.
    #[error("account {account}: {source}")]
    Template {
        /// The account.
        account: AccountId,
        /// Where, and what sort of failure.
        source: RunError,
    },
    /// A line break or another control character where none may stand: it
    /// could begin a header of its own, or hide what stands behind it.
    #[error("account {account}: {file} renders to a text with a line break or another control character in it")]
    Control {
        /// The account.
        account: AccountId,
        /// The template's file.
        file: &'static str,
    },
    /// Nothing is left of a subject or a body.
    #[error("account {account}: {file} renders to nothing")]
    Empty {
        /// The account.
        account: AccountId,
        /// The template's file.
        file: &'static str,
    },
    /// The token makes the envelope sender too long (RFC 5321 §4.5.3.1.1).
    #[error("account {account}: its envelope sender cannot be used with its token: {source}; write a shorter bounce")]
    Sender {
        /// The account.
        account: AccountId,
        /// Why.
        source: AddressError,
    },
    /// No signature could be made.
    #[error("account {account}: no DKIM signature could be made: {source}")]
    Sign {
        /// The account.
        account: AccountId,
        /// Why.
        source: SignerError,
    },
    /// The HTML cannot be laid out as text.
    #[error("account {account}: no text can be made from body.html; write a body.txt")]
    Text {
        /// The account.
        account: AccountId,
    },
}

impl Renderer {
    /// Binds a template to a letterhead.
    ///
    /// # Errors
    /// A value of the letterhead does not fit into its header.
    pub fn new(template: Template, head: Letterhead) -> Result<Self, LetterheadError> {
        head.check()?;
        Ok(Self { template, head })
    }

    /// The template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The letterhead.
    pub fn letterhead(&self) -> &Letterhead {
        &self.head
    }

    /// Makes one recipient's message, dated `date_ms` (Unix time).
    ///
    /// # Errors
    /// [`RenderError`] names the account, and the template's file and line.
    pub fn render(&self, recipient: Recipient, date_ms: i64) -> Result<Finished, RenderError> {
        self.preview(recipient, date_ms).map(|preview| preview.rendered)
    }

    /// The same, with what the reader sees beside it.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn preview(&self, recipient: Recipient, date_ms: i64) -> Result<Preview, RenderError> {
        let account = recipient.record.account.clone();
        let to = recipient.record.address.clone();
        let sender =
            self.head.sender(&account).map_err(|source| RenderError::Sender { account: account.clone(), source })?;
        let links = Links {
            unsubscribe: self.head.link(Purpose::Unsubscribe, &account),
            view: self.head.link(Purpose::View, &account),
        };
        let parts = self.parts(recipient, &links)?;
        let bytes = message::build(&self.head, &account, &to, links.unsubscribe.as_deref(), &parts, date_ms);
        let bytes = sign::sign(&self.head.signers, bytes)
            .map_err(|source| RenderError::Sign { account: account.clone(), source })?;
        let rendered = Finished::new(account, sender, to, bytes);
        let Parts { subject, html, text } = parts;
        Ok(Preview { rendered, subject, html, text })
    }

    /// The subject and the bodies.
    fn parts(&self, recipient: Recipient, links: &Links) -> Result<Parts, RenderError> {
        let account = recipient.record.account.clone();
        let context = context::context(recipient, links);
        let run = |file: &'static str| {
            let source = |source| RenderError::Template { account: account.clone(), source };
            let out = self.template.run(file, &context).map_err(source)?;
            if out.trim().is_empty() {
                return Err(RenderError::Empty { account: account.clone(), file });
            }
            match text::has_control(&out) {
                true => Err(RenderError::Control { account: account.clone(), file }),
                false => Ok(out),
            }
        };
        let subject = run(template::SUBJECT)?.trim().to_owned();
        if subject.chars().any(letterhead::is_break) {
            return Err(RenderError::Control { account, file: template::SUBJECT });
        }
        let html = self.template.has(template::HTML).then(|| run(template::HTML)).transpose()?;
        let text = match &html {
            Some(html) if !self.template.has(template::TEXT) => {
                text::from_html(html).ok_or(RenderError::Text { account })?
            }
            _ => run(template::TEXT)?,
        };
        Ok(Parts { subject, html, text })
    }
}

#[cfg(test)]
pub(in crate::render) mod tests {
    use super::*;
    use crate::account::{Field, Record};
    use crate::address::Address;
    use crate::key::Keys;
    use mail_parser::{MessageParser, MimeHeaders};
    use proptest::prelude::*;
    use std::path::Path;

    pub const DATE_MS: i64 = 1_795_515_420_000;

    pub fn letterhead() -> Letterhead {
        Letterhead {
            campaign: 7,
            revision: 2,
            from: Mailbox::parse("レジストラ ニュース編集部 <news@例え.テスト>").unwrap(),
            reply_to: Some(Mailbox::parse("\"Support, Registrar\" <support@registrar.example>").unwrap()),
            bounce: ReturnPath::parse("bounce@registrar.example").unwrap(),
            list_id: "news.registrar.example".into(),
            links_base: "https://mail.registrar.example/k".into(),
            signers: Vec::new(),
            keys: Keys::new(&[7; 32]),
        }
    }

    pub fn template(files: &[(&str, &str)]) -> Result<Template, TemplateError> {
        Template::from_files(files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect())
    }

    pub fn renderer(files: &[(&str, &str)]) -> Renderer {
        Renderer::new(template(files).unwrap(), letterhead()).unwrap()
    }

    pub fn recipient(id: &str, columns: &[(&str, &str)], domains: &[&str]) -> Recipient {
        let mut fields: std::collections::BTreeMap<String, Field> =
            columns.iter().map(|(k, v)| (k.to_string(), Field::One(v.to_string()))).collect();
        fields.insert("member_id".into(), Field::One(id.into()));
        fields.insert("domains".into(), Field::Many(domains.iter().map(|d| d.to_string()).collect()));
        let address = fields.get("email").and_then(|f| f.values().next().map(str::to_owned));
        let address = Address::parse(&address.unwrap_or_else(|| format!("m{id}@mail.example"))).unwrap();
        let record = Record { account: AccountId::new(id).unwrap(), address, fields };
        Recipient { record, extra: Default::default() }
    }

    #[test]
    fn an_envelope_sender_with_a_token_is_each_accounts_own() {
        let mut renderer = renderer(&[("subject.txt", "x"), ("body.txt", "y")]);
        renderer.head.bounce = ReturnPath::parse("bounces+{token}@mail.example").unwrap();
        let sender = |id: &str| renderer.render(recipient(id, &[], &[]), DATE_MS).map(|made| made.sender().clone());
        for id in ["10000001", "10000002"] {
            let sender = sender(id).unwrap();
            let token = sender.local().strip_prefix("bounces+").unwrap();
            let bounce = renderer.head.keys.read_bounce(token).unwrap();
            assert_eq!((bounce.campaign, bounce.account.as_str(), sender.domain()), (7, id, "mail.example"));
        }
        assert!(sender(&"1".repeat(20)).is_ok());
        assert!(matches!(sender(&"1".repeat(24)), Err(RenderError::Sender { .. })));
    }

    fn newsletter() -> Renderer {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/newsletter");
        Renderer::new(Template::load(&folder).unwrap(), letterhead()).unwrap()
    }

    fn taro(domains: &[&str], company: &str, plan: &str) -> Recipient {
        let columns =
            [("name", "山田 太郎"), ("company", company), ("email", "taro@例え.テスト"), ("phone", ""), ("plan", plan)];
        recipient("10000001", &columns, domains)
    }

    fn parse(bytes: &[u8]) -> mail_parser::Message<'_> {
        MessageParser::default().parse(bytes).unwrap()
    }

    fn header<'a>(bytes: &'a [u8], name: &str) -> Vec<&'a str> {
        let text = std::str::from_utf8(bytes).unwrap();
        let end = text.find("\r\n\r\n").unwrap();
        text[..end].split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
    }

    /// CRLF only, lines of at most 998 octets, nothing but ASCII.
    fn assert_form(bytes: &[u8]) {
        assert!(bytes.ends_with(b"\r\n"));
        assert!(bytes.is_ascii());
        for line in bytes.strip_suffix(b"\r\n").unwrap().split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(!line.contains(&b'\r') && line.len() <= 998, "{:?}", String::from_utf8_lossy(line));
        }
        let feeds = bytes.iter().filter(|b| **b == b'\n').count();
        assert_eq!(bytes.windows(2).filter(|w| w == b"\r\n").count(), feeds, "a bare LF");
    }

    #[test]
    fn the_newsletter_renders_every_branch_and_knows_its_columns() {
        let renderer = newsletter();
        let columns = ["member_id", "name", "company", "email", "phone", "domains", "plan"];
        assert_eq!(renderer.template().lint(&columns, &[]), []);
        let many: Vec<String> = (0..30).map(|i| format!("example-{i}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (domains, company, plan) in
            [(&[][..], "", "free"), (&["a.example"][..], "株式会社例", "premium"), (&many[..], "山田 太郎", "")]
        {
            let preview = renderer.preview(taro(domains, company, plan), DATE_MS).unwrap();
            let bytes = preview.rendered.bytes();
            assert_form(bytes);
            let message = parse(bytes);
            assert_eq!(message.subject(), Some(preview.subject.as_str()));
            let html = preview.html.unwrap();
            assert_eq!(message.body_html(0).unwrap(), text::crlf(&html));
            assert_eq!(message.body_text(0).unwrap(), text::crlf(&preview.text));
            for body in [&html, &preview.text] {
                assert!(body.contains("10000001") && body.contains("様"));
                assert_eq!(body.matches(".example</td>").count() > 0, !domains.is_empty() && body.contains("<td"));
                assert_eq!(body.contains("Find a name") || body.contains("no domains with us"), domains.is_empty());
            }
            assert_eq!(html.contains(">PREMIUM<"), plan == "premium");
        }
    }

    #[test]
    fn the_headers_are_complete_and_for_this_recipient_alone() {
        let renderer = newsletter();
        let rendered = renderer.render(taro(&[], "", ""), DATE_MS).unwrap();
        let bytes = rendered.bytes();
        let message = parse(bytes);
        let from = message.from().unwrap().first().unwrap();
        assert_eq!(from.name(), Some("レジストラ ニュース編集部"));
        assert_eq!(from.address(), Some("news@xn--r8jz45g.xn--zckzah"));
        let reply_to = message.reply_to().unwrap().first().unwrap();
        assert_eq!(
            (reply_to.name(), reply_to.address()),
            (Some("Support, Registrar"), Some("support@registrar.example"))
        );
        assert_eq!(header(bytes, "To"), ["taro@xn--r8jz45g.xn--zckzah"]);
        assert_eq!(rendered.recipient().as_str(), "taro@xn--r8jz45g.xn--zckzah");
        assert_eq!(rendered.sender().as_str(), "bounce@registrar.example");
        assert_eq!(header(bytes, "Date"), ["Tue, 24 Nov 2026 10:17:00 +0000"]);
        assert_eq!(header(bytes, "List-Id"), ["<news.registrar.example>"]);
        assert_eq!(header(bytes, "List-Unsubscribe-Post"), ["List-Unsubscribe=One-Click"]);
        assert_eq!(header(bytes, "Feedback-ID"), ["c7r2:news.registrar.example:bulk:kakitome"]);
        assert_eq!(header(bytes, "Precedence"), ["bulk"]);
        assert_eq!(header(bytes, "MIME-Version"), ["1.0"]);
        let id = Keys::new(&[7; 32]).message_id(7, 2, &AccountId::new("10000001").unwrap());
        assert_eq!(header(bytes, "Message-ID"), [format!("<{id}@xn--r8jz45g.xn--zckzah>")]);
        let url = header(bytes, "List-Unsubscribe")[0];
        let token = url.strip_prefix("<https://mail.registrar.example/k/u/").unwrap().strip_suffix('>').unwrap();
        let link = Keys::new(&[7; 32]).read_link(token).unwrap();
        assert_eq!((link.purpose, link.campaign, link.account.as_str()), (Purpose::Unsubscribe, 7, "10000001"));
        assert!(message.content_type().unwrap().attribute("boundary").unwrap().contains(&id));
    }

    #[test]
    fn equal_inputs_give_equal_bytes_and_only_the_date_moves() {
        let renderer = newsletter();
        let one = renderer.render(taro(&["a.example"], "", ""), DATE_MS).unwrap();
        let again = newsletter().render(taro(&["a.example"], "", ""), DATE_MS).unwrap();
        let later = renderer.render(taro(&["a.example"], "", ""), DATE_MS + 86_400_000).unwrap();
        let other = renderer.render(taro(&["b.example"], "", ""), DATE_MS).unwrap();
        assert_eq!(one.bytes(), again.bytes());
        assert_ne!(one.bytes(), later.bytes());
        assert_eq!(one.digest(), later.digest());
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn a_subject_cannot_begin_another_header() {
        let renderer = renderer(&[("subject.txt", "Hello {{ account.name }}"), ("body.txt", "x")]);
        for name in ["A\r\nBcc: x@y.example", "A\nB", "A\rB", "A\u{0}B", "A\u{85}B", "A\u{2028}B", "A\u{7f}B"] {
            let result = renderer.render(recipient("1", &[("name", name)], &[]), DATE_MS);
            let error = result.unwrap_err();
            assert!(matches!(error, RenderError::Control { file: "subject.txt", .. }), "{name:?}: {error}");
            assert!(!error.to_string().contains('A'), "the error quotes the value: {error}");
        }
        assert!(renderer.render(recipient("1", &[("name", "A\u{200d}B")], &[]), DATE_MS).is_ok());
    }

    #[test]
    fn an_error_names_file_and_line_and_never_a_value() {
        let body = "{{ account.name }}\n{% if true %}\n{{ account.name.upper() + 1 }}\n{% endif %}";
        let cases = [
            (body, 3),
            ("a\n\n{{ account.nam }}", 3),
            ("a\n{{ extra.order }}", 2),
            ("a\n{{ account.name|int }}", 2),
            ("a\n{% for i in range(1500) %}{% for j in range(1500) %}x{% endfor %}{% endfor %}", 2),
            ("a\n{{ debug() }}", 2),
            ("a\n{{ ['a']|map(account.name)|list }}", 2),
        ];
        for (body, line) in cases {
            let renderer =
                renderer(&[("subject.txt", "s"), ("body.txt", "{% include 'part.txt' %}"), ("part.txt", body)]);
            let error = renderer.render(recipient("1", &[("name", "himitsu")], &[]), DATE_MS).unwrap_err();
            let RenderError::Template { source, .. } = &error else { panic!("{error}") };
            assert_eq!((source.file.as_str(), source.line), ("part.txt", line), "{error}");
            if body.ends_with("account.nam }}") {
                // The kind and the template's own text: the engine's words may quote more.
                assert_eq!(error.to_string(), "account 1: part.txt line 3: undefined value in `account.nam`");
            }
            assert!(body.contains(&source.expression), "{error}");
            assert_eq!(source.expression.is_empty(), source.what.contains("fuel"), "{error}");
            assert!(!error.to_string().contains("himitsu") && !format!("{error:?}").contains("himitsu"), "{error:?}");
        }
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let files = [
            ("subject.txt", "{{ account.name }}"),
            ("body.html", "<p>{{ account.name }}</p>{{ links.view }}"),
            ("body.txt", "{{ account.name }}"),
        ];
        let preview = renderer(&files).preview(recipient("1", &[("name", "<b>&")], &[]), DATE_MS).unwrap();
        let html = preview.html.unwrap();
        assert!(html.starts_with("<p>&lt;b&gt;&amp;</p>https://mail.registrar.example/k/v/kt1-"), "{html}");
        assert_eq!((preview.subject.as_str(), preview.text.as_str()), ("<b>&", "<b>&"));
    }

    #[test]
    fn no_filter_lets_a_value_through_unescaped() {
        for expression in [
            "account.name|map('safe')|first",
            "[account.name]|map('safe')|join",
            "links.view ~ account.name",
            "links.view|replace('https', account.name)",
            "[links.view, account.name]|join",
            "account.domains|join(account.name)",
            "account.name|upper",
            "'%s'|format(account.name)",
            "links.view|format(account.name)",
            "account.name|indent",
            "account.name|split(' ')|join('<i>'|e)",
            "links.view.replace('https', account.name)",
            "links.view + account.name",
            "account.name * 2",
        ] {
            let renderer = renderer(&[("subject.txt", "s"), ("body.html", &format!("{{{{ {expression} }}}}"))]);
            if let Ok(preview) = renderer.preview(recipient("1", &[("name", "<b>")], &["x", "y"]), DATE_MS) {
                let html = preview.html.unwrap();
                assert!(!html.to_lowercase().contains("<b>"), "{expression}: {html}");
            }
        }
    }

    #[test]
    fn a_missing_text_is_made_from_the_html_and_a_text_alone_is_enough() {
        let html = renderer(&[("subject.txt", "s"), ("body.html", "<h1>件名</h1><a href='{{ links.view }}'>見る</a>")]);
        let preview = html.preview(recipient("1", &[], &[]), DATE_MS).unwrap();
        assert!(preview.text.contains("件名") && preview.text.contains("https://mail.registrar.example/k/v/"));
        let text =
            renderer(&[("subject.txt", "s"), ("body.txt", "本文")]).preview(recipient("1", &[], &[]), DATE_MS).unwrap();
        let message = parse(text.rendered.bytes());
        assert!(!message.content_type().unwrap().ctype().eq_ignore_ascii_case("multipart"));
        assert_eq!(message.body_text(0).unwrap(), "本文\r\n");
        assert_form(text.rendered.bytes());
    }

    #[test]
    fn without_a_base_there_are_no_links() {
        let head = Letterhead { links_base: String::new(), ..letterhead() };
        let files = [("subject.txt", "s"), ("body.txt", "x")];
        let rendered = Renderer::new(template(&files).unwrap(), head.clone())
            .unwrap()
            .render(recipient("1", &[], &[]), 0)
            .unwrap();
        assert!(header(rendered.bytes(), "List-Unsubscribe").is_empty());
        let files = [("subject.txt", "s"), ("body.txt", "{{ links.view }}")];
        assert!(Renderer::new(template(&files).unwrap(), head).unwrap().render(recipient("1", &[], &[]), 0).is_err());
    }

    #[test]
    fn an_empty_subject_or_body_is_refused() {
        for files in
            [[("subject.txt", " "), ("body.txt", "x")], [("subject.txt", "s"), ("body.txt", "{{ account.name }}\n")]]
        {
            let error = renderer(&files).render(recipient("1", &[("name", "")], &[]), 0).unwrap_err();
            assert!(matches!(error, RenderError::Empty { .. }), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_it_reads_back_equal(subject in "\\PC{1,300}", mixed in "(\\PC|[ \\t\\n\\r=.]|あ|From |--){1,2500}") {
            prop_assume!(!subject.trim().is_empty() && !mixed.trim().is_empty());
            prop_assume!(!subject.trim().chars().any(letterhead::is_break));
            let files = [("subject.txt", "{{ extra.subject }}"), ("body.html", "<p>{{ extra.body }}</p>"), ("body.txt", "{{ extra.body }}")];
            let mut to = recipient("1", &[], &[]);
            to.extra.insert("subject".into(), subject.clone());
            to.extra.insert("body".into(), mixed.clone());
            let preview = renderer(&files).preview(to, DATE_MS).unwrap();
            let bytes = preview.rendered.bytes();
            assert_form(bytes);
            let message = parse(bytes);
            prop_assert_eq!(message.subject().unwrap(), subject.trim());
            prop_assert_eq!(message.body_text(0).unwrap(), text::crlf(&mixed));
            prop_assert_eq!(message.body_html(0).unwrap(), text::crlf(preview.html.as_ref().unwrap()));
        }
    }
}
