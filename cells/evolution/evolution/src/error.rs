//! Why a swap did not happen.

use alloc::string::{String, ToString};
use core::fmt;

use replacement::ReplaceError;
use rustc_demangle::demangle;
use stop_machine::StopMachineError;

/// Why a swap did not happen. Everything is as it was.
#[derive(Debug)]
pub enum SwapError {
    /// Another swap is under way.
    Busy,
    /// The change cannot be prepared.
    Prepare(ReplaceError),
    /// A task kept standing in text that changes.
    Occupied {
        /// Its number.
        task: u64,
        /// The cell.
        cell: String,
        /// The section of the cell.
        section: String,
    },
    /// The CPUs could not be stopped, or a stack could not be read.
    StopMachine(StopMachineError),
    /// There is no memory for the state that is handed over.
    Memory,
    /// A page that was to be exchanged was mapped otherwise meanwhile.
    Changed,
    /// An earlier swap was lost while it took effect.
    HalfDone,
    /// The cell hands over state of a kind that this engine does not know.
    UnknownState {
        /// The cell.
        cell: String,
    },
    /// The old cell failed while it gave its state up; it has it again.
    ExportFailed {
        /// The cell.
        cell: &'static str,
        /// The fault.
        cause: task_core::Cause,
    },
    /// The new cell did not take the state; the old one has it again.
    NotImported {
        /// The cell.
        cell: &'static str,
        /// The policy's reason.
        reason: policy_interface::ImportError,
    },
    /// The new cell failed while it took the state; the old one has it again.
    ImportFailed {
        /// The cell.
        cell: &'static str,
        /// The fault.
        cause: task_core::Cause,
    },
}

impl fmt::Display for SwapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("another swap is under way; try again when it is done"),
            Self::Prepare(error) => Readable(error).fmt(f),
            Self::Occupied { task, cell, section } => {
                let function = section.trim_start_matches(".text.");
                let function = Readable(&function);
                write!(f, "task {task} does not leave {function} of cell {cell}; end or restart it and try again")
            }
            Self::StopMachine(error) => error.fmt(f),
            Self::Memory => f.write_str("no memory for the state that is handed over; end something and try again"),
            Self::Changed => f.write_str("a page that refers to an old cell was mapped otherwise meanwhile; try again"),
            Self::HalfDone => f.write_str("an earlier swap was lost while it took effect; restart the system"),
            Self::UnknownState { cell } => {
                write!(f, "cell {cell} hands over state of a kind that evolution does not know")
            }
            Self::ExportFailed { cell, cause } => {
                write!(f, "cell {cell} failed with {} when it gave its state up; it has it again and stays", cause.kind)
            }
            Self::NotImported { cell, reason } => {
                write!(f, "cell {cell} did not take over the state: {reason}; it stays with the old one")
            }
            Self::ImportFailed { cell, cause } => {
                write!(
                    f,
                    "cell {cell} failed with {} when it took over the state; it stays with the old one",
                    cause.kind
                )
            }
        }
    }
}

impl core::error::Error for SwapError {}

/// A message, shown with demangled names.
struct Readable<'a>(&'a dyn fmt::Display);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MANGLED: &str = "_R";
        let message = self.0.to_string();
        let outside = |character: char| !character.is_ascii_alphanumeric() && character != '_';
        for word in message.split_inclusive(outside) {
            let end = word.trim_end_matches(outside).len();
            match word.split_at(end) {
                (name, rest) if name.starts_with(MANGLED) => write!(f, "{:#}{rest}", demangle(name))?,
                _ => f.write_str(word)?,
            }
        }
        Ok(())
    }
}
