//! Gives CPUs to tasks: the mechanism. The cell `scheduling_policy` decides which task comes next.
//!
//! Guarantees:
//! - to every task: once it is ready it is in exactly one run queue or on a CPU; a wake-up is never lost and takes
//!   effect once ([`task_core::State`] changes by one compare-and-swap);
//! - to callers of [`yield_now`] and [`switch_away`]: they return on some CPU with interrupts as they were;
//! - to the policy: its functions are called with the queue's lock held, with interrupts off, never nested;
//! - to the engine of evolution: queue locks are never held with interrupts on, and the stack of a task that has no
//!   CPU can be walked from its saved `SwitchFrame`.
//!
//! # Which CPU may take a task
//! A task that has just been switched away from is *busy* until its registers are saved. It may be made ready while
//! it is busy; then it goes to the queue of the CPU that is leaving it, and no other CPU takes it from there. So no
//! CPU ever waits for another to leave a stack.
//!
//! A function that takes the CPU from a task, or gives it to one, asks for a right (see `task_core`).
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
use task_core::{FaultCap, ScheduleCap, WakeCap};

// SAFETY: this cell is the scheduler: a task that is entered here gets its CPU by the switch that follows.
const SCHEDULE: ScheduleCap = unsafe { ScheduleCap::new() };

// SAFETY: this cell wakes tasks at their deadlines.
const WAKE: WakeCap = unsafe { WakeCap::new() };

// SAFETY: this cell installs the context of the task that runs next, and looks at orders for the running task.
const FAULT: FaultCap = unsafe { FaultCap::new() };

/// The CPUs that run tasks.
pub fn scheduling_cpus() -> cpu_local::CpuSet {
    queues::online()
}

/// The name of the policy that is loaded.
pub fn policy_name() -> &'static str {
    scheduling_policy::name()
}

/// How many ready tasks wait for `cpu`.
pub fn ready_count(cpu: cpu_local::CpuId) -> usize {
    queues::length(cpu)
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
