//! `resolver`: whom the DNS is asked.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::units::quoted;

/// A DNS resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolver {
    /// Those that this machine's `/etc/resolv.conf` names.
    System,
    /// The one at this address.
    At(SocketAddr),
}

/// Why a text names no resolver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no resolver: write \"system\", or an IP address with or without a port, as in \"127.0.0.1:53\"")]
pub struct NoResolver(String);

impl FromStr for Resolver {
    type Err = NoResolver;

    fn from_str(text: &str) -> Result<Self, NoResolver> {
        if text == "system" {
            return Ok(Resolver::System);
        }
        let at = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
        at.map(Resolver::At).map_err(|_| NoResolver(text.to_owned()))
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolver::System => f.write_str("the system's resolver"),
            Resolver::At(at) => write!(f, "the resolver {at}"),
        }
    }
}

impl<'de> Deserialize<'de> for Resolver {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wanted = "\"system\" or an IP address, in quotes, as in \"127.0.0.1:53\"";
        quoted(from, wanted, |text| text.parse().map_err(|no: NoResolver| no.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_an_address_or_the_systems() {
        let at = |text: &str| text.parse::<SocketAddr>().map(Resolver::At).map_err(|_| NoResolver(text.into()));
        assert_eq!("127.0.0.1:5353".parse(), at("127.0.0.1:5353"));
        assert_eq!("127.0.0.1".parse(), at("127.0.0.1:53"));
        assert_eq!("::1".parse(), at("[::1]:53"));
        assert_eq!("system".parse(), Ok(Resolver::System));
        for bad in ["", "dns.example", "127.0.0.1:", "System"] {
            assert!(bad.parse::<Resolver>().is_err(), "{bad:?}");
        }
    }
}
