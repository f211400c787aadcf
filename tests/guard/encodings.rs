//! Every way in which a value can stand in a message, one small function each.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use icu_normalizer::DecomposingNormalizerBorrowed;
use kakitome::account::Kind;
use kakitome::guard::normal;

use super::charsets::CHARSETS;
use super::letter::{Letter, base64_lines, part, word};

/// Puts a value into a letter; `None` where the value has no such form.
pub type Put = fn(&mut Letter, &str) -> Option<()>;

/// One row of the table.
pub struct Encoding {
    /// What it is counted with.
    pub family: &'static str,
    pub name: &'static str,
    pub kinds: &'static [Kind],
    pub put: Put,
}

pub const ALL: &[Kind] = &[Kind::Id, Kind::Email, Kind::Domain, Kind::Phone, Kind::Person, Kind::Organisation];
const NAMES: &[Kind] = &[Kind::Person, Kind::Organisation];
const ID: &[Kind] = &[Kind::Id];
const HOSTS: &[Kind] = &[Kind::Domain];
const PHONE: &[Kind] = &[Kind::Phone];
const LETTERS: &[Kind] = &[Kind::Email, Kind::Domain, Kind::Person, Kind::Organisation];

macro_rules! rows {
    ($($family:literal { $($name:literal, $kinds:expr, $put:expr;)* })*) => {
        &[$($(Encoding { family: $family, name: $name, kinds: $kinds, put: $put },)*)*]
    };
}

/// Every row: those below, and the charsets'.
pub fn all() -> impl Iterator<Item = &'static Encoding> {
    ENCODINGS.iter().chain(CHARSETS.iter().copied().flatten())
}

/// Everything but the charsets.
pub const ENCODINGS: &[Encoding] = rows! {
    "Spelling" {
        "plain", ALL, |l, v| text(l, v);
        "upper case", LETTERS, |l, v| text(l, &v.to_uppercase());
        "mixed case", LETTERS, |l, v| text(l, &mixed(v));
        "full-width", ALL, |l, v| text(l, &wide(v));
        "half-width kana", NAMES, |l, v| text(l, &half_kana(v)?);
        "NFD", LETTERS, |l, v| text(l, &DecomposingNormalizerBorrowed::new_nfd().normalize(v));
        "zero-width space inside", ALL, |l, v| text(l, &between(v, "\u{200b}"));
        "soft hyphen inside", ALL, |l, v| text(l, &between(v, "\u{ad}"));
        "bidi marks inside", ALL, |l, v| text(l, &between(v, "\u{200e}"));
        "glued between words of Japanese", ALL, |l, v| text(l, &format!("契約中の「{v}」について"));
        "entities in plain text", ALL, |l, v| text(l, &each(v, |c| format!("&#{};", c as u32)));
        "entities in plain text, hex", ALL, |l, v| text(l, &each(v, |c| format!("&#x{:x};", c as u32)));
        "soft hyphens as entities in plain text", ALL, |l, v| text(l, &between(v, "&shy;"));
        "word joiner inside", ALL, |l, v| text(l, &between(v, "\u{2060}"));
        "variation selectors inside", ALL, |l, v| text(l, &between(v, "\u{fe0e}"));
        "behind a circled number", ALL, |l, v| text(l, &format!("①{v}"));
        "before a superscript", ALL, |l, v| text(l, &format!("{v}²"));
        "before a trade mark sign", ALL, |l, v| text(l, &format!("{v}™"));
    }
    "Markup" {
        "&shy; inside", ALL, |l, v| html(l, &between(v, "&shy;"));
        "<wbr> inside", ALL, |l, v| html(l, &between(v, "<wbr>"));
        "a tag inside", ALL, |l, v| html(l, &halves(v, "<b>", "</b>"));
        "a tag around each character", ALL, |l, v| html(l, &each(v, |c| format!("<span style=\"color:red\">{c}</span>")));
        "a comment inside", ALL, |l, v| html(l, &between(v, "<!-- x -->"));
        "decimal entities", ALL, |l, v| html(l, &each(v, |c| format!("&#{};", c as u32)));
        "hex entities", ALL, |l, v| html(l, &each(v, |c| format!("&#x{:X};", c as u32)));
        "named entities", &[Kind::Email, Kind::Domain], |l, v| html(l, &v.replace('.', "&period;").replace('@', "&commat;"));
        "entities escaped twice", ALL, |l, v| html(l, &each(v, |c| format!("&amp;#{};", c as u32)));
        "table cells around", ALL, |l, v| html(l, &format!("<table><tr><td>値</td><td>{v}</td><td>です</td></tr></table>"));
        "zero-padded entities", ALL, |l, v| html(l, &each(v, |c| format!("&#{:07};", c as u32)));
        "&ZeroWidthSpace; inside", ALL, |l, v| html(l, &between(v, "&ZeroWidthSpace;"));
    }
    "Transfer encodings" {
        "QP soft line break inside", ALL, |l, v| push(l, part("text/plain", "quoted-printable", &quoted(v)));
        "QP HTML", ALL, |l, v| push(l, part("text/html", "quoted-printable", &quoted(v)));
        "base64 body", ALL, |l, v| push(l, part("text/plain", "base64", &base64_lines(format!("値は {v} です。"))));
        "base64 HTML", ALL, |l, v| push(l, part("text/html", "base64", &base64_lines(format!("<p>値は {v} です。</p>"))));
        "8bit HTML", ALL, |l, v| push(l, part("text/html", "8bit", &format!("<p>値は {v} です。</p>")));
        "base64 in lines of four", ALL, |l, v| push(l, part("text/plain", "base64", &between(&STANDARD.encode(format!("値は {v} です。")), "\r\n")));
    }
    "Headers" {
        "subject", ALL, |l, v| header(l, "Subject", &word(v));
        "subject in two encoded-words", ALL, |l, v| header(l, "Subject", &words(v));
        "subject in entities", ALL, |l, v| header(l, "Subject", &each(v, |c| format!("&#{};", c as u32)));
        "subject in Q", ALL, |l, v| header(l, "Subject", &format!("=?utf-8?Q?{}?=", each_byte(v, '='))) ;
        "From display name", ALL, |l, v| header(l, "From", &format!("{} <news@registrar.example>", word(v)));
        "Reply-To display name", ALL, |l, v| header(l, "Reply-To", &format!("{} <news@registrar.example>", word(v)));
        "List-Unsubscribe", ALL, |l, v| header(l, "List-Unsubscribe", &format!("<https://registrar.example/u?c={}>", percent(v)));
        "List-Unsubscribe mailto", ALL, |l, v| header(l, "List-Unsubscribe", &format!("<mailto:off@registrar.example?subject={}>", percent(v)));
        "any other header", ALL, |l, v| header(l, "X-Customer", &word(v));
        "RFC 2231 file name", ALL, |l, v| push(l, file_name(v));
        "RFC 2047 file name", ALL, |l, v| push(l, part("text/plain", "8bit", "x").replacen("charset=utf-8", &format!("name=\"{}\"", word(&format!("{v} 様.txt"))), 1));
        "Content-ID", ID, |l, v| push(l, format!("Content-ID: <{v}@registrar.example>\r\n{}", part("text/plain", "8bit", "x")));
        "subject, folded", &[Kind::Person, Kind::Organisation, Kind::Phone], |l, v| v.contains(' ').then(|| header(l, "Subject", &v.replace(' ', "\r\n ")))?;
        "To display name", ALL, |l, v| { let to = l.headers.iter().find(|(name, _)| name == "To")?.1.clone(); header(l, "To", &format!("{} {to}", word(v))) };
        "Content-Description", ALL, |l, v| push(l, format!("Content-Description: {}\r\n{}", word(v), part("text/plain", "8bit", "x")));
        "RFC 2231 file name in Content-Type", ALL, |l, v| push(l, part("text/plain", "8bit", "x").replacen("charset=utf-8", &format!("name*=utf-8'ja'{}", each_byte(v, '%')), 1));
        "Message-ID", ID, |l, v| header(l, "Message-ID", &format!("<{v}.x@registrar.example>"));
        "boundary", ID, |l, v| push(l, nested(v, "", ""));
    }
    "URLs" {
        "URL host", HOSTS, |l, v| href(l, &format!("https://{v}/x"));
        "URL host in text", HOSTS, |l, v| text(l, &format!("https://{v}/x"));
        "URL host, percent-encoded", HOSTS, |l, v| href(l, &format!("https://{}/", percent(v)));
        "URL user", ALL, |l, v| href(l, &format!("https://{}@registrar.example/", percent(v)));
        "URL path", ALL, |l, v| href(l, &format!("https://registrar.example/a/{}/b", percent(v)));
        "URL path in text", ALL, |l, v| text(l, &format!("https://registrar.example/a/{}/b", percent(v)));
        "URL fragment", ALL, |l, v| href(l, &format!("https://registrar.example/#{}", percent(v)));
        "query value, percent-encoded", ALL, |l, v| query(l, &percent(v));
        "query value, every byte percent-encoded", ALL, |l, v| query(l, &each_byte(v, '%'));
        "query value, percent-encoded twice", ALL, |l, v| query(l, &percent(&percent(v)));
        "query value, plus for space", ALL, |l, v| query(l, &percent(v).replace("%20", "+"));
        "query value, base64", ALL, |l, v| query(l, &percent(&STANDARD.encode(v)));
        "query value, base64url", ALL, |l, v| query(l, &URL_SAFE_NO_PAD.encode(v));
        "query value, hex", ALL, |l, v| query(l, &hex(v));
        "query value in text, base64url", ALL, |l, v| text(l, &format!("https://registrar.example/?q={}", URL_SAFE_NO_PAD.encode(v)));
        "query value, JSON in base64", ALL, |l, v| query(l, &URL_SAFE_NO_PAD.encode(format!("{{\"v\":\"{v}\"}}")));
        "tracking pixel", ALL, |l, v| html(l, &format!("<img src=\"https://registrar.example/o?u={}\">", percent(v)));
        "variable envelope return path", &[Kind::Email], |l, v| header(l, "Return-Path", &format!("<bounces+7-{}@registrar.example>", v.replace('@', "=")));
        "variable envelope return path, and more behind it", &[Kind::Email], |l, v| header(l, "Return-Path", &format!("<b-{}=123@registrar.example>", v.replace('@', "=")));
        "variable envelope return path, and a dash behind it", &[Kind::Email], |l, v| header(l, "Return-Path", &format!("<b-{}-123@registrar.example>", v.replace('@', "=")));
        "guest's address", &[Kind::Email], |l, v| text(l, &format!("{}#EXT#@registrar.example", v.replace('@', "_")));
        "rewritten sender", &[Kind::Email], |l, v| v.split_once('@').and_then(|(local, host)| header(l, "Return-Path", &format!("<SRS0=x1y2=tt={host}={local}@registrar.example>")));
        "mailto", &[Kind::Email], |l, v| href(l, &format!("mailto:{v}"));
        "mailto's subject", ALL, |l, v| href(l, &format!("mailto:help@registrar.example?subject={}", percent(v)));
        "URL path, base64url", ALL, |l, v| href(l, &format!("https://registrar.example/a/{}/b", URL_SAFE_NO_PAD.encode(v)));
        "URL path, percent-encoded twice", ALL, |l, v| href(l, &format!("https://registrar.example/a/{}/b", percent(&percent(v))));
        "URL inside a URL", ALL, |l, v| query(l, &percent(&format!("https://registrar.example/?q={}", percent(v))));
    }
    "Hosts" {
        "no boundary in Japanese", HOSTS, |l, v| text(l, &format!("契約中の{v}の更新について"));
        "A-label", HOSTS, |l, v| text(l, &normal::canonical(Kind::Domain, v, None).ok()?);
        "A-label, upper case", HOSTS, |l, v| text(l, &normal::canonical(Kind::Domain, v, None).ok()?.to_uppercase());
        "ideographic full stop as dot", HOSTS, |l, v| text(l, &v.replace('.', "。"));
        "behind a dash in a file's name", HOSTS, |l, v| push(l, part("text/csv", "8bit", "x").replacen("charset=utf-8", &format!("name=\"zone-{}.csv\"", ascii(v)?), 1));
        "before a dash in a file's name", HOSTS, |l, v| text(l, &format!("{}-chain.pem", ascii(v)?));
        "before a dash in a query value", HOSTS, |l, v| query(l, &format!("{}-2026", ascii(v)?));
        "an address's whole local part", HOSTS, |l, v| text(l, &format!("UID:renew-{}@registrar.example", ascii(v)?));
        "behind a slash in a local part", HOSTS, |l, v| text(l, &format!("renew/{}@registrar.example", ascii(v)?));
        "sub-domain", HOSTS, |l, v| text(l, &format!("mail.shop.{v}"));
        "sub-domain of an allowed host", HOSTS, |l, v| href(l, &format!("https://{v}.cdn.registrar.example/x"));
        "e-mail domain", HOSTS, |l, v| text(l, &format!("postmaster@{v}"));
        "in another address's local part", HOSTS, |l, v| text(l, &v.is_ascii().then(|| format!("unsub+{v}@registrar.example"))?);
        "trailing dot", HOSTS, |l, v| text(l, &format!("{v}. IN A"));
        "host with port and path", HOSTS, |l, v| text(l, &format!("{v}:8080/index.html"));
        "full-width full stop as dot", HOSTS, |l, v| text(l, &v.replace('.', "．"));
        "half-width ideographic full stop as dot", HOSTS, |l, v| text(l, &v.replace('.', "｡"));
    }
    "Source and attributes" {
        "HTML comment", ALL, |l, v| html(l, &format!("<!-- {v} -->"));
        "conditional comment", ALL, |l, v| html(l, &format!("<!--[if mso]><p>{v}</p><![endif]-->"));
        "alt", ALL, |l, v| html(l, &format!("<img alt=\"{v}\">"));
        "title", ALL, |l, v| html(l, &format!("<p title='{v}'>x</p>"));
        "data attribute", ALL, |l, v| html(l, &format!("<p data-customer=\"{v}\">x</p>"));
        "data attribute, base64", ALL, |l, v| html(l, &format!("<p data-customer=\"{}\">x</p>", STANDARD.encode(v)));
        "style", ALL, |l, v| html(l, &format!("<style>p:after {{ content: \"{v}\" }}</style>"));
        "style attribute", ALL, |l, v| html(l, &format!("<p style=\"font-family:'{v}'\">x</p>"));
        "JSON-LD", ALL, |l, v| html(l, &format!("<script type=\"application/ld+json\">{{\"name\":\"{v}\"}}</script>"));
        "JSON-LD, escaped", ALL, |l, v| html(l, &format!("<script type=\"application/ld+json\">{{\"name\":\"{}\"}}</script>", json(v)));
        "hidden preheader", ALL, |l, v| html(l, &format!("<div style=\"display:none\">{v}</div>"));
        "title element", ALL, |l, v| html(l, &format!("<title>{v}</title>"));
        "name in two table cells", NAMES, |l, v| html(l, &format!("<table><tr><td>{}</td></tr></table>", broken(v, "</td><td>")));
        "name in two paragraphs", NAMES, |l, v| html(l, &format!("<p>{}</p>", broken(v, "</p><p>")));
        "data attribute, hex", ALL, |l, v| html(l, &format!("<p data-customer=\"{}\">x</p>", hex(v)));
        "attribute in entities", ALL, |l, v| html(l, &format!("<img alt=\"{}\">", each(v, |c| format!("&#{};", c as u32))));
        "noscript", ALL, |l, v| html(l, &format!("<noscript><p>{v}</p></noscript>"));
    }
    "Attachments and structure" {
        "csv attachment", ALL, |l, v| push(l, attachment("text/csv", &format!("a,b\r\nx,{v}\r\n")));
        "ics attachment", ALL, |l, v| push(l, attachment("text/calendar", &format!("BEGIN:VCALENDAR\r\nSUMMARY:{v}\r\nEND:VCALENDAR\r\n")));
        "vcf attachment", ALL, |l, v| push(l, attachment("text/vcard", &format!("BEGIN:VCARD\r\nFN:{}\r\n {}\r\nEND:VCARD\r\n", split(v).0, split(v).1)));
        "json attachment", ALL, |l, v| push(l, attachment("application/json", &format!("{{\"v\":\"{}\"}}", json(v))));
        "inner message", ALL, |l, v| push(l, format!("Content-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n値は {v} です。"));
        "inner message's subject", ALL, |l, v| push(l, format!("Content-Type: message/rfc822\r\n\r\nSubject: {}\r\n\r\nx", word(v)));
        "xml attachment", ALL, |l, v| push(l, attachment("text/xml", &format!("<a><b>{v}</b></a>")));
        "preamble", ALL, |l, v| push(l, nested("=in=", v, ""));
        "epilogue", ALL, |l, v| push(l, nested("=in=", "", v));
        "inner message in base64", ALL, |l, v| push(l, format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64_lines(format!("Content-Type: text/plain; charset=utf-8\r\n\r\n値は {v} です。"))));
    }
    "IDs" {
        "ID grouped by a dash", ID, |l, v| text(l, &format!("{}-{}", &v[..4], &v[4..]));
        "ID grouped by a space", ID, |l, v| text(l, &format!("{} {}", &v[..4], &v[4..]));
        "ID grouped by commas", ID, |l, v| text(l, &format!("{},{},{}", &v[..1], &v[1..4], &v[4..]));
        "ID grouped by twos", ID, |l, v| text(l, &format!("{}-{}-{}-{}", &v[..2], &v[2..4], &v[4..6], &v[6..]));
        "ID after a label", ID, |l, v| text(l, &format!("ID:A{v}"));
        "ID after a Japanese label", ID, |l, v| text(l, &format!("会員番号：A{v}"));
        "ID and its label in one", ID, |l, v| text(l, &format!("ID{v}"));
        "ID behind #", ID, |l, v| text(l, &format!("#{v}"));
        "ID between underscores", ID, |l, v| text(l, &format!("report_{v}_2026.pdf"));
        "ID in kanji digits", ID, |l, v| text(l, &kanji(v));
        "ID at the end of a sentence", ID, |l, v| text(l, &format!("Your number is {v}. Thank you."));
        "ID grouped by a figure dash", ID, |l, v| text(l, &format!("{}\u{2012}{}", &v[..4], &v[4..]));
        "ID grouped by a long-vowel mark", ID, |l, v| text(l, &format!("{}ー{}", &v[..4], &v[4..]));
        "ID grouped by a no-break space", ID, |l, v| text(l, &format!("{}\u{a0}{}", &v[..4], &v[4..]));
        "ID behind a label, by two spaces", ID, |l, v| text(l, &format!("会員番号: {}", pieces(v, "  ")));
        "ID behind a label, by a tab", ID, |l, v| text(l, &format!("ID {}", pieces(v, "\t")));
        "ID behind a label, by a dash and a line end", ID, |l, v| text(l, &format!("会員ID {}", pieces(v, "-\r\n")));
        "ID behind a label, by a middle dot", ID, |l, v| text(l, &format!("会員番号は{}です", pieces(v, "・")));
        "ID behind a label, by an underscore", ID, |l, v| text(l, &format!("Member no. {}", pieces(v, "_")));
        "ID behind a label, by a slash", ID, |l, v| text(l, &format!("customer number: {}", pieces(v, " / ")));
        "ID behind a label, by an apostrophe", ID, |l, v| text(l, &format!("ID {}", pieces(v, "'")));
        "ID behind a label, in two table cells", ID, |l, v| html(l, &format!("<table><tr><th>会員番号</th><td>{}</td></tr></table>", pieces(v, "</td><td>")));
        "ID behind a label, a digit to each table cell", ID, |l, v| html(l, &format!("<table><tr><th>会員ID</th><td>{}</td></tr></table>", between(v, "</td><td>")));
        "ID behind a label in brackets", ID, |l, v| text(l, &format!("【会員番号】A{v}"));
        "ID behind a label of one word", ID, |l, v| text(l, &format!("memberId=A{v}"));
        "ID behind a label that calls it a code", ID, |l, v| text(l, &format!("お客様コード：A{v}"));
        "ID as a price, behind a label", ID, |l, v| text(l, &format!("ID: {},{},{}", &v[..2], &v[2..5], &v[5..]));
        "ID as a float", ID, |l, v| text(l, &format!("x,{v}.0,y"));
        "ID behind a label, with zeros before it", ID, |l, v| text(l, &format!("ID: 00{v}"));
        "ID between dots of a file name", ID, |l, v| text(l, &format!("2026.{v}.png"));
        "ID before a dot in an address", ID, |l, v| text(l, &format!("{v}.1764@registrar.example"));
        "ID in Arabic digits", ID, |l, v| text(l, &each(v, |c| c.to_digit(10).and_then(|n| char::from_u32(0x660 + n)).unwrap_or(c).into()));
    }
    "Telephone numbers" {
        "tel link", PHONE, |l, v| href(l, &format!("tel:{}", v.replace(' ', "")));
        "tel link, international", PHONE, |l, v| href(l, &format!("tel:{}", e164(v)?));
        "phone, national", PHONE, |l, v| text(l, &national(v)?);
        "phone, national, brackets", PHONE, |l, v| text(l, &brackets(v)?);
        "phone, national, no separators", PHONE, |l, v| text(l, &national(v)?.replace('-', ""));
        "phone, national, spaces", PHONE, |l, v| text(l, &national(v)?.replace('-', " "));
        "phone, national, dots", PHONE, |l, v| text(l, &national(v)?.replace('-', "."));
        "phone, national, full-width brackets", PHONE, |l, v| text(l, &wide(&brackets(v)?));
        "phone, international", PHONE, |l, v| text(l, &e164(v)?);
        "phone, international, grouped", PHONE, |l, v| text(l, &e164(v)?.replacen("+81", "+81 ", 1).replacen("+44", "+44-", 1));
        "phone, international, (0)", PHONE, |l, v| text(l, &e164(v)?.replacen("+81", "+81 (0)", 1).replacen("+44", "+44 (0)", 1));
        "phone after TEL:", PHONE, |l, v| text(l, &format!("TEL:{v}"));
        "phone after 電話", PHONE, |l, v| text(l, &format!("電話{v}まで"));
        "phone in dash variants", PHONE, |l, v| text(l, &v.replace('-', "‐"));
        "phone, international, dots", PHONE, |l, v| text(l, &e164(v)?.replacen("+81", "+81.", 1).replacen("+44", "+44.", 1));
        "phone behind a label, by middle dots", PHONE, |l, v| text(l, &format!("電話番号：{}", national(v)?.replace('-', "・")));
        "phone behind a label, by underscores", PHONE, |l, v| text(l, &format!("TEL {}", national(v)?.replace('-', "_")));
        "phone behind a label, by slashes", PHONE, |l, v| text(l, &format!("Tel: {}", national(v)?.replace('-', "/")));
        "phone behind a label, in table cells", PHONE, |l, v| html(l, &format!("<table><tr><th>電話</th><td>{}</td></tr></table>", national(v)?.replace('-', "</td><td>")));
        "phone in kanji digits", PHONE, |l, v| text(l, &kanji(&national(v)?));
    }
    "Names and companies" {
        "name without space", NAMES, |l, v| text(l, &if v.is_ascii() { v.to_owned() } else { v.replace(' ', "") });
        "name with ideographic space", NAMES, |l, v| text(l, &v.replace(' ', "\u{3000}"));
        "name with a space between all", NAMES, |l, v| if v.is_ascii() { None } else { text(l, &between(v, " ")) };
        "name with a line break", NAMES, |l, v| text(l, &broken(v, "\r\n"));
        "name with a line end in HTML's source", NAMES, |l, v| html(l, &broken(v, "\r\n        "));
        "name with a genitive", NAMES, |l, v| text(l, &v.is_ascii().then(|| format!("{v}'s account"))?);
        "name with <br>", NAMES, |l, v| html(l, &broken(v, "<br>"));
        "name with honorific", NAMES, |l, v| text(l, &if v.is_ascii() { format!("Dear {v},") } else { format!("{v} 様") });
        "name with honorific, in HTML", NAMES, |l, v| html(l, &if v.is_ascii() { format!("<p>Hi <b>{v}</b>!</p>") } else { format!("<p>{v}<span>様</span></p>") });
        "name, surname first", &[Kind::Person], |l, v| text(l, &v.split_once(' ').filter(|_| v.is_ascii()).map(|(first, last)| format!("Renewed: {last}, {first}"))?);
        "name, surname first, in a table's cell", &[Kind::Person], |l, v| html(l, &v.split_once(' ').filter(|_| v.is_ascii()).map(|(first, last)| format!("<table><tr><td>{last} {first}</td></tr></table>"))?);
        "company with 御中", &[Kind::Organisation], |l, v| text(l, &format!("{v} 御中"));
        "company with (株)", &[Kind::Organisation], |l, v| text(l, &company(v, "(株)")?);
        "company with （株）", &[Kind::Organisation], |l, v| text(l, &company(v, "（株）")?);
        "company with ㈱", &[Kind::Organisation], |l, v| text(l, &company(v, "㈱")?);
        "company with a space", &[Kind::Organisation], |l, v| text(l, &company(v, "株式会社　")?);
        "name with a no-break space", NAMES, |l, v| text(l, &v.replace(' ', "\u{a0}"));
        "name in a URL's path", NAMES, |l, v| href(l, &format!("https://registrar.example/u/{}/x", slug(v)?));
        "name in a query value, by dashes", NAMES, |l, v| query(l, &slug(v)?);
        "name in a file name, by dashes", NAMES, |l, v| push(l, part("text/csv", "8bit", "x").replacen("charset=utf-8", &format!("name=\"{}-2026.csv\"", slug(v)?), 1));
        "name between underscores", NAMES, |l, v| text(l, &v.contains(' ').then(|| format!("invoice_{}.pdf", v.replace(' ', "_")))?);
        "name with a middle dot", NAMES, |l, v| text(l, &if v.is_ascii() { return None } else { v.contains(' ').then(|| v.replace(' ', "・"))? });
        "name with a typographic apostrophe", NAMES, |l, v| text(l, &v.contains('\'').then(|| v.replace('\'', "’"))?);
        "name with a grave accent", NAMES, |l, v| text(l, &v.contains('\'').then(|| v.replace('\'', "`"))?);
        "company with Limited", &[Kind::Organisation], |l, v| text(l, &v.strip_suffix(" Ltd").map(|rest| format!("{rest} Limited"))?);
        "company with Ltd.", &[Kind::Organisation], |l, v| text(l, &v.strip_suffix(" Ltd").map(|rest| format!("{rest} Ltd. has"))?);
        "company with a comma", &[Kind::Organisation], |l, v| text(l, &v.strip_suffix(" Ltd").map(|rest| format!("{rest}, Ltd"))?);
        "company without its full stop", &[Kind::Organisation], |l, v| text(l, &v.strip_suffix('.').map(|rest| format!("{rest} has"))?);
        "company with Incorporated", &[Kind::Organisation], |l, v| text(l, &v.strip_suffix(" Inc.").map(|rest| format!("{rest}\r\nIncorporated"))?);
        "company with and", &[Kind::Organisation], |l, v| text(l, &v.contains(" & ").then(|| v.replace(" & ", " and "))?);
        "company with （同）", &[Kind::Organisation], |l, v| text(l, &v.strip_suffix("合同会社").map(|rest| format!("{rest}（同）"))?);
    }
};

fn text(letter: &mut Letter, value: &str) -> Option<()> {
    letter.text.push_str(&format!("\r\n値は次のとおりです。\r\n{value}\r\n\r\n"));
    Some(())
}

fn html(letter: &mut Letter, value: &str) -> Option<()> {
    letter.html.push_str(&format!("<div>{value}</div>"));
    Some(())
}

fn header(letter: &mut Letter, name: &str, value: &str) -> Option<()> {
    letter.header(name, value);
    Some(())
}

fn push(letter: &mut Letter, part: String) -> Option<()> {
    letter.parts.push(part);
    Some(())
}

fn href(letter: &mut Letter, url: &str) -> Option<()> {
    html(letter, &format!("<a href=\"{url}\">x</a>"))
}

fn query(letter: &mut Letter, value: &str) -> Option<()> {
    href(letter, &format!("https://registrar.example/p?a=1&amp;q={value}&amp;b=2"))
}

fn attachment(kind: &str, body: &str) -> String {
    format!(
        "Content-Type: {kind}; charset=utf-8\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(body)
    )
}

/// A value in two halves.
fn pieces(value: &str, gap: &str) -> String {
    let (first, second) = split(value);
    format!("{first}{gap}{second}")
}

/// A name in ASCII as addresses of pages have it.
fn slug(name: &str) -> Option<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    (name.is_ascii() && !name.contains(['\'', '&'])).then(|| words.collect::<Vec<_>>().join("-"))
}

/// A multipart inside the letter, with a boundary, a preamble and an epilogue.
fn nested(boundary: &str, preamble: &str, epilogue: &str) -> String {
    format!(
        "Content-Type: multipart/related; boundary=\"{boundary}\"\r\n\r\n{preamble}\r\n--{boundary}\r\n{}\r\n--{boundary}--\r\n{epilogue}",
        part("text/plain", "8bit", "x")
    )
}

fn file_name(value: &str) -> String {
    let (first, second) = split(value);
    let (first, second) = (each_byte(first, '%'), each_byte(second, '%'));
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment;\r\n filename*0*=utf-8''{first};\r\n filename*1*={second}%20x.txt\r\n\r\nx"
    )
}

fn split(value: &str) -> (&str, &str) {
    let middle = value.char_indices().nth(value.chars().count() / 2).map_or(0, |(at, _)| at);
    value.split_at(middle)
}

fn each(value: &str, with: impl FnMut(char) -> String) -> String {
    value.chars().map(with).collect()
}

fn each_byte(value: &str, sign: char) -> String {
    value.bytes().map(|b| format!("{sign}{b:02X}")).collect()
}

fn between(value: &str, what: &str) -> String {
    value.chars().map(String::from).collect::<Vec<_>>().join(what)
}

/// A host as it is written in ASCII.
fn ascii(host: &str) -> Option<String> {
    normal::canonical(Kind::Domain, host, None).ok()
}

fn halves(value: &str, open: &str, close: &str) -> String {
    let (first, second) = split(value);
    format!("{first}{open}{second}{close}")
}

/// A break where a name has a space, or in its middle.
fn broken(value: &str, at: &str) -> String {
    match value.split_once(' ') {
        Some((first, second)) => format!("{first}{at}{second}"),
        None => halves(value, at, ""),
    }
}

fn mixed(value: &str) -> String {
    let turn = |(at, c): (usize, char)| if at % 2 == 0 { c.to_uppercase().to_string() } else { c.to_string() };
    value.chars().enumerate().map(turn).collect()
}

fn wide(value: &str) -> String {
    each(value, |c| match c {
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).map(String::from).unwrap_or_default(),
        ' ' => "\u{3000}".into(),
        _ => c.into(),
    })
}

fn half_kana(value: &str) -> Option<String> {
    const FULL: &str =
        "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッー";
    const HALF: &str = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｰ";
    let nfd = DecomposingNormalizerBorrowed::new_nfd().normalize(value);
    let turned = each(&nfd, |c| match c {
        '\u{3099}' => "ﾞ".into(),
        '\u{309a}' => "ﾟ".into(),
        _ => FULL.chars().position(|full| full == c).and_then(|at| HALF.chars().nth(at)).unwrap_or(c).into(),
    });
    (turned != *nfd).then_some(turned)
}

fn quoted(value: &str) -> String {
    each(&format!("値は {value} です。"), |c| format!("{}=\r\n", each_byte(c.encode_utf8(&mut [0; 4]), '=')))
}

fn words(value: &str) -> String {
    let (first, second) = split(value);
    format!("{}\r\n {}", word(first), word(second))
}

fn percent(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    value.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn hex(value: &str) -> String {
    value.bytes().map(|b| format!("{b:02x}")).collect()
}

fn json(value: &str) -> String {
    value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn kanji(value: &str) -> String {
    each(value, |c| c.to_digit(10).and_then(|n| "〇一二三四五六七八九".chars().nth(n as usize)).unwrap_or(c).into())
}

fn e164(value: &str) -> Option<String> {
    normal::canonical(Kind::Phone, value, Some("JP")).ok()
}

fn national(value: &str) -> Option<String> {
    value.starts_with('0').then(|| value.to_owned())
}

fn brackets(value: &str) -> Option<String> {
    let (area, rest) = value.split_once('-').filter(|_| value.starts_with('0'))?;
    Some(format!("({area}){rest}"))
}

fn company(value: &str, form: &str) -> Option<String> {
    value.strip_prefix("株式会社").map(|rest| format!("{form}{rest}"))
}
