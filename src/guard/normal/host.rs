//! Hosts and e-mail addresses: A-labels by UTS 46, dots at the ends dropped.
//!
//! Underscores are let through, since host names in DNS have them. Two labels
//! are the least, and the last may not be a number: version numbers and IPv4
//! addresses are no hosts. The local part of an address is folded and may have
//! dots anywhere, because Japanese carriers issued such addresses (see
//! [`crate::address`]).

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::fold::fold;

const NO_HOST: &str = "no host name";
const NO_EMAIL: &str = "no e-mail address";

/// The host as lower-case A-labels.
pub fn canonical(value: &str) -> Result<String, &'static str> {
    let folded = fold(value);
    // Every dot of UTS 46 §4.5 counts here; in prose `。` may not.
    let dotted = folded.replace(['。', '｡', '．'], ".");
    let name = dotted.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if name.is_empty() || name.len() > 4 * 253 {
        return Err(NO_HOST);
    }
    let ascii = if name.is_ascii() && !name.contains("xn--") {
        name.into()
    } else {
        match Uts46::new().to_ascii(name.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore) {
            Ok(ascii) => ascii,
            // A broken A-label is still a name that somebody can own and read.
            Err(_) if name.is_ascii() => name.into(),
            Err(_) => return Err(NO_HOST),
        }
    };
    if is_host(&ascii) { Ok(ascii.into_owned()) } else { Err(NO_HOST) }
}

/// The whole address: folded local part, `@`, host.
pub fn email(value: &str) -> Result<String, &'static str> {
    let folded = fold(value);
    let text = folded.trim();
    let text = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
    let (local, domain) = text.rsplit_once('@').ok_or(NO_EMAIL)?;
    let local = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')).unwrap_or(local);
    if local.is_empty() || !local.chars().all(is_local) {
        return Err(NO_EMAIL);
    }
    Ok(format!("{local}@{}", canonical(domain).map_err(|_| NO_EMAIL)?))
}

/// `atext` of RFC 5322 §3.2.3, the dot, and letters of any script (RFC 6531).
fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && !c.is_whitespace())
}

fn is_host(ascii: &str) -> bool {
    let mut labels = 0;
    let mut last = "";
    for label in ascii.split('.') {
        let fits = (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !fits {
            return false;
        }
        labels += 1;
        last = label;
    }
    labels >= 2 && ascii.len() <= 253 && !last.bytes().all(|b| b.is_ascii_digit())
}
