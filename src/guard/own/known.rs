//! What a campaign's terms explain: the tokens, names, salutations and words of
//! its literal text, and the values on its allow-list.

use std::collections::HashMap;

use hashbrown::HashSet;

use crate::account::Kind;
use crate::guard::find::file;
use crate::guard::find::names::{self, alone, captioned, halves, salutation, standalone, titled};
use crate::guard::find::{Scanner, Shape, Token};
use crate::guard::own::values::Values;
use crate::guard::view::{self, View};
use crate::guard::{Index, Literal, Terms, normal, own};

/// Values that need no owner.
#[derive(Debug, Default)]
pub struct Known {
    tokens: Values,
    runs: Values,
    names: HashMap<u128, String>,
    salutations: HashSet<String>,
    standing: HashSet<String>,
    words: HashSet<String>,
    /// The same words as names are searched for.
    searched_words: HashSet<String>,
    allowed: Values,
    allowed_domains: HashSet<String>,
    text: String,
}

/// An identifier-shaped value of the literal text, for the lint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteralToken {
    /// Its kind.
    pub kind: Kind,
    /// Its canonical form.
    pub canonical: String,
}

impl Known {
    /// Reads terms.
    ///
    /// # Errors
    /// An allow-list entry that is no value of any kind.
    pub fn new(terms: &Terms, scanner: &Scanner, index: &Index, country: Option<&str>) -> Result<Self, String> {
        let mut known = Self::default();
        for literal in &terms.literal {
            known.literal(literal, scanner, index, country);
        }
        for allow in &terms.allow {
            known.allow(&allow.value, country)?;
        }
        Ok(known)
    }

    fn literal(&mut self, literal: &Literal, scanner: &Scanner, index: &Index, country: Option<&str>) {
        self.text.push_str(&literal.text);
        self.text.push('\n');
        let views = views_of(literal);
        for view in &views {
            let folded = normal::fold(&view.text);
            for token in scanner.scan(&folded, scanner.setting(view)) {
                if touches_gap(&folded, &token) {
                    continue;
                }
                self.runs.insert(token.shape.kind(), token.text);
                for canonical in canonicals(&token, scanner, country) {
                    self.tokens.insert(token.shape.kind(), &canonical);
                }
            }
            let (joined, spaced) = names::squeeze(&folded);
            let found = |text: &str, hit: names::Hit| (hit.hash, hit.name(text).to_owned());
            self.names.extend(index.names().joined(&joined).into_iter().map(|hit| found(&joined, hit)));
            self.names.extend(index.names().worded(&spaced).into_iter().map(|hit| found(&spaced, hit)));
            if let Some(words) = names::slug(view, &folded) {
                self.names.extend(index.names().worded(&words).into_iter().map(|hit| found(&words, hit)));
            }
            let cut = view.text.replace(Literal::GAP, "\u{fffc}\n");
            let folded = normal::fold(&cut);
            let folded = normal::search(&folded);
            let named =
                salutation::salutations(&folded).into_iter().map(|(named, _)| named).chain(captioned::names(&folded));
            let titled = titled::names(&folded).into_iter().map(|titled| titled.standing.name);
            let named = named.map(|named| named.name).chain(titled);
            self.salutations.extend(named.filter(|name| !name.contains(Literal::GAP)));
            self.standing.extend(standalone::names(&folded, |_, _| true).into_iter().map(|standing| standing.name));
            let pairs = halves::pairs(&folded).into_iter().flat_map(|(one, other)| [one, other]);
            let alone = alone::names(&folded).into_iter().chain(alone::bodies(&folded));
            self.standing.extend(alone.chain(pairs).map(|standing| standing.name));
            self.words.extend(words(&view.text).map(str::to_owned));
            let letters = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            self.searched_words.extend(letters.map(str::to_owned));
        }
    }

    fn allow(&mut self, value: &str, country: Option<&str>) -> Result<(), String> {
        // Either would be taken for a name, and allow nothing that anybody meant.
        if let Some((_, rest)) = value.split_once("://") {
            let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
            return Err(format!("{value:?} is a URL: allow its host, {host:?}"));
        }
        if value.contains('*') {
            return Err(format!(
                "{value:?} has a `*`: a host allows every host below it, and nothing else allows many"
            ));
        }
        let mut is_value = false;
        for kind in [Kind::Id, Kind::Email, Kind::Domain, Kind::Phone, Kind::Person] {
            // A host is a name and an ID too; what it is taken for more does no harm.
            let Ok(canonical) = normal::canonical(kind, value, country) else { continue };
            is_value = true;
            if kind == Kind::Domain {
                self.allowed_domains.insert(canonical);
            } else {
                let readings = normal::readings(kind, value, &canonical);
                readings.iter().chain([&canonical]).for_each(|name| self.allowed.insert(kind, name));
            }
        }
        if !is_value {
            return Err(format!("an allow-list entry is no value: {value:?}"));
        }
        Ok(())
    }

    /// Whether a token stands like this in the literal text.
    pub fn has_run(&self, token: &Token<'_>) -> bool {
        self.runs.has(token.shape.kind(), token.text)
    }

    /// Whether a canonical value is explained.
    pub fn has(&self, kind: Kind, canonical: &str) -> bool {
        let by_domain = match kind {
            Kind::Domain => self.allows_host(canonical),
            Kind::Email => canonical.rsplit_once('@').is_some_and(|(_, host)| self.allows_host(host)),
            _ => false,
        };
        by_domain || self.tokens.has(kind, canonical) || self.allows(kind, canonical)
    }

    /// Whether a canonical value is on the allow-list.
    pub fn allows(&self, kind: Kind, canonical: &str) -> bool {
        self.allowed.has(kind, canonical) || (kind == Kind::Domain && self.allows_host(canonical))
    }

    fn allows_host(&self, host: &str) -> bool {
        own::suffixes(host).any(|suffix| self.allowed_domains.contains(suffix))
    }

    /// Whether a name is in the literal text, or allowed.
    pub fn has_name(&self, hash: u128, canonical: &str) -> bool {
        self.names.contains_key(&hash) || self.allowed.has(Kind::Person, canonical)
    }

    /// Whether the literal text addresses somebody like this.
    pub fn has_salutation(&self, name: &str) -> bool {
        self.salutations.contains(name) || self.allowed.has(Kind::Person, name)
    }

    /// Whether the literal text has this name standing by itself.
    pub fn has_standing(&self, name: &str) -> bool {
        self.standing.contains(name) || self.allowed.has(Kind::Person, name)
    }

    /// Whether a word stands in the literal text.
    pub fn has_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether a word, as names are searched for, stands in the literal text.
    pub fn has_searched_word(&self, word: &str) -> bool {
        self.searched_words.contains(word)
    }

    /// Whether the literal text has this piece, as written.
    pub fn has_text(&self, piece: &str) -> bool {
        self.text.contains(piece)
    }

    /// Every value of the literal text that no allow-list entry explains.
    pub fn unexplained(&self) -> impl Iterator<Item = LiteralToken> + '_ {
        let open = self.tokens.iter().filter(|(kind, canonical)| {
            let host = canonical.rsplit_once('@').map_or("", |(_, host)| host);
            !(self.allows(*kind, canonical) || *kind == Kind::Email && self.allows_host(host))
        });
        open.map(|(kind, canonical)| LiteralToken { kind, canonical: canonical.to_owned() })
    }

    /// Names of the directory that stand in the literal text, and that no
    /// allow-list entry explains.
    pub fn names(&self) -> impl Iterator<Item = (u128, &str)> {
        let open = self.names.iter().filter(|(_, name)| !self.allows(Kind::Person, name));
        open.map(|(hash, name)| (*hash, name.as_str()))
    }

    /// What stands in the literal text where a name of any length would be one: in a
    /// salutation, behind a caption, by itself. No allow-list entry explains it.
    pub fn cued(&self) -> impl Iterator<Item = &str> {
        let all = self.salutations.iter().chain(&self.standing).map(String::as_str);
        all.filter(|name| !self.allows(Kind::Person, name))
    }
}

/// A literal text, read as the message will be.
fn views_of(literal: &Literal) -> Vec<View<'_>> {
    let mut views = Vec::new();
    if literal.html {
        view::html_views(&literal.text, "template", &mut views);
    } else {
        view::text_views(&literal.text, "template", &mut views);
    }
    views
}

/// A token that touches an expression's place is a part of something that only
/// a record completes, and explains nothing.
fn touches_gap(folded: &str, token: &Token<'_>) -> bool {
    let before = folded[..token.start].chars().next_back();
    let after = folded[token.start + token.text.len()..].chars().next();
    // A host's dot, an address's sign or a dash may stand between the two.
    let before_sign = folded[..token.start].trim_end_matches(['.', '@', '-', '_']).chars().next_back();
    let after_sign = folded[token.start + token.text.len()..].trim_start_matches(['.', '@', '-', '_']).chars().next();
    [before, after, before_sign, after_sign].contains(&Some(Literal::GAP))
}

/// The canonical forms that a token may have: one, but for a telephone number, and for a
/// host whose boundaries are not told.
pub fn canonicals(token: &Token<'_>, scanner: &Scanner, country: Option<&str>) -> Vec<String> {
    let kind = token.shape.kind();
    let text = token.says();
    match token.shape {
        Shape::Idn => idn_candidates(text).filter_map(|host| normal::canonical(kind, host, country).ok()).collect(),
        Shape::BuriedPhone => scanner.phone_forms(text),
        Shape::TailId => scanner.id_forms(text),
        Shape::Phone => {
            let mut forms: Vec<String> = normal::canonical(kind, text, country).into_iter().collect();
            forms.extend(scanner.phone_forms(text));
            forms
        }
        _ => normal::canonical(kind, text, country).into_iter().collect(),
    }
}

/// The longest label, in characters, whose beginning is looked for.
const LABEL_MAX: usize = 63;
/// The longest top-level domain in another script that is looked for.
const TLD_MAX: usize = 12;

/// Every host that a run may be meant to be.
pub fn idn_candidates(run: &str) -> impl Iterator<Item = &str> {
    idn_readings(run).into_iter().flatten()
}

/// How many hosts a run may be meant to be, at most.
pub fn readings_max(run: &str) -> usize {
    run.split('.').count() * run.chars().count().min(2 * LABEL_MAX * TLD_MAX)
}

/// The hosts that a run of letters and dots may be meant to be, by the label
/// in which they end; the longest first. A host may begin wherever the script
/// changes or has no words, and end there: `a社のexample.comと例え.テスト`; and
/// before a file's ending.
pub fn idn_readings(run: &str) -> Vec<Vec<&str>> {
    let run = run.trim_matches(['.', '-', '_']);
    let mut readings = Vec::new();
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    let labels: Vec<&str> = run.split('.').collect();
    let stem = file::stem(run).split('.').count();
    for (n, label) in labels.iter().enumerate() {
        let is_last = n + 1 == labels.len();
        let is_end = is_last || n + 1 == stem || !label.is_ascii() || !labels[n + 1].is_ascii();
        if n > 0 && is_end {
            let ends = ends(label);
            let mut hosts: Vec<&str> =
                starts.iter().flat_map(|start| ends.iter().map(|end| &run[*start..at + *end])).collect();
            hosts.sort_by_key(|host| std::cmp::Reverse(host.len()));
            readings.push(hosts);
        }
        if n == 0 || !label.is_ascii() {
            let new = begins(label);
            let skip = new.len().saturating_sub(LABEL_MAX);
            starts.extend(new.into_iter().skip(skip).map(|start| at + start));
            // A run that never ends is no host; what it costs is bounded.
            let skip = starts.len().saturating_sub(2 * LABEL_MAX);
            starts.drain(..skip);
        }
        at += label.len() + 1;
    }
    readings
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Where in a label a host may begin: not inside a word of ASCII.
fn begins(label: &str) -> Vec<usize> {
    let before = |at: usize| label[..at].chars().next_back();
    let goes_on = |c: char, before: char| {
        is_word(c) && (before.is_ascii_alphanumeric() || (is_word(before) && !c.is_ascii_alphanumeric()))
    };
    let starts = label.char_indices().filter(|(at, c)| !before(*at).is_some_and(|before| goes_on(*c, before)));
    starts.map(|(at, _)| at).collect()
}

/// Where in a label a host may end: after ASCII and before a dash in it, or, if there is
/// none, anywhere.
fn ends(label: &str) -> Vec<usize> {
    let ascii = label.find(|c: char| !is_word(c)).unwrap_or(label.len());
    if ascii > 0 {
        let dash = label[..ascii].find(['-', '_']).filter(|at| *at > 0 && !label.starts_with("xn--"));
        return std::iter::once(ascii).chain(dash).collect();
    }
    label.char_indices().map(|(at, c)| at + c.len_utf8()).take(TLD_MAX).collect()
}

/// Words as a secret may stand among them: cut at white space and quotes.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let cuts = |c: char| match c {
        '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' => true,
        '「' | '」' | '『' | '』' | '（' | '）' | '【' | '】' | '、' | '。' => true,
        c => c.is_whitespace(),
    };
    text.split(cuts).filter(|word| !word.is_empty())
}
