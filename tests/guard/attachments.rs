//! Files that are declared by their digest, and those that are not.

use kakitome::guard::{Rule, Terms};

use super::letter::{Letter, base64_lines, part};
use super::world::{World, terms};

/// Files that nobody reads, by type and content.
const FILES: [(&str, &[u8]); 4] = [
    ("image/png", b"\x89PNG\r\n\x1a\n-logo"),
    ("application/pdf", b"%PDF-1.7 terms of use"),
    ("application/zip", b"PK\x03\x04 a zip"),
    ("text/rtf", b"{\\rtf1 text}"),
];

fn declared(files: &[&[u8]]) -> Terms {
    let attachments = files.iter().map(|file| blake3::hash(file).to_hex().to_string()).collect();
    Terms { attachments, ..terms() }
}

fn is_unreadable(world: &World, letter: &Letter, terms: &Terms) -> bool {
    let verdict = world.judge_with(0, &letter.bytes(), terms);
    assert!(verdict.findings.iter().all(|finding| finding.rule == Rule::Unreadable), "{verdict:?}");
    !verdict.is_cleared()
}

#[test]
fn a_declared_part_is_cleared_and_another_is_not() {
    let world = World::new();
    for (kind, file) in FILES {
        let mut letter = Letter::new(&world, 0);
        letter.parts.push(part(kind, "base64", &base64_lines(file)));
        assert!(is_unreadable(&world, &letter, &terms()), "{kind}");
        assert!(!is_unreadable(&world, &letter, &declared(&[file])), "{kind}");
        assert!(is_unreadable(&world, &letter, &declared(&[b"another".as_slice()])), "{kind}");
    }
}

#[test]
fn a_declared_picture_in_a_link_is_cleared() {
    let world = World::new();
    let (kind, file) = FILES[0];
    let mut letter = Letter::new(&world, 0);
    let data = base64_lines(file).replace("\r\n", "");
    letter.html.push_str(&format!("<img alt=\"logo\" src=\"data:{kind};base64,{data}\">"));
    assert!(is_unreadable(&world, &letter, &terms()));
    assert!(!is_unreadable(&world, &letter, &declared(&[file])));
}

#[test]
fn a_declared_text_is_still_read() {
    let world = World::new();
    let text = format!("{}\r\n", world.values(1, "domains")[0]);
    let mut letter = Letter::new(&world, 0);
    letter.parts.push(part("text/plain", "8bit", &text));
    let found = world.judge_with(0, &letter.bytes(), &declared(&[text.as_bytes()])).findings;
    assert!(found.iter().any(|finding| finding.rule == Rule::Foreign), "{found:?}");
}

#[test]
fn a_digest_that_is_none_is_refused() {
    let world = World::new();
    let terms = Terms { attachments: vec!["abc".into()], ..terms() };
    assert!(world.guard.judge(&terms).is_err_and(|why| why.contains("digest")));
}

#[test]
fn stored_terms_without_attachments_are_read() {
    let old = serde_json::to_value(terms()).unwrap();
    let mut old = old.as_object().unwrap().clone();
    old.remove("attachments");
    assert_eq!(serde_json::from_value::<Terms>(old.into()).unwrap(), terms());
}
