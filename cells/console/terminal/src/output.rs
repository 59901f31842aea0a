//! Writing to the console.
use alloc::vec::Vec;
use application::{Output, StreamError};
use console_state::{LINE, WRITABLE};
use wait_queue::wait_for;

/// One writer: keeps an unfinished line to itself, so that lines of several writers do not mix. A line longer than [`LINE`]
/// is handed on in parts.
#[derive(Default)]
pub struct ConsoleOutput {
    line: Vec<u8>,
    /// The bytes that were handed on last did not end a line.
    open: bool,
}

impl ConsoleOutput {
    /// A writer with an empty line.
    pub const fn new() -> Self {
        Self { line: Vec::new(), open: false }
    }

    fn emit(&mut self) {
        if let Some(last) = self.line.last() {
            let fresh = !self.open;
            self.open = *last != b'\n';
            put(&self.line, fresh);
            self.line.clear();
        }
    }
}

/// Puts bytes out as they are, waiting for room: for editors of lines that are not shown while they are typed.
pub(crate) fn send(bytes: &[u8]) {
    put(bytes, false);
}

/// As [`send`], but the bytes begin on a line of their own, even if another writer left one unfinished.
pub(crate) fn send_fresh(bytes: &[u8]) {
    put(bytes, true);
}

fn put(bytes: &[u8], fresh: bool) {
    for (index, part) in bytes.chunks(LINE).enumerate() {
        let fresh = fresh && index == 0;
        wait_for(&WRITABLE, || console::try_write(part, fresh).then_some(()));
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
            if self.line.len() >= LINE {
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
        let _shown = self.line.is_empty() || console::try_write(&self.line, !self.open);
    }
}
