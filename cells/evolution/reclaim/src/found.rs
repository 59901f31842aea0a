//! The first reference to a retired cell that a scan finds.

use alloc::string::{String, ToString};

use namespace::{Holder, Referrer};
use task_core::TaskId;

/// The memory in which a scan is looking: a [`Referrer`] that needs no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Region {
    Frame(u64),
    Stack(TaskId),
    ThreadLocals(TaskId),
    Statics,
    Heap,
}

/// A frame in a retired cell, or a word that leads to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The place of the word.
    pub(crate) address: u64,
    /// Its value.
    pub(crate) value: u64,
    pub(crate) region: Region,
}

impl Found {
    /// Names the place, now that memory can be had again. `target` is the mangled name of the thing that the value leads to.
    pub(crate) fn name(self, target: Option<&str>) -> Holder {
        let name = |number: u64| {
            let found = task_core::all().into_iter().find(|task| task.id().number() == number);
            found.map(|task| task.name().as_str().to_string()).unwrap_or_default()
        };
        let referrer = match self.region {
            Region::Frame(task) => Referrer::Frame { task, name: name(task) },
            Region::Stack(id) => Referrer::Stack { task: id.number(), name: name(id.number()) },
            Region::ThreadLocals(id) => Referrer::ThreadLocals { task: id.number(), name: name(id.number()) },
            Region::Statics => {
                let (cell, name) = namespace::static_at(self.address).unwrap_or_default();
                Referrer::Static { cell, name: demangled(&name) }
            }
            Region::Heap => Referrer::Heap,
        };
        Holder {
            address: self.address,
            referrer,
            target: target.map_or_else(|| alloc::format!("{:#x}", self.value), demangled),
        }
    }
}

fn demangled(name: &str) -> String {
    alloc::format!("{:#}", rustc_demangle::demangle(name))
}
