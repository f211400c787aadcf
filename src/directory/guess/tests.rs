//! Guesses over several worlds: country, script, encoding, separator and the shape of IDs
//! are parameters. What is guessed must be a configuration that takes every value.

use std::path::Path;

use super::sample::Sample;
use super::*;
use crate::config::Config;

const ROWS: usize = 200;

/// An export of made-up customers.
struct World {
    file: &'static str,
    separator: &'static str,
    header: &'static [&'static str],
    row: fn(usize) -> Vec<String>,
    bytes: fn(&str) -> Vec<u8>,
}

impl World {
    fn text(&self) -> String {
        let rows = (0..ROWS).map(|n| (self.row)(n).join(self.separator));
        std::iter::once(self.header.join(self.separator)).chain(rows).map(|line| line + "\r\n").collect()
    }

    fn guess(&self) -> Guess {
        guessed(self.file, &(self.bytes)(&self.text())).unwrap()
    }

    /// What the text says, after a configuration has read it.
    fn told(&self) -> String {
        let guess = self.guess();
        let text = toml(&guess);
        let config = Config::parse(&text, Path::new(""), std::iter::empty()).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(config.directory.columns.len(), self.header.len(), "{text}");
        for column in &guess.columns {
            assert_eq!(column.matched, column.sampled, "{text}");
        }
        for value in (self.row)(7).iter().filter(|value| value.chars().count() > 3) {
            assert!(!text.contains(value.as_str()), "a value in {text}");
        }
        text
    }
}

fn guessed(file: &str, bytes: &[u8]) -> Result<Guess, NoAddress> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, bytes).unwrap();
    guess(&Sample::read(&path).unwrap())
}

fn utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn pick<'a>(from: &[&'a str], n: usize) -> &'a str {
    from[n % from.len()]
}

const JAPAN: World = World {
    file: "x.csv",
    separator: ",",
    header: &[
        "会員番号",
        "メールアドレス",
        "氏名",
        "フリガナ",
        "会社名",
        "電話番号",
        "ドメイン名",
        "認証コード",
        "料金プラン",
    ],
    row: |n| {
        vec![
            format!("{}", 10_000_000 + n * 37),
            format!("info{n}@mieko{n}.example"),
            format!("{}　{}", pick(&["青葉", "久遠", "音羽"], n), pick(&["太郎", "花子"], n / 3)),
            pick(&["ｱｵﾊﾞ ﾀﾛｳ", "ｸｵﾝ ﾊﾅｺ"], n).into(),
            if n.is_multiple_of(3) { "株式会社みどり園".into() } else { String::new() },
            format!("03-5550-{n:04}"),
            if n.is_multiple_of(2) { format!("a{n}.example;b{n}.test") } else { format!("c{n}.example") },
            format!("Zx{n}q!7"),
            pick(&["基本", "上位"], n).into(),
        ]
    },
    bytes: |text| encoding_rs::SHIFT_JIS.encode(text).0.into_owned(),
};

const AMERICA: World = World {
    file: "x.tsv",
    separator: "\t",
    header: &["Customer No.", "Email", "First Name", "Last Name", "Company", "Phone", "Domains", "Created", "Plan"],
    row: |n| {
        vec![
            format!("QX-{:06}", n * 41),
            format!("owner{n}@shop{n}.example"),
            pick(&["Ada", "Olu", "Bram"], n).into(),
            pick(&["Byrne", "Marsh"], n).into(),
            if n.is_multiple_of(4) { "Velmora, Inc.".into() } else { String::new() },
            format!("(212) 555-{n:04}"),
            format!("shop{n}.example, store{n}.test"),
            format!("2026-{:02}-{:02}", n % 12 + 1, n % 28 + 1),
            pick(&["basic", "premium"], n).into(),
        ]
    },
    bytes: utf8,
};

const GERMANY: World = World {
    file: "x.csv",
    separator: ";",
    header: &["Kundennummer", "E-Mail", "Vorname", "Nachname", "Firma", "Telefon", "Domäne", "Straße"],
    row: |n| {
        vec![
            format!("{}", 4_000_000 + n * 17),
            format!("post{n}@laden{n}.example"),
            pick(&["Jörg", "Änne", "Ulf"], n).into(),
            pick(&["Müllerin", "Größer"], n).into(),
            if n.is_multiple_of(2) { "Tarnhöhe GmbH".into() } else { String::new() },
            format!("{} 30 555{n:04}", if n.is_multiple_of(2) { "+49" } else { "+43" }),
            format!("laden{n}.example"),
            format!("Hauptstraße {n}, Hinterhaus"),
        ]
    },
    bytes: |text| encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
};

const KOREA: World = World {
    file: "x.csv",
    separator: ",",
    header: &["회원번호", "이메일", "이름", "전화번호", "도메인", "상위회원번호"],
    row: |n| {
        vec![
            format!("K{:05}", n * 3),
            format!("mail{n}@haneul{n}.example"),
            pick(&["보기하나", "시험둘"], n).into(),
            format!("02-555-{n:04}"),
            format!("haneul{n}.example|bada{n}.test"),
            format!("K{:05}", n / 10 * 3),
        ]
    },
    bytes: |text| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
};

const MIXED: World = World {
    file: "x.csv",
    separator: "|",
    header: &["key", "contact", "renewal"],
    row: |n| {
        // Keys that differ by their letters' case alone are two.
        let letters: Vec<char> = "ABab01CDcd23".chars().collect();
        let key = [n % 12, n / 12 % 12, n / 144, (n * 5) % 12].map(|at| letters[at]);
        vec![
            key.iter().collect::<String>() + &(n % 10).to_string(),
            format!("c{n}@kiosk{n}.example"),
            format!("{:02}.{:02}.2027", n % 28 + 1, n % 12 + 1),
        ]
    },
    bytes: |text| format!("\u{feff}{text}").into_bytes(),
};

fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
}

#[test]
fn a_japanese_export_in_cp932() {
    let text = JAPAN.told();
    has(
        &text,
        &[
            "account = \"会員番号\"\naddress = \"メールアドレス\"\nencoding = \"cp932\"",
            "\"会員番号\" = { kind = \"id\", pattern = \"[0-9]{8}\" }  # guessed: 200 of 200 values look like this; dates",
            "\"メールアドレス\" = { kind = \"email\" }\n",
            "\"氏名\" = { kind = \"person\" }\n",
            "\"フリガナ\" = { kind = \"person\" }\n",
            "\"会社名\" = { kind = \"organisation\" }\n",
            "\"電話番号\" = { kind = \"phone\", country = \"JP\" }  # guessed: the country",
            "\"ドメイン名\" = { kind = \"domain\", list = \";\" }\n",
            "\"認証コード\" = { kind = \"secret\" }",
            "\"料金プラン\" = { kind = \"text\" }",
        ],
    );
    let euc = World { bytes: |text| encoding_rs::EUC_JP.encode(text).0.into_owned(), ..JAPAN };
    has(&euc.told(), &["encoding = \"euc-jp\"", "\"会員番号\" = { kind = \"id\""]);
}

#[test]
fn an_american_export_with_tabs() {
    let text = AMERICA.told();
    has(
        &text,
        &[
            "account = \"Customer No.\"\naddress = \"Email\"\nseparator = \"\\t\"\n\n",
            "\"Customer No.\" = { kind = \"id\", pattern = \"QX-[0-9]{6}\" }  # guessed: 200 of 200 values look like this\n",
            "\"First Name\" = { kind = \"person\" }\n",
            "Company = { kind = \"organisation\" }\n",
            "Phone = { kind = \"phone\", country = \"US\" }  # guessed: the country",
            "Domains = { kind = \"domain\", list = \",\" }\n",
            "Created = { kind = \"text\" }\n",
        ],
    );
    assert!(!text.contains("encoding"), "{text}");
}

#[test]
fn a_german_export_in_windows_1252() {
    has(
        &GERMANY.told(),
        &[
            "account = \"Kundennummer\"\naddress = \"E-Mail\"\nencoding = \"windows-1252\"  # guessed: ",
            "separator = \";\"",
            "Kundennummer = { kind = \"id\", pattern = \"[0-9]{7}\" }  # guessed: 200 of 200 values look like this\n",
            "Firma = { kind = \"organisation\" }\n",
            "Telefon = { kind = \"phone\", country = \"DE\" }  # 100 of 200 numbers have its calling code\n",
            "\"Domäne\" = { kind = \"domain\" }\n",
            "\"Straße\" = { kind = \"text\" }",
        ],
    );
}

#[test]
fn a_korean_export_in_utf_16() {
    let text = KOREA.told();
    has(
        &text,
        &[
            "account = \"회원번호\"\naddress = \"이메일\"\nencoding = \"utf-16\"\n\n",
            "\"회원번호\" = { kind = \"id\", pattern = \"K[0-9]{5}\", exclusive = false }",
            "\"전화번호\" = { kind = \"phone\", country = \"KR\" }",
            "\"도메인\" = { kind = \"domain\", list = \"|\" }",
            "\"상위회원번호\" = { kind = \"id\", pattern = \"K[0-9]{5}\", exclusive = false }",
            "it names other rows' accounts",
        ],
    );
}

#[test]
fn short_ids_of_capitals_and_small_letters() {
    has(
        &MIXED.told(),
        &[
            "account = \"key\"",
            "separator = \"|\"",
            "key = { kind = \"id\", pattern = \"[A-Za-z0-9]{5}\", case = \"exact\" }",
            "contact = { kind = \"email\" }\n",
            "renewal = { kind = \"text\" }",
        ],
    );
}

#[test]
fn json_lines_with_lists_and_nulls() {
    let line = |n: usize| {
        let phone = if n.is_multiple_of(2) {
            "null".to_owned()
        } else {
            format!("\"+33 1 99 00 {:02} {:02}\"", n / 100, n % 100)
        };
        format!(
            "{{\"id\":{},\"mail\":\"a{n}@a{n}.example\",\"phone\":{phone},\"hosts\":[\"a{n}.example\",\"b{n}.test\"]}}\n",
            300_000 + n
        )
    };
    let guess = guessed("x.jsonl", (0..ROWS).map(line).collect::<String>().as_bytes()).unwrap();
    let text = toml(&guess);
    Config::parse(&text, Path::new(""), std::iter::empty()).unwrap();
    has(
        &text,
        &[
            "account = \"id\"",
            "address = \"mail\"",
            "id = { kind = \"id\", pattern = \"[0-9]{6}\" }",
            "phone = { kind = \"phone\", country = \"FR\" }",
            "hosts = { kind = \"domain\", list = \";\" }",
        ],
    );
    let json = serde_json::to_value(&guess).unwrap();
    assert_eq!(
        (&json["encoding"], &json["separator"], &json["columns"][0]["country"]),
        (&().into(), &().into(), &().into())
    );
    assert_eq!((&json["columns"][2]["sampled"], &json["columns"][2]["matched"]), (&100.into(), &100.into()));
}

#[test]
fn what_does_not_fit_is_counted() {
    let text = "member_id,email,tel\n".to_owned()
        + &(0..ROWS).map(|n| format!("QX{n:04},a{n}@a.example,03-5550-{n:04}\n")).collect::<String>()
        + "TEST,nobody,03-5550-9999\n1,2\n";
    let guess = guessed("x.csv", text.as_bytes()).unwrap();
    let text = toml(&guess);
    has(
        &text,
        &[
            "# 1 of 202 rows have not",
            "address = \"email\"  # guessed: not every row has an address",
            "pattern = \"QX[0-9]{4}\" }  # guessed: 200 of 201 values look like this",
            "email = { kind = \"email\" }  # guessed: 200 of 201 values",
        ],
    );
}

#[test]
fn without_a_key_the_address_is_one_and_without_an_address_there_is_no_guess() {
    let guess = guessed("x.csv", b"name,email\nAda Byrne,a@a.example\nOlu Marsh,b@b.example\n").unwrap();
    assert_eq!((guess.account.as_str(), guess.address.as_str()), ("email", "email"));
    has(&toml(&guess), &["account = \"email\"  # guessed: no column has IDs"]);
    assert!(guessed("x.csv", b"id,name\n1,Ada Byrne\n").is_err());
    assert!(guessed("x.csv", b"id,emails\n1,a@a.example;b@b.example\n").is_err(), "mail goes to one address");
}

#[test]
fn english_headers_over_japanese_values_mean_japanese_numbers() {
    let row = |n: usize| format!("{},a{n}@a.example,青葉 花子,03-1000-{n:04},さくら\n", 10_000_000 + n);
    let text = "member_id,email,name,phone,plan\n".to_owned() + &(0..ROWS).map(row).collect::<String>();
    let guess = guessed("x.csv", text.as_bytes()).unwrap();
    assert_eq!(guess.columns[3].country, Some("JP"), "{}", toml(&guess));
}
