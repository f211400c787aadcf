//! Whom a text addresses: the words before 様, 御中 and their like, and after
//! Dear, Hi and Hello.

use crate::guard::names::is_joined;
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
    /// Whether it begins where its line does: the line above may have its beginning.
    pub at_start: bool,
    /// Whether it names somebody for sure: what stands before 会員様 may be any word.
    pub is_sure: bool,
}

/// Words after which 様 and the rest are no honorific: 仕様, 模様, …
const COMPOUNDS: &[(&str, &[char])] = &[
    ("様", &['同', '仕', '模', '異', '外', '紋', '各', '両']),
    ("氏", &['両', '彼', '摂', '華', '源', '某', '同', '各', '諸']),
    (
        "さん",
        &[
            'く', 'た', 'ん', 'み', 'い', 'あ', 'な', 'の', 'は', 'に', 'を', 'が', 'で', 'と', 'も', 'や', 'か', 'し',
            'る', 'う', 'え', 'お', 'こ', 'さ', 'す', 'せ', 'そ', 'ち', 'つ', 'て',
        ],
    ),
    ("殿", &['御', '沈', '拝', '貴']),
];

/// The same where nothing of the script stands before them: 神様, but 石神様; 一様, but 鈴木健一様.
const ALONE: &[(&str, &[char])] =
    &[("様", &['多', '一', '有', '神', '王', '文', '今', '殿']), ("殿", &['宮', '神', '本', '湯', '社', '仏'])];

/// Longer words that end so.
const LONGER: &[(&str, &str)] = &[("様", "女神"), ("様", "多種多"), ("様", "学文"), ("様", "草文")];

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
    "紹介者",
    "応募者",
    "購入者",
    "受講者",
    "受賞者",
    "注文者",
    "受取人",
    "友だち",
    "友達",
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
    "他社",
    "各社",
    "パートナー",
    "お一人",
    "お二人",
    "ご一行",
    "家族",
];

/// Whole addressees that name nobody: 上様 stands on receipts.
const GENERIC: &[&str] = &[
    "上",
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
    "account holder",
    "account holders",
    "administrator",
    "administrators",
    "billing department",
    "reseller",
    "resellers",
    "technical contact",
    "webmaster",
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
pub const NAME_MAX: usize = 60;

/// Whether a word names nobody in particular, or ends so: 契約者, ご担当.
pub fn is_generic(word: &str) -> bool {
    GENERIC.contains(&word) || GENERIC_ENDS.iter().any(|generic| word.ends_with(generic))
}

impl Salutation {
    /// One that names somebody for sure.
    pub fn of(words: &str) -> Self {
        Self { name: normal::name(words), words: words.to_owned(), at_start: false, is_sure: true }
    }
}

/// Every salutation of a folded text that names somebody, and the text above its line.
pub fn salutations(folded: &str) -> Vec<(Salutation, &str)> {
    let mut all = Vec::new();
    let mut above = "";
    for line in folded.lines() {
        let mut found = Vec::new();
        if !line.is_ascii() {
            japanese(line, &mut found);
            if let Some(lead) = leading_honorific(line) {
                japanese(&format!("{}{lead}", tail(above.trim_end())), &mut found);
            }
        }
        above = if line.trim().is_empty() { above } else { line };
        english(line, &mut found);
        let start = line.as_ptr() as usize - folded.as_ptr() as usize;
        all.extend(found.into_iter().map(|salutation| (salutation, &folded[..start])));
    }
    all
}

/// How a salutation may read if the text was broken into lines inside it: with what one,
/// two or more lines above it end in, up to a stop. Text is broken where the script has no
/// spaces; elsewhere a line break is one.
pub fn broken(above: &str, salutation: &Salutation) -> Vec<Salutation> {
    let mut wholes = Vec::new();
    if !salutation.at_start {
        return wholes;
    }
    let mut words = salutation.words.clone();
    for line in above.lines().rev() {
        let line = line.trim_end();
        let start = after_stop(line);
        let tail = &line[start..];
        if tail.trim_start().is_empty() || words.chars().count() > NAME_MAX {
            break;
        }
        let spaced = tail.ends_with(|c: char| c.is_ascii()) && words.starts_with(|c: char| c.is_ascii());
        words = format!("{tail}{}{words}", if spaced { " " } else { "" });
        wholes.push(Salutation::of(&words));
        if start > 0 {
            break;
        }
    }
    wholes
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

/// The honorific that a line begins with, whose name stands in the line above, and the
/// character that follows it.
pub fn leading_honorific(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let honorific = honorific(line, line.chars().next()?)?;
    let after = line[honorific.len()..].chars().next().map_or(0, char::len_utf8);
    let lead = &line[..honorific.len() + after];
    (matches!(honorific, "様" | "御中" | "殿") && !lead.ends_with(FOLLOWS)).then_some(lead)
}

/// Where what stands behind the last stop of a text begins.
fn after_stop(text: &str) -> usize {
    text.rfind(STOPS).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))
}

/// The end of a text that a name may reach back in, spaces between all of it: what
/// is longer names nobody, and a line may be as long as a message.
fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(4 * NAME_MAX).map_or(text, |(at, _)| &text[at..])
}

/// Whom `株式会社サンプル ご担当者` addresses, which would be nobody in particular
/// without the body before it.
fn without_contact(words: &str) -> &str {
    const CONTACTS: [&str; 4] = ["ご担当者", "御担当者", "担当者", "ご担当"];
    let body = CONTACTS.iter().find_map(|contact| words.trim_end().strip_suffix(contact));
    body.filter(|body| body.ends_with(char::is_whitespace)).map_or(words, str::trim_end)
}

/// Words without what adorns them: `★林`, `grace 👋`, `**ada**`.
fn bare(words: &str) -> &str {
    words.trim_matches(|c: char| c.is_whitespace() || "*~#_-=".contains(c) || !(c.is_ascii() || c.is_alphanumeric()))
}

fn japanese(line: &str, found: &mut Vec<Salutation>) {
    for (at, first) in line.char_indices() {
        if let Some(honorific) = honorific(&line[at..], first) {
            let (before, after) = (&line[..at], &line[at + honorific.len()..]);
            // 氏名 is no honorific.
            let is_word = after.starts_with(FOLLOWS) || (honorific == "氏" && after.starts_with('名'));
            if is_word || (honorific == "殿" && !after.trim().is_empty()) {
                continue;
            }
            let before = before.trim_end();
            let previous = before.chars().next_back();
            let compound = is_compound(before, honorific);
            // さま and さん after hiragana are more often words than names, 氏
            // needs a name of its own script; an ending is not a name.
            // 様様様… names nobody, and would be gone through once for each.
            if before.ends_with(honorific) {
                continue;
            }
            let hiragana = previous.is_some_and(|c| ('\u{3040}'..='\u{309f}').contains(&c));
            if compound || (hiragana && matches!(honorific, "さま" | "さん" | "氏")) {
                continue;
            }
            let before = tail(before);
            let start = after_stop(before);
            let addressed = bare(without_contact(&before[start..]));
            let salutation = Salutation { at_start: start == 0, ..Salutation::of(addressed) };
            let salutation = if is_generic(&salutation.name) {
                let before = before_generic(&salutation.name);
                Salutation { is_sure: false, ..Salutation::of(before) }
            } else {
                salutation
            };
            let name = &salutation.name;
            if name.chars().count() <= NAME_MAX && name.chars().any(char::is_alphabetic) {
                found.push(salutation);
            }
        }
    }
}

/// What stands before a word that names nobody in particular: 林愛 of 林愛ご契約者.
fn before_generic(name: &str) -> &str {
    let generic = GENERIC_ENDS.iter().filter(|generic| name.ends_with(**generic)).max_by_key(|generic| generic.len());
    let before = generic.map_or("", |generic| &name[..name.len() - generic.len()]);
    before.trim_end_matches(['ご', 'お', '御'])
}

/// Whether an honorific is the end of a word that stands there.
fn is_compound(before: &str, honorific: &str) -> bool {
    let mut last = before.chars().rev();
    let (Some(previous), further) = (last.next(), last.next()) else { return false };
    let ends =
        |words: &[(&str, &[char])]| words.iter().any(|(word, ends)| *word == honorific && ends.contains(&previous));
    ends(COMPOUNDS)
        || (ends(ALONE) && !further.is_some_and(is_joined))
        || LONGER.iter().any(|(word, end)| *word == honorific && before.ends_with(end))
}

/// What a line begins with that greets somebody, folded.
const GREETINGS: [&str; 8] =
    ["dear", "hi", "hello", "hey", "good morning", "good afternoon", "good evening", "greetings"];
/// The same, where a comma stands behind it: `welcome to us` greets nobody.
const WELCOMES: [&str; 5] = ["welcome", "welcome back", "thank you", "thanks", "congratulations"];
/// The most words of a name behind a comma.
const WORDS_MAX: usize = 2;

fn english(line: &str, found: &mut Vec<Salutation>) {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "\"'「『(>*".contains(c));
    let behind = |greeting: &&str| line.strip_prefix(greeting);
    let named = GREETINGS.iter().filter_map(behind).find_map(|rest| rest.strip_prefix(' '));
    let called = || {
        let after = GREETINGS.iter().chain(&WELCOMES).filter_map(behind).find_map(|rest| rest.strip_prefix(", "))?;
        (addressee(after).split(' ').count() <= WORDS_MAX).then_some(after)
    };
    let Some(rest) = named.or_else(called) else { return };
    let addressee = bare(addressee(rest));
    let name = normal::name(addressee);
    let words = name.split(' ').count();
    if !name.is_empty() && words <= 6 && name.chars().count() <= NAME_MAX && !GENERIC.contains(&name.as_str()) {
        found.push(Salutation::of(addressee));
    }
}

/// Whether a text ends with a title or an initial, whose full stop ends no sentence.
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(' ').next().unwrap_or_default();
    word.chars().count() == 1 || normal::is_title(word) || ["prof", "st"].contains(&word)
}

/// Whoever stands behind a greeting, up to the next stop.
fn addressee(rest: &str) -> &str {
    let sentence = || rest.match_indices(". ").find(|(at, _)| !is_abbreviation(&rest[..*at]));
    let stop = rest.find(STOPS).or_else(|| sentence().map(|(at, _)| at));
    let end = stop.into_iter().chain(rest.find(" - ")).min().unwrap_or(rest.len());
    rest[..end].trim().trim_end_matches('.')
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
            ("鈴木健一様、石神 様、王文様", &["鈴木健一", "石神", "王文"]),
            ("坂本殿", &["坂本"]),
            ("神様、女神様、多種多様、一様", &[]),
            ("氏名、総務部　氏名：, 役職 氏名, 両氏", &[]),
            ("お客様、皆様、会員様、ご担当者様、ユーザー様", &[]),
            ("様々、同様、仕様、模様、神様、様子、多様", &[]),
            ("ご紹介者様・お友だち様の両方に、ご応募者様へ", &[]),
            ("Dear Ada Ashgrove,", &["ada ashgrove"]),
            ("Dear Ms. Ashgrove:", &["ashgrove"]),
            ("Hi Ada!", &["ada"]),
            ("Hey Ada, \"Hi Ada\"", &["ada"]),
            ("「Hello, Ada」と", &["ada"]),
            ("Welcome back, Ada Ashgrove!", &["ada ashgrove"]),
            ("Welcome to Ada", &[]),
            ("Hi Ms. A. Ashgrove. How are you", &["a ashgrove"]),
            ("Hello, we have news for you", &[]),
            ("Hi Ada – your domain is due", &["ada"]),
            ("宛名: 上様、上様", &[]),
            ("井上様", &["井上"]),
            ("Dear customer,", &[]),
            ("Hello everyone", &[]),
            ("She said hi to him", &[]),
            ("各位\n山田様", &["山田"]),
            ("山田 太郎\n様", &["山田太郎"]),
            ("ご登録の皆\n様、同\n様に、サービス\n様々な、お客\n\n様", &[]),
            ("株式会社サンプル ご担当者様", &["株式会社サンプル"]),
            ("サンプル商事　御担当者様、Webご担当者様", &["サンプル商事"]),
            ("様様様様", &[]),
        ] {
            let found: Vec<String> = salutations(&normal::fold(text))
                .into_iter()
                .filter(|(found, _)| found.is_sure)
                .map(|(found, _)| found.name)
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_stands_before_a_generic_word_may_be_a_name() {
        for (text, name) in [("林愛会員様", "林愛"), ("林 愛 ご契約者様", "林愛"), ("近藤商会ご担当者様", "近藤商会")]
        {
            let folded = normal::fold(text);
            let found = salutations(&folded);
            assert!(found.iter().any(|(found, _)| !found.is_sure && found.name == name), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_salutation_may_be_broken_into_lines() {
        for (text, name, whole) in [
            ("創業者の例屋 八\n郎兵衛さん", "郎兵衛", &["創業者の例屋八郎兵衛"][..]),
            ("毎度、株式会社青葉商\n事 御中", "事", &["株式会社青葉商事"]),
            ("本日は、株式会\n社青葉\n商事 御中", "商事", &["社青葉商事", "株式会社青葉商事"]),
            ("青葉 葵\n桜庭 様", "桜庭", &["青葉葵桜庭"]),
            ("毎度。\n桜庭 様", "桜庭", &[]),
            ("毎度\n\n桜庭 様", "桜庭", &[]),
            ("毎度\nさて、桜庭 様", "桜庭", &[]),
        ] {
            let folded = normal::fold(text);
            let found = salutations(&folded);
            let [(salutation, above)] = &found[..] else { panic!("{text}: {found:?}") };
            assert_eq!(salutation.name, name, "{text}");
            let wholes = broken(above, salutation);
            assert_eq!(wholes.iter().map(|whole| &*whole.name).collect::<Vec<_>>(), whole, "{text}");
        }
    }
}
