//! Reading from the console.
use crate::{ConsoleOutput, EditedLine, foreground};
use alloc::format;
use alloc::vec::Vec;
use application::{Input, Output, StreamError};
use line_editor::{Event, MAX_LINE};

/// The console as an application's input: whole lines, edited before they arrive. Ctrl-D hands over the line so far, as on
/// any terminal, and on an empty line it ends the input. Ctrl-C that was typed before there was a job, and so reaches the
/// reader, ends the job in the foreground as it would have done later.
pub struct LineInput {
    line: EditedLine,
    /// The bytes that were handed over and have not been read yet.
    typed: Vec<u8>,
    ended: bool,
}

impl LineInput {
    /// An input without a line.
    pub fn new() -> Self {
        Self { line: EditedLine::new(""), typed: Vec::new(), ended: false }
    }

    /// Waits for more; an empty answer is the end.
    fn next(&mut self) -> Vec<u8> {
        loop {
            match self.line.next_event() {
                Event::Line(line) => {
                    let mut bytes = line.into_bytes();
                    bytes.push(b'\n');
                    return bytes;
                }
                Event::EndOfInput if self.line.is_empty() => return Vec::new(),
                Event::EndOfInput => return self.line.take().into_bytes(),
                Event::Interrupt => {
                    foreground::interrupt();
                    // The keys after it are for others.
                    task::cancellation_point();
                }
                Event::Overlong => {
                    let refusal = format!("line longer than {MAX_LINE} bytes; nothing of it was read\n");
                    // The console takes everything.
                    let _ = ConsoleOutput::new().write(refusal.as_bytes());
                }
                Event::Complete | Event::Size { .. } => {}
            }
        }
    }
}

impl Default for LineInput {
    fn default() -> Self {
        Self::new()
    }
}

impl Input for LineInput {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        if self.typed.is_empty() && !self.ended {
            self.typed = self.next();
            self.ended = self.typed.is_empty();
        }
        let count = buffer.len().min(self.typed.len());
        for (into, from) in buffer.iter_mut().zip(self.typed.drain(..count)) {
            *into = from;
        }
        Ok(count)
    }
}
