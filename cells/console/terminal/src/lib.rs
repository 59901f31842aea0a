//! The console as tasks see it: inputs and outputs that wait.
//!
//! To the shell and to applications: what one of them writes comes out in order and line by line, never mixed with
//! another's or with the kernel's log within a line (of [`LINE`](console_state::LINE) bytes at most), and before whatever
//! is written by those who wait for its end; what the user types goes to whoever reads, and stays
//! whole on the screen while others write. The waiting happens here and not in the
//! driver, at retry points that a kick may return to at any time, so that the driver can be replaced under
//! parked readers and writers. Streams fail only by the end of the task; the console itself never disconnects.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod edited_line;
mod foreground;
mod input;
mod output;
mod service;

pub use console::{ApicError, SERIAL_LINE};
pub use edited_line::EditedLine;
pub use foreground::Foreground;
pub use input::LineInput;
pub use output::ConsoleOutput;
pub use service::{drain, serve};

use interrupts::Interrupt;
use line_editor::Style;
use spin::Once;

/// A terminal emulator's least width; the terminal is not asked, since its answer would race with typing.
const COLUMNS: usize = 80;

static STYLE: Once<Style> = Once::new();

/// How lines are to be edited, by the kernel's command line: `console=plain` for logs and scripts.
fn style() -> Style {
    *STYLE.get().unwrap_or(&Style::Plain)
}

/// Reads `console=plain` from the kernel's command line, and lets input come. [`serve`] moves it. `serial` is ISA interrupt
/// [`SERIAL_LINE`].
///
/// # Errors
/// If the interrupt cannot be routed.
pub fn init(command_line: &str, serial: Interrupt) -> Result<(), ApicError> {
    let plain = command_line.split_ascii_whitespace().any(|word| word == "console=plain");
    STYLE.call_once(|| if plain { Style::Plain } else { Style::Terminal { columns: COLUMNS } });
    console::init(serial)
}
