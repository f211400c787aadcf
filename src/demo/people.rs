//! Made-up customers: from a number and a seed, always the same one.
//!
//! All names are invented from word lists; all hosts lie under `.example` and
//! `.test` (RFC 2606).

/// One made-up customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Eight digits.
    pub member_id: String,
    /// An address; many share the local part `info`.
    pub email: String,
    /// A full name.
    pub name: String,
    /// A company, or empty.
    pub company: String,
    /// A number, or empty.
    pub phone: String,
    /// 0 to 30 domains.
    pub domains: Vec<String>,
    /// Twelve random characters.
    pub auth_code: String,
    /// `basic` or `premium`.
    pub plan: &'static str,
}

/// The columns of the registrar's export.
pub const COLUMNS: [&str; 8] = ["member_id", "email", "name", "company", "phone", "domains", "auth_code", "plan"];

impl Customer {
    /// The values of [`COLUMNS`].
    pub fn row(self) -> [String; COLUMNS.len()] {
        let Self { member_id, email, name, company, phone, domains, auth_code, plan } = self;
        [member_id, email, name, company, phone, domains.join(";"), auth_code, plan.to_owned()]
    }
}

const FAMILY: [&str; 48] = [
    "青葉",
    "朝比奈",
    "綾瀬",
    "飯塚",
    "池上",
    "石動",
    "市ノ瀬",
    "稲葉",
    "岩清水",
    "宇治川",
    "江口",
    "榎本",
    "大槻",
    "小笠原",
    "岡野",
    "音羽",
    "甲斐",
    "柏木",
    "片桐",
    "神楽坂",
    "川端",
    "菊池",
    "霧島",
    "久遠",
    "黒田",
    "桑原",
    "古賀",
    "桜庭",
    "佐倉",
    "志村",
    "白鳥",
    "須藤",
    "瀬川",
    "高梨",
    "滝沢",
    "橘",
    "月島",
    "戸倉",
    "長谷部",
    "西園寺",
    "野々村",
    "萩原",
    "東雲",
    "氷室",
    "藤堂",
    "星野",
    "三雲",
    "夕凪",
];
const GIVEN: [&str; 48] = [
    "葵",
    "明人",
    "彩花",
    "郁夫",
    "泉",
    "一颯",
    "絵里香",
    "治",
    "薫",
    "和真",
    "佳奈子",
    "圭吾",
    "紅葉",
    "小春",
    "冴子",
    "沙羅",
    "静香",
    "周平",
    "翔太郎",
    "澄香",
    "蒼太",
    "大地",
    "千尋",
    "司",
    "哲也",
    "智恵",
    "直樹",
    "渚",
    "望",
    "遥香",
    "光希",
    "響",
    "史織",
    "文香",
    "真琴",
    "雅人",
    "美咲",
    "睦月",
    "恵",
    "百花",
    "弥生",
    "悠真",
    "由紀子",
    "陽菜",
    "涼介",
    "瑠璃",
    "怜央",
    "若葉",
];
const ENGLISH_GIVEN: [&str; 24] = [
    "Ada", "Brenda", "Cedric", "Delia", "Edwin", "Fiona", "Gareth", "Hazel", "Ivor", "Joan", "Keith", "Lydia", "Miles",
    "Nora", "Owen", "Phoebe", "Quentin", "Rosa", "Silas", "Thea", "Ursula", "Victor", "Wanda", "Zelda",
];
const ENGLISH_FAMILY: [&str; 24] = [
    "Ashgrove",
    "Bramwell",
    "Cottersby",
    "Dunmore",
    "Eastlake",
    "Farrowby",
    "Greenholt",
    "Harcastle",
    "Inglewick",
    "Jessop",
    "Kettering",
    "Larkspur",
    "Merriton",
    "Northgate",
    "Oakenfold",
    "Pemberly",
    "Quillon",
    "Ravenscar",
    "Stonebury",
    "Thornfield",
    "Underhay",
    "Vexley",
    "Wetherall",
    "Yarrowby",
];
const WORDS: [&str; 40] = [
    "sakura", "momiji", "yuki", "hoshi", "kaze", "umi", "yama", "hana", "tsuki", "sora", "mori", "kawa", "hikari",
    "niji", "matsu", "take", "kumo", "ishi", "tori", "kitsune", "maple", "harbor", "lantern", "meadow", "copper",
    "willow", "granite", "ember", "orchid", "falcon", "cedar", "pebble", "violet", "summit", "breeze", "coral",
    "thistle", "amber", "juniper", "heron",
];
const IDN: [&str; 16] = [
    "日本語",
    "さくら",
    "例え",
    "花火",
    "東雲商店",
    "みどり",
    "ことのは",
    "星空",
    "うみべ",
    "山の上",
    "手作り",
    "喫茶",
    "古書店",
    "写真館",
    "工房",
    "旅日記",
];
const TRADES: [&str; 16] = [
    "商事",
    "製作所",
    "印刷",
    "食品",
    "運輸",
    "建設",
    "電機",
    "園芸",
    "書房",
    "工業",
    "物産",
    "企画",
    "出版",
    "化学",
    "繊維",
    "観光",
];
const PROVIDERS: [&str; 6] =
    ["mail.example", "post.example", "letters.test", "inbox.example", "webmail.test", "brief.example"];

/// The customer with this number, from 0. Member IDs, addresses and domains are
/// its own; names may be shared, as in life.
pub fn customer(number: u64, accounts: u64, seed: u64) -> Customer {
    let mut random = fastrand::Rng::with_seed(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let english = random.u32(0..100) < 30;
    let (name, latin) = name(&mut random, english);
    let company = if random.u32(0..100) < 25 { company(&mut random, english) } else { String::new() };
    let domains = domains(&mut random, number);
    let email = match domains.first() {
        Some(domain) if domain.is_ascii() && random.bool() => {
            format!("{}@{domain}", if random.u32(0..100) < 60 { "info" } else { latin.as_str() })
        }
        _ => format!("{latin}.{}@{}", letters(number), PROVIDERS[random.usize(..PROVIDERS.len())]),
    };
    Customer {
        member_id: member_id(number, accounts, seed),
        email,
        name,
        company,
        phone: if random.u32(0..100) < 70 {
            format!("03-{:04}-{:04}", 1000 + (number / 10_000) % 9000, number % 10_000)
        } else {
            String::new()
        },
        domains,
        auth_code: (0..12).map(|_| random.alphanumeric()).collect(),
        plan: if random.u32(0..100) < 20 { "premium" } else { "basic" },
    }
}

fn name(random: &mut fastrand::Rng, english: bool) -> (String, String) {
    let latin = WORDS[random.usize(..WORDS.len())].to_owned();
    if english {
        let given = ENGLISH_GIVEN[random.usize(..ENGLISH_GIVEN.len())];
        let family = ENGLISH_FAMILY[random.usize(..ENGLISH_FAMILY.len())];
        return (format!("{given} {family}"), family.to_ascii_lowercase());
    }
    (format!("{} {}", FAMILY[random.usize(..FAMILY.len())], GIVEN[random.usize(..GIVEN.len())]), latin)
}

fn company(random: &mut fastrand::Rng, english: bool) -> String {
    if english {
        let family = ENGLISH_FAMILY[random.usize(..ENGLISH_FAMILY.len())];
        let word = WORDS[random.usize(..WORDS.len())];
        let mut word = word.to_owned();
        word[..1].make_ascii_uppercase();
        return format!("{family} {word} {}", if random.bool() { "Ltd" } else { "Inc" });
    }
    let family = FAMILY[random.usize(..FAMILY.len())];
    let trade = TRADES[random.usize(..TRADES.len())];
    if random.bool() { format!("株式会社{family}{trade}") } else { format!("{family}{trade}株式会社") }
}

/// Most have a few, some none, few have thirty.
fn domains(random: &mut fastrand::Rng, number: u64) -> Vec<String> {
    let count = match random.u32(0..100) {
        0..10 => 0,
        10..80 => random.usize(1..=10),
        80..98 => random.usize(11..=20),
        _ => random.usize(21..=30),
    };
    (0..count)
        .map(|n| {
            let word = WORDS[random.usize(..WORDS.len())];
            match random.u32(0..20) {
                0 => format!("{}{}.example", IDN[random.usize(..IDN.len())], letters(number * 31 + n as u64)),
                1..4 => format!("{word}-{}.test", letters(number * 31 + n as u64)),
                4 => format!("shop.{word}{}.example", letters(number * 31 + n as u64)),
                _ => format!("{word}{}.example", letters(number * 31 + n as u64)),
            }
        })
        .collect()
}

/// A number in letters, so that names carry no digits that look like IDs.
fn letters(mut number: u64) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}

/// Eight digits in a shuffled, dense range: a step coprime to the range visits
/// every place once.
pub fn member_id(number: u64, accounts: u64, seed: u64) -> String {
    let range = (accounts + accounts / 10).max(1_000);
    let mut step = 7_919 + (seed % 1_000) * 2;
    while gcd(step, range) != 1 {
        step += 1;
    }
    format!("{:08}", 10_000_001 + (number * step) % range)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_are_each_customers_own_and_a_seed_repeats_them() {
        let mut seen = HashSet::new();
        for number in 0..3_000 {
            let made = customer(number, 3_000, 7);
            assert_eq!(made, customer(number, 3_000, 7));
            let own = [made.member_id.clone(), made.email.clone()].into_iter().chain(made.domains.clone());
            for value in own {
                assert!(seen.insert(value), "customer {number}");
            }
            assert!(made.domains.len() <= 30);
        }
        assert_ne!(customer(1, 3_000, 7), customer(1, 3_000, 8));
    }
}
