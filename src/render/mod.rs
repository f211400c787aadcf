//! One recipient's record → one finished message, and nothing else.
//!
//! Input: a loaded [`Template`], the campaign's [`Sender`] values and one
//! [`Recipient`] by value. Output: [`Rendered`]. Equal inputs give equal bytes:
//! boundaries and Message-ID are derived, and only `Date` moves. Nothing here
//! can fetch a second recipient, and nothing changes the bytes afterwards.

mod message;
mod rendered;
mod template;

pub use rendered::Rendered;
