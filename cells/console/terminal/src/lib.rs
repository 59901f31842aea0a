//! The console as tasks see it: inputs and outputs that wait.
//!
//! To the shell and to applications: the output of one writer comes in order and line by line, never mixed with another's
//! or with the kernel's log within a line (of [`LINE`](console_state::LINE) bytes at most), and before all that is written
//! by a task that waits for the writer's end. The typed line goes to its reader, and stays whole on the screen while others
//! write. The waiting happens here and not in the driver, at retry points that a kick may return to at any time, so the
//! driver can be replaced under parked readers and writers. Streams fail only by the end of the task; the console itself
//! never disconnects.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod edited_line;
mod foreground;
mod input;
mod keys;
mod output;
mod service;
mod size;

pub use console::{ApicError, SERIAL_LINE};
pub use edited_line::EditedLine;
pub use foreground::Foreground;
pub use input::LineInput;
pub use keys::Keys;
pub use output::ConsoleOutput;
pub use service::{drain, serve};
pub use size::{is_interactive, size, size_question};

use interrupts::Interrupt;
use line_editor::Style;

/// How lines are to be edited.
fn style() -> Style {
    if is_interactive() { Style::Terminal { columns: size().columns } } else { Style::Plain }
}

/// Reads `console=plain` from the kernel's command line, and lets input come. [`serve`] moves it. `serial` is ISA interrupt
/// [`SERIAL_LINE`].
///
/// # Errors
/// If the interrupt cannot be routed.
pub fn init(command_line: &str, serial: Interrupt) -> Result<(), ApicError> {
    size::set_interactive(!command_line.split_ascii_whitespace().any(|word| word == "console=plain"));
    console::init(serial)
}
