//! Making all CPUs forget translations, so that pages and frames can be used anew.
//!
//! Guarantees: when [`forget`] returns `Ok`, no CPU that runs uses a translation of the range that was removed before.
//! It waits a bounded time, and while it waits, it answers the requests of others, so CPUs that ask at the same time
//! do not wait for each other, even with interrupts off.
//!
//! How it can fail: CPUs that have not answered in time are named in the error; the range is then not safe to use.
//! The caller must not hold a lock for which another CPU waits with interrupts off, and must not be an interrupt
//! handler: the answer would come too late.
#![cfg_attr(not(test), no_std)]

use core::hint;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use addresses::{PAGE_SIZE, PageRange};
use cpu_local::{CpuSet, InterruptGuard, MAX_CPUS, PreemptGuard, cpu_id};
use interrupts::{RegisterError, SavedRegisters, vectors};
use mapping::ShootdownTimeout;
use spin_lock::{PreemptLock, PreemptLockGuard};
use x86_64::VirtAddr;
use x86_64::instructions::tlb;

/// Four busy emulated CPUs on two host CPUs answer within milliseconds; after two seconds one is lost.
const PATIENCE: Duration = Duration::from_secs(2);
/// From so many pages on, forgetting everything is cheaper.
const MOST_SINGLE_PAGES: u64 = 64;

/// The request that is under way. A CPU reads the number, then the range, then the number again: the range belongs
/// to the number if that is the same both times.
struct Request {
    number: AtomicU64,
    start: AtomicU64,
    pages: AtomicU64,
}

static REQUEST: Request = Request { number: AtomicU64::new(0), start: AtomicU64::new(0), pages: AtomicU64::new(0) };
/// The number of the next request; numbers are used once, even if a requester dies half way.
static NEXT: AtomicU64 = AtomicU64::new(1);
/// The last request that each CPU has carried out.
static DONE: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];
/// Whoever holds it may make a request.
static TURN: PreemptLock<()> = PreemptLock::new(());

/// Registers the message by which CPUs are asked, and tells `mapping` about this.
pub fn init() -> Result<(), RegisterError> {
    interrupts::register(vectors::SHOOTDOWN, answer_interrupt)?;
    mapping::set_shootdown(forget);
    Ok(())
}

/// Makes all other CPUs forget the range.
pub fn forget(range: PageRange) -> Result<(), ShootdownTimeout> {
    let _stay = PreemptGuard::new();
    let others = smp::online().without(cpu_id());
    if others.is_empty() {
        return Ok(());
    }
    let _turn = wait_for_turn();
    let number = ask(range);
    for cpu in others.iter() {
        if let Err(error) = apic::send_ipi(cpu, vectors::SHOOTDOWN) {
            log::error!("CPU {cpu} cannot be asked to forget pages: {error}");
        }
    }
    let silent = || {
        others.iter().filter(|cpu| DONE[cpu.index()].load(Ordering::Acquire) < number).fold(CpuSet::EMPTY, CpuSet::with)
    };
    if clock::spin_until(PATIENCE, || silent().is_empty()) {
        return Ok(());
    }
    match silent() {
        CpuSet::EMPTY => Ok(()),
        silent => Err(ShootdownTimeout { silent }),
    }
}

/// Waits for the turn, and meanwhile answers whoever has it.
fn wait_for_turn() -> PreemptLockGuard<'static, ()> {
    loop {
        if let Some(turn) = TURN.try_lock() {
            return turn;
        }
        answer();
        hint::spin_loop();
    }
}

/// Publishes a request; the caller has the turn.
fn ask(range: PageRange) -> u64 {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Between the two stores of the number, no CPU takes the range for that of either.
    REQUEST.number.store(0, Ordering::SeqCst);
    REQUEST.start.store(range.start().as_u64(), Ordering::SeqCst);
    REQUEST.pages.store(range.count() as u64, Ordering::SeqCst);
    REQUEST.number.store(number, Ordering::SeqCst);
    number
}

fn answer_interrupt(_registers: &mut SavedRegisters) {
    answer();
}

/// Carries out the request that is under way, if this CPU has not.
fn answer() {
    let _undisturbed = InterruptGuard::new();
    let done = &DONE[cpu_id().index()];
    loop {
        let number = REQUEST.number.load(Ordering::SeqCst);
        if number <= done.load(Ordering::Relaxed) {
            return;
        }
        let (start, pages) = (REQUEST.start.load(Ordering::SeqCst), REQUEST.pages.load(Ordering::SeqCst));
        if REQUEST.number.load(Ordering::SeqCst) == number {
            flush(start, pages);
            done.store(number, Ordering::Release);
            return;
        }
    }
}

/// No translation is global, so loading CR3 forgets all.
fn flush(start: u64, pages: u64) {
    if pages <= MOST_SINGLE_PAGES {
        (0..pages).for_each(|page| tlb::flush(VirtAddr::new_truncate(start + page * PAGE_SIZE as u64)));
    } else {
        tlb::flush_all();
    }
}
