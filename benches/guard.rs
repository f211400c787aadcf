//! What the guard costs: judging finished newsletters beside rendering them and
//! beside parsing them, in one run, on one thread.
//!
//! `cargo bench --bench guard [-- ACCOUNTS MESSAGES]`: a made-up registrar, and
//! that many distinct messages of it in each round, none of which was judged before, so
//! that no cache flatters. Figures are medians of five rounds of processor time; ratios
//! within one run are what to compare.

#[path = "support/registrar.rs"]
mod registrar;
mod support;

use std::collections::BTreeMap;
use std::time::Instant;

use kakitome::account::{Field, Recipient, Record};
use kakitome::config::Config;
use kakitome::demo::generate;
use kakitome::guard::{Candidate, Guard, Verdict};
use kakitome::key::Keys;
use kakitome::message::Finished;
use kakitome::render::Template;
use minijinja::{AutoEscape, Environment, Value};

use registrar::{directory, recipient, renderer, terms};
use support::{ROUNDS, median, verdict};

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let accounts = numbers.first().copied().unwrap_or(20_000);
    let messages = numbers.get(1).copied().unwrap_or(4_000).min(accounts / ROUNDS as u64) as usize;
    let config = Config::parse(&generate::config("smtp://127.0.0.1:25"), std::path::Path::new(""), std::iter::empty())
        .expect("the demo's configuration");
    let (mapping, keys) = (config.directory, Keys::new(&[1; 32]));
    let started = Instant::now();
    let (records, index) = directory(accounts, &mapping, &keys);
    println!("{accounts} accounts, {} identifiers, indexed in {:.1} s", index.len(), started.elapsed().as_secs_f64());
    let renderer = renderer(keys.clone());
    let terms = terms(&renderer.1);
    let guard = Guard::new(mapping, keys, index).expect("a guard");
    let judge = guard.judge(&terms).expect("a judge");

    let recipients: Vec<Recipient> = records.into_iter().take(messages * ROUNDS).map(recipient).collect();
    let rendered: Vec<Finished> =
        recipients.iter().map(|r| renderer.0.render(r.clone(), 0).expect("a message")).collect();
    let bytes = rendered.iter().map(|m| m.bytes().len()).sum::<usize>() / ROUNDS;
    // Each round has messages of its own.
    let rounds = || {
        let mut all = recipients.chunks(messages).zip(rendered.chunks(messages)).cycle();
        move || all.next().expect("a round")
    };
    println!("{messages} messages of {:.1} KB", bytes as f64 / messages as f64 / 1e3);

    let environment = environment(renderer.0.template());
    let mut next = rounds();
    let engine = median(|| next().0.iter().for_each(|r| run(&environment, r)));
    let render = median(|| next().0.iter().for_each(|r| drop(renderer.0.render(r.clone(), 0))));
    let parse = median(|| {
        for message in next().1 {
            assert!(mail_parser::MessageParser::default().parse(message.bytes()).is_some());
        }
    });
    let mut next = rounds();
    let judged = median(|| judge_all(next(), |candidate, record| judge.examine(candidate, record)));
    let mut next = rounds();
    let held = median(|| {
        let (recipients, rendered) = next();
        for (recipient, message) in recipients.iter().zip(rendered.iter().cycle().skip(1)) {
            assert!(!judge.examine(candidate(message), Some(&recipient.record)).is_cleared());
        }
    });
    let whole = median(|| judge_all(next(), |candidate, record| judge.examine_whole(candidate, record)));
    println!("{:<28}{:>12}{:>10}{:>12}", "", "µs/message", "MB/s", "× engine");
    for (what, seconds) in [
        ("template engine alone", engine),
        ("render and build", render),
        ("parse alone (mail-parser)", parse),
        ("judge", judged),
        ("judge, another's message", held),
        ("judge, nothing remembered", whole),
    ] {
        let each = seconds * 1e6 / messages as f64;
        println!("{what:<28}{each:>12.1}{:>10.1}{:>12.2}", bytes as f64 / seconds / 1e6, seconds / engine);
    }
    println!(
        "{:<28}{:>12.0} messages/s on one thread",
        "check (render and judge)",
        messages as f64 / (render + judged)
    );
    verdict("whole judgement (× mail-parser, at most)", judged / parse, 1.5, false);
    verdict("another's message (× mail-parser, at most)", held / parse, 8.0, false);
    verdict("nothing remembered (× mail-parser, at most)", whole / parse, 8.0, false);
    verdict("prepare (× template engine, at most)", (render + judged) / engine, 2.2, false);
}

/// The template engine by itself, set up as for a campaign.
fn environment(template: &Template) -> Environment<'_> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    for (name, source) in template.files() {
        environment.add_template(name, source).expect("a template");
    }
    environment
}

/// Runs every file of the template for one recipient.
fn run(environment: &Environment<'_>, recipient: &Recipient) {
    let fields = recipient.record.fields.iter().map(|(name, field)| {
        let value = match field {
            Field::One(value) => Value::from(value.as_str()),
            Field::Many(values) => values.iter().map(String::as_str).collect(),
        };
        (name.as_str(), value)
    });
    let link = Value::from_safe_string("https://mail.registrar.example/k/u/0123456789".into());
    let account = Value::from(fields.collect::<BTreeMap<&str, Value>>());
    let links = Value::from(BTreeMap::from([("unsubscribe", link.clone()), ("view", link)]));
    let context = Value::from(BTreeMap::from([("account", account), ("links", links)]));
    for (_, template) in environment.templates() {
        std::hint::black_box(template.render(&context).expect("a text"));
    }
}

fn judge_all(
    (recipients, rendered): (&[Recipient], &[Finished]),
    examine: impl Fn(Candidate<'_>, Option<&Record>) -> Verdict,
) {
    for (recipient, message) in recipients.iter().zip(rendered) {
        let verdict = examine(candidate(message), Some(&recipient.record));
        assert!(verdict.is_cleared(), "{:?}", verdict.findings);
    }
}

fn candidate(message: &Finished) -> Candidate<'_> {
    Candidate {
        sender: message.sender(),
        recipients: std::slice::from_ref(message.recipient()),
        account: message.account(),
        bytes: message.bytes(),
    }
}
