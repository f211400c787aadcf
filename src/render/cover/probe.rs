//! Which branches of a template one recipient takes.
//!
//! Input: the template's files. Each condition of an `if`, an `elif`, an
//! inline `if` or a loop's filter, and what each loop runs over, is wrapped in
//! a call that notes the value and passes it on, so a copy of the template
//! renders as the original does. Output: the branches of one rendering.
//! A rendering that fails counts for the branches up to there.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::machinery::{Token, Tokenizer};
use minijinja::{Environment, Value};

use crate::account::Recipient;
use crate::render::Template;
use crate::render::context::{self, Links};
use crate::render::template;

const PROBE: &str = "kakitome_probe";

/// One way through one condition or loop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Branch {
    file: Arc<str>,
    line: u32,
    column: u32,
    way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    True,
    False,
    None,
    One,
    Several,
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::True => "condition true",
            Way::False => "condition false",
            Way::None => "loop over none",
            Way::One => "loop over one",
            Way::Several => "loop over several",
        };
        write!(f, "{} line {}: {way}", self.file, self.line)
    }
}

/// A template with probes in it.
pub(super) struct Probe {
    env: Environment<'static>,
    main: Vec<&'static str>,
    seen: Arc<Mutex<BTreeSet<Branch>>>,
}

impl Probe {
    /// `None` if the template has no branch.
    pub(super) fn new(template: &Template) -> Option<Self> {
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let mut places: Vec<Place> = Vec::new();
        let mut env = template::environment();
        for (file, source) in template.files() {
            let first = places.len();
            let probed = instrument(file, source, &mut places);
            // What the probes would break stays as it is.
            if env.add_template_owned(file.clone(), probed).is_err() {
                places.truncate(first);
                env.add_template_owned(file.clone(), source.clone()).ok()?;
            }
        }
        if places.is_empty() {
            return None;
        }
        let noted = Arc::clone(&seen);
        env.add_function(PROBE, move |at: usize, value: Value| -> Value {
            if let Some(place) = places.get(at) {
                let branch = Branch {
                    file: Arc::clone(&place.file),
                    line: place.line,
                    column: place.column,
                    way: way(place, &value),
                };
                noted.lock().unwrap_or_else(PoisonError::into_inner).insert(branch);
            }
            value
        });
        let main = template::MAIN.into_iter().filter(|file| template.has(file)).collect();
        Some(Self { env, main, seen })
    }

    /// The branches that one recipient takes, in the order of the files.
    pub(super) fn branches(&self, recipient: Recipient) -> Vec<Branch> {
        let stand_in = || Some("https://links.example/".to_owned());
        let context = context::context(recipient, &Links { unsubscribe: stand_in(), view: stand_in() });
        for file in &self.main {
            // A failure is the check's to report, not this one's.
            let _ = template::run(&self.env, file, &context);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen).into_iter().collect()
    }
}

fn way(place: &Place, value: &Value) -> Way {
    match (place.is_loop, value.len()) {
        (true, Some(0)) => Way::None,
        (true, Some(1)) => Way::One,
        (true, Some(_)) => Way::Several,
        _ if value.is_true() => Way::True,
        _ => Way::False,
    }
}

/// Where a probe stands.
struct Place {
    file: Arc<str>,
    line: u32,
    column: u32,
    is_loop: bool,
}

/// A token, and where it begins and ends.
type Spanned<'t> = (Token<'t>, minijinja::machinery::Span);

/// The source with a probe around every condition and every loop's source.
fn instrument(file: &str, source: &str, places: &mut Vec<Place>) -> String {
    let mut tokenizer = Tokenizer::new(source, file, false, template::syntax());
    let mut tokens: Vec<Spanned<'_>> = Vec::new();
    while let Ok(Some(token)) = tokenizer.next_token() {
        tokens.push(token);
    }
    let file: Arc<str> = file.into();
    // Ends before starts at one place; starts in order of their opening.
    let mut inserts: Vec<(usize, u8, String)> = Vec::new();
    for at in 0..tokens.len() {
        let Some((is_loop, end)) = condition(&tokens, at) else { continue };
        let (first, last) = (tokens[at + 1].1, tokens[end - 1].1);
        inserts.push((first.start_offset as usize, 1, format!("{PROBE}({}, ", places.len())));
        inserts.push((last.end_offset as usize, 0, ")".into()));
        let span = tokens[at].1;
        places.push(Place {
            file: Arc::clone(&file),
            line: u32::from(span.start_line),
            column: u32::from(span.start_col),
            is_loop,
        });
    }
    inserts.sort_by_key(|(offset, order, _)| (*offset, *order));
    let mut out = String::with_capacity(source.len() + inserts.len() * 24);
    let mut from = 0;
    for (offset, _, text) in inserts {
        out.push_str(source.get(from..offset).unwrap_or_default());
        out.push_str(&text);
        from = offset;
    }
    out.push_str(source.get(from..).unwrap_or_default());
    out
}

/// Whether the token at `at` opens a condition or a loop's source, and the
/// token that ends it.
fn condition(tokens: &[Spanned<'_>], at: usize) -> Option<(bool, usize)> {
    let word = |at: usize| match tokens.get(at).map(|t| &t.0) {
        Some(Token::Ident(word)) => Some(*word),
        _ => None,
    };
    let is_loop = match word(at)? {
        "if" | "elif" => false,
        // The `in` of a loop, not the operator: it is the first in its tag.
        "in" => {
            let open = (0..at).rev().find(|i| matches!(tokens[*i].0, Token::BlockStart | Token::VariableStart))?;
            if word(open + 1) != Some("for") || (open + 2..at).any(|i| word(i) == Some("in")) {
                return None;
            }
            true
        }
        _ => return None,
    };
    let before = at.checked_sub(1).map(|i| &tokens[i].0);
    if matches!(before, None | Some(Token::Dot | Token::Pipe)) || matches!(tokens.get(at + 1)?.0, Token::Assign) {
        return None;
    }
    let mut depth = 0;
    for (end, (token, _)) in tokens.iter().enumerate().skip(at + 1) {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose if depth > 0 => depth -= 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose | Token::BlockEnd | Token::VariableEnd => {
                return (end > at + 1).then_some((is_loop, end));
            }
            Token::Comma | Token::Colon if depth == 0 => return (end > at + 1).then_some((is_loop, end)),
            Token::Ident("if" | "else" | "recursive") if depth == 0 => {
                return (end > at + 1).then_some((is_loop, end));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(source: &str) -> String {
        instrument("x.txt", source, &mut Vec::new()).replace(PROBE, "P")
    }

    #[test]
    fn conditions_and_loops_are_wrapped_and_nothing_else() {
        for (source, wrapped) in [
            (
                "{% if a and (b or c) %}x{% elif d %}y{% endif %}",
                "{% if P(0, a and (b or c)) %}x{% elif P(1, d) %}y{% endif %}",
            ),
            ("{%- if a -%}x{% endif %}", "{%- if P(0, a) -%}x{% endif %}"),
            (
                "{% for i in a.b|list if i in c %}{% endfor %}",
                "{% for i in P(0, a.b|list) if P(1, i in c) %}{% endfor %}",
            ),
            ("{{ f(1 if a else 2, 3 if b) }}", "{{ f(1 if P(0, a) else 2, 3 if P(1, b)) }}"),
            ("{{ 1 if a else 2 if b else 3 }}", "{{ 1 if P(0, a) else 2 if P(1, b) else 3 }}"),
            (
                "{{ a.if }}{{ a in b }} if {# if #}{% raw %}{% if a %}{% endraw %}",
                "{{ a.if }}{{ a in b }} if {# if #}{% raw %}{% if a %}{% endraw %}",
            ),
            ("{% if [a, {'b': c}] %}{% endif %}", "{% if P(0, [a, {'b': c}]) %}{% endif %}"),
        ] {
            assert_eq!(probed(source), wrapped);
        }
    }
}
