//! Blocks: runs of passages that are clean for anybody, gone past in one step.
//!
//! Between two values of its own, a message is the same as the last one. What
//! stands there is remembered as one text, with what its passages leave behind:
//! their edges, the seams inside that a name may cross to beyond its end, and
//! whether a reader sees words. A block begins and ends where nothing is under
//! way (no text that is not judged, no row of boxes), so that going past it and
//! walking through it come to the same.
//!
//! A block ends before a passage that is not clean for anybody, or at a
//! landmark: a place known by the few bytes before it, so that two versions of a
//! paragraph do not make everything after them anew.

use std::ops::Range;

use super::memo::Memo;
use super::seam::{Crossed, Seams};
use super::{Memos, Walk};

/// The shortest block, and what of each is its key, in bytes.
const KEY: usize = 48;
/// A landmark ends no shorter block than this, in bytes.
const LANDMARK_MIN: usize = 1024;
/// How many bytes tell a landmark.
const LANDMARK: usize = 24;
/// Blocks that begin with one key, at most.
const VARIANTS_MAX: usize = 16;
/// Bytes of text in the blocks of one sort, at most.
const BYTES_MAX: usize = 1 << 20;

/// What a walk through a block leaves behind.
pub struct Block {
    text: Box<[u8]>,
    has_words: bool,
    crossed: Crossed,
}

/// Blocks of one sort, by their first bytes.
#[derive(Default)]
pub struct Blocks {
    by_key: Memo<Vec<Block>>,
    bytes: usize,
}

/// What a block is of.
#[derive(Clone, Copy)]
pub enum Sort {
    /// Lines of plain text.
    Lines,
    /// Pieces of HTML.
    Pieces,
}

impl Blocks {
    /// The longest block that the text begins with.
    fn at(&self, text: &[u8]) -> Option<&Block> {
        self.by_key.get(text.get(..KEY)?)?.iter().find(|block| text.starts_with(&block.text))
    }

    fn keep(&mut self, block: Block) {
        if self.bytes + block.text.len() > BYTES_MAX {
            *self = Self::default();
        }
        self.bytes += block.text.len();
        let key = block.text[..KEY].to_vec();
        if let Some(variants) = self.by_key.get_mut(&key) {
            let place = variants.partition_point(|known| known.text.len() > block.text.len());
            variants.insert(place, block);
            variants.truncate(VARIANTS_MAX);
        } else {
            self.by_key.keep_new(&key, vec![block]);
        }
    }
}

impl Walk<'_, '_, '_> {
    /// At a place where nothing is under way: goes past the blocks that begin
    /// there, and says where the last one ends. `run` is what was walked through
    /// since the last block or own value; it may become a block.
    pub(super) fn past(
        &mut self,
        sort: Sort,
        text: &str,
        mut at: usize,
        run: &mut Range<usize>,
        seams: &mut Seams,
    ) -> usize {
        let is_broken = std::mem::take(&mut self.is_personal);
        if !is_broken {
            run.end = at;
        }
        let from = at;
        while let Some(block) = self.memos.blocks(sort).at(&text.as_bytes()[at..]) {
            seams.cross(&block.crossed, self.judge.index().names());
            self.has_words |= block.has_words;
            at += block.text.len();
        }
        let is_at_landmark = || run.len() >= LANDMARK_MIN && is_landmark(&text.as_bytes()[..from]);
        if is_broken || at > from || is_at_landmark() {
            self.learn_block(sort, &text[run.clone()]);
            *run = at..at;
        }
        at
    }

    /// Walks through a text as far as nothing is left under way at its end; what
    /// it leaves behind.
    fn block(&mut self, sort: Sort, text: &str) -> Option<Seams> {
        match sort {
            Sort::Lines => self.lines_block(text),
            Sort::Pieces => self.html_block(text),
        }
    }

    /// Remembers a run of passages from its second appearance on, if a walk
    /// through it by itself finds nothing for anybody.
    fn learn_block(&mut self, sort: Sort, text: &str) {
        if text.len() < KEY || self.is_nobodys || self.memos.blocks(sort).by_key.note(text.as_bytes()).is_none() {
            return;
        }
        let Some(mut nobody) = self.judge.nobodys_case() else { return };
        let mut walk = Walk::new(self.judge, &mut nobody, self.memos);
        walk.is_nobodys = true;
        let Some(seams) = walk.block(sort, text) else { return };
        if walk.case.is_clean() {
            let crossed = seams.into_crossed(self.judge.index().names());
            let block = Block { text: text.as_bytes().into(), has_words: walk.has_words, crossed };
            self.memos.blocks(sort).keep(block);
        }
    }
}

impl Memos {
    fn blocks(&mut self, sort: Sort) -> &mut Blocks {
        match sort {
            Sort::Lines => &mut self.lines,
            Sort::Pieces => &mut self.pieces,
        }
    }
}

/// One place in four ends a block, wherever it stands in its message.
fn is_landmark(before: &[u8]) -> bool {
    let last = &before[before.len().saturating_sub(LANDMARK)..];
    last.iter().fold(0u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(*b))) % 4 == 0
}
