//! What concerns the mail itself: `[smtp]`, `[[receiver]]`, `[links]` and `[[dkim]]`.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::address::Address;
use crate::dns;

use super::secret::resolve;
use crate::schedule::{SendingWindow, WarmUp};
use crate::units::{Rate, Span};

/// `[smtp]`: the relay, and how fast it is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtp://127.0.0.1:2525`, `smtps://user:pass@host`,
    /// `smtp://host?tls=required` (STARTTLS).
    pub url: SecretString,
    /// Connections held open at once.
    pub connections: usize,
    /// Messages handed over, in all.
    pub rate: Rate,
    /// Messages handed over for one recipient domain.
    pub rate_per_domain: Rate,
    /// The name given in EHLO.
    pub hello: String,
    /// The first wait after a deferral; each further one doubles, with jitter.
    pub retry_first: Span,
    /// The longest wait between two attempts.
    pub retry_max: Span,
    /// How long after its first attempt a deferred message is tried again; then it
    /// has expired.
    pub lifetime: Span,
    /// How long messages under way may take to end once sending is told to stop.
    pub drain: Span,
    /// The hours in which messages are handed over; none: at all times.
    #[serde(deserialize_with = "crate::schedule::windows")]
    pub windows: Vec<SendingWindow>,
    /// How many messages a day while this sender is new to its receivers.
    pub warm_up: Option<WarmUp>,
    /// How the user that `url` names is proven.
    pub auth: Auth,
    /// For [`Auth::Xoauth2`]: `file:PATH` of an access token. Tokens expire, so the
    /// file is read again for each connection.
    pub token: Option<SecretString>,
    /// The addresses from which mail leaves for its receivers: those of the mail
    /// servers. Only `doctor` asks for them.
    pub outgoing: Vec<IpAddr>,
    /// `[[smtp.relay]]`: several mail servers in place of `url`.
    pub relay: Vec<Relay>,
}

/// `[[smtp.relay]]`: one of several mail servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// As `smtp.url`.
    pub url: SecretString,
    /// Its share of the messages, beside the others' weights.
    #[serde(default = "one")]
    pub weight: u32,
    /// Connections held open to it; `smtp.connections` where it says nothing.
    pub connections: Option<usize>,
    /// As `smtp.auth`.
    #[serde(default)]
    pub auth: Auth,
    /// As `smtp.token`.
    pub token: Option<SecretString>,
}

fn one() -> u32 {
    1
}

/// `smtp.auth`: how a user is proven to the relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// By the password in `url`: AUTH PLAIN, or LOGIN where that is all there is.
    #[default]
    Password,
    /// By an OAuth 2.0 access token.
    Xoauth2,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            url: SecretString::from("smtp://127.0.0.1:25"),
            connections: 8,
            rate: Rate::per_second(100),
            rate_per_domain: Rate::per_second(50),
            hello: "localhost.localdomain".into(),
            retry_first: Span(Duration::from_secs(60)),
            retry_max: Span(Duration::from_secs(4 * 3600)),
            lifetime: Span(Duration::from_secs(3 * 24 * 3600)),
            // Service managers kill after 90 s.
            drain: Span(Duration::from_secs(60)),
            windows: Vec::new(),
            warm_up: None,
            auth: Auth::Password,
            token: None,
            outgoing: Vec::new(),
            relay: Vec::new(),
        }
    }
}

impl Smtp {
    /// The file of the access token, if there is one.
    pub fn token_file(&self) -> Option<&Path> {
        self.token.as_ref()?.expose_secret().strip_prefix("file:").map(Path::new)
    }

    /// Each mail server by itself, with its weight.
    pub fn each(&self) -> Vec<(Smtp, u32)> {
        if self.relay.is_empty() {
            return vec![(self.clone(), 1)];
        }
        let alone = |relay: &Relay| {
            let Relay { url, weight, connections, auth, token } = relay.clone();
            let connections = connections.unwrap_or(self.connections);
            (Smtp { url, connections, auth, token, relay: Vec::new(), ..self.clone() }, weight)
        };
        self.relay.iter().map(alone).collect()
    }

    /// Follows references to secrets, and takes tokens' paths from the folder.
    pub(super) fn place(&mut self, folder: &Path) -> Result<(), String> {
        self.url = resolve("smtp.url", &self.url, folder)?;
        place(&mut self.token, folder);
        for (n, relay) in self.relay.iter_mut().enumerate() {
            relay.url = resolve(&format!("smtp.relay[{}].url", n + 1), &relay.url, folder)?;
            place(&mut relay.token, folder);
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if !self.relay.is_empty() {
            let Self { url, auth, token, .. } = Self::default();
            if self.url.expose_secret() != url.expose_secret()
                || self.auth != auth
                || self.token.is_some() != token.is_some()
            {
                return Err("smtp.url, auth and token go into the tables [[smtp.relay]], where there are some".into());
            }
            if let Some(n) = self.relay.iter().position(|relay| !(1..=1000).contains(&relay.weight)) {
                return Err(format!("smtp.relay[{}].weight is between 1 and 1000", n + 1));
            }
            let same = |n: usize| self.relay[..n].iter().any(|other| url_of(other) == url_of(&self.relay[n]));
            if let Some(n) = (1..self.relay.len()).find(|n| same(*n)) {
                return Err(format!(
                    "smtp.relay[{}].url: an earlier table has it; give that one the weight of both",
                    n + 1
                ));
            }
            if let Some(n) = self.relay.iter().position(|relay| relay.connections == Some(0)) {
                return Err(format!("smtp.relay[{}].connections is between 1 and 1000, over all relays", n + 1));
            }
        }
        let each = self.each();
        each.iter().enumerate().try_for_each(|(n, (smtp, _))| smtp.check_login(&self.table_of(n)))?;
        let all: usize = each.iter().map(|(smtp, _)| smtp.connections).fold(0, usize::saturating_add);
        if !(1..=1000).contains(&all) {
            return Err("smtp.connections is between 1 and 1000, over all relays".into());
        }
        if self.lifetime.0.is_zero() {
            return Err(
                "smtp.lifetime is longer than nothing, as in \"3d\": how long a deferred message is tried again".into(),
            );
        }
        if self.retry_first.0.is_zero() {
            return Err("smtp.retry_first is longer than nothing, as in \"1m\"".into());
        }
        if self.retry_max < self.retry_first {
            return Err("smtp.retry_max is no shorter than smtp.retry_first".into());
        }
        // It is written into the conversation as it stands (RFC 5321 §4.1.1.1).
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        if self.hello.is_empty() || self.hello.len() > 255 || !self.hello.chars().all(is_name) {
            return Err("smtp.hello is this machine's host name: ASCII letters, digits, dots and hyphens, as in \"mail.registrar.example\"".into());
        }
        // As sending reads it: nothing is found only after everybody was checked.
        each.iter().enumerate().try_for_each(|(n, (smtp, _))| {
            smtp.relay_url().map(drop).map_err(|why| format!("{}.url: {why}", self.table_of(n)))
        })
    }

    /// Where mail server `n` stands in the file.
    fn table_of(&self, n: usize) -> String {
        if self.relay.is_empty() { "smtp".into() } else { format!("smtp.relay[{}]", n + 1) }
    }

    fn check_login(&self, table: &str) -> Result<(), String> {
        if self.token.is_some() != (self.auth == Auth::Xoauth2) {
            return Err(format!("{table}.token goes with auth = \"xoauth2\", and neither without the other"));
        }
        if self.token.is_some() && self.token_file().is_none() {
            return Err(format!(
                "{table}.token is \"file:PATH\": tokens expire, and the file is read for each connection"
            ));
        }
        Ok(())
    }
}

fn url_of(relay: &Relay) -> &str {
    relay.url.expose_secret().trim_end_matches('/')
}

fn place(token: &mut Option<SecretString>, folder: &Path) {
    if let Some(file) = token.as_ref().and_then(|token| token.expose_secret().strip_prefix("file:")) {
        *token = Some(format!("file:{}", folder.join(file).display()).into());
    }
}

/// `[[receiver]]`: the domains that one provider takes the mail of, counted
/// together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// What it is called; without a dot, so that no domain is called the same.
    pub name: String,
    /// Its domains.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Its mail servers, or domains above them: whatever domain names one of them as its
    /// first MX is the receiver's too. Needs a resolver.
    #[serde(default)]
    pub mx: Vec<String>,
    /// Messages handed over for all of them; by default `smtp.rate_per_domain`.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// Messages under way to them at once; by default as many as there are
    /// connections.
    #[serde(default)]
    pub connections: Option<NonZeroUsize>,
}

impl Receiver {
    /// Domains as addresses have them; refuses what cannot be told apart.
    pub(super) fn check(all: &mut [Receiver]) -> Result<(), String> {
        let (mut names, mut domains, mut servers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (n, Receiver { name, domains: list, mx, .. }) in all.iter_mut().enumerate() {
            let table = format!("receiver[{}]", n + 1);
            if name.trim().is_empty() {
                return Err(format!("{table}.name is empty"));
            }
            if name.contains('.') {
                return Err(format!("{table}.name: {name:?} has a dot, and could be a domain's"));
            }
            if !names.insert(name.clone()) {
                return Err(format!("{table}.name: two tables are called {name:?}"));
            }
            if list.is_empty() && mx.is_empty() {
                return Err(format!("{table} has no domains and no mx"));
            }
            for (key, list, met) in [("domains", list, &mut domains), ("mx", &mut *mx, &mut servers)] {
                for domain in list {
                    let address = Address::parse(&format!("x@{domain}"));
                    let address = address.map_err(|_| format!("{table}.{key}: {domain:?} is no domain"))?;
                    *domain = address.domain().to_owned();
                    if !met.insert(domain.clone()) {
                        return Err(format!("{table}.{key}: {domain:?} is listed twice"));
                    }
                }
            }
            if let Some(suffix) = mx.iter().find(|host| dns::is_public_suffix(host)) {
                return Err(format!(
                    "{table}.mx names {suffix:?}, under which anybody may register a domain, so mail servers of many providers would be one receiver; name the provider's own, as in \"mail.provider.{suffix}\""
                ));
            }
        }
        Ok(())
    }
}

/// `[links]`: where links in messages lead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// The HTTPS address under which links are answered:
    /// `https://mail.registrar.example/k`. RFC 8058 §3.1 asks for HTTPS.
    pub base: Option<String>,
}

/// `[[dkim]]`: a key that messages are signed with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The domain that signs: that of `from`, for DMARC's sake.
    pub domain: String,
    /// The name under which its public key stands: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The file of the private key, in PEM: RSA of 2048 bits or more, or Ed25519.
    pub key: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_file_and_goes_with_xoauth2() {
        let read = |text: &str| {
            let mut smtp: Smtp = toml::from_str(text).unwrap();
            smtp.place(Path::new("/etc/kakitome")).unwrap();
            smtp.check().map(|()| smtp.token_file().map(Path::to_owned))
        };
        let token = read("url = \"smtps://user@a.example\"\nauth = \"xoauth2\"\ntoken = \"file:smtp-token\"");
        assert_eq!(token.unwrap().unwrap(), Path::new("/etc/kakitome/smtp-token"));
        assert_eq!(read("").unwrap(), None);
        for (text, why) in [
            ("auth = \"xoauth2\"\ntoken = \"file:smtp-token\"", "it names the user, without a password"),
            ("auth = \"xoauth2\"", "neither without the other"),
            ("token = \"file:smtp-token\"", "neither without the other"),
            ("auth = \"xoauth2\"\ntoken = \"ya29.secret\"", "file:PATH"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("ya29"), "{refused}");
        }
    }

    #[test]
    fn several_relays_take_the_place_of_one_url() {
        let read = |text: &str| {
            toml::from_str::<Smtp>(text).map_err(|e| e.to_string()).and_then(|smtp| smtp.check().map(|()| smtp))
        };
        let two = "connections = 4\n[[relay]]\nurl = \"smtp://a.example\"\nweight = 3\n[[relay]]\nurl = \"smtp://b.example\"\nconnections = 2\n";
        let each = read(two).unwrap().each();
        let seen: Vec<_> =
            each.iter().map(|(smtp, weight)| (smtp.url.expose_secret(), smtp.connections, *weight)).collect();
        assert_eq!(seen, [("smtp://a.example", 4, 3), ("smtp://b.example", 2, 1)]);
        for (text, why) in [
            (format!("url = \"smtp://c.example\"\n{two}"), "go into the tables"),
            (two.replace("weight = 3", "weight = 0"), "between 1 and 1000"),
            (two.replace("connections = 2", "connections = 997"), "over all relays"),
            (two.replace("weight = 3", "auth = \"xoauth2\""), "neither without the other"),
            (two.replace("weight", "share"), "unknown field"),
            (two.replace("b.example", "a.example"), "smtp.relay[2].url: an earlier table has it"),
        ] {
            let refused = read(&text).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
