//! `doctor`: what the configuration and one campaign file say about the sender,
//! examined before anything is mailed. It opens no store and changes nothing.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::app::campaign::{definition, loaded};
use crate::cli;
use crate::clock::Clock;
use crate::config::Config;
use crate::dns::Dns;
use crate::dns::Resolver;
use crate::doctor::{self, Level, Line, Subject};
use crate::error::{Error, Exit, Result};
use crate::send::Relay;
use crate::store::Store;

/// The campaign file that is looked for beside the configuration.
const FILE: &str = "campaign.toml";

/// What was found.
#[derive(Debug, Serialize)]
pub struct Examined {
    /// A line for each thing that was asked.
    pub lines: Vec<Line>,
    /// Those that are well.
    pub ok: usize,
    /// Those that could not be asked.
    pub skip: usize,
    /// Those that are weak.
    pub warn: usize,
    /// Those to be mended.
    pub fail: usize,
}

impl Examined {
    fn new(lines: Vec<Line>) -> Self {
        let count = |level| lines.iter().filter(|line| line.level == level).count();
        Self {
            ok: count(Level::Ok),
            skip: count(Level::Skip),
            warn: count(Level::Warn),
            fail: count(Level::Fail),
            lines,
        }
    }

    /// Done, or a configuration that cannot be used as it is.
    pub fn exit(&self) -> Exit {
        if self.fail > 0 { Exit::Usage } else { Exit::Done }
    }
}

/// Examines the sender of a campaign file.
///
/// # Errors
/// The file or a mail server's URL cannot be used; what is wrong outside
/// of them is found, not an error.
pub async fn doctor(config: &Config, args: &cli::Doctor) -> Result<Examined> {
    let beside = config.path(Path::new(FILE));
    let definition = definition::read_definition(args.file.as_deref().unwrap_or(&beside))?;
    let (from, return_path) = loaded::senders(&definition)?;
    let wait = Duration::from_secs(args.timeout);
    let resolver = args.resolver.or(config.resolver).unwrap_or(Resolver::System);
    let dns = Dns::new(resolver, wait).map_err(|why| {
        Error::usage(format!("{resolver} cannot be used")).why(why).now("name another with --resolver ADDRESS")
    })?;
    let relays =
        config.smtp.each().iter().map(|(smtp, _)| Relay::new(smtp)).collect::<Result<_, _>>().map_err(|e| {
            Error::usage("a mail server's url cannot be used").why(e).now("mend [smtp] in kakitome.toml")
        })?;
    let (mut signers, mut no_signers) = (Vec::new(), Vec::new());
    for dkim in &config.dkim {
        match loaded::signer(config, dkim) {
            Ok(signer) => signers.push(signer),
            Err(e) => {
                let why = format!("{}: {}", e.what(), e.reason().unwrap_or_default());
                let now = e.advice().unwrap_or_default().to_owned();
                no_signers.push(doctor::no_signer(format!("key of {}", dkim.domain), why, now));
            }
        }
    }
    let subject = Subject {
        from: from.address().clone(),
        return_path: return_path.sample().clone(),
        signers,
        no_signers,
        outgoing: config.smtp.outgoing.clone(),
        hello: config.smtp.hello.clone(),
        relays,
    };
    let (clock, store) = (Clock::system(), config.store_url());
    let (mut lines, time) = tokio::join!(doctor::examine(subject, &dns, wait, clock.now_ms()), time(&store, &clock));
    lines.push(time);
    Ok(Examined::new(lines))
}

/// This machine's clock beside the store's.
async fn time(store: &str, clock: &Clock) -> Line {
    let before_ms = clock.now_ms();
    match Store::server_now_ms(store).await {
        Ok(None) => doctor::alone(before_ms),
        Ok(Some((server_ms, begun, took))) => {
            // It was read somewhere within the time that the question took.
            let since = begun.elapsed().saturating_sub(took / 2).as_millis();
            let read_ms = clock.now_ms() - i64::try_from(since).unwrap_or_default();
            let within_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX) / 2 + 1;
            doctor::beside(Ok((read_ms - server_ms, within_ms)))
        }
        Err(error) => doctor::beside(Err(Error::from(error).to_string().replace('\n', " "))),
    }
}
