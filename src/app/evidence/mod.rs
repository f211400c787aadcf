//! What arrives later about messages, and what a person decides by it: mail logs, bounces,
//! unsubscriptions.

pub mod lookup;
mod maillog;
pub mod reconcile;
pub mod resolve;
pub mod unsubscribe;
