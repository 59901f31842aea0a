//! Stacks of tasks that have no CPU.

use core::time::Duration;

use registers::SwitchFrame;
use self_check::{Outcome, expect};
use task_core::Task;
use unwinder::{Registers, Walker};

use crate::Unexpected;

/// The frames of a task that waits, or the error; nothing if it runs just now.
#[allow(clippy::cast_possible_truncation, reason = "an address has 64 bits here")]
fn frames(task: &Task) -> Option<Result<u64, unwinder::WalkError>> {
    let address = task.saved_stack_pointer()?;
    let stack = task.stack_bounds();
    if !stack.holds_word(address) {
        return None;
    }
    // SAFETY: the table of tasks is locked and interrupts are off, and this is a check under light load: a task that
    // gets a CPU meanwhile changes words below, which at worst makes the walk fail.
    let frame = unsafe { core::ptr::with_exposed_provenance::<SwitchFrame>(address as usize).read() };
    let mut count = 0;
    // SAFETY: as above; no cell is unloaded while the checks run.
    let walker = unsafe { Walker::from_call(Registers::of_switch_frame(&frame, address), stack) };
    for step in walker {
        match step {
            Ok(_) => count += 1,
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(count))
}

pub(crate) fn all_walkable() -> Outcome {
    let sleeper = task::spawn("check: sleeps", || task::sleep(Duration::from_millis(300)))?;
    task::sleep(Duration::from_millis(20));
    let (mut walked, mut failed) = (0, None);
    task_core::visit(&mut |task| match frames(task) {
        Some(Ok(_)) => walked += 1,
        // A task that was switched to in the middle of the walk tells nothing.
        Some(Err(error)) if !task.is_busy() => failed = Some(Unexpected::Walk(task.name(), error)),
        _ => {}
    });
    let slept = sleeper.join().is_ok();
    failed.map_or(Ok(()), Err)?;
    expect("some stack was walked", u64::from(walked > 0), 1)?;
    expect("the sleeper woke", u64::from(slept), 1)
}
