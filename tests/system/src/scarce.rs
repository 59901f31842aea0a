//! A small machine after a user has given its memory away: looking and ending must still work.

use machine::Shell;

use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};
use crate::shell::runs;

/// A machine with 44 MiB.
pub(crate) fn batches() -> Vec<Batch> {
    let machine = |places: &Places| Places::machine(places).memory_mib(44);
    vec![Batch { name: "scarce", machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "jobs take all memory until one is refused in one line", run: storm },
    Check { name: "the operator's commands work all the same, again and again", run: operator },
    Check { name: "the memory of tasks that were killed serves others", run: recovery },
];

/// More jobs than 44 MiB have room for.
const JOBS: usize = 400;

/// The shell's words when there is no memory for a command.
const REFUSED: &str = "sleep: cannot be ";

fn storm(shell: &mut Shell) -> Outcome {
    for _ in 0..JOBS {
        let output = shell.run("sleep 3600 &")?;
        if output.contains("cannot be ") {
            claim!(output.lines().count() <= 2, "{:?}", output.text);
            return Ok(());
        }
    }
    claim!(false, "{JOBS} jobs were started");
    Ok(())
}

fn operator(shell: &mut Shell) -> Outcome {
    for _ in 0..3 {
        for (command, expected) in [
            ("ps", " sleep"),
            ("mem", "free"),
            ("fault log", "faults since boot"),
            ("jobs", "] sleep 3600"),
            ("mem reclaim", "frames came back"),
            ("kill none", "kill: there is no task 'none'"),
        ] {
            let output = shell.run(command)?;
            claim!(output.contains(expected), "{command}: {:?}", output.text);
        }
    }
    Ok(())
}

fn recovery(shell: &mut Shell) -> Outcome {
    let listed = shell.run("ps")?;
    let sleeping: Vec<String> = listed
        .lines()
        .filter(|line| line.split_whitespace().last() == Some("sleep"))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    claim!(sleeping.len() > 3, "{:?}", listed.text);
    for task in sleeping {
        shell.run(&format!("kill {task}"))?;
    }
    for _ in 0..50 {
        if !runs(shell, "sleep")? {
            let output = shell.run("sleep 0 ; echo works")?;
            claim!(output.lines().any(|line| line == "works") && !output.contains(REFUSED), "{:?}", output.text);
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    claim!(false, "jobs are still there");
    Ok(())
}
