//! Faults in unusual places.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::arch::asm;
use core::cell::RefCell;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cpu_local::{InterruptGuard, PreemptGuard};
use fault_context::FaultKind;
use fault_injection::make;
use self_check::{CheckError, Outcome, eventually, expect};
use task::{Builder, CpuSet, Joinable};

use crate::destructors::{Counted, nest, panic_with};
use crate::ended_of;

pub(crate) fn null_call() -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: null call", move || {
        nest(3, &inner, &|| {
            // SAFETY: not sound, and meant to fault: nothing is mapped there, so nothing is executed.
            unsafe { asm!("call {nowhere}", nowhere = in(reg) 0u64, clobber_abi("C")) }
        });
    })?;
    ended_of(task.join(), FaultKind::WildJump)?;
    expect("destructors run", drops.load(Ordering::SeqCst), 3)
}

/// The reserve is made usable without anything that needs interrupts, and they are on again afterwards.
pub(crate) fn overflow_without_interrupts() -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: quiet overflow", move || {
        let body = || {
            let _irq_off = InterruptGuard::new();
            nest(2, &inner, &|| make(FaultKind::StackOverflow));
        };
        // SAFETY: the body takes no lock.
        let caught = unsafe { unwinder::catch(body) };
        let kind = caught.err().map(|caught| caught.cause.kind);
        kind == Some(FaultKind::StackOverflow) && cpu_local::interrupts_enabled() && cpu_local::preemption_enabled()
    })?;
    expect("the task went on, with interrupts on", u64::from(task.join().unwrap_or(false)), 1)?;
    expect("destructors run", drops.load(Ordering::SeqCst), 2)
}

/// Where the running CPU's task state segment has the end of the emergency stack that exceptions run on.
#[allow(clippy::cast_possible_truncation, reason = "an address has 64 bits here")]
fn fault_stack_slot() -> *mut u64 {
    /// Offset of the first emergency stack in the segment.
    const FIRST: u64 = 0x24;
    let (mut table, mut selector) = ([0u16; 5], 0u16);
    // SAFETY: both instructions only store the content of processor registers.
    unsafe {
        asm!("sgdt [{table}]", table = in(reg) &raw mut table, options(nostack, preserves_flags));
        asm!("str {selector:x}", selector = inout(reg) selector, options(nomem, nostack, preserves_flags));
    }
    let base = (0..4).map(|part| u64::from(table[part + 1]) << (16 * part)).sum::<u64>();
    let entry = core::ptr::with_exposed_provenance::<u64>((base + u64::from(selector)) as usize);
    // SAFETY: the task register selects a descriptor of two words in the table that is in use.
    let (low, high) = unsafe { (entry.read_unaligned(), entry.add(1).read_unaligned()) };
    let segment = (low >> 16 & 0xff_ffff) | (low >> 56 & 0xff) << 24 | high << 32;
    core::ptr::with_exposed_provenance_mut((segment + FIRST) as usize)
}

/// An exception that finds its emergency stack unmapped is a double fault, which has a stack of its own.
pub(crate) fn double_fault() -> Outcome {
    let task = task::spawn("check: double fault", || {
        let _here = PreemptGuard::new();
        let slot = fault_stack_slot();
        // SAFETY: the slot is this CPU's, on which the task stays, and gets its value back before anything else can fault
        // here: with interrupts off nothing but the fault happens in between. The body takes no lock.
        unsafe {
            let end = slot.read_unaligned();
            let caught = unwinder::catch_root(|| {
                let _irq_off = InterruptGuard::new();
                slot.write_unaligned(0x7fff_ffff_d000);
                make(FaultKind::NullAccess);
            });
            slot.write_unaligned(end);
            caught.err().map(|caught| caught.cause.kind)
        }
    })?;
    let id = task.id();
    let kind = task.join().ok().flatten();
    expect("the double fault was caught", u64::from(kind == Some(FaultKind::StackLost)), 1)?;
    let record = crate::delivery::record_of(id).ok_or(CheckError::Missing("the record"))?;
    expect("its place is known", u64::from(record.cell.as_str() == "fault_injection"), 1)
}

/// Faults when dropped.
struct Mine;

impl Drop for Mine {
    #[inline(never)]
    fn drop(&mut self) {
        make(FaultKind::NullAccess);
    }
}

pub(crate) fn fault_in_destructor() -> Outcome {
    panic_with(|| Mine)
}

/// More frames with a mine each than the unwinder has patience for.
#[inline(never)]
fn minefield(depth: u32) {
    let _mine = Mine;
    if depth == 0 {
        make(FaultKind::InvalidOpcode);
    } else {
        minefield(depth - 1);
    }
}

pub(crate) fn faults_all_the_way() -> Outcome {
    let task = task::spawn("check: minefield", || minefield(60))?;
    let id = task.id();
    ended_of(task.join(), FaultKind::InvalidOpcode)?;
    let record = crate::delivery::record_of(id).ok_or(CheckError::Missing("the record"))?;
    expect("the faults on the way are counted", u64::from(record.nested > 16), 1)
}

thread_locals::thread_local! {
    static FIRST: RefCell<Option<Counted>> = RefCell::new(None);
    static SECOND: RefCell<Option<Mine>> = RefCell::new(None);
}

/// Thread locals are dropped in the reverse order of their first use, so the mine comes before the one that is counted.
pub(crate) fn thread_local() -> Outcome {
    let drops = Arc::new(AtomicU64::new(0));
    let inner = Arc::clone(&drops);
    let task = task::spawn("check: mined local", move || {
        FIRST.with(|first| *first.borrow_mut() = Some(Counted(inner)));
        SECOND.with(|second| *second.borrow_mut() = Some(Mine));
    })?;
    expect("the task's result is kept", u64::from(task.join().is_ok()), 1)?;
    expect("destructors run", drops.load(Ordering::SeqCst), 1)
}

/// How often all CPUs fault together.
const ROUNDS: u32 = 100;
/// Bytes of the heap that others may take meanwhile; a leak of 64 bytes per fault is more, even on one CPU.
const TOLERANCE: usize = 4 * 1024;
/// Frames that may lie in caches.
const SPARE_FRAMES: usize = 32;

/// One task on each CPU; all of them fault when all of them are there.
fn together() -> Outcome {
    let cpus = task::scheduling_cpus();
    let there = Arc::new(AtomicUsize::new(0));
    let mut tasks: Vec<Joinable<()>> = Vec::new();
    let mut failure = None;
    for cpu in cpus.iter() {
        let (there, count) = (Arc::clone(&there), cpus.len());
        let spawned = Builder::new().name("check: together").affinity(CpuSet::EMPTY.with(cpu)).spawn(move || {
            there.fetch_add(1, Ordering::SeqCst);
            while there.load(Ordering::SeqCst) < count {
                spin_loop();
            }
            drop(there);
            make(FaultKind::NullAccess);
        });
        match spawned {
            Ok(task) => tasks.push(task),
            Err(error) => failure = Some(error),
        }
    }
    if failure.is_some() {
        // The others wait for one that does not come.
        there.fetch_add(cpus.len(), Ordering::SeqCst);
    }
    for task in tasks {
        ended_of(task.join(), FaultKind::NullAccess)?;
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}

pub(crate) fn everywhere_at_once() -> Outcome {
    for _ in 0..4 {
        together()?;
    }
    frames::reclaim();
    let (tasks, heap, free) = (task::count(), heap::statistics().used, frames::statistics().free);
    for _ in 0..ROUNDS {
        together()?;
    }
    eventually("as many tasks as before", || task::count() <= tasks)?;
    let grown = heap::statistics().used.saturating_sub(heap);
    expect("bytes of the heap that did not come back", if grown < TOLERANCE { 0 } else { grown as u64 }, 0)?;
    frames::reclaim();
    let lost = free.saturating_sub(frames::statistics().free);
    expect("frames that did not come back", if lost <= SPARE_FRAMES { 0 } else { lost as u64 }, 0)
}
