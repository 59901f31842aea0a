//! Cells replaced while they work.

use std::time::Duration;

use machine::{CommandOutput, Shell};

use crate::claim;
use crate::counter::{Counter, is_counted};
use crate::harness::{Batch, Check, Failure, Outcome, Places, SELF_CHECK};
use crate::load::Load;
use crate::shell::{contains, gone, says};

/// Every alternate of the build, under load and without.
pub(crate) fn batches() -> Vec<Batch> {
    vec![
        Batch { name: "swaps", machine: Places::machine, checks: CHECKS, self_checks: &["check swap"] },
        Batch { name: "priorities", machine: Places::machine, checks: PRIORITIES, self_checks: &[] },
        Batch {
            name: "priorities on 1 cpu",
            machine: |places| places.machine().cpus(1),
            checks: PRIORITIES,
            self_checks: &[],
        },
        Batch {
            name: "swaps in little memory",
            machine: |places| places.machine().memory_mib(LITTLE_MEMORY),
            checks: LITTLE,
            self_checks: &[],
        },
    ]
}

/// Mebibytes with which the system boots, and too few for some of the checks of swaps.
const LITTLE_MEMORY: u32 = 44;

const CHECKS: &[Check] = &[
    Check { name: "swap lists what can be replaced", run: |shell| contains(shell, "swap", "priority") },
    Check {
        name: "a policy is swapped alone",
        run: |shell| contains(shell, "swap", "inheritance (scheduling_policy)"),
    },
    Check { name: "the scheduling policy under load, there and back", run: |shell| under_load(shell, "priority") },
    Check { name: "the feedback queue under load, there and back", run: |shell| under_load(shell, "mlfq") },
    Check { name: "the console driver while it prints: every line comes once, whole, in order", run: console_prints },
    Check { name: "the channel with messages in flight", run: channel_in_flight },
    Check { name: "an application started during a swap waits for its end", run: started_meanwhile },
    Check { name: "the heap's front", run: |shell| there_and_back(shell, "frugal") },
    Check { name: "replaced cells are freed, none is left", run: no_retired_cells },
    Check { name: "replaced cells are freed under load, too", run: no_retired_cells_under_load },
    Check { name: "from one alternate to another", run: alternate_to_alternate },
    Check { name: "twelve swaps in a row lose no memory", run: many_swaps },
    Check { name: "the system works after all swaps", run: |shell| says(shell, "echo after | cat", "after") },
];

const LITTLE: &[Check] =
    &[Check { name: "a check that lacks memory leaves no task behind", run: nothing_left_without_memory }];

const PRIORITIES: &[Check] =
    &[Check { name: "all that is claimed of tasks holds under fixed priorities, too", run: under_priorities }];

/// The checks themselves may fail here; each must end and take its tasks with it.
fn nothing_left_without_memory(shell: &mut Shell) -> Outcome {
    let output = shell.run_within("check swap", SELF_CHECK)?;
    claim!(!output.contains("neither joined nor detached"), "a check dropped a task: {:?}", output.text);
    gone(shell, "check: other")?;
    gone(shell, "swapper")?;
    says(shell, "echo after | cat", "after")
}

/// The build that was booted.
pub(crate) const BASE: &str = "base";

pub(crate) fn swap(shell: &mut Shell, build: &str) -> Result<CommandOutput, Failure> {
    let output = shell.run_within(&format!("swap {build}"), Duration::from_secs(60))?;
    for phase in ["prepare", "quiesce", "commit", "reclaim"] {
        if !output.contains(phase) {
            return Err(Failure::Claim(format!("swap {build}: no {phase} in {:?}", output.text)));
        }
    }
    Ok(output)
}

fn there_and_back(shell: &mut Shell, build: &str) -> Outcome {
    swap(shell, build)?;
    echoes(shell, "new")?;
    contains(shell, "swap", &format!("* {build}"))?;
    swap(shell, BASE)?;
    echoes(shell, "old")
}

/// Among other lines: jobs that end meanwhile say so.
fn echoes(shell: &mut Shell, word: &str) -> Outcome {
    let output = shell.run(&format!("echo {word}"))?;
    claim!(output.lines().any(|line| line == word), "no {word:?} in {:?}", output.text);
    Ok(())
}

fn under_load(shell: &mut Shell, build: &str) -> Outcome {
    let load = Load::busy(shell, 4)?;
    for build in [build, BASE] {
        swap(shell, build)?;
        load.goes_on(shell)?;
        contains(shell, "swap", &format!("* {build}"))?;
    }
    load.stop(shell)?;
    Ok(())
}

fn console_prints(shell: &mut Shell) -> Outcome {
    let counter = Counter::start(shell)?;
    for build in ["bursts", BASE] {
        let output = swap(shell, build)?;
        claim!(output.lines().any(is_counted), "nothing was printed during swap {build}: {:?}", output.text);
        counter.goes_on(shell)?;
    }
    if let Err(wrong) = counter.stop(shell)? {
        claim!(false, "{wrong}");
    }
    gone(shell, "count")
}

fn channel_in_flight(shell: &mut Shell) -> Outcome {
    let load = Load::traffic(shell)?;
    for build in ["batching", BASE] {
        swap(shell, build)?;
        load.goes_on(shell)?;
    }
    let said = load.stop(shell)?;
    let totals = said.lines().find(|line| line.contains(" doubled")).unwrap_or("no totals were told");
    let numbers: Vec<&str> = totals.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    let whole = matches!(numbers[..], [sent, received, "0", "0"] if sent == received && sent != "0");
    claim!(whole, "{totals:?} in {said:?}");
    Ok(())
}

/// Also what holds only then.
fn under_priorities(shell: &mut Shell) -> Outcome {
    swap(shell, "priority")?;
    let output = shell.run_within("check ps", SELF_CHECK)?;
    let ok = output.lines().filter(|line| line.starts_with("ok: ")).count();
    let all = output.lines().filter(|line| line.contains(": ")).count();
    let last = output.lines().last().unwrap_or_default();
    claim!(ok == all && last == format!("{all} of {all} checks passed"), "{:?}", output.text);
    for name in ["urgent-displaces", "inversion-is-resolved"] {
        claim!(output.lines().any(|line| line == format!("ok: {name}")), "no {name} in {:?}", output.text);
    }
    swap(shell, BASE)?;
    contains(shell, "check ps urgent-displaces", "does not apply: urgent-displaces: ")
}

/// In the background the job is loaded while the next command, the swap, is under way already.
fn started_meanwhile(shell: &mut Shell) -> Outcome {
    for build in ["frugal", BASE, "frugal", BASE] {
        let mark = shell.machine().mark();
        shell.run("echo loaded &")?;
        swap(shell, build)?;
        shell.machine().line_since(mark, "] done", Duration::from_secs(20))?;
        let said = shell.machine().output();
        claim!(!said[mark..].contains("cannot be loaded"), "{:?}", &said[mark..]);
    }
    Ok(())
}

/// Replaced cells are freed as soon as no task stands in them, and the command waits for that.
pub(crate) fn no_retired_cells(shell: &mut Shell) -> Outcome {
    let output = shell.run_within("swap reclaim", Duration::from_secs(60))?;
    // Among other lines: jobs that end meanwhile say so.
    claim!(output.lines().any(|line| line == "0 retired cells"), "{:?}", output.text);
    Ok(())
}

fn no_retired_cells_under_load(shell: &mut Shell) -> Outcome {
    let load = Load::busy(shell, 4)?;
    for build in ["priority", "bursts", "batching", "frugal", BASE] {
        swap(shell, build)?;
        no_retired_cells(shell)?;
    }
    load.goes_on(shell)?;
    load.stop(shell)?;
    Ok(())
}

fn alternate_to_alternate(shell: &mut Shell) -> Outcome {
    swap(shell, "priority")?;
    swap(shell, "frugal")?;
    contains(shell, "swap", "* frugal")?;
    swap(shell, BASE)?;
    says(shell, "echo back | cat", "back")
}

/// Of two cells, in turn: the policy, which hands its tasks over, and the heap's front, to which every cell refers.
fn many_swaps(shell: &mut Shell) -> Outcome {
    let round = |shell: &mut Shell| {
        for build in ["priority", "frugal", BASE] {
            swap(shell, build)?;
        }
        no_retired_cells(shell)
    };
    round(shell)?;
    let before = memory(shell)?;
    for _ in 0..4 {
        round(shell)?;
    }
    let after = memory(shell)?;
    claim!(after.0 + SLACK_FRAMES >= before.0, "{} free frames before twelve swaps, {} after", before.0, after.0);
    claim!(after.1 <= before.1 + SLACK_HEAP, "{} bytes of heap before twelve swaps, {} after", before.1, after.1);
    Ok(())
}

/// Frames that stocks of the heap and of stacks may keep, which differ from time to time.
const SLACK_FRAMES: u64 = 64;
/// The shell's history and the log grow. A single forgotten cell is more.
const SLACK_HEAP: u64 = 16 * 1024;

/// Free frames, and bytes of the heap in use.
fn memory(shell: &mut Shell) -> Result<(u64, u64), Failure> {
    let frames = crate::cells::free_frames(shell)?;
    let output = shell.run("mem")?;
    let used = output.line_with("used ").and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    match used {
        Some(used) if frames > 0 => Ok((frames, used)),
        _ => Err(Failure::Claim(format!("not understood: {:?}", output.text))),
    }
}
