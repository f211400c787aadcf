//! Keeps the house as its map says: who may name whom, which library stays in
//! which room, how long files and functions are, and what never stands in code
//! outside tests.
//!
//! Input: `src/` as text, and the repository's top-level entries. Output: every
//! fault as `file:line: what is wrong; what now`. Comments and literals are
//! blanked out first, so that prose about a thing is not the thing; everything
//! from a file's test module on is left out. Each check is itself tried on a
//! faulty file below, because a check that cannot fail keeps nothing.

use std::path::Path;
use std::process::Command;

use kakitome::cli::guide::PAGES;

const LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

/// What may stand at the top, besides [`DOT_FILES`].
const TOP: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "templates",
    "migrations",
    "tests",
    "benches",
    "ops",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
];
const DOT_FILES: [&str; 5] = [".gitignore", ".clippy.toml", ".rustfmt.toml", ".deny.toml", ".ci"];

/// The rooms: each is `src/NAME.rs` or `src/NAME/`.
const ROOMS: [&str; 32] = [
    "main",
    "command",
    "progress",
    "lib",
    "cli",
    "config",
    "error",
    "app",
    "clock",
    "telemetry",
    "account",
    "address",
    "campaign",
    "directory",
    "dns",
    "doctor",
    "audience",
    "render",
    "guard",
    "stage",
    "send",
    "ledger",
    "report",
    "store",
    "console",
    "key",
    "demo",
    "suppression",
    "mapping",
    "message",
    "schedule",
    "units",
];
const NO_NAMES: [&str; 4] = ["utils", "helpers", "manager", "common"];

/// A room, what it must never name, and why.
const ARROWS: [(&str, &[&str], &str); 5] = [
    ("send", &["render", "audience", "directory", "store"], "the sender can neither make nor fetch a message"),
    ("render", &["store", "guard", "send"], "a message is made from one record alone"),
    (
        "guard",
        &["audience", "store", "render", "send", "campaign", "config", "app", "account::Recipient"],
        "the guard trusts only what the recipient will see",
    ),
    ("console", &["send", "render", "guard"], "the console decides nothing that the command line cannot"),
    ("report", &["store", "send", "render", "app"], "a report is made from plain data"),
];

/// A library and the rooms it stays in.
const LIBRARIES: [(&str, &[&str]); 14] = [
    ("sqlx", &["store", "directory", "audience"]),
    ("minijinja", &["render"]),
    ("html2text", &["render"]),
    ("mail_builder", &["render"]),
    ("mail_auth", &["render", "dns", "doctor"]),
    ("psl", &["dns"]),
    ("mail_parser", &["guard"]),
    ("html5gum", &["guard"]),
    ("daachorse", &["guard"]),
    ("tokio_rustls", &["send"]),
    ("clap", &["cli"]),
    ("prometheus", &["telemetry"]),
    ("governor", &["send::pace"]),
    ("axum", &["console"]),
];

/// The rooms with I/O; the rest is pure and runs on blocking threads.
const ASYNC: [&str; 12] = [
    "store",
    "send",
    "console",
    "dns",
    "doctor",
    "app",
    "main",
    "command",
    "directory",
    "audience",
    "suppression",
    "demo",
];

/// Words that never stand outside tests, and what to write instead.
const WORDS: [(&str, &str); 6] = [
    (".unwrap()", "say with `?` or a match what happens then"),
    ("todo!", "write it, or leave it out"),
    ("unimplemented!", "write it, or leave it out"),
    ("dbg!", "log it in telemetry, or drop it"),
    ("#[allow", "mend it, or use #[expect(…, reason = \"…\")]"),
    ("#![allow", "mend it, or use #![expect(…, reason = \"…\")]"),
];

/// One source file: its path under `src/`, its text, and its code alone.
struct File {
    path: String,
    text: String,
    code: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let blank = blank(text);
        let code = match test_module(&blank) {
            // And what is a module of it.
            _ if path.ends_with("/tests.rs") || path.contains("/tests/") => String::new(),
            Some(at) => blank[..at].to_owned(),
            None => blank,
        };
        Self { path: path.into(), text: text.into(), code }
    }

    /// `src/send/pace.rs` is `["send", "pace"]`, `src/send/mod.rs` `["send"]`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').collect()
    }

    fn is_in(&self, room: &str) -> bool {
        let room: Vec<_> = room.split("::").collect();
        self.module().starts_with(&room)
    }

    fn fault(&self, at: usize, what: &str) -> String {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() + 1;
        format!("src/{}:{line}: {what}", self.path)
    }

    /// Every path that begins at the crate's root, use-trees written out.
    fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, word) in words(&self.code) {
            let follows = self.code[at + word.len()..].starts_with("::");
            // The middle of a path was read from its beginning.
            if !follows || self.code[..at].ends_with("::") {
                continue;
            }
            let module = self.module();
            let base = match word {
                "crate" | "kakitome" => "crate".to_owned(),
                "super" => {
                    let supers = self.code[at..].split("::").take_while(|part| *part == "super").count();
                    let parents = &module[..module.len().saturating_sub(supers)];
                    std::iter::once("crate").chain(parents.iter().copied()).collect::<Vec<_>>().join("::")
                }
                _ => continue,
            };
            let mut tree = &self.code[at + word.len()..];
            while let Some(rest) = tree.strip_prefix("::super") {
                tree = rest;
            }
            let mut paths = Vec::new();
            expand(&base, tree, &mut paths);
            found.extend(paths.into_iter().map(|path| (at, path)));
        }
        found
    }
}

/// Writes out `::a::{b, c::d}` behind `base`; returns what is left of the text.
fn expand<'t>(base: &str, text: &'t str, paths: &mut Vec<String>) -> &'t str {
    let Some(rest) = text.strip_prefix("::") else {
        paths.push(base.to_owned());
        return text;
    };
    if let Some(mut rest) = rest.trim_start().strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if rest.is_empty() || rest.starts_with('}') {
                return rest.get(1..).unwrap_or("");
            }
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            // `*`, or anything else that is no name, is passed over.
            let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
            rest = expand(&format!("{base}::{}", &rest[..end]), &rest[end..], paths);
            rest = rest.trim_start();
            if let Some(renamed) = rest.strip_prefix("as ") {
                rest = renamed.trim_start().trim_start_matches(is_word);
            }
        }
    }
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    expand(&format!("{base}::{}", &rest[..end]), &rest[end..], paths)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every word and where it begins.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |length| start + length);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// The text with comments and the insides of literals blanked out, byte for
/// byte, so that places stay the same.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => find(bytes, at, b"\n"),
            b'/' if bytes[at..].starts_with(b"/*") => block_comment(bytes, at),
            b'"' => string(bytes, at),
            b'r' if at == 0 || !is_word(char::from(bytes[at - 1])) || bytes[at - 1] == b'b' => raw_string(bytes, at),
            b'\'' => character(bytes, at),
            _ => at,
        };
        if end > at {
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8(out).expect("only whole literals and comments are blanked out")
}

/// Where `mark` stands from `at` on, or the end.
fn find(bytes: &[u8], at: usize, mark: &[u8]) -> usize {
    (at..bytes.len()).find(|i| bytes[*i..].starts_with(mark)).unwrap_or(bytes.len())
}

fn block_comment(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The end of `r#"…"#`; `start` itself where none begins there.
fn raw_string(bytes: &[u8], start: usize) -> usize {
    let hashes = bytes[start + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = start + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return start;
    }
    let close = [&b"\""[..], &vec![b'#'; hashes]].concat();
    (find(bytes, open + 1, &close) + close.len()).min(bytes.len())
}

/// The end of a character literal; `start` itself where a lifetime begins.
fn character(bytes: &[u8], start: usize) -> usize {
    if bytes.get(start + 1) == Some(&b'\\') {
        return (find(bytes, start + 3, b"'") + 1).min(bytes.len());
    }
    // One character of one to four bytes, then the closing quote.
    let width = (1..=4).find(|width| start + 1 + width >= bytes.len() || bytes[start + 1 + width] & 0xc0 != 0x80);
    match width {
        Some(width) if bytes.get(start + 1 + width) == Some(&b'\'') => start + width + 2,
        _ => start,
    }
}

/// Where the test module's `#[cfg(test)]` stands.
fn test_module(code: &str) -> Option<usize> {
    let mut marks = code.match_indices("#[cfg(test)]");
    marks.find_map(|(at, mark)| {
        let mut rest = code[at + mark.len()..].trim_start();
        while rest.starts_with("#[") {
            rest = rest[rest.find(']')? + 1..].trim_start();
        }
        if rest.starts_with("pub") {
            let is_restricted = rest.starts_with("pub(");
            rest = rest[if is_restricted { rest.find(')')? + 1 } else { 3 }..].trim_start();
        }
        rest.starts_with("mod ").then_some(at)
    })
}

fn heads(file: &File) -> Vec<String> {
    if file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![file.fault(0, "the file does not open with //!; say what it does, its input, output and invariants")]
}

fn lengths(file: &File) -> Vec<String> {
    let lines = file.code.trim_end().lines().count();
    if lines <= LINES_MAX {
        return Vec::new();
    }
    vec![format!(
        "src/{}:{LINES_MAX}: {lines} lines before its tests, over {LINES_MAX}; give a part its own file",
        file.path
    )]
}

fn function_lengths(file: &File) -> Vec<String> {
    let code = &file.code;
    let functions = words(code).filter(|(_, word)| *word == "fn");
    functions
        .filter_map(|(at, _)| {
            let name = code[at + 2..].trim_start();
            if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                return None;
            }
            let body = &code[at..body_end(code, at)?];
            let lines = body.lines().count();
            let name: String = name.chars().take_while(|c| is_word(*c)).collect();
            let what = format!("fn {name} has {lines} lines, over {FUNCTION_LINES_MAX}; give a step its own function");
            (lines > FUNCTION_LINES_MAX).then(|| file.fault(at, &what))
        })
        .collect()
}

/// Where the body of the function at `at` ends; `None` without a body.
fn body_end(code: &str, at: usize) -> Option<usize> {
    let (mut braces, mut brackets) = (0, 0);
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 {
                    return Some(at + offset + 1);
                }
            }
            _ => (),
        }
    }
    None
}

fn arrows(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let mut add = |at, path: &str, room: &str, why: &str| {
        faults.push(file.fault(at, &format!("{room} names {path}, but {why}; hand it over as plain data")));
    };
    for (room, never, why) in ARROWS.iter().filter(|(room, ..)| file.is_in(room)) {
        for (at, path) in file.crate_paths() {
            let names = |other: &&&str| {
                let other = format!("crate::{other}");
                path == other || path.strip_prefix(&other).is_some_and(|rest| rest.starts_with("::"))
            };
            if never.iter().any(|other| names(&other)) {
                add(at, &path, room, why);
            }
        }
    }
    faults
}

fn libraries(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, word) in words(&file.code) {
        let Some((library, rooms)) = LIBRARIES.iter().find(|(library, _)| *library == word) else { continue };
        let is_path = file.code[at + word.len()..].starts_with("::") || file.code[..at].trim_end().ends_with("use");
        let is_ours = file.code[..at].ends_with("::");
        if is_path && !is_ours && !rooms.iter().any(|room| file.is_in(room)) {
            let what = format!("{library} stays in {}; ask that room for what you need", rooms.join(", "));
            faults.push(file.fault(at, &what));
        }
    }
    faults
}

fn asyncs(file: &File) -> Vec<String> {
    if ASYNC.iter().any(|room| file.is_in(room)) {
        return Vec::new();
    }
    let found = words(&file.code).filter(|(_, word)| matches!(*word, "async" | "await" | "tokio"));
    let what = "async in a room without I/O; let the caller wait, and keep this pure";
    found.map(|(at, _)| file.fault(at, what)).collect()
}

fn banned(file: &File) -> Vec<String> {
    let found = WORDS.iter().flat_map(|(word, now)| {
        file.code
            .match_indices(word)
            .map(move |(at, _)| file.fault(at, &format!("{} outside tests; {now}", word.trim())))
    });
    found.collect()
}

fn names(file: &File) -> Vec<String> {
    let module = file.module();
    let mut faults = Vec::new();
    if !ROOMS.contains(&module[0]) {
        let what = format!("{} is no room of the house; find the room it belongs to", module[0]);
        faults.push(file.fault(0, &what));
    }
    if let Some(name) = module.iter().find(|part| NO_NAMES.contains(part)) {
        faults.push(file.fault(0, &format!("{name} says nothing; name the file after what it does")));
    }
    faults
}

/// What goes on top must be on the list.
fn top_level<'e>(entries: impl Iterator<Item = &'e str>) -> Vec<String> {
    let strange = entries.filter(|entry| !TOP.contains(entry) && !DOT_FILES.contains(entry));
    strange
        .map(|entry| format!("{entry}:1: it does not belong at the top; put it into a folder, or leave it out"))
        .collect()
}

/// A proof that can be copied, read from a file or changed proves nothing.
fn seals(file: &File) -> Vec<String> {
    if !["guard/cleared.rs", "render/rendered.rs"].contains(&file.path.as_str()) {
        return Vec::new();
    }
    let found = words(&file.code).filter(|(at, word)| {
        matches!(*word, "Clone" | "Deserialize") || (*word == "mut" && file.code[..*at].ends_with('&'))
    });
    found
        .map(|(at, word)| file.fault(at, &format!("{word} on a sealed message; what was judged must stay as it is")))
        .collect()
}

fn sources() -> Vec<File> {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<File>) {
        for entry in std::fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file is UTF-8");
                let path = path.strip_prefix(root).expect("it lies under src").to_string_lossy().replace('\\', "/");
                files.push(File::new(&path, &text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    assert!(files.len() > 10, "src was not found");
    files
}

fn keep(check: fn(&File) -> Vec<String>) {
    let mut faults: Vec<_> = sources().iter().flat_map(check).collect();
    faults.sort();
    assert!(faults.is_empty(), "{} to mend:\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    keep(heads);
}

#[test]
fn files_are_short() {
    keep(lengths);
}

#[test]
fn functions_are_short() {
    keep(function_lengths);
}

#[test]
fn rooms_name_only_whom_they_may() {
    keep(arrows);
}

#[test]
fn libraries_stay_in_their_rooms() {
    keep(libraries);
}

#[test]
fn only_rooms_with_io_wait() {
    keep(asyncs);
}

#[test]
fn what_never_stands_outside_tests_does_not() {
    keep(banned);
}

#[test]
fn files_have_their_place_and_a_name() {
    keep(names);
}

#[test]
fn sealed_messages_stay_sealed() {
    keep(seals);
}

/// The most lines of the README: the rest is the guide.
const README_LINES_MAX: usize = 200;

/// Where the links of a page lead, within this repository, seen from its top.
fn links(page: &str, text: &str) -> Vec<String> {
    let folder = page.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|to| !to.is_empty() && !to.contains(':')).map(|to| format!("{folder}{to}")).collect()
}

#[test]
fn the_readme_is_short_and_leads_to_every_page_of_the_guide() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |page: &str| std::fs::read_to_string(top.join(page)).unwrap();
    let readme = read("README.md");
    assert!(readme.lines().count() <= README_LINES_MAX, "{} lines", readme.lines().count());
    let mut pages = vec!["README.md".to_owned()];
    for entry in std::fs::read_dir(top.join("ops/guide")).unwrap() {
        let page = format!("ops/guide/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(links("README.md", &readme).contains(&page), "the README does not lead to {page}");
        pages.push(page);
    }
    assert_eq!(links("ops/a.md", "[b](b.md#c) [d](../d) [e](https://e.example) [f](#f)"), ["ops/b.md", "ops/../d"]);
    for page in pages {
        let dead: Vec<String> = links(&page, &read(&page)).into_iter().filter(|to| !top.join(to).exists()).collect();
        assert!(dead.is_empty(), "{page} leads to {dead:?}");
    }
}

#[test]
fn every_page_of_the_guide_is_a_topic_of_help() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/guide");
    let mut pages: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .collect();
    let mut topics: Vec<String> = PAGES.iter().map(|page| format!("{}.md", page.name)).collect();
    pages.sort();
    topics.sort();
    assert_eq!(topics, pages, "list each page once in src/cli/guide.rs");
    for page in PAGES {
        assert!(page.text.starts_with("# ") && !page.about.is_empty(), "{}", page.name);
        let here = format!("ops/guide/{}.md", page.name);
        let dead: Vec<String> =
            links(&here, page.text).into_iter().filter(|to| !folder.join("../..").join(to).exists()).collect();
        assert!(dead.is_empty(), "{here} leads to {dead:?}");
    }
}

#[test]
fn nothing_else_lies_at_the_top() {
    let root = env!("CARGO_MANIFEST_DIR");
    // An unpacked archive has no git, and build output beside its files.
    let listed = Command::new("git").args(["ls-files"]).current_dir(root).output();
    let listed = listed.ok().filter(|output| output.status.success() && !output.stdout.is_empty());
    let Some(listed) = listed else { return };
    let listed = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let mut entries: Vec<_> = listed.lines().filter_map(|path| path.split('/').next()).collect();
    entries.dedup();
    let faults = top_level(entries.into_iter());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

mod each_check_fails_where_it_should {
    use super::*;

    fn faults(check: fn(&File) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
        check(&File::new(path, text))
    }

    #[test]
    fn heads_and_lengths() {
        assert_eq!(faults(heads, "a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(faults(heads, "a.rs", "//! a\n").len(), 0);
        let long = |lines| "const A: u8 = 1;\n".repeat(lines) + "#[cfg(test)]\nmod tests {\n" + &"//\n".repeat(500);
        assert_eq!(faults(lengths, "a.rs", &long(400)).len(), 0);
        assert_eq!(faults(lengths, "a.rs", &long(401)).len(), 1);
    }

    #[test]
    fn functions() {
        let long = |lines| {
            format!("//! a\nfn ok(&self);\nfn long(a: [u8; 2]) {{\n{}}}\n", "    a(\"{\", '}');\n".repeat(lines))
        };
        assert!(faults(function_lengths, "a.rs", &long(58)).is_empty());
        let found = faults(function_lengths, "a.rs", &long(59));
        assert!(found[0].starts_with("src/a.rs:3: fn long has 61 lines"), "{found:?}");
    }

    #[test]
    fn arrows_in_every_spelling() {
        for bad in [
            "use crate::store::Store;",
            "use crate::{account, store};",
            "use crate::{a::{b, c}, store::{self, X}};",
            "use crate::{account as x, store as y};",
            "fn a() { crate::store::open() }",
            "use super::super::store;",
        ] {
            assert!(!faults(arrows, "send/smtp.rs", bad).is_empty(), "{bad}");
        }
        assert_eq!(faults(arrows, "send/mod.rs", "use super::store;").len(), 1);
        assert_eq!(faults(arrows, "send/mod.rs", "use crate::{ledger, guard::Cleared};").len(), 0);
        assert_eq!(faults(arrows, "send/mod.rs", "use crate::storefront; // crate::store").len(), 0);
        assert_eq!(faults(arrows, "app.rs", "use crate::store;").len(), 0);
        assert_eq!(faults(arrows, "render/a.rs", "use crate::guard::Literal;").len(), 1);
        assert_eq!(faults(arrows, "guard/a.rs", "use crate::message::Finished;").len(), 0);
        assert_eq!(faults(arrows, "guard/a.rs", "use crate::render::Template;").len(), 1);
        assert_eq!(faults(arrows, "guard/a.rs", "use crate::account::{AccountId, Recipient};").len(), 1);
        assert_eq!(faults(arrows, "guard/a.rs", "#[cfg(test)]\nmod tests { use crate::render::Template; }").len(), 0);
    }

    #[test]
    fn libraries_and_async() {
        assert_eq!(faults(libraries, "report/a.rs", "use sqlx::Row;").len(), 1);
        assert_eq!(
            faults(libraries, "report/a.rs", "fn a() -> ::sqlx::Row {}").len(),
            0,
            "told apart from crate::sqlx"
        );
        assert_eq!(faults(libraries, "store/a.rs", "use sqlx::Row;").len(), 0);
        assert_eq!(faults(libraries, "send/smtp.rs", "governor::Quota::new()").len(), 1);
        assert_eq!(faults(libraries, "send/pace.rs", "governor::Quota::new()").len(), 0);
        assert_eq!(faults(asyncs, "guard/a.rs", "async fn a() {}").len(), 1);
        assert_eq!(faults(asyncs, "send/a.rs", "async fn a() {}").len(), 0);
    }

    #[test]
    fn words_that_never_stand() {
        for (word, _) in WORDS {
            assert_eq!(faults(banned, "a.rs", &format!("fn a() {{ {word}(1) }}")).len(), 1, "{word}");
            let harmless = format!("// {word}\n/* {word} */ const A: &str = \"{word}\"; r#\"{word}\"#\n");
            assert_eq!(faults(banned, "a.rs", &harmless).len(), 0, "{word}");
            assert_eq!(faults(banned, "a.rs", &format!("#[cfg(test)]\nmod tests {{ {word} }}")).len(), 0, "{word}");
            for tests in ["a/tests.rs", "a/tests/server.rs"] {
                assert_eq!(faults(banned, tests, &format!("{word} ")).len(), 0, "{word}");
            }
        }
        // A literal's end is found, and a lifetime begins none.
        for before in ["'\"'", "'\\''", "'あ'", "b'\"'", "\"\\\"\"", "br##\"\"#\"##", "<'a>", "/* /* */ */"] {
            assert_eq!(faults(banned, "a.rs", &format!("{before} x.unwrap()")).len(), 1, "{before}");
        }
    }

    #[test]
    fn places_names_and_seals() {
        assert_eq!(faults(names, "misc.rs", "").len(), 1);
        assert_eq!(faults(names, "guard/utils.rs", "").len(), 1);
        assert_eq!(faults(names, "guard/index.rs", "").len(), 0);
        assert_eq!(top_level(["src", "notes.txt", ".env"].into_iter()).len(), 2);
        assert_eq!(faults(seals, "guard/cleared.rs", "#[derive(Clone)] struct A; fn a(&mut self) {}").len(), 2);
        assert_eq!(faults(seals, "guard/finding.rs", "#[derive(Clone)] struct A;").len(), 0);
    }
}
