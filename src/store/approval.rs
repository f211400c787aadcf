//! Who approved a campaign: signatures under what was checked. They are kept as
//! given; [`crate::app::campaign::approve`] makes and proves them.

use crate::store::cell::Cell;
use crate::store::directory::hex;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::{Store, in_transaction, ledger, with_pool};

/// One signature under a campaign's certificate.
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

/// What a row is called that cannot be read.
const WHAT: &str = "approval";

impl Store {
    /// Adds an approval; the same person's replaces the one before.
    ///
    /// # Errors
    /// The database fails.
    pub async fn approve(&self, id: i64, approval: &Approval) -> Result<()> {
        const ADD: &str = "
            insert into approval (campaign, approver, at_ms, digest, signature) values ($1, $2, $3, $4, $5)
            on conflict (campaign, approver) do update set at_ms = $3, digest = $4, signature = $5";
        let doing = "recording an approval";
        let (digest, signature) = (hex(&approval.digest), hex(&approval.signature));
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
            let told = serde_json::json!({ "by": approval.by, "digest": digest, "signature": signature });
            ledger::append!(tx, Some(id), "approved", &told, approval.at_ms, doing);
        });
        Ok(())
    }

    /// Takes every approval back, because what was signed is not what is there
    /// now; how many there were.
    ///
    /// # Errors
    /// The database fails.
    pub async fn withdraw_approvals(&self, id: i64, now_ms: i64) -> Result<u64> {
        const DROP: &str = "delete from approval where campaign = $1";
        let doing = "withdrawing approvals";
        Ok(in_transaction!(self, doing, |tx| {
            let gone = sqlx::query(DROP).bind(id).execute(&mut *tx).await.doing(doing)?.rows_affected();
            if gone > 0 {
                ledger::append!(tx, Some(id), "withdrawn", &serde_json::json!({ "approvals": gone }), now_ms, doing);
            }
            gone
        }))
    }

    /// Who approved a campaign, in the order of time.
    ///
    /// # Errors
    /// The database fails, or a row cannot be read.
    pub async fn approvals(&self, id: i64) -> Result<Vec<Approval>> {
        const ALL: &str =
            "select approver, at_ms, digest, signature from approval where campaign = $1 order by at_ms, approver";
        let bytes = |bytes: Vec<u8>| bytes.try_into().map_err(|_| StoreError::Unreadable { what: WHAT });
        with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).bind(id).fetch_all(pool).await.doing("reading approvals")?;
            rows.iter()
                .map(|row| {
                    Ok(Approval {
                        by: row.cell(WHAT, "approver")?,
                        at_ms: row.cell(WHAT, "at_ms")?,
                        digest: bytes(row.cell(WHAT, "digest")?)?,
                        signature: bytes(row.cell(WHAT, "signature")?)?,
                    })
                })
                .collect()
        })
    }
}
