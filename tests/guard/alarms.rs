//! What a clean message may have in it: none of it is held.

use kakitome::guard::{Literal, Rule};
use kakitome::key::{Link, Purpose};

use super::letter::{Letter, part, word};
use super::world::{World, terms};

/// Snippets of a text part.
const TEXT: &[&str] = &[
    "ご請求額は ¥12,345,678 です。",
    "ご請求額は12,345,678円（税込）です。",
    "合計 1,234 円、送料 550 円、総計 1,784 円",
    "Total: USD 10,500.00 (EUR 9,812.44)",
    "株価 1234.5678、為替 151.12345678",
    "0.12345678 BTC",
    "192.0.2.7 - - \"GET /index.html HTTP/1.1\" 408 17299 \"-\"",
    "更新期限: 2026-12-31",
    "更新期限: 2026/12/31",
    "更新期限: 2026.12.31",
    "更新期限: 2026年12月31日（木）",
    "更新期限: 令和8年12月31日",
    "Valid 31-12-2026 to 12/31/2027",
    "Thu, 31 Dec 2026 23:59:59 +0900",
    "2026-12-31T23:59:59+09:00",
    "2026-12-31 23:59:59",
    "期間: 2026年1月1日 10:00 ～ 2026年1月31日 18:00",
    "受付時間 10:00-18:00（土日祝を除く）",
    "Version 1.2.3 and 10.15.7, then 2.0.0-rc.1",
    "バージョン1.2.3をご利用ください。",
    "PHP8.3、Python3.12、v1.20.300 に対応しました。",
    "手順は guide_2026.pdf と README.txt をご覧ください。",
    "設定は/etc/app.confとindex.htmlです。",
    "添付の請求書.pdfをご覧ください。",
    "main.jsとstyle.cssを更新しました。",
    "色は #1a2b3c と #FFFFFF、#123456 です。",
    "問い合わせ番号 550e8400-e29b-41d4-a716-446655440000",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "SHA-256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "md5 e99a18c428cb38d5f260853678922e03",
    // Account 1's telephone number is 03-3234-5678.
    "e7f332345678a1 0b0332345678c2 3f2504e0-4f89-11d3-9a0c-810332345678",
    "〒123-4567 東京都千代田区1-2-3 サンプルビル4F",
    "郵便番号 1234567",
    "注文番号: 123456789012",
    "ご注文 408172991234 を承りました。",
    "Order 2026-0001-7",
    "管理番号 A-12345-B",
    "9f40817299ab と c40817299d3e は番号ではありません。",
    "99940817299 や 408172990000 も同じです。",
    "1.40817299 と 40817299.5 は小数です。",
    "お客様各位",
    "皆様には大変お世話になっております。",
    "会員各位、会員の皆さま、みなさま、お客さま",
    "Dear customer,",
    "Dear valued customers,",
    "Hello everyone,",
    "Hi there!",
    "様々なサービス、同様の仕様、王様、神様、ご様子、多様な様式",
    "お客様、ご担当者様、管理者様、契約者様、ご家族様へ",
    "たくさんのお問い合わせ、みなさん、お子さんもどうぞ。",
    "ご協力いただいた皆様方に御礼申し上げます。",
    "登録者名義人様のご確認をお願いします。",
    "です．次に，設定を行います．",
    "ありがとうございます.またのご利用をお待ちしております.",
    "e.g. this, i.e. that, a.m./p.m., U.S.A., Ph.D., etc. and so on.",
    "IP 192.0.2.1 と 2001:db8::1",
    "ISBN 978-4-00-000000-0、JAN 4901234567894",
    "1 2 3 4 5 6 7 8 9 10 11 12",
    "| 1月 | 2月 | 3月 |\r\n| 100 | 200 | 300 |",
    "東京、大阪、名古屋、福岡、札幌に店舗があります。",
    "割引率は50%、70%、90%OFFです。100%保証。",
    "--------------------------------------------------",
    "━━━━━━━━━━━━━━━━━━━━━",
    "※1 ※2 (*3) [4] 【5】<6>",
    "価格は90,817,263円です。",
    "None of the above applies. There is no null hypothesis.",
    "[OK] と [NEW]、[PR] が付きます。",
    "3/4/5 のいずれか、1:23:45、12'34\"",
    "100,000,000 100,000,001",
    "停止 03-11-2026 02:00、再開 31-12-2026 9:30、Start: 03.11.2026 02:15",
    "協定世界時：2026-03-10 02:00–2027-05-03 9:30",
    "最終更新 2026-05-30 07:05（203.0.113.9 から）、(203.0.113.200)",
    // Account 1's ID is 40817299.
    "550e840a-4081-7299-a716-446655440000 と 40817299-e29b-41d4-a716-446655440000",
    "監視 ID：40817299-e29b-41d4-a716-446655440000, request_id=40817299-e29b-41d4-a716-44665544000a",
    "@ 3600 IN DS 40817 29 9 9F86D081884C7D65",
    "CVE-2026-1234 と CVE-2024-4081 に対応しました。",
    "ご紹介者様・お友だち様の両方に進呈します。ご応募者様、ご購入者様へ",
    "ご紹介者様とお友\r\nだち様へ、ご登録\r\n者様へ",
    "03:00から05:00まで停止します。",
    "© 2001-2026 と 1999–2026",
    "お客様 2026-12-31 までに、会員 12,345,678 名、No. 1、No. 2",
    "郵便番号 123-4567 1-2-3",
    "ご契約。Standardプランと、更新。Pro版",
];

/// Snippets of an HTML part.
const HTML: &[&str] = &[
    "<td style=\"color:#12345678;width:12345678px;margin:0 0 0 10px\">x</td>",
    "<style>@media (max-width:600px){.a{font:12px/1.5 sans-serif}} p{color:#fff}</style>",
    "<!--[if mso]><table width=\"600\"><tr><td><![endif]-->",
    "<img src=\"https://registrar.example/i/banner_2026.png\" width=1 height=1 alt=\"お知らせ\">",
    "<a href=\"https://registrar.example/c?t=9f86d081884c7d659a2feaa0c55ad015\">x</a>",
    "<a href=\"https://registrar.example/c/550e8400-e29b-41d4-a716-446655440000\">x</a>",
    "<a href=\"https://registrar.example/c?t=MTIzNDU2Nzg5MGFiY2RlZg\">x</a>",
    "<a href=\"https://registrar.example/news/2026/12/31/index.html?utm_source=mail&amp;utm_campaign=20261231\">x</a>",
    "<p>exam<b>ple</b> と 12<b>34</b></p>",
    "<table><tr><td>4081</td><td>7298</td></tr><tr><td>03</td><td>3234</td><td>5670</td></tr></table>",
    "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\">",
    "<script type=\"application/ld+json\">{\"@context\":\"x\",\"@type\":\"Offer\",\"price\":\"12345.67\"}</script>",
    "&copy; 2026&nbsp;Example&reg; &yen;12,345,678",
    "<p>お客様<br>いつもありがとうございます。</p>",
    "<p>いつもご利用\r\nありがとうございます。お客\r\n様</p><pre>Dear customer,\r\nthank you</pre>",
];

#[test]
fn clean_text_is_cleared() {
    let world = World::new();
    world.clears_all(TEXT.iter().flat_map(|snippet| [(0, *snippet), (2, *snippet)]), |letter, snippet| {
        letter.text.push_str(&format!("\r\n{snippet}\r\n"));
        letter.html.push_str(&format!("<p>{}</p>", snippet.replace('<', "&lt;")));
    });
}

/// Text made from HTML is broken where the margin falls, in a name too.
#[test]
fn an_own_name_broken_into_lines_is_cleared_and_anothers_is_not() {
    let world = World::new();
    let says = |text: &str| {
        let mut letter = Letter::new(&world, 0);
        letter.text.push_str(&format!("\r\n{text}\r\n"));
        world.judge(0, &letter.bytes())
    };
    for own in ["毎度、株式会社ミドリ木\r\n材 御中", "いつもの山田\r\n太郎\r\n丸 様", "山\r\n田様"]
    {
        let verdict = says(own);
        assert!(verdict.is_cleared(), "{own}: {:?}", verdict.findings);
    }
    for other in [
        "いつもの花子\r\n&shy;様",
        "いつもの花子\r\n\u{200b}様",
        "いつもの山田\r\n\r\n健 様",
        "山田\r\n花子 様",
        "毎度、株式会社ミドリ\r\n工務店 御中",
    ] {
        assert!(says(other).findings.iter().any(|f| f.rule == Rule::Salutation), "{other}");
    }
}

/// An own name stands beside other words where one is written to.
#[test]
fn an_own_name_among_the_words_of_a_salutation_is_cleared() {
    let world = World::new();
    let own = [
        (0, "株式会社ミドリ木材 総務部 御中"),
        (0, "株式会社ミドリ木材 管理部門 御中"),
        (0, "株式会社ミドリ木材 カスタマーサポート 御中"),
        (0, "ミドリ木材 ドメイン管理窓口 御中"),
        (2, "Ashgrove Foundry Ltd 営業部 御中"),
        (2, "Ashgrove Foundry Ltd. カスタマーサポート御中"),
        (2, "Ashgrove Foundry 営業部 御中"),
        (2, "Dear Ada Ashgrove Jr.,"),
        (0, "株式会社ミドリ木材 マーケティング 御中"),
        (3, "Dear Beatrice O&rsquo;Longfellow,"),
        (2, "Ashgrove Foundry Ltd. Support 御中"),
        (2, "Dear Ashgrove Foundry team,"),
        (2, "Hi Ada Ashgrove – your renewal is due"),
        (2, "Dear Mrs Ada Ashgrove PhD,"),
        (2, "Dear Ms. Ada Ashgrove, Esq.,"),
        (0, "㈱ミドリ木材　ご請求センター御中"),
        (0, "ミドリ木材 御中"),
        (0, "ミドリ木材 山田様"),
        (0, "ご請求書_山田太郎丸様"),
        (0, "■山田 太郎丸様のご契約状況"),
        (0, "★山田太郎丸 様"),
        (0, "代表山田 太郎丸様"),
        (0, "株式会社ミドリ木材 ご担当者様"),
        (0, "㈱ミドリ木材 総務部　御担当者様"),
        (2, "Dear Ashgrove Foundry,"),
        (2, "Dear Ashgrove Foundry, Limited"),
        (3, "Dear Longfellow and Daughters Inc,"),
        (3, "Hi Beatrice O’Longfellow!"),
        (3, "Hey Beatrice, welcome!"),
        (3, "Welcome back, Beatrice O’Longfellow!"),
        (3, "Hello, Ms. O’Longfellow."),
        (3, "Dear Customer 62900018,"),
        (3, "Dear Customer ID 62900018,"),
        (3, "Dear account holder no. 62900018,"),
        (3, "Dear owner of longfellow-books.example,"),
        (3, "Dear longfellow-books.example owner,"),
        (3, "Dear Ms. B. O’Longfellow,"),
        (0, "会員40817263様、お客様番号40817263様"),
        (0, "殿様とお一人様、他社様"),
        (3, "Welcome to Example Registrar, enjoy"),
        (2, "Hi Ada 👋,"),
        (2, "Hi 👋 Ada!"),
        (2, "Dear **Ada Ashgrove**,"),
        (2, "Hi Ada Ashgrove and welcome"),
        (2, "Dear Ada Ashgrove 様,"),
        (2, "Dear A.A. Ashgrove,"),
        (2, "■Ada Ashgrove様"),
        (2, "≪Ada Ashgrove様≫"),
        (0, "★山田様"),
        (0, "♪山田様"),
    ];
    world.clears_all(own, |letter, line| letter.text.push_str(&format!("\r\n{line}\r\n")));
    world.clears_all([(0, "ご案内_山田太郎丸様.txt")], |letter, file| {
        letter.parts.push(part(&format!("text/plain; name=\"{}\"", word(file)), "8bit", "x"));
    });
    for (account, other) in [
        (0, "株式会社ミドリ建材 総務部 御中"),
        (0, "株式会社ミドリ木材 佐藤商店 御中"),
        (0, "ご請求書_山田花子様"),
        (2, "Dear Ashgrove Forge,"),
        (2, "Hey Bea!"),
        (2, "Hello, Bea!"),
        (2, "\"Hi Bea, how are you\""),
        (2, "Welcome back, Bea."),
        (2, "Thank you, Bea!"),
        (2, "Dear owner of Bea,"),
        (2, "Dear B. Ashgrove,"),
        (2, "Dear B.A. Ashgrove,"),
        (2, "Hi Bea 👋,"),
        (2, "★山田様"),
        (2, "会員の山田様"),
        (2, "Dear Customer 62900018,"),
    ] {
        let mut letter = Letter::new(&world, account);
        letter.text.push_str(&format!("\r\n{other}\r\n"));
        let verdict = world.judge(account, &letter.bytes());
        assert!(verdict.findings.iter().any(|f| f.rule == Rule::Salutation), "{other}");
    }
}

/// A sentence ends in `。` right before a Latin word, and something of the account's own
/// stands in it; with a dot there it may be somebody's host.
#[test]
fn a_sentence_that_ends_before_a_latin_word_is_cleared() {
    let world = World::new();
    let lines = [
        "会員番号40817263です。TEL:03-0000-0000",
        "期限は2026-12-31です。Web",
        "期限は2026-12-31。Webで更新",
        "対象ドメインはmidori-mokuzai.exampleです。DNSの設定を",
        "残り3日。Zoomで",
        "3日です｡https://registrar.example/ をご覧ください",
        "山田 太郎丸です。Ｗｅｂサイトで",
        "会員番号40817263です。ストア",
    ];
    let own = lines.map(|line| (0, line));
    world.clears_all(own, |letter, line| letter.text.push_str(&format!("\r\n{line}\r\n")));
    world.clears_all(own, |letter, line| letter.html.push_str(&format!("<p>{line}</p>")));
    for line in ["会員番号40817263です.web", "青空。test", "3日です。midori.testへ"] {
        let mut letter = Letter::new(&world, 0);
        letter.text.push_str(&format!("\r\n{line}\r\n"));
        let held = !world.judge(0, &letter.bytes()).is_cleared();
        assert_eq!(held, line != "青空。test", "{line}");
    }
}

/// A name in katakana has a dot between its parts.
#[test]
fn an_own_name_with_a_middle_dot_is_cleared() {
    let mut row =
        ["10000001", "anna@harbour.example", "", "harbour.example", "", "アンナ・サンプル", "", ""].map(str::to_owned);
    row[6] = "サンプル・ジャパン合同会社".into();
    let world = World::of(&[row]);
    let own = ["アンナ・サンプル 様", "アンナ サンプル様", "Dear アンナ・サンプル,", "サンプル・ジャパン合同会社 御中"];
    world.clears_all(own.map(|line| (0, line)), |letter, line| letter.text.push_str(&format!("\r\n{line}\r\n")));
}

/// A sub-domain of a name that begins in ASCII and goes on in another script, and an own
/// domain behind and before a dash.
#[test]
fn an_own_domain_among_others_letters_is_cleared() {
    let row =
        ["10000001", "ada@harbour.example", "", "webショップ.example;cafébar.test", "", "", "", ""].map(str::to_owned);
    let other = ["10000002", "ann@shop.example", "", "shop.example", "", "", "", ""].map(str::to_owned);
    let third = ["10000003", "eve@my-shop.example", "", "my-shop.example", "", "", "", ""].map(str::to_owned);
    let domains = "雪国-sake.example;ビール・bar.example;すし-ya.example";
    let fourth = ["10000004", "uma@harbour.example", "", domains, "", "", "", ""].map(str::to_owned);
    let domains = "ya.example;北野フーズ.example;strauß.test;タナカ・ケンセツ.example";
    let fifth = ["10000005", "kei@harbour.example", "", domains, "", "", "", ""].map(str::to_owned);
    let sixth = ["10000006", "ken@harbour.example", "", "ケンセツ.example", "", "", "", ""].map(str::to_owned);
    let world = World::of(&[row, other, third, fourth, fifth, sixth]);
    world.clears_all(
        [
            (0, "www.webショップ.example"),
            (0, "https://www.cafébar.test/"),
            (0, "ns1.webショップ.exampleの更新"),
            (2, "zone-my-shop.example.txt"),
            (2, "my-shop.example-2026.pdf"),
            (2, "<mailto:unsub+my-shop.example@registrar.example>"),
            (2, "renew-my-shop.example@registrar.example"),
            (2, "STAR_my-shop_example.zip とmy-shop.example.access.log"),
            (2, "対象：zone-my-shop.example.p12です"),
            (3, "雪国-sake.exampleとビール・bar.example"),
            (3, "https://すし-ya.example/"),
            (3, "・すし-ya.example"),
        ],
        |letter, text| letter.text.push_str(&format!("\r\n{text}\r\n")),
    );
    for (account, other) in [
        (0, "my-shop.example.txt"),
        (0, "zone-shop.example.txt"),
        (0, "shop.example-chain.pem"),
        (0, "shop.example.fullchain.pem"),
        (0, "my-shop.example.2026.sql.gz"),
        (0, "my-shop.example.access.log"),
        (0, "my-shop.example.2026-11-26.log"),
        (0, "my-shop.example.zip.001"),
        (0, "my-shop.example.part1.rar"),
        (0, "my-shop.example.zip"),
        (0, "北野フーズ.example-2026"),
        (0, "北野フーズ.example–更新"),
        (0, "北野フーズ.example—expired"),
        (0, "20261126-strauß.test.p12"),
        (5, "タナカ・ケンセツ.example"),
    ] {
        let mut letter = Letter::new(&world, account);
        letter.text.push_str(&format!("\r\n{other}\r\n"));
        let found = world.judge(account, &letter.bytes()).findings;
        assert!(found.iter().any(|f| f.rule == Rule::Foreign), "{other}: {found:?}");
    }
}

/// The owner of `ada-ashgrove.test` need not be Ada Ashgrove.
#[test]
fn an_own_domain_that_spells_anothers_name_is_cleared() {
    let ada = ["10000001", "ada@harbour.example", "", "harbour.example", "", "Ada Ashgrove", "", ""].map(str::to_owned);
    let fan = ["10000002", "fan@ada-ashgrove.test", "", "ada-ashgrove.test", "", "", "", ""].map(str::to_owned);
    let world = World::of(&[ada, fan]);
    let link = |path: &str| format!("<a href=\"https://registrar.example/{path}\">x</a>");
    let own = link("renew/ada-ashgrove.test");
    world.clears_all([(1, own.as_str())], |letter, html| letter.html.push_str(html));
}

#[test]
fn clean_html_is_cleared() {
    let world = World::new();
    world.clears_all(HTML.iter().map(|snippet| (0, *snippet)), |letter, snippet| letter.html.push_str(snippet));
}

#[test]
fn clean_subjects_and_file_names_are_cleared() {
    let world = World::new();
    for subject in [
        "【重要】2026年12月のお知らせ",
        "Version 2.0.1 of our terms",
        "お客様へ: ¥1,000クーポン",
        "更新のご案内 [No.123]",
    ] {
        let mut letter = Letter::new(&world, 0);
        letter.header("Subject", &word(subject));
        letter.parts.push(part("text/csv; name=\"report_20261231.csv\"", "8bit", "月,件数\r\n1,100\r\n2,200"));
        let verdict = world.judge(0, &letter.bytes());
        assert!(verdict.is_cleared(), "{subject}: {:?}", verdict.findings);
    }
}

/// What the template says by itself explains itself, wherever it stands.
#[test]
fn literal_text_explains_itself() {
    const LITERAL: &[&str] = &[
        "Node.js、ASP.NET、Next.js に対応しました。",
        "詳しくは https://www.partner-site.test/guide をご覧ください。",
        "お問い合わせ: support@help-desk.test / 03-5234-5678",
        "ドメイン例: example.com、日本語.test",
        "新サービス「サンプル.みんな」",
        "担当: 田中様、佐藤さん",
        "サポート番号 12345678",
        "田中様の声: とても便利です。",
    ];
    let world = World::new();
    for literal in LITERAL {
        let mut terms = terms();
        terms.literal.push(Literal { html: false, text: (*literal).to_owned() });
        let mut letter = Letter::new(&world, 0);
        letter.text.push_str(&format!("{literal}\r\n"));
        letter.html.push_str(&format!("<p>{literal}</p>"));
        let verdict = world.judge_with(0, &letter.bytes(), &terms);
        assert!(verdict.is_cleared(), "{literal}: {:?}", verdict.findings);
    }
    // Without the template most of them are not explained.
    let mut letter = Letter::new(&world, 0);
    letter.text.push_str(LITERAL[1]);
    let verdict = world.judge(0, &letter.bytes());
    assert!(verdict.findings.iter().any(|f| f.rule == Rule::Unexplained), "{:?}", verdict.findings);
}

/// The MAC of this token holds `kt1-`, the prefix that tokens are known by.
#[test]
fn a_token_that_holds_the_prefix_by_chance_is_cleared() {
    const CHANCE: i64 = 30_052_958;
    let mut row = ["", "ada@harbour.example", "", "harbour.example", "", "", "", ""].map(str::to_owned);
    row[0] = "10000001".into();
    let world = World::of(&[row]);
    let account = world.records[0].account.clone();
    let token = world.keys.link(&Link { purpose: Purpose::Unsubscribe, campaign: CHANCE, account: account.clone() });
    assert!(token[Link::PREFIX.len()..].contains(Link::PREFIX), "{token}");
    let mut terms = terms();
    terms.campaign = Some(CHANCE);
    let letter = String::from_utf8(Letter::new(&world, 0).bytes()).unwrap();
    let letter = letter.replace(&world.link(&account), &format!("https://registrar.example/u/{token}"));
    let verdict = world.judge_with(0, letter.as_bytes(), &terms);
    assert!(verdict.is_cleared(), "{:?}", verdict.findings);
    // What stands behind another token is read all the same.
    let glued = letter.replace(&token, &format!("{token}kt1-x"));
    assert!(world.judge_with(0, glued.as_bytes(), &terms).findings.iter().any(|f| f.rule == Rule::LinkToken));
}
