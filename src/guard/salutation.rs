//! Whom a text addresses: the words before 様, 御中 and their like, and after
//! Dear, Hi and Hello.

use crate::guard::normal;

/// One salutation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Salutation {
    /// Everything from the last stop to the honorific, or from the greeting to
    /// the next stop: canonical, spaces and honorific gone where the script has
    /// none.
    pub name: String,
    /// The same with its spaces, folded: where words begin.
    pub words: String,
}

/// Words after which 様 and the rest are no honorific: 同様, 仕様, 神様, …
const COMPOUNDS: &[(&str, &[char])] = &[
    ("様", &['同', '仕', '模', '多', '異', '一', '有', '神', '王', '外', '文', '紋', '今', '各', '両']),
    (
        "さん",
        &[
            'く', 'た', 'ん', 'み', 'い', 'あ', 'な', 'の', 'は', 'に', 'を', 'が', 'で', 'と', 'も', 'や', 'か', 'し',
            'る', 'う', 'え', 'お', 'こ', 'さ', 'す', 'せ', 'そ', 'ち', 'つ', 'て',
        ],
    ),
    ("殿", &['宮', '神', '御', '本', '沈', '拝', '貴', '湯', '社', '仏']),
];

/// What follows an honorific in a word that is none: 様々, 様子, 様式, …
const FOLLOWS: &[char] = &['々', '子', '式', '相', '態', '変', '方', '似', '堂'];

/// Everybody, or nobody in particular.
const GENERIC_ENDS: &[&str] = &[
    "お客",
    "客",
    "皆",
    "みな",
    "みんな",
    "会員",
    "各位",
    "利用者",
    "ユーザー",
    "ユーザ",
    "メンバー",
    "契約者",
    "登録者",
    "購読者",
    "読者",
    "担当者",
    "ご担当者",
    "ご担当",
    "管理者",
    "関係者",
    "お取引先",
    "取引先",
    "企業",
    "法人",
    "個人",
    "店舗",
    "オーナー",
    "保護者",
    "参加者",
    "当選者",
    "申込者",
    "ご契約者",
    "ご利用者",
    "加入者",
    "株主",
    "代表者",
    "責任者",
    "技術者",
    "名義人",
    "ご本人",
    "本人",
    "第三者",
    "奥",
    "どなた",
    "貴社",
    "御社",
    "お子",
    "お父",
    "お母",
    "お兄",
    "お姉",
    "業者",
    "店員",
    "患者",
    "学生",
    "生徒",
    "社員",
    "職員",
    "家族",
];

/// Whole addressees in English that name nobody.
const GENERIC: &[&str] = &[
    "customer",
    "customers",
    "valued customer",
    "valued customers",
    "member",
    "members",
    "all",
    "everyone",
    "everybody",
    "friend",
    "friends",
    "subscriber",
    "subscribers",
    "sir",
    "madam",
    "sir or madam",
    "sir/madam",
    "there",
    "team",
    "user",
    "users",
    "reader",
    "readers",
    "client",
    "clients",
    "partner",
    "partners",
    "colleague",
    "colleagues",
    "world",
    "folks",
    "again",
    "domain owner",
    "domain owners",
    "registrant",
    "registrants",
];

/// Stops that a name does not reach across.
const STOPS: &[char] = &[
    '、', '。', ',', '!', '?', '(', ')', '「', '」', '『', '』', '【', '】', '[', ']', ':', ';', '|', '/', '<', '>',
    '"', '・', '…', '\n', '\r', '\t', '=',
];

/// The longest name, in characters.
const NAME_MAX: usize = 60;

/// Whether a word names nobody in particular, or ends so: 契約者, ご担当.
pub fn is_generic(word: &str) -> bool {
    GENERIC.contains(&word) || GENERIC_ENDS.iter().any(|generic| word.ends_with(generic))
}

/// Every salutation of a folded text that names somebody.
pub fn salutations(folded: &str) -> Vec<Salutation> {
    let mut found = Vec::new();
    for line in folded.lines() {
        if !line.is_ascii() {
            japanese(line, &mut found);
        }
        english(line, &mut found);
    }
    found
}

/// The honorific that a text begins with.
fn honorific(text: &str, first: char) -> Option<&'static str> {
    match first {
        '様' => Some("様"),
        '殿' => Some("殿"),
        '氏' => Some("氏"),
        '御' | 'さ' => ["御中", "さま", "さん"].into_iter().find(|honorific| text.starts_with(honorific)),
        _ => None,
    }
}

/// The end of a text that a name may reach back in, spaces between all of it: what
/// is longer names nobody, and a line may be as long as a message.
fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(4 * NAME_MAX).map_or(text, |(at, _)| &text[at..])
}

fn japanese(line: &str, found: &mut Vec<Salutation>) {
    for (at, first) in line.char_indices() {
        if let Some(honorific) = honorific(&line[at..], first) {
            let (before, after) = (&line[..at], &line[at + honorific.len()..]);
            if after.starts_with(FOLLOWS) || (honorific == "殿" && !after.trim().is_empty()) {
                continue;
            }
            let before = before.trim_end();
            let previous = before.chars().next_back();
            let compound =
                COMPOUNDS.iter().any(|(word, ends)| *word == honorific && previous.is_some_and(|c| ends.contains(&c)));
            // さま and さん after hiragana are more often words than names, 氏
            // needs a name of its own script; an ending is not a name.
            let hiragana = previous.is_some_and(|c| ('\u{3040}'..='\u{309f}').contains(&c));
            if compound || (hiragana && matches!(honorific, "さま" | "さん" | "氏")) {
                continue;
            }
            let before = tail(before);
            let start = before.rfind(STOPS).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
            let name = normal::name(&before[start..]);
            if !name.is_empty()
                && !is_generic(&name)
                && name.chars().count() <= NAME_MAX
                && name.chars().any(char::is_alphabetic)
            {
                found.push(Salutation { name, words: before[start..].to_owned() });
            }
        }
    }
}

fn english(line: &str, found: &mut Vec<Salutation>) {
    let line = line.trim_start();
    for greeting in ["dear ", "hi ", "hello ", "good morning ", "good afternoon "] {
        let Some(rest) = line.strip_prefix(greeting) else { continue };
        let end = rest.find(STOPS).or_else(|| rest.find(". ")).unwrap_or(rest.len());
        let addressee = rest[..end].trim().trim_end_matches('.');
        let name = normal::name(addressee);
        let words = name.split(' ').count();
        if !name.is_empty() && words <= 6 && name.chars().count() <= NAME_MAX && !GENERIC.contains(&name.as_str()) {
            found.push(Salutation { name, words: addressee.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_text_addresses() {
        for (text, expected) in [
            ("山田 太郎 様", &["山田太郎"][..]),
            ("山田　太郎　様へのお知らせ", &["山田太郎"]),
            ("いつもどうも、山田様。佐藤さま", &["山田", "佐藤"]),
            ("株式会社サンプル 御中", &["株式会社サンプル"]),
            ("（株）サンプル御中", &["株式会社サンプル"]),
            ("山田殿", &["山田"]),
            ("殿堂入り、宮殿、神殿", &[]),
            ("田中さん", &["田中"]),
            ("たくさん、みなさん、皆さん", &[]),
            ("お客様、皆様、会員様、ご担当者様、ユーザー様", &[]),
            ("様々、同様、仕様、模様、神様、様子、多様", &[]),
            ("Dear Ada Ashgrove,", &["ada ashgrove"]),
            ("Dear Ms. Ashgrove:", &["ashgrove"]),
            ("Hi Ada!", &["ada"]),
            ("Dear customer,", &[]),
            ("Hello everyone", &[]),
            ("She said hi to him", &[]),
            ("各位\n山田様", &["山田"]),
        ] {
            let found: Vec<String> =
                salutations(&normal::fold(text)).into_iter().map(|salutation| salutation.name).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
