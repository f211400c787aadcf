//! Second readings: what another program, or a program that guesses, makes of a
//! message. Each row hides a value of account 1 in a letter for account 0, and is held
//! as account 1's; with a value of account 0 in its place it is cleared.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, GBK, ISO_2022_JP, KOI8_U, SHIFT_JIS, WINDOWS_1251, WINDOWS_1253};
use kakitome::guard::{Rule, Verdict};

use super::letter::{Letter, base64_lines, part};
use super::world::World;

/// Puts a value into a letter.
type Put = fn(&mut Letter, &str);

fn hex(value: &str) -> String {
    value.bytes().map(|b| format!("{b:02x}")).collect()
}

fn percents(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("%{b:02X}")).collect()
}

fn quoted(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("={b:02X}")).collect()
}

fn say(letter: &mut Letter, text: &str) {
    letter.text.push_str(&format!("\r\n{text}\r\n"));
}

fn show(letter: &mut Letter, html: &str) {
    letter.html.push_str(html);
}

fn link(letter: &mut Letter, query: &str) {
    show(letter, &format!("<a href=\"https://registrar.example/m?{query}\">x</a>"));
}

fn attach(letter: &mut Letter, kind: &str, bytes: &[u8]) {
    let head = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    letter.parts.push(head + &base64_lines(bytes));
}

fn raw(letter: &mut Letter, kind: &str, bytes: &[u8]) {
    let head = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    letter.raw_parts.push([head.as_bytes(), bytes].concat());
}

/// The first half of a value, something, and the second half.
fn halves(value: &str, between: &str) -> String {
    let at = value.char_indices().nth(value.chars().count() / 2).unwrap().0;
    format!("{}{between}{}", &value[..at], &value[at..])
}

fn units(value: &str) -> String {
    value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn utf16le(value: &str) -> Vec<u8> {
    value.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Readings of any value: ID, address, domain, name.
const ANY: &[(&str, Put)] = &[
    ("NUL in a text", |l, v| say(l, &halves(v, "\0"))),
    ("DEL in a text", |l, v| say(l, &halves(v, "\u{7f}"))),
    ("C1 in a text", |l, v| say(l, &halves(v, "\u{9d}"))),
    ("colours in a text", |l, v| say(l, &halves(&format!("\u{1b}[31m{v}\u{1b}[0m"), "\u{1b}[1;32m"))),
    ("a mark of damage in a text", |l, v| say(l, &halves(v, "\u{fffd}"))),
    ("a control between tags", |l, v| show(l, &format!("<p>{}</p>", halves(v, "<b>\u{8}</b>")))),
    ("a reference of a control", |l, v| show(l, &format!("<p>{}</p>", halves(v, "&#x1;")))),
    ("a reference of NUL in a title", |l, v| show(l, &format!("<p title=\"{}\">x</p>", halves(v, "&#0;")))),
    ("a control in a query", |l, v| link(l, &format!("q={}", percents(halves(v, "\0").as_bytes())))),
    ("a control in a word of a subject", |l, v| {
        l.header("Subject", &format!("=?utf-8?B?{}?=", STANDARD.encode(halves(v, "\u{b}"))));
    }),
    ("UTF-16 as ASCII", |l, v| attach(l, "text/plain; charset=us-ascii", &utf16le(&format!("id,{v}\r\n")))),
    ("UTF-16 in HTML", |l, v| attach(l, "text/html", &utf16le(&format!("<p>{}</p>", halves(v, "<b></b>"))))),
    ("base64 behind a number", |l, v| link(l, &format!("t=17-{}", URL_SAFE_NO_PAD.encode(v)))),
    ("base64 before a hash", |l, v| link(l, &format!("t={}--0a1b2c3d4e5f60718293", URL_SAFE_NO_PAD.encode(v)))),
    ("base64 in a token of three", |l, v| link(l, &format!("t=eyJhIjoxfQ.{}.c2ln", URL_SAFE_NO_PAD.encode(v)))),
    ("hex behind a letter", |l, v| link(l, &format!("t=u_{}", hex(v)))),
    ("hex in capitals", |l, v| link(l, &format!("t=0x{}", hex(v).to_uppercase()))),
    ("base64 twice", |l, v| link(l, &format!("t={}", URL_SAFE_NO_PAD.encode(STANDARD.encode(v))))),
    ("base64 of UTF-16", |l, v| link(l, &format!("t={}", URL_SAFE_NO_PAD.encode(utf16le(&format!("id:{v}")))))),
    ("base64 in a header", |l, v| l.header("X-Tag", &STANDARD.encode(format!("tag {v}")))),
    ("base64 in a message's ID", |l, v| {
        l.header("Message-ID", &format!("<{}@registrar.example>", URL_SAFE_NO_PAD.encode(format!("id {v}"))));
    }),
    ("base64 in an id", |l, v| {
        show(l, &format!("<p id=\"p{}\">x</p>", format_args!("-{}", URL_SAFE_NO_PAD.encode(v))))
    }),
    ("hex in a class", |l, v| show(l, &format!("<p class=\"c {}\">x</p>", hex(v)))),
    ("base64 in a script", |l, v| {
        show(l, &format!("<script>a=atob('{}')</script>", STANDARD.encode(format!("id {v}"))))
    }),
    ("base64 in a comment", |l, v| show(l, &format!("<!-- {} -->", STANDARD.encode(format!("id {v}"))))),
    ("base64 in a text", |l, v| say(l, &format!("token {}", STANDARD.encode(format!("id {v}"))))),
    ("lines of base64 in a text", |l, v| {
        say(l, &base64_lines(format!("お客様の番号とお名前は次のとおりです。\r\n{v}\r\nご確認ください。")))
    }),
    ("a mail in a text", |l, v| {
        say(
            l,
            &format!(
                "---- Forwarded ----\r\n\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
                STANDARD.encode(format!("id {v}"))
            ),
        )
    }),
    ("escapes in a header", |l, v| l.header("X-SMTPAPI", &format!("{{\"sub\":[\"{}\"]}}", units(v)))),
    ("escapes in a text", |l, v| say(l, &units(v))),
    ("escapes in pre", |l, v| show(l, &format!("<pre>{}</pre>", units(v)))),
    ("escapes in a comment", |l, v| show(l, &format!("<!-- {} -->", units(v)))),
    ("escapes in a query", |l, v| link(l, &format!("q={}", units(v).replace('\\', "%5C")))),
    ("escapes of escape()", |l, v| link(l, &format!("q={}", units(v).replace('\\', "%")))),
    ("escapes in csv", |l, v| l.parts.push(part("text/csv", "8bit", &format!("a,b\r\n1,{}", units(v))))),
    ("bytes as escapes", |l, v| say(l, &v.bytes().map(|b| format!("\\x{b:02x}")).collect::<String>())),
    ("a long word", |l, v| {
        let text = "お知らせ".repeat(300) + v;
        l.header("Subject", &format!("=?utf-8?B?{}?=", STANDARD.encode(text)));
    }),
    ("a word in a word", |l, v| {
        let word = format!("=?utf-8?B?{}?=", STANDARD.encode(v));
        l.header("Subject", &format!("=?utf-8?Q?{}?=", quoted(word.as_bytes())));
    }),
    ("a word in a text", |l, v| say(l, &format!("Subject: =?utf-8?B?{}?=", STANDARD.encode(v)))),
    ("quoted-printable in a text", |l, v| say(l, &quoted(v.as_bytes()))),
    ("AMP", |l, v| l.parts.push(part("text/x-amp-html", "8bit", &format!("<p>{}</p>", halves(v, "<b></b>"))))),
    ("HTML for watches", |l, v| {
        l.parts.push(part("text/watch-html", "8bit", &format!("<p>{}</p>", halves(v, "<wbr>"))))
    }),
    ("enriched text", |l, v| l.parts.push(part("text/enriched", "8bit", &halves(v, "<bold></bold>")))),
    ("markdown", |l, v| l.parts.push(part("text/markdown", "8bit", &halves(v, "<!-- -->")))),
    ("HTML named so", |l, v| l.parts.push(part("text/plain; name=\"a.html\"", "8bit", &halves(v, "<x-y></x-y>")))),
    ("tags in a text", |l, v| say(l, &halves(v, "<span></span>"))),
    ("a card of QP beside a URL", |l, v| {
        l.parts.push(part("text/x-vcard", "8bit", &format!(
        "BEGIN:VCARD\r\nVERSION:2.1\r\nFN;ENCODING=QUOTED-PRINTABLE:=41\r\nNOTE;CHARSET=UTF-8;QUOTED-PRINTABLE:{}\r\nEND:VCARD\r\n", quoted(v.as_bytes()))))
    }),
    ("a card of base64", |l, v| {
        l.parts.push(part(
            "text/plain; name=a.vcf",
            "8bit",
            &format!("BEGIN:VCARD\r\nNOTE;ENCODING=b:{}\r\nEND:VCARD\r\n", STANDARD.encode(v)),
        ))
    }),
    ("a folded calendar", |l, v| {
        l.parts.push(part(
            "text/calendar",
            "8bit",
            &format!("BEGIN:VCALENDAR\r\nDESCRIPTION:x {}\r\nEND:VCALENDAR\r\n", halves(v, "\r\n ")),
        ))
    }),
    ("HTML in a calendar", |l, v| {
        l.parts.push(part(
            "text/x-vcalendar",
            "8bit",
            &format!(
                "BEGIN:VCALENDAR\r\nX-ALT-DESC;FMTTYPE=text/html:<p>{}</p>\r\nEND:VCALENDAR\r\n",
                halves(v, "<b></b>")
            ),
        ))
    }),
    ("LDIF", |l, v| {
        l.parts.push(part("text/plain; name=a.ldif", "8bit", &format!("dn: uid=1\r\ncn:: {}\r\n", STANDARD.encode(v))))
    }),
];

/// Readings of a name in Japanese.
const NAMES: &[(&str, Put)] = &[
    ("Shift_JIS in a query", |l, v| link(l, &format!("q={}", percents(&SHIFT_JIS.encode(v).0)))),
    ("EUC-JP in a query", |l, v| link(l, &format!("q={}", percents(&EUC_JP.encode(v).0)))),
    ("ISO-2022-JP in a query", |l, v| link(l, &format!("q={}", percents(&ISO_2022_JP.encode(v).0)))),
    ("UTF-16 in a query", |l, v| link(l, &format!("q={}", percents(&utf16le(v))))),
    ("Shift_JIS in a subject of a mail link", |l, v| {
        show(
            l,
            &format!("<a href=\"mailto:news@registrar.example?subject={}\">x</a>", percents(&SHIFT_JIS.encode(v).0)),
        );
    }),
    ("ISO-2022-JP as Latin-1", |l, v| raw(l, "text/plain; charset=iso-8859-1", &ISO_2022_JP.encode(v).0)),
    ("ISO-2022-JP as Shift_JIS", |l, v| raw(l, "text/html; charset=shift_jis", &ISO_2022_JP.encode(v).0)),
    ("Shift_JIS as Latin-1", |l, v| raw(l, "text/plain; charset=iso-8859-1", &SHIFT_JIS.encode(v).0)),
    ("EUC-JP as windows-1252", |l, v| raw(l, "text/plain; charset=windows-1252", &EUC_JP.encode(v).0)),
    ("a word that claims Latin-1", |l, v| {
        l.header("Subject", &format!("=?iso-8859-1?B?{}?=", STANDARD.encode(&ISO_2022_JP.encode(v).0)));
    }),
    ("a file's name that claims Latin-1", |l, v| {
        let name = percents(&SHIFT_JIS.encode(v).0);
        l.parts.push(format!("Content-Type: text/csv; name*=iso-8859-1''{name}.csv\r\n\r\na,b"));
    }),
    ("UTF-8 twice", |l, v| say(l, &v.bytes().map(char::from).collect::<String>())),
    ("ruby", |l, v| {
        let ruby = |c: char| format!("<ruby>{c}<rp>(</rp><rt>よみ</rt><rp>)</rp></ruby>");
        show(l, &format!("<p>{}が担当します。</p>", v.chars().map(ruby).collect::<String>()));
    }),
    ("ruby without end tags", |l, v| {
        let ruby = |c: char| format!("<rb>{c}<rt>よみ");
        show(l, &format!("<p><ruby>{}</ruby>が担当します。</p>", v.chars().map(ruby).collect::<String>()));
    }),
];

fn is_foreign(world: &World, verdict: &Verdict) -> bool {
    let owner = Some(&world.records[1].account);
    verdict.findings.iter().any(|finding| finding.rule == Rule::Foreign && finding.owner.as_ref() == owner)
}

/// What the rows do that is wrong, for one value of each account.
fn faults(world: &World, rows: &[(&str, Put)], column: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, put) in rows {
        let verdict = |owner: usize| {
            let mut letter = Letter::new(world, 0);
            let values = world.values(owner, column);
            put(&mut letter, values[0].replace(' ', "").as_str());
            world.judge(0, &letter.bytes())
        };
        let (foreign, own) = (verdict(1), verdict(0));
        if !is_foreign(world, &foreign) {
            faults.push(format!("{column}, {name}: not found: {:?}", foreign.findings));
        }
        // What cannot be read as it claims is held for that alone, and what is broken
        // asks to be explained.
        let told = |rule| matches!(rule, Rule::Unreadable | Rule::Envelope | Rule::Unexplained);
        let others = own.findings.iter().filter(|finding| !told(finding.rule));
        if others.count() > 0 {
            faults.push(format!("{column}, {name}: a false alarm: {:?}", own.findings));
        }
    }
    faults
}

#[test]
fn values_of_others_are_found_in_every_second_reading() {
    let world = World::new();
    let mut all = Vec::new();
    for column in ["id", "email", "name"] {
        all.extend(faults(&world, ANY, column));
    }
    all.extend(faults(&world, NAMES, "name"));
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

/// A directory of other scripts: account 1's name is told.
fn other_world(name: &str) -> World {
    let mut rows: Vec<[String; 8]> = Vec::new();
    for (id, email, name) in [("40817263", "own@own.example", "Otto Own"), ("40817299", "a@other.example", name)] {
        let row = [id, email, "", email.split_once('@').unwrap().1, "", name, "", ""];
        rows.push(row.map(str::to_owned));
    }
    World::of(&rows)
}

#[test]
fn names_of_other_scripts_are_found_in_charsets_that_nobody_declared() {
    for (name, charset) in [
        ("Иван Петрович Кузнецов", WINDOWS_1251),
        ("Иван Петрович Кузнецов", KOI8_U),
        ("Γεώργιος Παπαδόπουλος", WINDOWS_1253),
        ("歐陽大明華", BIG5),
        ("欧阳大明华", GBK),
        ("남궁민수정", EUC_KR),
    ] {
        let world = other_world(name);
        let (bytes, _, _) = charset.encode(name);
        for kind in ["text/plain", "text/plain; charset=iso-8859-1", "text/csv; charset=utf-8", "text/html"] {
            let mut letter = Letter::new(&world, 0);
            raw(&mut letter, kind, &bytes);
            let verdict = world.judge(0, &letter.bytes());
            assert!(is_foreign(&world, &verdict), "{name}, {}, {kind}: {:?}", charset.name(), verdict.findings);
        }
        let mut letter = Letter::new(&world, 0);
        link(&mut letter, &format!("q={}", percents(&bytes).replace("%20", "+")));
        let verdict = world.judge(0, &letter.bytes());
        assert!(is_foreign(&world, &verdict), "{name}, {}, query: {:?}", charset.name(), verdict.findings);
    }
}

#[test]
fn an_id_that_quoted_printable_ate_is_found() {
    let world = World::new();
    let mut letter = Letter::new(&world, 0);
    let head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    letter.parts.push(format!("{head}https://registrar.example/?u=40817299&a=3D1"));
    assert!(is_foreign(&world, &world.judge(0, &letter.bytes())));
}

/// What has a second reading and is clean.
const CLEAN: &[(&str, Put)] = &[
    ("a Korean charset", |l, _| attach(l, "text/plain; charset=ks_c_5601-1987", &EUC_KR.encode("안녕하세요").0)),
    ("a Greek charset", |l, _| attach(l, "text/plain; charset=\"iso_8859-7:1987\"", b"\xc3\xe5\xe9\xdc")),
    ("a charset in meta", |l, _| {
        show(
            l,
            "<meta http-equiv=Content-Type content=\"text/html; charset=ks_c_5601-1987\"><meta charset=csksc56011987>",
        );
    }),
    ("a charset in a word", |l, _| l.header("Subject", "=?ks_c_5601-1987?B?vsiz58fPvLy/5A==?=")),
    ("a signature of PGP", |l, _| {
        l.parts.push(part("application/pgp-signature; name=signature.asc", "7bit",
        "-----BEGIN PGP SIGNATURE-----\r\nVersion: GnuPG v2\r\n\r\niQEzBAEBCAAdFiEE\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n"))
    }),
    ("a signature of S/MIME", |l, _| {
        attach(
            l,
            "application/pkcs7-signature; name=smime.p7s",
            b"\x30\x82\x01\x0a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x82\x00\xfb\x13\x0bExample CA 1",
        )
    }),
    ("own name with ruby", |l, _| {
        show(l, "<p><ruby>山田<rp>(</rp><rt>やまだ</rt><rp>)</rp></ruby> <ruby>太郎丸<rt>たろうまる</rt></ruby> 様</p>")
    }),
    ("hashes and tokens", |l, _| {
        link(l, "h=da39a3ee5e6b4b0d3255bfef95601890afd80709&k=AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY");
        l.header("X-Entity-Ref-ID", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }),
    ("words in brackets", |l, _| say(l, "東京（とうきょう）と大阪（おおさか）で開催します。")),
    ("French in Latin-1", |l, _| {
        raw(l, "text/plain; charset=iso-8859-1", b"Caf\xe9 cr\xe8me \xe0 la fran\xe7aise, d\xe9j\xe0 vu.\r\n")
    }),
    ("an own card", |l, v| {
        l.parts.push(part(
            "text/vcard",
            "8bit",
            &format!(
                "BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:{v}\r\nPHOTO;ENCODING=b:/9j/4AAQSkZJRgABAQ==\r\nEND:VCARD\r\n"
            ),
        ))
    }),
];

#[test]
fn clean_messages_stay_clean_in_every_reading() {
    let world = World::new();
    let mut faults = Vec::new();
    for (name, put) in CLEAN {
        let mut letter = Letter::new(&world, 0);
        put(&mut letter, &world.values(0, "email")[0]);
        let verdict = world.judge(0, &letter.bytes());
        if !verdict.is_cleared() {
            faults.push(format!("{name}: {:?}", verdict.findings));
        }
    }
    assert!(faults.is_empty(), "{} false alarms:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_plus_sign_of_an_own_address_is_no_space() {
    let row = |id: &str, email: &str| [id, email, "", "", "", "", "", ""].map(str::to_owned);
    let rows = [row("40817263", "sales+info@shop.example"), row("40817299", "info@shop.example")];
    let world = World::of(&rows);
    let mut letter = Letter::new(&world, 0);
    link(&mut letter, "email=sales+info@shop.example");
    let verdict = world.judge(0, &letter.bytes());
    assert!(verdict.is_cleared(), "{:?}", verdict.findings);
    link(&mut letter, "email=please+info@shop.example");
    assert!(is_foreign(&world, &world.judge(0, &letter.bytes())));
}
