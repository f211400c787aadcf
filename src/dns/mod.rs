//! Questions to the DNS, each with a time within which it is answered or not.
//!
//! That there is no such record is an answer: an empty list. [`Unanswered`] is
//! everything else, from a timeout to SERVFAIL, and says nothing about what
//! there is. Names are asked as they stand: no search list, no hosts file.

mod resolver;

use std::net::IpAddr;
use std::time::Duration;

use mail_auth::hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::lookup::Lookup;
use mail_auth::hickory_resolver::net::{DnsError, NetError};
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{MessageAuthenticator, SpfResult};

pub use resolver::Resolver;

/// Times that a question is put before it is given up.
const TRIES: u32 = 2;

/// Asks one resolver; cheap to clone.
#[derive(Clone)]
pub struct Dns {
    resolver: MessageAuthenticator,
    /// Who is asked.
    whom: Resolver,
    /// How long an answer is waited for.
    wait: Duration,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

impl Dns {
    /// A resolver of which each answer is waited for so long.
    ///
    /// # Errors
    /// The system's configuration cannot be read.
    pub fn new(resolver: Resolver, wait: Duration) -> Result<Self, Unanswered> {
        let failed = |e: NetError| Unanswered(e.to_string());
        let (servers, mut options) = match resolver {
            Resolver::System => read_system_conf().map_err(failed)?,
            Resolver::At(at) => {
                let mut server = NameServerConfig::udp_and_tcp(at.ip());
                server.connections.iter_mut().for_each(|connection| connection.port = at.port());
                (ResolverConfig::from_name_servers(vec![server]), ResolverOpts::default())
            }
        };
        options.timeout = wait / TRIES;
        options.attempts = TRIES as usize;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self { resolver: MessageAuthenticator::new(servers, options).map_err(failed)?, whom: resolver, wait })
    }

    /// The TXT records of a name, each in one piece.
    ///
    /// # Errors
    /// No answer.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, Unanswered> {
        let found = self.asked(self.resolver.resolver().txt_lookup(full(name)?)).await?;
        let text = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(data(&found).filter_map(text).collect())
    }

    /// The addresses of a host, IPv4 and IPv6.
    ///
    /// # Errors
    /// No answer to either question.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unanswered> {
        let (resolver, name) = (self.resolver.resolver(), full(host)?);
        let both = tokio::join!(
            self.asked(resolver.ipv4_lookup(name.clone())),
            self.asked(resolver.ipv6_lookup(name.clone()))
        );
        let address = |data: &RData| match data {
            RData::A(a) => Some(IpAddr::V4(a.0)),
            RData::AAAA(a) => Some(IpAddr::V6(a.0)),
            _ => None,
        };
        let (v4, v6) = (both.0?, both.1?);
        Ok(data(&v4).chain(data(&v6)).filter_map(address).collect())
    }

    /// The names that an address has (PTR), without the dot at their end.
    ///
    /// # Errors
    /// No answer.
    pub async fn names(&self, address: IpAddr) -> Result<Vec<String>, Unanswered> {
        let found = self.asked(self.resolver.resolver().reverse_lookup(Name::from(address))).await?;
        let name = |data: &RData| match data {
            RData::PTR(name) => Some(host(name)),
            _ => None,
        };
        Ok(data(&found).filter_map(name).collect())
    }

    /// The mail server that a domain's mail goes to first (RFC 5321 §5.1), without the dot at
    /// its end: of several of one preference always the same. `None` where it names none.
    ///
    /// # Errors
    /// No answer.
    pub async fn exchange(&self, domain: &str) -> Result<Option<String>, Unanswered> {
        let found = self.asked(self.resolver.resolver().mx_lookup(full(domain)?)).await?;
        let server = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, host(&mx.exchange))),
            _ => None,
        };
        // RFC 7505: a domain that takes no mail names the root.
        Ok(data(&found).filter_map(server).min().map(|(_, host)| host).filter(|host| !host.is_empty()))
    }

    /// What SPF (RFC 7208) says of mail from an address under a name of EHLO and
    /// an envelope sender: `pass`, `fail`, `softfail`, ….
    pub async fn spf(&self, address: IpAddr, hello: &str, sender: &str) -> &'static str {
        let asked = SpfParameters::verify_mail_from(address, hello, hello, sender);
        match self.resolver.verify_spf(asked).await.result() {
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::SoftFail => "softfail",
            SpfResult::Neutral => "neutral",
            SpfResult::TempError => "temperror",
            SpfResult::PermError => "permerror",
            SpfResult::None => "none",
        }
    }

    async fn asked(
        &self,
        question: impl Future<Output = Result<Lookup, NetError>>,
    ) -> Result<Option<Lookup>, Unanswered> {
        let late = || Unanswered(format!("no answer from {} within {} s", self.whom, self.wait.as_secs_f32()));
        match tokio::time::timeout(self.wait, question).await {
            Ok(Ok(found)) => Ok(Some(found)),
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(_)))) => Ok(None),
            Ok(Err(NetError::Dns(DnsError::ResponseCode(code)))) => {
                Err(Unanswered(format!("the answer of {} is {code}", self.whom)))
            }
            Ok(Err(NetError::Timeout)) | Err(_) => Err(late()),
            Ok(Err(other)) => Err(Unanswered(format!("{}: {other}", self.whom))),
        }
    }
}

/// The domain that a host's owner registered, by the public suffix list: `provider.co.jp` of
/// `mx1.mail.provider.co.jp`.
pub fn site(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

/// Whether a domain is one under which anybody may register domains, by the public suffix list:
/// `co.jp`. A company's own, under which its customers have theirs, is none.
pub fn is_public_suffix(domain: &str) -> bool {
    let icann = |suffix: &psl::Suffix<'_>| suffix.typ() == Some(psl::Type::Icann);
    psl::suffix(domain.as_bytes()).filter(icann).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

fn data(found: &Option<Lookup>) -> impl Iterator<Item = &RData> {
    found.iter().flat_map(|found| found.answers()).map(|record| &record.data)
}

/// A name with the dot at its end, so that nothing is searched for behind it.
fn full(name: &str) -> Result<Name, Unanswered> {
    let mut name = Name::from_ascii(name).map_err(|e| Unanswered(format!("{name:?} is no name: {e}")))?;
    name.set_fqdn(true);
    Ok(name)
}

fn host(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}
