//! What the scheduler and a scheduling policy say to each other. This crate does not change when the policy does.
//!
//! # The contract of a policy
//! The cell `scheduling_policy` decides in which order ready tasks run. Whatever variant of it is loaded, it has
//! these functions (the scheduler calls them directly):
//!
//! | function | meaning |
//! | --- | --- |
//! | `insert(&mut QueueAccess, &PolicyEntry)` | the task is ready on that CPU |
//! | `take_next(&mut QueueAccess) -> Option<Slot>` | who runs next there; it leaves the queue |
//! | `remove(&mut QueueAccess, Slot) -> bool` | takes one task out, wherever it stands; whether it was there |
//! | `take_for(&mut QueueAccess, admits) -> Option<Slot>` | gives away a task that another CPU may run |
//! | `preempts(&PolicyEntry, &PolicyEntry) -> bool` | shall the first, just ready, displace the second, running |
//! | `tick(&mut QueueAccess, &PolicyEntry) -> bool` | a tick of the running task is over: shall it give way |
//! | `length(cpu) -> usize` | ready tasks there; read without a lock |
//! | `name() -> &'static str` | which variant this is |
//! | `export_state(&mut Vec<PolicyEntry>)`, `import_state(Vec<PolicyEntry>) -> Result<..>` | state transfer |
//!
//! A [`QueueAccess`] is the proof that the caller holds the lock of that CPU's queue. The scheduler holds it with
//! interrupts off, so a policy must not block, allocate or panic, and is never entered twice for one CPU.
//! Running and blocked tasks are unknown to a policy: it knows the ready ones and nothing else.
//!
//! A policy is swapped alone, so the scheduler's object must be the same whichever policy it was compiled with. That is why
//! entries are passed by reference and results fit into a register: for a large value that is passed or returned as such,
//! the compiler notes in the callers' code what the callee's body does with its place in memory.
//!
//! # State transfer
//! The engine of evolution calls the old cell's `export_state` and then the new cell's `import_state` while every other CPU
//! stands still. What it must see to:
//! - **Where the others stand.** They were stopped by an interrupt (not an NMI). Queue locks, like every spin
//!   lock, are held with interrupts off: so no CPU that stands still holds one, and no CPU is inside the policy.
//!   The engine itself runs with interrupts off and holds no queue lock. Neither function takes a lock.
//! - **Memory.** `export_state` puts its entries behind those of the engine's list, which has room for [`MAX_TASKS`] and was
//!   made while everything ran; neither function allocates.
//! - **Refusal.** `import_state` either takes all entries, or takes none and gives the list back with the reason; the
//!   engine then calls the *old* cell's `import_state` with that list, which succeeds: it exported the same entries.
//! - **Faults.** After a fault in either the engine calls `export_state` of the old cell once more and gives it all that came
//!   out. So `export_state` puts each entry into the list as it takes the task out of its queue.
//! - **Order.** Entries of one CPU come in the order in which they would have run.
//!
//! After `export_state` a policy is empty; every other state it has (time slices) may be forgotten.
#![cfg_attr(not(test), no_std)]

use core::fmt;

pub use slot_list::{MAX_TASKS, Slot};

/// CPUs that run queues exist for.
pub const MAX_CPUS: usize = 32;

/// How urgent a task is: 0 (only when there is nothing else) to 31.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Priority(u8);

impl Priority {
    /// How many levels there are.
    pub const LEVELS: usize = 32;
    /// Background work.
    pub const LOWEST: Self = Self(0);
    /// What tasks get that ask for nothing.
    pub const NORMAL: Self = Self(12);
    /// Drivers and whatever a person waits for.
    pub const INTERACTIVE: Self = Self(20);
    /// Recovery and evolution: they must get a CPU however busy the system is.
    pub const HIGHEST: Self = Self(31);

    /// The priority `level`, if there is such a level.
    #[inline]
    pub const fn new(level: u8) -> Option<Self> {
        if (level as usize) < Self::LEVELS { Some(Self(level)) } else { None }
    }

    /// The level as a number below [`Priority::LEVELS`].
    #[inline]
    pub const fn level(self) -> u8 {
        self.0 & 31
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const _: () = assert!(Priority::LEVELS == 32);

/// One ready task, in terms that every policy understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyEntry {
    /// The task.
    pub task: Slot,
    /// The CPU whose queue it is in.
    pub cpu: u32,
    /// What it was given when it was made.
    pub base: Priority,
    /// The highest priority among those who wait for something it holds.
    pub inherited: Priority,
}

impl PolicyEntry {
    /// The priority that counts for a policy with inheritance.
    #[inline]
    pub fn effective(&self) -> Priority {
        self.base.max(self.inherited)
    }

    /// One word that holds all but the task, with the top bit set: what policies keep per slot.
    #[inline]
    pub const fn pack(&self) -> u32 {
        PRESENT | self.cpu << 16 & 0x00ff_0000 | (self.inherited.0 as u32) << 8 | self.base.0 as u32
    }

    /// The entry of `task` on `cpu` with the base priority in the low byte of `word` and the inherited one in the next.
    #[inline]
    pub const fn of_priorities(task: Slot, cpu: u32, word: u32) -> Self {
        let (base, inherited) = (Priority((word & 31) as u8), Priority((word >> 8 & 31) as u8));
        Self { task, cpu, base, inherited }
    }

    /// The entry of `task` from a word of [`PolicyEntry::pack`]; nothing from 0.
    #[inline]
    pub const fn unpack(task: Slot, word: u32) -> Option<Self> {
        if word & PRESENT == 0 {
            return None;
        }
        Some(Self::of_priorities(task, word >> 16 & 0xff, word))
    }
}

/// Tells the word of a queued task from the word of a slot that is in no queue.
const PRESENT: u32 = 1 << 31;

/// Proof that its borrower has one CPU's run queue to itself.
#[derive(Debug)]
pub struct QueueAccess {
    cpu: u32,
}

impl QueueAccess {
    /// The access to the queue of `cpu`.
    ///
    /// # Safety
    /// There is one per CPU, and it lies inside the lock of that CPU's queue.
    pub const unsafe fn new(cpu: u32) -> Self {
        Self { cpu }
    }

    /// Whose queue this is the access to.
    #[inline]
    pub const fn cpu(&self) -> usize {
        self.cpu as usize & (MAX_CPUS - 1)
    }
}

/// Why a policy refused the tasks of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportError {
    /// The new policy already has tasks: it is in use.
    NotEmpty {
        /// How many.
        tasks: usize,
    },
    /// An entry names a CPU that cannot exist.
    UnknownCpu {
        /// The task of that entry.
        task: Slot,
        /// The CPU it names.
        cpu: u32,
    },
    /// A task comes twice.
    Duplicate {
        /// The task.
        task: Slot,
    },
    /// The entries say too little for this policy.
    Insufficient,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty { tasks } => write!(f, "the policy is in use: it has {tasks} tasks already"),
            Self::UnknownCpu { task, cpu } => write!(f, "{task:?} is queued on CPU {cpu}, which cannot exist"),
            Self::Duplicate { task } => write!(f, "{task:?} was exported twice"),
            Self::Insufficient => f.write_str("the tasks of another policy lack what it orders them by"),
        }
    }
}

impl core::error::Error for ImportError {}

/// Checks an exported list: what every `import_state` does before it takes anything.
pub fn check(entries: &[PolicyEntry], queued: usize) -> Result<(), ImportError> {
    if queued != 0 {
        return Err(ImportError::NotEmpty { tasks: queued });
    }
    let mut seen = [0u64; MAX_TASKS / 64];
    for entry in entries {
        if entry.cpu as usize >= MAX_CPUS {
            return Err(ImportError::UnknownCpu { task: entry.task, cpu: entry.cpu });
        }
        let word = &mut seen[entry.task.index() / 64];
        let bit = 1 << (entry.task.index() % 64);
        if *word & bit != 0 {
            return Err(ImportError::Duplicate { task: entry.task });
        }
        *word |= bit;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
