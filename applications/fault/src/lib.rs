//! `fault KIND TASK` makes a fault in a running task; `fault log` lists the faults so far.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;
use fault_context::FaultKind;
use fault_injection::INJECTABLE;

/// A word that names no kind of fault.
struct NoKind<W>(W);

impl<W: fmt::Display> fmt::Display for NoKind<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "'{}' is no kind of fault; there are:", self.0)?;
        INJECTABLE.iter().try_for_each(|kind| write!(formatter, " {}", kind.word()))
    }
}

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    match &*environment.arguments() {
        [word] if word == "log" => show_log(environment),
        // It takes no more words, and it is no kind.
        [word, ..] if word == "log" => Err(manual::FAULT.usage.into()),
        [kind, task] => {
            let kind = FaultKind::from_word(kind).ok_or_else(|| Failure::refused(NoKind(kind.clone())))?;
            let task = task::named(task).map_err(Failure::refused)?;
            fault_injection::inject(kind, task.id()).map_err(Failure::refused)
        }
        _ => Err(manual::FAULT.usage.into()),
    }
}

fn show_log(environment: &mut Environment) -> Result<(), Failure> {
    // Taken once: faults go on to happen while the log is shown.
    let count = fault_log::count();
    let mut records = fault_log::records().take_while(|record| record.number < count).peekable();
    // Those that follow take the place of the oldest.
    let forgotten = records.peek().map_or(count, |oldest| oldest.number);
    if forgotten > 0 {
        writeln!(environment, "... {forgotten} older ones are forgotten")?;
    }
    for record in records {
        writeln!(environment, "{record}")?;
    }
    writeln!(environment, "{count} faults since boot")?;
    Ok(())
}
