//! Checks of tasks and of their means of waiting, on the running system.
//!
//! Each check makes tasks of its own, takes well under two seconds on a busy machine and leaves nothing behind; it may
//! be run at any time, on any number of CPUs. A failed check names the found and the expected value.
#![no_std]
#![forbid(unsafe_code)]
#![feature(thread_local)]

extern crate alloc;

mod channels;
mod ends;
mod life;
mod locks;
mod priorities;
mod wake_ups;

use clock::Instant;
use self_check::{Check, TIMEOUT};

/// All checks, the simplest first.
pub const CHECKS: &[Check] = &[
    Check::new("join-gives-the-result", life::join_gives_the_result),
    Check::new("sleep-lasts", life::sleep_lasts),
    Check::new("tasks-are-preempted", life::tasks_are_preempted),
    Check::new("affinity-is-kept", life::affinity_is_kept),
    Check::new("all-cpus-work", life::all_cpus_work),
    Check::new("thread-locals-are-separate", life::thread_locals_are_separate),
    Check::new("many-tasks-leave-nothing", life::many_tasks_leave_nothing),
    Check::new("panic-is-reported", ends::panic_is_reported),
    Check::new("exit-has-no-result", ends::exit_has_no_result),
    Check::new("kill-of-blocked", ends::kill_of_blocked),
    Check::new("kill-of-sleeping", ends::kill_of_sleeping),
    Check::new("kill-of-ready", ends::kill_of_ready),
    Check::new("kill-of-new", ends::kill_of_new),
    Check::new("kill-of-computing", ends::kill_of_computing),
    Check::new("kill-by-number", ends::kill_by_number),
    Check::new("destructors-of-killed-wait", ends::destructors_of_killed_wait),
    Check::new("thread-locals-of-killed-wait", ends::thread_locals_of_killed_wait),
    Check::new("mutex-excludes", locks::mutex_excludes),
    Check::new("mutex-poisons", locks::mutex_poisons),
    Check::new("mutex-gives-up", locks::mutex_gives_up),
    Check::new("mutex-holder-inherits", locks::mutex_holder_inherits),
    Check::new("mutex-waiters-know-the-holder", locks::mutex_waiters_know_the_holder),
    Check::new("urgent-displaces", priorities::urgent_displaces),
    Check::new("inversion-is-resolved", priorities::inversion_is_resolved),
    Check::new("no-sleep-with-a-spin-lock", locks::no_sleep_with_a_spin_lock),
    Check::new("kill-of-lock-waiter", locks::kill_of_lock_waiter),
    Check::new("rwlock-shares-and-excludes", locks::rwlock_shares_and_excludes),
    Check::new("condition-is-signalled", locks::condition_is_signalled),
    Check::new("condition-is-given-up", locks::condition_is_given_up),
    Check::new("panic-passes-wake-up-on", wake_ups::panic_passes_on),
    Check::new("woken-tries-once", wake_ups::woken_tries_once),
    Check::new("notification-is-passed-on", wake_ups::notification_is_passed_on),
    Check::new("message-finds-a-receiver", wake_ups::message_finds_a_receiver),
    Check::new("rendezvous-meets", channels::rendezvous_meets),
    Check::new("rendezvous-disconnects", channels::rendezvous_disconnects),
    Check::new("rendezvous-gives-back", channels::rendezvous_gives_back),
    Check::new("channel-keeps-order", channels::channel_keeps_order),
    Check::new("channel-loses-nothing", channels::channel_loses_nothing),
    Check::new("channel-disconnects", channels::channel_disconnects),
    Check::new("channel-drops-the-rest", channels::channel_drops_the_rest),
    Check::new("a kick is harmless", channels::kick_is_harmless),
];

fn patience() -> Instant {
    clock::now() + TIMEOUT
}
