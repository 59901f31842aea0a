//! Checks of swaps in the running system: which swaps are refused and why, and that a swap that is lost is given up.
//!
//! A cell is replaced by a fresh instance of itself ([`evolution::reload`]), so the system is as before after each check.
//! No other task may swap meanwhile.
#![no_std]

extern crate alloc;

mod parked;
mod preparing;
mod remapped;

use alloc::{format, string::ToString};
use core::time::Duration;

use evolution::SwapError;
use fault_context::FaultKind;
use replacement::{Goal, ReplaceError};
use self_check::{Check, CheckError, Companion, Outcome, TIMEOUT, eventually, expect, holds};

/// All checks.
pub const CHECKS: &[Check] = &[
    Check::new("a cell takes its own place, and the old one is freed", own_place),
    Check::new("a channel in which a receiver waits is replaced, and nothing is lost or comes twice", parked::receiver),
    Check::new("a channel in which a sender waits is replaced, and nothing is lost or comes twice", parked::sender),
    Check::new("a cell that a task does not leave stays, and the task is named", occupied),
    Check::new("the cell in which the CPUs wait is not replaced", permanent),
    Check::new("a cell whose state the engine does not know stays, and keeps it", unknown_state),
    Check::new("a page that is mapped otherwise meanwhile is not exchanged", remapped::remapped),
    Check::new("others run on the CPU on which a swap is prepared", preparing::others_run),
    Check::new("what was prepared and lost is given up", given_up),
    Check::new("a swap that is ended anywhere leaves the next one free to go", ended),
    Check::new("what an ended swap has replaced is freed without another one", freed_in_the_background),
    Check::new("a swap that faults anywhere leaves the next one free to go", faulted),
];

/// A cell that has clients everywhere, and in which no task stays.
const CELL: &str = "async_channel_core";

/// This cell.
const OWN: &str = env!("CARGO_PKG_NAME");

/// Fails with the name and the holder of a replaced cell that stays.
fn none_left() -> Outcome {
    match &*evolution::reclaim_within(TIMEOUT) {
        [] => Ok(()),
        [first, ..] => {
            let message = format!("the replaced cell {} is left, held by {}", first.cell, first.holder);
            Err(CheckError::Error(message.into()))
        }
    }
}

fn own_place() -> Outcome {
    let before = namespace::sizes();
    let report = evolution::reload(CELL)?;
    holds("it is the only cell that was replaced", matches!(&*report.changes, [change] if change.cell == CELL))?;
    none_left()?;
    holds("there are as many stubs and names as before", namespace::sizes() == before)
}

fn occupied() -> Outcome {
    let before = namespace::fingerprint();
    let this = task::current().map(|task| task.id().number());
    match evolution::reload(OWN) {
        Err(error @ SwapError::Occupied { .. }) => {
            let message = error.to_string();
            holds("the function is named", message.contains(&alloc::format!("{OWN}::occupied")))?;
            let SwapError::Occupied { task, cell, .. } = error else { return Err(CheckError::Missing("the task")) };
            holds("the task is named", Some(task) == this)?;
            holds("the cell is named", cell == OWN)?;
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(CheckError::NotRefused("replacing the text that runs")),
    }
    holds("the namespace is as before", namespace::fingerprint() == before)
}

fn permanent() -> Outcome {
    let before = namespace::fingerprint();
    match evolution::reload("pivot") {
        Err(SwapError::Prepare(ReplaceError::Permanent { cell })) => holds("it is named", cell == "pivot")?,
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(CheckError::NotRefused("replacing the pivot")),
    }
    holds("the namespace is as before", namespace::fingerprint() == before)
}

fn unknown_state() -> Outcome {
    const CELL: &str = "keepsake";
    const THING: u64 = 7;
    let before = namespace::fingerprint();
    keepsake::keep(THING);
    match evolution::reload(CELL) {
        Err(SwapError::UnknownState { cell }) => holds("it is named", cell == CELL)?,
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(CheckError::NotRefused("handing over what the engine does not know")),
    }
    expect("what it keeps", keepsake::kept(), THING)?;
    holds("the namespace is as before", namespace::fingerprint() == before)
}

fn given_up() -> Outcome {
    let before = namespace::sizes();
    let lost = replacement::prepare(Goal::Fresh(CELL))?;
    match evolution::reload(CELL) {
        Err(SwapError::Prepare(ReplaceError::Busy)) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(CheckError::NotRefused("a second change beside one that is prepared")),
    }
    // SAFETY: `lost` is not committed, and the engine prepares nothing meanwhile.
    unsafe { replacement::abandon() };
    evolution::reload(CELL)?;
    drop(lost);
    none_left()?;
    holds("there are as many stubs and names as before", namespace::sizes() == before)
}

fn ended() -> Outcome {
    let before = namespace::sizes();
    at_many_moments(|task| {
        task.kill_capability().kill();
    })?;
    none_left()?;
    holds("there are as many stubs and names as before", namespace::sizes() == before)
}

fn freed_in_the_background() -> Outcome {
    let before = namespace::sizes();
    for moment in 0..MOMENTS {
        let swapper = task::spawn("swapper", || drop(evolution::reload(CELL)))?;
        // From before the exchange of words to after the scan.
        task::sleep(SWAP_STEP * moment);
        swapper.kill_capability().kill();
        // Whether it was in time.
        let _ = swapper.join();
        eventually("replaced cells are freed", || namespace::retired_cells().is_empty())?;
    }
    // A swap that is lost while it is prepared is given up by the next one.
    evolution::wait_for_swap();
    holds("there are as many stubs and names as before", namespace::sizes() == before)
}

/// The memory of a frame that is hit is lost with it, so something may be left here.
fn faulted() -> Outcome {
    at_many_moments(|task| {
        // It swaps until then, so it is there.
        let _ = fault_injection::inject(FaultKind::NullAccess, task.id());
    })
}

/// How many moments are tried.
const MOMENTS: u32 = 8;

/// Between two of them, so that they span a swap in emulation.
const SWAP_STEP: Duration = Duration::from_millis(20);

/// Has a task swap until `end` has ended it, a little later each time; then the next swap must do its work.
fn at_many_moments(end: fn(&task::Joinable<()>)) -> Outcome {
    const STEP: Duration = Duration::from_micros(2_300);
    for moment in 0..MOMENTS {
        let swap_for_ever = || {
            loop {
                // A swap may fail: it is to be disturbed.
                let _ = evolution::reload(CELL);
                task::cancellation_point();
            }
        };
        let swapper: Companion<()> = task::spawn("swapper", swap_for_ever)?.into();
        task::sleep(moment * STEP);
        end(&swapper);
        eventually("the task ends", || swapper.has_ended())?;
        let _ = swapper.join();
        let report = evolution::reload(CELL)?;
        holds("the next swap replaces the cell", matches!(&*report.changes, [change] if change.cell == CELL))?;
    }
    Ok(())
}
