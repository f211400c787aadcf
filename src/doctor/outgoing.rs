//! The addresses that mail leaves from: each has a name, and the name has the
//! address (RFC 8601 §2.7.3, "iprev"). Large receivers ask for both.

use std::net::IpAddr;

use crate::dns::Dns;

use super::{Level, Line};

const CHECK: &str = "ptr";

pub(super) async fn examine(dns: &Dns, outgoing: &[IpAddr]) -> Vec<Line> {
    let mut lines = Vec::with_capacity(outgoing.len());
    for address in outgoing {
        lines.push(one(dns, *address).await);
    }
    lines
}

async fn one(dns: &Dns, address: IpAddr) -> Line {
    let asked = format!("the name of {address}, and back");
    let fail = |found: String| {
        let now = format!("let whoever provides {address} name it (PTR), and give that name the address (A or AAAA)");
        Line::not(Level::Fail, CHECK, asked.clone(), found, now)
    };
    let names = match dns.names(address).await {
        Ok(names) if names.is_empty() => return fail("it has no name".into()),
        Ok(names) => names,
        Err(why) => return Line::unanswered(CHECK, asked, &why),
    };
    for name in &names {
        match dns.addresses(name).await {
            Ok(addresses) if addresses.contains(&address) => return Line::ok(CHECK, asked, name.as_str()),
            Ok(_) => {}
            Err(why) => return Line::unanswered(CHECK, asked, &why),
        }
    }
    fail(format!("{} does not have this address", names.join(", ")))
}
