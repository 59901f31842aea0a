//! The reference that keeps a replaced cell.

use alloc::string::String;
use core::fmt;

/// A frame that stands in a replaced cell, or a word that was taken for a reference to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The word's place, or for a frame the address at which it stands.
    pub address: u64,
    /// The owner of the frame or word.
    pub referrer: Referrer,
    /// The function, static or section of constants that the word leads to, demangled; empty if it is not known.
    pub target: String,
}

/// The owner of a frame or word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referrer {
    /// A frame of a task, which stands in the text.
    Frame {
        /// The task's number; 0 for a CPU without one.
        task: u64,
        /// Its name.
        name: String,
    },
    /// A word on the stack of a task, or in a register of the task.
    Stack {
        /// The task's number.
        task: u64,
        /// Its name.
        name: String,
    },
    /// Thread locals of a task.
    ThreadLocals {
        /// The task's number.
        task: u64,
        /// Its name.
        name: String,
    },
    /// A static.
    Static {
        /// The cell.
        cell: String,
        /// The static, demangled.
        name: String,
    },
    /// A block of the heap.
    Heap,
    /// The text of another replaced cell, which is held itself.
    RetiredCell {
        /// That cell.
        cell: String,
    },
    /// Not known: no scan has run since the cell was replaced.
    Unknown,
}

impl Holder {
    /// The holder of a cell for which no scan has looked.
    pub(crate) const UNKNOWN: Self = Self { address: 0, referrer: Referrer::Unknown, target: String::new() };
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.referrer {
            Referrer::Frame { task, name } => return write!(f, "task {task} '{name}' in {}", self.target),
            Referrer::Stack { task, name } => write!(f, "the stack of task {task} '{name}'"),
            Referrer::ThreadLocals { task, name } => write!(f, "thread locals of task {task} '{name}'"),
            Referrer::Static { cell, name } => write!(f, "static {name} of {cell}"),
            Referrer::Heap => f.write_str("the heap"),
            Referrer::RetiredCell { cell } => return write!(f, "the replaced cell {cell}"),
            Referrer::Unknown => return f.write_str("no scan yet"),
        }?;
        match self.target.as_str() {
            "" => write!(f, ", at {:#x}", self.address),
            target => write!(f, ", which leads to {target}, at {:#x}", self.address),
        }
    }
}
