//! Tasks, processors and the primitives between them.

use std::time::Duration;

use machine::Shell;

use crate::claim;
use crate::harness::{Batch, Check, Failure, Outcome, Places};
use crate::shell::{contains, one_line, runs, says};

/// Tasks on four CPUs, then the same system on one and on two.
pub(crate) fn batches() -> Vec<Batch> {
    vec![
        Batch { name: "tasks", machine: Places::machine, checks: CHECKS, self_checks: &["check ps", "check cpus"] },
        Batch {
            name: "1 cpu",
            machine: |places| places.machine().cpus(1),
            checks: FEW,
            self_checks: &["check ps", "check cpus"],
        },
        Batch {
            name: "2 cpus",
            machine: |places| places.machine().cpus(2),
            checks: FEW,
            self_checks: &["check ps", "check cpus"],
        },
    ]
}

const CHECKS: &[Check] = &[
    Check { name: "four processors are online", run: |shell| processors(shell, 4) },
    Check { name: "ps lists the shell and the console", run: ps_lists },
    Check { name: "top shows load", run: top_shows_load },
    Check { name: "a running task is ended by kill", run: kill_running },
    Check { name: "a blocked task is ended by kill", run: kill_blocked },
    Check { name: "a killed task runs its destructors", run: kill_runs_destructors },
    Check { name: "kill of an unknown task gets one line", run: |shell| one_line(shell, "kill no_such_task") },
    Check { name: "kill of an unknown number gets one line", run: |shell| one_line(shell, "kill 999999") },
    Check { name: "work is spread over the processors", run: work_is_spread },
    Check { name: "a channel under load loses and doubles nothing", run: traffic },
    Check { name: "nothing of ended tasks is listed", run: nothing_is_left },
];

const FEW: &[Check] = &[
    Check { name: "echo says its words", run: |shell| says(shell, "echo few", "few") },
    Check { name: "a pipe carries output to input", run: |shell| says(shell, "echo through | cat", "through") },
    Check { name: "a channel under load loses and doubles nothing", run: traffic },
    Check { name: "a busy task does not hold up the shell", run: busy_does_not_block },
];

fn processors(shell: &mut Shell, expected: usize) -> Outcome {
    let output = shell.run("cpus")?;
    let count =
        output.lines().skip(1).filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit())).count();
    claim!(count == expected, "{count} processors: {:?}", output.text);
    Ok(())
}

fn ps_lists(shell: &mut Shell) -> Outcome {
    let output = shell.run("ps")?;
    for name in ["shell", "console", "ps"] {
        claim!(output.lines().any(|line| line.trim_end().ends_with(name)), "no task {name} in {:?}", output.text);
    }
    Ok(())
}

fn top_shows_load(shell: &mut Shell) -> Outcome {
    let job = shell.start("busy 60")?;
    let output = shell.run("top")?;
    claim!(output.line_with("busy").is_some(), "no busy task: {:?}", output.text);
    shell.run("kill busy")?;
    shell.end_of(job)?;
    Ok(())
}

/// Starts a job, ends it, and waits for the shell's word about it; returns what was said meanwhile.
fn kill(shell: &mut Shell, job: &str, name: &str) -> Result<String, Failure> {
    let job = shell.start(job)?;
    shell.run(&format!("kill {name}"))?;
    let said = shell.end_of(job)?;
    claim_line(&said, &format!("{name}: killed"))?;
    claim!(!runs(shell, name)?, "{name} is still there");
    Ok(said)
}

fn claim_line(said: &str, expected: &str) -> Outcome {
    claim!(said.lines().any(|line| line == expected), "no line {expected:?} in {said:?}");
    Ok(())
}

fn kill_running(shell: &mut Shell) -> Outcome {
    kill(shell, "busy 60", "busy").map(|_| ())
}

fn kill_blocked(shell: &mut Shell) -> Outcome {
    kill(shell, "top 60", "top").map(|_| ())
}

fn kill_runs_destructors(shell: &mut Shell) -> Outcome {
    let said = kill(shell, "busy 60", "busy")?;
    claim!(said.contains("left off after"), "no word from the destructor in {said:?}");
    Ok(())
}

fn work_is_spread(shell: &mut Shell) -> Outcome {
    let jobs = (0..4).map(|_| shell.start("busy 6")).collect::<Result<Vec<_>, _>>()?;
    let output = shell.run("top")?;
    let mut cpus: Vec<&str> = output
        .lines()
        .filter(|line| line.trim_end().ends_with("busy"))
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with("cpu")))
        .collect();
    cpus.sort_unstable();
    cpus.dedup();
    for job in jobs {
        shell.end_of(job)?;
    }
    claim!(cpus.len() >= 3, "four busy tasks on {cpus:?}: {:?}", output.text);
    Ok(())
}

fn traffic(shell: &mut Shell) -> Outcome {
    contains(shell, "traffic 1", " received, 0 lost, 0 doubled")
}

/// What a task or an application has while it is there.
#[derive(Debug, PartialEq)]
struct Held {
    /// Number and name of each task.
    tasks: Vec<String>,
    /// The lines of `mem` about frames of stacks and cells.
    frames: Vec<String>,
}

/// What is held now, but for what is only in stock. The application that tells it is the same each time, and has another number.
fn held(shell: &mut Shell) -> Result<Held, Failure> {
    shell.run("mem reclaim")?;
    let tasks = shell.run("ps")?;
    let row = |line: &str| {
        let (number, name) = (line.split_whitespace().next()?, line.split_whitespace().skip(6).collect::<Vec<_>>());
        (name != ["ps"]).then(|| format!("{number} {}", name.join(" ")))
    };
    let memory = shell.run("mem")?;
    let frames = memory.lines().filter(|line| line.starts_with("stacks ") || line.starts_with("cell "));
    Ok(Held { tasks: tasks.lines().skip(1).filter_map(row).collect(), frames: frames.map(str::to_owned).collect() })
}

/// Whichever way they end.
fn nothing_is_left(shell: &mut Shell) -> Outcome {
    let round = |shell: &mut Shell| -> Outcome {
        says(shell, "echo gone | cat", "gone")?;
        let job = shell.start("echo aside")?;
        shell.end_of(job)?;
        kill(shell, "busy 60", "busy")?;
        kill(shell, "top 60", "top").map(|_| ())
    };
    // The first ones fill caches that stay.
    round(shell)?;
    let before = held(shell)?;
    claim!(before.tasks.len() > 4 && before.frames.len() == 4, "not understood: {before:?}");
    for _ in 0..4 {
        round(shell)?;
    }
    let mut after = held(shell)?;
    // The reaper works when nothing else is to be done.
    for _ in 0..30 {
        if after == before {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(300));
        after = held(shell)?;
    }
    claim!(false, "{before:?} before, {after:?} after");
    Ok(())
}

fn busy_does_not_block(shell: &mut Shell) -> Outcome {
    let job = shell.start("busy 60")?;
    says(shell, "echo still here", "still here")?;
    shell.run("kill busy")?;
    shell.end_of(job)?;
    Ok(())
}
