//! Faults made in running tasks, and what is left of them.

use std::time::Duration;

use machine::Shell;

use crate::claim;
use crate::harness::{Batch, Check, Failure, Outcome, Places};
use crate::shell::{contains, one_line, says};

/// Every kind of fault; the shell must live on after each.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch { name: "faults", machine: Places::machine, checks: CHECKS, self_checks: &["fault check"] }]
}

const CHECKS: &[Check] = &[
    Check { name: "no fault has happened yet", run: |shell| contains(shell, "fault log", "0 faults since boot") },
    Check { name: "a panic is recovered", run: |shell| recovered(shell, "panic") },
    Check { name: "a null access is recovered", run: |shell| recovered(shell, "null") },
    Check { name: "a general protection fault is recovered", run: |shell| recovered(shell, "gp") },
    Check { name: "a divide error is recovered", run: |shell| recovered(shell, "div") },
    Check { name: "an invalid opcode is recovered", run: |shell| recovered(shell, "ud") },
    Check { name: "a stack overflow is recovered", run: |shell| recovered(shell, "overflow") },
    Check { name: "running out of memory is recovered", run: |shell| recovered(shell, "oom") },
    Check { name: "a deadlock is found and recovered", run: |shell| recovered(shell, "deadlock") },
    Check { name: "the fault log names cell and function", run: log_names_function },
    Check { name: "the fault log tells the time of recovery", run: |shell| contains(shell, "fault log", " us") },
    Check { name: "a faulted application is unloaded", run: application_unloaded },
    Check { name: "the console driver is restarted after a fault", run: |shell| restarted(shell, "console") },
    Check { name: "the shell is restarted after a fault", run: |shell| restarted(shell, "shell") },
    Check { name: "files survive the faults", run: |shell| says(shell, "echo kept > /tmp/k ; cat /tmp/k", "kept") },
    Check { name: "an unknown kind gets one line", run: |shell| one_line(shell, "fault nonsense shell") },
    Check { name: "an unknown task gets one line", run: |shell| one_line(shell, "fault panic no_such_task") },
    Check { name: "many faults in a row lose no memory", run: many_faults },
];

/// For one try to reach a task that is being restarted.
const PATIENCE: Duration = Duration::from_secs(3);

fn count(shell: &mut Shell) -> Result<u64, Failure> {
    let output = shell.run("fault log")?;
    let line = output.line_with("faults since boot").unwrap_or_default();
    Ok(line.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default())
}

/// Makes a fault in a busy application and waits until it is in the log.
fn recovered(shell: &mut Shell, kind: &str) -> Outcome {
    let before = count(shell)?;
    shell.run("busy 30 &")?;
    let output = shell.run(&format!("fault {kind} busy"))?;
    claim!(!output.contains("fault: "), "refused: {:?}", output.text);
    let mut after = before;
    for _ in 0..60 {
        after = count(shell)?;
        if after > before {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    claim!(after > before, "no fault in the log");
    let log = shell.run("fault log")?;
    let tasks = shell.run("ps")?;
    claim!(log.line_with("'busy'").is_some(), "no fault of busy in {:?}", log.text);
    claim!(tasks.line_with(" busy").is_none(), "busy is still there: {:?}", tasks.text);
    says(shell, "echo alive", "alive")
}

fn log_names_function(shell: &mut Shell) -> Outcome {
    let log = shell.run("fault log")?;
    claim!(log.lines().any(|line| line.contains("busy") && line.contains("::")), "no function in {:?}", log.text);
    Ok(())
}

fn application_unloaded(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    claim!(!output.lines().any(|line| line.starts_with("busy ")), "busy is still loaded");
    Ok(())
}

/// Makes a fault in a supervised task, which the dialogue itself needs, and waits until it answers again.
fn restarted(shell: &mut Shell, task: &str) -> Outcome {
    shell.machine().send_line(&format!("fault panic {task}"))?;
    // The pause before a restart is 50 ms at least, and what is typed meanwhile may be lost.
    std::thread::sleep(Duration::from_secs(1));
    let mut answer = Err(Failure::Claim(String::new()));
    for _ in 0..10 {
        answer = says_within(shell, "echo back", "back");
        if answer.is_ok() {
            break;
        }
    }
    answer?;
    let log = shell.run("fault log")?;
    let line = log.text.lines().rfind(|line| line.contains(&format!("'{task}'"))).unwrap_or_default();
    claim!(line.contains("restarted"), "{task} was not restarted: {:?}", log.text);
    Ok(())
}

fn says_within(shell: &mut Shell, command: &str, expected: &str) -> Outcome {
    let output = shell.run_within(command, PATIENCE)?;
    claim!(output.text == expected, "{command}: {:?}", output.text);
    Ok(())
}

fn many_faults(shell: &mut Shell) -> Outcome {
    recovered(shell, "panic")?;
    let before = crate::cells::free_frames(shell)?;
    for _ in 0..5 {
        recovered(shell, "panic")?;
        recovered(shell, "null")?;
    }
    let after = crate::cells::free_frames(shell)?;
    claim!(after + 64 >= before && before > 0, "{before} free frames before ten faults, {after} after");
    Ok(())
}
