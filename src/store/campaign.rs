//! Campaigns: frozen revisions and their state. A frozen revision and its
//! snapshot are written whole and never change: its entry in the ledger holds
//! their digests, and a campaign is read only as its entry says. Its state moves
//! only as [`State::may_become`] allows, compared and set in one transaction;
//! it begins to be sent only to accounts that no other revision of its name has
//! been or is being sent to.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::campaign::{Campaign, State};
use crate::store::cell::Cell;
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::message::{Fingerprint, Planned, insert_text, snapshot_rows};
use crate::store::{Store, in_transaction, ledger, with_pool};
use crate::units::Rate;

/// What a row is called that cannot be read.
const WHAT: &str = "campaign";
const STATE: &str = "select state from campaign where id = $1";
/// Every revision of a campaign's name. Locked in one order on PostgreSQL, so
/// that of two that begin at once the second sees the first; SQLite has one
/// writer anyway.
const FAMILY_SQLITE: &str = "select id from campaign where id = $1";
const FAMILY_POSTGRES: &str = "
    select id from campaign where name = (select name from campaign where id = $1) order by id for update";
/// The first other revision that has reached, or is about to reach, accounts
/// that this one would still go to. One that is under way counts with all its
/// messages, one that has ended with those that were attempted.
const SIBLING: &str = "
    select o.id, o.revision, o.state, count(*) as accounts from campaign c
    join campaign o on o.name = c.name and o.id <> c.id
    join message m on m.campaign = o.id
    join message own on own.campaign = c.id and own.account = m.account
    where c.id = $1 and own.state in ('planned', 'checked', 'claimed', 'deferred')
      and (m.state in ('claimed', 'accepted', 'deferred', 'rejected', 'expired', 'unknown')
           or (o.state in ('sending', 'paused') and m.state in ('planned', 'checked')))
    group by o.id, o.revision, o.state order by o.id limit 1";
/// Messages inserted by one statement.
const CHUNK: usize = 4_000;

/// Who moved a campaign on, and why, where that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Who; nobody: a gate, or the guard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A move as the ledger is told it.
#[derive(Serialize)]
struct Moved<'a> {
    from: State,
    state: State,
    #[serde(flatten)]
    turn: &'a Turn,
}

impl Store {
    /// The number that the next campaign will have.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_campaign(&self) -> Result<i64> {
        const NEXT: &str = "select coalesce(max(id), 0) + 1 as id from campaign";
        with_pool!(self, |pool| {
            Ok(sqlx::query(NEXT).fetch_one(pool).await.doing("numbering a campaign")?.cell(WHAT, "id")?)
        })
    }

    /// Writes a frozen campaign and its snapshot, all or nothing. The campaign
    /// keeps the number it was frozen with.
    ///
    /// # Errors
    /// [`StoreError::Taken`]: another campaign took the number, or the revision,
    /// meanwhile. The database fails.
    pub async fn create_campaign(
        &self,
        campaign: &Campaign,
        snapshot: impl Iterator<Item = Planned>,
        now_ms: i64,
    ) -> Result<()> {
        const ADD: &str = "
            insert into campaign (id, name, revision, body, state, created_ms) values ($1, $2, $3, $4, 'frozen', $5)";
        let doing = "freezing a campaign";
        let insert = insert_text(self);
        let body = json(campaign)?;
        let mut snapshot = snapshot.peekable();
        let (mut fingerprint, mut planned) = (Fingerprint::default(), 0_u64);
        in_transaction!(self, doing, |tx| {
            let add = sqlx::query(ADD).bind(campaign.id).bind(&campaign.definition.name).bind(campaign.revision);
            let added = add.bind(&body).bind(now_ms).execute(&mut *tx).await;
            if let Err(sqlx::Error::Database(error)) = &added
                && error.is_unique_violation()
            {
                return Err(StoreError::Taken { id: campaign.id });
            }
            added.doing(doing)?;
            while snapshot.peek().is_some() {
                let (rows, count) = snapshot_rows(snapshot.by_ref().take(CHUNK), &mut fingerprint)?;
                planned += count;
                sqlx::query(insert).bind(campaign.id).bind(rows).bind(now_ms).execute(&mut *tx).await.doing(doing)?;
            }
            let frozen = serde_json::json!({
                "revision": campaign.revision, "planned": planned, "by": campaign.author,
                "template": campaign.template_digest, "audience": campaign.audience_digest,
                "snapshot": fingerprint.hex(), "directory": campaign.directory_version,
                "name": campaign.definition.name, "body": blake3::hash(body.as_bytes()).to_hex().to_string(),
            });
            ledger::append!(tx, Some(campaign.id), "frozen", &frozen, now_ms, doing);
        });
        self.analyze("analyze message").await;
        Ok(())
    }

    /// A campaign by its number, as it was frozen.
    ///
    /// # Errors
    /// [`StoreError::Changed`]: it is not what its entry in the ledger says was
    /// frozen. The database fails.
    pub async fn campaign(&self, id: i64) -> Result<Option<Campaign>> {
        const ONE: &str = "
            select c.name, c.revision, c.body, l.body as told from campaign c
            left join ledger l on l.campaign = c.id and l.kind = 'frozen' where c.id = $1 order by l.seq limit 1";
        with_pool!(self, |pool| {
            let row = sqlx::query(ONE).bind(id).fetch_optional(pool).await.doing("reading a campaign")?;
            let Some(row) = row else { return Ok(None) };
            let (body, told): (String, Option<String>) = (row.cell(WHAT, "body")?, row.cell("ledger entry", "told")?);
            let frozen = is_frozen(&body, told.as_deref());
            let campaign = read(&body).ok().filter(|_| frozen).ok_or(StoreError::Changed { id })?;
            let (name, revision): (&str, i64) = (row.cell(WHAT, "name")?, row.cell(WHAT, "revision")?);
            if (name, revision, id) != (&campaign.definition.name, campaign.revision, campaign.id) {
                return Err(StoreError::Changed { id });
            }
            Ok(Some(campaign))
        })
    }

    /// Every campaign, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>> {
        const ALL: &str = "select body from campaign order by id desc";
        with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("reading campaigns")?;
            rows.iter().map(|row| read(row.cell(WHAT, "body")?)).collect()
        })
    }

    /// A name's newest revision.
    ///
    /// # Errors
    /// The database fails.
    pub async fn find_campaign(&self, name: &str) -> Result<Option<Campaign>> {
        const NAMED: &str = "select body from campaign where name = $1 order by revision desc limit 1";
        with_pool!(self, |pool| {
            let row = sqlx::query(NAMED).bind(name).fetch_optional(pool).await.doing("reading a campaign")?;
            row.map(|row| read(row.cell(WHAT, "body")?)).transpose()
        })
    }

    /// Where a campaign stands.
    ///
    /// # Errors
    /// The database fails, or there is no such campaign.
    pub async fn state(&self, id: i64) -> Result<State> {
        with_pool!(self, |pool| {
            let row = sqlx::query(STATE).bind(id).fetch_optional(pool).await.doing("reading a campaign's state")?;
            read_state(row.ok_or(StoreError::NoCampaign { id })?.cell(WHAT, "state")?)
        })
    }

    /// Moves a campaign on, if it is still in one of the states it may come from.
    ///
    /// # Errors
    /// It is in another state by now, the move is not legal, or the database
    /// fails; the campaign then stays where it is. [`StoreError::SentTwice`]: it
    /// would begin to be sent to accounts that another revision of its name was
    /// sent to, or is under way to.
    pub async fn set_state(&self, id: i64, from: &[State], to: State, now_ms: i64) -> Result<()> {
        self.turn(id, from, to, Turn::default(), now_ms).await
    }

    /// [`Store::set_state`], with who says so, and why.
    ///
    /// # Errors
    /// As there.
    pub async fn turn(&self, id: i64, from: &[State], to: State, turn: Turn, now_ms: i64) -> Result<()> {
        const MOVE: &str = "update campaign set state = $3 where id = $1 and state = $2";
        let doing = "moving a campaign on";
        let (read, family) = (state_for_update(self), self.sql(FAMILY_SQLITE, FAMILY_POSTGRES));
        in_transaction!(self, doing, |tx| {
            if to == State::Sending {
                sqlx::query(family).bind(id).fetch_all(&mut *tx).await.doing(doing)?;
            }
            let row = sqlx::query(read).bind(id).fetch_optional(&mut *tx).await.doing(doing)?;
            let is = read_state(row.ok_or(StoreError::NoCampaign { id })?.cell(WHAT, "state")?)?;
            if !from.contains(&is) || !is.may_become(to) {
                return Err(StoreError::IllegalState { id, is, asked: to });
            }
            if to == State::Sending
                && let Some(row) = sqlx::query(SIBLING).bind(id).fetch_optional(&mut *tx).await.doing(doing)?
            {
                return Err(StoreError::SentTwice {
                    id,
                    other: row.cell(WHAT, "id")?,
                    revision: row.cell(WHAT, "revision")?,
                    is: read_state(row.cell(WHAT, "state")?)?,
                    accounts: row.cell::<i64, _>(WHAT, "accounts")?.unsigned_abs(),
                });
            }
            let update = sqlx::query(MOVE).bind(id).bind(is.as_str()).bind(to.as_str());
            if update.execute(&mut *tx).await.doing(doing)?.rows_affected() != 1 {
                return Err(StoreError::IllegalState { id, is, asked: to });
            }
            ledger::append!(tx, Some(id), "state", &Moved { from: is, state: to, turn: &turn }, now_ms, doing);
        });
        Ok(())
    }

    /// Gives a campaign a rate of its own, or takes it back.
    ///
    /// # Errors
    /// It has ended, the database fails, or there is no such campaign.
    pub async fn set_rate(&self, id: i64, rate: Option<Rate>, now_ms: i64) -> Result<()> {
        const SET: &str = "update campaign set rate = $2 where id = $1";
        let doing = "changing a campaign's rate";
        let (read, rate) = (state_for_update(self), rate.map(|rate| rate.to_string()));
        in_transaction!(self, doing, |tx| {
            let row = sqlx::query(read).bind(id).fetch_optional(&mut *tx).await.doing(doing)?;
            let is = read_state(row.ok_or(StoreError::NoCampaign { id })?.cell(WHAT, "state")?)?;
            if matches!(is, State::Halted | State::Finished) {
                return Err(StoreError::IllegalState { id, is, asked: State::Sending });
            }
            sqlx::query(SET).bind(id).bind(&rate).execute(&mut *tx).await.doing(doing)?;
            ledger::append!(tx, Some(id), "pace", &serde_json::json!({ "rate": rate }), now_ms, doing);
        });
        Ok(())
    }

    /// The rate that a campaign was given, if it was given one.
    ///
    /// # Errors
    /// The database fails, or there is no such campaign.
    pub async fn rate(&self, id: i64) -> Result<Option<Rate>> {
        const RATE: &str = "select rate from campaign where id = $1";
        let text: Option<String> = with_pool!(self, |pool| {
            let row = sqlx::query(RATE).bind(id).fetch_optional(pool).await.doing("reading a campaign's rate")?;
            row.ok_or(StoreError::NoCampaign { id })?.cell(WHAT, "rate")?
        });
        read_rate(text)
    }

    /// Keeps the drill that a check passed, as plain data.
    ///
    /// # Errors
    /// The database fails, or there is no such campaign.
    pub async fn record_drill(&self, id: i64, drill: &impl Serialize, now_ms: i64) -> Result<()> {
        const DRILL: &str = "update campaign set drill = $2 where id = $1";
        let doing = "recording a drill";
        let text = json(drill)?;
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(DRILL).bind(id).bind(&text).execute(&mut *tx).await.doing(doing)?;
            if update.rows_affected() != 1 {
                return Err(StoreError::NoCampaign { id });
            }
            ledger::append!(tx, Some(id), "drill", &serde_json::json!({ "drill": drill }), now_ms, doing);
        });
        Ok(())
    }

    /// The drill that the last check passed, if one did.
    ///
    /// # Errors
    /// The database fails, or the drill was kept as something else.
    pub async fn drill<T: DeserializeOwned>(&self, id: i64) -> Result<Option<T>> {
        const DRILL: &str = "select drill from campaign where id = $1";
        let text: Option<String> = with_pool!(self, |pool| {
            let row = sqlx::query(DRILL).bind(id).fetch_optional(pool).await.doing("reading a drill")?;
            row.ok_or(StoreError::NoCampaign { id })?.cell(WHAT, "drill")?
        });
        let unreadable = |_| StoreError::Unreadable { what: "drill" };
        text.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
    }
}

/// Whether a body is the one whose digest the entry holds.
fn is_frozen(body: &str, told: Option<&str>) -> bool {
    let told = told.and_then(|told| serde_json::from_str::<serde_json::Value>(told).ok());
    told.is_some_and(|told| told["is"]["body"] == blake3::hash(body.as_bytes()).to_hex().as_str())
}

/// Reads a campaign's state so that nobody else moves it meanwhile: ($1 campaign).
pub(in crate::store) fn state_for_update(store: &Store) -> &'static str {
    const POSTGRES: &str = "select state from campaign where id = $1 for update";
    store.sql(STATE, POSTGRES)
}

fn read(body: &str) -> Result<Campaign> {
    serde_json::from_str(body).map_err(|_| StoreError::Unreadable { what: "campaign" })
}

/// A rate read back.
pub(in crate::store) fn read_rate(text: Option<String>) -> Result<Option<Rate>> {
    text.map(|text| text.parse().map_err(|_| StoreError::Unreadable { what: "campaign's rate" })).transpose()
}

pub(in crate::store) fn read_state(word: &str) -> Result<State> {
    let state = serde_json::from_value(serde_json::Value::String(word.to_owned()));
    state.map_err(|_| StoreError::Unreadable { what: "campaign state" })
}
