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
    Check {
        name: "the scheduling policy under load, there and back",
        run: |shell| under_load(shell, "scheduling_policy"),
    },
    Check { name: "the console driver", run: |shell| there_and_back(shell, "console") },
    Check { name: "the channel with messages in flight", run: channel_in_flight },
    Check { name: "the heap's front", run: |shell| there_and_back(shell, "heap") },
    Check { name: "a swap leaves no zombie", run: |shell| contains(shell, "swap", "0 zombies") },
    Check { name: "the system works after all swaps", run: |shell| says(shell, "echo after | cat", "after") },
];

fn swap(shell: &mut Shell, cell: &str) -> Result<(), Failure> {
    let output = shell.run_within(&format!("swap {cell}"), Duration::from_secs(60))?;
    for phase in ["prepare", "quiesce", "commit", "reclaim"] {
        if !output.contains(phase) {
            return Err(Failure::Claim(format!("swap {cell}: no {phase} in {:?}", output.text)));
        }
    }
    Ok(())
}

fn there_and_back(shell: &mut Shell, cell: &str) -> Outcome {
    swap(shell, cell)?;
    says(shell, "echo new", "new")?;
    swap(shell, cell)?;
    says(shell, "echo old", "old")
}

fn under_load(shell: &mut Shell, cell: &str) -> Outcome {
    for _ in 0..4 {
        shell.run("busy 6 &")?;
    }
    there_and_back(shell, cell)?;
    gone(shell, "busy")
}

fn channel_in_flight(shell: &mut Shell) -> Outcome {
    let mark = shell.machine().mark();
    shell.run("traffic 4 &")?;
    swap(shell, "async_channel_core")?;
    let said = shell.machine().line_since(mark, " doubled", Duration::from_secs(60))?;
    claim!(said.contains(" 0 lost, 0 doubled"), "{said:?}");
    gone(shell, "traffic")?;
    swap(shell, "async_channel_core")?;
    Ok(())
}
