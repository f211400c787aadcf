//! The guide's pages (`ops/guide/*.md`), embedded so that they are at hand wherever
//! the program is.
//!
//! This is the one list of them. A page that is listed and missing fails the build;
//! one that is there and not listed fails `tests/tidy.rs`.

/// A page of the guide.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Its file's name without `.md`, which is its topic.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// The page, in Markdown.
    pub text: &'static str,
}

macro_rules! pages {
    ($($name:literal: $about:literal,)*) => {
        /// Every page, in the order in which they are listed.
        pub const PAGES: &[Page] = &[$(Page {
            name: $name,
            about: $about,
            text: include_str!(concat!("../../ops/guide/", $name, ".md")),
        },)*];
    };
}

pages! {
    "first-campaign": "your own data in five steps",
    "guard": "how a message is judged; the filter for other mailers",
    "guard-vectors": "every spelling that is tested, by kind",
    "operating": "help, output, exit codes, index, store, environment, full disks",
    "sending": "DKIM, mail servers, replies, hours, receivers, pace",
    "outcomes": "bounces, unknown messages, how a campaign ends",
    "links": "unsubscribing, and the message in a browser",
    "machines": "several machines on one PostgreSQL",
    "doctor": "what it looks at before anything is mailed",
    "figures": "what was measured, and how",
    "development": "checks, benchmarks, fuzzing",
}
