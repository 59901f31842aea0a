//! Checks after which the system is not as it was.

use alloc::alloc::{alloc, dealloc};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use cpu_local::{CpuId, CpuSet, InterruptGuard};
use frames::Purpose;
use mapping::Writable;
use self_check::{CheckError, Outcome, expect};
use task::{Builder, Ended, sleep};

/// Longer than a shootdown waits (2 s), shorter than the watchdog does (3 s).
const SILENCE: Duration = Duration::from_millis(2900);
/// How often the other task looks whether the CPU is silent.
const GLANCE: Duration = Duration::from_millis(1);

/// One CPU turns its interrupts off while a mapping is dropped on another: pages and frames must stay out of use until the
/// CPU answers again.
pub(crate) fn silent_cpu() -> Outcome {
    const PAGES: usize = 5;
    let online = smp::online();
    let Some(victim) = online.without(CpuId::BOOT).iter().next() else { return Ok(()) };
    let (is_silent, may_answer) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (says, hears) = (is_silent.clone(), may_answer.clone());
    let silent = Builder::new().name("silent").affinity(CpuSet::EMPTY.with(victim)).spawn(move || {
        let _silence = InterruptGuard::new();
        says.store(true, Ordering::Release);
        clock::spin_until(SILENCE, || hears.load(Ordering::Acquire));
    });
    let silent = silent.map_err(|_| CheckError::Missing("memory"))?;
    let dropper = Builder::new().name("unmaps").affinity(online.without(victim)).spawn(move || {
        while !is_silent.load(Ordering::Acquire) {
            sleep(GLANCE);
        }
        let before = mapping::quarantined();
        let mapping = mapping::allocate(PAGES, Writable, Purpose::Device).ok();
        let first = mapping.as_ref().map(|mapping| mapping.pages());
        drop(mapping);
        let reused = first.is_some_and(|pages| pages::allocate_at(pages).is_ok());
        let quarantined = mapping::quarantined() - before;
        may_answer.store(true, Ordering::Release);
        (quarantined as u64, reused)
    });
    let outcome = dropper.map_err(|_| CheckError::Missing("memory")).map(|dropper| dropper.join());
    // On a slow host the watchdog may end it: either way the CPU is back.
    let _ended = silent.join();
    let Ok(Ok((quarantined, reused))) = outcome else { return Err(CheckError::Missing("memory")) };
    expect("pages in quarantine while a CPU is silent", quarantined, PAGES as u64)?;
    expect("pages in quarantine are used again", u64::from(reused), 0)?;
    mapping::retry_quarantine();
    expect("pages in quarantine when it answers again", mapping::quarantined() as u64, 0)
}

/// Overwrites a block that it has given back, as a driver gone wrong might, and goes on allocating until the allocator
/// stumbles. The task must end, and all other tasks must not.
pub(crate) fn damaged_heap() -> Outcome {
    // Larger than the blocks that are kept in stock, so that the general allocator's own lists are hit.
    const SIZE: usize = 5000;
    let task = Builder::new().name("damages").spawn(|| {
        let Ok(layout) = Layout::from_size_align(SIZE, 16) else { return };
        // SAFETY: the layout has a size; the blocks are given back with it. The writes afterwards are the damage that
        // this check is about.
        unsafe {
            let blocks = [alloc(layout), alloc(layout), alloc(layout)];
            if blocks.contains(&core::ptr::null_mut()) {
                return;
            }
            dealloc(blocks[1], layout);
            for word in 0..64 {
                blocks[1].cast::<u64>().add(word).write_volatile(0xdead_0000_0000_beef);
            }
        }
        let mut blocks: Vec<Vec<u8>> = Vec::new();
        for round in 0..1000 {
            blocks.push(Vec::with_capacity(SIZE - 4000 + 10 * round));
        }
    });
    let ended = task.map_err(|_| CheckError::Missing("memory"))?.join();
    expect("the task that damaged the heap has faulted", u64::from(matches!(ended, Err(Ended::Faulted(_)))), 1)
}
