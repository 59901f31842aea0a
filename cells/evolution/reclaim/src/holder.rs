//! Who keeps a replaced cell.

use alloc::string::{String, ToString};
use core::fmt;

use task_core::TaskId;

/// A frame that stands in a replaced cell, or a word that was taken for a reference to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Where the word is, or for a frame where it stands.
    pub address: u64,
    /// Whose it is.
    pub place: Place,
    /// The function, static or section of constants that it leads to, demangled; empty if it is not known.
    pub target: String,
}

/// What a word belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A frame of a task, which stands in the text.
    Frame {
        /// The task's number; 0 for a CPU without one.
        task: u64,
        /// Its name.
        name: String,
    },
    /// A word on the stack of a task, or what the task had in registers.
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
    /// Not known yet: nobody has looked.
    Unknown,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Frame { task, name } => return write!(f, "task {task} '{name}' in {}", self.target),
            Place::Stack { task, name } => write!(f, "the stack of task {task} '{name}'"),
            Place::ThreadLocals { task, name } => write!(f, "thread locals of task {task} '{name}'"),
            Place::Static { cell, name } => write!(f, "static {name} of {cell}"),
            Place::Heap => f.write_str("the heap"),
            Place::RetiredCell { cell } => return write!(f, "the replaced cell {cell}"),
            Place::Unknown => return f.write_str("no scan yet"),
        }?;
        match self.target.as_str() {
            "" => write!(f, ", at {:#x}", self.address),
            target => write!(f, ", which leads to {target}, at {:#x}", self.address),
        }
    }
}

/// Where a scan is looking: a [`Place`] that needs no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Region {
    Frame(u64),
    Stack(TaskId),
    ThreadLocals(TaskId),
    Statics,
    Heap,
}

/// What a scan found first of a retired cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Where the word is.
    pub(crate) address: u64,
    /// Its value.
    pub(crate) value: u64,
    pub(crate) region: Region,
}

impl Found {
    /// Names the place, now that memory can be had again. `target` is the mangled name of what the value leads to.
    pub(crate) fn name(self, target: Option<&str>) -> Holder {
        let name = |number: u64| {
            let found = task_core::all().into_iter().find(|task| task.id().number() == number);
            found.map(|task| task.name().as_str().to_string()).unwrap_or_default()
        };
        let place = match self.region {
            Region::Frame(task) => Place::Frame { task, name: name(task) },
            Region::Stack(id) => Place::Stack { task: id.number(), name: name(id.number()) },
            Region::ThreadLocals(id) => Place::ThreadLocals { task: id.number(), name: name(id.number()) },
            Region::Statics => {
                let (cell, name) = namespace::static_at(self.address).unwrap_or_default();
                Place::Static { cell, name: demangled(&name) }
            }
            Region::Heap => Place::Heap,
        };
        Holder { address: self.address, place, target: target.map(demangled).unwrap_or_default() }
    }
}

fn demangled(name: &str) -> String {
    alloc::format!("{:#}", rustc_demangle::demangle(name))
}
