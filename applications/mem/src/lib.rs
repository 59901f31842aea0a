//! `mem` shows memory and its holders; `mem reclaim` asks the cells that keep spare memory to give it back.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;

use application::{Environment, ExitCode, Failure};
use memory_view::Purpose;

/// Frames are 4 KiB.
const FRAME_KIB: usize = 4;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let arguments = environment.arguments();
    match &*arguments {
        [] => show(environment),
        [word] if word == "reclaim" => {
            let frames = memory_view::reclaim();
            Ok(writeln!(environment, "{frames} frames came back")?)
        }
        _ => Err(manual::MEM.usage.into()),
    }
}

fn show(environment: &mut Environment) -> Result<(), Failure> {
    let frames = memory_view::frames();
    writeln!(environment, "{:<16} {:>8} {:>10}", "frames", "count", "KiB")?;
    row(environment, "total", frames.total)?;
    row(environment, "free", frames.free)?;
    row(environment, "reserved", frames.reserved())?;
    for purpose in Purpose::ALL {
        row(environment, purpose.name(), frames.held(*purpose))?;
    }
    let heap = memory_view::heap();
    writeln!(environment, "{:<16} {:>8}", "heap", "bytes")?;
    writeln!(environment, "{:<16} {:>8}", "cache_limit", memory_view::cache_limit())?;
    let counts = [
        ("arena", heap.arena),
        ("used", heap.used),
        ("cached", heap.cached),
        ("lost", heap.lost),
        ("refused", heap.refused),
    ];
    for (name, bytes) in counts {
        writeln!(environment, "{name:<16} {bytes:>8}")?;
    }
    show_holders(environment, heap.used)
}

/// The holders of the heap: for each task, the bytes that it took and that have not been freed. The rest was taken before the
/// first task began, or by tasks that have ended and gave it to others. A block is larger than the request for it; the
/// difference is in the rest, too.
fn show_holders(environment: &mut Environment, used: usize) -> Result<(), Failure> {
    writeln!(environment, "{:<16} {:>8}", "heap by task", "bytes")?;
    let mut rest = u64::try_from(used).unwrap_or(u64::MAX);
    for task in task::all() {
        let bytes = task.heap_bytes();
        rest = rest.saturating_sub(bytes);
        if bytes != 0 {
            let name = format!("{} {}", task.id().number(), task.name());
            writeln!(environment, "{name:<16} {bytes:>8}")?;
        }
    }
    writeln!(environment, "{:<16} {rest:>8}", "boot and ended")?;
    Ok(())
}

fn row(environment: &mut Environment, name: &str, frames: usize) -> Result<(), Failure> {
    writeln!(environment, "{name:<16} {frames:>8} {:>10}", frames * FRAME_KIB)?;
    Ok(())
}
