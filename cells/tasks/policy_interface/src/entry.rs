//! A ready task, in terms that every policy understands.

use core::fmt;
use core::num::NonZeroU32;

use crate::{MAX_CPUS, MAX_TASKS, Slot};

/// How urgent a task is: from 0 (runs when there is nothing else to do) to 31.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Priority(u8);

impl Priority {
    /// How many levels there are.
    pub const LEVELS: usize = 32;
    /// Background work.
    pub const LOWEST: Self = Self(0);
    /// The priority of a task for which its maker asks for none.
    pub const NORMAL: Self = Self(12);
    /// Drivers, and tasks that a person waits for.
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

/// One ready task: which one, on which CPU, how urgent. It is one word, so that it travels in a register and a table of
/// entries is small.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PolicyEntry(NonZeroU32);

// The word, from the lowest bit: base priority, inherited priority, CPU, task. The top bit is always set.
const INHERITED_SHIFT: u32 = 8;
const CPU_SHIFT: u32 = 13;
const TASK_SHIFT: u32 = 18;
const PRESENT: NonZeroU32 = NonZeroU32::new(1 << 31).unwrap();
const CPU_MASK: u32 = (1 << (TASK_SHIFT - CPU_SHIFT)) - 1;

const _: () = assert!(Priority::LEVELS == 32 && MAX_CPUS == 1 << (TASK_SHIFT - CPU_SHIFT));
const _: () = assert!(MAX_TASKS <= 1 << (31 - TASK_SHIFT));

impl PolicyEntry {
    /// The entry of `task` on the CPU 0, with the priority that it was given and without an inherited one.
    #[inline]
    pub const fn new(task: Slot, base: Priority) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a slot is below MAX_TASKS")]
        let task = (task.index() as u32) << TASK_SHIFT;
        Self(PRESENT).with(u32::MAX, task | base.level() as u32)
    }

    /// With the bits in `keep` as they are and those in `set` set.
    #[inline]
    const fn with(self, keep: u32, set: u32) -> Self {
        let word = self.0.get() & keep | set | PRESENT.get();
        match NonZeroU32::new(word) {
            Some(word) => Self(word),
            None => Self(PRESENT),
        }
    }

    /// The same entry in the queue of `cpu`.
    #[inline]
    pub const fn on(self, cpu: u32) -> Self {
        self.with(!(CPU_MASK << CPU_SHIFT), (cpu & CPU_MASK) << CPU_SHIFT)
    }

    /// The same entry with another inherited priority.
    #[inline]
    pub const fn inheriting(self, inherited: Priority) -> Self {
        self.with(!(31 << INHERITED_SHIFT), (inherited.level() as u32) << INHERITED_SHIFT)
    }

    /// The task.
    #[inline]
    pub const fn task(self) -> Slot {
        const FIRST: Slot = Slot::new(0).unwrap();
        match Slot::new((self.0.get() >> TASK_SHIFT) as usize & (MAX_TASKS - 1)) {
            Some(task) => task,
            // Not reached: the mask leaves slots only.
            None => FIRST,
        }
    }

    /// The CPU that has it in its queue.
    #[inline]
    pub const fn cpu(self) -> usize {
        (self.0.get() >> CPU_SHIFT & CPU_MASK) as usize
    }

    /// The priority that the task was given when it was made.
    #[inline]
    pub const fn base(self) -> Priority {
        Priority((self.0.get() & 31) as u8)
    }

    /// The highest priority among the tasks that wait for a lock that this one holds.
    #[inline]
    pub const fn inherited(self) -> Priority {
        Priority((self.0.get() >> INHERITED_SHIFT & 31) as u8)
    }

    /// The priority that counts for a policy with inheritance.
    #[inline]
    pub fn effective(self) -> Priority {
        self.base().max(self.inherited())
    }

    /// The entry as a word, which is not 0.
    #[inline]
    pub const fn word(self) -> u32 {
        self.0.get()
    }

    /// The entry of a [word](Self::word); `None` from a word that is none, as 0 is.
    #[inline]
    pub const fn from_word(word: u32) -> Option<Self> {
        if word & PRESENT.get() == 0 {
            return None;
        }
        match NonZeroU32::new(word) {
            Some(word) => Some(Self(word)),
            None => None,
        }
    }
}

impl fmt::Debug for PolicyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, inherited) = (self.base(), self.inherited());
        write!(f, "{:?} on CPU {}, priority {base}, inherits {inherited}", self.task(), self.cpu())
    }
}
