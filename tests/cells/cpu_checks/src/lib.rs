//! Checks of CPUs, interrupts, time and spin locks on the running system.
//!
//! Each check takes well under two seconds on a busy machine, leaves nothing behind and may be run at any time, on any
//! number of CPUs, but not twice at once: some claim an interrupt. A failed check names the value that it found and the one that it expected.
#![no_std]

extern crate alloc;

mod cpus;
mod locks;
mod logging;
mod time;

use self_check::Check;

/// All checks, the simplest first.
pub const CHECKS: &[Check] = &[
    Check::new("listed-cpus-run", cpus::listed_cpus_run),
    Check::new("apic-numbers-differ", cpus::apic_numbers_differ),
    Check::new("start-code-is-gone", cpus::start_code_is_gone),
    Check::new("interrupts-have-one-owner", cpus::interrupts_have_one_owner),
    Check::new("messages-reach-each-cpu", cpus::messages_reach_each_cpu),
    Check::new("each-cpu-ticks", cpus::each_cpu_ticks),
    Check::new("nmi-shows-each-cpu", cpus::nmi_shows_each_cpu),
    Check::new("clock-never-goes-back", time::clock_never_goes_back),
    Check::new("clock-and-date-agree", time::clock_and_date_agree),
    Check::new("guard-keeps-the-cpu", time::guard_keeps_the_cpu),
    Check::new("interrupt-guards-nest", time::interrupt_guards_nest),
    Check::new("interrupt-guards-go-in-any-order", time::interrupt_guards_go_in_any_order),
    Check::new("spin-lock-excludes", locks::spin_lock_excludes),
    Check::new("preempt-lock-excludes", locks::preempt_lock_excludes),
    Check::new("lost-lock-is-poisoned", locks::lost_lock_is_poisoned),
    Check::new("relock-is-refused", locks::relock_is_refused),
    Check::new("ledger-follows-locks", locks::ledger_follows_locks),
    Check::new("log-keeps-lines", logging::log_keeps_lines),
    Check::new("log-works-inside-itself", logging::log_works_inside_itself),
];
