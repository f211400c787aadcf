//! Calibration: what a directory's values look like is found, in every directory; what
//! cannot be found is said.

use kakitome::account::Kind;
use kakitome::guard::calibrate::{Calibration, Sample, calibrate};
use rayon::prelude::*;

use super::world::{COLUMNS, Shape, World};
use super::worlds::DIRECTORIES;

fn calibrated(world: &World) -> Calibration {
    let mut sample = Sample::new(&world.mapping);
    for record in &world.records {
        sample
            .offer(record, || world.entries.iter().filter(|entry| entry.account == record.account).cloned().collect());
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
