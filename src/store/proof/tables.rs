//! Campaigns, approvals, messages and suppressed addresses, compared with what
//! the ledger says of them.

use std::collections::BTreeSet;

use crate::store::cell::Cell;
use crate::store::directory::hex;
use crate::store::error::{Doing, Result};
use crate::store::message::{Fingerprint, short};
use crate::store::proof::told::{Told, ToldCampaign, ToldMessage, head, key, reply};
use crate::store::proof::{Broken, Found, Proof, unreadable, whole};
use crate::store::{Store, with_pool};

struct CampaignRow {
    name: String,
    revision: i64,
    body: String,
    drill: Option<String>,
    state: String,
    rate: Option<String>,
    created_ms: i64,
}

struct ApprovalRow {
    by: String,
    at_ms: i64,
    digest: Vec<u8>,
    signature: Vec<u8>,
}

struct MessageRow {
    account: String,
    stage: i64,
    extra: String,
    state: String,
    digest: Option<Vec<u8>>,
    findings: Option<String>,
    attempt: i64,
    first_ms: Option<i64>,
    not_before_ms: Option<i64>,
    code: Option<i64>,
    reply: Option<String>,
    changed_ms: i64,
}

/// A row read back: its fields are its columns, of the same names.
macro_rules! row {
    ($row:expr, $type:ident { $($field:ident: $column:literal),* $(,)? }) => {
        (|| Ok($type { $($field: Cell::cell($row, stringify!($type), $column)?),* }))()
    };
}

impl Store {
    pub(super) async fn compare_campaigns(&self, told: &Told, proof: &mut Proof) -> Found {
        const ALL: &str = "select id, name, revision, body, drill, state, rate, created_ms from campaign order by id";
        let rows: Vec<(i64, Result<CampaignRow>)> = with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("reading campaigns")?;
            let read = |row| {
                let fields = row!(
                    row,
                    CampaignRow {
                        name: "name",
                        revision: "revision",
                        body: "body",
                        drill: "drill",
                        state: "state",
                        rate: "rate",
                        created_ms: "created_ms",
                    }
                );
                Ok((Cell::cell(row, "campaign", "id")?, fields))
            };
            rows.iter().map(read).collect::<Result<_>>()?
        });
        let there: BTreeSet<i64> = rows.iter().map(|(id, _)| *id).collect();
        for (id, row) in rows {
            let Some(told) = told.campaigns.get(&id) else {
                return Ok(Some(Broken::new(0, format!("campaign {id} is in no entry"))));
            };
            let row = whole!(unreadable(told.seq, &format!("campaign {id}"), row));
            if let Some(broken) = campaign(id, &row, told) {
                return Ok(Some(broken));
            }
            proof.campaigns += 1;
        }
        let gone = told.campaigns.iter().find(|(id, _)| !there.contains(id));
        Ok(gone.map(|(id, told)| Broken::new(told.seq, format!("campaign {id} is not there any more"))))
    }

    pub(super) async fn compare_approvals(&self, told: &Told, proof: &mut Proof) -> Found {
        const ALL: &str = "select campaign, approver, at_ms, digest, signature from approval order by campaign";
        let rows: Vec<(i64, Result<ApprovalRow>)> = with_pool!(self, |pool| {
            let rows = sqlx::query(ALL).fetch_all(pool).await.doing("reading approvals")?;
            let read = |row| {
                let fields =
                    row!(row, ApprovalRow { by: "approver", at_ms: "at_ms", digest: "digest", signature: "signature" });
                Ok((Cell::cell(row, "approval", "campaign")?, fields))
            };
            rows.iter().map(read).collect::<Result<_>>()?
        });
        for (id, row) in rows {
            let Some(told) = told.campaigns.get(&id) else {
                return Ok(Some(Broken::new(0, format!("an approval of campaign {id} is in no entry"))));
            };
            let row = whole!(unreadable(told.approvals_seq, &format!("an approval of campaign {id}"), row));
            let Some(said) = told.approvals.get(&row.by) else {
                let why = format!("campaign {id} is approved by {:?}, but no entry says so", row.by);
                return Ok(Some(Broken::new(told.approvals_seq, why)));
            };
            let is = (row.at_ms, hex(&row.digest), hex(&row.signature));
            if is != (said.at_ms, said.digest.clone(), said.signature.clone()) {
                let why = format!("campaign {id}: the approval by {:?} is not the one that was given", row.by);
                return Ok(Some(Broken::new(said.seq, why)));
            }
            proof.approvals += 1;
        }
        if told.campaigns.values().map(|told| told.approvals.len() as u64).sum::<u64>() == proof.approvals {
            return Ok(None);
        }
        let short = told.campaigns.iter().filter(|(_, told)| !told.approvals.is_empty()).max_by_key(|(id, _)| **id);
        Ok(short.map(|(_, told)| Broken::new(told.approvals_seq, "an approval is not there any more")))
    }

    /// Compares every message with what was told of it, and every snapshot with
    /// its fingerprint.
    pub(super) async fn compare_messages(&self, told: &Told, proof: &mut Proof) -> Found {
        for (id, campaign) in &told.campaigns {
            let (mut count, mut fingerprint) = (0_u64, Fingerprint::default());
            let mut after = i64::MIN;
            loop {
                let page = self.message_page(*id, after).await;
                let page = whole!(unreadable(campaign.frozen_seq, &format!("campaign {id}'s snapshot"), page));
                let Some(last) = page.last() else { break };
                after = last.0;
                for (ord, row) in page {
                    let which = format!("campaign {id}: the message at place {ord}");
                    let row = whole!(unreadable(campaign.frozen_seq, &which, row));
                    fingerprint.add(ord, &row.account, row.stage, &row.extra);
                    count += 1;
                    let unsaid = ToldMessage::frozen(campaign.frozen_seq, campaign.at_ms);
                    let said = told.messages.get(&key(*id, &row.account)).unwrap_or(&unsaid);
                    if let Some(why) = message(&row, said) {
                        let why = format!("campaign {id}, account {}{why}", row.account);
                        return Ok(Some(Broken::new(said.seq, why)));
                    }
                }
            }
            if let Some(why) = snapshot(*id, campaign, count, &fingerprint) {
                return Ok(Some(Broken::new(campaign.frozen_seq, why)));
            }
            proof.messages += count;
        }
        Ok(None)
    }

    async fn message_page(&self, id: i64, after: i64) -> Result<Vec<(i64, Result<MessageRow>)>> {
        const PAGE: &str = "
            select ord, account, stage, extra, state, digest, findings, attempt, first_ms, not_before_ms, code, reply,
                   changed_ms from message where campaign = $1 and ord > $2 order by ord limit 5000";
        with_pool!(self, |pool| {
            let rows = sqlx::query(PAGE).bind(id).bind(after).fetch_all(pool).await.doing("reading messages")?;
            let read = |row| {
                let fields = row!(
                    row,
                    MessageRow {
                        account: "account",
                        stage: "stage",
                        extra: "extra",
                        state: "state",
                        digest: "digest",
                        findings: "findings",
                        attempt: "attempt",
                        first_ms: "first_ms",
                        not_before_ms: "not_before_ms",
                        code: "code",
                        reply: "reply",
                        changed_ms: "changed_ms",
                    }
                );
                Ok((Cell::cell(row, "message", "ord")?, fields))
            };
            rows.iter().map(read).collect()
        })
    }

    pub(super) async fn compare_suppressions(&self, told: &Told, proof: &mut Proof) -> Found {
        let newest = told.suppressed.values().map(|told| told.seq).max().unwrap_or(0);
        let list = whole!(unreadable(newest, "a suppressed address", self.suppressions().await));
        for entry in &list {
            let said = told.suppressed.get(&head(&blake3::hash(entry.address.as_bytes()).to_hex()));
            // The address itself is nobody's business but the list's reader's.
            let why = match said {
                None => (0, "an address is suppressed, but no entry says so"),
                Some(said) if (said.at_ms, said.reason) != (entry.at_ms, short(&entry.reason)) => {
                    (said.seq, "a suppressed address has another reason or time than the entry says")
                }
                Some(_) => continue,
            };
            return Ok(Some(Broken::new(why.0, why.1)));
        }
        proof.suppressed = list.len() as u64;
        if list.len() == told.suppressed.len() {
            return Ok(None);
        }
        let there: BTreeSet<u128> =
            list.iter().map(|entry| head(&blake3::hash(entry.address.as_bytes()).to_hex())).collect();
        let gone = told.suppressed.iter().filter(|(digest, _)| !there.contains(digest)).map(|(_, said)| said.seq).min();
        Ok(gone.map(|seq| Broken::new(seq, "an address that was suppressed is not on the list any more")))
    }
}

fn campaign(id: i64, row: &CampaignRow, told: &ToldCampaign) -> Option<Broken> {
    let frozen =
        |what: &str| Some(Broken::new(told.frozen_seq, format!("campaign {id}: {what} is not what was frozen")));
    if told.state.as_str() != row.state {
        let why = format!("campaign {id} is {}, but the ledger says {}", row.state, told.state.as_str());
        return Some(Broken::new(told.seq, why));
    }
    if row.rate != told.rate {
        return Some(Broken::new(told.seq, format!("campaign {id}: its rate is not what the ledger says")));
    }
    if blake3::hash(row.body.as_bytes()).to_hex().as_str() != told.body {
        return frozen("its definition");
    }
    if (row.name.as_str(), row.revision, row.created_ms) != (told.name.as_str(), told.revision, told.at_ms) {
        return frozen("its name, revision or time");
    }
    let drill = row.drill.as_ref().map(|text| serde_json::from_str(text).unwrap_or_default());
    if drill.as_ref() != told.drill.as_ref().map(|(_, drill)| drill) {
        let seq = told.drill.as_ref().map_or(told.frozen_seq, |(seq, _)| *seq);
        return Some(Broken::new(seq, format!("campaign {id}: its drill is not the one that was passed")));
    }
    None
}

/// What of a message does not follow from its entries.
fn message(row: &MessageRow, said: &ToldMessage) -> Option<String> {
    if said.state.as_str() != row.state {
        return Some(format!(" is {}, but the ledger says {}", row.state, said.state));
    }
    let digest = row.digest.as_ref().map_or(0, |digest| head(&hex(digest)));
    let findings = row.findings.as_deref().map_or(0, short);
    let differs = if digest != said.digest {
        "digest"
    } else if row.attempt != said.attempt {
        "number of attempts"
    } else if reply(row.code, row.reply.as_deref()) != said.reply {
        "reply"
    } else if row.first_ms != said.first_ms {
        "time of the first attempt"
    } else if row.not_before_ms != said.not_before_ms {
        "time of the next attempt"
    } else if said.findings.is_some_and(|said| said != findings) {
        "list of findings"
    } else if row.changed_ms != said.at_ms {
        "time"
    } else {
        return None;
    };
    Some(format!(": its {differs} is not what the ledger says"))
}

fn snapshot(id: i64, told: &ToldCampaign, count: u64, fingerprint: &Fingerprint) -> Option<String> {
    if count != told.planned {
        Some(format!("campaign {id} has {count} messages, but was frozen with {}", told.planned))
    } else if fingerprint.hex() != told.snapshot {
        Some(format!("campaign {id}: the snapshot's accounts, stages or extra columns are not those that were frozen"))
    } else {
        None
    }
}
