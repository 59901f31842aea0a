//! `check` checks the running system: all of it, one subject, or one claim; `check try` hands the loader one object.
//!
//! To the reader of its output (`tests/system`): the lines that [`self_check`] promises. It is in the archive of tests only.
#![no_std]
#![forbid(unsafe_code)]

use application::{Environment, ExitCode, Failure, Usage};
use loader_checks::Damage;
use self_check::{Check, conduct};

/// How the application is called.
const USAGE: Usage = Usage(
    "check [SUBJECT [disturb] [NAME]] | check try CELL [cut BYTES | flip BIT]; subjects: cpus, mem, cells, ps, fault, swap",
);

/// A part of the system, with the claims about it.
struct Subject {
    name: &'static str,
    checks: &'static [Check],
    /// Claims whose checks disturb other tasks: they run only when they are asked for.
    disturbing: &'static [Check],
}

/// All subjects, those that others stand on first. Each is called like the command that shows it.
const SUBJECTS: [Subject; 6] = [
    Subject { name: "cpus", checks: cpu_checks::CHECKS, disturbing: &[] },
    Subject { name: "mem", checks: memory_checks::CHECKS, disturbing: memory_checks::DISTURBING_CHECKS },
    Subject { name: "cells", checks: loader_checks::CHECKS, disturbing: &[] },
    Subject { name: "ps", checks: task_checks::CHECKS, disturbing: &[] },
    Subject { name: "fault", checks: fault_checks::CHECKS, disturbing: fault_checks::DISTURBING_CHECKS },
    Subject { name: "swap", checks: swap_checks::CHECKS, disturbing: &[] },
];

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = run(environment);
    environment.conclude(result)
}

fn run(environment: &mut Environment) -> Result<(), Failure> {
    let arguments = environment.arguments();
    let (first, rest) = match &*arguments {
        [] => return conduct(environment, SUBJECTS.iter().flat_map(|subject| subject.checks), None),
        [first, rest @ ..] => (first, rest),
    };
    if first == "try" {
        let (cell, damage) = rest.split_first().ok_or(USAGE)?;
        let number = |word: &str| word.parse::<usize>().map_err(|_| USAGE);
        let damage = match damage {
            [] => Damage::Sound,
            [word, size] if word == "cut" => Damage::Cut(number(size)?),
            [word, bit] if word == "flip" => Damage::Flip(number(bit)?),
            _ => return Err(USAGE.into()),
        };
        let bytes = loader_checks::attempt(application::name(cell)?, damage).map_err(Failure::refused)?;
        return Ok(writeln!(environment, "{cell}: {bytes} bytes can be loaded")?);
    }
    let subject = SUBJECTS.iter().find(|subject| subject.name == first).ok_or(USAGE)?;
    match rest {
        [] => conduct(environment, subject.checks, None),
        [word] if word == "disturb" && !subject.disturbing.is_empty() => conduct(environment, subject.disturbing, None),
        [name] => conduct(environment, subject.checks, Some(name)),
        [word, name] if word == "disturb" => conduct(environment, subject.disturbing, Some(name)),
        _ => Err(USAGE.into()),
    }
}
