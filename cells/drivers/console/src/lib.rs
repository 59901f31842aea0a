//! The console driver: moves bytes between the serial port and the queues of `console_state`.
//!
//! To `terminal`: no function here waits, and none keeps anything of its own, so this cell can be replaced between
//! any two calls, also while it prints, and the task that calls them can be ended at any time. Order is kept in both
//! directions; the bytes that [`try_write`] takes come out in one piece among other output of the console, and none of them is
//! lost, neither with the task nor by a port that is stuck for a while. Input for which the readers have no room stays in
//! the port, which keeps an emulator's other end waiting; a real line without flow control loses it there. A Ctrl-C behind
//! more input than `console_state` holds is seen when the readers have made room.
#![no_std]
#![forbid(unsafe_code)]

mod receive;
mod transmit;
mod write;

pub use apic::ApicError;
pub use output_queue::Outcome;
pub use receive::{Typed, init, receive, try_read};
pub use serial_port::SERIAL_IRQ as SERIAL_LINE;
pub use transmit::{Sent, transmit};
pub use write::{has_output, line_is_erased, try_change, try_draw, try_finish, try_give_up, try_write};

/// Whether the driver's task has anything to do. `catch_interrupt` is as for [`receive`].
pub fn has_work(catch_interrupt: bool) -> bool {
    has_output() || receive::can_move(catch_interrupt)
}
