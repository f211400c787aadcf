//! `campaign new`: template + audience + ladder + sender → one frozen revision.
//!
//! Two passes over the audience file: the first checks every row against the
//! directory and keeps candidates for the canary; the second writes the
//! snapshot with each account's stage. Both must see the same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::account::{AccountId, Recipient};
use crate::app::App;
use crate::app::campaign::declare::Extras;
use crate::app::campaign::definition::{
    links_base, lint, lint_literal, load_template, read_definition, template_digest,
};
use crate::app::campaign::loaded::{self, LoadedCampaign};
use crate::app::campaign::mistakes::Mistakes;
use crate::app::campaign::sample::Sample;
use crate::app::campaign::{check, declare};
use crate::audience::{self, Row};
use crate::campaign::{self, Campaign, State};
use crate::error::{Error, Result};
use crate::guard::{Finding, Rule};
use crate::mapping::Mapping;
use crate::render::{Template, cover};
use crate::report::counted;
use crate::store::{Checked, Planned, StoreError, Turn, Verdict};
use crate::telemetry::event;
use crate::{progress, stage};

/// Rows joined with the directory together.
const PAGE: usize = 2_000;
/// Held rows that are named.
const FIRST: usize = 10;
/// How often a number that somebody else took is replaced by the next.
const TRIES: u32 = 20;

/// What was frozen.
#[derive(Debug, Serialize)]
pub struct Frozen {
    /// The campaign's number.
    pub campaign: i64,
    /// The revision of its name.
    pub revision: i64,
    /// Accounts in the snapshot.
    pub planned: u64,
    /// Of these, accounts that get no mail.
    pub suppressed: u64,
    /// Of these, rows that disagree with the directory, or name another account.
    pub held: u64,
    /// The first of them.
    pub first: Vec<HeldRow>,
    /// BLAKE3 of template and definition.
    pub template_digest: String,
    /// BLAKE3 of the snapshot.
    pub audience_digest: String,
    /// Each stage and its count, in order.
    pub stages: Vec<(String, u64)>,
    /// What lies in the template's folder and is not sent.
    pub not_sent: Vec<String>,
}

/// A row that is held before there is a message.
#[derive(Debug, Serialize)]
pub struct HeldRow {
    /// Its account.
    pub account: AccountId,
    /// Where it is wrong.
    pub finding: Finding,
}

/// Freezes the campaign file into a revision.
///
/// # Errors
/// The file, the template, the audience or the ladder cannot be used; an
/// identifier of an account stands in the literal text without a reason.
pub async fn freeze(app: &App, file: &Path, author: &str) -> Result<Frozen> {
    let author = campaign::person(author)
        .map_err(|why| Error::usage("a campaign needs an author").why(why).now("say who freezes it with --by NAME"))?;
    let definition = read_definition(file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let version = app.version().await?;
    let ladder = stage::ladder(&definition.stages).map_err(|e| Error::usage("the ladder cannot be used").cause(&e))?;
    let template = load_template(&folder.join(&definition.template))?;
    let audience = folder.join(&definition.audience);
    let rows = read_audience(&audience, &version.mapping)?;
    declare::lint(&definition, &version.mapping, rows.extra_columns())?;
    lint(&template, &version.mapping, rows.extra_columns())?;

    let mut draft = Campaign {
        id: app.store.next_campaign().await?,
        revision: next_revision(app, &definition.name).await?,
        template: template.files().clone(),
        links_base: links_base(app)?,
        directory_version: version.number,
        template_digest: template_digest(&template, &definition),
        audience_digest: String::new(),
        accounts: 0,
        author: author.to_owned(),
        created_ms: app.clock.now_ms(),
        definition,
    };
    draft.definition.stages = ladder;
    let mut extras = check_terms(app, &draft).await?;

    let joined = join(app, &draft, version.number, &version.mapping, rows, &mut extras).await?;
    extras.finish(app, &audience, &draft.definition, &version.mapping)?;
    draft.accounts = joined.accounts.len() as u64;
    draft.audience_digest = joined.digest.to_hex().to_string();
    let stages = plan(app, &draft, &joined)?;
    let not_sent = Template::beside(&folder.join(&draft.definition.template));
    let draft = write(app, draft, &joined, &stages, &audience, &version.mapping).await?;
    finish(app, draft, joined, &stages, not_sent).await
}

/// A name's next revision. One that has begun to be sent has no next: nobody
/// gets the same newsletter twice because a file was frozen twice.
async fn next_revision(app: &App, name: &str) -> Result<i64> {
    let Some(last) = app.store.find_campaign(name).await? else { return Ok(1) };
    let counts = app.store.counts(last.id, None).await?;
    if counts.attempted() + counts.claimed > 0 {
        return Err(Error::gate(format!(
            "{name:?} has already been sent to {}",
            counted(counts.attempted() + counts.claimed, "account")
        ))
        .why(format!("campaign {} has this name", last.id))
        .now(format!(
            "give the new campaign another name, and leave those accounts out of its audience; once campaign {0} is halted or finished, `kakitome campaign rest {0} --out FILE.csv` writes whom it did not reach",
            last.id
        )));
    }
    Ok(last.revision + 1)
}

/// What the guard will take as explained must not itself name an account.
async fn check_terms(app: &App, draft: &Campaign) -> Result<Extras> {
    let guard = Arc::new(loaded::guard(app).await?);
    let bound = Arc::new(LoadedCampaign::new(app, draft)?);
    check::judge_of(&guard, &bound)?;
    lint_literal(&guard, &bound, bound.overlay())?;
    Extras::new(&draft.definition, guard, bound)
}

pub(in crate::app) fn read_audience(file: &Path, mapping: &Mapping) -> Result<audience::Reader> {
    audience::Reader::open(file, mapping).map_err(|e| {
        Error::usage(format!("cannot use the audience {}", file.display()))
            .cause(&e)
            .now(format!("it is a CSV file with the column {} and a line for each account", mapping.account))
    })
}

/// The audience after the first pass.
struct Joined {
    accounts: Vec<AccountId>,
    candidates: Vec<(usize, Recipient)>,
    disagree: Vec<(AccountId, Vec<Finding>)>,
    suppressed: Vec<AccountId>,
    digest: blake3::Hash,
}

/// Reads every row, joins it with the directory, and keeps what the plan needs.
async fn join(
    app: &App,
    draft: &Campaign,
    version: i64,
    mapping: &Mapping,
    mut rows: audience::Reader,
    extras: &mut Extras,
) -> Result<Joined> {
    let bar = progress::spinner("reading the audience");
    let mut hasher = blake3::Hasher::new();
    let mut sample = Sample::new(draft.definition.seed);
    let mut joined = Joined {
        accounts: Vec::new(),
        candidates: Vec::new(),
        disagree: Vec::new(),
        suppressed: Vec::new(),
        digest: hasher.finalize(),
    };
    let mut mistakes = Mistakes::default();
    while let Some(page) = next_rows(&mut rows, &mut mistakes) {
        let keys: Vec<AccountId> = page.iter().map(|row| row.account.clone()).collect();
        let mut records = app.store.records(version, &keys).await?;
        let addresses: Vec<_> = records.values().map(|record| record.address.clone()).collect();
        let suppressed = app.store.suppressed(&addresses).await?;
        let mut pairs = Vec::with_capacity(page.len());
        for row in page {
            match records.remove(&row.account) {
                Some(record) => pairs.push((row, record)),
                None => mistakes.add_missing(row.line, &row.account, &mapping.account),
            }
        }
        for (row, record, foreign) in extras.take(app, pairs, &mut mistakes).await? {
            digest_row(&mut hasher, &row);
            if suppressed.contains(&record.address.folded()) {
                joined.suppressed.push(row.account.clone());
            } else if let Err(wrong) = audience::agrees(&row, &record, mapping) {
                joined.disagree.push((row.account.clone(), vec![disagreement(row.line, &wrong.column)]));
            } else if !foreign.is_empty() {
                joined.disagree.push((row.account.clone(), foreign));
            }
            sample.offer(joined.accounts.len(), &record, &row);
            joined.accounts.push(row.account);
        }
        bar.set_length(joined.accounts.len() as u64);
    }
    bar.finish_and_clear();
    mistakes.told()?;
    if joined.accounts.is_empty() {
        return Err(Error::usage("the audience is empty").now("a campaign to nobody is not frozen"));
    }
    joined.digest = hasher.finalize();
    joined.candidates = sample.take();
    Ok(joined)
}

/// The next page of rows, without those that cannot be taken; `None` at the end.
fn next_rows(rows: &mut audience::Reader, mistakes: &mut Mistakes) -> Option<Vec<Row>> {
    let mut is_over = true;
    let mut page = Vec::new();
    for row in rows.take(PAGE) {
        is_over = false;
        match row {
            Ok(row) => page.push(row),
            Err(bad) => mistakes.add(bad),
        }
    }
    (!is_over).then_some(page)
}

fn digest_row(hasher: &mut blake3::Hasher, row: &Row) {
    let extra = row.extra.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for piece in std::iter::once(row.account.as_str()).chain(extra) {
        hasher.update(&(piece.len() as u64).to_be_bytes());
        hasher.update(piece.as_bytes());
    }
    hasher.update(b"\n");
}

fn disagreement(line: u64, column: &str) -> Finding {
    Finding {
        rule: Rule::Envelope,
        kind: None,
        place: format!("audience line {line}, column {column}"),
        shown: "the row disagrees with the directory".into(),
        owner: None,
    }
}

/// Each account's stage, by its place in the audience.
fn plan(app: &App, draft: &Campaign, joined: &Joined) -> Result<Vec<u16>> {
    let bound = LoadedCampaign::new(app, draft)?;
    let canaries: usize = draft.definition.stages.iter().filter_map(|stage| stage.count).sum();
    let recipients: Vec<Recipient> = joined.candidates.iter().map(|(_, recipient)| recipient.clone()).collect();
    let chosen: Vec<usize> = cover::choose(bound.renderer().template(), &recipients, canaries, draft.definition.seed)
        .into_iter()
        .map(|choice| joined.candidates[choice.index].0)
        .collect();
    stage::assign(&draft.definition.stages, &joined.accounts, &chosen, draft.definition.seed).map_err(|why| {
        Error::usage("the ladder does not fit the audience").why(why).now("mend the stages of the campaign file")
    })
}

/// The second pass: writes the snapshot, all or nothing; the campaign as it was written.
async fn write(
    app: &App,
    mut draft: Campaign,
    joined: &Joined,
    stages: &[u16],
    audience: &Path,
    mapping: &Mapping,
) -> Result<Campaign> {
    let mut tries = 0;
    let digest = loop {
        let rows = read_audience(audience, mapping)?;
        match create(app, &draft, rows, stages).await {
            // Somebody else froze a campaign at the same moment: this is the next one.
            Err(StoreError::Taken { .. }) if tries < TRIES => {
                tries += 1;
                draft.id = app.store.next_campaign().await?;
                draft.revision = next_revision(app, &draft.definition.name).await?;
            }
            created => break created?,
        }
    };
    if digest != Some(joined.digest) {
        let why = "the audience changed while it was read";
        let turn = Turn { by: None, why: Some(why.into()) };
        app.store.turn(draft.id, &[State::Frozen], State::Halted, turn, app.clock.now_ms()).await?;
        return Err(Error::usage(why).now("freeze it again once nobody writes to it"));
    }
    Ok(draft)
}

/// Writes the snapshot once; the digest of what was read, `None` where a line
/// could not be.
async fn create(
    app: &App,
    draft: &Campaign,
    rows: audience::Reader,
    stages: &[u16],
) -> std::result::Result<Option<blake3::Hash>, StoreError> {
    let mut hasher = blake3::Hasher::new();
    let mut failed = false;
    let snapshot = rows.zip(stages).enumerate().map_while(|(ord, (row, stage))| match row {
        Ok(row) => {
            digest_row(&mut hasher, &row);
            Some(Planned { ord: ord as i64, account: row.account, stage: *stage, extra: row.extra })
        }
        Err(_) => {
            failed = true;
            None
        }
    });
    app.store.create_campaign(draft, snapshot, app.clock.now_ms()).await?;
    Ok((!failed).then(|| hasher.finalize()))
}

/// Holds and suppresses what needs no check for that, and tells what was frozen.
async fn finish(app: &App, draft: Campaign, joined: Joined, stages: &[u16], not_sent: Vec<String>) -> Result<Frozen> {
    let (id, now_ms) = (draft.id, app.clock.now_ms());
    let held: Vec<Checked> = joined
        .disagree
        .into_iter()
        .map(|(account, findings)| Checked { account, verdict: Verdict::Held(findings) })
        .collect();
    let first = held.iter().take(FIRST).filter_map(|checked| match &checked.verdict {
        Verdict::Held(findings) => {
            Some(HeldRow { account: checked.account.clone(), finding: findings.first()?.clone() })
        }
        _ => None,
    });
    let frozen = Frozen {
        campaign: id,
        revision: draft.revision,
        planned: draft.accounts,
        suppressed: joined.suppressed.len() as u64,
        held: held.len() as u64,
        first: first.collect(),
        template_digest: draft.template_digest,
        audience_digest: draft.audience_digest,
        stages: count_stages(&draft.definition.stages, stages),
        not_sent,
    };
    app.store.record_checks(id, held, now_ms).await?;
    app.store.suppress_messages(id, &joined.suppressed, now_ms).await?;
    event::campaign_frozen(id, frozen.revision, frozen.planned);
    Ok(frozen)
}

fn count_stages(ladder: &[crate::campaign::Stage], stages: &[u16]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<u16, u64> = BTreeMap::new();
    for stage in stages {
        *counts.entry(*stage).or_default() += 1;
    }
    ladder
        .iter()
        .enumerate()
        .map(|(n, stage)| (stage.name.clone(), counts.get(&(n as u16)).copied().unwrap_or(0)))
        .collect()
}
