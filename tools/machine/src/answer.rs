//! What the shell said to a command, found in all that came over the serial line.
//!
//! The guest guarantees (`cells/console`): the shell repeats a command on a line before it does anything about it; its prompt
//! begins a line, and comes after all output of the command's applications; all other writers (jobs in the background, the
//! kernel's log) write whole lines. So the answer lies between a line that is the command and the next line that begins with
//! the prompt. The text before the command does not matter, nor how the text came in pieces.

use crate::PROMPT;

/// The answer to `command` in `text`, and where the text behind the prompt that ends it begins; `None` if it is not whole.
pub(crate) fn answer<'t>(text: &'t str, command: &str) -> Option<(&'t str, usize)> {
    let start = end_of_echo(text, command)?;
    // The line feed that ends the echo may be the one before the prompt.
    let before = start - 1;
    let end = start + text[before..].find(&format!("\n{PROMPT}"))?;
    Some((&text[start..end], end + PROMPT.len()))
}

/// Where the line behind the one that repeats `command` begins. The prompt may be before the command: the one that this
/// text goes on from is not in it, but that of a shell that was started anew is.
fn end_of_echo(text: &str, command: &str) -> Option<usize> {
    let mut end = 0;
    text.split_inclusive('\n').find_map(|line| {
        end += line.len();
        let line = line.strip_suffix('\n')?;
        (line == command || line.strip_prefix(PROMPT) == Some(command)).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::answer;

    const LOG: &str = "[7.415921 cpu2 WARN  fault_log] fault 0: panic in task 12 'busy'\n";

    #[test]
    fn an_answer_is_between_the_command_and_the_next_prompt() {
        let text = "fault log\nfault 0: panic\n1 faults since boot\nmitos> ";
        assert_eq!(answer(text, "fault log"), Some(("fault 0: panic\n1 faults since boot\n", text.len())));
        assert_eq!(answer("rm a\nmitos> ", "rm a"), Some(("", 12)));
        assert_eq!(answer("\nmitos> ", ""), Some(("", 8)));
    }

    #[test]
    fn an_answer_that_is_not_whole_is_waited_for() {
        let text = "fault log\nfault 0: panic\nfault 1: panic\n2 faults since boot\nmitos> ";
        for length in 0..text.len() {
            assert_eq!(answer(&text[..length], "fault log"), None, "{:?}", &text[..length]);
        }
    }

    #[test]
    fn what_was_said_before_is_no_part_of_it() {
        for before in [LOG, "busy: left off after 7 rounds\n", "\n[1] done\n", "ps aside\n", "maps\n", "mitos> "] {
            let text = format!("{before}ps\n  task\n");
            let whole = format!("{text}mitos> [2] done\n");
            assert_eq!(answer(&text, "ps"), None, "{text:?}");
            assert_eq!(answer(&whole, "ps"), Some(("  task\n", text.len() + 7)), "{whole:?}");
        }
    }

    #[test]
    fn a_prompt_within_a_line_ends_nothing() {
        let text = "echo 'mitos> x'\nsaid: mitos> x\nmitos> ";
        assert_eq!(answer(text, "echo 'mitos> x'"), Some(("said: mitos> x\n", text.len())));
    }

    #[test]
    fn lines_out_of_turn_may_come_between_any_two() {
        let lines = ["fault log\n", "fault 0: panic\n", "fault 1: panic\n", "2 faults since boot\n", "mitos> "];
        for place in 0..lines.len() {
            let mut text: Vec<&str> = lines.to_vec();
            text.insert(place, LOG);
            let text = text.concat();
            let (found, consumed) = answer(&text, "fault log").unwrap();
            assert_eq!(found.replace(LOG, ""), lines[1..4].concat());
            assert_eq!(consumed, text.len());
            for length in 0..text.len() {
                assert_eq!(answer(&text[..length], "fault log"), None);
            }
        }
    }
}
