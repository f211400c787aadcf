//! Judging by passages: messages of one campaign are mostly the same text, and
//! what was found of a passage once need not be found again.
//!
//! Input: a finished message, and the case that is opened for it. Output:
//! whether passages *tell all*: every passage of it is clean for anybody, or
//! judged for this account, and what was found stands in the case. Anything else
//! (an odd structure, a charset, an attachment, a finding that what stands around
//! it may explain) is no verdict: the message is then read as a whole, and that
//! reading alone says what is found. That the two find the same is a property in
//! its tests and in `tests/guard`.
//!
//! ```text
//! message ─► header fields          each by itself
//!        ─► text/plain, by lines
//!        ─► text/html, by tags, style sheets, comments, and what text stands
//!           between two tags that a reader sees as line breaks
//!        ─► seams: names that begin in one of these and end in another
//! ```
//!
//! A passage is cut where no token can cross: at line ends, and at `<` and `>`.
//! It is judged by the same rules as the whole, on the views that it has by
//! itself. *Clean for anybody* means that an account which owns nothing finds
//! nothing in it, and that no link of ours stands in it: own values only ever
//! take findings away. Such passages are remembered by their exact bytes.
//!
//! Runs of such passages are remembered once more, as blocks that are gone past
//! in one step ([`block`]).
//!
//! Two things look past a cut, and are seen to: a name may be broken by white
//! space ([`seam`]), and an ID's label may stand in the line above it (the two
//! lines are then one passage).

mod block;
mod crossing;
mod head;
mod html;
mod memo;
mod number;
mod seam;
mod text;

use std::sync::Arc;

use hashbrown::HashMap;

use crate::guard::judge::Judge;
use crate::guard::rules::{Case, link_token};
use crate::guard::view::View;
use crate::guard::view::html::piece::Piece;
use crate::guard::view::part::Names;

use block::Blocks;
use head::Head;
use memo::Memo;
use seam::Edges;
use text::Text;

pub use memo::Pool;

/// Larger messages are read as a whole, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// What may stand behind an own link's token in a source, for sure no part of it.
const BEHIND: &str = "\"<> ";

/// What is remembered, by what sort of passage it is.
#[derive(Default)]
pub struct Memos {
    fields: Memo<bool>,
    heads: Memo<Head>,
    tags: Memo<(Piece, bool)>,
    sources: Memo<bool>,
    runs: Memo<Box<str>>,
    texts: Memo<Text>,
    windows: Memo<bool>,
    numbers: Memo<bool>,
    lines: Blocks,
    pieces: Blocks,
}

/// Whether a message's passages tell all of it. What it shows of the account's own, and
/// what is found, is added to the case.
pub fn tell_all(judge: &Judge<'_>, case: &mut Case<'_>, memos: &mut Memos, bytes: &[u8]) -> bool {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return false;
    }
    let mut walk = Walk::new(judge, case, memos);
    walk.entity(bytes, 0).is_some() && walk.has_words
}

/// One message on its way. `None` means everywhere: read it as a whole.
struct Walk<'w, 'c, 'j> {
    judge: &'w Judge<'j>,
    case: &'w mut Case<'c>,
    memos: &'w mut Memos,
    /// Whether a letter or digit was seen where a reader sees it.
    has_words: bool,
    /// Whether something was met, since this was last asked, that is not known to
    /// be clean for anybody.
    is_personal: bool,
    /// Whether this is nobody's walk through a block.
    is_nobodys: bool,
    /// What the part is called that it walks through, `text/html`.
    part: String,
    /// What the parts are called that it has met.
    names: Names,
    /// Texts of this message that were judged for this account.
    met: HashMap<Box<str>, Text>,
    /// Own words of this message.
    own_words: HashMap<Box<str>, Arc<Edges>>,
}

impl<'w, 'c, 'j> Walk<'w, 'c, 'j> {
    fn new(judge: &'w Judge<'j>, case: &'w mut Case<'c>, memos: &'w mut Memos) -> Self {
        let (met, own_words) = (HashMap::new(), HashMap::new());
        case.is_pieces = true;
        Self {
            judge,
            case,
            memos,
            has_words: false,
            is_personal: false,
            is_nobodys: false,
            part: "text".into(),
            names: Names::default(),
            met,
            own_words,
        }
    }
}

impl Walk<'_, '_, '_> {
    /// Judges views for this account. Nobody's walk ends with what it finds.
    fn judge(&mut self, views: &[View<'_>]) -> Option<()> {
        views.iter().for_each(|view| self.judge.view(self.case, view));
        (!self.is_nobodys || self.case.is_clean()).then_some(())
    }

    /// Judges a passage by its views, unless it is known to be clean for anybody.
    fn passage<'t>(
        &mut self,
        memo: fn(&mut Memos) -> &mut Memo<bool>,
        text: &'t [u8],
        read: impl FnOnce(&mut Vec<View<'t>>, &str) -> Option<()>,
    ) -> Option<()> {
        let known = memo(self.memos).get(text).copied();
        if known == Some(true) {
            return Some(());
        }
        self.is_personal = true;
        let mut views = Vec::new();
        read(&mut views, &self.part)?;
        self.judge(&views)?;
        if known.is_none()
            && let Some(hash) = memo(self.memos).note(text)
        {
            let clean = self.is_clean_for_anybody(&views);
            memo(self.memos).keep(hash, text, clean);
        }
        Some(())
    }

    /// Whether an account that owns nothing would find nothing here.
    fn is_clean_for_anybody(&self, views: &[View<'_>]) -> bool {
        let Some(mut nobody) = self.judge.nobodys_case() else { return false };
        views.iter().all(|view| {
            self.judge.view(&mut nobody, view);
            nobody.is_clean() && !link_token::has_link(&view.text)
        })
    }
}
