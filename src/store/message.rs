//! Messages: the snapshot, the verdicts of a check, and the lists that
//! reports show. Pages go by the place in the audience, so that none is skipped or told
//! twice while states change. What becomes of a claim is in
//! [`crate::store::outcome`].

use std::collections::BTreeMap;

use crate::account::AccountId;
use crate::guard::Finding;
use crate::ledger::{Reply, State};
use crate::store::cell::Cell;
use crate::store::directory::json;
use crate::store::error::{Doing, Result, StoreError};
use crate::store::ledger::Messages;
use crate::store::{Store, in_transaction, ledger, with_pool};

/// One row of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its place in the audience, from 0.
    pub ord: i64,
    /// The account.
    pub account: AccountId,
    /// The stage it belongs to, from 0.
    pub stage: u16,
    /// The audience's extra columns.
    pub extra: BTreeMap<String, String>,
}

/// What a check says of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The account.
    pub account: AccountId,
    /// The verdict.
    pub verdict: Verdict,
}

/// Cleared with its digest, or held with its findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The digest of the message that was cleared.
    Cleared([u8; 32]),
    /// Why it is held.
    Held(Vec<Finding>),
}

/// Which messages a listing shows; everything unless narrowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Of this stage.
    pub stage: Option<u16>,
}

/// One message as reports list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in the audience, from 0.
    pub ord: i64,
    /// The account.
    pub account: AccountId,
    /// The stage it belongs to, from 0.
    pub stage: u16,
    /// Where it stands.
    pub state: State,
    /// The digest that the check stored.
    pub digest: Option<[u8; 32]>,
    /// Attempts begun.
    pub attempt: u32,
    /// For a deferral: when it may be tried again.
    pub not_before_ms: Option<i64>,
    /// The last reply.
    pub reply: Option<Reply>,
    /// When it took its state.
    pub changed_ms: i64,
    /// When its last attempt was claimed, if that is known.
    pub claimed_ms: Option<i64>,
}

/// What a row is called that cannot be read.
const WHAT: &str = "message";

/// Inserts a snapshot's rows: ($1 campaign, $2 rows, $3 now).
pub(in crate::store) fn insert_text(store: &Store) -> &'static str {
    const SQLITE: &str = "
        insert into message (campaign, account, ord, stage, extra, state, changed_ms)
        select $1, value->>0, value->>1, value->>2, value->>3, 'planned', $3 from json_each($2)";
    const POSTGRES: &str = "
        insert into message (campaign, account, ord, stage, extra, state, changed_ms)
        select $1, v->>0, (v->>1)::bigint, (v->>2)::bigint, v->>3, 'planned', $3 from jsonb_array_elements($2::jsonb) as v";
    store.sql(SQLITE, POSTGRES)
}

/// The JSON text of a snapshot's rows, and how many they are.
pub(in crate::store) fn snapshot_rows(
    rows: impl Iterator<Item = Planned>,
    fingerprint: &mut Fingerprint,
) -> Result<(String, u64)> {
    let mut list = Vec::new();
    for Planned { ord, account, stage, extra } in rows {
        let extra = json(&extra)?;
        fingerprint.add(ord, account.as_str(), i64::from(stage), &extra);
        list.push((account, ord, stage, extra));
    }
    Ok((json(&list)?, list.len() as u64))
}

/// BLAKE3 over a snapshot's rows in the audience's order, each part with its
/// length.
#[derive(Default)]
pub(in crate::store) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    pub fn add(&mut self, ord: i64, account: &str, stage: i64, extra: &str) {
        self.0.update(&ord.to_be_bytes()).update(&stage.to_be_bytes());
        for part in [account, extra] {
            self.0.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
        }
    }

    pub fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// A snapshot row read back.
macro_rules! planned {
    ($row:expr) => {
        planned(
            $row.cell(WHAT, "ord")?,
            $row.cell(WHAT, "account")?,
            $row.cell(WHAT, "stage")?,
            $row.cell(WHAT, "extra")?,
        )
    };
}

fn planned(ord: i64, account: String, stage: i64, extra: String) -> Result<Planned> {
    let unreadable = || StoreError::Unreadable { what: "message" };
    Ok(Planned {
        ord,
        account: AccountId::new(&account).map_err(|_| unreadable())?,
        stage: u16::try_from(stage).map_err(|_| unreadable())?,
        extra: serde_json::from_str(&extra).map_err(|_| unreadable())?,
    })
}

/// A listed row read back.
macro_rules! listed {
    ($row:expr) => {
        listed(
            planned($row.cell(WHAT, "ord")?, $row.cell(WHAT, "account")?, $row.cell(WHAT, "stage")?, "{}".into()),
            $row.cell(WHAT, "state")?,
            $row.cell(WHAT, "digest")?,
            ($row.cell(WHAT, "attempt")?, $row.cell(WHAT, "not_before_ms")?),
            ($row.cell(WHAT, "changed_ms")?, $row.cell(WHAT, "claimed_ms")?),
            ($row.cell(WHAT, "code")?, $row.cell(WHAT, "reply")?),
        )
    };
}

fn listed(
    planned: Result<Planned>,
    state: &str,
    digest: Option<Vec<u8>>,
    (attempt, not_before_ms): (i64, Option<i64>),
    (changed_ms, claimed_ms): (i64, Option<i64>),
    (code, text): (Option<i64>, Option<String>),
) -> Result<Row> {
    let unreadable = || StoreError::Unreadable { what: "message" };
    let Planned { ord, account, stage, .. } = planned?;
    let code = u16::try_from(code.unwrap_or(0)).map_err(|_| unreadable())?;
    Ok(Row {
        ord,
        account,
        stage,
        state: state.parse().map_err(|_| unreadable())?,
        digest: digest.map(TryInto::try_into).transpose().map_err(|_| unreadable())?,
        attempt: u32::try_from(attempt).map_err(|_| unreadable())?,
        not_before_ms,
        reply: text.map(|text| Reply { code, text }),
        changed_ms,
        claimed_ms,
    })
}

impl Store {
    /// Messages that a check has to judge, in the audience's order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn planned(&self, campaign: i64, after: i64, limit: usize) -> Result<Vec<Planned>> {
        const PAGE: &str = "
            select ord, account, stage, extra from message
            where campaign = $1 and ord > $2 and state in ('planned', 'checked') order by ord limit $3";
        with_pool!(self, |pool| {
            let page = sqlx::query(PAGE).bind(campaign).bind(after).bind(limit as i64);
            let rows = page.fetch_all(pool).await.doing("reading the snapshot")?;
            rows.iter().map(|row| planned!(row)).collect()
        })
    }

    /// Rows of the whole snapshot, whatever became of them, in the audience's order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn snapshot(&self, campaign: i64, after: i64, limit: usize) -> Result<Vec<Planned>> {
        const PAGE: &str = "
            select ord, account, stage, extra from message where campaign = $1 and ord > $2 order by ord limit $3";
        with_pool!(self, |pool| {
            let page = sqlx::query(PAGE).bind(campaign).bind(after).bind(limit as i64);
            let rows = page.fetch_all(pool).await.doing("reading the snapshot")?;
            rows.iter().map(|row| planned!(row)).collect()
        })
    }

    /// One account's row of the snapshot.
    ///
    /// # Errors
    /// The database fails.
    pub async fn planned_of(&self, campaign: i64, account: &AccountId) -> Result<Option<Planned>> {
        const ONE: &str = "select ord, account, stage, extra from message where campaign = $1 and account = $2";
        with_pool!(self, |pool| {
            let one = sqlx::query(ONE).bind(campaign).bind(account.as_str());
            one.fetch_optional(pool).await.doing("reading the snapshot")?.map(|row| planned!(row)).transpose()
        })
    }

    /// One account's row of the snapshot and the digest of its message, if a check
    /// cleared it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn cleared(&self, campaign: i64, account: &AccountId) -> Result<Option<(Planned, [u8; 32])>> {
        const ONE: &str = "
            select ord, account, stage, extra, digest from message
            where campaign = $1 and account = $2 and digest is not null";
        with_pool!(self, |pool| {
            let one = sqlx::query(ONE).bind(campaign).bind(account.as_str());
            let Some(row) = one.fetch_optional(pool).await.doing("reading a message")? else { return Ok(None) };
            let digest: Vec<u8> = row.cell(WHAT, "digest")?;
            let digest = digest.try_into().map_err(|_| StoreError::Unreadable { what: WHAT })?;
            Ok(Some((planned!(row)?, digest)))
        })
    }

    /// About `count` rows spread over the snapshot, each with the row below it,
    /// so that neighbours are among them; the same for the same seed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pairs(&self, campaign: i64, count: usize, seed: u64) -> Result<Vec<Planned>> {
        const SQLITE: &str = "
            select ord, account, stage, extra from message
            where campaign = $1 and ord in (select value from json_each($2)) and state <> 'suppressed' order by ord";
        const POSTGRES: &str = "
            select ord, account, stage, extra from message where campaign = $1
            and ord in (select v::bigint from jsonb_array_elements_text($2::jsonb) as v) and state <> 'suppressed' order by ord";
        const SIZE: &str = "select coalesce(max(ord), -1) + 1 as size from message where campaign = $1";
        let sql = self.sql(SQLITE, POSTGRES);
        with_pool!(self, |pool| {
            let size = sqlx::query(SIZE).bind(campaign).fetch_one(pool).await.doing("sampling the snapshot")?;
            let picked = json(&pick(size.cell(WHAT, "size")?, count, seed))?;
            let rows =
                sqlx::query(sql).bind(campaign).bind(picked).fetch_all(pool).await.doing("sampling the snapshot")?;
            rows.iter().map(|row| planned!(row)).collect()
        })
    }

    /// Records the verdicts of a check, and the entry that says so.
    ///
    /// # Errors
    /// A message has gone beyond `checked` by now, or the database fails.
    pub async fn record_checks(&self, campaign: i64, checks: Vec<Checked>, now_ms: i64) -> Result<()> {
        // `0 * v.key` leaves SQLite one way: each row of the JSON text finds its
        // message by key. With a bare `$1` it reads every message of the campaign
        // and the whole text for each (measured, 2,000 of 164,650: 157 s, not 0.04 s).
        // `is true` does the same for PostgreSQL, which plans by statistics: of a state
        // that few messages had when they were made, it would read every message in it
        // (measured, a claim of 64 of 50,000: 97 ms, not 1.7 ms).
        const SQLITE: &str = "
            update message set state = v.value->>1, digest = unhex(v.value->>2), findings = v.value->>3, changed_ms = $3
            from json_each($2) as v
            where campaign = $1 + 0 * v.key and account = v.value->>0 and state in ('planned', 'checked')";
        const POSTGRES: &str = "
            update message set state = v->>1, digest = decode(v->>2, 'hex'), findings = v->>3, changed_ms = $3
            from jsonb_array_elements($2::jsonb) as v
            where campaign = $1 and account = v->>0 and (state in ('planned', 'checked')) is true";
        if checks.is_empty() {
            return Ok(());
        }
        let doing = "recording a check";
        let rows = checks.iter().map(check_row).collect::<Result<Vec<_>>>()?;
        // The findings are long, and nobody needs them twice: their hash binds them.
        let tell = |row: &CheckRow<'_>| (row.0.clone(), row.1, row.2.clone(), row.3.as_deref().map(short_hex));
        let told = Messages { messages: rows.iter().map(tell).collect() };
        let (text, sql) = (json(&rows)?, self.sql(SQLITE, POSTGRES));
        in_transaction!(self, doing, |tx| {
            let update = sqlx::query(sql).bind(campaign).bind(&text).bind(now_ms);
            let changed = update.execute(&mut *tx).await.doing(doing)?.rows_affected();
            exactly(doing, changed, rows.len())?;
            ledger::append!(tx, Some(campaign), "check", &told, now_ms, doing);
        });
        Ok(())
    }

    /// Messages that a filter lets through, in the audience's order, after a place (−1: from the first).
    ///
    /// # Errors
    /// The database fails.
    pub async fn messages(&self, campaign: i64, filter: Filter, after: i64, limit: usize) -> Result<Vec<Row>> {
        const PAGE: &str = "
            select ord, account, stage, state, digest, attempt, not_before_ms, code, reply, changed_ms, claimed_ms
            from message
            where campaign = $1 and ord > $2 and (state = $3 or $3 = '') and (stage = $4 or $4 < 0)
            order by ord limit $5";
        let state = filter.state.map_or("", State::as_str);
        with_pool!(self, |pool| {
            let page = sqlx::query(PAGE).bind(campaign).bind(after).bind(state);
            let page = page.bind(filter.stage.map_or(-1, i64::from)).bind(limit as i64);
            let rows = page.fetch_all(pool).await.doing("listing messages")?;
            rows.iter().map(|row| listed!(row)).collect()
        })
    }

    /// The digest over every message's digest, in the audience's order: what an
    /// approval signs.
    ///
    /// # Errors
    /// The database fails.
    pub async fn digest_of_digests(&self, campaign: i64) -> Result<[u8; 32]> {
        const PAGE: &str = "
            select ord, account, digest from message
            where campaign = $1 and ord > $2 and digest is not null order by ord limit 10000";
        let mut hasher = blake3::Hasher::new();
        let mut after = -1_i64;
        loop {
            let rows: Vec<(i64, String, Vec<u8>)> = with_pool!(self, |pool| {
                let page =
                    sqlx::query(PAGE).bind(campaign).bind(after).fetch_all(pool).await.doing("reading digests")?;
                let read = |row| {
                    Ok((
                        Cell::cell(row, WHAT, "ord")?,
                        Cell::cell(row, WHAT, "account")?,
                        Cell::cell(row, WHAT, "digest")?,
                    ))
                };
                page.iter().map(read).collect::<Result<_>>()?
            });
            let Some(last) = rows.last() else { return Ok(hasher.finalize().into()) };
            after = last.0;
            for (_, account, digest) in rows {
                hasher.update(&(account.len() as u64).to_be_bytes()).update(account.as_bytes()).update(&digest);
            }
        }
    }
}

/// Places that are each other's neighbours two by two.
fn pick(size: i64, count: usize, seed: u64) -> Vec<i64> {
    if size <= count as i64 {
        return (0..size).collect();
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut picked = std::collections::BTreeSet::new();
    while picked.len() < count {
        let place = random.i64(0..size - 1);
        picked.extend([place, place + 1]);
    }
    picked.into_iter().collect()
}

type CheckRow<'a> = (&'a AccountId, &'static str, Option<String>, Option<String>);

fn check_row(check: &Checked) -> Result<CheckRow<'_>> {
    Ok(match &check.verdict {
        Verdict::Cleared(digest) => {
            (&check.account, "checked", Some(blake3::Hash::from_bytes(*digest).to_hex().to_string()), None)
        }
        Verdict::Held(findings) => (&check.account, "held", None, Some(json(findings)?)),
    })
}

/// The first 64 bits of a text's BLAKE3.
pub(in crate::store) fn short(text: &str) -> u64 {
    let mut head = [0; 8];
    head.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_be_bytes(head)
}

fn short_hex(text: &str) -> String {
    format!("{:016x}", short(text))
}

/// Every row that was asked for made the move, or none does.
pub(in crate::store) fn exactly(what: &'static str, changed: u64, asked: usize) -> Result<()> {
    if changed == asked as u64 { Ok(()) } else { Err(StoreError::IllegalMove { what, changed, asked: asked as u64 }) }
}
