//! Every rule once held and once cleared, by one change each.

use kakitome::account::{AccountId, Kind};
use kakitome::address::Address;
use kakitome::guard::{Candidate, Literal, Rule, Terms};
use kakitome::key::{Bounce, Keys, Link, Purpose};

use super::letter::{Letter, part, word};
use super::world::{CAMPAIGN, World, terms};

/// A change to a letter for account 0.
type Change = fn(&World, &mut Letter);

struct Row {
    rule: Rule,
    name: &'static str,
    held: Change,
    cleared: Change,
}

fn link(world: &World, campaign: i64, account: usize) -> String {
    let account = world.records[account].account.clone();
    world.keys.link(&Link { purpose: Purpose::View, campaign, account })
}

/// A multipart whose type says twice where its parts begin.
fn boundaries(first: &str, second: &str) -> String {
    format!(
        "Content-Type: multipart/mixed; boundary={first}; boundary={second}\r\n\r\n--{first}\r\n{}\r\n--{first}--\r\n",
        part("text/plain", "8bit", "x")
    )
}

fn say(letter: &mut Letter, line: &str) {
    letter.text.push_str(&format!("\r\n{line}\r\n"));
}

const ROWS: &[Row] = &[
    Row {
        rule: Rule::Envelope,
        name: "Cc",
        held: |_, l| l.header("Cc", "x@registrar.example"),
        cleared: |_, l| l.header("Sender", "x@registrar.example"),
    },
    Row {
        rule: Rule::Envelope,
        name: "Resent-To",
        held: |_, l| l.header("Resent-To", "x@registrar.example"),
        cleared: |_, l| l.header("Reply-To", "x@registrar.example"),
    },
    Row {
        rule: Rule::Envelope,
        name: "another To",
        held: |_, l| l.header("To", "<taro@aozora-print.example>"),
        cleared: |_, l| l.header("To", "taro@midori-mokuzai.example"),
    },
    Row {
        rule: Rule::Envelope,
        name: "a second To in one header",
        held: |_, l| l.header("To", "<x@registrar.example>, <taro@midori-mokuzai.example>"),
        cleared: |_, l| l.header("To", &format!("{} <taro@midori-mokuzai.example>", word("山田 太郎丸 様"))),
    },
    Row {
        rule: Rule::Envelope,
        name: "a bare LF in a header",
        held: |_, l| l.header("X-Note", "a\nBcc: x@registrar.example"),
        cleared: |_, l| l.header("X-Note", "a\r\n b"),
    },
    Row {
        rule: Rule::Foreign,
        name: "a company's name",
        held: |_, l| say(l, "海辺カフェ合同会社のお知らせ"),
        cleared: |_, l| say(l, "ミドリ木材株式会社、㈱ミドリ木材のお知らせ"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "a host",
        held: |_, l| say(l, "unknown-customer.test"),
        cleared: |_, l| say(l, "www.registrar.example"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "a host behind Japanese",
        held: |_, l| say(l, "ご契約のunknown-customer.testの更新"),
        cleared: |_, l| say(l, "ご契約のwww.midori-mokuzai.exampleの更新"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "an IDN",
        held: |_, l| say(l, "未知の客.test"),
        cleared: |_, l| say(l, "みどり木材。example"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "an address at the own provider",
        held: |_, l| say(l, "somebody@mailbox.test"),
        cleared: |_, l| say(l, "postmaster@midori-mokuzai.example"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "an ID",
        held: |_, l| say(l, "会員番号 40817264"),
        cleared: |_, l| say(l, "会員番号 4081-7263"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "an ID in four and four",
        held: |_, l| say(l, "会員番号 4081-7264"),
        cleared: |_, l| say(l, "1998-2026"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "a phone",
        held: |_, l| say(l, "TEL 03-5234-5678"),
        cleared: |_, l| say(l, "TEL +81 90 1234 5678"),
    },
    Row {
        rule: Rule::Unexplained,
        name: "a phone behind an ID",
        held: |_, l| say(l, "40817263 03-5234-5678"),
        cleared: |_, l| say(l, "40817263 090-1234-5678"),
    },
    Row {
        rule: Rule::Salutation,
        name: "様",
        held: |_, l| say(l, "田中 次郎 様"),
        cleared: |_, l| say(l, "山田　太郎丸様"),
    },
    Row {
        rule: Rule::Salutation,
        name: "a short name that the directory knows",
        held: |_, l| say(l, "森 健様"),
        cleared: |_, l| say(l, "山田様"),
    },
    Row {
        rule: Rule::Salutation,
        name: "御中",
        held: |_, l| say(l, "株式会社なにか 御中"),
        cleared: |_, l| say(l, "㈱ミドリ木材 御中"),
    },
    Row {
        rule: Rule::Salutation,
        name: "Dear",
        held: |_, l| say(l, "Dear Mr. Somebody Else,"),
        cleared: |_, l| say(l, "Dear customer,"),
    },
    Row {
        rule: Rule::Salutation,
        name: "honorific behind a tag",
        held: |_, l| l.html.push_str("<p><b>田中</b><span>様</span></p>"),
        cleared: |_, l| l.html.push_str("<p><b>山田</b><span>様</span></p>"),
    },
    Row {
        rule: Rule::Salutation,
        name: "a header",
        held: |_, l| l.header("Subject", &word("田中様へのご案内")),
        cleared: |_, l| l.header("Subject", &word("お客様へのご案内")),
    },
    Row {
        rule: Rule::Salutation,
        name: "before the address in To",
        held: |_, l| l.header("To", &format!("{} <taro@midori-mokuzai.example>", word("林 愛"))),
        cleared: |_, l| l.header("To", "\"お客様\" <taro@midori-mokuzai.example>"),
    },
    Row {
        rule: Rule::Salutation,
        name: "honorific in a line of its own",
        held: |_, l| l.html.push_str("<p>田中<br>様</p>"),
        cleared: |_, l| l.html.push_str("<p>山田<br>様、様々な</p>"),
    },
    Row {
        rule: Rule::LinkToken,
        name: "another account's",
        held: |w, l| say(l, &format!("https://registrar.example/v/{}", link(w, CAMPAIGN, 1))),
        cleared: |w, l| say(l, &format!("https://registrar.example/v/{}", link(w, CAMPAIGN, 0))),
    },
    Row {
        rule: Rule::LinkToken,
        name: "another campaign's, in a header",
        held: |w, l| l.header("List-Unsubscribe", &format!("<https://registrar.example/u/{}>", link(w, 8, 0))),
        cleared: |w, l| l.header("List-Unsubscribe", &format!("<https://registrar.example/u/{}>", link(w, 7, 0))),
    },
    Row {
        rule: Rule::LinkToken,
        name: "one that was not made here",
        held: |_, l| l.html.push_str("<a href=\"https://registrar.example/v/kt1-AAAAAAAAAAAAAAAAAAAAAAdjo3OjE\">x</a>"),
        cleared: |_, l| l.html.push_str("<a href=\"https://registrar.example/v/none\">x</a>"),
    },
    Row {
        rule: Rule::Secret,
        name: "somebody's",
        held: |_, l| say(l, "コード：Qq7-Lanternfish"),
        cleared: |_, l| say(l, "コード：Qq7-Lanternfis"),
    },
    Row {
        rule: Rule::Secret,
        name: "one's own, in an attribute",
        held: |_, l| l.html.push_str("<p title=\"Xk4-Plumtree9\">x</p>"),
        cleared: |_, l| l.html.push_str("<p title=\"Xk4\">x</p>"),
    },
    Row {
        rule: Rule::Secret,
        name: "a record dump",
        held: |_, l| say(l, "90817263,jiro@stranger.example,2026-12-31,x"),
        cleared: |_, l| say(l, "東京,大阪,名古屋,福岡"),
    },
    Row {
        rule: Rule::Secret,
        name: "a record dump, and the account's own invoice",
        held: |_, l| say(l, "12800|2026-12-31|55501|x"),
        cleared: |_, l| say(l, "2026-12-31|midori-mokuzai.example|1|12800"),
    },
    Row {
        rule: Rule::Unreadable,
        name: "a picture that nobody declared",
        held: |_, l| l.parts.push(part("image/png", "base64", "iVBORw0KGgoAAAANSUhEUg==")),
        cleared: |_, l| l.parts.push(part("text/plain", "base64", "eA==")),
    },
    Row {
        rule: Rule::Unreadable,
        name: "base64 that is none",
        held: |_, l| l.parts.push(part("text/plain", "base64", "!!!!=???=")),
        cleared: |_, l| l.parts.push(part("text/plain", "quoted-printable", "x=\r\ny")),
    },
    Row {
        rule: Rule::Unreadable,
        name: "two boundaries",
        held: |_, l| l.parts.push(boundaries("a", "b")),
        cleared: |_, l| l.parts.push(boundaries("a", "a")),
    },
    Row {
        rule: Rule::Empty,
        name: "a placeholder",
        held: |_, l| say(l, "{{ name }}"),
        cleared: |_, l| say(l, "[NEWS] December"),
    },
    Row {
        rule: Rule::Empty,
        name: "None before 様",
        held: |_, l| say(l, "None 様"),
        cleared: |_, l| say(l, "None of them"),
    },
    Row {
        rule: Rule::Empty,
        name: "a placeholder in the subject",
        held: |_, l| l.header("Subject", "Hello %FNAME%"),
        cleared: |_, l| l.header("Subject", "50%OFF, 70%OFF"),
    },
    Row {
        rule: Rule::Empty,
        name: "nothing to see",
        held: |_, l| (l.text, l.html) = (" \r\n".into(), "<p> </p>".into()),
        cleared: |_, l| l.html = "<p> </p>".into(),
    },
];

#[test]
fn every_rule_holds_and_clears() {
    let world = World::new();
    let mut faults = Vec::new();
    for row in ROWS {
        let (mut bad, mut good) = (Letter::new(&world, 0), Letter::new(&world, 0));
        (row.held)(&world, &mut bad);
        (row.cleared)(&world, &mut good);
        let (bad, good) = (world.judge(0, &bad.bytes()), world.judge(0, &good.bytes()));
        if !bad.findings.iter().any(|finding| finding.rule == row.rule) {
            faults.push(format!("LEAK  {} × {}: {:?}", row.rule.as_str(), row.name, bad.findings));
        }
        if !good.is_cleared() {
            faults.push(format!("ALARM {} × {}: {:?}", row.rule.as_str(), row.name, good.findings));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let tried = |rule: &&Rule| ROWS.iter().any(|row| row.rule == **rule);
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !tried(rule)).collect();
    assert_eq!(missing, [&Rule::Missing], "`missing` has its own test");
}

#[test]
fn what_must_be_shown_is_missed() {
    let world = World::new();
    for column in ["id", "email", "domains", "phone", "name", "company"] {
        let terms = Terms { must_show: vec![column.into()], ..terms() };
        let letter = Letter::new(&world, 0);
        let verdict = world.judge_with(0, &letter.bytes(), &terms);
        assert!(verdict.is_cleared(), "{column} is shown: {:?}", verdict.findings);
        let mut without = letter.clone();
        without.text = "お客様\r\n\r\nお知らせです。\r\n".into();
        let verdict = world.judge_with(0, &without.bytes(), &terms);
        assert!(verdict.findings.iter().any(|f| f.rule == Rule::Missing), "{column} is missing");
        // A cell that is empty has nothing to show.
        let verdict = world.judge_with(5, &Letter::new(&world, 5).bytes(), &terms);
        assert!(verdict.is_cleared(), "{column} of another: {:?}", verdict.findings);
    }
}

#[test]
fn the_envelope_is_one_recipient_of_the_directory() {
    let world = World::new();
    let (letter, record) = (Letter::new(&world, 0).bytes(), &world.records[0]);
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    let sender = Address::parse("bounce@registrar.example").expect("an address");
    let address = |text: &str| Address::parse(text).expect("an address");
    let held = |recipients: &[Address], account: &AccountId, record| {
        let candidate = Candidate { sender: &sender, recipients, account, bytes: &letter };
        judge.examine(candidate, record).findings.iter().any(|f| f.rule == Rule::Envelope)
    };
    let own = record.address.clone();
    assert!(!held(std::slice::from_ref(&own), &record.account, Some(record)));
    assert!(held(&[], &record.account, Some(record)), "no recipient");
    assert!(held(&[own.clone(), own.clone()], &record.account, Some(record)), "two");
    assert!(held(&[address("taro@aozora-print.example")], &record.account, Some(record)), "the local part alone");
    assert!(held(std::slice::from_ref(&own), &record.account, None), "no record");
    assert!(held(std::slice::from_ref(&own), &world.records[1].account, Some(record)), "another's record");
}

#[test]
fn the_envelope_senders_token_is_this_accounts_and_this_campaigns() {
    let world = World::new();
    let (letter, record) = (Letter::new(&world, 0).bytes(), &world.records[0]);
    let judge = world.guard.judge(&terms()).expect("the terms are good");
    let token = |keys: &Keys, campaign, account: usize| {
        keys.bounce(&Bounce { campaign, account: world.records[account].account.clone() })
    };
    let campaign = terms().campaign.expect("a campaign");
    let found = |local: &str| {
        let sender = Address::parse(&format!("{local}@mail.registrar.example")).expect("an address");
        let recipients = std::slice::from_ref(&record.address);
        let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes: &letter };
        let findings = judge.examine(candidate, Some(record)).findings;
        assert!(findings.iter().all(|f| f.rule == Rule::LinkToken && f.place == "envelope sender"), "{findings:?}");
        findings.into_iter().map(|f| (f.shown, f.owner)).collect::<Vec<_>>()
    };
    let own = token(&world.keys, campaign, 0);
    for local in ["bounces".into(), format!("bounces+{own}"), format!("b-{}-x", own.to_uppercase())] {
        assert_eq!(found(&local), [], "{local}");
    }
    let other = Some(world.records[1].account.clone());
    let held = |token: String, why: &str, owner| {
        assert_eq!(found(&format!("b+{token}")), [(format!("a bounce token {why}"), owner)], "{why}");
    };
    held(token(&world.keys, campaign, 1), "of another account", other);
    held(token(&world.keys, campaign + 1, 0), "of another campaign", None);
    held(token(&Keys::new(&[9; 32]), campaign, 0), "that was not made here", None);
}

/// Two values of one text, of two kinds: what explains one does not explain the
/// other.
#[test]
fn an_own_value_does_not_hide_a_foreign_one_beside_it() {
    let world = World::new();
    let mut faults = Vec::new();
    for (kind, line) in [
        (Kind::Domain, "みどり木材.exampleと青空印刷.example"),
        (Kind::Domain, "midori-mokuzai.exampleとumibe-cafe.exampleの更新"),
        (Kind::Domain, "umibe-cafe.exampleとmidori-mokuzai.exampleの更新"),
        (Kind::Domain, "midori-mokuzai.example、umibe-cafe.example"),
        (Kind::Domain, "umibe-cafe.example．次に，更新です．"),
        (Kind::Domain, "x@umibe-cafe.exampleまで"),
        (Kind::Phone, "090-1234-5678 03-3234-5678"),
        (Kind::Phone, "03-3234-5678 090-1234-5678"),
        (Kind::Phone, "03-3234-5678/090-1234-5678"),
        (Kind::Phone, "40817263 03-3234-5678"),
        (Kind::Phone, "40817263-03-3234-5678"),
        (Kind::Phone, "2026-01-01 03-3234-5678"),
        (Kind::Phone, "tel=81332345678"),
        (Kind::Phone, "TEL0332345678"),
        (Kind::Id, "40817263 40817299"),
        (Kind::Id, "40817263-40817299"),
        (Kind::Id, "40817263,40817299"),
        (Kind::Id, "40817263_40817299"),
        (Kind::Id, "4081-7263 4081-7299"),
        (Kind::Id, "090-1234-5678 40817299"),
        (Kind::Email, "taro@midori-mokuzai.example/hanako.s@mailbox.test"),
        (Kind::Email, "yamada.taro@mailbox.test;hanako.s@mailbox.test"),
        (Kind::Email, "ご連絡先hanako.s@mailbox.testまで"),
        (Kind::Person, "山田 太郎丸・佐々木 花子"),
        (Kind::Person, "山田太郎丸佐々木花子"),
        (Kind::Person, "Ada  Ashgrove/Beatrice O’Longfellow"),
        (Kind::Organisation, "株式会社ミドリ木材株式会社アオゾラ印刷"),
    ] {
        let mut letter = Letter::new(&world, 0);
        say(&mut letter, line);
        let verdict = world.judge(0, &letter.bytes());
        if !verdict.findings.iter().any(|f| f.rule == Rule::Foreign && f.kind == Some(kind)) {
            faults.push(format!("{kind} in {line}: {:?}", verdict.findings));
        }
    }
    assert!(faults.is_empty(), "{} leaks:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_gap_explains_nothing_that_touches_it() {
    let world = World::new();
    let mut terms = terms();
    let gap = Literal::GAP;
    terms.literal.push(Literal { html: false, text: format!("{gap}.aozora-print.example と {gap}様") });
    let mut letter = Letter::new(&world, 0);
    say(&mut letter, "www.aozora-print.example と 田中様");
    let verdict = world.judge_with(0, &letter.bytes(), &terms);
    assert!(verdict.findings.iter().any(|f| f.rule == Rule::Foreign), "{:?}", verdict.findings);
    assert!(verdict.findings.iter().any(|f| f.rule == Rule::Salutation), "{:?}", verdict.findings);
}

/// Account 4 is 森 健: a name of two characters, which stands in many others.
#[test]
fn a_short_own_name_is_not_a_piece_of_another() {
    let world = World::new();
    for (line, is_held) in [
        ("森 健 様", false),
        ("森健様", false),
        ("森様", false),
        ("森　さん", false),
        ("こんにちは森健様", false),
        ("ご契約者森健様", false),
        ("営業部 森 健 様", false),
        ("森 健 様、tanuki.example 様", false),
        ("大森様", true),
        ("大森健様", true),
        ("大森 健 様", true),
        ("鈴木 健 様", true),
        ("鈴木健様", true),
        ("森 太郎 様", true),
        ("さくら健様", true),
        ("高森 様", true),
        ("高森 殿", true),
        ("umibe 様", true),
    ] {
        let mut letter = Letter::new(&world, 4);
        say(&mut letter, line);
        let verdict = world.judge(4, &letter.bytes());
        assert_eq!(!verdict.is_cleared(), is_held, "{line}: {:?}", verdict.findings);
    }
}
