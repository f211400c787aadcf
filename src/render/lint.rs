//! What a template names and the campaign does not have.
//!
//! Input: a template's syntax trees and the columns that its messages will
//! have. Output: one [`Lint`] for every variable, filter, test and method that
//! there is not, with file and line: a branch that nobody's record takes today
//! would fail for the first who does.
//! A secret column is unknown here because it is never among the columns.

use std::collections::BTreeSet;
use std::fmt;

use super::context::{LINKS, ROOTS};
use super::walk::{self, Event, Trees};

/// Something that a template names and that no message will have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// The template's file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there; names, never values.
    pub what: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}: {}", self.file, self.line, self.what)
    }
}

/// What every message of a campaign has, and what the engine can do.
pub(super) struct Has<'a> {
    /// The directory's columns, without the secret ones.
    pub account: &'a [&'a str],
    /// The audience's extra columns.
    pub extra: &'a [&'a str],
    /// The functions that every template may call.
    pub globals: &'a [&'a str],
    /// Whether there is such a filter.
    pub filter: &'a dyn Fn(&str) -> bool,
    /// Whether there is such a test.
    pub test: &'a dyn Fn(&str) -> bool,
}

/// Everything unknown, by file and line.
pub(super) fn lint(trees: &Trees<'_>, has: &Has<'_>) -> Vec<Lint> {
    let mut found = BTreeSet::new();
    let mut reached = BTreeSet::new();
    let mut look = |from: &str, reached: &mut BTreeSet<String>| {
        let Some((from, _)) = trees.get_key_value(from) else { return };
        walk::walk(trees, from, &mut |at, event| {
            if let Event::File(Some(name)) = event {
                reached.insert(name.to_owned());
            }
            if let Some(what) = judge(&event, has) {
                found.insert(Lint { file: at.file.to_owned(), line: at.line, what });
            }
        });
    };
    for main in super::template::MAIN {
        look(main, &mut reached);
        reached.insert(main.to_owned());
    }
    // A file that nothing includes is judged by itself.
    for file in trees.keys() {
        if !reached.contains(*file) {
            look(file, &mut BTreeSet::new());
        }
    }
    found.into_iter().collect()
}

fn judge(event: &Event<'_>, has: &Has<'_>) -> Option<String> {
    match event {
        Event::Field { root, field } => {
            let (known, what) = match *root {
                "account" => (has.account, "the directory has no such column, or it is secret"),
                "extra" => (has.extra, "the audience has no such column"),
                _ => (LINKS.as_slice(), "links are links.unsubscribe and links.view"),
            };
            (!known.contains(field)).then(|| format!("unknown variable {root}.{field}: {what}"))
        }
        Event::Name { id, .. } if ROOTS.contains(id) => {
            Some(format!("{id} is used as a whole: name one of its fields, as in {id}.name"))
        }
        Event::Name { id, known } => (!known && !has.globals.contains(id)).then(|| {
            format!("unknown variable {id}: columns are account.{id} or extra.{id}, links are links.unsubscribe and links.view")
        }),
        Event::Filter(name) => (!(has.filter)(name)).then(|| format!("there is no filter {name}")),
        Event::Test(name) => (!(has.test)(name)).then(|| format!("there is no test {name}")),
        Event::Method(name) => Some(format!("values have no functions, as .{name}(): use a filter, as in |upper")),
        Event::Makes(_) | Event::File(_) | Event::AutoEscape => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::template;

    fn lints(body: &str) -> Vec<String> {
        let part = "{% if seen %}{{ seen }}{% endif %}\n{{ account.auth_code }}";
        let macros = "{% macro row(d, n=1) %}{{ d }}{{ n }}{{ account.plan }}{% endmacro %}";
        let files = [("subject.txt", "s"), ("body.html", body), ("part.html", part), ("macros.html", macros)];
        let template = template(&files).unwrap();
        template.lint(&["name", "domains", "plan"], &["order"]).iter().map(ToString::to_string).collect()
    }

    fn heads(body: &str) -> Vec<String> {
        lints(body).iter().map(|l| l.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect()
    }

    const LATER: &str = "{% set seen = 1 %}{% include 'part.html' %}";

    #[test]
    fn every_unknown_variable_is_named_with_its_line() {
        let part = "part.html line 2: unknown variable account.auth_code";
        assert_eq!(heads(LATER), [part]);
        for (body, lint) in [
            ("\n{{ account.nam }}", "body.html line 2: unknown variable account.nam"),
            ("\n\n{% if extra.ordr %}{% endif %}", "body.html line 3: unknown variable extra.ordr"),
            ("{{ links.help }}", "body.html line 1: unknown variable links.help"),
            ("{{ name }}", "body.html line 1: unknown variable name"),
            ("{{ account['nam'] }}", "body.html line 1: unknown variable account.nam"),
            ("{{ account|items }}", "body.html line 1: account is used as a whole"),
            ("{% for d in account.domains %}{{ d }}{% endfor %}{{ d }}", "body.html line 1: unknown variable d"),
            ("{{ account.name|replace(x, 'y') }}", "body.html line 1: unknown variable x"),
            ("{{ 'a' if account.nam else 'b' }}", "body.html line 1: unknown variable account.nam"),
            ("{{ debug() }}", "body.html line 1: unknown variable debug"),
            ("{{ account[extra.order] }}", "body.html line 1: account is used as a whole"),
            ("\n{{ account.name|uper }}", "body.html line 2: there is no filter uper"),
            ("{% filter uper %}x{% endfilter %}", "body.html line 1: there is no filter uper"),
            ("\n{% if false and account.name is emty %}{% endif %}", "body.html line 2: there is no test emty"),
            ("{{ account.name.upper() }}", "body.html line 1: values have no functions, as .upper()"),
            ("{{ (account.domains|first).strip() }}", "body.html line 1: values have no functions, as .strip()"),
            ("{{ ', '.join(account.domains) }}", "body.html line 1: values have no functions, as .join()"),
        ] {
            let found = heads(&format!("{body}{LATER}"));
            assert!(found.len() == 2 && found.contains(&lint.to_owned()), "{body:?}: {found:?}");
        }
    }

    #[test]
    fn names_that_the_template_makes_are_known() {
        let body = "{% for d in account.domains if d %}{{ loop.index }}{{ d }}{% else %}{{ extra.order }}{% endfor %}\
            {% set n = account.domains|length %}{{ n }}{% set block %}{{ n }}{% endset %}{{ block }}\
            {% with a = 1, b = n %}{{ a + b }}{% endwith %}{{ account['plan'] }}\
            {% from 'macros.html' import row %}{{ row(n) }}{% import 'macros.html' as m %}{{ m.row('x') }}\
            {% macro cell(x) %}{{ x }}{{ caller() }}{% endmacro %}{% call cell(1) %}{{ n }}{% endcall %}\
            {% for i in range(3) %}{{ i }}{% endfor %}{{ links.view }}{{ links.unsubscribe }}\
            {{ n|default('x')|upper }}{% if n is defined and n is not in [1] %}{{ n|join(', ') }}{% endif %}\
            {% for d in account.domains %}{{ loop.cycle('a', 'b') }}{% endfor %}";
        assert_eq!(heads(&format!("{body}{LATER}")).len(), 1, "{:?}", lints(body));
    }

    #[test]
    fn a_file_that_sees_no_such_name_is_told_so() {
        let found = heads("x");
        assert!(found.contains(&"part.html line 1: unknown variable seen".to_owned()), "{found:?}");
    }
}
