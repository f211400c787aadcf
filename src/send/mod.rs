//! (to be written) Cleared → Outcome.
