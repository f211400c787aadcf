//! IDs with signs in them, as `ORD-2026-000123`: words of letters and digits are
//! not enough to find them, so their patterns are searched for in the text.
//!
//! A sign of the pattern may be missing or be another one in the text, since the
//! canonical form drops it; only a known ID counts then.

use regex::Regex;

use crate::guard::token::{Shape, Token};

/// Signs that people write in IDs, and swap for one another.
const SIGNS: &[char] = &['-', '_', '/', ' ', '.', ':', '#'];

/// One pattern, as written and with its signs loosened.
struct Signed {
    whole: Regex,
    loose: Regex,
}

/// The patterns that have signs.
pub struct Spans(Vec<Signed>);

impl Spans {
    /// Picks those patterns that have signs of their own.
    ///
    /// # Errors
    /// A pattern is no regular expression.
    pub fn new<'p>(patterns: impl Iterator<Item = &'p str>) -> Result<Self, String> {
        let spans = patterns.filter_map(|pattern| Some((pattern, loosen(pattern)?)));
        let compile = |pattern: String| Regex::new(&pattern).map_err(|e| e.to_string());
        let signed = spans.map(|(pattern, loose)| {
            Ok(Signed { whole: compile(format!("(?i)^(?:{pattern})$"))?, loose: compile(format!("(?i)(?:{loose})"))? })
        });
        Ok(Self(signed.collect::<Result<_, String>>()?))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one may match a line break: told by what a pattern would have to
    /// be written with, so that it is rather said too often.
    pub fn crosses_lines(&self) -> bool {
        const SIGNS: [&str; 9] = ["\\s", "\\W", "\\D", "[^", "(?", "\\n", "\\r", "\\x", "\\p"];
        self.0.iter().any(|Signed { loose, .. }| {
            let pattern = loose.as_str().trim_start_matches("(?i)(?:");
            pattern.chars().any(char::is_control) || SIGNS.iter().any(|sign| pattern.contains(sign))
        })
    }

    /// Every such ID of a folded text.
    pub fn find<'t>(&self, text: &'t str, tokens: &mut Vec<Token<'t>>) {
        let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        for Signed { whole, loose } in &self.0 {
            for found in loose.find_iter(text) {
                let (before, after) = (text[..found.start()].chars().next_back(), text[found.end()..].chars().next());
                let alone = !part(before) && !part(after);
                let exact = alone && whole.is_match(found.as_str());
                if !found.is_empty() {
                    let shape = if exact { Shape::Id } else { Shape::BuriedId };
                    tokens.push(Token { shape, text: found.as_str(), start: found.start() });
                }
            }
        }
    }
}

/// A pattern whose signs may be any other, or none; `None` when it has no sign.
fn loosen(pattern: &str) -> Option<String> {
    const ANY: &str = "[-_/ .:#]{0,2}";
    let mut out = String::with_capacity(2 * pattern.len());
    let (mut in_class, mut has_sign) = (false, false);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next()?;
                if !in_class && SIGNS.contains(&escaped) {
                    has_sign = true;
                    out.push_str(ANY);
                } else {
                    has_sign |= SIGNS.contains(&escaped);
                    out.extend([c, escaped]);
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push(c);
                // A dash that begins a class is one.
                has_sign |= chars.peek() == Some(&'-');
            }
            ']' if in_class => {
                in_class = false;
                out.push(c);
            }
            // Outside a class a dot is any character.
            _ if !in_class && c != '.' && SIGNS.contains(&c) => {
                has_sign = true;
                out.push_str(ANY);
            }
            _ => {
                has_sign |= in_class && c != '-' && SIGNS.contains(&c);
                out.push(c);
            }
        }
    }
    has_sign.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<(Shape, String)> {
        let mut tokens = Vec::new();
        Spans::new(std::iter::once(pattern)).unwrap().find(text, &mut tokens);
        tokens.into_iter().map(|token| (token.shape, token.text.to_owned())).collect()
    }

    #[test]
    fn ids_with_signs() {
        let pattern = "ORD-[0-9]{4}-[0-9]{6}";
        assert_eq!(found(pattern, "no. ord-2026-000123."), [(Shape::Id, "ord-2026-000123".to_owned())]);
        for text in ["ord2026000123", "ord/2026/000123", "ord 2026 000123", "xord-2026-000123", "ord-2026-0001234"] {
            assert_eq!(found(pattern, text).len(), 1, "{text}");
            assert_eq!(found(pattern, text)[0].0, Shape::BuriedId, "{text}");
        }
        assert_eq!(found(pattern, "ord-2026"), []);
        assert_eq!(found(r"[0-9]{4}\.[0-9]{4}", "1234.5678")[0].0, Shape::Id);
        assert_eq!(found("[0-9]{8}", "12345678"), [], "a pattern without signs is looked for by words");
    }
}
