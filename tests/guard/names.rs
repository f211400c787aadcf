//! Names and companies of every script: however they are spelled, in fields of their own,
//! beside legal forms, and where somebody is addressed. And ordinary sentences in which there
//! is none of them, as files: `clean/*.txt`.

use kakitome::guard::{Finding, Rule, Verdict};

use super::letter::{Letter, part, word};
use super::world::World;

/// Who every letter is for.
const OWN: (&str, &str) = ("小林 健一郎", "株式会社みどり園芸");

/// A directory of people and their companies; the first account is [`OWN`].
fn world(rows: &[(&str, &str)]) -> World {
    let row = |(n, (name, company)): (usize, &(&str, &str))| {
        let id = 40_817_263 + 13 * n;
        let host = format!("h{id}.example");
        [&id.to_string(), &format!("x@{host}"), "", &host, "", *name, *company, ""].map(str::to_owned)
    };
    World::of(&[OWN].iter().chain(rows).enumerate().map(row).collect::<Vec<_>>())
}

/// Judges a letter with something in it: `<…` in its HTML, `Subject: …` and `From: …` in its
/// header, `file: …` as the name of an attachment, `csv: …` as a table, and else as a line.
fn judged(world: &World, account: usize, text: &str) -> Verdict {
    let mut letter = Letter::new(world, account);
    match text.split_once(": ") {
        Some(("Subject", subject)) => letter.header("Subject", &word(subject)),
        Some(("From", name)) => letter.header("From", &format!("{} <news@registrar.example>", word(name))),
        Some(("file", name)) => letter.parts.push(part(&format!("text/plain; name=\"{}\"", word(name)), "8bit", "x")),
        Some(("csv", table)) => letter.parts.push(part("text/csv; name=a.csv", "8bit", &table.replace('\n', "\r\n"))),
        _ if text.starts_with('<') => letter.html.push_str(text),
        _ => letter.text.push_str(&format!("\r\n{}\r\n", text.replace('\n', "\r\n"))),
    }
    world.judge(account, &letter.bytes())
}

/// Each text names the account of its number: it is held for the first one, and cleared for
/// that one.
fn told(world: &World, texts: &[(usize, &str)]) {
    let mut faults = Vec::new();
    for (owner, text) in texts {
        let found = judged(world, 0, text).findings;
        let account = &world.records[*owner].account;
        let is_foreign = |f: &Finding| f.rule == Rule::Foreign && f.owner.as_ref() == Some(account);
        if !found.iter().any(is_foreign) {
            faults.push(format!("not found: {text:?}: {found:?}"));
        }
        let verdict = judged(world, *owner, text);
        if !verdict.is_cleared() {
            faults.push(format!("own is held: {text:?}: {:?}", verdict.findings));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Each text addresses somebody who is not the account of its number.
fn addressed(world: &World, texts: &[(usize, &str)]) {
    let mut faults = Vec::new();
    for (account, text) in texts {
        let found = judged(world, *account, text).findings;
        if !found.iter().any(|f| matches!(f.rule, Rule::Salutation | Rule::Foreign)) {
            faults.push(format!("{text:?}"));
        }
    }
    assert!(faults.is_empty(), "{} are cleared:\n{}", faults.len(), faults.join("\n"));
}

fn cleared(world: &World, texts: &[(usize, &str)]) {
    let mut faults = Vec::new();
    for (account, text) in texts {
        let verdict = judged(world, *account, text);
        if !verdict.is_cleared() {
            faults.push(format!("{text:?}: {:?}", verdict.findings));
        }
    }
    assert!(faults.is_empty(), "{} are held:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn upper_case_and_accents_of_every_script() {
    let world = world(&[
        ("Karl Weißenfels", "Straßenbau Müller GmbH"),
        ("Ayşe Işık", "İstanbul Yazılım A.Ş."),
        ("Αλέξανδρος Παπαδόπουλος", "Ελληνικός Οίνος Α.Ε."),
        ("Семён Королёв", "ООО «Ромашковое поле»"),
        ("José Núñez", "Peña y Ávila S.L."),
        ("Łukasz Wójcik", "Żółty Słoń Sp. z o.o."),
        ("Nguyễn Văn Đức", "Công ty TNHH Sao Đỏ"),
        ("محمد الأحمدي", "شركة النخلة الذهبية"),
        ("דָּוִד כֹּהֵן", "זית הגליל בע\"מ"),
        ("สมชาย ใจดีมาก", "บริษัท ดอกบัวทอง จำกัด"),
    ]);
    told(
        &world,
        &[
            (1, "Danke an KARL WEISSENFELS für den Beitrag."),
            (1, "Danke an Karl WEIẞENFELS für den Beitrag."),
            (1, "Ein Werk von STRASSENBAU MUELLER GMBH."),
            (1, "Ein Werk von Strassenbau Muller GmbH."),
            (2, "Proje sahibi AYŞE IŞIK oldu."),
            (2, "Proje sahibi Ayse Isik oldu."),
            (2, "Bu, ISTANBUL YAZILIM için."),
            (2, "Bu, istanbul yazilim için."),
            (3, "Ο κύριος ΑΛΕΞΑΝΔΡΟΣ ΠΑΠΑΔΟΠΟΥΛΟΣ είναι εδώ"),
            (3, "Από την ΕΛΛΗΝΙΚΟΣ ΟΙΝΟΣ σήμερα"),
            (4, "Автор — СЕМЕН КОРОЛЕВ, Казань"),
            (4, "Автор — Королев Семен, Казань"),
            (4, "От компании РОМАШКОВОЕ ПОЛЕ сегодня"),
            (5, "Gracias a JOSE NUNEZ por todo"),
            (5, "Gracias a Jose\u{301} Nu\u{301}n\u{303}ez por todo"),
            (5, "Una obra de PENA Y AVILA hoy"),
            (6, "Autorem jest LUKASZ WOJCIK z firmy"),
            (6, "Firma Zolty Slon zaprasza"),
            (7, "Tác giả là NGUYEN VAN DUC ở đây"),
            (7, "Đơn vị Sao Do\n"),
            (8, "كتب محمد الاحمدي اليوم"),
            (8, "من النخلة الذهبية اليوم"),
            (9, "הכותב הוא דוד כהן היום"),
            (9, "מאת זית הגליל היום"),
            (10, "ผู้เขียนคือสมชาย ใจดีมากในวันนี้"),
            (10, "จากดอกบัวทองวันนี้"),
        ],
    );
}

#[test]
fn variants_of_kanji_are_one() {
    let world = world(&[
        ("髙橋 美咲", "株式会社髙﨑工業"),
        ("渡邉 桜子", "齋藤濱商店有限会社"),
        ("黃國華", "廣東龍鳳貿易有限公司"),
        ("𠮷澤 惠子", ""),
    ]);
    told(
        &world,
        &[
            (1, "次は高橋美咲が伺います。"),
            (1, "次は高崎工業が伺います。"),
            (1, "次は株式会社高﨑工業が伺います。"),
            (2, "次は渡辺桜子が伺います。"),
            (2, "次は渡邊櫻子が伺います。"),
            (2, "次は斎藤浜商店が伺います。"),
            (3, "<td>黄国华</td>"),
            (3, "来自广东龙凤贸易有限公司的通知"),
            (4, "次は吉沢恵子が伺います。"),
            (4, "吉沢 恵子"),
        ],
    );
    cleared(&world, &[(1, "高橋 美咲 様"), (1, "髙橋様"), (2, "渡辺 様"), (2, "渡邊櫻子様"), (4, "吉澤様")]);
}

#[test]
fn one_word_that_stands_by_itself() {
    let world =
        world(&[("Madonna", "Nexora"), ("", "Fjordline GmbH & Co. KG"), ("", "Müllerhaus"), ("", "株式会社Quantixio")]);
    for (owner, name) in
        [(1, "Nexora"), (1, "Madonna"), (2, "Fjordline"), (3, "Müllerhaus"), (3, "MUELLERHAUS"), (4, "Quantixio")]
    {
        let texts = [
            name.to_owned(),
            format!("- {name}"),
            format!("<table><tr><td>{name}</td></tr></table>"),
            format!("<h1>{name}</h1>"),
            format!("<ul><li>{name}</li></ul>"),
            format!("<p>x</p><img alt=\"{name}\">"),
            format!("<p data-company=\"{name}\">x</p>"),
            format!("<a href=\"https://registrar.example/?q={}\">x</a>", name.to_lowercase()),
            format!("<script type=\"application/ld+json\">{{\"brand\":\"{name}\",\"x\":1}}</script>"),
            format!("Subject: {name}: your domains"),
            format!("Subject: {name}"),
            format!("From: {name}"),
            format!("file: {name}.txt"),
            format!("file: 2026-{name}-report.csv"),
            format!("csv: company,plan\n{name},basic\n"),
            format!("csv: company\tplan\n{name}\tbasic\n"),
            format!("These are {name}'s domains."),
            format!("Your partner ({name}) is with us again this year"),
            format!("Company: {name}"),
            format!("{name} 御中"),
            format!("Dear {name},"),
            format!("{name}社が担当します"),
        ];
        told(&world, &texts.iter().map(|text| (owner, text.as_str())).collect::<Vec<_>>());
    }
    told(
        &world,
        &[(1, "We met Nexora Inc. today"), (1, "次は株式会社Nexoraが担当します"), (2, "We met Fjordline AG today")],
    );
    // In running text one word is left.
    cleared(&world, &[(0, "Thank you for trusting us with nexora today.")]);
}

#[test]
fn a_name_in_two_fields() {
    let world =
        world(&[("山田 太郎", ""), ("Jonathan Whitfield", ""), ("Nagy Katalin", ""), ("김민수", ""), ("森 健", "")]);
    told(
        &world,
        &[
            (1, "姓: 山田\n名: 太郎"),
            (1, "名：太郎\n姓：山田"),
            (1, "姓　山田　名　太郎"),
            (1, "太郎 山田"),
            (1, "山田（やまだ）太郎が伺います"),
            (1, "csv: id,last,first\n1,山田,太郎\n"),
            (1, "csv: id,first,last\n1,太郎,山田\n"),
            (1, "<table><tr><td>山田</td><td>太郎</td></tr></table>"),
            (1, "<table><tr><td>太郎</td><td>山田</td></tr></table>"),
            (1, "<table><tr><th>姓</th><td>山田</td></tr><tr><th>名</th><td>太郎</td></tr></table>"),
            (1, "<script>{\"last\":\"山田\",\"first\":\"太郎\"}</script>"),
            (1, "<script>{\"first_name\":\"太郎\",\"last_name\":\"山田\"}</script>"),
            (2, "Last name: Whitfield / First name: Jonathan"),
            (2, "Last name: Whitfield\nFirst name: Jonathan"),
            (2, "WHITFIELD, Jonathan"),
            (2, "We heard from Whitfield Jonathan yesterday"),
            (2, "<table><tr><td>Whitfield</td><td>Jonathan</td></tr></table>"),
            (2, "<table><tr><td>Jonathan</td><td>Whitfield</td></tr></table>"),
            (2, "csv: a,b\nWhitfield,Jonathan\n"),
            (2, "<script>{\"family_name\":\"Whitfield\",\"given_name\":\"Jonathan\"}</script>"),
            (2, "Nachname: Whitfield\nVorname: Jonathan"),
            (3, "Vezetéknév: Nagy\nKeresztnév: Katalin"),
            (3, "We heard from Katalin Nagy yesterday"),
            (4, "성: 김\n이름: 민수"),
            (5, "<table><tr><td>森</td><td>健</td></tr></table>"),
            (5, "csv: a,b\n健,森\n"),
        ],
    );
}

#[test]
fn one_name_in_either_order_is_shared() {
    let world = world(&[
        ("Jonathan Whitfield", "Aoba Ltd"),
        ("WHITFIELD Jonathan", "Aoba Limited"),
        ("山田 太郎", ""),
        ("太郎・山田", ""),
    ]);
    cleared(
        &world,
        &[
            (1, "Whitfield Jonathan"),
            (2, "Jonathan Whitfield is here"),
            (2, "Dear Jonathan,"),
            (1, "From the desk of WHITFIELD Jonathan today"),
            (3, "山田太郎が伺います"),
            (4, "山田太郎が伺います"),
            (1, "Aoba Limited"),
            (2, "Company: Aoba"),
        ],
    );
}

#[test]
fn a_company_without_its_legal_form_or_with_another_spelling() {
    let world = world(&[
        ("", "株式会社アオバ製作所"),
        ("", "有限会社青空貿易"),
        ("", "Whitfield Garden Supplies Ltd"),
        ("", "(주)한빛상사"),
        ("", "北京晨星科技有限公司"),
        ("", "PT Mawar Indah Tbk"),
        ("", "Blumen Sonnenschein GmbH & Co. KG"),
        ("", "Les Trois Chênes S.à r.l."),
        ("", "林商会"),
        ("", "合同会社ソラ"),
    ]);
    told(
        &world,
        &[
            (1, "次はアオバ製作所が担当します。"),
            (1, "次はアオバ製作所株式会社が担当します。"),
            (1, "次はアオバ製作所㈱が担当します。"),
            (1, "次はｱｵﾊﾞ製作所（カブ）が担当します。"),
            (1, "ｶ)ｱｵﾊﾞ製作所"),
            (1, "<td>アオバ製作所</td>"),
            (2, "次は青空貿易が担当します。"),
            (2, "次は㈲青空貿易が担当します。"),
            (3, "We like Whitfield Garden Supplies a lot"),
            (3, "We like Whitfield Garden Supplies, Inc. a lot"),
            (3, "We like WHITFIELD GARDEN SUPPLIES LIMITED a lot"),
            (4, "다음은 한빛상사 담당입니다"),
            (4, "다음은 주식회사 한빛상사 담당입니다"),
            (5, "来自北京晨星的通知"),
            (6, "Kami dari Mawar Indah hari ini"),
            (6, "Kami dari P.T. Mawar Indah, Tbk. hari ini"),
            (7, "Von Blumen Sonnenschein für Sie"),
            (7, "Von Blumen Sonnenschein GmbH für Sie"),
            (8, "De la part de LES TROIS CHENES SARL"),
            (10, "次は合同会社ソラが担当します。"),
            (10, "次はソラ合同会社が担当します。"),
            (10, "会社名：ソラ"),
        ],
    );
    cleared(
        &world,
        &[
            (0, "大青空貿易展示会のご案内"),
            (0, "みどり園芸 御中"),
            (0, "みどり園芸（株）のご契約"),
            (1, "アオバ製作所御中"),
        ],
    );
}

#[test]
fn readings_in_brackets_are_gone_past() {
    let world = world(&[("鈴木 花子", "有限会社青空貿易")]);
    told(
        &world,
        &[
            (1, "次は鈴木（すずき）花子（はなこ）が担当します。"),
            (1, "次は鈴木《すずき》花子《はなこ》が担当します。"),
            (1, "次は鈴木[スズキ]花子が担当します。"),
            (1, "登録者名: 鈴木（すずき）花子"),
            (1, "鈴木（すずき）\n花子（はなこ）"),
            (1, "<td>鈴木（すずき）花子（はなこ）</td>"),
            (1, "次は青空（あおぞら）貿易が担当します。"),
        ],
    );
    addressed(&world, &[(0, "鈴木（すずき）花子（はなこ） 様")]);
    cleared(&world, &[(0, "小林（こばやし）健一郎（けんいちろう） 様"), (1, "鈴木（すずき）花子（はなこ）様")]);
}

#[test]
fn whoever_is_addressed_in_any_language() {
    let world = world(&[
        ("山田 太郎", ""),
        ("王小明", ""),
        ("김민수", ""),
        ("Jörg Weber", ""),
        ("さくら", ""),
        ("Ayşe Yılmaz", ""),
        ("Иван Петров", ""),
        ("สมชาย ใจดีมาก", ""),
    ]);
    let texts = [
        "山田先生、いつもありがとうございます。",
        "山田社長、いつもありがとうございます。",
        "山田部長へ",
        "田中くん、元気ですか",
        "田中君、元気ですか",
        "花子ちゃんへ",
        "山田太郎殿",
        "さくらさん、こんにちは",
        "王小明先生：",
        "尊敬的王小明先生：",
        "尊敬的李芳女士，",
        "您好，王小明先生",
        "김민수 님, 안녕하세요",
        "안녕하세요, 김민수 님",
        "김민수 고객님",
        "박지영 씨,",
        "Sehr geehrte Frau Weber,",
        "Sehr geehrter Herr Dr. Weber,",
        "Guten Tag Herr Dr. Weber,",
        "Liebe Anna,",
        "Cher Monsieur Dupont,",
        "Bonjour Mme Dupont,",
        "Estimado Sr. García:",
        "Estimada Sra. García,",
        "Hola Lucía,",
        "Gentile Dott. Rossi,",
        "Ciao Giulia,",
        "Prezado Sr. Silva,",
        "Olá Joana,",
        "Beste Pieter,",
        "Hej Astrid,",
        "Szanowny Panie Kowalski,",
        "Vážený pane Novák,",
        "Уважаемый Сергей Иванович!",
        "Здравствуйте, Ольга!",
        "Шановний Тарасе,",
        "Αγαπητέ κ. Γεωργίου,",
        "Sayın Mehmet Demir,",
        "Merhaba Zeynep Hanım,",
        "เรียน คุณมานะ รักไทย",
        "สวัสดีคุณมานะ รักไทย",
        "Kính gửi ông Trần Minh,",
        "Yth. Bapak Suharto,",
        "عزيزي خالد،",
        "שלום רותם,",
        "Dear Mr and Mrs Ashgrove,",
        "Hi April,",
        "Dear Grace,",
        "鈴木家御一同様",
        "鈴木ご夫妻様",
    ];
    addressed(&world, &texts.map(|text| (0, text)));
    cleared(
        &world,
        &[
            (1, "山田社長様"),
            (1, "山田先生、いつもありがとうございます。"),
            (1, "山田ご夫妻様"),
            (1, "山田家御一同様"),
            (1, "山田太郎代表取締役社長様"),
            (1, "営業部長 山田 太郎 様"),
            (1, "山田様ご家族様"),
            (1, "山田くんへ"),
            (2, "尊敬的王小明先生："),
            (2, "王小明先生/女士："),
            (3, "김민수 고객님, 안녕하세요"),
            (3, "안녕하세요, 김민수 님"),
            (4, "Sehr geehrter Herr Weber,"),
            (4, "Guten Tag Herr Dr. Weber,"),
            (4, "Dear Mr and Mrs Weber,"),
            (4, "Lieber Joerg,"),
            (4, "Hallo Jörg und Familie,"),
            (5, "さくらさん、こんにちは"),
            (6, "Sayın Ayşe Yılmaz,"),
            (6, "Merhaba Ayşe Hanım,"),
            (6, "SAYIN AYŞE YILMAZ"),
            (7, "Уважаемый Иван Петров!"),
            (7, "Здравствуйте, Иван!"),
            (8, "เรียน คุณสมชาย ใจดีมาก"),
            (8, "สวัสดีคุณสมชาย"),
        ],
    );
}

/// People and companies that are called by common words, beside those of every other test.
fn worlds() -> [World; 3] {
    [
        world(&[
            ("Will Price", "Summit Ltd"),
            ("April May", "Best Price Inc."),
            ("Grace Young", "Apple Inc."),
            ("林 愛", "株式会社サービス"),
            ("木下 林", "有限会社ニュース"),
            ("山本 さくら", "東京商事株式会社"),
            ("Kitty", "Basic"),
            ("Orange", "Total"),
        ]),
        world(&[
            ("王芳", "北京科技有限公司"),
            ("김하나", "주식회사 이벤트"),
            ("Иван Москва", "ООО Скидка"),
            ("Mark Summer", "Premium GmbH"),
            ("Paris Lumière", "Noël S.A.S."),
            ("Rosa Campo", "Sol S.L."),
        ]),
        World::new(),
    ]
}

#[test]
fn ordinary_sentences_are_cleared() {
    const FILES: [(&str, &str); 8] = [
        ("ja", include_str!("clean/ja.txt")),
        ("en", include_str!("clean/en.txt")),
        ("de", include_str!("clean/de.txt")),
        ("fr", include_str!("clean/fr.txt")),
        ("es", include_str!("clean/es.txt")),
        ("ru", include_str!("clean/ru.txt")),
        ("ko", include_str!("clean/ko.txt")),
        ("zh", include_str!("clean/zh.txt")),
    ];
    let mut faults = Vec::new();
    for (number, world) in worlds().iter().enumerate() {
        for (language, file) in FILES {
            for line in file.lines().filter(|line| !line.starts_with('#')) {
                for text in
                    [line.to_owned(), format!("<p>{line}</p>"), format!("<table><tr><td>{line}</td></tr></table>")]
                {
                    let verdict = judged(world, 0, &text);
                    if !verdict.is_cleared() {
                        faults.push(format!("{language}, world {number}: {text}: {:?}", verdict.findings));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} are held:\n{}", faults.len(), faults.join("\n"));
}

/// What a world of common words still finds.
#[test]
fn names_of_common_words_are_found_where_they_are_names() {
    let [world, ..] = worlds();
    told(
        &world,
        &[
            (1, "Renewal for Will Price, London"),
            (3, "Thanks to Grace Young for the photos."),
            (3, "Dear Grace Young,"),
            (1, "Name: Will Price"),
            (2, "Owner: April May"),
            (1, "We met Summit Ltd. today"),
            (1, "Company: Summit"),
        ],
    );
}
