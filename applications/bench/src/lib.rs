//! `bench [NAME ...]` measures the operations of the kernel, in ticks of the time stamp counter.
//!
//! For each operation one line, `BENCH name ticks iterations goal`, where `ticks` is the median over several rounds of the
//! ticks that one operation takes, with one decimal, and `goal` the instructions that it is to take at most; then one for
//! people, with the spread of the rounds.
//! Under `-icount shift=0` a virtual nanosecond is an instruction, and the time stamp counter counts virtual
//! nanoseconds times its frequency: QEMU's counts 1 GHz then, so that a tick is an instruction. The loop around the
//! operation is part of the figure.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod measure;
mod operations;

use application::{Environment, ExitCode, Failure};
use core::fmt;
use measure::Measurement;
use operations::{OPERATIONS, Operation};

/// A name that is no operation's.
struct Unknown<N>(N);

impl<N: fmt::Display> fmt::Display for Unknown<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no operation '{}'; there are:", self.0)?;
        OPERATIONS.iter().try_for_each(|operation| write!(formatter, " {}", operation.name))
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let names = environment.arguments();
    if let Some(name) = names.iter().find(|name| OPERATIONS.iter().all(|operation| operation.name != **name)) {
        return Err(Failure::refused(Unknown(name.clone())));
    }
    for operation in OPERATIONS {
        if names.is_empty() || names.iter().any(|name| name == operation.name) {
            show(environment, operation)?;
        }
    }
    Ok(())
}

fn show(environment: &mut Environment, operation: &Operation) -> Result<(), Failure> {
    let Measurement { median, spread, iterations } = measure::measure(operation).map_err(Failure::refused)?;
    let Operation { name, goal, .. } = operation;
    writeln!(environment, "BENCH {name} {median} {iterations} {goal}")?;
    writeln!(environment, "  {name}: {median} ticks, rounds within {spread} %")?;
    Ok(())
}
