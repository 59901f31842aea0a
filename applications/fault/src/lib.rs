//! `fault KIND TASK` makes a fault in a running task; `fault log` lists the faults so far; `fault check` makes faults of
//! all kinds in tasks of its own and looks for leftovers; `fault disturb` does so while memory runs out.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure};
use core::fmt;
use fault_checks::{CHECKS, DISTURBING_CHECKS};
use fault_context::FaultKind;
use fault_injection::INJECTABLE;

/// A word that is no kind of fault.
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
        [word] if word == "check" => self_check::conduct(environment, CHECKS, None),
        [word] if word == "disturb" => self_check::conduct(environment, DISTURBING_CHECKS, None),
        // None of these takes a word more, and none is a kind.
        [word, ..] if ["log", "check", "disturb"].contains(&word.as_str()) => Err(manual::FAULT.usage.into()),
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
