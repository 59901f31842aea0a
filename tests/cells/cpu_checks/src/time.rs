//! That time goes on, and that guards hold back what they are to hold back.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use cpu_local::{CpuSet, InterruptGuard, PreemptGuard, cpu_id, interrupts_enabled};
use self_check::{Outcome, holds};
use task::Builder;

/// All CPUs raise one maximum; a clock that lags behind another would show a value below it. Between CPUs a lag of
/// microseconds is the hardware's right.
pub(crate) fn clock_never_goes_back() -> Outcome {
    const ROUNDS: usize = 2000;
    const LAG: Duration = Duration::from_micros(100);
    let latest = Arc::new(AtomicU64::new(0));
    let mut tasks = alloc::vec::Vec::new();
    for cpu in smp::online().iter() {
        let latest = latest.clone();
        let body = move || {
            let lag = clock::duration_to_ticks(LAG);
            let mut own = 0;
            (0..ROUNDS).all(|_| {
                let seen = latest.load(Ordering::SeqCst);
                let now = clock::now().ticks;
                latest.fetch_max(now, Ordering::SeqCst);
                let forward = now >= own && now + lag >= seen;
                own = now;
                forward
            })
        };
        tasks.push(Builder::new().name("clock check").affinity(CpuSet::EMPTY.with(cpu)).spawn(body)?);
    }
    // All are joined before the verdict: no task may be dropped.
    let outcomes: alloc::vec::Vec<_> = tasks.into_iter().map(|task| task.join()).collect();
    for outcome in outcomes {
        holds("clocks of all CPUs go forward together", outcome?)?;
    }
    Ok(())
}

/// Reads the hardware again and compares it with the time that has passed.
pub(crate) fn clock_and_date_agree() -> Outcome {
    let computed = real_time_clock::now().map(|date| date.seconds_since_1970());
    let read = real_time_clock::init()?.seconds_since_1970();
    // Both count whole seconds, begun at different moments; a loaded host makes the emulated one jump.
    holds("clock and date agree within two seconds", computed.is_some_and(|computed| computed.abs_diff(read) <= 2))
}

/// While preemption is off, no other task runs on this CPU, though it is ready; afterwards it does.
pub(crate) fn guard_keeps_the_cpu() -> Outcome {
    let (go, ran) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let stay = PreemptGuard::new();
    let here = cpu_id();
    drop(stay);
    let body = {
        let (go, ran) = (go.clone(), ran.clone());
        move || {
            while !go.load(Ordering::Acquire) {
                task::yield_now();
            }
            ran.store(true, Ordering::Release);
        }
    };
    let other = Builder::new().name("guard check").affinity(CpuSet::EMPTY.with(here)).spawn(body)?;
    let body = move || {
        let stay = PreemptGuard::new();
        go.store(true, Ordering::Release);
        clock::spin_for(Duration::from_millis(20));
        let kept = !ran.load(Ordering::Acquire);
        drop(stay);
        kept
    };
    let keeper = Builder::new().name("guard check").affinity(CpuSet::EMPTY.with(here)).spawn(body)?;
    let kept = keeper.join();
    other.join()?;
    holds("no other task runs while preemption is off", kept?)
}

pub(crate) fn interrupt_guards_nest() -> Outcome {
    holds("interrupts are on in a task", interrupts_enabled())?;
    let outer = InterruptGuard::new();
    let inner = InterruptGuard::new();
    drop(inner);
    let off = !interrupts_enabled();
    drop(outer);
    holds("the inner guard leaves interrupts off", off)?;
    holds("the outer guard turns interrupts on", interrupts_enabled())
}

pub(crate) fn interrupt_guards_go_in_any_order() -> Outcome {
    let (first, second) = (InterruptGuard::new(), InterruptGuard::new());
    drop(first);
    let off = !interrupts_enabled();
    let third = InterruptGuard::new();
    drop(second);
    let still_off = !interrupts_enabled();
    drop(third);
    holds("a guard that lives keeps interrupts off", off && still_off)?;
    holds("the last guard turns interrupts on", interrupts_enabled())?;
    task::yield_now();
    holds("they are on after others have run", interrupts_enabled())
}
