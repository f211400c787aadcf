//! The guard with a part missing: tests of the crate itself, since no release can do it.

#[path = "drill.rs"]
mod drill;
#[path = "letter.rs"]
mod letter;
#[path = "mutation.rs"]
mod mutation;
#[expect(dead_code, reason = "other tests make more of it")]
#[path = "world.rs"]
mod world;
