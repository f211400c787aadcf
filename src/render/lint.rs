//! Names in a template that nothing will ever define, found when it is frozen
//! rather than at the first recipient.

use std::collections::BTreeSet;
use std::fmt;

use minijinja::machinery::{Token, tokenize};

use crate::render::template::Template;

/// One name that there is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// The template's file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The name, as written.
    pub name: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: there is no {}", self.file, self.line, self.name)
    }
}

const LINKS: [&str; 2] = ["unsubscribe", "view"];

impl Template {
    /// Every name that is neither `account.` one of `columns`, `extra.` one of
    /// `extra`, `links.unsubscribe`, `links.view`, nor set by the template.
    pub fn lint(&self, columns: &[&str], extra: &[&str]) -> Vec<Lint> {
        let mut found = BTreeSet::new();
        for (file, text) in self.files() {
            for (name, line) in roots(text) {
                let known: &[&str] = match name.0.as_str() {
                    "account" => columns,
                    "extra" => extra,
                    "links" => &LINKS,
                    _ => continue,
                };
                if name.1.as_ref().is_none_or(|attribute| !known.contains(&attribute.as_str())) {
                    let name = name.1.map_or_else(|| format!("{} by itself", name.0), |a| format!("{}.{a}", name.0));
                    found.insert(Lint { file: file.clone(), line, name });
                }
            }
            found.extend(self.undeclared(file, text));
        }
        found.into_iter().collect()
    }

    /// Names that nobody declared.
    fn undeclared(&self, file: &str, text: &str) -> Vec<Lint> {
        let Ok(template) = self.environment().get_template(file) else { return Vec::new() };
        let globals: BTreeSet<&str> = self.environment().globals().map(|(name, _)| name).collect();
        let names = template.undeclared_variables(false);
        let unknown = names
            .iter()
            .filter(|n| !["account", "extra", "links"].contains(&n.as_str()) && !globals.contains(n.as_str()));
        unknown.map(|name| Lint { file: file.to_owned(), line: line_of(text, name), name: name.clone() }).collect()
    }
}

/// Every use of a name with the attribute that follows it: `account.plan`,
/// `account["plan"]`; and its line.
fn roots(text: &str) -> Vec<((String, Option<String>), usize)> {
    let tokens: Vec<_> = tokenize(text, false, Default::default()).flatten().collect();
    let mut found = Vec::new();
    for (n, (token, span)) in tokens.iter().enumerate() {
        let Token::Ident(name) = token else { continue };
        // An attribute of something else that happens to have this name.
        if n > 0 && matches!(tokens[n - 1].0, Token::Dot | Token::Pipe) {
            continue;
        }
        let next = |by: usize| tokens.get(n + by).map(|(token, _)| token);
        let attribute = match (next(1), next(2)) {
            (Some(Token::Dot), Some(Token::Ident(attribute))) => Some((*attribute).to_owned()),
            (Some(Token::BracketOpen), Some(Token::Str(attribute))) => Some((*attribute).to_owned()),
            _ => None,
        };
        found.push((((*name).to_owned(), attribute), usize::from(span.start_line)));
    }
    found
}

fn line_of(text: &str, name: &str) -> usize {
    roots(text).into_iter().find(|((root, _), _)| root == name).map_or(1, |(_, line)| line)
}
