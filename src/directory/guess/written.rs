//! A guess → text for kakitome.toml. Infallible; what it writes is TOML that
//! [`crate::config::Config`] takes, and holds no customer's value.

use crate::account::Kind;
use crate::directory::guess::{Guess, GuessedColumn};
use crate::mapping::LetterCase;

/// The tables `[directory]` and `[directory.columns]`.
pub fn toml(guess: &Guess) -> String {
    let mut text = String::new();
    for note in &guess.notes {
        text.push_str(&format!("# {note}\n"));
    }
    text.push_str("[directory]\n");
    text.push_str(&line("account", &quoted(&guess.account), guess.account_note));
    text.push_str(&line("address", &quoted(&guess.address), guess.address_note));
    if let Some(encoding) = guess.encoding {
        let note = (encoding != "utf-16").then_some("look whether the names below are legible");
        text.push_str(&line("encoding", &quoted(encoding), note));
    }
    if let Some(separator) = guess.separator {
        text.push_str(&line("separator", &quoted(&separator.to_string()), None));
    }
    text.push_str("\n[directory.columns]\n");
    for column in &guess.columns {
        text.push_str(&format!("{} = {{ {} }}", key(&column.column), settings(column)));
        if !column.notes.is_empty() {
            text.push_str(&format!("  # {}", column.notes.join("; ")));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

fn line(key: &str, value: &str, note: Option<&str>) -> String {
    match note {
        Some(note) => format!("{key} = {value}  # guessed: {note}\n"),
        None => format!("{key} = {value}\n"),
    }
}

/// What stands between a column's braces.
fn settings(column: &GuessedColumn) -> String {
    let mut all = vec![format!("kind = {}", quoted(column.kind.as_str()))];
    all.extend(column.pattern.as_ref().map(|pattern| format!("pattern = {}", quoted(pattern))));
    all.extend(column.list.map(|list| format!("list = {}", quoted(&list.to_string()))));
    all.extend(
        column.country.filter(|_| column.kind == Kind::Phone).map(|country| format!("country = {}", quoted(country))),
    );
    all.extend(column.case.filter(|case| *case == LetterCase::Exact).map(|_| "case = \"exact\"".to_owned()));
    all.extend(column.exclusive.map(|exclusive| format!("exclusive = {exclusive}")));
    all.join(", ")
}

/// A key, quoted where TOML asks for it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A string: as it is between apostrophes where it has a backslash, else between quotes.
fn quoted(text: &str) -> String {
    if text.contains('\\') && !text.chars().any(|c| c == '\'' || c.is_control()) {
        return format!("'{text}'");
    }
    let sign = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\t' => "\\t".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(sign).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_key_that_toml_reads_as_written() {
        for name in ["id", "e-mail", "Member No.", "会員番号", "a\"b", "a\\b", "it's\\", "a.b", "", "x\u{1}y", "t\tb"]
        {
            let read: toml::Table = toml::from_str(&format!("{} = 1", key(name))).unwrap();
            assert_eq!(read.keys().next().unwrap(), name);
        }
        assert_eq!((key("member_id").as_str(), key("会員番号").as_str()), ("member_id", "\"会員番号\""));
    }
}
