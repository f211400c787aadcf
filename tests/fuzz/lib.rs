//! What the fuzz targets are made of. The directory, the letters and the bodies
//! are those of `tests/guard`, where the same bodies run over seeds and seeded
//! mutations of them in every test.

#[path = "../guard/letter.rs"]
pub mod letter;
#[path = "../guard/world.rs"]
pub mod world;

pub mod bodies;
