//! The handler of panics: a line in the log, then unwinding.
//!
//! Guarantees: the message is logged before anything else; destructors run (the unwinder's promise); the task ends
//! at the place that catches. Where nothing catches, on a CPU that runs no task yet, the last resort that
//! `unwinder` was given ends it, or the CPU halts.
//!
//! A panic that the compiler says must not unwind (at an `extern "C"` border, from a destructor that runs because
//! of another panic) unwinds all the same: the frame that said so is passed and counted as lost.
#![no_std]

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU64, Ordering};

/// Panics since boot.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// How many panics there were since boot.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    handle(info)
}

/// Logs the panic and unwinds.
#[cfg_attr(not(target_os = "none"), allow(dead_code, reason = "hosts have a panic handler of their own"))]
fn handle(info: &PanicInfo<'_>) -> ! {
    COUNT.fetch_add(1, Ordering::Relaxed);
    report(info);
    unwinder::begin_panic();
    log::error!("the panic cannot be caught here");
    unwinder::nothing_catches()
}

#[inline(never)]
fn report(info: &PanicInfo<'_>) {
    // A warning: the task ends, and the system goes on. Where nothing catches, an error follows.
    match (fault_context::current(), info.location()) {
        (Some(task), Some(place)) => {
            log::warn!("task {} '{}' panicked at {place}: {}", task.task, task.name, info.message());
        }
        (Some(task), None) => log::warn!("task {} '{}' panicked: {}", task.task, task.name, info.message()),
        (None, Some(place)) => log::error!("the boot panicked at {place}: {}", info.message()),
        (None, None) => log::error!("the boot panicked: {}", info.message()),
    }
}
