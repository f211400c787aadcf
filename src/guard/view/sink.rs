//! Where views are gathered: counts them against the limits, and remembers
//! what inside a text could not be read. Empty texts are left out. Each text brings
//! its second readings with it ([`second`]).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::{Limits, Place, Shape, Unreadable, View, second};

/// The files that may stand in a message unread, by the BLAKE3 digests of their bytes.
#[derive(Clone, Debug, Default)]
pub struct Declared(Arc<HashSet<[u8; 32]>>);

impl Declared {
    /// Reads digests in hex.
    ///
    /// # Errors
    /// One that is not a digest.
    pub fn new(digests: &[String]) -> Result<Self, String> {
        let read = |text: &String| match blake3::Hash::from_hex(text.trim()) {
            Ok(hash) => Ok(*hash.as_bytes()),
            Err(_) => Err(format!("invalid attachment digest {text:?}: expected 64 hexadecimal digits")),
        };
        Ok(Self(Arc::new(digests.iter().map(read).collect::<Result<_, _>>()?)))
    }

    fn has(&self, bytes: &[u8]) -> bool {
        !self.0.is_empty() && self.0.contains(blake3::hash(bytes).as_bytes())
    }
}

/// Gathers views up to the limits.
pub struct Sink<'o, 'a> {
    out: &'o mut Vec<View<'a>>,
    views_left: usize,
    bytes_left: usize,
    full: bool,
    unreadable: Vec<Unreadable>,
    seen: HashSet<(Shape, Box<str>)>,
    /// Whether all that is added is a second reading.
    is_loose: bool,
    /// What need not be read.
    declared: Declared,
}

impl<'o, 'a> Sink<'o, 'a> {
    pub fn new(out: &'o mut Vec<View<'a>>, limits: &Limits, declared: Declared) -> Self {
        Self {
            out,
            views_left: limits.views_max,
            bytes_left: limits.view_bytes_max,
            full: false,
            unreadable: Vec::new(),
            seen: HashSet::new(),
            is_loose: false,
            declared,
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
            is_loose: false,
            declared: Declared::default(),
        }
    }

    /// Whether a file is declared: the same for everybody, and not read.
    pub fn is_declared(&self, bytes: &[u8]) -> bool {
        self.declared.has(bytes)
    }

    /// Adds a view, unless its text is blank or the limits are reached.
    pub fn push(&mut self, part: &str, view: &'static str, at: Option<String>, shape: Shape, text: Cow<'a, str>) {
        if text.trim_ascii().is_empty() {
            return;
        }
        // A second reading has none of its own.
        let others = if self.is_loose { Vec::new() } else { second::readings(&text) };
        self.add(part, view, at.clone(), shape, text);
        for (name, text) in others {
            let at = at.as_deref().unwrap_or_default();
            self.add(part, view, Some(format!("{at}, {name}")), Shape::Loose, Cow::Owned(text));
        }
    }

    fn add(&mut self, part: &str, view: &'static str, at: Option<String>, shape: Shape, text: Cow<'a, str>) {
        if self.views_left == 0 || text.len() > self.bytes_left {
            self.full = true;
            return;
        }
        self.views_left -= 1;
        self.bytes_left -= text.len();
        // A host in a second reading is a text with a host in it.
        let shape = if self.is_loose { Shape::Loose } else { shape };
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
            is_loose: self.is_loose,
            declared: self.declared.clone(),
        };
        fill(&mut sink);
        (self.views_left, self.bytes_left, self.full) = (sink.views_left, sink.bytes_left, sink.full);
        self.unreadable = sink.unreadable;
        for view in inner {
            self.out.push(view.into_owned());
        }
    }

    /// Runs `fill` on a second reading, which counts for what it says of others alone.
    /// Whatever cannot be read in it is said of the first.
    pub fn again<'s>(&mut self, fill: impl FnOnce(&mut Sink<'_, 's>)) {
        let told = self.unreadable.len();
        let was_loose = std::mem::replace(&mut self.is_loose, true);
        self.apart(fill);
        self.is_loose = was_loose;
        self.unreadable.truncate(told);
    }

    /// Whether what is added now is a second reading, which has none of its own.
    pub fn is_loose(&self) -> bool {
        self.is_loose
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
