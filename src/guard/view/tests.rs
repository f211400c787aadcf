//! Every view, every encoding: a table of messages and what must be seen in
//! each; what must not be seen; what cannot be read; and damaged messages.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

fn read(message: &str) -> Views<'_> {
    views(message.as_bytes(), &Limits::default())
}

/// `place = text` of every view.
fn listing(views: &Views<'_>) -> String {
    views.views.iter().map(|v| format!("{} [{:?}] = {:?}\n", v.place, v.shape, v.text)).collect()
}

/// Asserts that a view of this place has this text in it, and nothing was
/// unreadable.
#[track_caller]
fn shows(message: &str, place: &str, text: &str) {
    let views = read(message);
    assert_eq!(views.unreadable, [], "{message}");
    let found = views.views.iter().any(|v| v.place.to_string() == place && v.text.contains(text));
    assert!(found, "no view {place:?} with {text:?} in\n{}", listing(&views));
}

/// Asserts that something is unreadable, for a reason with these words.
#[track_caller]
fn refuses(message: &[u8], words: &str) {
    let views = views(message, &Limits::default());
    assert!(views.unreadable.iter().any(|u| u.why.contains(words)), "{words:?} not in {:?}", views.unreadable);
}

fn html(body: &str) -> String {
    format!("Subject: s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}")
}

fn typed(kind: &str, body: &str) -> String {
    format!("Content-Type: {kind}\r\n\r\n{body}")
}

#[test]
fn headers_are_decoded() {
    for (field, place, text) in [
        ("Subject: plain 12345678", "header Subject", "plain 12345678"),
        ("Subject: =?utf-8?B?5bGx55Sw?=", "header Subject", "山田"),
        ("Subject: =?utf-8?q?a=40b.example?=", "header Subject", "a@b.example"),
        ("Subject: =?utf-8?B?MTIzNA==?=\r\n =?utf-8?B?NTY3OA==?=", "header Subject", "12345678"),
        ("Subject: =?utf-8?B?MTIzNA==?= =?us-ascii?Q?5678?=", "header Subject", "12345678"),
        // A character split between two words.
        ("Subject: =?utf-8?B?5bGx55Q=?= =?utf-8?B?sA==?=", "header Subject", "山田"),
        ("Subject: =?iso-2022-jp?B?GyRCOzNFRBsoQg==?=", "header Subject", "山田"),
        ("Subject: =?shift_jis?B?jlKTYw==?=", "header Subject", "山田"),
        ("Subject: folded\r\n value", "header Subject", "folded value"),
        ("From: \"a \\\"b\\\" c\" <x@y.example>", "header From display name", "a \"b\" c"),
        ("Reply-To: =?utf-8?B?5bGx55Sw?= <x@y.example>", "header Reply-To", "山田 <x@y.example>"),
        ("To: taro@(comment)b.example", "header To", "(comment)"),
        ("X-Own: 12345678", "header field X-Own", "12345678"),
        ("Message-ID: <12345678@a.example>", "header Message-ID", "12345678@a.example"),
        ("List-Unsubscribe: <https://a.example/u?e=t%40b.example>", "header List-Unsubscribe", "e=t@b.example"),
        (
            "List-Unsubscribe: <https://a.example/u?e=t%40b.example>",
            "header List-Unsubscribe, link 1, host",
            "a.example",
        ),
        (
            "List-Unsubscribe: <https://a.example/u?e=dEBiLmV4YW1wbGU>",
            "header List-Unsubscribe, link 1, query e, base64",
            "t@b.example",
        ),
        ("List-Unsubscribe: <mailto:t%40b.example?subject=x>", "header List-Unsubscribe, link 1", "t@b.example"),
        (
            "Content-Type: text/plain; name*=utf-8''%E5%B1%B1%E7%94%B0.txt",
            "header file name in Content-Type",
            "山田.txt",
        ),
        (
            "Content-Disposition: attachment; filename*0*=utf-8''1234; filename*1=5678.txt",
            "header file name in Content-Disposition",
            "12345678.txt",
        ),
        (
            "Content-Disposition: attachment; filename=\"=?utf-8?B?5bGx55Sw?=.txt\"",
            "header file name in Content-Disposition",
            "山田.txt",
        ),
        ("Content-ID: <12345678@a.example>", "header Content-ID", "12345678"),
        ("Content-Description: 12345678", "header Content-Description", "12345678"),
        ("DKIM-Signature: v=1; d=a.example; b=xx", "header DKIM-Signature", "d=a.example"),
    ] {
        shows(&format!("{field}\r\n\r\nbody\r\n"), place, text);
    }
}

#[test]
fn escaped_forms_make_no_tokens_of_their_own() {
    let message = "Subject: =?utf-8?q?=E3=81=82example.com?=\r\n\
        DKIM-Signature: v=1; t=1700000000; bh=aa/12345678+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4=;\r\n\
        \tb=bb/87654321+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pg==\r\n\
        Content-Type: text/html; name*=utf-8''%E3%81%82example.com; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n\
        <a href=3D\"https://a.example/?e=3Dt%2540example.com\">=E3=81=82example.com</a> &#12345;\r\n";
    let all = listing(&read(message));
    for ghost in ["82example", "40example", "1700000000", "12345678", "87654321", "#12345"] {
        assert!(!all.contains(ghost), "{ghost} in {all}");
    }
}

#[test]
fn bodies_are_decoded() {
    let sjis = "Content-Type: text/plain; charset=Shift_JIS\r\nContent-Transfer-Encoding: base64\r\n\r\njlKTYw==\r\n";
    shows(sjis, "text/plain, text", "山田");
    let eucjp =
        "Content-Type: text/plain; charset=EUC-JP\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=BB=B3=C5=C4";
    shows(eucjp, "text/plain, text", "山田");
    shows("Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n\x1b$B;3ED\x1b(B\r\n", "text/plain, text", "山田");
    shows("Subject: x\r\n\r\n\x1b$B;3ED\x1b(B\r\n", "text/plain, text", "山田");
    // Two pieces that were joined: the escapes between them say nothing.
    let joined = "\x1b$B;3\x1b(B\x1b$B\x1b(J\x1b$BED\x1b(B\x1b(B";
    for charset in ["ISO-2022-JP", "iso-2022-jp-ms", "CP50221"] {
        shows(&typed(&format!("text/plain; charset={charset}"), joined), "text/plain, text", "山田");
    }
    for charset in ["cp932", "sjis-win", "windows-31j"] {
        let kind = format!("text/plain; charset={charset}\r\nContent-Transfer-Encoding: base64");
        shows(&typed(&kind, "jlKTYw=="), "text/plain, text", "山田");
    }
    for charset in ["eucJP-ms", "eucJP-win", "CP51932"] {
        let kind = format!("text/plain; charset={charset}\r\nContent-Transfer-Encoding: quoted-printable");
        shows(&typed(&kind, "=BB=B3=C5=C4"), "text/plain, text", "山田");
    }
    shows("Content-Transfer-Encoding: 8bit\r\n\r\n山田\r\n", "text/plain, text", "山田");
    shows("Content-Transfer-Encoding: Base64\r\n\r\nMTIz\r\nNDU2Nzg=\r\n", "text/plain, text", "12345678");
    shows("Content-Transfer-Encoding: quoted-printable\r\n\r\n1234=\r\n5678 =\r\n9", "text/plain, text", "12345678 9");
    shows("Content-Transfer-Encoding: quoted-printable\r\n\r\n1234=  \r\n5678", "text/plain, text", "12345678");
    shows("Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n1234 \r\n5678", "text/plain, text", "12345678");
    shows("\r\n12345678", "text/plain, text", "12345678");
    let utf16 = "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\nMQAyADMANAA=";
    shows(utf16, "text/plain, text", "1234");
    let lie = "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n山田";
    shows(lie, "text/plain, text read as UTF-8", "山田");
}

#[test]
fn html_is_read_in_every_corner() {
    for (body, place, text) in [
        ("12<b>34</b>5678", "text/html, text", "12345678"),
        ("12<wbr>34<!-- x -->5678", "text/html, text", "12345678"),
        ("<p>12345678</p><p>87654321</p>", "text/html, text", "12345678\n87654321"),
        ("<td>12345678</td><td>87654321</td>", "text/html, text", "12345678\n87654321"),
        ("山田<br>太郎", "text/html, text", "山田\n太郎"),
        ("&#49;2345&#x36;78 &commat;&period;", "text/html, text", "12345678 @."),
        ("<i>example.com</i><b>5</b>", "text/html, text cut at tags", "example.com\n5"),
        ("<td>1</td> <td>2</td><td>34</td><tr>", "text/html, text of boxes", "1234"),
        ("<div style='display:none'>12345678</div>", "text/html, text", "12345678"),
        ("<title>12345678</title>", "text/html, text", "12345678"),
        ("<textarea>12345678</textarea>", "text/html, text", "12345678"),
        ("<!-- 12345678 -->", "text/html, comment 1", "12345678"),
        ("<!-- 12<b>34</b>5678 -->", "text/html comment 1, text", "12345678"),
        ("<!--[if mso]>12<b>34</b>5678<![endif]-->", "text/html comment 1, text", "12345678"),
        (
            "<!--[if mso]><a href='https://%61.example'>x</a><![endif]-->",
            "text/html comment 1, link 1, host",
            "a.example",
        ),
        ("<noscript>12<b>34</b>5678</noscript>", "text/html noscript, text", "12345678"),
        ("<style>.a::after{content:'\\31 2345678'}</style>", "text/html, style sheet", "12345678"),
        ("<style>@import 'https://%61.example/x';</style>", "text/html, style sheet, link 1, host", "a.example"),
        ("<p style='background:url(/p/%31234)'>", "text/html, resource 1, path", "/p/1234"),
        ("<script type='application/ld+json'>{\"n\":\"\\u5c71\\u7530\"}</script>", "text/html, script", "山田"),
        ("<script>x='<b>12</b>34'</script>", "text/html script, text", "1234"),
        ("<img alt='&#x5c71;田'>", "text/html, attribute alt", "山田"),
        ("<p title=12345678>", "text/html, attribute title", "12345678"),
        ("<p data-id=12345678>", "text/html, attribute data-id", "12345678"),
        ("<p data-x='MTIzNDU2Nzg='>", "text/html, attribute data-x, base64", "12345678"),
        ("<p data-x='3132333435363738'>", "text/html, attribute data-x, hex", "12345678"),
        ("<p id=x12345678>", "text/html, attribute id", "x12345678"),
        ("<meta content='0; url=/u/%31234'>", "text/html, attribute content, path", "/u/1234"),
        ("<img srcset='/a 1x, https://b.example/c 2x'>", "text/html, resource 2, host", "b.example"),
        ("<td background='//b.example/c'>", "text/html, resource 1, host", "b.example"),
        ("<x foo='12345678", "text/html, source", "12345678"),
        ("<?xml 12345678 ?>", "text/html, comment 1", "12345678"),
        ("see https://a.example/x?e=t%40b.example。", "text/html, text", "e=t@b.example"),
    ] {
        shows(&html(body), place, text);
    }
}

#[test]
fn urls_are_taken_apart() {
    for (url, place, text) in [
        ("https://u12345678@a.example:8080/", "link 1, user", "u12345678"),
        ("https://A.example:8080/", "link 1, host", "A.example"),
        ("https://%61.example./x", "link 1, host", "a.example."),
        ("https://例え.テスト/x", "link 1, host", "例え.テスト"),
        ("HTTPS:\\\\a.example\\x", "link 1, host", "a.example"),
        ("https://a.exa&#10;mple/", "link 1, host", "a.example"),
        ("//a.example/x", "link 1, host", "a.example"),
        ("app://a.example/12345678", "link 1, path", "/12345678"),
        ("/u/12%333", "link 1, path", "/u/123"),
        ("https://a.example/u/MTIzNDU2Nzg/x", "link 1, path, base64", "12345678"),
        ("https://a.example/u/dEBiLmV4YW1wbGU.c2ln", "link 1, path, base64", "t@b.example"),
        ("?e=t%40b.example", "link 1, query e", "t@b.example"),
        ("?e=t%2540b.example", "link 1, query e", "t@b.example"),
        ("?e=t%252540b.example", "link 1, query e", "t@b.example"),
        ("?n=Anna+Example", "link 1, query n, form", "Anna Example"),
        ("?p=+813", "link 1, query p", "+813"),
        ("?12345678", "link 1, query ", "12345678"),
        ("?a=1&amp;id=12345678", "link 1, query id", "12345678"),
        ("?e=MTIzNDU2Nzg%3D", "link 1, query e, base64", "12345678"),
        ("?e=5bGx55Sw5aSq6YOO", "link 1, query e, base64", "山田太郎"),
        ("?e=Pz8_Pz8-Pj4-", "link 1, query e, base64", "?????>>>>"),
        ("?e=7440622e6578616d706c65", "link 1, query e, hex", "t@b.example"),
        ("?u=https%3A%2F%2Fb.example%2Fx", "link 1, query u, host", "b.example"),
        ("#id=12345678", "link 1, query id", "12345678"),
        ("mailto:t%40b.example?cc=c@d.example", "link 1", "t@b.example"),
        ("mailto:t@b.example?cc=c%40d.example", "link 1, query cc", "c@d.example"),
        ("tel:+81-3-1234-5678", "link 1", "+81-3-1234-5678"),
        ("cid:12345678", "link 1", "12345678"),
        ("data:text/plain;base64,MTIzNDU2Nzg=", "link 1", "12345678"),
        ("data:,1234%35678", "link 1", "12345678"),
        ("javascript:go('\\x31234')", "link 1", "1234"),
    ] {
        shows(&html(&format!("<a href=\"{url}\">x</a>")), &format!("text/html, {place}"), text);
    }
    let plain = "Subject: x\r\n\r\nhttps://a.example/u?e=t%40b.example&x=MTIzNDU2Nzg をご覧ください\r\n";
    shows(plain, "text/plain, text", "e=t@b.example");
    shows(plain, "text/plain, link 1, host", "a.example");
    shows(plain, "text/plain, link 1, query x, base64", "12345678");
    let prose = "Subject: x\r\n\r\nhttps://a.exampleをご覧ください\r\n";
    assert!(read(prose).views.iter().all(|v| v.shape != Shape::Host), "a host with prose in it");
}

#[test]
fn base64_and_hex_round_trip() {
    for value in ["12345678", "taro@example.jp", "山田太郎", "+81312345678", "{\"id\":\"12345678\"}"] {
        let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
        for packed in [STANDARD.encode(value), URL_SAFE_NO_PAD.encode(value), hex] {
            let mut found = Vec::new();
            super::hidden::values(&packed, |_, text| found.push(text));
            assert!(found.iter().any(|text| text == value), "{packed}: {found:?}");
        }
    }
}

fn multipart(parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|p| format!("--b\r\n{p}\r\n")).collect();
    format!("Content-Type: multipart/mixed; boundary=b\r\n\r\npre 11111111\r\n{parts}--b--\r\nepi 22222222\r\n")
}

#[test]
fn the_structure_is_followed() {
    let mail = multipart(&[
        "Content-Type: text/plain\r\n\r\nfirst",
        "Content-Type: text/csv; name=a.csv\r\n\r\nid\r\n12345678",
        "Content-Type: text/calendar\r\n\r\nSUMMARY:1234\r\n 5678\\, x",
        "Content-Type: text/vcard\r\n\r\nFN;ENCODING=QUOTED-PRINTABLE:=E5=B1=B1",
        "Content-Type: application/json\r\n\r\n{\"a\":\"\\u5c71\"}",
        "Content-Type: application/xml\r\n\r\n<a b='12&#51;'>45<title/>6</a>",
        "Content-Type: application/octet-stream; name=x.csv\r\n\r\n33333333",
        "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=44444444.txt\r\n\r\nsecond",
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: text/html\r\n\r\n1<b>2</b>",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeAoKNTU1NTU1NTU=",
        "Content-Type: multipart/alternative; boundary=\"b c\"\r\n\r\n--b c\r\n\r\nnested\r\n--b c--",
    ]);
    for (place, text) in [
        ("multipart/mixed, preamble", "11111111"),
        ("multipart/mixed, epilogue", "22222222"),
        ("header Content-Type parameter boundary", "b"),
        ("text/plain, text", "first"),
        ("text/csv, text", "12345678"),
        ("text/csv header file name in Content-Type", "a.csv"),
        ("text/calendar, text", "12345678, x"),
        ("text/vcard, text", "山"),
        ("application/json, text", "山"),
        ("application/xml, attribute b", "123"),
        ("application/xml, text", "45\n6"),
        ("application/octet-stream, text", "33333333"),
        ("text/plain header file name in Content-Disposition", "44444444.txt"),
        ("text/plain (2), text", "second"),
        ("message/rfc822 header Subject", "inner"),
        ("message/rfc822 > text/html, text", "12"),
        ("message/rfc822 (2) > text/plain, text", "55555555"),
        ("text/plain (3), text", "nested"),
    ] {
        shows(&mail, place, text);
    }
    let digest = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n";
    shows(digest, "message/rfc822 header Subject", "inner");
}

#[test]
fn what_cannot_be_read_is_said() {
    for (message, words) in [
        (typed("image/png", "x"), "not text"),
        (typed("application/octet-stream; name=x.bin", "x"), "not text"),
        (typed("application/pkcs7-mime", "x"), "encrypted"),
        (typed("multipart/encrypted; boundary=b", "--b\r\n\r\nx\r\n--b--"), "encrypted"),
        (typed("multipart/mixed; boundary=b", "no delimiter"), "told apart"),
        (typed("multipart/mixed", "no boundary"), "told apart"),
        (typed("text/plain; charset=klingon", "x"), "charset"),
        (typed("text/plain\r\nContent-Transfer-Encoding: base64", "@@@"), "base64"),
        (typed("text/plain\r\nContent-Transfer-Encoding: quoted-printable", "a=ZZ"), "quoted-printable"),
        (typed("text/plain\r\nContent-Transfer-Encoding: x-uuencode", "x"), "transfer encoding"),
        (typed("text/plain\r\nContent-Type: text/html", "x"), "two different Content-Type"),
        (typed("message/external-body", "x"), "elsewhere"),
        (typed("text/plain; name*=euc-jp''%BB", "x"), "charset does not know"),
        (typed("text/plain", "begin 644 a.bin\r\n"), "uuencoded"),
        (typed("text/html", "<img src='data:image/png;base64,AAAA'>"), "embeds"),
        ("Subject: =?utf-8?B?@@?=\r\n\r\nx".into(), "encoded-word"),
        ("Subject: =?klingon?B?AAAA?=\r\n\r\nx".into(), "charset"),
        ("From nobody\r\nSubject: x\r\n\r\nx".into(), "no header field"),
        (multipart(&vec!["Content-Type: text/plain\r\n\r\nx"; 201]), "more parts"),
        (nest("multipart/mixed", 11), "deeper"),
        (nest("message/rfc822", 11), "deeper"),
    ] {
        refuses(message.as_bytes(), words);
    }
    refuses(b"Subject: x\r\n\r\n\xff\xfe", "UTF-8");
    refuses(b"Subject: \xff\r\n\r\nx", "UTF-8");
    refuses(b"Content-Type: text/plain; charset=shift_jis\r\n\r\n\x81", "charset does not know");
    refuses(&vec![b'x'; 10_000_001], "larger than 10000000 bytes");
}

fn nest(kind: &str, depth: usize) -> String {
    (0..depth).fold("\r\nx".into(), |inner, n| match kind {
        "message/rfc822" => format!("Content-Type: {kind}\r\n\r\n{inner}"),
        _ => format!("Content-Type: {kind}; boundary=b{n}z\r\n\r\n--b{n}z\r\n{inner}\r\n--b{n}z--"),
    })
}

#[test]
fn limits_of_text_hold_too() {
    let limits = Limits { views_max: 3, ..Limits::default() };
    let mail = html("<b a=1 b=2 c=3 d=4>");
    assert!(views(mail.as_bytes(), &limits).unreadable.iter().any(|u| u.why.contains("more text")));
    let limits = Limits { view_bytes_max: 10, ..Limits::default() };
    assert!(views(mail.as_bytes(), &limits).unreadable.iter().any(|u| u.why.contains("more text")));
    let ordinary = views(mail.as_bytes(), &Limits::default());
    assert_eq!(ordinary.unreadable, []);
}

#[test]
fn prose_is_visible_and_the_rest_is_not() {
    let mail = html("<p title='t'>text</p><!-- c --><a href='https://a.example/'>l</a><i>a</i><b>b</b>");
    for (place, shape) in [
        ("header Subject", Shape::Visible),
        ("text/html, text", Shape::Visible),
        ("text/html, attribute title", Shape::Visible),
        ("text/html, source", Shape::Loose),
        ("text/html, comment 1", Shape::Hidden),
        ("text/html, link 1, host", Shape::Host),
        ("text/html, text cut at tags", Shape::Loose),
    ] {
        let views = read(&mail);
        assert!(
            views.views.iter().any(|v| v.place.to_string() == place && v.shape == shape),
            "{place}\n{}",
            listing(&views)
        );
    }
}

#[test]
fn nothing_is_shown_twice_that_need_not_be() {
    let mail = html(
        "<a style='color:red' href='https://a.example/'>1</a><a style='color:red' href='https://a.example/'>2</a>",
    );
    let views = read(&mail);
    let count = |text: &str| views.views.iter().filter(|v| v.text == text).count();
    assert_eq!((count("color:red"), count("a.example")), (1, 1));
}

#[test]
fn template_literals_keep_their_gaps() {
    let mut out = Vec::new();
    html_views("<a href='https://a.example/u/\u{fffc}?e=\u{fffc}%40b.example'>\u{fffc}様</a>", "body.html", &mut out);
    let has = |place: &str, text: &str| out.iter().any(|v| v.place.to_string() == place && v.text == text);
    assert!(has("body.html, text", "\u{fffc}様"), "{out:?}");
    assert!(has("body.html, link 1, path", "/u/\u{fffc}"), "{out:?}");
    assert!(has("body.html, link 1, query e", "\u{fffc}@b.example"), "{out:?}");
    assert!(out.iter().any(|v| v.place.view == "source"));
}

/// A message with everything in it.
fn rich() -> String {
    multipart(&[
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5bGx55Sw5qeYIGh0dHBzOi8vYS5leGFtcGxlLz9lPWElNDA=",
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         <style>a{b:url(x)}</style><!--[if mso]><p>=E5=B1=B1</p><![endif]--><a href=3D\"https://a.example/x?y=3Dz%40\" \
         data-x=3D\"MTIzNDU2Nzg=3D\">=E7=94=B0&amp;&#x31;</a><script>{\"a\":\"\\u5c71\"}</script>",
        "Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?B?5bGx55Sw?= =?utf-8?Q?=E5?=\r\n\r\n\x1b$B;3ED\x1b(B",
        "Content-Type: text/calendar; name*0*=utf-8''%E5; name*1=x\r\n\r\nA:B\r\n C\\n",
        "Content-Type: multipart/digest; boundary=q\r\n\r\n--q\r\n\r\nA: b\r\n\r\nc\r\n--q--",
    ])
}

#[test]
fn damaged_messages_are_read_without_panic() {
    let whole = rich().into_bytes();
    let signs: &[u8] = b"=?&#%\\<>\"'-:;\r\n\0\xff\x1b \xe5/@";
    for seed in 0..3000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..20) {
            let at = random.usize(..bytes.len());
            match random.u8(..5) {
                0 => bytes[at] = random.u8(..),
                1 => bytes[at] = signs[random.usize(..signs.len())],
                2 => bytes.insert(at, signs[random.usize(..signs.len())]),
                3 => bytes.truncate(at.max(1)),
                _ => {
                    let end = random.usize(at..bytes.len());
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let views = views(&bytes, &Limits::default());
        let shown: usize = views.views.iter().map(|v| v.text.len()).sum();
        // What is damaged is read in every charset that it may be in.
        assert!(shown < 192 * bytes.len() + 4096, "seed {seed}: {shown} bytes shown of {}", bytes.len());
    }
}

/// How long this thread was on a processor, in nanoseconds: proc(5), `schedstat`.
fn on_processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn repetition_costs_linear_time() {
    // Each of these is quadratic, or overflows a stack, in a naive reader.
    for unit in [
        "Content-Type: message/rfc822\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        "=?a?b?x",
        "=?utf-8?Q?=",
        " \r\n",
        "<!--",
        "<!--[if",
        "<a href='",
        "http://",
        "url(",
        "%25",
        "&#",
        "\\u",
        "<script>",
        "a:\r\n ",
        "mailto:",
        "<td>1",
        "begin ",
        "(",
        "\"",
        "<title>",
        "-- ",
    ] {
        for head in
            ["", "Subject: ", "From: ", "Content-Type: ", "Content-Type: text/html\r\n\r\n", "Subject: x\r\n\r\n"]
        {
            let mail = format!("{head}{}", unit.repeat(400_000 / unit.len()));
            let started = on_processor();
            let _ = read(&mail);
            let ms = (on_processor() - started) / 1_000_000;
            assert!(ms < 5000, "{head:?} and {unit:?} repeated take {ms} ms");
        }
    }
}
