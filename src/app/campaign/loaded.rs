//! A campaign bound to its renderer and to the guard: the one call that turns
//! a recipient into a cleared message, used by check and by send alike.

use std::time::Instant;

use secrecy::ExposeSecret;

use crate::account::{Kind, Recipient, Record};
use crate::app::App;
use crate::app::campaign::declare;
use crate::app::directory::index;
use crate::campaign::{Campaign, Definition};
use crate::config::{Config, Dkim};
use crate::error::{Error, Result};
use crate::guard::{Cleared, Finding, Guard, Held, Judge, Literal, Overlay, Rule, Terms};
use crate::mapping::Mapping;
use crate::render::{Letterhead, Mailbox, Renderer, ReturnPath, Signer, Template};
use crate::telemetry::Metrics;

/// The guard of the directory's current version.
///
/// # Errors
/// There is no directory, its index cannot be built, or the store fails.
pub async fn guard(app: &App) -> Result<Guard> {
    let version = app.version().await?;
    app.metrics.directory_version(version.number);
    let index = index::of(app, &version).await?;
    Guard::new(version.mapping, app.keys.clone(), index)
        .map_err(|why| Error::usage("the directory's mapping cannot be used").why(why))
}

/// A campaign's renderer and terms.
pub struct LoadedCampaign {
    renderer: Renderer,
    terms: Terms,
    overlay: Overlay,
}

impl LoadedCampaign {
    /// Binds a frozen campaign, with the identifiers that it declares, read from
    /// its snapshot.
    ///
    /// # Errors
    /// As [`LoadedCampaign::new`]; the snapshot is not complete, or the store fails.
    pub async fn load(app: &App, campaign: &Campaign) -> Result<Self> {
        let mut bound = Self::new(app, campaign)?;
        if !bound.overlay.columns().is_empty() {
            bound.overlay = declare::snapshot(app, campaign).await?;
        }
        Ok(bound)
    }

    /// Binds a campaign before it has a snapshot: whatever it declares is
    /// nobody's yet.
    ///
    /// # Errors
    /// The template, a header value or a declared column cannot be used.
    pub fn new(app: &App, campaign: &Campaign) -> Result<Self> {
        let template = Template::from_files(campaign.template.clone()).map_err(|e| {
            Error::usage("the template cannot be used").cause(&e).now("mend it and run `kakitome campaign new` again")
        })?;
        let letterhead = letterhead(app, campaign)?;
        let mut literal: Vec<Literal> =
            template.literals().into_iter().map(|l| Literal { html: l.html, text: l.text }).collect();
        literal.extend(letterhead.values().into_iter().map(|text| Literal { html: false, text }));
        let terms = Terms {
            campaign: Some(campaign.id),
            revision: letterhead.revision,
            literal,
            allow: campaign.definition.allow.clone(),
            must_show: campaign.definition.must_show.clone(),
            attachments: campaign.definition.attachments.iter().map(|file| file.digest.clone()).collect(),
        };
        let renderer = Renderer::new(template, letterhead)
            .map_err(|e| Error::usage("the campaign's header values cannot be used").cause(&e))?;
        Ok(Self { renderer, terms, overlay: Overlay::empty(declare::columns(&campaign.definition)?) })
    }

    /// The identifiers that the campaign declares, and whose they are.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The campaign's terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The campaign's renderer.
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// [`LoadedCampaign::message`], counted and timed.
    ///
    /// # Errors
    /// As there.
    pub fn counted(
        &self,
        metrics: &Metrics,
        judge: &Judge<'_>,
        recipient: Recipient,
        date_ms: i64,
    ) -> Result<Cleared, Held> {
        let started = Instant::now();
        let judged = self.message(judge, recipient, date_ms);
        let broken = judged.as_ref().err().map(|held| held.findings.iter().map(|finding| finding.rule));
        metrics.judged(broken.into_iter().flatten(), started.elapsed());
        judged
    }

    /// Renders one recipient's message and judges it.
    ///
    /// # Errors
    /// [`Held`]: the guard's findings, or that the template failed for this
    /// record, which holds the message like anything that cannot finish.
    pub fn message(&self, judge: &Judge<'_>, recipient: Recipient, date_ms: i64) -> Result<Cleared, Held> {
        // The guard's side of the record is a copy of its own: what rendering
        // does with the recipient cannot reach it.
        let record: Record = recipient.record.clone();
        match self.renderer.render(recipient, date_ms) {
            Ok(rendered) => judge.clear(rendered, Some(&record)),
            Err(error) => Err(Held {
                account: record.account,
                findings: vec![Finding {
                    rule: Rule::Unreadable,
                    kind: None,
                    place: "template".into(),
                    shown: error.to_string(),
                    owner: None,
                }],
            }),
        }
    }
}

fn list_id(campaign: &Campaign, from: &Mailbox) -> String {
    let list_id = campaign.definition.list_id.clone();
    list_id.unwrap_or_else(|| format!("kakitome.{}", from.address().domain()))
}

fn letterhead(app: &App, campaign: &Campaign) -> Result<Letterhead> {
    let definition = &campaign.definition;
    let (from, bounce) = senders(definition)?;
    let reply_to = definition.reply_to.as_deref().map(|text| mailbox("reply_to", text)).transpose()?;
    Ok(Letterhead {
        campaign: campaign.id,
        revision: campaign.revision,
        list_id: list_id(campaign, &from),
        from,
        reply_to,
        bounce,
        links_base: campaign.links_base.clone(),
        signers: signers(&app.config)?,
        keys: app.keys.clone(),
    })
}

/// Who stands in From, and whom the envelope names.
pub(in crate::app) fn senders(definition: &Definition) -> Result<(Mailbox, ReturnPath)> {
    let from = mailbox("from", &definition.from)?;
    let bounce = match &definition.bounce {
        Some(text) => ReturnPath::parse(text)
            .map_err(|e| Error::usage(format!("the campaign's bounce address {text:?} cannot be used")).why(e))?,
        None => from.address().clone().into(),
    };
    Ok((from, bounce))
}

/// Reads the keys of every `[[dkim]]` table.
pub(in crate::app) fn signers(config: &Config) -> Result<Vec<Signer>> {
    config.dkim.iter().map(|dkim| signer(config, dkim)).collect()
}

/// Reads the key of one.
pub(in crate::app) fn signer(config: &Config, dkim: &Dkim) -> Result<Signer> {
    let key = config.dkim_key(dkim)?;
    Signer::new(&dkim.domain, &dkim.selector, key.expose_secret()).map_err(|e| {
        let file = config.path(&dkim.key);
        Error::usage(format!("cannot sign for {} with {}", dkim.domain, file.display()))
            .why(e)
            .now("mend the [[dkim]] table or its key file")
    })
}

fn mailbox(what: &str, text: &str) -> Result<Mailbox> {
    Mailbox::parse(text).map_err(|e| Error::usage(format!("the campaign's {what} {text:?} cannot be used")).cause(&e))
}

/// Whether an address of the campaign's sender can be used, where there is one.
///
/// # Errors
/// Why not.
pub(in crate::app) fn sender(definition: &Definition, key: &str) -> Result<(), String> {
    let why = |e: Error| e.reason().unwrap_or_else(|| e.what()).to_owned();
    match (key, &definition.bounce, &definition.reply_to) {
        ("from", ..) => mailbox(key, &definition.from).map(drop).map_err(why),
        ("bounce", Some(bounce), _) => ReturnPath::parse(bounce).map(drop).map_err(|e| e.to_string()),
        ("reply_to", _, Some(reply_to)) => mailbox(key, reply_to).map(drop).map_err(why),
        _ => Ok(()),
    }
}

/// The columns that templates may name: all but the secret ones.
pub fn template_columns(mapping: &Mapping) -> Vec<&str> {
    let secret: Vec<&str> = mapping.of_kind(Kind::Secret).collect();
    mapping.columns.keys().map(String::as_str).filter(|name| !secret.contains(name)).collect()
}

/// What is found when the directory has no such account: nothing may be sent
/// for it.
pub fn no_account() -> Finding {
    Finding {
        rule: Rule::Envelope,
        kind: None,
        place: "directory".into(),
        shown: "the directory has no such account".into(),
        owner: None,
    }
}
