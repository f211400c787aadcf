//! `link-token`: tokens that Kakitome itself made, wherever they stand, are this account's and
//! this campaign's. Input: views as they are written, and the envelope's sender. Infallible.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::account::AccountId;
use crate::address::Address;
use crate::guard::finding::Rule;
use crate::guard::rules::{Case, Seen};
use crate::guard::view::Shape;
use crate::key::{Bounce, Link};

static PREFIX: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(Link::PREFIX));

/// Whether a text may have a token that Kakitome itself made.
pub fn has_link(text: &str) -> bool {
    PREFIX.find(text.as_bytes()).is_some()
}

/// Every token that Kakitome itself may have made, with where it begins. One in seven
/// million has the prefix inside it by chance.
fn links_in(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"-_".contains(b);
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + PREFIX.find(&text.as_bytes()[from..])?;
        let length = text.as_bytes()[start..].iter().take_while(|b| part(b)).count();
        from = start + length;
        Some((start, &text[start..from]))
    })
}

/// Judges the tokens that Kakitome itself made, wherever they stand.
pub fn judge(case: &mut Case<'_>, seen: &Seen<'_>) {
    let view = seen.view;
    for (_, token) in links_in(&view.text) {
        // In a second reading a token may be a piece of one.
        if view.shape == Shape::Loose && case.guard.keys().read_link(token).is_none() {
            continue;
        }
        if let Some((owner, what)) = wrong(case, token) {
            case.find(Rule::LinkToken, None, &view.place.to_string(), format!("a link token {what}"), owner.as_ref());
        }
    }
}

/// Judges the tokens in the envelope sender: what comes back must be told as this
/// account's.
pub fn sender(case: &mut Case<'_>, sender: &Address) {
    for token in Bounce::tokens_in(sender.local()) {
        let said = case.guard.keys().read_bounce(&token).map(|bounce| (bounce.account, bounce.campaign));
        if let Some((owner, what)) = amiss(case, said) {
            case.find(Rule::LinkToken, None, "envelope sender", format!("a bounce token {what}"), owner.as_ref());
        }
    }
}

/// What is wrong with a link's token, and whose it is.
fn wrong(case: &Case<'_>, token: &str) -> Option<(Option<AccountId>, &'static str)> {
    amiss(case, case.guard.keys().read_link(token).map(|link| (link.account, link.campaign)))
}

/// What is wrong with what a token says, and whose it is.
fn amiss(case: &Case<'_>, said: Option<(AccountId, i64)>) -> Option<(Option<AccountId>, &'static str)> {
    match said {
        None => Some((None, "that was not made here")),
        Some((account, _)) if account != *case.account => Some((Some(account), "of another account")),
        Some((_, number)) if case.campaign.is_some_and(|campaign| campaign != number) => {
            Some((None, "of another campaign"))
        }
        Some(_) => None,
    }
}

impl Case<'_> {
    /// A text without the tokens that were made here for this account: those of its links
    /// and, in a header, its Message-ID, of which the boundary is made too. They say nothing
    /// of anybody else. `None` if it has none, or others.
    ///
    /// Each link must have one of these characters behind it, if any: in a source, what else
    /// stands there may be read together with it, an entity as a line end inside a URL.
    pub fn without_own_tokens(&self, text: &str, is_header: bool, behind: Option<&str>) -> Option<String> {
        let neutral = if has_link(text) { Some(self.without_own_links(text, behind)?) } else { None };
        let Some(id) = self.message_id.as_deref().filter(|_| is_header) else { return neutral };
        let now = neutral.as_deref().unwrap_or(text);
        if memchr::memmem::find(now.as_bytes(), id.as_bytes()).is_some() { Some(now.replace(id, "x")) } else { neutral }
    }

    fn without_own_links(&self, text: &str, behind: Option<&str>) -> Option<String> {
        let (mut out, mut done) = (None::<String>, 0);
        for (start, token) in links_in(text) {
            let after = text[start + token.len()..].chars().next();
            let is_apart = behind.is_none_or(|behind| after.is_none_or(|c| behind.contains(c)));
            (is_apart && wrong(self, token).is_none()).then_some(())?;
            let out = out.get_or_insert_default();
            out.push_str(&text[done..start]);
            out.push('x');
            done = start + token.len();
        }
        out.map(|out| out + &text[done..])
    }
}
