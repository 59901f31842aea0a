//! Writing to the console.
use alloc::vec::Vec;
use application::{Output, StreamError};
use console_state::WRITABLE;
use wait_queue::wait_for;

/// A line longer than this is handed on in parts.
const LONGEST: usize = 1024;

/// One writer: keeps an unfinished line to itself, so that lines of several writers do not mix.
#[derive(Default)]
pub struct ConsoleOutput {
    line: Vec<u8>,
}

impl ConsoleOutput {
    /// A writer with an empty line.
    pub const fn new() -> Self {
        Self { line: Vec::new() }
    }

    fn emit(&mut self) {
        send(&self.line);
        self.line.clear();
    }
}

/// Puts bytes out as they are, waiting for room: for editors, which know the terminal's codes.
pub fn send(bytes: &[u8]) {
    for part in bytes.chunks(LONGEST) {
        wait_for(&WRITABLE, || console::try_write(part).then_some(()));
    }
}

impl Output for ConsoleOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    self.line.extend_from_slice(b"\r\n");
                    self.emit();
                }
                None => self.line.extend_from_slice(part),
            }
            if self.line.len() >= LONGEST {
                self.emit();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        self.emit();
        Ok(())
    }
}

impl Drop for ConsoleOutput {
    /// An unfinished line of a task that ended still comes out, if there is room: a drop does not wait.
    fn drop(&mut self) {
        let _shown = self.line.is_empty() || console::try_write(&self.line);
    }
}
