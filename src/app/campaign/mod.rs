//! A campaign up to its approval, and what a person does with one: frozen, bound, looked at,
//! checked, approved, asked for, turned.
//!
//! ```text
//! definition → freeze → (declare) → loaded → preview, check → approve
//!                                          → gate, standing, control → unreached
//! ```

pub mod approve;
pub mod check;
pub mod control;
mod declare;
pub(super) mod definition;
pub(super) mod drill;
pub mod freeze;
pub(super) mod gate;
pub(super) mod hours;
pub mod loaded;
mod mistakes;
pub mod preview;
pub mod proven;
mod sample;
pub(super) mod standing;
mod tokens;
pub mod unreached;
