//! What a server can do, by its answer to EHLO (RFC 5321 §4.1.1.1).

use crate::send::link;

/// What the server said to EHLO.
#[derive(Debug, Default)]
pub(in crate::send) struct Known {
    keywords: Vec<String>,
}

impl Known {
    /// From EHLO's reply.
    pub fn new(said: &link::Said) -> Self {
        Self { keywords: said.lines.iter().map(|line| line.trim().to_ascii_uppercase()).collect() }
    }

    /// Whether it knows a keyword.
    pub fn has(&self, keyword: &str) -> bool {
        self.parameters(keyword).is_some()
    }

    /// The words after a keyword.
    pub fn parameters(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        self.keywords.iter().find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some(keyword)).then_some(words)
        })
    }
}
