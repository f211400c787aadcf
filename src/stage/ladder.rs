//! Who is mailed in which stage.
//!
//! Input: the campaign's stages, the snapshot's accounts in order, the order in
//! which `render::cover` chose them, and a seed. Output: one stage per account.
//! Invariants: every account is in exactly one stage; equal inputs give equal
//! stages. Beyond the cover's choice, an account's stage does not depend on the
//! order of the audience file.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher;
use std::time::Duration;

use siphasher::sip::SipHasher13;

use crate::account::AccountId;
use crate::campaign::Stage;
use crate::guard::normal::fold;
use crate::units::Span;

/// The most stages a ladder may have.
pub const STAGES_MAX: usize = 100;

/// Why a ladder cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// No stage at all.
    #[error("the ladder has no stage")]
    NoStage,
    /// More than [`STAGES_MAX`].
    #[error("the ladder has {0} stages; at most 100 can be told apart")]
    TooMany(usize),
    /// A name that is empty, too long or not printable.
    #[error("stage {0} needs a name of 1 to 40 printable characters")]
    Name(usize),
    /// Two stages of one name.
    #[error("two stages are called {0:?}, or the same in another spelling: give each its own name")]
    Twice(String),
    /// None, or more than one, of accounts, count and percent.
    #[error("stage {0:?} must have exactly one of accounts, count and percent")]
    Size(String),
    /// Nobody would be in it.
    #[error("stage {0:?} is for nobody: name an account, or a count or percentage above 0")]
    Empty(String),
    /// Not above 0 and up to 100.
    #[error("stage {0:?} has a percentage that is not above 0 and at most 100")]
    Percent(String),
    /// The last stage leaves somebody out.
    #[error("the last stage {0:?} must have percent = 100, so that nobody is left out")]
    Last(String),
    /// Everybody, too early.
    #[error("stage {0:?} takes everybody (percent = 100) and is not the last: nobody is left for those after it")]
    Early(String),
    /// One account in two named lists.
    #[error("account {0} is named twice in the ladder: leave it in one stage")]
    NamedTwice(AccountId),
    /// A named account that the campaign does not go to.
    #[error(
        "stage {stage:?} names account {account}, which is not in the audience: add it to the audience file or take it out of the stage"
    )]
    NotInAudience {
        /// The stage.
        stage: String,
        /// The account.
        account: AccountId,
    },
}

/// The ladder of a campaign whose file names none: 50 messages that cover the
/// template, approved by somebody other than the author and left to soak for
/// ten minutes; then a tenth; then the rest.
pub fn default_ladder() -> Vec<Stage> {
    let stage = |name: &str| Stage {
        name: name.into(),
        accounts: None,
        count: None,
        percent: None,
        soak: Span::default(),
        approval: false,
    };
    vec![
        Stage { count: Some(50), soak: Span(Duration::from_secs(600)), approval: true, ..stage("canary") },
        Stage { percent: Some(10.0), ..stage("wave") },
        Stage { percent: Some(100.0), ..stage("rest") },
    ]
}

/// The ladder that a campaign file means: its own, or [`default_ladder`].
///
/// # Errors
/// [`LadderError`] says which stage to mend.
pub fn ladder(stages: &[Stage]) -> Result<Vec<Stage>, LadderError> {
    let stages = if stages.is_empty() { default_ladder() } else { stages.to_vec() };
    validate(&stages)?;
    Ok(stages)
}

/// Checks a ladder by itself, without its audience.
///
/// # Errors
/// [`LadderError`] says which stage to mend.
pub fn validate(stages: &[Stage]) -> Result<(), LadderError> {
    if stages.len() > STAGES_MAX {
        return Err(LadderError::TooMany(stages.len()));
    }
    let mut named = HashSet::new();
    for (number, stage) in stages.iter().enumerate() {
        let length = stage.name.chars().count();
        if stage.name.trim().is_empty() || length > 40 || stage.name.chars().any(char::is_control) {
            return Err(LadderError::Name(number + 1));
        }
        let same = |earlier: &Stage| fold(earlier.name.trim()) == fold(stage.name.trim());
        if stages[..number].iter().any(same) {
            return Err(LadderError::Twice(stage.name.clone()));
        }
        validate_size(stage)?;
        for account in stage.accounts.iter().flatten() {
            if !named.insert(account) {
                return Err(LadderError::NamedTwice(account.clone()));
            }
        }
    }
    let Some((last, earlier)) = stages.split_last() else { return Err(LadderError::NoStage) };
    if last.percent != Some(100.0) {
        return Err(LadderError::Last(last.name.clone()));
    }
    match earlier.iter().find(|stage| stage.percent == Some(100.0)) {
        Some(stage) => Err(LadderError::Early(stage.name.clone())),
        None => Ok(()),
    }
}

fn validate_size(stage: &Stage) -> Result<(), LadderError> {
    match (&stage.accounts, stage.count, stage.percent) {
        (Some(accounts), None, None) if accounts.is_empty() => Err(LadderError::Empty(stage.name.clone())),
        (None, Some(0), None) => Err(LadderError::Empty(stage.name.clone())),
        (None, None, Some(percent)) if !(percent > 0.0 && percent <= 100.0) => {
            Err(LadderError::Percent(stage.name.clone()))
        }
        (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(_)) => Ok(()),
        _ => Err(LadderError::Size(stage.name.clone())),
    }
}

/// The stage of every account, as an index into `stages`, in the order of
/// `accounts`.
///
/// Named accounts are placed first, whatever their stage's position, so that a
/// count never takes them away. Then each stage in turn takes from who is left:
/// a count stage in the order of `cover` (indices into `accounts`, the best
/// first) and, when that is used up, by the shuffle; a percent stage that share
/// of the *whole* audience, rounded up, by the shuffle; the last stage everybody.
/// The shuffle orders accounts by a hash keyed with `seed`. A small audience
/// may leave later stages empty.
///
/// # Errors
/// [`LadderError`]: the ladder is not valid, or names an account that is not in
/// the audience.
pub fn assign(stages: &[Stage], accounts: &[AccountId], cover: &[usize], seed: u64) -> Result<Vec<u16>, LadderError> {
    validate(stages)?;
    let mut assigned: Vec<Option<u16>> = vec![None; accounts.len()];
    assign_named(stages, accounts, &mut assigned)?;

    let cover = cover.iter().copied().filter(|index| *index < accounts.len());
    let mut cover = cover.collect::<Vec<_>>().into_iter();
    let mut shuffled = shuffle(accounts, &assigned, seed).into_iter();
    for (number, stage) in stages.iter().enumerate() {
        let mut room = match (stage.count, stage.percent) {
            (Some(count), _) => count,
            (None, Some(percent)) => share(accounts.len(), percent),
            (None, None) => 0,
        };
        while room > 0 {
            let from_cover = if stage.count.is_some() { cover.next() } else { None };
            let Some(index) = from_cover.or_else(|| shuffled.next()) else { break };
            if assigned[index].is_none() {
                assigned[index] = Some(number as u16);
                room -= 1;
            }
        }
    }
    let last = (stages.len() - 1) as u16;
    Ok(assigned.into_iter().map(|stage| stage.unwrap_or(last)).collect())
}

fn assign_named(stages: &[Stage], accounts: &[AccountId], assigned: &mut [Option<u16>]) -> Result<(), LadderError> {
    let mut named: HashMap<&AccountId, (u16, bool)> = HashMap::new();
    for (number, stage) in stages.iter().enumerate() {
        named.extend(stage.accounts.iter().flatten().map(|account| (account, (number as u16, false))));
    }
    if named.is_empty() {
        return Ok(());
    }
    for (account, slot) in accounts.iter().zip(assigned) {
        if let Some((number, found)) = named.get_mut(account) {
            *slot = Some(*number);
            *found = true;
        }
    }
    // In the file's order, so that the same mistake gives the same message.
    for stage in stages {
        for account in stage.accounts.iter().flatten() {
            if named.get(account).is_none_or(|(_, found)| !found) {
                return Err(LadderError::NotInAudience { stage: stage.name.clone(), account: account.clone() });
            }
        }
    }
    Ok(())
}

/// That share of a number of accounts, rounded up: a percentage above 0 of
/// anybody is somebody.
fn share(accounts: usize, percent: f64) -> usize {
    (accounts as f64 * percent / 100.0).ceil() as usize
}

/// Who is not yet placed, in an order that depends on the seed and on each
/// account's key alone.
fn shuffle(accounts: &[AccountId], assigned: &[Option<u16>], seed: u64) -> Vec<usize> {
    let hash = |account: &AccountId| {
        let mut hasher = SipHasher13::new_with_keys(seed, 0x6b61_6b69_746f_6d65);
        hasher.write(account.as_str().as_bytes());
        hasher.finish()
    };
    let mut order: Vec<(u64, usize)> = accounts
        .iter()
        .enumerate()
        .filter(|(index, _)| assigned[*index].is_none())
        .map(|(index, account)| (hash(account), index))
        .collect();
    order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| accounts[a.1].cmp(&accounts[b.1])));
    order.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(count: usize) -> Vec<AccountId> {
        (0..count).map(|number| AccountId::new(&format!("{}", 10_000_000 + number)).unwrap()).collect()
    }

    fn stage(name: &str, accounts: &[&str], count: Option<usize>, percent: Option<f64>) -> Stage {
        let accounts: Vec<_> = accounts.iter().map(|key| AccountId::new(key).unwrap()).collect();
        let accounts = (!accounts.is_empty()).then_some(accounts);
        Stage { name: name.into(), accounts, count, percent, soak: Span::default(), approval: false }
    }

    /// staff (two named) → canary (5) → 10 % → rest
    fn four() -> Vec<Stage> {
        vec![
            stage("staff", &["10000003", "10000007"], None, None),
            stage("canary", &[], Some(5), None),
            stage("wave", &[], None, Some(10.0)),
            stage("rest", &[], None, Some(100.0)),
        ]
    }

    fn sizes(assigned: &[u16], stages: usize) -> Vec<usize> {
        (0..stages as u16).map(|stage| assigned.iter().filter(|s| **s == stage).count()).collect()
    }

    #[test]
    fn each_stage_takes_who_it_names_then_the_cover_then_its_share() {
        let assigned = assign(&four(), &accounts(100), &[9, 3, 50, 9, 51, 52, 53, 54], 1).unwrap();
        assert_eq!(sizes(&assigned, 4), [2, 5, 10, 83]);
        assert_eq!((assigned[3], assigned[7]), (0, 0), "named accounts");
        // 3 is staff and 9 stands there twice: the next best step in.
        assert!([9, 50, 51, 52, 53].iter().all(|index| assigned[*index] == 1));
        assert_ne!(assigned[54], 1, "five were enough");
    }

    #[test]
    fn named_accounts_are_never_taken_by_an_earlier_count() {
        let mut ladder = four();
        ladder.swap(0, 1);
        let assigned = assign(&ladder, &accounts(100), &[3, 7, 1, 2, 4, 5, 6], 1).unwrap();
        assert_eq!((assigned[3], assigned[7]), (1, 1));
        assert_eq!(sizes(&assigned, 4), [5, 2, 10, 83]);
    }

    #[test]
    fn the_choice_repeats_with_its_seed_and_not_with_another() {
        let accounts = accounts(500);
        let of = |seed| assign(&four(), &accounts, &[], seed).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_order_of_the_audience_does_not_matter_beyond_the_cover() {
        let forward = accounts(200);
        let backward: Vec<_> = forward.iter().rev().cloned().collect();
        let mut mirrored = assign(&four(), &backward, &[], 5).unwrap();
        mirrored.reverse();
        assert_eq!(assign(&four(), &forward, &[], 5).unwrap(), mirrored);
    }

    #[test]
    fn a_cover_that_is_too_short_or_out_of_range_is_filled_up_by_the_shuffle() {
        let assigned = assign(&four(), &accounts(100), &[20, 1000], 1).unwrap();
        assert_eq!(sizes(&assigned, 4), [2, 5, 10, 83]);
        assert_eq!(assigned[20], 1);
    }

    #[test]
    fn a_small_audience_fills_the_first_stages_and_leaves_later_ones_empty() {
        let ladder = default_ladder();
        assert_eq!(sizes(&assign(&ladder, &accounts(20), &[], 0).unwrap(), 3), [20, 0, 0]);
        assert_eq!(sizes(&assign(&ladder, &accounts(52), &[], 0).unwrap(), 3), [50, 2, 0]);
        assert_eq!(assign(&ladder, &[], &[], 0).unwrap(), Vec::<u16>::new());
    }

    #[test]
    fn shares_are_of_the_whole_audience_and_rounded_up() {
        let ladder =
            [stage("a", &[], None, Some(1.0)), stage("b", &[], None, Some(0.1)), stage("c", &[], None, Some(100.0))];
        assert_eq!(sizes(&assign(&ladder, &accounts(250), &[], 0).unwrap(), 3), [3, 1, 246]);
    }

    #[test]
    fn a_file_without_stages_means_the_default_ladder() {
        let default = ladder(&[]).unwrap();
        assert_eq!(default, default_ladder());
        assert!(default[0].approval && default[0].soak.as_ms() == 600_000 && default[0].count == Some(50));
        assert_eq!(ladder(&four()).unwrap(), four());
    }

    #[test]
    fn every_ladder_that_cannot_be_used_says_which_stage_to_mend() {
        let rest = stage("rest", &[], None, Some(100.0));
        let refused = |first: Stage| validate(&[first, rest.clone()]).unwrap_err();
        let a = || "a".to_owned();
        assert_eq!(refused(stage("a", &[], None, None)), LadderError::Size(a()));
        assert_eq!(refused(stage("a", &["1"], Some(1), None)), LadderError::Size(a()));
        assert_eq!(refused(stage("a", &[], Some(1), Some(1.0))), LadderError::Size(a()));
        assert_eq!(refused(stage("a", &[], Some(0), None)), LadderError::Empty(a()));
        let nobody = Stage { accounts: Some(Vec::new()), ..stage("a", &[], None, None) };
        assert_eq!(refused(nobody), LadderError::Empty(a()));
        for percent in [0.0, -1.0, 100.1, f64::NAN, f64::INFINITY] {
            assert_eq!(refused(stage("a", &[], None, Some(percent))), LadderError::Percent(a()), "{percent}");
        }
        assert_eq!(refused(stage("a", &[], None, Some(100.0))), LadderError::Early(a()));
        assert_eq!(refused(stage("rest", &[], Some(1), None)), LadderError::Twice("rest".into()));
        for name in ["", " ", "a\nb", &"x".repeat(41)] {
            assert_eq!(refused(stage(name, &[], Some(1), None)), LadderError::Name(1), "{name:?}");
        }
        assert_eq!(validate(&[stage("a", &[], Some(1), None)]), Err(LadderError::Last(a())));
        assert_eq!(validate(&[]), Err(LadderError::NoStage));
        assert_eq!(validate(&vec![rest.clone(); 101]), Err(LadderError::TooMany(101)));
        let twice = AccountId::new("1").unwrap();
        assert_eq!(refused(stage("a", &["1", "1"], None, None)), LadderError::NamedTwice(twice));
    }

    #[test]
    fn a_named_account_outside_the_audience_is_refused() {
        let refused = assign(&four(), &accounts(5), &[], 0).unwrap_err();
        assert!(
            refused.to_string().starts_with("stage \"staff\" names account 10000007, which is not in the audience"),
            "{refused}"
        );
    }
}
