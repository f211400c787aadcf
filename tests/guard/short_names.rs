//! Names of three characters or of two short words, and those whose surname comes first:
//! searched for behind captions, behind the account's own names, and where they stand by
//! themselves.

use std::collections::BTreeMap;

use kakitome::account::Kind;
use kakitome::guard::overlay::Columns;
use kakitome::guard::{Allow, Finding, Literal, Overlay, Rule, Verdict};

use super::letter::Letter;
use super::world::{World, terms};

/// 山田 太郎丸 of 株式会社ミドリ木材, 森 健, 林愛 as it is written without a space, Li Na and
/// Grace Young.
fn world() -> World {
    let row = |id: &str, name: &str, company: &str| {
        let host = format!("h{id}.example");
        [id, &format!("x@{host}"), "", &host, "", name, company, ""].map(str::to_owned)
    };
    World::of(&[
        row("40817263", "山田 太郎丸", "株式会社ミドリ木材"),
        row("40817264", "森 健", "喫茶 林 愛"),
        row("40817265", "林愛", ""),
        row("40817266", "Li Na", ""),
        row("40817267", "Grace Young", ""),
        row("40817268", "José Núñez", ""),
        row("40817269", "Ada Young", "株式会社アオゾラ"),
    ])
}

fn judged(world: &World, account: usize, line: &str) -> Verdict {
    let mut letter = Letter::new(world, account);
    if line.starts_with('<') {
        letter.html.push_str(line);
    } else {
        letter.text.push_str(&format!("\r\n{line}\r\n"));
    }
    world.judge(account, &letter.bytes())
}

/// Each line is held for the first account, and cleared for the one that is named.
fn held(lines: &[(usize, &str)]) {
    let world = world();
    for (owner, line) in lines {
        let found = judged(&world, 0, line).findings;
        let is_foreign =
            |f: &Finding| f.rule == Rule::Foreign && f.owner.as_ref() == Some(&world.records[*owner].account);
        assert!(found.iter().any(is_foreign), "{line:?}: {found:?}");
        let verdict = judged(&world, *owner, line);
        assert!(verdict.is_cleared(), "{line:?}: {:?}", verdict.findings);
    }
}

#[test]
fn behind_a_caption() {
    held(&[
        (1, "登録者名: 森 健"),
        (1, "ご契約者氏名（漢字）　森　健"),
        (1, "お名前\r\n森 健"),
        (1, "担当者名は森健です。"),
        (1, "FN:森 健"),
        (1, "N;CHARSET=UTF-8:森;健;;;"),
        (1, "お名前:\r\n\r\n森 健"),
        (2, "【お名前】林愛"),
        (2, "a. [登録者名]  林愛"),
        (2, "氏　名：林愛"),
        (2, "ご請求先: 林愛 様"),
        (2, "公開連絡窓口\r\n林愛"),
        (3, "Name.....: Li Na"),
        (3, "Bill to: Li Na"),
        (4, "Registrant: Young, Grace"),
        (2, "ご担当者様：林愛"),
        (2, "氏名／林愛"),
        (2, "氏名→林愛"),
        (2, "氏名[必須]：林愛"),
        (2, "■氏名■林愛"),
        (2, "お名前（全角）　：林愛"),
        (2, "申請者＝林愛"),
        (2, "契約者：営業部、林愛"),
        (2, "会社名：未登録　担当：林愛"),
        (2, "お客様名：林愛"),
        (2, "変更前：営業部（林愛）"),
        (2, "氏名「林愛」"),
        (2, "林愛ご契約者様"),
        (2, "林 愛会員様"),
        (2, "ORGANIZER;CN=林愛:mailto:x"),
        (2, "<p>x</p><!-- <name>林愛</name> -->"),
        (3, "customerName: Li Na"),
        (3, "\"customerName\":\"Li Na\""),
        (3, "contactName=Li Na"),
        (3, "Issued to: Li Na"),
        (3, "User: Li Na"),
        (3, "Account holder - Li Na"),
        (1, "<table><tr><th>氏名</th><td>森 健</td></tr></table>"),
        (1, "<dl><dt>ご契約者<b>名</b></dt><dd>森 <i>健</i></dd></dl>"),
        (1, "<script type=\"application/ld+json\">{\"name\": \"森 健\"}</script>"),
        (1, "<p title=\"名義人: 森健 様\">x</p>"),
        (1, "<table><tr><th>Name</th><td>森 健</td></tr></table>"),
    ]);
    let world = world();
    let found = judged(&world, 0, "登録者名: 株式会社ミドリ木材 林愛").findings;
    assert!(found.iter().any(|f| f.rule == Rule::Foreign && f.kind == Some(Kind::Person)), "{found:?}");
}

#[test]
fn standing_by_themselves() {
    held(&[
        (1, "森 健"),
        (1, "今後は森　健までご連絡ください。"),
        (2, "山 → 林 愛"),
        (2, "tokyo,林 愛,2026"),
        (2, "氏\t林\t愛\t2026"),
        (2, "<table><tr><th>ドメイン</th><th>契約</th></tr><tr><td>x</td><td>林 愛</td></tr></table>"),
        (2, "<p>x<br>林 愛<br>y</p>"),
        (2, "<input name=\"name\" value=\"林 愛\">"),
        (2, "<p>林 <b>愛</b></p>"),
        (3, "1,Li Na,Tokyo"),
        (3, "<td>Li Na</td>"),
        (4, "<td>YOUNG Grace</td>"),
        (4, "owner (Young, Grace)"),
        (4, "1. Young, Grace, CEO"),
        (4, "Tokyo, YOUNG Grace"),
        (3, "- Li Na"),
        (3, "1. Ms. Li Na - Tokyo"),
        (2, "林　愛先生へ"),
        (2, "林 愛君"),
        (2, "林 愛宛"),
        (2, "課長林 愛"),
        (2, "林   愛"),
        (2, "<td>林\r\n        愛</td>"),
        (2, "<p>氏名：林\r\n愛</p>"),
        (2, "<p>林<b>\r\n</b>愛</p>"),
        (3, "<td>Li\r\n  Na</td>"),
        (3, "<td>Li\r\n\t\tNa</td>"),
        (3, "<td>Li <b>\r\n Na</b></td>"),
        (3, "Renew Li Na's account today"),
        (3, "Li Na’s domains"),
    ]);
}

#[test]
fn what_is_no_name() {
    let world = world();
    for (account, line) in [
        (0, "氏名: 山田 太郎丸"),
        (0, "名前: 森林 健康"),
        (0, "山の森 健やかに"),
        (0, "ご登録者\r\n大森 健"),
        (0, "林愛好会の林間学校"),
        (0, "Name: Node, 担当者: 営業部"),
        (0, "We met Li. Na and others, a young grace period"),
        (1, "喫茶 林 愛のご案内"),
        (1, "<td>喫茶 林 愛</td>"),
        (6, "Hi Ada and team,"),
        (6, "Hello Ada & family!"),
        (6, "株式会社アオゾラ 担当 Young 様"),
        (5, "Dear Jose Nunez,"),
        (5, "Jose Nunez 様"),
        (5, "Dear Prof. Nunez Jose,"),
        (5, "Hello Dr. Jose Nunez!"),
    ] {
        let verdict = judged(&world, account, line);
        assert!(verdict.is_cleared(), "{line:?}: {:?}", verdict.findings);
    }
    // A piece of an own name is only where the rest of it is.
    assert!(!judged(&world, 1, "喫茶 森 健、林 愛").is_cleared());
    for line in ["Hi Ada and Grace,", "株式会社アオゾラ 担当 林様", "Dear Jose Ibanez,", "Dear Prof. Ibanez,"]
    {
        assert!(!judged(&world, 6, line).is_cleared(), "{line}");
    }
}

#[test]
fn the_literal_text_explains_them() {
    let world = world();
    for line in ["編集責任者: 森 健", "森 健", "文 Li Na, 2026", "<td>Young, Grace</td>"] {
        let mut terms = terms();
        terms.literal.push(Literal { html: line.starts_with('<'), text: line.into() });
        let mut letter = Letter::new(&world, 0);
        letter.text.push_str(&format!("\r\n{line}\r\n"));
        letter.html.push_str(&format!("<p>{line}</p>"));
        let verdict = world.judge_with(0, &letter.bytes(), &terms);
        assert!(verdict.is_cleared(), "{line}: {:?}", verdict.findings);
    }
}

/// What it would then explain is told when a campaign is frozen.
#[test]
fn the_literal_text_is_searched_for_them() {
    let world = world();
    let overlay = Overlay::empty(Columns::new(&BTreeMap::new()).expect("no columns"));
    let told = |line: &str, allow: &str| {
        let mut terms = terms();
        terms.literal.push(Literal { html: line.starts_with('<'), text: line.into() });
        terms.allow.push(Allow { value: allow.into(), reason: "our editor".into() });
        world.guard.lint(&terms, &overlay).expect("the terms are good").len()
    };
    for line in ["編集責任者: 森 健", "森健様", "<p>森 健 様</p>", "文 Li Na, 2026", "<td>Young, Grace</td>"]
    {
        assert_eq!(told(line, "nobody"), 1, "{line}");
    }
    assert_eq!(told("編集責任者: 森 健", "森 健"), 0);
    assert_eq!(told("大森 健やかに、お客様へ", "nobody"), 0);
}
