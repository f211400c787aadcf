//! Whether a staged import may become the truth. Pure.
//!
//! Bad lines, duplicates and conflicts are refused whatever anybody says. Drift
//! beyond the limit is refused unless a reason is given, which is recorded: a
//! wrongly joined export looks exactly like very many customers who moved at
//! once, and one that was cut off like very many who left.

use crate::account::{AccountId, Field, Kind, Record};
use crate::directory::read::BadLines;
use crate::guard::normal;
use crate::mapping::Mapping;

/// What was found in an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Lines that cannot be taken.
    pub bad: BadLines,
    /// Accounts and exclusive identifiers that are claimed twice.
    pub conflicts: Vec<Conflict>,
    /// Accounts in the version before.
    pub before: u64,
    /// Accounts in this one.
    pub after: u64,
    /// Accounts only in this one.
    pub new: u64,
    /// Accounts only in the version before.
    pub gone: u64,
    /// Accounts in both, with another address.
    pub changed_address: u64,
    /// With another name.
    pub changed_name: u64,
    /// With other domains.
    pub changed_domains: u64,
    /// With none of these another, and something else of the record.
    pub changed_other: u64,
}

impl Found {
    /// Whether every account is as it was.
    pub fn is_same(&self) -> bool {
        let changed = self.changed_address + self.changed_name + self.changed_domains + self.changed_other;
        self.new + self.gone + changed == 0
    }
}

/// Two lines that cannot both be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The kind of the identifier; `None` for the account key itself.
    pub kind: Option<Kind>,
    /// The account, where it is its key that is there twice.
    pub account: Option<AccountId>,
    /// The first line.
    pub first: u64,
    /// The last line that repeats it.
    pub again: u64,
    /// The column in which the two differ by case alone, if they do.
    pub by_case: Option<String>,
}

/// The ID column in which two records have a value that differs by case alone.
pub fn by_case(mapping: &Mapping, records: &[Record]) -> Option<String> {
    let [one, other] = records else { return None };
    let folded = |value: &str| normal::canonical(Kind::Id, value, None).ok();
    let is_twin = |a: &str, b: &str| folded(a) == folded(b) && normal::exact(a) != normal::exact(b);
    let mut columns = mapping.of_kind(Kind::Id);
    let found = columns.find(|column| {
        let values = |record: &'_ Record| record.fields.get(*column).cloned().unwrap_or(Field::Many(Vec::new()));
        let (one, other) = (values(one), values(other));
        one.values().any(|a| other.values().any(|b| is_twin(a, b)))
    });
    found.map(str::to_owned)
}

/// What becomes of the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It becomes the current version.
    Accept,
    /// It does not.
    Refuse(Refusal),
}

/// Why an import is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In a few words, without line numbers.
    pub summary: String,
    /// In full, with the first lines.
    pub text: String,
    /// What to do.
    pub now: String,
}

/// Lines named in a refusal; the rest are counted.
const NAMED: usize = 20;

/// Decides. `reason` is the operator's for accepting drift.
pub fn decide(found: &Found, mapping: &Mapping, reason: Option<&str>) -> Decision {
    let refuse = |summary: String, details: Vec<String>, now: &str| {
        let text = std::iter::once(summary.clone()).chain(details.into_iter().map(|d| format!("\n  {d}"))).collect();
        Decision::Refuse(Refusal { summary, text, now: now.to_owned() })
    };
    if found.bad.count > 0 || !found.conflicts.is_empty() {
        let (summary, lines, now) = faults(found);
        return refuse(summary, lines, now);
    }
    if found.after == 0 {
        return refuse("it has no accounts".into(), Vec::new(), "an empty directory would let nothing be judged");
    }
    let (missing, changed) = (missing(found, mapping.drift_percent_max), changed(found, mapping.drift_percent_max));
    let now = match (missing.is_some(), changed.is_empty()) {
        (true, true) => {
            "look whether the export is whole: it may have been cut off, or made with a filter; if these accounts are gone indeed, import it again with --accept-drift \"REASON\""
        }
        (true, false) => {
            "look whether the export is whole and its rows were joined rightly; if both are meant, import it again with --accept-drift \"REASON\""
        }
        (false, _) => {
            "look whether its rows were joined rightly; if the change is real, import again with --accept-drift \"REASON\""
        }
    };
    let drift: Vec<String> = missing.into_iter().chain(changed).collect();
    match reason.map(str::trim) {
        Some("") => refuse("the reason for accepting drift is empty".into(), drift, "say why so many accounts changed"),
        None if !drift.is_empty() => refuse("it differs too much from the version before".into(), drift, now),
        Some(_) | None => Decision::Accept,
    }
}

/// Bad lines and values claimed twice, told together, so that an export is
/// mended in one round.
fn faults(found: &Found) -> (String, Vec<String>, &'static str) {
    let (bad, claimed) = (found.bad.count, found.conflicts.len() as u64);
    let mut lines: Vec<String> = found.bad.first.iter().take(NAMED).map(ToString::to_string).collect();
    more(&mut lines, bad);
    let mut twice: Vec<String> = found.conflicts.iter().take(NAMED).map(conflict).collect();
    more(&mut twice, claimed);
    lines.append(&mut twice);
    let bad_lines = if bad == 1 { "1 line cannot be taken".to_owned() } else { format!("{bad} lines cannot be taken") };
    let twice =
        if claimed == 1 { "1 value is claimed twice".into() } else { format!("{claimed} values are claimed twice") };
    match (bad, claimed) {
        (_, 0) => (bad_lines, lines, "mend the export; nothing of it was loaded"),
        (0, _) => (
            twice,
            lines,
            "each belongs to one account only; mend the export, or set exclusive = false for the column if several may share a value",
        ),
        _ => (format!("{bad_lines}, {twice}"), lines, "mend the export; nothing of it was loaded"),
    }
}

fn conflict(conflict: &Conflict) -> String {
    match (&conflict.account, conflict.kind) {
        (Some(account), _) => {
            format!("lines {} and {}: account {account} is there twice", conflict.first, conflict.again)
        }
        (None, Some(kind)) if conflict.by_case.is_some() => format!(
            "lines {} and {}: two accounts have an {kind} that differs by case alone; if both are right, set case = \"exact\" under [directory.columns.{}]",
            conflict.first,
            conflict.again,
            conflict.by_case.as_deref().unwrap_or_default()
        ),
        (None, Some(kind)) => {
            format!("lines {} and {}: the same {kind} belongs to two accounts", conflict.first, conflict.again)
        }
        (None, None) => format!("lines {} and {} conflict", conflict.first, conflict.again),
    }
}

fn more(lines: &mut Vec<String>, count: u64) {
    let left = count - lines.len() as u64;
    if left > 0 {
        lines.push(format!("and {left} more"));
    }
}

/// Accounts that only the version before has, if they are beyond the limit.
fn missing(found: &Found, percent_max: f64) -> Option<String> {
    let Found { gone, before, new, .. } = found;
    let percent = beyond(*gone, *before, percent_max)?;
    let new = if *new == 0 { "none is new".to_owned() } else { format!("{new} are new") };
    Some(format!(
        "{gone} of the {before} accounts of the version before ({percent:.1} %) are missing, and {new}; the limit is {percent_max} %"
    ))
}

/// Each kind of change of accounts in both that is beyond the limit, in words.
fn changed(found: &Found, percent_max: f64) -> Vec<String> {
    let both = found.before.saturating_sub(found.gone);
    let kinds = [
        ("have another address", found.changed_address),
        ("have another name", found.changed_name),
        ("have other domains", found.changed_domains),
    ];
    let told = kinds.into_iter().filter_map(|(what, count)| {
        let percent = beyond(count, both, percent_max)?;
        Some(format!("{count} of {both} accounts ({percent:.1} %) {what}; the limit is {percent_max} %"))
    });
    told.collect()
}

/// The share of so many, if it is beyond the limit.
fn beyond(count: u64, of: u64, percent_max: f64) -> Option<f64> {
    let percent = if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 };
    (percent > percent_max).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::read::BadLine;

    fn mapping() -> Mapping {
        Mapping {
            account: "id".into(),
            address: "email".into(),
            columns: Default::default(),
            drift_percent_max: 5.0,
            encoding: None,
            separator: None,
        }
    }

    fn found() -> Found {
        Found { before: 1000, after: 1000, ..Found::default() }
    }

    fn refused(found: &Found, reason: Option<&str>) -> Option<String> {
        match decide(found, &mapping(), reason) {
            Decision::Accept => None,
            Decision::Refuse(refusal) => Some(refusal.text),
        }
    }

    #[test]
    fn drift_is_refused_from_just_above_the_limit_and_a_reason_opens() {
        for set in [
            |f: &mut Found, n| f.changed_address = n,
            |f: &mut Found, n| f.changed_name = n,
            |f: &mut Found, n| f.changed_domains = n,
            |f: &mut Found, n| f.gone = n,
        ] {
            let mut found = found();
            set(&mut found, 50);
            assert_eq!(refused(&found, None), None);
            set(&mut found, 51);
            assert!(refused(&found, None).is_some());
            assert_eq!(refused(&found, Some("merger")), None);
            assert!(refused(&found, Some(" ")).is_some());
        }
    }

    #[test]
    fn no_reason_opens_for_bad_lines_conflicts_or_nothing() {
        let bad = BadLines { first: vec![BadLine { line: 7, column: None, why: "short".into() }], count: 1 };
        let conflict = Conflict { kind: Some(Kind::Id), account: None, first: 3, again: 9, by_case: None };
        for found in
            [Found { bad, ..found() }, Found { conflicts: vec![conflict], ..found() }, Found { after: 0, ..found() }]
        {
            assert!(refused(&found, Some("because")).is_some());
        }
    }

    #[test]
    fn bad_lines_and_conflicts_are_told_in_one_round() {
        let bad = BadLines { first: vec![BadLine { line: 7, column: None, why: "short".into() }], count: 1 };
        let conflict = Conflict { kind: None, account: AccountId::new("A1").ok(), first: 2, again: 4, by_case: None };
        let told = refused(&Found { bad, conflicts: vec![conflict], ..found() }, None).unwrap();
        assert!(told.starts_with("1 line cannot be taken, 1 value is claimed twice"), "{told}");
        assert!(told.contains("line 7: short") && told.contains("lines 2 and 4: account A1 is there twice"), "{told}");
    }

    #[test]
    fn ids_that_differ_by_case_alone_are_told_with_the_setting() {
        let by_case = Some("member_id".to_owned());
        let conflict = Conflict { kind: Some(Kind::Id), account: None, first: 2, again: 4, by_case };
        let told = refused(&Found { conflicts: vec![conflict], ..found() }, None).unwrap();
        let line = "lines 2 and 4: two accounts have an id that differs by case alone; if both are right, set case = \"exact\" under [directory.columns.member_id]";
        assert!(told.contains(line), "{told}");
    }

    #[test]
    fn an_export_that_was_cut_off_is_told_from_one_that_was_joined_wrongly() {
        let told = |found: Found| match decide(&found, &mapping(), None) {
            Decision::Refuse(refusal) => format!("{}\n{}", refusal.text, refusal.now),
            Decision::Accept => String::new(),
        };
        let cut = told(Found { after: 400, gone: 600, ..found() });
        assert!(cut.contains("600 of the 1000 accounts of the version before (60.0 %) are missing, and none is new"));
        assert!(cut.contains("whether the export is whole") && cut.contains("--accept-drift"), "{cut}");
        assert!(!cut.contains("joined"), "{cut}");
        let joined = told(Found { changed_name: 600, ..found() });
        assert!(joined.contains("joined rightly") && !joined.contains("whole"), "{joined}");
        let both = told(Found { gone: 600, after: 500, new: 100, changed_name: 300, ..found() });
        assert!(both.contains("are missing, and 100 are new") && both.contains("300 of 400 accounts"), "{both}");
        assert!(both.contains("whole and its rows were joined rightly"), "{both}");
    }

    #[test]
    fn the_first_version_has_nothing_to_drift_from() {
        assert_eq!(refused(&Found { after: 10, new: 10, ..Found::default() }, None), None);
    }
}
