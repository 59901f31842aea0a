//! Cells: everything is one, loaded once, found by name, and gone when it is not needed; and the memory that they are in.

use std::time::Duration;

use machine::Shell;

use crate::claim;
use crate::harness::{Batch, Check, Failure, Outcome, Places};
use crate::shell::{contains, gone, one_line, says};

/// The namespace and the memory.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch { name: "cells", machine: Places::machine, checks: CHECKS, self_checks: &["check mem"] }]
}

const CHECKS: &[Check] = &[
    Check {
        name: "the language's crates are cells",
        run: |shell| all_listed(shell, &["core", "alloc", "compiler_builtins"]),
    },
    Check {
        name: "third-party crates are cells",
        run: |shell| {
            all_listed(
                shell,
                &["goblin", "x86_64", "log", "talc", "gimli", "hashbrown", "intrusive_collections", "spin"],
            )
        },
    },
    Check {
        name: "the kernel's crates are cells",
        run: |shell| {
            all_listed(shell, &["nano_core", "mapping", "frames", "scheduling_policy", "console", "shell", "unwinder"])
        },
    },
    Check { name: "every cell is there once", run: one_copy_each },
    Check { name: "some cells are adopted and most are loaded", run: adopted_and_loaded },
    Check { name: "a running application is a cell", run: |shell| all_listed(shell, &["cells"]) },
    Check { name: "an application is unloaded when it has ended", run: application_unloaded },
    Check { name: "a task that nobody waits for keeps its application loaded", run: detached_task_keeps_its_code },
    Check { name: "a cell tells its sections, digest, uses and users", run: cell_details },
    Check { name: "dependencies are known in both directions", run: dependencies_both_ways },
    Check { name: "an unknown cell gets one line", run: |shell| one_line(shell, "cells none_such") },
    Check { name: "deps of an unknown cell gets one line", run: |shell| one_line(shell, "deps none_such") },
    Check { name: "the namespace finds a name", run: |shell| contains(shell, "ns yield_now", "scheduler") },
    Check { name: "safe cells say that they forbid unsafe", run: forbids_unsafe },
    Check { name: "mem adds up", run: memory_adds_up },
    Check { name: "starting applications loses no memory", run: no_memory_lost },
];

fn all_listed(shell: &mut Shell, names: &[&str]) -> Outcome {
    let output = shell.run("cells")?;
    for name in names {
        claim!(output.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name} is not listed");
    }
    Ok(())
}

fn one_copy_each(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    let mut names: Vec<&str> = output.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let total = names.len();
    names.sort_unstable();
    names.dedup();
    claim!(names.len() == total && total > 80, "{} names of {total} cells", names.len());
    Ok(())
}

fn adopted_and_loaded(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    let count = |word: &str| output.lines().filter(|line| line.split_whitespace().nth(2) == Some(word)).count();
    let (adopted, loaded) = (count("adopted"), count("loaded"));
    claim!(adopted > 10 && loaded > adopted / 2, "{adopted} adopted, {loaded} loaded");
    Ok(())
}

fn application_unloaded(shell: &mut Shell) -> Outcome {
    shell.run("uptime")?;
    let output = shell.run("cells")?;
    claim!(!output.lines().any(|line| line.starts_with("uptime ")), "uptime is still loaded");
    Ok(())
}

fn detached_task_keeps_its_code(shell: &mut Shell) -> Outcome {
    // The first start fills caches.
    aside(shell)?;
    let before = free_frames(shell)?;
    aside(shell)?;
    let after = free_frames(shell)?;
    claim!(after + 8 >= before && before > 0, "{before} free frames before, {after} after");
    Ok(())
}

/// Starts an application that ends while a task of its own goes on, ends that one, and sees the application gone.
fn aside(shell: &mut Shell) -> Outcome {
    shell.run("busy aside")?;
    let began = ticks_of_aside(shell)?;
    claim!(is_loaded(shell, "busy")?, "the application is gone, and its task {began:?} runs on");
    // Others come to lie where there is room.
    for _ in 0..4 {
        says(shell, "echo room | cat", "room")?;
    }
    let goes_on = until(|| Ok(ticks_of_aside(shell)? > began))?;
    claim!(goes_on && began.is_some(), "the task does not go on after {began:?} ticks");
    shell.run("kill busy_aside")?;
    gone(shell, "busy_aside")?;
    claim!(until(|| Ok(!is_loaded(shell, "busy")?))?, "the application is still loaded");
    Ok(())
}

/// Timer ticks for which the task has run, if it is there.
fn ticks_of_aside(shell: &mut Shell) -> Result<Option<u64>, Failure> {
    let output = shell.run("ps")?;
    let line = output.lines().find(|line| line.split_whitespace().last() == Some("busy_aside"));
    Ok(line.and_then(|line| line.split_whitespace().nth(4)?.parse().ok()))
}

pub(crate) fn is_loaded(shell: &mut Shell, name: &str) -> Result<bool, Failure> {
    let output = shell.run("cells")?;
    Ok(output.lines().any(|line| line.split_whitespace().next() == Some(name)))
}

/// Whether something comes to be so.
pub(crate) fn until(mut is_so: impl FnMut() -> Result<bool, Failure>) -> Result<bool, Failure> {
    for _ in 0..100 {
        if is_so()? {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(false)
}

fn cell_details(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells scheduling_policy")?;
    for part in ["digest ", "text ", "constants ", "data ", "uses core", "used by scheduler"] {
        claim!(output.contains(part), "no {part:?} in {:?}", output.text);
    }
    Ok(())
}

fn dependencies_both_ways(shell: &mut Shell) -> Outcome {
    contains(shell, "deps frames", "frames -> core")?;
    contains(shell, "deps frames", "frames <- mapping")?;
    contains(shell, "deps mapping", "mapping -> frames")
}

fn forbids_unsafe(shell: &mut Shell) -> Outcome {
    let output = shell.run("cells")?;
    for name in ["shell", "line_editor", "memory_fs", "vfs"] {
        let line = output.lines().find(|line| line.split_whitespace().next() == Some(name));
        claim!(line.is_some_and(|line| line.ends_with("forbidden")), "{name}: {line:?}");
    }
    Ok(())
}

fn memory_adds_up(shell: &mut Shell) -> Outcome {
    let output = shell.run("mem")?;
    let value = |name: &str| {
        let mut words = output.lines().find(|line| line.split_whitespace().next() == Some(name))?.split_whitespace();
        words.nth(1)?.parse::<u64>().ok()
    };
    let (total, free) = (value("total"), value("free"));
    claim!(total.is_some() && free < total, "total {total:?}, free {free:?}");
    claim!(total.is_some_and(|total| total > 50_000), "256 MiB have more frames: {total:?}");
    let lines: Vec<&str> = output.lines().collect();
    let end = lines.iter().position(|line| line.ends_with(" bytes")).unwrap_or_default();
    let held: u64 =
        lines[..end].iter().skip(2).filter_map(|line| line.split_whitespace().rev().nth(1)?.parse::<u64>().ok()).sum();
    claim!(Some(held) == total, "{held} frames free or held, of {total:?}: {:?}", output.text);
    let by_task = lines.iter().position(|line| line.starts_with("heap by task")).unwrap_or(lines.len());
    let shares = lines[by_task..].iter().filter_map(|line| line.split_whitespace().last()?.parse::<i64>().ok());
    claim!(shares.sum::<i64>().try_into().ok() == value("used"), "{:?}", output.text);
    claim!(lines[by_task..].iter().any(|line| line.contains(" shell ")), "{:?}", output.text);
    Ok(())
}

/// Free frames, when caches have been emptied.
pub(crate) fn free_frames(shell: &mut Shell) -> Result<u64, Failure> {
    shell.run("mem reclaim")?;
    let output = shell.run("mem")?;
    let line = output.lines().find(|line| line.starts_with("free ")).unwrap_or_default();
    Ok(line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or_default())
}

fn no_memory_lost(shell: &mut Shell) -> Outcome {
    // The first starts fill caches.
    for _ in 0..5 {
        shell.run("echo warm | cat")?;
    }
    let before = free_frames(shell)?;
    for _ in 0..20 {
        shell.run("echo again | cat")?;
    }
    let after = free_frames(shell)?;
    claim!(after + 8 >= before && before > 0, "{before} free frames before, {after} after");
    Ok(())
}
