//! A clean newsletter is never held: twelve templates as registrars have them,
//! with made-up accounts of a dense range. `cargo bench --bench clean` judges a
//! million.

use std::collections::BTreeMap;

use kakitome::account::Record;
use kakitome::guard::index::Entry;
use kakitome::guard::{Guard, Index, Rule};

use super::newsletters::{FIRST_ID, NAMES, Registrar, extra, newsletters};

/// Few accounts, so that every template meets every one of them.
const ACCOUNTS: u64 = 250;

fn directory() -> (Registrar, Guard, Vec<Record>) {
    let registrar = Registrar::new(ACCOUNTS);
    let reader = registrar.reader();
    let (mut records, mut entries) = (Vec::new(), Vec::new());
    for number in 0..ACCOUNTS {
        let account = registrar.account(&reader, number);
        let key = account.record.account.clone();
        let entry =
            |e: kakitome::directory::NewEntry| Entry { kind: e.kind, hash: e.hash, name: e.name, account: key.clone() };
        entries.extend(account.entries.into_iter().map(entry));
        records.push(account.record);
    }
    drop(reader);
    let guard = Guard::new(registrar.mapping.clone(), registrar.keys.clone(), Index::build(entries)).unwrap();
    (registrar, guard, records)
}

#[test]
fn a_clean_newsletter_is_never_held() {
    let (registrar, guard, records) = directory();
    // What was found where, how often, and first in whose message.
    let mut alarms: BTreeMap<String, (u64, u64, String)> = BTreeMap::new();
    for campaign in newsletters(&registrar.keys) {
        assert_eq!(campaign.lint(&guard), Vec::<String>::new(), "{} could not be frozen", campaign.name);
        let judge = guard.judge(&campaign.terms).unwrap();
        let mut bytes_all = 0;
        for (number, record) in (0..).zip(&records) {
            let (bytes, findings) = campaign.judge(&judge, record, extra(number));
            bytes_all += bytes;
            for finding in findings {
                let what = format!("{} {:?} {:?} {}", campaign.name, finding.rule, finding.kind, finding.place);
                alarms.entry(what).or_insert((0, number, finding.shown)).0 += 1;
            }
        }
        let mean = bytes_all / records.len();
        assert!((2_000..40_000).contains(&mean), "{}: {mean} bytes are no newsletter", campaign.name);
    }
    assert!(alarms.is_empty(), "false alarms:\n{alarms:#?}");
}

/// The same messages with one value of another account among what the registrar
/// fills in: every template shows the hash or the token.
#[test]
fn the_same_newsletters_with_another_accounts_id_are_held() {
    let (registrar, guard, records) = directory();
    for campaign in newsletters(&registrar.keys) {
        let judge = guard.judge(&campaign.terms).unwrap();
        let mut extra = extra(3);
        for shown in ["hash", "token"] {
            extra.insert(shown.into(), (FIRST_ID + 4).to_string());
        }
        let (_, findings) = campaign.judge(&judge, &records[3], extra);
        let named =
            |f: &kakitome::guard::Finding| f.rule == Rule::Foreign && f.owner.as_ref() == Some(&records[4].account);
        assert!(findings.iter().any(named), "{}: {findings:?}", campaign.name);
    }
    assert_eq!(NAMES.len(), newsletters(&registrar.keys).len());
}
