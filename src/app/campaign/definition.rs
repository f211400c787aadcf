//! What a campaign is frozen from: its file, its template, its links. Everything
//! that cannot be used is refused here, before anything is written.

use std::path::Path;

use crate::app::App;
use crate::app::campaign::loaded;
use crate::app::campaign::loaded::LoadedCampaign;
use crate::campaign::Definition;
use crate::config::{at_line, line_of};
use crate::error::{Error, Exit, Result};
use crate::guard::{Guard, Literal, Literally, Overlay, Terms};
use crate::mapping::Mapping;
use crate::render::{self, Template};
use crate::stage;

/// Reads a campaign file.
pub(in crate::app) fn read_definition(file: &Path) -> Result<Definition> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let what = format!("cannot read the campaign file {}", file.display());
        Error::usage(what).why(e).now("name a campaign file; `kakitome init` writes one to begin with")
    })?;
    let unusable = |why: String| {
        Error::usage(format!("cannot use the campaign file {}", file.display())).why(why).now("mend it and try again")
    };
    let mut definition: Definition = toml::from_str(&text).map_err(|e| unusable(at_line(&text, &e)))?;
    let at = |key: &str, why: String| match line_of(&text, key) {
        Some(line) => unusable(format!("line {line}: {why}")),
        None => unusable(why),
    };
    definition.validate().map_err(|why| at(why.split(' ').next().unwrap_or_default(), why.clone()))?;
    for key in ["from", "bounce", "reply_to"] {
        loaded::sender(&definition, key).map_err(|why| at(key, format!("{key}: {why}")))?;
    }
    stage::ladder(&definition.stages).map_err(|why| {
        let why = why.to_string();
        let named = definition.stages.iter().position(|stage| why.contains(&format!("{:?}", stage.name)));
        at(&named.map_or("stage".into(), |n| format!("stage[{}]", n + 1)), why)
    })?;
    definition.name = definition.name.trim().to_owned();
    let empty_reason = definition.allow.iter().find(|allow| allow.reason.trim().is_empty());
    if let Some(allow) = empty_reason {
        return Err(Error::usage("an entry of the allow-list has no reason")
            .why(format!("value {:?}", allow.value))
            .now("write down why it may appear in everybody's mail"));
    }
    for attachment in &mut definition.attachments {
        let path = file.parent().unwrap_or(Path::new("")).join(&attachment.file);
        let bytes = std::fs::read(&path).map_err(|e| {
            let what = format!("cannot read the attachment {}", path.display());
            Error::usage(what).why(e).now("[[attachment]] names a file by its path from the campaign file")
        })?;
        attachment.digest = blake3::hash(&bytes).to_hex().to_string();
    }
    Ok(definition)
}

/// Reads a template's folder.
pub(in crate::app) fn load_template(folder: &Path) -> Result<Template> {
    let unusable = |e| {
        let what = format!("the template {} cannot be used", folder.display());
        Error::usage(what).cause(&e).now("mend it; the campaign file's template names its folder")
    };
    let template = Template::load(folder).map_err(unusable)?;
    template.says_something().map_err(unusable)?;
    Ok(template)
}

/// Refuses a template that names what there is not.
pub(in crate::app) fn lint(template: &Template, mapping: &Mapping, extra: &[String]) -> Result<()> {
    let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
    let found = template.lint(&loaded::template_columns(mapping), &extra);
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(|lint| format!("\n  {lint}")).collect();
    Err(Error::usage("the template names what there is not")
        .why(lines.concat())
        .now("the directory's columns are account.*, the audience's extra columns extra.*, and links.unsubscribe and links.view are made here; filters and tests are minijinja's"))
}

/// Identifiers of accounts that are named at most.
const LITERALLY_MAX: usize = 20;

/// The literal text, looked up in the directory and in what the campaign declares.
pub(in crate::app) fn lint_literal(guard: &Guard, bound: &LoadedCampaign, overlay: &Overlay) -> Result<()> {
    let unusable = |why| Error::usage("the campaign's terms cannot be used").why(why);
    let found = guard.lint(bound.terms(), overlay).map_err(unusable)?;
    if found.is_empty() {
        return Ok(());
    }
    let places = Places::new(guard, bound, overlay);
    let lines = found.iter().take(LITERALLY_MAX).map(|one| format!("\n  {one}: {}", places.of(one)));
    Err(Error::new(Exit::Held, format!("{} identifiers of accounts stand in the campaign's literal text", found.len()))
        .why(lines.collect::<String>())
        .now("take them out, or put each on the campaign's allow-list with a reason"))
}

/// Where something stands in a campaign's literal text.
struct Places<'a> {
    guard: &'a Guard,
    terms: &'a Terms,
    overlay: &'a Overlay,
    /// The template's pieces, the first of the terms' in the same order; the
    /// others are header values.
    template: Vec<render::Literal>,
    /// What stands in each piece by itself.
    found: Vec<Vec<Literally>>,
}

impl<'a> Places<'a> {
    fn new(guard: &'a Guard, bound: &'a LoadedCampaign, overlay: &'a Overlay) -> Self {
        let (terms, template) = (bound.terms(), bound.renderer().template().literals());
        let mut places = Self { guard, terms, overlay, template, found: Vec::new() };
        places.found = terms.literal.iter().map(|piece| places.read(piece.html, &piece.text)).collect();
        places
    }

    /// What stands in a text.
    fn read(&self, html: bool, text: &str) -> Vec<Literally> {
        let literal = vec![Literal { html, text: text.to_owned() }];
        let terms = Terms { literal, ..self.terms.clone() };
        // The whole could be read, and so can each piece.
        self.guard.lint(&terms, self.overlay).unwrap_or_default()
    }

    /// Every file, with the first line at whose end it is there.
    fn of(&self, one: &Literally) -> String {
        let mut places = Vec::new();
        for (n, _) in self.found.iter().enumerate().filter(|(_, found)| found.contains(one)) {
            places.push(match self.template.get(n) {
                None => "a header value (from, reply_to, bounce, list_id, links.base or [[dkim]])".to_owned(),
                Some(render::Literal { html, text, file, lines }) => {
                    let above = |end: usize| !self.read(*html, &text[..end]).contains(one);
                    let n = lines.partition_point(|(end, _)| above(*end)).min(lines.len().saturating_sub(1));
                    format!("{file} line {}", lines.get(n).map_or(1, |(_, line)| *line))
                }
            });
        }
        places.dedup();
        places.join(", ")
    }
}

/// Where links lead.
pub(in crate::app) fn links_base(app: &App) -> Result<String> {
    app.config.links.base.clone().ok_or_else(|| {
        Error::usage("links.base is not set")
            .why("every message needs a link that unsubscribes with one click (RFC 8058)")
            .now("set base = \"https://…\" under [links] in kakitome.toml")
    })
}

/// Of a template's files and the definition it is frozen with.
pub(in crate::app) fn template_digest(template: &Template, definition: &Definition) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, text) in template.files() {
        for piece in [name, text] {
            hasher.update(&(piece.len() as u64).to_be_bytes());
            hasher.update(piece.as_bytes());
        }
    }
    hasher.update(serde_json::to_string(definition).unwrap_or_default().as_bytes());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_none_is_told_by_line_and_not_quoted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "10000001,ada@a.example,pa55word\n").unwrap();
        let said = format!("{:?}", read_definition(file.path()).unwrap_err());
        assert!(said.contains("line 1, column 9"), "{said}");
        assert!(!said.contains("ada@") && !said.contains("pa55word"), "{said}");
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let top = "name = \"n\"\nfrom = \"a@b.example\"\ntemplate = \"t\"\naudience = \"a.csv\"\n";
        let rest = "[[stage]]\nname = \"rest\"\npercent = 100\n";
        for (text, why) in [
            (top.replace("\"n\"", "\"\""), "line 1: name must"),
            (top.replace("a@b.example", "nobody"), "line 2: from: "),
            (format!("{top}bounce = \"nobody\"\n"), "line 5: bounce: it has no local part"),
            (format!("{top}reply_to = \"nobody\"\n"), "line 5: reply_to: "),
            (format!("{top}[[stage]]\nname = \"x\"\ncount = 0\n{rest}"), "line 5: stage \"x\" is for nobody"),
            (format!("{top}{rest}{}", rest.replace("rest", "b")), "line 5: stage \"rest\""),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let refused = read_definition(file.path()).unwrap_err();
            assert!(refused.reason().unwrap().starts_with(why) && refused.advice().is_some(), "{why}: {refused}");
        }
    }

    #[test]
    fn a_key_below_a_tables_header_is_told_to_be_within_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = |end: &str| {
            let top = "name = \"n\"\nfrom = \"a@b.example\"\ntemplate = \"t\"\naudience = \"a.csv\"\n";
            std::fs::write(file.path(), format!("{top}{end}")).unwrap();
            read_definition(file.path()).unwrap_err().reason().unwrap().to_owned()
        };
        for (end, line, table) in [
            ("[extra.order_no]\nkind = \"text\"\nseed = 7\n", "line 7, column 1: ", "[extra.order_no]"),
            ("[extra]\nheld_max = 0\n", "line 6, column 12, held_max: ", "[extra]"),
            ("[[stage]]\nname = \"rest\"\nseed = 7\n", "line 7, column 1: ", "[[stage]]"),
        ] {
            let said = said(end);
            assert!(said.starts_with(line), "{said}");
            assert!(said.contains(&format!("; it stands within {table}, and keys of the file")), "{said}");
        }
    }
}
