//! The prompt on a terminal: completion, search, directory, pages.

use std::time::Duration;

use machine::{Configuration, PROMPT, Shell};

use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};

/// A console that shows each key, as on a user's terminal.
pub(crate) fn batches() -> Vec<Batch> {
    let machine = |places: &Places| Configuration::direct(&places.product).argument("log=warn").argument("exit=debug");
    vec![Batch { name: "prompt", machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "Tab completes commands, paths and the words of each command", run: completes },
    Check { name: "Tab lists the words that fit, in columns", run: lists },
    Check { name: "Ctrl-R finds a line by a part of it", run: searches },
    Check { name: "the prompt shows the directory", run: shows_directory },
    Check { name: "a character of several bytes is one key", run: characters },
    Check { name: "a long text is shown page by page, on a screen as large as the terminal says", run: pages },
    Check { name: "q and Ctrl-C end the pager with all that writes to it", run: ends_pages },
    Check { name: "a text that fits on the screen comes as it is", run: short_text },
];

const ANSWER: Duration = Duration::from_secs(30);

/// Types `keys`, and waits until the line is `line`; leaves an empty line.
fn becomes(shell: &mut Shell, keys: &str, line: &str) -> Outcome {
    let machine = shell.machine();
    machine.send(keys.as_bytes())?;
    machine.expect(&format!("{PROMPT}{line}\x1b[K"), ANSWER)?;
    machine.send(b"\x15")?;
    machine.expect(&format!("{PROMPT}\x1b[K"), ANSWER)?;
    Ok(())
}

/// Carries out a line, and waits for the next prompt.
fn line(shell: &mut Shell, text: &str) -> Outcome {
    let machine = shell.machine();
    machine.send_line(text)?;
    machine.expect(&format!("{text}\n"), ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

fn completes(shell: &mut Shell) -> Outcome {
    line(shell, "touch /tmp/one '/tmp/two words'")?;
    becomes(shell, "upt\t", "uptime ")?;
    becomes(shell, "ls /t\t", "ls /tmp/")?;
    becomes(shell, "cd /t\t", "cd /tmp/")?;
    becomes(shell, "cat /tmp/o\t", "cat /tmp/one ")?;
    becomes(shell, "cat < /tmp/o\t", "cat < /tmp/one ")?;
    becomes(shell, "ls | cat /tmp/tw\t", "ls | cat /tmp/two\\ words ")?;
    becomes(shell, "cat '/tmp/tw\t", "cat '/tmp/two words' ")?;
    becomes(shell, "kill conso\t", "kill console ")?;
    becomes(shell, "fault nu\t", "fault null ")?;
    becomes(shell, "fault null conso\t", "fault null console ")?;
    becomes(shell, "deps shel\t", "deps shell ")?;
    becomes(shell, "man upt\t", "man uptime ")?;
    becomes(shell, "time upt\t", "time uptime ")?;
    line(shell, "VARIABLE=1")?;
    becomes(shell, "echo $VAR\t", "echo $VARIABLE ")
}

fn lists(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send(b"he\t")?;
    machine.expect("head     help     hexdump\n", ANSWER)?;
    machine.expect(&format!("{PROMPT}he\x1b[K"), ANSWER)?;
    machine.send(b"\x15cat /tmp/\t")?;
    machine.expect("one         two\\ words\n", ANSWER)?;
    machine.expect(&format!("{PROMPT}cat /tmp/\x1b[K"), ANSWER)?;
    machine.send(b"\x15")?;
    machine.expect(&format!("{PROMPT}\x1b[K"), ANSWER)?;
    Ok(())
}

fn searches(shell: &mut Shell) -> Outcome {
    line(shell, "echo first line")?;
    line(shell, "echo second line")?;
    let machine = shell.machine();
    machine.send(b"\x12rst")?;
    machine.expect("(search) 'rst': echo first line", ANSWER)?;
    machine.send(b"\r")?;
    machine.expect("\nfirst line\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

fn shows_directory(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("cd /tmp")?;
    machine.expect("mitos /tmp> ", ANSWER)?;
    machine.send_line("cd")?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

fn characters(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send("echo grö\x7fo漢\x1b[Dx\r".as_bytes())?;
    machine.expect("\ngrox漢\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

fn pages(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send(b"\x1b[10;40Rseq 30\r")?;
    machine.expect("\n9\n", ANSWER)?;
    machine.expect("-- more: ", ANSWER)?;
    machine.send(b" ")?;
    machine.expect("\n18\n", ANSWER)?;
    machine.expect("-- more: ", ANSWER)?;
    machine.send(b"\r")?;
    machine.expect("19\n", ANSWER)?;
    machine.expect("-- more: ", ANSWER)?;
    // Back to the first page, then to the last one.
    machine.send(b"g")?;
    machine.expect("\x1b[H\x1b[2J1\n", ANSWER)?;
    machine.expect("-- more: ", ANSWER)?;
    machine.send(b"G")?;
    machine.expect("\n30\n", ANSWER)?;
    machine.expect("-- end: ", ANSWER)?;
    machine.send(b"q")?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

fn ends_pages(shell: &mut Shell) -> Outcome {
    for (key, said) in [(b"q", ""), (b"\x03", "less: killed\n")] {
        let machine = shell.machine();
        machine.send(b"seq 100000\r")?;
        machine.expect("-- more: ", ANSWER)?;
        machine.send(key)?;
        machine.expect(said, ANSWER)?;
        machine.expect(PROMPT, ANSWER)?;
    }
    // All keys are for the shell again.
    line(shell, "echo whole")
}

fn short_text(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    let mark = machine.mark();
    machine.send(b"seq 3\r")?;
    machine.expect("\n1\n2\n3\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let said = &machine.output()[mark..];
    claim!(!said.contains("-- "), "{said:?}");
    Ok(())
}
