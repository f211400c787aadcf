//! The drill: a guard that is whole passes it, and one with a part missing does
//! not, whichever part it is.

use std::collections::BTreeMap;

use kakitome::account::{Kind, Recipient};
use kakitome::address::Address;
use kakitome::guard::drill::{self, Drill, Sample, Way};
use kakitome::guard::index::Entry;
use kakitome::guard::overlay::{Builder, Columns};
use kakitome::guard::{Ablation, Guard, Index, Judge, Literal, Overlay, Rule, Terms};
use kakitome::message::Finished;
use kakitome::render::{Letterhead, Mailbox, Renderer, Template};

use super::world::{CAMPAIGN, World, terms};

/// Shows everything that there is of an account.
const FULL: &str = "{{ account.name or account.company }} 様

会員番号: {{ account.id }}
ドメイン:
{% for domain in account.domains %}
- {{ domain }}
{% endfor %}
連絡先: {{ account.email }} / {{ account.phone }}
会社名: {{ account.company }}
{{ links.unsubscribe }}
";

/// Renders a template for every account of a world.
struct Press {
    terms: Terms,
    recipients: Vec<Recipient>,
    messages: Vec<Finished>,
}

impl Press {
    fn new(world: &World, subject: &str, body: &str, extra: &[String]) -> Self {
        let files = [("subject.txt", subject), ("body.txt", body)];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let template = Template::from_files(BTreeMap::from(files)).unwrap();
        let from = Mailbox::parse("Example Registrar <news@registrar.example>").unwrap();
        let mut terms = terms();
        terms.literal = template.literals().into_iter().map(|l| Literal { html: l.html, text: l.text }).collect();
        terms.literal.push(Literal { html: false, text: "Example Registrar".into() });
        let letterhead = Letterhead {
            campaign: CAMPAIGN,
            revision: 1,
            list_id: "news.registrar.example".into(),
            from,
            reply_to: None,
            bounce: Address::parse("bounce@registrar.example").unwrap().into(),
            links_base: "https://mail.registrar.example/k".into(),
            signers: Vec::new(),
            keys: world.keys.clone(),
        };
        let renderer = Renderer::new(template, letterhead).unwrap();
        let with = |n: usize| extra.get(n).map(|value| ("order_no".to_owned(), value.clone()));
        let recipients: Vec<Recipient> = world
            .records
            .iter()
            .enumerate()
            .map(|(n, record)| Recipient { record: record.clone(), extra: with(n).into_iter().collect() })
            .collect();
        let messages =
            recipients.iter().map(|recipient| renderer.render(recipient.clone(), 1_800_000_000_000).unwrap()).collect();
        Self { terms, recipients, messages }
    }

    fn full(world: &World) -> Self {
        Self::new(world, "{{ account.id }} 更新のお知らせ", FULL, &[])
    }

    fn drill(&self, judge: &Judge<'_>) -> Drill {
        let samples: Vec<Sample<'_>> = self
            .recipients
            .iter()
            .zip(&self.messages)
            .map(|(recipient, message)| Sample { record: &recipient.record, extra: &recipient.extra, message })
            .collect();
        drill::run(judge, &samples)
    }
}

fn way(drill: &Drill, way: Way) -> (u64, u64, u64) {
    let tally = drill.ways.iter().find(|tally| tally.way == way).unwrap();
    (tally.swapped, tally.held, tally.vacuous)
}

/// The drill of a world whose index is not what it should be, over messages that
/// a whole one would clear.
fn with_index(change: impl Fn(Entry) -> Option<Entry>, subject: &str, body: &str) -> Drill {
    let mut world = World::new();
    let index = Index::build(world.entries.iter().cloned().filter_map(change));
    world.guard = Guard::new(world.mapping.clone(), world.keys.clone(), index).unwrap();
    let press = Press::new(&world, subject, body, &[]);
    press.drill(&world.guard.judge(&press.terms).unwrap())
}

#[test]
fn a_whole_guard_passes_in_every_way() {
    let world = World::new();
    let mut press = Press::full(&world);
    press.terms.must_show = vec!["id".into()];
    let judge = world.guard.judge(&press.terms).unwrap();
    for (recipient, message) in press.recipients.iter().zip(&press.messages) {
        let recipients = std::slice::from_ref(message.recipient());
        let account = message.account();
        let candidate =
            kakitome::guard::Candidate { sender: message.sender(), recipients, account, bytes: message.bytes() };
        let verdict = judge.examine(candidate, Some(&recipient.record));
        assert!(verdict.is_cleared(), "{:?}", verdict.findings);
    }
    let drill = press.drill(&judge);
    assert!(drill.passed() && !drill.is_vacuous(), "{drill:?}");
    for each in [Way::WholeBody, Way::RowBelow, Way::Subject, Way::Field, Way::Link] {
        let (swapped, held, _) = way(&drill, each);
        assert_eq!((swapped, held), (6, 6), "{each:?}: {drill:?}");
    }
    assert_eq!(drill.rules, Rule::ALL, "every rule was tried and spoke");
}

/// Two accounts of one household or group have values in common, each in its own spelling.
#[test]
fn what_two_accounts_share_is_shared_however_it_is_spelled() {
    let row = |id: &str, domain: &str, phone: &str, name: &str| {
        let email = format!("a{id}@mailbox.test");
        [id, &email, "", domain, phone, name, "", ""].map(str::to_owned)
    };
    let world = World::of(&[
        row("40817263", "例え.example", "03-5512-7781", "Jonathan Whitfield"),
        row("51200347", "xn--r8jz45g.example", "0355127781", "WHITFIELD Jonathan"),
        row("62900018", "例え.example", "+81 3 5512 7781", "Whitfield, Jonathan"),
    ]);
    let drill = Press::full(&world);
    let drill = drill.drill(&world.guard.judge(&drill.terms).unwrap());
    assert!(drill.passed() && !drill.is_vacuous(), "{drill:?}");
}

#[test]
fn what_shows_nothing_is_vacuous_and_not_proven() {
    let world = World::new();
    let press = Press::new(&world, "お知らせ", "お客様\n\n新しいサービスのご案内です。\n", &[]);
    let drill = press.drill(&world.guard.judge(&press.terms).unwrap());
    assert!(drill.passed() && drill.is_vacuous(), "{drill:?}");
    assert_eq!((drill.held, drill.vacuous), (0, drill.swapped));
    // A link is the recipient's, and says nothing of who they are.
    let press = Press::new(&world, "お知らせ", "お客様\n\n{{ links.unsubscribe }}\n", &[]);
    let drill = press.drill(&world.guard.judge(&press.terms).unwrap());
    assert!(drill.passed() && drill.is_vacuous(), "{drill:?}");
    assert_eq!(way(&drill, Way::Link), (6, 6, 0));
}

/// Each kind, and a template that shows it. Companies alone have no cue, and are
/// found by the index or not at all.
const SHOWN: [(Kind, &str); 5] = [
    (Kind::Id, "会員番号 {{ account.id }}"),
    (Kind::Email, "連絡先 {{ account.email }}"),
    (Kind::Domain, "ドメイン {{ account.domains|first }}"),
    (Kind::Phone, "電話 {{ account.phone or 'なし' }}"),
    (Kind::Organisation, "貴社名: {{ account.company or 'なし' }}"),
];

#[test]
fn an_index_without_some_of_its_entries_fails() {
    for (kind, shown) in SHOWN {
        let body = format!("お客様\n\n{shown}\n");
        let gone = |entry: Entry| (entry.kind != kind).then_some(entry);
        for (subject, body) in [("お知らせ", body.as_str()), ("お知らせ", FULL), (shown, "お客様\n")] {
            let drill = with_index(Some, subject, body);
            assert!(drill.passed(), "{kind} in {body:?}: {drill:?}");
            let drill = with_index(gone, subject, body);
            assert!(!drill.passed(), "{kind} in {subject:?}, {body:?}: {drill:?}");
            assert!(drill.held + drill.vacuous < drill.swapped, "the gate sees it too: {drill:?}");
        }
    }
}

#[test]
fn an_index_without_one_account_fails() {
    for account in ["40817263", "51200347", "73000462"] {
        let drill = with_index(|entry| (entry.account.as_str() != account).then_some(entry), "お知らせ", FULL);
        assert!(!drill.passed(), "{drill:?}");
        assert!(drill.missed.iter().all(|missed| missed.rule.is_some() || missed.other.as_str() == account));
    }
}

#[test]
fn a_broken_canonical_form_fails() {
    // What the index would hold if it had been built with another normal form.
    for (kind, shown) in SHOWN {
        let keys = World::new().keys;
        let broken = move |entry: Entry| {
            let hash =
                if entry.kind == kind { keys.identifier(kind, &format!("{:x}", entry.hash)) } else { entry.hash };
            let name = entry.name.map(|name| if entry.kind == kind { name.to_uppercase() + "_" } else { name });
            Some(Entry { hash, name, ..entry })
        };
        let drill = with_index(broken, "お知らせ", &format!("お客様\n\n{shown}\n"));
        assert!(!drill.passed(), "{kind}: {drill:?}");
    }
}

#[test]
fn every_rule_that_is_switched_off_fails() {
    let world = World::new();
    let mut press = Press::full(&world);
    press.terms.must_show = vec!["id".into()];
    for rule in Rule::ALL {
        let judge = world.guard.judge(&press.terms).unwrap();
        let drill = press.drill(&judge.without(Ablation::without_rules(&[rule])));
        assert!(!drill.passed(), "{rule:?}");
        assert!(drill.held + drill.vacuous < drill.swapped, "{rule:?}: the gate sees it too");
        assert!(drill.missed.iter().any(|missed| missed.rule == Some(rule)), "{rule:?}: {:?}", drill.missed);
    }
}

#[test]
fn a_view_that_is_not_seen_fails() {
    let world = World::new();
    let press = Press::full(&world);
    for unseen in ["text", "Subject"] {
        let judge = world.guard.judge(&press.terms).unwrap();
        let blind = Ablation::without_views(move |view| view.place.view == unseen);
        assert!(!press.drill(&judge.without(blind)).passed(), "{unseen}");
    }
}

#[test]
fn a_judge_without_a_part_clears_nothing() {
    let world = World::new();
    let press = Press::full(&world);
    let whole = world.guard.judge(&press.terms).unwrap();
    let without = world.guard.judge(&press.terms).unwrap().without(Ablation::without_rules(&[]));
    let again = Press::full(&world);
    for ((recipient, message), same) in press.recipients.iter().zip(press.messages).zip(again.messages) {
        assert!(whole.clear(message, Some(&recipient.record)).is_ok());
        assert!(without.clear(same, Some(&recipient.record)).is_err());
    }
}

fn declared() -> Columns {
    let column = toml::from_str("kind = \"id\"\npattern = \"ORD-[0-9]{6}\"").unwrap();
    Columns::new(&BTreeMap::from([("order_no".to_owned(), column)])).unwrap()
}

/// Declared identifiers are swapped like the directory's.
#[test]
fn declared_identifiers_are_swapped_too() {
    let world = World::new();
    let orders: Vec<String> = (0..6).map(|n| format!("ORD-{:06}", 300_007 + n * 101)).collect();
    let press = Press::new(&world, "お知らせ", "お客様\n\nご注文 {{ extra.order_no }}\n", &orders);
    let overlay = |left_out: usize| {
        let mut builder = Builder::new(declared());
        for recipient in press.recipients.iter().take(6 - left_out) {
            builder.add(&world.keys, &recipient.record.account, &recipient.extra).unwrap();
        }
        builder.finish()
    };
    let run = |overlay: &Overlay| press.drill(&world.guard.judge_with(&press.terms, overlay).unwrap());
    let drill = run(&overlay(0));
    assert!(drill.passed(), "{drill:?}");
    for each in [Way::WholeBody, Way::RowBelow, Way::Field] {
        assert_eq!(way(&drill, each), (6, 6, 0), "{each:?}");
    }
    assert!(!run(&overlay(1)).passed(), "one account's values are missing");
    assert!(!run(&Overlay::empty(declared())).passed());
}

/// What a swapped message shows is found by the records: an index that knows
/// nobody cannot hide it.
#[test]
fn an_empty_index_is_seen() {
    let drill = with_index(|entry| (entry.kind == Kind::Secret).then_some(entry), "お知らせ", FULL);
    assert!(!drill.passed() && !drill.is_vacuous());
    assert!(Index::build(Vec::new()).is_empty());
}
