//! The judge of a finished message: could a person who opens it, in any mail
//! program or at its source, find out something that names another account?
//!
//! Input: the SMTP envelope, the finished bytes, the account they claim to be
//! for, that account's directory record, the directory's index, and the
//! campaign's [`Terms`] as plain data. Output: [`Verdict`]. It never sees a
//! template context or an audience row, reads with a parser that did not write
//! the message, and a rule that cannot finish holds.
//!
//! A message is judged by its passages (`passage`): what one account's message
//! has in common with everybody's is judged once. Where those do not tell all (an
//! odd structure, an attachment), it is read as a whole.
//!
//! | room | what it does |
//! |---|---|
//! | `view` | bytes → everything that a reader or a mail program could show |
//! | `normal`, `lexicon` | the form in which values are compared; words of 26 languages, as data |
//! | `find` | a text → what has the shape of an identifier, or stands where a name does |
//! | `own`, `overlay` | what is the account's; what the campaign explains and declares |
//! | `index` | everybody's identifiers, as one mapped file |
//! | `rules` | one module a rule, in one list |
//! | `passage`, `judge` | one message, one verdict |
//! | `stream` | what two accounts' messages share |
//! | `drill`, `calibrate` | proof that the guard holds what it must, in a campaign and in a directory |

#[cfg(test)]
#[path = "../../tests/guard/ablation.rs"]
mod ablation_tests;
pub mod calibrate;
pub mod charset;
pub mod check;
pub mod cleared;
pub mod drill;
pub mod find;
pub mod finding;
pub mod index;
mod judge;
mod lexicon;
pub mod normal;
pub mod overlay;
mod own;
mod passage;
mod rules;
pub mod stream;
pub mod view;

pub use cleared::{Cleared, Held};
pub use finding::{Finding, Rule, Verdict};
pub use index::Index;
#[cfg(test)]
pub use judge::ablation::Ablation;
pub use judge::{Candidate, Guard, Judge, Literally};
pub use overlay::Overlay;

use own::Own;
use own::known::Known;
use serde::{Deserialize, Serialize};

/// A campaign's terms, as plain data: what explains itself, what must be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The campaign whose link tokens are right; `None` when stored files are
    /// judged outside any campaign.
    pub campaign: Option<i64>,
    /// Its revision, by which its Message-IDs are told.
    #[serde(default)]
    pub revision: i64,
    /// The template's literal text, and the sender's own header values.
    pub literal: Vec<Literal>,
    /// Values that may appear although they are nobody's own, with a reason.
    pub allow: Vec<Allow>,
    /// Columns of which at least one value must be shown: the directory's, and as
    /// `extra.…` those that the campaign declares.
    pub must_show: Vec<String>,
    /// BLAKE3 digests, in hex, of files that may be in every message although nobody reads
    /// them: of a part's decoded bytes, or of a `data:` URL's.
    #[serde(default)]
    pub attachments: Vec<String>,
}

/// A piece of literal text. Where the template has an expression, the text has
/// [`Literal::GAP`]; a token that touches a gap explains nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Literal {
    /// Whether to read it as HTML.
    pub html: bool,
    /// The text.
    pub text: String,
}

impl Literal {
    /// Stands where the template has an expression or a tag (OBJECT REPLACEMENT
    /// CHARACTER).
    pub const GAP: char = '\u{fffc}';
}

/// One entry of a campaign's allow-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The value, as it may be written.
    pub value: String,
    /// Why it may appear; shown in the report.
    pub reason: String,
}
