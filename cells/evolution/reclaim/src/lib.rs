//! Looks for references to replaced cells, and frees those that have none.
//!
//! A replaced cell becomes a *retired cell*. Two things keep it: a frame on some stack that stands in its text, which a walk over
//! all stacks finds, and a word that leads to it. A scan goes over the heap, all statics, and of every task the part of the
//! stack that is in use (with the registers saved there) and the thread locals, and takes each aligned word that could be
//! an address in a retired cell's constants, statics or left-over stubs for a reference. Words that lead to *text*, or to the
//! tables for unwinding it, are none: function pointers are addresses of stubs, so such a word is a return address of a
//! frame, which the walk knows, or the note of an address that no code follows.
//!
//! The scan is conservative: it may keep a retired cell for a word that only looks like an address, it never frees one that is
//! referred to. It runs while all CPUs are stopped, so that no reference can move from memory that is still to be scanned to
//! memory that has been scanned. Free memory of the heap holds nothing: the heap clears the memory that it gets and that is
//! given back.
//!
//! The steps are types: [`Scan`], [`Frames`], [`Scanned`]. Only a scan that has run can free a cell. One scan at a time: the
//! engine sees to it.
//!
//! Source: Boehm and Weiser, "Garbage collection in an uncooperative environment" (1988).
#![no_std]

extern crate alloc;

mod found;
mod scan;

pub use scan::{Frames, Scan, Scanned, set_boot_stack};
