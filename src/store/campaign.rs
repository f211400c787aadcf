//! Campaigns: frozen revisions, their state, and who approved. A frozen
//! revision and its snapshot are written whole and never change; its state moves
//! only as [`State::may_become`] allows, compared and set in one transaction.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;

use crate::campaign::{Campaign, State};
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::message::{Fingerprint, Planned, insert_text, snapshot_rows};
use crate::store::{Store, in_transaction, ledger, with_pool};

/// One signature under a campaign's set of digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who approved.
    pub by: String,
    /// When.
    pub at_ms: i64,
    /// The digest of digests that was signed.
    pub digest: [u8; 32],
    /// The signature.
    pub signature: [u8; 32],
}

const STATE: &str = "select state from campaign where id = $1";
/// Messages inserted by one statement.
const CHUNK: usize = 4_000;

impl Store {
    /// The number that the next campaign will have.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next_campaign(&self) -> Result<i64> {
        const NEXT: &str = "select coalesce(max(id), 0) + 1 as id from campaign";
        with_pool!(self, |pool| {
            Ok(sqlx::query(NEXT).fetch_one(pool).await.doing("numbering a campaign")?.get("id"))
        })
    }

    /// Writes a frozen campaign and its snapshot, all or nothing. The campaign
    /// keeps the number it was frozen with.
    ///
    /// # Errors
    /// The database fails, or another campaign took the number meanwhile.
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
            sqlx::query(ADD)
                .bind(campaign.id)
                .bind(&campaign.definition.name)
                .bind(campaign.revision)
                .bind(&body)
                .bind(now_ms)
                .execute(&mut *tx)
                .await
                .doing(doing)?;
            while snapshot.peek().is_some() {
                let (rows, count) = snapshot_rows(snapshot.by_ref().take(CHUNK), &mut fingerprint)?;
                planned += count;
                sqlx::query(insert).bind(campaign.id).bind(rows).bind(now_ms).execute(&mut *tx).await.doing(doing)?;
            }
            let frozen = serde_json::json!({
                "revision": campaign.revision, "planned": planned, "by": campaign.author,
                "template": campaign.template_digest, "audience": campaign.audience_digest,
                "snapshot": fingerprint.hex(), "directory": campaign.directory_version,
            });
            ledger::append!(tx, Some(campaign.id), "frozen", &frozen, now_ms, doing);
        });
        Ok(())
    }

    /// A campaign by its number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn campaign(&self, id: i64) -> Result<Option<Campaign>> {
        const ONE: &str = "select body from campaign where id = $1";
        with_pool!(self, |pool| {
            let row = sqlx::query(ONE).bind(id).fetch_optional(pool).await.doing("reading a campaign")?;
            row.map(|row| read(&row.get::<String, _>("body"))).transpose()
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
            rows.iter().map(|row| read(&row.get::<String, _>("body"))).collect()
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
            row.map(|row| read(&row.get::<String, _>("body"))).transpose()
        })
    }

    /// Where a campaign stands.
    ///
    /// # Errors
    /// The database fails, or there is no such campaign.
    pub async fn state(&self, id: i64) -> Result<State> {
        with_pool!(self, |pool| {
            let row = sqlx::query(STATE).bind(id).fetch_optional(pool).await.doing("reading a campaign's state")?;
            read_state(row.ok_or(StoreError::NoCampaign { id })?.get("state"))
        })
    }

    /// Moves a campaign on, if it is still in one of the states it may come from.
    ///
    /// # Errors
    /// It is in another state by now, the move is not legal, or the database
    /// fails; the campaign then stays where it is.
    pub async fn set_state(&self, id: i64, from: &[State], to: State, now_ms: i64) -> Result<()> {
        const MOVE: &str = "update campaign set state = $3 where id = $1 and state = $2";
        let doing = "moving a campaign on";
        let read = state_for_update(self);
        in_transaction!(self, doing, |tx| {
            let row = sqlx::query(read).bind(id).fetch_optional(&mut *tx).await.doing(doing)?;
            let is = read_state(row.ok_or(StoreError::NoCampaign { id })?.get("state"))?;
            if !from.contains(&is) || !is.may_become(to) {
                return Err(StoreError::IllegalState { id, is, asked: to });
            }
            let update = sqlx::query(MOVE).bind(id).bind(is.as_str()).bind(to.as_str());
            if update.execute(&mut *tx).await.doing(doing)?.rows_affected() != 1 {
                return Err(StoreError::IllegalState { id, is, asked: to });
            }
            ledger::append!(tx, Some(id), "state", &serde_json::json!({ "from": is, "state": to }), now_ms, doing);
        });
        Ok(())
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
            row.ok_or(StoreError::NoCampaign { id })?.get("drill")
        });
        let unreadable = |_| StoreError::Unreadable { what: "drill" };
        text.map(|text| serde_json::from_str(&text).map_err(unreadable)).transpose()
    }

    /// Adds an approval; the same person's replaces the one before.
    ///
    /// # Errors
    /// The database fails.
    pub async fn approve(&self, id: i64, approval: &Approval) -> Result<()> {
        const ADD: &str = "
            insert into approval (campaign, approver, at_ms, digest, signature) values ($1, $2, $3, $4, $5)
            on conflict (campaign, approver) do update set at_ms = $3, digest = $4, signature = $5";
        let doing = "recording an approval";
        let digest = blake3::Hash::from_bytes(approval.digest).to_hex().to_string();
        in_transaction!(self, doing, |tx| {
            sqlx::query(ADD)
                .bind(id)
                .bind(&approval.by)
                .bind(approval.at_ms)
                .bind(approval.digest.to_vec())
                .bind(approval.signature.to_vec())
                .execute(&mut *tx)
                .await
                .doing(doing)?;
            let told = serde_json::json!({ "by": approval.by, "digest": digest });
            ledger::append!(tx, Some(id), "approved", &told, approval.at_ms, doing);
        });
        Ok(())
    }

    /// Takes every approval back: what was signed is about to change.
    ///
    /// # Errors
    /// The database fails.
    pub async fn withdraw_approvals(&self, id: i64, now_ms: i64) -> Result<()> {
        const DROP: &str = "delete from approval where campaign = $1";
        let doing = "withdrawing approvals";
        in_transaction!(self, doing, |tx| {
            let gone = sqlx::query(DROP).bind(id).execute(&mut *tx).await.doing(doing)?.rows_affected();
            if gone > 0 {
                ledger::append!(tx, Some(id), "withdrawn", &serde_json::json!({ "approvals": gone }), now_ms, doing);
            }
        });
        Ok(())
    }

    /// Who approved a campaign, in the order of time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn approvals(&self, id: i64) -> Result<Vec<Approval>> {
        const ALL: &str =
            "select approver, at_ms, digest, signature from approval where campaign = $1 order by at_ms, approver";
        let bytes = |bytes: Vec<u8>| bytes.try_into().map_err(|_| StoreError::Unreadable { what: "approval" });
        with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).bind(id).fetch_all(pool).await.doing("reading approvals")?;
            rows.iter()
                .map(|row| {
                    Ok(Approval {
                        by: row.get("approver"),
                        at_ms: row.get("at_ms"),
                        digest: bytes(row.get("digest"))?,
                        signature: bytes(row.get("signature"))?,
                    })
                })
                .collect()
        })
    }
}

/// Reads a campaign's state so that nobody else moves it meanwhile: ($1 campaign).
pub(in crate::store) fn state_for_update(store: &Store) -> &'static str {
    const POSTGRES: &str = "select state from campaign where id = $1 for update";
    store.sql(STATE, POSTGRES)
}

fn read(body: &str) -> Result<Campaign> {
    serde_json::from_str(body).map_err(|_| StoreError::Unreadable { what: "campaign" })
}

pub(in crate::store) fn read_state(word: &str) -> Result<State> {
    let state = serde_json::from_value(serde_json::Value::String(word.to_owned()));
    state.map_err(|_| StoreError::Unreadable { what: "campaign state" })
}
