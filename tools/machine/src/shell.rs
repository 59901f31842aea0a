//! Dialogue with the guest's shell: send a command, get what it printed.

use std::time::Duration;

use crate::answer::answer;
use crate::{Machine, MachineError};

/// What the shell prints when it waits for a command (`console=plain`).
pub const PROMPT: &str = "mitos> ";

/// What came back for one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// The command's own output, kernel log lines removed.
    pub text: String,
    /// Kernel log lines that came meanwhile.
    pub log: Vec<String>,
}

impl CommandOutput {
    fn parse(raw: &str) -> Self {
        let (log, text): (Vec<_>, Vec<_>) = raw.lines().partition(|line| is_log_line(line));
        Self { text: text.join("\n").trim_end().to_owned(), log: log.into_iter().map(str::to_owned).collect() }
    }

    /// The lines of the output.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// The line that contains `word`.
    pub fn line_with(&self, word: &str) -> Option<&str> {
        self.lines().find(|line| line.contains(word))
    }

    /// True when the output contains `word`.
    pub fn contains(&self, word: &str) -> bool {
        self.text.contains(word)
    }

    /// The number that follows `label` in the output: `number_after("free")` is 12 for `free: 12 frames`.
    pub fn number_after(&self, label: &str) -> Option<u64> {
        let at = self.text.find(label)? + label.len();
        first_number(&self.text[at..])
    }
}

/// The first run of digits in a text, as a number.
fn first_number(text: &str) -> Option<u64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits = &text[start..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// True for a line of the kernel's log: `[seconds.micros cpuN LEVEL cell] text`.
pub fn is_log_line(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('[') else {
        return false;
    };
    let Some((head, _)) = rest.split_once(']') else {
        return false;
    };
    let mut words = head.split_whitespace();
    let time = words.next().unwrap_or_default();
    let cpu = words.next().unwrap_or_default();
    time.split_once('.').is_some_and(|(seconds, micros)| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        digits(seconds) && digits(micros)
    }) && cpu.starts_with("cpu")
}

/// A job in the background, to be waited for with [`Shell::end_of`].
#[derive(Debug)]
#[must_use = "what a job says may come between the lines of other commands until its end has been waited for"]
pub struct Job {
    /// The shell's number for it.
    number: u64,
    /// Where the transcript was when it was started.
    mark: usize,
}

/// The number in the shell's line about a job it has started: `[NUMBER] TASK`.
fn job_number(line: &str) -> Option<u64> {
    let (number, task) = line.strip_prefix('[')?.split_once("] ")?;
    task.parse::<u64>().ok().and(number.parse().ok())
}

/// A machine with a shell that has shown its prompt.
pub struct Shell {
    machine: Machine,
    patience: Duration,
}

impl Shell {
    /// Waits for the first prompt.
    pub fn reach(mut machine: Machine, within: Duration) -> Result<Self, MachineError> {
        machine.expect(PROMPT, within)?;
        Ok(Self { machine, patience: Duration::from_secs(30) })
    }

    /// Changes how long a command may take.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs a command to the next prompt.
    pub fn run(&mut self, command: &str) -> Result<CommandOutput, MachineError> {
        self.run_within(command, self.patience)
    }

    /// Runs a command that may take longer, or must take less, than usual. The output is what comes between the shell's
    /// repetition of the command and its next prompt. Jobs in the background may say lines of their own in between, until
    /// [`Shell::end_of`] has told of their end.
    pub fn run_within(&mut self, command: &str, within: Duration) -> Result<CommandOutput, MachineError> {
        self.machine.send_line(command)?;
        let find = |text: &str| answer(text, command).map(|(raw, consumed)| (CommandOutput::parse(raw), consumed));
        self.machine.take(&format!("answer to {command:?}"), find, within)
    }

    /// Starts a job in the background. Its applications run when this returns.
    pub fn start(&mut self, command: &str) -> Result<Job, MachineError> {
        let mark = self.machine.mark();
        let output = self.run(&format!("{command} &"))?;
        let number = output.lines().find_map(job_number);
        match number {
            Some(number) => Ok(Job { number, mark }),
            None => {
                let log = self.machine.log().to_owned();
                Err(MachineError::NotStarted { command: command.to_owned(), said: output.text, log })
            }
        }
    }

    /// Waits until the shell says that a job has ended; gives all that was said since it was started, by the job or by
    /// others. Nothing comes from the job after that.
    pub fn end_of(&mut self, job: Job) -> Result<String, MachineError> {
        let Job { number, mark } = job;
        self.machine.line_since(mark, &format!("[{number}] done"), self.patience)?;
        Ok(self.machine.output().split_off(mark))
    }

    /// The machine below, for dialogues that are no simple commands.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Gives the machine back, for instance to wait for its end.
    pub fn into_machine(self) -> Machine {
        self.machine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_are_told_from_output() {
        assert!(is_log_line("[0.000123 cpu0 INFO  nano_core] text"));
        assert!(is_log_line("[  12.000123 cpu3 WARN faults] [x]"));
        assert!(!is_log_line("[1] 7 running"));
        assert!(!is_log_line("free: 12"));
        assert!(!is_log_line("[unclosed"));
    }

    #[test]
    fn a_job_is_known_by_its_number() {
        assert_eq!(job_number("[12] 345"), Some(12));
        assert_eq!(job_number("[12] done"), None);
        assert_eq!(job_number("busy: unknown command; 'help' lists them"), None);
    }

    #[test]
    fn log_lines_are_kept_apart() {
        let output = CommandOutput::parse("[0.1 cpu1 INFO x] hello\nname size\ncore 12\n");
        assert_eq!(output.text, "name size\ncore 12");
        assert_eq!(output.log, ["[0.1 cpu1 INFO x] hello"]);
        assert_eq!(output.number_after("core"), Some(12));
        assert_eq!(output.number_after("absent"), None);
    }
}
