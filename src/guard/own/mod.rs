//! What belongs to one account, from its directory record: canonical, and
//! closed under what a value implies.

pub(in crate::guard) mod known;
pub(in crate::guard) mod values;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use hashbrown::HashSet;

use crate::account::{AccountId, Kind, Record};
use crate::guard::normal;
use crate::guard::own::values::Values;
use crate::mapping::Mapping;

/// Canonical values by column.
type Columns = HashMap<String, Vec<(Kind, String)>>;

/// One account's identifiers.
#[derive(Debug, Default)]
pub struct Own {
    values: Values,
    /// Domains of its own; every host below them is too.
    domains: HashSet<String>,
    /// The domains of its addresses: explained by themselves, while another
    /// mailbox there is somebody else's.
    providers: HashSet<String>,
    /// Its domains and addresses as capitals leave them, where that is another text.
    capitals: Values,
    /// The domains of its addresses likewise.
    capital_providers: HashSet<String>,
    /// Its domains and addresses as names are searched for: somebody may be called by one.
    spelled: HashSet<String>,
    /// Whole names and their words, canonical.
    names: HashSet<String>,
    whole_names: Vec<String>,
    columns: Columns,
    /// Telephone numbers as written, and their region: most messages show none, and
    /// reading one costs more than all the rest.
    written_phones: Vec<(String, String, Option<String>)>,
    phones: OnceCell<Columns>,
    /// The same by their digits alone.
    phone_digits: OnceCell<HashSet<String>>,
    /// Values as written that are one word of ASCII, and their canonical forms.
    words: hashbrown::HashMap<Box<str>, (Kind, Box<str>)>,
}

impl Own {
    /// Reads a record.
    pub fn of(record: &Record, mapping: &Mapping) -> Self {
        let mut own = Self::default();
        for (name, field) in &record.fields {
            let Some(column) = mapping.columns.get(name) else { continue };
            for value in field.values() {
                if column.kind == Kind::Phone {
                    own.written_phones.push((name.clone(), value.to_owned(), column.country.clone()));
                    continue;
                }
                let Ok(canonical) = normal::canonical(column.kind, value, column.country.as_deref()) else { continue };
                own.imply(column.kind, value, &canonical);
                if is_word(column.kind, value) {
                    own.words.insert(value.into(), (column.kind, canonical.as_str().into()));
                }
                own.columns.entry(name.clone()).or_default().push((column.kind, canonical.clone()));
                own.values.insert(column.kind, &canonical);
                if let Some(exact) = column.is_exact().then(|| normal::exact(value)).flatten() {
                    own.values.insert(column.kind, &exact);
                }
            }
        }
        own.account(&record.account);
        own
    }

    /// Adds a name that a campaign declares to be this account's.
    pub fn declare(&mut self, column: &str, kind: Kind, value: &str) {
        let Ok(canonical) = normal::canonical(kind, value, None) else { return };
        self.imply(kind, value, &canonical);
        self.columns.entry(column.to_owned()).or_default().push((kind, canonical.clone()));
        self.values.insert(kind, &canonical);
    }

    /// The key itself is the account's, whatever its column.
    fn account(&mut self, account: &AccountId) {
        if let Ok(canonical) = normal::canonical(Kind::Id, account.as_str(), None) {
            self.values.insert(Kind::Id, &canonical);
        }
    }

    fn imply(&mut self, kind: Kind, value: &str, canonical: &str) {
        if matches!(kind, Kind::Email | Kind::Domain) && !value.is_ascii() {
            self.spelled.insert(normal::search(&normal::fold(value)).into_owned());
        }
        if matches!(kind, Kind::Email | Kind::Domain)
            && let Cow::Owned(plain) = normal::capital(canonical)
        {
            self.capitals.insert(kind, &plain);
            if let Some((_, provider)) = plain.rsplit_once('@') {
                self.capital_providers.insert(provider.to_owned());
            }
        }
        match kind {
            Kind::Email => {
                let domain = canonical.rsplit_once('@').map_or("", |(_, domain)| domain);
                self.providers.insert(domain.to_owned());
            }
            Kind::Domain => {
                self.domains.insert(canonical.to_owned());
            }
            Kind::Person | Kind::Organisation => {
                for word in value.split(|c: char| c.is_whitespace() || c == normal::MIDDLE_DOT) {
                    let name = normal::name(word);
                    self.names.extend(normal::readings(Kind::Person, word, &name));
                    self.names.insert(name);
                }
                self.names.remove("");
                // `サンプル 御中` is 株式会社サンプル's.
                let readings = normal::readings(kind, value, canonical);
                for name in readings.into_iter().chain([canonical.to_owned()]) {
                    self.names.insert(name.clone());
                    self.whole_names.push(name);
                }
            }
            Kind::Id | Kind::Phone | Kind::Secret | Kind::Text => {}
        }
    }

    /// An own ID, address or domain that is written exactly so.
    pub fn word(&self, written: &str) -> Option<(Kind, &str)> {
        self.words.get(written).map(|(kind, canonical)| (*kind, &**canonical))
    }

    /// Whether an own telephone number is written exactly so.
    pub fn has_written_phone(&self, written: &str) -> bool {
        self.written_phones.iter().any(|(_, value, _)| value == written)
    }

    /// Whether a canonical value is this account's.
    pub fn has(&self, kind: Kind, canonical: &str) -> bool {
        let is_phone = || {
            (canonical.starts_with('#') && self.phone_digits().contains(canonical))
                || self.phones().values().flatten().any(|(_, phone)| phone == canonical)
        };
        self.values.has(kind, canonical) || (kind == Kind::Phone && is_phone())
    }

    fn phone_digits(&self) -> &HashSet<String> {
        let digits = |(_, value, _): &(String, String, Option<String>)| normal::phone_digits(&normal::fold(value));
        self.phone_digits.get_or_init(|| self.written_phones.iter().map(digits).collect())
    }

    fn phones(&self) -> &Columns {
        self.phones.get_or_init(|| {
            let mut columns = Columns::new();
            for (name, value, country) in &self.written_phones {
                if let Ok(canonical) = normal::canonical(Kind::Phone, value, country.as_deref()) {
                    columns.entry(name.clone()).or_default().push((Kind::Phone, canonical));
                }
            }
            columns
        })
    }

    /// Whether a host is one of its domains, or below one.
    pub fn has_host(&self, host: &str) -> bool {
        suffixes(host).any(|suffix| self.domains.contains(suffix))
    }

    /// Whether a domain or an address is this account's as capitals leave it: itself, or what
    /// they made of another.
    pub fn has_capital(&self, kind: Kind, plain: &str) -> bool {
        self.values.has(kind, plain) || self.capitals.has(kind, plain)
    }

    /// The same of the domain of one of its addresses.
    pub fn has_capital_provider(&self, plain: &str) -> bool {
        self.providers.contains(plain) || self.capital_providers.contains(plain)
    }

    /// Whether a host is the domain of one of its addresses.
    pub fn has_provider(&self, host: &str) -> bool {
        self.providers.contains(host)
    }

    /// Whether a canonical name, or a word of one, is this account's.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a canonical name may be a half of an own one: 小林 of 小林健一郎, `omalley` of
    /// `Sean O'Malley`.
    pub fn has_half(&self, name: &str) -> bool {
        let is_letter = |c: &char| c.is_alphanumeric();
        let is_same = |word: &str| word.chars().filter(is_letter).eq(name.chars().filter(is_letter));
        let mut people = self.columns.values().flatten().filter(|(kind, _)| *kind == Kind::Person);
        people.any(|(_, whole)| whole.split(' ').any(is_same) || normal::halves(whole).any(|half| half == name))
    }

    /// Whether an own ID, address or domain has these words in it, whatever parts them.
    pub fn spells(&self, words: &str) -> bool {
        let parted = |word: &str| normal::spelled(&normal::fold(word).replace(['-', '.', '+', '@'], " "));
        self.words.keys().any(|word| parted(word).contains(words))
    }

    /// A text with the plus signs of own addresses in it that were read as spaces:
    /// `sales info@shop.example` is `sales+info@shop.example`. `None` if there are none.
    pub fn with_signs(&self, text: &str) -> Option<String> {
        let mut out: Option<String> = None;
        let values = self.columns.values().flatten();
        for (_, address) in values.filter(|(kind, value)| *kind == Kind::Email && value.contains('+')) {
            let now = out.as_deref().unwrap_or(text);
            let lower = now.to_ascii_lowercase();
            let spaced = address.replace('+', " ");
            let mut signed = now.to_owned();
            // As long as what it takes the place of: the case of all the rest stays.
            for (at, spaced) in lower.match_indices(&spaced) {
                signed.replace_range(at..at + spaced.len(), address);
            }
            if signed != now {
                out = Some(signed);
            }
        }
        out
    }

    /// Whether a name is one of its domains or addresses, or a host below one.
    pub fn is_spelled(&self, name: &str) -> bool {
        suffixes(name).any(|suffix| self.spelled.contains(suffix))
    }

    /// Its whole names, canonical.
    pub fn names(&self) -> &[String] {
        &self.whole_names
    }

    /// The canonical values of one column.
    pub fn column(&self, name: &str) -> &[(Kind, String)] {
        self.columns.get(name).or_else(|| self.phones().get(name)).map_or(&[], Vec::as_slice)
    }
}

/// Whether a value is written as one word in which there is nothing else to be
/// found: an ID of letters and digits, a host or an address in ASCII.
fn is_word(kind: Kind, value: &str) -> bool {
    let letters = |also: &'static [u8]| value.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b));
    match kind {
        Kind::Id => letters(b""),
        Kind::Domain => letters(b".-") && value.contains('.') && value.starts_with(|c: char| c.is_ascii_alphabetic()),
        Kind::Email => {
            letters(b"@.-_")
                && value.bytes().filter(|b| *b == b'@').count() == 1
                && value.starts_with(|c: char| c.is_ascii_alphabetic())
        }
        _ => false,
    }
}

/// A host and every domain above it that has two labels or more, longest first.
pub fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(host);
    std::iter::from_fn(move || {
        let host = rest.filter(|host| host.contains('.'))?;
        rest = host.split_once('.').map(|(_, above)| above);
        Some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Field;
    use crate::address::Address;
    use crate::mapping::Column;

    fn own() -> Own {
        let columns = [
            ("email", Kind::Email, "taro@Sample.Example"),
            ("domain", Kind::Domain, "例え.テスト"),
            ("name", Kind::Person, "山田　太郎"),
            ("company", Kind::Organisation, "㈱サンプル"),
        ];
        let column =
            |kind| Column { kind, list: None, pattern: None, country: None, exclusive: None, case: Default::default() };
        let mapping = Mapping {
            account: "id".into(),
            address: "email".into(),
            columns: columns.iter().map(|(name, kind, _)| ((*name).to_owned(), column(*kind))).collect(),
            drift_percent_max: 5.0,
            encoding: None,
            separator: None,
        };
        let record = Record {
            account: AccountId::new("1000-0001").unwrap(),
            address: Address::parse("taro@sample.example").unwrap(),
            fields: columns
                .iter()
                .map(|(name, _, value)| ((*name).to_owned(), Field::One((*value).to_owned())))
                .collect(),
        };
        Own::of(&record, &mapping)
    }

    #[test]
    fn a_value_implies_what_is_below_it() {
        let own = own();
        assert!(own.has(Kind::Id, "10000001"), "the key is own without a column");
        assert!(own.has(Kind::Email, "taro@sample.example"));
        assert!(own.has_host("xn--r8jz45g.xn--zckzah"));
        assert!(own.has_host("www.mail.xn--r8jz45g.xn--zckzah"));
        assert!(!own.has_host("xxn--r8jz45g.xn--zckzah"), "a longer label is another domain");
        assert!(!own.has_host("xn--zckzah"));
    }

    #[test]
    fn a_provider_is_no_domain_of_ones_own() {
        let own = own();
        assert!(own.has_provider("sample.example"));
        assert!(!own.has_host("sample.example"));
        assert!(!own.has_provider("www.sample.example"));
    }

    #[test]
    fn names_and_their_words() {
        let own = own();
        for name in ["山田太郎", "山田", "太郎", "株式会社サンプル", "サンプル"] {
            assert!(own.has_name(name), "{name}");
        }
        for name in ["山", "田太", "サンプル商事"] {
            assert!(!own.has_name(name), "{name}");
        }
        assert_eq!(own.column("name"), [(Kind::Person, "山田太郎".to_owned())]);
        let mut own = own;
        own.declare("name", Kind::Person, "José Núñez");
        assert!(
            ["Jose Nunez", "Núñez", "josé", "Núñez José"].into_iter().all(|name| own.has_name(&normal::name(name)))
        );
    }

    #[test]
    fn suffixes_have_two_labels_or_more() {
        assert_eq!(
            suffixes("a.b.example.com").collect::<Vec<_>>(),
            ["a.b.example.com", "b.example.com", "example.com"]
        );
        assert_eq!(suffixes("com").count(), 0);
    }
}
