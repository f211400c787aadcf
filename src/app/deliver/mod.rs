//! Delivery of an approved campaign: the right to send, the ladder, one stage of it, and what
//! each message became.
//!
//! ```text
//! send, work → climb → feed → prepare → hand → record
//!                        └── watch            ending
//! ```

mod climb;
mod ending;
mod feed;
mod hand;
mod hours;
mod prepare;
mod record;
pub mod send;
mod watch;
pub mod work;
