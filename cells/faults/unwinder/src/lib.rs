//! Walks stacks and unwinds them.
//!
//! Guarantees:
//! - [`Walker`] goes over the frames of a stack, of a running or a switched-out task, and reads no memory outside the stack.
//!   It allocates nothing and takes no lock.
//! - A panic, a CPU exception or a kill ([`begin_panic`], [`begin_fault`], [`begin_kill`]) runs the landing pads
//!   of the frames up to the innermost [`catch`] (a kill: up to [`catch_root`]) and goes on there. This needs
//!   no memory beyond the stack: the state of the unwinding lies in the task's [`FaultContext`].
//! - An unwinding always arrives. The landing pad of a frame that faulted is never run (the tables cover calls only). A
//!   frame is passed if its tables say nothing about the call. An `extern "C"` border or a destructor that panics does not
//!   stop the unwinding. If frame information is missing or the unwinder itself faults, the frames left are abandoned as a
//!   whole. Each frame that was passed without its landing pad is counted in
//!   [`Unwinding::lost_frames`](fault_context::Unwinding).
//!
//! One step, not two: there is no search phase. The place that catches is known from the records that [`catch`] keeps, not
//! from tables, so a search would find no more, and an unwinding that gets stuck half way still ends at its root. The
//! unwinder reads the language-specific data, which names the landing pads, itself: it calls no personality.
//!
//! Can fail: only where nothing catches (no context, or no record in it); the `begin_` functions then return.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(target_os = "none", feature(lang_items))]
#![cfg_attr(target_os = "none", allow(internal_features, reason = "the personality is a language item"))]

mod capture;
mod catch;
mod caught;
mod frame_registers;
mod language_data;
mod last_resort;
mod machine;
mod raise;
mod walker;

#[cfg(target_os = "none")]
mod personality;

pub use capture::{capture_here, capture_in};
pub use catch::{catch, catch_root};
#[cfg(not(target_os = "none"))]
pub use catch::{catch_in, catch_root_in};
pub use caught::{CAUGHT, Caught, Detail};
pub use fault_context::{Cause, FaultContext, FaultKind, StackBounds};
pub use frame_registers::Registers;
pub use last_resort::{LAST_RESORT, nothing_catches};
pub use machine::_Unwind_Resume;
pub use raise::{
    INJECTION, begin_end, begin_fault, begin_here, begin_in, begin_kill, begin_panic, cancellation_point,
    is_at_safe_point,
};
pub use walker::{Frame, WalkError, Walker};
