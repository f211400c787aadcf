//! Campaigns: frozen revisions, their state, and who approved.

use sqlx::Row;

use crate::campaign::{Campaign, State};
use crate::guard::drill::Drill;
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::message::{Planned, insert_text};
use crate::store::{Store, in_transaction, ledger, message, with_pool};

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
        let body = json(campaign);
        let mut snapshot = snapshot.peekable();
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
                let rows = message::snapshot_rows(snapshot.by_ref().take(CHUNK));
                sqlx::query(insert).bind(campaign.id).bind(rows).bind(now_ms).execute(&mut *tx).await.doing(doing)?;
            }
            let frozen = serde_json::json!({
                "revision": campaign.revision, "accounts": campaign.accounts, "by": campaign.author,
                "template": campaign.template_digest, "audience": campaign.audience_digest,
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
        const STATE: &str = "select state from campaign where id = $1";
        let word: String = with_pool!(self, |pool| {
            sqlx::query(STATE).bind(id).fetch_one(pool).await.doing("reading a campaign's state")?.get("state")
        });
        serde_json::from_value(serde_json::Value::String(word))
            .map_err(|_| StoreError::Unreadable { what: "campaign state" })
    }

    /// Moves a campaign on, if it is still in one of the states it may come from.
    ///
    /// # Errors
    /// It is in another state by now, the move is not legal, or the database fails.
    pub async fn set_state(&self, id: i64, from: &[State], to: State, now_ms: i64) -> Result<()> {
        const SQLITE: &str =
            "update campaign set state = $2 where id = $1 and state in (select value from json_each($3))";
        const POSTGRES: &str = "
            update campaign set state = $2 where id = $1 and state in (select jsonb_array_elements_text($3::jsonb))";
        let doing = "moving a campaign on";
        let from: Vec<&str> = from.iter().filter(|s| s.may_become(to) || **s == to).map(|s| s.as_str()).collect();
        let (sql, from) = (self.sql(SQLITE, POSTGRES), json(&from));
        in_transaction!(self, doing, |tx| {
            let done = sqlx::query(sql).bind(id).bind(to.as_str()).bind(&from).execute(&mut *tx).await.doing(doing)?;
            if done.rows_affected() != 1 {
                return Err(StoreError::IllegalMove { what: "a campaign's state", changed: 0, asked: 1 });
            }
            ledger::append!(tx, Some(id), "state", &serde_json::json!({ "state": to }), now_ms, doing);
        });
        Ok(())
    }

    /// Keeps the drill that a check passed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn record_drill(&self, id: i64, drill: &Drill, now_ms: i64) -> Result<()> {
        const DRILL: &str = "update campaign set drill = $2 where id = $1";
        let doing = "recording a drill";
        let text = json(drill);
        in_transaction!(self, doing, |tx| {
            sqlx::query(DRILL).bind(id).bind(&text).execute(&mut *tx).await.doing(doing)?;
            ledger::append!(
                tx,
                Some(id),
                "drill",
                &serde_json::json!({ "swapped": drill.swapped, "held": drill.held, "vacuous": drill.vacuous }),
                now_ms,
                doing
            );
        });
        Ok(())
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
            let body = serde_json::json!({ "by": approval.by, "digest": digest });
            ledger::append!(tx, Some(id), "approved", &body, approval.at_ms, doing);
        });
        Ok(())
    }

    /// Takes every approval back: what was signed is about to change.
    ///
    /// # Errors
    /// The database fails.
    pub async fn withdraw_approvals(&self, id: i64) -> Result<()> {
        const DROP: &str = "delete from approval where campaign = $1";
        with_pool!(self, |pool| {
            sqlx::query(DROP).bind(id).execute(pool).await.doing("withdrawing approvals")?;
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

fn read(body: &str) -> Result<Campaign> {
    serde_json::from_str(body).map_err(|_| StoreError::Unreadable { what: "campaign" })
}
