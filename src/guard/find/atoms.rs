//! Atoms: the runs of digits and of letters that numbers and IDs are made of, and which
//! neighbours may be pieces of one.
//!
//! Input: folded text. Output: atoms in order. Linear.

use std::ops::Deref;

use crate::guard::find::pattern::Letters;

/// The most signs between two pieces of one number: `1000'+'1001`, a line end with the
/// mark of a quotation.
pub const GAP_MAX: usize = 3;

/// One run of digits or of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atom {
    /// Where it begins, in bytes.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// How many characters it has.
    pub length: usize,
    /// Whether it is of digits.
    pub is_digits: bool,
}

/// The atoms of a text.
pub struct Atoms {
    atoms: Vec<Atom>,
    /// Whether each may be one number with the one after it.
    joins: Vec<bool>,
}

impl Deref for Atoms {
    type Target = [Atom];

    fn deref(&self) -> &[Atom] {
        &self.atoms
    }
}

impl Atoms {
    /// Cuts a text. Letters that no pattern has are no atoms; `signs` are those of the
    /// patterns, besides those that stand in any number.
    pub fn of(text: &str, letters: Letters, signs: &[char]) -> Self {
        let mut atoms: Vec<Atom> = Vec::new();
        let has_letters = letters >= Letters::Ascii;
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let (sort, width) = match bytes[at] {
                b if b.is_ascii_digit() => (Some(true), 1),
                b if b.is_ascii() => ((has_letters && b.is_ascii_alphabetic()).then_some(false), 1),
                _ => {
                    let c = text[at..].chars().next().unwrap_or_default();
                    ((letters == Letters::Any && c.is_alphanumeric()).then_some(false), c.len_utf8())
                }
            };
            let end = at + width;
            match (sort, atoms.last_mut()) {
                (Some(is_digits), Some(atom)) if atom.end == at && atom.is_digits == is_digits => {
                    (atom.end, atom.length) = (end, atom.length + 1);
                }
                (Some(is_digits), _) => atoms.push(Atom { start: at, end, length: 1, is_digits }),
                (None, _) => {}
            }
            at = end;
        }
        let joins = atoms.windows(2).map(|two| is_joint(&text[two[0].end..two[1].start], two, signs)).collect();
        Self { atoms, joins }
    }

    /// Whether an atom and the one after it may be pieces of one number.
    pub fn joins(&self, at: usize) -> bool {
        self.joins.get(at).copied().unwrap_or(false)
    }
}

/// Whether what stands between two atoms may stand inside a number.
fn is_joint(gap: &str, two: &[Atom], signs: &[char]) -> bool {
    let [before, after] = two else { return false };
    // 4820万1937 is 48201937.
    if matches!(gap, "万" | "億") {
        return after.is_digits && after.length == 4;
    }
    // A line end of quoted-printable that nobody decoded.
    let gap = gap.strip_prefix('=').filter(|rest| rest.starts_with(['\r', '\n'])).unwrap_or(gap);
    // Strings that a program joins have blanks around the sign: `'1000' + '1001'`.
    let is_string = |c: char| c == '\'' || c == '"';
    let is_joined = gap.len() > 2 && gap.starts_with(is_string) && gap.ends_with(is_string);
    let is_mixed = before.is_digits != after.is_digits;
    let (mut count, mut rest) = (0, gap);
    while let Some(c) = rest.chars().next() {
        let blank = &rest[..rest.len() - rest.trim_start().len()];
        // A line end is one sign with all the blanks beside it: how far a line is indented, or a
        // source is, says nothing.
        let width = if blank.contains('\n') { blank.len() } else { c.len_utf8() };
        rest = &rest[width..];
        if c == '\r' && width == 1 || is_joined && c.is_whitespace() {
            continue;
        }
        count += 1;
        if count > GAP_MAX || !(is_sign(c) || signs.contains(&c) || is_mixed && is_label_sign(c)) {
            return false;
        }
    }
    true
}

/// Signs that people write between the letters of an ID and its digits, as behind a label:
/// `PL: 3120457`, `PL (3120457)`.
fn is_label_sign(c: char) -> bool {
    matches!(c, ':' | ';' | '#' | '=' | '(' | ')' | '[' | ']')
}

/// Signs that people, programs and locales write inside numbers.
fn is_sign(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | ',' | '\'' | '"' | '_' | '/' | '+' | '>' | '~' | '|' | '*')
        || matches!(c, '·' | '・' | '•' | '‧' | '∙' | '٬' | '٫' | '،' | '．' | '’' | '˙')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_one_number() {
        for (text, count, joins) in [
            ("4081 7299", 2, true),
            ("4081\r\n7299", 2, true),
            ("4081\n> 7299", 2, true),
            ("'1000'+'1001'", 2, true),
            ("'1000' + '1001'", 2, true),
            ("1000=\r\n1001", 2, true),
            ("1000=1001", 2, false),
            ("4820**1937", 2, true),
            ("48٬201٬937", 3, true),
            ("4820万1937", 2, true),
            ("4820万193", 2, false),
            ("4081    7299", 2, false),
            ("4081 と 7299", 2, false),
            ("4081: 7299", 2, false),
            ("4081a7299", 2, false),
        ] {
            let atoms = Atoms::of(text, Letters::None, &[]);
            assert_eq!((atoms.len(), atoms.joins(0)), (count, joins), "{text}");
        }
        let atoms = Atoms::of("id=qx_408199", Letters::Ascii, &[]);
        assert_eq!((atoms.len(), atoms.joins(0), atoms.joins(1)), (3, false, true));
        for (text, joins) in
            [("pl: 31", true), ("pl (31", true), ("pl = 31", true), ("pl := (31", false), ("31 = pl", true)]
        {
            assert_eq!(Atoms::of(text, Letters::Ascii, &[]).joins(0), joins, "{text}");
        }
        assert_eq!(Atoms::of("аб-1234", Letters::Any, &[]).len(), 2);
        assert_eq!(Atoms::of("аб-1234", Letters::Ascii, &[]).len(), 1);
    }
}
