//! The shell, its applications and the files, with one and the same machine.

use std::time::Duration;

use machine::{PROMPT, Shell};

use crate::claim;
use crate::harness::{Batch, Check, Failure, Outcome, Places};

/// Four CPUs, and everything that a user types.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch { name: "shell", machine: Places::machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "echo says its words", run: |shell| says(shell, "echo one 'two  three'", "one two  three") },
    Check { name: "an empty line does nothing", run: |shell| says(shell, "", "") },
    Check {
        name: "an unknown command gets one line",
        run: |shell| says(shell, "frobnicate", "frobnicate: unknown command; 'help' lists them"),
    },
    Check {
        name: "wrong arguments get the usage",
        run: |shell| says(shell, "cp one", "cp: usage: cp [-f] FROM ... TO"),
    },
    Check { name: "every application refuses senseless arguments in one line", run: refuses_senseless_arguments },
    Check { name: "an empty name gets one line that says so", run: refuses_empty_names },
    Check { name: "help lists every application", run: help_lists_applications },
    Check { name: "help explains words that need it", run: |shell| contains(shell, "help fault", "oom: it asks") },
    Check { name: "help explains one application", run: |shell| contains(shell, "help kill", "kill TASK") },
    Check { name: "a pipe carries output to input", run: |shell| says(shell, "echo through | cat", "through") },
    Check { name: "a pipe of three stages", run: |shell| says(shell, "echo deep | cat | cat", "deep") },
    Check {
        name: "a pipe to an unknown command is refused",
        run: |shell| contains(shell, "echo a | none", "unknown command"),
    },
    Check { name: "an unclosed quote is refused", run: refuses_unclosed_quote },
    Check { name: "two commands on a line run in order", run: |shell| says(shell, "echo a ; echo b", "a\nb") },
    Check {
        name: "a file keeps the bytes that are written to it",
        run: |shell| says(shell, "echo text > /tmp/a ; cat /tmp/a", "text"),
    },
    Check {
        name: "a file can be appended to",
        run: |shell| says(shell, "echo more >> /tmp/a ; cat /tmp/a", "text\nmore"),
    },
    Check { name: "a file is read as input", run: |shell| says(shell, "cat < /tmp/a", "text\nmore") },
    Check {
        name: "a copy has the same contents",
        run: |shell| says(shell, "cp /tmp/a /tmp/b ; cat /tmp/b", "text\nmore"),
    },
    Check { name: "ls -l lists files with their size", run: ls_lists_files },
    Check { name: "a copy onto itself is refused and loses nothing", run: copy_onto_itself },
    Check { name: "rm removes", run: rm_removes },
    Check { name: "rm tells of each that it cannot remove", run: rm_goes_on },
    Check { name: "a word in no symbol gets one line", run: |shell| one_line(shell, "ns no_such_symbol") },
    Check { name: "Ctrl-D hands over the line so far, and on an empty line ends the input", run: ends_input },
    Check { name: "a missing file gets one line", run: |shell| one_line(shell, "cat /none") },
    Check { name: "a directory cannot be read as a file", run: |shell| one_line(shell, "cat /tmp") },
    Check { name: "date tells this century's date", run: tells_date },
    Check { name: "uptime counts on", run: uptime_counts },
    Check { name: "the log is kept and shown", run: log_is_shown },
    Check { name: "a background job lets the shell go on", run: background_job },
    Check { name: "count counts", run: |shell| says(shell, "count 3 10 | cat", "count 1\ncount 2\ncount 3") },
    Check {
        name: "lines of several writers come whole and in order, with the log between them",
        run: lines_stay_whole,
    },
    Check { name: "a prompt begins a line", run: prompt_begins_a_line },
    Check { name: "a job ends with its own task, and says so", run: job_is_given_up },
    Check { name: "many applications started one after the other", run: many_applications },
];

/// For dialogues that are no simple commands.
const ANSWER: Duration = Duration::from_secs(30);

pub(crate) fn says(shell: &mut Shell, command: &str, expected: &str) -> Outcome {
    let output = shell.run(command)?;
    claim!(output.text == expected, "{command}: {:?}, not {expected:?}", output.text);
    Ok(())
}

fn tells_date(shell: &mut Shell) -> Outcome {
    let output = shell.run("date")?;
    let form: String = output.text.trim().chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    claim!(form == "0000-00-00 00:00:00 UTC" && output.text.trim().starts_with("20"), "{:?}", output.text);
    Ok(())
}

pub(crate) fn contains(shell: &mut Shell, command: &str, expected: &str) -> Outcome {
    let output = shell.run(command)?;
    claim!(output.contains(expected), "{command}: no {expected:?} in {:?}", output.text);
    Ok(())
}

pub(crate) fn one_line(shell: &mut Shell, command: &str) -> Outcome {
    let output = shell.run(command)?;
    claim!(output.lines().count() == 1, "{command}: {:?}", output.text);
    Ok(())
}

fn refuses_senseless_arguments(shell: &mut Shell) -> Outcome {
    for command in [
        "cp a b c",
        "kill",
        "deps",
        "uptime now",
        "date now",
        "cpus 1",
        "ps 1",
        "top x",
        "top 0",
        "busy x",
        "traffic x",
        "rm",
        "count",
        "count x",
        "ps check",
        "mem check",
        "swap check x",
        "check ps no_such_check",
        "frobnicate x",
    ] {
        one_line(shell, command)?;
    }
    for command in ["check try", "check none_such", "fault log x", "cells core all"] {
        one_line(shell, command)?;
        contains(shell, command, ": usage: ")?;
    }
    Ok(())
}

fn refuses_empty_names(shell: &mut Shell) -> Outcome {
    says(shell, "''", "shell: the name of the command is empty")?;
    says(shell, "echo a | '' b", "shell: the name of the command is empty")?;
    for redirected in ["echo a > ''", "cat < ''"] {
        says(shell, redirected, "shell: the name is empty")?;
    }
    for command in ["deps", "cells", "check try", "swap", "cat", "ls", "rm", "cp ''", "cp /none", "cp"] {
        let name = command.split(' ').next().unwrap_or_default();
        let rest = if command == "cp" { "'' /tmp" } else { "''" };
        let expected = if command == "cp /none" { "/none: no such file or directory" } else { "the name is empty" };
        says(shell, &format!("{command} {rest}"), &format!("{name}: {expected}"))?;
    }
    Ok(())
}

fn help_lists_applications(shell: &mut Shell) -> Outcome {
    let output = shell.run("help")?;
    let all = "cat cells count cp cpus date deps echo fault help kill log ls mem ns poweroff ps reboot rm swap top uptime bench";
    for name in all.split(' ') {
        claim!(
            output.lines().any(|line| line.starts_with(' ') && line.split_whitespace().any(|word| word == name)),
            "no {name} in {:?}",
            output.text
        );
    }
    Ok(())
}

fn refuses_unclosed_quote(shell: &mut Shell) -> Outcome {
    one_line(shell, "echo 'open")?;
    says(shell, "echo still here", "still here")
}

fn ls_lists_files(shell: &mut Shell) -> Outcome {
    let output = shell.run("ls -l /tmp")?;
    let Some(line) = output.lines().find(|line| line.trim_end().ends_with(" a")) else {
        claim!(false, "no file a in {:?}", output.text);
        return Ok(());
    };
    claim!(line.trim_start().starts_with("10 "), "text and more are 10 bytes: {line:?}");
    Ok(())
}

fn copy_onto_itself(shell: &mut Shell) -> Outcome {
    one_line(shell, "cp /tmp/a /tmp/a")?;
    says(shell, "cat /tmp/a", "text\nmore")
}

fn rm_removes(shell: &mut Shell) -> Outcome {
    says(shell, "rm /tmp/a /tmp/b", "")?;
    says(shell, "ls /tmp", "")
}

fn rm_goes_on(shell: &mut Shell) -> Outcome {
    says(shell, "echo 1 > /tmp/1 ; echo 2 > /tmp/2", "")?;
    let output = shell.run("rm /tmp/1 /none /tmp/2 /nothing")?;
    let lines: Vec<&str> = output.lines().collect();
    claim!(
        matches!(lines[..], [one, two] if one.starts_with("rm: /none: ") && two.starts_with("rm: /nothing: ")),
        "{:?}",
        output.text
    );
    says(shell, "ls /tmp", "")
}

fn ends_input(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("cat > /tmp/typed")?;
    machine.expect("cat > /tmp/typed\n", ANSWER)?;
    machine.send(b"one\rtwo\x04\x04")?;
    machine.expect(PROMPT, ANSWER)?;
    says(shell, "cat /tmp/typed ; rm /tmp/typed", "one\ntwo")
}

fn log_is_shown(shell: &mut Shell) -> Outcome {
    // Every machine has warnings or errors to show when faults were made; a quiet one has an empty log at level `warn`.
    let output = shell.run("log 5")?;
    claim!(output.text.is_empty(), "not only log lines: {:?}", output.text);
    one_line(shell, "log x")
}

fn uptime_counts(shell: &mut Shell) -> Outcome {
    let (first, second) = (shell.run("uptime")?.text, shell.run("uptime")?.text);
    claim!(first != second && first.contains(':'), "{first:?} then {second:?}");
    Ok(())
}

fn background_job(shell: &mut Shell) -> Outcome {
    let job = shell.start("busy 60")?;
    says(shell, "echo meanwhile", "meanwhile")?;
    claim!(runs(shell, "busy")?, "busy is not running");
    shell.run("kill busy")?;
    let said = shell.end_of(job)?;
    claim!(said.lines().any(|line| line == "busy: killed"), "not told how it ended: {said:?}");
    claim!(!runs(shell, "busy")?, "busy is still there");
    // A job that cannot be started is no job.
    says(shell, "frobnicate &", "frobnicate: unknown command; 'help' lists them")
}

/// Whether a task of that name is listed.
pub(crate) fn runs(shell: &mut Shell, name: &str) -> Result<bool, Failure> {
    Ok(shell.run("ps")?.lines().any(|line| line.split_whitespace().last() == Some(name)))
}

/// Waits until no task of that name is left.
pub(crate) fn gone(shell: &mut Shell, name: &str) -> Outcome {
    for _ in 0..100 {
        if !runs(shell, name)? {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    claim!(false, "{name} is still there");
    Ok(())
}

/// The lines that a writer of this name writes: short ones and some that are longer than anything else that is shown.
fn lines_of(writer: &str) -> Vec<String> {
    (0..6).map(|number| format!("{writer} line {number} {}", writer.repeat(1 + 80 * number))).collect()
}

/// Four writers at once, one of them in the foreground, and a task that fails meanwhile, about which the log has a line.
fn lines_stay_whole(shell: &mut Shell) -> Outcome {
    const TIMES: usize = 12;
    let writers = ["a", "b", "c", "d"];
    for writer in writers {
        for line in lines_of(writer) {
            says(shell, &format!("echo {line} >> /tmp/{writer}"), "")?;
        }
    }
    let command = |writer: &str| format!("cat{}", format!(" /tmp/{writer}").repeat(TIMES));
    let mark = shell.machine().mark();
    let jobs = writers[1..].iter().map(|writer| shell.start(&command(writer))).collect::<Result<Vec<_>, _>>()?;
    let busy = shell.start("busy 60")?;
    shell.run("fault panic busy")?;
    let output = shell.run(&command("a"))?;
    for job in jobs.into_iter().chain([busy]) {
        shell.end_of(job)?;
    }
    let said = shell.machine().output().split_off(mark);
    for writer in writers {
        let all = if writer == "a" { &output.text } else { &said };
        let found: Vec<&str> = all.lines().filter(|line| line.starts_with(&format!("{writer} "))).collect();
        let lines = lines_of(writer);
        let expected = lines.iter().cycle().take(TIMES * lines.len());
        claim!(expected.eq(&found), "not the lines of {writer}: {all:?}");
    }
    let mixed = said.lines().find(|line| {
        let text = line.strip_prefix("mitos> ").unwrap_or(line);
        !["a line", "b line", "c line", "d line", "[", "cat ", "busy", "fault "]
            .iter()
            .any(|start| text.starts_with(start))
            && !text.is_empty()
    });
    claim!(mixed.is_none(), "{mixed:?} in {said:?}");
    says(shell, "rm /tmp/a /tmp/b /tmp/c /tmp/d", "")
}

fn prompt_begins_a_line(shell: &mut Shell) -> Outcome {
    // The harness takes a prompt for one only at the beginning of a line.
    says(shell, "echo -n whole", "whole")?;
    says(shell, "echo -n half > /tmp/half", "")?;
    says(shell, "cat /tmp/half", "half")?;
    says(shell, "rm /tmp/half", "")
}

fn job_is_given_up(shell: &mut Shell) -> Outcome {
    let output = shell.run("busy 60 &")?;
    let number = output.text.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default().to_owned();
    let mark = shell.machine().mark();
    shell.run(&format!("fault gp 'job {number}'"))?;
    shell.machine().line_since(mark, &format!("[{number}] given up"), ANSWER)?;
    gone(shell, "busy")
}

fn many_applications(shell: &mut Shell) -> Outcome {
    for number in 0..40 {
        says(shell, &format!("echo {number}"), &number.to_string())?;
    }
    Ok(())
}
