//! Opaque tokens that two accounts' messages share, over a whole check.
//!
//! Input: every message that the guard cleared. Output: both messages of each two that share a
//! token are held, the one that was recorded as cleared before as well. What is sent later is
//! what was checked, byte for byte: a token that changes after the check is held by its
//! message's digest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::account::{AccountId, Recipient};
use crate::app::App;
use crate::error::{Error, Result};
use crate::guard::stream::{OwnTokens, Shared, Stream};
use crate::guard::{Cleared, Finding, Judge, Terms};
use crate::store::{Checked, Verdict};

/// Messages held by one write.
const PAGE: usize = 2_000;
/// Findings of one message that are kept.
const FINDINGS_MAX: usize = 20;

/// The tokens of one check.
pub(in crate::app) struct SharedTokens {
    stream: Stream,
    messages: AtomicUsize,
}

impl SharedTokens {
    pub fn new(terms: &Terms) -> Self {
        Self { stream: Stream::new(terms), messages: AtomicUsize::new(0) }
    }

    /// Takes in a message that was cleared; `ord` is its place in the audience.
    pub fn add(&self, judge: &Judge<'_>, ord: i64, recipient: &Recipient, cleared: &Cleared) {
        // Beyond four billion accounts there is no number for one.
        let Ok(number) = u32::try_from(ord) else { return };
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.stream.add_own(number, cleared.bytes(), &OwnTokens::of(judge, &recipient.record, &recipient.extra));
    }

    /// Holds every message that shares a token with one other account's.
    ///
    /// # Errors
    /// The store fails.
    pub async fn hold(&self, app: &App, campaign: i64) -> Result<()> {
        let mut others: BTreeMap<u32, Vec<(u32, Shared)>> = BTreeMap::new();
        for shared in self.stream.shared(self.messages.load(Ordering::Relaxed)) {
            others.entry(shared.first).or_default().push((shared.second, shared));
            others.entry(shared.second).or_default().push((shared.first, shared));
        }
        let mut accounts: BTreeMap<u32, AccountId> = BTreeMap::new();
        for number in others.keys() {
            let row = app.store.snapshot(campaign, i64::from(*number) - 1, 1).await?.into_iter().next();
            let row = row.ok_or_else(|| Error::unexpected("a message is not in its snapshot any more"))?;
            accounts.insert(*number, row.account);
        }
        let finding = |(other, shared): &(u32, Shared)| accounts.get(other).map(|other| shared.finding(other));
        let mut held: Vec<Checked> = Vec::new();
        for (number, shared) in &others {
            let findings: Vec<Finding> = shared.iter().take(FINDINGS_MAX).filter_map(finding).collect();
            let account = accounts.get(number).cloned();
            held.extend(account.map(|account| Checked { account, verdict: Verdict::Held(findings) }));
        }
        for page in held.chunks(PAGE) {
            app.store.record_checks(campaign, page.to_vec(), app.clock.now_ms()).await?;
        }
        Ok(())
    }

    /// Whether there were more tokens than are remembered.
    pub fn has_forgotten(&self) -> bool {
        self.stream.has_forgotten()
    }
}
