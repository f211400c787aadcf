//! How a value may be written, and where it may stand: the two lists that calibration
//! goes through.
//!
//! A row of [`SPELLINGS`] says how; a row of [`PLACES`] says where. Not every spelling
//! fits every place: an escape of HTML stands in HTML. A value that is too ordinary to be
//! told by itself (a name of one word, a number of four digits) is tried only beside what
//! tells it: a label, a caption, alone in its cell.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::account::{Kind, Record};
use crate::guard::find::names::{self, Form};
use crate::guard::judge::Judge;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal;

/// How much a value says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// It is found wherever it stands.
    Plain,
    /// It is found beside a cue only.
    Cued,
    /// It is too short or too common a word to be told at all: a name of one letter, News.
    None,
}

/// How much a value says by itself.
pub fn strength(kind: Kind, value: &str, judge: &Judge<'_>) -> Strength {
    let is_plain = match kind {
        Kind::Person | Kind::Organisation => {
            let name = normal::name(value);
            if is_ordinary(&name) {
                return Strength::None;
            }
            names::form(&name) != Form::Short
        }
        Kind::Id => !judge.scanner().is_ordinary(value),
        _ => true,
    };
    if is_plain { Strength::Plain } else { Strength::Cued }
}

/// Whether a canonical name is one character of kanji, two of an alphabet, or common words
/// and nothing else.
fn is_ordinary(name: &str) -> bool {
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let is_joined = name.chars().any(names::is_joined);
    let is_common = |word: &str| {
        let word = normal::search(word);
        lexicon::is_common(&word) || lexicon::of(Role::NameWord).has(&word) || word.chars().count() < 2
    };
    letters < if is_joined { 2 } else { 3 } || name.split(' ').all(is_common)
}

/// One way to write a value.
pub struct Spelling {
    /// What it is called.
    pub name: &'static str,
    write: fn(&str) -> Option<String>,
    kinds: Kinds,
    markup: Markup,
    /// Whether a value that needs a cue is still told by it when written so.
    is_cued: bool,
}

/// Which kinds a spelling is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    All,
    Letters,
    Names,
    Numbers,
}

/// What reads a spelling.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Markup {
    /// Any text.
    Text,
    /// HTML alone, its attributes too.
    Html,
    /// HTML's text alone.
    Tags,
    /// HTML's attributes and comments.
    Attribute,
    /// A URL alone.
    Url,
}

const fn row(
    name: &'static str,
    kinds: Kinds,
    markup: Markup,
    is_cued: bool,
    write: fn(&str) -> Option<String>,
) -> Spelling {
    Spelling { name, write, kinds, markup, is_cued }
}

const SPELLINGS: &[Spelling] = &[
    row("as it is", Kinds::All, Markup::Text, true, |v| Some(v.to_owned())),
    row("upper case", Kinds::Letters, Markup::Text, true, |v| changed(v, v.to_uppercase())),
    row("upper case of Turkish", Kinds::Letters, Markup::Text, true, |v| changed(v, turkish(v)?)),
    row("upper case without accents", Kinds::Letters, Markup::Text, true, |v| changed(v, without_accents(v)?)),
    row("lower case", Kinds::Letters, Markup::Text, true, |v| changed(v, v.to_lowercase())),
    row("full-width", Kinds::All, Markup::Text, true, |v| changed(v, wide(v))),
    row("decomposed", Kinds::Letters, Markup::Text, true, |v| changed(v, decomposed(v))),
    row("zero-width space inside", Kinds::All, Markup::Text, true, |v| Some(halves(v, "\u{200b}"))),
    row("soft hyphen inside", Kinds::All, Markup::Text, true, |v| Some(halves(v, "\u{ad}"))),
    row("ideographic spaces", Kinds::Names, Markup::Text, true, |v| changed(v, v.replace(' ', "\u{3000}"))),
    row("without its signs", Kinds::Numbers, Markup::Text, true, |v| changed(v, digits_and_letters(v))),
    row("a tag inside", Kinds::All, Markup::Tags, true, |v| Some(halves(&escaped(v), "<b></b>"))),
    row("<wbr> inside", Kinds::All, Markup::Tags, true, |v| Some(halves(&escaped(v), "<wbr>"))),
    row("decimal entities", Kinds::All, Markup::Html, true, |v| Some(entities(v))),
    row("percent-encoded", Kinds::All, Markup::Url, true, |v| Some(percent(v))),
    row("percent-encoded twice", Kinds::All, Markup::Url, true, |v| Some(percent(v).replace('%', "%25"))),
    row("base64url", Kinds::All, Markup::Url, false, |v| encodable(v).map(|v| URL_SAFE_NO_PAD.encode(v))),
    row("base64", Kinds::All, Markup::Url, false, |v| encodable(v).map(|v| percent(&STANDARD.encode(v)))),
    row("hex", Kinds::All, Markup::Url, false, |v| {
        encodable(v).map(|v| v.bytes().map(|b| format!("{b:02x}")).collect())
    }),
];

impl Spelling {
    /// Every way.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        SPELLINGS.iter()
    }

    /// Whether values of this kind and strength are written so.
    pub fn fits(&self, kind: Kind, strength: Strength) -> bool {
        let named = matches!(kind, Kind::Person | Kind::Organisation);
        let fits = match self.kinds {
            Kinds::All => true,
            Kinds::Letters => named || matches!(kind, Kind::Email | Kind::Domain),
            Kinds::Names => named,
            Kinds::Numbers => matches!(kind, Kind::Id | Kind::Phone),
        };
        fits && (strength == Strength::Plain || self.is_cued)
    }

    /// Whether a mailer writes an account's own values so.
    pub fn is_natural(&self) -> bool {
        ["as it is", "decimal entities", "percent-encoded"].contains(&self.name)
    }

    /// A value so written; `None` where it has no such form.
    pub fn write(&self, value: &str) -> Option<String> {
        (self.write)(value)
    }
}

/// One place in a message.
pub struct Place {
    /// What it is called.
    pub name: &'static str,
    put: fn(&mut Carrier, &str),
    markup: Markup,
    /// Whether it is a cue for a value of this kind.
    cue: Cue,
}

/// What a place says of the value in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    None,
    /// A number follows.
    Label,
    /// A name follows, or stands by itself.
    Name,
}

/// The pieces of a message.
#[derive(Default)]
struct Carrier {
    subject: String,
    headers: String,
    text: String,
    html: String,
    parts: String,
}

const fn place(name: &'static str, markup: Markup, cue: Cue, put: fn(&mut Carrier, &str)) -> Place {
    Place { name, put, markup, cue }
}

const PLACES: &[Place] = &[
    place("text", Markup::Text, Cue::None, |c, v| c.text.push_str(&format!("A note on {v} follows.\r\n"))),
    place("text, alone in its line", Markup::Text, Cue::Name, |c, v| c.text.push_str(&format!("\r\n{v}\r\n"))),
    place("text, behind a label", Markup::Text, Cue::Label, |c, v| c.text.push_str(&format!("ID: {v}\r\n"))),
    place("text, behind a caption", Markup::Text, Cue::Name, |c, v| c.text.push_str(&format!("Name: {v}\r\n"))),
    place("subject", Markup::Text, Cue::None, |c, v| c.subject = word(&format!("News for {v}"))),
    place("subject, behind a label", Markup::Text, Cue::Label, |c, v| c.subject = word(&format!("ID: {v}"))),
    place("header", Markup::Text, Cue::None, |c, v| c.headers.push_str(&format!("X-Reference: {}\r\n", word(v)))),
    place("HTML text", Markup::Html, Cue::None, |c, v| c.html.push_str(&format!("<p>A note on {v} follows.</p>"))),
    place("HTML cell", Markup::Html, Cue::Name, |c, v| {
        c.html.push_str(&format!("<table><tr><td>{v}</td></tr></table>"));
    }),
    place("HTML, behind a label", Markup::Html, Cue::Label, |c, v| c.html.push_str(&format!("<p>ID: {v}</p>"))),
    place("comment", Markup::Attribute, Cue::None, |c, v| c.html.push_str(&format!("<!-- a note on {v} -->"))),
    place("attribute", Markup::Attribute, Cue::Name, |c, v| c.html.push_str(&format!("<img alt=\"{v}\">"))),
    place("URL path", Markup::Url, Cue::None, |c, v| c.link(&format!("c/{v}/view"))),
    place("URL query", Markup::Url, Cue::None, |c, v| c.link(&format!("c?q={v}"))),
    place("URL query, behind a label", Markup::Url, Cue::Label, |c, v| c.link(&format!("c?id={v}"))),
    place("List-Unsubscribe", Markup::Url, Cue::None, |c, v| {
        c.headers.push_str(&format!("List-Unsubscribe: <https://{HOST}/u?u={v}>\r\n"));
    }),
    place("CSV attachment", Markup::Text, Cue::None, |c, v| {
        let quoted = v.replace('"', "\"\"");
        c.part("text/csv", &format!("a,b\r\nx,\"{quoted}\"\r\n"));
    }),
    place("base64 body", Markup::Text, Cue::None, |c, v| c.part("text/plain", &format!("A note on {v} follows.\r\n"))),
];

/// The host of the carrier's links: nobody owns it (RFC 2606).
pub const HOST: &str = "calibration.invalid";

impl Carrier {
    /// Adds a part in base64.
    fn part(&mut self, kind: &str, text: &str) {
        let head = format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64");
        self.parts.push_str(&format!("--=_k\r\n{head}\r\n\r\n{}\r\n", STANDARD.encode(text)));
    }

    fn link(&mut self, rest: &str) {
        self.html.push_str(&format!("<p><a href=\"https://{HOST}/{rest}\">more</a></p>"));
    }
}

impl Place {
    /// Every place.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        PLACES.iter()
    }

    /// Whether a value of this kind and strength, so written, is tried there.
    pub fn fits(&self, kind: Kind, strength: Strength, spelling: &Spelling) -> bool {
        let reads = match spelling.markup {
            Markup::Text => self.markup != Markup::Url,
            Markup::Html => matches!(self.markup, Markup::Html | Markup::Attribute),
            Markup::Tags => self.markup == Markup::Html,
            markup => markup == self.markup,
        };
        let named = matches!(kind, Kind::Person | Kind::Organisation);
        let fits = match self.cue {
            Cue::None => strength == Strength::Plain,
            Cue::Label => kind == Kind::Id,
            Cue::Name => named,
        };
        reads && (fits || (self.cue == Cue::Name && strength == Strength::Plain))
    }

    /// A message to an account with a value in this place.
    pub fn message(&self, reader: &Record, written: &str) -> Vec<u8> {
        let mut carrier = Carrier { subject: "News".into(), ..Carrier::default() };
        let is_html = matches!(self.markup, Markup::Html | Markup::Attribute);
        let value = if is_html && !written.contains(['<', '&']) { escaped(written) } else { written.to_owned() };
        (self.put)(&mut carrier, &value);
        let Carrier { subject, headers, text, html, parts } = carrier;
        format!(
            "From: News <news@{HOST}>\r\nTo: <{}>\r\nSubject: {subject}\r\nDate: Mon, 01 Jan 2001 09:00:00 +0000\r\n\
             Message-ID: <1@{HOST}>\r\n{headers}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_k\"\r\n\r\n\
             --=_k\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello.\r\n{text}\
             \r\n--=_k\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             <p>Hello.</p>{html}\r\n{parts}--=_k--\r\n",
            reader.address.as_str()
        )
        .into_bytes()
    }
}

/// The upper case of a value with letters that Turkish has: i is İ there, and ı is I.
fn turkish(value: &str) -> Option<String> {
    let is_turkish = value.contains(['ı', 'İ', 'ş', 'Ş', 'ğ', 'Ğ']);
    is_turkish.then(|| value.replace('i', "İ").to_uppercase())
}

/// Greek in upper case as it is printed: without accents.
fn without_accents(value: &str) -> Option<String> {
    let is_greek = value.chars().any(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'));
    is_greek.then(|| decomposed(&value.to_uppercase()).replace('\u{301}', ""))
}

fn changed(value: &str, written: String) -> Option<String> {
    (written != value).then_some(written)
}

/// Full-width forms of ASCII's letters, digits and signs (U+FF01 to U+FF5E).
fn wide(value: &str) -> String {
    let wide = |c: char| if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c };
    value.chars().map(wide).collect()
}

fn decomposed(value: &str) -> String {
    icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(value).into_owned()
}

/// A value with something in its middle.
fn halves(value: &str, middle: &str) -> String {
    let count = value.chars().count() / 2;
    let at = value.char_indices().nth(count).map_or(value.len(), |(at, _)| at);
    let at = if value.contains('&') { value.find('&').unwrap_or(at) } else { at };
    format!("{}{middle}{}", &value[..at], &value[at..])
}

fn digits_and_letters(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric() || *c == '+').collect()
}

fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn entities(value: &str) -> String {
    value.chars().map(|c| format!("&#{};", u32::from(c))).collect()
}

fn percent(value: &str) -> String {
    let one = |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") };
    value.bytes().map(one).collect()
}

/// A value that is long enough to be looked for in base64 and hex.
fn encodable(value: &str) -> Option<&str> {
    (value.len() >= 4).then_some(value)
}

/// An encoded-word (RFC 2047) where one is needed.
fn word(text: &str) -> String {
    let words = |text: &str| {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let length = rest.floor_char_boundary(rest.len().min(42)).max(1);
            out.push_str(&format!("=?utf-8?B?{}?=", STANDARD.encode(&rest[..length])));
            rest = &rest[length..];
            out.push_str(if rest.is_empty() { "" } else { "\r\n " });
        }
        out
    };
    if text.is_ascii() && text.len() < 60 { text.to_owned() } else { words(text) }
}
