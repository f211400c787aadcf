//! Spellings that must be equal, values that must not, and idempotence.

use proptest::prelude::*;

use super::*;

fn same(kind: Kind, spellings: &[&str]) {
    let first = canonical(kind, spellings[0], Some("JP")).unwrap();
    for spelling in spellings {
        assert_eq!(canonical(kind, spelling, Some("JP")), Ok(first.clone()), "{kind}: {spelling:?}");
        assert_eq!(canonical(kind, &fold(spelling), Some("JP")), Ok(first.clone()), "{kind}: {spelling:?}, folded");
    }
}

#[test]
fn ids_are_equal_in_every_spelling() {
    same(
        Kind::Id,
        &[
            "12345678",
            "１２３４５６７８",
            "1234-5678",
            "1234 5678",
            "1,234,5678",
            "1234–5678",
            "1234‑5678",
            "１２３４ー５６７８",
            "1234−5678",
            "12\u{200b}345678",
            "12\u{ad}345678",
            "\u{202a}12345678\u{202c}",
            "一二三四五六七八",
            "一二三四－五六七八",
            "١٢٣٤٥٦٧٨",
        ],
    );
    same(Kind::Id, &["AB-1234", "ａｂ１２３４", "ab1234", "Ab_12.34"]);
    assert_eq!(canonical(Kind::Id, "〇一二", None), Ok("012".into()));
    assert!(canonical(Kind::Id, " -- ", None).is_err());
}

#[test]
fn hosts_are_equal_in_every_spelling() {
    same(
        Kind::Domain,
        &[
            "example.jp",
            "EXAMPLE.JP",
            "Example.Jp.",
            "ｅｘａｍｐｌｅ．ｊｐ",
            "example。jp",
            "example｡jp",
            "exam\u{200b}ple.jp",
            "exam\u{ad}ple.jp",
            " example.jp ",
        ],
    );
    same(
        Kind::Domain,
        &["例え.テスト", "xn--r8jz45g.xn--zckzah", "例え。テスト", "例え．テスト.", "XN--R8JZ45G.xn--ZCKZAH"],
    );
    same(Kind::Domain, &["ドメイン.example", "ﾄﾞﾒｲﾝ.example", "ト\u{3099}メイン.example"]);
    same(Kind::Domain, &["_dmarc.example.jp", "_DMARC.example.jp"]);
    for bad in ["", "example", "1.2.3", "192.0.2.1", "a..b.example", "-a.example", "a b.example", "*.example.jp", "."] {
        assert!(canonical(Kind::Domain, bad, None).is_err(), "{bad:?} was taken");
    }
    assert_eq!(canonical(Kind::Domain, "xn--zzzz--9.example", None), Ok("xn--zzzz--9.example".into()));
}

#[test]
fn addresses_are_equal_in_every_spelling() {
    same(
        Kind::Email,
        &[
            "taro@example.jp",
            "Taro@Example.JP",
            "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ",
            "taro@example.jp.",
            "<taro@example.jp>",
            "ta\u{200b}ro@example.jp",
        ],
    );
    same(Kind::Email, &["a@例え.テスト", "A@xn--r8jz45g.xn--zckzah"]);
    for odd in ["a.@docomo.example", "a..b@ezweb.example", ".a@docomo.example"] {
        assert!(canonical(Kind::Email, odd, None).is_ok(), "{odd:?} was refused");
    }
    for bad in ["a", "@example.jp", "a@", "a b@example.jp", "a@b@", "a@example"] {
        assert!(canonical(Kind::Email, bad, None).is_err(), "{bad:?} was taken");
    }
    assert_ne!(canonical(Kind::Email, "a@b.example", None), canonical(Kind::Email, "a@c.example", None));
}

#[test]
fn phones_are_equal_in_every_spelling() {
    same(
        Kind::Phone,
        &[
            "03-1234-5678",
            "+81 3 1234 5678",
            "+81-3-1234-5678",
            "0312345678",
            "(03) 1234-5678",
            "０３－１２３４－５６７８",
            "03ー1234ー5678",
            "03‐1234‐5678",
            "03(1234)5678",
            "03.1234.5678",
            "tel:+81312345678",
            "〇三-一二三四-五六七八",
            "〇三 一二三四 五六七八",
            "+81 (0)3-1234-5678",
            "03-12\u{200b}34-5678",
        ],
    );
    assert_eq!(canonical(Kind::Phone, "03-1234-5678", Some("jp")), Ok("+81312345678".into()));
    assert_eq!(canonical(Kind::Phone, "090-1234-5678", Some("JP")), Ok("+819012345678".into()));
    for bad in ["", "12", "03-1234", "hello", "1234567890123456789012", "0120-FLOWER"] {
        assert!(canonical(Kind::Phone, bad, Some("JP")).is_err(), "{bad:?} was taken");
    }
    assert!(canonical(Kind::Phone, "03-1234-5678", None).is_err(), "a national number without a country");
    let zeros = canonical(Kind::Phone, "0 0 0 0 3636 3636", Some("JP")).unwrap();
    assert_eq!(canonical(Kind::Phone, &zeros, Some("JP")), Ok(zeros));
    assert_eq!(canonical(Kind::Phone, "+39 06 1234 5678", None), Ok("+390612345678".into()));
    assert!(is_dialable("+819012345678"));
    assert!(!is_dialable("+81000000000"));
}

#[test]
fn names_are_equal_in_every_spelling() {
    same(
        Kind::Person,
        &[
            "山田太郎",
            "山田 太郎",
            "山田　太郎",
            "山田\n太郎",
            "山田太郎様",
            "山田 太郎 さま",
            "山田太郎さん",
            "山田太郎殿",
            "山\u{200b}田太郎",
            "山田太郎\u{e0100}",
        ],
    );
    same(Kind::Person, &["ヤマダタロウ", "ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマタ\u{3099}タロウ"]);
    same(Kind::Person, &["anna example", "Anna  EXAMPLE", "Ms. Anna Example", "Ａｎｎａ　Ｅｘａｍｐｌｅ"]);
    same(
        Kind::Organisation,
        &[
            "株式会社サンプル",
            "(株)サンプル",
            "（株）サンプル",
            "㈱サンプル",
            "㈱ｻﾝﾌﾟﾙ",
            "株式会社 サンプル",
            "㍿サンプル",
            "株式会社サンプル 御中",
            "( 株 ) サンプル",
        ],
    );
    same(Kind::Organisation, &["有限会社見本", "(有)見本", "㈲見本", "（有） 見本"]);
    same(Kind::Organisation, &["見本合同会社", "見本(同)", "見本（合）"]);
    assert_ne!(name("さとう"), name("サトウ"));
    assert_eq!(name("鵜殿"), "鵜殿");
    assert_eq!(name("林様"), "林");
    for text in ["ᄀ。ß", "å。å", "ß。ﬁ"] {
        assert_eq!(name(&name(text)), name(text), "{text}");
    }
}

#[test]
fn secrets_are_exact_and_texts_are_folded() {
    assert_eq!(canonical(Kind::Secret, " aB-1 ", None), Ok("aB-1".into()));
    assert_eq!(canonical(Kind::Text, " ＡＢ ", None), Ok("ab".into()));
}

#[test]
fn prose_keeps_its_full_stops_numerals_and_long_vowels() {
    for prose in [
        "終わりです。次の文です。",
        "二〇二四年の一月",
        "一二三さん",
        "サーバー",
        "です。世界中の人が",
        "データー",
        "3ー",
    ] {
        assert_eq!(fold(prose), prose);
    }
    assert_eq!(fold("03ー1234"), "03-1234");
    assert_eq!(fold("例え。テスト/"), "例え.テスト/");
}

#[test]
fn folding_borrows_what_is_folded() {
    assert!(matches!(fold("ascii only, folded"), std::borrow::Cow::Borrowed(_)));
    assert!(matches!(fold("日本語のテスト。"), std::borrow::Cow::Borrowed(_)));
}

/// Characters at which the steps of folding meet.
const EDGES: &[char] = &[
    'a', 'Z', '0', '9', '.', '。', '｡', '．', '-', 'ー', 'ｰ', '−', '—', '\u{200b}', '\u{ad}', '\u{301}', '\u{3099}',
    'ﾞ', 'ｶ', 'か', '〇', '一', '二', '九', '零', '株', '有', '(', ')', '（', '）', '㈱', '㈲', 'İ', 'ß', 'ẞ', 'Σ', 'ς',
    '@', '＠', ' ', '　', '様', 'さ', 'ま', 'ん', '殿', '\u{fe0f}', '\u{1160}', 'ᄀ', 'ᅡ', 'ﷺ', 'Å', '٣', 'm', 'r',
    '\u{344}', '\u{1e9b}', '\u{323}', 'テ', 'ス', 'ト', '例', '٠', 'x', 'n', '+', '8', '1',
];

/// One way of writing a value; `None` where it has no such form.
type Spelling = fn(&str) -> Option<String>;

/// Ways that fit every kind but a secret.
const COMMON: &[Spelling] = &[
    |v| Some(v.to_uppercase()),
    |v| Some(each(v, |c| if ('!'..='~').contains(&c) { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c })),
    |v| Some(v.chars().flat_map(|c| [c, '\u{200b}']).collect()),
    |v| Some(v.chars().flat_map(|c| [c, '\u{ad}']).collect()),
    |v| Some(format!("\u{202a}{v}\u{202c}")),
    |v| Some(icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(v).into_owned()),
    |v| Some(format!(" {v}\u{3000}")),
];

/// Ways that fit a kind, for values as [`value`] makes them.
fn spellings(kind: Kind) -> &'static [Spelling] {
    match kind {
        Kind::Id => &[
            |v| Some(format!("{}-{}", &v[..4], &v[4..])),
            |v| Some(format!("{} {}", &v[..4], &v[4..])),
            |v| Some(format!("{},{},{}", &v[..1], &v[1..4], &v[4..])),
            |v| Some(format!("{}ー{}", &v[..4], &v[4..])),
            |v| Some(each(v, |c| "〇一二三四五六七八九".chars().nth(c as usize - 48).unwrap())),
            |v| Some(each(v, |c| char::from_u32(c as u32 - 48 + 0x660).unwrap())),
        ],
        Kind::Domain => &[
            |v| canonical(Kind::Domain, v, None).ok(),
            |v| Some(format!("{v}.")),
            |v| Some(v.replace('.', "。")),
            |v| Some(v.replace('.', "｡")),
            |v| Some(v.replace('.', "．")),
        ],
        Kind::Email => &[
            |v| Some(format!("<{v}>")),
            |v| Some(format!("{v}.")),
            |v| Some(v.replace('@', "＠")),
            |v| Some(format!("\"{}", v.replace('@', "\"@"))),
        ],
        Kind::Phone => &[
            |v| canonical(Kind::Phone, v, Some("JP")).ok(),
            |v| Some(v.replace('-', "")),
            |v| Some(v.replace('-', " ")),
            |v| Some(v.replace('-', ".")),
            |v| Some(v.replace('-', "‐")),
            |v| Some(v.replace('-', "ー")),
            |v| v.split_once('-').map(|(area, rest)| format!("({area}){rest}")),
            |v| v.strip_prefix('0').map(|rest| format!("+81 {rest}")),
            |v| v.strip_prefix('0').map(|rest| format!("+81 (0){rest}")),
        ],
        Kind::Person => &[
            |v| Some(v.replace(' ', "")),
            |v| Some(v.replace(' ', "\u{3000}")),
            |v| Some(v.replace(' ', "\r\n")),
            |v| Some(format!("{v} 様")),
            |v| Some(format!("{v}さん")),
        ],
        Kind::Organisation => &[
            |v| Some(v.replace("株式会社", "(株)")),
            |v| Some(v.replace("株式会社", "㈱")),
            |v| Some(v.replace("株式会社", "㍿")),
            |v| Some(v.replace("株式会社", "株式会社 ")),
            |v| Some(format!("{v} 御中")),
        ],
        Kind::Secret | Kind::Text => &[],
    }
}

fn each(value: &str, with: impl FnMut(char) -> char) -> String {
    value.chars().map(with).collect()
}

/// A value of a kind, by its seed.
fn value(kind: Kind, seed: u64) -> String {
    let random = &mut fastrand::Rng::with_seed(seed);
    let mut some = |from: &str, length: usize| -> String {
        let from: Vec<char> = from.chars().collect();
        (0..length).map(|_| from[random.usize(..from.len())]).collect()
    };
    const DIGITS: &str = "0123456789";
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    const JAPANESE: &str = "山田川木花空海みどりアオゾラガパ";
    match kind {
        Kind::Id => some(DIGITS, 8),
        Kind::Domain if seed.is_multiple_of(2) => format!("{}.example", some(LETTERS, 6)),
        Kind::Domain => format!("{}.example", some(JAPANESE, 4)),
        Kind::Email => format!("{}.{}@{}.example", some(LETTERS, 4), some(DIGITS, 2), some(LETTERS, 6)),
        Kind::Phone => format!("03-{}{}-{}", some("2345678", 1), some(DIGITS, 3), some(DIGITS, 4)),
        Kind::Person => format!("{} {}", some(JAPANESE, 2), some(JAPANESE, 3)),
        Kind::Organisation => format!("株式会社{}", some(JAPANESE, 5)),
        Kind::Secret | Kind::Text => some(LETTERS, 8),
    }
}

fn edgy() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(EDGES), 0..24).prop_map(|c| c.into_iter().collect()),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn folding_twice_is_folding_once(text in edgy()) {
        let once = fold(&text).into_owned();
        prop_assert_eq!(fold(&once), once.as_str());
    }

    #[test]
    fn canonical_forms_are_canonical(text in edgy(), kind in proptest::sample::select(&Kind::ALL[..])) {
        if let Ok(once) = canonical(kind, &text, Some("JP")) {
            prop_assert_eq!(canonical(kind, &once, Some("JP")), Ok(once));
        }
    }

    #[test]
    fn every_two_spellings_of_a_value_are_equal(
        kind in proptest::sample::select(&Kind::ALL[..6]),
        seed in any::<u64>(),
        first in any::<(usize, usize, bool)>(),
        second in any::<(usize, usize, bool)>(),
    ) {
        let value = value(kind, seed);
        let spell = |(own, common, is_common): (usize, usize, bool)| {
            let own = spellings(kind)[own % spellings(kind).len()](&value)?;
            if is_common { COMMON[common % COMMON.len()](&own) } else { Some(own) }
        };
        let (Some(first), Some(second)) = (spell(first), spell(second)) else { return Ok(()) };
        let plain = canonical(kind, &value, Some("JP"));
        prop_assert!(plain.is_ok(), "{kind}: {value:?}: {plain:?}");
        // On both sides: as a directory writes it, and as it is found in folded text.
        for spelling in [&first, &second, &fold(&first).into_owned(), &fold(&second).into_owned()] {
            prop_assert_eq!(&canonical(kind, spelling, Some("JP")), &plain, "{}: {:?} as {:?}", kind, value, spelling);
        }
    }

    #[test]
    fn canonical_forms_begin_with_folding(text in edgy(), kind in proptest::sample::select(&Kind::ALL[..6])) {
        prop_assert_eq!(canonical(kind, &text, Some("JP")), canonical(kind, &fold(&text), Some("JP")));
    }
}
