//! Word lists whose roles are one rule's own: `word | role | example`, a line a word.
//!
//! Input: such a file. A line that begins with `# ` is a comment; a word may begin with `#`.
//! Output: the words of each role. Infallible: a test of the rule reads every line.

use hashbrown::{HashMap, HashSet};

/// The words of a file, by their roles.
pub struct Table(HashMap<&'static str, HashSet<&'static str>>);

impl Table {
    /// Reads a file.
    pub fn of(file: &'static str) -> Self {
        let mut words: HashMap<&'static str, HashSet<&'static str>> = HashMap::new();
        for line in lines(file) {
            let mut cells = line.split(" | ");
            if let (Some(word), Some(role)) = (cells.next(), cells.next()) {
                words.entry(role).or_default().insert(word);
            }
        }
        Self(words)
    }

    /// Whether a word has a role.
    pub fn has(&self, role: &str, word: &str) -> bool {
        self.0.get(role).is_some_and(|words| words.contains(word))
    }

    /// Every word of a role.
    pub fn all(&self, role: &str) -> impl Iterator<Item = &'static str> {
        self.0.get(role).into_iter().flatten().copied()
    }
}

/// The lines of a file that say something.
pub fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#")
}
