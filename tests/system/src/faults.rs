//! Faults made in running tasks, and what is left of them.

use std::time::Duration;

use machine::Shell;

use crate::claim;
use crate::fault_line::{FaultLine, kind_in_words};
use crate::harness::{Batch, Check, Failure, Outcome, Places};
use crate::shell::{contains, one_line, runs, says};

/// Every kind of fault in every kind of task, and the shell must live on after each; then the same on one CPU, and with
/// little memory.
pub(crate) fn batches() -> Vec<Batch> {
    vec![
        Batch { name: "faults", machine: Places::machine, checks: CHECKS, self_checks: &["check fault"] },
        Batch {
            name: "faults on 1 cpu",
            machine: |places| places.machine().cpus(1),
            checks: FEW,
            self_checks: &["check fault"],
        },
        Batch {
            name: "faults in 96 MiB",
            machine: |places| places.machine().memory_mib(96),
            checks: FEW,
            self_checks: &["check fault disturb"],
        },
    ]
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
    Check { name: "a faulted application is unloaded", run: application_unloaded },
    Check { name: "the console driver is restarted after a panic", run: |shell| restarted(shell, "panic", "console") },
    Check { name: "the console driver is restarted after a fault", run: |shell| restarted(shell, "null", "console") },
    Check {
        name: "the console driver is restarted after an overflow",
        run: |shell| restarted(shell, "overflow", "console"),
    },
    Check { name: "the shell is restarted after a panic", run: |shell| restarted(shell, "panic", "shell") },
    Check { name: "the shell is restarted after a fault", run: |shell| restarted(shell, "gp", "shell") },
    Check { name: "the shell is restarted after a kill", run: |shell| comes_back(shell, "kill shell") },
    Check { name: "the console driver is restarted after a kill", run: |shell| comes_back(shell, "kill console") },
    Check { name: "the reaper cannot be killed", run: |shell| refused(shell, "reaper") },
    Check { name: "the supervisor cannot be killed", run: |shell| refused(shell, "supervisor") },
    Check { name: "idle tasks cannot be killed", run: |shell| refused(shell, "'idle 0'") },
    Check { name: "the reaper survives a deadlock", run: |shell| survives(shell, "deadlock", "reaper") },
    Check { name: "the supervisor survives a deadlock", run: |shell| survives(shell, "deadlock", "supervisor") },
    Check { name: "files survive the faults", run: |shell| says(shell, "echo kept > /tmp/k ; cat /tmp/k", "kept") },
    Check { name: "an unknown kind gets one line", run: |shell| one_line(shell, "fault nonsense shell") },
    Check { name: "an unknown task gets one line", run: |shell| one_line(shell, "fault panic no_such_task") },
    Check { name: "many faults in a row lose no memory", run: many_faults },
];

const FEW: &[Check] = &[
    Check { name: "a panic is recovered", run: |shell| recovered(shell, "panic") },
    Check { name: "a null access is recovered", run: |shell| recovered(shell, "null") },
    Check { name: "a deadlock is found and recovered", run: |shell| recovered(shell, "deadlock") },
    Check { name: "the console driver is restarted after a fault", run: |shell| restarted(shell, "null", "console") },
];

/// For one try to reach a task that is being restarted.
const TIMEOUT: Duration = Duration::from_secs(3);

/// An offset beyond this is an address.
const LARGEST_FUNCTION: u64 = 1 << 20;

fn count(shell: &mut Shell) -> Result<u64, Failure> {
    let output = shell.run("fault log")?;
    let count = output.lines().last().and_then(|line| line.strip_suffix(" faults since boot")?.parse().ok());
    count.ok_or_else(|| Failure::Claim(format!("the fault log does not end in a number: {:?}", output.text)))
}

/// The last line of the fault log about a task.
pub(crate) fn latest(shell: &mut Shell, task: &str) -> Result<FaultLine, Failure> {
    let log = shell.run("fault log")?;
    let lines = log.lines().filter_map(FaultLine::parse).filter(|line| line.task == task);
    lines.last().ok_or_else(|| Failure::Claim(format!("no whole line about {task} in {:?}", log.text)))
}

/// Waits until there are more faults in the log than `before`.
fn logged(shell: &mut Shell, before: u64) -> Outcome {
    for _ in 0..60 {
        if count(shell)? > before {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    claim!(false, "no fault in the log");
    Ok(())
}

/// Makes a fault in a busy application, waits until it has ended, and looks at what the log says.
fn recovered(shell: &mut Shell, kind: &str) -> Outcome {
    let before = count(shell)?;
    let job = shell.start("busy 60")?;
    let output = shell.run(&format!("fault {kind} busy"))?;
    claim!(!output.contains("fault: "), "refused: {:?}", output.text);
    shell.end_of(job)?;
    claim!(count(shell)? == before + 1, "one fault was made");
    let line = latest(shell, "busy")?;
    claim!(line.number == before, "another fault came between: {line:?}");
    claim!(line.kind == kind_in_words(kind), "{line:?} is no {kind}");
    claim!(line.action == "ended", "{line:?}");
    // The application computes in a loop, in which it calls others for a moment only.
    claim!(["busy", "clock", "task", "unwinder"].contains(&&*line.cell), "the blame is on {line:?}");
    claim!(line.function.contains("::") && line.offset < LARGEST_FUNCTION, "no function in {line:?}");
    claim!(line.released == 0 && (line.lost > 0 || line.leaked == 0), "busy holds no lock: {line:?}");
    claim!(line.microseconds > 0, "{line:?}");
    claim!(!runs(shell, "busy")?, "busy is still there");
    says(shell, "echo alive", "alive")
}

fn application_unloaded(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    claim!(!output.lines().any(|line| line.starts_with("busy ")), "busy is still loaded");
    Ok(())
}

/// Makes a fault in a supervised task, which the dialogue itself needs, and waits until it answers again.
fn restarted(shell: &mut Shell, kind: &str, task: &str) -> Outcome {
    let before = count(shell)?;
    comes_back(shell, &format!("fault {kind} {task}"))?;
    let line = latest(shell, task)?;
    claim!(line.number >= before && line.kind == kind_in_words(kind), "{task} had no such fault: {line:?}");
    claim!(line.action.starts_with("restarted"), "{task} was not restarted: {line:?}");
    claim!(line.function.contains("::"), "no function in {line:?}");
    Ok(())
}

/// Runs a command after which console or shell start anew, and waits until there is an answer again.
fn comes_back(shell: &mut Shell, command: &str) -> Outcome {
    shell.machine().send_line(command)?;
    // The pause before a restart is 50 ms at least, and what is typed meanwhile may be lost.
    std::thread::sleep(Duration::from_secs(1));
    let mut answer = Err(Failure::Claim(String::new()));
    for attempt in 0..10 {
        // An answer that comes too late is not taken for that to the next attempt.
        let word = format!("back {attempt}");
        answer = says_within(shell, &format!("echo {word}"), &word);
        if answer.is_ok() {
            break;
        }
    }
    answer
}

fn says_within(shell: &mut Shell, command: &str, expected: &str) -> Outcome {
    let output = shell.run_within(command, TIMEOUT)?;
    claim!(output.text == expected, "{command}: {:?}", output.text);
    Ok(())
}

/// The task cannot be ended, and the command that tries says why.
fn refused(shell: &mut Shell, task: &str) -> Outcome {
    one_line(shell, &format!("kill {task}"))?;
    contains(shell, &format!("kill {task}"), "it cannot be ended")?;
    let tasks = shell.run("ps")?;
    claim!(tasks.line_with(task.trim_matches('\'')).is_some(), "{task} is gone: {:?}", tasks.text);
    Ok(())
}

/// A fault that only a task's root stops does not end the task; and what it is for is still done.
fn survives(shell: &mut Shell, kind: &str, task: &str) -> Outcome {
    let before = count(shell)?;
    shell.run(&format!("fault {kind} {task}"))?;
    logged(shell, before)?;
    let line = latest(shell, task)?;
    claim!(line.kind == kind_in_words(kind) && line.action == "caught", "{line:?}");
    let tasks = shell.run("ps")?;
    claim!(tasks.line_with(task).is_some(), "{task} is gone: {:?}", tasks.text);
    // The reaper takes away what ends, the supervisor starts anew what failed.
    let job = shell.start("busy 1")?;
    shell.end_of(job)?;
    claim!(!runs(shell, "busy")?, "busy is still there");
    restarted(shell, "ud", "console")
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
