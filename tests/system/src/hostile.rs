//! The gallery of hostile applications that run: each tries one way out of its isolation, ends as its header says, and leaves
//! the system as it was.

use std::time::Duration;

use machine::{PROMPT, Shell};

use crate::cells::{free_frames, is_loaded, until};
use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};
use crate::shell::says;

/// Every program once, then the checks of what they could have damaged.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch {
        name: "hostile",
        machine: Places::machine,
        checks: GALLERY,
        self_checks: &["check cpus", "check mem", "check ps"],
    }]
}

/// How a program ends, as its header says in the line `Ends:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// `main` returns, and has said `harmless: `.
    Returns,
    /// It panics.
    Panics,
    /// It asks for its end.
    Exits,
    /// The stack overflows.
    Overflow,
    /// It waits for a lock that it holds.
    Deadlock,
    /// There is no more memory.
    OutOfMemory,
    /// Another task kills it.
    Killed,
    /// The user kills it, since it writes without end.
    Interrupted,
}

macro_rules! gallery {
    ($($program:ident: $end:ident;)*) => {
        const GALLERY: &[Check] = &[$(Check {
            name: concat!(stringify!($program), " is harmless"),
            run: |shell| is_harmless(shell, stringify!($program), End::$end),
        }),*];

        /// The programs with their ends.
        #[cfg(test)]
        const ENDS: &[(&str, End)] = &[$((stringify!($program), End::$end)),*];
    };
}

gallery! {
    all_files: Returns;
    all_handles: Returns;
    all_memory: OutOfMemory;
    all_readers: Killed;
    boot_again: Panics;
    code_that_stays: Returns;
    deadlock_in_a_circle: Returns;
    deadlock_with_itself: Deadlock;
    end_in_a_destructor: Exits;
    endless_drop: Overflow;
    endless_loop: Killed;
    endless_output: Interrupted;
    endless_recursion: Overflow;
    forged_names: Panics;
    huge_sizes: Returns;
    kill_in_a_lock: Returns;
    lock_for_ever: Killed;
    lost_guards: Returns;
    lost_tasks: Returns;
    moved_lock: Returns;
    odd_channels: Returns;
    one_condition_for_two_locks: Returns;
    panic_in_a_destructor: Panics;
    panic_in_a_message: Panics;
    path_tricks: Returns;
    result_with_a_destructor: Returns;
    spawn_in_a_destructor: Panics;
    spawn_storm: Returns;
    thread_local_again: Panics;
    thread_local_for_ever: Returns;
    timer_storm: Returns;
    unjoined_task: Panics;
    urgent: Returns;
}

/// For a program that fills a table, in emulation.
const TIMEOUT: Duration = Duration::from_secs(60);
/// For a program that does not end by itself to get to where it stays.
const UNDER_WAY: Duration = Duration::from_secs(1);
/// Frames by which memory may differ: the heap's growth, and tables that stay as large as they were.
const SLACK: u64 = 256;
/// Frames of the records of all tasks that there can be: a forgotten right to join a task keeps its record.
const RECORDS: u64 = 2048;

fn is_harmless(shell: &mut Shell, program: &str, end: End) -> Outcome {
    let before = free_frames(shell)?;
    let command = format!("hostile {program}");
    let said = match end {
        End::Interrupted => interrupted(shell, &command)?,
        End::Killed => killed(shell, &command)?,
        _ => shell.run_within(&command, TIMEOUT)?.text,
    };
    claim!(!said.contains("HARM"), "{said:?}");
    let expected = match end {
        End::Returns => "harmless: ",
        End::Panics => "hostile: panicked",
        End::Exits => "hostile: exited",
        End::Overflow => "stack overflow",
        End::Deadlock => "deadlock",
        End::OutOfMemory => "out of memory",
        End::Killed | End::Interrupted => "hostile: killed",
    };
    claim!(said.contains(expected), "no {expected:?} in {said:?}");
    claim!(end != End::Returns || !said.contains("hostile: "), "{said:?}");
    says(shell, "echo alive | cat", "alive")?;
    let all_gone = until(|| {
        let tasks = shell.run("ps")?;
        let is_hostile = |line: &str| line.split_whitespace().last().is_some_and(|name| name.starts_with("hostile"));
        Ok(!tasks.lines().any(is_hostile) && !is_loaded(shell, "hostile")?)
    })?;
    claim!(all_gone, "tasks or code of {program} are left");
    let slack = if program == "lost_tasks" { RECORDS } else { SLACK };
    let mut after = 0;
    let comes_back = until(|| {
        after = free_frames(shell)?;
        Ok(after + slack >= before)
    })?;
    claim!(comes_back && before > 0, "{before} free frames before, {after} after");
    Ok(())
}

/// Starts the program in the background, sees that others go on, and kills it.
fn killed(shell: &mut Shell, command: &str) -> Result<String, crate::harness::Failure> {
    let job = shell.start(command)?;
    std::thread::sleep(UNDER_WAY);
    says(shell, "echo alive", "alive")?;
    shell.run("kill hostile")?;
    Ok(shell.end_of(job)?)
}

/// Starts the program in the foreground and kills it from the keyboard.
fn interrupted(shell: &mut Shell, command: &str) -> Result<String, crate::harness::Failure> {
    let machine = shell.machine();
    let mark = machine.mark();
    machine.send_line(command)?;
    std::thread::sleep(UNDER_WAY);
    machine.send(b"\x03")?;
    let said = machine.line_since(mark, "hostile: killed", TIMEOUT)?;
    machine.expect(PROMPT, TIMEOUT)?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::{ENDS, End};

    fn words(end: End) -> &'static str {
        match end {
            End::Returns => "returns",
            End::Panics => "panics",
            End::Exits => "exits",
            End::Overflow => "overflow",
            End::Deadlock => "deadlock",
            End::OutOfMemory => "out of memory",
            End::Killed | End::Interrupted => "killed",
        }
    }

    #[test]
    fn every_program_is_run_and_its_header_says_how_it_ends() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hostile/programs/src");
        let mut headers = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let end = text.lines().find_map(|line| line.strip_prefix("//! Ends: "));
            if name != "lib" {
                let end = end.and_then(|line| line.split('.').next()).unwrap_or_else(|| panic!("{name} has no end"));
                headers.insert(name, end.to_owned());
            }
        }
        let run: BTreeMap<_, _> = ENDS.iter().map(|&(name, end)| (name.to_owned(), words(end).to_owned())).collect();
        assert_eq!(headers, run);
    }
}
