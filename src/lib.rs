//! Kakitome (書留): bulk mail in which every message is bound to its recipient.

pub mod account;
pub mod address;
pub mod campaign;
pub mod clock;
pub mod config;
pub mod directory;
pub mod error;
pub mod guard;
pub mod key;
pub mod ledger;
pub mod render;
pub mod send;
