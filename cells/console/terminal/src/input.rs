//! Reading from the console.
use crate::{send, style};
use alloc::string::String;
use alloc::vec::Vec;
use application::{Input, StreamError};
use console_state::READABLE;
use line_editor::{Event, LineEditor};
use wait_queue::wait_for;

/// Waits for typed bytes, as they come.
pub fn read(buffer: &mut [u8]) -> usize {
    wait_for(&READABLE, || match console::try_read(buffer) {
        0 => None,
        count => Some(count),
    })
}

/// The console as an application's input: whole lines, edited before they arrive.
pub struct LineInput {
    editor: LineEditor,
    /// What of the last line has not been read yet.
    line: Vec<u8>,
    ended: bool,
}

impl LineInput {
    /// An input without a line.
    pub fn new() -> Self {
        let editor = LineEditor::new(style(), "");
        Self { editor, line: Vec::new(), ended: false }
    }

    fn next_line(&mut self) -> Result<Option<String>, StreamError> {
        let mut screen = Vec::new();
        loop {
            let mut byte = [0];
            read(&mut byte);
            let [byte] = byte;
            let event = self.editor.feed(byte, &mut screen);
            send(&screen);
            screen.clear();
            match event {
                Some(Event::Line(line)) => return Ok(Some(line)),
                Some(Event::EndOfInput) => return Ok(None),
                Some(Event::Interrupt) => return Err(StreamError::Interrupted),
                Some(Event::Complete) | None => {}
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
        if self.line.is_empty() && !self.ended {
            match self.next_line()? {
                Some(line) => {
                    self.line = line.into_bytes();
                    self.line.push(b'\n');
                }
                None => self.ended = true,
            }
        }
        let count = buffer.len().min(self.line.len());
        for (into, from) in buffer.iter_mut().zip(self.line.drain(..count)) {
            *into = from;
        }
        Ok(count)
    }
}
