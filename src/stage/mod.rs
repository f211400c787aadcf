//! The ladder: who is mailed in which stage, and whether the next stage may
//! open. Pure: no store, no clock, no choice that cannot be repeated.
//!
//! Input: the campaign's stages, the snapshot's accounts in order, and the
//! order in which `render::cover` chose them; later, the counts of the stage
//! before. Output: one stage number per account ([`assign`]), and a [`Gate`].

mod gate;
mod ladder;

pub use gate::{DrillSummary, Gate, Limits, StageCounts, gate};
pub use ladder::{LadderError, STAGES_MAX, assign, default_ladder, ladder, validate};
