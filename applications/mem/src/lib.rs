//! `mem` shows memory and who holds it.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use frames::Purpose;

/// Frames are 4 KiB.
const FRAME_KIB: usize = 4;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let [] = &*environment.arguments() else { return Err(manual::MEM.usage.into()) };
    let frames = frames::statistics();
    writeln!(environment, "{:<16} {:>8} {:>10}", "frames", "count", "KiB")?;
    row(environment, "total", frames.total)?;
    row(environment, "free", frames.free)?;
    row(environment, "reserved", frames.reserved())?;
    for purpose in Purpose::ALL {
        row(environment, purpose.name(), frames.held(*purpose))?;
    }
    let heap = heap::statistics();
    writeln!(environment, "{:<16} {:>8}", "heap", "bytes")?;
    for (name, bytes) in [("arena", heap.arena), ("used", heap.used), ("cached", heap.cached), ("lost", heap.lost)] {
        writeln!(environment, "{name:<16} {bytes:>8}")?;
    }
    Ok(())
}

fn row(environment: &mut Environment, name: &str, frames: usize) -> Result<(), Failure> {
    writeln!(environment, "{name:<16} {frames:>8} {:>10}", frames * FRAME_KIB)?;
    Ok(())
}
