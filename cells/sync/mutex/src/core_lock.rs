//! The mutex without its data: taking, releasing, and what waiting does for the holder.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use cpu_local::PreemptGuard;
use fault_context::FaultKind;
use lock_ledger::{Entry, Ledger, LockHeader, NOBODY};
use policy_interface::Priority;
use spin_lock::SpinLock;
use task_core::{InheritCap, TaskId};
use wait_queue::{Ticket, WaitQueue};

// SAFETY: this cell withdraws each donation that it makes, and names as holder the task that holds the lock.
const INHERIT: InheritCap = unsafe { InheritCap::new() };

/// A lock; the header comes first, so that its address is the lock's.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Core {
    header: LockHeader,
    queue: WaitQueue,
    /// Whether `donation` is set: all that a release looks at.
    has_donation: AtomicBool,
    /// The task that inherits because of this lock, and the priority.
    donation: SpinLock<Option<(TaskId, Priority)>>,
}

/// That the running task holds a lock.
#[derive(Debug)]
pub(crate) struct Hold {
    ledger: &'static Ledger,
    entry: Entry,
    /// The lock was taken in a destructor of a task that is being unwound: dropping it then is no mishap.
    was_unwinding: bool,
}

/// What became of an attempt.
#[derive(Debug)]
#[must_use = "the lock may have been taken"]
pub(crate) enum Attempt<'a> {
    /// The running task holds the lock.
    Taken(Hold),
    /// Another task does: park, and try again.
    MustWait(Ticket<'a>),
}

impl Core {
    /// A free lock.
    pub(crate) const fn new() -> Self {
        Self {
            header: LockHeader::new(release_lost),
            queue: WaitQueue::new(),
            has_donation: AtomicBool::new(false),
            donation: SpinLock::new(None),
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn attempt_once(&self) -> Option<Hold> {
        let ledger = cpu_local::ledger();
        // SAFETY: the entry is struck below, or by the guard, which is made of it and borrows the lock. After the guard was lost
        // or forgotten the header names its owner, so dropping the lock strikes it.
        let entry = unsafe { ledger.enter(&self.header) };
        if self.header.try_take(ledger.owner()) {
            if self.queue.has_waiters() {
                self.take_over();
            }
            return Some(Hold { ledger, entry, was_unwinding: fault_context::unwinding() });
        }
        ledger.strike(entry);
        None
    }

    /// Takes the lock, or does for its holder what waiting for it entails. Never waits.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        let ticket = self.queue.ticket();
        if let Some(held) = self.attempt_once() {
            task_core::give_up_waiting();
            return Attempt::Taken(held);
        }
        self.prepare_to_wait();
        Attempt::MustWait(ticket)
    }

    #[cold]
    fn prepare_to_wait(&self) {
        let holder = self.header.holder();
        if holder == cpu_local::owner() {
            fault_context::declare(FaultKind::Deadlock);
            panic!("this task already holds the mutex at {self:p}");
        }
        if let (Some(current), Some(holder)) = (task_core::current(), TaskId::new(holder)) {
            current.set_waits_for(Some(holder));
            let urgency = current.policy_entry(current.cpu()).effective();
            self.donate(holder, urgency);
        }
    }

    /// Notes in the records of the tasks that wait that this task is the new holder, and lets it inherit from the most urgent of
    /// them. They cannot do so themselves: only one of them was woken. A task that comes later, or is on its way to its next
    /// attempt, sees the holder.
    #[cold]
    fn take_over(&self) {
        let Some(current) = task_core::current() else { return };
        let mut most_urgent = None;
        self.queue.for_each_waiter(&mut |waiter| {
            waiter.set_waits_for(INHERIT, Some(current.id()));
            most_urgent = most_urgent.max(Some(waiter.policy_entry(waiter.cpu()).effective()));
        });
        if let Some(urgency) = most_urgent {
            self.donate(current.id(), urgency);
        }
    }

    /// Lets the holder inherit `urgency`, if that is more than it inherits through this lock.
    fn donate(&self, holder: TaskId, urgency: Priority) {
        let mut donation = self.donation.lock();
        if donation.is_some_and(|(task, given)| task == holder && given >= urgency) {
            return;
        }
        withdraw(donation.take());
        give(holder, urgency);
        *donation = Some((holder, urgency));
        // First the donation, then the look at the holder; `let_go` does it the other way round (docs/memory-order.md, 6).
        self.has_donation.store(true, Ordering::SeqCst);
        if self.header.owner.load(Ordering::SeqCst) != holder.number() {
            withdraw(donation.take());
            self.has_donation.store(false, Ordering::SeqCst);
        }
    }

    /// Lets go of the lock, and wakes the task that has waited longest.
    pub(crate) fn release(&self, held: &Hold) {
        if !held.was_unwinding && fault_context::unwinding() {
            self.header.poisoned.store(true, Ordering::Release);
        }
        self.let_go();
        held.ledger.strike(held.entry);
    }

    fn let_go(&self) {
        // The holder must not be ended between the release and the wake-up.
        let _stay = PreemptGuard::new();
        // First the owner, then the look for a donation: the counterpart of `donate` (docs/memory-order.md, 6).
        let before = self.header.owner.swap(NOBODY, Ordering::SeqCst);
        if self.has_donation.load(Ordering::SeqCst) {
            let mut donation = self.donation.lock();
            // The lock may have its next holder by now, and that one a donation, which is not to be taken away.
            withdraw(donation.take_if(|(task, _)| task.number() == before));
            self.has_donation.store(donation.is_some(), Ordering::SeqCst);
        }
        self.queue.wake_one();
    }

    /// Whether a task died while it held the lock.
    #[inline]
    pub(crate) fn is_poisoned(&self) -> bool {
        self.header.is_poisoned()
    }

    /// Declares the data sound again.
    pub(crate) fn clear_poison(&self) {
        self.header.clear_poison();
    }

    /// The task that holds the lock now.
    pub(crate) fn holder(&self) -> Option<TaskId> {
        TaskId::new(self.header.holder())
    }
}

impl Default for Core {
    fn default() -> Self {
        Self::new()
    }
}

fn give(holder: TaskId, urgency: Priority) {
    let Some(holder) = task_core::find(holder) else { return };
    if task_core::donate(INHERIT, holder.record(), urgency) {
        scheduler::reprioritise(INHERIT, holder.record());
        // A holder that itself waits for a lock goes back to its loop and donates there what it inherits.
        if holder.waits_for().is_some() {
            wait_queue::kick(&holder);
        }
    }
}

fn withdraw(donation: Option<(TaskId, Priority)>) {
    let Some((holder, urgency)) = donation else { return };
    if let Some(holder) = task_core::find(holder)
        && task_core::withdraw(INHERIT, holder.record(), urgency)
    {
        scheduler::reprioritise(INHERIT, holder.record());
    }
}

/// Recovery calls this for a lock after its guard was lost.
fn release_lost(header: &LockHeader) {
    // SAFETY: only `Core` makes headers with this function, and the header is its first field.
    let core = unsafe { &*ptr::from_ref(header).cast::<Core>() };
    core.let_go();
}
