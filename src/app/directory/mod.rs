//! The directory and the suppression list: loaded, tried by calibration, indexed for the guard.

pub mod calibrate;
pub mod columns;
pub mod import;
pub mod index;
pub mod suppress;
