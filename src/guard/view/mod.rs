//! Bytes → everything a reader or a mail program could show.

/// One thing that could be read, decoded, not yet normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// Which part, which view, and where in it: `header Subject`, `text/html, link 3`.
    pub place: Place,
    /// How the text is to be read.
    pub shape: Shape,
    /// The decoded text.
    pub text: std::borrow::Cow<'a, str>,
}

/// Where a view comes from. `Display` is the `where` of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The part's path and type (`text/html`, `message/rfc822 > text/plain`), or `header`.
    pub part: String,
    /// The view: `Subject`, `text`, `source`, `link`, `attribute title`, `comment`, `style`, `file name`, …
    pub view: &'static str,
    /// The name or number in it, if there is one.
    pub at: Option<String>,
}

/// How a view's text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Prose that a person reads: every rule applies.
    Visible,
    /// Source, attributes, decoded values: identifiers count, salutations do not.
    Hidden,
    /// A URL's host alone.
    Host,
}

/// Why a message could not be read to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which part.
    pub place: String,
    /// Why.
    pub why: String,
}

/// All views of a message, and every part that could not be read.
pub struct Views<'a> {
    /// The views, in the order of the message.
    pub views: Vec<View<'a>>,
    /// What could not be read; any entry holds the message.
    pub unreadable: Vec<Unreadable>,
}
