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

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use addresses::{Page, PageRange};
use cpu_local::{CpuId, CpuSet, InterruptGuard, MAX_CPUS, PerCpu, PreemptGuard, cpu_id};
use interrupts::{Interrupt, Interrupted, Registration};
use mapping::ShootdownTimeout;
use spin::Once;
use x86_64::instructions::tlb;

/// Four busy emulated CPUs on two host CPUs answer within milliseconds; after two seconds one is lost.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The request of one CPU to the others. Only that CPU writes it, so no CPU waits for a turn. A CPU that answers reads the
/// number, then the range, then the number again: the range belongs to the number if that is the same both times.
struct Request {
    number: AtomicU64,
    /// Number of the first page: not its address, which would lie here after the page is gone, and would look like a
    /// reference to the page that takes its place.
    start: AtomicU64,
    pages: AtomicU64,
    /// The last of these requests that each CPU has carried out.
    done: PerCpu<AtomicU64>,
}

static REQUESTS: PerCpu<Request> = PerCpu::new(
    [const {
        Request {
            number: AtomicU64::new(0),
            start: AtomicU64::new(0),
            pages: AtomicU64::new(0),
            done: PerCpu::new([const { AtomicU64::new(0) }; MAX_CPUS]),
        }
    }; MAX_CPUS],
);

/// The number of the next request; numbers are used once, even if a requester dies half way.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The message by which CPUs are asked.
static MESSAGE: Once<Registration> = Once::new();

/// Takes the message by which CPUs are asked.
pub fn init(message: Interrupt) {
    MESSAGE.call_once(|| message.handle(answer_interrupt));
}

/// Makes all other CPUs forget the range.
///
/// # Errors
/// The CPUs that have not answered in time.
pub fn forget(range: PageRange) -> Result<(), ShootdownTimeout> {
    let _stay = PreemptGuard::new();
    let me = cpu_id();
    let others = smp::online().without(me);
    if others.is_empty() {
        return Ok(());
    }
    let request = &REQUESTS[me];
    let number = request.publish(range);
    for cpu in others.iter() {
        if let Some(message) = MESSAGE.get()
            && let Err(error) = apic::send_ipi(cpu, message)
        {
            log::error!("CPU {cpu} cannot be asked to forget pages: {error}");
        }
    }
    let answered = clock::spin_until(TIMEOUT, || {
        // Other CPUs may be waiting for this CPU, and its interrupts may be off.
        answer();
        request.silent(others, number).is_empty()
    });
    match request.silent(others, number) {
        silent if answered || silent.is_empty() => Ok(()),
        silent => {
            log::warn!("no answer to a TLB shootdown from CPUs {:#b}", silent.bits());
            Err(ShootdownTimeout { silent })
        }
    }
}

impl Request {
    fn publish(&self, range: PageRange) -> u64 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Between the two stores of the number, no CPU takes the range for that of either.
        self.number.store(0, Ordering::SeqCst);
        self.start.store(range.first().number(), Ordering::SeqCst);
        self.pages.store(range.count() as u64, Ordering::SeqCst);
        self.number.store(number, Ordering::SeqCst);
        number
    }

    /// The CPUs of `cpus` that have not carried out request `number`.
    fn silent(&self, cpus: CpuSet, number: u64) -> CpuSet {
        let is_silent = |&cpu: &CpuId| self.done[cpu].load(Ordering::Acquire) < number;
        cpus.iter().filter(is_silent).fold(CpuSet::EMPTY, CpuSet::with)
    }

    /// Carries the request out on this CPU, if it has not been. One that changes meanwhile is looked at again, since
    /// its own message is on the way.
    fn carry_out(&self, me: CpuId) {
        let done = &self.done[me];
        let number = self.number.load(Ordering::SeqCst);
        if number <= done.load(Ordering::Relaxed) {
            return;
        }
        let (start, pages) = (self.start.load(Ordering::SeqCst), self.pages.load(Ordering::SeqCst));
        if self.number.load(Ordering::SeqCst) == number {
            flush(start, pages);
            done.store(number, Ordering::Release);
        }
    }
}

fn answer_interrupt(_interrupted: &mut Interrupted<'_>) {
    answer();
}

/// Carries out all requests that are under way. For CPUs that wait for others with interrupts off: one of those may be
/// waiting for this one.
pub fn answer() {
    let _undisturbed = InterruptGuard::new();
    let me = cpu_id();
    smp::online().without(me).iter().for_each(|other| REQUESTS[other].carry_out(me));
}

/// Forgets `pages` pages from the one with the number `start`.
fn flush(start: u64, pages: u64) {
    let range = || PageRange::new(Page::from_number(start)?, usize::try_from(pages).ok()?);
    // Only ranges are asked for; to forget everything is right for other numbers, too.
    range().map_or_else(tlb::flush_all, mapping::forget_here);
}
