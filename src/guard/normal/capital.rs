//! What is left of a host or an address where it was written in capitals: `STRASSE.EXAMPLE` of
//! `straße.example`, `ΗΛΙΟΣ.EXAMPLE` of `ήλιος.example`, `IŞIK.EXAMPLE` of `ışık.example`.
//!
//! Input: a canonical host or address. Output: the same as capitals leave it, canonical again:
//! ß is ss, ς is σ, ı and i̇ are i (Turkish has I for the one and İ for the other), and Greek
//! letters have no accent. That is not a DNS name of its own: `strasse.example` may be somebody
//! else's, and goes before. So a directory holds the form under a sign, [`CAPITAL`], and for
//! those names alone that it changes; most have none.
//!
//! Infallible. Sources: full case folding (UAX 44, SpecialCasing), UTS 46 §4.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use super::host;

/// Stands before such a form: no host or address begins with it.
const CAPITAL: char = '^';

/// A canonical host or address as capitals leave it.
pub fn capital(canonical: &str) -> Cow<'_, str> {
    let changed = || {
        let (local, domain) = canonical.rsplit_once('@').unwrap_or(("", canonical));
        let domain = if domain.contains("xn--") {
            let (unicode, read) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
            read.ok()?;
            letters(&unicode).and_then(|plain| host::canonical(&plain).ok())
        } else {
            None
        };
        let plain = letters(local);
        if domain.is_none() && plain.is_none() {
            return None;
        }
        let (local, is_address) = (plain.as_deref().unwrap_or(local), canonical.contains('@'));
        let host = domain.as_deref().unwrap_or(&canonical[canonical.rfind('@').map_or(0, |at| at + 1)..]);
        Some(if is_address { format!("{local}@{host}") } else { host.to_owned() })
    };
    if canonical.is_ascii() && !canonical.contains("xn--") {
        return Cow::Borrowed(canonical);
    }
    changed().map_or(Cow::Borrowed(canonical), Cow::Owned)
}

/// What a directory holds of a host or an address besides its canonical form; `None` where
/// capitals leave it as it is.
pub fn capital_form(canonical: &str) -> Option<String> {
    match capital(canonical) {
        Cow::Borrowed(_) => None,
        Cow::Owned(plain) => Some(as_form(&plain)),
    }
}

/// The form by which something is looked up that capitals have left.
pub fn as_form(plain: &str) -> String {
    format!("{CAPITAL}{plain}")
}

/// Whether a form is such a one.
pub fn is_capital_form(form: &str) -> bool {
    form.starts_with(CAPITAL)
}

/// Whether capitals may have changed what a text says: not one in letters that have none.
pub fn may_be_capital(text: &str) -> bool {
    text.chars().all(|c| c < '\u{2e80}')
}

/// A text with the letters that capitals leave; `None` if they are the same.
fn letters(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let nfd = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd();
    let (mut out, mut is_changed) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        let change = match c {
            'ß' => Some("ss".into()),
            'ς' => Some("σ".into()),
            'ı' => Some("i".into()),
            '\u{307}' if out.ends_with('i') => Some(Cow::Borrowed("")),
            '\u{301}' | '\u{308}' if out.ends_with(is_greek) => Some(Cow::Borrowed("")),
            _ if is_greek(c) => {
                let parted: String =
                    nfd.normalize(c.encode_utf8(&mut [0; 4])).chars().filter(|c| is_greek(*c)).collect();
                (!parted.is_empty() && !parted.chars().eq([c])).then_some(Cow::Owned(parted))
            }
            _ => None,
        };
        is_changed |= change.is_some();
        match change {
            Some(to) => out.push_str(&to),
            None => out.push(c),
        }
    }
    is_changed.then_some(out)
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Kind;
    use crate::guard::normal::canonical;

    #[test]
    fn capitals_of_one_name_are_one() {
        for (name, capitals) in [
            ("straße.example", &["STRASSE.EXAMPLE", "STRAßE.EXAMPLE", "STRAẞE.EXAMPLE"][..]),
            ("süß-fuß.example", &["SÜSS-FUSS.EXAMPLE", "SÜSS-FUẞ.EXAMPLE"]),
            ("ήλιος.example", &["ΉΛΙΟΣ.EXAMPLE", "ΗΛΙΟΣ.EXAMPLE", "Ήλιος.example"]),
            ("μαΐου-άυλος.example", &["ΜΑΪΟΥ-ΑΫΛΟΣ.EXAMPLE", "ΜΑΪ\u{301}ΟΥ-ΆΥΛΟΣ.EXAMPLE"]),
            ("ışık.example", &["IŞIK.EXAMPLE", "IŞIK.example"]),
            ("istanbul.example", &["İSTANBUL.EXAMPLE", "ISTANBUL.EXAMPLE"]),
        ] {
            let plain = |text: &str| capital(&canonical(Kind::Domain, text, None).unwrap()).into_owned();
            for other in capitals {
                assert_eq!(plain(other), plain(name), "{other}");
            }
            assert_eq!(plain(&plain(name)), plain(name), "{name}: not idempotent");
            let address =
                |host: &str| capital(&canonical(Kind::Email, &format!("a@{host}"), None).unwrap()).into_owned();
            assert_eq!(address(capitals[0]), address(name), "{name}");
        }
        let local = |text: &str| capital(&canonical(Kind::Email, text, None).unwrap()).into_owned();
        assert_eq!(local("ALİ@POST.EXAMPLE"), "ali@post.example");
    }

    #[test]
    fn what_capitals_leave_has_no_other_form() {
        for name in ["münchen.example", "みどり.example", "ромашка.example", "plain.example", "çiçek.example"]
        {
            assert_eq!(capital_form(&canonical(Kind::Domain, name, None).unwrap()), None, "{name}");
        }
        assert_ne!(
            capital(&canonical(Kind::Domain, "MÜNCHEN.EXAMPLE", None).unwrap()),
            capital(&canonical(Kind::Domain, "munchen.example", None).unwrap())
        );
        assert!(may_be_capital("STRASSE.EXAMPLE") && !may_be_capital("みどり.example"));
    }
}
