//! Walks stacks and unwinds them.
//!
//! Guarantees:
//! - [`Walker`] goes over the frames of any saved register set, of a running or a switched-out task, and reads
//!   nothing outside the stack it was given. It allocates nothing and takes no lock.
//! - A panic, a CPU exception or a kill ([`begin_panic`], [`begin_fault`], [`begin_kill`]) runs the landing pads
//!   of the frames up to the innermost [`catch`] (a kill: up to [`catch_root`]) and goes on there. This needs
//!   no memory beyond the stack: what is known about the unwinding lies in the task's [`FaultContext`].
//! - It always arrives. The landing pad of a frame that faulted is never run (the tables cover calls only), a
//!   frame whose tables say nothing about the call is passed, an `extern "C"` border or a destructor that panics
//!   does not stop it, and if frame information is missing or the unwinder itself faults, the frames left are
//!   abandoned as a whole. All that was passed without its landing pad is counted in
//!   [`Unwinding::lost_frames`](fault_context::Unwinding).
//!
//! One step, not two: there is no search phase. Who catches is known from the records that [`catch`] keeps, not
//! from tables, so a search could only find out what is true anyway, and an unwinding that gets stuck half way
//! still ends at its root. Landing pads come from the language-specific data, which the unwinder reads itself
//! whatever personality the frame names.
//!
//! Can fail: only where nothing catches (no context, or no record in it); the `begin_` functions then return.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(target_os = "none", feature(lang_items))]
#![cfg_attr(target_os = "none", allow(internal_features, reason = "the personality is a language item"))]

mod catch;
mod language_data;
mod machine;
mod raise;
mod step;
mod walker;

#[cfg(target_os = "none")]
mod personality;

pub use catch::{Caught, Detail, catch, catch_root, halt, nothing_catches, set_last_resort};
#[cfg(not(target_os = "none"))]
pub use catch::{begin_in, catch_in, catch_root_in};
pub use fault_context::{Cause, FaultContext, FaultKind, StackBounds};
pub use machine::_Unwind_Resume;
pub use raise::{
    CaughtHook, begin_end, begin_fault, begin_here, begin_kill, begin_panic, cancellation_point, is_inside_unwinder,
    is_settled, set_caught_hook, set_injection_hook,
};
pub use step::{Registers, WalkError};
pub use walker::{Frame, Walker, capture_here};
