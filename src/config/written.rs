//! What is said of a value of a sort that cannot stand where it does: in the words of whoever writes the file, without the value
//! itself, which may be a secret that stands at the wrong key.

/// What serde says of a file, where that is that a value of one sort stands where another is
/// wanted, in our words.
pub(super) fn in_words(message: &str) -> String {
    let message = message.trim();
    let said = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    match said.and_then(|said| said.rsplit_once(", expected ")) {
        Some((found, wanted)) => format!("{}{OF_SORT}{}", sort(found), to_write(wanted)),
        None => message.to_owned(),
    }
}

const OF_SORT: &str = " cannot stand here; write ";

/// Whether this was said of a value for its sort alone.
pub(super) fn is_of_sort(said: &str) -> bool {
    said.contains(OF_SORT)
}

/// A value as serde shows it: ``integer `5` ``.
fn sort(found: &str) -> &'static str {
    match found.split([' ', '`', '"']).next().unwrap_or_default() {
        "integer" | "floating" => "this number",
        "boolean" => "true or false",
        "string" | "character" => "this text",
        "sequence" => "a list",
        "map" => "a table or a date",
        _ => "this",
    }
}

fn to_write(wanted: &str) -> &str {
    match wanted {
        "a string" | "path string" => "a text in quotes",
        "a character" => "one character in quotes",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on",
        "a nonzero usize" => "a whole number above 0",
        "f32" | "f64" => "a number",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        _ if wanted.starts_with("struct ") => "a table",
        _ => wanted,
    }
}
