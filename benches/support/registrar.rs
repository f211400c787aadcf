//! A made-up registrar and its newsletter, for the benchmarks that make messages.

#[path = "cells.rs"]
mod cells;

use std::collections::BTreeMap;

use kakitome::account::{Recipient, Record};
use kakitome::address::Address;
use kakitome::demo::people;
use kakitome::directory::row::Reader;
use kakitome::guard::index::Entry;
use kakitome::guard::{Allow, Index, Literal, Terms};
use kakitome::key::Keys;
use kakitome::mapping::Mapping;
use kakitome::render::{Letterhead, Mailbox, Renderer, Template};

use cells::cells;

pub fn directory(accounts: u64, mapping: &Mapping, keys: &Keys) -> (Vec<Record>, Index) {
    let reader = Reader::new(mapping, keys).expect("a mapping");
    let mut records = Vec::new();
    let mut entries = Vec::new();
    for number in 0..accounts {
        let made = people::customer(number, accounts, 1);
        let account = reader.account(number, &cells(made)).expect("an account");
        let id = account.record.account.clone();
        entries.extend(account.entries.into_iter().map(|e| Entry {
            kind: e.kind,
            hash: e.hash,
            name: e.name,
            account: id.clone(),
        }));
        records.push(account.record);
    }
    (records, Index::build(entries))
}

pub fn renderer(keys: Keys) -> (Renderer, Vec<Literal>) {
    let template = Template::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/newsletter"))
        .expect("the template");
    let literals = template.literals().into_iter().map(|l| Literal { html: l.html, text: l.text }).collect();
    let address = Address::parse("news@registrar.example").expect("an address");
    let letterhead = Letterhead {
        campaign: 1,
        revision: 1,
        from: Mailbox::parse("Registrar News <news@registrar.example>").expect("a mailbox"),
        reply_to: None,
        bounce: address.into(),
        list_id: "news.registrar.example".into(),
        links_base: "https://mail.registrar.example/k".into(),
        signers: Vec::new(),
        keys,
    };
    (Renderer::new(template, letterhead).expect("a renderer"), literals)
}

pub fn terms(literal: &[Literal]) -> Terms {
    Terms {
        campaign: Some(1),
        revision: 1,
        literal: literal.to_vec(),
        allow: vec![Allow { value: "registrar.example".into(), reason: "our own site".into() }],
        must_show: vec!["member_id".into(), "name".into()],
        attachments: Vec::new(),
    }
}

pub fn recipient(record: Record) -> Recipient {
    Recipient { record, extra: BTreeMap::new() }
}
