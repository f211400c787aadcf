//! Kakitome (書留, *registered mail*): bulk mail in which every message is bound
//! to its recipient.
//!
//! ```text
//! directory import → audience → render → guard → (check → approve)
//!                  → stage → claim → render → guard → send → ledger → report
//! ```
//!
//! An authoritative [`directory`] says who owns what; an [`audience`] becomes a
//! frozen list of recipients; each recipient becomes one message
//! ([`render`]); the [`guard`] re-reads that finished message and clears it for
//! exactly that person; only a cleared message can reach the network
//! ([`send`]), in stages ([`stage`]), at a paced rate, leaving a [`ledger`] of
//! what happened. [`app`] is the only place that knows this order.
//! Before that, [`doctor`] looks at the sender as receivers will see it, by asking
//! the DNS ([`dns`]) and the mail servers.
//! Where a campaign asks for it, each message's envelope sender has a token
//! ([`key::Bounce`]) that says whose it was when it comes back.
//! Meanwhile [`console`] answers the links in messages: who unsubscribes is on
//! the suppression list, which sending reads to the end.
//!
//! # Invariants
//!
//! 1. **The guard trusts only what the recipient will see**: envelope, finished
//!    bytes, account, directory, and the campaign's terms as plain data. It
//!    never sees a template context or an audience row.
//! 2. **The directory is separate from the audience.** Addresses and identifiers
//!    come from the directory; an audience row that repeats one must agree, and
//!    one that carries another account's is held. What a campaign declares
//!    besides (order numbers) never outweighs the directory.
//! 3. **Bytes are approved, not intentions.** `check` stores a digest per
//!    message; approval signs the set, the frozen definition and the drill;
//!    sending renders and judges again and compares. What changes afterwards,
//!    by a new check or behind the program's back, is approved by nobody.
//! 4. **Only [`guard::Cleared`] can be sent, and only the guard makes one.** It
//!    contains the bytes it cleared and the envelope's one recipient.
//! 5. **Everything fails closed and small.** A rule that cannot finish holds; a
//!    missing or incomplete directory, or one hashed under another key, opens
//!    no campaign; a ledger that cannot be written stops sending.
//! 6. **A claim is on disk before the first byte**, and few are at any moment:
//!    messages are judged ahead without one. So is that it may have been begun: what
//!    a crash leaves begun is `unknown`, what it leaves only claimed is free again, and
//!    nothing leaves `unknown` by itself.
//!    A message that a relay may have is given to no other: one goes back to the
//!    queue only before any of its body was written.
//! 7. **What changes meanwhile counts.** Sending follows the directory's newest
//!    version, the suppression list and the right to send up to the moment at
//!    which a message is begun, and the hours and the rate that are asked for.
//!    Beside the one process that asks a campaign's gates, others may send the
//!    stage that it has open ([`app::deliver::work`]), each with a share of the rates.
//! 8. **A list is taken whole or refused by line.** A record is one line of the
//!    file ([`directory::table`]), so nothing can swallow the lines after it.
//! 9. **Two revisions of a name never reach the same account.** Which accounts
//!    another has reached is asked in the transaction in which one begins.
//! 10. **A refusal of the sender costs no address.** What a reply means is a
//!     table ([`send::replies`]); only one that says that there is no such mailbox
//!     suppresses, told to us or quoted in the mail server's log. One about us halts
//!     its receiver, or the run.
//!
//! # Who may name whom
//!
//! `send` never names `render`, `audience`, `directory` or `store`: it can
//! neither make nor fetch a message. `render` never names `store`, `guard`,
//! `send`, or a second recipient. `guard` never names the template. Nothing
//! changes bytes after the guard; dot-stuffing is the wire's. A library stays in
//! its room. `tests/tidy.rs` keeps these arrows.
//!
//! # Deliberately absent
//!
//! Cc and Bcc; rendering for several recipients at once; headers added while
//! sending; `|safe` in templates; a way to send a held message; a command that
//! means "everyone" by default; a retry of `unknown`; policy in a scripting
//! language.

/// The tests that the crate alone can make name it as others do.
#[cfg(test)]
extern crate self as kakitome;

pub mod account;
pub mod address;
pub mod app;
pub mod audience;
pub mod campaign;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod console;
pub mod demo;
pub mod directory;
pub mod dns;
pub mod doctor;
pub mod error;
pub mod guard;
pub mod key;
pub mod ledger;
pub mod mapping;
pub mod message;
pub mod progress;
pub mod render;
pub mod report;
pub mod schedule;
pub mod send;
pub mod stage;
pub mod store;
pub mod suppression;
pub mod telemetry;
pub mod units;
