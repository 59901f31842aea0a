//! Gives CPUs to tasks: the mechanism. Which task comes next is the business of the cell `scheduling_policy`.
//!
//! Guarantees:
//! - to every task: once it is ready it is in exactly one run queue or on a CPU; a wake-up is never lost and takes
//!   effect once ([`task_core::State`] changes by one compare-and-swap);
//! - to callers of [`yield_now`] and [`switch_away`]: they return on some CPU with interrupts as they were;
//! - to the policy: its functions are called with the queue's lock held, with interrupts off, never nested;
//! - to the engine of evolution: queue locks are never held with interrupts on, and the stack of a task that has no
//!   CPU can be walked from its saved `SwitchFrame`.
//!
//! # Who may take a task from where
//! A task that has just been switched away from is *busy* until its registers are saved. It may be made ready while
//! it is busy; then it goes to the queue of the CPU that is leaving it, and no other CPU takes it from there. So no
//! CPU ever waits for another to leave a stack.
//!
//! What changes a task's record, takes the CPU from a task or is told of every switch and tick wants a
//! [`Machinery`] token.
//!
//! Nothing here fails, but blocking where that is forbidden (a spin lock held, an interrupt being handled) panics.
#![no_std]

extern crate alloc;

mod balance;
mod idle;
mod queues;
mod switch;
mod timer;
mod wake;

pub use balance::balance;
pub use idle::{IdleCpus, begin, bring_online, idle_cpus, idle_turn};
pub use policy_interface::QueueAccess;
pub use switch::{STOP_MACHINE, assert_may_block, begin_to_block, exit, preempt, switch_away, yield_now};
pub use timer::{TICK, TICK_MICROSECONDS, WATCH, arm, disarm, sleepers, start_ticking};
pub use wake::{admit, call, interrupt, make_ready, make_ready_irq_off, reprioritise};

use interrupts::Interrupt;
use task_core::Machinery;

// SAFETY: this cell is the scheduler; the rules at each method are kept here.
const RIGHT: Machinery = unsafe { Machinery::new() };

/// Which CPUs give their time to tasks.
pub fn scheduling_cpus() -> cpu_local::CpuSet {
    queues::online()
}

/// The variant of the policy that is loaded.
pub fn policy_name() -> &'static str {
    scheduling_policy::name()
}

/// How many tasks wait for a CPU there.
pub fn ready_count(cpu: cpu_local::CpuId) -> usize {
    scheduling_policy::length(cpu.index())
}

/// The interrupts that the scheduler owns.
pub struct SchedulerInterrupts {
    /// The local timer's.
    pub timer: Interrupt,
    /// The message by which a CPU is asked to look at its run queue.
    pub reschedule: Interrupt,
    /// The message by which a CPU is asked to look at the orders for the task it runs.
    pub kill: Interrupt,
}

/// Takes over the tick and the calls of other CPUs. Once, before the first [`begin`].
pub fn init(interrupts: SchedulerInterrupts) {
    timer::TIMER.call_once(|| interrupts.timer.handle(timer::on_tick));
    wake::RESCHEDULE.call_once(|| interrupts.reschedule.handle(wake::on_reschedule));
    wake::KILL.call_once(|| interrupts.kill.handle(timer::on_kill));
}
