//! A campaign's template: loaded once, then rendered for one recipient at a
//! time.
//!
//! Input: a folder with `subject.txt`, and `body.html`, `body.txt` or both;
//! other `.html` and `.txt` files of the folder may be included by name.
//! Output: text, or an error with file and line and never a value.
//!
//! The language is that of minijinja (Jinja 2): `{{ account.name }}`,
//! `{% if %}`, `{% for %}`, `{% include "footer.html" %}`. A tag alone on its
//! line leaves no line behind. What is different here:
//! - an undefined variable is an error, not an empty text;
//! - `.html` files are escaped and `.txt` files are not. Nothing switches that
//!   off: `|safe` and `{% autoescape %}` are refused when the template is
//!   loaded, and so is including a file of the other sort;
//! - a rendering that takes more than [`Template::FUEL`] steps is stopped (one
//!   step is about one instruction or 64 bytes of text; a long newsletter takes
//!   a few thousand);
//! - nothing is read from disk once the template is loaded, `account`, `extra`
//!   and `links` cannot be redefined, and no function shows the whole context.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, machinery};

use super::context::ROOTS;
use super::lint::{self, Lint};
use super::literal::{self, Literal};
use super::walk::{self, Event, Trees};

/// The files that are rendered; all others are included by them.
pub(super) const MAIN: [&str; 3] = [SUBJECT, HTML, TEXT];
pub(super) const SUBJECT: &str = "subject.txt";
pub(super) const HTML: &str = "body.html";
pub(super) const TEXT: &str = "body.txt";

/// A template that parses and breaks no rule of this house.
#[derive(Debug)]
pub struct Template {
    env: Environment<'static>,
    files: BTreeMap<String, String>,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {file}: {why}")]
    Read {
        /// The folder or file.
        file: String,
        /// The system's answer.
        why: std::io::Error,
    },
    /// A file that must be there is not.
    #[error("the template has no {0}")]
    Missing(&'static str),
    /// A file cannot be used.
    #[error("{file}: {what}")]
    File {
        /// The template's file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A line cannot be used.
    #[error("{file} line {line}: {what}")]
    Line {
        /// The template's file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

/// Where a rendering failed. The expression is the template's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} line {line}: {what}{}", if expression.is_empty() { String::new() } else { format!(" in `{expression}`") })]
pub struct RunError {
    /// The template's file.
    pub file: String,
    /// The line, from 1; 0 if it is not known.
    pub line: usize,
    /// What sort of failure it is.
    pub what: String,
    /// The expression, as it stands in the template; may be empty.
    pub expression: String,
}

impl Template {
    /// Steps that one file may take before it is stopped.
    pub const FUEL: u64 = 500_000;
    /// The largest file, in bytes.
    pub const FILE_BYTES_MAX: u64 = 1 << 20;

    /// Loads every `.html` and `.txt` file of a folder, without its subfolders.
    ///
    /// # Errors
    /// A file is missing, unreadable, too large or no UTF-8, does not parse, or
    /// breaks one of this house's rules.
    pub fn load(folder: &Path) -> Result<Self, TemplateError> {
        let read = |path: &Path, why| TemplateError::Read { file: path.display().to_string(), why };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(|e| read(folder, e))? {
            let path = entry.map_err(|e| read(folder, e))?.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
            if name.starts_with('.') || !is_read(name, &path) {
                continue;
            }
            let size = path.metadata().map_err(|e| read(&path, e))?.len();
            if size > Self::FILE_BYTES_MAX {
                let what = format!("it has {size} bytes; the limit is {}", Self::FILE_BYTES_MAX);
                return Err(TemplateError::File { file: name.to_owned(), what });
            }
            files.insert(name.to_owned(), std::fs::read_to_string(&path).map_err(|e| read(&path, e))?);
        }
        Self::from_files(files)
    }

    /// What lies in a template's folder and is no part of it, in order: a message carries
    /// nothing but its texts.
    pub fn beside(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let others = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
        let others = others.filter(|(name, path)| !name.starts_with('.') && !is_read(name, path));
        let names: BTreeSet<String> = others.map(|(name, _)| name).collect();
        names.into_iter().collect()
    }

    /// The same from a frozen copy: file names and their text.
    ///
    /// # Errors
    /// As [`Template::load`].
    pub fn from_files(mut files: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        if !files.contains_key(SUBJECT) {
            return Err(TemplateError::Missing(SUBJECT));
        }
        if !files.contains_key(HTML) && !files.contains_key(TEXT) {
            return Err(TemplateError::Missing("body.html and no body.txt; it needs one of them at least"));
        }
        for source in files.values_mut() {
            if let Some(rest) = source.strip_prefix('\u{feff}') {
                *source = rest.to_owned();
            }
        }
        refuse(&files)?;
        let mut env = environment();
        for (name, source) in &files {
            env.add_template_owned(name.clone(), source.clone()).map_err(|e| parse_error(name, source, &e))?;
        }
        Ok(Self { env, files })
    }

    /// Whether each file that is rendered says something: one without a word or an
    /// expression in it would be empty for everybody.
    ///
    /// # Errors
    /// The first that does not.
    pub fn says_something(&self) -> Result<(), TemplateError> {
        let is_blank = |file: &str, source: &str| {
            let mut pieces = Vec::new();
            literal::literals(file, source, &mut pieces);
            pieces.iter().all(|piece| piece.text.trim().is_empty())
        };
        let mut mains = MAIN.into_iter().filter_map(|file| Some((file, self.files.get(file)?)));
        let Some((file, _)) = mains.find(|(file, source)| is_blank(file, source)) else { return Ok(()) };
        let what = match file {
            SUBJECT => "nothing is in it; write the subject there",
            _ => "nothing is in it; write the message there, or take the file away if the other body is enough",
        };
        Err(TemplateError::File { file: file.to_owned(), what: what.to_owned() })
    }

    /// The files, to be frozen with a campaign.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Unknown variables, filters, tests and methods, given the directory's
    /// columns (without the secret ones) and the audience's extra columns. A
    /// campaign whose template has one would fail for every recipient that gets there.
    pub fn lint(&self, account: &[&str], extra: &[&str]) -> Vec<Lint> {
        let globals: Vec<&str> = self.env.globals().map(|(name, _)| name).collect();
        // The engine says which filters it knows only when one is called.
        let filter = |name: &str| !is_unknown(self.env.empty_state().apply_filter(name, &[]).err());
        let test = |name: &str| !is_unknown(self.env.empty_state().perform_test(name, &[]).err());
        let has = lint::Has { account, extra, globals: &globals, filter: &filter, test: &test };
        // The trees were parsed once already, when the template was loaded.
        parse(&self.files).map(|trees| lint::lint(&trees, &has)).unwrap_or_default()
    }

    /// The literal text of every file, one [`Literal`] a file in the order of
    /// their names, each followed by its string constants.
    pub fn literals(&self) -> Vec<Literal> {
        let mut out = Vec::new();
        for (file, source) in &self.files {
            literal::literals(file, source, &mut out);
        }
        out
    }

    /// Whether the template has this file.
    pub(super) fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    /// Renders one file.
    pub(super) fn run(&self, file: &str, context: &Value) -> Result<String, RunError> {
        run(&self.env, file, context)
    }
}

fn is_unknown(error: Option<minijinja::Error>) -> bool {
    error.is_some_and(|e| matches!(e.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest))
}

/// Renders one file of an environment.
pub(super) fn run(env: &Environment<'_>, file: &str, context: &Value) -> Result<String, RunError> {
    env.get_template(file).and_then(|template| template.render(context)).map_err(|e| run_error(env, file, &e))
}

/// The innermost error, reduced to what the template's author wrote: the
/// engine's own words may quote a value.
fn run_error(env: &Environment<'_>, file: &str, error: &minijinja::Error) -> RunError {
    let mut inner = error;
    while let Some(source) = std::error::Error::source(inner).and_then(|e| e.downcast_ref()) {
        inner = source;
    }
    let file = inner.name().unwrap_or(file);
    let template = env.get_template(file).ok();
    let expression = template.as_ref().zip(inner.range()).and_then(|(template, range)| template.source().get(range));
    RunError {
        file: file.to_owned(),
        line: inner.line().unwrap_or(0),
        what: inner.kind().to_string(),
        expression: expression.map(|e| e.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default(),
    }
}

/// An environment with this house's rules and no file in it.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(Template::FUEL));
    env.set_recursion_limit(64);
    env.set_syntax(syntax());
    env.set_auto_escape_callback(|name| if is_html(name) { AutoEscape::Html } else { AutoEscape::None });
    env.remove_global("debug");
    env.remove_filter("safe");
    env
}

/// Jinja's own marks; a tag alone on its line leaves no line behind.
pub(super) fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true);
    // Only unlike marks can fail to build, and these are the usual ones.
    builder.build().unwrap_or_default()
}

/// Whether a template reads this file.
fn is_read(name: &str, path: &Path) -> bool {
    (is_html(name) || name.ends_with(".txt")) && path.is_file()
}

/// Whether a file is HTML, and so escaped.
pub(super) fn is_html(file: &str) -> bool {
    file.ends_with(".html")
}

pub(super) fn parse(files: &BTreeMap<String, String>) -> Result<Trees<'_>, TemplateError> {
    files
        .iter()
        .map(|(name, source)| {
            let tree = machinery::parse(source, name, syntax()).map_err(|e| parse_error(name, source, &e))?;
            Ok((name.as_str(), tree))
        })
        .collect()
}

/// Blocks that end with a tag of their own.
const BLOCKS: [&str; 7] = ["if", "for", "with", "filter", "macro", "call", "block"];

/// The last block that is begun and not ended: its line, and what it is.
fn unended(source: &str) -> Option<(usize, &str)> {
    let mut open = Vec::new();
    for (at, mark) in source.match_indices("{%") {
        let tag = source[at + mark.len()..].trim_start_matches(['-', '+']).trim_start();
        let name = &tag[..tag.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tag.len())];
        if name.starts_with("end") {
            open.pop();
        } else if BLOCKS.contains(&name) {
            open.push((source[..at].matches('\n').count() + 1, name));
        }
    }
    open.pop()
}

fn parse_error(file: &str, source: &str, error: &minijinja::Error) -> TemplateError {
    // While parsing there is no value yet, so the engine's words are safe.
    let mut what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    if what.contains("unexpected character") {
        what.push_str("; a column that is not of ASCII letters is written account[\"氏名\"]");
    }
    let mut line = error.line().unwrap_or(0);
    // The engine sees that only at the file's end.
    if what.contains("unexpected end of input")
        && let Some((begun, name)) = unended(source)
    {
        (line, what) = (begun, format!("{{% {name} %}} is not ended; write {{% end{name} %}} where it ends"));
    }
    TemplateError::Line { file: file.to_owned(), line, what }
}

/// Refuses what would weaken escaping or hide a file.
fn refuse(files: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    let trees = parse(files)?;
    let mut first: Option<(String, usize, String)> = None;
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in trees.keys() {
        walk::walk(&trees, file, &mut |at, event| {
            if let Event::File(Some(name)) = event {
                edges.entry(at.file.to_owned()).or_default().push(name.to_owned());
            }
            if let Some(what) = refusal(at.file, &event, files)
                && first.is_none()
            {
                first = Some((at.file.to_owned(), at.line, what));
            }
        });
    }
    if let Some((file, line, what)) = first {
        return Err(TemplateError::Line { file, line, what });
    }
    match files.keys().find(|file| reaches(&edges, file, file, files.len())) {
        Some(file) => Err(TemplateError::File { file: file.clone(), what: "it includes itself".into() }),
        None => Ok(()),
    }
}

fn refusal(file: &str, event: &Event<'_>, files: &BTreeMap<String, String>) -> Option<String> {
    match event {
        Event::Filter("safe") => Some("|safe would let a value through unescaped; leave it out".into()),
        Event::AutoEscape => Some("autoescape blocks are refused: .html files are escaped, .txt files are not".into()),
        Event::Makes(name) if ROOTS.contains(name) => Some(format!("{name} cannot be redefined; take another name")),
        Event::File(None) => Some("write the other file's name out, as in {% include \"footer.html\" %}".into()),
        Event::File(Some(name)) if !files.contains_key(*name) => Some(format!("the template has no file {name}")),
        Event::File(Some(name)) if is_html(name) != is_html(file) => {
            Some(format!("{name} is escaped differently: include .html in .html and .txt in .txt"))
        }
        _ => None,
    }
}

/// Whether `to` is reached from `from` in at most `steps` inclusions.
fn reaches(edges: &BTreeMap<String, Vec<String>>, from: &str, to: &str, steps: usize) -> bool {
    let mut seen: Vec<&str> = vec![from];
    for _ in 0..steps {
        let next: Vec<&str> = seen.iter().filter_map(|f| edges.get(*f)).flatten().map(String::as_str).collect();
        if next.contains(&to) {
            return true;
        }
        let before = seen.len();
        for file in next {
            if !seen.contains(&file) {
                seen.push(file);
            }
        }
        if seen.len() == before {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tests::template;
    use super::*;

    fn refusal(body: &str) -> String {
        let files = [("subject.txt", "s"), ("body.html", body), ("foot.html", "f"), ("foot.txt", "f")];
        template(&files).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_weakens_escaping_is_refused_with_its_line() {
        for body in [
            "a\n{{ account.name|safe }}",
            "a\n{% if account.name|upper|safe %}{% endif %}",
            "a\n{% filter safe %}x{% endfilter %}",
            "a\n{% autoescape false %}x{% endautoescape %}",
            "a\n{% include \"foot.txt\" %}",
            "a\n{% include account.name %}",
            "a\n{% include \"../../secret\" %}",
            "a\n{% include [\"foot.html\"] %}",
            "a\n{% set account = 1 %}",
            "a\n{% for links in [1] %}{% endfor %}",
            "a\n{% if %}",
            "a\n{{ 'x }}",
        ] {
            assert!(refusal(body).starts_with("body.html line 2: "), "{body:?}: {:?}", refusal(body));
        }
        let japanese = refusal("a\n{{ account.氏名 }}");
        assert!(japanese.starts_with("body.html line 2: ") && japanese.ends_with("account[\"氏名\"]"), "{japanese}");
        let open = "a\n{% if 1 %}\n{% for x in [1] %}{%- endfor %}\n";
        assert_eq!(refusal(open), "body.html line 2: {% if %} is not ended; write {% endif %} where it ends");
        assert_eq!(refusal("{% include 'foot.html' %}"), "");
        assert!(refusal("{% include 'body.html' %}").contains("includes itself"));
    }

    #[test]
    fn a_file_in_which_nothing_is_said_is_named() {
        let said = |subject: &str, body: &str| {
            let template = template(&[("subject.txt", subject), ("body.txt", body), ("foot.txt", "")]).unwrap();
            template.says_something().map_err(|e| e.to_string())
        };
        for empty in ["", " \n\u{3000}\n", "{# to do #}\n", "\u{feff}"] {
            assert!(said(empty, "x").unwrap_err().starts_with("subject.txt: nothing is in it; write"), "{empty:?}");
            assert!(said("x", empty).unwrap_err().starts_with("body.txt: nothing is in it; write"), "{empty:?}");
        }
        for full in ["x", "{{ account.name }}", "{% include 'foot.txt' %}", "{{ ' ' }}"] {
            assert_eq!(said(full, full), Ok(()), "{full}");
        }
    }

    #[test]
    fn the_files_that_must_be_there_are_asked_for() {
        assert!(template(&[("body.txt", "x")]).unwrap_err().to_string().contains("subject.txt"));
        assert!(template(&[("subject.txt", "x")]).unwrap_err().to_string().contains("body.html"));
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Template::load(&folder.path().join("none")), Err(TemplateError::Read { .. })));
        std::fs::write(folder.path().join("subject.txt"), b"s").unwrap();
        std::fs::write(folder.path().join("body.txt"), b"\xff\xfe").unwrap();
        assert!(Template::load(folder.path()).unwrap_err().to_string().contains("body.txt"));
        std::fs::write(folder.path().join("body.txt"), b"{% include 'notes.md' %}").unwrap();
        std::fs::write(folder.path().join("notes.md"), b"n").unwrap();
        assert!(Template::load(folder.path()).unwrap_err().to_string().contains("no file notes.md"));
    }
}
