//! Memory that runs out: for the task that takes it all an error or its end, for the others nothing.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use fault_context::FaultKind;
use frames::Purpose;
use mapping::{MappedPages, Writable};
use self_check::{CheckError, Outcome, eventually, expect};
use task::{Ended, Joinable};
use vfs::File;

use crate::Unexpected;

use crate::ended_of;

/// Frames that may lie in caches afterwards, or be part of a heap that has grown.
const TOLERANCE: usize = 512;
/// Pages that are mapped at a time.
const STEP: usize = 64;

/// Frames that are free, or hold page tables: those stay once they are made, and are used again for the same addresses. All
/// of 2 GiB takes 1024 of them.
fn free_or_tables() -> usize {
    let frames = frames::statistics();
    frames.free + frames.held(Purpose::PageTables)
}

/// Runs `greedy` and looks whether the memory comes back.
fn comes_back(greedy: impl FnOnce() -> Outcome) -> Outcome {
    frames::reclaim();
    let (before, tasks) = (free_or_tables(), task::count());
    greedy()?;
    eventually("as many tasks as before", || task::count() <= tasks)?;
    let enough = || {
        frames::reclaim();
        free_or_tables() + TOLERANCE >= before
    };
    eventually("the memory comes back", enough).map_err(|_| {
        let now = free_or_tables();
        Unexpected::Memory { before, now, heap: heap::statistics() }.into()
    })
}

/// Whether little is left.
fn is_short() -> bool {
    let frames = frames::statistics();
    frames.free < frames.total / 8
}

pub(crate) fn heap() -> Outcome {
    comes_back(|| {
        let task = task::spawn("check: glutton", || {
            let mut blocks: Vec<Box<[u8]>> = Vec::new();
            loop {
                blocks.push(black_box(vec![1u8; 60_000].into_boxed_slice()));
            }
        })?;
        ended_of::<()>(task.join(), FaultKind::OutOfMemory)
    })
}

fn map_all() -> Vec<MappedPages<Writable>> {
    let mut mappings = Vec::new();
    while let Ok(mapping) = mapping::allocate(STEP, Writable, Purpose::Other) {
        mappings.push(mapping);
    }
    mappings
}

pub(crate) fn mappings() -> Outcome {
    comes_back(|| {
        let task = task::spawn("check: maps all", || {
            let mappings = map_all();
            (mappings.len(), is_short())
        })?;
        let (count, short) = task.join().map_err(|_| CheckError::Missing("the error: the task was ended instead"))?;
        expect("pages were mapped until few were left", u64::from(short && count > 0), 1)
    })
}

pub(crate) fn tasks() -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&stop);
    let outcome = comes_back(|| {
        let task = task::spawn("check: breeds", move || {
            let mut children: Vec<Joinable<()>> = Vec::new();
            let refused = loop {
                let stop = Arc::clone(&shared);
                match task::spawn("check: one of many", move || {
                    while !stop.load(Ordering::SeqCst) {
                        task::sleep(Duration::from_millis(20));
                    }
                }) {
                    Ok(child) => children.push(child),
                    Err(error) => break error,
                }
            };
            let count = children.len();
            // Half of them are killed, which must need no memory; the others end by themselves.
            for (index, child) in children.into_iter().enumerate() {
                if index % 2 == 0 {
                    child.kill_capability().kill();
                    let _killed = child.join();
                } else {
                    child.detach();
                }
            }
            shared.store(true, Ordering::SeqCst);
            (count, refused)
        })?;
        let end = task.join();
        stop.store(true, Ordering::SeqCst);
        match end {
            Ok((count, _refused)) => expect("many tasks were made", u64::from(count > 50), 1),
            // The heap may be the first to say no.
            Err(Ended::Faulted(cause)) if cause.kind == FaultKind::OutOfMemory => Ok(()),
            Err(ended) => Err(Unexpected::End { found: Some(ended), expected: FaultKind::OutOfMemory }.into()),
        }
    });
    stop.store(true, Ordering::SeqCst);
    outcome
}

pub(crate) fn files() -> Outcome {
    const DIRECTORY: &str = "/tmp/check-files";
    comes_back(|| {
        vfs::create_directory(DIRECTORY)?;
        let task = task::spawn("check: writes", || {
            for number in 0u32.. {
                let written =
                    File::create(&format!("{DIRECTORY}/{number}")).and_then(|mut file| file.write(&[1; 65_536]));
                if written.is_err() {
                    return number;
                }
            }
            0
        })?;
        let end = task.join();
        for entry in vfs::list(DIRECTORY)? {
            vfs::remove(&format!("{DIRECTORY}/{}", entry.name))?;
        }
        vfs::remove(DIRECTORY)?;
        let files = end.map_err(|_| CheckError::Missing("the error: the task was ended instead"))?;
        expect("many files were written", u64::from(files > 50), 1)
    })
}

/// The code that recovers from faults must not need memory.
pub(crate) fn fault_without_memory() -> Outcome {
    comes_back(|| {
        let kinds = [FaultKind::Panic, FaultKind::NullAccess, FaultKind::StackOverflow, FaultKind::OutOfMemory];
        let stop = Arc::new(AtomicBool::new(false));
        let mut victims: Vec<(FaultKind, Joinable<()>)> = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let stopped = Arc::clone(&stop);
            let victim = task::spawn("check: victim", move || {
                while !stopped.load(Ordering::SeqCst) {
                    task::sleep(Duration::from_millis(5));
                }
                fault_injection::make(kind);
            });
            match victim {
                Ok(victim) => victims.push((kind, victim)),
                Err(error) => {
                    stop.store(true, Ordering::SeqCst);
                    victims.into_iter().for_each(|(_, victim)| drop(victim.detach()));
                    return Err(error.into());
                }
            }
        }
        let mappings = map_all();
        stop.store(true, Ordering::SeqCst);
        let mut ends = [const { None }; 4];
        for ((kind, victim), end) in victims.into_iter().zip(&mut ends) {
            *end = Some(ended_of(victim.join(), kind));
        }
        drop(mappings);
        ends.into_iter().flatten().collect()
    })
}
