//! A campaign's own identifiers: order numbers and the like, which the audience
//! brings and the directory does not know.
//!
//! Input: the declared columns, and each account's cells as plain text. Output:
//! keyed hash → account, for one campaign. The directory stays the authority:
//! what it gives to another account is foreign, whatever an audience claims.
//!
//! Memory: 21 bytes a value, and a key's length and 12 bytes an account that has
//! any. Names
//! are kept in clear beside it, as the directory's are, because they are
//! searched for in running text.

mod columns;
pub(in crate::guard) mod extras;

use std::collections::{BTreeMap, HashMap};

pub use columns::{BadCell, Columns};

use crate::account::{AccountId, Kind};
use crate::guard::find::names::Names;
use crate::guard::index::{Entry as Named, Index};
use crate::guard::overlay::columns::Value;
use crate::guard::{Own, normal};
use crate::key::Keys;
use crate::mapping::Column;

/// How a declared column is named to templates and in `must_show`.
pub const PREFIX: &str = "extra.";
/// Stands for a column where an address implies its provider's domain.
const PROVIDER: u8 = u8::MAX;
/// Stands for a column where a name is written otherwise than its column has it.
const READING: u8 = u8::MAX - 1;

/// One value: 21 bytes, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: [u8; 16],
    account: [u8; 4],
    column: u8,
}

impl Entry {
    fn account(self) -> u32 {
        u32::from_be_bytes(self.account)
    }
}

/// Account keys in one text; a number stands for each.
#[derive(Default)]
struct Accounts {
    text: String,
    ends: Vec<u32>,
    /// The numbers in the order of their keys.
    sorted: Vec<u32>,
    /// The columns that an account has values in, a bit each.
    filled: Vec<u32>,
}

impl Accounts {
    fn push(&mut self, account: &AccountId, filled: u32) -> Option<u32> {
        self.text.push_str(account.as_str());
        self.ends.push(u32::try_from(self.text.len()).ok()?);
        self.filled.push(filled);
        Some(self.ends.len() as u32 - 1)
    }

    fn key(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[number] as usize]
    }

    fn sort(&mut self) {
        let mut sorted: Vec<u32> = (0..self.ends.len() as u32).collect();
        sorted.sort_unstable_by(|a, b| self.key(*a).cmp(self.key(*b)));
        self.sorted = sorted;
    }

    fn number(&self, account: &AccountId) -> Option<u32> {
        let at = self.sorted.binary_search_by(|number| self.key(*number).cmp(account.as_str())).ok()?;
        Some(self.sorted[at])
    }
}

/// Gathers the values of a whole audience.
pub struct Builder {
    overlay: Overlay,
    search: HashMap<String, Named>,
    keys: Option<Keys>,
}

impl Builder {
    /// Begins with the declared columns.
    pub fn new(columns: Columns) -> Self {
        Self { overlay: Overlay::empty(columns), search: HashMap::new(), keys: None }
    }

    /// Adds one account's cells. Each account comes once.
    ///
    /// # Errors
    /// A cell that is no value of its column.
    pub fn add(&mut self, keys: &Keys, account: &AccountId, cells: &BTreeMap<String, String>) -> Result<(), BadCell> {
        let overlay = &mut self.overlay;
        let values = overlay.columns.values(cells)?;
        if values.is_empty() {
            return Ok(());
        }
        let too_long = || BadCell { column: "account".into(), why: "the audience's keys are longer than 4 GB" };
        let filled = values.iter().fold(0, |filled, value| filled | 1 << value.column);
        let number = overlay.accounts.push(account, filled).ok_or_else(too_long)?;
        let mut put = |hash: u128, column| {
            overlay.entries.push(Entry { hash: hash.to_be_bytes(), account: number.to_be_bytes(), column });
        };
        for Value { column, kind, written, canonical } in values {
            let hash = keys.identifier(kind, &canonical);
            put(hash, column);
            if matches!(kind, Kind::Email | Kind::Domain)
                && let Some(form) = normal::capital_form(&canonical)
            {
                put(keys.identifier(kind, &form), READING);
            }
            match kind {
                Kind::Email => put(provider(keys, canonical.rsplit_once('@').map_or("", |(_, host)| host)), PROVIDER),
                Kind::Person | Kind::Organisation => {
                    overlay.own_names.push((number, column, written.into()));
                    for name in normal::indexed(kind, written, &canonical) {
                        let hash = keys.identifier(kind, &name);
                        put(hash, READING);
                        let named = Named { kind, hash, name: Some(name.clone()), account: account.clone() };
                        self.search.entry(name).or_insert(named);
                    }
                    for half in normal::cued(kind, written, &canonical) {
                        put(keys.identifier(kind, &half), READING);
                    }
                    let name = Some(canonical.clone());
                    self.search.insert(canonical, Named { kind, hash, name, account: account.clone() });
                    self.keys.get_or_insert_with(|| keys.clone());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the table.
    pub fn finish(self) -> Overlay {
        use rayon::slice::ParallelSliceMut;
        let Self { mut overlay, search, keys } = self;
        overlay.entries.par_sort_unstable();
        overlay.entries.dedup();
        overlay.entries.shrink_to_fit();
        overlay.accounts.sort();
        overlay.names = keys.map(|keys| Index::build(search.into_values()).bound(&keys));
        overlay
    }
}

fn provider(keys: &Keys, host: &str) -> u128 {
    keys.identifier(Kind::Text, &format!("provider {host}"))
}

/// A value that two accounts claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The value's keyed hash.
    pub hash: u128,
    /// Who claims it.
    pub accounts: Vec<AccountId>,
}

/// Who owns a campaign's own identifiers.
pub struct Overlay {
    columns: Columns,
    accounts: Accounts,
    entries: Vec<Entry>,
    /// Names as written, by account: they are made of words, and addressed.
    own_names: Vec<(u32, u8, Box<str>)>,
    /// What the names are searched for with, if there are any.
    names: Option<Index>,
}

impl Overlay {
    /// One that nobody owns anything of: values of the declared shapes are then
    /// unexplained.
    pub fn empty(columns: Columns) -> Self {
        let (accounts, entries, own_names) = (Accounts::default(), Vec::new(), Vec::new());
        Self { columns, accounts, entries, own_names, names: None }
    }

    /// Whether names are declared.
    pub(in crate::guard) fn has_names(&self) -> bool {
        self.names.is_some()
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.entries.iter().filter(|entry| entry.column < READING).count()
    }

    /// How many accounts have a row.
    pub(in crate::guard) fn accounts(&self) -> u64 {
        self.accounts.filled.len() as u64
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The declared columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Values that belong to one account only and stand with several, and how
    /// many there are; `most` of them are named.
    pub fn conflicts(&self, most: usize) -> (u64, Vec<Conflict>) {
        let (mut count, mut named) = (0, Vec::new());
        for same in self.entries.chunk_by(|a, b| a.hash == b.hash) {
            let several = same.iter().any(|entry| entry.account != same[0].account);
            if !several || !same.iter().any(|entry| self.columns.is_exclusive(entry.column)) {
                continue;
            }
            count += 1;
            if named.len() < most {
                let accounts = same.iter().filter_map(|entry| self.account(entry.account())).collect();
                named.push(Conflict { hash: u128::from_be_bytes(same[0].hash), accounts });
            }
        }
        (count, named)
    }

    fn account(&self, number: u32) -> Option<AccountId> {
        AccountId::new(self.accounts.key(number)).ok()
    }

    /// The entries of a hash.
    fn of(&self, hash: u128) -> &[Entry] {
        let hash = hash.to_be_bytes();
        let start = self.entries.partition_point(|entry| entry.hash < hash);
        let end = self.entries.partition_point(|entry| entry.hash <= hash);
        &self.entries[start..end]
    }

    /// An account that owns a hash.
    pub(in crate::guard) fn owner(&self, hash: u128) -> Option<AccountId> {
        self.account(self.of(hash).first()?.account())
    }

    /// What a declared column holds, by the name that templates use.
    pub(in crate::guard) fn column(&self, name: &str) -> Option<&Column> {
        let name = name.strip_prefix(PREFIX)?;
        self.columns.0.iter().find(|declared| declared.name == name).map(|declared| &declared.column)
    }

    fn number(&self, name: &str) -> Option<u8> {
        let name = name.strip_prefix(PREFIX)?;
        self.columns.0.iter().position(|declared| declared.name == name).map(|at| at as u8)
    }

    /// Every declared column, under the name that templates use.
    pub(in crate::guard) fn declared(&self) -> impl Iterator<Item = (String, &Column)> {
        self.columns.0.iter().map(|declared| (format!("{PREFIX}{}", declared.name), &declared.column))
    }

    /// One account's side.
    pub(in crate::guard) fn of_account<'o>(&'o self, account: &AccountId, keys: &'o Keys) -> OwnExtra<'o> {
        OwnExtra { overlay: self, keys, number: self.accounts.number(account) }
    }
}

/// What a campaign's own identifiers are to one account.
#[derive(Clone, Copy)]
pub struct OwnExtra<'o> {
    overlay: &'o Overlay,
    keys: &'o Keys,
    number: Option<u32>,
}

impl<'o> OwnExtra<'o> {
    /// The names that are searched for in running text.
    pub(in crate::guard) fn names(&self) -> Option<Names<'o>> {
        self.overlay.names.as_ref().map(Index::names)
    }

    /// An account that owns a hash.
    pub fn owner(&self, hash: u128) -> Option<AccountId> {
        self.overlay.owner(hash)
    }

    /// Whether a hash is this account's: a search for the pair, so that a value
    /// which thousands share costs no more.
    fn owns(&self, hash: u128) -> bool {
        let Some(number) = self.number else { return false };
        let pair = (hash.to_be_bytes(), number.to_be_bytes());
        self.overlay.entries.binary_search_by(|entry| (entry.hash, entry.account).cmp(&pair)).is_ok()
    }

    /// Whether a value is this account's.
    pub fn has(&self, kind: Kind, canonical: &str) -> bool {
        self.owns(self.keys.identifier(kind, canonical))
    }

    /// Whether a host is the domain of one of its addresses.
    pub fn has_provider(&self, host: &str) -> bool {
        self.owns(provider(self.keys, host))
    }

    /// Another account that has a value.
    pub fn other(&self, kind: Kind, canonical: &str) -> Option<AccountId> {
        self.overlay.owner(self.keys.identifier(kind, canonical))
    }

    /// Puts the account's names, and their words, into its own set.
    pub fn name(&self, own: &mut Own) {
        let Some(number) = self.number else { return };
        let names = &self.overlay.own_names;
        let start = names.partition_point(|(account, ..)| *account < number);
        for (_, column, written) in names[start..].iter().take_while(|(account, ..)| *account == number) {
            let declared = &self.overlay.columns.0[usize::from(*column)];
            own.declare(&format!("{PREFIX}{}", declared.name), declared.column.kind, written);
        }
    }

    /// Whether the account has a value in a column.
    pub fn fills(&self, column: &str) -> bool {
        let bit = self.overlay.number(column).map_or(0, |number| 1 << number);
        self.number.is_some_and(|number| self.overlay.accounts.filled[number as usize] & bit != 0)
    }

    /// Whether a value is this account's in this column.
    pub fn has_in(&self, column: &str, kind: Kind, canonical: &str) -> bool {
        let (Some(account), Some(column)) = (self.number, self.overlay.number(column)) else { return false };
        let hash = self.keys.identifier(kind, canonical).to_be_bytes();
        self.overlay.entries.binary_search(&Entry { hash, account: account.to_be_bytes(), column }).is_ok()
    }
}
