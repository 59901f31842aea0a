//! Swaps that are refused: one line says what and why, and everything is as it was, under any load.

use std::time::Duration;

use machine::Shell;

use crate::claim;
use crate::faults::latest;
use crate::harness::{Batch, Check, Failure, Outcome, Places};
use crate::load::Load;
use crate::shell::{contains, gone, one_line, says};
use crate::swaps::{BASE, no_retired_cells, swap};

/// Builds that are made to be refused, and applications that differ between builds.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch { name: "refusals", machine: Places::machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "swap lists apart what is to be refused", run: listed_apart },
    Check { name: "an unknown build gets one line", run: |shell| refused(shell, "none_such", "no such build") },
    Check { name: "a cell without an alternate gets one line", run: |shell| refused(shell, "mutex", NO_ALTERNATE) },
    Check { name: "core has no alternate", run: |shell| refused(shell, "core", NO_ALTERNATE) },
    Check { name: "the present build gets one line", run: |shell| refused(shell, BASE, "is this build already") },
    Check {
        name: "a type that other cells know does not change",
        run: |shell| refused(shell, "far_future", "the type real_time_clock::date::DateTime changes"),
    },
    Check {
        name: "a signature that others call does not change",
        run: |shell| refused(shell, "by_reference", "the signature of "),
    },
    Check {
        name: "a policy that does not take the tasks is refused under load",
        run: |shell| under_load(shell, "deadlines", "did not take over the state"),
    },
    Check {
        name: "a policy that panics with half of the tasks is refused under load",
        run: |shell| under_load(shell, "unfinished", "failed with panic when it took over the state"),
    },
    Check { name: "a policy that panics is blamed, though it never was in the namespace", run: blamed },
    Check { name: "another policy keeps its tasks as well", run: from_priority },
    Check { name: "an application and the cell that it needs change together", run: together },
    Check { name: "an application that runs and would change is named", run: running },
    Check { name: "an earlier swap that is undone by another is named", run: back_to_base },
    Check { name: "replaced cells are freed, none is left", run: no_retired_cells },
];

const NO_ALTERNATE: &str = "has no alternate";

/// How often each swap is tried.
const TIMES: u32 = 5;

fn listed_apart(shell: &mut Shell) -> Outcome {
    let output = shell.run("swap")?;
    let lines: Vec<&str> = output.lines().collect();
    let border = lines.iter().position(|line| line.starts_with("to be refused"));
    let place = |name: &str| lines.iter().position(|line| line.split_whitespace().next() == Some(name));
    for name in ["far_future", "by_reference", "deadlines", "unfinished"] {
        claim!(border.is_some() && place(name) > border, "{name} is not listed apart: {:?}", output.text);
    }
    claim!(place("weekday").is_some() && place("weekday") < border, "{:?}", output.text);
    Ok(())
}

/// Everything that tells one state of the system from another: every cell with its size, uses and users, and the digests
/// of those that a refused swap meant.
fn state(shell: &mut Shell) -> Result<String, Failure> {
    let mut lines = answer(shell, "cells")?;
    for cell in ["scheduling_policy", "scheduler", "real_time_clock", "init", "cpu_checks"] {
        lines.extend(answer(shell, &format!("cells {cell}"))?);
    }
    Ok(lines.join("\n"))
}

/// What a command says, without what jobs in the background and the shell say of them.
fn answer(shell: &mut Shell, command: &str) -> Result<Vec<String>, Failure> {
    let output = shell.run_within(command, Duration::from_secs(60))?;
    let of_jobs = |line: &str| line.starts_with("busy: ") || line.starts_with('[');
    Ok(output.lines().filter(|line| !of_jobs(line)).map(str::to_owned).collect())
}

/// One line and no more, which contains `reason`. Lines of the log, which tell of a panic, are no part of the answer.
fn says_why(shell: &mut Shell, build: &str, reason: &str) -> Outcome {
    let lines = answer(shell, &format!("swap {build}"))?;
    let fits = matches!(&lines[..], [line] if line.starts_with("swap: ") && line.contains(reason));
    claim!(fits, "swap {build}: no line with {reason:?} alone in {lines:?}");
    Ok(())
}

/// Each time with the same line, and nothing adds up.
fn refused(shell: &mut Shell, build: &str, reason: &str) -> Outcome {
    let before = state(shell)?;
    let frames = crate::cells::free_frames(shell)?;
    for _ in 0..TIMES {
        says_why(shell, build, reason)?;
    }
    let after = state(shell)?;
    claim!(before == after, "{before:?} before, {after:?} after");
    let frames_after = crate::cells::free_frames(shell)?;
    claim!(frames_after + 8 >= frames, "{frames} free frames before, {frames_after} after");
    contains(shell, "swap", "* base")
}

/// More tasks than CPUs are ready all the time, and each of them still gets its turn afterwards.
fn under_load(shell: &mut Shell, build: &str, reason: &str) -> Outcome {
    refused(shell, build, reason)?;
    let load = Load::busy(shell, 12)?;
    for _ in 0..TIMES {
        says_why(shell, build, reason)?;
        // A task that got lost would never be seen to go on.
        load.goes_on(shell)?;
    }
    load.stop(shell)?;
    refused(shell, build, reason)?;
    says(shell, "echo still here | cat", "still here")
}

fn blamed(shell: &mut Shell) -> Outcome {
    for _ in 0..TIMES {
        says_why(shell, "unfinished", "failed with panic when it took over the state")?;
        let line = latest(shell, "swap")?;
        let is_it = line.cell == "scheduling_policy" && line.function.ends_with("::import_state");
        claim!(is_it && line.action == "caught", "the blame is on {line:?}");
    }
    Ok(())
}

/// Its statics are not those of the policies that fail, as the base's are.
fn from_priority(shell: &mut Shell) -> Outcome {
    swap(shell, "priority")?;
    let load = Load::busy(shell, 2)?;
    for _ in 0..TIMES {
        says_why(shell, "deadlines", "did not take over the state")?;
        says_why(shell, "unfinished", "failed with panic when it took over the state")?;
        load.goes_on(shell)?;
    }
    contains(shell, "swap", "* priority")?;
    load.stop(shell)?;
    swap(shell, BASE)?;
    Ok(())
}

/// The application calls a function that only the new cell has.
fn together(shell: &mut Shell) -> Outcome {
    let names_day = |shell: &mut Shell| Ok::<_, Failure>(shell.run("date")?.contains("day, 20"));
    for _ in 0..TIMES {
        claim!(!names_day(shell)?, "the base's date names no day of the week");
        let before = state(shell)?;
        swap(shell, "weekday")?;
        claim!(names_day(shell)?, "date is the base's after the swap");
        claim!(before != state(shell)?, "the clock's cell did not change");
        // Its object and its entry in the manifest belong together.
        contains(shell, "check try date", "can be loaded")?;
        contains(shell, "swap", "* weekday")?;
        swap(shell, BASE)?;
    }
    claim!(!names_day(shell)?, "date is not the base's after the swap back");
    contains(shell, "check try date", "can be loaded")
}

fn running(shell: &mut Shell) -> Outcome {
    shell.run("date 600 > /tmp/dates &")?;
    refused(shell, "weekday", "application date runs")?;
    one_line(shell, "swap date")?;
    shell.run("kill date")?;
    gone(shell, "date")?;
    shell.run("rm /tmp/dates")?;
    swap(shell, "weekday")?;
    swap(shell, BASE)?;
    Ok(())
}

fn back_to_base(shell: &mut Shell) -> Outcome {
    swap(shell, "weekday")?;
    contains(
        shell,
        "swap bursts",
        "swapped to bursts: console; back to base: date (when it starts next), real_time_clock",
    )?;
    swap(shell, BASE)?;
    Ok(())
}
