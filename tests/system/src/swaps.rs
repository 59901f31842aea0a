//! Cells replaced while they work.

use std::time::Duration;

use machine::Shell;

use crate::claim;
use crate::harness::{Batch, Check, Failure, Outcome, Places};
use crate::shell::{contains, gone, one_line, says};

/// Every alternate of the build, under load and without.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch { name: "swaps", machine: Places::machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "swap lists what can be replaced", run: |shell| contains(shell, "swap", "priority") },
    Check { name: "an unknown alternate gets one line", run: |shell| one_line(shell, "swap none_such") },
    Check { name: "the scheduling policy under load, there and back", run: |shell| under_load(shell, "priority") },
    Check { name: "the console driver", run: |shell| there_and_back(shell, "bursts") },
    Check { name: "the channel with messages in flight", run: channel_in_flight },
    Check { name: "the heap's front", run: |shell| there_and_back(shell, "frugal") },
    Check { name: "what is left of replaced cells is named with its holder", run: zombies_have_holders },
    Check {
        name: "a swap to the present build is refused or changes nothing",
        run: |shell| says_still(shell, "swap base"),
    },
    Check { name: "from one alternate to another", run: alternate_to_alternate },
    Check { name: "ten swaps in a row lose no memory", run: many_swaps },
    Check { name: "the system works after all swaps", run: |shell| says(shell, "echo after | cat", "after") },
];

/// The build that was booted.
const BASE: &str = "base";

fn swap(shell: &mut Shell, build: &str) -> Result<(), Failure> {
    let output = shell.run_within(&format!("swap {build}"), Duration::from_secs(60))?;
    for phase in ["prepare", "quiesce", "commit", "reclaim"] {
        if !output.contains(phase) {
            return Err(Failure::Claim(format!("swap {build}: no {phase} in {:?}", output.text)));
        }
    }
    Ok(())
}

fn there_and_back(shell: &mut Shell, build: &str) -> Outcome {
    swap(shell, build)?;
    says(shell, "echo new", "new")?;
    contains(shell, "swap", &format!("* {build}"))?;
    swap(shell, BASE)?;
    says(shell, "echo old", "old")
}

fn under_load(shell: &mut Shell, build: &str) -> Outcome {
    for _ in 0..4 {
        shell.run("busy 6 &")?;
    }
    there_and_back(shell, build)?;
    gone(shell, "busy")
}

fn channel_in_flight(shell: &mut Shell) -> Outcome {
    let mark = shell.machine().mark();
    shell.run("traffic 4 &")?;
    swap(shell, "batching")?;
    let said = shell.machine().line_since(mark, " doubled", Duration::from_secs(60))?;
    claim!(said.contains(" 0 lost, 0 doubled"), "{said:?}");
    gone(shell, "traffic")?;
    swap(shell, BASE)
}

/// The idle loops never leave the scheduler, so its text stays; and the scan is conservative.
fn zombies_have_holders(shell: &mut Shell) -> Outcome {
    let output = shell.run("swap")?;
    claim!(output.contains("* base"), "{:?}", output.text);
    for line in output.lines().filter(|line| line.starts_with("zombie:")) {
        claim!(line.contains("referred to at 0x"), "no holder: {line:?}");
    }
    Ok(())
}

fn says_still(shell: &mut Shell, command: &str) -> Outcome {
    shell.run(command)?;
    contains(shell, "swap", "* base")
}

fn alternate_to_alternate(shell: &mut Shell) -> Outcome {
    swap(shell, "priority")?;
    swap(shell, "frugal")?;
    contains(shell, "swap", "* frugal")?;
    swap(shell, BASE)?;
    says(shell, "echo back | cat", "back")
}

fn many_swaps(shell: &mut Shell) -> Outcome {
    swap(shell, "frugal")?;
    swap(shell, BASE)?;
    let before = crate::cells::free_frames(shell)?;
    for _ in 0..5 {
        swap(shell, "frugal")?;
        swap(shell, BASE)?;
    }
    let after = crate::cells::free_frames(shell)?;
    claim!(after + 64 >= before && before > 0, "{before} free frames before ten swaps, {after} after");
    Ok(())
}
