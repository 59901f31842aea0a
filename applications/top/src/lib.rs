//! `top [SECONDS]` shows what the processors are busy with, second by second.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use application::{Environment, ExitCode, Failure};
use core::num::NonZeroU32;
use core::time::Duration;
use task::{TaskId, TaskRef};

/// How long one look takes.
const INTERVAL: Duration = Duration::from_secs(1);
/// The busiest tasks that are shown.
const ROWS: usize = 12;

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let seconds = match &*environment.arguments() {
        [] => 1,
        [seconds] => seconds.parse::<NonZeroU32>().map_err(|_| manual::TOP.usage)?.get(),
        _ => return Err(manual::TOP.usage.into()),
    };
    for second in 0..seconds {
        if second > 0 {
            writeln!(environment)?;
        }
        look(environment)?;
    }
    Ok(())
}

fn look(environment: &mut Environment) -> Result<(), Failure> {
    let before: BTreeMap<TaskId, u64> = task::all().iter().map(|task| (task.id(), task.ticks())).collect();
    task::sleep(INTERVAL);
    // A task that came meanwhile began with nothing.
    let passed = |task: &TaskRef| task.ticks().saturating_sub(before.get(&task.id()).copied().unwrap_or(0));
    let mut tasks: Vec<(u64, TaskRef)> = task::all().into_iter().map(|task| (passed(&task), task)).collect();
    let all = tasks.iter().map(|(ticks, _)| ticks).sum::<u64>().max(1);
    let idle: u64 = tasks.iter().filter(|(_, task)| task.is_idle()).map(|(ticks, _)| ticks).sum();
    writeln!(environment, "{} tasks, processors busy {} %", tasks.len(), 100 - 100 * idle / all)?;
    tasks.retain(|(ticks, task)| *ticks > 0 && !task.is_idle());
    tasks.sort_by_key(|(ticks, _)| core::cmp::Reverse(*ticks));
    for (ticks, task) in tasks.iter().take(ROWS) {
        let (id, cpu) = (task.id().number(), task.cpu().number());
        writeln!(environment, "{:>3} % {id:>6} cpu{cpu} {:<8} {}", 100 * ticks / all, task.state(), task.name())?;
    }
    Ok(())
}
