//! The page tables of x86_64 as values: the meaning of an entry, its place, and the mapping of a range of pages.
//!
//! Hardware is behind the [`Machine`] trait: the kernel's machine is the processor, the tests' machine is a simulation
//! that translates every access through the tables it is shown, with a TLB that remembers. Guarantees: an entry that
//! this crate writes is never writable and executable at once; an operation that fails has changed no page's
//! translation; tables, once made, stay (so a reader needs no lock, and no CPU can hold a stale pointer to a table).
//!
//! No function here makes a CPU forget a translation. A caller that withholds pages tells all CPUs, this one too, and
//! then goes on.
//!
//! Protocol: a leaf entry is written only by the owner of its page. Only making a table needs a lock, and that is
//! inside [`Machine::install_table`].
#![no_std]
#![forbid(unsafe_code)]

mod entry;
mod walk;
mod window;

pub use entry::{Entry, Rights};
pub use walk::{
    TableError, entry_of, for_each, map, mark_unwritten, prepare, read, restrict, reveal, take, transfer, withhold,
};
pub use window::{RECURSIVE_SLOT, Window};

use addresses::VirtAddr;

/// The operations that the algorithms need from the machine.
pub trait Machine {
    /// Reads the entry at this (recursive) address. All tables above it are present.
    fn load(&self, entry: VirtAddr) -> Entry;
    /// Writes the entry at this address.
    fn store(&self, entry: VirtAddr, value: Entry);
    /// Makes the empty entry at this address point to a new table full of empty entries, unless another caller did so
    /// in the meantime. `false`: there is no memory for it.
    fn install_table(&self, entry: VirtAddr) -> bool;
}
