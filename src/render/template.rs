//! Templates: a folder with `subject.txt` and `body.html`, `body.txt` or both;
//! further files may be included. minijinja, strict about what is undefined,
//! limited in fuel, HTML escaped, no way around the escaping.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minijinja::machinery::{Token, tokenize};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::render::RenderError;
use crate::render::context::Context;

/// Instructions that one file may take for one recipient: some hundred times
/// what a newsletter with dozens of domains takes.
const FUEL: u64 = 2_000_000;
/// The longest file, in bytes.
const FILE_BYTES_MAX: u64 = 2_000_000;
/// The first of the private-use characters that mark branches.
const BRANCH: u32 = 0xE000;

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file or the folder cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no subject.
    #[error("it has no subject.txt")]
    NoSubject,
    /// There is no body.
    #[error("it has neither body.html nor body.txt")]
    NoBody,
    /// A file is no template.
    #[error("{file}, line {line}: {why}")]
    Syntax {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// Something goes around the escaping.
    #[error(
        "{file}, line {line}: {what} goes around HTML escaping and is refused; write the markup into the template itself"
    )]
    Unescaped {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What.
        what: &'static str,
    },
}

/// A loaded template.
#[derive(Debug)]
pub struct Template {
    files: BTreeMap<String, String>,
    plain: Environment<'static>,
    marked: Environment<'static>,
}

/// A piece of the template's literal text, U+FFFC standing for expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Whether it stands in HTML.
    pub html: bool,
    /// The text.
    pub text: String,
}

impl Template {
    /// Reads a folder's `.txt` and `.html` files.
    ///
    /// # Errors
    /// A file cannot be read or is no template, or a needed one is missing.
    pub fn load(folder: &Path) -> Result<Self, TemplateError> {
        let unreadable = |path: &Path, why: String| TemplateError::Unreadable { path: path.to_owned(), why };
        let mut files = BTreeMap::new();
        let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, e.to_string()))?;
        for entry in entries {
            let path = entry.map_err(|e| unreadable(folder, e.to_string()))?.path();
            let (Some(name), Some(extension)) = (path.file_name(), path.extension()) else { continue };
            if !path.is_file() || (extension != "txt" && extension != "html") {
                continue;
            }
            let size = path.metadata().map_err(|e| unreadable(&path, e.to_string()))?.len();
            if size > FILE_BYTES_MAX {
                return Err(unreadable(&path, format!("it has {size} bytes, more than {FILE_BYTES_MAX}")));
            }
            let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e.to_string()))?;
            files.insert(name.to_string_lossy().into_owned(), text);
        }
        Self::from_files(files)
    }

    /// The same from files already read: a frozen campaign's.
    ///
    /// # Errors
    /// As [`Template::load`].
    pub fn from_files(files: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        if !files.contains_key("subject.txt") {
            return Err(TemplateError::NoSubject);
        }
        if !files.contains_key("body.html") && !files.contains_key("body.txt") {
            return Err(TemplateError::NoBody);
        }
        let (mut plain, mut marked) = (environment(), environment());
        let mut branch = BRANCH;
        for (name, text) in &files {
            add(&mut plain, name, text.clone())?;
            refuse_unescaped(name, text)?;
            add(&mut marked, name, mark_branches(text, &mut branch))?;
        }
        Ok(Self { files, plain, marked })
    }

    /// The files, by name.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The literal text of every file, and the texts that stand in expressions.
    pub fn literals(&self) -> Vec<Literal> {
        self.files.iter().map(|(name, text)| Literal { html: name.ends_with(".html"), text: literal(text) }).collect()
    }

    pub(in crate::render) fn environment(&self) -> &Environment<'static> {
        &self.plain
    }

    pub(in crate::render) fn subject(&self, context: &Context<'_>) -> Result<String, RenderError> {
        Ok(run(&self.plain, "subject.txt", context)?.trim().to_owned())
    }

    pub(in crate::render) fn html(&self, context: &Context<'_>) -> Result<Option<String>, RenderError> {
        self.files.contains_key("body.html").then(|| run(&self.plain, "body.html", context)).transpose()
    }

    pub(in crate::render) fn text(&self, context: &Context<'_>) -> Result<Option<String>, RenderError> {
        self.files.contains_key("body.txt").then(|| run(&self.plain, "body.txt", context)).transpose()
    }

    pub(in crate::render) fn branches(&self, context: &Context<'_>) -> Vec<char> {
        let files = ["subject.txt", "body.html", "body.txt"].into_iter().filter(|name| self.files.contains_key(*name));
        let texts: String = files.filter_map(|name| run(&self.marked, name, context).ok()).collect();
        let mut branches: Vec<char> = texts.chars().filter(|c| ('\u{e000}'..='\u{f8ff}').contains(c)).collect();
        branches.sort_unstable();
        branches.dedup();
        branches
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(
        |name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    environment.remove_filter("safe");
    environment.remove_global("debug");
    environment
}

fn add(environment: &mut Environment<'static>, name: &str, text: String) -> Result<(), TemplateError> {
    environment.add_template_owned(name.to_owned(), text).map_err(|e| TemplateError::Syntax {
        file: name.to_owned(),
        line: e.line().unwrap_or(1),
        why: e.detail().map_or_else(|| e.kind().to_string(), str::to_owned),
    })
}

fn run(environment: &Environment<'static>, name: &str, context: &Context<'_>) -> Result<String, RenderError> {
    let render = || environment.get_template(name)?.render(Value::from(Serde(context)));
    render().map_err(|e| RenderError::Template {
        file: e.name().unwrap_or(name).to_owned(),
        line: e.line().unwrap_or(0),
        // The kind alone: a detail may quote a value.
        why: e.kind().to_string(),
    })
}

/// `|safe` and `autoescape` blocks would put a customer's own text into the
/// page as markup.
fn refuse_unescaped(name: &str, text: &str) -> Result<(), TemplateError> {
    let mut before: Option<Token<'_>> = None;
    for (token, span) in tokenize(text, false, Default::default()).flatten() {
        let what = match (&before, &token) {
            (Some(Token::Pipe), Token::Ident("safe")) => Some("|safe"),
            (Some(Token::BlockStart), Token::Ident("autoescape")) => Some("an autoescape block"),
            (Some(Token::Ident("filter")), Token::Ident("safe")) => Some("the filter safe"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(TemplateError::Unescaped { file: name.to_owned(), line: usize::from(span.start_line), what });
        }
        before = Some(token);
    }
    Ok(())
}

/// Object replacement character: stands where an expression stood.
const GAP: char = '\u{fffc}';

fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for (token, _) in tokenize(text, false, Default::default()).flatten() {
        match token {
            Token::TemplateData(data) => literal.push_str(data),
            Token::VariableStart | Token::BlockStart | Token::VariableEnd | Token::BlockEnd => literal.push(GAP),
            Token::Str(constant) => push_constant(&mut literal, constant),
            Token::String(constant) => push_constant(&mut literal, &constant),
            _ => {}
        }
    }
    literal
}

/// A constant in an expression may be joined with something else: what touches
/// its ends explains nothing.
fn push_constant(literal: &mut String, constant: &str) {
    literal.push(GAP);
    literal.push_str(constant);
    literal.push(GAP);
}

/// Puts a private-use character after every `{% … %}`, so that what a message
/// shows of them tells which branches it took.
fn mark_branches(text: &str, branch: &mut u32) -> String {
    let mut marked = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for (token, span) in tokenize(text, false, Default::default()).flatten() {
        if let (Token::BlockEnd, Some(mark)) = (token, char::from_u32(*branch)) {
            let end = span.end_offset as usize;
            marked.push_str(&text[done..end]);
            marked.push(mark);
            done = end;
            *branch = (*branch + 1).min(0xF8FF);
        }
    }
    marked.push_str(&text[done..]);
    marked
}
