//! The queues of all CPUs, and the proofs that give access to them: the layer between the scheduler and a policy.

use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::transfer::check;
use crate::{Arrival, ImportError, Links, MAX_CPUS, MAX_TASKS, Policy, PolicyEntry, Slot};

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

    /// The CPU of the queue.
    #[inline]
    pub const fn cpu(&self) -> usize {
        self.cpu as usize & (MAX_CPUS - 1)
    }
}

/// Proof that its borrower has the run queues of all CPUs to itself.
#[derive(Debug)]
pub struct AllQueues(());

impl AllQueues {
    /// The access to all queues.
    ///
    /// # Safety
    /// As long as this exists every other CPU stands still, and no queue is locked.
    pub const unsafe fn new() -> Self {
        Self(())
    }
}

/// The queues of all CPUs under the policy `P`. A policy cell has one, a static.
///
/// It keeps the entry of each queued task, so that it sees when a policy returns a task that is not in the queue: the scheduler
/// runs each task that it gets from here without looking further.
pub struct Queues<P> {
    queues: [UnsafeCell<P>; MAX_CPUS],
    links: Links,
    /// For each queued task its packed entry, else 0.
    entries: [AtomicU32; MAX_TASKS],
}

// SAFETY: a queue is used through `&mut QueueAccess`, of which there is one per CPU, or through `&mut AllQueues`, while no CPU
// has the former. The other fields are atomic. A queue is used on several CPUs in turn, so `P` must be `Send`.
unsafe impl<P: Send> Sync for Queues<P> {}

impl<P: Policy> Queues<P> {
    /// Queues without tasks.
    pub const fn new() -> Self {
        Self {
            queues: [const { UnsafeCell::new(P::EMPTY) }; MAX_CPUS],
            links: Links::new(),
            entries: [const { AtomicU32::new(0) }; MAX_TASKS],
        }
    }

    #[inline]
    fn queue<'a>(&'a self, access: &'a mut QueueAccess) -> &'a mut P {
        // SAFETY: there is one access for this CPU, and it stays borrowed as long as the queue is.
        unsafe { &mut *self.queues[access.cpu()].get() }
    }

    /// The entry of `task`, if it is in the queue of `cpu`.
    #[inline]
    fn entry(&self, cpu: usize, task: Slot) -> Option<PolicyEntry> {
        PolicyEntry::from_word(self.entries[task.index()].load(Relaxed)).filter(|entry| entry.cpu() == cpu)
    }

    /// Notes that `task` leaves the queue of `cpu`; `None` if it is not there.
    #[inline]
    fn leave(&self, cpu: usize, task: Slot) -> Option<PolicyEntry> {
        let entry = self.entry(cpu, task)?;
        self.entries[task.index()].store(0, Relaxed);
        Some(entry)
    }

    /// The task is ready on the CPU of `access`, which its entry names.
    #[inline]
    pub fn insert(&self, access: &mut QueueAccess, entry: PolicyEntry, why: Arrival) {
        self.entries[entry.task().index()].store(entry.word(), Relaxed);
        self.queue(access).insert(&self.links, entry, why);
    }

    /// Takes the task that runs next.
    #[inline]
    pub fn take_next(&self, access: &mut QueueAccess) -> Option<Slot> {
        let cpu = access.cpu();
        let task = self.queue(access).take_next(&self.links)?;
        self.leave(cpu, task).is_some().then_some(task)
    }

    /// Takes one task out; whether it was there.
    #[inline]
    pub fn remove(&self, access: &mut QueueAccess, task: Slot) -> bool {
        let Some(entry) = self.leave(access.cpu(), task) else { return false };
        self.queue(access).remove(&self.links, entry);
        true
    }

    /// Takes the first task that `admits` lets go to another CPU.
    #[inline]
    pub fn take_for(&self, access: &mut QueueAccess, admits: &dyn Fn(Slot) -> bool) -> Option<Slot> {
        let cpu = access.cpu();
        let queue = self.queue(access);
        let there = |task: &Slot| self.entry(cpu, *task).is_some() && admits(*task);
        let task = queue.waiting(&self.links).find(there)?;
        self.remove(access, task).then_some(task)
    }

    /// A tick of the running task is over; whether it shall give way.
    #[inline]
    pub fn tick(&self, access: &mut QueueAccess, running: PolicyEntry) -> bool {
        self.queue(access).tick(&self.links, running)
    }

    /// Adds all ready tasks to `entries`, CPU by CPU, in the order in which they would have run, and has none any more.
    pub fn export_state(&self, _access: &mut AllQueues, entries: &mut Vec<PolicyEntry>) {
        for (cpu, queue) in self.queues.iter().enumerate() {
            // SAFETY: the access to all queues is borrowed mutably.
            let queue = unsafe { &mut *queue.get() };
            // A task that comes out a second time has no entry any more, so this ends however wrong the policy is.
            while let Some(entry) = queue.take_next(&self.links).and_then(|task| self.leave(cpu, task)) {
                entries.extend(Some(entry));
            }
        }
    }

    /// Takes the tasks of another policy.
    ///
    /// # Errors
    /// The reason not to take them, and the whole list.
    pub fn import_state(
        &self,
        _access: &mut AllQueues,
        entries: Vec<PolicyEntry>,
    ) -> Result<(), (ImportError, Vec<PolicyEntry>)> {
        let queued = self.entries.iter().filter(|word| word.load(Relaxed) != 0).count();
        let outcome = check(&entries, queued).and_then(|()| {
            P::import_state(&entries, &mut |entry| {
                self.entries[entry.task().index()].store(entry.word(), Relaxed);
                // SAFETY: the access to all queues is borrowed mutably, and the policy has no reference to a queue here.
                let queue = unsafe { &mut *self.queues[entry.cpu() % MAX_CPUS].get() };
                queue.insert(&self.links, entry, Arrival::Moved);
            })
        });
        outcome.map_err(|error| (error, entries))
    }
}

impl<P: Policy> Default for Queues<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> fmt::Debug for Queues<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queues")
    }
}

/// Makes the functions of the cell `scheduling_policy` for the policy `$policy`. Their contract is the head of this crate.
#[macro_export]
macro_rules! scheduling_policy {
    ($policy:ty) => {
        static QUEUES: $crate::Queues<$policy> = $crate::Queues::new();

        /// The task is ready.
        pub fn insert(access: &mut $crate::QueueAccess, entry: $crate::PolicyEntry, why: $crate::Arrival) {
            QUEUES.insert(access, entry, why);
        }

        /// Takes the task that runs next.
        pub fn take_next(access: &mut $crate::QueueAccess) -> Option<$crate::Slot> {
            QUEUES.take_next(access)
        }

        /// Takes one task out of the queue; whether it was there.
        pub fn remove(access: &mut $crate::QueueAccess, task: $crate::Slot) -> bool {
            QUEUES.remove(access, task)
        }

        /// Takes the first task that `admits` lets go to another CPU.
        pub fn take_for(
            access: &mut $crate::QueueAccess,
            admits: &dyn Fn($crate::Slot) -> bool,
        ) -> Option<$crate::Slot> {
            QUEUES.take_for(access, admits)
        }

        /// A tick of the running task is over; whether it shall give way.
        pub fn tick(access: &mut $crate::QueueAccess, running: $crate::PolicyEntry) -> bool {
            QUEUES.tick(access, running)
        }

        /// Whether `ready` shall displace `running` at once.
        pub fn preempts(ready: $crate::PolicyEntry, running: $crate::PolicyEntry) -> bool {
            <$policy as $crate::Policy>::preempts(ready, running)
        }

        /// The name of the policy.
        pub fn name() -> &'static str {
            <$policy as $crate::Policy>::NAME
        }

        /// Gives up all ready tasks.
        pub fn export_state(access: &mut $crate::AllQueues, entries: &mut $crate::Vec<$crate::PolicyEntry>) {
            QUEUES.export_state(access, entries);
        }

        /// Takes the tasks of another policy.
        ///
        /// # Errors
        /// The reason not to take them, and the whole list.
        pub fn import_state(
            access: &mut $crate::AllQueues,
            entries: $crate::Vec<$crate::PolicyEntry>,
        ) -> Result<(), ($crate::ImportError, $crate::Vec<$crate::PolicyEntry>)> {
            QUEUES.import_state(access, entries)
        }
    };
}
