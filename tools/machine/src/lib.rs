//! Runs Mitos in QEMU.
//!
//! A [`Configuration`] says what machine to build, a [`Machine`] is one that runs. Guarantees to its users (system tests,
//! demo, bench): every wait has a deadline; everything that the guest said on its serial line is in the log file, also when
//! a wait fails; the QEMU process that a [`Machine`] started, and no other, is gone when the [`Machine`] is dropped.

mod answer;
mod configuration;
mod serial;
mod shell;

pub use configuration::{Accelerator, Boot, Configuration, Debugger};
pub use serial::Transcript;
pub use shell::{CommandOutput, Job, PROMPT, Shell, is_log_line};

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

/// How a machine came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The guest wrote this value to the debug exit device.
    Guest(u8),
    /// QEMU ended by itself with status 0: ACPI power-off, or any reset under `-no-reboot`.
    PowerOff,
    /// QEMU ended with another status, or by a signal (`None`).
    Emulator(Option<i32>),
}

impl Exit {
    /// What the guest writes to the debug exit device when it is satisfied.
    pub const SUCCESS: u8 = 0x10;

    /// True only for the agreed value on the debug exit device: a power-off cannot be told from a triple fault under
    /// `-no-reboot`.
    pub fn is_success(self) -> bool {
        self == Self::Guest(Self::SUCCESS)
    }

    /// From the exit code of QEMU, `None` for a signal.
    pub fn from_code(code: Option<i32>) -> Self {
        match code {
            Some(0) => Self::PowerOff,
            // The device answers a write of `value` with the exit status `value << 1 | 1`. Status 1 is also QEMU's own
            // failure, so the guest never writes 0.
            Some(status) if status > 1 && status & 1 == 1 => {
                u8::try_from(status >> 1).map_or(Self::Emulator(code), Self::Guest)
            }
            other => Self::Emulator(other),
        }
    }
}

/// Why a machine did not do what was asked of it.
#[derive(Debug)]
pub enum MachineError {
    /// QEMU could not be started.
    Start { program: String, error: io::Error },
    /// The log file could not be made.
    Log { path: PathBuf, error: io::Error },
    /// The pattern did not come before the deadline.
    Deadline { pattern: String, after: Duration, tail: String, log: PathBuf },
    /// The machine ended while something was still expected from it.
    Ended { pattern: String, exit: Exit, tail: String, log: PathBuf },
    /// It still ran at the deadline, although its end was expected.
    StillRunning { after: Duration, log: PathBuf },
    /// Writing to its serial line failed.
    Send { error: io::Error, log: PathBuf },
    /// The shell did not start a job; this is what it said instead.
    NotStarted { command: String, said: String, log: PathBuf },
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { program, error } => write!(f, "cannot start {program}: {error}"),
            Self::Log { path, error } => write!(f, "cannot write {}: {error}", path.display()),
            Self::Deadline { pattern, after, tail, log } => write!(
                f,
                "no {pattern:?} within {:.1} s; last heard: {tail:?} (log: {})",
                after.as_secs_f64(),
                log.display()
            ),
            Self::Ended { pattern, exit, tail, log } => write!(
                f,
                "the machine ended ({exit:?}) before {pattern:?}; last heard: {tail:?} (log: {})",
                log.display()
            ),
            Self::StillRunning { after, log } => {
                write!(f, "the machine still ran after {:.1} s (log: {})", after.as_secs_f64(), log.display())
            }
            Self::Send { error, log } => {
                write!(f, "cannot write to the serial line: {error} (log: {})", log.display())
            }
            Self::NotStarted { command, said, log } => {
                write!(f, "{command:?} was not started: {said:?} (log: {})", log.display())
            }
        }
    }
}

impl std::error::Error for MachineError {}

/// A running QEMU. Dropping it ends that process.
pub struct Machine {
    child: Child,
    input: Option<ChildStdin>,
    transcript: Transcript,
    log: PathBuf,
    /// Everything before this byte of the transcript was consumed by an earlier [`Machine::expect`].
    position: usize,
}

impl Machine {
    /// Starts QEMU with its serial line on a pipe. What the guest says goes to `log` as well.
    pub fn start(configuration: &Configuration, log: &Path) -> Result<Self, MachineError> {
        let log_error = |error| MachineError::Log { path: log.to_owned(), error };
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).map_err(log_error)?;
        }
        let file = std::fs::File::create(log).map_err(log_error)?;
        let mut command = configuration.command();
        command.args(["-serial", "stdio", "-monitor", "none"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // QEMU's own complaints are few and belong beside what the guest said.
        command.stderr(file.try_clone().map_err(log_error)?);
        let mut child = command.spawn().map_err(|error| MachineError::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            error,
        })?;
        let output = child.stdout.take().expect("stdout was just set to a pipe");
        let input = child.stdin.take();
        Ok(Self { transcript: Transcript::follow(output, file), child, input, log: log.to_owned(), position: 0 })
    }

    /// Waits until `pattern` comes after everything consumed so far; consumes up to its end and returns what came before it.
    pub fn expect(&mut self, pattern: &str, within: Duration) -> Result<String, MachineError> {
        self.expect_any(&[pattern], within).map(|(_, before)| before)
    }

    /// As [`Machine::expect`], with the first of several patterns to come; returns its index.
    pub fn expect_any(&mut self, patterns: &[&str], within: Duration) -> Result<(usize, String), MachineError> {
        let first = |text: &str| {
            let found = patterns.iter().enumerate();
            let found = found.filter_map(|(index, pattern)| text.find(pattern).map(|at| (at, index, pattern.len())));
            let (at, index, length) = found.min()?;
            Some(((index, text[..at].to_owned()), at + length))
        };
        self.take(&patterns.join(" | "), first, within)
    }

    /// Waits until `find` finds something in what came after everything consumed so far; it says how many bytes that
    /// consumes. `what` names it if it does not come.
    pub fn take<T>(
        &mut self,
        what: &str,
        find: impl FnMut(&str) -> Option<(T, usize)>,
        within: Duration,
    ) -> Result<T, MachineError> {
        match self.transcript.wait_for(self.position, find, within) {
            Some((found, consumed)) => {
                self.position += consumed;
                Ok(found)
            }
            None => Err(self.unanswered(self.position, what.to_owned(), within)),
        }
    }

    /// A point in the output, for [`Machine::line_since`].
    pub fn mark(&self) -> usize {
        self.transcript.text_from(0).len()
    }

    /// Waits for a whole line with `pattern` in it after `mark`, wherever the dialogue is; consumes nothing.
    pub fn line_since(&mut self, mark: usize, pattern: &str, within: Duration) -> Result<String, MachineError> {
        let find = |text: &str| {
            let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            lines.map(str::trim_end).find(|line| line.contains(pattern)).map(str::to_owned)
        };
        match self.transcript.wait_for(mark, find, within) {
            Some(line) => Ok(line),
            None => Err(self.unanswered(mark, pattern.to_owned(), within)),
        }
    }

    fn unanswered(&mut self, position: usize, pattern: String, within: Duration) -> MachineError {
        let tail = tail(&self.transcript.text_from(position));
        let log = self.log.clone();
        if self.transcript.is_closed() {
            let exit = self.reap();
            MachineError::Ended { pattern, exit, tail, log }
        } else {
            MachineError::Deadline { pattern, after: within, tail, log }
        }
    }

    /// Sends a line, as if typed and ended with the return key.
    pub fn send_line(&mut self, line: &str) -> Result<(), MachineError> {
        self.send(line.as_bytes())?;
        self.send(b"\r")
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), MachineError> {
        let log = &self.log;
        let failed = |error| MachineError::Send { error, log: log.clone() };
        let Some(input) = self.input.as_mut() else {
            return Err(failed(io::Error::from(io::ErrorKind::BrokenPipe)));
        };
        input.write_all(bytes).map_err(failed)?;
        input.flush().map_err(failed)
    }

    /// Waits for the machine to end by itself.
    pub fn wait(&mut self, within: Duration) -> Result<Exit, MachineError> {
        if self.transcript.wait_closed(within) {
            Ok(self.reap())
        } else {
            Err(MachineError::StillRunning { after: within, log: self.log.clone() })
        }
    }

    /// All that the guest has said so far.
    pub fn output(&self) -> String {
        self.transcript.text_from(0)
    }

    /// Where the serial output is kept.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Collects the status of a process after its output has ended.
    fn reap(&mut self) -> Exit {
        self.input = None;
        // QEMU closes its output only by ending, so this wait is short.
        match self.child.wait() {
            Ok(status) => Exit::from_code(status.code()),
            Err(_) => Exit::Emulator(None),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Both fail only when the process is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last few lines of a text, short enough for an error message.
fn tail(text: &str) -> String {
    const KEPT: usize = 400;
    let mut start = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_exit_device_is_told_apart_from_qemu_failures() {
        assert_eq!(Exit::from_code(Some(33)), Exit::Guest(0x10));
        assert_eq!(Exit::from_code(Some(0)), Exit::PowerOff);
        assert_eq!(Exit::from_code(Some(1)), Exit::Emulator(Some(1)));
        assert_eq!(Exit::from_code(Some(2)), Exit::Emulator(Some(2)));
        assert_eq!(Exit::from_code(None), Exit::Emulator(None));
        assert!(Exit::Guest(Exit::SUCCESS).is_success());
        assert!(!Exit::Guest(0x11).is_success());
    }

    #[test]
    fn a_tail_never_splits_a_character() {
        let text = "ä".repeat(500);
        assert!(tail(&text).len() <= 400);
        assert!(tail(&text).chars().all(|c| c == 'ä'));
    }
}
