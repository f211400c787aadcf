//! What the guard says: the rules by name, and one finding's data. No finding
//! carries a value in clear.

use serde::{Deserialize, Serialize};

use crate::account::{AccountId, Kind};

/// The guard's rules, by the names that reports and the contract use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The envelope and the address headers are not exactly this account's.
    Envelope,
    /// An identifier of another account appears.
    Foreign,
    /// An identifier-shaped value that nothing explains.
    Unexplained,
    /// A name before 様 or after Dear that is not this account's.
    Salutation,
    /// What must be shown is not there.
    Missing,
    /// A link token of another account or campaign.
    LinkToken,
    /// A secret, or something shaped like a raw record.
    Secret,
    /// A part that cannot be read.
    Unreadable,
    /// Nothing visible, or a placeholder that survived.
    Empty,
}

impl Rule {
    /// Every rule, in the order reports list them.
    pub const ALL: [Rule; 9] = [
        Rule::Envelope,
        Rule::Foreign,
        Rule::Unexplained,
        Rule::Salutation,
        Rule::Missing,
        Rule::LinkToken,
        Rule::Secret,
        Rule::Unreadable,
        Rule::Empty,
    ];

    /// The rule's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Envelope => "envelope",
            Rule::Foreign => "foreign",
            Rule::Unexplained => "unexplained",
            Rule::Salutation => "salutation",
            Rule::Missing => "missing",
            Rule::LinkToken => "link-token",
            Rule::Secret => "secret",
            Rule::Unreadable => "unreadable",
            Rule::Empty => "empty",
        }
    }
}

/// One reason to hold a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: Rule,
    /// What sort of value was found, where the rule is about one.
    pub kind: Option<Kind>,
    /// Part, view, and where in it: `text/html, link 3`.
    #[serde(rename = "where")]
    pub place: String,
    /// The value, masked, or a few words on what is wrong.
    pub shown: String,
    /// The account that the value belongs to, where it is another's.
    pub owner: Option<AccountId>,
}

impl Finding {
    /// Whether no wider view can take it away: no white space breaks an address, a host, a token
    /// or a secret, and the envelope is what it is. A name or a number may be a piece of an own
    /// one that began in the line above.
    pub fn stands(&self) -> bool {
        match self.rule {
            Rule::Envelope | Rule::LinkToken | Rule::Secret => true,
            Rule::Foreign => matches!(self.kind, Some(Kind::Email | Kind::Domain)),
            _ => false,
        }
    }
}

/// What the guard says of one message: cleared when there is no finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Every finding, in the order of the rules.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Whether nothing was found.
    pub fn is_cleared(&self) -> bool {
        self.findings.is_empty()
    }
}
