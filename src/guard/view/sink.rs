//! Where views are gathered: counts them against the limits, and remembers
//! what inside a text could not be read. Empty texts are left out.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use super::{Limits, Place, Shape, Unreadable, View};

/// Gathers views up to the limits.
pub struct Sink<'o, 'a> {
    out: &'o mut Vec<View<'a>>,
    views_left: usize,
    bytes_left: usize,
    full: bool,
    unreadable: Vec<Unreadable>,
    seen: HashSet<(Shape, Box<str>)>,
}

impl<'o, 'a> Sink<'o, 'a> {
    pub fn new(out: &'o mut Vec<View<'a>>, limits: &Limits) -> Self {
        Self {
            out,
            views_left: limits.views_max,
            bytes_left: limits.view_bytes_max,
            full: false,
            unreadable: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// For text that is trusted to be small: a template's.
    pub fn unlimited(out: &'o mut Vec<View<'a>>) -> Self {
        Self {
            out,
            views_left: usize::MAX,
            bytes_left: usize::MAX,
            full: false,
            unreadable: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// Adds a view, unless its text is blank or the limits are reached.
    pub fn push(&mut self, part: &str, view: &'static str, at: Option<String>, shape: Shape, text: Cow<'a, str>) {
        if text.trim_ascii().is_empty() {
            return;
        }
        if self.views_left == 0 || text.len() > self.bytes_left {
            self.full = true;
            return;
        }
        self.views_left -= 1;
        self.bytes_left -= text.len();
        self.out.push(View { place: Place { part: part.to_owned(), view, at }, shape, text });
    }

    /// Adds a view unless this part has shown the same text already: attributes
    /// and links repeat themselves by the hundred. The place is written only if
    /// it is needed.
    pub fn once(&mut self, part: &str, view: &'static str, at: fmt::Arguments<'_>, shape: Shape, text: &str) {
        if text.trim_ascii().is_empty() || !self.seen.insert((shape, text.into())) {
            return;
        }
        self.push(part, view, Some(at.to_string()), shape, Cow::Owned(text.to_owned()));
    }

    /// Begins a part: what other parts have shown is shown again.
    pub fn begin(&mut self) {
        self.seen.clear();
    }

    /// Notes that something inside a text cannot be read.
    pub fn unreadable(&mut self, place: String, why: &str) {
        if self.unreadable.len() < 100 {
            self.unreadable.push(Unreadable { place, why: why.to_owned() });
        }
    }

    /// Runs `fill` on text that lives shorter than the views do.
    pub fn apart<'s>(&mut self, fill: impl FnOnce(&mut Sink<'_, 's>)) {
        let mut inner: Vec<View<'s>> = Vec::new();
        let mut sink = Sink {
            out: &mut inner,
            views_left: self.views_left,
            bytes_left: self.bytes_left,
            full: self.full,
            unreadable: std::mem::take(&mut self.unreadable),
            seen: HashSet::new(),
        };
        fill(&mut sink);
        (self.views_left, self.bytes_left, self.full) = (sink.views_left, sink.bytes_left, sink.full);
        self.unreadable = sink.unreadable;
        for view in inner {
            self.out.push(view.into_owned());
        }
    }

    /// What could not be read, the limits included.
    pub fn finish(mut self) -> Vec<Unreadable> {
        if self.full {
            self.unreadable
                .push(Unreadable { place: "message".into(), why: "it shows more text than the limits allow".into() });
        }
        self.unreadable
    }
}
