//! What a template leaves behind, and what looks like it: in several worlds, each wherever
//! it may stand.

use kakitome::guard::Rule;

use super::letter::{Letter, word};
use super::world::{Shape, World};

/// Nobody writes these.
const HELD: [&str; 72] = [
    "こんにちは {{ name }} さん",
    "{{会社名}} 御中",
    "Hello {{{name}}}",
    "{% if member %}会員{% endif %}",
    "Hi %%FIRSTNAME%%,",
    "%%=v(@firstName)=%%",
    "Hello %FNAME%",
    "Hello %recipient.first_name%",
    "Hello %name%",
    "%会社名% 御中",
    "Hi *|FNAME|*",
    "Hi *|MC:SUBJECT|*",
    "Dear [[NAME]]",
    "[[会員名]] 様",
    "Hi [FNAME]",
    "Hi [FIRST_NAME]",
    "Dear [First Name],",
    "Dear [Your Name],",
    "Liebe [Vorname],",
    "[会員名] 様",
    "【氏名】様",
    "《会員名》様",
    "Hello ${name}",
    "Hello ${account.name}",
    "Hello {name}",
    "Hello {0},",
    "{お名前}様",
    "Dear <<name>>",
    "<<会員名>> 様",
    "Dear «First_Name»",
    "Hello #{name}",
    "Hello $name$",
    "Dear $firstname,",
    "Hello @@name@@",
    "##NAME## 様",
    "##氏名##",
    "Hi __FIRST_NAME__",
    "Hello [% name %]",
    "Hello <%= name %>",
    "Hi {!Contact.FirstName}",
    "Hi {$name}",
    "Hello @Model.Name",
    "〇〇様",
    "○○ 様",
    "●●様",
    "××様",
    "△△様",
    "〇〇 〇〇様",
    "□□御中",
    "XX様へのご案内",
    "【様】",
    "様\r\n\r\nいつもありがとうございます。",
    "\u{3000}様、いつもありがとうございます。",
    "御中",
    "Dear ,",
    "Hi !",
    "Hello , how are you?",
    "Dear None,",
    "Hello undefined!",
    "Hi null",
    "undefined様",
    "None 様",
    "NULL 御中",
    "合計: NaN円",
    "ポイント: undefinedポイント",
    "お名前: None",
    "氏名：null",
    "Name: None",
    "Customer number: undefined",
    "Your order [object Object] is on its way",
    "https://shop.example/hello?u=undefined&x=1",
    "Due: Invalid Date",
];

/// People write these.
const CLEAN: [&str; 42] = [
    "[NEWS] December",
    "[INFO] Maintenance on Sunday",
    "[IMPORTANT] Please read",
    "[PR] 年末のお得なお知らせ",
    "[ID] 登録のご案内",
    "[Email Address] as you gave it",
    "<<お知らせ>>",
    "<< NEWS >>",
    "[[重要]] 年末年始の営業",
    "## 今月のお知らせ ##",
    "Open cases: None",
    "Attachments: None",
    "Known problems: None, as of today",
    "None of the above applies. There is no null hypothesis.",
    "An undefined term is defined below.",
    "{\"unique_args\":{\"campaign\":\"winter\"}}",
    "{\"a\":{\"b\":null}}",
    "{\"a\": null, \"b\": undefined}",
    "50%OFF, 70%OFF",
    "最大20%引き、30%オフ、10%還元",
    "100% OFF% of nothing",
    "US$5 and CA$7",
    "[氏名] をご記入ください",
    "先着100名様をご招待",
    "多様な商品、様々なサイズ",
    "様式が変わりました",
    "お客様各位",
    "皆様 いつもありがとうございます",
    "☆☆様々なイベント☆☆",
    "3×5cmの見本",
    "Hi, and welcome back!",
    "Hello! We are open.",
    "Bonjour ! Voici les nouvelles.",
    "«Слово» дня",
    "Le mot « nom » est court.",
    "a[0-9]{8} is a pattern",
    "x{3} means three of them",
    "[1] See below. [2] See above.",
    "[Unsubscribe]",
    "(笑) それでは、また。",
    "★★★ レビュー ★★★",
    "https://shop.example/?q=%E3%81%82%E3%81%84",
];

fn say(letter: &mut Letter, text: &str) {
    letter.text.insert_str(0, &format!("{text}\r\n\r\n"));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace("\r\n", "<br>")
}

fn worlds() -> Vec<World> {
    let row = |id: &str, phone: &str| {
        ["", "taro@midori-mokuzai.example", "", "midori-mokuzai.example", phone, "Jean Dupont", "", ""]
            .map(str::to_owned)
            .into_iter()
            .enumerate()
            .map(|(n, cell)| if n == 0 { id.to_owned() } else { cell })
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    };
    vec![
        World::new(),
        World::of_shape(&Shape { pattern: "[A-Z]{2}[0-9]{6}", country: "US" }, &[row("QX408199", "212-555-0187")]),
        World::of_shape(&Shape { pattern: "[0-9]{6}", country: "FR" }, &[row("408199", "01 23 45 67 89")]),
    ]
}

type Put = fn(&mut Letter, &str);

const PLACES: [(&str, Put); 4] = [
    ("text", say),
    ("HTML", |letter, text| letter.html.insert_str(0, &format!("<p>{}</p>", escaped(text)))),
    ("cell", |letter, text| letter.html.insert_str(0, &format!("<table><tr><td>{}</td></tr></table>", escaped(text)))),
    ("subject", |letter, text| letter.header("Subject", &word(text.lines().next().unwrap_or_default()))),
];

fn is_held(world: &World, put: Put, text: &str) -> bool {
    let mut letter = Letter::new(world, 0);
    put(&mut letter, text);
    world.judge(0, &letter.bytes()).findings.iter().any(|finding| finding.rule == Rule::Empty)
}

/// Every text in every place and world that is not as expected.
fn faults(texts: &[&str], expected: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (n, world) in worlds().iter().enumerate() {
        for (place, put) in PLACES {
            let wrong = texts.iter().filter(|text| is_held(world, put, text) != expected);
            faults.extend(wrong.map(|text| format!("world {n}, {place}: {text}")));
        }
    }
    faults
}

#[test]
fn placeholders_are_held() {
    let faults = faults(&HELD, true);
    assert!(faults.is_empty(), "{} are cleared:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn what_looks_like_placeholders_is_clean() {
    let faults = faults(&CLEAN, false);
    assert!(faults.is_empty(), "{} are held:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn headers_attributes_and_links() {
    let world = World::new();
    let html = |text: &str| {
        let mut letter = Letter::new(&world, 0);
        letter.html.push_str(text);
        world.judge(0, &letter.bytes()).findings.iter().any(|finding| finding.rule == Rule::Empty)
    };
    for held in [
        "<img alt=\"{{ name }}\">",
        "<img alt=\"undefined\">",
        "<a title=\"[FNAME]\" href=\"https://registrar.example/\">x</a>",
        "<a href=\"https://registrar.example/?u={{id}}\">x</a>",
        "<a href=\"https://registrar.example/?u=%7B%7Bid%7D%7D\">x</a>",
        "<a href=\"https://registrar.example/?u=*|UNIQID|*\">x</a>",
        "<a href=\"https://registrar.example/?u=undefined\">x</a>",
        "<a href=\"https://registrar.example/u/null/x\">x</a>",
        "<a href=\"https://registrar.example/?name=%25FNAME%25\">x</a>",
    ] {
        assert!(html(held), "{held}");
    }
    for clean in [
        "<table class=\"undefined\" data-x=\"null\"><tr><td>x</td></tr></table>",
        "<p style=\"color:#fff\">x</p><!--[if mso]><style>a{color:red}b{x:y}}</style><![endif]-->",
        "<a href=\"https://registrar.example/?filter=none&x=5\">x</a>",
        "<script type=\"application/ld+json\">{\"target\":\"https://registrar.example/?q={search_term_string}\"}</script>",
    ] {
        assert!(!html(clean), "{clean}");
    }
    for (value, expected) in [
        ("{\"unique_args\":{\"campaign\":\"winter\"}}", false),
        ("{\"a\":null,\"b\":[[1,2],[3]]}", false),
        ("None", false),
        ("{{ id }}", true),
    ] {
        let mut letter = Letter::new(&world, 0);
        letter.header("X-SMTPAPI", value);
        let is_held = world.judge(0, &letter.bytes()).findings.iter().any(|finding| finding.rule == Rule::Empty);
        assert_eq!(is_held, expected, "{value}");
    }
}
