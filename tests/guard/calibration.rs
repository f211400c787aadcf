//! Calibration: what a directory's values look like is found, in every directory; what
//! cannot be found is said.

use kakitome::account::{AccountId, Kind};
use kakitome::guard::calibrate::{Calibration, Sample, calibrate};
use kakitome::guard::index::Entry;
use kakitome::guard::normal;
use rayon::prelude::*;

use super::world::{COLUMNS, Shape, World};
use super::worlds::DIRECTORIES;

fn calibrated(world: &World) -> Calibration {
    calibrated_by(world, |entry| Some(entry.clone()))
}

/// The same with an index that is another than the directory.
fn calibrated_by(world: &World, indexed: impl Fn(&Entry) -> Option<Entry>) -> Calibration {
    let mut sample = Sample::new(&world.mapping);
    for record in &world.records {
        let own = world.entries.iter().filter(|entry| entry.account == record.account);
        sample.offer(record, || own.clone().filter_map(&indexed).collect());
    }
    calibrate(&world.mapping, &world.keys, &sample.finish(), world.records.len() as u64).expect("the mapping is good")
}

#[test]
fn every_value_of_every_directory_is_found() {
    let faults: Vec<String> = DIRECTORIES
        .par_iter()
        .flat_map_iter(|directory| {
            let found = calibrated(&directory.world());
            let columns = COLUMNS.iter().filter(|(_, kind)| *kind != Kind::Secret).count();
            assert_eq!(found.columns.len(), columns, "{}", directory.name);
            assert!(found.totals().0 > 500, "{}: only {} were tried", directory.name, found.totals().0);
            let missed = found.columns.into_iter().flat_map(|column| {
                let name = column.column;
                column.missed.into_iter().map(move |missed| format!("{name}: {missed:?}"))
            });
            missed.map(|missed| format!("{}: {missed}", directory.name)).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn ids_that_look_like_dates_are_refused_with_an_example() {
    let row = |id: &str, n: usize| {
        let domain = format!("harbour{n}.example");
        [id, &format!("ann@{domain}"), "", &domain, "", "", "", ""].map(str::to_owned)
    };
    let shape = Shape { pattern: "20[0-9]{6}", country: "JP" };
    let rows: Vec<[String; 8]> = (1..=9).map(|day| row(&format!("202611{:02}", day), day)).collect();
    let found = calibrated(&World::of_shape(&shape, &rows));
    let ids = found.columns.iter().find(|column| column.column == "id").expect("the column is tried");
    assert!(!found.is_complete() || ids.tried > 0);
    let gaps = found.gaps();
    assert!(found.is_complete() == gaps.is_empty(), "{gaps:?}");
}

/// Accounts with a list of domains each.
fn harbours(count: usize, domains: impl Fn(usize) -> String) -> World {
    let row = |n: usize| {
        [&format!("4{n:07}"), &format!("ann@harbour{n}.example"), "", &domains(n), "", "", "", ""].map(str::to_owned)
    };
    let shape = Shape { pattern: "4[0-9]{7}", country: "JP" };
    World::of_shape(&shape, &(1..=count).map(row).collect::<Vec<_>>())
}

#[test]
fn a_value_that_is_found_as_somebody_elses_is_missed() {
    let world = harbours(40, |n| format!("harbour{n}.example"));
    assert!(calibrated(&world).is_complete(), "{:?}", calibrated(&world).gaps());
    // Each account's values are the next one's, as in a file whose join is a row off.
    let accounts: Vec<AccountId> = world.records.iter().map(|record| record.account.clone()).collect();
    let next = |entry: &Entry| {
        let at = accounts.iter().position(|account| *account == entry.account)?;
        Some(Entry { account: accounts[(at + 1) % accounts.len()].clone(), ..entry.clone() })
    };
    let found = calibrated_by(&world, next);
    for column in found.columns.iter().filter(|column| column.tried > 0) {
        assert_eq!(column.found, 0, "column {}: {} of {}", column.column, column.found, column.tried);
    }
}

#[test]
fn a_value_that_accounts_share_may_be_found_as_any_of_theirs() {
    let world = harbours(40, |n| format!("harbour{n}.example;pier{}.example", n / 2));
    assert!(calibrated(&world).is_complete(), "{:?}", calibrated(&world).gaps());
}

#[test]
fn a_columns_extremes_are_tried_wherever_they_stand() {
    let long = format!("{}.example", "longest".repeat(8));
    for odd in [&*long, "q.example", "p-i-e-r.example"] {
        let many = |n: usize| (0..20).map(|m| format!("harbour{n}x{m}.example")).collect::<Vec<_>>().join(";");
        let world = harbours(2_000, |n| if n == 1_777 { format!("{};{odd}", many(n)) } else { many(n) });
        let hash = world.keys.identifier(Kind::Domain, &normal::canonical(Kind::Domain, odd, None).unwrap());
        let found = calibrated_by(&world, |entry| (entry.hash != hash).then(|| entry.clone()));
        let domains = found.columns.iter().find(|column| column.kind == Kind::Domain).unwrap();
        assert!(domains.found < domains.tried, "{odd} is not tried");
        assert!(domains.missed.len() >= 5, "{odd} is tried in every spelling: {:?}", domains.missed);
    }
}
