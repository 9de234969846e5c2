//! What the benches "executor" and "timers" measure: the same text for every contestant and every host.
//!
//! A [`Case`] is a loop. Each of its contestants gives a [`Measured`], which a host runs again and again,
//! in turns with those of the others. See docs/src/benchmarks.md.

mod cases;
mod contest;
mod contestants;
mod memory;
mod parts;
mod tasks;
mod timers;
mod turns;

pub use cases::{CASES, Case, Contender};
pub use contest::Measured;
pub use memory::{FOOTPRINTS, Footprint};
