//! Tests that need no machine: units of the pure crates, and programs that must not compile.
//!
//! Every test ends as one line in a [`Tally`], which says at the end how many passed and failed. A run in which nothing was
//! tested has failed: an empty list is what a broken harness looks like.

pub mod compile_fail;
pub mod host;
mod tally;

pub use tally::Tally;
