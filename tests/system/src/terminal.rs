//! A line that is typed on a terminal while others write.

use std::time::Duration;

use machine::{Configuration, PROMPT, Shell};

use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};

/// A console that shows each key, as on a user's terminal.
pub(crate) fn batches() -> Vec<Batch> {
    let machine = |places: &Places| Configuration::direct(&places.product).argument("log=warn").argument("exit=debug");
    vec![Batch { name: "terminal", machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "a half-typed line stays whole while a job writes, and has one prompt", run: half_typed },
    Check { name: "a line of the log leaves the line that is being typed below it", run: log_line },
    Check { name: "an unfinished line of output is left alone by the prompt", run: unfinished_output },
    Check { name: "a line that is too long rings for each byte refused, and is not carried out", run: overlong },
    Check { name: "a paste longer than all queues comes whole, line by line", run: long_paste },
    Check { name: "a warning of the log is yellow, and the text behind it is not", run: coloured },
    Check { name: "Ctrl-C behind a paste ends a job that does not read", run: interrupted_behind_a_paste },
    Check { name: "Ctrl-C ends an application however early it comes, with one word", run: interrupted },
];

const ANSWER: Duration = Duration::from_secs(30);

/// The rows on the screen: the finished ones, from the first prompt on, and the one with the cursor.
fn screen(shell: &mut Shell) -> (Vec<String>, String) {
    // The log has the carriage returns, which the transcript has not.
    let bytes = std::fs::read(shell.machine().log()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let text = text.find(PROMPT).map_or("", |start| &text[start..]);
    let (mut rows, mut row, mut column) = (Vec::new(), Vec::new(), 0);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\r' => column = 0,
            '\n' => rows.push(row.drain(..).collect()),
            '\x1b' => {
                // The bracket is passed over, and the letter ends the sequence.
                let mut sequence = String::new();
                for character in characters.by_ref().skip(1) {
                    sequence.push(character);
                    if character.is_ascii_alphabetic() {
                        break;
                    }
                }
                match sequence.split_at(sequence.len().saturating_sub(1)) {
                    (back, "D") => column -= back.parse::<usize>().unwrap_or(1).min(column),
                    (_, "K") => row.truncate(column),
                    // A colour of the log.
                    _ => {}
                }
            }
            character => {
                row.resize(row.len().max(column + 1), ' ');
                row[column] = character;
                column += 1;
            }
        }
    }
    (rows, row.into_iter().collect())
}

fn half_typed(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("count 1000000 20 &")?;
    machine.expect("count 1\n", ANSWER)?;
    machine.send(b"half")?;
    for _ in 0..3 {
        machine.expect("mitos> half\x1b[K", ANSWER)?;
    }
    // The rest of the word, then another command in its place.
    machine.send(b"way\x15")?;
    machine.send_line("kill count")?;
    machine.expect("] done\n", ANSWER)?;
    machine.send_line("echo whole")?;
    machine.expect("\nwhole\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let (rows, last) = screen(shell);
    let typed: Vec<&str> = rows.iter().filter_map(|row| row.strip_prefix(PROMPT)).collect();
    claim!(typed == ["count 1000000 20 &", "kill count", "echo whole"], "these lines have a prompt: {typed:?}");
    claim!(last == PROMPT, "the last row is {last:?}");
    let counted = rows.iter().filter_map(|row| row.strip_prefix("count "));
    let wrong = counted.zip(1..).find(|(number, expected)| *number != expected.to_string());
    claim!(wrong.is_none(), "not the number that was to come: {wrong:?}");
    let others = rows.iter().filter(|row| !row.starts_with("count ") && !row.starts_with(PROMPT)).count();
    claim!(others == 4, "more than number, end and done of the job, and the echo: {rows:?}");
    Ok(())
}

/// A fault is logged while a line is half typed.
fn log_line(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("busy 60 &")?;
    machine.expect("] ", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    machine.send(b"fault panic busy &\recho hal")?;
    machine.expect("] done\n", ANSWER)?;
    machine.expect("] done\n", ANSWER)?;
    machine.expect(&format!("{PROMPT}echo hal"), ANSWER)?;
    machine.send_line("f")?;
    machine.expect("\nhalf\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let (rows, _) = screen(shell);
    let logged: Vec<&String> = rows.iter().filter(|row| row.contains("fault 0: panic in task")).collect();
    claim!(matches!(logged[..], [row] if row.starts_with('[')), "the line of the log has a row of its own: {rows:?}");
    let typed = rows.iter().filter(|row| row.contains("echo hal")).count();
    claim!(typed == 1, "the typed line is on the screen once: {rows:?}");
    Ok(())
}

fn unfinished_output(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("cat > /tmp/part")?;
    machine.expect("cat > /tmp/part\n", ANSWER)?;
    machine.send(b"no end\x04\x04")?;
    machine.expect(PROMPT, ANSWER)?;
    machine.send_line("cat /tmp/part")?;
    machine.expect("no end\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let (rows, last) = screen(shell);
    claim!(rows.last().is_some_and(|row| row == "no end") && last == PROMPT, "{rows:?}, {last:?}");
    Ok(())
}

/// Types so many bytes in one line, in pieces, as fast as they are shown.
fn type_long(shell: &mut Shell, bytes: usize) -> Outcome {
    const PIECE: usize = 100;
    for piece in 0..bytes / PIECE {
        // Each ends in a word of its own, so that the one before it is not taken for it.
        let end = format!("_{piece}");
        let machine = shell.machine();
        machine.send(format!("{}{end}", "x".repeat(PIECE - end.len())).as_bytes())?;
        machine.expect(&format!("{end}\x1b[K"), ANSWER)?;
    }
    shell.machine().send("x".repeat(bytes % PIECE).as_bytes())?;
    Ok(())
}

fn overlong(shell: &mut Shell) -> Outcome {
    const LONGEST: usize = 1024;
    const BEGIN: &str = "rm /tmp/kept ";
    const REFUSED: usize = 7;
    const REFUSAL: &str = "line longer than 1024 bytes; nothing was carried out";
    let machine = shell.machine();
    machine.send_line("echo text > /tmp/kept")?;
    machine.expect(PROMPT, ANSWER)?;
    machine.send(BEGIN.as_bytes())?;
    let mark = machine.mark();
    type_long(shell, LONGEST - BEGIN.len())?;
    let machine = shell.machine();
    machine.send("y".repeat(REFUSED).as_bytes())?;
    machine.send(b"\r")?;
    machine.expect(&format!("{REFUSAL}\n"), ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let bells = machine.output()[mark..].matches('\x07').count();
    claim!(bells == REFUSED, "{bells} bells for {REFUSED} bytes");
    let mark = machine.mark();
    machine.send_line("cat /tmp/kept")?;
    machine.line_since(mark, "text", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    // As long as a line can be, it is carried out.
    machine.send(b"echo ")?;
    let mark = machine.mark();
    type_long(shell, LONGEST - "echo ".len())?;
    let machine = shell.machine();
    machine.send(b"\r")?;
    // The end of the echo: a line that is edited ends in a sequence.
    machine.expect("x\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let said = &machine.output()[mark..];
    claim!(!said.contains('\x07') && !said.contains(REFUSAL), "a whole line was refused: {said:?}");
    Ok(())
}

fn coloured(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("busy 60 &")?;
    machine.expect("busy 60 &\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    machine.send_line("fault panic busy")?;
    machine.expect("\x1b[33m[", ANSWER)?;
    machine.expect("\x1b[0m\n", ANSWER)?;
    machine.send_line("echo calm")?;
    machine.expect("\ncalm\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

/// More than the port, the driver and the readers' queue hold together.
fn long_paste(shell: &mut Shell) -> Outcome {
    const LINES: usize = 60;
    let padding = "x".repeat(800);
    let machine = shell.machine();
    let mark = machine.mark();
    let paste: String = (0..LINES).map(|number| format!("echo {number} {padding}\r")).collect();
    machine.send(paste.as_bytes())?;
    machine.line_since(mark, &format!("{} {padding}", LINES - 1), Duration::from_secs(120))?;
    machine.expect(PROMPT, ANSWER)?;
    let (rows, _) = screen(shell);
    let suffix = format!(" {padding}");
    let numbers: Vec<&str> = rows.iter().filter_map(|row| row.strip_suffix(&suffix)).collect();
    let numbers: Vec<&str> = numbers.into_iter().filter(|number| !number.contains("echo")).collect();
    let expected: Vec<String> = (0..LINES).map(|number| number.to_string()).collect();
    claim!(numbers == expected, "these lines were carried out: {numbers:?}");
    Ok(())
}

fn interrupted_behind_a_paste(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    let mark = machine.mark();
    machine.send_line("busy 60")?;
    machine.expect("busy 60\n", ANSWER)?;
    // Until it is in the foreground.
    std::thread::sleep(Duration::from_millis(500));
    // More than the 4 KiB of a terminal line, and no line of it is to be carried out.
    machine.send("echo wrong\r".repeat(1000).as_bytes())?;
    machine.send(b"\x03")?;
    machine.line_since(mark, "busy: killed", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    machine.send_line("echo after")?;
    machine.expect("\nafter\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    let said = &machine.output()[mark..];
    claim!(!said.contains("wrong"), "a forgotten line was carried out: {said:?}");
    Ok(())
}

fn interrupted(shell: &mut Shell) -> Outcome {
    // With the command, while it is being loaded, and when it runs; the line that follows is for the shell.
    for pause in [0, 5, 20, 50, 500].map(Duration::from_millis) {
        let machine = shell.machine();
        let mark = machine.mark();
        machine.send(b"cat\r")?;
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        machine.send(b"\x03")?;
        machine.line_since(mark, "cat: killed", ANSWER)?;
        machine.expect(PROMPT, ANSWER)?;
        machine.send_line("echo after")?;
        machine.expect("\nafter\n", ANSWER)?;
        machine.expect(PROMPT, ANSWER)?;
        let said = &machine.output()[mark..];
        claim!(said.matches("cat: ").count() == 1, "more than one word: {said:?}");
    }
    Ok(())
}
